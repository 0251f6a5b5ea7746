//! S11: the load balancer, TLS up to it and, where the service speaks it, behind it.

use std::collections::BTreeSet;

use super::super::builder::short_hash;
use super::super::handover::{Handover, SHADOW, TARGET_GROUP, protocol};
use super::super::network::Network;
use super::api::FIRST_WORDS;
use super::groups::Groups;
use super::secrets::Secrets;
use super::{Builder, Class, names};
use crate::config::{Config, IngressMode};
use crate::resource::Tags;
use crate::resources::acm::Certificate;
use crate::resources::apigateway::Stage;
use crate::resources::elbv2::listener::Action;
use crate::resources::elbv2::listener_rule::Rewrite;
use crate::resources::elbv2::load_balancer::Scheme;
use crate::resources::elbv2::target_group::HealthCheck;
use crate::resources::elbv2::{Listener, ListenerDefault, ListenerRule, LoadBalancer, TargetGroup};
use crate::resources::origin_key::OriginKey;
use crate::resources::secretsmanager::Secret;
use crate::stack::{Node, Out};

/// TLS 1.2 and 1.3. Left out, AWS would pick one that allows TLS 1.0.
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/// Days the certificate that tapctl makes is valid.
const CERTIFICATE_DAYS: i32 = 825;

/// Stands in the names of target groups for the port, which groups once had in their names.
const GROUPS_PORT: u16 = 8080;

/// What a target group is called that is made anew.
pub fn target_group_name(config: &Config) -> String {
    let hash = short_hash(&format!("{GROUPS_PORT}/{}/HTTP1/{}", protocol(config), config.network.cidr));
    names().name(&format!("tg-{hash}"), config)
}

pub(super) struct Ingress {
    pub balancer: Node<LoadBalancer>,
    pub targets: Node<TargetGroup>,
    /// Where requests come in.
    pub https: Node<Listener>,
    /// The name that callers use: the one in the certificate.
    pub host: Out<String>,
    /// The load balancer, for a VPC link to it: one that takes the stage's name off paths.
    pub linked_arn: Out<String>,
    /// Witness that requests of the API get to the targets.
    pub open: Out<String>,
    /// Witness that the load balancer leads to the target group, as ECS wants it to.
    pub led_to: Out<String>,
    /// The key that the API shows, where the load balancer faces the internet.
    pub origin_key: Option<OriginKey>,
    /// That certificate, whoever made it.
    pub certificate_arn: Out<String>,
}

