//! What a destroy leaves where it is, and what becomes of it.

use std::collections::BTreeSet;

use tapctl::engine::{self, Outcome};
use tapctl::resource::Pass;
use tapctl::stack::Stack;
use tapctl::state::{Progress, State};

use crate::cloud::{FakeCloud, Mischief};
use crate::kinds::{Key, Net, Spec, Svc, Vault, id, kinds};
use crate::stacks::empty;
use crate::world::{World, outcome};

/// A vault under a key, in a network that nothing else needs, and what uses it.
fn stack(full: bool) -> Stack {
    let mut stack = empty();
    let key = Spec::<Key>::new().on(&mut stack, "key");
    let vault = Spec::<Vault>::new().flag("full", full).uses("key", id(&key)).on(&mut stack, "vault");
    let net = Spec::<Net>::new().on(&mut stack, "net");
    Spec::<Svc>::new().uses("vault", id(&vault)).uses("net", id(&net)).on(&mut stack, "svc");
    stack
}

fn recorded(world: &World) -> Vec<String> {
    world.store.state().nodes.keys().cloned().collect()
}

fn emptied(cloud: &FakeCloud) {
    cloud.tamper(&cloud.of("vault").id, |object| _ = object.fields.flags.insert("full".into(), false));
}

#[tokio::test(start_paused = true)]
async fn what_is_to_outlive_a_destroy_stays_with_what_it_stands_on_until_it_is_empty() {
    let world = World::default();
    world.apply(&stack(true)).await.complete();
    let report = world.destroy().await.complete();
    let outcomes = ["vault", "key", "net", "svc"].map(|node| outcome(&report, node).expect("it was asked"));
    assert_eq!(outcomes, [Outcome::Stays, Outcome::Stays, Outcome::Deleted, Outcome::Deleted]);
    assert_eq!(report.stays["vault"].why, "kept for what is in it; empty it, then run destroy again");
    assert_eq!(report.stays["key"].why, "kept with vault, which stays");
    assert_eq!(
        (report.stays["vault"].id.clone(), recorded(&world)),
        (world.cloud.of("vault").id, vec!["key".to_owned(), "vault".to_owned()])
    );
    assert!(world.store.state().outputs.is_empty());

    world.cloud.forget_calls();
    assert_eq!(world.destroy().await.complete().stays.len(), 2);
    assert_eq!(world.cloud.count("delete"), 0);

    emptied(&world.cloud);
    let report = world.destroy().await.complete();
    assert!(report.stays.is_empty() && world.cloud.picture().is_empty() && recorded(&world).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_stayed_is_taken_up_again_by_the_next_apply() {
    let world = World::default();
    world.apply(&stack(true)).await.complete();
    let before = (world.cloud.of("vault").id, world.cloud.of("key").id);
    world.destroy().await.complete();
    let report = world.apply(&stack(true)).await.complete();
    assert_eq!((outcome(&report, "vault"), outcome(&report, "net")), (Some(Outcome::Kept), Some(Outcome::Created)));
    assert_eq!((world.cloud.of("vault").id, world.cloud.of("key").id), before);
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_destroy_was_about_to_remove_is_no_wreck_for_staying() {
    let world = World::default();
    world.apply(&stack(true)).await.complete();
    let mut state: State = world.store.state();
    state.nodes.get_mut("vault").unwrap().progress = Progress::Deleting;
    world.store.text.replace(Some(state.text()));
    world.destroy().await.complete();
    assert_eq!(world.store.state().nodes["vault"].progress, Progress::Ready);
}

#[tokio::test(start_paused = true)]
async fn what_an_apply_removes_does_not_stay() {
    let world = World::default();
    world.apply(&stack(true)).await.complete();
    world.apply(&empty()).await.complete();
    assert!(world.cloud.picture().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_destroy_that_is_killed_anywhere_leaves_the_same() {
    let points = {
        let world = World::default();
        world.apply(&stack(true)).await.complete();
        world.cloud.forget_calls();
        world.destroy().await.complete();
        world.cloud.calls()
    };
    for point in 1..=points {
        for mischief in [Mischief::KilledBefore, Mischief::KilledAfter, Mischief::LostAfter] {
            let world = World::default();
            world.apply(&stack(true)).await.complete();
            world.cloud.forget_calls();
            world.cloud.plan(point, mischief);
            drop(world.destroy().await);
            world.cloud.calm();
            world.destroy().await.complete();
            assert_eq!(recorded(&world), ["key", "vault"], "{mischief:?} at {point}");
            assert_eq!(world.cloud.picture().len(), 2, "{mischief:?} at {point}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_will_stay_is_known_before_anything_goes() {
    let world = World::default();
    world.apply(&stack(true)).await.complete();
    let (mut plan, seen, _) = world.plan(None).await.unwrap();
    let (kinds, pass) = (kinds(), Pass::default());
    let staying = engine::staying(&world.scope(&kinds, &pass), &world.store.state(), &seen).await.unwrap();
    assert_eq!(staying.keys().map(String::as_str).collect::<Vec<_>>(), ["key", "vault"]);
    plan.leave(&|node| staying.contains_key(node));
    let goes: BTreeSet<&str> = plan.changes().map(|step| step.node.as_str()).collect();
    assert_eq!(goes, ["net", "svc"].into());
}
