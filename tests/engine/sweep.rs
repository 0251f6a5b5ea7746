//! Killed, or left without an answer, at every single call and save: the next run ends where an undisturbed one ends.

use std::fmt::Debug;

use tapctl::stack::Stack;

use crate::cloud::{Mischief, SWEPT};
use crate::stacks::everything;
use crate::world::{Accident, End, World};

/// What is swept: the runs before, and the one that is disturbed. `None` is a destroy.
struct Sweep {
    before: Option<Stack>,
    disturbed: Option<Stack>,
    hide: u32,
    lag: u32,
    parallelism: usize,
}

impl Sweep {
    async fn start(&self) -> World {
        let mut world = World::default();
        world.options.parallelism = self.parallelism;
        world.cloud.hide.set(self.hide);
        world.cloud.lag.set(self.lag);
        if let Some(before) = &self.before {
            world.apply(before).await.complete();
        }
        world.cloud.forget_calls();
        world.store.saves.set(0);
        world
    }

    /// Disturbs the run, runs again, and compares with an undisturbed run.
    async fn check(&self, expected: &[String], point: impl Debug, disturb: impl Fn(&World)) -> bool {
        let world = self.start().await;
        disturb(&world);
        let first = world.run(self.disturbed.as_ref()).await;
        world.cloud.calm();
        world.store.accident.set(None);
        let context = || format!("{point:?}: first {first:?}\n{}\n{}", world.words.text(), world.cloud.told());
        let second = world.run(self.disturbed.as_ref()).await;
        assert!(matches!(&second, End::Done(report) if report.is_complete()), "{second:#?}\n{}", context());
        assert_eq!(world.cloud.picture(), expected, "{}", context());
        if let Some(stack) = &self.disturbed {
            let (plan, ..) = world.plan(Some(stack)).await.unwrap();
            assert!(plan.is_empty(), "{plan:#?}\n{}", context());
        }
        let third = world.destroy().await;
        assert!(matches!(&third, End::Done(report) if report.is_complete()), "{third:#?}\n{}", context());
        let left = world.cloud.picture();
        assert!(left.iter().all(|line| line.starts_with("t.shared")), "{left:#?}\n{}", context());
        assert!(world.store.state().nodes.is_empty(), "{}", context());
        matches!(first, End::Killed)
    }

    /// Every call and every save of the run. Answers how many points there were.
    async fn run(&self) -> usize {
        let world = self.start().await;
        world.run(self.disturbed.as_ref()).await.complete();
        let (calls, saves, expected) = (world.cloud.calls(), world.store.saves.get(), world.cloud.picture());
        let mut points = 0;
        for (call, mischief) in (1..=calls).flat_map(|call| SWEPT.map(|mischief| (call, mischief))) {
            let killed = self.check(&expected, (call, mischief), |world| world.cloud.plan(call, mischief)).await;
            let deadly = matches!(mischief, Mischief::KilledBefore | Mischief::KilledAfter);
            assert_eq!(killed, deadly, "call {call} {mischief:?} was reached");
            points += 1;
        }
        for save in 1..=saves {
            for accident in [Accident::Fails, Accident::KilledBefore, Accident::KilledAfter] {
                let disturb = |world: &World| world.store.accident.set(Some((save, accident)));
                self.check(&expected, ("save", save, accident), disturb).await;
                points += 1;
            }
        }
        println!("{calls} calls, {saves} saves, {points} points");
        points
    }
}

async fn sweep(before: Option<Stack>, disturbed: Option<Stack>) {
    for (hide, lag, parallelism) in [(0, 0, 16), (0, 0, 1), (2, 2, 16)] {
        let (before, disturbed) = (before.clone(), disturbed.clone());
        Sweep { before, disturbed, hide, lag, parallelism }.run().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_apply_may_die_anywhere() {
    sweep(None, Some(everything(false))).await;
}

#[tokio::test(start_paused = true)]
async fn a_change_may_die_anywhere() {
    sweep(Some(everything(false)), Some(everything(true))).await;
}

#[tokio::test(start_paused = true)]
async fn a_destroy_may_die_anywhere() {
    sweep(Some(everything(false)), None).await;
}
