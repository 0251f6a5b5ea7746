//! What goes on being served while it is changed: nobody who calls is to notice.

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, standing};

/// The target group's ARN, its targets' ports, and the ports that rules let through to the service.
const REACHED: &str = "
elb, ec2 = client('elbv2'), client('ec2')
group = elb.describe_target_groups()['TargetGroups'][0]['TargetGroupArn']
health = elb.describe_target_health(TargetGroupArn=group)['TargetHealthDescriptions']
named = [{'Name': 'group-name', 'Values': ['student-service-dev']}]
service = ec2.describe_security_groups(Filters=named)['SecurityGroups'][0]
ports = sorted(rule['FromPort'] for rule in service['IpPermissions'])
print(json.dumps([group, sorted({one['Target']['Port'] for one in health}), ports]))
";

fn reached(aws: &LocalAws) -> [Value; 3] {
    serde_json::from_value(aws.python(REACHED)).expect("three values")
}

/// Applies new settings while the local AWS notes whatever leaves the service without a way.
fn change(aws: &LocalAws, desk: &Desk, settings: &str) {
    aws.set(json!({ "gaps": true }));
    desk.settings(settings);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn the_port_of_the_service_changes_without_a_request_that_fails() {
    let (aws, desk) = standing();
    let [group, targets, ports] = reached(&aws);
    assert_eq!((targets, ports), (json!([8080]), json!([8080])));
    change(&aws, &desk, "service.port = 9090");
    assert_eq!(reached(&aws), [group, json!([9090]), json!([9090])]);
}

/// What does not come up leaves the old tasks reached; a rule goes only after the last of them.
#[test]
fn tasks_that_do_not_come_up_on_the_new_port_leave_the_old_ones_reached() {
    let (aws, desk) = standing();
    aws.set(json!({ "gaps": true }));
    aws.local("POST", "endings", json!({ "kind": "ecs.deployment", "ending": "failed" }));
    desk.settings("service.port = 9090");
    desk.tapctl(&["apply", "--yes"]).expect(1);
    assert_eq!(reached(&aws)[2], json!([8080, 9090]));
    change(&aws, &desk, "service.port = 9090");
    assert_eq!(reached(&aws)[1..], [json!([9090]), json!([9090])]);
}
