//! What nodes may be told of the outputs of others while planning, before anything is done.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Action;
use crate::diff::Diff;
use crate::resource::{Facts, Seen};
use crate::state::NodeState;

/// What nodes may be told of the outputs of others while planning.
#[derive(Default)]
pub(super) struct Known {
    outputs: BTreeMap<String, Value>,
    /// Of what is replaced: what its successor will have again.
    of_successors: BTreeMap<String, Value>,
}

impl Known {
    /// The outputs that are not interrupted either.
    pub(super) fn for_good(&self, node: &str) -> Option<Value> {
        self.outputs.get(node).cloned()
    }

    /// The outputs as they will be after the apply.
    pub(super) fn by_the_end(&self, node: &str) -> Option<Value> {
        self.outputs.get(node).or_else(|| self.of_successors.get(node)).cloned()
    }

    pub(super) fn learn(
        &mut self,
        name: &str,
        facts: &Facts,
        action: &Action,
        want: &Value,
        recorded: Option<&NodeState>,
        now: Option<&Seen>,
    ) {
        let foretold = || recorded.and_then(|node| foretold(facts, want, node));
        let (into, outputs) = match action {
            Action::Create | Action::Lost { .. } => (&mut self.outputs, foretold()),
            Action::Replace { .. } => (&mut self.of_successors, foretold()),
            _ => (&mut self.outputs, now.and_then(|now| outputs_that_last(facts, action, want, now))),
        };
        into.extend(outputs.map(|outputs| (name.to_owned(), outputs)));
    }
}

/// The outputs that an object made anew will have as the recorded one had them.
fn foretold(facts: &Facts, want: &Value, recorded: &NodeState) -> Option<Value> {
    let same = |field: &&str| want.get(*field) == recorded.spec.get(*field);
    if recorded.kind != facts.kind || !facts.immutable.iter().all(same) {
        return None;
    }
    let last = |field: &&&str| !facts.volatile.contains(*field) || facts.diff(want, &recorded.spec).is_empty();
    let again = facts.foretold.iter().filter(last);
    let outputs = again.map(|field| Some(((*field).to_owned(), recorded.outputs.get(*field)?.clone())));
    outputs.collect::<Option<serde_json::Map<_, _>>>().map(Value::Object)
}

/// The outputs other nodes may count on while planning: none of an object that goes, and not those that the planned
/// update may change.
fn outputs_that_last(facts: &Facts, action: &Action, want: &Value, now: &Seen) -> Option<Value> {
    if action.destroys() {
        return None;
    }
    let mut outputs = now.outputs.clone();
    let may = |diff: &Diff| match (facts.unsettles)(want, &now.live) {
        Some(may) => may && !diff.is_empty(),
        None => diff.changes.iter().any(|change| !change.path.starts_with("tags")),
    };
    let changes = action.diff().is_some_and(may);
    if let (true, Some(fields)) = (changes, outputs.as_object_mut()) {
        facts.volatile.iter().for_each(|field| drop(fields.remove(*field)));
    }
    Some(outputs)
}
