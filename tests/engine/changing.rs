//! Rerunning, updating, replacing and removing.

use tapctl::engine::Outcome;
use tapctl::error::Class;
use tapctl::stack::{Out, Stack};

use crate::cloud::{Fields, Mischief};
use crate::kinds::{Attr, Disk, Gate, Key, Link, Net, Rev, Shared, Shut, Spec, Svc, id, manner};
use crate::stacks::{empty, everything};
use crate::world::{World, outcome};

#[tokio::test(start_paused = true)]
async fn a_second_apply_reads_little_and_writes_nothing() {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    let serial = world.store.state().serial;
    world.cloud.forget_calls();
    let report = world.apply(&everything(false)).await.complete();
    assert_eq!(report.count(Outcome::Kept), everything(false).nodes.len());
    assert_eq!(world.cloud.count("write"), 0);
    // What others make, join and leave meanwhile is read again on its own turn.
    assert_eq!(world.cloud.calls(), 9 + 1, "one read a kind, and one more of what is shared: {}", world.cloud.told());
    assert_eq!(world.store.state().serial, serial);
}

#[tokio::test(start_paused = true)]
async fn a_change_ends_where_a_fresh_apply_of_it_ends() {
    let (changed, fresh) = (World::default(), World::default());
    changed.apply(&everything(false)).await.complete();
    changed.apply(&everything(true)).await.complete();
    fresh.apply(&everything(true)).await.complete();
    assert_eq!(changed.cloud.picture(), fresh.cloud.picture());
    let (plan, ..) = changed.plan(Some(&everything(true))).await.unwrap();
    assert!(plan.is_empty(), "{plan:#?}");
    assert_eq!(changed.store.state().outputs["service"], changed.cloud.of("svc").id);
}

#[tokio::test(start_paused = true)]
async fn what_changes_in_place_keeps_its_id() {
    let world = World::default();
    let stack = |size| {
        let mut stack = empty();
        Spec::<Disk>::new().size(size).on(&mut stack, "disk");
        stack
    };
    world.apply(&stack(1)).await.complete();
    let before = world.cloud.of("disk").id;
    let report = world.apply(&stack(2)).await.complete();
    assert_eq!(outcome(&report, "disk"), Some(Outcome::Updated));
    assert_eq!((world.cloud.of("disk").id, world.cloud.of("disk").fields.size), (before, 2));
    assert_eq!(world.cloud.count("modify"), 1);
}

/// A disk with a tag, and how far its update got is told.
fn tagged(size: u32, tag: &str) -> Stack {
    let mut stack = empty();
    stack.tag([("Team", tag.to_owned())]);
    Spec::<Disk>::new().size(size).on(&mut stack, "disk");
    stack
}

