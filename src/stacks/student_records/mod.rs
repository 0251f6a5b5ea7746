//! `student-records`: a university's FERPA-compliant student data platform. One file a layer.

mod api;
mod compute;
mod data;
mod groups;
mod identity;
mod ingress;
mod keys;
mod network;
mod secrets;

use std::collections::BTreeMap;

use super::Place;
use crate::config::Config;
use crate::resource::Tags;
use crate::stack::Stack;

/// The engine of the database, as RDS names it.
pub(super) const DATABASE_ENGINE: &str = "aurora-postgresql";

/// How sensitive what an object holds is, by the university's classes.
#[derive(Debug, Clone, Copy)]
enum Class {
    /// Education records or the keys to them.
    Restricted,
    /// What carries or guards them.
    Internal,
}

/// What every layer needs while the stack grows.
struct Builder<'a> {
    config: &'a Config,
    place: &'a Place,
    stack: Stack,
}

impl Builder<'_> {
    /// `student-<thing>-<env>`.
    fn name(&self, thing: &str) -> String {
        format!("student-{thing}-{}", self.config.env)
    }

    /// Sets what the tags of the next layer's objects say.
    fn layer(&mut self, service: &str, class: Class) {
        let class = match class {
            Class::Restricted => "Restricted",
            Class::Internal => "Internal",
        };
        self.stack.tag([("Service", service.to_owned()), ("DataClassification", class.to_owned())]);
    }

    /// Days an object that can be taken back stays before it is gone for good.
    fn recovery_days(&self) -> i32 {
        if self.config.protect { 30 } else { 7 }
    }
}

/// Letters that tell the zones apart in names, whichever zones they are.
pub(super) fn zone_letters(count: usize) -> impl Iterator<Item = char> {
    ('a'..).take(count)
}

/// Builds the stack.
pub fn build(config: &Config, place: &Place) -> Stack {
    let mut stack = Stack::new(config.stack.as_str(), config.env.as_str()).with_prefix("student");
    let common: Tags = BTreeMap::from(
        [
            ("Environment", config.env.as_str()),
            ("Project", "StudentRecords"),
            ("Compliance", "FERPA"),
            ("ManagedBy", "tapctl"),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned())),
    );
    stack.tag(common);
    stack.tag(config.tags.clone());
    let mut builder = Builder { config, place, stack };
    let keys = builder.keys();
    let network = builder.network(&keys);
    let groups = builder.groups(&network);
    builder.endpoints(&network, &groups);
    let secrets = builder.secrets(&keys);
    let data = builder.data(&keys, &network, &groups, &secrets);
    let roles = builder.roles(&keys, &secrets, &data);
    let ingress = builder.ingress(&network, &groups);
    let service = builder.compute(&keys, &network, &groups, &secrets, &data, &roles, &ingress);
    let api = builder.api(&keys, &network, &groups, &data, &roles, &ingress);
    let mut stack = builder.stack;
    stack.output("vpc_id", network.vpc.vpc_id());
    stack.output("ecs_cluster_name", service.cluster.cluster_name());
    stack.output("aurora_cluster_endpoint", data.database.endpoint());
    stack.output("aurora_reader_endpoint", data.database.reader_endpoint());
    stack.output("redis_endpoint", data.cache.primary_endpoint());
    stack.output("kinesis_stream_name", data.stream.stream_name());
    stack.output("efs_file_system_id", data.files.file_system_id());
    stack.output("api_gateway_url", api.stage.invoke_url());
    stack.output("alb_dns_name", ingress.balancer.dns_name());
    stack
}
