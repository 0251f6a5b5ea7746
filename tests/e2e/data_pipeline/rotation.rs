//! `tapctl rotate`: a new password that RDS and the secret agree on, wherever it is killed.

use std::time::Duration;

use serde_json::{Value, json};

use super::pipeline;
use crate::harness::{Desk, LocalAws};

const DATABASE: &str = "pipeline-dev-db";

/// What the secret holds under this label, if anything.
fn credentials(aws: &LocalAws, stage: &str) -> Option<Value> {
    let found = aws.python(&format!(
        "secrets = client('secretsmanager')\n\
         stages = secrets.describe_secret(SecretId='pipeline-dev-db-credentials')['VersionIdsToStages']\n\
         has = any('{stage}' in labels for labels in stages.values())\n\
         get = lambda: secrets.get_secret_value(SecretId='pipeline-dev-db-credentials', VersionStage='{stage}')['SecretString']\n\
         print(get() if has else 'null')"
    ));
    (!found.is_null()).then_some(found)
}

fn opens(aws: &LocalAws, credentials: &Value) -> bool {
    let wish = json!({ "instance": DATABASE, "user": credentials["username"], "password": credentials["password"] });
    aws.local("POST", "login", wish)["opens"] == true
}

fn current(aws: &LocalAws) -> Value {
    credentials(aws, "AWSCURRENT").expect("a secret with a value")
}

