//! What is said of an object beside its fields: that it awaits a restart, and what others have queued for its window.

use std::collections::BTreeMap;

use tapctl::engine::{Outcome, Repair};
use tapctl::resource::{Besides, Queue, Queued, Restart};
use tapctl::run::queue;
use tapctl::stack::Stack;

use crate::kinds::{Disk, Spec, kinds};
use crate::stacks::empty;
use crate::world::{World, facts, outcome};

/// Two that can be restarted, the first of this size.
fn disks(size: u32) -> Stack {
    let mut stack = empty();
    Spec::<Disk>::new().size(size).on(&mut stack, "disk");
    Spec::<Disk>::new().on(&mut stack, "spare");
    stack
}

async fn made() -> World {
    let world = World::default();
    world.apply(&disks(1)).await.complete();
    world.cloud.forget_calls();
    world
}

fn say(world: &World, node: &str, besides: Besides) {
    world.cloud.besides.borrow_mut().insert(node.to_owned(), besides);
}

fn awaits(unused: bool, leads: bool) -> Besides {
    let restart = Some(Restart { what: "its parameters".to_owned(), unused });
    Besides { restart, leads, ..Besides::default() }
}

fn waits(field: &'static str, becomes: &str) -> Besides {
    let (becomes, spelled) = (becomes.to_owned(), becomes.to_owned());
    let window = "sun:04:00-sun:05:00".to_owned();
    let queued = vec![Queued { field: Some(field), what: "size", becomes, spelled, window }];
    Besides { queued, ..Besides::default() }
}

#[tokio::test(start_paused = true)]
async fn what_leads_others_is_restarted_after_them_and_never_two_at_once() {
    let world = made().await;
    say(&world, "disk", awaits(true, true));
    say(&world, "spare", awaits(false, false));
    let drifted = world.drift().await;
    assert!(drifted.iter().all(|one| one.repair == Repair::Restarts), "{drifted:#?}");
    world.apply(&disks(1)).await.complete();
    assert_eq!(world.cloud.count("restart"), 0, "what has been ready is restarted by nobody unasked");
    let report = world.restart().await.complete();
    assert_eq!(outcome(&report, "disk"), Some(Outcome::Restarted));
    let restarts: Vec<String> = {
        let calls = world.cloud.log.borrow();
        calls.iter().filter(|call| call.verb == "restart").map(|call| call.node.clone()).collect()
    };
    assert_eq!(restarts, ["spare", "disk"]);
    assert!(world.drift().await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_came_up_without_its_settings_is_restarted_before_anybody_is_on_it() {
    let world = World::default();
    say(&world, "disk", awaits(true, false));
    say(&world, "spare", awaits(false, false));
    let report = world.apply(&disks(1)).await.complete();
    assert_eq!(outcome(&report, "disk"), Some(Outcome::Created));
    assert_eq!(world.cloud.count("restart"), 1, "only of what is new nobody is there to be interrupted");
}

#[tokio::test(start_paused = true)]
async fn what_others_have_queued_is_neither_waited_for_nor_carried_out() {
    let world = made().await;
    say(&world, "disk", waits("size", "3"));
    let drifted = world.drift().await;
    assert_eq!((drifted.len(), &drifted[0].repair), (1, &Repair::Waiting));
    assert_eq!(drifted[0].queued, ["size will become 3 in the window sun:04:00-sun:05:00"]);
    world.apply(&disks(1)).await.complete();
    let (plan, seen, _) = world.plan(Some(&disks(2))).await.unwrap();
    let kinds = kinds();
    let refused = queue::refuse(&plan, &seen, &BTreeMap::new(), &facts(&kinds)).unwrap().unwrap();
    assert!(refused.text.contains("disk: size will become 3"), "{refused}");
    assert!(refused.hint.contains("--apply-pending disk or --cancel-pending disk"), "{refused}");
    // Whoever goes on all the same is stopped by the engine.
    let failures = world.apply(&disks(2)).await.failures();
    assert!(failures[0].fault.message.contains("AWS would carry that out now"), "{failures:#?}");
    let there_and_back = queue::orders(&["disk".to_owned()], &[], &disks(2), &seen).unwrap_err();
    assert!(there_and_back.text.ends_with("and the settings ask for 2"), "{there_and_back}");
    let orders = queue::orders(&[], &["disk".to_owned(), "spare".to_owned()], &disks(2), &seen).unwrap();
    assert_eq!(orders, [("disk".to_owned(), Queue::Cancel)].into());
    world.settle_queues(&orders).await.complete();
    assert_eq!(world.cloud.count("cancel queue"), 1);
    world.apply(&disks(2)).await.complete();
}

#[tokio::test(start_paused = true)]
async fn what_the_settings_ask_for_as_well_is_made_without_a_question() {
    let world = made().await;
    say(&world, "disk", waits("size", "2"));
    let (plan, seen, _) = world.plan(Some(&disks(2))).await.unwrap();
    let kinds = kinds();
    assert!(queue::refuse(&plan, &seen, &BTreeMap::new(), &facts(&kinds)).unwrap().is_none());
    // This run's own change is waited for; the queue of this cloud is emptied by nobody else.
    let failures = world.apply(&disks(2)).await.failures();
    assert!(failures[0].fault.message.contains("change of size pending"), "{failures:#?}");
}
