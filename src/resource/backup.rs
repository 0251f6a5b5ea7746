//! What AWS has from which an object could be restored.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// How one can go back to what an object held, were it harmed or gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayBack {
    /// It holds nothing of its own.
    NoData,
    /// By its backups, which [`backups`](super::Resource::backups) tells. One of them should be young.
    Backups,
    /// AWS makes no backups of it; what there is instead, in a few words for people.
    Otherwise(&'static str),
}

/// A snapshot, or another copy, of what an object held.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// AWS's identifier.
    pub id: String,
    /// What it is, in a few words for people: `manual snapshot, 16.9`.
    pub what: String,
    /// When it was taken, where AWS tells; of a stretch of time its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<Timestamp>,
    /// Where it is a stretch of time, every second of which one can go back to: its beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// How large it is, as AWS tells it: `20 GiB`, `3 MB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<String>,
    /// The KMS key without which it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<BackupKey>,
    /// Why it cannot be restored from yet, or any more, in AWS's word: `creating`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unready: Option<String>,
    /// Whether AWS removes it together with the object.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub goes_along: bool,
}

/// The KMS key of a backup.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BackupKey {
    /// Its ARN.
    pub arn: String,
    /// What is wrong with it, in a few words for people: nobody can read the backup now. `None` where it can be used, or
    /// where AWS does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Backup {
    /// The newest first; those of which nothing is known last, by their ids.
    pub fn newest_first(mut backups: Vec<Backup>) -> Vec<Backup> {
        backups.sort_by(|a, b| b.taken.cmp(&a.taken).then_with(|| a.id.cmp(&b.id)));
        backups.dedup_by(|a, b| a.id == b.id);
        backups
    }

    /// What is wrong with its key, if anything is.
    pub fn trouble(&self) -> Option<&str> {
        self.key.as_ref()?.trouble.as_deref()
    }

    /// Whether one can go back with it to a moment that is no longer ago than this.
    pub fn leads_back_within(&self, longest: SignedDuration, now: Timestamp) -> bool {
        let is_young = |taken: Timestamp| now.duration_since(taken) <= longest;
        self.unready.is_none() && self.trouble().is_none() && self.taken.is_some_and(is_young)
    }
}

impl fmt::Display for Backup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.id, self.what)?;
        match (&self.since, &self.taken) {
            (Some(since), Some(taken)) => write!(f, ", from {since:.0} to {taken:.0}")?,
            (_, Some(taken)) => write!(f, ", taken {taken:.0}")?,
            _ => {}
        }
        match self.trouble() {
            Some(trouble) => write!(f, "; {trouble})"),
            None => write!(f, ")"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn backup(id: &str, second: Option<i64>) -> Backup {
        let (id, what) = (id.to_owned(), "manual snapshot".to_owned());
        Backup { id, what, taken: second.map(at), ..Backup::default() }
    }

    #[test]
    fn the_newest_is_told_first_and_each_once() {
        let stretch = Backup { since: Some(at(5)), what: "any second".to_owned(), ..backup("db", Some(30)) };
        let key = BackupKey { arn: "arn".to_owned(), trouble: Some("its key is gone".to_owned()) };
        let shut = Backup { key: Some(key), ..backup("shut", Some(5)) };
        let all =
            vec![backup("b", None), backup("old", Some(10)), backup("new", Some(20)), backup("new", Some(20)), shut];
        let told: Vec<String> =
            Backup::newest_first([vec![stretch], all].concat()).iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "db (any second, from 1970-01-01T00:00:05Z to 1970-01-01T00:00:30Z)",
                "new (manual snapshot, taken 1970-01-01T00:00:20Z)",
                "old (manual snapshot, taken 1970-01-01T00:00:10Z)",
                "shut (manual snapshot, taken 1970-01-01T00:00:05Z; its key is gone)",
                "b (manual snapshot)"
            ]
        );
    }

    #[test]
    fn only_what_is_young_whole_and_readable_leads_back() {
        let leads = |backup: Backup| backup.leads_back_within(SignedDuration::from_secs(10), at(100));
        assert!(leads(backup("young", Some(90))));
        assert!(!leads(backup("old", Some(89))));
        assert!(!leads(backup("undated", None)));
        assert!(!leads(Backup { unready: Some("creating".to_owned()), ..backup("half", Some(99)) }));
        let key = |trouble: Option<&str>| BackupKey { arn: "arn".to_owned(), trouble: trouble.map(str::to_owned) };
        assert!(leads(Backup { key: Some(key(None)), ..backup("shut", Some(99)) }));
        assert!(!leads(Backup { key: Some(key(Some("its key is disabled"))), ..backup("shut", Some(99)) }));
    }
}