#[test]
fn only_a_rotation_changes_the_password_and_all_of_it_but_the_user() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let before = current(&aws);
    assert!(opens(&aws, &before));
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(current(&aws), before);
    let mark = aws.mark();
    let run = desk.tapctl(&["rotate", "--yes"]).expect(0);
    let after = current(&aws);
    assert_ne!(after["password"], before["password"]);
    assert_eq!(after["password"].as_str().map(str::len), before["password"].as_str().map(str::len));
    for field in ["username", "engine", "port", "dbname"] {
        assert_eq!(after[field], before[field]);
    }
    assert!(opens(&aws, &after) && !opens(&aws, &before));
    assert_eq!(credentials(&aws, "AWSPREVIOUS"), Some(before.clone()));
    let writes = ["PutSecretValue", "ModifyDBInstance", "UpdateSecretVersionStage", "UpdateService"];
    let wrote: Vec<String> =
        aws.log_since(mark).into_iter().filter(|call| call.wrote()).map(|call| call.operation).collect();
    assert_eq!(wrote, writes);
    for text in [&run.stdout, &run.stderr, &desk.state_of("data-pipeline", "dev").to_string()] {
        assert!([&before, &after].iter().all(|all| !text.contains(all["password"].as_str().expect("a password"))));
    }
    desk.tapctl(&["plan"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn killed_anywhere_a_rotation_goes_on_with_the_password_it_has() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let kills = [
        ("PutSecretValue", "after"),
        ("ModifyDBInstance", "before"),
        ("ModifyDBInstance", "after"),
        ("UpdateSecretVersionStage", "before"),
        ("UpdateSecretVersionStage", "after"),
    ];
    for (operation, when) in kills {
        let before = current(&aws);
        kill(&aws, &desk, operation, when);
        let pending = credentials(&aws, "AWSPENDING").expect("a password is pending");
        assert!(opens(&aws, &before) || opens(&aws, &pending), "{when} {operation}: nothing opens the database");
        desk.tapctl(&["rotate", "--yes"]).expect(0);
        let after = current(&aws);
        assert!(opens(&aws, &after) && !opens(&aws, &before), "{when} {operation}");
        if (operation, when) != ("UpdateSecretVersionStage", "after") {
            assert_eq!(after, pending, "{when} {operation}: another password was drawn");
        }
        desk.tapctl(&["plan"]).expect(0);
    }
}

fn kill(aws: &LocalAws, desk: &Desk, operation: &str, when: &str) {
    aws.fault(json!({ "match": { "operation": operation }, "when": when, "action": "hang", "seconds": 60 }));
    let running = desk.start(&["rotate", "--yes"]);
    aws.until_struck();
    running.crash();
    aws.lift_faults();
    // What AWS took goes on without us.
    std::thread::sleep(Duration::from_millis(500));
}

#[test]
fn nothing_is_rotated_where_there_is_nothing_or_nobody_agreed() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws);
    let run = desk.tapctl(&["rotate", "--yes"]).expect(1);
    assert!(run.stderr.contains("nothing is recorded for data-pipeline dev"), "{run}");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let mark = aws.mark();
    let run = desk.tapctl(&["rotate"]).expect(1);
    assert!(run.stderr.contains("changes the credentials of db-instance, service"), "{run}");
    assert!(run.stderr.contains("of db-instance AWS knows one password at a time: "), "{run}");
    assert!(run.stderr.contains("there is no terminal to ask on"), "{run}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

#[test]
fn rds_rotates_what_it_keeps_itself() {
    let (aws, desk) = crate::harness::standing();
    let mark = aws.mark();
    desk.tapctl(&["rotate", "--yes"]).expect(0);
    let of_tokens = ["PutSecretValue", "ModifyReplicationGroup", "UpdateSecretVersionStage"];
    let mut asked: Vec<_> = aws.log_since(mark).into_iter().filter(|call| call.wrote()).collect();
    asked.retain(|call| !of_tokens.contains(&call.operation.as_str()));
    let names: Vec<&str> = asked.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(names, ["ModifyDBCluster", "UpdateService"]);
    assert_eq!(asked[0].params["RotateMasterUserPassword"], true);
    assert_eq!(asked[1].params["forceNewDeployment"], true);
    desk.tapctl(&["plan"]).expect(0);
}

/// The token of the cache under this label, if there is one.
fn token(aws: &LocalAws, stage: &str) -> Option<String> {
    let found = aws.python(&format!(
        "secrets = client('secretsmanager')\n\
         stages = secrets.describe_secret(SecretId='student-cache-dev/credentials')['VersionIdsToStages']\n\
         has = any('{stage}' in labels for labels in stages.values())\n\
         get = lambda: secrets.get_secret_value(SecretId='student-cache-dev/credentials', VersionStage='{stage}')['SecretString']\n\
         print(json.dumps(get() if has else None))"
    ));
    found.as_str().map(str::to_owned)
}

fn opens_the_cache(aws: &LocalAws, token: &str) -> bool {
    aws.local("POST", "login", json!({ "cache": "student-redis-dev", "token": token }))["opens"] == true
}

fn current_token(aws: &LocalAws) -> String {
    token(aws, "AWSCURRENT").expect("a secret with a value")
}

#[test]
fn a_cache_takes_both_tokens_until_its_users_have_the_new_one() {
    let (aws, desk) = crate::harness::standing();
    let before = current_token(&aws);
    assert!(opens_the_cache(&aws, &before));
    let mark = aws.mark();
    let run = desk.tapctl(&["rotate", "--yes"]).expect(0);
    assert!(run.stderr.contains("changes the credentials of cache, db-cluster, service"), "{run}");
    assert!(run.stderr.contains("of db-cluster AWS knows one password at a time: "), "{run}");
    let after = current_token(&aws);
    assert_ne!(after, before);
    assert_eq!(after.len(), before.len());
    assert!(opens_the_cache(&aws, &after) && !opens_the_cache(&aws, &before));
    assert_eq!((token(&aws, "AWSPREVIOUS"), token(&aws, "AWSPENDING")), (Some(before.clone()), None));
    let calls: Vec<_> = aws.log_since(mark).into_iter().filter(|call| call.wrote()).collect();
    let how = |call: &str| {
        let changes = calls.iter().filter(|one| one.operation == call);
        changes.map(|one| one.params["AuthTokenUpdateStrategy"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let strategies: Vec<String> = how("ModifyReplicationGroup");
    assert_eq!(strategies, ["ROTATE", "SET"]);
    let at = |operation: &str| calls.iter().rposition(|call| call.operation == operation);
    assert!(at("UpdateService") < at("ModifyReplicationGroup"), "the tasks have the new one by then");
    for text in [&run.stdout, &run.stderr, &desk.state_of("student-records", "dev").to_string()] {
        assert!(!text.contains(&before) && !text.contains(&after));
    }
    desk.tapctl(&["plan"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    desk.tapctl(&["rotate", "--yes"]).expect(0);
    assert!(!opens_the_cache(&aws, &after) && opens_the_cache(&aws, &current_token(&aws)));
    aws.assert_lawful();
}

#[test]
fn killed_anywhere_nobody_is_locked_out_of_the_cache() {
    let (aws, desk) = crate::harness::standing();
    let kills = [
        ("PutSecretValue", 1, "after"),
        ("ModifyReplicationGroup", 1, "before"),
        ("ModifyReplicationGroup", 1, "after"),
        ("UpdateSecretVersionStage", 1, "after"),
        ("UpdateService", 1, "after"),
        ("ModifyReplicationGroup", 2, "before"),
        ("ModifyReplicationGroup", 2, "after"),
        ("UpdateSecretVersionStage", 3, "after"),
    ];
    for (operation, nth, when) in kills {
        let before = current_token(&aws);
        let told = format!("{when} {operation} {nth}");
        aws.fault(json!({
            "match": { "operation": operation }, "nth": nth, "when": when, "action": "hang", "seconds": 60,
        }));
        let running = desk.start(&["rotate", "--yes"]);
        aws.until_struck();
        running.crash();
        aws.lift_faults();
        // What AWS took goes on without us.
        std::thread::sleep(Duration::from_millis(500));
        let current = current_token(&aws);
        assert!(opens_the_cache(&aws, &current), "{told}: those who start now are locked out");
        let is_set = operation == "UpdateSecretVersionStage" && nth == 3 || (nth, when) == (2, "after");
        assert!(is_set || opens_the_cache(&aws, &before), "{told}: those who run are locked out");
        let pending = token(&aws, "AWSPENDING");
        desk.tapctl(&["rotate", "--yes"]).expect(0);
        let after = current_token(&aws);
        assert!(opens_the_cache(&aws, &after), "{told}");
        assert!(!opens_the_cache(&aws, &before), "{told}");
        assert!(pending.is_none_or(|pending| pending == after || nth == 3), "{told}: another token was drawn");
        assert_eq!(token(&aws, "AWSPENDING"), None, "{told}");
        desk.tapctl(&["plan"]).expect(0);
    }
    aws.assert_lawful();
}
