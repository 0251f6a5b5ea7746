//! What guards an environment: its settings remembered, its account, its lock.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, Run};

/// The part of an environment that is made in a second.
const KEY: [&str; 4] = ["apply", "--yes", "--target", "key-efs"];

/// Fails where a command did anything but refuse.
#[track_caller]
fn refused(aws: &LocalAws, desk: &Desk, arguments: &[&str]) -> Run {
    let mark = aws.mark();
    let run = desk.tapctl(arguments).expect(1);
    assert_eq!(aws.writes_since(mark), [""; 0], "{run}");
    run
}

#[test]
fn what_aws_guards_is_guarded_though_a_record_of_a_part_says_nothing_of_it() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("account = \"123456789012\"\n[env.live]\nprotect = true");
    desk.tapctl(&["apply", "--env", "live", "--yes", "--target", "load-balancer", "--target", "key-efs"]).expect(0);
    // Somebody else has neither the settings nor the state, and begins with a part.
    let other = Desk::at(&aws);
    std::fs::remove_file(other.path("tapctl.toml")).expect("it is there");
    other.tapctl(&[&KEY[..], &["--env", "live"]].concat()).expect(0);
    assert_eq!(other.state("live")["settings"]["protect"], false);
    let run = refused(&aws, &other, &["destroy", "--env", "live", "--yes"]);
    assert!(run.stderr.contains("and AWS guards load-balancer against deletion; nothing was changed\nhint: "), "{run}");
    assert!(run.stderr.contains("error: no record of student-records-live tells of "), "{run}");
    let run = refused(&aws, &other, &["apply", "--env", "live", "--yes"]);
    assert_eq!(
        run.stderr,
        "error: AWS guards load-balancer against deletion, and the defaults do not; the settings of student-records live are \
         not here\nhint: name their file with --config FILE; --config none says that the defaults are meant\n"
    );
    other.tapctl(&["destroy", "--env", "live", "--yes", "--confirm", "student-records-live"]).expect(0);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
}

#[test]
fn settings_that_are_gone_are_missed_before_anything_is_written() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("account = \"123456789012\"\n[env.live]\nprotect = true\nservice.tasks = 3");
    let live = |arguments: &[&'static str]| [arguments, &["--env", "live"]].concat();
    desk.tapctl(&live(&KEY)).expect(0);
    let recorded = desk.state("live")["settings"].clone();
    assert_eq!(recorded, json!({ "file": "tapctl.toml", "section": true, "protect": true }));
    std::fs::rename(desk.path("tapctl.toml"), desk.path("kept.toml")).expect("it is there");
    for command in [
        &["apply", "--yes"][..],
        &["destroy", "--yes"],
        &["rotate", "--yes"],
        &["restart", "--yes", "vpc"],
        &["snapshot", "key-efs"],
    ] {
        let run = refused(&aws, &desk, &live(command));
        insta::allow_duplicates! {
            insta::assert_snapshot!(run.stderr, @r"
            error: student-records live was last applied with the settings of tapctl.toml, which is not here
            hint: name the file with --config FILE; --config none says that the defaults are meant
            ");
        }
    }
    // Who looks is told, and sees.
    let run = desk.tapctl(&live(&["drift"])).expect(0);
    assert!(run.stderr.starts_with("note: student-records live was last applied with the settings of"), "{run}");
    // The file is there, its section is not.
    desk.settings("");
    for command in [&["apply", "--yes"][..], &["destroy", "--yes"]] {
        let run = refused(&aws, &desk, &live(command));
        assert!(run.stderr.contains("with a section [env.live] of tapctl.toml, and tapctl.toml has none"), "{run}");
    }
    // What was meant is said, and the record still protects.
    for meant in [&["--config", "none"][..], &["--config", "kept.toml"]] {
        let run = refused(&aws, &desk, &[&live(&["destroy", "--yes"])[..], meant].concat());
        assert!(run.stderr.contains("add --confirm student-records-live"), "{run}");
    }
    let confirmed = ["destroy", "--yes", "--confirm", "student-records-live", "--config", "none"];
    desk.tapctl(&live(&confirmed)).expect(0);
    assert_eq!(desk.state("live")["nodes"], json!({}));
}

#[test]
fn protection_is_taken_off_by_an_apply_and_not_by_an_edit() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("account = \"123456789012\"\nprotect = true");
    desk.tapctl(&KEY).expect(0);
    desk.settings("protect = false");
    let run = refused(&aws, &desk, &["destroy", "--yes"]);
    insta::assert_snapshot!(run.stderr, @r"
    error: the environment dev is protected by its last apply, whatever the settings say since; nothing was changed
    hint: if it is really to go, add --confirm student-records-dev
    ");
    // An apply of a part may leave AWS's own protection on the rest.
    desk.tapctl(&KEY).expect(0);
    assert_eq!(desk.state("dev")["settings"]["protect"], true);
    refused(&aws, &desk, &["destroy", "--yes"]);
    // Turned on, it guards at once.
    let mut state = desk.state("dev");
    state["settings"]["protect"] = json!(false);
    std::fs::write(desk.state_path("dev"), state.to_string()).expect("it is written");
    desk.settings("protect = true");
    refused(&aws, &desk, &["destroy", "--yes"]);
    desk.settings("protect = false");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
}

#[test]
fn a_protected_environment_is_begun_only_in_an_account_that_is_named() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let prod = |arguments: &[&'static str]| [arguments, &["--env", "prod"]].concat();
    let run = refused(&aws, &desk, &prod(&KEY));
    insta::assert_snapshot!(run.stderr, @r#"
    error: the environment prod is protected, and nothing says which account it belongs to
    hint: these credentials are of 123456789012; if that is the one, set account = "123456789012" in tapctl.toml
    "#);
    assert!(!desk.state_path("prod").exists(), "a refused run writes no state");
    let run = desk.tapctl(&prod(&["plan", "--target", "key-efs"])).expect(2);
    assert!(run.stderr.contains("note: the environment prod is protected, and nothing says"), "{run}");
    desk.settings("[env.prod]\naccount = \"123456789012\"");
    desk.tapctl(&prod(&KEY)).expect(0);
    // The record knows it from then on.
    desk.settings("[env.prod]");
    desk.tapctl(&prod(&KEY)).expect(0);
}

#[test]
fn credentials_of_another_account_are_refused_before_anything() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&KEY).expect(0);
    let mut state = desk.state("dev");
    state["account"] = json!("222222222222");
    std::fs::write(desk.state_path("dev"), state.to_string()).expect("it is written");
    for command in [&["apply", "--yes"][..], &["destroy", "--yes"], &["rotate", "--yes"], &["restart", "--yes", "vpc"]]
    {
        let run = refused(&aws, &desk, command);
        assert!(
            run.stderr.contains("belongs to account 222222222222, and this run is for account 123456789012"),
            "{run}"
        );
    }
    desk.settings("account = \"222222222222\"");
    let run = refused(&aws, &desk, &["apply", "--yes"]);
    assert!(run.stderr.contains("for account 123456789012, and tapctl.toml allows only 222222222222"), "{run}");
}

