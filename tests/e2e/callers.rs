//! Callers of an API, who keep calling while something is done to its environment. See `tests/callers.py`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use crate::harness::{LocalAws, repository, script};

/// They call until they are told to stop, or this is dropped.
pub struct Callers {
    child: Child,
    said: ChildStdout,
}

impl Callers {
    /// Starts calling the API that a stack has in `dev`, and waits until every way in was tried.
    pub fn of(stack: &str, aws: &LocalAws) -> Callers {
        let mut child = script()
            .args(["python", "tests/callers.py", "--endpoint", &aws.url(), stack])
            .current_dir(repository())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the callers start");
        let mut stderr = BufReader::new(child.stderr.take().expect("stderr is a pipe"));
        let mut line = String::new();
        stderr.read_line(&mut line).expect("the callers say that they call");
        assert_eq!(line, "calling\n", "{}", rest(stderr));
        let said = child.stdout.take().expect("stdout is a pipe");
        Callers { child, said }
    }

    /// Stops calling: everybody got an answer, and a good one.
    pub fn were_all_served(mut self) {
        drop(self.child.stdin.take());
        let mut said = String::new();
        self.said.read_to_string(&mut said).expect("the callers say how it went");
        assert!(self.child.wait().expect("the callers end").success(), "{said}");
        let said: Value = serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error} in {said}"));
        assert_eq!(said["failed"], Value::Array(Vec::new()), "of {} calls", said["calls"]);
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

fn rest(mut stream: impl Read) -> String {
    let mut text = String::new();
    let _ = stream.read_to_string(&mut text);
    text
}
