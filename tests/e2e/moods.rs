//! AWS's moods: credentials that run out, clocks that are wrong, calls that hang, objects that end badly.

use std::time::Duration;

use serde_json::json;

use crate::harness::{Call, Desk, LocalAws, made, standing, wait_for};

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
    std::thread::sleep(Duration::from_secs(1));
    expire_from(&aws, 1);
    let run = apply.wait(Duration::from_secs(20)).expect(4);
    assert!(run.stderr.contains("under way: nat-gateway-a: pending"), "{run}");
    assert_eq!(run.stderr.matches("ExpiredToken").count(), 2, "once when it happens, once at the end: {run}");
}

#[test]
fn reading_with_credentials_that_run_out_fails_once() {
    let (aws, desk) = standing();
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
    apply.wait(Duration::from_secs(120)).expect(0);
    assert!(aws.log().iter().any(|call| call.status == Some(403)), "the jump was noticed");
    assert_eq!(aws.sweep().names(), made());
}

/// A minute is what a call has for its answer: then a read is made again, and what a write came to is looked for.
#[test]
fn a_call_that_hangs_is_given_up_and_its_object_made_once() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let hang =
        |when: &str, operation: &str| json!({ "match": { "operation": operation }, "when": when, "action": "hang" });
    aws.fault(json!([
        hang("before", "DescribeVpcAttribute"),
        hang("before", "CreateRole"),
        hang("after", "CreateFileSystem")
    ]));
    let run = desk.start(&["apply", "--yes"]).wait(Duration::from_secs(300)).expect(0);
    assert!(run.took > Duration::from_secs(60), "a call hung: {run}");
    assert_eq!(aws.sweep().names(), made());
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

/// An object's bad end: of which kind and whose, in which words, and how often it is made until it is well.
type Ending = (&'static str, &'static str, &'static str, &'static str, usize);

const ENDINGS: [Ending; 6] = [
    ("ec2.nat-gateway", "nat-gateway-a", "InternalError: no room in this zone", "CreateNatGateway", 2),
    ("elasticache.replication-group", "cache", "create-failed: no room in this zone", "CreateReplicationGroup", 2),
    ("ec2.vpc-endpoint", "endpoint-logs", "failed: InternalError: no room in this zone", "CreateVpcEndpoint", 2),
    ("elbv2.load-balancer", "load-balancer", "failed: no room in this zone", "CreateLoadBalancer", 2),
    ("apigatewayv2.vpc-link", "vpc-link", "failed: no room in this zone", "CreateVpcLink", 2),
    ("ecs.deployment", "service", "no room in this zone", "CreateService", 1),
];

