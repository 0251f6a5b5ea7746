//! What apply and destroy share: asking, and saying how it went.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use super::stop::Stopper;
use super::{Done, Error};
use crate::config;
use crate::engine::{Options, Report};
use crate::render;

/// How a run goes about its work.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Effort {
    /// How many nodes are worked on at once, 1 to 64; by default engine.parallelism of tapctl.toml.
    #[arg(long, value_name = "N", value_parser = parallelism, allow_negative_numbers = true)]
    parallelism: Option<usize>,
    /// How many minutes the run may take, 1 to 1440; by default engine.timeout_minutes of tapctl.toml.
    #[arg(long, value_name = "MINUTES", value_parser = minutes, allow_negative_numbers = true)]
    timeout: Option<u64>,
    /// How long to wait where another run holds the lock, as 90s or 10m; by default not at all.
    #[arg(long, value_name = "TIME", value_parser = time)]
    lock_wait: Option<Duration>,
}

/// A time as people write it: `90s`, `10m`, `1h 30m`.
fn time(text: &str) -> Result<Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    parsed.ok_or_else(|| "allowed: a time, as 90s, 10m or 1h".to_owned())
}

fn parallelism(text: &str) -> Result<usize, String> {
    config::flag("engine.parallelism", text)
}

fn minutes(text: &str) -> Result<u64, String> {
    config::flag("engine.timeout_minutes", text)
}

impl Effort {
    /// The time for the whole run.
    pub(super) fn limit(&self, settings: &config::Engine) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(settings.timeout_minutes) * 60)
    }

    /// How long another run may take to end.
    pub(super) fn lock_wait(&self) -> Duration {
        self.lock_wait.unwrap_or_default()
    }

    pub(super) fn options(&self, settings: &config::Engine, adopt: bool) -> Options {
        Options {
            parallelism: self.parallelism.unwrap_or(settings.parallelism),
            settle: Duration::from_secs(settings.settle_seconds),
            adopt,
            timeout: Some(self.limit(settings)),
        }
    }
}

/// Asks on the terminal. Without one there is nobody to ask, and the answer must be given as `--yes`. While a person
/// thinks, the lock is renewed.
#[allow(clippy::print_stderr, reason = "a question is not the printer's")]
pub(super) async fn confirm(stopper: &Stopper, yes: bool, question: &str) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::refused("there is no terminal to ask on", "add --yes to go ahead without asking"));
    }
    eprint!("{question} Only `yes` goes ahead: ");
    std::io::stderr().flush()?;
    let answer = stopper
        .unless_asked(async {
            let line = tokio::task::spawn_blocking(|| std::io::stdin().lines().next().transpose());
            Ok(line.await.map_err(std::io::Error::other)??.unwrap_or_default())
        })
        .await?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Error::Cancelled),
    }
}

/// Turns a report into the command's end.
pub(super) fn conclude(report: Report, stopper: &Stopper) -> Result<Done, Error> {
    render::summary(&report);
    match () {
        () if !report.failures.is_empty() => Err(Error::Nodes(report.failures)),
        () if report.interrupted => Err(Error::Stopped(stopper.why())),
        () => Ok(Done::Clean),
    }
}
