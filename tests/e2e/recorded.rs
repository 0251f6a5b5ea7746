//! What AWS itself once answered, kept in `tests/recorded`: every error is understood, every answer is read, and a spec read
//! from one and compared with itself has no difference. A new recording is a file that is put there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::{Value, json};
use tapctl::aws::Aws;
use tapctl::aws::errors::classify;
use tapctl::error::Class;
use tapctl::resource::{Cx, Kinds, Owner, Pass, Seen};
use tapctl::resources;

use crate::harness::{Desk, LocalAws, in_a_process_of_its_own_run, repository, standing};

/// Names the address of the local AWS to the test that is run in a process of its own.
const SERVER: &str = "TAPCTL_RECORDED_SERVER";

/// One line of a recording.
#[derive(Debug, Clone, serde::Deserialize)]
struct Line {
    operation: String,
    answer: Option<Value>,
    error: Option<Told>,
    #[serde(default = "yes")]
    called: bool,
    source: String,
    kind: String,
}

#[derive(Debug, Clone, serde::Deserialize)]
struct Told {
    code: String,
    message: String,
    #[serde(default)]
    status: u16,
}

fn yes() -> bool {
    true
}

fn folder() -> PathBuf {
    repository().join("tests/recorded")
}

/// Every recording by the name of its file.
fn recordings() -> BTreeMap<String, Vec<Line>> {
    let files = std::fs::read_dir(folder()).expect("there are recordings");
    let paths =
        files.map(|file| file.expect("a file").path()).filter(|path| path.extension().is_some_and(|e| e == "jsonl"));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a recording can be read");
        let line = |(at, line): (usize, &str)| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{}:{}: {error}", path.display(), at + 1))
        };
        let lines = text.lines().enumerate().map(line).collect();
        (path.file_stem().expect("a name").to_string_lossy().into_owned(), lines)
    };
    paths.map(read).collect()
}

/// Operation, code, part of the message, class.
type Row = (String, String, String, String);

/// `operation | code | part of the message | class`; empty means any. The first row that fits decides.
fn table() -> Vec<Row> {
    let text = std::fs::read_to_string(folder().join("classes.txt")).expect("there is a table");
    let rows = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('|').map(str::trim).collect();
        let [operation, code, part, class] = fields[..] else { panic!("no row: {line}") };
        serde_json::from_value::<Class>(json!(class)).unwrap_or_else(|_| panic!("no class: {line}"));
        (operation.to_owned(), code.to_owned(), part.to_owned(), class.to_owned())
    };
    rows.map(row).collect()
}

#[test]
fn every_recorded_error_means_what_the_table_says() {
    let table = table();
    let mut complaints = BTreeSet::new();
    let mut met = BTreeSet::new();
    for line in recordings().into_values().flatten().filter(|line| line.called) {
        let Some(Told { code, message, status }) = line.error else { continue };
        // What is told inside a success, or without a status, is a refusal all the same.
        let status = if status < 300 { 400 } else { status };
        let class = classify(&line.operation, &code, &message, status);
        let fits = |(operation, known, part, _): &&Row| {
            *operation == line.operation && *known == code && message.contains(part.as_str())
        };
        let word = json!(class).as_str().unwrap_or_default().to_owned();
        match table.iter().find(fits) {
            None => drop(complaints.insert(format!("no row for {} | {code} | {message} | {word}", line.operation))),
            Some(row) => {
                met.insert(row.clone());
                if row.3 != word {
                    let text =
                        format!("{} {code} {message:?} is {word}, not {} ({})", line.operation, row.3, line.source);
                    complaints.insert(text);
                }
            }
        }
    }
    complaints
        .extend(table.into_iter().filter(|row| !met.contains(row)).map(|row| format!("nothing recorded for {row:?}")));
    assert!(complaints.is_empty(), "\n{}", complaints.into_iter().collect::<Vec<_>>().join("\n"));
}

