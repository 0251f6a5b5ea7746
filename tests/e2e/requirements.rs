//! Every requirement of `student-records`, judged by `tests/requirements` on what AWS holds: for a cheap environment, a
//! protected one, and one with everything turned on that can be. Then what remains of them.

use crate::harness::{Desk, LocalAws, standing};

/// Everything that is not turned on by itself.
pub const EVERY_OPTION: &str = include_str!("../settings/every-option.toml");
/// What that is called in `tests/requirements/wanted.py`.
const EXPECTED: &str = "three-zones,nat-per-az,endpoints,image,tls,proxy,on-demand,cognito,public,mails,tags";

#[test]
fn dev_meets_every_requirement() {
    Trial { env: "dev", settings: "", options: &[], farewell: &["destroy", "--yes"] }.run();
}

/// Of everything on the way of a request: a caller is told, as AWS tells it, once it is gone.
#[test]
fn nothing_on_the_way_of_a_request_is_superfluous() {
    let (aws, _desk) = standing();
    let run = aws.pytest("tests/requirements/student_records_broken", &["--env", "dev"]);
    assert_eq!(run.code(), Some(0), "{run}");
}

#[test]
fn prod_meets_every_requirement() {
    let farewell = &["destroy", "--yes", "--confirm", "student-records-prod"];
    Trial { env: "prod", settings: "account = \"123456789012\"", options: &["--protect"], farewell }.run();
}

#[test]
fn every_option_meets_every_requirement() {
    let options = &["--expect", EXPECTED];
    Trial { env: "all", settings: EVERY_OPTION, options, farewell: &["destroy", "--yes"] }.run();
}

struct Trial {
    env: &'static str,
    settings: &'static str,
    options: &'static [&'static str],
    farewell: &'static [&'static str],
}

impl Trial {
    fn run(&self) {
        let aws = LocalAws::lease();
        let desk = Desk::at(&aws);
        desk.settings(self.settings);
        let tapctl = |arguments: &[&str]| desk.tapctl(&[arguments, &["--env", self.env]].concat()).expect(0);
        tapctl(&["apply", "--yes"]);
        tapctl(&["plan"]);
        let outputs = tapctl(&["outputs", "--json"]).stdout;
        std::fs::write(desk.path("outputs.json"), outputs).expect("the outputs are written");
        let outputs = desk.path("outputs.json").display().to_string();
        self.judge(&aws, "student_records", &["--outputs", &outputs]);
        // Judging changes nothing.
        tapctl(&["plan"]);
        tapctl(self.farewell);
        self.judge(&aws, "student_records_destroyed", &[]);
        let kept = aws.sweep().leftovers().only(|kind, object| !self.keeps(kind, object["state"].as_str()));
        assert_eq!(kept.names(), [""; 0]);
        aws.assert_lawful();
    }

    fn judge(&self, aws: &LocalAws, tests: &str, more: &[&str]) {
        let options = [&["--env", self.env], self.options, more].concat();
        let run = aws.pytest(&format!("tests/requirements/{tests}"), &options);
        assert_eq!(run.code(), Some(0), "{run}");
    }

    /// Whether protection leaves this behind.
    fn keeps(&self, kind: &str, state: Option<&str>) -> bool {
        let snapshot = ["rds.cluster-snapshot", "elasticache.snapshot"].contains(&kind);
        let secret = kind == "secretsmanager.secret" && state == Some("scheduled for deletion");
        // Which of them, the requirements tell.
        let key = kind == "kms.key";
        // The records of the audit.
        let bucket = kind == "s3.bucket";
        self.env == "prod" && (snapshot || secret || key || bucket)
    }
}
