//! What each setting may be, looked at alone. The table of rules is also the list of all settings.

use std::fmt;

use ipnet::Ipv4Net;
use jiff::SignedDuration;
use serde_json::Value;

use super::env_name::{self, is_slug};
use super::forms;
use super::regions::{self, is_region};
use crate::names;

/// What a setting may be.
#[derive(Debug)]
pub(super) enum Rule {
    /// True or false.
    Flag,
    /// A whole number in a range, with its unit.
    Whole(i64, i64, &'static str),
    /// A number in a range, in steps of a half.
    Halves(f64, f64, &'static str),
    /// One of these numbers, with their unit.
    Number(&'static [i64], &'static str),
    /// One of these texts.
    Word(&'static [&'static str]),
    /// One of these versions of an engine, or a later minor version of one of their major versions: AWS offers new ones
    /// between two releases of tapctl, and says in the plan which it has.
    Version(&'static [&'static str]),
    /// A text of some form, and that form in words.
    Text(fn(&str) -> bool, &'static str),
    /// A list of texts of some form, and list and form in words.
    List { min: usize, max: usize, distinct: bool, item: fn(&str) -> bool, allowed: &'static str },
}

/// What is wrong with a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// All of it.
    Whole,
    /// The element at this index.
    Element(usize),
    /// The element at this index, which the list has already.
    Repeated(usize),
}

/// Aurora PostgreSQL versions that can be created: BEHAVIOUR.md, "Versions creatable now". Those before 13 cannot
/// be Serverless v2.
const AURORA: &[&str] = &[
    "13.9", "13.23", "14.6", "14.17", "14.18", "14.19", "14.20", "14.22", "14.23", "14.24", "15.10", "15.12", "15.13",
    "15.14", "15.15", "15.17", "15.18", "15.19", "16.8", "16.9", "16.10", "16.11", "16.13", "16.14", "16.15", "17.4",
    "17.5", "17.6", "17.7", "17.9", "17.10", "17.11", "18.3", "18.4", "18.6",
];

/// PostgreSQL versions that can be created on an instance of its own: BEHAVIOUR.md, "RDS PostgreSQL instance".
const POSTGRES: &[&str] = &[
    "13.23", "14.18", "14.19", "14.20", "14.21", "14.22", "14.23", "14.24", "15.13", "15.14", "15.15", "15.16",
    "15.17", "15.18", "15.19", "16.9", "16.10", "16.11", "16.12", "16.13", "16.14", "16.15", "17.5", "17.6", "17.7",
    "17.8", "17.9", "17.10", "17.11", "18.1", "18.2", "18.3", "18.4", "18.6",
];

/// Families of database classes, and the sizes that those have which do not begin with t beside `large`: how many times
/// `xlarge` (Amazon RDS User Guide, "DB instance classes"). Which of them a region has, and for which version, AWS is asked.
#[rustfmt::skip]
const DATABASE_FAMILIES: [(&str, &[u32]); 13] = [
    ("t3", &[1, 2]), ("t4g", &[1, 2]),
    ("m5", &[1, 2, 4, 8, 12, 16, 24]), ("r5", &[1, 2, 4, 8, 12, 16, 24]),
    ("m6g", &[1, 2, 4, 8, 12, 16]), ("m7g", &[1, 2, 4, 8, 12, 16]), ("r6g", &[1, 2, 4, 8, 12, 16]), ("r7g", &[1, 2, 4, 8, 12, 16]),
    ("m6i", &[1, 2, 4, 8, 12, 16, 24, 32]), ("r6i", &[1, 2, 4, 8, 12, 16, 24, 32]),
    ("m7i", &[1, 2, 4, 8, 12, 16, 24, 48]), ("m8g", &[1, 2, 4, 8, 12, 16, 24, 48]), ("r8g", &[1, 2, 4, 8, 12, 16, 24, 48]),
];

const CACHE_FAMILIES: [&str; 11] = ["t3", "t4g", "m5", "m6g", "m7g", "m8g", "r5", "r6g", "r7g", "r8g", "c8gn"];
/// Sizes of the burstable families, of those on Intel, and of those on Graviton.
const CACHE_SIZES: [&[&str]; 3] = [
    &["micro", "small", "medium"],
    &["large", "xlarge", "2xlarge", "4xlarge", "12xlarge", "24xlarge"],
    &["large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge"],
];

const LOG_DAYS: &[i64] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Tags that every stack sets itself. IAM does not tell tag keys apart by case.
pub(super) const OWN_TAGS: [&str; 7] =
    ["Name", "Environment", "Project", "Compliance", "Service", "DataClassification", "ManagedBy"];

/// What the keys of the ownership tags begin with.
const OWNERSHIP: &str = "tapctl:";

const SUBNETS: Rule = Rule::List {
    min: 2,
    max: 3,
    distinct: true,
    item: |text| network(text, 16, 27),
    allowed: "a list of 2 or 3 different IPv4 networks from /16 to /27 with no host bits set, such as \"10.0.1.0/24\" \
              (a load balancer needs a /27)",
};

/// Names the environments that may be made without a word, and stands before the first table only.
pub(super) const ENVIRONMENTS: &str = "environments";

/// Every setting and what it may be.
#[rustfmt::skip]
pub(super) const RULES: &[(&str, Rule)] = &[
    ("stack", Rule::Word(&["student-records", "data-pipeline"])),
    ("region", Rule::Text(is_region, regions::ALLOWED)),
    ("account", Rule::Text(is_account, "an AWS account's 12 digits")),
    ("protect", Rule::Flag),
    ("ignore_tags", Rule::List { min: 0, max: 50, distinct: true, item: is_others_tag, allowed: "a list of at most 50 \
        different keys of tags, or beginnings of keys that end in *, none of which takes in a tag that tapctl sets itself: \
        tapctl:…, Name, Environment, Project, Compliance, Service, DataClassification, ManagedBy" }),
    (ENVIRONMENTS, Rule::List { min: 0, max: 50, distinct: true, item: is_pattern, allowed: "a list of at most 50 \
        different names of environments, or of their beginnings with a * behind, such as \"pr-*\"" }),
    ("network.cidr", Rule::Text(|text| network(text, 16, 25), "an IPv4 network from /16 to /25 with no host bits set, \
        such as \"10.0.0.0/16\"")),
    ("network.azs", Rule::Number(&[2, 3], "")),
    ("network.nat", Rule::Word(&["per-az", "single"])),
    ("network.public_subnets", SUBNETS),
    ("network.private_subnets", SUBNETS),
    ("network.endpoints", Rule::List { min: 0, max: 5, distinct: true, item: is_endpoint, allowed: "a list of \
        \"ecr\", \"logs\", \"secretsmanager\", \"kms\" and \"kinesis\", each at most once" }),
    ("service.image", Rule::Text(|text| forms::image(text).is_ok(), "[host[:port]/]path[:tag][@sha256:digest], \
        with the path in lower case")),
    ("service.command", Rule::List { min: 0, max: 64, distinct: false, item: |text| !text.is_empty(), allowed: "a \
        list of at most 64 texts that are not empty" }),
    ("service.cpu", Rule::Number(&[256, 512, 1024, 2048, 4096, 8192, 16384, 32768], " CPU units")),
    ("service.memory", Rule::Whole(512, 249_856, " MiB")),
    ("service.port", Rule::Whole(1, 65_535, "")),
    ("service.tasks", Rule::Whole(1, 1000, "")),
    ("service.min_tasks", Rule::Whole(1, 1000, "")),
    ("service.max_tasks", Rule::Whole(1, 1000, "")),
    ("service.requests_per_target", Rule::Whole(1, 1_000_000, " a minute")),
    ("service.cpu_target_percent", Rule::Whole(1, 100, "")),
    ("service.health_check_path", Rule::Text(is_path, "a path such as \"/health\" of letters, digits, / . _ ~ and -, \
        at most 255")),
    ("service.tls", Rule::Flag),
    ("service.read_only_root", Rule::Flag),
    ("service.log_mode", Rule::Word(&["non-blocking", "blocking"])),
    ("database.engine_version", Rule::Version(AURORA)),
    ("database.min_acu", Rule::Halves(0.0, 256.0, "")),
    ("database.max_acu", Rule::Halves(1.0, 256.0, "")),
    ("database.instances", Rule::Whole(2, 16, ", a writer and its readers")),
    ("database.backup_days", Rule::Whole(1, 35, " days")),
    ("database.proxy", Rule::Flag),
    ("database.extended_support", Rule::Flag),
    ("cache.engine", Rule::Word(&["redis", "valkey"])),
    ("cache.engine_version", Rule::Word(&["7.0", "7.1", "7.2", "8.0", "8.1", "8.2"])),
    ("cache.node_type", Rule::Text(is_cache_node, "\"cache.<family>.<size>\" with t3 or t4g in micro, small, medium, \
        or m5, m6g, m7g, m8g, r5, r6g, r7g, r8g, c8gn from large up")),
    ("cache.nodes", Rule::Whole(2, 6, ", since failover needs a second")),
    ("cache.snapshot_days", Rule::Whole(1, 35, " days")),
    ("stream.mode", Rule::Word(&["provisioned", "on-demand"])),
    ("stream.shards", Rule::Whole(1, 10_000, "")),
    ("stream.retention_hours", Rule::Whole(24, 8760, " hours")),
    ("stream.readers", Rule::Flag),
    ("files.throughput_mode", Rule::Word(&["bursting", "elastic"])),
    ("files.transition_to_ia_days", Rule::Number(&[1, 7, 14, 30, 60, 90, 180, 270, 365], " days")),
    ("files.backup", Rule::Flag),
    ("backup.max_age", Rule::Text(is_age, "a time of 1 to 840 hours (35 days), as \"26h\" or \"90m\"")),
    ("logs.retention_days", Rule::Number(LOG_DAYS, " days")),
    ("api.authorization", Rule::Word(&["iam", "cognito"])),
    ("api.campus_systems", Rule::List { min: 1, max: 50, distinct: true, item: is_system, allowed: "a list of 1 to 50 \
        different names of lower-case letters, digits and single hyphens, a letter first, at most 32 characters" }),
    ("api.throttle_rate", Rule::Whole(1, 10_000, " a second")),
    ("api.throttle_burst", Rule::Whole(1, 5000, "")),
    ("api.plan_rate", Rule::Whole(1, 10_000, " a second")),
    ("api.plan_burst", Rule::Whole(1, 5000, "")),
    ("api.plan_quota", Rule::Whole(1, 2_147_483_647, " a month")),
    ("api.waf", Rule::Flag),
    ("api.waf_rate_limit", Rule::Whole(10, 2_000_000_000, " in five minutes")),
    ("ingress.mode", Rule::Word(&["internal", "public"])),
    ("ingress.certificate_arn", Rule::Text(is_certificate, "an ACM certificate's ARN, \
        arn:aws:acm:<region>:<account>:certificate/<id>")),
    ("ingress.host", Rule::Text(|text| forms::host(text).is_ok(), "a host's name, as api.university.edu")),
    ("audit.trail", Rule::Word(&["own", "external"])),
    ("audit.archive_after_days", Rule::Whole(1, 3650, " days")),
    ("audit.expire_after_days", Rule::Whole(2, 36_500, " days")),
    ("iam.permissions_boundary", Rule::Text(is_policy, "a managed policy's ARN, \
        arn:aws:iam::<account>:policy/<name>")),
    ("iam.role_path", Rule::Text(is_role_path, "/, or words of letters, digits and + = , . @ _ - between slashes, with \
        one at both ends, such as \"/apps/\"; at most 512 characters")),
    ("monitoring.alarm_emails", Rule::List { min: 0, max: 20, distinct: true, item: |text| forms::mail(text).is_ok(), allowed: "a list of at \
        most 20 different mail addresses" }),
    ("monitoring.dashboard", Rule::Flag),
    ("pipeline.project", Rule::Text(is_project, "lower-case letters, digits and single hyphens, a letter first, at \
        most 20 characters")),
    ("pipeline.stage", Rule::Text(is_stage, "1 to 64 letters, digits, _ and -")),
    ("pipeline.data_trace", Rule::Flag),
    ("pipeline.iterator_age_seconds", Rule::Whole(1, 86_400, " seconds")),
    ("pipeline.alarms", Rule::Flag),
    ("pipeline.guardduty", Rule::Flag),
    ("postgres.engine_version", Rule::Version(POSTGRES)),
    ("postgres.instance_class", Rule::Text(is_database_class, "\"db.<family>.<size>\" with t3 or t4g from micro to \
        2xlarge, or m5, m6g, m6i, m7g, m7i, m8g, r5, r6g, r6i, r7g, r8g from large up to 16xlarge, with m5 and r5 to \
        24xlarge, with m6i and r6i to 32xlarge, with m7i, m8g and r8g to 48xlarge")),
    ("postgres.storage_gib", Rule::Whole(20, 65_536, " GiB")),
    ("postgres.backup_days", Rule::Whole(1, 35, " days")),
    ("postgres.multi_az", Rule::Flag),
    ("postgres.extended_support", Rule::Flag),
    ("tags.*", Rule::Text(|text| is_tag_text(text, 256), "a text of letters, digits, spaces and _ . : / = + - @, at \
        most 256 characters")),
    ("engine.parallelism", Rule::Whole(1, 64, "")),
    ("engine.settle_seconds", Rule::Whole(5, 600, " seconds")),
    ("engine.timeout_minutes", Rule::Whole(1, 1440, " minutes")),
];

/// The rule of a setting; every key of `[tags]` has the same one.
pub(super) fn find(key: &str) -> Option<&'static Rule> {
    let key = if key.starts_with("tags.") { "tags.*" } else { key };
    RULES.iter().find(|(name, _)| *name == key).map(|(_, rule)| rule)
}