/// By kind: the operation that tells of an object, where its answer has objects, and the id by which the kind asks for one.
const TOLD_BY: &[(&str, &str, &str, &str)] = &[
    ("acm.certificate", "acm:DescribeCertificate", "Certificate", "{CertificateArn}"),
    ("apigateway.account", "apigateway:GetAccount", "", "account"),
    ("apigateway.api_key", "apigateway:GetApiKey", "", "{id}"),
    ("apigateway.deployment", "apigateway:GetDeployment", "", "api|{id}"),
    ("apigateway.rest_api", "apigateway:GetRestApi", "", "{id}"),
    ("apigateway.stage", "apigateway:GetStage", "", "api|{stageName}"),
    ("apigateway.usage_plan", "apigateway:GetUsagePlan", "", "{id}"),
    ("apigateway.usage_plan_key", "apigateway:GetUsagePlanKey", "", "plan|{id}"),
    ("apigatewayv2.vpc_link", "apigatewayv2:GetVpcLink", "", "{VpcLinkId}"),
    (
        "applicationautoscaling.scalable_target",
        "applicationautoscaling:DescribeScalableTargets",
        "ScalableTargets",
        "{ResourceId}",
    ),
    (
        "applicationautoscaling.scaling_policy",
        "applicationautoscaling:DescribeScalingPolicies",
        "ScalingPolicies",
        "{ResourceId}|{PolicyName}",
    ),
    ("cloudtrail.trail", "cloudtrail:GetTrail", "Trail", "{Name}"),
    ("cloudwatch.alarm", "cloudwatch:DescribeAlarms", "MetricAlarms", "{AlarmName}"),
    ("cloudwatch.dashboard", "cloudwatch:GetDashboard", "", "{DashboardName}"),
    (
        "cognito.resource_server",
        "cognitoidentityprovider:DescribeResourceServer",
        "ResourceServer",
        "{UserPoolId}|{Identifier}",
    ),
    ("cognito.user_pool", "cognitoidentityprovider:DescribeUserPool", "UserPool", "{Id}"),
    (
        "cognito.user_pool_client",
        "cognitoidentityprovider:DescribeUserPoolClient",
        "UserPoolClient",
        "{UserPoolId}|{ClientId}",
    ),
    ("cognito.user_pool_domain", "cognitoidentityprovider:DescribeUserPoolDomain", "DomainDescription", "{Domain}"),
    ("ec2.elastic_ip", "ec2:DescribeAddresses", "Addresses", "{AllocationId}"),
    ("ec2.flow_log", "ec2:DescribeFlowLogs", "FlowLogs", "{FlowLogId}"),
    ("ec2.internet_gateway", "ec2:DescribeInternetGateways", "InternetGateways", "{InternetGatewayId}"),
    (
        "ec2.internet_gateway_attachment",
        "ec2:DescribeInternetGateways",
        "InternetGateways",
        "{InternetGatewayId}|{Attachments.0.VpcId}",
    ),
    ("ec2.nat_gateway", "ec2:DescribeNatGateways", "NatGateways", "{NatGatewayId}"),
    ("ec2.route", "ec2:DescribeRouteTables", "RouteTables", "{RouteTableId}|{Routes.0.DestinationCidrBlock}"),
    ("ec2.route_table", "ec2:DescribeRouteTables", "RouteTables", "{RouteTableId}"),
    ("ec2.route_table_association", "ec2:DescribeRouteTables", "RouteTables", "{Associations.0.SubnetId}"),
    ("ec2.security_group", "ec2:DescribeSecurityGroups", "SecurityGroups", "{GroupId}"),
    ("ec2.security_group_rules", "ec2:DescribeSecurityGroups", "SecurityGroups", "{GroupId}"),
    ("ec2.subnet", "ec2:DescribeSubnets", "Subnets", "{SubnetId}"),
    ("ec2.vpc", "ec2:DescribeVpcs", "Vpcs", "{VpcId}"),
    ("ec2.vpc_endpoint", "ec2:DescribeVpcEndpoints", "VpcEndpoints", "{VpcEndpointId}"),
    ("ecs.cluster", "ecs:DescribeClusters", "clusters", "{clusterArn}"),
    ("ecs.service", "ecs:DescribeServices", "services", "{serviceArn}"),
    ("ecs.task_definition", "ecs:DescribeTaskDefinition", "", "{taskDefinition.taskDefinitionArn}"),
    ("efs.access_point", "efs:DescribeAccessPoints", "AccessPoints", "{AccessPointId}"),
    ("efs.file_system", "efs:DescribeFileSystems", "FileSystems", "{FileSystemId}"),
    ("efs.file_system_policy", "efs:DescribeFileSystemPolicy", "", "{FileSystemId}"),
    ("efs.mount_target", "efs:DescribeMountTargets", "MountTargets", "{MountTargetId}"),
    (
        "elasticache.replication_group",
        "elasticache:DescribeReplicationGroups",
        "ReplicationGroups",
        "{ReplicationGroupId}",
    ),
    (
        "elasticache.subnet_group",
        "elasticache:DescribeCacheSubnetGroups",
        "CacheSubnetGroups",
        "{CacheSubnetGroupName}",
    ),
    ("elbv2.listener", "elasticloadbalancingv2:DescribeListeners", "Listeners", "{ListenerArn}"),
    ("elbv2.listener_default", "elasticloadbalancingv2:DescribeListeners", "Listeners", "{ListenerArn}"),
    ("elbv2.listener_rule", "elasticloadbalancingv2:DescribeRules", "Rules", "{RuleArn}"),
    ("elbv2.load_balancer", "elasticloadbalancingv2:DescribeLoadBalancers", "LoadBalancers", "{LoadBalancerArn}"),
    ("elbv2.target_group", "elasticloadbalancingv2:DescribeTargetGroups", "TargetGroups", "{TargetGroupArn}"),
    ("guardduty.detector", "guardduty:GetDetector", "", "detector"),
    ("iam.role", "iam:GetRole", "Role", "{RoleName}"),
    ("iam.service_linked_role", "iam:ListRoles", "Roles", "{Path}"),
    ("iam.shared_role", "iam:GetRole", "Role", "{RoleName}"),
    ("kinesis.stream", "kinesis:DescribeStreamSummary", "StreamDescriptionSummary", "{StreamName}"),
    ("kms.alias", "kms:DescribeKey", "KeyMetadata", "alias/{KeyId}"),
    ("kms.key", "kms:DescribeKey", "KeyMetadata", "{KeyId}"),
    ("logs.log_group", "cloudwatchlogs:DescribeLogGroups", "logGroups", "{logGroupName}"),
    ("logs.metric_filter", "cloudwatchlogs:DescribeMetricFilters", "metricFilters", "{logGroupName}|{filterName}"),
    ("rds.db_cluster", "rds:DescribeDBClusters", "DBClusters", "{DBClusterIdentifier}"),
    (
        "rds.db_cluster_parameter_group",
        "rds:DescribeDBClusterParameterGroups",
        "DBClusterParameterGroups",
        "{DBClusterParameterGroupName}",
    ),
    ("rds.db_instance", "rds:DescribeDBInstances", "DBInstances", "{DBInstanceIdentifier}"),
    ("rds.db_parameter_group", "rds:DescribeDBParameterGroups", "DBParameterGroups", "{DBParameterGroupName}"),
    ("rds.db_proxy", "rds:DescribeDBProxies", "DBProxies", "{DBProxyName}"),
    ("rds.db_proxy_target", "rds:DescribeDBProxyTargets", "Targets", "proxy|{TrackedClusterId}"),
    ("rds.db_subnet_group", "rds:DescribeDBSubnetGroups", "DBSubnetGroups", "{DBSubnetGroupName}"),
    ("rds.standalone_db_instance", "rds:DescribeDBInstances", "DBInstances", "{DBInstanceIdentifier}"),
    ("s3.bucket", "s3:GetBucketVersioning", "", "bucket"),
    ("s3.bucket_policy", "s3:GetBucketPolicy", "", "bucket"),
    ("secretsmanager.secret", "secretsmanager:DescribeSecret", "", "{ARN}"),
    ("sns.subscription", "sns:ListSubscriptionsByTopic", "Subscriptions", "{TopicArn}|{Protocol}|{Endpoint}"),
    ("sns.topic", "sns:GetTopicAttributes", "", "{Attributes.TopicArn}"),
    ("wafv2.web_acl", "wafv2:GetWebACL", "WebACL", "{ARN}"),
    ("wafv2.web_acl_association", "wafv2:GetWebACLForResource", "", "resource"),
];

