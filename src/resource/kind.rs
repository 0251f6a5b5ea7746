//! Kinds as the engine sees them: the contract with its types erased, so that one engine drives them all.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{
    Backup, Besides, Cx, Facts, Found, Holder, IgnoredTags, Lodger, Loss, Observed, OutOfReach, Phase, Queue, Resource,
    Tags, Turn, blank,
};
use crate::diff::Diff;
use crate::error::{Fault, Result};

/// An object as the engine sees it: [`Observed`] with its type erased.
#[derive(Debug, Clone)]
pub struct Seen {
    /// AWS's identifier.
    pub id: String,
    /// The live spec.
    pub live: Value,
    /// What other nodes may refer to.
    pub outputs: Value,
    /// Where it is in its life.
    pub phase: Phase,
    /// Why it is not ours, for kinds that carry no tags.
    pub foreign: Option<String>,
    /// Ids of further objects with this node's ownership tags.
    pub duplicates: Vec<String>,
    /// What tells it from every other object of its id.
    pub identity: Option<String>,
    /// Whether it is as a service makes it by itself.
    pub unchosen: bool,
    /// What AWS says of it beside its fields.
    pub besides: Besides,
}

/// A kind with its type erased. Implemented once, for every [`Resource`].
pub trait Kind<C> {
    /// Its constants.
    fn facts(&self) -> Facts;
    /// Parses and checks a spec. References to outputs not known yet are allowed.
    fn check(&self, spec: &Value) -> std::result::Result<(), String>;
    /// See [`Resource::remains`].
    fn remains(&self, spec: &Value) -> Option<String>;
    /// See [`Resource::unpreservable`].
    fn unpreservable(&self, spec: &Value, phase: &Phase) -> Option<String>;
    /// See [`Resource::observe`].
    fn observe<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        id: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Option<Seen>>>;
    /// See [`Resource::create`].
    fn create<'a>(&'a self, cx: Cx<'a, C>, spec: &'a Value) -> LocalBoxFuture<'a, Result<String>>;
    /// See [`Resource::update`].
    fn update<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        seen: &'a Seen,
        diff: &'a Diff,
    ) -> LocalBoxFuture<'a, Result<()>>;
    /// See [`Resource::relieve`].
    fn relieve<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Option<String>>>;
    /// See [`Resource::delete`].
    fn delete<'a>(&'a self, cx: Cx<'a, C>, spec: &'a Value, seen: &'a Seen) -> LocalBoxFuture<'a, Result<()>>;
    /// See [`Resource::rotate`].
    fn rotate<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        seen: &'a Seen,
        turn: Turn,
    ) -> LocalBoxFuture<'a, Result<()>>;
    /// See [`Resource::settle_queue`].
    fn settle_queue<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        seen: &'a Seen,
        order: Queue,
    ) -> LocalBoxFuture<'a, Result<()>>;
    /// See [`Resource::restart`].
    fn restart<'a>(&'a self, cx: Cx<'a, C>, spec: &'a Value, seen: &'a Seen) -> LocalBoxFuture<'a, Result<()>>;
    /// See [`Resource::blockers`].
    fn blockers<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Vec<Holder>>>;
    /// See [`Resource::lodgers`].
    fn lodgers<'a>(&'a self, cx: Cx<'a, C>, spec: &'a Value, seen: &'a Seen)
    -> LocalBoxFuture<'a, Result<Vec<Lodger>>>;
    /// See [`Resource::stays`].
    fn stays<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Option<String>>>;
    /// See [`Resource::list`].
    fn list<'a>(&'a self, cx: Cx<'a, C>) -> LocalBoxFuture<'a, Result<Vec<Found>>>;
    /// See [`Resource::kept`].
    fn kept<'a>(&'a self, cx: Cx<'a, C>, id: &'a str) -> LocalBoxFuture<'a, Result<Option<String>>>;
    /// See [`Resource::backups`].
    fn backups<'a>(&'a self, cx: Cx<'a, C>, spec: &'a Value) -> LocalBoxFuture<'a, Result<Vec<Backup>>>;
    /// See [`Resource::last_words`].
    fn last_words<'a>(&'a self, cx: Cx<'a, C>, spec: &'a Value, seen: &'a Seen) -> LocalBoxFuture<'a, Option<String>>;
    /// See [`Resource::snapshot`].
    fn snapshot<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        seen: &'a Seen,
        name: &'a str,
        tags: &'a Tags,
    ) -> LocalBoxFuture<'a, Result<()>>;
    /// See [`Resource::find_snapshot`].
    fn find_snapshot<'a>(
        &'a self,
        cx: Cx<'a, C>,
        spec: &'a Value,
        name: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Backup>>>;
    /// A spec that this kind reads, from as much of one as is known. See [`blank`](super::blank).
    ///
    /// # Errors
    /// Where too little is known for this kind.
    fn blank(&self, known: &Value) -> Result<Value>;
    /// A recorded spec as this version writes it; `None` where it is in one that no upgrade knows.
    fn legible(&self, recorded: &Value) -> Option<Value>;
}

