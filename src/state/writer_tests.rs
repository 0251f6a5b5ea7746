use super::*;
use crate::state::{LEASE, LocalStore};

/// A desk with two people at it.
struct Desk {
    _directory: tempfile::TempDir,
    store: Arc<LocalStore>,
}

fn desk() -> Desk {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(LocalStore::new(directory.path().join("x-dev.json")));
    Desk { _directory: directory, store }
}

impl Desk {
    async fn take(&self) -> Result<Writer, StateError> {
        Writer::take(self.store.clone(), "apply --env dev").await
    }

    async fn text(&self, item: Item) -> Option<String> {
        self.store.read(item).await.unwrap().map(|kept| String::from_utf8(kept.bytes).unwrap())
    }

    async fn put(&self, item: Item, text: &str) {
        let found = self.store.read(item).await.unwrap().map(|kept| kept.version);
        self.store.write(item, text.as_bytes(), found.as_ref()).await.unwrap().expect("nobody else writes");
    }

    async fn record(&self) -> LockRecord {
        look(&*self.store).await.unwrap().0
    }

    /// Changes who holds the lock, behind everybody's back.
    async fn tamper(&self, change: impl FnOnce(&mut Holder)) {
        let mut record = self.record().await;
        change(record.holder.as_mut().expect("it is held"));
        self.put(Item::Lock, &record.text()).await;
    }

    /// As after a suspension of a minute.
    async fn expire(&self) {
        self.tamper(|holder| holder.expires = Timestamp::now() - Duration::from_secs(1)).await;
    }
}

fn document(serial: u64) -> State {
    State { serial, lineage: "one".into(), ..State::new("x", "dev", "1", "r") }
}

#[tokio::test]
async fn the_second_taker_learns_who_holds_it_and_gets_it_after() {
    let desk = desk();
    desk.put(Item::Document, &document(1).text()).await;
    let first = desk.take().await.unwrap();
    let error = desk.take().await.err().expect("it is held").to_string();
    assert!(error.starts_with("the state is locked by `tapctl apply --env dev` (process "), "{error}");
    assert!(error.contains("\nhint: wait for it to end; should it be killed, the lock is free at once"), "{error}");
    first.release().await.unwrap();
    assert_eq!(desk.record().await, LockRecord { fence: 1, holder: None });
    let second = desk.take().await.unwrap();
    assert!(second.former().is_none());
    assert_eq!(desk.record().await.fence, 2);
}

#[tokio::test]
async fn who_waits_gets_the_lock_when_it_is_freed_and_otherwise_learns_who_holds_it() {
    let desk = desk();
    let first = desk.take().await.unwrap();
    let told = Cell::new(0);
    let wait = async |wait| {
        Writer::take_within(desk.store.clone(), "apply --env dev", wait, |_| told.set(told.get() + 1)).await
    };
    assert!(matches!(wait(Duration::from_millis(50)).await, Err(StateError::Locked { .. })));
    let (second, freed) = tokio::join!(wait(Duration::from_secs(60)), async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        first.release().await
    });
    freed.unwrap();
    assert!(second.unwrap().former().is_none());
    assert_eq!(told.get(), 2, "once for each who waits");
}

#[tokio::test]
async fn a_run_that_saved_nothing_where_nothing_was_leaves_nothing() {
    let desk = desk();
    desk.take().await.unwrap().release().await.unwrap();
    assert_eq!(desk.text(Item::Lock).await, None);
    let writer = desk.take().await.unwrap();
    writer.load().await.unwrap();
    writer.save(&document(1).text()).await.unwrap();
    writer.release().await.unwrap();
    assert_eq!(desk.record().await, LockRecord { fence: 1, holder: None });
}

#[tokio::test]
async fn a_number_that_no_run_counts_to_is_not_counted_on_from() {
    let desk = desk();
    desk.put(Item::Document, &State { fence: u64::MAX, serial: u64::MAX, ..document(1) }.text()).await;
    let writer = desk.take().await.unwrap();
    assert!(matches!(writer.load().await, Err(StateError::Damaged { .. })));
    writer.release().await.unwrap();
    desk.put(Item::Lock, &LockRecord { fence: u64::MAX, holder: None }.text()).await;
    assert!(matches!(desk.take().await, Err(StateError::Damaged { .. })));
}

