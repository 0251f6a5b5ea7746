use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;
use serde_json::Value;

use super::rules::{RULES, Rule};
use super::*;

fn dev(text: &str) -> Result<Config, ConfigError> {
    Config::parse("tapctl.toml", text, "dev", None)
}

fn nets(all: &[Ipv4Net]) -> Vec<String> {
    all.iter().map(Ipv4Net::to_string).collect()
}

#[test]
fn every_setting_has_a_rule_and_every_rule_a_setting() {
    let defaults =
        serde_json::to_value(defaults::defaults(StackKind::StudentRecords, "dev".parse().unwrap(), false)).unwrap();
    let mut settings = BTreeSet::from(["tags.*".to_owned()]);
    for (key, value) in defaults.as_object().unwrap() {
        match value {
            Value::Object(table) => settings.extend(table.keys().map(|name| format!("{key}.{name}"))),
            _ if key == "env" => {}
            _ => assert!(settings.insert(key.clone())),
        }
    }
    assert_eq!(settings, RULES.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn every_word_a_rule_allows_is_one_the_settings_know() {
    for (key, rule) in RULES {
        let (Rule::Word(words) | Rule::Version(words)) = rule else { continue };
        for word in *words {
            // A version goes with the engine that has it.
            let of_valkey = *key == "cache.engine_version" && CacheEngine::Valkey.versions().contains(word);
            let along = if of_valkey { "cache.engine = \"valkey\"\n" } else { "" };
            let result = Config::parse("tapctl.toml", &format!("{along}{key} = {word:?}"), "dev", None);
            assert!(result.is_ok(), "{key} = {word}: {result:?}");
        }
    }
    assert!(dev(r#"network.endpoints = ["ecr", "logs", "secretsmanager", "kms", "kinesis"]"#).is_ok());
}

#[test]
fn a_minor_version_that_is_newer_than_this_program_is_for_aws_to_judge() {
    let takes = |version: &str| dev(&format!("database.engine_version = {version:?}")).is_ok();
    assert!(takes("16.16") && takes("17.12") && takes("18.7"));
    for refused in ["16.12", "12.30", "19.1", "16", "16.016", "16.16.1", "16.x", ""] {
        assert!(!takes(refused), "{refused}");
    }
}

#[test]
fn every_default_obeys_its_own_rule() {
    let config = serde_json::to_value(dev("").unwrap()).unwrap();
    for (key, rule) in RULES.iter().filter(|(key, _)| *key != "tags.*") {
        let value = &config[key.split('.').next().unwrap()];
        let value = key.split_once('.').map_or(value, |(_, name)| &value[name]);
        assert!(value.is_null() || rule.wrong(value).is_empty(), "{key} = {value}");
    }
}

#[test]
fn without_a_file_the_requirements_hold() {
    let config = Config::load(Path::new("/no/such/tapctl.toml"), false, "dev", None).unwrap();
    assert_eq!((config.stack, config.protect), (StackKind::StudentRecords, false));
    assert_eq!(nets(&config.network.public_subnets), ["10.0.1.0/24", "10.0.2.0/24"]);
    assert_eq!(nets(&config.network.private_subnets), ["10.0.11.0/24", "10.0.12.0/24"]);
    assert_eq!(config.cache.node_type, "cache.t3.micro");
    assert!(config.service.command[2].contains("httpd -f -p 8080"));
}

/// The template with every `#` before a setting taken away.
fn uncommented() -> Vec<&'static str> {
    let setting =
        |line: &&str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    TEMPLATE.lines().map(|line| line.strip_prefix('#').unwrap_or(line)).filter(setting).collect()
}

#[test]
fn the_template_shows_every_setting() {
    let (document, _) = Document::parse(&uncommented().join("\n"), &"dev".parse().unwrap()).unwrap();
    let missing: Vec<&str> =
        RULES.iter().map(|(key, _)| *key).filter(|key| *key != "tags.*" && document.get(key).is_none()).collect();
    assert_eq!(missing, [""; 0]);
}

#[test]
fn the_template_shows_the_defaults() {
    assert_eq!(dev(TEMPLATE).unwrap(), dev("").unwrap(), "all of it is commented out");
    // Examples of what has no default, and the placeholder's long command.
    let examples = ["account", "certificate_arn", "host", "permissions_boundary", "CostCentre", "Owner", "command"];
    let shown: Vec<&str> =
        uncommented().into_iter().filter(|line| !examples.iter().any(|example| line.starts_with(example))).collect();
    let mut shown = dev(&shown.join("\n")).unwrap();
    shown.service.command = dev("").unwrap().service.command;
    assert_eq!(shown, dev("").unwrap());
}

/// Both by `--stack`; the file names none.
fn both(text: &str, env: &str) -> [Config; 2] {
    [StackKind::StudentRecords, StackKind::DataPipeline]
        .map(|stack| Config::parse("tapctl.toml", text, env, Some(stack)).unwrap())
}

#[test]
fn the_template_shows_where_the_pipeline_has_other_defaults() {
    let [student, pipeline] = both("", "dev").map(|config| serde_json::to_value(config).unwrap());
    let mut table = "";
    let mut comment = "";
    let mut shown = BTreeSet::new();
    for line in TEMPLATE.lines() {
        let setting = line.strip_prefix('#').and_then(|line| line.split_once(" = ")).map(|(key, _)| key);
        match setting.filter(|key| !key.contains(' ')) {
            _ if line.starts_with('[') => table = line.trim_matches(['[', ']']),
            Some(key) if comment.contains("data-pipeline:") => _ = shown.insert(format!("{table}.{key}")),
            Some(_) => {}
            None => comment = line,
        }
    }
    let differ = |key: &str| {
        let (table, name) = key.split_once('.').unwrap_or((key, ""));
        student[table][name] != pipeline[table][name]
    };
    let differing: Vec<&str> = RULES.iter().map(|(key, _)| *key).filter(|key| differ(key)).collect();
    assert_eq!(differing.len(), 7, "{differing:?}");
    assert_eq!(differing.iter().filter(|key| !shown.contains(**key)).count(), 0, "{differing:?} {shown:?}");
}

#[test]
fn the_stack_decides_on_the_defaults_and_the_command_line_on_the_stack() {
    let in_file = dev("stack = \"data-pipeline\"").unwrap();
    assert_eq!((in_file.stack, in_file.service.cpu, in_file.stream.shards), (StackKind::DataPipeline, 256, 1));
    assert_eq!((in_file.logs.retention_days, in_file.service.tasks), (7, 1));
    let [student, pipeline] = both("stack = \"data-pipeline\"\nservice.memory = 2048", "dev");
    assert_eq!((student.stack, student.service.cpu, student.service.memory), (StackKind::StudentRecords, 512, 2048));
    assert_eq!((pipeline.stack, pipeline.service.cpu, pipeline.service.memory), (StackKind::DataPipeline, 256, 2048));
}

#[test]
fn a_protected_pipeline_gets_what_every_protected_environment_gets() {
    let [student, pipeline] = both("", "prod");
    assert_eq!((pipeline.logs.retention_days, pipeline.network.nat), (student.logs.retention_days, Nat::PerAz));
    assert!(pipeline.postgres.multi_az && pipeline.profile() == student.profile());
}

#[test]
fn what_does_not_go_together_matters_to_the_stack_it_belongs_to_only() {
    let text = "[audit]\narchive_after_days = 9\nexpire_after_days = 9";
    let parse = |stack| Config::parse("tapctl.toml", text, "dev", Some(stack));
    assert!(parse(StackKind::DataPipeline).is_ok());
    assert!(parse(StackKind::StudentRecords).is_err());
}

#[test]
fn usage_plans_say_nothing_of_a_stack_that_has_none() {
    let pipeline = |api: &str| dev(&format!("stack = \"data-pipeline\"\n[api]\n{api}\n"));
    let rate = |api: &str| pipeline(api).expect("they go together").api.waf_rate_limit;
    assert_eq!(rate("plan_rate = 50"), rate(""));
    pipeline("throttle_rate = 50\nwaf_rate_limit = 1000").expect("they go together");
}

#[test]
fn the_names_of_the_stacks_are_the_same_everywhere() {
    use clap::ValueEnum;
    for stack in StackKind::value_variants() {
        assert_eq!(stack.to_possible_value().unwrap().get_name(), stack.as_str());
        assert_eq!(serde_json::to_value(stack).unwrap(), stack.as_str());
    }
}

#[test]
fn another_encoding_is_told_with_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tapctl.toml");
    std::fs::write(&path, b"protect = true\nregion = \"us-east-1\" # \xe9t\xe9\n").unwrap();
    let told = Config::load(&path, true, "dev", None).unwrap_err().to_string();
    assert_eq!(told, format!("{}:2: is not UTF-8; save the file in that encoding", path.display()));
}

#[test]
fn what_has_no_end_is_not_read_to_it() {
    let told = Config::load(Path::new("/dev/zero"), true, "dev", None).unwrap_err().to_string();
    assert_eq!(told, "/dev/zero: cannot be read: it has more than 16 MiB");
}

#[test]
fn a_file_that_was_named_must_be_there() {
    let error = Config::load(Path::new("/no/such/tapctl.toml"), true, "dev", None).unwrap_err().to_string();
    insta::assert_snapshot!(error, @"/no/such/tapctl.toml: cannot be read: No such file or directory (os error 2)");
}

#[test]
fn prod_is_protected_and_so_is_what_says_so() {
    let prod = Config::parse("tapctl.toml", "", "prod", None).unwrap();
    assert_eq!((prod.protect, prod.cache.node_type.as_str()), (true, "cache.t3.medium"));
    let open = Config::parse("tapctl.toml", "[env.prod]\nprotect = false", "prod", None).unwrap();
    assert_eq!((open.protect, open.cache.node_type.as_str()), (false, "cache.t3.micro"));
    assert!(dev("protect = true").unwrap().protect);
}

#[test]
fn an_environment_overrides_the_base_key_by_key() {
    let text = r#"
        region = "eu-west-1"
        [network]
        azs = 3
        nat = "single"
        [tags]
        Owner = "registrar"
        Team = "a"
        [env.dev]
        region = "eu-north-1"
        network.azs = 2
        tags.Team = "b"
        [env.qa.database]
        min_acu = 1
    "#;
    let config = dev(text).unwrap();
    assert_eq!((config.region.as_str(), config.network.azs, config.network.nat), ("eu-north-1", 2, Nat::Single));
    assert_eq!(config.said.place("region").as_deref(), Some("tapctl.toml:10"));
    assert_eq!(*config.said.sections(), BTreeSet::from(["dev".to_owned(), "qa".to_owned()]));
    assert_eq!(config.tags, BTreeMap::from([("Owner".into(), "registrar".into()), ("Team".into(), "b".into())]));
    assert_eq!(config.database.min_acu, 0.5);
    let qa = Config::parse("tapctl.toml", text, "qa", None).unwrap();
    assert_eq!((qa.network.azs, qa.database.min_acu), (3, 1.0));
}

#[test]
fn subnets_follow_from_the_vpc() {
    let network = dev("[network]\ncidr = \"10.20.0.0/20\"\nazs = 3").unwrap().network;
    assert_eq!(nets(&network.public_subnets), ["10.20.1.0/24", "10.20.2.0/24", "10.20.3.0/24"]);
    assert_eq!(nets(&network.private_subnets), ["10.20.11.0/24", "10.20.12.0/24", "10.20.13.0/24"]);
    let small = dev("network.cidr = \"10.20.0.0/23\"").unwrap().network;
    assert_eq!(nets(&small.private_subnets), ["10.20.1.96/27", "10.20.1.128/27"]);
}

#[test]
fn an_image_of_ones_own_runs_its_own_command() {
    assert!(dev("service.image = \"registry.example.edu/student-api:1.4\"").unwrap().service.command.is_empty());
    let moved = dev("[service]\nport = 9090\nhealth_check_path = \"/a/b/\"").unwrap().service.command;
    assert!(moved[2].contains("> /dev/shm/www/a/b/index.html") && moved[2].contains("-p 9090"), "{moved:?}");
}

#[test]
fn tasks_follow_the_range_they_must_be_in() {
    assert_eq!(dev("[service]\nmin_tasks = 4").unwrap().service.tasks, 4);
    assert_eq!(dev("[service]\nmin_tasks = 1\nmax_tasks = 1").unwrap().service.tasks, 1);
}

#[test]
fn a_base_shard_count_is_no_mistake_where_an_environment_goes_on_demand() {
    assert!(dev("stream.shards = 4\n[env.dev]\nstream.mode = \"on-demand\"").is_ok());
}

#[test]
fn a_setting_is_told_with_the_line_it_was_said_on() {
    let config = dev("[network]\nazs = 3\n[env.dev.network]\nnat = \"single\"\n").unwrap();
    assert_eq!(config.said.of_setting("network.azs"), "tapctl.toml:2: network.azs is 3");
    assert_eq!(config.said.of_setting("network.nat"), "tapctl.toml:4: env.dev.network.nat is \"single\"");
    let silent = config.said.of_setting("network.cidr");
    assert_eq!(silent, "tapctl.toml: network.cidr is left out, so its default holds");
}
