//! The volumes of a task definition.

use aws_sdk_ecs::types::{
    EfsAuthorizationConfig, EfsAuthorizationConfigIam, EfsTransitEncryption, EfsVolumeConfiguration,
    Volume as EcsVolume,
};

use super::{built, check_name};
use crate::resources::prelude::*;

/// A volume of a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Volume {
    /// The EFS file system behind it. `None`: an empty directory that lives as long as the task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub efs: Option<EfsVolume>,
}

/// An EFS file system seen through an access point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EfsVolume {
    /// The file system.
    pub file_system_id: Out<String>,
    /// The access point, which sets user and root directory.
    pub access_point_id: Out<String>,
    /// Whether the connection uses TLS; an access point demands it.
    pub transit_encryption: bool,
    /// Whether the task's role signs the mount.
    pub iam: bool,
}

impl Volume {
    pub(super) fn check(&self, name: &str) -> std::result::Result<(), String> {
        check_name("a volume's name", name)?;
        match &self.efs {
            Some(efs) if !efs.transit_encryption => {
                Err(format!("transit_encryption of volume {name} is off; an access point demands it"))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn to_ecs(&self, name: &str) -> Result<EcsVolume> {
        let efs = self.efs.as_ref().map(EfsVolume::to_ecs).transpose()?;
        Ok(EcsVolume::builder().name(name).set_efs_volume_configuration(efs).build())
    }

    pub(super) fn from_ecs(live: &EcsVolume) -> (String, Self) {
        let efs = live.efs_volume_configuration().map(EfsVolume::from_ecs);
        (live.name().unwrap_or_default().to_owned(), Volume { efs })
    }
}

impl EfsVolume {
    fn to_ecs(&self) -> Result<EfsVolumeConfiguration> {
        let iam = if self.iam { EfsAuthorizationConfigIam::Enabled } else { EfsAuthorizationConfigIam::Disabled };
        let tls = if self.transit_encryption { EfsTransitEncryption::Enabled } else { EfsTransitEncryption::Disabled };
        let access = EfsAuthorizationConfig::builder().access_point_id(self.access_point_id.get()?).iam(iam).build();
        let volume = EfsVolumeConfiguration::builder().file_system_id(self.file_system_id.get()?);
        built(volume.transit_encryption(tls).authorization_config(access).build())
    }

    fn from_ecs(live: &EfsVolumeConfiguration) -> Self {
        let access = live.authorization_config();
        EfsVolume {
            file_system_id: live.file_system_id().into(),
            access_point_id: access.and_then(|access| access.access_point_id()).unwrap_or_default().into(),
            transit_encryption: live.transit_encryption() == Some(&EfsTransitEncryption::Enabled),
            iam: access.and_then(|access| access.iam()) == Some(&EfsAuthorizationConfigIam::Enabled),
        }
    }
}
