//! Flow logs of a VPC, written to a CloudWatch log group. Both calls answer success even where they failed, nothing but
//! tags can be changed, and that delivery fails shows only minutes later, and for ever: what was mended since helps none but
//! a new one.

use aws_sdk_ec2::operation::RequestId;
use aws_sdk_ec2::types::{
    Filter, FlowLog as Ec2FlowLog, FlowLogsResourceType, LogDestinationType, ResourceType, Tag, TrafficType,
};

use super::{Described, find, refuse_unsuccessful, retag};
use crate::resources::prelude::*;

/// A record of a VPC's traffic.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowLog {
    /// The VPC whose traffic is recorded.
    pub resource_id: Out<String>,
    /// `ALL`, `ACCEPT` or `REJECT`.
    pub traffic_type: String,
    /// The name of the log group it goes to.
    pub log_group_name: Out<String>,
    /// The ARN of the role that writes there.
    pub role_arn: Out<String>,
    /// Seconds of traffic in one record, at most: 60 or 600.
    pub max_aggregation_interval: i32,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FlowLogOutputs {
    /// The flow log's id.
    pub flow_log_id: String,
}

impl Node<FlowLog> {
    /// The flow log's id.
    pub fn flow_log_id(&self) -> Out<String> {
        self.out("flow_log_id")
    }
}

impl Described for Ec2FlowLog {
    const ID_FILTER: &'static str = "flow-log-id";

    fn id(&self) -> &str {
        self.flow_log_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        let pages = cx.ec2.describe_flow_logs().set_filter(Some(filters)).into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    }
}

impl Resource for FlowLog {
    type Cloud = Aws;
    type Outputs = FlowLogOutputs;
    const KIND: &'static str = "ec2.flow_log";
    const TWINS: bool = true;
    const IMMUTABLE: &'static [&'static str] =
        &["resource_id", "traffic_type", "log_group_name", "role_arn", "max_aggregation_interval"];
    const RECREATE_FAILED: bool = true;
    const WAIT: Wait = Wait::seconds(3, 300, 300);

    fn check(&self) -> std::result::Result<(), String> {
        if !["ALL", "ACCEPT", "REJECT"].contains(&self.traffic_type.as_str()) {
            return Err(format!("traffic_type is {:?}; AWS allows ALL, ACCEPT and REJECT", self.traffic_type));
        }
        match self.max_aggregation_interval {
            60 | 600 => Ok(()),
            seconds => Err(format!("max_aggregation_interval is {seconds}; AWS allows 60 and 600")),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Ec2FlowLog>(cx, id).await?;
        found.sort_by_key(|log| log.creation_time().copied());
        let mut found = found.into_iter();
        let Some(log) = found.next() else { return Ok(None) };
        let live = FlowLog {
            resource_id: log.resource_id().unwrap_or_default().into(),
            traffic_type: log.traffic_type().map_or("", |kind| kind.as_str()).to_owned(),
            log_group_name: log.log_group_name().unwrap_or_default().into(),
            role_arn: log.deliver_logs_permission_arn().unwrap_or_default().into(),
            max_aggregation_interval: log.max_aggregation_interval().unwrap_or_default(),
            tags: tags::from_ec2(log.tags()),
        };
        let outputs = FlowLogOutputs { flow_log_id: log.id().to_owned() };
        let mut observed = Observed::ready(log.id(), live, outputs).in_phase(phase(&log));
        observed.duplicates = found.map(|log| log.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .ec2
            .create_flow_logs()
            .client_token(cx.owner.token())
            .resource_type(FlowLogsResourceType::Vpc)
            .resource_ids(self.resource_id.get()?)
            .traffic_type(TrafficType::from(self.traffic_type.as_str()))
            .log_destination_type(LogDestinationType::CloudWatchLogs)
            .log_group_name(self.log_group_name.get()?)
            .deliver_logs_permission_arn(self.role_arn.get()?)
            .max_aggregation_interval(self.max_aggregation_interval)
            .tag_specifications(tags::ec2_spec(ResourceType::VpcFlowLog, &self.tags))
            .send()
            .await?;
        refuse_unsuccessful("ec2:CreateFlowLogs", made.unsuccessful(), made.request_id())?;
        made.flow_log_ids().first().cloned().always("flow log id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let call = cx.ec2.delete_flow_logs().flow_log_ids(&observed.id);
        let Some(answer) = call.send().await.if_present()? else { return Ok(()) };
        refuse_unsuccessful("ec2:DeleteFlowLogs", answer.unsuccessful(), answer.request_id()).if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Ec2FlowLog>(cx).await
    }
}

/// A message may come without a status. That too much came at once passes, and a new flow log would lose what is under way.
fn phase(log: &Ec2FlowLog) -> Phase {
    let message = log.deliver_logs_error_message().filter(|message| !message.is_empty());
    let failure = match (log.deliver_logs_status(), message) {
        (Some("SUCCESS"), _) => None,
        (_, Some(message)) => Some(message).filter(|message| !message.eq_ignore_ascii_case("Rate limited")),
        (status, None) => status.filter(|status| *status == "FAILED").map(|_| "no message"),
    };
    if let Some(message) = failure {
        return Phase::Failed(format!("delivery FAILED: {message}"));
    }
    match log.flow_log_status() {
        Some("ACTIVE") => Phase::Ready,
        status => Phase::Pending(status.unwrap_or("unknown").to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_could_not_deliver_has_failed_with_or_without_a_status() {
        let log = |status: Option<&str>, message: Option<&str>| {
            let log = Ec2FlowLog::builder().flow_log_status("ACTIVE");
            let (status, message) = (status.map(str::to_owned), message.map(str::to_owned));
            phase(&log.set_deliver_logs_status(status).set_deliver_logs_error_message(message).build())
        };
        let failed = |message: &str| Phase::Failed(format!("delivery FAILED: {message}"));
        for (status, message, expected) in [
            (Some("SUCCESS"), None, Phase::Ready),
            (None, None, Phase::Ready),
            (None, Some("Access error"), failed("Access error")),
            (Some("FAILED"), Some("Unknown error"), failed("Unknown error")),
            (Some("FAILED"), None, failed("no message")),
            (Some("FAILED"), Some("Rate limited"), Phase::Ready),
            (Some("SUCCESS"), Some("Access error"), Phase::Ready),
        ] {
            assert_eq!(log(status, message), expected, "{status:?} {message:?}");
        }
    }
}
