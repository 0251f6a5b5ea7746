//! Progress of a run: on a terminal what is running, what it waits for and for how long; in a pipe plain lines.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{DIM, GREEN, RED, YELLOW, aside, paint};
use crate::engine::{Event, Outcome, Reporter};

/// In a pipe, how long a wait lasts before it is worth a line.
const PATIENCE: Duration = Duration::from_secs(5);
/// In a pipe, how often an unchanged wait is said again.
const REPEAT: Duration = Duration::from_secs(30);

/// Prints events on stderr.
pub struct Progress {
    started: Instant,
    screen: Option<Screen>,
    waits: RefCell<BTreeMap<String, Wait>>,
}

/// What a node waits for, since when, and when that was last said.
struct Wait {
    reason: String,
    since: Instant,
    said: Option<Instant>,
}

struct Screen {
    lines: MultiProgress,
    total: ProgressBar,
    running: RefCell<BTreeMap<String, ProgressBar>>,
}

impl Progress {
    /// Begins; draws only where stderr is a terminal.
    pub fn start() -> Self {
        let screen = std::io::stderr().is_terminal().then(Screen::new);
        Progress { started: Instant::now(), screen, waits: RefCell::default() }
    }

    /// Takes the moving lines off the screen.
    pub fn finish(&self) {
        if let Some(screen) = &self.screen {
            screen.total.finish_and_clear();
            screen.running.borrow_mut().clear();
        }
    }

    fn say(&self, text: &str) {
        let at = paint(DIM, &format!("[{:>6.1}s]", self.started.elapsed().as_secs_f64()));
        match &self.screen {
            Some(screen) => screen.lines.suspend(|| aside(format!("{at} {text}"))),
            None => aside(format!("{at} {text}")),
        }
    }

    /// How long the node has waited for this, where that is worth saying now.
    fn worth_saying(&self, node: &str, reason: &str) -> Option<Duration> {
        let mut waits = self.waits.borrow_mut();
        let fresh = || Wait { reason: reason.to_owned(), since: Instant::now(), said: None };
        let wait = waits.entry(node.to_owned()).or_insert_with(fresh);
        if wait.reason != reason {
            *wait = fresh();
        }
        let due = wait.said.map_or(wait.since.elapsed() >= PATIENCE, |said| said.elapsed() >= REPEAT);
        due.then(|| {
            wait.said = Some(Instant::now());
            wait.since.elapsed()
        })
    }
}

impl Screen {
    fn new() -> Self {
        let lines = MultiProgress::new();
        let total = lines.add(ProgressBar::new(0));
        total.set_style(style("{bar:30.green} {pos} of {len} done, {elapsed}  {msg}"));
        total.enable_steady_tick(Duration::from_millis(200));
        Screen { lines, total, running: RefCell::default() }
    }

    fn begin(&self, node: &str, text: String) {
        let line = self.lines.add(ProgressBar::new_spinner());
        line.set_style(style("  {spinner} {prefix} {elapsed:>4}  {msg}"));
        line.set_prefix(node.to_owned());
        line.set_message(text);
        line.enable_steady_tick(Duration::from_millis(200));
        self.running.borrow_mut().insert(node.to_owned(), line);
    }

    fn end(&self, node: &str) {
        if let Some(line) = self.running.borrow_mut().remove(node) {
            line.finish_and_clear();
        }
        self.total.inc(1);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Reporter for Progress {
    fn event(&self, event: Event<'_>) {
        if let Some(screen) = &self.screen {
            match &event {
                Event::Begin { steps } => screen.total.set_length(*steps as u64),
                Event::Start { node, kind, verb } => screen.begin(node, format!("{verb} {kind}")),
                Event::Wait { node, reason } => {
                    if let Some(line) = screen.running.borrow().get(*node) {
                        line.set_message((*reason).to_owned());
                    }
                }
                Event::Done { node, .. } => screen.end(node),
                Event::Failed { failure } => screen.end(&failure.node),
                Event::Note { .. } => {}
            }
        }
        match event {
            Event::Done { outcome: Outcome::Kept, .. } | Event::Begin { .. } | Event::Start { .. } => {}
            Event::Done { node, kind, outcome, took } => {
                let word = paint(GREEN, &format!("{:9}", outcome.as_str()));
                self.say(&format!("{word} {node} ({kind}) in {:.1}s", took.as_secs_f64()));
            }
            Event::Wait { node, reason } => {
                let due = self.worth_saying(node, reason).filter(|_| self.screen.is_none());
                if let Some(waited) = due {
                    let word = paint(YELLOW, "waiting  ");
                    self.say(&format!("{word} {node} for {}s: {reason}", waited.as_secs()));
                }
            }
            Event::Failed { failure } => self.say(&format!("{} {failure}", paint(RED, "failed   "))),
            Event::Note { node, text } => self.say(&format!("{} {node}: {text}", paint(YELLOW, "note     "))),
        }
    }
}
