//! Changes that were asked for outside of this stack, or that AWS asks for itself, and that wait for a maintenance window.
//! They are shown, and neither carried out nor waited for unless a person says so.

use serde_json::Value;

use super::Facts;
use crate::diff::Diff;
use crate::error::{Fault, Result};

/// A change that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The field of the spec that it changes. `None`: no spec tells of it.
    pub field: Option<&'static str>,
    /// What changes, for people: `instance class`.
    pub what: &'static str,
    /// What it will be, in AWS's words.
    pub becomes: String,
    /// The same as a spec would spell it that is satisfied by it.
    pub spelled: String,
    /// When: `sun:04:00-sun:04:30`.
    pub window: String,
}

/// What is to become of changes that wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Queue {
    /// They are carried out now.
    Run,
    /// They are taken back.
    Cancel,
}

impl Queued {
    /// What will be, as a sentence: `instance class will become db.r6g.large in the window sun:04:00-sun:04:30`.
    pub fn words(&self) -> String {
        format!("{} will become {} in the window {}", self.what, self.becomes, self.window)
    }

    /// Whether these differences ask for the very same.
    pub fn is_asked_for(&self, diff: &Diff) -> bool {
        let same = |path: &str, want: &Value| Some(path) == self.field && self.is(want);
        diff.changes.iter().any(|change| same(&change.path, &change.want))
    }

    /// Whether it will be this value of a spec.
    pub fn is(&self, value: &Value) -> bool {
        let spelled = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        spelled == self.spelled
    }
}

/// What of the changes that wait AWS would carry out along with an update of these differences, though nobody asks for it
/// here.
pub fn hastened<'a>(facts: &Facts, diff: &Diff, queued: &'a [Queued]) -> Vec<&'a Queued> {
    match diff.has_any(facts.hastens) {
        true => queued.iter().filter(|one| !one.is_asked_for(diff)).collect(),
        false => Vec::new(),
    }
}

/// Refuses what AWS does along with all that waits only.
///
/// # Errors
/// Names the first change that waits, and how a person decides about it.
pub fn refuse_along(queued: &[Queued]) -> Result<()> {
    let Some(first) = queued.first() else { return Ok(()) };
    let text = format!("{}, asked for by others; AWS would carry that out now as well", first.words());
    let advice = "carry it out or take it back first: `tapctl apply` with --apply-pending or --cancel-pending";
    Err(Fault::invalid(text).with_advice(advice))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::diff::Change;

    #[test]
    fn a_change_is_asked_for_by_its_field_and_value() {
        let queued = |field, becomes: &str| Queued {
            field,
            what: "size",
            becomes: becomes.to_owned(),
            spelled: becomes.to_owned(),
            window: "sun:04:00-sun:05:00".to_owned(),
        };
        let change = Change { path: "size".into(), live: json!(1), want: json!(2), immutable: false };
        let diff = Diff { changes: vec![change] };
        assert!(queued(Some("size"), "2").is_asked_for(&diff));
        assert!(!queued(Some("size"), "3").is_asked_for(&diff));
        assert!(!queued(Some("name"), "2").is_asked_for(&diff));
        assert!(!queued(None, "2").is_asked_for(&diff));
        assert_eq!(queued(None, "2").words(), "size will become 2 in the window sun:04:00-sun:05:00");
    }
}
