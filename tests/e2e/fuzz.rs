//! Random arguments, settings and state documents: whatever a person or a disk comes up with, tapctl ends with a documented
//! code and never by a panic, and what it refuses as wrong usage or settings has asked AWS nothing.
//!
//! `TAPCTL_SEED=42` runs one seed; `TAPCTL_FUZZ_SECONDS=600` as many as fit, from a seed that is printed.

use std::env;
use std::fs;
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use serde_json::{Value, json};
use tapctl::config::TEMPLATE;

use crate::harness::{Desk, LocalAws, Run, redact};

/// How long it goes on where nobody says.
const SECONDS: u64 = 15;
/// A run that takes longer is stopped as by Ctrl-C.
const LONG: Duration = Duration::from_secs(10);
/// How long it may take to end then.
const PROMPT: Duration = Duration::from_secs(5);

const CODES: [i32; 8] = [0, 1, 2, 3, 4, 5, 64, 130];

const COMMANDS: [&str; 22] = [
    "apply",
    "plan",
    "status",
    "drift",
    "destroy",
    "rotate",
    "restart",
    "backups",
    "snapshot cache",
    "restore db-cluster --to latest --beside",
    "outputs",
    "state list",
    "state show",
    "state pull",
    "state push",
    "state rm",
    "state restore",
    "state unlock",
    "state",
    "init",
    "completions",
    "help",
];

const FLAGS: [&str; 38] = [
    "--env",
    "--stack",
    "--config",
    "--state-dir",
    "-v",
    "-vv",
    "--target",
    "--exclude",
    "--yes",
    "-y",
    "--adopt",
    "--allow-data-loss",
    "--recreate",
    "--allow-restart",
    "--apply-pending",
    "--cancel-pending",
    "--skip-final-snapshot",
    "--parallelism",
    "--timeout",
    "--json",
    "--format",
    "--confirm",
    "--name",
    "--snapshot",
    "--to",
    "--beside",
    "--drop",
    "--force",
    "--older",
    "--help",
    "--version",
    "--full",
    "--region",
    "--new-env",
    "--lock-timeout",
    "--destroy",
    "--",
    "-",
];

const WORDS: [&str; 27] = [
    "dev",
    "prod",
    "qa",
    "student-records",
    "data-pipeline",
    "tapctl.toml",
    "state",
    "vpc",
    "key-efs",
    "alias-efs",
    "nope",
    "latest",
    "vpc_id",
    "json",
    "table",
    "bash",
    "0",
    "1",
    "-1",
    "1440",
    "18446744073709551615",
    "10m",
    "",
    "é",
    "a b",
    "us-east-1",
    "student-records-dev",
];

/// What nearly every command takes.
const USUAL: [&str; 9] = [
    "--env dev",
    "--env qa",
    "--env Dev",
    "--stack data-pipeline",
    "--stack student-records",
    "--config tapctl.toml",
    "--config nope.toml",
    "--state-dir state",
    "-v",
];

/// Right and wrong, as TOML.
const VALUES: [&str; 24] = [
    "true",
    "false",
    "0",
    "1",
    "2",
    "-1",
    "0x10000",
    "1e400",
    "nan",
    "0.5",
    "9223372036854775807",
    "\"\"",
    "\"a\"",
    "\"2\"",
    "[]",
    "[1]",
    "[\"a\", \"a\"]",
    "{ a = 1 }",
    "2026-01-01",
    "\"10.0.0.0/16\"",
    "\"255.255.255.255/0\"",
    "\"a:b@c/d\"",
    "\"\\u0000\"",
    "'''\n'''",
];

/// All that one run is given.
struct Given {
    arguments: Vec<String>,
    settings: String,
    documents: Vec<(String, String)>,
}

impl Given {
    fn draw(rng: &mut Rng, state: &Value) -> Given {
        Given { arguments: arguments(rng), settings: settings(rng), documents: documents(rng, state) }
    }
}

fn pick<'a>(rng: &mut Rng, all: &[&'a str]) -> &'a str {
    all[rng.usize(..all.len())]
}

fn arguments(rng: &mut Rng) -> Vec<String> {
    let mut arguments: Vec<String> = pick(rng, &COMMANDS).split(' ').map(str::to_owned).collect();
    if rng.u8(..4) > 0 {
        // Most of them should get beyond their usage.
        for _ in 0..rng.usize(..3) {
            arguments.extend(pick(rng, &USUAL).split(' ').map(str::to_owned));
        }
        return arguments;
    }
    for _ in 0..rng.usize(..5) {
        let from: &[&str] = if rng.bool() { &FLAGS } else { &WORDS };
        let mut word = pick(rng, from).to_owned();
        if rng.u8(..8) == 0 {
            mangle(rng, &mut word);
        }
        arguments.push(word);
    }
    if rng.u8(..20) == 0 {
        let at = rng.usize(..arguments.len());
        arguments.swap_remove(at);
    }
    arguments
}

/// Takes out, puts in or doubles a letter. None of them makes a path.
fn mangle(rng: &mut Rng, text: &mut String) {
    let letters: Vec<char> = text.chars().collect();
    let at = rng.usize(..=letters.len());
    let odd = ['é', '\u{7f}', '"', '\'', '=', '-', ' ', '\n', '0', 'Z', '{', '\u{202e}'];
    let (head, tail) = letters.split_at(at);
    let new: Vec<char> = match rng.u8(..3) {
        0 => tail.iter().skip(1).copied().collect(),
        1 => [&[odd[rng.usize(..odd.len())]], tail].concat(),
        _ => [tail, tail].concat(),
    };
    *text = head.iter().chain(&new).collect();
}

