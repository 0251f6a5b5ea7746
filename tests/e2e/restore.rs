//! `tapctl restore`: a copy of a database as it was, beside the one that serves.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, made, standing};

const CLUSTER: &str = "student-aurora-dev";
const COPY: &str = "student-aurora-dev-copy";

/// An environment in which a row was written half an hour ago, and deleted by mistake ten minutes ago.
fn robbed() -> (LocalAws, Desk) {
    let (aws, desk) = standing();
    write(&aws, json!({ "4711": "enrolled", "4712": "enrolled" }), 30);
    write(&aws, json!({ "4711": null }), 10);
    (aws, desk)
}

fn write(aws: &LocalAws, rows: Value, minutes_ago: u32) {
    aws.local("POST", "rows", json!({ "cluster": CLUSTER, "rows": rows, "minutes_ago": minutes_ago }));
}

/// The keys of what a cluster holds.
fn rows(aws: &LocalAws, cluster: &str) -> Vec<String> {
    let told = aws.local("GET", &format!("rows?cluster={cluster}"), Value::Null);
    told["rows"].as_object().map(|rows| rows.keys().cloned().collect()).unwrap_or_default()
}

/// That many minutes ago, as a person writes it.
fn ago(aws: &LocalAws, minutes: u32) -> String {
    let told = aws.python(&format!(
        "from datetime import datetime, timedelta, UTC\n\
         print(json.dumps(f'{{datetime.now(UTC) - timedelta(minutes={minutes}):%Y-%m-%dT%H:%M:%SZ}}'))"
    ));
    told.as_str().expect("a time").to_owned()
}

/// What of a cluster must be as in the one it is a copy of, and who keeps its password.
const KEPT: &str = "
rds, secrets = client('rds'), client('secretsmanager')
def kept(name):
    found = rds.describe_db_clusters(DBClusterIdentifier=name)['DBClusters'][0]
    secret = secrets.describe_secret(SecretId=found['MasterUserSecret']['SecretArn'])
    groups = sorted(group['VpcSecurityGroupId'] for group in found['VpcSecurityGroups'])
    members = [rds.describe_db_instances(DBInstanceIdentifier=one['DBInstanceIdentifier'])['DBInstances'][0]
        for one in found['DBClusterMembers']]
    public = [member['PubliclyAccessible'] for member in members][:1]
    return [found['DBSubnetGroup'], found['DBClusterParameterGroup'], found['KmsKeyId'], found['StorageEncrypted'], groups,
        found['IAMDatabaseAuthenticationEnabled'], secret['KmsKeyId'], secret['OwningService'], public,
        found['BackupRetentionPeriod']]
";

#[test]
fn a_copy_has_the_data_of_then_and_the_one_that_serves_is_not_touched() {
    let (aws, desk) = robbed();
    let mark = aws.mark();
    let made_copy = desk.tapctl(&["restore", "db-cluster", "--to", &ago(&aws, 20), "--beside", "--yes"]).expect(0);
    assert!(made_copy.stdout.contains(COPY), "{made_copy}");
    assert_eq!(rows(&aws, COPY), ["4711", "4712"]);
    assert_eq!(rows(&aws, CLUSTER), ["4712"]);
    let told = aws.python(&format!("{KEPT}print(json.dumps([kept('{CLUSTER}'), kept('{COPY}')]))"));
    assert_eq!(told[0], told[1], "a copy is as closed as the one it is a copy of");
    let written = aws.log_since(mark).into_iter().filter(|call| call.wrote());
    let touched: Vec<String> = written
        .filter(|call| ["DBClusterIdentifier", "DBInstanceIdentifier"].iter().any(|id| call.params[id] == CLUSTER))
        .map(|call| call.name())
        .collect();
    assert_eq!(touched, [""; 0]);
    for command in ["plan", "drift", "status"] {
        desk.tapctl(&[command]).expect(0);
    }
    let again = desk.tapctl(&["restore", "db-cluster", "--to", "latest", "--beside", "--yes"]).expect(1);
    assert!(again.stderr.contains("remove it first: `tapctl restore db-cluster --drop`"), "{again}");
    desk.tapctl(&["restore", "db-cluster", "--drop", "--yes"]).expect(0);
    desk.tapctl(&["restore", "db-cluster", "--drop", "--yes"]).expect(1);
    desk.tapctl(&["plan"]).expect(0);
    assert_eq!(aws.sweep().names(), made());
    assert_eq!(rows(&aws, CLUSTER), ["4712"]);
    aws.assert_lawful();
}

