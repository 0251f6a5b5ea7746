//! What is not as it was left, and nothing else.

use crate::kinds::{Disk, Rev, Spec, Svc, id};
use crate::stacks::{empty, everything};
use crate::world::World;

#[tokio::test(start_paused = true)]
async fn nothing_has_drifted_after_any_apply() {
    let world = World::default();
    for changed in [false, true] {
        world.apply(&everything(changed)).await.complete();
        assert_eq!(world.drift().await, []);
    }
}

#[tokio::test(start_paused = true)]
async fn changed_missing_and_unexpected_are_found_and_nothing_else() {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    world.cloud.vanish(&world.cloud.of("gate").id);
    world.cloud.tamper(&world.cloud.of("disk").id, |disk| disk.fields.size = 9);
    world.cloud.tamper(&world.cloud.of("net").id, |net| {
        net.fields.tags.get_or_insert_default().insert("theirs".into(), "1".into());
    });
    world.cloud.tamper(&world.cloud.of("svc").id, |svc| svc.broken = Some("crashed".into()));
    world.cloud.forget_calls();
    let drifted = world.drift().await;
    let names: Vec<&str> = drifted.iter().map(|drifted| drifted.node.as_str()).collect();
    assert_eq!(names, ["disk", "gate", "net", "svc"]);
    let [disk, gate, net, svc] = drifted.as_slice() else { panic!("four drifted") };
    assert_eq!((disk.changes.changes[0].path.as_str(), disk.changes.changes[0].live.as_u64()), ("size", Some(9)));
    assert!(gate.missing && !disk.missing);
    assert_eq!(net.changes.changes.len(), 1);
    assert!(net.changes.changes[0].path == "tags.theirs" && net.changes.changes[0].want.is_null());
    assert_eq!(svc.status.as_deref(), Some("failed: crashed"));
    assert_eq!(world.cloud.count("write"), 0);
    assert!(world.cloud.calls() <= 10, "{}", world.cloud.told());
}

#[tokio::test(start_paused = true)]
async fn an_apply_mends_what_drifted() {
    let world = World::default();
    world.apply(&everything(false)).await.complete();
    let picture = world.cloud.picture();
    world.cloud.vanish(&world.cloud.of("gate").id);
    world.cloud.tamper(&world.cloud.of("disk").id, |disk| disk.fields.size = 9);
    world.cloud.tamper(&world.cloud.of("attr").id, |attr| attr.fields.flags = [("dns".into(), false)].into());
    world.cloud.tamper(&world.cloud.of("base").id, |base| base.fields.zone = "z".into());
    world.apply(&everything(false)).await.complete();
    assert_eq!(world.drift().await, []);
    assert_eq!(world.cloud.picture(), picture);
}

#[tokio::test(start_paused = true)]
async fn the_old_one_of_an_unfinished_replacement_is_no_drift() {
    use crate::cloud::Mischief;
    use tapctl::error::Class;
    let world = World::default();
    let stack = |size| {
        let mut stack = empty();
        Spec::<Disk>::new().on(&mut stack, "disk");
        let rev = Spec::<Rev>::new().size(size).on(&mut stack, "rev");
        Spec::<Svc>::new().uses("rev", id(&rev)).on(&mut stack, "svc");
        stack
    };
    world.apply(&stack(1)).await.complete();
    world.cloud.upset("modify svc", Mischief::Refused(Class::Denied), 1);
    world.apply(&stack(2)).await.report();
    assert_eq!(world.store.state().nodes.len(), 4);
    assert_eq!(world.drift().await, []);
}
