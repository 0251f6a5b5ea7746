//! What `protect` decides: the whole difference between an environment whose loss would hurt, as prod, and a cheap one,
//! as dev. All else is the same in both, and what stands in [`Config`](super::Config) can be set one by one.

use super::Nat;

/// What an environment gets for being protected, or for not being.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Whether AWS itself refuses to delete database, load balancer and user pool until that is turned off.
    pub deletion_protection: bool,
    /// Whether a database that is destroyed leaves a snapshot.
    pub final_snapshot: bool,
    /// Whether what copies there are of its data, and the records of its audit, outlive the environment.
    pub keep_copies: bool,
    /// Days in which a deleted key can be taken back; AWS allows 7 to 30.
    pub key_recovery_days: i32,
    /// Days in which a deleted secret can be taken back. `None`: one whose value was drawn is gone at once.
    pub secret_recovery_days: Option<i32>,
    /// Default of `network.nat`.
    pub nat: Nat,
    /// Default of `cache.node_type`.
    pub cache_node_type: &'static str,
    /// Default of `logs.retention_days`.
    pub log_retention_days: i32,
    /// Default of `audit.expire_after_days`.
    pub audit_expire_days: i32,
    /// Default of `postgres.multi_az`.
    pub multi_az: bool,
}

const PROTECTED: Profile = Profile {
    deletion_protection: true,
    final_snapshot: true,
    keep_copies: true,
    key_recovery_days: 30,
    secret_recovery_days: Some(30),
    nat: Nat::PerAz,
    cache_node_type: "cache.t3.medium",
    log_retention_days: 365,
    // Seven years.
    audit_expire_days: 2557,
    multi_az: true,
};

const CHEAP: Profile = Profile {
    deletion_protection: false,
    final_snapshot: false,
    keep_copies: false,
    key_recovery_days: 7,
    secret_recovery_days: None,
    nat: Nat::Single,
    cache_node_type: "cache.t3.micro",
    log_retention_days: 30,
    audit_expire_days: 365,
    multi_az: false,
};

impl Profile {
    /// The profile of an environment.
    pub const fn of(protect: bool) -> Profile {
        if protect { PROTECTED } else { CHEAP }
    }
}
