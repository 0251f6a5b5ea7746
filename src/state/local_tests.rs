use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::*;
use crate::state::State;

/// The ways to be killed while a file is replaced: the number of the step after which nothing more happens.
const STEPS: usize = 6;

fn store(directory: &tempfile::TempDir) -> LocalStore {
    LocalStore::new(directory.path().join("deep/x-dev.json"))
}

async fn text(store: &LocalStore, item: Item) -> Option<String> {
    store.read(item).await.unwrap().map(|kept| String::from_utf8(kept.bytes).unwrap())
}

/// Replaces whatever is there.
async fn put(store: &LocalStore, item: Item, text: &str) -> Version {
    let found = store.read(item).await.unwrap().map(|kept| kept.version);
    store.write(item, text.as_bytes(), found.as_ref()).await.unwrap().expect("nobody else writes")
}

fn files(store: &LocalStore) -> Vec<String> {
    let entries = fs::read_dir(store.directory()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_is_written_is_read_back_and_leaves_no_temporary_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    for item in [Item::Document, Item::Backup, Item::OlderBackup, Item::Lock] {
        assert!(store.read(item).await.unwrap().is_none());
        put(&store, item, "one").await;
        put(&store, item, &format!("{item:?}")).await;
    }
    for item in [Item::Document, Item::Backup, Item::OlderBackup, Item::Lock] {
        assert_eq!(text(&store, item).await, Some(format!("{item:?}")));
    }
    let wanted = ["x-dev.json", "x-dev.json.backup", "x-dev.json.backup2", "x-dev.lock"];
    assert_eq!(files(&store), wanted);
}

#[tokio::test]
async fn only_the_expected_content_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let write = async |text: &str, expected: Option<&Version>| {
        store.write(Item::Document, text.as_bytes(), expected).await.unwrap()
    };
    let first = write("one", None).await.expect("there is none");
    assert_eq!(write("two", None).await, None, "there is one");
    let second = write("two", Some(&first)).await.expect("it is the first");
    assert_eq!(write("three", Some(&first)).await, None, "it is the second");
    assert_eq!(text(&store, Item::Document).await.as_deref(), Some("two"));
    assert!(!store.remove(Item::Document, &first).await.unwrap(), "it is the second");
    assert!(store.remove(Item::Document, &second).await.unwrap());
    assert!(!store.remove(Item::Document, &second).await.unwrap(), "it is gone");
    assert_eq!(write("three", Some(&second)).await, None, "it is gone");
    assert_eq!(files(&store), [""; 0]);
}

#[tokio::test]
async fn who_has_locked_a_guard_that_is_taken_away_meanwhile_has_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(".x.guard");
    let first = Guard::take(&path).unwrap().expect("nobody has it");
    assert!(Guard::take(&path).unwrap().is_none());
    let late = File::open(&path).unwrap();
    drop(first);
    assert!(!path.exists());
    late.try_lock().unwrap();
    let late = Guard { file: late, path: path.clone() };
    let next = Guard::take(&path).unwrap().expect("the late one has none");
    assert!(!late.has_its_name().unwrap());
    drop(late);
    assert!(next.has_its_name().unwrap(), "and takes no other's away");
}

#[test]
fn of_writers_that_compare_at_once_one_goes_on() {
    const WRITERS: usize = 4;
    const EACH: usize = 60;
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let add_one = || async {
        loop {
            let found = store.read(Item::Document).await.unwrap();
            let count: usize = found.as_ref().map_or(0, |kept| kept.text("x").unwrap().parse().unwrap());
            let next = (count + 1).to_string();
            let expected = found.as_ref().map(|kept| &kept.version);
            if store.write(Item::Document, next.as_bytes(), expected).await.unwrap().is_some() {
                return;
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                runtime.block_on(async {
                    for _ in 0..EACH {
                        add_one().await;
                    }
                });
            });
        }
    });
    assert_eq!(fs::read_to_string(store.path(Item::Document)).unwrap(), (WRITERS * EACH).to_string());
    assert_eq!(files(&store), ["x-dev.json"]);
}

#[cfg(feature = "test-clock")]
#[tokio::test(start_paused = true)]
async fn a_writer_suspended_while_it_renames_is_told_and_not_overtaken() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    put(&store, Item::Document, "one").await;
    let suspended = store.guard().await.unwrap();
    let error = store.write(Item::Document, b"two", None).await.unwrap_err().to_string();
    assert!(error.contains("another process has been about to write for 5 s: is one suspended?"), "{error}");
    drop(suspended);
    assert_eq!(text(&store, Item::Document).await.as_deref(), Some("one"));
    assert_eq!(files(&store), ["x-dev.json"]);
}

/// Replaces the document, and stops for good after so many steps.
fn killed_after(steps: usize, store: &LocalStore, new: &[u8]) {
    let Some(left) = steps.checked_sub(1) else { return };
    let mut replacement = Replacement::make(store, Item::Document).unwrap();
    let (half, rest) = new.split_at(new.len() / 2);
    let rest: [&dyn Fn(&mut Replacement); 5] = [
        &|replacement| replacement.write(half).unwrap(),
        &|replacement| replacement.write(rest).unwrap(),
        &|replacement| replacement.sync().unwrap(),
        &|replacement| replacement.rename().unwrap(),
        &|replacement| replacement.sync_directory().unwrap(),
    ];
    rest.iter().take(left).for_each(|step| step(&mut replacement));
    // Who is killed does not clean up.
    std::mem::forget(replacement);
}

