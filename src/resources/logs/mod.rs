//! Amazon CloudWatch Logs.

pub mod log_group;
pub mod metric_filter;

pub use log_group::LogGroup;
pub use metric_filter::MetricFilter;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<LogGroup>().with::<MetricFilter>()
}
