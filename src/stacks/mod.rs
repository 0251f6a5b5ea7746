//! The systems tapctl can build: functions from settings to a stack.

pub mod behind;
mod builder;
mod cores;
pub mod data_pipeline;
mod gateway;
mod handover;
mod network;
mod offers;
pub mod onlookers;
mod place;
mod policy;
pub mod quotas;
mod recorded;
mod stream;
pub mod student_records;
pub mod surroundings;
mod tasks;
mod waf;
mod watch;
mod zones;

use crate::config::{Config, StackKind};
use crate::stack::Stack;

pub use place::Place;
pub use recorded::Recorded;

/// The stack that the settings ask for, at this place.
pub fn build(config: &Config, place: &Place) -> Stack {
    match config.stack {
        StackKind::StudentRecords => student_records::build(config, place),
        StackKind::DataPipeline => data_pipeline::build(config, place),
    }
}
