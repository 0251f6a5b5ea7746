//! GuardDuty's detector, of which a region has one, whoever made it. How stacks come and go is told in
//! [`crate::aws::sharing`]; the last removes it, but only if tapctl made it. What others made keeps its pace and every
//! feature it has.

use std::collections::BTreeMap;

use aws_sdk_guardduty::operation::get_detector::GetDetectorOutput;
use aws_sdk_guardduty::types::{
    DetectorFeature, DetectorFeatureConfiguration, DetectorStatus, FeatureStatus, FindingPublishingFrequency,
};

use crate::aws::sharing;
use crate::error::Class;
use crate::resource::Owner;
use crate::resources::prelude::*;

/// What GuardDuty can look at besides what it always looks at: a stack says of each whether it wants it.
const FEATURES: [&str; 8] = [
    "AI_ANALYST",
    "AI_PROTECTION",
    "EBS_MALWARE_PROTECTION",
    "EKS_AUDIT_LOGS",
    "LAMBDA_NETWORK_LOGS",
    "RDS_LOGIN_EVENTS",
    "RUNTIME_MONITORING",
    "S3_DATA_EVENTS",
];

/// What it always looks at: the trail, the flow logs and the name queries.
const ALWAYS: [&str; 3] = ["CLOUD_TRAIL", "DNS_LOGS", "FLOW_LOGS"];

