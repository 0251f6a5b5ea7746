//! Tables: status and drift.

use std::io;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::{SpanRound, Timestamp, Unit};
use serde::Serialize;
use serde_json::json;

use super::plan::value;
use super::{BOLD, GREEN, RED, line, outputs, paint};
use crate::diff::Change;
use crate::engine::Drifted;
use crate::state::State;

/// One node in `tapctl status`.
#[derive(Debug, Serialize)]
pub struct StatusRow {
    /// The node.
    pub node: String,
    /// Its kind.
    pub kind: String,
    /// `ready`, `pending`, `deleting`, `failed` or `missing`.
    pub phase: &'static str,
    /// AWS's words on a phase that is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// AWS's identifier.
    pub id: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    table
}

/// Tables pad their cells; nobody wants spaces at the end of a line.
fn print(table: &Table) -> io::Result<()> {
    table.to_string().lines().try_for_each(|row| line(row.trim_end()))
}

/// Prints every node and the outputs.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn status(rows: &[StatusRow], state: &State, as_json: bool) -> io::Result<()> {
    if as_json {
        let head = (&state.stack, &state.env, &state.account, &state.region);
        return super::json(&json!({
            "stack": head.0, "env": head.1, "account": head.2, "region": head.3,
            "serial": state.serial, "nodes": rows, "outputs": state.outputs,
        }));
    }
    if rows.is_empty() {
        return line(format!("{} {}: nothing is recorded", state.stack, state.env));
    }
    let mut table = table(&["NODE", "KIND", "PHASE", "AGE", "ID"]);
    for row in rows {
        let phase = match &row.reason {
            Some(reason) => format!("{}: {reason}", row.phase),
            None => row.phase.to_owned(),
        };
        let age = row.created.map(age).unwrap_or_default();
        table.add_row([row.node.as_str(), &row.kind, &phase, &age, row.id.as_deref().unwrap_or("-")]);
    }
    print(&table)?;
    let ready = rows.iter().filter(|row| row.phase == "ready").count();
    let style = if ready == rows.len() { GREEN } else { RED };
    let title = paint(BOLD, &format!("{} {}", state.stack, state.env));
    line(format!("\n{title}: {}\n", paint(style, &format!("{ready} of {} nodes ready", rows.len()))))?;
    outputs(&state.outputs)
}

/// Prints every recorded node, without asking AWS.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn recorded(state: &State, as_json: bool) -> io::Result<()> {
    if as_json {
        let rows = state
            .nodes
            .iter()
            .map(|(name, node)| json!({ "node": name, "kind": node.kind, "phase": node.progress, "id": node.id }));
        return super::json(&rows.collect::<Vec<_>>());
    }
    let mut table = table(&["NODE", "KIND", "PHASE", "ID"]);
    for (name, node) in &state.nodes {
        table.add_row([name.as_str(), &node.kind, node.progress.as_str(), node.id.as_deref().unwrap_or("-")]);
    }
    print(&table)
}

fn age(since: Timestamp) -> String {
    let span = Timestamp::now() - since;
    let largest = SpanRound::new().largest(Unit::Hour).smallest(Unit::Second);
    match span.round(largest) {
        Ok(span) if span.get_hours() >= 48 => format!("{}d", span.get_hours() / 24),
        Ok(span) if span.get_hours() > 0 => format!("{}h{:02}m", span.get_hours(), span.get_minutes()),
        Ok(span) if span.get_minutes() > 0 => format!("{}m{:02}s", span.get_minutes(), span.get_seconds()),
        Ok(span) => format!("{}s", span.get_seconds()),
        Err(_) => String::new(),
    }
}

/// Prints what is not as it was left.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn drift(drifted: &[Drifted], nodes: usize) -> io::Result<()> {
    if drifted.is_empty() {
        return line(match nodes {
            1 => "no drift: the one node is as it was left".to_owned(),
            _ => format!("no drift: all {nodes} nodes are as they were left"),
        });
    }
    let mut table = table(&["NODE", "KIND", "FIELD", "LIVE", "WANTED"]);
    for node in drifted {
        let name = (node.node.as_str(), node.kind.as_str());
        if node.missing {
            table.add_row([name.0, name.1, "-", "missing", "to exist"]);
        }
        if let Some(status) = &node.status {
            table.add_row([name.0, name.1, "-", status, "ready"]);
        }
        for id in &node.duplicates {
            table.add_row([name.0, name.1, "-", id, "no second one"]);
        }
        for change in &node.changes.changes {
            for (live, want) in sides(change) {
                table.add_row([name.0, name.1, &change.path, &live, &want]);
            }
        }
    }
    print(&table)?;
    line(format!("\ndrift in {} of {nodes} nodes; the next apply repairs it", drifted.len()))
}

/// What is live and what should be. Of lists only the elements that differ, each by itself.
fn sides(change: &Change) -> Vec<(String, String)> {
    let Some((missing, unexpected)) = change.elements() else {
        return vec![(value(&change.live), value(&change.want))];
    };
    let unexpected = unexpected.into_iter().map(|item| (value(item), "(none)".to_owned()));
    unexpected.chain(missing.into_iter().map(|item| ("(none)".to_owned(), value(item)))).collect()
}
