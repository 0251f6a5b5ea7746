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

/// What is special about a web ACL.
struct Guard {
    /// Its node.
    node: &'static str,
    /// The thing in its name.
    name: &'static str,
    /// What it is for.
    what: &'static str,
    rate_limit: Option<i64>,
    plain_paths: bool,
    /// The node that puts it before something.
    association: &'static str,
}

impl Builder<'_> {
    /// Guards the stage of an API by its ARN, where the settings want a web ACL. Where callers choose parts of paths,
    /// `variables`, they must not make other paths of them.
    pub fn guard_stage(&mut self, stage_arn: Out<String>, variables: bool) {
        let guard = Guard {
            node: "web-acl",
            name: "waf",
            what: "Before the API",
            rate_limit: Some(self.config.api.waf_rate_limit),
            plain_paths: variables,
            association: "web-acl-stage",
        };
        self.guard(guard, stage_arn);
    }

    /// The same for a load balancer that an API calls over the internet. To it all callers have the few addresses that API
    /// Gateway has, so no rate is right for one, and what they chose of a path is decoded already.
    pub fn guard_balancer(&mut self, balancer_arn: Out<String>) {
        let guard = Guard {
            node: "web-acl-origin",
            name: "waf-origin",
            what: "Before the load balancer",
            rate_limit: None,
            plain_paths: false,
            association: "web-acl-load-balancer",
        };
        self.guard(guard, balancer_arn);
    }

    fn guard(&mut self, guard: Guard, resource_arn: Out<String>) {
        if !self.config.api.waf {
            return;
        }
        self.layer("wafv2", Class::Internal);
        let acl: Node<WebAcl> = self.stack.add(
            guard.node,
            WebAcl {
                name: self.name(guard.name),
                description: self.describe(guard.what),
                managed_rule_groups: RULE_GROUPS.map(str::to_owned).into(),
                counted: BTreeMap::from([(COUNTED.0.to_owned(), BTreeSet::from([COUNTED.1.to_owned()]))]),
                rate_limit: guard.rate_limit,
                plain_paths: guard.plain_paths,
                by_hand: BTreeSet::new(),
                tags: Tags::new(),
            },
        );
        self.stack.add(guard.association, WebAclAssociation { web_acl_arn: acl.arn(), resource_arn });
    }
}
