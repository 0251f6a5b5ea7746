//! What a plan is: steps, each with what is done to one node and what that means for who relies on it.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::diff::Diff;
use crate::resource::{OutOfReach, Replace};

/// Why a node that is ready is resumed: no run has recorded its outputs yet.
pub const NOT_SEEN_READY: &str = "an earlier run did not see it ready";
/// What is known of what is [lost](Action::Lost).
pub(super) const GONE: &str = "it was ready, and is gone with its data";

/// What to do with one node.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// It is as it should be.
    Keep,
    /// It does not exist.
    Create,
    /// It held data, was ready once, and is gone, by nobody's doing here: only where it is named, an empty one is made.
    Lost {
        /// What is known of it.
        reason: String,
    },
    /// It exists and is ours, but the state does not know it; differences, if any, are made to go away.
    Adopt {
        /// What differs.
        diff: Diff,
        /// How it ended, where it ended badly: it is asked to try again.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It differs in fields that change in place.
    Update {
        /// What differs.
        diff: Diff,
    },
    /// It must be made anew.
    Replace {
        /// What differs.
        diff: Diff,
        /// Why an update will not do.
        reason: String,
    },
    /// An earlier run did not see it become ready; waiting goes on.
    Resume {
        /// What AWS calls its status, or [`NOT_SEEN_READY`].
        reason: String,
        /// What differs.
        diff: Diff,
    },
    /// It is a second object with the node's tags, beside the one that stays: it is removed.
    Duplicate {
        /// The one that stays.
        of: String,
    },
    /// It is no longer in the stack.
    Delete,
    /// It is no longer in the stack, and is gone already or is not ours to remove.
    Forget,
}

impl Action {
    /// The word for tables and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Action::Keep => "keep",
            Action::Create => "create",
            Action::Lost { .. } => "lost",
            Action::Adopt { .. } => "adopt",
            Action::Update { .. } => "update",
            Action::Replace { .. } => "replace",
            Action::Resume { .. } => "resume",
            Action::Duplicate { .. } => "duplicate",
            Action::Delete => "delete",
            Action::Forget => "forget",
        }
    }

    /// The differences it is about.
    pub fn diff(&self) -> Option<&Diff> {
        match self {
            Action::Adopt { diff, .. }
            | Action::Update { diff }
            | Action::Replace { diff, .. }
            | Action::Resume { diff, .. } => Some(diff),
            Action::Keep
            | Action::Create
            | Action::Lost { .. }
            | Action::Duplicate { .. }
            | Action::Delete
            | Action::Forget => None,
        }
    }

    /// Whether there is an object afterwards that was not this node's before.
    pub fn makes(&self) -> bool {
        matches!(self, Action::Create | Action::Adopt { .. } | Action::Replace { .. })
    }

    /// Whether what is taken over is written to, too: it differs, or is asked to try again.
    pub fn alters(&self) -> bool {
        matches!(self, Action::Adopt { diff, reason } if !diff.is_empty() || reason.is_some())
    }

    /// Whether the object is lost by it.
    pub fn destroys(&self) -> bool {
        matches!(self, Action::Delete | Action::Replace { .. } | Action::Duplicate { .. })
    }
}

/// One node's part of a plan.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// The node's name.
    pub node: String,
    /// The kind's name.
    pub kind: String,
    /// What to do.
    #[serde(flatten)]
    pub action: Action,
    /// AWS's identifier, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Losing the object loses data.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub stateful: bool,
    /// What is lost with the object, though it holds no data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub precious: Option<&'static str>,
    /// What it will be, where it is made or taken over. What only the apply will know is a reference.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<Value>,
    /// What is taken over is written to, too.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub alters: bool,
    /// Which comes first where the action is a replacement.
    #[serde(skip)]
    pub replace: Replace,
    /// AWS refuses to remove the object while others stand in it.
    #[serde(skip)]
    pub ground: bool,
    /// Why what stands is out of service for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outage: Option<String>,
    /// What of its data an object loses that stays, as `records older than 24 hours`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loses: Option<String>,
    /// How it is changed for good, as `from 16.11 to 17.5`: AWS has no way back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_way: Option<String>,
    /// What the stack wants of it and AWS would refuse.
    #[serde(skip)]
    pub refused: Option<OutOfReach>,
}

impl Step {
    /// A step of this node that is nothing special: it stands in nothing, holds nothing, interrupts and loses nothing.
    pub fn of(node: impl Into<String>, kind: impl Into<String>, action: Action) -> Self {
        Step {
            node: node.into(),
            kind: kind.into(),
            action,
            id: None,
            stateful: false,
            precious: None,
            spec: None,
            alters: false,
            replace: Replace::DeleteFirst,
            ground: false,
            outage: None,
            loses: None,
            one_way: None,
            refused: None,
        }
    }

    /// Whether the object goes before any successor comes.
    pub fn goes_first(&self) -> bool {
        match self.action {
            Action::Delete => true,
            Action::Replace { .. } => self.replace == Replace::DeleteFirst,
            _ => false,
        }
    }
}

/// Every node of the stack and of the state, dependencies first.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Plan {
    /// The steps.
    pub steps: Vec<Step>,
}

impl Plan {
    /// Whether nothing needs doing.
    pub fn is_empty(&self) -> bool {
        self.changes().next().is_none()
    }

    /// The steps that do something.
    pub fn changes(&self) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(|step| step.action != Action::Keep)
    }

    /// The part of it that is about these nodes.
    pub fn only(mut self, nodes: &BTreeSet<String>) -> Plan {
        self.steps.retain(|step| nodes.contains(&step.node));
        self
    }

    /// The objects of these nodes stay as they are.
    pub fn leave(&mut self, stays: &dyn Fn(&str) -> bool) {
        let stay = self.steps.iter_mut().filter(|step| step.action == Action::Delete && stays(&step.node));
        stay.for_each(|step| step.action = Action::Keep);
    }

    /// What comes of this plan and then of another one: what this one makes, and all else as the other one has it.
    pub fn and(&self, other: Plan) -> Plan {
        let others: BTreeSet<String> = other.steps.iter().map(|step| step.node.clone()).collect();
        let stays = |step: &&Step| step.action == Action::Create || !others.contains(&step.node);
        let mut steps: Vec<Step> = self.steps.iter().filter(stays).cloned().collect();
        let own: BTreeSet<String> = steps.iter().map(|step| step.node.clone()).collect();
        steps.extend(other.steps.into_iter().filter(|step| !own.contains(&step.node)));
        Plan { steps }
    }

    /// The duplicates that it shows.
    pub fn duplicates(&self) -> BTreeSet<String> {
        let steps = self.steps.iter().filter(|step| matches!(step.action, Action::Duplicate { .. }));
        steps.filter_map(|step| step.id.clone()).collect()
    }

    /// What is planned for a node.
    pub fn action(&self, node: &str) -> Option<&Action> {
        self.steps.iter().find(|step| step.node == node).map(|step| &step.action)
    }

    /// How many steps do this.
    pub fn count(&self, word: &str) -> usize {
        self.steps.iter().filter(|step| step.action.word() == word).count()
    }
}
