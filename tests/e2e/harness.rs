//! What every end-to-end test needs: a local AWS of its own, a place to run tapctl in, and independent eyes.
//!
//! ```ignore
//! let aws = LocalAws::lease();                     // empty, strict, fast; nobody else's
//! let desk = Desk::at(&aws);                       // an empty directory with a tapctl.toml
//! desk.tapctl(&["apply", "--yes"]).expect(0);      // for dev by its defaults better: let (aws, desk) = standing();
//! let mark = aws.mark();
//! desk.tapctl(&["apply", "--yes"]).expect(0);
//! assert_eq!(aws.writes_since(mark), [""; 0]);
//! assert_eq!(aws.sweep().counts()["ec2.vpc"], 1);
//! ```
//!
//! Servers cost seconds to start, so a test leases one and hands it back emptied. Each is the child of a shell that
//! waits for the end of a pipe we hold: however this process ends, even by SIGKILL, its servers end with it.
#![allow(dead_code, reason = "not every theme needs every tool")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{LazyLock, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::warm;

/// Longest time any single run of tapctl, or of Python, may take.
const LIMIT: Duration = Duration::from_secs(180);
/// How often something outside is looked at.
const TICK: Duration = Duration::from_millis(20);

/// Servers that nobody uses at the moment.
static IDLE: Mutex<Vec<Server>> = Mutex::new(Vec::new());

/// Where the sources are. Asked while running: checkouts share builds, and one built elsewhere may be gone by then.
pub fn repository() -> &'static Path {
    static REPOSITORY: LazyLock<PathBuf> = LazyLock::new(|| {
        std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
    });
    &REPOSITORY
}

/// `scripts/local-aws`, whose Python has boto3.
pub fn script() -> Command {
    Command::new(repository().join("scripts/local-aws"))
}

/// A server process and its address.
struct Server {
    shell: Child,
    port: u16,
}

impl Server {
    fn start() -> Server {
        // Only the server holds our pipe, so that its early end is told by the end of its output. The shell outlives a
        // Ctrl-C only until our end of its stdin closes, which the same Ctrl-C brings about.
        let watch =
            r#"trap "" INT HUP; "$0" run --port 0 --speed fast & server=$!; exec >&-; read -r _; kill "$server"; wait"#;
        let mut shell = Command::new("sh")
            .args(["-c", watch])
            .arg(script().get_program())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sh starts");
        let mut lines = BufReader::new(shell.stdout.take().expect("stdout is a pipe")).lines();
        let port = lines.find_map(|line| line.ok()?.rsplit_once("127.0.0.1:")?.1.trim().parse().ok());
        // Whatever else it prints must not fill the pipe.
        thread::spawn(move || lines.for_each(drop));
        Server { shell, port: port.expect("scripts/local-aws says where it listens") }
    }
}

/// Asks the server on this port.
fn ask(port: u16, method: &str, path: &str, body: &Value) -> Result<Value, String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    stream.set_read_timeout(Some(LIMIT)).map_err(|error| error.to_string())?;
    let body = body.to_string();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).map_err(|error| error.to_string())?;
    read_answer(&mut BufReader::new(stream))
}

/// The local AWS keeps connections open whatever it is asked, so only the stated length is read.
fn read_answer(stream: &mut impl BufRead) -> Result<Value, String> {
    let (mut line, mut status, mut length) = (String::new(), String::new(), 0);
    while stream.read_line(&mut line).map_err(|error| error.to_string())? > 0 && line != "\r\n" {
        if status.is_empty() {
            status.clone_from(&line);
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().map_err(|_| format!("not a length: {value}"))?;
        }
        line.clear();
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&body);
    match status.contains(" 200 ") {
        true => serde_json::from_str(&text).map_err(|error| format!("{error}: {text}")),
        false => Err(format!("{}{text}", status.trim())),
    }
}

