//! What people change behind tapctl's back: told field by field, shown by plan, and repaired by apply; and what nobody
//! changed is told as nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Desk, LocalAws, redact};

/// Finds things the way a person at a console does: by name and tag.
const FIND: &str = r#"
def name(thing): return f'student-{thing}-dev'
def node(thing): return [{'Name': 'tag:tapctl:node', 'Values': [thing]}]
def vpc(): return client('ec2').describe_vpcs(Filters=node('vpc'))['Vpcs'][0]['VpcId']
def group(thing): return client('ec2').describe_security_groups(Filters=node(thing))['SecurityGroups'][0]['GroupId']
def table(thing): return client('ec2').describe_route_tables(Filters=node(thing))['RouteTables'][0]['RouteTableId']
def key(thing): return client('kms').describe_key(KeyId='alias/' + name(thing))['KeyMetadata']['KeyId']
def cluster(): return client('rds').describe_db_clusters(DBClusterIdentifier=name('aurora'))['DBClusters'][0]
def api(): return next(a['id'] for a in client('apigateway').get_rest_apis()['items'] if a['name'] == name('records'))
def api_arn(): return f'arn:aws:apigateway:us-east-1::/restapis/{api()}'
def path(p): return next(r['id'] for r in client('apigateway').get_resources(restApiId=api())['items'] if r['path'] == p)
def https():
    elb = client('elbv2')
    balancer = elb.describe_load_balancers(Names=[name('alb')])['LoadBalancers'][0]['LoadBalancerArn']
    return next(l['ListenerArn'] for l in elb.describe_listeners(LoadBalancerArn=balancer)['Listeners'] if l['Port'] == 443)
def statement(**what): return json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'} | what]})
"#;

/// An environment that was just made, and what AWS held then.
struct Applied {
    aws: LocalAws,
    desk: Desk,
}

impl Applied {
    fn new() -> Applied {
        let (aws, desk) = crate::harness::standing();
        Applied { aws, desk }
    }

    /// Does this behind tapctl's back.
    fn meanwhile(&self, snippet: &str) -> Value {
        self.aws.python(&format!("{FIND}{snippet}"))
    }

    fn no_drift(&self) {
        let run = self.desk.tapctl(&["drift"]).expect(0);
        assert!(run.stdout.starts_with("no drift: all "), "{run}");
        assert_eq!(self.desk.tapctl(&["drift", "--json"]).expect(0).stdout, "[]\n");
    }

    /// `node field` of all that `drift` tells, and what it says becomes of it; after checking that it only reads and that
    /// table and JSON say the same. How values are shown is for the tests of what is shown.
    fn drift(&self) -> String {
        let mark = self.aws.mark();
        let table = self.desk.tapctl(&["drift"]).expect(2);
        assert_eq!(self.aws.writes_since(mark), [""; 0]);
        let json = self.desk.tapctl(&["drift", "--json"]).expect(2).json();
        let (told, shown) = (fields_of_json(&json), fields_of_table(&table.stdout));
        // Of a list or a policy the table shows each part by itself.
        let is_part = |shown: &str, told: &str| {
            shown.strip_prefix(told).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        };
        assert!(shown.iter().all(|one| told.iter().any(|field| is_part(one, field))), "{told:#?}\n{table}");
        assert!(told.iter().all(|field| shown.iter().any(|one| is_part(one, field))), "{told:#?}\n{table}");
        let end = table.stdout.split("\n\n").last().unwrap_or_default();
        format!("{}\n\n{}", told.into_iter().collect::<Vec<_>>().join("\n"), end.trim_end())
    }

    /// The nodes that `plan` changes, and how.
    fn plan(&self) -> String {
        let plan = self.desk.drawn("dev").redact(&self.desk.tapctl(&["plan"]).expect(2).stdout);
        plan.lines().filter(|line| !line.starts_with(' ')).collect::<Vec<_>>().join("\n")
    }

    /// Repairs it, and proves that nothing is left to repair.
    fn repair(&self) {
        self.desk.tapctl(&["apply", "--yes"]).expect(0);
        self.no_drift();
        self.desk.tapctl(&["plan"]).expect(0);
        self.aws.assert_lawful();
    }
}

/// `node field` of every row of the table.
fn fields_of_table(table: &str) -> BTreeSet<String> {
    let rows = table.lines().skip(1).take_while(|line| !line.is_empty());
    let columns =
        |row: &str| row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect();
    rows.map(columns).map(|cells: Vec<String>| format!("{} {}", cells[0], cells[2])).collect()
}

