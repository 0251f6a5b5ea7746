//! The name of an environment, short enough for every AWS name it becomes a part of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::error::{ConfigError, Problem};

/// The names with the least room: what AWS calls the object, what stands before the environment, and AWS's limit in
/// characters.
const TIGHT: [(&str, &str, usize); 3] = [
    ("load balancer", "student-alb-", 32),
    ("target group", "student-tg-<hash>-", 32),
    ("Redis replication group", "student-redis-", 40),
];

/// Hexadecimal digits that tell a target group from the one that replaces it.
const HASH: usize = 6;

/// A valid environment name: `dev`, `prod`, `pr123`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvName(String);

impl EnvName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EnvName {
    type Err = ConfigError;

    fn from_str(name: &str) -> Result<Self, ConfigError> {
        if is_valid(name) {
            return Ok(EnvName(name.to_owned()));
        }
        let text = format!("the environment's name (--env or ENVIRONMENT_SUFFIX) is {name:?}; allowed: {}", allowed());
        Err(ConfigError::new("", vec![Problem::new(None, text)]))
    }
}

/// Whether an environment can have this name.
pub(super) fn is_valid(name: &str) -> bool {
    name.len() <= tightest().0 && is_slug(name)
}

/// Lower-case letters, digits and single hyphens inside, a letter first.
pub(super) fn is_slug(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// The rules in words, with the reason for the length.
pub(super) fn allowed() -> String {
    let (room, (what, before, limit)) = tightest();
    format!(
        "lower-case letters, digits and single hyphens, a letter first, no hyphen last, at most {room} characters, \
         because AWS allows the name of a {what} {limit} and ours is {before}<env>"
    )
}

fn tightest() -> (usize, (&'static str, &'static str, usize)) {
    TIGHT.into_iter().map(|name| (room(name), name)).min().unwrap_or_default()
}

fn room((_, before, limit): (&str, &str, usize)) -> usize {
    limit - before.replace("<hash>", &"0".repeat(HASH)).len()
}
