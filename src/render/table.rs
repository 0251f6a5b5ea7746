//! Tables: every node, live or recorded.

use std::io;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::{SpanRound, Timestamp, Unit};
use serde::Serialize;
use serde_json::json;

use super::found::{count_unrecorded, unrecorded_json};
use super::{BOLD, GREEN, RED, fit, line, outputs, paint, width};
use crate::engine::{Inventory, Obstacle};
use crate::state::{NodeState, State};

/// One node in `tapctl status`.
#[derive(Debug, Serialize)]
pub struct StatusRow {
    /// The node.
    pub node: String,
    /// Its kind.
    pub kind: String,
    /// `ready`, `pending`, `deleting`, `failed` or `missing`.
    pub phase: &'static str,
    /// AWS's words on a phase that is not ready; of one that is, what it awaits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// AWS's identifier.
    pub id: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// A row of a table: its cells, and whether each may be cut.
pub(super) type Row = Vec<(String, bool)>;

/// How far a cell that may be cut is cut before the rows are broken up instead.
const LEAST: usize = 24;
/// The narrowest terminal on which rows are not broken up, however short their cells.
const NARROW: usize = 100;

/// Prints rows under their header or, where that is wider than the terminal, each row over several lines: what it is
/// about, then the rest of it.
pub(super) fn print(header: &[&str], rows: &[Row], about: usize, most: Option<usize>) -> io::Result<()> {
    laid_out(header, rows, about, most).into_iter().try_for_each(line)
}

fn laid_out(header: &[&str], rows: &[Row], about: usize, most: Option<usize>) -> Vec<String> {
    match fitting(header, rows, most) {
        Some(widths) => {
            let mut table = Table::new();
            table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
            for row in rows {
                table.add_row(row.iter().zip(&widths).map(|((text, _), most)| fit::middle(text, *most)));
            }
            // Tables pad their cells; nobody wants spaces at the end of a line.
            table.to_string().lines().map(|row| row.trim_end().to_owned()).collect()
        }
        None => stacked(rows, about, most.unwrap_or(NARROW)),
    }
}

/// The width of each column, where the table fits.
fn fitting(header: &[&str], rows: &[Row], most: Option<usize>) -> Option<Vec<usize>> {
    let longest = |at: usize| rows.iter().map(move |row| row[at].0.chars().count());
    let natural = |at: usize| longest(at).chain([header[at].len()]).max().unwrap_or(0);
    let mut widths: Vec<usize> = (0..header.len()).map(natural).collect();
    // A space before each column and one after.
    let total = |widths: &[usize]| widths.iter().sum::<usize>() + 2 * widths.len() - 1;
    let Some(most) = most.filter(|most| *most < total(&widths)) else { return Some(widths) };
    if most < NARROW {
        return None;
    }
    let least: Vec<usize> = (0..header.len())
        .map(|at| {
            rows.iter().filter(|row| !row[at].1).map(|row| row[at].0.chars().count()).max().unwrap_or(0).max(LEAST)
        })
        .collect();
    while total(&widths) > most {
        let (at, _) =
            widths.iter().enumerate().filter(|(at, width)| **width > least[*at]).max_by_key(|(_, width)| **width)?;
        widths[at] -= 1;
    }
    Some(widths)
}

/// Rows over several lines. What rows that follow each other are about is said once.
fn stacked(rows: &[Row], about: usize, most: usize) -> Vec<String> {
    let (mut lines, mut last) = (Vec::new(), String::new());
    for row in rows {
        let (head, rest) = row.split_at(about);
        let head = head.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join("  ");
        if head != last {
            lines.push(fit::lines(&head, most, 0, 4));
            last = head;
        }
        let room = most.saturating_sub(4).max(LEAST);
        let cell = |(text, cuttable): &(String, bool)| match cuttable {
            true => fit::middle(text, room),
            false => fit::lines(text, most, 4, 8),
        };
        let rest: Vec<String> = rest.iter().map(cell).collect();
        let joined = rest.join("  ");
        let whole = joined.lines().count() == 1 && joined.chars().count() <= room;
        lines.extend(if whole { vec![joined] } else { rest }.into_iter().map(|part| format!("    {part}")));
    }
    lines
}

/// A cell that may be cut.
pub(super) fn cut(text: impl Into<String>) -> (String, bool) {
    (text.into(), true)
}

/// A cell that tells its node from others.
pub(super) fn whole(text: impl Into<String>) -> (String, bool) {
    (text.into(), false)
}

/// Prints every node and the outputs; in full: no value cut.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn status(
    rows: &[StatusRow],
    state: &State,
    inventory: &Inventory,
    obstacles: &[Obstacle],
    as_json: bool,
    full: bool,
) -> io::Result<()> {
    if as_json {
        let head = (&state.stack, &state.env, &state.account, &state.region);
        return super::json(&json!({
            "stack": head.0, "env": head.1, "account": head.2, "region": head.3,
            "serial": state.serial, "nodes": rows, "outputs": state.outputs,
            "unrecorded": unrecorded_json(inventory), "obstacles": obstacles,
        }));
    }
    if rows.is_empty() {
        line(format!("{} {}: nothing is recorded", state.stack, state.env))?;
        return line(match count_unrecorded(inventory) {
            0 => "hint: `tapctl apply` makes it; or name the directory of the state with --state-dir",
            _ => "hint: `tapctl apply` takes over what is there; or name the directory of the state with --state-dir",
        });
    }
    let row = |row: &StatusRow| {
        let phase = match &row.reason {
            Some(reason) => format!("{}: {reason}", row.phase),
            None => row.phase.to_owned(),
        };
        let age = row.created.map(age).unwrap_or_default();
        let id = row.id.as_deref().unwrap_or("-");
        vec![whole(&row.node), whole(&row.kind), cut(phase), whole(age), cut(id)]
    };
    let cells: Vec<Row> = rows.iter().map(row).collect();
    print(&["NODE", "KIND", "PHASE", "AGE", "ID"], &cells, 2, width().filter(|_| !full))?;
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
    let row = |(name, node): (&String, &NodeState)| {
        let id = node.id.as_deref().unwrap_or("-");
        vec![whole(name), whole(&node.kind), whole(node.progress.as_str()), cut(id)]
    };
    let rows: Vec<Row> = state.nodes.iter().map(row).collect();
    print(&["NODE", "KIND", "PHASE", "ID"], &rows, 2, width())
}

