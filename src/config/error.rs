//! What is wrong with the settings: every mistake at once, each with its line.

use std::fmt;

/// Every mistake in the settings, one a line: `tapctl.toml:7: network.azs is 5; allowed: 2 or 3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: String,
    problems: Vec<Problem>,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Problem {
    line: Option<usize>,
    text: String,
}

impl Problem {
    /// A mistake on this line, counted from 1.
    pub(super) fn new(line: Option<usize>, text: impl Into<String>) -> Self {
        Problem { line, text: text.into() }
    }
}

impl ConfigError {
    /// In the order of their lines, whatever order they were found in. `file` is empty where no file is to blame.
    pub(super) fn new(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort();
        problems.dedup();
        ConfigError { file: file.to_owned(), problems }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.problems.len()
    }

    /// Whether no file is to blame, but a flag or the variable that stands for it.
    pub fn is_of_no_file(&self) -> bool {
        self.file.is_empty()
    }

    /// A file that is in another encoding, with the line it ceases to be readable on.
    pub(super) fn not_utf8(file: &str, error: &std::string::FromUtf8Error) -> Self {
        let readable = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = readable.iter().filter(|byte| **byte == b'\n').count() + 1;
        ConfigError::new(file, vec![Problem::new(Some(line), "is not UTF-8; save the file in that encoding")])
    }

    pub(super) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        ConfigError::new(file, vec![Problem::new(None, format!("cannot be read: {error}"))])
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Problem { line, text }) in self.problems.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            match line {
                Some(line) => write!(f, "{end}{}:{line}: {text}", self.file)?,
                None if self.file.is_empty() => write!(f, "{end}{text}")?,
                None => write!(f, "{end}{}: {text}", self.file)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
