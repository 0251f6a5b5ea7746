//! Where a setting was said: so that what follows from it, and shows only later, can be told with its line.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;

/// The file and, of every setting in it that holds, the line and the words.
#[derive(Debug, Clone, Default)]
pub struct Said {
    file: String,
    sections: BTreeSet<String>,
    settings: BTreeMap<String, Place>,
}

#[derive(Debug, Clone)]
struct Place {
    line: usize,
    name: String,
    source: String,
}

/// Where a thing was said is no part of what was said.
impl PartialEq for Said {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Said {
    pub(super) fn of(file: &str, document: &Document) -> Said {
        let place = |(key, setting): (&str, &super::document::Setting)| {
            let (line, name, source) = (setting.line, setting.name.clone(), setting.source.clone());
            (key.to_owned(), Place { line, name, source })
        };
        let settings = document.valid_settings().map(place).collect();
        Said { file: file.to_owned(), sections: document.sections().clone(), settings }
    }

    /// The file, as messages call it.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The environments that have a section of their own.
    pub fn sections(&self) -> &BTreeSet<String> {
        &self.sections
    }

    /// The line of a setting, counted from 1.
    pub fn line(&self, key: &str) -> Option<usize> {
        self.settings.get(key).map(|place| place.line)
    }

    /// Where the file sets it, as `tapctl.toml:3`.
    pub fn place(&self, key: &str) -> Option<String> {
        Some(format!("{}:{}", self.file, self.line(key)?))
    }

    /// Whether the file sets it.
    pub fn has(&self, key: &str) -> bool {
        self.settings.contains_key(key)
    }

    /// `tapctl.toml:2: network.azs is 3`; where the file does not set it, `tapctl.toml: network.azs is left out`.
    pub fn of_setting(&self, key: &str) -> String {
        match self.settings.get(key) {
            Some(Place { line, name, source }) => format!("{}:{line}: {name} is {source}", self.file),
            None => format!("{}: {key} is left out, so its default holds", self.file),
        }
    }
}
