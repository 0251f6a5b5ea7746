//! Making one node as it should be.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::Engine;
use super::find::unanswered;
use super::report::{Event, NodeFailure, Outcome, STILL_RUNNING};
use super::walk::{Halt, Task, name_of};
use crate::error::{Class, Fault};
use crate::plan::{Action, decide, lost_in_place};
use crate::resource::{Facts, Kind, Owner, Replace, Seen};
use crate::stack::{self, Stack};

/// First pause of every wait; they grow to the kind's interval.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
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

    /// Whether the limit has passed, apart from this time.
    fn is_over_without(&self, blind: Duration) -> bool {
        self.started.elapsed().saturating_sub(blind) >= self.limit
    }

    /// Starts the limit and the rhythm anew.
    pub(super) fn renew(&mut self) {
        *self = Patience::new(self.every, self.limit);
    }
}

/// The pause, or up to a quarter less, by who waits: nodes that AWS throttled together must not come back together.
fn spread(pause: Duration, node: &str) -> Duration {
    let mut hasher = DefaultHasher::new();
    (node, pause).hash(&mut hasher);
    let share = u32::try_from(hasher.finish() % 256).unwrap_or_default();
    pause - pause / 1024 * share
}

impl<C: 'static> Engine<'_, C> {
    /// Does one task and reports it.
    pub(super) async fn perform(&self, stack: Option<&Stack>, task: &Task) -> Result<Outcome, Halt> {
        let node = name_of(task);
        let started = Instant::now();
        self.waits.borrow_mut().remove(node);
        let kind = self.kind_of(task, stack);
        let verb = match task {
            Task::Ensure(_) => "ensure",
            Task::Rotate(_) | Task::Retire(_) => "rotate",
            Task::Restart(_) => "restart",
            Task::Queue(..) => "ensure",
            Task::Snapshot(_) => "snapshot",
            Task::Remove(_) | Task::Clear(_) | Task::LookAgain(_) => "remove",
        };
        self.reporter.event(Event::Start { node, kind: &kind, verb });
        let erased = self.kinds.get(&kind).map_err(|fault| halt(node, &kind, "observe", fault))?;
        let worker = Worker { engine: self, node, kind: erased, facts: erased.facts() };
        let outcome = match (task, stack) {
            (Task::Ensure(_), Some(stack)) => worker.ensure(stack).await?,
            (Task::Clear(_), _) => self.clear(node, stack).await?,
            (Task::LookAgain(_), _) => worker.look_again().await?,
            (Task::Rotate(_), _) => worker.rotate().await?,
            (Task::Restart(_), _) => worker.restart().await?,
            (Task::Queue(_, order), _) => worker.settle_queue(*order).await?,
            (Task::Retire(_), _) => worker.retire().await?,
            (Task::Snapshot(_), _) => worker.snapshot().await?,
            _ => worker.remove(stack).await?,
        };
        self.reporter.event(Event::Done { node, kind: &kind, outcome, took: started.elapsed() });
        Ok(outcome)
    }

    fn kind_of(&self, task: &Task, stack: Option<&Stack>) -> String {
        let node = name_of(task);
        let recorded = self.state.borrow().nodes.get(node).map(|node| node.kind.clone());
        let entry = stack.and_then(|stack| stack.nodes.get(node)).map(|entry| entry.kind.to_owned());
        let kind = if matches!(task, Task::Remove(_)) { recorded.or(entry) } else { entry.or(recorded) };
        kind.unwrap_or_default()
    }
}

pub(super) fn halt(node: &str, kind: &str, verb: &'static str, fault: Fault) -> Halt {
    Halt::Failed(Box::new(NodeFailure::new(node, kind, verb, fault)))
}

/// A refusal, as the reason of a wait.
pub(super) fn words(fault: &Fault) -> String {
    format!("{}: {}", fault.code, fault.message)
}

