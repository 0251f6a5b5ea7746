//! The plan and the selection: pure, and known before anything is done.

use serde_json::json;
use tapctl::diff::Diff;
use tapctl::plan::{Action, Observations, Plan, decide, in_turn, order, plan, plan_destroy, select};
use tapctl::resource::{Besides, Phase, Seen};
use tapctl::stack::{Stack, Turn};
use tapctl::state::{NodeState, Progress, State};

use crate::kinds::{Attr, Disk, Gate, Key, Link, Net, Rev, Shared, Spec, Svc, id, kinds};
use crate::stacks::empty;
use crate::world::{World, facts, names};

fn stack(size: u32, zone: &str) -> Stack {
    let mut stack = empty();
    let net = Spec::<Net>::new().zone(zone).on(&mut stack, "net");
    let attr = Spec::<Attr>::new().flag("on", true).size(size).on(&mut stack, "attr");
    let disk = Spec::<Disk>::new().uses("net", id(&net)).on(&mut stack, "disk");
    let rev = Spec::<Rev>::new().uses("etag", attr.out("etag")).on(&mut stack, "rev");
    let svc = Spec::<Svc>::new().uses("rev", id(&rev)).uses("attr", id(&attr));
    svc.on(&mut stack, "svc");
    Spec::<Svc>::new().uses("disk", id(&disk)).on(&mut stack, "other");
    stack
}

fn word<'a>(plan: &'a Plan, node: &str) -> &'a str {
    plan.action(node).map_or("none", Action::word)
}

async fn applied() -> World {
    let world = World::default();
    world.apply(&stack(1, "a")).await.complete();
    world
}

