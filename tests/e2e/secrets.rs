//! No secret is ever seen: not in the state, a plan, a log, an error, a task definition, nor the process list. The test
//! knows the values because it asks AWS for them.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws};

/// What a person puts into the secret of third parties.
const SET_BY_PEOPLE: &str = "sis-2026-Xk9wQ!transcripts";
/// Puts it there, and prints every secret value of the account by what it is.
const VALUES: &str = r#"
secrets, gateway, cognito = client("secretsmanager"), client("apigateway"), client("cognito-idp")
values = {}
for secret in secrets.list_secrets()["SecretList"]:
    name = secret["Name"]
    if name == "student-third-party-dev/credentials":
        secrets.put_secret_value(SecretId=name, SecretString="SET_BY_PEOPLE")
    text = secrets.get_secret_value(SecretId=name)["SecretString"]
    values[name.partition("-dev/")[0].partition("!")[0]] = json.loads(text)["password"] if text.startswith("{") else text
for key in gateway.get_api_keys(includeValues=True)["items"]:
    values[key["name"]] = key["value"]
for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]:
    for one in cognito.list_user_pool_clients(UserPoolId=pool["Id"])["UserPoolClients"]:
        found = cognito.describe_user_pool_client(UserPoolId=pool["Id"], ClientId=one["ClientId"])
        values[one["ClientName"]] = found["UserPoolClient"]["ClientSecret"]
print(json.dumps(values))
"#;
/// Every revision of every task definition.
const TASKS: &str = r#"
ecs = client("ecs")
arns = [a for status in ("ACTIVE", "INACTIVE") for a in ecs.list_task_definitions(status=status)["taskDefinitionArns"]]
print(json.dumps([ecs.describe_task_definition(taskDefinition=arn) for arn in arns], default=str))
"#;
/// The secrets there are: RDS's, ours, a key and a client of the one campus system.
const NAMES: [&str; 6] = [
    "rds",
    "student-cache",
    "student-client-campus-dev",
    "student-key-campus-dev",
    "student-origin",
    "student-third-party",
];
/// The command lines and environments of other processes, seen while tapctl runs.
type Seen = BTreeSet<String>;

#[test]
fn no_secret_is_ever_seen() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let mut seen = Seen::new();
    let mut told: BTreeMap<String, String> = BTreeMap::new();
    let callers = "[api]\nauthorization = \"cognito\"\n[ingress]\nmode = \"public\"\n";
    desk.settings(callers);
    // The values come to be while these run. The call that carries the cache's token is refused once, so that there is
    // an error to tell of it.
    aws.fault(json!({ "match": { "operation": "CreateReplicationGroup" }, "action": "error", "status": 400,
                      "code": "InvalidParameterValue", "message": "The parameter AuthToken is not valid" }));
    watched(&desk, &["apply", "--yes", "-vv"], 1, &mut told, &mut seen);
    watched(&desk, &["apply", "--yes", "-vv"], 0, &mut told, &mut seen);
    let values = values(&aws);
    // Not only what is new, but what changes.
    desk.settings(&format!("{callers}[service]\ncpu = 1024\nmemory = 2048\n"));
    for command in [&["plan", "-vv"][..], &["plan", "--json"], &["plan", "--full"]] {
        watched(&desk, command, 2, &mut told, &mut seen);
    }
    watched(&desk, &["apply", "--yes", "-vv"], 0, &mut told, &mut seen);
    told.insert("the task definitions".into(), aws.python(TASKS).to_string());
    for command in [&["status", "--json", "-vv"][..], &["outputs", "--json", "-vv"], &["drift", "--json", "-vv"]] {
        watched(&desk, command, 0, &mut told, &mut seen);
    }
    collect_files(&desk.path("."), &mut told);
    watched(&desk, &["destroy", "--yes", "-vv"], 0, &mut told, &mut seen);
    told.insert("the process list".into(), seen.into_iter().collect());
    assert_eq!(leaks(&told, &values), [""; 0]);
}

