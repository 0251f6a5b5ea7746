//! P1: one customer-managed key for all that the pipeline holds.

use super::{Builder, Class};
use crate::resources::kms::Key;
use crate::stack::Node;

pub(super) fn key(builder: &mut Builder) -> Node<Key> {
    builder.layer("kms", Class::Restricted);
    let statements = [builder.for_logs(), builder.for_alarms()];
    builder.key("data-key", "records, credentials and logs", statements)
}
