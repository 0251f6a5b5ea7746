//! Telling whether a process on this host still runs.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What tells a process from every other that has had, or will have, its number. Known only where there is `/proc`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// One boot of one kernel, and within it one space of process ids: a container's numbers say nothing outside it.
    pub realm: String,
    /// When it started, in the kernel's ticks since boot.
    pub started: u64,
    /// Which installation of an operating system it runs on: a digest of machine-id(5), which says of itself that it is
    /// not to be shown around. Absent where there is none, and where a tapctl wrote this that did not ask for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
}

/// What can be said of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It runs, or is suspended.
    Alive,
    /// It has ended.
    Gone,
    /// It cannot be seen from here.
    Unknown,
}

impl Process {
    /// This process.
    pub fn this() -> Option<Process> {
        let started = stat(&fs::read_to_string("/proc/self/stat").ok()?)?.1;
        Some(Process { realm: realm()?, started, machine: machine() })
    }

    /// What became of it; `pid` is its number.
    pub fn fate(&self, pid: u32) -> Fate {
        // Where /proc hides other people's processes (hidepid), what is not seen may well be there.
        let here = realm().as_ref() == Some(&self.realm) && machine() == self.machine;
        if !here || !Path::new("/proc/1/stat").exists() {
            return Fate::Unknown;
        }
        match fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(text) => match stat(&text) {
                Some((state, started)) if started != self.started || matches!(state, 'Z' | 'X') => Fate::Gone,
                Some(_) => Fate::Alive,
                None => Fate::Unknown,
            },
            Err(error) if error.kind() == ErrorKind::NotFound => Fate::Gone,
            Err(_) => Fate::Unknown,
        }
    }
}

fn realm() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// Machines that go on from one copied memory are of one boot; their installations differ.
fn machine() -> Option<String> {
    let id = fs::read_to_string("/etc/machine-id").ok().filter(|id| !id.trim().is_empty())?;
    let digest = Sha256::digest(format!("tapctl lock {}", id.trim()));
    Some(digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect())
}

/// State and start time of a line of `/proc/<pid>/stat`: fields 3 and 22 of proc(5). The second is a name in
/// parentheses, which may hold anything.
fn stat(line: &str) -> Option<(char, u64)> {
    let (_, rest) = line.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((state, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_stat_line_is_read_whatever_the_process_is_called() {
        let line = "4711 (a) Z (b)) S 1 4711 4711 0 -1 4194304 100 0 0 0 1 2 0 0 20 0 1 0 987654 1000 2";
        assert_eq!(stat(line), Some(('S', 987_654)));
        assert_eq!(stat("4711 (a"), None);
        assert_eq!(stat("4711 (a) S 1 2"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_told_from_the_next_with_its_number() {
        let me = Process::this().expect("/proc is there");
        let pid = std::process::id();
        assert_eq!(me.fate(pid), Fate::Alive);
        assert_eq!(Process { started: me.started + 1, ..me.clone() }.fate(pid), Fate::Gone, "a recycled number");
        assert_eq!(Process { realm: "another boot".into(), ..me.clone() }.fate(pid), Fate::Unknown);
        let copied = Process { machine: Some("another machine".into()), started: me.started + 1, ..me.clone() };
        assert_eq!(copied.fate(pid), Fate::Unknown, "a machine that went on from the same memory");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_killed_process_is_gone_even_before_its_parent_has_noticed() {
        let mut child = Command::new("sleep").arg("60").stdin(Stdio::null()).spawn().unwrap();
        let pid = child.id();
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let process = Process { started: stat(&text).unwrap().1, ..Process::this().unwrap() };
        assert_eq!(process.fate(pid), Fate::Alive);
        child.kill().unwrap();
        while process.fate(pid) == Fate::Alive {
            std::thread::yield_now();
        }
        assert_eq!(process.fate(pid), Fate::Gone, "a zombie");
        child.wait().unwrap();
        assert_eq!(process.fate(pid), Fate::Gone);
    }
}
