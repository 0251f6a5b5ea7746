//! `tapctl destroy`

use super::context::{Context, Desk};
use super::run::{Effort, conclude, confirm};
use super::stop::Stopper;
use super::{Common, Done, Error};
use crate::config::Config;
use crate::engine::Engine;
use crate::plan::{Observations, Plan, plan_destroy};
use crate::render;
use crate::run::{loss, settings as guard};
use crate::state::{State, Writer};

/// Remove everything the stack has in this environment, dependents first.
///
/// Works from the recorded state alone. Leaves only what AWS keeps by law of its own, and lists that.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    /// For a protected environment: its full name, as student-records-prod.
    #[arg(long, value_name = "STACK-ENV")]
    confirm: Option<String>,
    #[command(flatten)]
    effort: Effort,
}

impl Args {
    pub(super) async fn run(self, stopper: &Stopper) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let wait = self.effort.lock_wait();
        desk.locked_within(wait, stopper, "destroy", async |desk, writer| self.take_down(desk, writer, stopper).await)
            .await
    }

    async fn take_down(self, desk: Desk, writer: &Writer, stopper: &Stopper) -> Result<Done, Error> {
        stopper.when_lost(writer.lost());
        let (context, plan, seen) = stopper.unless_asked(self.prepare(desk, writer)).await?;
        if plan.is_empty() {
            return Ok(Done::Clean);
        }
        confirm(stopper, self.yes, "Remove all of this?").await?;
        let remains = remains(&context);
        let chosen = context.state.nodes.keys().cloned().collect();
        let settings = &context.config.engine;
        let options = self.effort.options(settings, false);
        stopper.after(self.effort.limit(settings));
        let progress = render::Progress::start();
        let Context { aws, kinds, state, pass, .. } = context;
        let engine = Engine::new(&aws, &kinds, writer, &progress, options, stopper.stop(), state, pass, seen);
        let report = engine.destroy(&chosen).await?;
        progress.finish();
        let done = conclude(report, stopper)?;
        render::remains(&remains);
        Ok(done)
    }

    /// Everything up to the question whether to go ahead. Changes nothing in AWS.
    async fn prepare(&self, desk: Desk, writer: &Writer) -> Result<(Context, Plan, Observations), Error> {
        let confirmed =
            |state: Option<&State>, config: &Config| guard::check_confirmed(state, config, self.confirm.as_deref());
        let context = desk.connect_as(writer, confirmed).await?;
        let seen = context.observe(None, false).await?;
        let facts = |kind: &str| context.kinds.get(kind).map(|kind| kind.facts());
        let plan = plan_destroy(&context.state, &seen, &facts)?;
        render::plan(&plan, &context.state)?;
        for lost in loss::precious(&plan) {
            render::note(&format!("this cannot be had again: {lost}"));
        }
        Ok((context, plan, seen))
    }
}

/// What AWS will keep of the recorded objects after they are deleted.
fn remains(context: &Context) -> Vec<String> {
    let nodes = context.state.nodes.iter();
    nodes
        .filter_map(|(name, node)| {
            let left = context.kinds.get(&node.kind).ok()?.remains(&node.spec)?;
            Some(format!("{name} {}: {left}", node.id.as_deref().unwrap_or_default()))
        })
        .collect()
}
