//! A file system's address in one subnet, one an availability zone. It has no tags: the pair of file system and subnet
//! is its key.

use std::collections::BTreeSet;

use aws_sdk_efs::types::MountTargetDescription;
use serde_json::{Value, json};

use super::{FileSystem, phase};
use crate::resources::prelude::*;

/// A mount target.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MountTarget {
    /// The file system.
    pub file_system_id: Out<String>,
    /// The subnet, the only one of its zone with a mount target of this file system.
    pub subnet_id: Out<String>,
    /// The security groups that may be reached through, 1-5.
    pub security_group_ids: BTreeSet<Out<String>>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MountTargetOutputs {
    /// The mount target's id.
    pub mount_target_id: String,
    /// The file system's id.
    pub file_system_id: String,
}

impl Node<MountTarget> {
    /// The mount target's id.
    pub fn mount_target_id(&self) -> Out<String> {
        self.out("mount_target_id")
    }

    /// The file system's id: the witness that it can be mounted from this subnet.
    pub fn mounted_file_system_id(&self) -> Out<String> {
        self.out("file_system_id")
    }
}

impl Resource for MountTarget {
    type Cloud = Aws;
    type Outputs = MountTargetOutputs;
    const KIND: &'static str = "efs.mount_target";
    const PARENT: Option<&'static str> = Some("efs.file_system");
    const IMMUTABLE: &'static [&'static str] = &["file_system_id", "subnet_id"];
    const SERVES: bool = true;
    const FORETOLD: &'static [&'static str] = &["file_system_id"];
    const WAIT: Wait = Wait::seconds(5, 600, 900).usually(90, 45);

    fn check(&self) -> std::result::Result<(), String> {
        match self.security_group_ids.len() {
            1..=5 => Ok(()),
            count => Err(format!("security_group_ids has {count} groups; AWS allows 1-5")),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(found) = self.find(cx, id).await? else { return Ok(None) };
        let Some(phase) = phase(&found.life_cycle_state) else { return Ok(None) };
        let id = found.mount_target_id;
        let live = MountTarget {
            file_system_id: found.file_system_id.as_str().into(),
            subnet_id: found.subnet_id.into(),
            // Outside of this phase the network interface may be missing, and AWS refuses to say.
            security_group_ids: match phase {
                Phase::Ready => groups(cx, &id).await?,
                _ => self.security_group_ids.clone(),
            },
        };
        let outputs = MountTargetOutputs { mount_target_id: id.clone(), file_system_id: found.file_system_id };
        Ok(Some(Observed::ready(id, live, outputs).in_phase(phase)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .efs
            .create_mount_target()
            .file_system_id(self.file_system_id.get()?)
            .subnet_id(self.subnet_id.get()?)
            .set_security_groups(Some(self.groups()?))
            .send()
            .await?;
        Ok(made.mount_target_id)
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("security_group_ids") {
            let request = cx.efs.modify_mount_target_security_groups().mount_target_id(&observed.id);
            request.set_security_groups(Some(self.groups()?)).send().await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase != Phase::Deleting {
            cx.efs.delete_mount_target().mount_target_id(&observed.id).send().await.if_present()?;
        }
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for of in FileSystem::list(cx).await? {
            let read = || async { Ok(targets(cx, &of.id).await.if_present()?.unwrap_or_default()) };
            let all = cx.pass.shared(&format!("efs.mount-targets/{}", of.id), read).await?;
            found.extend(all.iter().map(|target| Found::new(format!("{}-mount", of.node), &target.mount_target_id)));
        }
        Ok(found)
    }

    /// A file system that is not known is not looked through.
    fn careful() -> Value {
        json!({ "file_system_id": Out::<String>::Ref("unknown.file_system_id".to_owned()) })
    }
}

impl MountTarget {
    fn groups(&self) -> Result<Vec<String>> {
        self.security_group_ids.iter().map(|group| group.get().cloned()).collect()
    }

    async fn find(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<MountTargetDescription>> {
        if let Some(file_system) = self.file_system_id.known() {
            let key = format!("efs.mount-targets/{file_system}");
            let all = cx.pass.shared(&key, || targets(cx, file_system)).await?;
            let subnet = self.subnet_id.known();
            let found = all.iter().find(|target| match id {
                Some(id) => target.mount_target_id == id,
                None => subnet == Some(&target.subnet_id),
            });
            if found.is_some() {
                return Ok(found.cloned());
            }
        }
        let Some(id) = id else { return Ok(None) };
        let answer = cx.efs.describe_mount_targets().mount_target_id(id).send().await.if_present()?;
        Ok(answer.and_then(|answer| answer.mount_targets.unwrap_or_default().into_iter().next()))
    }
}

/// Every mount target of the file system, none if that does not exist.
async fn targets(cx: &Cx<'_>, file_system: &str) -> Result<Vec<MountTargetDescription>> {
    let pages = cx.efs.describe_mount_targets().file_system_id(file_system).into_paginator().items().send();
    Ok(pages.try_collect().await.if_present()?.unwrap_or_default())
}

async fn groups(cx: &Cx<'_>, id: &str) -> Result<BTreeSet<Out<String>>> {
    let answer = cx.efs.describe_mount_target_security_groups().mount_target_id(id).send().await.if_present()?;
    Ok(answer.map(|answer| answer.security_groups).unwrap_or_default().into_iter().map(Out::from).collect())
}
