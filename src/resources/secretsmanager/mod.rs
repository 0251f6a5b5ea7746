//! AWS Secrets Manager.

pub mod secret;

pub use secret::{Secret, SecretValue};

use crate::aws::{Always, Aws, Cx, IfPresent};
use crate::error::{Class, Fault, Result};
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<Secret>()
}

/// A random password that RDS takes.
pub(super) async fn new_password(cx: &Cx<'_>, length: usize) -> Result<String> {
    let length = i32::try_from(length).map_err(|_| Fault::invalid("the password in the secret is too long"))?;
    secret::random(cx, length, secret::NOT_IN_PASSWORDS).await
}

/// The value of a secret, to go from one answer of AWS's into one request to AWS, and nowhere else.
pub(super) async fn value_of(cx: &Cx<'_>, secret: &str) -> Result<String> {
    let Some(answer) = cx.secrets.get_secret_value().secret_id(secret).send().await.if_present()? else {
        let message = format!("{secret} has no value that can be read yet");
        return Err(Fault::new(Class::NotYet, "SecretNotVisible", message));
    };
    answer.secret_string.always("text in the secret")
}
