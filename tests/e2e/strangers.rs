//! What the state leads to and is somebody else's by now: refused by name, for every kind, and never written to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tapctl::resource::Facts;
use tapctl::resources;

use crate::harness::{Desk, LocalAws, Run, standing};
use crate::ownership::UNTAG;
use crate::requirements::EVERY_OPTION;

/// Commands that read what the state leads to.
const RUNS: [&[&str]; 4] = [&["plan"], &["drift"], &["status"], &["destroy", "--yes"]];

fn facts(kind: &str) -> Facts {
    resources::registry().get(kind).expect("a kind of ours").facts()
}

/// One system that stands, and what is recorded of it.
struct System {
    aws: LocalAws,
    desk: Desk,
    stack: &'static str,
    nodes: BTreeMap<String, Value>,
}

impl System {
    fn make(stack: &'static str, settings: &str) -> System {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        desk.settings(&format!("stack = \"{stack}\"\n{settings}"));
        desk.tapctl(&["apply", "--yes"]).expect(0);
        System::of(stack, aws, desk)
    }

    fn standing() -> System {
        let (aws, desk) = standing();
        System::of("student-records", aws, desk)
    }

    fn of(stack: &'static str, aws: LocalAws, desk: Desk) -> System {
        let state = desk.state_of(stack, "dev");
        let nodes = state["nodes"].as_object().expect("nodes").clone().into_iter().collect();
        System { aws, desk, stack, nodes }
    }

    fn kind(&self, node: &str) -> &str {
        self.nodes[node]["kind"].as_str().expect("a kind")
    }

    fn those(&self, wanted: impl Fn(&Facts, &Value) -> bool) -> BTreeSet<String> {
        let nodes = self.nodes.iter().filter(|(name, node)| wanted(&facts(self.kind(name)), node));
        nodes.map(|(name, _)| name.clone()).collect()
    }

    fn python(&self, snippet: &str) {
        let path = self.desk.path(&format!("state/{}-dev.json", self.stack));
        self.aws.python(&format!("state = {path:?}\n{snippet}"));
    }

    /// Every command refuses exactly these nodes, in these words, and changes nothing.
    fn refuses(&self, code: &str, words: &str, nodes: &BTreeSet<String>) {
        let mark = self.aws.mark();
        for arguments in RUNS {
            let run = self.desk.tapctl(arguments).expect(1);
            let told = told(&run, code, words);
            let missed: Vec<&String> = nodes.difference(&told).collect();
            let more: Vec<&String> = told.difference(nodes).collect();
            assert!(missed.is_empty() && more.is_empty(), "not refused: {missed:?}; refused: {more:?}\n{run}");
        }
        assert_eq!(self.aws.writes_since(mark), [""; 0]);
    }
}

/// The nodes that a run refuses, each on a line that names the node, its kind, and the object.
fn told(run: &Run, code: &str, words: &str) -> BTreeSet<String> {
    let lines = run.stderr.lines().map(|line| line.trim_start_matches("error: "));
    let refused = lines.filter(|line| line.contains(" exists and is not ours: "));
    refused
        .map(|line| {
            assert!(line.contains(&format!(": observe failed: {code}: ")) && line.contains(words), "{line}");
            line.split(' ').next().unwrap_or_default().to_owned()
        })
        .collect()
}

