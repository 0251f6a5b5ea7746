//! The terminal behind stderr: how large it is, and lines that move on it.

use std::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// How often moving lines are drawn.
const TICK: Duration = Duration::from_millis(200);

/// The lines that move now: what else is printed must not fall among them.
static MOVING: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Columns and rows; what a terminal mostly has, where it does not tell.
pub(super) fn size() -> (usize, usize) {
    let size = terminal_size::terminal_size_of(io::stderr()).filter(|(columns, rows)| columns.0 > 0 && rows.0 > 0);
    size.map_or((80, 24), |(columns, rows)| (columns.0.into(), rows.0.into()))
}

/// Lines that are drawn anew again and again, where stderr is a terminal that can: not in a pipe, and not where `TERM` is
/// `dumb` or not set.
pub(super) fn moving(lines: impl Fn() -> String + Clone + Send + Sync + 'static) -> Option<ProgressBar> {
    let target = ProgressDrawTarget::stderr();
    if target.is_hidden() {
        return None;
    }
    let style = ProgressStyle::with_template("{lines}").ok()?;
    let draw = move |_: &ProgressState, out: &mut dyn fmt::Write| {
        let _ = out.write_str(&lines());
    };
    let bar = ProgressBar::with_draw_target(None, target).with_style(style.with_key("lines", draw));
    bar.enable_steady_tick(TICK);
    remember(Some(bar.clone()));
    Some(bar)
}

/// Takes moving lines off the screen for good.
pub(super) fn clear(moving: &ProgressBar) {
    remember(None);
    moving.finish_and_clear();
}

/// Prints, with the lines that move out of the way.
pub(super) fn beside<T>(print: impl FnOnce() -> T) -> T {
    let moving = MOVING.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match moving {
        Some(moving) => moving.suspend(print),
        None => print(),
    }
}

fn remember(moving: Option<ProgressBar>) {
    *MOVING.lock().unwrap_or_else(PoisonError::into_inner) = moving;
}
