//! `tapctl backups`

use jiff::Timestamp;

use super::context::{Context, Desk};
use super::{Common, Done, Error};
use crate::engine::holdings;
use crate::render;
use crate::run::ways_back;

/// Show what each store could be brought back to, and how old that is.
///
/// Of every database, cache and file system: the time that one can go back to, snapshots and recovery points, with the state
/// of the key that they can only be read with; of other stores what there is instead; and what is kept of stores that are
/// gone. Reads only. Exit code 0; 2: the environment is protected, and to one of these there is no way back younger than
/// backup.max_age; 1: error.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// Only of this node.
    node: Option<String>,
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
        let node = self.node.as_deref();
        let found = holdings(&context.scope(false), &context.state, node).await.map_err(Error::Nodes)?;
        node.map_or(Ok(()), |node| ways_back::check_node(node, &found, &context.state))?;
        let wanted = wanted(&context);
        let old = ways_back::without_young(&found, wanted.longest, wanted.now);
        match self.json {
            true => render::backups_json(&found, &old, &context.state, wanted)?,
            false => {
                let backed_up = ways_back::backed_up(&found).count();
                render::backups(&found, backed_up, &old, &context.state, wanted, self.full)?;
            }
        }
        Ok(if wanted.protected && !old.is_empty() { Done::Found(2) } else { Done::Clean })
    }
}

/// An environment that was protected by its last apply is so whatever the settings say since.
fn wanted(context: &Context) -> render::Wanted<'_> {
    let backup = &context.config.backup;
    let recorded = context.state.settings.as_ref().is_some_and(|settings| settings.protect);
    render::Wanted {
        said: &backup.max_age,
        longest: backup.longest(),
        protected: context.config.protect || recorded,
        now: Timestamp::try_from(context.aws.now()).unwrap_or_else(|_| Timestamp::now()),
    }
}
