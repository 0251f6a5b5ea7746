//! The kinds of the fake cloud: one spec, and a flavour for each way in which real kinds differ.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tapctl::diff::Diff;
use tapctl::error::Result;
use tapctl::resource::{
    Backup, Cx, Found as Listed, Holder, Kinds, Loss, Observed, OutOfReach, Phase, Queue, Replace, Resource, TAG_NODE,
    Tags, Turn, Wait, WayBack,
};
use tapctl::stack::{Node, Out, Stack};
use tokio::time::Instant;

use crate::cloud::{FakeCloud, Fields, Manner, Object};

/// How a kind finds its object when it has no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    ByTags,
    ByName,
    /// By what it joins.
    ByUses,
    /// There is only one.
    Alone,
}

/// In what a kind differs from the others.
pub trait Flavor: Debug + Clone + 'static {
    const KIND: &'static str;
    const FOUND: Found = Found::ByTags;
    const TOKEN: bool = false;
    const IMMUTABLE: &'static [&'static str] = &["name", "zone", "uses"];
    const VOLATILE: &'static [&'static str] = &[];
    /// Whether only a change of its size or flags changes its volatile outputs.
    const BY_SIZE: bool = false;
    const REPLACE: Replace = Replace::DeleteFirst;
    const SHARED: bool = false;
    /// Whether it has a credential that can be changed.
    const ROTATES: bool = false;
    /// Whether it has the old credential as well until that is taken back.
    const RETIRES: bool = false;
    /// Whether another takes over from it before it goes.
    const LEADS: bool = false;
    /// Whether a larger size than is asked for serves as well, and never gets smaller.
    const MORE_SUFFICES: bool = false;
    /// Whether others must have another way before it changes.
    const CLOSES: bool = false;
    const RECREATE_FAILED: bool = false;
    const READY: u64 = 0;
    const GONE: u64 = 0;
    /// Whether an update takes time.
    const SETTLES: bool = false;
    /// Whether flags can be set only after it exists, one a call.
    const FLAGS_LATER: bool = false;
    const REBORN: bool = false;
    const TRIES_AGAIN: Option<Duration> = None;
    const GROUND: bool = false;
    const STEPS_OUT: bool = false;
    const ROOTED: bool = false;
    const SERVES: bool = false;
    const INTERRUPTS: &'static [&'static str] = &[];
    /// Whether its size only grows.
    const GROWS: bool = false;
    /// Whether a smaller size loses a part of what is in it; of what has size 0 nobody chose one, and it keeps all.
    const FORGETS: bool = false;
    /// Whether its id is its name.
    const NAMED: bool = false;
    /// Whether the cloud tells it from others that have had its name.
    const KNOWN: bool = false;
    const STATEFUL: bool = false;
    const WAY_BACK: WayBack = WayBack::NoData;
    const SNAPSHOTS: Option<usize> = None;
    const PARENT: Option<&'static str> = None;
    const PRECIOUS: Option<&'static str> = None;
    const FORETOLD: &'static [&'static str] = &[];
}

/// What should be true of an object of the fake cloud.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Spec<F: Flavor> {
    name: Option<String>,
    zone: String,
    size: u32,
    flags: BTreeMap<String, bool>,
    uses: BTreeMap<String, Out<String>>,
    tags: Option<Tags>,
    #[serde(skip)]
    flavor: PhantomData<F>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Outputs {
    id: String,
    etag: String,
}

impl<F: Flavor> Spec<F> {
    pub fn new() -> Self {
        let tags = matches!(F::FOUND, Found::ByTags | Found::ByName).then(Tags::new);
        Spec {
            name: None,
            zone: "a".into(),
            size: 1,
            flags: BTreeMap::new(),
            uses: BTreeMap::new(),
            tags,
            flavor: PhantomData,
        }
    }

    pub fn zone(mut self, zone: &str) -> Self {
        self.zone = zone.into();
        self
    }

    pub fn size(mut self, size: u32) -> Self {
        self.size = size;
        self
    }

    pub fn flag(mut self, flag: &str, on: bool) -> Self {
        self.flags.insert(flag.into(), on);
        self
    }

    pub fn uses(mut self, role: &str, used: Out<String>) -> Self {
        self.uses.insert(role.into(), used);
        self
    }

