//! The one comparison of what should be with what is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One field that is not as it should be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where: `tags.Owner`, `ingress`, `rotation_days`.
    pub path: String,
    /// What is live; null where it is missing.
    pub live: Value,
    /// What should be; null where it should not exist.
    pub want: Value,
    /// AWS cannot change it in place.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub immutable: bool,
}

impl Change {
    /// The field of the spec that it is in.
    pub fn field(&self) -> &str {
        self.path.split('.').next().unwrap_or_default()
    }

    /// The elements to add and to remove, where both sides are lists.
    pub fn elements(&self) -> Option<(Vec<&Value>, Vec<&Value>)> {
        let (live, want) = (self.live.as_array()?, self.want.as_array()?);
        let missing = want.iter().filter(|item| !live.contains(item)).collect();
        let unexpected = live.iter().filter(|item| !want.contains(item)).collect();
        Some((missing, unexpected))
    }
}

/// Every field that is not as it should be, in the order of their paths.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Diff {
    /// The fields.
    pub changes: Vec<Change>,
}

impl Diff {
    /// Compares a spec with its live twin. A null in `want` means that AWS decides, and is not compared; a key that
    /// only `live` has is unexpected, and is reported with a null `want`. Lists are compared whole: specs hold sets
    /// in a fixed order.
    pub fn between(want: &Value, live: &Value, immutable: &[&str]) -> Diff {
        let mut changes = Vec::new();
        compare("", want, live, &mut changes);
        for change in &mut changes {
            change.immutable = immutable.contains(&change.field());
        }
        Diff { changes }
    }

    /// Whether the two are the same.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether this field of the spec, or anything inside it, differs.
    pub fn has(&self, field: &str) -> bool {
        self.changes.iter().any(|change| change.field() == field)
    }

    /// Whether any of these fields differs.
    pub fn has_any(&self, fields: &[&str]) -> bool {
        fields.iter().any(|field| self.has(field))
    }

    /// The fields that force a replacement.
    pub fn immutable(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.immutable)
    }
}

fn compare(path: &str, want: &Value, live: &Value, changes: &mut Vec<Change>) {
    match (want, live) {
        (Value::Null, _) => {}
        (Value::Object(want), Value::Object(live)) => {
            let keys: BTreeSet<&String> = want.keys().chain(live.keys()).collect();
            for key in keys {
                let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (want.get(key), live.get(key)) {
                    (Some(want), live) => compare(&inner, want, live.unwrap_or(&Value::Null), changes),
                    (None, Some(live)) => changes.push(change(inner, Value::Null, live.clone())),
                    (None, None) => {}
                }
            }
        }
        (want, live) if want == live => {}
        (want, live) => changes.push(change(path.to_owned(), want.clone(), live.clone())),
    }
}

fn change(path: String, want: Value, live: Value) -> Change {
    Change { path, live, want, immutable: false }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(want: Value, live: Value) -> Vec<String> {
        Diff::between(&want, &live, &["cidr"]).changes.into_iter().map(|change| change.path).collect()
    }

    #[test]
    fn equal_values_do_not_differ() {
        assert!(
            paths(
                json!({"cidr": "10.0.0.0/16", "tags": {"a": "1"}}),
                json!({"cidr": "10.0.0.0/16", "tags": {"a": "1"}})
            )
            .is_empty()
        );
    }

    #[test]
    fn what_the_spec_leaves_to_aws_is_not_compared() {
        assert!(
            paths(json!({"version": null, "deep": {"x": null}}), json!({"version": "7.1", "deep": {"x": 3}}))
                .is_empty()
        );
    }

    #[test]
    fn a_missing_and_an_unexpected_tag_are_both_found() {
        assert_eq!(paths(json!({"tags": {"a": "1"}}), json!({"tags": {"b": "2"}})), ["tags.a", "tags.b"]);
    }

    #[test]
    fn a_field_that_cannot_change_in_place_is_marked_with_all_that_is_inside() {
        let diff = Diff::between(&json!({"cidr": {"x": 1}, "y": 1}), &json!({"cidr": {"x": 2}, "y": 2}), &["cidr"]);
        assert_eq!(diff.immutable().map(|change| change.path.as_str()).collect::<Vec<_>>(), ["cidr.x"]);
    }

    #[test]
    fn lists_tell_their_elements() {
        let diff = Diff::between(&json!({"r": ["a", "b"]}), &json!({"r": ["b", "c"]}), &[]);
        let (missing, unexpected) = diff.changes[0].elements().unwrap();
        assert_eq!((missing, unexpected), (vec![&json!("a")], vec![&json!("c")]));
    }
}
