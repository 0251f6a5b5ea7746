//! One rule of a security group, and its way to and from AWS's permissions, which lump together the peers of one port
//! range.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, IpRange, Ipv6Range, PrefixListId, UserIdGroupPair};
use ipnet::{Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use super::check_network;
use super::security_group::check_text;
use crate::error::{Fault, Result};
use crate::stack::Out;

/// What AWS calls every protocol.
const ANY: &str = "-1";

/// Traffic that is let through, between a security group and one peer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// `tcp`, `udp`, `icmp`, or `-1` for all of them.
    pub protocol: String,
    /// The lowest port, or the ICMP type with -1 for all; none where the protocol is `-1`.
    pub from_port: Option<i32>,
    /// The highest port, or the ICMP code with -1 for all; none where the protocol is `-1`.
    pub to_port: Option<i32>,
    /// The other end.
    pub peer: Peer,
    /// What it is for; may be empty.
    pub description: String,
}

/// The other end of a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// IPv4 addresses.
    Cidr(Ipv4Net),
    /// IPv6 addresses.
    Cidr6(Ipv6Net),
    /// The addresses of a service, by the id of their prefix list.
    PrefixList(String),
    /// Whatever belongs to this security group, by its id.
    Group(Out<String>),
}

impl Rule {
    /// One TCP port.
    pub fn tcp(port: i32, peer: Peer, description: &str) -> Self {
        Rule {
            protocol: "tcp".to_owned(),
            from_port: Some(port),
            to_port: Some(port),
            peer,
            description: description.to_owned(),
        }
    }

    /// Every port of every protocol.
    pub fn any(peer: Peer, description: &str) -> Self {
        Rule { protocol: ANY.to_owned(), from_port: None, to_port: None, peer, description: description.to_owned() }
    }

    /// Whether the two are the same to AWS, which lets them differ in their description only.
    pub(super) fn same_traffic(&self, other: &Rule) -> bool {
        (&self.protocol, self.from_port, self.to_port, &self.peer)
            == (&other.protocol, other.from_port, other.to_port, &other.peer)
    }

    pub(super) fn check(&self) -> std::result::Result<(), String> {
        check_text("description", &self.description)?;
        if let Peer::Cidr(cidr) = &self.peer {
            check_network("peer", *cidr)?;
        }
        let ports = (self.from_port, self.to_port);
        match (self.protocol.as_str(), ports) {
            ("tcp" | "udp", (Some(from), Some(to))) if 0 <= from && from <= to && to <= 65535 => Ok(()),
            ("tcp" | "udp", _) => {
                Err(format!("from_port and to_port are {ports:?}; AWS asks for 0 to 65535, in order"))
            }
            ("icmp", (Some(-1..=255), Some(-1..=255))) | (ANY, (None, None)) => Ok(()),
            ("icmp", _) => Err(format!("from_port and to_port are {ports:?}; AWS asks for an ICMP type and code")),
            (ANY, _) => Err(format!("from_port and to_port are {ports:?}; the protocol -1 has none")),
            (other, _) => Err(format!("protocol is {other:?}; tcp, udp, icmp and -1 are allowed")),
        }
    }

    /// The permission that is exactly this rule.
    pub(super) fn permission(&self) -> Result<IpPermission> {
        let permission =
            IpPermission::builder().ip_protocol(&self.protocol).set_from_port(self.from_port).set_to_port(self.to_port);
        let about = Some(self.description.clone()).filter(|text| !text.is_empty());
        let permission =
            match &self.peer {
                Peer::Cidr(cidr) => {
                    permission.ip_ranges(IpRange::builder().cidr_ip(cidr.to_string()).set_description(about).build())
                }
                Peer::Cidr6(cidr) => permission
                    .ipv6_ranges(Ipv6Range::builder().cidr_ipv6(cidr.to_string()).set_description(about).build()),
                Peer::PrefixList(id) => permission
                    .prefix_list_ids(PrefixListId::builder().prefix_list_id(id).set_description(about).build()),
                Peer::Group(id) => permission
                    .user_id_group_pairs(UserIdGroupPair::builder().group_id(id.get()?).set_description(about).build()),
            };
        Ok(permission.build())
    }
}

