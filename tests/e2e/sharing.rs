//! Two environments come and go at the same moment: what they share is there for whoever stays, and gone with the last. Each
//! write of the one is held up while the other runs, on its way to AWS or on its way back, with or without the process that
//! sent it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tapctl::aws::Aws;
use tapctl::engine::{self, Engine, Options, Scope, Silent, Stop};
use tapctl::plan;
use tapctl::resource::{Pass, Tags};
use tapctl::resources::{self, apigateway, guardduty, iam};
use tapctl::stack::Stack;
use tapctl::state::{Save, State, StateError};

use crate::harness::{Desk, LocalAws, Running, in_a_process_of_its_own, seed, wait_for};

/// Tell the test that is run in a process of its own what to do, for which environment.
const VERB: &str = "TAPCTL_SHARING_VERB";
const ENV: &str = "TAPCTL_SHARING_ENV";
const STATE: &str = "state.json";
/// How long a write is held up: until after the other has done all it can.
const DELAY: f64 = 2.0;
const LIMIT: Duration = Duration::from_secs(150);
const ROLE: &str = "tapctl-api-gateway-logs";

/// What every stack shares with every other.
fn stack(env: &str) -> Stack {
    let mut stack = Stack::new("bench", env, "us-east-1");
    let role = stack.add(
        "role",
        iam::SharedRole {
            name: ROLE.to_owned(),
            description: "Writes logs".to_owned(),
            assume_role_policy: json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
                "Action": "sts:AssumeRole", "Principal": { "Service": "apigateway.amazonaws.com" } }] }),
            managed_policy_arns: BTreeSet::from([
                "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs".to_owned(),
            ]),
            joined: true,
            tags_when_made: Tags::new(),
            path_when_made: None,
            boundary_when_made: None,
        },
    );
    stack.add("account", apigateway::Account { cloudwatch_role_arn: role.arn() });
    let features = ["EBS_MALWARE_PROTECTION", "EKS_AUDIT_LOGS", "LAMBDA_NETWORK_LOGS", "RDS_LOGIN_EVENTS"];
    let features = features.into_iter().chain(["AI_ANALYST", "AI_PROTECTION", "RUNTIME_MONITORING", "S3_DATA_EVENTS"]);
    stack.add(
        "detector",
        guardduty::Detector {
            finding_publishing_frequency: "FIFTEEN_MINUTES".to_owned(),
            features: features.map(|name| (name.to_owned(), false)).collect::<BTreeMap<_, _>>(),
            enabled: true,
            joined: true,
            tags_when_made: Tags::new(),
        },
    );
    stack
}

/// The state file, which nobody else writes here.
struct File;

impl Save for File {
    fn save<'a>(&'a self, text: &'a str) -> LocalBoxFuture<'a, Result<(), StateError>> {
        let io = |error| StateError::Io { place: STATE.to_owned(), error };
        // A process that is killed here leaves one or the other.
        let saved = std::fs::write("state.new", text).and_then(|()| std::fs::rename("state.new", STATE));
        Box::pin(async move { saved.map_err(io) })
    }
}

#[tokio::test]
#[ignore = "run by the tests of this file"]
async fn in_a_process_of_its_own_works() {
    let (Ok(verb), Ok(env)) = (std::env::var(VERB), std::env::var(ENV)) else { return };
    let aws = Aws::connect("us-east-1").await.expect("AWS answers");
    let (kinds, stack, pass) = (resources::registry(), stack(&env), Pass::default());
    let state = match std::fs::read_to_string(STATE) {
        Ok(text) => State::parse(&text, STATE).expect("it is a state"),
        Err(_) => State::new(&stack.name, &stack.env, &aws.account, &aws.region),
    };
    let wanted = (verb == "apply").then_some(&stack);
    let scope = Scope {
        cloud: &aws,
        kinds: &kinds,
        pass: &pass,
        parallelism: 8,
        adopt: false,
        only: None,
        reporter: &tapctl::engine::Silent,
    };
    let seen = engine::observe(&scope, wanted, &state).await.unwrap_or_else(|failures| panic!("{failures:?}"));
    let facts = |kind: &str| kinds.get(kind).map(|kind| kind.facts());
    let chosen: BTreeSet<String> = state.nodes.keys().chain(stack.nodes.keys()).cloned().collect();
    let plan = plan::plan(&stack, &state, &seen, &facts).expect("it can be planned");
    let (_ask, stop) = Stop::new();
    let options = Options { settle: Duration::from_secs(3), ..Options::default() };
    let engine = Engine::new(&aws, &kinds, &File, &Silent, options, stop, state, pass, seen);
    let report = match wanted {
        Some(stack) => engine.apply(stack, &plan, &chosen).await,
        None => engine.destroy(&chosen).await,
    };
    let report = report.expect("the state can be saved");
    let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert!(report.is_complete(), "{}", failures.join("\n"));
}

/// One environment, at a place of its own.
struct Env {
    desk: Desk,
    name: &'static str,
}

impl Env {
    fn at(aws: &LocalAws, name: &'static str) -> Env {
        Env { desk: Desk::at(aws), name }
    }

    fn start(&self, verb: &str) -> Running {
        let variables = [(VERB, verb), (ENV, self.name)];
        let command = in_a_process_of_its_own(&self.desk, "sharing::in_a_process_of_its_own_works", &variables);
        Running::start(command, &format!("{verb} of {}", self.name))
    }

    fn run(&self, verb: &str) {
        ended(self.start(verb));
    }
}

