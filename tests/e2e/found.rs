//! What is ours and stands in no record, and what others have made beside it: told, and removed or left.

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, Run, Sweep, standing};
use crate::requirements::EVERY_OPTION;

/// Objects of the same stack and environment in another region, of which some are global.
const ELSEWHERE: &str = r#"
def tags(key, value, region):
    pairs = {'tapctl:stack': 'student-records', 'tapctl:env': 'dev', 'tapctl:region': region, 'tapctl:node': 'x'}
    return [{key: k, value: v} for k, v in pairs.items()]
trust = {'Effect': 'Allow', 'Principal': {'Service': 'ecs-tasks.amazonaws.com'}, 'Action': 'sts:AssumeRole'}
trust = json.dumps({'Version': '2012-10-17', 'Statement': [trust]})
def stray(region):
    ec2 = boto3.client('ec2', endpoint_url=sys.argv[1], region_name=region, aws_access_key_id='test', aws_secret_access_key='test')
    specification = [{'ResourceType': 'vpc', 'Tags': tags('Key', 'Value', region)}]
    vpc = ec2.create_vpc(CidrBlock='10.77.0.0/16', TagSpecifications=specification)['Vpc']['VpcId']
    client('iam').create_role(RoleName=f'stray-dev-{region}', AssumeRolePolicyDocument=trust, Tags=tags('Key', 'Value', region))
    return vpc
"#;

/// What an account holds apart from what AWS keeps of what was removed.
fn rest(aws: &LocalAws) -> Sweep {
    aws.sweep().leftovers()
}

fn forget(desk: &Desk, name: &str) {
    for file in std::fs::read_dir(desk.path("state")).expect("there are states").flatten() {
        if file.file_name().to_string_lossy().starts_with(name) {
            std::fs::remove_file(file.path()).expect("a state can be lost");
        }
    }
}

#[test]
fn without_a_record_all_is_removed_and_all_beside_it_stands() {
    let aws = LocalAws::lease();
    let (desk, beside, pipeline) = (Desk::at(&aws), Desk::at(&aws), Desk::at(&aws));
    desk.settings(EVERY_OPTION);
    pipeline.settings("stack = \"data-pipeline\"");
    let elsewhere = aws.python(&format!("{ELSEWHERE}print(json.dumps(stray('eu-central-1')))"));
    beside.tapctl(&["apply", "--yes", "--env", "qa", "--target", "db-cluster"]).expect(0);
    let others = rest(&aws);
    pipeline.tapctl(&["apply", "--yes"]).expect(0);
    let with_pipeline = rest(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    forget(&desk, "student-records-dev");
    let plan = desk.tapctl(&["plan", "--destroy"]).expect(2);
    assert!(plan.stderr.contains("all of this was found by its names and tags"), "{plan}");
    // The index of tags shows what goes, and what comes, only after a while.
    aws.set(json!({ "lag": 1 }));
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(rest(&aws), with_pipeline);
    forget(&pipeline, "data-pipeline-dev");
    pipeline.tapctl(&["destroy", "--yes"]).expect(0);
    aws.set(json!({ "lag": 0 }));
    assert_eq!(rest(&aws), others);
    beside.tapctl(&["drift", "--env", "qa"]).expect(0);
    let vpcs = "boto3.client('ec2', endpoint_url=sys.argv[1], region_name='eu-central-1', aws_access_key_id='test', \
                aws_secret_access_key='test').describe_vpcs()['Vpcs']";
    let left = aws.python(&format!("print(json.dumps([v['VpcId'] for v in {vpcs} if not v['IsDefault']]))"));
    assert_eq!(left, json!([elsewhere]), "another region is another environment's");
    aws.assert_lawful();
}

#[test]
fn what_left_the_settings_goes_too() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings(EVERY_OPTION);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    forget(&desk, "student-records-dev");
    // No users' pool, no public balancer, no proxy, no endpoints, fewer zones: only the lists tell of all these.
    desk.settings("");
    let destroy = desk.tapctl(&["destroy", "--yes"]).expect(0);
    // AWS does not tell how soon a secret may go, so that this one can be had back for as long as AWS keeps any.
    let kept = "secretsmanager.secret student-origin-dev/credentials";
    assert_eq!(rest(&aws).names(), [kept]);
    let said = format!("{destroy}");
    assert!(said.contains("scheduled for deletion in 30 days, until then it can be restored"), "{said}");
    aws.assert_lawful();
}

