//! tapctl
#[cfg(feature = "aws")]
pub mod aws;
pub mod config;
pub mod diff;
pub mod engine;
pub mod error;
pub mod plan;
pub mod resource;
#[cfg(feature = "aws")]
pub mod resources;
pub mod stack;
pub mod state;
