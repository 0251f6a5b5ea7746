//! The real binary against the local AWS. What AWS holds is asked of AWS, never of tapctl.
#![cfg(feature = "aws")]
#![allow(clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::unreachable, reason = "a test may end so")]

mod audit;
mod bad_input;
mod callers;
mod changes;
mod comes_up;
mod compliance;
mod contract;
mod crashes;
mod data_pipeline;
mod drift;
mod edge_kinds;
mod endings;
mod environments;
mod found;
mod fuzz;
mod guards;
mod habits;
mod halfway;
mod harness;
mod keys;
mod lifecycle;
mod moods;
mod offered;
mod ownership;
mod place;
mod reach;
mod recorded;
mod regions;
mod requirements;
mod returns;
mod secrets;
mod serves;
mod sharing;
mod shown;
mod signals;
mod standing;
mod state;
mod strangers;
mod tagged;
mod terminal;
mod trouble;
mod warm;
mod words;
mod wrong;
