//! The state file lost, damaged, or of somewhere else.

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, standing};

#[test]
fn without_its_state_an_apply_finds_everything_again_and_writes_nothing() {
    let (aws, desk) = standing();
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
    for field in ["lineage", "serial", "fence"] {
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
        "version": 3, "lineage": "l", "serial": 7, "fence": 3, "stack": "student-records", "env": "dev",
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
    hint: move it away: apply then finds everything again and creates nothing twice
    ");
    write_state(&desk, "");
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json is damaged: EOF while parsing a value at line 1 column 0
    hint: move it away: apply then finds everything again and creates nothing twice
    ");
    with_state(&desk, |state| state["version"] = json!(4));
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json has version 4, and this tapctl reads up to version 3
    hint: use the tapctl that wrote it, or a newer one
    ");
    with_state(&desk, |state| state["account"] = json!("210987654321"));
    insta::assert_snapshot!(refusal(&aws, &desk, &["sts:GetCallerIdentity"]), @"
    error: state/student-records-dev.json belongs to account 210987654321, and this run is for account 123456789012
    hint: use the credentials of the account it belongs to
    ");
    with_state(&desk, |state| state["region"] = json!("eu-west-1"));
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json is of eu-west-1, and the region is us-east-1 by AWS_REGION
    hint: an environment stands in one region: name eu-west-1, or another --env
    ");
    with_state(&desk, |state| state["env"] = json!("qa"));
    insta::assert_snapshot!(refusal(&aws, &desk, &[]), @"
    error: state/student-records-dev.json belongs to env qa, and this run is for env dev
    hint: name another --state-dir, or the env it belongs to
    ");
}

#[test]
fn a_damaged_state_is_brought_back_by_the_command_that_is_named() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes", "--target", "key-efs"]).expect(0);
    desk.tapctl(&["apply", "--yes", "--target", "alias-efs"]).expect(0);
    let before = desk.state("dev");
    write_state(&desk, &before.to_string()[..300]);
    let backup = "state/student-records-dev.json.backup";
    let serial = |name: &str| {
        let text = std::fs::read_to_string(desk.path(name)).expect("a backup");
        serde_json::from_str::<Value>(&text).expect("a whole one")["serial"].as_u64().expect("a serial")
    };
    let said = refusal(&aws, &desk, &[]);
    let hint = format!(
        "hint: `tapctl state restore --env dev` brings back {backup} (serial {}); or move it away: apply then finds",
        serial(backup)
    );
    assert!(said.contains(&hint), "{said}");
    desk.tapctl(&["state", "restore", "--env", "dev", "--yes"]).expect(0);
    let nodes = |state: &Value| state["nodes"].as_object().expect("nodes").keys().cloned().collect::<Vec<_>>();
    assert_eq!(nodes(&desk.state("dev")), ["key-efs"]);
    assert_eq!(nodes(&before), ["alias-efs", "key-efs"]);
    // What the backup did not know yet is found again.
    let mark = aws.mark();
    desk.tapctl(&["apply", "--yes", "--target", "alias-efs"]).expect(0);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    assert_eq!(nodes(&desk.state("dev")), nodes(&before));
    desk.tapctl(&["apply", "--yes", "--target", "key-rds"]).expect(0);
    // A lost state is told of, and the older backup is named where the newer one is damaged.
    std::fs::remove_file(desk.state_path("dev")).expect("there was a state");
    std::fs::write(desk.path(backup), "{").expect("it is written");
    let older = format!("{backup}2");
    let run = desk.tapctl(&["plan", "--target", "key-efs"]).expect(2);
    let note = format!(
        "note: state/student-records-dev.json is not there; `tapctl state restore --older --env dev` brings back {older}"
    );
    assert!(run.stderr.contains(&note), "{run}");
}

#[test]
fn a_state_of_version_1_is_read_and_written_anew() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes", "--target", "alias-efs"]).expect(0);
    let mut old = desk.state("dev");
    old["version"] = json!(1);
    for later in ["fence", "settings"] {
        old.as_object_mut().expect("an object").remove(later);
    }
    write_state(&desk, &old.to_string());
    let mark = aws.mark();
    desk.tapctl(&["status"]).expect(0);
    desk.tapctl(&["apply", "--yes", "--target", "alias-efs"]).expect(0);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    let new = desk.state("dev");
    assert_eq!((&new["version"], &new["lineage"]), (&json!(3), &old["lineage"]));
    let learned = json!({ "file": "tapctl.toml", "section": false, "protect": false });
    assert_eq!(new["settings"], learned, "what guards it is learned by an apply that changes nothing else");
    desk.tapctl(&["apply", "--yes", "--target", "alias-efs"]).expect(0);
    assert_eq!(desk.state("dev"), new, "without a change there is nothing to save");
    assert_eq!(new["nodes"]["alias-efs"], old["nodes"]["alias-efs"]);
    let backup = std::fs::read_to_string(desk.path("state/student-records-dev.json.backup")).expect("a backup");
    assert_eq!(backup, old.to_string(), "what the older tapctl wrote is kept as it was");
}

#[test]
fn a_spec_that_another_version_recorded_stops_no_command() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let target = ["--target", "key-efs"];
    let forget = |field: &str| {
        desk.tapctl(&[&["apply", "--yes"][..], &target].concat()).expect(0);
        let mut state = desk.state("dev");
        let spec = state["nodes"]["key-efs"]["spec"].as_object_mut().expect("a spec");
        spec.remove(field).expect("this version has it");
        write_state(&desk, &state.to_string());
    };
    forget("rotation");
    let mark = aws.mark();
    desk.tapctl(&["drift"]).expect(0);
    desk.tapctl(&["status"]).expect(0);
    desk.tapctl(&[&["plan"][..], &target].concat()).expect(0);
    desk.tapctl(&[&["apply", "--yes"][..], &target].concat()).expect(0);
    assert_eq!(aws.writes_since(mark), [""; 0]);
    assert_eq!(desk.state("dev")["nodes"]["key-efs"]["spec"]["rotation"], true, "it is recorded anew");
    forget("rotation");
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(desk.state("dev")["nodes"], json!({}));
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
}

