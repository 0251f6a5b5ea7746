//! Web ACLs and what they protect.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tapctl::resources::wafv2;

use super::{Bench, only, stack};

fn web_acl() -> wafv2::WebAcl {
    wafv2::WebAcl {
        name: "bench-waf".to_owned(),
        description: "Student records API".to_owned(),
        managed_rule_groups: ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet"].map(str::to_owned).to_vec(),
        counted: BTreeMap::new(),
        rate_limit: Some(2000),
        plain_paths: true,
        by_hand: BTreeSet::new(),
        tags: BTreeMap::new(),
    }
}

/// Fetches the web ACL as `acl`, and writes it back with what is put into `change`.
const ALTER_ACL: &str = "
waf = client('wafv2')
summary = waf.list_web_acls(Scope='REGIONAL')['WebACLs'][0]
named = {'Name': summary['Name'], 'Id': summary['Id'], 'Scope': 'REGIONAL'}
found = waf.get_web_acl(**named)
acl = found['WebACL']
def alter(**change):
    kept = {name: acl[name] for name in ('DefaultAction', 'Description', 'Rules', 'VisibilityConfig')}
    waf.update_web_acl(**named, LockToken=found['LockToken'], **kept | change)
";

/// What Shield Advanced puts into it, and what somebody has it do about a flood.
const UNDER_SHIELD: &str = "
shield = acl['Rules'][0] | {'Name': 'ShieldMitigationRuleGroup_1', 'Priority': 10_000_000}
alter(Rules=acl['Rules'] + [shield], OnSourceDDoSProtectionConfig={'ALBLowReputationMode': 'ALWAYS_ON'})
print('null')
";

const KEPT: &str = "
last = acl['Rules'][-1]
print(json.dumps([last['Name'], last['Priority'], acl['OnSourceDDoSProtectionConfig']['ALBLowReputationMode']]))
";

#[test]
fn a_web_acl() {
    let bench = Bench::new();
    let stack = only(web_acl());
    bench.begins(&stack);
    let alter = |python: &str, fields: &[&str]| bench.repairs(&stack, &format!("{ALTER_ACL}{python}"), fields);
    alter("alter(Description='Somebody was here')", &["it.description"]);
    alter("alter(DefaultAction={'Block': {}})", &["it.by_hand"]);
    alter("acl['Rules'][0]['Statement']['RateBasedStatement']['Limit'] = 500\nalter()", &["it.rate_limit"]);
    alter("acl['Rules'].pop(0)\nalter()", &["it.rate_limit"]);
    alter("acl['Rules'].pop()\nalter()", &["it.managed_rule_groups"]);
    alter("alter(Rules=[])", &["it.managed_rule_groups", "it.plain_paths", "it.rate_limit"]);
    alter("acl['Rules'].pop(1)\nalter()", &["it.plain_paths"]);
    let fields = ["it.by_hand", "it.plain_paths"];
    alter("acl['Rules'][1]['Statement']['RegexMatchStatement']['RegexString'] = 'x'\nalter()", &fields);
    alter("acl['Rules'][1]['Action'] = {'Count': {}}\nalter()", &fields);
    alter("acl['Rules'][2]['OverrideAction'] = {'Count': {}}\nalter()", &["it.by_hand", "it.managed_rule_groups"]);
    alter(
        "geo = {'GeoMatchStatement': {'CountryCodes': ['AQ']}}\n\
         alter(Rules=acl['Rules'] + [acl['Rules'][0] | {'Name': 'mine', 'Priority': 9, 'Statement': geo}])",
        &["it.by_hand"],
    );
    alter("alter(VisibilityConfig=acl['VisibilityConfig'] | {'CloudWatchMetricsEnabled': False})", &["it.by_hand"]);
    alter(
        "waf.tag_resource(ResourceARN=acl['ARN'], Tags=[{'Key': 'Mine', 'Value': 'yes'}])\n\
         waf.untag_resource(ResourceARN=acl['ARN'], TagKeys=['Name'])",
        &["it.tags.Mine", "it.tags.Name"],
    );
    alter(
        "count = [{'Name': 'SizeRestrictions_BODY', 'ActionToUse': {'Count': {}}}]\n\
         acl['Rules'][2]['Statement']['ManagedRuleGroupStatement']['RuleActionOverrides'] = count\nalter()",
        &["it.counted.AWSManagedRulesCommonRuleSet"],
    );
    bench.aws.python(&format!("{ALTER_ACL}{UNDER_SHIELD}"));
    bench.is_as_wanted(&stack);
    let groups = vec!["AWSManagedRulesKnownBadInputsRuleSet".to_owned()];
    let changed = wafv2::WebAcl { managed_rule_groups: groups, rate_limit: None, plain_paths: false, ..web_acl() };
    bench.changes(&only(changed), &["it.managed_rule_groups", "it.plain_paths", "it.rate_limit"]);
    bench.changes(
        &only(wafv2::WebAcl { rate_limit: Some(100), ..web_acl() }),
        &["it.managed_rule_groups", "it.plain_paths", "it.rate_limit"],
    );
    let kept = bench.aws.python(&format!("{ALTER_ACL}{KEPT}"));
    assert_eq!(kept, json!(["ShieldMitigationRuleGroup_1", 10_000_000, "ALWAYS_ON"]));
    bench.ends();
}