/// Asks the server on this port at one of its endpoints under `/_local`.
pub fn local(port: u16, method: &str, path: &str, body: &Value) -> Value {
    ask(port, method, &format!("/_local/{path}"), body).expect("the local AWS answers")
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

/// One request to AWS, as the local AWS took it down.
#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    /// Its number.
    pub seq: u64,
    /// As in `ec2`.
    pub service: String,
    /// As in `CreateVpc`.
    pub operation: String,
    /// What was asked.
    pub params: Value,
    /// The HTTP status of the answer; none while it is being worked on.
    pub status: Option<u16>,
    /// The error answered, if any.
    pub error_code: Option<String>,
    /// Whether it is of the kind that changes things.
    pub write: bool,
}

impl Call {
    /// `ec2:CreateVpc`.
    pub fn name(&self) -> String {
        format!("{}:{}", self.service, self.operation)
    }

    /// Whether it changed something: the refused ones, as the deletion of something still in use, do not count.
    pub fn wrote(&self) -> bool {
        self.write && self.status.is_some_and(|status| status < 400)
    }
}

/// A local AWS that belongs to one test: empty at the beginning, handed on at the end.
pub struct LocalAws {
    home: Home,
}

/// Where a local AWS runs.
enum Home {
    /// In a process of its own; nowhere once that is handed on.
    Own(Option<Server>),
    /// In a copy of another server, on this port. It ends with that one at the latest.
    Fork { of: u16, port: u16 },
}

impl LocalAws {
    /// An empty AWS, strict, 200 times faster than the real one.
    pub fn lease() -> LocalAws {
        let idle = IDLE.lock().expect("no test panics with the pool in hand").pop();
        let aws = LocalAws { home: Home::Own(Some(idle.unwrap_or_else(Server::start))) };
        aws.empty().expect("the local AWS can be emptied");
        aws
    }

    /// The same at another speed: `instant`, `fast` or `real`.
    pub fn at_speed(speed: &str) -> LocalAws {
        let aws = LocalAws::lease();
        aws.set(json!({ "speed": speed }));
        aws
    }

    /// Another that begins with all that this one holds, and goes its own way.
    pub fn fork(&self) -> LocalAws {
        let answer = self.local("POST", "forks", json!({}));
        let port = answer["url"].as_str().and_then(|url| url.rsplit_once(':')?.1.parse().ok());
        let port = port.unwrap_or_else(|| panic!("a fork says where it is: {answer}"));
        let fork = LocalAws { home: Home::Fork { of: self.port(), port } };
        for list in ["log", "violations"] {
            fork.local("DELETE", list, json!({}));
        }
        fork
    }

    fn port(&self) -> u16 {
        match &self.home {
            Home::Own(server) => server.as_ref().expect("held until dropped").port,
            Home::Fork { port, .. } => *port,
        }
    }

    fn empty(&self) -> Result<(), String> {
        let port = self.port();
        let settings = json!({ "speed": "fast", "strict": true, "lag": 0, "limits": false, "ahead": 0, "guardduty": false,
                    "disabled_regions": [], "account": {}, "durations": null });
        ask(port, "POST", "/_local/settings", &settings)?;
        ask(port, "POST", "/_local/reset", &json!({}))?;
        for list in ["faults", "endings", "log", "violations", "answers"] {
            ask(port, "DELETE", &format!("/_local/{list}"), &json!({}))?;
        }
        Ok(())
    }

