//! Values between specs and AWS: sets of references, and what AWS spells differently on the way back.

use std::collections::BTreeSet;

use crate::error::{Class, Fault, Result};
use crate::resource::OutOfReach;
use crate::stack::Out;

/// What a set of references stands for.
///
/// # Errors
/// Where one of them is not known yet.
pub(super) fn known(set: &BTreeSet<Out<String>>) -> Result<Vec<String>> {
    set.iter().map(|out| out.get().cloned()).collect()
}

/// A set of values that are known.
pub(super) fn outs<'a>(values: impl IntoIterator<Item = &'a str>) -> BTreeSet<Out<String>> {
    values.into_iter().map(Out::from).collect()
}

/// A text that AWS may leave out.
pub(super) fn text(value: Option<&str>) -> String {
    value.unwrap_or_default().to_owned()
}

/// A snapshot has the name that another one was to have. No class but this one, so that nobody waits for it to become ours.
pub(super) fn taken(name: &str) -> Fault {
    let text = format!("a snapshot {name} is there already, and is not of this node");
    Fault::new(Class::Invalid, "NameTaken", text).with_advice("name another one, with --name")
}

/// The live KMS key, spelled as in the spec where both are the same key, one by id and one by ARN. Empty: none.
pub(super) fn key(want: &Out<String>, live: Option<&str>) -> Out<String> {
    let live = live.unwrap_or_default();
    match want.known() {
        Some(want) if want.rsplit('/').next() == live.rsplit('/').next() => want.clone().into(),
        _ => live.into(),
    }
}

/// The live version, spelled as in the spec where it satisfies it: AWS answers `7.1.0` for `7.1`, picks a minor for
/// `16`, and upgrades minors by itself but never back.
pub(super) fn version(want: &str, live: &str) -> String {
    match (numbers(want), numbers(live)) {
        (Some(least), Some(got)) if got.first() == least.first() && got >= least => want.to_owned(),
        _ => live.to_owned(),
    }
}

/// The parts of a version; `None` where one of them is no number.
pub(super) fn numbers(version: &str) -> Option<Vec<u32>> {
    version.split('.').map(|part| part.parse().ok()).collect()
}

/// A version that AWS would have to go back to, which it never does. One that satisfies the spec is spelled as there.
pub(super) fn no_way_back(field: &'static str, want: &str, live: &str) -> Option<OutOfReach> {
    let older = matches!((numbers(want), numbers(live)), (Some(want), Some(live)) if want < live);
    (older && want != live)
        .then(|| OutOfReach { field, why: format!("runs {live}, and AWS never goes back to {want}") })
}

/// Another major version: AWS upgrades to it and never goes back.
pub(super) fn leap(want: &str, live: &str) -> Option<String> {
    let newer = matches!((numbers(want), numbers(live)), (Some(want), Some(live)) if want > live);
    (newer && major(want) != major(live)).then(|| format!("from {live} to {want}"))
}

/// The part of a version before its first dot.
pub(super) fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// Refuses an identifier that AWS would refuse, or would write in lower case and so give back as another.
pub(super) fn check_identifier(field: &str, value: &str, longest: usize) -> std::result::Result<(), String> {
    let letters = value.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let edges = value.starts_with(|c: char| c.is_ascii_lowercase()) && !value.ends_with('-') && !value.contains("--");
    if letters && edges && value.len() <= longest {
        return Ok(());
    }
    Err(format!(
        "{field} is {value:?}; AWS allows 1-{longest} lower-case letters, digits and single hyphens, a letter first \
         and no hyphen last"
    ))
}

/// Refuses a text that is none of those AWS knows.
pub(super) fn check_one_of(field: &str, value: &str, allowed: &[&str]) -> std::result::Result<(), String> {
    match allowed.contains(&value) {
        true => Ok(()),
        false => Err(format!("{field} is {value:?}; AWS allows {}", allowed.join(", "))),
    }
}

/// Refuses a text that is too long or too short for AWS, or that has a character AWS does not take.
pub(super) fn check_text(
    field: &str,
    value: &str,
    least: usize,
    most: usize,
    allowed: impl Fn(char) -> bool,
) -> std::result::Result<(), String> {
    match value.chars().count() {
        length if !(least..=most).contains(&length) => {
            Err(format!("{field} has {length} characters; AWS allows {least}-{most}"))
        }
        _ => match value.chars().find(|c| !allowed(*c)) {
            Some(c) => Err(format!("{field} is {value:?}; AWS does not allow {c:?} in it")),
            None => Ok(()),
        },
    }
}

