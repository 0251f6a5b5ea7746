//! The stream of records.

use super::builder::Builder;
use crate::config::StreamMode;
use crate::resource::Tags;
use crate::resources::kinesis::stream::{Mode, Stream};
use crate::resources::kms::Key;
use crate::stack::Node;

impl Builder<'_> {
    /// The stream that records come in by, as the settings say, under this key.
    pub(super) fn stream(&mut self, thing: &str, key: &Node<Key>) -> Node<Stream> {
        let settings = &self.config.stream;
        let (mode, shards) = match settings.mode {
            StreamMode::Provisioned => (Mode::Provisioned, Some(settings.shards)),
            StreamMode::OnDemand => (Mode::OnDemand, None),
        };
        let metrics = [
            "IncomingBytes",
            "IncomingRecords",
            "IteratorAgeMilliseconds",
            "OutgoingBytes",
            "OutgoingRecords",
            "ReadProvisionedThroughputExceeded",
            "WriteProvisionedThroughputExceeded",
        ];
        self.stack.add(
            "stream",
            Stream {
                name: self.name(thing),
                mode,
                shards,
                retention_hours: settings.retention_hours,
                kms_key_id: key.arn(),
                shard_metrics: metrics.map(str::to_owned).into(),
                tags: Tags::new(),
            },
        )
    }
}
