//! Which step waits for which, and running as many at once as may.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::Engine;
use super::report::{Event, NodeFailure, Report};
use super::teardown::TEARDOWN;
use crate::error::{Class, Fault};
use crate::plan::{Action, Plan};
use crate::resource::{Queue, Replace};
use crate::stack::Stack;
use crate::state::{State, StateError, base_name, dependents};

/// How long calls under way may take to be answered after a person asked to stop.
const GRACE: Duration = Duration::from_millis(1500);

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Task {
    /// Make the node as it should be.
    Ensure(String),
    /// Remove the node's object.
    Remove(String),
    /// Remove what the node's replacement left behind.
    Clear(String),
    /// Remove the node's object once more where a service has made it anew.
    LookAgain(String),
    /// Change the credential of the node's object.
    Rotate(String),
    /// Restart the node's object.
    Restart(String),
    /// Carry out, or take back, the changes of the node's object that wait.
    Queue(String, Queue),
    /// Take back the old credential of the node's object.
    Retire(String),
    /// Have AWS copy the node's object.
    Snapshot(String),
}

/// Each task with those it waits for.
pub(super) type Tasks = BTreeMap<Task, BTreeSet<Task>>;

/// How a step can fail to end.
#[derive(Debug)]
pub(super) enum Halt {
    /// The node failed.
    Failed(Box<NodeFailure>),
    /// The run was to end while this was awaited.
    Interrupted(String),
    /// The state could not be saved: nothing may go on.
    State(StateError),
}

impl From<StateError> for Halt {
    fn from(error: StateError) -> Self {
        Halt::State(error)
    }
}

/// The steps of an apply.
pub(super) fn apply_tasks(stack: &Stack, plan: &Plan, state: &State, chosen: &BTreeSet<String>) -> Tasks {
    let mut tasks = Tasks::new();
    for step in plan.steps.iter().filter(|step| chosen.contains(&step.node)) {
        let node = || step.node.clone();
        match &step.action {
            Action::Delete | Action::Forget => drop(tasks.insert(Task::Remove(node()), BTreeSet::new())),
            Action::Replace { .. } if step.replace == Replace::DeleteFirst => {
                tasks.insert(Task::Remove(node()), BTreeSet::new());
                tasks.insert(Task::Ensure(node()), [Task::Remove(node())].into());
            }
            // A user that is left alone still holds the old one; a later run without that choice removes it.
            Action::Replace { .. } if dependents(&step.node, state).all(|user| chosen.contains(user)) => {
                tasks.insert(Task::Ensure(node()), BTreeSet::new());
                tasks.insert(Task::Clear(node()), [Task::Ensure(node())].into());
            }
            _ => drop(tasks.insert(Task::Ensure(node()), BTreeSet::new())),
        }
    }
    let all: BTreeSet<Task> = tasks.keys().cloned().collect();
    for (task, waits) in &mut tasks {
        match task {
            Task::Ensure(node) => {
                let edges = stack.nodes.get(node).into_iter().flat_map(|entry| &entry.edges);
                waits.extend(edges.map(|edge| Task::Ensure(edge.clone())));
            }
            Task::Remove(node) => waits.extend(before_removal(node, stack, state, &all)),
            Task::Rotate(_) | Task::Retire(_) | Task::Restart(_) | Task::Queue(..) | Task::Snapshot(_) => {}
            Task::Clear(node) => waits.extend(dependents(node, state).flat_map(|user| moves(user))),
            Task::LookAgain(_) => {}
        }
        waits.retain(|wait| all.contains(wait));
    }
    tasks
}

/// The steps after an apply: what was found to be too much while it ran.
pub(super) fn leftover_tasks(state: &State, chosen: &BTreeSet<String>) -> Tasks {
    let is_free = |name: &str| dependents(name, state).all(|user| chosen.contains(base_name(user)));
    let is_leftover =
        |name: &&String| base_name(name) != name.as_str() && chosen.contains(base_name(name)) && is_free(name);
    let left: BTreeSet<String> = state.nodes.keys().filter(is_leftover).cloned().collect();
    destroy_tasks(state, &left)
}

