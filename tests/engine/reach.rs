//! What cannot be done is refused before it is begun, and what must go together goes together.

use tapctl::plan::{Action, Plan, Step};
use tapctl::run::{Refusal, outage, reach};
use tapctl::stack::Stack;

use crate::kinds::{House, Lot, Rev, Spec, Svc, Yard, id, kinds};
use crate::stacks::empty;
use crate::world::{World, facts, outcome};

/// A lot in this zone with a service on it and, where there is a size, a house.
fn village(zone: &str, house: Option<u32>) -> Stack {
    let mut stack = empty();
    let lot = Spec::<Lot>::new().zone(zone).on(&mut stack, "lot");
    let rev = Spec::<Rev>::new().uses("lot", id(&lot)).on(&mut stack, "rev");
    Spec::<Svc>::new().uses("lot", id(&lot)).uses("rev", id(&rev)).on(&mut stack, "svc");
    if let Some(size) = house {
        Spec::<House>::new().uses("lot", id(&lot)).size(size).on(&mut stack, "house");
    }
    stack
}

async fn standing(stack: &Stack) -> World {
    let world = World::default();
    world.apply(stack).await.complete();
    world.cloud.forget_calls();
    world
}

async fn planned(world: &World, stack: &Stack) -> Plan {
    world.plan(Some(stack)).await.unwrap().0
}

async fn refused(world: &World, stack: &Stack) -> Option<Refusal> {
    let plan = planned(world, stack).await;
    let told = |step: &Step, field: Option<&str>| format!("file:1: {}.{}", step.node, field.unwrap_or("gone"));
    reach::refuse((&plan, stack), &world.store.state(), &facts(&kinds()), &told, "begin another").unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_could_be_updated_is_replaced_where_the_ground_it_stands_on_must_go_first() {
    let world = standing(&village("a", None)).await;
    let plan = planned(&world, &village("b", None)).await;
    let Some(Action::Replace { reason, .. }) = plan.action("svc") else { panic!("{plan:#?}") };
    assert_eq!(reason, "it stands in lot, which must go first");
    assert!(plan.steps.iter().all(Step::goes_first), "the successor of rev needs the new lot too: {plan:#?}");
    assert!(refused(&world, &village("b", None)).await.is_none());
    let report = world.apply(&village("b", None)).await.complete();
    assert_eq!(outcome(&report, "svc").unwrap().as_str(), "replaced");
    assert!(planned(&world, &village("b", None)).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn ground_under_what_cannot_move_is_refused_by_the_setting_that_moves_it() {
    let world = standing(&village("a", Some(1))).await;
    let refusal = refused(&world, &village("b", Some(1))).await.expect("a refusal");
    insta::assert_snapshot!(refusal, @"
    file:1: lot.zone; lot would have to go for that, and house cannot move out of it
    AWS does not let this be changed; nothing was touched
    hint: put it back; or begin another
    ");
    assert!(refused(&world, &village("a", Some(2))).await.is_none());
    assert!(refused(&world, &village("b", None)).await.is_none(), "the house leaves as well");
}

#[tokio::test(start_paused = true)]
async fn ground_that_leaves_the_stack_is_refused_as_well_as_long_as_something_stays_that_stood_on_it() {
    let two = |second: bool| {
        let mut stack = empty();
        let one = Spec::<Lot>::new().on(&mut stack, "one");
        let house = Spec::<House>::new().uses("one", id(&one));
        let house = match second {
            true => house.uses("two", id(&Spec::<Lot>::new().on(&mut stack, "two"))),
            false => house,
        };
        house.on(&mut stack, "house");
        stack
    };
    let world = standing(&two(true)).await;
    let refusal = refused(&world, &two(false)).await.expect("a refusal").to_string();
    assert!(refusal.starts_with("file:1: two.gone; two would have to go for that, and house cannot"), "{refusal}");
    assert!(refused(&standing(&two(false)).await, &two(true)).await.is_none());
}

/// A yard takes in lots, and lets go of those that it no longer needs.
#[tokio::test(start_paused = true)]
async fn ground_that_leaves_what_goes_on_in_others_is_no_ground_to_what_stands_there() {
    let two = |second: bool| {
        let mut stack = empty();
        let yard = Spec::<Yard>::new().uses("one", id(&Spec::<Lot>::new().on(&mut stack, "one")));
        let yard = match second {
            true => yard.uses("two", id(&Spec::<Lot>::new().on(&mut stack, "two"))),
            false => yard,
        };
        let yard = yard.on(&mut stack, "yard");
        Spec::<House>::new().uses("yard", id(&yard)).on(&mut stack, "house");
        stack
    };
    let world = standing(&two(true)).await;
    assert!(refused(&world, &two(false)).await.is_none());
    let report = world.apply(&two(false)).await.complete();
    assert_eq!(outcome(&report, "yard").unwrap().as_str(), "updated");
    assert!(world.cloud.position("modify", "yard") < world.cloud.position("delete", "two"), "{}", world.cloud.told());
}

#[tokio::test(start_paused = true)]
async fn what_no_update_brings_about_is_refused_in_the_plan_and_never_asked_of_aws() {
    let world = standing(&village("a", Some(2))).await;
    let smaller = village("a", Some(1));
    let refusal = refused(&world, &smaller).await.expect("a refusal").to_string();
    assert!(refusal.starts_with("file:1: house.size; house has 2 and should have 1\n"), "{refusal}");
    let failures = world.apply(&smaller).await.failures();
    assert!(failures[0].to_string().contains("size: it has 2 and should have 1"), "{}", failures[0]);
    assert_eq!(world.cloud.count("modify"), 0);
}

/// A house of this size under this name, on no ground that matters.
fn house(name: &str, size: u32) -> Stack {
    let mut stack = empty();
    Spec::<House>::new().named(name).size(size).on(&mut stack, "house");
    Spec::<Svc>::new().size(size).on(&mut stack, "svc");
    stack
}

#[tokio::test(start_paused = true)]
async fn what_would_be_out_of_service_is_named_and_must_be_allowed() {
    let world = standing(&house("one", 1)).await;
    let told = async |stack: Stack| {
        let plan = planned(&world, &stack).await;
        assert!(outage::refuse(&plan, true).is_none());
        outage::refuse(&plan, false).map(|refusal| refusal.to_string()).unwrap_or_default()
    };
    assert_eq!(told(house("one", 1)).await, "");
    insta::assert_snapshot!(told(house("one", 2)).await, @"
    this plan would interrupt house (a change of size interrupts it); nothing was changed
    hint: if that is meant, add --allow-outage
    ");
    let replaced = told(house("two", 1)).await;
    assert!(replaced.contains("house (it is gone until its successor stands)"), "{replaced}");
    world.cloud.tamper(&world.cloud.of("house").id, |house| house.broken = Some("burnt down".to_owned()));
    assert_eq!(told(house("two", 1)).await, "", "what has failed serves nobody");
}
