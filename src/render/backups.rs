//! What there is to go back to, and how old it is.

use std::io;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::table::{Row, age_at, cut, print, whole};
use super::{BOLD, GREEN, RED, YELLOW, line, paint, width};
use crate::engine::Holding;
use crate::resource::{Backup, WayBack};
use crate::state::State;

/// What is asked of the backups of an environment.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// How old the youngest way back may be, as it was said.
    pub said: &'a str,
    /// The same as a time.
    pub longest: SignedDuration,
    /// Whether the environment is protected, so that an older one is more than a remark.
    pub protected: bool,
    /// AWS's time.
    pub now: Timestamp,
}

/// Prints every backup of everything that holds data, and of what `old` names that no way back is young enough; in full: no
/// value cut.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn backups(
    holdings: &[Holding],
    backed_up: usize,
    old: &[&Holding],
    state: &State,
    wanted: Wanted<'_>,
    full: bool,
) -> io::Result<()> {
    let title = paint(BOLD, &format!("{} {}", state.stack, state.env));
    if holdings.is_empty() {
        return line(format!("{title}: nothing that holds data is recorded, and nothing is kept of any"));
    }
    let rows: Vec<Row> = holdings.iter().flat_map(|holding| rows(holding, wanted.now)).collect();
    print(&["NODE", "KIND", "BACKUP", "AGE", "SIZE", "KEY", "ID"], &rows, 2, width().filter(|_| !full))?;
    if backed_up == 0 {
        return Ok(());
    }
    let style = match (old.is_empty(), wanted.protected) {
        (true, _) => GREEN,
        (false, true) => RED,
        (false, false) => YELLOW,
    };
    let young = backed_up - old.len();
    let told = format!("{young} of {backed_up} databases, caches and file systems");
    line(format!("\n{title}: {} with a way back younger than {}", paint(style, &told), wanted.said))?;
    old.iter().try_for_each(|holding| line(format!("  {}: {}", holding.node, lack(holding, wanted.now))))
}

fn rows(holding: &Holding, now: Timestamp) -> Vec<Row> {
    let node = if holding.gone { format!("{} (gone)", holding.node) } else { holding.node.clone() };
    let row = |what: String, age: String, size: &str, key: &str, id: &str| {
        vec![whole(&node), whole(&holding.kind), whole(what), whole(age), whole(size), cut(key), cut(id)]
    };
    let dash = || "-".to_owned();
    let none = match holding.way_back {
        WayBack::Otherwise(words) => Some(words.to_owned()),
        _ => holding.backups.is_empty().then(|| "none".to_owned()),
    };
    let of = |backup: &Backup| {
        let age = backup.taken.map_or_else(dash, |taken| age_at(taken, now));
        row(what(backup), age, backup.size.as_deref().unwrap_or("-"), key(backup), &backup.id)
    };
    let none = none.map(|words| row(words, dash(), "-", "-", "-"));
    none.into_iter().chain(holding.backups.iter().map(of)).collect()
}

fn what(backup: &Backup) -> String {
    match backup.since {
        Some(since) => format!("{} since {since:.0}", backup.what),
        None => backup.what.clone(),
    }
}

fn key(backup: &Backup) -> &str {
    match &backup.key {
        Some(key) => key.trouble.as_deref().unwrap_or("usable"),
        None => "-",
    }
}

/// Why there is no young way back to what it holds.
fn lack(holding: &Holding, now: Timestamp) -> String {
    let is_whole = |backup: &&Backup| backup.unready.is_none() && backup.trouble().is_none() && backup.taken.is_some();
    let newest = holding.backups.iter().find(is_whole).and_then(|backup| backup.taken);
    match (newest, holding.backups.is_empty()) {
        (Some(taken), _) => format!("the youngest way back is {} old", age_at(taken, now)),
        (None, true) => "there is no way back at all".to_owned(),
        (None, false) => "nothing of what there is can be restored from".to_owned(),
    }
}

/// The same as JSON.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn backups_json(holdings: &[Holding], old: &[&Holding], state: &State, wanted: Wanted<'_>) -> io::Result<()> {
    let node = |holding: &Holding| -> Value {
        let mut told = json!(holding);
        if holding.way_back == WayBack::Backups && !holding.gone {
            told["young"] = (!old.iter().any(|one| one.node == holding.node)).into();
        }
        told
    };
    super::json(&json!({
        "stack": state.stack, "env": state.env, "account": state.account, "region": state.region,
        "protected": wanted.protected, "max_age": wanted.said,
        "nodes": holdings.iter().map(node).collect::<Vec<_>>(),
    }))
}

/// A snapshot that was taken.
///
/// # Errors
/// Where stdout cannot be written to.
pub fn snapshot(node: &str, name: &str, taken: Option<&Backup>, as_json: bool) -> io::Result<()> {
    let told = taken.cloned().unwrap_or_else(|| Backup { id: name.to_owned(), ..Backup::default() });
    match as_json {
        true => super::json(&json!({ "node": node, "snapshot": told })),
        false => line(format!("{}: {told}", paint(BOLD, node))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::BackupKey;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn holding(gone: bool, way_back: WayBack, backups: Vec<Backup>) -> Holding {
        Holding { node: "db".to_owned(), kind: "t.store".to_owned(), gone, way_back, backups }
    }

    fn told(holding: &Holding) -> Vec<String> {
        let text = |row: Row| row.into_iter().map(|(cell, _)| cell).collect::<Vec<_>>().join(" | ");
        rows(holding, at(200_000)).into_iter().map(text).collect()
    }

    #[test]
    fn each_backup_is_told_with_its_age_its_size_and_its_key() {
        let backup = |id: &str, taken| {
            let (id, what) = (id.to_owned(), "manual snapshot of 16.9".to_owned());
            Backup { id, what, taken: Some(at(taken)), size: Some("20 GiB".to_owned()), ..Backup::default() }
        };
        let key =
            |trouble: Option<&str>| Some(BackupKey { arn: "arn".to_owned(), trouble: trouble.map(str::to_owned) });
        let span =
            Backup { since: Some(at(0)), what: "any second, 16.9".to_owned(), size: None, ..backup("db", 199_700) };
        let shut = Backup { key: key(Some("its key is disabled")), ..backup("shut", 20_000) };
        let all = vec![span, Backup { key: key(None), ..backup("one", 196_400) }, shut];
        let all = holding(false, WayBack::Backups, all);
        assert_eq!(
            told(&all),
            [
                "db | t.store | any second, 16.9 since 1970-01-01T00:00:00Z | 5m00s | - | - | db",
                "db | t.store | manual snapshot of 16.9 | 1h00m | 20 GiB | usable | one",
                "db | t.store | manual snapshot of 16.9 | 2d | 20 GiB | its key is disabled | shut",
            ]
        );
        assert_eq!(lack(&all, at(200_000)), "the youngest way back is 5m00s old");
        let shut = holding(true, WayBack::Backups, vec![all.backups[2].clone()]);
        assert_eq!(lack(&shut, at(200_000)), "nothing of what there is can be restored from");
        assert!(told(&shut)[0].starts_with("db (gone) | "));
    }

    #[test]
    fn what_has_no_backups_is_told_so() {
        assert_eq!(told(&holding(false, WayBack::Backups, Vec::new())), ["db | t.store | none | - | - | - | -"]);
        let instead = holding(false, WayBack::Otherwise("AWS has no backups of it"), Vec::new());
        assert_eq!(told(&instead), ["db | t.store | AWS has no backups of it | - | - | - | -"]);
        assert_eq!(json!(instead)["instead"], "AWS has no backups of it");
    }
}
