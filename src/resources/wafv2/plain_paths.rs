//! The rule of a web ACL that refuses paths which an API would pass on as other paths.
//!
//! A REST API decodes what a caller puts into a path variable before it goes into the path of the integration: developer
//! guide of API Gateway, "Important notes for REST APIs". Of `/students/..%2Fadmin` it makes `/students/../admin`, so that a
//! caller reaches what the API does not list. WAF sees the path as the client sent it, unless a transformation decodes it:
//! developer guide of WAF, "Request components in AWS WAF".

use aws_sdk_wafv2::types::builders::RuleBuilder;
use aws_sdk_wafv2::types::{
    BlockAction, FieldToMatch, RegexMatchStatement, Rule, RuleAction, Statement, TextTransformation,
    TextTransformationType, UriPath,
};

use super::web_acl::{built, measured, visibility};
use crate::resources::prelude::*;

/// The rule's name.
const NAME: &str = "plain-paths";
/// `#`, `%`, `/`, `?` and `\`, encoded, and parts of a path that mean another part, encoded or not. `%25` since API Gateway
/// says of the percent sign only that it encodes it again, and `\` since many a service takes it for a slash. No capture:
/// WAF knows none (developer guide, "Supported regular expression syntax"). It takes 3 of the web ACL's capacity units, and
/// 10 for the transformation if AWS counts that of nothing: with the groups and the limit about 1140 of the 1500 that the
/// price of a web ACL covers.
const PATTERN: &str = r"%(?:2[35fF]|3[fF]|5[cC])|/(?:\.|%2[eE]){1,2}(?:/|$)";

/// The rule, for a web ACL of this name.
pub(super) fn rule(web_acl: &str) -> Result<RuleBuilder> {
    let block = RuleAction::builder().block(BlockAction::builder().build()).build();
    let visibility = visibility(&format!("{web_acl}-{NAME}"))?;
    Ok(Rule::builder().name(NAME).statement(statement()?).action(block).visibility_config(visibility))
}

fn statement() -> Result<Statement> {
    let as_it_is = TextTransformation::builder().priority(0).r#type(TextTransformationType::None);
    let path = RegexMatchStatement::builder()
        .regex_string(PATTERN)
        .field_to_match(FieldToMatch::builder().uri_path(UriPath::builder().build()).build())
        .text_transformations(built(as_it_is.build())?);
    Ok(Statement::builder().regex_match_statement(built(path.build())?).build())
}

/// Whether this is that rule, with nothing altered.
pub(super) fn is_it(rule: &Rule) -> bool {
    let same = rule.statement.as_ref().is_some_and(|found| statement().is_ok_and(|ours| *found == ours));
    let blocks = rule.action.as_ref().and_then(|action| action.block.as_ref());
    let blocks = blocks.is_some_and(|block| block.custom_response.is_none());
    same && blocks && rule.name == NAME && measured(rule.visibility_config())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours() -> Rule {
        rule("student-waf-dev").and_then(|rule| built(rule.priority(1).build())).unwrap()
    }

    #[test]
    fn it_is_recognised_and_an_altered_one_is_not() {
        assert!(is_it(&ours()));
        let altered: [fn(&mut Rule); 4] = [
            |rule| rule.name = "mine".to_owned(),
            |rule| rule.action = Some(RuleAction::builder().build()),
            |rule| rule.visibility_config = None,
            |rule| {
                let statement = rule.statement.as_mut().and_then(|found| found.regex_match_statement.as_mut());
                statement.unwrap().text_transformations[0].r#type = TextTransformationType::UrlDecode;
            },
        ];
        for alter in altered {
            let mut rule = ours();
            alter(&mut rule);
            assert!(!is_it(&rule), "{rule:?}");
        }
    }

    #[test]
    fn waf_knows_all_of_the_pattern() {
        assert!(PATTERN.len() <= 512);
        assert_eq!(PATTERN.matches('(').count(), PATTERN.matches("(?:").count());
    }
}
