//! An RDS proxy: a pool of connections in front of a database. What it stands in front of is a node of its own; its group
//! of targets, `default`, comes and goes with it.

use std::collections::BTreeSet;

use aws_sdk_rds::types::{AuthScheme, DbProxy as RdsProxy, DbProxyStatus, EngineFamily, IamAuthMode, UserAuthConfig};

use super::{retag, tags_of, to_rds};
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::values::{check_identifier, check_range, known, outs, text};

/// In how many subnets it stands at least.
const FEWEST_SUBNETS: usize = 2;

/// A pool of connections that clients share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbProxy {
    /// Its name, 1-63 characters in lower case.
    pub name: String,
    /// What it speaks: `POSTGRESQL`, `MYSQL` or `SQLSERVER`.
    pub engine_family: String,
    /// The secret with the user and password it logs in to the database with.
    pub secret_arn: Out<String>,
    /// The role it reads the secret with.
    pub role_arn: Out<String>,
    /// The subnets it stands in, in at least two availability zones.
    pub subnet_ids: BTreeSet<Out<String>>,
    /// The security groups of its endpoint.
    pub security_group_ids: BTreeSet<Out<String>>,
    /// Whether clients must speak TLS.
    pub require_tls: bool,
    /// Whether clients must log in as IAM identities, or else with the user and password of the secret.
    pub iam_auth: bool,
    /// Seconds after which it drops a client that says nothing, 1-28800.
    pub idle_client_timeout_seconds: i32,
    /// Whether it logs every statement, personal data included; AWS ends that after a day.
    pub debug_logging: bool,
    /// Witness that its log group exists, `/aws/rds/proxy/` and its name: RDS would make it itself, without key and
    /// retention.
    #[serde(default)]
    pub log_group: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DbProxyOutputs {
    /// Its name.
    pub proxy_name: String,
    /// Its ARN, whose last part is its id and not its name.
    pub arn: String,
    /// Its host name.
    pub endpoint: Option<String>,
}

impl Node<DbProxy> {
    /// Its name, known once it exists.
    pub fn proxy_name(&self) -> Out<String> {
        self.out("proxy_name")
    }

    /// Its ARN, whose last part is its id and not its name.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// Its host name.
    pub fn endpoint(&self) -> Out<String> {
        self.out("endpoint")
    }
}

impl Named for RdsProxy {
    const LIST: &'static str = "rds.db-proxies";

    fn name(&self) -> Option<&str> {
        self.db_proxy_name()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let ask = cx.rds.describe_db_proxies().set_db_proxy_name(name.map(str::to_owned));
        Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
    }
}