/// Refuses a value outside of what AWS allows.
pub(super) fn check_range(field: &str, value: i32, least: i32, most: i32) -> std::result::Result<(), String> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(format!("{field} is {value}; AWS allows {least}-{most}"))
}

/// How a spec says after how many days: the number or `never`. A null would mean that AWS decides, so that switching off
/// what is on would make no difference.
pub(super) mod never {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};
    use serde_json::Value;

    const NEVER: &str = "never";

    pub(in crate::resources) fn serialize<S: Serializer>(days: &Option<i32>, serializer: S) -> Result<S::Ok, S::Error> {
        match days {
            Some(days) => serializer.serialize_i32(*days),
            None => serializer.serialize_str(NEVER),
        }
    }

    pub(in crate::resources) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<i32>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match value.as_str() == Some(NEVER) {
            true => Ok(None),
            false => i32::deserialize(value).map(Some).map_err(D::Error::custom),
        }
    }
}

const DAY: u32 = 24 * 60;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Refuses what is not a daily window in UTC, `hh:mm-hh:mm`, of at least so many minutes.
pub(super) fn check_daily(field: &str, window: &str, least: u32) -> std::result::Result<(), String> {
    match length(window, clock, DAY) {
        Some(minutes) if minutes >= least => Ok(()),
        _ => Err(format!("{field} is {window:?}; AWS allows hh:mm-hh:mm in UTC, at least {least} minutes long")),
    }
}

/// Refuses what is not a weekly window in UTC, `ddd:hh:mm-ddd:hh:mm`, of at least so many minutes.
pub(super) fn check_weekly(field: &str, window: &str, least: u32) -> std::result::Result<(), String> {
    match length(window, weekday, 7 * DAY) {
        Some(minutes) if (least..DAY).contains(&minutes) => Ok(()),
        _ => Err(format!(
            "{field} is {window:?}; AWS allows ddd:hh:mm-ddd:hh:mm in UTC and lower case, {least} minutes to a day long"
        )),
    }
}

/// Minutes from the start of a window to its end, which may lie in the next period.
fn length(window: &str, minute: fn(&str) -> Option<u32>, period: u32) -> Option<u32> {
    let (start, end) = window.split_once('-')?;
    Some((minute(end)? + period - minute(start)?) % period)
}

fn clock(time: &str) -> Option<u32> {
    let (hour, minute) = time.split_once(':')?;
    if hour.len() != 2 || minute.len() != 2 {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (hour < 24 && minute < 60).then_some(hour * 60 + minute)
}

fn weekday(time: &str) -> Option<u32> {
    let (day, time) = time.split_once(':')?;
    let day = DAYS.iter().zip(0..).find(|(name, _)| **name == day)?.1;
    Some(day * DAY + clock(time)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_satisfies_the_spec_reads_as_the_spec() {
        for (want, live, read) in [
            ("7.1", "7.1.0", "7.1"),
            ("16", "16.9", "16"),
            ("16.9", "16.11", "16.9"),
            ("16.11", "16.9", "16.9"),
            ("16.9", "17.4", "17.4"),
            ("16.9", "", ""),
        ] {
            assert_eq!(version(want, live), read, "{want} {live}");
        }
    }

    #[test]
    fn a_key_is_the_same_by_id_and_by_arn() {
        let arn = "arn:aws:kms:us-east-1:1:key/k-1";
        assert_eq!(key(&"k-1".into(), Some(arn)), "k-1".into());
        assert_eq!(key(&arn.into(), Some("k-1")), arn.into());
        assert_eq!(key(&arn.into(), Some("k-2")), "k-2".into());
        assert_eq!(key(&arn.into(), None), "".into());
    }

    #[test]
    fn windows_may_cross_midnight_but_not_be_too_short() {
        assert!(check_daily("w", "23:45-00:15", 30).is_ok());
        assert!(check_daily("w", "03:00-03:29", 30).is_err());
        assert!(check_daily("w", "3:00-4:00", 30).is_err());
        assert!(check_weekly("w", "sun:23:30-mon:00:30", 60).is_ok());
        assert!(check_weekly("w", "sun:04:00-sun:04:30", 60).is_err());
        assert!(check_weekly("w", "Sun:04:00-Sun:05:00", 60).is_err());
    }

    #[test]
    fn identifiers_are_what_aws_keeps_unchanged() {
        assert!(check_identifier("name", "student-aurora-dev", 63).is_ok());
        for bad in ["", "1a", "A", "a--b", "a-", "a_b", "abcde"] {
            assert!(check_identifier("name", bad, 4).is_err(), "{bad}");
        }
    }
}