    /// Empties it in the middle of a test.
    pub fn empty_again(&self) {
        self.empty().expect("the local AWS can be emptied");
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Asks one of the endpoints under `/_local`.
    pub fn local(&self, method: &str, path: &str, body: Value) -> Value {
        local(self.port(), method, path, &body)
    }

    /// Changes settings: speed, strict, lag, limits, ahead.
    pub fn set(&self, settings: Value) {
        self.local("POST", "settings", settings);
    }

    /// Makes calls fail, get lost or hang; see `tests/local_aws/faults.py`.
    pub fn fault(&self, wish: Value) {
        self.local("POST", "faults", wish);
    }

    /// How many calls the first fault has struck.
    pub fn struck(&self) -> u64 {
        self.local("GET", "faults", json!({}))["faults"][0]["hit"].as_u64().unwrap_or(0)
    }

    /// Waits until the first fault has struck.
    pub fn until_struck(&self) {
        wait_for("the fault strikes", Duration::from_secs(60), || (self.struck() > 0).then_some(()));
    }

    /// Lifts every fault; what hangs is lost.
    pub fn lift_faults(&self) {
        self.local("DELETE", "faults", json!({}));
    }

    /// Every request so far.
    pub fn log(&self) -> Vec<Call> {
        self.log_since(0)
    }

    /// Every request after a [`mark`](Self::mark).
    pub fn log_since(&self, mark: u64) -> Vec<Call> {
        let answer = self.local("GET", &format!("log?since={mark}"), json!({}));
        serde_json::from_value(answer["entries"].clone()).expect("a log is a list of calls")
    }

    /// This moment in the log.
    pub fn mark(&self) -> u64 {
        self.log().last().map_or(0, |call| call.seq)
    }

    /// The names of the calls since the mark that could have changed something, in order, refused ones too.
    pub fn writes_since(&self, mark: u64) -> Vec<String> {
        self.log_since(mark).iter().filter(|call| call.write).map(Call::name).collect()
    }

    /// The calls since the mark that changed something, a line each with how often where that is more than once.
    pub fn changes_since(&self, mark: u64) -> String {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for call in self.log_since(mark).iter().filter(|call| call.wrote()) {
            *counts.entry(call.name()).or_default() += 1;
        }
        counts.into_iter().fold(String::new(), |mut text, (name, count)| {
            let _ = match count {
                1 => writeln!(text, "{name}"),
                _ => writeln!(text, "{name} × {count}"),
            };
            text
        })
    }

    /// Fails if a request was made that AWS would have found invalid, or that the local AWS does not know.
    pub fn assert_lawful(&self) {
        self.assert_lawful_but_for(&[]);
    }

    /// The same, where these error codes are nobody's mistake.
    pub fn assert_lawful_but_for(&self, codes: &[&str]) {
        let answer = self.local("GET", "violations", json!({}));
        let violations = answer["violations"].as_array().expect("a list of violations");
        let code = |violation: &&Value| codes.contains(&violation["code"].as_str().unwrap_or_default());
        let violations: Vec<&Value> = violations.iter().filter(|violation| !code(violation)).collect();
        assert!(violations.is_empty(), "requests that AWS would refuse as invalid: {violations:#?}");
        let unsupported = self.local("GET", "unsupported", json!({}));
        assert_eq!(unsupported, json!({}), "requests that the local AWS does not know");
        let crashed: Vec<Call> =
            self.log().into_iter().filter(|call| call.error_code.as_deref() == Some("LocalAwsCrash")).collect();
        assert!(crashed.is_empty(), "requests the local AWS crashed on: {crashed:#?}");
    }

    /// Waits until the log satisfies the test, and fails where it does not within a minute.
    pub fn until(&self, what: &str, mut enough: impl FnMut(&[Call]) -> bool) {
        wait_for(what, Duration::from_secs(60), || enough(&self.log()).then_some(()));
    }

    /// Every object in the account, asked of AWS by `tests/sweep.py`.
    pub fn sweep(&self) -> Sweep {
        Sweep(self.run_sweep(&[]))
    }

    /// Every property of every object, with names in place of ids, to compare two accounts.
    pub fn dump(&self) -> Value {
        self.run_sweep(&["--dump"])
    }

    fn run_sweep(&self, options: &[&str]) -> Value {
        self.script("tests/sweep.py", options)
    }

    /// Runs a script that takes `--endpoint`, and reads what it prints as JSON.
    pub fn script(&self, path: &str, options: &[&str]) -> Value {
        let (file, url) = (repository().join(path), self.url());
        let argv = [&[file.to_str().expect("a path in UTF-8"), "--endpoint", &url], options].concat();
        parse(&warm::python(path, None, &argv, LIMIT))
    }

    /// Runs Python with `boto3`, `json` and `client(service)` at hand, and reads what it prints as JSON.
    pub fn python(&self, snippet: &str) -> Value {
        let prelude = "import boto3, json, sys\ndef client(service):\n    return boto3.client(service, endpoint_url=sys.argv[1], \
                       region_name='us-east-1', aws_access_key_id='test', aws_secret_access_key='test')\n";
        let run = warm::python("python", Some(&format!("{prelude}{snippet}")), &["-c", &self.url()], LIMIT);
        assert!(run.status.success(), "{run}");
        if run.stdout.trim().is_empty() { Value::Null } else { parse(&run) }
    }
}

impl LocalAws {
    /// Runs tests in Python, as those of the requirements, which judge what this AWS holds.
    pub fn pytest(&self, tests: &str, options: &[&str]) -> Run {
        let mut command = script();
        command.args(["python", "-m", "pytest", tests, "--endpoint", &self.url()]).args(options);
        command.current_dir(repository());
        finish(command, &format!("pytest {tests} {}", options.join(" ")))
    }
}

impl Drop for LocalAws {
    fn drop(&mut self) {
        match &mut self.home {
            Home::Fork { of, port } => drop(ask(*of, "DELETE", &format!("/_local/forks?port={port}"), &json!({}))),
            // A test that failed may leave it in any state.
            Home::Own(_) if thread::panicking() => {}
            Home::Own(server) => {
                if let (Some(server), Ok(mut idle)) = (server.take(), IDLE.lock()) {
                    idle.push(server);
                }
            }
        }
    }
}

/// What draws the few points that a test strikes at, where a script strikes at all: `TAPCTL_E2E_SEED`.
pub fn seed() -> u64 {
    std::env::var("TAPCTL_E2E_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(0)
}

/// Runs Python by itself, without any AWS, and reads what it prints as JSON.
pub fn python(arguments: &[&str]) -> Value {
    let mut command = script();
    command.arg("python").args(arguments).current_dir(repository());
    parse(&finish(command, &format!("python {}", arguments.join(" "))))
}

fn parse(run: &Run) -> Value {
    assert!(run.status.success(), "{run}");
    serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{error} in {run}"))
}

/// What an account holds: objects by kind, each with `id`, `name` and `tags`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep(pub Value);

impl Sweep {
    /// The objects of a kind.
    pub fn of(&self, kind: &str) -> &[Value] {
        self.0[kind].as_array().map_or(&[], Vec::as_slice)
    }

    /// Every object with its kind.
    pub fn objects(&self) -> impl Iterator<Item = (&str, &Value)> {
        let kinds = self.0.as_object().into_iter().flatten();
        kinds.flat_map(|(kind, objects)| {
            objects.as_array().into_iter().flatten().map(move |object| (kind.as_str(), object))
        })
    }

    /// How many there are of each kind.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for (kind, _) in self.objects() {
            *counts.entry(kind.to_owned()).or_default() += 1;
        }
        counts
    }

