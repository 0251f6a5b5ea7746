//! The settings: one struct a table of `tapctl.toml`.

use std::collections::BTreeMap;

use ipnet::Ipv4Net;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::EnvName;
use super::said::Said;

/// Everything that is settable, with the environment's overrides and the defaults filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Where they come from.
    #[serde(skip)]
    pub origin: Origin,
    /// Which system is built.
    pub stack: StackKind,
    /// The environment, which every name ends in.
    pub env: EnvName,
    /// The AWS region, such as `us-east-1`.
    pub region: String,
    /// The only AWS account that may be touched, 12 digits. `None`: whichever the credentials belong to.
    pub account: Option<String>,
    /// Whether losing this environment would hurt: deletion protection, final snapshots, long key windows.
    pub protect: bool,
    /// Keys of tags that are others' to set and to take off, and beginnings of such keys, which end in `*`.
    pub ignore_tags: Vec<String>,
    /// The environments that may be made without a word; `pr-*` stands for all that begin so.
    pub environments: Vec<String>,
    /// `[network]`
    pub network: Network,
    /// `[service]`
    pub service: Service,
    /// `[database]`, of `student-records` only.
    pub database: Database,
    /// `[cache]`, of `student-records` only.
    pub cache: Cache,
    /// `[stream]`
    pub stream: Stream,
    /// `[files]`, of `student-records` only.
    pub files: Files,
    /// `[backup]`
    pub backup: Backup,
    /// `[logs]`
    pub logs: Logs,
    /// `[api]`
    pub api: Api,
    /// `[ingress]`, of `student-records` only.
    pub ingress: Ingress,
    /// `[audit]`, of `student-records` only.
    pub audit: Audit,
    /// `[iam]`
    pub iam: Iam,
    /// `[monitoring]`
    pub monitoring: Monitoring,
    /// `[pipeline]`, of `data-pipeline` only.
    pub pipeline: Pipeline,
    /// `[postgres]`, of `data-pipeline` only.
    pub postgres: Postgres,
    /// `[tags]`: further tags on every object. None of them is one that tapctl sets itself.
    pub tags: BTreeMap<String, String>,
    /// `[engine]`
    pub engine: Engine,
    /// Where each of these was said.
    #[serde(skip)]
    pub said: Said,
}

/// Where the settings of an environment come from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file, as it was named; none where all is left to the defaults.
    pub file: Option<String>,
    /// Whether the file has a section of the environment's own.
    pub section: bool,
}

/// The systems tapctl can build.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum StackKind {
    /// A university's student records, under FERPA.
    StudentRecords,
    /// A pipeline that takes in records, under FedRAMP Moderate.
    DataPipeline,
}

impl StackKind {
    /// The name, as in `tapctl.toml`, tags and state files.
    pub fn as_str(self) -> &'static str {
        match self {
            StackKind::StudentRecords => "student-records",
            StackKind::DataPipeline => "data-pipeline",
        }
    }
}

/// The VPC and its subnets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Network {
    /// The VPC's addresses.
    pub cidr: Ipv4Net,
    /// How many availability zones are used: 2 or 3.
    pub azs: usize,
    /// How many NAT gateways there are.
    pub nat: Nat,
    /// One public subnet for each zone, inside `cidr`.
    pub public_subnets: Vec<Ipv4Net>,
    /// One private subnet for each zone, inside `cidr`.
    pub private_subnets: Vec<Ipv4Net>,
    /// AWS services reached through an interface endpoint instead of the NAT gateways.
    pub endpoints: Vec<Endpoint>,
}

/// How many NAT gateways there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Nat {
    /// One in every zone: losing a zone costs the others nothing.
    PerAz,
    /// One for all: cheaper, and its zone takes the way out down with it.
    Single,
}

/// A service that can have an interface endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Endpoint {
    /// The container registry. It has two: `ecr.api` and `ecr.dkr`.
    Ecr,
    /// CloudWatch Logs.
    Logs,
    /// Secrets Manager.
    SecretsManager,
    /// KMS.
    Kms,
    /// Kinesis, which AWS calls `kinesis-streams` here.
    Kinesis,
}

