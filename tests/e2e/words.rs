//! What tapctl says to a person who mistypes, waits or stops: each case with its exact words and exit code.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Desk, LocalAws, Run, at_leisure, repository};

/// One thing that a person does.
struct Case {
    /// `tapctl.toml`.
    settings: &'static str,
    /// The arguments, one blank apart.
    arguments: &'static str,
    /// A variable of the environment.
    variable: Option<(&'static str, &'static str)>,
    /// What stands on stdin.
    stdin: &'static str,
    /// The exit code.
    code: i32,
    /// All of stderr; of stdout nothing may come then, where the run is refused. What ends in `…` only begins so.
    says: &'static str,
}

const CASE: Case = Case { settings: "", arguments: "plan", variable: None, stdin: "", code: 1, says: "" };

/// Wrong usage, and what the file's rules say of flags.
const USAGE: &[Case] = &[
    Case {
        arguments: "plan --nonsense",
        code: 64,
        says: "error: unexpected argument '--nonsense' found\n\nUsage: tapctl plan [OPTIONS]\n\n\
               For more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "plan --evn prod",
        code: 64,
        says: "error: unexpected argument '--evn' found\n\n  tip: a similar argument exists: '--env'\n\n\
               Usage: tapctl plan [OPTIONS]\n\nFor more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "plam",
        code: 64,
        says: "error: unrecognized subcommand 'plam'\n\n  tip: a similar subcommand exists: 'plan'\n\n\
               Usage: tapctl <COMMAND>\n\nFor more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "plan --stack student-record",
        code: 64,
        says: "error: invalid value 'student-record' for '--stack <NAME>'\n  \
               [possible values: student-records, data-pipeline]\n\n  \
               tip: a similar value exists: 'student-records'\n\nFor more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --timeout 0",
        code: 64,
        says: "error: invalid value '0' for '--timeout <MINUTES>': allowed: a whole number, 1 to 1440 minutes\n\n\
               For more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --timeout 10m",
        code: 64,
        says: "error: invalid value '10m' for '--timeout <MINUTES>': allowed: a whole number, 1 to 1440 minutes\n\n\
               For more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --timeout 18446744073709551615",
        code: 64,
        says: "error: invalid value '18446744073709551615' for '--timeout <MINUTES>': allowed: a whole number, 1 to 1440 \
               minutes\n\nFor more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --parallelism -1",
        code: 64,
        says: "error: invalid value '-1' for '--parallelism <N>': allowed: a whole number, 1 to 64\n\n\
               For more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "destroy --yes --parallelism many",
        code: 64,
        says: "error: invalid value 'many' for '--parallelism <N>': allowed: a whole number, 1 to 64\n\n\
               For more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "rotate --yes --parallelism 0",
        code: 64,
        says: "error: invalid value '0' for '--parallelism <N>': allowed: a whole number, 1 to 64\n\n\
               For more information, try '--help'.\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --parallelism 999999999",
        code: 64,
        says: "error: invalid value '999999999' for '--parallelism <N>': allowed: a whole number, 1 to 64\n\n\
               For more information, try '--help'.\n",
        ..CASE
    },
];

/// Settings.
const SETTINGS: &[Case] = &[
    Case {
        settings: "service.image = \"a:b:c\"",
        says: "error: tapctl.toml:1: service.image is \"a:b:c\"; it has two tags; allowed: \
               [host[:port]/]path[:tag][@sha256:digest], with the path in lower case\n",
        ..CASE
    },
    Case {
        settings: "service.image = \"a@@b\"",
        says: "error: tapctl.toml:1: service.image is \"a@@b\"; it has two @; allowed: \
               [host[:port]/]path[:tag][@sha256:digest], with the path in lower case\n",
        ..CASE
    },
    Case {
        settings: "service.image = \"a@sha256:zz\"",
        says: "error: tapctl.toml:1: service.image is \"a@sha256:zz\"; its digest is \"sha256:zz\", and a digest is sha256: \
               and 64 digits of 0-9 and a-f; allowed: [host[:port]/]path[:tag][@sha256:digest], with the path in lower \
               case\n",
        ..CASE
    },
    Case {
        settings: "service.image = \"MyOrg/App:1\"",
        says: "error: tapctl.toml:1: service.image is \"MyOrg/App:1\"; \"MyOrg\" has upper-case letters; allowed: \
               [host[:port]/]path[:tag][@sha256:digest], with the path in lower case\n",
        ..CASE
    },
    Case {
        settings: "network.azs = \"2\"",
        says: "error: tapctl.toml:1: network.azs is \"2\", a text; allowed: the number 2 or 3, without quotes\n",
        ..CASE
    },
    Case {
        settings: "protect = \"true\"",
        says: "error: tapctl.toml:1: protect is \"true\", a text; allowed: true or false, without quotes\n",
        ..CASE
    },
    Case {
        settings: "monitoring.alarm_emails = [\"oncall\"]",
        says: "error: tapctl.toml:1: monitoring.alarm_emails has \"oncall\"; it has no @; allowed: a list of at most 20 \
               different mail addresses\n",
        ..CASE
    },
    Case {
        settings: "ingress.host = \"api_1.university.edu\"",
        says: "error: tapctl.toml:1: ingress.host is \"api_1.university.edu\"; \"api_1\" is no part of a host's name: \
               letters, digits, hyphens inside, at most 63; allowed: a host's name, as api.university.edu\n",
        ..CASE
    },
    Case {
        settings: "database.engine_version = \"15.4\"",
        says: "error: tapctl.toml:1: database.engine_version is \"15.4\"; allowed: \"15.10\", \"15.12\", \"15.13\" (the \
               nearest) or another of \"13.9\", …",
        ..CASE
    },
    Case {
        settings: "regoin = \"eu-west-1\"\nnetwork.azs = 5",
        says: "error: tapctl.toml:1: regoin is not a setting; did you mean region?\n\
               tapctl.toml:2: network.azs is 5; allowed: 2 or 3\n2 problems; nothing was done\n",
        ..CASE
    },
];

