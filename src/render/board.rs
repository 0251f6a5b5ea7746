//! What a terminal shows while a run works: what is being done, for how long, how long that usually takes, and how much is
//! left. Never more rows than fit.

use std::time::{Duration, Instant};

use crate::engine::Event;
use crate::state::base_name;

/// What usually takes less is not worth a word.
const NOTABLE: Duration = Duration::from_secs(30);
/// The longest bar, in characters.
const BAR: usize = 30;
/// Room for the words beside the bar.
const BESIDE: usize = 38;

/// Everything under way.
pub(super) struct Board {
    started: Instant,
    steps: usize,
    done: usize,
    failed: usize,
    /// In the order in which they began: those that take longest stay on top.
    rows: Vec<Row>,
}

struct Row {
    node: String,
    word: &'static str,
    since: Instant,
    usually: Option<Duration>,
    reason: String,
}

impl Board {
    pub(super) fn new(now: Instant) -> Self {
        Board { started: now, steps: 0, done: 0, failed: 0, rows: Vec::new() }
    }

    /// How long the run has taken.
    pub(super) fn elapsed(&self, now: Instant) -> Duration {
        now.duration_since(self.started)
    }

    /// How long what is done to a node usually takes, where that is worth telling.
    pub(super) fn usually(&self, node: &str) -> Option<Duration> {
        self.rows.iter().find(|row| row.node == base_name(node)).and_then(|row| row.usually)
    }

    /// Takes note of an event.
    pub(super) fn take(&mut self, event: &Event<'_>, now: Instant) {
        match event {
            Event::Begin { steps } => self.steps += steps,
            Event::Start { node, verb, .. } => self.rows.push(Row {
                node: (*node).to_owned(),
                word: doing(verb),
                since: now,
                usually: None,
                reason: String::new(),
            }),
            Event::Act { node, verb, usually } => self.change(node, |row| {
                row.word = doing(verb);
                row.usually = usually.filter(|usually| *usually >= NOTABLE);
            }),
            Event::Wait { node, reason } => self.change(node, |row| row.reason = (*reason).to_owned()),
            Event::Done { node, .. } => {
                self.rows.retain(|row| row.node != *node);
                self.done += 1;
            }
            Event::Failed { failure } => {
                self.rows.retain(|row| row.node != failure.node);
                self.failed += 1;
            }
            Event::Note { .. } | Event::Read { .. } => {}
        }
    }

    /// A predecessor that is removed goes by the name of its node.
    fn change(&mut self, node: &str, change: impl FnOnce(&mut Row)) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.node == base_name(node)) {
            change(row);
        }
    }

    /// What to show on a screen of so many columns and rows: two thirds of it at most, so that results stay in sight.
    pub(super) fn lines(&self, (columns, height): (usize, usize), now: Instant) -> Vec<String> {
        if self.steps == 0 {
            return Vec::new();
        }
        let room = (height * 2 / 3).saturating_sub(1);
        let shown = if self.rows.len() <= room { room } else { room.saturating_sub(1) };
        let rows = self.rows.iter().take(shown);
        let width = rows.clone().map(|row| row.node.len()).max().unwrap_or(0);
        let mut lines: Vec<String> = rows.map(|row| row.line(width, now)).collect();
        let more = self.rows.len() - lines.len();
        if more > 0 && room > 0 {
            lines.push(format!("  + {more} more"));
        }
        lines.push(self.total(columns, now));
        lines.into_iter().map(|line| cut(&line, columns.saturating_sub(1))).collect()
    }

    fn total(&self, columns: usize, now: Instant) -> String {
        let ended = self.done + self.failed;
        let length = BAR.min(columns.saturating_sub(BESIDE));
        let full = length * ended.min(self.steps) / self.steps.max(1);
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        let bar = "━".repeat(full) + &"─".repeat(length - full);
        format!("{bar} {} of {} done{failed}, {}", self.done, self.steps, span(self.elapsed(now)))
    }
}

