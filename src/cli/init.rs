//! `tapctl init`

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use super::{Done, Error};
use crate::config::TEMPLATE;
use crate::render;

/// Write a tapctl.toml that shows every setting with its default, all commented out.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to write.
    #[arg(default_value = "tapctl.toml", value_name = "FILE")]
    file: PathBuf,
    /// Replace a file that is there.
    #[arg(long)]
    force: bool,
}

impl Args {
    pub(super) fn run(self) -> Result<Done, Error> {
        let mut options = OpenOptions::new();
        options.write(true);
        match self.force {
            true => options.create(true).truncate(true),
            false => options.create_new(true),
        };
        let name = self.file.display();
        let mut file = options.open(&self.file).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => {
                Error::refused(format!("{name} is there already"), "add --force to replace it, or name another file")
            }
            _ => Error::refused(format!("{name} cannot be written: {error}"), "name a file in a directory of yours"),
        })?;
        file.write_all(TEMPLATE.as_bytes())?;
        render::note(&format!("{name} written; every setting is commented out and shows its default"));
        Ok(Done::Clean)
    }
}
