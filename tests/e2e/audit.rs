//! The kinds of audit and monitoring, whole lives of them: made, unchanged by a rerun, found again without any state,
//! changed behind tapctl's back and repaired, changed in place, removed. They stand in a stack of their own, whose runs
//! are processes of their own.

mod stack;
mod views;

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tapctl::aws::Aws;
use tapctl::engine::{self, Engine, NodeFailure, Options, Scope, Silent, Stop};
use tapctl::plan::{plan, plan_destroy, select};
use tapctl::resource::{Kinds, Pass};
use tapctl::resources;
use tapctl::stack::Stack;
use tapctl::state::{Save, State, StateError};

use self::stack::stack;
use self::views::{DRIFTED, act, first, look, meddle, second};
use crate::contract;
use crate::harness::{Desk, LocalAws, in_a_process_of_its_own_run};

const VERB: &str = "TAPCTL_AUDIT_VERB";
/// Which stack: see there.
const WISH: &str = "TAPCTL_AUDIT_WISH";
const STATE: &str = "state.json";
const ANSWER: &str = "answer.json";

/// How many objects of each kind the stack is.
const MADE: [(&str, usize); 10] = [
    ("cloudtrail.trail", 1),
    ("cloudwatch.alarm", 2),
    ("cloudwatch.dashboard", 1),
    ("iam.role", 1),
    ("kms.key", 2),
    ("logs.log-group", 1),
    ("logs.metric-filter", 1),
    ("s3.bucket", 1),
    ("sns.subscription", 2),
    ("sns.topic", 1),
];

/// One run of a stack's life: `apply`, `drift` or `destroy`. Its answer: what was planned or has drifted, and what
/// failed.
fn run(desk: &Desk, verb: &str, wish: &str) -> Value {
    in_a_process_of_its_own_run(desk, "audit::in_a_process_of_its_own", &[(VERB, verb), (WISH, wish)]);
    let text = std::fs::read_to_string(desk.path(ANSWER)).expect("a run leaves its answer");
    serde_json::from_str(&text).expect("the answer is JSON")
}

/// A run that did all it planned; tells what that was.
#[track_caller]
fn done(desk: &Desk, verb: &str, wish: &str) -> BTreeMap<String, String> {
    let answer = run(desk, verb, wish);
    assert_eq!(answer["failures"], json!([]), "{verb} {wish}");
    serde_json::from_value(answer["steps"].clone()).expect("steps are words by node")
}

#[track_caller]
fn no_drift(desk: &Desk) {
    assert_eq!(run(desk, "drift", "first")["drifted"], json!([]));
}

fn counts(aws: &LocalAws) -> BTreeMap<String, usize> {
    aws.sweep().leftovers().counts()
}

fn all_made() -> BTreeMap<String, usize> {
    MADE.iter().map(|(kind, count)| ((*kind).to_owned(), *count)).collect()
}

#[test]
fn they_are_made_once_and_found_again() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let made = done(&desk, "apply", "first");
    assert!(made.values().all(|word| word == "create"), "{made:?}");
    assert_eq!(counts(&aws), all_made());
    assert_eq!(look(&aws), first());
    contract::present(&desk, STATE);
    let mark = aws.mark();
    assert_eq!(done(&desk, "apply", "first"), BTreeMap::new());
    no_drift(&desk);
    std::fs::rename(desk.path(STATE), desk.path("lost.json")).expect("there is a state");
    let adopted = done(&desk, "apply", "first");
    assert!(adopted.len() == made.len() && adopted.values().all(|word| word == "adopt"), "{adopted:?}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
    done(&desk, "destroy", "first");
    assert_eq!(counts(&aws), BTreeMap::new());
    contract::absent(&desk, "lost.json");
    aws.assert_lawful();
}

