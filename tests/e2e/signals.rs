//! Stopped by a person, kept out by a lock, gone without a word.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Call, Desk, LocalAws, Run, Running, made, standing, wait_for};

/// How long a person waits at most after Ctrl-C, where other tests keep the machine busy.
const PROMPT: Duration = Duration::from_secs(20);

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
    aws.until("a NAT gateway is being made", |log| answered(log, "CreateNatGateway") == 1);
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
    assert!(
        run.stderr.contains("under way: db-cluster: a call without an answer yet; the next run looks for its result"),
        "{run}"
    );
    nothing_is_forgotten(&aws, &desk);
    the_next_run_finishes(&aws, &desk);
}

/// Signals are heard from the beginning, whatever is being read just then.
#[test]
fn a_run_that_only_reads_so_far_ends_at_once_and_changes_nothing() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    for (command, signal) in [("apply", "TERM"), ("apply", "HUP"), ("plan", "QUIT"), ("status", "INT")] {
        for operation in ["GetCallerIdentity", "DescribeVpcs"] {
            if command == "status" && operation == "DescribeVpcs" {
                continue;
            }
            aws.fault(hang(operation));
            let mut run = desk.start(&if command == "apply" { vec![command, "--yes"] } else { vec![command] });
            aws.until_struck();
            let run = stopped(&mut run, signal);
            assert!(run.stderr.contains("error: stopped"), "{run}");
            aws.lift_faults();
        }
    }
    assert_eq!(aws.writes_since(0), [""; 0]);
    // The lock is free again.
    the_next_run_finishes(&aws, &desk);
}

/// As nohup does it: a terminal that goes away is nothing to such a run.
#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(hang("CreateDBCluster"));
    let like = desk.command(&["apply", "--yes"]);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]).arg(like.get_program()).args(like.get_args());
    command
        .current_dir(desk.path(""))
        .env_clear()
        .envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let mut apply = Running::start(command, "apply under nohup");
    aws.until_struck();
    apply.signal("HUP");
    std::thread::sleep(Duration::from_secs(2));
    assert!(apply.runs(), "it ends");
    stopped(&mut apply, "TERM");
}

/// Running out of time is no Ctrl-C, and the next run goes on.
#[test]
fn a_run_that_is_out_of_time_says_so_with_a_code_of_its_own() {
    let aws = LocalAws::at_speed("real");
    let desk = Desk::at(&aws);
    let mut apply = desk.start(&["apply", "--yes", "--timeout", "1", "--target", "nat-gateway-a"]);
    let run = apply.wait(Duration::from_secs(100)).expect(5);
    let (_, end) = run.stderr.split_once("note: stopping: the run has taken its minute\n").expect("a note");
    assert!(end.contains("under way: nat-gateway-a: pending\n"), "{run}");
    assert!(
        end.ends_with(
            "error: out of time: the run has taken its minute; what was under way is listed above\n\
             hint: run the same again, it goes on from here; --timeout or engine.timeout_minutes gives it longer\n"
        ),
        "{run}"
    );
    aws.set(json!({ "speed": "fast" }));
    desk.tapctl(&["apply", "--yes", "--target", "nat-gateway-a"]).expect(0);
    aws.assert_lawful();
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
    let (aws, desk) = standing();
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
    let told = holder(&second.stderr, first.pid());
    insta::assert_snapshot!(told, @"
    error: the state is locked by `tapctl apply --env dev --stack student-records` (process [pid] on [host], since [time])
    hint: wait for it to end; should it be killed, the lock is free at once on its host, and elsewhere after [time]
    ");
    assert_eq!(holder(&desk.tapctl(&["destroy", "--yes"]).expect(3).stderr, first.pid()), told);
    assert_eq!(aws.log_since(mark).len(), 0, "a run that is kept out asks AWS nothing");
    // Who only reads is not kept out.
    desk.tapctl(&["plan"]).expect(2);
    first.crash();
    the_next_run_finishes(&aws, &desk);
}

/// The message with host, process and times taken out.
fn holder(stderr: &str, pid: u32) -> String {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let text = stderr.replace(&format!("process {pid} on {host}"), "process [pid] on [host]");
    let is_time = |word: &str| word.len() == 20 && word.as_bytes()[10] == b'T' && word.ends_with('Z');
    let words = text.split_inclusive([' ', ')', ',', '\n']).map(|word| {
        let bare = word.trim_end_matches([' ', ')', ',', '\n']);
        if is_time(bare) { word.replace(bare, "[time]") } else { word.to_owned() }
    });
    words.collect()
}

/// What the lock of dev says.
fn lock(desk: &Desk) -> Value {
    let text = std::fs::read_to_string(desk.path("state/student-records-dev.lock")).expect("there is a lock");
    serde_json::from_str(&text).expect("it is JSON")
}

/// As if a minute had gone by without a sign of the owner.
fn expire(desk: &Desk) {
    let mut record = lock(desk);
    record["holder"]["expires"] = json!("2026-01-01T00:00:00Z");
    std::fs::write(desk.path("state/student-records-dev.lock"), record.to_string()).expect("it is written");
}

#[test]
fn a_killed_owner_is_followed_at_once() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(hang("CreateVpc"));
    let first = desk.start(&["apply", "--yes"]);
    aws.until_struck();
    let pid = first.pid();
    first.crash();
    aws.lift_faults();
    let next = desk.tapctl(&["apply", "--yes"]).expect(0);
    let note = next.stderr.lines().find(|line| line.contains("took over")).expect("it says so");
    insta::assert_snapshot!(holder(note, pid), @"note: took over the lock of `tapctl apply --env dev --stack student-records` (process [pid] on [host], since [time]), whose process is gone");
    assert_eq!(lock(&desk), json!({ "fence": 2, "holder": null }));
    let quiet = desk.tapctl(&["apply", "--yes"]).expect(0);
    assert!(!quiet.stderr.contains("took over"), "a lock that was freed is not taken over: {quiet}");
    the_next_run_finishes(&aws, &desk);
}

