//! Every setting is changed on an environment that stands, and ends in one of three ways: it converges in place, it
//! interrupts or loses something and is asked for by a flag that says so, or it is refused; and planning it writes
//! nothing. What each does is told in `docs/CHANGES.md`, which this test makes.

mod cases;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Mutex;
use std::thread;

use serde_json::{Value, json};
use tapctl::config::{self, Config};

use self::cases::{CERTIFICATE, Case, HOST, STANDING, Standing, TAGS};
use self::outcome::{Outcome, does_what_was_planned, question, tapctl};
use crate::harness::{Desk, LocalAws, repository};

/// How the file is made anew.
const RENEW: &str = "RENEW_CHANGES=1 cargo test --test e2e every_setting_";
/// Changes of one environment that are planned at once.
const HANDS: usize = 2;
/// Characters of a value that a row shows.
const SHOWN: usize = 60;

const HEAD: &str = "# What a change of each setting does

Each setting was changed, by itself, on an environment that stood, and planned. **asks** means that `apply` goes ahead only
with the flags named; **refused** that neither plan nor apply goes ahead, and nothing is written. All that nobody is asked
about was then made in one run, in which no route, rule, listener or target was ever without its successor; all that is asked
about in the next; and after each there was nothing left to do. A replacement that is not asked about has its successor
before its users move, or serves nobody meanwhile. AWS takes another `files.throughput_mode` once in 24 hours.

A setting means the same in the base of the file and in `[env.<name>]`. Those of the other system change nothing.

Made by a test; do not edit it, but run
";

/// Keys, as a file has them, and their values.
type Settings = BTreeMap<&'static str, String>;

