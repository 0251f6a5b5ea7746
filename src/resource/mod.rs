//! The contract between the engine and a kind of AWS object.
//!
//! A kind implements [`Resource`]; the engine sees [`Kind`], which speaks JSON. The implementor *is* the spec,
//! and what AWS reports is read into the same type, so one generic comparison serves plan, update, drift and verify.

mod backup;
mod besides;
mod blank;
mod facts;
mod ignored;
mod kind;
mod loss;
mod owner;
mod pass;
mod phase;
mod queued;

use std::time::Duration;

pub use backup::{Backup, BackupKey, WayBack};
pub use besides::{Besides, Restart};
pub use blank::blank;
pub use facts::Facts;
pub use ignored::IgnoredTags;
pub use kind::{Kind, Kinds, Seen};
pub use loss::Loss;
pub use owner::{Owner, TAG_ENV, TAG_NODE, TAG_REASON, TAG_REGION, TAG_STACK, Tags};
pub use pass::{Cx, Pass};
pub use phase::Phase;
pub use queued::{Queue, Queued, hastened, refuse_along};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::diff::Diff;
use crate::error::{Fault, Result};

/// One type of AWS object. The implementor is its spec: what should be true of it.
///
/// No method sleeps, retries, waits, saves, prints, or reads the environment: the engine does.
#[allow(async_fn_in_trait, reason = "the engine runs on one thread, so its futures need not be Send")]
pub trait Resource: Serialize + DeserializeOwned + Clone + 'static {
    /// The cloud this kind lives in: what its calls go through.
    type Cloud: 'static;
    /// What other nodes may refer to.
    type Outputs: Serialize + DeserializeOwned + Clone + 'static;
    /// The name in state files, forever: `ec2.vpc`.
    const KIND: &'static str;
    /// Fields AWS cannot change in place. A change there means a replacement.
    const IMMUTABLE: &'static [&'static str] = &[];
    /// Fields that AWS tells nothing of: what must exist before this, or what only its making uses. They never differ.
    const WITNESSES: &'static [&'static str] = &[];
    /// Outputs that an update may change, as a content hash: while an update is planned they are not known.
    const VOLATILE: &'static [&'static str] = &[];
    /// Which comes first when the object must be replaced.
    const REPLACE: Replace = Replace::DeleteFirst;
    /// Losing it loses data: never removed or replaced by `apply` without being named.
    const STATEFUL: bool = false;
    /// What is lost with it and cannot be had again, though it holds no data, as `the address`: never removed or replaced
    /// by `apply` without being named.
    const PRECIOUS: Option<&'static str> = None;
    /// Outputs that follow from the [immutable](Self::IMMUTABLE) fields, as an ARN from a name, or where they are
    /// [volatile](Self::VOLATILE) from all: an object made anew with the same has them again. Never one that AWS draws.
    const FORETOLD: &'static [&'static str] = &[];
    /// An object that ended `Failed` never recovers and must be made anew, as a NAT gateway.
    const RECREATE_FAILED: bool = false;
    /// How the reason of such a failure begins, where an object may also end `Failed` after it came to be.
    const BORN_FAILED: &'static str = "";
    /// There is one per account or region, whoever made it: taken over without asking. `destroy` calls `delete` once to
    /// give up this stack's share, and does not wait for it to vanish.
    const SHARED: bool = false;
    /// Services make it anew when they still write after it was removed: `destroy` looks for it once more at its end.
    const REBORN: bool = false;
    /// Others stand in it: AWS refuses to remove it while one of them does.
    const GROUND: bool = false;
    /// It lets go of one of several grounds in place, as a subnet group does of a subnet in which nothing stands.
    const STEPS_OUT: bool = false;
    /// It stays in the network it was made in: AWS moves it to no other, and to make it anew loses its data or its
    /// address.
    const ROOTED: bool = false;
    /// Whether its id is a name, or is made of names, that can be given again once the object is gone: what is found there
    /// later may be somebody else's.
    const NAMED: bool = false;
    /// Whether it is one for all regions of the account.
    const GLOBAL: bool = false;
    /// The kind of the object it is a part of, for kinds that carry no tags: whose that is decides whose this is.
    const PARENT: Option<&'static str> = None;
    /// Whether nothing but its tags tells which node's it is, so that a node may come to have two.
    const TWINS: bool = false;
    /// Others are served by it or reached through it: while it is gone, they are without.
    const SERVES: bool = false;
    /// Its successor serves nobody until its users have moved there, though both can stand at once.
    const EMPTY_AT_FIRST: bool = false;
    /// Fields whose change in place interrupts what it serves, be it for seconds.
    const INTERRUPTS: &'static [&'static str] = &[];
    /// Fields along with whose change AWS carries out at once what waits for its maintenance window, too.
    const HASTENS: &'static [&'static str] = &[];
    /// It shuts a way for which others were to open another one: before it changes anything, what the run has changed so far
    /// is given the time to take effect.
    const CLOSES: bool = false;
    /// Whether it keeps or uses a credential that was made for it, and [`rotate`](Resource::rotate) changes that.
    const ROTATES: bool = false;
    /// Whether a restart brings settings into force, and [`restart`](Resource::restart) does one.
    const RESTARTS: bool = false;
    /// Whether it goes on taking the old credential after that, until [`Turn::Retire`].
    const RETIRES: bool = false;
    /// How one can go back to what it held.
    const WAY_BACK: WayBack = WayBack::NoData;
    /// Whether AWS copies it when it is asked to, as [`snapshot`](Resource::snapshot) does: the longest name that such a copy
    /// may have.
    const SNAPSHOTS: Option<usize> = None;
    /// It tries by itself what it failed at, this often at the longest, and shows until then how the last try ended.
    const TRIES_AGAIN: Option<Duration> = None;
    /// How long after an update that is to cure it an object may go on showing how it had ended before.
    const STIRS_WITHIN: Duration = Duration::from_secs(10);
    /// How long a fresh dependency may stay invisible to its create call.
    const DEPENDS_WITHIN: Duration = Duration::from_secs(300);
    /// How often to look while waiting, and for how long.
    const WAIT: Wait = Wait::seconds(5, 300, 600);

    /// Refuses what AWS would refuse, before any call: lengths, patterns, allowed values.
    fn check(&self) -> std::result::Result<(), String> {
        Ok(())
    }
    /// What AWS would refuse to change, whatever it is asked: storage that shrinks, a version that goes back. `None` where
    /// each difference from what is live can be made to go away, be it by a replacement.
    fn out_of_reach(&self, live: &Self) -> Option<OutOfReach> {
        let _ = live;
        None
    }
    /// What a change of the settings asks to undo though AWS never does, as a size that was asked for and is no more. What
    /// was asked for last is compared: that there is more by now was nobody's wish here.
    fn takes_back(&self, recorded: &Self) -> Option<OutOfReach> {
        let _ = recorded;
        None
    }
    /// Fields in which what is live serves as well as what is asked for, though it is another: a version that is ahead, or
    /// more storage. They are no differences, and nothing is asked of them.
    fn suffices(&self, live: &Self) -> &'static [&'static str] {
        let _ = live;
        &[]
    }
    /// Why AWS could take no last copy of it in this phase, though the spec asks for one before it goes: as a sentence.
    /// `None` where it can, or where none is asked for.
    fn unpreservable(&self, phase: &Phase) -> Option<String> {
        let _ = phase;
        None
    }
    /// What AWS keeps for a while after a delete, for people to know.
    fn remains(&self) -> Option<String> {
        None
    }
    /// Whether the change from what is live may change its [volatile](Self::VOLATILE) outputs. `None`: any may but one of
    /// tags.
    fn unsettles(&self, live: &Self) -> Option<bool> {
        let _ = live;
        None
    }
    /// What of its data is gone for good once it is made as wanted in place: what a shorter retention removes.
    fn loses(&self, live: &Self) -> Option<Loss> {
        let _ = live;
        None
    }
    /// How this changes what is live for good, as `from 16.11 to 17.5`: AWS has no way back, so that a person says it by
    /// name.
    fn one_way(&self, live: &Self) -> Option<String> {
        let _ = live;
        None
    }
    /// Reads AWS, never writes. With `id`, that object; without, the one this node owns, found by caller-chosen
    /// name, natural key or ownership tag. `None`: it does not exist.
    async fn observe(&self, cx: &Cx<'_, Self::Cloud>, id: Option<&str>) -> Result<Option<Observed<Self>>>;
    /// One call that makes it, tags included. Returns its id, which is saved before any wait.
    async fn create(&self, cx: &Cx<'_, Self::Cloud>) -> Result<String>;
    /// Makes the listed differences go away, in place. May do only a part where AWS takes one change at a time:
    /// the engine waits until the object is ready, compares again and calls again while differences get fewer. With no
    /// differences, it ended `Failed` in an earlier run, and is to try again where that can help.
    async fn update(&self, cx: &Cx<'_, Self::Cloud>, observed: &Observed<Self>, diff: &Diff) -> Result<()>;
    /// Has another object take over what it does before it goes, where others stay that it does that for. `None`: it can go;
    /// else what is waited for, and it is asked again. Called before a removal by an apply, and not by a destroy.
    async fn relieve(&self, cx: &Cx<'_, Self::Cloud>, observed: &Observed<Self>) -> Result<Option<String>> {
        let _ = (cx, observed);
        Ok(None)
    }
    /// Asks AWS to remove it. Absent, or already going, is success.
    async fn delete(&self, cx: &Cx<'_, Self::Cloud>, observed: &Observed<Self>) -> Result<()>;
    /// What still uses it. Asked before a destroy, and where AWS has refused to remove it for a while, so reads are
    /// shared with the other nodes of the pass. Reads AWS, never writes.
    async fn blockers(&self, cx: &Cx<'_, Self::Cloud>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let _ = (cx, observed);
        Ok(Vec::new())
    }
    /// What AWS has put into it by itself and leaves there: a `destroy` names it, and removes it before this. Reads AWS,
    /// never writes.
    async fn lodgers(&self, cx: &Cx<'_, Self::Cloud>, observed: &Observed<Self>) -> Result<Vec<Lodger>> {
        let _ = (cx, observed);
        Ok(Vec::new())
    }
    /// Why a destroy leaves it where it is: what it holds is to outlive the environment, or cannot be read without it; and
    /// how that ends, as the end of a sentence: `kept for the snapshot X; delete that, then run destroy again`. `None`: it
    /// goes. Asked when all that depends on it is gone, or stays. Reads AWS, never writes.
    async fn stays(&self, cx: &Cx<'_, Self::Cloud>, observed: &Observed<Self>) -> Result<Option<String>> {
        let _ = (cx, observed);
        Ok(None)
    }
    /// Every object of this kind that is this stack's and environment's, told without a spec: by its ownership tags or,
    /// where it carries none, by what it is a part of. May name what is gone already, since lists lag. Parts that go
    /// with the whole, and hold up nothing, need not be told. Reads AWS, never writes.
    async fn list(cx: &Cx<'_, Self::Cloud>) -> Result<Vec<Found>> {
        let _ = cx;
        Ok(Vec::new())
    }
    /// What AWS keeps for a while of an object that is gone to who asks for it by this id, in a few words for people.
    /// Reads AWS, never writes.
    async fn kept(cx: &Cx<'_, Self::Cloud>, id: &str) -> Result<Option<String>> {
        let _ = (cx, id);
        Ok(None)
    }
    /// What AWS has from which this object could be restored: snapshots and copies that carry this node's ownership tags, or
    /// were taken of an object of its name, and where it stands the time that one can go back to. What goes with the object
    /// says so. Reads AWS, never writes.
    async fn backups(&self, cx: &Cx<'_, Self::Cloud>) -> Result<Vec<Backup>> {
        let _ = cx;
        Ok(Vec::new())
    }
    /// What AWS last said of it, for a person whose change came to nothing. Reads AWS, never writes; not being told is no
    /// failure of its own.
    async fn last_words(&self, cx: &Cx<'_, Self::Cloud>, observed: &Observed<Self>) -> Option<String> {
        let _ = (cx, observed);
        None
    }
    /// Asks AWS for a copy of it under this name that carries these tags, and that stays, whatever becomes of it, until
    /// somebody deletes it. It is ready when [`find_snapshot`](Resource::find_snapshot) says so.
    async fn snapshot(&self, _: &Cx<'_, Self::Cloud>, _: &Observed<Self>, _: &str, _: &Tags) -> Result<()> {
        Err(Fault::invalid(format!("AWS takes no snapshot of a {} when asked to", Self::KIND)))
    }
    /// The copy of this name, if there is one. A fault where it is not this node's. Reads AWS, never writes.
    async fn find_snapshot(&self, _: &Cx<'_, Self::Cloud>, _: &str) -> Result<Option<Backup>> {
        Ok(None)
    }
    /// Fields of a spec of which nobody knows what was wished, as an object: what AWS does not give back, on the careful
    /// side, and what has no blank form. See [`blank`].
    fn careful() -> Value {
        Value::Null
    }
    /// Brings a spec that an earlier version recorded to the form that this one has. Only called where it cannot be read
    /// as it is; fields that it does not give stay blank.
    fn upgrade(spec: &mut Value) {
        let _ = spec;
    }
    /// Has AWS carry out the changes of it that wait for a maintenance window, or takes them back.
    async fn settle_queue(&self, _: &Cx<'_, Self::Cloud>, _: &Observed<Self>, _: Queue) -> Result<()> {
        Ok(())
    }
    /// Asks AWS to restart it, so that all of its settings are in force.
    async fn restart(&self, _: &Cx<'_, Self::Cloud>, _: &Observed<Self>) -> Result<()> {
        Ok(())
    }
    /// Changes its credential, in two turns with a wait until it is ready after each, and a third after its users had theirs
    /// where the old one stays valid until then. What was drawn and not yet settled must be found again in AWS: a turn may be
    /// made again at any time, and after a crash the first is.
    async fn rotate(&self, _: &Cx<'_, Self::Cloud>, _: &Observed<Self>, _: Turn) -> Result<()> {
        Ok(())
    }
}

/// A difference that no update makes go away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfReach {
    /// The field of the spec.
    pub field: &'static str,
    /// From what to what, and why not, as a sentence without its subject: `has 40 GiB, and storage never gets smaller`.
    pub why: String,
}

/// An object that a list names as this stack's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The node it was made for.
    pub node: String,
    /// AWS's identifier, as the kind observes it by.
    pub id: String,
    /// It is no object to remove, but what AWS keeps of one that was removed, in a few words for people.
    pub kept: Option<String>,
}

impl Found {
    /// An object that stands.
    pub fn new(node: impl Into<String>, id: impl Into<String>) -> Self {
        Found { node: node.into(), id: id.into(), kept: None }
    }
}

/// Something that stands in the way of a removal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its id and what it is, in a few words for people.
    pub words: String,
    /// What it goes with.
    pub goes: GoesWith,
}

