//! The resource policy of a file system. It has no id of its own; a file system without one lets every principal with a
//! mount target in.

use serde_json::Value;

use crate::resources::iam::policy;
use crate::resources::prelude::*;

/// The longest policy AWS takes, in characters.
const LONGEST: usize = 20_000;

/// A file system's policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileSystemPolicy {
    /// The file system.
    pub file_system_id: Out<String>,
    /// Who may mount it and how.
    pub policy: Value,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileSystemPolicyOutputs {
    /// The file system's id.
    pub file_system_id: String,
}

impl Node<FileSystemPolicy> {
    /// The file system's id: the witness that it has its policy.
    pub fn file_system_id(&self) -> Out<String> {
        self.out("file_system_id")
    }
}

impl Resource for FileSystemPolicy {
    type Cloud = Aws;
    type Outputs = FileSystemPolicyOutputs;
    const KIND: &'static str = "efs.file_system_policy";
    const PARENT: Option<&'static str> = Some("efs.file_system");
    const IMMUTABLE: &'static [&'static str] = &["file_system_id"];
    const FORETOLD: &'static [&'static str] = &["file_system_id"];
    const WAIT: Wait = Wait::seconds(3, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        match policy::size(&self.policy) {
            Some(size) if size > LONGEST => Err(format!("policy has {size} characters; AWS allows {LONGEST}")),
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let id = match id {
            Some(id) => id,
            None => self.file_system_id.get()?,
        };
        let Some(found) = cx.efs.describe_file_system_policy().file_system_id(id).send().await.if_present()? else {
            return Ok(None);
        };
        let document = policy::parse(&found.policy.always("policy")?)?;
        let live =
            FileSystemPolicy { file_system_id: id.into(), policy: policy::as_wanted(Some(&self.policy), document) };
        Ok(Some(Observed::ready(id, live, FileSystemPolicyOutputs { file_system_id: id.to_owned() })))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let id = self.file_system_id.get()?;
        self.put(cx, id).await?;
        Ok(id.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("policy") {
            self.put(cx, &observed.id).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.efs.delete_file_system_policy().file_system_id(&observed.id).send().await.if_present()?;
        Ok(())
    }
}

impl FileSystemPolicy {
    async fn put(&self, cx: &Cx<'_>, id: &str) -> Result<()> {
        cx.efs.put_file_system_policy().file_system_id(id).policy(self.policy.to_string()).send().await?;
        Ok(())
    }
}