/// A small state: a key, its alias, a VPC whose create call was never answered.
fn with_nodes(desk: &Desk) {
    with_state(desk, |state| {
        let node = |kind: &str, edges: &[&str]| {
            json!({ "kind": kind, "spec": { "name": "n" }, "edges": edges, "id": "i-1", "progress": "ready",
                    "outputs": { "arn": "a" }, "created": "2026-01-01T00:00:00Z" })
        };
        let attempt = json!({ "id": "a-1", "since": "2026-01-01T00:00:00Z" });
        state["nodes"] = json!({
            "key": node("kms.key", &[]), "alias": node("kms.alias", &["key"]),
            "vpc": { "kind": "ec2.vpc", "spec": {}, "edges": [], "progress": "pending", "attempt": attempt },
        });
    });
}

#[test]
fn the_state_can_be_looked_into_without_aws() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let nothing = "error: nothing is recorded for student-records dev\n";
    for command in [&["list"][..], &["show"], &["show", "key"], &["pull"]] {
        let run = desk.tapctl(&[&["state"], command].concat()).expect(1);
        assert!(run.stderr.starts_with(nothing), "{run}");
    }
    with_nodes(&desk);
    insta::assert_snapshot!(desk.tapctl(&["state", "list"]).expect(0).stdout, @r"
     NODE   KIND       PHASE    ID
     alias  kms.alias  ready    i-1
     key    kms.key    ready    i-1
     vpc    ec2.vpc    pending  -
    ");
    let rows = desk.tapctl(&["state", "list", "--json"]).expect(0).json();
    assert_eq!(rows[2], json!({ "node": "vpc", "kind": "ec2.vpc", "phase": "pending", "id": null }));
    insta::assert_snapshot!(desk.tapctl(&["state", "show", "key"]).expect(0).stdout, @r#"
    created     = 2026-01-01T00:00:00Z
    edges       = []
    id          = i-1
    kind        = kms.key
    node        = key
    outputs.arn = a
    progress    = ready
    spec.name   = n
    used_by     = ["alias"]
    "#);
    let shown = desk.tapctl(&["state", "show", "vpc", "--json"]).expect(0).json();
    assert_eq!((&shown["attempt"]["id"], &shown["used_by"]), (&json!("a-1"), &json!([])));
    let run = desk.tapctl(&["state", "show", "vcp"]).expect(1);
    let said = "error: there is no node vcp in the state; did you mean vpc?\nhint: `tapctl state list` lists them\n";
    assert_eq!(run.stderr, said);
    insta::assert_snapshot!(desk.tapctl(&["state", "show"]).expect(0).stdout, @r"
    account    = 123456789012
    document   = state/student-records-dev.json
    env        = dev
    fence      = 3
    lineage    = l
    lock.fence = 0
    lock.place = state/student-records-dev.lock
    nodes      = 3
    region     = us-east-1
    serial     = 7
    stack      = student-records
    version    = 3
    ");
    assert_eq!(desk.tapctl(&["state", "pull"]).expect(0).json(), desk.state("dev"));
    assert!(!desk.path("state/student-records-dev.lock").exists(), "who looks takes no lock");
    assert_eq!(aws.log().len(), 0);
}

#[test]
fn a_document_is_pushed_over_what_it_was_made_of() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    with_nodes(&desk);
    let standing = desk.state("dev");
    let push = |change: &dyn Fn(&mut Value), flags: &[&str], code: i32| {
        let mut document = standing.clone();
        change(&mut document);
        std::fs::write(desk.path("edited.json"), document.to_string()).expect("it is written");
        desk.tapctl(&[&["state", "push", "edited.json"], flags].concat()).expect(code)
    };
    for (change, said) in [
        (
            &(|state: &mut Value| state["lineage"] = json!("m")) as &dyn Fn(&mut Value),
            "is of lineage l, and this document of m",
        ),
        (&|state| state["serial"] = json!(6), "has serial 7, and this document only 6"),
        (&|state| state["env"] = json!("qa"), "edited.json belongs to env qa, and this run is for env dev"),
        (
            &|state| state["region"] = json!("eu-west-1"),
            "edited.json is of eu-west-1, and the region is us-east-1 by AWS",
        ),
        (&|state| state["account"] = json!("210987654321"), "belongs to account 210987654321"),
        (&|state| state["version"] = json!(4), "edited.json has version 4"),
        (&|state| state["nodes"] = json!([]), "edited.json is damaged: invalid type"),
        (
            &|state| state["nodes"]["key"]["kind"] = json!("kms.kee"),
            "edited.json: the node key has the kind kms.kee, which",
        ),
    ] {
        let run = push(change, &[], 1);
        assert!(run.stderr.contains(said), "{said}: {run}");
        assert_eq!(desk.state("dev"), standing, "{said}");
    }
    let run = push(&|state| state["nodes"] = json!({}), &[], 0);
    assert_eq!(run.stdout, "state/student-records-dev.json has serial 8 now, with 0 nodes\n");
    let backup = std::fs::read_to_string(desk.path("state/student-records-dev.json.backup")).expect("a backup");
    assert_eq!(serde_json::from_str::<Value>(&backup).expect("JSON"), standing);
    // What was pulled before that is older now.
    let run = push(&|_| {}, &[], 1);
    assert!(run.stderr.contains("has serial 8, and this document only 7\nhint: pull it again"), "{run}");
    let run = push(&|state| state["lineage"] = json!("m"), &["--force"], 0);
    assert!(run.stderr.contains("note: overridden: state/student-records-dev.json is of lineage l, and"), "{run}");
    assert!(run.stderr.contains("note: overridden: state/student-records-dev.json has serial 8, and"), "{run}");
    assert_eq!((&desk.state("dev")["serial"], &desk.state("dev")["lineage"]), (&json!(9), &json!("m")));
    write_state(&desk, "{");
    let run = push(&|_| {}, &[], 1);
    assert!(run.stderr.contains("state/student-records-dev.json is damaged: EOF"), "{run}");
    push(&|_| {}, &["--force"], 0);
    assert_eq!(desk.state("dev")["serial"], 8);
    desk.tapctl(&["state", "push", "missing.json"]).expect(1);
    assert_eq!(aws.log().len(), 0);
}

#[test]
fn a_node_is_forgotten_and_brought_back() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let run = desk.tapctl(&["state", "restore", "--yes"]).expect(1);
    assert!(
        run.stderr.contains(
            "there is no state/student-records-dev.json.backup\nhint: without any state `tapctl apply --env dev`"
        ),
        "{run}"
    );
    with_nodes(&desk);
    let standing = desk.state("dev");
    for (arguments, said) in [
        (
            &["key", "--yes"][..],
            "error: key is used by alias; nothing was changed\nhint: forget those first, or add --force\n",
        ),
        (&["kee", "--yes"], "error: there is no node kee in the state; did you mean key?\n"),
        (&["alias"], "error: there is no terminal to ask on\n"),
    ] {
        let run = desk.tapctl(&[&["state", "rm"], arguments].concat()).expect(1);
        assert!(run.stderr.starts_with(said), "{run}");
        assert_eq!(desk.state("dev"), standing);
    }
    let run = desk.tapctl(&["state", "rm", "vpc", "--yes"]).expect(0);
    assert!(run.stdout.starts_with("vpc (ec2.vpc, whose create call was never answered) is forgotten; "), "{run}");
    desk.tapctl(&["state", "rm", "key", "--yes", "--force"]).expect(0);
    assert_eq!(desk.state("dev")["nodes"].as_object().map(serde_json::Map::len), Some(1));
    let shown = desk.tapctl(&["state", "show", "--json"]).expect(0).json();
    assert_eq!((&shown["backup"]["serial"], &shown["older_backup"]["serial"]), (&json!(8), &json!(7)));
    desk.tapctl(&["state", "restore", "--yes", "--older"]).expect(0);
    let mut restored = desk.state("dev");
    assert_eq!(
        (&restored["serial"], &restored["fence"]),
        (&json!(10), &desk.tapctl(&["state", "show", "--json"]).expect(0).json()["lock"]["fence"])
    );
    for field in ["serial", "fence", "nodes"] {
        restored[field] = standing[field].clone();
    }
    assert_eq!(restored, standing);
    with_state(&desk, |state| state["lineage"] = json!("m"));
    let run = desk.tapctl(&["state", "restore", "--yes"]).expect(1);
    assert!(
        run.stderr.contains("is of lineage m, and state/student-records-dev.json.backup of l\nhint: add --force"),
        "{run}"
    );
    desk.tapctl(&["state", "restore", "--yes", "--force"]).expect(0);
    assert_eq!(desk.state("dev")["lineage"], "l");
    assert_eq!(aws.log().len(), 0);
}

