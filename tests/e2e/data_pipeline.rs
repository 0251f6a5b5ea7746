//! The second stack: made, judged, left alone, changed, drifted and removed, alone and beside the first.

use std::process::Command;

use crate::harness::{Desk, LocalAws, repository};

mod rotation;

const OUTPUTS: [&str; 12] = [
    "ApiGatewayEndpoint",
    "ApiGatewayId",
    "ApiGatewayUrl",
    "DbSecretArn",
    "EcsClusterArn",
    "KinesisStreamArn",
    "KinesisStreamName",
    "PrivateSubnetIds",
    "PublicSubnetIds",
    "RdsEndpoint",
    "TaskDefinitionArn",
    "VpcId",
];

fn pipeline(aws: &LocalAws) -> Desk {
    let desk = Desk::at(aws);
    desk.settings("stack = \"data-pipeline\"");
    desk
}

/// Runs `tests/requirements/data_pipeline`, which asks AWS only, over what stands there.
fn meets_its_requirements(aws: &LocalAws, desk: &Desk, variables: &[(&str, &str)]) {
    let outputs = desk.path("outputs.json");
    std::fs::write(&outputs, desk.tapctl(&["outputs", "--json"]).expect(0).stdout).expect("the outputs are written");
    let ended = Command::new(repository().join("scripts/local-aws"))
        .args(["python", "-m", "pytest", "-p", "no:cacheprovider"])
        .arg(repository().join("tests/requirements/data_pipeline"))
        .env("PYTHONPATH", repository().join("tests"))
        .env("AWS_ENDPOINT_URL", aws.url())
        .env("AWS_REGION", "us-east-1")
        .env("ENVIRONMENT_SUFFIX", "dev")
        .env("DESK", desk.path(""))
        .env("OUTPUTS", outputs)
        .envs(variables.iter().copied())
        .output()
        .expect("pytest starts");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{said}{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains(" passed") && !said.contains("skipped"), "{said}");
}

fn rerun_changes_nothing(aws: &LocalAws, desk: &Desk) {
    let mark = aws.mark();
    let rerun = desk.tapctl(&["apply", "--yes"]).expect(0);
    assert!(rerun.stdout.contains("nothing to do"), "{rerun}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

#[test]
fn a_pipeline_is_made_as_required_left_alone_and_removed() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let outputs = desk.tapctl(&["outputs", "--json"]).expect(0).json();
    let names: Vec<&String> = outputs.as_object().expect("a flat object").keys().collect();
    assert_eq!(names, OUTPUTS);
    rerun_changes_nothing(&aws, &desk);
    for verb in ["plan", "drift", "status"] {
        desk.tapctl(&[verb]).expect(0);
    }
    aws.assert_lawful();
    meets_its_requirements(&aws, &desk, &[]);
    let run = desk.tapctl(&["destroy", "--yes"]).expect(0);
    let left = aws.sweep();
    assert_eq!(left.leftovers().names(), [""; 0]);
    assert_eq!(left.of("kms.key-pending-deletion").len(), 1);
    assert!(run.stderr.contains("key-data-key"), "{run}");
    aws.assert_lawful();
}

#[test]
fn a_protected_pipeline_is_made_as_required_and_goes_only_when_named() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings(
        "stack = \"data-pipeline\"\naccount = \"123456789012\"\nprotect = true\npipeline.project = \"ingest\"",
    );
    desk.tapctl(&["apply", "--yes"]).expect(0);
    meets_its_requirements(&aws, &desk, &[("PROTECT", "1"), ("PROJECT", "ingest")]);
    desk.tapctl(&["destroy", "--yes"]).expect(1);
    desk.tapctl(&["destroy", "--yes", "--confirm", "data-pipeline-dev"]).expect(0);
    let left = aws.sweep().leftovers().names();
    // The secret can be taken back for 30 days; the key opens the snapshot, and the secret as long as that may be.
    assert_eq!(
        left,
        [
            "kms.key ingest-dev-key-data-key",
            "rds.snapshot ingest-dev-db",
            "secretsmanager.secret ingest-dev-db-credentials"
        ]
    );
}

