//! A cloud, a store, and the runs between them, each as a process of its own: from the saved state, to an end or a kill.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use tapctl::diff::Change;
use tapctl::engine::{
    self, Drifted, Engine, Event, Inventory, NodeFailure, Obstacle, Options, Outcome, Recovered, Report, Reporter,
    Scope, Snapshot, Stop,
};
use tapctl::plan::{Action, Observations, Plan, plan, plan_destroy, select};
use tapctl::resource::{Facts, Kinds, Pass, Queue};
use tapctl::run::lost;
use tapctl::stack::Stack;
use tapctl::state::{Progress, Save, State, StateError};
use tokio::sync::Notify;

use crate::cloud::FakeCloud;
use crate::kinds::kinds;

/// What can happen to a save.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accident {
    Fails,
    /// Another run has taken the lock, or written the document.
    Fenced,
    Changed,
    KilledBefore,
    KilledAfter,
}

/// A state document in memory.
#[derive(Default)]
pub struct MemStore {
    pub text: RefCell<Option<String>>,
    pub saves: Cell<usize>,
    /// The serials of the documents that were kept, in turn.
    pub serials: RefCell<Vec<u64>>,
    pub accident: Cell<Option<(usize, Accident)>>,
    /// How long the next saves take, in milliseconds, in turn.
    pub delays: RefCell<Vec<u64>>,
    killed: Notify,
}

impl MemStore {
    pub fn state(&self) -> State {
        match &*self.text.borrow() {
            Some(text) => State::parse(text, "memory").expect("a whole document"),
            None => State::new("shop", "test", "123456789012", "us-east-1"),
        }
    }
}

impl Save for MemStore {
    fn save<'a>(&'a self, text: &'a str) -> LocalBoxFuture<'a, Result<(), StateError>> {
        Box::pin(async move {
            self.saves.set(self.saves.get() + 1);
            let accident = self.accident.get().filter(|(at, _)| *at == self.saves.get()).map(|(_, accident)| accident);
            let delay = self.delays.borrow_mut().pop();
            if let Some(delay) = delay {
                tokio::time::sleep(Duration::from_millis(delay)).await;
            }
            let place = "memory".to_owned();
            match accident {
                Some(Accident::Fails) => {
                    let error = std::io::Error::other("disk full");
                    return Err(StateError::Io { place, error });
                }
                Some(Accident::Fenced) => return Err(StateError::Fenced { place, holder: None }),
                Some(Accident::Changed) => return Err(StateError::Changed { place, found: "it is gone".to_owned() }),
                _ => {}
            }
            if accident != Some(Accident::KilledBefore) {
                *self.text.borrow_mut() = Some(text.to_owned());
                let serial = text.lines().find_map(|line| line.trim().strip_prefix("\"serial\": ")?.strip_suffix(','));
                self.serials.borrow_mut().push(serial.and_then(|serial| serial.parse().ok()).expect("a serial"));
            }
            if accident.is_some() {
                self.killed.notify_one();
                std::future::pending::<()>().await;
            }
            Ok(())
        })
    }
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    Done(Report),
    /// The reads before the plan failed.
    Unread(Vec<NodeFailure>),
    Unsaved(StateError),
    Killed,
}

impl End {
    /// The report of a run that did everything.
    pub fn complete(self) -> Report {
        match self {
            End::Done(report) if report.is_complete() => report,
            other => panic!("not complete: {other:#?}"),
        }
    }

    /// The report of a run that came to its end, well or not.
    pub fn report(self) -> Report {
        match self {
            End::Done(report) => report,
            other => panic!("no report: {other:#?}"),
        }
    }

    /// The failures, whenever they came.
    pub fn failures(self) -> Vec<NodeFailure> {
        match self {
            End::Done(report) => report.failures,
            End::Unread(failures) => failures,
            other => panic!("no failures: {other:#?}"),
        }
    }
}

/// The words of every event, on a terminal that may take its time to say that a node waits.
#[derive(Default)]
pub struct Words(pub RefCell<Vec<String>>, pub Duration);

impl Words {
    /// All of them, a line each.
    pub fn text(&self) -> String {
        self.0.borrow().join("\n")
    }
}