/// Some lines of the template with their own values or with others, in the table they belong to or not.
fn settings(rng: &mut Rng) -> String {
    let mut text = String::new();
    for line in TEMPLATE.lines() {
        let setting =
            line.strip_prefix('#').and_then(|line| line.split_once(" = ")).filter(|(key, _)| !key.contains(' '));
        match setting {
            Some((key, value)) if rng.u8(..30) == 0 => {
                let value = if rng.u8(..3) == 0 { value } else { pick(rng, &VALUES) };
                text.push_str(&format!("{key} = {value}\n"));
            }
            None if line.starts_with('[') && rng.u8(..20) > 0 => text.push_str(&format!("{line}\n")),
            _ => {}
        }
    }
    if rng.u8(..3) > 0 {
        // Most runs should get beyond their settings.
        return "[engine]\nsettle_seconds = 5\n".to_owned();
    }
    if rng.u8(..5) == 0 {
        mangle(rng, &mut text);
    }
    text
}

/// The state, the lock and the backup, each missing, whole or harmed.
fn documents(rng: &mut Rng, state: &Value) -> Vec<(String, String)> {
    let lock = json!({ "fence": 7, "holder": { "host": "build-7", "pid": 4711, "command": "apply --env dev",
        "since": "2026-01-02T03:04:05Z", "expires": "2026-01-02T03:05:05Z" } });
    let mut all = Vec::new();
    for (name, whole) in [("json", state), ("lock", &lock), ("json.backup", state), ("json.backup2", state)] {
        if rng.bool() {
            continue;
        }
        let mut document = whole.clone();
        for _ in 0..rng.usize(..3) {
            harm(rng, &mut document);
        }
        let mut text = document.to_string();
        if rng.u8(..6) == 0 {
            mangle(rng, &mut text);
        }
        all.push((format!("state/student-records-dev.{name}"), text));
    }
    all
}

/// Takes out or replaces one value somewhere below.
fn harm(rng: &mut Rng, value: &mut Value) {
    let odd = [
        json!(null),
        json!(u64::MAX),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("é"),
        json!([]),
        json!({}),
        json!(true),
    ];
    let deeper = rng.u8(..4) > 0;
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(rng.usize(..fields.len())).cloned().unwrap_or_default();
            match fields.get_mut(&key) {
                Some(inner) if deeper => harm(rng, inner),
                _ => drop(fields.remove(&key)),
            }
        }
        Value::Array(items) if !items.is_empty() && deeper => {
            let at = rng.usize(..items.len());
            harm(rng, &mut items[at]);
        }
        other => *other = odd[rng.usize(..odd.len())].clone(),
    }
}

/// Runs tapctl with it and says what is wrong with how that ends.
fn judge(aws: &LocalAws, given: &Given) -> Result<i32, String> {
    aws.empty_again();
    let desk = Desk::at(aws);
    fs::write(desk.path("tapctl.toml"), &given.settings).expect("settings are written");
    fs::create_dir(desk.path("state")).expect("a directory");
    for (name, text) in &given.documents {
        fs::write(desk.path(name), text).expect("a document is written");
    }
    // What no operating system passes on is no argument.
    let arguments: Vec<&str> = given.arguments.iter().map(String::as_str).filter(|word| !word.contains('\0')).collect();
    let mut running = desk.start(&arguments);
    let since = Instant::now();
    while running.runs() {
        if since.elapsed() > LONG {
            running.signal("INT");
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let run = running.wait(PROMPT);
    fault_of(aws, &run).map_or_else(|| Ok(run.code().unwrap_or_default()), |fault| Err(format!("{fault}\n{run}")))
}

fn fault_of(aws: &LocalAws, run: &Run) -> Option<String> {
    let Some(code) = run.code().filter(|code| CODES.contains(code)) else {
        return Some("it does not end with a documented code".to_owned());
    };
    if run.stderr.contains("panicked at") {
        return Some("it panics".to_owned());
    }
    let settings = code == 1
        && ["tapctl.toml:", "the environment's name"]
            .iter()
            .any(|file| run.stderr.strip_prefix("error: ").is_some_and(|said| said.starts_with(file)));
    let calls = aws.log().len();
    if (code == 64 || settings) && calls > 0 {
        return Some(format!("{calls} calls were made before it was refused"));
    }
    let untold = code != 0 && code != 2 && run.stderr.trim().is_empty();
    untold.then(|| "it fails without a word".to_owned())
}

/// The state of a key and its alias, as an apply leaves it.
fn a_state(aws: &LocalAws) -> Value {
    let desk = Desk::at(aws);
    desk.tapctl(&["apply", "--yes", "--target", "alias-efs"]).expect(0);
    desk.state("dev")
}

#[test]
fn whatever_it_is_given_it_ends_with_a_documented_code() {
    let aws = LocalAws::at_speed("instant");
    let state = a_state(&aws);
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is later than 1970");
    let first = number("TAPCTL_SEED").unwrap_or(now.as_secs() * 1000);
    let end = Instant::now() + Duration::from_secs(number("TAPCTL_FUZZ_SECONDS").unwrap_or(SECONDS));
    let mut codes = std::collections::BTreeMap::<i32, usize>::new();
    for seed in first.. {
        let given = Given::draw(&mut Rng::with_seed(seed), &state);
        match judge(&aws, &given) {
            Ok(code) => *codes.entry(code).or_default() += 1,
            Err(fault) => panic!(
                "{}\ntapctl.toml:\n{}\n{:#?}\nagain with: TAPCTL_SEED={seed} cargo test --test e2e fuzz",
                redact(&fault),
                given.settings,
                given.documents
            ),
        }
        if number("TAPCTL_SEED").is_some() || Instant::now() > end {
            break;
        }
    }
    println!("from seed {first}, runs by exit code: {codes:?}");
}
