//! A stage: the address under which a deployment is served. It is created without logs and limits, which only a patch
//! can set, and which need the account's CloudWatch role.

use std::collections::BTreeMap;

use aws_sdk_apigateway::operation::get_stage::GetStageOutput;
use aws_sdk_apigateway::types::PatchOperation;

use crate::resources::prelude::*;

use super::usage_plan::plans_that_open;
use super::{arn, execution_arn, halves, remove, replace, retag};

/// A stage of a REST API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stage {
    /// The API.
    pub rest_api_id: Out<String>,
    /// Its name, which is part of its address: letters, digits, `_` and `-`, at most 128.
    pub name: String,
    /// The deployment it serves.
    pub deployment_id: Out<String>,
    /// The log group of its access logs.
    pub access_log_group_arn: Out<String>,
    /// One line of the access log; it must contain `$context.requestId` or `$context.extendedRequestId`.
    pub access_log_format: String,
    /// What the execution log holds: `OFF`, `ERROR` or `INFO`.
    pub logging_level: String,
    /// Whether there are metrics for every method.
    pub metrics: bool,
    /// Whether the execution log holds whole requests and answers, personal data included.
    pub data_trace: bool,
    /// Requests a second over all callers.
    pub throttle_rate: f64,
    /// Requests at once over all callers.
    pub throttle_burst: i32,
    /// Whether X-Ray traces requests.
    pub tracing: bool,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// Witness that the account has a role for API Gateway's logs.
    pub account: Out<String>,
    /// Witness that the group of the execution logs exists: API Gateway would make it itself, without key and retention.
    pub execution_log_group: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StageOutputs {
    /// The stage's name.
    pub stage_name: String,
    /// Where callers find it.
    pub invoke_url: String,
    /// The stage's ARN, as web ACLs are associated with.
    pub arn: String,
    /// The ARN of all its methods, but for the closing `/METHOD/path`, as policies for callers name them.
    pub execution_arn: String,
}

impl Node<Stage> {
    /// The stage's name.
    pub fn stage_name(&self) -> Out<String> {
        self.out("stage_name")
    }

    /// Where callers find it.
    pub fn invoke_url(&self) -> Out<String> {
        self.out("invoke_url")
    }

    /// The stage's ARN, as web ACLs are associated with.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The ARN of all its methods, but for the closing `/METHOD/path`.
    pub fn execution_arn(&self) -> Out<String> {
        self.out("execution_arn")
    }
}