/// The steps of a destroy.
pub(super) fn destroy_tasks(state: &State, chosen: &BTreeSet<String>) -> Tasks {
    let all: BTreeSet<Task> =
        state.nodes.keys().filter(|node| chosen.contains(*node)).cloned().map(Task::Remove).collect();
    let waits = |task: &Task| match task {
        Task::Remove(node) => removals_before(node, state).filter(|wait| all.contains(wait)).collect(),
        _ => BTreeSet::new(),
    };
    all.iter().map(|task| (task.clone(), waits(task))).collect()
}

/// The steps of a rotation: what uses a credential waits for what keeps it, and what keeps two until all have the new one for
/// them.
pub(super) fn rotate_tasks(state: &State, rotates: impl Fn(&str) -> bool, retires: impl Fn(&str) -> bool) -> Tasks {
    let all: BTreeSet<&String> =
        state.nodes.iter().filter(|(_, node)| rotates(&node.kind)).map(|(name, _)| name).collect();
    let waits = |node: &String| {
        let below = foundations(node, state);
        all.iter().filter(|other| below.contains(other.as_str())).map(|other| Task::Rotate((*other).clone())).collect()
    };
    let mut tasks: Tasks = all.iter().map(|node| (Task::Rotate((*node).clone()), waits(node))).collect();
    for node in all.iter().filter(|node| retires(&state.nodes[**node].kind)) {
        let users = all.iter().filter(|user| foundations(user, state).contains(node.as_str()));
        let before = users.chain([node]).map(|node| Task::Rotate((*node).clone()));
        tasks.insert(Task::Retire((*node).clone()), before.collect());
    }
    tasks
}

/// The steps of restarts: each waits for the one before it, so that never two are away at once.
pub(super) fn restart_tasks(nodes: &[String]) -> Tasks {
    let before = |at: usize| at.checked_sub(1).map(|at| Task::Restart(nodes[at].clone()));
    nodes.iter().enumerate().map(|(at, node)| (Task::Restart(node.clone()), before(at).into_iter().collect())).collect()
}

/// Everything a node stands on, near and far.
fn foundations<'a>(node: &str, state: &'a State) -> BTreeSet<&'a str> {
    let below = |node: &str| state.nodes.get(node).into_iter().flat_map(|node| &node.edges).map(String::as_str);
    let mut open: Vec<&'a str> = below(node).collect();
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        if found.insert(next) {
            open.extend(below(next));
        }
    }
    found
}

fn removals_before<'a>(node: &'a str, state: &'a State) -> impl Iterator<Item = Task> + 'a {
    let kind = state.nodes.get(node).map_or("", |node| node.kind.as_str());
    let first: Vec<&str> = TEARDOWN.iter().filter(|(_, then, _)| *then == kind).map(|(first, ..)| *first).collect();
    let by_table =
        state.nodes.iter().filter(move |(_, other)| first.contains(&other.kind.as_str())).map(|(name, _)| name);
    dependents(node, state).chain(by_table).cloned().map(Task::Remove)
}

/// All that can make a user let go of what it used.
fn moves(user: &str) -> [Task; 3] {
    [Task::Ensure(user.to_owned()), Task::Clear(user.to_owned()), Task::Remove(user.to_owned())]
}

/// What uses the object is removed first or, where it stays, first moved to something else. Those that stay and go on
/// using a node that is replaced wait for it instead; and so do those that can only move to what will stand on something
/// that is replaced from the ground up, this object with it, if AWS has no reason to refuse its removal before that.
fn before_removal(node: &str, stack: &Stack, state: &State, all: &BTreeSet<Task>) -> Vec<Task> {
    let mut waits: Vec<Task> = removals_before(node, state).collect();
    let goes_first =
        |ground: &&str| [Task::Remove, Task::Ensure].iter().all(|task| all.contains(&task((*ground).to_owned())));
    let grounds: Vec<&str> = foundations(node, state).into_iter().filter(goes_first).collect();
    let moves_too_late =
        |user: &str| grounds.iter().any(|ground| stands_on(stack, user, ground)) && !names(user, node, state);
    let moving = |user: &&String| {
        !all.contains(&Task::Remove((*user).clone())) && !stands_on(stack, user, node) && !moves_too_late(user)
    };
    waits.extend(dependents(node, state).filter(moving).flat_map(|user| moves(user)));
    waits
}

