//! What is not as it was left, and what becomes of it.

use std::io;

use super::table::{Row, cut, print, whole};
use super::told::{Told, told};
use super::words::{Field, Words};
use super::{fit, line, width};
use crate::engine::{Drifted, Repair};

/// Prints what is not as it was left; in full: no value cut.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn drift(drifted: &[Drifted], nodes: usize, full: bool) -> io::Result<()> {
    if drifted.is_empty() {
        return line(match nodes {
            1 => "no drift: the one node is as it was left".to_owned(),
            _ => format!("no drift: all {nodes} nodes are as they were left"),
        });
    }
    let most = width().filter(|_| !full);
    let rows: Vec<Row> = drifted.iter().flat_map(|node| rows(node, most)).collect();
    print(&["NODE", "KIND", "FIELD", "LIVE", "WANTED"], &rows, 2, most)?;
    line("")?;
    prospects(drifted, nodes).into_iter().try_for_each(line)
}

fn rows(node: &Drifted, most: Option<usize>) -> Vec<Row> {
    let row = |field: &str, live: (String, bool), want: (String, bool)| {
        vec![whole(&node.node), whole(&node.kind), whole(field), live, want]
    };
    let mut rows = Vec::new();
    if node.missing {
        rows.push(row("-", whole("missing"), whole("to exist")));
    }
    if let Some(status) = &node.status {
        rows.push(row("-", cut(status), whole("ready")));
    }
    if let Some(what) = &node.awaits_restart {
        rows.push(row("-", whole(format!("{what} await a restart")), whole("in force")));
    }
    for words in &node.queued {
        rows.push(row("-", whole(words), whole("nothing that waits")));
    }
    for id in &node.duplicates {
        rows.push(row("-", cut(id), whole("no second one")));
    }
    let text = |words: &Words| if words.whole { whole(&words.text) } else { cut(&words.text) };
    let there = |field: &Field| field.words.as_ref().map_or_else(|| whole("there"), text);
    for told in node.changes.changes.iter().flat_map(told) {
        rows.push(match &told {
            Told::Unexpected(field) => row(&field.path, there(field), whole("(none)")),
            Told::Missing(field) => row(&field.path, whole("(none)"), there(field)),
            Told::Changed { path, live, want } if live.whole || want.whole => row(path, text(live), text(want)),
            Told::Changed { path, live, want } => {
                let (live, want) = fit::difference(&live.text, &want.text, most.map_or(usize::MAX, |most| most / 4));
                row(path, cut(live), cut(want))
            }
        });
    }
    rows
}

/// What the next apply makes of it, node by node where it does not simply repair it.
fn prospects(drifted: &[Drifted], nodes: usize) -> Vec<String> {
    let others: Vec<String> = drifted.iter().filter_map(prospect).collect();
    let head = format!("drift in {} of {nodes} nodes", drifted.len());
    let head = match drifted.len() - others.len() {
        _ if others.is_empty() => format!("{head}; the next apply repairs it"),
        0 => head,
        mended => format!("{head}; the next apply repairs it in {mended}"),
    };
    [head].into_iter().chain(others).collect()
}

fn prospect(node: &Drifted) -> Option<String> {
    let words = match &node.repair {
        Repair::Mended => return None,
        Repair::Waits => "AWS is at work on it; the next apply waits until it is ready".to_owned(),
        Repair::Restarts => format!("`tapctl restart {}` does it, or apply --allow-restart", node.node),
        Repair::Waiting => format!(
            "the next apply leaves it; --apply-pending {0} carries it out now, --cancel-pending {0} takes it back",
            node.node
        ),
        Repair::Retried => "the next apply asks AWS to try again".to_owned(),
        Repair::Empty => "its data is gone; the next apply would make an empty one".to_owned(),
        Repair::Lost => {
            format!("its data is gone with it; apply is refused until it is named, --recreate {}", node.node)
        }
        Repair::Refused { why } => format!("it {why}; apply is refused until the settings ask for what is there"),
        Repair::Asks { loses } => {
            format!("the next apply would lose {loses}, and asks for --allow-data-loss {}", node.node)
        }
        Repair::Anew { reason, loses } => {
            let flag = |loses| if loses == "data" { "--allow-data-loss" } else { "--allow-loss" };
            let asks = loses.map(|loses| format!(", and asks for {} {}", flag(loses), node.node));
            format!("the next apply would make it anew ({reason}){}", asks.unwrap_or_default())
        }
    };
    Some(format!("  {}: {words}", node.node))
}