/// Names of nodes, before there is anything.
const NODES: &[Case] = &[
    Case {
        arguments: "plan --target vpcc",
        says: "error: --target: there is no node vpcc; did you mean vpc?\nhint: `tapctl plan --json` lists every node\n",
        ..CASE
    },
    Case {
        arguments: "plan --target vpc --exclude vpc",
        says: "error: --target vpc --exclude vpc leaves no node: each is excluded, stands on what is, or is still used by \
               what is left alone\nhint: leave one of them out; `tapctl plan --json` lists every node\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --allow-data-loss nope",
        says: "error: --allow-data-loss: there is no node nope\nhint: `tapctl plan --json` lists every node\n",
        ..CASE
    },
    Case {
        arguments: "apply --yes --allow-data-loss db-clustr",
        says: "error: --allow-data-loss: there is no node db-clustr; did you mean db-cluster?\n\
               hint: `tapctl plan --json` lists every node\n",
        ..CASE
    },
];

/// What is allowed, and remarked.
const REMARKS: &[Case] = &[
    Case {
        settings: "network.cidr = \"8.8.0.0/16\"",
        arguments: "plan --target vpc",
        code: 2,
        says: "note: network.cidr is 8.8.0.0/16, which are public addresses: their owners cannot be reached from this VPC; \
               private are 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16\n",
        ..CASE
    },
    Case {
        settings: "network.cidr = \"172.17.0.0/16\"",
        arguments: "plan --target vpc",
        code: 2,
        says: "note: network.cidr is 172.17.0.0/16, which Docker's bridge, AWS Cloud9 and SageMaker use themselves: what \
               runs there does not reach this VPC\n",
        ..CASE
    },
    Case {
        settings: "service.image = \"university/student-api\"",
        arguments: "plan --target vpc",
        code: 2,
        says: "note: service.image is \"university/student-api\", without a tag or digest: each task that starts runs what \
               is the latest by then; add :tag or @sha256:digest\n",
        ..CASE
    },
    Case {
        settings: "monitoring.alarm_emails = [\"oncall@University.edu\", \"alarm@3m.com\", \"a@xn--mnchen-3ya.de\"]",
        arguments: "plan --target vpc",
        code: 2,
        says: "",
        ..CASE
    },
];

/// Where `vpc` and what it stands on is made.
const STANDING: &[Case] = &[
    Case {
        arguments: "state show vpcc",
        says: "error: there is no node vpcc in the state; did you mean vpc?\nhint: `tapctl state list` lists them\n",
        ..CASE
    },
    Case {
        arguments: "state rm vcp --yes",
        says: "error: there is no node vcp in the state; did you mean vpc?\nhint: `tapctl state list` lists them\n",
        ..CASE
    },
    Case {
        arguments: "plan --target vpc",
        code: 0,
        says: "student-records dev: nothing to do, the one node is as it should be\n",
        ..CASE
    },
    Case { arguments: "drift", code: 0, says: "no drift: the one node is as it was left\n", ..CASE },
];