fn age(since: Timestamp) -> String {
    age_at(since, Timestamp::now())
}

/// How long ago that was then, in the largest units that tell it.
pub(super) fn age_at(since: Timestamp, now: Timestamp) -> String {
    let span = now - since;
    let largest = SpanRound::new().largest(Unit::Hour).smallest(Unit::Second);
    match span.round(largest) {
        Ok(span) if span.get_hours() >= 48 => format!("{}d", span.get_hours() / 24),
        Ok(span) if span.get_hours() > 0 => format!("{}h{:02}m", span.get_hours(), span.get_minutes()),
        Ok(span) if span.get_minutes() > 0 => format!("{}m{:02}s", span.get_minutes(), span.get_seconds()),
        Ok(span) => format!("{}s", span.get_seconds()),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &[&str] = &["NODE", "KIND", "VALUE"];

    fn rows() -> Vec<Row> {
        vec![
            vec![whole("vpc"), whole("ec2.vpc"), cut(format!("arn:{}:end", "x".repeat(100)))],
            vec![whole("vpc"), whole("ec2.vpc"), cut("short")],
            vec![
                whole("rules"),
                whole("ec2.security_group_rules"),
                whole("ingress[tcp 5432 from 203.0.113.7/32 \"my laptop\"]"),
            ],
        ]
    }

    #[test]
    fn a_table_fits_the_terminal_and_cuts_no_rule() {
        for most in [60, 80, 100, 120, 175] {
            let lines = laid_out(HEADER, &rows(), 2, Some(most));
            assert!(lines.iter().flat_map(|line| line.lines()).all(|line| line.chars().count() <= most), "{lines:#?}");
            let text = lines.join("\n");
            assert!(text.contains("203.0.113.7/32") && text.contains("arn:x") && text.contains(":end"), "{text}");
        }
    }

    #[test]
    fn nothing_is_cut_where_there_is_no_terminal() {
        let text = laid_out(HEADER, &rows(), 2, None).join("\n");
        assert!(text.contains(&format!("arn:{}:end", "x".repeat(100))), "{text}");
    }

    #[test]
    fn rows_are_stacked_on_a_narrow_terminal() {
        insta::assert_snapshot!(laid_out(HEADER, &rows(), 2, Some(60)).join("\n"), @r#"
        vpc  ec2.vpc
            arn:xxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxx:end
            short
        rules  ec2.security_group_rules
            ingress[tcp 5432 from 203.0.113.7/32 "my laptop"]
        "#);
        insta::assert_snapshot!(laid_out(HEADER, &rows(), 2, Some(100)).join("\n"), @r#"
        NODE   KIND                      VALUE
        vpc    ec2.vpc                   arn:xxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxx:end
        vpc    ec2.vpc                   short
        rules  ec2.security_group_rules  ingress[tcp 5432 from 203.0.113.7/32 "my laptop"]
        "#);
    }
}
