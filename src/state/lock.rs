//! The lock record: who may write, until when, and under which number.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::document::MOST;
use super::process::{Fate, Process};
use super::{Item, Kept, StateError, Store};

/// For how long a lock is held without being renewed. Hosts whose clocks differ by less than `LEASE - HEARTBEAT` agree
/// on whether it is over.
pub const LEASE: Duration = Duration::from_secs(60);

/// How often a lock is renewed.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Host name.
    pub host: String,
    /// Process id on that host.
    pub pid: u32,
    /// What tells that process from others of its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// The command line's verb, as `apply --env dev`.
    pub command: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, unless renewed.
    pub expires: Timestamp,
}

/// How firmly a lock is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grip {
    /// Its owner runs on this host, or its lease does.
    Firm,
    /// Its owner has not renewed it in time.
    Expired,
    /// Its owner ran on this host and has ended.
    Ownerless,
}

impl Holder {
    /// This process, doing `command`, from now on.
    pub fn this_process(command: &str) -> Self {
        let now = Timestamp::now();
        Holder {
            host: host(),
            pid: std::process::id(),
            process: Process::this(),
            command: command.to_owned(),
            since: now,
            expires: now + LEASE,
        }
    }

    /// The same, renewed.
    pub fn renewed(&self) -> Self {
        Holder { expires: Timestamp::now() + LEASE, ..self.clone() }
    }

    /// Whether this is the same holding of the lock, renewed or not.
    pub fn is(&self, other: &Holder) -> bool {
        *self == Holder { expires: self.expires, ..other.clone() }
    }

    /// What can be said of its process from here. A host is another one where its name is, whatever else it has in common
    /// with this one, as all that was in memory when it was copied.
    pub fn fate(&self) -> Fate {
        match &self.process {
            Some(process) if self.host == host() => process.fate(self.pid),
            _ => Fate::Unknown,
        }
    }

    /// How firmly it holds the lock at this moment. A lease that is over is over for a suspended process too.
    pub fn grip(&self, now: Timestamp) -> Grip {
        match self.fate() {
            Fate::Gone => Grip::Ownerless,
            _ if now > self.expires => Grip::Expired,
            _ => Grip::Firm,
        }
    }
}

fn host() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`tapctl {}` (process {} on {}, since {:.0})", self.command, self.pid, self.host, self.since)
    }
}

/// What is written in the lock. It outlives its holders, since the number must only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRecord {
    /// The fencing number: of two holders the later one has the higher.
    #[serde(default)]
    pub fence: u64,
    /// Who holds it; nobody where it is free.
    #[serde(default)]
    pub holder: Option<Holder>,
}

impl LockRecord {
    /// Reads a record; none is a free lock.
    ///
    /// # Errors
    /// [`StateError::Damaged`] where it is no record.
    pub fn parse(kept: Option<&Kept>, place: &str) -> Result<LockRecord, StateError> {
        let Some(kept) = kept else { return Ok(LockRecord::default()) };
        let damaged = |error: String| StateError::Damaged {
            place: place.to_owned(),
            error,
            hint: "make sure that no other run is under way, then free it with `tapctl state unlock`".to_owned(),
        };
        let record: LockRecord = serde_json::from_slice(&kept.bytes).map_err(|error| damaged(error.to_string()))?;
        match record.fence > MOST {
            true => Err(damaged(format!("no run counts to the fence {}", record.fence))),
            false => Ok(record),
        }
    }

    /// The record's text.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// The lock as it is now, with its version.
pub(super) async fn look(store: &dyn Store) -> Result<(LockRecord, Option<Kept>), StateError> {
    let kept = store.read(Item::Lock).await?;
    Ok((LockRecord::parse(kept.as_ref(), &store.place(Item::Lock))?, kept))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere() -> Holder {
        Holder { host: "elsewhere".into(), process: None, ..Holder::this_process("apply --env dev") }
    }

    #[test]
    fn a_holder_elsewhere_is_trusted_for_its_lease() {
        let holder = elsewhere();
        assert_eq!(holder.grip(holder.since), Grip::Firm);
        assert_eq!(holder.grip(holder.expires), Grip::Firm);
        assert_eq!(holder.grip(holder.expires + Duration::from_millis(1)), Grip::Expired);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_holder_on_this_host_is_believed_dead_at_once_but_alive_only_for_its_lease() {
        let me = Holder::this_process("apply");
        assert_eq!(me.grip(me.since), Grip::Firm);
        assert_eq!(me.grip(me.expires + Duration::from_secs(1)), Grip::Expired, "it may be suspended for good");
        let process = me.process.clone().map(|process| Process { started: process.started - 1, ..process });
        let ended = Holder { process, ..me.clone() };
        assert_eq!(ended.grip(me.since), Grip::Ownerless, "its number is another's now");
        let copied = Holder { host: "copied".into(), ..ended };
        assert_eq!(copied.grip(me.since), Grip::Firm, "a machine that was copied with its memory");
    }

    #[test]
    fn the_same_holding_is_known_after_its_renewal() {
        let holder = elsewhere();
        assert!(holder.is(&Holder { expires: holder.expires + LEASE, ..holder.clone() }));
        assert!(!holder.is(&Holder { since: holder.since + LEASE, ..holder.clone() }));
        assert!(!holder.is(&Holder { pid: 0, ..holder.clone() }));
    }

    #[test]
    fn a_record_of_before_leases_is_a_free_lock() {
        let bytes = br#"{"host":"h","pid":1,"command":"apply","since":"2026-01-01T00:00:00Z"}"#.to_vec();
        let kept = Kept { bytes, version: crate::state::Version("v".into()) };
        assert_eq!(LockRecord::parse(Some(&kept), "s.lock").unwrap(), LockRecord::default());
    }

    #[test]
    fn a_record_whose_number_no_run_counts_to_is_refused() {
        let bytes = format!(r#"{{"fence":{},"holder":null}}"#, u64::MAX).into_bytes();
        let kept = Kept { bytes, version: crate::state::Version("v".into()) };
        let error = LockRecord::parse(Some(&kept), "s.lock").unwrap_err().to_string();
        assert!(
            error.starts_with("s.lock is damaged: no run counts to the fence 18446744073709551615\nhint: "),
            "{error}"
        );
    }

    #[test]
    fn what_is_no_record_is_refused_with_the_way_out() {
        let kept = Kept { bytes: b"{".to_vec(), version: crate::state::Version("v".into()) };
        insta::assert_snapshot!(LockRecord::parse(Some(&kept), "s.lock").unwrap_err(), @r"
        s.lock is damaged: EOF while parsing an object at line 1 column 1
        hint: make sure that no other run is under way, then free it with `tapctl state unlock`
        ");
    }
}
