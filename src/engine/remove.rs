//! Removing one node's object.

use serde_json::Value;

use super::Engine;
use super::node::Worker;
use super::report::Outcome;
use super::walk::Halt;
use crate::error::{Class, Result};
use crate::resource::{Cx, Pass, Seen};
use crate::state::{NodeState, Progress};

impl<C: 'static> Engine<'_, C> {
    /// Removes what a node's replacements have left behind.
    pub(super) async fn clear(&self, node: &str) -> Result<Outcome, Halt> {
        let prefix = format!("{node}@");
        let left: Vec<(String, String)> = {
            let state = self.state.borrow();
            state
                .nodes
                .iter()
                .filter(|(name, _)| name.starts_with(&prefix))
                .map(|(name, node)| (name.clone(), node.kind.clone()))
                .collect()
        };
        for (name, kind) in left {
            let erased = self.kinds.get(&kind).map_err(|fault| super::node::halt(&name, &kind, "delete", fault))?;
            Worker { engine: self, node: &name, kind: erased, facts: erased.facts() }.remove().await?;
        }
        Ok(Outcome::Deleted)
    }
}

impl<C: 'static> Worker<'_, C> {
    pub(super) async fn remove(&self) -> Result<Outcome, Halt> {
        let Some(node) = self.recorded() else { return Ok(Outcome::Forgotten) };
        if self.facts.shared {
            self.release(&node).await?;
            return self.forget(Outcome::Forgotten).await;
        }
        let outcome = match self.id_to_remove(&node).await? {
            None => Outcome::Forgotten,
            Some(id) => {
                self.amend(|node| node.progress = Progress::Deleting).await?;
                self.remove_object(&node.spec, &id).await?
            }
        };
        self.forget(outcome).await
    }

    /// Gives up this stack's share in a shared object. Whether it vanishes is up to the other stacks.
    async fn release(&self, node: &NodeState) -> Result<(), Halt> {
        let mut patience = self.patience(self.facts.wait.gone);
        loop {
            let found = self.look(&node.spec, node.id.as_deref()).await.map_err(|fault| self.fail("observe", fault))?;
            let Some(found) = found else { return Ok(()) };
            match self.ask_to_delete(&node.spec, &found).await? {
                None => return Ok(()),
                Some(refused) => self.wait(&mut patience, "delete", &refused).await?,
            }
        }
    }

    /// The recorded id or, where a create was never answered, the id of what it made.
    async fn id_to_remove(&self, node: &NodeState) -> Result<Option<String>, Halt> {
        if node.id.is_some() {
            return Ok(node.id.clone());
        }
        let mut patience = self.patience(self.engine.options.settle);
        loop {
            let found = self.look(&node.spec, None).await.map_err(|fault| self.fail("observe", fault))?;
            match found.filter(|found| self.is_ours(found)) {
                Some(found) => return Ok(Some(found.id)),
                None if patience.is_over() => return Ok(None),
                None => {
                    self.wait(&mut patience, "observe", "looking for what an unanswered create may have made").await?
                }
            }
        }
    }

    fn is_ours(&self, found: &Seen) -> bool {
        super::observe::owned(self.kind, &self.owner(""), found.clone(), false).is_ok()
    }

    async fn forget(&self, outcome: Outcome) -> Result<Outcome, Halt> {
        self.engine.removed.borrow_mut().insert(self.node.to_owned());
        self.engine.record(|state| drop(state.nodes.remove(self.node))).await?;
        Ok(outcome)
    }

    /// Asks AWS to remove an object, again where it is refused for now, and waits until it is gone.
    pub(super) async fn remove_object(&self, spec: &Value, id: &str) -> Result<Outcome, Halt> {
        let mut patience = self.patience(self.facts.wait.gone);
        let mut asked = false;
        let mut outcome = Outcome::Forgotten;
        loop {
            let found = self.look(spec, Some(id)).await.map_err(|fault| self.fail("observe", fault))?;
            let Some(found) = found else { return Ok(outcome) };
            outcome = Outcome::Deleted;
            let mut reason = "being deleted".to_owned();
            if !asked {
                reason = match self.ask_to_delete(spec, &found).await? {
                    None => {
                        asked = true;
                        reason
                    }
                    Some(refused) => refused,
                };
            }
            self.wait(&mut patience, "delete", &reason).await?;
        }
    }

    /// One delete call: `None` when AWS took it, otherwise why it must be made again.
    async fn ask_to_delete(&self, spec: &Value, found: &Seen) -> Result<Option<String>, Halt> {
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.delete(cx, spec, found).await {
            Ok(()) => Ok(None),
            Err(fault) => match fault.class {
                Class::Absent => Ok(None),
                Class::Throttled | Class::NotYet | Class::Busy | Class::Lost | Class::Exists => {
                    Ok(Some(format!("{}: {}", fault.code, fault.message)))
                }
                _ => Err(self.fail("delete", fault)),
            },
        }
    }
}
