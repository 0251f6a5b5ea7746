//! What RDS offers in a region: versions, classes, and the zones that have them.

use std::collections::BTreeSet;

use aws_sdk_rds::types::{DbEngineVersion, LifecycleSupportName, OrderableDbInstanceOption, SupportedEngineLifecycle};
use jiff::{SignedDuration, Timestamp};

use super::{data_pipeline, student_records};
use crate::aws::{Aws, IfPresent};
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
    /// Whether Extended Support is to take on a new one.
    extended: bool,
}

/// How long before its end standard support is spoken of: half a year.
const SOON: SignedDuration = SignedDuration::from_hours(24 * 183);

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
                extended: config.database.extended_support,
            },
            StackKind::DataPipeline => Wish {
                table: "postgres",
                engine: data_pipeline::DATABASE_ENGINE,
                version: &config.postgres.engine_version,
                class: &config.postgres.instance_class,
                kinds: [StandaloneDbInstance::KIND, StandaloneDbInstance::KIND],
                zones: if config.postgres.multi_az { 2 } else { 1 },
                extended: config.postgres.extended_support,
            },
        }
    }

    /// Whether the database that stands is of this version, or class.
    fn stands(&self, state: &State, kind: &str, field: &str, wanted: &str) -> bool {
        let recorded = state.nodes.values().filter(|node| node.kind == kind);
        recorded.filter_map(|node| node.spec.get(field)?.as_str()).any(|value| value == wanted)
    }
}

/// Refuses a version that AWS has withdrawn, or that it does not upgrade the database to that stands, and a class that it does not have for it here or in too few of these zones. A
/// database that runs one keeps it; a new one cannot have it. What is to be known of the version besides is given back.
///
/// # Errors
/// Names the setting, its value and what AWS offers.
pub(super) async fn check(aws: &Aws, config: &Config, state: &State, zones: &[String]) -> Result<Option<String>> {
    let wish = Wish::of(config);
    let same_version = wish.stands(state, wish.kinds[0], "engine_version", wish.version);
    if !same_version {
        let offered = versions(aws, &wish).await?;
        version(aws, &wish, &offered)?;
        upgrade(aws, state, &wish, &offered).await?;
    }
    if !(same_version && wish.stands(state, wish.kinds[1], "instance_class", wish.class)) {
        class(aws, &wish, zones).await?;
    }
    support(aws, state, &wish).await
}

/// Refuses a new database of a version whose standard support has ended, unless Extended Support is to take it on, and
/// tells of one that stands, or will, that its support has ended or soon will.
async fn support(aws: &Aws, state: &State, wish: &Wish<'_>) -> Result<Option<String>> {
    let Some(end) = end_of_support(aws, wish).await else { return Ok(None) };
    let now = Timestamp::try_from(aws.now()).unwrap_or_default();
    let stands = state.nodes.values().any(|node| node.kind == wish.kinds[0] && node.id.is_some());
    let (ended, day) = (end <= now, end.strftime("%Y-%m-%d"));
    if ended && !stands && !wish.extended {
        let text = format!(
            "{0}.engine_version is {1}, whose standard support ended on {day}: AWS makes a new database of it only under RDS \
             Extended Support, which it bills for; choose a later major version, or set {0}.extended_support = true",
            wish.table, wish.version
        );
        return Err(Fault::new(Class::Invalid, "SupportEnded", text));
    }
    let verb = if ended { "ended" } else { "ends" };
    Ok((end < now + SOON).then(|| {
        format!(
            "standard support of {} {} {verb} on {day}; after it AWS bills for Extended Support or upgrades by itself",
            wish.engine, wish.version
        )
    }))
}

