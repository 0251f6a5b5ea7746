//! The web ACL, which refuses what no honest caller would send.

use super::builder::{Builder, Class};
use crate::resource::Tags;
use crate::resources::wafv2::{WebAcl, WebAclAssociation};
use crate::stack::Out;

/// AWS's rules against known bad addresses, inputs and injections, the cheapest first.
const RULE_GROUPS: [&str; 4] = [
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesSQLiRuleSet",
];

impl Builder<'_> {
    /// Guards these things by their ARNs, where the settings want a web ACL.
    pub fn web_acl<const N: usize>(&mut self, guarded: [Option<(&str, Out<String>)>; N]) {
        if !self.config.api.waf {
            return;
        }
        self.layer("wafv2", Class::Internal);
        let acl = self.stack.add(
            "web-acl",
            WebAcl {
                name: self.name("waf"),
                description: self.describe("Before the API"),
                managed_rule_groups: RULE_GROUPS.map(str::to_owned).into(),
                rate_limit: Some(self.config.api.waf_rate_limit),
                by_hand: Default::default(),
                tags: Tags::new(),
            },
        );
        for (thing, resource_arn) in guarded.into_iter().flatten() {
            let association = WebAclAssociation { web_acl_arn: acl.arn(), resource_arn };
            self.stack.add(format!("web-acl-{thing}"), association);
        }
    }
}
