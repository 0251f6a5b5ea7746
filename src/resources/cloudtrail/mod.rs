//! AWS CloudTrail.

mod selectors;
pub mod trail;

pub use trail::Trail;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Trail>()
}
