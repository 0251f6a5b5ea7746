//! What people change behind tapctl's back: told field by field, shown by plan, and repaired by apply; and what nobody
//! changed is told as nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{Desk, LocalAws, Run, redact};

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
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        desk.tapctl(&["apply", "--yes"]).expect(0);
        let applied = Applied { aws, desk };
        applied.no_drift();
        applied
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

    /// The table that `drift` prints, after checking that it only reads and that the JSON says the same.
    fn drift(&self) -> String {
        let mark = self.aws.mark();
        let table = self.desk.tapctl(&["drift"]).expect(2);
        assert_eq!(self.aws.writes_since(mark), [""; 0]);
        let json = self.desk.tapctl(&["drift", "--json"]).expect(2).json();
        assert_eq!(fields_of_json(&json), fields_of_table(&table.stdout), "{table}");
        self.masked(&table)
    }

    /// The changes that `plan` shows.
    fn plan(&self) -> String {
        self.masked(&self.desk.tapctl(&["plan"]).expect(2))
    }

    /// What it printed, without what AWS draws at random.
    fn masked(&self, run: &Run) -> String {
        self.desk.drawn("dev").redact(&run.stdout)
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
      "node": "route-table-public"
    }
    "#);
    insta::assert_snapshot!(applied.drift(), @r#"
     NODE                KIND                      FIELD              LIVE                                                                       WANTED
     group-cache         ec2.security_group        tags.tapctl:node   (none)                                                                     "group-cache"
     group-rules-rds     ec2.security_group_rules  ingress            {"description":"my laptop","from_port":5432,"peer":{"cidr":"203.0.113.7/…  (none)
     route-private-a     ec2.route                 -                  missing                                                                    to exist
     route-table-public  ec2.route_table           tags.owner         "me"                                                                       (none)
     vpc                 ec2.vpc                   dns_hostnames      false                                                                      true
     vpc                 ec2.vpc                   tags.Compliance    (none)                                                                     "FERPA"
     vpc                 ec2.vpc                   tags.tapctl:stack  (none)                                                                     "student-records"

    drift in 5 of 120 nodes; the next apply repairs it
    "#);
    insta::assert_snapshot!(applied.plan(), @r#"
    ~ update  vpc                 ec2.vpc  vpc-[id]
          dns_hostnames: false → true
          tags.Compliance: (none) → "FERPA"
          tags.tapctl:stack: (none) → "student-records"
    ~ update  group-cache         ec2.security_group  sg-[id]
          tags.tapctl:node: (none) → "group-cache"
    ~ update  group-rules-rds     ec2.security_group_rules  sg-[id]
          ingress: - {"description":"my laptop","from_port":5432,"peer":{"cidr":"203.0.113.7/…
    + create  route-private-a     ec2.route  rtb-[id]|0.0.0.0/0
    ~ update  route-table-public  ec2.route_table  rtb-[id]
          tags.owner: "me" → (none)
    student-records dev in account 123456789012, us-east-1: 1 to create, 4 to update
    "#);
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
    insta::assert_snapshot!(applied.drift(), @r#"
     NODE                  KIND            FIELD                    LIVE                                                                       WANTED
     alias-kinesis         kms.alias       -                        missing                                                                    to exist
     key-cache             kms.key         tags.tapctl:env          (none)                                                                     "dev"
     key-efs               kms.key         policy.Statement         {"Action":"kms:*","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1234…  (none)
     key-efs               kms.key         policy.Statement         (none)                                                                     {"Action":["kms:*"],"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::12…
     key-efs               kms.key         policy.Statement         (none)                                                                     {"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDat…
     key-rds               kms.key         rotation                 false                                                                      true
     key-rds               kms.key         rotation_days            (none)                                                                     365
     log-group-api-access  logs.log_group  -                        missing                                                                    to exist
     log-group-service     logs.log_group  retention_days           1                                                                          30
     role-execution        iam.role        policies.extra           {"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}],"Version":…  (none)
     role-flow-logs        iam.role        managed_policy_arns      "arn:aws:iam::aws:policy/AdministratorAccess"                              (none)
     role-task             iam.role        policies.task.Statement  {"Action":"*","Effect":"Allow","Resource":"*"}                             (none)
     role-task             iam.role        policies.task.Statement  (none)                                                                     {"Action":["kinesis:DescribeStreamSummary","kinesis:GetRecords","kinesis…
     role-task             iam.role        policies.task.Statement  (none)                                                                     {"Action":["kms:Decrypt","kms:GenerateDataKey"],"Effect":"Allow","Resour…
     role-task             iam.role        policies.task.Statement  (none)                                                                     {"Action":["secretsmanager:GetSecretValue"],"Effect":"Allow","Resource":…
     role-task             iam.role        policies.task.Statement  (none)                                                                     {"Action":["kms:Decrypt"],"Condition":{"StringEquals":{"kms:ViaService":…
     role-task             iam.role        policies.task.Statement  (none)                                                                     {"Action":["elasticfilesystem:ClientMount","elasticfilesystem:ClientWrit…
     role-task             iam.role        policies.task.Statement  (none)                                                                     {"Action":["rds-db:connect"],"Effect":"Allow","Resource":["arn:aws:rds-d…

    drift in 9 of 120 nodes; the next apply repairs it
    "#);
    insta::assert_snapshot!(applied.plan(), @r#"
    ~ update  key-efs               kms.key  [id]
          policy.Statement: - {"Action":"kms:*","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::1234…
          policy.Statement: + {"Action":["kms:*"],"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::12…
          policy.Statement: + {"Action":["kms:Encrypt","kms:Decrypt","kms:ReEncrypt*","kms:GenerateDat…
    + create  log-group-api-access  logs.log_group  student-api-access-dev
    ~ update  stage                 apigateway.stage  [id]|dev
          access_log_group_arn: "arn:aws:logs:us-east-1:123456789012:log-group:student-api-access-dev" → (known after apply: log-group-api-access.arn)
    ~ update  key-rds               kms.key  [id]
          rotation: false → true
          rotation_days: (none) → 365
    ~ update  key-cache             kms.key  [id]
          tags.tapctl:env: (none) → "dev"
    ~ update  log-group-service     logs.log_group  student-service-dev
          retention_days: 1 → 30
    ~ update  role-execution        iam.role  student-execution-dev
          policies.extra: {"Statement":[{"Action":"*","Effect":"Allow","Resource":"*"}],"Version":… → (none)
    ~ update  role-task             iam.role  student-task-dev
          policies.task.Statement: - {"Action":"*","Effect":"Allow","Resource":"*"}
          policies.task.Statement: + {"Action":["kinesis:DescribeStreamSummary","kinesis:GetRecords","kinesis…
          policies.task.Statement: + {"Action":["kms:Decrypt","kms:GenerateDataKey"],"Effect":"Allow","Resour…
          policies.task.Statement: + {"Action":["secretsmanager:GetSecretValue"],"Effect":"Allow","Resource":…
          policies.task.Statement: + {"Action":["kms:Decrypt"],"Condition":{"StringEquals":{"kms:ViaService":…
          policies.task.Statement: + {"Action":["elasticfilesystem:ClientMount","elasticfilesystem:ClientWrit…
          policies.task.Statement: + {"Action":["rds-db:connect"],"Effect":"Allow","Resource":["arn:aws:rds-d…
    + create  alias-kinesis         kms.alias  alias/student-kinesis-dev
    ~ update  role-flow-logs        iam.role  student-flow-logs-dev
          managed_policy_arns: - "arn:aws:iam::aws:policy/AdministratorAccess"
    student-records dev in account 123456789012, us-east-1: 2 to create, 8 to update
    "#);
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
    insta::assert_snapshot!(applied.drift(), @r#"
     NODE                KIND                            FIELD                     LIVE                                               WANTED
     cache               elasticache.replication_group   snapshot_retention_days   1                                                  5
     db-cluster          rds.db_cluster                  backup_retention_days     1                                                  30
     db-cluster          rds.db_cluster                  tags.Compliance           (none)                                             "FERPA"
     db-cluster          rds.db_cluster                  tags.tapctl:node          (none)                                             "db-cluster"
     db-parameter-group  rds.db_cluster_parameter_group  parameters.rds.force_ssl  "0"                                                "1"
     file-system         efs.file_system                 transition_to_ia          (none)                                             "AFTER_30_DAYS"
     file-system-policy  efs.file_system_policy          -                         missing                                            to exist
     secret-third-party  secretsmanager.secret           -                         failed: scheduled for deletion; apply restores it  ready
     stream              kinesis.stream                  shards                    4                                                  2

    drift in 7 of 120 nodes; the next apply repairs it
    "#);
    insta::assert_snapshot!(applied.plan(), @r#"
    ~ update  file-system         efs.file_system  fs-[id]
          transition_to_ia: (none) → "AFTER_30_DAYS"
    ~ update  stream              kinesis.stream  student-events-dev
          shards: 4 → 2
    ~ update  db-parameter-group  rds.db_cluster_parameter_group  student-aurora-16-dev
          parameters.rds.force_ssl: "0" → "1"
    ~ update  db-cluster          rds.db_cluster  student-aurora-dev
          backup_retention_days: 1 → 30
          tags.Compliance: (none) → "FERPA"
          tags.tapctl:node: (none) → "db-cluster"
    + create  file-system-policy  efs.file_system_policy  fs-[id]
    ~ update  cache               elasticache.replication_group  student-redis-dev
          snapshot_retention_days: 1 → 5
    ~ resume  secret-third-party  secretsmanager.secret  arn:aws:secretsmanager:us-east-1:123456789012:secret:student-third-party-dev/credentials-[id]  (AWS says: scheduled for deletion; apply restores it)
    student-records dev in account 123456789012, us-east-1: 1 to create, 1 to resume, 5 to update
    "#);
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
targets = elb.describe_target_groups()['TargetGroups'][0]['TargetGroupArn']
elb.modify_target_group(TargetGroupArn=targets, HealthCheckPath='/')
ecs.update_service(cluster=name('cluster'), service=name('api'), healthCheckGracePeriodSeconds=600)
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
    insta::assert_snapshot!(applied.drift(), @r#"
     NODE                KIND                                    FIELD                         LIVE                         WANTED
     listener-https      elbv2.listener                          ssl_policy                    "ELBSecurityPolicy-2016-08"  "ELBSecurityPolicy-TLS13-1-2-2021-06"
     rest-api            apigateway.rest_api                     routes.DELETE /students/{id}  (none)                       {"api_key_required":true,"authorization":"AWS_IAM","integration":{"http_…
     rest-api            apigateway.rest_api                     routes.GET /students/search   (none)                       {"api_key_required":true,"authorization":"AWS_IAM","integration":{"http_…
     rest-api            apigateway.rest_api                     tags.Compliance               (none)                       "FERPA"
     rest-api            apigateway.rest_api                     tags.tapctl:stack             (none)                       "student-records"
     scalable-target     applicationautoscaling.scalable_target  max                           99                           10
     scaling-policy-cpu  applicationautoscaling.scaling_policy   -                             missing                      to exist
     service             ecs.service                             health_check_grace_seconds    600                          60
     stage               apigateway.stage                        data_trace                    true                         false
     stage               apigateway.stage                        throttle_rate                 1.0                          1000.0
     target-group        elbv2.target_group                      health_check.path             "/"                          "/health"

    drift in 7 of 120 nodes; the next apply repairs it
    "#);
    insta::assert_snapshot!(applied.plan(), @r#"
    ~ update  rest-api            apigateway.rest_api  [id]
          routes.DELETE /students/{id}: (none) → {"api_key_required":true,"authorization":"AWS_IAM","integration":{"http_…
          routes.GET /students/search: (none) → {"api_key_required":true,"authorization":"AWS_IAM","integration":{"http_…
          tags.Compliance: (none) → "FERPA"
          tags.tapctl:stack: (none) → "student-records"
    ± replace deployment          apigateway.deployment  [id]|[id]  (api_hash cannot change in place)
          api_hash: "[id]" → (known after apply: rest-api.hash)
    ~ update  stage               apigateway.stage  [id]|dev
          data_trace: true → false
          deployment_id: "[id]" → (known after apply: deployment.deployment_id)
          throttle_rate: 1.0 → 1000.0
    ~ update  target-group        elbv2.target_group  arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/student-tg-a8d122-dev/[id]
          health_check.path: "/" → "/health"
    ~ update  listener-https      elbv2.listener  arn:aws:elasticloadbalancing:us-east-1:123456789012:listener/app/student-alb-dev/[id]/[id]
          ssl_policy: "ELBSecurityPolicy-2016-08" → "ELBSecurityPolicy-TLS13-1-2-2021-06"
    ~ update  service             ecs.service  arn:aws:ecs:us-east-1:123456789012:service/student-cluster-dev/student-api-dev
          health_check_grace_seconds: 600 → 60
    ~ update  scalable-target     applicationautoscaling.scalable_target  service/student-cluster-dev/student-api-dev
          max: 99 → 10
    + create  scaling-policy-cpu  applicationautoscaling.scaling_policy  service/student-cluster-dev/student-api-dev|student-cpu-dev
    student-records dev in account 123456789012, us-east-1: 1 to create, 6 to update, 1 to replace
    "#);
    applied.repair();
    assert_same(&before, &applied.aws.dump());
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
