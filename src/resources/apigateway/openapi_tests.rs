//! The document out and the resources back are each other's inverse, with API Gateway's import in between.

use aws_sdk_apigateway::types::{ConnectionType, IntegrationResponse, MethodResponse, TlsConfig};

use super::super::route::{path_mappings, path_parameters};
use super::*;
use crate::resources::origin_key::tests::{key, values};

const POOL: &str = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_AbC";

fn api() -> RestApi {
    let path = "/students/{id}";
    let mut parameters = path_parameters(path);
    parameters.insert("querystring.course".to_owned(), false);
    let proxied = Route {
        authorization: Authorization::Iam,
        api_key_required: true,
        parameters,
        integration: Integration::HttpProxy(HttpProxy {
            http_method: "GET".to_owned(),
            uri: "https://students.internal:443/students/{id}".into(),
            link: Some(Link { vpc_link_id: "link1".into(), load_balancer_arn: "arn:aws:alb".into() }),
            insecure_skip_verification: true,
            request_parameters: path_mappings(path),
            origin_key: Some(key(&["v1"])),
            request_templates: BTreeMap::new(),
            passthrough: "WHEN_NO_MATCH".to_owned(),
            timeout_ms: 10_000,
        }),
    };
    let answer = |status: &str, body: &str| Response {
        status: status.to_owned(),
        templates: [("application/json".to_owned(), body.to_owned())].into(),
    };
    let streamed = Route {
        authorization: Authorization::Cognito {
            user_pool_arn: POOL.into(),
            scopes: values::outs(["students/write", "students/read"]),
        },
        api_key_required: false,
        parameters: BTreeMap::new(),
        integration: Integration::AwsService(AwsService {
            http_method: "POST".to_owned(),
            uri: "arn:aws:apigateway:us-east-1:kinesis:action/PutRecord".into(),
            credentials: "arn:aws:iam::123456789012:role/api".into(),
            request_parameters: [(
                "integration.request.header.Content-Type".to_owned(),
                "'application/x-amz-json-1.1'".to_owned(),
            )]
            .into(),
            request_templates: [("application/json".to_owned(), "{}".into())].into(),
            passthrough: "NEVER".to_owned(),
            responses: [
                ("default".to_owned(), answer("202", "{}")),
                (r"4\d{2}".to_owned(), answer("400", "{\"message\":\"bad\"}")),
            ]
            .into(),
            timeout_ms: 29_000,
        }),
    };
    RestApi {
        name: "students".to_owned(),
        description: "records".to_owned(),
        security_policy: Some("TLS_1_2".to_owned()),
        endpoint_access_mode: None,
        minimum_compression: Some(1024),
        policy: Some(json!({ "Statement": [] })),
        routes: [("GET /students/{id}".to_owned(), proxied), ("ANY /students/events".to_owned(), streamed)].into(),
        answers: None,
        tags: BTreeMap::new(),
    }
}

/// What the secret holds whose first version the API sends.
fn hidden() -> Values {
    values(&[("v1", "hush-1"), ("v2", "hush-2")])
}

fn keys(api: &RestApi) -> Keys<'_> {
    Keys { wanted: api.routes.values().find_map(Route::origin_key), values: hidden() }
}