#[test]
fn who_only_looks_or_is_refused_leaves_no_lock() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let lock = desk.path("state/student-records-dev.lock");
    let commands: [(&[&str], i32); 11] = [
        (&["plan", "--target", "vpc"], 2),
        (&["drift"], 1),
        (&["outputs"], 1),
        (&["rotate", "--yes"], 1),
        (&["restart", "--yes", "vpc"], 1),
        (&["backups"], 0),
        (&["snapshot", "cache"], 1),
        (&["state", "rm", "vpc", "--yes"], 1),
        (&["apply", "--yes", "--target", "vpcc"], 1),
        (&["apply"], 1),
        (&["state", "restore", "--yes"], 1),
    ];
    for (command, code) in commands {
        desk.tapctl(command).expect(code);
        let left = std::fs::read_dir(desk.path("state")).into_iter().flatten().flatten().map(|entry| entry.file_name());
        assert_eq!(left.collect::<Vec<_>>(), [""; 0], "{command:?}");
    }
    desk.tapctl(&KEY).expect(0);
    assert!(lock.exists(), "what guards a state outlives its holder");
}

#[test]
fn a_run_waits_for_the_lock_as_long_as_it_is_told_to() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.fault(json!({ "match": { "operation": "CreateKey" }, "action": "hang", "seconds": 60 }));
    let mut holder = desk.start(&KEY);
    aws.until_struck();
    let run = desk.tapctl(&KEY).expect(3);
    assert!(!run.stderr.contains("waiting for"), "{run}");
    let run = desk.tapctl(&[&KEY[..], &["--lock-wait", "1s"]].concat()).expect(3);
    assert!(run.stderr.contains("note: waiting for `tapctl apply --env dev"), "{run}");
    let mut patient = desk.start(&[&KEY[..], &["--lock-wait", "2m"]].concat());
    std::thread::sleep(Duration::from_millis(500));
    assert!(patient.runs(), "it waits");
    holder.signal("INT");
    holder.wait(Duration::from_secs(60)).expect(130);
    aws.lift_faults();
    patient.wait(Duration::from_secs(120)).expect(0);
    assert_eq!(aws.sweep().of("kms.key").len(), 1);
    let wrong = desk.tapctl(&[&KEY[..], &["--lock-wait", "soon"]].concat());
    assert!(wrong.stderr.contains("allowed: a time, as 90s, 10m or 1h"), "{wrong}");
}

