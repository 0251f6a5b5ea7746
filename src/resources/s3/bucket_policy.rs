//! The policy of a bucket. It has no id of its own, and writing one replaces what was there.

use serde_json::Value;

use crate::resources::iam::policy;
use crate::resources::prelude::*;

/// The longest policy AWS takes, in characters.
const LONGEST: usize = 20_480;

/// A bucket's policy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BucketPolicy {
    /// The bucket.
    pub bucket: Out<String>,
    /// Who may do what with it and its objects.
    pub policy: Value,
    /// Whether a destroy leaves it where it is as long as anything is in the bucket, which is to stay as guarded as it was.
    #[serde(default)]
    pub stays_while_full: bool,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BucketPolicyOutputs {
    /// The bucket's name.
    pub bucket_name: String,
}

impl Node<BucketPolicy> {
    /// The bucket's name: the witness that it has its policy.
    pub fn ruled_bucket_name(&self) -> Out<String> {
        self.out("bucket_name")
    }
}

impl Resource for BucketPolicy {
    type Cloud = Aws;
    type Outputs = BucketPolicyOutputs;
    const KIND: &'static str = "s3.bucket_policy";
    const PARENT: Option<&'static str> = Some("s3.bucket");
    const IMMUTABLE: &'static [&'static str] = &["bucket"];
    const FORETOLD: &'static [&'static str] = &["bucket_name"];
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        match policy::size(&self.policy) {
            Some(size) if size > LONGEST => Err(format!("policy has {size} characters; AWS allows {LONGEST}")),
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let name = match id {
            Some(id) => id,
            None => self.bucket.get()?,
        };
        let ask = cx.s3.get_bucket_policy().bucket(name).expected_bucket_owner(&cx.account);
        let Some(found) = ask.send().await.if_present()? else { return Ok(None) };
        let document = policy::parse(&found.policy.always("bucket policy")?)?;
        let live = BucketPolicy {
            bucket: name.into(),
            policy: policy::as_wanted(Some(&self.policy), document),
            stays_while_full: self.stays_while_full,
        };
        Ok(Some(Observed::ready(name, live, BucketPolicyOutputs { bucket_name: name.to_owned() })))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let name = self.bucket.get()?;
        self.put(cx, name).await?;
        Ok(name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("policy") {
            self.put(cx, &observed.id).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let ask = cx.s3.delete_bucket_policy().bucket(&observed.id).expected_bucket_owner(&cx.account);
        ask.send().await.if_present()?;
        Ok(())
    }

    async fn stays(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Option<String>> {
        super::bucket::stays(cx, &observed.id, self.stays_while_full).await
    }
}

impl BucketPolicy {
    async fn put(&self, cx: &Cx<'_>, bucket: &str) -> Result<()> {
        let ask = cx.s3.put_bucket_policy().bucket(bucket).expected_bucket_owner(&cx.account);
        ask.policy(self.policy.to_string()).send().await?;
        Ok(())
    }
}
