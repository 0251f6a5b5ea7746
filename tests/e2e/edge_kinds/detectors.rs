//! The detector that stacks share.

use serde_json::json;
use tapctl::resources::guardduty;

use super::{Bench, STATE, only};

fn detector() -> guardduty::Detector {
    let on = ["RDS_LOGIN_EVENTS", "S3_DATA_EVENTS"];
    let off = ["EBS_MALWARE_PROTECTION", "EKS_AUDIT_LOGS", "LAMBDA_NETWORK_LOGS", "RUNTIME_MONITORING"];
    let off = off.into_iter().chain(["AI_ANALYST", "AI_PROTECTION"]);
    let features = on.map(|name| (name.to_owned(), true)).into_iter();
    guardduty::Detector {
        finding_publishing_frequency: "FIFTEEN_MINUTES".to_owned(),
        features: features.chain(off.map(|name| (name.to_owned(), false))).collect(),
        enabled: true,
        joined: true,
        tags_when_made: tapctl::resource::Tags::new(),
    }
}

const DETECTOR: &str = "
guard = client('guardduty')
detector = {'DetectorId': guard.list_detectors()['DetectorIds'][0]}
arn = f\"arn:aws:guardduty:us-east-1:123456789012:detector/{detector['DetectorId']}\"
";

#[test]
fn a_detector_that_was_made_here() {
    let bench = Bench::new();
    let stack = only(detector());
    bench.begins(&stack);
    let alter = |python: &str, fields: &[&str]| bench.repairs(&stack, &format!("{DETECTOR}{python}"), fields);
    alter("guard.update_detector(**detector, Enable=False)", &["it.enabled"]);
    alter(
        "guard.update_detector(**detector, FindingPublishingFrequency='SIX_HOURS')",
        &["it.finding_publishing_frequency"],
    );
    alter(
        "guard.update_detector(**detector, Features=[{'Name': 'S3_DATA_EVENTS', 'Status': 'DISABLED'}, \
         {'Name': 'EKS_AUDIT_LOGS', 'Status': 'ENABLED'}])",
        &["it.features.EKS_AUDIT_LOGS", "it.features.S3_DATA_EVENTS"],
    );
    alter("guard.untag_resource(ResourceArn=arn, TagKeys=['tapctl:user:bench:dev:us-east-1'])", &["it.joined"]);
    let mut changed = detector();
    changed.features.insert("LAMBDA_NETWORK_LOGS".to_owned(), true);
    bench.changes(&only(changed), &["it.features.LAMBDA_NETWORK_LOGS"]);
    bench.aws.python(&format!(
        "{DETECTOR}guard.tag_resource(ResourceArn=arn, Tags={{'tapctl:user:bench:qa:us-east-1': ''}})"
    ));
    std::fs::copy(bench.desk.path(STATE), bench.desk.path("last.json")).expect("there is a state");
    bench.run("destroy", &super::stack());
    let tags = "print(json.dumps(sorted(guard.get_detector(**detector)['Tags'])))";
    let tags = bench.aws.python(&format!("{DETECTOR}{tags}"));
    assert_eq!(tags, json!(["ManagedBy", "tapctl:user:bench:qa:us-east-1"]), "another stack needs it still");
    bench.aws.python(&format!(
        "{DETECTOR}guard.untag_resource(ResourceArn=arn, TagKeys=['tapctl:user:bench:qa:us-east-1'])"
    ));
    std::fs::copy(bench.desk.path("last.json"), bench.desk.path(STATE)).expect("it was copied");
    bench.ends();
}

#[test]
fn a_detector_of_somebody_else() {
    let bench = Bench::after(
        "client('guardduty').create_detector(Enable=True, Features=[\
        {'Name': 'S3_DATA_EVENTS', 'Status': 'DISABLED'}])",
    );
    let stack = only(detector());
    let seen = "found = guard.get_detector(**detector)
print(json.dumps([found['FindingPublishingFrequency'], {f['Name']: f['Status'] for f in found['Features']}]))";
    assert_eq!(bench.plan(&stack), ["it.features.S3_DATA_EVENTS", "it.joined"]);
    bench.apply(&stack);
    bench.is_as_wanted(&stack);
    let found = bench.aws.python(&format!("{DETECTOR}{seen}"));
    assert_eq!(found[0], "SIX_HOURS", "its pace is its owner's");
    assert_eq!(found[1]["S3_DATA_EVENTS"], "ENABLED");
    assert_eq!(found[1]["EKS_AUDIT_LOGS"], "ENABLED", "nothing its owner wants is turned off");
    bench.run("destroy", &super::stack());
    let tags = bench.aws.python(&format!("{DETECTOR}print(json.dumps(guard.get_detector(**detector)['Tags']))"));
    assert_eq!(tags, json!({}), "it stays, and nothing of ours on it");
    assert_eq!(bench.aws.sweep().names(), bench.before.names());
}
