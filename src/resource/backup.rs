//! What AWS has from which an object could be restored.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// A snapshot, or another copy, of what an object held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// AWS's identifier.
    pub id: String,
    /// What it is, in a few words for people: `manual snapshot, 16.9`.
    pub what: String,
    /// When it was taken, where AWS tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<Timestamp>,
}

impl Backup {
    /// The newest first; those of which nothing is known last, by their ids.
    pub fn newest_first(mut backups: Vec<Backup>) -> Vec<Backup> {
        backups.sort_by(|a, b| b.taken.cmp(&a.taken).then_with(|| a.id.cmp(&b.id)));
        backups.dedup_by(|a, b| a.id == b.id);
        backups
    }
}

impl fmt::Display for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.id, self.what)?;
        match &self.taken {
            Some(taken) => write!(f, ", taken {taken:.0})"),
            None => write!(f, ")"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Backup;

    #[test]
    fn the_newest_is_told_first_and_each_once() {
        let backup = |id: &str, second: Option<i64>| Backup {
            id: id.to_owned(),
            what: "manual snapshot".to_owned(),
            taken: second.map(|second| jiff::Timestamp::from_second(second).unwrap()),
        };
        let all = vec![backup("b", None), backup("old", Some(10)), backup("new", Some(20)), backup("new", Some(20))];
        let told: Vec<String> = Backup::newest_first(all).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "new (manual snapshot, taken 1970-01-01T00:00:20Z)",
                "old (manual snapshot, taken 1970-01-01T00:00:10Z)",
                "b (manual snapshot)"
            ]
        );
    }
}
