//! Changing one node's credential.

use super::Engine;
use super::node::Worker;
use super::report::{NodeFailure, Outcome};
use super::walk::{Halt, Task, Tasks, name_of};
use crate::error::{Class, Fault};
use crate::resource::{Cx, Pass, Phase, Seen, Turn};
use crate::state::NodeState;

impl<C: 'static> Engine<'_, C> {
    /// The nodes whose recorded id leads to somebody else's object by now: to meet one half-way would leave half of the
    /// users with the old credential, or half of the members restarted.
    pub(super) async fn strangers_among(&self, tasks: &Tasks) -> Vec<NodeFailure> {
        let mut failures = Vec::new();
        let comes_first = |task: &&Task| !matches!(task, Task::Retire(_));
        for node in tasks.keys().filter(comes_first).map(name_of) {
            let Some(NodeState { kind, spec, id: Some(id), .. }) = self.state.borrow().nodes.get(node).cloned() else {
                continue;
            };
            let Ok(kind) = self.kinds.get(&kind) else { continue };
            let worker = Worker { engine: self, node, kind, facts: kind.facts() };
            if let Err(Halt::Failed(failure)) = worker.look_at_ours(&spec, &id).await {
                failures.push(*failure);
            }
        }
        failures
    }
}

impl<C: 'static> Worker<'_, C> {
    /// Both turns, each on an object that is ready, and seen ready again at the end. Nothing of it is recorded: what was
    /// begun is found in AWS, by this run or the next.
    pub(super) async fn rotate(&self) -> Result<Outcome, Halt> {
        let Some(node) = self.recorded() else { return Ok(Outcome::Kept) };
        for turn in [Turn::Begin, Turn::Settle] {
            self.take(&node, turn).await?;
        }
        self.await_ready(&node, "rotate").await?;
        Ok(Outcome::Rotated)
    }

    /// The last turn, once the users had theirs.
    pub(super) async fn retire(&self) -> Result<Outcome, Halt> {
        let Some(node) = self.recorded() else { return Ok(Outcome::Kept) };
        self.take(&node, Turn::Retire).await?;
        self.await_ready(&node, "rotate").await?;
        Ok(Outcome::Kept)
    }

    /// One turn, again where AWS refuses it for now.
    async fn take(&self, node: &NodeState, turn: Turn) -> Result<(), Halt> {
        let mut patience = self.patience(self.facts.wait.ready);
        loop {
            let found = self.await_ready(node, "rotate").await?;
            let Some(refused) = self.ask_to_rotate(node, &found, turn).await? else { break };
            self.wait(&mut patience, "rotate", &refused).await?;
        }
        if turn == Turn::Begin {
            self.give_time("for it to take in the new credential").await?;
        }
        Ok(())
    }

    /// The object once it is ready, and still ours. Nothing waits for what ended badly.
    pub(super) async fn await_ready(&self, node: &NodeState, verb: &'static str) -> Result<Seen, Halt> {
        let mut patience = self.patience(self.facts.wait.ready);
        loop {
            let found = self.await_visible(node).await?;
            let reason = match found {
                Some(found) if found.phase == Phase::Ready => return Ok(found),
                Some(Seen { phase: Phase::Failed(reason), .. }) => {
                    return Err(self.fail(verb, Fault::new(Class::Other, "Failed", reason)));
                }
                Some(Seen { phase: Phase::Pending(reason), .. }) => reason,
                Some(_) => "being deleted".to_owned(),
                None => "not visible for now".to_owned(),
            };
            self.wait(&mut patience, verb, &reason).await?;
        }
    }

    /// One call: `None` when AWS took it, otherwise why it must be made again.
    async fn ask_to_rotate(&self, node: &NodeState, found: &Seen, turn: Turn) -> Result<Option<String>, Halt> {
        self.unless_stopped("rotate")?;
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.rotate(cx, &node.spec, found, turn).await {
            Ok(()) => Ok(None),
            Err(fault) => match fault.class {
                Class::Throttled | Class::NotYet | Class::Busy | Class::Lost => {
                    Ok(Some(format!("{}: {}", fault.code, fault.message)))
                }
                _ => Err(self.fail("rotate", fault)),
            },
        }
    }
}
