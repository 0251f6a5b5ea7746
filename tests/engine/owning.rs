//! Every way in which an object can be a node's, or another's.

use serde_json::{Value, json};
use tapctl::engine::ownership::{Stranger, admit, judge};
use tapctl::engine::{NodeFailure, Outcome};
use tapctl::error::Class;
use tapctl::resource::{Besides, Facts, Owner, Phase, Seen, TAG_ENV, TAG_NODE, TAG_REGION, TAG_STACK, Tags};
use tapctl::stack::Stack;
use tapctl::state::{NodeState, Progress};

use crate::cloud::{FakeCloud, Fields};
use crate::kinds::{Disk, Part, Role, Slow, Spec, Topic, id, kinds, manner};
use crate::stacks::{empty, everything};
use crate::world::World;

fn owner() -> Owner {
    let text = |text: &str| text.to_owned();
    Owner { stack: text("shop"), env: text("dev"), region: text("us-east-1"), node: text("role"), attempt: text("") }
}

/// A kind whose id is a name.
fn facts() -> Facts {
    Facts { named: true, ..kinds().get("t.net").expect("a kind of the fake cloud").facts() }
}

/// The tags of an object of ours, changed in these: `None` takes one off.
fn tags(changes: &[(&str, Option<&str>)]) -> Value {
    let mut tags = owner().tags();
    for (key, value) in changes {
        match value {
            Some(value) => drop(tags.insert((*key).to_owned(), (*value).to_owned())),
            None => drop(tags.remove(*key)),
        }
    }
    json!({ "tags": tags })
}

const BARE: &[(&str, Option<&str>)] = &[(TAG_STACK, None), (TAG_ENV, None), (TAG_REGION, None), (TAG_NODE, None)];

fn seen(live: Value, identity: Option<&str>) -> Seen {
    Seen {
        id: "role-dev".to_owned(),
        live,
        outputs: json!({ "arn": "arn:role-dev" }),
        phase: Phase::Ready,
        foreign: None,
        duplicates: Vec::new(),
        identity: identity.map(str::to_owned),
        unchosen: false,
        besides: Besides::default(),
    }
}

fn record(identity: Option<&str>) -> NodeState {
    let outputs = json!({ "arn": "arn:role-dev" });
    let record =
        json!({ "kind": "t.net", "spec": {}, "edges": [], "id": "role-dev", "progress": "ready", "outputs": outputs });
    NodeState { identity: identity.map(str::to_owned), ..serde_json::from_value(record).expect("a record") }
}

fn verdict(facts: &Facts, record: Option<&NodeState>, seen: &Seen) -> String {
    match judge(&owner(), facts, record, seen) {
        Ok(()) => "ours".to_owned(),
        Err(Stranger::Anothers(reason)) => format!("another's: {reason}"),
        Err(Stranger::Unclaimed(reason)) => format!("unclaimed: {reason}"),
    }
}

#[test]
fn tags_of_another_owner_outweigh_a_record() {
    let known = record(Some("A1"));
    for (key, value, told) in [
        (TAG_STACK, "mart", "another's: it belongs to mart dev in us-east-1, as its role"),
        (TAG_ENV, "qa", "another's: it belongs to shop qa in us-east-1, as its role"),
        (TAG_REGION, "eu-west-1", "another's: it belongs to shop dev in eu-west-1, as its role"),
        (TAG_NODE, "task", "another's: it belongs to shop dev in us-east-1, as its task"),
    ] {
        let seen = seen(tags(&[(key, Some(value))]), Some("A1"));
        for named in [true, false] {
            let facts = Facts { named, ..facts() };
            for record in [None, Some(&known)] {
                assert_eq!(verdict(&facts, record, &seen), told);
            }
        }
        let refused = admit(&owner(), &facts(), Some(&known), seen, true).unwrap_err();
        assert!(refused.message.starts_with("arn:role-dev exists and is not ours: it belongs to"), "{refused}");
    }
}

#[test]
fn a_single_tag_of_another_is_enough() {
    let others = tags(&[(TAG_STACK, None), (TAG_ENV, None), (TAG_REGION, None), (TAG_NODE, Some("task"))]);
    let told = "another's: it belongs to another environment, as its task";
    assert_eq!(verdict(&facts(), Some(&record(Some("A1"))), &seen(others, Some("A1"))), told);
}

#[test]
fn our_tags_are_enough_with_the_state_lost_and_after_it_was_made_anew() {
    for record in [None, Some(record(None)), Some(record(Some("A1")))] {
        assert_eq!(verdict(&facts(), record.as_ref(), &seen(tags(&[]), Some("B2"))), "ours");
        assert_eq!(verdict(&facts(), record.as_ref(), &seen(tags(&[(TAG_REGION, None)]), Some("B2"))), "ours");
    }
}

