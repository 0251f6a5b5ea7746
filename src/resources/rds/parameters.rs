//! What the two kinds of parameter groups have in common: which parameters to set, and how AWS takes them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_rds::types::{ApplyMethod, Filter, Parameter};

use crate::aws::tags;

/// AWS's limit for one call.
pub(super) const A_CALL: usize = 20;

/// What turns a group's parameters into the wanted ones.
pub(super) struct Changes {
    /// To set.
    pub(super) set: Vec<Parameter>,
    /// To set back to the engine's default.
    pub(super) reset: Vec<Parameter>,
}

/// Compares the parameters that are set with those that should be; `all` are those the engine has.
pub(super) fn changes(want: &BTreeMap<String, String>, live: &BTreeMap<String, String>, all: &[Parameter]) -> Changes {
    let (set, reset) = tags::changes(want, live);
    let dynamic = all.iter().filter(|parameter| parameter.apply_type() == Some("dynamic"));
    let dynamic: BTreeSet<&str> = dynamic.filter_map(Parameter::parameter_name).collect();
    let named = |name: &str| Parameter::builder().parameter_name(name).apply_method(method(&dynamic, name));
    Changes {
        set: pairs_first(set.iter().map(|(name, value)| named(name).parameter_value(value).build()).collect()),
        reset: reset.iter().map(|name| named(name).build()).collect(),
    }
}

/// The parameters with their values: those that somebody set, and those that are asked for. AWS does not call a value set
/// that equals the engine's own, whoever set it.
pub(super) fn values(set: Vec<Parameter>, asked: Vec<Parameter>) -> BTreeMap<String, String> {
    let all = asked.into_iter().chain(set);
    all.filter_map(|parameter| parameter.parameter_name.zip(parameter.parameter_value)).collect()
}

/// Which of a group's parameters AWS is to tell.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which<'a> {
    /// All there are.
    All,
    /// Those whose values somebody set, and that differ from the engine's own.
    Set,
    /// Those of these names, whoever set them.
    Named(&'a BTreeMap<String, String>),
}

impl Which<'_> {
    /// The source that AWS is asked for.
    pub(super) fn source(self) -> Option<String> {
        matches!(self, Which::Set).then(|| "user".to_owned())
    }

    /// The filter that AWS is asked with; `parameter-name` is the only one that it has.
    pub(super) fn filters(self) -> Option<Vec<Filter>> {
        let Which::Named(wanted) = self else { return None };
        let names = Some(wanted.keys().cloned().collect());
        Some(vec![Filter::builder().name("parameter-name").set_values(names).build()])
    }
}

/// AWS refuses `immediate` for a static parameter.
fn method(dynamic: &BTreeSet<&str>, name: &str) -> ApplyMethod {
    match dynamic.contains(name) {
        true => ApplyMethod::Immediate,
        false => ApplyMethod::PendingReboot,
    }
}

/// Puts the parameters that AWS checks against each other (the TLS versions) into the first call, together.
fn pairs_first(mut parameters: Vec<Parameter>) -> Vec<Parameter> {
    parameters.sort_by_key(|parameter| !parameter.parameter_name().is_some_and(|name| name.starts_with("ssl_")));
    parameters
}