impl Reporter for Words {
    fn event(&self, event: Event<'_>) {
        if matches!(event, Event::Wait { .. }) {
            std::thread::sleep(self.1);
        }
        self.0.borrow_mut().push(match event {
            Event::Begin { steps } => format!("begin {steps}"),
            Event::Start { node, verb, .. } => format!("{verb} {node}"),
            Event::Wait { node, reason } => format!("wait {node}: {reason}"),
            Event::Done { node, outcome, .. } => format!("{} {node}", outcome.as_str()),
            Event::Failed { failure } => format!("failed {failure}"),
            Event::Act { .. } | Event::Read { .. } => return,
            Event::Note { node, text } => format!("note {node}: {text}"),
        });
    }
}

/// See the module.
#[derive(Default)]
pub struct World {
    pub cloud: FakeCloud,
    pub store: MemStore,
    pub words: Words,
    pub options: Options,
    pub targets: Vec<String>,
    pub excluded: Vec<String>,
    /// Nodes to make anew where they are lost.
    pub recreate: Vec<String>,
    pub stop: Option<Stop>,
    /// What somebody else does between the plan and the first act.
    pub meanwhile: RefCell<Option<Meanwhile>>,
}

/// Something done behind the engine's back.
pub type Meanwhile = Box<dyn FnOnce(&FakeCloud)>;

pub fn facts(kinds: &Kinds<FakeCloud>) -> impl Fn(&str) -> tapctl::error::Result<Facts> {
    move |kind| Ok(kinds.get(kind)?.facts())
}

impl World {
    /// Another world, as this one is now.
    pub fn fork(&self) -> World {
        let store = MemStore { text: self.store.text.clone(), ..MemStore::default() };
        World { cloud: self.cloud.fork(), store, options: self.options.clone(), ..World::default() }
    }

    /// What a run would see and do.
    pub async fn plan(&self, stack: Option<&Stack>) -> Result<(Plan, Observations, Pass), Vec<NodeFailure>> {
        let (kinds, pass, state) = (kinds(), Pass::default(), self.store.state());
        let seen = engine::observe(&self.scope(&kinds, &pass), stack, &state).await?;
        let state = self.given_up(stack, state, &seen);
        let plan = match stack {
            Some(stack) => plan(stack, &state, &seen, &facts(&kinds)),
            None => plan_destroy(&state, &seen, &facts(&kinds)),
        };
        Ok((plan.expect("all kinds are known"), seen, pass))
    }

    /// The state without what a person has given up.
    fn given_up(&self, stack: Option<&Stack>, mut state: State, seen: &Observations) -> State {
        let Some(stack) = stack else { return state };
        let chosen = select(stack, &state, &self.targets, &self.excluded).expect("known names");
        lost::give_up(&mut state, &self.recreate, &chosen, seen, &facts(&kinds())).expect("known kinds");
        state
    }

