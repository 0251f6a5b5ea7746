//! `tapctl rotate` where RDS keeps the password itself: nothing that uses it is restarted before it has changed.

use serde_json::{Value, json};

use crate::harness::{LocalAws, standing};

/// The version of the database's managed secret that is read by who names none.
fn current(aws: &LocalAws) -> Value {
    aws.python(
        "arn = client('rds').describe_db_clusters()['DBClusters'][0]['MasterUserSecret']['SecretArn']\n\
         print(json.dumps(client('secretsmanager').get_secret_value(SecretId=arn)['VersionId']))",
    )
}

/// RDS changes a managed password every week, under tasks that hold the one of then.
#[test]
fn tasks_that_are_older_than_their_password_are_told() {
    let (aws, desk) = standing();
    let quiet = desk.tapctl(&["status"]).expect(0).stderr;
    assert!(!quiet.contains("was last changed"), "{quiet}");
    aws.python(
        "client('rds').modify_db_cluster(DBClusterIdentifier='student-aurora-dev', RotateMasterUserPassword=True,\
         ApplyImmediately=True)",
    );
    aws.local("POST", "settle", Value::Null);
    let told = desk.tapctl(&["status"]).expect(0).stderr;
    assert!(told.contains("service: 2 of 2 tasks started before arn:aws:secretsmanager:us-east-1:"), "{told}");
    assert!(told.contains("--cluster student-cluster-dev --service student-api-dev --force-new-deployment"), "{told}");
    aws.python(
        "client('ecs').update_service(cluster='student-cluster-dev', service='student-api-dev', forceNewDeployment=True)",
    );
    aws.local("POST", "settle", Value::Null);
    let quiet = desk.tapctl(&["status"]).expect(0).stderr;
    assert!(!quiet.contains("was last changed"), "{quiet}");
}

/// Secrets Manager changes a managed password in its own time. Tasks that start before that hold the old one, and lose the
/// database minutes later.
#[test]
fn tasks_restart_only_once_the_managed_password_has_changed() {
    let (aws, desk) = standing();
    let before = current(&aws);
    // Ten seconds, and so long after the environment was made that no change of then is taken for this one.
    aws.set(json!({ "ahead": 7200, "durations": { "rds.secret.rotated": 2000, "rds.modify.noticed": 1400 } }));
    let call = json!({ "service": "ecs", "operation": "UpdateService" });
    aws.fault(json!({ "match": call, "code": "AccessDenied", "status": 403, "message": "not you" }));
    desk.tapctl(&["rotate", "--yes"]).expect(1);
    assert_eq!(aws.struck(), 1);
    aws.set(json!({ "ahead": 0 }));
    assert_ne!(current(&aws), before, "the tasks would have started with the old password");
    aws.lift_faults();
    desk.tapctl(&["rotate", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}
