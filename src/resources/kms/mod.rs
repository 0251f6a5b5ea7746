//! AWS KMS.

pub mod alias;
pub mod key;

pub use alias::Alias;
pub use key::Key;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Alias>().with::<Key>()
}
