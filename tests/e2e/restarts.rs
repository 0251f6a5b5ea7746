//! Settings of databases that are in force only after a restart: told everywhere, and restarted only where that is allowed.

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, standing};

/// The instances that were restarted since, in that order, none of them with a failover.
fn restarted(aws: &LocalAws, mark: u64) -> Vec<String> {
    let calls = aws.log_since(mark);
    let reboots = calls.iter().filter(|call| call.operation == "RebootDBInstance");
    let name = |params: &Value| params["DBInstanceIdentifier"].as_str().unwrap_or_default().to_owned();
    reboots
        .map(|call| {
            assert_eq!(call.params["ForceFailover"], Value::Null, "a failover brings nothing into force");
            name(&call.params)
        })
        .collect()
}

/// The members of the cluster, its writer last.
fn members(aws: &LocalAws) -> Vec<String> {
    let found = aws.python(
        "(cluster,) = client('rds').describe_db_clusters()['DBClusters']
members = sorted(cluster['DBClusterMembers'], key=lambda one: one['IsClusterWriter'])
print(json.dumps([one['DBInstanceIdentifier'] for one in members]))",
    );
    serde_json::from_value(found).expect("names")
}

#[test]
fn a_larger_database_is_in_force_once_its_members_are_restarted_the_writer_last() {
    let (aws, desk) = standing();
    desk.settings("[database]\nmax_acu = 8");
    let mark = aws.mark();
    let run = desk.tapctl(&["apply", "--yes"]).expect(2);
    let told = "all is done, but db-instance-1 needs a restart: until then its parameters are not in force";
    assert!(run.stderr.contains(told), "{run}");
    assert!(restarted(&aws, mark).is_empty(), "nobody has allowed it");
    let plan = desk.tapctl(&["plan"]).expect(2);
    assert!(plan.stdout.contains("nothing to do") && plan.stderr.contains("db-instance-1 needs a restart"), "{plan}");
    let drift = desk.tapctl(&["drift"]).expect(2);
    assert!(drift.stdout.contains("its parameters await a restart"), "{drift}");
    assert!(drift.stdout.contains("`tapctl restart db-instance-1` does it"), "{drift}");
    let status = desk.tapctl(&["status"]).expect(2);
    assert!(status.stdout.contains("ready: its parameters await a restart"), "{status}");

    let refused = desk.tapctl(&["restart", "cache", "--yes"]).expect(1);
    assert!(refused.stderr.contains("cache cannot be restarted"), "{refused}");
    desk.tapctl(&["restart", "db-cluster"]).expect(1);
    let mark = aws.mark();
    desk.tapctl(&["restart", "db-cluster", "--yes"]).expect(0);
    assert_eq!(restarted(&aws, mark), members(&aws));
    for verb in ["plan", "drift", "status"] {
        desk.tapctl(&[verb]).expect(0);
    }
    aws.assert_lawful();
}

#[test]
fn parameters_that_others_took_away_are_back_and_in_force_where_a_restart_is_allowed() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("stack = \"data-pipeline\"");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.python(
        "client('rds').modify_db_instance(DBInstanceIdentifier='pipeline-dev-db', DBParameterGroupName='default.postgres16')",
    );
    let mark = aws.mark();
    let run = desk.tapctl(&["apply", "--yes"]).expect(2);
    assert!(run.stderr.contains("all is done, but db-instance needs a restart"), "{run}");
    assert!(restarted(&aws, mark).is_empty());
    desk.tapctl(&["apply", "--yes", "--allow-restart"]).expect(0);
    assert_eq!(restarted(&aws, mark), ["pipeline-dev-db"]);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn a_restart_that_aws_does_not_take_yet_is_asked_for_again() {
    let (aws, desk) = standing();
    desk.settings("[database]\nmax_acu = 8");
    aws.set(json!({ "durations": { "rds.scaled": 8000 } }));
    desk.tapctl(&["apply", "--yes", "--allow-restart"]).expect(0);
    let refused = aws.log().iter().filter(|call| call.operation == "RebootDBInstance").count();
    assert!(refused > members(&aws).len(), "for a while after the change AWS restarts none");
    desk.tapctl(&["plan"]).expect(0);
}

#[test]
fn a_database_that_cannot_start_with_its_parameters_is_restarted_once_they_are_mended() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("stack = \"data-pipeline\"");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.python(
        "rds = client('rds')
group = rds.describe_db_instances()['DBInstances'][0]['DBParameterGroups'][0]['DBParameterGroupName']
rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[
    {'ParameterName': 'shared_buffers', 'ParameterValue': '999999999', 'ApplyMethod': 'pending-reboot'}])
rds.reboot_db_instance(DBInstanceIdentifier='pipeline-dev-db')",
    );
    aws.local("POST", "settle", json!({}));
    let status = desk.tapctl(&["status"]).expect(2);
    assert!(status.stdout.contains("failed: incompatible-parameters"), "{status}");
    let mark = aws.mark();
    desk.settings("stack = \"data-pipeline\"\npostgres.backup_days = 14");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(restarted(&aws, mark), ["pipeline-dev-db"], "once");
    for verb in ["plan", "drift", "status"] {
        desk.tapctl(&[verb]).expect(0);
    }
    aws.assert_lawful();
}
