//! A regional REST API with all its routes, written by one import of an OpenAPI document and read by one list of
//! resources. Its name is not unique, so it is found by its tags, and callers see a change only with a new deployment.

use std::collections::BTreeMap;

use aws_sdk_apigateway::primitives::Blob;
use aws_sdk_apigateway::types::{
    ApiStatus, Authorizer, EndpointAccessMode, EndpointConfiguration, EndpointType, PutMode,
    Resource as GatewayResource, RestApi as GatewayApi, SecurityPolicy,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::resources::origin_key::Values;
use crate::resources::prelude::*;

use super::openapi::Keys;
use super::route::{Integration, Route, check_routes};
use super::usage_plan::plans_that_open;
use super::{Listed, arn, execution_arn, find, openapi, replace, retag};

/// A regional REST API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestApi {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// The TLS versions and ciphers it accepts, as `TLS_1_2` or `SecurityPolicy_TLS13_1_2_2021_06`.
    pub security_policy: Option<String>,
    /// `BASIC` or `STRICT`; AWS wants it along with a policy whose name begins with `SecurityPolicy_`.
    pub endpoint_access_mode: Option<String>,
    /// Answers of this size or more are compressed, in bytes, 0-10485760. `None`: no answers are.
    pub minimum_compression: Option<i32>,
    /// Who may call, on top of what the routes ask for. Name its own methods as `execute-api:/…`. `None`: no policy.
    pub policy: Option<Value>,
    /// What it answers, by method and path as in `GET /students/{id}`; `ANY` is every method.
    pub routes: BTreeMap<String, Route>,
    /// Witness that what the routes call answers by the names that they call it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<Out<String>>,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RestApiOutputs {
    /// The API's id.
    pub rest_api_id: String,
    /// The id of the resource `/`.
    pub root_resource_id: String,
    /// The ARN of the API as something to manage.
    pub arn: String,
    /// The ARN of all its stages and methods, but for the closing `/STAGE/METHOD/path`.
    pub execution_arn: String,
    /// A hash of all that a deployment freezes.
    pub hash: String,
}

impl Node<RestApi> {
    /// The API's id.
    pub fn rest_api_id(&self) -> Out<String> {
        self.out("rest_api_id")
    }

    /// The id of the resource `/`.
    pub fn root_resource_id(&self) -> Out<String> {
        self.out("root_resource_id")
    }

    /// The ARN of the API as something to manage.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The ARN of all its stages and methods, but for the closing `/STAGE/METHOD/path`.
    pub fn execution_arn(&self) -> Out<String> {
        self.out("execution_arn")
    }

    /// A hash of all that a deployment freezes.
    pub fn hash(&self) -> Out<String> {
        self.out("hash")
    }
}

impl Listed for GatewayApi {
    const KEY: &'static str = "apigateway.rest-apis";

    fn id(&self) -> &str {
        self.id().unwrap_or_default()
    }

