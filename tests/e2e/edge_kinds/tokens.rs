//! User pools, what they give programs, and routes that ask for it.

use std::collections::BTreeMap;

use serde_json::json;
use tapctl::resources::apigateway::{Authorization, HttpProxy, Integration, RestApi, Route};
use tapctl::resources::cognito;

use super::{Bench, only, stack};

fn user_pool() -> cognito::UserPool {
    cognito::UserPool {
        name: "bench-pool".to_owned(),
        deletion_protection: true,
        mfa: Some("OPTIONAL".to_owned()),
        password_policy: cognito::PasswordPolicy {
            minimum_length: 12,
            uppercase: true,
            lowercase: true,
            numbers: true,
            symbols: false,
            temporary_password_days: 3,
        },
        admin_create_user_only: true,
        tags: BTreeMap::new(),
    }
}

const POOL: &str = "
cognito = client('cognito-idp')
pool = [pool for pool in cognito.list_user_pools(MaxResults=60)['UserPools'] if pool['Name'] == 'bench-pool'][-1]['Id']
";

#[test]
fn a_user_pool() {
    // Names are not unique: one of the same name is somebody else's.
    let bench = Bench::after("client('cognito-idp').create_user_pool(PoolName='bench-pool')");
    let stack = only(user_pool());
    bench.begins(&stack);
    let pool = bench.output("it", "user_pool_id");
    assert_eq!(bench.output("it", "issuer"), format!("https://cognito-idp.us-east-1.amazonaws.com/{pool}"));
    let alter = |python: &str, fields: &[&str]| bench.repairs(&stack, &format!("{POOL}{python}"), fields);
    alter(
        "cognito.set_user_pool_mfa_config(UserPoolId=pool, MfaConfiguration='OFF', \
         SoftwareTokenMfaConfiguration={'Enabled': False})",
        &["it.mfa"],
    );
    alter(
        "cognito.update_user_pool(UserPoolId=pool, AutoVerifiedAttributes=['email'])",
        &[
            "it.admin_create_user_only",
            "it.deletion_protection",
            "it.mfa",
            "it.password_policy.minimum_length",
            "it.password_policy.symbols",
            "it.password_policy.temporary_password_days",
            "it.tags.Name",
            "it.tags.tapctl:env",
            "it.tags.tapctl:node",
            "it.tags.tapctl:region",
            "it.tags.tapctl:stack",
        ],
    );
    let kept = bench.aws.python(&format!(
        "{POOL}print(json.dumps(cognito.describe_user_pool(UserPoolId=pool)['UserPool']['AutoVerifiedAttributes']))"
    ));
    assert_eq!(kept, json!(["email"]), "what is not in the spec stays");
    alter(
        "cognito.update_user_pool(UserPoolId=pool, PoolName='else', **{k: v for k, v in cognito.describe_user_pool(\
        UserPoolId=pool)['UserPool'].items() if k in ('Policies', 'DeletionProtection', 'MfaConfiguration', \
        'UserPoolTags')}, AdminCreateUserConfig={'AllowAdminCreateUserOnly': True})",
        &["it.name"],
    );
    bench.changes(&only(cognito::UserPool { mfa: Some("ON".to_owned()), ..user_pool() }), &["it.mfa"]);
    bench.ends();
}

#[test]
fn what_a_user_pool_gives_programs() {
    let bench = Bench::new();
    let stack = |scopes: &[(&str, &str)], name: &str, minutes: i32| {
        let mut stack = stack();
        let pool = stack.add("pool", cognito::UserPool { deletion_protection: false, ..user_pool() });
        let user_pool_id = pool.user_pool_id();
        let domain = "bench-123456789012".to_owned();
        stack.add("domain", cognito::UserPoolDomain { user_pool_id: user_pool_id.clone(), domain });
        let scopes: BTreeMap<_, _> =
            scopes.iter().map(|(name, what)| ((*name).to_owned(), (*what).to_owned())).collect();
        let names: Vec<String> = scopes.keys().cloned().collect();
        let server = cognito::ResourceServer {
            user_pool_id: user_pool_id.clone(),
            identifier: "students".to_owned(),
            name: name.to_owned(),
            scopes,
        };
        let server = stack.add("server", server);
        let client = cognito::UserPoolClient {
            user_pool_id,
            name: "campus".to_owned(),
            generate_secret: true,
            allowed_flows: ["client_credentials".to_owned()].into(),
            allowed_scopes: names.iter().map(|name| server.scope(name)).collect(),
            access_token_minutes: minutes,
        };
        stack.add("client", client);
        stack
    };
    let first = stack(&[("read", "reads records")], "Student records", 45);
    bench.begins(&first);
    let secret = "print(json.dumps(cognito.describe_user_pool_client(**campus)['UserPoolClient']['ClientSecret']))";
    let campus = format!(
        "{POOL}campus = {{'UserPoolId': pool, 'ClientId': cognito.list_user_pool_clients(UserPoolId=pool)\
         ['UserPoolClients'][0]['ClientId']}}\n"
    );
    let secret = bench.aws.python(&format!("{campus}{secret}"));
    let secret = secret.as_str().unwrap_or_default();
    assert!(secret.len() > 20 && !bench.state_text().contains(secret), "the secret is AWS's alone");
    let alter = |python: &str, fields: &[&str]| bench.repairs(&first, &format!("{campus}{python}"), fields);
    alter(
        "cognito.update_user_pool_client(**campus, CallbackURLs=['https://a.example'])",
        &["client.access_token_minutes", "client.allowed_flows", "client.allowed_scopes"],
    );
    alter(
        "cognito.update_resource_server(UserPoolId=pool, Identifier='students', Name='x', \
         Scopes=[{'ScopeName': 'read', 'ScopeDescription': 'x'}, {'ScopeName': 'write', 'ScopeDescription': 'y'}])",
        &["server.name", "server.scopes.read", "server.scopes.write"],
    );
    alter("cognito.delete_user_pool_client(**campus)", &["create client"]);
    alter("cognito.delete_user_pool_domain(UserPoolId=pool, Domain='bench-123456789012')", &["create domain"]);
    let more = stack(&[("read", "reads records"), ("write", "writes records")], "Records", 30);
    bench.changes(
        &more,
        &["client.access_token_minutes", "client.allowed_scopes", "server.name", "server.scopes.write"],
    );
    bench.ends();
}

