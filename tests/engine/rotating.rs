//! Changing credentials: those that keep one first, then those that use it, each in two turns.

use tapctl::engine::Outcome;
use tapctl::error::Class;

use crate::cloud::{Mischief, SWEPT};
use crate::stacks::everything;
use crate::world::{End, World, outcome};

async fn made() -> World {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    world.cloud.forget_calls();
    world
}

#[tokio::test(start_paused = true)]
async fn what_keeps_a_credential_goes_before_what_uses_it() {
    let world = made().await;
    let serial = world.store.state().serial;
    let report = world.rotate().await.complete();
    assert_eq!(report.count(Outcome::Rotated), 3, "{report:#?}");
    let at = |verb, node| world.cloud.position(verb, node);
    for node in ["disk", "spare", "svc"] {
        assert_eq!(outcome(&report, node), Some(Outcome::Rotated));
        assert!(at("rotate", node) < at("settle", node));
    }
    assert!(at("settle", "disk") < at("rotate", "svc"));
    assert!(at("settle", "svc") < at("retire", "disk"), "its users have the new one by then");
    assert_eq!(world.cloud.count("write"), 8, "{}", world.cloud.told());
    assert_eq!(world.store.state().serial, serial, "nothing of it is recorded");
    let (plan, ..) = world.plan(Some(&everything(false))).await.unwrap();
    assert!(plan.is_empty(), "{plan:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_is_refused_for_now_is_taken_again() {
    for verb in ["rotate disk", "settle disk"] {
        for class in [Class::Busy, Class::Throttled, Class::NotYet] {
            let world = made().await;
            world.cloud.upset(verb, Mischief::Refused(class), 2);
            world.rotate().await.complete();
            assert_eq!(world.cloud.count(verb.split(' ').next().unwrap()), 3 + 2, "{verb} {class:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_and_leaves_the_users_alone() {
    let world = made().await;
    world.cloud.upset("settle disk", Mischief::Refused(Class::Denied), 1);
    let failures = world.rotate().await.failures();
    assert_eq!((failures[0].node.as_str(), failures[0].verb), ("disk", "rotate"));
    assert!(!world.cloud.log.borrow().iter().any(|call| call.node == "svc" && call.verb == "rotate"));
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_call_the_next_run_does_all_of_it() {
    for verb in ["rotate disk", "settle disk", "rotate svc", "settle svc", "retire disk"] {
        for mischief in SWEPT {
            let world = made().await;
            world.cloud.upset(verb, mischief, 1);
            let end = world.rotate().await;
            if !matches!(end, End::Killed) {
                end.complete();
            }
            world.cloud.calm();
            world.cloud.forget_calls();
            let report = world.rotate().await.complete();
            assert_eq!(report.count(Outcome::Rotated), 3, "{verb} {mischief:?}");
        }
    }
}