impl Resource for DbProxy {
    type Cloud = Aws;
    type Outputs = DbProxyOutputs;
    const KIND: &'static str = "rds.db_proxy";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name", "engine_family", "subnet_ids"];
    const SERVES: bool = true;
    const WITNESSES: &'static [&'static str] = &["log_group"];
    const FORETOLD: &'static [&'static str] = &["proxy_name"];
    const WAIT: Wait = Wait::seconds(10, 1800, 3600).usually(300, 60);

    fn check(&self) -> std::result::Result<(), String> {
        check_identifier("name", &self.name, 63)?;
        check_range("idle_client_timeout_seconds", self.idle_client_timeout_seconds, 1, 28_800)?;
        if !["POSTGRESQL", "MYSQL", "SQLSERVER"].contains(&self.engine_family.as_str()) {
            return Err(format!("engine_family is {:?}; AWS allows POSTGRESQL, MYSQL, SQLSERVER", self.engine_family));
        }
        match self.subnet_ids.len() >= FEWEST_SUBNETS {
            true => Ok(()),
            false => Err("subnet_ids has fewer than two; AWS wants them in two availability zones".to_owned()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(proxy) = find::<RdsProxy>(cx, &self.name, id).await? else { return Ok(None) };
        let (name, arn) = (text(proxy.name()), text(proxy.db_proxy_arn()));
        let Some(tags) = tags_of(cx, &arn).await.if_present()? else { return Ok(None) };
        let outputs = DbProxyOutputs { proxy_name: name.clone(), arn: arn.clone(), endpoint: proxy.endpoint.clone() };
        // Its ARN ends in an id of its own, `prx-…`, which its name does not.
        let (subnet_ids, log_group) = (subnets(&proxy, &self.subnet_ids), self.log_group.clone());
        let live = DbProxy { subnet_ids, log_group, ..live(&proxy, tags) };
        Ok(Some(Observed::ready(name, live, outputs).in_phase(phase(&proxy)).known_by(arn)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        cx.rds
            .create_db_proxy()
            .db_proxy_name(&self.name)
            .engine_family(EngineFamily::from(self.engine_family.as_str()))
            .auth(self.auth()?)
            .role_arn(self.role_arn.get()?)
            .set_vpc_subnet_ids(Some(known(&self.subnet_ids)?))
            .set_vpc_security_group_ids(Some(known(&self.security_group_ids)?))
            .require_tls(self.require_tls)
            .idle_client_timeout(self.idle_client_timeout_seconds)
            .debug_logging(self.debug_logging)
            .set_tags(Some(to_rds(&self.tags)))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.changes.iter().any(|change| change.field() != "tags") {
            self.modify(cx, &observed.id, diff).await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase == Phase::Deleting {
            return Ok(());
        }
        cx.rds.delete_db_proxy().db_proxy_name(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let all = cx.pass.shared(RdsProxy::LIST, || RdsProxy::describe(cx, None)).await?;
        let name = |arn: &str, _: &str| {
            let proxy = all.iter().find(|proxy| proxy.db_proxy_arn() == Some(arn));
            proxy.and_then(|proxy| proxy.db_proxy_name.clone())
        };
        index::list(cx, "rds", "db-proxy:", name).await
    }
}

impl DbProxy {
    async fn modify(&self, cx: &Cx<'_>, id: &str, diff: &Diff) -> Result<()> {
        let mut ask = cx.rds.modify_db_proxy().db_proxy_name(id);
        if diff.has_any(&["secret_arn", "iam_auth"]) {
            ask = ask.auth(self.auth()?);
        }
        if diff.has("role_arn") {
            ask = ask.role_arn(self.role_arn.get()?);
        }
        if diff.has("security_group_ids") {
            ask = ask.set_security_groups(Some(known(&self.security_group_ids)?));
        }
        let timeout = diff.has("idle_client_timeout_seconds").then_some(self.idle_client_timeout_seconds);
        ask.set_require_tls(diff.has("require_tls").then_some(self.require_tls))
            .set_idle_client_timeout(timeout)
            .set_debug_logging(diff.has("debug_logging").then_some(self.debug_logging))
            .send()
            .await?;
        Ok(())
    }

    fn auth(&self) -> Result<UserAuthConfig> {
        let mode = if self.iam_auth { IamAuthMode::Required } else { IamAuthMode::Disabled };
        let auth = UserAuthConfig::builder().auth_scheme(AuthScheme::Secrets).secret_arn(self.secret_arn.get()?);
        Ok(auth.iam_auth(mode).build())
    }
}

fn live(proxy: &RdsProxy, tags: Tags) -> DbProxy {
    // Another way in that somebody added is a difference, as another secret is.
    let secrets: Vec<&str> = proxy.auth().iter().filter_map(|auth| auth.secret_arn()).collect();
    DbProxy {
        name: text(proxy.name()),
        engine_family: text(proxy.engine_family()),
        secret_arn: secrets.join(", ").into(),
        role_arn: text(proxy.role_arn()).into(),
        subnet_ids: BTreeSet::new(),
        security_group_ids: outs(proxy.vpc_security_group_ids().iter().map(String::as_str)),
        require_tls: proxy.require_tls().unwrap_or_default(),
        iam_auth: proxy.auth().iter().any(|auth| auth.iam_auth() == Some(&IamAuthMode::Required)),
        idle_client_timeout_seconds: proxy.idle_client_timeout().unwrap_or_default(),
        debug_logging: proxy.debug_logging().unwrap_or_default(),
        log_group: None,
        tags,
    }
}

/// The live subnets, or those that are wanted where the live ones serve as well: two of them are enough, and AWS leaves out
/// one in a zone that has no proxies without a word (AWS re:Post, "RDS Proxy subnet in use1-az3"). They can never change.
fn subnets(proxy: &RdsProxy, wanted: &BTreeSet<Out<String>>) -> BTreeSet<Out<String>> {
    let live = outs(proxy.vpc_subnet_ids().iter().map(String::as_str));
    match live.len() >= FEWEST_SUBNETS && live.is_subset(wanted) {
        true => wanted.clone(),
        false => live,
    }
}

fn phase(proxy: &RdsProxy) -> Phase {
    match proxy.status() {
        Some(DbProxyStatus::Available) => Phase::Ready,
        Some(DbProxyStatus::Deleting) => Phase::Deleting,
        Some(
            status @ (DbProxyStatus::IncompatibleNetwork
            | DbProxyStatus::InsufficientResourceLimits
            | DbProxyStatus::Suspended),
        ) => Phase::Failed(status.as_str().to_owned()),
        status => Phase::Pending(status.map_or("unknown", DbProxyStatus::as_str).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_the_wanted_subnets_are_enough() {
        let wanted = outs(["a", "b", "c"]);
        for (live, satisfied) in [(vec!["a", "b"], true), (vec!["a"], false), (vec!["a", "d"], false)] {
            let ids = live.iter().map(|id| (*id).to_owned()).collect();
            let proxy = RdsProxy::builder().set_vpc_subnet_ids(Some(ids)).build();
            let found = subnets(&proxy, &wanted);
            assert_eq!(found, if satisfied { wanted.clone() } else { outs(live) });
        }
        // One that is yet to be made.
        let more: BTreeSet<_> = wanted.into_iter().chain([Out::Ref("subnet-private-d.subnet_id".to_owned())]).collect();
        let proxy = RdsProxy::builder().vpc_subnet_ids("a").vpc_subnet_ids("b").build();
        assert_eq!(subnets(&proxy, &more), more);
    }
}