    /// `kind name` of every object, sorted; ids that AWS drew stand as `[id]`.
    pub fn names(&self) -> Vec<String> {
        let drawn = self.drawn();
        let mut names: Vec<String> = self
            .objects()
            .map(|(kind, object)| format!("{kind} {}", drawn.redact(object["name"].as_str().unwrap_or_default())))
            .collect();
        names.sort();
        names
    }

    /// The ids in it that could be words.
    pub fn drawn(&self) -> Drawn {
        Drawn::of(self.objects().filter_map(|(kind, object)| Some((kind, object["id"].as_str()?))))
    }

    /// Only what satisfies the test.
    pub fn only(&self, wanted: impl Fn(&str, &Value) -> bool) -> Sweep {
        let mut kept = json!({});
        for (kind, object) in self.objects().filter(|(kind, object)| wanted(kind, object)) {
            match kept[kind].as_array_mut() {
                Some(list) => list.push(object.clone()),
                None => kept[kind] = json!([object]),
            }
        }
        Sweep(kept)
    }

    /// Only what AWS does not keep by law of its own.
    pub fn leftovers(&self) -> Sweep {
        // What people have typed into a secret can be had back for a week, and that is tested where it is asked for.
        let typed = |object: &Value| {
            object["state"] == "scheduled for deletion"
                && object["name"].as_str().is_some_and(|name| name.contains("-third-party-"))
        };
        self.only(|kind, object| kind != "kms.key-pending-deletion" && !typed(object))
    }
}

/// The environment dev of `student-records` as the defaults make it in peace, and where it was made from.
static STANDING: LazyLock<(LocalAws, Desk)> = LazyLock::new(|| {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    aws.assert_lawful();
    (aws, desk)
});

