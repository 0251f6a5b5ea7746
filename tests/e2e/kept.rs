//! What a protected environment leaves when it is destroyed.

use serde_json::json;

use crate::harness::{Desk, LocalAws};

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
