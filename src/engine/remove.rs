//! Removing one node's object.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Engine;
use super::find::unanswered;
use super::node::{Target, Worker, halt};
use super::report::Outcome;
use super::walk::Halt;
use crate::error::Class;
use crate::resource::{Cx, Pass, Seen};
use crate::stack::Stack;
use crate::state::{NodeState, Progress, base_name};

impl<C: 'static> Engine<'_, C> {
    /// What a node's replacements have left behind, with the kinds.
    pub(super) fn left_behind(&self, node: &str) -> Vec<(String, String)> {
        let state = self.state.borrow();
        let left = state.nodes.iter().filter(|(name, _)| *name != node && base_name(name) == node);
        left.map(|(name, node)| (name.clone(), node.kind.clone())).collect()
    }

    /// Removes what a node's replacements have left behind.
    pub(super) async fn clear(&self, node: &str, stack: Option<&Stack>) -> Result<Outcome, Halt> {
        let left = self.left_behind(node);
        let outcome = if left.is_empty() { Outcome::Kept } else { Outcome::Deleted };
        for (name, kind) in left {
            let erased = self.kinds.get(&kind).map_err(|fault| halt(&name, &kind, "delete", fault))?;
            Worker { engine: self, node: &name, kind: erased, facts: erased.facts() }.remove(stack).await?;
        }
        Ok(outcome)
    }
}

impl<C: 'static> Worker<'_, C> {
    pub(super) async fn remove(&self, stack: Option<&Stack>) -> Result<Outcome, Halt> {
        self.record_seen(stack).await?;
        let Some(node) = self.recorded() else { return Ok(Outcome::Forgotten) };
        if self.facts.shared {
            self.release(&node).await?;
            return self.forget(Outcome::Forgotten).await;
        }
        let Some(found) = self.object_to_remove(&node).await? else { return self.forget(Outcome::Forgotten).await };
        let deleting = |node: &mut NodeState| {
            node.id = Some(found.id.clone());
            node.progress = Progress::Deleting;
        };
        self.amend(deleting).await?;
        let duplicates = self.planned(stack).into_iter().flat_map(|seen| &seen.duplicates).chain(&found.duplicates);
        for id in duplicates.collect::<BTreeSet<_>>() {
            self.remove_object(&node.spec, id).await?;
        }
        self.remove_found(&node.spec, found).await?;
        self.forget(Outcome::Deleted).await
    }

    /// Gives up this stack's share in a shared object. Whether it vanishes is up to the other stacks.
    async fn release(&self, node: &NodeState) -> Result<(), Halt> {
        let mut patience = self.patience(self.facts.wait.gone);
        loop {
            let found = self.look(&node.spec, node.id.as_deref()).await?;
            let Some(found) = found else { return Ok(()) };
            match self.ask_to_delete(&node.spec, &found).await? {
                None => return Ok(()),
                Some(refused) => self.wait(&mut patience, "delete", &refused).await?,
            }
        }
    }

    /// What planning found of this node, unless the stack now has another kind in its place.
    fn planned(&self, stack: Option<&Stack>) -> Option<&Seen> {
        let entry = stack.and_then(|stack| stack.nodes.get(self.node));
        let same = entry.is_none_or(|entry| entry.kind == self.facts.kind);
        self.engine.seen.get(self.node).filter(|_| same)?.as_ref()
    }

    /// What planning found in place of what the state knows is what is to go.
    async fn record_seen(&self, stack: Option<&Stack>) -> Result<(), Halt> {
        let Some(seen) = self.planned(stack) else { return Ok(()) };
        let recorded = self.recorded();
        let known = recorded.as_ref().is_some_and(|node| node.id.as_ref() == Some(&seen.id));
        if known || !(self.is_ours(seen) || self.engine.options.adopt) {
            return Ok(());
        }
        let entry = stack.and_then(|stack| stack.nodes.get(self.node));
        let edges = entry.map(|entry| entry.edges.clone()).or_else(|| recorded.map(|node| node.edges));
        let target = Target { spec: Value::Null, edges: edges.unwrap_or_default() };
        let node = self.as_seen(&target, seen);
        Ok(self.engine.record(|state| drop(state.nodes.insert(self.node.to_owned(), node))).await?)
    }

    /// The recorded object or, where a create was never answered, what it made.
    async fn object_to_remove(&self, node: &NodeState) -> Result<Option<Seen>, Halt> {
        let found = self.await_visible(node).await?;
        Ok(found.filter(|found| unanswered(node).is_none() || self.is_ours(found)))
    }

    async fn forget(&self, outcome: Outcome) -> Result<Outcome, Halt> {
        self.engine.removed.borrow_mut().insert(self.node.to_owned());
        self.engine.record(|state| drop(state.nodes.remove(self.node))).await?;
        Ok(outcome)
    }

    pub(super) async fn remove_object(&self, spec: &Value, id: &str) -> Result<(), Halt> {
        match self.look(spec, Some(id)).await? {
            Some(found) => self.remove_found(spec, found).await,
            None => Ok(()),
        }
    }

    /// Asks AWS to remove an object, again where it is refused for now, and waits until it is gone.
    async fn remove_found(&self, spec: &Value, mut found: Seen) -> Result<(), Halt> {
        let mut patience = self.patience(self.facts.wait.gone);
        let mut asked = false;
        loop {
            let mut reason = "being deleted".to_owned();
            if !asked {
                match self.ask_to_delete(spec, &found).await? {
                    None => asked = true,
                    Some(refused) => reason = refused,
                }
            }
            self.wait(&mut patience, "delete", &reason).await?;
            found = match self.look(spec, Some(&found.id)).await? {
                Some(found) => found,
                None => return Ok(()),
            };
        }
    }

    /// One delete call: `None` when AWS took it, otherwise why it must be made again.
    async fn ask_to_delete(&self, spec: &Value, found: &Seen) -> Result<Option<String>, Halt> {
        self.unless_stopped("delete")?;
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
