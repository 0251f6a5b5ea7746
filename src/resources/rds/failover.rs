//! Who becomes the writer of an Aurora cluster before the one that is goes. Deleted as it is, it would take its connections
//! with it until AWS has found another; asked to hand over first, it does so in a known moment to a member that stays. User
//! guide of Aurora, "High availability for Amazon Aurora"; API reference, FailoverDBCluster.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{DbCluster as RdsCluster, DbClusterMember, DbInstance as RdsInstance, Filter};

use crate::resources::prelude::*;

const FAILING_OVER: &str = "failing-over";
/// What a member is that will not be there soon.
const LOST: [&str; 6] = ["deleting", "failed", "stopped", "stopping", "incompatible", "inaccessible"];

/// Who comes next.
#[derive(Debug, PartialEq, Eq)]
enum Succession {
    /// It is not the writer, or nobody could follow.
    None,
    /// One is on the way.
    Awaited(String),
    /// This member can.
    By(String),
}

/// Has another member become the writer where this one is. What is waited for; `None`: nothing.
///
/// # Errors
/// Where AWS refuses it, as while the cluster is being changed.
pub(super) async fn relieve(aws: &Aws, cluster: &str, member: &str) -> Result<Option<String>> {
    let Some(found) = cluster_of(aws, cluster).await? else { return Ok(None) };
    if found.status() == Some(FAILING_OVER) {
        return Ok(Some(FAILING_OVER.to_owned()));
    }
    match succession(&found, &statuses(aws, cluster).await?, member) {
        Succession::None => Ok(None),
        Succession::Awaited(who) => Ok(Some(format!("for {who}, which is to be the writer"))),
        Succession::By(heir) => {
            let ask = aws.rds.failover_db_cluster().db_cluster_identifier(cluster);
            ask.target_db_instance_identifier(&heir).send().await?;
            Ok(Some(format!("for {heir} to be the writer")))
        }
    }
}

/// The member that becomes the writer before this one goes. `None`: it is not the writer, or the only one.
///
/// # Errors
/// Where AWS does not answer.
pub async fn heir(aws: &Aws, member: &str) -> Result<Option<String>> {
    let ask = aws.rds.describe_db_instances().db_instance_identifier(member);
    let answer = ask.send().await.if_present()?;
    let instance = answer.and_then(|answer| answer.db_instances.unwrap_or_default().pop());
    let Some(cluster) = instance.and_then(|instance| instance.db_cluster_identifier) else { return Ok(None) };
    let Some(found) = cluster_of(aws, &cluster).await? else { return Ok(None) };
    Ok(match succession(&found, &statuses(aws, &cluster).await?, member) {
        Succession::None => None,
        Succession::Awaited(heir) | Succession::By(heir) => Some(heir),
    })
}

async fn cluster_of(aws: &Aws, cluster: &str) -> Result<Option<RdsCluster>> {
    let answer = aws.rds.describe_db_clusters().db_cluster_identifier(cluster).send().await.if_present()?;
    Ok(answer.and_then(|answer| answer.db_clusters.unwrap_or_default().pop()))
}

/// The status of each member, by its name.
async fn statuses(aws: &Aws, cluster: &str) -> Result<BTreeMap<String, String>> {
    let of_cluster = Filter::builder().name("db-cluster-id").values(cluster).build();
    let asked = aws.rds.describe_db_instances().filters(of_cluster).into_paginator().items().send();
    let all: Vec<RdsInstance> = asked.collect::<std::result::Result<_, _>>().await.map_err(Fault::from)?;
    Ok(all.into_iter().filter_map(|one| Some((one.db_instance_identifier?, one.db_instance_status?))).collect())
}

/// The first in the line of those that take over, as AWS would choose: members that are to go are its last.
fn succession(cluster: &RdsCluster, statuses: &BTreeMap<String, String>, member: &str) -> Succession {
    let members = cluster.db_cluster_members();
    let name = |one: &DbClusterMember| one.db_instance_identifier().unwrap_or_default().to_owned();
    if !members.iter().any(|one| name(one) == member && one.is_cluster_writer() == Some(true)) {
        return Succession::None;
    }
    let status = |name: &str| statuses.get(name).map(String::as_str).unwrap_or_default();
    let lasts = |name: &str| !status(name).is_empty() && !LOST.iter().any(|lost| status(name).starts_with(lost));
    let mut heirs: Vec<(i32, String)> =
        members.iter().map(|one| (one.promotion_tier().unwrap_or(i32::MAX), name(one))).collect();
    heirs.retain(|(_, name)| name != member && lasts(name));
    heirs.sort();
    let ready = heirs.iter().find(|(_, name)| status(name) == "available");
    match (ready, heirs.first()) {
        (Some((_, heir)), _) => Succession::By(heir.clone()),
        (None, Some((_, heir))) => Succession::Awaited(heir.clone()),
        (None, None) => Succession::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(writer: &str) -> RdsCluster {
        let member = |(name, tier): (&str, i32)| {
            let member = DbClusterMember::builder().db_instance_identifier(name).promotion_tier(tier);
            member.is_cluster_writer(name == writer).build()
        };
        RdsCluster::builder().set_db_cluster_members(Some([("a", 2), ("b", 1), ("c", 0)].map(member).into())).build()
    }

    fn by(writer: &str, statuses: &[(&str, &str)], member: &str) -> Succession {
        let statuses = statuses.iter().map(|(name, status)| ((*name).to_owned(), (*status).to_owned())).collect();
        succession(&cluster(writer), &statuses, member)
    }

    #[test]
    fn the_first_in_line_that_is_there_takes_over() {
        let all = [("a", "available"), ("b", "available"), ("c", "available")];
        assert_eq!(by("a", &all, "a"), Succession::By("c".to_owned()));
        assert_eq!(by("b", &all, "a"), Succession::None, "a reader hands over nothing");
        let busy = [("a", "available"), ("b", "available"), ("c", "modifying")];
        assert_eq!(by("a", &busy, "a"), Succession::By("b".to_owned()));
        let coming = [("a", "available"), ("b", "deleting"), ("c", "modifying")];
        assert_eq!(by("a", &coming, "a"), Succession::Awaited("c".to_owned()));
        let alone = [("a", "available"), ("b", "deleting"), ("c", "incompatible-network")];
        assert_eq!(by("a", &alone, "a"), Succession::None);
    }
}