#[test]
fn an_owner_on_another_host_is_followed_after_its_lease() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    std::fs::create_dir(desk.path("state")).expect("a directory");
    let held = |expires: &str| {
        let holder = json!({
            "host": "build-7", "pid": 1, "command": "apply --env dev", "since": "2026-01-01T00:00:00Z", "expires": expires,
            "process": { "realm": "another boot", "started": 1 },
        });
        let record = json!({ "fence": 7, "holder": holder }).to_string();
        std::fs::write(desk.path("state/student-records-dev.lock"), record).expect("it is written");
    };
    held("2126-01-01T00:00:00Z");
    desk.tapctl(&["apply", "--yes"]).expect(3);
    held("2026-01-01T00:01:00Z");
    let run = desk.tapctl(&["apply", "--yes", "--target", "key-efs"]).expect(0);
    assert!(
        run.stderr.contains("on build-7, since 2026-01-01T00:00:00Z), whose lease ended at 2026-01-01T00:01:00Z"),
        "{run}"
    );
    assert_eq!(lock(&desk), json!({ "fence": 8, "holder": null }));
    assert_eq!(desk.state("dev")["fence"], 8);
}

#[test]
fn a_suspended_owner_that_wakes_up_too_late_writes_nothing_more() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(hang("CreateVpc"));
    let mut first = desk.start(&["apply", "--yes"]);
    aws.until_struck();
    wait_for("all else is done", Duration::from_secs(60), || {
        let count = aws.log().len();
        std::thread::sleep(Duration::from_secs(1));
        (aws.log().len() == count).then_some(())
    });
    first.signal("STOP");
    aws.lift_faults();
    desk.tapctl(&["apply", "--yes"]).expect(3);
    expire(&desk);
    let second = desk.tapctl(&["apply", "--yes"]).expect(0);
    assert!(second.stderr.contains("whose lease ended at 2026-01-01T00:00:00Z"), "{second}");
    let (state, mark) = (desk.state("dev"), aws.mark());
    first.signal("CONT");
    let late = first.wait(Duration::from_secs(60)).expect(3);
    assert!(late.stderr.contains("state/student-records-dev.lock is no longer held by this run: "), "{late}");
    assert_eq!(aws.writes_since(mark), [""; 0], "{late}");
    assert_eq!(desk.state("dev"), state);
    assert_eq!(lock(&desk)["fence"], 2, "the lock is not its to free");
    the_next_run_finishes(&aws, &desk);
}

#[test]
fn a_destroy_that_slept_past_its_lease_removes_nothing_more() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes", "--target", "vpc"]).expect(0);
    aws.fault(json!({ "match": { "operation": "DeleteVpc" }, "code": "DependencyViolation", "status": 400,
                      "probability": 1, "message": "something is still in it" }));
    let mut destroy = desk.start(&["destroy", "--yes"]);
    aws.until("the removal is refused again and again", |log| {
        log.iter().filter(|call| call.operation == "DeleteVpc").count() > 2
    });
    destroy.signal("STOP");
    // For longer than its lease is certain, and by its own clock: others must not be needed for it to stop.
    std::thread::sleep(Duration::from_secs(52));
    expire(&desk);
    desk.tapctl(&["state", "rm", "vpc", "--yes"]).expect(0);
    aws.lift_faults();
    let mark = aws.mark();
    destroy.signal("CONT");
    let late = destroy.wait(Duration::from_secs(60)).expect(3);
    assert_eq!(aws.writes_since(mark), [""; 0], "{late}");
    assert!(late.stderr.contains("stopping: this run has lost its lock"), "{late}");
    assert_eq!(aws.sweep().of("ec2.vpc").len(), 1, "the next owner's");
}

#[test]
fn a_run_whose_lock_is_freed_by_hand_stops() {
    let aws = LocalAws::at_speed("real");
    let desk = Desk::at(&aws);
    let mut apply = desk.start(&["apply", "--yes"]);
    aws.until("a NAT gateway is being made", |log| answered(log, "CreateNatGateway") == 1);
    let refused = desk.tapctl(&["state", "unlock", "--yes"]).expect(1);
    assert!(
        refused.stderr.contains(&format!(
            "still runs on this host; nothing was changed\nhint: wait for it, or stop it (kill {})",
            apply.pid()
        )),
        "{refused}"
    );
    assert!(apply.runs());
    let freed = desk.tapctl(&["state", "unlock", "--force", "--yes"]).expect(0);
    assert!(
        freed.stdout.starts_with("state/student-records-dev.lock is free now; it was held by `tapctl apply "),
        "{freed}"
    );
    // At its next save or, where it has nothing to save, at its next heartbeat.
    let run = apply.wait(Duration::from_secs(30)).expect(3);
    assert!(run.stderr.contains("it was freed by hand"), "{run}");
    // What was answered and could not be saved is found by what was intended.
    the_next_run_finishes(&aws, &desk);
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
