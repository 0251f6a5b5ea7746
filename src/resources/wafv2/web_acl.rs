//! A regional web ACL: AWS's managed rule groups, a limit for each address, and plain paths. A write replaces it whole, so
//! whatever else it holds is shown as a difference before it is lost. What Shield Advanced put into it stays: AWS WAF developer
//! guide, "Recognizing rule groups provided by other services".

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_wafv2::error::BuildError;
use aws_sdk_wafv2::types::builders::RuleBuilder;
use aws_sdk_wafv2::types::{
    AllowAction, BlockAction, CountAction, DefaultAction, ManagedRuleGroupStatement, NoneAction, OverrideAction,
    RateBasedStatement, RateBasedStatementAggregateKeyType, ResourceType, Rule, RuleAction, RuleActionOverride, Scope,
    Statement, Tag, VisibilityConfig, WebAcl as WafAcl, WebAclSummary,
};

use super::plain_paths;
use crate::error::Class;
use crate::resource::TAG_NODE;
use crate::resources::named::{Named, find};
use crate::resources::prelude::*;
use crate::resources::values::text;

/// The name of the rule that limits each address.
const RATE_RULE: &str = "rate-limit";
/// Over how long requests are counted, in seconds: AWS's own choice.
const RATE_WINDOW: i64 = 300;
/// What the name of the rule begins with by which Shield Advanced mitigates an attack.
const SHIELD: &str = "ShieldMitigationRuleGroup";
/// What AWS's managed rule groups begin with.
const MANAGED: &str = "AWSManagedRules";
/// Groups that AWS only takes with settings of their own, as the address of a login page.
const NEED_SETTINGS: [&str; 3] =
    ["AWSManagedRulesACFPRuleSet", "AWSManagedRulesATPRuleSet", "AWSManagedRulesBotControlRuleSet"];

/// What else a web ACL may protect, in regions that have such things. Its stages and load balancers are associations that go along.
const PROTECTED: [ResourceType; 2] = [ResourceType::CognitioUserPool, ResourceType::Appsync];

/// What is looked at, and refused, before a request reaches an API or a load balancer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebAcl {
    /// Its name, 1-128 letters, digits, `_` and `-`.
    pub name: String,
    /// What it is for, 3-256 characters.
    pub description: String,
    /// AWS's managed rule groups, the first to be asked first.
    pub managed_rule_groups: Vec<String>,
    /// Rules of those groups that count what they match and block nothing, by their group.
    #[serde(default)]
    pub counted: BTreeMap<String, BTreeSet<String>>,
    /// Requests in five minutes after which an address is blocked, 10-2000000000. `None`: no limit.
    // Left out and not null, which would mean that it is not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<i64>,
    /// Whether paths are refused that an API would pass on as other paths: those with an encoded `/`, `?` or `#`, and others.
    #[serde(default)]
    pub plain_paths: bool,
    /// What else it holds: rules that somebody added or altered, settings that this kind does not make. Empty in a spec.
    pub by_hand: BTreeSet<String>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WebAclOutputs {
    /// Its ARN, which holds its name and its id.
    pub arn: String,
    /// Its name.
    pub web_acl_name: String,
}

impl Node<WebAcl> {
    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// Its name, known once it exists.
    pub fn web_acl_name(&self) -> Out<String> {
        self.out("web_acl_name")
    }
}

impl Named for WebAclSummary {
    const LIST: &'static str = "wafv2.web-acls";

    fn name(&self) -> Option<&str> {
        self.name()
    }

    async fn describe(cx: &Cx<'_>, name: Option<&str>) -> Result<Vec<Self>> {
        let mut all = Vec::new();
        let mut marker = None;
        loop {
            let ask = cx.wafv2.list_web_acls().scope(Scope::Regional).limit(100).set_next_marker(marker);
            let answer = ask.send().await?;
            let page = answer.web_acls.unwrap_or_default();
            marker = answer.next_marker.filter(|marker| !marker.is_empty() && !page.is_empty());
            all.extend(page.into_iter().filter(|acl| name.is_none() || acl.name() == name));
            if marker.is_none() {
                return Ok(all);
            }
        }
    }
}