/// Whether settings stand below this key.
pub(super) fn is_table(key: &str) -> bool {
    RULES.iter().any(|(name, _)| name.split_once('.').is_some_and(|(table, _)| table == key))
}

/// What a key that is no setting may have been meant as: one that is spelled alike beside it, then one of that name
/// elsewhere, then all that are beside it. `scope` is `env.<name>.` for what stands there, else empty.
pub(super) fn suggest(scope: &str, key: &str) -> String {
    let (table, name) = key.rsplit_once('.').unwrap_or(("", key));
    let beside = siblings(scope, table);
    if let Some(other) = names::nearest(name, beside.iter().copied()) {
        let other = if table.is_empty() { other.to_owned() } else { format!("{table}.{other}") };
        return format!("did you mean {scope}{other}?");
    }
    match RULES.iter().find(|(other, _)| other.rsplit('.').next() == Some(name)) {
        Some((other, _)) => format!("did you mean {scope}{other}?"),
        None if table.is_empty() => format!("allowed: {}", beside.join(", ")),
        None => format!("allowed in [{scope}{table}]: {}", beside.join(", ")),
    }
}

fn siblings(scope: &str, table: &str) -> Vec<&'static str> {
    let mut found: Vec<&str> = RULES
        .iter()
        .filter(|(name, _)| scope.is_empty() || *name != ENVIRONMENTS)
        .filter_map(|(name, _)| match (table, name.split_once('.')) {
            ("", Some((table, _))) => Some(table),
            ("", None) => Some(name),
            (_, Some((in_table, name))) if in_table == table => Some(name),
            _ => None,
        })
        .collect();
    if scope.is_empty() && table.is_empty() {
        found.push("env");
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What is wrong with the key of a tag, as a sentence without its subject.
pub(super) fn tag_key(path: &str) -> Option<String> {
    let key = path.strip_prefix("tags.")?;
    let reserved = ["aws:", "tapctl:"].iter().any(|prefix| key.to_lowercase().starts_with(prefix));
    if reserved {
        return Some("is reserved; allowed: tags that begin with neither aws: nor tapctl:".to_owned());
    }
    if OWN_TAGS.iter().any(|own| own.eq_ignore_ascii_case(key)) {
        return Some(format!("is set by tapctl itself; allowed: tags other than {}", OWN_TAGS.join(", ")));
    }
    let valid = !key.is_empty() && is_tag_text(key, 128);
    (!valid).then(|| {
        "is not a tag's key; allowed: letters, digits, spaces and _ . : / = + - @, at most 128 characters".to_owned()
    })
}

impl Rule {
    /// Everything that is wrong with this value; nothing, where it is allowed.
    pub(super) fn wrong(&self, value: &Value) -> Vec<Wrong> {
        let right = match self {
            Rule::Flag => value.is_boolean(),
            Rule::Whole(min, max, _) => value.as_i64().is_some_and(|number| (*min..=*max).contains(&number)),
            Rule::Halves(min, max, _) => {
                value.as_f64().is_some_and(|number| (*min..=*max).contains(&number) && (number * 2.0).fract() == 0.0)
            }
            Rule::Number(all, _) => value.as_i64().is_some_and(|number| all.contains(&number)),
            Rule::Word(all) => value.as_str().is_some_and(|text| all.contains(&text)),
            Rule::Version(all) => value.as_str().is_some_and(|text| all.contains(&text) || is_newer_minor(all, text)),
            Rule::Text(form, _) => value.as_str().is_some_and(form),
            Rule::List { min, max, distinct, item, .. } => {
                let items = value.as_array().filter(|items| (*min..=*max).contains(&items.len()));
                return items.map_or(vec![Wrong::Whole], |items| wrong_items(items, *distinct, *item));
            }
        };
        if right { Vec::new() } else { vec![Wrong::Whole] }
    }
}

/// Whether a text is a minor version later than all of its major version that are known.
fn is_newer_minor(known: &[&str], text: &str) -> bool {
    let numbers = |text: &str| {
        let (major, minor) = text.split_once('.')?;
        Some((major.parse::<u16>().ok()?, minor.parse::<u16>().ok()?))
    };
    let Some((major, minor)) = numbers(text).filter(|(major, minor)| format!("{major}.{minor}") == text) else {
        return false;
    };
    let newest = known.iter().filter_map(|one| numbers(one)).filter(|one| one.0 == major).map(|one| one.1).max();
    newest.is_some_and(|newest| minor > newest)
}

fn wrong_items(items: &[Value], distinct: bool, form: fn(&str) -> bool) -> Vec<Wrong> {
    let wrong = |(index, item): (usize, &Value)| {
        if !item.as_str().is_some_and(form) {
            return Some(Wrong::Element(index));
        }
        (distinct && items[..index].contains(item)).then_some(Wrong::Repeated(index))
    };
    items.iter().enumerate().filter_map(wrong).collect()
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::Flag => f.write_str("true or false"),
            Rule::Whole(min, max, unit) => write!(f, "{min} to {max}{unit}"),
            Rule::Halves(min, max, unit) => write!(f, "{min} to {max}{unit} in steps of 0.5"),
            Rule::Number(all, unit) => {
                let all: Vec<String> = all.iter().map(i64::to_string).collect();
                write!(f, "{}{unit}", alternatives(&all))
            }
            Rule::Word(all) | Rule::Version(all) => {
                let all: Vec<String> = all.iter().map(|word| format!("{word:?}")).collect();
                f.write_str(&alternatives(&all))
            }
            Rule::Text(_, allowed) | Rule::List { allowed, .. } => f.write_str(allowed),
        }
    }
}

