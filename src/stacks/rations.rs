//! What AWS allows only so often, of what a plan would do: once begun, the rest may have to wait for the next day.

use crate::diff::Change;
use crate::plan::Plan;
use crate::resource::Resource;
use crate::resources::efs::FileSystem;
use crate::resources::kinesis::{Stream, stream};

/// What a person should know of it, a sentence each.
pub fn remarks(plan: &Plan) -> Vec<String> {
    let mut told = Vec::new();
    for step in &plan.steps {
        let changes = step.action.diff().filter(|_| !step.action.destroys());
        let changes = changes.map(|diff| diff.changes.as_slice()).unwrap_or_default();
        let words = changes.iter().filter_map(|change| match step.kind.as_str() {
            Stream::KIND => of_stream(change),
            FileSystem::KIND => of_files(change),
            _ => None,
        });
        told.extend(words.map(|words| format!("{}: {words}", step.node)));
    }
    told
}

/// API reference of Kinesis: UpdateShardCount; UpdateStreamMode, as `StreamModeDetails` has it.
fn of_stream(change: &Change) -> Option<String> {
    match change.field() {
        "mode" => Some(
            "AWS lets a stream change its mode twice in 24 hours, so that it can go back once until then".to_owned(),
        ),
        "shards" => {
            let (live, want) = (change.live.as_i64()?.try_into().ok()?, change.want.as_i64()?.try_into().ok()?);
            let steps = stream::steps(live, want);
            let by: Vec<String> = steps.iter().map(i32::to_string).collect();
            (steps.len() > 1).then(|| {
                format!(
                    "AWS at most doubles or halves shards, so that it goes from {live} to {}, in {} of the 10 changes that it \
                     allows in 24 hours",
                    by.join(", "),
                    steps.len()
                )
            })
        }
        _ => None,
    }
}

/// API reference of EFS: UpdateFileSystem, `TooManyRequests`.
fn of_files(change: &Change) -> Option<String> {
    let mode = change.field() == "throughput_mode";
    mode.then(|| "AWS changes a throughput mode once in 24 hours, so that it cannot go back before".to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::diff::Diff;
    use crate::plan::{Action, Step};

    fn told(kind: &str, path: &str, live: Value, want: Value) -> Vec<String> {
        let change = Change { path: path.to_owned(), live, want, immutable: false };
        let step = Step::of("it", kind, Action::Update { diff: Diff { changes: vec![change] } });
        remarks(&Plan { steps: vec![step] })
    }

    #[test]
    fn what_cannot_be_done_again_the_same_day_is_told() {
        assert_eq!(
            told(Stream::KIND, "shards", json!(3), json!(20)),
            [
                "it: AWS at most doubles or halves shards, so that it goes from 3 to 6, 12, 20, in 3 of the 10 changes that it \
              allows in 24 hours"
            ]
        );
        assert!(told(Stream::KIND, "mode", json!("provisioned"), json!("on-demand"))[0].contains("twice in 24 hours"));
        assert!(
            told(FileSystem::KIND, "throughput_mode", json!("bursting"), json!("elastic"))[0].contains("once in 24")
        );
    }

    #[test]
    fn what_takes_one_call_is_not() {
        assert_eq!(told(Stream::KIND, "shards", json!(2), json!(4)), [""; 0]);
        assert_eq!(told(Stream::KIND, "retention_hours", json!(24), json!(48)), [""; 0]);
        assert_eq!(told(FileSystem::KIND, "backup", json!(false), json!(true)), [""; 0]);
    }
}
