//! A door into a file system: one directory, seen by every client as one user. Nothing but its tags can be changed.

use aws_sdk_efs::types::{AccessPointDescription, CreationInfo, PosixUser, RootDirectory};

use super::{built, from_efs, phase, retag, to_efs};
use crate::resources::prelude::*;

/// An access point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessPoint {
    /// The file system.
    pub file_system_id: Out<String>,
    /// The directory clients see as the root; made on the first mount if it is not there. At most four levels and
    /// 100 characters.
    pub path: String,
    /// User that owns the directory when it is made.
    pub owner_uid: u32,
    /// Group that owns the directory when it is made.
    pub owner_gid: u32,
    /// Mode of the directory when it is made, in octal digits, as `0755`.
    pub permissions: String,
    /// User every client acts as.
    pub posix_uid: u32,
    /// Group every client acts as.
    pub posix_gid: u32,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccessPointOutputs {
    /// The access point's id.
    pub access_point_id: String,
    /// The access point's ARN.
    pub arn: String,
}

impl Node<AccessPoint> {
    /// The access point's id.
    pub fn access_point_id(&self) -> Out<String> {
        self.out("access_point_id")
    }

    /// The access point's ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for AccessPoint {
    type Cloud = Aws;
    type Outputs = AccessPointOutputs;
    const KIND: &'static str = "efs.access_point";
    const IMMUTABLE: &'static [&'static str] =
        &["file_system_id", "path", "owner_uid", "owner_gid", "permissions", "posix_uid", "posix_gid"];
    const REPLACE: Replace = Replace::CreateFirst;
    const WAIT: Wait = Wait::seconds(3, 300, 300);

    fn check(&self) -> std::result::Result<(), String> {
        if !is_path(&self.path) {
            return Err(format!(
                "path is {:?}; AWS allows / or up to four levels of /name, 100 characters together, no name that \
                 starts with a dot, none of $#<>;`|&?{{}}^*",
                self.path
            ));
        }
        let octal = self.permissions.chars().all(|c| ('0'..='7').contains(&c));
        match self.permissions.len() {
            3..=4 if octal => Ok(()),
            _ => Err(format!("permissions is {:?}; AWS allows three or four octal digits", self.permissions)),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = self.find(cx, id).await?.into_iter();
        let Some(point) = found.next() else { return Ok(None) };
        let phase = point.life_cycle_state.as_ref().and_then(phase).unwrap_or(Phase::Deleting);
        let id = point.access_point_id.clone().always("access point id")?;
        let outputs = AccessPointOutputs {
            arn: point.access_point_arn.clone().always("access point ARN")?,
            access_point_id: id.clone(),
        };
        let mut observed = Observed::ready(id, self.live(point)?, outputs).in_phase(phase);
        observed.duplicates = found.filter_map(|point| point.access_point_id).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let owner = CreationInfo::builder()
            .owner_uid(self.owner_uid.into())
            .owner_gid(self.owner_gid.into())
            .permissions(&self.permissions);
        let user = PosixUser::builder().uid(self.posix_uid.into()).gid(self.posix_gid.into());
        let made = cx
            .efs
            .create_access_point()
            .client_token(cx.owner.token())
            .file_system_id(self.file_system_id.get()?)
            .root_directory(RootDirectory::builder().path(&self.path).creation_info(built(owner.build())?).build())
            .posix_user(built(user.build())?)
            .set_tags(Some(to_efs(&self.tags)?))
            .send()
            .await?;
        made.access_point_id.always("access point id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.efs.delete_access_point().access_point_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "elasticfilesystem", "access-point/", index::by_rest).await
    }
}

impl AccessPoint {
    /// The access point with this id, or every one of this file system that carries this node's tags. AWS does not
    /// say how old they are.
    async fn find(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Vec<AccessPointDescription>> {
        let request = cx.efs.describe_access_points();
        let request = match id {
            Some(id) => request.access_point_id(id),
            None => request.file_system_id(self.file_system_id.get()?),
        };
        let all = request.into_paginator().items().send().try_collect().await.if_present()?.unwrap_or_default();
        let lives =
            |point: &AccessPointDescription| point.life_cycle_state.as_ref().is_some_and(|s| phase(s).is_some());
        let ours = |point: &AccessPointDescription| cx.owner.owns(&from_efs(point.tags().to_vec()));
        Ok(all.into_iter().filter(|point| lives(point) && (id.is_some() || ours(point))).collect())
    }

    fn live(&self, point: AccessPointDescription) -> Result<AccessPoint> {
        let root = point.root_directory.always("root directory")?;
        let owner = root.creation_info.as_ref();
        let user = point.posix_user.as_ref();
        Ok(AccessPoint {
            file_system_id: point.file_system_id.always("file system id")?.into(),
            path: root.path.unwrap_or_else(|| "/".to_owned()),
            owner_uid: number(owner.map(|owner| owner.owner_uid))?,
            owner_gid: number(owner.map(|owner| owner.owner_gid))?,
            permissions: self.mode_as_wanted(owner.map(|owner| owner.permissions.as_str()).unwrap_or_default()),
            posix_uid: number(user.map(|user| user.uid))?,
            posix_gid: number(user.map(|user| user.gid))?,
            tags: from_efs(point.tags.unwrap_or_default()),
        })
    }

    /// `755` and `0755` are the same mode.
    fn mode_as_wanted(&self, live: &str) -> String {
        let same = !live.is_empty() && self.permissions.trim_start_matches('0') == live.trim_start_matches('0');
        if same { self.permissions.clone() } else { live.to_owned() }
    }
}

fn number(value: Option<i64>) -> Result<u32> {
    let value = value.unwrap_or_default();
    u32::try_from(value).map_err(|_| Fault::unexpected(format!("{value} is no user or group number")))
}

fn is_path(path: &str) -> bool {
    let name = |name: &str| !name.is_empty() && !name.starts_with('.') && !name.contains(FORBIDDEN);
    let levels: Vec<&str> = path.strip_prefix('/').map(|rest| rest.split('/').collect()).unwrap_or_default();
    path == "/" || (path.len() <= 100 && (1..=4).contains(&levels.len()) && levels.into_iter().all(name))
}

const FORBIDDEN: [char; 14] = ['$', '#', '<', '>', ';', '`', '|', '&', '?', '{', '}', '^', '*', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_aws_paths() {
        assert!(["/", "/a", "/a/b/c/d"].into_iter().all(is_path));
        assert!(!["", "a", "//", "/a/", "/a/b/c/d/e", "/.a", "/a*"].into_iter().any(is_path));
    }
}
