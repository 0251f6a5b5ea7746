//! Availability zones, by the ids that mean the same zone in every account: which of them carry what.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::Filter;

use crate::aws::Aws;
use crate::error::{Class, Fault, Result};

/// Zones in which API Gateway has VPC links, by region and by what their ids end in. Regions that are not here have none:
/// API Gateway Developer Guide, "Set up VPC links V2 in API Gateway", "Availability by Region".
#[rustfmt::skip]
const VPC_LINKS: &[(&str, &str, &[u8])] = &[
    ("us-east-1", "use1", &[1, 2, 4, 5, 6]),
    ("us-east-2", "use2", &[1, 2, 3]),
    ("us-west-1", "usw1", &[1, 3]),
    ("us-west-2", "usw2", &[1, 2, 3, 4]),
    ("us-gov-west-1", "usgw1", &[1, 2, 3]),
    ("ap-east-1", "ape1", &[2, 3]),
    ("ap-south-1", "aps1", &[1, 2, 3]),
    ("ap-northeast-1", "apne1", &[1, 2, 4]),
    ("ap-northeast-2", "apne2", &[1, 2, 3]),
    ("ap-southeast-1", "apse1", &[1, 2, 3]),
    ("ap-southeast-2", "apse2", &[1, 2, 3]),
    ("ca-central-1", "cac1", &[1, 2]),
    ("eu-central-1", "euc1", &[1, 2, 3]),
    ("eu-west-1", "euw1", &[1, 2, 3]),
    ("eu-west-2", "euw2", &[1, 2, 3]),
    ("eu-west-3", "euw3", &[1, 3]),
    ("eu-south-2", "eus2", &[1, 2, 3]),
    ("eu-north-1", "eun1", &[1, 2, 3]),
    ("me-south-1", "mes1", &[1, 2, 3]),
    ("sa-east-1", "sae1", &[1, 2, 3]),
];

/// Zones that RDS Proxy leaves out without a word: AWS re:Post, "RDS Proxy subnet in use1-az3".
const WITHOUT_PROXIES: &[&str] = &["use1-az3"];

/// The zones of a region, by name.
pub(super) type Zones = BTreeMap<String, Zone>;

/// A zone, as far as stacks care.
pub(super) struct Zone {
    /// What it is called in every account, as `use1-az1`.
    pub id: String,
}

/// What a stack needs of its zones.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Needs {
    /// The API reaches the load balancer through a VPC link.
    pub link: bool,
    /// The database stands behind a proxy.
    pub proxy: bool,
}

impl Needs {
    /// Whether a zone serves.
    pub fn met_by(self, region: &str, zone: &Zone) -> bool {
        (!self.link || carries_links(region, &zone.id)) && (!self.proxy || !WITHOUT_PROXIES.contains(&zone.id.as_str()))
    }
}

fn carries_links(region: &str, id: &str) -> bool {
    link_zones(region).contains(id)
}

/// The ids of the zones in which API Gateway has VPC links.
fn link_zones(region: &str) -> BTreeSet<String> {
    let found = VPC_LINKS.iter().filter(|(name, ..)| *name == region);
    found.flat_map(|(_, prefix, numbers)| numbers.iter().map(move |number| format!("{prefix}-az{number}"))).collect()
}

/// The zones that the account can use.
///
/// # Errors
/// Where AWS does not answer.
pub(super) async fn offered(aws: &Aws) -> Result<Zones> {
    let filter = |name: &str, value: &str| Filter::builder().name(name).values(value).build();
    let answer = aws
        .ec2
        .describe_availability_zones()
        .filters(filter("state", "available"))
        .filters(filter("zone-type", "availability-zone"))
        .send()
        .await?;
    let zones = answer.availability_zones.unwrap_or_default().into_iter();
    Ok(zones.filter_map(|zone| Some((zone.zone_name?, Zone { id: zone.zone_id? }))).collect())
}