    pub fn scope<'a>(&'a self, kinds: &'a Kinds<FakeCloud>, pass: &'a Pass) -> Scope<'a, FakeCloud> {
        let (parallelism, adopt) = (self.options.parallelism, self.options.adopt);
        Scope { cloud: &self.cloud, kinds, pass, parallelism, adopt, only: None, reporter: &tapctl::engine::Silent }
    }

    /// One run, from reading the state to its end.
    pub async fn run(&self, stack: Option<&Stack>) -> End {
        tokio::select! {
            end = self.process(stack) => end,
            () = self.cloud.killed.notified() => End::Killed,
            () = self.store.killed.notified() => End::Killed,
        }
    }

    pub async fn apply(&self, stack: &Stack) -> End {
        self.run(Some(stack)).await
    }

    pub async fn destroy(&self) -> End {
        self.run(None).await
    }

    /// What a destroy would be about, with all that no record tells of.
    pub async fn recovered(&self, stack: &Stack) -> Recovered {
        let (kinds, pass, state) = (kinds(), Pass::default(), self.store.state());
        let scope = self.scope(&kinds, &pass);
        let seen = engine::observe(&scope, None, &state).await.expect("readable");
        engine::recover(&scope, Some(stack), &state, seen).await.expect("readable")
    }

    /// What is ours and in no record.
    pub async fn inventory(&self, stack: Option<&Stack>) -> Inventory {
        let (kinds, pass, state) = (kinds(), Pass::default(), self.store.state());
        let scope = self.scope(&kinds, &pass);
        let seen = engine::observe(&scope, stack, &state).await.expect("readable");
        engine::inventory(&scope, stack, &state, &seen).await.expect("readable")
    }

    /// What others have put in the way of a destroy.
    pub async fn obstacles(&self) -> Vec<Obstacle> {
        let (kinds, pass, state) = (kinds(), Pass::default(), self.store.state());
        let scope = self.scope(&kinds, &pass);
        let seen = engine::observe(&scope, None, &state).await.expect("readable");
        let inventory = engine::inventory(&scope, None, &state, &seen).await.expect("readable");
        engine::obstacles(&scope, &state, &seen, &inventory.unrecorded).await.expect("readable")
    }

    /// Removes all that is ours, recorded or not, as a process of its own.
    pub async fn tear_down(&self, stack: &Stack) -> End {
        let Recovered { state, seen, .. } = self.recovered(stack).await;
        let (kinds, stop, options, pass) = (kinds(), Stop::new().1, self.options.clone(), Pass::default());
        let chosen = state.nodes.keys().cloned().collect();
        let engine = Engine::new(&self.cloud, &kinds, &self.store, &self.words, options, stop, state, pass, seen);
        tokio::select! {
            ended = engine.destroy(&chosen) => match ended {
                Ok(report) => End::Done(report),
                Err(error) => End::Unsaved(error),
            },
            () = self.cloud.killed.notified() => End::Killed,
        }
    }

    /// Changes every credential, as a process of its own.
    pub async fn rotate(&self) -> End {
        let (kinds, state) = (kinds(), self.store.state());
        let (stop, options) = (Stop::new().1, self.options.clone());
        let (pass, seen) = (Pass::default(), Observations::default());
        let engine = Engine::new(&self.cloud, &kinds, &self.store, &self.words, options, stop, state, pass, seen);
        tokio::select! {
            ended = engine.rotate() => match ended {
                Ok(report) => End::Done(report),
                Err(error) => End::Unsaved(error),
            },
            () = self.cloud.killed.notified() => End::Killed,
        }
    }

    /// Restarts what awaits it, as a process of its own.
    pub async fn restart(&self) -> End {
        self.by_itself(async |engine| {
            let all = self.store.state().nodes.into_keys().collect();
            let seen = engine.restartable(&all).await.expect("readable");
            let nodes: Vec<String> = engine::awaiting(&seen).into_iter().map(|one| one.node).collect();
            engine.restart(&nodes).await
        })
        .await
    }

    /// Decides about what waits, as a process of its own.
    pub async fn settle_queues(&self, orders: &BTreeMap<String, Queue>) -> End {
        self.by_itself(async |engine| engine.settle_queues(orders).await).await
    }

    /// Something that needs no plan.
    async fn by_itself(&self, work: impl AsyncFn(&Engine<'_, FakeCloud>) -> Result<Report, StateError>) -> End {
        let (kinds, state) = (kinds(), self.store.state());
        let (stop, options) = (Stop::new().1, self.options.clone());
        let (pass, seen) = (Pass::default(), Observations::default());
        let engine = Engine::new(&self.cloud, &kinds, &self.store, &self.words, options, stop, state, pass, seen);
        match work(&engine).await {
            Ok(report) => End::Done(report),
            Err(error) => End::Unsaved(error),
        }
    }

    /// Has a node's object copied, as a process of its own.
    pub async fn snapshot(&self, wanted: &Snapshot) -> End {
        let (kinds, state) = (kinds(), self.store.state());
        let (stop, options) = (Stop::new().1, self.options.clone());
        let (pass, seen) = (Pass::default(), Observations::default());
        let engine = Engine::new(&self.cloud, &kinds, &self.store, &self.words, options, stop, state, pass, seen);
        tokio::select! {
            ended = engine.snapshot(wanted) => match ended {
                Ok(report) => End::Done(report),
                Err(error) => End::Unsaved(error),
            },
            () = self.cloud.killed.notified() => End::Killed,
            () = self.store.killed.notified() => End::Killed,
        }
    }

    async fn process(&self, stack: Option<&Stack>) -> End {
        self.words.0.borrow_mut().push("---".to_owned());
        let (plan, seen, pass) = match self.plan(stack).await {
            Ok(planned) => planned,
            Err(failures) => return End::Unread(failures),
        };
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile(&self.cloud);
        }
        let (kinds, state) = (kinds(), self.given_up(stack, self.store.state(), &seen));
        let is_sure = |name: &&String| state.nodes.get(*name).is_none_or(|node| node.progress != Progress::Pending);
        let sure: BTreeSet<String> = seen.keys().filter(is_sure).cloned().collect();
        let empty = Stack::new("shop", "test", "us-east-1");
        let chosen = select(stack.unwrap_or(&empty), &state, &self.targets, &self.excluded).expect("known names");
        let stop = self.stop.clone().unwrap_or_else(|| Stop::new().1);
        let engine =
            Engine::new(&self.cloud, &kinds, &self.store, &self.words, self.options.clone(), stop, state, pass, seen);
        let ended = match stack {
            Some(stack) => engine.apply(stack, &plan, &chosen).await,
            None => engine.destroy(&chosen).await,
        };
        match ended {
            Ok(report) => {
                if let Some(text) = &*self.store.text.borrow() {
                    assert_eq!(State::parse(text, "memory").unwrap(), engine.into_state(), "all is saved");
                }
                // What a cloud that lags showed the plan may not be what it shows the run.
                if stack.is_some() && report.is_complete() && self.cloud.lag.get() == 0 {
                    assert_as_planned(&plan.only(&chosen), &sure, &report);
                }
                End::Done(report)
            }
            Err(error) => End::Unsaved(error),
        }
    }

    pub async fn drift(&self) -> Vec<Drifted> {
        self.try_drift().await.expect("readable")
    }

    pub async fn try_drift(&self) -> Result<Vec<Drifted>, Vec<NodeFailure>> {
        let (kinds, pass, state) = (kinds(), Pass::default(), self.store.state());
        engine::drift(&self.scope(&kinds, &pass), &state).await
    }

    /// The state, without what differs between two histories that lead to the same.
    pub fn facts_of_state(&self) -> State {
        let mut state = self.store.state();
        state.lineage.clear();
        state.serial = 0;
        state.nodes.values_mut().for_each(|node| node.created = None);
        state
    }

    /// Whether an event's words were heard.
    pub fn heard(&self, words: &str) -> bool {
        self.words.0.borrow().iter().any(|heard| heard.contains(words))
    }
}

