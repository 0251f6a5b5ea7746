//! The password of a master user that RDS draws, keeps in a secret of its own, and changes when it is asked to.

use std::time::{Duration, SystemTime};

use aws_sdk_rds::types::{DbCluster, MasterUserSecret};

use crate::error::Class;
use crate::resources::prelude::*;

/// The secret in which RDS keeps the master user's password; none where it keeps none. A cluster that was restored may show
/// the secret of the one that it comes from, which went with that one or is nobody's:
/// hashicorp/terraform-provider-aws#48901.
pub(super) async fn secret<'a>(cx: &Cx<'_>, cluster: &'a DbCluster) -> Result<Option<&'a MasterUserSecret>> {
    let Some(secret) = cluster.master_user_secret() else { return Ok(None) };
    let Some(arn) = secret.secret_arn() else { return Ok(Some(secret)) };
    let answer = match cx.secrets.describe_secret().secret_id(arn).send().await.map_err(Fault::from) {
        // Where it is not permitted to ask, what RDS says must do.
        Err(fault) if fault.class == Class::Denied => return Ok(Some(secret)),
        Err(fault) if fault.class == Class::Absent => return Ok(None),
        answer => answer?,
    };
    Ok((answer.owning_service() == Some("rds")).then_some(secret))
}

/// Whether a managed password is just being changed. It stays `creating` while a cluster has no instance, and `impaired` for
/// good: neither is waited for. API reference, MasterUserSecret: `SecretStatus`.
pub(super) fn is_rotating(secret: Option<&MasterUserSecret>) -> bool {
    secret.and_then(|secret| secret.secret_status()) == Some("rotating")
}

/// How long ago at the most a managed password was changed that a rotation of these minutes has changed.
const LATELY: Duration = Duration::from_secs(600);

/// Whether a password that RDS manages has been changed by the rotation that was begun. Who may not look goes by what RDS
/// says of the secret.
///
/// # Errors
/// That it has not, yet.
pub(super) async fn rotated(cx: &Cx<'_>, secret: &str) -> Result<()> {
    let answer = match cx.secrets.describe_secret().secret_id(secret).send().await.map_err(Fault::from) {
        Err(fault) if fault.class == Class::Denied => return Ok(()),
        answer => answer?,
    };
    let changed = answer.last_changed_date().and_then(|date| SystemTime::try_from(*date).ok());
    match changed.is_some_and(|changed| cx.now().duration_since(changed).unwrap_or_default() < LATELY) {
        true => Ok(()),
        false => Err(Fault::new(Class::NotYet, "StillTheOldPassword", "the managed secret still has the old password")),
    }
}
