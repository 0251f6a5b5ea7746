//! Data that is gone, or about to be: a store that vanished, a database that is stopped or misses its key, and one that can
//! leave no last snapshot.

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, standing};

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
efs = client('efs')
files = efs.describe_file_systems()['FileSystems'][0]
client('backup').create_backup_vault(BackupVaultName='Default')
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
cache = client('elasticache')
group = cache.describe_replication_groups()['ReplicationGroups'][0]['ReplicationGroupId']
cache.delete_replication_group(ReplicationGroupId=group)
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

#[test]
fn a_stopped_database_is_told_and_started_and_started_to_be_deleted() {
    let (aws, desk) = standing();
    let stop = || {
        aws.python("rds = client('rds')\nrds.stop_db_cluster(DBClusterIdentifier=rds.describe_db_clusters()['DBClusters'][0]['DBClusterIdentifier'])");
        aws.local("POST", "settle", json!({}));
    };
    aws.set(json!({ "durations": { "rds.seven-days": 1e12 } }));
    let before = aws.dump();
    aws.set(json!({ "speed": "instant" }));
    stop();
    aws.set(json!({ "speed": "fast" }));
    let drift = desk.tapctl(&["drift"]).expect(2);
    assert!(drift.stdout.contains("db-cluster: the next apply asks AWS to try again"), "{drift}");
    let mark = aws.mark();
    let apply = desk.tapctl(&["apply", "--yes"]).expect(0);
    assert!(apply.stdout.contains("(status: stopped"), "{apply}");
    assert_eq!(aws.writes_since(mark), ["rds:StartDBCluster"]);
    assert_eq!(aws.dump(), before);
    aws.set(json!({ "speed": "instant" }));
    stop();
    aws.set(json!({ "speed": "fast" }));
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert!(aws.sweep().of("rds.cluster").is_empty());
}

#[test]
fn a_database_that_misses_its_key_is_told_until_when_it_can_be_saved_and_is_saved() {
    let (aws, desk) = standing();
    aws.set(json!({ "durations": { "rds.key.missed": 0, "rds.seven-days": 1e12 } }));
    aws.python(
        "kms = client('kms')\nkms.disable_key(KeyId=kms.describe_key(KeyId='alias/student-rds-dev')['KeyMetadata']['KeyId'])",
    );
    let status = desk.tapctl(&["status", "--json"]).expect(2).json();
    let reason = |node: &str| {
        let nodes = status["nodes"].as_array().expect("nodes");
        nodes.iter().find(|found| found["node"] == node).map_or(Value::Null, |found| found["reason"].clone())
    };
    let told = reason("db-cluster").as_str().unwrap_or_default().to_owned();
    assert!(
        told.starts_with(
            "inaccessible-encryption-credentials-recoverable: RDS cannot use its KMS key; it is lost on 20"
        ),
        "{status}"
    );
    let mark = aws.mark();
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let writes = aws.writes_since(mark);
    let at = |call: &str| writes.iter().position(|write| write == call);
    assert!(at("kms:EnableKey").is_some() && at("kms:EnableKey") < at("rds:StartDBCluster"), "{writes:?}");
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn a_database_that_can_leave_no_last_snapshot_goes_only_when_it_is_named() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("stack = \"data-pipeline\"\naccount = \"123456789012\"\nprotect = true");
    aws.local(
        "POST",
        "endings",
        json!({ "kind": "rds.instance", "ending": "failed", "message": "incompatible-network: no free address" }),
    );
    desk.tapctl(&["apply", "--yes"]).expect(1);
    let name = "data-pipeline-dev";
    let mark = aws.mark();
    let refused = desk.tapctl(&["destroy", "--yes", "--confirm", name]).expect(1);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    let said = "AWS takes no last snapshot of it while it is incompatible-network; no backup of it was found";
    assert!(refused.stderr.contains(said), "{refused}");
    assert!(refused.stderr.contains("--skip-final-snapshot db-instance"), "{refused}");
    desk.tapctl(&["destroy", "--yes", "--confirm", name, "--skip-final-snapshot", "db-instance"]).expect(0);
    assert!(aws.sweep().of("rds.snapshot").is_empty());
    aws.assert_lawful();
}

/// Who the database is, by what its password is kept and under which key, and what tasks are told to read.
const KEPT: &str = "
cluster = client('rds').describe_db_clusters()['DBClusters'][0]
secret = client('secretsmanager').describe_secret(SecretId=cluster['MasterUserSecret']['SecretArn'])
ecs = client('ecs')
service = ecs.describe_services(cluster='student-cluster-dev', services=['student-api-dev'])['services'][0]
task = ecs.describe_task_definition(taskDefinition=service['taskDefinition'])['taskDefinition']
told = {one['valueFrom'].split(':password')[0].split(':username')[0] for one in task['containerDefinitions'][0]['secrets']}
key = client('kms').describe_key(KeyId='alias/student-secrets-dev')['KeyMetadata']['Arn']
print(json.dumps([cluster['DbClusterResourceId'], secret['OwningService'], secret['KmsKeyId'] == key,
    secret['ARN'] in told]))
";

/// As after a restore, or where a person took the password over: RDS keeps it again, and nothing is made anew.
#[test]
fn a_password_that_rds_keeps_no_more_or_under_another_key_is_mended_in_place() {
    let (aws, desk) = standing();
    let before = aws.python(KEPT);
    assert_eq!((&before[1], &before[2], &before[3]), (&json!("rds"), &json!(true), &json!(true)));
    let name = "DBClusterIdentifier='student-aurora-dev', ApplyImmediately=True";
    let taken = format!(
        "client('rds').modify_db_cluster({name}, ManageMasterUserPassword=False, MasterUserPassword='one-of-a-person')\n"
    );
    let under_another = format!("client('rds').modify_db_cluster({name}, ManageMasterUserPassword=True)\n");
    for by_hand in [vec![&taken], vec![&taken, &under_another]] {
        for step in by_hand {
            aws.python(step);
            aws.local("POST", "settle", Value::Null);
        }
        assert!(nodes_to(&desk, "update").contains(&"db-cluster".to_owned()));
        desk.tapctl(&["apply", "--yes"]).expect(0);
        desk.tapctl(&["plan"]).expect(0);
        assert_eq!(aws.python(KEPT), before);
    }
    aws.assert_lawful();
}
