//! `tapctl apply`

use std::collections::BTreeSet;

use super::context::{Context, Desk};
use super::plan::Selection;
use super::run::{Effort, conclude, confirm};
use super::{Common, Done, Error};
use crate::engine::Engine;
use crate::plan::{Plan, plan};
use crate::render;
use crate::stacks::quotas;
use crate::state::Writer;

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
    /// Take over objects that have this stack's names but not its ownership tags.
    #[arg(long)]
    adopt: bool,
    /// Let this node's data be lost by a replacement or removal; may be given more than once.
    #[arg(long, value_name = "NODE")]
    allow_data_loss: Vec<String>,
    #[command(flatten)]
    effort: Effort,
}

impl Args {
    pub(super) async fn run(self) -> Result<Done, Error> {
        Desk::open(&self.common)?.locked("apply", async |desk, writer| self.converge(desk, writer).await).await
    }

    async fn converge(self, desk: Desk, writer: &Writer) -> Result<Done, Error> {
        let context = desk.connect_as(writer).await?;
        let stack = context.stack().await?;
        let chosen = self.selection.of(&stack, &context)?;
        let seen = context.observe_only(&chosen, &stack, self.adopt).await?;
        let facts = |kind: &str| context.kinds.get(kind).map(|kind| kind.facts());
        let plan = plan(&stack, &context.state, &seen, &facts)?.only(&chosen);
        render::plan(&plan, &context.state)?;
        self.refuse_data_loss(&plan)?;
        if let Some(remark) = quotas::check(&context.aws, &stack, &plan).await? {
            render::note(&remark);
        }
        if !plan.is_empty() {
            confirm(self.yes, "Make these changes?").await?;
        }
        self.execute(context, writer, &stack, &plan, &chosen, seen).await
    }

    async fn execute(
        self,
        context: Context,
        writer: &Writer,
        stack: &crate::stack::Stack,
        plan: &Plan,
        chosen: &BTreeSet<String>,
        seen: crate::plan::Observations,
    ) -> Result<Done, Error> {
        let settings = &context.config.engine;
        let options = self.effort.options(settings, self.adopt);
        let stop = self.effort.stop(settings, writer)?;
        let progress = render::Progress::start();
        let Context { aws, kinds, state, pass, .. } = context;
        let engine = Engine::new(&aws, &kinds, writer, &progress, options, stop, state, pass, seen);
        let report = engine.apply(stack, plan, chosen).await?;
        progress.finish();
        let done = conclude(report)?;
        render::outputs(&engine.into_state().outputs)?;
        Ok(done)
    }

    fn refuse_data_loss(&self, plan: &Plan) -> Result<(), Error> {
        let lost: Vec<&str> = plan
            .steps
            .iter()
            .filter(|step| step.stateful && step.action.destroys() && !self.allow_data_loss.contains(&step.node))
            .map(|step| step.node.as_str())
            .collect();
        if lost.is_empty() {
            return Ok(());
        }
        let flags: Vec<String> = lost.iter().map(|node| format!("--allow-data-loss {node}")).collect();
        Err(Error::refused(
            format!("this plan would lose the data of {}; nothing was changed", lost.join(", ")),
            format!("if that is meant, add {}", flags.join(" ")),
        ))
    }
}
