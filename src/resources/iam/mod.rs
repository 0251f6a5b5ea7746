//! AWS IAM. Names are unique in the account, and reads may lag behind writes for seconds.

pub mod policy;
pub mod role;
pub mod service_linked_role;
pub mod shared_role;

pub use role::Role;
pub use service_linked_role::ServiceLinkedRole;
pub use shared_role::SharedRole;

use crate::aws::Aws;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Role>().with::<ServiceLinkedRole>().with::<SharedRole>()
}

/// Refuses a path IAM would refuse.
fn check_path(path: &str) -> Result<(), String> {
    let printable = path.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    match printable && path.starts_with('/') && path.ends_with('/') && path.len() <= 512 {
        true => Ok(()),
        false => {
            Err(format!("path is {path:?}; AWS allows / alone or between words, at both ends, and 512 characters"))
        }
    }
}

/// Refuses a name IAM would refuse.
fn check_name(field: &str, name: &str, longest: usize) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    match name.len() {
        length if (1..=longest).contains(&length) && name.chars().all(allowed) => Ok(()),
        _ => Err(format!("{field} is {name:?}; AWS allows 1-{longest} letters, digits and _+=,.@-")),
    }
}
