//! S4: secrets. The database's own is made, kept and rotated by RDS; see `data`.

use super::keys::Keys;
use super::{Builder, Class};
use crate::config::IngressMode;
use crate::resource::Tags;
use crate::resources::elasticache::NOT_IN_AUTH_TOKENS;
use crate::resources::origin_key::NOT_IN_ORIGIN_KEYS;
use crate::resources::secretsmanager::{Secret, SecretValue};
use crate::stack::Node;

/// Characters of the cache's token; ElastiCache takes 16-128.
const TOKEN_LENGTH: i32 = 64;
/// Characters of the key that the API shows; a listener's rule takes 128 at most, and does not tell small letters from
/// capital ones.
const ORIGIN_KEY_LENGTH: i32 = 64;

pub(super) struct Secrets {
    pub third_party: Node<Secret>,
    pub cache: Node<Secret>,
    /// Of the key by which a load balancer that faces the internet knows the API.
    pub origin: Option<Node<Secret>>,
}

impl Builder<'_> {
    pub(super) fn secrets(&mut self, keys: &Keys) -> Secrets {
        self.layer("secretsmanager", Class::Restricted);
        let generated =
            |length, exclude: &str| SecretValue::Generated { length, exclude_characters: exclude.to_owned() };
        let token = generated(TOKEN_LENGTH, NOT_IN_AUTH_TOKENS);
        let origin = (self.config.ingress.mode == IngressMode::Public).then(|| {
            let value = generated(ORIGIN_KEY_LENGTH, NOT_IN_ORIGIN_KEYS);
            self.secret("origin", "The key that the API shows to the load balancer", keys, value)
        });
        Secrets {
            third_party: self.secret(
                "third-party",
                "Credentials and API keys of third parties; people set the value",
                keys,
                SecretValue::SetByPeople,
            ),
            cache: self.secret("cache", "The token that the cache asks its clients for", keys, token),
            origin,
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