impl Case {
    fn run(&self, desk: &Desk) -> Run {
        desk.settings(self.settings);
        let mut command = desk.command(&self.arguments.split(' ').collect::<Vec<_>>());
        command.envs(self.variable).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let _ = child.stdin.take().expect("a pipe").write_all(self.stdin.as_bytes());
        let ended = child.wait_with_output().expect("it ends");
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let (stdout, stderr) = (text(ended.stdout), at_leisure(&text(ended.stderr)));
        let (place, stderr) = crate::harness::without_place(&stderr);
        Run { what: self.arguments.to_owned(), status: ended.status, stdout, place, stderr, took: Duration::ZERO }
    }

    /// What is wrong with it, if anything is: what it says is on stderr, or the answer where it has nothing to say.
    fn wrong(&self, aws: &LocalAws, desk: &Desk) -> Option<String> {
        let mark = aws.mark();
        let run = self.run(desk);
        let said = if self.code == 0 { format!("{}{}", run.stderr, run.stdout) } else { run.stderr.clone() };
        let as_agreed = match self.says.strip_suffix('…') {
            Some(beginning) => said.starts_with(beginning),
            None => said == self.says,
        };
        let refused = self.code == 64 || said.starts_with("error: tapctl.toml:");
        let calls = aws.log_since(mark).len();
        let quiet = !refused || (calls == 0 && run.stdout.is_empty());
        let right = as_agreed && run.code() == Some(self.code) && quiet && aws.writes_since(mark).is_empty();
        (!right).then(|| format!("{run}--- not\n{}\nwith {}, {calls} calls", self.says, self.code))
    }
}

#[track_caller]
fn all_as_agreed(aws: &LocalAws, desk: &Desk, cases: &[&[Case]]) {
    let wrong: Vec<String> = cases.iter().flat_map(|some| *some).filter_map(|case| case.wrong(aws, desk)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_is_refused_is_told_in_the_words_agreed_on() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    all_as_agreed(&aws, &desk, &[USAGE, SETTINGS, NODES, REMARKS]);
    desk.settings("");
    desk.tapctl(&["apply", "--yes", "--target", "vpc"]).expect(0);
    all_as_agreed(&aws, &desk, &[STANDING]);
}

/// Runs tapctl on a terminal. `answers` are typed, each once its text has appeared. What the terminal showed is stdout.
fn on_a_terminal(desk: &Desk, term: &str, size: (u16, u16), answers: &[(&str, &str)], arguments: &[&str]) -> Run {
    let like = desk.command(arguments);
    let mut command = std::process::Command::new(repository().join("scripts/local-aws"));
    let wishes = json!({ "columns": size.0, "rows": size.1, "answers": answers });
    command.args(["python", "tests/e2e/terminal.py", &wishes.to_string()]).current_dir(repository());
    command.args(["sh", "-c", "cd \"$0\" && exec env -i \"$@\""]).arg(desk.path(""));
    command.args((!term.is_empty()).then(|| format!("TERM={term}")));
    let pair = |(name, value): (&std::ffi::OsStr, Option<&std::ffi::OsStr>)| {
        Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy()))
    };
    command.args(like.get_envs().filter_map(pair)).arg(like.get_program()).args(like.get_args());
    let ended = command.output().expect("it runs");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let what = format!("tapctl {} on {term}", arguments.join(" "));
    let (stdout, stderr) = (text(ended.stdout), text(ended.stderr));
    Run { what, status: ended.status, stdout, place: None, stderr, took: Duration::ZERO }
}

const CTRL_C: &str = "\u{3}";

#[test]
fn whoever_does_not_say_yes_has_cancelled() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    for (answer, echo) in [("y\n", "y\r\n"), ("\n", "\r\n"), ("Yes please\n", "Yes please\r\n")] {
        let run = on_a_terminal(&desk, "xterm", (100, 30), &[("goes ahead: ", answer)], &["apply", "--target", "vpc"]);
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
        let run = on_a_terminal(&desk, term, (80, 24), &answers, &["apply", "--yes", "--target", "nat-gateway-a"]);
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
    let run = on_a_terminal(&desk, "xterm", (60, 12), &answers, &["apply", "--yes"]).expect(130);
    assert!(run.stdout.contains("reading 120 nodes… "), "{run}");
    let text = without_codes(&run.stdout);
    for shown in ["  creating  ", "  + ", " of 120 done, ", "under way: "] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
}

/// The text without what moves the cursor and paints; what is drawn on the same line again stands on lines of its own.
fn without_codes(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
        if part[..end].ends_with(['K', 'A', 'G']) {
            plain.push('\n');
        }
        plain.push_str(&part[end..]);
    }
    plain.replace('\r', "\n")
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
    assert!(said.contains("reading 120 nodes from AWS…\n"), "{said}");
    assert_eq!(ended.status.code(), Some(130), "{said}");
}
