//! What the engine knows of a kind before it asks AWS anything.

use std::time::Duration;

use serde_json::Value;

use super::{Loss, OutOfReach, Phase, Replace, TAG_REGION, Wait, WayBack};
use crate::diff::{Change, Diff};
use crate::error::Result;

/// What the engine must know of a kind apart from its calls.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// `ec2.vpc`.
    pub kind: &'static str,
    /// Fields AWS cannot change in place.
    pub immutable: &'static [&'static str],
    /// Fields that never differ.
    pub witnesses: &'static [&'static str],
    /// Outputs that an update may change.
    pub volatile: &'static [&'static str],
    /// Order of a replacement.
    pub replace: Replace,
    /// Losing it loses data.
    pub stateful: bool,
    /// What is lost with it, though it holds no data.
    pub precious: Option<&'static str>,
    /// Outputs that an object made anew with the same immutable fields has again.
    pub foretold: &'static [&'static str],
    /// A failed one must be made anew.
    pub recreate_failed: bool,
    /// How the reason of that failure begins.
    pub born_failed: &'static str,
    /// One per account or region: given up, not removed.
    pub shared: bool,
    /// Looked for once more at the end of a destroy.
    pub reborn: bool,
    /// AWS refuses to remove it while others stand in it.
    pub ground: bool,
    /// It lets go of one of several grounds in place.
    pub steps_out: bool,
    /// It stays in the network it was made in.
    pub rooted: bool,
    /// Its id is a name that can be given again.
    pub named: bool,
    /// One for all regions.
    pub global: bool,
    /// What it is a part of, where it carries no tags.
    pub parent: Option<&'static str>,
    /// A node may come to have two.
    pub twins: bool,
    /// Others are without while it is gone.
    pub serves: bool,
    /// Its successor serves nobody at first.
    pub empty_at_first: bool,
    /// Fields whose change in place interrupts what it serves.
    pub interrupts: &'static [&'static str],
    /// Fields whose change has AWS carry out what waits.
    pub hastens: &'static [&'static str],
    /// It shuts a way for which others were to open another one.
    pub closes: bool,
    /// Has a credential that can be changed.
    pub rotates: bool,
    /// Can be restarted.
    pub restarts: bool,
    /// Takes the old one until that is taken back.
    pub retires: bool,
    /// How one can go back to what it held.
    pub way_back: WayBack,
    /// The longest name that a snapshot may have which AWS takes of it when asked to.
    pub snapshots: Option<usize>,
    /// How often it tries by itself what it failed at.
    pub tries_again: Option<Duration>,
    /// How long a cured one may go on showing how it had ended.
    pub stirs_within: Duration,
    /// How long a fresh dependency may stay invisible to its create call.
    pub depends_within: Duration,
    /// Poll interval and limits.
    pub wait: Wait,
    /// Writes a spec the way the kind itself would: a set of references is in another order than the set of their
    /// values, and only specs written the same way compare.
    pub canonical: fn(&Value) -> Result<Value>,
    /// What of a spec no update of this live twin can bring about.
    pub out_of_reach: fn(&Value, &Value) -> Option<OutOfReach>,
    /// What of a spec asks to undo what was asked for last, by a recorded spec, and AWS never undoes.
    pub takes_back: fn(&Value, &Value) -> Option<OutOfReach>,
    /// Fields in which this live twin serves as well as the spec.
    pub suffices: fn(&Value, &Value) -> &'static [&'static str],
    /// Whether the change from this live twin may change volatile outputs; `None`: if it is not of tags alone.
    pub unsettles: fn(&Value, &Value) -> Option<bool>,
    /// What of its data this live twin loses by being made as wanted in place.
    pub loses: fn(&Value, &Value) -> Option<Loss>,
    /// How this live twin is changed for good by being made as wanted.
    pub one_way: fn(&Value, &Value) -> Option<String>,
}

impl Facts {
    /// Why an object in this phase never came to be and must be made anew, if that is so: there is nothing in it to lose.
    pub fn never_was<'a>(&self, phase: &'a Phase) -> Option<&'a str> {
        match phase {
            Phase::Failed(reason) if self.recreate_failed && reason.starts_with(self.born_failed) => Some(reason),
            _ => None,
        }
    }

    /// Compares a spec of this kind with its live twin.
    pub fn diff(&self, want: &Value, live: &Value) -> Diff {
        let mut diff = Diff::between(want, live, self.immutable);
        diff.changes.retain(|change| !self.witnesses.contains(&change.field()));
        if !diff.is_empty() {
            let enough = (self.suffices)(want, live);
            diff.changes.retain(|change| !enough.contains(&change.field()));
        }
        // What was made before there was this tag gets it with the next change, and is right without until then.
        if diff.changes.iter().all(lacks_region) {
            diff.changes.clear();
        }
        diff
    }
}

fn lacks_region(change: &Change) -> bool {
    change.live.is_null() && change.path.strip_prefix("tags.") == Some(TAG_REGION)
}
