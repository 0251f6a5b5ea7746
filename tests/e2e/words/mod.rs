//! What tapctl says to a person who mistypes, waits or stops: each case with its exact words and exit code.

mod places;
mod standing;
mod typed;

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Desk, LocalAws, Run, at_leisure, standing, without_place};
use crate::terminal;

/// One thing that a person does.
struct Case {
    /// `tapctl.toml`.
    settings: &'static str,
    /// Files that stand on the desk then, and no longer afterwards.
    files: &'static [(&'static str, &'static str)],
    /// The arguments, one blank apart.
    arguments: &'static str,
    /// Variables of the environment.
    variables: &'static [(&'static str, &'static str)],
    /// What stands on stdin.
    stdin: &'static str,
    /// Whether AWS may be asked.
    asks: bool,
    /// The exit code.
    code: i32,
    /// Where it says that it works; `AWS` stands for the endpoint. Empty: it is not looked at.
    place: &'static str,
    /// All of stderr besides. What begins with `…` only ends so, and what ends with `…` only begins so.
    says: &'static str,
    /// All of stdout, likewise.
    prints: &'static str,
}

const CASE: Case = Case {
    settings: "",
    files: &[],
    arguments: "plan",
    variables: &[],
    stdin: "",
    asks: true,
    code: 1,
    place: "",
    says: "",
    prints: "",
};

/// What is refused before AWS is asked.
const UNASKED: Case = Case { asks: false, ..CASE };

/// Whether the text is the one agreed on.
fn agrees(text: &str, agreed: &str) -> bool {
    match (agreed.strip_prefix('…'), agreed.strip_suffix('…')) {
        (Some(end), _) => text.ends_with(end),
        (_, Some(beginning)) => text.starts_with(beginning),
        _ => text == agreed,
    }
}

impl Case {
    fn run(&self, aws: &LocalAws, desk: &Desk) -> Run {
        desk.settings(self.settings);
        for (name, text) in self.files {
            let path = desk.path(name);
            std::fs::create_dir_all(path.parent().expect("it is on the desk")).expect("a directory can be made");
            std::fs::write(path, text).expect("it is written");
        }
        let mut command = desk.command(&self.arguments.split(' ').collect::<Vec<_>>());
        command.envs(self.variables.iter().copied());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let _ = child.stdin.take().expect("a pipe").write_all(self.stdin.as_bytes());
        let ended = child.wait_with_output().expect("it ends");
        for (name, _) in self.files {
            std::fs::remove_file(desk.path(name)).expect("it is left alone");
        }
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8_lossy(&bytes).replace(&aws.url(), "AWS");
            if desk.state_path("dev").exists() { desk.drawn("dev").redact(&text) } else { text }
        };
        let (stdout, stderr) = (text(ended.stdout), at_leisure(&text(ended.stderr)));
        let (place, stderr) = without_place(&stderr);
        Run { what: self.arguments.to_owned(), status: ended.status, stdout, place, stderr, took: Duration::ZERO }
    }

    /// What is wrong with it, if anything is.
    fn wrong(&self, aws: &LocalAws, desk: &Desk) -> Option<String> {
        let mark = aws.mark();
        let run = self.run(aws, desk);
        let calls = aws.log_since(mark);
        let as_agreed = agrees(&run.stderr, self.says) && agrees(&run.stdout, self.prints);
        let there = self.place.is_empty() || run.place.as_deref() == Some(self.place);
        let quiet = (self.asks || calls.is_empty()) && !calls.iter().any(|call| call.write);
        let right = as_agreed && there && run.code() == Some(self.code) && quiet;
        let Case { code, place, says, prints, .. } = self;
        (!right).then(|| {
            format!(
                "{run}--- at {:?}, {} calls\n--- not {code}\n{prints}--- and\n{says}--- at {place}",
                run.place,
                calls.len()
            )
        })
    }
}

#[track_caller]
fn all_as_agreed(aws: &LocalAws, desk: &Desk, cases: &[&[Case]]) {
    let wrong: Vec<String> = cases.iter().flat_map(|some| *some).filter_map(|case| case.wrong(aws, desk)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// What lies in a directory of the desk, without what is hidden.
fn visible(desk: &Desk, directory: &str) -> Vec<String> {
    let files = std::fs::read_dir(desk.path(directory)).into_iter().flatten().flatten();
    let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.')).collect()
}

#[test]
fn what_is_refused_is_told_in_the_words_agreed_on() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws).typed_by_hand();
    all_as_agreed(&aws, &desk, &[typed::USAGE, typed::SETTINGS, typed::NODES, typed::REMARKS]);
    all_as_agreed(&aws, &desk, &[places::REGIONS, places::PROFILES, places::FILES, places::NEW]);
    assert_eq!(visible(&desk, "state"), [""; 0], "who only looks or is refused leaves no state and no lock");
    desk.settings("");
    desk.tapctl(&["apply", "--yes", "--target", "vpc"]).expect(0);
    all_as_agreed(&aws, &desk, &[standing::VPC]);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    all_as_agreed(&aws, &desk, &[standing::GONE]);
}

