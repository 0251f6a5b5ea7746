//! What is to become of the changes of one node's object that wait for a maintenance window.

use std::collections::{BTreeMap, BTreeSet};

use super::Engine;
use super::node::{Worker, words};
use super::report::{Event, Outcome, Report};
use super::walk::{Halt, Task, Tasks};
use crate::error::Class;
use crate::resource::{Cx, Pass, Queue, Queued, Seen};
use crate::state::{NodeState, StateError};

impl<C: 'static> Engine<'_, C> {
    /// Has the changes that wait carried out, or takes them back, and sees that none waits any more.
    ///
    /// # Errors
    /// Where the state cannot be saved. Failures of nodes are in the report.
    pub async fn settle_queues(&self, orders: &BTreeMap<String, Queue>) -> Result<Report, StateError> {
        if orders.is_empty() {
            return Ok(Report::default());
        }
        let task = |(node, order): (&String, &Queue)| (Task::Queue(node.clone(), *order), BTreeSet::new());
        let tasks: Tasks = orders.iter().map(task).collect();
        let failures = self.strangers_among(&tasks).await;
        if !failures.is_empty() {
            return Ok(Report { failures, ..Report::default() });
        }
        self.run(None, tasks).await
    }
}

impl<C: 'static> Worker<'_, C> {
    pub(super) async fn settle_queue(&self, order: Queue) -> Result<Outcome, Halt> {
        let Some(node) = self.recorded() else { return Ok(Outcome::Kept) };
        self.engine.reporter.event(Event::Act { node: self.node, verb: "update", usually: None });
        let mut patience = self.patience(self.facts.wait.ready);
        let mut asked: Option<Vec<Queued>> = None;
        loop {
            let found = self.await_ready(&node, "update").await?;
            let queued = &found.besides.queued;
            let Some(first) = queued.first() else {
                return Ok(if asked.is_some() { Outcome::Updated } else { Outcome::Kept });
            };
            let mut reason = format!("available, change of {} pending", first.what);
            // Where AWS takes one kind of change at a time, the others come next.
            if asked.as_ref() != Some(queued) {
                match self.ask_to_settle(&node, &found, order).await? {
                    None => asked = Some(queued.clone()),
                    Some(refused) => reason = refused,
                }
            }
            self.wait(&mut patience, "update", &reason).await?;
        }
    }

    /// One call: `None` when AWS took it, otherwise why it must be made again.
    async fn ask_to_settle(&self, node: &NodeState, found: &Seen, order: Queue) -> Result<Option<String>, Halt> {
        self.unless_stopped("update")?;
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.settle_queue(cx, &node.spec, found, order).await {
            Ok(()) => Ok(None),
            Err(fault) => match fault.class {
                Class::Throttled | Class::NotYet | Class::Busy | Class::Lost => Ok(Some(words(&fault))),
                _ => Err(self.fail("update", fault)),
            },
        }
    }
}
