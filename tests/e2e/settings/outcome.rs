//! What a plan, and a try to make it, say of a change.

use serde_json::Value;

use crate::harness::{Desk, Run};

/// Nodes that a row names; of the others it says how many.
const NAMED: usize = 6;

/// What a change comes to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// AWS is as it was.
    Nothing,
    /// It is made without a question beyond whether to go ahead.
    Made {
        /// In a few words.
        how: &'static str,
        /// What is done with which nodes.
        nodes: String,
    },
    /// It is made only where this is meant.
    Asked {
        /// What is interrupted or lost, and the flags that say so, as a person is told.
        of: String,
        /// What is done with which nodes.
        nodes: String,
    },
    /// It is not made.
    Refused(String),
    /// Another system would be made, and this one stays as it is.
    Elsewhere,
}

impl Outcome {
    /// Plans what the desk's settings ask for of this stack, and tries to make it where it interrupts or loses something.
    pub fn of(desk: &Desk, stack: &str) -> Outcome {
        let run = tapctl(desk, &["plan", "--json"]);
        match run.code() {
            Some(0) => Outcome::Nothing,
            Some(1) => Outcome::Refused(refusal(&run)),
            Some(2) if !run.place.as_ref().is_some_and(|place| place.starts_with(stack)) => Outcome::Elsewhere,
            Some(2) => of_plan(desk, &run.json()),
            _ => panic!("{run}"),
        }
    }

    /// Its columns of the table.
    pub fn columns(&self) -> String {
        match self {
            Outcome::Nothing => "nothing in AWS | ".to_owned(),
            Outcome::Made { how, nodes } => format!("{how} | {nodes}"),
            Outcome::Asked { of, nodes } => format!("**asks**: {of} | {nodes}"),
            Outcome::Refused(why) => format!("**refused**: {why} | "),
            Outcome::Elsewhere => {
                "is of another system, which is told to be new; this one stays as it is | ".to_owned()
            }
        }
    }
}

/// Runs it where nothing but settings and state name a region.
pub fn tapctl(desk: &Desk, arguments: &[&str]) -> Run {
    desk.tapctl_without(&["AWS_REGION"], arguments)
}

/// The first thing that is refused, without the line it stands on.
fn refusal(run: &Run) -> String {
    let first = run.stderr.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_else(|| panic!("{run}"));
    match first.split_once(": ") {
        Some((place, rest)) if place.starts_with("tapctl.toml:") => rest.to_owned(),
        _ => first.to_owned(),
    }
}

fn of_plan(desk: &Desk, plan: &Value) -> Outcome {
    let steps: Vec<&Value> = plan.as_array().expect("steps").iter().filter(|step| step["action"] != "keep").collect();
    let nodes = nodes(&steps);
    let is = |step: &Value, actions: &[&str]| actions.iter().any(|action| step["action"] == *action);
    let goes = |step: &&&Value| is(step, &["delete", "replace"]);
    let goes_with = steps.iter().filter(goes).any(|step| step["stateful"] == true || step["precious"].is_string());
    let loses = goes_with || steps.iter().any(|step| step["loses"].is_string());
    let is_told = |what: &str| steps.iter().any(|step| step[what].is_string());
    let questions = usize::from(loses) + usize::from(is_told("one_way")) + usize::from(is_told("outage"));
    if questions > 0 {
        return Outcome::Asked { of: asked(desk, questions), nodes };
    }
    let how = match () {
        () if steps.iter().all(|step| is(step, &["create", "adopt"])) => "adds",
        () if steps.iter().all(|step| is(step, &["delete", "forget"])) => "removes",
        () => "in place",
    };
    Outcome::Made { how, nodes }
}

/// What an apply says to each who has not meant it. The last flag is never given, so that nothing is made.
fn asked(desk: &Desk, questions: usize) -> String {
    let mut flags: Vec<String> = Vec::new();
    let mut told = Vec::new();
    for _ in 0..questions {
        let given = [&["apply", "--yes"][..], &flags.iter().map(String::as_str).collect::<Vec<_>>()].concat();
        let run = tapctl(desk, &given).expect(1);
        let (what, more) = question(&run).unwrap_or_else(|| panic!("{run}"));
        told.push(format!("{what} (`{}`)", more.join(" ")));
        flags.extend(more);
    }
    told.join("; ")
}

/// What a refused apply says that the plan would do, and the flags that allow it.
pub fn question(run: &Run) -> Option<(String, Vec<String>)> {
    let mut lines = run.stderr.lines().skip_while(|line| !line.starts_with("error: this plan would "));
    let what = lines.next()?.strip_prefix("error: this plan would ")?.strip_suffix("; nothing was changed")?;
    let flags = lines.next()?.strip_prefix("hint: if that is meant, add ")?;
    Some((format!("would {what}"), flags.split(' ').map(str::to_owned).collect()))
}

fn nodes(steps: &[&Value]) -> String {
    let name =
        |step: &&Value| format!("{} {}", step["action"].as_str().unwrap_or("?"), step["node"].as_str().unwrap_or("?"));
    let mut named: Vec<String> = steps.iter().take(NAMED).map(name).collect();
    if steps.len() > NAMED {
        named.push(format!("{} more", steps.len() - NAMED));
    }
    named.join(", ")
}

/// Whatever an apply has done to a node was planned for it, and what was planned to be made or removed was.
pub fn does_what_was_planned(plan: &Value, applied: &Run) {
    let planned = |node: &str| -> Vec<&str> {
        let steps = plan.as_array().expect("steps").iter().filter(|step| step["node"] == node);
        steps.filter_map(|step| step["action"].as_str()).collect()
    };
    let done: Vec<(&str, &str)> = applied.stderr.lines().filter_map(done).collect();
    for (word, node) in &done {
        let may: &[&str] = match *word {
            "created" => &["create", "replace"],
            "adopted" => &["create", "adopt"],
            "updated" => &["update"],
            "restarted" => &["keep", "update"],
            "replaced" => &["replace"],
            // What was made for as long as the change took.
            "deleted" if *node == "listener-rule-next" => &["create"],
            "deleted" => &["delete", "replace"],
            "forgotten" => &["delete", "forget"],
            _ => panic!("{node} was {word}\n{applied}"),
        };
        assert!(
            planned(node).iter().any(|action| may.contains(action)),
            "{word} {node}: {:?}\n{applied}",
            planned(node)
        );
    }
    for step in plan.as_array().expect("steps") {
        let (action, node) = (step["action"].as_str().unwrap_or_default(), step["node"].as_str().unwrap_or_default());
        // An update that waits to know a value may find it as it was.
        let must = !["keep", "update"].contains(&action);
        assert!(!must || done.iter().any(|(_, other)| *other == node), "{action} {node} was not done\n{applied}");
    }
}

/// What a line of progress says was done, and with which node: `[ 31.9s] adopted   api-account (apigateway.account) in 0.7s`.
fn done(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_once("] ")?.1.split_whitespace();
    let (word, node) = (words.next()?, words.next()?);
    let ends = line.rsplit_once(") in ")?.1.ends_with('s');
    // What was replaced keeps its node's name before the @ until it is gone.
    (ends && !word.ends_with(':')).then_some((word, node.split('@').next()?))
}
