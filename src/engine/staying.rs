//! What a destroy leaves where it is: what holds something that is to outlive the environment, or opens it, and all that
//! this stands on. It stays on record, so that an apply takes it up again, and the next destroy looks again.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use super::find::READ_AGAIN;
use super::found::{Failures, all_or_failures};
use super::node::{Worker, words};
use super::observe::Scope;
use super::report::{NodeFailure, Outcome};
use super::walk::Halt;
use crate::error::Class;
use crate::plan::Observations;
use crate::resource::{Cx, Pass, Seen};
use crate::state::{NodeState, Progress, State, dependents};

/// Something that a destroy leaves where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Staying {
    /// AWS's identifier.
    pub id: String,
    /// What for, and how that ends.
    pub why: String,
}

/// By node.
pub type Stayings = BTreeMap<String, Staying>;

/// Why what something else stands on stays with it.
fn under(user: &str) -> String {
    format!("kept with {user}, which stays")
}

/// What a destroy would leave where it is, as things are now: what it makes itself as it goes, as a last snapshot, is not
/// there yet. Reads AWS, never writes.
///
/// # Errors
/// Every node of which that could not be asked.
pub async fn staying<C: 'static>(
    scope: &Scope<'_, C>,
    state: &State,
    seen: &Observations,
) -> Result<Stayings, Failures> {
    let asks = standing(state, seen).map(|(name, node, seen)| async move {
        let owner = state.owner(name, "");
        let cx = Cx { cloud: scope.cloud, owner: &owner, pass: scope.pass };
        let ask = async { scope.kinds.get(&node.kind)?.stays(cx, &node.spec, seen).await };
        let why = ask.await.map_err(|fault| NodeFailure::new(name, &node.kind, "look ahead", fault))?;
        Ok(why.map(|why| (name.clone(), Staying { id: seen.id.clone(), why })))
    });
    let asked: Vec<_> = stream::iter(asks).buffered(scope.parallelism.max(1)).collect().await;
    let mut staying: Stayings = all_or_failures(asked)?.into_iter().flatten().collect();
    loop {
        let stands_under = |(name, _, seen): (&String, &NodeState, &Seen)| {
            let user = dependents(name, state).find(|user| staying.contains_key(*user))?;
            Some((name.clone(), Staying { id: seen.id.clone(), why: under(user) }))
        };
        let more: Stayings =
            standing(state, seen).filter(|(name, ..)| !staying.contains_key(*name)).filter_map(stands_under).collect();
        if more.is_empty() {
            return Ok(staying);
        }
        staying.extend(more);
    }
}

fn standing<'a>(
    state: &'a State,
    seen: &'a Observations,
) -> impl Iterator<Item = (&'a String, &'a NodeState, &'a Seen)> {
    state.nodes.iter().filter_map(move |(name, node)| Some((name, node, seen.get(name)?.as_ref()?)))
}

impl<C: 'static> Worker<'_, C> {
    /// Why the object is left where it is, now that all that depended on it is gone, or stays too.
    pub(super) async fn reason_to_stay(&self, node: &NodeState, found: &Seen) -> Result<Option<String>, Halt> {
        if let Some(user) = self.user_that_stays() {
            return Ok(Some(under(&user)));
        }
        let mut patience = self.patience(READ_AGAIN);
        loop {
            let (owner, pass) = (self.owner(""), Pass::default());
            let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
            let fault = match self.kind.stays(cx, &node.spec, found).await {
                Ok(why) => return Ok(why),
                Err(fault) => fault,
            };
            if !matches!(fault.class, Class::Throttled | Class::Lost) || self.is_over(&patience) {
                return Err(self.fail("look ahead", fault));
            }
            self.pause(&mut patience, &words(&fault)).await?;
        }
    }

    fn user_that_stays(&self) -> Option<String> {
        let (state, staying) = (self.engine.state.borrow(), self.engine.staying.borrow());
        dependents(self.node, &state).find(|user| staying.contains_key(*user)).cloned()
    }

    /// Leaves the object where it is, and on record.
    pub(super) async fn stay(&self, found: &Seen, why: String) -> Result<Outcome, Halt> {
        let stays = |node: &mut NodeState| {
            node.id = Some(found.id.clone());
            // An earlier destroy may have had it on its list.
            if node.progress == Progress::Deleting {
                node.progress = Progress::Ready;
            }
        };
        self.amend(stays).await?;
        let staying = Staying { id: found.id.clone(), why };
        self.engine.staying.borrow_mut().insert(self.node.to_owned(), staying);
        Ok(Outcome::Stays)
    }
}
