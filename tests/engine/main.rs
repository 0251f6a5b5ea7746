//! The engine against a cloud made of a map: every promise it gives, and every instant at which it can be killed.
//!
//! Time is tokio's paused clock, so an hour of waiting takes no time, and every run is deterministic.
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unwrap_used, reason = "a test may end so")]

mod cloud;
mod kinds;
mod lost;
mod stacks;
mod staying;
mod world;

mod adopting;
mod besides;
mod changing;
mod drifting;
mod finding;
mod handing_over;
mod ordering;
mod owning;
mod planning;
mod random;
mod reach;
mod recorded;
mod rotating;
mod saving;
mod shortened;
mod snapshots;
mod sweep;
mod teardown;
mod twins;
mod waiting;
