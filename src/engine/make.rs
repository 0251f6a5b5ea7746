//! Making an object, and making it as wanted.

use std::time::Duration;

use tokio::time::Instant;

use super::find::unanswered;
use super::node::{Patience, Target, Worker, words};
use super::report::{Event, NodeFailure};
use super::walk::Halt;
use crate::diff::Diff;
use crate::error::{Class, Fault};
use crate::resource::{Cx, OutOfReach, Pass, Phase, Queued, Seen, hastened};
use crate::state::Progress;

/// How long AWS may go on answering as if an object, or a change to it, did not exist.
pub(super) const VISIBLE: Duration = Duration::from_secs(120);
/// How often an unanswered create is made again after nothing was found.
const CREATE_TRIES: u32 = 5;
/// How long an object that is asked to try again, and nothing else, may go on showing how it ended.
const REVIVED: Duration = Duration::from_secs(10);
/// How many updates one step may take. An update that changes what it did not mean to would go on for ever.
const MOST_UPDATES: usize = 50;

/// The differences an object was asked to lose, and when the last of these calls was taken.
#[derive(Default)]
struct Asked {
    diffs: Vec<Diff>,
    since: Option<Instant>,
    /// The last of these calls was to bring back what had ended badly: all else comes when it is back.
    while_failed: bool,
    /// What waited for a maintenance window before this run asked for anything.
    queued: Vec<Queued>,
    /// When it was restarted because it had come up without some of its settings.
    restarted: Option<Instant>,
    /// It was made elsewhere, so that others may be on it already.
    adopted: bool,
}

/// How the wait for an object ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Settled {
    /// It is ready and as wanted.
    Ready,
    /// Another stack has removed it, as may happen to what stacks share.
    Gone,
}

impl<C: 'static> Worker<'_, C> {
    /// Makes the object, and sees it become ready and as wanted.
    pub(super) async fn create(&self, target: &Target) -> Result<(), Halt> {
        let mut patience = self.patience(self.facts.depends_within.max(self.facts.wait.gone));
        let mut unseen: Option<Patience> = None;
        let mut lost = 0;
        let mut in_doubt = self.recorded().as_ref().and_then(unanswered).is_some();
        self.refuse_taken(target).await?;
        loop {
            let fault = match self.ask_to_create(target).await? {
                Ok(id) if self.converge_from(target, &id).await? == Settled::Ready => {
                    return if in_doubt { self.remove_strays(target).await } else { Ok(()) };
                }
                Ok(id) => gone(&id),
                Err(fault) => fault,
            };
            match fault.class {
                // A dependency that stays invisible for longer is really missing, or out of AWS's reach.
                Class::NotYet | Class::Absent => {
                    if self.is_over(unseen.get_or_insert_with(|| self.patience(self.facts.depends_within))) {
                        return Err(self.fail("create", fault));
                    }
                }
                Class::Throttled | Class::Busy => {}
                Class::Lost | Class::Exists => {
                    let answered = fault.class == Class::Exists;
                    in_doubt |= !answered;
                    lost += u32::from(!answered);
                    let age = if answered { Duration::MAX } else { Duration::ZERO };
                    if let Some(found) = self.settle(target, age).await? {
                        self.record_id(target, &found.id).await?;
                        self.remove_duplicates(&found, target, true).await?;
                        if self.resume(target, found).await? == Settled::Ready {
                            return Ok(());
                        }
                    }
                }
                _ if in_doubt => return Err(self.fail("create", fault)),
                _ => {
                    self.forget_intent().await?;
                    return Err(self.fail("create", fault));
                }
            }
            if lost >= CREATE_TRIES || self.is_over(&patience) {
                return Err(self.fail("create", fault));
            }
            self.pause(&mut patience, &words(&fault)).await?;
        }
    }

    /// One create call: its intent is on disk before, and its answer after.
    async fn ask_to_create(&self, target: &Target) -> Result<Result<String, Fault>, Halt> {
        self.unless_stopped("create")?;
        let attempt = self.record_intent(target).await?;
        let owner = self.owner(&attempt.id);
        let pass = Pass::default();
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        let answer = self.kind.create(cx, &target.spec).await;
        if let Ok(id) = &answer {
            self.record_id(target, id).await?;
        }
        Ok(answer)
    }

    /// An object whose create was given up as lost may have come to light while its successor was made.
    async fn remove_strays(&self, target: &Target) -> Result<(), Halt> {
        let own = self.recorded().and_then(|node| node.id);
        let Some(found) = self.look(&target.spec, None).await? else { return Ok(()) };
        if !self.is_ours(&found) {
            return Ok(());
        }
        for id in found.duplicates.iter().chain([&found.id]).filter(|id| Some(*id) != own.as_ref()) {
            let text = format!("{id} was made by a create whose answer was lost; removing it");
            self.engine.reporter.event(Event::Note { node: self.node, text: &text });
            self.remove_object(&target.spec, id).await?;
        }
        Ok(())
    }

