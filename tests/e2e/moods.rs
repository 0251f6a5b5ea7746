//! AWS's moods: credentials that run out, clocks that are wrong, calls that hang, objects that end badly.

use serde_json::json;

use crate::harness::{Desk, LocalAws, made};

/// Every call from this one on is refused for its credentials.
fn expire_from(aws: &LocalAws, nth: usize) {
    aws.fault(json!({ "nth": nth, "times": 1_000_000, "code": "ExpiredToken", "status": 403,
        "message": "The security token included in the request is expired" }));
}

#[test]
fn credentials_that_run_out_half_way_are_told_once_and_the_next_run_goes_on() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let mut expiries = 0;
    for calls in (120..).step_by(60) {
        expire_from(&aws, calls);
        let run = desk.tapctl(&["apply", "--yes"]);
        if run.code() == Some(0) {
            break;
        }
        expiries += 1;
        let run = run.expect(4);
        assert_eq!(run.stderr.matches("error:").count(), 1, "{run}");
        assert!(run.stderr.matches("ExpiredToken").count() <= 2, "once when it happens, once at the end: {run}");
        assert!(run.stderr.ends_with("hint: renew the credentials and run again; it goes on from here\n"), "{run}");
        aws.lift_faults();
    }
    assert!(expiries >= 3, "{expiries}");
    assert_eq!(aws.sweep().names(), made());
    aws.assert_lawful();
}

#[test]
fn what_aws_still_works_on_when_credentials_run_out_is_listed() {
    let aws = LocalAws::at_speed("real");
    let desk = Desk::at(&aws);
    let mut apply = desk.start(&["apply", "--yes"]);
    aws.until("a NAT gateway is being made", |log| {
        log.iter().filter(|call| call.operation == "CreateNatGateway" && call.wrote()).count() == 1
    });
    std::thread::sleep(std::time::Duration::from_secs(1));
    expire_from(&aws, 1);
    let run = apply.wait(std::time::Duration::from_secs(20)).expect(4);
    assert!(run.stderr.contains("under way: nat-gateway-a: pending"), "{run}");
    assert_eq!(run.stderr.matches("ExpiredToken").count(), 2, "once when it happens, once at the end: {run}");
}

#[test]
fn reading_with_credentials_that_run_out_fails_once() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    expire_from(&aws, 5);
    for command in ["plan", "status", "drift"] {
        let run = desk.tapctl(&[command]).expect(4);
        assert_eq!(run.stderr.matches("ExpiredToken").count(), 1, "{run}");
    }
}

#[test]
fn a_wrong_clock_is_told_and_aws_s_is_used() {
    for (ahead, side) in [(3600, "60 minutes behind AWS's"), (-7200, "120 minutes ahead of AWS's")] {
        let aws = LocalAws::lease();
        aws.set(json!({ "ahead": ahead }));
        let desk = Desk::at(&aws);
        let run = desk.tapctl(&["apply", "--yes"]).expect(0);
        assert_eq!(run.stderr.matches(side).count(), 1, "{run}");
        let refused = aws.log().iter().filter(|call| call.status == Some(403)).count();
        assert_eq!(refused, 1, "only the first call is signed at a wrong time");
    }
}

#[test]
fn a_clock_that_jumps_amid_a_run_stops_nothing() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let apply = desk.start(&["apply", "--yes"]);
    let mut apply = apply;
    aws.until("it is half-way", |log| log.iter().filter(|call| call.wrote()).count() > 60);
    aws.set(json!({ "ahead": 3600 }));
    apply.wait(std::time::Duration::from_secs(120)).expect(0);
    assert!(aws.log().iter().any(|call| call.status == Some(403)), "the jump was noticed");
    assert_eq!(aws.sweep().names(), made());
}

/// An object's bad end: of which kind and whose, in which words, and how often it is made until it is well.
type Ending = (&'static str, &'static str, &'static str, &'static str, usize);

const ENDINGS: [Ending; 5] = [
    ("ec2.nat-gateway", "nat-gateway-a", "InternalError: no room in this zone", "CreateNatGateway", 2),
    ("elasticache.replication-group", "cache", "create-failed: no room in this zone", "CreateReplicationGroup", 2),
    ("elbv2.load-balancer", "load-balancer", "Failed: failed: ", "CreateLoadBalancer", 2),
    ("apigatewayv2.vpc-link", "vpc-link", "FAILED: no room in this zone", "CreateVpcLink", 2),
    ("ecs.deployment", "service", "no room in this zone", "CreateService", 1),
];

#[test]
fn a_bad_end_is_told_in_aws_s_words_and_the_next_run_mends_it() {
    for (kind, node, words, create, made) in ENDINGS {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        aws.local("POST", "endings", json!({ "kind": kind, "ending": "failed", "message": "no room in this zone" }));
        let run = desk.tapctl(&["apply", "--yes", "--target", node]).expect(1);
        let failures: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(failures[0].starts_with(&format!("error: {node} (")), "{run}");
        assert!(failures[0].contains("wait failed") && failures[0].contains(words), "{run}");
        assert!(run.took < std::time::Duration::from_secs(60), "{run}");
        desk.tapctl(&["apply", "--yes", "--target", node]).expect(0);
        let creates = aws.log().iter().filter(|call| call.operation == create && call.wrote()).count();
        assert_eq!(creates, made, "{kind}");
        aws.assert_lawful();
    }
}

/// What stays broken on AWS is neither made anew unasked nor waited for: it is told again.
#[test]
fn what_nobody_can_mend_is_told_by_every_run() {
    for (kind, node, create) in [
        ("rds.cluster", "db-cluster", "CreateDBCluster"),
        ("rds.instance", "db-instance-1", "CreateDBInstance"),
        ("efs.file-system", "file-system", "CreateFileSystem"),
        ("efs.mount-target", "mount-target-a", "CreateMountTarget"),
    ] {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        aws.local(
            "POST",
            "endings",
            json!({ "kind": kind, "ending": "failed",
            "message": "incompatible-network: no room in this zone" }),
        );
        for _ in 0..2 {
            let run = desk.tapctl(&["apply", "--yes", "--target", node]).expect(1);
            assert!(run.stderr.contains(&format!("error: {node} (")) && run.stderr.contains("wait failed"), "{run}");
        }
        let creates = aws.log().iter().filter(|call| call.operation == create && call.wrote()).count();
        assert_eq!(creates, 1, "{kind}");
        let status = desk.tapctl(&["status"]).expect(2);
        assert!(status.stdout.contains("failed"), "{status}");
        desk.tapctl(&["destroy", "--yes"]).expect(0);
        assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    }
}
