//! Data that is gone: a store that vanished.

use serde_json::json;

use crate::harness::{Desk, standing};

/// Takes a snapshot or a copy of each store, with `settle` between the steps, and deletes it.
const ROB: &str = "
rds = client('rds')
name = rds.describe_db_clusters()['DBClusters'][0]['DBClusterIdentifier']
rds.create_db_cluster_snapshot(DBClusterIdentifier=name, DBClusterSnapshotIdentifier='before-the-theft')
for instance in rds.describe_db_instances()['DBInstances']:
    rds.delete_db_instance(DBInstanceIdentifier=instance['DBInstanceIdentifier'], SkipFinalSnapshot=True)
cache = client('elasticache')
group = cache.describe_replication_groups()['ReplicationGroups'][0]['ReplicationGroupId']
cache.create_snapshot(ReplicationGroupId=group, SnapshotName='of-the-cache')
cache.delete_replication_group(ReplicationGroupId=group)
efs = client('efs')
files = efs.describe_file_systems()['FileSystems'][0]
client('backup').start_backup_job(BackupVaultName='Default', ResourceArn=files['FileSystemArn'],
    IamRoleArn='arn:aws:iam::123456789012:role/aws-service-role/backup.amazonaws.com/AWSServiceRoleForBackup')
for target in efs.describe_mount_targets(FileSystemId=files['FileSystemId'])['MountTargets']:
    efs.delete_mount_target(MountTargetId=target['MountTargetId'])
for point in efs.describe_access_points(FileSystemId=files['FileSystemId'])['AccessPoints']:
    efs.delete_access_point(AccessPointId=point['AccessPointId'])
";
const ROB_ON: &str = "
rds = client('rds')
name = rds.describe_db_clusters()['DBClusters'][0]['DBClusterIdentifier']
rds.delete_db_cluster(DBClusterIdentifier=name, SkipFinalSnapshot=True)
efs = client('efs')
efs.delete_file_system(FileSystemId=efs.describe_file_systems()['FileSystems'][0]['FileSystemId'])
";

/// The steps of the JSON plan that say this.
fn nodes_to(desk: &Desk, word: &str) -> Vec<String> {
    let plan = desk.tapctl(&["plan", "--json"]).expect(2).json();
    let steps = plan.as_array().expect("steps").iter().filter(|step| step["action"] == word);
    let mut nodes: Vec<String> = steps.map(|step| step["node"].as_str().unwrap_or_default().to_owned()).collect();
    nodes.sort();
    nodes
}

#[test]
fn a_store_that_vanished_is_never_replaced_by_an_empty_one_unasked() {
    let (aws, desk) = standing();
    for part in [ROB, ROB_ON] {
        aws.python(part);
        aws.local("POST", "settle", json!({}));
    }
    let plan = desk.tapctl(&["plan"]).expect(2);
    assert!(plan.stdout.contains("! lost    db-cluster"), "{plan}");
    assert!(plan.stdout.contains("3 lost"), "{plan}");
    assert!(plan.stderr.contains("before-the-theft (manual snapshot of "), "{plan}");
    assert_eq!(nodes_to(&desk, "lost"), ["cache", "db-cluster", "file-system"]);
    let drift = desk.tapctl(&["drift"]).expect(2);
    assert!(drift.stdout.contains("apply is refused until it is named, --recreate db-cluster"), "{drift}");
    assert!(drift.stderr.contains("could be restored from before-the-theft"), "{drift}");
    let mark = aws.mark();
    let refused = desk.tapctl(&["apply", "--yes"]).expect(1);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    for said in
        ["before-the-theft", "of-the-cache", "(recovery point)", "--recreate db-cluster", "state rm --env dev cache"]
    {
        assert!(refused.stderr.contains(said), "{said}: {refused}");
    }
    let named: Vec<&str> =
        ["cache", "db-cluster", "file-system"].into_iter().flat_map(|node| ["--recreate", node]).collect();
    let anew = desk.tapctl(&[&["apply", "--yes", "--allow-outage"], named.as_slice()].concat()).expect(0);
    assert!(anew.stderr.contains("db-cluster would be made empty; "), "{anew}");
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}