    /// Goes on with what exists already. What ended badly, and differs in nothing that an update could mend, is asked to
    /// try again: what it lacked may be there by now.
    pub(super) async fn resume(&self, target: &Target, found: Seen) -> Result<Settled, Halt> {
        self.resume_after(target, found, Asked::default()).await
    }

    /// Takes over what is ours or is to be, and the state does not know.
    pub(super) async fn adopt(&self, target: &Target, found: Seen) -> Result<Settled, Halt> {
        self.record_id(target, &found.id).await?;
        self.resume_after(target, found, Asked { adopted: true, ..Asked::default() }).await
    }

    async fn resume_after(&self, target: &Target, found: Seen, mut asked: Asked) -> Result<Settled, Halt> {
        let diff = self.facts.diff(&target.spec, &found.live);
        if diff.is_empty() && matches!(found.phase, Phase::Failed(_)) {
            let mut patience = self.patience(VISIBLE);
            while let Some(refused) = self.update(target, &found, &diff).await? {
                self.wait(&mut patience, "update", &refused).await?;
            }
            asked.since = Some(Instant::now());
        }
        self.converge_after(target, found, asked).await
    }

    /// Makes what another stack removed while this one was waiting for it.
    pub(super) async fn unless_gone(&self, target: &Target, settled: Settled) -> Result<(), Halt> {
        match settled {
            Settled::Ready => Ok(()),
            Settled::Gone => self.create(target).await,
        }
    }

    async fn converge_from(&self, target: &Target, id: &str) -> Result<Settled, Halt> {
        let mut patience = self.patience(VISIBLE);
        loop {
            match self.look_at_ours(&target.spec, id).await? {
                Some(found) => return self.converge_after(target, found, self.just_made()).await,
                None => self.wait(&mut patience, "create", "not visible yet").await?,
            }
        }
    }

    /// What was just made and tries again by itself may have met what it depends on too early.
    fn just_made(&self) -> Asked {
        Asked { since: self.facts.tries_again.map(|_| Instant::now()), ..Asked::default() }
    }

    /// Waits until the object is ready, makes differences go away, and waits again, until there are none.
    pub(super) async fn converge(&self, target: &Target, found: Seen) -> Result<Settled, Halt> {
        self.converge_after(target, found, Asked::default()).await
    }

    async fn converge_after(&self, target: &Target, found: Seen, mut asked: Asked) -> Result<Settled, Halt> {
        let id = found.id.clone();
        let mut seen = Some(found);
        let mut patience = self.patience(self.facts.wait.ready);
        loop {
            let reason = match seen {
                None if self.facts.shared => return Ok(Settled::Gone),
                None => "not visible for now".to_owned(),
                Some(found) => match self.settle_difference(target, &found, &mut asked, &mut patience).await? {
                    None => return Ok(Settled::Ready),
                    Some(reason) => reason,
                },
            };
            self.wait(&mut patience, "wait", &reason).await?;
            let spec = self.recorded().map_or_else(|| target.spec.clone(), |node| node.spec);
            seen = self.look_at_ours(&spec, &id).await?;
        }
    }

