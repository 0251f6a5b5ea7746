//! How requests go on being answered while the tasks behind a load balancer begin to speak another protocol. One target
//! group speaks one protocol, and ECS stops old tasks as soon as new ones run, not when the load balancer has moved: so the
//! nodes that serve come in two sets, of which one stands. The other is made beside it, takes the requests over, and then
//! the first goes. Source: developer guide of Amazon ECS, "Use load balancing to distribute Amazon ECS service traffic"
//! (a target group that a new service uses must be one that a load balancer leads to).

use aws_sdk_elasticloadbalancingv2::types::TargetGroup as ElbTargetGroup;
use serde_json::json;

use crate::aws::{Aws, IfPresent};
use crate::config::{Config, IngressMode};
use crate::error::Result;
use crate::resource::{Resource, TAG_NODE};
use crate::resources::ecs::service;
use crate::resources::elbv2::load_balancer::Scheme;
use crate::resources::elbv2::{Listener, ListenerRule, LoadBalancer};
use crate::stack::Turn;
use crate::state::{NodeState, Progress, State};

pub(super) const TARGET_GROUP: &str = "target-group";
pub(super) const SERVICE: &str = "service";
/// The rule that leads to the side that is to come, and that is never asked.
pub(super) const SHADOW: &str = "listener-rule-next";
/// What each set has a node of.
const SIDED: [&str; 5] = [TARGET_GROUP, SERVICE, "scalable-target", "scaling-policy-cpu", "scaling-policy-requests"];

/// Which of the two sets of nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Side {
    /// The one that a new environment has.
    #[default]
    First,
    /// The one that comes beside it, and the first one comes beside again.
    Second,
}

impl Side {
    const BOTH: [Side; 2] = [Side::First, Side::Second];

    /// The name that what stands on this side has.
    pub fn name(self, thing: &str) -> String {
        match self {
            Side::First => thing.to_owned(),
            Side::Second => format!("{thing}-2"),
        }
    }

    fn other(self) -> Side {
        match self {
            Side::First => Side::Second,
            Side::Second => Side::First,
        }
    }

    fn node<'a>(self, state: &'a State, thing: &str) -> Option<&'a NodeState> {
        state.nodes.get(&self.name(thing))
    }

    /// The protocol that the targets of this side are recorded to speak.
    fn speaks(self, state: &State) -> Option<&str> {
        self.node(state, TARGET_GROUP)?.spec.get("protocol")?.as_str()
    }
}

/// What is left to do until requests reach the side that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handover {
    /// Its tasks are still to run. Until then requests go where they go now.
    Beside {
        /// The ARN of the target group that requests go to.
        serving: String,
        /// How many tasks serve them.
        tasks: i32,
    },
    /// The load balancer is still to lead to them.
    Moving,
}

/// The protocol that targets are to speak.
pub fn protocol(config: &Config) -> &'static str {
    if config.service.tls { "HTTPS" } else { "HTTP" }
}

fn balancer_stays(state: &State, config: &Config) -> bool {
    let scheme = match config.ingress.mode {
        IngressMode::Internal => Scheme::Internal,
        IngressMode::Public => Scheme::InternetFacing,
    };
    let mut balancers = state.nodes.values().filter(|node| node.kind == LoadBalancer::KIND);
    balancers.all(|node| node.spec.get("scheme") == Some(&json!(scheme)))
}

/// The side that is wanted, as far as the state tells: the one that speaks the protocol, or else the one that is free.
pub fn side(state: &State, config: &Config) -> Side {
    let wanted = Side::BOTH.into_iter().find(|side| side.speaks(state) == Some(protocol(config)));
    let taken = || Side::BOTH.into_iter().find(|side| side.speaks(state).is_some());
    wanted.or_else(|| taken().map(Side::other)).unwrap_or_default()
}

