//! Ownership: the tags by which everything is found again when the state is lost.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::standing;

#[test]
fn ownership_tags_that_were_taken_off_are_told_and_put_back() {
    let (aws, desk) = standing();
    let state = desk.state("dev");
    let nodes = state["nodes"].as_object().expect("nodes");
    let tagged: BTreeSet<String> =
        nodes.iter().filter(|(_, node)| node["spec"]["tags"].is_object()).map(|(name, _)| name.clone()).collect();
    assert!(tagged.len() > 60, "{tagged:?}");
    let path = desk.state_path("dev");
    aws.python(&format!("state, keys = {path:?}, ['tapctl:node']\n{UNTAG}"));
    let mark = aws.mark();
    let drift = desk.tapctl(&["drift", "--json"]).expect(2).json();
    let told = |drifted: &&Value| {
        let changes = drifted["changes"].as_array().into_iter().flatten();
        changes.map(|change| change["path"].as_str()).eq([Some("tags.tapctl:node")])
    };
    let drifted = drift.as_array().expect("a list").iter();
    let told: BTreeSet<String> =
        drifted.filter(told).filter_map(|drifted| drifted["node"].as_str().map(str::to_owned)).collect();
    assert_eq!(told, tagged);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    let plan = desk.tapctl(&["plan"]).expect(2);
    assert!(plan.stdout.contains(&format!(": {} to update\n", tagged.len())), "{plan}");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
    let writes = aws.writes_since(mark);
    assert!(!writes.iter().any(|call| call.contains(":Create") && call != "ec2:CreateTags"), "{writes:?}");
}

/// Takes the tags of these `keys` off every object of a `state`.
pub const UNTAG: &str = r#"
def arn(node):
    found = [node['id'], *(node['outputs'] or {}).values()]
    return next(value for value in found if isinstance(value, str) and value.startswith('arn:'))
scaling = client('application-autoscaling')
def target(): return scaling.describe_scalable_targets(ServiceNamespace='ecs')['ScalableTargets'][0]['ScalableTargetARN']
def gateway(path): return f'arn:aws:apigateway:us-east-1::/{path}'
def dashboard(name): return f'arn:aws:cloudwatch::123456789012:dashboard/{name}'
def untag_bucket(name):
    tags = [tag for tag in client('s3').get_bucket_tagging(Bucket=name)['TagSet'] if tag['Key'] not in keys]
    client('s3').delete_bucket_tagging(Bucket=name)
    if tags:
        client('s3').put_bucket_tagging(Bucket=name, Tagging={'TagSet': tags})
def restapi(id): return 'restapis/' + id.replace('|', '/stages/')
UNTAG = {
    'acm.': lambda n: client('acm').remove_tags_from_certificate(CertificateArn=arn(n), Tags=[{'Key': key} for key in keys]),
    'apigateway.api_key': lambda n: client('apigateway').untag_resource(resourceArn=gateway('apikeys/' + n['id']), tagKeys=keys),
    'apigateway.usage_plan': lambda n: client('apigateway').untag_resource(resourceArn=gateway('usageplans/' + n['id']), tagKeys=keys),
    'apigateway.': lambda n: client('apigateway').untag_resource(resourceArn=gateway(restapi(n['id'])), tagKeys=keys),
    'apigatewayv2.': lambda n: client('apigatewayv2').untag_resource(ResourceArn=gateway('vpclinks/' + n['id']), TagKeys=keys),
    'applicationautoscaling.': lambda n: scaling.untag_resource(ResourceARN=target(), TagKeys=keys),
    'cloudtrail.': lambda n: client('cloudtrail').remove_tags(ResourceId=arn(n), TagsList=[{'Key': key} for key in keys]),
    'cloudwatch.dashboard': lambda n: client('cloudwatch').untag_resource(ResourceARN=dashboard(n['id']), TagKeys=keys),
    'cloudwatch.': lambda n: client('cloudwatch').untag_resource(ResourceARN=arn(n), TagKeys=keys),
    'cognito.': lambda n: client('cognito-idp').untag_resource(ResourceArn=arn(n), TagKeys=keys),
    'ec2.': lambda n: client('ec2').delete_tags(Resources=[n['id']], Tags=[{'Key': key} for key in keys]),
    'ecs.': lambda n: client('ecs').untag_resource(resourceArn=arn(n), tagKeys=keys),
    'efs.': lambda n: client('efs').untag_resource(ResourceId=n['id'], TagKeys=keys),
    'elasticache.': lambda n: client('elasticache').remove_tags_from_resource(ResourceName=arn(n), TagKeys=keys),
    'elbv2.': lambda n: client('elbv2').remove_tags(ResourceArns=[arn(n)], TagKeys=keys),
    'iam.': lambda n: client('iam').untag_role(RoleName=n['id'], TagKeys=keys),
    'kinesis.': lambda n: client('kinesis').remove_tags_from_stream(StreamName=n['id'], TagKeys=keys),
    'kms.': lambda n: client('kms').untag_resource(KeyId=n['id'], TagKeys=keys),
    'logs.': lambda n: client('logs').untag_resource(resourceArn=arn(n), tagKeys=keys),
    'rds.': lambda n: client('rds').remove_tags_from_resource(ResourceName=arn(n), TagKeys=keys),
    's3.': lambda n: untag_bucket(n['id']),
    'secretsmanager.': lambda n: client('secretsmanager').untag_resource(SecretId=n['id'], TagKeys=keys),
    'sns.': lambda n: client('sns').untag_resource(ResourceArn=arn(n), TagKeys=keys),
    'wafv2.': lambda n: client('wafv2').untag_resource(ResourceARN=arn(n), TagKeys=keys),
}
for node in json.load(open(state))['nodes'].values():
    if isinstance(node['spec'].get('tags'), dict):
        next(untag for kind, untag in UNTAG.items() if node['kind'].startswith(kind))(node)
"#;
