//! `tapctl drift`

use clap::ValueEnum;

use super::context::Desk;
use super::{Common, Done, Error};
use crate::engine::drift;
use crate::render;

/// Compare what is live with what was last applied, field by field.
///
/// Needs read permissions and the state file only. Exit code 0: no drift; 2: drift; 1: error.
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
        let drifted = drift(&context.scope(false), &context.state).await.map_err(Error::Nodes)?;
        match self.json || self.format == Format::Json {
            true => render::json(&drifted)?,
            false => render::drift(&drifted, context.state.nodes.len(), self.full)?,
        }
        Ok(if drifted.is_empty() { Done::Clean } else { Done::Found(2) })
    }
}
