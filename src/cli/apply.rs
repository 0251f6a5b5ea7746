//! `tapctl apply`

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::context::{Context, Desk, Planned};
use super::plan::Selection;
use super::run::{Effort, conclude, confirm};
use super::stop::Stopper;
use super::survey::restorable;
use super::{Common, Done, Error};
use crate::aws::Aws;
use crate::engine::{Awaiting, Engine, Options, Report, awaiting, without_data};
use crate::plan::Observations;
use crate::render;
use crate::resource::Queue;
use crate::run::{choice, loss, lost, one_way, outage, queue, restart, settings as guard, teardown};
use crate::stack::Stack;
use crate::stacks::{onlookers, quotas, surroundings};
use crate::state::{Settings, State, StateError, Writer};

/// Make AWS like the stack: plan, show, ask, converge.
///
/// A rerun changes nothing; an interrupted run goes on; what left the stack is removed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    selection: Selection,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    /// Make an environment of which nothing is there yet; without it, --yes makes only those that tapctl.toml names.
    #[arg(long)]
    new_env: bool,
    /// Take over objects that have this stack's names but not its ownership tags.
    #[arg(long)]
    adopt: bool,
    /// Let this node's data be lost by a replacement, a removal or a shorter retention; may be given more than once.
    #[arg(long, value_name = "NODE")]
    allow_data_loss: Vec<String>,
    /// Let this node go to another major version, from which AWS never goes back; may be given more than once.
    #[arg(long, value_name = "NODE")]
    allow_major: Vec<String>,
    /// Make this node anew, without the data it had, where it is lost; may be given more than once.
    #[arg(long, value_name = "NODE")]
    recreate: Vec<String>,
    /// Let what stands be out of service for a while, where a change cannot be made without.
    #[arg(long)]
    allow_outage: bool,
    /// Let the URL, address, key, name or logs of this node be lost; may be given more than once.
    #[arg(long, value_name = "NODE")]
    allow_loss: Vec<String>,
    /// Restart the databases that need it for all of their settings to be in force, readers first.
    #[arg(long)]
    allow_restart: bool,
    /// Carry out now what others asked for of this node, and what waits for its maintenance window; may be given more than
    /// once.
    #[arg(long, value_name = "NODE")]
    apply_pending: Vec<String>,
    /// Take back what others asked for of this node, and what waits for its maintenance window; may be given more than once.
    #[arg(long, value_name = "NODE")]
    cancel_pending: Vec<String>,
    #[command(flatten)]
    effort: Effort,
}

/// Each turn leads to another one, or the settings ask for what cannot be.
const MOST_TURNS: usize = 6;

/// Writes down what guards the environment, where that is not known yet.
async fn remember(writer: &Writer, state: &mut State, settings: Settings) -> Result<(), StateError> {
    if state.settings.as_ref() == Some(&settings) {
        return Ok(());
    }
    state.settings = Some(settings);
    writer.put(state).await
}

/// Lets what was changed take effect before what it was changed for goes on.
async fn settle(stopper: &Stopper, options: &Options) -> Result<(), Error> {
    render::note(&format!("AWS is given {} s until the change holds everywhere", options.unmoved().as_secs()));
    stopper
        .unless_asked(async {
            options.give_time().await;
            Ok(())
        })
        .await
}

/// What there is to do, and what that was told from.
struct Todo {
    context: Context,
    stack: Stack,
    planned: Planned,
    seen: Observations,
    queues: BTreeMap<String, Queue>,
}

impl Args {
    pub(super) async fn run(mut self, stopper: &Stopper) -> Result<Done, Error> {
        let turn = RefCell::new(None);
        let mut done = self.once(stopper, &turn).await?;
        for _ in 1..MOST_TURNS {
            let Some(then) = turn.take() else { break };
            render::note(&then);
            self.yes = true;
            done = self.once(stopper, &turn).await?;
        }
        match turn.take() {
            None => Ok(done),
            Some(then) => Err(Error::refused(
                format!("after {MOST_TURNS} turns there is still one to come: {then}"),
                "`tapctl plan` shows what is left to do",
            )),
        }
    }