/// `a, b or c`
pub(super) fn alternatives(all: &[String]) -> String {
    match all.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => all.concat(),
    }
}

fn network(text: &str, widest: u8, narrowest: u8) -> bool {
    text.parse::<Ipv4Net>().is_ok_and(|net| {
        let first = net.network();
        let usable =
            !(first.is_loopback() || first.is_link_local() || first.octets()[0] == 0 || first.octets()[0] > 223);
        usable && net.addr() == first && (widest..=narrowest).contains(&net.prefix_len())
    })
}

fn is_pattern(text: &str) -> bool {
    match text.strip_suffix('*') {
        Some(beginning) => beginning.is_empty() || env_name::is_valid(beginning.strip_suffix('-').unwrap_or(beginning)),
        None => env_name::is_valid(text),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.chars().all(|c| c.is_ascii_digit())
}

/// As long as AWS keeps automated backups, at most.
fn is_age(text: &str) -> bool {
    let hours = SignedDuration::from_hours(1)..=SignedDuration::from_hours(35 * 24);
    text.parse::<SignedDuration>().is_ok_and(|age| hours.contains(&age))
}

fn is_endpoint(text: &str) -> bool {
    ["ecr", "logs", "secretsmanager", "kms", "kinesis"].contains(&text)
}

fn is_path(text: &str) -> bool {
    text.len() <= 255
        && text.starts_with('/')
        && !text.contains("..")
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "/._~-".contains(c))
}

