//! What people and scripts rely on: help, exit codes, JSON, colours, pipes, completions.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, Run, at_leisure, wait_for, without_place};

const COMMANDS: [&str; 14] = [
    "apply",
    "plan",
    "status",
    "drift",
    "destroy",
    "rotate",
    "restart",
    "backups",
    "snapshot",
    "restore",
    "outputs",
    "state",
    "init",
    "completions",
];

#[test]
fn help_says_what_each_command_does() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    insta::assert_snapshot!(desk.tapctl(&["--help"]).expect(0).stdout, @r"
    Provisions whole AWS systems by calling the AWS SDKs directly: reruns converge, a kill loses
    nothing.

    Exit codes: 0 done, or nothing to do; 1 error; 2 changes (plan), drift (drift), something not ready
    (status), no young way back (backups), or done and something needs a restart (apply); 3 the state is
    locked by another run, or was taken over by one; 4 AWS does not take the credentials, or no longer:
    renew them and run again; 5 out of time, or AWS was still busy: run again, it goes on; 64 wrong
    usage; 130 stopped by Ctrl-C or another signal.

    Usage: tapctl <COMMAND>

    Commands:
      apply        Make AWS like the stack: plan, show, ask, converge
      plan         Show what apply would do, field by field
      status       Show every node: phase, id and age, and the outputs
      drift        Compare what is live with what was last applied, field by field
      destroy      Remove everything the stack has in this environment, dependents first
      rotate       Change the credentials that were made for the stack, and restart what uses them
      restart      Restart databases, so that all of their settings are in force
      backups      Show what each store could be brought back to, and how old that is
      snapshot     Take a snapshot of a database or a cache, and wait until it is there
      restore      Make a copy of a database as it was, beside the one that serves, or remove it
      outputs      Print the outputs of the last complete apply. Reads the state only
      state        Look into the recorded state, and mend it. Never asks AWS
      init         Write a tapctl.toml that shows every setting with its default, all commented out
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
    for command in COMMANDS {
        let help = desk.tapctl(&[command, "--help"]).expect(0).stdout;
        assert!(help.contains(&format!("Usage: tapctl {command}")), "{help}");
        assert!(help.lines().all(|line| line.len() <= 120), "{help}");
    }
    insta::assert_snapshot!(desk.tapctl(&["apply", "--help"]).expect(0).stdout, @"
    Make AWS like the stack: plan, show, ask, converge.

    A rerun changes nothing; an interrupted run goes on; what left the stack is removed.

    Usage: tapctl apply [OPTIONS]

    Options:
          --env <NAME>
              The environment: dev, qa, prod, pr123…
              
              [env: ENVIRONMENT_SUFFIX=]
              [default: dev]

          --stack <NAME>
              The stack; by default the one tapctl.toml names, else student-records

              Possible values:
              - student-records: A university's student records, under FERPA
              - data-pipeline:   A pipeline that takes in records, under FedRAMP Moderate

          --region <REGION>
              The AWS region. tapctl.toml, AWS_REGION, AWS_DEFAULT_REGION and the profile may name it
              too, and must name the same

          --new-region <REGION>
              That this region, which --region or another place names and this tapctl does not know, is
              really meant
              
              [env: TAPCTL_NEW_REGION=]

          --profile <NAME>
              The profile of ~/.aws/config whose credentials are used, before those of the environment

          --config <FILE>
              The configuration file; by default ./tapctl.toml, which may be missing. `none`: all is
              left to the defaults, where the last apply had a file, too

          --state-dir <DIR>
              Where the state files are
              
              [env: TAPCTL_STATE_DIR=]
              [default: state]

      -v, --verbose...
              Say more: -v each call to AWS, -vv also the SDK's own words. On stderr

          --target <NODE>
              Only this node and what it depends on; may be given more than once

          --exclude <NODE>
              All but this node and what depends on it; may be given more than once

      -y, --yes
              Do not ask

          --new-env
              Make an environment of which nothing is there yet; without it, --yes makes only those that
              tapctl.toml names

          --adopt
              Take over objects that have this stack's names but not its ownership tags

          --allow-data-loss <NODE>
              Let this node's data be lost by a replacement, a removal or a shorter retention; may be
              given more than once

          --allow-major <NODE>
              Let this node go to another major version, from which AWS never goes back; may be given
              more than once

          --recreate <NODE>
              Make this node anew, without the data it had, where it is lost; may be given more than
              once

          --allow-outage
              Let what stands be out of service for a while, where a change cannot be made without

          --allow-loss <NODE>
              Let the URL, address, key, name or logs of this node be lost; may be given more than once

          --allow-restart
              Restart the databases that need it for all of their settings to be in force, readers first

          --apply-pending <NODE>
              Carry out now what others asked for of this node, and what waits for its maintenance
              window; may be given more than once

          --cancel-pending <NODE>
              Take back what others asked for of this node, and what waits for its maintenance window;
              may be given more than once

          --parallelism <N>
              How many nodes are worked on at once, 1 to 64; by default engine.parallelism of
              tapctl.toml

          --timeout <MINUTES>
              How many minutes the run may take, 1 to 1440; by default engine.timeout_minutes of
              tapctl.toml

          --lock-wait <TIME>
              How long to wait where another run holds the lock, as 90s or 10m; by default not at all

      -h, --help
              Print help (see a summary with '-h')
    ");
    let version = desk.tapctl(&["--version"]).expect(0);
    assert_eq!(version.stdout, concat!("tapctl ", env!("CARGO_PKG_VERSION"), "\n"));
    assert!(desk.tapctl(&[]).expect(64).stderr.contains("Usage: tapctl"));
    desk.tapctl(&["aply"]).expect(64);
    assert_eq!(aws.log().len(), 0);
}

#[test]
fn completions_are_scripts_the_shell_takes() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let script = desk.tapctl(&["completions", "bash"]).expect(0).stdout;
    let mut bash = Command::new("bash")
        .args(["-c", "eval \"$(cat)\" && complete -p tapctl"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("bash starts");
    bash.stdin.take().expect("a pipe").write_all(script.as_bytes()).expect("bash reads");
    let said = bash.wait_with_output().expect("bash ends");
    assert!(said.status.success() && String::from_utf8_lossy(&said.stdout).contains("tapctl"), "{said:?}");
    for shell in ["zsh", "fish"] {
        assert!(desk.tapctl(&["completions", shell]).expect(0).stdout.contains("tapctl"));
    }
    desk.tapctl(&["completions", "tcsh"]).expect(64);
    closed(&desk, &["completions", "bash"], 0);
}

#[test]
fn what_is_read_can_be_read_by_scripts() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    planned(&desk);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    // Whoever only looks needs no settings file, and can be anywhere.
    std::fs::remove_file(desk.path("tapctl.toml")).expect("there are settings");
    statuses(&aws, &desk);
    outputs(&desk);
    colours(&desk);
    pipes(&desk);
    verbose(&desk);
    something_is_missing(&aws, &desk);
}

fn planned(desk: &Desk) {
    let plan = desk.tapctl(&["plan", "--json"]).expect(2).json();
    let steps = plan.as_array().expect("a list of steps");
    assert!(steps.len() >= 90, "{} steps", steps.len());
    for step in steps {
        assert!(step["node"].is_string() && step["kind"].is_string(), "{step:#}");
        assert_eq!(step["action"], "create", "{step:#}");
    }
}

fn statuses(aws: &LocalAws, desk: &Desk) {
    let mark = aws.mark();
    let status = desk.tapctl(&["status", "--json"]).expect(0).json();
    let head: Vec<&Value> = ["stack", "env", "account", "region"].iter().map(|field| &status[*field]).collect();
    assert_eq!(json!(head), json!(["student-records", "dev", "123456789012", "us-east-1"]));
    assert!(status["serial"].is_u64() && status["outputs"]["vpc_id"].is_string(), "{status:#}");
    for node in status["nodes"].as_array().expect("nodes") {
        assert!(["node", "kind", "id", "created"].iter().all(|field| node[*field].is_string()), "{node:#}");
        assert_eq!(node["phase"], "ready", "{node:#}");
    }
    assert_eq!(desk.tapctl(&["drift", "--format", "json"]).expect(0).json(), json!([]));
    assert_eq!(aws.writes_since(mark), [""; 0]);
    let steps = desk.tapctl(&["plan", "--json"]).expect(0).json();
    assert!(steps.as_array().expect("steps").iter().all(|step| step["action"] == "keep"), "{steps:#}");
}

fn outputs(desk: &Desk) {
    let all = desk.tapctl(&["outputs", "--json"]).expect(0).json();
    let one = desk.tapctl(&["outputs", "vpc_id"]).expect(0).stdout;
    assert_eq!(one.trim_end(), all["vpc_id"]);
    let table = desk.tapctl(&["outputs"]).expect(0).stdout;
    assert_eq!(table.lines().count(), all.as_object().expect("an object").len());
    let run = desk.tapctl(&["outputs", "vpc"]).expect(1);
    assert!(run.stderr.starts_with("error: there is no output vpc\nhint: there are "), "{run}");
    let run = desk.tapctl(&["outputs", "vpcid"]).expect(1);
    assert!(run.stderr.starts_with("error: there is no output vpcid; did you mean vpc_id?\nhint: there are "), "{run}");
}

fn colours(desk: &Desk) {
    let coloured = |run: Run| (run.stdout + &run.stderr).contains('\u{1b}');
    let with = |variables: &[(&str, &str)]| {
        let mut command = desk.command(&["status"]);
        let output = command.envs(variables.iter().copied()).output().expect("it runs");
        String::from_utf8_lossy(&output.stdout).contains('\u{1b}')
    };
    for arguments in [
        vec!["plan"],
        vec!["drift"],
        vec!["status"],
        vec!["backups"],
        vec!["apply", "--yes"],
        vec!["plan", "--env", "Bad"],
    ] {
        assert!(!coloured(desk.tapctl(&arguments)), "a pipe gets no colours: {arguments:?}");
    }
    assert!(with(&[("CLICOLOR_FORCE", "1")]));
    assert!(!with(&[("NO_COLOR", "1")]));
}

/// Runs with nobody reading what it prints, and checks that it ends as if somebody did, without a word more.
fn closed(desk: &Desk, arguments: &[&str], code: i32) {
    let mut command = desk.command(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    let ended = child.wait_with_output().expect("it ends");
    let said = without_place(&at_leisure(&String::from_utf8_lossy(&ended.stderr))).1;
    let read = desk.tapctl(arguments).stderr;
    assert_eq!((ended.status.code(), said), (Some(code), read), "{arguments:?}");
}

fn pipes(desk: &Desk) {
    for arguments in [
        vec!["status"],
        vec!["plan"],
        vec!["plan", "--json"],
        vec!["drift"],
        vec!["backups"],
        vec!["outputs"],
        vec!["--help"],
    ] {
        closed(desk, &arguments, 0);
    }
}

#[test]
fn an_apply_that_nobody_reads_is_done_all_the_same() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    for (verb, nodes) in [("apply", 131), ("destroy", 0)] {
        let mut command = desk.command(&[verb, "--yes"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        drop((child.stdout.take(), child.stderr.take()));
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{verb}");
        assert_eq!(desk.state("dev")["nodes"].as_object().map(serde_json::Map::len), Some(nodes));
    }
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
}

fn verbose(desk: &Desk) {
    let run = desk.tapctl(&["status", "-v", "--json"]).expect(0);
    assert!(run.json()["nodes"].is_array());
    assert!(run.stderr.contains("DescribeVpcs") && !run.stderr.contains('\u{1b}'), "{run}");
    let env = desk.command(&["outputs"]).env("ENVIRONMENT_SUFFIX", "qa").output().expect("it runs");
    assert!(String::from_utf8_lossy(&env.stderr).contains("student-records qa"), "{env:?}");
}

fn something_is_missing(aws: &LocalAws, desk: &Desk) {
    aws.python("client('logs').delete_log_group(logGroupName='student-service-dev')");
    let run = desk.tapctl(&["status"]).expect(2);
    let row = run.stdout.lines().find(|line| line.contains("log-group-service")).expect("a row");
    assert_eq!(row.split_whitespace().nth(2), Some("missing"), "{run}");
    closed(desk, &["plan"], 2);
    closed(desk, &["drift"], 2);
}

#[test]
fn a_first_tapctl_toml_shows_every_setting_and_is_never_overwritten_by_mistake() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let path = desk.path("first.toml");
    desk.tapctl(&["init", "first.toml"]).expect(0);
    let text = std::fs::read_to_string(&path).expect("it was written");
    assert!(text.contains("\n#waf_rate_limit = 36000\n"), "{text}");
    std::fs::write(&path, "mine").expect("it can be written");
    let run = desk.tapctl(&["init", "first.toml"]).expect(1);
    insta::assert_snapshot!(run.stderr, @"
    error: first.toml is there already
    hint: add --force to replace it, or name another file
    ");
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "mine");
    desk.tapctl(&["init", "--force", "first.toml"]).expect(0);
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
}

#[test]
fn calls_go_through_the_proxy_of_the_environment() {
    let aws = LocalAws::lease();
    // The local AWS takes requests as a proxy gets them.
    let far = |scheme: &str| Desk::at(&aws).variable("AWS_ENDPOINT_URL", &format!("{scheme}://aws.invalid"));
    far("http").variable("HTTP_PROXY", &aws.url()).tapctl(&["plan"]).expect(2);

    let proxy = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", proxy.local_addr().expect("an address"));
    let planning = far("https").variable("HTTPS_PROXY", &url).start(&["plan"]);
    proxy.set_nonblocking(true).expect("a socket that can be asked");
    let (stream, _) = wait_for("tapctl's connection", Duration::from_secs(60), || proxy.accept().ok());
    let asked = BufReader::new(stream).lines().next().expect("a line").expect("of text");
    assert_eq!(asked, "CONNECT aws.invalid:443 HTTP/1.1");
    planning.crash();

    let near = Desk::at(&aws).variable("HTTP_PROXY", &url).variable("NO_PROXY", "127.0.0.1");
    near.tapctl(&["plan"]).expect(2);
}