#[tokio::test]
async fn killed_between_any_two_steps_the_old_or_the_new_document_stands_whole() {
    let [old, new] = [1, 2].map(|serial| State { serial, ..State::new("x", "dev", "1", "r") }.text());
    for steps in 0..=STEPS {
        let directory = tempfile::tempdir().unwrap();
        let (store, neighbour) = (store(&directory), LocalStore::new(directory.path().join("deep/x-dev-2.json")));
        put(&store, Item::Document, &old).await;
        put(&neighbour, Item::Document, "another's").await;
        killed_after(1, &neighbour, b"another's next");
        killed_after(steps, &store, new.as_bytes());
        let found = text(&store, Item::Document).await.unwrap();
        assert_eq!(found, if steps < 5 { old.clone() } else { new.clone() }, "after {steps} steps");
        let left = files(&store).iter().filter(|name| name.ends_with(".tmp")).count();
        assert_eq!(left, if (1..5).contains(&steps) { 2 } else { 1 }, "after {steps} steps");
        // The next run.
        store.tidy().await.unwrap();
        put(&store, Item::Document, "next").await;
        assert_eq!(text(&store, Item::Document).await.as_deref(), Some("next"));
        let left: Vec<String> = files(&store).into_iter().filter(|name| name.ends_with(".tmp")).collect();
        assert!(left.len() == 1 && left[0].starts_with(".x-dev-2."), "only the neighbour's is left: {left:?}");
    }
}

const LOOP: &str = "state::local::tests::saves_without_end";

/// What [`a_process_killed_while_it_saves_leaves_whole_documents`] starts and kills.
#[tokio::test]
#[ignore = "is run by another test, in a process of its own"]
async fn saves_without_end() {
    let Ok(path) = std::env::var("TAPCTL_TEST_STATE") else { return };
    let writer = crate::state::Writer::take(std::sync::Arc::new(LocalStore::new(path)), "apply").await.unwrap();
    let mut state = writer.load().await.unwrap().unwrap_or_else(|| State::new("x", "dev", "1", "r"));
    writer.seal(&mut state).await.unwrap();
    state.outputs.insert("padding".into(), "x".repeat(200_000).into());
    loop {
        state.serial += 1;
        crate::state::Save::save(&writer, &state.text()).await.unwrap();
        println!("saved {}", state.serial);
    }
}

/// Starts a process that saves, kills it after a while, and returns the last serial it said was saved.
fn killed_while_saving(store: &LocalStore, after: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", LOOP, "--ignored", "--nocapture"])
        .env("TAPCTL_TEST_STATE", store.path(Item::Document))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut saved = lines.filter_map(|line| line.rsplit_once("saved ")?.1.parse().ok());
    let mut last: u64 = saved.next().expect("it saves");
    std::thread::sleep(after);
    child.kill().unwrap();
    child.wait().unwrap();
    // What it said before its end is still in the pipe.
    last = saved.last().unwrap_or(last);
    last
}

#[tokio::test]
async fn a_process_killed_while_it_saves_leaves_whole_documents() {
    let seed =
        std::env::var("TAPCTL_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| fastrand::u64(..));
    println!("TAPCTL_TEST_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory);
    let (began, mut rounds, mut littered) = (Instant::now(), 0, 0);
    while began.elapsed() < Duration::from_millis(2500) {
        let said = killed_while_saving(&store, Duration::from_micros(random.u64(0..60_000)));
        let found = text(&store, Item::Document).await.unwrap();
        let state = State::parse(&found, "x").expect("a whole document");
        assert!((said..=said + 1).contains(&state.serial), "serial {}, {said} was acknowledged", state.serial);
        assert_eq!(state.fence, rounds + 1, "the next run took the lock over at once");
        let backup = text(&store, Item::Backup).await;
        assert!(backup.is_none_or(|text| State::parse(&text, "x").is_ok()));
        let litter = files(&store).iter().filter(|name| name.ends_with(".tmp")).count();
        assert!(litter <= 1, "what earlier ones left was cleared away");
        (rounds, littered) = (rounds + 1, littered + litter);
    }
    println!("{rounds} kills, {littered} of them with a temporary file left");
    assert!(rounds > 5, "{rounds} rounds");
}

#[tokio::test]
async fn a_link_in_place_of_the_state_is_refused_and_stays() {
    let directory = tempfile::tempdir().unwrap();
    let (store, elsewhere) = (store(&directory), directory.path().join("elsewhere.json"));
    fs::create_dir_all(store.directory()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, store.path(Item::Document)).unwrap();
    for there in [false, true] {
        if there {
            fs::write(&elsewhere, "{}").unwrap();
        }
        let told = store.read(Item::Document).await.unwrap_err().to_string();
        assert!(told.contains(&format!("it is a link to {}", elsewhere.display())), "{told}");
        let told = store.write(Item::Document, b"{}", None).await.unwrap_err().to_string();
        assert!(told.contains("it is a link to"), "{told}");
    }
    assert!(fs::read_link(store.path(Item::Document)).is_ok());
}
