//! `tapctl destroy`

use super::context::{Context, Desk};
use super::run::{Effort, conclude, confirm};
use super::stop::Stopper;
use super::survey::{Survey, restorable};
use super::{Common, Done, Error};
use crate::config::Config;
use crate::engine::Engine;
use crate::render;
use crate::run::teardown::{self, Removal};
use crate::run::{loss, settings as guard};
use crate::state::{State, Writer};

/// Remove everything the stack has in this environment, dependents first.
///
/// Works from the recorded state, and from what carries the environment's tags: with the state lost, all is found again.
/// What others have put in the way is named before anything is removed. Leaves what AWS keeps by law of its own and, of a
/// protected environment, the last copies of its data, the records of its audit and the keys that open them, and lists that.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    /// For a protected environment, or one of which nothing is recorded: its full name, as student-records-prod.
    #[arg(long, value_name = "STACK-ENV")]
    confirm: Option<String>,
    /// Let this store go without a last snapshot or copy, as where AWS can make none; may be given more than once.
    #[arg(long, value_name = "NODE")]
    skip_final_snapshot: Vec<String>,
    #[command(flatten)]
    effort: Effort,
}

impl Args {
    pub(super) async fn run(self, stopper: &Stopper) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let wait = self.effort.lock_wait();
        desk.locked_within(wait, stopper, "destroy", async |desk, writer| self.take_down(desk, writer, stopper).await)
            .await
    }

    async fn take_down(self, desk: Desk, writer: &Writer, stopper: &Stopper) -> Result<Done, Error> {
        stopper.when_lost(writer.lost());
        let (place, unprotected) = (desk.place(), desk.is_said_to_be_unprotected());
        let confirmed =
            |state: Option<&State>, config: &Config| guard::check_confirmed(state, config, self.confirm.as_deref());
        let look = async { Survey::of(desk.connect_as(writer, confirmed).await?).await };
        let mut survey = stopper.unless_asked(look).await?;
        survey.show(false, &place)?;
        if survey.plan.is_empty() {
            render::kept(&survey.kept);
            return Ok(Done::Clean);
        }
        for lost in loss::precious(&survey.plan) {
            render::note(&format!("this cannot be had again: {lost}"));
        }
        teardown::refuse_obstacles(&survey.obstacles)?;
        teardown::skip_final_snapshots(&mut survey.context.state, &self.skip_final_snapshot)?;
        refuse_unpreservable(&survey).await?;
        self.removal(&survey, unprotected).allow()?;
        let question = teardown::question(&survey.context.state, &teardown::stores(&survey.plan), &survey.lodgers);
        confirm(stopper, self.yes, &question).await?;
        self.remove(survey, writer, stopper).await
    }

    async fn remove(self, survey: Survey, writer: &Writer, stopper: &Stopper) -> Result<Done, Error> {
        let Survey { context, seen, kept, .. } = survey;
        let remains = remains(&context);
        let chosen = context.state.nodes.keys().cloned().collect();
        let settings = &context.config.engine;
        let options = self.effort.options(settings, false);
        stopper.after(self.effort.limit(settings));
        let progress = render::Progress::start();
        let Context { aws, kinds, state, pass, .. } = context;
        let engine = Engine::new(&aws, &kinds, writer, &progress, options, stopper.stop(), state, pass, seen);
        let report = engine.destroy(&chosen).await?;
        progress.finish();
        let stays = report.stays.clone();
        let done = conclude(report, stopper)?;
        let gone = remains.into_iter().filter(|(node, _)| !stays.contains_key(node)).map(|(_, line)| line);
        render::staying(&stays);
        render::remains(&gone.collect::<Vec<_>>());
        render::kept(&kept);
        Ok(done)
    }

    fn removal(&self, survey: &Survey, unprotected: bool) -> Removal {
        let state = &survey.context.state;
        Removal {
            name: format!("{}-{}", state.stack, state.env),
            recorded: survey.recorded,
            found: survey.found.iter().cloned().collect(),
            unprotected,
            guarded: teardown::guarded(&survey.seen),
            confirmed: self.confirm.clone(),
        }
    }
}

/// Refuses what AWS would never delete with a last snapshot, which it can take no more.
async fn refuse_unpreservable(survey: &Survey) -> Result<(), Error> {
    let (context, mut stuck, mut bare) = (&survey.context, Vec::new(), Vec::new());
    for (name, node) in &context.state.nodes {
        let Some(seen) = survey.seen.get(name).and_then(Option::as_ref) else { continue };
        if let Some(why) = context.kinds.get(&node.kind)?.unpreservable(&node.spec, &seen.phase) {
            stuck.push((name.clone(), why));
            bare.push((name.as_str(), node.kind.as_str(), &node.spec));
        }
    }
    let backups = restorable(context, bare).await?;
    Ok(teardown::refuse_unpreservable(&stuck, &backups)?)
}

/// What AWS will keep of the recorded objects after they are deleted, by node.
fn remains(context: &Context) -> Vec<(String, String)> {
    let nodes = context.state.nodes.iter();
    nodes
        .filter_map(|(name, node)| {
            let left = context.kinds.get(&node.kind).ok()?.remains(&node.spec)?;
            Some((name.clone(), format!("{name} {}: {left}", node.id.as_deref().unwrap_or_default())))
        })
        .collect()
}