impl Row {
    fn line(&self, width: usize, now: Instant) -> String {
        let usually = self.usually.map(|usually| format!(", usually {}", span(usually))).unwrap_or_default();
        let took = span(now.duration_since(self.since));
        format!("  {:9} {:width$}  {took}{usually}  {}", self.word, self.node, self.reason)
    }
}

/// What the engine calls a step, as something that goes on.
fn doing(verb: &str) -> &'static str {
    match verb {
        "create" => "creating",
        "replace" => "replacing",
        "update" => "updating",
        "adopt" => "adopting",
        "resume" => "awaiting",
        "delete" => "deleting",
        "rotate" => "rotating",
        "restart" => "restarting",
        "snapshot" => "copying",
        _ => "checking",
    }
}

/// `45s`, `2m10s`, `7m`, `1h02m`
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

fn cut(line: &str, columns: usize) -> String {
    let line = line.trim_end();
    match line.char_indices().nth(columns) {
        Some(_) => line.chars().take(columns.saturating_sub(1)).chain(['…']).collect(),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Outcome;
    use crate::error::{Class, Fault};

    fn board(nodes: usize) -> (Board, Instant) {
        let now = Instant::now();
        let mut board = Board::new(now);
        board.take(&Event::Begin { steps: 120 }, now);
        for number in 0..nodes {
            let node = format!("db-instance-{number}");
            board.take(&Event::Start { node: &node, kind: "rds.db_instance", verb: "ensure" }, now);
            let usually = Some(Duration::from_secs(420));
            board.take(&Event::Act { node: &node, verb: "create", usually }, now);
            board.take(
                &Event::Wait { node: &node, reason: "creating, and AWS has many more words for that than fit" },
                now,
            );
        }
        (board, now + Duration::from_secs(130))
    }

    #[test]
    fn a_row_says_what_is_done_for_how_long_and_how_long_that_usually_takes() {
        let (mut board, later) = board(1);
        let kind = "rds.db_instance";
        board.take(&Event::Done { node: "x", kind, outcome: Outcome::Created, took: Duration::ZERO }, later);
        insta::assert_snapshot!(board.lines((100, 24), later).join("\n"), @r"
          creating  db-instance-0  2m10s, usually 7m  creating, and AWS has many more words for that than …
        ────────────────────────────── 1 of 120 done, 2m10s
        ");
    }

    #[test]
    fn no_more_rows_than_fit_and_the_total_and_failures_always() {
        let (mut board, later) = board(16);
        let fault = Fault::new(Class::Quota, "Quota", "");
        let failure =
            crate::engine::NodeFailure { node: "db-instance-3".into(), kind: String::new(), verb: "create", fault };
        board.take(&Event::Failed { failure: &failure }, later);
        for (columns, height) in [(60, 20), (80, 24), (40, 8), (200, 60), (20, 3), (1, 1), (0, 0)] {
            let lines = board.lines((columns, height), later);
            assert!(lines.len() <= height.max(1), "{columns}x{height}: {lines:#?}");
            assert!(lines.iter().all(|line| line.chars().count() < columns.max(2)), "{columns}x{height}: {lines:#?}");
        }
        insta::assert_snapshot!(board.lines((60, 12), later).join("\n"), @r"
          creating  db-instance-0  2m10s, usually 7m  creating, an…
          creating  db-instance-1  2m10s, usually 7m  creating, an…
          creating  db-instance-2  2m10s, usually 7m  creating, an…
          creating  db-instance-4  2m10s, usually 7m  creating, an…
          creating  db-instance-5  2m10s, usually 7m  creating, an…
          creating  db-instance-6  2m10s, usually 7m  creating, an…
          + 9 more
        ────────────────────── 0 of 120 done, 1 failed, 2m10s
        ");
    }

    #[test]
    fn times_are_short() {
        for (seconds, text) in [(0, "0s"), (45, "45s"), (120, "2m"), (130, "2m10s"), (3725, "1h02m")] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
    }
}
