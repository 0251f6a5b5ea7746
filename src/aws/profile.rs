//! The profiles of `~/.aws/config` and `~/.aws/credentials`: what tapctl itself asks of them. Credentials are the SDK's.

use std::borrow::Cow;

use aws_config::profile::{self, Profile, ProfileSet};
use aws_sdk_sts::config::Credentials;
use aws_types::os_shim_internal::{Env, Fs};

use crate::error::{Class, Fault, Result};

/// Selects a profile.
const VARIABLE: &str = "AWS_PROFILE";

/// All profiles, one of them selected.
pub struct Profiles {
    set: ProfileSet,
    /// Who selected one by name: `--profile`, `AWS_PROFILE`.
    by: Option<&'static str>,
}

/// A role that a profile assumes.
pub(super) struct Role {
    /// The profile.
    pub(super) profile: String,
    pub(super) arn: String,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) seconds: Option<i32>,
    /// The device whose code AWS asks for.
    pub(super) mfa: Option<String>,
}

/// Where the credentials come from that assume the first role.
pub(super) enum Base {
    /// This profile, which assumes none.
    Profile(String),
    /// These, which stand in a profile that assumes a role too.
    Keys(Credentials),
}

impl Profiles {
    /// Reads them; `named` is the one that the command line selects.
    ///
    /// # Errors
    /// Where a file cannot be read or understood, or the named profile is not there.
    pub async fn load(named: Option<&str>) -> Result<Profiles> {
        let choice = named.map(|name| Cow::Owned(name.to_owned()));
        let set = profile::load(&Fs::real(), &Env::real(), &Default::default(), choice)
            .await
            .map_err(|error| Fault::new(Class::Credentials, "NoCredentials", super::faults::chain(&error)))?;
        let from_variable = std::env::var_os(VARIABLE).map(|_| VARIABLE);
        let by = if named.is_some() { Some("--profile") } else { from_variable };
        let profiles = Profiles { set, by };
        match named {
            Some(_) => profiles.missing().map_or(Ok(profiles), Err),
            None => Ok(profiles),
        }
    }

    /// The selected profile, for messages: `profile campus`.
    pub fn selected(&self) -> String {
        format!("profile {}", self.set.selected_profile())
    }

    /// That the selected profile does not exist, and which do.
    pub(super) fn missing(&self) -> Option<Fault> {
        let (by, name) = (self.by?, self.set.selected_profile());
        if self.set.get_profile(name).is_some() {
            return None;
        }
        let mut known: Vec<&str> = self.set.profiles().collect();
        known.sort_unstable();
        let (known, choice) = match known.is_empty() {
            true => ("there are none".to_owned(), ""),
            false => (format!("there are {}", known.join(", ")), "name one of these, or "),
        };
        let text = format!("{by} is {name:?}, and ~/.aws/config and ~/.aws/credentials have no such profile; {known}");
        let advice = format!("{choice}make it with `aws configure --profile {name}`");
        Some(Fault::new(Class::Credentials, "NoSuchProfile", text).with_advice(advice))
    }

    /// A setting of the selected profile.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.set.get(key)
    }

    fn profile(&self, name: &str) -> Option<&Profile> {
        self.set.get_profile(name)
    }

    /// The region of the selected profile, or else of the one whose credentials it uses, with the name of that profile.
    pub fn region(&self) -> Option<(String, String)> {
        let mut visited = Vec::new();
        let mut name = self.set.selected_profile();
        while !visited.contains(&name) {
            let profile = self.profile(name)?;
            if let Some(region) = profile.get("region") {
                return Some((region.to_owned(), format!("profile {name}")));
            }
            visited.push(name);
            name = profile.get("source_profile")?;
        }
        None
    }

    /// How a person logs in to the selected profile.
    pub(super) fn login_hint(&self) -> Option<String> {
        let name = self.set.selected_profile();
        let option = if name == "default" { String::new() } else { format!(" --profile {name}") };
        let mut visited = Vec::new();
        let mut next = Some(name);
        while let Some(profile) = next.filter(|name| !visited.contains(name)).and_then(|name| self.profile(name)) {
            let option = if profile.name() == name { option.clone() } else { format!(" --profile {}", profile.name()) };
            if profile.get("sso_session").or(profile.get("sso_start_url")).is_some() {
                return Some(format!("run `aws sso login{option}`, then run again"));
            }
            if profile.get("login_session").is_some() {
                return Some(format!("run `aws login{option}`, then run again"));
            }
            visited.push(profile.name());
            next = profile.get("source_profile");
        }
        None
    }

    /// The roles that the selected profile assumes one from the other, the first first, where one of them asks for an MFA
    /// code. The SDK assumes roles without, and has no way to ask.
    pub(super) fn roles_with_mfa(&self) -> Option<(Base, Vec<Role>)> {
        let mut roles: Vec<Role> = Vec::new();
        let mut name = self.set.selected_profile();
        let base = loop {
            let profile = self.profile(name)?;
            let keys = keys(profile);
            match (role(profile), profile.get("source_profile")) {
                (Some(_), _) if !roles.is_empty() && keys.is_some() => break Base::Keys(keys?),
                (None, _) => break Base::Profile(name.to_owned()),
                // Who has no source profile has credentials of the machine, which no person stands behind.
                (Some(_), None) => return None,
                (Some(role), Some(source)) => {
                    roles.push(role);
                    if source == name {
                        break Base::Keys(keys?);
                    }
                    if roles.iter().any(|role| role.profile == source) {
                        return None;
                    }
                    name = source;
                }
            }
        };
        roles.reverse();
        roles.iter().any(|role| role.mfa.is_some()).then_some((base, roles))
    }
}

