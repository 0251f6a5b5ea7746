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
