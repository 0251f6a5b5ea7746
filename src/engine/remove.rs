//! Removing one node's object.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Engine;
use super::find::unanswered;
use super::make::VISIBLE;
use super::node::{Patience, Target, Worker, halt, words};
use super::ownership::{is_anothers, is_bare};
use super::report::{Event, Outcome};
use super::walk::Halt;
use crate::error::{Class, Fault};
use crate::plan::is_lodger;
use crate::resource::{Cx, Pass, Phase, Seen};
use crate::stack::Stack;
use crate::state::{NodeState, Progress, base_name};

/// How long a removal is refused before AWS is asked what stands against it.
const EXPLAIN: Duration = Duration::from_secs(15);
/// How often it is asked again.
const EXPLAIN_AGAIN: Duration = Duration::from_secs(60);

/// When a removal that AWS has taken, and that does not show, is asked for once more: it may have been refused for an
/// object that the thing refers to, which AWS words as if the thing itself were gone.
const ASK_ONCE_MORE: Duration = Duration::from_secs(30);

/// What stands against a removal.
struct Held {
    since: Instant,
    asked: Option<Instant>,
    by: Vec<String>,
}

impl Default for Held {
    fn default() -> Self {
        Held { since: Instant::now(), asked: None, by: Vec::new() }
    }
}

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
        let lingers = self.facts.reborn && stack.is_none() && node.id.is_some();
        let Some(found) = self.object_to_remove(&node).await? else {
            return if lingers { Ok(self.linger(Outcome::Forgotten)) } else { self.forget(Outcome::Forgotten).await };
        };
        if stack.is_some() && is_lodger(&node, &self.owner(""), &found) {
            return self.forget(Outcome::Forgotten).await;
        }
        self.refuse_part_of_anothers(&node.edges).await?;
        // Only a destroy leaves anything: what an apply removes was named by who asked for that.
        if stack.is_none()
            && let Some(why) = self.reason_to_stay(&node, &found).await?
        {
            return self.stay(&found, why).await;
        }
        let deleting = |node: &mut NodeState| {
            node.id = Some(found.id.clone());
            node.progress = Progress::Deleting;
        };
        self.amend(deleting).await?;
        // A destroy leaves nobody that it could do for.
        let found = match stack {
            Some(_) => self.relieved(&node.spec, found).await?,
            None => Some(found),
        };
        let Some(found) = found else { return self.forget(Outcome::Deleted).await };
        let duplicates = self.planned(stack).into_iter().flat_map(|seen| &seen.duplicates).chain(&found.duplicates);
        for id in duplicates.collect::<BTreeSet<_>>() {
            self.remove_object(&node.spec, id).await?;
        }
        self.remove_found(&node.spec, found).await?;
        if lingers { Ok(self.linger(Outcome::Deleted)) } else { self.forget(Outcome::Deleted).await }
    }

    /// Keeps the record of what is gone, so that a run that is killed before the last look makes up for it.
    fn linger(&self, outcome: Outcome) -> Outcome {
        self.engine.lingering.borrow_mut().insert(self.node.to_owned(), Instant::now());
        outcome
    }

    /// Whether a service made it anew after it was removed, by the name that was ours. It has none of our tags then.
    pub(super) async fn look_again(&self) -> Result<Outcome, Halt> {
        let Some(NodeState { id: Some(id), spec, .. }) = self.recorded() else { return Ok(Outcome::Kept) };
        let gone = self.engine.lingering.borrow().get(self.node).map(Instant::elapsed).unwrap_or_default();
        let mut patience = Patience::new(self.facts.wait.every, self.engine.options.settle.saturating_sub(gone));
        loop {
            let found = self.look(&spec, Some(&id)).await?;
            let anothers = found.as_ref().is_some_and(|found| !is_bare(found) && !self.is_ours(found));
            if let Some(found) = found.filter(|_| !anothers) {
                self.tell_reborn(&id);
                self.remove_found(&spec, found).await?;
            }
            if anothers || patience.is_over() {
                self.engine.record(|state| drop(state.nodes.remove(self.node))).await?;
                return Ok(Outcome::Kept);
            }
            self.pause(&mut patience, "whether a service makes it anew").await?;
        }
    }

    fn tell_reborn(&self, id: &str) {
        let text = format!("{id} was made anew by a service that still wrote to it; removing it again");
        self.engine.reporter.event(Event::Note { node: self.node, text: &text });
    }

    /// Gives up this stack's share in a shared object. Whether it vanishes is up to the other stacks.
    async fn release(&self, node: &NodeState) -> Result<(), Halt> {
        let mut patience = self.patience(self.facts.wait.gone);
        loop {
            let found = self.look(&node.spec, node.id.as_deref()).await?;
            let Some(found) = found else { return Ok(()) };
            match self.ask_to_delete(&node.spec, &found).await? {
                None => return Ok(()),
                Some(fault) => self.wait(&mut patience, "delete", &words(&fault)).await?,
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
        match self.look_at_ours(spec, id).await? {
            Some(found) => self.remove_found(spec, found).await,
            None => Ok(()),
        }
    }

    /// The object once others do what it does. `None`: it is gone meanwhile.
    async fn relieved(&self, spec: &Value, mut found: Seen) -> Result<Option<Seen>, Halt> {
        let mut patience = self.patience(self.facts.wait.gone);
        loop {
            let Some(reason) = self.ask_to_relieve(spec, &found).await? else { return Ok(Some(found)) };
            self.wait(&mut patience, "delete", &reason).await?;
            match self.look_at_ours(spec, &found.id).await? {
                Some(now) => found = now,
                None => return Ok(None),
            }
        }
    }

    /// What is waited for until the object can go, if anything.
    async fn ask_to_relieve(&self, spec: &Value, found: &Seen) -> Result<Option<String>, Halt> {
        self.unless_stopped("delete")?;
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.relieve(cx, spec, found).await {
            Ok(reason) => Ok(reason),
            Err(fault) => match fault.class {
                Class::Absent => Ok(None),
                Class::Throttled | Class::NotYet | Class::Busy | Class::Lost => Ok(Some(words(&fault))),
                _ => Err(self.fail("delete", fault)),
            },
        }
    }

    /// Asks AWS to remove an object, again where it is refused for now, and waits until it is gone.
    async fn remove_found(&self, spec: &Value, mut found: Seen) -> Result<(), Halt> {
        let usually = Some(self.facts.wait.usually_gone);
        self.engine.reporter.event(Event::Act { node: self.node, verb: "delete", usually });
        let mut patience = self.patience(self.facts.wait.gone);
        let marked = !is_bare(&found);
        let mut asked = None;
        let mut held = Held::default();
        loop {
            let mut reason = "being deleted".to_owned();
            if asked.is_none() {
                match self.ask_to_delete(spec, &found).await? {
                    None => asked = Some(Instant::now()),
                    Some(fault) if fault.class == Class::NotYet && held.since.elapsed() >= VISIBLE => {
                        return Err(self.fail("delete", fault));
                    }
                    Some(fault) => {
                        reason = self.explain(spec, &found, &fault, &mut held, self.is_over(&patience)).await;
                    }
                }
            }
            self.wait(&mut patience, "delete", &reason).await?;
            found = match self.look_again_at(spec, &found.id, asked.is_some()).await? {
                Some(found) => found,
                None => return Ok(()),
            };
            let unheard = found.phase != Phase::Deleting && asked.is_some_and(|at| at.elapsed() >= ASK_ONCE_MORE);
            asked = asked.filter(|_| !unheard);
            // Between the removal and this look a service may have made it anew, which lasts until it is removed too.
            if asked.is_some() && self.facts.reborn {
                asked = None;
                if marked && is_bare(&found) {
                    self.tell_reborn(&found.id);
                }
            }
        }
    }

    /// The object that is to go, as it is now. Until AWS has taken the removal it must be ours; after that, somebody else's
    /// of its name means that ours is gone.
    async fn look_again_at(&self, spec: &Value, id: &str, asked: bool) -> Result<Option<Seen>, Halt> {
        if !asked {
            return self.look_at_ours(spec, id).await;
        }
        let (owner, record) = (self.owner(""), self.recorded());
        let found = self.look(spec, Some(id)).await?;
        let bare = |found: &Seen| self.facts.reborn && is_bare(found);
        Ok(found.filter(|found| bare(found) || !is_anothers(&owner, &self.facts, record.as_ref(), found)))
    }

    /// Why a removal is refused for now. What is in use for longer is told with what uses it, as far as AWS says.
    async fn explain(&self, spec: &Value, found: &Seen, fault: &Fault, held: &mut Held, last: bool) -> String {
        let due = held.asked.map_or(held.since.elapsed() >= EXPLAIN, |asked| asked.elapsed() >= EXPLAIN_AGAIN);
        if fault.class == Class::Busy && (due || last) {
            held.asked = Some(Instant::now());
            let (owner, pass) = (self.owner(""), Pass::default());
            let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
            held.by = match self.kind.blockers(cx, spec, found).await {
                Ok(blockers) => blockers.into_iter().map(|holder| holder.words).collect(),
                Err(fault) => vec![format!("something; asking what failed: {}", words(&fault))],
            };
        }
        match held.by.is_empty() {
            true => words(fault),
            false => format!("{}; held by {}", words(fault), held.by.join(", ")),
        }
    }

    /// One delete call: `None` when AWS took it, otherwise why it must be made again.
    async fn ask_to_delete(&self, spec: &Value, found: &Seen) -> Result<Option<Fault>, Halt> {
        self.unless_stopped("delete")?;
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.delete(cx, spec, found).await {
            Ok(()) => Ok(None),
            Err(fault) => match fault.class {
                Class::Absent => Ok(None),
                Class::Throttled | Class::NotYet | Class::Busy | Class::Lost => Ok(Some(fault)),
                _ => Err(self.fail("delete", fault)),
            },
        }
    }
}