struct Erased<R> {
    ignored: IgnoredTags,
    of: PhantomData<R>,
}

fn parse<T: DeserializeOwned>(kind: &str, what: &str, value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|error| Fault::invalid(format!("the {what} of this {kind} cannot be read: {error}")))
}

fn json<T: Serialize>(kind: &str, value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|error| Fault::invalid(format!("a {kind} cannot be written down: {error}")))
}

/// A spec from as much of one as is known; what AWS does not give back is on the careful side.
fn blank_spec<R: Resource>(known: &Value) -> Result<R> {
    let (mut all, known) = (R::careful(), known.as_object());
    match (all.as_object_mut(), known) {
        (Some(all), Some(known)) => all.extend(known.clone()),
        (None, Some(known)) => all = known.clone().into(),
        _ => {}
    }
    blank::<R>(&all).map_err(|error| Fault::invalid(format!("what is known of this {} is no spec: {error}", R::KIND)))
}

/// A recorded spec in this version's form, or else what its upgrade made of it.
fn upgraded<R: Resource>(recorded: &Value) -> Result<R, Value> {
    if let Ok(spec) = R::deserialize(recorded) {
        return Ok(spec);
    }
    let mut spec = recorded.clone();
    R::upgrade(&mut spec);
    R::deserialize(&spec).map_err(|_| spec)
}

/// The spec of an object that exists already. Another version may have recorded it, in a form of its own: that is no reason
/// not to look at the object, or not to remove it.
fn recorded<R: Resource>(spec: &Value) -> Result<R> {
    match upgraded::<R>(spec) {
        Ok(spec) => Ok(spec),
        Err(rest) => blank_spec::<R>(&rest),
    }
}

fn canonical<R: Resource>(spec: &Value) -> Result<Value> {
    json(R::KIND, &parse::<R>(R::KIND, "spec", spec)?)
}

/// Specs that cannot be read are refused elsewhere.
fn out_of_reach<R: Resource>(want: &Value, live: &Value) -> Option<OutOfReach> {
    R::deserialize(want).ok()?.out_of_reach(&R::deserialize(live).ok()?)
}

/// Specs that cannot be read are refused elsewhere.
fn takes_back<R: Resource>(want: &Value, recorded: &Value) -> Option<OutOfReach> {
    R::deserialize(want).ok()?.takes_back(&R::deserialize(recorded).ok()?)
}

/// Specs that cannot be read suffice for nothing.
fn suffices<R: Resource>(want: &Value, live: &Value) -> &'static [&'static str] {
    match (R::deserialize(want), R::deserialize(live)) {
        (Ok(want), Ok(live)) => want.suffices(&live),
        _ => &[],
    }
}

/// Specs that cannot be read are refused elsewhere.
fn unsettles<R: Resource>(want: &Value, live: &Value) -> Option<bool> {
    R::deserialize(want).ok()?.unsettles(&R::deserialize(live).ok()?)
}

/// Specs that cannot be read are refused elsewhere.
fn loses<R: Resource>(want: &Value, live: &Value) -> Option<Loss> {
    R::deserialize(want).ok()?.loses(&R::deserialize(live).ok()?)
}

/// Specs that cannot be read are refused elsewhere.
fn one_way<R: Resource>(want: &Value, live: &Value) -> Option<String> {
    R::deserialize(want).ok()?.one_way(&R::deserialize(live).ok()?)
}