/// A copy of dev as the defaults make it, which takes a fraction of what it takes to make it: the account that holds it,
/// with an empty log, and a desk with its state.
pub fn standing() -> (LocalAws, Desk) {
    let (aws, desk) = &*STANDING;
    let aws = aws.fork();
    let desk = desk.copy_for(&aws);
    (aws, desk)
}

/// The names of all that an undisturbed apply of dev makes.
pub fn made() -> &'static [String] {
    static MADE: LazyLock<Vec<String>> = LazyLock::new(|| STANDING.0.sweep().names());
    &MADE
}

/// A directory to run tapctl in: empty but for `tapctl.toml`.
pub struct Desk {
    directory: tempfile::TempDir,
    url: String,
    variables: BTreeMap<String, String>,
    as_typed: bool,
}

impl Desk {
    /// An empty desk for this AWS, with short waits.
    pub fn at(aws: &LocalAws) -> Desk {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let desk = Desk { directory, url: aws.url(), variables: BTreeMap::new(), as_typed: false };
        desk.settings("");
        desk
    }

    /// The same desk, files and all, for another AWS.
    pub fn copy_for(&self, aws: &LocalAws) -> Desk {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let copied = Command::new("cp").arg("-a").arg(self.path(".")).arg(directory.path()).status();
        assert!(copied.is_ok_and(|status| status.success()), "the desk is copied");
        Desk { directory, url: aws.url(), variables: self.variables.clone(), as_typed: self.as_typed }
    }

    /// Writes `tapctl.toml`: these settings, and a short settle window.
    pub fn settings(&self, toml: &str) {
        let engine = "[engine]\nsettle_seconds = 5\n";
        // Keys before the first table would otherwise land in [engine].
        std::fs::write(self.path("tapctl.toml"), format!("{toml}\n{engine}")).expect("the settings are written");
    }

    /// Sets a variable of the environment tapctl runs in.
    pub fn variable(mut self, name: &str, value: &str) -> Desk {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Adds nothing to what a test types. Otherwise an environment that a test applies by name is meant to be new.
    pub fn typed_by_hand(mut self) -> Desk {
        self.as_typed = true;
        self
    }

    /// A file on the desk.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The state file of an environment.
    pub fn state_path(&self, env: &str) -> PathBuf {
        self.path(&format!("state/student-records-{env}.json"))
    }

    /// The state of an environment of any stack.
    pub fn state_of(&self, stack: &str, env: &str) -> Value {
        let text = std::fs::read_to_string(self.path(&format!("state/{stack}-{env}.json"))).expect("there is a state");
        serde_json::from_str(&text).expect("the state is JSON")
    }

    /// The state of an environment.
    pub fn state(&self, env: &str) -> Value {
        let text = std::fs::read_to_string(self.state_path(env)).expect("there is a state");
        serde_json::from_str(&text).expect("the state is JSON")
    }

    /// The ids in the state of an environment that could be words.
    pub fn drawn(&self, env: &str) -> Drawn {
        let state = self.state(env);
        let nodes = state["nodes"].as_object().into_iter().flatten();
        Drawn::of(nodes.filter_map(|(_, node)| Some((node["kind"].as_str()?, node["id"].as_str()?))))
    }

    /// The command, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tapctl"));
        let named = arguments.first() == Some(&"apply") && arguments.contains(&"--env");
        let new = (named && !self.as_typed && !arguments.contains(&"--new-env")).then_some("--new-env");
        command
            .args(arguments)
            .args(new)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.directory.path())
            .env("AWS_ENDPOINT_URL", &self.url)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "us-east-1")
            .envs(&self.variables);
        command
    }

    /// Runs tapctl to its end.
    pub fn tapctl(&self, arguments: &[&str]) -> Run {
        finish(self.command(arguments), &format!("tapctl {}", arguments.join(" ")))
    }

    /// Runs tapctl to its end without these variables.
    pub fn tapctl_without(&self, variables: &[&str], arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        for name in variables {
            command.env_remove(name);
        }
        finish(command, &format!("tapctl {}", arguments.join(" ")))
    }

    /// Starts tapctl and leaves it running.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments), &format!("tapctl {}", arguments.join(" ")))
    }
}

