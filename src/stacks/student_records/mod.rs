//! `student-records`: a university's FERPA-compliant student data platform. One file a layer.

mod api;
mod audit;
mod callers;
mod compute;
mod data;
mod groups;
mod identity;
mod ingress;
mod keys;
mod monitoring;
mod proxy;
mod secrets;

pub use self::ingress::target_group_name;
use self::monitoring::Watched;
use super::builder::{Builder, Class, Names, zone_letters};
use super::handover::Handover;
use super::{Place, Recorded};
use crate::config::{Config, IngressMode};
use crate::stack::{Stack, Turn};

/// The engine of the database, as RDS names it.
pub(super) const DATABASE_ENGINE: &str = "aurora-postgresql";
/// The class of the cluster's instances.
pub(super) const INSTANCE_CLASS: &str = "db.serverless";

/// What comes first. Tasks that come up beside others are not all that there will be.
fn turn(config: &Config, place: &Place) -> Option<Turn> {
    let turn = place.recorded.turn(config.service.port)?;
    let later = || Place { recorded: Recorded { handover: None, ..place.recorded.clone() }, ..place.clone() };
    let beside = matches!(place.recorded.handover, Some(Handover::Beside { .. }));
    Some(Turn { end: beside.then(|| Box::new(build(config, &later()))), ..turn })
}

fn names() -> Names {
    Names::ThingFirst("student".into())
}

/// Builds the stack.
pub fn build(config: &Config, place: &Place) -> Stack {
    let tags = [("Project", "StudentRecords"), ("Compliance", "FERPA")];
    let mut builder = Builder::new(config, place, names(), &tags);
    let keys = builder.keys();
    let trail = builder.audit(&keys);
    let network = builder.network(&keys.logs);
    let groups = builder.groups(&network);
    builder.endpoints(&network, groups.endpoints.as_ref());
    let secrets = builder.secrets(&keys);
    let data = builder.data(&keys, &network, &groups, &secrets);
    let writer = builder.writer(&keys, &network, &groups, &data);
    let roles = builder.roles(&keys, &secrets, &data);
    let ingress = builder.ingress(&network, &groups, &secrets);
    let service = builder.compute(&keys, &network, &groups, &secrets, &data, &writer, &roles, &ingress);
    let api = builder.api(&keys, &network, &groups, &data, &roles, &ingress);
    builder.guard_stage(api.stage.arn(), api::has_path_variables());
    if config.ingress.mode == IngressMode::Public {
        builder.guard_balancer(ingress.balancer.arn());
        builder.refuse_others(&ingress, &api.stage);
    }
    let watched = Watched { data: &data, ingress: &ingress, compute: &service, api: &api, trail: trail.as_ref() };
    builder.monitoring(&keys, &watched);
    let mut stack = builder.stack;
    stack.turn = turn(config, place);
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
