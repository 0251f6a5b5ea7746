//! What should exist: nodes, and the references between them that are the edges.

use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::error::{Fault, Result};
use crate::resource::{Owner, Resource, Tags};

const REF: &str = "$ref";
const JOIN: &str = "$join";

/// A value known now, or one that another node will give.
///
/// Serialises as the value, as `{"$ref": "vpc.vpc_id"}`, or as `{"$join": [part, …]}`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Out<T> {
    /// The value.
    Known(T),
    /// Output `field` of node `node`, as `node.field`.
    Ref(String),
    /// The concatenation of several values, each a text or a reference.
    Join(Vec<Out<String>>),
}

impl<T> Out<T> {
    /// The value.
    ///
    /// # Errors
    /// Where it is still a reference: the engine resolves every spec before it calls a kind to create.
    pub fn get(&self) -> Result<&T> {
        match self {
            Out::Known(value) => Ok(value),
            Out::Ref(reference) => Err(Fault::invalid(format!("the output {reference} is not known yet"))),
            Out::Join(_) => Err(Fault::invalid("a joined value is not known yet")),
        }
    }

    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        self.get().ok()
    }
}

impl Out<String> {
    /// The concatenation of texts and outputs, as for an ARN that contains an id.
    pub fn join(parts: impl IntoIterator<Item = Out<String>>) -> Self {
        Out::Join(parts.into_iter().collect())
    }

    /// The form in which it stands inside a JSON document, such as a policy.
    pub fn json(&self) -> Value {
        match self {
            Out::Known(value) => json!(value),
            Out::Ref(reference) => json!({ REF: reference }),
            Out::Join(parts) => json!({ JOIN: parts.iter().map(Out::json).collect::<Vec<_>>() }),
        }
    }
}

impl<T> From<T> for Out<T> {
    fn from(value: T) -> Self {
        Out::Known(value)
    }
}

impl From<&str> for Out<String> {
    fn from(value: &str) -> Self {
        Out::Known(value.to_owned())
    }
}

impl<T: Serialize> Serialize for Out<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Out::Known(value) => value.serialize(serializer),
            Out::Ref(reference) => json!({ REF: reference }).serialize(serializer),
            Out::Join(parts) => json!({ JOIN: parts.iter().map(Out::json).collect::<Vec<_>>() }).serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Out<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if let Some(reference) = reference(&value) {
            return Ok(Out::Ref(reference.to_owned()));
        }
        if let Some(parts) = joined(&value) {
            return parts
                .iter()
                .map(|part| Out::deserialize(part).map_err(D::Error::custom))
                .collect::<Result<_, _>>()
                .map(Out::Join);
        }
        T::deserialize(value).map(Out::Known).map_err(D::Error::custom)
    }
}

fn reference(value: &Value) -> Option<&str> {
    match value.as_object() {
        Some(object) if object.len() == 1 => object.get(REF)?.as_str(),
        _ => None,
    }
}

fn joined(value: &Value) -> Option<&Vec<Value>> {
    match value.as_object() {
        Some(object) if object.len() == 1 => object.get(JOIN)?.as_array(),
        _ => None,
    }
}

/// The nodes a spec refers to.
pub fn edges(spec: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    walk(spec, &mut |reference| {
        found.insert(node_of(reference).to_owned());
    });
    found
}

fn walk(value: &Value, visit: &mut impl FnMut(&str)) {
    if let Some(reference) = reference(value) {
        return visit(reference);
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => fields.values().for_each(|field| walk(field, visit)),
        _ => {}
    }
}

fn node_of(reference: &str) -> &str {
    reference.split('.').next().unwrap_or(reference)
}

/// The spec with every reference replaced by what `outputs` gives for it. What it does not know stays a reference.
pub fn resolve(spec: &Value, outputs: &impl Fn(&str) -> Option<Value>) -> Value {
    if let Some(reference) = reference(spec) {
        let (node, field) = reference.split_once('.').unwrap_or((reference, ""));
        let value = outputs(node).and_then(|all| all.get(field).cloned());
        return value.filter(|value| !value.is_null()).unwrap_or_else(|| spec.clone());
    }
    if let Some(parts) = joined(spec) {
        let parts: Vec<Value> = parts.iter().map(|part| resolve(part, outputs)).collect();
        return match parts.iter().map(Value::as_str).collect::<Option<Vec<_>>>() {
            Some(texts) => Value::String(texts.concat()),
            None => json!({ JOIN: parts }),
        };
    }
    match spec {
        Value::Array(items) => items.iter().map(|item| resolve(item, outputs)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, field)| (key.clone(), resolve(field, outputs)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        other => other.clone(),
    }
}

/// Whether any reference is left.
pub fn is_resolved(spec: &Value) -> bool {
    let mut resolved = true;
    walk(spec, &mut |_| resolved = false);
    resolved
}

/// A place in a stack, typed by the kind that stands there.
pub struct Node<R> {
    name: String,
    kind: PhantomData<R>,
}

impl<R> Clone for Node<R> {
    fn clone(&self) -> Self {
        Node { name: self.name.clone(), kind: PhantomData }
    }
}

impl<R: Resource> Node<R> {
    /// Its name in plans, states and tags.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A reference to one of the kind's outputs. Kinds offer these by name; use those.
    pub fn out<T>(&self, field: &str) -> Out<T> {
        Out::Ref(format!("{}.{field}", self.name))
    }
}

/// One node as the engine sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The kind's name.
    pub kind: &'static str,
    /// The spec, with its references.
    pub spec: Value,
    /// The nodes it refers to.
    pub edges: BTreeSet<String>,
}