/// What of that cannot be read, by a part of the complaint, and why that is right.
const EXCUSED: &[(&str, &str, &str)] = &[
    ("acm.certificate", "AWS gave no expiry", "ACM has not issued it yet; ours are imported"),
    ("apigateway.account", "it is not there", "the account has no role, and that is what would be there"),
    ("ec2.route", "|10.0.0.0/16: it is not there", "the local route is the table's own"),
    ("ec2.route", "|10.0.0.0/21: it is not there", "the local route is the table's own"),
    ("ec2.route", "|172.31.0.0/16: it is not there", "the local route is the table's own"),
    ("rds.db_proxy_target", "proxy|database1", "the target is an instance; ours is a cluster"),
    ("secretsmanager.secret", "test1-KGqqf5: it is not there", "it is scheduled for deletion"),
];

#[test]
fn a_spec_read_from_a_recorded_answer_and_compared_with_itself_is_empty() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    in_a_process_of_its_own_run(&desk, "recorded::in_a_process_of_its_own", &[(SERVER, &aws.url())]);
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn in_a_process_of_its_own() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let aws = Aws::connect("us-east-1").await.expect("AWS answers");
    let reader = Reader { aws, kinds: resources::registry(), lines: answers(), server };
    let told: BTreeSet<&str> = TOLD_BY.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(reader.kinds.names().collect::<BTreeSet<_>>(), told, "every kind is told by some operation");
    let (mut complaints, mut read) = (Vec::new(), 0);
    for (kind, operation, items, id) in TOLD_BY {
        for line in reader.lines.iter().filter(|line| line.operation == *operation) {
            for (id, mut only) in objects(line.answer.as_ref().expect("an answer"), items, id) {
                read += 1;
                if *kind == "ec2.security_group_rules" {
                    only["SecurityGroups"][0]["Tags"] = json!([{ "Key": "tapctl:rules", "Value": "recorded/dev/it" }]);
                }
                let wrong = reader.judge(kind, line, &only, &id).await;
                complaints.extend(wrong.map(|wrong| format!("{kind} {id}: {wrong} ({})", line.source)));
            }
        }
    }
    for (kind, part, why) in EXCUSED {
        let before = complaints.len();
        complaints.retain(|text| !(text.starts_with(&format!("{kind} ")) && text.contains(part)));
        assert!(complaints.len() < before, "{kind} {part} needs no excuse any more: {why}");
    }
    assert!(complaints.is_empty(), "of {read}:\n{}", complaints.join("\n"));
    println!("{read} objects were read");
}