    fn tags(&self) -> Tags {
        tags::read(self.tags.clone().unwrap_or_default())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Self>> {
        let pages = cx.apigateway.get_rest_apis().limit(500).into_paginator().items().send();
        let mut apis: Vec<Self> = pages.collect::<Result<_, _>>().await?;
        apis.sort_by_key(|api| api.created_date);
        Ok(apis)
    }

    async fn get(cx: &Cx<'_>, id: &str) -> Result<Option<Self>> {
        let api = cx.apigateway.get_rest_api().rest_api_id(id).send().await.if_present()?;
        Ok(api.map(|api| {
            GatewayApi::builder()
                .set_id(api.id)
                .set_name(api.name)
                .set_description(api.description)
                .set_minimum_compression_size(api.minimum_compression_size)
                .set_policy(api.policy)
                .set_tags(api.tags)
                .set_root_resource_id(api.root_resource_id)
                .set_security_policy(api.security_policy)
                .set_endpoint_access_mode(api.endpoint_access_mode)
                .set_api_status(api.api_status)
                .set_api_status_message(api.api_status_message)
                .build()
        }))
    }
}

impl Resource for RestApi {
    type Cloud = Aws;
    type Outputs = RestApiOutputs;
    const KIND: &'static str = "apigateway.rest_api";
    const TWINS: bool = true;
    const WITNESSES: &'static [&'static str] = &["answers"];
    /// A deployment is keyed by it, and must be planned along with the change.
    const VOLATILE: &'static [&'static str] = &["hash"];
    const PRECIOUS: Option<&'static str> = Some("the URL");
    // A change of the security policy takes AWS a quarter of an hour.
    const WAIT: Wait = Wait::seconds(4, 1800, 300);

    fn check(&self) -> std::result::Result<(), String> {
        if self.name.is_empty() {
            return Err("name is empty; AWS wants a name".to_owned());
        }
        if self.description.is_empty() {
            return Err("description is empty; AWS wants one that says something".to_owned());
        }
        if let Some(size) = self.minimum_compression.filter(|size| !(0..=10_485_760).contains(size)) {
            return Err(format!("minimum_compression is {size}; AWS allows 0-10485760"));
        }
        match (self.security_policy.as_deref(), self.endpoint_access_mode.as_deref()) {
            (_, Some(mode)) if !["BASIC", "STRICT"].contains(&mode) => {
                Err(format!("endpoint_access_mode is {mode}; AWS allows BASIC, STRICT"))
            }
            (Some(policy), None) if policy.starts_with("SecurityPolicy_") => {
                Err(format!("security_policy is {policy}, which needs an endpoint_access_mode"))
            }
            _ => check_routes(&self.routes),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<GatewayApi>(cx, id).await?.into_iter();
        let Some(api) = found.next() else { return Ok(None) };
        let id = Listed::id(&api).to_owned();
        let Some(resources) = resources(cx, &id).await? else { return Ok(None) };
        let authorizers = match openapi::names_authorizer(&resources) {
            true => authorizers(cx, &id).await?,
            false => Vec::new(),
        };
        let keys = match openapi::sends_key(&resources) {
            true => self.keys(cx).await?,
            false => Keys::default(),
        };
        let execution_arn = execution_arn(cx, &id);
        let live = RestApi {
            name: api.name().unwrap_or_default().to_owned(),
            description: api.description().unwrap_or_default().to_owned(),
            security_policy: api.security_policy().map(|policy| policy.as_str().to_owned()),
            endpoint_access_mode: api.endpoint_access_mode().map(|mode| mode.as_str().to_owned()),
            minimum_compression: api.minimum_compression_size(),
            policy: api
                .policy()
                .filter(|text| !text.is_empty())
                .map(|text| policy(text, &execution_arn))
                .transpose()?,
            routes: openapi::routes(&resources, &authorizers, &keys),
            answers: self.answers.clone(),
            tags: Listed::tags(&api),
        };
        let outputs = RestApiOutputs {
            arn: arn(cx, &format!("/restapis/{id}")),
            root_resource_id: root(&api, &resources).always("root resource id")?,
            hash: hash(&live),
            rest_api_id: id.clone(),
            execution_arn,
        };
        let mut observed = Observed::ready(id, live, outputs).in_phase(phase(&api));
        observed.duplicates = found.filter_map(|api| api.id).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .apigateway
            .create_rest_api()
            .name(&self.name)
            .description(&self.description)
            .endpoint_configuration(EndpointConfiguration::builder().types(EndpointType::Regional).build())
            .set_security_policy(self.security_policy.as_deref().map(SecurityPolicy::from))
            .set_endpoint_access_mode(self.endpoint_access_mode.as_deref().map(EndpointAccessMode::from))
            .set_tags(Some(self.tags.clone().into_iter().collect()))
            .send()
            .await?;
        made.id.always("REST API id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let id = &observed.id;
        // The import sets the other fields as well; what it should leave undone, the next look finds.
        if diff.has_any(&["routes", "policy"]) {
            return self.import(cx, id).await;
        }
        let settings = [
            ("name", "/name", Some(self.name.clone())),
            ("description", "/description", Some(self.description.clone())),
            ("security_policy", "/securityPolicy", self.security_policy.clone()),
            ("endpoint_access_mode", "/endpointAccessMode", self.endpoint_access_mode.clone()),
            ("minimum_compression", "/minimumCompressionSize", self.minimum_compression.map(|size| size.to_string())),
        ];
        let patches: Vec<_> = settings
            .into_iter()
            .filter(|(field, ..)| diff.has(field))
            .filter_map(|(_, path, value)| Some(replace(path, value?)))
            .collect();
        if !patches.is_empty() {
            cx.apigateway.update_rest_api().rest_api_id(id).set_patch_operations(Some(patches)).send().await?;
        }
        if diff.has("tags") {
            retag(cx, &arn(cx, &format!("/restapis/{id}")), &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        observed.live.let_go_of_links(cx, &observed.id).await?;
        cx.apigateway.delete_rest_api().rest_api_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    /// Its stages go with it, those of others too.
    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        plans_that_open(cx, &observed.id, None).await
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "apigateway", "/restapis/", index::by_rest).await
    }
}

impl RestApi {
    /// The key that its routes send, with what its versions hold.
    async fn keys(&self, cx: &Cx<'_>) -> Result<Keys<'_>> {
        let wanted = self.routes.values().find_map(Route::origin_key);
        Ok(Keys { wanted, values: Values::of_secret(cx, wanted).await? })
    }

    /// A method that goes while it leads through a VPC link may leave the link in use for ever (API Gateway Developer Guide,
    /// "Amazon API Gateway important notes"): before it goes, it leads nowhere.
    async fn let_go_of_links(&self, cx: &Cx<'_>, id: &str) -> Result<()> {
        let mut idle = self.clone();
        let linked =
            |route: &&mut Route| matches!(&route.integration, Integration::HttpProxy(http) if http.link.is_some());
        let mut held = idle.routes.values_mut().filter(linked).peekable();
        if held.peek().is_none() {
            return Ok(());
        }
        held.for_each(|route| route.integration = Integration::Other { kind: "mock".to_owned() });
        let document = Blob::new(openapi::openapi(&idle, &Values::default())?.to_string());
        let ask = cx.apigateway.put_rest_api().rest_api_id(id).mode(PutMode::Overwrite).body(document);
        ask.send().await.if_present()?;
        Ok(())
    }

    /// AWS takes a document it does not like all of, warns, and drops what it warned of: API reference, `PutRestApi`. What
    /// is there all the same is no fault.
    async fn import(&self, cx: &Cx<'_>, id: &str) -> Result<()> {
        let keys = self.keys(cx).await?;
        let document = Blob::new(openapi::openapi(self, &keys.values)?.to_string());
        let ask = cx.apigateway.put_rest_api().rest_api_id(id).mode(PutMode::Overwrite).body(document);
        let answer = ask.send().await.map_err(|error| keys.values.cut_out_of_fault(error))?;
        let warnings = keys.values.cut_out_of(&answer.warnings.unwrap_or_default().join("; "));
        if warnings.is_empty() {
            return Ok(());
        }
        let found = resources(cx, id).await?.unwrap_or_default();
        let missing = openapi::missing(&self.routes, &found, &keys);
        match missing.is_empty() {
            true => tracing::warn!(%warnings, id, "warnings of PutRestApi"),
            false => return Err(Fault::invalid(format!("AWS dropped a part of {}: {warnings}", missing.join(", ")))),
        }
        Ok(())
    }
}

/// Every resource with its methods and their integrations. `None`: the API is gone.
async fn resources(cx: &Cx<'_>, id: &str) -> Result<Option<Vec<GatewayResource>>> {
    let call = cx.apigateway.get_resources().rest_api_id(id).embed("methods").limit(500);
    call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await.if_present()
}

/// Every authorizer; one page holds more than AWS allows an API.
async fn authorizers(cx: &Cx<'_>, id: &str) -> Result<Vec<Authorizer>> {
    let answer = cx.apigateway.get_authorizers().rest_api_id(id).limit(500).send().await.if_present()?;
    Ok(answer.and_then(|answer| answer.items).unwrap_or_default())
}

fn root(api: &GatewayApi, resources: &[GatewayResource]) -> Option<String> {
    let listed = || resources.iter().find(|resource| resource.path() == Some("/")).and_then(|root| root.id());
    api.root_resource_id().or_else(listed).map(str::to_owned)
}

fn phase(api: &GatewayApi) -> Phase {
    match api.api_status() {
        None | Some(ApiStatus::Available) => Phase::Ready,
        Some(ApiStatus::Failed) => {
            Phase::Failed(format!("FAILED: {}", api.api_status_message().unwrap_or("no message")))
        }
        Some(status) => Phase::Pending(status.as_str().to_owned()),
    }
}

/// The policy as it was written: AWS returns it with its quotes escaped once more, and with `execute-api:/` completed
/// to the API's whole ARN.
fn policy(text: &str, execution_arn: &str) -> Result<Value> {
    let parse = |json: &str| serde_json::from_str(&json.replace(&format!("{execution_arn}/"), "execute-api:/"));
    parse(text)
        .or_else(|_| parse(&serde_json::from_str::<String>(&format!("\"{text}\""))?))
        .map_err(|error| Fault::unexpected(format!("the policy of the API cannot be read: {error}")))
}

/// The same for the same content, whatever order AWS lists it in.
fn hash(api: &RestApi) -> String {
    let frozen =
        json!([api.routes, api.policy, api.minimum_compression, api.security_policy, api.endpoint_access_mode]);
    Sha256::digest(frozen.to_string()).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_reads_back_as_it_was_written() {
        let want = json!({"Statement": [{"Effect": "Allow", "Resource": "execute-api:/*"}]});
        let arn = "arn:aws:execute-api:us-east-1:123456789012:abc";
        let live = want.to_string().replace("execute-api:/*", &format!("{arn}/*"));
        assert_eq!(policy(&live, arn).unwrap(), want);
        assert_eq!(policy(&live.replace('"', "\\\""), arn).unwrap(), want);
    }
}
