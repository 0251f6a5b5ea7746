//! What was shown is what is done: every field of what is made, nothing cut where it matters, nothing promised that does not
//! come, and nothing lost for good that was not named.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, Run, redact};
use crate::terminal;

/// An environment that was just made.
fn applied(aws: &LocalAws) -> Desk {
    let desk = Desk::at(aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk
}

/// The steps of a plan that do something, by node.
fn steps(desk: &Desk) -> BTreeMap<String, Value> {
    let plan = desk.tapctl(&["plan", "--json"]).json();
    let steps = plan.as_array().expect("a list").iter().filter(|step| step["action"] != "keep");
    steps.map(|step| (step["node"].as_str().expect("a name").to_owned(), step.clone())).collect()
}

/// What an apply says that it did, as `created vpc`, without what stayed as it was.
fn done(run: &Run) -> BTreeSet<String> {
    let words = run.stderr.lines().filter_map(|line| {
        let (_, rest) = line.strip_prefix('[')?.split_once("] ")?;
        let mut words = rest.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    let past = ["created", "adopted", "updated", "replaced", "deleted", "forgotten", "ready"];
    words.filter(|(word, _)| past.contains(word)).map(|(word, node)| format!("{word} {node}")).collect()
}

/// The part of a plan that is about one node.
fn about<'a>(plan: &'a str, node: &str) -> Vec<&'a str> {
    let mut lines =
        plan.lines().skip_while(|line| line.starts_with(' ') || line.split_whitespace().nth(2) != Some(node));
    let heading = lines.next().into_iter();
    heading.chain(lines.take_while(|line| line.starts_with("      "))).collect()
}

#[test]
fn a_first_plan_shows_what_it_will_make() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let steps = steps(&desk);
    assert!(steps.len() > 100);
    for (node, step) in &steps {
        assert!(step["spec"].is_object(), "{node} is made of nothing");
    }
    assert_eq!(steps["subnet-private-a"]["spec"]["vpc_id"], json!({"$ref": "vpc.vpc_id"}));
    let plan = desk.tapctl(&["plan"]).expect(2).stdout;
    let shown = ["vpc", "group-rules-rds", "role-flow-logs", "db-cluster", "task-definition", "audit-bucket"];
    let shown: Vec<String> = shown.iter().flat_map(|node| about(&plan, node)).map(redact).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    + create  vpc                                ec2.vpc
          cidr: "10.0.0.0/16"
    + create  group-rules-rds                    ec2.security_group_rules
          ingress[tcp 5432 from group-service.group_id "from the service"]
          egress: []
    + create  role-flow-logs                     iam.role
          assume_role_policy: Allow sts:AssumeRole by vpc-flow-logs.amazonaws.com if ArnLike aws:SourceArn arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/* and StringEquals aws:SourceAccount 123456789012
          policies.flow-logs: WriteFlowLogs: Allow logs:CreateLogStream, logs:DescribeLogStreams, logs:PutLogEvents on log-group-flow.arn, "{log-group-flow.arn}:*"
          managed_policy_arns: []
    + create  db-cluster                         rds.db_cluster
          engine: "aurora-postgresql"
          engine_version: "16.11"
          min_acu: 0.5
          max_acu: 4.0
          kms_key_id: (known after apply: key-rds.arn)
          security_group_ids: [group-rds.group_id]
          backup_retention_days: 30
          deletion_protection: false
          iam_authentication: true
    + create  task-definition                    ecs.task_definition
          cpu: 512
          memory: 1024
          execution_role_arn: (known after apply: role-execution.arn)
          task_role_arn: (known after apply: role-task.arn)
          containers.student-api.image: "public.ecr.aws/docker/library/busybox:1.37"
    + create  audit-bucket                       s3.bucket
          public_access_blocked: true
          kms_key_arn: (known after apply: key-logs.arn)
          versioning: true
          object_ownership: "BucketOwnerEnforced"
          archive_after_days: 90
          expire_after_days: 365
    "#);
    // In full it has every field of every spec.
    let full = desk.tapctl(&["plan", "--full"]).expect(2).stdout;
    for (node, step) in &steps {
        let lines = about(&full, node);
        for (field, value) in step["spec"].as_object().expect("a spec") {
            let told = lines.iter().any(|line| line.trim_start().starts_with(field.as_str()));
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            assert!(told || empty, "{node} has no {field}:\n{}", lines.join("\n"));
        }
    }
    assert!(full.contains("vpc_id: (known after apply: vpc.vpc_id)"), "{full}");
    assert!(!plan.contains("$ref") && !plan.contains("$join") && !full.contains("$ref") && !full.contains("$join"));
}

#[test]
fn a_log_group_that_was_deleted_by_hand_is_one_create_and_nothing_else() {
    let aws = LocalAws::lease();
    let desk = applied(&aws);
    aws.python("client('logs').delete_log_group(logGroupName='student-service-dev')");
    insta::assert_snapshot!(redact(&desk.tapctl(&["plan"]).expect(2).stdout), @r#"
    + create  log-group-service  logs.log_group  student-service-dev
          retention_days: 30
          kms_key_arn: "arn:aws:kms:us-east-1:123456789012:key/[id]"
    student-records dev in account 123456789012, us-east-1: 1 to create
    "#);
    let run = desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(done(&run), BTreeSet::from(["created log-group-service".to_owned()]), "{run}");
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn apply_does_what_plan_says_and_nothing_else() {
    let aws = LocalAws::lease();
    let desk = applied(&aws);
    aws.python(
        "logs, iam = client('logs'), client('iam')
for name in ['student-service-dev', 'student-api-access-dev', 'student-trail-dev']: logs.delete_log_group(logGroupName=name)
for name in iam.list_role_policies(RoleName='student-flow-logs-dev')['PolicyNames']:
    iam.delete_role_policy(RoleName='student-flow-logs-dev', PolicyName=name)
iam.delete_role(RoleName='student-flow-logs-dev')
client('cloudwatch').delete_alarms(AlarmNames=['student-database-connections-dev'])
client('kms').delete_alias(AliasName='alias/student-kinesis-dev')",
    );
    // Without its role the flow log can no longer deliver, which would show later, amid what follows.
    aws.set(json!({ "durations": { "ec2.flow-log.delivery": 0 } }));
    desk.settings("[service]\nmemory = 2048\n[stream]\nshards = 4\n[api]\ncampus_systems = [\"library\"]");
    let planned: BTreeSet<String> = steps(&desk)
        .iter()
        .map(|(node, step)| match step["action"].as_str().expect("a word") {
            "create" => format!("created {node}"),
            "update" => format!("updated {node}"),
            "replace" => format!("replaced {node}"),
            "delete" => format!("deleted {node}"),
            other => panic!("{node} is {other}"),
        })
        .collect();
    let run = desk.tapctl(&["apply", "--yes", "--allow-loss", "api-key-campus"]).expect(0);
    // A replacement that comes first is followed by the removal of what it replaces.
    let mut became = done(&run);
    became.retain(|word| word.strip_prefix("deleted ").is_none_or(|node| !became_replaced(&planned, node)));
    assert_eq!(became, planned, "{run}");
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

fn became_replaced(planned: &BTreeSet<String>, node: &str) -> bool {
    planned.contains(&format!("replaced {node}"))
}

/// Opens the database to everybody, in a rule whose port and peer come after a hundred characters of words.
const OPEN: &str = "\
ec2 = client('ec2')
group = ec2.describe_security_groups(Filters=[{'Name': 'tag:tapctl:node', 'Values': ['group-rds']}])['SecurityGroups'][0]
words = 'temporary access for the vendor of the reports, who has asked for it twice, until the end of the term'
ec2.authorize_security_group_ingress(GroupId=group['GroupId'], IpPermissions=[{'IpProtocol': 'tcp', 'FromPort': 5432,
    'ToPort': 5432, 'IpRanges': [{'CidrIp': '0.0.0.0/0', 'Description': words}]}])
iam = client('iam')
name = iam.list_role_policies(RoleName='student-task-dev')['PolicyNames'][0]
policy = iam.get_role_policy(RoleName='student-task-dev', PolicyName=name)['PolicyDocument']
policy['Statement'][-1]['Resource'] = '*'
iam.put_role_policy(RoleName='student-task-dev', PolicyName=name, PolicyDocument=json.dumps(policy))
dashboards = client('cloudwatch')
body = json.loads(dashboards.get_dashboard(DashboardName='student-records-dev')['DashboardBody'])
body['widgets'][0]['properties']['title'] = 'Changed by hand'
dashboards.put_dashboard(DashboardName='student-records-dev', DashboardBody=json.dumps(body))
kms = client('kms')
kms.update_key_description(KeyId=kms.describe_key(KeyId='alias/student-rds-dev')['KeyMetadata']['KeyId'], Description='x' * 100 + '1' + 'y' * 100)";

#[test]
fn a_difference_is_seen_wherever_it_is() {
    let aws = LocalAws::lease();
    let desk = applied(&aws);
    aws.python(OPEN);
    let drawn = desk.drawn("dev");
    insta::assert_snapshot!(drawn.redact(&desk.tapctl(&["plan"]).expect(2).stdout), @r#"
    ~ update  key-rds          kms.key  [id]
          description: "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy" → "Encrypts the database and its snapshots of student-records dev"
    ~ update  group-rules-rds  ec2.security_group_rules  sg-[id]
          - ingress[tcp 5432 from 0.0.0.0/0 "temporary access for the vendor of the reports, who has asked for it twice, until the end of the term"]
    ~ update  role-task        iam.role  student-task-dev
          - policies.task.Statement: LogInToDatabase: Allow rds-db:connect on *
          + policies.task.Statement: LogInToDatabase: Allow rds-db:connect on arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-[id]/studentadmin
    ~ update  dashboard        cloudwatch.dashboard  student-records-dev
          body.widgets[1].properties.title: "Changed by hand" → "api-5xx"
    student-records dev in account 123456789012, us-east-1: 4 to update
    "#);
    insta::assert_snapshot!(drawn.redact(&desk.tapctl(&["drift"]).expect(2).stdout), @r#"
     NODE             KIND                      FIELD                                                                                                                                     LIVE                                                                                                                                                                                                         WANTED
     dashboard        cloudwatch.dashboard      body.widgets[1].properties.title                                                                                                          "Changed by hand"                                                                                                                                                                                            "api-5xx"
     group-rules-rds  ec2.security_group_rules  ingress[tcp 5432 from 0.0.0.0/0 "temporary access for the vendor of the reports, who has asked for it twice, until the end of the term"]  there                                                                                                                                                                                                        (none)
     key-rds          kms.key                   description                                                                                                                               "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"  "Encrypts the database and its snapshots of student-records dev"
     role-task        iam.role                  policies.task.Statement                                                                                                                   LogInToDatabase: Allow rds-db:connect on *                                                                                                                                                                   (none)
     role-task        iam.role                  policies.task.Statement                                                                                                                   (none)                                                                                                                                                                                                       LogInToDatabase: Allow rds-db:connect on arn:aws:rds-db:us-east-1:123456789012:dbuser:cluster-[id]/studentadmin

    drift in 4 of 131 nodes; the next apply repairs it
    "#);
    // On a terminal of any width it is all there, and nothing is wider but words that cannot be broken.
    for columns in [60, 80, 120, 175] {
        for command in ["plan", "drift", "status"] {
            let shown = terminal::answer(&desk, columns, &[command]);
            let fits = |line: &str| line.chars().count() <= columns || !line.trim_start().contains(' ');
            let outputs = shown.lines().position(|line| line.contains("nodes ready")).unwrap_or(usize::MAX);
            let wide: Vec<&str> = shown.lines().take(outputs).filter(|line| !fits(line)).collect();
            assert_eq!(wide, [""; 0], "{command} on {columns} columns:\n{shown}");
            if command != "status" {
                let words: String = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                assert!(words.contains("ingress[tcp 5432 from 0.0.0.0/0 \"temporary"), "{columns}: {shown}");
                assert!(words.contains("rds-db:connect on *"), "{columns}: {shown}");
            }
        }
        let full = terminal::answer(&desk, columns, &["drift", "--full"]);
        assert!(full.contains(&format!("{}1{}", "x".repeat(100), "y".repeat(100))), "{full}");
    }
}

#[test]
fn what_cannot_be_had_again_goes_only_by_name() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("[network]\nnat = \"per-az\"\n[api]\ncampus_systems = [\"campus\", \"library\"]");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.settings("");
    let mark = aws.mark();
    insta::assert_snapshot!(desk.tapctl(&["apply", "--yes"]).expect(1).stderr, @"
    error: this plan would lose the key of api-key-library and the address of elastic-ip-nat-b; nothing was changed
    hint: if that is meant, add --allow-loss api-key-library --allow-loss elastic-ip-nat-b
    ");
    desk.tapctl(&["apply", "--yes", "--allow-loss", "api-key-library"]).expect(1);
    // Each flag is for its own kind of loss.
    let wrong = ["--allow-data-loss", "api-key-library", "--allow-data-loss", "elastic-ip-nat-b"];
    desk.tapctl(&[&["apply", "--yes"][..], &wrong].concat()).expect(1);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    let named = ["--allow-loss", "api-key-library", "--allow-loss", "elastic-ip-nat-b"];
    desk.tapctl(&[&["apply", "--yes"][..], &named].concat()).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    // A destroy is asked for as a whole, and says what goes with it.
    let destroyed = desk.tapctl(&["destroy", "--yes"]).expect(0);
    for lost in ["the key of api-key-campus", "the URL of rest-api", "the address of elastic-ip-nat-a", "the logs of "]
    {
        assert!(destroyed.stderr.contains(lost), "{lost} {destroyed}");
    }
    aws.assert_lawful();
}

#[test]
fn drift_says_what_the_next_apply_does_not_repair() {
    let aws = LocalAws::lease();
    let desk = applied(&aws);
    aws.python(
        "kms = client('kms')
kms.disable_key_rotation(KeyId=kms.describe_key(KeyId='alias/student-rds-dev')['KeyMetadata']['KeyId'])
client('secretsmanager').delete_secret(SecretId='student-cache-dev/credentials', ForceDeleteWithoutRecovery=True)
client('secretsmanager').delete_secret(SecretId='student-third-party-dev/credentials', RecoveryWindowInDays=7)
ecs = client('ecs')
for arn in ecs.list_task_definitions()['taskDefinitionArns']: ecs.deregister_task_definition(taskDefinition=arn)",
    );
    let drawn = desk.drawn("dev");
    insta::assert_snapshot!(drawn.redact(&desk.tapctl(&["drift"]).expect(2).stdout), @"
     NODE                KIND                   FIELD          LIVE                                               WANTED
     key-rds             kms.key                rotation       false                                              true
     key-rds             kms.key                rotation_days  (none)                                             365
     secret-cache        secretsmanager.secret  -              missing                                            to exist
     secret-third-party  secretsmanager.secret  -              failed: scheduled for deletion; apply restores it  ready
     task-definition     ecs.task_definition    -              deleting                                           ready

    drift in 4 of 131 nodes; the next apply repairs it in 1
      secret-cache: its data is gone with it; apply is refused until it is named, --recreate secret-cache
      secret-third-party: the next apply asks AWS to try again
      task-definition: the next apply would make it anew (it is being deleted)
    ");
    let told = desk.tapctl(&["drift", "--json"]).expect(2).json();
    let repairs: BTreeMap<&str, &str> = told
        .as_array()
        .into_iter()
        .flatten()
        .map(|one| (one["node"].as_str().unwrap_or_default(), one["repair"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(repairs["key-rds"], "mended");
}