    async fn once(&self, stopper: &Stopper, turn: &RefCell<Option<String>>) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let wait = self.effort.lock_wait();
        desk.locked_within(wait, stopper, "apply", async |desk, writer| {
            self.converge(desk, writer, stopper, turn).await
        })
        .await
    }

    /// `turn` is given what is said before the next turn, where this was not all.
    async fn converge(
        &self,
        desk: Desk,
        writer: &Writer,
        stopper: &Stopper,
        turn: &RefCell<Option<String>>,
    ) -> Result<Done, Error> {
        stopper.when_lost(writer.lost());
        let todo = stopper.unless_asked(self.prepare(desk, writer)).await?;
        if !todo.planned.whole.is_empty() {
            let new = todo.context.newcomer(&todo.planned.whole).map(|newcomer| format!("{} is new. ", newcomer.env));
            confirm(stopper, self.yes, &format!("{}Make these changes?", new.unwrap_or_default())).await?;
        }
        self.execute(todo, writer, stopper, turn).await
    }

    /// Everything up to the question whether to go ahead. Changes nothing in AWS.
    async fn prepare(&self, desk: Desk, writer: &Writer) -> Result<Todo, Error> {
        let mut context = desk.connect_as(writer, |_, _| Ok(())).await?;
        guard::check_account(&context.state, &context.config, &context.aws.account)?;
        let stack = context.stack().await?;
        let chosen = self.selection.of(&stack, &context)?;
        choice::known("--allow-data-loss", &self.allow_data_loss, &stack, &context.state)?;
        choice::known("--allow-major", &self.allow_major, &stack, &context.state)?;
        choice::known("--recreate", &self.recreate, &stack, &context.state)?;
        choice::known("--apply-pending", &self.apply_pending, &stack, &context.state)?;
        choice::known("--cancel-pending", &self.cancel_pending, &stack, &context.state)?;
        let seen = context.observe_only(&chosen, &stack, self.adopt).await?;
        let guarded = teardown::guarded(&seen);
        guard::check_guarded(&context.state, &context.config, self.common.without_file(), &guarded)?;
        let facts = |kind: &str| context.kinds.get(kind).map(|kind| kind.facts());
        lost::give_up(&mut context.state, &self.recreate, &chosen, &seen, &facts)?;
        let planned = context.planned(&stack, &chosen, &seen)?;
        let plan = &planned.whole;
        context.refuse_out_of_reach(&planned, &stack).await?;
        render::plan(plan, &context.state)?;
        stack.order().into_iter().for_each(render::note);
        let backups = restorable(&context, without_data(plan, &context.state)).await?;
        lost::refuse(plan, &context.state, &backups)?;
        loss::refuse(plan, &loss::Allowed { data: &self.allow_data_loss, precious: &self.allow_loss })?;
        one_way::refuse(plan, &self.allow_major)?;
        outage::refuse(plan, self.allow_outage).map_or(Ok(()), Err)?;
        let queues = queue::orders(&self.apply_pending, &self.cancel_pending, &stack, &seen)?;
        queue::refuse(plan, &seen, &queues, &facts)?.map_or(Ok(()), Err)?;
        if let Some(newcomer) = context.newcomer(plan) {
            render::note(&newcomer.note());
            if self.yes && !self.new_env {
                newcomer.refuse_unnamed(&context.config.environments)?;
            }
        }
        lost::remarks(plan, &backups).iter().for_each(|remark| render::note(remark));
        queue::remarks(&seen).iter().for_each(|remark| render::note(remark));
        if !self.allow_restart {
            restart::remarks(&awaiting(&seen)).iter().for_each(|remark| render::note(remark));
        }
        surroundings::check(&context.aws, &context.config, plan).await?;
        let beside = surroundings::remarks(&context.aws, &stack, plan, &seen).await;
        beside.iter().chain(&onlookers::remarks(&context.aws, plan).await).for_each(|remark| render::note(remark));
        if let Some(remark) = quotas::check(&context.aws, &stack, plan).await? {
            render::note(&remark);
        }
        Ok(Todo { context, stack, planned, seen, queues })
    }

    async fn execute(
        &self,
        todo: Todo,
        writer: &Writer,
        stopper: &Stopper,
        turn: &RefCell<Option<String>>,
    ) -> Result<Done, Error> {
        let Todo { context, stack, planned: Planned { now: plan, chosen, .. }, seen, queues } = todo;
        let settings = &context.config.engine;
        let options = self.effort.options(settings, self.adopt);
        stopper.after(self.effort.limit(settings));
        let now = guard::of(&context.config);
        let progress = render::Progress::start();
        let Context { aws, kinds, mut state, pass, .. } = context;
        let under_way = guard::under_way(state.settings.as_ref(), &now);
        remember(writer, &mut state, under_way).await?;
        // Where nothing is done, nothing has come to await a restart since.
        let known = (plan.is_empty() && queues.is_empty()).then(|| awaiting(&seen));
        let engine = Engine::new(&aws, &kinds, writer, &progress, options.clone(), stopper.stop(), state, pass, seen);
        let mut report = engine.settle_queues(&queues).await?;
        if report.is_complete() {
            report.extend(engine.apply(&stack, &plan, &chosen).await?);
        }
        let awaiting = match stack.turn {
            None => self.restart(&engine, &mut report, &chosen, known).await?,
            Some(_) => Vec::new(),
        };
        progress.finish();
        let mut state = engine.into_state();
        let is_whole = report.is_complete() && self.selection.is_all();
        let next = stack.turn.filter(|_| is_whole);
        if is_whole && next.is_none() {
            remember(writer, &mut state, now).await?;
        }
        let done = conclude(report, stopper)?;
        match &next {
            None => render::outputs(&state.outputs)?,
            Some(next) if next.settles => settle(stopper, &options).await?,
            Some(_) => {}
        }
        turn.replace(next.map(|next| next.then));
        restart::remarks(&awaiting).iter().for_each(|remark| render::note(&format!("all is done, but {remark}")));
        Ok(if awaiting.is_empty() { done } else { Done::Found(2) })
    }

    /// Restarts what awaits it, where that is allowed. Tells what awaits it still. What that is is asked of AWS, unless it is
    /// known.
    async fn restart(
        &self,
        engine: &Engine<'_, Aws>,
        report: &mut Report,
        chosen: &BTreeSet<String>,
        known: Option<Vec<Awaiting>>,
    ) -> Result<Vec<Awaiting>, Error> {
        if !report.is_complete() || report.interrupted {
            return Ok(Vec::new());
        }
        let waiting = match known {
            Some(known) => known,
            None => awaiting(&engine.restartable(chosen).await.map_err(Error::Nodes)?),
        };
        if !self.allow_restart || waiting.is_empty() {
            return Ok(waiting);
        }
        let nodes: Vec<String> = waiting.into_iter().map(|one| one.node).collect();
        report.extend(engine.restart(&nodes).await?);
        Ok(Vec::new())
    }
}