impl Resource for WebAcl {
    type Cloud = Aws;
    type Outputs = WebAclOutputs;
    const KIND: &'static str = "wafv2.web_acl";
    const IMMUTABLE: &'static [&'static str] = &["name"];
    const FORETOLD: &'static [&'static str] = &["web_acl_name"];
    const WAIT: Wait = Wait::seconds(5, 300, 900);

    fn check(&self) -> std::result::Result<(), String> {
        let word = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        if !(1..=128).contains(&self.name.len()) || !word(&self.name) {
            return Err(format!("name is {:?}; AWS allows 1-128 letters, digits, _ and -", self.name));
        }
        check_description(&self.description)?;
        let mut seen = BTreeSet::new();
        for group in &self.managed_rule_groups {
            if !group.starts_with(MANAGED) || !word(group) || group.len() > 128 {
                return Err(format!("managed_rule_groups has {group:?}; AWS's own begin with {MANAGED}"));
            }
            if NEED_SETTINGS.contains(&group.as_str()) {
                return Err(format!("managed_rule_groups has {group}, which needs settings that cannot be given here"));
            }
            if !seen.insert(group) {
                return Err(format!("managed_rule_groups has {group} twice; rules need names of their own"));
            }
        }
        if let Some((group, _)) = self.counted.iter().find(|(group, rules)| !seen.contains(group) || rules.is_empty()) {
            return Err(format!("counted has {group}; it names rules of a group of managed_rule_groups"));
        }
        if let Some(limit) = self.rate_limit.filter(|limit| !(10..=2_000_000_000).contains(limit)) {
            return Err(format!("rate_limit is {limit}; AWS allows 10-2000000000"));
        }
        match self.by_hand.is_empty() {
            true => Ok(()),
            false => Err("by_hand is not empty; it only tells what is found".to_owned()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let arn = match id {
            Some(arn) => arn.to_owned(),
            None => match find::<WebAclSummary>(cx, &self.name, None).await? {
                Some(found) => text(found.arn()),
                None => return Ok(None),
            },
        };
        let Some((acl, _)) = get(cx, &arn).await? else { return Ok(None) };
        let Some(tags) = tags_of(cx, &arn).await.if_present()? else { return Ok(None) };
        let outputs = WebAclOutputs { arn: arn.clone(), web_acl_name: acl.name.clone() };
        Ok(Some(Observed::ready(arn, live(&acl, tags), outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .wafv2
            .create_web_acl()
            .name(&self.name)
            .scope(Scope::Regional)
            .description(&self.description)
            .default_action(allow())
            .set_rules(Some(self.rules()?))
            .visibility_config(visibility(&self.name)?)
            .set_tags(Some(to_waf(&self.tags)?))
            .send()
            .await?;
        made.summary.and_then(|summary| summary.arn).always("web ACL ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let arn = &observed.id;
        if diff.has_any(&["description", "managed_rule_groups", "counted", "rate_limit", "plain_paths", "by_hand"]) {
            self.overwrite(cx, arn).await?;
        }
        if diff.has("tags") {
            retag(cx, arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let Some((acl, token)) = get(cx, &observed.id).await? else { return Ok(()) };
        let ask = cx.wafv2.delete_web_acl().name(acl.name).id(acl.id).scope(Scope::Regional).lock_token(token);
        ask.send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        let mut found = Vec::new();
        for kind in PROTECTED {
            let ask = cx.wafv2.list_resources_for_web_acl().web_acl_arn(&observed.id).resource_type(kind);
            let arns = match ask.send().await.if_present() {
                Ok(answer) => answer.and_then(|answer| answer.resource_arns).unwrap_or_default(),
                // "The resource is not supported in current region": hashicorp/terraform-provider-aws#45182 on GitHub.
                Err(fault) if fault.class == Class::Invalid => continue,
                Err(fault) => return Err(fault),
            };
            found.extend(arns.into_iter().map(|arn| Holder::of(&arn, format!("{arn}, which it protects"))));
        }
        Ok(found)
    }

    /// Their own list has no tags. All names of an environment have its name in them.
    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let all = cx.pass.shared(WebAclSummary::LIST, || WebAclSummary::describe(cx, None)).await?;
        let mut found = Vec::new();
        for (name, arn) in all.iter().filter_map(|acl| Some((acl.name()?, acl.arn()?))) {
            if name.contains(&cx.owner.env) {
                let tags = tags_of(cx, arn).await.if_present()?.unwrap_or_default();
                let node = tags.get(TAG_NODE).filter(|_| cx.owner.owns_any(&tags));
                found.extend(node.map(|node| Found::new(node, arn)));
            }
        }
        Ok(found)
    }
}

impl WebAcl {
    async fn overwrite(&self, cx: &Cx<'_>, arn: &str) -> Result<()> {
        // The token is as old as the last write, which may be somebody's after we looked.
        let Some((acl, token)) = get(cx, arn).await? else { return Ok(()) };
        let mut rules = self.rules()?;
        rules.extend(acl.rules().iter().filter(|rule| is_shields(rule)).cloned());
        cx.wafv2
            .update_web_acl()
            .name(acl.name)
            .id(acl.id)
            .scope(Scope::Regional)
            .lock_token(token)
            .description(&self.description)
            .default_action(allow())
            .set_rules(Some(rules))
            .visibility_config(visibility(&self.name)?)
            .set_on_source_d_do_s_protection_config(acl.on_source_d_do_s_protection_config)
            .send()
            .await?;
        Ok(())
    }

    /// The limit comes first: it costs least and spares the others a flood.
    fn rules(&self) -> Result<Vec<Rule>> {
        let limit = self.rate_limit.map(|limit| self.rate_rule(limit));
        let paths = self.plain_paths.then(|| plain_paths::rule(&self.name));
        let groups = self.managed_rule_groups.iter().map(|group| self.group_rule(group));
        let rules = limit.into_iter().chain(paths).chain(groups).zip(0..);
        rules.map(|(rule, priority)| built(rule?.priority(priority).build())).collect()
    }

    fn rate_rule(&self, limit: i64) -> Result<RuleBuilder> {
        let statement = RateBasedStatement::builder()
            .limit(limit)
            .evaluation_window_sec(RATE_WINDOW)
            .aggregate_key_type(RateBasedStatementAggregateKeyType::Ip);
        let statement = Statement::builder().rate_based_statement(built(statement.build())?).build();
        let block = RuleAction::builder().block(BlockAction::builder().build()).build();
        let visibility = visibility(&format!("{}-{RATE_RULE}", self.name))?;
        Ok(Rule::builder().name(RATE_RULE).statement(statement).action(block).visibility_config(visibility))
    }

    fn group_rule(&self, group: &str) -> Result<RuleBuilder> {
        let counted = self.counted.get(group).map(|rules| rules.iter().map(|rule| count(rule)).collect());
        let managed = ManagedRuleGroupStatement::builder().vendor_name("AWS").name(group);
        let managed = built(managed.set_rule_action_overrides(counted.transpose()?).build())?;
        let statement = Statement::builder().managed_rule_group_statement(managed).build();
        let as_it_is = OverrideAction::builder().none(NoneAction::builder().build()).build();
        let visibility = visibility(&format!("{}-{group}", self.name))?;
        Ok(Rule::builder().name(group).statement(statement).override_action(as_it_is).visibility_config(visibility))
    }
}

fn live(acl: &WafAcl, tags: Tags) -> WebAcl {
    let mut live = WebAcl {
        name: acl.name.clone(),
        description: text(acl.description()),
        managed_rule_groups: Vec::new(),
        counted: BTreeMap::new(),
        rate_limit: None,
        plain_paths: false,
        by_hand: settings_by_hand(acl),
        tags,
    };
    let mut rules: Vec<&Rule> = acl.rules().iter().filter(|rule| !is_shields(rule)).collect();
    rules.sort_by_key(|rule| rule.priority);
    for rule in rules {
        if let Some(limit) = limit_of(rule).filter(|_| live.rate_limit.is_none()) {
            live.rate_limit = Some(limit);
        } else if plain_paths::is_it(rule) && !live.plain_paths {
            live.plain_paths = true;
        } else if let Some((group, counted)) = group_of(rule) {
            live.managed_rule_groups.push(group.to_owned());
            live.counted.extend((!counted.is_empty()).then(|| (group.to_owned(), counted)));
        } else {
            live.by_hand.insert(format!("rule {}", rule.name));
        }
    }
    live
}

/// Requests are let through unless a rule says otherwise.
fn allow() -> DefaultAction {
    DefaultAction::builder().allow(AllowAction::builder().build()).build()
}

/// Metrics, but no samples: those hold whole addresses and headers, in which students stand.
pub(super) fn visibility(metric: &str) -> Result<VisibilityConfig> {
    let config = VisibilityConfig::builder().cloud_watch_metrics_enabled(true).sampled_requests_enabled(false);
    built(config.metric_name(metric).build())
}

pub(super) fn measured(config: Option<&VisibilityConfig>) -> bool {
    config.is_some_and(|config| config.cloud_watch_metrics_enabled && !config.sampled_requests_enabled)
}

/// The limit that our own rule sets.
fn limit_of(rule: &Rule) -> Option<i64> {
    let rate = rule.statement.as_ref()?.rate_based_statement.as_ref()?;
    let plain = rate.aggregate_key_type == RateBasedStatementAggregateKeyType::Ip
        && rate.evaluation_window_sec == RATE_WINDOW
        && rate.scope_down_statement.is_none()
        && rate.custom_keys().is_empty();
    let blocks = rule.action.as_ref()?.block.as_ref()?.custom_response.is_none();
    (plain && blocks && rule.name == RATE_RULE && measured(rule.visibility_config())).then_some(rate.limit)
}

/// Shield Advanced's own rule, which nobody else is to change or delete.
fn is_shields(rule: &Rule) -> bool {
    rule.name.starts_with(SHIELD)
}

/// Has a rule of a group count what it would block.
fn count(rule: &str) -> Result<RuleActionOverride> {
    let count = RuleAction::builder().count(CountAction::builder().build()).build();
    built(RuleActionOverride::builder().name(rule).action_to_use(count).build())
}

/// The rule that an override has count, and do nothing else.
fn counted_by(change: &RuleActionOverride) -> Option<String> {
    let plain = change.action_to_use()?.count.as_ref()?.custom_request_handling.is_none();
    plain.then(|| change.name.clone())
}

/// The managed group of a rule that uses it as AWS offers it, and those of its rules that only count.
fn group_of(rule: &Rule) -> Option<(&str, BTreeSet<String>)> {
    let group = rule.statement.as_ref()?.managed_rule_group_statement.as_ref()?;
    let plain = group.vendor_name == "AWS"
        && group.version.is_none()
        && group.scope_down_statement.is_none()
        && group.excluded_rules().is_empty()
        && group.managed_rule_group_configs().is_empty();
    let enforced = rule.override_action.as_ref()?.none.is_some();
    let counted = group.rule_action_overrides().iter().map(counted_by).collect::<Option<_>>()?;
    let ours = plain && enforced && rule.name == group.name && measured(rule.visibility_config());
    ours.then_some((group.name(), counted))
}

/// The settings outside of rules that are not as this kind makes them.
fn settings_by_hand(acl: &WafAcl) -> BTreeSet<String> {
    let allows = acl.default_action().and_then(DefaultAction::allow);
    let settings = [
        ("default action", allows.is_none_or(|allow| allow.custom_request_handling.is_some())),
        ("visibility", !measured(acl.visibility_config())),
        ("token domains", !acl.token_domains().is_empty()),
        ("custom response bodies", acl.custom_response_bodies().is_some_and(|bodies| !bodies.is_empty())),
        ("association", acl.association_config().is_some()),
        ("captcha", acl.captcha_config().is_some()),
        ("challenge", acl.challenge_config().is_some()),
        ("data protection", acl.data_protection_config().is_some()),
    ];
    settings.into_iter().filter(|(_, by_hand)| *by_hand).map(|(name, _)| name.to_owned()).collect()
}

fn check_description(text: &str) -> std::result::Result<(), String> {
    let mark = |c: char| c.is_ascii_alphanumeric() || "_+=:#@/-,.".contains(c);
    let edges = text.starts_with(mark) && text.ends_with(mark);
    if edges && (3..=256).contains(&text.len()) && text.chars().all(|c| mark(c) || c.is_ascii_whitespace()) {
        return Ok(());
    }
    Err(format!("description is {text:?}; AWS allows 3-256 letters, digits, spaces inside and _+=:#@/-,."))
}

/// The web ACL with this ARN and the token for its next write.
async fn get(cx: &Cx<'_>, arn: &str) -> Result<Option<(WafAcl, String)>> {
    let mut parts = arn.rsplit('/');
    let (Some(id), Some(name)) = (parts.next(), parts.next()) else {
        return Err(Fault::invalid(format!("{arn} is no ARN of a web ACL")));
    };
    let ask = cx.wafv2.get_web_acl().name(name).id(id).scope(Scope::Regional);
    let Some(answer) = ask.send().await.if_present()? else { return Ok(None) };
    Ok(Some((answer.web_acl.always("web ACL")?, answer.lock_token.always("lock token")?)))
}

/// The tags of what has this ARN.
pub(super) async fn tags_of(cx: &Cx<'_>, arn: &str) -> Result<Tags> {
    // One page holds the fifty tags that AWS allows.
    let answer = cx.wafv2.list_tags_for_resource().resource_arn(arn).limit(100).send().await?;
    let list = answer.tag_info_for_resource.and_then(|info| info.tag_list).unwrap_or_default();
    Ok(tags::read(list.into_iter().map(|tag| (tag.key, tag.value))))
}

async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.wafv2.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.wafv2.tag_resource().resource_arn(arn).set_tags(Some(to_waf(&set)?)).send().await?;
    }
    Ok(())
}

fn to_waf(tags: &Tags) -> Result<Vec<Tag>> {
    tags.iter().map(|(key, value)| built(Tag::builder().key(key).value(value).build())).collect()
}

/// What a builder of the SDK gave; it only fails on a required field that was not set.
pub(super) fn built<T>(result: Result<T, BuildError>) -> Result<T> {
    result.map_err(|error| Fault::invalid(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acl() -> WebAcl {
        WebAcl {
            name: "student-waf-dev".to_owned(),
            description: "Student records API".to_owned(),
            managed_rule_groups: vec!["AWSManagedRulesCommonRuleSet".to_owned()],
            counted: [("AWSManagedRulesCommonRuleSet".to_owned(), ["SizeRestrictions_BODY".to_owned()].into())].into(),
            rate_limit: Some(2000),
            plain_paths: true,
            by_hand: BTreeSet::new(),
            tags: Tags::new(),
        }
    }

    #[test]
    fn only_what_aws_takes_passes() {
        assert_eq!(acl().check(), Ok(()));
        for (wrong, part) in [
            (WebAcl { name: "a b".to_owned(), ..acl() }, "name is"),
            (WebAcl { description: "it".to_owned(), ..acl() }, "description is"),
            (WebAcl { description: "ends in space ".to_owned(), ..acl() }, "description is"),
            (WebAcl { rate_limit: Some(9), ..acl() }, "rate_limit is 9"),
            (WebAcl { managed_rule_groups: vec!["Mine".to_owned()], ..acl() }, "Mine"),
            (WebAcl { managed_rule_groups: Vec::new(), ..acl() }, "counted has"),
            (WebAcl { managed_rule_groups: vec![NEED_SETTINGS[2].to_owned()], ..acl() }, "needs settings"),
            (
                WebAcl {
                    managed_rule_groups: [acl().managed_rule_groups, acl().managed_rule_groups].concat(),
                    ..acl()
                },
                "twice",
            ),
        ] {
            assert!(wrong.check().unwrap_err().contains(part), "{part}");
        }
    }

    #[test]
    fn its_own_rules_are_recognised_and_altered_ones_are_not() {
        let rules = acl().rules().unwrap();
        assert_eq!((limit_of(&rules[0]), group_of(&rules[0])), (Some(2000), None));
        assert!(plain_paths::is_it(&rules[1]));
        assert_eq!((limit_of(&rules[1]), group_of(&rules[1])), (None, None));
        let counted = BTreeSet::from(["SizeRestrictions_BODY".to_owned()]);
        let group = Some(("AWSManagedRulesCommonRuleSet", counted));
        assert_eq!((limit_of(&rules[2]), group_of(&rules[2])), (None, group));
        let mut allows = rules[2].clone();
        let group = allows.statement.as_mut().and_then(|statement| statement.managed_rule_group_statement.as_mut());
        let allow = RuleAction::builder().allow(AllowAction::builder().build()).build();
        group.unwrap().rule_action_overrides.as_mut().unwrap()[0].action_to_use = Some(allow);
        assert_eq!(group_of(&allows), None);
        let mut counts = rules[2].clone();
        counts.override_action = Some(OverrideAction::builder().build());
        assert_eq!(group_of(&counts), None);
        let mut counts = rules[0].clone();
        counts.action = Some(RuleAction::builder().build());
        assert_eq!(limit_of(&counts), None);
    }
}
