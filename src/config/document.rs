//! The file as it was written: every setting with the line it stands on, for one environment.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::env_name::{self, EnvName};
use super::error::Problem;
use super::rules::{self, Rule, Wrong};
use super::words;

/// Longer values are cut in messages.
const SHOWN: usize = 120;

/// The settings that hold for one environment: the base's, and over them those of `[env.<name>]`.
#[derive(Debug, Default)]
pub(super) struct Document {
    /// Whether there is an `[env.<name>]` of this environment.
    pub(super) section: bool,
    settings: BTreeMap<String, Setting>,
    sections: BTreeSet<String>,
}

/// One setting in the file.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// The whole key, as in the file: `env.dev.network.azs`.
    pub(super) name: String,
    /// Its line, counted from 1.
    pub(super) line: usize,
    /// Its value as written, fit for a message.
    pub(super) source: String,
    /// Its value.
    pub(super) value: Value,
    /// Whether it stands in `[env.<name>]`.
    pub(super) in_env: bool,
    valid: bool,
}

impl Document {
    /// Finds every setting, and everything that is wrong with one alone, in all environments.
    ///
    /// # Errors
    /// Where the text is not TOML.
    pub(super) fn parse(text: &str, env: &EnvName) -> Result<(Document, Vec<Problem>), Problem> {
        let root = DeTable::parse(text).map_err(|error| syntax(text, &error))?;
        let mut reader = Reader { text, document: Document::default(), problems: Vec::new() };
        let (envs, base): (Vec<_>, Vec<_>) = root.get_ref().iter().partition(|(key, _)| key.get_ref() == "env");
        for (key, value) in base {
            reader.entry("", "", key, value, true);
        }
        for (key, value) in envs {
            reader.envs(key, value, env);
        }
        Ok((reader.document, reader.problems))
    }

    /// What the file sets a key to, right or wrong.
    pub(super) fn get(&self, key: &str) -> Option<&Setting> {
        self.settings.get(key)
    }

    /// What the file sets a key to, if that is right in itself.
    pub(super) fn valid(&self, key: &str) -> Option<&Setting> {
        self.get(key).filter(|setting| setting.valid)
    }

    /// The environments that have a section of their own.
    pub(super) fn sections(&self) -> &BTreeSet<String> {
        &self.sections
    }

    /// All settings that are right in themselves.
    pub(super) fn valid_settings(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.settings.iter().filter(|(_, setting)| setting.valid).map(|(key, setting)| (key.as_str(), setting))
    }
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;

struct Reader<'i> {
    text: &'i str,
    document: Document,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn envs(&mut self, key: &Key, value: &Spanned<DeValue>, selected: &EnvName) {
        let Some(envs) = value.get_ref().as_table() else {
            return self.problem(key.span(), format!("env is {}; allowed: tables [env.<name>]", self.source(value)));
        };
        for (name, value) in envs {
            let prefix = format!("env.{}", name.get_ref().escape_debug());
            if !env_name::is_valid(name.get_ref()) {
                let allowed = env_name::allowed();
                self.problem(name.span(), format!("{prefix} does not name an environment; allowed: {allowed}"));
                continue;
            }
            self.document.sections.insert(name.get_ref().to_string());
            let Some(table) = value.get_ref().as_table() else {
                let source = self.source(value);
                self.problem(name.span(), format!("{prefix} is {source}; allowed: a table [{prefix}]"));
                continue;
            };
            let own = name.get_ref() == selected.as_str();
            self.document.section |= own;
            for (key, value) in table {
                self.entry(&format!("{prefix}."), "", key, value, own);
            }
        }
    }

    /// `scope` is what stands before the key in the file, `table` what stands before it without the environment.
    fn entry(&mut self, scope: &str, table: &str, key: &Key, value: &Spanned<DeValue>, keep: bool) {
        let path = format!("{table}{}", key.get_ref());
        let name = format!("{scope}{table}{}", key.get_ref().escape_debug());
        if !scope.is_empty() && path == rules::ENVIRONMENTS {
            let text = format!("{name} is of no environment alone; allowed: {path} before the first table");
            self.problem(key.span(), text);
        } else if let Some(rule) = rules::find(&path) {
            self.setting(&path, name, rule, (key, value), keep);
        } else if !rules::is_table(&path) {
            let hint = rules::suggest(scope, &path);
            self.problem(key.span(), format!("{name} is not a setting; {hint}"));
        } else if let Some(inner) = value.get_ref().as_table() {
            for (key, value) in inner {
                self.entry(scope, &format!("{path}."), key, value, keep);
            }
        } else {
            let source = self.source(value);
            self.problem(key.span(), format!("{name} is {source}; allowed: a table [{name}]"));
        }
    }

    fn setting(&mut self, path: &str, name: String, rule: &Rule, at: (&Key, &Spanned<DeValue>), keep: bool) {
        let (key, spanned) = at;
        let (value, source, before) = (json(spanned.get_ref()), self.source(spanned), self.problems.len());
        if let Some(problem) = rules::tag_key(path) {
            self.problem(key.span(), format!("{name} {problem}"));
        }
        for wrong in rule.wrong(&value) {
            let element = |index| spanned.get_ref().as_array().and_then(|all| all.get(index)).unwrap_or(spanned);
            let (span, shown) = match wrong {
                Wrong::Whole => (key.span(), format!("is {source}{}", words::wrong(path, rule, &value))),
                Wrong::Element(index) => {
                    let why = words::wrong_item(path, rule, &json(element(index).get_ref()));
                    (element(index).span(), format!("has {}{why}", self.source(element(index))))
                }
                Wrong::Repeated(index) => {
                    (element(index).span(), format!("has {} twice; allowed: {rule}", self.source(element(index))))
                }
            };
            self.problem(span, format!("{name} {shown}"));
        }
        if keep {
            let (line, valid) = (line(self.text, &key.span()), before == self.problems.len());
            let setting = Setting { in_env: name != path, name, line, source, value, valid };
            self.document.settings.insert(path.to_owned(), setting);
        }
    }

    fn source(&self, value: &Spanned<DeValue>) -> String {
        if value.get_ref().is_table() {
            return "a table".to_owned();
        }
        let source = self.text.get(value.span()).unwrap_or_default();
        let source = source.split_whitespace().collect::<Vec<_>>().join(" ");
        match source.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}…", &source[..end]),
            None => source,
        }
    }

    fn problem(&mut self, span: Range<usize>, text: String) {
        self.problems.push(Problem::new(Some(line(self.text, &span)), text));
    }
}

/// A value that is not in JSON becomes null, which no rule allows.
fn json(value: &DeValue) -> Value {
    match value {
        DeValue::String(text) => Value::from(text.as_ref()),
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix()).ok().into(),
        DeValue::Float(digits) => digits.as_str().parse::<f64>().ok().into(),
        DeValue::Boolean(flag) => Value::from(*flag),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Datetime(_) | DeValue::Table(_) => Value::Null,
    }
}

fn line(text: &str, span: &Range<usize>) -> usize {
    1 + text.bytes().take(span.start).filter(|byte| *byte == b'\n').count()
}

fn syntax(text: &str, error: &toml::de::Error) -> Problem {
    let line = error.span().map(|span| line(text, &span));
    let shown = line.and_then(|line| text.lines().nth(line - 1)).unwrap_or_default().trim();
    Problem::new(line, format!("not TOML: {} in `{shown}`", error.message()))
}
