//! A Kinesis data stream. It is created bare; encryption, retention, shards and metrics follow one at a time, each of
//! them needs the stream active and makes it update again.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_kinesis::operation::list_stream_consumers::ListStreamConsumersOutput;
use aws_sdk_kinesis::types::{
    ConsumerStatus, EncryptionType, MetricsName, ScalingType, StreamDescriptionSummary, StreamMode, StreamModeDetails,
    StreamStatus,
};

use crate::resources::prelude::*;
use crate::resources::values::{check_range, key};

/// What `ALL` stands for. AWS answers with the names, so specs give the names.
const METRICS: [&str; 7] = [
    "IncomingBytes",
    "IncomingRecords",
    "IteratorAgeMilliseconds",
    "OutgoingBytes",
    "OutgoingRecords",
    "ReadProvisionedThroughputExceeded",
    "WriteProvisionedThroughputExceeded",
];

/// Who decides on the number of shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// The spec.
    Provisioned,
    /// AWS.
    OnDemand,
}

/// A stream of records, in order within each partition key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stream {
    /// Its name, 1-128 letters, digits and `_.-`.
    pub name: String,
    /// Who decides on the number of shards. AWS allows two switches a day.
    pub mode: Mode,
    /// Open shards, for a provisioned stream. `None`: AWS decides.
    pub shards: Option<i32>,
    /// Hours that records are kept, 24-8760.
    pub retention_hours: i32,
    /// The key that encrypts records.
    pub kms_key_id: Out<String>,
    /// The metrics that each shard reports.
    pub shard_metrics: BTreeSet<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StreamOutputs {
    /// Its name.
    pub stream_name: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<Stream> {
    /// Its name, known once it exists.
    pub fn stream_name(&self) -> Out<String> {
        self.out("stream_name")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for Stream {
    type Cloud = Aws;
    type Outputs = StreamOutputs;
    const KIND: &'static str = "kinesis.stream";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const STATEFUL: bool = true;
    const WAY_BACK: WayBack =
        WayBack::Otherwise("AWS has no backups of a stream; its records can be read again until they are too old");
    const FORETOLD: &'static [&'static str] = &["stream_name", "arn"];
    const WAIT: Wait = Wait::seconds(3, 3600, 600).usually(30, 30);

    fn check(&self) -> std::result::Result<(), String> {
        let letter = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if !(1..=128).contains(&self.name.len()) || !self.name.chars().all(letter) {
            return Err(format!("name is {:?}; AWS allows 1-128 letters, digits and _.-", self.name));
        }
        check_range("retention_hours", self.retention_hours, 24, 8760)?;
        if let Some(metric) = self.shard_metrics.iter().find(|metric| !METRICS.contains(&metric.as_str())) {
            return Err(format!("shard_metrics has {metric:?}; allowed are {}", METRICS.join(", ")));
        }
        match (self.mode, self.shards) {
            (Mode::Provisioned, Some(1..)) | (Mode::OnDemand, None) => Ok(()),
            (Mode::Provisioned, _) => Err("shards is missing or below 1; a provisioned stream needs one".to_owned()),
            (Mode::OnDemand, Some(shards)) => Err(format!("shards is {shards}; AWS decides in on-demand mode")),
        }
    }

    fn loses(&self, live: &Self) -> Option<Loss> {
        Loss::of_shorter("records", "hours", self.retention_hours, live.retention_hours)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let name = id.unwrap_or(&self.name);
        let ask = cx.kinesis.describe_stream_summary().stream_name(name);
        let Some(answer) = ask.send().await.if_present()? else { return Ok(None) };
        let stream = answer.stream_description_summary.always("stream")?;
        let Some(tags) = stream_tags(cx, name).await.if_present()? else { return Ok(None) };
        let live = self.live(&stream, tags);
        let phase = match &stream.stream_status {
            StreamStatus::Active => Phase::Ready,
            // One that scales itself does so in full use.
            StreamStatus::Updating if self.scales_itself_as(&live) => Phase::Ready,
            StreamStatus::Deleting => Phase::Deleting,
            status => Phase::Pending(status.as_str().to_owned()),
        };
        let outputs = StreamOutputs { stream_name: stream.stream_name.clone(), arn: stream.stream_arn.clone() };
        let made = stream.stream_creation_timestamp.to_string();
        Ok(Some(Observed::ready(name, live, outputs).in_phase(phase).known_by(made)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        cx.kinesis
            .create_stream()
            .stream_name(&self.name)
            .stream_mode_details(mode_details(self.mode)?)
            .set_shard_count(self.shards)
            .set_tags(Some(self.tags.clone().into_iter().collect()))
            .send()
            .await?;
        Ok(self.name.clone())
    }

    /// The first change only: each makes the stream update, which refuses the next. What AWS may refuse goes first.
    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let (name, live) = (&observed.id, &observed.live);
        if diff.has("kms_key_id") {
            let ask = cx.kinesis.start_stream_encryption().stream_name(name).encryption_type(EncryptionType::Kms);
            ask.key_id(self.kms_key_id.get()?).send().await?;
        } else if diff.has("mode") {
            let ask = cx.kinesis.update_stream_mode().stream_arn(&observed.outputs.arn);
            ask.stream_mode_details(mode_details(self.mode)?).send().await?;
        } else if let Some(shards) = self.shards.filter(|_| diff.has("shards")) {
            let ask = cx.kinesis.update_shard_count().stream_name(name).scaling_type(ScalingType::UniformScaling);
            ask.target_shard_count(next_count(live.shards.unwrap_or(1), shards)).send().await?;
        } else if diff.has("retention_hours") {
            self.set_retention(cx, name, live.retention_hours).await?;
        } else if diff.has("shard_metrics") {
            self.set_metrics(cx, name, &live.shard_metrics).await?;
        } else if diff.has("tags") {
            retag(cx, name, &self.tags, &live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase == Phase::Deleting {
            return Ok(());
        }
        // Those who have registered as consumers are others, and would be unregistered along with it.
        let ask = cx.kinesis.delete_stream().stream_name(&observed.id).enforce_consumer_deletion(false);
        ask.send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let pages = cx.kinesis.list_stream_consumers().stream_arn(&observed.outputs.arn).into_paginator().send();
        let pages: Vec<ListStreamConsumersOutput> = pages.try_collect().await.if_present()?.unwrap_or_default();
        let all = pages.iter().flat_map(|page| page.consumers());
        let stays = all.filter(|consumer| consumer.consumer_status != ConsumerStatus::Deleting);
        Ok(stays.map(|consumer| Holder::by_itself(format!("the consumer {}", consumer.consumer_name))).collect())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "kinesis", "stream/", index::by_rest).await
    }
}

impl Stream {
    fn live(&self, stream: &StreamDescriptionSummary, tags: Tags) -> Self {
        let mode = match stream.stream_mode_details().map(|details| details.stream_mode()) {
            Some(StreamMode::OnDemand) => Mode::OnDemand,
            _ => Mode::Provisioned,
        };
        let encrypted = stream.encryption_type() == Some(&EncryptionType::Kms);
        let metrics = stream.enhanced_monitoring().iter().flat_map(|metrics| metrics.shard_level_metrics());
        Stream {
            name: stream.stream_name.clone(),
            mode,
            shards: Some(stream.open_shard_count).filter(|_| mode == Mode::Provisioned),
            retention_hours: stream.retention_period_hours,
            kms_key_id: key(&self.kms_key_id, stream.key_id().filter(|_| encrypted)),
            shard_metrics: spelled_out(metrics),
            tags,
        }
    }

    /// Whether AWS decides on the shards, and nothing that it was asked for is still to come.
    fn scales_itself_as(&self, live: &Self) -> bool {
        let kept = |stream: &Self| (stream.mode, stream.retention_hours);
        live.mode == Mode::OnDemand
            && kept(live) == kept(self)
            && live.kms_key_id == self.kms_key_id
            && live.shard_metrics == self.shard_metrics
    }

    async fn set_retention(&self, cx: &Cx<'_>, name: &str, live: i32) -> Result<()> {
        let hours = self.retention_hours;
        if hours > live {
            let ask = cx.kinesis.increase_stream_retention_period().stream_name(name);
            ask.retention_period_hours(hours).send().await?;
        } else {
            let ask = cx.kinesis.decrease_stream_retention_period().stream_name(name);
            ask.retention_period_hours(hours).send().await?;
        }
        Ok(())
    }

    async fn set_metrics(&self, cx: &Cx<'_>, name: &str, live: &BTreeSet<String>) -> Result<()> {
        let missing: Vec<MetricsName> = self.shard_metrics.difference(live).map(|name| to_metric(name)).collect();
        if missing.is_empty() {
            let unexpected = live.difference(&self.shard_metrics).map(|name| to_metric(name)).collect();
            let ask = cx.kinesis.disable_enhanced_monitoring().stream_name(name);
            ask.set_shard_level_metrics(Some(unexpected)).send().await?;
        } else {
            let ask = cx.kinesis.enable_enhanced_monitoring().stream_name(name);
            ask.set_shard_level_metrics(Some(missing)).send().await?;
        }
        Ok(())
    }
}

/// The numbers of shards on the way from one to another, the last included.
pub fn steps(live: i32, want: i32) -> Vec<i32> {
    let next = |count: &i32| (*count != want).then(|| next_count(*count, want));
    std::iter::successors(Some(live.max(1)), next).skip(1).collect()
}

/// The number of shards nearest to the wanted one that AWS allows in one step: at most double, at least half.
fn next_count(live: i32, want: i32) -> i32 {
    want.clamp((live + 1) / 2, live.saturating_mul(2))
}

fn to_metric(name: &str) -> MetricsName {
    MetricsName::from(name)
}

fn spelled_out<'a>(metrics: impl Iterator<Item = &'a MetricsName>) -> BTreeSet<String> {
    let named: BTreeSet<String> = metrics.map(|metric| metric.as_str().to_owned()).collect();
    match named.contains(MetricsName::All.as_str()) {
        true => METRICS.iter().map(|metric| (*metric).to_owned()).collect(),
        false => named,
    }
}

fn mode_details(mode: Mode) -> Result<StreamModeDetails> {
    let mode = match mode {
        Mode::Provisioned => StreamMode::Provisioned,
        Mode::OnDemand => StreamMode::OnDemand,
    };
    StreamModeDetails::builder().stream_mode(mode).build().map_err(|error| Fault::invalid(error.to_string()))
}

async fn stream_tags(cx: &Cx<'_>, name: &str) -> Result<Tags> {
    let mut pairs: BTreeMap<String, String> = BTreeMap::new();
    let mut last = None;
    loop {
        let ask = cx.kinesis.list_tags_for_stream().stream_name(name).set_exclusive_start_tag_key(last);
        let answer = ask.send().await?;
        last = answer.tags.last().map(|tag| tag.key.clone());
        pairs.extend(answer.tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())));
        if !answer.has_more_tags || last.is_none() {
            return Ok(tags::read(pairs));
        }
    }
}

async fn retag(cx: &Cx<'_>, name: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.kinesis.remove_tags_from_stream().stream_name(name).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        let set = set.into_iter().collect();
        cx.kinesis.add_tags_to_stream().stream_name(name).set_tags(Some(set)).send().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_at_most_double_or_halve_in_one_step() {
        for (live, want, next) in [(1, 8, 2), (2, 3, 3), (8, 1, 4), (5, 1, 3), (3, 3, 3), (1, 1, 1)] {
            assert_eq!(next_count(live, want), next, "{live} {want}");
        }
    }

    #[test]
    fn the_way_to_a_number_of_shards_ends_there() {
        assert_eq!(steps(3, 20), [6, 12, 20]);
        assert_eq!(steps(9, 1), [5, 3, 2, 1]);
        assert_eq!(steps(4, 4), [0; 0]);
    }

    #[test]
    fn all_metrics_are_told_by_name() {
        assert_eq!(spelled_out([MetricsName::All].iter()).len(), METRICS.len());
        assert_eq!(spelled_out([MetricsName::IncomingBytes].iter()).len(), 1);
    }
}
