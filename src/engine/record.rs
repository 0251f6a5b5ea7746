//! What is written down about a node, and when: each of these is on disk before it returns.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::node::{Target, Worker};
use super::walk::Halt;
use crate::resource::Seen;
use crate::state::{Attempt, NodeState, Progress};

/// How much later than written down an intent may be called again.
const UNTOLD: Duration = Duration::from_secs(10);

/// The time since then; none where the clock was set back.
pub(super) fn since(then: Timestamp) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(then)).unwrap_or_default()
}

impl<C: 'static> Worker<'_, C> {
    pub(super) fn recorded(&self) -> Option<NodeState> {
        self.engine.state.borrow().nodes.get(self.node).cloned()
    }

    /// The intent to create: one that was never answered goes on as long as it asks for the same. What the last call may
    /// have made is looked for from that call on, so a call that comes much later is written down too.
    pub(super) async fn record_intent(&self, target: &Target) -> Result<Attempt, Halt> {
        if let Some(attempt) =
            self.recorded().filter(|node| node.id.is_none() && node.spec == target.spec).and_then(|node| node.attempt)
        {
            if since(attempt.latest()) < UNTOLD {
                return Ok(attempt);
            }
            let again = Attempt { last: Some(Timestamp::now()), ..attempt };
            self.amend(|node| node.attempt = Some(again.clone())).await?;
            return Ok(again);
        }
        let attempt = Attempt { id: uuid::Uuid::new_v4().to_string(), since: Timestamp::now(), last: None };
        let node = NodeState { attempt: Some(attempt.clone()), ..self.fresh(target) };
        self.engine.record(|state| drop(state.nodes.insert(self.node.to_owned(), node))).await?;
        Ok(attempt)
    }

    pub(super) async fn forget_intent(&self) -> Result<(), Halt> {
        Ok(self.engine.record(|state| drop(state.nodes.remove(self.node))).await?)
    }

    fn fresh(&self, target: &Target) -> NodeState {
        NodeState {
            kind: self.facts.kind.to_owned(),
            spec: target.spec.clone(),
            edges: target.edges.clone(),
            id: None,
            identity: None,
            outputs: Value::Null,
            progress: Progress::Pending,
            attempt: None,
            created: None,
        }
    }

    /// What the state would say of an object that it does not know.
    pub(super) fn as_seen(&self, target: &Target, seen: &Seen) -> NodeState {
        NodeState {
            id: Some(seen.id.clone()),
            identity: seen.identity.clone(),
            spec: seen.live.clone(),
            outputs: seen.outputs.clone(),
            ..self.fresh(target)
        }
    }

    pub(super) async fn record_id(&self, target: &Target, id: &str) -> Result<(), Halt> {
        let node = NodeState { id: Some(id.to_owned()), created: Some(Timestamp::now()), ..self.fresh(target) };
        Ok(self.engine.record(|state| drop(state.nodes.insert(self.node.to_owned(), node))).await?)
    }

    pub(super) async fn record_spec(&self, target: &Target) -> Result<(), Halt> {
        let change = |node: &mut NodeState| {
            node.spec = target.spec.clone();
            node.edges = target.edges.clone();
            node.progress = Progress::Pending;
        };
        self.amend(change).await
    }

    pub(super) async fn record_progress(&self, progress: Progress) -> Result<(), Halt> {
        self.amend(|node| node.progress = progress).await
    }

    pub(super) async fn record_ready(&self, target: &Target, found: &Seen) -> Result<(), Halt> {
        let change = |node: &mut NodeState| {
            node.spec = target.spec.clone();
            node.edges = target.edges.clone();
            node.outputs = found.outputs.clone();
            node.identity = found.identity.clone().or(node.identity.take());
            node.progress = Progress::Ready;
        };
        self.amend(change).await
    }

    /// Keeps the present object under another name until its replacement has taken over.
    pub(super) async fn depose(&self, old: NodeState) -> Result<(), Halt> {
        let depose = |state: &mut crate::state::State| {
            if state.nodes.get(self.node).is_some_and(|node| node.id == old.id) {
                state.nodes.remove(self.node);
            }
            state.nodes.insert(format!("{}@{}", self.node, state.serial), old);
        };
        Ok(self.engine.record(depose).await?)
    }

    /// Changes the node's record, and saves only where that makes a difference.
    pub(super) async fn amend(&self, change: impl FnOnce(&mut NodeState)) -> Result<(), Halt> {
        let Some(before) = self.recorded() else { return Ok(()) };
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Ok(());
        }
        Ok(self.engine.record(|state| drop(state.nodes.insert(self.node.to_owned(), after))).await?)
    }
}
