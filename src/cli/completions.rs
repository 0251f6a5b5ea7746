//! `tapctl completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Done, Error};

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Error> {
        clap_complete::generate(self.shell, &mut Cli::command(), "tapctl", &mut std::io::stdout());
        Ok(Done::Clean)
    }
}
