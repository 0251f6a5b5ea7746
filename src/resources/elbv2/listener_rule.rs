//! A rule of a listener, which is asked before the listener's own action: requests of certain paths go to a target group,
//! and may go there under another path. Only a rule can change a path: user guide for Application Load Balancers,
//! "Transforms for listener rules".

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{
    Action as ElbAction, ActionTypeEnum, PathPatternConditionConfig, RewriteConfig, Rule, RuleCondition, RuleTransform,
    TransformTypeEnum, UrlRewriteConfig,
};

use super::listener::balancer_of;
use super::{check_ranges, retag, tags_of_one, to_elb};
use crate::resources::prelude::*;

const PATH: &str = "path-pattern";
/// Most wildcards and values that a rule may compare with: Elastic Load Balancing API reference, `CreateRule`.
const MOST_PATHS: usize = 5;

/// Where a listener sends the requests of certain paths.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListenerRule {
    /// The listener.
    pub listener_arn: Out<String>,
    /// The load balancer of that listener.
    pub load_balancer_arn: Out<String>,
    /// 1-50000; of two rules that a request fits, the lower one holds.
    pub priority: i32,
    /// The paths, with `*` and `?`; empty where somebody has it look at something else.
    pub paths: BTreeSet<String>,
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
        if !(1..=MOST_PATHS).contains(&self.paths.len()) {
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
        let live =
            ListenerRule { listener_arn: listener.into(), load_balancer_arn: balancer.into(), ..live(rule, tags) };
        Ok(Some(Observed::ready(arn, live, outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .elbv2
            .create_rule()
            .listener_arn(self.listener_arn.get()?)
            .priority(self.priority)
            .conditions(self.condition())
            .actions(self.action()?)
            .set_transforms(self.transform().map(|transform| vec![transform]))
            .set_tags(Some(to_elb(&self.tags)))
            .send()
            .await?;
        made.rules().first().and_then(|made| made.rule_arn().map(str::to_owned)).always("rule ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has_any(&["paths", "target_group_arn", "rewrite"]) {
            let transform = self.transform();
            cx.elbv2
                .modify_rule()
                .rule_arn(&observed.id)
                .conditions(self.condition())
                .actions(self.action()?)
                .set_reset_transforms(transform.is_none().then_some(true))
                .set_transforms(transform.map(|transform| vec![transform]))
                .send()
                .await?;
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
    fn condition(&self) -> RuleCondition {
        let paths = PathPatternConditionConfig::builder().set_values(Some(self.paths.iter().cloned().collect()));
        RuleCondition::builder().field(PATH).path_pattern_config(paths.build()).build()
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

/// The rule but for its listener, which it does not name.
fn live(rule: &Rule, tags: Tags) -> ListenerRule {
    ListenerRule {
        listener_arn: "".into(),
        load_balancer_arn: "".into(),
        priority: rule.priority().and_then(|text| text.parse().ok()).unwrap_or_default(),
        paths: paths(rule.conditions()),
        target_group_arn: target(rule.actions()).unwrap_or_default().into(),
        rewrite: rewrite(rule.transforms()),
        tags,
    }
}

/// The paths of a rule that looks at nothing else.
fn paths(conditions: &[RuleCondition]) -> BTreeSet<String> {
    let [condition] = conditions else { return BTreeSet::new() };
    let config = condition.path_pattern_config().map(|config| config.values());
    let values = config.filter(|values| !values.is_empty()).unwrap_or(condition.values());
    let plain = condition.field() == Some(PATH) && condition.regex_values().is_empty();
    values.iter().filter(|_| plain).cloned().collect()
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