#[test]
fn settings_change_what_they_say_in_place() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let mark = aws.mark();
    desk.settings(
        "stack = \"data-pipeline\"\n\
         stream.shards = 2\n\
         logs.retention_days = 14\n\
         postgres.backup_days = 14\n\
         postgres.storage_gib = 30\n\
         pipeline.iterator_age_seconds = 120\n\
         pipeline.data_trace = true\n\
         service.max_tasks = 8",
    );
    desk.tapctl(&["apply", "--yes"]).expect(0);
    insta::assert_snapshot!(aws.changes_since(mark), @r"
    apigateway:UpdateStage
    application-autoscaling:RegisterScalableTarget
    cloudwatch:PutDashboard
    cloudwatch:PutMetricAlarm × 3
    kinesis:UpdateShardCount
    logs:PutRetentionPolicy × 7
    rds:ModifyDBInstance
    ");
    rerun_changes_nothing(&aws, &desk);
}

#[test]
fn what_others_change_is_found_and_mended() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.python(
        "logs = client('logs')\n\
         logs.put_retention_policy(logGroupName='pipeline-dev-data-processor', retentionInDays=1)\n\
         client('rds').modify_db_instance(DBInstanceIdentifier='pipeline-dev-db', CopyTagsToSnapshot=False)\n\
         client('cloudwatch').disable_alarm_actions(AlarmNames=['pipeline-dev-scale-out'])\n\
         ec2 = client('ec2')\n\
         group = ec2.describe_security_groups(Filters=[{'Name': 'group-name', 'Values': ['pipeline-dev-db-sg']}])\n\
         ec2.authorize_security_group_ingress(GroupId=group['SecurityGroups'][0]['GroupId'], IpPermissions=[{'IpProtocol': 'tcp', \
         'FromPort': 5432, 'ToPort': 5432, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])",
    );
    let drift = desk.tapctl(&["drift", "--json"]).expect(2).json();
    let drifted: Vec<&str> =
        drift.as_array().expect("a list").iter().filter_map(|node| node["node"].as_str()).collect();
    assert_eq!(drifted, ["alarm-scale-out", "db-instance", "group-rules-db-sg", "log-group-data-processor"]);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
}

/// The names of what an account and a region have once.
fn shared(aws: &LocalAws) -> Vec<String> {
    let found = aws.python(
        "role = client('apigateway').get_account().get('cloudwatchRoleArn')\n\
         detectors = client('guardduty').list_detectors()['DetectorIds']\n\
         print(json.dumps((['logs role'] if role else []) + ['detector' for _ in detectors]))",
    );
    serde_json::from_value(found).expect("a list of names")
}

#[test]
fn both_stacks_live_in_one_account_and_the_last_one_out_cleans_up() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let (student, pipeline) = (["--stack", "student-records"], ["--stack", "data-pipeline"]);
    let run = |words: &[&str], stack: [&str; 2]| desk.tapctl(&[words, &stack].concat());
    run(&["apply", "--yes"], pipeline).expect(0);
    run(&["apply", "--yes"], student).expect(0);
    for stack in [student, pipeline] {
        run(&["plan"], stack).expect(0);
        run(&["drift"], stack).expect(0);
    }
    assert_eq!(shared(&aws), ["logs role", "detector"]);
    run(&["destroy", "--yes"], pipeline).expect(0);
    assert_eq!(shared(&aws), ["logs role"]);
    run(&["drift"], student).expect(0);
    run(&["apply", "--yes"], pipeline).expect(0);
    run(&["destroy", "--yes"], student).expect(0);
    assert_eq!(shared(&aws), ["logs role", "detector"]);
    run(&["drift"], pipeline).expect(0);
    run(&["destroy", "--yes"], pipeline).expect(0);
    assert_eq!(shared(&aws), [""; 0]);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    aws.assert_lawful();
}

#[test]
fn two_pipelines_share_what_the_account_has_once() {
    let aws = LocalAws::lease();
    let desk = pipeline(&aws);
    for env in ["dev", "qa"] {
        desk.tapctl(&["apply", "--yes", "--env", env]).expect(0);
    }
    desk.tapctl(&["destroy", "--yes", "--env", "dev"]).expect(0);
    assert_eq!(shared(&aws), ["logs role", "detector"]);
    desk.tapctl(&["drift", "--env", "qa"]).expect(0);
    desk.tapctl(&["destroy", "--yes", "--env", "qa"]).expect(0);
    assert_eq!(shared(&aws), [""; 0]);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
}
