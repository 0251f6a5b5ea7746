//! Settings offer what AWS offers: every choice is held against cfn-lint's copy of AWS's own schemas.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::json;
use tapctl::config::{Config, Profile};

use crate::harness;

/// What `tests/requirements/offered.py` says.
#[derive(Deserialize)]
struct Offered {
    aurora: BTreeSet<String>,
    instance_classes: BTreeSet<String>,
    redis: BTreeSet<String>,
    valkey: BTreeSet<String>,
    cache_nodes: BTreeSet<String>,
    cache_most_nodes: i32,
    fargate: BTreeMap<String, BTreeSet<i32>>,
    log_days: BTreeSet<i32>,
    files_days: BTreeSet<i32>,
    files_throughput: BTreeSet<String>,
    stream_hours: i32,
    stream_modes: BTreeSet<String>,
    backup_days: i32,
    key_window: [i32; 2],
}

fn takes(toml: &str) -> bool {
    Config::parse("tapctl.toml", toml, "dev", None).is_ok()
}

/// Which of these values a setting takes.
fn taken(table: &str, key: &str, values: impl IntoIterator<Item = serde_json::Value>) -> BTreeSet<String> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let takes = |value: &serde_json::Value| takes(&format!("[{table}]\n{key} = {value}"));
    values.into_iter().filter(takes).map(|value| text(&value)).collect()
}

fn days(all: &BTreeSet<i32>) -> BTreeSet<String> {
    all.iter().map(i32::to_string).collect()
}

#[test]
fn settings_offer_what_aws_offers() {
    let offered: Offered =
        serde_json::from_value(harness::python(&["tests/requirements/offered.py"])).expect("as above");
    versions(&offered);
    cache_nodes(&offered);
    task_sizes(&offered);
    days_and_modes(&offered);
    defaults(&offered);
}

fn versions(offered: &Offered) {
    // Serverless v2 begins at 13.
    let serverless = |version: &&String| {
        version.split('.').next().is_some_and(|major| major.parse::<u8>().is_ok_and(|major| major >= 13))
    };
    let all = (9..=20).flat_map(|major| (0..=40).map(move |minor| json!(format!("{major}.{minor}"))));
    let wanted: BTreeSet<String> = offered.aurora.iter().filter(serverless).cloned().collect();
    assert!(wanted.len() > 20);
    let minor = |version: &str| version.split_once('.').and_then(|(_, minor)| minor.parse::<u8>().ok());
    let newest = |major: &str| {
        wanted.iter().filter(|one| one.split('.').next() == Some(major)).filter_map(|one| minor(one)).max()
    };
    // A minor version that came out since is AWS's to judge.
    let known = |version: &String| {
        let newest = version.split('.').next().and_then(newest);
        newest.is_none_or(|newest| minor(version) <= Some(newest))
    };
    let taken_now: BTreeSet<String> = taken("database", "engine_version", all).into_iter().filter(known).collect();
    assert_eq!(taken_now, wanted);
    // S6 asks for Redis 7.
    let seven: BTreeSet<String> = offered.redis.iter().filter(|version| version.starts_with("7.")).cloned().collect();
    let all = (2..=9).flat_map(|major| (0..=9).map(move |minor| json!(format!("{major}.{minor}"))));
    assert_eq!(taken("cache", "engine_version", all.clone()), seven);
    let takes =
        |version: &serde_json::Value| takes(&format!("[cache]\nengine = \"valkey\"\nengine_version = {version}"));
    let taken: BTreeSet<String> = all.filter(takes).filter_map(|version| Some(version.as_str()?.to_owned())).collect();
    let before_nine = offered.valkey.iter().filter(|version| !version.starts_with('9'));
    assert_eq!(taken, before_nine.cloned().collect());
}

/// Every node type that is taken is offered, and of a family that is taken every size.
fn cache_nodes(offered: &Offered) {
    let part = |index: usize| -> BTreeSet<&str> {
        offered.cache_nodes.iter().filter_map(|node| node.split('.').nth(index)).collect()
    };
    let (families, sizes) = (part(1), part(2));
    let all = families.iter().flat_map(|family| sizes.iter().map(move |size| json!(format!("cache.{family}.{size}"))));
    let taken = taken("cache", "node_type", all);
    let families: BTreeSet<&str> = taken.iter().filter_map(|node| node.split('.').nth(1)).collect();
    assert!(families.len() > 5);
    let of_them = |node: &&String| node.split('.').nth(1).is_some_and(|family| families.contains(family));
    assert_eq!(taken, offered.cache_nodes.iter().filter(of_them).cloned().collect());
}

fn task_sizes(offered: &Offered) {
    for cpu in [128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536] {
        let memory = (256..=260_000).step_by(256);
        let takes = |memory: &i32| takes(&format!("[service]\ncpu = {cpu}\nmemory = {memory}"));
        let taken: BTreeSet<i32> = memory.filter(takes).collect();
        assert_eq!(taken, offered.fargate.get(&cpu.to_string()).cloned().unwrap_or_default(), "{cpu} CPU units");
    }
}

fn days_and_modes(offered: &Offered) {
    let numbers = |last: i32| (0..=last).map(|number| json!(number));
    assert_eq!(taken("logs", "retention_days", numbers(4000)), days(&offered.log_days));
    assert_eq!(taken("files", "transition_to_ia_days", numbers(400)), days(&offered.files_days));
    let most = |table, key, last| taken(table, key, numbers(last)).iter().filter_map(|text| text.parse().ok()).max();
    assert_eq!(most("cache", "nodes", 20), Some(offered.cache_most_nodes));
    assert_eq!(most("stream", "retention_hours", 9000), Some(offered.stream_hours));
    assert_eq!(most("database", "backup_days", 50), Some(offered.backup_days));
    // A provisioned throughput would need a number beside it.
    let modes = offered.files_throughput.iter().filter(|mode| *mode != "provisioned");
    assert_eq!(
        taken("files", "throughput_mode", offered.files_throughput.iter().map(|mode| json!(mode))),
        modes.cloned().collect()
    );
    let modes = offered.stream_modes.iter().map(|mode| mode.to_lowercase().replace('_', "-"));
    assert_eq!(taken("stream", "mode", modes.clone().map(|mode| json!(mode))), modes.collect());
}

fn defaults(offered: &Offered) {
    assert!(offered.instance_classes.contains("db.serverless"));
    for env in ["dev", "prod"] {
        let config = Config::parse("tapctl.toml", "", env, None).expect("the defaults are right");
        assert!(offered.aurora.contains(&config.database.engine_version), "{env}");
        assert!(offered.redis.contains(&config.cache.engine_version), "{env}");
        assert!(offered.cache_nodes.contains(&config.cache.node_type), "{env}");
        assert!(offered.fargate[&config.service.cpu.to_string()].contains(&config.service.memory), "{env}");
        assert!(offered.log_days.contains(&config.logs.retention_days), "{env}");
        let Profile { key_recovery_days, .. } = config.profile();
        let [least, most] = offered.key_window;
        assert!((least..=most).contains(&key_recovery_days), "{env}");
    }
}