    /// Adds it to a stack; a kind found by name is named as its node.
    pub fn on(mut self, stack: &mut Stack, node: &str) -> Node<Self> {
        if F::FOUND == Found::ByName {
            self.name.get_or_insert_with(|| node.to_owned());
        }
        stack.add(node, self)
    }

    pub fn named(mut self, name: &str) -> Self {
        self.name = Some(name.into());
        self
    }

    fn fields(&self) -> Result<Fields> {
        let mut uses = BTreeMap::new();
        for (role, used) in &self.uses {
            uses.insert(role.clone(), used.get()?.clone());
        }
        Ok(Fields {
            name: self.name.clone(),
            zone: self.zone.clone(),
            size: self.size,
            flags: self.flags.clone(),
            uses,
            tags: self.tags.clone(),
        })
    }

    /// The id of a kind that is known by what it joins.
    fn key(&self) -> Result<Option<String>> {
        Ok(match F::FOUND {
            Found::ByUses => Some(format!("link:{}", self.fields()?.uses.into_values().collect::<Vec<_>>().join("+"))),
            Found::Alone => Some("the-one".to_owned()),
            Found::ByName if F::NAMED => self.name.clone(),
            Found::ByTags | Found::ByName => None,
        })
    }

    fn is_mine(&self, cx: &Cx<'_, FakeCloud>, object: &Object) -> Result<bool> {
        Ok(match F::FOUND {
            Found::ByTags => object.fields.tags.as_ref().is_some_and(|tags| cx.owner.owns(tags)),
            Found::ByName => object.fields.name == self.name,
            Found::ByUses | Found::Alone => Some(&object.id) == self.key()?.as_ref(),
        })
    }
}

/// How this kind behaves.
pub fn manner<F: Flavor>() -> Manner {
    Manner {
        kind: F::KIND,
        ready: Duration::from_secs(F::READY),
        gone: Duration::from_secs(F::GONE),
        settles: F::SETTLES,
    }
}

fn live<F: Flavor>(fields: &Fields) -> Spec<F> {
    Spec {
        name: fields.name.clone(),
        zone: fields.zone.clone(),
        size: fields.size,
        flags: fields.flags.clone(),
        uses: fields.uses.iter().map(|(role, used)| (role.clone(), used.clone().into())).collect(),
        tags: fields.tags.clone(),
        flavor: PhantomData,
    }
}

fn phase(object: &Object) -> Phase {
    match &object.broken {
        _ if object.gone_at.is_some() => Phase::Deleting,
        _ if object.ready_at > Instant::now() => Phase::Pending("being made".into()),
        Some(reason) => Phase::Failed(reason.clone()),
        None => Phase::Ready,
    }
}

