//! Where a stack is built: what must be asked of AWS before there is a stack.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::Filter;

use super::builder::zone_letters;
use super::{Recorded, data_pipeline, student_records};
use crate::aws::{Aws, tags};
use crate::config::{Config, StackKind};
use crate::error::{Class, Fault, Result};
use crate::resource::{Resource, TAG_NODE};
use crate::resources::rds::{DbCluster, StandaloneDbInstance};
use crate::state::{NodeState, State, base_name};

/// Zones that API Gateway's VPC links cannot use, by the ids that mean the same zone in every account.
const WITHOUT_VPC_LINKS: &[&str] = &["use1-az3"];

/// An account and a region, as far as stacks care.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl Place {
    /// Asks AWS. Zones that our subnets stand in stay; only what is missing is chosen anew, so that a zone AWS
    /// adds or takes out of service moves nothing.
    ///
    /// # Errors
    /// Where the region has fewer zones than asked for, or lacks the database version.
    pub async fn discover(aws: &Aws, config: &Config, state: &State) -> Result<Place> {
        check_database_version(aws, config, state).await?;
        let wanted = config.network.azs;
        let mut used = recorded_zones(state);
        let mut zones = choose(&used, &[], wanted);
        if zones.len() < wanted {
            // With its state lost, the stack still stands where it stood.
            used = standing_zones(aws, state).await?.into_iter().chain(used).collect();
            zones = choose(&used, &offered_zones(aws).await?, wanted);
        }
        if zones.len() < wanted {
            return Err(Fault::invalid(format!(
                "network.azs is {wanted}, and {} has {} usable availability zones: {}",
                aws.region,
                zones.len(),
                zones.join(", ")
            )));
        }
        Ok(Place {
            account: aws.account.clone(),
            region: aws.region.clone(),
            partition: aws.partition.clone(),
            zones,
            recorded: Recorded::of(state, config),
        })
    }

    /// An ARN in this partition, region and account.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }
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
fn choose(used: &BTreeMap<String, String>, offered: &[String], wanted: usize) -> Vec<String> {
    let mut unused = offered.iter().filter(|zone| !used.values().any(|used| used == *zone));
    let zone = |letter: char| used.get(&letter.to_string()).or_else(|| unused.next()).cloned();
    zone_letters(wanted).filter_map(zone).collect()
}

async fn offered_zones(aws: &Aws) -> Result<Vec<String>> {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let answer = aws
        .ec2
        .describe_availability_zones()
        .filters(filter("state", "available"))
        .filters(filter("zone-type", "availability-zone"))
        .send()
        .await?;
    let usable = answer
        .availability_zones()
        .iter()
        .filter(|zone| !WITHOUT_VPC_LINKS.contains(&zone.zone_id().unwrap_or_default()));
    let names: BTreeSet<String> = usable.filter_map(|zone| zone.zone_name().map(str::to_owned)).collect();
    Ok(names.into_iter().collect())
}

/// AWS withdraws minor versions. A database that runs one keeps it; a new one cannot have it.
async fn check_database_version(aws: &Aws, config: &Config, state: &State) -> Result<()> {
    let (setting, engine, kind, wanted) = match config.stack {
        StackKind::StudentRecords => {
            ("database", student_records::DATABASE_ENGINE, DbCluster::KIND, &config.database.engine_version)
        }
        StackKind::DataPipeline => {
            ("postgres", data_pipeline::DATABASE_ENGINE, StandaloneDbInstance::KIND, &config.postgres.engine_version)
        }
    };
    let recorded = state.nodes.values().filter(|node| node.kind == kind);
    if recorded.filter_map(|node| node.spec.get("engine_version")?.as_str()).any(|version| version == wanted) {
        return Ok(());
    }
    let versions = aws.rds.describe_db_engine_versions().engine(engine);
    let mut pages = versions.into_paginator().items().send();
    let mut offered = Vec::new();
    while let Some(version) = pages.next().await {
        offered.extend(version?.engine_version);
    }
    match offered.contains(wanted) {
        true => Ok(()),
        false => Err(Fault::new(
            Class::Invalid,
            "VersionNotOffered",
            format!("{setting}.engine_version is {wanted}, and {} offers {}", aws.region, offered.join(", ")),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_in_use_keeps_its_letter() {
        let offered = ["us-east-1a", "us-east-1b", "us-east-1c"].map(str::to_owned);
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
