//! Bringing documents of older versions up to date.

use serde_json::{Value, json};

/// The n-th brings a document of version n to version n + 1.
const STEPS: &[fn(&mut serde_json::Map<String, Value>)] = &[add_fence, add_guards];

/// The version this tapctl writes.
pub(super) const VERSION: u64 = 1 + STEPS.len() as u64;

/// Brings a document of any version up to [`VERSION`] to that version. What is no document stays as it is.
pub(super) fn migrate(mut document: Value) -> Value {
    let version = document.get("version").and_then(Value::as_u64).unwrap_or(0);
    if let (Some(fields), Some(first)) = (document.as_object_mut(), version.checked_sub(1)) {
        for step in STEPS.iter().skip(usize::try_from(first).unwrap_or(usize::MAX)) {
            step(fields);
        }
        if version < VERSION {
            fields.insert("version".to_owned(), json!(VERSION));
        }
    }
    document
}

/// Version 2 knows under which lock it was written.
fn add_fence(document: &mut serde_json::Map<String, Value>) {
    document.insert("fence".to_owned(), json!(0));
}

/// Version 3 knows what guards the environment, what tells objects apart that had the same name, and which operation is
/// under way. An older document says nothing of them, and so has nothing to add.
fn add_guards(_: &mut serde_json::Map<String, Value>) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::State;

    /// As tapctl 0.1.0 wrote it.
    const VERSION_1: &str = include_str!("fixtures/version-1.json");

    #[test]
    fn a_document_of_version_1_is_read_with_all_it_says() {
        let before: Value = serde_json::from_str(VERSION_1).unwrap();
        let state = State::parse(VERSION_1, "s.json").unwrap();
        assert_eq!((state.version, state.fence), (3, 0));
        let mut after: Value = serde_json::from_str(&state.text()).unwrap();
        let fields = after.as_object_mut().unwrap();
        assert_eq!(fields.remove("fence"), Some(json!(0)));
        fields.insert("version".to_owned(), json!(1));
        assert_eq!(after, before);
    }

    #[test]
    fn a_document_of_this_version_is_left_alone() {
        let document = json!({ "version": VERSION, "fence": 7 });
        assert_eq!(migrate(document.clone()), document);
    }

    #[test]
    fn what_is_no_document_is_left_to_the_parser() {
        for other in [json!([]), json!("x"), json!({}), json!({ "version": 0 }), json!({ "version": "1" })] {
            assert_eq!(migrate(other.clone()), other);
            let error = State::parse(&other.to_string(), "s.json").unwrap_err().to_string();
            assert!(error.starts_with("s.json is damaged: "), "{error}");
        }
    }
}