#[test]
fn what_stands_in_no_record_is_told_and_goes_along() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes", "--target", "vpc", "--target", "role-api-events"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    let vpc = aws.python(&format!("{ELSEWHERE}print(json.dumps(stray('us-east-1')))"));
    let vpc = vpc.as_str().expect("an id");
    let drift = desk.tapctl(&["drift", "--json"]).expect(2).json();
    let told = |kind: &str, id: &str| json!({ "node": "x", "kind": kind, "id": id, "unrecorded": true });
    assert_eq!(drift, json!([told("ec2.vpc", vpc), told("iam.role", "stray-dev-us-east-1")]));
    for verb in ["plan", "drift", "status"] {
        let run = desk.tapctl(&[verb]);
        assert!(
            run.stdout.contains("note: ours by its tags, and in no record; `tapctl destroy` takes it along:"),
            "{run}"
        );
        assert!(run.stdout.contains(&format!("x (ec2.vpc) {vpc}")), "{run}");
        assert!(run.stdout.contains("x (iam.role) stray-dev-us-east-1"), "{run}");
    }
    let plan = desk.tapctl(&["plan", "--destroy"]).expect(2);
    assert!(plan.stderr.contains("in no record, and found by its tags: x, x@found-1"), "{plan}");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(rest(&aws).names(), [""; 0]);
    aws.assert_lawful();
}