/// A run that dies by a fault of its own leaves nothing behind that holds its keys, however much whoever started it
/// allows.
#[test]
fn no_core_dump_holds_what_a_run_knows() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(json!({ "match": { "operation": "DescribeVpcs" }, "action": "hang" }));
    let plan = desk.command(&["plan"]);
    let mut run = Command::new("sh")
        .args(["-c", r#"ulimit -S -c "$(ulimit -H -c)" && exec "$0" plan"#])
        .arg(plan.get_program())
        .env_clear()
        .envs(plan.get_envs().filter_map(|(name, value)| Some((name, value?))))
        .current_dir(desk.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("sh starts");
    aws.until_struck();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", run.id())).expect("it runs");
    let sent = Command::new("kill").args(["-ABRT", &run.id().to_string()]).status();
    let ended = run.wait().expect("it ends");
    assert!(sent.is_ok_and(|status| status.success()));
    let line = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(line.split_whitespace().skip(4).collect::<Vec<_>>(), ["0", "0", "bytes"]);
    assert_eq!((ended.signal(), ended.core_dumped()), (Some(6), false));
}

/// Every secret value by its name.
fn values(aws: &LocalAws) -> BTreeMap<String, String> {
    let found = aws.python(&VALUES.replace("SET_BY_PEOPLE", SET_BY_PEOPLE));
    let values: BTreeMap<String, String> = serde_json::from_value(found).expect("values by name");
    assert_eq!(values.keys().map(String::as_str).collect::<Vec<_>>(), NAMES);
    assert!(values.values().all(|value| value.len() >= 16), "too short to be searched for");
    values
}

/// Runs tapctl and keeps what it says and how it looks from outside.
fn watched(desk: &Desk, command: &[&str], code: i32, told: &mut BTreeMap<String, String>, seen: &mut Seen) {
    let mut running = desk.start(command);
    let pid = running.pid();
    while running.runs() {
        look_at_processes(pid, seen);
        std::thread::sleep(Duration::from_millis(20));
    }
    let run = running.wait(Duration::from_secs(1)).expect(code);
    told.insert(format!("tapctl {} #{}", command.join(" "), told.len()), run.to_string());
}

/// What `ps` shows of everybody, and what `/proc` shows of tapctl to who it belongs to.
fn look_at_processes(pid: u32, seen: &mut Seen) {
    let read = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).replace('\0', " ");
    let processes = std::fs::read_dir("/proc").expect("Linux has /proc").flatten();
    seen.extend(processes.map(|process| read(&process.path().join("cmdline"))));
    seen.insert(read(Path::new(&format!("/proc/{pid}/environ"))));
}

/// Everything that tapctl left in its directory: state, backups, locks.
fn collect_files(directory: &Path, told: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(directory).expect("a directory").flatten() {
        match entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            true => collect_files(&entry.path(), told),
            false => {
                let bytes = std::fs::read(entry.path()).unwrap_or_default();
                told.insert(entry.path().display().to_string(), String::from_utf8_lossy(&bytes).into_owned());
            }
        }
    }
}

/// Where a secret is seen, in clear, encoded, or as JSON writes it; and the key of the certificate, wherever it is.
fn leaks(told: &BTreeMap<String, String>, values: &BTreeMap<String, String>) -> Vec<String> {
    assert!(told.keys().any(|name| name.ends_with("student-records-dev.json")), "no state among {:?}", told.keys());
    assert!(told["the process list"].contains("tapctl apply --yes -vv"));
    assert!(told["the process list"].contains("AWS_ENDPOINT_URL"));
    assert!(told["the task definitions"].contains("DB_PASSWORD"));
    let mut found = Vec::new();
    for (place, text) in told {
        for (name, value) in values {
            let json = Value::from(value.as_str()).to_string();
            let forms = [value.as_str(), json.trim_matches('"'), &base64(value)];
            if forms.iter().any(|form| text.contains(form)) {
                found.push(format!("{name} in {place}"));
            }
        }
        if text.contains("PRIVATE KEY") {
            found.push(format!("a private key in {place}"));
        }
    }
    found
}

fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for bytes in text.as_bytes().chunks_exact(3) {
        let number = bytes.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        out.extend([18, 12, 6, 0].map(|shift| char::from(LETTERS[number >> shift & 63])));
    }
    out
}