/// Whether a user's object has been told the node's, so that AWS may know of the one by the other.
fn names(user: &str, node: &str, state: &State) -> bool {
    let (user, node) = (state.nodes.get(user), state.nodes.get(node));
    let id = node.and_then(|node| node.id.as_deref());
    id.zip(user).is_some_and(|(id, user)| user.spec.to_string().contains(id))
}

fn stands_on(stack: &Stack, user: &str, node: &str) -> bool {
    let edges = stack.nodes.get(user).into_iter().flat_map(|entry| &entry.edges);
    let mut edges = edges.filter(|edge| *edge != user);
    edges.any(|edge| edge == node || stands_on(stack, edge, node))
}

/// The expected length in seconds of the longest chain that begins with each task: those on it should start first.
fn urgency(tasks: &Tasks, weight: &dyn Fn(&Task) -> u64) -> BTreeMap<Task, u64> {
    let mut followers: BTreeMap<&Task, Vec<&Task>> = BTreeMap::new();
    for (task, waits) in tasks {
        waits.iter().for_each(|wait| followers.entry(wait).or_default().push(task));
    }
    fn length<'a>(
        task: &'a Task,
        followers: &BTreeMap<&'a Task, Vec<&'a Task>>,
        weight: &dyn Fn(&Task) -> u64,
        known: &mut BTreeMap<Task, u64>,
    ) -> u64 {
        if let Some(&known) = known.get(task) {
            return known;
        }
        let next = followers.get(task).into_iter().flatten();
        let rest = next.map(|next| length(next, followers, weight, known)).max().unwrap_or(0);
        known.insert(task.clone(), weight(task) + rest);
        weight(task) + rest
    }
    let mut known = BTreeMap::new();
    for task in tasks.keys() {
        length(task, &followers, weight, &mut known);
    }
    known
}

/// Steps that wait for each other, each for the next and the last for the first, and a node of theirs: the stack asks for
/// an order that cannot be.
pub(super) fn knot(tasks: &Tasks) -> Option<(&str, String)> {
    let mut open: BTreeMap<&Task, &BTreeSet<Task>> = tasks.iter().collect();
    loop {
        let waits = |(_, waits): &(&&Task, &&BTreeSet<Task>)| waits.iter().any(|wait| open.contains_key(wait));
        let left: BTreeMap<&Task, &BTreeSet<Task>> =
            open.iter().filter(waits).map(|(&task, &waits)| (task, waits)).collect();
        let is_all = left.len() == open.len();
        open = left;
        if is_all {
            break;
        }
    }
    let mut path = vec![*open.keys().next()?];
    let ring = loop {
        let next = open[path[path.len() - 1]].iter().find(|wait| open.contains_key(wait))?;
        match path.iter().position(|task| *task == next) {
            Some(first) => break path.split_off(first),
            None => path.push(next),
        }
    };
    let one = |(task, next): (&&Task, &&Task)| format!("to {task} waits to {next}");
    let steps: Vec<String> = ring.iter().zip(ring.iter().cycle().skip(1)).map(one).collect();
    Some((name_of(ring[0]), format!("these steps wait for each other: {}", steps.join("; "))))
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Task::Ensure(node) => write!(f, "make {node}"),
            Task::Remove(node) => write!(f, "remove {node}"),
            Task::Clear(node) => write!(f, "remove what {node} replaced"),
            Task::LookAgain(node) => write!(f, "look for {node} again"),
            Task::Rotate(node) => write!(f, "rotate {node}"),
            Task::Restart(node) => write!(f, "restart {node}"),
            Task::Queue(node, _) => write!(f, "settle what waits of {node}"),
            Task::Retire(node) => write!(f, "take back what {node} had before"),
            Task::Snapshot(node) => write!(f, "take a snapshot of {node}"),
        }
    }
}

