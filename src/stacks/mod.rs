//! The systems tapctl can build: functions from settings to a stack.

mod builder;
mod gateway;
mod network;
mod place;
mod policy;
pub mod quotas;
mod stream;
pub mod student_records;
mod tasks;
mod waf;
mod watch;

use crate::config::Config;
use crate::stack::Stack;

pub use place::Place;

/// The stack that the settings ask for, at this place.
pub fn build(config: &Config, place: &Place) -> Stack {
    student_records::build(config, place)
}