#[test]
fn what_others_have_put_in_the_way_is_named_before_anything_is_removed() {
    let (aws, desk) = standing();
    let made = aws.python(&format!("{OTHERS}print(json.dumps(put()))"));
    let made_all = made.as_object().expect("what stands in the way, by what it is");
    let named: Vec<String> = made_all.values().map(|name| name.as_str().expect("a name").to_owned()).collect();
    let names_all = |run: &Run| {
        for name in &named {
            assert!(format!("{}{}", run.stdout, run.stderr).contains(name), "{name} in {run}");
        }
    };
    names_all(&desk.tapctl(&["drift"]).expect(2));
    names_all(&desk.tapctl(&["status"]));
    names_all(&desk.tapctl(&["plan", "--destroy"]).expect(2));
    let mark = aws.mark();
    let refused = desk.tapctl(&["destroy", "--yes"]).expect(1);
    names_all(&refused);
    assert!(refused.stderr.contains("nothing was changed"), "{refused}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
    // What AWS's services keep for our own objects is nobody's obstacle.
    assert_eq!(refused.stderr.matches(" is held by ").count(), named.len(), "{refused}");
    aws.python(&format!("{OTHERS}take_away({made})"));
    desk.tapctl(&["drift"]).expect(0);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(rest(&aws).names(), [""; 0]);
}

/// A member of the database, a service and a task in the cluster, and more, as people and autoscaling make them.
const OTHERS: &str = r#"
names = 'rds ecs ec2 iam elbv2 elasticache apigateway apigatewayv2 wafv2 kinesis acm cognito-idp'.split()
rds, ecs, ec2, iam, elbv2, elasticache, apigateway, apigatewayv2, wafv2, kinesis, acm, cognito = map(client, names)
cluster = 'student-cluster-dev'
def settle():
    import urllib.request
    urllib.request.urlopen(urllib.request.Request(sys.argv[1] + '/_local/settle', method='POST', data=b'{}'))
def vpc():
    wish = [{'Name': 'tag:tapctl:node', 'Values': ['vpc']}]
    return ec2.describe_vpcs(Filters=wish)['Vpcs'][0]['VpcId']
def default_subnets():
    return [subnet['SubnetId'] for subnet in ec2.describe_subnets(Filters=[{'Name': 'default-for-az', 'Values': ['true']}])['Subnets']][:2]
def put():
    database = rds.describe_db_clusters()['DBClusters'][0]
    reader = 'application-autoscaling-0815'
    rds.create_db_instance(DBInstanceIdentifier=reader, DBClusterIdentifier=database['DBClusterIdentifier'], Engine=database['Engine'], DBInstanceClass='db.serverless')
    arn = ecs.list_services(cluster=cluster)['serviceArns'][0]
    ours = ecs.describe_services(cluster=cluster, services=[arn])['services'][0]
    like = {'taskDefinition': ours['taskDefinition'], 'launchType': 'FARGATE', 'networkConfiguration': ours['networkConfiguration']}
    ecs.create_service(cluster=cluster, serviceName='worker', desiredCount=0, **like)
    task = ecs.run_task(cluster=cluster, **like)['tasks'][0]['taskArn']
    iam.create_instance_profile(InstanceProfileName='their-machines')
    iam.add_role_to_instance_profile(InstanceProfileName='their-machines', RoleName='student-api-events-dev')
    network = ours['networkConfiguration']['awsvpcConfiguration']
    interface = ec2.create_network_interface(SubnetId=network['subnets'][0], Description='a bastion')['NetworkInterface']['NetworkInterfaceId']
    group = ec2.create_security_group(GroupName='theirs', Description='d', VpcId=vpc())['GroupId']
    made = {'reader': reader, 'service': 'worker', 'task': task.rpartition('/')[2], 'profile': 'their-machines', 'interface': interface, 'group': group}
    return made | put_into_the_network(network, group) | put_onto_the_rest(database)
def put_into_the_network(network, group):
    link = apigatewayv2.create_vpc_link(Name='their-link', SubnetIds=network['subnets'], SecurityGroupIds=network['securityGroups'])['VpcLinkId']
    elbv2.create_load_balancer(Name='their-balancer', Subnets=network['subnets'], SecurityGroups=[group], Scheme='internal')
    elasticache.create_cache_subnet_group(CacheSubnetGroupName='theirs', CacheSubnetGroupDescription='d', SubnetIds=network['subnets'])
    elasticache.create_replication_group(ReplicationGroupId='their-cache', ReplicationGroupDescription='d', Engine='valkey', TransitEncryptionEnabled=True, CacheNodeType='cache.t4g.micro', NumCacheClusters=1, CacheSubnetGroupName='theirs')
    subnet = ec2.create_subnet(VpcId=vpc(), CidrBlock='10.0.200.0/24', AvailabilityZone='us-east-1f')['Subnet']['SubnetId']
    return {'link': link, 'balancer': 'their-balancer', 'cache': 'their-cache', 'subnet': subnet}
def put_onto_the_rest(database):
    api = apigateway.get_rest_apis()['items'][0]['id']
    stage = apigateway.get_stages(restApiId=api)['item'][0]['stageName']
    apigateway.create_usage_plan(name='their-plan', apiStages=[{'apiId': api, 'stage': stage}])
    protected = cognito.create_user_pool(PoolName='theirs')['UserPool']['Arn']
    wafv2.associate_web_acl(WebACLArn=wafv2.list_web_acls(Scope='REGIONAL')['WebACLs'][0]['ARN'], ResourceArn=protected)
    site = elbv2.create_load_balancer(Name='their-site', Subnets=default_subnets())['LoadBalancers'][0]['LoadBalancerArn']
    certificate = acm.list_certificates()['CertificateSummaryList'][0]['CertificateArn']
    hello = [{'Type': 'fixed-response', 'FixedResponseConfig': {'StatusCode': '200'}}]
    elbv2.create_listener(LoadBalancerArn=site, Protocol='HTTPS', Port=443, Certificates=[{'CertificateArn': certificate}], DefaultActions=hello)
    rds.create_db_subnet_group(DBSubnetGroupName='theirs', DBSubnetGroupDescription='d', SubnetIds=default_subnets())
    like = {key: database[key] for key in ('Engine', 'EngineVersion', 'DBClusterParameterGroup')}
    like['DBClusterParameterGroupName'] = like.pop('DBClusterParameterGroup')
    rds.create_db_cluster(DBClusterIdentifier='their-cluster', DBSubnetGroupName='theirs', MasterUsername='root1', ManageMasterUserPassword=True, StorageEncrypted=True, **like)
    stream = kinesis.list_streams()['StreamSummaries'][0]['StreamARN']
    kinesis.register_stream_consumer(StreamARN=stream, ConsumerName='analytics')
    return {'plan': 'their-plan', 'protected': protected, 'site': site, 'database': 'their-cluster', 'consumer': 'analytics'}
def take_away(made):
    rds.delete_db_instance(DBInstanceIdentifier=made['reader'], SkipFinalSnapshot=True)
    ecs.delete_service(cluster=cluster, service='worker', force=True)
    ecs.stop_task(cluster=cluster, task=made['task'])
    iam.remove_role_from_instance_profile(InstanceProfileName='their-machines', RoleName='student-api-events-dev')
    iam.delete_instance_profile(InstanceProfileName='their-machines')
    ec2.delete_network_interface(NetworkInterfaceId=made['interface'])
    apigatewayv2.delete_vpc_link(VpcLinkId=made['link'])
    for balancer in elbv2.describe_load_balancers(Names=['their-balancer', 'their-site'])['LoadBalancers']:
        elbv2.delete_load_balancer(LoadBalancerArn=balancer['LoadBalancerArn'])
    elasticache.delete_replication_group(ReplicationGroupId='their-cache')
    for plan in apigateway.get_usage_plans()['items']:
        if plan['name'] == 'their-plan':
            of = plan['apiStages'][0]
            gone = [{'op': 'remove', 'path': '/apiStages', 'value': f'{of["apiId"]}:{of["stage"]}'}]
            apigateway.update_usage_plan(usagePlanId=plan['id'], patchOperations=gone)
            apigateway.delete_usage_plan(usagePlanId=plan['id'])
    wafv2.disassociate_web_acl(ResourceArn=made['protected'])
    cognito.delete_user_pool(UserPoolId=made['protected'].rpartition('/')[2])
    rds.delete_db_cluster(DBClusterIdentifier='their-cluster', SkipFinalSnapshot=True)
    kinesis.deregister_stream_consumer(StreamARN=kinesis.list_streams()['StreamSummaries'][0]['StreamARN'], ConsumerName='analytics')
    settle()
    ec2.delete_security_group(GroupId=made['group'])
    ec2.delete_subnet(SubnetId=made['subnet'])
    elasticache.delete_cache_subnet_group(CacheSubnetGroupName='theirs')
    rds.delete_db_subnet_group(DBSubnetGroupName='theirs')
    settle()
"#;

#[test]
fn without_a_record_what_is_guarded_goes_by_its_full_name_only() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("account = \"123456789012\"\n[env.dev]\nprotect = true");
    desk.tapctl(&["apply", "--yes", "--target", "db-cluster", "--target", "load-balancer"]).expect(0);
    forget(&desk, "student-records-dev");
    desk.settings("");
    let mark = aws.mark();
    let refused = desk.tapctl(&["destroy", "--yes"]).expect(1);
    assert!(refused.stderr.contains("AWS guards db-cluster, load-balancer against deletion"), "{refused}");
    assert!(refused.stderr.contains("add --confirm student-records-dev"), "{refused}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
    desk.tapctl(&["destroy", "--yes", "--confirm", "student-records-dev"]).expect(0);
    assert_eq!(rest(&aws).names(), [""; 0]);
}

#[test]
fn without_record_and_settings_only_dev_goes_without_its_name() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    for env in ["pr9", "dev"] {
        desk.tapctl(&["apply", "--yes", "--target", "vpc", "--env", env]).expect(0);
    }
    std::fs::remove_file(desk.path("tapctl.toml")).expect("settings can be lost");
    std::fs::remove_dir_all(desk.path("state")).expect("states can be lost");
    let refused = desk.tapctl(&["destroy", "--yes", "--env", "pr9"]).expect(1);
    assert!(refused.stderr.contains("no settings say that it is not protected"), "{refused}");
    desk.tapctl(&["destroy", "--yes", "--env", "dev"]).expect(0);
    desk.tapctl(&["destroy", "--yes", "--env", "pr9", "--confirm", "student-records-pr9"]).expect(0);
    assert_eq!(rest(&aws).names(), [""; 0]);
}

