//! A route of a REST API: what one method of one path asks for, and what answers it.
//!
//! The path of a proxy's `uri` is what the server is asked for. Behind a VPC link AWS's pages do not agree whether the stage's
//! name stands in front of it (`/prod/students/7`), nor whether a proxy runs request templates, which could take it off.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::openapi;
use crate::resources::origin_key::OriginKey;
use crate::stack::Out;

/// One method of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Who may call it.
    pub authorization: Authorization,
    /// Whether callers must show an API key of a usage plan.
    pub api_key_required: bool,
    /// The parameters that mappings may use, as `path.id`, `querystring.course` or `header.x-campus`, and whether the
    /// request must have them. Path parameters are declared with `true`; see [`path_parameters`].
    pub parameters: BTreeMap<String, bool>,
    /// What answers.
    pub integration: Integration,
}

/// Who may call a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Authorization {
    /// Anybody.
    #[serde(rename = "NONE")]
    None,
    /// Identities whose IAM policies allow it.
    #[serde(rename = "AWS_IAM")]
    Iam,
    /// Who shows an access token of a user pool.
    #[serde(rename = "COGNITO_USER_POOLS")]
    Cognito {
        /// The pool's ARN.
        user_pool_arn: Out<String>,
        /// What the token must be good for, one of them at least, as `identifier/scope`.
        scopes: BTreeSet<Out<String>>,
    },
    /// Anything else that was found. It stands in no spec.
    #[serde(rename = "OTHER")]
    Other(String),
}

/// What answers a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Integration {
    /// An HTTP server, which gets the request and gives the answer as they are.
    HttpProxy(HttpProxy),
    /// An AWS service, with a request made from a template.
    AwsService(AwsService),
    /// Anything else that was found. It stands in no spec.
    Other {
        /// AWS's name for its type.
        kind: String,
    },
}

/// An HTTP server that gets the request and gives the answer as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpProxy {
    /// The method it is asked with: the route's own, `ANY` included.
    pub http_method: String,
    /// Its address. The host name must fit its certificate where it begins with `https://`.
    pub uri: Out<String>,
    /// The way to a load balancer inside a VPC. `None`: the address is public.
    pub link: Option<Link>,
    /// Whether a certificate is accepted that no public authority signed; its name and dates are still checked.
    pub insecure_skip_verification: bool,
    /// Where parameters of its request come from: `integration.request.path.id` from `method.request.path.id`, or a
    /// constant inside single quotes.
    pub request_parameters: BTreeMap<String, String>,
    /// The key that it shows the server: one version of it. Left out: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_key: Option<OriginKey>,
    /// Templates by content type.
    pub request_templates: BTreeMap<String, Out<String>>,
    /// What happens to a content type without a template: `WHEN_NO_MATCH`, `WHEN_NO_TEMPLATES` or `NEVER`.
    pub passthrough: String,
    /// How long it may take, in milliseconds, 50-29000.
    pub timeout_ms: i32,
}

/// A way to a load balancer inside a VPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The VPC link.
    pub vpc_link_id: Out<String>,
    /// The load balancer, of this account.
    pub load_balancer_arn: Out<String>,
}

/// An action of an AWS service, called with a request made from a template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsService {
    /// The method it is asked with, mostly `POST`.
    pub http_method: String,
    /// The action, as `arn:aws:apigateway:REGION:kinesis:action/PutRecord`.
    pub uri: Out<String>,
    /// The role API Gateway calls it with.
    pub credentials: Out<String>,
    /// As in [`HttpProxy::request_parameters`].
    pub request_parameters: BTreeMap<String, String>,
    /// The request's body by the content type of what came in.
    pub request_templates: BTreeMap<String, Out<String>>,
    /// What happens to a content type without a template: `WHEN_NO_MATCH`, `WHEN_NO_TEMPLATES` or `NEVER`.
    pub passthrough: String,
    /// The answers, by a pattern that the service's status matches as a whole (`4\d{2}`), or `default`.
    pub responses: BTreeMap<String, Response>,
    /// How long it may take, in milliseconds, 50-29000.
    pub timeout_ms: i32,
}

/// An answer made from that of an AWS service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// The status the caller gets; AWS allows each status once a route.
    pub status: String,
    /// The body the caller gets, by content type. Empty: the service's own.
    pub templates: BTreeMap<String, String>,
}

/// The variables of a path in their order, and whether each takes all that is left of it (`{proxy+}`).
fn variables(path: &str) -> impl Iterator<Item = (&str, bool)> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).map(|name| {
        let plain = name.strip_suffix('+');
        (plain.unwrap_or(name), plain.is_some())
    })
}

/// The declaration of a path's variables, for [`Route::parameters`].
pub fn path_parameters(path: &str) -> BTreeMap<String, bool> {
    variables(path).map(|(name, _)| (format!("path.{name}"), true)).collect()
}

/// Hands a path's variables on under their own names, for `request_parameters` where the `uri` holds them too.
pub fn path_mappings(path: &str) -> BTreeMap<String, String> {
    let mapping = |name| (format!("integration.request.path.{name}"), format!("method.request.path.{name}"));
    variables(path).map(|(name, _)| mapping(name)).collect()
}

/// Refuses what AWS would refuse.
pub(super) fn check_routes(routes: &BTreeMap<String, Route>) -> Result<(), String> {
    if routes.is_empty() {
        return Err("routes is empty; AWS deploys no API without a method".to_owned());
    }
    let mut siblings: BTreeMap<&str, &str> = BTreeMap::new();
    for (key, route) in routes {
        let path = check_key(key)?;
        for (at, _) in path.match_indices("/{") {
            let variable = path[at + 1..].split('/').next().unwrap_or_default();
            let other = siblings.insert(&path[..at], variable).filter(|other| *other != variable);
            if let Some(other) = other {
                return Err(format!(
                    "routes.{key}: {variable} and {other} stand at one place; AWS allows one variable"
                ));
            }
        }
        route.check(path).map_err(|error| format!("routes.{key}: {error}"))?;
    }
    Ok(())
}

