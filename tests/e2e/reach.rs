//! What AWS would not let be done is refused in the plan, by the setting that asks for it, and nothing is written.

use crate::harness::{Desk, LocalAws, standing};

/// An environment that is up, and the AWS it is in.
fn up(settings: &str) -> (LocalAws, Desk) {
    if settings.is_empty() {
        return standing();
    }
    let aws = LocalAws::lease();
    let desk = Desk::at(&aws);
    desk.settings(settings);
    desk.tapctl(&["apply", "--yes"]).expect(0);
    (aws, desk)
}

/// What plan and apply refuse, each without a write and before any question.
fn refused(aws: &LocalAws, desk: &Desk, settings: &str) -> String {
    let store = if settings.contains("data-pipeline") { "db-instance" } else { "db-cluster" };
    desk.settings(settings);
    let mark = aws.mark();
    let told = desk.tapctl(&["plan"]).expect(1).stderr;
    for flags in [&["apply"][..], &["apply", "--yes"], &["apply", "--yes", "--allow-data-loss", store]] {
        assert!(desk.tapctl(flags).expect(1).stderr.ends_with(&told));
    }
    assert_eq!(aws.writes_since(mark), [""; 0]);
    told
}

#[test]
fn a_network_does_not_change_under_what_stands_in_it() {
    let three = "[database]\ninstances = 3\n[cache]\nnodes = 3\n";
    let (aws, desk) = up(&format!("[network]\nazs = 3\n{three}"));
    insta::assert_snapshot!(refused(&aws, &desk, "[network]\nazs = 3\ncidr = \"10.9.0.0/16\"\n"), @r#"
    error: tapctl.toml:3: network.cidr is "10.9.0.0/16"; vpc would have to go for that, and cache, db-cluster, load-balancer and nat-gateway-a cannot move out of it
    AWS does not let this be changed; nothing was touched
    hint: put it back; or begin another environment with it, `tapctl apply --env NAME`; or `tapctl destroy --env dev` first
    "#);
    insta::assert_snapshot!(refused(&aws, &desk, &format!("[network]\nazs = 2\n{three}")), @"
    error: tapctl.toml:2: network.azs is 2; a zone would have to be empty for that; nothing was touched
    cache (student-redis-dev-003) stands in us-east-1c
    db-instance-3 (student-aurora-3-dev) stands in us-east-1c
    hint: put it back; or first have what stands there go, as by fewer instances and nodes
    ");
    let own = "[network]\nazs = 3\nprivate_subnets = [\"10.0.40.0/24\", \"10.0.41.0/24\", \"10.0.13.0/24\"]\n";
    let told = refused(&aws, &desk, own);
    assert!(told.starts_with("error: tapctl.toml:3: network.private_subnets is"), "{told}");
    let own = "[network]\nazs = 3\npublic_subnets = [\"10.0.40.0/24\", \"10.0.41.0/24\", \"10.0.3.0/24\"]\n";
    let told = refused(&aws, &desk, own);
    assert!(told.contains("network.public_subnets is") && told.contains("and nat-gateway-a cannot move"), "{told}");
    desk.settings(&format!("[network]\nazs = 3\n{three}"));
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn a_zone_in_which_nothing_stands_is_given_up() {
    let (aws, desk) = up("[network]\nazs = 3\n[database]\nproxy = true\n");
    desk.settings("[database]\nproxy = true\n");
    let told = desk.tapctl(&["apply", "--yes"]).expect(1).stderr;
    assert!(told.contains("would interrupt db-proxy (it is gone until its successor stands)"), "{told}");
    desk.tapctl(&["apply", "--yes", "--allow-outage"]).expect(0);
    desk.tapctl(&["plan"]).expect(0);
    let zones = "subnets = client('ec2').describe_subnets(Filters=[{'Name': 'tag:tapctl:env', 'Values': ['dev']}])['Subnets']\n\
                 print(json.dumps(sorted({subnet['AvailabilityZone'] for subnet in subnets})))";
    assert_eq!(aws.python(zones), serde_json::json!(["us-east-1a", "us-east-1b"]));
    aws.assert_lawful();
}

#[test]
fn a_database_goes_on_with_a_later_minor_version_and_never_back_to_an_earlier_major_one() {
    let (aws, desk) = up("");
    aws.python(
        "client('rds').modify_db_cluster(DBClusterIdentifier='student-aurora-dev', EngineVersion='16.13', ApplyImmediately=True)",
    );
    aws.local("POST", "settle", serde_json::Value::Null);
    desk.tapctl(&["plan"]).expect(0);
    desk.tapctl(&["drift"]).expect(0);
    insta::assert_snapshot!(refused(&aws, &desk, "[database]\nengine_version = \"15.10\"\n"), @r#"
    error: tapctl.toml:2: database.engine_version is "15.10"; db-cluster runs 16.11, and AWS never goes back to 15.10
    AWS does not let this be changed; nothing was touched
    hint: put it back
    "#);
    aws.assert_lawful();
}

#[test]
fn a_database_goes_only_where_aws_upgrades_it_to_and_to_another_major_version_only_by_name() {
    let (aws, desk) = up("[database]\nengine_version = \"16.13\"\n");
    insta::assert_snapshot!(refused(&aws, &desk, "[database]\nengine_version = \"17.5\"\n"), @"error: UpgradeNotOffered: database.engine_version is 17.5, the database runs 16.13, and AWS upgrades that to 16.14, 16.15, 17.9, 17.10, 17.11");
    insta::assert_snapshot!(refused(&aws, &desk, "[database]\nengine_version = \"18.6\"\n"), @"error: UpgradeNotOffered: database.engine_version is 18.6, the database runs 16.13, and AWS upgrades that to 16.14, 16.15, 17.9, 17.10, 17.11; 17.11 first, then 18.6, is a way");
    desk.settings("[database]\nengine_version = \"17.9\"\n");
    let planned = desk.tapctl(&["plan"]).expect(2).stdout;
    assert!(planned.contains("for good: from 16.13 to 17.9, and AWS never goes back"), "{planned}");
    let mark = aws.mark();
    let told = desk.tapctl(&["apply", "--yes", "--allow-outage"]).expect(1).stderr;
    assert!(
        told.ends_with(
            "error: this plan would take db-cluster from 16.13 to 17.9, and AWS never goes back; nothing was changed\n\
         hint: if that is meant, add --allow-major db-cluster\n"
        ),
        "{told}"
    );
    assert_eq!(aws.writes_since(mark), [""; 0]);
    aws.assert_lawful();
}

/// AWS upgrades no cluster that nothing runs in, and the instances are made after it: nobody waits for what cannot come.
#[test]
fn a_cluster_without_instances_is_not_upgraded_and_says_what_to_do() {
    let (aws, desk) = standing();
    aws.python(
        "rds = client('rds')\n\
         for member in rds.describe_db_instances()['DBInstances']:\n    \
             rds.delete_db_instance(DBInstanceIdentifier=member['DBInstanceIdentifier'])",
    );
    aws.local("POST", "settle", serde_json::Value::Null);
    desk.settings("database.engine_version = \"16.13\"");
    let ended = desk.tapctl(&["apply", "--yes", "--allow-outage"]).expect(1).stderr;
    assert!(ended.contains("without a primary instance"), "{ended}");
    assert!(ended.contains("put engine_version back to 16.11, let `tapctl apply` make the instances"), "{ended}");
    desk.settings("");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    desk.settings("database.engine_version = \"16.13\"");
    desk.tapctl(&["apply", "--yes", "--allow-outage"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn a_cache_that_was_moved_to_valkey_by_hand_stays_there() {
    let (aws, desk) = up("");
    aws.python(
        "client('elasticache').modify_replication_group(ReplicationGroupId='student-redis-dev', Engine='valkey',
                                                        EngineVersion='8.0', ApplyImmediately=True)",
    );
    aws.local("POST", "settle", serde_json::Value::Null);
    let ahead = "note: cache runs valkey 8.0, ahead of redis 7.1 that is asked for: AWS never goes back, and it is left as \
                 it is; put cache.engine = \"valkey\" and cache.engine_version = \"8.0\" into the file";
    for command in ["plan", "drift", "status"] {
        let run = desk.tapctl(&[command]).expect(0);
        assert!(run.stderr.contains(ahead), "{run}");
    }
    desk.settings("cache.nodes = 3\n");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let members = "print(json.dumps([f\"{one['Engine']} {one['EngineVersion']}\" for one in \
                   client('elasticache').describe_cache_clusters()['CacheClusters']]))";
    assert_eq!(aws.python(members), serde_json::json!(["valkey 8.0.1", "valkey 8.0.1", "valkey 8.0.1"]));
    desk.settings("cache = { nodes = 3, engine = \"valkey\", engine_version = \"8.0\" }\n");
    let run = desk.tapctl(&["plan"]).expect(0);
    assert!(!run.stderr.contains("ahead of"), "{run}");
    desk.tapctl(&["apply", "--yes"]).expect(0);
    insta::assert_snapshot!(refused(&aws, &desk, "cache.nodes = 3\n"), @"
    error: tapctl.toml: cache.engine is left out, so its default holds; cache runs valkey 8.0, and AWS never goes back to redis 7.1
    AWS does not let this be changed; nothing was touched
    hint: put it back
    ");
    aws.assert_lawful();
}

#[test]
fn a_stream_gets_far_more_shards_in_steps_that_aws_takes() {
    let (aws, desk) = up("");
    desk.settings("[stream]\nshards = 9\n");
    let mark = aws.mark();
    desk.tapctl(&["apply", "--yes"]).expect(0);
    let calls = aws.log_since(mark);
    let steps = calls.iter().filter(|call| call.wrote() && call.operation == "UpdateShardCount");
    let targets: Vec<i64> = steps.filter_map(|call| call.params["TargetShardCount"].as_i64()).collect();
    assert_eq!(targets, [4, 8, 9]);
    desk.tapctl(&["plan"]).expect(0);
    aws.assert_lawful();
}

#[test]
fn as_many_tags_as_are_allowed_fit_on_everything_and_one_more_is_refused_before_aws_is_asked() {
    let tags = |count: usize| (0..count).fold("[tags]\n".to_owned(), |text, n| format!("{text}Tag{n} = \"{n}\"\n"));
    let (aws, desk) = up(&tags(38));
    desk.tapctl(&["plan"]).expect(0);
    let fullest =
        aws.sweep().objects().filter_map(|(_, object)| object["tags"].as_object().map(|tags| tags.len())).max();
    assert_eq!(fullest, Some(50));
    desk.settings(&tags(39));
    let mark = aws.mark();
    let told = desk.tapctl(&["plan"]).expect(1).stderr;
    assert!(told.contains("[tags] has 39 tags; allowed: at most 38, since AWS allows 50"), "{told}");
    assert!(aws.log_since(mark).is_empty());
    aws.assert_lawful();
}

#[test]
fn storage_of_the_pipeline_s_database_never_gets_smaller() {
    let pipeline = |rest: &str| format!("stack = \"data-pipeline\"\n{rest}");
    let (aws, desk) = up(&pipeline("[postgres]\nstorage_gib = 40\n"));
    insta::assert_snapshot!(refused(&aws, &desk, &pipeline("[postgres]\nstorage_gib = 30\n")), @"
    error: tapctl.toml:3: postgres.storage_gib is 30; db-instance has 40 GiB and should have 30, and RDS storage never gets smaller
    AWS does not let this be changed; nothing was touched
    hint: put it back
    ");
    let told = refused(&aws, &desk, &pipeline("[postgres]\nstorage_gib = 40\n[pipeline]\nproject = \"other\"\n"));
    assert!(told.starts_with("error: tapctl.toml:5: pipeline.project is \"other\"; "), "{told}");
    aws.assert_lawful();
}
