//! Making one node as it should be.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::Engine;
use super::observe::{not_recorded_elsewhere, owned, owner};
use super::report::{Event, NodeFailure, Outcome};
use super::walk::{Halt, Task, name_of};
use crate::diff::Diff;
use crate::error::{Class, Fault, Result};
use crate::plan::{Action, decide};
use crate::resource::{Cx, Facts, Kind, Owner, Pass, Phase, Replace, Seen};
use crate::stack::{self, Stack};
use crate::state::{Attempt, NodeState, Progress};

/// First pause of every wait; they grow to the kind's interval.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How long AWS may go on answering as if an object, or a change to it, did not exist.
const VISIBLE: Duration = Duration::from_secs(120);
/// How long a fresh dependency may stay invisible to its consumer.
const CONSISTENT: Duration = Duration::from_secs(300);
/// How often an unanswered create is made again after nothing was found.
const CREATE_TRIES: u32 = 5;

/// One step's view of the engine.
pub(super) struct Worker<'e, C> {
    pub(super) engine: &'e Engine<'e, C>,
    pub(super) node: &'e str,
    pub(super) kind: &'e dyn Kind<C>,
    pub(super) facts: Facts,
}

/// A wait with a limit, whose looks get rarer.
pub(super) struct Patience {
    started: Instant,
    limit: Duration,
    every: Duration,
    next: Duration,
}

impl Patience {
    pub(super) fn new(every: Duration, limit: Duration) -> Self {
        Patience { started: Instant::now(), limit, every, next: FIRST_PAUSE.min(every) }
    }

    /// Whether the limit has passed.
    pub(super) fn is_over(&self) -> bool {
        self.started.elapsed() >= self.limit
    }

    /// Starts the limit and the rhythm anew.
    fn renew(&mut self) {
        *self = Patience::new(self.every, self.limit);
    }
}

impl<C: 'static> Engine<'_, C> {
    /// Does one task and reports it.
    pub(super) async fn perform(&self, stack: Option<&Stack>, task: &Task) -> Result<Outcome, Halt> {
        let node = name_of(task);
        let started = Instant::now();
        let kind = self.kind_of(node, stack);
        let verb = if matches!(task, Task::Ensure(_)) { "ensure" } else { "remove" };
        self.reporter.event(Event::Start { node, kind: &kind, verb });
        let erased = self.kinds.get(&kind).map_err(|fault| halt(node, &kind, "observe", fault))?;
        let worker = Worker { engine: self, node, kind: erased, facts: erased.facts() };
        let outcome = match (task, stack) {
            (Task::Ensure(_), Some(stack)) => worker.ensure(stack).await?,
            (Task::Clear(_), _) => self.clear(node).await?,
            _ => worker.remove().await?,
        };
        self.reporter.event(Event::Done { node, kind: &kind, outcome, took: started.elapsed() });
        Ok(outcome)
    }

    fn kind_of(&self, node: &str, stack: Option<&Stack>) -> String {
        let entry = stack.and_then(|stack| stack.nodes.get(node)).map(|entry| entry.kind.to_owned());
        entry.or_else(|| self.state.borrow().nodes.get(node).map(|node| node.kind.clone())).unwrap_or_default()
    }
}

pub(super) fn halt(node: &str, kind: &str, verb: &'static str, fault: Fault) -> Halt {
    Halt::Failed(Box::new(NodeFailure::new(node, kind, verb, fault)))
}

