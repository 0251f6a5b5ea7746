//! Random stacks, random changes to them, random mischief: whatever happens, calm runs end where an undisturbed one ends.
//!
//! `TAPCTL_SEED=42 cargo test --no-default-features --features test-clock --test engine random` runs one seed; `TAPCTL_SEEDS=5000` that many.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::time::Duration;

use fastrand::Rng;
use tapctl::engine::Stop;
use tapctl::error::Class;
use tapctl::stack::{Out, Stack};

use crate::cloud::Mischief;
use crate::kinds::{Attr, Disk, Flavor, Gate, Key, Link, Net, Rev, Spec, Svc};
use crate::stacks::empty;
use crate::world::{Accident, End, World};

const SEEDS: u64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Net,
    Disk,
    Key,
    Rev,
    Svc,
    Link,
    Attr,
    Gate,
}

const SORTS: [Sort; 8] = [Sort::Net, Sort::Disk, Sort::Key, Sort::Rev, Sort::Svc, Sort::Link, Sort::Attr, Sort::Gate];

/// A node, as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    sort: Sort,
    zone: bool,
    size: u32,
    flags: [bool; 2],
    uses: BTreeSet<String>,
}

/// A stack, as plain data; names are in an order in which they can be added.
type Design = BTreeMap<String, Place>;

fn add<F: Flavor>(stack: &mut Stack, name: &str, place: &Place) {
    let mut spec = Spec::<F>::new().size(place.size).zone(if place.zone { "b" } else { "a" });
    for (flag, on) in ["x", "y"].iter().zip(place.flags) {
        spec = spec.flag(flag, on);
    }
    for used in &place.uses {
        spec = spec.uses(used, Out::Ref(format!("{used}.id")));
        if place.sort == Sort::Rev {
            spec = spec.uses(&format!("{used}-etag"), Out::Ref(format!("{used}.etag")));
        }
    }
    spec.on(stack, name);
}

fn build(design: &Design) -> Stack {
    let mut stack = empty();
    for (name, place) in design {
        match place.sort {
            Sort::Net => add::<Net>(&mut stack, name, place),
            Sort::Disk => add::<Disk>(&mut stack, name, place),
            Sort::Key => add::<Key>(&mut stack, name, place),
            Sort::Rev => add::<Rev>(&mut stack, name, place),
            Sort::Svc => add::<Svc>(&mut stack, name, place),
            Sort::Link => add::<Link>(&mut stack, name, place),
            Sort::Attr => add::<Attr>(&mut stack, name, place),
            Sort::Gate => add::<Gate>(&mut stack, name, place),
        }
    }
    stack
}

fn place(random: &mut Rng, design: &Design, name: &str) -> Place {
    let before: Vec<&String> = design.keys().filter(|other| other.as_str() < name).collect();
    let uses: BTreeSet<String> = before.iter().filter(|_| random.u8(..3) == 0).map(|&used| used.clone()).collect();
    let mut sort = SORTS[random.usize(..SORTS.len())];
    let twin = design.values().any(|other| other.sort == Sort::Link && other.uses == uses);
    if sort == Sort::Link && (uses.is_empty() || twin) {
        sort = Sort::Net;
    }
    Place { sort, zone: random.bool(), size: random.u32(1..3), flags: [random.bool(), random.bool()], uses }
}

fn design(random: &mut Rng) -> Design {
    let mut design = Design::new();
    for at in 0..random.usize(1..9) {
        let name = format!("n{}", at * 10);
        let place = place(random, &design, &name);
        design.insert(name, place);
    }
    design
}