#[test]
fn what_people_change_is_seen_and_repaired() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    done(&desk, "apply", "first");
    meddle(&aws);
    let drifted: Vec<String> =
        serde_json::from_value(run(&desk, "drift", "first")["drifted"].clone()).expect("a list of words");
    assert_eq!(drifted, DRIFTED);
    done(&desk, "apply", "first");
    no_drift(&desk);
    assert_eq!(look(&aws), first());
    aws.assert_lawful();
}

#[test]
fn what_can_change_in_place_does() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    done(&desk, "apply", "first");
    let planned = done(&desk, "apply", "second");
    let replaced: Vec<&String> = planned.iter().filter(|(_, word)| *word == "replace").map(|(node, _)| node).collect();
    assert_eq!(replaced, ["subscription-mail"]);
    assert_eq!(look(&aws), second());
    assert_eq!(done(&desk, "apply", "second"), BTreeMap::new());
    done(&desk, "destroy", "second");
    assert_eq!(counts(&aws), BTreeMap::new());
    // Its alarms are to change in every field, and no metric in all of them.
    aws.assert_lawful_but_for(&["InVain"]);
}

/// A create whose answer is lost, for each kind in turn: found, not made twice.
#[test]
fn a_lost_answer_makes_nothing_twice() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let creates = [
        "CreateBucket",
        "PutBucketPolicy",
        "CreateTrail",
        "PutMetricFilter",
        "CreateTopic",
        "Subscribe",
        "PutMetricAlarm",
        "PutDashboard",
    ];
    let lost: Vec<Value> = creates
        .iter()
        .map(|operation| json!({ "match": { "operation": operation }, "when": "after", "action": "reset" }))
        .collect();
    aws.fault(json!(lost));
    done(&desk, "apply", "first");
    let faults = aws.local("GET", "faults", json!({}));
    let struck = faults["faults"].as_array().expect("a list").iter().filter(|fault| fault["hit"] == 1).count();
    assert_eq!(struck, creates.len());
    assert_eq!(counts(&aws), all_made());
    assert_eq!(look(&aws), first());
    no_drift(&desk);
}

/// What AWS answers while it has not caught up with itself, each of it twice.
#[test]
fn the_refusals_of_the_first_minutes_are_waited_out() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let refusals = [
        ("CreateBucket", "OperationAborted", 409, "A conflicting conditional operation is currently in progress"),
        ("PutBucketEncryption", "NoSuchBucket", 404, "The specified bucket does not exist"),
        ("PutBucketVersioning", "OperationAborted", 409, "A conflicting conditional operation is in progress"),
        ("PutBucketPolicy", "MalformedPolicy", 400, "Invalid principal in policy"),
        ("CreateTrail", "InsufficientS3BucketPolicyException", 400, "Incorrect S3 bucket policy is detected"),
        ("StartLogging", "ConflictException", 400, "The trail is being changed"),
        ("CreateTopic", "StaleTag", 400, "A tag has been added to a resource with the same ARN as a deleted resource"),
        ("PutMetricFilter", "OperationAbortedException", 400, "A concurrent modification conflict occurred"),
    ];
    let faults: Vec<Value> = refusals
        .iter()
        .map(|(operation, code, status, message)| {
            json!({ "match": { "operation": operation }, "times": 2, "code": code, "status": status, "message": message })
        })
        .collect();
    aws.fault(json!(faults));
    done(&desk, "apply", "first");
    let faults = aws.local("GET", "faults", json!({}));
    let struck = faults["faults"].as_array().expect("a list").iter().filter(|fault| fault["hit"] == 2).count();
    assert_eq!(struck, refusals.len());
    assert_eq!(look(&aws), first());
}

