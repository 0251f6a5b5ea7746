//! Where calls are sent to, where that is not AWS.

use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

use super::profile::Profiles;
use super::reach::{host_of, is_loopback};
use crate::error::{Class, Fault, Result};

/// Every service's endpoint, or with a service's name behind it, as `AWS_ENDPOINT_URL_S3`, that one's.
const VARIABLE: &str = "AWS_ENDPOINT_URL";
/// The same in a profile, and in a `[services]` section.
const KEY: &str = "endpoint_url";
/// What turns all of them off.
const IGNORED: (&str, &str) = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls");

/// The services that are called, as the SDK calls them.
const SERVICES: [&str; 27] = [
    "ACM",
    "API Gateway",
    "ApiGatewayV2",
    "Application Auto Scaling",
    "CloudTrail",
    "CloudWatch",
    "CloudWatch Logs",
    "Cognito Identity Provider",
    "EC2",
    "ECS",
    "EFS",
    "ElastiCache",
    "Elastic Load Balancing v2",
    "GuardDuty",
    "IAM",
    "KMS",
    "Kinesis",
    "RDS",
    "Resource Groups Tagging API",
    "S3",
    "SNS",
    "SSO",
    "SSO OIDC",
    "STS",
    "Secrets Manager",
    "Signin",
    "WAFV2",
];

/// The endpoints of a run that are not AWS's.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Of every service that has none of its own.
    all: Option<String>,
    /// Of single services.
    own: Vec<(&'static str, String)>,
}

/// Refuses endpoints of which the SDK would make something else: of no URL at all it only says so in a log nobody reads
/// and asks the real AWS, and what has no host makes it panic.
///
/// # Errors
/// Names the variable or the profile and what is allowed.
pub(super) fn check(profiles: &Profiles) -> Result<()> {
    let variables = std::env::vars_os();
    let named =
        variables.map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    let wrong = named.into_iter().find_map(|(name, value)| is_variable(&name).then(|| wrong(&name, &value)).flatten());
    let of_profile = || wrong_url(&format!("{KEY} of the {}", profiles.selected()), profiles.get(KEY)?);
    match wrong.or_else(of_profile) {
        Some(text) => Err(Fault::new(Class::Invalid, "InvalidEndpoint", text)),
        None => Ok(()),
    }
}

impl Endpoints {
    /// Those in force: of the environment, of the profile, of its `[services]` section.
    ///
    /// # Errors
    /// Where one in such a section is no URL.
    pub(super) fn of(sdk: &SdkConfig, profiles: &Profiles) -> Result<Endpoints> {
        let ignored = std::env::var(IGNORED.0).ok().or_else(|| profiles.get(IGNORED.1).map(str::to_owned));
        if ignored.is_some_and(|ignored| ignored.eq_ignore_ascii_case("true")) {
            return Ok(Endpoints::default());
        }
        let all = sdk.endpoint_url().map(str::to_owned);
        let mut own = Vec::new();
        for service in SERVICES {
            let Some(url) = own_url(sdk, service).filter(|url| Some(url) != all.as_ref()) else { continue };
            let by = format!("{KEY} of {service} for the {}", profiles.selected());
            if let Some(text) = wrong_url(&by, &url) {
                return Err(Fault::new(Class::Invalid, "InvalidEndpoint", text));
            }
            own.push((service, url));
        }
        Ok(Endpoints { all, own })
    }

    /// Whether every call goes to AWS.
    pub fn is_aws(&self) -> bool {
        self.all.is_none() && self.own.is_empty()
    }

    /// In words; nothing where every call goes to AWS.
    pub fn words(&self) -> Option<String> {
        let own = self.own.iter().map(|(service, url)| format!("{service} at {}", shown(url)));
        let words: Vec<String> = self.all.iter().map(|url| format!("at {}", shown(url))).chain(own).collect();
        (!words.is_empty()).then(|| words.join(", "))
    }

    /// The hosts that are asked without TLS, where that is not this machine.
    pub fn unsealed(&self) -> Vec<String> {
        let urls = self.all.iter().chain(self.own.iter().map(|(_, url)| url));
        let open = urls.filter(|url| url.starts_with("http://") && !is_loopback(host_of(url)));
        let mut hosts: Vec<String> = open.map(|url| host_of(url).to_owned()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        hosts
    }
}

fn own_url(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env(VARIABLE).profile(KEY).build().ok()?;
    sdk.service_config()?.load_config(key)
}

/// Without path, and without what may be secret in it.
fn shown(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}://{}", authority.rsplit('@').next().unwrap_or_default())
}

fn is_variable(name: &str) -> bool {
    name.strip_prefix(VARIABLE).is_some_and(|service| service.is_empty() || service.starts_with('_'))
}

fn wrong(name: &str, value: &str) -> Option<String> {
    wrong_url(name, value).map(|text| format!("{text}, or the variable not set"))
}

fn wrong_url(by: &str, value: &str) -> Option<String> {
    let has_scheme = value.starts_with("https://") || value.starts_with("http://");
    let valid = has_scheme && !host_of(value).is_empty() && !value.contains(char::is_whitespace);
    (!valid).then(|| format!("{by} is {value:?}; allowed: a URL with http:// or https:// and a host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_with_a_host_are_endpoints() {
        for value in ["", " ", "localhost:5000", "127.0.0.1", "https://", "http:///path", "ftp://host", "http://:80"] {
            let text = wrong("AWS_ENDPOINT_URL_S3", value).unwrap();
            assert!(text.starts_with(&format!("AWS_ENDPOINT_URL_S3 is {value:?}; allowed: ")), "{text}");
        }
        for value in ["http://localhost:5000", "https://vpce-1.ec2.us-east-1.vpce.amazonaws.com", "http://[::1]:80/"] {
            assert_eq!(wrong("AWS_ENDPOINT_URL", value), None);
        }
        assert!(is_variable("AWS_ENDPOINT_URL") && is_variable("AWS_ENDPOINT_URL_S3"));
        assert!(!is_variable("AWS_ENDPOINT_URLS") && !is_variable("HOME"));
    }

    #[test]
    fn endpoints_are_told_without_what_may_be_secret() {
        let own = vec![("S3", "https://key:word@store.example.edu/bucket?token=x".to_owned())];
        let endpoints = Endpoints { all: Some("http://127.0.0.1:5555".to_owned()), own };
        assert_eq!(endpoints.words().as_deref(), Some("at http://127.0.0.1:5555, S3 at https://store.example.edu"));
        assert_eq!((endpoints.unsealed(), endpoints.is_aws()), (vec![], false));
        assert_eq!(Endpoints::default().words(), None);
        let open = Endpoints { all: Some("http://aws.example.edu:80/".to_owned()), own: vec![] };
        assert_eq!(open.unsealed(), ["aws.example.edu"]);
    }
}
