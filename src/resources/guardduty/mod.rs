//! Amazon GuardDuty.

pub mod detector;

pub use detector::Detector;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Detector>()
}
