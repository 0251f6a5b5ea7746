//! The contract of every kind, on real objects: by id and without, `observe` finds the same object, as it was wanted,
//! ready, with the outputs that were recorded; and after a destroy it finds none.

use tapctl::aws::Aws;
use tapctl::diff::Diff;
use tapctl::resource::{Cx, Facts, Kinds, Owner, Pass, Phase, Seen};
use tapctl::resources;
use tapctl::state::{NodeState, State};

use crate::harness::{Desk, in_a_process_of_its_own_run, standing};

/// Names the state document to the test that is run in a process of its own.
const STATE: &str = "TAPCTL_CONTRACT_STATE";
/// Set where everything in that document has been removed.
const GONE: &str = "TAPCTL_CONTRACT_GONE";

#[test]
fn every_kind_finds_its_object_by_id_and_without() {
    let (aws, desk) = standing();
    let state = desk.path("applied.json");
    std::fs::copy(desk.state_path("dev"), &state).expect("there is a state");
    let mark = aws.mark();
    present(&desk, "applied.json");
    assert_eq!(aws.writes_since(mark), [""; 0]);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    absent(&desk, "applied.json");
}

/// Fails unless every object of this state document is found as the contract wants it.
pub fn present(desk: &Desk, state: &str) {
    in_a_process_of_its_own_run(desk, "contract::in_a_process_of_its_own", &[(STATE, state)]);
}

/// Fails unless no object of this state document is found.
pub fn absent(desk: &Desk, state: &str) {
    in_a_process_of_its_own_run(desk, "contract::in_a_process_of_its_own", &[(STATE, state), (GONE, "yes")]);
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn in_a_process_of_its_own() {
    let Ok(path) = std::env::var(STATE) else { return };
    let text = std::fs::read_to_string(&path).expect("the state can be read");
    let state = State::parse(&text, &path).expect("it is a state");
    let aws = Aws::connect(&state.region).await.expect("AWS answers");
    let eyes = Eyes { aws, kinds: resources::registry(), by_id: Pass::default(), without: Pass::default() };
    let gone = std::env::var(GONE).is_ok();
    let mut complaints = Vec::new();
    for (name, node) in &state.nodes {
        let owner = state.owner(name, "");
        let found = match gone {
            true => eyes.absent(&owner, node).await,
            false => eyes.present(&owner, node).await,
        };
        complaints.extend(found.into_iter().map(|what| format!("{name} ({}): {what}", node.kind)));
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

/// Looks at objects in both ways. The reads that nodes share are shared here too.
struct Eyes {
    aws: Aws,
    kinds: Kinds<Aws>,
    by_id: Pass,
    without: Pass,
}

impl Eyes {
    fn facts(&self, node: &NodeState) -> Facts {
        self.kinds.get(&node.kind).expect("a kind of ours").facts()
    }

    async fn look(&self, owner: &Owner, node: &NodeState, id: Option<&str>) -> Result<Option<Seen>, String> {
        let kind = self.kinds.get(&node.kind).map_err(|fault| fault.to_string())?;
        let pass = if id.is_some() { &self.by_id } else { &self.without };
        let how = if id.is_some() { "by id" } else { "without id" };
        let cx = Cx { cloud: &self.aws, owner, pass };
        kind.observe(cx, &node.spec, id).await.map_err(|fault| format!("{how}: {fault}"))
    }

    /// What is wrong with how a live object is seen.
    async fn present(&self, owner: &Owner, node: &NodeState) -> Vec<String> {
        let mut wrong = Vec::new();
        for (how, id) in [("by id", node.id.as_deref()), ("without id", None)] {
            match self.look(owner, node, id).await {
                Err(fault) => wrong.push(fault),
                Ok(None) => wrong.push(format!("{how}: not found")),
                Ok(Some(seen)) => {
                    let found = self.compare(owner, node, &seen);
                    wrong.extend(found.into_iter().map(|what| format!("{how}: {what}")));
                }
            }
        }
        wrong
    }

    fn compare(&self, owner: &Owner, node: &NodeState, seen: &Seen) -> Vec<String> {
        let mut wrong = Vec::new();
        if node.id.as_deref() != Some(&seen.id) {
            wrong.push(format!("the id is {}, recorded is {:?}", seen.id, node.id));
        }
        for change in self.facts(node).diff(&node.spec, &seen.live).changes {
            wrong.push(format!("{} is {}, wanted is {}", change.path, change.live, change.want));
        }
        for change in Diff::between(&node.outputs, &seen.outputs, &[]).changes {
            wrong.push(format!("the output {} is {}, recorded is {}", change.path, change.live, change.want));
        }
        if seen.phase != Phase::Ready {
            wrong.push(format!("its phase is {:?}", seen.phase));
        }
        if let Some(reason) = &seen.foreign {
            wrong.push(format!("it is not ours: {reason}"));
        }
        if !seen.duplicates.is_empty() {
            wrong.push(format!("it has duplicates: {}", seen.duplicates.join(", ")));
        }
        let tags = seen.live.get("tags").map(|tags| serde_json::from_value(tags.clone()).expect("tags are texts"));
        if tags.is_some_and(|tags| !owner.owns(&tags)) {
            wrong.push("it does not carry its ownership tags".to_owned());
        }
        wrong
    }

    /// What is wrong with how a removed object is seen. What stacks share may live on, and what AWS keeps for a while is
    /// found without its id, for an apply to take back.
    async fn absent(&self, owner: &Owner, node: &NodeState) -> Vec<String> {
        let mut wrong = Vec::new();
        for (how, id) in [("by id", node.id.as_deref()), ("without id", None)] {
            match self.look(owner, node, id).await {
                Err(fault) => wrong.push(fault),
                Ok(Some(seen)) if id.is_none() && self.is_kept(node, &seen) => {}
                Ok(Some(seen)) if !self.facts(node).shared => {
                    wrong.push(format!("{how}: found {} after it was removed, {:?}", seen.id, seen.phase));
                }
                Ok(_) => {}
            }
        }
        wrong
    }

    fn is_kept(&self, node: &NodeState, seen: &Seen) -> bool {
        let kind = self.kinds.get(&node.kind).expect("a kind of ours");
        matches!(seen.phase, Phase::Failed(_)) && kind.remains(&node.spec).is_some()
    }
}
