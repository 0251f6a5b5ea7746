//! Databases that are stopped, or whose key RDS cannot use for now: both wait to be started. AWS takes no change of them
//! until then, and deletes no cluster; it starts a stopped one by itself after seven days. One whose key it missed for
//! seven days is lost but for its backups (Amazon RDS User Guide, "Encrypting Amazon RDS resources"; Amazon Aurora User
//! Guide, "Stopping and starting an Amazon Aurora DB cluster").

use std::time::Duration;

use aws_sdk_rds::types::{DbCluster as RdsCluster, SourceType};
use jiff::Timestamp;

use crate::error::Class;
use crate::resources::last_snapshot;
use crate::resources::named::Named;
use crate::resources::prelude::*;

const STOPPED: &str = "stopped";
const KEY_MISSED: &str = "inaccessible-encryption-credentials-recoverable";
const KEY_LOST: &str = "inaccessible-encryption-credentials";
/// Of an instance in these AWS takes no last snapshot (API reference, DeleteDBInstance); and none under a key that it
/// cannot use.
const WITHOUT_SNAPSHOT: [&str; 5] = ["failed", "incompatible-restore", "incompatible-network", KEY_MISSED, KEY_LOST];
/// How long AWS waits for a key.
const KEY_AWAITED: Duration = Duration::from_secs(7 * 24 * 3600);
/// The furthest back that AWS tells events, in minutes.
const EVENTS: i32 = 14 * 24 * 60;

/// What AWS calls the status of what has ended badly.
fn status(phase: &Phase) -> &str {
    match phase {
        Phase::Failed(words) => words.split(':').next().unwrap_or_default(),
        _ => "",
    }
}

/// Whether it waits to be started.
pub(super) fn is_down(phase: &Phase) -> bool {
    [STOPPED, KEY_MISSED].contains(&status(phase))
}

/// Starts a cluster that is down. With differences, those come when it is there.
pub(super) async fn start_cluster(cx: &Cx<'_>, id: &str, diff: &Diff) -> Result<()> {
    cx.rds.start_db_cluster().db_cluster_identifier(id).send().await?;
    first(diff)
}

/// Starts an instance that is down, likewise.
pub(super) async fn start_instance(cx: &Cx<'_>, id: &str, diff: &Diff) -> Result<()> {
    cx.rds.start_db_instance().db_instance_identifier(id).send().await?;
    first(diff)
}

/// Restarts an instance. Never with a failover: that would leave it as it is (API reference, ModifyDBInstance,
/// DBParameterGroupName: "reboot the instance without failover").
pub(super) async fn restart(cx: &Cx<'_>, id: &str) -> Result<()> {
    cx.rds.reboot_db_instance().db_instance_identifier(id).send().await?;
    Ok(())
}

/// Whether it could not start with the parameters that it has, or had: AWS takes nothing but a restart or its removal then
/// (Amazon RDS User Guide, "Troubleshooting for Amazon RDS", "Amazon RDS DB instance incompatible-parameters status").
pub(super) fn could_not_start(phase: &Phase) -> bool {
    status(phase) == "incompatible-parameters"
}

/// Starts the cluster of a member that is down, unless that is under way already.
pub(super) async fn start_cluster_of(cx: &Cx<'_>, member: &Observed<super::DbInstance>, diff: &Diff) -> Result<()> {
    let Some(cluster) = member.live.cluster_identifier.as_ref() else { return Ok(()) };
    let id = cluster.get()?;
    let found = RdsCluster::describe(cx, Some(id)).await.if_present()?.unwrap_or_default().pop();
    match found.as_ref().and_then(|cluster| cluster.status()) {
        Some(STOPPED | KEY_MISSED) => start_cluster(cx, id, diff).await,
        _ => first(diff),
    }
}

fn first(diff: &Diff) -> Result<()> {
    match diff.is_empty() {
        true => Ok(()),
        false => Err(starting()),
    }
}

fn starting() -> Fault {
    Fault::new(Class::Busy, "Starting", "it is stopped, and is being started first")
}

/// Whether a removal was refused because the thing is down. Only where AWS demands it, it is started to be deleted.
pub(super) fn is_refused_while_down(asked: &Result<()>, phase: &Phase) -> bool {
    let of_ours = [super::UNPROTECTING, last_snapshot::TAKING];
    matches!(asked, Err(fault) if fault.class == Class::Busy && !of_ours.contains(&fault.code.as_str()) && is_down(phase))
}

