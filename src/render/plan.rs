//! A plan for people.

use std::io;

use super::told::{Told, told};
use super::words::{Field, Words, fields};
use super::{BOLD, DIM, GREEN, RED, YELLOW, fit, line, notable, paint, width};
use crate::plan::{Action, NOT_SEEN_READY, Plan, Step};
use crate::state::State;

/// What stands before a field.
const INDENT: usize = 6;
/// What stands before the further lines of a field.
const HANG: usize = 10;
/// What stands before the arrow where the sides stand one above the other.
const ARROW: usize = HANG - 2;
/// How short a value may be cut beside another.
const LEAST: usize = 24;

/// How much to show, and how wide.
#[derive(Debug, Clone, Copy)]
struct View {
    /// Columns of the terminal; none: nothing is cut.
    width: Option<usize>,
    /// Every field of what is made.
    full: bool,
}

/// Prints what would be done: of what is made the fields that say who may reach it, how it is kept and how large it is.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn plan(plan: &Plan, state: &State) -> io::Result<()> {
    print(plan, state, View { width: width(), full: false })
}

/// The same with every field of what is made, and no value cut.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn plan_in_full(plan: &Plan, state: &State) -> io::Result<()> {
    print(plan, state, View { width: None, full: true })
}

fn print(plan: &Plan, state: &State, view: View) -> io::Result<()> {
    let title = paint(BOLD, &format!("{} {}", state.stack, state.env));
    if plan.is_empty() {
        return line(format!("{title}: nothing to do, {}", all_well(plan.steps.len())));
    }
    let node_width = plan.changes().map(|step| step.node.len()).max().unwrap_or(0);
    for step in plan.changes() {
        line(heading(step, node_width, view))?;
        if let Some(why) = &step.outage {
            let text = fit::lines(&format!("out of service: {why}"), view.width.unwrap_or(usize::MAX), INDENT, HANG);
            line(format!("{:INDENT$}{}", "", paint(RED, &text)))?;
        }
        if let Some(how) = &step.one_way {
            let text = format!("for good: {how}, and AWS never goes back");
            let text = fit::lines(&text, view.width.unwrap_or(usize::MAX), INDENT, HANG);
            line(format!("{:INDENT$}{}", "", paint(RED, &text)))?;
        }
        details(step, view).into_iter().try_for_each(line)?;
    }
    let tail = format!("in account {}, {}: {}", state.account, state.region, counts(plan));
    let before = state.stack.len() + state.env.len() + 2;
    line(format!("{title} {}", fit::lines(&tail, view.width.unwrap_or(usize::MAX), before, INDENT)))
}

fn all_well(nodes: usize) -> String {
    match nodes {
        1 => "the one node is as it should be".to_owned(),
        _ => format!("all {nodes} nodes are as they should be"),
    }
}

fn counts(plan: &Plan) -> String {
    let words = ["lost", "create", "adopt", "resume", "update", "replace", "delete", "forget"];
    let counted = words.into_iter().map(|word| (plan.count(word), word)).filter(|(count, _)| *count > 0);
    let mut counts: Vec<String> = counted
        .map(|(count, word)| match word {
            "lost" => format!("{count} lost"),
            "adopt" => adopted(count, plan.steps.iter().filter(|step| step.alters).count()),
            _ => format!("{count} to {word}"),
        })
        .collect();
    match plan.count("duplicate") {
        0 => {}
        1 => counts.push("1 duplicate to delete".to_owned()),
        many => counts.push(format!("{many} duplicates to delete")),
    }
    counts.join(", ")
}

/// Taking over writes nothing, but for what differs.
fn adopted(count: usize, altered: usize) -> String {
    match (count, altered) {
        (1, 0) => "1 to adopt as it is".to_owned(),
        (1, _) => "1 to adopt and change".to_owned(),
        (_, 0) => format!("{count} to adopt as they are"),
        _ => format!("{count} to adopt, {altered} of them changed"),
    }
}

