//! What a plan shows of an object it makes unless asked for all: who may reach it and do what, what of it is public, how it
//! is encrypted, how long it keeps what, how large it is, and what it runs.

use serde_json::Value;

use super::words::{Field, fields};

/// The fields of each kind, in the order in which they are shown. A kind that is not here shows none.
const NOTABLE: &[(&str, &[&str])] = &[
    ("acm.certificate", &["domain_name", "validity_days"]),
    ("apigateway.api_key", &["enabled"]),
    ("apigateway.rest_api", &["policy", "security_policy", "endpoint_access_mode", "routes.*.authorization"]),
    ("apigateway.stage", &["throttle_rate", "throttle_burst", "logging_level", "data_trace", "tracing"]),
    ("apigateway.usage_plan", &["throttle_rate", "throttle_burst", "quota"]),
    ("applicationautoscaling.scalable_target", &["min", "max"]),
    ("cloudtrail.trail", &["bucket", "kms_key_arn", "multi_region", "log_file_validation", "logging"]),
    ("cognito.user_pool", &["mfa", "deletion_protection", "admin_create_user_only", "password_policy.minimum_length"]),
    ("cognito.user_pool_client", &["allowed_flows", "allowed_scopes", "access_token_minutes"]),
    ("cognito.user_pool_domain", &["domain"]),
    ("ec2.flow_log", &["traffic_type", "log_group_name"]),
    ("ec2.nat_gateway", &["subnet_id", "allocation_id"]),
    ("ec2.route", &["destination", "internet_gateway_id", "nat_gateway_id"]),
    ("ec2.security_group_rules", &["ingress", "egress"]),
    ("ec2.subnet", &["cidr", "availability_zone", "map_public_ip_on_launch"]),
    ("ec2.vpc", &["cidr"]),
    ("ec2.vpc_endpoint", &["service_name", "security_group_ids", "policy"]),
    ("ecs.service", &["desired_count", "assign_public_ip", "security_group_ids", "enable_execute_command"]),
    ("ecs.task_definition", &["cpu", "memory", "execution_role_arn", "task_role_arn", "containers.*.image"]),
    ("efs.access_point", &["path", "posix_uid", "posix_gid", "permissions"]),
    ("efs.file_system", &["kms_key_id", "performance_mode", "throughput_mode", "backup"]),
    ("efs.file_system_policy", &["policy"]),
    (
        "elasticache.replication_group",
        &["engine", "engine_version", "node_type", "nodes", "kms_key_id", "tls", "snapshot_retention_days"],
    ),
    ("elbv2.listener", &["port", "protocol", "certificate_arn", "ssl_policy"]),
    ("elbv2.load_balancer", &["scheme", "security_group_ids", "deletion_protection"]),
    ("elbv2.target_group", &["port", "protocol"]),
    ("guardduty.detector", &["enabled", "features"]),
    ("iam.role", &["assume_role_policy", "policies", "managed_policy_arns", "permissions_boundary"]),
    ("iam.shared_role", &["assume_role_policy", "managed_policy_arns"]),
    ("kinesis.stream", &["mode", "shards", "retention_hours", "kms_key_id"]),
    ("kms.key", &["policy", "rotation", "rotation_days", "deletion_window_days"]),
    ("logs.log_group", &["retention_days", "kms_key_arn"]),
    (
        "rds.db_cluster",
        &[
            "engine",
            "engine_version",
            "min_acu",
            "max_acu",
            "kms_key_id",
            "security_group_ids",
            "backup_retention_days",
            "deletion_protection",
            "iam_authentication",
        ],
    ),
    ("rds.db_cluster_parameter_group", &["family", "parameters"]),
    ("rds.db_instance", &["instance_class", "publicly_accessible", "performance_insights"]),
    ("rds.db_parameter_group", &["family", "parameters"]),
    ("rds.db_proxy", &["require_tls", "iam_auth", "role_arn", "security_group_ids", "debug_logging"]),
    (
        "rds.standalone_db_instance",
        &[
            "engine",
            "engine_version",
            "instance_class",
            "allocated_storage_gib",
            "multi_az",
            "kms_key_id",
            "security_group_ids",
            "publicly_accessible",
            "backup_retention_days",
            "deletion_protection",
            "iam_authentication",
        ],
    ),
    (
        "s3.bucket",
        &[
            "public_access_blocked",
            "kms_key_arn",
            "versioning",
            "object_ownership",
            "archive_after_days",
            "expire_after_days",
        ],
    ),
    ("s3.bucket_policy", &["policy"]),
    ("secretsmanager.secret", &["kms_key_id", "recovery_window_days"]),
    ("sns.subscription", &["protocol", "endpoint"]),
    ("sns.topic", &["kms_key_id", "policy"]),
    ("wafv2.web_acl", &["managed_rule_groups", "rate_limit", "plain_paths"]),
];

