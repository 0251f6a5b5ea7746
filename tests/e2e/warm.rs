//! Python for tests, from a process that has the SDK loaded: `tests/warm.py` forks itself for each piece.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Run, repository, script};

/// The process, which ends with this one: its stdin does.
struct Warm {
    socket: PathBuf,
    _process: Child,
    _directory: tempfile::TempDir,
}

static WARM: LazyLock<Warm> = LazyLock::new(|| {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let socket = directory.path().join("socket");
    let mut process = script()
        .arg("python")
        .arg(repository().join("tests/warm.py"))
        .arg(&socket)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut ready = String::new();
    let stdout = process.stdout.take().expect("stdout is a pipe");
    BufReader::new(stdout).read_line(&mut ready).expect("it says when it listens");
    assert_eq!(ready, "ready\n");
    Warm { socket, _process: process, _directory: directory }
});

/// Runs code, or with none the file that the first argument names, within `limit`.
pub fn python(what: &str, code: Option<&str>, argv: &[&str], limit: Duration) -> Run {
    let since = Instant::now();
    let ask = || -> std::io::Result<Value> {
        let mut stream = UnixStream::connect(&WARM.socket)?;
        stream.set_read_timeout(Some(limit))?;
        writeln!(stream, "{}", json!({ "argv": argv, "code": code }))?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(serde_json::from_str(&answer)?)
    };
    let answer = ask().unwrap_or_else(|error| panic!("{what}: {error}"));
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let code = answer["code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or(1);
    Run {
        what: what.to_owned(),
        status: ExitStatus::from_raw(code << 8),
        stdout: text("stdout"),
        place: None,
        stderr: text("stderr"),
        took: since.elapsed(),
    }
}
