//! What the engine says of its work, while it works and after.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::staying::Stayings;
use crate::diff::Diff;
use crate::error::Fault;
use crate::plan::Action;
use crate::resource::{Facts, Phase, Seen};

/// Something a person may want to see while it happens.
#[derive(Debug, Clone)]
pub enum Event<'a> {
    /// This many steps are ahead.
    Begin {
        /// How many.
        steps: usize,
    },
    /// A node is being worked on.
    Start {
        /// The node.
        node: &'a str,
        /// Its kind.
        kind: &'a str,
        /// `ensure`, `remove`, `rotate`, `restart` or `snapshot`.
        verb: &'static str,
    },
    /// What is done to a node is decided: it differs, or it is missing.
    Act {
        /// The node.
        node: &'a str,
        /// `create`, `replace`, `update`, `adopt`, `resume`, `delete` or `restart`.
        verb: &'static str,
        /// How long that mostly takes, where there is a measure.
        usually: Option<Duration>,
    },
    /// A node waits.
    Wait {
        /// The node.
        node: &'a str,
        /// What for, in AWS's words where it has any.
        reason: &'a str,
    },
    /// A node is done.
    Done {
        /// The node.
        node: &'a str,
        /// Its kind.
        kind: &'a str,
        /// How it went.
        outcome: Outcome,
        /// How long it took.
        took: Duration,
    },
    /// A node failed.
    Failed {
        /// How.
        failure: &'a NodeFailure,
    },
    /// AWS is being read before anything is done.
    Read {
        /// How many nodes have been.
        done: usize,
        /// How many are to be. As many as that: the reading has ended, well or not.
        nodes: usize,
    },
    /// Something out of the ordinary that a person should know.
    Note {
        /// The node.
        node: &'a str,
        /// What.
        text: &'a str,
    },
}

/// Sees the events. The renderers implement it; the engine never prints.
pub trait Reporter {
    /// Called for each event, in order.
    fn event(&self, event: Event<'_>);
}

/// Sees nothing.
pub struct Silent;

impl Reporter for Silent {
    fn event(&self, _: Event<'_>) {}
}

/// How a node's step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Nothing to do.
    Kept,
    /// Made.
    Created,
    /// Found, ours, and taken into the state.
    Adopted,
    /// Changed in place.
    Updated,
    /// Made anew.
    Replaced,
    /// An earlier run's wait was seen to its end.
    Resumed,
    /// Its credential was changed.
    Rotated,
    /// Restarted.
    Restarted,
    /// AWS has copied it.
    Copied,
    /// Removed.
    Deleted,
    /// Was gone already, or is shared and stays.
    Forgotten,
    /// Left where it is by a destroy, and on record.
    Stays,
}

impl Outcome {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Kept => "unchanged",
            Outcome::Created => "created",
            Outcome::Adopted => "adopted",
            Outcome::Updated => "updated",
            Outcome::Replaced => "replaced",
            Outcome::Resumed => "ready",
            Outcome::Rotated => "rotated",
            Outcome::Restarted => "restarted",
            Outcome::Copied => "copied",
            Outcome::Deleted => "deleted",
            Outcome::Forgotten => "forgotten",
            Outcome::Stays => "kept",
        }
    }
}

/// The code of a wait that came to its end before AWS did.
pub(super) const STILL_RUNNING: &str = "TimedOut";

/// One node's failure.
#[derive(Debug, Clone)]
pub struct NodeFailure {
    /// The node.
    pub node: String,
    /// Its kind.
    pub kind: String,
    /// What was being done: `observe`, `create`, `update`, `delete`, `rotate`, `restart`, `snapshot`, `wait`.
    pub verb: &'static str,
    /// Why it failed.
    pub fault: Fault,
}

impl NodeFailure {
    pub(super) fn new(node: &str, kind: &str, verb: &'static str, fault: Fault) -> Self {
        NodeFailure { node: node.to_owned(), kind: kind.to_owned(), verb, fault }
    }

    /// Whether nothing has failed: AWS was at work on it for longer than was to be waited.
    pub fn is_still_running(&self) -> bool {
        self.verb == "wait" && self.fault.code == STILL_RUNNING
    }
}

