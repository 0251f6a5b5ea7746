//! `tapctl.toml`: what a person may set, checked before anything in AWS is touched.
//!
//! The way of a setting: `document` finds every key with the line it stands on and refuses those `rules` does
//! not know; `rules` checks each value alone; the base and then `[env.<name>]` are laid over `defaults`; and
//! `validate` checks what belongs together. All of it collects, so one run reports every mistake.
//!
//! [`Config`] is the only definition of the settings: there is no second, sparse one to keep in step.

mod defaults;
mod document;
mod env_name;
mod error;
mod flag;
mod forms;
#[cfg(test)]
mod messages;
mod profile;
pub mod regions;
mod remarks;
mod rules;
mod said;
mod settings;
#[cfg(test)]
mod tests;
mod validate;
mod words;

use std::io::{ErrorKind, Read};
use std::path::Path;

use serde::Deserialize;

pub use env_name::EnvName;
pub use error::ConfigError;
pub use flag::flag;
pub use forms::private_registry;
pub use profile::Profile;
pub use said::Said;
pub use settings::*;

use document::Document;
use error::Problem;

/// A `tapctl.toml` that shows every setting with its default, all commented out.
pub const TEMPLATE: &str = include_str!("template.toml");

/// Bytes that no file of settings has: what goes on for ever is no file of settings.
const MOST: u64 = 16 << 20;

/// Reads a file of settings.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MOST {
        true => Err(std::io::Error::other(format!("it has more than {} MiB", MOST >> 20))),
        false => Ok(bytes),
    }
}

impl Config {
    /// What this environment gets for being protected, or for not being.
    pub const fn profile(&self) -> Profile {
        Profile::of(self.protect)
    }

    /// Reads the settings of one environment. A file that is not there means the defaults, unless the person named
    /// it (`explicit`). A `stack` given here goes before the one the file names; either decides on the defaults.
    ///
    /// # Errors
    /// Every mistake in the file, and an environment name that AWS's limits do not allow.
    pub fn load(path: &Path, explicit: bool, env: &str, stack: Option<StackKind>) -> Result<Config, ConfigError> {
        let file = path.display().to_string();
        match read(path).map(String::from_utf8) {
            Ok(Ok(text)) => Config::parse(&file, &text, env, stack),
            Ok(Err(error)) => Err(ConfigError::not_utf8(&file, &error)),
            Err(error) if error.kind() == ErrorKind::NotFound && !explicit => Config::without_file(env, stack),
            Err(error) => Err(ConfigError::unreadable(&file, &error)),
        }
    }

    /// The settings of one environment where all is left to the defaults.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn without_file(env: &str, stack: Option<StackKind>) -> Result<Config, ConfigError> {
        let config = Config::parse("tapctl.toml", "", env, stack)?;
        Ok(Config { origin: Origin::default(), ..config })
    }

    /// Sets the region that something other than the file names, `by` its name.
    ///
    /// # Errors
    /// Where a setting is of another region.
    pub fn place_in(&mut self, region: &str, by: &str) -> Result<(), ConfigError> {
        region.clone_into(&mut self.region);
        let arn = self.ingress.certificate_arn.as_deref().filter(|_| self.stack == StackKind::StudentRecords);
        match arn.and_then(|arn| arn.split(':').nth(3)).filter(|other| *other != region) {
            None => Ok(()),
            Some(_) => {
                let text = format!(
                    "ingress.certificate_arn is {:?}; allowed: a certificate in the region of the load balancer, and \
                     region is {region} by {by}",
                    arn.unwrap_or_default()
                );
                let line = self.said.line("ingress.certificate_arn");
                Err(ConfigError::new(self.said.file(), vec![Problem::new(line, text)]))
            }
        }
    }

    /// As [`Config::load`], from the text of a file that messages call `file`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(file: &str, text: &str, env: &str, stack: Option<StackKind>) -> Result<Config, ConfigError> {
        let env: EnvName = env.parse()?;
        let fail = |problems| ConfigError::new(file, problems);
        let (document, mut problems) = Document::parse(text, &env).map_err(|problem| fail(vec![problem]))?;
        let protect = document.valid("protect").and_then(|setting| setting.value.as_bool());
        let protect = protect.unwrap_or(env.as_str() == "prod");
        let named = document.valid("stack").and_then(|setting| StackKind::deserialize(&setting.value).ok());
        let stack = stack.or(named).unwrap_or(StackKind::StudentRecords);
        let defaults = defaults::defaults(stack, env, protect);
        let mut config = overlay(&defaults, &document).map_err(|problem| fail(vec![problem]))?;
        config.stack = stack;
        config.said = Said::of(file, &document);
        config.origin = Origin { file: Some(file.to_owned()), section: document.section };
        defaults::derive(&mut config, &|key| document.valid(key).is_some());
        problems.extend(validate::validate(&config, &document));
        if problems.is_empty() { Ok(config) } else { Err(fail(problems)) }
    }
}

/// The key of every setting; `tags.*` stands for all of `[tags]`.
pub fn keys() -> impl Iterator<Item = &'static str> {
    rules::RULES.iter().map(|(key, _)| *key)
}

fn overlay(defaults: &Config, document: &Document) -> Result<Config, Problem> {
    let internal = |error: serde_json::Error| Problem::new(None, format!("cannot be applied: {error}"));
    let mut all = serde_json::to_value(defaults).map_err(internal)?;
    for (key, setting) in document.valid_settings() {
        let place = match key.split_once('.') {
            Some((table, name)) => &mut all[table][name],
            None => &mut all[key],
        };
        *place = setting.value.clone();
    }
    serde_json::from_value(all).map_err(internal)
}
