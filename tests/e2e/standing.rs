//! Environments that an earlier tapctl made, as they stand when this one meets them. See `tests/standing/load.py`.

use serde_json::Value;

use crate::callers::Callers;
use crate::harness::{Desk, LocalAws};

/// An environment as tapctl 0.1.0 left it, all its options turned on.
struct Standing {
    stack: &'static str,
    settings: &'static str,
    /// What an earlier one could not know, and the first plan has to tell: nodes and their fields.
    told: &'static [(&'static str, &'static str)],
}

const STANDING: [Standing; 2] = [
    Standing {
        stack: "student-records",
        settings: include_str!("../standing/student-records.toml"),
        told: &[("web-acl", "plain_paths"), ("alarm-database-acu", "dimensions.DBInstanceIdentifier")],
    },
    Standing { stack: "data-pipeline", settings: include_str!("../standing/data-pipeline.toml"), told: &[] },
];

impl Standing {
    /// A desk at which it was made.
    fn desk(&self, aws: &LocalAws) -> Desk {
        let desk = Desk::at(aws);
        desk.settings(self.settings);
        let state = aws.script("tests/standing/load.py", &[self.stack]);
        std::fs::create_dir_all(desk.path("state")).expect("the directory can be made");
        let path = desk.path(&format!("state/{}-dev.json", self.stack));
        std::fs::write(path, state.to_string()).expect("the state can be written");
        desk
    }

    /// That this tapctl says what it would change and replaces nothing, changes it while callers are served all the time,
    /// and is done with it.
    fn is_taken_over(&self) {
        let aws = LocalAws::lease();
        let desk = self.desk(&aws);
        let plan = desk.tapctl(&["plan", "--json"]);
        assert!(matches!(plan.code(), Some(0 | 2)), "{plan}");
        let plan = plan.json();
        let steps = plan.as_array().expect("steps");
        for (node, path) in self.told {
            let step = steps.iter().find(|step| step["node"] == *node).expect("a step of the node");
            let changes = step["diff"].as_array().expect("changes");
            assert!(step["action"] == "update" && changes.iter().any(|change| change["path"] == *path), "{step:#}");
        }
        for step in steps.iter().filter(|step| step["action"] != "keep") {
            let told = step["diff"].as_array().is_some_and(|changes| !changes.is_empty());
            let takes_nothing_away = match step["action"].as_str() {
                Some("create") => true,
                // A service made it by itself, and nobody has chosen anything of it.
                Some("adopt") => told && step["kind"] == "logs.log_group",
                Some("update") => told,
                // Every difference is a new one, which takes the place of the old one while that still serves.
                Some("replace") => {
                    told && ["ecs.task_definition", "apigateway.deployment"].map(Value::from).contains(&step["kind"])
                }
                _ => false,
            };
            assert!(takes_nothing_away, "{step:#}");
        }
        let callers = Callers::of(self.stack, &aws);
        desk.tapctl(&["apply", "--yes"]).expect(0);
        callers.were_all_served();
        desk.tapctl(&["plan"]).expect(0);
        desk.tapctl(&["drift"]).expect(0);
        let state = desk.state_of(self.stack, "dev");
        assert_eq!((&state["version"], &state["settings"]["file"]), (&Value::from(3), &Value::from("tapctl.toml")));
        desk.tapctl(&["destroy", "--yes"]).expect(0);
        assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
        aws.assert_lawful();
    }
}

#[test]
fn a_standing_environment_of_student_records_is_taken_over() {
    STANDING[0].is_taken_over();
}

#[test]
fn a_standing_environment_of_the_data_pipeline_is_taken_over() {
    STANDING[1].is_taken_over();
}

#[test]
fn a_standing_environment_is_destroyed_without_being_applied_first() {
    let aws = LocalAws::lease();
    let desk = STANDING[1].desk(&aws);
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    aws.assert_lawful();
}
