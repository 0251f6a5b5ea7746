//! The one who may write: takes the lock, renews it, saves under it, frees it.
//!
//! What keeps two writers from ever mixing their documents, wherever they run and however slow one of them is:
//!
//! 1. The lock is taken by a write that expects the very record it judged free. Its fencing number is higher than any
//!    before, also than the document's, should the record have been lost.
//! 2. Before every save the record must still name this holding. One that was taken over, or freed by a person, ends
//!    the run: [`StateError::Fenced`].
//! 3. Every save expects the very document this run last read or wrote: [`StateError::Changed`]. So one who was
//!    suspended between 2 and the write itself cannot overwrite what came after.
//! 4. Who takes over from another saves the document anew before anything else ([`Writer::seal`]), so that by 3 the
//!    former owner can no longer write even then.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::lease::{Lease, sleepless};
use super::lock::{Grip, HEARTBEAT, Holder, LockRecord, look};
use super::{Item, Save, State, StateError, Store, Version};

/// How often one who waits for the lock looks.
const LOOK: Duration = Duration::from_secs(1);

/// One holding of the lock.
struct Claim {
    store: Arc<dyn Store>,
    fence: u64,
    holder: Holder,
}

impl Claim {
    /// Fails unless the lock is still this holding's.
    async fn check(&self) -> Result<Option<Version>, StateError> {
        let (record, kept) = look(&*self.store).await?;
        match &record.holder {
            Some(holder) if record.fence == self.fence && holder.is(&self.holder) => Ok(kept.map(|kept| kept.version)),
            _ => Err(StateError::Fenced { place: self.store.place(Item::Lock), holder: record.holder.map(Box::new) }),
        }
    }

    /// Writes another holder into the record, while it is still ours.
    async fn amend(&self, holder: Option<Holder>) -> Result<(), StateError> {
        let record = LockRecord { fence: self.fence, holder };
        loop {
            let version = self.check().await?;
            if self.store.write(Item::Lock, record.text().as_bytes(), version.as_ref()).await?.is_some() {
                return Ok(());
            }
        }
    }

    /// Takes the record away while it is still ours. `false`: it is not, or was renewed at the same moment.
    async fn withdraw(&self) -> Result<bool, StateError> {
        match self.check().await? {
            Some(version) => self.store.remove(Item::Lock, &version).await,
            None => Ok(false),
        }
    }

    /// Renews the lease until the lock is lost. A store that cannot be reached for a while is tried again, as long as the
    /// lease certainly lasts.
    async fn keep(self: Arc<Self>, lease: Lease) {
        while lease.holds() {
            tokio::time::sleep(HEARTBEAT).await;
            let asked = sleepless();
            match self.amend(Some(self.holder.renewed())).await {
                Ok(()) => lease.renew(asked),
                Err(StateError::Fenced { .. }) => lease.lose(),
                Err(_) => {}
            }
        }
    }
}

/// The right to write a state, held from [`take`](Self::take) to [`release`](Self::release). One that is dropped without
/// is free for others once its process is gone, or its lease is over.
pub struct Writer {
    claim: Arc<Claim>,
    heartbeat: JoinHandle<()>,
    lease: Lease,
    /// From whom the lock was taken over.
    former: Option<(Holder, Grip)>,
    /// The document as this run last read or wrote it.
    expected: RefCell<Option<Version>>,
    backed_up: Cell<bool>,
}

