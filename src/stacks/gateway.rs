//! What the API of every stack has: a stage with its logs, and a way into a stream.

use std::collections::BTreeMap;

use serde_json::json;

use super::builder::Builder;
use super::policy::trust_api_gateway;
use crate::resource::Tags;
use crate::resources::apigateway::route::{AwsService, Response};
use crate::resources::apigateway::{Account, Deployment, RestApi, Stage};
use crate::resources::iam::{Role, SharedRole};
use crate::resources::kms::Key;
use crate::stack::{Node, Out};

/// The longest a request may take, in milliseconds; AWS's own limit.
pub(super) const TIMEOUT_MS: i32 = 29_000;
/// What callers send. Whether a template for the first also serves the second, AWS does not say.
const CONTENT_TYPES: [&str; 2] = ["application/json", "application/json; charset=utf-8"];
/// Tells callers what Kinesis did not take; see the comments there.
const REFUSED: &str = include_str!("refused.vtl");
/// What stands in the template for what a caller sent.
const THING: &str = "THING";

/// What is special about a stage.
pub(super) struct Staged {
    /// Its name, which is part of its address.
    pub name: String,
    /// Whether the execution log holds whole requests and answers, personal data included.
    pub data_trace: bool,
}

impl Builder<'_> {
    /// API Gateway has one role for the logs of all its stages in an account and region. It therefore carries no
    /// environment in its name.
    pub fn api_logs_role(&mut self) -> Node<SharedRole> {
        let policy = "service-role/AmazonAPIGatewayPushToCloudWatchLogs";
        let role = SharedRole {
            name: "tapctl-api-gateway-logs".into(),
            description: "Writes the logs of API Gateway, for all stacks of the account".into(),
            assume_role_policy: trust_api_gateway(self.place),
            managed_policy_arns: [format!("arn:{}:iam::aws:policy/{policy}", self.place.partition)].into(),
            joined: true,
            tags_when_made: self.config.tags.clone(),
            path_when_made: Some(self.config.iam.role_path.clone()).filter(|path| path != "/"),
            boundary_when_made: self.config.iam.permissions_boundary.clone(),
        };
        self.stack.add("role-api-logs", role)
    }

    /// Puts into a stream what the template makes of a request. `what` it is, callers are told.
    pub fn put_record(&self, what: &str, template: Out<String>, role: &Node<Role>) -> AwsService {
        let uri = format!("arn:{}:apigateway:{}:kinesis:action/PutRecord", self.place.partition, self.place.region);
        let content_type = ("integration.request.header.Content-Type", "'application/x-amz-json-1.1'");
        let answer = |status: &str, body: &str| Response {
            status: status.to_owned(),
            templates: [("application/json".to_owned(), body.to_owned())].into(),
        };
        let accepted = "{\"sequenceNumber\": $input.json('$.SequenceNumber'), \"shardId\": $input.json('$.ShardId')}";
        let unavailable = format!("{{\"message\": \"the stream is not available; send the {what} again\"}}");
        AwsService {
            http_method: "POST".into(),
            uri: uri.as_str().into(),
            credentials: role.arn(),
            request_parameters: [(content_type.0.to_owned(), content_type.1.to_owned())].into(),
            request_templates: CONTENT_TYPES.map(|kind| (kind.to_owned(), template.clone())).into(),
            passthrough: "NEVER".into(),
            responses: BTreeMap::from([
                ("default".to_owned(), answer("202", accepted)),
                (r"4\d{2}".to_owned(), answer("400", &REFUSED.replace(THING, what))),
                (r"5\d{2}".to_owned(), answer("502", &unavailable)),
            ]),
            timeout_ms: TIMEOUT_MS,
        }
    }

    /// The stage of an API, with its logs under this key: every change of the API is deployed to it.
    pub fn stage(
        &mut self,
        api: &Node<RestApi>,
        stage: Staged,
        logs_key: &Node<Key>,
        logs_role: &Node<SharedRole>,
    ) -> Node<Stage> {
        let settings = &self.config.api;
        let Staged { name: stage, data_trace } = stage;
        let access = self.log_group("api-access", self.name("api-access"), logs_key);
        // API Gateway would make it itself, without key and retention.
        let name =
            Out::join(["API-Gateway-Execution-Logs_".into(), api.rest_api_id(), format!("/{stage}").as_str().into()]);
        let execution = self.log_group("api-execution", name, logs_key);
        let account = Account { cloudwatch_role_arn: logs_role.arn() };
        let account = self.stack.add("api-account", account);
        let deployment = Deployment { rest_api_id: api.rest_api_id(), api_hash: api.hash() };
        let deployment = self.stack.add("deployment", deployment);
        let tag = self.name("stage");
        self.stack.add(
            "stage",
            Stage {
                rest_api_id: api.rest_api_id(),
                name: stage,
                deployment_id: deployment.deployment_id(),
                access_log_group_arn: access.arn(),
                access_log_format: access_log_format(),
                logging_level: "INFO".into(),
                metrics: true,
                data_trace,
                throttle_rate: f64::from(settings.throttle_rate),
                throttle_burst: settings.throttle_burst,
                tracing: true,
                variables: BTreeMap::new(),
                account: account.cloudwatch_role_arn(),
                execution_log_group: Some(execution.group_name()),
                // Its own name is a word of its address.
                tags: Tags::from([("Name".to_owned(), tag)]),
            },
        )
    }
}

/// Who asked what, when, and what they got: the audit record of each request, without its content. Who signs is `caller`
/// and `user`; who shows a token is `client` and `subject` (developer guide, "Variables for access logging").
fn access_log_format() -> String {
    json!({
        "requestId": "$context.requestId",
        "extendedRequestId": "$context.extendedRequestId",
        "time": "$context.requestTime",
        "ip": "$context.identity.sourceIp",
        "caller": "$context.identity.caller",
        "user": "$context.identity.userArn",
        "client": "$context.authorizer.claims.client_id",
        "subject": "$context.authorizer.claims.sub",
        "apiKeyId": "$context.identity.apiKeyId",
        "method": "$context.httpMethod",
        "route": "$context.resourcePath",
        "path": "$context.path",
        "status": "$context.status",
        "error": "$context.error.responseType",
        "waf": "$context.waf.status",
        "wafStatus": "$context.wafResponseCode",
        "integrationStatus": "$context.integrationStatus",
        "latencyMs": "$context.responseLatency",
        "integrationLatencyMs": "$context.integrationLatency",
        "responseBytes": "$context.responseLength",
    })
    .to_string()
}