/// Another stack that the first can be turned into.
fn change(random: &mut Rng, from: &Design) -> Design {
    let mut to = from.clone();
    for _ in 0..random.usize(1..6) {
        let mut next = to.clone();
        let names: Vec<String> = next.keys().cloned().collect();
        let name = if names.is_empty() { "n0".to_owned() } else { names[random.usize(..names.len())].clone() };
        match random.u8(..7) {
            0 => drop(next.remove(&name)),
            1 => {
                let name = format!("n{}", random.usize(..90));
                let place = next.get(&name).cloned().unwrap_or_else(|| place(random, &next, &name));
                next.insert(name, place);
            }
            2 => drop(next.entry(name).and_modify(|place| place.zone ^= true)),
            3 => drop(next.entry(name).and_modify(|place| place.size += 1)),
            4 => drop(next.entry(name).and_modify(|place| place.flags[0] ^= true)),
            5 => {
                let used: BTreeSet<String> =
                    next.keys().filter(|used| **used < name && random.bool()).cloned().collect();
                next.entry(name).and_modify(|place| place.uses = used);
            }
            _ => {
                let other = place(random, &next, &name);
                let links = [Some(other.sort), next.get(&name).map(|place| place.sort)].contains(&Some(Sort::Link));
                next.entry(name).and_modify(|place| place.sort = if links { place.sort } else { other.sort });
            }
        }
        if is_whole(&next) && is_possible(from, &next) {
            to = next;
        }
    }
    to
}

fn is_whole(design: &Design) -> bool {
    let links: Vec<&BTreeSet<String>> =
        design.values().filter(|place| place.sort == Sort::Link).map(|place| &place.uses).collect();
    let apart = links.iter().collect::<BTreeSet<_>>().len() == links.len();
    apart
        && links.iter().all(|uses| !uses.is_empty())
        && design.values().all(|place| place.uses.iter().all(|used| design.contains_key(used)))
}

/// Whether the cloud has a way from one to the other: what must go before its successor comes cannot be held by something
/// that stays; and a natural key must be free.
fn is_possible(from: &Design, to: &Design) -> bool {
    let mut changed: BTreeMap<&String, bool> = BTreeMap::new();
    for (name, new) in to {
        let Some(old) = from.get(name) else { continue };
        let first = |used: &String| changed.get(used).copied().unwrap_or(false);
        let on_what_goes = new.uses.iter().chain(&old.uses).any(first);
        let etag = |used: &String| match (from.get(used), to.get(used)) {
            (Some(one), Some(other)) => one.size != other.size || one.flags != other.flags,
            _ => true,
        };
        let moved = new.uses != old.uses || new.uses.iter().any(|used| changed.contains_key(used));
        let replaced = new.sort != old.sort
            || new.zone != old.zone
            || match new.sort {
                Sort::Svc => false,
                Sort::Rev => moved || new.size != old.size || new.flags != old.flags || new.uses.iter().any(etag),
                _ => moved,
            };
        if on_what_goes && (!replaced || new.sort != old.sort) {
            return false;
        }
        if replaced {
            let first = on_what_goes || (new.sort == old.sort && new.sort != Sort::Rev);
            changed.insert(name, first);
        }
    }
    let clash = |(name, new): (&String, &Place)| {
        let same = |(other, old): (&String, &Place)| other != name && old.sort == Sort::Link && old.uses == new.uses;
        new.sort == Sort::Link && from.iter().any(same)
    };
    !to.iter().any(clash)
}

fn mischief(random: &mut Rng) -> Mischief {
    let classes = [Class::Throttled, Class::Busy, Class::NotYet, Class::Denied, Class::Other, Class::Quota];
    match random.u8(..6) {
        0 => Mischief::KilledBefore,
        1 => Mischief::KilledAfter,
        2 => Mischief::LostBefore,
        3 => Mischief::LostAfter,
        _ => Mischief::Refused(classes[random.usize(..classes.len())]),
    }
}

/// One run with up to three accidents.
async fn disturbed(random: &mut Rng, world: &mut World, stack: Option<&Stack>) {
    for _ in 0..random.usize(..4) {
        world.cloud.plan(world.cloud.calls() + random.usize(1..80), mischief(random));
    }
    if random.u8(..4) == 0 {
        let accident = [Accident::Fails, Accident::KilledBefore, Accident::KilledAfter][random.usize(..3)];
        world.store.accident.set(Some((world.store.saves.get() + random.usize(1..30), accident)));
    }
    world.options.parallelism = [1, 2, 5, 16][random.usize(..4)];
    let (ask, stop) = Stop::new();
    world.stop = Some(stop);
    let patience = Duration::from_millis(random.u64(..60_000));
    let stops = random.u8(..3) == 0;
    let stopper = async {
        tokio::time::sleep(patience).await;
        ask.send_replace(stops);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = world.run(stack) => {}
        () = stopper => {}
    }
    world.cloud.calm();
    // A plan that is shown old values cannot know better; the next one does.
    world.cloud.catch_up();
    world.store.accident.set(None);
    world.stop = None;
}

