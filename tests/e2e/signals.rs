//! Stopped by a person, kept out by a lock, gone without a word.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Call, Desk, LocalAws, Run, Running, made, redact, wait_for};

/// How long a person waits after Ctrl-C.
const PROMPT: Duration = Duration::from_secs(2);

/// A fault that keeps an operation without an answer for good.
fn hang(operation: &str) -> Value {
    json!({ "match": { "operation": operation }, "action": "hang" })
}

fn stopped(run: &mut Running, signal: &str) -> Run {
    run.signal(signal);
    run.wait(PROMPT).expect(130)
}

/// Every id AWS gave in answer to a create is in the state.
fn nothing_is_forgotten(aws: &LocalAws, desk: &Desk) {
    let state = desk.state("dev").to_string();
    let tagged = aws.sweep().only(|_, object| object["tags"]["tapctl:env"] == "dev");
    let lost: BTreeSet<&str> =
        tagged.objects().filter_map(|(_, object)| object["id"].as_str()).filter(|id| !state.contains(id)).collect();
    assert_eq!(lost, BTreeSet::new());
}

/// The next run ends what was begun, and there is nothing twice.
fn the_next_run_finishes(aws: &LocalAws, desk: &Desk) {
    aws.lift_faults();
    aws.set(json!({ "speed": "fast" }));
    aws.local("POST", "settle", json!({}));
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(aws.sweep().names(), made());
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn an_interrupted_apply_stops_at_once_and_the_next_one_goes_on() {
    let aws = LocalAws::at_speed("real");
    let desk = Desk::at(&aws);
    let mut apply = desk.start(&["apply", "--yes"]);
    aws.until("a NAT gateway is being made", |log| answered(log, "CreateNatGateway") == 2);
    let run = stopped(&mut apply, "INT");
    assert!(run.stderr.contains("under way: nat-gateway-a: pending"), "{run}");
    nothing_is_forgotten(&aws, &desk);
    the_next_run_finishes(&aws, &desk);
}

fn answered(log: &[Call], operation: &str) -> usize {
    log.iter().filter(|call| call.operation == operation && call.wrote()).count()
}

#[test]
fn a_call_without_an_answer_does_not_hold_up_the_end() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(hang("CreateDBCluster"));
    let mut apply = desk.start(&["apply", "--yes"]);
    aws.until_struck();
    let run = stopped(&mut apply, "TERM");
    assert!(run.stderr.contains("a call without an answer yet; the next run looks for its result"), "{run}");
    nothing_is_forgotten(&aws, &desk);
    the_next_run_finishes(&aws, &desk);
}

#[test]
fn the_second_signal_ends_it_on_the_spot() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(hang("CreateDBCluster"));
    let mut apply = desk.start(&["apply", "--yes"]);
    aws.until_struck();
    apply.signal("INT");
    std::thread::sleep(Duration::from_millis(200));
    apply.signal("INT");
    apply.wait(Duration::from_millis(500)).expect(130);
    the_next_run_finishes(&aws, &desk);
}

#[test]
fn a_destroy_can_be_interrupted_too() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.fault(hang("DeleteDBCluster"));
    let mut destroy = desk.start(&["destroy", "--yes"]);
    aws.until_struck();
    stopped(&mut destroy, "INT");
    aws.lift_faults();
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    aws.assert_lawful();
}

#[test]
fn a_second_run_is_kept_out_until_the_first_is_gone() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(json!({ "match": { "write": true }, "action": "hang" }));
    let first = desk.start(&["apply", "--yes", "--parallelism", "1"]);
    aws.until_struck();
    let mark = aws.mark();
    let second = desk.tapctl(&["apply", "--yes"]).expect(3);
    assert!(second.took < PROMPT, "{second}");
    insta::assert_snapshot!(holder(&second.stderr, first.pid()), @"
    error: the state is locked by `tapctl apply --env dev --stack student-records` (process [pid] on [host], since [time])
    hint: wait for it to end; the lock frees itself when that process does
    ");
    assert_eq!(desk.tapctl(&["destroy", "--yes"]).expect(3).stderr, second.stderr);
    assert_eq!(aws.log_since(mark).len(), 0, "a run that is kept out asks AWS nothing");
    // Who only reads is not kept out.
    desk.tapctl(&["plan"]).expect(2);
    first.crash();
    the_next_run_finishes(&aws, &desk);
}

/// The message with the host's name and the time taken out.
fn holder(stderr: &str, pid: u32) -> String {
    let text = stderr.replace(&format!("process {pid} "), "process [pid] ");
    let (before, rest) = text.split_once(" on ").unwrap_or((&text, ""));
    let (_, after) = rest.split_once(')').unwrap_or(("", ""));
    redact(&format!("{before} on [host], since [time]){after}"))
}

#[test]
fn environments_do_not_lock_each_other() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(hang("CreateVpc"));
    let _first = desk.start(&["apply", "--yes"]);
    aws.until_struck();
    desk.tapctl(&["apply", "--yes", "--env", "qa"]).expect(0);
    wait_for("the lock file", PROMPT, || desk.path("state/student-records-qa.lock").exists().then_some(()));
}