/// What a run makes before it looks again at what else there is to do: some changes are only known, or only harmless, once
/// others stand.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// Only these nodes and what they stand on; empty: all.
    pub target: Vec<String>,
    /// Not these, whatever stands on them.
    pub exclude: Vec<String>,
    /// In which order all of it is done, for a person who is asked; empty where that goes without saying.
    pub order: String,
    /// What is said when it is done and the next turn begins.
    pub then: String,
    /// Whether what was changed takes effect only after a while that AWS does not tell of, so that the next turn waits.
    pub settles: bool,
    /// What should exist after the last turn, where that is not the stack of this one.
    pub end: Option<Box<Stack>>,
}

/// What should exist.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The stack's name, as in the ownership tags.
    pub name: String,
    /// The environment's name, as in the ownership tags.
    pub env: String,
    /// The region, as in the ownership tags.
    pub region: String,
    /// Every node by name.
    pub nodes: BTreeMap<String, Entry>,
    /// What the stack as a whole gives: a name, and the value or the reference it comes from.
    pub outputs: BTreeMap<String, Value>,
    /// What comes first, where not all is done in one go.
    pub turn: Option<Turn>,
    before: String,
    after: String,
    tags: Tags,
}

impl Stack {
    /// An empty stack.
    pub fn new(name: &str, env: &str, region: &str) -> Self {
        Stack {
            name: name.to_owned(),
            env: env.to_owned(),
            region: region.to_owned(),
            nodes: BTreeMap::new(),
            outputs: BTreeMap::new(),
            turn: None,
            before: String::new(),
            after: format!("-{env}"),
            tags: Tags::new(),
        }
    }

    /// Sets what stands before and after the node in the `Name` tags of nodes without a name of their own.
    pub fn named(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        (self.before, self.after) = (before.into(), after.into());
        self
    }

    /// Sets tags that every node added from now on carries, over those set before.
    pub fn tag<K: Into<String>>(&mut self, tags: impl IntoIterator<Item = (K, String)>) {
        self.tags.extend(tags.into_iter().map(|(key, value)| (key.into(), value)));
    }

    /// Adds a node. Its edges are the references in its spec; a spec with a `tags` field gets the stack's tags, a
    /// `Name` and the ownership tags, under those the spec sets itself.
    ///
    /// # Panics
    /// On a second node of the same name, a reference to a node that is not there, or a spec that is not JSON: each
    /// is a mistake in a stack's code that no input can cause, and every stack's tests build it.
    #[expect(clippy::expect_used, reason = "a spec is plain data, which is always JSON")]
    pub fn add<R: Resource>(&mut self, name: impl Into<String>, spec: R) -> Node<R> {
        let name = name.into();
        let mut spec = serde_json::to_value(spec).expect("a spec is plain data");
        self.fill_tags(&name, &mut spec);
        let edges = edges(&spec);
        for edge in &edges {
            assert!(self.nodes.contains_key(edge), "{name} refers to {edge}, which is not in the stack");
        }
        let before = self.nodes.insert(name.clone(), Entry { kind: R::KIND, spec, edges });
        assert!(before.is_none(), "the stack has two nodes named {name}");
        Node { name, kind: PhantomData }
    }

    fn fill_tags(&self, node: &str, spec: &mut Value) {
        let name = spec
            .get("name")
            .and_then(Value::as_str)
            .map_or_else(|| format!("{}{node}{}", self.before, self.after), str::to_owned);
        let Some(tags) = spec.get_mut("tags").and_then(Value::as_object_mut) else { return };
        let mut all = self.tags.clone();
        all.entry("Name".to_owned()).or_insert(name);
        all.extend(self.owner(node, "").tags());
        for (key, value) in all {
            tags.entry(key).or_insert(value.into());
        }
    }

    /// In which order all of it is done, where that does not go without saying.
    pub fn order(&self) -> Option<&str> {
        self.turn.as_ref().map(|turn| turn.order.as_str()).filter(|order| !order.is_empty())
    }

    /// Declares an output of the stack as a whole.
    pub fn output(&mut self, name: &str, value: Out<String>) {
        self.outputs.insert(name.to_owned(), value.json());
    }

    /// Who calls for this node are made for.
    pub fn owner(&self, node: &str, attempt: &str) -> Owner {
        Owner {
            stack: self.name.clone(),
            env: self.env.clone(),
            region: self.region.clone(),
            node: node.to_owned(),
            attempt: attempt.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_survives_a_round_trip_and_is_an_edge() {
        let out: Out<String> = Out::Ref("vpc.vpc_id".into());
        let value = serde_json::to_value(&out).unwrap();
        assert_eq!(value, json!({"$ref": "vpc.vpc_id"}));
        assert_eq!(Out::<String>::deserialize(&value).unwrap(), out);
        assert_eq!(edges(&json!({"a": [value]})), BTreeSet::from(["vpc".to_owned()]));
    }

    #[test]
    fn a_join_resolves_to_one_text_once_every_part_is_known() {
        let join = Out::join(["arn:".into(), Out::Ref("k.id".into()), "/*".into()]).json();
        assert_eq!(edges(&join), BTreeSet::from(["k".to_owned()]));
        let unknown = resolve(&join, &|_| None);
        assert!(!is_resolved(&unknown));
        let known = resolve(&unknown, &|_| Some(json!({"id": "42"})));
        assert_eq!(known, json!("arn:42/*"));
    }

    #[test]
    fn an_output_that_is_null_is_not_known() {
        assert!(!is_resolved(&resolve(&json!({"$ref": "a.b"}), &|_| Some(json!({"b": null})))));
    }
}
