//! The storage of an instance on its own. It never gets smaller, grows by a tenth or more, and rests for up to six hours
//! after a change. gp3 of 400 GiB and more has speed of its own, which AWS wants to be told with each change of its size;
//! of less it takes none (API reference, ModifyDBInstance, AllocatedStorage, Iops and StorageType; Amazon RDS User Guide,
//! "Working with storage for Amazon RDS DB instances").

use std::time::Duration;

use aws_sdk_rds::types::{DbInstance as RdsInstance, SourceType};
use jiff::Timestamp;

use super::StandaloneDbInstance;
use crate::resources::prelude::*;

/// From how many GiB on gp3 is striped over four volumes.
const STRIPED: i32 = 400;
/// What gp3 has from there on where nobody asks for more: operations and MiB in a second.
const STRIPED_SPEED: Speed = Speed { iops: Some(12_000), throughput: Some(500) };
/// How long storage rests after a change at the longest.
const REST: Duration = Duration::from_secs(6 * 3600);

/// What AWS wants to be told of the speed of storage that is changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Speed {
    /// Operations in a second.
    pub(super) iops: Option<i32>,
    /// MiB in a second.
    pub(super) throughput: Option<i32>,
}

/// What goes with a change of size or type. Storage that comes to [`STRIPED`] gets its speed from AWS.
pub(super) fn speed(want: &StandaloneDbInstance, instance: &RdsInstance, diff: &Diff) -> Speed {
    let was = instance.allocated_storage().unwrap_or_default();
    let size = was.max(want.allocated_storage_gib);
    if want.storage_type != "gp3" || size < STRIPED {
        return Speed::default();
    }
    if diff.has("storage_type") {
        return STRIPED_SPEED;
    }
    match diff.has("allocated_storage_gib") && was >= STRIPED {
        true => Speed { iops: instance.iops(), throughput: instance.storage_throughput() },
        false => Speed::default(),
    }
}

/// Why AWS would not make it that large.
pub(super) fn too_little_growth(want: i32, has: i32) -> Option<OutOfReach> {
    // Rounded up, as AWS does.
    let least = (has * 11 + 9) / 10;
    (has < want && want < least).then(|| OutOfReach {
        field: "allocated_storage_gib",
        why: format!("has {has} GiB, which AWS makes larger by a tenth or more: {least} is the least"),
    })
}

/// Why what was asked for last stays.
pub(super) fn shrinks(want: i32, asked: i32) -> Option<OutOfReach> {
    (want < asked).then(|| OutOfReach {
        field: "allocated_storage_gib",
        why: format!("has {asked} GiB and should have {want}, and RDS storage never gets smaller"),
    })
}

/// That it has more than was asked for: AWS's autoscaling, or a person in need, has made it so.
pub(super) fn grown(want: i32, has: i32) -> Option<String> {
    let grown =
        || format!("has {has} GiB of storage where {want} are asked for, which is as wanted: it never gets smaller");
    (has > want).then(grown)
}

/// A refusal because storage rests, with until when: to wait that long within a run would be none.
pub(super) async fn told_when(cx: &Cx<'_>, instance: &str, fault: Fault) -> Fault {
    if !fault.message.contains("previous storage change") {
        return fault;
    }
    let changed = last_change(cx, instance).await;
    let until = changed.and_then(|changed| Some((changed, changed.checked_add(REST).ok()?)));
    let until = until.map_or("six hours after the last one at the latest".to_owned(), |(changed, until)| {
        format!("at {until:.0} at the latest: the last one was at {changed:.0}")
    });
    fault.with_advice(format!("AWS takes the next change of its storage {until}; run apply again then"))
}

/// When RDS said last that it had changed the storage, as far as it may be asked.
async fn last_change(cx: &Cx<'_>, instance: &str) -> Option<Timestamp> {
    let ask = cx.rds.describe_events().source_identifier(instance).source_type(SourceType::DbInstance);
    let answer = ask.duration(24 * 60).send().await.ok()?;
    let of_storage = answer.events().iter().filter(|event| {
        let words = event.message().unwrap_or_default();
        words.contains("Finished applying modification") && words.contains("storage")
    });
    let last = of_storage.filter_map(|event| event.date()).max()?;
    Timestamp::from_second(last.secs()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(size: i32) -> StandaloneDbInstance {
        let known = json!({ "storage_type": "gp3", "allocated_storage_gib": size });
        crate::resource::blank(&known).expect("a spec of which little is known")
    }

    fn told(from: (&str, i32), to: i32, fields: &[&str]) -> (Option<i32>, Option<i32>) {
        let (kind, size) = from;
        let live =
            RdsInstance::builder().storage_type(kind).allocated_storage(size).iops(13_000).storage_throughput(600);
        let change = |path: &&str| crate::diff::Change {
            path: (*path).to_owned(),
            live: json!(0),
            want: json!(1),
            immutable: false,
        };
        let diff = Diff { changes: fields.iter().map(change).collect() };
        let speed = speed(&spec(to), &live.build(), &diff);
        (speed.iops, speed.throughput)
    }

    #[test]
    fn speed_is_told_only_of_what_has_some_of_its_own() {
        let size = &["allocated_storage_gib"];
        assert_eq!(told(("gp3", 100), 300, size), (None, None));
        assert_eq!(told(("gp3", 300), 400, size), (None, None));
        assert_eq!(told(("gp3", 400), 500, size), (Some(13_000), Some(600)));
        assert_eq!(told(("gp2", 100), 100, &["storage_type"]), (None, None));
        assert_eq!(told(("gp2", 400), 400, &["storage_type"]), (Some(12_000), Some(500)));
        assert_eq!(told(("gp2", 500), 400, &["storage_type"]), (Some(12_000), Some(500)));
        assert_eq!(told(("gp3", 500), 500, &["backup_window"]), (None, None));
    }

    #[test]
    fn storage_grows_by_a_tenth_or_more() {
        assert_eq!(
            too_little_growth(105, 100).map(|it| it.why).as_deref(),
            Some("has 100 GiB, which AWS makes larger by a tenth or more: 110 is the least")
        );
        for (want, has) in [(110, 100), (100, 100), (90, 100), (23, 20)] {
            assert_eq!(too_little_growth(want, has), None, "{want} {has}");
        }
        assert!(too_little_growth(22, 21).is_some_and(|it| it.why.ends_with("24 is the least")));
    }

    #[test]
    fn more_than_was_asked_for_is_told_and_nothing_else() {
        assert_eq!(grown(100, 100), None);
        let told = "has 150 GiB of storage where 100 are asked for, which is as wanted: it never gets smaller";
        assert_eq!(grown(100, 150).as_deref(), Some(told));
    }
}