impl<'e, C: 'static> Worker<'e, C> {
    pub(super) fn fail(&self, verb: &'static str, fault: Fault) -> Halt {
        halt(self.node, self.facts.kind, verb, fault)
    }

    /// Sleeps until the next look. Ends the step where the run is to end, or where the wait has lasted too long.
    pub(super) async fn wait(&self, patience: &mut Patience, verb: &'static str, reason: &str) -> Result<(), Halt> {
        self.tell_waiting(reason);
        if self.is_over(patience) {
            let waited = patience.limit.as_secs();
            let text = format!("still {reason} after {waited} s");
            return Err(self.fail(verb, Fault::new(Class::NotYet, STILL_RUNNING, text)));
        }
        self.sleep(patience, reason).await
    }

    /// Sleeps until the next look, where the caller has seen that there is time and takes its end for no failure: asked
    /// again, the clock could say otherwise.
    pub(super) async fn pause(&self, patience: &mut Patience, reason: &str) -> Result<(), Halt> {
        self.tell_waiting(reason);
        self.sleep(patience, reason).await
    }

    /// Lets what was changed take effect, where AWS does not tell when it has.
    pub(super) async fn give_time(&self, reason: &str) -> Result<(), Halt> {
        let mut pause = Patience::new(self.facts.wait.every, self.engine.options.unmoved());
        while !pause.is_over() {
            self.pause(&mut pause, reason).await?;
        }
        Ok(())
    }

    async fn sleep(&self, patience: &mut Patience, reason: &str) -> Result<(), Halt> {
        let stopped = || Halt::Interrupted(format!("{}: {reason}", self.node));
        tokio::select! {
            () = tokio::time::sleep(spread(patience.next, self.node)) => {}
            () = self.engine.halted() => return Err(stopped()),
        }
        patience.next = (patience.next * 3 / 2).min(patience.every);
        Ok(())
    }

    /// Nothing could be seen of this node since then, up to now.
    pub(super) fn was_blind(&self, since: Instant) {
        let mut blind = self.engine.blind.borrow_mut();
        blind.entry(self.node.to_owned()).or_default().push((Instant::now(), since.elapsed()));
    }

    /// Whether a wait has lasted too long. The time in which nothing could be seen was no time to see it end in.
    pub(super) fn is_over(&self, patience: &Patience) -> bool {
        let blind = self.engine.blind.borrow();
        let spells = blind.get(self.node).into_iter().flatten();
        patience.is_over_without(spells.filter(|(end, _)| *end > patience.started).map(|(_, length)| *length).sum())
    }

    fn tell_acting(&self, action: &Action) {
        let usually = Some(self.facts.wait.usually_ready);
        let (verb, usually) = match action {
            Action::Keep | Action::Lost { .. } | Action::Duplicate { .. } | Action::Delete | Action::Forget => return,
            Action::Create if self.engine.removed.borrow().contains(self.node) => ("replace", usually),
            Action::Create => ("create", usually),
            Action::Replace { .. } => ("replace", usually),
            Action::Update { .. } => ("update", None),
            Action::Adopt { .. } => ("adopt", None),
            Action::Resume { .. } => ("resume", None),
        };
        self.engine.reporter.event(Event::Act { node: self.node, verb, usually });
    }

    fn tell_waiting(&self, reason: &str) {
        self.engine.reporter.event(Event::Wait { node: self.node, reason });
        self.engine.waits.borrow_mut().insert(self.node.to_owned(), reason.to_owned());
    }

    /// Ends the step before a call that changes something, where the run is to end.
    pub(super) fn unless_stopped(&self, what: &str) -> Result<(), Halt> {
        if self.engine.is_halted() {
            return Err(Halt::Interrupted(format!("{}: about to {what}", self.node)));
        }
        Ok(())
    }

    pub(super) fn patience(&self, limit: Duration) -> Patience {
        let limit = self.engine.options.timeout.map_or(limit, |most| limit.min(most));
        Patience::new(self.facts.wait.every, limit)
    }

    pub(super) fn owner(&self, attempt: &str) -> Owner {
        self.engine.state.borrow().owner(self.node, attempt)
    }

    async fn ensure(&self, stack: &Stack) -> Result<Outcome, Halt> {
        let entry = stack
            .nodes
            .get(self.node)
            .ok_or_else(|| self.fail("observe", Fault::invalid("the plan names a node that is not in the stack")))?;
        let target = Target { spec: self.resolved(&entry.spec)?, edges: entry.edges.clone() };
        let other = self.recorded().filter(|node| node.kind != self.facts.kind);
        let was_other = other.is_some();
        if let Some(other) = other {
            self.depose(other).await?;
        }
        let own = self.recorded().as_ref().and_then(unanswered).is_some();
        let mut found = self.locate(&target).await?;
        if let Some(planned) = found.take_if(|found| self.is_to_change(&target, found)) {
            found = Some(self.look_anew(planned, &target).await?);
            self.refuse_part_of_anothers(&target.edges).await?;
        }
        if let Some(found) = &found {
            self.remove_duplicates(found, &target, own).await?;
        }
        let action = decide(&self.facts, &target.spec, self.recorded().as_ref(), found.as_ref());
        self.refuse_unplanned_loss(&target, &action, found.as_ref())?;
        self.tell_acting(&action);
        let changes = action == Action::Create || action.diff().is_some_and(|diff| !diff.is_empty());
        if self.facts.closes && changes {
            self.give_time("for the other way to be open").await?;
        }
        match (action, found) {
            (Action::Keep, Some(found)) => {
                self.record_ready(&target, &found).await?;
                Ok(Outcome::Kept)
            }
            (Action::Update { .. }, Some(found)) => {
                let settled = self.converge(&target, found).await?;
                self.unless_gone(&target, settled).await?;
                Ok(Outcome::Updated)
            }
            (Action::Resume { .. }, Some(found)) => {
                let settled = self.resume(&target, found).await?;
                self.unless_gone(&target, settled).await?;
                Ok(Outcome::Resumed)
            }
            (Action::Adopt { .. }, Some(found)) => {
                let settled = self.adopt(&target, found).await?;
                self.unless_gone(&target, settled).await?;
                Ok(Outcome::Adopted)
            }
            (Action::Replace { reason, .. }, Some(found)) => self.replace(&target, &found, &reason).await,
            (Action::Lost { reason }, _) => {
                let text =
                    format!("{reason}; no empty one is made in its place; run plan to see what there is to restore");
                Err(self.fail("plan", Fault::invalid(text)))
            }
            _ => {
                self.create(&target).await?;
                let replaced = was_other || self.engine.removed.borrow().contains(self.node);
                Ok(if replaced { Outcome::Replaced } else { Outcome::Created })
            }
        }
    }

    /// Whether anything but what is recorded of it would change.
    fn is_to_change(&self, target: &Target, found: &Seen) -> bool {
        let action = decide(&self.facts, &target.spec, self.recorded().as_ref(), Some(found));
        action != Action::Keep || !found.duplicates.is_empty()
    }

    /// Since the plan somebody may have asked AWS to keep more.
    fn refuse_unplanned_loss(&self, target: &Target, action: &Action, found: Option<&Seen>) -> Result<(), Halt> {
        let (recorded, owner) = (self.recorded(), self.owner(""));
        let lost = |found| lost_in_place(action, &self.facts, &target.spec, recorded.as_ref(), found, &owner);
        match found.and_then(lost) {
            Some(what) if !self.engine.shortened.borrow().contains(self.node) => {
                let text = format!("it would lose {what}, which the plan did not show; run apply again");
                Err(self.fail("plan", Fault::invalid(text)))
            }
            _ => Ok(()),
        }
    }

    /// Makes the successor of an object that stays until its users have moved. One that goes first is gone by now.
    async fn replace(&self, target: &Target, found: &Seen, reason: &str) -> Result<Outcome, Halt> {
        let planned = self.engine.replaced.borrow().contains(self.node);
        if self.facts.replace == Replace::DeleteFirst || !planned {
            let text = format!("it must be replaced, which the plan did not show: {reason}; run apply again");
            return Err(self.fail("plan", Fault::invalid(text)));
        }
        let recorded = self.recorded().filter(|node| node.id.as_ref() == Some(&found.id));
        self.depose(recorded.unwrap_or_else(|| self.as_seen(target, found))).await?;
        self.create(target).await?;
        Ok(Outcome::Replaced)
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
}

/// What a node should be.
pub(super) struct Target {
    pub(super) spec: Value,
    pub(super) edges: BTreeSet<String>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::spread;

    #[test]
    fn nodes_that_wait_equally_long_come_back_one_by_one() {
        let pause = Duration::from_secs(8);
        let pauses: BTreeSet<Duration> = (0..16).map(|n| spread(pause, &format!("subnet-{n}"))).collect();
        assert!(pauses.len() > 12, "{pauses:?}");
        assert!(pauses.iter().all(|one| (Duration::from_secs(6)..=pause).contains(one)), "{pauses:?}");
    }
}
