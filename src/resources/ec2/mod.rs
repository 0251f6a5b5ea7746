//! Amazon EC2: networks. EC2 models no errors and finds objects best by filters, which leave out what is missing where
//! ids would fail the whole call.

pub mod nat_gateway;
pub mod vpc;

pub use nat_gateway::NatGateway;
pub use vpc::Vpc;

use aws_sdk_ec2::types::{Filter, Tag};

use crate::aws::{Aws, Cx, tags};
use crate::error::Result;
use crate::resource::{Kinds, Tags};

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<NatGateway>().with::<Vpc>()
}

/// An EC2 object as a Describe call gives it.
trait Described: Clone + 'static {
    /// The filter that selects it by id.
    const ID_FILTER: &'static str;
    fn id(&self) -> &str;
    fn tags(&self) -> &[Tag];
    /// Every object the filters select.
    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>>;
}

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// The object with this id, or every one that carries this node's ownership tags. All nodes of a stack share one call.
async fn find<T: Described>(cx: &Cx<'_>, id: Option<&str>) -> Result<Vec<T>> {
    let ours = cx.pass.shared(T::ID_FILTER, || T::describe(cx, tags::ec2_filters(cx.owner))).await?;
    let mine = |object: &&T| match id {
        Some(id) => object.id() == id,
        None => cx.owner.owns(&tags::from_ec2(object.tags())),
    };
    let found: Vec<T> = ours.iter().filter(mine).cloned().collect();
    match id {
        // Somebody may have taken the ownership tags off.
        Some(id) if found.is_empty() => T::describe(cx, vec![filter(T::ID_FILTER, id)]).await,
        _ => Ok(found),
    }
}

/// Sets and removes tags of one object.
async fn retag(cx: &Cx<'_>, id: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        let keys = remove.iter().map(|key| Tag::builder().key(key).build()).collect();
        cx.ec2.delete_tags().resources(id).set_tags(Some(keys)).send().await?;
    }
    if !set.is_empty() {
        cx.ec2.create_tags().resources(id).set_tags(Some(tags::to_ec2(&set))).send().await?;
    }
    Ok(())
}
