//! AWS KMS.

pub mod key;

pub use key::Key;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Key>()
}
