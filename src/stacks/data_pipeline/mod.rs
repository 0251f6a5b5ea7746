//! `data-pipeline`: a FedRAMP Moderate ingest pipeline. One file a layer.

mod api;
mod compute;
mod data;
mod groups;
mod identity;
mod keys;
mod monitoring;

use self::monitoring::Watched;
use super::Place;
use super::builder::{Builder, Class, Names};
use crate::config::Config;
use crate::stack::{Out, Stack};

/// The engine of the database, as RDS names it.
pub(super) const DATABASE_ENGINE: &str = "postgres";

/// Builds the stack.
pub fn build(config: &Config, place: &Place) -> Stack {
    let project = config.pipeline.project.as_str();
    let tags = [("Project", project), ("Compliance", "FedRAMP-Moderate")];
    let mut builder = Builder::new(config, place, Names::EnvFirst(project.to_owned()), &tags);
    let key = keys::key(&mut builder);
    let network = builder.network(&key);
    let groups = groups::groups(&mut builder, &network);
    builder.endpoints(&network, groups.endpoints.as_ref());
    let data = data::data(&mut builder, &key, &network, &groups);
    let roles = identity::roles(&mut builder, &key, &data);
    let tasks = compute::compute(&mut builder, &key, &network, &groups, &data, &roles);
    let api = api::api(&mut builder, &key, &data, &roles);
    builder.guard_stage(api.stage.arn(), api::PATH.contains('{'));
    monitoring::monitoring(&mut builder, &key, &Watched { data: &data, tasks: &tasks, api: &api });
    let mut stack = builder.stack;
    stack.output("VpcId", network.vpc.vpc_id());
    stack.output("PublicSubnetIds", with_commas(network.public_ids()));
    stack.output("PrivateSubnetIds", with_commas(network.private_ids()));
    stack.output("KinesisStreamName", data.stream.stream_name());
    stack.output("KinesisStreamArn", data.stream.arn());
    stack.output("RdsEndpoint", data.database.endpoint());
    stack.output("DbSecretArn", data.secret.arn());
    stack.output("EcsClusterArn", tasks.cluster.arn());
    stack.output("TaskDefinitionArn", tasks.task.arn());
    stack.output("ApiGatewayId", api.api.rest_api_id());
    stack.output("ApiGatewayUrl", api.stage.invoke_url());
    stack.output("ApiGatewayEndpoint", Out::join([api.stage.invoke_url(), api::PATH.into()]));
    stack
}

/// One text of all, for flat outputs.
fn with_commas(all: impl IntoIterator<Item = Out<String>>) -> Out<String> {
    let parts = all.into_iter().enumerate().flat_map(|(index, one)| {
        let comma = (index > 0).then(|| ",".into());
        comma.into_iter().chain([one])
    });
    Out::join(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::StackKind;
    use crate::resources;

    fn stack(env: &str, settings: &str) -> Stack {
        let config = Config::parse("tapctl.toml", settings, env, Some(StackKind::DataPipeline)).unwrap();
        let zones = ["us-east-1a".to_owned(), "us-east-1b".to_owned()].into();
        let (account, region) = ("123456789012".to_owned(), "us-east-1".to_owned());
        build(&config, &Place { account, region, partition: "aws".to_owned(), zones, ..Place::default() })
    }

    #[test]
    fn the_longest_names_fit_every_kind() {
        let stack =
            stack("abcdefghijklmn", "pipeline.project = \"abcdefghijklmnopqrst\"\nnetwork.endpoints = [\"ecr\"]");
        for (name, entry) in &stack.nodes {
            assert_eq!(resources::registry().get(entry.kind).unwrap().check(&entry.spec), Ok(()), "{name}");
        }
    }

    #[test]
    fn everything_begins_with_project_and_environment() {
        let stack = stack("qa", "pipeline.project = \"grid\"");
        for (name, entry) in &stack.nodes {
            let tagged = entry.spec["tags"]["Name"].as_str();
            // API Gateway dictates the name of its execution log, which is known once the API is.
            let ours = |tag: &str| tag.contains("grid-qa-") || name == "log-group-api-execution";
            assert!(tagged.is_none_or(ours), "{name}: {tagged:?}");
        }
    }

    #[test]
    fn what_is_switched_off_is_not_there() {
        let off = "pipeline.alarms = false\npipeline.guardduty = false\nmonitoring.dashboard = false\napi.waf = false";
        let (all, less) = (stack("dev", ""), stack("dev", off));
        let kinds =
            |stack: &Stack| stack.nodes.values().map(|entry| entry.kind).collect::<std::collections::BTreeSet<_>>();
        let gone: Vec<_> = kinds(&all).difference(&kinds(&less)).copied().collect();
        let off =
            ["cloudwatch.dashboard", "guardduty.detector", "sns.topic", "wafv2.web_acl", "wafv2.web_acl_association"];
        assert_eq!(gone, off);
        let alarms = less.nodes.keys().filter(|name| name.starts_with("alarm-"));
        assert_eq!(alarms.collect::<Vec<_>>(), ["alarm-scale-in", "alarm-scale-out"], "auto-scaling needs its own");
    }
}