#[test]
fn every_setting_converges_asks_or_is_refused_as_the_table_of_changes_says() {
    let known: BTreeSet<&str> = STANDING.iter().flat_map(|standing| standing.changes).map(|case| case.key).collect();
    let missing: Vec<&str> = config::keys().filter(|key| !known.contains(key)).collect();
    assert!(missing.is_empty(), "settings without a case in tests/e2e/settings/cases.rs: {missing:?}");
    let tables: Vec<String> = thread::scope(|scope| {
        let made: Vec<_> = STANDING.iter().map(|standing| scope.spawn(move || Trial::of(standing).tables())).collect();
        made.into_iter().map(|made| made.join().expect("the changes are made")).collect()
    });
    let text = format!("{HEAD}\n    {RENEW}\n\n{}", tables.join("\n"));
    let path = repository().join("docs/CHANGES.md");
    if std::env::var_os("RENEW_CHANGES").is_some() {
        std::fs::write(&path, text).expect("the table is written");
        return;
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    let differs: Vec<&str> = text.lines().filter(|line| !written.lines().any(|other| other == *line)).collect();
    assert!(
        text == written,
        "docs/CHANGES.md does not say what the changes do; see\n    {RENEW}\n{}",
        differs.join("\n")
    );
}

/// An environment that stands, and where it is.
struct Trial {
    standing: &'static Standing,
    aws: LocalAws,
    desk: Desk,
    certificate: String,
    settings: Settings,
}

impl Trial {
    fn of(standing: &'static Standing) -> Trial {
        let aws = LocalAws::lease();
        let certificate = certificate(&aws);
        let desk = Desk::at(&aws);
        let settings = standing.from.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
        let trial = Trial { standing, aws, desk, certificate, settings };
        write(&trial.desk, &base(&trial.settings));
        tapctl(&trial.desk, &["apply", "--yes"]).expect(0);
        trial
    }

    /// What the changes come to, and the further changes after them.
    fn tables(mut self) -> String {
        let Standing { stack, changes, further, .. } = self.standing;
        self.passes_over_the_other_system();
        let first = self.table(changes);
        let second = self.table(further);
        format!("## {stack}\n\n{first}\nAfter all of these that can be made:\n\n{second}")
    }

    /// Plans each change, makes all that can be made, and tells them.
    fn table(&mut self, cases: &'static [Case]) -> String {
        let before = self.settings.clone();
        let mark = self.aws.mark();
        let outcomes = in_parallel(cases, |case| {
            let settings = self.with(&[case]);
            means_the_same_in_a_section(&settings);
            let desk = self.desk.copy_for(&self.aws);
            write(&desk, &base(&settings));
            Outcome::of(&desk, self.standing.stack)
        });
        assert_eq!(self.aws.writes_since(mark), [""; 0], "plans, and what is not asked for, write nothing");
        let mut text = "| setting | change | what happens | nodes |\n|---|---|---|---|\n".to_owned();
        for (case, outcome) in cases.iter().zip(&outcomes) {
            let change = change(case, &before, &self.with(&[case]));
            let _ = writeln!(text, "| `{}` | {change} | {} |", case.key, outcome.columns());
        }
        let all = || cases.iter().zip(&outcomes);
        let unasked: Vec<&Case> = all()
            .filter(|(_, it)| matches!(it, Outcome::Made { .. } | Outcome::Nothing))
            .map(|(case, _)| case)
            .collect();
        let asked: Vec<&Case> =
            all().filter(|(_, it)| matches!(it, Outcome::Asked { .. })).map(|(case, _)| case).collect();
        self.aws.set(json!({ "gaps": true }));
        self.make(&unasked, false);
        self.aws.set(json!({ "gaps": false }));
        self.make(&asked, true);
        text
    }

    /// These settings with these changes.
    fn with(&self, cases: &[&Case]) -> Settings {
        let mut all = self.settings.clone();
        for case in cases {
            let key = if case.key == TAGS.0 { TAGS.1 } else { case.key };
            for (key, value) in case.along.iter().copied().chain([(key, case.to)]) {
                match value {
                    "" => drop(all.remove(key)),
                    CERTIFICATE => drop(all.insert(key, format!("{:?}", self.certificate))),
                    value => drop(all.insert(key, value.to_owned())),
                }
            }
        }
        all
    }

    /// What is only the other system's changes nothing.
    fn passes_over_the_other_system(&self) {
        let own: BTreeSet<&str> = self.standing.changes.iter().map(|case| case.key).collect();
        let others = STANDING.iter().filter(|other| other.stack != self.standing.stack).flat_map(|other| other.changes);
        let others: Vec<&Case> = others.filter(|case| !own.contains(case.key)).collect();
        let desk = self.desk.copy_for(&self.aws);
        write(&desk, &base(&self.with(&others)));
        tapctl(&desk, &["plan"]).expect(0);
    }

    /// Makes these changes in one run, with the flags that it asks for, and there is nothing left to do.
    fn make(&mut self, cases: &[&Case], asks: bool) {
        self.settings = self.with(cases);
        write(&self.desk, &base(&self.settings));
        let plan = tapctl(&self.desk, &["plan", "--json"]);
        let mut flags: Vec<String> = Vec::new();
        let applied = loop {
            let given =
                [&["apply", "--yes", "--allow-restart"][..], &flags.iter().map(String::as_str).collect::<Vec<_>>()]
                    .concat();
            let run = tapctl(&self.desk, &given);
            match question(&run) {
                Some((_, more)) if asks && !flags.contains(&more[0]) => flags.extend(more),
                _ => break run.expect(0),
            }
        };
        does_what_was_planned(&plan.json(), &applied);
        for text in [base(&self.settings), section(&self.settings)] {
            write(&self.desk, &text);
            tapctl(&self.desk, &["plan"]).expect(0);
        }
        self.aws.assert_lawful();
    }
}

/// The setting's value before and after, and those of what changes along.
fn change(case: &Case, before: &Settings, after: &Settings) -> String {
    let (before, after) = (values(before), values(after));
    let one = |key: &str| format!("{} → {}", shown(&before, key), shown(&after, key));
    let along = case.along.iter().map(|(key, _)| *key).filter(|key| shown(&before, key) != shown(&after, key));
    along.fold(one(case.key), |text, key| format!("{text}, `{key}` {}", one(key)))
}

/// All settings with their defaults.
fn values(settings: &Settings) -> Value {
    let config = Config::parse("tapctl.toml", &base(settings), "dev", None);
    serde_json::to_value(config.unwrap_or_else(|error| panic!("{error}"))).expect("settings are JSON")
}

fn shown(values: &Value, key: &str) -> String {
    let key = if key == TAGS.0 { TAGS.1 } else { key };
    let value = key.split('.').try_fold(values, |value, part| value.get(part)).filter(|value| !value.is_null());
    let Some(value) = value else { return "none".to_owned() };
    let text = if key.ends_with("certificate_arn") { format!("one for {HOST}") } else { value.to_string() };
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

/// It makes no difference whether settings stand in the base or in a section of the environment's own.
fn means_the_same_in_a_section(settings: &Settings) {
    let parse =
        |text: &str| Config::parse("tapctl.toml", text, "dev", None).map(|config| serde_json::to_value(config).ok());
    assert_eq!(parse(&base(settings)).ok(), parse(&section(settings)).ok(), "{settings:?}");
}

/// A file that has all of them in its base.
fn base(settings: &Settings) -> String {
    settings.iter().map(|(key, value)| format!("{key} = {value}\n")).collect()
}

/// A file that has them in a section of the environment's own, but for what can stand in the base only.
fn section(settings: &Settings) -> String {
    let (base_only, own): (Settings, Settings) =
        settings.clone().into_iter().partition(|(key, _)| *key == "environments");
    format!("{}[env.dev]\n{}", base(&base_only), base(&own))
}

fn write(desk: &Desk, settings: &str) {
    std::fs::write(desk.path("tapctl.toml"), settings).expect("the settings are written");
}

/// A certificate that is there already.
fn certificate(aws: &LocalAws) -> String {
    let made = aws.python(&format!(
        "from datetime import datetime, timedelta, UTC\n\
         from cryptography import x509\n\
         from cryptography.hazmat.primitives import hashes, serialization as s\n\
         from cryptography.hazmat.primitives.asymmetric import rsa\n\
         key, start, host = rsa.generate_private_key(65537, 2048), datetime.now(UTC), '{HOST}'\n\
         name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])\n\
         made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())\n\
         made = made.serial_number(1).not_valid_before(start).not_valid_after(start + timedelta(days=30))\n\
         made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False)\n\
         made = made.sign(key, hashes.SHA256()).public_bytes(s.Encoding.PEM)\n\
         private = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())\n\
         print(json.dumps(client('acm').import_certificate(Certificate=made, PrivateKey=private)['CertificateArn']))",
    ));
    made.as_str().expect("an ARN").to_owned()
}

/// A few at a time; the results in their order.
fn in_parallel<'a, T: Sync, R: Send>(all: &'a [T], work: impl Fn(&'a T) -> R + Sync) -> Vec<R> {
    let (next, done) = (Mutex::new(all.iter().enumerate()), Mutex::new(BTreeMap::new()));
    let hand = || {
        while let Some((at, one)) = { next.lock().expect("no hand panics holding it").next() } {
            let result = work(one);
            done.lock().expect("no hand panics holding it").insert(at, result);
        }
    };
    thread::scope(|scope| (0..HANDS).for_each(|_| drop(scope.spawn(hand))));
    done.into_inner().expect("all hands are done").into_values().collect()
}