fn typed<R: Resource>(seen: &Seen) -> Result<Observed<R>> {
    Ok(Observed {
        id: seen.id.clone(),
        live: parse(R::KIND, "live spec", &seen.live)?,
        outputs: parse(R::KIND, "outputs", &seen.outputs)?,
        phase: seen.phase.clone(),
        foreign: seen.foreign.clone(),
        duplicates: seen.duplicates.clone(),
        identity: seen.identity.clone(),
        unchosen: seen.unchosen,
        besides: seen.besides.clone(),
    })
}

impl<R: Resource> Kind<R::Cloud> for Erased<R> {
    fn facts(&self) -> Facts {
        Facts {
            kind: R::KIND,
            immutable: R::IMMUTABLE,
            witnesses: R::WITNESSES,
            volatile: R::VOLATILE,
            replace: R::REPLACE,
            stateful: R::STATEFUL,
            precious: R::PRECIOUS,
            foretold: R::FORETOLD,
            recreate_failed: R::RECREATE_FAILED,
            born_failed: R::BORN_FAILED,
            shared: R::SHARED,
            reborn: R::REBORN,
            ground: R::GROUND,
            steps_out: R::STEPS_OUT,
            rooted: R::ROOTED,
            named: R::NAMED,
            global: R::GLOBAL,
            parent: R::PARENT,
            twins: R::TWINS,
            serves: R::SERVES,
            empty_at_first: R::EMPTY_AT_FIRST,
            interrupts: R::INTERRUPTS,
            hastens: R::HASTENS,
            closes: R::CLOSES,
            rotates: R::ROTATES,
            restarts: R::RESTARTS,
            retires: R::RETIRES,
            way_back: R::WAY_BACK,
            snapshots: R::SNAPSHOTS,
            tries_again: R::TRIES_AGAIN,
            stirs_within: R::STIRS_WITHIN,
            depends_within: R::DEPENDS_WITHIN,
            wait: R::WAIT,
            canonical: canonical::<R>,
            out_of_reach: out_of_reach::<R>,
            takes_back: takes_back::<R>,
            suffices: suffices::<R>,
            unsettles: unsettles::<R>,
            loses: loses::<R>,
            one_way: one_way::<R>,
        }
    }

    fn check(&self, spec: &Value) -> std::result::Result<(), String> {
        R::deserialize(spec).map_err(|error| error.to_string())?.check()
    }

    fn remains(&self, spec: &Value) -> Option<String> {
        recorded::<R>(spec).ok()?.remains()
    }

    fn unpreservable(&self, spec: &Value, phase: &Phase) -> Option<String> {
        recorded::<R>(spec).ok()?.unpreservable(phase)
    }

    fn observe<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        id: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Option<Seen>>> {
        Box::pin(async move {
            let Some(observed) = recorded::<R>(spec)?.observe(&cx, id).await? else {
                return Ok(None);
            };
            let mut live = json(R::KIND, &observed.live)?;
            self.ignored.strip(&mut live);
            Ok(Some(Seen {
                live,
                outputs: json(R::KIND, &observed.outputs)?,
                id: observed.id,
                phase: observed.phase.in_lower_case(),
                foreign: observed.foreign,
                duplicates: observed.duplicates,
                identity: observed.identity,
                unchosen: observed.unchosen,
                besides: observed.besides,
            }))
        })
    }

