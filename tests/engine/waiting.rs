//! Failures, retries, limits and stops: what ends a run early, and how the next one goes on.

use std::time::Duration;

use tapctl::engine::{Outcome, Stop};
use tapctl::error::Class;
use tapctl::stack::Stack;
use tapctl::state::Progress;
use tokio::time::Instant;

use crate::cloud::Mischief;
use crate::kinds::{Disk, Gate, Key, Net, Post, Spec, Svc, id};
use crate::stacks::{empty, everything};
use crate::world::{World, outcome};

/// Two slow disks, something that needs the first, and something that needs that.
fn pair() -> Stack {
    let mut stack = empty();
    let one = Spec::<Disk>::new().on(&mut stack, "one");
    Spec::<Disk>::new().on(&mut stack, "two");
    let svc = Spec::<Svc>::new().uses("one", id(&one)).on(&mut stack, "svc");
    Spec::<Svc>::new().uses("svc", id(&svc)).on(&mut stack, "top");
    stack
}

#[tokio::test(start_paused = true)]
async fn after_a_failure_nothing_starts_and_what_runs_is_seen_to_its_end() {
    let world = World::default();
    world.cloud.upset("create one", Mischief::Refused(Class::Denied), 1);
    let report = world.apply(&pair()).await.report();
    let failed: Vec<&str> = report.failures.iter().map(|failure| failure.node.as_str()).collect();
    assert_eq!((failed, report.skipped), (vec!["one"], 2), "only the root is named");
    assert_eq!(report.failures[0].verb, "create");
    assert_eq!(outcome(&report, "two"), Some(Outcome::Created));
    assert_eq!(world.store.state().nodes["two"].progress, Progress::Ready);
    world.apply(&pair()).await.complete();
    assert_eq!(world.cloud.objects.borrow().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn two_roots_are_two_failures() {
    let world = World::default();
    world.cloud.upset("create one", Mischief::Refused(Class::Quota), 1);
    world.cloud.upset("create two", Mischief::Refused(Class::Invalid), 1);
    assert_eq!(world.apply(&pair()).await.report().failures.len(), 2);
    assert!(world.store.state().nodes.is_empty(), "a refused create leaves no intent");
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_was_cut_short_is_resumed() {
    let mut world = World::default();
    world.options.timeout = Some(Duration::from_secs(5));
    let report = world.apply(&pair()).await.report();
    let text = report.failures[0].to_string();
    assert!(text.ends_with("still being made after 5 s; AWS goes on with it"), "{text}");
    let ids = (world.cloud.of("one").id, world.cloud.of("two").id);
    world.options.timeout = None;
    let report = world.apply(&pair()).await.complete();
    assert_eq!(outcome(&report, "one"), Some(Outcome::Resumed));
    assert_eq!((world.cloud.of("one").id, world.cloud.of("two").id), ids);
    assert_eq!(world.cloud.count("create"), 4);
}

#[tokio::test(start_paused = true)]
async fn what_became_ready_meanwhile_is_still_recorded() {
    let mut world = World::default();
    world.options.timeout = Some(Duration::from_secs(5));
    world.apply(&pair()).await.report();
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (plan, ..) = world.plan(Some(&pair())).await.unwrap();
    assert_eq!(plan.action("one").unwrap().word(), "resume", "its outputs are not in the state");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_for_now_is_asked_again() {
    for class in [Class::Throttled, Class::Busy, Class::NotYet, Class::Lost] {
        let world = World::default();
        world.apply(&everything(false)).await.complete();
        for call in ["create new", "create spare", "modify svc", "modify net", "delete gate", "delete old", "list disk"]
        {
            world.cloud.upset(call, Mischief::Refused(class), if call == "list disk" { 0 } else { 3 });
        }
        world.apply(&everything(true)).await.complete();
        let fresh = World::default();
        fresh.apply(&everything(true)).await.complete();
        assert_eq!(world.cloud.picture(), fresh.cloud.picture(), "{class:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_amid_a_wait_is_made_again() {
    for mischief in [Mischief::Refused(Class::Throttled), Mischief::LostAfter] {
        let world = World::default();
        let mut stack = empty();
        let net = Spec::<Net>::new().on(&mut stack, "net");
        Spec::<Gate>::new().uses("net", id(&net)).on(&mut stack, "gate");
        let run = world.apply(&stack);
        let spoil = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            world.cloud.upset("list gate", mischief, 4);
        };
        let (end, ()) = tokio::join!(run, spoil);
        end.complete();
    }
}

#[tokio::test(start_paused = true)]
async fn five_minutes_without_a_network_end_no_run() {
    let (before, after) = (everything(false), everything(true));
    for seconds in 20..50 {
        let world = World::default();
        world.cloud.slow(seconds, 100..=1000);
        let cut = |delay: u64| {
            let cloud = &world.cloud;
            async move {
                tokio::time::sleep(Duration::from_secs(delay)).await;
                cloud.unreachable.set(Some(Instant::now() + Duration::from_secs(300)));
            }
        };
        let (made, ()) = tokio::join!(world.apply(&before), cut(seconds));
        made.complete();
        world.cloud.unreachable.set(None);
        let (changed, ()) = tokio::join!(world.apply(&after), cut(seconds));
        changed.complete();
        let fresh = World::default();
        fresh.apply(&after).await.complete();
        assert_eq!(world.cloud.picture(), fresh.cloud.picture(), "cut after {seconds} s");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_without_a_network_fails_at_once() {
    let world = World::default();
    world.apply(&pair()).await.complete();
    world.cloud.unreachable.set(Some(Instant::now() + Duration::from_secs(300)));
    let started = Instant::now();
    assert!(world.plan(Some(&pair())).await.is_err());
    assert!(started.elapsed() < Duration::from_secs(60), "took {:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_is_never_granted_ends_with_the_reason() {
    for (call, class, verb) in [
        ("create one", Class::Busy, "create"),
        ("create one", Class::Lost, "create"),
        ("modify one", Class::Throttled, "wait"),
        ("delete one", Class::Busy, "delete"),
    ] {
        let world = World::default();
        let mut stack = pair();
        if !call.starts_with("create") {
            world.apply(&stack).await.complete();
            stack = empty();
            Spec::<Disk>::new().size(5).on(&mut stack, if call.starts_with("modify") { "one" } else { "other" });
        }
        let started = Instant::now();
        world.cloud.upset(call, Mischief::Refused(class), u32::MAX);
        let report = world.apply(&stack).await.report();
        assert_eq!((report.failures[0].node.as_str(), report.failures[0].verb), ("one", verb));
        let text = report.failures[0].to_string();
        assert!(text.contains(&format!("{class:?}")), "{text}");
        assert!(started.elapsed() < Duration::from_secs(3600));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_leaves_within_the_grace_and_the_next_run_finishes() {
    for milliseconds in (0..40_000).step_by(500) {
        let mut world = World::default();
        world.cloud.slow(milliseconds, 100..=1000);
        let (ask, stop) = Stop::new();
        world.stop = Some(stop);
        let stack = pair();
        let stopper = async {
            tokio::time::sleep(Duration::from_millis(milliseconds)).await;
            ask.send(true).unwrap();
            Instant::now()
        };
        let run = async { (world.apply(&stack).await.report(), Instant::now()) };
        let ((report, ended), asked) = tokio::join!(run, stopper);
        assert!(ended.saturating_duration_since(asked) <= Duration::from_millis(1500), "at {milliseconds}");
        assert!(report.failures.is_empty());
        assert!(report.interrupted || report.is_complete());
        world.stop = None;
        world.apply(&stack).await.complete();
        assert_eq!(world.cloud.objects.borrow().len(), 4, "stopped at {milliseconds}");
        assert_eq!(world.cloud.count("create"), 4, "{}", world.cloud.told());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_answers_does_not_hold_up_a_stop() {
    let mut world = World::default();
    world.cloud.slow(1, 3_600_000..=3_600_000);
    let (ask, stop) = Stop::new();
    world.stop = Some(stop);
    let mut stack = empty();
    Spec::<Key>::new().on(&mut stack, "key");
    let run = async {
        let report = world.apply(&stack).await.report();
        (report, Instant::now())
    };
    let stopper = async {
        // The plan's read takes an hour, the create another.
        tokio::time::sleep(Duration::from_secs(3600 + 60)).await;
        ask.send(true).unwrap();
        Instant::now()
    };
    let ((report, ended), asked) = tokio::join!(run, stopper);
    assert!(ended - asked < Duration::from_secs(2));
    assert_eq!(report.left.len(), 1);
    assert!(world.store.state().nodes["key"].attempt.is_some(), "the next run knows what to look for");
}

#[tokio::test(start_paused = true)]
async fn a_denied_retry_does_not_forget_the_call_before_it() {
    let world = World::default();
    world.cloud.hide.set(100);
    world.cloud.upset("create net", Mischief::LostAfter, 1);
    world.cloud.upset("create net", Mischief::Refused(Class::Denied), 1);
    let mut stack = empty();
    Spec::<Net>::new().on(&mut stack, "net");
    world.apply(&stack).await.report();
    world.cloud.show_all();
    world.destroy().await.complete();
    assert!(world.cloud.picture().is_empty());
}

fn one_service() -> Stack {
    let mut stack = empty();
    Spec::<Svc>::new().on(&mut stack, "svc");
    stack
}

#[tokio::test(start_paused = true)]
async fn a_bad_end_ends_the_wait_with_the_cloud_s_own_words_and_the_next_run_lets_it_try_again() {
    let world = World::default();
    world.cloud.breaks.set(Some("t.svc"));
    let report = world.apply(&one_service()).await.report();
    let text = report.failures[0].to_string();
    assert_eq!(text, "svc (t.svc): wait failed: Failed: no capacity");
    let broken = world.cloud.of("svc").id;
    let started = Instant::now();
    world.apply(&one_service()).await.report();
    assert_eq!(world.cloud.count("revive"), 1, "still no capacity, but it was asked");
    assert!(started.elapsed() < Duration::from_secs(30), "and the wait ends with the second bad end");
    world.cloud.breaks.set(None);
    let report = world.apply(&one_service()).await.complete();
    assert_eq!(outcome(&report, "svc"), Some(Outcome::Resumed));
    assert_eq!((world.cloud.of("svc").id, world.cloud.count("create")), (broken, 1));
}

fn one_post() -> Stack {
    let mut stack = empty();
    Spec::<Post>::new().on(&mut stack, "post");
    stack
}

#[tokio::test(start_paused = true)]
async fn what_tries_again_by_itself_is_given_the_time_to() {
    let world = World::default();
    world.cloud.breaks.set(Some("t.post"));
    let next_try = async {
        tokio::time::sleep(Duration::from_secs(150)).await;
        world.cloud.objects.borrow_mut().values_mut().for_each(|object| object.broken = None);
    };
    let stack = one_post();
    let (end, ()) = tokio::join!(world.apply(&stack), next_try);
    end.complete();
    assert_eq!(world.cloud.count("revive"), 0, "it was made a moment ago");
    world.cloud.objects.borrow_mut().values_mut().for_each(|object| object.broken = Some("denied".to_owned()));
    let started = Instant::now();
    let report = world.apply(&one_post()).await.report();
    assert_eq!(report.failures[0].to_string(), "post (t.post): wait failed: Failed: denied");
    assert!((200..260).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn what_ended_badly_and_is_found_again_is_asked_to_try_again_too() {
    let world = World::default();
    world.cloud.breaks.set(Some("t.svc"));
    world.apply(&one_service()).await.report();
    world.cloud.breaks.set(None);
    *world.store.text.borrow_mut() = None;
    let (plan, ..) = world.plan(Some(&one_service())).await.unwrap();
    let said = serde_json::to_value(&plan).unwrap()[0]["reason"].clone();
    assert_eq!(said, "no capacity");
    let report = world.apply(&one_service()).await.complete();
    assert_eq!(outcome(&report, "svc"), Some(Outcome::Adopted));
    assert_eq!((world.cloud.count("create"), world.cloud.count("revive")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn credentials_that_run_out_end_the_run_once_and_name_what_is_under_way() {
    let world = World::default();
    let started = Instant::now();
    let spoil = async {
        tokio::time::sleep(Duration::from_secs(5)).await;
        for call in ["list one", "list two"] {
            world.cloud.upset(call, Mischief::Refused(Class::Credentials), u32::MAX);
        }
    };
    let stack = pair();
    let (end, ()) = tokio::join!(world.apply(&stack), spoil);
    let report = end.report();
    assert_eq!((report.failures.len(), report.skipped, report.interrupted), (1, 2, false));
    assert!(started.elapsed() < Duration::from_secs(15), "nothing is waited for any more");
    let mut left = report.left.clone();
    left.sort();
    assert_eq!(left, ["one: being made", "two: being made"]);
    world.cloud.calm();
    world.apply(&stack).await.complete();
    assert_eq!(world.cloud.count("create"), 4);
}

#[tokio::test(start_paused = true)]
async fn a_plan_without_credentials_fails_once() {
    let world = World::default();
    world.apply(&pair()).await.complete();
    for node in ["one", "two", "svc", "top"] {
        world.cloud.upset(&format!("list {node}"), Mischief::Refused(Class::Credentials), u32::MAX);
    }
    assert_eq!(world.apply(&pair()).await.failures().len(), 1);
}