#[test]
fn nothing_to_do_is_said_where_nothing_is_ours_and_what_is_kept_is_listed_again() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let typo = desk.tapctl(&["destroy", "--yes", "--env", "typo"]).expect(0);
    let said = "student-records typo: nothing to do: nothing is recorded in state/student-records-typo.json, and nothing \
                with its tags stands in account 123456789012, us-east-1\n";
    assert_eq!(typo.stdout, said, "{typo}");
    let status = desk.tapctl(&["status"]).expect(2);
    assert!(status.stdout.contains("hint: `tapctl apply` makes it"), "{status}");
    desk.tapctl(&["apply", "--yes", "--target", "key-rds", "--target", "vpc"]).expect(0);
    forget(&desk, "student-records-dev");
    let status = desk.tapctl(&["status"]).expect(2);
    assert!(status.stdout.contains("hint: `tapctl apply` takes over what is there"), "{status}");
    assert!(status.stdout.contains("vpc (ec2.vpc) vpc-"), "{status}");
    let key = aws.sweep().of("kms.key")[0]["id"].as_str().expect("an id").to_owned();
    desk.tapctl(&["apply", "--yes", "--target", "key-rds", "--target", "vpc"]).expect(0);
    let old = std::fs::read_to_string(desk.state_path("dev")).expect("a state");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    std::fs::write(desk.state_path("dev"), old).expect("the old state is put back");
    let plan = desk.tapctl(&["plan", "--destroy"]).expect(2);
    assert!(plan.stdout.contains("2 to forget") && !plan.stdout.contains("loses"), "{plan}");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    for again in [&["destroy", "--yes"][..], &["plan", "--destroy"]] {
        let run = desk.tapctl(again).expect(0);
        assert!(run.stdout.contains("nothing to do"), "{run}");
        assert!(
            run.stderr.contains(&format!("key-rds {key}: PendingDeletion, its deletion is scheduled for 20")),
            "{run}"
        );
    }
}

#[test]
fn policies_that_others_have_attached_go_with_the_role() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes", "--target", "role-api-events"]).expect(0);
    aws.python(
        "iam = client('iam')\n\
         policy = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Deny', 'Action': 'iam:*', 'Resource': '*'}]})\n\
         arn = iam.create_policy(PolicyName='governance', PolicyDocument=policy)['Policy']['Arn']\n\
         iam.attach_role_policy(RoleName='student-api-events-dev', PolicyArn=arn)\n\
         iam.put_role_policy(RoleName='student-api-events-dev', PolicyName='theirs', PolicyDocument=policy)",
    );
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert!(!rest(&aws).names().iter().any(|name| name.starts_with("iam.role ")), "the role is gone");
    let left: Value = aws.python("print(json.dumps(len(client('iam').list_policies(Scope='Local')['Policies'])))");
    assert_eq!(left, 1, "and the policy is left to whose it is");
}
