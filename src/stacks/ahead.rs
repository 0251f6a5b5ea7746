//! Caches that run what AWS never takes back, ahead of what the file asks for: they serve as well and are left as they are,
//! and people are told what to put into the file.

use serde_json::Value;

use crate::config::CacheEngine;
use crate::plan::Observations;
use crate::resource::Resource;
use crate::resources::elasticache::{ReplicationGroup, has_way_back, is_ahead, short};
use crate::stack::Stack;
use crate::state::State;

/// A sentence for each that is ahead of what the stack asks for.
pub fn of_stack(stack: &Stack, seen: &Observations) -> Vec<String> {
    let caches = stack.nodes.iter().filter(|(_, entry)| entry.kind == ReplicationGroup::KIND);
    caches.filter_map(|(name, entry)| told(name, &entry.spec, live(name, seen)?)).collect()
}

/// A sentence for each that is ahead of what was applied last.
pub fn of_state(state: &State, seen: &Observations) -> Vec<String> {
    let caches = state.nodes.iter().filter(|(_, node)| node.kind == ReplicationGroup::KIND);
    caches.filter_map(|(name, node)| told(name, &node.spec, live(name, seen)?)).collect()
}

fn live<'a>(name: &str, seen: &'a Observations) -> Option<&'a Value> {
    seen.get(name).and_then(Option::as_ref).map(|seen| &seen.live)
}

fn told(node: &str, spec: &Value, live: &Value) -> Option<String> {
    let (want, runs) = (engine(spec)?, engine(live)?);
    if !is_ahead(want, runs) {
        return None;
    }
    let version = short(runs.1);
    let is_setting = |engine: CacheEngine| engine.as_str() == runs.0 && engine.versions().contains(&version.as_str());
    let put = match [CacheEngine::Redis, CacheEngine::Valkey].into_iter().any(is_setting) {
        true => format!("; put cache.engine = {:?} and cache.engine_version = {version:?} into the file", runs.0),
        false => String::new(),
    };
    let back = match has_way_back(want, runs) {
        true => "AWS goes back only for who calls ModifyReplicationGroup",
        false => "AWS never goes back",
    };
    Some(format!(
        "{node} runs {} {version}, ahead of {} {} that is asked for: {back}, and it is left as it is{put}",
        runs.0, want.0, want.1
    ))
}

fn engine(spec: &Value) -> Option<(&str, &str)> {
    Some((spec["engine"].as_str()?, spec["engine_version"].as_str()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told_of(live: (&str, &str)) -> Option<String> {
        let spec = |(engine, version)| json!({ "engine": engine, "engine_version": version });
        told("cache", &spec(("redis", "7.1")), &spec(live))
    }

    #[test]
    fn what_is_ahead_is_told_with_what_to_put_into_the_file() {
        assert_eq!(told_of(("redis", "7.1.0")), None);
        assert_eq!(
            told_of(("valkey", "8.0.1")).unwrap(),
            "cache runs valkey 8.0, ahead of redis 7.1 that is asked for: AWS never goes back, and it is left as it is; \
             put cache.engine = \"valkey\" and cache.engine_version = \"8.0\" into the file"
        );
        assert!(told_of(("valkey", "7.2.6")).unwrap().contains("only for who calls ModifyReplicationGroup"));
        assert!(told_of(("valkey", "9.0.0")).unwrap().ends_with("left as it is"), "no setting has it");
    }
}