#[test]
fn a_state_directory_that_is_none_is_told_with_what_to_name() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    std::fs::write(desk.path("file"), "").expect("it is written");
    for (directory, command) in [("file", "status"), ("file", "apply"), ("/proc/none", "apply")] {
        let run = refused(&aws, &desk, &[command, "--state-dir", directory]);
        let hint =
            "hint: name a directory that can be written to, and has room, with --state-dir or TAPCTL_STATE_DIR\n";
        assert!(run.stderr.ends_with(hint), "{run}");
        assert_eq!(run.stderr.matches("hint:").count(), 1, "{run}");
    }
}

#[test]
fn a_document_that_is_none_is_told_with_where_one_comes_from() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let push = |stdin: &str| {
        let mut command = desk.command(&["state", "push", "-"]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("tapctl starts");
        child.stdin.take().expect("a pipe").write_all(stdin.as_bytes()).expect("it reads");
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(ended.status.code(), Some(1));
        String::from_utf8_lossy(&ended.stderr).into_owned()
    };
    insta::assert_snapshot!(push(""), @r"
    error: stdin is empty
    hint: name a file that `tapctl state pull` has written; `-` reads one from stdin
    ");
    insta::assert_snapshot!(push("{"), @r"
    error: stdin is damaged: EOF while parsing an object at line 1 column 1
    hint: correct it, or begin again from what `tapctl state pull --env dev` prints
    ");
    insta::assert_snapshot!(refused(&aws, &desk, &["state", "push", "nope.json"]).stderr, @r"
    error: nope.json cannot be read: No such file or directory (os error 2)
    hint: name a file that `tapctl state pull` has written; `-` reads one from stdin
    ");
}

#[test]
fn nothing_is_listed_where_nothing_is_recorded_any_more() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&KEY).expect(0);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    for command in [&["state", "list"][..], &["state", "list", "--json"], &["drift"]] {
        let run = desk.tapctl(command).expect(1);
        assert!(run.stderr.starts_with("error: nothing is recorded for student-records dev\nhint: "), "{run}");
    }
}

#[test]
fn a_serial_or_a_fence_that_nobody_counts_to_is_damage() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&KEY).expect(0);
    let whole = desk.state("dev");
    for field in ["serial", "fence"] {
        let mut state = whole.clone();
        state[field] = json!(u64::MAX);
        std::fs::write(desk.state_path("dev"), state.to_string()).expect("it is written");
        let run = refused(&aws, &desk, &KEY);
        assert!(run.stderr.contains(&format!("is damaged: no run counts to the {field} {}", u64::MAX)), "{run}");
    }
    std::fs::write(desk.state_path("dev"), whole.to_string()).expect("it is written");
    let lock = desk.path("state/student-records-dev.lock");
    std::fs::write(&lock, json!({ "fence": u64::MAX, "holder": null }).to_string()).expect("it is written");
    let run = refused(&aws, &desk, &KEY);
    assert!(run.stderr.contains("then free it with `tapctl state unlock --env dev`"), "{run}");
    desk.tapctl(&["state", "unlock", "--yes"]).expect(0);
    desk.tapctl(&KEY).expect(0);
}

#[test]
fn an_owner_that_may_still_work_is_told_before_its_lock_is_freed() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&KEY).expect(0);
    let lock = desk.path("state/student-records-dev.lock");
    let holder: Value = json!({ "host": "build-7", "pid": 4711, "command": "apply --env dev",
                                "since": "2026-01-02T03:04:05Z", "expires": "2126-01-02T03:05:05Z" });
    std::fs::write(&lock, json!({ "fence": 7, "holder": holder }).to_string()).expect("it is written");
    let run = desk.tapctl(&["state", "unlock", "--yes"]).expect(0);
    insta::assert_snapshot!(run.stderr, @"note: whether it still runs cannot be seen from here: stop it first (kill 4711 on build-7); freed, it would go on changing AWS for up to 15 s beside the next run");
}

/// Runs tapctl where no file may be longer than so many blocks of 512 bytes.
fn with_little_room(desk: &Desk, blocks: u32, arguments: &[&str]) -> (Option<i32>, String) {
    let like = desk.command(arguments);
    let mut command = Command::new("sh");
    command.args(["-c", &format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"")]);
    command.arg(like.get_program()).args(like.get_args()).current_dir(desk.path("")).env_clear();
    command.envs(like.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = command.stdin(Stdio::null()).output().expect("sh starts");
    (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
}

#[test]
fn where_there_is_no_room_for_the_state_nothing_is_made() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    for blocks in 0..3 {
        let (code, said) =
            with_little_room(&desk, blocks, &["apply", "--yes", "--target", "vpc", "--target", "key-efs"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("File too large"), "{said}");
        assert!(said.contains("and has room, with --state-dir"), "{said}");
    }
    // Nothing was called for whose intent had no room.
    desk.tapctl(&["apply", "--yes", "--target", "vpc", "--target", "key-efs"]).expect(0);
    let sweep = aws.sweep();
    assert_eq!((sweep.of("ec2.vpc").len(), sweep.of("kms.key").len()), (1, 1));
}
