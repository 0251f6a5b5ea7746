//! Having an object copied: once, whatever happens on the way; and what there is to go back to of everything.

use jiff::Timestamp;
use serde_json::json;
use tapctl::engine::{self, Outcome, Snapshot};
use tapctl::error::Class;
use tapctl::resource::{Backup, Pass, TAG_NODE, TAG_REASON, Tags, WayBack};
use tapctl::run::snapshot;
use tapctl::stack::Stack;
use tapctl::state::{Operation, Progress, State};

use crate::cloud::{Mischief, SWEPT};
use crate::kinds::{Net, Spec, Vault, id, kinds};
use crate::stacks::empty;
use crate::world::{Accident, World, outcome};

fn stack() -> Stack {
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    Spec::<Vault>::new().uses("net", id(&net)).on(&mut stack, "vault");
    stack
}

async fn made() -> World {
    let world = World::default();
    world.apply(&stack()).await.complete();
    world.cloud.forget_calls();
    world
}

fn wanted() -> Snapshot {
    Snapshot { node: "vault".into(), name: "vault-1".into(), reason: "by hand".into() }
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_waited_for_and_says_whose_it_is_and_why() {
    let world = made().await;
    let report = world.snapshot(&wanted()).await.complete();
    assert_eq!(outcome(&report, "vault"), Some(Outcome::Copied));
    let copies = world.cloud.copies.borrow().clone();
    let copied = &copies["vault-1"];
    assert_eq!(copied.of, world.cloud.of("vault").id);
    assert_eq!((copied.tags[TAG_NODE].as_str(), copied.tags[TAG_REASON].as_str()), ("vault", "by hand"));
    assert_eq!((copies.len(), world.cloud.count("write")), (1, 1), "{}", world.cloud.told());
    assert_eq!(world.store.state().operation, None);
    assert!(world.plan(Some(&stack())).await.unwrap().0.is_empty());
}

#[tokio::test(start_paused = true)]
async fn killed_or_unheard_at_any_call_the_next_run_ends_with_one_copy() {
    for verb in ["find vault", "list vault", "snapshot vault"] {
        for mischief in SWEPT {
            let world = made().await;
            world.cloud.upset(verb, mischief, 1);
            world.snapshot(&wanted()).await;
            world.cloud.calm();
            if let Some(under_way) = Snapshot::under_way(&world.store.state()) {
                assert_eq!(under_way, wanted(), "{verb} {mischief:?}");
                world.snapshot(&under_way).await.complete();
            }
            assert_eq!(world.cloud.copies.borrow().len(), 1, "{verb} {mischief:?}\n{}", world.cloud.told());
            assert_eq!(world.store.state().operation, None, "{verb} {mischief:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_save_the_next_run_ends_with_one_copy() {
    for save in 1..=2 {
        for accident in [Accident::KilledBefore, Accident::KilledAfter] {
            let world = made().await;
            world.store.accident.set(Some((world.store.saves.get() + save, accident)));
            world.snapshot(&wanted()).await;
            world.store.accident.set(None);
            let next = Snapshot::under_way(&world.store.state()).unwrap_or_else(wanted);
            world.snapshot(&next).await.complete();
            assert_eq!(world.cloud.copies.borrow().len(), 1, "{save} {accident:?}");
            assert_eq!(world.store.state().operation, None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_now_is_asked_again_and_what_is_refused_gives_its_name_up() {
    for class in [Class::Busy, Class::Throttled, Class::NotYet] {
        let world = made().await;
        world.cloud.upset("snapshot vault", Mischief::Refused(class), 2);
        world.snapshot(&wanted()).await.complete();
        assert_eq!(world.cloud.count("snapshot"), 3, "{class:?}");
    }
    let world = made().await;
    world.cloud.upset("snapshot vault", Mischief::Refused(Class::Denied), 1);
    let failures = world.snapshot(&wanted()).await.failures();
    assert_eq!((failures[0].node.as_str(), failures[0].verb), ("vault", "snapshot"));
    assert_eq!(world.store.state().operation, None);
    // Credentials that have expired are renewed, and the run goes on.
    world.cloud.upset("snapshot vault", Mischief::Refused(Class::Credentials), 1);
    world.snapshot(&wanted()).await.failures();
    assert_eq!(Snapshot::under_way(&world.store.state()), Some(wanted()));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_comes_to_nothing_is_told_and_another_may_be_taken() {
    let world = made().await;
    world.cloud.spoils.set(true);
    let failures = world.snapshot(&wanted()).await.failures();
    assert!(failures[0].fault.message.contains("vault-1 came to nothing"), "{failures:#?}");
    world.cloud.spoils.set(false);
    world.snapshot(&Snapshot { name: "vault-2".into(), ..wanted() }).await.complete();
}

#[tokio::test(start_paused = true)]
async fn of_what_is_gone_none_is_waited_for() {
    let world = made().await;
    world.cloud.vanish(&world.cloud.of("vault").id);
    let failures = world.snapshot(&wanted()).await.failures();
    assert!(failures[0].fault.message.contains("it is gone"), "{failures:#?}");
    assert_eq!((world.cloud.count("snapshot"), world.store.state().operation), (0, None));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_anothers_is_refused() {
    let world = made().await;
    world.snapshot(&wanted()).await.complete();
    world.cloud.copies.borrow_mut().get_mut("vault-1").unwrap().tags = Tags::new();
    let failures = world.snapshot(&wanted()).await.failures();
    assert_eq!(failures[0].fault.code, "NameTaken");
    assert_eq!(world.cloud.count("snapshot"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_is_checked_before_anything_is_asked() {
    let world = made().await;
    let mut state = world.store.state();
    let kinds = kinds();
    let facts = |kind: &str| kinds.get(kind).map(|kind| kind.facts());
    let now = Timestamp::UNIX_EPOCH;
    let asked = |node: &str, name: Option<&str>, state: &State| snapshot::of(node, name, state, &facts, now);
    assert_eq!(asked("vault", Some("mine"), &state).unwrap().name, "mine");
    let own = asked("vault", None, &state).unwrap().name;
    assert!(own.ends_with("-19700101-000000") && own.len() <= 30, "{own}");
    let refused = |node: &str, name: Option<&str>, state: &State| asked(node, name, state).unwrap_err().text;
    assert!(refused("vault", Some(&"a".repeat(31)), &state).contains("AWS allows 30"));
    assert!(refused("net", None, &state).contains("when asked to: it holds no data"));
    assert!(refused("valt", None, &state).contains("did you mean vault?"));
    state.operation = Some(Operation { verb: "restore".into(), inputs: [].into(), since: now });
    assert!(refused("vault", None, &state).contains("a restore is under way"));
    let inputs = [("node", "vault"), ("name", "begun"), ("reason", "why")];
    let inputs = inputs.map(|(key, value)| (key.to_owned(), json!(value)));
    state.operation = Some(Operation { verb: "snapshot".into(), inputs: inputs.into(), since: now });
    assert_eq!(asked("vault", None, &state).unwrap().name, "begun");
    assert!(refused("vault", Some("other"), &state).contains("begun of vault is under way"));
    state.operation = None;
    state.nodes.get_mut("vault").unwrap().id = None;
    state.nodes.get_mut("vault").unwrap().progress = Progress::Pending;
    assert_eq!(refused("vault", None, &state), "vault is pending");
    state.nodes.clear();
    assert!(refused("vault", None, &state).contains("nothing is recorded"));
}

#[tokio::test(start_paused = true)]
async fn of_what_stands_of_what_is_in_no_record_and_of_what_is_gone_it_is_told_what_leads_back() {
    let world = made().await;
    let backup = |id: &str| Backup { id: id.to_owned(), ..Backup::default() };
    world.cloud.backups.borrow_mut().insert("vault".to_owned(), vec![backup("one")]);
    let (kinds, pass) = (kinds(), Pass::default());
    let state = world.store.state();
    let told = engine::holdings(&world.scope(&kinds, &pass), &state, None).await.unwrap();
    let line = |one: &engine::Holding| (one.node.clone(), one.gone, one.way_back, one.backups.len());
    let vault = ("vault".to_owned(), false, WayBack::Backups, 1);
    assert_eq!(told.iter().map(line).collect::<Vec<_>>(), std::slice::from_ref(&vault));
    // Without a record it is found by its tags.
    let mut empty = state.clone();
    empty.nodes.clear();
    let told = engine::holdings(&world.scope(&kinds, &Pass::default()), &empty, None).await.unwrap();
    assert_eq!(told.iter().map(line).collect::<Vec<_>>(), [vault]);
    let told = engine::holdings(&world.scope(&kinds, &Pass::default()), &state, Some("net")).await.unwrap();
    assert!(told.is_empty(), "{told:#?}");
    assert_eq!(world.cloud.count("write"), 0);
}
