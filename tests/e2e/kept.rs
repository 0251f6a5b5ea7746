//! What a protected environment leaves when it is destroyed, that it can be read, how it ends, and that the next apply takes
//! it up again.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, standing};

const DESTROY: [&str; 4] = ["destroy", "--yes", "--confirm", "student-records-dev"];

/// A record in the audit bucket, as CloudTrail leaves them.
const RECORD: &str = "
name = [b['Name'] for b in client('s3').list_buckets()['Buckets'] if 'audit' in b['Name']][0]
client('s3').put_object(Bucket=name, Key='AWSLogs/123456789012/CloudTrail/us-east-1/record.json.gz', Body=b'what was done')
";
/// What outlives the environment goes: records, and the snapshots of people and last ones.
const END: &str = "
s3, rds, cache = client('s3'), client('rds'), client('elasticache')
name = [b['Name'] for b in s3.list_buckets()['Buckets'] if 'audit' in b['Name']][0]
for version in s3.list_object_versions(Bucket=name).get('Versions', []):
    s3.delete_object(Bucket=name, Key=version['Key'], VersionId=version['VersionId'])
for snapshot in rds.describe_db_cluster_snapshots()['DBClusterSnapshots']:
    rds.delete_db_cluster_snapshot(DBClusterSnapshotIdentifier=snapshot['DBClusterSnapshotIdentifier'])
for snapshot in cache.describe_snapshots()['Snapshots']:
    cache.delete_snapshot(SnapshotName=snapshot['SnapshotName'])
";
/// The last snapshot becomes a cluster of its own.
const RESTORE: &str = "
ec2, rds = client('ec2'), client('rds')
subnets = [s['SubnetId'] for s in ec2.describe_subnets()['Subnets']][:3]
rds.create_db_subnet_group(DBSubnetGroupName='again', DBSubnetGroupDescription='Again', SubnetIds=subnets)
snapshot = rds.describe_db_cluster_snapshots()['DBClusterSnapshots'][0]['DBClusterSnapshotIdentifier']
rds.restore_db_cluster_from_snapshot(DBClusterIdentifier='again', SnapshotIdentifier=snapshot,
    Engine='aurora-postgresql', DBSubnetGroupName='again')
";
const FORGET: &str = "
client('rds').delete_db_cluster(DBClusterIdentifier='again', SkipFinalSnapshot=True)
";
/// The keys of ours, by what they are for: whether each is enabled.
const KEYS: &str = "
kms, found = client('kms'), {}
for key in kms.list_keys()['Keys']:
    tags = {t['TagKey']: t['TagValue'] for t in kms.list_resource_tags(KeyId=key['KeyId'])['Tags']}
    if 'tapctl:node' in tags:
        found[tags['tapctl:node']] = kms.describe_key(KeyId=key['KeyId'])['KeyMetadata']['KeyState'] == 'Enabled'
print(json.dumps(found))
";

/// A protected environment with a record of what was done in it.
fn recorded() -> (LocalAws, Desk) {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("account = \"123456789012\"\n[env.dev]\nprotect = true");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.python(RECORD);
    (aws, desk)
}

fn enabled(aws: &LocalAws) -> Vec<String> {
    let keys = aws.python(KEYS);
    let keys = keys.as_object().expect("keys by node").iter().filter(|(_, enabled)| **enabled == true);
    keys.map(|(node, _)| node.clone()).collect()
}