impl Writer {
    /// Takes the lock for `command`, as `apply --env dev`, and keeps it until released. Needs a runtime with timers.
    ///
    /// # Errors
    /// [`StateError::Locked`] where another holds it, [`StateError::Damaged`] where its record cannot be read,
    /// [`StateError::Io`].
    pub async fn take(store: Arc<dyn Store>, command: &str) -> Result<Writer, StateError> {
        let holder = Holder::this_process(command);
        loop {
            let (record, kept) = look(&*store).await?;
            let former = match record.holder {
                Some(holder) => match holder.grip(Timestamp::now()) {
                    Grip::Firm => return Err(StateError::Locked { holder: Box::new(holder) }),
                    grip => Some((holder, grip)),
                },
                None => None,
            };
            let asked = sleepless();
            let fence = next_fence(&*store, record.fence).await?;
            let mine = LockRecord { fence, holder: Some(holder.clone()) };
            let version = kept.map(|kept| kept.version);
            // Where another was quicker, it holds the lock now or has freed it again.
            if store.write(Item::Lock, mine.text().as_bytes(), version.as_ref()).await?.is_some() {
                store.tidy().await?;
                return Ok(Writer::start(Claim { store, fence, holder }, asked, former));
            }
        }
    }

    /// The same, waiting up to `wait` for another to free it. `tell` hears once of whom.
    ///
    /// # Errors
    /// As [`take`](Self::take); [`StateError::Locked`] once the wait is over.
    pub async fn take_within(
        store: Arc<dyn Store>,
        command: &str,
        wait: Duration,
        tell: impl Fn(&Holder),
    ) -> Result<Writer, StateError> {
        let start = tokio::time::Instant::now();
        let mut told = false;
        loop {
            let holder = match Writer::take(store.clone(), command).await {
                Err(StateError::Locked { holder }) if start.elapsed() < wait => holder,
                taken => return taken,
            };
            if !told {
                tell(&holder);
                told = true;
            }
            tokio::time::sleep(LOOK.min(wait.saturating_sub(start.elapsed()))).await;
        }
    }

    fn start(claim: Claim, asked: Duration, former: Option<(Holder, Grip)>) -> Writer {
        let (claim, lease) = (Arc::new(claim), Lease::since(asked));
        let heartbeat = tokio::spawn(Arc::clone(&claim).keep(lease.clone()));
        Writer { claim, heartbeat, lease, former, expected: RefCell::default(), backed_up: Cell::new(false) }
    }

    /// From whom the lock was taken over, and why it could be.
    pub fn former(&self) -> Option<&(Holder, Grip)> {
        self.former.as_ref()
    }