/// The containers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// The container image.
    pub image: String,
    /// What the container runs. Empty: what the image says.
    pub command: Vec<String>,
    /// CPU of one task in CPU units, 1024 to a vCPU.
    pub cpu: i32,
    /// Memory of one task in MiB.
    pub memory: i32,
    /// The TCP port the container listens on.
    pub port: u16,
    /// Tasks at the start; from then on auto-scaling decides.
    pub tasks: i32,
    /// Fewest tasks auto-scaling leaves.
    pub min_tasks: i32,
    /// Most tasks auto-scaling starts.
    pub max_tasks: i32,
    /// Requests per task and minute that auto-scaling aims at.
    pub requests_per_target: i32,
    /// CPU use in percent that auto-scaling aims at.
    pub cpu_target_percent: i32,
    /// The path that answers 200 when a task is healthy.
    pub health_check_path: String,
    /// Whether the container answers HTTPS, with a certificate of its own, and the load balancer speaks it to the tasks.
    pub tls: bool,
    /// Whether the container's own file system refuses writes everywhere but in /tmp.
    pub read_only_root: bool,
    /// What becomes of the container's output while CloudWatch Logs does not keep up.
    pub log_mode: LogMode,
}

/// What becomes of a container's output while CloudWatch Logs does not keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogMode {
    /// It is buffered, and what no longer fits is lost: the container answers on.
    NonBlocking,
    /// The container waits: nothing is lost, and nobody is answered.
    Blocking,
}

impl LogMode {
    /// As ECS spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            LogMode::NonBlocking => "non-blocking",
            LogMode::Blocking => "blocking",
        }
    }
}

/// The Aurora PostgreSQL cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Database {
    /// The version, major and minor: `16.11`.
    pub engine_version: String,
    /// Least capacity in Aurora capacity units (about 2 GiB each), in steps of a half. 0: it pauses when idle.
    pub min_acu: f64,
    /// Most capacity in Aurora capacity units, in steps of a half.
    pub max_acu: f64,
    /// Instances: one writer, the others readers.
    pub instances: i32,
    /// For how many days one can go back in time.
    pub backup_days: i32,
    /// Whether the service reaches the writer through an RDS Proxy, which pools connections and hides failovers.
    pub proxy: bool,
    /// Whether a new database may run a version whose standard support has ended, which AWS then bills for.
    pub extended_support: bool,
}

impl Database {
    /// The major version, as parameter group families and comparisons across minor upgrades need it.
    pub fn major(&self) -> &str {
        major(&self.engine_version)
    }
}

fn major(version: &str) -> &str {
    version.split('.').next().unwrap_or(version)
}

/// What a cache runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheEngine {
    /// Redis OSS.
    Redis,
    /// Valkey, which answers whoever speaks to Redis OSS.
    Valkey,
}

impl CacheEngine {
    /// As AWS spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            CacheEngine::Redis => "redis",
            CacheEngine::Valkey => "valkey",
        }
    }

    /// The versions that a cache can be made with: of Redis OSS those since 7, and of Valkey all before 9.
    pub fn versions(self) -> &'static [&'static str] {
        match self {
            CacheEngine::Redis => &["7.0", "7.1"],
            CacheEngine::Valkey => &["7.2", "8.0", "8.1", "8.2"],
        }
    }
}

/// The replication group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cache {
    /// What it runs. AWS goes from Redis OSS to Valkey in place, and not back.
    pub engine: CacheEngine,
    /// The version, major and minor, as `7.1`; one that the engine has.
    pub engine_version: String,
    /// The node type, such as `cache.t3.micro`.
    pub node_type: String,
    /// Nodes: one primary, the others replicas.
    pub nodes: i32,
    /// For how many days a daily snapshot is kept.
    pub snapshot_days: i32,
}

impl Cache {
    /// Whether a node lives on CPU credits.
    pub fn is_burstable(&self) -> bool {
        self.node_type.starts_with("cache.t")
    }

    /// Whether a node has two virtual cores, as all of the burstable families have and the smallest of the others.
    pub fn has_two_cores(&self) -> bool {
        self.is_burstable() || self.node_type.ends_with(".large")
    }
}

/// The Kinesis stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Who counts the shards.
    pub mode: StreamMode,
    /// Shards of a provisioned stream; without meaning for an on-demand one.
    pub shards: i32,
    /// For how many hours a record can be read.
    pub retention_hours: i32,
    /// Whether something is expected to read it at all times, by GetRecords, so that people hear of it where nothing does.
    pub readers: bool,
}

/// Who counts a stream's shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamMode {
    /// `stream.shards` does.
    Provisioned,
    /// AWS does.
    OnDemand,
}

/// The shared file system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Files {
    /// How throughput is paid for.
    pub throughput_mode: ThroughputMode,
    /// After how many days without access a file moves to the infrequent access class.
    pub transition_to_ia_days: i32,
    /// Whether AWS Backup backs it up daily.
    pub backup: bool,
}

/// How a file system's throughput is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThroughputMode {
    /// It grows with the stored size.
    Bursting,
    /// By use.
    Elastic,
}

/// What is watched of backups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Backup {
    /// How old the youngest way back to the data of a protected environment may be, as `26h`.
    pub max_age: String,
}

