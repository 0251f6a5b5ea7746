//! Tags of others: what an auto-tagger, a backup plan or a cost tool has put on our objects.

use std::rc::Rc;

use serde_json::Value;

/// Which tags are others' to set and to take off: whole keys, and beginnings of keys that end in `*`.
///
/// A kind never sees such a tag on a live object. So it is no difference, no update takes it off, and it is written into
/// nothing.
#[derive(Debug, Clone, Default)]
pub struct IgnoredTags(Rc<[String]>);

impl IgnoredTags {
    /// These keys and beginnings of keys.
    pub fn new(patterns: impl IntoIterator<Item = String>) -> Self {
        IgnoredTags(patterns.into_iter().collect())
    }

    /// Whether a tag of this key is another's.
    pub fn has(&self, key: &str) -> bool {
        self.0.iter().any(|pattern| covers(pattern, key))
    }

    /// Takes others' tags out of what was seen of a live object.
    pub(super) fn strip(&self, live: &mut Value) {
        if let Some(tags) = live.get_mut("tags").and_then(Value::as_object_mut) {
            tags.retain(|key, _| !self.has(key));
        }
    }
}

/// Case matters, as it does to AWS.
fn covers(pattern: &str, key: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => key.starts_with(start),
        None => pattern == key,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pattern_is_a_key_or_the_beginning_of_keys() {
        let ignored = IgnoredTags::new(["backup-plan", "AutoTag_*"].map(str::to_owned));
        for key in ["backup-plan", "AutoTag_", "AutoTag_Creator"] {
            assert!(ignored.has(key), "{key}");
        }
        for key in ["backup-plans", "Backup-plan", "AutoTag", "x AutoTag_Creator", ""] {
            assert!(!ignored.has(key), "{key}");
        }
        assert!(!IgnoredTags::default().has("x"));
    }

    #[test]
    fn only_tags_are_taken_out() {
        let mut live = json!({"tags": {"x": "1", "y": "2"}, "variables": {"x": "1"}, "x": "1"});
        IgnoredTags::new(["x".to_owned()]).strip(&mut live);
        assert_eq!(live, json!({"tags": {"y": "2"}, "variables": {"x": "1"}, "x": "1"}));
    }
}
