//! Progress of a run: on a terminal what is running, what it waits for and for how long; in a pipe, and on a terminal that
//! cannot move its lines, plain lines.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::board::{Board, span};
use super::{DIM, GREEN, RED, YELLOW, aside, paint, screen};
use crate::engine::{Event, Outcome, Reporter};

/// In a pipe, how long a wait lasts before it is worth a line.
const PATIENCE: Duration = Duration::from_secs(3);
/// In a pipe, how often an unchanged wait is said again.
const REPEAT: Duration = Duration::from_secs(30);

/// Prints events on stderr.
pub struct Progress {
    board: Arc<Mutex<Board>>,
    moving: Option<ProgressBar>,
    waits: RefCell<BTreeMap<String, Wait>>,
}

/// What a node waits for, since when, and when that was last said.
struct Wait {
    reason: String,
    since: Instant,
    said: Option<Instant>,
}

impl Progress {
    /// Begins; lines move only where stderr is a terminal that can move them.
    pub fn start() -> Self {
        let board = Arc::new(Mutex::new(Board::new(Instant::now())));
        let shown = board.clone();
        let moving = screen::moving(move || {
            let board = shown.lock().unwrap_or_else(PoisonError::into_inner);
            board.lines(screen::size(), Instant::now()).join("\n")
        });
        Progress { board, moving, waits: RefCell::default() }
    }

    /// Takes the moving lines off the screen.
    pub fn finish(&self) {
        if let Some(moving) = &self.moving {
            screen::clear(moving);
        }
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, text: &str) {
        let elapsed = self.board().elapsed(Instant::now());
        let at = paint(DIM, &format!("[{:>6.1}s]", elapsed.as_secs_f64()));
        aside(format!("{at} {text}"));
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

    fn say_waiting(&self, node: &str, reason: &str) {
        if self.moving.is_some() {
            return;
        }
        if let Some(waited) = self.worth_saying(node, reason) {
            let usually = self.board().usually(node);
            let usually = usually.map(|time| format!(", usually {}", span(time))).unwrap_or_default();
            let word = paint(YELLOW, "waiting  ");
            self.say(&format!("{word} {node} for {}{usually}: {reason}", span(waited)));
        }
    }
}

impl Reporter for Progress {
    fn event(&self, event: Event<'_>) {
        self.board().take(&event, Instant::now());
        match event {
            Event::Done { outcome: Outcome::Kept, .. }
            | Event::Begin { .. }
            | Event::Start { .. }
            | Event::Act { .. }
            | Event::Read { .. } => {}
            Event::Done { node, kind, outcome, took } => {
                let word = paint(GREEN, &format!("{:9}", outcome.as_str()));
                self.say(&format!("{word} {node} ({kind}) in {:.1}s", took.as_secs_f64()));
            }
            Event::Wait { node, reason } => self.say_waiting(node, reason),
            Event::Failed { failure } if failure.is_still_running() => {
                self.say(&format!("{} {failure}", paint(YELLOW, "running  ")));
            }
            Event::Failed { failure } => self.say(&format!("{} {failure}", paint(RED, "failed   "))),
            Event::Note { node, text } => self.say(&format!("{} {node}: {text}", paint(YELLOW, "note     "))),
        }
    }
}
