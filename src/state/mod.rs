//! What we recorded: the document, where it is kept, and the lock that makes one writer.
//!
//! The state is a cache with a memory for intents. With the file lost, `apply` finds everything again by names and
//! tags; but an intent that was never answered is known only here, which is why it is on disk before the call.
//!
//! A [`Store`] reads and replaces a few items; [`Writer`] makes of it a lock with a lease and a fencing number, and saves
//! that only its holder can make.

mod document;
mod lease;
mod local;
mod lock;
mod migrate;
mod process;
mod store;
mod writer;

pub use document::{Attempt, NodeState, Operation, Progress, Settings, State, base_name, dependents};
pub use lease::{Lease, MARGIN};
pub use local::LocalStore;
pub use lock::{Grip, HEARTBEAT, Holder, LEASE, LockRecord};
pub use process::{Fate, Process};
pub use store::{Item, Kept, Store, Version};
pub use writer::{Writer, unlock};

use futures_util::future::LocalBoxFuture;

/// What can be wrong with a state.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Reading or writing failed.
    #[error("{place}: {error}")]
    Io {
        /// The file or object.
        place: String,
        /// Why.
        error: std::io::Error,
    },
    /// It is not what it should be, as a whole state document.
    #[error("{place} is damaged: {error}\nhint: {hint}")]
    Damaged {
        /// The file or object.
        place: String,
        /// Where the parser stopped.
        error: String,
        /// What to do.
        hint: String,
    },
    /// A newer tapctl wrote it.
    #[error(
        "{place} has version {found}, and this tapctl reads up to version {known}\nhint: use the tapctl that wrote it, or a newer one"
    )]
    Newer {
        /// The file or object.
        place: String,
        /// Its version.
        found: u64,
        /// Ours.
        known: u64,
    },
    /// It belongs to another stack, environment, account or region.
    #[error("{place} belongs to {what} {found}, and this run is for {what} {wanted}\nhint: {hint}")]
    Other {
        /// The file or object.
        place: String,
        /// `account`, `region`, `stack` or `env`.
        what: &'static str,
        /// What it belongs to.
        found: String,
        /// What was asked for.
        wanted: String,
        /// What to do.
        hint: &'static str,
    },
    /// Another run holds the lock.
    #[error(
        "the state is locked by {holder}\nhint: wait for it to end; should it be killed, the lock is free at once on its host, and elsewhere after {:.0}",
        .holder.expires
    )]
    Locked {
        /// Who.
        holder: Box<Holder>,
    },
    /// This run does not hold the lock any more.
    #[error("{place} is no longer held by this run: {}\nhint: nothing was saved since; run it again once no other run is under way, and it goes on", taken(.holder.as_deref()))]
    Fenced {
        /// The lock's file or object.
        place: String,
        /// Who holds it now.
        holder: Option<Box<Holder>>,
    },
    /// This run could not renew its lock in time.
    #[error(
        "{place} could not be renewed in time: this machine slept, or the directory could not be reached\nhint: nothing was changed since; run it again, and it goes on"
    )]
    Lapsed {
        /// The lock's file or object.
        place: String,
    },
    /// Another wrote the document although this run holds the lock.
    #[error(
        "{place} was changed by another while this run held the lock: {found}\nhint: nothing was saved over it; see who wrote it, and run again"
    )]
    Changed {
        /// The file or object.
        place: String,
        /// What is there now.
        found: String,
    },
}

impl StateError {
    fn damaged(place: &str, error: impl std::fmt::Display) -> Self {
        StateError::Damaged {
            place: place.to_owned(),
            error: error.to_string(),
            hint: "move it away: apply then finds everything again and creates nothing twice".to_owned(),
        }
    }
}

fn taken(holder: Option<&Holder>) -> String {
    match holder {
        Some(holder) => format!("{holder} has taken it over"),
        None => "it was freed by hand".to_owned(),
    }
}

/// What a run needs of the state while it works.
pub trait Save {
    /// Replaces the document. Once this returns it survives a crash; before, the old one stands whole.
    fn save<'a>(&'a self, text: &'a str) -> LocalBoxFuture<'a, Result<(), StateError>>;
}