impl fmt::Display for NodeFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_still_running() {
            true => write!(f, "{} ({}): {}; AWS goes on with it", self.node, self.kind, self.fault.message),
            false => write!(f, "{} ({}): {} failed: {}", self.node, self.kind, self.verb, self.fault),
        }
    }
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Report {
    /// Every step that ended well.
    pub done: Vec<(String, Outcome)>,
    /// The root failures; what only waited for those is not named.
    pub failures: Vec<NodeFailure>,
    /// Steps that were not begun.
    pub skipped: usize,
    /// Steps under way when a person asked to stop, with what AWS was doing.
    pub left: Vec<String>,
    /// A person asked to stop.
    pub interrupted: bool,
    /// What a destroy has left where it is.
    pub stays: Stayings,
}

impl Report {
    /// Whether everything was done.
    pub fn is_complete(&self) -> bool {
        self.failures.is_empty() && self.skipped == 0 && self.left.is_empty()
    }

    /// Goes on with what a later part of the same run did.
    pub fn extend(&mut self, later: Report) {
        self.done.extend(later.done);
        self.failures.extend(later.failures);
        self.skipped += later.skipped;
        self.left.extend(later.left);
        self.interrupted |= later.interrupted;
        self.stays.extend(later.stays);
    }

    /// How many steps ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.done.iter().filter(|(_, other)| *other == outcome).count()
    }
}

/// A node that is not as it was left.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drifted {
    /// The node.
    pub node: String,
    /// Its kind.
    pub kind: String,
    /// AWS's identifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The object is gone.
    pub missing: bool,
    /// Its status, where it is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// What of it is not in force before it is restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub awaits_restart: Option<String>,
    /// What others have asked for and waits for a maintenance window, a sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queued: Vec<String>,
    /// What differs: `want` is the recorded desire.
    pub changes: Diff,
    /// Ids of further objects that carry the node's tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<String>,
    /// What becomes of it.
    #[serde(flatten)]
    pub repair: Repair,
}

/// What the next apply makes of a node that is not as it was left, as long as the settings ask for the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "repair")]
pub enum Repair {
    /// It makes it as it was left.
    Mended,
    /// It waits until it is ready: AWS is at work on it.
    Waits,
    /// It asks AWS to try again what ended badly.
    Retried,
    /// It leaves it, where it is not allowed to restart it.
    Restarts,
    /// It leaves what waits alone, unless a person decides about it.
    Waiting,
    /// It makes one without data in the place of one that had some, and was asked to go.
    Empty,
    /// It is refused until the node is named: its data is gone with it.
    Lost,
    /// It is refused: AWS does not let it be changed.
    Refused {
        /// What it has, and why it keeps it.
        why: String,
    },
    /// It asks first: what was kept for longer would be kept so no more.
    Asks {
        /// What is lost, as `records older than 24 hours`.
        loses: String,
    },
    /// It makes it anew.
    Anew {
        /// Why an update will not do.
        reason: String,
        /// What is lost with it: `data`, or what else cannot be had again. It is lost only where the node is named.
        #[serde(skip_serializing_if = "Option::is_none")]
        loses: Option<&'static str>,
    },
}

impl Repair {
    /// What such an action comes to.
    pub(super) fn by(
        action: &Action,
        facts: &Facts,
        want: &Value,
        found: Option<&Seen>,
        loses: Option<String>,
    ) -> Repair {
        let refused = found.and_then(|found| (facts.out_of_reach)(want, &found.live));
        match action {
            Action::Lost { .. } => Repair::Lost,
            Action::Create if facts.stateful => Repair::Empty,
            Action::Replace { reason, .. } => {
                let never_was = found.is_some_and(|found| facts.never_was(&found.phase).is_some());
                let loses = if facts.stateful { Some("data") } else { facts.precious };
                Repair::Anew { reason: reason.clone(), loses: loses.filter(|_| !never_was) }
            }
            _ if refused.is_some() => Repair::Refused { why: refused.map(|it| it.why).unwrap_or_default() },
            _ if loses.is_some() => Repair::Asks { loses: loses.unwrap_or_default() },
            Action::Resume { diff, .. } => match found.map(|found| &found.phase) {
                Some(Phase::Pending(_)) => Repair::Waits,
                Some(Phase::Failed(_)) if diff.is_empty() => Repair::Retried,
                _ => Repair::Mended,
            },
            _ => Repair::Mended,
        }
    }
}
