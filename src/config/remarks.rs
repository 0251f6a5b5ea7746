//! What is allowed, and yet worth a word before it is built.

use ipnet::Ipv4Net;

use super::{Config, StackKind, forms};

/// Addresses that belong to nobody in the internet: RFC 1918, RFC 6598 and RFC 2544.
const PRIVATE: [&str; 5] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "198.18.0.0/15"];
/// Docker's own bridge. The VPC user guide ("VPC CIDR blocks") warns of it: AWS Cloud9 and SageMaker use it too.
const BRIDGE: &str = "172.17.0.0/16";

/// vCPUs of Fargate that a new account may run at once: Amazon ECS developer guide, "AWS Fargate service quotas". AWS raises
/// them with use.
const NEW_ACCOUNTS_CORES: f64 = 6.0;
/// Where API Gateway gives an account less than elsewhere, and how much a second and at once: developer guide, "Amazon API
/// Gateway quotas".
const SMALL_REGIONS: [&str; 15] = [
    "af-south-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "mx-central-1",
];
const SMALL_REGIONS_THROTTLE: (i32, i32) = (2500, 1250);

/// The least capacity that AWS recommends where performance data are kept, as they are: user guide of Aurora, "Choosing the
/// minimum Aurora Serverless v2 capacity setting for a cluster".
const INSIGHTS_MIN_ACU: f64 = 2.0;

impl Config {
    /// What a person should know of these settings, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        [self.addresses(), self.image(), self.cores(), self.throttle(), self.capacity()].into_iter().flatten().collect()
    }

    fn addresses(&self) -> Option<String> {
        let cidr = self.network.cidr;
        let within = |net: &str| net.parse::<Ipv4Net>().is_ok_and(|net| net.contains(&cidr));
        if within(BRIDGE) {
            return Some(format!(
                "network.cidr is {cidr}, which Docker's bridge, AWS Cloud9 and SageMaker use themselves: what runs there \
                 does not reach this VPC"
            ));
        }
        (!PRIVATE.into_iter().any(within)).then(|| {
            format!(
                "network.cidr is {cidr}, which are public addresses: their owners cannot be reached from this VPC; private \
                 are 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16"
            )
        })
    }

    /// A deployment runs the new tasks beside the old ones. What an account has may have been raised, which only Service
    /// Quotas tells.
    fn cores(&self) -> Option<String> {
        let service = &self.service;
        let cores = |tasks: i32| f64::from(tasks) * f64::from(service.cpu) / 1024.0;
        let most = cores(service.max_tasks).max(2.0 * cores(service.tasks));
        (most > NEW_ACCOUNTS_CORES).then(|| {
            format!(
                "up to {most} vCPUs of Fargate are in use with service.max_tasks {} and service.cpu {}, and a new account \
                 has {NEW_ACCOUNTS_CORES}: tasks beyond the quota do not start; Service Quotas shows and raises it \
                 (fargate, L-3032A538)",
                service.max_tasks, service.cpu
            )
        })
    }

    fn throttle(&self) -> Option<String> {
        let (rate, burst) = (self.api.throttle_rate, self.api.throttle_burst);
        let (most_rate, most_burst) = SMALL_REGIONS_THROTTLE;
        let over = SMALL_REGIONS.contains(&self.region.as_str()) && (rate > most_rate || burst > most_burst);
        over.then(|| {
            format!(
                "api.throttle_rate is {rate} and api.throttle_burst {burst}, and in {} an account has {most_rate} a second \
                 and {most_burst} at once unless AWS raised that: more has no effect",
                self.region
            )
        })
    }

    fn capacity(&self) -> Option<String> {
        let least = self.database.min_acu;
        let small = self.protect && self.stack == StackKind::StudentRecords && least < INSIGHTS_MIN_ACU;
        small.then(|| {
            format!(
                "database.min_acu is {least} in a protected environment: the database keeps performance data, with which AWS \
                 recommends {INSIGHTS_MIN_ACU} or more; with less it is slow to answer after quiet hours"
            )
        })
    }

    fn image(&self) -> Option<String> {
        let image = &self.service.image;
        let named = forms::image(image).is_ok_and(|parts| parts.tag.is_some() || parts.digest.is_some());
        (!named).then(|| {
            format!(
                "service.image is {image:?}, without a tag or digest: each task that starts runs what is the latest by then; \
                 add :tag or @sha256:digest"
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remarks(text: &str) -> Vec<String> {
        Config::parse("tapctl.toml", text, "dev", None).unwrap().remarks()
    }

    #[test]
    fn public_addresses_and_the_bridge_are_remarked() {
        for cidr in ["10.1.0.0/16", "172.16.0.0/16", "172.18.0.0/16", "192.168.0.0/20", "100.64.0.0/16"] {
            assert_eq!(remarks(&format!("network.cidr = {cidr:?}")), [""; 0], "{cidr}");
        }
        assert!(remarks("network.cidr = \"8.8.0.0/16\"")[0].contains("public addresses"));
        assert!(remarks("network.cidr = \"172.17.0.0/20\"")[0].contains("Docker's bridge"));
    }

    #[test]
    fn more_than_a_new_account_has_is_remarked() {
        assert_eq!(remarks("service.max_tasks = 12"), [""; 0]);
        assert!(remarks("service.max_tasks = 13")[0].contains("6.5 vCPUs"));
        assert!(remarks("service = { tasks = 7, cpu = 512 }")[0].contains("7 vCPUs"));
        assert!(remarks("region = \"af-south-1\"")[0].contains("2500 a second and 1250 at once"));
    }

    #[test]
    fn a_protected_database_that_is_starved_by_its_own_measures_is_remarked() {
        assert_eq!(remarks("protect = true\ndatabase.min_acu = 2"), [""; 0]);
        assert_eq!(remarks("database.min_acu = 0.5"), [""; 0], "nobody waits for it");
        assert!(remarks("protect = true")[0].starts_with("database.min_acu is 0.5 in a protected"));
        assert!(remarks("protect = true\ndatabase.min_acu = 1")[0].starts_with("database.min_acu is 1 in a protected"));
        let settings = "stack = \"data-pipeline\"\nprotect = true\ndatabase.min_acu = 0.5";
        assert_eq!(remarks(settings), [""; 0], "it has none");
    }

    #[test]
    fn an_image_that_moves_is_remarked() {
        assert_eq!(remarks("service.image = \"host.edu:5000/api:1\""), [""; 0]);
        assert!(remarks("service.image = \"host.edu:5000/api\"")[0].contains("without a tag or digest"));
    }
}
