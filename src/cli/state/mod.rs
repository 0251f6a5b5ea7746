//! `tapctl state`

mod look;
mod mend;
mod unlock;

use clap::Subcommand;

use super::{Common, Done, Error};

/// Look into the recorded state, and mend it. Never asks AWS.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(look::List),
    Show(look::Show),
    Pull(look::Pull),
    Push(mend::Push),
    Rm(mend::Rm),
    Restore(mend::Restore),
    Unlock(unlock::Unlock),
}

impl Args {
    pub(super) async fn run(self) -> Result<Done, Error> {
        match self.command {
            Command::List(args) => args.run().await,
            Command::Show(args) => args.run().await,
            Command::Pull(args) => args.run().await,
            Command::Push(args) => args.run().await,
            Command::Rm(args) => args.run().await,
            Command::Restore(args) => args.run().await,
            Command::Unlock(args) => args.run().await,
        }
    }

    pub(super) fn common(&self) -> &Common {
        match &self.command {
            Command::List(args) => &args.common,
            Command::Show(args) => &args.common,
            Command::Pull(args) => &args.common,
            Command::Push(args) => &args.common,
            Command::Rm(args) => &args.common,
            Command::Restore(args) => &args.common,
            Command::Unlock(args) => &args.common,
        }
    }
}
