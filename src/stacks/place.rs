//! Where a stack is built: what must be asked of AWS before there is a stack.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::zone_letters;
use super::handover;
use super::network::endpoint_services;
use super::zones::{self, Needs};
use super::{Recorded, offers, student_records};
use crate::aws::{Aws, tags};
use crate::config::{Config, IngressMode, StackKind};
use crate::error::{Class, Fault, Result};
use crate::resource::{Resource, TAG_NODE};
use crate::resources::apigateway::RestApi;
use crate::resources::apigatewayv2::VpcLink;
use crate::resources::elbv2::{LoadBalancer, TargetGroup};
use crate::state::{NodeState, State, base_name};

/// The zones of services, by their names.
type ServiceZones = BTreeMap<String, BTreeSet<String>>;

/// An account and a region, as far as stacks care.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Account id, twelve digits.
    pub account: String,
    /// Region, as `us-east-1`.
    pub region: String,
    /// Partition, as `aws`.
    pub partition: String,
    /// The availability zones to use, as many as the settings ask for.
    pub zones: Vec<String>,
    /// What stands already and is to stay.
    pub recorded: Recorded,
    /// By which name the API that stands calls the load balancer, as far as is recorded.
    pub called: Option<String>,
    /// The zones of each interface endpoint's service that is not in all of `zones`.
    pub endpoint_zones: BTreeMap<String, BTreeSet<String>>,
    /// That the support of the database's version ends soon, or has.
    pub support: Option<String>,
}

impl Place {
    /// Asks AWS. Zones that our subnets stand in stay; only what is missing is chosen anew, so that a zone AWS
    /// adds or takes out of service moves nothing.
    ///
    /// # Errors
    /// Where the region has fewer zones that serve than asked for, or lacks the database's version or class.
    pub async fn discover(aws: &Aws, config: &Config, state: &State) -> Result<Place> {
        let (account, region, partition) = (aws.account.clone(), aws.region.clone(), aws.partition.clone());
        let services = zones::of_services(aws, endpoint_services(config, &region)).await?;
        let zones = choose_zones(aws, config, state, &services).await?;
        let support = offers::check(aws, config, state, &zones).await?;
        let endpoint_zones = lacking(services, &zones)?;
        let recorded = standing(aws, config, state).await?;
        let called = called(state, config);
        Ok(Place { account, region, partition, zones, recorded, called, endpoint_zones, support })
    }

    /// What a person should know of this place, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let told = |(service, zones): (&String, &BTreeSet<String>)| {
            let without = self.zones.iter().filter(|zone| !zones.contains(*zone)).cloned().collect::<Vec<_>>();
            format!("{service} is not in {}: its endpoint has no address there", without.join(", "))
        };
        self.endpoint_zones.iter().map(told).chain(self.support.clone()).collect()
    }

    /// An ARN in this partition, region and account.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }
}

/// What is recorded, and what AWS says of it where that counts.
async fn standing(aws: &Aws, config: &Config, state: &State) -> Result<Recorded> {
    let mut recorded = Recorded::of(state, config);
    if config.stack != StackKind::StudentRecords {
        return Ok(recorded);
    }
    if let Some(handover) = recorded.handover.take() {
        recorded.handover = handover.looked_at(aws, state, recorded.side).await?;
    }
    if !state.nodes.values().any(|node| node.kind == TargetGroup::KIND) {
        // With its state lost, the stack still stands where it stood.
        recorded.side = handover::side_of_group(aws, &student_records::target_group_name(config)).await?;
    }
    Ok(recorded)
}

/// The host in the first proxied route that is recorded of an API, where it is not the one that is wanted anyway: the load
/// balancer's own.
fn called(state: &State, config: &Config) -> Option<String> {
    let mut routes = state.nodes.values().filter(|node| node.kind == RestApi::KIND).filter_map(|api| {
        let routes = api.spec.get("routes")?.as_object()?;
        routes.values().find_map(|route| host_of(route.pointer("/integration/uri")?.as_str()?))
    });
    let balancers = || state.nodes.values().filter(|node| node.kind == LoadBalancer::KIND);
    let is_wanted = |host: &String| {
        config.ingress.host.is_none() && balancers().any(|node| node.outputs["dns_name"] == host.as_str())
    };
    routes.find(|host| !is_wanted(host))
}

fn host_of(uri: &str) -> Option<String> {
    let host = uri.strip_prefix("https://")?.split(['/', ':']).next()?;
    Some(host.to_owned())
}

/// What the stack needs of its zones.
fn needs(config: &Config) -> Needs {
    match config.stack {
        StackKind::StudentRecords => {
            Needs { link: config.ingress.mode == IngressMode::Internal, proxy: config.database.proxy }
        }
        StackKind::DataPipeline => Needs::default(),
    }
}