#[tokio::test(start_paused = true)]
async fn what_took_effect_of_an_update_that_was_refused_half_way_is_told() {
    let world = World::default();
    world.apply(&tagged(1, "one")).await.complete();
    let rehearsal = world.fork();
    rehearsal.apply(&tagged(2, "two")).await.complete();
    let calls = rehearsal.cloud.log.borrow().iter().map(|call| call.verb).collect::<Vec<_>>();
    let second = calls.iter().rposition(|verb| *verb == "modify").expect("two calls") + 1;
    world.cloud.forget_calls();
    world.cloud.plan(second, Mischief::Refused(Class::Invalid));
    let failures = world.apply(&tagged(2, "two")).await.failures();
    let told = failures[0].to_string();
    assert!(told.contains("as planned; took effect: size; refused: tags.Team"), "{told}");
    assert_eq!(world.cloud.of("disk").fields.size, 2);
    world.apply(&tagged(2, "two")).await.complete();
    assert!(world.plan(Some(&tagged(2, "two"))).await.unwrap().0.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_update_that_was_refused_whole_says_no_more_than_why() {
    let world = World::default();
    world.apply(&tagged(1, "one")).await.complete();
    world.cloud.upset("modify disk", Mischief::Refused(Class::Invalid), 1);
    let failures = world.apply(&tagged(2, "two")).await.failures();
    assert!(!failures[0].to_string().contains("took effect"), "{}", failures[0]);
}

#[tokio::test(start_paused = true)]
async fn updates_that_go_one_at_a_time_are_called_for_until_none_is_left() {
    let world = World::default();
    world.cloud.lag.set(3);
    let mut stack = empty();
    Spec::<Attr>::new().flag("a", true).flag("b", true).flag("c", true).on(&mut stack, "attr");
    world.apply(&stack).await.complete();
    assert_eq!(world.cloud.count("modify"), 3, "{}", world.cloud.told());
}

#[tokio::test(start_paused = true)]
async fn what_shuts_a_way_gives_the_other_one_the_time_to_be_open() {
    let world = World::default();
    let stack = |size| {
        let mut stack = empty();
        let net = Spec::<Net>::new().on(&mut stack, "net");
        Spec::<Shut>::new().size(size).uses("net", id(&net)).on(&mut stack, "shut");
        stack
    };
    let took = async |size| {
        let began = tokio::time::Instant::now();
        world.apply(&stack(size)).await.complete();
        began.elapsed()
    };
    let pause = std::time::Duration::from_secs(30);
    assert!(took(1).await >= pause, "it is made");
    assert!(took(2).await >= pause, "it changes");
    assert!(took(2).await < pause, "nothing changes");
}

fn revisions(size: u32) -> Stack {
    let mut stack = empty();
    let base = Spec::<Rev>::new().size(size).on(&mut stack, "base");
    let rev = Spec::<Rev>::new().uses("base", id(&base)).on(&mut stack, "rev");
    Spec::<Svc>::new().uses("rev", id(&rev)).on(&mut stack, "svc");
    stack
}

#[tokio::test(start_paused = true)]
async fn create_first_makes_the_new_moves_the_users_and_removes_the_old() {
    for parallelism in [1, 16] {
        let mut world = World::default();
        world.options.parallelism = parallelism;
        world.apply(&revisions(1)).await.complete();
        world.cloud.forget_calls();
        world.apply(&revisions(2)).await.complete();
        let at = |verb, node| world.cloud.position(verb, node);
        assert!(at("create", "base") < at("create", "rev"));
        assert!(at("create", "rev") < at("modify", "svc"));
        assert!(at("modify", "svc") < at("delete", "rev"));
        assert!(at("delete", "rev") < at("delete", "base"));
        assert_eq!(world.cloud.count("delete"), 2, "none was refused: {}", world.cloud.told());
        assert_eq!(world.cloud.objects.borrow().len(), 3);
    }
}

fn joined(zone: &str) -> Stack {
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    let disk = Spec::<Disk>::new().zone(zone).uses("net", id(&net)).on(&mut stack, "disk");
    let link = Spec::<Link>::new().uses("disk", id(&disk)).on(&mut stack, "link");
    Spec::<Gate>::new().uses("link", id(&link)).on(&mut stack, "gate");
    stack
}

#[tokio::test(start_paused = true)]
async fn delete_first_takes_its_dependents_with_it() {
    let world = World::default();
    world.apply(&joined("a")).await.complete();
    world.cloud.forget_calls();
    let report = world.apply(&joined("b")).await.complete();
    for node in ["disk", "link", "gate"] {
        assert_eq!(outcome(&report, node), Some(Outcome::Replaced), "{node}");
    }
    assert_eq!(outcome(&report, "net"), Some(Outcome::Kept));
    let at = |verb, node| world.cloud.position(verb, node);
    let order = [at("delete", "gate"), at("delete", "link"), at("delete", "disk"), at("create", "disk")];
    assert!(order.is_sorted() && at("create", "link") < at("create", "gate"), "{}", world.cloud.told());
    assert_eq!(world.cloud.count("delete"), 3, "none was refused");
}

#[tokio::test(start_paused = true)]
async fn a_create_first_kind_on_something_that_goes_first_goes_first_too() {
    let world = World::default();
    let stack = |zone: &str| {
        let mut stack = empty();
        let disk = Spec::<Disk>::new().zone(zone).on(&mut stack, "disk");
        Spec::<Rev>::new().uses("disk", id(&disk)).on(&mut stack, "rev");
        stack
    };
    world.apply(&stack("a")).await.complete();
    world.apply(&stack("b")).await.complete();
    assert_eq!(world.cloud.objects.borrow().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_left_the_stack_goes_once_its_user_has_moved() {
    let world = World::default();
    let stack = |used: &str| {
        let mut stack = empty();
        let net = Spec::<Net>::new().on(&mut stack, used);
        Spec::<Svc>::new().uses("net", id(&net)).on(&mut stack, "svc");
        stack
    };
    world.apply(&stack("old")).await.complete();
    world.cloud.forget_calls();
    let report = world.apply(&stack("new")).await.complete();
    assert_eq!(outcome(&report, "old"), Some(Outcome::Deleted));
    assert!(world.cloud.position("modify", "svc") < world.cloud.position("delete", "old"));
    assert_eq!(world.cloud.count("delete"), 1, "it was not refused");
}

#[tokio::test(start_paused = true)]
async fn what_left_the_stack_goes_after_the_old_revision_that_used_it() {
    let world = World::default();
    let stack = |used: &str| {
        let mut stack = empty();
        let net = Spec::<Net>::new().on(&mut stack, used);
        let rev = Spec::<Rev>::new().uses("net", id(&net)).on(&mut stack, "rev");
        Spec::<Svc>::new().uses("rev", id(&rev)).on(&mut stack, "svc");
        stack
    };
    let mut world = world;
    world.options.parallelism = 1;
    world.apply(&stack("old")).await.complete();
    world.cloud.forget_calls();
    world.apply(&stack("new")).await.complete();
    assert_eq!(world.cloud.count("delete"), 2, "none was refused: {}", world.cloud.told());
}

#[tokio::test(start_paused = true)]
async fn a_node_that_becomes_another_kind_does_not_lose_its_old_object() {
    let world = World::default();
    let mut before = empty();
    let thing = Spec::<Net>::new().on(&mut before, "thing");
    Spec::<Svc>::new().uses("thing", id(&thing)).on(&mut before, "svc");
    let mut after = empty();
    let thing = Spec::<Key>::new().on(&mut after, "thing");
    Spec::<Svc>::new().uses("thing", id(&thing)).on(&mut after, "svc");
    world.apply(&before).await.complete();
    let (plan, ..) = world.plan(Some(&after)).await.unwrap();
    assert_eq!(plan.action("thing").unwrap().word(), "replace");
    world.apply(&after).await.complete();
    assert_eq!(world.cloud.of("thing").manner.kind, "t.key");
    assert_eq!(world.cloud.objects.borrow().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn steps_that_wait_for_each_other_are_named() {
    let world = World::default();
    let mut before = empty();
    let low = Spec::<Disk>::new().on(&mut before, "low");
    let middle = Spec::<Key>::new().uses("low", id(&low)).on(&mut before, "middle");
    Spec::<Svc>::new().uses("it", id(&middle)).on(&mut before, "top");
    let mut after = empty();
    let low = Spec::<Disk>::new().zone("b").on(&mut after, "low");
    Spec::<Svc>::new().uses("it", id(&low)).on(&mut after, "top");
    world.apply(&before).await.complete();
    let report = world.apply(&after).await.report();
    let text = report.failures[0].to_string();
    assert!(text.contains("to remove low waits to remove middle"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_shared_object_is_taken_over_and_given_up_once() {
    let world = World::default();
    let fields = Fields { zone: "a".into(), size: 7, ..Fields::default() };
    world.cloud.plant(manner::<Shared>(), fields, Some("the-one"));
    let mut stack = empty();
    Spec::<Shared>::new().size(2).on(&mut stack, "account");
    let report = world.apply(&stack).await.complete();
    assert_eq!(outcome(&report, "account"), Some(Outcome::Adopted));
    let report = world.destroy().await.complete();
    assert_eq!(outcome(&report, "account"), Some(Outcome::Forgotten));
    assert_eq!(world.cloud.count("delete"), 0);
    assert_eq!(world.cloud.count("release"), 1);
    assert_eq!(world.cloud.objects.borrow()["the-one"].fields.size, 2);
}

#[tokio::test(start_paused = true)]
async fn a_reference_that_becomes_a_plain_value_is_not_a_change() {
    let world = World::default();
    let stack = |plain: Option<String>| {
        let mut stack = empty();
        let net = Spec::<Net>::new().on(&mut stack, "net");
        let used = plain.map_or_else(|| id(&net), Out::Known);
        Spec::<Disk>::new().uses("net", used).on(&mut stack, "disk");
        stack
    };
    world.apply(&stack(None)).await.complete();
    let (plan, ..) = world.plan(Some(&stack(Some(world.cloud.of("net").id)))).await.unwrap();
    assert!(plan.is_empty(), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn an_update_that_never_shows_ends_with_a_reason() {
    let world = World::default();
    let stack = |size| {
        let mut stack = empty();
        Spec::<Net>::new().size(size).on(&mut stack, "net");
        stack
    };
    world.apply(&stack(1)).await.complete();
    world.cloud.lag.set(u32::MAX);
    let said = "it is in a state that cannot be upgraded".to_owned();
    world.cloud.words.borrow_mut().insert(world.cloud.of("net").id, said);
    let report = world.apply(&stack(2)).await.report();
    let text = report.failures[0].to_string();
    let reason = "still shows the old values: size; AWS last said: it is in a state that cannot be upgraded";
    assert!(text.contains(reason), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_to_an_update_or_a_removal_does_no_harm() {
    for mischief in [Mischief::LostBefore, Mischief::LostAfter] {
        let world = World::default();
        world.apply(&joined("a")).await.complete();
        world.cloud.upset("delete gate", mischief, 2);
        world.cloud.upset("create gate", mischief, 1);
        world.apply(&joined("b")).await.complete();
        assert_eq!(world.cloud.objects.borrow().len(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_that_somebody_undoes_again_and_again_ends_with_a_reason() {
    let world = World::default();
    let stack = |size| {
        let mut stack = empty();
        Spec::<Net>::new().size(size).on(&mut stack, "net");
        stack
    };
    world.apply(&stack(1)).await.complete();
    let net = world.cloud.of("net").id;
    let undo = async {
        for odd in [true, false].into_iter().cycle() {
            while world.cloud.of("net").fields.size != 2 {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            world.cloud.tamper(&net, |net| net.fields.size = if odd { 3 } else { 1 });
        }
    };
    let stack = stack(2);
    let report = tokio::select! {
        end = world.apply(&stack) => end.report(),
        () = undo => unreachable!(),
    };
    let text = report.failures[0].to_string();
    assert!(text.contains("still shows the old values: size"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_left_the_stack_goes_before_a_user_that_moves_to_what_is_made_anew_below_it() {
    let world = World::default();
    let stack = |zone: &str, through: bool| {
        let mut stack = empty();
        let ground = Spec::<Net>::new().zone(zone).on(&mut stack, "ground");
        let rule = through.then(|| Spec::<Net>::new().uses("ground", id(&ground)).on(&mut stack, "rule"));
        // What it is told of the rule is no more than that it is there.
        let way = rule.map_or_else(|| ground.out("etag"), |rule| rule.out("etag"));
        Spec::<Svc>::new().size(if through { 1 } else { 2 }).uses("way", way).on(&mut stack, "svc");
        stack
    };
    world.apply(&stack("a", true)).await.complete();
    world.cloud.forget_calls();
    world.apply(&stack("b", false)).await.complete();
    assert!(world.cloud.position("delete", "rule") < world.cloud.position("delete", "ground"));
    assert!(world.cloud.position("delete", "ground") < world.cloud.position("modify", "svc"));
}

#[tokio::test(start_paused = true)]
async fn steps_that_wait_for_each_other_are_told_before_any_is_begun() {
    let world = World::default();
    let stack = |zone: &str, through: bool| {
        let mut stack = empty();
        let ground = Spec::<Net>::new().zone(zone).on(&mut stack, "ground");
        let rule = through.then(|| Spec::<Net>::new().uses("ground", id(&ground)).on(&mut stack, "rule"));
        let used = rule.map_or_else(|| id(&ground), |rule| id(&rule));
        Spec::<Svc>::new().uses("used", used).on(&mut stack, "svc");
        Spec::<Net>::new().on(&mut stack, zone);
        stack
    };
    world.apply(&stack("a", true)).await.complete();
    world.cloud.forget_calls();
    let end = world.apply(&stack("b", false)).await;
    assert_eq!(world.cloud.count("write"), 0, "{}", world.cloud.told());
    insta::assert_snapshot!(end.report().failures[0].fault.message, @"these steps wait for each other: to make ground waits to remove ground; to remove ground waits to remove rule; to remove rule waits to make svc; to make svc waits to make ground");
}
