//! The life of kinds at the edge of a system, each on its own: made, made again without a difference, found with the
//! state lost, repaired after each drift, changed, removed.

mod databases;
mod detectors;
mod scaling;
mod tokens;
mod web_acls;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tapctl::aws::Aws;
use tapctl::engine::{self, Engine, Options, Scope, Silent, Stop};
use tapctl::plan::{self, Observations, Plan};
use tapctl::resource::{Kinds, Pass, Resource};
use tapctl::resources;
use tapctl::stack::{self, Entry, Node, Stack};
use tapctl::state::{Save, State, StateError};

use crate::harness::{Desk, LocalAws, Sweep, in_a_process_of_its_own_run};

/// Tells the test that is run in a process of its own what to do.
const VERB: &str = "TAPCTL_BENCH_VERB";
const STATE: &str = "state.json";

/// A local AWS, and a process that works on it with a stack of its own.
struct Bench {
    aws: LocalAws,
    desk: Desk,
    before: Sweep,
}

fn stack() -> Stack {
    Stack::new("bench", "dev", "us-east-1")
}

/// The state file, which nobody else writes here.
struct File;

impl Save for File {
    fn save<'a>(&'a self, text: &'a str) -> LocalBoxFuture<'a, Result<(), StateError>> {
        let io = |error| StateError::Io { place: STATE.to_owned(), error };
        Box::pin(async move { std::fs::write(STATE, text).map_err(io) })
    }
}

/// A stack of one node.
fn only<R: Resource>(spec: R) -> Stack {
    let mut stack = stack();
    let _: Node<R> = stack.add("it", spec);
    stack
}

impl Bench {
    fn new() -> Bench {
        Bench::after("")
    }

    /// A bench where this has been done before.
    fn after(python: &str) -> Bench {
        let aws = LocalAws::lease();
        aws.python(python);
        let (desk, before) = (Desk::at(&aws), aws.sweep());
        Bench { aws, desk, before }
    }

    fn run(&self, verb: &str, stack: &Stack) -> Vec<String> {
        let nodes: BTreeMap<_, _> = stack.nodes.iter().map(|(name, node)| (name, (node.kind, &node.spec))).collect();
        std::fs::write(self.desk.path("stack.json"), json!(nodes).to_string()).expect("the stack can be written");
        in_a_process_of_its_own_run(&self.desk, "edge_kinds::in_a_process_of_its_own", &[(VERB, verb)]);
        let answer = std::fs::read_to_string(self.desk.path("answer.json")).expect("there is an answer");
        serde_json::from_str(&answer).expect("the answer is a list")
    }

    fn apply(&self, stack: &Stack) -> Vec<String> {
        self.run("apply", stack)
    }

    /// What an apply that cannot succeed says.
    fn fails(&self, stack: &Stack) -> String {
        self.run("fail", stack).concat()
    }

    /// The fields that an apply would change.
    fn plan(&self, stack: &Stack) -> Vec<String> {
        self.run("plan", stack)
    }

    fn state(&self) -> Value {
        serde_json::from_str(&self.state_text()).expect("the state is JSON")
    }

    fn state_text(&self) -> String {
        std::fs::read_to_string(self.desk.path(STATE)).expect("there is a state")
    }

    fn output(&self, node: &str, name: &str) -> String {
        self.state()["nodes"][node]["outputs"][name].as_str().unwrap_or_default().to_owned()
    }

    /// Makes a stack, makes it again, loses the state, and finds every object both by id and without.
    fn begins(&self, stack: &Stack) {
        let mut made: Vec<String> = stack.nodes.keys().map(|node| format!("created {node}")).collect();
        let mut done = self.apply(stack);
        made.sort();
        done.sort();
        assert_eq!(done, made);
        self.is_as_wanted(stack);
        let mark = self.aws.mark();
        std::fs::remove_file(self.desk.path(STATE)).expect("there is a state");
        self.apply(stack);
        assert_eq!(self.aws.writes_since(mark), [""; 0], "with the state lost, everything is found again");
        self.is_as_wanted(stack);
    }

    /// Nothing to do, and every kind sees what it wrote.
    fn is_as_wanted(&self, stack: &Stack) {
        assert_eq!(self.plan(stack), [""; 0]);
        self.judge(&[]);
    }

    fn judge(&self, gone: &[(&str, &str)]) {
        let variables = [&[("TAPCTL_CONTRACT_STATE", STATE)], gone].concat();
        in_a_process_of_its_own_run(&self.desk, "contract::in_a_process_of_its_own", &variables);
    }

