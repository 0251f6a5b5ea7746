//! A usage plan: what the holders of its keys may call, and how often. Its name is not unique, so it is found by its
//! tags; while it names a stage, neither the plan nor the stage can be deleted. Updates are paced at three a minute.

use std::collections::BTreeSet;

use aws_sdk_apigateway::types::{
    ApiStage, Op, PatchOperation, QuotaPeriodType, QuotaSettings, ThrottleSettings, UsagePlan as GatewayUsagePlan,
};

use crate::resources::prelude::*;

use super::{Listed, arn, find, patch, replace, retag};

/// A usage plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsagePlan {
    /// Its name.
    pub name: String,
    /// Whom it is for.
    pub description: String,
    /// The stages that its keys open.
    pub stages: BTreeSet<PlanStage>,
    /// Requests a second for each key.
    pub throttle_rate: f64,
    /// Requests at once for each key.
    pub throttle_burst: i32,
    /// Requests within a period for each key. `None`: as it is, and none in a new plan.
    pub quota: Option<Quota>,
    /// Tags.
    pub tags: Tags,
}

/// A stage in a usage plan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanStage {
    /// The API.
    pub rest_api_id: Out<String>,
    /// The stage's name.
    pub stage: Out<String>,
}

/// A number of requests within a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// How many requests.
    pub limit: i32,
    /// `DAY`, `WEEK` or `MONTH`.
    pub period: String,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsagePlanOutputs {
    /// The plan's id.
    pub usage_plan_id: String,
}

impl Node<UsagePlan> {
    /// The plan's id.
    pub fn usage_plan_id(&self) -> Out<String> {
        self.out("usage_plan_id")
    }
}

impl Listed for GatewayUsagePlan {
    const KEY: &'static str = "apigateway.usage-plans";

    fn id(&self) -> &str {
        self.id().unwrap_or_default()
    }

    fn tags(&self) -> Tags {
        tags::read(self.tags.clone().unwrap_or_default())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Self>> {
        let pages = cx.apigateway.get_usage_plans().limit(500).into_paginator().items().send();
        Ok(pages.collect::<Result<_, _>>().await?)
    }

    async fn get(cx: &Cx<'_>, id: &str) -> Result<Option<Self>> {
        let plan = cx.apigateway.get_usage_plan().usage_plan_id(id).send().await.if_present()?;
        Ok(plan.map(|plan| {
            GatewayUsagePlan::builder()
                .set_id(plan.id)
                .set_name(plan.name)
                .set_description(plan.description)
                .set_api_stages(plan.api_stages)
                .set_throttle(plan.throttle)
                .set_quota(plan.quota)
                .set_tags(plan.tags)
                .build()
        }))
    }
}

/// The plans that open a stage of an API, or just this one: while they do, neither goes.
pub(super) async fn plans_that_open(cx: &Cx<'_>, api: &str, stage: Option<&str>) -> Result<Vec<Holder>> {
    let all = cx.pass.shared(GatewayUsagePlan::KEY, || GatewayUsagePlan::list(cx)).await?;
    let names = |of: &ApiStage| of.api_id() == Some(api) && stage.is_none_or(|stage| of.stage() == Some(stage));
    let opens = |plan: &&GatewayUsagePlan| plan.api_stages().iter().any(names);
    let words =
        |plan: &GatewayUsagePlan| format!("the usage plan {} ({})", plan.name().unwrap_or_default(), Listed::id(plan));
    Ok(all.iter().filter(opens).map(|plan| Holder::of(Listed::id(plan), words(plan))).collect())
}

impl Resource for UsagePlan {
    type Cloud = Aws;
    type Outputs = UsagePlanOutputs;
    const KIND: &'static str = "apigateway.usage_plan";
    const TWINS: bool = true;
    // A deletion is an update first, and the updates of all plans of the account share the three a minute.
    const WAIT: Wait = Wait::seconds(3, 900, 1800);

