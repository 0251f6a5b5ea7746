//! A new password for a master user whose credentials stand in a secret. It is drawn into the secret's `AWSPENDING`
//! version first, then given to RDS, and becomes `AWSCURRENT` once RDS has it: so at every moment one of the two versions
//! opens the database, and whoever goes on after a crash finds the same password there.

use serde_json::Value;

use crate::resources::prelude::*;
use crate::resources::secretsmanager::stages::{CURRENT, PENDING, Stages};
use crate::resources::secretsmanager::{new_password, value_at};

/// Gives the instance a new password, or again the one that is still pending.
pub(super) async fn begin(cx: &Cx<'_>, instance: &str, secret: &str) -> Result<()> {
    if pending(&Stages::of(cx, secret).await?).is_none() {
        draw(cx, secret).await?;
    }
    let credentials = read(cx, secret, PENDING).await?;
    let password = credentials["password"].as_str().always("password in the pending version")?;
    // It is taken in as soon as AWS can: to ask for that would carry out whatever else waits.
    cx.rds.modify_db_instance().db_instance_identifier(instance).master_user_password(password).send().await?;
    Ok(())
}

/// Makes the password that the instance has by now the one that everybody reads.
pub(super) async fn settle(cx: &Cx<'_>, secret: &str) -> Result<()> {
    let stages = Stages::of(cx, secret).await?;
    match pending(&stages) {
        Some(next) => stages.give(cx, CURRENT, next).await,
        None => Ok(()),
    }
}

/// A version that waits to become the current one. Having become it, it keeps its label, as with AWS's own rotation.
fn pending(stages: &Stages) -> Option<&str> {
    stages.with(PENDING).filter(|version| stages.with(CURRENT) != Some(*version))
}

/// What stands beside the password stays as it is.
async fn draw(cx: &Cx<'_>, secret: &str) -> Result<()> {
    let mut credentials = read(cx, secret, CURRENT).await?;
    let length = credentials["password"].as_str().map(str::len).always("password in the secret")?;
    credentials["password"] = new_password(cx, length).await?.into();
    let ask = cx.secrets.put_secret_value().secret_id(secret).version_stages(PENDING);
    ask.secret_string(credentials.to_string()).send().await?;
    Ok(())
}

async fn read(cx: &Cx<'_>, secret: &str, stage: &str) -> Result<Value> {
    let value = serde_json::from_str::<Value>(&value_at(cx, secret, stage).await?).ok();
    value
        .filter(Value::is_object)
        .ok_or_else(|| Fault::invalid(format!("{secret} is no JSON object with username and password; put one there")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_become_current_waits_no_more() {
        let pending = |all: &[(&str, &[&str])]| pending(&Stages::told(all)).map(str::to_owned);
        assert_eq!(pending(&[("a", &[CURRENT]), ("b", &[PENDING])]).unwrap(), "b");
        assert_eq!(pending(&[("a", &["AWSPREVIOUS"]), ("b", &[CURRENT, PENDING])]), None);
        assert_eq!(pending(&[("a", &[CURRENT])]), None);
    }
}
