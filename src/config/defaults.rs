//! What holds where `tapctl.toml` says nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use super::*;

/// BusyBox can answer a health check without a build, and ECR Public serves it without Docker Hub's pull limits.
const PLACEHOLDER_IMAGE: &str = "public.ecr.aws/docker/library/busybox:1.37";

/// The version of Valkey that a cache begins with.
const VALKEY: &str = "8.0";

/// Requests of one address in five minutes that the web ACL lets through at least.
const LEAST_WAF_RATE: i64 = 2000;

/// The defaults that depend on no other setting; [`derive`] fills in the others.
pub(super) fn defaults(stack: StackKind, env: EnvName, protect: bool) -> Config {
    let defaults = common(stack, env, protect);
    match stack {
        StackKind::StudentRecords => defaults,
        StackKind::DataPipeline => of_the_pipeline(defaults),
    }
}

/// One task can keep up with one shard, and reads what it missed when it was away.
fn of_the_pipeline(mut config: Config) -> Config {
    config.service = Service { cpu: 256, memory: 512, tasks: 1, min_tasks: 1, max_tasks: 4, ..config.service };
    config.stream.shards = 1;
    config.api.waf_rate_limit = waf_rate(&config.api);
    if !config.protect {
        config.logs.retention_days = 7;
    }
    config
}

fn common(stack: StackKind, env: EnvName, protect: bool) -> Config {
    let profile = Profile::of(protect);
    Config {
        origin: Origin::default(),
        stack,
        env,
        region: regions::DEFAULT.to_owned(),
        account: None,
        protect,
        ignore_tags: Vec::new(),
        environments: vec!["dev".to_owned()],
        network: Network {
            cidr: Ipv4Net::new_assert(Ipv4Addr::new(10, 0, 0, 0), 16),
            azs: 2,
            nat: profile.nat,
            public_subnets: Vec::new(),
            private_subnets: Vec::new(),
            endpoints: Vec::new(),
        },
        service: service(),
        database: Database {
            engine_version: "16.11".to_owned(),
            min_acu: 0.5,
            max_acu: 4.0,
            instances: 2,
            backup_days: 30,
            proxy: false,
            extended_support: false,
        },
        cache: Cache {
            engine: CacheEngine::Redis,
            engine_version: "7.1".to_owned(),
            node_type: profile.cache_node_type.to_owned(),
            nodes: 2,
            snapshot_days: 5,
        },
        stream: Stream { mode: StreamMode::Provisioned, shards: 2, retention_hours: 24, readers: true },
        files: Files { throughput_mode: ThroughputMode::Bursting, transition_to_ia_days: 30, backup: true },
        backup: Backup { max_age: "26h".to_owned() },
        logs: Logs { retention_days: profile.log_retention_days },
        api: Api {
            authorization: Authorization::Iam,
            campus_systems: vec!["campus".to_owned()],
            throttle_rate: 1000,
            throttle_burst: 2000,
            plan_rate: 100,
            plan_burst: 200,
            plan_quota: 1_000_000,
            waf: true,
            waf_rate_limit: LEAST_WAF_RATE,
        },
        ingress: Ingress { mode: IngressMode::Internal, certificate_arn: None, host: None },
        audit: Audit { trail: TrailOwner::Own, archive_after_days: 90, expire_after_days: profile.audit_expire_days },
        iam: Iam { permissions_boundary: None, role_path: "/".to_owned() },
        monitoring: Monitoring { alarm_emails: Vec::new(), dashboard: true },
        pipeline: Pipeline {
            project: "pipeline".to_owned(),
            stage: "prod".to_owned(),
            data_trace: false,
            iterator_age_seconds: 60,
            alarms: true,
            guardduty: true,
        },
        postgres: Postgres {
            engine_version: "16.11".to_owned(),
            instance_class: "db.t3.micro".to_owned(),
            storage_gib: 20,
            backup_days: 7,
            multi_az: profile.multi_az,
            extended_support: false,
        },
        tags: BTreeMap::new(),
        engine: Engine { parallelism: 16, settle_seconds: 30, timeout_minutes: 120 },
        said: Said::default(),
    }
}

fn service() -> Service {
    Service {
        image: PLACEHOLDER_IMAGE.to_owned(),
        command: Vec::new(),
        cpu: 512,
        memory: 1024,
        port: 8080,
        tasks: 2,
        min_tasks: 2,
        max_tasks: 10,
        requests_per_target: 1000,
        cpu_target_percent: 60,
        health_check_path: "/health".to_owned(),
        tls: false,
        read_only_root: true,
        log_mode: LogMode::NonBlocking,
    }
}

/// Fills in the defaults that follow from other settings, where `is_set` says that the file has none.
pub(super) fn derive(config: &mut Config, is_set: &impl Fn(&str) -> bool) {
    in_lower_case(config);
    let Network { cidr, azs, .. } = config.network;
    if !is_set("network.public_subnets") {
        config.network.public_subnets = subnets(cidr, 1, azs);
    }
    if !is_set("network.private_subnets") {
        config.network.private_subnets = subnets(cidr, 11, azs);
    }
    if !is_set("cache.engine_version") && config.cache.engine == CacheEngine::Valkey {
        config.cache.engine_version = VALKEY.to_owned();
    }
    if !is_set("api.waf_rate_limit") && config.stack == StackKind::StudentRecords {
        config.api.waf_rate_limit = waf_rate(&config.api);
    }
    let service = &mut config.service;
    if !is_set("service.tasks") && service.min_tasks <= service.max_tasks {
        service.tasks = service.tasks.clamp(service.min_tasks, service.max_tasks);
    }
    if !is_set("service.image") && !is_set("service.command") {
        service.command = placeholder(service.port, &service.health_check_path);
    }
}

/// Case means nothing in a host's name, and AWS gives it back in lower case.
fn in_lower_case(config: &mut Config) {
    config.ingress.host.iter_mut().for_each(|host| host.make_ascii_lowercase());
    for mail in &mut config.monitoring.alarm_emails {
        if let Some((name, host)) = mail.rsplit_once('@') {
            *mail = format!("{name}@{}", host.to_ascii_lowercase());
        }
    }
    let mut seen = BTreeSet::new();
    config.monitoring.alarm_emails.retain(|mail| seen.insert(mail.clone()));
}

/// A fifth more than a campus system behind one address may ask in five minutes: the usage plan speaks first.
fn waf_rate(api: &Api) -> i64 {
    (api.plan_requests() * 6 / 5).max(LEAST_WAF_RATE)
}

/// `count` subnets from number `first` on: a /24 each where the VPC has room for 16 of those, else a sixteenth of it.
fn subnets(cidr: Ipv4Net, first: usize, count: usize) -> Vec<Ipv4Net> {
    let size = (cidr.prefix_len() + 4).max(24);
    cidr.subnets(size).map(|all| all.skip(first).take(count).collect()).unwrap_or_default()
}

/// A web server whose only page is the health check. It lives in shared memory, the one place that can be written
/// even where the root file system is read-only.
fn placeholder(port: u16, path: &str) -> Vec<String> {
    let page = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    let script = format!(
        "mkdir -p \"$(dirname /dev/shm/www{page})\" && echo ok > /dev/shm/www{page} && \
         exec httpd -f -p {port} -h /dev/shm/www"
    );
    vec!["sh".to_owned(), "-c".to_owned(), script]
}
