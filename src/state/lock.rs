//! One writer at a time. The lock is the operating system's, held by the open file, so it frees itself when its owner
//! dies; the text inside only tells others who that is.

use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StateError;

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Host name.
    pub host: String,
    /// Process id on that host.
    pub pid: u32,
    /// The command line's verb, as `apply --env dev`.
    pub command: String,
    /// Since when.
    pub since: Timestamp,
}

impl Holder {
    /// This process, doing `command`.
    pub fn this_process(command: &str) -> Self {
        Holder {
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            pid: std::process::id(),
            command: command.to_owned(),
            since: Timestamp::now(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`tapctl {}` (process {} on {}, since {:.0})", self.command, self.pid, self.host, self.since)
    }
}

/// A held lock; freed when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at `path`, or says who has it.
    ///
    /// # Errors
    /// [`StateError::Locked`], or [`StateError::Io`] where the file cannot be made.
    pub fn take(path: &Path, holder: &Holder) -> Result<Lock, StateError> {
        let io = |error| StateError::Io { place: path.display().to_string(), error };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io)?;
        }
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StateError::Locked { holder: Box::new(read(&mut file)) }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        write(&mut file, holder).map_err(io)?;
        Ok(Lock { _file: file })
    }
}

fn write(file: &mut File, holder: &Holder) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    serde_json::to_writer(&mut *file, holder)?;
    file.flush()
}

/// The holder's own words; between its locking and its writing they may be missing for an instant.
fn read(file: &mut File) -> Holder {
    let mut text = String::new();
    let holder = file.read_to_string(&mut text).ok().and_then(|_| serde_json::from_str(&text).ok());
    holder.unwrap_or_else(|| Holder {
        host: "this host".into(),
        pid: 0,
        command: "(just starting)".into(),
        since: Timestamp::now(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_learns_who_holds_it_and_gets_it_after() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s.lock");
        let first = Lock::take(&path, &Holder::this_process("apply --env dev")).unwrap();
        let error = Lock::take(&path, &Holder::this_process("destroy")).unwrap_err().to_string();
        assert!(error.starts_with("the state is locked by `tapctl apply --env dev` (process "), "{error}");
        drop(first);
        Lock::take(&path, &Holder::this_process("destroy")).unwrap();
    }
}
