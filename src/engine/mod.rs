//! The only place that orders, waits, retries and saves.
//!
//! For every node whose dependencies are done: resolve → observe → decide → act → poll until ready → save. One thread
//! drives all nodes at once. What makes a kill at any instant harmless:
//!
//! 1. The intent to create is on disk before the create call (`Worker::ask_to_create`).
//! 2. The call carries the ownership tags and a token derived from the intent.
//! 3. The id is on disk as soon as the answer arrives, before any wait.
//! 4. An unanswered create is looked for, over a settle window, before it is made again.

mod backups;
mod find;
mod found;
mod lodgers;
mod make;
mod node;
mod observe;
pub mod ownership;
mod queue;
mod record;
mod remove;
mod report;
mod restart;
mod rotate;
mod snapshot;
mod staying;
mod teardown;
mod walk;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use backups::{Backups, Bare, Holding, backups, holdings, without_data};
pub use found::{Inventory, Kept, Obstacle, Recovered, Unrecorded, inventory, obstacles, recover};
pub use observe::{Scope, drift, drift_of, observe};
pub use report::{Drifted, Event, NodeFailure, Outcome, Repair, Report, Reporter, Silent};
pub use restart::{Awaiting, awaiting};
pub use snapshot::{SNAPSHOT, Snapshot, find_snapshot};
pub use staying::{Staying, Stayings, staying};
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;
use walk::Task;

use crate::plan::{Action, Observations, Plan};
use crate::resource::{Kinds, Pass};
use crate::stack::Stack;
use crate::state::{Save, State, StateError};

/// How long what was changed may go on as before, where AWS does not tell when that ends.
const UNMOVED: Duration = Duration::from_secs(30);

/// What a person may set of the engine's behaviour.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many nodes may be worked on at once.
    pub parallelism: usize,
    /// How long after an unanswered create its object is looked for before another is made.
    pub settle: Duration,
    /// Take over objects that have our names but not our tags.
    pub adopt: bool,
    /// An upper bound on every wait, under the kinds' own.
    pub timeout: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Options { parallelism: 16, settle: Duration::from_secs(30), adopt: false, timeout: None }
    }
}

impl Options {
    /// How long what was changed is given to take effect, where AWS does not tell when it has.
    pub fn unmoved(&self) -> Duration {
        UNMOVED.min(self.settle)
    }

    /// Lets what was changed take effect before what it was changed for goes on.
    pub async fn give_time(&self) {
        tokio::time::sleep(self.unmoved()).await;
    }
}

/// Steps of an apply that wait for each other, as a person is told: the plan asks for an order that cannot be. Pure.
pub fn knot(stack: &Stack, plan: &Plan, state: &State, chosen: &BTreeSet<String>) -> Option<String> {
    walk::knot(&walk::apply_tasks(stack, plan, state, chosen)).map(|(_, text)| text)
}

/// Asks a run to stop: no new step starts, waits are dropped, calls under way get a moment to be answered and saved.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// A stop that is asked for by sending `true`.
    pub fn new() -> (watch::Sender<bool>, Stop) {
        let (ask, stop) = watch::channel(false);
        (ask, Stop(stop))
    }

    /// Whether it was asked for.
    pub fn asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when it is asked for; never if nobody can ask any more.
    pub async fn wait(&self) {
        let mut stop = self.0.clone();
        if stop.wait_for(|asked| *asked).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// One run over one stack's state.
pub struct Engine<'a, C> {
    cloud: &'a C,
    kinds: &'a Kinds<C>,
    store: &'a dyn Save,
    reporter: &'a dyn Reporter,
    options: Options,
    stop: Stop,
    /// Ends the run where AWS no longer takes the credentials: no wait could see its end.
    cut: (watch::Sender<bool>, Stop),
    /// What each node was last seen waiting for.
    waits: RefCell<BTreeMap<String, String>>,
    /// When nothing could be seen of each node for a while: until when, and for how long.
    blind: RefCell<BTreeMap<String, Vec<(Instant, Duration)>>>,
    state: RefCell<State>,
    /// The reads made while planning. They still tell what existed before this run: we hold the lock.
    pass: Pass,
    seen: Observations,
    /// Nodes whose object this run has removed.
    removed: RefCell<BTreeSet<String>>,
    /// Removed nodes that are looked for once more at the end of a destroy, and since when they are gone. Until then they
    /// stay recorded.
    lingering: RefCell<BTreeMap<String, Instant>>,
    /// What a destroy has left where it is.
    staying: RefCell<Stayings>,
    /// Nodes whose replacement the plan showed.
    replaced: RefCell<BTreeSet<String>>,
    /// Nodes of which the plan showed that a change in place loses some of their data.
    shortened: RefCell<BTreeSet<String>>,
    /// Duplicates that the plan showed.
    surplus: RefCell<BTreeSet<String>>,
    /// The serial of the document that is kept. Held while saving, so that an older document never follows a newer one.
    saved: Mutex<u64>,
}

