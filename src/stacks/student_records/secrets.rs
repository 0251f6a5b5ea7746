//! S4: secrets. The database's own is made, kept and rotated by RDS; see `data`.

use super::keys::Keys;
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::elasticache::NOT_IN_AUTH_TOKENS;
use crate::resources::secretsmanager::{Secret, SecretValue};
use crate::stack::Node;

/// Characters of the cache's token; ElastiCache takes 16-128.
const TOKEN_LENGTH: i32 = 64;

pub(super) struct Secrets {
    pub third_party: Node<Secret>,
    pub cache: Node<Secret>,
}

impl Builder<'_> {
    pub(super) fn secrets(&mut self, keys: &Keys) -> Secrets {
        self.layer("secretsmanager", Class::Restricted);
        let token = SecretValue::Generated { length: TOKEN_LENGTH, exclude_characters: NOT_IN_AUTH_TOKENS.into() };
        Secrets {
            third_party: self.secret(
                "third-party",
                "Credentials and API keys of third parties; people set the value",
                keys,
                SecretValue::SetByPeople,
            ),
            cache: self.secret("cache", "The token that the cache asks its clients for", keys, token),
        }
    }

    /// The name ends in a word of its own: AWS reads a name that ends in a hyphen and six characters as one with its
    /// random suffix, which an environment of six letters would make of ours.
    fn secret(&mut self, thing: &str, description: &str, keys: &Keys, value: SecretValue) -> Node<Secret> {
        let secret = Secret {
            name: format!("{}/credentials", self.name(thing)),
            description: description.to_owned(),
            kms_key_id: keys.secrets.arn(),
            value,
            recovery_window_days: self.config.profile().secret_recovery_days,
            tags: Tags::new(),
        };
        self.stack.add(format!("secret-{thing}"), secret)
    }
}
