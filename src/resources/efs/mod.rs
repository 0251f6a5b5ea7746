//! Amazon EFS.

pub mod access_point;
mod backups;
pub mod file_system;
pub mod file_system_policy;
mod last_copy;
pub mod mount_target;

pub use access_point::AccessPoint;
pub use file_system::FileSystem;
pub use file_system_policy::FileSystemPolicy;
pub use mount_target::MountTarget;

use aws_sdk_efs::types::{LifeCycleState, Tag};

use super::prelude::*;
use crate::resource::Kinds;

pub(super) fn register(kinds: Kinds<Aws>) -> Kinds<Aws> {
    kinds.with::<AccessPoint>().with::<FileSystem>().with::<FileSystemPolicy>().with::<MountTarget>()
}

/// Where an object of EFS is in its life; `None` where that has ended.
fn phase(state: &LifeCycleState) -> Option<Phase> {
    Some(match state {
        LifeCycleState::Available => Phase::Ready,
        LifeCycleState::Deleting => Phase::Deleting,
        LifeCycleState::Deleted => return None,
        LifeCycleState::Error => Phase::Failed("EFS reports its state as error".into()),
        state => Phase::Pending(state.as_str().to_owned()),
    })
}

fn from_efs(tags: Vec<Tag>) -> Tags {
    tags::read(tags.into_iter().map(|tag| (tag.key, tag.value)))
}

fn to_efs(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

/// What an SDK builder gave; it fails only where a required field was left out.
fn built<T>(result: Result<T, impl std::fmt::Display>) -> Result<T> {
    result.map_err(|error| Fault::invalid(error.to_string()))
}

/// Sets and removes tags of one file system or access point.
async fn retag(cx: &Cx<'_>, id: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.efs.untag_resource().resource_id(id).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.efs.tag_resource().resource_id(id).set_tags(Some(to_efs(&set)?)).send().await?;
    }
    Ok(())
}
