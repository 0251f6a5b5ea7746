//! The whole life of one environment: made, left alone, removed.

use crate::harness::{Desk, LocalAws};

const OUTPUTS: [&str; 9] = [
    "alb_dns_name",
    "api_gateway_url",
    "aurora_cluster_endpoint",
    "aurora_reader_endpoint",
    "ecs_cluster_name",
    "efs_file_system_id",
    "kinesis_stream_name",
    "redis_endpoint",
    "vpc_id",
];

#[test]
fn an_environment_is_made_left_alone_and_removed() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    everything_is_ready(&desk);
    a_rerun_changes_nothing(&aws, &desk);
    desk.tapctl(&["plan"]).expect(0);
    removal_leaves_nothing(&aws, &desk);
    aws.assert_lawful();
}

fn everything_is_ready(desk: &Desk) {
    let status = desk.tapctl(&["status", "--json"]).expect(0).json();
    let nodes = status["nodes"].as_array().expect("nodes");
    assert!(nodes.len() >= 90, "{} nodes", nodes.len());
    assert!(nodes.iter().all(|node| node["phase"] == "ready"), "{status:#}");
    let outputs = desk.tapctl(&["outputs", "--json"]).expect(0).json();
    let names: Vec<&String> = outputs.as_object().expect("a flat object").keys().collect();
    assert_eq!(names, OUTPUTS);
    assert!(
        outputs.as_object().expect("a flat object").values().all(|value| value.as_str().is_some_and(|v| !v.is_empty()))
    );
}

fn a_rerun_changes_nothing(aws: &LocalAws, desk: &Desk) {
    let (serial, mark) = (desk.state("dev")["serial"].clone(), aws.mark());
    let rerun = desk.tapctl(&["apply", "--yes"]).expect(0);
    assert!(rerun.stdout.contains("nothing to do"), "{rerun}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
    assert_eq!(desk.state("dev")["serial"], serial);
    let calls = aws.log_since(mark).len();
    println!("a rerun makes {calls} calls");
    assert!(calls <= CALLS_OF_A_RERUN, "{calls} calls");
}

/// Measured, with some room: 174 calls read what is recorded, 37 look for what is ours beside it. A drift check of the whole
/// stack costs no more.
const CALLS_OF_A_RERUN: usize = 215;

fn removal_leaves_nothing(aws: &LocalAws, desk: &Desk) {
    let run = desk.tapctl(&["destroy", "--yes"]).expect(0);
    let left = aws.sweep();
    assert_eq!(left.leftovers().names(), [""; 0]);
    let keys = left.of("kms.key-pending-deletion");
    assert_eq!(keys.len(), 6);
    for key in keys {
        assert!(run.stderr.contains(key["id"].as_str().expect("an id")), "{run}");
    }
}
