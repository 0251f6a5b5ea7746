//! AWS Secrets Manager.

pub mod secret;
pub(super) mod stages;

pub use secret::{Secret, SecretValue};
pub use stages::CURRENT;

use std::collections::BTreeMap;

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

/// A random text of as many characters, without these.
pub(super) async fn new_text(cx: &Cx<'_>, length: usize, exclude: &str) -> Result<String> {
    let length = i32::try_from(length).map_err(|_| Fault::invalid("the text in the secret is too long"))?;
    secret::random(cx, length, exclude).await
}

/// The value of the version with this label, to go from one answer of AWS's into one request to AWS, and nowhere else.
pub(super) async fn value_at(cx: &Cx<'_>, secret: &str, label: &str) -> Result<String> {
    let answer = cx.secrets.get_secret_value().secret_id(secret).version_stage(label).send().await?;
    answer.secret_string.ok_or_else(|| Fault::invalid(format!("{secret} holds no text; put one there")))
}

/// The value of a secret, to go from one answer of AWS's into one request to AWS, and nowhere else.
pub(super) async fn value_of(cx: &Cx<'_>, secret: &str) -> Result<String> {
    let Some(answer) = cx.secrets.get_secret_value().secret_id(secret).send().await.if_present()? else {
        let message = format!("{secret} has no value that can be read yet");
        return Err(Fault::new(Class::NotYet, "SecretNotVisible", message));
    };
    answer.secret_string.always("text in the secret")
}

/// The value of every version that has a label, by its id, to be compared in memory and go into requests to AWS, and nowhere
/// else. None where there is no such secret.
pub(super) async fn values(cx: &Cx<'_>, secret: &str) -> Result<BTreeMap<String, String>> {
    let mut values = BTreeMap::new();
    let Some(found) = cx.secrets.describe_secret().secret_id(secret).send().await.if_present()? else {
        return Ok(values);
    };
    for version in secret::labelled(&found) {
        let ask = cx.secrets.get_secret_value().secret_id(secret).version_id(&version);
        if let Some(text) = ask.send().await.if_present()?.and_then(|answer| answer.secret_string) {
            values.insert(version, text);
        }
    }
    Ok(values)
}
