//! Amazon S3. Names are unique in the whole world, so every call on a bucket says whose it must be: a name that came
//! free may belong to a stranger by now.

pub mod bucket;
pub mod bucket_policy;
mod lifecycle;
mod versions;

pub use bucket::Bucket;
pub use bucket_policy::BucketPolicy;

use aws_smithy_types::error::operation::BuildError;

use crate::aws::Aws;
use crate::error::{Fault, Result};
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Bucket>().with::<BucketPolicy>()
}

/// What a read of a part of a bucket gave, or `None` where AWS says by this code that nobody has set that part.
fn unless_unset<T, E: Into<Fault>>(answer: Result<T, E>, unset: &str) -> Result<Option<T>> {
    match answer.map_err(Into::into) {
        Ok(part) => Ok(Some(part)),
        Err(fault) if fault.code == unset => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// A request that lacks what AWS requires.
fn unbuilt(error: BuildError) -> Fault {
    Fault::invalid(error.to_string())
}
