//! Ending early: at the first Ctrl-C or SIGTERM, when the time for a run is up, or when its lock is lost.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::Error;
use crate::engine::Stop;
use crate::render;

/// What stops a command, in place before it does anything.
#[derive(Clone)]
pub(super) struct Stopper {
    ask: watch::Sender<bool>,
    stop: Stop,
}

impl Stopper {
    /// From now on the first signal asks to stop. The second ends the process at once, which is safe too.
    ///
    /// # Errors
    /// Where the operating system takes no handler.
    pub(super) fn on_signals() -> io::Result<Stopper> {
        let (ask, stop) = Stop::new();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let asker = ask.clone();
        tokio::spawn(async move {
            loop {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                if *asker.borrow() {
                    std::process::exit(130);
                }
                render::note("stopping: nothing new starts; what AWS works on is waited for by the next run");
                asker.send_replace(true);
            }
        });
        Ok(Stopper { ask, stop })
    }

    /// Asks to stop after this time, too.
    pub(super) fn after(&self, limit: Duration) {
        self.upon(tokio::time::sleep(limit), format!("the run has taken its {} minutes", limit.as_secs() / 60));
    }

    /// Asks to stop where the lock is lost, too.
    pub(super) fn when_lost(&self, lost: impl Future<Output = ()> + Send + 'static) {
        self.upon(lost, "this run has lost its lock".to_owned());
    }

    fn upon(&self, event: impl Future<Output = ()> + Send + 'static, reason: String) {
        let ask = self.ask.clone();
        tokio::spawn(async move {
            event.await;
            render::note(&format!("stopping: {reason}"));
            ask.send_replace(true);
        });
    }

    /// What the engine looks at.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Does what changes nothing, and drops it where a person asks to stop.
    ///
    /// # Errors
    /// Its own, or that it was stopped.
    pub(super) async fn unless_asked<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.stop.wait() => Err(Error::Interrupted),
            done = work => done,
        }
    }
}
