//! Changes in `tapctl.toml`: the plan shows exactly them, apply makes exactly them, and then there is peace.

use serde_json::Value;

use crate::harness::{Call, Desk, LocalAws, Sweep, standing};

/// An environment that is up, and the AWS it is in.
struct Up {
    aws: LocalAws,
    desk: Desk,
}

/// What a change of the settings came to.
struct Changed {
    /// The plan, as `tapctl plan` prints it.
    plan: String,
    /// The calls that changed something, with how often.
    writes: String,
    /// The calls themselves, in order.
    calls: Vec<Call>,
    /// What the account held before.
    before: Sweep,
    /// And after.
    after: Sweep,
}

impl Up {
    fn with(settings: &str) -> Up {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        desk.settings(settings);
        desk.tapctl(&["apply", "--yes"]).expect(0);
        Up { aws, desk }
    }

    /// Plans and applies other settings, and checks that a rerun has nothing left to do.
    fn change(&self, settings: &str) -> Changed {
        self.change_losing(settings, &[])
    }

    /// The same where these nodes go, with what cannot be had again.
    fn change_losing(&self, settings: &str, lost: &[&str]) -> Changed {
        let before = self.aws.sweep();
        self.desk.settings(settings);
        let drawn = self.desk.drawn("dev");
        let plan = drawn.redact(&self.desk.tapctl(&["plan"]).expect(2).stdout);
        let mark = self.aws.mark();
        let allowed = lost.iter().flat_map(|node| ["--allow-loss", node]);
        let arguments: Vec<&str> = ["apply", "--yes", "--allow-restart"].into_iter().chain(allowed).collect();
        let applied = self.desk.tapctl(&arguments).expect(0);
        assert!(drawn.redact(&applied.stdout).starts_with(&plan), "apply shows the plan that plan showed\n{applied}");
        let (writes, calls) = (self.aws.changes_since(mark), self.aws.log_since(mark));
        let mark = self.aws.mark();
        for command in [&["apply", "--yes"][..], &["plan"], &["drift"], &["status"]] {
            self.desk.tapctl(command).expect(0);
        }
        assert_eq!(self.aws.writes_since(mark), [""; 0]);
        self.aws.assert_lawful();
        Changed { plan, writes, calls, before, after: self.aws.sweep() }
    }
}

impl Changed {
    /// The kinds and names that came, and those that went; without the interfaces that AWS makes for them, and removes
    /// when it pleases.
    fn difference(&self) -> String {
        let ids = |sweep: &Sweep| -> Vec<(String, String)> {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            sweep
                .objects()
                .filter(|(kind, _)| *kind != "ec2.network-interface")
                .map(|(kind, object)| (text(&object["id"]), format!("{kind} {}", text(&object["name"]))))
                .collect()
        };
        let (before, after) = (ids(&self.before), ids(&self.after));
        let went = before.iter().filter(|object| !after.contains(object)).map(|(_, name)| format!("- {name}"));
        let came = after.iter().filter(|object| !before.contains(object)).map(|(_, name)| format!("+ {name}"));
        let (gone, new) = (self.before.drawn(), self.after.drawn());
        let mut lines: Vec<String> = went.chain(came).map(|line| gone.redact(&new.redact(&line))).collect();
        lines.sort();
        lines.join("\n")
    }

    /// Where in the run this operation first succeeded.
    fn position(&self, operation: &str) -> usize {
        let found = self.calls.iter().position(|call| call.wrote() && call.operation == operation);
        found.unwrap_or_else(|| panic!("{operation} was not called: {}", self.writes))
    }
}

