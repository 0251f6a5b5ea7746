//! What a stack leaves as it stands, because a change of it would interrupt those who use it: read from the state.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use serde_json::Value;

use super::handover::{self, Handover, Side};
use crate::config::Config;
use crate::resource::Resource;
use crate::resources::ec2::{SecurityGroupRules, Vpc};
use crate::resources::ecs::Service;
use crate::stack::Turn;
use crate::state::{NodeState, Progress, State};

/// What stands of a service that a load balancer reaches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// The name of its target group and the port it was made with, where it can stay: a group cannot be told another
    /// network or protocol.
    pub target_group: Option<(String, i32)>,
    /// The ports on which tasks may listen that run now.
    pub ports: BTreeSet<u16>,
    /// Which of the two sets of nodes that serve is wanted.
    pub side: Side,
    /// What is left to do until requests reach it.
    pub handover: Option<Handover>,
}

impl Recorded {
    /// What the state says.
    pub fn of(state: &State, config: &Config) -> Recorded {
        let side = handover::side(state, config);
        let handover = Handover::of(state, config, side);
        Recorded { target_group: target_group(state, config, side), ports: ports(state), side, handover }
    }

    /// What of the stack comes first.
    pub fn turn(&self, port: u16) -> Option<Turn> {
        let leaves = || Turn {
            then: "the tasks listen on another port now; what let their old one through goes".to_owned(),
            ..Turn::default()
        };
        let handover = self.handover.as_ref().map(|handover| handover.turn(self.side));
        handover.or_else(|| self.ports.iter().any(|old| *old != port).then(leaves))
    }
}

fn of_kind<'a>(state: &'a State, kind: &'a str) -> impl Iterator<Item = &'a NodeState> {
    state.nodes.values().filter(move |node| node.kind == kind)
}

fn target_group(state: &State, config: &Config, side: Side) -> Option<(String, i32)> {
    let group = &state.nodes.get(&side.name(handover::TARGET_GROUP))?.spec;
    let vpc = &of_kind(state, Vpc::KIND).next()?.spec;
    let cidr: Ipv4Net = vpc.get("cidr")?.as_str()?.parse().ok()?;
    let same = group.get("protocol")?.as_str()? == handover::protocol(config) && cidr == config.network.cidr;
    let port = group.get("port")?.as_i64()?.try_into().ok()?;
    group.get("name")?.as_str().filter(|_| same).map(|name| (name.to_owned(), port))
}

/// Until a service has been seen to run what it was told to, its old tasks may still be there: then every port counts that
/// a rule lets through to the service.
fn ports(state: &State) -> BTreeSet<u16> {
    let serves = |service: &&NodeState| service.spec.get("target").is_some();
    let services: Vec<&NodeState> = of_kind(state, Service::KIND).filter(serves).collect();
    let port = |value: &Value| value.as_u64().and_then(|port| port.try_into().ok());
    if services.iter().all(|service| service.progress == Progress::Ready) {
        return services.iter().filter_map(|service| port(service.spec.pointer("/target/container_port")?)).collect();
    }
    let groups: Vec<&Value> =
        services.iter().filter_map(|service| service.spec.get("security_group_ids")?.as_array()).flatten().collect();
    let rules = of_kind(state, SecurityGroupRules::KIND).filter(|rules| groups.contains(&&rules.spec["group_id"]));
    let ingress = rules.filter_map(|rules| rules.spec.get("ingress")?.as_array()).flatten();
    ingress.filter_map(|rule| port(rule.get("from_port")?)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::elbv2::TargetGroup;

    fn node(kind: &str, spec: Value, progress: Progress) -> NodeState {
        let mut node: NodeState =
            serde_json::from_value(json!({ "kind": kind, "spec": spec, "edges": [], "progress": "ready" })).unwrap();
        node.progress = progress;
        node
    }

    fn nothing() -> State {
        State::new("student-records", "dev", "123456789012", "us-east-1")
    }

    fn state(service: Progress) -> State {
        let mut state = nothing();
        let target = json!({ "target": { "container_port": 9090 }, "security_group_ids": ["sg-1"] });
        let rule = |port: u16| json!({ "from_port": port, "to_port": port, "protocol": "tcp" });
        let rules = json!({ "group_id": "sg-1", "ingress": [rule(8080), rule(9090)] });
        let others = json!({ "group_id": "sg-2", "ingress": [rule(443)] });
        let group = json!({ "name": "student-tg-305052-dev", "port": 8080, "protocol": "HTTP" });
        for (name, kind, spec, progress) in [
            ("vpc", Vpc::KIND, json!({ "cidr": "10.0.0.0/16" }), Progress::Ready),
            ("target-group", TargetGroup::KIND, group, Progress::Ready),
            ("group-rules-service", SecurityGroupRules::KIND, rules, Progress::Ready),
            ("group-rules-alb", SecurityGroupRules::KIND, others, Progress::Ready),
            ("service", Service::KIND, target, service),
        ] {
            state.nodes.insert(name.to_owned(), node(kind, spec, progress));
        }
        state
    }

    fn config(settings: &str) -> Config {
        Config::parse("tapctl.toml", settings, "dev", None).unwrap()
    }

    #[test]
    fn a_target_group_stays_as_long_as_it_can() {
        let state = state(Progress::Ready);
        let group = |settings| Recorded::of(&state, &config(settings)).target_group;
        assert_eq!(group("service.port = 9090"), Some(("student-tg-305052-dev".to_owned(), 8080)));
        assert_eq!(group("service = { tls = true, image = \"a:1\" }"), None);
        assert_eq!(group("network.cidr = \"10.1.0.0/16\""), None);
        assert_eq!(Recorded::of(&nothing(), &config("")), Recorded::default());
    }

    #[test]
    fn old_ports_count_until_the_service_has_moved() {
        let ports = |progress| Recorded::of(&state(progress), &config("")).ports;
        assert_eq!(ports(Progress::Ready), [9090].into());
        assert_eq!(ports(Progress::Pending), [8080, 9090].into());
    }
}