impl<F: Flavor> Resource for Spec<F> {
    type Cloud = FakeCloud;
    type Outputs = Outputs;
    const KIND: &'static str = F::KIND;
    const IMMUTABLE: &'static [&'static str] = F::IMMUTABLE;
    const VOLATILE: &'static [&'static str] = F::VOLATILE;
    const REPLACE: Replace = F::REPLACE;
    const SHARED: bool = F::SHARED;
    const ROTATES: bool = F::ROTATES;
    // What has a credential can be restarted, and has a window for changes of its size.
    const RESTARTS: bool = F::ROTATES;
    const HASTENS: &'static [&'static str] = if F::ROTATES { &["size"] } else { &[] };
    const RETIRES: bool = F::RETIRES;
    const CLOSES: bool = F::CLOSES;
    const RECREATE_FAILED: bool = F::RECREATE_FAILED;
    const REBORN: bool = F::REBORN;
    const TRIES_AGAIN: Option<Duration> = F::TRIES_AGAIN;
    const GROUND: bool = F::GROUND;
    const STEPS_OUT: bool = F::STEPS_OUT;
    const ROOTED: bool = F::ROOTED;
    const NAMED: bool = F::NAMED;
    const STATEFUL: bool = F::STATEFUL;
    const WAY_BACK: WayBack = F::WAY_BACK;
    const SNAPSHOTS: Option<usize> = F::SNAPSHOTS;
    const PARENT: Option<&'static str> = F::PARENT;
    const TWINS: bool = matches!(F::FOUND, Found::ByTags);
    const SERVES: bool = F::SERVES;
    const INTERRUPTS: &'static [&'static str] = F::INTERRUPTS;
    const PRECIOUS: Option<&'static str> = F::PRECIOUS;
    const FORETOLD: &'static [&'static str] = F::FORETOLD;
    const WAIT: Wait = Wait::seconds(5, 300, 600);

    fn out_of_reach(&self, live: &Self) -> Option<OutOfReach> {
        let why = format!("has {} and should have {}", live.size, self.size);
        (F::GROWS && self.size < live.size).then_some(OutOfReach { field: "size", why })
    }

    fn takes_back(&self, recorded: &Self) -> Option<OutOfReach> {
        let why = format!("was asked to have {}", recorded.size);
        (F::MORE_SUFFICES && self.size < recorded.size).then_some(OutOfReach { field: "size", why })
    }

    fn suffices(&self, live: &Self) -> &'static [&'static str] {
        if F::MORE_SUFFICES && live.size >= self.size { &["size"] } else { &[] }
    }

    fn unsettles(&self, live: &Self) -> Option<bool> {
        F::BY_SIZE.then(|| self.size != live.size || self.flags != live.flags)
    }

    fn loses(&self, live: &Self) -> Option<Loss> {
        let (want, size) = (self.size.try_into().ok(), live.size.try_into().ok().filter(|size| *size > 0));
        Loss::of_shorter_than_ever("notes", "days", want, size).filter(|_| F::FORGETS)
    }

    async fn observe(&self, cx: &Cx<'_, FakeCloud>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let all = cx.pass.shared(F::KIND, || cx.list(cx.owner, F::KIND)).await?;
        let mut found = Vec::new();
        for object in all.iter() {
            if id.map_or_else(|| self.is_mine(cx, object), |id| Ok(object.id == id))? {
                found.push(object);
            }
        }
        let Some((first, rest)) = found.split_first() else { return Ok(None) };
        let outputs = Outputs { id: first.id.clone(), etag: format!("{:?}/{}", first.fields.flags, first.fields.size) };
        let mut observed = Observed::ready(&first.id, live(&first.fields), outputs).in_phase(phase(first));
        observed.identity = F::KNOWN.then(|| first.born.to_string());
        // Whoever makes one on purpose gives it a size.
        observed.unchosen = F::REBORN && first.fields.size == 0;
        observed.besides = cx.besides.borrow().get(&cx.owner.node).cloned().unwrap_or_default();
        observed.duplicates = rest.iter().map(|object| object.id.clone()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_, FakeCloud>) -> Result<String> {
        let mut fields = self.fields()?;
        if F::FLAGS_LATER {
            fields.flags.values_mut().for_each(|on| *on = false);
        }
        cx.cloud.create(cx.owner, manner::<F>(), fields, self.key()?, F::TOKEN).await
    }

    async fn backups(&self, cx: &Cx<'_, FakeCloud>) -> Result<Vec<Backup>> {
        Ok(cx.backups.borrow().get(&cx.owner.node).cloned().unwrap_or_default())
    }

    async fn last_words(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>) -> Option<String> {
        cx.words.borrow().get(&observed.id).cloned()
    }

    async fn snapshot(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>, name: &str, tags: &Tags) -> Result<()> {
        cx.cloud.snapshot(cx.owner, &observed.id, name, tags).await
    }

    async fn find_snapshot(&self, cx: &Cx<'_, FakeCloud>, name: &str) -> Result<Option<Backup>> {
        cx.cloud.find_snapshot(cx.owner, name).await
    }

    async fn update(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let want = self.fields()?;
        if diff.is_empty() {
            return cx.revive(cx.owner, &observed.id).await;
        }
        if F::FLAGS_LATER && diff.has("flags") {
            let (flag, on) =
                want.flags.iter().find(|(flag, on)| observed.live.flags.get(*flag) != Some(*on)).expect("one");
            let set = |fields: &mut Fields| _ = fields.flags.insert(flag.clone(), *on);
            return cx.modify(cx.owner, &observed.id, set).await;
        }
        if diff.has_any(&["name", "zone", "size", "flags", "uses"]) {
            let changed = want.clone();
            cx.modify(cx.owner, &observed.id, |fields| *fields = Fields { tags: fields.tags.clone(), ..changed })
                .await?;
        }
        if diff.has("tags") {
            cx.modify(cx.owner, &observed.id, |fields| fields.tags = want.tags.clone()).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>) -> Result<()> {
        match F::SHARED {
            true => cx.cloud.release(cx.owner, &observed.id).await,
            false => cx.cloud.delete(cx.owner, &observed.id).await,
        }
    }

    async fn blockers(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let users = cx.users(cx.owner, &observed.id).await?;
        Ok(users.into_iter().map(|id| Holder::of(id.clone(), id)).collect())
    }

    async fn stays(&self, _: &Cx<'_, FakeCloud>, observed: &Observed<Self>) -> Result<Option<String>> {
        let full = observed.live.flags.get("full").copied().unwrap_or_default();
        Ok(full.then(|| "kept for what is in it; empty it, then run destroy again".to_owned()))
    }

    async fn list(cx: &Cx<'_, FakeCloud>) -> Result<Vec<Listed>> {
        let all = cx.pass.shared(F::KIND, || cx.cloud.list(cx.owner, F::KIND)).await?;
        let ours = |object: &Object| {
            let tags = object.fields.tags.as_ref().filter(|tags| cx.owner.owns_any(tags))?;
            Some(Listed::new(tags.get(TAG_NODE)?, &object.id))
        };
        Ok(all.iter().filter_map(ours).collect())
    }

    /// Once a zone was called a room.
    fn upgrade(spec: &mut serde_json::Value) {
        if let Some(fields) = spec.as_object_mut()
            && let Some(room) = fields.remove("room")
        {
            fields.insert("zone".to_owned(), room);
        }
    }

    async fn relieve(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>) -> Result<Option<String>> {
        if !F::LEADS || observed.live.flags.get("leads") != Some(&true) {
            return Ok(None);
        }
        let hand_over = |fields: &mut Fields| _ = fields.flags.insert("leads".to_owned(), false);
        cx.cloud.modify(cx.owner, &observed.id, hand_over).await?;
        Ok(Some("for another to lead".to_owned()))
    }

    async fn rotate(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>, turn: Turn) -> Result<()> {
        cx.cloud.rotate(cx.owner, &observed.id, turn).await
    }

    async fn restart(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>) -> Result<()> {
        cx.cloud.restart(cx.owner, &observed.id).await
    }

    async fn settle_queue(&self, cx: &Cx<'_, FakeCloud>, observed: &Observed<Self>, order: Queue) -> Result<()> {
        cx.cloud.settle_queue(cx.owner, &observed.id, order).await
    }
}

macro_rules! flavors {
    ($($(#[$doc:meta])* $name:ident { $($body:tt)* })*) => {
        $($(#[$doc])* #[derive(Debug, Clone)] pub struct $name; impl Flavor for $name { $($body)* })*

        /// All of them.
        pub fn kinds() -> Kinds<FakeCloud> {
            Kinds::default()$(.with::<Spec<$name>>())*
        }
    };
}

flavors! {
    /// Neither name nor token, found by its tags only, as a VPC.
    Net { const KIND: &'static str = "t.net"; }
    /// A unique name, slow to come and go, and a reference it cannot change, as a database.
    Disk {
        const KIND: &'static str = "t.disk";
        const ROTATES: bool = true;
        const RETIRES: bool = true;
        const FOUND: Found = Found::ByName;
        const READY: u64 = 20;
        const GONE: u64 = 15;
        const SETTLES: bool = true;
    }
    /// Comes back when somebody writes after it was removed, as a log group.
    Log {
        const KIND: &'static str = "t.log";
        const FOUND: Found = Found::ByName;
        const REBORN: bool = true;
    }
    /// Shows how its last try ended until the next, as a trail.
    Post {
        const KIND: &'static str = "t.post";
        const FOUND: Found = Found::ByName;
        const TRIES_AGAIN: Option<Duration> = Some(Duration::from_secs(200));
    }
    /// Recognises a repeated create by its token.
    Key {
        const KIND: &'static str = "t.key";
        const TOKEN: bool = true;
        const PRECIOUS: Option<&'static str> = Some("the key");
    }
    /// Cannot be changed at all; its successor is made first, as a task definition.
    Rev {
        const KIND: &'static str = "t.rev";
        const IMMUTABLE: &'static [&'static str] = &["name", "zone", "size", "flags", "uses"];
        const REPLACE: Replace = Replace::CreateFirst;
    }
    /// Moves to another revision in place, as a service.
    Svc {
        const KIND: &'static str = "t.svc";
        const VOLATILE: &'static [&'static str] = &["etag"];
        const BY_SIZE: bool = true;
        const ROTATES: bool = true;
        const FOUND: Found = Found::ByName;
        const IMMUTABLE: &'static [&'static str] = &["name", "zone"];
        const READY: u64 = 10;
        const GONE: u64 = 10;
        const SETTLES: bool = true;
    }
    /// No tags; known by what it joins, as an attachment.
    Link {
        const KIND: &'static str = "t.link";
        const FOUND: Found = Found::ByUses;
        const FORETOLD: &'static [&'static str] = &["id"];
    }
    /// Some of it can be set only once it exists, one a call, as a VPC's DNS attributes.
    Attr {
        const KIND: &'static str = "t.attr";
        const FLAGS_LATER: bool = true;
        const VOLATILE: &'static [&'static str] = &["etag"];
    }
    /// One per account.
    Shared {
        const KIND: &'static str = "t.shared";
        const FOUND: Found = Found::Alone;
        const SHARED: bool = true;
    }
    /// Cannot go while anything stands in it, as a subnet.
    Lot { const KIND: &'static str = "t.lot"; const GROUND: bool = true; }
    /// Ground made of others, of which it lets go one by one, as a subnet group.
    Yard {
        const KIND: &'static str = "t.yard";
        const FOUND: Found = Found::ByName;
        const IMMUTABLE: &'static [&'static str] = &["name", "zone"];
        const GROUND: bool = true;
        const STEPS_OUT: bool = true;
    }
    /// Moves to no other lot and never gets smaller, as a database.
    House {
        const KIND: &'static str = "t.house";
        const FOUND: Found = Found::ByName;
        const IMMUTABLE: &'static [&'static str] = &["name", "zone"];
        const ROOTED: bool = true;
        const SERVES: bool = true;
        const INTERRUPTS: &'static [&'static str] = &["size"];
        const GROWS: bool = true;
    }
    /// Known by its name, which another can have once it is gone, as a role.
    Role {
        const KIND: &'static str = "t.role";
        const FOUND: Found = Found::ByName;
        const NAMED: bool = true;
        const KNOWN: bool = true;
        const ROTATES: bool = true;
    }
    /// The same where the cloud tells nothing but its tags, as a topic.
    Topic {
        const KIND: &'static str = "t.topic";
        const FOUND: Found = Found::ByName;
        const NAMED: bool = true;
    }
    /// Its name is free only a while after it was removed, as a stream's.
    Slow {
        const KIND: &'static str = "t.slow";
        const FOUND: Found = Found::ByName;
        const NAMED: bool = true;
        const KNOWN: bool = true;
        const GONE: u64 = 20;
    }
    /// No tags; a part of a role, as an inline policy.
    Part {
        const KIND: &'static str = "t.part";
        const FOUND: Found = Found::ByUses;
        const PARENT: Option<&'static str> = Some("t.role");
    }
    /// Found by its tags only, and full of data, as a key.
    Vault {
        const KIND: &'static str = "t.vault";
        const STATEFUL: bool = true;
        const FORGETS: bool = true;
        const WAY_BACK: WayBack = WayBack::Backups;
        const SNAPSHOTS: Option<usize> = Some(30);
    }
    /// Shuts a way once there is another, as what a listener does by default.
    Shut {
        const KIND: &'static str = "t.shut";
        const FOUND: Found = Found::ByName;
        const CLOSES: bool = true;
    }
    /// Leads others until another does, as the writer of a cluster.
    Head {
        const KIND: &'static str = "t.head";
        const FOUND: Found = Found::ByName;
        const LEADS: bool = true;
    }
    /// Goes on to what is larger and never back, as a cache.
    Mover {
        const KIND: &'static str = "t.mover";
        const FOUND: Found = Found::ByName;
        const MORE_SUFFICES: bool = true;
    }
    /// Never recovers from a failure, as a NAT gateway.
    Gate {
        const KIND: &'static str = "t.gate";
        const TOKEN: bool = true;
        const READY: u64 = 30;
        const GONE: u64 = 20;
        const RECREATE_FAILED: bool = true;
    }
}

/// The id of a node's object.
pub fn id<F: Flavor>(node: &Node<Spec<F>>) -> Out<String> {
    node.out("id")
}
