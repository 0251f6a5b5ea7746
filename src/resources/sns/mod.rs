//! Amazon SNS.

pub mod subscription;
pub mod topic;

pub use subscription::Subscription;
pub use topic::Topic;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Subscription>().with::<Topic>()
}