#[test]
fn a_route_for_tokens_of_a_user_pool() {
    let bench = Bench::new();
    let stack = |also: &[&str]| {
        let mut stack = stack();
        let pool = stack.add("pool", cognito::UserPool { deletion_protection: false, ..user_pool() });
        let server = cognito::ResourceServer {
            user_pool_id: pool.user_pool_id(),
            identifier: "students".to_owned(),
            name: "Student records".to_owned(),
            scopes: ["read", "write"].map(|scope| (scope.to_owned(), format!("may {scope}"))).into(),
        };
        let server = stack.add("server", server);
        let scopes = ["read"].iter().chain(also).map(|scope| server.scope(scope)).collect();
        let route = |authorization| Route {
            authorization,
            api_key_required: true,
            parameters: BTreeMap::new(),
            integration: Integration::HttpProxy(HttpProxy {
                http_method: "GET".to_owned(),
                uri: "https://students.example".into(),
                link: None,
                insecure_skip_verification: false,
                request_parameters: BTreeMap::new(),
                origin_key: None,
                request_templates: BTreeMap::new(),
                passthrough: "WHEN_NO_MATCH".to_owned(),
                timeout_ms: 29_000,
            }),
        };
        let api = RestApi {
            name: "bench".to_owned(),
            description: "Student records".to_owned(),
            security_policy: Some("TLS_1_2".to_owned()),
            endpoint_access_mode: None,
            minimum_compression: None,
            policy: None,
            routes: [
                ("GET /students".to_owned(), route(Authorization::Cognito { user_pool_arn: pool.arn(), scopes })),
                ("GET /reports".to_owned(), route(Authorization::Iam)),
            ]
            .into(),
            answers: None,
            tags: BTreeMap::new(),
        };
        stack.add("api", api);
        stack
    };
    let first = stack(&[]);
    bench.begins(&first);
    let api = "
gateway = client('apigateway')
api = gateway.get_rest_apis()['items'][0]['id']
paths = {item['path']: item for item in gateway.get_resources(restApiId=api, embed=['methods'])['items']}
students = {'restApiId': api, 'resourceId': paths['/students']['id'], 'httpMethod': 'GET'}
authorizer = gateway.get_authorizers(restApiId=api)['items'][0]
";
    let method = bench.aws.python(&format!("{api}print(json.dumps(paths['/students']['resourceMethods']['GET']))"));
    assert_eq!(method["authorizationType"], "COGNITO_USER_POOLS");
    assert_eq!(method["authorizationScopes"], json!(["students/read"]));
    let authorizers = bench.aws.python(&format!("{api}print(json.dumps(authorizer))"));
    assert_eq!(authorizers["providerARNs"], json!([bench.output("pool", "arn")]));
    let alter = |python: &str, field: &str| {
        bench.repairs(&first, &format!("{api}{python}"), &[&format!("api.routes.GET /students.{field}")]);
    };
    alter(
        "other = 'arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_Other'
change = [{'op': 'add', 'path': '/providerARNs', 'value': other},
          {'op': 'remove', 'path': '/providerARNs', 'value': authorizer['providerARNs'][0]}]
gateway.update_authorizer(restApiId=api, authorizerId=authorizer['id'], patchOperations=change)",
        "authorization.COGNITO_USER_POOLS.user_pool_arn",
    );
    alter(
        "change = [{'op': 'replace', 'path': '/authorizationType', 'value': 'NONE'}]
gateway.update_method(**students, patchOperations=change)",
        "authorization",
    );
    alter(
        "change = [{'op': 'add', 'path': '/authorizationScopes', 'value': 'students/write'}]
gateway.update_method(**students, patchOperations=change)",
        "authorization.COGNITO_USER_POOLS.scopes",
    );
    let wider = stack(&["write"]);
    bench.changes(&wider, &["api.routes.GET /students.authorization.COGNITO_USER_POOLS.scopes"]);
    bench.ends();
}
