//! P8: the API that takes records in, straight into the stream.

use std::collections::BTreeMap;

use super::super::gateway::Staged;
use super::data::Data;
use super::identity::Roles;
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::apigateway::route::{Authorization, Integration, Route};
use crate::resources::apigateway::{RestApi, Stage};
use crate::resources::kms::Key;
use crate::stack::{Node, Out};

/// Where records come in.
pub(super) const PATH: &str = "/ingest";
/// Turns a record into what Kinesis takes; see the comments there.
const TEMPLATE: &str = include_str!("ingest.vtl");
/// What stands in the template for the stream's name.
const STREAM: &str = "STREAM_NAME";

pub(super) struct Api {
    pub api: Node<RestApi>,
    pub stage: Node<Stage>,
}

pub(super) fn api(builder: &mut Builder, key: &Node<Key>, data: &Data, roles: &Roles) -> Api {
    builder.layer("apigateway", Class::Internal);
    let (before, after) = TEMPLATE.split_once(STREAM).unwrap_or((TEMPLATE, ""));
    let template = Out::join([before.into(), data.stream.stream_name(), after.into()]);
    let ingest = Route {
        authorization: Authorization::Iam,
        api_key_required: false,
        parameters: BTreeMap::new(),
        integration: Integration::AwsService(builder.put_record("record", template, &roles.ingest)),
    };
    let api = builder.stack.add(
        "rest-api",
        RestApi {
            name: builder.name("api"),
            description: builder.describe("Takes in records"),
            security_policy: Some("TLS_1_2".into()),
            endpoint_access_mode: None,
            minimum_compression: None,
            policy: None,
            routes: [(format!("POST {PATH}"), ingest)].into(),
            answers: None,
            tags: Tags::new(),
        },
    );
    let settings = &builder.config.pipeline;
    let stage = Staged { name: settings.stage.clone(), data_trace: settings.data_trace };
    let stage = builder.stage(&api, stage, key, &roles.api_logs);
    Api { api, stage }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_names_the_stream_once() {
        assert_eq!(TEMPLATE.matches(STREAM).count(), 1);
    }
}
