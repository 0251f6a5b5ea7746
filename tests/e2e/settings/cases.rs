//! Changes of every setting, as a person might make them on an environment that stands.

/// One change.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// The setting.
    pub key: &'static str,
    /// Its new value, as in the file; empty where it is left to its default.
    pub to: &'static str,
    /// What changes along with it, likewise.
    pub along: &'static [(&'static str, &'static str)],
}

/// An environment that stands, and what becomes of it.
pub struct Standing {
    /// The stack.
    pub stack: &'static str,
    /// The settings it was made by.
    pub from: &'static [(&'static str, &'static str)],
    /// Changes of that.
    pub changes: &'static [Case],
    /// Changes of what it is after all those that can be made.
    pub further: &'static [Case],
}

const fn case(key: &'static str, to: &'static str) -> Case {
    Case { key, to, along: &[] }
}

/// Back to the default.
const fn unset(key: &'static str) -> Case {
    case(key, "")
}

const fn with(key: &'static str, to: &'static str, along: &'static [(&'static str, &'static str)]) -> Case {
    Case { key, to, along }
}

/// The key that a file has for what stands as this one key in the table of settings.
pub const TAGS: (&str, &str) = ("tags.*", "tags.CostCentre");
/// Stands for the ARN of a certificate that is there already, in a value.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The host that certificate is for.
pub const HOST: &str = "api.university.edu";

const IMAGE: &str = "\"123456789012.dkr.ecr.us-east-1.amazonaws.com/student-api:1.4\"";
const NEXT_IMAGE: &str = "\"123456789012.dkr.ecr.us-east-1.amazonaws.com/student-api:1.5\"";

