//! A rule of a listener, which is asked before the listener's own action: requests of certain paths, or that show a key, go
//! to a target group, and may go there under another path. Only a rule can change a path: user guide for Application Load
//! Balancers, "Transforms for listener rules".

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Action as ElbAction, ActionTypeEnum, HttpHeaderConditionConfig, PathPatternConditionConfig, RewriteConfig, Rule,
    RuleCondition, RuleTransform, TransformTypeEnum, UrlRewriteConfig,
};

use super::listener::balancer_of;
use super::{check_ranges, retag, tags_of_one, to_elb};
use crate::resources::origin_key::{HEADER, OriginKey, Values};
use crate::resources::prelude::*;

const PATH: &str = "path-pattern";
const HTTP_HEADER: &str = "http-header";
/// Most wildcards and values that a rule may compare with: Elastic Load Balancing API reference, `CreateRule`.
const MOST_PATHS: usize = 5;

/// Where a listener sends certain requests.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListenerRule {
    /// The listener.
    pub listener_arn: Out<String>,
    /// The load balancer of that listener.
    pub load_balancer_arn: Out<String>,
    /// 1-50000; of two rules that a request fits, the lower one holds.
    pub priority: i32,
    /// The paths, with `*` and `?`. Empty: all.
    pub paths: BTreeSet<String>,
    /// The key that requests must show; each of its versions will do. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_key: Option<OriginKey>,
    /// The target group; empty where somebody has it do something else.
    pub target_group_arn: Out<String>,
    /// Under which path requests go there. Left out: their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<Rewrite>,
    /// Tags.
    pub tags: Tags,
}

/// How one path becomes another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// What is replaced; a path that it does not fit stays.
    pub regex: String,
    /// By what, with `$1` for its first group.
    pub replace: String,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListenerRuleOutputs {
    /// The ARN.
    pub arn: String,
    /// The load balancer's ARN.
    pub load_balancer_arn: String,
}

impl Node<ListenerRule> {
    /// The ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The ARN of a load balancer that has the rule.
    pub fn load_balancer_arn(&self) -> Out<String> {
        self.out("load_balancer_arn")
    }
}

