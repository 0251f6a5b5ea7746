//! Objects with a name of our choice in services that cannot filter by tag: one call lists them for all nodes.

use crate::aws::{Cx, IfPresent};
use crate::error::Result;

/// An object as a Describe call gives it.
pub(super) trait Named: Clone + 'static {
    /// Under which the list of all is shared.
    const LIST: &'static str;
    /// Its name.
    fn name(&self) -> Option<&str>;
    /// The object of this name, or all there are.
    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>>;
}

/// The object with this id, which is its name, or else with the name its spec gives it.
pub(super) async fn find<T: Named>(cx: &Cx<'_>, name: &str, id: Option<&str>) -> Result<Option<T>> {
    let all = cx.pass.shared(T::LIST, || T::describe(cx, None)).await?;
    let wanted = id.unwrap_or(name);
    let found = all.iter().find(|object| object.name() == Some(wanted)).cloned();
    match id {
        // The list may be older than the object.
        Some(id) if found.is_none() => Ok(T::describe(cx, Some(id)).await.if_present()?.unwrap_or_default().pop()),
        _ => Ok(found),
    }
}