fn answers() -> Vec<Line> {
    recordings().into_values().flatten().filter(|line| line.answer.is_some()).collect()
}

/// Each object of an answer: its id, and the answer with nothing but it.
fn objects(answer: &Value, items: &str, id: &str) -> Vec<(String, Value)> {
    match answer.get(items) {
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(|item| {
                let mut only = answer.clone();
                only[items] = json!([item]);
                Some((filled(id, item)?, only))
            })
            .collect(),
        Some(item) => filled(id, item).map(|id| (id, answer.clone())).into_iter().collect(),
        None => filled(id, answer).map(|id| (id, answer.clone())).into_iter().collect(),
    }
}

/// A template with the members of an object in it; `None` where one is missing.
fn filled(template: &str, object: &Value) -> Option<String> {
    let mut text = String::new();
    for (at, part) in template.split(['{', '}']).enumerate() {
        if at % 2 == 0 {
            text += part;
            continue;
        }
        text += object.pointer(&format!("/{}", part.replace('.', "/")))?.as_str()?;
    }
    // The path of a service-linked role names its service.
    Some(text.trim_start_matches("/aws-service-role/").trim_end_matches('/').to_owned()).filter(|id| !id.is_empty())
}

struct Reader {
    aws: Aws,
    kinds: Kinds<Aws>,
    lines: Vec<Line>,
    server: String,
}

impl Reader {
    /// Serves this answer, and to every other question the first that was recorded; then reads the object twice, with what
    /// was read as the spec the second time.
    async fn judge(&self, kind: &str, line: &Line, only: &Value, id: &str) -> Option<String> {
        self.serve(&line.operation, only);
        let kind = self.kinds.get(kind).expect("a kind of ours");
        let blank = kind.blank(&Value::Null).expect("a spec of which nothing is known");
        let first = match self.observe(kind, &blank, id).await {
            Ok(Some(seen)) => seen,
            Ok(None) => return Some("it is not there".to_owned()),
            Err(why) => return Some(why),
        };
        let again = match self.observe(kind, &first.live, id).await {
            Ok(Some(seen)) => seen,
            other => return Some(format!("the second look gives {other:?}")),
        };
        let facts = kind.facts();
        let canonical = (facts.canonical)(&first.live).map_err(|fault| fault.to_string());
        let diff = facts.diff(&first.live, &again.live);
        match (diff.is_empty(), canonical) {
            (true, Ok(written)) if written == first.live => None,
            (true, written) => Some(format!("it cannot be written as it was read: {written:?}")),
            (false, _) => Some(format!("it differs from itself: {:?}", diff.changes)),
        }
    }

