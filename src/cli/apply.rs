//! `tapctl apply`

use std::cell::Cell;
use std::collections::BTreeSet;

use super::context::{Context, Desk};
use super::plan::Selection;
use super::run::{Effort, conclude, confirm};
use super::stop::Stopper;
use super::{Common, Done, Error};
use crate::engine::Engine;
use crate::plan::{Observations, Plan, plan};
use crate::render;
use crate::run::{choice, loss, outage, settings as guard, teardown};
use crate::stack::Stack;
use crate::stacks::{Recorded, onlookers, quotas, surroundings};
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
    /// Let this node's data be lost by a replacement or removal; may be given more than once.
    #[arg(long, value_name = "NODE")]
    allow_data_loss: Vec<String>,
    /// Let what stands be out of service for a while, where a change cannot be made without.
    #[arg(long)]
    allow_outage: bool,
    /// Let the URL, address, key, name or logs of this node be lost; may be given more than once.
    #[arg(long, value_name = "NODE")]
    allow_loss: Vec<String>,
    #[command(flatten)]
    effort: Effort,
}

/// Writes down what guards the environment, where that is not known yet.
async fn remember(writer: &Writer, state: &mut State, settings: Settings) -> Result<(), StateError> {
    if state.settings.as_ref() == Some(&settings) {
        return Ok(());
    }
    state.settings = Some(settings);
    writer.put(state).await
}

/// What there is to do, and what that was told from.
struct Todo {
    context: Context,
    stack: Stack,
    plan: Plan,
    chosen: BTreeSet<String>,
    seen: Observations,
}

impl Args {
    pub(super) async fn run(mut self, stopper: &Stopper) -> Result<Done, Error> {
        let moved = Cell::new(false);
        let done = self.once(stopper, &moved).await?;
        if !moved.get() {
            return Ok(done);
        }
        render::note("the tasks listen on another port now; what let their old one through goes");
        self.yes = true;
        self.once(stopper, &moved).await
    }

    async fn once(&self, stopper: &Stopper, moved: &Cell<bool>) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let wait = self.effort.lock_wait();
        desk.locked_within(wait, stopper, "apply", async |desk, writer| {
            self.converge(desk, writer, stopper, moved).await
        })
        .await
    }

    /// `moved` tells whether tasks have left a port that rules still let through.
    async fn converge(
        &self,
        desk: Desk,
        writer: &Writer,
        stopper: &Stopper,
        moved: &Cell<bool>,
    ) -> Result<Done, Error> {
        stopper.when_lost(writer.lost());
        let todo = stopper.unless_asked(self.prepare(desk, writer)).await?;
        if !todo.plan.is_empty() {
            let new = todo.context.newcomer(&todo.plan).map(|newcomer| format!("{} is new. ", newcomer.env));
            confirm(stopper, self.yes, &format!("{}Make these changes?", new.unwrap_or_default())).await?;
        }
        self.execute(todo, writer, stopper, moved).await
    }

    /// Everything up to the question whether to go ahead. Changes nothing in AWS.
    async fn prepare(&self, desk: Desk, writer: &Writer) -> Result<Todo, Error> {
        let context = desk.connect_as(writer, |_, _| Ok(())).await?;
        guard::check_account(&context.state, &context.config, &context.aws.account)?;
        let stack = context.stack().await?;
        let chosen = self.selection.of(&stack, &context)?;
        choice::known("--allow-data-loss", &self.allow_data_loss, &stack, &context.state)?;
        let seen = context.observe_only(&chosen, &stack, self.adopt).await?;
        let guarded = teardown::guarded(&seen);
        guard::check_guarded(&context.state, &context.config, self.common.without_file(), &guarded)?;
        let facts = |kind: &str| context.kinds.get(kind).map(|kind| kind.facts());
        let plan = plan(&stack, &context.state, &seen, &facts)?.only(&chosen);
        context.refuse_out_of_reach(&plan, &stack, &chosen)?;
        render::plan(&plan, &context.state)?;
        loss::refuse(&plan, &loss::Allowed { data: &self.allow_data_loss, precious: &self.allow_loss })?;
        outage::refuse(&plan, self.allow_outage).map_or(Ok(()), Err)?;
        if let Some(newcomer) = context.newcomer(&plan) {
            render::note(&newcomer.note());
            if self.yes && !self.new_env {
                newcomer.refuse_unnamed(&context.config.environments)?;
            }
        }
        surroundings::check(&context.aws, &context.config, &plan).await?;
        let beside = surroundings::remarks(&context.aws, &stack, &plan, &seen).await;
        beside.iter().chain(&onlookers::remarks(&context.aws, &plan).await).for_each(|remark| render::note(remark));
        if let Some(remark) = quotas::check(&context.aws, &stack, &plan).await? {
            render::note(&remark);
        }
        Ok(Todo { context, stack, plan, chosen, seen })
    }

    async fn execute(&self, todo: Todo, writer: &Writer, stopper: &Stopper, moved: &Cell<bool>) -> Result<Done, Error> {
        let Todo { context, stack, plan, chosen, seen } = todo;
        let port = context.config.service.port;
        let leaves = Recorded::of(&context.state, &context.config).ports.iter().any(|old| *old != port);
        let settings = &context.config.engine;
        let options = self.effort.options(settings, self.adopt);
        stopper.after(self.effort.limit(settings));
        let now = guard::of(&context.config);
        let progress = render::Progress::start();
        let Context { aws, kinds, mut state, pass, .. } = context;
        let under_way = guard::under_way(state.settings.as_ref(), &now);
        remember(writer, &mut state, under_way).await?;
        let engine = Engine::new(&aws, &kinds, writer, &progress, options, stopper.stop(), state, pass, seen);
        let report = engine.apply(&stack, &plan, &chosen).await?;
        progress.finish();
        let mut state = engine.into_state();
        if report.is_complete() && self.selection.is_all() {
            remember(writer, &mut state, now).await?;
        }
        moved.set(leaves && report.is_complete() && self.selection.is_all());
        let done = conclude(report, stopper)?;
        if !moved.get() {
            render::outputs(&state.outputs)?;
        }
        Ok(done)
    }
}
