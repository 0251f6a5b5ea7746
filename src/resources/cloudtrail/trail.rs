//! A CloudTrail trail. AWS checks bucket policy, key policy and role at the moment of the call, and a new trail records
//! nothing until it is told to start. Log files keep arriving for a quarter of an hour after it was deleted.

use std::time::Duration;

use aws_sdk_cloudtrail::operation::get_trail_status::GetTrailStatusOutput;
use aws_sdk_cloudtrail::types::{Tag, Trail as AwsTrail};

use super::selectors::{management, record_all_management};
use crate::resource::TAG_REGION;
use crate::resources::prelude::*;
use crate::resources::values::{check_text, key, text};

/// How CloudTrail wants log groups to be named.
const ALL_STREAMS: &str = ":*";

/// A record of every call to AWS.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Trail {
    /// Its name, 3-128 letters, digits, periods, underscores and hyphens.
    pub name: String,
    /// The bucket that log files go to, whose policy must let CloudTrail write.
    pub bucket: Out<String>,
    /// What comes before `AWSLogs` in the names of log files; at most 200 characters. `None`: whatever it is.
    pub key_prefix: Option<String>,
    /// ARN of the key that encrypts log files, whose policy must let CloudTrail use it.
    pub kms_key_arn: Out<String>,
    /// ARN of the log group that events go to as well, without `:*`.
    pub log_group_arn: Out<String>,
    /// ARN of the role that writes there.
    pub role_arn: Out<String>,
    /// Whether it records the calls of every region.
    pub multi_region: bool,
    /// Whether it records the calls of services that have no region, as IAM.
    pub global_service_events: bool,
    /// Whether digests prove later that no log file was changed or removed.
    pub log_file_validation: bool,
    /// Whether it records every management event. Must be true: it is here so that one that leaves some out is seen.
    pub management_events: bool,
    /// Whether it records at all.
    pub logging: bool,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TrailOutputs {
    /// Its name.
    pub trail_name: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<Trail> {
    /// Its name, known once it exists.
    pub fn trail_name(&self) -> Out<String> {
        self.out("trail_name")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Trail {
    type Cloud = Aws;
    type Outputs = TrailOutputs;
    const KIND: &'static str = "cloudtrail.trail";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const SERVES: bool = true;
    const PRECIOUS: Option<&'static str> = Some("the audit record");
    const FORETOLD: &'static [&'static str] = &["trail_name", "arn"];
    /// AWS delivers about every five minutes, and tells how the last delivery ended until the next one has.
    const TRIES_AGAIN: Option<Duration> = Some(Duration::from_secs(900));
    const WAIT: Wait = Wait::seconds(3, 1200, 300);

    fn check(&self) -> std::result::Result<(), String> {
        check_trail_name(&self.name)?;
        check_text("key_prefix", self.key_prefix.as_deref().unwrap_or_default(), 0, 200, |_| true)?;
        if self.multi_region && !self.global_service_events {
            return Err("multi_region is true and global_service_events false; AWS allows no such trail".to_owned());
        }
        match self.management_events {
            true => Ok(()),
            false => Err("management_events is false; a trail that records nothing is none".to_owned()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        match self.read(cx, id.unwrap_or(&self.name)).await.if_present()? {
            None if id.is_none() => Ok(shadow(cx, &self.name).await?.map(|trail| self.of_another_region(&trail))),
            found => Ok(found),
        }
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        cx.cloudtrail
            .create_trail()
            .name(&self.name)
            .s3_bucket_name(self.bucket.get()?)
            .set_s3_key_prefix(self.key_prefix.clone())
            .kms_key_id(self.kms_key_arn.get()?)
            .cloud_watch_logs_log_group_arn(format!("{}{ALL_STREAMS}", self.log_group_arn.get()?))
            .cloud_watch_logs_role_arn(self.role_arn.get()?)
            .is_multi_region_trail(self.multi_region)
            .include_global_service_events(self.global_service_events)
            .enable_log_file_validation(self.log_file_validation)
            .set_tags_list(Some(to_cloudtrail(&self.tags)?))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let name = &observed.id;
        let elsewhere = ["logging", "management_events", "tags"];
        // Without any difference it could not deliver; AWS says why to whoever writes the settings again.
        if diff.is_empty() || diff.changes.iter().any(|change| !elsewhere.contains(&change.field())) {
            self.write(cx, name).await?;
        }
        if diff.has("management_events") {
            cx.cloudtrail.put_event_selectors().trail_name(name).event_selectors(management()).send().await?;
        }
        if diff.has("tags") {
            self.retag(cx, observed).await?;
        }
        if diff.has("logging") {
            match self.logging {
                true => drop(cx.cloudtrail.start_logging().name(name).send().await?),
                false => drop(cx.cloudtrail.stop_logging().name(name).send().await?),
            }
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.cloudtrail.delete_trail().name(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "cloudtrail", "trail/", index::by_rest).await
    }
}

impl Trail {
    /// The trail as it is; a fault of class absent where there is none.
    async fn read(&self, cx: &Cx<'_>, name: &str) -> Result<Observed<Self>> {
        let trail = cx.cloudtrail.get_trail().name(name).send().await?.trail.always("trail")?;
        if is_shadow(cx, &trail) {
            return Ok(self.of_another_region(&trail));
        }
        let arn = trail.trail_arn().always("trail ARN")?.to_owned();
        let status = cx.cloudtrail.get_trail_status().name(name).send().await?;
        let selectors = cx.cloudtrail.get_event_selectors().trail_name(name).send().await?;
        let live = Trail {
            management_events: record_all_management(&selectors),
            logging: status.is_logging().unwrap_or_default(),
            tags: trail_tags(cx, &arn).await?,
            ..self.settings(&trail)
        };
        let outputs = TrailOutputs { trail_name: text(trail.name()), arn };
        Ok(Observed::ready(text(trail.name()), live, outputs).in_phase(phase(&status)))
    }

    /// A trail that is in this region as a shadow. Its tags are to be had in its home region only, which it tells.
    fn of_another_region(&self, trail: &AwsTrail) -> Observed<Self> {
        let home = text(trail.home_region());
        let mut live = self.settings(trail);
        live.tags.insert(TAG_REGION.to_owned(), home.clone());
        let outputs = TrailOutputs { trail_name: text(trail.name()), arn: text(trail.trail_arn()) };
        let observed = Observed::ready(text(trail.name()), live, outputs);
        Observed { foreign: Some(format!("it is the trail of region {home}")), ..observed }
    }

    /// The part that one call writes and one call reads.
    fn settings(&self, trail: &AwsTrail) -> Self {
        let log_group = trail.cloud_watch_logs_log_group_arn().unwrap_or_default().trim_end_matches(ALL_STREAMS);
        Trail {
            name: text(trail.name()),
            bucket: text(trail.s3_bucket_name()).into(),
            key_prefix: Some(text(trail.s3_key_prefix())),
            kms_key_arn: key(&self.kms_key_arn, trail.kms_key_id()),
            log_group_arn: log_group.into(),
            role_arn: text(trail.cloud_watch_logs_role_arn()).into(),
            multi_region: trail.is_multi_region_trail().unwrap_or_default(),
            global_service_events: trail.include_global_service_events().unwrap_or_default(),
            log_file_validation: trail.log_file_validation_enabled().unwrap_or_default(),
            ..self.clone()
        }
    }

    async fn write(&self, cx: &Cx<'_>, name: &str) -> Result<()> {
        cx.cloudtrail
            .update_trail()
            .name(name)
            .s3_bucket_name(self.bucket.get()?)
            .set_s3_key_prefix(self.key_prefix.clone())
            .kms_key_id(self.kms_key_arn.get()?)
            .cloud_watch_logs_log_group_arn(format!("{}{ALL_STREAMS}", self.log_group_arn.get()?))
            .cloud_watch_logs_role_arn(self.role_arn.get()?)
            .is_multi_region_trail(self.multi_region)
            .include_global_service_events(self.global_service_events)
            .enable_log_file_validation(self.log_file_validation)
            .send()
            .await?;
        Ok(())
    }

    async fn retag(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let arn = &observed.outputs.arn;
        let (set, remove) = tags::changes(&self.tags, &observed.live.tags);
        if !remove.is_empty() {
            let remove = remove.iter().map(|key| Tag::builder().key(key).build()).collect::<Result<Vec<_>, _>>();
            let remove = remove.map_err(|error| Fault::invalid(error.to_string()))?;
            cx.cloudtrail.remove_tags().resource_id(arn).set_tags_list(Some(remove)).send().await?;
        }
        if !set.is_empty() {
            cx.cloudtrail.add_tags().resource_id(arn).set_tags_list(Some(to_cloudtrail(&set)?)).send().await?;
        }
        Ok(())
    }
}

/// A trail that cannot deliver loses the record of what happens meanwhile.
fn phase(status: &GetTrailStatusOutput) -> Phase {
    let failure = |place, error: Option<&str>| {
        let error = error.filter(|error| !error.is_empty())?;
        Some(Phase::Failed(format!("delivery to {place} fails: {error}; AWS shows this until the next one succeeds")))
    };
    let logging = status.is_logging().unwrap_or_default();
    failure("the bucket", status.latest_delivery_error())
        .or_else(|| failure("the log group", status.latest_cloud_watch_logs_delivery_error()))
        .filter(|_| logging)
        .unwrap_or(Phase::Ready)
}

/// Whether a trail is here only because it records all regions: another is its home.
fn is_shadow(cx: &Cx<'_>, trail: &AwsTrail) -> bool {
    trail.home_region().is_some_and(|home| home != cx.region)
}

/// The shadow of this name, if there is one. By name alone AWS tells of the trails of this region only.
async fn shadow(cx: &Cx<'_>, name: &str) -> Result<Option<AwsTrail>> {
    let answer = cx.cloudtrail.describe_trails().include_shadow_trails(true).send().await?;
    let mut trails = answer.trail_list.unwrap_or_default().into_iter();
    Ok(trails.find(|trail| trail.name() == Some(name) && is_shadow(cx, trail)))
}

async fn trail_tags(cx: &Cx<'_>, arn: &str) -> Result<Tags> {
    let pages = cx.cloudtrail.list_tags().resource_id_list(arn).into_paginator().items().send();
    let lists = pages.collect::<Result<Vec<_>, _>>().await?;
    let found = lists.into_iter().flat_map(|list| list.tags_list.unwrap_or_default());
    Ok(tags::read(found.map(|tag| (tag.key, tag.value.unwrap_or_default()))))
}

fn to_cloudtrail(tags: &Tags) -> Result<Vec<Tag>> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    tags.collect::<Result<_, _>>().map_err(|error| Fault::invalid(error.to_string()))
}

fn check_trail_name(name: &str) -> std::result::Result<(), String> {
    let mark = |c: char| "._-".contains(c);
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || mark(c));
    let adjacent = name.as_bytes().windows(2).any(|pair| pair.iter().all(|byte| mark((*byte).into())));
    let edges = !name.starts_with(mark) && !name.ends_with(mark);
    let address = name.parse::<std::net::Ipv4Addr>().is_ok();
    if (3..=128).contains(&name.len()) && letters && edges && !adjacent && !address {
        return Ok(());
    }
    Err(format!(
        "name is {name:?}; AWS allows 3-128 letters, digits and ._-, none of these three at an end or beside another, \
         and no IP address"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail() -> Trail {
        Trail {
            name: "student-trail-dev".into(),
            bucket: "student-audit-dev".into(),
            key_prefix: None,
            kms_key_arn: "arn:aws:kms:us-east-1:1:key/k".into(),
            log_group_arn: "arn:aws:logs:us-east-1:1:log-group:audit".into(),
            role_arn: "arn:aws:iam::1:role/r".into(),
            multi_region: true,
            global_service_events: true,
            log_file_validation: true,
            management_events: true,
            logging: true,
            tags: Tags::new(),
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused() {
        assert_eq!(trail().check(), Ok(()));
        for name in ["ab", "a b c", "-abc", "abc.", "ab--cd", "192.168.5.4", &"a".repeat(129)] {
            assert!(Trail { name: name.into(), ..trail() }.check().is_err(), "{name}");
        }
        assert!(Trail { global_service_events: false, ..trail() }.check().is_err());
        assert!(Trail { management_events: false, ..trail() }.check().is_err());
        assert!(Trail { key_prefix: Some("p".repeat(201)), ..trail() }.check().is_err());
    }

    #[test]
    fn a_trail_that_cannot_deliver_has_failed_while_it_records() {
        let status = GetTrailStatusOutput::builder().latest_delivery_error("AccessDenied");
        let words = |place: &str| {
            Phase::Failed(format!(
                "delivery to {place} fails: AccessDenied; AWS shows this until the next one succeeds"
            ))
        };
        assert_eq!(phase(&status.clone().is_logging(true).build()), words("the bucket"));
        assert_eq!(phase(&status.is_logging(false).build()), Phase::Ready);
        let status = GetTrailStatusOutput::builder().is_logging(true);
        assert_eq!(phase(&status.clone().latest_delivery_error("").build()), Phase::Ready);
        let failed = phase(&status.latest_cloud_watch_logs_delivery_error("AccessDenied").build());
        assert_eq!(failed, words("the log group"));
    }
}
