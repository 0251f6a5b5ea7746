//! The state file lost, damaged, or of somewhere else.

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws};

#[test]
fn without_its_state_an_apply_finds_everything_again_and_writes_nothing() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let before = lasting(desk.state("dev"));
    std::fs::remove_file(desk.state_path("dev")).expect("there was a state");
    let mark = aws.mark();
    let found = desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!(aws.writes_since(mark), [""; 0], "{found}");
    assert_eq!(lasting(desk.state("dev")), before);
    desk.tapctl(&["plan"]).expect(0);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    aws.assert_lawful();
}

/// A state without what every new file has of its own.
fn lasting(mut state: Value) -> Value {
    for field in ["lineage", "serial"] {
        state[field] = Value::Null;
    }
    for (_, node) in state["nodes"].as_object_mut().expect("nodes") {
        node["created"] = Value::Null;
    }
    state
}

/// Puts a state in place whose first fields are these.
fn with_state(desk: &Desk, change: impl Fn(&mut Value)) {
    let mut state = json!({
        "version": 1, "lineage": "l", "serial": 7, "stack": "student-records", "env": "dev",
        "account": "123456789012", "region": "us-east-1", "nodes": {}, "outputs": {},
    });
    change(&mut state);
    write_state(desk, &state.to_string());
}

fn write_state(desk: &Desk, text: &str) {
    let path = desk.state_path("dev");
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("the directory can be made");
    std::fs::write(path, text).expect("the state can be written");
}

/// What the commands that need the state say; they all must refuse, alike, and touch nothing.
fn refusal(aws: &LocalAws, desk: &Desk, calls: &[&str]) -> String {
    let (text, mark) = (std::fs::read_to_string(desk.state_path("dev")).expect("a state"), aws.mark());
    let said = desk.tapctl(&["apply", "--yes"]).expect(1).stderr;
    for command in [&["plan"][..], &["status"], &["drift"], &["destroy", "--yes"]] {
        assert_eq!(desk.tapctl(command).expect(1).stderr, said, "{command:?}");
    }
    assert_eq!(
        std::fs::read_to_string(desk.state_path("dev")).expect("a state"),
        text,
        "a refused state is not written"
    );
    let made: Vec<String> = aws.log_since(mark).iter().map(crate::harness::Call::name).collect();
    assert_eq!(made, calls.repeat(5));
    said
}

#[test]
fn a_state_that_cannot_be_trusted_is_refused() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    write_state(&desk, "{\n  \"version\": 1,\n  \"lineage\": \"0d9f");
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json is damaged: EOF while parsing a string at line 3 column 18
    hint: restore it from a backup, or move it away: apply then finds everything again and creates nothing twice
    ");
    write_state(&desk, "");
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json is damaged: EOF while parsing a value at line 1 column 0
    hint: restore it from a backup, or move it away: apply then finds everything again and creates nothing twice
    ");
    with_state(&desk, |state| state["version"] = json!(2));
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json has version 2, and this tapctl reads up to version 1
    hint: use the tapctl that wrote it, or a newer one
    ");
    with_state(&desk, |state| state["account"] = json!("210987654321"));
    insta::assert_snapshot!(refusal(&aws, &desk, &["sts:GetCallerIdentity"]), @"
    error: state/student-records-dev.json belongs to account 210987654321, and this run is for account 123456789012
    hint: use the credentials of the account it belongs to
    ");
    with_state(&desk, |state| state["region"] = json!("eu-west-1"));
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json belongs to region eu-west-1, and this run is for region us-east-1
    hint: set the region it belongs to in tapctl.toml
    ");
    with_state(&desk, |state| state["env"] = json!("qa"));
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json belongs to env qa, and this run is for env dev
    hint: name another --state-dir, or the env it belongs to
    ");
}
