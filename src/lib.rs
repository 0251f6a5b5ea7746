//! tapctl provisions whole AWS systems by calling the AWS SDKs directly.
//!
//! # The data's path
//!
//! ```text
//! tapctl.toml + --env ──> Config ──> stacks::build ──> Stack (nodes; their references are the edges)
//!                                                        │
//! state/<stack>-<env>.json ──> State ──┐                 │
//!                                      ├──> engine::observe (reads AWS, many nodes at once)
//!                                      │                 ▼
//!                                      │      plan(&Stack, &State, &Observations) -> Plan     pure
//!                                      │                 │ render, confirm
//!                                      └───── save <── Engine ──> acts, waits, retries
//! ```
//!
//! # The code
//!
//! | module | what it is |
//! |---|---|
//! | [`resource`] | the contract between the engine and a kind of AWS object |
//! | [`stack`], [`diff`], [`plan`] | what should be, the one comparison, what would be done: pure |
//! | [`engine`] | the only place that orders, waits, retries and saves |
//! | [`state`] | the document, where it is kept, the lock |
//! | [`config`] | `tapctl.toml` |
//! | [`names`] | what a mistyped name may have been meant as |
//! | `aws` | clients, what errors mean, how fast calls may go |
//! | `resources` | the kinds: one folder a service, one file a kind |
//! | `stacks` | the systems: functions from settings to a stack |
//! | [`run`] | the session: checks place and ownership, guards, what a command stands on |
//! | `cli`, `render` | one file a command; the only printer |
//!
//! Without the feature `aws`, which is on by default, everything down to `config` builds and tests alone, in seconds.
//!
//! # Invariants
//!
//! - A process killed at any instant leaks nothing and duplicates nothing. Before a create call its intent is on disk,
//!   synced; the call carries the ownership tags and, where the API takes one, a token derived from the intent; the id
//!   is on disk as soon as the answer arrives; an unanswered create is looked for before it is made again.
//! - The state is a cache: with the file lost, `apply` finds everything again and creates nothing.
//! - A failed wait means "resume waiting", never "remove and make again".
//! - What has our name but not our tags is somebody else's, and is refused unless a person says otherwise.
//! - No kind sleeps, retries, waits, saves, prints or reads the environment.
//! - One spec is one AWS object, and no output exists without an edge.
//! - No secret enters a spec, and so none enters state, plan, log or error.
//! - Neither the tool nor a kind knows which AWS it talks to.
#![forbid(unsafe_code)]

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
pub mod cli;
pub mod config;
pub mod diff;
pub mod engine;
pub mod error;
pub mod names;
pub mod plan;
#[cfg(feature = "aws")]
pub mod render;
pub mod resource;
#[cfg(feature = "aws")]
pub mod resources;
pub mod run;
pub mod stack;
#[cfg(feature = "aws")]
pub mod stacks;
pub mod state;
