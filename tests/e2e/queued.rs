//! Changes that others have asked AWS for, and that wait for a maintenance window: told, and neither carried out nor waited
//! for unless a person says so.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, Run, standing};

/// What stderr and stdout say, without where lines were broken.
fn said(run: &Run) -> String {
    format!("{} {}", run.stdout, run.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn pipeline(settings: &str) -> (LocalAws, Desk) {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    asks(&desk, settings);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    (aws, desk)
}

fn asks(desk: &Desk, settings: &str) {
    desk.settings(&format!("stack = \"data-pipeline\"\n[postgres]\n{settings}"));
}

fn queue(aws: &LocalAws, change: &str) {
    aws.python(&format!(
        "client('rds').modify_db_instance(DBInstanceIdentifier='pipeline-dev-db', ApplyImmediately=False, {change})"
    ));
}

fn instance(aws: &LocalAws) -> Value {
    aws.python("print(json.dumps(client('rds').describe_db_instances()['DBInstances'][0], default=str))")
}

#[test]
fn what_others_have_queued_is_told_and_carried_out_with_no_other_change_unasked() {
    let (aws, desk) = pipeline("");
    queue(&aws, "DBInstanceClass='db.t3.small'");
    let told = "instance class will become db.t3.small in the window sun:04:00-sun:05:00";
    let began = Instant::now();
    let drift = desk.tapctl(&["drift"]).expect(2);
    assert!(said(&drift).contains(told) && said(&drift).contains("--apply-pending db-instance"), "{drift}");
    assert!(began.elapsed() < Duration::from_secs(60), "nothing is waited for");
    for verb in ["plan", "status"] {
        let run = desk.tapctl(&[verb]).expect(0);
        assert!(said(&run).contains(told), "{run}");
    }

    aws.python("client('rds').modify_db_instance(DBInstanceIdentifier='pipeline-dev-db', CopyTagsToSnapshot=False)");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.local("POST", "settle", json!({}));
    let found = instance(&aws);
    assert_eq!((&found["CopyTagsToSnapshot"], &found["DBInstanceClass"]), (&json!(true), &json!("db.t3.micro")));
    assert_eq!(found["PendingModifiedValues"], json!({ "DBInstanceClass": "db.t3.small" }));

    asks(&desk, "backup_days = 14");
    let mark = aws.mark();
    let refused = desk.tapctl(&["apply", "--yes"]).expect(1);
    assert!(said(&refused).contains(told), "{refused}");
    assert!(said(&refused).contains("add --apply-pending db-instance or --cancel-pending db-instance"), "{refused}");
    let refused = desk.tapctl(&["apply", "--yes", "--apply-pending", "db-instance"]).expect(1);
    assert!(said(&refused).contains("and the settings ask for \"db.t3.micro\""), "{refused}");
    assert_eq!(aws.writes_since(mark), [""; 0]);

    asks(&desk, "backup_days = 14\ninstance_class = \"db.t3.small\"");
    desk.tapctl(&["apply", "--yes", "--allow-outage"]).expect(0);
    let found = instance(&aws);
    assert_eq!((&found["BackupRetentionPeriod"], &found["DBInstanceClass"]), (&json!(14), &json!("db.t3.small")));
    desk.tapctl(&["drift"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn what_waits_is_taken_back_or_carried_out_where_the_node_is_named() {
    let (aws, desk) = pipeline("");
    queue(&aws, "DBInstanceClass='db.t3.small', MultiAZ=True");
    asks(&desk, "backup_days = 14");
    desk.tapctl(&["apply", "--yes", "--cancel-pending", "db-instance"]).expect(0);
    let found = instance(&aws);
    assert_eq!((&found["DBInstanceClass"], &found["MultiAZ"]), (&json!("db.t3.micro"), &json!(false)));
    assert_eq!((&found["PendingModifiedValues"], &found["BackupRetentionPeriod"]), (&json!({}), &json!(14)));
    desk.tapctl(&["drift"]).expect(0);

    queue(&aws, "CACertificateIdentifier='rds-ca-rsa4096-g1'");
    desk.tapctl(&["drift"]).expect(2);
    desk.tapctl(&["apply", "--yes", "--apply-pending", "db-instance"]).expect(0);
    assert_eq!(instance(&aws)["CACertificateIdentifier"], "rds-ca-rsa4096-g1");
    desk.tapctl(&["drift"]).expect(0);
    let refused = ["apply", "--yes", "--apply-pending", "db-instance", "--cancel-pending", "db-instance"];
    let refused = desk.tapctl(&refused).expect(1);
    assert!(said(&refused).contains("db-instance is named for --apply-pending and for --cancel-pending"), "{refused}");
    aws.assert_lawful();
}

#[test]
fn what_waits_of_the_cache_is_told_by_its_members() {
    let (aws, desk) = standing();
    aws.python(
        "cache = client('elasticache')
group = cache.describe_replication_groups()['ReplicationGroups'][0]['ReplicationGroupId']
cache.modify_replication_group(ReplicationGroupId=group, CacheNodeType='cache.t3.small', ApplyImmediately=False)",
    );
    let drift = desk.tapctl(&["drift"]).expect(2);
    assert!(said(&drift).contains("node type will become cache.t3.small in the window"), "{drift}");
    desk.settings("[cache]\nnodes = 3");
    let refused = desk.tapctl(&["apply", "--yes"]).expect(1);
    assert!(said(&refused).contains("add --apply-pending cache or --cancel-pending cache"), "{refused}");
    desk.tapctl(&["apply", "--yes", "--cancel-pending", "cache"]).expect(0);
    let kinds = aws.python(
        "print(json.dumps([one['CacheNodeType'] for one in client('elasticache').describe_cache_clusters()['CacheClusters']]))",
    );
    assert_eq!(kinds, json!(["cache.t3.micro", "cache.t3.micro", "cache.t3.micro"]));
    desk.tapctl(&["drift"]).expect(0);
}
