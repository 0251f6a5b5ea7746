//! A store that is gone: never replaced by an empty one unasked, and made anew where it is named.

use serde_json::json;
use tapctl::engine::{self, Repair};
use tapctl::plan::Action;
use tapctl::resource::{Backup, Pass};
use tapctl::run::lost;
use tapctl::stack::Stack;
use tapctl::state::{NodeState, Progress, State};

use crate::kinds::{Net, Spec, Svc, Vault, id, kinds};
use crate::stacks::empty;
use crate::world::{Accident, World};

/// A store, what it stands on, and what uses it.
fn stack() -> Stack {
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    let vault = Spec::<Vault>::new().uses("net", id(&net)).on(&mut stack, "vault");
    Spec::<Svc>::new().uses("vault", id(&vault)).on(&mut stack, "svc");
    stack
}

/// Applied once, and then the store vanished.
async fn robbed() -> World {
    let world = World::default();
    world.apply(&stack()).await.complete();
    world.cloud.vanish(&world.cloud.of("vault").id);
    world.cloud.forget_calls();
    world
}

fn amend(world: &World, change: impl FnOnce(&mut NodeState)) {
    let mut state: State = world.store.state();
    change(state.nodes.get_mut("vault").unwrap());
    *world.store.text.borrow_mut() = Some(state.text());
}

async fn planned(world: &World) -> Action {
    world.plan(Some(&stack())).await.unwrap().0.action("vault").cloned().unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_held_data_and_is_gone_is_lost_and_nothing_is_made_in_its_place() {
    let world = robbed().await;
    let (plan, ..) = world.plan(Some(&stack())).await.unwrap();
    let step = plan.steps.iter().find(|step| step.node == "vault").unwrap();
    assert_eq!(
        (serde_json::to_value(&step.action).unwrap(), step.stateful),
        (json!({ "action": "lost", "reason": "it was ready, and is gone with its data" }), true)
    );
    assert!(!plan.is_empty() && plan.count("lost") == 1);
    let refused = lost::refuse(&plan, &world.store.state(), &engine::Backups::new()).unwrap_err();
    assert!(refused.hint.contains("--recreate vault"), "{refused}");
    // Whoever goes on all the same is stopped by the engine.
    let failures = world.apply(&stack()).await.report().failures;
    assert!(failures[0].fault.message.contains("no empty one is made in its place"), "{failures:#?}");
    assert_eq!(world.cloud.count("create"), 0);
}

#[tokio::test(start_paused = true)]
async fn the_next_plan_and_every_drift_say_so_until_the_node_is_named() {
    let world = robbed().await;
    let drifted = world.drift().await;
    assert_eq!(drifted.iter().find(|one| one.node == "vault").unwrap().repair, Repair::Lost);
    assert_eq!(serde_json::to_value(&drifted[0].repair).unwrap(), json!({ "repair": "lost" }));
    let named = World { recreate: vec!["vault".to_owned()], ..world };
    named.apply(&stack()).await.complete();
    assert_eq!((named.drift().await, planned(&named).await), (vec![], Action::Keep));
    assert_eq!(named.cloud.count("create"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_to_make_it_anew_is_gone_on_with_wherever_it_was_killed() {
    let robbed = robbed().await;
    for save in 1.. {
        let world = World { recreate: vec!["vault".to_owned()], ..robbed.fork() };
        world.store.accident.set(Some((save, Accident::KilledAfter)));
        world.apply(&stack()).await;
        let struck = world.store.saves.get() >= save;
        world.store.accident.set(None);
        world.apply(&stack()).await.complete();
        assert_eq!(world.drift().await, []);
        assert_eq!(world.cloud.objects.borrow().values().filter(|one| one.manner.kind == "t.vault").count(), 1);
        if !struck {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_what_was_ready_and_was_not_asked_to_go_is_lost() {
    let lost = |action: &Action| matches!(action, Action::Lost { .. });
    let world = robbed().await;
    for (progress, outputs, is_lost) in [
        (Progress::Ready, true, true),
        // A change, or a failure, of what was ready once.
        (Progress::Pending, true, true),
        (Progress::Failed, true, true),
        // Made, and never seen ready: nothing was in it.
        (Progress::Pending, false, false),
        (Progress::Deleting, true, false),
    ] {
        let world = world.fork();
        amend(&world, |vault| {
            vault.progress = progress;
            if !outputs {
                vault.outputs = serde_json::Value::Null;
            }
        });
        assert_eq!(lost(&planned(&world).await), is_lost, "{progress:?} {outputs}");
    }
    // What holds no data is simply made again.
    world.cloud.vanish(&world.cloud.of("svc").id);
    assert_eq!(world.plan(Some(&stack())).await.unwrap().0.action("svc"), Some(&Action::Create));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_not_lost_changes_nothing() {
    let world = World { recreate: vec!["vault".to_owned(), "svc".to_owned()], ..World::default() };
    world.apply(&stack()).await.complete();
    let before = world.cloud.picture();
    world.apply(&stack()).await.complete();
    assert_eq!((world.cloud.picture(), planned(&world).await), (before, Action::Keep));
}

#[tokio::test(start_paused = true)]
async fn what_is_left_out_of_a_run_is_not_given_up() {
    let world = World { recreate: vec!["vault".to_owned()], targets: vec!["net".to_owned()], ..robbed().await };
    world.apply(&stack()).await.complete();
    assert_eq!(world.store.state().nodes["vault"].progress, Progress::Ready);
}

#[tokio::test(start_paused = true)]
async fn what_a_store_could_be_restored_from_is_told_newest_first() {
    let world = robbed().await;
    let backup = |id: &str, second| Backup {
        id: id.to_owned(),
        what: "manual snapshot".to_owned(),
        taken: jiff::Timestamp::from_second(second).ok(),
        ..Backup::default()
    };
    world.cloud.backups.borrow_mut().insert("vault".to_owned(), vec![backup("old", 10), backup("new", 20)]);
    let (plan, _, pass) = world.plan(Some(&stack())).await.unwrap();
    let (state, kinds) = (world.store.state(), kinds());
    let asked = engine::without_data(&plan, &state);
    assert_eq!(asked.iter().map(|(node, ..)| *node).collect::<Vec<_>>(), ["vault"]);
    let found = engine::backups(&world.scope(&kinds, &pass), &state, asked).await.unwrap();
    let refused = lost::refuse(&plan, &state, &found).unwrap_err();
    let (new, old) = (refused.text.find("new (manual snapshot"), refused.text.find("old (manual snapshot"));
    assert!(new.is_some() && new < old, "{refused}");
    // One that is made for the first time is told of them, too.
    let fresh = World { cloud: world.cloud.fork(), ..World::default() };
    fresh.cloud.backups.borrow_mut().insert("vault".to_owned(), vec![backup("old", 10)]);
    let (plan, ..) = fresh.plan(Some(&stack())).await.unwrap();
    let state = fresh.store.state();
    let pass = Pass::default();
    let found = engine::backups(&fresh.scope(&kinds, &pass), &state, engine::without_data(&plan, &state)).await;
    assert_eq!(lost::remarks(&plan, &found.unwrap()).len(), 1);
    assert_eq!(world.cloud.count("write"), 0);
}
