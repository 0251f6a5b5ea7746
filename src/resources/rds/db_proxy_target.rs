//! The cluster behind a proxy. Registering it makes each of its instances a target, with a health of its own; it is
//! usable once they are. The pool's size is a setting of the group that the proxy brings along.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_rds::types::{
    ConnectionPoolConfiguration, DbProxyTarget as RdsTarget, TargetHealth, TargetHealthReason, TargetState, TargetType,
};

use crate::error::Class;
use crate::resources::prelude::*;
use crate::resources::values::check_range;

/// The only group of targets there is.
const GROUP: &str = "default";

/// A cluster behind a proxy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbProxyTarget {
    /// The proxy's name.
    pub proxy: Out<String>,
    /// The cluster.
    pub cluster_identifier: Out<String>,
    /// Witness that the cluster's instances are there: a proxy takes none that are being made.
    pub ready_instances: BTreeSet<Out<String>>,
    /// The most connections it may hold, in percent of what the database takes, 1-100. It keeps half of them when idle.
    pub max_connections_percent: i32,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbProxyTargetOutputs {
    /// The proxy's name.
    pub proxy_name: String,
}

impl Node<DbProxyTarget> {
    /// The proxy's name: the witness that a database is behind it.
    pub fn connected_proxy(&self) -> Out<String> {
        self.out("proxy_name")
    }
}

impl Resource for DbProxyTarget {
    type Cloud = Aws;
    type Outputs = DbProxyTargetOutputs;
    const KIND: &'static str = "rds.db_proxy_target";
    const PARENT: Option<&'static str> = Some("rds.db_proxy");
    const IMMUTABLE: &'static [&'static str] = &["proxy", "cluster_identifier"];
    const SERVES: bool = true;
    const WITNESSES: &'static [&'static str] = &["ready_instances"];
    const FORETOLD: &'static [&'static str] = &["proxy_name"];
    /// Role, secret and instance may all be minutes old, and the proxy goes on trying to log in with what it has.
    const TRIES_AGAIN: Option<Duration> = Some(Duration::from_secs(300));
    const WAIT: Wait = Wait::seconds(10, 1800, 600);

    fn check(&self) -> std::result::Result<(), String> {
        check_range("max_connections_percent", self.max_connections_percent, 1, 100)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let recorded = id.is_some();
        let natural = || Some(format!("{}|{}", self.proxy.known()?, self.cluster_identifier.known()?));
        let Some(id) = id.map(str::to_owned).or_else(natural) else { return Ok(None) };
        let (proxy, cluster) = halves(&id)?;
        let targets = match targets(cx, proxy).await.if_present() {
            // AWS tells nothing of the targets of a proxy that it is making or changing.
            Err(fault) if fault.class == Class::Busy => {
                return Ok(recorded.then(|| self.out_of_sight(&id, proxy, cluster)));
            }
            targets => targets?,
        };
        let Some(targets) = targets else { return Ok(None) };
        let tracked = |target: &RdsTarget| {
            target.r#type() == Some(&TargetType::TrackedCluster) && target.rds_resource_id() == Some(cluster)
        };
        if !targets.iter().any(tracked) {
            return Ok(None);
        }
        let Some(max_connections_percent) = most_connections(cx, proxy).await? else { return Ok(None) };
        let live = DbProxyTarget {
            proxy: proxy.into(),
            cluster_identifier: cluster.into(),
            ready_instances: self.ready_instances.clone(),
            max_connections_percent,
        };
        let members = targets.iter().filter(|target| target.tracked_cluster_id() == Some(cluster));
        let health = members.filter_map(|target| target.target_health());
        let outputs = DbProxyTargetOutputs { proxy_name: proxy.to_owned() };
        Ok(Some(Observed::ready(&id, live, outputs).in_phase(phase(health))))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let (proxy, cluster) = (self.proxy.get()?, self.cluster_identifier.get()?);
        let ask = cx.rds.register_db_proxy_targets().db_proxy_name(proxy).target_group_name(GROUP);
        ask.db_cluster_identifiers(cluster).send().await?;
        Ok(format!("{proxy}|{cluster}"))
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("max_connections_percent") {
            let (proxy, _) = halves(&observed.id)?;
            let pool = ConnectionPoolConfiguration::builder()
                .max_connections_percent(self.max_connections_percent)
                .max_idle_connections_percent(self.max_connections_percent / 2);
            let ask = cx.rds.modify_db_proxy_target_group().db_proxy_name(proxy).target_group_name(GROUP);
            ask.connection_pool_config(pool.build()).send().await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (proxy, cluster) = halves(&observed.id)?;
        let ask = cx.rds.deregister_db_proxy_targets().db_proxy_name(proxy).target_group_name(GROUP);
        ask.db_cluster_identifiers(cluster).send().await.if_present()?;
        Ok(())
    }
}

