//! The only printer. Answers go to stdout, progress, notes and errors to stderr; colours obey `NO_COLOR` and pipes.

mod backups;
mod board;
mod drift;
mod fit;
mod found;
mod notable;
mod plan;
mod progress;
mod reading;
mod screen;
mod table;
mod told;
mod words;

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::Value;

use crate::config::{Config, ConfigError};
use crate::engine::{NodeFailure, Outcome, Report, Staying, Stayings};

pub use backups::{Wanted, backups, backups_json, snapshot};
pub use drift::drift;
pub use found::{count_unrecorded, drift_json, findings, kept, nothing_is_ours, only_what_stays, unrecorded_json};
pub use plan::{plan, plan_in_full};
pub use progress::Progress;
pub use reading::Reading;
pub use table::{StatusRow, recorded, status};

const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const YELLOW: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const PLAIN: Style = Style::new();

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// Whether colours may be written to stderr.
pub fn colours_stderr() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// The columns of the terminal that the answer goes to; none where it goes elsewhere, or the terminal does not say.
fn width() -> Option<usize> {
    comfy_table::Table::new().width().map(usize::from).filter(|width| *width > 0)
}

/// A line of the answer. That its reader went away, as `head` does, is no reason to end, least of all half-way through an
/// apply.
///
/// # Errors
/// Where stdout cannot be written to for another reason, as a full disk.
pub fn line(text: impl AsRef<str>) -> io::Result<()> {
    match screen::beside(|| writeln!(anstream::stdout(), "{}", text.as_ref())) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// A line beside the answer, on stderr. Where nobody can read it, it is lost.
pub fn aside(text: impl AsRef<str>) {
    let _ = screen::beside(|| writeln!(anstream::stderr(), "{}", text.as_ref()));
}

/// The answer as JSON.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn json<T: Serialize>(value: &T) -> io::Result<()> {
    line(serde_json::to_string_pretty(value)?)
}

/// An error, with what to do about it.
pub fn error(text: &str, hint: Option<&str>) {
    let hint = hint.map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    aside(format!("{} {text}{hint}", paint(RED, "error:")));
}

/// A remark while work goes on.
pub fn note(text: &str) {
    aside(format!("{} {text}", paint(YELLOW, "note:")));
}

/// What is wrong with the settings, and how much of it.
pub fn problems(error: &ConfigError) -> String {
    match error.count() {
        0 | 1 => error.to_string(),
        count => format!("{error}\n{count} problems; nothing was done"),
    }
}

/// The first line of every run that asks AWS: what it is about, and where that is.
pub fn place(config: &Config, account: &str, region: &str, endpoints: Option<&str>) {
    let title = paint(BOLD, &format!("{} {}", config.stack.as_str(), config.env));
    let endpoints = endpoints.map(|words| format!(", {words}")).unwrap_or_default();
    aside(format!("{title} in account {account}, {region}{endpoints}"));
}

/// Failures, one after the other, each with its hint. Nodes that failed for the same cause share one.
pub fn failures(failures: &[NodeFailure]) -> String {
    let mut causes: Vec<(&NodeFailure, Vec<&str>)> = Vec::new();
    for failure in failures {
        let cause = |one: &NodeFailure| (one.fault.code.clone(), one.fault.message.clone());
        match causes.iter_mut().find(|(first, _)| cause(first) == cause(failure)) {
            Some((_, others)) => others.push(&failure.node),
            None => causes.push((failure, Vec::new())),
        }
    }
    let tell = |(failure, others): (&NodeFailure, Vec<&str>)| {
        let others = if others.is_empty() { String::new() } else { format!("\nthe same of {}", others.join(", ")) };
        let hint = failure.fault.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("{failure}{others}{hint}")
    };
    causes.into_iter().map(tell).collect::<Vec<_>>().join("\n")
}

/// The outputs, a line each.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn outputs(outputs: &BTreeMap<String, Value>) -> io::Result<()> {
    lines(&outputs.iter().collect::<Vec<_>>())
}

/// An object's fields, a line each; those of objects in it with both names.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn fields(object: &Value) -> io::Result<()> {
    let mut named = Vec::new();
    for (name, value) in object.as_object().into_iter().flatten() {
        match value.as_object() {
            Some(inner) => named.extend(inner.iter().map(|(key, value)| (format!("{name}.{key}"), value))),
            None => named.push((name.clone(), value)),
        }
    }
    lines(&named.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, *value)).collect::<Vec<_>>())
}

fn lines(named: &[(&String, &Value)]) -> io::Result<()> {
    let width = named.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in named {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        line(format!("{} = {value}", paint(BOLD, &format!("{name:width$}"))))?;
    }
    Ok(())
}

/// How a run went.
pub fn summary(report: &Report) {
    let outcomes = [
        Outcome::Created,
        Outcome::Adopted,
        Outcome::Updated,
        Outcome::Replaced,
        Outcome::Resumed,
        Outcome::Rotated,
        Outcome::Restarted,
        Outcome::Copied,
        Outcome::Deleted,
        Outcome::Forgotten,
        Outcome::Stays,
        Outcome::Kept,
    ];
    let mut parts: Vec<String> = outcomes
        .into_iter()
        .map(|outcome| (report.count(outcome), outcome.as_str()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if report.skipped > 0 {
        parts.push(format!("{} not begun", report.skipped));
    }
    let running = report.failures.iter().filter(|failure| failure.is_still_running()).count();
    if running > 0 {
        parts.push(paint(YELLOW, &format!("{running} still running")));
    }
    if report.failures.len() > running {
        parts.push(paint(RED, &format!("{} failed", report.failures.len() - running)));
    }
    if !parts.is_empty() {
        aside(parts.join(", "));
    }
    for left in &report.left {
        aside(format!("{} {left}", paint(YELLOW, "under way:")));
    }
}

/// What a destroy has left where it is.
pub fn staying(staying: &Stayings) {
    if staying.is_empty() {
        return;
    }
    aside("left where it is, and on record:");
    for (node, Staying { id, why }) in staying {
        aside(format!("  {node} {id}: {why}"));
    }
}

/// What AWS keeps after a destroy.
pub fn remains(remains: &[String]) {
    if remains.is_empty() {
        return;
    }
    aside("AWS keeps for now:");
    for line in remains {
        aside(format!("  {line}"));
    }
}
