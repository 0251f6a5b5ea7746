//! Amazon Cognito user pools. Names are not unique, and an update sets whatever it leaves out back to AWS's default:
//! what a kind here does not manage is handed over as it is.

pub mod resource_server;
pub mod user_pool;
pub mod user_pool_client;
pub mod user_pool_domain;

pub use resource_server::ResourceServer;
pub use user_pool::{PasswordPolicy, UserPool};
pub use user_pool_client::UserPoolClient;
pub use user_pool_domain::UserPoolDomain;

use crate::aws::Aws;
use crate::error::{Fault, Result};
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<ResourceServer>().with::<UserPool>().with::<UserPoolClient>().with::<UserPoolDomain>()
}

/// The two halves of an id that names a part of a pool.
fn halves(id: &str) -> Result<(&str, &str)> {
    id.split_once('|').ok_or_else(|| Fault::invalid(format!("{id} is no id of the form pool|part")))
}

/// Refuses a name that Cognito would refuse.
fn check_name(name: &str, longest: usize) -> std::result::Result<(), String> {
    let letter = |c: char| c.is_ascii_alphanumeric() || "_ +=,.@-".contains(c);
    if (1..=longest).contains(&name.len()) && name.chars().all(letter) {
        return Ok(());
    }
    Err(format!("name is {name:?}; AWS allows 1-{longest} letters, digits, spaces and _+=,.@-"))
}

/// Refuses what cannot be a part of a scope: those are printable ASCII without space, `"` and `\`.
fn check_scope(field: &str, text: &str, longest: usize, also_not: &str) -> std::result::Result<(), String> {
    let letter = |c: char| c.is_ascii_graphic() && !"\"\\".contains(c) && !also_not.contains(c);
    if (1..=longest).contains(&text.len()) && text.chars().all(letter) {
        return Ok(());
    }
    Err(format!("{field} has {text:?}; AWS allows 1-{longest} printable characters but spaces, \" \\ {also_not}"))
}