/// A process under way. Killed if the test ends first.
pub struct Running {
    child: Child,
    what: String,
    since: Instant,
    stdout: Option<thread::JoinHandle<String>>,
    stderr: Option<thread::JoinHandle<String>>,
}

fn reader(mut from: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

impl Running {
    /// Starts a process and leaves it running.
    pub fn start(mut command: Command, what: &str) -> Running {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{what} does not start: {error}"));
        let stdout = child.stdout.take().map(reader);
        let stderr = child.stderr.take().map(reader);
        Running { child, what: what.to_owned(), since: Instant::now(), stdout, stderr }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal, as `INT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.pid().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} cannot be sent to {}", self.what);
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it outright, as a crash would.
    pub fn crash(mut self) -> Run {
        let _ = self.child.kill();
        self.wait(LIMIT)
    }

    /// Waits for its end, and fails where that takes longer.
    pub fn wait(&mut self, limit: Duration) -> Run {
        let what = self.what.clone();
        let status = wait_for(&what, limit, || self.child.try_wait().expect("a child can be waited for"));
        let text = |handle: Option<thread::JoinHandle<String>>| {
            handle.and_then(|handle| handle.join().ok()).unwrap_or_default()
        };
        let (stdout, stderr) = (text(self.stdout.take()), text(self.stderr.take()));
        let (place, stderr) = without_place(&at_leisure(&stderr));
        Run { what, status, stdout, place, stderr, took: self.since.elapsed() }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn finish(command: Command, what: &str) -> Run {
    Running::start(command, what).wait(LIMIT)
}

/// What it says apart from that it is reading AWS, which it says only where that takes long: on a busy machine.
pub fn at_leisure(said: &str) -> String {
    said.split_inclusive('\n').filter(|line| !line.starts_with("reading ")).collect()
}

/// Looks again and again until there is something, and fails after the limit.
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < limit, "{what} took longer than {limit:?}");
        thread::sleep(TICK);
    }
}

/// The line that says where a run works, and what was said besides: every run that asks AWS has it, and few tests are
/// about it. Nor are they about dev being new, which nearly all begin with, or about this machine being busy.
pub fn without_place(stderr: &str) -> (Option<String>, String) {
    const ASIDE: [&str; 2] =
        ["note: the environment dev is new: ", "note: no answer from 127.0.0.1 yet; still waiting"];
    let is_place = |line: &&str| {
        line.split_once(" in account ").is_some_and(|(what, _)| {
            let what: Vec<&str> = what.split(' ').collect();
            what.len() == 2 && what[0].ends_with(|c: char| c.is_ascii_lowercase())
        })
    };
    let place = stderr.lines().find(is_place).map(str::to_owned);
    let rest = stderr
        .split_inclusive('\n')
        .filter(|line| Some(line.trim_end()) != place.as_deref() && !ASIDE.iter().any(|aside| line.starts_with(aside)));
    (place.clone(), rest.collect())
}

/// How a process ended and what it said.
#[derive(Debug)]
pub struct Run {
    /// The command.
    pub what: String,
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub stdout: String,
    /// Where it said that it worked: stack, environment, account, region, endpoint.
    pub place: Option<String>,
    /// What it said besides.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}: {} after {:.1?}", self.what, self.status, self.took)?;
        write!(f, "--- stdout\n{}--- stderr\n{}", self.stdout, self.stderr)
    }
}

impl Run {
    /// Its exit code; none where a signal ended it.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Fails unless it ended with this code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Run {
        assert_eq!(self.code(), Some(code), "{self}");
        self
    }

    /// Its answer as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }
}

/// Ids that AWS draws at random and that could be words, so that nothing but their being known tells them: those of API
/// Gateway, and the ends of secrets' ARNs.
pub struct Drawn(BTreeSet<String>);

impl Drawn {
    /// Those among the ids of objects, each given with its kind.
    pub fn of<'a>(objects: impl Iterator<Item = (&'a str, &'a str)>) -> Drawn {
        let short = objects.flat_map(|(kind, id)| -> Vec<&str> {
            match kind {
                "secretsmanager.secret" if id.starts_with("arn:") => id.rsplit('-').take(1).collect(),
                _ if kind.starts_with("apigateway") => id.split(['|', '/']).filter(|part| is_short(part)).collect(),
                _ => Vec::new(),
            }
        });
        Drawn(short.map(str::to_owned).collect())
    }

    /// Puts `[id]` in place of all that AWS drew, these and what shows itself.
    pub fn redact(&self, text: &str) -> String {
        redact_with(text, |word| match word.rsplit_once('-') {
            _ if self.0.contains(word) => Some("[id]".to_owned()),
            Some((head, tail)) if self.0.contains(tail) => Some(format!("{head}-[id]")),
            _ => None,
        })
    }
}

/// Whether it is as long as the ids of API Gateway are, and of their letters.
fn is_short(id: &str) -> bool {
    matches!(id.len(), 6 | 10) && id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

/// Puts `[id]` in place of what AWS draws at random and what shows itself as such: `vpc-0a1b…`, UUIDs, hashes.
pub fn redact(text: &str) -> String {
    redact_with(text, |_| None)
}

fn redact_with(text: &str, known: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut word = String::new();
    for c in text.chars().chain([' ']) {
        if c.is_ascii_alphanumeric() || c == '-' {
            word.push(c);
            continue;
        }
        out.push_str(&known(&word).unwrap_or_else(|| redact_word(&word)));
        word.clear();
        out.push(c);
    }
    out.pop();
    out
}

fn redact_word(word: &str) -> String {
    let hex = |part: &str, least: usize| part.len() >= least && part.bytes().all(|b| b.is_ascii_hexdigit());
    let parts: Vec<&str> = word.split('-').collect();
    let uuid = parts.len() >= 5
        && parts[parts.len() - 5..].iter().zip([8, 4, 4, 4, 12]).all(|(part, n)| part.len() == n && hex(part, n));
    if uuid {
        return [&parts[..parts.len() - 5], &["[id]"]].concat().join("-");
    }
    if let Some((head, tail)) = word.rsplit_once('-')
        && hex(tail, 8)
    {
        return format!("{head}-[id]");
    }
    if hex(word, 16) {
        return "[id]".to_owned();
    }
    // The resource ids of RDS.
    let upper = |part: &str| part.len() >= 20 && part.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if let Some((head, tail)) = word.rsplit_once('-')
        && upper(tail)
    {
        return format!("{head}-[id]");
    }
    word.to_owned()
}

/// Runs an ignored test of this binary in a process with the environment of a desk. The SDK reads its endpoint from the
/// environment, which belongs to all tests of one process.
pub fn in_a_process_of_its_own_run(desk: &Desk, test: &str, variables: &[(&str, &str)]) {
    let ended = in_a_process_of_its_own(desk, test, variables).output().expect("a test can run itself");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(said.contains("1 passed"), "{said}");
}

/// The same, not yet begun.
pub fn in_a_process_of_its_own(desk: &Desk, test: &str, variables: &[(&str, &str)]) -> Command {
    let like = desk.command(&[]);
    let mut command = Command::new(std::env::current_exe().expect("a test knows where it is"));
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env_clear().envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.current_dir(desk.path("")).env("CARGO_MANIFEST_DIR", repository()).envs(variables.iter().copied());
    command
}

#[test]
fn ids_that_could_be_words_are_left_out_of_what_is_compared() {
    let api = ("apigateway.deployment", "ptlhjeykrz|ukudwi");
    let secret = ("secretsmanager.secret", "arn:aws:secretsmanager:us-east-1:123456789012:secret:dev/master-AbCdEf");
    let drawn = Drawn::of([api, secret].into_iter());
    assert_eq!(drawn.redact("API-Gateway-Execution-Logs_ptlhjeykrz/dev"), "API-Gateway-Execution-Logs_[id]/dev");
    assert_eq!(drawn.redact("ukudwi, master-AbCdEf, deployment"), "[id], master-[id], deployment");
    assert_eq!(redact("vpc-0123456789abcdef0 retention"), "vpc-[id] retention");
}
