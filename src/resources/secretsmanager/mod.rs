//! AWS Secrets Manager.

pub mod secret;

pub use secret::{Secret, SecretValue};

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Secret>()
}
