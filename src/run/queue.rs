//! Changes that wait for a maintenance window: they are told, and carried out or taken back only where a node is named.

use std::collections::BTreeMap;

use super::Refusal;
use crate::error::Result;
use crate::plan::{Observations, Plan};
use crate::resource::{Facts, Queue, Queued, hastened};
use crate::stack::Stack;

/// What a person should know of what waits, a sentence each.
pub fn remarks(seen: &Observations) -> Vec<String> {
    let waits = seen.iter().filter_map(|(node, seen)| Some((node, &seen.as_ref()?.besides.queued)));
    let told = |(node, queued): (&String, &Vec<Queued>)| {
        let words: Vec<String> = queued.iter().map(Queued::words).collect();
        let words = words.join(", ");
        format!(
            "{node}: {words}, asked for outside of this stack or by AWS; apply --apply-pending {node} carries it out now, \
             --cancel-pending {node} takes it back"
        )
    };
    waits.filter(|(_, queued)| !queued.is_empty()).map(told).collect()
}

/// What is to become of the changes that wait, of the nodes that are named and have some.
///
/// # Errors
/// A node that is named for both, and a change that the stack would take back at once.
pub fn orders(
    run: &[String],
    cancel: &[String],
    stack: &Stack,
    seen: &Observations,
) -> Result<BTreeMap<String, Queue>, Refusal> {
    if let Some(both) = run.iter().find(|node| cancel.contains(node)) {
        let text = format!("{both} is named for --apply-pending and for --cancel-pending");
        return Err(Refusal::new(text, "leave one of them out"));
    }
    run.iter().try_for_each(|node| refuse_to_and_fro(node, stack, seen))?;
    let named = run.iter().map(|node| (node, Queue::Run)).chain(cancel.iter().map(|node| (node, Queue::Cancel)));
    let waits = |node: &String| !queued(node, seen).is_empty();
    Ok(named.filter(|(node, _)| waits(node)).map(|(node, order)| (node.clone(), order)).collect())
}

/// Refuses a plan with an update along with which AWS would carry out what waits.
///
/// # Errors
/// Names every node, what waits, and the flags that decide about it; or a kind that this version does not know.
pub fn refuse(
    plan: &Plan,
    seen: &Observations,
    orders: &BTreeMap<String, Queue>,
    facts: &dyn Fn(&str) -> Result<Facts>,
) -> Result<Option<Refusal>> {
    let (mut texts, mut flags) = (Vec::new(), Vec::new());
    for step in plan.steps.iter().filter(|step| !step.action.destroys() && !orders.contains_key(&step.node)) {
        let Some(diff) = step.action.diff() else { continue };
        let facts = facts(&step.kind)?;
        let along = hastened(&facts, diff, queued(&step.node, seen));
        if !along.is_empty() {
            let words: Vec<String> = along.iter().map(|one| one.words()).collect();
            texts.push(format!("{}: {}", step.node, words.join(", ")));
            flags.push(format!("--apply-pending {0} or --cancel-pending {0}", step.node));
        }
    }
    let what = "others have asked for changes that wait, and that AWS would carry out now along with this plan's; nothing \
                was changed";
    let hint = format!("decide about them: add {}", flags.join(", "));
    Ok((!texts.is_empty()).then(|| Refusal::new(format!("{what}\n{}", texts.join("\n")), hint)))
}

/// To carry out what the stack changes back in the same run would interrupt twice for nothing.
fn refuse_to_and_fro(node: &str, stack: &Stack, seen: &Observations) -> Result<(), Refusal> {
    let spec = stack.nodes.get(node).map(|entry| &entry.spec);
    let other = queued(node, seen).iter().find_map(|one| {
        let wanted = spec?.get(one.field?)?;
        (!one.is(wanted)).then(|| format!("{node}: {}, and the settings ask for {wanted}", one.words()))
    });
    match other {
        None => Ok(()),
        Some(text) => Err(Refusal::new(
            text,
            format!(
                "change the setting, and it is carried out without a flag; or take it back, --cancel-pending {node}"
            ),
        )),
    }
}

fn queued<'a>(node: &str, seen: &'a Observations) -> &'a [Queued] {
    seen.get(node).and_then(Option::as_ref).map(|seen| seen.besides.queued.as_slice()).unwrap_or_default()
}
