//! What there is to go back to: `tapctl backups`, and `tapctl snapshot`, which takes a way back when it is asked to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, Run, standing};
use crate::terminal;

/// Lets nights pass for what AWS backs up by itself.
fn pass_nights(aws: &LocalAws, nights: u32) {
    aws.local("POST", "nights", json!({ "nights": nights }));
}

/// The node's part of the answer.
fn told<'a>(answer: &'a Value, node: &str) -> &'a Value {
    let nodes = answer["nodes"].as_array().expect("nodes");
    nodes.iter().find(|one| one["node"] == node).unwrap_or_else(|| panic!("no {node} in {answer:#}"))
}

/// What is told of a node, by what it is.
fn counts(node: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for backup in node["backups"].as_array().expect("backups") {
        let what = backup["what"].as_str().expect("what it is");
        *counts.entry(what.split(" of ").next().unwrap_or_default().to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn every_way_back_is_told_with_its_age_its_size_and_its_key() {
    let (aws, desk) = standing();
    let mark = aws.mark();
    let fresh = desk.tapctl(&["backups"]).expect(0);
    assert!(
        fresh.stdout.contains("student-records dev: 1 of 3 databases, caches and file systems with a way back"),
        "{fresh}"
    );
    assert!(fresh.stdout.contains("  cache: there is no way back at all\n"), "{fresh}");
    pass_nights(&aws, 2);
    let answer = desk.tapctl(&["backups", "--json"]).expect(0).json();
    assert_eq!(aws.writes_since(mark), [""; 0]);
    let cluster = told(&answer, "db-cluster");
    let expected =
        |of: &[(&str, usize)]| of.iter().map(|(what, count)| ((*what).to_owned(), *count)).collect::<BTreeMap<_, _>>();
    assert_eq!(counts(cluster), expected(&[("any second, 16.11", 1), ("automated snapshot", 2)]));
    assert_eq!(counts(told(&answer, "cache")), expected(&[("automated snapshot", 2)]));
    assert_eq!(
        counts(told(&answer, "file-system")),
        expected(&[("recovery point in aws/efs/automatic-backup-vault", 2)])
    );
    assert!(
        told(&answer, "stream")["instead"].as_str().is_some_and(|words| words.contains("no backups")),
        "{answer:#}"
    );
    let span = &cluster["backups"][0];
    assert!(span["since"].as_str() < span["taken"].as_str() && span["goes_along"] == true, "{span:#}");
    for (node, size) in [("cache", "3 MB"), ("file-system", "6 KiB"), ("db-cluster", "1 GiB")] {
        let oldest = told(&answer, node)["backups"].as_array().and_then(|all| all.last()).expect("one");
        assert!(oldest["size"] == size && oldest["key"]["arn"].is_string(), "{oldest:#}");
        assert_eq!(told(&answer, node)["young"], true);
    }
    let all = desk.tapctl(&["backups"]).expect(0);
    assert!(
        all.stdout.contains(": 3 of 3 databases, caches and file systems with a way back younger than 26h\n"),
        "{all}"
    );
    let one = desk.tapctl(&["backups", "cache"]).expect(0);
    assert!(one.stdout.contains("automatic.student-redis-dev-002-") && !one.stdout.contains("db-cluster"), "{one}");
    aws.assert_lawful();
}

#[test]
fn a_backup_under_a_key_that_goes_is_told_and_counts_for_nothing() {
    let (aws, desk) = standing();
    pass_nights(&aws, 1);
    aws.set(json!({ "durations": { "rds.key.missed": 1e12 } }));
    aws.python(
        "kms = client('kms')\nkey = kms.describe_key(KeyId='alias/student-rds-dev')['KeyMetadata']['KeyId']\n\
         kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)",
    );
    let told = desk.tapctl(&["backups"]).expect(0);
    assert!(told.stdout.contains("its key is scheduled for deletion on 20"), "{told}");
    assert!(told.stdout.contains("  db-cluster: nothing of what there is can be restored from\n"), "{told}");
    desk.settings("protect = true");
    desk.tapctl(&["backups"]).expect(2);
    desk.tapctl(&["backups", "db-cluster", "--json"]).expect(2);
    desk.tapctl(&["backups", "cache"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn a_protected_environment_without_a_young_way_back_ends_with_2() {
    let (aws, desk) = standing();
    desk.settings("protect = true\nbackup.max_age = \"30h\"");
    let run = desk.tapctl(&["backups"]).expect(2);
    assert!(run.stdout.contains("1 of 3 databases, caches and file systems with a way back younger than 30h"), "{run}");
    pass_nights(&aws, 1);
    desk.tapctl(&["backups"]).expect(0);
    // AWS Backup makes no more of them, and two days go by.
    aws.python(
        "efs = client('efs')\nefs.put_backup_policy(FileSystemId=efs.describe_file_systems()['FileSystems'][0]['FileSystemId'],\n\
         BackupPolicy={'Status': 'DISABLED'})",
    );
    aws.local("POST", "settle", json!({}));
    pass_nights(&aws, 2);
    let run = desk.tapctl(&["backups"]).expect(2);
    assert!(run.stdout.contains("  file-system: the youngest way back is 2d old\n"), "{run}");
    let answer = desk.tapctl(&["backups", "--json"]).expect(2).json();
    assert_eq!((&answer["protected"], &answer["max_age"]), (&json!(true), &json!("30h")));
    assert_eq!(told(&answer, "file-system")["young"], false);
    for columns in [60, 140] {
        let shown = terminal::answer(&desk, columns, &["backups"]);
        let mut table = shown.lines().take_while(|line| !line.is_empty());
        assert!(table.all(|line| line.chars().count() <= columns), "{columns}\n{shown}");
        assert!(!shown.contains('\u{1b}'), "{shown}");
    }
}

#[test]
fn what_cannot_be_asked_is_no_answer() {
    let (aws, desk) = standing();
    let denied = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": "backup:ListRecoveryPointsByResource", "Resource": "*" },
    ] });
    aws.local("POST", "iam", denied);
    let run = desk.tapctl(&["backups"]).expect(1);
    assert!(run.stderr.contains("file-system (efs.file_system): list backups"), "{run}");
    desk.tapctl(&["backups", "cache"]).expect(0);
}

fn taken(run: &Run) -> String {
    run.json()["snapshot"]["id"].as_str().expect("a name").to_owned()
}

#[test]
fn a_snapshot_is_taken_once_tagged_and_kept_by_destroy() {
    let (aws, desk) = standing();
    let mark = aws.mark();
    let cache = taken(&desk.tapctl(&["snapshot", "cache", "--json"]).expect(0));
    let run = desk.tapctl(&["snapshot", "db-cluster", "--name", "before-the-exam"]).expect(0);
    assert!(run.stdout.starts_with("db-cluster: before-the-exam (manual snapshot of 16.11, taken 20"), "{run}");
    assert_eq!(aws.writes_since(mark), ["elasticache:CreateSnapshot", "rds:CreateDBClusterSnapshot"]);
    assert!(cache.starts_with("student-redis-dev-20") && cache.len() <= 40, "{cache}");
    // Asked for again by its name it is there.
    desk.tapctl(&["snapshot", "db-cluster", "--name", "before-the-exam"]).expect(0);
    assert_eq!(aws.writes_since(mark).len(), 2);
    let tags = aws.python(
        "found = client('rds').describe_db_cluster_snapshots(DBClusterSnapshotIdentifier='before-the-exam')\n\
         tags = {t['Key']: t['Value'] for t in found['DBClusterSnapshots'][0]['TagList']}\n\
         print(json.dumps([tags.get('tapctl:' + key) for key in ('stack', 'env', 'node', 'reason')]))",
    );
    assert_eq!(tags, json!(["student-records", "dev", "db-cluster", "asked for with tapctl snapshot"]));
    desk.tapctl(&["plan"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    let gone = desk.tapctl(&["destroy", "--yes"]).expect(0);
    for said in [
        "db-cluster before-the-exam: a snapshot, until it is deleted",
        &format!("cache {cache}: a snapshot, until"),
        "kept for the snapshot before-the-exam; once that is gone, run destroy again",
    ] {
        assert!(gone.stderr.contains(said), "{said}: {gone}");
    }
    // Gone is the state, too; what was kept is told by its tags.
    std::fs::remove_file(desk.state_path("dev")).expect("it is there");
    let answer = desk.tapctl(&["backups", "--json"]).expect(0).json();
    assert_eq!(told(&answer, "db-cluster")["gone"], true);
    assert_eq!(told(&answer, "cache")["backups"][0]["id"], cache);
    let shown = desk.tapctl(&["backups"]).expect(0);
    assert!(shown.stdout.contains("db-cluster (gone)") && !shown.stdout.contains("its key is"), "{shown}");
    assert!(
        shown.stdout.contains("scheduled for deletion; apply restores it"),
        "what people typed is told, too: {shown}"
    );
    aws.assert_lawful();
}

#[test]
fn killed_anywhere_a_snapshot_is_taken_once() {
    let (aws, desk) = standing();
    for (node, operation) in [("db-cluster", "CreateDBClusterSnapshot"), ("cache", "CreateSnapshot")] {
        for when in ["before", "after"] {
            aws.fault(json!({ "match": { "operation": operation }, "when": when, "action": "hang", "seconds": 60 }));
            let running = desk.start(&["snapshot", node]);
            aws.until_struck();
            running.crash();
            aws.lift_faults();
            let begun = desk.state("dev")["operation"]["inputs"]["name"].as_str().expect("it is on record").to_owned();
            let mark = aws.mark();
            let run = desk.tapctl(&["snapshot", node, "--json"]).expect(0);
            assert_eq!(taken(&run), begun, "{when} {operation}");
            assert!(run.stderr.contains(&format!("goes on with the snapshot {begun}")), "{run}");
            assert_eq!(aws.writes_since(mark).len(), usize::from(when == "before"), "{when} {operation}");
            assert_eq!(desk.state("dev")["operation"], Value::Null);
            // The next one is named by another second.
            std::thread::sleep(Duration::from_millis(1100));
        }
    }
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn of_what_takes_none_and_of_a_name_that_is_taken_it_is_told_before_anything_is_done() {
    let (aws, desk) = standing();
    aws.python(
        "rds = client('rds')\nname = rds.describe_db_clusters()['DBClusters'][0]['DBClusterIdentifier']\n\
         rds.create_db_cluster_snapshot(DBClusterIdentifier=name, DBClusterSnapshotIdentifier='somebodys')",
    );
    let mark = aws.mark();
    let long = "a".repeat(41);
    let cases: [(&[&str], &str); 7] = [
        (&["snapshot", "file-system"], "when asked to: AWS Backup copies it by itself, every night"),
        (&["snapshot", "stream"], "AWS takes no snapshot of stream (kinesis.stream) when asked to: AWS has no backups"),
        (&["snapshot", "key-efs"], "when asked to: it holds no data"),
        (&["snapshot", "db-instance-1"], "when asked to: it holds no data"),
        (&["snapshot", "db-clustr"], "there is no node db-clustr in the state; did you mean db-cluster?"),
        (&["snapshot", "cache", "--name", &long], "AWS allows 40 to a snapshot of cache"),
        (&["snapshot", "db-cluster", "--name", "somebodys"], "somebodys is there already, and is not of this node"),
    ];
    for (arguments, said) in cases {
        let run = desk.tapctl(arguments).expect(1);
        assert!(run.stderr.contains(said), "{said}: {run}");
    }
    assert_eq!(aws.writes_since(mark), [""; 0]);
    assert_eq!(desk.state("dev")["operation"], Value::Null);
}

#[test]
fn a_database_on_its_own_has_the_same() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("stack = \"data-pipeline\"");
    desk.tapctl(&["apply", "--yes", "--target", "db-instance"]).expect(0);
    pass_nights(&aws, 3);
    let name = taken(&desk.tapctl(&["snapshot", "db-instance", "--json"]).expect(0));
    let answer = desk.tapctl(&["backups", "db-instance", "--json"]).expect(0).json();
    let backups = told(&answer, "db-instance")["backups"].as_array().expect("backups");
    assert_eq!(backups.len(), 5, "{answer:#}");
    assert!(backups.iter().any(|one| one["id"] == name && one["size"] == "20 GiB"), "{answer:#}");
    assert!(backups.iter().any(|one| one["what"] == "any second, 16.11" && one["since"].is_string()), "{answer:#}");
    aws.assert_lawful();
}
