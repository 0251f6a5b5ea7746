//! Having AWS copy one node's object. What is asked for is on record, name and all, before AWS is asked: a run that is
//! killed leaves a name by which the next one finds what was made, or makes it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::Engine;
use super::node::{Worker, words};
use super::report::{Outcome, Report};
use super::walk::{Halt, Task};
use crate::error::{Class, Fault, Result};
use crate::resource::{Backup, Cx, Kinds, Owner, Pass, Phase, Seen, TAG_REASON, Tags};
use crate::state::{NodeState, Operation, State, StateError};

/// What the record calls a snapshot that is under way.
pub const SNAPSHOT: &str = "snapshot";
const NODE: &str = "node";
const NAME: &str = "name";
const REASON: &str = "reason";
/// AWS's word for a snapshot that came to nothing.
const FAILED: &str = "failed";

/// A snapshot that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The node that it is of.
    pub node: String,
    /// What it is called.
    pub name: String,
    /// Why it is taken, as its tag says.
    pub reason: String,
}

impl Snapshot {
    /// The one that is under way.
    pub fn under_way(state: &State) -> Option<Snapshot> {
        let operation = state.operation.as_ref().filter(|operation| operation.verb == SNAPSHOT)?;
        let said = |key: &str| operation.inputs.get(key).and_then(Value::as_str).map(str::to_owned);
        Some(Snapshot { node: said(NODE)?, name: said(NAME)?, reason: said(REASON).unwrap_or_default() })
    }

    fn operation(&self) -> Operation {
        let said = [(NODE, &self.node), (NAME, &self.name), (REASON, &self.reason)];
        let inputs = said.into_iter().map(|(key, value)| (key.to_owned(), Value::from(value.as_str())));
        Operation { verb: SNAPSHOT.to_owned(), inputs: inputs.collect::<BTreeMap<_, _>>(), since: Timestamp::now() }
    }
}

/// The snapshot of a recorded node's object that has this name, if there is one. Nothing is written.
///
/// # Errors
/// Where AWS does not answer, or where the snapshot is not this node's.
pub async fn find_snapshot<C: 'static>(
    cloud: &C,
    kinds: &Kinds<C>,
    state: &State,
    node: &str,
    name: &str,
) -> Result<Option<Backup>> {
    let Some(recorded) = state.nodes.get(node) else { return Ok(None) };
    let (owner, pass) = (state.owner(node, ""), Pass::default());
    let cx = Cx { cloud, owner: &owner, pass: &pass };
    kinds.get(&recorded.kind)?.find_snapshot(cx, &recorded.spec, name).await
}

impl<C: 'static> Engine<'_, C> {
    /// Has AWS take a snapshot of a node's object, and waits until that can be restored from. One of its name that is this
    /// node's already is waited for, and no second one taken.
    ///
    /// # Errors
    /// Where the state cannot be saved. What else fails is in the report.
    pub async fn snapshot(&self, wanted: &Snapshot) -> Result<Report, StateError> {
        if Snapshot::under_way(&self.state.borrow()).as_ref() != Some(wanted) {
            self.record(|state| state.operation = Some(wanted.operation())).await?;
        }
        self.run(None, [(Task::Snapshot(wanted.node.clone()), BTreeSet::new())].into()).await
    }
}

impl<C: 'static> Worker<'_, C> {
    pub(super) async fn snapshot(&self) -> Result<Outcome, Halt> {
        let wanted = Snapshot::under_way(&self.engine.state.borrow());
        let (Some(node), Some(wanted)) = (self.recorded(), wanted) else { return Ok(Outcome::Kept) };
        let mut patience = self.patience(self.facts.wait.ready);
        loop {
            let reason = match self.find_copy(&node, &wanted.name).await? {
                Ok(Some(Backup { unready: None, .. })) => break,
                Ok(Some(Backup { unready: Some(status), .. })) if status == FAILED => {
                    let text = format!("the snapshot {} came to nothing; delete it, and take another", wanted.name);
                    return Err(self.give_up(Fault::new(Class::Other, "Failed", text)).await?);
                }
                Ok(Some(Backup { unready: Some(status), .. })) => format!("{} is {status}", wanted.name),
                Ok(None) => self.ask_for(&node, &wanted).await?,
                Err(reason) => reason,
            };
            self.wait(&mut patience, SNAPSHOT, &reason).await?;
        }
        self.engine.record(|state| state.operation = None).await?;
        Ok(Outcome::Copied)
    }

