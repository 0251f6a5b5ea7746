//! The web ACL, which refuses what no honest caller would send.

use std::collections::{BTreeMap, BTreeSet};

use super::builder::{Builder, Class};
use crate::resource::Tags;
use crate::resources::wafv2::{WebAcl, WebAclAssociation};
use crate::stack::{Node, Out};

/// AWS's rules against known bad addresses, inputs and injections, the cheapest first.
const RULE_GROUPS: [&str; 4] = [
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesSQLiRuleSet",
];
/// It blocks every body of more than 8 KB, which honest records have, and cannot be told another size: AWS WAF developer
/// guide, "Baseline rule groups". What may be too large, the stream and the service say.
const COUNTED: (&str, &str) = ("AWSManagedRulesCommonRuleSet", "SizeRestrictions_BODY");

impl Builder<'_> {
    /// Guards the stage of an API by its ARN, where the settings want a web ACL.
    pub fn guard_stage(&mut self, stage_arn: Out<String>) {
        let limit = self.config.api.waf_rate_limit;
        self.guard("web-acl", "waf", "Before the API", Some(limit), ("web-acl-stage", stage_arn));
    }

    /// The same for a load balancer that an API calls over the internet. To it all callers have the few addresses that API
    /// Gateway has, so no rate is right for one.
    pub fn guard_balancer(&mut self, balancer_arn: Out<String>) {
        let association = ("web-acl-load-balancer", balancer_arn);
        self.guard("web-acl-origin", "waf-origin", "Before the load balancer", None, association);
    }

    fn guard(
        &mut self,
        node: &str,
        name: &str,
        what: &str,
        rate_limit: Option<i64>,
        (association, resource_arn): (&str, Out<String>),
    ) {
        if !self.config.api.waf {
            return;
        }
        self.layer("wafv2", Class::Internal);
        let acl: Node<WebAcl> = self.stack.add(
            node,
            WebAcl {
                name: self.name(name),
                description: self.describe(what),
                managed_rule_groups: RULE_GROUPS.map(str::to_owned).into(),
                counted: BTreeMap::from([(COUNTED.0.to_owned(), BTreeSet::from([COUNTED.1.to_owned()]))]),
                rate_limit,
                by_hand: BTreeSet::new(),
                tags: Tags::new(),
            },
        );
        self.stack.add(association, WebAclAssociation { web_acl_arn: acl.arn(), resource_arn });
    }
}
