//! A new password for a master user whose credentials stand in a secret. It is drawn into the secret's `AWSPENDING`
//! version first, then given to RDS, and becomes `AWSCURRENT` once RDS has it: so at every moment one of the two versions
//! opens the database, and whoever goes on after a crash finds the same password there.

use std::collections::HashMap;

use serde_json::Value;

use crate::resources::prelude::*;
use crate::resources::secretsmanager::new_password;

const CURRENT: &str = "AWSCURRENT";
const PENDING: &str = "AWSPENDING";

/// Gives the instance a new password, or again the one that is still pending.
pub(super) async fn begin(cx: &Cx<'_>, instance: &str, secret: &str) -> Result<()> {
    if pending(&versions(cx, secret).await?).is_none() {
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
    let versions = versions(cx, secret).await?;
    let Some(next) = pending(&versions) else { return Ok(()) };
    let current = versions.iter().find(|(_, stages)| stages.iter().any(|stage| stage == CURRENT));
    cx.secrets
        .update_secret_version_stage()
        .secret_id(secret)
        .version_stage(CURRENT)
        .move_to_version_id(next)
        .set_remove_from_version_id(current.map(|(version, _)| version.clone()))
        .send()
        .await?;
    Ok(())
}

/// A version that waits to become the current one. Having become it, it keeps its label, as with AWS's own rotation.
fn pending(versions: &HashMap<String, Vec<String>>) -> Option<&String> {
    let has = |stages: &[String], stage: &str| stages.iter().any(|other| other == stage);
    let waits = |(_, stages): &(&String, &Vec<String>)| has(stages, PENDING) && !has(stages, CURRENT);
    versions.iter().find(waits).map(|(version, _)| version)
}

async fn versions(cx: &Cx<'_>, secret: &str) -> Result<HashMap<String, Vec<String>>> {
    Ok(cx.secrets.describe_secret().secret_id(secret).send().await?.version_ids_to_stages.unwrap_or_default())
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
    let answer = cx.secrets.get_secret_value().secret_id(secret).version_stage(stage).send().await?;
    let value = answer.secret_string().and_then(|text| serde_json::from_str::<Value>(text).ok());
    value
        .filter(Value::is_object)
        .ok_or_else(|| Fault::invalid(format!("{secret} is no JSON object with username and password; put one there")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(all: &[(&str, &[&str])]) -> HashMap<String, Vec<String>> {
        let stages = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect();
        all.iter().map(|(version, given)| ((*version).to_owned(), stages(given))).collect()
    }

    #[test]
    fn what_has_become_current_waits_no_more() {
        assert_eq!(pending(&versions(&[("a", &[CURRENT]), ("b", &[PENDING])])).unwrap(), "b");
        assert_eq!(pending(&versions(&[("a", &["AWSPREVIOUS"]), ("b", &[CURRENT, PENDING])])), None);
        assert_eq!(pending(&versions(&[("a", &[CURRENT])])), None);
    }
}
