//! Killed at the worst moment, unheard, refused for haste: the next run ends where an undisturbed one does.
//!
//! `scripts/crash-sweep` strikes at every call; here it strikes at a few, which `TAPCTL_E2E_SEED` chooses.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Desk, LocalAws, made, repository, seed, standing};

/// How many calls are struck, drawn from those of all commands: before, after, or with a lost answer.
const POINTS: u32 = 8;

#[test]
fn struck_anywhere_the_next_run_ends_as_an_undisturbed_one() {
    let script = repository().join("scripts/local-aws");
    let (points, seed) = (POINTS.to_string(), seed().to_string());
    let sweep = Command::new(script)
        .args(["python", "-m", "crash_sweep", "--writes", "--points", &points, "--seed", &seed])
        .env("TAPCTL", env!("CARGO_BIN_EXE_tapctl"))
        .output()
        .expect("the local AWS has a Python");
    let said = String::from_utf8_lossy(&sweep.stdout);
    println!("TAPCTL_E2E_SEED={seed}\n{said}");
    assert!(sweep.status.success(), "{}", String::from_utf8_lossy(&sweep.stderr));
    assert!(said.contains(&format!("{points} points tried")), "the sweep says how much it did");
}

#[test]
fn a_revision_that_was_only_deregistered_goes_too() {
    let (aws, desk) = standing();
    let deregister = "ecs = client('ecs')\n\
                      arn = ecs.list_task_definitions()['taskDefinitionArns'][0]\n\
                      print(json.dumps(ecs.deregister_task_definition(taskDefinition=arn)['taskDefinition']['status']))";
    assert_eq!(aws.python(deregister), "INACTIVE");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let revisions: Vec<String> = aws.sweep().names().into_iter().filter(|name| name.contains("task-def")).collect();
    assert_eq!(revisions, ["ecs.task-definition student-api-dev:2"]);
    desk.tapctl(&["plan"]).expect(0);
    assert_eq!(aws.python(deregister), "INACTIVE");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    aws.assert_lawful();
}

/// One call in five is throttled, whatever it is, and of the others one answer in twenty is lost.
#[test]
fn throttled_and_unheard_it_still_makes_everything_once() {
    let aws = LocalAws::lease();
    println!("TAPCTL_E2E_SEED={}", seed());
    aws.fault(json!([
        { "probability": 0.2, "seed": seed(), "action": "throttle" },
        { "probability": 0.05, "seed": seed(), "when": "after", "action": "reset" },
    ]));
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(aws.sweep().names(), made());
    let mark = aws.mark();
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    // API Gateway deletes an API every thirty seconds, so that each refusal costs as much.
    desk.start(&["destroy", "--yes"]).wait(Duration::from_secs(420)).expect(0);
    let left = aws.sweep();
    assert_eq!(left.leftovers().names(), [""; 0]);
    assert_eq!(left.of("kms.key-pending-deletion").len(), 6, "a key was made twice");
    let hits = |nth: usize| aws.local("GET", "faults", json!({}))["faults"][nth]["hit"].as_u64();
    assert!(hits(0) > Some(100) && hits(1) > Some(30), "the moods were as bad as they should be");
    aws.assert_lawful();
}