#[test]
fn a_lock_that_nobody_can_free_is_freed_by_hand() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let lock = desk.path("state/student-records-dev.lock");
    let freed = |fence: u64| {
        let text = std::fs::read_to_string(&lock).expect("a lock");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), json!({ "fence": fence, "holder": null }));
    };
    assert_eq!(desk.tapctl(&["state", "unlock"]).expect(0).stdout, "state/student-records-dev.lock is free\n");
    with_nodes(&desk);
    let holder = json!({ "host": "build-7", "pid": 4711, "command": "destroy --env dev",
                         "since": "2026-01-02T03:04:05Z", "expires": "2126-01-02T03:05:05Z" });
    std::fs::write(&lock, json!({ "fence": 7, "holder": holder }).to_string()).expect("it is written");
    desk.tapctl(&["state", "rm", "vpc", "--yes"]).expect(3);
    desk.tapctl(&["state", "push", "state/student-records-dev.json"]).expect(3);
    let shown = desk.tapctl(&["state", "show", "--json"]).expect(0).json();
    assert_eq!(shown["lock"]["holder"]["host"], "build-7");
    desk.tapctl(&["state", "unlock"]).expect(1);
    let run = desk.tapctl(&["state", "unlock", "--yes"]).expect(0);
    insta::assert_snapshot!(run.stdout, @"state/student-records-dev.lock is free now; it was held by `tapctl destroy --env dev` (process 4711 on build-7, since 2026-01-02T03:04:05Z)");
    freed(8);
    std::fs::write(&lock, "").expect("it is written");
    let run = desk.tapctl(&["state", "rm", "vpc", "--yes"]).expect(1);
    insta::assert_snapshot!(run.stderr, @r"
    error: state/student-records-dev.lock is damaged: EOF while parsing a value at line 1 column 0
    hint: make sure that no other run is under way, then free it with `tapctl state unlock --env dev`
    ");
    desk.tapctl(&["state", "unlock", "--yes"]).expect(0);
    freed(4);
    desk.tapctl(&["state", "rm", "vpc", "--yes"]).expect(0);
    assert_eq!(aws.log().len(), 0);
}
