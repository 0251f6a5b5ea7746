//! What RDS offers in a region: versions, classes, and the zones that have them.

use std::collections::BTreeSet;

use aws_sdk_rds::types::OrderableDbInstanceOption;

use super::{data_pipeline, student_records};
use crate::aws::Aws;
use crate::config::{Config, StackKind};
use crate::error::{Class, Fault, Result};
use crate::resource::Resource;
use crate::resources::rds::{DbCluster, DbInstance, StandaloneDbInstance};
use crate::state::State;

/// What is asked of RDS for a stack's database.
struct Wish<'a> {
    /// The table of the settings.
    table: &'static str,
    engine: &'static str,
    version: &'a str,
    class: &'a str,
    /// The kinds that record version and class.
    kinds: [&'static str; 2],
    /// How many zones must have the class.
    zones: usize,
}

impl<'a> Wish<'a> {
    fn of(config: &'a Config) -> Self {
        match config.stack {
            StackKind::StudentRecords => Wish {
                table: "database",
                engine: student_records::DATABASE_ENGINE,
                version: &config.database.engine_version,
                class: student_records::INSTANCE_CLASS,
                kinds: [DbCluster::KIND, DbInstance::KIND],
                zones: 2,
            },
            StackKind::DataPipeline => Wish {
                table: "postgres",
                engine: data_pipeline::DATABASE_ENGINE,
                version: &config.postgres.engine_version,
                class: &config.postgres.instance_class,
                kinds: [StandaloneDbInstance::KIND, StandaloneDbInstance::KIND],
                zones: if config.postgres.multi_az { 2 } else { 1 },
            },
        }
    }

    /// Whether the database that stands is of this version, or class.
    fn stands(&self, state: &State, kind: &str, field: &str, wanted: &str) -> bool {
        let recorded = state.nodes.values().filter(|node| node.kind == kind);
        recorded.filter_map(|node| node.spec.get(field)?.as_str()).any(|value| value == wanted)
    }
}

/// Refuses a version that AWS has withdrawn, and a class that it does not have for it here or in too few of these zones. A
/// database that runs one keeps it; a new one cannot have it.
///
/// # Errors
/// Names the setting, its value and what AWS offers.
pub(super) async fn check(aws: &Aws, config: &Config, state: &State, zones: &[String]) -> Result<()> {
    let wish = Wish::of(config);
    let same_version = wish.stands(state, wish.kinds[0], "engine_version", wish.version);
    if !same_version {
        version(aws, &wish).await?;
    }
    if same_version && wish.stands(state, wish.kinds[1], "instance_class", wish.class) {
        return Ok(());
    }
    class(aws, &wish, zones).await
}

async fn version(aws: &Aws, wish: &Wish<'_>) -> Result<()> {
    let versions = aws.rds.describe_db_engine_versions().engine(wish.engine);
    let mut pages = versions.into_paginator().items().send();
    let mut offered = Vec::new();
    while let Some(version) = pages.next().await {
        offered.extend(version?.engine_version);
    }
    match offered.iter().any(|version| version == wish.version) {
        true => Ok(()),
        false => Err(Fault::new(
            Class::Invalid,
            "VersionNotOffered",
            format!(
                "{}.engine_version is {}, and {} offers {}",
                wish.table,
                wish.version,
                aws.region,
                offered.join(", ")
            ),
        )),
    }
}

async fn class(aws: &Aws, wish: &Wish<'_>, zones: &[String]) -> Result<()> {
    let offered = match orderable(aws, wish, Some(wish.class)).await {
        // Where it is not permitted to ask, only trying can tell.
        Err(fault) if fault.class == Class::Denied => return Ok(()),
        answer => answer?,
    };
    let refused = |why: String| {
        let text = format!("{} {}", said(wish), why);
        Err(Fault::new(Class::Invalid, "ClassNotOffered", text))
    };
    if offered.is_empty() {
        let others = orderable(aws, wish, None).await?;
        let names: BTreeSet<&str> = others.iter().filter_map(OrderableDbInstanceOption::db_instance_class).collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        return refused(format!("for {} {}, and {} offers {names}", wish.engine, wish.version, aws.region));
    }
    let has: BTreeSet<&str> =
        offered.iter().flat_map(|option| option.availability_zones()).filter_map(|zone| zone.name()).collect();
    let here = zones.iter().filter(|zone| has.contains(zone.as_str())).count();
    match here >= wish.zones {
        true => Ok(()),
        false => refused(format!(
            "for {} {}, and AWS has it in {} only; this environment's zones are {}",
            wish.engine,
            wish.version,
            has.into_iter().collect::<Vec<_>>().join(", "),
            zones.join(", ")
        )),
    }
}

/// How a person has asked for the class.
fn said(wish: &Wish<'_>) -> String {
    match wish.table {
        "postgres" => format!("postgres.instance_class is {}", wish.class),
        table => format!("{table} is of the class {}", wish.class),
    }
}

async fn orderable(aws: &Aws, wish: &Wish<'_>, class: Option<&str>) -> Result<Vec<OrderableDbInstanceOption>> {
    let ask = aws.rds.describe_orderable_db_instance_options().engine(wish.engine).engine_version(wish.version);
    let ask = ask.set_db_instance_class(class.map(str::to_owned)).vpc(true);
    Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
}
