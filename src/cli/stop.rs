//! Ending early: at the first signal that asks for it, when the time for a run is up, or when its lock is lost.

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use super::Error;
use crate::engine::Stop;
use crate::render;

/// Why a run ends before its work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Ctrl-C, SIGTERM, SIGHUP or SIGQUIT.
    Signal,
    /// It has taken so many minutes.
    Time(u64),
    /// Its lock is lost.
    Lock,
}

impl Why {
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Why::Signal => 130,
            Why::Time(_) => 5,
            Why::Lock => 3,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Signal => f.write_str("stopped"),
            Why::Time(minutes) => write!(
                f,
                "out of time: {}; what was under way is listed above\nhint: run the same again, it goes on from here; \
                 --timeout or engine.timeout_minutes gives it longer",
                taken(*minutes)
            ),
            Why::Lock => f.write_str("this run has lost its lock"),
        }
    }
}

fn taken(minutes: u64) -> String {
    match minutes {
        1 => "the run has taken its minute".to_owned(),
        _ => format!("the run has taken its {minutes} minutes"),
    }
}

/// What stops a command, in place before it does anything.
#[derive(Clone)]
pub(super) struct Stopper {
    ask: watch::Sender<bool>,
    stop: Stop,
    why: Arc<OnceLock<Why>>,
}

impl Stopper {
    /// From now on the first signal asks to stop. The second ends the process at once, which is safe too.
    ///
    /// # Errors
    /// Where the operating system takes no handler.
    pub(super) fn on_signals() -> io::Result<Stopper> {
        let (ask, stop) = Stop::new();
        let stopper = Stopper { ask, stop, why: Arc::default() };
        let mut signals = Signals::listen()?;
        let asked = stopper.clone();
        tokio::spawn(async move {
            loop {
                signals.next().await;
                if *asked.ask.borrow() {
                    std::process::exit(130);
                }
                render::note("stopping: nothing new starts; what AWS works on is waited for by the next run");
                asked.end(Why::Signal);
            }
        });
        Ok(stopper)
    }

    /// Asks to stop after this time, too.
    pub(super) fn after(&self, limit: Duration) {
        let minutes = limit.as_secs() / 60;
        self.upon(tokio::time::sleep(limit), Why::Time(minutes), taken(minutes));
    }

    /// Asks to stop where the lock is lost, too.
    pub(super) fn when_lost(&self, lost: impl Future<Output = ()> + Send + 'static) {
        self.upon(lost, Why::Lock, Why::Lock.to_string());
    }

    fn upon(&self, event: impl Future<Output = ()> + Send + 'static, why: Why, reason: String) {
        let stopper = self.clone();
        tokio::spawn(async move {
            event.await;
            render::note(&format!("stopping: {reason}"));
            stopper.end(why);
        });
    }

    /// The first reason is the one that counts.
    fn end(&self, why: Why) {
        self.why.get_or_init(|| why);
        self.ask.send_replace(true);
    }

    /// What asked to stop.
    pub(super) fn why(&self) -> Why {
        self.why.get().copied().unwrap_or(Why::Signal)
    }

    /// What the engine looks at.
    pub(super) fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Does what changes nothing, and drops it where the run is to end.
    ///
    /// # Errors
    /// Its own, or that it was stopped.
    pub(super) async fn unless_asked<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        tokio::select! {
            biased;
            () = self.stop.wait() => Err(Error::Stopped(self.why())),
            done = work => done,
        }
    }
}

/// The signals that ask a process to end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    quit: Signal,
    /// Of a terminal that went away; not where the run was started to outlive it, as by nohup.
    hangup: Option<Signal>,
}

impl Signals {
    fn listen() -> io::Result<Signals> {
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            quit: signal(SignalKind::quit())?,
            hangup: if ignored(SignalKind::hangup()) { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    async fn next(&mut self) {
        let Signals { interrupt, terminate, quit, hangup } = self;
        let hangup = async {
            match hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = quit.recv() => {}
            _ = hangup => {}
        }
    }
}

/// Whether whoever started this process had it ignore a signal. Where the system does not tell, nobody had.
fn ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask >> (kind.as_raw_value() - 1) & 1 == 1
}
