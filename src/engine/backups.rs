//! What could be restored in place of what is gone, or is to be made without data.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::found::{Failures, all_or_failures};
use super::observe::Scope;
use super::report::NodeFailure;
use crate::plan::{Action, Plan};
use crate::resource::{Backup, Cx};
use crate::state::State;

/// By node, the newest first. A node without any is not there.
pub type Backups = BTreeMap<String, Vec<Backup>>;

/// A node that is asked for, with its kind and its spec.
pub type Bare<'a> = (&'a str, &'a str, &'a Value);

/// The stores that a plan finds gone, or would make empty.
pub fn without_data<'a>(plan: &'a Plan, state: &'a State) -> Vec<Bare<'a>> {
    let bare = plan.steps.iter().filter(|step| step.stateful);
    let bare = bare.filter(|step| matches!(step.action, Action::Create | Action::Lost { .. }));
    let spec = |node: &str| state.nodes.get(node).map(|node| &node.spec);
    bare.filter_map(|step| Some((step.node.as_str(), step.kind.as_str(), step.spec.as_ref().or(spec(&step.node))?)))
        .collect()
}

/// Asks AWS what each of these nodes could be restored from. Nothing is written.
///
/// # Errors
/// Every node of which that could not be asked.
pub async fn backups<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    nodes: Vec<Bare<'_>>,
) -> Result<Backups, Failures> {
    let asks = nodes.into_iter().map(|(name, kind, spec)| async move {
        let owner = state.owner(name, "");
        let cx = Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
        let ask = async { scope.kinds.get(kind)?.backups(cx, spec).await };
        let found = ask.await.map_err(|fault| NodeFailure::new(name, kind, "list backups", fault))?;
        Ok((name.to_owned(), Backup::newest_first(found)))
    });
    let asked: Vec<_> = stream::iter(asks).buffered(scope.parallelism.max(1)).collect().await;
    Ok(all_or_failures(asked)?.into_iter().filter(|(_, found)| !found.is_empty()).collect())
}