fn texts(value: &Value) -> Option<HashMap<String, String>> {
    let texts = value.as_object()?.iter().map(|(key, value)| (key.clone(), text(value)));
    Some(texts.collect()).filter(|texts: &HashMap<_, _>| !texts.is_empty())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An integration as API Gateway lists it after the import.
fn imported_integration(doc: &Value) -> GatewayIntegration {
    let mut responses = HashMap::new();
    for (pattern, answer) in doc["responses"].as_object().into_iter().flatten() {
        let answer = IntegrationResponse::builder()
            .status_code(text(&answer["statusCode"]))
            .set_selection_pattern(Some(pattern.clone()).filter(|pattern| pattern != "default"))
            .set_response_templates(texts(&answer["responseTemplates"]))
            .build();
        responses.insert(answer.status_code().unwrap().to_owned(), answer);
    }
    let link = doc["connectionType"].as_str();
    GatewayIntegration::builder()
        .r#type(text(&doc["type"]).to_uppercase().as_str().into())
        .http_method(text(&doc["httpMethod"]))
        .uri(text(&doc["uri"]))
        .connection_type(link.map_or(ConnectionType::Internet, ConnectionType::from))
        .set_connection_id(doc["connectionId"].as_str().map(str::to_owned))
        .set_integration_target(doc["integrationTarget"].as_str().map(str::to_owned))
        .set_credentials(doc["credentials"].as_str().map(str::to_owned))
        .set_tls_config(
            doc["tlsConfig"]["insecureSkipVerification"]
                .as_bool()
                .map(|skip| TlsConfig::builder().insecure_skip_verification(skip).build()),
        )
        .set_request_parameters(texts(&doc["requestParameters"]))
        .set_request_templates(texts(&doc["requestTemplates"]))
        .passthrough_behavior(text(&doc["passthroughBehavior"]).to_uppercase())
        .timeout_in_millis(doc["timeoutInMillis"].as_i64().unwrap().try_into().unwrap())
        .cache_namespace("a1b2c3")
        .set_integration_responses(Some(responses))
        .build()
}

fn imported_method(doc: &Value) -> Method {
    let security = doc["security"].to_string();
    let scopes = doc["security"].as_array().into_iter().flatten().find_map(|entry| entry["us-east-1_AbC"].as_array());
    let kind = match scopes {
        Some(_) => "COGNITO_USER_POOLS",
        None if security.contains("sigv4") => "AWS_IAM",
        None => "NONE",
    };
    let mut method = Method::builder()
        .authorization_type(kind)
        .set_authorizer_id(scopes.map(|_| "auth1".to_owned()))
        .set_authorization_scopes(scopes.map(|scopes| scopes.iter().map(text).collect()))
        .api_key_required(security.contains("api_key"))
        .method_integration(imported_integration(&doc["x-amazon-apigateway-integration"]));
    for parameter in doc["parameters"].as_array().into_iter().flatten() {
        let place = text(&parameter["in"]).replace("query", "querystring");
        let name = format!("method.request.{place}.{}", text(&parameter["name"]));
        method = method.request_parameters(name, parameter["required"].as_bool().unwrap());
    }
    for status in doc["responses"].as_object().unwrap().keys() {
        method = method.method_responses(status, MethodResponse::builder().status_code(status).build());
    }
    method.build()
}

/// The authorizers that API Gateway has after the import.
fn authorizers(doc: &Value) -> Vec<Authorizer> {
    let schemes = doc["components"]["securitySchemes"].as_object().unwrap();
    let wishes = schemes.iter().filter(|(_, scheme)| scheme.get("x-amazon-apigateway-authorizer").is_some());
    let authorizer = |(name, scheme): (&String, &Value)| {
        let arns = scheme["x-amazon-apigateway-authorizer"]["providerARNs"].as_array().unwrap();
        let source = format!("method.request.{}.{}", text(&scheme["in"]), text(&scheme["name"]));
        let authorizer = Authorizer::builder().id("auth1").name(name).identity_source(source);
        authorizer.set_provider_arns(Some(arns.iter().map(text).collect())).build()
    };
    wishes.map(authorizer).collect()
}

/// What API Gateway lists after the import, resources that only lead to others included.
fn imported(doc: &Value) -> Vec<Resource> {
    let mut resources = vec![
        Resource::builder().id("root").path("/").build(),
        Resource::builder().id("x1").parent_id("root").path_part("students").path("/students").build(),
    ];
    for (path, operations) in doc["paths"].as_object().unwrap() {
        let mut resource = Resource::builder().id("x2").path(path);
        for (name, operation) in operations.as_object().unwrap() {
            let name = if name.starts_with("x-") { "ANY".to_owned() } else { name.to_uppercase() };
            resource = resource.resource_methods(name, imported_method(operation));
        }
        resources.push(resource.build());
    }
    resources
}

#[test]
fn what_is_written_is_read_back() {
    let api = api();
    assert_eq!(super::super::route::check_routes(&api.routes), Ok(()));
    let doc = openapi(&api, &hidden()).unwrap();
    assert_eq!(routes(&imported(&doc), &authorizers(&doc), &keys(&api)), api.routes);
}

#[test]
fn an_authorizer_of_another_pool_or_place_is_a_difference() {
    let doc = openapi(&api(), &hidden()).unwrap();
    let route = |authorizer: Authorizer| {
        routes(&imported(&doc), &[authorizer], &Keys::default())["ANY /students/events"].clone()
    };
    let of = |source: &str, arns: &[&str]| {
        let arns = arns.iter().map(|arn| (*arn).to_owned()).collect();
        Authorizer::builder().id("auth1").identity_source(source).set_provider_arns(Some(arns)).build()
    };
    let header = "method.request.header.Authorization";
    assert_eq!(route(of(header, &[POOL])), api().routes["ANY /students/events"]);
    assert_ne!(route(of(header, &["arn:other"])), api().routes["ANY /students/events"]);
    for other in [of(header, &[POOL, "arn:other"]), of("method.request.header.X-Token", &[POOL])] {
        assert_eq!(route(other).authorization, Authorization::Other("COGNITO_USER_POOLS".to_owned()));
    }
}

#[test]
fn the_spec_of_iam_is_what_it_was_before_there_was_more() {
    assert_eq!(json!([Authorization::Iam, Authorization::None]), json!(["AWS_IAM", "NONE"]));
}

#[test]
fn the_document_has_aws_s_form() {
    let doc = openapi(&api(), &hidden()).unwrap();
    assert_eq!(doc["x-amazon-apigateway-security-policy"], "TLS_1_2");
    assert_eq!(doc["x-amazon-apigateway-policy"], json!({ "Statement": [] }));
    assert_eq!(doc["components"]["securitySchemes"]["sigv4"]["x-amazon-apigateway-authtype"], "awsSigv4");
    let cognito = &doc["components"]["securitySchemes"]["us-east-1_AbC"];
    assert_eq!(cognito["x-amazon-apigateway-authtype"], "cognito_user_pools");
    assert_eq!(
        cognito["x-amazon-apigateway-authorizer"],
        json!({ "type": "cognito_user_pools", "providerARNs": [POOL] })
    );
    let get = &doc["paths"]["/students/{id}"]["get"];
    assert_eq!(get["security"], json!([{ "sigv4": [] }, { "api_key": [] }]));
    assert_eq!(
        get["parameters"][0],
        json!({ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } })
    );
    let proxy = &get["x-amazon-apigateway-integration"];
    assert_eq!(proxy["connectionType"], "VPC_LINK");
    assert_eq!(proxy["integrationTarget"], proxy["integration-target"]);
    let any = &doc["paths"]["/students/events"]["x-amazon-apigateway-any-method"];
    assert_eq!(any["security"], json!([{ "us-east-1_AbC": ["students/read", "students/write"] }]));
    assert_eq!(any["responses"], json!({ "202": { "description": "202" }, "400": { "description": "400" } }));
    assert_eq!(any["x-amazon-apigateway-integration"]["responses"]["default"]["statusCode"], "202");
}

