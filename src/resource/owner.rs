//! Whose an object is: the tags that say so, and the token by which AWS knows one attempt to make it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Tags of an AWS object. Keys that begin with `aws:` belong to AWS and never appear here.
pub type Tags = BTreeMap<String, String>;

/// The tag that names the stack an object belongs to.
pub const TAG_STACK: &str = "tapctl:stack";
/// The tag that names the environment an object belongs to.
pub const TAG_ENV: &str = "tapctl:env";
/// The tag that names the region of the environment an object belongs to. What was made before there was this tag lacks
/// it, and is of the region of the state that records it.
pub const TAG_REGION: &str = "tapctl:region";
/// The tag that names the node an object belongs to.
pub const TAG_NODE: &str = "tapctl:node";

/// The tag that says why a snapshot was taken that somebody asked for.
pub const TAG_REASON: &str = "tapctl:reason";

/// Who a call is made for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The stack's name.
    pub stack: String,
    /// The environment's name.
    pub env: String,
    /// The environment's region: also of what is global.
    pub region: String,
    /// The node's name.
    pub node: String,
    /// Set from before a create call until the object is known; the root of its client token.
    pub attempt: String,
}

impl Owner {
    /// The four tags that say whose an object is.
    pub fn tags(&self) -> Tags {
        [(TAG_STACK, &self.stack), (TAG_ENV, &self.env), (TAG_REGION, &self.region), (TAG_NODE, &self.node)]
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .into()
    }

    /// Whether these tags carry the ownership tags with our values. The region's may be missing.
    pub fn owns(&self, tags: &Tags) -> bool {
        let is_ours = |(key, value): (&String, &String)| match tags.get(key) {
            Some(found) => found == value,
            None => key == TAG_REGION,
        };
        self.tags().iter().all(is_ours)
    }

    /// Whether these tags name this stack, environment and region, whatever the node. The region's may be missing.
    pub fn owns_any(&self, tags: &Tags) -> bool {
        tags.get(TAG_NODE).is_some_and(|node| Owner { node: node.clone(), ..self.clone() }.owns(tags))
    }

    /// A client token of 32 hexadecimal digits: the same for every try of one attempt, so that AWS
    /// recognises a repeated create even after a crash. Fits every API that takes one (32-36 characters).
    pub fn token(&self) -> String {
        let digest = Sha256::digest(format!("{}/{}/{}/{}", self.stack, self.env, self.node, self.attempt));
        digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}
