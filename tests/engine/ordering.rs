//! What waits for what, and how much goes on at once.

use crate::cloud::Call;
use crate::kinds::{Disk, Gate, Key, Link, Net, Spec, id};
use crate::stacks::{empty, everything};
use crate::world::World;

/// Where each node was created or deleted first.
fn positions(world: &World, verb: &str) -> std::collections::BTreeMap<String, usize> {
    let log = world.cloud.log.borrow();
    let of_verb = log.iter().enumerate().filter(|(_, call)| call.verb == verb).rev();
    of_verb.map(|(at, Call { node, .. })| (node.clone(), at)).collect()
}

#[tokio::test(start_paused = true)]
async fn dependencies_are_made_first_and_removed_last() {
    for (seed, parallelism) in (0..20).flat_map(|seed| [(seed, 1), (seed, 3), (seed, 16)]) {
        let mut world = World::default();
        world.options.parallelism = parallelism;
        world.cloud.slow(seed, 1..=900);
        let stack = everything(false);
        world.apply(&stack).await.complete();
        let made = positions(&world, "create");
        world.cloud.forget_calls();
        world.destroy().await.complete();
        let removed = positions(&world, "delete");
        for (name, node) in &stack.nodes {
            for edge in &node.edges {
                assert!(made[edge] < made[name], "{name} was made before {edge}");
                assert!(removed[edge] > removed[name], "{edge} was removed before {name}");
            }
        }
        let refused = world.words.0.borrow().iter().any(|words| words.contains("DependencyViolation"));
        assert!(!refused, "the order asks for nothing that is refused");
    }
}

#[tokio::test(start_paused = true)]
async fn parallelism_is_a_bound_and_is_used() {
    for parallelism in [1, 2, 5] {
        let mut world = World::default();
        world.options.parallelism = parallelism;
        world.cloud.slow(7, 200..=900);
        let mut stack = empty();
        for at in 0..10 {
            Spec::<Key>::new().on(&mut stack, &format!("key-{at}"));
        }
        world.apply(&stack).await.complete();
        assert_eq!(world.cloud.most_at_once.get(), parallelism);
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_way_starts_first() {
    let mut world = World::default();
    world.options.parallelism = 1;
    let mut stack = empty();
    Spec::<Key>::new().on(&mut stack, "alone");
    let net = Spec::<Net>::new().on(&mut stack, "net");
    let disk = Spec::<Disk>::new().uses("net", id(&net)).on(&mut stack, "disk");
    Spec::<Link>::new().uses("disk", id(&disk)).on(&mut stack, "link");
    world.apply(&stack).await.complete();
    assert!(world.cloud.position("create", "disk") < world.cloud.position("create", "alone"));
}

#[tokio::test(start_paused = true)]
async fn slow_nodes_wait_side_by_side() {
    let world = World::default();
    let mut stack = empty();
    for at in 0..8 {
        Spec::<Gate>::new().on(&mut stack, &format!("gate-{at}"));
    }
    let started = tokio::time::Instant::now();
    world.apply(&stack).await.complete();
    assert!(started.elapsed().as_secs() < 40, "{:?}", started.elapsed());
}
