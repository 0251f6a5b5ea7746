//! S3: who may speak to whom. Rules refer to groups, never to addresses, save for AWS's own services.

use std::collections::BTreeSet;

use super::super::builder::of;
use super::super::network::Network;
use super::{Builder, Class};
use crate::config::IngressMode;
use crate::resources::ec2::{Peer, Rule, SecurityGroup};
use crate::stack::{Node, Out};

/// Ports that protocols give.
const HTTP: i32 = 80;
const HTTPS: i32 = 443;
const POSTGRESQL: i32 = 5432;
const REDIS: i32 = 6379;
const NFS: i32 = 2049;

pub(super) struct Groups {
    /// Of the VPC link, where the load balancer is reached through one.
    pub link: Option<Node<SecurityGroup>>,
    pub alb: Node<SecurityGroup>,
    pub service: Node<SecurityGroup>,
    pub rds: Node<SecurityGroup>,
    pub cache: Node<SecurityGroup>,
    pub efs: Node<SecurityGroup>,
    /// Of the database's proxy, where there is one.
    pub proxy: Option<Node<SecurityGroup>>,
    /// Of the interface endpoints, where there are any.
    pub endpoints: Option<Node<SecurityGroup>>,
    /// Witnesses that the rules are in place.
    pub rules: BTreeSet<Out<String>>,
}

impl Builder<'_> {
    pub(super) fn groups(&mut self, network: &Network) -> Groups {
        self.layer("network", Class::Internal);
        let mut group = |thing: &str, description: &str| self.group(network, thing, description);
        let mut groups = Groups {
            link: None,
            alb: group("alb", "Load balancer"),
            service: group("service", "Service tasks"),
            rds: group("rds", "Database"),
            cache: group("cache", "Cache"),
            efs: group("efs", "Shared file system"),
            proxy: None,
            endpoints: None,
            rules: BTreeSet::new(),
        };
        if self.config.ingress.mode == IngressMode::Internal {
            groups.link = Some(self.group(network, "link", "VPC link of the API"));
        }
        if self.config.database.proxy {
            groups.proxy = Some(self.group(network, "proxy", "Proxy of the database"));
        }
        if !self.config.network.endpoints.is_empty() {
            groups.endpoints = Some(self.group(network, "endpoints", "Interface endpoints of AWS services"));
        }
        self.rules(&mut groups);
        groups
    }

    fn rules(&mut self, groups: &mut Groups) {
        let mut ports = self.place.recorded.ports.clone();
        ports.insert(self.config.service.port);
        let through = |peer: &Node<SecurityGroup>, what: &str| {
            ports.iter().map(|port| Rule::tcp((*port).into(), of(peer), what)).collect::<Vec<_>>()
        };
        let (alb, service) = (groups.alb.clone(), groups.service.clone());
        let mut to_data = BTreeSet::new();
        for (thing, group, port) in [
            ("rds", groups.rds.clone(), POSTGRESQL),
            ("cache", groups.cache.clone(), REDIS),
            ("efs", groups.efs.clone(), NFS),
        ] {
            to_data.insert(Rule::tcp(port, of(&group), &format!("to {thing}")));
            let mut callers = vec![Rule::tcp(port, of(&service), "from the service")];
            if let Some(proxy) = groups.proxy.as_ref().filter(|_| thing == "rds") {
                callers.push(Rule::tcp(port, of(proxy), "from the proxy"));
            }
            groups.rules.insert(self.set_rules(thing, &group, callers, []));
        }
        if let Some(proxy) = groups.proxy.clone() {
            to_data.insert(Rule::tcp(POSTGRESQL, of(&proxy), "to the proxy"));
            let from_service = [Rule::tcp(POSTGRESQL, of(&service), "from the service")];
            let to_rds = [Rule::tcp(POSTGRESQL, of(&groups.rds), "to rds")];
            groups.rules.insert(self.set_rules("proxy", &proxy, from_service, to_rds));
        }
        if let Some(endpoints) = groups.endpoints.clone() {
            let from_service = [Rule::tcp(HTTPS, of(&service), "from the service")];
            groups.rules.insert(self.set_rules("endpoints", &endpoints, from_service, []));
        }
        let aws = Rule::tcp(HTTPS, Peer::Cidr(ipnet::Ipv4Net::default()), "to AWS services and the image registry");
        to_data.insert(aws);
        let (caller, from_caller) = match groups.link.clone() {
            Some(link) => (of(&link), "from the VPC link"),
            None => (Peer::Cidr(ipnet::Ipv4Net::default()), "from the internet"),
        };
        let to_balancer = [HTTPS, HTTP].map(|port| Rule::tcp(port, caller.clone(), from_caller));
        // Tasks that listen on another port than the next ones must be reached until they have stopped.
        let (from_alb, to_service) = (through(&alb, "from the load balancer"), through(&service, "to the service"));
        let witnesses = [
            self.set_rules("alb", &alb, to_balancer, to_service),
            self.set_rules("service", &service, from_alb, to_data),
        ];
        groups.rules.extend(witnesses);
        if let Some(link) = groups.link.clone() {
            let to_alb = [HTTPS, HTTP].map(|port| Rule::tcp(port, of(&alb), "to the load balancer"));
            groups.rules.insert(self.set_rules("link", &link, [], to_alb));
        }
    }
}
