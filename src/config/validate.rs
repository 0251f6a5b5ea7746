//! What settings must be together.

use ipnet::Ipv4Net;

use super::document::{Document, Setting};
use super::error::Problem;
use super::rules;
use super::{Config, Endpoint, StackKind, StreamMode};

/// Addresses of every subnet that AWS keeps for itself.
const AWS_KEEPS: usize = 5;
/// The smallest subnet a load balancer takes, as a prefix length.
const SMALLEST: u8 = 27;
/// Addresses a load balancer wants free in each of its subnets.
const BALANCER: usize = 8;
/// Tags an object can carry, and those of them that are ours: the stack's own, the four ownership tags, and the mark of a
/// security group that has rules.
const TAGS: usize = 50;
const OUR_TAGS: usize = rules::OWN_TAGS.len() + 4 + 1;

/// Everything that is wrong between settings of this stack. What is wrong in itself is already known, and its
/// consequences are not reported again.
pub(super) fn validate(config: &Config, document: &Document) -> Vec<Problem> {
    let mut check = Check { config, document, problems: Vec::new() };
    check.subnets();
    check.addresses();
    check.fargate();
    check.tasks();
    check.stream();
    check.tags();
    check.ignored_tags();
    if config.stack == StackKind::StudentRecords {
        check.capacity();
        check.cache();
        check.throttling();
        check.certificate();
        check.tls();
        check.audit();
    }
    check.problems
}

struct Check<'a> {
    config: &'a Config,
    document: &'a Document,
    problems: Vec<Problem>,
}

