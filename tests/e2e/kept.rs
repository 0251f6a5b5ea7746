//! What a protected environment leaves when it is destroyed.

use std::collections::BTreeSet;

use serde_json::json;

use crate::harness::{Desk, LocalAws};

const DESTROY: [&str; 4] = ["destroy", "--yes", "--confirm", "student-records-dev"];

/// Their ids: a name can be had again.
fn ids(aws: &LocalAws, kind: &str) -> BTreeSet<String> {
    let found = aws.sweep();
    found.of(kind).iter().filter_map(|object| object["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn files_are_copied_before_they_go_and_stay_where_that_fails() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("account = \"123456789012\"\n[env.dev]\nprotect = true");
    desk.tapctl(&["apply", "--yes", "--target", "file-system"]).expect(0);
    aws.local("POST", "endings", json!({ "kind": "backup.job", "ending": "failed", "message": "no room" }));
    let failed = desk.tapctl(&DESTROY).expect(1);
    assert!(failed.stderr.contains("AWS Backup made no last copy: no room; job "), "{failed}");
    assert!(failed.stderr.contains("add --skip-final-snapshot file-system"), "{failed}");
    assert_eq!(ids(&aws, "efs.file-system").len(), 1);
    let mark = aws.mark();
    desk.tapctl(&DESTROY).expect(1);
    assert!(!aws.writes_since(mark).contains(&"backup:StartBackupJob".to_owned()), "it is told again, and no more");
    // Some minutes later.
    aws.set(json!({ "ahead": 400 }));
    desk.tapctl(&DESTROY).expect(0);
    aws.set(json!({ "ahead": 0 }));
    assert!(ids(&aws, "efs.file-system").is_empty());
    let jobs = aws.python(
        "jobs = client('backup').list_backup_jobs()['BackupJobs']\nprint(json.dumps([[j['State'], j['BackupVaultName']] for j in jobs]))",
    );
    assert_eq!(jobs, json!([["FAILED", "Default"], ["COMPLETED", "Default"]]));
    aws.assert_lawful();
}

/// Takes a snapshot under the name that the last one is to have.
const BEFORE_THE_LAST: &str = "
rds = client('rds')
of = rds.describe_db_instances()['DBInstances'][0]
name = of['DBInstanceIdentifier'] + '-final-' + of['DbiResourceId'].split('-')[1].lower()
rds.create_db_snapshot(DBInstanceIdentifier=of['DBInstanceIdentifier'], DBSnapshotIdentifier=name)
print(json.dumps(name))
";

#[test]
fn a_last_snapshot_that_failed_is_taken_again_and_a_good_one_is_let_be() {
    let destroy = ["destroy", "--yes", "--confirm", "data-pipeline-dev"];
    let snapshots = |aws: &LocalAws| {
        aws.python(
            "found = client('rds').describe_db_snapshots()['DBSnapshots']
print(json.dumps(sorted([s['DBSnapshotIdentifier'], s['Status']] for s in found)))",
        )
    };
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("stack = \"data-pipeline\"\naccount = \"123456789012\"\nprotect = true");
    desk.tapctl(&["apply", "--yes", "--target", "db-instance"]).expect(0);
    let other = aws.fork();
    let other_desk = desk.copy_for(&other);

    aws.local("POST", "endings", json!({ "kind": "rds.snapshot", "ending": "failed" }));
    desk.tapctl(&destroy).expect(0);
    let left = snapshots(&aws);
    assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
    assert_eq!(left[0][1], "available");

    let first = other.python(BEFORE_THE_LAST);
    let first = first.as_str().expect("a name");
    other.local("POST", "settle", json!({}));
    other_desk.tapctl(&destroy).expect(0);
    assert_eq!(snapshots(&other), json!([[first, "available"], [format!("{first}-2"), "available"]]));
    for aws in [&aws, &other] {
        aws.assert_lawful();
    }
}
