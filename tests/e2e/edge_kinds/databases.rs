//! Databases on their own with their credentials, and proxies before clusters.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tapctl::resources::{iam, logs, rds, secretsmanager};
use tapctl::stack::{Out, Stack};

use super::{Bench, stack};
use crate::harness::LocalAws;

/// A network, and a key whose policy lets everybody in the account use it; prints their ids.
const GROUND: &str = "
ec2 = client('ec2')
vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
for number, zone in enumerate('ab'):
    ec2.create_subnet(VpcId=vpc, CidrBlock=f'10.0.{number}.0/24', AvailabilityZone=f'us-east-1{zone}')
for name in ('one', 'two'):
    ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)
client('kms').create_key(Description='bench')
";
const FIND_GROUND: &str = "
ec2 = client('ec2')
subnets = [item['SubnetId'] for item in ec2.describe_subnets()['Subnets'] if not item['DefaultForAz']]
groups = {item['GroupName']: item['GroupId'] for item in ec2.describe_security_groups()['SecurityGroups']}
key = client('kms').list_keys()['Keys'][0]['KeyArn']
print(json.dumps({'subnets': subnets, 'one': groups['one'], 'two': groups['two'], 'key': key}))
";

/// What [`GROUND`] made.
struct Ground {
    subnets: BTreeSet<Out<String>>,
    one: Out<String>,
    two: Out<String>,
    key: Out<String>,
}

impl Ground {
    fn under(aws: &LocalAws) -> Ground {
        let found = aws.python(FIND_GROUND);
        let text = |value: &Value| Out::from(value.as_str().expect("an id"));
        Ground {
            subnets: found["subnets"].as_array().expect("subnets").iter().map(text).collect(),
            one: text(&found["one"]),
            two: text(&found["two"]),
            key: text(&found["key"]),
        }
    }
}

fn credentials(ground: &Ground) -> secretsmanager::Secret {
    let fields = [("engine", "postgres"), ("port", "5432"), ("dbname", "pipeline")];
    secretsmanager::Secret {
        name: "bench-db/credentials".to_owned(),
        description: "The master user".to_owned(),
        kms_key_id: ground.key.clone(),
        value: secretsmanager::SecretValue::Credentials {
            password_length: 32,
            fields: fields.map(|(name, value)| (name.to_owned(), value.into())).into(),
        },
        recovery_window_days: None,
        tags: BTreeMap::new(),
    }
}

fn database(ground: &Ground, change: impl FnOnce(&mut rds::StandaloneDbInstance)) -> Stack {
    let mut stack = stack();
    let secret = stack.add("secret", credentials(ground));
    let subnet_group = rds::DbSubnetGroup {
        name: "bench-subnets".to_owned(),
        description: "Private subnets".to_owned(),
        subnet_ids: ground.subnets.clone(),
        vpc_id: None,
        tags: BTreeMap::new(),
    };
    let subnet_group = stack.add("subnet-group", subnet_group);
    let parameter_group = rds::DbParameterGroup {
        name: "bench-postgres16".to_owned(),
        family: "postgres16".to_owned(),
        description: "TLS only".to_owned(),
        parameters: [("rds.force_ssl".to_owned(), "1".to_owned())].into(),
        tags: BTreeMap::new(),
    };
    let parameter_group = stack.add("parameter-group", parameter_group);
    let mut log_group = |log: &str| {
        let name = format!("/aws/rds/instance/bench-db/{log}").into();
        let group = logs::LogGroup {
            name,
            kms_key_arn: None,
            retention_days: 7,
            deletion_protection: None,
            tags: BTreeMap::new(),
        };
        stack.add(format!("log-group-{log}"), group).arn()
    };
    let log_groups = ["postgresql", "upgrade"].map(&mut log_group).into();
    let mut instance = rds::StandaloneDbInstance {
        name: "bench-db".to_owned(),
        engine: "postgres".to_owned(),
        engine_version: "16.11".to_owned(),
        instance_class: "db.t3.micro".to_owned(),
        storage_type: "gp3".to_owned(),
        allocated_storage_gib: 20,
        kms_key_id: ground.key.clone(),
        credentials_secret: secret.arn(),
        database_name: "pipeline".to_owned(),
        db_subnet_group: subnet_group.group_name(),
        security_group_ids: [ground.one.clone()].into(),
        parameter_group: parameter_group.group_name(),
        multi_az: false,
        publicly_accessible: false,
        backup_retention_days: 7,
        backup_window: "03:00-04:00".to_owned(),
        maintenance_window: "sun:04:00-sun:05:00".to_owned(),
        log_exports: ["postgresql", "upgrade"].map(str::to_owned).into(),
        log_groups,
        iam_authentication: true,
        auto_minor_version_upgrade: true,
        deletion_protection: true,
        copy_tags_to_snapshot: true,
        final_snapshot: false,
        extended_support: false,
        keep_automated_backups: false,
        tags: BTreeMap::new(),
    };
    change(&mut instance);
    stack.add("database", instance);
    stack
}

