//! What is wrong with a value, and what is allowed instead.

use serde_json::Value;

use super::forms;
use super::rules::Rule;

/// How many of many words are pointed out as near.
const NEAR: usize = 3;
/// More words than these are too many to look through.
const FEW: usize = 6;

/// The end of a sentence that begins `key is value`.
pub(super) fn wrong(key: &str, rule: &Rule, value: &Value) -> String {
    let told = mistype(rule, value).or_else(|| Some(format!("; {}", forms::reason(key, value.as_str()?)?)));
    let (before, after) = quotes(rule, value);
    format!("{}; allowed: {before}{}{rule}{after}", told.unwrap_or_default(), nearest(rule, value))
}

/// The end of a sentence that begins `key has value`.
pub(super) fn wrong_item(key: &str, rule: &Rule, item: &Value) -> String {
    let told = match item {
        Value::String(text) => forms::reason(key, text).map(|why| format!("; {why}")),
        other => noun(other).map(|noun| format!(", {noun}")),
    };
    format!("{}; allowed: {rule}", told.unwrap_or_default())
}

/// What a value is, where the setting is of another type. A table says so itself.
fn mistype(rule: &Rule, value: &Value) -> Option<String> {
    let right = match rule {
        Rule::Flag => value.is_boolean(),
        Rule::Whole(..) | Rule::Halves(..) | Rule::Number(..) => value.is_number(),
        Rule::Word(_) | Rule::Version(_) | Rule::Text(..) => value.is_string(),
        Rule::List { .. } => value.is_array(),
    };
    noun(value).filter(|_| !right).map(|noun| format!(", {noun}"))
}

fn noun(value: &Value) -> Option<&'static str> {
    Some(match value {
        Value::String(_) => "a text",
        Value::Number(_) => "a number",
        Value::Array(_) => "a list",
        Value::Null | Value::Bool(_) | Value::Object(_) => return None,
    })
}

/// What stands around the rule where quotes are what is wrong, or what is missing.
fn quotes(rule: &Rule, value: &Value) -> (&'static str, &'static str) {
    match (rule, value) {
        (Rule::Flag, Value::String(_)) => ("", ", without quotes"),
        (Rule::Number(..), Value::String(_)) => ("the number ", ", without quotes"),
        (Rule::Whole(..) | Rule::Halves(..), Value::String(_)) => ("a number, ", ", without quotes"),
        (Rule::Text(..), Value::Number(_) | Value::Bool(_)) => ("", ", in quotes"),
        _ => ("", ""),
    }
}

/// Of many words, those that are nearest to the one that is none of them, as versions are.
fn nearest(rule: &Rule, value: &Value) -> String {
    let (Rule::Word(all) | Rule::Version(all)) = rule else { return String::new() };
    let wanted = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let Some(wanted) = version(&wanted).filter(|_| all.len() > FEW) else { return String::new() };
    let mut near: Vec<(i64, &str)> =
        all.iter().filter_map(|word| Some((distance(version(word)?, wanted), *word))).collect();
    near.sort_unstable();
    let near: Vec<String> = near.iter().take(NEAR).map(|(_, word)| format!("{word:?}")).collect();
    format!("{} (the nearest) or another of ", near.join(", "))
}

fn version(text: &str) -> Option<(i64, i64)> {
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    Some((major.parse::<u16>().ok()?.into(), minor.parse::<u16>().ok()?.into()))
}

fn distance(one: (i64, i64), other: (i64, i64)) -> i64 {
    let majors = (one.0 - other.0).abs() * i64::from(u16::MAX);
    majors + if majors == 0 { (one.1 - other.1).abs() } else { 0 }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::wrong;
    use crate::config::rules::{self, Rule};

    fn told(key: &str, value: serde_json::Value) -> String {
        wrong(key, rules::find(key).unwrap_or(&Rule::Flag), &value)
    }

    #[test]
    fn what_is_of_another_type_is_told_so() {
        assert_eq!(told("network.azs", json!("2")), ", a text; allowed: the number 2 or 3, without quotes");
        assert_eq!(told("protect", json!("true")), ", a text; allowed: true or false, without quotes");
        assert_eq!(told("protect", json!(1)), ", a number; allowed: true or false");
        assert_eq!(told("account", json!(123)), ", a number; allowed: an AWS account's 12 digits, in quotes");
        assert_eq!(told("engine.parallelism", json!(0)), "; allowed: 1 to 64");
        assert_eq!(told("service.port", json!("80")), ", a text; allowed: a number, 1 to 65535, without quotes");
    }

    #[test]
    fn the_nearest_versions_come_first() {
        let said = told("database.engine_version", json!("15.4"));
        assert!(
            said.starts_with("; allowed: \"15.10\", \"15.12\", \"15.13\" (the nearest) or another of \"13.9\", "),
            "{said}"
        );
        let said = told("database.engine_version", json!(16.12));
        assert!(said.starts_with(", a number; allowed: \"16.11\", \"16.13\", \"16.10\" (the nearest)"), "{said}");
        let said = told("database.engine_version", json!("latest"));
        assert!(said.starts_with("; allowed: \"13.9\", "), "{said}");
    }
}
