//! The membership of an API key in a usage plan. It has no id of its own: plan and key together name it.

use crate::resources::prelude::*;

use super::halves;

/// One API key in one usage plan.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsagePlanKey {
    /// The plan.
    pub usage_plan_id: Out<String>,
    /// The key.
    pub api_key_id: Out<String>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsagePlanKeyOutputs {}

impl Resource for UsagePlanKey {
    type Cloud = Aws;
    type Outputs = UsagePlanKeyOutputs;
    const KIND: &'static str = "apigateway.usage_plan_key";
    const PARENT: Option<&'static str> = Some("apigateway.usage_plan");
    const IMMUTABLE: &'static [&'static str] = &["usage_plan_id", "api_key_id"];
    const WAIT: Wait = Wait::seconds(3, 60, 120);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let natural = || Some(format!("{}|{}", self.usage_plan_id.known()?, self.api_key_id.known()?));
        let Some(id) = id.map(str::to_owned).or_else(natural) else { return Ok(None) };
        let (plan, key) = halves(&id)?;
        let found = cx.apigateway.get_usage_plan_key().usage_plan_id(plan).key_id(key).send().await.if_present()?;
        let live = UsagePlanKey { usage_plan_id: plan.into(), api_key_id: key.into() };
        Ok(found.map(|_| Observed::ready(&id, live, UsagePlanKeyOutputs {})))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let (plan, key) = (self.usage_plan_id.get()?, self.api_key_id.get()?);
        cx.apigateway.create_usage_plan_key().usage_plan_id(plan).key_id(key).key_type("API_KEY").send().await?;
        Ok(format!("{plan}|{key}"))
    }

    async fn update(&self, _: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (plan, key) = halves(&observed.id)?;
        cx.apigateway.delete_usage_plan_key().usage_plan_id(plan).key_id(key).send().await.if_present()?;
        Ok(())
    }
}
