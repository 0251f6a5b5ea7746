//! Which settings a node comes from, for messages: a plan speaks of nodes, a person of settings.

use crate::config::{Config, StackKind};
use crate::plan::Step;

/// The setting that a field of this step comes from, with its line; without a field, what has the node go. Where no setting
/// is known, the node.
pub fn told(config: &Config, step: &Step, field: Option<&str>) -> String {
    let keys = settings(config.stack, &step.kind, &step.node, field);
    let said = keys.iter().find(|key| config.said.has(key)).or(keys.first());
    match (said, field) {
        (Some(key), _) => config.said.of_setting(key),
        (None, Some(field)) => format!("{} ({}): {field} has changed", step.node, step.kind),
        (None, None) => format!("{} ({}) is no longer wanted", step.node, step.kind),
    }
}

/// Those that the field can come from, the nearest first.
fn settings(stack: StackKind, kind: &str, node: &str, field: Option<&str>) -> &'static [&'static str] {
    match (kind, field) {
        ("ec2.vpc", Some("cidr")) => &["network.cidr"],
        ("ec2.subnet", Some("cidr")) if node.starts_with("subnet-public") => {
            &["network.public_subnets", "network.cidr"]
        }
        ("ec2.subnet", Some("cidr")) => &["network.private_subnets", "network.cidr"],
        ("ec2.subnet", None) => &["network.azs"],
        ("rds.db_cluster", Some("engine_version")) => &["database.engine_version"],
        ("rds.standalone_db_instance", Some("engine_version")) => &["postgres.engine_version"],
        ("rds.standalone_db_instance", Some("allocated_storage_gib")) => &["postgres.storage_gib"],
        ("elasticache.replication_group", Some("engine")) => &["cache.engine", "cache.engine_version"],
        ("elasticache.replication_group", Some("engine_version")) => &["cache.engine_version"],
        // Every name of the pipeline begins with its project's; those of the student records are fixed.
        (_, Some("name")) if stack == StackKind::DataPipeline => &["pipeline.project"],
        _ => &[],
    }
}
