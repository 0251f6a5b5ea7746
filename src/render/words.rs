//! Values in words, each on one line: references by name, security group rules and policy statements as one reads them.

use serde_json::{Map, Value};

/// A value, for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    /// The words, on one line.
    pub text: String,
    /// Never cut: what stands in its middle may be what matters.
    pub whole: bool,
}

/// A field, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Field {
    /// Where: `tags.Owner`, `ingress[tcp 443 from 0.0.0.0/0]`.
    pub path: String,
    /// What it says; none where the path says it all.
    pub words: Option<Words>,
}

/// The order in which a statement is read, and what leads to each part.
const STATEMENT: &[(&str, &str)] = &[
    ("Action", ""),
    ("NotAction", "all but "),
    ("Resource", "on "),
    ("NotResource", "on all but "),
    ("Principal", "by "),
    ("NotPrincipal", "by all but "),
    ("Condition", "if "),
];

/// A value on one line. What only the apply will know is named.
pub(super) fn words(value: &Value) -> Words {
    if value.is_null() {
        return cut("(none)".to_owned());
    }
    if let Some(statement) = statement(value) {
        return whole(statement);
    }
    let text = inner(value);
    match is_reference(value) {
        true => cut(format!("(known after apply: {text})")),
        false => cut(text),
    }
}

/// A value field by field, down to what is one line long: the elements of a list of objects, a policy's statements.
pub(super) fn fields(path: &str, value: &Value) -> Vec<Field> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(items) if items.iter().any(is_structure) => items.iter().map(|item| element(path, item)).collect(),
        Value::Object(object) if is_policy(object) => {
            object["Statement"].as_array().into_iter().flatten().map(|item| element(path, item)).collect()
        }
        Value::Object(object) if is_structure(value) => {
            object.iter().flat_map(|(key, value)| fields(&join(path, key), value)).collect()
        }
        value => vec![Field { path: path.to_owned(), words: Some(words(value)) }],
    }
}

/// One element of a list.
pub(super) fn element(path: &str, item: &Value) -> Field {
    match rule(item, if path.ends_with("egress") { "to" } else { "from" }) {
        Some(rule) => Field { path: format!("{path}[{rule}]"), words: None },
        None => Field { path: path.to_owned(), words: Some(words(item)) },
    }
}

/// Whether it has parts with names, and is told part by part.
fn is_structure(value: &Value) -> bool {
    value.as_object().is_some_and(|object| !object.is_empty()) && !is_reference(value)
}

/// Whether its elements, statements, are what there is to tell.
pub(super) fn is_policy(object: &Map<String, Value>) -> bool {
    let statements = object.get("Statement").and_then(Value::as_array);
    statements.is_some_and(|all| all.iter().all(|one| one.get("Effect").is_some()))
}

