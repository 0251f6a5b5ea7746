//! A cloud in a map: eventually consistent, slow, jealous of what is in use, and as unreliable as a test asks for.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::time::Duration;

use tapctl::error::{Class, Fault, Result};
use tapctl::resource::{Backup, Besides, Owner, Queue, TAG_NODE, Tags, Turn};
use tokio::sync::Notify;
use tokio::time::Instant;

/// What can happen to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mischief {
    /// It is refused.
    Refused(Class),
    /// Nothing arrives, and no answer comes.
    LostBefore,
    /// It takes effect, and no answer comes.
    LostAfter,
    /// We die before it takes effect.
    KilledBefore,
    /// It takes effect, and we die before the answer.
    KilledAfter,
}

/// The four that leave open whether a call took effect.
pub const SWEPT: [Mischief; 4] =
    [Mischief::KilledBefore, Mischief::KilledAfter, Mischief::LostBefore, Mischief::LostAfter];

/// What one object is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    pub name: Option<String>,
    pub zone: String,
    pub size: u32,
    pub flags: BTreeMap<String, bool>,
    pub uses: BTreeMap<String, String>,
    pub tags: Option<Tags>,
}

/// How a kind behaves.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    pub kind: &'static str,
    pub ready: Duration,
    pub gone: Duration,
    /// Whether an update makes it pending again.
    pub settles: bool,
}

/// One object.
#[derive(Debug, Clone)]
pub struct Object {
    pub id: String,
    pub fields: Fields,
    pub manner: Manner,
    pub ready_at: Instant,
    pub gone_at: Option<Instant>,
    pub broken: Option<String>,
    /// How many looks it stays invisible for.
    hidden: u32,
    /// What looks still show, and how many of them.
    stale: Option<(u32, Fields)>,
    /// Its place among all that were ever made.
    pub born: u32,
}

/// A copy of an object.
#[derive(Debug, Clone)]
pub struct Copied {
    pub of: String,
    pub tags: Tags,
    pub ready_at: Instant,
    pub spoilt: bool,
}

/// One call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub verb: &'static str,
    pub node: String,
    pub id: String,
}

/// See the module.
#[derive(Default)]
pub struct FakeCloud {
    pub objects: RefCell<BTreeMap<String, Object>>,
    pub log: RefCell<Vec<Call>>,
    /// Fires when a call reaches its kill point.
    pub killed: Notify,
    /// How many looks an object made from now on stays invisible for.
    pub hide: Cell<u32>,
    /// How many looks show the old values after an update.
    pub lag: Cell<u32>,
    /// Objects of this kind end failed.
    pub breaks: Cell<Option<&'static str>>,
    pub most_at_once: Cell<usize>,
    /// Until when no call arrives.
    pub unreachable: Cell<Option<Instant>>,
    /// What each node could be restored from.
    pub backups: RefCell<BTreeMap<String, Vec<Backup>>>,
    /// What is said of each node's object beside its fields.
    pub besides: RefCell<BTreeMap<String, Besides>>,
    /// What is last said of each object, by its id.
    pub words: RefCell<BTreeMap<String, String>>,
    /// The copies that were asked for, by name: what they are of, their tags, and how they will end.
    pub copies: RefCell<BTreeMap<String, Copied>>,
    /// How the copies end that are asked for from now on, where that is not well.
    pub spoils: Cell<bool>,
    at_once: Cell<usize>,
    born: Cell<u32>,
    tokens: RefCell<BTreeMap<String, String>>,
    mischief: RefCell<BTreeMap<usize, Mischief>>,
    moods: RefCell<Vec<(String, Mischief, u32)>>,
    latency: RefCell<Option<(fastrand::Rng, RangeInclusive<u64>)>>,
}

impl FakeCloud {
    /// Another cloud with the same objects.
    pub fn fork(&self) -> FakeCloud {
        FakeCloud {
            objects: self.objects.clone(),
            tokens: self.tokens.clone(),
            born: self.born.clone(),
            hide: self.hide.clone(),
            lag: self.lag.clone(),
            ..FakeCloud::default()
        }
    }

