//! Whose an object is. Pure: from what is recorded and what was just seen, before every write and every removal.
//!
//! An id that AWS gives out leads to one object for ever. An id that is a name leads to whatever has that name now, and is
//! believed only where the object's tags, or what tells it from others of its name, say that it is still the same. A record
//! may have been edited, or mixed up with another's: an id without our tags is believed only where the rest of the record is
//! of the same object.

use serde_json::Value;

use crate::error::{Class, Fault, Result};
use crate::resource::{Facts, Owner, Seen, TAG_ENV, TAG_NODE, TAG_REGION, TAG_STACK, Tags};
use crate::state::{NodeState, Progress};

/// Why an object is not this node's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stranger {
    /// It says that it is another node's: nothing takes it over.
    Anothers(String),
    /// Nothing says that it is this node's. A person may.
    Unclaimed(String),
}

impl Stranger {
    /// Why, in a few words.
    pub fn reason(&self) -> &str {
        match self {
            Stranger::Anothers(reason) | Stranger::Unclaimed(reason) => reason,
        }
    }
}

/// Judges whether an object is the node's that `owner` names. `record` is what the state knows of that node.
///
/// # Errors
/// Why it is not.
pub fn judge(owner: &Owner, facts: &Facts, record: Option<&NodeState>, seen: &Seen) -> Result<(), Stranger> {
    if facts.shared {
        return Ok(());
    }
    let record = record.filter(|node| node.kind == facts.kind && node.id.as_deref() == Some(&seen.id));
    match tags(seen) {
        Some(tags) => by_tags(owner, facts, record, seen, &tags),
        None => by_record(facts, record, seen),
    }
}

/// The object, if it is the node's or may be taken over.
///
/// # Errors
/// A fault that names it.
pub fn admit(owner: &Owner, facts: &Facts, record: Option<&NodeState>, found: Seen, adopt: bool) -> Result<Seen> {
    let recorded = record.is_some_and(|node| node.id.as_deref() == Some(&found.id));
    let (code, reason) = match judge(owner, facts, record, &found) {
        Ok(()) => return Ok(found),
        Err(Stranger::Unclaimed(_)) if adopt => return Ok(found),
        Err(Stranger::Unclaimed(reason)) if recorded => ("NoLongerOurs", reason),
        Err(Stranger::Unclaimed(reason)) => ("Foreign", reason),
        Err(Stranger::Anothers(reason)) => ("Anothers", reason),
    };
    let name = found.outputs.get("arn").and_then(Value::as_str).unwrap_or(&found.id);
    Err(Fault::new(Class::Exists, code, format!("{name} exists and is not ours: {reason}")))
}

/// Whether it is certain that an object of a name that led to ours is another one: as where ours has gone meanwhile.
pub(super) fn is_anothers(owner: &Owner, facts: &Facts, record: Option<&NodeState>, seen: &Seen) -> bool {
    match judge(owner, facts, record, seen) {
        Ok(()) => false,
        Err(Stranger::Anothers(_)) => true,
        Err(Stranger::Unclaimed(_)) => facts.named && record.is_some_and(|node| identities(node, seen) == Some(false)),
    }
}

/// Whether an object has no tags at all, as one that a service made of itself.
pub(super) fn is_bare(seen: &Seen) -> bool {
    tags(seen).is_some_and(|tags| tags.is_empty())
}

fn tags(seen: &Seen) -> Option<Tags> {
    serde_json::from_value(seen.live.get("tags")?.clone()).ok()
}