#[test]
fn every_kind_refuses_what_is_a_strangers_by_now() {
    let systems =
        [System::standing(), System::make("student-records", EVERY_OPTION), System::make("data-pipeline", "")];
    let mut refused: BTreeSet<String> = BTreeSet::new();
    for system in &systems {
        let marked = system.those(|_, node| node["spec"]["tags"].is_object());
        system.python(RETAG);
        system.refuses("Anothers", "it belongs to ", &marked);
        refused.extend(marked.iter().map(|node| system.kind(node).to_owned()));
    }
    for kind in resources::registry().names() {
        let Facts { parent, shared, .. } = facts(kind);
        let whole = parent.unwrap_or(kind);
        assert!(shared || refused.contains(whole), "{kind} has no case: no object of it, or of what it is a part of");
    }
    for system in &systems {
        system.python(&format!("keys = ['tapctl:stack', 'tapctl:env', 'tapctl:region', 'tapctl:node']\n{UNTAG}"));
        system.python(REPOINT);
        system.aws.local("POST", "settle", json!({}));
        let known = system.those(|_, node| node["identity"].is_string());
        let swaps: Vec<Value> =
            known.iter().map(|node| json!({ "kind": system.kind(node), "id": system.nodes[node]["id"] })).collect();
        system.aws.local("POST", "strangers", json!(swaps));
        let named = system.those(|facts, _| facts.named);
        assert!(named.is_superset(&known), "what AWS gives out needs no identity: {:?}", known.difference(&named));
        system.refuses("NoLongerOurs", "it ", &named);
    }
}

#[test]
fn a_copied_state_is_refused_whole() {
    let system = System::standing();
    let marked = system.those(|_, node| node["spec"]["tags"].is_object());
    let text = std::fs::read_to_string(system.desk.state_path("dev")).expect("there is a state");
    std::fs::write(system.desk.state_path("qa"), text.replace("\"env\": \"dev\"", "\"env\": \"qa\"")).expect("a copy");
    let mark = system.aws.mark();
    for arguments in [&["plan"][..], &["drift"], &["destroy", "--yes"], &["apply", "--yes", "--adopt"]] {
        let run = system.desk.tapctl(&[arguments, &["--env", "qa"]].concat()).expect(1);
        let told = told(&run, "Anothers", "it belongs to student-records dev in us-east-1, as its ");
        assert!(told.is_superset(&marked), "not refused: {:?}\n{run}", marked.difference(&told));
    }
    assert_eq!(system.aws.writes_since(mark), [""; 0]);
    system.desk.tapctl(&["drift"]).expect(0);
}

#[test]
fn a_role_that_another_team_made_of_the_same_name_is_left_to_them() {
    let system = System::standing();
    let (_, role) = system.nodes.iter().find(|(_, node)| node["kind"] == "iam.role").expect("a role");
    let name = role["id"].as_str().expect("a name");
    system.aws.python(&format!("name = {name:?}\n{ANOTHER_TEAMS_ROLE}"));
    let before = system.aws.sweep();
    system.refuses("NoLongerOurs", "it was made anew under this name", &system.those(|_, node| node["id"] == name));
    assert_eq!(system.aws.sweep(), before);
}

#[test]
fn ids_of_anothers_that_came_into_the_record_lead_nowhere() {
    let system = System::standing();
    let theirs = system.aws.python(THEIRS);
    let path = system.desk.state_path("dev");
    let mut state = system.desk.state("dev");
    for (node, id) in theirs.as_object().expect("ids by node") {
        state["nodes"][node]["id"] = id.clone();
    }
    std::fs::write(path, state.to_string()).expect("it is edited");
    let nodes: BTreeSet<String> = theirs.as_object().expect("ids by node").keys().cloned().collect();
    system.refuses("NoLongerOurs", "it does not carry this node's ownership tags", &nodes);
}

#[test]
fn a_second_key_is_told_and_goes_only_by_name() {
    let system = System::standing();
    let (node, key) = system.nodes.iter().find(|(_, node)| node["kind"] == "kms.key").expect("a key");
    let id = key["id"].as_str().expect("an id");
    let twin = system.aws.python(&format!("id = {id:?}\n{TWIN}"));
    let twin = twin.as_str().expect("an id");
    let mark = system.aws.mark();
    let drift = system.desk.tapctl(&["drift", "--json"]).expect(2).json();
    assert_eq!(drift[0]["duplicates"], json!([twin]), "{drift}");
    let status = system.desk.tapctl(&["status"]).expect(0);
    assert!(status.stderr.contains(&format!("{node}: {twin} carries its tags too, besides {id}")), "{status}");
    let plan = system.desk.tapctl(&["plan"]).expect(2);
    assert!(plan.stdout.contains(&format!("{twin}  (besides {id}, which stays)  loses data")), "{plan}");
    assert!(plan.stdout.contains(": 1 duplicate to delete\n"), "{plan}");
    for lost in [false, true] {
        if lost {
            system.desk.tapctl(&["state", "rm", node, "--force", "--yes"]).expect(0);
        }
        let refused = system.desk.tapctl(&["apply", "--yes"]).expect(1);
        let told = format!("would lose the data of {twin}, a duplicate of {node} {id}; nothing was changed");
        assert!(refused.stderr.contains(&told), "{refused}");
    }
    assert_eq!(system.aws.writes_since(mark), [""; 0]);
    system.desk.tapctl(&["apply", "--yes", "--allow-data-loss", node]).expect(0);
    assert_eq!(system.aws.sweep().of("kms.key-pending-deletion").len(), 1);
    system.desk.tapctl(&["drift"]).expect(0);
}