fn role(profile: &Profile) -> Option<Role> {
    let get = |key: &str| profile.get(key).map(str::to_owned);
    // A role of a web identity is no role that is assumed from another.
    if profile.get("web_identity_token_file").is_some() {
        return None;
    }
    Some(Role {
        profile: profile.name().to_owned(),
        arn: get("role_arn")?,
        external_id: get("external_id"),
        session_name: get("role_session_name"),
        seconds: profile.get("duration_seconds").and_then(|seconds| seconds.parse().ok()),
        mfa: get("mfa_serial"),
    })
}

fn keys(profile: &Profile) -> Option<Credentials> {
    let (id, secret) = (profile.get("aws_access_key_id")?, profile.get("aws_secret_access_key")?);
    Some(Credentials::new(id, secret, profile.get("aws_session_token").map(str::to_owned), None, "profile"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONFIG: &str = "
[profile base]
region = eu-west-1
[profile keys]
aws_access_key_id = AKID
aws_secret_access_key = hush
[profile admin]
role_arn = arn:aws:iam::123456789012:role/admin
source_profile = base
mfa_serial = arn:aws:iam::123456789012:mfa/somebody
duration_seconds = 3600
[profile deeper]
role_arn = arn:aws:iam::210987654321:role/deeper
source_profile = admin
[profile selfish]
role_arn = arn:aws:iam::123456789012:role/selfish
source_profile = selfish
mfa_serial = arn:aws:iam::123456789012:mfa/somebody
aws_access_key_id = AKID
aws_secret_access_key = hush
[profile plain]
role_arn = arn:aws:iam::123456789012:role/plain
source_profile = keys
[profile round]
role_arn = arn:aws:iam::123456789012:role/round
source_profile = about
mfa_serial = m
[profile about]
role_arn = arn:aws:iam::123456789012:role/about
source_profile = round
[profile sso]
sso_session = corp
[profile browser]
login_session = arn:aws:iam::123456789012:user/somebody
[profile via-sso]
role_arn = arn:aws:iam::123456789012:role/via
source_profile = sso
";

    async fn select(name: &str) -> Profiles {
        let fs = Fs::from_slice(&[("/c", CONFIG)]);
        let env = Env::from_slice(&[("AWS_CONFIG_FILE", "/c"), ("HOME", "/h"), ("AWS_PROFILE", name)]);
        let set = profile::load(&fs, &env, &Default::default(), None).await.unwrap();
        Profiles { set, by: Some("AWS_PROFILE") }
    }

    #[tokio::test]
    async fn a_profile_has_the_region_of_the_one_it_stands_on() {
        for (name, by) in [("base", "profile base"), ("admin", "profile base"), ("deeper", "profile base")] {
            assert_eq!(select(name).await.region(), Some(("eu-west-1".to_owned(), by.to_owned())));
        }
        for name in ["keys", "round", "nosuch"] {
            assert_eq!(select(name).await.region(), None, "{name}");
        }
    }

    #[tokio::test]
    async fn a_profile_that_is_not_there_is_told_with_those_that_are() {
        assert!(select("base").await.missing().is_none());
        let text = select("bsae").await.missing().unwrap().message;
        assert_eq!(
            text,
            "AWS_PROFILE is \"bsae\", and ~/.aws/config and ~/.aws/credentials have no such profile; there are about, admin, \
             base, browser, deeper, keys, plain, round, selfish, sso, via-sso"
        );
    }

    #[tokio::test]
    async fn the_way_to_log_in_is_that_of_the_profile() {
        let hint = async |name: &str| select(name).await.login_hint();
        assert_eq!(hint("sso").await.as_deref(), Some("run `aws sso login --profile sso`, then run again"));
        assert_eq!(hint("via-sso").await.as_deref(), Some("run `aws sso login --profile sso`, then run again"));
        assert_eq!(hint("browser").await.as_deref(), Some("run `aws login --profile browser`, then run again"));
        assert_eq!((hint("keys").await, hint("round").await), (None, None));
    }

    #[tokio::test]
    async fn roles_that_ask_for_a_code_are_found_with_what_assumes_them() {
        let (base, roles) = select("admin").await.roles_with_mfa().unwrap();
        assert!(matches!(base, Base::Profile(name) if name == "base"));
        assert_eq!((roles.len(), roles[0].seconds), (1, Some(3600)));
        let (_, roles) = select("deeper").await.roles_with_mfa().unwrap();
        let names: Vec<&str> = roles.iter().map(|role| role.profile.as_str()).collect();
        assert_eq!((names, roles[1].mfa.is_none()), (vec!["admin", "deeper"], true));
        let (base, roles) = select("selfish").await.roles_with_mfa().unwrap();
        assert!(matches!(base, Base::Keys(keys) if keys.access_key_id() == "AKID") && roles.len() == 1);
        for name in ["plain", "round", "base", "sso", "nosuch"] {
            assert!(select(name).await.roles_with_mfa().is_none(), "{name}");
        }
    }
}