#[track_caller]
fn ended(mut run: Running) {
    let run = run.wait(LIMIT).expect(0);
    assert!(run.stdout.contains("1 passed"), "{run}");
}

/// Who is on the role and on the detector, what the role may do, and which role API Gateway writes logs with.
fn shared(aws: &LocalAws) -> Value {
    aws.python(
        "iam, guard = client('iam'), client('guardduty')
users = lambda tags: sorted(k.split(':')[3] + ('' if v == '' else ' ' + v) for k, v in tags.items() if k.startswith('tapctl:user:'))
found = {'account': client('apigateway').get_account().get('cloudwatchRoleArn')}
for role in iam.list_roles()['Roles']:
    if role['RoleName'] == 'tapctl-api-gateway-logs':
        found['role'] = users({t['Key']: t['Value'] for t in iam.list_role_tags(RoleName=role['RoleName'])['Tags']})
        attached = iam.list_attached_role_policies(RoleName=role['RoleName'])['AttachedPolicies']
        found['policies'] = [p['PolicyName'] for p in attached]
for detector in guard.list_detectors()['DetectorIds']:
    found['detector'] = users(guard.get_detector(DetectorId=detector)['Tags'])
print(json.dumps(found))",
    )
}

/// What there is while these environments stay.
fn kept_for(users: &[&str]) -> Value {
    if users.is_empty() {
        return json!({ "account": null });
    }
    json!({
        "account": format!("arn:aws:iam::123456789012:role/{ROLE}"),
        "role": users, "detector": users, "policies": ["AmazonAPIGatewayPushToCloudWatchLogs"],
    })
}

/// How the first of two runs is disturbed while the second runs.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// Its write is late to reach AWS.
    Sent,
    /// The answer to its write is late.
    Answered,
    /// It is killed while its write is on its way, and run again when that has arrived.
    Killed,
}

/// What stands before, what the first run does while the second does this, and who stays.
struct Scene {
    before: &'static [&'static str],
    first: (&'static str, &'static str),
    second: (&'static str, &'static str),
    stays: &'static [&'static str],
}

impl Scene {
    /// Plays it with each trouble, at one of the first run's writes, of which there are `writes` or more; which one, the
    /// seed draws. With `TAPCTL_SWEEP=all` at every write.
    fn sweep(&self, troubles: &[Trouble], writes: u64) {
        let seed = seed();
        println!("TAPCTL_E2E_SEED={seed}");
        for (round, trouble) in (seed..).zip(troubles) {
            if std::env::var("TAPCTL_SWEEP").is_ok_and(|how| how == "all") {
                let struck = (1..).take_while(|nth| self.play(*trouble, *nth)).count();
                assert!(struck as u64 >= writes, "{struck} writes");
            } else {
                assert!(self.play(*trouble, 1 + round * 3 % writes), "there are {writes} writes or more");
            }
        }
    }

    /// Whether the first run has that many writes.
    fn play(&self, trouble: Trouble, nth: u64) -> bool {
        let aws = LocalAws::lease();
        let envs: BTreeMap<&str, Env> = ["dev", "qa"].map(|name| (name, Env::at(&aws, name))).into();
        self.before.iter().for_each(|name| envs[name].run("apply"));
        let when = if matches!(trouble, Trouble::Answered) { "after" } else { "before" };
        aws.fault(json!({ "match": { "write": true }, "nth": nth, "when": when, "action": "delay", "seconds": DELAY }));
        let mut first = envs[self.first.1].start(self.first.0);
        let struck = || (aws.struck() > 0).then_some(true).or_else(|| (!first.runs()).then_some(false));
        if !wait_for("a write or the end", LIMIT, struck) {
            ended(first);
            return false;
        }
        let second = envs[self.second.1].start(self.second.0);
        if matches!(trouble, Trouble::Killed) {
            first.crash();
            std::thread::sleep(Duration::from_secs_f64(DELAY));
            first = envs[self.first.1].start(self.first.0);
        }
        ended(first);
        ended(second);
        let at = format!("{trouble:?} at write {nth} of {:?} with {:?}", self.first, self.second);
        assert_eq!(shared(&aws), kept_for(self.stays), "{at}");
        self.stays.iter().for_each(|name| envs[name].run("destroy"));
        assert_eq!(shared(&aws), kept_for(&[]), "{at}, and gone");
        true
    }
}

const ALL: [Trouble; 3] = [Trouble::Sent, Trouble::Answered, Trouble::Killed];

#[test]
fn one_joins_while_the_other_leaves() {
    let scene = Scene { before: &["dev"], first: ("destroy", "dev"), second: ("apply", "qa"), stays: &["qa"] };
    scene.sweep(&ALL, 7);
}

#[test]
fn one_leaves_while_the_other_joins() {
    let scene = Scene { before: &["qa"], first: ("apply", "dev"), second: ("destroy", "qa"), stays: &["dev"] };
    scene.sweep(&ALL, 2);
}

#[test]
fn both_leave_at_once() {
    let scene = Scene { before: &["dev", "qa"], first: ("destroy", "dev"), second: ("destroy", "qa"), stays: &[] };
    scene.sweep(&[Trouble::Sent, Trouble::Killed], 5);
}

#[test]
fn both_join_at_once() {
    let scene = Scene { before: &[], first: ("apply", "dev"), second: ("apply", "qa"), stays: &["dev", "qa"] };
    scene.sweep(&[Trouble::Sent, Trouble::Killed], 4);
}