    /// One look for the snapshot; what keeps it from being seen for now, as the reason of a wait.
    async fn find_copy(&self, node: &NodeState, name: &str) -> Result<Result<Option<Backup>, String>, Halt> {
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.find_snapshot(cx, &node.spec, name).await {
            Ok(found) => Ok(Ok(found)),
            Err(fault) if passes(fault.class) => Ok(Err(words(&fault))),
            Err(fault) => Err(self.give_up(fault).await?),
        }
    }

    /// Asks for the snapshot, of an object that is ready and ours. Tells what is waited for then.
    async fn ask_for(&self, node: &NodeState, wanted: &Snapshot) -> Result<String, Halt> {
        let found = match self.await_standing(node).await {
            Ok(found) => found,
            Err(Halt::Failed(failure)) => return Err(self.give_up(failure.fault).await?),
            Err(other) => return Err(other),
        };
        self.unless_stopped("take a snapshot")?;
        let tags = tags(node, &self.owner(""), wanted);
        match self.call(node, &found, wanted, &tags).await {
            Ok(()) => Ok(format!("{} is being taken", wanted.name)),
            // Asked for by a call that was never answered, and not visible yet.
            Err(fault) if fault.class == Class::Exists || passes(fault.class) => Ok(words(&fault)),
            Err(fault) => Err(self.give_up(fault).await?),
        }
    }

    /// The object once it is ready. Nobody waits for one that is gone.
    async fn await_standing(&self, node: &NodeState) -> Result<Seen, Halt> {
        match self.await_visible(node).await? {
            Some(found) if found.phase == Phase::Ready => Ok(found),
            Some(_) => self.await_ready(node, SNAPSHOT).await,
            None => {
                let text = "it is gone; `tapctl backups` shows what there is of it";
                Err(self.fail(SNAPSHOT, Fault::new(Class::Absent, "Absent", text)))
            }
        }
    }

    async fn call(&self, node: &NodeState, found: &Seen, wanted: &Snapshot, tags: &Tags) -> Result<()> {
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        self.kind.snapshot(cx, &node.spec, found, &wanted.name, tags).await
    }

    /// The failure; and where nothing of the snapshot can be under way, its name is given up, so that the next run may take
    /// another.
    async fn give_up(&self, fault: Fault) -> Result<Halt, Halt> {
        if fault.class != Class::Credentials {
            self.engine.record(|state| state.operation = None).await?;
        }
        Ok(self.fail(SNAPSHOT, fault))
    }
}

/// Whether time alone may bring another answer.
fn passes(class: Class) -> bool {
    matches!(class, Class::Throttled | Class::NotYet | Class::Busy | Class::Lost)
}

/// The tags that the node's object has, those that say whose it is, and why the snapshot was taken.
fn tags(node: &NodeState, owner: &Owner, wanted: &Snapshot) -> Tags {
    let mut tags: Tags =
        node.spec.get("tags").and_then(|tags| serde_json::from_value(tags.clone()).ok()).unwrap_or_default();
    tags.extend(owner.tags());
    tags.insert(TAG_REASON.to_owned(), wanted.reason.clone());
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_read_as_it_was_recorded() {
        let mut state = State::new("student-records", "dev", "123456789012", "us-east-1");
        assert_eq!(Snapshot::under_way(&state), None);
        let wanted = Snapshot { node: "db".into(), name: "db-1".into(), reason: "by hand".into() };
        state.operation = Some(wanted.operation());
        assert_eq!(Snapshot::under_way(&State::parse(&state.text(), "s.json").unwrap()), Some(wanted.clone()));
        state.operation = Some(Operation { verb: "restore".to_owned(), ..wanted.operation() });
        assert_eq!(Snapshot::under_way(&state), None);
    }
}
