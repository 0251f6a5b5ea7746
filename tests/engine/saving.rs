//! The state document: always whole, never older than the one before, and a run that cannot save it stops.

use tapctl::state::{State, StateError};

use crate::kinds::{Key, Spec};
use crate::stacks::{empty, everything};
use crate::world::{Accident, End, World};

#[tokio::test(start_paused = true)]
async fn a_slow_save_is_not_overtaken() {
    for seed in 0..20 {
        let world = World::default();
        let mut random = fastrand::Rng::with_seed(seed);
        world.store.delays.replace((0..200).map(|_| random.u64(0..5000)).collect());
        world.cloud.slow(seed, 1..=500);
        world.apply(&everything(false)).await.complete();
        assert!(world.store.serials.borrow().is_sorted(), "{:?}", world.store.serials.borrow());
        assert_eq!(world.facts_of_state().nodes.len(), everything(false).nodes.len());
    }
}

#[tokio::test(start_paused = true)]
async fn changes_made_during_a_save_share_the_next() {
    let world = World::default();
    world.store.delays.replace(vec![3000; 100]);
    let mut stack = empty();
    for at in 0..16 {
        Spec::<Key>::new().on(&mut stack, &format!("key-{at}"));
    }
    world.apply(&stack).await.complete();
    assert!(world.store.saves.get() < 16, "{} saves for 48 changes", world.store.saves.get());
}

#[tokio::test(start_paused = true)]
async fn an_intent_is_kept_before_its_call_and_an_id_before_any_wait() {
    let world = World::default();
    world.store.accident.set(Some((1, Accident::KilledBefore)));
    assert!(matches!(world.apply(&everything(false)).await, End::Killed));
    assert_eq!(world.cloud.count("write"), 0, "no call without its intent");
}

#[tokio::test(start_paused = true)]
async fn a_run_that_cannot_save_ends_at_once_with_the_reason() {
    let world = World::default();
    world.store.accident.set(Some((3, Accident::Fails)));
    let End::Unsaved(StateError::Io { error, .. }) = world.apply(&everything(false)).await else {
        panic!("it went on");
    };
    assert_eq!(error.to_string(), "disk full");
    world.store.accident.set(None);
    world.apply(&everything(false)).await.complete();
    assert_eq!(world.cloud.objects.borrow().len(), everything(false).nodes.len());
}

/// The end of a run whose so-manieth save goes wrong, and how many calls that write it has made.
async fn disturbed(save: usize, accident: Accident) -> (End, usize) {
    let mut world = World::default();
    // One node at a time: then nothing is under way beside the save.
    world.options.parallelism = 1;
    world.store.accident.set(Some((save, accident)));
    let end = world.apply(&everything(false)).await;
    assert_eq!(world.store.saves.get(), save, "it saves no more");
    (end, world.cloud.count("write"))
}

#[tokio::test(start_paused = true)]
async fn a_run_that_has_lost_the_state_to_another_does_nothing_more() {
    let undisturbed = World::default();
    undisturbed.apply(&everything(false)).await.complete();
    for save in 1..undisturbed.store.saves.get() {
        let (_, until_then) = disturbed(save, Accident::KilledBefore).await;
        let (end, writes) = disturbed(save, Accident::Fenced).await;
        assert!(matches!(end, End::Unsaved(StateError::Fenced { .. })), "save {save}: {end:#?}");
        assert_eq!(writes, until_then, "save {save}");
        let (end, writes) = disturbed(save, Accident::Changed).await;
        assert!(matches!(end, End::Unsaved(StateError::Changed { .. })), "save {save}: {end:#?}");
        assert_eq!(writes, until_then, "save {save}");
    }
}

#[tokio::test(start_paused = true)]
async fn outputs_are_of_the_last_complete_apply_and_go_with_the_stack() {
    let mut world = World { targets: vec!["net".into()], ..World::default() };
    world.apply(&everything(false)).await.complete();
    assert!(world.store.state().outputs.is_empty(), "what is not known is not told");
    world.targets.clear();
    world.apply(&everything(false)).await.complete();
    assert_eq!(world.store.state().outputs["service"], world.cloud.of("svc").id);
    world.destroy().await.complete();
    let state: State = world.store.state();
    assert!(state.nodes.is_empty() && state.outputs.is_empty());
}