/// One rule for each peer of each permission.
pub(super) fn rules_of(permissions: &[IpPermission]) -> Result<BTreeSet<Rule>> {
    let mut rules = BTreeSet::new();
    for permission in permissions {
        for (peer, description) in peers(permission)? {
            let protocol = permission.ip_protocol().unwrap_or_default();
            let port = |port: Option<i32>| port.filter(|_| protocol != ANY);
            rules.insert(Rule {
                protocol: protocol.to_owned(),
                from_port: port(permission.from_port()),
                to_port: port(permission.to_port()),
                peer,
                description: description.unwrap_or_default().to_owned(),
            });
        }
    }
    Ok(rules)
}

fn peers(permission: &IpPermission) -> Result<Vec<(Peer, Option<&str>)>> {
    let mut peers = Vec::new();
    for range in permission.ip_ranges() {
        peers.push((Peer::Cidr(parse(range.cidr_ip())?), range.description()));
    }
    for range in permission.ipv6_ranges() {
        peers.push((Peer::Cidr6(parse(range.cidr_ipv6())?), range.description()));
    }
    for list in permission.prefix_list_ids() {
        peers.push((Peer::PrefixList(list.prefix_list_id().unwrap_or_default().to_owned()), list.description()));
    }
    for pair in permission.user_id_group_pairs() {
        peers.push((Peer::Group(pair.group_id().unwrap_or_default().into()), pair.description()));
    }
    Ok(peers)
}

fn parse<T: std::str::FromStr>(text: Option<&str>) -> Result<T> {
    let text = text.unwrap_or_default();
    text.parse().map_err(|_| Fault::unexpected(format!("AWS gave {text:?} for a CIDR")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everywhere() -> Peer {
        Peer::Cidr("0.0.0.0/0".parse().unwrap())
    }

    #[test]
    fn a_rule_survives_the_way_to_aws_and_back() {
        let rules = BTreeSet::from([
            Rule::any(everywhere(), ""),
            Rule::tcp(443, Peer::Group("sg-1".into()), "from the load balancer"),
            Rule::tcp(443, everywhere(), ""),
        ]);
        let permissions: Vec<_> = rules.iter().map(|rule| rule.permission().unwrap()).collect();
        assert_eq!(rules_of(&permissions).unwrap(), rules);
    }

    #[test]
    fn a_permission_of_several_peers_is_several_rules() {
        let range = |cidr: &str| IpRange::builder().cidr_ip(cidr).build();
        let permission = IpPermission::builder()
            .ip_protocol(ANY)
            .from_port(-1)
            .to_port(-1)
            .ip_ranges(range("10.0.0.0/24"))
            .ip_ranges(range("10.0.1.0/24"))
            .user_id_group_pairs(UserIdGroupPair::builder().group_id("sg-1").build())
            .build();
        let rules = rules_of(&[permission]).unwrap();
        assert_eq!(rules.len(), 3);
        assert!(rules.iter().all(|rule| rule.from_port.is_none()), "AWS's -1 is no port");
    }

    #[test]
    fn ports_fit_the_protocol() {
        assert!(Rule::tcp(443, everywhere(), "").check().is_ok());
        assert!(Rule::any(everywhere(), "").check().is_ok());
        assert!(Rule::tcp(70000, everywhere(), "").check().is_err());
        assert!(Rule { protocol: "tcp".into(), ..Rule::any(everywhere(), "") }.check().is_err());
        assert!(Rule { protocol: ANY.into(), ..Rule::tcp(1, everywhere(), "") }.check().is_err());
    }
}
