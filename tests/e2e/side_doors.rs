//! With a load balancer that faces the internet, nobody gets to the service but through the API: what shows its key is let
//! through, all else is answered 403, and nobody sees the key.

use serde_json::{Value, json};

use crate::callers::Callers;
use crate::harness::{Desk, LocalAws, Run};

const PUBLIC: &str = "[ingress]\nmode = \"public\"\n";
/// What the secret holds under each of its labels.
const KEYS: &str = "
secrets = client('secretsmanager')
name = 'student-origin-dev/credentials'
labels = {label for all in secrets.describe_secret(SecretId=name)['VersionIdsToStages'].values() for label in all}
print(json.dumps({l: secrets.get_secret_value(SecretId=name, VersionStage=l)['SecretString'] for l in labels}))
";
/// Finds what lets requests in.
const FIND: &str = "
elb, gateway, secrets = client('elbv2'), client('apigateway'), client('secretsmanager')
balancer = elb.describe_load_balancers(Names=['student-alb-dev'])['LoadBalancers'][0]
def https(): return next(l for l in elb.describe_listeners(LoadBalancerArn=balancer['LoadBalancerArn'])['Listeners'] if l['Port'] == 443)
def rule(): return next(r for r in elb.describe_rules(ListenerArn=https()['ListenerArn'])['Rules'] if not r['IsDefault'])
def conditions(*values): return [{'Field': 'http-header', 'HttpHeaderConfig': {'HttpHeaderName': 'X-Origin-Key', 'Values': values}}]
api = gateway.get_rest_apis()['items'][0]['id']
students = next(r['id'] for r in gateway.get_resources(restApiId=api)['items'] if r['path'] == '/students')
def send(op, **value):
    patch = [{'op': op, 'path': '/requestParameters/integration.request.header.X-Origin-Key'} | value]
    gateway.update_integration(restApiId=api, resourceId=students, httpMethod='POST', patchOperations=patch)
";
const BY_HAND: &str = "made-by-hand-4711";

/// What happens behind tapctl's back, and what drift tells of it.
const CHANGES: [(&str, &str); 6] = [
    (
        "elb.modify_rule(RuleArn=rule()['RuleArn'], Conditions=conditions('made-by-hand-4711'))",
        "origin_key.version_ids",
    ),
    (
        "old = rule()['Conditions'][0]['HttpHeaderConfig']['Values']\n\
         elb.modify_rule(RuleArn=rule()['RuleArn'], Conditions=conditions(*old, 'made-by-hand-4711'))",
        "origin_key.version_ids",
    ),
    (
        "everything = {'Field': 'path-pattern', 'PathPatternConfig': {'Values': ['/*']}}\n\
         elb.modify_rule(RuleArn=rule()['RuleArn'], Conditions=[everything])",
        "origin_key",
    ),
    ("send('remove')", "routes.POST /students.integration.origin_key"),
    ("send('replace', value=\"'made-by-hand-4711'\")", "routes.POST /students.integration.origin_key.version_ids"),
    (
        "forward = [{'Type': 'forward', 'TargetGroupArn': rule()['Actions'][0]['TargetGroupArn']}]\n\
         elb.modify_listener(ListenerArn=https()['ListenerArn'], DefaultActions=forward)",
        "answer",
    ),
];

fn public() -> (LocalAws, Desk) {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings(PUBLIC);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    (aws, desk)
}

fn key(aws: &LocalAws, label: &str) -> String {
    aws.python(KEYS)[label].as_str().unwrap_or_else(|| panic!("no version is {label}")).to_owned()
}

/// The status of a record that somebody posts straight to the load balancer.
fn straight(aws: &LocalAws, key: Option<&str>) -> Value {
    let host =
        aws.python("print(json.dumps(client('elbv2').describe_load_balancers()['LoadBalancers'][0]['DNSName']))");
    let headers = key.map_or_else(|| json!({}), |key| json!({ "X-Origin-Key": key }));
    let url = format!("https://{}/students", host.as_str().expect("a name"));
    let wish = json!({ "url": url, "method": "POST", "headers": headers, "body": "{}" });
    aws.local("POST", "knocks", wish)["status"].clone()
}

