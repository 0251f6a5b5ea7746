//! Bad input gets one clear error that names what is wrong and what is allowed, before anything in AWS is touched.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::{Value, json};

use crate::harness::{Desk, LocalAws, redact, standing};

/// What a refused run says, after checking that it ended with this code and that AWS got no call at all.
#[track_caller]
fn untold(aws: &LocalAws, desk: &Desk, arguments: &[&str], code: i32) -> String {
    let mark = aws.mark();
    let run = desk.tapctl(arguments).expect(code);
    assert_eq!(aws.log_since(mark).len(), 0, "{run}");
    assert_eq!(run.stdout, "", "{run}");
    shown(desk, &run.stderr)
}

/// What a refused run says, after checking that AWS was only read.
#[track_caller]
fn unharmed(aws: &LocalAws, desk: &Desk, arguments: &[&str]) -> String {
    let mark = aws.mark();
    let run = desk.tapctl(arguments).expect(1);
    assert_eq!(aws.writes_since(mark), [""; 0], "{run}");
    shown(desk, &run.stderr)
}

fn shown(desk: &Desk, text: &str) -> String {
    redact(&text.replace(&desk.path("").display().to_string(), "<desk>/"))
}

#[test]
fn endpoints_that_are_none_are_refused() {
    let aws = LocalAws::lease();
    for (name, value) in [("AWS_ENDPOINT_URL", ""), ("AWS_ENDPOINT_URL_S3", "localhost:5000")] {
        let desk = Desk::at(&aws).variable(name, value);
        let said = untold(&aws, &desk, &["apply", "--yes"], 1);
        assert_eq!(
            said,
            format!(
                "error: InvalidEndpoint: {name} is {value:?}; allowed: a URL with http:// or https:// and a host, or the \
                 variable not set\n"
            )
        );
    }
}

