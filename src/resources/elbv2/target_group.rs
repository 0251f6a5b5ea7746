//! A target group of addresses. What cannot change in place needs a new group of another name, since the old one is
//! in use until its listener has moved over.

use aws_sdk_elasticloadbalancingv2::types::{
    Matcher, ProtocolEnum, TargetGroup as ElbTargetGroup, TargetGroupAttribute, TargetTypeEnum,
};

use super::{check_name, check_ranges, retag, tags_of_one, to_elb};
use crate::resources::prelude::*;

const DELAY: &str = "deregistration_delay.timeout_seconds";

/// A group of addresses that a listener forwards to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetGroup {
    /// The name: 1-32 letters, digits, hyphens. It must change with every immutable field.
    pub name: String,
    /// The port targets listen on unless they say otherwise.
    pub port: i32,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// `HTTP1`, `HTTP2` or `GRPC`.
    pub protocol_version: String,
    /// The VPC of the addresses.
    pub vpc_id: Out<String>,
    /// How it tells whether a target is well.
    pub health_check: HealthCheck,
    /// Seconds a target that leaves may finish what it does, 0-3600.
    pub deregistration_delay_seconds: i32,
    /// Tags.
    pub tags: Tags,
}

/// How a target group tells whether a target is well.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The path it asks for.
    pub path: String,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// Good answers in a row until it is well, 2-10.
    pub healthy_threshold: i32,
    /// Bad answers in a row until it is not, 2-10.
    pub unhealthy_threshold: i32,
    /// Seconds between two checks, 5-300.
    pub interval_seconds: i32,
    /// Seconds until no answer is a bad one, 2-120, under the interval.
    pub timeout_seconds: i32,
    /// Status codes that are good, as `200` or `200-299`.
    pub matcher: String,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetGroupOutputs {
    /// The ARN.
    pub arn: String,
    /// What metrics and scaling policies call it: `targetgroup/NAME/ID`.
    pub full_name: String,
}

impl Node<TargetGroup> {
    /// The ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// What metrics and scaling policies call it: `targetgroup/NAME/ID`.
    pub fn full_name(&self) -> Out<String> {
        self.out("full_name")
    }
}

