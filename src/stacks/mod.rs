//! The systems tapctl can build: functions from settings to a stack.

mod ahead;
pub mod behind;
mod builder;
pub mod copies;
mod cores;
pub mod data_pipeline;
mod gateway;
mod handover;
mod network;
mod offers;
pub mod onlookers;
pub mod outdated;
mod place;
mod policy;
pub mod quotas;
mod rations;
mod recorded;
pub mod standing;
mod stream;
pub mod student_records;
pub mod surroundings;
mod tasks;
mod waf;
mod watch;
mod zones;

use crate::config::{Config, StackKind};
use crate::stack::Stack;

pub use place::Place;
pub use recorded::Recorded;

/// The stack that the settings ask for, at this place.
pub fn build(config: &Config, place: &Place) -> Stack {
    match config.stack {
        StackKind::StudentRecords => student_records::build(config, place),
        StackKind::DataPipeline => data_pipeline::build(config, place),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::resources;

    /// Both, with all that can be asked for.
    fn both() -> [Stack; 2] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings/every-option.toml");
        let settings = std::fs::read_to_string(file).unwrap();
        let zones = ["us-east-1a", "us-east-1b", "us-east-1c"].map(str::to_owned).into();
        let (account, region, partition) = ("123456789012".to_owned(), "us-east-1".to_owned(), "aws".to_owned());
        let place = Place { account, region, partition, zones, ..Place::default() };
        [(StackKind::StudentRecords, settings.as_str()), (StackKind::DataPipeline, "")]
            .map(|(kind, settings)| build(&Config::parse("tapctl.toml", settings, "all", Some(kind)).unwrap(), &place))
    }

    /// What keeps more than this field asks for, if it says how long something is kept.
    fn keeping_more(field: &str, value: &Value) -> Option<(Value, Value)> {
        let says_how_long = field.contains("retention") || field.starts_with("expire");
        match value.as_i64().filter(|_| says_how_long) {
            Some(time) => Some((value.clone(), (time + 1).into())),
            None => (field == "backup").then(|| (false.into(), true.into())),
        }
    }

    #[test]
    fn whatever_is_kept_for_a_time_is_known_to_be_lost_by_a_shorter_one() {
        let registry = resources::registry();
        let stacks = both();
        let mut kinds = BTreeSet::new();
        for (name, entry) in stacks.iter().flat_map(|stack| &stack.nodes) {
            let facts = registry.get(entry.kind).unwrap().facts();
            for (field, value) in entry.spec.as_object().unwrap() {
                let Some((less, more)) = keeping_more(field, value) else { continue };
                let with = |value: Value| {
                    let mut spec = entry.spec.clone();
                    spec[field] = value;
                    spec
                };
                let (less, more) = (with(less), with(more));
                assert!((facts.loses)(&less, &more).is_some(), "{name} loses something by a shorter {field}");
                assert!((facts.loses)(&more, &less).is_none(), "{name} loses nothing by a longer {field}");
                kinds.insert(entry.kind);
            }
        }
        assert_eq!(kinds.len(), 7, "{kinds:?}");
    }
}
