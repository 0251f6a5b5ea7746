//! A second object with a node's tags: shown before it goes, and never taken with its data without leave.

use std::collections::BTreeSet;

use tapctl::plan::{Action, Plan};
use tapctl::resource::{Owner, Tags};
use tapctl::stack::Stack;

use crate::cloud::{Fields, Mischief};
use crate::kinds::{Net, Spec, Vault, manner};
use crate::stacks::empty;
use crate::world::World;

fn stack() -> Stack {
    let mut stack = empty();
    Spec::<Net>::new().on(&mut stack, "net");
    Spec::<Vault>::new().on(&mut stack, "vault");
    stack
}

fn tags(node: &str) -> Tags {
    let text = |text: &str| text.to_owned();
    let (stack, env, region) = (text("shop"), text("test"), text("us-east-1"));
    Owner { stack, env, region, node: text(node), attempt: String::new() }.tags()
}

/// What stands, and two more objects with its tags, as another run with another state makes them.
async fn doubled() -> (World, String, String) {
    let world = World::default();
    world.apply(&stack()).await.complete();
    let fields = |node| Fields { zone: "a".into(), size: 1, tags: Some(tags(node)), ..Fields::default() };
    let net = world.cloud.plant(manner::<Net>(), fields("net"), None);
    let vault = world.cloud.plant(manner::<Vault>(), fields("vault"), None);
    world.cloud.forget_calls();
    (world, net, vault)
}

/// The duplicates a plan shows: node, which one goes, which one stays, and whether data is lost.
fn shown(plan: &Plan) -> Vec<(String, String, String, bool)> {
    let shown = plan.steps.iter().filter_map(|step| match &step.action {
        Action::Duplicate { of } => Some((step.node.clone(), step.id.clone()?, of.clone(), step.stateful)),
        _ => None,
    });
    shown.collect()
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_shown_with_and_without_the_state_before_it_goes() {
    for lost in [false, true] {
        let (world, net, vault) = doubled().await;
        if lost {
            world.store.text.replace(None);
        }
        let (plan, ..) = world.plan(Some(&stack())).await.expect("readable");
        let expected = [("net", &net, "i-t.net-1", false), ("vault", &vault, "i-t.vault-2", true)];
        let expected = expected.map(|(node, id, of, loses)| (node.to_owned(), id.clone(), of.to_owned(), loses));
        assert_eq!(shown(&plan), expected, "{lost}");
        assert!(!plan.is_empty());
        world.apply(&stack()).await.complete();
        let left: BTreeSet<String> = world.cloud.objects.borrow().keys().cloned().collect();
        assert_eq!(left, ["i-t.net-1".to_owned(), "i-t.vault-2".to_owned()].into(), "{lost}");
        assert!(world.plan(Some(&stack())).await.expect("readable").0.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_is_drift() {
    let (world, net, vault) = doubled().await;
    let drifted = world.drift().await;
    let told: Vec<_> = drifted.iter().map(|drifted| (drifted.node.as_str(), drifted.duplicates.clone())).collect();
    assert_eq!(told, [("net", vec![net]), ("vault", vec![vault])]);
    assert_eq!(world.cloud.count("write"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_destroy_shows_and_takes_a_duplicate_too() {
    let (world, net, vault) = doubled().await;
    let (plan, ..) = world.plan(None).await.expect("readable");
    let ids: BTreeSet<String> = shown(&plan).into_iter().map(|(_, id, ..)| id).collect();
    assert_eq!(ids, [net, vault].into());
    world.destroy().await.complete();
    assert_eq!(world.cloud.picture(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_duplicate_that_the_plan_did_not_show_stays_until_one_does() {
    let world = World::default();
    world.apply(&stack()).await.complete();
    world.store.text.replace(None);
    world.cloud.upset("create net", Mischief::LostAfter, 1);
    let fields = Fields { zone: "a".into(), size: 1, tags: Some(tags("net")), ..Fields::default() };
    world.meanwhile.replace(Some(Box::new(move |cloud| drop(cloud.plant(manner::<Net>(), fields, None)))));
    world.apply(&stack()).await.complete();
    assert_eq!(world.cloud.count("delete"), 0, "{}", world.cloud.told());
    let (plan, ..) = world.plan(Some(&stack())).await.expect("readable");
    assert_eq!(shown(&plan).len(), 1);
    world.apply(&stack()).await.complete();
    assert_eq!(world.cloud.count("delete"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_this_states_own_unanswered_create_made_twice_is_no_step_of_a_plan() {
    let world = World::default();
    world.cloud.upset("create net", Mischief::KilledAfter, 1);
    world.apply(&stack()).await;
    let fields = Fields { zone: "a".into(), size: 1, tags: Some(tags("net")), ..Fields::default() };
    let second = world.cloud.plant(manner::<Net>(), fields, None);
    let (plan, ..) = world.plan(Some(&stack())).await.expect("readable");
    assert_eq!(shown(&plan), []);
    world.apply(&stack()).await.complete();
    assert!(!world.cloud.objects.borrow().contains_key(&second));
}