async fn planned(world: &World, stack: &Stack) -> Plan {
    world.plan(Some(stack)).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn a_new_stack_is_all_creates_with_dependencies_first() {
    let plan = planned(&World::default(), &stack(1, "a")).await;
    assert_eq!(plan.count("create"), 6);
    let at = |node| plan.steps.iter().position(|step| step.node == node).unwrap();
    assert!(at("net") < at("disk") && at("attr") < at("rev") && at("rev") < at("svc"));
}

#[tokio::test(start_paused = true)]
async fn planning_reads_and_never_writes_and_says_the_same_twice() {
    let world = applied().await;
    world.cloud.forget_calls();
    let changed = stack(2, "b");
    assert_eq!(planned(&world, &changed).await, planned(&world, &changed).await);
    assert_eq!(world.cloud.count("write"), 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_replaced_takes_its_users_along_because_its_id_is_unknown() {
    let plan = planned(&applied().await, &stack(1, "b")).await;
    assert_eq!((word(&plan, "net"), word(&plan, "disk"), word(&plan, "other")), ("replace", "replace", "update"));
    assert_eq!((word(&plan, "attr"), word(&plan, "rev"), word(&plan, "svc")), ("keep", "keep", "keep"));
    let Some(Action::Replace { reason, diff }) = plan.action("disk") else { panic!("{plan:#?}") };
    assert_eq!(reason, "uses.net cannot change in place");
    assert_eq!(diff.changes[0].want, json!({"$ref": "net.id"}));
}

#[tokio::test(start_paused = true)]
async fn an_update_makes_only_volatile_outputs_unknown() {
    let plan = planned(&applied().await, &stack(2, "a")).await;
    assert_eq!((word(&plan, "attr"), word(&plan, "rev"), word(&plan, "svc")), ("update", "replace", "update"));
    let diff = plan.action("svc").unwrap().diff().unwrap();
    assert_eq!(diff.changes.len(), 1, "the id of attr stays known: {diff:?}");
    assert_eq!(diff.changes[0].path, "uses.rev");
}

#[tokio::test(start_paused = true)]
async fn a_change_of_tags_alone_leaves_volatile_outputs_known() {
    let world = applied().await;
    world.cloud.tamper(&world.cloud.of("attr").id, |attr| {
        attr.fields.tags.get_or_insert_default().insert("theirs".into(), "1".into());
    });
    let plan = planned(&world, &stack(1, "a")).await;
    assert_eq!((word(&plan, "attr"), word(&plan, "rev")), ("update", "keep"));
}

#[tokio::test(start_paused = true)]
async fn a_change_of_another_field_leaves_volatile_outputs_known() {
    let stack = |net: &str, size| {
        let mut stack = empty();
        let nets = ["one", "other"].map(|name| (name, Spec::<Net>::new().on(&mut stack, name)));
        let net = &nets.iter().find(|(name, _)| *name == net).unwrap().1;
        let svc = Spec::<Svc>::new().uses("net", id(net)).size(size).on(&mut stack, "svc");
        Spec::<Rev>::new().uses("etag", svc.out("etag")).on(&mut stack, "rev");
        stack
    };
    let world = World::default();
    world.apply(&stack("one", 1)).await.complete();
    for (net, size, rev) in [("other", 1, "keep"), ("one", 2, "replace")] {
        let plan = planned(&world, &stack(net, size)).await;
        assert_eq!((word(&plan, "svc"), word(&plan, "rev")), ("update", rev));
    }
}

#[tokio::test(start_paused = true)]
async fn destroy_is_planned_users_first_and_forgets_what_is_shared_or_gone() {
    let world = World::default();
    let mut stack = stack(1, "a");
    Spec::<Shared>::new().on(&mut stack, "account");
    world.apply(&stack).await.complete();
    world.cloud.vanish(&world.cloud.of("svc").id);
    let (plan, ..) = world.plan(None).await.unwrap();
    assert_eq!((word(&plan, "account"), word(&plan, "svc"), word(&plan, "rev")), ("forget", "forget", "delete"));
    let at = |node| plan.steps.iter().position(|step| step.node == node).unwrap();
    assert!(at("other") < at("disk") && at("disk") < at("net"));
}

#[tokio::test(start_paused = true)]
async fn what_is_made_is_shown_with_what_is_known_of_it() {
    let world = World::default();
    let stack = stack(1, "a");
    let spec = |plan: &Plan, node: &str| plan.steps.iter().find(|step| step.node == node).unwrap().spec.clone();
    let plan = planned(&world, &stack).await;
    assert_eq!(spec(&plan, "disk").unwrap()["uses"]["net"], json!({"$ref": "net.id"}));
    assert_eq!(spec(&plan, "net").unwrap()["zone"], "a");
    world.apply(&stack).await.complete();
    world.cloud.vanish(&world.cloud.of("disk").id);
    let plan = planned(&world, &stack).await;
    assert_eq!(spec(&plan, "disk").unwrap()["uses"]["net"], world.cloud.of("net").id.as_str());
    assert_eq!(spec(&plan, "net"), None, "it is there already");
}

/// A net, a link named after it, and what stands on the link and could not be moved from it.
fn linked(zone: &str) -> Stack {
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    let link = Spec::<Link>::new().zone(zone).uses("net", id(&net)).on(&mut stack, "link");
    Spec::<Disk>::new().uses("link", id(&link)).on(&mut stack, "disk");
    Spec::<Svc>::new().uses("link", id(&link)).on(&mut stack, "svc");
    stack
}

#[tokio::test(start_paused = true)]
async fn what_stands_on_a_name_stays_where_that_name_comes_back() {
    let world = World::default();
    world.apply(&linked("a")).await.complete();
    world.cloud.vanish(&world.store.state().nodes["link"].id.clone().unwrap());
    let plan = planned(&world, &linked("a")).await;
    assert_eq!((word(&plan, "link"), word(&plan, "disk"), word(&plan, "svc")), ("create", "keep", "keep"));
    world.apply(&linked("a")).await.complete();
    assert!(planned(&world, &linked("a")).await.is_empty());
    // What is another by then is not known, and takes along what cannot be moved from it.
    let plan = planned(&world, &linked("b")).await;
    assert_eq!((word(&plan, "link"), word(&plan, "disk"), word(&plan, "svc")), ("replace", "replace", "update"));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_had_again_is_marked_while_it_is_there() {
    let world = World::default();
    let mut stack = empty();
    Spec::<Key>::new().on(&mut stack, "key");
    let precious = |plan: &Plan| plan.steps[0].precious;
    assert_eq!(precious(&planned(&world, &stack).await), None);
    world.apply(&stack).await.complete();
    let plan = planned(&world, &empty()).await;
    assert_eq!((word(&plan, "key"), precious(&plan)), ("delete", Some("the key")));
}

fn seen(phase: Phase) -> Seen {
    let (live, outputs) = (json!({"zone": "a", "size": 1}), json!({"id": "i-1"}));
    Seen {
        id: "i-1".into(),
        live,
        outputs,
        phase,
        foreign: None,
        duplicates: Vec::new(),
        identity: None,
        unchosen: false,
        besides: Besides::default(),
    }
}

fn recorded(id: &str, progress: Progress) -> NodeState {
    NodeState {
        kind: "t.disk".into(),
        spec: json!({}),
        edges: names(&[]),
        id: Some(id.into()),
        identity: None,
        outputs: json!({}),
        progress,
        attempt: None,
        created: None,
    }
}

#[test]
fn every_case_of_the_decision() {
    let facts_of = |kind: &str| facts(&kinds())(kind).unwrap();
    let (disk, gate) = (facts_of("t.disk"), facts_of("t.gate"));
    let (same, size, zone) =
        (json!({"zone": "a", "size": 1}), json!({"zone": "a", "size": 2}), json!({"zone": "b", "size": 2}));
    let known = recorded("i-1", Progress::Ready);
    let (ready, pending, failed) = (Phase::Ready, Phase::Pending("p".into()), Phase::Failed("f".into()));
    for (facts, want, record, phase, word) in [
        (&disk, &same, Some(known.clone()), Some(ready.clone()), "keep"),
        (&disk, &same, Some(known.clone()), None, "create"),
        (&disk, &same, None, None, "create"),
        (&disk, &same, None, Some(ready.clone()), "adopt"),
        (&disk, &size, None, Some(ready.clone()), "adopt"),
        (&disk, &zone, None, Some(ready.clone()), "replace"),
        (&disk, &same, Some(recorded("i-2", Progress::Ready)), Some(ready.clone()), "adopt"),
        (&disk, &size, Some(known.clone()), Some(ready.clone()), "update"),
        (&disk, &zone, Some(known.clone()), Some(ready.clone()), "replace"),
        (&disk, &same, Some(known.clone()), Some(pending.clone()), "resume"),
        (&disk, &size, Some(known.clone()), Some(pending), "resume"),
        (&disk, &same, Some(recorded("i-1", Progress::Pending)), Some(ready.clone()), "resume"),
        (&disk, &same, Some(recorded("i-1", Progress::Deleting)), Some(ready), "resume"),
        (&disk, &same, Some(known.clone()), Some(failed.clone()), "resume"),
        (&gate, &same, Some(known.clone()), Some(failed.clone()), "replace"),
        (&gate, &same, None, Some(failed), "replace"),
        (&disk, &same, Some(known), Some(Phase::Deleting), "replace"),
    ] {
        let now = phase.clone().map(seen);
        let action = decide(facts, want, record.as_ref(), now.as_ref());
        assert_eq!(action.word(), word, "{want} {record:?} {phase:?}");
    }
}

#[test]
fn an_unknown_kind_in_the_state_is_named() {
    let mut state = State::new("shop", "test", "1", "r");
    state.nodes.insert("x".into(), NodeState { kind: "t.future".into(), ..recorded("i-1", Progress::Ready) });
    let kinds = kinds();
    for error in [
        plan(&empty(), &state, &Observations::new(), &facts(&kinds)).unwrap_err(),
        plan_destroy(&state, &Observations::new(), &facts(&kinds)).unwrap_err(),
    ] {
        assert!(error.to_string().contains("does not know the kind t.future"), "{error}");
    }
}

#[test]
fn order_ignores_edges_to_what_is_gone() {
    let node = |edges: &[&str]| NodeState { edges: names(edges), ..recorded("i", Progress::Ready) };
    let nodes = [("a", node(&["c"])), ("b", node(&["gone"])), ("c", node(&["b"]))];
    let nodes = nodes.map(|(name, node)| (name.to_owned(), node)).into();
    assert_eq!(order(&nodes), ["b", "c", "a"]);
}

#[test]
fn an_equal_plan_is_empty() {
    let step = |action| tapctl::plan::Step::of("n", "t.net", action);
    assert!(Plan { steps: vec![step(Action::Keep)] }.is_empty());
    assert!(!Plan { steps: vec![step(Action::Adopt { diff: Diff::default(), reason: None })] }.is_empty());
}

fn chosen(targets: &[&str], excluded: &[&str], state: &State) -> Result<Vec<String>, String> {
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    let disk = Spec::<Disk>::new().uses("net", id(&net)).on(&mut stack, "disk");
    Spec::<Svc>::new().uses("disk", id(&disk)).on(&mut stack, "svc");
    Spec::<Key>::new().on(&mut stack, "key");
    let all = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    select(&stack, state, &all(targets), &all(excluded)).map(|chosen| chosen.into_iter().collect())
}

fn nothing() -> State {
    State::new("shop", "test", "1", "r")
}

#[test]
fn a_selection_is_closed_in_the_right_direction() {
    assert_eq!(chosen(&[], &[], &nothing()).unwrap(), ["disk", "key", "net", "svc"]);
    assert_eq!(chosen(&["disk"], &[], &nothing()).unwrap(), ["disk", "net"], "with all it depends on");
    assert_eq!(chosen(&[], &["disk"], &nothing()).unwrap(), ["key", "net"], "without all that depends on it");
    assert_eq!(chosen(&["svc"], &["net"], &nothing()).unwrap(), Vec::<String>::new());
    assert_eq!(chosen(&["nowhere"], &[], &nothing()).unwrap_err(), "nowhere");
    assert_eq!(chosen(&[], &["nowhere"], &nothing()).unwrap_err(), "nowhere");
}

#[test]
fn what_left_the_stack_stays_while_something_left_alone_stands_on_it() {
    let mut state = nothing();
    let node = |edges: &[&str]| NodeState { edges: names(edges), ..recorded("i", Progress::Ready) };
    state.nodes.insert("old".into(), node(&["older"]));
    state.nodes.insert("older".into(), node(&[]));
    state.nodes.insert("svc".into(), node(&["old"]));
    state.nodes.insert("disk@7".into(), node(&[]));
    assert_eq!(chosen(&[], &[], &state).unwrap(), ["disk", "disk@7", "key", "net", "old", "older", "svc"]);
    assert_eq!(chosen(&[], &["svc"], &state).unwrap(), ["disk", "disk@7", "key", "net"]);
    assert_eq!(chosen(&[], &["disk"], &state).unwrap(), ["key", "net"]);
    assert_eq!(chosen(&["old"], &[], &state).unwrap(), Vec::<String>::new());
}

#[test]
fn a_turn_leaves_alone_what_it_excludes_and_what_that_stands_on() {
    let mut stack = empty();
    let net = Spec::<Net>::new().on(&mut stack, "net");
    Spec::<Svc>::new().uses("net", id(&net)).on(&mut stack, "svc-2");
    Spec::<Key>::new().on(&mut stack, "key");
    let mut state = nothing();
    let node = |edges: &[&str]| NodeState { edges: names(edges), ..recorded("i", Progress::Ready) };
    state.nodes.insert("svc".into(), node(&["net", "rev"]));
    state.nodes.insert("rev@7".into(), node(&[]));
    state.nodes.insert("key".into(), node(&["svc"]));
    let all = names(&["key", "net", "rev@7", "svc", "svc-2"]);
    let mut now = |turn: Option<Turn>, chosen| {
        stack.turn = turn;
        in_turn(&stack, &state, chosen).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(now(None, &all), ["key", "net", "rev@7", "svc", "svc-2"]);
    let exclude = || vec!["svc".to_owned()];
    let rest = Turn { exclude: exclude(), ..Turn::default() };
    assert_eq!(now(Some(rest.clone()), &all), ["key", "net", "svc-2"], "key goes on, though it stood on svc");
    let first = Turn { target: vec!["svc-2".into()], exclude: exclude(), ..Turn::default() };
    assert_eq!(now(Some(first), &all), ["net", "svc-2"]);
    assert_eq!(now(Some(rest), &names(&["net"])), ["net"], "of what was chosen");
}

#[tokio::test(start_paused = true)]
async fn a_targeted_replacement_leaves_the_old_one_to_those_that_were_not_chosen() {
    let mut world = World::default();
    let stack = |size| {
        let mut stack = empty();
        let rev = Spec::<Rev>::new().size(size).on(&mut stack, "rev");
        Spec::<Svc>::new().uses("rev", id(&rev)).on(&mut stack, "svc");
        Spec::<Gate>::new().on(&mut stack, "gate");
        stack
    };
    world.apply(&stack(1)).await.complete();
    world.targets = vec!["rev".into()];
    world.apply(&stack(2)).await.complete();
    assert_eq!(world.cloud.count("delete"), 0);
    assert_eq!(world.cloud.objects.borrow().len(), 4);
    world.targets.clear();
    world.apply(&stack(2)).await.complete();
    assert_eq!(world.cloud.objects.borrow().len(), 3);
}
