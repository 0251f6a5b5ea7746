//! Policy documents, in the one shape that AWS gives back: every statement with an `Effect`, lists as lists.

use serde_json::{Value, json};

use super::Place;
use crate::stack::Out;

/// A document of these statements.
pub(super) fn document(statements: impl IntoIterator<Item = Value>) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements.into_iter().collect::<Vec<_>>() })
}

/// Allows these actions on these resources.
pub(super) fn allow(sid: &str, actions: &[&str], resources: &[Out<String>]) -> Value {
    let resources: Vec<Value> = resources.iter().map(Out::json).collect();
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// The statement with a condition.
pub(super) fn when(mut statement: Value, condition: Value) -> Value {
    statement["Condition"] = condition;
    statement
}

/// The statement with a principal.
pub(super) fn by(mut statement: Value, principal: Value) -> Value {
    statement["Principal"] = principal;
    statement
}

/// A trust policy for an AWS service, closed to other accounts' use of that service (the confused deputy).
pub(super) fn trust(place: &Place, service: &str, source_arn: String) -> Value {
    let condition = json!({
        "StringEquals": { "aws:SourceAccount": place.account },
        "ArnLike": { "aws:SourceArn": source_arn },
    });
    document([when(assumed_by(service), condition)])
}

/// The same for a service of which no page of AWS says that it tells for whom it acts, and none that it does not: what it
/// tells must be right, and what it leaves out shuts it out of nothing.
pub(super) fn trust_as_told(place: &Place, service: &str, source_arn: String) -> Value {
    let condition = json!({
        "StringEqualsIfExists": { "aws:SourceAccount": place.account },
        "ArnLikeIfExists": { "aws:SourceArn": source_arn },
    });
    document([when(assumed_by(service), condition)])
}

/// A trust policy for a service that never tells for whom it acts: any condition on that would shut it out.
pub(super) fn trust_untold(service: &str) -> Value {
    document([assumed_by(service)])
}

fn assumed_by(service: &str) -> Value {
    json!({ "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" })
}

/// A trust policy for API Gateway. When it takes on the role of an integration it does not say for which account.
pub(super) fn trust_api_gateway(place: &Place) -> Value {
    trust_account_as_told(place, "apigateway.amazonaws.com")
}

/// A trust policy for a service that does not say for which account it acts, or may not: a plain condition on that would shut
/// it out; so the account must be ours wherever it is told.
pub(super) fn trust_account_as_told(place: &Place, service: &str) -> Value {
    let condition = json!({ "StringEqualsIfExists": { "aws:SourceAccount": place.account } });
    document([when(assumed_by(service), condition)])
}

/// Leaves the key to the account's own IAM policies. Without it the key could become unmanageable.
pub(super) fn account_owns(place: &Place) -> Value {
    let root = format!("arn:{}:iam::{}:root", place.partition, place.account);
    by(allow("AccountOwnsTheKey", &["kms:*"], &["*".into()]), json!({ "AWS": root }))
}
