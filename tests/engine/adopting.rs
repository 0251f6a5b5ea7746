//! Objects the state does not know, or knows wrongly.

use tapctl::engine::Outcome;
use tapctl::error::Class;
use tapctl::stack::Stack;

use crate::cloud::{Fields, Mischief};
use crate::kinds::{Disk, Gate, Key, Net, Rev, Spec, Svc, id, manner};
use crate::stacks::{empty, everything};
use crate::world::{World, outcome};

fn one_disk() -> Stack {
    let mut stack = empty();
    Spec::<Disk>::new().on(&mut stack, "disk");
    stack
}

fn one_net(size: u32) -> Stack {
    let mut stack = empty();
    Spec::<Net>::new().size(size).on(&mut stack, "net");
    stack
}

#[tokio::test(start_paused = true)]
async fn with_the_state_lost_everything_is_found_again() {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    let before = world.facts_of_state();
    world.store.text.replace(None);
    world.cloud.forget_calls();
    let report = world.apply(&everything(false)).await.complete();
    assert_eq!(report.count(Outcome::Adopted), before.nodes.len());
    assert_eq!(world.cloud.count("write"), 0);
    assert_eq!(world.facts_of_state(), before);
}

#[tokio::test(start_paused = true)]
async fn a_plan_tells_whether_what_it_takes_over_is_changed_too() {
    let world = World::default();
    world.apply(&one_net(1)).await.complete();
    world.store.text.replace(None);
    for (size, alters) in [(1, false), (2, true)] {
        let (plan, ..) = world.plan(Some(&one_net(size))).await.expect("it is ours");
        let step = &plan.steps[0];
        assert_eq!((step.action.word(), step.alters), ("adopt", alters));
        let told = serde_json::to_value(step).expect("a step is JSON");
        assert_eq!(told.get("alters"), alters.then_some(&serde_json::Value::Bool(true)), "{told}");
        world.cloud.forget_calls();
        let world = world.fork();
        world.apply(&one_net(size)).await.complete();
        assert_eq!(world.cloud.count("write") > 0, alters, "{}", world.cloud.told());
    }
}

#[tokio::test(start_paused = true)]
async fn with_the_state_lost_a_change_is_still_made_and_nothing_is_left() {
    let (world, fresh) = (World::default(), World::default());
    fresh.apply(&everything(true)).await.complete();
    world.apply(&everything(false)).await.complete();
    world.store.text.replace(None);
    world.apply(&everything(true)).await.complete();
    let mut left = world.cloud.picture();
    left.retain(|line| !fresh.cloud.picture().contains(line));
    assert_eq!(left.len(), 1, "only what left the stack, of which nobody knows: {left:#?}");
    assert!(left[0].starts_with("t.net(old)"));
    assert_eq!(world.cloud.picture().len(), fresh.cloud.picture().len() + 1);
}

