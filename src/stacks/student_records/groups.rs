//! S3: who may speak to whom. Rules refer to groups, never to addresses, save for AWS's own services.

use std::collections::BTreeSet;

use super::network::Network;
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::ec2::{Peer, Rule, SecurityGroup, SecurityGroupRules};
use crate::stack::{Node, Out};

/// Ports that protocols give.
const HTTP: i32 = 80;
const HTTPS: i32 = 443;
const POSTGRESQL: i32 = 5432;
const REDIS: i32 = 6379;
const NFS: i32 = 2049;

pub(super) struct Groups {
    pub link: Node<SecurityGroup>,
    pub alb: Node<SecurityGroup>,
    pub service: Node<SecurityGroup>,
    pub rds: Node<SecurityGroup>,
    pub cache: Node<SecurityGroup>,
    pub efs: Node<SecurityGroup>,
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
            link: group("link", "VPC link of the API"),
            alb: group("alb", "Load balancer"),
            service: group("service", "Service tasks"),
            rds: group("rds", "Database"),
            cache: group("cache", "Cache"),
            efs: group("efs", "Shared file system"),
            endpoints: None,
            rules: BTreeSet::new(),
        };
        if !self.config.network.endpoints.is_empty() {
            groups.endpoints = Some(self.group(network, "endpoints", "Interface endpoints of AWS services"));
        }
        self.rules(&mut groups);
        groups
    }

    fn group(&mut self, network: &Network, thing: &str, description: &str) -> Node<SecurityGroup> {
        let name = self.name(thing);
        let group = SecurityGroup {
            name,
            description: format!("{description} of student-records {}", self.config.env),
            vpc_id: network.vpc.vpc_id(),
            tags: Tags::new(),
        };
        self.stack.add(format!("group-{thing}"), group)
    }

    fn rules(&mut self, groups: &mut Groups) {
        let port = i32::from(self.config.service.port);
        let (link, alb, service) = (groups.link.clone(), groups.alb.clone(), groups.service.clone());
        let mut to_data = BTreeSet::new();
        for (thing, group, port) in [
            ("rds", groups.rds.clone(), POSTGRESQL),
            ("cache", groups.cache.clone(), REDIS),
            ("efs", groups.efs.clone(), NFS),
        ] {
            to_data.insert(Rule::tcp(port, of(&group), &format!("to {thing}")));
            let from_service = [Rule::tcp(port, of(&service), "from the service")];
            groups.rules.insert(self.set_rules(thing, &group, from_service, []));
        }
        if let Some(endpoints) = groups.endpoints.clone() {
            let from_service = [Rule::tcp(HTTPS, of(&service), "from the service")];
            groups.rules.insert(self.set_rules("endpoints", &endpoints, from_service, []));
        }
        let aws = Rule::tcp(HTTPS, Peer::Cidr(ipnet::Ipv4Net::default()), "to AWS services and the image registry");
        to_data.insert(aws);
        let from_link = [HTTPS, HTTP].map(|port| Rule::tcp(port, of(&link), "from the VPC link"));
        let to_alb = [HTTPS, HTTP].map(|port| Rule::tcp(port, of(&alb), "to the load balancer"));
        let from_alb = [Rule::tcp(port, of(&alb), "from the load balancer")];
        let to_service = [Rule::tcp(port, of(&service), "to the service")];
        let witnesses = [
            self.set_rules("link", &link, [], to_alb),
            self.set_rules("alb", &alb, from_link, to_service),
            self.set_rules("service", &service, from_alb, to_data),
        ];
        groups.rules.extend(witnesses);
    }

    fn set_rules(
        &mut self,
        thing: &str,
        group: &Node<SecurityGroup>,
        ingress: impl IntoIterator<Item = Rule>,
        egress: impl IntoIterator<Item = Rule>,
    ) -> Out<String> {
        let rules = SecurityGroupRules {
            group_id: group.group_id(),
            ingress: ingress.into_iter().collect(),
            egress: egress.into_iter().collect(),
        };
        self.stack.add(format!("group-rules-{thing}"), rules).ruled_group_id()
    }
}

fn of(group: &Node<SecurityGroup>) -> Peer {
    Peer::Group(group.group_id())
}
