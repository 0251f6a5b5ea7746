//! `tapctl completions`

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Cli, Done, Error};
use crate::render;

/// Print a completion script for a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Error> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "tapctl", &mut script);
        render::line(String::from_utf8_lossy(&script).trim_end())?;
        Ok(Done::Clean)
    }
}