#[test]
fn more_memory_makes_a_new_revision_and_moves_the_service_to_it() {
    let up = Up::with("");
    let changed = up.change("[service]\nmemory = 2048\n");
    insta::assert_snapshot!(changed.plan, @r#"
    ± replace task-definition  ecs.task_definition  arn:aws:ecs:us-east-1:123456789012:task-definition/student-api-dev:1  (memory cannot change in place)
          memory: 1024 → 2048
    ~ update  service          ecs.service  arn:aws:ecs:us-east-1:123456789012:service/student-cluster-dev/student-api-dev
          task_definition: "arn:aws:ecs:us-east-1:123456789012:task-definition/student-api-dev:1" → (known after apply: task-definition.arn)
    student-records dev in account 123456789012, us-east-1: 1 to update, 1 to replace
    "#);
    insta::assert_snapshot!(changed.writes, @"
    ecs:DeleteTaskDefinitions
    ecs:DeregisterTaskDefinition
    ecs:RegisterTaskDefinition
    ecs:UpdateService
    ");
    insta::assert_snapshot!(changed.difference(), @"
    + ecs.task-definition student-api-dev:2
    - ecs.task-definition student-api-dev:1
    ");
    let running = up.aws.python(
        "ecs = client('ecs')\n\
         service = ecs.describe_services(cluster='student-cluster-dev', services=['student-api-dev'])['services'][0]\n\
         task = ecs.describe_task_definition(taskDefinition=service['taskDefinition'])['taskDefinition']\n\
         print(json.dumps([task['memory'], service['runningCount'], len(service['deployments'])]))",
    );
    assert_eq!(running, serde_json::json!(["2048", 2, 1]));
}

#[test]
fn data_stores_grow_in_place() {
    let up = Up::with("");
    let changed = up.change("[stream]\nshards = 4\n");
    insta::assert_snapshot!(changed.plan, @"
    ~ update  stream  kinesis.stream  student-events-dev
          shards: 2 → 4
    student-records dev in account 123456789012, us-east-1: 1 to update
    ");
    insta::assert_snapshot!(changed.writes, @"kinesis:UpdateShardCount");
    assert_eq!(changed.difference(), "");
    let changed = up.change("[stream]\nshards = 4\n[database]\nmax_acu = 8\n");
    insta::assert_snapshot!(changed.plan, @"
    ~ update  db-cluster                  rds.db_cluster  student-aurora-dev
          max_acu: 4.0 → 8.0
    ~ update  alarm-database-connections  cloudwatch.alarm  student-database-connections-dev
          threshold: 680.0 → 1360.0
    ~ update  dashboard                   cloudwatch.dashboard  student-records-dev
          body.widgets[database-connections].properties.annotations.horizontal[1].value: 680.0 → 1360.0
    student-records dev in account 123456789012, us-east-1: 3 to update
    ");
    insta::assert_snapshot!(changed.writes, @"
    cloudwatch:PutDashboard
    cloudwatch:PutMetricAlarm
    rds:ModifyDBCluster
    rds:RebootDBInstance × 2
    ");
    assert_eq!(changed.difference(), "");
    let changed = up.change("[stream]\nshards = 4\n[database]\nmax_acu = 8\n[cache]\nnodes = 3\n");
    // Of the dashboard: further widgets, and where the others have moved to.
    let lines = changed.plan.lines().filter(|line| !line.contains("body.widgets"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @"
    ~ update  cache                    elasticache.replication_group  student-redis-dev
          nodes: 2 → 3
    + create  alarm-cache-cpu-3        cloudwatch.alarm
    + create  alarm-cache-credits-3    cloudwatch.alarm
    + create  alarm-cache-engine-3     cloudwatch.alarm
    + create  alarm-cache-evictions-3  cloudwatch.alarm
    + create  alarm-cache-memory-3     cloudwatch.alarm
    ~ update  dashboard                cloudwatch.dashboard  student-records-dev
    student-records dev in account 123456789012, us-east-1: 5 to create, 2 to update
    ");
    insta::assert_snapshot!(changed.writes, @"
    cloudwatch:PutDashboard
    cloudwatch:PutMetricAlarm × 5
    elasticache:IncreaseReplicaCount
    ");
    insta::assert_snapshot!(changed.difference(), @"
    + cloudwatch.alarm student-cache-cpu-3-dev
    + cloudwatch.alarm student-cache-credits-3-dev
    + cloudwatch.alarm student-cache-engine-3-dev
    + cloudwatch.alarm student-cache-evictions-3-dev
    + cloudwatch.alarm student-cache-memory-3-dev
    + elasticache.cluster student-redis-dev-003
    ");
    let live = up.aws.python(
        "stream = client('kinesis').describe_stream_summary(StreamName='student-events-dev')['StreamDescriptionSummary']\n\
         cluster = client('rds').describe_db_clusters(DBClusterIdentifier='student-aurora-dev')['DBClusters'][0]\n\
         cache = client('elasticache').describe_replication_groups(ReplicationGroupId='student-redis-dev')\n\
         print(json.dumps([stream['OpenShardCount'], cluster['ServerlessV2ScalingConfiguration']['MaxCapacity'],\n\
                           len(cache['ReplicationGroups'][0]['MemberClusters'])]))",
    );
    assert_eq!(live, serde_json::json!([4, 8.0, 3]));
}

#[test]
fn a_further_tag_goes_on_everything_and_changes_nothing_else() {
    let up = Up::with("");
    let changed = up.change("[tags]\nCostCentre = \"42\"\n");
    assert!(
        changed
            .plan
            .lines()
            .all(|line| !line.contains("replace") && !line.starts_with("+ ") && !line.starts_with("- ")),
        "{}",
        changed.plan
    );
    let fields: std::collections::BTreeSet<&str> =
        changed.plan.lines().filter(|line| line.starts_with("   ")).map(str::trim).collect();
    assert_eq!(fields.into_iter().collect::<Vec<_>>(), ["tags.CostCentre: (none) → \"42\""]);
    insta::assert_snapshot!(changed.writes, @"
    acm:AddTagsToCertificate
    apigateway:TagResource × 4
    apigatewayv2:TagResource
    application-autoscaling:TagResource
    cloudtrail:AddTags
    cloudwatch:TagResource × 28
    ec2:CreateTags × 19
    ecs:TagResource × 3
    efs:TagResource × 2
    elasticache:AddTagsToResource × 2
    elbv2:AddTags × 5
    iam:TagRole × 5
    kinesis:AddTagsToStream
    kms:TagResource × 6
    logs:TagResource × 7
    rds:AddTagsToResource × 5
    s3:PutBucketTagging
    secretsmanager:TagResource × 2
    sns:TagResource
    wafv2:TagResource
    ");
    assert_eq!(changed.difference(), "");
    let untagged: Vec<String> = changed
        .after
        .only(|_, object| object["tags"]["tapctl:node"].is_string() && object["tags"]["CostCentre"] != "42")
        .names();
    assert_eq!(untagged, [""; 0]);
    // AWS makes these by itself or has no tags for them; the shared role is not one stack's to tag.
    let bare: std::collections::BTreeSet<String> = {
        let bare = changed.after.only(|_, object| !object["tags"]["tapctl:node"].is_string());
        bare.objects().map(|(kind, _)| kind.to_owned()).collect()
    };
    insta::assert_snapshot!(bare.into_iter().collect::<Vec<_>>().join("\n"), @"
    apigateway.account
    apigateway.deployment
    application-autoscaling.policy
    ec2.network-interface
    efs.mount-target
    elasticache.cluster
    iam.role
    kms.alias
    logs.metric-filter
    secretsmanager.secret
    wafv2.web-acl
    ");
    let changed = up.change("");
    let kept = changed.after.only(|_, object| object["tags"]["CostCentre"].is_string());
    assert_eq!(kept.names(), [""; 0]);
}

#[test]
fn one_nat_gateway_in_place_of_two_and_back() {
    const PER_AZ: &str = "[network]\nnat = \"per-az\"\n";
    let up = Up::with(PER_AZ);
    let changed = up.change_losing("", &["elastic-ip-nat-b"]);
    insta::assert_snapshot!(changed.plan, @r#"
    ~ update  route-private-b   ec2.route  rtb-[id]|0.0.0.0/0
          nat_gateway_id: "nat-[id]" → "nat-[id]"
    - delete  nat-gateway-b     ec2.nat_gateway  nat-[id]
    - delete  elastic-ip-nat-b  ec2.elastic_ip  eipalloc-[id]  loses the address
    student-records dev in account 123456789012, us-east-1: 1 to update, 2 to delete
    "#);
    insta::assert_snapshot!(changed.writes, @"
    ec2:DeleteNatGateway
    ec2:ReleaseAddress
    ec2:ReplaceRoute
    ");
    insta::assert_snapshot!(changed.difference(), @"
    - ec2.elastic-ip student-elastic-ip-nat-b-dev
    - ec2.nat-gateway student-nat-gateway-b-dev
    ");
    // Zone b never loses its way out.
    assert!(changed.position("ReplaceRoute") < changed.position("DeleteNatGateway"));
    assert!(changed.position("DeleteNatGateway") < changed.position("ReleaseAddress"));
    let changed = up.change(PER_AZ);
    insta::assert_snapshot!(changed.writes, @"
    ec2:AllocateAddress
    ec2:CreateNatGateway
    ec2:ReplaceRoute
    ");
    insta::assert_snapshot!(changed.difference(), @"
    + ec2.elastic-ip student-elastic-ip-nat-b-dev
    + ec2.nat-gateway student-nat-gateway-b-dev
    ");
}

#[test]
fn interface_endpoints_come_and_go() {
    let up = Up::with("");
    let changed = up.change("[network]\nendpoints = [\"logs\"]\n");
    insta::assert_snapshot!(changed.plan, @r#"
    + create  group-endpoints        ec2.security_group
    + create  group-rules-endpoints  ec2.security_group_rules
          ingress[tcp 443 from sg-[id] "from the service"]
          egress: []
    + create  endpoint-logs          ec2.vpc_endpoint
          service_name: "com.amazonaws.us-east-1.logs"
          security_group_ids: [group-endpoints.group_id]
    student-records dev in account 123456789012, us-east-1: 3 to create
    "#);
    insta::assert_snapshot!(changed.writes, @"
    ec2:AuthorizeSecurityGroupIngress
    ec2:CreateSecurityGroup
    ec2:CreateTags
    ec2:CreateVpcEndpoint
    ec2:RevokeSecurityGroupEgress
    ");
    insta::assert_snapshot!(changed.difference(), @"
    + ec2.security-group student-endpoints-dev
    + ec2.vpc-endpoint student-endpoint-logs-dev
    ");
    let changed = up.change("");
    insta::assert_snapshot!(changed.plan, @"
    - delete  endpoint-logs          ec2.vpc_endpoint  vpce-[id]
    - delete  group-rules-endpoints  ec2.security_group_rules  sg-[id]
    - delete  group-endpoints        ec2.security_group  sg-[id]
    student-records dev in account 123456789012, us-east-1: 3 to delete
    ");
    insta::assert_snapshot!(changed.writes, @"
    ec2:DeleteSecurityGroup
    ec2:DeleteTags
    ec2:DeleteVpcEndpoints
    ec2:RevokeSecurityGroupIngress
    ");
    insta::assert_snapshot!(changed.difference(), @"
    - ec2.security-group student-endpoints-dev
    - ec2.vpc-endpoint student-endpoint-logs-dev
    ");
}

#[test]
fn a_campus_system_gets_its_key_and_plan_and_loses_them() {
    let up = Up::with("");
    let changed = up.change("[api]\ncampus_systems = [\"campus\", \"library\"]\n");
    insta::assert_snapshot!(changed.plan, @r#"
    + create  api-key-library         apigateway.api_key
          enabled: true
    + create  usage-plan-library      apigateway.usage_plan
          throttle_rate: 100.0
          throttle_burst: 200
          quota.limit: 1000000
          quota.period: "MONTH"
    + create  usage-plan-key-library  apigateway.usage_plan_key
    student-records dev in account 123456789012, us-east-1: 3 to create
    "#);
    insta::assert_snapshot!(changed.writes, @"
    apigateway:CreateApiKey
    apigateway:CreateUsagePlan
    apigateway:CreateUsagePlanKey
    ");
    insta::assert_snapshot!(changed.difference(), @"
    + apigateway.api-key student-key-library-dev
    + apigateway.usage-plan student-plan-library-dev
    ");
    let changed = up.change_losing("", &["api-key-library"]);
    insta::assert_snapshot!(changed.writes, @"
    apigateway:DeleteApiKey
    apigateway:DeleteUsagePlan
    apigateway:DeleteUsagePlanKey
    apigateway:UpdateUsagePlan
    ");
    insta::assert_snapshot!(changed.difference(), @"
    - apigateway.api-key student-key-library-dev
    - apigateway.usage-plan student-plan-library-dev
    ");
}

#[test]
fn logs_are_kept_longer() {
    let up = Up::with("");
    let changed = up.change("[logs]\nretention_days = 90\n");
    insta::assert_snapshot!(changed.plan, @"
    ~ update  log-group-api-access     logs.log_group  student-api-access-dev
          retention_days: 30 → 90
    ~ update  log-group-api-execution  logs.log_group  API-Gateway-Execution-Logs_[id]/dev
          retention_days: 30 → 90
    ~ update  log-group-database       logs.log_group  /aws/rds/cluster/student-aurora-dev/postgresql
          retention_days: 30 → 90
    ~ update  log-group-trail          logs.log_group  student-trail-dev
          retention_days: 30 → 90
    ~ update  log-group-insights       logs.log_group  /aws/ecs/containerinsights/student-cluster-dev/performance
          retention_days: 30 → 90
    ~ update  log-group-service        logs.log_group  student-service-dev
          retention_days: 30 → 90
    ~ update  log-group-flow           logs.log_group  student-vpc-flow-dev
          retention_days: 30 → 90
    student-records dev in account 123456789012, us-east-1: 7 to update
    ");
    insta::assert_snapshot!(changed.writes, @"logs:PutRetentionPolicy × 7");
    assert_eq!(changed.difference(), "");
}

#[test]
fn a_shorter_retention_is_data_loss_and_is_asked_for_by_name() {
    let (aws, desk) = standing();
    desk.settings(
        "logs.retention_days = 14\ndatabase.backup_days = 7\ncache.snapshot_days = 3\nfiles.backup = false\n\
         audit.expire_after_days = 200\n",
    );
    let (mark, few) = (aws.mark(), ["--target", "db-cluster", "--target", "cache", "--target", "audit-bucket"]);
    let few = [&few[..], &["--target", "file-system", "--target", "log-group-service"]].concat();
    let refused = desk.tapctl(&[&["apply", "--yes"], &few[..]].concat()).expect(1);
    insta::assert_snapshot!(refused.stderr, @"
    error: this plan would lose the way back by daily backups of file-system, automatic snapshots older than 3 days of cache, logs older than 14 days of log-group-database, automated backups older than 7 days of db-cluster, logs older than 14 days of log-group-service and objects older than 200 days of audit-bucket; nothing was changed
    hint: if that is meant, add --allow-data-loss file-system --allow-data-loss cache --allow-data-loss log-group-database --allow-data-loss db-cluster --allow-data-loss log-group-service --allow-data-loss audit-bucket
    ");
    assert_eq!(aws.writes_since(mark), [""; 0]);
    let plan = desk.tapctl(&[&["plan", "--json"], &few[..]].concat()).expect(2).json();
    let loses = plan.as_array().into_iter().flatten().filter_map(|step| step["loses"].as_str());
    assert_eq!(loses.count(), 6);
    let named = ["db-cluster", "cache", "audit-bucket", "file-system", "log-group-service", "log-group-database"];
    let named = named.iter().flat_map(|node| ["--allow-data-loss", node]);
    let allowed: Vec<&str> = ["apply", "--yes"].into_iter().chain(few).chain(named).collect();
    desk.tapctl(&allowed).expect(0);
}

#[test]
fn the_alarms_of_the_cache_are_of_the_nodes_that_it_has() {
    let (aws, desk) = standing();
    for nodes in [3, 2, 3] {
        desk.settings(&format!("cache.nodes = {nodes}\n"));
        desk.tapctl(&["apply", "--yes"]).expect(0);
        desk.tapctl(&["plan"]).expect(0);
        let told = aws.python(
            "group = client('elasticache').describe_replication_groups()['ReplicationGroups'][0]\n\
             alarms = client('cloudwatch').describe_alarms(AlarmNamePrefix='student-cache-')['MetricAlarms']\n\
             watched = {one['Value'] for alarm in alarms for one in alarm['Dimensions']}\n\
             print(json.dumps([sorted(group['MemberClusters']), sorted(watched)]))",
        );
        assert_eq!(told[0], told[1]);
        assert_eq!(told[0].as_array().map(Vec::len), Some(nodes));
    }
}

#[test]
fn a_writer_hands_over_before_it_goes_and_members_stay_in_their_zones() {
    let (three, two) = ("[database]\ninstances = 3\n", "[network]\nazs = 3\n");
    let Up { aws, desk } = Up::with(three);
    desk.settings(&format!("{three}{two}"));
    let plan = desk.tapctl(&["plan"]).expect(2);
    assert!(!plan.stdout.contains("db-instance"), "the third stands in the first zone and stays there\n{plan}");
    desk.settings(three);
    aws.python(
        "client('rds').failover_db_cluster(DBClusterIdentifier='student-aurora-dev',
                                           TargetDBInstanceIdentifier='student-aurora-3-dev')",
    );
    aws.local("POST", "settle", Value::Null);
    desk.tapctl(&["plan"]).expect(0);
    desk.settings("");
    let told = "note: db-instance-3: student-aurora-3-dev is the writer now; the database fails over to student-aurora-1-dev \
                first, and takes no writes for about 30 s";
    assert!(desk.tapctl(&["plan"]).expect(2).stderr.contains(told));
    let mark = aws.mark();
    let applied = desk.tapctl(&["apply", "--yes"]).expect(0);
    assert!(applied.stderr.contains(told), "{applied}");
    let writes = aws.writes_since(mark);
    let at = |call: &str| writes.iter().position(|write| write == call);
    assert!(
        at("rds:FailoverDBCluster").is_some() && at("rds:FailoverDBCluster") < at("rds:DeleteDBInstance"),
        "{writes:?}"
    );
    assert_eq!(writes.iter().filter(|write| *write == "rds:FailoverDBCluster").count(), 1, "{writes:?}");
    let writers = "print(json.dumps([one['DBInstanceIdentifier'] for one in \
                   client('rds').describe_db_clusters()['DBClusters'][0]['DBClusterMembers'] if one['IsClusterWriter']]))";
    assert_eq!(aws.python(writers), serde_json::json!(["student-aurora-1-dev"]));
    desk.tapctl(&["plan"]).expect(0);
    let mark = aws.mark();
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert!(!aws.writes_since(mark).contains(&"rds:FailoverDBCluster".to_owned()));
    aws.assert_lawful();
}