impl DbProxyTarget {
    /// What is recorded, while nobody can say whether it still holds.
    fn out_of_sight(&self, id: &str, proxy: &str, cluster: &str) -> Observed<Self> {
        let live = DbProxyTarget { proxy: proxy.into(), cluster_identifier: cluster.into(), ..self.clone() };
        let outputs = DbProxyTargetOutputs { proxy_name: proxy.to_owned() };
        Observed::ready(id, live, outputs).in_phase(Phase::Pending("the proxy is being changed".to_owned()))
    }
}

fn halves(id: &str) -> Result<(&str, &str)> {
    id.split_once('|').ok_or_else(|| Fault::invalid(format!("{id} is no id of the form proxy|cluster")))
}

async fn targets(cx: &Cx<'_>, proxy: &str) -> Result<Vec<RdsTarget>> {
    let ask = cx.rds.describe_db_proxy_targets().db_proxy_name(proxy).target_group_name(GROUP);
    Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
}

/// What the pool may hold. `None`: the proxy is gone.
async fn most_connections(cx: &Cx<'_>, proxy: &str) -> Result<Option<i32>> {
    let ask = cx.rds.describe_db_proxy_target_groups().db_proxy_name(proxy).target_group_name(GROUP);
    let Some(answer) = ask.send().await.if_present()? else { return Ok(None) };
    let pool = answer.target_groups().first().and_then(|group| group.connection_pool_config());
    Ok(Some(pool.and_then(|pool| pool.max_connections_percent()).unwrap_or_default()))
}

/// What the proxy needs to log in: where it cannot, one of these is the cause. User Guide, "Troubleshooting for RDS Proxy".
const LOOK_AT: &str = "see whether the proxy's role may read the secret and use its key, whether the secret's user and \
                       password open the database, and whether both security groups let the proxy through";

/// Ready once every instance can be reached; failed where the proxy was turned away by one.
fn phase<'a>(health: impl Iterator<Item = &'a TargetHealth>) -> Phase {
    let mut phase = None;
    for target in health {
        let state = target.state().map_or("unknown", TargetState::as_str);
        match (target.state(), target.reason()) {
            (Some(TargetState::Available), _) => phase = phase.or(Some(Phase::Ready)),
            (_, Some(reason @ (TargetHealthReason::AuthFailure | TargetHealthReason::ConnectionFailed))) => {
                let why = target.description().unwrap_or("no description");
                return Phase::Failed(format!("{state}, {}: {why}; {LOOK_AT}", reason.as_str()));
            }
            (_, reason) => phase = Some(Phase::Pending(reason.map_or(state, TargetHealthReason::as_str).to_owned())),
        }
    }
    phase.unwrap_or_else(|| Phase::Pending("no instance registered".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(states: &[(TargetState, Option<TargetHealthReason>)]) -> Phase {
        let health = |(state, reason): &(TargetState, Option<TargetHealthReason>)| {
            TargetHealth::builder().state(state.clone()).set_reason(reason.clone()).build()
        };
        phase(states.iter().map(health).collect::<Vec<_>>().iter())
    }

    #[test]
    fn every_instance_must_be_reached() {
        let (up, registering) = ((TargetState::Available, None), (TargetState::Registering, None));
        let waits = (TargetState::Unavailable, Some(TargetHealthReason::PendingProxyCapacity));
        let refused = (TargetState::Unavailable, Some(TargetHealthReason::AuthFailure));
        assert_eq!(of(&[up.clone(), up.clone()]), Phase::Ready);
        assert_eq!(of(&[]), Phase::Pending("no instance registered".to_owned()));
        assert_eq!(of(&[up.clone(), registering.clone()]), Phase::Pending("REGISTERING".to_owned()));
        assert_eq!(of(&[registering, up.clone()]), Phase::Pending("REGISTERING".to_owned()));
        assert_eq!(of(&[waits, up.clone()]), Phase::Pending("PENDING_PROXY_CAPACITY".to_owned()));
        let Phase::Failed(why) = of(&[up, refused]) else { panic!("it was turned away") };
        for words in ["UNAVAILABLE, AUTH_FAILURE: no description", "role", "secret", "security groups"] {
            assert!(why.contains(words), "{words}: {why}");
        }
    }
}
