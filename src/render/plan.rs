//! A plan for people.

use std::io;

use serde_json::Value;

use super::{BOLD, DIM, GREEN, RED, YELLOW, line, paint};
use crate::diff::Change;
use crate::plan::{Action, Plan, Step};
use crate::state::State;

/// Longest value shown in full, in characters.
const WIDTH: usize = 72;

/// Prints what would be done.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn plan(plan: &Plan, state: &State) -> io::Result<()> {
    let title = paint(BOLD, &format!("{} {}", state.stack, state.env));
    if plan.is_empty() {
        return line(format!("{title}: nothing to do, {}", all_well(plan.steps.len())));
    }
    let node_width = plan.changes().map(|step| step.node.len()).max().unwrap_or(0);
    for step in plan.changes() {
        line(heading(step, node_width))?;
        if let Some(why) = &step.outage {
            line(format!("      {}", paint(RED, &format!("out of service: {why}"))))?;
        }
        for change in step.action.diff().iter().flat_map(|diff| &diff.changes) {
            fields(change).into_iter().try_for_each(line)?;
        }
    }
    line(format!("{title} in account {}, {}: {}", state.account, state.region, counts(plan)))
}

fn all_well(nodes: usize) -> String {
    match nodes {
        1 => "the one node is as it should be".to_owned(),
        _ => format!("all {nodes} nodes are as they should be"),
    }
}

fn counts(plan: &Plan) -> String {
    let words = ["create", "adopt", "resume", "update", "replace", "delete", "forget"];
    let counted = words.into_iter().map(|word| (plan.count(word), word)).filter(|(count, _)| *count > 0);
    let mut counts: Vec<String> = counted.map(|(count, word)| format!("{count} to {word}")).collect();
    match plan.count("duplicate") {
        0 => {}
        1 => counts.push("1 duplicate to delete".to_owned()),
        many => counts.push(format!("{many} duplicates to delete")),
    }
    counts.join(", ")
}

fn heading(step: &Step, width: usize) -> String {
    let (style, sign) = match &step.action {
        Action::Create => (GREEN, "+"),
        Action::Replace { .. } => (RED, "±"),
        Action::Delete | Action::Duplicate { .. } | Action::Forget => (RED, "-"),
        _ => (YELLOW, "~"),
    };
    let word = if matches!(step.action, Action::Duplicate { .. }) { "delete" } else { step.action.word() };
    let word = paint(style, &format!("{sign} {word:7}"));
    let id = step.id.as_deref().map(|id| paint(DIM, &format!("  {id}"))).unwrap_or_default();
    let why = match &step.action {
        Action::Replace { reason, .. } => format!("  ({reason})"),
        Action::Duplicate { of } => format!("  (besides {of}, which stays)"),
        Action::Resume { reason, .. } | Action::Adopt { reason: Some(reason), .. } => format!("  (AWS says: {reason})"),
        _ => String::new(),
    };
    let data = if step.stateful && step.action.destroys() { paint(RED, "  loses data") } else { String::new() };
    format!("{word} {:width$}  {}{id}{why}{data}", step.node, step.kind)
}

fn fields(change: &Change) -> Vec<String> {
    let Some((missing, unexpected)) = change.elements() else {
        return vec![format!("      {}: {} → {}", change.path, value(&change.live), value(&change.want))];
    };
    let removed =
        unexpected.into_iter().map(|item| format!("      {}: {} {}", change.path, paint(RED, "-"), value(item)));
    let added = missing.into_iter().map(|item| format!("      {}: {} {}", change.path, paint(GREEN, "+"), value(item)));
    removed.chain(added).collect()
}

/// A value on one line. A reference is a value that only the apply will know.
pub(super) fn value(value: &Value) -> String {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        return format!("(known after apply: {reference})");
    }
    if value.get("$join").is_some() {
        return "(known after apply)".to_owned();
    }
    let text = match value {
        Value::Null => "(none)".to_owned(),
        other => other.to_string(),
    };
    if text.chars().count() <= WIDTH {
        return text;
    }
    text.chars().take(WIDTH).chain("…".chars()).collect()
}
