//! What AWS says of an object beside the fields of its spec.

/// What is told of an object that is no difference, and no reason to wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Besides {
    /// What a person should know of it though it is as wanted: each a sentence without its subject, `has 30 GiB, …`.
    pub remarks: Vec<String>,
}