/// None of these values is anywhere in what was said and is kept.
fn hides(values: &[&str], desk: &Desk, run: &Run) {
    let state = desk.state_of("student-records", "dev").to_string();
    for text in [&run.stdout, &run.stderr, &state] {
        assert!(!values.iter().any(|value| text.contains(value)), "{run}");
    }
}

#[test]
fn what_was_changed_by_hand_on_the_way_in_is_noticed_and_mended_and_no_key_is_told() {
    let (aws, desk) = public();
    let key = key(&aws, "AWSCURRENT");
    assert_eq!((straight(&aws, None), straight(&aws, Some(&key))), (json!(403), json!(200)));
    for (change, told) in CHANGES {
        aws.python(&format!("{FIND}{change}"));
        let run = desk.tapctl(&["drift", "--json", "-vv"]).expect(2);
        assert!(run.stdout.contains(told), "{told}: {run}");
        hides(&[&key, BY_HAND], &desk, &run);
        hides(&[&key, BY_HAND], &desk, &desk.tapctl(&["drift"]).expect(2));
        hides(&[&key, BY_HAND], &desk, &desk.tapctl(&["apply", "--yes", "-vv"]).expect(0));
        desk.tapctl(&["drift"]).expect(0);
        assert_eq!((straight(&aws, None), straight(&aws, Some(&key))), (json!(403), json!(200)));
    }
    Callers::of("student-records", &aws).were_all_served();
}

/// A new version of the secret is taken before it is sent; the old one is taken until it has no label any more.
#[test]
fn a_new_key_takes_the_place_of_the_old_one_without_a_request_that_fails() {
    let (aws, desk) = public();
    let old = key(&aws, "AWSCURRENT");
    aws.python("client('secretsmanager').put_secret_value(SecretId='student-origin-dev/credentials', SecretString='new-0815_4711')");
    let callers = Callers::of("student-records", &aws);
    let run = desk.tapctl(&["apply", "--yes", "-vv"]).expect(0);
    hides(&[&old, "new-0815_4711"], &desk, &run);
    desk.tapctl(&["plan"]).expect(0);
    assert_eq!([None, Some(&*old), Some("new-0815_4711")].map(|key| straight(&aws, key)), [403, 200, 200]);
    aws.python(
        "secrets, name = client('secretsmanager'), 'student-origin-dev/credentials'\n\
         versions = secrets.describe_secret(SecretId=name)['VersionIdsToStages'].items()\n\
         old = next(version for version, labels in versions if 'AWSPREVIOUS' in labels)\n\
         secrets.update_secret_version_stage(SecretId=name, VersionStage='AWSPREVIOUS', RemoveFromVersionId=old)",
    );
    desk.tapctl(&["apply", "--yes"]).expect(0);
    assert_eq!([None, Some(&*old), Some("new-0815_4711")].map(|key| straight(&aws, key)), [403, 403, 200]);
    callers.were_all_served();
    aws.assert_lawful();
}

#[test]
fn a_load_balancer_goes_off_the_internet_and_back() {
    let (aws, desk) = public();
    let meant = ["--allow-outage", "--allow-loss", "load-balancer"];
    desk.settings("");
    let off = [&["apply", "--yes", "--allow-data-loss", "secret-origin"][..], &meant].concat();
    desk.tapctl(&off).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    Callers::of("student-records", &aws).were_all_served();
    desk.settings(PUBLIC);
    desk.tapctl(&[&["apply", "--yes"][..], &meant].concat()).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    Callers::of("student-records", &aws).were_all_served();
    assert_eq!(straight(&aws, None), json!(403));
    desk.tapctl(&["destroy", "--yes"]).expect(0);
    assert_eq!(aws.sweep().leftovers().names(), [""; 0]);
    aws.assert_lawful();
}