/// With what a [`Holder`] goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoesWith {
    /// With nothing: who made it must remove it.
    Nothing,
    /// With the object of this id.
    Object(String),
    /// With something that AWS does not name.
    Unknown,
}

impl Holder {
    /// Something that only who made it removes.
    pub fn by_itself(words: impl Into<String>) -> Self {
        Holder { words: words.into(), goes: GoesWith::Nothing }
    }

    /// Something that goes with the object of this id.
    pub fn of(object: impl Into<String>, words: impl Into<String>) -> Self {
        Holder { words: words.into(), goes: GoesWith::Object(object.into()) }
    }
}

/// Something that AWS has put into an object of ours by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lodger {
    /// What a person calls it, in the form of a node's name: `guardduty-endpoint`.
    pub name: &'static str,
    /// The kind that removes it.
    pub kind: &'static str,
    /// AWS's identifier, as that kind observes it by.
    pub id: String,
}

/// A part of a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Draws a new credential, or takes the one that was drawn before a crash, and gives it to the object.
    Begin,
    /// The object has it: makes it the one that everybody reads.
    Settle,
    /// Everybody has read it: takes back the old one, where the object has [two](Resource::RETIRES).
    Retire,
}

/// What AWS says of one object now.
#[derive(Debug, Clone)]
pub struct Observed<R: Resource> {
    /// AWS's identifier, enough to find the object again without its spec.
    pub id: String,
    /// The spec as it is live. Fields that AWS never gives back are copied from the spec that was asked with.
    pub live: R,
    /// What other nodes may refer to.
    pub outputs: R::Outputs,
    /// Where it is in its life.
    pub phase: Phase,
    /// Why it is not ours, for kinds that carry no tags.
    pub foreign: Option<String>,
    /// Ids of further objects that carry this node's ownership tags; the engine removes them.
    pub duplicates: Vec<String>,
    /// What tells this object from every other that has had or will have its id, where the id is a name that can be given
    /// again: as a role's `RoleId`. `None` where AWS gives out the id, or tells nothing of the kind.
    pub identity: Option<String>,
    /// It is as a service makes it by itself: nobody has chosen anything of it. Told by kinds that are
    /// [made anew](Resource::REBORN).
    pub unchosen: bool,
    /// What AWS says of it beside its fields.
    pub besides: Besides,
}

