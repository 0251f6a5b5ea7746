//! Taking down what others hold on to, and what comes back.

use std::time::Duration;

use tapctl::engine::{Outcome, Stop};
use tapctl::error::Class;
use tapctl::resource::Tags;
use tapctl::stack::Stack;
use tapctl::state::NodeState;
use tokio::time::Instant;

use crate::cloud::{Fields, Mischief};
use crate::kinds::{Disk, Log, Net, Spec, id, manner};
use crate::stacks::empty;
use crate::world::{World, outcome};

fn one_net() -> Stack {
    let mut stack = empty();
    Spec::<Net>::new().on(&mut stack, "net");
    stack
}

/// Something of somebody else's that uses the network.
fn squatter(world: &World) -> String {
    let uses = [("net".to_owned(), world.cloud.of("net").id)].into();
    world.cloud.plant(manner::<Net>(), Fields { uses, ..Fields::default() }, None)
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_for_long_is_told_with_what_uses_it() {
    let world = World::default();
    world.apply(&one_net()).await.complete();
    let holder = squatter(&world);
    let started = Instant::now();
    let report = world.destroy().await.report();
    let text = report.failures[0].to_string();
    assert!(text.contains(&format!("; held by {holder} after 600 s")), "{text}");
    assert!(world.heard(&format!("wait net: DependencyViolation: i-t.net-1 is used by {holder}; held by {holder}")));
    assert!(started.elapsed() < Duration::from_secs(660));
    let asked = world.cloud.count("users");
    assert!((5..=12).contains(&asked), "about once a minute, not {asked} times");
}

#[tokio::test(start_paused = true)]
async fn what_uses_it_is_told_within_half_a_minute() {
    let world = World::default();
    world.apply(&one_net()).await.complete();
    let holder = squatter(&world);
    let told = async {
        let started = Instant::now();
        while !world.heard(&format!("held by {holder}")) {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        started.elapsed()
    };
    tokio::select! {
        after = told => assert!(after <= Duration::from_secs(30), "{after:?}"),
        end = world.destroy() => panic!("{end:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_let_go_of_soon_is_not_asked_about() {
    let world = World::default();
    world.apply(&one_net()).await.complete();
    let holder = squatter(&world);
    let release = async {
        tokio::time::sleep(Duration::from_secs(12)).await;
        world.cloud.vanish(&holder);
    };
    let (end, ()) = tokio::join!(world.destroy(), release);
    end.complete();
    assert_eq!(world.cloud.count("users"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_removal_is_not_waited_for_where_waiting_cannot_help() {
    for (class, longest) in [(Class::Exists, 1), (Class::NotYet, 130)] {
        let world = World::default();
        world.apply(&one_net()).await.complete();
        world.cloud.upset("delete net", Mischief::Refused(class), u32::MAX);
        let started = Instant::now();
        let report = world.destroy().await.report();
        assert_eq!((report.failures[0].verb, report.failures[0].fault.class), ("delete", class));
        assert!(started.elapsed() <= Duration::from_secs(longest), "{class:?} took {:?}", started.elapsed());
    }
}

/// A log, and a disk whose removal takes longer.
fn log_and_disk() -> Stack {
    let mut stack = empty();
    let log = Spec::<Log>::new().on(&mut stack, "log");
    Spec::<Disk>::new().on(&mut stack, "disk");
    stack.output("log", id(&log));
    stack
}

/// A writer makes the log anew, with none of our tags.
fn written_again(world: &World, id: &str) {
    let fields = Fields { name: Some("log".into()), zone: "a".into(), tags: Some(Tags::new()), ..Fields::default() };
    world.cloud.plant(manner::<Log>(), fields, Some(id));
}

#[tokio::test(start_paused = true)]
async fn what_a_writer_makes_anew_is_removed_again() {
    for seconds in [2, 10, 20, 29] {
        let world = World::default();
        world.apply(&log_and_disk()).await.complete();
        let log = world.cloud.of("log").id;
        let write = async {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            written_again(&world, &log);
        };
        let (end, ()) = tokio::join!(world.destroy(), write);
        assert_eq!(end.complete().done.len(), 2, "it is told once");
        assert!(world.heard("was made anew by a service"), "after {seconds} s");
        assert!(world.cloud.picture().is_empty());
        assert!(world.store.state().nodes.is_empty() && world.store.state().outputs.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_made_anew_before_anybody_saw_it_gone_is_removed_again() {
    let world = World::default();
    world.apply(&log_and_disk()).await.complete();
    let log = world.cloud.of("log").id;
    let started = Instant::now();
    let write = async {
        while world.cloud.count("delete") < 2 || world.cloud.picture().iter().any(|line| line.contains("t.log")) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        written_again(&world, &log);
    };
    let (end, ()) = tokio::join!(world.destroy(), write);
    end.complete();
    assert!(started.elapsed() < Duration::from_secs(60), "took {:?}", started.elapsed());
    assert!(world.heard("was made anew by a service"));
    assert!(world.cloud.picture().is_empty());
}

/// Time passes on a terminal that takes it, so the clock is not paused.
#[tokio::test]
async fn that_the_time_for_looking_again_ends_is_no_failure() {
    let mut world = World::default();
    let mut stack = empty();
    Spec::<Log>::new().on(&mut stack, "log");
    world.apply(&stack).await.complete();
    world.options.settle = Duration::from_secs(1);
    world.words.1 = Duration::from_millis(1100);
    world.destroy().await.complete();
    assert!(world.heard("whether a service makes it anew"));
    assert!(world.store.state().nodes.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_destroy_that_ends_before_its_last_look_is_made_up_for() {
    let mut world = World::default();
    world.apply(&log_and_disk()).await.complete();
    let log = world.cloud.of("log").id;
    let (ask, stop) = Stop::new();
    world.stop = Some(stop);
    let stopper = async {
        tokio::time::sleep(Duration::from_secs(25)).await;
        ask.send(true).unwrap();
    };
    let (end, ()) = tokio::join!(world.destroy(), stopper);
    assert!(end.report().interrupted);
    assert_eq!(world.store.state().nodes.keys().collect::<Vec<_>>(), ["log"]);
    written_again(&world, &log);
    world.stop = None;
    let report = world.destroy().await.complete();
    assert_eq!(outcome(&report, "log"), Some(Outcome::Deleted));
    assert!(world.cloud.picture().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_removal_answered_with_not_found_for_another_objects_sake_is_asked_for_again() {
    let world = World::default();
    world.apply(&one_net()).await.complete();
    world.cloud.upset("delete net", Mischief::Refused(Class::Absent), 1);
    let started = Instant::now();
    world.destroy().await.complete();
    assert!(world.cloud.picture().is_empty());
    assert_eq!(world.cloud.count("delete"), 2);
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_a_service_made_long_after_a_destroy_is_taken_over_and_named() {
    let world = World::default();
    world.apply(&log_and_disk()).await.complete();
    let log = world.cloud.of("log").id;
    world.destroy().await.complete();
    written_again(&world, &log);
    let (plan, ..) = world.plan(Some(&log_and_disk())).await.unwrap();
    let adopted = plan.steps.iter().find(|step| step.node == "log").map(|step| step.action.word());
    assert_eq!(adopted, Some("adopt"));
    let report = world.apply(&log_and_disk()).await.complete();
    assert_eq!(outcome(&report, "log"), Some(Outcome::Adopted));
    assert_eq!(world.cloud.of("log").id, log, "by its tags it is ours by now");
    world.destroy().await.complete();
    assert!(world.cloud.picture().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_aws_put_there_stays_where_the_next_run_is_an_apply_again() {
    let world = World::default();
    world.apply(&one_net()).await.complete();
    let fields = Fields { zone: "a".into(), tags: Some(Tags::new()), ..Fields::default() };
    let id = world.cloud.plant(manner::<Net>(), fields, None);
    // As a destroy that was stopped before its turn has recorded it.
    let mut state = world.store.state();
    let outputs = serde_json::json!({});
    let record = NodeState { id: Some(id.clone()), outputs, created: None, ..state.nodes["net"].clone() };
    state.nodes.insert("lodger".into(), record);
    world.store.text.replace(Some(state.text()));
    let (destroy, ..) = world.plan(None).await.unwrap();
    assert!(destroy.steps.iter().any(|step| step.node == "lodger" && step.action.word() == "delete"));
    let report = world.apply(&one_net()).await.complete();
    assert_eq!(outcome(&report, "lodger"), Some(Outcome::Forgotten));
    assert!(world.cloud.objects.borrow().contains_key(&id));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_chosen_something_of_is_refused() {
    let world = World::default();
    let fields = Fields { name: Some("log".into()), tags: Some(Tags::new()), size: 3, ..Fields::default() };
    world.cloud.plant(manner::<Log>(), fields, None);
    let failures = world.plan(Some(&log_and_disk())).await.err().expect("it is refused");
    assert_eq!(failures[0].fault.code, "Foreign");
}

#[tokio::test(start_paused = true)]
async fn what_leaves_the_stack_is_not_waited_for() {
    let world = World::default();
    world.apply(&log_and_disk()).await.complete();
    let started = Instant::now();
    world.apply(&empty()).await.complete();
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(world.store.state().nodes.is_empty());
}