/// What is done to which node. What does not fit beside it stands below.
fn heading(step: &Step, node_width: usize, view: View) -> String {
    let (style, sign) = match &step.action {
        Action::Create => (GREEN, "+"),
        Action::Lost { .. } => (RED, "!"),
        Action::Replace { .. } => (RED, "±"),
        Action::Delete | Action::Duplicate { .. } | Action::Forget => (RED, "-"),
        _ => (YELLOW, "~"),
    };
    let word = if matches!(step.action, Action::Duplicate { .. }) { "delete" } else { step.action.word() };
    let word = format!("{sign} {word:7}");
    let whole = if step.stateful { Some("data") } else { step.precious };
    let lost = whole.filter(|_| step.action.destroys()).or(step.loses.as_deref());
    let lost = lost.map(|lost| (RED, format!("loses {lost}")));
    let parts = [step.id.clone().map(|id| (DIM, id)), why(step).map(|why| (super::PLAIN, why)), lost];
    let parts: Vec<(anstyle::Style, String)> = parts.into_iter().flatten().collect();
    let length = |text: &str| text.chars().count() + 2;
    let one_line =
        word.len() + node_width + length(&step.kind) + parts.iter().map(|part| length(&part.1)).sum::<usize>();
    match view.width.filter(|width| *width < one_line) {
        None => {
            let parts: String = parts.iter().map(|(style, text)| format!("  {}", paint(*style, text))).collect();
            format!("{} {:node_width$}  {}{parts}", paint(style, &word), step.node, step.kind)
        }
        Some(width) => {
            let room = width.saturating_sub(INDENT).max(LEAST);
            let part = |(style, text): &(anstyle::Style, String)| {
                let words = text.contains(' ');
                let text = if words { fit::lines(text, width, INDENT, HANG) } else { fit::middle(text, room) };
                format!("\n{:INDENT$}{}", "", paint(*style, &text))
            };
            let parts: String = parts.iter().map(part).collect();
            format!("{} {}  {}{parts}", paint(style, &word), step.node, step.kind)
        }
    }
}

fn why(step: &Step) -> Option<String> {
    match &step.action {
        Action::Replace { reason, .. } | Action::Lost { reason } => Some(format!("({reason})")),
        Action::Duplicate { of } => Some(format!("(besides {of}, which stays)")),
        Action::Resume { reason, .. } if reason == NOT_SEEN_READY => Some(format!("({reason})")),
        Action::Resume { reason, .. } | Action::Adopt { reason: Some(reason), .. } => {
            Some(format!("(status: {reason})"))
        }
        _ => None,
    }
}

/// The fields of a step, a line or more each: what differs, or what is made.
fn details(step: &Step, view: View) -> Vec<String> {
    let changes = step.action.diff().map(|diff| diff.changes.as_slice()).unwrap_or_default();
    let mut lines: Vec<String> = changes.iter().flat_map(told).map(|told| difference(&told, view)).collect();
    if let Some(spec) = step.spec.as_ref().filter(|_| view.full || lines.is_empty()) {
        let made = if view.full { fields("", spec) } else { notable::fields_of(&step.kind, spec) };
        lines.extend(made.iter().map(|made| field(None, made, view)));
    }
    lines
}

fn difference(told: &Told, view: View) -> String {
    match told {
        Told::Unexpected(unexpected) => field(Some(paint(RED, "-")), unexpected, view),
        Told::Missing(missing) => field(Some(paint(GREEN, "+")), missing, view),
        Told::Changed { path, live, want } => format!("{:INDENT$}{path}: {}", "", sides(path, live, want, view)),
    }
}

/// Both sides on one line where they fit, cut a little or not at all; otherwise one above the other.
fn sides(path: &str, live: &Words, want: &Words, view: View) -> String {
    let one_line = |live: &str, want: &str| format!("{live} → {want}");
    let Some(width) = view.width else { return one_line(&live.text, &want.text) };
    let before = INDENT + path.chars().count() + 2;
    if live.whole || want.whole {
        return fit::lines(&one_line(&live.text, &want.text), width, before, HANG);
    }
    let room = width.saturating_sub(before + 3);
    if live.text.chars().count() + want.text.chars().count() <= room {
        return one_line(&live.text, &want.text);
    }
    if room / 2 >= LEAST {
        let (live, want) = fit::difference(&live.text, &want.text, room / 2);
        return one_line(&live, &want);
    }
    let (live, want) = fit::difference(&live.text, &want.text, width.saturating_sub(HANG).max(LEAST));
    format!("\n{0:HANG$}{live}\n{0:ARROW$}→ {want}", "")
}

fn field(sign: Option<String>, field: &Field, view: View) -> String {
    let before = INDENT + if sign.is_some() { 2 } else { 0 };
    let width = view.width.unwrap_or(usize::MAX);
    let text = match &field.words {
        Some(words) if !words.whole => {
            let room = width.saturating_sub(before + field.path.chars().count() + 2).max(LEAST);
            format!("{}: {}", field.path, fit::middle(&words.text, room))
        }
        Some(words) => fit::lines(&format!("{}: {}", field.path, words.text), width, before, HANG),
        None => fit::lines(&field.path, width, before, HANG),
    };
    let sign = sign.map(|sign| format!("{sign} ")).unwrap_or_default();
    format!("{:INDENT$}{sign}{text}", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_over_as_it_is_is_told_from_what_is_changed_too() {
        let told = [(120, 0), (120, 3), (120, 120), (1, 0), (1, 1)].map(|(count, altered)| adopted(count, altered));
        let words = [
            "120 to adopt as they are",
            "120 to adopt, 3 of them changed",
            "120 to adopt, 120 of them changed",
            "1 to adopt as it is",
            "1 to adopt and change",
        ];
        assert_eq!(told, words);
    }
}
