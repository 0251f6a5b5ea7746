//! Differences in words: of lists only the elements that differ, of a policy its statements, of objects their fields.

use serde_json::Value;

use super::words::{Field, Words, element, fields, is_policy, words};
use crate::diff::{Change, Diff};

/// What tells one object of a list from the others, the best first: JSON pointers.
const NAMES: &[&str] = &["/name", "/Name", "/key", "/path", "/id", "/properties/title"];

/// One difference, or one part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// Live there is one value, and another is wanted.
    Changed {
        /// Where.
        path: String,
        /// What is live.
        live: Words,
        /// What is wanted.
        want: Words,
    },
    /// It is wanted, and not there.
    Missing(Field),
    /// It is there, and not wanted.
    Unexpected(Field),
}

/// A difference, part by part.
pub(super) fn told(change: &Change) -> Vec<Told> {
    let path = change.path.as_str();
    if let Some((missing, unexpected)) = change.elements() {
        let want = change.want.as_array().map(Vec::as_slice).unwrap_or_default();
        return elements(path, want, &missing, &unexpected);
    }
    match (&change.live, &change.want) {
        (Value::Null, want) if is_told_by_parts(want) => fields(path, want).into_iter().map(Told::Missing).collect(),
        (live, Value::Null) if is_told_by_parts(live) => fields(path, live).into_iter().map(Told::Unexpected).collect(),
        (live, want) => vec![Told::Changed { path: path.to_owned(), live: words(live), want: words(want) }],
    }
}

fn elements(path: &str, want: &[Value], missing: &[&Value], unexpected: &[&Value]) -> Vec<Told> {
    let (mut told, mut missing, mut unexpected) = (Vec::new(), missing.to_vec(), unexpected.to_vec());
    missing.retain(|item| {
        let Some(at) = unexpected.iter().position(|other| is_same(item, other)) else { return true };
        told.extend(fields_of(path, name(item).unwrap_or_default(), unexpected.remove(at), item));
        false
    });
    if missing.len() == unexpected.len() && missing.iter().chain(&unexpected).all(|item| has_fields(item)) {
        for (live, item) in unexpected.iter().zip(&missing) {
            let at = want.iter().position(|other| other == *item).unwrap_or_default();
            told.extend(fields_of(path, &(at + 1).to_string(), live, item));
        }
        return told;
    }
    told.extend(unexpected.iter().map(|item| Told::Unexpected(element(path, item))));
    told.extend(missing.iter().map(|item| Told::Missing(element(path, item))));
    told
}

/// What differs between two objects that have this place in a list.
fn fields_of(path: &str, place: &str, live: &Value, want: &Value) -> Vec<Told> {
    let mut diff = Diff::between(want, live, &[]);
    for change in &mut diff.changes {
        change.path = format!("{path}[{place}].{}", change.path);
    }
    diff.changes.iter().flat_map(told).collect()
}

/// Whether two objects of a list are the same one, changed.
fn is_same(one: &Value, other: &Value) -> bool {
    has_fields(one) && has_fields(other) && name(one).is_some() && name(one) == name(other)
}

fn name(item: &Value) -> Option<&str> {
    NAMES.iter().find_map(|name| item.pointer(name)?.as_str())
}

/// An object that is compared field by field. A rule and a statement are one thing each.
fn has_fields(item: &Value) -> bool {
    let Some(object) = item.as_object() else { return false };
    !object.is_empty() && !["peer", "Effect", "$ref", "$join"].iter().any(|key| object.contains_key(*key))
}

fn is_told_by_parts(value: &Value) -> bool {
    match value {
        Value::Object(object) => is_policy(object) || has_fields(value),
        Value::Array(items) => items.iter().any(Value::is_object),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn lines(live: Value, want: Value) -> Vec<String> {
        let field = |field: Field| match field.words {
            Some(words) => format!("{}: {}", field.path, words.text),
            None => field.path,
        };
        let line = |told| match told {
            Told::Changed { path, live, want } => format!("{path}: {} → {}", live.text, want.text),
            Told::Missing(missing) => format!("+ {}", field(missing)),
            Told::Unexpected(unexpected) => format!("- {}", field(unexpected)),
        };
        let change = Change { path: "f".into(), live, want, immutable: false };
        told(&change).into_iter().map(line).collect()
    }

    #[test]
    fn lists_are_told_by_the_elements_that_differ() {
        assert_eq!(lines(json!(["a", "b"]), json!(["b", "c"])), [r#"- f: "a""#, r#"+ f: "c""#]);
    }

    #[test]
    fn objects_in_lists_are_told_by_the_fields_that_differ() {
        let one = |title: &str, name: &str| json!({"name": name, "at": {"x": 1}, "title": title});
        assert_eq!(lines(json!([one("a", "w")]), json!([one("b", "w")])), [r#"f[w].title: "a" → "b""#]);
        let (live, want) = (json!([one("a", "x"), one("a", "w")]), json!([one("a", "x"), one("b", "w"), {"x": 1}]));
        assert_eq!(lines(live, want), [r#"f[w].title: "a" → "b""#, r#"+ f: {"x":1}"#]);
        let (live, want) = (json!([{"x": 1, "y": [1]}]), json!([{"x": 2, "y": [2]}]));
        assert_eq!(lines(live, want), ["f[1].x: 1 → 2", "- f[1].y: 1", "+ f[1].y: 2"]);
        let (live, want) = (json!([{"x": 1}]), json!([{"x": 2}, {"x": 3}]));
        assert_eq!(lines(live, want), [r#"- f: {"x":1}"#, r#"+ f: {"x":2}"#, r#"+ f: {"x":3}"#]);
    }

    #[test]
    fn a_policy_that_is_there_on_one_side_only_is_told_by_its_statements() {
        let policy =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        assert_eq!(lines(policy.clone(), Value::Null), ["- f: Allow * on *"]);
        assert_eq!(lines(Value::Null, policy), ["+ f: Allow * on *"]);
    }

    #[test]
    fn a_statement_that_differs_is_told_whole_on_both_sides() {
        let statement = |who: &str| json!([{"Sid": "S", "Effect": "Allow", "Principal": who, "Action": "a"}]);
        assert_eq!(lines(statement("*"), statement("r")), ["- f: S: Allow a by *", "+ f: S: Allow a by r"]);
    }
}
