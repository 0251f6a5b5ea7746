//! What exists of a node before anything is done to it.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::node::{Patience, Target, Worker, words};
use super::observe::find;
use super::ownership::{admit, judge};
use super::record::since;
use super::report::Event;
use super::walk::Halt;
use crate::error::{Class, Result};
use crate::resource::{Cx, Pass, Replace, Seen};
use crate::state::{Attempt, NodeState, Progress};

/// How long a read that AWS throttles or loses is made again. A network is away for minutes at times, and what a run has
/// begun is worth waiting for.
pub(super) const READ_AGAIN: Duration = Duration::from_secs(600);

impl<C: 'static> Worker<'_, C> {
    /// One look at AWS, sharing nothing with earlier ones: for the object with this id or, without, for whatever is
    /// this node's and not recorded under another name.
    pub(super) async fn look(&self, spec: &Value, id: Option<&str>) -> Result<Option<Seen>, Halt> {
        self.look_through(spec, id, None).await
    }

    /// The same through the reads of a pass, again where AWS throttles or loses them, or tells nothing while the object is
    /// being changed.
    async fn look_through(&self, spec: &Value, id: Option<&str>, pass: Option<&Pass>) -> Result<Option<Seen>, Halt> {
        let mut patience = self.patience(READ_AGAIN);
        let mut blind = None;
        loop {
            let alone = Pass::default();
            let fault = match self.look_once(spec, id, pass.unwrap_or(&alone)).await {
                Ok(found) => {
                    blind.into_iter().for_each(|since| self.was_blind(since));
                    return Ok(found);
                }
                Err(fault) => fault,
            };
            let passes = matches!(fault.class, Class::Throttled | Class::Lost | Class::Busy | Class::NotYet);
            if !passes || patience.is_over() {
                return Err(self.fail("observe", fault));
            }
            blind.get_or_insert_with(Instant::now);
            self.pause(&mut patience, &words(&fault)).await?;
        }
    }

    /// The same for the object with this id, unless it is somebody else's by now.
    pub(super) async fn look_at_ours(&self, spec: &Value, id: &str) -> Result<Option<Seen>, Halt> {
        self.accept(self.look(spec, Some(id)).await?)
    }

    async fn look_once(&self, spec: &Value, id: Option<&str>, pass: &Pass) -> Result<Option<Seen>> {
        let owner = self.owner("");
        let cx = || Cx { cloud: self.engine.cloud, owner: &owner, pass };
        match id {
            Some(_) => self.kind.observe(cx(), spec, id).await,
            None => {
                let known = |id: &str| self.engine.state.borrow().knows(self.facts.kind, id, self.node);
                find(self.kind, cx, spec, &known).await
            }
        }
    }

    pub(super) async fn locate(&self, target: &Target) -> Result<Option<Seen>, Halt> {
        if self.engine.removed.borrow().contains(self.node) {
            return Ok(None);
        }
        let recorded = self.recorded();
        if let Some(attempt) = recorded.as_ref().and_then(unanswered) {
            return self.settle(target, since(attempt.latest())).await;
        }
        // Others make, join and leave it while this run works on what it depends on.
        if self.facts.shared {
            let id = recorded.as_ref().and_then(|node| node.id.as_deref());
            return self.accept(match self.look(&target.spec, id).await? {
                None if id.is_some() => self.look(&target.spec, None).await?,
                found => found,
            });
        }
        if let Some(seen) = self.engine.seen.get(self.node)
            && (seen.is_some() || recorded.as_ref().is_none_or(|node| node.progress == Progress::Ready))
        {
            return Ok(seen.clone());
        }
        if let Some(node) = recorded.filter(|node| node.progress == Progress::Pending)
            && let Some(found) = self.await_visible(&node).await?
        {
            return Ok(Some(found));
        }
        self.accept(self.look_through(&target.spec, None, Some(&self.engine.pass)).await?)
    }

    /// Refuses what is somebody else's.
    fn accept(&self, found: Option<Seen>) -> Result<Option<Seen>, Halt> {
        let (owner, record, adopt) = (self.owner(""), self.recorded(), self.engine.options.adopt);
        let admit = |found| admit(&owner, &self.facts, record.as_ref(), found, adopt);
        found.map(admit).transpose().map_err(|fault| self.fail("observe", fault))
    }

    /// What was seen while planning, as it is now: whose it is must be known from this node's own turn before anything is
    /// done to it. What does not show for a moment is left to the call to miss.
    pub(super) async fn look_anew(&self, planned: Seen, target: &Target) -> Result<Seen, Halt> {
        let recorded = self.recorded().filter(|node| node.id.as_ref() == Some(&planned.id));
        let spec = recorded.map_or_else(|| target.spec.clone(), |node| node.spec);
        Ok(match self.look_at_ours(&spec, &planned.id).await? {
            Some(now) => Seen { duplicates: planned.duplicates, ..now },
            None => planned,
        })
    }