/// Whether it stands for what another node will give.
fn is_reference(value: &Value) -> bool {
    value.as_object().is_some_and(|object| object.len() == 1)
        && (value.get("$ref").is_some_and(Value::is_string) || value.get("$join").is_some_and(Value::is_array))
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn cut(text: String) -> Words {
    Words { text, whole: false }
}

fn whole(text: String) -> Words {
    Words { text, whole: true }
}

/// JSON, but for references, which go by their names.
fn inner(value: &Value) -> String {
    if let Some(reference) = value.get("$ref").and_then(Value::as_str) {
        return reference.to_owned();
    }
    if let Some(parts) = value.get("$join").and_then(Value::as_array) {
        let part = |part: &Value| match part.as_str() {
            Some(text) => escaped(text),
            None => format!("{{{}}}", inner(part).trim_matches('"')),
        };
        return format!("\"{}\"", parts.iter().map(part).collect::<String>());
    }
    match value {
        Value::Array(items) => format!("[{}]", items.iter().map(inner).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let field = |(key, value): (&String, &Value)| format!("{}:{}", Value::from(key.as_str()), inner(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// As inside JSON's quotes.
fn escaped(text: &str) -> String {
    let quoted = Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A text as it is, where that leaves no doubt where it ends; otherwise in quotes.
fn bare(value: &Value) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !"\",;()".contains(c)) => {
            text.to_owned()
        }
        _ => inner(value),
    }
}

/// `tcp 5432 from 203.0.113.7/32 "my laptop"`.
fn rule(value: &Value, way: &str) -> Option<String> {
    let object = value.as_object().filter(|object| object.contains_key("peer") && object.contains_key("protocol"))?;
    let protocol = match object["protocol"].as_str()? {
        "-1" => "all traffic".to_owned(),
        protocol => protocol.to_owned(),
    };
    let ports = match (object.get("from_port")?.as_i64(), object.get("to_port")?.as_i64()) {
        (Some(from), Some(to)) if from == to => format!(" {from}"),
        (Some(from), Some(to)) => format!(" {from}-{to}"),
        _ => String::new(),
    };
    let (_, peer) = object["peer"].as_object()?.iter().next()?;
    let description = object.get("description").filter(|text| text.as_str().is_some_and(|text| !text.is_empty()));
    let description = description.map(|text| format!(" {text}")).unwrap_or_default();
    Some(format!("{protocol}{ports} {way} {}{description}", bare(peer)))
}

/// `Sid: Allow kms:Decrypt on * by arn:aws:iam::1:role/r if StringEquals kms:ViaService rds.us-east-1.amazonaws.com`.
fn statement(value: &Value) -> Option<String> {
    let object = value.as_object()?;
    let effect = object.get("Effect")?.as_str()?;
    let sid = object.get("Sid").map(|sid| format!("{}: ", bare(sid))).unwrap_or_default();
    let mut text = format!("{sid}{effect}");
    for (key, lead) in STATEMENT {
        let Some(part) = object.get(*key) else { continue };
        let part = match *key {
            "Principal" | "NotPrincipal" => principals(part),
            "Condition" => conditions(part),
            _ => several(part),
        };
        text.push_str(&format!(" {lead}{part}"));
    }
    let known = |key: &str| ["Sid", "Effect"].contains(&key) || STATEMENT.iter().any(|(part, _)| *part == key);
    for (key, part) in object.iter().filter(|(key, _)| !known(key)) {
        text.push_str(&format!(" {key} {}", inner(part)));
    }
    Some(text)
}

fn several(value: &Value) -> String {
    match value.as_array() {
        Some(items) => items.iter().map(bare).collect::<Vec<_>>().join(", "),
        None => bare(value),
    }
}

fn principals(value: &Value) -> String {
    let Some(object) = value.as_object().filter(|_| !is_reference(value)) else { return bare(value) };
    let of_type = |(kind, who): (&String, &Value)| match kind.as_str() {
        // Nobody takes an ARN for a service, nor a service for an account.
        "AWS" | "Service" => several(who),
        other => format!("{other} {}", several(who)),
    };
    object.iter().map(of_type).collect::<Vec<_>>().join(", ")
}

fn conditions(value: &Value) -> String {
    let mut all = Vec::new();
    for (operator, keys) in value.as_object().into_iter().flatten() {
        for (key, wanted) in keys.as_object().into_iter().flatten() {
            all.push(format!("{operator} {key} {}", several(wanted)));
        }
    }
    all.join(" and ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(value: Value) -> String {
        words(&value).text
    }

    #[test]
    fn references_go_by_their_names_wherever_they_stand() {
        assert_eq!(text(json!({"$ref": "vpc.vpc_id"})), "(known after apply: vpc.vpc_id)");
        let join = json!({"$join": ["arn:x/", {"$ref": "k.id"}, "/*"]});
        assert_eq!(text(join.clone()), r#"(known after apply: "arn:x/{k.id}/*")"#);
        assert_eq!(text(json!([{"$ref": "a.id"}, "b"])), r#"[a.id,"b"]"#);
        assert_eq!(text(json!({"to": join, "n": 1})), r#"{"n":1,"to":"arn:x/{k.id}/*"}"#);
    }

    #[test]
    fn a_rule_is_read_as_people_say_it() {
        let rule = |peer: Value, from: Value, to: Value, protocol: &str| json!({"protocol": protocol, "from_port": from, "to_port": to, "peer": peer, "description": "my \"lap\"\n"});
        let tcp = rule(json!({"cidr": "203.0.113.7/32"}), json!(5432), json!(5432), "tcp");
        let udp = rule(json!({"group": {"$ref": "g.id"}}), json!(1), json!(9), "udp");
        let any = rule(json!({"cidr6": "::/0"}), Value::Null, Value::Null, "-1");
        let told = |path: &str, value: Value| match fields(path, &json!([value])).as_slice() {
            [Field { path, words: None }] => path.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(told("ingress", tcp), r#"ingress[tcp 5432 from 203.0.113.7/32 "my \"lap\"\n"]"#);
        assert_eq!(told("ingress", udp), r#"ingress[udp 1-9 from g.id "my \"lap\"\n"]"#);
        assert_eq!(told("egress", any), r#"egress[all traffic to ::/0 "my \"lap\"\n"]"#);
    }

    #[test]
    fn a_statement_says_all_it_has() {
        let one = json!({
            "Sid": "Logs", "Effect": "Allow", "Action": ["kms:Decrypt", "kms:Encrypt*"], "Resource": "*",
            "Principal": {"Service": "logs.amazonaws.com", "Federated": "x", "AWS": ["a", {"$ref": "role.arn"}]},
            "Condition": {"ArnLike": {"aws:SourceArn": ["arn:1", "arn:2"]}, "Bool": {"aws:SecureTransport": "false"}},
            "Odd": 1
        });
        assert_eq!(
            words(&one),
            whole(
                "Logs: Allow kms:Decrypt, kms:Encrypt* on * by a, role.arn, Federated x, logs.amazonaws.com if ArnLike \
                 aws:SourceArn arn:1, arn:2 and Bool aws:SecureTransport false Odd 1"
                    .to_owned()
            )
        );
        let open = json!({"Effect": "Deny", "NotAction": "s3:*", "NotResource": "b", "NotPrincipal": "*"});
        assert_eq!(text(open), "Deny all but s3:* on all but b by all but *");
        assert_eq!(
            text(json!({"Effect": "Allow", "Action": "a b\u{1b}[2J", "Resource": "x, y"})),
            r#"Allow "a b\u001b[2J" on "x, y""#
        );
    }

    #[test]
    fn a_value_is_told_field_by_field_down_to_one_line() {
        let value = json!({
            "a": {"b": [1, 2], "empty": {}, "none": null}, "policy": {"Version": "1", "Statement": [{"Effect": "Deny"}]},
            "list": [{"x": 1}, {"y": 2}], "ref": {"$ref": "n.o"}
        });
        let told = fields("", &value).into_iter().map(|field| match field.words {
            Some(words) => format!("{}: {}", field.path, words.text),
            None => field.path,
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            [
                "a.b: [1,2]",
                "a.empty: {}",
                r#"list: {"x":1}"#,
                r#"list: {"y":2}"#,
                "policy: Deny",
                "ref: (known after apply: n.o)"
            ]
        );
    }
}
