//! What apply and destroy share: asking, stopping, and saying how it went.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use super::{Done, Error};
use crate::config;
use crate::engine::{Options, Report, Stop};
use crate::render;
use crate::state::Writer;

/// How a run goes about its work.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Effort {
    /// How many nodes are worked on at once; by default engine.parallelism of tapctl.toml.
    #[arg(long, value_name = "N")]
    parallelism: Option<usize>,
    /// How many minutes the run may take; by default engine.timeout_minutes of tapctl.toml.
    #[arg(long, value_name = "MINUTES")]
    timeout: Option<u64>,
}

impl Effort {
    fn limit(&self, settings: &config::Engine) -> Duration {
        Duration::from_secs(self.timeout.unwrap_or(settings.timeout_minutes) * 60)
    }

    pub(super) fn options(&self, settings: &config::Engine, adopt: bool) -> Options {
        Options {
            parallelism: self.parallelism.unwrap_or(settings.parallelism),
            settle: Duration::from_secs(settings.settle_seconds),
            adopt,
            timeout: Some(self.limit(settings)),
        }
    }

    /// A stop for this run, see [`stop_on_signals`].
    pub(super) fn stop(&self, settings: &config::Engine, writer: &Writer) -> Result<Stop, Error> {
        stop_on_signals(self.limit(settings), writer.lost())
    }
}

/// Asks on the terminal. Without one there is nobody to ask, and the answer must be given as `--yes`. While a person
/// thinks, the lock is renewed.
pub(super) async fn confirm(yes: bool, question: &str) -> Result<(), Error> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() {
        return Err(Error::refused("there is no terminal to ask on", "add --yes to go ahead without asking"));
    }
    eprint!("{question} Only `yes` goes ahead: ");
    std::io::stderr().flush()?;
    let answer = tokio::select! {
        answer = tokio::task::spawn_blocking(|| std::io::stdin().lines().next().transpose()) => answer,
        _ = tokio::signal::ctrl_c() => return Err(Error::Interrupted),
    };
    let answer = answer.map_err(std::io::Error::other)??.unwrap_or_default();
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Error::refused("not confirmed; nothing was changed", "answer `yes`, or add --yes")),
    }
}

/// A stop that the first Ctrl-C or SIGTERM asks for, or the end of the time for the whole run, or the loss of the lock.
/// The second signal ends the process at once, which is safe too.
fn stop_on_signals(limit: Duration, lost: impl Future<Output = ()> + Send + 'static) -> Result<Stop, Error> {
    use tokio::signal::unix::{SignalKind, signal};
    let (ask, stop) = Stop::new();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        let deadline = tokio::time::Instant::now() + limit;
        let reason = tokio::select! {
            _ = interrupt.recv() => "stopping: nothing new starts; what AWS works on is waited for by the next run".to_owned(),
            _ = terminate.recv() => "stopping: nothing new starts; what AWS works on is waited for by the next run".to_owned(),
            () = lost => "stopping: this run has lost its lock".to_owned(),
            () = tokio::time::sleep_until(deadline) => format!("stopping: the run has taken its {} minutes", limit.as_secs() / 60),
        };
        render::note(&reason);
        // With no receiver left the run has ended by itself.
        let _ = ask.send(true);
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        std::process::exit(130);
    });
    Ok(stop)
}

/// Turns a report into the command's end.
pub(super) fn conclude(report: Report) -> Result<Done, Error> {
    render::summary(&report);
    match () {
        () if !report.failures.is_empty() => Err(Error::Nodes(report.failures)),
        () if report.interrupted => Err(Error::Interrupted),
        () => Ok(Done::Clean),
    }
}