#[test]
fn settings_are_refused_before_aws_is_asked() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let plan = |settings: &str| {
        desk.settings(settings);
        untold(&aws, &desk, &["plan"], 1)
    };
    insta::assert_snapshot!(plan("[network]\nazz = 2\n[databse]\nbackup_days = 3"), @r"
    error: tapctl.toml:2: network.azz is not a setting; did you mean network.azs?
    tapctl.toml:3: databse is not a setting; did you mean database?
    2 problems; nothing was done
    ");
    insta::assert_snapshot!(plan("[network]\nazs = \"two\"\nnat = true\n[service]\nport = 80000"), @r#"
    error: tapctl.toml:2: network.azs is "two", a text; allowed: the number 2 or 3, without quotes
    tapctl.toml:3: network.nat is true; allowed: "per-az" or "single"
    tapctl.toml:5: service.port is 80000; allowed: 1 to 65535
    3 problems; nothing was done
    "#);
    insta::assert_snapshot!(plan("[network]\ncidr = \"10.0.0.0/26\""), @r#"error: tapctl.toml:2: network.cidr is "10.0.0.0/26"; allowed: an IPv4 network from /16 to /25 with no host bits set, such as "10.0.0.0/16""#);
    insta::assert_snapshot!(plan("[network]\ncidr = \"10.0.0.0/24\""), @r#"error: tapctl.toml:2: network.cidr is "10.0.0.0/24"; allowed: /16 to /23, or network.public_subnets and network.private_subnets as well (a sixteenth of it is smaller than the /27 a load balancer needs)"#);
    insta::assert_snapshot!(plan("[network]\nprivate_subnets = [\"10.0.1.0/25\", \"10.0.12.0/24\"]"), @"error: tapctl.toml:2: network.private_subnets has 10.0.1.0/25, which overlaps 10.0.1.0/24 of network.public_subnets; allowed: subnets without a common address");
    insta::assert_snapshot!(plan("[network]\nprivate_subnets = [\"10.1.11.0/24\", \"10.0.12.0/24\"]"), @r#"error: tapctl.toml:2: network.private_subnets is ["10.1.11.0/24", "10.0.12.0/24"]; 10.1.11.0/24 is outside the VPC: network.cidr is 10.0.0.0/16 by default"#);
    insta::assert_snapshot!(plan("[database]\nengine_version = \"15.4\""), @r#"error: tapctl.toml:2: database.engine_version is "15.4"; allowed: "15.10", "15.12", "15.13" (the nearest) or another of "13.9", "13.23", "14.6", "14.17", "14.18", "14.19", "14.20", "14.22", "14.23", "14.24", "15.10", "15.12", "15.13", "15.14", "15.15", "15.17", "15.18", "15.19", "16.8", "16.9", "16.10", "16.11", "16.13", "16.14", "16.15", "17.4", "17.5", "17.6", "17.7", "17.9", "17.10", "17.11", "18.3", "18.4" or "18.6""#);
    insta::assert_snapshot!(plan("[cache]\nnode_type = \"cache.t2.micro\""), @r#"error: tapctl.toml:2: cache.node_type is "cache.t2.micro"; allowed: "cache.<family>.<size>" with t3 or t4g in micro, small, medium, or m5, m6g, m7g, m8g, r5, r6g, r7g, r8g, c8gn from large up"#);
    insta::assert_snapshot!(plan("[env.Prod]\nprotect = true"), @"error: tapctl.toml:1: env.Prod does not name an environment; allowed: lower-case letters, digits and single hyphens, a letter first, no hyphen last, at most 14 characters, because AWS allows the name of a target group 32 and ours is student-tg-<hash>-<env>");
    insta::assert_snapshot!(plan("[env.dev.network]\nazs = 9"), @"error: tapctl.toml:2: env.dev.network.azs is 9; allowed: 2 or 3");
    insta::assert_snapshot!(plan("region = us-east-1"), @"error: tapctl.toml:1: not TOML: string values must be quoted, expected literal string in `region = us-east-1`");
}

#[test]
fn names_and_files_are_refused_before_aws_is_asked() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    for env in ["Dev", "a_b", "-dev", "dev-", "a--b", "1st", "", "../prod"] {
        let text = untold(&aws, &desk, &["apply", "--yes", &format!("--env={env}")], 64);
        assert!(
            text.starts_with(&format!(
                "error: the environment's name (--env or ENVIRONMENT_SUFFIX) is {env:?}; allowed: "
            )),
            "{text}"
        );
    }
    insta::assert_snapshot!(untold(&aws, &desk, &["apply", "--yes", "--env", "a-very-long-name-of-an-environment"], 64), @r#"error: the environment's name (--env or ENVIRONMENT_SUFFIX) is "a-very-long-name-of-an-environment"; allowed: lower-case letters, digits and single hyphens, a letter first, no hyphen last, at most 14 characters, because AWS allows the name of a target group 32 and ours is student-tg-<hash>-<env>"#);
    insta::assert_snapshot!(untold(&aws, &desk, &["plan", "--config", "missing.toml"], 1), @r"
    error: there is no missing.toml
    hint: name one that is there; `tapctl init missing.toml` writes one, and --config none leaves all to the defaults
    ");
    insta::assert_snapshot!(untold(&aws, &desk, &["plan", "--stack", "websites"], 64), @r"
    error: invalid value 'websites' for '--stack <NAME>'
      [possible values: student-records, data-pipeline]

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(untold(&aws, &desk, &["plan", "--tarpet", "vpc"], 64), @r"
    error: unexpected argument '--tarpet' found

      tip: a similar argument exists: '--target'

    Usage: tapctl plan --target <NODE>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(untold(&aws, &desk, &["outputs"], 1), @r"
    error: no outputs are recorded for student-records dev
    hint: run apply first, or name the directory of the state with --state-dir
    ");
    assert!(!desk.path("state").exists(), "a refused run leaves a directory behind");
}

#[test]
fn a_state_that_does_not_fit_is_refused_before_aws_is_asked() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let state = |changes: Value| {
        let mut state = json!({
            "version": 1, "lineage": "l", "serial": 1, "stack": "student-records", "env": "dev",
            "account": "123456789012", "region": "us-east-1", "nodes": {}, "outputs": {},
        });
        for (key, value) in changes.as_object().expect("an object") {
            state[key] = value.clone();
        }
        state.to_string()
    };
    let apply = |text: &str| {
        std::fs::create_dir_all(desk.path("state")).expect("a directory");
        std::fs::write(desk.state_path("dev"), text).expect("the state is written");
        for verb in ["plan", "drift", "status"] {
            untold(&aws, &desk, &[verb], 1);
        }
        untold(&aws, &desk, &["apply", "--yes"], 1)
    };
    let whole = state(json!({}));
    insta::assert_snapshot!(apply(&whole[..whole.len() / 2]), @r"
    error: state/student-records-dev.json is damaged: EOF while parsing a value at line 1 column 73
    hint: move it away: apply then finds everything again and creates nothing twice
    ");
    insta::assert_snapshot!(apply(""), @r"
    error: state/student-records-dev.json is damaged: EOF while parsing a value at line 1 column 0
    hint: move it away: apply then finds everything again and creates nothing twice
    ");
    insta::assert_snapshot!(apply(&state(json!({ "version": 9 }))), @r"
    error: state/student-records-dev.json has version 9, and this tapctl reads up to version 3
    hint: use the tapctl that wrote it, or a newer one
    ");
    insta::assert_snapshot!(apply(&state(json!({ "stack": "data-pipeline" }))), @r"
    error: state/student-records-dev.json belongs to stack data-pipeline, and this run is for stack student-records
    hint: name another --state-dir, or the stack it belongs to
    ");
    insta::assert_snapshot!(apply(&state(json!({ "env": "qa" }))), @r"
    error: state/student-records-dev.json belongs to env qa, and this run is for env dev
    hint: name another --state-dir, or the env it belongs to
    ");
    insta::assert_snapshot!(apply(&state(json!({ "region": "eu-west-1" }))), @r"
    error: state/student-records-dev.json is of eu-west-1, and the region is us-east-1 by AWS_REGION
    hint: an environment stands in one region: name eu-west-1, or another --env
    ");
    std::fs::write(desk.state_path("dev"), state(json!({ "account": "999999999999" }))).expect("the state is written");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes"]), @r"
    error: state/student-records-dev.json belongs to account 999999999999, and this run is for account 123456789012
    hint: use the credentials of the account it belongs to
    ");
    let asked: Vec<String> = aws.log().iter().map(|call| call.name()).collect();
    assert_eq!(asked, ["sts:GetCallerIdentity"]);
}

#[test]
fn a_held_lock_is_told_with_its_holder() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    let record = json!({ "fence": 7, "holder": {
        "host": "build-7", "pid": 4711, "command": "apply --env dev",
        "since": "2026-01-02T03:04:05Z", "expires": "2126-01-02T03:05:05Z",
    }});
    let lock = desk.path("state/student-records-dev.lock");
    std::fs::create_dir(desk.path("state")).expect("a directory");
    std::fs::write(&lock, record.to_string()).expect("the lock is written");
    insta::assert_snapshot!(untold(&aws, &desk, &["apply", "--yes"], 3), @r"
    error: the state is locked by `tapctl apply --env dev` (process 4711 on build-7, since 2026-01-02T03:04:05Z)
    hint: wait for it to end; should it be killed, the lock is free at once on its host, and elsewhere after 2126-01-02T03:05:05Z
    ");
    untold(&aws, &desk, &["destroy", "--yes"], 3);
    // Who only looks needs no lock.
    desk.tapctl(&["plan"]).expect(2);
    std::fs::remove_file(lock).expect("there is a lock");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply"]), @"
    error: there is no terminal to ask on
    hint: add --yes to go ahead without asking
    ");
}

#[test]
fn missing_and_wrong_credentials_are_told_in_a_line() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws).variable("AWS_EC2_METADATA_DISABLED", "true");
    let mark = aws.mark();
    let mut command = desk.command(&["apply", "--yes"]);
    let run = command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").output().expect("it runs");
    assert_eq!(run.status.code(), Some(4));
    assert_eq!(aws.log_since(mark).len(), 0);
    insta::assert_snapshot!(shown(&desk, &String::from_utf8_lossy(&run.stderr)), @r"
    error: sts:GetCallerIdentity: NoCredentials: there are no credentials: not in the environment, not in the selected profile, not of this machine
    hint: log in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID
    ");
    aws.fault(json!({ "match": { "operation": "GetCallerIdentity" }, "code": "ExpiredToken", "status": 403,
        "message": "The security token included in the request is expired" }));
    insta::assert_snapshot!(shown(&desk, &desk.tapctl(&["plan"]).expect(4).stderr), @r"
    error: sts:GetCallerIdentity: ExpiredToken: The security token included in the request is expired (request [id])
    hint: renew the credentials and run again; it goes on from here
    ");
    desk.settings("account = \"999999999999\"");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes"]), @r"
    error: these credentials are for account 123456789012, and tapctl.toml allows only 999999999999
    hint: use the credentials of that account
    ");
    desk.settings("account = \"123456789012\"");
    desk.tapctl(&["plan"]).expect(2);
}

#[test]
fn what_the_region_lacks_is_refused_after_reading() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("[network]\nazs = 3");
    let west = desk.variable("AWS_REGION", "us-west-1");
    insta::assert_snapshot!(unharmed(&aws, &west, &["apply", "--yes"]), @"error: ZonesNotUsable: network.azs is 3, and of the zones of us-west-1 only these carry API Gateway's VPC links (usw1-az1, usw1-az3): us-west-1a, us-west-1b; set network.azs = 2");
    let desk = Desk::at(&aws).variable("AWS_ENDPOINT_URL_RDS", &a_region_that_offers("15.10"));
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes"]), @"error: VersionNotOffered: database.engine_version is 16.11, and us-east-1 offers 15.10");
    desk.settings("stack = \"data-pipeline\"");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes"]), @"error: VersionNotOffered: postgres.engine_version is 16.11, and us-east-1 offers 15.10");
}

#[test]
fn a_new_database_past_its_support_is_refused_unless_extended_support_takes_it_on() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings("database.engine_version = \"13.23\"");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes"]), @"error: SupportEnded: database.engine_version is 13.23, whose standard support ended on 2026-02-28: AWS makes a new database of it only under RDS Extended Support, which it bills for; choose a later major version, or set database.extended_support = true");
    desk.settings("database.engine_version = \"13.23\"\ndatabase.extended_support = true");
    let planned = desk.tapctl(&["plan"]).expect(2).stderr;
    assert!(planned.contains("standard support of aurora-postgresql 13.23 ended on 2026-02-28"), "{planned}");
    desk.settings("stack = \"data-pipeline\"\npostgres.engine_version = \"13.23\"");
    desk.tapctl(&["apply", "--yes"]).expect(1);
    desk.settings("stack = \"data-pipeline\"\npostgres.engine_version = \"13.23\"\npostgres.extended_support = true");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let made = "print(json.dumps([one['EngineLifecycleSupport'] for one in client('rds').describe_db_instances()['DBInstances']]))";
    assert_eq!(aws.python(made), serde_json::json!(["open-source-rds-extended-support"]));
    aws.assert_lawful();
}

/// An RDS that offers one version of Aurora and knows no other question.
fn a_region_that_offers(version: &str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it listens"));
    let body = format!(
        "<DescribeDBEngineVersionsResponse xmlns=\"http://rds.amazonaws.com/doc/2014-10-31/\">\
         <DescribeDBEngineVersionsResult><DBEngineVersions><DBEngineVersion><Engine>aurora-postgresql</Engine>\
         <EngineVersion>{version}</EngineVersion></DBEngineVersion></DBEngineVersions>\
         </DescribeDBEngineVersionsResult></DescribeDBEngineVersionsResponse>"
    );
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let head =
                BufReader::new(&stream).lines().take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()));
            head.for_each(drop);
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

#[test]
fn a_run_that_should_not_be_is_refused_with_what_to_add() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes", "--target", "vpcc"]), @r"
    error: --target: there is no node vpcc; did you mean vpc?
    hint: `tapctl plan --json` lists every node
    ");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["plan", "--exclude", "vpcc"]), @r"
    error: --exclude: there is no node vpcc; did you mean vpc?
    hint: `tapctl plan --json` lists every node
    ");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["drift"]), @r"
    error: nothing is recorded for student-records dev
    hint: run apply first, or name the directory of the state with --state-dir
    ");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply"]), @"
    error: there is no terminal to ask on
    hint: add --yes to go ahead without asking
    ");
    insta::assert_snapshot!(untold(&aws, &desk, &["destroy", "--yes", "--env", "prod"], 1), @r"
    error: the environment prod is protected; nothing was changed
    hint: if it is really to go, add --confirm student-records-prod
    ");
    insta::assert_snapshot!(untold(&aws, &desk, &["destroy", "--yes", "--env", "prod", "--confirm", "prod"], 1), @r"
    error: --confirm names prod, and this is student-records-prod; nothing was changed
    hint: if this is really to go, --confirm student-records-prod; another environment is named with --env and --stack
    ");
    desk.settings("protect = true");
    insta::assert_snapshot!(untold(&aws, &desk, &["destroy", "--yes"], 1), @r"
    error: the environment dev is protected; nothing was changed
    hint: if it is really to go, add --confirm student-records-dev
    ");
    assert!(!desk.state_path("dev").exists(), "a refused run writes a state");
}

#[test]
fn a_quota_that_is_too_small_is_told_before_anything_is_made() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.python("for _ in range(4): client('ec2').allocate_address(Domain='vpc')");
    desk.settings("[network]\nnat = \"per-az\"\n[stream]\nshards = 501");
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes"]), @"
    error: QuotaTooSmall: in us-east-1: 2 more Elastic IP addresses are needed, and 4 of at most 5 are in use; 501 more Kinesis shards are needed, and 0 of at most 500 are in use
    hint: ask for a higher quota, or remove what is no longer used, then run apply again
    ");
    // One NAT gateway needs one address, and the default quota of shards has room for 500.
    desk.settings("[network]\nnat = \"single\"\n[stream]\nshards = 500");
    aws.python(
        "ec2 = client('ec2')
vpcs = [ec2.create_vpc(CidrBlock=f'10.{n}.0.0/16')['Vpc']['VpcId'] for n in range(4)]
subnet = ec2.create_subnet(VpcId=vpcs[0], CidrBlock='10.0.0.0/24', AvailabilityZoneId='use1-az1')['Subnet']['SubnetId']
for n in range(10): client('apigatewayv2').create_vpc_link(Name=f'theirs-{n}', SubnetIds=[subnet])",
    );
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply"]), @"
    note: us-east-1 has 5 VPCs and this plan makes 1 more; AWS allows 5 unless it raised that quota; us-east-1 has 10 VPC links and this plan makes 1 more; AWS allows 10 unless it raised that quota
    error: there is no terminal to ask on
    hint: add --yes to go ahead without asking
    ");
    aws.assert_lawful();
}

#[test]
fn tasks_that_can_never_start_are_told_before_anything_is_made() {
    let (aws, desk) = standing();
    let mark = aws.mark();
    aws.local("POST", "quotas", json!({ "fargate-vcpus": 2 }));
    let apply = |tasks: usize| {
        desk.settings(&format!("service = {{ tasks = {tasks}, max_tasks = 9 }}"));
        desk.tapctl(&["apply", "--env", "other"]).expect(1).stderr
    };
    let never = "2.5 vCPUs of Fargate are needed, and the account may run 2 at once";
    assert!(apply(5).contains(&format!("QuotaTooSmall: in us-east-1: {never}")));
    let maybe = "2 vCPUs of Fargate are needed, and 1 of at most 2 were in use when AWS last counted";
    assert!(apply(4).contains(maybe));
    assert!(!apply(2).contains("when AWS last counted"));
    assert_eq!(aws.writes_since(mark), [""; 0]);
}

#[test]
fn trails_of_all_regions_count_in_each_of_them() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws).variable("AWS_REGION", "us-west-2");
    aws.python(
        "s3 = client('s3')
s3.create_bucket(Bucket='theirs')
arn = 'arn:aws:s3:::theirs'
allow = lambda action, resource: {'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'},
    'Action': action, 'Resource': resource}
statements = [allow('s3:GetBucketAcl', arn), allow('s3:PutObject', arn + '/*')]
s3.put_bucket_policy(Bucket='theirs', Policy=json.dumps({'Version': '2012-10-17', 'Statement': statements}))
for n in range(5):
    client('cloudtrail').create_trail(Name=f'theirs-{n}', S3BucketName='theirs', IsMultiRegionTrail=True)",
    );
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes"]), @"
    error: QuotaTooSmall: in us-west-2: 1 more CloudTrail trails are needed, and 5 of at most 5 are in use
    hint: ask for a higher quota, or remove what is no longer used, then run apply again
    ");
    aws.assert_lawful();
}

#[test]
fn losing_data_needs_leave_by_name() {
    let (aws, desk) = standing();
    // The cache would be made anew for its token's sake.
    aws.python(
        "client('secretsmanager').delete_secret(SecretId='student-cache-dev/credentials', ForceDeleteWithoutRecovery=True)",
    );
    let refused = unharmed(&aws, &desk, &["apply", "--yes"]);
    assert!(refused.contains("secret-cache arn:aws:secretsmanager:us-east-1:123456789012:secret:student-cache-dev"));
    assert!(refused.contains("add --recreate secret-cache"), "{refused}");
    let recreate = ["apply", "--yes", "--recreate", "secret-cache"];
    insta::assert_snapshot!(unharmed(&aws, &desk, &recreate), @r"
    error: this plan would lose the data of cache; nothing was changed
    hint: if that is meant, add --allow-data-loss cache
    ");
    unharmed(&aws, &desk, &[&recreate[..], &["--allow-data-loss", "db-cluster"]].concat());
    desk.tapctl(&[&recreate[..], &["--allow-data-loss", "cache", "--allow-outage"]].concat()).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn what_is_not_ours_is_left_alone_until_it_is_to_be_adopted() {
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    aws.python(
        "trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 'sts:AssumeRole',
    'Principal': {'Service': 'ecs-tasks.amazonaws.com'}}]}
client('iam').create_role(RoleName='student-task-dev', AssumeRolePolicyDocument=json.dumps(trust))
client('logs').create_log_group(logGroupName='student-service-dev', tags={'Name': 'mine'})
client('kinesis').create_stream(StreamName='student-events-dev', ShardCount=1)",
    );
    let before = aws.sweep();
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes"]), @r"
    error: log-group-service (logs.log_group): observe failed: Foreign: arn:aws:logs:us-east-1:123456789012:log-group:student-service-dev exists and is not ours: it does not carry this node's ownership tags
    hint: the name is taken; remove that object, or take it over with --adopt
    role-task (iam.role): observe failed: Foreign: arn:aws:iam::123456789012:role/student-task-dev exists and is not ours: it does not carry this node's ownership tags
    hint: the name is taken; remove that object, or take it over with --adopt
    stream (kinesis.stream): observe failed: Foreign: arn:aws:kinesis:us-east-1:123456789012:stream/student-events-dev exists and is not ours: it does not carry this node's ownership tags
    hint: the name is taken; remove that object, or take it over with --adopt
    ");
    unharmed(&aws, &desk, &["plan"]);
    assert_eq!(aws.sweep(), before);
    aws.python(CACHE);
    aws.local("POST", "settle", Value::Null);
    // What is wrong with nodes that were not asked for hinders nobody.
    insta::assert_snapshot!(unharmed(&aws, &desk, &["apply", "--yes", "--target", "cache"]), @r"
    error: cache (elasticache.replication_group): observe failed: Foreign: arn:aws:elasticache:us-east-1:123456789012:replicationgroup:student-redis-dev exists and is not ours: it does not carry this node's ownership tags
    hint: the name is taken; remove that object, or take it over with --adopt
    ");
    desk.tapctl(&["plan", "--target", "db-cluster"]).expect(2);
    aws.python("client('elasticache').delete_replication_group(ReplicationGroupId='student-redis-dev')");
    aws.local("POST", "settle", Value::Null);
    assert!(!desk.state_path("dev").exists(), "a refused run writes a state");
    // They kept their logs for ever.
    let adopt = ["apply", "--yes", "--adopt"];
    insta::assert_snapshot!(unharmed(&aws, &desk, &adopt), @"
    error: this plan would lose logs older than 30 days of log-group-service; nothing was changed
    hint: if that is meant, add --allow-data-loss log-group-service
    ");
    let run = desk.tapctl(&[&adopt[..], &["--allow-data-loss", "log-group-service"]].concat()).expect(0);
    assert!(run.stderr.contains(" 3 adopted"), "{run}");
    let counts = aws.sweep().counts();
    assert_eq!([counts["kinesis.stream"], counts["iam.role"]], [1, 6]);
    desk.tapctl(&["drift"]).expect(0);
    aws.assert_lawful();
}

/// Makes a replication group of somebody else's that has our name.
const CACHE: &str = "\
ec2, cache = client('ec2'), client('elasticache')
vpc = ec2.create_vpc(CidrBlock='10.9.0.0/16')['Vpc']['VpcId']
subnet = ec2.create_subnet(VpcId=vpc, CidrBlock='10.9.0.0/24')['Subnet']['SubnetId']
cache.create_cache_subnet_group(CacheSubnetGroupName='mine', CacheSubnetGroupDescription='mine', SubnetIds=[subnet])
cache.create_replication_group(ReplicationGroupId='student-redis-dev', ReplicationGroupDescription='mine',
    NumCacheClusters=1, CacheNodeType='cache.t3.micro', Engine='redis', CacheSubnetGroupName='mine')
";