fn is_cache_node(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let ["cache", family, size] = parts.as_slice() else { return false };
    let sizes = match *family {
        "t3" | "t4g" => CACHE_SIZES[0],
        "m5" | "r5" => CACHE_SIZES[1],
        _ => CACHE_SIZES[2],
    };
    CACHE_FAMILIES.contains(family) && sizes.contains(size)
}

fn is_database_class(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let ["db", family, size] = parts.as_slice() else { return false };
    let times = size.strip_suffix("xlarge").and_then(|times| times.parse().ok().or(times.is_empty().then_some(1)));
    let has = |sizes: &[u32]| match times {
        Some(times) => sizes.contains(&times),
        None => *size == "large" || (family.starts_with('t') && ["micro", "small", "medium"].contains(size)),
    };
    DATABASE_FAMILIES.iter().any(|(name, sizes)| name == family && has(sizes))
}

fn is_project(text: &str) -> bool {
    text.len() <= 20 && is_slug(text)
}

fn is_stage(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn is_system(text: &str) -> bool {
    text.len() <= 32 && is_slug(text)
}

fn is_policy(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", "aws" | "aws-us-gov", "iam", "", account, policy] = parts.as_slice() else { return false };
    let name = policy.strip_prefix("policy/").is_some_and(|name| !name.is_empty() && name.chars().all(is_role_char));
    (is_account(account) || *account == "aws") && name && text.len() <= 2048
}

fn is_role_path(text: &str) -> bool {
    text == "/"
        || (text.len() <= 512
            && text.len() > 2
            && text.starts_with('/')
            && text.ends_with('/')
            && !text.contains("//")
            && text.chars().all(is_role_char))
}

fn is_role_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c)
}