#[test]
fn a_web_acl_in_front_of_a_stage() {
    let bench = Bench::after(
        "
gateway = client('apigateway')
api = gateway.create_rest_api(name='bench', endpointConfiguration={'types': ['REGIONAL']})
where = {'restApiId': api['id'], 'resourceId': api['rootResourceId'], 'httpMethod': 'GET'}
gateway.put_method(**where, authorizationType='NONE')
gateway.put_integration(**where, type='MOCK')
deployment = gateway.create_deployment(restApiId=api['id'])
gateway.create_stage(restApiId=api['id'], stageName='dev', deploymentId=deployment['id'])",
    );
    let api = bench.aws.python("print(json.dumps(client('apigateway').get_rest_apis()['items'][0]['id']))");
    let stage = format!("arn:aws:apigateway:us-east-1::/restapis/{}/stages/dev", api.as_str().unwrap_or_default());
    let mut stack = stack();
    let acl = stack.add("acl", web_acl());
    let resource_arn = stage.as_str().into();
    stack.add("guard", wafv2::WebAclAssociation { web_acl_arn: acl.arn(), resource_arn });
    // What a fresh web ACL answers until it is known everywhere.
    bench.aws.fault(json!({
        "match": { "operation": "AssociateWebACL" },
        "nth": 1,
        "action": "error",
        "code": "WAFUnavailableEntityException",
        "status": 400,
    }));
    bench.begins(&stack);
    assert_eq!(bench.aws.struck(), 1);
    assert_eq!(bench.output("guard", "protected_arn"), stage);
    let guard = format!("waf = client('wafv2')\nstage = '{stage}'\n");
    bench.repairs(&stack, &format!("{guard}waf.disassociate_web_acl(ResourceArn=stage)"), &["create guard"]);
    let other = "
seen = {'SampledRequestsEnabled': True, 'CloudWatchMetricsEnabled': True, 'MetricName': 'm'}
acl = waf.create_web_acl(Name='other', Scope='REGIONAL', DefaultAction={'Allow': {}}, VisibilityConfig=seen)['Summary']
waf.associate_web_acl(ResourceArn=stage, WebACLArn=acl['ARN'])";
    bench.repairs(&stack, &format!("{guard}{other}"), &["guard.web_acl_arn"]);
    let guarded = bench.aws.python(&format!(
        "{guard}print(json.dumps(waf.get_web_acl_for_resource(ResourceArn=stage)['WebACL']['Name']))
other = [acl for acl in waf.list_web_acls(Scope='REGIONAL')['WebACLs'] if acl['Name'] == 'other'][0]
waf.delete_web_acl(Name='other', Scope='REGIONAL', Id=other['Id'], LockToken=other['LockToken'])"
    ));
    assert_eq!(guarded, "bench-waf");
    bench.ends();
}