/// The zones of the services of interface endpoints, by their names. Nothing where it is not permitted to ask.
///
/// # Errors
/// Where AWS does not answer.
pub(super) async fn of_services(aws: &Aws, services: Vec<String>) -> Result<BTreeMap<String, BTreeSet<String>>> {
    if services.is_empty() {
        return Ok(BTreeMap::new());
    }
    let answer = aws.ec2.describe_vpc_endpoint_services().set_service_names(Some(services)).send().await;
    let details = match answer.map_err(Fault::from) {
        Err(fault) if fault.class == Class::Denied => return Ok(BTreeMap::new()),
        answer => answer?.service_details.unwrap_or_default(),
    };
    let known = details.into_iter().filter_map(|detail| Some((detail.service_name?, detail.availability_zones?)));
    Ok(known.map(|(name, zones)| (name, zones.into_iter().collect())).collect())
}

/// That `wanted` zones cannot be had of these, and what can be done.
pub(super) fn too_few(region: &str, wanted: usize, offered: &Zones, needs: Needs) -> Fault {
    let usable: Vec<&str> =
        offered.iter().filter(|(_, zone)| needs.met_by(region, zone)).map(|(name, _)| name.as_str()).collect();
    let names = if usable.is_empty() { "none".to_owned() } else { usable.join(", ") };
    let links = link_zones(region).into_iter().collect::<Vec<_>>().join(", ");
    let without_link = "ingress.mode = \"public\"";
    let text = if !needs.link {
        format!("network.azs is {wanted}, and {region} has {} usable availability zones: {names}", usable.len())
    } else if links.is_empty() {
        format!(
            "ingress.mode is \"internal\", and in {region} API Gateway has no VPC links; set {without_link} or take another \
             region"
        )
    } else {
        let fewer = (usable.len() >= 2).then(|| format!("network.azs = {}", usable.len()));
        let public = (offered.len() >= wanted).then(|| without_link.to_owned());
        let ways = fewer.into_iter().chain(public).collect::<Vec<_>>().join(" or ");
        format!(
            "network.azs is {wanted}, and of the zones of {region} only these carry API Gateway's VPC links ({links}): {names}; \
             set {ways}"
        )
    };
    Fault::new(Class::Invalid, "ZonesNotUsable", text)
}

/// That subnets stand already where a VPC link cannot.
pub(super) fn in_use(region: &str, zone: &str, id: &str) -> Fault {
    let usable = link_zones(region).into_iter().collect::<Vec<_>>().join(", ");
    let text = format!(
        "a subnet of this environment stands in {zone} ({id}), where API Gateway has no VPC links; they are in {}; keep \
         ingress.mode = \"public\"",
        if usable.is_empty() { "no zone of this region".to_owned() } else { usable }
    );
    Fault::new(Class::Invalid, "ZonesNotUsable", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_judged_by_what_is_put_there() {
        let (link, proxy) = (Needs { link: true, proxy: false }, Needs { link: false, proxy: true });
        let zone = |id: &str| Zone { id: id.to_owned() };
        let by = |needs: Needs, region, id| needs.met_by(region, &zone(id));
        assert_eq!([by(link, "us-east-1", "use1-az3"), by(link, "us-east-1", "use1-az4")], [false, true]);
        assert_eq!([by(link, "eu-west-3", "euw3-az2"), by(link, "eu-west-3", "euw3-az3")], [false, true]);
        assert_eq!([by(proxy, "us-east-1", "use1-az3"), by(proxy, "eu-west-3", "euw3-az2")], [false, true]);
        assert!(by(Needs::default(), "us-east-1", "use1-az3"), "a stack without link and proxy uses every zone");
        assert!(!by(link, "us-gov-east-1", "usge1-az1"), "a region that is not listed has no links");
    }

    #[test]
    fn the_refusal_names_the_zones_and_the_ways_out() {
        let zones = |all: &[(&str, &str)]| -> Zones {
            all.iter().map(|(name, id)| ((*name).to_owned(), Zone { id: (*id).to_owned() })).collect()
        };
        let canada =
            zones(&[("ca-central-1a", "cac1-az1"), ("ca-central-1b", "cac1-az2"), ("ca-central-1d", "cac1-az4")]);
        let link = Needs { link: true, proxy: false };
        let text = too_few("ca-central-1", 3, &canada, link).message;
        let words =
            ["network.azs is 3", "cac1-az1, cac1-az2", "ca-central-1a, ca-central-1b", "network.azs = 2 or ingress"];
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        let text = too_few("us-gov-east-1", 2, &zones(&[]), link).message;
        assert!(text.contains("no VPC links") && text.contains("ingress.mode = \"public\""), "{text}");
    }
}
