//! That AWS is being read: on a terminal at once and with how much of it, in a pipe after a while.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::task::JoinHandle;
use tokio::time::{Instant, interval_at};

use super::{aside, screen};
use crate::engine::{Event, Reporter};

/// How long a person bears silence.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often it is said again.
const REPEAT: Duration = Duration::from_secs(30);

/// Tells how far a reading of AWS has come.
#[derive(Default)]
pub struct Reading {
    under_way: RefCell<Option<UnderWay>>,
}

/// A reading that has not ended.
struct UnderWay {
    done: Arc<AtomicUsize>,
    moving: Option<ProgressBar>,
    plain: Option<JoinHandle<()>>,
}

impl UnderWay {
    fn begin(nodes: usize) -> Self {
        let done = Arc::new(AtomicUsize::new(0));
        let so_far = done.clone();
        let words = move || format!("reading {}… {}", count(nodes), so_far.load(Ordering::Relaxed));
        let moving = screen::moving(words.clone());
        let plain = moving.is_none().then(|| tokio::spawn(say(nodes, words)));
        UnderWay { done, moving, plain }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if let Some(moving) = &self.moving {
            screen::clear(moving);
        }
        if let Some(plain) = &self.plain {
            plain.abort();
        }
    }
}

async fn say(nodes: usize, words: impl Fn() -> String) {
    let mut silent = interval_at(Instant::now() + PATIENCE, REPEAT);
    silent.tick().await;
    aside(format!("reading {} from AWS…", count(nodes)));
    loop {
        silent.tick().await;
        aside(words());
    }
}

fn count(nodes: usize) -> String {
    if nodes == 1 { "1 node".to_owned() } else { format!("{nodes} nodes") }
}

impl Reporter for Reading {
    fn event(&self, event: Event<'_>) {
        let Event::Read { done, nodes } = event else { return };
        let mut under_way = self.under_way.borrow_mut();
        if done >= nodes {
            *under_way = None;
            return;
        }
        let reading = under_way.get_or_insert_with(|| UnderWay::begin(nodes));
        reading.done.store(done, Ordering::Relaxed);
    }
}
