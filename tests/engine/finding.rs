//! What is ours and stands in no record: told, and removed without one.

use tapctl::resource::{Owner, Tags};

use crate::cloud::{Fields, Mischief};
use crate::kinds::{Disk, Net, Shared, Spec, Svc, id, manner};
use crate::stacks::{empty, everything};
use crate::world::{End, World};

fn owner(env: &str, region: &str, node: &str) -> Owner {
    Owner { stack: "shop".into(), env: env.into(), region: region.into(), node: node.into(), attempt: String::new() }
}

fn tagged(tags: Tags) -> Fields {
    Fields { zone: "a".into(), size: 1, tags: Some(tags), ..Fields::default() }
}

/// The kinds of what is left.
fn left(world: &World) -> Vec<String> {
    world.cloud.objects.borrow().values().map(|object| object.manner.kind.to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn without_a_record_all_is_removed_and_what_is_not_ours_stands() {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    let others = [owner("other", "us-east-1", "net"), owner("test", "eu-central-1", "net")];
    let others = others.map(|owner| world.cloud.plant(manner::<Net>(), tagged(owner.tags()), None));
    world.store.text.replace(None);
    // The settings have changed since: what left the stack is found by its tags.
    world.tear_down(&everything(true)).await.complete();
    let ids: Vec<String> = world.cloud.objects.borrow().keys().filter(|id| *id != "the-one").cloned().collect();
    assert_eq!(ids, others);
    assert!(world.store.state().nodes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_removal_without_a_record_goes_on_after_a_kill_at_any_call() {
    let (start, stack) = (World::default(), everything(false));
    start.apply(&stack).await.complete();
    start.store.text.replace(None);
    let calls = {
        let whole = start.fork();
        whole.tear_down(&stack).await.complete();
        whole.cloud.calls()
    };
    for call in 1..=calls {
        for mischief in [Mischief::KilledBefore, Mischief::KilledAfter] {
            let world = start.fork();
            world.cloud.plan(call, mischief);
            let killed = tokio::select! {
                end = world.tear_down(&stack) => matches!(end, End::Killed),
                () = world.cloud.killed.notified() => true,
            };
            assert!(killed, "call {call}");
            world.cloud.calm();
            world.tear_down(&stack).await.complete();
            assert_eq!(left(&world), ["t.shared"], "call {call} {mischief:?}: {}", world.cloud.told());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_ours_nothing_is_found_though_what_is_shared_is_there() {
    let world = World::default();
    world.cloud.plant(manner::<Shared>(), Fields::default(), Some("the-one"));
    world.cloud.plant(manner::<Net>(), tagged(owner("other", "us-east-1", "net").tags()), None);
    let recovered = world.recovered(&everything(false)).await;
    assert!(recovered.state.nodes.is_empty() && recovered.found.is_empty(), "{recovered:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_ours_and_of_no_node_is_told_and_goes_along() {
    let world = World::default();
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    Spec::<Disk>::new().uses("net", id(&net)).on(&mut stack, "disk");
    world.apply(&stack).await.complete();
    let other = world.cloud.plant(manner::<Net>(), tagged(owner("test", "us-east-1", "other").tags()), None);
    // It holds the other, and only its live spec says so.
    let mut user = tagged(owner("test", "us-east-1", "user").tags());
    user.name = Some("user".into());
    user.uses = [("net".to_owned(), other.clone())].into();
    let user = world.cloud.plant(manner::<Disk>(), user, None);
    let told = |ids: Vec<tapctl::engine::Unrecorded>| {
        let mut ids: Vec<String> = ids.into_iter().map(|object| object.id).collect();
        ids.sort();
        ids
    };
    let mut expected = vec![other.clone(), user];
    expected.sort();
    assert_eq!(told(world.inventory(None).await.unrecorded), expected);
    assert_eq!(told(world.inventory(Some(&stack)).await.unrecorded), expected);
    let recovered = world.recovered(&stack).await;
    assert_eq!(recovered.found.iter().collect::<Vec<_>>(), ["other", "user"]);
    assert!(recovered.state.nodes["user"].edges.contains("other"));
    world.tear_down(&stack).await.complete();
    assert_eq!(left(&world), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_an_apply_would_take_over_is_no_stray() {
    let world = World::default();
    let mut stack = empty();
    Spec::<Net>::new().on(&mut stack, "net");
    world.apply(&stack).await.complete();
    world.store.text.replace(None);
    assert!(world.inventory(Some(&stack)).await.unrecorded.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_others_have_put_in_the_way_is_named_and_what_goes_along_is_not() {
    let world = World::default();
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    Spec::<Disk>::new().uses("net", id(&net)).on(&mut stack, "disk");
    world.apply(&stack).await.complete();
    assert!(world.obstacles().await.is_empty());
    let mut service = tagged(Tags::new());
    service.name = Some("theirs".into());
    service.uses = [("net".to_owned(), world.cloud.of("net").id)].into();
    let theirs = world.cloud.plant(manner::<Svc>(), service, None);
    let obstacles = world.obstacles().await;
    assert_eq!(obstacles.len(), 1, "{obstacles:?}");
    assert_eq!((obstacles[0].node.as_str(), obstacles[0].by.as_str()), ("net", theirs.as_str()));
}

#[tokio::test(start_paused = true)]
async fn what_a_create_without_an_answer_made_is_nobodys_obstacle() {
    let world = World::default();
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    Spec::<Svc>::new().uses("net", id(&net)).on(&mut stack, "svc");
    world.cloud.upset("create svc", Mischief::KilledAfter, 1);
    world.apply(&stack).await;
    assert!(world.store.state().nodes["svc"].id.is_none(), "{}", world.cloud.told());
    assert_eq!(world.cloud.of("svc").fields.uses["net"], world.cloud.of("net").id);
    assert!(world.obstacles().await.is_empty());
}
