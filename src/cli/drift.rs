//! `tapctl drift`

use clap::ValueEnum;

use super::context::{Context, Desk};
use super::survey::{in_the_way, restorable, unrecorded};
use super::{Common, Done, Error};
use crate::engine::{Drifted, Repair, drift_of};
use crate::render;
use crate::run::lost;
use crate::stacks::surroundings;

/// Compare what is live with what was last applied, field by field.
///
/// Tells as well what carries the environment's tags and stands in no record, and what others have made that would stop a
/// destroy. Needs read permissions and the state file only. Exit code 0: no drift; 2: drift; 1: error.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// The same as --format json.
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// Cut no value, however narrow the terminal.
    #[arg(long)]
    full: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Args {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let context = Desk::open(&self.common)?.connect().await?;
        if context.state.nodes.is_empty() {
            return Err(Error::refused(
                format!("nothing is recorded for {} {}", context.state.stack, context.state.env),
                "run apply first, or name the directory of the state with --state-dir",
            ));
        }
        let seen = context.observe(None, false).await?;
        let drifted = drift_of(&context.scope(false), &context.state, &seen).map_err(Error::Nodes)?;
        let inventory = unrecorded(&context, None, &seen).await?;
        let obstacles = in_the_way(&context, &seen, &inventory).await?;
        remark_lost(&context, &drifted).await?;
        let beside = surroundings::of_what_stands(&context.aws, &context.state, &seen).await;
        beside.iter().for_each(|remark| render::note(remark));
        if self.json || self.format == Format::Json {
            render::drift_json(&drifted, &inventory, &obstacles)?;
        } else {
            render::drift(&drifted, context.state.nodes.len(), self.full)?;
            render::findings(&inventory, &obstacles, false)?;
        }
        let is_clean = drifted.is_empty() && render::count_unrecorded(&inventory) == 0 && obstacles.is_empty();
        Ok(if is_clean { Done::Clean } else { Done::Found(2) })
    }
}

/// Tells what the stores that are gone could be restored from.
async fn remark_lost(context: &Context, drifted: &[Drifted]) -> Result<(), Error> {
    let gone: Vec<&str> =
        drifted.iter().filter(|one| one.repair == Repair::Lost).map(|one| one.node.as_str()).collect();
    let bare =
        gone.iter().filter_map(|name| context.state.nodes.get(*name).map(|node| (*name, &*node.kind, &node.spec)));
    let backups = restorable(context, bare.collect()).await?;
    lost::of_lost(gone, &backups).iter().for_each(|remark| render::note(remark));
    Ok(())
}
