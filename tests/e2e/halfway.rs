//! An update that takes several calls and is refused at one of them: what took effect is told, and nothing of it is lost.

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, standing};

/// A change of one node that takes several calls.
struct Halfway {
    settings: &'static str,
    node: &'static str,
    /// The call that is refused.
    refused: &'static str,
    /// The fields that were changed before it, and those that were not.
    fields: [&'static [&'static str]; 2],
}

const CHANGES: [Halfway; 3] = [
    Halfway {
        settings: "[files]\ntransition_to_ia_days = 7\nbackup = false\n",
        node: "file-system",
        refused: "PutBackupPolicy",
        fields: [&["transition_to_ia"], &["backup"]],
    },
    Halfway {
        settings: "[stream]\nshards = 4\nretention_hours = 48\n",
        node: "stream",
        refused: "IncreaseStreamRetentionPeriod",
        fields: [&["shards"], &["retention_hours"]],
    },
    Halfway {
        settings: "[service]\nhealth_check_path = \"/up\"\n[tags]\nCostCentre = \"4711\"\n",
        node: "target-group",
        refused: "AddTags",
        fields: [&["health_check.path"], &["tags.CostCentre"]],
    },
];

#[test]
fn what_took_effect_of_a_refused_update_is_told_and_the_next_run_does_the_rest() {
    for Halfway { settings, node, refused, fields: [done, left] } in CHANGES {
        let (aws, desk) = standing();
        desk.settings(settings);
        aws.fault(json!({ "match": { "operation": refused }, "action": "error", "code": "AccessDeniedException",
            "status": 403, "message": "not authorized" }));
        let apply = ["apply", "--yes", "--target", node, "--allow-data-loss", "file-system"];
        let run = desk.tapctl(&apply).expect(1);
        let told = format!("took effect: {}; refused: {}", done.join(", "), left.join(", "));
        assert!(run.stderr.contains(&told) && run.stderr.contains("AccessDenied"), "{node}: {told}\n{run}");
        let plan = desk.tapctl(&["plan", "--json", "--target", node]).expect(2).json();
        let step = plan.as_array().into_iter().flatten().find(|step| step["node"] == *node).expect("a step");
        let paths = step["diff"].as_array().into_iter().flatten().filter_map(|change| change["path"].as_str());
        assert_eq!((&step["action"], paths.collect::<Vec<_>>()), (&Value::from("update"), left.to_vec()), "{node}");
        desk.tapctl(&apply).expect(0);
        desk.tapctl(&["plan", "--target", node]).expect(0);
        aws.assert_lawful();
    }
}

#[test]
fn a_change_that_takes_aws_longer_than_the_run_may_take_has_not_failed() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("stack = \"data-pipeline\"");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.settings("stack = \"data-pipeline\"\npostgres.multi_az = true");
    aws.set(json!({ "durations": { "rds.instance.modify": 1_000_000 } }));
    let run = desk.tapctl(&["apply", "--yes", "--timeout", "1"]).expect(5);
    assert!(run.stderr.contains("modifying"), "{run}");
    assert!(!run.stderr.contains("wait failed") && !run.stderr.contains("1 failed"), "{run}");
    aws.local("POST", "settle", json!({}));
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}
