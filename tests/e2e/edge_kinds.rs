//! The life of kinds at the edge of a system, each on its own: made, made again without a difference, found with the
//! state lost, repaired after each drift, changed, removed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tapctl::aws::Aws;
use tapctl::engine::{self, Engine, Options, Scope, Silent, Stop};
use tapctl::plan::{self, Observations, Plan};
use tapctl::resource::{Kinds, Pass, Resource};
use tapctl::resources::apigateway::{Authorization, HttpProxy, Integration, RestApi, Route};
use tapctl::resources::{self, cognito, wafv2};
use tapctl::stack::{self, Entry, Node, Stack};
use tapctl::state::{LocalStore, State, Store};

use crate::harness::{Desk, LocalAws, Sweep, in_a_process_of_its_own_run};

/// Tells the test that is run in a process of its own what to do.
const VERB: &str = "TAPCTL_BENCH_VERB";
const STATE: &str = "state.json";

/// A local AWS, and a process that works on it with a stack of its own.
struct Bench {
    aws: LocalAws,
    desk: Desk,
    before: Sweep,
}

fn stack() -> Stack {
    Stack::new("bench", "dev")
}

/// A stack of one node.
fn only<R: Resource>(spec: R) -> Stack {
    let mut stack = stack();
    let _: Node<R> = stack.add("it", spec);
    stack
}

impl Bench {
    fn new() -> Bench {
        Bench::after("")
    }

    /// A bench where this has been done before.
    fn after(python: &str) -> Bench {
        let aws = LocalAws::lease();
        aws.python(python);
        let (desk, before) = (Desk::at(&aws), aws.sweep());
        Bench { aws, desk, before }
    }

    fn run(&self, verb: &str, stack: &Stack) -> Vec<String> {
        let nodes: BTreeMap<_, _> = stack.nodes.iter().map(|(name, node)| (name, (node.kind, &node.spec))).collect();
        std::fs::write(self.desk.path("stack.json"), json!(nodes).to_string()).expect("the stack can be written");
        in_a_process_of_its_own_run(&self.desk, "edge_kinds::in_a_process_of_its_own", &[(VERB, verb)]);
        let answer = std::fs::read_to_string(self.desk.path("answer.json")).expect("there is an answer");
        serde_json::from_str(&answer).expect("the answer is a list")
    }

    fn apply(&self, stack: &Stack) -> Vec<String> {
        self.run("apply", stack)
    }

    /// The fields that an apply would change.
    fn plan(&self, stack: &Stack) -> Vec<String> {
        self.run("plan", stack)
    }

    fn state(&self) -> Value {
        serde_json::from_str(&self.state_text()).expect("the state is JSON")
    }

    fn state_text(&self) -> String {
        std::fs::read_to_string(self.desk.path(STATE)).expect("there is a state")
    }

    fn output(&self, node: &str, name: &str) -> String {
        self.state()["nodes"][node]["outputs"][name].as_str().unwrap_or_default().to_owned()
    }

    /// Makes a stack, makes it again, loses the state, and finds every object both by id and without.
    fn begins(&self, stack: &Stack) {
        let mut made: Vec<String> = stack.nodes.keys().map(|node| format!("created {node}")).collect();
        let mut done = self.apply(stack);
        (made.sort(), done.sort());
        assert_eq!(done, made);
        self.is_as_wanted(stack);
        let mark = self.aws.mark();
        std::fs::remove_file(self.desk.path(STATE)).expect("there is a state");
        self.apply(stack);
        assert_eq!(self.aws.writes_since(mark), [""; 0], "with the state lost, everything is found again");
        self.is_as_wanted(stack);
    }

    /// Nothing to do, and every kind sees what it wrote.
    fn is_as_wanted(&self, stack: &Stack) {
        assert_eq!(self.plan(stack), [""; 0]);
        self.judge(&[]);
    }

    fn judge(&self, gone: &[(&str, &str)]) {
        let variables = [&[("TAPCTL_CONTRACT_STATE", STATE)], gone].concat();
        in_a_process_of_its_own_run(&self.desk, "contract::in_a_process_of_its_own", &variables);
    }

    /// Lets somebody change something, which is seen in exactly these fields, and repaired.
    fn repairs(&self, stack: &Stack, python: &str, fields: &[&str]) {
        self.aws.python(python);
        assert_eq!(self.plan(stack), fields, "{python}");
        self.apply(stack);
        assert_eq!(self.plan(stack), [""; 0], "{python}");
    }

    /// Changes the stack, in place, in exactly these fields.
    fn changes(&self, stack: &Stack, fields: &[&str]) {
        assert_eq!(self.plan(stack), fields);
        let done = self.apply(stack);
        assert!(done.iter().all(|line| !line.starts_with("replaced")), "{done:?}");
        self.is_as_wanted(stack);
    }