#[test]
fn a_bad_end_is_told_in_aws_s_words_and_the_next_run_mends_it() {
    for (kind, node, words, create, made) in ENDINGS {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        desk.settings("[network]\nendpoints = [\"logs\"]");
        aws.local("POST", "endings", json!({ "kind": kind, "ending": "failed", "message": "no room in this zone" }));
        let run = desk.tapctl(&["apply", "--yes", "--target", node]).expect(1);
        let failures: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(failures[0].starts_with(&format!("error: {node} (")), "{run}");
        assert!(failures[0].contains("wait failed") && failures[0].contains(words), "{run}");
        assert!(run.took < Duration::from_secs(60), "{run}");
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

/// An object of which nothing ever comes: of which kind, the node that waits for it, the calls that make and show it.
type Stuck = (&'static str, &'static str, &'static str, &'static str);

/// Rounds, since some of these stand on others.
const STUCK: [&[Stuck]; 3] = [
    &[
        ("ec2.nat-gateway", "nat-gateway-a", "CreateNatGateway", "DescribeNatGateways"),
        ("ec2.vpc-endpoint", "endpoint-logs", "CreateVpcEndpoint", "DescribeVpcEndpoints"),
        ("elbv2.load-balancer", "load-balancer", "CreateLoadBalancer", "DescribeLoadBalancers"),
        ("apigatewayv2.vpc-link", "vpc-link", "CreateVpcLink", "GetVpcLinks"),
        ("efs.file-system", "file-system", "CreateFileSystem", "DescribeFileSystems"),
        ("elasticache.replication-group", "cache", "CreateReplicationGroup", "DescribeReplicationGroups"),
        ("rds.cluster", "db-cluster", "CreateDBCluster", "DescribeDBClusters"),
    ],
    &[
        ("efs.mount-target", "mount-target-", "CreateMountTarget", "DescribeMountTargets"),
        ("rds.instance", "db-instance-", "CreateDBInstance", "DescribeDBInstances"),
    ],
    &[("ecs.deployment", "service", "CreateService", "DescribeServices")],
];

/// Since the last change each stuck object was looked at again and again.
fn only_waits(stuck: &[Stuck], calls: &[Call]) -> bool {
    let looks =
        |show: &str| calls.iter().rev().take_while(|call| !call.write).filter(|call| call.operation == show).count();
    stuck.iter().all(|(_, _, _, show)| looks(show) >= 3)
}

/// A wait that was given up is taken up again, and its object never made a second time.
#[test]
fn what_never_gets_ready_is_waited_for_by_the_next_run_too() {
    for stuck in STUCK {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        desk.settings("[network]\nendpoints = [\"logs\"]");
        for (kind, ..) in stuck {
            aws.local("POST", "endings", json!({ "kind": kind, "ending": "stuck" }));
        }
        let mut creates = Vec::new();
        for _ in 0..2 {
            let mark = aws.mark();
            let mut apply = desk.start(&["apply", "--yes"]);
            let waits = || only_waits(stuck, &aws.log_since(mark)).then_some(());
            wait_for("all that is left to do", Duration::from_secs(120), waits);
            apply.signal("TERM");
            let run = apply.wait(Duration::from_secs(2)).expect(130);
            for (kind, node, ..) in stuck {
                assert!(run.stderr.contains(&format!("under way: {node}")), "{kind}: {run}");
            }
            let made = |create: &str| aws.log().iter().filter(|call| call.operation == create && call.wrote()).count();
            creates.push(stuck.iter().map(|(_, _, create, _)| made(create)).collect::<Vec<_>>());
        }
        assert_eq!(creates[0], creates[1], "{stuck:?}");
        aws.assert_lawful();
    }
}

/// API Gateway deletes an API every thirty seconds, an account's settings change every twenty: tapctl knows, and waits.
#[test]
fn a_whole_life_is_paced_so_that_aws_never_has_to_throttle() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.set(json!({ "limits": true }));
    let refused = || {
        let too_fast = |call: &Call| {
            let codes =
                ["Throttl", "RequestLimitExceeded", "TooManyRequests", "Rate exceeded", "LimitExceededException"];
            call.error_code.as_ref().is_some_and(|code| codes.iter().any(|word| code.contains(word)))
        };
        aws.log().into_iter().filter(too_fast).map(|call| call.name()).collect::<Vec<_>>()
    };
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(refused(), [""; 0], "apply");
    for command in [&["apply", "--yes"][..], &["status"], &["drift"], &["plan"]] {
        desk.tapctl(command).expect(0);
        assert_eq!(refused(), [""; 0], "{command:?}");
    }
    desk.settings("[network]\nendpoints = [\"ecr\", \"logs\", \"secretsmanager\", \"kms\", \"kinesis\"]");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(refused(), [""; 0], "change");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(refused(), [""; 0], "destroy");
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
}

#[test]
fn seconds_without_a_network_end_no_run() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let mut apply = desk.start(&["apply", "--yes"]);
    aws.until("it has begun", |log| log.iter().any(|call| call.operation == "CreateSubnet" && call.wrote()));
    aws.fault(json!({ "probability": 1, "action": "reset" }));
    std::thread::sleep(Duration::from_secs(10));
    aws.lift_faults();
    apply.wait(Duration::from_secs(170)).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    assert_eq!(aws.sweep().names(), made());
    aws.assert_lawful();
}
