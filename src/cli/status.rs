//! `tapctl status`

use super::context::Desk;
use super::survey::{in_the_way, unrecorded};
use super::{Common, Done, Error};
use crate::engine::awaiting;
use crate::render;
use crate::resource::Phase;
use crate::run::{queue, restart};
use crate::stacks::{outdated, surroundings};

/// Show every node: phase, id and age, and the outputs.
///
/// Exit code 0 only if everything is ready; 2 if something is not, or needs a restart; 1: error.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
    /// Cut no value, however narrow the terminal.
    #[arg(long)]
    full: bool,
}

impl Args {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let context = Desk::open(&self.common)?.connect().await?;
        let seen = context.observe(None, false).await?;
        for (node, live) in seen.iter().filter_map(|(node, live)| Some((node, live.as_ref()?))) {
            for id in &live.duplicates {
                render::note(&format!(
                    "{node}: {id} carries its tags too, besides {}; `tapctl plan` shows it",
                    live.id
                ));
            }
        }
        let rows: Vec<render::StatusRow> = context
            .state
            .nodes
            .iter()
            .map(|(name, node)| {
                let live = seen.get(name).and_then(Option::as_ref);
                let restart = live.and_then(|live| live.besides.restart.as_ref());
                let (phase, reason) = match live.map(|live| &live.phase) {
                    None => ("missing", None),
                    Some(Phase::Ready) => ("ready", restart.map(|it| format!("{} await a restart", it.what))),
                    Some(Phase::Pending(reason)) => ("pending", Some(reason.clone())),
                    Some(Phase::Deleting) => ("deleting", None),
                    Some(Phase::Failed(reason)) => ("failed", Some(reason.clone())),
                };
                render::StatusRow {
                    node: name.clone(),
                    kind: node.kind.clone(),
                    phase,
                    reason,
                    id: live.map(|live| live.id.clone()).or_else(|| node.id.clone()),
                    created: node.created,
                }
            })
            .collect();
        let awaiting = awaiting(&seen);
        let all_ready = !rows.is_empty() && rows.iter().all(|row| row.phase == "ready") && awaiting.is_empty();
        let inventory = unrecorded(&context, None, &seen).await?;
        let obstacles = in_the_way(&context, &seen, &inventory).await?;
        render::status(&rows, &context.state, &inventory, &obstacles, self.json, self.full)?;
        let beside = surroundings::of_what_stands(&context.aws, &context.state, &seen).await;
        let outdated = outdated::remarks(&context.aws, &context.state).await;
        let told = [beside, outdated, queue::remarks(&seen), restart::remarks(&awaiting)];
        told.iter().flatten().for_each(|remark| render::note(remark));
        if !self.json {
            render::findings(&inventory, &obstacles, false)?;
        }
        Ok(if all_ready { Done::Clean } else { Done::Found(2) })
    }
}