/// Runs until one is complete. A replacement that a plan could not foresee takes a run of its own.
async fn calm(world: &World, stack: Option<&Stack>) -> Result<(), String> {
    for _ in 0..3 {
        match world.run(stack).await {
            End::Done(report) if report.is_complete() => return Ok(()),
            End::Done(report)
                if report.failures.iter().all(|failure| failure.to_string().contains("run apply again")) => {}
            other => return Err(format!("{other:#?}")),
        }
    }
    Err("three runs were not enough".into())
}

async fn one(seed: u64) -> Result<bool, String> {
    let mut random = Rng::with_seed(seed);
    let from = design(&mut random);
    let to = change(&mut random, &from);
    let (old, new) = (build(&from), build(&to));
    let lines = |design: &Design| design.iter().map(|(name, place)| format!("{name}: {place:?}\n")).collect::<String>();
    let mut context = format!("{}->\n{}", lines(&from), lines(&to));
    let plain = World::default();
    calm(&plain, Some(&old)).await.map_err(|text| format!("{context}first: {text}"))?;
    if let Err(text) = calm(&plain, Some(&new)).await {
        let knot = text.contains("wait for each other");
        return if knot { Ok(false) } else { Err(format!("{context}undisturbed: {text}\n{}", plain.words.text())) };
    }
    let mut world = World::default();
    world.cloud.slow(seed, 1..=random.u64(1..2000));
    world.cloud.hide.set(random.u32(..4));
    world.cloud.lag.set(random.u32(..3));
    if random.bool() {
        calm(&world, Some(&old)).await.map_err(|text| format!("{context}slowly: {text}"))?;
    }
    // Back to a kind whose object is on its way out, but not gone, there is no way: it still holds its name.
    let may_go_back = to.iter().all(|(name, new)| from.get(name).is_none_or(|old| old.sort == new.sort));
    for _ in 0..random.usize(1..5) {
        let stack = if may_go_back && random.u8(..4) == 0 { &old } else { &new };
        disturbed(&mut random, &mut world, Some(stack)).await;
    }
    let last = calm(&world, Some(&new)).await;
    context = format!("{context}{}\n{}", world.words.text(), world.cloud.told());
    last.map_err(|text| format!("{context}calm: {text}"))?;
    same(&world.cloud.picture(), &plain.cloud.picture()).map_err(|text| format!("{context}{text}"))?;
    let drifted = world.drift().await;
    if !drifted.is_empty() {
        return Err(format!("{context}drift: {drifted:#?}"));
    }
    if random.bool() {
        disturbed(&mut random, &mut world, None).await;
    }
    calm(&world, None).await.map_err(|text| format!("{context}destroy: {text}"))?;
    same(&world.cloud.picture(), &[])
        .map_err(|text| format!("{context}{}\nafter destroy: {text}", world.words.text()))?;
    Ok(true)
}

fn same(left: &[String], right: &[String]) -> Result<(), String> {
    if left == right { Ok(()) } else { Err(format!("it is\n{left:#?}\nand should be\n{right:#?}")) }
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_calm_runs_end_where_an_undisturbed_one_ends() {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("TAPCTL_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("TAPCTL_SEEDS").unwrap_or(SEEDS),
    };
    let (mut ran, all) = (0, seeds.end - seeds.start);
    for seed in seeds {
        match one(seed).await {
            Ok(possible) => ran += u64::from(possible),
            Err(text) => {
                panic!(
                    "{text}\nagain with: TAPCTL_SEED={seed} cargo test --no-default-features --features test-clock --test engine random"
                )
            }
        }
    }
    println!("{ran} of {all} seeds had a way from one stack to the other");
    assert!(ran * 10 >= all * 9, "only {ran} of {all} seeds were possible");
}
