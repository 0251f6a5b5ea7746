//! AWS Certificate Manager.

pub mod certificate;

pub use certificate::Certificate;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Certificate>()
}
