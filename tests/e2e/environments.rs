//! Two environments side by side in one account.

use crate::harness::{Desk, LocalAws};

#[test]
fn removing_one_environment_leaves_the_other_whole() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.tapctl(&["apply", "--yes", "--env", "qa"]).expect(0);
    let qa = aws.sweep().leftovers();
    desk.tapctl(&["apply", "--yes", "--env", "dev"]).expect(0);
    qa_is_whole(&desk);
    desk.tapctl(&["destroy", "--yes", "--env", "dev"]).expect(0);
    assert_eq!(aws.sweep().leftovers(), qa);
    qa_is_whole(&desk);
    desk.tapctl(&["destroy", "--yes", "--env", "qa"]).expect(0);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    aws.assert_lawful();
}

fn qa_is_whole(desk: &Desk) {
    for verb in ["drift", "plan", "status"] {
        desk.tapctl(&[verb, "--env", "qa"]).expect(0);
    }
}

#[test]
fn a_new_environment_is_made_only_where_it_is_meant() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws).typed_by_hand();
    desk.settings("[env.stage]\nlogs.retention_days = 7");
    let note = "note: the environment prdo is new: no state, no [env.prdo] in tapctl.toml, nothing of it in AWS; there are stage\n";
    let run = desk.tapctl(&["plan", "--env", "prdo", "--target", "vpc"]).expect(2);
    assert_eq!(run.stderr, note);
    let mark = aws.mark();
    let run = desk.tapctl(&["apply", "--yes", "--env", "prdo", "--target", "vpc"]).expect(1);
    assert_eq!(
        run.stderr,
        format!(
            "{note}error: the environment prdo is new, and --yes makes none that nobody has named; nothing was changed\n\
             hint: if prdo is meant, add --new-env, or name it in tapctl.toml: environments = [\"prdo\"]\n"
        )
    );
    assert_eq!(aws.writes_since(mark), [""; 0]);
    // dev is named by default, a section names its environment, and so does a pattern.
    desk.tapctl(&["apply", "--yes", "--target", "vpc"]).expect(0);
    desk.tapctl(&["apply", "--yes", "--env", "stage", "--target", "vpc"]).expect(0);
    desk.settings("environments = [\"pr*\"]");
    let run = desk.tapctl(&["apply", "--yes", "--env", "pr12", "--target", "vpc"]).expect(0);
    assert!(
        run.stderr.contains("the environment pr12 is new: ") && run.stderr.contains("there are dev, stage\n"),
        "{run}"
    );
    // What is there is not new, neither with its state nor without.
    desk.settings("");
    for _ in 0..2 {
        let run = desk.tapctl(&["apply", "--yes", "--env", "pr12", "--target", "vpc"]).expect(0);
        assert!(!run.stderr.contains("is new"), "{run}");
        std::fs::remove_file(desk.state_path("pr12")).expect("there is a state");
    }
}

#[test]
fn two_environments_can_be_made_and_removed_at_the_same_time() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    for arguments in [["apply", "--yes"], ["destroy", "--yes"]] {
        let mut runs = ["dev", "qa"].map(|env| desk.start(&[arguments[0], arguments[1], "--env", env]));
        for run in &mut runs {
            run.wait(std::time::Duration::from_secs(120)).expect(0);
        }
    }
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    // Both may find that the role they share is missing, and then one is second to make it.
    aws.assert_lawful_but_for(&["EntityAlreadyExists"]);
}