impl<'a, C: 'static> Engine<'a, C> {
    /// A run that goes on from `state`, and from what was `seen` while planning through `pass`.
    #[allow(clippy::too_many_arguments, reason = "each is one thing the engine stands on")]
    pub fn new(
        cloud: &'a C,
        kinds: &'a Kinds<C>,
        store: &'a dyn Save,
        reporter: &'a dyn Reporter,
        options: Options,
        stop: Stop,
        state: State,
        pass: Pass,
        seen: Observations,
    ) -> Self {
        Engine {
            cloud,
            kinds,
            store,
            reporter,
            options,
            stop,
            cut: Stop::new(),
            waits: RefCell::default(),
            blind: RefCell::default(),
            state: RefCell::new(state),
            pass,
            seen,
            removed: RefCell::default(),
            lingering: RefCell::default(),
            staying: RefCell::default(),
            replaced: RefCell::default(),
            shortened: RefCell::default(),
            surplus: RefCell::default(),
            saved: Mutex::new(0),
        }
    }

    /// Makes AWS like the stack, in the order of its edges, as far as `chosen` goes. Where there is no such order
    /// ([`knot`]) nothing is begun.
    ///
    /// # Errors
    /// Where the state cannot be saved. Failures of nodes are in the report.
    pub async fn apply(&self, stack: &Stack, plan: &Plan, chosen: &BTreeSet<String>) -> Result<Report, StateError> {
        let tasks = walk::apply_tasks(stack, plan, &self.state.borrow(), chosen);
        let replaced = plan.steps.iter().filter(|step| matches!(step.action, Action::Replace { .. }));
        self.replaced.replace(replaced.map(|step| step.node.clone()).collect());
        let shortened = plan.steps.iter().filter(|step| step.loses.is_some());
        self.shortened.replace(shortened.map(|step| step.node.clone()).collect());
        self.surplus.replace(plan.duplicates());
        let mut report = self.run(Some(stack), tasks).await?;
        let tasks = walk::leftover_tasks(&self.state.borrow(), chosen);
        if report.is_complete() && !tasks.is_empty() {
            report.extend(self.run(Some(stack), tasks).await?);
        }
        if report.is_complete() {
            self.save_outputs(stack).await?;
        }
        Ok(report)
    }

    /// Removes everything recorded, as far as `chosen` goes, dependents first. What is to outlive the environment, and what
    /// that stands on, stays where it is and on record; the report tells it.
    ///
    /// # Errors
    /// Where the state cannot be saved. Failures of nodes are in the report.
    pub async fn destroy(&self, chosen: &BTreeSet<String>) -> Result<Report, StateError> {
        let tasks = walk::destroy_tasks(&self.state.borrow(), chosen);
        let mut report = self.run(None, tasks).await?;
        let tasks: walk::Tasks =
            self.lingering.borrow().keys().map(|node| (Task::LookAgain(node.clone()), BTreeSet::new())).collect();
        if report.is_complete() && !tasks.is_empty() {
            // Their removal is told already.
            report.extend(Report { done: Vec::new(), ..self.run(None, tasks).await? });
        }
        report.stays = self.staying.borrow().clone();
        let is_over = self.state.borrow().nodes.keys().all(|node| report.stays.contains_key(node));
        if is_over && !self.state.borrow().outputs.is_empty() {
            self.record(|state| state.outputs.clear()).await?;
        }
        Ok(report)
    }

    /// Changes every credential that was made for an object of the stack, and moves its users to the new one.
    ///
    /// # Errors
    /// Where the state cannot be saved. Failures of nodes are in the report.
    pub async fn rotate(&self) -> Result<Report, StateError> {
        let rotates = |kind: &str| self.kinds.get(kind).is_ok_and(|kind| kind.facts().rotates);
        let retires = |kind: &str| self.kinds.get(kind).is_ok_and(|kind| kind.facts().retires);
        let tasks = walk::rotate_tasks(&self.state.borrow(), rotates, retires);
        let failures = self.strangers_among(&tasks).await;
        if !failures.is_empty() {
            return Ok(Report { failures, ..Report::default() });
        }
        self.run(None, tasks).await
    }

    /// Whether the run is to end: nothing new starts.
    fn is_halted(&self) -> bool {
        self.stop.asked() || self.cut.1.asked()
    }

    /// Returns when the run is to end: nothing is waited for any more.
    async fn halted(&self) {
        tokio::select! { () = self.stop.wait() => {}, () = self.cut.1.wait() => {} }
    }

    /// The state as it is now.
    pub fn into_state(self) -> State {
        self.state.into_inner()
    }

    async fn save_outputs(&self, stack: &Stack) -> Result<(), StateError> {
        let outputs = {
            let state = self.state.borrow();
            let resolve =
                |value| crate::stack::resolve(value, &|node| state.nodes.get(node).map(|node| node.outputs.clone()));
            let outputs = stack.outputs.iter().map(|(name, value)| (name.clone(), resolve(value)));
            outputs.filter(|(_, value)| crate::stack::is_resolved(value)).collect()
        };
        if self.state.borrow().outputs == outputs {
            return Ok(());
        }
        self.record(|state| state.outputs = outputs).await
    }

    /// Changes the state and saves it before returning. Changes made while another save is under way share the next.
    async fn record(&self, change: impl FnOnce(&mut State)) -> Result<(), StateError> {
        let serial = {
            let mut state = self.state.borrow_mut();
            change(&mut state);
            state.serial += 1;
            state.serial
        };
        let mut saved = self.saved.lock().await;
        if *saved >= serial {
            return Ok(());
        }
        let (serial, text) = {
            let state = self.state.borrow();
            (state.serial, state.text())
        };
        self.store.save(&text).await?;
        *saved = serial;
        Ok(())
    }
}