    fn create<'a>(&'a self, cx: Cx<'a, R::Cloud>, spec: &'a Value) -> LocalBoxFuture<'a, Result<String>> {
        Box::pin(async move { parse::<R>(R::KIND, "spec", spec)?.create(&cx).await })
    }

    fn update<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
        diff: &'a Diff,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { parse::<R>(R::KIND, "spec", spec)?.update(&cx, &typed(seen)?, diff).await })
    }

    fn relieve<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move { recorded::<R>(spec)?.relieve(&cx, &typed(seen)?).await })
    }

    fn delete<'a>(&'a self, cx: Cx<'a, R::Cloud>, spec: &'a Value, seen: &'a Seen) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { recorded::<R>(spec)?.delete(&cx, &typed(seen)?).await })
    }

    fn rotate<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
        turn: Turn,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { recorded::<R>(spec)?.rotate(&cx, &typed(seen)?, turn).await })
    }

    fn settle_queue<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
        order: Queue,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { recorded::<R>(spec)?.settle_queue(&cx, &typed(seen)?, order).await })
    }

    fn restart<'a>(&'a self, cx: Cx<'a, R::Cloud>, spec: &'a Value, seen: &'a Seen) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { recorded::<R>(spec)?.restart(&cx, &typed(seen)?).await })
    }

    fn blockers<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Vec<Holder>>> {
        Box::pin(async move { recorded::<R>(spec)?.blockers(&cx, &typed(seen)?).await })
    }

    fn lodgers<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Vec<Lodger>>> {
        Box::pin(async move { recorded::<R>(spec)?.lodgers(&cx, &typed(seen)?).await })
    }

    fn stays<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move { recorded::<R>(spec)?.stays(&cx, &typed(seen)?).await })
    }

    fn list<'a>(&'a self, cx: Cx<'a, R::Cloud>) -> LocalBoxFuture<'a, Result<Vec<Found>>> {
        Box::pin(async move { R::list(&cx).await })
    }

    fn kept<'a>(&'a self, cx: Cx<'a, R::Cloud>, id: &'a str) -> LocalBoxFuture<'a, Result<Option<String>>> {
        Box::pin(async move { R::kept(&cx, id).await })
    }

    fn backups<'a>(&'a self, cx: Cx<'a, R::Cloud>, spec: &'a Value) -> LocalBoxFuture<'a, Result<Vec<Backup>>> {
        Box::pin(async move { recorded::<R>(spec)?.backups(&cx).await })
    }

    fn last_words<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
    ) -> LocalBoxFuture<'a, Option<String>> {
        Box::pin(async move { recorded::<R>(spec).ok()?.last_words(&cx, &typed(seen).ok()?).await })
    }

    fn snapshot<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        seen: &'a Seen,
        name: &'a str,
        tags: &'a Tags,
    ) -> LocalBoxFuture<'a, Result<()>> {
        Box::pin(async move { recorded::<R>(spec)?.snapshot(&cx, &typed(seen)?, name, tags).await })
    }

    fn find_snapshot<'a>(
        &'a self,
        cx: Cx<'a, R::Cloud>,
        spec: &'a Value,
        name: &'a str,
    ) -> LocalBoxFuture<'a, Result<Option<Backup>>> {
        Box::pin(async move { recorded::<R>(spec)?.find_snapshot(&cx, name).await })
    }

    fn blank(&self, known: &Value) -> Result<Value> {
        json(R::KIND, &blank_spec::<R>(known)?)
    }

    fn legible(&self, recorded: &Value) -> Option<Value> {
        // As this version writes it: a field that there is no more is no difference.
        upgraded::<R>(recorded).ok().and_then(|spec| json(R::KIND, &spec).ok())
    }
}

/// All kinds a cloud has, by name.
pub struct Kinds<C> {
    ignored: IgnoredTags,
    kinds: BTreeMap<&'static str, Box<dyn Kind<C>>>,
}

impl<C: 'static> Default for Kinds<C> {
    fn default() -> Self {
        Kinds::ignoring(IgnoredTags::default())
    }
}

impl<C: 'static> Kinds<C> {
    /// No kinds yet. Those that are added pass over these tags of live objects.
    pub fn ignoring(ignored: IgnoredTags) -> Self {
        Kinds { ignored, kinds: BTreeMap::new() }
    }

    /// Adds a kind.
    pub fn with<R: Resource<Cloud = C>>(mut self) -> Self {
        self.kinds.insert(R::KIND, Box::new(Erased::<R> { ignored: self.ignored.clone(), of: PhantomData }));
        self
    }

    /// The kind of that name.
    ///
    /// # Errors
    /// A state file written by a newer version may name a kind this one does not have.
    pub fn get(&self, kind: &str) -> Result<&dyn Kind<C>> {
        self.kinds.get(kind).map(Box::as_ref).ok_or_else(|| {
            Fault::invalid(format!(
                "this version of tapctl does not know the kind {kind}; use the version that made it"
            ))
        })
    }

    /// Every name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.kinds.keys().copied()
    }
}
