//! The VPC, its subnets and ways out, and the record of its traffic.

use std::collections::BTreeSet;

use super::builder::{Builder, Class, zone_letters};
use super::policy::{allow, document, trust};
use crate::config::{Config, Endpoint, Nat};
use crate::resource::Tags;
use crate::resources::ec2::{
    ElasticIp, EndpointType, FlowLog, InternetGateway, InternetGatewayAttachment, NatGateway, Route, RouteTable,
    RouteTableAssociation, SecurityGroup, SecurityGroupRules, Subnet, Vpc, VpcEndpoint,
};
use crate::resources::iam::Role;
use crate::resources::kms::Key;
use crate::resources::logs::LogGroup;
use crate::stack::{Node, Out};

/// Seconds over which flow log records are gathered: AWS allows 60 or 600.
const FLOW_LOG_INTERVAL: i32 = 60;

pub(super) struct Network {
    pub vpc: Node<Vpc>,
    pub public: Vec<Node<Subnet>>,
    pub private: Vec<Node<Subnet>>,
    /// Witness that the VPC reaches the internet.
    pub internet: Out<String>,
    /// Witnesses that the private subnets have their way out.
    pub private_routes: BTreeSet<Out<String>>,
    private_tables: Vec<Node<RouteTable>>,
}

impl Network {
    pub fn public_ids(&self) -> BTreeSet<Out<String>> {
        self.public.iter().map(Node::subnet_id).collect()
    }

    pub fn private_ids(&self) -> BTreeSet<Out<String>> {
        self.private.iter().map(Node::subnet_id).collect()
    }
}

