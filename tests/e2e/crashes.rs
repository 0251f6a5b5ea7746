//! Killed at the worst moment: AWS has done what was asked, and nobody was left to hear it.
//!
//! A run makes some two hundred calls that write. The kill points are spread over them; `TAPCTL_E2E_SEED` moves them.

use serde_json::json;

use crate::harness::{Desk, LocalAws, made, made_with};

/// How many kill points each test has, and how many tests share them.
const POINTS: u64 = 12;
const SHARES: u64 = 4;

fn seed() -> u64 {
    std::env::var("TAPCTL_E2E_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0)
}

/// Every fourth of the kill points: numbers of writing calls, evenly spread, shifted by the seed.
fn share(of: u64) -> impl Iterator<Item = u64> {
    let (seed, writes) = (seed(), made_with() as u64);
    println!("TAPCTL_E2E_SEED={seed}, {writes} writes");
    let step = writes / POINTS;
    (of..POINTS).step_by(SHARES as usize).map(move |point| 1 + point * step + seed % step)
}

fn killed(of: u64, when: &str) {
    let aws = LocalAws::lease();
    for nth in share(of) {
        aws.empty_again();
        // Kill points are calls, not moments: nothing is lost by waiting less.
        aws.set(json!({ "speed": "instant" }));
        let desk = Desk::at(&aws);
        aws.fault(json!({ "match": { "write": true }, "nth": nth, "when": when, "action": "hang" }));
        let mut apply = desk.start(&["apply", "--yes"]);
        aws.until_struck();
        let at =
            aws.log().into_iter().filter(|call| call.write).nth(nth as usize - 1).expect("the call that was struck");
        assert!(apply.runs(), "killed at write {nth}, {}", at.name());
        apply.crash();
        aws.lift_faults();
        println!("killed at write {nth}, {}, {when} it was done", at.name());
        desk.tapctl(&["apply", "--yes"]).expect(0);
        assert_eq!(aws.sweep().names(), made(), "after a kill at write {nth}, {}", at.name());
        desk.tapctl(&["plan"]).expect(0);
        desk.tapctl(&["destroy", "--yes"]).expect(0);
        let left = aws.sweep();
        assert_eq!(left.leftovers().names(), [""; 0]);
        assert_eq!(left.of("kms.key-pending-deletion").len(), 6, "a key was made twice");
        aws.assert_lawful();
    }
}

#[test]
fn killed_after_a_call_was_done_1() {
    killed(0, "after");
}

#[test]
fn killed_after_a_call_was_done_2() {
    killed(1, "after");
}

#[test]
fn killed_after_a_call_was_done_3() {
    killed(2, "after");
}

#[test]
fn killed_after_a_call_was_done_4() {
    killed(3, "after");
}

#[test]
fn killed_before_a_call_arrived() {
    killed(1, "before");
}