impl Backup {
    /// The same as a time; none where nobody could say that.
    pub fn longest(&self) -> SignedDuration {
        self.max_age.parse().unwrap_or_default()
    }
}

/// Log groups.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Logs {
    /// For how many days every log group keeps what it gets.
    pub retention_days: i32,
}

/// The REST API.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Api {
    /// How callers prove who they are.
    pub authorization: Authorization,
    /// The systems that call it. Each gets an API key and a usage plan and, with Cognito, a client.
    pub campus_systems: Vec<String>,
    /// Requests per second that the whole stage takes.
    pub throttle_rate: i32,
    /// Requests that the whole stage takes at once.
    pub throttle_burst: i32,
    /// Requests per second that one campus system may make.
    pub plan_rate: i32,
    /// Requests that one campus system may make at once.
    pub plan_burst: i32,
    /// Requests per calendar month that one campus system may make.
    pub plan_quota: i32,
    /// Whether a web ACL with AWS's managed rules and a rate rule stands before the stage. Without it nothing keeps callers
    /// from putting an encoded `/`, `?` or `#` into an id, of which API Gateway makes another path.
    pub waf: bool,
    /// Requests that one address may make in any five minutes before the web ACL blocks it.
    pub waf_rate_limit: i64,
}

impl Api {
    /// Requests that the usage plan lets one campus system make in five minutes.
    pub fn plan_requests(&self) -> i64 {
        i64::from(self.plan_rate) * 300
    }
}

/// How the API's callers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Authorization {
    /// By a signature with AWS credentials.
    Iam,
    /// By an access token of a Cognito user pool.
    Cognito,
}

/// How the API reaches the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ingress {
    /// Where the load balancer stands.
    pub mode: IngressMode,
    /// The ACM certificate of the load balancer. `None`: tapctl makes one and imports it.
    pub certificate_arn: Option<String>,
    /// The host name in that certificate, by which the API calls the load balancer. `None`: a name of tapctl's own, for
    /// a certificate of tapctl's own.
    pub host: Option<String>,
}

/// Where the load balancer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IngressMode {
    /// In the private subnets, reached through a VPC link only.
    Internal,
    /// In the public subnets, reached over the internet.
    Public,
}

/// The audit trail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Whose CloudTrail records what is done in the account.
    pub trail: TrailOwner,
    /// After how many days an object of 128 KB or more moves to the archive storage class; AWS leaves smaller ones.
    pub archive_after_days: i32,
    /// After how many days a record is deleted.
    pub expire_after_days: i32,
}

/// Whose CloudTrail records what is done in the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrailOwner {
    /// One of the environment's own, with a bucket of its own.
    Own,
    /// The organisation's, which tapctl leaves alone.
    External,
}

/// What every role has in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Iam {
    /// ARN of the policy that bounds every role. `None`: whatever bounds it stays.
    pub permissions_boundary: Option<String>,
    /// The path of every role, as `/` or `/apps/`.
    pub role_path: String,
}

/// Alarms and the dashboard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitoring {
    /// Addresses that alarms are mailed to. Each must confirm once.
    pub alarm_emails: Vec<String>,
    /// Whether there is a dashboard over all services.
    pub dashboard: bool,
}

/// The ingest pipeline as a whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// What every name begins with: `<project>-<env>-<thing>`.
    pub project: String,
    /// The name of the API's stage, which is part of its address.
    pub stage: String,
    /// Whether the API's execution log holds whole requests and answers, and with them personal data.
    pub data_trace: bool,
    /// How old the oldest unread record may be before auto-scaling starts another task.
    pub iterator_age_seconds: i32,
    /// Whether there are alarms.
    pub alarms: bool,
    /// Whether GuardDuty watches the account.
    pub guardduty: bool,
}

/// The PostgreSQL instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Postgres {
    /// The version, major and minor: `16.11`.
    pub engine_version: String,
    /// Its size, such as `db.t3.micro`.
    pub instance_class: String,
    /// Storage in GiB, which can only grow.
    pub storage_gib: i32,
    /// For how many days one can go back in time.
    pub backup_days: i32,
    /// Whether a standby in another zone takes over when the instance fails.
    pub multi_az: bool,
    /// Whether a new database may run a version whose standard support has ended, which AWS then bills for.
    pub extended_support: bool,
}

impl Postgres {
    /// The major version, as parameter group families need it.
    pub fn major(&self) -> &str {
        major(&self.engine_version)
    }
}

/// How tapctl itself works.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Engine {
    /// How many nodes are worked on at once.
    pub parallelism: usize,
    /// For how many seconds an object is looked for after a create call whose answer was lost, before another is made.
    pub settle_seconds: u64,
    /// How many minutes a whole run may take.
    pub timeout_minutes: u64,
}
