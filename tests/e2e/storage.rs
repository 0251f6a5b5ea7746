//! Storage of the pipeline's database: grown by others, grown by a little, grown while it rests, large, and full.

use serde_json::json;

use crate::harness::{Desk, LocalAws};

fn pipeline(aws: &LocalAws, postgres: &str) -> Desk {
    let desk = Desk::at(aws);
    asks(&desk, postgres);
    desk
}

fn asks(desk: &Desk, postgres: &str) {
    desk.settings(&format!("stack = \"data-pipeline\"\n[postgres]\n{postgres}"));
}

/// What stderr says, without where lines were broken.
fn said(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn storage_that_others_have_grown_is_as_wanted_and_the_next_change_waits_for_its_time() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws, "storage_gib = 20");
    // This machine may be busy: six hours of AWS's are two minutes of its own.
    aws.set(json!({ "durations": { "rds.storage.rest": 1_000_000 } }));
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.python(
        "client('rds').modify_db_instance(DBInstanceIdentifier='pipeline-dev-db', AllocatedStorage=100, ApplyImmediately=True)",
    );
    aws.local("POST", "settle", json!({}));
    let told = "db-instance has 100 GiB of storage where 20 are asked for, which is as wanted";
    for verb in ["plan", "drift", "status"] {
        let run = desk.tapctl(&[verb]).expect(0);
        assert!(said(&run.stderr).contains(told), "{run}");
    }
    asks(&desk, "storage_gib = 20\nbackup_days = 14");
    let mark = aws.mark();
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(aws.writes_since(mark), ["rds:ModifyDBInstance"]);
    desk.tapctl(&["plan"]).expect(0);

    let mark = aws.mark();
    asks(&desk, "storage_gib = 105\nbackup_days = 14");
    let run = desk.tapctl(&["plan"]).expect(1);
    let least = "postgres.storage_gib is 105; db-instance has 100 GiB, which AWS makes larger by a tenth or more: 110 is the least";
    assert!(said(&run.stderr).contains(least), "{run}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
    asks(&desk, "storage_gib = 110\nbackup_days = 14");
    let run = desk.tapctl(&["apply", "--yes"]).expect(1);
    let text = said(&run.stderr);
    assert!(text.contains("the previous storage change is being optimized"), "{run}");
    assert!(text.contains("AWS takes the next change of its storage at 20"), "{run}");
    assert!(text.contains("at the latest: the last one was at 20"), "{run}");
    aws.set(json!({ "durations": { "rds.storage.*": 0 } }));
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
}

#[test]
fn storage_grows_across_400_gib_and_beyond() {
    let aws = LocalAws::lease();
    aws.set(json!({ "durations": { "rds.storage.*": 0 } }));
    let desk = pipeline(&aws, "storage_gib = 300");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    for size in [400, 500] {
        asks(&desk, &format!("storage_gib = {size}"));
        desk.tapctl(&["apply", "--yes"]).expect(0);
        desk.tapctl(&["plan"]).expect(0);
    }
    let found = aws.python("print(json.dumps(client('rds').describe_db_instances()['DBInstances'][0], default=str))");
    assert_eq!((&found["AllocatedStorage"], &found["Iops"]), (&json!(500), &json!(12_000)));
    aws.assert_lawful();
}

#[test]
fn a_full_database_is_cured_by_more_storage_though_it_says_for_a_while_that_it_is_full() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws, "storage_gib = 20");
    let full = json!({ "kind": "rds.instance", "ending": "failed", "message": "storage-full: no space left" });
    aws.local("POST", "endings", full);
    let run = desk.tapctl(&["apply", "--yes"]).expect(1);
    assert!(said(&run.stderr).contains("storage-full: no space left"), "{run}");
    // 15 seconds by this machine's clock.
    aws.set(json!({ "durations": { "rds.modify.noticed": 3000 } }));
    asks(&desk, "storage_gib = 40");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}