/// Their ids: a name can be had again.
fn ids(aws: &LocalAws, kind: &str) -> BTreeSet<String> {
    let found = aws.sweep();
    found.of(kind).iter().filter_map(|object| object["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn what_destroy_keeps_can_be_read_for_ever_and_goes_once_nobody_wants_it() {
    let (aws, desk) = recorded();
    aws.local("POST", "rows", json!({ "cluster": "student-aurora-dev", "rows": { "ada": "enrolled" } }));
    let plan = desk.tapctl(&["plan", "--destroy"]).expect(2);
    assert!(
        plan.stderr.contains("audit-bucket is kept with what is in it; once every version of that is gone"),
        "{plan}"
    );
    assert!(!plan.stdout.contains("audit-bucket "), "{plan}");
    let gone = desk.tapctl(&DESTROY).expect(0);
    for said in [
        "left where it is, and on record:",
        "kept with audit-bucket, which stays",
        "kept for the snapshot student-redis-dev-final-",
        "kept for the snapshot student-aurora-dev-final-",
        "once these are gone, run destroy again",
        "file-system fs-",
        "a last copy in AWS Backup's vault Default, until it is deleted",
    ] {
        assert!(gone.stderr.contains(said), "{said}: {gone}");
    }
    assert_eq!(enabled(&aws), ["key-cache", "key-logs", "key-rds"]);
    aws.local("POST", "minutes", json!({ "days": 31 }));
    assert_eq!(enabled(&aws), ["key-cache", "key-logs", "key-rds"]);
    assert!(ids(&aws, "kms.key-pending-deletion").is_empty(), "the others are gone by now");
    assert_eq!(ids(&aws, "s3.bucket").len(), 1);
    aws.python(RESTORE);
    aws.local("POST", "settle", json!({}));
    assert_eq!(aws.local("GET", "rows?cluster=again", json!({}))["rows"]["ada"]["value"], "enrolled");
    aws.python(FORGET);
    aws.local("POST", "settle", json!({}));
    aws.python("client('rds').delete_db_subnet_group(DBSubnetGroupName='again')");
    let again = desk.tapctl(&DESTROY).expect(0);
    assert!(again.stdout.contains("nothing to do: all that stands is left where it is"), "{again}");
    aws.python(END);
    desk.tapctl(&DESTROY).expect(0);
    assert_eq!(enabled(&aws), [""; 0]);
    let left = aws.sweep().leftovers().only(|kind, _| kind != "secretsmanager.secret");
    assert_eq!(left.names(), [""; 0]);
    aws.assert_lawful();
}

#[test]
fn what_destroy_kept_is_taken_up_again_by_the_next_apply() {
    let (aws, desk) = recorded();
    let (keys, bucket) = (ids(&aws, "kms.key"), ids(&aws, "s3.bucket"));
    desk.tapctl(&DESTROY).expect(0);
    let other = aws.fork();
    let other_desk = desk.copy_for(&other);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    assert_eq!((ids(&aws, "kms.key"), ids(&aws, "s3.bucket")), (keys.clone(), bucket.clone()));
    aws.assert_lawful();

    // With the record lost, its tags lead to it.
    std::fs::remove_file(other_desk.state_path("dev")).expect("there is a state");
    other_desk.tapctl(&["apply", "--yes"]).expect(0);
    other_desk.tapctl(&["plan"]).expect(0);
    assert_eq!((ids(&other, "kms.key"), ids(&other, "s3.bucket")), (keys, bucket));
    other.assert_lawful();
}

#[test]
fn an_environment_without_protection_leaves_nothing() {
    let (aws, desk) = standing();
    aws.python(RECORD);
    let gone = desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert!(!gone.stderr.contains("left where it is"), "{gone}");
    assert_eq!(enabled(&aws), [""; 0]);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    aws.assert_lawful();
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

#[test]
fn a_database_that_goes_leaves_its_automated_backups_where_it_is_protected() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("stack = \"data-pipeline\"\naccount = \"123456789012\"\nprotect = true");
    desk.tapctl(&["apply", "--yes", "--target", "db-instance"]).expect(0);
    let destroy = ["destroy", "--yes", "--confirm", "data-pipeline-dev"];
    let mark = aws.mark();
    let gone = desk.tapctl(&destroy).expect(0);
    let log = aws.log_since(mark);
    let asked: Vec<&Value> = log
        .iter()
        .filter(|call| call.operation == "DeleteDBInstance")
        .map(|call| &call.params["DeleteAutomatedBackups"])
        .collect();
    assert!(!asked.is_empty() && asked.iter().all(|kept| **kept == false), "{asked:?}");
    assert!(gone.stderr.contains("its automated backups, for "), "{gone}");
    assert!(gone.stderr.contains("key-data-key "), "{gone}");
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
