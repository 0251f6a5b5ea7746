//! Tags of others are let alone, and those that others demand are on everything from its making.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws};
use crate::requirements::EVERY_OPTION;

const PIPELINE: &str = "stack = \"data-pipeline\"\n";
/// Tags everything that tapctl made, as an auto-tagger and a backup plan do, each by its own service.
const TAGGER: &str = r#"
theirs = {"AutoTag_Creator": "someone", "backup-plan": "daily"}
listed = [{"Key": k, "Value": v} for k, v in theirs.items()]
small = [{"key": k, "value": v} for k, v in theirs.items()]
def bucket(arn):
    s3, name = client("s3"), arn.rpartition(":")[2]
    now = s3.get_bucket_tagging(Bucket=name)["TagSet"]
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": now + listed})
def gateway(arn):
    if "/vpclinks/" in arn:
        client("apigatewayv2").tag_resource(ResourceArn=arn, Tags=theirs)
    else:
        client("apigateway").tag_resource(resourceArn=arn, tags=theirs)
last = lambda arn: arn.rpartition("/")[2]
ways = {
    "acm": lambda a: client("acm").add_tags_to_certificate(CertificateArn=a, Tags=listed),
    "apigateway": gateway,
    "application-autoscaling": lambda a: client("application-autoscaling").tag_resource(ResourceARN=a, Tags=theirs),
    "cloudtrail": lambda a: client("cloudtrail").add_tags(ResourceId=a, TagsList=listed),
    "cloudwatch": lambda a: client("cloudwatch").tag_resource(ResourceARN=a, Tags=listed),
    "cognito-idp": lambda a: client("cognito-idp").tag_resource(ResourceArn=a, Tags=theirs),
    "ec2": lambda a: client("ec2").create_tags(Resources=[last(a)], Tags=listed),
    "ecs": lambda a: client("ecs").tag_resource(resourceArn=a, tags=small),
    "elasticfilesystem": lambda a: client("efs").tag_resource(ResourceId=last(a), Tags=listed),
    "elasticache": lambda a: client("elasticache").add_tags_to_resource(ResourceName=a, Tags=listed),
    "elasticloadbalancing": lambda a: client("elbv2").add_tags(ResourceArns=[a], Tags=listed),
    "kinesis": lambda a: client("kinesis").add_tags_to_stream(StreamName=last(a), Tags=theirs),
    "kms": lambda a: client("kms").tag_resource(KeyId=last(a), Tags=[{"TagKey": k, "TagValue": v} for k, v in theirs.items()]),
    "logs": lambda a: client("logs").tag_resource(resourceArn=a.removesuffix(":*"), tags=theirs),
    "rds": lambda a: client("rds").add_tags_to_resource(ResourceName=a, Tags=listed),
    "s3": bucket,
    "secretsmanager": lambda a: client("secretsmanager").tag_resource(SecretId=a, Tags=listed),
    "sns": lambda a: client("sns").tag_resource(ResourceArn=a, Tags=listed),
    "wafv2": lambda a: client("wafv2").tag_resource(ResourceARN=a, Tags=listed),
}
# What the index of the local AWS does not show, and roles, which no index does.
for found in client("cloudwatch").list_dashboards()["DashboardEntries"]:
    ways["cloudwatch"](found["DashboardArn"])
for found in client("cloudtrail").describe_trails()["trailList"]:
    ways["cloudtrail"](found["TrailARN"])
for found in client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]:
    ways["cognito-idp"](client("cognito-idp").describe_user_pool(UserPoolId=found["Id"])["UserPool"]["Arn"])
for found in client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]:
    ways["wafv2"](found["ARN"])
for role in client("iam").list_roles()["Roles"]:
    tags = client("iam").list_role_tags(RoleName=role["RoleName"])["Tags"]
    if any(tag["Key"] == "tapctl:node" for tag in tags):
        client("iam").tag_role(RoleName=role["RoleName"], Tags=listed)
pages = client("resourcegroupstaggingapi").get_paginator("get_resources").paginate(TagFilters=[{"Key": "tapctl:node"}])
for arn in sorted({m["ResourceARN"] for page in pages for m in page["ResourceTagMappingList"]}):
    service = arn.split(":")[2]
    if service != "iam":
        ways[service](arn)
"#;

/// The nodes of a stack whose objects carry tags, and the kinds there are.
fn taggable(desk: &Desk, stack: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let state = desk.state_of(stack, "dev");
    let nodes = state["nodes"].as_object().expect("nodes");
    let tagged = nodes.iter().filter(|(_, node)| node["spec"]["tags"].is_object());
    let kinds = nodes.values().map(|node| node["kind"].as_str().expect("a kind").to_owned());
    (tagged.map(|(name, _)| name.clone()).collect(), kinds.collect())
}