    /// Lets somebody change something, which is seen in exactly these fields, and repaired.
    fn repairs(&self, stack: &Stack, python: &str, fields: &[&str]) {
        self.aws.python(python);
        assert_eq!(self.plan(stack), fields, "{python}");
        self.apply(stack);
        assert_eq!(self.plan(stack), [""; 0], "{python}");
    }

    /// Changes the stack, in place, in exactly these fields.
    fn changes(&self, stack: &Stack, fields: &[&str]) {
        assert_eq!(self.plan(stack), fields);
        let done = self.apply(stack);
        assert!(done.iter().all(|line| !line.starts_with("replaced")), "{done:?}");
        self.is_as_wanted(stack);
    }

    /// Removes everything; nothing is left but what was there before.
    fn ends(self) {
        std::fs::copy(self.desk.path(STATE), self.desk.path("last.json")).expect("there is a state");
        self.run("destroy", &stack());
        assert_eq!(self.aws.sweep().leftovers().names(), self.before.leftovers().names());
        std::fs::copy(self.desk.path("last.json"), self.desk.path(STATE)).expect("it was copied");
        self.judge(&[("TAPCTL_CONTRACT_GONE", "yes")]);
        self.aws.assert_lawful();
    }
}

#[tokio::test]
#[ignore = "run by the tests of this file"]
async fn in_a_process_of_its_own() {
    let Ok(verb) = std::env::var(VERB) else { return };
    let aws = Aws::connect("us-east-1").await.expect("AWS answers");
    let kinds = resources::registry();
    let stack = stack_on_the_desk(&kinds);
    let state = match std::fs::read_to_string(STATE) {
        Ok(text) => State::parse(&text, STATE).expect("it is a state"),
        Err(_) => State::new(&stack.name, &stack.env, &aws.account, &aws.region),
    };
    let pass = Pass::default();
    let wanted = (verb != "destroy").then_some(&stack);
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
    let plan = plan::plan(&stack, &state, &seen, &facts).expect("it can be planned");
    let answer = match verb.as_str() {
        "plan" => fields(&plan),
        _ => act(&verb, &aws, &kinds, &stack, &plan, state, pass, seen).await,
    };
    std::fs::write("answer.json", json!(answer).to_string()).expect("the answer can be written");
}

fn stack_on_the_desk(kinds: &Kinds<Aws>) -> Stack {
    let text = std::fs::read_to_string("stack.json").expect("there is a stack");
    let nodes: BTreeMap<String, (String, Value)> = serde_json::from_str(&text).expect("it is a stack");
    let mut stack = stack();
    for (name, (kind, spec)) in nodes {
        let kind = kinds.names().find(|known| *known == kind).expect("the kind is registered");
        kinds.get(kind).expect("it is known").check(&spec).unwrap_or_else(|why| panic!("{name}: {why}"));
        stack.nodes.insert(name, Entry { kind, edges: stack::edges(&spec), spec });
    }
    stack
}

/// `node.path` of every difference, and `word node` of every other step that does something.
fn fields(plan: &Plan) -> Vec<String> {
    let mut fields = Vec::new();
    for step in plan.changes() {
        let changes = step.action.diff().map(|diff| diff.changes.as_slice()).unwrap_or_default();
        fields.extend(changes.iter().map(|change| format!("{}.{}", step.node, change.path)));
        if changes.is_empty() || step.action.destroys() {
            fields.push(format!("{} {}", step.action.word(), step.node));
        }
    }
    fields.sort();
    fields
}

#[allow(clippy::too_many_arguments, reason = "each is one thing an engine stands on")]
async fn act(
    verb: &str,
    aws: &Aws,
    kinds: &Kinds<Aws>,
    stack: &Stack,
    plan: &Plan,
    state: State,
    pass: Pass,
    seen: Observations,
) -> Vec<String> {
    let chosen: BTreeSet<String> = state.nodes.keys().chain(stack.nodes.keys()).cloned().collect();
    let (_ask, stop) = Stop::new();
    let options = Options { settle: std::time::Duration::from_secs(5), ..Options::default() };
    let engine = Engine::new(aws, kinds, &File, &Silent, options, stop, state, pass, seen);
    let report = match verb {
        "destroy" => engine.destroy(&chosen).await,
        _ => engine.apply(stack, plan, &chosen).await,
    };
    let report = report.expect("the state can be saved");
    let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    if verb == "fail" {
        return failures;
    }
    assert!(report.is_complete(), "{}", failures.join("\n"));
    report.done.iter().map(|(node, outcome)| format!("{} {node}", outcome.as_str())).collect()
}
