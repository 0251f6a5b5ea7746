//! `tapctl outputs`

use super::context::Desk;
use super::{Common, Done, Error};
use crate::names;
use crate::render;

/// Print the outputs of the last complete apply. Reads the state only.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// Print as one flat JSON object.
    #[arg(long)]
    json: bool,
    /// Print only this output's value.
    name: Option<String>,
}

impl Args {
    pub(super) async fn run(self) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let outputs = desk.recorded().await?.map(|state| state.outputs).unwrap_or_default();
        if outputs.is_empty() {
            let text = format!("no outputs are recorded for {} {}", desk.config.stack.as_str(), desk.config.env);
            return Err(Error::refused(text, "run apply first, or name the directory of the state with --state-dir"));
        }
        match self.name {
            Some(name) => {
                let value = outputs.get(&name).ok_or_else(|| {
                    let known: Vec<&str> = outputs.keys().map(String::as_str).collect();
                    let meant = names::suggestion(&name, known.iter().copied());
                    Error::refused(
                        format!("there is no output {name}{meant}"),
                        format!("there are {}", known.join(", ")),
                    )
                })?;
                render::line(value.as_str().map_or_else(|| value.to_string(), str::to_owned))?;
            }
            None if self.json => render::json(&outputs)?,
            None => render::outputs(&outputs)?,
        }
        Ok(Done::Clean)
    }
}
