//! Amazon Kinesis Data Streams.

pub mod stream;

pub use stream::{Mode, Stream};

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Stream>()
}
