//! The state document.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StateError;
use super::migrate::{VERSION, migrate};
use crate::resource::Owner;

/// The highest serial and the highest fencing number that are believed: the last that every reader of JSON counts exactly.
pub(super) const MOST: u64 = 1 << 53;

/// Everything recorded about one stack in one environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Version of this format.
    pub version: u64,
    /// Made once with the document; two documents of different lineage never describe the same history.
    pub lineage: String,
    /// Grows by one with every save.
    pub serial: u64,
    /// The fencing number of the lock it was saved under. It only grows.
    pub fence: u64,
    /// The stack's name.
    pub stack: String,
    /// The environment's name.
    pub env: String,
    /// The AWS account, twelve digits.
    pub account: String,
    /// The AWS region.
    pub region: String,
    /// What the settings said at the last apply of what guards the environment. Absent before the first, and where a
    /// tapctl applied last that did not record it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// The journey of several steps that is under way, and its inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// Every node by name. A node whose object is to be removed after its replacement took over is kept under
    /// `name@suffix` until then.
    pub nodes: BTreeMap<String, NodeState>,
    /// The stack's outputs after the last complete apply.
    pub outputs: BTreeMap<String, Value>,
}

/// What is remembered of the settings, so that an environment stays guarded where they are not at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The file they came from, as it was named; none where all was left to the defaults.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Whether the file had a section of this environment's own.
    pub section: bool,
    /// Whether the environment was protected.
    pub protect: bool,
}

/// A journey of several steps that is under way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// The command that began it and goes on with it, as `restore`.
    pub verb: String,
    /// What it was begun with. No more than AWS could tell.
    #[serde(default)]
    pub inputs: BTreeMap<String, Value>,
    /// When it was begun.
    pub since: Timestamp,
}

/// What is recorded about one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeState {
    /// The kind's name.
    pub kind: String,
    /// The spec last applied, with every reference resolved.
    pub spec: Value,
    /// The nodes it depended on then.
    pub edges: BTreeSet<String>,
    /// AWS's identifier; absent between the intent to create it and the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What tells the object from every other that has had or will have this id, where that is a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What it gives to other nodes.
    #[serde(default)]
    pub outputs: Value,
    /// How far it got.
    pub progress: Progress,
    /// The create call under way or unanswered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
    /// When the create call was answered, or the object adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
}

impl NodeState {
    /// Whether the object was seen ready, be it in an earlier run, and nobody has asked for its end since. The outputs are
    /// recorded when it is first seen ready, and stay while it is changed.
    pub fn was_ready(&self) -> bool {
        self.progress != Progress::Deleting && (self.progress == Progress::Ready || !self.outputs.is_null())
    }
}

/// How far a node got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// Called for, and not yet seen ready and as wanted.
    Pending,
    /// Seen ready and as wanted.
    Ready,
    /// Asked to go.
    Deleting,
    /// Ended badly.
    Failed,
}

impl Progress {
    /// The word for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Progress::Pending => "pending",
            Progress::Ready => "ready",
            Progress::Deleting => "deleting",
            Progress::Failed => "failed",
        }
    }
}

/// A create call that has not been answered yet, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    /// The root of the call's client token.
    pub id: String,
    /// When it was first made.
    pub since: Timestamp,
    /// When it was last made, where that was more than a few seconds later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
}

impl Attempt {
    /// When the last call was made that may have made the object.
    pub fn latest(&self) -> Timestamp {
        self.last.unwrap_or(self.since)
    }
}

/// The name a node has in the stack: without the suffix of an object on its way out.
pub fn base_name(node: &str) -> &str {
    node.split('@').next().unwrap_or(node)
}

/// The recorded nodes that depend on this one. Edges do not tell an object on its way out from its replacement.
pub fn dependents<'a>(node: &'a str, state: &'a State) -> impl Iterator<Item = &'a String> {
    let uses = move |edges: &BTreeSet<String>| edges.contains(base_name(node));
    state.nodes.iter().filter(move |(name, other)| *name != node && uses(&other.edges)).map(|(name, _)| name)
}

impl State {
    /// A document for a stack of which nothing is known.
    pub fn new(stack: &str, env: &str, account: &str, region: &str) -> Self {
        State {
            version: VERSION,
            lineage: uuid::Uuid::new_v4().to_string(),
            serial: 0,
            fence: 0,
            stack: stack.to_owned(),
            env: env.to_owned(),
            account: account.to_owned(),
            region: region.to_owned(),
            settings: None,
            operation: None,
            nodes: BTreeMap::new(),
            outputs: BTreeMap::new(),
        }
    }