#[test]
fn an_id_that_aws_gives_out_needs_no_tags_once_it_is_recorded() {
    let facts = Facts { named: false, ..facts() };
    assert_eq!(verdict(&facts, Some(&record(None)), &seen(tags(BARE), None)), "ours");
    let told = "unclaimed: it does not carry this node's ownership tags";
    assert_eq!(verdict(&facts, None, &seen(tags(BARE), None)), told);
    let other = NodeState { id: Some("role-2".to_owned()), ..record(None) };
    assert_eq!(verdict(&facts, Some(&other), &seen(tags(BARE), None)), told);
}

#[test]
fn an_id_of_anothers_in_a_record_of_ours_is_not_believed() {
    let facts = Facts { named: false, ..facts() };
    let told = "unclaimed: it does not carry this node's ownership tags";
    let marked = NodeState { spec: json!({ "tags": { "Name": "net-dev", TAG_ENV: "dev" } }), ..record(None) };
    let team = |extra: Value| {
        let mut tags = json!({ "Team": "payroll" });
        tags.as_object_mut().expect("tags").extend(extra.as_object().expect("tags").clone());
        seen(json!({ "tags": tags }), None)
    };
    assert_eq!(verdict(&facts, Some(&marked), &team(json!({}))), told);
    assert_eq!(verdict(&facts, Some(&marked), &team(json!({ "Name": "net-qa" }))), told);
    assert_eq!(verdict(&facts, Some(&marked), &team(json!({ "Name": "net-dev" }))), "ours");
    let edited = NodeState { outputs: json!({ "arn": "arn:role-of-before" }), ..marked.clone() };
    assert_eq!(verdict(&facts, Some(&edited), &seen(tags(BARE), None)), told);
    let older = NodeState { outputs: json!({ "another": "role" }), ..marked };
    assert_eq!(verdict(&facts, Some(&older), &seen(tags(BARE), None)), "ours");
    assert_eq!(verdict(&facts, Some(&edited), &seen(tags(&[]), None)), "ours");
    let refused = admit(&owner(), &facts, Some(&edited), seen(tags(BARE), None), false).unwrap_err();
    assert_eq!(refused.code, "NoLongerOurs");
    assert!(admit(&owner(), &facts, Some(&edited), seen(tags(BARE), None), true).is_ok());
}

#[test]
fn a_name_without_tags_is_believed_only_with_the_same_identity() {
    let bare = |identity| seen(tags(BARE), identity);
    let unmarked = "unclaimed: it does not carry this node's ownership tags";
    let anew = "unclaimed: it was made anew under this name, and does not carry this node's ownership tags";
    for (then, now, told) in [
        (Some("A1"), Some("A1"), "ours"),
        (Some("A1"), Some("B2"), anew),
        (None, Some("B2"), unmarked),
        (Some("A1"), None, unmarked),
        (None, None, unmarked),
    ] {
        assert_eq!(verdict(&facts(), Some(&record(then)), &bare(now)), told, "{then:?} {now:?}");
    }
    assert!(admit(&owner(), &facts(), Some(&record(None)), bare(None), true).is_ok(), "a person may claim it");
}

#[test]
fn where_aws_tells_nothing_of_the_kind_the_tags_that_are_left_decide() {
    let left = tags(&[(TAG_NODE, None)]);
    assert_eq!(verdict(&facts(), Some(&record(None)), &seen(left.clone(), None)), "ours");
    let unmarked = "unclaimed: it does not carry this node's ownership tags";
    assert_eq!(verdict(&facts(), None, &seen(left, None)), unmarked);
}

#[test]
fn what_was_just_made_may_not_show_its_tags_yet() {
    let made = NodeState { progress: Progress::Pending, outputs: Value::Null, ..record(None) };
    assert_eq!(verdict(&facts(), Some(&made), &seen(tags(BARE), Some("A1"))), "ours");
}

#[test]
fn what_a_service_made_anew_is_ours_to_remove_only_while_it_is_being_removed() {
    let facts = Facts { reborn: true, ..facts() };
    let going = NodeState { progress: Progress::Deleting, ..record(Some("A1")) };
    assert_eq!(verdict(&facts, Some(&going), &seen(tags(BARE), Some("B2"))), "ours");
    assert_ne!(verdict(&facts, Some(&record(Some("A1"))), &seen(tags(BARE), Some("B2"))), "ours");
    let others = seen(json!({ "tags": { "owner": "another-team" } }), Some("B2"));
    assert_ne!(verdict(&facts, Some(&going), &others), "ours");
}

