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
pub(super) fn trust(place: &Place, service: &str, source_arn: Option<String>) -> Value {
    let mut condition = json!({ "StringEquals": { "aws:SourceAccount": place.account } });
    if let Some(arn) = source_arn {
        condition["ArnLike"] = json!({ "aws:SourceArn": arn });
    }
    document([json!({
        "Effect": "Allow",
        "Principal": { "Service": service },
        "Action": "sts:AssumeRole",
        "Condition": condition,
    })])
}

/// A trust policy for API Gateway. It names no source when it takes on a role, for an integration or for its logs, so a
/// condition on the source would shut it out: every call would end in a 500. Another account cannot use the role anyway,
/// since a role is passed to a service within its own account only.
pub(super) fn trust_api_gateway() -> Value {
    document([json!({
        "Effect": "Allow",
        "Principal": { "Service": "apigateway.amazonaws.com" },
        "Action": "sts:AssumeRole",
    })])
}

/// Leaves the key to the account's own IAM policies. Without it the key could become unmanageable.
pub(super) fn account_owns(place: &Place) -> Value {
    let root = format!("arn:{}:iam::{}:root", place.partition, place.account);
    by(allow("AccountOwnsTheKey", &["kms:*"], &["*".into()]), json!({ "AWS": root }))
}