impl<C: 'static> Engine<'_, C> {
    /// Runs every task whose predecessors are done, the most urgent first. After a failure or a request to stop nothing
    /// new starts, and what runs is let end. Where steps wait for each other none is begun.
    pub(super) async fn run(&self, stack: Option<&Stack>, tasks: Tasks) -> Result<Report, StateError> {
        if let Some((node, text)) = knot(&tasks) {
            let failure = NodeFailure::new(node, "", "order", Fault::invalid(text));
            return Ok(Report { failures: vec![failure], skipped: tasks.len(), ..Report::default() });
        }
        self.reporter.event(Event::Begin { steps: tasks.len() });
        let urgency = urgency(&tasks, &|task| self.weight(task, stack));
        let mut waiting = tasks;
        let mut done: BTreeSet<Task> = BTreeSet::new();
        let mut report = Report::default();
        let mut out_of_grace = std::pin::pin!(self.out_of_grace());
        let mut running = FuturesUnordered::new();
        let mut under_way: BTreeSet<Task> = BTreeSet::new();
        loop {
            let mut ready: Vec<Task> =
                waiting.iter().filter(|(_, waits)| waits.is_subset(&done)).map(|(task, _)| task.clone()).collect();
            ready.sort_by_key(|task| std::cmp::Reverse(urgency[task]));
            let halted = !report.failures.is_empty() || self.is_halted();
            for task in ready.into_iter().filter(|_| !halted) {
                if running.len() >= self.options.parallelism.max(1) {
                    break;
                }
                waiting.remove(&task);
                under_way.insert(task.clone());
                running.push(async {
                    let ended = self.perform(stack, &task).await;
                    (task, ended)
                });
            }
            let next = tokio::select! {
                next = running.next() => next,
                () = &mut out_of_grace => break,
            };
            let Some((task, ended)) = next else { break };
            under_way.remove(&task);
            match ended {
                Ok(outcome) => {
                    // The node was told when it had the new one.
                    if !matches!(task, Task::Retire(_)) {
                        report.done.push((name_of(&task).to_owned(), outcome));
                    }
                    done.insert(task);
                }
                Err(Halt::Failed(failure)) => self.note_failure(*failure, &mut report),
                Err(Halt::Interrupted(what)) => report.left.push(what),
                Err(Halt::State(error)) => return Err(error),
            }
        }
        report.interrupted = self.stop.asked();
        report.skipped = waiting.len();
        let unanswered = |task| format!("{task}: a call without an answer yet; the next run looks for its result");
        report.left.extend(under_way.iter().map(name_of).map(unanswered));
        Ok(report)
    }

    /// A node's failure ends the run once what is under way has ended. Where AWS no longer takes the credentials nothing
    /// can be seen to its end: the first call that met with it stands for all, and of the others only what they waited
    /// for is told.
    fn note_failure(&self, failure: NodeFailure, report: &mut Report) {
        let (ask, cut) = &self.cut;
        let refused = failure.fault.class == Class::Credentials;
        if refused && let Some(reason) = self.waits.borrow().get(&failure.node) {
            report.left.push(format!("{}: {reason}", failure.node));
        }
        if refused && cut.asked() {
            return;
        }
        if refused {
            ask.send_replace(true);
        }
        self.reporter.event(Event::Failed { failure: &failure });
        report.failures.push(failure);
    }

    async fn out_of_grace(&self) {
        self.stop.wait().await;
        tokio::time::sleep(GRACE).await;
    }

    fn weight(&self, task: &Task, stack: Option<&Stack>) -> u64 {
        let state = self.state.borrow();
        let name = name_of(task);
        let kind = stack.and_then(|stack| stack.nodes.get(name)).map(|entry| entry.kind);
        let kind = kind.or_else(|| state.nodes.get(name).map(|node| node.kind.as_str()));
        let Some(Ok(kind)) = kind.map(|kind| self.kinds.get(kind)) else { return 0 };
        let wait = kind.facts().wait;
        match task {
            Task::Ensure(_)
            | Task::Rotate(_)
            | Task::Retire(_)
            | Task::Restart(_)
            | Task::Queue(..)
            | Task::Snapshot(_) => wait.usually_ready.as_secs(),
            Task::Remove(_) | Task::Clear(_) | Task::LookAgain(_) => wait.usually_gone.as_secs(),
        }
    }
}

pub(super) fn name_of(task: &Task) -> &str {
    match task {
        Task::Ensure(node)
        | Task::Remove(node)
        | Task::Clear(node)
        | Task::LookAgain(node)
        | Task::Rotate(node)
        | Task::Retire(node)
        | Task::Restart(node)
        | Task::Queue(node, _)
        | Task::Snapshot(node) => node,
    }
}
