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
    step: usize,
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
        world
    }

    /// Disturbs the run, runs again, and compares with an undisturbed run.
    async fn check(&self, world: World, expected: &[String], point: impl Debug) -> bool {
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

    /// Every call and every save of the run.
    async fn run(&self) {
        let start = self.start().await;
        let world = start.fork();
        world.run(self.disturbed.as_ref()).await.complete();
        let (calls, saves, expected) = (world.cloud.calls(), world.store.saves.get(), world.cloud.picture());
        let mut points = 0;
        for (call, mischief) in (1..=calls).step_by(self.step).flat_map(|call| SWEPT.map(|mischief| (call, mischief))) {
            let world = start.fork();
            world.cloud.plan(call, mischief);
            let killed = self.check(world, &expected, (call, mischief)).await;
            let deadly = matches!(mischief, Mischief::KilledBefore | Mischief::KilledAfter);
            assert_eq!(killed, deadly, "call {call} {mischief:?} was reached");
            points += 1;
        }
        for save in (1..=saves).step_by(self.step) {
            for accident in [Accident::Fails, Accident::KilledBefore, Accident::KilledAfter] {
                let world = start.fork();
                world.store.accident.set(Some((save, accident)));
                self.check(world, &expected, ("save", save, accident)).await;
                points += 1;
            }
        }
        println!("{calls} calls, {saves} saves, {points} points");
    }
}

/// A cloud that shows everything at once, swept whole; with one node at a time, and with a cloud that lags, every fifth
/// call, or all with `TAPCTL_SWEEP=all`.
async fn sweep(variant: usize, before: Option<Stack>, disturbed: Option<Stack>) {
    let (hide, lag, parallelism, step) = [(0, 0, 16, 1), (0, 0, 1, 5), (2, 2, 16, 5)][variant];
    let step = if std::env::var("TAPCTL_SWEEP").is_ok_and(|how| how == "all") { 1 } else { step };
    Sweep { before, disturbed, hide, lag, parallelism, step }.run().await;
}

macro_rules! sweeps {
    ($($name:ident: $variant:literal, $before:expr, $disturbed:expr;)*) => {
        $(#[tokio::test(start_paused = true)]
        async fn $name() {
            sweep($variant, $before, $disturbed).await;
        })*
    };
}

sweeps! {
    a_first_apply_may_die_anywhere: 0, None, Some(everything(false));
    a_first_apply_of_one_node_at_a_time_may_die_anywhere: 1, None, Some(everything(false));
    a_first_apply_to_a_cloud_that_lags_may_die_anywhere: 2, None, Some(everything(false));
    a_change_may_die_anywhere: 0, Some(everything(false)), Some(everything(true));
    a_change_of_one_node_at_a_time_may_die_anywhere: 1, Some(everything(false)), Some(everything(true));
    a_change_to_a_cloud_that_lags_may_die_anywhere: 2, Some(everything(false)), Some(everything(true));
    a_destroy_may_die_anywhere: 0, Some(everything(false)), None;
    a_destroy_of_one_node_at_a_time_may_die_anywhere: 1, Some(everything(false)), None;
    a_destroy_of_a_cloud_that_lags_may_die_anywhere: 2, Some(everything(false)), None;
}