/// The same of what AWS has under the name of the target group that is wanted.
///
/// # Errors
/// What AWS answers.
pub async fn side_of_group(aws: &Aws, name: &str) -> Result<Side> {
    let Some(answer) = aws.elbv2.describe_target_groups().names(name).send().await.if_present()? else {
        return Ok(Side::First);
    };
    let Some(arn) = answer.target_groups().first().and_then(|group| group.target_group_arn()) else {
        return Ok(Side::First);
    };
    let Some(answer) = aws.elbv2.describe_tags().resource_arns(arn).send().await.if_present()? else {
        return Ok(Side::First);
    };
    let mut tags = answer.tag_descriptions().iter().flat_map(|of| of.tags());
    let node = tags.find(|tag| tag.key() == Some(TAG_NODE)).and_then(|tag| tag.value());
    Ok(Side::BOTH.into_iter().find(|side| node == Some(&side.name(TARGET_GROUP))).unwrap_or_default())
}

impl Handover {
    /// What the state says of it. Requests go where the load balancer's listener or one of its rules was last told to.
    /// A load balancer that goes itself hands nothing over.
    pub fn of(state: &State, config: &Config, side: Side) -> Option<Handover> {
        if !balancer_stays(state, config) {
            return None;
        }
        let leaving = side.other().node(state, TARGET_GROUP)?.id.as_deref()?;
        let led_to = |(name, node): (&String, &NodeState)| {
            let leads = [ListenerRule::KIND, Listener::KIND].contains(&node.kind.as_str()) && name != SHADOW;
            let arns = ["/target_group_arn", "/action/target_group_arn"].map(|at| node.spec.pointer(at)?.as_str());
            leads && arns.contains(&Some(leaving))
        };
        if !state.nodes.iter().any(led_to) {
            return None;
        }
        let group = side.node(state, TARGET_GROUP).and_then(|group| group.id.as_deref());
        let runs = side.node(state, SERVICE).filter(|service| service.progress == Progress::Ready);
        let registers = runs.and_then(|service| service.spec.pointer("/target/target_group_arn")?.as_str());
        match group.is_some() && registers == group {
            true => Some(Handover::Moving),
            false => Some(Handover::Beside { serving: leaving.to_owned(), tasks: 0 }),
        }
    }

    /// The same with what AWS says of the side that serves; none where it serves nobody any more, so that nothing is to be
    /// handed over.
    ///
    /// # Errors
    /// What AWS answers.
    pub async fn looked_at(self, aws: &Aws, state: &State, side: Side) -> Result<Option<Handover>> {
        let Handover::Beside { serving, .. } = self else { return Ok(Some(self)) };
        let groups = aws.elbv2.describe_target_groups().target_group_arns(&serving).send().await.if_present()?;
        let led_to = |group: &ElbTargetGroup| !group.load_balancer_arns().is_empty();
        if !groups.is_some_and(|groups| groups.target_groups().iter().any(led_to)) {
            return Ok(None);
        }
        let Some(service) = side.other().node(state, SERVICE).and_then(|service| service.id.as_deref()) else {
            return Ok(None);
        };
        let cluster = service::cluster_of(service).map(str::to_owned);
        let call = aws.ecs.describe_services().set_cluster(cluster).services(service);
        let answer = call.send().await.if_present()?;
        let services = answer.as_ref().map(|answer| answer.services()).unwrap_or_default();
        let tasks = services.iter().map(|service| service.desired_count()).max().unwrap_or_default();
        Ok((tasks > 0).then_some(Handover::Beside { serving, tasks }))
    }