/// Gives every object of a state to another environment.
const RETAG: &str = r#"
key, value = 'tapctl:env', 'prod'
def arn(node):
    found = [node['id'], *(node['outputs'] or {}).values()]
    return next(value for value in found if isinstance(value, str) and value.startswith('arn:'))
scaling = client('application-autoscaling')
def target(): return scaling.describe_scalable_targets(ServiceNamespace='ecs')['ScalableTargets'][0]['ScalableTargetARN']
def gateway(path): return f'arn:aws:apigateway:us-east-1::/{path}'
def dashboard(name): return f'arn:aws:cloudwatch::123456789012:dashboard/{name}'
def tag_bucket(name):
    tags = [tag for tag in client('s3').get_bucket_tagging(Bucket=name)['TagSet'] if tag['Key'] != key]
    client('s3').put_bucket_tagging(Bucket=name, Tagging={'TagSet': tags + pair})
def restapi(id): return 'restapis/' + id.replace('|', '/stages/')
pair, entry = [{'Key': key, 'Value': value}], {key: value}
small, wordy = [{'key': key, 'value': value}], [{'TagKey': key, 'TagValue': value}]
TAG = {
    'acm.': lambda n: client('acm').add_tags_to_certificate(CertificateArn=arn(n), Tags=pair),
    'apigateway.api_key': lambda n: client('apigateway').tag_resource(resourceArn=gateway('apikeys/' + n['id']), tags=entry),
    'apigateway.usage_plan': lambda n: client('apigateway').tag_resource(resourceArn=gateway('usageplans/' + n['id']), tags=entry),
    'apigateway.': lambda n: client('apigateway').tag_resource(resourceArn=gateway(restapi(n['id'])), tags=entry),
    'apigatewayv2.': lambda n: client('apigatewayv2').tag_resource(ResourceArn=gateway('vpclinks/' + n['id']), Tags=entry),
    'applicationautoscaling.': lambda n: scaling.tag_resource(ResourceARN=target(), Tags=entry),
    'cloudtrail.': lambda n: client('cloudtrail').add_tags(ResourceId=arn(n), TagsList=pair),
    'cloudwatch.dashboard': lambda n: client('cloudwatch').tag_resource(ResourceARN=dashboard(n['id']), Tags=pair),
    'cloudwatch.': lambda n: client('cloudwatch').tag_resource(ResourceARN=arn(n), Tags=pair),
    'cognito.': lambda n: client('cognito-idp').tag_resource(ResourceArn=arn(n), Tags=entry),
    'ec2.': lambda n: client('ec2').create_tags(Resources=[n['id']], Tags=pair),
    'ecs.': lambda n: client('ecs').tag_resource(resourceArn=arn(n), tags=small),
    'efs.': lambda n: client('efs').tag_resource(ResourceId=n['id'], Tags=pair),
    'elasticache.': lambda n: client('elasticache').add_tags_to_resource(ResourceName=arn(n), Tags=pair),
    'elbv2.': lambda n: client('elbv2').add_tags(ResourceArns=[arn(n)], Tags=pair),
    'iam.': lambda n: client('iam').tag_role(RoleName=n['id'], Tags=pair),
    'kinesis.': lambda n: client('kinesis').add_tags_to_stream(StreamName=n['id'], Tags=entry),
    'kms.': lambda n: client('kms').tag_resource(KeyId=n['id'], Tags=wordy),
    'logs.': lambda n: client('logs').tag_resource(resourceArn=arn(n), tags=entry),
    'rds.': lambda n: client('rds').add_tags_to_resource(ResourceName=arn(n), Tags=pair),
    's3.': lambda n: tag_bucket(n['id']),
    'secretsmanager.': lambda n: client('secretsmanager').tag_resource(SecretId=n['id'], Tags=pair),
    'sns.': lambda n: client('sns').tag_resource(ResourceArn=arn(n), Tags=pair),
    'wafv2.': lambda n: client('wafv2').tag_resource(ResourceARN=arn(n), Tags=pair),
}
for node in json.load(open(state))['nodes'].values():
    if isinstance(node['spec'].get('tags'), dict):
        next(tag for kind, tag in TAG.items() if node['kind'].startswith(kind))(node)