    /// What happens to the call with this number, counted over all calls from 1.
    pub fn plan(&self, call: usize, mischief: Mischief) {
        self.mischief.borrow_mut().insert(call, mischief);
    }

    /// What happens to the next `times` calls of this verb for this node, as `create disk`.
    pub fn upset(&self, what: &str, mischief: Mischief, times: u32) {
        self.moods.borrow_mut().push((what.to_owned(), mischief, times));
    }

    /// Forgets all planned mischief.
    pub fn calm(&self) {
        self.mischief.borrow_mut().clear();
        self.moods.borrow_mut().clear();
    }

    /// Lets every call take a random number of milliseconds.
    pub fn slow(&self, seed: u64, milliseconds: RangeInclusive<u64>) {
        *self.latency.borrow_mut() = Some((fastrand::Rng::with_seed(seed), milliseconds));
    }

    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.log.borrow().len()
    }

    /// How many calls of one verb were made, of all writes for `write`.
    pub fn count(&self, verb: &str) -> usize {
        self.log
            .borrow()
            .iter()
            .filter(|call| call.verb == verb || (verb == "write" && !["list", "find"].contains(&call.verb)))
            .count()
    }

    /// Forgets the calls made so far.
    pub fn forget_calls(&self) {
        self.log.borrow_mut().clear();
    }

    /// Where in the log this verb was called for this node first.
    pub fn position(&self, verb: &str, node: &str) -> usize {
        let at = self.log.borrow().iter().position(|call| call.verb == verb && call.node == node);
        at.unwrap_or_else(|| panic!("no {verb} for {node} in {:#?}", self.log.borrow()))
    }

    /// The calls made so far, a line each.
    pub fn told(&self) -> String {
        let line = |(at, call): (usize, &Call)| format!("{}: {} {} {}\n", at + 1, call.verb, call.node, call.id);
        self.log.borrow().iter().enumerate().map(line).collect()
    }

    /// The only object tagged with this node.
    pub fn of(&self, node: &str) -> Object {
        let objects = self.objects.borrow();
        let mut of = objects.values().filter(|object| object.node() == Some(node));
        let found = of.next().unwrap_or_else(|| panic!("nothing of {node}"));
        assert!(of.next().is_none(), "two of {node}");
        found.clone()
    }

    /// Ends all invisibility.
    pub fn show_all(&self) {
        self.objects.borrow_mut().values_mut().for_each(|object| object.hidden = 0);
    }

    /// Shows the new values of all that was updated.
    pub fn catch_up(&self) {
        self.objects.borrow_mut().values_mut().for_each(|object| object.stale = None);
    }

    /// Removes an object behind the engine's back.
    pub fn vanish(&self, id: &str) {
        self.objects.borrow_mut().remove(id).expect("it is there");
    }

    /// Changes an object behind the engine's back.
    pub fn tamper(&self, id: &str, change: impl FnOnce(&mut Object)) {
        change(self.objects.borrow_mut().get_mut(id).expect("it is there"));
    }

    /// Puts another object in the place of one that had this id.
    pub fn swap(&self, id: &str, tags: Tags) {
        let born = self.born.get() + 1;
        self.born.set(born);
        self.tamper(id, |object| {
            object.fields.tags = Some(tags);
            object.born = born;
        });
    }

    /// Makes an object that is not ours.
    pub fn plant(&self, manner: Manner, fields: Fields, id: Option<&str>) -> String {
        self.insert(manner, fields, id.map(str::to_owned))
    }

    /// What exists, told so that two clouds can be compared: ids replaced by whose they are.
    pub fn picture(&self) -> Vec<String> {
        self.expire();
        let objects = self.objects.borrow();
        let mut lines: Vec<String> = objects.values().map(|object| object.line(&objects)).collect();
        lines.sort();
        lines
    }

    /// Every object of a kind that can be seen.
    pub async fn list(&self, owner: &Owner, kind: &'static str) -> Result<Vec<Object>> {
        let look = || {
            let mut objects = self.objects.borrow_mut();
            let mut seen: Vec<Object> =
                objects.values_mut().filter(|object| object.manner.kind == kind).filter_map(Object::look).collect();
            seen.sort_by_key(|object| object.born);
            Ok(seen)
        };
        self.call("list", owner, kind, look).await
    }

    /// Makes an object.
    pub async fn create(
        &self,
        owner: &Owner,
        manner: Manner,
        fields: Fields,
        id: Option<String>,
        token: bool,
    ) -> Result<String> {
        let make = || {
            let token = token.then(|| owner.token());
            if let Some(id) = token.as_ref().and_then(|token| self.tokens.borrow().get(token).cloned()) {
                return Ok(id);
            }
            self.refuse_twins(&manner, &fields, id.as_deref())?;
            for used in fields.uses.values().filter(|used| used.starts_with("i-")) {
                if self.objects.borrow().get(used).is_none_or(|used| used.gone_at.is_some()) {
                    return Err(Fault::new(Class::Invalid, "NoSuchDependency", used.clone()));
                }
            }
            let id = self.insert(manner, fields, id);
            token.map(|token| self.tokens.borrow_mut().insert(token, id.clone()));
            Ok(id)
        };
        self.call("create", owner, manner.kind, make).await
    }

    /// Changes an object.
    pub async fn modify(&self, owner: &Owner, id: &str, change: impl FnOnce(&mut Fields)) -> Result<()> {
        let modify = || {
            let mut objects = self.objects.borrow_mut();
            let object = objects.get_mut(id).ok_or_else(|| Fault::new(Class::Absent, "NotFound", id))?;
            object.stale = (self.lag.get() > 0).then(|| (self.lag.get(), object.fields.clone()));
            change(&mut object.fields);
            if object.manner.settles {
                object.ready_at = Instant::now() + object.manner.ready;
            }
            Ok(())
        };
        self.call("modify", owner, id, modify).await
    }

    /// One turn in changing an object's credential; it then needs as long as after a change.
    pub async fn rotate(&self, owner: &Owner, id: &str, turn: Turn) -> Result<()> {
        let rotate = || {
            let mut objects = self.objects.borrow_mut();
            let object = objects.get_mut(id).ok_or_else(|| Fault::new(Class::Absent, "NotFound", id))?;
            if object.ready_at > Instant::now() {
                return Err(Fault::new(Class::Busy, "IncorrectState", format!("{id} is being changed")));
            }
            object.ready_at = Instant::now() + object.manner.ready;
            Ok(())
        };
        let verb = match turn {
            Turn::Begin => "rotate",
            Turn::Settle => "settle",
            Turn::Retire => "retire",
        };
        self.call(verb, owner, id, rotate).await
    }

    /// Restarts an object, after which everything of it is in force.
    pub async fn restart(&self, owner: &Owner, id: &str) -> Result<()> {
        let restart = || {
            let mut objects = self.objects.borrow_mut();
            let object = objects.get_mut(id).ok_or_else(|| Fault::new(Class::Absent, "NotFound", id))?;
            object.ready_at = Instant::now() + object.manner.ready;
            self.besides.borrow_mut().entry(owner.node.clone()).or_default().restart = None;
            Ok(())
        };
        self.call("restart", owner, id, restart).await
    }

    /// Carries out, or takes back, the changes of an object that wait.
    pub async fn settle_queue(&self, owner: &Owner, id: &str, order: Queue) -> Result<()> {
        let settle = || {
            self.besides.borrow_mut().entry(owner.node.clone()).or_default().queued.clear();
            Ok(())
        };
        self.call(if order == Queue::Run { "run queue" } else { "cancel queue" }, owner, id, settle).await
    }

    /// Begins a copy of an object, which takes a minute.
    pub async fn snapshot(&self, owner: &Owner, id: &str, name: &str, tags: &Tags) -> Result<()> {
        let take = || {
            let mut copies = self.copies.borrow_mut();
            if copies.contains_key(name) {
                return Err(Fault::new(Class::Exists, "AlreadyExists", name));
            }
            let ready_at = Instant::now() + Duration::from_secs(60);
            let copied = Copied { of: id.to_owned(), tags: tags.clone(), ready_at, spoilt: self.spoils.get() };
            copies.insert(name.to_owned(), copied);
            Ok(())
        };
        self.call("snapshot", owner, id, take).await
    }

    /// The copy of this name.
    pub async fn find_snapshot(&self, owner: &Owner, name: &str) -> Result<Option<Backup>> {
        let look = || {
            let copies = self.copies.borrow();
            let Some(copied) = copies.get(name) else { return Ok(None) };
            if !owner.owns(&copied.tags) {
                return Err(Fault::new(Class::Invalid, "NameTaken", name));
            }
            let unready = match (copied.ready_at > Instant::now(), copied.spoilt) {
                (true, _) => Some("creating"),
                (false, true) => Some("failed"),
                (false, false) => None,
            };
            Ok(Some(Backup { id: name.to_owned(), unready: unready.map(str::to_owned), ..Backup::default() }))
        };
        self.call("find", owner, name, look).await
    }

    /// Starts the removal of an object.
    pub async fn delete(&self, owner: &Owner, id: &str) -> Result<()> {
        let delete = || {
            let mut objects = self.objects.borrow_mut();
            let user = objects.values().find(|user| user.fields.uses.values().any(|used| used == id));
            if let Some(user) = user.map(|user| user.id.clone()) {
                return Err(Fault::new(Class::Busy, "DependencyViolation", format!("{id} is used by {user}")));
            }
            let object = objects.get_mut(id).ok_or_else(|| Fault::new(Class::Absent, "NotFound", id))?;
            if object.ready_at > Instant::now() {
                return Err(Fault::new(Class::Busy, "IncorrectState", format!("{id} is being made")));
            }
            let gone = Instant::now() + object.manner.gone;
            object.gone_at.get_or_insert(gone);
            Ok(())
        };
        self.call("delete", owner, id, delete).await
    }

    /// Lets an object that ended failed try again.
    pub async fn revive(&self, owner: &Owner, id: &str) -> Result<()> {
        let revive = || {
            let mut objects = self.objects.borrow_mut();
            let object = objects.get_mut(id).ok_or_else(|| Fault::new(Class::Absent, "NotFound", id))?;
            object.ready_at = Instant::now() + object.manner.ready;
            if self.breaks.get() != Some(object.manner.kind) {
                object.broken = None;
            }
            Ok(())
        };
        self.call("revive", owner, id, revive).await
    }

    /// Who uses an object.
    pub async fn users(&self, owner: &Owner, id: &str) -> Result<Vec<String>> {
        let look = || {
            let objects = self.objects.borrow();
            let users = objects.values().filter(|user| user.fields.uses.values().any(|used| used == id));
            Ok(users.map(|user| user.id.clone()).collect())
        };
        self.call("users", owner, id, look).await
    }

    /// Gives up one user's share in an object, which stays.
    pub async fn release(&self, owner: &Owner, id: &str) -> Result<()> {
        self.call("release", owner, id, || Ok(())).await
    }

    async fn call<T>(
        &self,
        verb: &'static str,
        owner: &Owner,
        id: &str,
        effect: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        self.log.borrow_mut().push(Call { verb, node: owner.node.clone(), id: id.to_owned() });
        let mischief = self.mischief_now(verb, &owner.node);
        let busy = Busy::enter(self);
        tokio::time::sleep(self.delay()).await;
        self.expire();
        let lost = || Fault { operation: format!("fake:{verb}"), ..Fault::new(Class::Lost, "NoAnswer", "") };
        if self.unreachable.get().is_some_and(|until| Instant::now() < until) {
            return Err(lost());
        }
        match mischief {
            None => {}
            Some(Mischief::Refused(class)) => return Err(Fault::new(class, &format!("{class:?}"), "as planned")),
            Some(Mischief::LostBefore) => return Err(lost()),
            Some(Mischief::KilledBefore) => return self.die().await,
            Some(Mischief::LostAfter) => return effect().and_then(|_| Err(lost())),
            Some(Mischief::KilledAfter) => {
                drop(effect());
                return self.die().await;
            }
        }
        let answer = effect();
        drop(busy);
        answer
    }

    async fn die<T>(&self) -> T {
        self.killed.notify_one();
        std::future::pending().await
    }

    fn mischief_now(&self, verb: &str, node: &str) -> Option<Mischief> {
        let name = format!("{verb} {node}");
        let mut moods = self.moods.borrow_mut();
        let mood = moods.iter_mut().find(|(what, _, times)| *what == name && *times > 0).map(|(_, mischief, times)| {
            *times -= 1;
            *mischief
        });
        mood.or_else(|| self.mischief.borrow().get(&self.log.borrow().len()).copied())
    }

    fn delay(&self) -> Duration {
        let mut latency = self.latency.borrow_mut();
        Duration::from_millis(latency.as_mut().map_or(10, |(random, range)| random.u64(range.clone())))
    }

    fn expire(&self) {
        let now = Instant::now();
        self.objects.borrow_mut().retain(|_, object| object.gone_at.is_none_or(|gone| gone > now));
    }

    fn refuse_twins(&self, manner: &Manner, fields: &Fields, id: Option<&str>) -> Result<()> {
        let objects = self.objects.borrow();
        let mut same = objects.values().filter(|object| object.manner.kind == manner.kind);
        let twin =
            same.find(|object| id == Some(&object.id) || (fields.name.is_some() && object.fields.name == fields.name));
        match twin {
            Some(twin) => Err(Fault::new(Class::Exists, "AlreadyExists", twin.id.clone())),
            None => Ok(()),
        }
    }

    fn insert(&self, manner: Manner, fields: Fields, id: Option<String>) -> String {
        let born = self.born.get() + 1;
        self.born.set(born);
        let id = id.unwrap_or_else(|| format!("i-{}-{born}", manner.kind));
        let broken = (self.breaks.get() == Some(manner.kind)).then(|| "no capacity".to_owned());
        let (hidden, ready_at) = (self.hide.get(), Instant::now() + manner.ready);
        let object =
            Object { id: id.clone(), fields, manner, ready_at, gone_at: None, broken, hidden, stale: None, born };
        self.objects.borrow_mut().insert(id.clone(), object);
        id
    }
}