#[test]
fn what_nobody_here_made_is_seen_as_such() {
    let mock = GatewayIntegration::builder().r#type(IntegrationType::Mock).build();
    let method = Method::builder().authorization_type("NONE").method_integration(mock).build();
    let found =
        routes(&[Resource::builder().path("/x").resource_methods("OPTIONS", method).build()], &[], &Keys::default());
    assert_eq!(found["OPTIONS /x"].integration, Integration::Other { kind: "MOCK".to_owned() });
}

#[test]
fn a_route_that_an_import_left_out_is_told() {
    let api = api();
    let mut resources = imported(&openapi(&api, &hidden()).unwrap());
    assert_eq!(missing(&api.routes, &resources, &keys(&api)), [""; 0]);
    resources.retain(|resource| resource.path() != Some("/students/events"));
    assert_eq!(missing(&api.routes, &resources, &keys(&api)), ["ANY /students/events"]);
}

/// What somebody has it send by hand is as little to be seen as what it should send.
#[test]
fn a_key_goes_out_and_comes_back_as_a_version_of_its_secret() {
    let api = api();
    let doc = openapi(&api, &hidden()).unwrap();
    let sent = "integration.request.header.X-Origin-Key";
    let get = &doc["paths"]["/students/{id}"]["get"]["x-amazon-apigateway-integration"];
    assert_eq!(get["requestParameters"][sent], "'hush-1'");
    let read = |text: &str| {
        let doc: Value = serde_json::from_str(&doc.to_string().replace("'hush-1'", text)).unwrap();
        let found = routes(&imported(&doc), &authorizers(&doc), &keys(&api));
        assert!(!serde_json::to_string(&found).unwrap().contains(text.trim_matches('\'')));
        found["GET /students/{id}"].origin_key().cloned().unwrap()
    };
    assert_eq!(read("'hush-1'"), key(&["v1"]));
    assert_eq!(read("'hush-2'"), key(&["v2"]));
    assert_ne!(read("'by hand'"), key(&["v1"]));
    let unknown = routes(&imported(&doc), &authorizers(&doc), &Keys::default());
    assert!(!serde_json::to_string(&unknown).unwrap().contains("hush"));
    let mut lacking = imported(&doc);
    assert!(sends_key(&lacking));
    lacking.retain(|resource| resource.path() == Some("/students/events"));
    assert!(!sends_key(&lacking));
}

#[test]
fn a_key_is_no_parameter_to_be_given() {
    let mut api = api();
    let Integration::HttpProxy(http) = &mut api.routes.get_mut("GET /students/{id}").unwrap().integration else {
        panic!("it is a proxy");
    };
    http.request_parameters.insert("integration.request.header.x-origin-key".to_owned(), "'hush'".to_owned());
    let refused = super::super::route::check_routes(&api.routes).unwrap_err();
    assert!(refused.contains("which origin_key sends") && !refused.contains("hush"), "{refused}");
}
