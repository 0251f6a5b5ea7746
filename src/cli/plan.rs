//! `tapctl plan`

use std::collections::BTreeSet;

use super::context::{Context, Desk};
use super::survey::{Survey, restorable, unrecorded};
use super::{Common, Done, Error};
use crate::engine::{Inventory, awaiting, without_data};
use crate::plan::Plan;
use crate::render;
use crate::run::{choice, lost, queue, restart, settings as guard};
use crate::stack::Stack;
use crate::stacks::{onlookers, surroundings};

/// Show what apply would do, field by field.
///
/// Reads AWS and changes nothing. Exit code 0: nothing to do; 2: changes, or something needs a restart; 1: error.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(flatten)]
    pub(super) selection: Selection,
    /// Show what destroy would do instead.
    #[arg(long, conflicts_with_all = ["target", "exclude"])]
    destroy: bool,
    /// Print the plan as JSON.
    #[arg(long)]
    json: bool,
    /// Show every field of what is made, and cut no value.
    #[arg(long, conflicts_with = "json")]
    full: bool,
}

/// Which nodes a command is about.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Selection {
    /// Only this node and what it depends on; may be given more than once.
    #[arg(long, value_name = "NODE")]
    target: Vec<String>,
    /// All but this node and what depends on it; may be given more than once.
    #[arg(long, value_name = "NODE")]
    exclude: Vec<String>,
}

impl Selection {
    /// Whether nothing is left out.
    pub(super) fn is_all(&self) -> bool {
        self.target.is_empty() && self.exclude.is_empty()
    }

    pub(super) fn of(&self, stack: &Stack, context: &Context) -> Result<BTreeSet<String>, Error> {
        Ok(choice::choose(stack, &context.state, &self.target, &self.exclude)?)
    }
}

impl Args {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        if self.destroy {
            return self.destroy(desk).await;
        }
        let context = desk.connect().await?;
        if let Err(refusal) = guard::check_account(&context.state, &context.config, &context.aws.account) {
            render::note(&refusal.to_string());
        }
        let stack = context.stack().await?;
        let chosen = self.selection.of(&stack, &context)?;
        let seen = context.observe_only(&chosen, &stack, false).await?;
        let planned = context.planned(&stack, &chosen, &seen)?;
        context.refuse_out_of_reach(&planned, &stack).await?;
        let plan = planned.whole;
        self.show(&plan, &context)?;
        stack.order().into_iter().for_each(render::note);
        if self.selection.is_all() {
            let inventory = unrecorded(&context, Some(&stack), &seen).await?;
            render::findings(&inventory, &[], self.json)?;
        }
        if let Some(newcomer) = context.newcomer(&plan) {
            render::note(&newcomer.note());
        }
        let backups = restorable(&context, without_data(&plan, &context.state)).await?;
        lost::remarks(&plan, &backups).iter().for_each(|remark| render::note(remark));
        let beside = surroundings::remarks(&context.aws, &stack, &plan, &seen).await;
        beside.iter().chain(&onlookers::remarks(&context.aws, &plan).await).for_each(|remark| render::note(remark));
        queue::remarks(&seen).iter().for_each(|remark| render::note(remark));
        let awaiting = awaiting(&seen);
        restart::remarks(&awaiting).iter().for_each(|remark| render::note(remark));
        Ok(if plan.is_empty() && awaiting.is_empty() { Done::Clean } else { Done::Found(2) })
    }

    async fn destroy(self, desk: Desk) -> Result<Done, Error> {
        let place = desk.place();
        let survey = Survey::of(desk.connect().await?).await?;
        survey.show(self.json, &place)?;
        render::findings(&Inventory::default(), &survey.obstacles, self.json)?;
        render::kept(&survey.kept);
        Ok(if survey.plan.is_empty() { Done::Clean } else { Done::Found(2) })
    }

    fn show(&self, plan: &Plan, context: &Context) -> Result<(), Error> {
        match (self.json, self.full) {
            (true, _) => render::json(plan)?,
            (_, true) => render::plan_in_full(plan, &context.state)?,
            _ => render::plan(plan, &context.state)?,
        }
        Ok(())
    }
}