#[test]
fn a_database_on_its_own() {
    let bench = Bench::after(GROUND);
    bench.aws.set(json!({ "durations": { "rds.storage.*": 0 } }));
    let ground = Ground::under(&bench.aws);
    let first = database(&ground, |_| {});
    bench.begins(&first);
    let value =
        "json.loads(client('secretsmanager').get_secret_value(SecretId='bench-db/credentials')['SecretString'])";
    let value = bench.aws.python(&format!("print(json.dumps({value}))"));
    assert_eq!(
        (&value["engine"], &value["port"], &value["dbname"]),
        (&json!("postgres"), &json!("5432"), &json!("pipeline"))
    );
    let (user, password) =
        (value["username"].as_str().expect("a name"), value["password"].as_str().expect("a password"));
    let fit = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    assert!(user.len() == 16 && user.chars().all(fit) && user.starts_with(|c: char| c.is_ascii_lowercase()), "{user}");
    assert!(password.len() == 32 && !password.contains(['/', '@', '"', ' ']));
    for text in [bench.state_text(), std::fs::read_to_string(bench.desk.path("answer.json")).expect("an answer")] {
        assert!(!text.contains(user) && !text.contains(password), "the credentials are in two places only");
    }
    let made =
        bench.aws.python("print(json.dumps(client('rds').describe_db_instances()['DBInstances'][0], default=str))");
    assert_eq!(made["MasterUsername"], *user);
    assert_eq!((&made["StorageEncrypted"], &made["PubliclyAccessible"]), (&json!(true), &json!(false)));
    assert_eq!(bench.output("database", "port"), "5432");
    assert!(bench.output("database", "endpoint").starts_with("bench-db."));
    assert_eq!(bench.output("database", "resource_id"), made["DbiResourceId"]);

    let modify = |settings: &str, fields: &[&str]| {
        let python = format!(
            "rds = client('rds')\nrds.modify_db_instance(DBInstanceIdentifier='bench-db', ApplyImmediately=True, {settings})
import time
time.sleep(0.5)\nrds.get_waiter('db_instance_available').wait(DBInstanceIdentifier='bench-db', WaiterConfig={{'Delay': 1}})"
        );
        bench.repairs(&first, &python, fields);
    };
    modify(
        "DBInstanceClass='db.t3.small', MultiAZ=True, BackupRetentionPeriod=1, StorageType='gp2', \
         EnableIAMDatabaseAuthentication=False",
        &[
            "database.backup_retention_days",
            "database.iam_authentication",
            "database.instance_class",
            "database.multi_az",
            "database.storage_type",
        ],
    );
    modify(
        "DeletionProtection=False, CopyTagsToSnapshot=False, AutoMinorVersionUpgrade=False, PubliclyAccessible=True, \
         PreferredBackupWindow='01:00-02:00', PreferredMaintenanceWindow='mon:04:00-mon:05:00', \
         CloudwatchLogsExportConfiguration={'DisableLogTypes': ['upgrade']}",
        &[
            "database.auto_minor_version_upgrade",
            "database.backup_window",
            "database.copy_tags_to_snapshot",
            "database.deletion_protection",
            "database.log_exports",
            "database.maintenance_window",
            "database.publicly_accessible",
        ],
    );
    let other = format!("VpcSecurityGroupIds=['{}']", ground.two.known().expect("an id"));
    modify(&other, &["database.security_group_ids"]);
    modify("DBParameterGroupName='default.postgres16'", &["database.parameter_group"]);
    bench.repairs(
        &first,
        "client('rds').modify_db_parameter_group(DBParameterGroupName='bench-postgres16', Parameters=[
    {'ParameterName': 'rds.force_ssl', 'ParameterValue': '0', 'ApplyMethod': 'pending-reboot'},
    {'ParameterName': 'log_connections', 'ParameterValue': '1', 'ApplyMethod': 'immediate'}])",
        &["parameter-group.parameters.log_connections", "parameter-group.parameters.rds.force_ssl"],
    );
    let larger = database(&ground, |instance| instance.allocated_storage_gib = 50);
    bench.changes(&larger, &["database.allocated_storage_gib"]);
    assert_eq!(bench.plan(&first), [""; 0], "more than is asked for is as wanted");
    let hardly = database(&ground, |instance| instance.allocated_storage_gib = 52);
    assert!(bench.fails(&hardly).contains("55 is the least"));
    bench.changes(
        &database(&ground, |instance| {
            instance.allocated_storage_gib = 50;
            instance.deletion_protection = false;
        }),
        &["database.deletion_protection"],
    );
    bench.ends();
}

