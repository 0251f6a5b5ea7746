//! What leads others hands over before it goes; what is ahead of what is asked for is left there.

use tapctl::plan::Action;
use tapctl::stack::Stack;

use crate::kinds::{Head, Mover, Net, Spec};
use crate::stacks::empty;
use crate::world::World;

fn with_a_head(there: bool) -> Stack {
    let mut stack = empty();
    Spec::<Net>::new().on(&mut stack, "net");
    if there {
        Spec::<Head>::new().flag("leads", true).on(&mut stack, "head");
    }
    stack
}

#[tokio::test(start_paused = true)]
async fn what_leads_hands_over_before_it_goes_and_not_where_all_goes() {
    let world = World::default();
    world.apply(&with_a_head(true)).await.complete();
    world.cloud.forget_calls();
    world.apply(&with_a_head(false)).await.complete();
    assert!(world.cloud.position("modify", "head") < world.cloud.position("delete", "head"), "{}", world.cloud.told());
    assert!(world.heard("wait head: for another to lead"));
    world.apply(&with_a_head(true)).await.complete();
    world.cloud.forget_calls();
    world.destroy().await.complete();
    assert_eq!(world.cloud.count("modify"), 0, "{}", world.cloud.told());
}

fn of_size(size: u32) -> Stack {
    let mut stack = empty();
    Spec::<Mover>::new().size(size).on(&mut stack, "mover");
    stack
}

#[tokio::test(start_paused = true)]
async fn what_is_ahead_by_others_doing_is_as_wanted_and_going_back_is_refused() {
    let world = World::default();
    world.apply(&of_size(2)).await.complete();
    let moved = world.cloud.of("mover").id;
    world.cloud.tamper(&moved, |mover| mover.fields.size = 3);
    assert!(world.drift().await.is_empty());
    for size in [2, 3] {
        let (plan, ..) = world.plan(Some(&of_size(size))).await.unwrap();
        assert_eq!((plan.action("mover"), &plan.steps[0].refused), (Some(&Action::Keep), &None), "{size}");
    }
    world.apply(&of_size(3)).await.complete();
    let (plan, ..) = world.plan(Some(&of_size(2))).await.unwrap();
    assert_eq!(plan.steps[0].refused.as_ref().map(|it| it.why.as_str()), Some("was asked to have 3"));
}
