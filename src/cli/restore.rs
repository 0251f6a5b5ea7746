//! `tapctl restore`

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::context::{Context, Desk, Planned};
use super::run::{Effort, conclude, confirm};
use super::stop::Stopper;
use super::{Common, Done, Error};
use crate::engine::Engine;
use crate::render;
use crate::run::settings as guard;
use crate::stack::Stack;
use crate::stacks::copies::{self, Wish};
use crate::state::{State, Writer};

/// What a person writes for the latest moment there is.
const LATEST: &str = "latest";

/// Make a copy of a database as it was, beside the one that serves, or remove it.
///
/// The one that serves is not touched and nobody is led to the copy: look into it, compare it, take from it what was lost. It
/// has the settings of the other, a password of its own that RDS keeps, and costs as much. Interrupted, it goes on with the
/// same copy the next time.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    pub(super) common: Common,
    /// The Aurora cluster of which a copy is made, as db-cluster.
    #[arg(value_name = "NODE")]
    node: String,
    /// With the data of this snapshot.
    #[arg(long, value_name = "ID", group = "what")]
    snapshot: Option<String>,
    /// With the data as they were at this time, as 2026-11-28T02:00:00Z; `latest`: the latest moment that AWS can, some five
    /// minutes ago.
    #[arg(long, value_name = "TIME", group = "what", value_parser = moment)]
    to: Option<Moment>,
    /// Remove the copy again.
    #[arg(long, group = "what", required_unless_present_any = ["snapshot", "to"])]
    drop: bool,
    /// Beside the one that serves.
    #[arg(long, required_unless_present = "drop", conflicts_with = "drop")]
    beside: bool,
    /// Do not ask.
    #[arg(long, short = 'y')]
    yes: bool,
    #[command(flatten)]
    effort: Effort,
}

/// A time, or the latest there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Moment(Option<Timestamp>);

fn moment(text: &str) -> Result<Moment, String> {
    if text == LATEST {
        return Ok(Moment(None));
    }
    let time = text.parse().map(|time| Moment(Some(time)));
    time.map_err(|_| format!("allowed: {LATEST}, or a time with its zone such as 2026-11-28T02:00:00Z"))
}

impl Args {
    pub(super) async fn run(self, stopper: &Stopper) -> Result<Done, Error> {
        let desk = Desk::open(&self.common)?;
        let wait = self.effort.lock_wait();
        desk.locked_within(wait, stopper, "restore", async |desk, writer| self.restore(desk, writer, stopper).await)
            .await
    }

    async fn restore(self, desk: Desk, writer: &Writer, stopper: &Stopper) -> Result<Done, Error> {
        stopper.when_lost(writer.lost());
        let context = stopper.unless_asked(desk.connect_as(writer, |_, _| Ok(()))).await?;
        guard::check_account(&context.state, &context.config, &context.aws.account)?;
        let stack = stopper.unless_asked(self.wanted(&context)).await?;
        let chosen: BTreeSet<String> = copies::names(&self.node).into();
        let seen = stopper.unless_asked(context.observe_only(&chosen, &stack, false)).await?;
        let Planned { now: plan, chosen, .. } = context.planned(&stack, &chosen, &seen)?;
        render::plan(&plan, &context.state)?;
        if !plan.is_empty() {
            render::note(&self.told());
            confirm(stopper, self.yes, "Do that?").await?;
        }
        let settings = &context.config.engine;
        let options = self.effort.options(settings, false);
        stopper.after(self.effort.limit(settings));
        let progress = render::Progress::start();
        let Context { aws, kinds, state, pass, .. } = context;
        let engine = Engine::new(&aws, &kinds, writer, &progress, options, stopper.stop(), state, pass, seen);
        let report = engine.apply(&stack, &plan, &chosen).await?;
        progress.finish();
        let state = engine.into_state();
        let done = conclude(report, stopper)?;
        render::outputs(&ways_in(&state, &self.node))?;
        Ok(done)
    }

    /// All that should exist, with the copy or without it.
    async fn wanted(&self, context: &Context) -> Result<Stack, Error> {
        let mut stack = context.stack().await?;
        let names = copies::names(&self.node);
        match self.wish() {
            Some(wish) => stack.nodes.extend(copies::of(&context.aws, &context.state, &self.node, &wish).await?),
            None if names.iter().any(|name| context.state.nodes.contains_key(name)) => {
                stack.nodes.retain(|name, _| !names.contains(name));
            }
            None => {
                return Err(Error::refused(
                    format!("there is no copy of {} to remove", self.node),
                    "`tapctl status` shows what there is",
                ));
            }
        }
        Ok(stack)
    }

    fn wish(&self) -> Option<Wish> {
        let snapshot = self.snapshot.clone().map(Wish::Snapshot);
        snapshot.or(self.to.map(|Moment(at)| Wish::Moment(at)))
    }

    fn told(&self) -> String {
        let node = &self.node;
        match self.wish() {
            None => format!("removes the copy of {node} with its data; {node} is not touched"),
            Some(Wish::Snapshot(id)) => format!("makes a copy of {node} from {id}; {node} is not touched"),
            Some(Wish::Moment(None)) => format!("makes a copy of {node} as it was last; {node} is not touched"),
            Some(Wish::Moment(Some(at))) => format!("makes a copy of {node} as of {at:.0}; {node} is not touched"),
        }
    }
}

/// Where a copy is reached, and the secret of its master user.
fn ways_in(state: &State, node: &str) -> BTreeMap<String, Value> {
    let [cluster, _] = copies::names(node);
    let outputs = state.nodes.get(&cluster).map(|copy| &copy.outputs);
    let known = |name: &str| Some((name.to_owned(), outputs?.get(name)?.clone()));
    ["endpoint", "master_user_secret_arn"].into_iter().filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_zone() {
        assert_eq!(moment("latest"), Ok(Moment(None)));
        let at = "2026-11-28T02:00:00Z".parse().unwrap();
        assert_eq!(moment("2026-11-28T03:00:00+01:00"), Ok(Moment(Some(at))));
        for refused in ["2026-11-28T02:00:00", "yesterday", "", "10m"] {
            assert!(moment(refused).is_err(), "{refused}");
        }
    }
}