#[test]
fn a_database_leaves_a_last_snapshot() {
    let bench = Bench::after(GROUND);
    let ground = Ground::under(&bench.aws);
    bench.apply(&database(&ground, |instance| instance.final_snapshot = true));
    let resource = bench.output("database", "resource_id").replace("db-", "").to_lowercase();
    bench.run("destroy", &stack());
    let left = bench.aws.python("print(json.dumps(client('rds').describe_db_snapshots()['DBSnapshots'], default=str))");
    assert_eq!(left[0]["DBSnapshotIdentifier"], format!("bench-db-final-{resource}"));
}

fn proxied(ground: &Ground, change: impl FnOnce(&mut rds::DbProxy, &mut i32)) -> Stack {
    let mut stack = stack();
    let secret = stack.add("secret", credentials(ground));
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = iam::Role {
        name: "bench-proxy".to_owned(),
        path: "/".to_owned(),
        description: "Reads the secret".to_owned(),
        assume_role_policy: trust,
        policies: BTreeMap::new(),
        managed_policy_arns: BTreeSet::new(),
        max_session_seconds: 3600,
        permissions_boundary: None,
        tags: BTreeMap::new(),
    };
    let role = stack.add("role", role);
    let subnet_group = rds::DbSubnetGroup {
        name: "bench-subnets".to_owned(),
        description: "Private subnets".to_owned(),
        subnet_ids: ground.subnets.clone(),
        vpc_id: None,
        tags: BTreeMap::new(),
    };
    let subnet_group = stack.add("subnet-group", subnet_group);
    let cluster = rds::DbCluster {
        name: "bench-aurora".to_owned(),
        engine: "aurora-postgresql".to_owned(),
        engine_version: "16.11".to_owned(),
        database_name: "records".to_owned(),
        master_username: "studentadmin".to_owned(),
        master_secret_kms_key_id: ground.key.clone(),
        kms_key_id: ground.key.clone(),
        db_subnet_group: subnet_group.group_name(),
        security_group_ids: [ground.one.clone()].into(),
        parameter_group: "default.aurora-postgresql16".into(),
        min_acu: 0.5,
        max_acu: 1.0,
        backup_retention_days: 1,
        backup_window: "03:00-04:00".to_owned(),
        maintenance_window: "sun:04:00-sun:05:00".to_owned(),
        log_exports: BTreeSet::new(),
        log_group: None,
        iam_authentication: true,
        deletion_protection: false,
        copy_tags_to_snapshot: false,
        final_snapshot: false,
        extended_support: false,
        keep_automated_backups: false,
        restored_from: None,
        tags: BTreeMap::new(),
    };
    let cluster = stack.add("cluster", cluster);
    let member = rds::DbInstance {
        name: "bench-aurora-1".to_owned(),
        cluster_identifier: Some(cluster.cluster_identifier()),
        engine: "aurora-postgresql".to_owned(),
        instance_class: "db.serverless".to_owned(),
        availability_zone: None,
        promotion_tier: 0,
        auto_minor_version_upgrade: true,
        performance_insights: false,
        performance_insights_kms_key_id: None,
        maintenance_window: None,
        publicly_accessible: false,
        ca_certificate: None,
        tags: BTreeMap::new(),
    };
    let member = stack.add("member", member);
    let mut max_connections_percent = 60;
    let logs = logs::LogGroup {
        name: "/aws/rds/proxy/bench-proxy".into(),
        kms_key_arn: None,
        retention_days: 7,
        deletion_protection: None,
        tags: BTreeMap::new(),
    };
    let logs = stack.add("logs", logs);
    let mut proxy = rds::DbProxy {
        name: "bench-proxy".to_owned(),
        engine_family: "POSTGRESQL".to_owned(),
        secret_arn: secret.arn(),
        role_arn: role.arn(),
        subnet_ids: ground.subnets.clone(),
        security_group_ids: [ground.one.clone()].into(),
        require_tls: true,
        iam_auth: true,
        idle_client_timeout_seconds: 900,
        debug_logging: false,
        log_group: Some(logs.group_name()),
        tags: BTreeMap::new(),
    };
    change(&mut proxy, &mut max_connections_percent);
    let proxy = stack.add("proxy", proxy);
    let target = rds::DbProxyTarget {
        proxy: proxy.proxy_name(),
        cluster_identifier: cluster.cluster_identifier(),
        ready_instances: [member.instance_identifier()].into(),
        max_connections_percent,
    };
    stack.add("target", target);
    stack
}