fn is_certificate(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    let ["arn", "aws" | "aws-us-gov", "acm", region, account, certificate] = parts.as_slice() else {
        return false;
    };
    let id = certificate.strip_prefix("certificate/").unwrap_or_default();
    let form = id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    is_region(region) && is_account(account) && !id.is_empty() && form
}

/// A key, or a beginning of keys, that takes in no tag of ours.
fn is_others_tag(pattern: &str) -> bool {
    let form = is_tag_text(pattern.strip_suffix('*').unwrap_or(pattern), 128);
    let ownership = match pattern.to_lowercase().strip_suffix('*') {
        Some(start) => start.starts_with(OWNERSHIP) || OWNERSHIP.starts_with(start),
        None => pattern.to_lowercase().starts_with(OWNERSHIP),
    };
    form && !pattern.is_empty() && !ownership && !OWN_TAGS.iter().any(|own| takes_in(pattern, own))
}

/// Whether a pattern of `ignore_tags` takes in this key. IAM does not tell keys apart by case.
pub(super) fn takes_in(pattern: &str, key: &str) -> bool {
    let (pattern, key) = (pattern.to_lowercase(), key.to_lowercase());
    pattern.strip_suffix('*').map_or(pattern == key, |start| key.starts_with(start))
}

fn is_tag_text(text: &str, most: usize) -> bool {
    text.chars().count() <= most && text.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_of_backups() {
        for age in ["26h", "1h", "90m", "1h 30m", "840h"] {
            assert!(is_age(age), "{age}");
        }
        for age in ["", "26", "59m", "841h", "-26h", "a day", "1e9h"] {
            assert!(!is_age(age), "{age}");
        }
    }

    #[test]
    fn classes_that_run_a_database_of_its_own() {
        for class in ["db.t3.micro", "db.t4g.2xlarge", "db.m7g.large", "db.r6i.24xlarge", "db.r8g.48xlarge"] {
            assert!(is_database_class(class), "{class}");
        }
        for class in [
            "db.serverless",
            "db.t3.4xlarge",
            "db.m5.micro",
            "t3.micro",
            "db.x2g.large",
            "db.m5.3xlarge",
            "db.m6g.24xlarge",
        ] {
            assert!(!is_database_class(class), "{class}");
        }
    }
}