impl Object {
    fn node(&self) -> Option<&str> {
        self.fields.tags.as_ref()?.get(TAG_NODE).map(String::as_str)
    }

    fn look(&mut self) -> Option<Object> {
        if self.hidden > 0 {
            self.hidden -= 1;
            return None;
        }
        let mut seen = self.clone();
        if let Some((looks, old)) = self.stale.take() {
            self.stale = (looks > 1).then(|| (looks - 1, old.clone()));
            seen.fields = old;
        }
        Some(seen)
    }

    fn line(&self, all: &BTreeMap<String, Object>) -> String {
        let label = |id: &String| all.get(id).map_or_else(|| id.clone(), |used| used.label(all));
        let uses: BTreeSet<String> =
            self.fields.uses.iter().map(|(role, used)| format!("{role}={}", label(used))).collect();
        let dying = if self.gone_at.is_some() { " dying" } else { "" };
        let Fields { name, zone, size, flags, tags, .. } = &self.fields;
        format!("{} {name:?} {zone} {size} {flags:?} {uses:?} {tags:?}{dying}", self.label(all))
    }

    fn label(&self, all: &BTreeMap<String, Object>) -> String {
        let of_users = || {
            let used = self.fields.uses.values().map(|used| all.get(used).map_or(used.clone(), |used| used.label(all)));
            used.collect::<Vec<_>>().join("+")
        };
        let whose = self.node().map_or_else(of_users, str::to_owned);
        format!("{}({whose})", self.manner.kind)
    }
}

/// Counts a call as long as it is under way, even if it is dropped.
struct Busy<'a>(&'a FakeCloud);

impl<'a> Busy<'a> {
    fn enter(cloud: &'a FakeCloud) -> Self {
        cloud.at_once.set(cloud.at_once.get() + 1);
        cloud.most_at_once.set(cloud.most_at_once.get().max(cloud.at_once.get()));
        Busy(cloud)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.at_once.set(self.0.at_once.get() - 1);
    }
}