"#;

/// Lets the names without tags lead to objects of others: an alias to another key, a domain to another pool.
const REPOINT: &str = r"
kms, pools = client('kms'), client('cognito-idp')
for node in json.load(open(state))['nodes'].values():
    if node['kind'] == 'kms.alias':
        kms.update_alias(AliasName=node['id'], TargetKeyId=kms.create_key()['KeyMetadata']['KeyId'])
    if node['kind'] == 'cognito.user_pool_domain':
        pools.delete_user_pool_domain(Domain=node['id'], UserPoolId=node['spec']['user_pool_id'])
        theirs = pools.create_user_pool(PoolName='theirs')['UserPool']['Id']
        pools.create_user_pool_domain(Domain=node['id'], UserPoolId=theirs)
";

/// Deletes a role by hand, and makes one of its name with another team's tag.
const ANOTHER_TEAMS_ROLE: &str = r"
iam = client('iam')
for policy in iam.list_role_policies(RoleName=name)['PolicyNames']:
    iam.delete_role_policy(RoleName=name, PolicyName=policy)
for policy in iam.list_attached_role_policies(RoleName=name)['AttachedPolicies']:
    iam.detach_role_policy(RoleName=name, PolicyArn=policy['PolicyArn'])
iam.delete_role(RoleName=name)
trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole',
    'Principal': {'Service': 'ecs-tasks.amazonaws.com'}}]}
iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), Tags=[{'Key': 'owner', 'Value': 'another-team'}])
";

/// Makes a key with the tags of another, and tells its id.
const TWIN: &str = r"
kms = client('kms')
tags = kms.list_resource_tags(KeyId=id)['Tags']
print(json.dumps(kms.create_key(Tags=tags)['KeyMetadata']['KeyId']))
";

/// Another team's objects of kinds whose ids AWS gives out, marked as theirs or not at all.
const THEIRS: &str = r"
ec2, tags = client('ec2'), [{'Key': 'Team', 'Value': 'payroll'}]
marked = lambda kind: [{'ResourceType': kind, 'Tags': tags}]
vpc = ec2.create_vpc(CidrBlock='10.77.0.0/16')['Vpc']['VpcId']
group = ec2.create_security_group(GroupName='theirs', Description='theirs', VpcId=vpc)
print(json.dumps({
    'key-efs': client('kms').create_key(Tags=[{'TagKey': 'Team', 'TagValue': 'payroll'}])['KeyMetadata']['KeyId'],
    'file-system': client('efs').create_file_system(CreationToken='theirs', Tags=tags)['FileSystemId'],
    'elastic-ip-nat-a': ec2.allocate_address(Domain='vpc', TagSpecifications=marked('elastic-ip'))['AllocationId'],
    'internet-gateway': ec2.create_internet_gateway()['InternetGateway']['InternetGatewayId'],
    'group-alb': group['GroupId'],
    'rest-api': client('apigateway').create_rest_api(name='theirs')['id'],
}))
";