impl Resource for TargetGroup {
    type Cloud = Aws;
    type Outputs = TargetGroupOutputs;
    const KIND: &'static str = "elbv2.target_group";
    const IMMUTABLE: &'static [&'static str] = &["name", "protocol", "protocol_version", "vpc_id"];
    const REPLACE: Replace = Replace::CreateFirst;
    // A listener forwards to it before the service may register its tasks there.
    const EMPTY_AT_FIRST: bool = true;
    const WAIT: Wait = Wait::seconds(3, 120, 900);

    fn check(&self) -> std::result::Result<(), String> {
        check_name(&self.name)?;
        let health = &self.health_check;
        for (field, protocol) in [("protocol", &self.protocol), ("health_check.protocol", &health.protocol)] {
            if !["HTTP", "HTTPS"].contains(&protocol.as_str()) {
                return Err(format!("{field} is {protocol:?}; an application load balancer allows HTTP, HTTPS"));
            }
        }
        if !["HTTP1", "HTTP2", "GRPC"].contains(&self.protocol_version.as_str()) {
            return Err(format!("protocol_version is {:?}; AWS allows HTTP1, HTTP2, GRPC", self.protocol_version));
        }
        if !health.path.starts_with('/') || health.path.len() > 1024 {
            return Err(format!("health_check.path is {:?}; AWS allows 1-1024 characters from /", health.path));
        }
        check_ranges(&[
            ("port", self.port, 1, 65535),
            ("health_check.healthy_threshold", health.healthy_threshold, 2, 10),
            ("health_check.unhealthy_threshold", health.unhealthy_threshold, 2, 10),
            ("health_check.interval_seconds", health.interval_seconds, 5, 300),
            ("health_check.timeout_seconds", health.timeout_seconds, 2, 120),
            ("deregistration_delay_seconds", self.deregistration_delay_seconds, 0, 3600),
        ])?;
        match health.timeout_seconds < health.interval_seconds {
            true => Ok(()),
            false => Err(format!(
                "health_check.timeout_seconds is {}; AWS wants less than interval_seconds, which is {}",
                health.timeout_seconds, health.interval_seconds
            )),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        // It may vanish between the calls.
        Ok(self.read(cx, id).await.if_present()?.flatten())
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let health = &self.health_check;
        let made = cx
            .elbv2
            .create_target_group()
            .name(&self.name)
            .target_type(TargetTypeEnum::Ip)
            .port(self.port)
            .protocol(ProtocolEnum::from(self.protocol.as_str()))
            .protocol_version(&self.protocol_version)
            .vpc_id(self.vpc_id.get()?)
            .health_check_enabled(true)
            .health_check_path(&health.path)
            .health_check_protocol(ProtocolEnum::from(health.protocol.as_str()))
            .healthy_threshold_count(health.healthy_threshold)
            .unhealthy_threshold_count(health.unhealthy_threshold)
            .health_check_interval_seconds(health.interval_seconds)
            .health_check_timeout_seconds(health.timeout_seconds)
            .matcher(self.matcher())
            .set_tags(Some(to_elb(&self.tags)))
            .send()
            .await?;
        made.target_groups().first().and_then(|made| made.target_group_arn().map(str::to_owned)).always("ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let arn = &observed.id;
        if diff.has("health_check") {
            let health = &self.health_check;
            cx.elbv2
                .modify_target_group()
                .target_group_arn(arn)
                .health_check_enabled(true)
                .health_check_path(&health.path)
                .health_check_protocol(ProtocolEnum::from(health.protocol.as_str()))
                .healthy_threshold_count(health.healthy_threshold)
                .unhealthy_threshold_count(health.unhealthy_threshold)
                .health_check_interval_seconds(health.interval_seconds)
                .health_check_timeout_seconds(health.timeout_seconds)
                .matcher(self.matcher())
                .send()
                .await?;
        }
        if diff.has("deregistration_delay_seconds") {
            let seconds = self.deregistration_delay_seconds.to_string();
            let delay = TargetGroupAttribute::builder().key(DELAY).value(seconds).build();
            cx.elbv2.modify_target_group_attributes().target_group_arn(arn).attributes(delay).send().await?;
        }
        if diff.has("tags") {
            retag(cx, arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.elbv2.delete_target_group().target_group_arn(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "elasticloadbalancing", "targetgroup/", index::by_arn).await
    }
}

impl TargetGroup {
    async fn read(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let call = cx.elbv2.describe_target_groups();
        let answer = match id {
            Some(arn) => call.target_group_arns(arn).send().await?,
            None => call.names(&self.name).send().await?,
        };
        let Some(found) = answer.target_groups().first() else { return Ok(None) };
        let arn = found.target_group_arn().always("ARN")?.to_owned();
        let attributes = cx.elbv2.describe_target_group_attributes().target_group_arn(&arn).send().await?;
        let delay = attributes.attributes().iter().find(|each| each.key() == Some(DELAY));
        let live = TargetGroup {
            name: found.target_group_name().unwrap_or_default().to_owned(),
            port: self.port,
            protocol: found.protocol().map_or("", |protocol| protocol.as_str()).to_owned(),
            protocol_version: found.protocol_version().unwrap_or("HTTP1").to_owned(),
            vpc_id: found.vpc_id().unwrap_or_default().into(),
            health_check: health_check(found),
            deregistration_delay_seconds: delay.and_then(|delay| delay.value()?.parse().ok()).unwrap_or(300),
            tags: tags_of_one(cx, &arn).await?,
        };
        let full_name = arn.rsplit(':').next().unwrap_or_default().to_owned();
        Ok(Some(Observed::ready(arn.clone(), live, TargetGroupOutputs { arn, full_name })))
    }

    fn matcher(&self) -> Matcher {
        let codes = &self.health_check.matcher;
        match self.protocol_version.as_str() {
            "GRPC" => Matcher::builder().grpc_code(codes).build(),
            _ => Matcher::builder().http_code(codes).build(),
        }
    }
}

fn health_check(found: &ElbTargetGroup) -> HealthCheck {
    let codes = found.matcher().and_then(|matcher| matcher.http_code().or(matcher.grpc_code()));
    HealthCheck {
        path: found.health_check_path().unwrap_or_default().to_owned(),
        protocol: found.health_check_protocol().map_or("", |protocol| protocol.as_str()).to_owned(),
        healthy_threshold: found.healthy_threshold_count().unwrap_or_default(),
        unhealthy_threshold: found.unhealthy_threshold_count().unwrap_or_default(),
        interval_seconds: found.health_check_interval_seconds().unwrap_or_default(),
        timeout_seconds: found.health_check_timeout_seconds().unwrap_or_default(),
        matcher: codes.unwrap_or_default().to_owned(),
    }
}