impl Resource for Stage {
    type Cloud = Aws;
    type Outputs = StageOutputs;
    const KIND: &'static str = "apigateway.stage";
    const NAMED: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["rest_api_id", "name"];
    const SERVES: bool = true;
    const WITNESSES: &'static [&'static str] = &["account", "execution_log_group"];
    const FORETOLD: &'static [&'static str] = &["stage_name", "invoke_url", "arn", "execution_arn"];
    const WAIT: Wait = Wait::seconds(3, 120, 300);

    fn check(&self) -> std::result::Result<(), String> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if !(1..=128).contains(&self.name.len()) || !self.name.chars().all(|c| plain(c) || c == '-') {
            return Err(format!("name is {}; AWS allows 1-128 letters, digits, _ and -", self.name));
        }
        if !["OFF", "ERROR", "INFO"].contains(&self.logging_level.as_str()) {
            return Err(format!("logging_level is {}; AWS allows OFF, ERROR, INFO", self.logging_level));
        }
        let format = &self.access_log_format;
        let has_id = ["$context.requestId", "$context.extendedRequestId"].iter().any(|id| format.contains(id));
        if !has_id || format.contains('\n') {
            return Err("access_log_format must be one line and contain $context.requestId \
                        or $context.extendedRequestId"
                .to_owned());
        }
        if self.throttle_rate < 0.0 || self.throttle_burst < 0 {
            return Err("throttle_rate and throttle_burst must not be negative".to_owned());
        }
        let value = |c: char| plain(c) || "-._~:/?#&=,".contains(c);
        match self.variables.iter().find(|(key, text)| !key.chars().all(plain) || !text.chars().all(value)) {
            Some((key, _)) => Err(format!(
                "the stage variable {key} is not allowed; AWS allows letters, digits and _ in names, and also \
                 -.~:/?#&=, in values"
            )),
            None => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let natural = || Some(format!("{}|{}", self.rest_api_id.known()?, self.name));
        let Some(id) = id.map(str::to_owned).or_else(natural) else { return Ok(None) };
        let (api, name) = halves(&id)?;
        let found = cx.apigateway.get_stage().rest_api_id(api).stage_name(name).send().await.if_present()?;
        let Some(stage) = found else { return Ok(None) };
        let suffix = if cx.partition == "aws-cn" { ".cn" } else { "" };
        let outputs = StageOutputs {
            stage_name: name.to_owned(),
            invoke_url: format!("https://{api}.execute-api.{}.amazonaws.com{suffix}/{name}", cx.region),
            arn: stage_arn(cx, &id)?,
            execution_arn: format!("{}/{name}", execution_arn(cx, api)),
        };
        let made = stage.created_date.map(|date| date.to_string());
        Ok(Some(Observed::ready(&id, self.read(api, name, stage), outputs).known_by(made)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let api = self.rest_api_id.get()?;
        cx.apigateway
            .create_stage()
            .rest_api_id(api)
            .stage_name(&self.name)
            .deployment_id(self.deployment_id.get()?)
            .tracing_enabled(self.tracing)
            .set_variables(Some(self.variables.clone().into_iter().collect()))
            .set_tags(Some(self.tags.clone().into_iter().collect()))
            .send()
            .await?;
        Ok(format!("{api}|{}", self.name))
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let (api, name) = halves(&observed.id)?;
        let patches = self.patches(&observed.live, diff)?;
        if !patches.is_empty() {
            cx.apigateway
                .update_stage()
                .rest_api_id(api)
                .stage_name(name)
                .set_patch_operations(Some(patches))
                .send()
                .await?;
        }
        if diff.has("tags") {
            retag(cx, &stage_arn(cx, &observed.id)?, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (api, name) = halves(&observed.id)?;
        cx.apigateway.delete_stage().rest_api_id(api).stage_name(name).send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let (api, name) = halves(&observed.id)?;
        plans_that_open(cx, api, Some(name)).await
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let stage = |_: &str, rest: &str| rest.split_once("/stages/").map(|(api, stage)| format!("{api}|{stage}"));
        index::list(cx, "apigateway", "/restapis/", stage).await
    }
}

impl Stage {
    fn read(&self, api: &str, name: &str, stage: GetStageOutput) -> Stage {
        let logs = stage.access_log_settings;
        let log_group = logs.as_ref().and_then(|logs| logs.destination_arn.clone()).unwrap_or_default();
        let settings = stage.method_settings.and_then(|mut all| all.remove("*/*"));
        let settings = settings.as_ref();
        Stage {
            rest_api_id: api.into(),
            name: name.to_owned(),
            deployment_id: stage.deployment_id.unwrap_or_default().into(),
            access_log_group_arn: match self.access_log_group_arn.known() {
                Some(arn) if bare(arn) == bare(&log_group) => arn.clone().into(),
                _ => log_group.into(),
            },
            access_log_format: logs.and_then(|logs| logs.format).unwrap_or_default(),
            logging_level: settings.and_then(|all| all.logging_level.clone()).unwrap_or_else(|| "OFF".to_owned()),
            metrics: settings.is_some_and(|all| all.metrics_enabled),
            data_trace: settings.is_some_and(|all| all.data_trace_enabled),
            throttle_rate: settings.map_or(-1.0, |all| all.throttling_rate_limit),
            throttle_burst: settings.map_or(-1, |all| all.throttling_burst_limit),
            tracing: stage.tracing_enabled,
            variables: stage.variables.unwrap_or_default().into_iter().collect(),
            account: self.account.clone(),
            execution_log_group: self.execution_log_group.clone(),
            tags: tags::read(stage.tags.unwrap_or_default()),
        }
    }

    /// What turns `live` into this stage. The settings of all methods go together: AWS fills those of them that one
    /// patch leaves out.
    fn patches(&self, live: &Stage, diff: &Diff) -> Result<Vec<PatchOperation>> {
        let mut patches = Vec::new();
        if diff.has("deployment_id") {
            patches.push(replace("/deploymentId", self.deployment_id.get()?));
        }
        if diff.has("tracing") {
            patches.push(replace("/tracingEnabled", self.tracing));
        }
        if diff.has_any(&["access_log_group_arn", "access_log_format"]) {
            patches.push(replace("/accessLogSettings/destinationArn", bare(self.access_log_group_arn.get()?)));
            patches.push(replace("/accessLogSettings/format", &self.access_log_format));
        }
        if diff.has_any(&["logging_level", "metrics", "data_trace", "throttle_rate", "throttle_burst"]) {
            patches.push(replace("/*/*/logging/loglevel", &self.logging_level));
            patches.push(replace("/*/*/logging/dataTrace", self.data_trace));
            patches.push(replace("/*/*/metrics/enabled", self.metrics));
            patches.push(replace("/*/*/throttling/rateLimit", self.throttle_rate));
            patches.push(replace("/*/*/throttling/burstLimit", self.throttle_burst));
        }
        if diff.has("variables") {
            let (set, gone) = tags::changes(&self.variables, &live.variables);
            patches.extend(set.iter().map(|(key, value)| replace(&format!("/variables/{key}"), value)));
            patches.extend(gone.iter().map(|key| remove(&format!("/variables/{key}"))));
        }
        Ok(patches)
    }
}

/// A log group's ARN without the `:*` that API Gateway refuses.
fn bare(arn: &str) -> &str {
    arn.trim_end_matches(":*")
}

fn stage_arn(cx: &Cx<'_>, id: &str) -> Result<String> {
    let (api, name) = halves(id)?;
    Ok(arn(cx, &format!("/restapis/{api}/stages/{name}")))
}