/// The environments and their changes.
pub const STANDING: [Standing; 2] = [
    Standing {
        stack: "student-records",
        from: &[
            ("service.image", IMAGE),
            ("cache.engine_version", "\"7.0\""),
            ("api.campus_systems", "[\"campus\", \"library\"]"),
            ("engine.settle_seconds", "5"),
        ],
        changes: &[
            case("stack", "\"data-pipeline\""),
            case("region", "\"eu-west-1\""),
            case("account", "\"210987654321\""),
            case("account", "\"123456789012\""),
            case("protect", "true"),
            case("ignore_tags", "[\"backup:*\"]"),
            case("environments", "[\"dev\", \"pr*\"]"),
            case("network.cidr", "\"10.9.0.0/16\""),
            case("network.azs", "3"),
            case("network.nat", "\"per-az\""),
            case("network.public_subnets", "[\"10.0.40.0/24\", \"10.0.41.0/24\"]"),
            case("network.private_subnets", "[\"10.0.50.0/24\", \"10.0.51.0/24\"]"),
            case("network.endpoints", "[\"ecr\", \"logs\", \"secretsmanager\", \"kms\", \"kinesis\"]"),
            case("service.image", NEXT_IMAGE),
            case("service.command", "[\"serve\", \"--verbose\"]"),
            with("service.cpu", "1024", &[("service.memory", "2048")]),
            case("service.memory", "2048"),
            case("service.port", "9090"),
            case("service.tasks", "3"),
            case("service.min_tasks", "1"),
            case("service.max_tasks", "12"),
            case("service.requests_per_target", "500"),
            case("service.cpu_target_percent", "50"),
            case("service.health_check_path", "\"/up\""),
            case("service.tls", "true"),
            case("service.read_only_root", "false"),
            case("service.log_mode", "\"blocking\""),
            case("database.engine_version", "\"16.13\""),
            case("database.engine_version", "\"15.10\""),
            case("database.min_acu", "1.0"),
            case("database.max_acu", "8.0"),
            case("database.instances", "3"),
            case("database.backup_days", "7"),
            case("database.proxy", "true"),
            case("database.extended_support", "true"),
            case("cache.engine_version", "\"7.1\""),
            with("cache.engine", "\"valkey\"", &[("cache.engine_version", "\"8.0\"")]),
            case("cache.node_type", "\"cache.t3.small\""),
            case("cache.nodes", "3"),
            case("cache.snapshot_days", "3"),
            case("stream.shards", "5"),
            with("stream.mode", "\"on-demand\"", &[("stream.shards", "")]),
            case("stream.retention_hours", "48"),
            case("stream.readers", "false"),
            case("files.throughput_mode", "\"elastic\""),
            case("files.transition_to_ia_days", "7"),
            case("files.backup", "false"),
            case("backup.max_age", "\"50h\""),
            case("logs.retention_days", "90"),
            case("api.authorization", "\"cognito\""),
            case("api.campus_systems", "[\"campus\", \"registrar\"]"),
            case("api.throttle_rate", "2000"),
            case("api.throttle_burst", "3000"),
            case("api.plan_rate", "50"),
            case("api.plan_burst", "100"),
            case("api.plan_quota", "500000"),
            case("api.waf", "false"),
            case("api.waf_rate_limit", "60000"),
            case("ingress.mode", "\"public\""),
            with("ingress.certificate_arn", CERTIFICATE, &[("ingress.host", "\"api.university.edu\"")]),
            case("ingress.host", "\"api.university.edu\""),
            case("audit.trail", "\"external\""),
            case("audit.archive_after_days", "60"),
            case("audit.expire_after_days", "200"),
            case("monitoring.alarm_emails", "[\"registrar@university.edu\"]"),
            case("monitoring.dashboard", "false"),
            case("iam.permissions_boundary", "\"arn:aws:iam::aws:policy/PowerUserAccess\""),
            case("iam.role_path", "\"/teams/data/\""),
            case("tags.*", "\"4711\""),
            case("engine.parallelism", "8"),
            case("engine.settle_seconds", "6"),
            case("engine.timeout_minutes", "60"),
        ],
        further: &[
            unset("protect"),
            case("network.azs", "2"),
            case("network.nat", "\"single\""),
            unset("network.endpoints"),
            unset("service.tls"),
            case("database.instances", "2"),
            unset("database.proxy"),
            case("cache.engine_version", "\"7.2\""),
            with("cache.engine", "\"redis\"", &[("cache.engine_version", "\"7.1\"")]),
            case("cache.nodes", "2"),
            unset("stream.mode"),
            unset("files.backup"),
            unset("api.authorization"),
            unset("api.waf"),
            unset("ingress.mode"),
            with("ingress.certificate_arn", "", &[("ingress.host", "")]),
            unset("audit.trail"),
            unset("monitoring.alarm_emails"),
            unset("monitoring.dashboard"),
            unset("stream.readers"),
            unset("service.read_only_root"),
            unset("service.log_mode"),
            unset("iam.permissions_boundary"),
            unset("tags.*"),
        ],
    },
    Standing {
        stack: "data-pipeline",
        from: &[
            ("stack", "\"data-pipeline\""),
            ("service.image", IMAGE),
            ("postgres.storage_gib", "40"),
            ("engine.settle_seconds", "5"),
        ],
        changes: &[
            case("stack", "\"student-records\""),
            case("region", "\"eu-west-1\""),
            case("account", "\"210987654321\""),
            case("account", "\"123456789012\""),
            case("protect", "true"),
            case("ignore_tags", "[\"backup:*\"]"),
            case("environments", "[\"dev\", \"pr*\"]"),
            case("network.cidr", "\"10.9.0.0/16\""),
            case("network.azs", "3"),
            case("network.nat", "\"per-az\""),
            case("network.public_subnets", "[\"10.0.40.0/24\", \"10.0.41.0/24\"]"),
            case("network.private_subnets", "[\"10.0.50.0/24\", \"10.0.51.0/24\"]"),
            case("network.endpoints", "[\"ecr\", \"logs\", \"secretsmanager\", \"kms\", \"kinesis\"]"),
            case("service.image", NEXT_IMAGE),
            case("service.command", "[\"process\"]"),
            with("service.cpu", "512", &[("service.memory", "1024")]),
            case("service.memory", "1024"),
            case("service.port", "9090"),
            case("service.tasks", "2"),
            case("service.min_tasks", "2"),
            case("service.max_tasks", "6"),
            case("service.health_check_path", "\"/up\""),
            case("service.tls", "true"),
            case("service.read_only_root", "false"),
            case("service.log_mode", "\"blocking\""),
            case("stream.shards", "5"),
            with("stream.mode", "\"on-demand\"", &[("stream.shards", "")]),
            case("stream.retention_hours", "48"),
            case("stream.readers", "false"),
            case("backup.max_age", "\"50h\""),
            case("logs.retention_days", "30"),
            case("api.throttle_rate", "2000"),
            case("api.throttle_burst", "3000"),
            case("api.waf", "false"),
            case("api.waf_rate_limit", "60000"),
            case("monitoring.alarm_emails", "[\"registrar@university.edu\"]"),
            case("monitoring.dashboard", "false"),
            case("pipeline.project", "\"other\""),
            case("pipeline.stage", "\"v2\""),
            case("pipeline.data_trace", "true"),
            case("pipeline.iterator_age_seconds", "120"),
            case("pipeline.alarms", "false"),
            case("pipeline.guardduty", "false"),
            case("postgres.engine_version", "\"16.13\""),
            case("postgres.engine_version", "\"15.13\""),
            case("postgres.instance_class", "\"db.t3.small\""),
            case("postgres.storage_gib", "60"),
            case("postgres.storage_gib", "30"),
            case("postgres.backup_days", "14"),
            case("postgres.multi_az", "true"),
            case("postgres.extended_support", "true"),
            case("iam.permissions_boundary", "\"arn:aws:iam::aws:policy/PowerUserAccess\""),
            case("iam.role_path", "\"/teams/data/\""),
            case("tags.*", "\"4711\""),
            case("engine.parallelism", "8"),
            case("engine.settle_seconds", "6"),
            case("engine.timeout_minutes", "60"),
        ],
        further: &[
            unset("protect"),
            case("network.azs", "2"),
            case("network.nat", "\"single\""),
            unset("network.endpoints"),
            unset("service.tls"),
            unset("stream.mode"),
            unset("api.waf"),
            unset("monitoring.alarm_emails"),
            unset("monitoring.dashboard"),
            unset("pipeline.data_trace"),
            unset("pipeline.alarms"),
            unset("pipeline.guardduty"),
            case("postgres.engine_version", "\"17.9\""),
            unset("postgres.multi_az"),
            unset("stream.readers"),
            unset("service.read_only_root"),
            unset("service.log_mode"),
            unset("iam.permissions_boundary"),
            unset("tags.*"),
        ],
    },
];
