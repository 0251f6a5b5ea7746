//! What keeps a system from coming up elsewhere than where it was tried: zones, regions that were never used, and what an
//! organisation has decided for all its accounts.

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, standing};

/// A desk in another region.
fn at(aws: &LocalAws, region: &str, settings: &str) -> Desk {
    let desk = Desk::at(aws).variable("AWS_REGION", region);
    desk.settings(settings);
    desk
}

/// What stderr says, without where lines were broken.
fn said(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes a stack in a region nobody has used, whose answers lag and which GuardDuty watches, and takes it down again.
fn comes_up(stack: &str, region: &str) {
    let aws = LocalAws::lease();
    aws.set(json!({ "lag": 2, "guardduty": true }));
    let desk = at(&aws, region, &format!("stack = \"{stack}\""));
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    let gone = desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert!(gone.stderr.contains("guardduty-endpoint") || gone.stdout.contains("guardduty-endpoint"), "{gone}");
    let left = aws.script("tests/sweep.py", &["--region", region]);
    let kinds: Vec<&String> = left.as_object().expect("objects by kind").keys().collect();
    // What people typed into a secret can be had again for a week.
    let typed = (stack == "student-records").then_some("secretsmanager.secret");
    assert_eq!(kinds, ["kms.key-pending-deletion"].into_iter().chain(typed).collect::<Vec<_>>());
    aws.assert_lawful();
}

#[test]
fn student_records_comes_up_where_one_zone_has_no_vpc_links() {
    comes_up("student-records", "eu-west-3");
}

#[test]
fn the_data_pipeline_comes_up_in_another_partition() {
    comes_up("data-pipeline", "us-gov-west-1");
}

#[test]
fn zones_that_cannot_carry_the_vpc_link_are_named_before_anything_is_made() {
    let aws = LocalAws::lease();
    let mark = aws.mark();
    let run = at(&aws, "ca-central-1", "network.azs = 3").tapctl(&["plan"]).expect(1);
    let text = said(&run.stderr);
    for words in ["network.azs is 3", "cac1-az1, cac1-az2", "ca-central-1a, ca-central-1b", "network.azs = 2"] {
        assert!(text.contains(words), "{words}: {run}");
    }
    let run = at(&aws, "us-gov-east-1", "").tapctl(&["plan"]).expect(1);
    assert!(said(&run.stderr).contains("in us-gov-east-1 API Gateway has no VPC links"), "{run}");
    at(&aws, "us-gov-east-1", "ingress.mode = \"public\"").tapctl(&["plan"]).expect(2);
    at(&aws, "ca-central-1", "stack = \"data-pipeline\"\nnetwork.azs = 3").tapctl(&["plan"]).expect(2);
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

#[test]
fn a_class_of_database_that_is_not_to_be_had_is_refused_before_anything_is_made() {
    let aws = LocalAws::lease();
    let mark = aws.mark();
    let plan =
        |settings: &str| at(&aws, "us-east-1", &format!("stack = \"data-pipeline\"\n{settings}")).tapctl(&["plan"]);
    let run = plan("postgres.instance_class = \"db.m6g.24xlarge\"").expect(1);
    assert!(said(&run.stderr).contains("tapctl.toml:2: postgres.instance_class is \"db.m6g.24xlarge\""), "{run}");
    let zones: Vec<String> = ('a'..='f').map(|letter| format!("us-east-1{letter}")).collect();
    aws.set(json!({ "account": { "zones_without_class": { "db.t3.micro": zones, "db.t3.small": ["us-east-1a"] } } }));
    let run = plan("").expect(1);
    let text = said(&run.stderr);
    assert!(text.contains("postgres.instance_class is db.t3.micro for postgres 16.11, and AWS has it in"), "{run}");
    plan("postgres.instance_class = \"db.t3.small\"").expect(2);
    let run = plan("postgres.instance_class = \"db.t3.small\"\npostgres.multi_az = true").expect(1);
    assert!(said(&run.stderr).contains("this environment's zones are us-east-1a, us-east-1b"), "{run}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

#[test]
fn where_public_access_to_vpcs_is_blocked_nothing_is_made_that_could_not_work() {
    let aws = LocalAws::lease();
    let mark = aws.mark();
    aws.set(json!({ "account": { "block_public_access": "block-bidirectional" } }));
    let run = at(&aws, "us-east-1", "stack = \"data-pipeline\"").tapctl(&["apply", "--yes"]).expect(1);
    assert!(said(&run.stderr).contains("VPC Block Public Access is on in us-east-1: nothing in a VPC"), "{run}");
    aws.set(json!({ "account": { "block_public_access": "block-ingress" } }));
    let run = at(&aws, "us-east-1", "ingress.mode = \"public\"").tapctl(&["apply", "--yes"]).expect(1);
    assert!(said(&run.stderr).contains("nobody reaches the load balancer"), "{run}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

const FOREIGN_ROLE: &str = "
iam = client('iam')
trust = {'Effect': 'Allow', 'Principal': {'Service': 'apigateway.amazonaws.com'}, 'Action': 'sts:AssumeRole'}
role = iam.create_role(RoleName='theirs', AssumeRolePolicyDocument=json.dumps(
    {'Version': '2012-10-17', 'Statement': [trust]}))['Role']['Arn']
push = 'arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs'
iam.attach_role_policy(RoleName='theirs', PolicyArn=push)
client('apigateway').update_account(patchOperations=[{'op': 'replace', 'path': '/cloudwatchRoleArn', 'value': role}])
";

const WITHOUT_RIGHTS: &str = "client('iam').detach_role_policy(RoleName='theirs',
    PolicyArn='arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs')";

/// Which notes there are on what has been set around an environment, or sleeps in it.
fn notes(text: &str) -> [bool; 3] {
    let words = [
        "VPC Block Public Access is on in us-east-1: nothing in a VPC",
        "is INACTIVE after 60 days without a request",
        "role/theirs, which others have set and which may not logs:CreateLogStream and logs:PutLogEvents",
    ];
    words.map(|words| said(text).contains(words))
}

#[test]
fn what_is_set_around_what_stands_and_what_of_it_sleeps_is_told() {
    let (aws, desk) = standing();
    aws.python(FOREIGN_ROLE);
    for verb in ["plan", "status", "drift"] {
        assert_eq!(notes(&desk.tapctl(&[verb]).expect(0).stderr), [false; 3], "{verb}");
    }
    aws.set(json!({ "account": { "block_public_access": "block-bidirectional", "idle_vpc_links": true } }));
    aws.python(WITHOUT_RIGHTS);
    for verb in ["status", "drift"] {
        assert_eq!(notes(&desk.tapctl(&[verb]).expect(0).stderr), [true; 3], "{verb}");
    }
    assert_eq!(notes(&desk.tapctl(&["plan"]).expect(0).stderr), [false, false, true]);
}

#[test]
fn a_role_of_others_that_cannot_write_logs_is_told_before_anything_is_made() {
    let aws = LocalAws::lease();
    aws.python(FOREIGN_ROLE);
    aws.python(WITHOUT_RIGHTS);
    let desk = at(&aws, "us-east-1", "stack = \"data-pipeline\"");
    assert_eq!(notes(&desk.tapctl(&["plan"]).expect(2).stderr), [false, false, true]);
}

const POLICIES: &str = "
iam = client('iam')
roles = [iam.get_role(RoleName=r['RoleName'])['Role'] for r in iam.list_roles()['Roles'] if '/aws-service-role/' not in r['Path']]
print(json.dumps({r['RoleName']: [r['Path'], r.get('PermissionsBoundary', {}).get('PermissionsBoundaryArn')] for r in roles}))
";

#[test]
fn roles_are_bounded_where_the_organisation_demands_it() {
    let aws = LocalAws::lease();
    let boundary = "arn:aws:iam::aws:policy/PowerUserAccess";
    aws.set(json!({ "account": { "required_boundary": boundary } }));
    let settings = format!(
        "stack = \"data-pipeline\"\npipeline.guardduty = false\n[iam]\npermissions_boundary = \"{boundary}\"\nrole_path = \"/apps/\""
    );
    let desk = at(&aws, "us-east-1", &settings);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let roles = aws.python(POLICIES);
    let roles = roles.as_object().expect("roles");
    assert!(roles.len() >= 4 && roles.values().all(|role| role == &json!(["/apps/", boundary])), "{roles:?}");
    desk.tapctl(&["plan"]).expect(0);
    // What bounds a role stays where nobody says what should.
    desk.settings("stack = \"data-pipeline\"\npipeline.guardduty = false\n[iam]\nrole_path = \"/apps/\"");
    desk.tapctl(&["plan"]).expect(0);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn guardduty_is_taken_as_the_region_and_the_organisation_have_it() {
    let aws = LocalAws::lease();
    aws.set(json!({ "account": { "guardduty_lacks": ["RDS_LOGIN_EVENTS", "AI_ANALYST"], "guardduty_refuses": true } }));
    let desk = at(&aws, "us-east-1", "stack = \"data-pipeline\"");
    let target = ["--target", "guardduty-detector"];
    desk.tapctl(&["apply", "--yes", target[0], target[1]]).expect(0);
    let on = "
guard = client('guardduty')
(detector,) = guard.list_detectors()['DetectorIds']
print(json.dumps(sorted(f['Name'] for f in guard.get_detector(DetectorId=detector)['Features'] if f['Status'] == 'ENABLED')))
";
    assert_eq!(aws.python(on), json!(["CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS", "S3_DATA_EVENTS"]), "nothing unasked");
    aws.set(json!({ "account": { "guardduty_administrator": "222222222222" } }));
    let run = desk.tapctl(&["plan", target[0], target[1]]).expect(0);
    assert!(said(&run.stderr).contains("GuardDuty is run by account 222222222222"), "{run}");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    let left = aws.python("print(len(client('guardduty').list_detectors()['DetectorIds']))");
    assert_eq!(left, json!(1), "it is not ours to remove");
}

#[test]
fn an_endpoint_has_no_address_where_its_service_is_not() {
    let aws = LocalAws::lease();
    aws.set(json!({ "account": { "zones_without_endpoint": { "kms": ["us-east-1a"], "logs": ["us-east-1b"] } } }));
    let desk = at(&aws, "us-east-1", "network.endpoints = [\"kms\", \"secretsmanager\"]");
    let plan = desk.tapctl(&["plan", "--json"]).expect(2);
    let steps = plan.json();
    let zone = |node: &str| {
        let steps = steps.as_array().expect("steps").iter();
        steps.filter(|step| step["node"] == node).map(|step| step["spec"]["availability_zone"].clone()).next()
    };
    let both = [zone("subnet-private-a"), zone("subnet-private-b")];
    assert_eq!(both, [Some(json!("us-east-1b")), Some(json!("us-east-1c"))], "zones that have all come first");
    desk.settings("network.azs = 3\nnetwork.endpoints = [\"kms\"]");
    aws.set(json!({ "account": { "zones_without_endpoint": { "kms": ["us-east-1c", "us-east-1d", "us-east-1e", "us-east-1f"] } } }));
    let run = desk.tapctl(&["plan"]).expect(2);
    assert!(said(&run.stderr).contains("com.amazonaws.us-east-1.kms is not in us-east-1c"), "{run}");
    desk.tapctl(&["apply", "--yes", "--target", "endpoint-kms"]).expect(0);
    aws.assert_lawful();
}

const NAMES: &str = "
acm = client('acm')
(arn,) = [c['CertificateArn'] for c in acm.list_certificates(Includes={'keyTypes': ['RSA_2048']})['CertificateSummaryList']]
print(json.dumps(sorted(acm.describe_certificate(CertificateArn=arn)['Certificate']['SubjectAlternativeNames'])))
";

#[test]
fn the_certificate_is_for_both_names_before_the_api_calls_the_other() {
    let (aws, desk) = standing();
    let names = aws.python(NAMES);
    let (before, mark) = (names[0].as_str().expect("a name").to_owned(), aws.mark());
    assert!(before.ends_with(".us-east-1.elb.amazonaws.com"), "{names}");
    desk.settings("ingress.host = \"api.university.edu\"");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(aws.python(NAMES), json!(["api.university.edu", before]));
    let order: Vec<String> =
        aws.log_since(mark).iter().filter(|call| call.wrote()).map(|call| call.operation.clone()).collect();
    let wanted = ["ImportCertificate", "PutRestApi", "CreateDeployment", "UpdateStage"];
    let places: Vec<Option<usize>> = wanted.iter().map(|wanted| order.iter().position(|made| made == wanted)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{order:?}");
    desk.tapctl(&["plan"]).expect(0);
}

const BYSTANDER: &str = r#"
import boto3 as b
iam, kms = client('iam'), client('kms')
root = {'Effect': 'Allow', 'Principal': {'AWS': 'arn:aws:iam::123456789012:root'}, 'Action': 'kms:*', 'Resource': '*'}
through = {'StringEquals': {'kms:CallerAccount': '123456789012', 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com'}}
open_to_all = {'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': 'kms:Decrypt', 'Resource': '*', 'Condition': through}
key = kms.describe_key(KeyId='alias/student-secrets-dev')['KeyMetadata']['Arn']
kms.put_key_policy(KeyId=key, PolicyName='default', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [root, open_to_all]}))
trust = {'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}, 'Action': 'sts:AssumeRole'}
role = iam.create_role(RoleName='report', AssumeRolePolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [trust]}))
read = {'Effect': 'Allow', 'Action': 'secretsmanager:*', 'Resource': '*'}
iam.put_role_policy(RoleName='report', PolicyName='p', PolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [read]}))
"#;

const READS: &str = r#"
keys = client('sts').assume_role(RoleArn='arn:aws:iam::123456789012:role/report', RoleSessionName='report')['Credentials']
reader = boto3.client('secretsmanager', 'us-east-1', endpoint_url=sys.argv[1], aws_access_key_id=keys['AccessKeyId'],
    aws_secret_access_key=keys['SecretAccessKey'], aws_session_token=keys['SessionToken'])
try:
    reader.get_secret_value(SecretId='student-cache-dev/credentials')
    print(json.dumps('reads'))
except reader.exceptions.ClientError as error:
    print(json.dumps(error.response['Error']['Code']))
"#;

#[test]
fn who_used_a_key_that_was_open_to_all_is_named_before_it_is_closed() {
    let (aws, desk) = standing();
    aws.python(&format!("{BYSTANDER}print('null')"));
    assert_eq!(aws.python(READS), Value::from("reads"));
    for arguments in [&["plan"][..], &["apply", "--yes"]] {
        let run = desk.tapctl(arguments);
        let text = said(&run.stderr);
        let words = "key-secrets stops being open to everybody in the account; who used it and has no permission of his own: \
                     arn:aws:iam::123456789012:role/report (kms:Decrypt through secretsmanager)";
        assert!(text.contains(words), "{run}");
    }
    assert_eq!(aws.python(READS), Value::from("AccessDeniedException"));
    desk.tapctl(&["plan"]).expect(0);
}

#[test]
fn a_database_that_started_without_its_parameters_is_restarted_before_it_counts() {
    let aws = LocalAws::lease();
    aws.set(json!({ "durations": { "rds.parameter-group": 1_000_000 } }));
    let desk = at(&aws, "us-east-1", "stack = \"data-pipeline\"");
    desk.tapctl(&["apply", "--yes", "--target", "db-instance"]).expect(0);
    let restarts = aws.log().iter().filter(|call| call.operation == "RebootDBInstance").count();
    assert_eq!(restarts, 1);
    let status = "
(found,) = client('rds').describe_db_instances()['DBInstances']
print(json.dumps([g['ParameterApplyStatus'] for g in found['DBParameterGroups']]))
";
    assert_eq!(aws.python(status), json!(["in-sync"]));
    aws.assert_lawful();
}