#[test]
fn of_many_takers_at_once_one_gets_it() {
    for round in 0..20 {
        let desk = desk();
        let start = std::sync::Barrier::new(8);
        let taker = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            start.wait();
            runtime.block_on(desk.take()).map(|_| ())
        };
        let ends: Vec<_> = std::thread::scope(|scope| {
            let takers: Vec<_> = (0..8).map(|_| scope.spawn(taker)).collect();
            takers.into_iter().map(|taker| taker.join().unwrap()).collect()
        });
        assert_eq!(ends.iter().filter(|end| end.is_ok()).count(), 1, "round {round}: {ends:?}");
        let locked = |end: &Result<(), StateError>| matches!(end, Err(StateError::Locked { .. }));
        assert_eq!(ends.iter().filter(|end| locked(end)).count(), 7, "round {round}: {ends:?}");
    }
}

#[tokio::test]
async fn a_lock_held_elsewhere_is_taken_over_after_its_lease_and_not_before() {
    let desk = desk();
    let former = desk.take().await.unwrap();
    desk.tamper(|holder| (holder.host, holder.process) = ("elsewhere".into(), None)).await;
    assert!(matches!(desk.take().await, Err(StateError::Locked { .. })));
    desk.expire().await;
    let next = desk.take().await.unwrap();
    let (holder, grip) = next.former().expect("it was held");
    assert_eq!((holder.host.as_str(), *grip), ("elsewhere", Grip::Expired));
    assert!(matches!(former.save("late").await, Err(StateError::Fenced { holder: Some(_), .. })));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_lock_whose_owner_is_gone_from_this_host_is_taken_over_at_once() {
    let desk = desk();
    drop(desk.take().await.unwrap());
    desk.tamper(|holder| holder.process.as_mut().expect("/proc is there").started += 1).await;
    let next = desk.take().await.unwrap();
    assert_eq!(next.former().map(|(_, grip)| *grip), Some(Grip::Ownerless));
    assert_eq!(desk.record().await.fence, 2);
}

#[tokio::test]
async fn the_number_grows_even_where_the_record_is_lost() {
    let desk = desk();
    desk.put(Item::Document, &State { fence: 41, ..document(1) }.text()).await;
    let writer = desk.take().await.unwrap();
    assert_eq!(desk.record().await.fence, 42);
    let mut state = writer.load().await.unwrap().unwrap();
    writer.seal(&mut state).await.unwrap();
    assert_eq!((state.fence, state.serial), (42, 1));
    assert_eq!(desk.text(Item::Document).await, Some(State { fence: 41, ..document(1) }.text()), "no need to save");
}

#[tokio::test]
async fn a_former_owner_cannot_write_even_between_its_look_and_its_write() {
    let desk = desk();
    desk.put(Item::Document, &document(1).text()).await;
    let former = desk.take().await.unwrap();
    former.load().await.unwrap();
    desk.expire().await;
    let next = desk.take().await.unwrap();
    let mut state = next.load().await.unwrap().unwrap();
    next.seal(&mut state).await.unwrap();
    assert_eq!((state.fence, state.serial), (2, 2), "it is saved anew");
    // It has looked, was suspended, and goes on with the write.
    let expected = former.expected.borrow().clone();
    let late = desk.store.write(Item::Document, b"late", expected.as_ref()).await.unwrap();
    assert_eq!(late, None);
    assert!(matches!(former.save("late").await, Err(StateError::Fenced { .. })));
    assert!(matches!(former.release().await, Err(StateError::Fenced { .. })), "the lock is not its to free");
    next.save(&State { serial: 3, ..state }.text()).await.unwrap();
    next.release().await.unwrap();
}

#[tokio::test]
async fn a_document_that_another_wrote_is_not_written_over() {
    let desk = desk();
    desk.put(Item::Document, &document(1).text()).await;
    let writer = desk.take().await.unwrap();
    writer.load().await.unwrap();
    writer.save(&document(2).text()).await.unwrap();
    for (found, said) in [
        (document(1).text(), "it has serial 1 of lineage one now"),
        (State { lineage: "two".into(), ..document(2) }.text(), "it has serial 2 of lineage two now"),
        ("{".into(), "/x-dev.json is damaged: EOF while parsing an object at line 1 column 1"),
    ] {
        desk.put(Item::Document, &found).await;
        let error = writer.save(&document(3).text()).await.unwrap_err().to_string();
        assert!(
            error.contains("was changed by another while this run held the lock: ") && error.contains(said),
            "{error}"
        );
        assert_eq!(desk.text(Item::Document).await, Some(found));
    }
    std::fs::remove_file(desk.store.place(Item::Document)).unwrap();
    let error = writer.save(&document(3).text()).await.unwrap_err().to_string();
    assert!(error.contains("it is gone"), "{error}");
}

#[tokio::test]
async fn a_document_that_appeared_since_it_was_missed_is_not_written_over() {
    let desk = desk();
    let writer = desk.take().await.unwrap();
    assert!(writer.load().await.unwrap().is_none());
    desk.put(Item::Document, &document(9).text()).await;
    assert!(matches!(writer.save(&document(1).text()).await, Err(StateError::Changed { .. })));
}

#[tokio::test]
async fn a_record_that_is_lost_or_freed_ends_the_owner() {
    let desk = desk();
    let writer = desk.take().await.unwrap();
    std::fs::remove_file(desk.store.place(Item::Lock)).unwrap();
    assert!(matches!(writer.save("late").await, Err(StateError::Fenced { holder: None, .. })));
    let writer = desk.take().await.unwrap();
    let holder = desk.record().await.holder;
    assert_eq!(unlock(&*desk.store, holder.as_ref()).await.unwrap(), None);
    let error = writer.save("late").await.unwrap_err().to_string();
    assert!(error.contains("x-dev.lock is no longer held by this run: it was freed by hand"), "{error}");
    assert_eq!(desk.text(Item::Document).await, None);
}

#[tokio::test]
async fn only_the_holder_a_person_has_seen_is_unlocked() {
    let desk = desk();
    desk.put(Item::Document, &document(1).text()).await;
    let first = desk.take().await.unwrap();
    let seen = desk.record().await.holder;
    first.release().await.unwrap();
    let _second = desk.take().await.unwrap();
    desk.tamper(|holder| holder.pid += 1).await;
    let other = unlock(&*desk.store, seen.as_ref()).await.unwrap().expect("it is another's");
    assert_eq!(desk.record().await.holder, Some(other.clone()));
    // A renewal does not make it another's.
    desk.tamper(|holder| holder.expires += LEASE).await;
    assert_eq!(unlock(&*desk.store, Some(&other)).await.unwrap(), None);
    assert_eq!(desk.record().await, LockRecord { fence: 3, holder: None });
    desk.put(Item::Lock, "garbage").await;
    assert!(matches!(desk.take().await, Err(StateError::Damaged { .. })));
    assert_eq!(unlock(&*desk.store, None).await.unwrap(), None);
    desk.take().await.unwrap();
}

#[cfg(feature = "test-clock")]
#[tokio::test(start_paused = true)]
async fn a_lease_is_renewed_until_the_lock_is_lost() {
    let desk = desk();
    let writer = desk.take().await.unwrap();
    desk.expire().await;
    tokio::time::sleep(HEARTBEAT * 3 / 2).await;
    let holder = desk.record().await.holder.expect("it is held");
    assert!(holder.expires > Timestamp::now() + LEASE / 2, "{holder:?}");
    let holder = desk.record().await.holder;
    unlock(&*desk.store, holder.as_ref()).await.unwrap();
    tokio::time::timeout(HEARTBEAT * 2, writer.lost()).await.expect("it is told");
    assert_eq!(desk.record().await.holder, None, "and not taken back");
}

#[cfg(feature = "test-clock")]
#[tokio::test(start_paused = true)]
async fn a_released_lock_is_not_renewed() {
    let desk = desk();
    let writer = desk.take().await.unwrap();
    let lost = writer.lost();
    writer.release().await.unwrap();
    let record = desk.text(Item::Lock).await;
    assert!(tokio::time::timeout(HEARTBEAT * 5, lost).await.is_err(), "ending is not losing");
    assert_eq!(desk.text(Item::Lock).await, record);
}

#[tokio::test]
async fn the_documents_before_the_last_two_runs_are_kept() {
    let desk = desk();
    for run in 1..=4 {
        let writer = desk.take().await.unwrap();
        let was = writer.load().await.unwrap();
        for step in 0..3 {
            writer.save(&document(run * 10 + step).text()).await.unwrap();
        }
        assert_eq!(desk.text(Item::Backup).await, was.map(|_| document(run * 10 - 8).text()));
        writer.release().await.unwrap();
    }
    assert_eq!(desk.text(Item::OlderBackup).await, Some(document(22).text()));
    // One that saves nothing changes nothing; one killed after its backup does not push the older one out.
    desk.take().await.unwrap().release().await.unwrap();
    assert_eq!(desk.text(Item::Backup).await, Some(document(32).text()));
    for _ in 0..3 {
        let writer = desk.take().await.unwrap();
        writer.load().await.unwrap();
        writer.back_up().await.unwrap();
        writer.release().await.unwrap();
    }
    assert_eq!(desk.text(Item::Backup).await, Some(document(42).text()));
    assert_eq!(desk.text(Item::OlderBackup).await, Some(document(32).text()));
}