fn by_tags(owner: &Owner, facts: &Facts, record: Option<&NodeState>, seen: &Seen, tags: &Tags) -> Result<(), Stranger> {
    if let Some(whose) = another(owner, tags) {
        return Err(Stranger::Anothers(seen.foreign.clone().unwrap_or(whose)));
    }
    if let Some(reason) = &seen.foreign {
        return Err(Stranger::Unclaimed(reason.clone()));
    }
    if owner.owns(tags) {
        if facts.global && record.is_none() && !tags.contains_key(TAG_REGION) {
            let text = format!("it is {}'s in a region that its tags do not tell", place(owner));
            return Err(Stranger::Unclaimed(text));
        }
        return Ok(());
    }
    // A service made it long after ours was gone, and nobody has chosen anything of it since.
    if facts.reborn && record.is_none() && seen.unchosen && tags.is_empty() {
        return Ok(());
    }
    let unmarked = || Stranger::Unclaimed("it does not carry this node's ownership tags".to_owned());
    let record = record.ok_or_else(unmarked)?;
    if !facts.named {
        return if is_recorded(record, seen, tags) { Ok(()) } else { Err(unmarked()) };
    }
    // A service made it anew after this state had asked for its removal, and gave it none.
    let reborn = facts.reborn && record.progress == Progress::Deleting && tags.is_empty();
    match identities(record, seen) {
        Some(true) => Ok(()),
        _ if reborn => Ok(()),
        Some(false) => {
            let text = "it was made anew under this name, and does not carry this node's ownership tags";
            Err(Stranger::Unclaimed(text.to_owned()))
        }
        None if names_place(owner, tags) || was_never_seen(record) => Ok(()),
        None => Err(unmarked()),
    }
}

/// What carries no tags is the node's as what it is a part of is; a name that leads elsewhere must be the same name still.
fn by_record(facts: &Facts, record: Option<&NodeState>, seen: &Seen) -> Result<(), Stranger> {
    let Some(reason) = &seen.foreign else { return Ok(()) };
    match record {
        Some(_) if !facts.named => Ok(()),
        Some(record) if identities(record, seen) == Some(true) || was_never_seen(record) => Ok(()),
        _ => Err(Stranger::Unclaimed(reason.clone())),
    }
}

/// Whether a record is of this object and not of another whose id has come into it: what else AWS gave out with the id is
/// recorded too, and of the tags that were put on it one is there at least, or there is none at all.
fn is_recorded(record: &NodeState, seen: &Seen, tags: &Tags) -> bool {
    let named_by_id = |(key, value): (&String, &Value)| {
        let named = value.as_str().is_some_and(|value| value.contains(&seen.id));
        let recorded = record.outputs.get(key).filter(|_| named);
        recorded.is_none_or(|recorded| recorded == value)
    };
    let outputs_agree = seen.outputs.as_object().is_none_or(|outputs| outputs.iter().all(named_by_id));
    let put: Tags =
        record.spec.get("tags").and_then(|tags| serde_json::from_value(tags.clone()).ok()).unwrap_or_default();
    outputs_agree && (tags.is_empty() || put.iter().any(|(key, value)| tags.get(key) == Some(value)))
}

/// Whether it is the very object that is recorded, where both are known.
fn identities(record: &NodeState, seen: &Seen) -> Option<bool> {
    Some(record.identity.as_ref()? == seen.identity.as_ref()?)
}

/// Whether the state knows of it only that it was made: its tags, and what tells it from others, may not show yet.
fn was_never_seen(record: &NodeState) -> bool {
    record.progress == Progress::Pending && record.outputs.is_null()
}

/// Whose the tags say that it is, where that is not this node.
fn another(owner: &Owner, tags: &Tags) -> Option<String> {
    let differs = |(key, ours): (&String, &String)| tags.get(key).is_some_and(|theirs| theirs != ours);
    if !owner.tags().iter().any(differs) {
        return None;
    }
    let part = |key: &str, before: &str| tags.get(key).map(|value| format!("{before}{value}")).unwrap_or_default();
    let (stack, env) = (part(TAG_STACK, " "), part(TAG_ENV, " "));
    let whose = if stack.is_empty() && env.is_empty() { " another environment".to_owned() } else { stack + &env };
    Some(format!("it belongs to{whose}{}{}", part(TAG_REGION, " in "), part(TAG_NODE, ", as its ")))
}

fn names_place(owner: &Owner, tags: &Tags) -> bool {
    tags.get(TAG_STACK) == Some(&owner.stack) && tags.get(TAG_ENV) == Some(&owner.env)
}

fn place(owner: &Owner) -> String {
    format!("{} {}", owner.stack, owner.env)
}