    /// Returns once the lock is known to be lost; never while it is held.
    pub fn lost(&self) -> impl Future<Output = ()> + Send + 'static {
        self.lease.lost()
    }

    /// What tells whether this run may still change something.
    pub fn lease(&self) -> Lease {
        self.lease.clone()
    }

    /// Reads the document, from which the next save then goes on. `None`: there is none.
    ///
    /// # Errors
    /// As [`State::parse`], and [`StateError::Io`].
    pub async fn load(&self) -> Result<Option<State>, StateError> {
        let (store, place) = (&self.claim.store, self.claim.store.place(Item::Document));
        let kept = store.read(Item::Document).await?;
        self.expected.replace(kept.as_ref().map(|kept| kept.version.clone()));
        kept.map(|kept| State::parse(kept.text(&place)?, &place)).transpose()
    }

    /// Makes a state one that is saved under this lock. Where the lock was taken over, it is saved at once, after which
    /// the former owner cannot save any more.
    ///
    /// # Errors
    /// As [`Save::save`].
    pub async fn seal(&self, state: &mut State) -> Result<(), StateError> {
        state.fence = self.claim.fence;
        if self.former.is_none() || self.expected.borrow().is_none() {
            return Ok(());
        }
        self.put(state).await
    }

    /// Saves a state as the next after what it says it is.
    ///
    /// # Errors
    /// As [`Save::save`].
    pub async fn put(&self, state: &mut State) -> Result<(), StateError> {
        state.fence = self.claim.fence;
        state.serial += 1;
        self.save(&state.text()).await
    }

    /// Frees the lock. Where this run was the first to take it and saved nothing, there is nothing to guard yet, and
    /// nothing of it is left.
    ///
    /// # Errors
    /// [`StateError::Fenced`] where it is not held any more, [`StateError::Lapsed`] where it could not be renewed in time,
    /// [`StateError::Io`].
    pub async fn release(self) -> Result<(), StateError> {
        self.heartbeat.abort();
        let store = &self.claim.store;
        if !self.lease.holds() {
            // Where another holds it by now, that is the better answer.
            self.claim.amend(None).await?;
            return Err(StateError::Lapsed { place: store.place(Item::Lock) });
        }
        if self.claim.fence == 1 && store.read(Item::Document).await?.is_none() && self.claim.withdraw().await? {
            return Ok(());
        }
        self.claim.amend(None).await
    }

    /// Keeps the document as it stands, and the backup that was, before this run's first save.
    async fn back_up(&self) -> Result<(), StateError> {
        let store = &self.claim.store;
        let Some(standing) = store.read(Item::Document).await? else { return Ok(()) };
        let backup = store.read(Item::Backup).await?;
        if let Some(backup) = backup {
            // One that was killed between its backup and its save must not push the older one out.
            if backup.bytes == standing.bytes {
                return Ok(());
            }
            self.replace(Item::OlderBackup, &backup.bytes).await?;
        }
        self.replace(Item::Backup, &standing.bytes).await
    }

    async fn replace(&self, item: Item, bytes: &[u8]) -> Result<(), StateError> {
        let store = &self.claim.store;
        let found = store.read(item).await?.map(|kept| kept.version);
        match store.write(item, bytes, found.as_ref()).await? {
            Some(_) => Ok(()),
            None => Err(self.changed(item).await),
        }
    }

    async fn save_expected(&self, text: &str) -> Result<(), StateError> {
        self.claim.check().await?;
        if !self.backed_up.get() {
            self.back_up().await?;
            self.backed_up.set(true);
        }
        let expected = self.expected.borrow().clone();
        match self.claim.store.write(Item::Document, text.as_bytes(), expected.as_ref()).await? {
            Some(version) => {
                self.expected.replace(Some(version));
                Ok(())
            }
            None => Err(self.changed(Item::Document).await),
        }
    }

    /// The error of an item that another has written.
    async fn changed(&self, item: Item) -> StateError {
        let place = self.claim.store.place(item);
        let kept = match self.claim.store.read(item).await {
            Ok(kept) => kept,
            Err(error) => return error,
        };
        let found = match kept.as_ref().map(|kept| kept.text(&place).and_then(|text| State::parse(text, &place))) {
            None => "it is gone".to_owned(),
            Some(Ok(state)) => format!("it has serial {} of lineage {} now", state.serial, state.lineage),
            Some(Err(error)) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        };
        StateError::Changed { place, found }
    }
}

impl Save for Writer {
    fn save<'a>(&'a self, text: &'a str) -> LocalBoxFuture<'a, Result<(), StateError>> {
        Box::pin(self.save_expected(text))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.heartbeat.abort();
    }
}

/// A number higher than any that a holder can have had.
async fn next_fence(store: &dyn Store, last: u64) -> Result<u64, StateError> {
    let document = store.read(Item::Document).await?.map_or(0, |kept| State::fence_of(&kept.bytes));
    Ok(last.max(document) + 1)
}

/// Frees a lock for good, whoever holds it; a holder that still runs is refused at its next save. `seen` is who a
/// person knows to hold it: where it is another by now, nothing is done and that one returned. A record that cannot be
/// read is replaced.
///
/// # Errors
/// [`StateError::Io`].
pub async fn unlock(store: &dyn Store, seen: Option<&Holder>) -> Result<Option<Holder>, StateError> {
    loop {
        let kept = store.read(Item::Lock).await?;
        let record = LockRecord::parse(kept.as_ref(), "").unwrap_or_default();
        match record.holder {
            Some(holder) if !seen.is_some_and(|seen| seen.is(&holder)) => return Ok(Some(holder)),
            _ => {}
        }
        let free = LockRecord { fence: next_fence(store, record.fence).await?, holder: None };
        let version = kept.map(|kept| kept.version);
        if store.write(Item::Lock, free.text().as_bytes(), version.as_ref()).await?.is_some() {
            return Ok(None);
        }
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
