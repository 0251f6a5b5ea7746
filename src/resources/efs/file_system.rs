//! An encrypted EFS file system. Its name is its creation token, by which it is found again without any state. The
//! throughput mode can be changed once in 24 hours.

use aws_sdk_efs::types::{
    BackupPolicy, LifecyclePolicy, PerformanceMode, ReplicationConfigurationDescription, Status, ThroughputMode,
    TransitionToIaRules,
};

use super::last_copy::{self, VAULT};
use super::{backups, built, from_efs, phase, retag, to_efs};
use crate::resources::prelude::*;
use crate::resources::values::check_one_of;

/// A file system in all availability zones of the region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileSystem {
    /// Its name and creation token, 1-64 characters, unique in the account and region.
    pub name: String,
    /// `generalPurpose` or `maxIO`.
    pub performance_mode: String,
    /// `bursting` or `elastic`.
    pub throughput_mode: String,
    /// The key that encrypts it: its id or its ARN.
    pub kms_key_id: Out<String>,
    /// When files move to infrequent access, as `AFTER_30_DAYS`. `None`: whatever it is.
    pub transition_to_ia: Option<String>,
    /// Whether AWS Backup keeps daily copies. They outlive the file system.
    pub backup: bool,
    /// ARN of the role by which AWS Backup makes a last copy before it is deleted. `None`: none is made.
    #[serde(default)]
    pub last_copy_role: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileSystemOutputs {
    /// The file system's id.
    pub file_system_id: String,
    /// The file system's ARN.
    pub arn: String,
}

impl Node<FileSystem> {
    /// The file system's id.
    pub fn file_system_id(&self) -> Out<String> {
        self.out("file_system_id")
    }

