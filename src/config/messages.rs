//! The exact words for each bad input.

use super::*;

fn errors(text: &str) -> String {
    Config::parse("tapctl.toml", text, "dev", None).unwrap_err().to_string()
}

#[test]
fn the_environments_name() {
    for name in ["dev", "qa", "prod", "pr123", "a", "a-b-c", "abcdefghijklmn"] {
        assert_eq!(name.parse::<EnvName>().unwrap().as_str(), name);
    }
    for name in ["", "Dev", "1a", "-a", "a-", "a--b", "a_b", "abcdefghijklmno", "é"] {
        assert!(name.parse::<EnvName>().is_err(), "{name}");
    }
    insta::assert_snapshot!(Config::parse("tapctl.toml", "", "Dev_1", None).unwrap_err(), @r#"the environment's name (--env or ENVIRONMENT_SUFFIX) is "Dev_1"; allowed: lower-case letters, digits and single hyphens, a letter first, no hyphen last, at most 14 characters, because AWS allows the name of a target group 32 and ours is student-tg-<hash>-<env>"#);
    insta::assert_snapshot!(errors("[env.Dev]\nregion = \"eu-west-1\"\n[env]\nqa = 3"), @r#"
    tapctl.toml:1: env.Dev does not name an environment; allowed: lower-case letters, digits and single hyphens, a letter first, no hyphen last, at most 14 characters, because AWS allows the name of a target group 32 and ours is student-tg-<hash>-<env>
    tapctl.toml:4: env.qa is 3; allowed: a table [env.qa]
    "#);
    insta::assert_snapshot!(errors("[env.Dev]\nregion = \"eu-west-1\"\n[env.qa-]\n"), @r#"
    tapctl.toml:1: env.Dev does not name an environment; allowed: lower-case letters, digits and single hyphens, a letter first, no hyphen last, at most 14 characters, because AWS allows the name of a target group 32 and ours is student-tg-<hash>-<env>
    tapctl.toml:3: env.qa- does not name an environment; allowed: lower-case letters, digits and single hyphens, a letter first, no hyphen last, at most 14 characters, because AWS allows the name of a target group 32 and ours is student-tg-<hash>-<env>
    "#);
    insta::assert_snapshot!(errors("env = \"dev\""), @r#"tapctl.toml:1: env is "dev"; allowed: tables [env.<name>]"#);
}

#[test]
fn what_is_not_toml() {
    insta::assert_snapshot!(errors("[network]\nazs = 3\n\n[service\ncpu = 1"), @"tapctl.toml:4: not TOML: unclosed table, expected `]` in `[service`");
    insta::assert_snapshot!(errors("[network]\nazs = 3\nazs = 2"), @"tapctl.toml:3: not TOML: duplicate key in `azs = 2`");
    insta::assert_snapshot!(errors("[network]\nnat = single"), @"tapctl.toml:2: not TOML: string values must be quoted, expected literal string in `nat = single`");
    insta::assert_snapshot!(errors("[network]\nnat = \"single"), @r#"tapctl.toml:2: not TOML: invalid basic string, expected `"` in `nat = "single`"#);
}

#[test]
fn keys_that_are_no_settings() {
    let text = r#"
        regoin = "eu-west-1"
        evn.dev = 1
        azs = 3
        [network]
        cdir = "10.0.0.0/16"
        port = 80
        zzz = 1
        [netwrok]
        azs = 2
        [nonsense]
        a = 1
        [env.dev.cache]
        node_typ = "cache.t3.micro"
        [env.prod]
        env.dev = 1
        protected = true
        [env.qa.service.limits]
        cpu = 1
    "#;
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:2: regoin is not a setting; did you mean region?
    tapctl.toml:3: evn is not a setting; did you mean env?
    tapctl.toml:4: azs is not a setting; did you mean network.azs?
    tapctl.toml:6: network.cdir is not a setting; did you mean network.cidr?
    tapctl.toml:7: network.port is not a setting; did you mean service.port?
    tapctl.toml:8: network.zzz is not a setting; allowed in [network]: azs, cidr, endpoints, nat, private_subnets, public_subnets
    tapctl.toml:9: netwrok is not a setting; did you mean network?
    tapctl.toml:11: nonsense is not a setting; allowed: account, api, audit, backup, cache, database, engine, env, environments, files, iam, ignore_tags, ingress, logs, monitoring, network, pipeline, postgres, protect, region, service, stack, stream, tags
    tapctl.toml:14: env.dev.cache.node_typ is not a setting; did you mean env.dev.cache.node_type?
    tapctl.toml:16: env.prod.env is not a setting; allowed: account, api, audit, backup, cache, database, engine, files, iam, ignore_tags, ingress, logs, monitoring, network, pipeline, postgres, protect, region, service, stack, stream, tags
    tapctl.toml:17: env.prod.protected is not a setting; did you mean env.prod.protect?
    tapctl.toml:18: env.qa.service.limits is not a setting; allowed in [env.qa.service]: command, cpu, cpu_target_percent, health_check_path, image, log_mode, max_tasks, memory, min_tasks, port, read_only_root, requests_per_target, tasks, tls
    "#);
}

#[test]
fn wrong_types() {
    let text = r#"
        account = 123456789012
        protect = "yes"
        tags = "a"
        logs = [{ retention_days = 3 }]
        [network]
        azs = "two"
        public_subnets = "10.0.1.0/24"
        private_subnets = [1, 2]
        cidr = { ip = "10.0.0.0" }
        [service]
        port = 8080.5
        cpu = 99999999999999999999
        [database]
        engine_version = 16.11
        min_acu = nan
        backup_days = 2026-01-01
        [[cache]]
        nodes = 2
    "#;
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:2: account is 123456789012, a number; allowed: an AWS account's 12 digits, in quotes
    tapctl.toml:3: protect is "yes", a text; allowed: true or false, without quotes
    tapctl.toml:4: tags is "a"; allowed: a table [tags]
    tapctl.toml:5: logs is [{ retention_days = 3 }]; allowed: a table [logs]
    tapctl.toml:7: network.azs is "two", a text; allowed: the number 2 or 3, without quotes
    tapctl.toml:8: network.public_subnets is "10.0.1.0/24", a text; allowed: a list of 2 or 3 different IPv4 networks from /16 to /27 with no host bits set, such as "10.0.1.0/24" (a load balancer needs a /27)
    tapctl.toml:9: network.private_subnets has 1, a number; allowed: a list of 2 or 3 different IPv4 networks from /16 to /27 with no host bits set, such as "10.0.1.0/24" (a load balancer needs a /27)
    tapctl.toml:9: network.private_subnets has 2, a number; allowed: a list of 2 or 3 different IPv4 networks from /16 to /27 with no host bits set, such as "10.0.1.0/24" (a load balancer needs a /27)
    tapctl.toml:10: network.cidr is a table; allowed: an IPv4 network from /16 to /25 with no host bits set, such as "10.0.0.0/16"
    tapctl.toml:12: service.port is 8080.5; allowed: 1 to 65535
    tapctl.toml:13: service.cpu is 99999999999999999999; allowed: 256, 512, 1024, 2048, 4096, 8192, 16384 or 32768 CPU units
    tapctl.toml:15: database.engine_version is 16.11, a number; allowed: "16.11", "16.10", "16.13" (the nearest) or another of "13.9", "13.23", "14.6", "14.17", "14.18", "14.19", "14.20", "14.22", "14.23", "14.24", "15.10", "15.12", "15.13", "15.14", "15.15", "15.17", "15.18", "15.19", "16.8", "16.9", "16.10", "16.11", "16.13", "16.14", "16.15", "17.4", "17.5", "17.6", "17.7", "17.9", "17.10", "17.11", "18.3", "18.4" or "18.6"
    tapctl.toml:16: database.min_acu is nan; allowed: 0 to 256 in steps of 0.5
    tapctl.toml:17: database.backup_days is 2026-01-01; allowed: 1 to 35 days
    tapctl.toml:18: cache is [[cache]]; allowed: a table [cache]
    "#);
}

#[test]
fn values_out_of_range() {
    let text = r#"
        stack = "student"
        region = "us-east"
        account = "1234"
        [network]
        azs = 5
        nat = "none"
        endpoints = ["s3", "kms", "kms"]
        [service]
        image = "my image"
        command = [""]
        cpu = 600
        memory = 100
        port = 0
        tasks = 0
        requests_per_target = 0
        cpu_target_percent = 101
        health_check_path = "health"
        [database]
        engine_version = "15.4"
        min_acu = 0.7
        max_acu = 300
        instances = 1
        backup_days = 36
        [cache]
        engine_version = "6.2"
        node_type = "cache.t2.micro"
        nodes = 1
        snapshot_days = 0
        [stream]
        mode = "on demand"
        shards = 0
        retention_hours = 12
        [files]
        throughput_mode = "provisioned"
        transition_to_ia_days = 31
        [logs]
        retention_days = 31
        [api]
        campus_systems = ["SIS", "lms", "lms"]
        throttle_rate = -1
        plan_quota = 0
        [ingress]
        mode = "open"
        certificate_arn = "arn:aws:iam::123456789012:server-certificate/x"
        [audit]
        trail = "none"
        [monitoring]
        alarm_emails = ["oncall"]
        [engine]
        parallelism = 0
        settle_seconds = 1
        timeout_minutes = 0x10000
    "#;
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:2: stack is "student"; allowed: "student-records" or "data-pipeline"
    tapctl.toml:3: region is "us-east"; allowed: a region of the partitions aws and aws-us-gov, such as "us-east-1"
    tapctl.toml:4: account is "1234"; allowed: an AWS account's 12 digits
    tapctl.toml:6: network.azs is 5; allowed: 2 or 3
    tapctl.toml:7: network.nat is "none"; allowed: "per-az" or "single"
    tapctl.toml:8: network.endpoints has "kms" twice; allowed: a list of "ecr", "logs", "secretsmanager", "kms" and "kinesis", each at most once
    tapctl.toml:8: network.endpoints has "s3"; allowed: a list of "ecr", "logs", "secretsmanager", "kms" and "kinesis", each at most once
    tapctl.toml:10: service.image is "my image"; ' ' cannot be part of an image's name; allowed: [host[:port]/]path[:tag][@sha256:digest], with the path in lower case
    tapctl.toml:11: service.command has ""; allowed: a list of at most 64 texts that are not empty
    tapctl.toml:12: service.cpu is 600; allowed: 256, 512, 1024, 2048, 4096, 8192, 16384 or 32768 CPU units
    tapctl.toml:13: service.memory is 100; allowed: 512 to 249856 MiB
    tapctl.toml:14: service.port is 0; allowed: 1 to 65535
    tapctl.toml:15: service.tasks is 0; allowed: 1 to 1000
    tapctl.toml:16: service.requests_per_target is 0; allowed: 1 to 1000000 a minute
    tapctl.toml:17: service.cpu_target_percent is 101; allowed: 1 to 100
    tapctl.toml:18: service.health_check_path is "health"; allowed: a path such as "/health" of letters, digits, / . _ ~ and -, at most 255
    tapctl.toml:20: database.engine_version is "15.4"; allowed: "15.10", "15.12", "15.13" (the nearest) or another of "13.9", "13.23", "14.6", "14.17", "14.18", "14.19", "14.20", "14.22", "14.23", "14.24", "15.10", "15.12", "15.13", "15.14", "15.15", "15.17", "15.18", "15.19", "16.8", "16.9", "16.10", "16.11", "16.13", "16.14", "16.15", "17.4", "17.5", "17.6", "17.7", "17.9", "17.10", "17.11", "18.3", "18.4" or "18.6"
    tapctl.toml:21: database.min_acu is 0.7; allowed: 0 to 256 in steps of 0.5
    tapctl.toml:22: database.max_acu is 300; allowed: 1 to 256 in steps of 0.5
    tapctl.toml:23: database.instances is 1; allowed: 2 to 16, a writer and its readers
    tapctl.toml:24: database.backup_days is 36; allowed: 1 to 35 days
    tapctl.toml:26: cache.engine_version is "6.2"; allowed: "7.0", "7.1", "7.2", "8.0", "8.1" or "8.2"
    tapctl.toml:27: cache.node_type is "cache.t2.micro"; allowed: "cache.<family>.<size>" with t3 or t4g in micro, small, medium, or m5, m6g, m7g, m8g, r5, r6g, r7g, r8g, c8gn from large up
    tapctl.toml:28: cache.nodes is 1; allowed: 2 to 6, since failover needs a second
    tapctl.toml:29: cache.snapshot_days is 0; allowed: 1 to 35 days
    tapctl.toml:31: stream.mode is "on demand"; allowed: "provisioned" or "on-demand"
    tapctl.toml:32: stream.shards is 0; allowed: 1 to 10000
    tapctl.toml:33: stream.retention_hours is 12; allowed: 24 to 8760 hours
    tapctl.toml:35: files.throughput_mode is "provisioned"; allowed: "bursting" or "elastic"
    tapctl.toml:36: files.transition_to_ia_days is 31; allowed: 1, 7, 14, 30, 60, 90, 180, 270 or 365 days
    tapctl.toml:38: logs.retention_days is 31; allowed: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days
    tapctl.toml:40: api.campus_systems has "SIS"; allowed: a list of 1 to 50 different names of lower-case letters, digits and single hyphens, a letter first, at most 32 characters
    tapctl.toml:40: api.campus_systems has "lms" twice; allowed: a list of 1 to 50 different names of lower-case letters, digits and single hyphens, a letter first, at most 32 characters
    tapctl.toml:41: api.throttle_rate is -1; allowed: 1 to 10000 a second
    tapctl.toml:42: api.plan_quota is 0; allowed: 1 to 2147483647 a month
    tapctl.toml:44: ingress.mode is "open"; allowed: "internal" or "public"
    tapctl.toml:45: ingress.certificate_arn is "arn:aws:iam::123456789012:server-certificate/x"; allowed: an ACM certificate's ARN, arn:aws:acm:<region>:<account>:certificate/<id>
    tapctl.toml:47: audit.trail is "none"; allowed: "own" or "external"
    tapctl.toml:49: monitoring.alarm_emails has "oncall"; it has no @; allowed: a list of at most 20 different mail addresses
    tapctl.toml:51: engine.parallelism is 0; allowed: 1 to 64
    tapctl.toml:52: engine.settle_seconds is 1; allowed: 5 to 600 seconds
    tapctl.toml:53: engine.timeout_minutes is 0x10000; allowed: 1 to 1440 minutes
    "#);
}

#[test]
fn networks_that_do_not_fit_alone() {
    let text = r#"
        [network]
        cidr = "10.0.0.1/16"
        public_subnets = ["10.0.1.0/28", "10.0.1.5/24"]
        private_subnets = [
            "10.0.11.0/24",
            "10.0.12.0",
        ]
        [env.qa.network]
        cidr = "10.0.0.0/8"
        [env.uat.network]
        cidr = "169.254.0.0/16"
    "#;
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:3: network.cidr is "10.0.0.1/16"; allowed: an IPv4 network from /16 to /25 with no host bits set, such as "10.0.0.0/16"
    tapctl.toml:4: network.public_subnets has "10.0.1.0/28"; allowed: a list of 2 or 3 different IPv4 networks from /16 to /27 with no host bits set, such as "10.0.1.0/24" (a load balancer needs a /27)
    tapctl.toml:4: network.public_subnets has "10.0.1.5/24"; allowed: a list of 2 or 3 different IPv4 networks from /16 to /27 with no host bits set, such as "10.0.1.0/24" (a load balancer needs a /27)
    tapctl.toml:7: network.private_subnets has "10.0.12.0"; allowed: a list of 2 or 3 different IPv4 networks from /16 to /27 with no host bits set, such as "10.0.1.0/24" (a load balancer needs a /27)
    tapctl.toml:10: env.qa.network.cidr is "10.0.0.0/8"; allowed: an IPv4 network from /16 to /25 with no host bits set, such as "10.0.0.0/16"
    tapctl.toml:12: env.uat.network.cidr is "169.254.0.0/16"; allowed: an IPv4 network from /16 to /25 with no host bits set, such as "10.0.0.0/16"
    "#);
}

#[test]
fn networks_that_do_not_fit_together() {
    insta::assert_snapshot!(errors("network.public_subnets = [\"10.0.1.0/24\", \"10.0.11.0/25\"]"), @"tapctl.toml:1: network.private_subnets has 10.0.11.0/24, which overlaps 10.0.11.0/25 of network.public_subnets; allowed: subnets without a common address");
    insta::assert_snapshot!(errors("[network]\nazs = 3\npublic_subnets = [\"10.0.1.0/24\", \"10.1.2.0/24\"]"), @r#"
    tapctl.toml:3: network.public_subnets is ["10.0.1.0/24", "10.1.2.0/24"]; 10.1.2.0/24 is outside the VPC: network.cidr is 10.0.0.0/16 by default
    tapctl.toml:3: network.public_subnets is ["10.0.1.0/24", "10.1.2.0/24"]; allowed: one for each zone, and network.azs is 3
    "#);
    insta::assert_snapshot!(errors("[network]\ncidr = \"10.0.0.0/24\""), @r#"tapctl.toml:2: network.cidr is "10.0.0.0/24"; allowed: /16 to /23, or network.public_subnets and network.private_subnets as well (a sixteenth of it is smaller than the /27 a load balancer needs)"#);
    let outside =
        "[network]\nprivate_subnets = [\"10.0.11.0/24\", \"10.0.12.0/24\"]\n[env.dev]\nnetwork.cidr = \"10.9.0.0/16\"";
    insta::assert_snapshot!(errors(outside), @r#"
    tapctl.toml:2: network.private_subnets is ["10.0.11.0/24", "10.0.12.0/24"]; 10.0.11.0/24 is outside the VPC: env.dev.network.cidr is "10.9.0.0/16"
    tapctl.toml:2: network.private_subnets is ["10.0.11.0/24", "10.0.12.0/24"]; 10.0.12.0/24 is outside the VPC: env.dev.network.cidr is "10.9.0.0/16"
    "#);
    insta::assert_snapshot!(errors("network.cidr = \"10.0.0.0/23\"\n[env.dev]\nservice.max_tasks = 50"), @"tapctl.toml:3: env.dev.service.max_tasks is 50; allowed: at most 15, since the private subnets leave 30 addresses for tasks and a deployment doubles them, or larger network.private_subnets");
}

#[test]
fn numbers_that_do_not_fit_together() {
    insta::assert_snapshot!(errors("[service]\ncpu = 2048"), @"tapctl.toml:2: service.memory is 1024 by default; allowed where service.cpu is 2048: 4096 to 16384 in steps of 1024 MiB");
    insta::assert_snapshot!(errors("[service]\ncpu = 256\nmemory = 3072"), @"tapctl.toml:3: service.memory is 3072; allowed where service.cpu is 256: 512, 1024 or 2048 MiB");
    insta::assert_snapshot!(errors("[service]\nmin_tasks = 5\ntasks = 3\nmax_tasks = 4"), @r#"
    tapctl.toml:2: service.min_tasks is 5; allowed: no more than service.max_tasks, and service.max_tasks is 4
    tapctl.toml:2: service.min_tasks is 5; allowed: no more than service.tasks, and service.tasks is 3
    "#);
    insta::assert_snapshot!(errors("[service]\nmin_tasks = 11"), @"tapctl.toml:2: service.min_tasks is 11; allowed: no more than service.max_tasks, and service.max_tasks is 10 by default");
    insta::assert_snapshot!(errors("[database]\nmin_acu = 8"), @"tapctl.toml:2: database.min_acu is 8; allowed: no more than database.max_acu, and database.max_acu is 4 by default");
    insta::assert_snapshot!(errors("protect = true\ndatabase.min_acu = 0"), @"tapctl.toml:2: database.min_acu is 0; allowed in a protected environment: 0.5 or more, so that it never pauses");
    insta::assert_snapshot!(errors("[database]\nmin_acu = 0\nproxy = true"), @"tapctl.toml:2: database.min_acu is 0; allowed where database.proxy is true: 0.5 or more, since a proxy keeps connections open, so that it never pauses");
    insta::assert_snapshot!(errors("[database]\nengine_version = \"14.6\"\nmin_acu = 0\nmax_acu = 200"), @r#"
    tapctl.toml:3: database.min_acu is 0; allowed where database.engine_version is "14.6": 0.5 or more
    tapctl.toml:4: database.max_acu is 200; allowed where database.engine_version is "14.6": at most 128
    "#);
    insta::assert_snapshot!(errors("[cache]\nengine = \"valkey\"\nengine_version = \"7.1\""), @r#"tapctl.toml:3: cache.engine_version is "7.1"; allowed where cache.engine is "valkey": "7.2", "8.0", "8.1" or "8.2""#);
    insta::assert_snapshot!(errors("[cache]\nengine_version = \"8.0\""), @r#"tapctl.toml:2: cache.engine_version is "8.0"; allowed where cache.engine is redis by default: "7.0" or "7.1""#);
    insta::assert_snapshot!(errors("[stream]\nmode = \"on-demand\"\nshards = 4"), @r#"tapctl.toml:3: stream.shards is 4; allowed: not set where stream.mode is "on-demand", since AWS counts the shards then"#);
    insta::assert_snapshot!(errors("[api]\nplan_rate = 2000\nplan_burst = 3000"), @r#"
    tapctl.toml:2: api.plan_rate is 2000; allowed: no more than api.throttle_rate, and api.throttle_rate is 1000 by default
    tapctl.toml:3: api.plan_burst is 3000; allowed: no more than api.throttle_burst, and api.throttle_burst is 2000 by default
    "#);
}

#[test]
fn what_goes_only_together() {
    insta::assert_snapshot!(errors("[service]\ntls = true"), @"tapctl.toml:2: service.tls is true; allowed: along with service.image, an image that answers HTTPS on service.port");
    insta::assert_snapshot!(errors("[audit]\nexpire_after_days = 90"), @"tapctl.toml:2: audit.expire_after_days is 90; allowed: more than audit.archive_after_days, and audit.archive_after_days is 90 by default");
}

#[test]
fn a_certificate_from_elsewhere() {
    let text = r#"
        account = "123456789012"
        ingress.certificate_arn = "arn:aws:acm:eu-west-1:210987654321:certificate/0a1b2c3d-0000-4444-8888-1234567890ab"
    "#;
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:3: ingress.certificate_arn is "arn:aws:acm:eu-west-1:210987654321:certificate/0a1b2c3d-0000-4444-8888-1234567890ab"; allowed: a certificate of the account, and account is "123456789012"
    tapctl.toml:3: ingress.certificate_arn is "arn:aws:acm:eu-west-1:210987654321:certificate/0a1b2c3d-0000-4444-8888-1234567890ab"; allowed: along with ingress.host, the host name in that certificate
    "#);
}

#[test]
fn a_certificate_of_another_region() {
    let arn = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d";
    let text = format!("ingress.host = \"api.example.edu\"\ningress.certificate_arn = \"{arn}\"");
    let mut config = Config::parse("tapctl.toml", &text, "dev", None).unwrap();
    assert_eq!(config.place_in("eu-west-1", "AWS_REGION"), Ok(()));
    insta::assert_snapshot!(config.place_in("us-east-1", "AWS_REGION").unwrap_err(), @r#"tapctl.toml:2: ingress.certificate_arn is "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d"; allowed: a certificate in the region of the load balancer, and region is us-east-1 by AWS_REGION"#);
    insta::assert_snapshot!(errors(&format!("region = \"us-east-1\"\n{text}")), @r#"tapctl.toml:3: ingress.certificate_arn is "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d"; allowed: a certificate in the region of the load balancer, and region is "us-east-1""#);
}

#[test]
fn environments_that_may_be_made() {
    assert!(Config::parse("tapctl.toml", r#"environments = ["dev", "pr*", "*", "pr-*"]"#, "dev", None).is_ok());
    let wrong = "environments = [\"Dev\", \"*pr\", \"a**\", \"qa\", \"qa\"]\n[env.dev]\nenvironments = []";
    insta::assert_snapshot!(errors(wrong), @r#"
    tapctl.toml:1: environments has "*pr"; allowed: a list of at most 50 different names of environments, or of their beginnings with a * behind, such as "pr-*"
    tapctl.toml:1: environments has "Dev"; allowed: a list of at most 50 different names of environments, or of their beginnings with a * behind, such as "pr-*"
    tapctl.toml:1: environments has "a**"; allowed: a list of at most 50 different names of environments, or of their beginnings with a * behind, such as "pr-*"
    tapctl.toml:1: environments has "qa" twice; allowed: a list of at most 50 different names of environments, or of their beginnings with a * behind, such as "pr-*"
    tapctl.toml:3: env.dev.environments is of no environment alone; allowed: environments before the first table
    "#);
}

#[test]
fn tags_that_are_not_for_the_taking() {
    let text = r#"
        [tags]
        "aws:x" = "1"
        "Tapctl:node" = "1"
        environment = "dev"
        "a*b" = "1"
        CostCentre = 42
        Owner = "a;b"
        cost = "1"
        Cost = "2"
        dotted.key = "1"
        "dotted.too" = "fine"
        "new\nline" = "1"
    "#;
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:3: tags.aws:x is reserved; allowed: tags that begin with neither aws: nor tapctl:
    tapctl.toml:4: tags.Tapctl:node is reserved; allowed: tags that begin with neither aws: nor tapctl:
    tapctl.toml:5: tags.environment is set by tapctl itself; allowed: tags other than Name, Environment, Project, Compliance, Service, DataClassification, ManagedBy
    tapctl.toml:6: tags.a*b is not a tag's key; allowed: letters, digits, spaces and _ . : / = + - @, at most 128 characters
    tapctl.toml:7: tags.CostCentre is 42, a number; allowed: a text of letters, digits, spaces and _ . : / = + - @, at most 256 characters, in quotes
    tapctl.toml:8: tags.Owner is "a;b"; allowed: a text of letters, digits, spaces and _ . : / = + - @, at most 256 characters
    tapctl.toml:9: tags.cost differs from tags.Cost by case only, which IAM does not tell apart; allowed: one of them
    tapctl.toml:11: tags.dotted is a table; allowed: a text of letters, digits, spaces and _ . : / = + - @, at most 256 characters
    tapctl.toml:13: tags.new\nline is not a tag's key; allowed: letters, digits, spaces and _ . : / = + - @, at most 128 characters
    "#);
    let many: String = (0..39).map(|number| format!("tags.t{number:02} = \"\"\n")).collect();
    insta::assert_snapshot!(errors(&many), @"tapctl.toml:39: [tags] has 39 tags; allowed: at most 38, since AWS allows 50 and 12 are tapctl's");
}

#[test]
fn tags_of_others_are_not_ours() {
    let text = r#"
        ignore_tags = [
            "AutoTag_*",
            "backup-plan",
            "tapctl:node",
            "Tap*",
            "*",
            "env*",
            "ManagedBy",
            "a*b",
            "",
            7,
            "backup-plan",
        ]
    "#;
    let told = errors(text);
    let told: Vec<&str> = told.lines().filter_map(|line| line.split("; allowed").next()).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    tapctl.toml:5: ignore_tags has "tapctl:node"
    tapctl.toml:6: ignore_tags has "Tap*"
    tapctl.toml:7: ignore_tags has "*"
    tapctl.toml:8: ignore_tags has "env*"
    tapctl.toml:9: ignore_tags has "ManagedBy"
    tapctl.toml:10: ignore_tags has "a*b"
    tapctl.toml:11: ignore_tags has ""
    tapctl.toml:12: ignore_tags has 7, a number
    tapctl.toml:13: ignore_tags has "backup-plan" twice
    "#);
    let text = "ignore_tags = [\"Cost*\", \"owner\"]\n[tags]\nCostCentre = \"1\"\nOwner = \"2\"\nother = \"3\"";
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:1: ignore_tags has "Cost*", which takes in tags.CostCentre; allowed: tags that [tags] does not set
    tapctl.toml:1: ignore_tags has "owner", which takes in tags.Owner; allowed: tags that [tags] does not set
    "#);
    insta::assert_snapshot!(errors("ignore_tags = \"x\""), @r#"tapctl.toml:1: ignore_tags is "x", a text; allowed: a list of at most 50 different keys of tags, or beginnings of keys that end in *, none of which takes in a tag that tapctl sets itself: tapctl:…, Name, Environment, Project, Compliance, Service, DataClassification, ManagedBy"#);
}

#[test]
fn a_mistake_in_another_environment_is_found_too() {
    let text = "[env.qa]\nnetwork.azs = 4\n[env.dev]\nnetwork.azs = 3\n[env.prod.service]\nprot = 1";
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:2: env.qa.network.azs is 4; allowed: 2 or 3
    tapctl.toml:6: env.prod.service.prot is not a setting; did you mean env.prod.service.port?
    "#);
}

#[test]
fn a_mistake_is_not_followed_by_its_consequences() {
    insta::assert_snapshot!(errors("[network]\nazs = 5\npublic_subnets = [\"10.0.1.0/24\", \"10.0.2.0/24\"]"), @"tapctl.toml:2: network.azs is 5; allowed: 2 or 3");
    insta::assert_snapshot!(errors("[service]\ncpu = 3\nmemory = 512"), @"tapctl.toml:2: service.cpu is 3; allowed: 256, 512, 1024, 2048, 4096, 8192, 16384 or 32768 CPU units");
}

#[test]
fn settings_of_the_pipeline() {
    let text = r#"
        [pipeline]
        project = "Pipe_line"
        stage = "v1/prod"
        data_trace = "no"
        iterator_age_seconds = 0
        [postgres]
        engine_version = "16.3"
        instance_class = "db.serverless"
        storage_gib = 10
        backup_days = 0
    "#;
    insta::assert_snapshot!(errors(text), @r#"
    tapctl.toml:3: pipeline.project is "Pipe_line"; allowed: lower-case letters, digits and single hyphens, a letter first, at most 20 characters
    tapctl.toml:4: pipeline.stage is "v1/prod"; allowed: 1 to 64 letters, digits, _ and -
    tapctl.toml:5: pipeline.data_trace is "no", a text; allowed: true or false, without quotes
    tapctl.toml:6: pipeline.iterator_age_seconds is 0; allowed: 1 to 86400 seconds
    tapctl.toml:8: postgres.engine_version is "16.3"; allowed: "16.9", "16.10", "16.11" (the nearest) or another of "13.23", "14.18", "14.19", "14.20", "14.21", "14.22", "14.23", "14.24", "15.13", "15.14", "15.15", "15.16", "15.17", "15.18", "15.19", "16.9", "16.10", "16.11", "16.12", "16.13", "16.14", "16.15", "17.5", "17.6", "17.7", "17.8", "17.9", "17.10", "17.11", "18.1", "18.2", "18.3", "18.4" or "18.6"
    tapctl.toml:9: postgres.instance_class is "db.serverless"; allowed: "db.<family>.<size>" with t3 or t4g from micro to 2xlarge, or m5, m6g, m6i, m7g, m7i, m8g, r5, r6g, r6i, r7g, r8g from large up to 16xlarge, with m5 and r5 to 24xlarge, with m6i and r6i to 32xlarge, with m7i, m8g and r8g to 48xlarge
    tapctl.toml:10: postgres.storage_gib is 10; allowed: 20 to 65536 GiB
    tapctl.toml:11: postgres.backup_days is 0; allowed: 1 to 35 days
    "#);
}