#[test]
fn what_is_global_and_does_not_tell_its_region_may_be_another_regions() {
    let facts = Facts { global: true, ..facts() };
    let old = seen(tags(&[(TAG_REGION, None)]), None);
    let told = "unclaimed: it is shop dev's in a region that its tags do not tell";
    assert_eq!(verdict(&facts, None, &old), told);
    assert_eq!(verdict(&facts, Some(&record(None)), &old), "ours");
}

#[test]
fn what_has_no_tags_goes_by_what_it_is_a_part_of() {
    let foreign = Seen { foreign: Some("it points elsewhere".to_owned()), ..seen(json!({}), Some("A1")) };
    let part = Facts { named: false, parent: Some("t.key"), ..facts() };
    let name = Facts { named: true, parent: Some("t.key"), ..facts() };
    let told = "unclaimed: it points elsewhere";
    assert_eq!(verdict(&part, None, &foreign), told);
    assert_eq!(verdict(&part, Some(&record(None)), &foreign), "ours");
    assert_eq!(verdict(&name, Some(&record(Some("A1"))), &foreign), "ours");
    assert_eq!(verdict(&name, Some(&record(Some("B2"))), &foreign), told);
    assert_eq!(verdict(&name, Some(&record(None)), &foreign), told);
    assert_eq!(verdict(&name, None, &seen(json!({}), None)), "ours");
}

#[test]
fn what_is_shared_is_everybodys() {
    let facts = Facts { shared: true, ..facts() };
    assert_eq!(verdict(&facts, None, &seen(tags(&[(TAG_ENV, Some("qa"))]), None)), "ours");
}

/// A role, a topic, and a part of the role that carries no tags.
fn stack(size: u32, zone: &str) -> Stack {
    let mut stack = empty();
    let role = Spec::<Role>::new().size(size).zone(zone).on(&mut stack, "role");
    Spec::<Topic>::new().size(size).zone(zone).on(&mut stack, "topic");
    Spec::<Part>::new().size(size).uses("role", id(&role)).on(&mut stack, "part");
    stack
}

async fn standing() -> World {
    let world = World::default();
    world.apply(&stack(1, "a")).await.complete();
    world.cloud.forget_calls();
    world
}

/// Tags that somebody else's object has: none, another environment's, another tool's.
fn theirs() -> [Tags; 3] {
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    [Tags::new(), [tag(TAG_STACK, "shop"), tag(TAG_ENV, "qa")].into(), [tag("owner", "another-team")].into()]
}

