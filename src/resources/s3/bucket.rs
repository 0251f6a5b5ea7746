//! An S3 bucket. It is created bare but for its tags; each of its parts is set by a call of its own and replaces what
//! was there. It can be deleted only when empty of all versions, of which one call removes at most a thousand.

use std::collections::BTreeSet;

use aws_sdk_s3::types::{
    BlockedEncryptionTypes, BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration,
    EncryptionType, ObjectOwnership, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    Tag, Tagging, TransitionDefaultMinimumObjectSize, VersioningConfiguration,
};
use serde_json::{Value, json};

use super::lifecycle::{LARGE_ONLY, Lifecycle};
use super::versions::{is_empty, remove_some};
use super::{unbuilt, unless_unset};
use crate::resources::prelude::*;
use crate::resources::values::{check_one_of, check_range, key, never, text};

/// The only region that is not named when a bucket is made there.
const DEFAULT_REGION: &str = "us-east-1";
/// What AWS reserves among names for purposes of its own.
const RESERVED_STARTS: [&str; 3] = ["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_ENDS: [&str; 5] = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// A bucket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bucket {
    /// Its name, unique in the world: 3-63 lower-case letters, digits, hyphens and dots.
    pub name: String,
    /// ARN of the key that encrypts new objects. `None`: a key of S3's own.
    #[serde(with = "sse")]
    pub kms_key_arn: Option<Out<String>>,
    /// Whether one data key serves many objects, which saves calls to KMS. Only with a key of one's own; who writes
    /// then needs kms:Decrypt too.
    pub bucket_key: bool,
    /// Whether S3 takes no object that its writer has encrypted under a key that he keeps (SSE-C), so that nobody can make
    /// others' objects unreadable. So it is for buckets made since April 2026.
    #[serde(default)]
    pub foreign_keys_blocked: bool,
    /// Whether replaced and deleted objects are kept as versions.
    pub versioning: bool,
    /// Days until objects move to GLACIER, those under 128 KB excepted. `None`: never.
    #[serde(with = "never")]
    pub archive_after_days: Option<i32>,
    /// Whether smaller ones move too, each for a fee and 40 KB of its own.
    #[serde(default)]
    pub archive_small: bool,
    /// Days until objects expire; a version that was replaced, deleted or expired goes as many days later. `None`: never.
    #[serde(with = "never")]
    pub expire_after_days: Option<i32>,
    /// The ids of further lifecycle rules. Must be empty: they are here so that they are seen, and removed.
    pub other_lifecycle_rules: BTreeSet<String>,
    /// Who owns objects: `BucketOwnerEnforced` switches ACLs off.
    pub object_ownership: String,
    /// Whether all public access is blocked.
    pub public_access_blocked: bool,
    /// Whether a destroy leaves it where it is as long as anything is in it. AWS knows nothing of that.
    #[serde(default)]
    pub stays_while_full: bool,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BucketOutputs {
    /// Its name.
    pub bucket_name: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<Bucket> {
    /// Its name, known once it exists.
    pub fn bucket_name(&self) -> Out<String> {
        self.out("bucket_name")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Bucket {
    type Cloud = Aws;
    type Outputs = BucketOutputs;
    const KIND: &'static str = "s3.bucket";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const STATEFUL: bool = true;
    const WAY_BACK: WayBack =
        WayBack::Otherwise("no backups; what was overwritten or deleted is there as an older version");
    const FORETOLD: &'static [&'static str] = &["bucket_name", "arn"];
    /// A full bucket takes a call for each thousand versions, and services deliver for a quarter of an hour after they
    /// were told to stop.
    /// Settings of a fresh bucket conflict for a minute or so, and were seen to for most of an hour.
    const WAIT: Wait = Wait::seconds(2, 1800, 4 * 3600);

    fn check(&self) -> std::result::Result<(), String> {
        check_bucket_name(&self.name)?;
        check_one_of("object_ownership", &self.object_ownership, ObjectOwnership::values())?;
        if self.bucket_key && self.kms_key_arn.is_none() {
            return Err("bucket_key is true without kms_key_arn; AWS has bucket keys only for KMS keys".to_owned());
        }
        if let Some(id) = self.other_lifecycle_rules.first() {
            return Err(format!("other_lifecycle_rules has {id:?}; it must be empty"));
        }
        let archive = self.archive_after_days.unwrap_or(1);
        check_range("archive_after_days", archive, 1, i32::MAX)?;
        match self.expire_after_days {
            Some(expire) if self.archive_after_days.is_some() && expire <= archive => Err(format!(
                "expire_after_days is {expire} and archive_after_days {archive}; AWS wants objects archived before they \
                 expire"
            )),
            expire => check_range("expire_after_days", expire.unwrap_or(1), 1, i32::MAX),
        }
    }

    fn loses(&self, live: &Self) -> Option<Loss> {
        Loss::of_shorter_than_ever("objects", "days", self.expire_after_days, live.expire_after_days)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let found = self.read(cx, id.unwrap_or(&self.name)).await;
        match found.if_present() {
            Err(fault) if id.is_none() && fault.code == "AccessDenied" => Ok(Some(self.strangers(cx))),
            found => found,
        }
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let region = Some(cx.region.as_str()).filter(|region| *region != DEFAULT_REGION);
        let configuration = CreateBucketConfiguration::builder()
            .set_location_constraint(region.map(BucketLocationConstraint::from))
            .set_tags(Some(to_s3(&self.tags)?))
            .build();
        let ask = cx.s3.create_bucket().bucket(&self.name).create_bucket_configuration(configuration);
        ask.object_ownership(self.object_ownership.as_str().into()).send().await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("public_access_blocked") {
            self.put_public_access(cx, &observed.id).await?;
        }
        if diff.has("object_ownership") {
            self.put_ownership(cx, &observed.id).await?;
        }
        if diff.has_any(&["kms_key_arn", "bucket_key", "foreign_keys_blocked"]) {
            self.put_encryption(cx, &observed.id).await?;
        }
        if diff.has("versioning") {
            self.put_versioning(cx, &observed.id).await?;
        }
        if diff.has_any(&["archive_after_days", "archive_small", "expire_after_days", "other_lifecycle_rules"]) {
            self.put_lifecycle(cx, &observed.id).await?;
        }
        if diff.has("tags") {
            let now = tags_on(cx, &observed.id).await?;
            let all = tags::changed(&now, &self.tags, &observed.live.tags);
            let tagging = Tagging::builder().set_tag_set(Some(to_s3(&all)?)).build().map_err(unbuilt)?;
            let ask = cx.s3.put_bucket_tagging().bucket(&observed.id).expected_bucket_owner(&cx.account);
            ask.tagging(tagging).send().await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        remove_some(cx, &observed.id).await?;
        let ask = cx.s3.delete_bucket().bucket(&observed.id).expected_bucket_owner(&cx.account);
        ask.send().await.if_present()?;
        Ok(())
    }

    async fn stays(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Option<String>> {
        stays(cx, &observed.id, self.stays_while_full).await
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "s3", "", index::by_rest).await
    }

    /// Of what nobody knows nothing expires, and what is in it stays.
    fn careful() -> Value {
        json!({
            "kms_key_arn": null,
            "archive_after_days": "never",
            "expire_after_days": "never",
            "stays_while_full": true,
        })
    }
}

/// Why a destroy leaves a bucket, and its policy with it, where they are.
pub(super) async fn stays(cx: &Cx<'_>, bucket: &str, while_full: bool) -> Result<Option<String>> {
    if !while_full || is_empty(cx, bucket).await? {
        return Ok(None);
    }
    Ok(Some("kept with what is in it; once every version of that is gone, run destroy again".to_owned()))
}

/// How a bucket encrypts new objects. Without a KMS key there are no data keys to share.
struct Encryption {
    kms_key_arn: Option<Out<String>>,
    bucket_key: bool,
    foreign_keys_blocked: bool,
}

impl Bucket {
    /// The bucket as it is; a fault of class absent where there is none.
    async fn read(&self, cx: &Cx<'_>, name: &str) -> Result<Observed<Self>> {
        let (s3, owner) = (&cx.s3, &cx.account);
        let versioning = s3.get_bucket_versioning().bucket(name).expected_bucket_owner(owner).send().await?;
        let lifecycle = s3.get_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(owner).send().await;
        let lifecycle = unless_unset(lifecycle, "NoSuchLifecycleConfiguration")?;
        let smallest = lifecycle.as_ref().and_then(|found| found.transition_default_minimum_object_size());
        let archive_small = smallest.is_some_and(|smallest| *smallest != LARGE_ONLY);
        let lifecycle = lifecycle.map(|found| Lifecycle::read(found.rules())).unwrap_or_default();
        let block = s3.get_public_access_block().bucket(name).expected_bucket_owner(owner).send().await;
        let block = unless_unset(block, "NoSuchPublicAccessBlockConfiguration")?;
        let ownership = s3.get_bucket_ownership_controls().bucket(name).expected_bucket_owner(owner).send().await;
        let ownership = unless_unset(ownership, "OwnershipControlsNotFoundError")?;
        let ownership = ownership.and_then(|found| found.ownership_controls).map(|found| found.rules);
        let Encryption { kms_key_arn, bucket_key, foreign_keys_blocked } = self.encryption(cx, name).await?;
        let live = Bucket {
            name: name.to_owned(),
            kms_key_arn,
            bucket_key,
            foreign_keys_blocked,
            versioning: versioning.status() == Some(&BucketVersioningStatus::Enabled),
            archive_after_days: lifecycle.archive_after_days,
            archive_small,
            expire_after_days: lifecycle.expire_after_days,
            other_lifecycle_rules: lifecycle.other_rules,
            object_ownership: text(ownership.iter().flatten().next().map(|rule| rule.object_ownership().as_str())),
            public_access_blocked: block
                .and_then(|found| found.public_access_block_configuration)
                .is_some_and(|block| blocks_all(&block)),
            stays_while_full: self.stays_while_full,
            tags: tags_on(cx, name).await?,
        };
        Ok(Observed::ready(name, live, outputs(cx, name)))
    }

    /// A bucket that has our name and does not answer. AWS speaks of one of another account in the same words as of one
    /// that the caller may not read.
    fn strangers(&self, cx: &Cx<'_>) -> Observed<Self> {
        let why =
            "it belongs to another account, or these credentials may not read it; another's name is not to be had";
        let observed = Observed::ready(&self.name, self.clone(), outputs(cx, &self.name));
        Observed { foreign: Some(why.to_owned()), ..observed }
    }

    async fn encryption(&self, cx: &Cx<'_>, name: &str) -> Result<Encryption> {
        let found = cx.s3.get_bucket_encryption().bucket(name).expected_bucket_owner(&cx.account).send().await;
        let found = unless_unset(found, "ServerSideEncryptionConfigurationNotFoundError")?;
        let rules = found.and_then(|found| found.server_side_encryption_configuration).map(|found| found.rules);
        let none = Encryption { kms_key_arn: None, bucket_key: self.bucket_key, foreign_keys_blocked: false };
        let Some(rule) = rules.into_iter().flatten().next() else { return Ok(none) };
        let blocked = rule
            .blocked_encryption_types()
            .is_some_and(|blocked| blocked.encryption_type().contains(&EncryptionType::SseC));
        let none = Encryption { foreign_keys_blocked: blocked, ..none };
        let Some(default) = rule.apply_server_side_encryption_by_default() else { return Ok(none) };
        if default.sse_algorithm() == &ServerSideEncryption::Aes256 {
            return Ok(none);
        }
        let wanted = self.kms_key_arn.clone().unwrap_or_else(|| "".into());
        // Without an id it is the key that AWS keeps for S3 in this account.
        let live = key(&wanted, Some(default.kms_master_key_id().unwrap_or("alias/aws/s3")));
        let bucket_key = rule.bucket_key_enabled().unwrap_or_default();
        Ok(Encryption { kms_key_arn: Some(live), bucket_key, foreign_keys_blocked: blocked })
    }

    async fn put_public_access(&self, cx: &Cx<'_>, name: &str) -> Result<()> {
        let blocked = self.public_access_blocked;
        let block = PublicAccessBlockConfiguration::builder()
            .block_public_acls(blocked)
            .ignore_public_acls(blocked)
            .block_public_policy(blocked)
            .restrict_public_buckets(blocked)
            .build();
        let ask = cx.s3.put_public_access_block().bucket(name).expected_bucket_owner(&cx.account);
        ask.public_access_block_configuration(block).send().await?;
        Ok(())
    }

    async fn put_ownership(&self, cx: &Cx<'_>, name: &str) -> Result<()> {
        let rule = OwnershipControlsRule::builder().object_ownership(self.object_ownership.as_str().into());
        let controls = OwnershipControls::builder().rules(rule.build().map_err(unbuilt)?).build().map_err(unbuilt)?;
        let ask = cx.s3.put_bucket_ownership_controls().bucket(name).expected_bucket_owner(&cx.account);
        ask.ownership_controls(controls).send().await?;
        Ok(())
    }

    async fn put_encryption(&self, cx: &Cx<'_>, name: &str) -> Result<()> {
        let key = self.kms_key_arn.as_ref().map(Out::get).transpose()?;
        let algorithm = if key.is_some() { ServerSideEncryption::AwsKms } else { ServerSideEncryption::Aes256 };
        let default =
            ServerSideEncryptionByDefault::builder().sse_algorithm(algorithm).set_kms_master_key_id(key.cloned());
        let kind = if self.foreign_keys_blocked { EncryptionType::SseC } else { EncryptionType::None };
        let blocked = BlockedEncryptionTypes::builder().encryption_type(kind).build();
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default.build().map_err(unbuilt)?)
            .bucket_key_enabled(self.bucket_key)
            .blocked_encryption_types(blocked)
            .build();
        let configuration = ServerSideEncryptionConfiguration::builder().rules(rule).build().map_err(unbuilt)?;
        let ask = cx.s3.put_bucket_encryption().bucket(name).expected_bucket_owner(&cx.account);
        ask.server_side_encryption_configuration(configuration).send().await?;
        Ok(())
    }

    async fn put_versioning(&self, cx: &Cx<'_>, name: &str) -> Result<()> {
        let status = match self.versioning {
            true => BucketVersioningStatus::Enabled,
            false => BucketVersioningStatus::Suspended,
        };
        let ask = cx.s3.put_bucket_versioning().bucket(name).expected_bucket_owner(&cx.account);
        ask.versioning_configuration(VersioningConfiguration::builder().status(status).build()).send().await?;
        Ok(())
    }

    async fn put_lifecycle(&self, cx: &Cx<'_>, name: &str) -> Result<()> {
        let wanted = Lifecycle {
            archive_after_days: self.archive_after_days,
            expire_after_days: self.expire_after_days,
            other_rules: BTreeSet::new(),
        };
        let Some(configuration) = wanted.configuration()? else {
            cx.s3.delete_bucket_lifecycle().bucket(name).expected_bucket_owner(&cx.account).send().await?;
            return Ok(());
        };
        let ask = cx.s3.put_bucket_lifecycle_configuration().bucket(name).expected_bucket_owner(&cx.account);
        let smallest =
            if self.archive_small { TransitionDefaultMinimumObjectSize::VariesByStorageClass } else { LARGE_ONLY };
        let ask = ask.transition_default_minimum_object_size(smallest);
        ask.lifecycle_configuration(configuration).send().await?;
        Ok(())
    }
}

/// How the spec says which key encrypts: the key's ARN or, for S3's own, the name of the algorithm. A null would mean
/// that AWS decides.
mod sse {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    use crate::stack::Out;

    const OF_S3: &str = "AES256";

    pub(super) fn serialize<S: Serializer>(key: &Option<Out<String>>, serializer: S) -> Result<S::Ok, S::Error> {
        match key {
            Some(key) => key.serialize(serializer),
            None => serializer.serialize_str(OF_S3),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Out<String>>, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match value.is_null() || value.as_str() == Some(OF_S3) {
            true => Ok(None),
            false => Out::deserialize(value).map(Some).map_err(D::Error::custom),
        }
    }
}

fn outputs(cx: &Cx<'_>, name: &str) -> BucketOutputs {
    BucketOutputs { bucket_name: name.to_owned(), arn: format!("arn:{}:s3:::{name}", cx.partition) }
}

fn blocks_all(block: &PublicAccessBlockConfiguration) -> bool {
    let parts = [
        block.block_public_acls(),
        block.ignore_public_acls(),
        block.block_public_policy(),
        block.restrict_public_buckets(),
    ];
    parts.iter().all(|part| *part == Some(true))
}

async fn tags_on(cx: &Cx<'_>, name: &str) -> Result<Tags> {
    let tagging = cx.s3.get_bucket_tagging().bucket(name).expected_bucket_owner(&cx.account).send().await;
    let tagging = unless_unset(tagging, "NoSuchTagSet")?;
    Ok(tags::read(tagging.into_iter().flat_map(|found| found.tag_set).map(|tag| (tag.key, tag.value))))
}

fn to_s3(tags: &Tags) -> Result<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(unbuilt)
}

fn check_bucket_name(name: &str) -> std::result::Result<(), String> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let letters = name.chars().all(|c| plain(c) || c == '-' || c == '.') && !name.contains("..");
    let edges = name.starts_with(plain) && name.ends_with(plain);
    if !(3..=63).contains(&name.len()) || !letters || !edges {
        return Err(format!(
            "name is {name:?}; AWS allows 3-63 lower-case letters, digits, hyphens and single dots, a letter or digit \
             first and last"
        ));
    }
    let reserved = RESERVED_STARTS.iter().find(|start| name.starts_with(*start));
    if let Some(part) = reserved.or_else(|| RESERVED_ENDS.iter().find(|end| name.ends_with(*end))) {
        return Err(format!("name is {name:?}; AWS keeps names with {part} for itself"));
    }
    match name.parse::<std::net::Ipv4Addr>() {
        Ok(_) => Err(format!("name is {name:?}; AWS allows no IP address")),
        Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bucket() -> Bucket {
        Bucket {
            name: "student-audit-dev-123456789012".into(),
            kms_key_arn: Some("arn:aws:kms:us-east-1:1:key/k".into()),
            bucket_key: true,
            foreign_keys_blocked: true,
            versioning: true,
            archive_after_days: Some(90),
            archive_small: false,
            expire_after_days: Some(2557),
            other_lifecycle_rules: BTreeSet::new(),
            object_ownership: "BucketOwnerEnforced".into(),
            public_access_blocked: true,
            stays_while_full: true,
            tags: Tags::new(),
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused() {
        assert_eq!(bucket().check(), Ok(()));
        for name in ["ab", "Student", "a_b", "-ab", "a..b", "192.168.1.1", "xn--ab", "audit-s3alias", &"a".repeat(64)] {
            assert!(Bucket { name: name.into(), ..bucket() }.check().is_err(), "{name}");
        }
        for wrong in [
            Bucket { kms_key_arn: None, ..bucket() },
            Bucket { expire_after_days: Some(90), ..bucket() },
            Bucket { expire_after_days: Some(0), archive_after_days: None, ..bucket() },
            Bucket { archive_after_days: Some(0), ..bucket() },
            Bucket { object_ownership: "Nobody".into(), ..bucket() },
            Bucket { other_lifecycle_rules: ["purge".to_owned()].into(), ..bucket() },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn none_is_a_value_that_compares() {
        let bare = Bucket { kms_key_arn: None, archive_after_days: None, expire_after_days: None, ..bucket() };
        let (bare, full) = (serde_json::to_value(bare).unwrap(), serde_json::to_value(bucket()).unwrap());
        assert_eq!((&bare["kms_key_arn"], &bare["expire_after_days"]), (&json!("AES256"), &json!("never")));
        let diff = Diff::between(&bare, &full, &[]);
        assert!(["kms_key_arn", "archive_after_days", "expire_after_days"].iter().all(|field| diff.has(field)));
        let again: Bucket = serde_json::from_value(bare).unwrap();
        assert!(again.kms_key_arn.is_none() && again.archive_after_days.is_none() && again.expire_after_days.is_none());
    }
}