    /// Refuses to make what has a name where somebody else's has that name by now: some calls that make an object would
    /// change that one instead.
    pub(super) async fn refuse_taken(&self, target: &Target) -> Result<(), Halt> {
        if self.facts.named && !self.facts.shared {
            self.accept(self.look(&target.spec, None).await?)?;
        }
        self.refuse_part_of_anothers(&target.edges).await
    }

    /// Refuses to touch what carries no tags where what it is a part of is somebody else's by now.
    pub(super) async fn refuse_part_of_anothers(&self, edges: &BTreeSet<String>) -> Result<(), Halt> {
        let Some(parent) = self.facts.parent else { return Ok(()) };
        let kind = self.engine.kinds.get(parent).map_err(|fault| self.fail("observe", fault))?;
        let nodes: Vec<(String, NodeState)> = {
            let state = self.engine.state.borrow();
            let nodes = edges.iter().filter_map(|edge| Some((edge.clone(), state.nodes.get(edge)?.clone())));
            nodes.filter(|(_, node)| node.kind == parent && node.id.is_some()).collect()
        };
        for (name, node) in &nodes {
            let whole = Worker { engine: self.engine, node: name, kind, facts: kind.facts() };
            let id = node.id.as_deref().unwrap_or_default();
            whole.look_at_ours(&node.spec, id).await?;
        }
        Ok(())
    }

    /// The recorded object. One that was made but never seen ready may not be visible yet.
    pub(super) async fn await_visible(&self, node: &NodeState) -> Result<Option<Seen>, Halt> {
        // No --timeout shortens this window: what stays unseen in it is made a second time, or left behind.
        let mut patience = Patience::new(self.facts.wait.every, self.engine.options.settle);
        loop {
            let found = match node.id.as_deref() {
                Some(id) => self.look_at_ours(&node.spec, id).await?,
                None => self.look(&node.spec, None).await?,
            };
            if found.is_some() || node.progress != Progress::Pending || patience.is_over() {
                return Ok(found);
            }
            self.pause(&mut patience, "for AWS to show the object made by an earlier run").await?;
        }
    }

    /// Looks for the result of a create whose answer was lost `age` ago, until the settle window has passed.
    pub(super) async fn settle(&self, target: &Target, age: Duration) -> Result<Option<Seen>, Halt> {
        let window = self.engine.options.settle.saturating_sub(age);
        let mut patience = Patience::new(self.facts.wait.every, window);
        loop {
            if let Some(found) = self.search(target).await? {
                return Ok(Some(found));
            }
            if patience.is_over() {
                return Ok(None);
            }
            self.pause(&mut patience, "looking for what an unanswered create may have made").await?;
        }
    }

    /// What an unanswered create may have made goes by the spec of that call, whatever the stack says by now.
    async fn search(&self, target: &Target) -> Result<Option<Seen>, Halt> {
        let asked = self.recorded().filter(|node| unanswered(node).is_some()).map(|node| node.spec);
        if let Some(asked) = asked.filter(|asked| *asked != target.spec)
            && let Some(found) = self.look(&asked, None).await?.filter(|found| self.is_ours(found))
        {
            return Ok(Some(found));
        }
        self.accept(self.look(&target.spec, None).await?)
    }

    pub(super) fn is_ours(&self, found: &Seen) -> bool {
        judge(&self.owner(""), &self.facts, self.recorded().as_ref(), found).is_ok()
    }

    /// Two objects for one node come from a create whose answer was lost and whose object stayed invisible for longer
    /// than the settle window, from a replacement whose record was lost, or from two runs with two states. Only what this
    /// node's `own` unanswered create made, or what the plan has shown, is removed. What a kind replaces create-first may
    /// be in use: it is only set aside here.
    pub(super) async fn remove_duplicates(&self, found: &Seen, target: &Target, own: bool) -> Result<(), Halt> {
        for id in &found.duplicates {
            if !own && !self.engine.surplus.borrow().contains(id) {
                let text =
                    format!("{id} is a duplicate of {}, which the plan did not show; the next one does", found.id);
                self.engine.reporter.event(Event::Note { node: self.node, text: &text });
                continue;
            }
            let text = format!("{id} is a duplicate of {}; removing it", found.id);
            self.engine.reporter.event(Event::Note { node: self.node, text: &text });
            match self.facts.replace {
                Replace::DeleteFirst => drop(self.remove_object(&target.spec, id).await?),
                Replace::CreateFirst => {
                    let Some(duplicate) = self.look_at_ours(&target.spec, id).await? else { continue };
                    self.depose(self.as_seen(target, &duplicate)).await?;
                }
            }
        }
        Ok(())
    }
}

/// The create call of this record that has no answer yet.
pub(super) fn unanswered(node: &NodeState) -> Option<&Attempt> {
    node.attempt.as_ref().filter(|_| node.id.is_none())
}