/// What watches a region, and this stack's share in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Detector {
    /// How soon a finding that is seen again is told: `FIFTEEN_MINUTES`, `ONE_HOUR` or `SIX_HOURS`.
    pub finding_publishing_frequency: String,
    /// Every feature that is known here, and whether it is on. AWS turns on what is not named, and thinks of more: what it
    /// turned on and nobody named is told too, and turned off. One that the region does not have is as it should be.
    pub features: BTreeMap<String, bool>,
    /// Whether it works at all. Always true in a spec.
    pub enabled: bool,
    /// Whether this stack's tag is on it. Always true in a spec.
    pub joined: bool,
    /// Further tags that whoever makes it puts on it. They are nobody's to change afterwards.
    #[serde(default)]
    pub tags_when_made: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DetectorOutputs {
    /// Its id.
    pub detector_id: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<Detector> {
    /// Its id.
    pub fn detector_id(&self) -> Out<String> {
        self.out("detector_id")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Detector {
    type Cloud = Aws;
    type Outputs = DetectorOutputs;
    const KIND: &'static str = "guardduty.detector";
    const WITNESSES: &'static [&'static str] = &["tags_when_made"];
    const SHARED: bool = true;
    const WAIT: Wait = Wait::seconds(5, 300, 300);

    fn check(&self) -> std::result::Result<(), String> {
        let frequency = &self.finding_publishing_frequency;
        if !["FIFTEEN_MINUTES", "ONE_HOUR", "SIX_HOURS"].contains(&frequency.as_str()) {
            return Err(format!(
                "finding_publishing_frequency is {frequency:?}; AWS allows FIFTEEN_MINUTES, ONE_HOUR, SIX_HOURS"
            ));
        }
        match self.features.keys().map(String::as_str).eq(FEATURES) {
            true => Ok(()),
            false => Err(format!("features must name all of {}, and no other", FEATURES.join(", "))),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let id = match id {
            Some(id) => id.to_owned(),
            None => match cx.guardduty.list_detectors().send().await?.detector_ids.unwrap_or_default().pop() {
                Some(id) => id,
                None => return Ok(None),
            },
        };
        let found = cx.guardduty.get_detector().detector_id(&id).send().await.if_present()?;
        let Some(found) = found else { return Ok(None) };
        let outputs = DetectorOutputs { arn: arn(cx, &id), detector_id: id.clone() };
        let administrator = administrator(cx.cloud, &id).await?;
        let leaving = sharing::others_leave(cx.owner, &tags_of(&found), cx.now());
        let phase = leaving.map_or(Phase::Ready, Phase::Pending);
        Ok(Some(Observed::ready(id, self.live(cx, &found, administrator.is_some()), outputs).in_phase(phase)))
    }

    /// Where a feature is refused, the region does not have it: all that it has are on then, and an update turns off those that
    /// are not wanted.
    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        match self.make(cx, Some(self.features())).await {
            Err(fault) if fault.code == "BadRequestException" && names_a_feature(&fault.message) => {
                self.make(cx, None).await
            }
            made => made,
        }
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let id = &observed.id;
        if diff.has("joined") {
            join(cx, id).await?;
        }
        if diff.has_any(&["enabled", "features", "finding_publishing_frequency"]) {
            let live = &observed.live.features;
            let wanted = |name: &str| self.features.get(name).copied().unwrap_or_default();
            let differing = live.iter().filter(|(name, on)| wanted(name) != **on);
            let features: Vec<_> = differing.map(|(name, _)| configured(name, wanted(name))).collect();
            let faster = diff.has("finding_publishing_frequency").then(|| self.frequency());
            cx.guardduty
                .update_detector()
                .detector_id(id)
                .enable(true)
                .set_finding_publishing_frequency(faster)
                .set_features(Some(features).filter(|features| !features.is_empty()))
                .send()
                .await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let id = &observed.id;
        if leave(cx, id).await? && administrator(cx.cloud, id).await?.is_none() {
            cx.guardduty.delete_detector().detector_id(id).send().await.if_present()?;
        }
        Ok(())
    }
}

impl Detector {
    async fn make(&self, cx: &Cx<'_>, features: Option<Vec<DetectorFeatureConfiguration>>) -> Result<String> {
        let made = cx
            .guardduty
            .create_detector()
            .enable(true)
            .client_token(cx.owner.token())
            .finding_publishing_frequency(self.frequency())
            .set_features(features)
            .set_tags(Some(self.tags_when_made.clone().into_iter().collect()))
            .tags(tags::MADE_HERE.0, tags::MADE_HERE.1)
            .tags(tags::user(cx.owner), sharing::STAYS)
            .send()
            .await?;
        made.detector_id.always("detector id")
    }

    /// What others made may do more than this stack asks for, and what an organisation runs is the organisation's alone.
    fn live(&self, cx: &Cx<'_>, found: &GetDetectorOutput, given: bool) -> Self {
        let tags = tags_of(found);
        let joined = sharing::has_joined(cx.owner, &tags);
        if given {
            return Detector { joined, ..self.clone() };
        }
        let ours = tags.get(tags::MADE_HERE.0).map(String::as_str) == Some(tags::MADE_HERE.1);
        let frequency = found.finding_publishing_frequency().map_or("", FindingPublishingFrequency::as_str);
        Detector {
            finding_publishing_frequency: match ours {
                true => frequency.to_owned(),
                false => self.finding_publishing_frequency.clone(),
            },
            features: self.live_features(found, ours),
            enabled: found.status() == Some(&DetectorStatus::Enabled),
            joined,
            tags_when_made: self.tags_when_made.clone(),
        }
    }

    fn live_features(&self, found: &GetDetectorOutput, ours: bool) -> BTreeMap<String, bool> {
        let listed = found.features().iter();
        let listed =
            listed.filter_map(|feature| Some((feature.name()?.as_str(), feature.status()? == &FeatureStatus::Enabled)));
        let listed: BTreeMap<&str, bool> = listed.collect();
        let feature = |(name, want): (&String, &bool)| {
            let on = listed.get(name.as_str()).map_or(*want, |on| *on && (ours || *want));
            (name.clone(), on)
        };
        let mut features: BTreeMap<String, bool> = self.features.iter().map(feature).collect();
        let unasked = |name: &str| ours && !ALWAYS.contains(&name) && !self.features.contains_key(name);
        features.extend(
            listed.iter().filter(|(name, on)| **on && unasked(name)).map(|(name, _)| ((*name).to_owned(), true)),
        );
        features
    }

    fn frequency(&self) -> FindingPublishingFrequency {
        FindingPublishingFrequency::from(self.finding_publishing_frequency.as_str())
    }

    fn features(&self) -> Vec<DetectorFeatureConfiguration> {
        self.features.iter().map(|(name, on)| configured(name, *on)).collect()
    }
}

fn configured(name: &str, on: bool) -> DetectorFeatureConfiguration {
    let status = if on { FeatureStatus::Enabled } else { FeatureStatus::Disabled };
    DetectorFeatureConfiguration::builder().name(DetectorFeature::from(name)).status(status).build()
}

/// Which words AWS refuses a feature with is nowhere written.
fn names_a_feature(message: &str) -> bool {
    message.to_lowercase().contains("feature") || FEATURES.iter().any(|name| message.contains(name))
}

/// The account that runs GuardDuty here, where it is an organisation's: a member's detector is not its own to change, and what
/// it changed comes back. `None` also where it is not permitted to ask.
///
/// # Errors
/// Where AWS does not tell.
pub async fn administrator(aws: &Aws, id: &str) -> Result<Option<String>> {
    match aws.guardduty.get_administrator_account().detector_id(id).send().await.if_present() {
        Err(fault) if fault.class == Class::Denied => Ok(None),
        answer => {
            let administrator = answer?.and_then(|answer| answer.administrator);
            let runs = administrator.filter(|found| found.relationship_status() == Some("Enabled"));
            Ok(runs.and_then(|found| found.account_id))
        }
    }
}

async fn tags_on(aws: &Aws, id: &str) -> Result<Option<Tags>> {
    let found = aws.guardduty.get_detector().detector_id(id).send().await.if_present()?;
    Ok(found.map(|found| tags_of(&found)))
}

/// Why the detector cannot take the tag of this stack, where that is so.
///
/// # Errors
/// Where AWS does not tell.
pub async fn no_room(aws: &Aws, owner: &Owner, id: &str) -> Result<Option<String>> {
    let tags = tags_on(aws, id).await?.unwrap_or_default();
    Ok(sharing::is_full(owner, &tags)
        .map(|why| format!("the detector {id} cannot be shared with one more stack: {why}")))
}

async fn join(cx: &Cx<'_>, id: &str) -> Result<()> {
    if let Some(why) = no_room(cx.cloud, cx.owner, id).await? {
        return Err(Fault::new(Class::Quota, "TooManyTags", why));
    }
    cx.guardduty.tag_resource().resource_arn(arn(cx, id)).tags(tags::user(cx.owner), sharing::STAYS).send().await?;
    Ok(())
}

/// Says that the stack which this call is made for is leaving, and tells whether no other stays. Where none does, the mark
/// holds off who would join until the detector is gone.
async fn leave(cx: &Cx<'_>, id: &str) -> Result<bool> {
    let (arn, user) = (arn(cx, id), tags::user(cx.owner));
    let mark = cx.guardduty.tag_resource().resource_arn(&arn).tags(&user, sharing::leaves(cx.now()));
    if mark.send().await.if_present()?.is_none() {
        return Ok(false);
    }
    let Some(tags) = tags_on(cx.cloud, id).await? else { return Ok(false) };
    let last = sharing::is_last(cx.owner, &tags);
    if !last {
        let ours = Some(tags::users(cx.owner).into());
        cx.guardduty.untag_resource().resource_arn(&arn).set_tag_keys(ours).send().await.if_present()?;
    }
    Ok(last)
}

fn arn(cx: &Cx<'_>, id: &str) -> String {
    cx.arn("guardduty", &format!("detector/{id}"))
}

fn tags_of(found: &GetDetectorOutput) -> Tags {
    tags::read(found.tags().cloned().unwrap_or_default())
}