/// What the role of a drift check must be allowed for these kinds.
const READS: [&str; 20] = [
    "cloudtrail:GetEventSelectors",
    "cloudtrail:GetTrail",
    "cloudtrail:GetTrailStatus",
    "cloudtrail:ListTags",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:GetDashboard",
    "cloudwatch:ListTagsForResource",
    "logs:DescribeLogGroups",
    "logs:DescribeMetricFilters",
    "logs:ListTagsForResource",
    "s3:GetBucketOwnershipControls",
    "s3:GetBucketPolicy",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketTagging",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetLifecycleConfiguration",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:ListTagsForResource",
];

#[test]
fn a_drift_check_needs_these_reads_and_no_more() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    done(&desk, "apply", "first");
    let allow = |actions: Value| json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
    let statements = [allow(json!(READS)), allow(json!(["iam:Get*", "iam:List*", "kms:*"]))];
    aws.local("POST", "iam", json!({ "Version": "2012-10-17", "Statement": statements }));
    no_drift(&desk);
    let report = aws.local("GET", "iam", json!({}));
    let unused: Vec<&&str> = READS.iter().filter(|read| report["used"].get(**read).is_none()).collect();
    assert!(unused.is_empty(), "{unused:?}");
    aws.local("DELETE", "iam", json!({}));
}

/// Every version of every object goes first, a thousand a call, and what still arrives meanwhile.
#[test]
fn a_full_bucket_is_emptied_before_it_goes() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    done(&desk, "apply", "first");
    act(
        &aws,
        "
for n in range(1100): s3.put_object(**bucket, Key=f'f{n}', Body=b'x')
for n in range(50): s3.delete_object(**bucket, Key=f'f{n}')
s3.put_object(**bucket, Key='f99', Body=b'y')",
    );
    let mark = aws.mark();
    done(&desk, "destroy", "first");
    assert_eq!(counts(&aws), BTreeMap::new());
    let removals = aws.writes_since(mark).iter().filter(|call| *call == "s3:DeleteObjects").count();
    assert!(removals >= 2, "{removals}");
}

#[test]
fn a_bucket_of_another_account_is_told_as_such() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.python(
        "theirs = client('s3')
theirs.meta.events.register('before-sign', lambda request, **_: request.headers.add_header('x-moto-account-id', '999999999999'))
theirs.create_bucket(Bucket='audit-logs-dev')",
    );
    let mark = aws.mark();
    let answer = run(&desk, "apply", "first");
    let failures = answer["failures"].to_string();
    assert!(failures.contains("it belongs to another account"), "{failures}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

/// The same for what is in this account without our tags.
#[test]
fn what_has_our_names_but_not_our_tags_is_refused() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.python(
        "client('s3').create_bucket(Bucket='audit-logs-dev')
client('sns').create_topic(Name='audit-alarms-dev')
client('cloudwatch').put_dashboard(DashboardName='audit-dev', DashboardBody=json.dumps({'widgets': []}))
client('cloudwatch').put_metric_alarm(AlarmName='audit-latency-dev', Namespace='n', MetricName='m',
    Statistic='Sum', Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator='LessThanThreshold')",
    );
    let mark = aws.mark();
    let answer = run(&desk, "apply", "first");
    let failures = answer["failures"].as_array().expect("a list");
    assert_eq!(failures.len(), 4, "{failures:#?}");
    assert!(failures.iter().all(|failure| failure.to_string().contains("is not ours")), "{failures:#?}");
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

#[test]
fn a_dashboard_with_a_broken_widget_is_refused_and_not_left_behind() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let answer = run(&desk, "apply", "broken");
    let failures = answer["failures"].to_string();
    assert!(failures.contains("/widgets/0"), "{failures}");
    assert!(aws.sweep().of("cloudwatch.dashboard").is_empty());
}

#[test]
fn a_trail_that_cannot_deliver_is_told() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    done(&desk, "apply", "first");
    act(&aws, "s3.delete_bucket_policy(**bucket)");
    aws.local("POST", "settle", json!({}));
    let drifted = run(&desk, "drift", "first")["drifted"].to_string();
    assert!(drifted.contains("trail: failed: delivery to the bucket fails: AccessDenied"), "{drifted}");
}