    /// Reads a document of this or an older version; `place` is named in errors.
    ///
    /// # Errors
    /// [`StateError::Damaged`] or [`StateError::Newer`].
    pub fn parse(text: &str, place: &str) -> Result<Self, StateError> {
        let value: Value = serde_json::from_str(text).map_err(|error| StateError::damaged(place, error))?;
        match value.get("version").and_then(Value::as_u64) {
            Some(0) => Err(StateError::damaged(place, "there is no version 0")),
            Some(found) if found > VERSION => Err(StateError::Newer { place: place.to_owned(), found, known: VERSION }),
            _ => {
                let state = State::deserialize(migrate(value)).map_err(|error| StateError::damaged(place, error))?;
                state.check_numbers(place)?;
                Ok(state)
            }
        }
    }

    /// Refuses numbers that no run has counted to: a run goes on from them.
    fn check_numbers(&self, place: &str) -> Result<(), StateError> {
        match [("serial", self.serial), ("fence", self.fence)].into_iter().find(|(_, number)| *number > MOST) {
            None => Ok(()),
            Some((name, number)) => Err(StateError::damaged(place, format!("no run counts to the {name} {number}"))),
        }
    }

    /// The fencing number of a document that may be unreadable otherwise. One that no run has counted to is none.
    pub(super) fn fence_of(bytes: &[u8]) -> u64 {
        let value: Option<Value> = serde_json::from_slice(bytes).ok();
        let fence = value.and_then(|value| value.get("fence")?.as_u64());
        fence.filter(|fence| *fence <= MOST).unwrap_or(0)
    }

    /// Refuses a document of another stack, environment, account or region.
    ///
    /// # Errors
    /// [`StateError::Other`].
    pub fn belongs_to(&self, wanted: &State, place: &str) -> Result<(), StateError> {
        let checks = [
            ("stack", &self.stack, &wanted.stack, "name another --state-dir, or the stack it belongs to"),
            ("env", &self.env, &wanted.env, "name another --state-dir, or the env it belongs to"),
            ("account", &self.account, &wanted.account, "use the credentials of the account it belongs to"),
            ("region", &self.region, &wanted.region, "set the region it belongs to in tapctl.toml"),
        ];
        match checks.into_iter().find(|(_, found, wanted, _)| found != wanted) {
            None => Ok(()),
            Some((what, found, wanted, hint)) => Err(StateError::Other {
                place: place.to_owned(),
                what,
                found: found.clone(),
                wanted: wanted.clone(),
                hint,
            }),
        }
    }

    /// Who calls for this node are made for.
    pub fn owner(&self, node: &str, attempt: &str) -> Owner {
        Owner {
            stack: self.stack.clone(),
            env: self.env.clone(),
            region: self.region.clone(),
            node: base_name(node).to_owned(),
            attempt: attempt.to_owned(),
        }
    }

    /// The document's text.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Whether any node but `except` is recorded with this kind and id.
    pub fn knows(&self, kind: &str, id: &str, except: &str) -> bool {
        self.nodes.iter().any(|(name, node)| name != except && node.kind == kind && node.id.as_deref() == Some(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::new("student-records", "dev", "123456789012", "us-east-1")
    }

    #[test]
    fn a_document_survives_a_round_trip() {
        let state = state();
        assert_eq!(State::parse(&state.text(), "x").unwrap(), state);
    }

    #[test]
    fn a_truncated_document_is_refused_with_where_it_breaks() {
        let text = state().text();
        let error = State::parse(&text[..text.len() / 2], "state/a.json").unwrap_err();
        assert!(matches!(error, StateError::Damaged { .. }), "{error}");
        assert!(error.to_string().starts_with("state/a.json is damaged: EOF while parsing"), "{error}");
    }

    #[test]
    fn a_newer_document_is_refused() {
        let text = state().text().replace("\"version\": 3", "\"version\": 9");
        let error = State::parse(&text, "s.json").unwrap_err().to_string();
        insta::assert_snapshot!(error, @r"
        s.json has version 9, and this tapctl reads up to version 3
        hint: use the tapctl that wrote it, or a newer one
        ");
    }

    #[test]
    fn a_document_with_numbers_that_no_run_counts_to_is_refused() {
        for wrong in [State { serial: u64::MAX, ..state() }, State { fence: MOST + 1, ..state() }] {
            let error = State::parse(&wrong.text(), "s.json").unwrap_err().to_string();
            assert!(error.starts_with("s.json is damaged: no run counts to the "), "{error}");
            assert_eq!(State::fence_of(wrong.text().as_bytes()), 0);
        }
        assert!(State::parse(&State { serial: MOST, fence: MOST, ..state() }.text(), "s.json").is_ok());
    }

    #[test]
    fn a_document_of_another_account_is_refused() {
        let other = State { account: "999999999999".into(), ..state() };
        let error = other.belongs_to(&state(), "s.json").unwrap_err().to_string();
        insta::assert_snapshot!(error, @r"
        s.json belongs to account 999999999999, and this run is for account 123456789012
        hint: use the credentials of the account it belongs to
        ");
    }
}
