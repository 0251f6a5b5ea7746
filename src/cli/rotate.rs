//! `tapctl rotate`

use super::context::{Context, Desk};
use super::run::{Effort, conclude, confirm};
use super::stop::Stopper;
use super::{Common, Done, Error};
use crate::engine::Engine;
use crate::plan::Observations;
use crate::render;
use crate::state::{Progress, State, Writer};

/// Change the credentials that were made for the stack, and restart what uses them.
///
/// A new password or token is drawn, given to what asks for it, and then shown to its users; nobody sees it on the way. A cache
/// takes the old token as well until its users have the new one; a database knows one password at a time, so that log-ins
/// fail until its users have been started anew. Interrupted, it goes on with the same one the next time.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    #[command(flatten)]
    effort: Effort,
}

impl Args {
    pub(super) async fn run(self, stopper: &Stopper) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let wait = self.effort.lock_wait();
        desk.locked_within(wait, stopper, "rotate", async |desk, writer| self.rotate(desk, writer, stopper).await).await
    }

    async fn rotate(self, desk: Desk, writer: &Writer, stopper: &Stopper) -> Result<Done, Error> {
        stopper.when_lost(writer.lost());
        let context = stopper.unless_asked(desk.connect_as(writer, |_, _| Ok(()))).await?;
        refuse_unrecorded(&context.state)?;
        refuse_unfinished(&context.state)?;
        let rotating = rotating(&context);
        if rotating.is_empty() {
            render::note("nothing to rotate: no credential was made for this stack");
            return Ok(Done::Clean);
        }
        render::note(&format!("changes the credentials of {}", rotating.join(", ")));
        let gap = with_a_gap(&context);
        if !gap.is_empty() {
            render::note(&format!(
                "of {} AWS knows one password at a time: until its users have been started anew, minutes after it changes, those \
                 that still have the old one cannot log in; connections that stand stay",
                gap.join(" and ")
            ));
        }
        confirm(stopper, self.yes, "Change them?").await?;
        let settings = &context.config.engine;
        let options = self.effort.options(settings, false);
        stopper.after(self.effort.limit(settings));
        let progress = render::Progress::start();
        let Context { aws, kinds, state, pass, .. } = context;
        let seen = Observations::default();
        let engine = Engine::new(&aws, &kinds, writer, &progress, options, stopper.stop(), state, pass, seen);
        let report = engine.rotate().await?;
        progress.finish();
        conclude(report, stopper)
    }
}

/// The nodes that keep or use a credential.
fn rotating(context: &Context) -> Vec<&str> {
    let nodes = context.state.nodes.iter();
    let rotates = |kind: &str| context.kinds.get(kind).is_ok_and(|kind| kind.facts().rotates);
    nodes.filter(|(_, node)| rotates(&node.kind)).map(|(name, _)| name.as_str()).collect()
}

/// Those of them that take the new credential only, from when it changes, though their users have the old one until they are
/// started anew.
fn with_a_gap(context: &Context) -> Vec<&str> {
    let nodes = context.state.nodes.iter();
    let facts = |kind: &str| context.kinds.get(kind).ok().map(|kind| kind.facts());
    let gap = |kind: &str| facts(kind).is_some_and(|facts| facts.rotates && facts.stateful && !facts.retires);
    nodes.filter(|(_, node)| gap(&node.kind)).map(|(name, _)| name.as_str()).collect()
}

/// What uses a credential is known by the record only.
fn refuse_unrecorded(state: &State) -> Result<(), Error> {
    if !state.nodes.is_empty() {
        return Ok(());
    }
    Err(Error::refused(
        format!("nothing is recorded for {} {}", state.stack, state.env),
        "run apply first, or name the directory of the state with --state-dir",
    ))
}

/// What is half made has half of its users.
fn refuse_unfinished(state: &State) -> Result<(), Error> {
    let unfinished = |(name, node): (&String, &crate::state::NodeState)| {
        (node.progress != Progress::Ready).then(|| format!("{name} is {}", node.progress.as_str()))
    };
    let unfinished: Vec<String> = state.nodes.iter().filter_map(unfinished).collect();
    match unfinished.is_empty() {
        true => Ok(()),
        false => Err(Error::refused(
            format!("{}; nothing was changed", unfinished.join(", ")),
            "run `tapctl apply` first, which finishes what was begun",
        )),
    }
}
