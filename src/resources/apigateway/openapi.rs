//! Between our routes and API Gateway's: out as an OpenAPI 3 document, back from the resources it lists.
//!
//! What API Gateway fills in by itself (cache names, resources on the way to a path) is left out on the way back.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_apigateway::types::{Authorizer, Integration as GatewayIntegration, IntegrationType, Method, Resource};
use serde_json::{Map, Value, json};

use crate::aws::Always;
use crate::error::Result;
use crate::resources::origin_key::{HEADER, OriginKey, Values};
use crate::resources::values;
use crate::stack::Out;

use super::RestApi;
use super::route::{Authorization, AwsService, HttpProxy, Integration, Link, Response, Route};

/// The parameter of an integration that is its key.
fn origin_key_parameter() -> String {
    format!("integration.request.header.{HEADER}")
}

/// Whether a parameter of an integration is its key, whose value nobody may see.
pub(super) fn is_origin_key(parameter: &str) -> bool {
    parameter.eq_ignore_ascii_case(&origin_key_parameter())
}

/// The API as the document that PutRestApi takes, with the keys that it sends.
pub(super) fn openapi(api: &RestApi, keys: &Values) -> Result<Value> {
    let mut paths = Map::new();
    for (key, route) in &api.routes {
        let (method, path) = key.split_once(' ').unwrap_or((key, "/"));
        let operation = match method {
            "ANY" => "x-amazon-apigateway-any-method".to_owned(),
            method => method.to_lowercase(),
        };
        paths.entry(path).or_insert_with(|| json!({}))[operation] = self::operation(route, keys)?;
    }
    let mut document = json!({
        "openapi": "3.0.1",
        "info": { "title": api.name, "description": api.description, "version": "1" },
        "paths": paths,
        "components": { "securitySchemes": schemes(api)? },
    });
    let extensions = [
        ("policy", api.policy.clone()),
        ("minimum-compression-size", api.minimum_compression.map(Value::from)),
        ("security-policy", api.security_policy.clone().map(Value::from)),
        ("endpoint-access-mode", api.endpoint_access_mode.clone().map(Value::from)),
    ];
    for (name, value) in extensions {
        if let Some(value) = value {
            document[format!("x-amazon-apigateway-{name}")] = value;
        }
    }
    Ok(document)
}

fn schemes(api: &RestApi) -> Result<Value> {
    let mut schemes = json!({});
    for authorization in api.routes.values().map(|route| &route.authorization) {
        if let Some((name, scheme)) = scheme(authorization)? {
            schemes[name] = scheme;
        }
    }
    if api.routes.values().any(|route| route.api_key_required) {
        schemes["api_key"] = json!({ "type": "apiKey", "name": "x-api-key", "in": "header" });
    }
    Ok(schemes)
}

/// The security scheme that an authorization refers to, by its name.
fn scheme(authorization: &Authorization) -> Result<Option<(&str, Value)>> {
    let header = |kind: &str| json!({ "type": "apiKey", "name": "Authorization", "in": "header", "x-amazon-apigateway-authtype": kind });
    Ok(match authorization {
        Authorization::None | Authorization::Other(_) => None,
        Authorization::Iam => Some(("sigv4", header("awsSigv4"))),
        Authorization::Cognito { user_pool_arn, .. } => {
            let arn = user_pool_arn.get()?;
            let mut scheme = header("cognito_user_pools");
            scheme["x-amazon-apigateway-authorizer"] = json!({ "type": "cognito_user_pools", "providerARNs": [arn] });
            Some((pool_id(arn), scheme))
        }
    })
}