    fn check(&self) -> std::result::Result<(), String> {
        if self.name.is_empty() {
            return Err("name is empty; AWS wants a name".to_owned());
        }
        if self.throttle_rate < 0.0 || self.throttle_burst < 0 {
            return Err("throttle_rate and throttle_burst must not be negative".to_owned());
        }
        match &self.quota {
            Some(quota) if quota.limit < 1 => Err(format!("quota.limit is {}; it must be 1 or more", quota.limit)),
            Some(quota) if !["DAY", "WEEK", "MONTH"].contains(&quota.period.as_str()) => {
                Err(format!("quota.period is {}; AWS allows DAY, WEEK, MONTH", quota.period))
            }
            _ => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<GatewayUsagePlan>(cx, id).await?.into_iter();
        let Some(plan) = found.next() else { return Ok(None) };
        let live = UsagePlan {
            tags: Listed::tags(&plan),
            stages: plan.api_stages().iter().map(PlanStage::from).collect(),
            throttle_rate: plan.throttle().map_or(-1.0, |throttle| throttle.rate_limit),
            throttle_burst: plan.throttle().map_or(-1, |throttle| throttle.burst_limit),
            quota: plan.quota().map(Quota::from),
            name: plan.name.unwrap_or_default(),
            description: plan.description.unwrap_or_default(),
        };
        let id = plan.id.always("usage plan id")?;
        let mut observed = Observed::ready(id.clone(), live, UsagePlanOutputs { usage_plan_id: id });
        observed.duplicates = found.filter_map(|plan| plan.id).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let stages = self.stages.iter().map(PlanStage::to_gateway).collect::<Result<_>>()?;
        let throttle =
            ThrottleSettings::builder().rate_limit(self.throttle_rate).burst_limit(self.throttle_burst).build();
        let made = cx
            .apigateway
            .create_usage_plan()
            .name(&self.name)
            .description(&self.description)
            .set_api_stages(Some(stages))
            .throttle(throttle)
            .set_quota(self.quota.as_ref().map(Quota::to_gateway))
            .set_tags(Some(self.tags.clone().into_iter().collect()))
            .send()
            .await?;
        made.id.always("usage plan id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let id = &observed.id;
        let patches = self.patches(&observed.live, diff)?;
        if !patches.is_empty() {
            cx.apigateway.update_usage_plan().usage_plan_id(id).set_patch_operations(Some(patches)).send().await?;
        }
        if diff.has("tags") {
            retag(cx, &arn(cx, &format!("/usageplans/{id}")), &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let id = &observed.id;
        let stages = &observed.live.stages;
        if !stages.is_empty() {
            let patches = stages.iter().map(|stage| stage.patch(Op::Remove)).collect::<Result<_>>()?;
            let update = cx.apigateway.update_usage_plan().usage_plan_id(id).set_patch_operations(Some(patches));
            update.send().await.if_present()?;
        }
        cx.apigateway.delete_usage_plan().usage_plan_id(id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<GatewayUsagePlan>(cx).await
    }
}

impl UsagePlan {
    fn patches(&self, live: &UsagePlan, diff: &Diff) -> Result<Vec<PatchOperation>> {
        let mut patches = Vec::new();
        if diff.has("name") {
            patches.push(replace("/name", &self.name));
        }
        if diff.has("description") {
            patches.push(replace("/description", &self.description));
        }
        if diff.has_any(&["throttle_rate", "throttle_burst"]) {
            patches.push(replace("/throttle/rateLimit", self.throttle_rate));
            patches.push(replace("/throttle/burstLimit", self.throttle_burst));
        }
        if let Some(quota) = self.quota.as_ref().filter(|_| diff.has("quota")) {
            patches.push(replace("/quota/limit", quota.limit));
            patches.push(replace("/quota/period", &quota.period));
        }
        for stage in live.stages.difference(&self.stages) {
            patches.push(stage.patch(Op::Remove)?);
        }
        for stage in self.stages.difference(&live.stages) {
            patches.push(stage.patch(Op::Add)?);
        }
        Ok(patches)
    }
}

impl PlanStage {
    fn patch(&self, op: Op) -> Result<PatchOperation> {
        Ok(patch(op, "/apiStages", format!("{}:{}", self.rest_api_id.get()?, self.stage.get()?)))
    }

    fn to_gateway(&self) -> Result<ApiStage> {
        Ok(ApiStage::builder().api_id(self.rest_api_id.get()?).stage(self.stage.get()?).build())
    }
}

impl From<&ApiStage> for PlanStage {
    fn from(stage: &ApiStage) -> Self {
        PlanStage {
            rest_api_id: stage.api_id().unwrap_or_default().into(),
            stage: stage.stage().unwrap_or_default().into(),
        }
    }
}

impl Quota {
    fn to_gateway(&self) -> QuotaSettings {
        QuotaSettings::builder().limit(self.limit).period(QuotaPeriodType::from(self.period.as_str())).build()
    }
}

impl From<&QuotaSettings> for Quota {
    fn from(quota: &QuotaSettings) -> Self {
        Quota { limit: quota.limit, period: quota.period().map_or("", QuotaPeriodType::as_str).to_owned() }
    }
}
