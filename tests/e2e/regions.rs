//! One environment has one region: what is global of it belongs to that region, and no other takes it over.

use crate::harness::{Desk, LocalAws, standing};

/// A desk in another region, with a state directory of its own.
fn away(aws: &LocalAws) -> Desk {
    let desk = Desk::at(aws).variable("AWS_REGION", "eu-west-1");
    desk.settings("region = \"eu-west-1\"");
    desk
}

#[test]
fn a_second_region_of_an_environment_is_refused_and_another_environment_is_not() {
    let (aws, home) = standing();
    let away = away(&aws);
    let mark = aws.mark();
    for arguments in [&["plan"][..], &["apply", "--yes"], &["apply", "--yes", "--adopt"]] {
        let run = away.tapctl(arguments).expect(1);
        let lines: Vec<&str> = run.stderr.lines().filter(|line| line.contains(" exists and is not ours: ")).collect();
        let of = |kind: &str| lines.iter().filter(|line| line.contains(&format!("({kind}): "))).count();
        assert_eq!([of("iam.role"), of("cloudwatch.dashboard"), of("cloudtrail.trail")], [5, 1, 1], "{run}");
        let regions =
            ["it belongs to student-records dev in us-east-1, as its ", "it is the trail of region us-east-1"];
        assert!(lines.iter().all(|line| regions.iter().any(|words| line.contains(words))), "{run}");
    }
    assert_eq!(aws.writes_since(mark), [""; 0]);
    away.tapctl(&["apply", "--yes", "--env", "eu"]).expect(0);
    home.tapctl(&["drift"]).expect(0);
    away.tapctl(&["destroy", "--yes", "--env", "eu"]).expect(0);
    for verb in ["drift", "plan", "status"] {
        home.tapctl(&[verb]).expect(0);
    }
    aws.assert_lawful();
}