    /// Removes everything; nothing is left but what was there before.
    fn ends(self) {
        std::fs::copy(self.desk.path(STATE), self.desk.path("last.json")).expect("there is a state");
        self.run("destroy", &stack());
        assert_eq!(self.aws.sweep().leftovers().names(), self.before.leftovers().names());
        std::fs::copy(self.desk.path("last.json"), self.desk.path(STATE)).expect("it was copied");
        self.judge(&[("TAPCTL_CONTRACT_GONE", "yes")]);
        self.aws.assert_lawful();
    }
}

#[tokio::test]
#[ignore = "run by the tests of this file"]
async fn in_a_process_of_its_own() {
    let Ok(verb) = std::env::var(VERB) else { return };
    let aws = Aws::connect("us-east-1").await.expect("AWS answers");
    let kinds = resources::registry();
    let stack = stack_on_the_desk(&kinds);
    let store = LocalStore::new(STATE);
    let state = match store.load().await.expect("the state can be read") {
        Some(text) => State::parse(&text, STATE).expect("it is a state"),
        None => State::new(&stack.name, &stack.env, &aws.account, &aws.region),
    };
    let pass = Pass::default();
    let wanted = (verb != "destroy").then_some(&stack);
    let scope = Scope { cloud: &aws, kinds: &kinds, pass: &pass, parallelism: 8, adopt: false, only: None };
    let seen = engine::observe(&scope, wanted, &state).await.unwrap_or_else(|failures| panic!("{failures:?}"));
    let facts = |kind: &str| kinds.get(kind).map(|kind| kind.facts());
    let plan = plan::plan(&stack, &state, &seen, &facts).expect("it can be planned");
    let answer = match verb.as_str() {
        "plan" => fields(&plan),
        _ => act(&verb, &aws, &kinds, &stack, &plan, state, pass, seen).await,
    };
    std::fs::write("answer.json", json!(answer).to_string()).expect("the answer can be written");
}

fn stack_on_the_desk(kinds: &Kinds<Aws>) -> Stack {
    let text = std::fs::read_to_string("stack.json").expect("there is a stack");
    let nodes: BTreeMap<String, (String, Value)> = serde_json::from_str(&text).expect("it is a stack");
    let mut stack = stack();
    for (name, (kind, spec)) in nodes {
        let kind = kinds.names().find(|known| *known == kind).expect("the kind is registered");
        kinds.get(kind).expect("it is known").check(&spec).unwrap_or_else(|why| panic!("{name}: {why}"));
        stack.nodes.insert(name, Entry { kind, edges: stack::edges(&spec), spec });
    }
    stack
}

/// `node.path` of every difference, and `word node` of every other step that does something.
fn fields(plan: &Plan) -> Vec<String> {
    let mut fields = Vec::new();
    for step in plan.changes() {
        let changes = step.action.diff().map(|diff| diff.changes.as_slice()).unwrap_or_default();
        fields.extend(changes.iter().map(|change| format!("{}.{}", step.node, change.path)));
        if changes.is_empty() || step.action.destroys() {
            fields.push(format!("{} {}", step.action.word(), step.node));
        }
    }
    fields.sort();
    fields
}

#[allow(clippy::too_many_arguments, reason = "each is one thing an engine stands on")]
async fn act(
    verb: &str,
    aws: &Aws,
    kinds: &Kinds<Aws>,
    stack: &Stack,
    plan: &Plan,
    state: State,
    pass: Pass,
    seen: Observations,
) -> Vec<String> {
    let store = LocalStore::new(STATE);
    let chosen: BTreeSet<String> = state.nodes.keys().chain(stack.nodes.keys()).cloned().collect();
    let (_ask, stop) = Stop::new();
    let options = Options { settle: std::time::Duration::from_secs(5), ..Options::default() };
    let engine = Engine::new(aws, kinds, &store, &Silent, options, stop, state, pass, seen);
    let report = match verb {
        "destroy" => engine.destroy(&chosen).await,
        _ => engine.apply(stack, plan, &chosen).await,
    };
    let report = report.expect("the state can be saved");
    let failures: Vec<String> = report.failures.iter().map(ToString::to_string).collect();
    assert!(report.is_complete(), "{}", failures.join("\n"));
    report.done.iter().map(|(node, outcome)| format!("{} {node}", outcome.as_str())).collect()
}

fn web_acl() -> wafv2::WebAcl {
    wafv2::WebAcl {
        name: "bench-waf".to_owned(),
        description: "Student records API".to_owned(),
        managed_rule_groups: ["AWSManagedRulesCommonRuleSet", "AWSManagedRulesSQLiRuleSet"].map(str::to_owned).to_vec(),
        rate_limit: Some(2000),
        by_hand: BTreeSet::new(),
        tags: BTreeMap::new(),
    }
}

/// Fetches the web ACL as `acl`, and writes it back with what is put into `change`.
const ALTER_ACL: &str = "
waf = client('wafv2')
summary = waf.list_web_acls(Scope='REGIONAL')['WebACLs'][0]
named = {'Name': summary['Name'], 'Id': summary['Id'], 'Scope': 'REGIONAL'}
found = waf.get_web_acl(**named)
acl = found['WebACL']
def alter(**change):
    kept = {name: acl[name] for name in ('DefaultAction', 'Description', 'Rules', 'VisibilityConfig')}
    waf.update_web_acl(**named, LockToken=found['LockToken'], **kept | change)
