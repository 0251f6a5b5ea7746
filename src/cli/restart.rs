//! `tapctl restart`

use std::collections::BTreeSet;

use super::context::{Context, Desk};
use super::run::{Effort, conclude, confirm};
use super::stop::Stopper;
use super::{Common, Done, Error};
use crate::engine::{Engine, Scope, observe};
use crate::plan::Observations;
use crate::render;
use crate::run::restart;
use crate::state::Writer;

/// Restart databases, so that all of their settings are in force.
///
/// One after the other, the readers of a cluster before its writer, each away for a minute or so. Without a failover: after
/// one AWS would go on with the old parameters.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// What to restart: a database, or a cluster with all of its members.
    #[arg(value_name = "NODE", required = true)]
    nodes: Vec<String>,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    #[command(flatten)]
    effort: Effort,
}

impl Args {
    pub(super) async fn run(self, stopper: &Stopper) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let wait = self.effort.lock_wait();
        desk.locked_within(wait, stopper, "restart", async |desk, writer| self.restart(desk, writer, stopper).await)
            .await
    }

    async fn restart(self, desk: Desk, writer: &Writer, stopper: &Stopper) -> Result<Done, Error> {
        stopper.when_lost(writer.lost());
        let context = stopper.unless_asked(desk.connect_as(writer, |_, _| Ok(()))).await?;
        let restarts = |kind: &str| context.kinds.get(kind).is_ok_and(|kind| kind.facts().restarts);
        let meant = restart::meant(&self.nodes, &context.state, &restarts)?;
        let order = stopper.unless_asked(in_turn(&context, &meant)).await?;
        render::note(&format!("restarts {}, one after the other; each is away for a minute or so", order.join(", ")));
        confirm(stopper, self.yes, "Restart them?").await?;
        let settings = &context.config.engine;
        let options = self.effort.options(settings, false);
        stopper.after(self.effort.limit(settings));
        let progress = render::Progress::start();
        let Context { aws, kinds, state, pass, .. } = context;
        let seen = Observations::default();
        let engine = Engine::new(&aws, &kinds, writer, &progress, options, stopper.stop(), state, pass, seen);
        let report = engine.restart(&order).await?;
        progress.finish();
        conclude(report, stopper)
    }
}

/// The nodes in the order in which they are restarted: what leads others is told by AWS alone.
async fn in_turn(context: &Context, meant: &BTreeSet<String>) -> Result<Vec<String>, Error> {
    let scope = Scope { only: Some(meant), ..context.scope(false) };
    let seen = observe(&scope, None, &context.state).await.map_err(Error::Nodes)?;
    Ok(restart::in_turn(&seen))
}
