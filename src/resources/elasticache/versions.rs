//! Engines and versions. AWS moves a cache to a later version and from Redis OSS to Valkey in place, and never back: user
//! guide, "Upgrading engine versions including cross engine upgrades". The one way back, from Valkey 7.2 to Redis OSS 7.1, is
//! left to people (hashicorp/terraform-provider-aws issue 45229).

use std::cmp::Ordering;

use crate::resource::OutOfReach;
use crate::resources::values::{major, numbers};

const REDIS: &str = "redis";
const VALKEY: &str = "valkey";

/// An engine and its version.
pub(super) type Engine<'a> = (&'a str, &'a str);

/// Whether the live engine is another than asked for, or a later version of the same, so that AWS would have to go back.
/// Patch levels that the wish does not name are none.
pub fn is_ahead(want: (&str, &str), live: (&str, &str)) -> bool {
    compared(want, live) == Some(Ordering::Greater)
}

/// Whether what is live serves as well as what is asked for.
pub(super) fn is_enough(want: Engine<'_>, live: Engine<'_>) -> bool {
    compared(want, live).is_some_and(|order| order != Ordering::Less)
}

/// The live engine against the one that is asked for. `None`: AWS moves a cache neither way.
fn compared(want: Engine<'_>, live: Engine<'_>) -> Option<Ordering> {
    match (want.0, live.0) {
        (want, live) if want == live => {}
        (REDIS, VALKEY) => return Some(Ordering::Greater),
        (VALKEY, REDIS) => return Some(Ordering::Less),
        _ => return None,
    }
    let (want, mut live) = (numbers(want.1)?, numbers(live.1)?);
    live.truncate(want.len());
    Some(live.cmp(&want))
}

/// Whether AWS would go back, for who asks it by himself.
pub fn has_way_back(want: (&str, &str), live: (&str, &str)) -> bool {
    (want, live.0, short(live.1).as_str()) == ((REDIS, "7.1"), VALKEY, "7.2")
}

/// What AWS would have to go back from, if it is that.
pub(super) fn no_way_back(want: Engine<'_>, live: Engine<'_>) -> Option<OutOfReach> {
    if !is_ahead(want, live) || has_way_back(want, live) {
        return None;
    }
    let runs = short(live.1);
    let why = match want.0 == live.0 {
        true => format!("runs {runs}, and AWS never goes back to {}", want.1),
        false => format!("runs {} {runs}, and AWS never goes back to {} {}", live.0, want.0, want.1),
    };
    Some(OutOfReach { field: if want.0 == live.0 { "engine_version" } else { "engine" }, why })
}

/// How a cache goes on for good: to another engine, or to another major version.
pub(super) fn leap(want: Engine<'_>, live: Engine<'_>) -> Option<String> {
    let (from, to) = (format!("{} {}", live.0, short(live.1)), format!("{} {}", want.0, want.1));
    let leaps = want.0 != live.0 || major(want.1) != major(live.1);
    (leaps && compared(want, live) == Some(Ordering::Less)).then(|| format!("from {from} to {to}"))
}

/// AWS's own parameter group for an engine of version 7 or later, where nothing is spread over shards.
pub(super) fn default_parameters(engine: &str, version: &str) -> String {
    format!("default.{engine}{}", major(version))
}

/// A version as settings have it, without the patch level that AWS tells.
pub fn short(version: &str) -> String {
    version.split('.').take(2).collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valkey_follows_redis_and_a_patch_level_is_no_version() {
        for (want, live, order) in [
            (("redis", "7.1"), ("redis", "7.1.0"), Some(Ordering::Equal)),
            (("redis", "7.0"), ("redis", "7.1.0"), Some(Ordering::Greater)),
            (("redis", "7.1"), ("redis", "7.0.7"), Some(Ordering::Less)),
            (("redis", "7.1"), ("valkey", "7.2.6"), Some(Ordering::Greater)),
            (("valkey", "7.2"), ("redis", "7.1.0"), Some(Ordering::Less)),
            (("valkey", "7.2"), ("valkey", "8.0.1"), Some(Ordering::Greater)),
            (("redis", "7.1"), ("memcached", "1.6.22"), None),
        ] {
            assert_eq!(compared(want, live), order, "{want:?} {live:?}");
        }
    }

    #[test]
    fn another_engine_and_another_major_version_are_for_good() {
        assert_eq!(leap(("valkey", "8.0"), ("redis", "7.1.0")).unwrap(), "from redis 7.1 to valkey 8.0");
        assert_eq!(leap(("valkey", "8.0"), ("valkey", "7.2.6")).unwrap(), "from valkey 7.2 to valkey 8.0");
        assert_eq!(leap(("redis", "7.1"), ("redis", "7.0.7")), None);
        assert_eq!(leap(("redis", "7.1"), ("valkey", "8.0.1")), None);
    }

    #[test]
    fn what_goes_back_is_told_with_both_ends() {
        let told = |want, live| no_way_back(want, live).map(|it| (it.field, it.why));
        let (field, why) = told(("redis", "7.0"), ("redis", "7.1.0")).unwrap();
        assert_eq!((field, why.as_str()), ("engine_version", "runs 7.1, and AWS never goes back to 7.0"));
        let (field, why) = told(("redis", "7.1"), ("valkey", "8.0.1")).unwrap();
        assert_eq!((field, why.as_str()), ("engine", "runs valkey 8.0, and AWS never goes back to redis 7.1"));
        assert_eq!(told(("redis", "7.1"), ("valkey", "7.2.6")), None, "left to people");
        assert_eq!(told(("redis", "7.1"), ("redis", "7.1.0")), None);
        assert_eq!(told(("valkey", "8.0"), ("redis", "7.1.0")), None);
    }
}