#[test]
fn a_host_that_does_not_answer_is_named_with_who_named_its_region() {
    let aws = LocalAws::lease();
    all_as_agreed(&aws, &Desk::at(&aws), &[places::UNREACHABLE]);
}

#[test]
fn of_a_standing_environment_it_is_told_what_is_done_to_it() {
    let (aws, desk) = standing();
    all_as_agreed(&aws, &desk, &[standing::WHOLE]);
    desk.settings("");
    let run = terminal::run(&desk, "dumb", (80, 24), &[("goes ahead: ", "no\n")], &["destroy"]).expect(1);
    assert!(run.stdout.replace("\r\n", "\n").ends_with(standing::QUESTION), "{run}");
    // Since then somebody has been here.
    let mut state = desk.state("dev");
    state["nodes"]["key-efs"]["progress"] = json!("pending");
    std::fs::write(desk.state_path("dev"), state.to_string()).expect("it is written");
    // RDS misses the key half an hour after it was disabled: that is not what is told here.
    aws.set(json!({ "durations": { "rds.key.missed": 1e12 } }));
    aws.python(standing::SOMEBODY);
    all_as_agreed(&aws, &desk, &[standing::TOUCHED]);
    let drawn = desk.drawn("dev");
    for (columns, command, shown) in standing::ON_A_TERMINAL {
        assert_eq!(
            drawn.redact(&terminal::answer(&desk, *columns, &[command])),
            *shown,
            "{command} on {columns} columns"
        );
    }
}

const CTRL_C: &str = "\u{3}";

#[test]
fn whoever_does_not_say_yes_has_cancelled() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    for (answer, echo) in [("y\n", "y\r\n"), ("\n", "\r\n"), ("Yes please\n", "Yes please\r\n")] {
        let run = terminal::run(&desk, "xterm", (100, 30), &[("goes ahead: ", answer)], &["apply", "--target", "vpc"]);
        let run = run.expect(1);
        let end = format!("goes ahead: {echo}cancelled; nothing was changed (only `yes` goes ahead)\r\n");
        assert!(run.stdout.ends_with(&end), "{run}");
        assert!(!run.stdout.contains("error:"), "{run}");
    }
    assert_eq!(aws.writes_since(0), [""; 0]);
}

#[test]
fn a_terminal_that_cannot_move_its_lines_is_told_of_waits_as_a_pipe_is() {
    for term in ["dumb", ""] {
        let aws = LocalAws::at_speed("real");
        let desk = Desk::at(&aws);
        let answers = [("waiting   nat-gateway-a for ", CTRL_C)];
        let run = terminal::run(&desk, term, (80, 24), &answers, &["apply", "--yes", "--target", "nat-gateway-a"]);
        let run = run.expect(130);
        assert!(run.stdout.contains(", usually 2m: pending"), "{run}");
        assert!(run.stdout.ends_with("error: stopped\r\n"), "{run}");
        assert!(!run.stdout.contains("\u{1b}[2K"), "{run}");
    }
}

#[test]
fn a_narrow_terminal_shows_what_is_done_and_what_is_left() {
    let aws = LocalAws::at_speed("real");
    let desk = Desk::at(&aws);
    let answers = [(" more", ""), (", usually 2m", CTRL_C)];
    let run = terminal::run(&desk, "xterm", (60, 12), &answers, &["apply", "--yes"]).expect(130);
    assert!(run.stdout.contains("reading 131 nodes… "), "{run}");
    let text = terminal::without_codes(&run.stdout);
    for shown in ["  creating  ", "  + ", " of 131 done, ", "under way: "] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
}

#[test]
fn reading_is_told_after_three_seconds_in_a_pipe() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(json!({ "match": { "operation": "DescribeLogGroups" }, "action": "hang" }));
    let plan = desk.command(&["plan"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    aws.until_struck();
    std::thread::sleep(Duration::from_millis(4500));
    let kill = std::process::Command::new("kill").arg(plan.id().to_string()).status();
    assert!(kill.is_ok_and(|status| status.success()));
    let ended = plan.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("reading 131 nodes from AWS…\n"), "{said}");
    assert_eq!(ended.status.code(), Some(130), "{said}");
}