";

#[test]
fn a_web_acl() {
    let bench = Bench::new();
    let stack = only(web_acl());
    bench.begins(&stack);
    let alter = |python: &str, fields: &[&str]| bench.repairs(&stack, &format!("{ALTER_ACL}{python}"), fields);
    alter("alter(Description='Somebody was here')", &["it.description"]);
    alter("alter(DefaultAction={'Block': {}})", &["it.by_hand"]);
    alter("acl['Rules'][0]['Statement']['RateBasedStatement']['Limit'] = 500\nalter()", &["it.rate_limit"]);
    alter("acl['Rules'].pop(0)\nalter()", &["it.rate_limit"]);
    alter("acl['Rules'].pop()\nalter()", &["it.managed_rule_groups"]);
    alter("alter(Rules=[])", &["it.managed_rule_groups", "it.rate_limit"]);
    alter("acl['Rules'][2]['OverrideAction'] = {'Count': {}}\nalter()", &["it.by_hand", "it.managed_rule_groups"]);
    alter(
        "geo = {'GeoMatchStatement': {'CountryCodes': ['AQ']}}\n\
         alter(Rules=acl['Rules'] + [acl['Rules'][0] | {'Name': 'mine', 'Priority': 9, 'Statement': geo}])",
        &["it.by_hand"],
    );
    alter("alter(VisibilityConfig=acl['VisibilityConfig'] | {'CloudWatchMetricsEnabled': False})", &["it.by_hand"]);
    alter(
        "waf.tag_resource(ResourceARN=acl['ARN'], Tags=[{'Key': 'Mine', 'Value': 'yes'}])\n\
         waf.untag_resource(ResourceARN=acl['ARN'], TagKeys=['Name'])",
        &["it.tags.Mine", "it.tags.Name"],
    );
    let groups = vec!["AWSManagedRulesKnownBadInputsRuleSet".to_owned()];
    let changed = only(wafv2::WebAcl { managed_rule_groups: groups, rate_limit: None, ..web_acl() });
    bench.changes(&changed, &["it.managed_rule_groups", "it.rate_limit"]);
    bench.changes(
        &only(wafv2::WebAcl { rate_limit: Some(100), ..web_acl() }),
        &["it.managed_rule_groups", "it.rate_limit"],
    );
    bench.ends();
}

#[test]
fn a_web_acl_in_front_of_a_stage() {
    let bench = Bench::after(
        "
gateway = client('apigateway')
api = gateway.create_rest_api(name='bench', endpointConfiguration={'types': ['REGIONAL']})
where = {'restApiId': api['id'], 'resourceId': api['rootResourceId'], 'httpMethod': 'GET'}
gateway.put_method(**where, authorizationType='NONE')
gateway.put_integration(**where, type='MOCK')
deployment = gateway.create_deployment(restApiId=api['id'])
gateway.create_stage(restApiId=api['id'], stageName='dev', deploymentId=deployment['id'])",
    );
    let api = bench.aws.python("print(json.dumps(client('apigateway').get_rest_apis()['items'][0]['id']))");
    let stage = format!("arn:aws:apigateway:us-east-1::/restapis/{}/stages/dev", api.as_str().unwrap_or_default());
    let mut stack = stack();
    let acl = stack.add("acl", web_acl());
    let resource_arn = stage.as_str().into();
    stack.add("guard", wafv2::WebAclAssociation { web_acl_arn: acl.arn(), resource_arn });
    bench.begins(&stack);
    assert_eq!(bench.output("guard", "protected_arn"), stage);
    let guard = format!("waf = client('wafv2')\nstage = '{stage}'\n");
    bench.repairs(&stack, &format!("{guard}waf.disassociate_web_acl(ResourceArn=stage)"), &["create guard"]);
    let other = "
seen = {'SampledRequestsEnabled': True, 'CloudWatchMetricsEnabled': True, 'MetricName': 'm'}
acl = waf.create_web_acl(Name='other', Scope='REGIONAL', DefaultAction={'Allow': {}}, VisibilityConfig=seen)['Summary']
waf.associate_web_acl(ResourceArn=stage, WebACLArn=acl['ARN'])";
    bench.repairs(&stack, &format!("{guard}{other}"), &["guard.web_acl_arn"]);
    let guarded = bench.aws.python(&format!(
        "{guard}print(json.dumps(waf.get_web_acl_for_resource(ResourceArn=stage)['WebACL']['Name']))
other = [acl for acl in waf.list_web_acls(Scope='REGIONAL')['WebACLs'] if acl['Name'] == 'other'][0]
waf.delete_web_acl(Name='other', Scope='REGIONAL', Id=other['Id'], LockToken=other['LockToken'])"
    ));
    assert_eq!(guarded, "bench-waf");
    bench.ends();
}

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