fn pool_id(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// What a call must show: one entry for each scheme, with the scopes wanted.
fn security(route: &Route) -> Result<Vec<Value>> {
    let mut security = Vec::new();
    if let Some((name, _)) = scheme(&route.authorization)? {
        let scopes = match &route.authorization {
            Authorization::Cognito { scopes, .. } => values::known(scopes)?,
            _ => Vec::new(),
        };
        security.push(json!({ name: scopes }));
    }
    if route.api_key_required {
        security.push(json!({ "api_key": [] }));
    }
    Ok(security)
}

fn operation(route: &Route, keys: &Values) -> Result<Value> {
    let security = security(route)?;
    let (integration, statuses) = match &route.integration {
        Integration::HttpProxy(http) => (http_proxy(http, keys)?, Map::new()),
        Integration::AwsService(aws) => (aws_service(aws)?, statuses(aws)),
        Integration::Other { kind } => (json!({ "type": kind }), Map::new()),
    };
    let mut operation = json!({
        "parameters": route.parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": statuses,
        "x-amazon-apigateway-integration": integration,
    });
    if !security.is_empty() {
        operation["security"] = security.into();
    }
    Ok(operation)
}

fn parameter((name, required): (&String, &bool)) -> Value {
    let (place, name) = name.split_once('.').unwrap_or(("querystring", name));
    let place = if place == "querystring" { "query" } else { place };
    json!({ "name": name, "in": place, "required": required, "schema": { "type": "string" } })
}

fn http_proxy(http: &HttpProxy, keys: &Values) -> Result<Value> {
    let mut parameters = http.request_parameters.clone();
    if let Some(key) = &http.origin_key {
        let value = key.values(keys)?.into_iter().next().always("version of the key")?;
        parameters.insert(origin_key_parameter(), format!("'{value}'"));
    }
    let mut integration = json!({
        "type": "http_proxy",
        "httpMethod": http.http_method,
        "uri": http.uri.get()?,
        "requestParameters": parameters,
        "requestTemplates": known(&http.request_templates)?,
        "passthroughBehavior": http.passthrough.to_lowercase(),
        "timeoutInMillis": http.timeout_ms,
    });
    if http.insecure_skip_verification {
        integration["tlsConfig"] = json!({ "insecureSkipVerification": true });
    }
    if let Some(link) = &http.link {
        integration["connectionType"] = "VPC_LINK".into();
        integration["connectionId"] = link.vpc_link_id.get()?.as_str().into();
        // AWS's guide spells it with a hyphen, everything else in AWS does not; the import passes over keys it does
        // not know.
        for key in ["integrationTarget", "integration-target"] {
            integration[key] = link.load_balancer_arn.get()?.as_str().into();
        }
    }
    Ok(integration)
}

fn aws_service(aws: &AwsService) -> Result<Value> {
    let response = |answer: &Response| json!({ "statusCode": answer.status, "responseTemplates": answer.templates });
    Ok(json!({
        "type": "aws",
        "httpMethod": aws.http_method,
        "uri": aws.uri.get()?,
        "credentials": aws.credentials.get()?,
        "requestParameters": aws.request_parameters,
        "requestTemplates": known(&aws.request_templates)?,
        "passthroughBehavior": aws.passthrough.to_lowercase(),
        "timeoutInMillis": aws.timeout_ms,
        "responses": aws.responses.iter().map(|(on, answer)| (on.clone(), response(answer))).collect::<Map<_, _>>(),
    }))
}

/// Without them declared on the method as well, API Gateway answers 500.
fn statuses(aws: &AwsService) -> Map<String, Value> {
    let statuses: BTreeSet<_> = aws.responses.values().map(|answer| &answer.status).collect();
    statuses.into_iter().map(|status| (status.clone(), json!({ "description": status }))).collect()
}

fn known(templates: &BTreeMap<String, Out<String>>) -> Result<BTreeMap<&str, &str>> {
    templates.iter().map(|(kind, template)| Ok((kind.as_str(), template.get()?.as_str()))).collect()
}

/// Whether any method leaves it to an authorizer who may call it.
pub(super) fn names_authorizer(resources: &[Resource]) -> bool {
    let methods = resources.iter().flat_map(|resource| resource.resource_methods().into_iter().flatten());
    methods.into_iter().any(|(_, method)| method.authorizer_id().is_some())
}

/// Whether any integration sends a key.
pub(super) fn sends_key(resources: &[Resource]) -> bool {
    let methods = resources.iter().flat_map(|resource| resource.resource_methods().into_iter().flatten());
    let mut integrations = methods.filter_map(|(_, method)| method.method_integration());
    integrations.any(|live| live.request_parameters().into_iter().flatten().any(|(name, _)| is_origin_key(name)))
}

/// The routes in what GetResources lists when it embeds methods.
pub(super) fn routes(resources: &[Resource], authorizers: &[Authorizer], keys: &Keys<'_>) -> BTreeMap<String, Route> {
    let mut routes = BTreeMap::new();
    for resource in resources {
        for (name, method) in resource.resource_methods().into_iter().flatten() {
            routes.insert(format!("{name} {}", resource.path().unwrap_or_default()), route(method, authorizers, keys));
        }
    }
    routes
}

/// The keys of routes that are not as they should be, whoever may call them: what an import made of them.
pub(super) fn missing(wanted: &BTreeMap<String, Route>, resources: &[Resource], keys: &Keys<'_>) -> Vec<String> {
    let found = routes(resources, &[], keys);
    let same = |wanted: &Route, found: &Route| {
        (wanted.api_key_required, &wanted.parameters, &wanted.integration)
            == (found.api_key_required, &found.parameters, &found.integration)
    };
    let differs = |(key, route): &(&String, &Route)| !found.get(*key).is_some_and(|found| same(route, found));
    wanted.iter().filter(differs).map(|(key, _)| key.clone()).collect()
}

fn route(method: &Method, authorizers: &[Authorizer], keys: &Keys<'_>) -> Route {
    let declared = method.request_parameters().into_iter().flatten();
    Route {
        authorization: authorization(method, authorizers),
        api_key_required: method.api_key_required().unwrap_or_default(),
        parameters: declared
            .map(|(name, required)| (name.trim_start_matches("method.request.").to_owned(), *required))
            .collect(),
        integration: integration(method, keys),
    }
}

fn authorization(method: &Method, authorizers: &[Authorizer]) -> Authorization {
    let kind = match method.authorization_type() {
        None | Some("NONE") => return Authorization::None,
        Some("AWS_IAM") => return Authorization::Iam,
        Some(kind) => kind,
    };
    let authorizer = authorizers.iter().find(|authorizer| authorizer.id() == method.authorizer_id());
    match authorizer.map(Authorizer::provider_arns) {
        Some([arn]) if kind == "COGNITO_USER_POOLS" && authorizer.is_some_and(reads_the_header) => {
            let scopes = values::outs(method.authorization_scopes().iter().map(String::as_str));
            Authorization::Cognito { user_pool_arn: arn.as_str().into(), scopes }
        }
        _ => Authorization::Other(kind.to_owned()),
    }
}

fn reads_the_header(authorizer: &Authorizer) -> bool {
    authorizer.identity_source() == Some("method.request.header.Authorization")
        && authorizer.identity_validation_expression().is_none_or(str::is_empty)
}

fn integration(method: &Method, keys: &Keys<'_>) -> Integration {
    let Some(live) = method.method_integration() else { return Integration::Other { kind: "none".to_owned() } };
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    match live.r#type() {
        Some(IntegrationType::HttpProxy) => Integration::HttpProxy(HttpProxy {
            http_method: text(live.http_method()),
            uri: text(live.uri()).into(),
            link: link(live),
            insecure_skip_verification: live.tls_config().is_some_and(|tls| tls.insecure_skip_verification),
            request_parameters: without_key(live),
            origin_key: keys.sent_by(live),
            request_templates: templates(live.request_templates()),
            passthrough: text(live.passthrough_behavior()),
            timeout_ms: live.timeout_in_millis(),
        }),
        Some(IntegrationType::Aws) => Integration::AwsService(AwsService {
            http_method: text(live.http_method()),
            uri: text(live.uri()).into(),
            credentials: text(live.credentials()).into(),
            request_parameters: sorted(live.request_parameters()),
            request_templates: templates(live.request_templates()),
            passthrough: text(live.passthrough_behavior()),
            responses: responses(live, method),
            timeout_ms: live.timeout_in_millis(),
        }),
        kind => Integration::Other { kind: text(kind.map(IntegrationType::as_str)) },
    }
}

