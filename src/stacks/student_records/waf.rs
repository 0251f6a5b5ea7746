//! S12: the web ACL, which refuses what no campus system would send.

use super::api::Api;
use super::ingress::Ingress;
use super::{Builder, Class};
use crate::config::IngressMode;
use crate::resource::Tags;
use crate::resources::wafv2::{WebAcl, WebAclAssociation};

/// AWS's rules against known bad addresses, inputs and injections, the cheapest first.
const RULE_GROUPS: [&str; 4] = [
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
    "AWSManagedRulesSQLiRuleSet",
];

impl Builder<'_> {
    pub(super) fn waf(&mut self, api: &Api, ingress: &Ingress) {
        if !self.config.api.waf {
            return;
        }
        self.layer("wafv2", Class::Internal);
        let acl = self.stack.add(
            "web-acl",
            WebAcl {
                name: self.name("waf"),
                description: format!("Before the API of student-records {}", self.config.env),
                managed_rule_groups: RULE_GROUPS.map(str::to_owned).into(),
                rate_limit: Some(self.config.api.waf_rate_limit),
                by_hand: Default::default(),
                tags: Tags::new(),
            },
        );
        let mut guarded = vec![("stage", api.stage.arn())];
        if self.config.ingress.mode == IngressMode::Public {
            guarded.push(("load-balancer", ingress.balancer.arn()));
        }
        for (thing, resource_arn) in guarded {
            let association = WebAclAssociation { web_acl_arn: acl.arn(), resource_arn };
            self.stack.add(format!("web-acl-{thing}"), association);
        }
    }
}
