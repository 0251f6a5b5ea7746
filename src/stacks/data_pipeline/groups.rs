//! P3: who may speak to whom.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;

use super::super::builder::of;
use super::super::network::Network;
use super::{Builder, Class};
use crate::resources::ec2::{Peer, Rule, SecurityGroup};
use crate::stack::{Node, Out};

const HTTPS: i32 = 443;
const POSTGRESQL: i32 = 5432;

pub(super) struct Groups {
    pub tasks: Node<SecurityGroup>,
    pub database: Node<SecurityGroup>,
    /// Of the interface endpoints, where there are any.
    pub endpoints: Option<Node<SecurityGroup>>,
    /// Witnesses that the rules are in place.
    pub rules: BTreeSet<Out<String>>,
}

pub(super) fn groups(builder: &mut Builder, network: &Network) -> Groups {
    builder.layer("network", Class::Internal);
    let settings = builder.config;
    let tasks = builder.group(network, "ecs-tasks-sg", "Processor tasks");
    let database = builder.group(network, "db-sg", "Database");
    let from_vpc = Rule::tcp(settings.service.port.into(), Peer::Cidr(settings.network.cidr), "from the VPC");
    // Records go wherever the processor's owners send them.
    let anywhere = Rule::any(Peer::Cidr(Ipv4Net::default()), "to anywhere");
    let from_tasks = |port| Rule::tcp(port, of(&tasks), "from the tasks");
    let mut rules = BTreeSet::from([
        builder.set_rules("ecs-tasks-sg", &tasks, [from_vpc], [anywhere]),
        builder.set_rules("db-sg", &database, [from_tasks(POSTGRESQL)], []),
    ]);
    let endpoints = (!settings.network.endpoints.is_empty())
        .then(|| builder.group(network, "endpoints-sg", "Interface endpoints of AWS services"));
    if let Some(group) = &endpoints {
        rules.insert(builder.set_rules("endpoints-sg", group, [from_tasks(HTTPS)], []));
    }
    Groups { tasks, database, endpoints, rules }
}
