//! `docs/COMPLIANCE.md` and the stack are kept in step: every node serves a requirement, and every requirement has nodes and
//! tests that exist.

use std::collections::{BTreeMap, BTreeSet};

use tapctl::config::Config;
use tapctl::stacks::{self, Place};

use crate::harness::repository;
use crate::requirements::EVERY_OPTION;

/// A row of the table: id, nodes, tests.
struct Row {
    id: String,
    safeguard: String,
    controls: Vec<String>,
    nodes: Vec<String>,
    tests: Vec<String>,
}

/// What stands between backquotes.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn rows() -> Vec<Row> {
    let path = repository().join("docs/COMPLIANCE.md");
    let text = std::fs::read_to_string(path).expect("there is a table");
    let lines = text.lines().filter(|line| line.starts_with("| S"));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [id, _, safeguard, controls, nodes, tests] = cells.as_slice() else { panic!("not six cells: {line}") };
            Row {
                id: (*id).to_owned(),
                safeguard: (*safeguard).to_owned(),
                controls: controls.split(", ").map(str::to_owned).collect(),
                nodes: quoted(nodes),
                tests: quoted(tests),
            }
        })
        .collect()
}

/// The names of every node of the default stacks, and of those with everything turned on.
fn nodes() -> BTreeSet<String> {
    let place = Place {
        account: "123456789012".into(),
        region: "us-east-1".into(),
        partition: "aws".into(),
        zones: ["us-east-1a", "us-east-1b", "us-east-1c"].map(str::to_owned).into(),
        ..Place::default()
    };
    let stack = |settings: &str, env: &str| {
        let config = Config::parse("tapctl.toml", settings, env, None).expect("the settings are right");
        let zones = place.zones[..config.network.azs].to_vec();
        stacks::build(&config, &Place { zones, ..place.clone() }).nodes.into_keys()
    };
    [("", "dev"), ("", "prod"), (EVERY_OPTION, "all")].into_iter().flat_map(|(text, env)| stack(text, env)).collect()
}

fn matches(pattern: &str, node: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == node, |start| node.starts_with(start))
}

#[test]
fn every_requirement_has_a_row() {
    let ids: Vec<String> = rows().into_iter().map(|row| row.id).collect();
    assert_eq!(ids, (0..=15).map(|number| format!("S{number}")).collect::<Vec<_>>());
}

#[test]
fn every_node_serves_a_requirement() {
    let rows = rows();
    let patterns: Vec<&String> = rows.iter().flat_map(|row| &row.nodes).collect();
    let idle: Vec<String> =
        nodes().into_iter().filter(|node| !patterns.iter().any(|pattern| matches(pattern, node))).collect();
    assert_eq!(idle, [""; 0]);
}

#[test]
fn every_requirement_names_nodes_that_exist() {
    let nodes = nodes();
    assert!(nodes.len() > 130, "{} nodes", nodes.len());
    for row in rows() {
        for pattern in &row.nodes {
            assert!(nodes.iter().any(|node| matches(pattern, node)), "{}: {pattern}", row.id);
        }
        // Tags are on everything, and outputs are no nodes.
        assert_eq!(row.nodes.is_empty(), ["S0", "S15"].contains(&row.id.as_str()), "{}", row.id);
    }
}

/// Where the tests of requirements are: of what stands, of what is broken, and of what was destroyed.
const FOLDERS: [&str; 3] = [
    "tests/requirements/student_records",
    "tests/requirements/student_records_broken",
    "tests/requirements/student_records_destroyed",
];

#[test]
fn every_requirement_names_tests_that_exist() {
    let mut of_row: BTreeMap<String, String> = BTreeMap::new();
    for row in rows() {
        for test in &row.tests {
            let found = FOLDERS.iter().any(|folder| repository().join(folder).join(test).is_file());
            assert!(found, "{}: {test}", row.id);
            of_row.insert(test.clone(), row.id.clone());
        }
        let number: u32 = row.id[1..].parse().expect("a number");
        assert!(row.tests.iter().any(|test| test.starts_with(&format!("test_s{number:02}_"))), "{}", row.id);
    }
    for folder in FOLDERS {
        for entry in std::fs::read_dir(repository().join(folder)).expect("a folder of tests").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let named = !name.starts_with("test_") || of_row.contains_key(&name);
            assert!(named, "{name} proves no requirement");
        }
    }
}

#[test]
fn every_requirement_names_a_safeguard_and_controls() {
    let safeguards = ["Need to know", "Identity", "Consent", "Record", "Access"];
    for row in rows() {
        assert!(row.safeguard.split(", ").all(|safeguard| safeguards.contains(&safeguard)), "{}", row.id);
        assert!(!row.controls.is_empty(), "{}", row.id);
        for control in &row.controls {
            let (family, number) = control.split_once('-').expect("a control is FAMILY-NUMBER");
            let number = number.trim_end_matches(')').replace('(', "");
            let form = family.len() == 2
                && family.bytes().all(|letter| letter.is_ascii_uppercase())
                && number.bytes().all(|digit| digit.is_ascii_digit());
            assert!(form, "{}: {control}", row.id);
        }
    }
}
