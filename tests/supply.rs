//! What the project is built from: crates with licences and from a place that `deny.toml` allows, a compiler of one version,
//! and actions that are named by their commit.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may end so")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use toml::Table;

fn repository() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

fn text(path: impl AsRef<Path>) -> String {
    let path = repository().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn parsed(path: &str) -> Table {
    text(path).parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A list of texts in a table of `deny.toml`, or of one field of its tables.
fn listed(table: &str, key: &str, field: &str) -> Vec<String> {
    let deny = parsed("deny.toml");
    let items = deny[table][key].as_array().unwrap_or_else(|| panic!("{table}.{key} is a list"));
    let text = |item: &toml::Value| item.as_str().or_else(|| item.get(field)?.as_str()).map(str::to_owned);
    items.iter().map(|item| text(item).unwrap_or_else(|| panic!("{table}.{key}: {item}"))).collect()
}

/// Every crate of the lock file.
fn locked() -> Vec<Table> {
    let lock = parsed("Cargo.lock");
    lock["package"].as_array().expect("packages").iter().map(|one| one.as_table().expect("a table").clone()).collect()
}

fn field<'a>(package: &'a Table, name: &str) -> &'a str {
    package.get(name).and_then(toml::Value::as_str).unwrap_or_default()
}

/// What cargo knows of every crate that is used on any platform.
fn metadata() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ended = Command::new(cargo)
        .args(["metadata", "--locked", "--all-features", "--format-version", "1"])
        .current_dir(repository())
        .output()
        .expect("cargo starts");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let metadata: Value = serde_json::from_slice(&ended.stdout).expect("cargo answers in JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Whether an SPDX expression can be met with these licences alone: `A OR B`, `A AND (B OR C)`, `A WITH B`, and `A/B` as
/// crates wrote it before there was a grammar.
struct Expression<'a> {
    words: Vec<String>,
    allowed: &'a [String],
}

impl Expression<'_> {
    fn is_met(expression: &str, allowed: &[String]) -> bool {
        let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
        let words = spaced.split_whitespace().rev().map(str::to_owned).collect();
        let mut parser = Expression { words, allowed };
        let met = parser.any();
        assert!(parser.words.is_empty(), "not a licence expression: {expression}");
        met
    }

    fn takes(&mut self, word: &str) -> bool {
        let next = self.words.last().is_some_and(|next| next == word);
        next.then(|| self.words.pop()).is_some()
    }

    fn any(&mut self) -> bool {
        let mut met = self.all();
        while self.takes("OR") {
            met |= self.all();
        }
        met
    }

    fn all(&mut self) -> bool {
        let mut met = self.one();
        while self.takes("AND") {
            met &= self.one();
        }
        met
    }

    fn one(&mut self) -> bool {
        if self.takes("(") {
            let met = self.any();
            assert!(self.takes(")"), "a bracket is not closed");
            return met;
        }
        let mut licence = self.words.pop().expect("a licence");
        if self.takes("WITH") {
            licence = format!("{licence} WITH {}", self.words.pop().expect("an exception"));
        }
        self.allowed.contains(&licence)
    }
}

#[test]
fn a_licence_expression_is_met_by_what_is_allowed() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for good in
        ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "ISC AND (GPL-3.0 OR MIT)", "Apache-2.0 WITH LLVM-exception AND ISC"]
    {
        assert!(Expression::is_met(good, &allowed), "{good}");
    }
    for bad in ["GPL-3.0", "MIT AND GPL-3.0", "Apache-2.0", "(MIT OR ISC) AND GPL-3.0", "MIT WITH LLVM-exception"] {
        assert!(!Expression::is_met(bad, &allowed), "{bad}");
    }
}

#[test]
fn every_crate_has_a_licence_that_is_allowed() {
    let allowed = listed("licenses", "allow", "name");
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for package in metadata() {
        let (name, licence) = (&package["name"], package["license"].as_str().unwrap_or_default());
        if licence.is_empty() || !Expression::is_met(licence, &allowed) {
            wrong.push(format!("{name}: {licence:?}"));
        }
        used.insert(licence.to_owned());
    }
    assert_eq!(wrong, [""; 0], "licences that deny.toml does not allow");
    let idle: Vec<&String> =
        allowed.iter().filter(|allowed| !used.iter().any(|used| used.contains(*allowed))).collect();
    assert!(idle.is_empty(), "deny.toml allows licences that no crate has: {idle:?}");
}