/// `node field` of every change in the JSON. Each has what scripts count on.
fn fields_of_json(json: &Value) -> BTreeSet<String> {
    let mut fields = BTreeSet::new();
    for drifted in json.as_array().expect("a list") {
        let node = drifted["node"].as_str().expect("a node");
        assert!(drifted["kind"].is_string() && drifted["id"].is_string(), "{drifted:#}");
        if drifted["missing"] == true || drifted["status"].is_string() {
            fields.insert(format!("{node} -"));
        }
        for change in drifted["changes"].as_array().expect("changes") {
            assert!(change.get("live").is_some() && change.get("want").is_some(), "{change:#}");
            fields.insert(format!("{node} {}", change["path"].as_str().expect("a path")));
        }
    }
    fields
}

#[test]
fn a_network_that_was_tampered_with_is_told_and_repaired() {
    let applied = Applied::new();
    let before = applied.aws.dump();
    applied.meanwhile(
        "ec2 = client('ec2')
laptop = {'CidrIp': '203.0.113.7/32', 'Description': 'my laptop'}
ec2.authorize_security_group_ingress(GroupId=group('group-rds'),
    IpPermissions=[{'IpProtocol': 'tcp', 'FromPort': 5432, 'ToPort': 5432, 'IpRanges': [laptop]}])
ec2.delete_tags(Resources=[vpc()], Tags=[{'Key': 'Compliance'}, {'Key': 'tapctl:stack'}])
ec2.delete_tags(Resources=[group('group-cache')], Tags=[{'Key': 'tapctl:node'}])
ec2.create_tags(Resources=[table('route-table-public')], Tags=[{'Key': 'owner', 'Value': 'me'}])
ec2.delete_route(RouteTableId=table('route-table-private-a'), DestinationCidrBlock='0.0.0.0/0')
ec2.modify_vpc_attribute(VpcId=vpc(), EnableDnsHostnames={'Value': False})",
    );
    insta::assert_snapshot!(example(&applied, "route-table-public"), @r#"
    {
      "changes": [
        {
          "live": "me",
          "path": "tags.owner",
          "want": null
        }
      ],
      "id": "rtb-[id]",
      "kind": "ec2.route_table",
      "missing": false,
      "node": "route-table-public",
      "repair": "mended"
    }
    "#);
    insta::assert_snapshot!(applied.drift(), @"
    group-cache tags.tapctl:node
    group-rules-rds ingress
    route-private-a -
    route-table-public tags.owner
    vpc dns_hostnames
    vpc tags.Compliance
    vpc tags.tapctl:stack

    drift in 5 of 131 nodes; the next apply repairs it
    ");
    insta::assert_snapshot!(applied.plan(), @"
    ~ update  vpc                 ec2.vpc  vpc-[id]
    ~ update  group-cache         ec2.security_group  sg-[id]
    ~ update  group-rules-rds     ec2.security_group_rules  sg-[id]
    + create  route-private-a     ec2.route  rtb-[id]|0.0.0.0/0
    ~ update  route-table-public  ec2.route_table  rtb-[id]
    student-records dev in account 123456789012, us-east-1: 1 to create, 4 to update
    ");
    applied.repair();
    assert_same(&before, &applied.aws.dump());
}

#[test]
fn keys_roles_and_logs_that_were_tampered_with_are_told_and_repaired() {
    let applied = Applied::new();
    let before = applied.aws.dump();
    applied.meanwhile(
        "kms, iam, logs = client('kms'), client('iam'), client('logs')
kms.disable_key_rotation(KeyId=key('rds'))
kms.untag_resource(KeyId=key('cache'), TagKeys=['tapctl:env'])
kms.put_key_policy(KeyId=key('efs'), PolicyName='default',
    Policy=statement(Action='kms:*', Principal={'AWS': 'arn:aws:iam::123456789012:root'}))
kms.delete_alias(AliasName='alias/' + name('kinesis'))
iam.put_role_policy(RoleName=name('task'), PolicyName='task', PolicyDocument=statement())
iam.put_role_policy(RoleName=name('execution'), PolicyName='extra', PolicyDocument=statement())
iam.attach_role_policy(RoleName=name('flow-logs'), PolicyArn='arn:aws:iam::aws:policy/AdministratorAccess')
logs.put_retention_policy(logGroupName=name('service'), retentionInDays=1)
logs.delete_log_group(logGroupName=name('api-access'))",
    );
    insta::assert_snapshot!(applied.drift(), @"
    alias-kinesis -
    key-cache tags.tapctl:env
    key-efs policy.Statement
    key-rds rotation
    key-rds rotation_days
    log-group-api-access -
    log-group-service retention_days
    role-execution policies.extra
    role-flow-logs managed_policy_arns
    role-task policies.task.Statement

    drift in 9 of 131 nodes; the next apply repairs it
    ");
    insta::assert_snapshot!(applied.plan(), @"
    ~ update  key-efs               kms.key  [id]
    + create  log-group-api-access  logs.log_group  student-api-access-dev
    ~ update  key-cache             kms.key  [id]
    ~ update  key-rds               kms.key  [id]
    ~ update  log-group-service     logs.log_group  student-service-dev
    ~ update  role-execution        iam.role  student-execution-dev
    ~ update  role-task             iam.role  student-task-dev
    + create  alias-kinesis         kms.alias  alias/student-kinesis-dev
    ~ update  role-flow-logs        iam.role  student-flow-logs-dev
    student-records dev in account 123456789012, us-east-1: 2 to create, 7 to update
    ");
    applied.repair();
    assert_same(&before, &applied.aws.dump());
}

#[test]
fn stores_that_were_tampered_with_are_told_and_repaired() {
    let applied = Applied::new();
    let before = applied.aws.dump();
    applied.meanwhile(
        "rds, efs = client('rds'), client('efs')
client('kinesis').update_shard_count(StreamName=name('events'), TargetShardCount=4, ScalingType='UNIFORM_SCALING')
rds.remove_tags_from_resource(ResourceName=cluster()['DBClusterArn'], TagKeys=['Compliance', 'tapctl:node'])
rds.modify_db_cluster(DBClusterIdentifier=name('aurora'), BackupRetentionPeriod=1, ApplyImmediately=True)
rds.modify_db_cluster_parameter_group(DBClusterParameterGroupName=name('aurora-16'), Parameters=[
    {'ParameterName': 'rds.force_ssl', 'ParameterValue': '0', 'ApplyMethod': 'pending-reboot'}])
client('elasticache').modify_replication_group(ReplicationGroupId=name('redis'), SnapshotRetentionLimit=1,
    ApplyImmediately=True)
files = efs.describe_file_systems()['FileSystems'][0]['FileSystemId']
efs.delete_file_system_policy(FileSystemId=files)
efs.put_lifecycle_configuration(FileSystemId=files, LifecyclePolicies=[])
client('secretsmanager').delete_secret(SecretId='student-third-party-dev/credentials', RecoveryWindowInDays=7)",
    );
    applied.aws.local("POST", "settle", Value::Null);
    insta::assert_snapshot!(applied.drift(), @"
    cache snapshot_retention_days
    db-cluster backup_retention_days
    db-cluster tags.Compliance
    db-cluster tags.tapctl:node
    db-parameter-group parameters.rds.force_ssl
    file-system transition_to_ia
    file-system-policy -
    secret-third-party -
    stream shards

    drift in 7 of 131 nodes; the next apply repairs it in 6
      secret-third-party: the next apply asks AWS to try again
    ");
    insta::assert_snapshot!(applied.plan(), @"
    ~ update  file-system         efs.file_system  fs-[id]
    ~ update  stream              kinesis.stream  student-events-dev
    ~ update  cache               elasticache.replication_group  student-redis-dev
    ~ update  db-parameter-group  rds.db_cluster_parameter_group  student-aurora-16-dev
    ~ update  db-cluster          rds.db_cluster  student-aurora-dev
    + create  file-system-policy  efs.file_system_policy  fs-[id]
    ~ resume  secret-third-party  secretsmanager.secret  arn:aws:secretsmanager:us-east-1:123456789012:secret:student-third-party-dev/credentials-[id]  (status: scheduled for deletion; apply restores it)
    student-records dev in account 123456789012, us-east-1: 1 to create, 1 to resume, 5 to update
    ");
    applied.repair();
    assert_same(&before, &applied.aws.dump());
}

#[test]
fn a_service_and_an_api_that_were_tampered_with_are_told_and_repaired() {
    let applied = Applied::new();
    let before = applied.aws.dump();
    applied.meanwhile(
        "elb, ecs, api_, scaling = client('elbv2'), client('ecs'), client('apigateway'), client('application-autoscaling')
elb.modify_listener(ListenerArn=https(), SslPolicy='ELBSecurityPolicy-2016-08')
elb.modify_target_group(TargetGroupArn=elb.describe_target_groups()['TargetGroups'][0]['TargetGroupArn'], HealthCheckPath='/')
first = elb.describe_target_groups()['TargetGroups'][0]
like = {field: first[field] for field in ('Protocol', 'Port', 'VpcId', 'TargetType')}
other = elb.create_target_group(Name='other', **like)['TargetGroups'][0]['TargetGroupArn']
listener = elb.create_listener(LoadBalancerArn=first['LoadBalancerArns'][0], Protocol='HTTP', Port=8081,
    DefaultActions=[{'Type': 'forward', 'TargetGroupArn': other}])['Listeners'][0]['ListenerArn']
which = {'cluster': name('cluster'), 'service': name('api')}
(ours,) = ecs.describe_services(cluster=which['cluster'], services=[which['service']])['services'][0]['loadBalancers']
both = [ours | {'targetGroupArn': other}, ours]
ecs.update_service(**which, healthCheckGracePeriodSeconds=600, loadBalancers=both)
elb.delete_listener(ListenerArn=listener)
resource = 'service/' + name('cluster') + '/' + name('api')
scaling.register_scalable_target(ServiceNamespace='ecs', ResourceId=resource,
    ScalableDimension='ecs:service:DesiredCount', MaxCapacity=99)
scaling.delete_scaling_policy(ServiceNamespace='ecs', ResourceId=resource,
    ScalableDimension='ecs:service:DesiredCount', PolicyName=name('cpu'))
api_.update_stage(restApiId=api(), stageName='dev', patchOperations=[
    {'op': 'replace', 'path': '/*/*/throttling/rateLimit', 'value': '1'},
    {'op': 'replace', 'path': '/*/*/logging/dataTrace', 'value': 'true'}])
api_.delete_method(restApiId=api(), resourceId=path('/students/{id}'), httpMethod='DELETE')
api_.delete_resource(restApiId=api(), resourceId=path('/students/search'))
api_.untag_resource(resourceArn=api_arn(), tagKeys=['Compliance', 'tapctl:stack'])",
    );
    insta::assert_snapshot!(applied.drift(), @"
    listener-https ssl_policy
    rest-api routes.DELETE /students/{id}
    rest-api routes.GET /students/search
    rest-api tags.Compliance
    rest-api tags.tapctl:stack
    scalable-target max
    scaling-policy-cpu -
    service further_targets
    service health_check_grace_seconds
    stage data_trace
    stage throttle_rate
    target-group health_check.path

    drift in 7 of 131 nodes; the next apply repairs it
    ");
    insta::assert_snapshot!(applied.plan(), @"
    ~ update  target-group        elbv2.target_group  arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/student-tg-a8d122-dev/[id]
    ~ update  listener-https      elbv2.listener  arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/student-alb-dev/[id]/[id]
    ~ update  rest-api            apigateway.rest_api  [id]
    ± replace deployment          apigateway.deployment  [id]|[id]  (api_hash cannot change in place)
    ~ update  stage               apigateway.stage  [id]|dev
    ~ update  service             ecs.service  arn:aws:ecs:us-east-1:123456789012:service/student-cluster-dev/student-api-dev
    ~ update  scalable-target     applicationautoscaling.scalable_target  service/student-cluster-dev/student-api-dev
    + create  scaling-policy-cpu  applicationautoscaling.scaling_policy  service/student-cluster-dev/student-api-dev|student-cpu-dev
    student-records dev in account 123456789012, us-east-1: 1 to create, 6 to update, 1 to replace
    ");
    applied.repair();
    applied.meanwhile(
        "elb = client('elbv2')
elb.delete_target_group(TargetGroupArn=elb.describe_target_groups(Names=['other'])['TargetGroups'][0]['TargetGroupArn'])",
    );
    assert_same(&before, &applied.aws.dump());
}

/// A web ACL is asked what else it protects, of which a region may have nothing.
#[test]
fn what_a_region_lacks_is_no_obstacle() {
    let applied = Applied::new();
    applied.aws.fault(serde_json::json!({
        "match": { "operation": "ListResourcesForWebACL", "params": { "ResourceType": "APPSYNC" } }, "times": 100,
        "action": "error", "status": 400, "code": "WAFInvalidParameterException",
        "message": "The resource is not supported in current region",
    }));
    applied.no_drift();
    assert_eq!(applied.desk.tapctl(&["plan", "--destroy"]).expect(2).stderr.matches("error").count(), 0);
}

#[test]
fn what_aws_changes_by_itself_is_no_drift() {
    let applied = Applied::new();
    // Auto-scaling starts tasks, RDS upgrades in the maintenance window, services put tags of their own on things.
    applied.meanwhile(
        "client('ecs').update_service(cluster=name('cluster'), service=name('api'), desiredCount=5)
client('rds').modify_db_cluster(DBClusterIdentifier=name('aurora'), EngineVersion='16.13', ApplyImmediately=True)",
    );
    applied.aws.set(serde_json::json!({ "strict": false }));
    applied.meanwhile(AWS_TAGS);
    applied.aws.set(serde_json::json!({ "strict": true }));
    applied.aws.local("POST", "settle", Value::Null);
    let mark = applied.aws.mark();
    applied.no_drift();
    applied.desk.tapctl(&["plan"]).expect(0);
    applied.desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(applied.aws.writes_since(mark), [""; 0]);
}

/// What AWS does with a store in full use, every night or whenever it sees fit, is nothing that a person has to look at.
#[test]
fn what_aws_does_by_itself_every_day_is_no_drift() {
    let night = |settings: &str, busy: &[(&str, &str)]| {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        desk.settings(settings);
        desk.tapctl(&["apply", "--yes"]).expect(0);
        aws.set(serde_json::json!({ "ahead": 7200, "durations": { "nightly": 1_000_000 } }));
        for (kind, status) in busy {
            let aws = aws.fork();
            let desk = desk.copy_for(&aws);
            let told = aws.local("POST", "nightly", serde_json::json!({ "kind": kind, "status": status }));
            assert!(told["busy"].as_u64().is_some_and(|busy| busy > 0), "{kind}: {told}");
            for command in ["drift", "plan", "status"] {
                desk.tapctl(&[command]).expect(0);
            }
        }
    };
    night(
        "",
        &[
            ("rds.cluster", "backing-up"),
            ("rds.cluster", "failing-over"),
            ("rds.cluster", "maintenance"),
            ("rds.instance", "storage-optimization"),
            ("elasticache.replication-group", "snapshotting"),
        ],
    );
    night(
        "stack = \"data-pipeline\"\nstream.mode = \"on-demand\"",
        &[("rds.instance", "backing-up"), ("rds.instance", "storage-initialization"), ("kinesis.stream", "UPDATING")],
    );
}

/// What AWS does by itself holds a change up, and then it is made.
#[test]
fn a_change_waits_until_a_backup_is_over() {
    let (aws, desk) = crate::harness::standing();
    aws.set(serde_json::json!({ "durations": { "nightly": 800 } }));
    aws.local("POST", "nightly", serde_json::json!({ "kind": "rds.cluster", "status": "failing-over" }));
    desk.settings("database.max_acu = 8.0");
    desk.tapctl(&["apply", "--yes", "--allow-restart"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

/// As AWS Backup, CloudFormation and others do. Nobody but AWS can write such tags in the real one.
const AWS_TAGS: &str = "\
pair = [{'Key': 'aws:of-aws', 'Value': 'yes'}]
client('ec2').create_tags(Resources=[vpc(), group('group-rds'), table('route-table-public')], Tags=pair)
client('kms').tag_resource(KeyId=key('efs'), Tags=[{'TagKey': 'aws:of-aws', 'TagValue': 'yes'}])
client('rds').add_tags_to_resource(ResourceName=cluster()['DBClusterArn'], Tags=pair)
client('efs').tag_resource(ResourceId=client('efs').describe_file_systems()['FileSystems'][0]['FileSystemId'], Tags=pair)
client('kinesis').add_tags_to_stream(StreamName=name('events'), Tags={'aws:of-aws': 'yes'})
client('apigateway').tag_resource(resourceArn=api_arn(), tags={'aws:of-aws': 'yes'})
client('elbv2').add_tags(ResourceArns=[https()], Tags=pair)
client('iam').tag_role(RoleName=name('task'), Tags=pair)
client('secretsmanager').tag_resource(SecretId='student-third-party-dev/credentials', Tags=pair)
client('ecs').tag_resource(resourceArn=client('ecs').list_clusters()['clusterArns'][0], tags=[{'key': 'aws:of-aws', 'value': 'yes'}])
";

/// What `drift --json` says of one node.
fn example(applied: &Applied, node: &str) -> String {
    let json = applied.desk.tapctl(&["drift", "--json"]).expect(2).json();
    let one = json.as_array().into_iter().flatten().find(|drifted| drifted["node"] == node);
    redact(&serde_json::to_string_pretty(&one).expect("JSON can be written"))
}

/// Compares two accounts, and names what differs.
#[track_caller]
fn assert_same(before: &Value, after: &Value) {
    let mut differences = Vec::new();
    compare("", before, after, &mut differences);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn compare(path: &str, before: &Value, after: &Value, differences: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                compare(&format!("{path}.{key}"), &before[key], &after[key], differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), a, b, differences);
            }
        }
        (a, b) if a == b => {}
        (a, b) => differences.push(format!("{path}: {a} → {b}")),
    }
}
