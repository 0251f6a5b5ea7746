//! Where a run works and as whom: the region that everybody names alike, and the line that says so.

use crate::harness::{Desk, LocalAws};

/// A desk whose profile files hold this.
fn with_profiles(aws: &LocalAws, config: &str) -> Desk {
    let desk = Desk::at(aws);
    let file = desk.path("aws-config");
    std::fs::write(&file, config).expect("the profiles are written");
    desk.variable("AWS_CONFIG_FILE", &file.display().to_string())
}

const KEYS: [&str; 2] = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];

#[test]
fn every_run_that_asks_aws_says_first_where_it_works() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let place = format!("student-records dev in account 123456789012, us-east-1, at {}", aws.url());
    for arguments in [
        &["plan", "--target", "vpc"][..],
        &["apply", "--yes", "--target", "vpc"],
        &["status"],
        &["drift"],
        &["rotate", "--yes"],
        &["restart", "--yes", "vpc"],
        &["backups"],
        &["destroy", "--yes"],
    ] {
        let said = desk.command(arguments).output().expect("it runs").stderr;
        let said = String::from_utf8_lossy(&said).into_owned();
        // This machine may be busy.
        let first = said.lines().find(|line| !line.starts_with("note: no answer from "));
        assert_eq!(first, Some(place.as_str()), "{arguments:?}");
    }
    for quiet in [&["outputs"][..], &["state", "list"], &["init", "new.toml"]] {
        assert_eq!(desk.tapctl(quiet).place, None, "{quiet:?}");
    }
}

#[test]
fn the_region_of_the_environment_is_where_things_are_made() {
    let aws = LocalAws::lease();
    let vpcs = |region: &str| {
        let ask = format!(
            "ec2 = boto3.client('ec2', endpoint_url=sys.argv[1], region_name='{region}', aws_access_key_id='test', \
             aws_secret_access_key='test')\nprint(len([v for v in ec2.describe_vpcs()['Vpcs'] if not v['IsDefault']]))"
        );
        aws.python(&ask)
    };
    let desk = Desk::at(&aws).variable("AWS_REGION", "eu-central-1");
    let run = desk.tapctl(&["apply", "--yes", "--target", "vpc"]).expect(0);
    assert!(run.place.as_deref().is_some_and(|place| place.contains(", eu-central-1, at http://")), "{run}");
    assert_eq!((vpcs("eu-central-1"), vpcs("us-east-1")), (1.into(), 0.into()));
    // Where nobody names a region, the environment is where it stands; where somebody names another, it is refused.
    let run = desk.tapctl_without(&["AWS_REGION"], &["drift"]).expect(0);
    assert!(run.place.as_deref().is_some_and(|place| place.contains(", eu-central-1, at http://")), "{run}");
    for arguments in [&["plan", "--region", "us-east-1"][..], &["outputs", "--region", "us-east-1"]] {
        let run = desk.tapctl_without(&["AWS_REGION"], arguments).expect(1);
        assert_eq!(
            run.stderr,
            "error: state/student-records-dev.json is of eu-central-1, and the region is us-east-1 by --region\n\
             hint: an environment stands in one region: name eu-central-1, or another --env\n"
        );
    }
}

#[test]
fn two_who_name_different_regions_are_both_named() {
    let aws = LocalAws::lease();
    let desk = with_profiles(&aws, "[default]\nregion = eu-west-1\n[profile north]\nregion = eu-north-1\n");
    desk.settings("region = \"us-east-1\"");
    let refused = |variables: &[&str], arguments: &[&str]| {
        let run = desk.tapctl_without(variables, arguments).expect(1);
        run.stderr.lines().next().unwrap_or_default().to_owned()
    };
    let none = ["AWS_REGION"];
    for (said, expected) in [
        (
            refused(&none, &["plan"]),
            "error: the region is us-east-1 by tapctl.toml:1, and eu-west-1 by profile default",
        ),
        (
            refused(&none, &["plan", "--profile", "north"]),
            "error: the region is us-east-1 by tapctl.toml:1, and eu-north-1 by profile north",
        ),
        (
            refused(&[], &["plan", "--region", "us-west-2"]),
            "error: the region is us-west-2 by --region, and us-east-1 by tapctl.toml:1",
        ),
        (
            refused(&none, &["plan", "--region", "us-eats-1"]),
            "error: us-eats-1 (--region) is no region that this tapctl knows; did you mean us-east-1?",
        ),
        (
            refused(&none, &["plan", "--region", "cn-north-1"]),
            "error: cn-north-1 (--region) is of the partition aws-cn; allowed: a region of the partitions aws and \
             aws-us-gov, such as \"us-east-1\"",
        ),
    ] {
        assert_eq!(said, expected);
    }
    assert_eq!(aws.log().len(), 0, "AWS was not asked");
    let other = Desk::at(&aws).variable("AWS_DEFAULT_REGION", "eu-west-1");
    assert_eq!(
        other.tapctl(&["plan"]).expect(1).stderr,
        "error: the region is us-east-1 by AWS_REGION, and eu-west-1 by AWS_DEFAULT_REGION\n\
         hint: let both name the same region, or take one of them away\n"
    );
    assert_eq!(aws.log().len(), 0, "AWS was not asked");
}

#[test]
fn a_region_that_came_later_can_be_named_as_such() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws).variable("AWS_REGION", "ap-southeast-9");
    desk.tapctl(&["plan", "--target", "key-efs"]).expect(1);
    let run = desk.tapctl(&["plan", "--target", "key-efs", "--new-region", "ap-southeast-9"]);
    assert!(run.place.as_deref().is_some_and(|place| place.contains(", ap-southeast-9, at http://")), "{run}");
}

#[test]
fn a_profile_that_is_named_goes_before_the_keys_of_the_environment() {
    let aws = LocalAws::lease();
    let other = "[profile other]\nregion = us-east-1\naws_access_key_id = AKIDOTHER\naws_secret_access_key = hush\n";
    let desk = with_profiles(&aws, other);
    desk.tapctl(&["plan", "--target", "vpc", "--profile", "other"]).expect(2);
    let run = desk.tapctl(&["plan", "--profile", "nope"]).expect(4);
    assert_eq!(
        run.stderr,
        "error: NoSuchProfile: --profile is \"nope\", and ~/.aws/config and ~/.aws/credentials have no such profile; there \
         are other\nhint: name one of these, or make it with `aws configure --profile nope`\n"
    );
    let desk = desk.variable("AWS_PROFILE", "ohter");
    for run in [desk.tapctl_without(&KEYS, &["plan"]), desk.tapctl(&["plan"])] {
        let run = run.expect(4);
        assert!(run.stderr.starts_with("error: NoSuchProfile: AWS_PROFILE is \"ohter\", and "), "{run}");
    }
    desk.variable("AWS_PROFILE", "other").tapctl(&["plan", "--target", "vpc"]).expect(2);
}
