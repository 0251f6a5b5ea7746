//! What a mistyped name may have been meant as.

/// The known name that is spelled most alike, where one is near enough to be meant.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let distance = |name: &'a str| (strsim::damerau_levenshtein(&wrong, &name.to_lowercase()), name);
    let near = known.into_iter().map(distance).min();
    near.filter(|(distance, _)| *distance <= 1 + wrong.chars().count() / 4).map(|(_, name)| name)
}

/// The same as the end of a sentence: `; did you mean vpc?`, or nothing.
pub fn suggestion<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    nearest(wrong, known).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{nearest, suggestion};

    #[test]
    fn only_what_is_spelled_alike_is_suggested() {
        let known = ["vpc", "subnet-private-a", "subnet-private-b"];
        assert_eq!(nearest("vpcc", known), Some("vpc"));
        assert_eq!(nearest("subnet-privat-b", known), Some("subnet-private-b"));
        assert_eq!(nearest("gateway", known), None);
        assert_eq!(nearest("", [""; 0]), None);
        assert_eq!(suggestion("cpv", known), "");
        assert_eq!(suggestion("VPC", known), "; did you mean vpc?");
    }
}