    /// One round: `None` when all is well, otherwise what is waited for.
    async fn settle_difference(
        &self,
        target: &Target,
        found: &Seen,
        asked: &mut Asked,
        patience: &mut Patience,
    ) -> Result<Option<String>, Halt> {
        if found.phase == Phase::Ready
            && let Some(queued) = self.own_change_under_way(found, asked)
        {
            return Ok(Some(format!("available, change of {} pending", queued.what)));
        }
        let diff = self.facts.diff(&target.spec, &found.live);
        let waited = asked.since.map(|since| since.elapsed()).unwrap_or_default();
        let stirs_within = if asked.diffs.is_empty() { REVIVED } else { self.facts.stirs_within };
        match &found.phase {
            Phase::Failed(_) if asked.since.is_some() && waited < self.facts.tries_again.unwrap_or(stirs_within) => {
                return Ok(Some("for it to try again".to_owned()));
            }
            Phase::Pending(reason) => return Ok(Some(reason.clone())),
            Phase::Deleting => return Ok(Some("being deleted".to_owned())),
            Phase::Failed(reason) if diff.is_empty() || asked.since.is_some() => {
                self.record_progress(Progress::Failed).await?;
                return Err(self.fail("wait", Fault::new(Class::Other, "Failed", reason.clone())));
            }
            Phase::Failed(_) | Phase::Ready => {}
        }
        if found.phase == Phase::Ready && std::mem::take(&mut asked.while_failed) {
            asked.diffs.clear();
        }
        if diff.is_empty() {
            if !asked.adopted
                && let Some(reason) = self.restart_unused(found, &mut asked.restarted).await?
            {
                return Ok(Some(reason));
            }
            self.record_ready(target, found).await?;
            return Ok(None);
        }
        let fields = diff.changes.iter().map(|change| change.path.as_str()).collect::<Vec<_>>().join(", ");
        if diff.immutable().next().is_some() {
            let text = format!("AWS made it with other values than asked for: {fields}");
            return Err(self.fail("create", Fault::unexpected(text)));
        }
        if asked.diffs.contains(&diff) && waited < VISIBLE {
            return Ok(Some(format!("for AWS to show {fields}")));
        }
        if asked.diffs.contains(&diff) || asked.diffs.len() >= MOST_UPDATES {
            let said = self.last_words(target, found).await;
            let said = said.map(|said| format!("; AWS last said: {said}")).unwrap_or_default();
            let text = format!("AWS took the update but still shows the old values: {fields}{said}");
            return Err(self.fail("update", Fault::unexpected(text)));
        }
        if asked.diffs.is_empty() {
            asked.queued = found.besides.queued.iter().filter(|one| !one.is_asked_for(&diff)).cloned().collect();
        }
        let again = match self.update(target, found, &diff).await {
            Err(Halt::Failed(failure)) => {
                let wanted = asked.diffs.first().unwrap_or(&diff);
                return Err(Halt::Failed(Box::new(self.with_what_took_effect(target, found, wanted, *failure).await)));
            }
            again => again?,
        };
        if again.is_none() {
            asked.while_failed = matches!(found.phase, Phase::Failed(_));
            asked.diffs.push(diff);
            asked.since = Some(Instant::now());
            patience.renew();
            return Ok(Some(format!("for AWS to show {fields}")));
        }
        Ok(again)
    }

    async fn last_words(&self, target: &Target, found: &Seen) -> Option<String> {
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        self.kind.last_words(cx, &target.spec, found).await
    }

    /// What AWS has taken of this run's changes, or of the create, and not made yet. What others asked for is not waited for:
    /// it has its time.
    fn own_change_under_way<'f>(&self, found: &'f Seen, asked: &Asked) -> Option<&'f Queued> {
        let never_ready = || self.recorded().is_some_and(|node| !node.was_ready());
        let is_own = asked.since.is_some() || (!asked.adopted && never_ready());
        found.besides.queued.iter().find(|one| is_own && !asked.queued.contains(one))
    }

    /// An update may take several calls, and one that was refused leaves those before it done: AWS is asked which.
    async fn with_what_took_effect(
        &self,
        target: &Target,
        found: &Seen,
        wanted: &Diff,
        mut failure: NodeFailure,
    ) -> NodeFailure {
        let Ok(Some(now)) = self.look(&target.spec, Some(&found.id)).await else { return failure };
        let left = self.facts.diff(&target.spec, &now.live);
        let is_left = |path: &&str| left.changes.iter().any(|change| change.path == *path);
        let paths = wanted.changes.iter().map(|change| change.path.as_str());
        let (refused, done): (Vec<&str>, Vec<&str>) = paths.partition(is_left);
        if !done.is_empty() {
            let told = format!("; took effect: {}; refused: {}", done.join(", "), refused.join(", "));
            failure.fault.message.push_str(&told);
        }
        failure
    }

    /// One update call: `None` when AWS took it, otherwise why it must be made again.
    async fn update(&self, target: &Target, found: &Seen, diff: &Diff) -> Result<Option<String>, Halt> {
        if let Some(OutOfReach { field, why }) = (self.facts.out_of_reach)(&target.spec, &found.live) {
            return Err(self.fail("update", Fault::invalid(format!("{field}: it {why}"))));
        }
        if let Some(along) = hastened(&self.facts, diff, &found.besides.queued).first() {
            let text =
                format!("{}, asked for by others; AWS would carry that out now along with this change", along.words());
            let advice = format!("add --apply-pending {0} or --cancel-pending {0}", self.node);
            return Err(self.fail("update", Fault::invalid(text).with_advice(advice)));
        }
        self.unless_stopped("update")?;
        let (owner, pass) = (self.owner(""), Pass::default());
        let cx = Cx { cloud: self.engine.cloud, owner: &owner, pass: &pass };
        match self.kind.update(cx, &target.spec, found, diff).await {
            Ok(()) => {
                self.record_spec(target).await?;
                Ok(None)
            }
            Err(fault) => match fault.class {
                Class::Throttled | Class::NotYet | Class::Absent | Class::Busy | Class::Lost | Class::Exists => {
                    Ok(Some(words(&fault)))
                }
                _ => Err(self.fail("update", fault)),
            },
        }
    }
}

fn gone(id: &str) -> Fault {
    Fault::new(Class::NotYet, "Gone", format!("another stack removed {id}"))
}
