//! Environments that nobody has made yet. A name mistyped makes a second system beside the one that was meant, unprotected
//! and paid for, so that one is made only where somebody has said that it is to be new.

use std::collections::BTreeSet;

use super::Refusal;

/// An environment of which nothing is known: no state, no section in the settings, nothing in AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newcomer {
    /// Its name.
    pub env: String,
    /// The file of the settings, as messages call it.
    pub file: String,
    /// The environments there are.
    pub others: BTreeSet<String>,
}

impl Newcomer {
    /// That it is new, and which are not.
    pub fn note(&self) -> String {
        let Newcomer { env, file, others } = self;
        let others = match others.is_empty() {
            true => "no other is known here".to_owned(),
            false => format!("there are {}", others.iter().map(String::as_str).collect::<Vec<_>>().join(", ")),
        };
        format!("the environment {env} is new: no state, no [env.{env}] in {file}, nothing of it in AWS; {others}")
    }

    /// Refuses to make it unasked, where none of these patterns names it.
    ///
    /// # Errors
    /// Says how it is asked for.
    pub fn refuse_unnamed(&self, patterns: &[String]) -> Result<(), Refusal> {
        let Newcomer { env, file, .. } = self;
        if patterns.iter().any(|pattern| matches(pattern, env)) {
            return Ok(());
        }
        Err(Refusal::new(
            format!("the environment {env} is new, and --yes makes none that nobody has named; nothing was changed"),
            format!("if {env} is meant, add --new-env, or name it in {file}: environments = [\"{env}\"]"),
        ))
    }
}

/// Whether a name is this, or begins as what stands before the `*`.
fn matches(pattern: &str, env: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == env, |beginning| env.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn newcomer(others: &[&str]) -> Newcomer {
        let others = others.iter().map(|&other| other.to_owned()).collect();
        Newcomer { env: "prdo".to_owned(), file: "tapctl.toml".to_owned(), others }
    }

    #[test]
    fn a_new_environment_is_told_with_those_there_are() {
        insta::assert_snapshot!(newcomer(&["dev", "prod"]).note(), @"the environment prdo is new: no state, no [env.prdo] in tapctl.toml, nothing of it in AWS; there are dev, prod");
        insta::assert_snapshot!(newcomer(&[]).note(), @"the environment prdo is new: no state, no [env.prdo] in tapctl.toml, nothing of it in AWS; no other is known here");
    }

    #[test]
    fn only_what_is_named_is_made_unasked() {
        let named = |patterns: &[&str]| {
            let patterns: Vec<String> = patterns.iter().map(|&pattern| pattern.to_owned()).collect();
            newcomer(&[]).refuse_unnamed(&patterns).is_ok()
        };
        assert!(named(&["prdo"]) && named(&["dev", "pr*"]) && named(&["*"]) && named(&["prdo*"]));
        assert!(!named(&[]) && !named(&["dev", "prod", "prd", "x*"]));
        insta::assert_snapshot!(newcomer(&[]).refuse_unnamed(&["dev".to_owned()]).unwrap_err(), @r#"
        the environment prdo is new, and --yes makes none that nobody has named; nothing was changed
        hint: if prdo is meant, add --new-env, or name it in tapctl.toml: environments = ["prdo"]
        "#);
    }
}