impl Builder<'_> {
    pub(super) fn ingress(&mut self, network: &Network, groups: &Groups, secrets: &Secrets) -> Ingress {
        self.layer("elb", Class::Internal);
        let settings = &self.config.ingress;
        let (scheme, subnet_ids, internet) = match settings.mode {
            IngressMode::Internal => (Scheme::Internal, network.private_ids(), None),
            IngressMode::Public => (Scheme::InternetFacing, network.public_ids(), Some(network.internet.clone())),
        };
        let balancer = self.stack.add(
            "load-balancer",
            LoadBalancer {
                name: self.name("alb"),
                scheme,
                subnet_ids,
                vpc_id: Some(network.vpc.vpc_id()),
                security_group_ids: [groups.alb.group_id()].into(),
                drop_invalid_header_fields: true,
                deletion_protection: self.config.profile().deletion_protection,
                idle_timeout_seconds: 60,
                internet,
                tags: Tags::new(),
            },
        );
        let host = self.host(&balancer);
        let certificate = match settings.certificate_arn.clone() {
            Some(arn) => arn.into(),
            None => self.certificate(&host),
        };
        let targets = self.target_group(network);
        let serving = self.serving(&targets);
        let forward = secrets.origin.is_none().then(|| Action::Forward { target_group_arn: serving.clone() });
        let https = self.listener("https", &balancer, 443, Some(certificate.clone()), forward);
        self.listener("http", &balancer, 80, None, Some(Action::RedirectHttps { port: 443 }));
        let rule = match &secrets.origin {
            None => self.without_stage(&balancer, &https, serving),
            Some(secret) => Self::with_key(&balancer, &https, serving, secret),
        };
        let led_to = self.led_to(&rule, &targets);
        let rule = self.stack.add("listener-rule-stage", rule).load_balancer_arn();
        let (linked_arn, open) = match &secrets.origin {
            None => (rule, https.load_balancer_arn()),
            Some(_) => (balancer.arn(), rule),
        };
        let led_to = led_to.unwrap_or_else(|| open.clone());
        let sent = |secret: &Node<Secret>| OriginKey { secret_arn: secret.arn(), version_ids: secret.current_ids() };
        let origin_key = secrets.origin.as_ref().map(sent);
        Ingress { balancer, targets, https, host, linked_arn, open, led_to, origin_key, certificate_arn: certificate }
    }

    /// Anybody finds a load balancer that faces the internet. One that takes only what shows the API's key is as closed as
    /// the API itself. The node is that of [`Builder::without_stage`]: what stands on the rule goes on standing on it when
    /// the load balancer is made anew for the other side.
    fn with_key(
        balancer: &Node<LoadBalancer>,
        https: &Node<Listener>,
        serving: Out<String>,
        secret: &Node<Secret>,
    ) -> ListenerRule {
        ListenerRule {
            listener_arn: https.arn(),
            load_balancer_arn: balancer.arn(),
            priority: 1,
            paths: BTreeSet::new(),
            origin_key: Some(OriginKey { secret_arn: secret.arn(), version_ids: secret.valid_ids() }),
            target_group_arn: serving,
            rewrite: None,
            tags: Tags::new(),
        }
    }

    /// Where requests go: to the targets, or where they go now until those run.
    fn serving(&self, targets: &Node<TargetGroup>) -> Out<String> {
        match &self.place.recorded.handover {
            Some(Handover::Beside { serving, .. }) => serving.as_str().into(),
            _ => targets.arn(),
        }
    }

    /// ECS takes no target group that no load balancer leads to. To one that is to serve nobody yet a rule leads that another
    /// one is always asked before.
    fn led_to(&mut self, rule: &ListenerRule, targets: &Node<TargetGroup>) -> Option<Out<String>> {
        let beside = matches!(self.place.recorded.handover, Some(Handover::Beside { .. }));
        let shadow = || ListenerRule { priority: rule.priority + 1, target_group_arn: targets.arn(), ..rule.clone() };
        beside.then(|| self.stack.add(SHADOW, shadow()).load_balancer_arn())
    }

    /// Everybody else is answered 403, once the stage shows the key and the rule takes it.
    pub(super) fn refuse_others(&mut self, ingress: &Ingress, stage: &Node<Stage>) {
        self.layer("elb", Class::Internal);
        let refusal = ListenerDefault {
            listener_arn: ingress.https.arn(),
            answer: "403".into(),
            after: [ingress.open.clone(), stage.invoke_url()].into(),
        };
        self.stack.add("listener-default", refusal);
    }

    /// API Gateway checks that the certificate is for the name it calls. Before a public load balancer it finds that name in
    /// the public DNS, where none of ours is; behind a VPC link nobody looks it up, and yet it takes no name that could not
    /// be public (aws/aws-cdk#24017).
    fn host(&self, balancer: &Node<LoadBalancer>) -> Out<String> {
        match &self.config.ingress.host {
            Some(host) => host.as_str().into(),
            None => balancer.dns_name(),
        }
    }

    /// Until the API calls the load balancer by another name, the certificate is also for the one that it calls it by.
    fn certificate(&mut self, host: &Out<String>) -> Out<String> {
        let also = self.place.called.iter().map(|name| Out::from(name.as_str())).filter(|name| name != host).collect();
        let certificate =
            Certificate { domain_name: host.clone(), also, validity_days: CERTIFICATE_DAYS, tags: Tags::new() };
        self.stack.add("certificate", certificate).arn()
    }

    /// Most of a target group cannot change in place, and while a listener uses it its name stays taken: so the name
    /// changes with what cannot change. Its port is only a default, since ECS registers the container's own: a group stays
    /// when that changes, and no request meets one without tasks.
    fn target_group(&mut self, network: &Network) -> Node<TargetGroup> {
        let service = &self.config.service;
        let protocol = protocol(self.config);
        let fresh = || (target_group_name(self.config), i32::from(service.port));
        let (name, port) = self.place.recorded.target_group.clone().unwrap_or_else(fresh);
        self.stack.add(
            self.place.recorded.side.name(TARGET_GROUP),
            TargetGroup {
                name,
                port,
                protocol: protocol.into(),
                protocol_version: "HTTP1".into(),
                vpc_id: network.vpc.vpc_id(),
                health_check: HealthCheck {
                    path: service.health_check_path.clone(),
                    protocol: protocol.into(),
                    healthy_threshold: 2,
                    unhealthy_threshold: 2,
                    interval_seconds: 30,
                    timeout_seconds: 5,
                    matcher: "200".into(),
                },
                deregistration_delay_seconds: 30,
                tags: Tags::new(),
            },
        )
    }

    /// Whether API Gateway puts the stage's name in front of the path on its way through a VPC link, AWS's pages do not
    /// agree on: developer guide, "Private integrations for REST APIs", says so, and AWS's own samples reach what they
    /// name. A path that has it, in front of one that the service answers, loses it here.
    fn without_stage(
        &self,
        balancer: &Node<LoadBalancer>,
        https: &Node<Listener>,
        serving: Out<String>,
    ) -> ListenerRule {
        ListenerRule {
            listener_arn: https.arn(),
            load_balancer_arn: balancer.arn(),
            priority: 1,
            paths: [format!("/{}/*", self.config.env)].into(),
            origin_key: None,
            target_group_arn: serving,
            rewrite: Some(Rewrite {
                regex: format!("^/{}/((?:{})(?:[/?].*)?)$", self.config.env, FIRST_WORDS.join("|")),
                replace: "/$1".into(),
            }),
            tags: Tags::new(),
        }
    }

    fn listener(
        &mut self,
        thing: &str,
        balancer: &Node<LoadBalancer>,
        port: i32,
        certificate_arn: Option<Out<String>>,
        action: Option<Action>,
    ) -> Node<Listener> {
        let tls = certificate_arn.is_some();
        let listener = Listener {
            load_balancer_arn: balancer.arn(),
            port,
            protocol: if tls { "HTTPS" } else { "HTTP" }.into(),
            ssl_policy: tls.then(|| TLS_POLICY.to_owned()),
            certificate_arn,
            action,
            tags: Tags::new(),
        };
        self.stack.add(format!("listener-{thing}"), listener)
    }
}
