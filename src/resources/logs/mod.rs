//! Amazon CloudWatch Logs.

pub mod log_group;

pub use log_group::LogGroup;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<LogGroup>()
}