#[test]
fn what_aws_has_no_data_of_is_refused_before_anything_is_made() {
    let (aws, desk) = robbed();
    aws.python(&format!(
        "client('rds').create_db_cluster_snapshot(DBClusterIdentifier='{CLUSTER}', DBClusterSnapshotIdentifier='by-hand')"
    ));
    aws.local("POST", "settle", Value::Null);
    let mark = aws.mark();
    for (arguments, why) in [
        (&["db-cluster", "--to", "2030-01-01T00:00:00Z", "--beside"][..], "AWS can restore this cluster from "),
        (&["db-cluster", "--to", "2020-01-01T00:00:00Z", "--beside"], "AWS can restore this cluster from "),
        (&["db-cluster", "--snapshot", "none", "--beside"], "there is no snapshot none of student-aurora-dev"),
        (&["cache", "--to", "latest", "--beside"], "cache is no recorded Aurora cluster"),
        (&["db-cluster", "--drop"], "there is no copy of db-cluster to remove"),
    ] {
        let refused = desk.tapctl(&[&["restore"], arguments, &["--yes"]].concat()).expect(1);
        assert!(refused.stderr.contains(why), "{refused}");
    }
    for arguments in
        [&["db-cluster"][..], &["db-cluster", "--to", "latest"], &["db-cluster", "--to", "noon", "--beside"]]
    {
        desk.tapctl(&[&["restore"], arguments].concat()).expect(64);
    }
    assert_eq!(aws.writes_since(mark), [""; 0]);
    desk.tapctl(&["restore", "db-cluster", "--snapshot", "by-hand", "--beside", "--yes"]).expect(0);
    assert_eq!(rows(&aws, COPY), ["4712"]);
    aws.assert_lawful();
}

#[test]
fn killed_anywhere_a_restore_goes_on_with_the_copy_it_has() {
    let (aws, _) = robbed();
    let then = ago(&aws, 20);
    for (operation, when) in [
        ("RestoreDBClusterToPointInTime", "before"),
        ("RestoreDBClusterToPointInTime", "after"),
        ("CreateDBInstance", "after"),
        ("ModifyDBCluster", "after"),
    ] {
        let (aws, desk) = robbed();
        let restore = ["restore", "db-cluster", "--to", then.as_str(), "--beside", "--yes"];
        aws.fault(json!({ "match": { "operation": operation }, "when": when, "action": "hang", "seconds": 60 }));
        let running = desk.start(&restore);
        aws.until_struck();
        running.crash();
        aws.lift_faults();
        // What AWS took goes on without us.
        std::thread::sleep(Duration::from_millis(500));
        desk.tapctl(&restore).expect(0);
        assert_eq!(rows(&aws, COPY), ["4711", "4712"], "{when} {operation}");
        let copies = "print(json.dumps(len([1 for one in client('rds').describe_db_clusters()['DBClusters']])))";
        assert_eq!(aws.python(copies), json!(2), "{when} {operation}");
        desk.tapctl(&["plan"]).expect(0);
        aws.assert_lawful();
    }
}

/// A copy is the environment's own: where nobody knows of it any more, destroy finds it by its tags.
#[test]
fn a_copy_goes_with_its_environment_even_without_a_state() {
    let (aws, desk) = robbed();
    desk.tapctl(&["restore", "db-cluster", "--to", "latest", "--beside", "--yes"]).expect(0);
    std::fs::remove_dir_all(desk.path("state")).expect("the state goes");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    let left =
        "print(json.dumps([one['DBClusterIdentifier'] for one in client('rds').describe_db_clusters()['DBClusters']]))";
    assert_eq!(aws.python(left), json!([]));
}
