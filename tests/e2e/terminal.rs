//! tapctl on a terminal, of any kind and size, with somebody before it who types.

use std::process::Command;
use std::time::Duration;

use serde_json::json;

use crate::harness::{Desk, Run, repository};

/// How many columns and rows a terminal has.
pub type Size = (usize, usize);

/// Runs tapctl to its end. `answers` are typed, each once its text has appeared. What the terminal showed is stdout.
pub fn run(desk: &Desk, term: &str, size: Size, answers: &[(&str, &str)], arguments: &[&str]) -> Run {
    let named = (!term.is_empty()).then(|| format!("TERM={term}"));
    let what = format!("tapctl {} on {term}", arguments.join(" "));
    let (ended, said) = show(desk, size, answers, named.as_slice(), arguments, "");
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(said), text(ended.stderr));
    Run { what, status: ended.status, stdout, place: None, stderr, took: Duration::ZERO }
}

/// What a command answers on a terminal that is so many columns wide, without colours and without what it says besides.
pub fn answer(desk: &Desk, columns: usize, arguments: &[&str]) -> String {
    let plain = ["TERM=xterm".to_owned(), "NO_COLOR=1".to_owned()];
    let (_, said) = show(desk, (columns, 50), &[], &plain, arguments, " 2>/dev/null");
    String::from_utf8(said).expect("text").replace("\r\n", "\n")
}

fn show(
    desk: &Desk,
    size: Size,
    answers: &[(&str, &str)],
    variables: &[String],
    arguments: &[&str],
    besides: &str,
) -> (std::process::Output, Vec<u8>) {
    let like = desk.command(arguments);
    let mut command = Command::new(repository().join("scripts/local-aws"));
    let wishes = json!({ "columns": size.0, "rows": size.1, "answers": answers });
    command.args(["python", "tests/e2e/terminal.py", &wishes.to_string()]).current_dir(repository());
    command.args(["sh", "-c", &format!("cd \"$0\" && exec env -i \"$@\"{besides}")]).arg(desk.path(""));
    let pair = |(name, value): (&std::ffi::OsStr, Option<&std::ffi::OsStr>)| {
        Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy()))
    };
    command.args(like.get_envs().filter_map(pair)).args(variables);
    command.arg(like.get_program()).args(like.get_args());
    let mut ended = command.output().expect("the local AWS has a Python");
    let said = std::mem::take(&mut ended.stdout);
    (ended, said)
}

/// The text without what moves the cursor and paints; what is drawn on the same line again stands on lines of its own.
pub fn without_codes(text: &str) -> String {
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic()).map_or(0, |at| at + 1);
        if part[..end].ends_with(['K', 'A', 'G']) {
            plain.push('\n');
        }
        plain.push_str(&part[end..]);
    }
    plain.replace('\r', "\n")
}
