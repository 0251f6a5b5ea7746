//! Where the environment sends calls to.

use crate::error::{Class, Fault, Result};

/// Every service's endpoint, or with a service's name behind it, as `AWS_ENDPOINT_URL_S3`, that one's.
const VARIABLE: &str = "AWS_ENDPOINT_URL";

/// Refuses endpoints of which the SDK would make something else: of no URL at all it only says so in a log nobody reads
/// and asks the real AWS, and what has no host makes it panic.
///
/// # Errors
/// Names the variable and what is allowed.
pub(super) fn check() -> Result<()> {
    match std::env::vars_os().find_map(|(name, value)| wrong(&name.to_string_lossy(), &value.to_string_lossy())) {
        Some(text) => Err(Fault::new(Class::Invalid, "InvalidEndpoint", text)),
        None => Ok(()),
    }
}

fn wrong(name: &str, value: &str) -> Option<String> {
    name.strip_prefix(VARIABLE).filter(|service| service.is_empty() || service.starts_with('_'))?;
    let rest = value.strip_prefix("https://").or_else(|| value.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', ':', '?', '#']).next()).unwrap_or_default();
    let allowed = "a URL with http:// or https:// and a host, or the variable not set";
    host.is_empty().then(|| format!("{name} is {value:?}; allowed: {allowed}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_with_a_host_are_endpoints() {
        for value in ["", "localhost:5000", "127.0.0.1", "https://", "http:///path", "ftp://host", "http://:80"] {
            let text = wrong("AWS_ENDPOINT_URL_S3", value).unwrap();
            assert!(text.starts_with(&format!("AWS_ENDPOINT_URL_S3 is {value:?}; allowed: ")), "{text}");
            assert!(wrong("AWS_ENDPOINT_URL", value).is_some());
        }
        for value in ["http://localhost:5000", "https://vpce-1.ec2.us-east-1.vpce.amazonaws.com", "http://[::1]:80/"] {
            assert_eq!(wrong("AWS_ENDPOINT_URL", value), None);
        }
        assert_eq!(wrong("AWS_ENDPOINT_URLS", ""), None);
        assert_eq!(wrong("HOME", ""), None);
    }
}
