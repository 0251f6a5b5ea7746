//! Restarting one node's object, so that all of its settings are in force.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::make::VISIBLE;
use super::node::{Worker, words};
use super::observe::{Scope, observe};
use super::report::{Event, NodeFailure, Outcome, Silent};
use super::walk::Halt;
use super::{Engine, walk};
use crate::error::{Class, Fault};
use crate::plan::Observations;
use crate::resource::{Cx, Pass, Restart, Seen};
use crate::state::{NodeState, StateError};

/// A node whose object must be restarted for all of its settings to be in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaiting {
    /// The node.
    pub node: String,
    /// What is not in force.
    pub restart: Restart,
}

/// What awaits a restart of all that was seen, in the order in which that is best done: what leads others comes last.
pub fn awaiting(seen: &Observations) -> Vec<Awaiting> {
    let found = seen.iter().filter_map(|(node, seen)| Some((node, seen.as_ref()?)));
    let mut all: Vec<(bool, Awaiting)> = found
        .filter_map(|(node, seen)| {
            let restart = seen.besides.restart.clone()?;
            Some((seen.besides.leads, Awaiting { node: node.clone(), restart }))
        })
        .collect();
    all.sort_by_key(|(leads, _)| *leads);
    all.into_iter().map(|(_, awaiting)| awaiting).collect()
}

impl<C: 'static> Engine<'_, C> {
    /// What of these nodes can be restarted, as AWS says of it now.
    ///
    /// # Errors
    /// Every node that could not be read, or that is somebody else's.
    pub async fn restartable(&self, chosen: &BTreeSet<String>) -> Result<Observations, Vec<NodeFailure>> {
        let state = self.state.borrow().clone();
        let restarts = |kind: &str| self.kinds.get(kind).is_ok_and(|kind| kind.facts().restarts);
        let mut only: BTreeSet<String> = state.nodes.keys().filter(|name| chosen.contains(*name)).cloned().collect();
        only.retain(|name| state.nodes.get(name).is_some_and(|node| restarts(&node.kind)));
        let scope = Scope {
            cloud: self.cloud,
            kinds: self.kinds,
            pass: &Pass::default(),
            parallelism: self.options.parallelism,
            adopt: false,
            only: Some(&only),
            reporter: &Silent,
        };
        observe(&scope, None, &state).await
    }

    /// Restarts the objects of these nodes, each once the one before it is ready again.
    ///
    /// # Errors
    /// Where the state cannot be saved. Failures of nodes are in the report.
    pub async fn restart(&self, nodes: &[String]) -> Result<super::Report, StateError> {
        let tasks = walk::restart_tasks(nodes);
        let failures = self.strangers_among(&tasks).await;
        if !failures.is_empty() {
            return Ok(super::Report { failures, ..super::Report::default() });
        }
        self.run(None, tasks).await
    }
}

impl<C: 'static> Worker<'_, C> {
    /// One restart, seen to its end. Nothing of it is recorded: what still awaits one is told by AWS.
    pub(super) async fn restart(&self) -> Result<Outcome, Halt> {
        let Some(node) = self.recorded() else { return Ok(Outcome::Kept) };
        self.engine.reporter.event(Event::Act { node: self.node, verb: "restart", usually: None });
        let mut patience = self.patience(self.facts.wait.ready);
        loop {
            let found = self.await_ready(&node, "restart").await?;
            let Some(refused) = self.ask_to_restart(&node, &found).await? else { break };
            self.wait(&mut patience, "restart", &refused).await?;
        }
        self.await_in_force(&node).await?;
        Ok(Outcome::Restarted)
    }

    /// AWS may say for a while after a restart what it said before.
    async fn await_in_force(&self, node: &NodeState) -> Result<(), Halt> {
        let mut patience = self.patience(VISIBLE);
        loop {
            let found = self.await_ready(node, "restart").await?;
            let Some(Restart { what, .. }) = found.besides.restart else { return Ok(()) };
            if self.is_over(&patience) {
                let text = format!("AWS restarted it, and still says that {what} are not in force");
                return Err(self.fail("restart", Fault::unexpected(text)));
            }
            self.pause(&mut patience, &format!("for {what} to be in force")).await?;
        }
    }

    /// One call: `None` when AWS took it, otherwise why it must be made again.
    pub(super) async fn ask_to_restart(&self, node: &NodeState, found: &Seen) -> Result<Option<String>, Halt> {
        self.unless_stopped("restart")?;
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.restart(cx, &node.spec, found).await {
            Ok(()) => Ok(None),
            Err(fault) => match fault.class {
                Class::Throttled | Class::NotYet | Class::Busy | Class::Lost => Ok(Some(words(&fault))),
                _ => Err(self.fail("restart", fault)),
            },
        }
    }

    /// What came up without some of its settings before anybody was on it is restarted: `Some` while that is under way.
    /// What has been ready before is never restarted unasked.
    pub(super) async fn restart_unused(
        &self,
        found: &Seen,
        restarted: &mut Option<Instant>,
    ) -> Result<Option<String>, Halt> {
        let never_ready = self.recorded().filter(|node| !node.was_ready());
        let Some((node, restart)) = never_ready.zip(found.besides.restart.as_ref().filter(|it| it.unused)) else {
            return Ok(None);
        };
        match restarted {
            Some(since) if since.elapsed() >= VISIBLE => return Ok(None),
            Some(_) => {}
            None => match self.ask_to_restart(&node, found).await? {
                Some(refused) => return Ok(Some(refused)),
                None => *restarted = Some(Instant::now()),
            },
        }
        Ok(Some(format!("for {} to be in force", restart.what)))
    }
}