/// When the standard support of a major version ends; none where AWS does not tell, or lets nobody ask.
async fn end_of_support(aws: &Aws, wish: &Wish<'_>) -> Option<Timestamp> {
    let major = wish.version.split('.').next()?;
    let ask = aws.rds.describe_db_major_engine_versions().engine(wish.engine).major_engine_version(major);
    let answer = ask.send().await.ok()?;
    let lives = answer.db_major_engine_versions().iter().flat_map(|version| version.supported_engine_lifecycles());
    let standard = |life: &&SupportedEngineLifecycle| {
        life.lifecycle_support_name() == Some(&LifecycleSupportName::OpenSourceRdsStandardSupport)
    };
    let end = lives.into_iter().find(standard)?.lifecycle_support_end_date()?;
    Timestamp::from_second(end.secs()).ok()
}

async fn versions(aws: &Aws, wish: &Wish<'_>) -> Result<Vec<DbEngineVersion>> {
    let ask = aws.rds.describe_db_engine_versions().engine(wish.engine);
    Ok(ask.into_paginator().items().send().collect::<Result<_, _>>().await?)
}

fn version(aws: &Aws, wish: &Wish<'_>, offered: &[DbEngineVersion]) -> Result<()> {
    let offered: Vec<&str> = offered.iter().filter_map(DbEngineVersion::engine_version).collect();
    match offered.contains(&wish.version) {
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

/// Whether AWS upgrades what stands to the version that is wanted, in one step. A version that it has gone on to by
/// itself, and one that lies behind it, are for the kind to judge.
async fn upgrade(aws: &Aws, state: &State, wish: &Wish<'_>, offered: &[DbEngineVersion]) -> Result<()> {
    let Some(live) = standing(aws, state, wish).await? else { return Ok(()) };
    if is_at_most(wish.version, &live) {
        return Ok(());
    }
    // A version that is offered no more still says where it can be upgraded to.
    let ask = aws.rds.describe_db_engine_versions().engine(wish.engine).engine_version(&live).include_all(true);
    let known = ask.send().await?;
    let Some(from) = known.db_engine_versions().first() else { return Ok(()) };
    let targets = targets(from);
    if targets.contains(&wish.version) {
        return Ok(());
    }
    let through = |version: &&DbEngineVersion| {
        let reached = version.engine_version().is_some_and(|version| targets.contains(&version));
        reached && self::targets(version).contains(&wish.version)
    };
    let hint = match offered.iter().rev().find(through).and_then(DbEngineVersion::engine_version) {
        Some(step) => format!("; {step} first, then {}, is a way", wish.version),
        None => String::new(),
    };
    let text = format!(
        "{}.engine_version is {}, the database runs {live}, and AWS upgrades that to {}{hint}",
        wish.table,
        wish.version,
        targets.join(", ")
    );
    Err(Fault::new(Class::Invalid, "UpgradeNotOffered", text))
}

/// What a database of this version can be upgraded to. API reference, DBEngineVersion: `ValidUpgradeTarget`.
fn targets(version: &DbEngineVersion) -> Vec<&str> {
    version.valid_upgrade_target().iter().filter_map(|target| target.engine_version()).collect()
}

/// Whether a version is an earlier one, or the same.
fn is_at_most(version: &str, other: &str) -> bool {
    let numbers = |version: &str| version.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>();
    matches!((numbers(version), numbers(other)), (Some(version), Some(other)) if version <= other)
}

/// The version that the recorded database runs, where it is there.
async fn standing(aws: &Aws, state: &State, wish: &Wish<'_>) -> Result<Option<String>> {
    let recorded = state.nodes.values().find(|node| node.kind == wish.kinds[0]);
    let Some(id) = recorded.and_then(|node| node.id.as_deref()) else { return Ok(None) };
    if wish.kinds[0] == DbCluster::KIND {
        let answer = aws.rds.describe_db_clusters().db_cluster_identifier(id).send().await.if_present()?;
        return Ok(answer.and_then(|answer| answer.db_clusters.unwrap_or_default().pop()?.engine_version));
    }
    let answer = aws.rds.describe_db_instances().db_instance_identifier(id).send().await.if_present()?;
    Ok(answer.and_then(|answer| answer.db_instances.unwrap_or_default().pop()?.engine_version))
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