/// What a removal comes to that needs a start first.
pub(super) fn after_start(started: Result<()>) -> Result<()> {
    started.and(Err(starting()))
}

/// Why AWS could take no last snapshot of it now.
pub(super) fn without_snapshot(phase: &Phase) -> Option<String> {
    let status = Some(status(phase)).filter(|status| WITHOUT_SNAPSHOT.contains(status))?;
    Some(format!("AWS takes no last snapshot of it while it is {status}"))
}

/// What a person must know of a database whose key RDS cannot use: until when it can be saved.
pub(super) async fn told(cx: &Cx<'_>, status: &str, name: &str, kind: SourceType) -> Option<String> {
    match status {
        KEY_LOST => Some("RDS could not use its KMS key for seven days; only a backup brings it back".to_owned()),
        KEY_MISSED => {
            let until = missed_since(cx, name, kind).await.and_then(|since| since.checked_add(KEY_AWAITED).ok());
            let until = until.map_or("seven days after that began".to_owned(), |until| format!("on {until:.0}"));
            Some(format!(
                "RDS cannot use its KMS key; it is lost {until}, unless the key is there again and it is started"
            ))
        }
        _ => None,
    }
}

/// When RDS said that it could not use the key, as far as its events tell.
async fn missed_since(cx: &Cx<'_>, name: &str, kind: SourceType) -> Option<Timestamp> {
    let ask = cx.rds.describe_events().source_identifier(name).source_type(kind).duration(EVENTS);
    let answer = ask.send().await.ok()?;
    let of_keys = answer.events().iter().filter(|event| {
        let words = event.message().unwrap_or_default().to_lowercase();
        words.contains("kms") || words.contains("encryption key")
    });
    let last = of_keys.filter_map(|event| event.date()).max()?;
    Timestamp::from_second(last.secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(words: &str) -> Phase {
        Phase::Failed(words.to_owned())
    }

    #[test]
    fn what_waits_to_be_started_is_told_from_what_is_lost() {
        assert!(is_down(&ended("stopped")) && is_down(&ended("stopped: DB cluster stopped")));
        assert!(is_down(&ended("inaccessible-encryption-credentials-recoverable: RDS cannot use its KMS key")));
        for words in ["inaccessible-encryption-credentials", "incompatible-network", "failed", "storage-full"] {
            assert!(!is_down(&ended(words)), "{words}");
        }
        assert!(!is_down(&Phase::Pending("stopping".to_owned())) && !is_down(&Phase::Ready));
    }

    #[test]
    fn what_could_not_start_is_restarted_and_not_started() {
        let down = ended("incompatible-parameters: Database cannot be started due to incompatible parameters");
        assert!(could_not_start(&down) && !is_down(&down));
        assert!(!could_not_start(&ended("incompatible-network")) && !could_not_start(&Phase::Ready));
    }

    #[test]
    fn a_wreck_leaves_no_snapshot() {
        assert_eq!(
            without_snapshot(&ended("incompatible-network: no free address")).unwrap(),
            "AWS takes no last snapshot of it while it is incompatible-network"
        );
        assert!(without_snapshot(&ended("inaccessible-encryption-credentials")).is_some());
        for phase in [ended("stopped"), ended("storage-full"), ended("incompatible-parameters"), Phase::Ready] {
            assert_eq!(without_snapshot(&phase), None, "{phase:?}");
        }
    }

    #[test]
    fn only_a_refusal_of_what_is_down_asks_for_a_start() {
        let busy = || Err(Fault::new(Class::Busy, "InvalidDBClusterStateFault", "it is stopped"));
        assert!(is_refused_while_down(&busy(), &ended("stopped")));
        assert!(!is_refused_while_down(&busy(), &Phase::Ready));
        assert!(!is_refused_while_down(&Ok(()), &ended("stopped")));
        for of_ours in [super::super::UNPROTECTING, last_snapshot::TAKING] {
            let busy = Err(Fault::new(Class::Busy, of_ours, "in a moment"));
            assert!(!is_refused_while_down(&busy, &ended("stopped")), "{of_ours}");
        }
    }
}
