//! What a shorter retention loses is known before it is done; `t.vault` keeps notes for as many days as it is large.

use tapctl::engine::Repair;
use tapctl::stack::Stack;

use crate::cloud::FakeCloud;
use crate::kinds::{Spec, Vault};
use crate::stacks::empty;
use crate::world::World;

fn keeping(days: u32) -> Stack {
    let mut stack = empty();
    Spec::<Vault>::new().size(days).on(&mut stack, "vault");
    stack
}

async fn lost(world: &World, stack: &Stack) -> Option<String> {
    world.plan(Some(stack)).await.unwrap().0.steps.remove(0).loses
}

fn keeps(world: &World, days: u32) {
    world.cloud.tamper(&world.cloud.of("vault").id, |vault| vault.fields.size = days);
}

#[tokio::test(start_paused = true)]
async fn a_shorter_retention_loses_what_is_older_and_a_longer_one_nothing() {
    let world = World::default();
    assert_eq!(lost(&world, &keeping(7)).await, None, "nothing is there yet");
    world.apply(&keeping(7)).await.complete();
    assert_eq!(lost(&world, &keeping(3)).await.as_deref(), Some("notes older than 3 days"));
    assert_eq!((lost(&world, &keeping(7)).await, lost(&world, &keeping(9)).await), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_replacement_loses_all_and_no_part() {
    let world = World::default();
    world.apply(&keeping(7)).await.complete();
    let mut elsewhere = empty();
    Spec::<Vault>::new().size(3).zone("b").on(&mut elsewhere, "vault");
    let step = world.plan(Some(&elsewhere)).await.unwrap().0.steps.remove(0);
    assert!(step.action.destroys() && step.stateful && step.loses.is_none(), "{step:?}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_keeps_for_longer_is_not_lost_unasked() {
    let world = World::default();
    world.apply(&keeping(7)).await.complete();
    for days in [30, 0] {
        keeps(&world, days);
        assert_eq!(lost(&world, &keeping(7)).await.as_deref(), Some("notes older than 7 days"), "{days}");
        let repair = world.drift().await.remove(0).repair;
        assert_eq!(repair, Repair::Asks { loses: "notes older than 7 days".into() });
    }
}

#[tokio::test(start_paused = true)]
async fn what_nobody_chose_is_no_loss_to_what_is_still_being_made() {
    let world = World::default();
    world.apply(&keeping(7)).await.complete();
    *world.store.text.borrow_mut() = None;
    keeps(&world, 0);
    assert_eq!(lost(&world, &keeping(7)).await, None, "a create that was cut off left it so");
    keeps(&world, 30);
    assert_eq!(lost(&world, &keeping(7)).await.as_deref(), Some("notes older than 7 days"), "somebody chose that");
    keeps(&world, 0);
    world.cloud.tamper(&world.cloud.of("vault").id, |vault| vault.fields.tags = Some(Default::default()));
    assert_eq!(lost(&world, &keeping(7)).await, None, "not ours, so another is made");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_came_to_keep_after_the_plan_is_not_lost_by_it() {
    let world = World::default();
    world.apply(&keeping(7)).await.complete();
    let keeps_longer = |cloud: &FakeCloud| cloud.tamper(&cloud.of("vault").id, |vault| vault.fields.size = 30);
    world.meanwhile.replace(Some(Box::new(keeps_longer)));
    let report = world.apply(&keeping(9)).await.report();
    let told = report.failures.iter().map(|failure| failure.fault.to_string()).collect::<String>();
    assert!(told.contains("it would lose notes older than 9 days, which the plan did not show"), "{told}");
    assert_eq!(world.cloud.of("vault").fields.size, 30);
}
