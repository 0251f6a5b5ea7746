//! What is ours and in no record, what others have put in the way, and where there is nothing at all.

use std::io;

use serde_json::{Value, json};

use super::{BOLD, YELLOW, aside, line, paint};
use crate::engine::{Drifted, Inventory, Kept, Obstacle};
use crate::resource::Phase;
use crate::state::State;

/// Tells what is ours and in no record, and what others have put in the way: with the answer, or beside one in JSON.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn findings(inventory: &Inventory, obstacles: &[Obstacle], as_json: bool) -> io::Result<()> {
    let mut told: Vec<String> = Vec::new();
    let unrecorded = standing(inventory).map(|(node, kind, id)| format!("  {node} ({kind}) {id}"));
    let held = obstacles.iter().map(|Obstacle { node, kind, by }| format!("  {node} ({kind}) is held by {by}"));
    let note = paint(YELLOW, "note:");
    for (heading, lines) in [
        ("ours by its tags, and in no record; `tapctl destroy` takes it along:", unrecorded.collect::<Vec<_>>()),
        ("others have made what would stop a destroy half-way:", held.collect()),
    ] {
        if !lines.is_empty() {
            told.push(format!("{note} {heading}"));
            told.extend(lines);
        }
    }
    match as_json {
        true => told.iter().for_each(aside),
        false => told.iter().try_for_each(line)?,
    }
    Ok(())
}

/// Drift with all findings, as one list.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn drift_json(drifted: &[Drifted], inventory: &Inventory, obstacles: &[Obstacle]) -> io::Result<()> {
    let mut all: Vec<Value> = drifted.iter().map(|drifted| json!(drifted)).collect();
    all.extend(unrecorded_json(inventory).into_iter().map(|mut object| {
        object["unrecorded"] = true.into();
        object
    }));
    all.extend(
        obstacles.iter().map(|Obstacle { node, kind, by }| json!({ "node": node, "kind": kind, "held_by": by })),
    );
    super::json(&all)
}

/// What is ours and in no record, for JSON answers.
pub fn unrecorded_json(inventory: &Inventory) -> Vec<Value> {
    standing(inventory).map(|(node, kind, id)| json!({ "node": node, "kind": kind, "id": id })).collect()
}

/// How many objects are ours, in no record, and not on their way out.
pub fn count_unrecorded(inventory: &Inventory) -> usize {
    standing(inventory).count()
}

fn standing(inventory: &Inventory) -> impl Iterator<Item = (&str, &str, &str)> {
    let stays = inventory.unrecorded.iter().filter(|object| object.seen.phase != Phase::Deleting);
    stays.map(|object| (object.node.as_str(), object.kind.as_str(), object.id.as_str()))
}

/// Says that there is nothing to remove.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn nothing_is_ours(state: &State, place: &str) -> io::Result<()> {
    let title = paint(BOLD, &format!("{} {}", state.stack, state.env));
    let State { account, region, .. } = state;
    line(format!(
        "{title}: nothing to do: nothing is recorded in {place}, and nothing with its tags stands in account {account}, {region}"
    ))
}

/// Says that there is nothing more to remove.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn only_what_stays(state: &State) -> io::Result<()> {
    let title = paint(BOLD, &format!("{} {}", state.stack, state.env));
    line(format!("{title}: nothing to do: all that stands is left where it is"))
}

/// What AWS keeps of what an earlier run has removed.
pub fn kept(kept: &[Kept]) {
    if kept.is_empty() {
        return;
    }
    aside(format!("{} of what was removed earlier:", paint(YELLOW, "AWS keeps for now,")));
    kept.iter().for_each(|Kept { node, id, why }| aside(format!("  {node} {id}: {why}")));
}