impl Check<'_> {
    /// Reports a mistake between these settings, on the line of the first of them that the file has.
    fn report(&mut self, keys: &[&str], text: String) {
        let set: Vec<&Setting> = keys.iter().filter_map(|key| self.document.get(key)).collect();
        let known = keys.iter().any(|key| self.document.get(key).is_some() && self.document.valid(key).is_none());
        if !known {
            self.problems.push(Problem::new(set.first().map(|setting| setting.line), text));
        }
    }

    /// `service.cpu is 512`, and whether nobody asked for that.
    fn state(&self, key: &str, value: impl ToString) -> String {
        match self.document.get(key) {
            Some(setting) => format!("{} is {}", setting.name, setting.source),
            None => format!("{key} is {} by default", value.to_string()),
        }
    }

    fn subnets(&mut self) {
        let network = self.config.network.clone();
        let azs = self.state("network.azs", network.azs);
        for (key, subnets) in lists(&network) {
            let own = self.document.get(key).is_some();
            if own && subnets.len() != network.azs {
                let text = format!("{}; allowed: one for each zone, and {azs}", self.state(key, ""));
                self.report(&[key, "network.azs"], text);
            }
            for subnet in subnets.iter().filter(|subnet| own && !network.cidr.contains(*subnet)) {
                let cidr = self.state("network.cidr", network.cidr);
                let name = self.state(key, "");
                self.report(&[key, "network.cidr"], format!("{name}; {subnet} is outside the VPC: {cidr}"));
            }
            if !own && subnets.iter().any(|subnet| subnet.prefix_len() > SMALLEST) {
                let cidr = self.state("network.cidr", network.cidr);
                let text = format!(
                    "{cidr}; allowed: /16 to /23, or network.public_subnets and network.private_subnets as well (a \
                     sixteenth of it is smaller than the /{SMALLEST} a load balancer needs)"
                );
                self.report(&["network.cidr", key], text);
            }
        }
        self.overlaps(&lists(&network));
    }

    fn overlaps(&mut self, lists: &[(&str, Vec<Ipv4Net>); 2]) {
        let all: Vec<(&str, Ipv4Net)> =
            lists.iter().flat_map(|(key, subnets)| subnets.iter().map(|subnet| (*key, *subnet))).collect();
        for (index, (key, subnet)) in all.iter().enumerate() {
            for (other_key, other) in &all[..index] {
                if subnet.contains(other) || other.contains(subnet) {
                    let text = format!(
                        "{key} has {subnet}, which overlaps {other} of {other_key}; allowed: subnets without a \
                         common address"
                    );
                    self.report(&[key, other_key, "network.cidr"], text);
                }
            }
        }
    }

    /// A deployment runs the old and the new tasks side by side, so each task needs two addresses.
    fn addresses(&mut self) {
        let subnets = &self.config.network.private_subnets;
        let taken = AWS_KEEPS + self.not_tasks();
        let room: usize = subnets.iter().map(|subnet| addresses(*subnet).saturating_sub(taken)).sum();
        let most = usize::try_from(self.config.service.max_tasks).unwrap_or(usize::MAX);
        if most > room / 2 && subnets.iter().all(|subnet| subnet.prefix_len() <= SMALLEST) {
            let tasks = self.state("service.max_tasks", most);
            let text = format!(
                "{tasks}; allowed: at most {}, since the private subnets leave {room} addresses for tasks and a \
                 deployment doubles them, or larger network.private_subnets",
                room / 2
            );
            self.report(&["service.max_tasks", "network.private_subnets", "network.cidr", "network.azs"], text);
        }
    }

    /// Addresses of each private subnet that other things of the stack take: beside the load balancer, the database
    /// and the cache, one for the file system, one for the VPC link and those of the interface endpoints. The pipeline
    /// has a database only.
    fn not_tasks(&self) -> usize {
        let Config { network, database, cache, .. } = self.config;
        let share = |count: i32| usize::try_from(count).unwrap_or_default().div_ceil(network.azs);
        let endpoints = network.endpoints.len() + usize::from(network.endpoints.contains(&Endpoint::Ecr));
        endpoints
            + match self.config.stack {
                StackKind::StudentRecords => BALANCER + share(database.instances) + share(cache.nodes) + 2,
                StackKind::DataPipeline => 1,
            }
    }

    fn fargate(&mut self) {
        let service = &self.config.service;
        let (allowed, words) = memory(service.cpu);
        if !allowed.contains(&service.memory) {
            let memory = self.state("service.memory", service.memory);
            let cpu = self.state("service.cpu", service.cpu);
            self.report(&["service.memory", "service.cpu"], format!("{memory}; allowed where {cpu}: {words} MiB"));
        }
    }

    fn tasks(&mut self) {
        let service = &self.config.service;
        let min = ("service.min_tasks", service.min_tasks);
        let max = ("service.max_tasks", service.max_tasks);
        let tasks = ("service.tasks", service.tasks);
        self.at_most(min, max);
        if self.document.get("service.tasks").is_some() {
            self.at_most(min, tasks);
            self.at_most(tasks, max);
        }
    }

    fn at_most<T: PartialOrd + ToString>(&mut self, less: (&str, T), more: (&str, T)) {
        if less.1 > more.1 {
            let (small, large) = (self.state(less.0, less.1), self.state(more.0, more.1));
            self.report(&[less.0, more.0], format!("{small}; allowed: no more than {}, and {large}", more.0));
        }
    }

    fn capacity(&mut self) {
        let database = self.config.database.clone();
        self.at_most(("database.min_acu", database.min_acu), ("database.max_acu", database.max_acu));
        let min = self.state("database.min_acu", database.min_acu);
        if database.min_acu == 0.0 && self.config.protect {
            let text = format!("{min}; allowed in a protected environment: 0.5 or more, so that it never pauses");
            self.report(&["database.min_acu", "protect"], text);
        } else if database.min_acu == 0.0 && database.proxy {
            // User guide of Aurora, "Scaling to Zero ACUs with automatic pause and resume".
            let proxy = self.state("database.proxy", database.proxy);
            let text = format!(
                "{min}; allowed where {proxy}: 0.5 or more, since a proxy keeps connections open, so that it never pauses"
            );
            self.report(&["database.min_acu", "database.proxy"], text);
        }
        // The two versions that predate both pausing and 256 units; every later one on offer has them.
        if ["13.9", "14.6"].contains(&database.engine_version.as_str()) {
            let version = self.state("database.engine_version", &database.engine_version);
            if database.min_acu == 0.0 {
                let text = format!("{min}; allowed where {version}: 0.5 or more");
                self.report(&["database.min_acu", "database.engine_version"], text);
            }
            if database.max_acu > 128.0 {
                let max = self.state("database.max_acu", database.max_acu);
                let text = format!("{max}; allowed where {version}: at most 128");
                self.report(&["database.max_acu", "database.engine_version"], text);
            }
        }
    }

    fn cache(&mut self) {
        let cache = self.config.cache.clone();
        let versions = cache.engine.versions();
        if !versions.contains(&cache.engine_version.as_str()) {
            let version = self.state("cache.engine_version", &cache.engine_version);
            let engine = self.state("cache.engine", cache.engine.as_str());
            let quoted: Vec<String> = versions.iter().map(|version| format!("{version:?}")).collect();
            let text = format!("{version}; allowed where {engine}: {}", rules::alternatives(&quoted));
            self.report(&["cache.engine_version", "cache.engine"], text);
        }
    }

    /// A count that the file sets together with a mode in which it means nothing was meant to mean something. One
    /// that the base sets and an environment's mode passes over was not.
    fn stream(&mut self) {
        let (Some(shards), Some(mode)) = (self.document.get("stream.shards"), self.document.get("stream.mode")) else {
            return;
        };
        if self.config.stream.mode == StreamMode::OnDemand && shards.in_env >= mode.in_env {
            let (count, mode) = (self.state("stream.shards", ""), self.state("stream.mode", ""));
            self.report(
                &["stream.shards", "stream.mode"],
                format!("{count}; allowed: not set where {mode}, since AWS counts the shards then"),
            );
        }
    }

    /// Usage plans are the university's only.
    fn throttling(&mut self) {
        if self.config.stack != StackKind::StudentRecords {
            return;
        }
        let api = self.config.api.clone();
        self.at_most(("api.plan_rate", api.plan_rate), ("api.throttle_rate", api.throttle_rate));
        self.at_most(("api.plan_burst", api.plan_burst), ("api.throttle_burst", api.throttle_burst));
        let least = api.plan_requests();
        if api.waf && api.waf_rate_limit < least {
            let limit = self.state("api.waf_rate_limit", api.waf_rate_limit);
            let rate = self.state("api.plan_rate", api.plan_rate);
            let text = format!(
                "{limit}; allowed: at least {least} in five minutes, since {rate}, in requests a second, and a campus system \
                 may stand behind one address"
            );
            self.report(&["api.waf_rate_limit", "api.plan_rate"], text);
        }
    }

    fn certificate(&mut self) {
        let config = self.config;
        let Some(arn) = &config.ingress.certificate_arn else { return };
        if config.ingress.host.is_none() {
            let name = self.state("ingress.certificate_arn", arn);
            let text = format!("{name}; allowed: along with ingress.host, the host name in that certificate");
            self.report(&["ingress.certificate_arn"], text);
        }
        let mut parts = arn.split(':').skip(3);
        let (region, account) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let name = self.state("ingress.certificate_arn", arn);
        if region != config.region && self.document.get("region").is_some() {
            let own = self.state("region", "");
            let text = format!("{name}; allowed: a certificate in the region of the load balancer, and {own}");
            self.report(&["ingress.certificate_arn", "region"], text);
        }
        if config.account.as_deref().is_some_and(|own| own != account) {
            let own = self.state("account", "");
            let text = format!("{name}; allowed: a certificate of the account, and {own}");
            self.report(&["ingress.certificate_arn", "account"], text);
        }
    }

    /// What stands in for the service's own image speaks no TLS.
    fn tls(&mut self) {
        if self.config.service.tls && self.document.get("service.image").is_none() {
            let tls = self.state("service.tls", "");
            let text = format!("{tls}; allowed: along with service.image, an image that answers HTTPS on service.port");
            self.report(&["service.tls"], text);
        }
    }

    /// S3 deletes no object before it has moved it.
    fn audit(&mut self) {
        let audit = self.config.audit.clone();
        if audit.expire_after_days <= audit.archive_after_days {
            let expire = self.state("audit.expire_after_days", audit.expire_after_days);
            let archive = self.state("audit.archive_after_days", audit.archive_after_days);
            let text = format!("{expire}; allowed: more than audit.archive_after_days, and {archive}");
            self.report(&["audit.expire_after_days", "audit.archive_after_days"], text);
        }
    }

    /// What the settings ask for would never be seen.
    fn ignored_tags(&mut self) {
        for pattern in &self.config.ignore_tags {
            let taken = self.config.tags.keys().filter(|key| rules::takes_in(pattern, key));
            for key in taken.map(|key| format!("tags.{key}")).collect::<Vec<_>>() {
                let text = format!(
                    "ignore_tags has {pattern:?}, which takes in {key}; allowed: tags that [tags] does not set"
                );
                self.report(&["ignore_tags", &key], text);
            }
        }
    }

    fn tags(&mut self) {
        let keys: Vec<&String> = self.config.tags.keys().collect();
        for (index, key) in keys.iter().enumerate() {
            let Some(other) = keys[..index].iter().find(|other| other.to_lowercase() == key.to_lowercase()) else {
                continue;
            };
            let text = format!(
                "tags.{key} differs from tags.{other} by case only, which IAM does not tell apart; allowed: one of them"
            );
            self.report(&[&format!("tags.{key}"), &format!("tags.{other}")], text);
        }
        let most = TAGS - OUR_TAGS;
        if keys.len() > most {
            let text = format!(
                "[tags] has {} tags; allowed: at most {most}, since AWS allows {TAGS} and {OUR_TAGS} are tapctl's",
                keys.len()
            );
            self.report(&[&format!("tags.{}", keys[most])], text);
        }
    }
}