#[test]
fn a_proxy_before_a_cluster() {
    // RDS leaves the proxy's subnet in that zone out, and nothing is wrong with it.
    let third = "ec2.create_subnet(VpcId=vpc, CidrBlock='10.0.9.0/24', AvailabilityZone='us-east-1e')";
    let bench = Bench::after(&format!("{GROUND}{third}"));
    let ground = Ground::under(&bench.aws);
    let first = proxied(&ground, |_, _| {});
    bench.begins(&first);
    assert!(bench.output("proxy", "endpoint").starts_with("bench-proxy.proxy-"));
    let rds = "rds = client('rds')\nname = {'DBProxyName': 'bench-proxy'}\nimport time\n";
    let alter = |python: &str, fields: &[&str]| {
        bench.repairs(&first, &format!("{rds}{python}\ntime.sleep(0.6)\nrds.describe_db_proxies()"), fields);
    };
    alter(
        &format!(
            "rds.modify_db_proxy(**name, RequireTLS=False, IdleClientTimeout=60, DebugLogging=True, \
             SecurityGroups=['{}'])",
            ground.two.known().expect("an id")
        ),
        &["proxy.debug_logging", "proxy.idle_client_timeout_seconds", "proxy.require_tls", "proxy.security_group_ids"],
    );
    alter(
        "auth = [{'AuthScheme': 'SECRETS', 'IAMAuth': 'DISABLED', \
         'SecretArn': 'arn:aws:secretsmanager:us-east-1:123456789012:secret:other-AbCdEf'}]
rds.modify_db_proxy(**name, Auth=auth)",
        &["proxy.iam_auth", "proxy.secret_arn"],
    );
    alter(
        "arn = rds.describe_db_proxies()['DBProxies'][0]['DBProxyArn']
rds.add_tags_to_resource(ResourceName=arn, Tags=[{'Key': 'Mine', 'Value': 'yes'}])",
        &["proxy.tags.Mine"],
    );
    alter(
        "rds.modify_db_proxy_target_group(**name, TargetGroupName='default', \
         ConnectionPoolConfig={'MaxConnectionsPercent': 10, 'MaxIdleConnectionsPercent': 5})",
        &["target.max_connections_percent"],
    );
    alter("rds.deregister_db_proxy_targets(**name, DBClusterIdentifiers=['bench-aurora'])", &["create target"]);
    let changed = proxied(&ground, |proxy, percent| {
        proxy.iam_auth = false;
        *percent = 30;
    });
    bench.changes(&changed, &["proxy.iam_auth", "target.max_connections_percent"]);
    bench.ends();
}