const METHODS: [&str; 8] = ["ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The path of a route's key.
fn check_key(key: &str) -> Result<&str, String> {
    let form = || format!("routes has the key {key}; the form is METHOD /path, METHOD one of {}", METHODS.join(", "));
    let (method, path) = key.split_once(' ').ok_or_else(form)?;
    let parts = path.strip_prefix('/').ok_or_else(form)?;
    if !METHODS.contains(&method) {
        return Err(form());
    }
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "._-:".contains(c));
    let last = parts.matches('/').count();
    for (index, part) in parts.split('/').enumerate().filter(|_| !parts.is_empty()) {
        let variable = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        let allowed = match variable.map(|name| name.strip_suffix('+').ok_or(name)) {
            None => plain(part),
            Some(Err(name)) => plain(name),
            Some(Ok(greedy)) => plain(greedy) && index == last,
        };
        if !allowed {
            return Err(format!(
                "routes has the key {key} with the part \"{part}\"; AWS allows letters, digits, ._-: and {{name}}, \
                 and {{name+}} at the end"
            ));
        }
    }
    Ok(path)
}

impl Route {
    /// The key that it shows its server.
    pub(super) fn origin_key(&self) -> Option<&OriginKey> {
        match &self.integration {
            Integration::HttpProxy(http) => http.origin_key.as_ref(),
            Integration::AwsService(_) | Integration::Other { .. } => None,
        }
    }

    fn check(&self, path: &str) -> Result<(), String> {
        self.authorization.check()?;
        if let Some(name) = path_parameters(path).keys().find(|name| self.parameters.get(*name) != Some(&true)) {
            return Err(format!("parameters lacks {name} = true, which stands in the path"));
        }
        let places = ["path.", "querystring.", "header."];
        if let Some(name) = self.parameters.keys().find(|name| !places.iter().any(|place| name.starts_with(place))) {
            return Err(format!("parameters has {name}; names begin with path., querystring. or header."));
        }
        let (mappings, passthrough, timeout) = match &self.integration {
            Integration::HttpProxy(http) => (&http.request_parameters, &http.passthrough, http.timeout_ms),
            Integration::AwsService(aws) => {
                aws.check()?;
                (&aws.request_parameters, &aws.passthrough, aws.timeout_ms)
            }
            Integration::Other { kind } => return Err(format!("an integration of the type {kind} cannot be made")),
        };
        if let Some(name) = mappings.keys().find(|name| openapi::is_origin_key(name)) {
            return Err(format!("request_parameters has {name}, which origin_key sends"));
        }
        if let Some(source) = mappings.values().find(|source| !self.offers(source)) {
            return Err(format!("request_parameters uses {source}, which parameters does not declare"));
        }
        if !["WHEN_NO_MATCH", "WHEN_NO_TEMPLATES", "NEVER"].contains(&passthrough.as_str()) {
            return Err(format!("passthrough is {passthrough}; AWS allows WHEN_NO_MATCH, WHEN_NO_TEMPLATES, NEVER"));
        }
        if !(50..=29_000).contains(&timeout) {
            return Err(format!("timeout_ms is {timeout}; AWS allows 50-29000"));
        }
        Ok(())
    }

    fn offers(&self, source: &str) -> bool {
        match source.strip_prefix("method.request.") {
            Some(body) if body == "body" || body.starts_with("body.") => true,
            Some(name) => self.parameters.contains_key(&name.replace("multivalue", "")),
            None => true,
        }
    }
}

impl Authorization {
    fn check(&self) -> Result<(), String> {
        match self {
            // Without scopes API Gateway would take the tokens that only say who somebody is.
            Authorization::Cognito { scopes, .. } if scopes.is_empty() => {
                Err("authorization has no scopes; access tokens are only taken for a scope".to_owned())
            }
            Authorization::Cognito { user_pool_arn: Out::Known(arn), .. } if !arn.contains(":userpool/") => {
                Err(format!("authorization has the user pool {arn}; ARNs of user pools hold :userpool/"))
            }
            Authorization::Other(kind) => Err(format!("an authorization of the type {kind} cannot be made")),
            Authorization::None | Authorization::Iam | Authorization::Cognito { .. } => Ok(()),
        }
    }
}

impl AwsService {
    fn check(&self) -> Result<(), String> {
        let mut seen = BTreeSet::new();
        for Response { status, .. } in self.responses.values() {
            let digits = status.len() == 3 && status.chars().all(|c| c.is_ascii_digit());
            if !digits || !status.starts_with(['1', '2', '3', '4', '5']) {
                return Err(format!("responses has the status {status}; AWS allows 100-599"));
            }
            if !seen.insert(status) {
                return Err(format!("responses has the status {status} twice; AWS allows it once"));
            }
        }
        if !self.responses.contains_key("default") {
            return Err("responses lacks default; without it callers get status 500".to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_a_method_and_a_path() {
        for key in ["GET /", "ANY /{proxy+}", "PUT /students/{id}", "POST /a/b.c_d-e:f"] {
            assert!(check_key(key).is_ok(), "{key}");
        }
        for key in ["GET", "get /a", "GET a", "GET /a/", "GET //a", "GET /{a+}/b", "GET /a{b}", "GET /é"] {
            assert!(check_key(key).is_err(), "{key}");
        }
    }
}
