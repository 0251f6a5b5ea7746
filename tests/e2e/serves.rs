//! What goes on being served while it is changed: nobody who calls is to notice.

use serde_json::{Value, json};

use crate::callers::Callers;
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

const TLS: &str = "service.tls = true\nservice.image = \"registry.example/student-api:1\"";

/// What the load balancer leads to, which groups and services there are, what scales, and what of it is whose target.
const LED_TO: &str = "
elb, ecs, scaling = client('elbv2'), client('ecs'), client('application-autoscaling')
groups = {one['TargetGroupArn']: one for one in elb.describe_target_groups()['TargetGroups']}
balancer = elb.describe_load_balancers()['LoadBalancers'][0]['LoadBalancerArn']
led = set()
for listener in elb.describe_listeners(LoadBalancerArn=balancer)['Listeners']:
    for rule in elb.describe_rules(ListenerArn=listener['ListenerArn'])['Rules']:
        led |= {groups[action['TargetGroupArn']]['Protocol'] for action in rule['Actions'] if 'TargetGroupArn' in action}
services = sorted(arn.rsplit('/')[-1] for arn in ecs.list_services(cluster='student-cluster-dev')['serviceArns'])
scaled = [one['ResourceId'].rsplit('/')[-1] for one in scaling.describe_scalable_targets(ServiceNamespace='ecs')['ScalableTargets']]
print(json.dumps([sorted(led), sorted(one['Protocol'] for one in groups.values()), services, sorted(scaled)]))
";

fn led_to(aws: &LocalAws) -> Value {
    aws.python(LED_TO)
}

fn plain() -> Value {
    json!([["HTTP"], ["HTTP"], ["student-api-dev"], ["student-api-dev"]])
}

fn encrypted() -> Value {
    json!([["HTTPS"], ["HTTPS"], ["student-api-2-dev"], ["student-api-2-dev"]])
}

#[test]
fn the_protocol_of_the_service_changes_there_and_back_without_a_request_that_fails() {
    let (aws, desk) = standing();
    assert_eq!(led_to(&aws), plain());
    let callers = Callers::of("student-records", &aws);
    change(&aws, &desk, TLS);
    assert_eq!(led_to(&aws), encrypted());
    change(&aws, &desk, "");
    assert_eq!(led_to(&aws), plain());
    callers.were_all_served();
}

/// AWS goes on sending requests where a rule led before, for seconds that it tells nobody of.
#[test]
fn the_old_tasks_stay_until_requests_have_moved() {
    let (aws, desk) = standing();
    aws.set(json!({ "speed": "fast", "durations": { "elbv2.rule": 800 } }));
    let callers = Callers::of("student-records", &aws);
    change(&aws, &desk, TLS);
    callers.were_all_served();
}

/// More of them serve than a service begins with: as many take over.
#[test]
fn as_many_tasks_take_over_as_there_are() {
    let (aws, desk) = standing();
    change(&aws, &desk, "service.tasks = 4\nservice.min_tasks = 4");
    change(&aws, &desk, TLS);
    let made = aws.log().into_iter().find(|call| call.name() == "ecs:CreateService").expect("a service is made");
    assert_eq!(made.params["desiredCount"], json!(4));
}

/// The plan says in which order it all comes, and the order holds: requests go to the old tasks until the new ones run.
#[test]
fn tasks_that_do_not_come_up_with_the_new_protocol_take_nothing_from_the_old_ones() {
    let (aws, desk) = standing();
    let callers = Callers::of("student-records", &aws);
    aws.set(json!({ "gaps": true }));
    aws.local("POST", "endings", json!({ "kind": "ecs.deployment", "ending": "failed" }));
    desk.settings(TLS);
    let planned = desk.tapctl(&["plan"]).expect(2);
    assert!(planned.stderr.contains("first service-2 comes up beside service; then the load balancer moves to it"));
    let steps: Value = serde_json::from_str(&desk.tapctl(&["plan", "--json"]).expect(2).stdout).expect("a plan");
    let planned = |node| steps.as_array().and_then(|steps| steps.iter().find(|step| step["node"] == node)).cloned();
    for (node, action) in [
        ("service-2", "create"),
        ("listener-rule-next", "create"),
        ("listener-https", "update"),
        ("listener-rule-stage", "update"),
        ("service", "delete"),
        ("target-group", "delete"),
        ("scalable-target", "delete"),
    ] {
        assert_eq!(planned(node).unwrap_or_default()["action"], action, "{node}");
    }
    desk.tapctl(&["apply", "--yes"]).expect(1);
    assert_eq!(led_to(&aws)[0], json!(["HTTP", "HTTPS"]), "a rule that is never asked leads to the new ones");
    change(&aws, &desk, "");
    assert_eq!(led_to(&aws), plain());
    callers.were_all_served();
}

/// A run that ends anywhere on the way is gone on with, or gone back on: one is cut in each turn.
#[test]
fn a_change_of_protocol_that_was_cut_goes_on_or_back() {
    for (service, operation) in [("ecs", "CreateService"), ("elbv2", "ModifyRule"), ("ecs", "DeleteService")] {
        let (aws, desk) = standing();
        aws.set(json!({ "gaps": true }));
        desk.settings(TLS);
        let call = json!({ "service": service, "operation": operation });
        aws.fault(json!({ "match": call, "code": "AccessDenied", "status": 403, "message": "not you" }));
        desk.tapctl(&["apply", "--yes"]).expect(1);
        for (settings, there) in [(TLS, encrypted()), ("", plain())] {
            let aws = aws.fork();
            let desk = desk.copy_for(&aws);
            change(&aws, &desk, settings);
            assert_eq!(led_to(&aws), there, "cut at {operation}");
        }
    }
}

/// Where the state is lost on the other side, what stands is found there and stays.
#[test]
fn a_lost_state_is_found_again_on_whichever_side_serves() {
    let (aws, desk) = standing();
    change(&aws, &desk, TLS);
    std::fs::remove_dir_all(desk.path("state")).expect("the state goes");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    assert_eq!(led_to(&aws), encrypted());
}
