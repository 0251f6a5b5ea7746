//! What the pages say of the sources is so: every file that they name is there, and every test in it.
#![allow(clippy::expect_used, clippy::panic, reason = "a test may end so")]

use std::collections::BTreeSet;
use std::path::PathBuf;

fn repository() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// The pages, by their names.
fn pages() -> Vec<(String, String)> {
    let folder = std::fs::read_dir(repository().join("docs")).expect("there are pages").flatten();
    let paths = folder.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text)
    };
    paths.chain([repository().join("README.md")]).map(read).collect()
}

/// What a page names as `folder/file.rs` or `folder/file.rs::name`, of Rust or of Python.
fn named(page: &str) -> BTreeSet<(String, Option<String>)> {
    let words = page.split(|c: char| !(c.is_ascii_alphanumeric() || "_/.:-".contains(c)));
    let words = words.map(|word| word.trim_end_matches(['.', ':']));
    words
        .map(|word| match word.split_once("::") {
            Some((file, name)) => (file.to_owned(), Some(name.to_owned())),
            None => (word.to_owned(), None),
        })
        .filter(|(file, _)| file.contains('/') && (file.ends_with(".rs") || file.ends_with(".py")))
        .collect()
}

/// Why it is not there, if it is not.
fn missing(file: &str, name: Option<&str>) -> Option<String> {
    let Ok(text) = std::fs::read_to_string(repository().join(file)) else { return Some(format!("no {file}")) };
    let name = name?;
    let there = [format!("fn {name}("), format!("fn {name}<"), format!("def {name}(")];
    (!there.iter().any(|start| text.contains(start))).then(|| format!("no {name} in {file}"))
}

#[test]
fn every_file_and_test_that_a_page_names_is_there() {
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        let missing = named(&text).into_iter().filter_map(|(file, name)| missing(&file, name.as_deref()));
        wrong.extend(missing.map(|what| format!("{page}: {what}")));
    }
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn every_edge_names_what_shows_it_or_what_comes() {
    let (_, page) = pages().into_iter().find(|(name, _)| name == "EDGES.md").expect("there is the page");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| row ")).collect();
    assert!(rows.len() > 100, "{} rows", rows.len());
    for row in rows {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let (said, shown) = (cells.get(1).unwrap_or(&""), cells.last().unwrap_or(&""));
        let later = said.starts_with("later: ") && *shown == "later";
        assert!(later || shown.split("; ").all(|place| !named(place).is_empty() || place.ends_with(".yml")), "{row}");
    }
}

#[test]
fn what_is_not_there_is_seen() {
    let page = "see `tests/pages.rs::named`, tests/pages.rs::nowhere; src/nothing.rs. (e2e words) and std::fmt";
    let found: Vec<_> = named(page).into_iter().map(|(file, name)| missing(&file, name.as_deref())).collect();
    assert_eq!(found, [Some("no src/nothing.rs".to_owned()), None, Some("no nowhere in tests/pages.rs".to_owned())]);
}
