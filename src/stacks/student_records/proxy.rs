//! S5, the option: a proxy that pools the service's connections and keeps them through a failover.

use std::collections::BTreeSet;

use super::super::network::Network;
use super::super::policy::{allow, document, trust_as_told};
use super::data::Data;
use super::groups::Groups;
use super::keys::Keys;
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::rds::{DbProxy, DbProxyTarget};
use crate::stack::{Node, Out};

/// Seconds a client may be silent before the proxy lets it go.
const IDLE_SECONDS: i32 = 1800;
/// Percent of the database's connections the proxy may hold.
const CONNECTIONS_PERCENT: i32 = 90;

/// Where the service finds the database's writer.
pub(super) struct Writer {
    /// Its host name.
    pub endpoint: Out<String>,
    /// Witnesses that it answers there.
    pub ready: BTreeSet<Out<String>>,
}

impl Builder<'_> {
    pub(super) fn writer(&mut self, keys: &Keys, network: &Network, groups: &Groups, data: &Data) -> Writer {
        let instances: BTreeSet<Out<String>> = data.instances.iter().map(|node| node.instance_identifier()).collect();
        let Some(group) = &groups.proxy else {
            return Writer { endpoint: data.database.endpoint(), ready: instances };
        };
        self.layer("rds", Class::Restricted);
        let secret = data.database.master_user_secret_arn();
        let read = allow("ReadSecret", &["secretsmanager:GetSecretValue"], std::slice::from_ref(&secret));
        let trust = trust_as_told(self.place, "rds.amazonaws.com", self.place.arn("rds", "db-proxy:*"));
        let policy = document([read, self.decrypt_secrets(&keys.secrets)]);
        let role = self.role("proxy", "Reads the database's secret for its proxy", trust, policy);
        let name = self.name("proxy");
        let logs = self.log_group("proxy", format!("/aws/rds/proxy/{name}"), &keys.logs);
        let proxy = self.stack.add(
            "db-proxy",
            DbProxy {
                name,
                engine_family: "POSTGRESQL".into(),
                secret_arn: secret,
                role_arn: role.arn(),
                subnet_ids: network.private_ids(),
                security_group_ids: [group.group_id()].into(),
                require_tls: true,
                iam_auth: false,
                idle_client_timeout_seconds: IDLE_SECONDS,
                debug_logging: false,
                log_group: Some(logs.group_name()),
                tags: Tags::new(),
            },
        );
        let target = self.target(&proxy, data, instances);
        Writer { endpoint: proxy.endpoint(), ready: [target.connected_proxy()].into() }
    }

    fn target(
        &mut self,
        proxy: &Node<DbProxy>,
        data: &Data,
        ready_instances: BTreeSet<Out<String>>,
    ) -> Node<DbProxyTarget> {
        self.stack.add(
            "db-proxy-target",
            DbProxyTarget {
                proxy: proxy.proxy_name(),
                cluster_identifier: data.database.cluster_identifier(),
                ready_instances,
                max_connections_percent: CONNECTIONS_PERCENT,
            },
        )
    }
}
