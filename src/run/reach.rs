//! What no run could bring to its end is refused while it is planned: an update that AWS never makes, and ground that is
//! to go from under what cannot move.
//!
//! A VPC, a subnet or a security group cannot go while anything stands in it. What stands there is replaced along with it
//! ([`crate::plan`]); but where that is a database, a cache, a load balancer or a NAT gateway, a changed CIDR would cost the
//! whole environment, half-way through if AWS refuses one of many steps. Such a change is another environment. A subnet that
//! leaves what goes on in others is no such ground to it; whether anything still stands in there, the caller asks AWS.

use std::collections::{BTreeMap, BTreeSet};

use super::Refusal;
use crate::error::Result;
use crate::plan::{Action, Plan, Step};
use crate::resource::Facts;
use crate::stack::{self, Stack};
use crate::state::{State, dependents};

/// Something the plan is to do and AWS would not, as the words of the settings it comes from.
pub type Told<'a> = &'a dyn Fn(&Step, Option<&str>) -> String;

/// Refuses a plan of the stack that could not be carried out. `told` says which setting a field of a step comes from, or without a field
/// that the node goes; `elsewhere` is how to begin another environment, and how to end this one.
///
/// # Errors
/// The refusal; or a kind in the state that this version does not know.
pub fn refuse(
    (plan, stack): (&Plan, &Stack),
    state: &State,
    facts: &dyn Fn(&str) -> Result<Facts>,
    told: Told<'_>,
    elsewhere: &str,
) -> Result<Option<Refusal>> {
    let mut texts: Vec<String> = beyond_updates(plan, told).collect();
    let moves = moves((plan, stack), state, facts, told)?;
    let hint = if moves.is_empty() { "put it back".to_owned() } else { format!("put it back; or {elsewhere}") };
    texts.extend(moves.into_iter().map(|(which, Move { ground, rooted })| {
        let rooted = list(&rooted.into_iter().collect::<Vec<_>>());
        format!("{which}; {ground} would have to go for that, and {rooted} cannot move out of it")
    }));
    if texts.is_empty() {
        return Ok(None);
    }
    texts.push("AWS does not let this be changed; nothing was touched".to_owned());
    Ok(Some(Refusal::new(texts.join("\n"), hint)))
}

/// Refuses to take subnets from under what `stand`s there, as AWS says.
pub fn occupied(plan: &Plan, stand: &[String], told: Told<'_>) -> Option<Refusal> {
    let goes = |step: &&Step| step.kind == "ec2.subnet" && step.action == Action::Delete;
    let subnet = plan.steps.iter().find(goes).filter(|_| !stand.is_empty())?;
    let which = told(subnet, None);
    let text = format!("{which}; a zone would have to be empty for that; nothing was touched");
    Some(Refusal::new(text, "put it back; or first have what stands there go, as by fewer instances and nodes"))
}

/// Ground that would have to go, and what stands on it and cannot move.
struct Move {
    ground: String,
    rooted: BTreeSet<String>,
}

/// The moves that the plan asks for, by what a person has changed.
fn moves(
    (plan, stack): (&Plan, &Stack),
    state: &State,
    facts: &dyn Fn(&str) -> Result<Facts>,
    told: Told<'_>,
) -> Result<BTreeMap<String, Move>> {
    let mut moves: BTreeMap<String, Move> = BTreeMap::new();
    for root in roots(plan, state) {
        let rooted = rooted_on(&root.node, (plan, stack), state, facts)?;
        if !rooted.is_empty() {
            let new = || Move { ground: root.node.clone(), rooted: BTreeSet::new() };
            moves.entry(told(root, cause(root))).or_insert_with(new).rooted.extend(rooted);
        }
    }
    Ok(moves)
}

fn beyond_updates<'a>(plan: &'a Plan, told: Told<'a>) -> impl Iterator<Item = String> + 'a {
    let stays = |step: &&Step| !step.action.destroys();
    plan.steps.iter().filter(stays).filter_map(move |step| {
        let refused = step.refused.as_ref()?;
        Some(format!("{}; {} {}", told(step, Some(refused.field)), step.node, refused.why))
    })
}

/// The ground that is to go by its own settings, and not because of what it stands in itself.
fn roots<'a>(plan: &'a Plan, state: &State) -> Vec<&'a Step> {
    let going: Vec<&Step> =
        plan.steps.iter().filter(|step| step.ground && step.goes_first() && is_cause(step)).collect();
    let below = |step: &Step| {
        going.iter().any(|other| other.node != step.node && above(&other.node, state).contains(&step.node))
    };
    going.iter().filter(|step| !below(step)).copied().collect()
}

fn is_cause(step: &Step) -> bool {
    step.action == Action::Delete || cause(step).is_some()
}

/// The field that settings changed, and not another node.
fn cause(step: &Step) -> Option<&str> {
    let mut changes = step.action.diff().into_iter().flat_map(|diff| diff.immutable());
    changes.find(|change| stack::is_resolved(&change.want)).map(|change| change.field())
}

/// What stands on the node, near and far, stays in the stack, and cannot move.
fn rooted_on(
    node: &str,
    (plan, stack): (&Plan, &Stack),
    state: &State,
    facts: &dyn Fn(&str) -> Result<Facts>,
) -> Result<Vec<String>> {
    let steps_out = |user: &str| -> Result<bool> {
        let lets_go = stack.nodes.get(user).is_some_and(|entry| !entry.edges.contains(node));
        let stays = plan.action(user).is_some_and(|action| !action.destroys());
        Ok(lets_go && stays && facts(&state.nodes[user].kind)?.steps_out)
    };
    let mut stand = BTreeSet::new();
    for user in dependents(node, state) {
        if !steps_out(user)? {
            stand.extend(above(user, state));
            stand.insert(user.clone());
        }
    }
    let mut rooted = Vec::new();
    for user in stand {
        let leaves =
            matches!(plan.action(&user), Some(Action::Delete | Action::Forget | Action::Create | Action::Lost { .. }));
        let known = state.nodes.get(&user).filter(|node| node.id.is_some());
        if let Some(known) = known.filter(|_| !leaves)
            && facts(&known.kind)?.rooted
        {
            rooted.push(user);
        }
    }
    Ok(rooted)
}

/// Everything that stands on a node, near and far.
fn above(node: &str, state: &State) -> BTreeSet<String> {
    let mut open = vec![node.to_owned()];
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        let users = dependents(&next, state).filter(|user| !found.contains(*user)).cloned().collect::<Vec<_>>();
        found.extend(users.iter().cloned());
        open.extend(users);
    }
    found
}

/// `a, b and c`
fn list(all: &[String]) -> String {
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => all.concat(),
    }
}
