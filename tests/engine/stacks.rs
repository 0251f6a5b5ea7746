//! Stacks that more than one test builds.

use tapctl::stack::Stack;

use crate::kinds::{Attr, Disk, Gate, Key, Link, Net, Rev, Shared, Spec, Svc, id};

/// An empty stack of the name every world uses.
pub fn empty() -> Stack {
    Stack::new("shop", "test", "us-east-1")
}

/// Every kind, and every sort of edge. Changed, it needs: an update, an update in steps, both sorts of replacement, one of
/// them with a dependent that is replaced too, and the removal of a node that was in use.
pub fn everything(changed: bool) -> Stack {
    let mut stack = empty();
    let version = if changed { 2 } else { 1 };
    let zone = if changed { "b" } else { "a" };
    Spec::<Shared>::new().size(version).on(&mut stack, "account");
    let net = Spec::<Net>::new().size(version).on(&mut stack, "net");
    let key = Spec::<Key>::new().on(&mut stack, "key");
    let attr = Spec::<Attr>::new().flag("dns", true).flag("host", !changed).flag("log", true).on(&mut stack, "attr");
    let disk = Spec::<Disk>::new().uses("net", id(&net)).uses("key", id(&key)).size(version).on(&mut stack, "disk");
    let spare = Spec::<Disk>::new().uses("net", id(&net)).zone(zone).on(&mut stack, "spare");
    let link = Spec::<Link>::new().uses("disk", id(&spare)).uses("net", id(&net)).on(&mut stack, "link");
    Spec::<Gate>::new().uses("net", id(&net)).uses("link", id(&link)).on(&mut stack, "gate");
    let base = Spec::<Rev>::new().size(version).on(&mut stack, "base");
    let rev = Spec::<Rev>::new().uses("base", id(&base)).uses("etag", attr.out("etag")).on(&mut stack, "rev");
    let extra = if changed { "new" } else { "old" };
    let extra = Spec::<Net>::new().on(&mut stack, extra);
    let svc = Spec::<Svc>::new().uses("rev", id(&rev)).uses("disk", id(&disk)).uses("extra", id(&extra));
    let svc = svc.on(&mut stack, "svc");
    stack.output("service", id(&svc));
    stack
}
