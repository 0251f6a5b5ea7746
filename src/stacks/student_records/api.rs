//! S12: the API: its routes, its stage, who may call it and how often.

use std::collections::BTreeMap;

use super::super::gateway::{Staged, TIMEOUT_MS};
use super::super::network::Network;
use super::callers::Callers;
use super::data::Data;
use super::groups::Groups;
use super::identity::Roles;
use super::ingress::Ingress;
use super::keys::Keys;
use super::{Builder, Class};
use crate::resource::Tags;
use crate::resources::apigateway::route::{HttpProxy, Integration, Link, Route, path_mappings, path_parameters};
use crate::resources::apigateway::{RestApi, Stage};
use crate::resources::apigatewayv2::VpcLink;
use crate::resources::ec2::SecurityGroup;
use crate::stack::{Node, Out};

/// Answers of this many bytes or more are compressed.
const COMPRESS_FROM: i32 = 1024;

/// What the service answers: method and path.
const PROXIED: &[(&str, &str)] = &[
    ("GET", "/students"),
    ("POST", "/students"),
    ("GET", "/students/{id}"),
    ("PUT", "/students/{id}"),
    ("DELETE", "/students/{id}"),
    ("GET", "/students/search"),
    ("GET", "/health"),
];
/// What the paths of all that begin with.
pub(super) const FIRST_WORDS: [&str; 2] = ["health", "students"];
/// Where grades, enrollment and attendance come in.
const EVENTS: (&str, &str) = ("POST", "/students/{id}/events");

/// Turns an event into what Kinesis takes; see the comments there.
const EVENT_TEMPLATE: &str = include_str!("event.vtl");
/// What stands in the template for the stream's name.
const STREAM: &str = "STREAM_NAME";

/// Whether callers choose a part of a path.
pub(super) fn has_path_variables() -> bool {
    PROXIED.iter().chain([&EVENTS]).any(|(_, path)| path.contains('{'))
}

pub(super) struct Api {
    pub stage: Node<Stage>,
}

impl Builder<'_> {
    pub(super) fn api(
        &mut self,
        keys: &Keys,
        network: &Network,
        groups: &Groups,
        data: &Data,
        roles: &Roles,
        ingress: &Ingress,
    ) -> Api {
        let callers = self.callers();
        self.layer("apigateway", Class::Internal);
        let link = groups.link.as_ref().map(|group| self.vpc_link(group, network, ingress));
        let api = self.rest_api(link.as_ref(), &callers, data, roles, ingress);
        let stage = Staged { name: self.config.env.to_string(), data_trace: false };
        let stage = self.stage(&api, stage, &keys.logs, &roles.api_logs);
        for system in &self.config.api.campus_systems {
            self.campus_system(system, &api, &stage);
        }
        Api { stage }
    }

    fn vpc_link(&mut self, group: &Node<SecurityGroup>, network: &Network, ingress: &Ingress) -> Link {
        let role = self.service_linked_role("apigateway", "ops.apigateway.amazonaws.com");
        let link = self.stack.add(
            "vpc-link",
            VpcLink {
                name: self.name("link"),
                subnet_ids: network.private_ids(),
                security_group_ids: [group.group_id()].into(),
                service_linked_role: Some(role.service()),
                tags: Tags::new(),
            },
        );
        Link { vpc_link_id: link.vpc_link_id(), load_balancer_arn: ingress.linked_arn.clone() }
    }

    fn rest_api(
        &mut self,
        link: Option<&Link>,
        callers: &Callers,
        data: &Data,
        roles: &Roles,
        ingress: &Ingress,
    ) -> Node<RestApi> {
        let mut routes: BTreeMap<String, Route> = PROXIED
            .iter()
            .map(|(method, path)| (format!("{method} {path}"), self.proxied(method, path, link, callers, ingress)))
            .collect();
        routes.insert(format!("{} {}", EVENTS.0, EVENTS.1), self.events(callers, data, roles));
        self.stack.add(
            "rest-api",
            RestApi {
                name: self.name("records"),
                description: format!("Student records, {}", self.config.env),
                security_policy: Some("TLS_1_2".into()),
                endpoint_access_mode: None,
                minimum_compression: Some(COMPRESS_FROM),
                policy: None,
                routes,
                answers: Some(ingress.open.clone()),
                tags: Tags::new(),
            },
        )
    }

    fn proxied(&self, method: &str, path: &str, link: Option<&Link>, callers: &Callers, ingress: &Ingress) -> Route {
        let proxy = HttpProxy {
            http_method: method.to_owned(),
            uri: Out::join(["https://".into(), ingress.host.clone(), path.into()]),
            link: link.cloned(),
            // No public authority signs a certificate that tapctl makes.
            insecure_skip_verification: self.config.ingress.certificate_arn.is_none(),
            request_parameters: mappings(path),
            origin_key: ingress.origin_key.clone(),
            // Whether a proxy runs them, AWS's pages do not agree on.
            request_templates: BTreeMap::new(),
            passthrough: "WHEN_NO_MATCH".into(),
            timeout_ms: TIMEOUT_MS,
        };
        Route {
            authorization: callers.with(if method == "GET" { "read" } else { "write" }),
            api_key_required: path != "/health",
            parameters: path_parameters(path),
            integration: Integration::HttpProxy(proxy),
        }
    }

    fn events(&self, callers: &Callers, data: &Data, roles: &Roles) -> Route {
        let (before, after) = EVENT_TEMPLATE.split_once(STREAM).unwrap_or((EVENT_TEMPLATE, ""));
        let template = Out::join([before.into(), data.stream.stream_name(), after.into()]);
        let service = self.put_record("event", template, &roles.api_events);
        Route {
            authorization: callers.with("events"),
            api_key_required: true,
            parameters: path_parameters(EVENTS.1),
            integration: Integration::AwsService(service),
        }
    }
}

/// What a call takes along to the service. It must not compress its answer: where no media type is a binary one, API Gateway
/// takes every payload for a text (Developer Guide, "Content type conversions in API Gateway"), and compresses it itself.
fn mappings(path: &str) -> BTreeMap<String, String> {
    let mut mappings = path_mappings(path);
    mappings.insert("integration.request.header.Accept-Encoding".to_owned(), "'identity'".to_owned());
    mappings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_begins_with_one_of_the_first_words() {
        let first = |path: &str| path.split('/').nth(1).map(str::to_owned);
        let words: std::collections::BTreeSet<_> = PROXIED.iter().filter_map(|(_, path)| first(path)).collect();
        assert_eq!(words, FIRST_WORDS.map(str::to_owned).into());
    }

    #[test]
    fn the_template_names_the_stream_once() {
        assert_eq!(EVENT_TEMPLATE.matches(STREAM).count(), 1);
    }
}
