//! The key that an API shows to the load balancer it calls, and that the load balancer asks for: how one that faces the
//! internet tells the API from everybody else. Its values stand in a secret and go from there into requests to AWS: they
//! are compared in memory, and specs name the versions that hold them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::prelude::*;
use super::secretsmanager;
use crate::error::Class;

/// The header it is sent in. What stands in it is taken for a key wherever it is found, and is never told.
pub(super) const HEADER: &str = "X-Origin-Key";
/// In the place of a version that has a value of nobody's.
const NOBODYS: &str = "none of the secret";
/// In the place of a value.
const CUT: &str = "[cut]";

/// What a generated key must exclude: all but letters, digits, `-` and `_`. `*` and `?` would stand for other values in a
/// condition, and a quote would end the text that a mapping sends.
pub const NOT_IN_ORIGIN_KEYS: &str = "!\"#$%&'()*+,./:;<=>?@[\\]^`{|}~";

/// A key, by the secret that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginKey {
    /// The secret's ARN. Empty where only AWS is known to have a key.
    pub secret_arn: Out<String>,
    /// Which of its versions: the one that is sent, or all that are taken.
    pub version_ids: Out<BTreeSet<String>>,
}

impl OriginKey {
    /// What these values are of: versions of the secret that `wanted` names, as far as they can be told.
    pub(super) fn read(wanted: Option<&OriginKey>, values: &Values, found: &[&str]) -> OriginKey {
        OriginKey {
            secret_arn: wanted.map_or_else(|| "".into(), |key| key.secret_arn.clone()),
            version_ids: Out::Known(found.iter().map(|value| values.version_of(value)).collect()),
        }
    }

    /// The values, to go into one request to AWS and nowhere else.
    pub(super) fn values<'a>(&self, values: &'a Values) -> Result<Vec<&'a str>> {
        self.version_ids.get()?.iter().map(|version| values.of(version)).collect()
    }
}

/// What the versions of a secret hold. It cannot be printed.
#[derive(Clone, Default)]
pub(super) struct Values(Rc<BTreeMap<String, String>>);

impl Values {
    /// Of every version of the secret that has a label; none where there is no such secret. Read once in a pass.
    pub(super) async fn of_secret(cx: &Cx<'_>, key: Option<&OriginKey>) -> Result<Values> {
        let Some(secret) = key.and_then(|key| key.secret_arn.known()).filter(|arn| !arn.is_empty()) else {
            return Ok(Values::default());
        };
        let shared = format!("secretsmanager.values {secret}");
        Ok(Values(cx.pass.shared(&shared, || secretsmanager::values(cx, secret)).await?))
    }

    fn version_of(&self, value: &str) -> String {
        let known = self.0.iter().find(|(_, known)| known.as_str() == value);
        known.map_or(NOBODYS, |(version, _)| version.as_str()).to_owned()
    }

    fn of(&self, version: &str) -> Result<&str> {
        let lacking = || Fault::new(Class::NotYet, "SecretNotVisible", format!("version {version} cannot be read yet"));
        self.0.get(version).map(String::as_str).ok_or_else(lacking)
    }

    /// A text of AWS's that may quote what it was sent, without the values.
    pub(super) fn cut_out_of(&self, text: &str) -> String {
        self.0.values().fold(text.to_owned(), |text, value| text.replace(value.as_str(), CUT))
    }

    /// The same of what AWS answered to a request that held one.
    pub(super) fn cut_out_of_fault(&self, fault: impl Into<Fault>) -> Fault {
        let fault = fault.into();
        Fault { message: self.cut_out_of(&fault.message), ..fault }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Values as a secret has them.
    pub(in crate::resources) fn values(all: &[(&str, &str)]) -> Values {
        Values(Rc::new(all.iter().map(|(version, value)| ((*version).to_owned(), (*value).to_owned())).collect()))
    }

    /// A key as a spec has it.
    pub(in crate::resources) fn key(versions: &[&str]) -> OriginKey {
        let version_ids = Out::Known(versions.iter().map(|version| (*version).to_owned()).collect());
        OriginKey { secret_arn: "arn:aws:secretsmanager:secret".into(), version_ids }
    }

    #[test]
    fn values_are_told_by_their_versions_only() {
        let values = values(&[("v1", "hush-1"), ("v2", "hush-2")]);
        assert_eq!(OriginKey::read(Some(&key(&["v1"])), &values, &["hush-2"]), key(&["v2"]));
        let strange = OriginKey::read(Some(&key(&["v1"])), &values, &["hush-1", "made by hand"]);
        assert_eq!(strange, key(&["v1", NOBODYS]));
        assert_eq!(key(&["v1", "v2"]).values(&values).unwrap(), ["hush-1", "hush-2"]);
        assert_eq!(key(&["v3"]).values(&values).unwrap_err().class, Class::NotYet);
        let fault = Fault::invalid("Condition value 'hush-1' is not valid");
        assert_eq!(values.cut_out_of_fault(fault).message, "Condition value '[cut]' is not valid");
    }

    #[test]
    fn the_characters_left_to_a_key_stand_for_themselves() {
        let symbols = (b'!'..=b'~').map(char::from).filter(|c| !c.is_ascii_alphanumeric());
        let left: String = symbols.filter(|c| !NOT_IN_ORIGIN_KEYS.contains(*c)).collect();
        assert_eq!(left, "-_");
    }
}
