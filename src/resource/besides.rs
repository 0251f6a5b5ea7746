//! What AWS says of an object beside the fields of its spec.

use super::Queued;

/// What is told of an object that is no difference, and no reason to wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Besides {
    /// What a person should know of it though it is as wanted: each a sentence without its subject, `has 30 GiB, …`.
    pub remarks: Vec<String>,
    /// Changes of it that wait for its maintenance window.
    pub queued: Vec<Queued>,
    /// What comes into force only when it is restarted.
    pub restart: Option<Restart>,
    /// Whether it leads others of its kind, as the writer of a cluster does: it is restarted after them.
    pub leads: bool,
}

/// That an object is not yet what its settings say, and will not be before it is restarted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restart {
    /// What is not in force, as the subject of a sentence in the plural: `its parameters`.
    pub what: String,
    /// Whether it is so new that nobody can be on it yet.
    pub unused: bool,
}