#[tokio::test(start_paused = true)]
async fn with_the_state_lost_amid_a_replacement_both_ends_are_found() {
    let stack = |size| {
        let mut stack = empty();
        let rev = Spec::<Rev>::new().size(size).on(&mut stack, "rev");
        Spec::<Svc>::new().uses("rev", id(&rev)).on(&mut stack, "svc");
        stack
    };
    for stop in ["modify svc", "delete rev"] {
        for mischief in [Mischief::KilledBefore, Mischief::KilledAfter] {
            let world = World::default();
            world.apply(&stack(1)).await.complete();
            world.cloud.upset(stop, mischief, 1);
            world.apply(&stack(2)).await;
            world.store.text.replace(None);
            world.apply(&stack(2)).await.complete();
            assert_eq!(world.cloud.objects.borrow().len(), 2, "{stop} {mischief:?}: {}", world.cloud.told());
            assert_eq!(world.cloud.of("rev").fields.size, 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_state_does_not_make_anything_twice() {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    let old = world.store.text.borrow().clone();
    world.apply(&everything(true)).await.complete();
    let (picture, writes) = (world.cloud.picture(), world.cloud.count("create"));
    world.store.text.replace(old);
    world.apply(&everything(true)).await.complete();
    assert_eq!(world.cloud.picture(), picture);
    assert_eq!(world.cloud.count("create"), writes);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_object_is_refused_by_name_and_taken_over_on_request() {
    let mut world = World::default();
    let fields = Fields { name: Some("disk".into()), zone: "a".into(), size: 1, ..Fields::default() };
    let theirs = world.cloud.plant(manner::<Disk>(), Fields { tags: Some([].into()), ..fields }, None);
    let failures = world.apply(&one_disk()).await.failures();
    let text = failures[0].to_string();
    assert!(text.contains(&theirs) && text.contains("is not ours"), "{text}");
    assert_eq!(failures[0].fault.class, Class::Exists);
    assert_eq!(world.cloud.count("write"), 0);
    world.options.adopt = true;
    let report = world.apply(&one_disk()).await.complete();
    assert_eq!(outcome(&report, "disk"), Some(Outcome::Adopted));
    assert_eq!(world.cloud.of("disk").id, theirs);
}

#[tokio::test(start_paused = true)]
async fn a_foreign_object_that_appears_meanwhile_is_refused_and_survives_a_destroy() {
    let world = World::default();
    let mut stack = empty();
    let key = Spec::<Key>::new().on(&mut stack, "key");
    Spec::<Disk>::new().uses("key", id(&key)).on(&mut stack, "disk");
    let fields = Fields { name: Some("disk".into()), tags: Some([].into()), ..Fields::default() };
    let theirs = world.cloud.plant(manner::<Disk>(), fields, None);
    let failures = world.apply(&stack).await.failures();
    assert!(failures[0].to_string().contains(&theirs), "{}", failures[0]);
    world.destroy().await.complete();
    assert_eq!(world.cloud.objects.borrow().keys().collect::<Vec<_>>(), [&theirs]);
}

#[tokio::test(start_paused = true)]
async fn what_vanished_is_made_again() {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    let picture = world.cloud.picture();
    for node in ["disk", "base", "gate"] {
        world.cloud.vanish(&world.cloud.of(node).id);
        world.apply(&everything(false)).await.complete();
        assert_eq!(world.cloud.picture(), picture, "{node}");
    }
}

/// An apply whose first create is lost and stays invisible; `then` runs as soon as the second create is called.
async fn made_twice(world: &World, then: impl Fn()) {
    world.cloud.hide.set(100);
    world.cloud.upset("create net", Mischief::LostAfter, 1);
    let second = async {
        while world.cloud.count("create") < 2 {
            world.cloud.hide.set(if world.cloud.objects.borrow().is_empty() { 100 } else { 0 });
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        then();
    };
    let stack = one_net(1);
    let (end, ()) = tokio::join!(world.apply(&stack), second);
    end.complete();
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_create_made_is_removed_once_it_shows() {
    let world = World::default();
    made_twice(&world, || world.cloud.show_all()).await;
    assert_eq!(world.cloud.of("net").id, "i-t.net-2");
    assert!(world.heard("i-t.net-1 was made by a create whose answer was lost; removing it"), "{}", world.words.text());
}

#[tokio::test(start_paused = true)]
async fn of_two_the_older_stays() {
    let world = World::default();
    made_twice(&world, || ()).await;
    world.cloud.show_all();
    world.store.text.replace(None);
    world.apply(&one_net(1)).await.complete();
    assert_eq!(world.cloud.of("net").id, "i-t.net-1");
    assert!(world.heard("i-t.net-2 is a duplicate of i-t.net-1; removing it"), "{}", world.words.text());
}

#[tokio::test(start_paused = true)]
async fn a_lost_create_of_another_name_is_found() {
    let stack = |name: &str| {
        let mut stack = empty();
        Spec::<Disk>::new().named(name).on(&mut stack, "disk");
        stack
    };
    let world = World::default();
    world.cloud.upset("create disk", Mischief::KilledAfter, 1);
    world.apply(&stack("one")).await;
    world.apply(&stack("two")).await.complete();
    assert_eq!(world.cloud.of("disk").fields.name.as_deref(), Some("two"));
}

#[tokio::test(start_paused = true)]
async fn a_destroy_finds_what_is_not_visible_yet() {
    for mischief in [Mischief::KilledAfter, Mischief::LostAfter] {
        for stop in ["create net", "list net"] {
            let mut world = World::default();
            world.options.timeout = Some(std::time::Duration::from_secs(1));
            world.cloud.hide.set(6);
            world.cloud.upset(stop, mischief, 1);
            world.cloud.upset("create net", Mischief::KilledAfter, 1);
            world.apply(&one_net(1)).await;
            world.cloud.calm();
            world.destroy().await.complete();
            assert_eq!(world.cloud.picture(), Vec::<String>::new(), "{stop} {mischief:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_destroy_removes_every_object_of_an_unanswered_create() {
    let world = World::default();
    world.cloud.hide.set(30);
    world.cloud.upset("create net", Mischief::LostAfter, 1);
    let make = async {
        tokio::time::sleep(std::time::Duration::from_secs(40)).await;
        world.cloud.upset("create net", Mischief::KilledAfter, 1);
        std::future::pending::<()>().await;
    };
    let stack = one_net(1);
    tokio::select! {
        _ = world.apply(&stack) => {}
        () = make => {}
    }
    assert_eq!(world.cloud.count("create"), 2, "{}", world.cloud.told());
    world.cloud.show_all();
    world.destroy().await.complete();
    assert_eq!(world.cloud.picture(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_again_much_later_is_looked_for_from_then_on() {
    let world = World::default();
    world.cloud.upset("create net", Mischief::KilledBefore, 1);
    world.apply(&one_net(1)).await;
    let mut old = world.store.state();
    let long_ago = jiff::Timestamp::now() - std::time::Duration::from_secs(60);
    let intent = old.nodes.get_mut("net").and_then(|net| net.attempt.as_mut()).expect("an intent");
    intent.since = long_ago;
    world.store.text.replace(Some(old.text()));
    world.cloud.hide.set(6);
    world.cloud.upset("create net", Mischief::KilledAfter, 1);
    world.apply(&one_net(1)).await;
    let intent = world.store.state().nodes["net"].attempt.clone().expect("an intent");
    assert_eq!(intent.since, long_ago);
    assert!(intent.last.is_some_and(|last| last > long_ago), "{intent:?}");
    world.apply(&one_net(1)).await.complete();
    assert_eq!(world.cloud.count("create"), 2, "{}", world.cloud.told());
    assert_eq!(world.cloud.objects.borrow().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_object_of_a_kind_that_never_recovers_is_made_anew() {
    let world = World::default();
    let mut stack = empty();
    Spec::<Gate>::new().on(&mut stack, "gate");
    world.cloud.breaks.set(Some("t.gate"));
    let report = world.apply(&stack).await.report();
    assert!(report.failures[0].to_string().contains("no capacity"), "{}", report.failures[0]);
    world.cloud.breaks.set(None);
    let report = world.apply(&stack).await.complete();
    assert_eq!(outcome(&report, "gate"), Some(Outcome::Replaced));
    assert_eq!(world.cloud.objects.borrow().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failed_object_of_another_kind_is_left_for_a_person() {
    let world = World::default();
    world.cloud.breaks.set(Some("t.disk"));
    world.apply(&one_disk()).await.report();
    let report = world.apply(&one_disk()).await.report();
    assert!(report.failures[0].to_string().contains("no capacity"), "{}", report.failures[0]);
    assert_eq!(world.cloud.count("create"), 1);
    world.destroy().await.complete();
    assert!(world.cloud.picture().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_replacement_the_plan_did_not_show_is_left_to_the_next_plan() {
    let world = World::default();
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    Spec::<Rev>::new().uses("net", id(&net)).on(&mut stack, "rev");
    world.apply(&stack).await.complete();
    let old = world.cloud.of("rev").id;
    world.store.text.replace(None);
    world.cloud.vanish(&world.cloud.of("net").id);
    let report = world.apply(&stack).await.report();
    assert!(report.failures[0].to_string().contains("run apply again"), "{}", report.failures[0]);
    world.apply(&stack).await.complete();
    assert_ne!(world.cloud.of("rev").id, old);
}