    async fn observe(
        &self,
        kind: &dyn tapctl::resource::Kind<Aws>,
        spec: &Value,
        id: &str,
    ) -> Result<Option<Seen>, String> {
        let text = |part: &str| part.to_owned();
        let (stack, env, region) = (text("recorded"), text("dev"), text("us-east-1"));
        let owner = Owner { stack, env, region, node: text("it"), attempt: String::new() };
        let pass = Pass::default();
        let cx = Cx { cloud: &self.aws, owner: &owner, pass: &pass };
        kind.observe(cx, spec, Some(id)).await.map_err(|fault| fault.to_string())
    }

    fn serve(&self, operation: &str, answer: &Value) {
        let service = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
        let mut known = BTreeSet::from([operation.to_owned()]);
        let mut lines = vec![json!({ "operation": operation, "answer": answer })];
        for line in self.lines.iter().filter(|line| service(&line.operation) == service(operation)) {
            let when = attribute_of(line);
            if known.insert(format!("{}{when:?}", line.operation)) && line.operation != operation {
                lines.push(json!({ "operation": line.operation, "answer": line.answer, "when": when }));
            }
        }
        let port = self.server.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        crate::harness::local(port, "DELETE", "answers", &json!({}));
        crate::harness::local(port, "POST", "answers", &json!(lines));
    }
}

/// The parameters that an answer belongs to, where it tells one attribute of several.
fn attribute_of(line: &Line) -> Value {
    let has = |name: &str| line.answer.as_ref().is_some_and(|answer| answer.get(name).is_some());
    match line.operation.as_str() {
        "ec2:DescribeVpcAttribute" if has("EnableDnsSupport") => json!({ "Attribute": "enableDnsSupport" }),
        "ec2:DescribeVpcAttribute" => json!({ "Attribute": "enableDnsHostnames" }),
        _ => json!({}),
    }
}

/// Everything recorded of one service after the other, in turns, in place of what the local AWS would answer.
#[test]
fn whatever_aws_answers_a_drift_check_ends_in_words() {
    let (aws, desk) = standing();
    for (name, lines) in recordings() {
        let lines: Vec<Value> = lines
            .iter()
            .filter(|line| line.answer.is_some() && line.operation != "sts:GetCallerIdentity")
            .map(|line| json!({ "operation": line.operation, "answer": line.answer, "when": attribute_of(line) }))
            .collect();
        if lines.is_empty() {
            continue;
        }
        aws.local("DELETE", "answers", json!({}));
        aws.local("POST", "answers", json!(lines));
        let run = desk.tapctl(&["drift"]);
        assert!(matches!(run.code(), Some(0..=2)), "{name}: {run}");
        for word in ["panicked", "UnexpectedAnswer", "LocalAwsCrash"] {
            assert!(!run.stderr.contains(word), "{name}: {run}");
        }
    }
}

/// The members that every recorded answer has are in those of the local AWS.
#[test]
fn the_local_aws_leaves_out_nothing_that_aws_always_tells() {
    let (aws, desk) = standing();
    desk.tapctl(&["drift"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    let found = aws.script("tests/recorded/compare.py", &[]);
    assert_eq!(found["missing"], json!({}), "what AWS always tells, and the local AWS does not: {found:#}");
    assert!(found["compared"].as_u64().is_some_and(|compared| compared > 50), "{found:#}");
}

#[test]
fn a_recording_tells_where_it_is_from_and_how_far_to_trust_it() {
    for line in recordings().into_values().flatten() {
        assert!(["recorded", "snapshot", "thread", "client", "example"].contains(&line.kind.as_str()), "{line:?}");
        assert!(!line.source.is_empty() && line.operation.contains(':'), "{line:?}");
        assert!(line.answer.is_some() != line.error.is_some(), "{line:?}");
    }
}
