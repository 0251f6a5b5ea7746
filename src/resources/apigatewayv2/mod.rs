//! API Gateway V2: only its VPC links, which REST APIs share with HTTP APIs.

pub mod vpc_link;

pub use vpc_link::VpcLink;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<VpcLink>()
}
