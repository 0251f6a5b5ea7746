//! What a removal of everything would be about, for `destroy` and for the plan of one; and what plan, drift and status
//! tell of what is ours and unrecorded, and of what others have put in the way.

use std::collections::BTreeSet;

use super::Error;
use super::context::Context;
use crate::engine::{
    Backups, Bare, Inventory, Kept, NodeFailure, Obstacle, Recovered, Stayings, backups, inventory, obstacles, recover,
    staying,
};
use crate::error::Class;
use crate::plan::{Observations, Plan, plan_destroy};
use crate::render;
use crate::stack::Stack;

/// All there is to remove, and what that was told from.
pub(super) struct Survey {
    /// With a state that holds all that was found, too.
    pub(super) context: Context,
    pub(super) plan: Plan,
    pub(super) seen: Observations,
    /// Whether anything was recorded.
    pub(super) recorded: bool,
    /// The nodes that no record told of.
    pub(super) found: BTreeSet<String>,
    /// The nodes that stand for what AWS has put into ours by itself.
    pub(super) lodgers: BTreeSet<String>,
    /// What AWS keeps of what was removed earlier.
    pub(super) kept: Vec<Kept>,
    /// What others have put in the way.
    pub(super) obstacles: Vec<Obstacle>,
    /// What is left where it is.
    pub(super) staying: Stayings,
}

impl Survey {
    /// Looks at all that is recorded and at all else that is ours. Changes nothing in AWS.
    pub(super) async fn of(mut context: Context) -> Result<Survey, Error> {
        let recorded = !context.state.nodes.is_empty();
        let seen = context.observe(None, false).await?;
        let stack = if recorded { None } else { Some(context.stack().await?) };
        let recovered = recover(&context.scope(false), stack.as_ref(), &context.state, seen.clone()).await;
        let Recovered { state, seen, found, lodgers, kept } = match recovered {
            Err(failures) if recorded && only_denied(&failures) => {
                render::note(&unasked(&failures));
                Recovered::of(context.state, seen)
            }
            recovered => recovered.map_err(Error::Nodes)?,
        };
        context.state = state;
        let obstacles = in_the_way(&context, &seen, &Inventory::default()).await?;
        let facts = |kind: &str| context.kinds.get(kind).map(|kind| kind.facts());
        let mut plan = plan_destroy(&context.state, &seen, &facts)?;
        let staying = to_stay(&context, &seen).await?;
        plan.leave(&|node| staying.contains_key(node));
        Ok(Survey { context, plan, seen, recorded, found, lodgers, kept, obstacles, staying })
    }

    /// Prints the plan, and where it comes from.
    pub(super) fn show(&self, as_json: bool, place: &str) -> Result<(), Error> {
        let state = &self.context.state;
        match (self.plan.is_empty(), as_json) {
            (_, true) => render::json(&self.plan)?,
            (true, false) if self.staying.is_empty() => render::nothing_is_ours(state, place)?,
            (true, false) => render::only_what_stays(state)?,
            (false, false) => render::plan(&self.plan, state)?,
        }
        if !self.recorded && !self.found.is_empty() {
            render::note(&format!("nothing is recorded in {place}: all of this was found by its names and tags"));
        }
        if self.recorded && !self.found.is_empty() {
            let found: Vec<&str> = self.found.iter().map(String::as_str).collect();
            render::note(&format!("in no record, and found by its tags: {}", found.join(", ")));
        }
        for (node, staying) in &self.staying {
            render::note(&format!("{node} is {}", staying.why));
        }
        if self.plan.count("forget") > 0 && !as_json {
            render::note("to forget: it is gone already, or is shared, and goes with the last who uses it");
        }
        Ok(())
    }
}

/// What is ours and in no record. Where the credentials do not allow to ask, that is told, and nothing is found.
pub(super) async fn unrecorded(
    context: &Context,
    stack: Option<&Stack>,
    seen: &Observations,
) -> Result<Inventory, Error> {
    match inventory(&context.scope(false), stack, &context.state, seen).await {
        Err(failures) if only_denied(&failures) => {
            render::note(&unasked(&failures));
            Ok(Inventory::default())
        }
        asked => asked.map_err(Error::Nodes),
    }
}

/// What others have put in the way of a removal, as [`unrecorded`].
pub(super) async fn in_the_way(
    context: &Context,
    seen: &Observations,
    ours: &Inventory,
) -> Result<Vec<Obstacle>, Error> {
    match obstacles(&context.scope(false), &context.state, seen, &ours.unrecorded).await {
        Err(failures) if only_denied(&failures) => {
            let first = failures.first().map(|failure| failure.fault.to_string()).unwrap_or_default();
            render::note(&format!("what others have put in the way could not be asked for: {first}"));
            Ok(Vec::new())
        }
        asked => asked.map_err(Error::Nodes),
    }
}

/// What a destroy would leave where it is, as [`unrecorded`]. The destroy itself asks again, and takes no refusal.
async fn to_stay(context: &Context, seen: &Observations) -> Result<Stayings, Error> {
    match staying(&context.scope(false), &context.state, seen).await {
        Err(failures) if only_denied(&failures) => {
            let first = failures.first().map(|failure| failure.fault.to_string()).unwrap_or_default();
            render::note(&format!("what a destroy would leave where it is could not be asked for: {first}"));
            Ok(Stayings::new())
        }
        asked => asked.map_err(Error::Nodes),
    }
}

/// What the stores that a plan finds gone or would make empty could be restored from, as [`unrecorded`].
pub(super) async fn restorable(context: &Context, nodes: Vec<Bare<'_>>) -> Result<Backups, Error> {
    match backups(&context.scope(false), &context.state, nodes).await {
        Err(failures) if only_denied(&failures) => {
            let first = failures.first().map(|failure| failure.fault.to_string()).unwrap_or_default();
            render::note(&format!("what there is to restore could not be asked for: {first}"));
            Ok(Backups::new())
        }
        asked => asked.map_err(Error::Nodes),
    }
}

fn only_denied(failures: &[NodeFailure]) -> bool {
    failures.iter().all(|failure| failure.fault.class == Class::Denied)
}

fn unasked(failures: &[NodeFailure]) -> String {
    let first = failures.first().map(|failure| failure.fault.to_string()).unwrap_or_default();
    format!("what is ours and in no record could not be asked for: {first}")
}
