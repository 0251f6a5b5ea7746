//! A CloudWatch dashboard. AWS may take a body and still find fault with it; what it then warns of is a widget that
//! shows nothing. Dashboards belong to the account, not to a region.

use aws_sdk_cloudwatch::types::DashboardEntry;
use serde_json::Value;

use super::{read_tags, retag, to_cloudwatch};
use crate::resource::TAG_NODE;
use crate::resources::prelude::*;
use crate::resources::values::check_text;

/// The most widgets AWS shows on one dashboard.
const MOST_WIDGETS: usize = 500;

/// A dashboard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Dashboard {
    /// Its name, 1-255 letters, digits, underscores and hyphens.
    pub name: String,
    /// What it shows: an object with `widgets`.
    pub body: Value,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DashboardOutputs {
    /// Its name.
    pub dashboard_name: String,
    /// Its ARN.
    pub arn: String,
}

impl Node<Dashboard> {
    /// Its name, known once it exists.
    pub fn dashboard_name(&self) -> Out<String> {
        self.out("dashboard_name")
    }
}

impl Resource for Dashboard {
    type Cloud = Aws;
    type Outputs = DashboardOutputs;
    const KIND: &'static str = "cloudwatch.dashboard";
    const NAMED: bool = true;
    const GLOBAL: bool = true;
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const FORETOLD: &'static [&'static str] = &["dashboard_name", "arn"];
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_text("name", &self.name, 1, 255, |c| c.is_ascii_alphanumeric() || "_-".contains(c))?;
        match self.body.get("widgets").and_then(Value::as_array) {
            Some(widgets) if widgets.len() <= MOST_WIDGETS => Ok(()),
            Some(widgets) => Err(format!("body has {} widgets; AWS allows {MOST_WIDGETS}", widgets.len())),
            None => Err("body has no list of widgets".to_owned()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let name = id.unwrap_or(&self.name);
        let Some(found) = cx.cloudwatch.get_dashboard().dashboard_name(name).send().await.if_present()? else {
            return Ok(None);
        };
        let arn = found.dashboard_arn.always("dashboard ARN")?;
        let Some(tags) = read_tags(cx, &arn).await.if_present()? else { return Ok(None) };
        let body = serde_json::from_str(found.dashboard_body.as_deref().unwrap_or_default());
        let body = body.map_err(|error| Fault::unexpected(format!("the body of {name} is not JSON: {error}")))?;
        let live = Dashboard { name: name.to_owned(), body, tags };
        Ok(Some(Observed::ready(name, live, DashboardOutputs { dashboard_name: name.to_owned(), arn })))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        if let Err(fault) = self.put(cx, Some(&self.tags)).await {
            // One that AWS warned of exists by now, and a create that fails leaves nothing behind.
            if fault.code == WARNED {
                cx.cloudwatch.delete_dashboards().dashboard_names(&self.name).send().await?;
            }
            return Err(fault);
        }
        Ok(self.name.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("body") {
            self.put(cx, None).await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.cloudwatch.delete_dashboards().dashboard_names(&observed.id).send().await.if_present()?;
        Ok(())
    }

    /// Dashboards are global, and their list has no tags. All names of an environment have its name in them.
    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let pages = cx.cloudwatch.list_dashboards().into_paginator().items().send();
        let all: Vec<DashboardEntry> = pages.try_collect().await?;
        let mut found = Vec::new();
        for (name, arn) in all.iter().filter_map(|entry| Some((entry.dashboard_name()?, entry.dashboard_arn()?))) {
            if name.contains(&cx.owner.env) {
                let tags = read_tags(cx, arn).await.if_present()?.unwrap_or_default();
                let node = tags.get(TAG_NODE).filter(|_| cx.owner.owns_any(&tags));
                found.extend(node.map(|node| Found::new(node, name)));
            }
        }
        Ok(found)
    }
}

/// The code of a body that AWS took with a warning.
const WARNED: &str = "DashboardValidationMessages";

impl Dashboard {
    async fn put(&self, cx: &Cx<'_>, tags: Option<&Tags>) -> Result<()> {
        let ask = cx.cloudwatch.put_dashboard().dashboard_name(&self.name).dashboard_body(self.body.to_string());
        let answer = ask.set_tags(tags.map(to_cloudwatch)).send().await?;
        let warnings = answer.dashboard_validation_messages().iter().map(|warning| {
            format!("{}: {}", warning.data_path().unwrap_or_default(), warning.message().unwrap_or_default())
        });
        let warnings: Vec<String> = warnings.collect();
        match warnings.is_empty() {
            true => Ok(()),
            false => Err(Fault { code: WARNED.to_owned(), ..Fault::invalid(warnings.join("; ")) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_aws_would_refuse_is_refused() {
        let dashboard = |name: &str, body| Dashboard { name: name.into(), body, tags: Tags::new() };
        assert_eq!(dashboard("student-dev", json!({"widgets": []})).check(), Ok(()));
        assert!(dashboard("student dev", json!({"widgets": []})).check().is_err());
        assert!(dashboard("student-dev", json!({})).check().is_err());
        assert!(dashboard("student-dev", json!({"widgets": vec![json!({}); 501]})).check().is_err());
    }
}
