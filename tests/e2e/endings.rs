//! What AWS itself holds on to, makes anew or never mends: it is named, taken along, taken over, or made again.

use serde_json::json;

use crate::harness::{LocalAws, standing};

/// How many endpoints and groups GuardDuty has in the account.
fn lodgers(aws: &LocalAws) -> (usize, usize) {
    let found = aws.python(
        "ec2 = client('ec2')
managed = [{'Name': 'tag:GuardDutyManaged', 'Values': ['true']}]
print(json.dumps([len(ec2.describe_vpc_endpoints(Filters=managed)['VpcEndpoints']),
    len(ec2.describe_security_groups(Filters=managed)['SecurityGroups'])]))",
    );
    let number = |at: usize| usize::try_from(found[at].as_u64().expect("a number")).expect("it is small");
    (number(0), number(1))
}

#[test]
fn what_guardduty_has_put_into_the_network_goes_with_it_and_is_named() {
    let (aws, desk) = standing();
    aws.set(json!({ "guardduty": true }));
    aws.python(
        "ecs = client('ecs')
cluster = ecs.list_clusters()['clusterArns'][0]
ecs.update_service(cluster=cluster, service=ecs.list_services(cluster=cluster)['serviceArns'][0], forceNewDeployment=True)",
    );
    aws.local("POST", "settle", json!({}));
    assert_eq!(lodgers(&aws), (1, 1));
    desk.tapctl(&["drift"]).expect(0);
    let plan = desk.tapctl(&["plan", "--destroy"]).expect(2);
    for node in ["guardduty-endpoint", "guardduty-group"] {
        assert!(plan.stdout.contains(node), "{plan}");
    }
    let gone = desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert!(
        gone.stderr.contains("the log group /aws/apigateway/welcome")
            || gone.stdout.contains("/aws/apigateway/welcome"),
        "{gone}"
    );
    assert_eq!(lodgers(&aws), (0, 0));
    assert!(aws.sweep().leftovers().names().is_empty(), "{:?}", aws.sweep().leftovers().names());
    aws.assert_lawful();
}

#[test]
fn a_flow_log_that_could_not_deliver_is_made_anew() {
    let (aws, desk) = standing();
    aws.set(json!({ "durations": { "ec2.flow-log.delivery": 0 } }));
    aws.python("client('iam').delete_role_policy(RoleName='student-flow-logs-dev', PolicyName='flow-logs')");
    let drift = desk.tapctl(&["drift"]).expect(2);
    assert!(drift.stdout.contains("delivery failed: Access error"), "{drift}");
    let before = aws.sweep();
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_ne!(aws.sweep().of("ec2.flow-log"), before.of("ec2.flow-log"));
    desk.tapctl(&["drift"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn a_proxy_that_is_turned_away_at_first_is_waited_for() {
    let (aws, desk) = standing();
    aws.set(json!({ "durations": { "rds.proxy.log-in": 600 } }));
    desk.settings("database.proxy = true");
    let mark = aws.mark();
    desk.tapctl(&["apply", "--yes", "--target", "db-proxy-target"]).expect(0);
    assert!(aws.log_since(mark).iter().any(|call| call.operation == "RegisterDBProxyTargets"));
    aws.assert_lawful();
}

#[test]
fn a_trail_is_mended_once_its_next_delivery_has_ended_well() {
    let (aws, desk) = standing();
    aws.set(json!({ "durations": { "cloudtrail.delivery": 3000 } }));
    aws.python(
        "name = [b['Name'] for b in client('s3').list_buckets()['Buckets'] if 'audit' in b['Name']][0]
client('s3').delete_bucket_policy(Bucket=name)",
    );
    aws.local("POST", "settle", json!({}));
    let failed = || desk.tapctl(&["drift"]).stdout.contains("delivery to the bucket fails: AccessDenied");
    crate::harness::wait_for("AWS tells it", std::time::Duration::from_secs(60), || failed().then_some(()));
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn a_log_group_that_a_service_made_long_after_the_destroy_is_taken_over() {
    let (aws, desk) = standing();
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    aws.python("client('logs').create_log_group(logGroupName='student-vpc-flow-dev')");
    let plan = desk.tapctl(&["plan"]).expect(2);
    let adopted = plan.stdout.lines().find(|line| line.contains("log-group-flow "));
    assert!(adopted.is_some_and(|line| line.contains("adopt")), "{plan}");
    aws.python("client('logs').put_retention_policy(logGroupName='student-vpc-flow-dev', retentionInDays=7)");
    let refused = desk.tapctl(&["plan"]).expect(1);
    assert!(refused.stderr.contains("exists and is not ours"), "{refused}");
}
