//! Who was seen to use a key that its policy opens to everybody, and will be without it once that policy is narrower.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_iam::types::{ContextEntry, ContextKeyTypeEnum, PolicyEvaluationDecisionType};
use serde_json::Value;

use crate::aws::{Always, Aws};
use crate::error::{Fault, Result};
use crate::plan::{Plan, Step};
use crate::resource::Resource;
use crate::resources::kms::Key;

/// How many events of a key are looked at, the newest first. AWS answers 50 at once, twice a second.
const MOST_EVENTS: usize = 250;

/// What was done with a key in somebody's name: a principal, an action, and the service through which.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    principal: String,
    action: String,
    through: String,
}

/// A sentence for each key of the plan whose policy stops naming everybody: who used it in the last 90 days, by the event
/// history, and has no permission of his own.
pub async fn remarks(aws: &Aws, plan: &Plan) -> Vec<String> {
    let mut told = Vec::new();
    for step in plan.steps.iter().filter(|step| is_narrowed(step)) {
        let Some(id) = step.id.as_deref() else { continue };
        let losers = losers(aws, &aws.arn("kms", &format!("key/{id}"))).await;
        let what = format!("{} stops being open to everybody in the account", step.node);
        told.extend(match losers {
            Ok(losers) if losers.is_empty() => None,
            Ok(losers) => Some(format!("{what}; who used it and has no permission of his own: {}", losers.join(", "))),
            Err(fault) => Some(format!("{what}; who used it could not be told: {fault}")),
        });
    }
    told
}

/// Whether the policy that is live has a statement for everybody, and the wanted one has none.
fn is_narrowed(step: &Step) -> bool {
    if step.kind != Key::KIND {
        return false;
    }
    let Some(diff) = step.action.diff() else { return false };
    let names_everybody = |value: &Value| value.to_string().contains(r#""Principal":{"AWS":"*"}"#);
    let mut policies = diff.changes.iter().filter(|change| change.field() == "policy");
    policies.any(|change| names_everybody(&change.live) && !names_everybody(&change.want))
}

async fn losers(aws: &Aws, key: &str) -> Result<Vec<String>> {
    let mut without = BTreeSet::new();
    for Use { principal, action, through } in uses(aws, key).await? {
        if !is_permitted(aws, &principal, key, &action, &through).await? {
            without.insert(format!("{principal} ({action} through {through})"));
        }
    }
    Ok(without.into_iter().collect())
}

async fn uses(aws: &Aws, key: &str) -> Result<BTreeSet<Use>> {
    let of_key = LookupAttribute::builder().attribute_key(LookupAttributeKey::ResourceName).attribute_value(key);
    let of_key = of_key.build().map_err(|error| Fault::invalid(error.to_string()))?;
    let mut events = aws.cloudtrail.lookup_events().lookup_attributes(of_key).into_paginator().items().send();
    let mut found = BTreeSet::new();
    for _ in 0..MOST_EVENTS {
        let Some(event) = events.next().await else { break };
        let text = event?.cloud_trail_event.always("event")?;
        found.extend(serde_json::from_str::<Value>(&text).ok().as_ref().and_then(used));
    }
    Ok(found)
}

/// Who did it, where it was somebody of this account who went through a service.
fn used(event: &Value) -> Option<Use> {
    let identity = &event["userIdentity"];
    let through = identity["invokedBy"].as_str().or(event["sourceIPAddress"].as_str())?;
    let through = through.strip_suffix(".amazonaws.com")?.to_owned();
    let issuer = identity.pointer("/sessionContext/sessionIssuer/arn");
    let principal = issuer.or(identity.get("arn"))?.as_str()?.to_owned();
    let own = !principal.contains(":role/aws-service-role/") && !principal.ends_with(":root");
    own.then(|| Use { principal, action: format!("kms:{}", event["eventName"].as_str().unwrap_or_default()), through })
}

/// Whether the principal's own policies let it. One that is gone by now needs nothing.
async fn is_permitted(aws: &Aws, principal: &str, key: &str, action: &str, through: &str) -> Result<bool> {
    let known = BTreeMap::from([
        ("kms:ViaService", format!("{through}.{}.amazonaws.com", aws.region)),
        ("kms:CallerAccount", aws.account.clone()),
    ]);
    let entries = known.into_iter().map(|(name, value)| {
        let entry = ContextEntry::builder().context_key_name(name).context_key_type(ContextKeyTypeEnum::String);
        entry.context_key_values(value).build()
    });
    let ask = aws.iam.simulate_principal_policy().policy_source_arn(principal).resource_arns(key);
    let ask = ask.action_names(action).set_context_entries(Some(entries.collect()));
    let answer = match ask.send().await.map_err(Fault::from) {
        Err(fault) if fault.code == "NoSuchEntity" => return Ok(true),
        answer => answer?,
    };
    let decisions = answer.evaluation_results().iter().map(|result| result.eval_decision());
    Ok(decisions.into_iter().all(|decision| decision == &PolicyEvaluationDecisionType::Allowed))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_people_and_roles_who_went_through_a_service_are_looked_at() {
        let event = |identity: Value| json!({ "eventName": "Decrypt", "sourceIPAddress": "secretsmanager.amazonaws.com", "userIdentity": identity });
        let role = "arn:aws:iam::123456789012:role/report";
        let session = json!({ "arn": "arn:aws:sts::123456789012:assumed-role/report/s",
            "sessionContext": { "sessionIssuer": { "arn": role } } });
        let found = used(&event(session)).unwrap();
        assert_eq!((found.principal.as_str(), found.action.as_str()), (role, "kms:Decrypt"));
        assert_eq!(found.through, "secretsmanager");
        assert_eq!(used(&event(json!({ "type": "AWSService" }))), None);
        let linked = "arn:aws:iam::123456789012:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS";
        assert_eq!(used(&event(json!({ "arn": linked }))), None);
        let mut by_itself = event(json!({ "arn": role }));
        by_itself["sourceIPAddress"] = json!("203.0.113.7");
        assert_eq!(used(&by_itself), None, "the policy let nobody use the key but through a service");
    }
}
