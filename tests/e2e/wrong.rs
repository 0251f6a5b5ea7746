//! A tapctl that does things in the wrong order, or asks for what cannot be: the local AWS refuses it with AWS's own
//! words. Without this, a green test against it would say little.

use serde_json::{Value, json};
use tapctl::aws::Aws;
use tapctl::error::{Class, Fault};
use tapctl::resource::{Cx, Kinds, Owner, Pass};
use tapctl::resources;
use tapctl::state::{NodeState, State};

use crate::harness::{in_a_process_of_its_own_run, standing};

/// Names the state document to the test that is run in a process of its own.
const STATE: &str = "TAPCTL_WRONG_STATE";
/// Names a target group that no listener forwards to.
const IDLE_GROUP: &str = "TAPCTL_WRONG_TARGET_GROUP";

#[test]
fn a_wrong_tapctl_is_refused_with_aws_s_own_codes() {
    let (aws, desk) = standing();
    std::fs::copy(desk.state_path("dev"), desk.path("applied.json")).expect("there is a state");
    let group = aws.python(
        "vpc = client('ec2').describe_vpcs(Filters=[{'Name': 'tag:Name', 'Values': ['student-vpc-dev']}])['Vpcs'][0]\n\
         made = client('elbv2').create_target_group(Name='idle', Protocol='HTTP', Port=8080, TargetType='ip', VpcId=vpc['VpcId'])\n\
         print(json.dumps(made['TargetGroups'][0]['TargetGroupArn']))",
    );
    let group = group.as_str().expect("an ARN");
    let before = aws.sweep().counts();
    let variables = [(STATE, "applied.json"), (IDLE_GROUP, group)];
    in_a_process_of_its_own_run(&desk, "wrong::in_a_process_of_its_own", &variables);
    assert_eq!(aws.sweep().counts(), before, "what is refused leaves nothing behind");
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn in_a_process_of_its_own() {
    let Ok(path) = std::env::var(STATE) else { return };
    let text = std::fs::read_to_string(&path).expect("the state can be read");
    let state = State::parse(&text, &path).expect("it is a state");
    let aws = Aws::connect(&state.region).await.expect("AWS answers");
    let wrong = Wrong { aws, kinds: resources::registry(), state };
    for (node, code) in [
        ("vpc", "DependencyViolation"),
        ("subnet-private-a", "DependencyViolation"),
        ("group-service", "DependencyViolation"),
        ("internet-gateway-attachment", "DependencyViolation"),
        ("elastic-ip-nat-a", "AuthFailure"),
        ("db-subnet-group", "InvalidDBSubnetGroupStateFault"),
        ("cache-subnet-group", "CacheSubnetGroupInUse"),
        ("file-system", "FileSystemInUse"),
        ("cluster", "ClusterContainsServicesException"),
        ("target-group", "ResourceInUse"),
        ("certificate", "ResourceInUseException"),
        ("deployment", "BadRequestException"),
    ] {
        let fault = wrong.delete(node).await;
        assert_eq!(fault.code, code, "{node} too early: {fault}");
        assert_eq!(fault.class, Class::Busy, "{node}: {fault}");
    }
    for (node, holder) in [
        ("vpc", "subnet-"),
        ("subnet-private-a", "eni-"),
        ("group-service", "eni-"),
        ("group-service", "a rule of sg-"),
        ("internet-gateway-attachment", "nat_gateway"),
        ("elastic-ip-nat-a", "nat_gateway"),
    ] {
        let blockers = wrong.blockers(node).await;
        assert!(blockers.iter().any(|blocker| blocker.contains(holder)), "{node}: {blockers:?}");
    }
    let long = |spec: &mut Value| spec["name"] = json!("student-load-balancer-of-33-chars");
    let fault = wrong.create("load-balancer", long).await;
    assert_eq!((fault.code.as_str(), fault.class), ("ValidationError", Class::Invalid), "{fault}");
    let early = |spec: &mut Value| {
        spec["name"] = json!("student-early-dev");
        spec["target"]["target_group_arn"] = json!(std::env::var(IDLE_GROUP).expect("there is a target group"));
    };
    let fault = wrong.create("service", early).await;
    assert_eq!((fault.code.as_str(), fault.class), ("InvalidParameterException", Class::NotYet), "{fault}");
    assert!(fault.message.contains("does not have an associated load balancer"), "{fault}");
}

/// Calls kinds as no engine would.
struct Wrong {
    aws: Aws,
    kinds: Kinds<Aws>,
    state: State,
}

impl Wrong {
    fn node(&self, name: &str) -> (&NodeState, Owner) {
        let node = self.state.nodes.get(name).unwrap_or_else(|| panic!("{name} is a node"));
        (node, self.state.owner(name, "wrong"))
    }

    async fn delete(&self, name: &str) -> Fault {
        let (node, owner) = self.node(name);
        let kind = self.kinds.get(&node.kind).expect("a kind of ours");
        let pass = Pass::default();
        let cx = || Cx { cloud: &self.aws, owner: &owner, pass: &pass };
        let seen = kind.observe(cx(), &node.spec, node.id.as_deref()).await.expect("it can be read");
        let seen = seen.unwrap_or_else(|| panic!("{name} exists"));
        kind.delete(cx(), &node.spec, &seen).await.expect_err(name)
    }

    async fn blockers(&self, name: &str) -> Vec<String> {
        let (node, owner) = self.node(name);
        let kind = self.kinds.get(&node.kind).expect("a kind of ours");
        let pass = Pass::default();
        let cx = || Cx { cloud: &self.aws, owner: &owner, pass: &pass };
        let seen = kind.observe(cx(), &node.spec, node.id.as_deref()).await.expect("it can be read");
        let seen = seen.unwrap_or_else(|| panic!("{name} exists"));
        let holders = kind.blockers(cx(), &node.spec, &seen).await.expect("readable");
        holders.into_iter().map(|holder| holder.words).collect()
    }

    async fn create(&self, name: &str, change: impl FnOnce(&mut Value)) -> Fault {
        let (node, owner) = self.node(name);
        let kind = self.kinds.get(&node.kind).expect("a kind of ours");
        let mut spec = node.spec.clone();
        change(&mut spec);
        let pass = Pass::default();
        kind.create(Cx { cloud: &self.aws, owner: &owner, pass: &pass }, &spec).await.expect_err(name)
    }
}
