//! What AWS has put into objects of ours by itself, and keeps there: a destroy takes it along.

use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::found::{Failures, Recovered, Unrecorded, all_or_failures};
use super::observe::Scope;
use super::report::NodeFailure;
use crate::error::Fault;
use crate::resource::{Cx, Lodger, Phase, Seen};
use crate::state::{NodeState, State};

impl Recovered {
    /// Takes up what AWS has put into what stands, so that the same walk removes it. Tells the names.
    pub(super) async fn take_lodgers<C: 'static>(&mut self, scope: &Scope<'_, C>) -> Result<Vec<String>, Failures> {
        let standing = self.state.nodes.iter().filter_map(|(name, node)| {
            let seen = self.seen.get(name)?.as_ref()?;
            Some(lodgers(scope, &self.state, name, node, seen))
        });
        let asked: Vec<_> = stream::iter(standing).buffered(scope.parallelism.max(1)).collect().await;
        let lodgers: Vec<Unrecorded> = all_or_failures(asked)?.into_iter().flatten().collect();
        let mut names = Vec::new();
        for lodger in lodgers {
            let is_it = |node: &NodeState| node.kind == lodger.kind && node.id.as_ref() == Some(&lodger.id);
            if let Some((name, _)) = self.state.nodes.iter().find(|(_, node)| is_it(node)) {
                self.lodgers.insert(name.clone());
                continue;
            }
            let name = self.take(lodger);
            self.found.remove(&name);
            self.lodgers.insert(name.clone());
            names.push(name);
        }
        Ok(names)
    }
}

/// What AWS has put into an object, as it is.
async fn lodgers<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    name: &str,
    node: &NodeState,
    seen: &Seen,
) -> Result<Vec<Unrecorded>, NodeFailure> {
    let owner = state.owner(name, "");
    let cx = || Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
    let look = async {
        let mut found = Vec::new();
        for Lodger { name, kind, id } in scope.kinds.get(&node.kind)?.lodgers(cx(), &node.spec, seen).await? {
            let erased = scope.kinds.get(kind)?;
            let spec = erased.blank(&Value::Null)?;
            let seen = erased.observe(cx(), &spec, Some(&id)).await?.filter(|seen| seen.phase != Phase::Deleting);
            let unrecorded =
                |seen| Unrecorded { node: name.to_owned(), kind: kind.to_owned(), id, stateful: false, seen };
            found.extend(seen.map(unrecorded));
        }
        Ok(found)
    };
    look.await.map_err(|fault: Fault| NodeFailure::new(name, &node.kind, "look ahead", fault))
}