impl Builder<'_> {
    pub(super) fn network(&mut self, logs_key: &Node<Key>) -> Network {
        self.layer("network", Class::Internal);
        let settings = &self.config.network;
        let vpc = self
            .stack
            .add("vpc", Vpc { cidr: settings.cidr, dns_support: true, dns_hostnames: true, tags: Tags::new() });
        let group_id = vpc.default_security_group_id();
        let emptied = SecurityGroupRules { group_id, ingress: BTreeSet::new(), egress: BTreeSet::new() };
        self.stack.add("default-group-rules", emptied);
        self.flow_log(&vpc, logs_key);
        let gateway = self.stack.add("internet-gateway", InternetGateway { tags: Tags::new() });
        let attachment = self.stack.add(
            "internet-gateway-attachment",
            InternetGatewayAttachment { internet_gateway_id: gateway.internet_gateway_id(), vpc_id: vpc.vpc_id() },
        );
        let public = self.public_subnets(&vpc, &gateway, &attachment);
        let nats = self.nat_gateways(&public, &attachment);
        let mut network = Network {
            vpc,
            public,
            private: Vec::new(),
            internet: attachment.attached_vpc_id(),
            private_routes: BTreeSet::new(),
            private_tables: Vec::new(),
        };
        self.private_subnets(&mut network, &nats);
        network
    }

    fn subnet(&mut self, vpc: &Node<Vpc>, side: &str, index: usize) -> Node<Subnet> {
        let settings = &self.config.network;
        let cidrs = if side == "public" { &settings.public_subnets } else { &settings.private_subnets };
        let letter = zone_letters(index + 1).last().unwrap_or('a');
        self.stack.add(
            format!("subnet-{side}-{letter}"),
            Subnet {
                vpc_id: vpc.vpc_id(),
                cidr: cidrs[index],
                availability_zone: self.place.zones[index].clone(),
                // Nothing we run in them wants a public address of its own.
                map_public_ip_on_launch: false,
                tags: Tags::new(),
            },
        )
    }

    fn table(&mut self, name: &str, vpc: &Node<Vpc>) -> Node<RouteTable> {
        self.stack.add(format!("route-table-{name}"), RouteTable { vpc_id: vpc.vpc_id(), tags: Tags::new() })
    }

    fn associate(&mut self, name: &str, table: &Node<RouteTable>, subnet: &Node<Subnet>) -> Out<String> {
        let association =
            RouteTableAssociation { route_table_id: table.route_table_id(), subnet_id: subnet.subnet_id() };
        self.stack.add(format!("route-table-association-{name}"), association).routed_subnet_id()
    }

    fn public_subnets(
        &mut self,
        vpc: &Node<Vpc>,
        gateway: &Node<InternetGateway>,
        attachment: &Node<InternetGatewayAttachment>,
    ) -> Vec<Node<Subnet>> {
        let table = self.table("public", vpc);
        self.stack.add(
            "route-public",
            Route {
                route_table_id: table.route_table_id(),
                destination: everywhere(),
                internet_gateway_id: Some(gateway.internet_gateway_id()),
                nat_gateway_id: None,
                internet: Some(attachment.attached_vpc_id()),
            },
        );
        let subnets: Vec<_> = (0..self.config.network.azs).map(|index| self.subnet(vpc, "public", index)).collect();
        for (letter, subnet) in zone_letters(subnets.len()).zip(&subnets) {
            self.associate(&format!("public-{letter}"), &table, subnet);
        }
        subnets
    }

    fn nat_gateways(
        &mut self,
        public: &[Node<Subnet>],
        attachment: &Node<InternetGatewayAttachment>,
    ) -> Vec<Node<NatGateway>> {
        let count = match self.config.network.nat {
            Nat::PerAz => public.len(),
            Nat::Single => 1,
        };
        let mut nats = Vec::new();
        for (letter, subnet) in zone_letters(count).zip(public) {
            let address = self.stack.add(format!("elastic-ip-nat-{letter}"), ElasticIp { tags: Tags::new() });
            let nat = NatGateway {
                subnet_id: subnet.subnet_id(),
                allocation_id: address.allocation_id(),
                internet: attachment.attached_vpc_id(),
                tags: Tags::new(),
            };
            nats.push(self.stack.add(format!("nat-gateway-{letter}"), nat));
        }
        nats
    }

    fn private_subnets(&mut self, network: &mut Network, nats: &[Node<NatGateway>]) {
        let vpc = network.vpc.clone();
        for (index, letter) in zone_letters(self.config.network.azs).enumerate() {
            let subnet = self.subnet(&vpc, "private", index);
            let table = self.table(&format!("private-{letter}"), &vpc);
            let nat = nats.get(index).unwrap_or(&nats[0]);
            let route = self.stack.add(
                format!("route-private-{letter}"),
                Route {
                    route_table_id: table.route_table_id(),
                    destination: everywhere(),
                    internet_gateway_id: None,
                    nat_gateway_id: Some(nat.nat_gateway_id()),
                    internet: None,
                },
            );
            let associated = self.associate(&format!("private-{letter}"), &table, &subnet);
            network.private_routes.extend([route.routed_table_id(), associated]);
            network.private_tables.push(table);
            network.private.push(subnet);
        }
    }

    fn flow_log(&mut self, vpc: &Node<Vpc>, logs_key: &Node<Key>) {
        let group = self.audit_log_group("flow", "vpc-flow", logs_key);
        let role = self.flow_log_role(&group);
        self.stack.add(
            "flow-log",
            FlowLog {
                resource_id: vpc.vpc_id(),
                traffic_type: "ALL".into(),
                log_group_name: group.group_name(),
                role_arn: role.arn(),
                max_aggregation_interval: FLOW_LOG_INTERVAL,
                tags: Tags::new(),
            },
        );
    }

    fn flow_log_role(&mut self, group: &Node<LogGroup>) -> Node<Role> {
        let source = self.place.arn("ec2", "vpc-flow-log/*");
        let actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
        let policy = document([allow("WriteFlowLogs", &actions, &[group.arn(), streams_of(group)])]);
        let trust = trust(self.place, "vpc-flow-logs.amazonaws.com", source);
        self.role("flow-logs", "Writes the flow logs", trust, policy)
    }

    /// The gateway endpoint of S3, which costs nothing, and the interface endpoints that the settings name.
    pub(super) fn endpoints(&mut self, network: &Network, group: Option<&Node<SecurityGroup>>) {
        self.layer("network", Class::Internal);
        let service = |name: &str| format!("com.amazonaws.{}.{name}", self.place.region);
        let s3 = VpcEndpoint {
            vpc_id: network.vpc.vpc_id(),
            service_name: service("s3"),
            endpoint_type: EndpointType::Gateway,
            route_table_ids: network.private_tables.iter().map(Node::route_table_id).collect(),
            subnet_ids: BTreeSet::new(),
            security_group_ids: BTreeSet::new(),
            private_dns: false,
            policy: None,
            tags: Tags::new(),
        };
        let wanted = self.config.network.endpoints.iter().flat_map(|endpoint| services(*endpoint));
        let interfaces: Vec<(String, String)> =
            wanted.map(|name| (format!("endpoint-{}", name.replace('.', "-")), service(name))).collect();
        self.stack.add("endpoint-s3", s3);
        let Some(group) = group else { return };
        for (node, service_name) in interfaces {
            let endpoint = VpcEndpoint {
                vpc_id: network.vpc.vpc_id(),
                endpoint_type: EndpointType::Interface,
                route_table_ids: BTreeSet::new(),
                subnet_ids: self.endpoint_subnets(network, &service_name),
                service_name,
                security_group_ids: [group.group_id()].into(),
                private_dns: true,
                policy: None,
                tags: Tags::new(),
            };
            self.stack.add(node, endpoint);
        }
    }

    /// The private subnets, but for those in zones that the service is not in.
    fn endpoint_subnets(&self, network: &Network, service: &str) -> BTreeSet<Out<String>> {
        let zones = self.place.endpoint_zones.get(service);
        let has = |zone: &String| zones.is_none_or(|zones| zones.contains(zone));
        let subnets = network.private.iter().zip(&self.place.zones).filter(|(_, zone)| has(zone));
        subnets.map(|(subnet, _)| subnet.subnet_id()).collect()
    }
}

/// The names of the services that the settings ask interface endpoints for.
pub(super) fn endpoint_services(config: &Config, region: &str) -> Vec<String> {
    let wanted = config.network.endpoints.iter().flat_map(|endpoint| services(*endpoint));
    wanted.map(|name| format!("com.amazonaws.{region}.{name}")).collect()
}

fn streams_of(group: &Node<LogGroup>) -> Out<String> {
    Out::join([group.arn(), ":*".into()])
}

fn everywhere() -> ipnet::Ipv4Net {
    ipnet::Ipv4Net::default()
}

fn services(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::Ecr => &["ecr.api", "ecr.dkr"],
        Endpoint::Logs => &["logs"],
        Endpoint::SecretsManager => &["secretsmanager"],
        Endpoint::Kms => &["kms"],
        Endpoint::Kinesis => &["kinesis-streams"],
    }
}