/// `node path` of every difference that `drift` tells.
fn drifted(desk: &Desk) -> BTreeSet<String> {
    let drifted = desk.tapctl(&["drift", "--json"]).json();
    let drifted: Vec<Value> = serde_json::from_value(drifted).expect("a list");
    let mut found = BTreeSet::new();
    for node in drifted {
        let changes = node["changes"].as_array().expect("changes");
        found.extend(changes.iter().map(|change| format!("{} {}", node["node"], change["path"])));
        assert!(!changes.is_empty(), "{node:#}");
    }
    found
}

/// Both tags on each of these nodes, and nothing else.
fn theirs(nodes: &BTreeSet<String>) -> BTreeSet<String> {
    let tags = ["tags.AutoTag_Creator", "tags.backup-plan"];
    nodes.iter().flat_map(|node| tags.map(|tag| format!("{node:?} {tag:?}"))).collect()
}

/// Everything of a stack is tagged by others, told and taken off without the setting, and with it neither.
fn tags_of_others_stay(stack: &str, settings: &str, meanwhile: &str) -> BTreeSet<String> {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings(settings);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let (nodes, kinds) = taggable(&desk, stack);
    aws.python(TAGGER);
    assert_eq!(drifted(&desk), theirs(&nodes), "what carries tags was tagged, and without the setting that is told");

    let ignoring = format!("ignore_tags = [\"AutoTag_*\", \"backup-plan\"]\n{settings}");
    desk.settings(&ignoring);
    let mark = aws.mark();
    for verb in [&["drift"][..], &["plan"], &["apply", "--yes"]] {
        desk.tapctl(verb).expect(0);
    }
    assert_eq!(aws.writes_since(mark), [""; 0]);
    assert!(!desk.state_of(stack, "dev").to_string().contains("AutoTag_"), "what is others' is not recorded either");

    // Updates of everything, those among them that write all of an object at once.
    aws.python(meanwhile);
    let further = if ignoring.contains("[tags]\n") {
        ignoring.replace("[tags]\n", "[tags]\nTeam = \"registrar\"\n")
    } else {
        format!("{ignoring}[tags]\nTeam = \"registrar\"\n")
    };
    desk.settings(&further);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    desk.settings(&further.replace("ignore_tags", "#ignore_tags"));
    assert_eq!(drifted(&desk), theirs(&nodes), "each is where others put it");
    aws.assert_lawful();
    kinds
}

#[test]
fn tags_of_others_stay_on_every_kind_of_object() {
    let pool = "cognito = client('cognito-idp')
pool = cognito.list_user_pools(MaxResults=60)['UserPools'][0]['Id']
tags = cognito.describe_user_pool(UserPoolId=pool)['UserPool']['UserPoolTags']
cognito.update_user_pool(UserPoolId=pool, PoolName='renamed', UserPoolTags=tags)";
    // With the load balancer inside, there is a VPC link as well.
    let every = EVERY_OPTION.replace("mode = \"public\"", "mode = \"internal\"");
    let mut kinds = tags_of_others_stay("student-records", &every, pool);
    kinds.extend(tags_of_others_stay("data-pipeline", PIPELINE, ""));
    // What a public listener does by itself is a part of the listener, and carries none.
    kinds.insert("elbv2.listener_default".to_owned());
    let unused: Vec<&str> = tapctl::resources::registry().names().filter(|kind| !kinds.contains(*kind)).collect();
    assert_eq!(unused, [""; 0], "kinds that neither stack has were not tried");
}

/// What makes something that carries tags.
const CREATES: [&str; 42] = [
    "acm:ImportCertificate",
    "application-autoscaling:RegisterScalableTarget",
    "cloudtrail:CreateTrail",
    "cloudwatch:PutDashboard",
    "cloudwatch:PutMetricAlarm",
    "cognito-idp:CreateUserPool",
    "ec2:AllocateAddress",
    "ec2:CreateFlowLogs",
    "ec2:CreateInternetGateway",
    "ec2:CreateNatGateway",
    "ec2:CreateRouteTable",
    "ec2:CreateSecurityGroup",
    "ec2:CreateSubnet",
    "ec2:CreateVpc",
    "ec2:CreateVpcEndpoint",
    "ecs:CreateCluster",
    "ecs:CreateService",
    "ecs:RegisterTaskDefinition",
    "elasticache:CreateCacheSubnetGroup",
    "elasticache:CreateReplicationGroup",
    "elasticfilesystem:CreateAccessPoint",
    "elasticfilesystem:CreateFileSystem",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateLoadBalancer",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:CreateTargetGroup",
    "guardduty:CreateDetector",
    "iam:CreateRole",
    "kinesis:CreateStream",
    "kms:CreateKey",
    "logs:CreateLogGroup",
    "rds:CreateDBCluster",
    "rds:CreateDBClusterParameterGroup",
    "rds:CreateDBInstance",
    "rds:CreateDBParameterGroup",
    "rds:CreateDBProxy",
    "rds:CreateDBSubnetGroup",
    "s3:CreateBucket",
    "secretsmanager:CreateSecret",
    "sns:CreateTopic",
    "wafv2:CreateWebACL",
    // These make all of API Gateway; the paths tell what carries tags.
    "apigateway:POST",
];