#[test]
fn every_crate_comes_from_the_one_registry_with_its_checksum() {
    let sources = listed("sources", "allow-registry", "url");
    assert_eq!(sources.len(), 1, "one registry");
    let own = |package: &Table| field(package, "name") == env!("CARGO_PKG_NAME");
    let others = locked().into_iter().filter(|package| !own(package));
    let wrong: Vec<String> = others
        .filter(|package| {
            field(package, "source") != format!("registry+{}", sources[0]) || field(package, "checksum").len() != 64
        })
        .map(|package| format!("{} from {:?}", field(&package, "name"), field(&package, "source")))
        .collect();
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn no_crate_is_banned() {
    let banned = listed("bans", "deny", "crate");
    assert!(!banned.is_empty());
    let found: Vec<String> =
        locked().iter().map(|package| field(package, "name").to_owned()).filter(|name| banned.contains(name)).collect();
    assert_eq!(found, [""; 0]);
    let manifest = parsed("Cargo.toml");
    for table in ["dependencies", "dev-dependencies"] {
        for (name, wanted) in manifest[table].as_table().expect("a table") {
            let version = wanted.as_str().or_else(|| wanted.get("version")?.as_str()).unwrap_or_default();
            assert!(!version.is_empty() && !version.contains('*'), "{name} = {wanted}");
        }
    }
}

/// An advisory is passed over for a reason, and only as long as what it is about is there.
#[test]
fn every_advisory_that_is_passed_over_is_about_a_crate_that_is_used() {
    let used: BTreeSet<String> =
        locked().iter().map(|package| format!("{} {}", field(package, "name"), field(package, "version"))).collect();
    for reason in listed("advisories", "ignore", "reason") {
        let about = reason.split(':').next().unwrap_or_default();
        assert!(used.contains(about), "deny.toml passes over an advisory on {about:?}, which is not used any more");
    }
}

#[test]
fn the_compiler_is_of_one_version_that_the_manifest_allows() {
    let toolchain = parsed("rust-toolchain.toml");
    let channel = toolchain["toolchain"]["channel"].as_str().expect("a channel");
    let numbers = |version: &str| version.split('.').map(|part| part.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
    let pinned = numbers(channel).filter(|pinned| pinned.len() == 3);
    let pinned = pinned.unwrap_or_else(|| panic!("{channel} is no version with three parts"));
    let least = numbers(field(parsed("Cargo.toml")["package"].as_table().expect("a table"), "rust-version"));
    assert!(pinned >= least.expect("a version"), "{channel}");
    // Without rustup there is whichever compiler the machine has.
    if std::env::var_os("RUSTUP_TOOLCHAIN").is_none() {
        return;
    }
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let said = rustc.arg("--version").current_dir(repository()).output().expect("rustc starts").stdout;
    assert!(String::from_utf8_lossy(&said).starts_with(&format!("rustc {channel} ")), "{said:?}");
}

#[test]
fn every_action_is_named_by_its_commit_and_keeps_no_credentials() {
    let folder = repository().join(".github/workflows");
    let mut actions = 0;
    for file in std::fs::read_dir(folder).expect("workflows").map(|entry| entry.expect("a file").path()) {
        let workflow = text(&file);
        let name = file.display();
        assert!(workflow.contains("\npermissions:\n  contents: read\n"), "{name} says what it may do");
        let lines: Vec<&str> = workflow.lines().map(str::trim).collect();
        for (number, line) in lines.iter().enumerate() {
            let Some(used) = line.trim_start_matches("- ").strip_prefix("uses: ") else { continue };
            actions += 1;
            assert!(is_pinned(used), "{name}:{}: {used} is not pinned as OWNER/NAME@COMMIT # vX.Y.Z", number + 1);
            let follows = lines.get(number + 1..number + 3).unwrap_or_default();
            let checkout = used.starts_with("actions/checkout@");
            assert!(
                !checkout || follows == ["with:", "persist-credentials: false"],
                "{name}:{}: the checkout leaves its token behind",
                number + 1
            );
        }
    }
    assert!(actions >= 6, "{actions} actions");
}

fn is_pinned(used: &str) -> bool {
    let Some((action, version)) = used.split_once(" # v") else { return false };
    let Some((name, commit)) = action.split_once('@') else { return false };
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let numbers: Vec<&str> = version.split('.').collect();
    let whole = numbers.len() == 3 && numbers.iter().all(|part| part.parse::<u32>().is_ok());
    name.contains('/') && commit.len() == 40 && commit.chars().all(hex) && whole
}