fn lists(network: &super::Network) -> [(&'static str, Vec<Ipv4Net>); 2] {
    [
        ("network.public_subnets", network.public_subnets.clone()),
        ("network.private_subnets", network.private_subnets.clone()),
    ]
}

fn addresses(subnet: Ipv4Net) -> usize {
    1 << (32 - subnet.prefix_len())
}

/// The MiB that Fargate sells with these CPU units, and the same in words.
fn memory(cpu: i32) -> (Vec<i32>, String) {
    let (first, last, step) = match cpu {
        256 => return choice(&[512, 1024, 2048]),
        512 => (1024, 4096, 1024),
        1024 => (2048, 8192, 1024),
        2048 => (4096, 16_384, 1024),
        4096 => (8192, 30_720, 1024),
        8192 => (16_384, 61_440, 4096),
        16_384 => (32_768, 122_880, 8192),
        _ => return choice(&[61_440, 122_880, 249_856]),
    };
    let all = std::iter::successors(Some(first), |memory| Some(memory + step)).take_while(|memory| *memory <= last);
    (all.collect(), format!("{first} to {last} in steps of {step}"))
}

fn choice(all: &[i32]) -> (Vec<i32>, String) {
    (all.to_vec(), rules::alternatives(&all.iter().map(i32::to_string).collect::<Vec<_>>()))
}