/// The policy of an organisation that wants to know who pays.
fn demands(tag: &str) -> Value {
    let without = json!({ "Null": { format!("aws:RequestTag/{tag}"): "true" } });
    let paths = ["restapis", "restapis/*/stages", "apikeys", "usageplans", "vpclinks"];
    let gateway: Vec<String> = paths.iter().map(|path| format!("arn:aws:apigateway:us-east-1::/{path}")).collect();
    json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" },
        { "Effect": "Deny", "Action": CREATES[..41], "Resource": "*", "Condition": without },
        { "Effect": "Deny", "Action": CREATES[41], "Resource": gateway, "Condition": without },
    ]})
}

#[test]
fn an_organisation_that_demands_a_tag_of_whatever_is_made_is_obeyed() {
    let every = EVERY_OPTION.replace("CostCentre", "CostCenter");
    let pipeline = format!("{PIPELINE}[tags]\nCostCenter = \"4711\"\n");
    for settings in [every, pipeline] {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        aws.local("POST", "iam", demands("CostCenter"));
        // Without the tag hardly anything can be made, so the policy speaks of what it is meant to.
        desk.settings(&settings.replace("CostCenter", "Other"));
        let run = desk.tapctl(&["apply", "--yes"]).expect(1);
        assert!(run.stderr.contains("ccessDenied") || run.stderr.contains("UnauthorizedOperation"), "{run}");
        desk.settings(&settings);
        desk.tapctl(&["apply", "--yes"]).expect(0);
        desk.tapctl(&["plan"]).expect(0);
        let untagged = aws.sweep().only(|kind, object| {
            let shared = ["iam.role", "guardduty.detector"].contains(&kind) && object["tags"]["ManagedBy"] == "tapctl";
            (shared || object["tags"]["tapctl:node"].is_string()) && object["tags"]["CostCenter"] != "4711"
        });
        assert_eq!(untagged.names(), [""; 0]);
        desk.tapctl(&["destroy", "--yes"]).expect(0);
    }
}

/// Whoever makes what stacks share tags it, and nobody after that.
#[test]
fn the_tags_of_what_stacks_share_are_its_makers() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let with = |value: &str| desk.settings(&format!("{PIPELINE}[tags]\nCostCenter = \"{value}\"\n"));
    let shared = || {
        aws.python(
            "guard = client('guardduty')
role = client('iam').get_role(RoleName='tapctl-api-gateway-logs')['Role']['Tags']
detector = guard.get_detector(DetectorId=guard.list_detectors()['DetectorIds'][0])['Tags']
print(json.dumps([{t['Key']: t['Value'] for t in role}.get('CostCenter'), detector.get('CostCenter')]))",
        )
    };
    with("1");
    desk.tapctl(&["apply", "--yes", "--env", "qa"]).expect(0);
    assert_eq!(shared(), json!(["1", "1"]));
    with("2");
    desk.tapctl(&["apply", "--yes", "--env", "dev"]).expect(0);
    assert_eq!(shared(), json!(["1", "1"]));
    aws.python("client('iam').untag_role(RoleName='tapctl-api-gateway-logs', TagKeys=['CostCenter'])");
    with("3");
    desk.tapctl(&["apply", "--yes", "--env", "dev"]).expect(0);
    for verb in ["plan", "drift"] {
        desk.tapctl(&[verb, "--env", "dev"]).expect(0);
    }
    assert_eq!(shared(), json!([null, "1"]));
}

/// A role takes 50 tags, and every stack that shares it needs one.
#[test]
fn an_object_that_is_full_of_stacks_is_told_before_anything_is_made() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.python(
        "trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole',
         'Principal': {'Service': 'apigateway.amazonaws.com'}}]}
users = [{'Key': f'tapctl:user:student-records:pr{n}', 'Value': ''} for n in range(49)]
client('iam').create_role(RoleName='tapctl-api-gateway-logs', AssumeRolePolicyDocument=json.dumps(trust),
                          Tags=users + [{'Key': 'ManagedBy', 'Value': 'tapctl'}])",
    );
    let mark = aws.mark();
    let run = desk.tapctl(&["apply", "--yes"]).expect(1);
    assert!(run.stderr.contains("role-api-logs") && run.stderr.contains("AWS allows 50"), "{run}");
    assert!(run.stderr.contains("49 share it: student-records:pr0, "), "{run}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
    aws.python(
        "client('iam').untag_role(RoleName='tapctl-api-gateway-logs', TagKeys=['tapctl:user:student-records:pr7'])",
    );
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.assert_lawful();
}