impl<'e, C: 'static> Worker<'e, C> {
    pub(super) fn fail(&self, verb: &'static str, fault: Fault) -> Halt {
        halt(self.node, self.facts.kind, verb, fault)
    }

    /// Sleeps until the next look. Ends the step where a person asked to stop, or where the wait has lasted too long.
    pub(super) async fn wait(&self, patience: &mut Patience, verb: &'static str, reason: &str) -> Result<(), Halt> {
        self.engine.reporter.event(Event::Wait { node: self.node, reason });
        if patience.is_over() {
            let waited = patience.limit.as_secs();
            let text = format!("still {reason} after {waited} s");
            return Err(self.fail(verb, Fault::new(Class::NotYet, "TimedOut", text)));
        }
        let stopped = || Halt::Interrupted(format!("{}: {reason}", self.node));
        tokio::select! {
            () = tokio::time::sleep(patience.next) => {}
            () = self.engine.stop.wait() => return Err(stopped()),
        }
        patience.next = (patience.next * 3 / 2).min(patience.every);
        Ok(())
    }

    pub(super) fn patience(&self, limit: Duration) -> Patience {
        let limit = self.engine.options.timeout.map_or(limit, |most| limit.min(most));
        Patience::new(self.facts.wait.every, limit)
    }

    pub(super) fn owner(&self, attempt: &str) -> Owner {
        owner(&self.engine.state.borrow(), self.node, attempt)
    }

    /// One look at AWS, sharing nothing with earlier ones.
    pub(super) async fn look(&self, spec: &Value, id: Option<&str>) -> Result<Option<Seen>> {
        let (owner, pass) = (self.owner(""), Pass::default());
        self.kind.observe(Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass }, spec, id).await
    }

    pub(super) fn recorded(&self) -> Option<NodeState> {
        self.engine.state.borrow().nodes.get(self.node).cloned()
    }

    async fn ensure(&self, stack: &Stack) -> Result<Outcome, Halt> {
        let entry = stack
            .nodes
            .get(self.node)
            .ok_or_else(|| self.fail("observe", Fault::invalid("the plan names a node that is not in the stack")))?;
        let target = Target { spec: self.resolved(&entry.spec)?, edges: entry.edges.clone() };
        let found = self.locate(&target).await?;
        if let Some(found) = &found {
            self.remove_duplicates(found, &target).await?;
        }
        let recorded = self.recorded();
        let replaced = self.engine.removed.borrow().contains(self.node);
        match (decide(&self.facts, &target.spec, recorded.as_ref(), found.as_ref()), found) {
            (Action::Keep, Some(found)) => {
                self.record_ready(&target, &found).await?;
                Ok(Outcome::Kept)
            }
            (Action::Update { .. }, Some(found)) => {
                self.converge(&target, found).await?;
                Ok(Outcome::Updated)
            }
            (Action::Resume { .. }, Some(found)) => {
                self.converge(&target, found).await?;
                Ok(Outcome::Resumed)
            }
            (Action::Adopt { .. }, Some(found)) => {
                self.record_id(&target, &found.id).await?;
                self.converge(&target, found).await?;
                Ok(Outcome::Adopted)
            }
            (Action::Replace { .. }, Some(_)) if self.facts.replace == Replace::CreateFirst => {
                self.depose().await?;
                self.create(&target).await?;
                Ok(Outcome::Replaced)
            }
            (Action::Replace { reason, .. }, _) => {
                let text = format!("it must be replaced, which the plan did not show: {reason}; run apply again");
                Err(self.fail("plan", Fault::invalid(text)))
            }
            _ => {
                self.create(&target).await?;
                Ok(if replaced { Outcome::Replaced } else { Outcome::Created })
            }
        }
    }

    fn resolved(&self, spec: &Value) -> Result<Value, Halt> {
        let state = self.engine.state.borrow();
        let spec = stack::resolve(spec, &|node| state.nodes.get(node).map(|node| node.outputs.clone()));
        if stack::is_resolved(&spec) {
            return (self.facts.canonical)(&spec).map_err(|fault| self.fail("resolve", fault));
        }
        let text = format!(
            "an output it refers to is missing: {}",
            stack::edges(&spec).into_iter().collect::<Vec<_>>().join(", ")
        );
        Err(self.fail("resolve", Fault::invalid(text)))
    }

    /// What exists of this node before anything is done to it.
    async fn locate(&self, target: &Target) -> Result<Option<Seen>, Halt> {
        if self.engine.removed.borrow().contains(self.node) {
            return Ok(None);
        }
        let recorded = self.recorded();
        let unanswered = recorded.as_ref().filter(|node| node.id.is_none()).and_then(|node| node.attempt.as_ref());
        if let Some(attempt) = unanswered {
            return self.settle(target, age(attempt)).await;
        }
        if let Some(seen) = self.engine.seen.get(self.node)
            && (seen.is_some() || recorded.as_ref().is_none_or(|node| node.progress == Progress::Ready))
        {
            return Ok(seen.clone());
        }
        if let Some(node) = recorded.filter(|node| node.progress == Progress::Pending) {
            return self.await_visible(&node, target).await;
        }
        let owner = self.owner("");
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &self.engine.pass };
        let found = self.kind.observe(cx, &target.spec, None).await.map_err(|fault| self.fail("observe", fault))?;
        self.accept(found)
    }

    fn accept(&self, found: Option<Seen>) -> Result<Option<Seen>, Halt> {
        let Some(found) = found else { return Ok(None) };
        let found = not_recorded_elsewhere(&self.engine.state.borrow(), self.node, self.facts.kind, found);
        let owned = |found| owned(self.kind, &self.owner(""), found, self.engine.options.adopt);
        found.map(owned).transpose().map_err(|fault| self.fail("observe", fault))
    }

    /// An object that was made but never seen ready may not be visible yet.
    async fn await_visible(&self, node: &NodeState, target: &Target) -> Result<Option<Seen>, Halt> {
        let mut patience = self.patience(self.engine.options.settle);
        loop {
            let found = self.look(&node.spec, node.id.as_deref()).await.map_err(|fault| self.fail("observe", fault))?;
            if found.is_some() {
                return Ok(found);
            }
            if patience.is_over() {
                return self.settle(target, Duration::MAX).await;
            }
            self.wait(&mut patience, "observe", "for AWS to show the object made by an earlier run").await?;
        }
    }

    /// Looks for the result of a create whose answer was lost `age` ago, until the settle window has passed.
    async fn settle(&self, target: &Target, age: Duration) -> Result<Option<Seen>, Halt> {
        let window = self.engine.options.settle.saturating_sub(age);
        let mut patience = Patience::new(self.facts.wait.every, window);
        loop {
            let found = self.look(&target.spec, None).await.map_err(|fault| self.fail("observe", fault))?;
            if let Some(found) = self.accept(found)? {
                return Ok(Some(found));
            }
            if patience.is_over() {
                return Ok(None);
            }
            self.wait(&mut patience, "observe", "looking for what an unanswered create may have made").await?;
        }
    }

    /// Two objects for one node can only come from a create whose answer was lost and whose object stayed invisible for
    /// longer than the settle window. The older one stays.
    async fn remove_duplicates(&self, found: &Seen, target: &Target) -> Result<(), Halt> {
        for id in &found.duplicates {
            let text = format!("{id} is a duplicate of {}; removing it", found.id);
            self.engine.reporter.event(Event::Note { node: self.node, text: &text });
            self.remove_object(&target.spec, id).await?;
        }
        Ok(())
    }

    /// Keeps the present object under another name until its replacement has taken over.
    async fn depose(&self) -> Result<(), Halt> {
        let engine = self.engine;
        engine
            .record(|state| {
                if let Some(old) = state.nodes.remove(self.node) {
                    let suffix = state.serial;
                    state.nodes.insert(format!("{}@{suffix}", self.node), old);
                }
            })
            .await?;
        Ok(())
    }

    /// Makes the object, and sees it become ready and as wanted.
    async fn create(&self, target: &Target) -> Result<(), Halt> {
        let mut patience = self.patience(CONSISTENT.max(self.facts.wait.gone));
        let mut tries = 0;
        loop {
            let attempt = self.record_intent(target).await?;
            let owner = self.owner(&attempt.id);
            let pass = Pass::default();
            let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
            let fault = match self.kind.create(cx, &target.spec).await {
                Ok(id) => {
                    self.record_id(target, &id).await?;
                    return self.converge_from(target, id).await;
                }
                Err(fault) => fault,
            };
            match fault.class {
                Class::Throttled | Class::NotYet | Class::Absent | Class::Busy => {}
                Class::Lost | Class::Exists => {
                    let window = if fault.class == Class::Lost { Duration::ZERO } else { Duration::MAX };
                    if let Some(found) = self.settle(target, window).await? {
                        self.record_id(target, &found.id).await?;
                        return self.converge(target, found).await;
                    }
                    tries += 1;
                }
                _ => {
                    self.forget_intent().await?;
                    return Err(self.fail("create", fault));
                }
            }
            if tries >= CREATE_TRIES && fault.class == Class::Lost {
                return Err(self.fail("create", fault));
            }
            if patience.is_over() {
                return Err(self.fail("create", fault));
            }
            self.wait(&mut patience, "create", &format!("{}: {}", fault.code, fault.message)).await?;
        }
    }

    async fn converge_from(&self, target: &Target, id: String) -> Result<(), Halt> {
        let mut patience = self.patience(VISIBLE);
        loop {
            match self.look(&target.spec, Some(&id)).await {
                Ok(Some(found)) => return self.converge(target, found).await,
                Ok(None) => self.wait(&mut patience, "create", "not visible yet").await?,
                Err(fault) => return Err(self.fail("observe", fault)),
            }
        }
    }

    /// Waits until the object is ready, makes differences go away, and waits again, until there are none.
    async fn converge(&self, target: &Target, found: Seen) -> Result<(), Halt> {
        let id = found.id.clone();
        let mut seen = Some(found);
        let mut patience = self.patience(self.facts.wait.ready);
        let mut asked: Option<(Diff, Instant)> = None;
        loop {
            let reason = match seen {
                None => "not visible for now".to_owned(),
                Some(found) => match self.settle_difference(target, &found, &mut asked, &mut patience).await? {
                    None => return Ok(()),
                    Some(reason) => reason,
                },
            };
            self.wait(&mut patience, "wait", &reason).await?;
            let spec = self.recorded().map_or_else(|| target.spec.clone(), |node| node.spec);
            seen = self.look(&spec, Some(&id)).await.map_err(|fault| self.fail("observe", fault))?;
        }
    }

    /// One round: `None` when all is well, otherwise what is waited for.
    async fn settle_difference(
        &self,
        target: &Target,
        found: &Seen,
        asked: &mut Option<(Diff, Instant)>,
        patience: &mut Patience,
    ) -> Result<Option<String>, Halt> {
        let diff = Diff::between(&target.spec, &found.live, self.facts.immutable);
        match &found.phase {
            Phase::Pending(reason) => return Ok(Some(reason.clone())),
            Phase::Deleting => return Ok(Some("being deleted".to_owned())),
            Phase::Failed(reason) if diff.is_empty() || asked.is_some() => {
                self.record_progress(Progress::Failed).await?;
                return Err(self.fail("wait", Fault::new(Class::Other, "Failed", reason.clone())));
            }
            Phase::Failed(_) | Phase::Ready => {}
        }
        if diff.is_empty() {
            self.record_ready(target, found).await?;
            return Ok(None);
        }
        let fields = diff.changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>().join(", ");
        if diff.immutable().next().is_some() {
            let text = format!("AWS made it with other values than asked for: {fields}");
            return Err(self.fail("create", Fault::unexpected(text)));
        }
        if let Some((last, since)) = asked
            && *last == diff
        {
            if since.elapsed() >= VISIBLE {
                let text = format!("AWS took the update but still shows the old values: {fields}");
                return Err(self.fail("update", Fault::unexpected(text)));
            }
            return Ok(Some(format!("for AWS to show {fields}")));
        }
        let again = self.update(target, found, &diff).await?;
        if again.is_none() {
            *asked = Some((diff, Instant::now()));
            patience.renew();
            return Ok(Some(format!("for AWS to show {fields}")));
        }
        Ok(again)
    }

    /// One update call: `None` when AWS took it, otherwise why it must be made again.
    async fn update(&self, target: &Target, found: &Seen, diff: &Diff) -> Result<Option<String>, Halt> {
        let owner = self.owner("");
        let pass = Pass::default();
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.update(cx, &target.spec, found, diff).await {
            Ok(()) => {
                self.record_spec(target).await?;
                Ok(None)
            }
            Err(fault) => match fault.class {
                Class::Throttled | Class::NotYet | Class::Absent | Class::Busy | Class::Lost | Class::Exists => {
                    Ok(Some(format!("{}: {}", fault.code, fault.message)))
                }
                _ => Err(self.fail("update", fault)),
            },
        }
    }

    async fn record_intent(&self, target: &Target) -> Result<Attempt, Halt> {
        if let Some(attempt) =
            self.recorded().filter(|node| node.id.is_none() && node.spec == target.spec).and_then(|node| node.attempt)
        {
            return Ok(attempt);
        }
        let attempt = Attempt { id: uuid::Uuid::new_v4().to_string(), since: Timestamp::now() };
        let node = NodeState { attempt: Some(attempt.clone()), ..self.fresh(target) };
        self.engine.record(|state| drop(state.nodes.insert(self.node.to_owned(), node))).await?;
        Ok(attempt)
    }

    async fn forget_intent(&self) -> Result<(), Halt> {
        Ok(self.engine.record(|state| drop(state.nodes.remove(self.node))).await?)
    }

    fn fresh(&self, target: &Target) -> NodeState {
        NodeState {
            kind: self.facts.kind.to_owned(),
            spec: target.spec.clone(),
            edges: target.edges.clone(),
            id: None,
            outputs: Value::Null,
            progress: Progress::Pending,
            attempt: None,
            created: None,
        }
    }

    async fn record_id(&self, target: &Target, id: &str) -> Result<(), Halt> {
        let node = NodeState { id: Some(id.to_owned()), created: Some(Timestamp::now()), ..self.fresh(target) };
        Ok(self.engine.record(|state| drop(state.nodes.insert(self.node.to_owned(), node))).await?)
    }

    async fn record_spec(&self, target: &Target) -> Result<(), Halt> {
        let change = |node: &mut NodeState| {
            node.spec = target.spec.clone();
            node.edges = target.edges.clone();
            node.progress = Progress::Pending;
        };
        self.amend(change).await
    }

    async fn record_progress(&self, progress: Progress) -> Result<(), Halt> {
        self.amend(|node| node.progress = progress).await
    }

    async fn record_ready(&self, target: &Target, found: &Seen) -> Result<(), Halt> {
        let change = |node: &mut NodeState| {
            node.spec = target.spec.clone();
            node.edges = target.edges.clone();
            node.outputs = found.outputs.clone();
            node.progress = Progress::Ready;
        };
        self.amend(change).await
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

/// What a node should be.
struct Target {
    spec: Value,
    edges: std::collections::BTreeSet<String>,
}

fn age(attempt: &Attempt) -> Duration {
    Duration::try_from(Timestamp::now().duration_since(attempt.since)).unwrap_or_default()
}