/// The key that an API is to send, and what the versions of its secret hold.
#[derive(Default)]
pub(super) struct Keys<'a> {
    /// As the spec has it.
    pub wanted: Option<&'a OriginKey>,
    /// By version.
    pub values: Values,
}

impl Keys<'_> {
    fn sent_by(&self, live: &GatewayIntegration) -> Option<OriginKey> {
        let (_, sent) = live.request_parameters()?.iter().find(|(name, _)| is_origin_key(name))?;
        Some(OriginKey::read(self.wanted, &self.values, &[sent.trim_matches('\'')]))
    }
}

fn without_key(live: &GatewayIntegration) -> BTreeMap<String, String> {
    let mut parameters = sorted(live.request_parameters());
    parameters.retain(|name, _| !is_origin_key(name));
    parameters
}

fn link(live: &GatewayIntegration) -> Option<Link> {
    Some(Link {
        vpc_link_id: live.connection_id()?.into(),
        load_balancer_arn: live.integration_target().unwrap_or_default().into(),
    })
}

/// The answers that work: those whose status the method declares too.
fn responses(live: &GatewayIntegration, method: &Method) -> BTreeMap<String, Response> {
    let declared = |status: &str| method.method_responses().is_some_and(|all| all.contains_key(status));
    live.integration_responses()
        .into_iter()
        .flatten()
        .filter(|(status, _)| declared(status))
        .map(|(status, answer)| {
            let pattern = answer.selection_pattern().filter(|pattern| !pattern.is_empty()).unwrap_or("default");
            let templates = sorted(answer.response_templates());
            (pattern.to_owned(), Response { status: status.clone(), templates })
        })
        .collect()
}

fn sorted(map: Option<&HashMap<String, String>>) -> BTreeMap<String, String> {
    map.into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn templates(map: Option<&HashMap<String, String>>) -> BTreeMap<String, Out<String>> {
    sorted(map).into_iter().map(|(key, value)| (key, Out::Known(value))).collect()
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