/// Every run there is, with what it should be asked for.
async fn every_run(world: &World) -> Vec<(&'static str, Vec<NodeFailure>)> {
    let mut ends = vec![("plan", world.plan(Some(&stack(1, "a"))).await.err().unwrap_or_default())];
    for (what, stack) in
        [("keep", stack(1, "a")), ("update", stack(2, "a")), ("replace", stack(1, "b")), ("leave", empty())]
    {
        ends.push((what, world.fork().apply(&stack).await.failures()));
    }
    ends.push(("destroy", world.destroy().await.failures()));
    ends.push(("drift", world.try_drift().await.err().unwrap_or_default()));
    ends
}

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_to_a_strangers_object_is_refused_by_every_run() {
    for node in ["role", "topic"] {
        for tags in theirs() {
            let world = standing().await;
            world.cloud.swap(node, tags.clone());
            for (run, failures) in every_run(&world).await {
                let told = format!("{run} {node} {tags:?}: {failures:#?}");
                assert_eq!(failures.len(), 1, "{told}");
                assert_eq!((failures[0].node.as_str(), failures[0].fault.class), (node, Class::Exists), "{told}");
                assert!(failures[0].to_string().contains(&format!("{node} exists and is not ours: it ")), "{told}");
            }
            assert_eq!(world.cloud.count("write"), 0, "{}", world.cloud.told());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_rotation_that_would_meet_a_stranger_is_not_begun() {
    let world = World::default();
    let mut stack = stack(1, "a");
    Spec::<Disk>::new().on(&mut stack, "disk");
    world.apply(&stack).await.complete();
    world.cloud.forget_calls();
    world.cloud.swap("role", Tags::new());
    let failures = world.rotate().await.failures();
    assert_eq!(failures.iter().map(|failure| failure.node.as_str()).collect::<Vec<_>>(), ["role"]);
    assert_eq!(world.cloud.count("write"), 0, "{}", world.cloud.told());
}

#[tokio::test(start_paused = true)]
async fn a_stranger_that_comes_between_the_plan_and_the_act_is_left_alone() {
    let runs = [Some(stack(2, "a")), Some(stack(1, "b")), Some(empty()), None];
    for (at, run) in runs.iter().enumerate() {
        for tags in theirs() {
            let world = standing().await;
            let swapped = tags.clone();
            world.meanwhile.replace(Some(Box::new(move |cloud| cloud.swap("role", swapped))));
            let failures = world.run(run.as_ref()).await.failures();
            let named = failures.iter().any(|failure| failure.to_string().contains("role exists and is not ours: it "));
            assert!(named, "{at} {tags:?}: {failures:#?}");
            let role = world.cloud.objects.borrow()["role"].clone();
            assert_eq!((role.fields.tags, role.fields.size, role.gone_at), (Some(tags), 1, None), "{at}");
            let touched = world.cloud.log.borrow().iter().any(|call| call.verb != "list" && call.node != "topic");
            assert!(!touched, "neither it nor its part: {}", world.cloud.told());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_free_while_planning_is_looked_at_again_before_it_is_taken() {
    let world = World::default();
    let theirs = Fields { name: Some("topic".into()), tags: Some(Tags::new()), ..Fields::default() };
    let plant = move |cloud: &FakeCloud| drop(cloud.plant(manner::<Topic>(), theirs, Some("topic")));
    world.meanwhile.replace(Some(Box::new(plant)));
    let mut stack = empty();
    Spec::<Topic>::new().on(&mut stack, "topic");
    let failures = world.apply(&stack).await.failures();
    assert!(failures[0].to_string().contains("Foreign: topic exists and is not ours"), "{}", failures[0]);
    assert_eq!(world.cloud.count("write"), 0, "{}", world.cloud.told());
}

#[tokio::test(start_paused = true)]
async fn tags_that_were_taken_off_our_own_object_are_put_back() {
    let world = standing().await;
    world.cloud.tamper("role", |role| role.fields.tags = Some(Tags::new()));
    world.cloud.tamper("topic", |topic| drop(topic.fields.tags.get_or_insert_default().remove(TAG_NODE)));
    assert_eq!(world.drift().await.len(), 2);
    let report = world.apply(&stack(1, "a")).await.complete();
    assert_eq!(report.count(Outcome::Updated), 2, "{report:#?}");
    assert_eq!(world.drift().await, []);
    world.cloud.tamper("role", |role| role.fields.tags = Some(Tags::new()));
    world.destroy().await.complete();
    assert_eq!(world.cloud.picture(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn what_tells_an_object_from_others_is_recorded_at_the_first_look() {
    let world = standing().await;
    let identity = |world: &World| world.store.state().nodes["role"].identity.clone();
    let known = identity(&world);
    assert!(known.is_some());
    let mut old = world.store.state();
    old.nodes.values_mut().for_each(|node| node.identity = None);
    world.store.text.replace(Some(old.text()));
    let report = world.apply(&stack(1, "a")).await.complete();
    assert_eq!(report.count(Outcome::Kept), 3, "nothing else changes");
    assert_eq!(identity(&world), known);
}

#[tokio::test(start_paused = true)]
async fn a_state_that_was_copied_to_another_environment_moves_nothing() {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    world.cloud.forget_calls();
    let text = world.store.state().text().replace("\"env\": \"test\"", "\"env\": \"qa\"");
    world.store.text.replace(Some(text));
    let tagged = |failures: Vec<NodeFailure>| {
        assert!(
            failures.iter().all(|failure| failure.to_string().contains("it belongs to shop test")),
            "{failures:#?}"
        );
        failures.len()
    };
    let state = world.store.state();
    let marked = state.nodes.values().filter(|node| node.spec["tags"].is_object()).count();
    let mut stack = everything(false);
    stack.env = "qa".to_owned();
    assert_eq!(tagged(world.plan(Some(&stack)).await.err().unwrap_or_default()), marked);
    assert_eq!(tagged(world.try_drift().await.unwrap_err()), marked);
    assert_eq!(tagged(world.destroy().await.failures()), marked);
    let mut adopting = world.fork();
    adopting.options.adopt = true;
    assert_eq!(tagged(adopting.apply(&stack).await.failures()), marked);
    assert_eq!(world.cloud.count("write") + adopting.cloud.count("write"), 0);
}

#[tokio::test(start_paused = true)]
async fn a_successor_that_takes_the_name_while_ours_goes_is_not_removed() {
    let world = World::default();
    let mut stack = empty();
    Spec::<Slow>::new().on(&mut stack, "slow");
    world.apply(&stack).await.complete();
    let snatch = async {
        while world.cloud.count("delete") == 0 || world.cloud.objects.borrow().contains_key("slow") {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            world.cloud.picture();
        }
        let theirs = Fields { name: Some("slow".into()), tags: Some(Tags::new()), ..Fields::default() };
        world.cloud.plant(manner::<Slow>(), theirs, Some("slow"));
    };
    let (end, ()) = tokio::join!(world.destroy(), snatch);
    end.complete();
    assert_eq!(world.cloud.count("delete"), 1);
    assert!(world.cloud.objects.borrow().contains_key("slow"));
}
