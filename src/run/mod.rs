//! The session: what stands between a command and the engine. It checks place and ownership, and guards what a person has
//! not asked for. No guard lives in a command.

pub mod choice;
pub mod loss;
pub mod lost;
pub mod newcomer;
pub mod one_way;
pub mod outage;
pub mod queue;
pub mod reach;
pub mod region;
pub mod restart;
pub mod settings;
pub mod snapshot;
pub mod teardown;
pub mod ways_back;

/// A person must say or do something first. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}\nhint: {hint}")]
pub struct Refusal {
    /// What is refused, and why.
    pub text: String,
    /// What to do.
    pub hint: String,
}

impl Refusal {
    /// What is refused and why, and what to do.
    pub fn new(text: impl Into<String>, hint: impl Into<String>) -> Self {
        Refusal { text: text.into(), hint: hint.into() }
    }
}