impl Resource for ListenerRule {
    type Cloud = Aws;
    type Outputs = ListenerRuleOutputs;
    const KIND: &'static str = "elbv2.listener_rule";
    const IMMUTABLE: &'static [&'static str] = &["listener_arn", "load_balancer_arn", "priority"];
    const SERVES: bool = true;
    const FORETOLD: &'static [&'static str] = &["load_balancer_arn"];
    const WAIT: Wait = Wait::seconds(3, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_ranges(&[("priority", self.priority, 1, 50_000)])?;
        let least = usize::from(self.origin_key.is_none());
        if !(least..=MOST_PATHS).contains(&self.paths.len()) {
            return Err(format!("paths are {}; AWS allows 1-{MOST_PATHS}", self.paths.len()));
        }
        match self.paths.iter().find(|path| !path.starts_with('/') || path.len() > 128) {
            Some(path) => Err(format!("paths has {path:?}; AWS allows 1-128 characters from /")),
            None => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let call = cx.elbv2.describe_rules();
        let call = match (id, self.listener_arn.known()) {
            (Some(arn), _) => call.rule_arns(arn),
            (None, Some(listener)) => call.listener_arn(listener),
            (None, None) => return Ok(None),
        };
        let Some(answer) = call.send().await.if_present()? else { return Ok(None) };
        let rules: Vec<&Rule> = answer.rules().iter().filter(|rule| rule.is_default() != Some(true)).collect();
        let wanted = self.priority.to_string();
        let there = |rule: &&&Rule| id.is_some() || rule.priority() == Some(wanted.as_str());
        let Some(rule) = rules.iter().find(there) else { return Ok(None) };
        let arn = rule.rule_arn().always("rule ARN")?;
        let Some(tags) = tags_of_one(cx, arn).await.if_present()? else { return Ok(None) };
        let listener = listener_of(arn).always("listener in the rule's ARN")?;
        let balancer = balancer_of(&listener).always("load balancer in the listener's ARN")?;
        let outputs = ListenerRuleOutputs { arn: arn.to_owned(), load_balancer_arn: balancer.clone() };
        let keys = keys(rule.conditions());
        let origin_key = match keys.is_empty() {
            true => None,
            false => {
                let values = Values::of_secret(cx, self.origin_key.as_ref()).await?;
                Some(OriginKey::read(self.origin_key.as_ref(), &values, &keys))
            }
        };
        let live = ListenerRule {
            listener_arn: listener.into(),
            load_balancer_arn: balancer.into(),
            origin_key,
            ..live(rule, tags)
        };
        Ok(Some(Observed::ready(arn, live, outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let values = Values::of_secret(cx, self.origin_key.as_ref()).await?;
        let made = cx
            .elbv2
            .create_rule()
            .listener_arn(self.listener_arn.get()?)
            .priority(self.priority)
            .set_conditions(Some(self.conditions(&values)?))
            .actions(self.action()?)
            .set_transforms(self.transform().map(|transform| vec![transform]))
            .set_tags(Some(to_elb(&self.tags)))
            .send()
            .await
            .map_err(|error| values.cut_out_of_fault(error))?;
        made.rules().first().and_then(|made| made.rule_arn().map(str::to_owned)).always("rule ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has_any(&["paths", "origin_key", "target_group_arn", "rewrite"]) {
            let transform = self.transform();
            let values = Values::of_secret(cx, self.origin_key.as_ref()).await?;
            cx.elbv2
                .modify_rule()
                .rule_arn(&observed.id)
                .set_conditions(Some(self.conditions(&values)?))
                .actions(self.action()?)
                .set_reset_transforms(transform.is_none().then_some(true))
                .set_transforms(transform.map(|transform| vec![transform]))
                .send()
                .await
                .map_err(|error| values.cut_out_of_fault(error))?;
        }
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.elbv2.delete_rule().rule_arn(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "elasticloadbalancing", "listener-rule/", index::by_arn).await
    }
}

impl ListenerRule {
    fn conditions(&self, values: &Values) -> Result<Vec<RuleCondition>> {
        let mut conditions = Vec::new();
        if !self.paths.is_empty() {
            let paths = PathPatternConditionConfig::builder().set_values(Some(self.paths.iter().cloned().collect()));
            conditions.push(RuleCondition::builder().field(PATH).path_pattern_config(paths.build()).build());
        }
        if let Some(key) = &self.origin_key {
            let all = key.values(values)?.into_iter().map(str::to_owned).collect();
            let header = HttpHeaderConditionConfig::builder().http_header_name(HEADER).set_values(Some(all));
            conditions.push(RuleCondition::builder().field(HTTP_HEADER).http_header_config(header.build()).build());
        }
        Ok(conditions)
    }

    fn action(&self) -> Result<ElbAction> {
        let action = ElbAction::builder().r#type(ActionTypeEnum::Forward);
        Ok(action.target_group_arn(self.target_group_arn.get()?).build())
    }

    fn transform(&self) -> Option<RuleTransform> {
        let Rewrite { regex, replace } = self.rewrite.as_ref()?;
        let rewrite = RewriteConfig::builder().regex(regex).replace(replace).build();
        let config = UrlRewriteConfig::builder().rewrites(rewrite).build();
        Some(RuleTransform::builder().r#type(TransformTypeEnum::UrlRewrite).url_rewrite_config(config).build())
    }
}

/// The rule but for its listener, which it does not name, and for its keys.
fn live(rule: &Rule, tags: Tags) -> ListenerRule {
    ListenerRule {
        listener_arn: "".into(),
        load_balancer_arn: "".into(),
        priority: rule.priority().and_then(|text| text.parse().ok()).unwrap_or_default(),
        paths: paths(rule.conditions()),
        origin_key: None,
        target_group_arn: target(rule.actions()).unwrap_or_default().into(),
        rewrite: rewrite(rule.transforms()),
        tags,
    }
}

/// The paths that a rule looks at, and of each condition that nobody asked for what it looks at, as `source-ip`.
fn paths(conditions: &[RuleCondition]) -> BTreeSet<String> {
    let others: Vec<&RuleCondition> = conditions.iter().filter(|condition| key_header(condition).is_none()).collect();
    if let [condition] = others[..]
        && condition.field() == Some(PATH)
        && condition.regex_values().is_empty()
    {
        let config = condition.path_pattern_config().map(|config| config.values());
        let values = config.filter(|values| !values.is_empty()).unwrap_or(condition.values());
        return values.iter().cloned().collect();
    }
    others.iter().filter_map(|condition| condition.field().map(str::to_owned)).collect()
}

/// The values of which a request must show one.
fn keys(conditions: &[RuleCondition]) -> Vec<&str> {
    let asked: Vec<_> = conditions.iter().filter_map(key_header).collect();
    // A rule that looks at something else too, or twice, is another than was asked for.
    let [config] = asked[..] else { return Vec::new() };
    config.values().iter().map(String::as_str).collect()
}

/// What a condition says of the header that keys are sent in.
fn key_header(condition: &RuleCondition) -> Option<&HttpHeaderConditionConfig> {
    let header = condition.http_header_config().filter(|_| condition.field() == Some(HTTP_HEADER))?;
    header.http_header_name().filter(|name| name.eq_ignore_ascii_case(HEADER)).map(|_| header)
}

/// Where a rule that forwards, and does nothing else, forwards to.
fn target(actions: &[ElbAction]) -> Option<&str> {
    let [action] = actions else { return None };
    action.target_group_arn().filter(|_| action.r#type() == Some(&ActionTypeEnum::Forward))
}

/// How paths are changed; `None` too where somebody has more changed than one path.
fn rewrite(transforms: &[RuleTransform]) -> Option<Rewrite> {
    let [transform] = transforms else { return None };
    let [rewrite] = transform.url_rewrite_config()?.rewrites() else { return None };
    Some(Rewrite { regex: rewrite.regex()?.to_owned(), replace: rewrite.replace()?.to_owned() })
}

/// `…:listener-rule/app/NAME/ID/LISTENER/RULE` → `…:listener/app/NAME/ID/LISTENER`.
fn listener_of(rule: &str) -> Option<String> {
    let (head, path) = rule.split_once(":listener-rule/")?;
    Some(format!("{head}:listener/{}", path.rsplit_once('/')?.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::origin_key::tests::{key, values};

    fn rule(paths: &[&str], origin_key: Option<OriginKey>) -> ListenerRule {
        ListenerRule {
            listener_arn: "arn:listener".into(),
            load_balancer_arn: "arn:balancer".into(),
            priority: 1,
            paths: paths.iter().map(|path| (*path).to_owned()).collect(),
            origin_key,
            target_group_arn: "arn:targets".into(),
            rewrite: None,
            tags: Tags::new(),
        }
    }

    #[test]
    fn conditions_read_back_as_they_were_written() {
        let hidden = values(&[("v1", "hush-1"), ("v2", "hush-2")]);
        for (wanted, shown) in [
            (rule(&["/dev/*"], None), &[][..]),
            (rule(&[], Some(key(&["v1", "v2"]))), &["hush-1", "hush-2"]),
            (rule(&["/a", "/b"], Some(key(&["v2"]))), &["hush-2"]),
        ] {
            wanted.check().unwrap();
            let conditions = wanted.conditions(&hidden).unwrap();
            assert_eq!(paths(&conditions), wanted.paths);
            assert_eq!(keys(&conditions), shown);
            assert!(!serde_json::to_string(&wanted).unwrap().contains("hush"));
        }
        assert!(rule(&[], None).check().unwrap_err().contains("paths are 0"));
    }

    #[test]
    fn what_somebody_has_it_look_at_besides_is_told() {
        let mut conditions = rule(&[], Some(key(&["v1"]))).conditions(&values(&[("v1", "hush")])).unwrap();
        conditions.push(RuleCondition::builder().field("source-ip").build());
        assert_eq!(paths(&conditions), ["source-ip".to_owned()].into());
        conditions.push(conditions[0].clone());
        assert!(keys(&conditions).is_empty(), "both must hold, which is not what was asked for");
    }
}
