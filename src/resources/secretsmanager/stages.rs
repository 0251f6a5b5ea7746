//! The labels of a secret's versions, which say how far the change of a credential has come.

use std::collections::HashMap;

use crate::aws::Cx;
use crate::error::Result;

/// The label of the version that whoever names none gets.
pub const CURRENT: &str = "AWSCURRENT";
/// What is to become that.
pub(in crate::resources) const PENDING: &str = "AWSPENDING";

/// The labels of a secret, by version.
pub(in crate::resources) struct Stages {
    secret: String,
    versions: HashMap<String, Vec<String>>,
}

impl Stages {
    /// Those that there are now.
    pub(in crate::resources) async fn of(cx: &Cx<'_>, secret: &str) -> Result<Stages> {
        let found = cx.secrets.describe_secret().secret_id(secret).send().await?;
        Ok(Stages { secret: secret.to_owned(), versions: found.version_ids_to_stages.unwrap_or_default() })
    }

    /// The version with this label.
    pub(in crate::resources) fn with(&self, label: &str) -> Option<&str> {
        let mut versions = self.versions.iter();
        let found = versions.find(|(_, labels)| labels.iter().any(|other| other == label));
        found.map(|(version, _)| version.as_str())
    }

    /// What follows on `beginning` in a label of this version.
    pub(in crate::resources) fn after(&self, version: &str, beginning: &str) -> Option<&str> {
        self.versions.get(version)?.iter().find_map(|label| label.strip_prefix(beginning))
    }

    /// Gives a label to a version, which whatever had it loses.
    pub(in crate::resources) async fn give(&self, cx: &Cx<'_>, label: &str, version: &str) -> Result<()> {
        let ask = cx.secrets.update_secret_version_stage().secret_id(&self.secret).version_stage(label);
        let from = self.with(label).map(str::to_owned);
        ask.move_to_version_id(version).set_remove_from_version_id(from).send().await?;
        Ok(())
    }

    /// Takes a label from a version that has it.
    pub(in crate::resources) async fn take(&self, cx: &Cx<'_>, label: &str, version: &str) -> Result<()> {
        let ask = cx.secrets.update_secret_version_stage().secret_id(&self.secret).version_stage(label);
        ask.remove_from_version_id(version).send().await?;
        Ok(())
    }
}

#[cfg(test)]
impl Stages {
    /// As a secret would have them.
    pub(in crate::resources) fn told(all: &[(&str, &[&str])]) -> Stages {
        let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
        let versions = all.iter().map(|(version, given)| ((*version).to_owned(), labels(given))).collect();
        Stages { secret: "secret".to_owned(), versions }
    }
}