    /// What of the stack comes now, and what is said once it has come.
    pub fn turn(&self, side: Side) -> Turn {
        let exclude = SIDED.iter().map(|thing| side.other().name(thing)).collect();
        let (here, there) = (side.name(SERVICE), side.other().name(SERVICE));
        match self {
            Handover::Beside { .. } => Turn {
                target: vec![here.clone()],
                exclude,
                order: format!(
                    "first {here} comes up beside {there}; then the load balancer moves to it, and what is said of the \
                     rest is done; {there} goes last"
                ),
                then: format!("{here} runs beside {there}; the load balancer moves to it"),
                settles: false,
                end: None,
            },
            Handover::Moving => Turn {
                target: Vec::new(),
                exclude,
                order: format!("first the load balancer moves to {here}; {there} goes last"),
                then: format!("requests reach {here}; {there} goes"),
                settles: true,
                end: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::resources::ecs::Service;
    use crate::resources::elbv2::TargetGroup;

    fn node(kind: &str, id: &str, spec: Value, progress: &str) -> NodeState {
        let node = json!({ "kind": kind, "id": id, "spec": spec, "edges": [], "progress": progress });
        serde_json::from_value(node).unwrap()
    }

    fn config(settings: &str) -> Config {
        Config::parse("tapctl.toml", settings, "dev", None).unwrap()
    }

    fn group(state: &mut State, side: Side, arn: &str, protocol: &str) {
        let group = node(TargetGroup::KIND, arn, json!({ "protocol": protocol }), "ready");
        state.nodes.insert(side.name(TARGET_GROUP), group);
    }

    fn service(state: &mut State, side: Side, arn: &str, progress: &str) {
        let service = node(Service::KIND, "arn:svc", json!({ "target": { "target_group_arn": arn } }), progress);
        state.nodes.insert(side.name(SERVICE), service);
    }

    fn leads(state: &mut State, arn: &str) {
        let rule = node(ListenerRule::KIND, "arn:rule", json!({ "target_group_arn": arn }), "ready");
        state.nodes.insert("listener-rule-stage".into(), rule);
    }

    fn standing() -> State {
        let mut state = State::new("student-records", "dev", "123456789012", "us-east-1");
        group(&mut state, Side::First, "arn:plain", "HTTP");
        service(&mut state, Side::First, "arn:plain", "ready");
        leads(&mut state, "arn:plain");
        state
    }

    const TLS: &str = "service = { tls = true, image = \"a:1\" }";

    #[test]
    fn the_side_that_speaks_the_protocol_stays_and_else_the_other_one_comes() {
        let nothing = State::new("student-records", "dev", "123456789012", "us-east-1");
        assert_eq!(side(&nothing, &config(TLS)), Side::First);
        let mut state = standing();
        assert_eq!(side(&state, &config("")), Side::First);
        assert_eq!(side(&state, &config(TLS)), Side::Second);
        group(&mut state, Side::Second, "arn:tls", "HTTPS");
        assert_eq!([side(&state, &config("")), side(&state, &config(TLS))], [Side::First, Side::Second]);
        state.nodes.remove(TARGET_GROUP);
        assert_eq!([side(&state, &config("")), side(&state, &config(TLS))], [Side::First, Side::Second]);
    }

    /// Each step of the way as a run that was killed there leaves it.
    #[test]
    fn a_handover_goes_on_where_it_was_left() {
        let mut state = standing();
        assert_eq!(Handover::of(&state, &config(""), Side::First), None);
        let beside = Some(Handover::Beside { serving: "arn:plain".into(), tasks: 0 });
        assert_eq!(Handover::of(&state, &config(""), Side::Second), beside);
        group(&mut state, Side::Second, "arn:tls", "HTTPS");
        assert_eq!(Handover::of(&state, &config(""), Side::Second), beside);
        service(&mut state, Side::Second, "arn:tls", "pending");
        assert_eq!(Handover::of(&state, &config(""), Side::Second), beside);
        service(&mut state, Side::Second, "arn:tls", "ready");
        assert_eq!(Handover::of(&state, &config(""), Side::Second), Some(Handover::Moving));
        let shadow = node(ListenerRule::KIND, "arn:shadow", json!({ "target_group_arn": "arn:tls" }), "ready");
        state.nodes.insert(SHADOW.into(), shadow);
        assert_eq!(Handover::of(&state, &config(""), Side::First), None, "nothing was handed over yet");
        leads(&mut state, "arn:tls");
        assert_eq!(Handover::of(&state, &config(""), Side::Second), None);
        assert_eq!(Handover::of(&state, &config(""), Side::First), Some(Handover::Moving), "the way back is open");
        service(&mut state, Side::First, "arn:plain", "deleting");
        let back = Handover::Beside { serving: "arn:tls".into(), tasks: 0 };
        assert_eq!(Handover::of(&state, &config(""), Side::First), Some(back));
    }

    #[test]
    fn what_serves_is_left_alone_until_requests_have_moved() {
        let beside = Handover::Beside { serving: "arn:plain".into(), tasks: 2 }.turn(Side::Second);
        let moving = Handover::Moving.turn(Side::Second);
        assert_eq!((beside.target, moving.target), (vec!["service-2".to_owned()], vec![]));
        for exclude in [beside.exclude, moving.exclude] {
            assert!(exclude.contains(&"service".to_owned()) && !exclude.iter().any(|node| node.ends_with("-2")));
        }
    }
}
