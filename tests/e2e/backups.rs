//! What there is to go back to: `tapctl backups`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, standing};
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
        assert!(shown.lines().all(|line| line.chars().count() <= columns), "{columns}\n{shown}");
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

#[test]
fn a_database_on_its_own_has_the_same() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("stack = \"data-pipeline\"");
    desk.tapctl(&["apply", "--yes", "--target", "db-instance"]).expect(0);
    pass_nights(&aws, 3);
    let answer = desk.tapctl(&["backups", "db-instance", "--json"]).expect(0).json();
    let backups = told(&answer, "db-instance")["backups"].as_array().expect("backups");
    assert_eq!(backups.len(), 4, "{answer:#}");
    assert!(backups.iter().any(|one| one["size"] == "20 GiB"), "{answer:#}");
    assert!(backups.iter().any(|one| one["what"] == "any second, 16.11" && one["since"].is_string()), "{answer:#}");
    aws.assert_lawful();
}