/// The notable fields of a spec of this kind.
pub(super) fn fields_of(kind: &str, spec: &Value) -> Vec<Field> {
    let paths = NOTABLE.iter().filter(|(name, _)| *name == kind).flat_map(|(_, paths)| *paths);
    paths.flat_map(|path| at("", spec, path)).collect()
}

/// What a spec has at a path, of which `*` stands for every key.
fn at(before: &str, value: &Value, path: &str) -> Vec<Field> {
    if path.is_empty() {
        return fields(before, value);
    }
    let (key, rest) = path.split_once('.').unwrap_or((path, ""));
    let inner = |key: &str| if before.is_empty() { key.to_owned() } else { format!("{before}.{key}") };
    let found = value.as_object().into_iter().flatten().filter(|(name, _)| key == "*" || *name == key);
    found.flat_map(|(name, value)| at(&inner(name), value, rest)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::config::{Config, StackKind};
    use crate::stack::Stack;
    use crate::{resources, stacks};

    /// Both stacks, with all that can be asked for.
    fn every_option() -> Vec<Stack> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings/every-option.toml");
        let settings = fs::read_to_string(file).unwrap();
        let zones = ["us-east-1a", "us-east-1b", "us-east-1c"].map(str::to_owned).into();
        let (account, region, partition) = ("123456789012".to_owned(), "us-east-1".to_owned(), "aws".to_owned());
        let place = stacks::Place { account, region, partition, zones, ..stacks::Place::default() };
        let of = |kind, settings: &str| {
            stacks::build(&Config::parse("tapctl.toml", settings, "all", Some(kind)).unwrap(), &place)
        };
        vec![of(StackKind::StudentRecords, &settings), of(StackKind::DataPipeline, "")]
    }

    #[test]
    fn every_notable_field_is_one_that_the_kind_has() {
        let stacks = every_option();
        let registry = resources::registry();
        for (kind, paths) in NOTABLE {
            assert!(registry.names().any(|name| name == *kind), "{kind} is no kind");
            let specs: Vec<&Value> = stacks
                .iter()
                .flat_map(|stack| stack.nodes.values())
                .filter(|entry| entry.kind == *kind)
                .map(|entry| &entry.spec)
                .collect();
            for path in *paths {
                let first = path.split('.').next().unwrap();
                assert!(specs.iter().any(|spec| spec.get(first).is_some()), "{kind} has no {path}");
                let optional = specs.iter().all(|spec| spec[first].is_null());
                assert!(optional || specs.iter().any(|spec| !at("", spec, path).is_empty()), "{kind} has no {path}");
            }
        }
    }

    #[test]
    fn what_opens_an_object_to_others_is_notable_in_every_kind() {
        let opens = ["policy", "ingress", "egress", "assume_role_policy", "policies", "publicly_accessible", "image"];
        for entry in every_option().iter().flat_map(|stack| stack.nodes.values()) {
            let shown = fields_of(entry.kind, &entry.spec);
            for field in opens {
                if fields("", &entry.spec[field]).is_empty() {
                    continue;
                }
                assert!(shown.iter().any(|shown| shown.path.starts_with(field)), "{} hides {field}", entry.kind);
            }
        }
    }
}
