//! What steps lose that keep their object.

use serde_json::Value;

use super::Action;
use crate::resource::{Facts, Owner, Seen};
use crate::state::NodeState;

/// What of its data an object loses by an action that keeps it. What AWS gives to who chooses nothing is not lost by an
/// object that is still being made, or that nobody has chosen anything of.
pub fn lost_in_place(
    action: &Action,
    facts: &Facts,
    want: &Value,
    recorded: Option<&NodeState>,
    now: &Seen,
    owner: &Owner,
) -> Option<String> {
    action.diff().filter(|diff| !action.destroys() && !diff.is_empty())?;
    let loss = (facts.loses)(want, &now.live)?;
    let tags = now.live.get("tags").and_then(|tags| serde_json::from_value(tags.clone()).ok());
    let was_ready = recorded.is_some_and(|node| !node.outputs.is_null());
    let new = now.unchosen || !was_ready && tags.is_some_and(|tags| owner.owns(&tags));
    (!(loss.unchosen && new)).then_some(loss.what)
}
