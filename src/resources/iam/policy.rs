//! Policy documents: whether two say the same. AWS writes lists, principals and conditions in shapes of its own.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::error::{Fault, Result};
use crate::stack::is_resolved;

/// Reads a policy document.
///
/// # Errors
/// Where AWS gave something that is not JSON.
pub fn parse(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(|error| Fault::unexpected(format!("a policy document is not JSON: {error}")))
}

/// The live document: as `want` spells it where both say the same, so that they compare equal, and else as it is.
pub fn as_wanted(want: Option<&Value>, live: Value) -> Value {
    match want {
        Some(want) if canonical(want) == canonical(&live) => want.clone(),
        _ => live,
    }
}

/// Its size as AWS counts it, which is without white space. `None` while a reference in it is not known.
pub fn size(document: &Value) -> Option<usize> {
    is_resolved(document).then(|| document.to_string().chars().filter(|c| !c.is_whitespace()).count())
}

fn canonical(document: &Value) -> Value {
    let Some(fields) = document.as_object() else { return document.clone() };
    let mut fields = fields.clone();
    fields.entry("Version").or_insert_with(|| "2008-10-17".into());
    let statements: Value = fields.get("Statement").map_or(&[][..], items).iter().map(statement).collect();
    fields.insert("Statement".into(), statements);
    fields.into()
}

fn statement(statement: &Value) -> Value {
    let Some(fields) = statement.as_object() else { return statement.clone() };
    let field = |(key, value): (&String, &Value)| {
        let value = match key.as_str() {
            "Action" | "NotAction" => set(value, |action| action.to_lowercase()),
            "Resource" | "NotResource" => set(value, |resource| resource.to_owned()),
            "Principal" | "NotPrincipal" => principals(value),
            "Condition" => each(value, conditions),
            _ => value.clone(),
        };
        (key.clone(), value)
    };
    fields.iter().map(field).collect::<Map<_, _>>().into()
}

fn principals(value: &Value) -> Value {
    match value {
        Value::String(_) => json!({ "AWS": set(value, principal) }),
        _ => each(value, |names| set(names, principal)),
    }
}

/// AWS turns an account id into the ARN of the account's root.
fn principal(name: &str) -> String {
    let account = name.strip_prefix("arn:").and_then(|arn| arn.strip_suffix(":root"));
    account.and_then(|arn| arn.rsplit(':').next()).unwrap_or(name).to_owned()
}

fn conditions(tests: &Value) -> Value {
    let Some(tests) = tests.as_object() else { return tests.clone() };
    let test = |(key, value): (&String, &Value)| (key.to_lowercase(), set(value, |value| value.to_owned()));
    tests.iter().map(test).collect::<Map<_, _>>().into()
}

fn each(value: &Value, normal: impl Fn(&Value) -> Value) -> Value {
    let Some(fields) = value.as_object() else { return value.clone() };
    fields.iter().map(|(key, value)| (key.clone(), normal(value))).collect::<Map<_, _>>().into()
}

/// One text, or several in any order: a set either way.
fn set(value: &Value, normal: impl Fn(&str) -> String) -> Value {
    let text = |item: &Value| item.as_str().map_or_else(|| item.to_string(), &normal);
    json!(items(value).iter().map(text).collect::<BTreeSet<String>>())
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: Value, b: Value) -> bool {
        as_wanted(Some(&a), b) == a
    }

    #[test]
    fn what_says_the_same_compares_equal() {
        let want = json!({"Version": "2012-10-17", "Statement": {
            "Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "*",
            "Principal": {"AWS": "123456789012"}, "Condition": {"Bool": {"aws:SecureTransport": true}},
        }});
        let live = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["s3:listbucket", "s3:GetObject"], "Resource": ["*"],
            "Principal": {"AWS": ["arn:aws:iam::123456789012:root"]},
            "Condition": {"Bool": {"aws:securetransport": "true"}},
        }]});
        assert!(same(want, live));
    }

    #[test]
    fn what_grants_more_does_not() {
        let allow = |action: Value| json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]});
        assert!(!same(allow(json!("s3:GetObject")), allow(json!(["s3:GetObject", "s3:PutObject"]))));
        assert!(!same(
            allow(json!("a:B")),
            json!({"Statement": [{"Effect": "Deny", "Action": "a:B", "Resource": "*"}]})
        ));
        let open = json!({"Statement": [{"Principal": {"AWS": "arn:aws:iam::123456789012:role/x"}}]});
        assert!(!same(json!({"Statement": [{"Principal": {"AWS": "123456789012"}}]}), open));
    }

    #[test]
    fn the_size_leaves_out_white_space_and_waits_for_references() {
        assert_eq!(size(&json!({"a": "b c"})), Some(10));
        assert_eq!(size(&json!({"a": {"$ref": "x.y"}})), None);
    }
}
