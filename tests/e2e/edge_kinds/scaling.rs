//! Scaling in steps.

use std::collections::{BTreeMap, BTreeSet};

use tapctl::resources::applicationautoscaling::scaling_policy::{Metric, Scaling, Step, StepScaling, TargetTracking};
use tapctl::resources::applicationautoscaling::{ScalableTarget, ScalingPolicy};

use super::{Bench, stack};

#[test]
fn a_policy_that_scales_in_steps() {
    let bench = Bench::after(
        "
ec2 = client('ec2')
vpc = ec2.create_vpc(CidrBlock='10.0.0.0/16')['Vpc']['VpcId']
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.0.0.0/24')['Subnet']['SubnetId']
ecs = client('ecs')
ecs.create_cluster(clusterName='bench')
trust = {'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}, 'Action': 'sts:AssumeRole'}
role = client('iam').create_role(RoleName='bench', AssumeRolePolicyDocument=json.dumps(
    {'Version': '2012-10-17', 'Statement': [trust]}))['Role']['Arn']
ecs.register_task_definition(family='bench', networkMode='awsvpc', requiresCompatibilities=['FARGATE'], cpu='256',
    memory='512', executionRoleArn=role, containerDefinitions=[{'name': 'a', 'image': 'a', 'essential': True}])
ecs.create_service(cluster='bench', serviceName='bench', taskDefinition='bench', desiredCount=1, launchType='FARGATE',
    networkConfiguration={'awsvpcConfiguration': {'subnets': [subnet]}})
ecs.get_waiter('services_stable').wait(cluster='bench', services=['bench'], WaiterConfig={'Delay': 1})",
    );
    let with = |scaling: Scaling| {
        let mut stack = stack();
        let target = ScalableTarget {
            cluster: "bench".into(),
            service: "bench".into(),
            min: 1,
            max: 4,
            suspended: BTreeSet::new(),
            tags: BTreeMap::new(),
        };
        let target = stack.add("target", target);
        let name = "bench-backlog".to_owned();
        stack.add("policy", ScalingPolicy { name, resource_id: target.resource_id(), scaling });
        stack
    };
    let steps = StepScaling {
        adjustment_type: "ChangeInCapacity".to_owned(),
        cooldown_seconds: 60,
        steps: vec![
            Step { lower: Some(0.0), upper: Some(60_000.0), adjustment: 1 },
            Step { lower: Some(60_000.0), upper: None, adjustment: 3 },
        ],
        metric_aggregation: "Maximum".to_owned(),
    };
    let first = with(Scaling::Step(steps.clone()));
    bench.begins(&first);
    assert!(bench.output("policy", "arn").contains(":scalingPolicy:"));
    let put = "
scaling = client('application-autoscaling')
which = dict(PolicyName='bench-backlog', ServiceNamespace='ecs', ResourceId='service/bench/bench',
    ScalableDimension='ecs:service:DesiredCount')
found = scaling.describe_scaling_policies(ServiceNamespace='ecs')['ScalingPolicies'][0]
steps = found['StepScalingPolicyConfiguration']
def put(**change):
    scaling.put_scaling_policy(**which, PolicyType='StepScaling', StepScalingPolicyConfiguration=steps | change)
";
    let alter = |python: &str, fields: &[&str]| bench.repairs(&first, &format!("{put}{python}"), fields);
    alter(
        "put(Cooldown=5, MetricAggregationType='Average')",
        &["policy.cooldown_seconds", "policy.metric_aggregation"],
    );
    alter("put(StepAdjustments=steps['StepAdjustments'][::-1])\nput(Cooldown=7)", &["policy.cooldown_seconds"]);
    alter("put(StepAdjustments=[{'MetricIntervalLowerBound': 0, 'ScalingAdjustment': 9}])", &["policy.steps"]);
    alter("put(AdjustmentType='ExactCapacity')", &["policy.adjustment_type"]);
    alter("scaling.delete_scaling_policy(**which)", &["create policy"]);
    let more = StepScaling { cooldown_seconds: 120, ..steps };
    bench.changes(&with(Scaling::Step(more)), &["policy.cooldown_seconds"]);
    let tracking = with(Scaling::TargetTracking(TargetTracking {
        metric: Metric::Predefined { name: "ECSServiceAverageCPUUtilization".to_owned(), label: None },
        target_value: 60.0,
        scale_in_cooldown_seconds: 300,
        scale_out_cooldown_seconds: 60,
    }));
    bench.apply(&tracking);
    bench.is_as_wanted(&tracking);
    bench.ends();
}
