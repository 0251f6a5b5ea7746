//! Specs that another version recorded, in a form that this one does not have.

use serde_json::{Value, json};

use crate::stacks::{empty, everything};
use crate::world::World;

/// A world that another version made.
async fn made(change: impl Fn(&mut serde_json::Map<String, Value>)) -> World {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    let mut state = world.store.state();
    for node in state.nodes.values_mut() {
        change(node.spec.as_object_mut().expect("a spec is an object"));
    }
    world.store.text.replace(Some(state.text()));
    world
}

#[tokio::test(start_paused = true)]
async fn a_spec_of_an_earlier_form_is_upgraded() {
    let before = |spec: &mut serde_json::Map<String, Value>| {
        let zone = spec.remove("zone").expect("there is one");
        spec.insert("room".to_owned(), zone);
    };
    let world = made(before).await;
    assert_eq!(world.drift().await, []);
    world.cloud.tamper(&world.cloud.of("disk").id, |disk| disk.fields.zone = "elsewhere".into());
    let drifted = world.drift().await;
    assert_eq!(drifted.len(), 1);
    assert_eq!(drifted[0].changes.changes[0].path, "zone", "what was renamed is still compared");
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_no_upgrade_knows_stops_nothing() {
    let other = |spec: &mut serde_json::Map<String, Value>| {
        spec.remove("zone");
        spec.insert("size".to_owned(), json!("large"));
    };
    let world = made(other).await;
    world.cloud.forget_calls();
    assert_eq!(world.drift().await, []);
    let (plan, ..) = world.plan(Some(&everything(false))).await.unwrap();
    assert!(plan.is_empty(), "{plan:?}");
    world.apply(&everything(false)).await.complete();
    assert_eq!(world.cloud.count("write"), 0);
    for node in world.store.state().nodes.values() {
        assert!(node.spec["zone"].is_string() && node.spec["size"].is_number(), "it is recorded anew: {}", node.spec);
    }
    // What others may use stays, as it does after a destroy that can read its record.
    let known = made(|_| {}).await;
    known.destroy().await.complete();
    let world = made(other).await;
    world.destroy().await.complete();
    assert_eq!(world.cloud.picture(), known.cloud.picture());
    let world = made(other).await;
    world.apply(&empty()).await.complete();
    assert_eq!(world.cloud.picture(), known.cloud.picture());
}