#[tokio::test]
#[ignore = "run by the tests above"]
async fn in_a_process_of_its_own() {
    let (Ok(verb), Ok(wish)) = (std::env::var(VERB), std::env::var(WISH)) else { return };
    let aws = Aws::connect("us-east-1").await.expect("AWS answers");
    let kinds = resources::registry();
    let state = match std::fs::read_to_string(STATE) {
        Ok(text) => State::parse(&text, STATE).expect("it is a state"),
        Err(_) => State::new("audit-kinds", "dev", &aws.account, &aws.region),
    };
    let answer = match verb.as_str() {
        "drift" => drift(&aws, &kinds, &state).await,
        "apply" => converge(&aws, &kinds, state, Some(&stack(&aws, &wish))).await,
        _ => converge(&aws, &kinds, state, None).await,
    };
    std::fs::write(ANSWER, answer.to_string()).expect("the answer is written");
}

/// Keeps the state where the tests look for it. Nobody else writes it.
struct OneFile;

impl Save for OneFile {
    fn save<'a>(&'a self, text: &'a str) -> LocalBoxFuture<'a, Result<(), StateError>> {
        Box::pin(async move {
            let place = STATE.to_owned();
            std::fs::write(STATE, text).map_err(|error| StateError::Io { place, error })
        })
    }
}

fn scope<'a>(cloud: &'a Aws, kinds: &'a Kinds<Aws>, pass: &'a Pass) -> Scope<'a, Aws> {
    Scope { cloud, kinds, pass, parallelism: 16, adopt: false, only: None, reporter: &tapctl::engine::Silent }
}

async fn drift(aws: &Aws, kinds: &Kinds<Aws>, state: &State) -> Value {
    let pass = Pass::default();
    let drifted = engine::drift(&scope(aws, kinds, &pass), state).await.expect("readable");
    let words = drifted.iter().flat_map(|node| {
        let missing = node.missing.then(|| "missing".to_owned());
        let paths = node.changes.changes.iter().map(|change| change.path.clone());
        let words = missing.into_iter().chain(node.status.clone()).chain(paths);
        words.map(|word| format!("{}: {word}", node.node)).collect::<Vec<_>>()
    });
    json!({ "drifted": words.collect::<Vec<_>>() })
}

/// Applies the stack or, without one, destroys all there is.
async fn converge(aws: &Aws, kinds: &Kinds<Aws>, state: State, stack: Option<&Stack>) -> Value {
    let pass = Pass::default();
    let words = |failures: &[NodeFailure]| failures.iter().map(ToString::to_string).collect::<Vec<_>>();
    let seen = match engine::observe(&scope(aws, kinds, &pass), stack, &state).await {
        Ok(seen) => seen,
        Err(failures) => return json!({ "steps": {}, "failures": words(&failures) }),
    };
    let facts = |kind: &str| kinds.get(kind).map(|kind| kind.facts());
    let plan = match stack {
        Some(stack) => plan(stack, &state, &seen, &facts),
        None => plan_destroy(&state, &seen, &facts),
    };
    let plan = plan.expect("all kinds are known");
    let steps: BTreeMap<&str, &str> = plan.changes().map(|step| (step.node.as_str(), step.action.word())).collect();
    let empty = Stack::new("audit-kinds", "dev", "us-east-1");
    let chosen = select(stack.unwrap_or(&empty), &state, &[], &[]).expect("known names");
    let options = Options { settle: Duration::from_secs(5), ..Options::default() };
    let engine = Engine::new(aws, kinds, &OneFile, &Silent, options, Stop::new().1, state, pass, seen);
    let report = match stack {
        Some(stack) => engine.apply(stack, &plan, &chosen).await,
        None => engine.destroy(&chosen).await,
    };
    json!({ "steps": steps, "failures": words(&report.expect("the state can be saved").failures) })
}