/// The services that are not in all of these zones.
fn lacking(services: ServiceZones, zones: &[String]) -> Result<ServiceZones> {
    if let Some((name, has)) = services.iter().find(|(_, has)| !zones.iter().any(|zone| has.contains(zone))) {
        let has = has.iter().cloned().collect::<Vec<_>>().join(", ");
        let text = format!(
            "network.endpoints asks for {name}, which is in {has} only; this environment's zones are {}",
            zones.join(", ")
        );
        return Err(Fault::new(Class::Invalid, "ZonesNotUsable", text));
    }
    Ok(services.into_iter().filter(|(_, has)| !zones.iter().all(|zone| has.contains(zone))).collect())
}

async fn choose_zones(aws: &Aws, config: &Config, state: &State, services: &ServiceZones) -> Result<Vec<String>> {
    let (wanted, needs) = (config.network.azs, needs(config));
    let mut used = recorded_zones(state);
    let zones = choose(&used, &[], wanted);
    let linked = state.nodes.values().any(|node| node.kind == VpcLink::KIND && node.id.is_some());
    if zones.len() == wanted && (linked || !needs.link) {
        return Ok(zones);
    }
    let offered = zones::offered(aws).await?;
    if zones.len() < wanted {
        // With its state lost, the stack still stands where it stood.
        used = standing_zones(aws, state).await?.into_iter().chain(used).collect();
    }
    let mut usable: Vec<&String> =
        offered.iter().filter(|(_, zone)| needs.met_by(&aws.region, zone)).map(|(name, _)| name).collect();
    // Those come first that have all that the interface endpoints want.
    usable.sort_by_key(|zone| services.values().filter(|has| !has.contains(*zone)).count());
    let zones = choose(&used, &usable, wanted);
    if zones.len() < wanted {
        return Err(zones::too_few(&aws.region, wanted, &offered, needs));
    }
    let link = Needs { link: needs.link && !linked, proxy: false };
    let mut known = zones.iter().filter_map(|name| Some((name, offered.get(name)?)));
    if let Some((name, zone)) = known.find(|(_, zone)| !link.met_by(&aws.region, zone)) {
        return Err(zones::in_use(&aws.region, name, &zone.id));
    }
    Ok(zones)
}

/// The zones that subnets stand in, by the letters that end their names.
fn recorded_zones(state: &State) -> BTreeMap<String, String> {
    let subnets = state.nodes.iter().filter(|(_, node)| node.kind == "ec2.subnet");
    let zone = |(name, node): (&String, &NodeState)| {
        Some((letter(base_name(name)), node.spec.get("availability_zone")?.as_str()?.to_owned()))
    };
    subnets.filter_map(zone).collect()
}

/// The same of the subnets that carry our tags.
async fn standing_zones(aws: &Aws, state: &State) -> Result<BTreeMap<String, String>> {
    let owner = state.owner("", "");
    let call = aws.ec2.describe_subnets().set_filters(Some(tags::ec2_filters(&owner)));
    let mut pages = call.into_paginator().items().send();
    let mut zones = BTreeMap::new();
    while let Some(subnet) = pages.next().await {
        let subnet = subnet?;
        let node = tags::from_ec2(subnet.tags()).remove(TAG_NODE);
        zones.extend(node.map(|node| letter(&node)).zip(subnet.availability_zone));
    }
    Ok(zones)
}

/// What ends the name of a node that stands in one zone.
fn letter(node: &str) -> String {
    node.rsplit('-').next().unwrap_or(node).to_owned()
}

/// A zone for each letter: the one it has or, where a run was killed before it made all, one not yet in use.
fn choose(used: &BTreeMap<String, String>, offered: &[&String], wanted: usize) -> Vec<String> {
    let mut unused = offered.iter().copied().filter(|zone| !used.values().any(|used| used == *zone));
    let zone = |letter: char| used.get(&letter.to_string()).or_else(|| unused.next()).cloned();
    zone_letters(wanted).filter_map(zone).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_in_use_keeps_its_letter() {
        let offered = ["us-east-1a", "us-east-1b", "us-east-1c"].map(str::to_owned);
        let offered: Vec<&String> = offered.iter().collect();
        let recorded = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(letter, zone)| ((*letter).to_owned(), (*zone).to_owned())).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(choose(&recorded(&[]), &offered, 2), ["us-east-1a", "us-east-1b"]);
        let killed_early = recorded(&[("b", "us-east-1b")]);
        assert_eq!(choose(&killed_early, &offered, 2), ["us-east-1a", "us-east-1b"]);
        let grown = recorded(&[("a", "us-east-1b"), ("b", "us-east-1c")]);
        assert_eq!(choose(&grown, &[], 2), ["us-east-1b", "us-east-1c"]);
        assert_eq!(choose(&grown, &offered, 3), ["us-east-1b", "us-east-1c", "us-east-1a"]);
    }
}
