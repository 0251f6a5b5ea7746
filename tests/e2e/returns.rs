//! What is taken back rather than made again, and what comes back though it was removed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use crate::harness::{Desk, LocalAws, Sweep, made, standing};

const KEY: &str = "
def key(thing): return client('kms').describe_key(KeyId=f'alias/student-{thing}-dev')['KeyMetadata']['KeyId']
";

/// The secret whose value people set.
const TYPED: &str = "student-third-party-dev/credentials";

fn type_in(aws: &LocalAws) {
    aws.python(&format!("client('secretsmanager').put_secret_value(SecretId='{TYPED}', SecretString='set by people')"));
}

fn typed(aws: &LocalAws) -> Value {
    aws.python(&format!(
        "print(json.dumps(client('secretsmanager').get_secret_value(SecretId='{TYPED}')['SecretString']))"
    ))
}

fn ids(sweep: &Sweep, kind: &str) -> BTreeSet<String> {
    sweep.of(kind).iter().filter_map(|object| object["id"].as_str().map(str::to_owned)).collect()
}

#[test]
fn an_environment_made_again_takes_its_keys_back() {
    let (aws, desk) = standing();
    let keys = ids(&aws.sweep(), "kms.key");
    type_in(&aws);
    let destroy = desk.tapctl(&["destroy", "--yes"]).expect(0);
    // Nobody else may have what people typed; what was drawn is drawn again.
    assert_eq!(destroy.stderr.matches("scheduled for deletion in 7 days, until then it can be restored").count(), 1);
    let secrets = aws.sweep().of("secretsmanager.secret").to_vec();
    assert!(secrets.len() == 1 && secrets[0]["name"] == TYPED, "{secrets:?}");
    let plan = desk.tapctl(&["plan"]).expect(2);
    let said = "(status: PendingDeletion, its deletion is scheduled for 20";
    assert_eq!(plan.stdout.matches(said).count(), 6, "{plan}");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    // The numbers of a family's revisions go on.
    let names: Vec<String> = aws.sweep().names().iter().map(|name| name.replace("-api-dev:2", "-api-dev:1")).collect();
    assert_eq!(names, made());
    assert_eq!(ids(&aws.sweep(), "kms.key"), keys);
    assert_eq!(typed(&aws), "set by people");
    desk.tapctl(&["plan"]).expect(0);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(ids(&aws.sweep(), "kms.key-pending-deletion"), keys, "and no others");
    aws.assert_lawful();
}

#[test]
fn a_key_about_to_go_or_disabled_is_told_and_taken_back() {
    let (aws, desk) = standing();
    let before = aws.dump();
    aws.python(&format!(
        "{KEY}client('kms').schedule_key_deletion(KeyId=key('rds'), PendingWindowInDays=7)\n\
         client('kms').disable_key(KeyId=key('efs'))"
    ));
    let drift = desk.tapctl(&["drift"]).expect(2);
    assert!(drift.stdout.contains("failed: PendingDeletion, its deletion is scheduled for 20"), "{drift}");
    assert!(drift.stdout.contains("failed: Disabled"), "{drift}");
    let status = desk.tapctl(&["status", "--json"]).expect(2).json();
    let phase = |node: &str| {
        let nodes = status["nodes"].as_array().expect("nodes");
        nodes.iter().find(|found| found["node"] == node).map_or(Value::Null, |found| found["phase"].clone())
    };
    assert_eq!((phase("key-rds"), phase("key-efs")), ("failed".into(), "failed".into()));
    let mark = aws.mark();
    desk.tapctl(&["apply", "--yes"]).expect(0);
    // RDS may have noticed in the midst of it that the key was gone: then the next apply starts the database.
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert!(!aws.writes_since(mark).contains(&"kms:CreateKey".to_owned()));
    assert_eq!(aws.dump(), before);
    desk.tapctl(&["drift"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn a_protected_secret_is_restored_with_its_value() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("account = \"123456789012\"\n[env.dev]\nprotect = true");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    type_in(&aws);
    desk.tapctl(&["destroy", "--yes", "--confirm", "student-records-dev"]).expect(0);
    let plan = desk.tapctl(&["plan"]).expect(2);
    assert_eq!(plan.stdout.matches("(status: scheduled for deletion; apply restores it)").count(), 2, "{plan}");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(typed(&aws), "set by people");
}

#[test]
fn a_log_group_that_a_service_makes_anew_is_removed_again() {
    let (aws, desk) = standing();
    // Long enough for the service to be quicker than the last look.
    std::fs::write(desk.path("tapctl.toml"), "[engine]\nsettle_seconds = 20\n").expect("the settings are written");
    let group = "/aws/ecs/containerinsights/student-cluster-dev/performance";
    let mut destroy = desk.start(&["destroy", "--yes"]);
    aws.until("the group is gone", |log| {
        log.iter()
            .any(|call| call.operation == "DeleteLogGroup" && call.wrote() && call.params["logGroupName"] == group)
    });
    aws.python(&format!("client('logs').create_log_group(logGroupName='{group}')"));
    let run = destroy.wait(Duration::from_secs(170)).expect(0);
    assert!(run.stderr.contains(&format!("{group} was made anew by a service")), "{run}");
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
}
