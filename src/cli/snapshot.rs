//! `tapctl snapshot`

use jiff::Timestamp;

use super::context::{Context, Desk};
use super::run::{Effort, conclude};
use super::stop::Stopper;
use super::{Common, Done, Error};
use crate::config::Config;
use crate::engine::{Engine, Snapshot, find_snapshot};
use crate::plan::Observations;
use crate::run::{Refusal, snapshot};
use crate::state::{State, Writer};
use crate::{render, resources};

/// Take a snapshot of a database or a cache, and wait until it is there.
///
/// It carries the tags of what it is of, and stays whatever becomes of that: `destroy` leaves it, and names it. Interrupted,
/// the next run goes on with the same one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// The database or the cache.
    node: String,
    /// What it is called; by default after the database or the cache, and the time.
    #[arg(long, value_name = "NAME", value_parser = name, allow_hyphen_values = true)]
    name: Option<String>,
    /// Print as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    effort: Effort,
}

fn name(text: &str) -> Result<String, String> {
    match snapshot::is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("allowed: {}", snapshot::ALLOWED)),
    }
}

impl Args {
    pub(super) async fn run(self, stopper: &Stopper) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let wait = self.effort.lock_wait();
        desk.locked_within(wait, stopper, "snapshot", async |desk, writer| self.take(desk, writer, stopper).await).await
    }

    async fn take(self, desk: Desk, writer: &Writer, stopper: &Stopper) -> Result<Done, Error> {
        stopper.when_lost(writer.lost());
        let known = |state: Option<&State>, config: &Config| self.wanted(state, config).map(drop);
        let context = stopper.unless_asked(desk.connect_as(writer, known)).await?;
        let wanted = self.wanted(Some(&context.state), &context.config)?;
        tell_earlier(&context.state, &wanted);
        let settings = &context.config.engine;
        let options = self.effort.options(settings, false);
        stopper.after(self.effort.limit(settings));
        let progress = render::Progress::start();
        let Context { aws, kinds, state, pass, .. } = context;
        let (recorded, seen) = (state.clone(), Observations::default());
        let engine = Engine::new(&aws, &kinds, writer, &progress, options, stopper.stop(), state, pass, seen);
        let report = engine.snapshot(&wanted).await?;
        progress.finish();
        let done = conclude(report, stopper)?;
        let taken = find_snapshot(&aws, &kinds, &recorded, &wanted.node, &wanted.name).await?;
        render::snapshot(&wanted.node, &wanted.name, taken.as_ref(), self.json)?;
        Ok(done)
    }

    fn wanted(&self, state: Option<&State>, config: &Config) -> Result<Snapshot, Refusal> {
        let kinds = resources::registry();
        let facts = |kind: &str| kinds.get(kind).map(|kind| kind.facts());
        match state {
            Some(state) => snapshot::of(&self.node, self.name.as_deref(), state, &facts, Timestamp::now()),
            None => Err(snapshot::nothing_recorded(config.stack.as_str(), config.env.as_str())),
        }
    }
}

/// Tells what an earlier run has begun.
fn tell_earlier(state: &State, wanted: &Snapshot) {
    match Snapshot::under_way(state) {
        Some(one) if one == *wanted => {
            render::note(&format!("goes on with the snapshot {}, which an earlier run has begun", one.name));
        }
        Some(other) => render::note(&format!(
            "the snapshot {} of {}, which an earlier run has begun, is not waited for any more; where it was made, it stays",
            other.name, other.node
        )),
        None => {}
    }
}