    /// The file system's ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for FileSystem {
    type Cloud = Aws;
    type Outputs = FileSystemOutputs;
    const KIND: &'static str = "efs.file_system";
    const IMMUTABLE: &'static [&'static str] = &["name", "performance_mode", "kms_key_id"];
    const STATEFUL: bool = true;
    const WAY_BACK: WayBack = WayBack::Backups;
    /// A last copy of many files takes hours.
    const WAIT: Wait = Wait::seconds(3, 600, 12 * 3600).usually(10, 10);

    fn check(&self) -> std::result::Result<(), String> {
        check_one_of("performance_mode", &self.performance_mode, PerformanceMode::values())?;
        check_one_of("throughput_mode", &self.throughput_mode, &["bursting", "elastic"])?;
        if let Some(rule) = &self.transition_to_ia {
            check_one_of("transition_to_ia", rule, TransitionToIaRules::values())?;
        }
        if self.throughput_mode == "elastic" && self.performance_mode != "generalPurpose" {
            return Err("throughput_mode is elastic; AWS allows that only with performance_mode generalPurpose".into());
        }
        match self.name.len() {
            1..=64 => Ok(()),
            _ => Err(format!("name is {:?}; AWS allows 1-64 characters", self.name)),
        }
    }

    fn remains(&self) -> Option<String> {
        let last = self
            .last_copy_role
            .as_ref()
            .map(|_| format!("a last copy in AWS Backup's vault {VAULT}, until it is deleted"));
        let daily = self.backup.then(|| "daily copies, if any were made, until they expire".to_owned());
        let both: Vec<String> = last.into_iter().chain(daily).collect();
        (!both.is_empty()).then(|| both.join(", and "))
    }

    fn loses(&self, live: &Self) -> Option<Loss> {
        // AWS Backup makes no more, and those that are there expire one by one.
        let ends = live.backup && !self.backup;
        ends.then(|| Loss { what: "the way back by daily backups".to_owned(), unchosen: false })
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let request = cx.efs.describe_file_systems();
        let request = match id {
            Some(id) => request.file_system_id(id),
            None => request.creation_token(&self.name),
        };
        let Some(answer) = request.send().await.if_present()? else { return Ok(None) };
        let Some(found) = answer.file_systems.unwrap_or_default().into_iter().next() else { return Ok(None) };
        let Some(phase) = phase(&found.life_cycle_state) else { return Ok(None) };
        let id = found.file_system_id;
        let live = FileSystem {
            name: found.creation_token,
            performance_mode: found.performance_mode.as_str().to_owned(),
            throughput_mode: found.throughput_mode.always("throughput mode")?.as_str().to_owned(),
            kms_key_id: self.key_as_wanted(found.kms_key_id.unwrap_or_default()),
            transition_to_ia: transition_to_ia(&lifecycle(cx, &id).await?),
            backup: backup(cx, &id).await?,
            last_copy_role: self.last_copy_role.clone(),
            tags: from_efs(found.tags),
        };
        let outputs = FileSystemOutputs {
            arn: found.file_system_arn.unwrap_or_else(|| cx.arn("elasticfilesystem", &format!("file-system/{id}"))),
            file_system_id: id.clone(),
        };
        Ok(Some(Observed::ready(id, live, outputs).in_phase(phase)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .efs
            .create_file_system()
            .creation_token(&self.name)
            .performance_mode(self.performance_mode.as_str().into())
            .throughput_mode(self.throughput_mode.as_str().into())
            .encrypted(true)
            .kms_key_id(self.kms_key_id.get()?)
            .backup(self.backup)
            .set_tags(Some(to_efs(&self.tags)?))
            .send()
            .await?;
        Ok(made.file_system_id)
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let id = &observed.id;
        // First: AWS takes it once a day. Alone: it makes the file system busy, and the other calls would be refused.
        if diff.has("throughput_mode") {
            let mode = ThroughputMode::from(self.throughput_mode.as_str());
            cx.efs.update_file_system().file_system_id(id).throughput_mode(mode).send().await?;
            return Ok(());
        }
        if let Some(rule) = self.transition_to_ia.as_deref().filter(|_| diff.has("transition_to_ia")) {
            put_transition(cx, id, rule.into()).await?;
        }
        if diff.has("backup") {
            let status = if self.backup { Status::Enabled } else { Status::Disabled };
            let policy = built(BackupPolicy::builder().status(status).build())?;
            cx.efs.put_backup_policy().file_system_id(id).backup_policy(policy).send().await?;
        }
        if diff.has("tags") {
            retag(cx, id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase == Phase::Deleting {
            return Ok(());
        }
        if let Some(role) = &self.last_copy_role {
            last_copy::ensure(cx, &observed.outputs.arn, role.get()?).await?;
        }
        cx.efs.delete_file_system().file_system_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    /// AWS removes neither side of a replication.
    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let ask = cx.efs.describe_replication_configurations().file_system_id(&observed.id);
        let answer = ask.send().await.if_present()?;
        let of = |replication: &ReplicationConfigurationDescription| {
            let (source, region) = (&replication.source_file_system_id, &replication.source_file_system_region);
            let to = replication.destinations.iter().map(|to| format!("{} in {}", to.file_system_id, to.region));
            let to = to.collect::<Vec<_>>().join(", ");
            Holder::by_itself(format!("the replication of {source} in {region} to {to}"))
        };
        Ok(answer.iter().flat_map(|answer| answer.replications()).map(of).collect())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "elasticfilesystem", "file-system/", index::by_rest).await
    }

    async fn backups(&self, cx: &Cx<'_>) -> Result<Vec<Backup>> {
        backups::of_file_system(cx, &self.name).await
    }
}

impl FileSystem {
    /// AWS reports the key's ARN, whichever way it was named.
    fn key_as_wanted(&self, arn: String) -> Out<String> {
        match self.kms_key_id.known() {
            Some(key) if arn.rsplit('/').next() == key.rsplit('/').next() => self.kms_key_id.clone(),
            _ => arn.into(),
        }
    }
}

async fn lifecycle(cx: &Cx<'_>, id: &str) -> Result<Vec<LifecyclePolicy>> {
    let answer = cx.efs.describe_lifecycle_configuration().file_system_id(id).send().await.if_present()?;
    Ok(answer.and_then(|answer| answer.lifecycle_policies).unwrap_or_default())
}

fn transition_to_ia(policies: &[LifecyclePolicy]) -> Option<String> {
    policies.iter().find_map(|policy| policy.transition_to_ia()).map(|rule| rule.as_str().to_owned())
}

/// The call replaces the whole list, so the transitions that are not ours to say are written back.
async fn put_transition(cx: &Cx<'_>, id: &str, rule: TransitionToIaRules) -> Result<()> {
    let mut policies = lifecycle(cx, id).await?;
    policies.retain(|policy| policy.transition_to_ia().is_none());
    policies.insert(0, LifecyclePolicy::builder().transition_to_ia(rule).build());
    cx.efs.put_lifecycle_configuration().file_system_id(id).set_lifecycle_policies(Some(policies)).send().await?;
    Ok(())
}

async fn backup(cx: &Cx<'_>, id: &str) -> Result<bool> {
    let answer = cx.efs.describe_backup_policy().file_system_id(id).send().await.if_present()?;
    let status = answer.and_then(|answer| answer.backup_policy).map(|policy| policy.status);
    Ok(matches!(status, Some(Status::Enabled | Status::Enabling)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_system(performance: &str, throughput: &str, to_ia: &str) -> FileSystem {
        FileSystem {
            name: "student-efs-dev".into(),
            performance_mode: performance.into(),
            throughput_mode: throughput.into(),
            kms_key_id: "ab".into(),
            transition_to_ia: Some(to_ia.into()),
            backup: true,
            last_copy_role: None,
            tags: Tags::new(),
        }
    }

    #[test]
    fn modes_must_fit_together() {
        assert_eq!(file_system("generalPurpose", "elastic", "AFTER_30_DAYS").check(), Ok(()));
        assert!(file_system("maxIO", "elastic", "AFTER_30_DAYS").check().is_err());
        assert!(file_system("generalPurpose", "provisioned", "AFTER_30_DAYS").check().is_err());
        assert!(file_system("generalPurpose", "bursting", "AFTER_31_DAYS").check().is_err());
    }

    #[test]
    fn what_remains_is_told_by_what_was_asked_for() {
        let asked = file_system("generalPurpose", "elastic", "AFTER_30_DAYS");
        assert_eq!(asked.remains().unwrap(), "daily copies, if any were made, until they expire");
        let last = FileSystem { last_copy_role: Some("arn:aws:iam::1:role/r".into()), backup: false, ..asked.clone() };
        assert_eq!(last.remains().unwrap(), "a last copy in AWS Backup's vault Default, until it is deleted");
        assert_eq!(FileSystem { backup: false, ..asked }.remains(), None);
    }

    #[test]
    fn a_key_named_by_id_is_the_key_aws_names_by_arn() {
        let spec = file_system("generalPurpose", "bursting", "AFTER_7_DAYS");
        assert_eq!(spec.key_as_wanted("arn:aws:kms:us-east-1:1:key/ab".into()), "ab".into());
        assert_ne!(spec.key_as_wanted("arn:aws:kms:us-east-1:1:key/cd".into()), "ab".into());
    }
}