/// Whether a run did what its plan said, and nothing else. An update whose values only the apply could know may turn out
/// not to be needed; and what could not be looked for while planning, or was not visible yet, may turn out to be there.
#[track_caller]
fn assert_as_planned(plan: &Plan, sure: &BTreeSet<String>, report: &Report) {
    for step in &plan.steps {
        let wanted = match &step.action {
            Action::Keep => "unchanged",
            Action::Create => "created",
            // It is refused.
            Action::Lost { .. } => continue,
            Action::Adopt { .. } => "adopted",
            Action::Update { .. } => "updated",
            Action::Replace { .. } => "replaced",
            Action::Resume { .. } => "ready",
            Action::Delete => "deleted",
            Action::Forget => "forgotten",
            // It goes with what becomes of its node.
            Action::Duplicate { .. } => continue,
        };
        let known = |change: &Change| tapctl::stack::is_resolved(&change.want);
        let needed = step.action.diff().is_none_or(|diff| diff.changes.iter().all(known));
        let became = report.done.iter().filter(|(node, _)| *node == step.node).map(|(_, outcome)| outcome.as_str());
        let became: Vec<&str> = became.collect();
        let unseen = match step.action {
            Action::Create => !sure.contains(&step.node),
            // What was hidden from the plan may show itself to the run, and goes then; what was being made may be ready.
            Action::Forget | Action::Resume { .. } => true,
            _ => false,
        };
        let there = unseen && became.len() == 1;
        let fits = became.contains(&wanted) || there || (!needed && became == ["unchanged"]);
        assert!(fits, "{}: {:?} was planned, and it was {became:?}", step.node, step.action);
    }
}

/// What became of a node.
pub fn outcome(report: &Report, node: &str) -> Option<Outcome> {
    report.done.iter().rev().find(|(name, _)| name == node).map(|(_, outcome)| *outcome)
}

pub fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