impl<R: Resource> Observed<R> {
    /// An object that is ready for use.
    pub fn ready(id: impl Into<String>, live: R, outputs: R::Outputs) -> Self {
        Observed {
            id: id.into(),
            live,
            outputs,
            phase: Phase::Ready,
            foreign: None,
            duplicates: Vec::new(),
            identity: None,
            unchosen: false,
            besides: Besides::default(),
        }
    }

    /// The same object with what AWS says of it beside its fields.
    pub fn with(mut self, besides: Besides) -> Self {
        self.besides = besides;
        self
    }

    /// The same object with what tells it from others of its id, where AWS gives it.
    pub fn known_by(mut self, identity: impl Into<Option<String>>) -> Self {
        self.identity = identity.into();
        self
    }

    /// The same object in another phase.
    pub fn in_phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }
}

/// Which comes first in a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// The old one holds a unique name or key: it goes first.
    DeleteFirst,
    /// Both can exist at once: dependents move over, then the old one goes.
    CreateFirst,
}

/// How often the engine looks while it waits, and for how long at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// The longest pause between two looks.
    pub every: Duration,
    /// From the create or update call until ready.
    pub ready: Duration,
    /// From the first delete call until gone.
    pub gone: Duration,
    /// How long it mostly takes from the create call until ready.
    pub usually_ready: Duration,
    /// How long it mostly takes from the delete call until gone.
    pub usually_gone: Duration,
}

impl Wait {
    /// Pause and limits in seconds, for what mostly takes no longer than one pause.
    pub const fn seconds(every: u64, ready: u64, gone: u64) -> Self {
        let every = Duration::from_secs(every);
        let (ready, gone) = (Duration::from_secs(ready), Duration::from_secs(gone));
        Wait { every, ready, gone, usually_ready: every, usually_gone: every }
    }

    /// The same for what mostly takes this many seconds to be ready, and these to be gone: what people are told while they
    /// wait, and what decides which of many goes first. Nothing is given up for it.
    pub const fn usually(self, ready: u64, gone: u64) -> Self {
        let (usually_ready, usually_gone) = (Duration::from_secs(ready), Duration::from_secs(gone));
        Wait { usually_ready, usually_gone, ..self }
    }
}
