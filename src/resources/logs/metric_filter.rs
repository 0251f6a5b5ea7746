//! A filter that makes a metric of the lines of a log group. It is named within its group, carries no tags, and writing
//! one replaces the one of that name.

use aws_sdk_cloudwatchlogs::types::{MetricFilter as LogsMetricFilter, MetricTransformation};

use crate::resources::prelude::*;
use crate::resources::values::{check_text, text};

/// A metric filter.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MetricFilter {
    /// The name of the log group.
    pub log_group: Out<String>,
    /// Its name, 1-512 characters without `:` and `*`.
    pub name: String,
    /// Which lines count, in CloudWatch's pattern language; at most 1024 characters.
    pub pattern: String,
    /// The namespace of the metric, 1-255 characters without `:`, `*` and `$`.
    pub namespace: String,
    /// The name of the metric, 1-255 characters without `:`, `*` and `$`.
    pub metric_name: String,
    /// What a line adds to the metric: a number, or `$` and a field of the pattern; 1-100 characters.
    pub value: String,
    /// What is reported while no line matches. `None`: whatever it is.
    pub default_value: Option<f64>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MetricFilterOutputs {
    /// The name of the metric.
    pub metric_name: String,
}

impl Node<MetricFilter> {
    /// The name of the metric, known once something makes it.
    pub fn metric_name(&self) -> Out<String> {
        self.out("metric_name")
    }
}

impl Resource for MetricFilter {
    type Cloud = Aws;
    type Outputs = MetricFilterOutputs;
    const KIND: &'static str = "logs.metric_filter";
    const PARENT: Option<&'static str> = Some("logs.log_group");
    const IMMUTABLE: &'static [&'static str] = &["log_group", "name"];
    const VOLATILE: &'static [&'static str] = &["metric_name"];
    const FORETOLD: &'static [&'static str] = &["metric_name"];
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_text("name", &self.name, 1, 512, |c| !":*".contains(c))?;
        check_text("pattern", &self.pattern, 0, 1024, |_| true)?;
        check_text("namespace", &self.namespace, 1, 255, |c| !":*$".contains(c))?;
        check_text("metric_name", &self.metric_name, 1, 255, |c| !":*$".contains(c))?;
        check_text("value", &self.value, 1, 100, |_| true)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let (group, name) = match id {
            Some(id) => parts(id)?,
            None => (self.log_group.get()?.as_str(), self.name.as_str()),
        };
        let all = cx.pass.shared(&format!("logs.metric-filters {group}"), || filters_of(cx, group)).await?;
        let Some(found) = all.iter().find(|filter| filter.filter_name() == Some(name)) else { return Ok(None) };
        // AWS allows one transformation for a filter.
        let transformation = found.metric_transformations().first().always("metric transformation")?;
        let live = MetricFilter {
            log_group: group.into(),
            name: name.to_owned(),
            pattern: text(found.filter_pattern()),
            namespace: transformation.metric_namespace.clone(),
            metric_name: transformation.metric_name.clone(),
            value: transformation.metric_value.clone(),
            default_value: transformation.default_value,
        };
        let outputs = MetricFilterOutputs { metric_name: transformation.metric_name.clone() };
        Ok(Some(Observed::ready(format!("{group}|{name}"), live, outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let group = self.log_group.get()?;
        self.put(cx, group).await?;
        Ok(format!("{group}|{}", self.name))
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, _: &Diff) -> Result<()> {
        self.put(cx, parts(&observed.id)?.0).await
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (group, name) = parts(&observed.id)?;
        cx.logs.delete_metric_filter().log_group_name(group).filter_name(name).send().await.if_present()?;
        Ok(())
    }
}

impl MetricFilter {
    async fn put(&self, cx: &Cx<'_>, group: &str) -> Result<()> {
        let transformation = MetricTransformation::builder()
            .metric_namespace(&self.namespace)
            .metric_name(&self.metric_name)
            .metric_value(&self.value)
            .set_default_value(self.default_value)
            .build()
            .map_err(|error| Fault::invalid(error.to_string()))?;
        let ask = cx.logs.put_metric_filter().log_group_name(group).filter_name(&self.name);
        ask.filter_pattern(&self.pattern).metric_transformations(transformation).send().await?;
        Ok(())
    }
}

/// Log group and name of a filter. No group has a bar in its name.
fn parts(id: &str) -> Result<(&str, &str)> {
    id.split_once('|').ok_or_else(|| Fault::invalid(format!("{id:?} is not a log group and a filter joined by a bar")))
}

/// None where the log group is gone, and its filters with it.
async fn filters_of(cx: &Cx<'_>, group: &str) -> Result<Vec<LogsMetricFilter>> {
    let pages = cx.logs.describe_metric_filters().log_group_name(group).into_paginator().items().send();
    Ok(pages.collect::<Result<Vec<_>, _>>().await.if_present()?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter() -> MetricFilter {
        MetricFilter {
            log_group: "audit".into(),
            name: "key-deletion".into(),
            pattern: "{ $.eventName = \"ScheduleKeyDeletion\" }".into(),
            namespace: "student-dev".into(),
            metric_name: "KeyDeletions".into(),
            value: "1".into(),
            default_value: Some(0.0),
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused() {
        assert_eq!(filter().check(), Ok(()));
        for wrong in [
            MetricFilter { name: "a:b".into(), ..filter() },
            MetricFilter { name: String::new(), ..filter() },
            MetricFilter { pattern: "x".repeat(1025), ..filter() },
            MetricFilter { namespace: "a$b".into(), ..filter() },
            MetricFilter { metric_name: "a*".into(), ..filter() },
            MetricFilter { value: String::new(), ..filter() },
        ] {
            assert!(wrong.check().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_filter_may_have_a_bar_in_its_name() {
        assert_eq!(parts("/aws/audit|a|b").unwrap(), ("/aws/audit", "a|b"));
        assert!(parts("audit").is_err());
    }
}
