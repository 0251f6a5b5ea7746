//! What we recorded: the document, where it is kept, and the lock that makes one writer.
//!
//! The state is a cache with a memory for intents. With the file lost, `apply` finds everything again by names and
//! tags; but an intent that was never answered is known only here, which is why it is on disk before the call.

mod document;
mod local;
mod lock;

pub use document::{Attempt, NodeState, Progress, State, base_name};
pub use local::LocalStore;
pub use lock::{Holder, Lock};

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
    /// It is not a whole state document.
    #[error(
        "{place} is damaged: {error}\nhint: restore it from a backup, or move it away: apply then finds everything again and creates nothing twice"
    )]
    Damaged {
        /// The file or object.
        place: String,
        /// Where the parser stopped.
        error: String,
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
    #[error("the state is locked by {holder}\nhint: wait for it to end; the lock frees itself when that process does")]
    Locked {
        /// Who.
        holder: Box<Holder>,
    },
}

/// A place where a state document is kept.
pub trait Store {
    /// The document's text, if there is one.
    fn load(&self) -> LocalBoxFuture<'_, Result<Option<String>, StateError>>;
    /// Replaces the document. Once this returns it survives a crash; before, the old one stands whole.
    fn save<'a>(&'a self, text: &'a str) -> LocalBoxFuture<'a, Result<(), StateError>>;
    /// What to call it in messages.
    fn place(&self) -> String;
}
