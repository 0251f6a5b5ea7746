//! S11: the load balancer, TLS up to it and, where the service speaks it, behind it.

use sha2::{Digest, Sha256};

use super::super::network::Network;
use super::groups::Groups;
use super::{Builder, Class};
use crate::config::IngressMode;
use crate::resource::Tags;
use crate::resources::acm::Certificate;
use crate::resources::elbv2::listener::Action;
use crate::resources::elbv2::load_balancer::Scheme;
use crate::resources::elbv2::target_group::HealthCheck;
use crate::resources::elbv2::{Listener, LoadBalancer, TargetGroup};
use crate::stack::{Node, Out};

/// TLS 1.2 and 1.3. Left out, AWS would pick one that allows TLS 1.0.
const TLS_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";
/// Days the certificate that tapctl makes is valid.
const CERTIFICATE_DAYS: i32 = 825;

pub(super) struct Ingress {
    pub balancer: Node<LoadBalancer>,
    pub targets: Node<TargetGroup>,
    /// Where requests come in.
    pub https: Node<Listener>,
    /// The name that callers use. It is the one in the certificate, but for a certificate of tapctl's own before a
    /// public load balancer: nobody but AWS could make such a name lead there.
    pub host: Out<String>,
}

impl Builder<'_> {
    pub(super) fn ingress(&mut self, network: &Network, groups: &Groups) -> Ingress {
        self.layer("elb", Class::Internal);
        let settings = &self.config.ingress;
        let own_host = format!("{}.internal", self.name("api"));
        let host = settings.host.clone().unwrap_or(own_host);
        let certificate = match settings.certificate_arn.clone() {
            Some(arn) => arn.into(),
            None => self.certificate(&host),
        };
        let public = settings.mode == IngressMode::Public;
        let (scheme, subnet_ids, internet) = match settings.mode {
            IngressMode::Internal => (Scheme::Internal, network.private_ids(), None),
            IngressMode::Public => (Scheme::InternetFacing, network.public_ids(), Some(network.internet.clone())),
        };
        let own_name = settings.host.is_none();
        let balancer = self.stack.add(
            "load-balancer",
            LoadBalancer {
                name: self.name("alb"),
                scheme,
                subnet_ids,
                security_group_ids: [groups.alb.group_id()].into(),
                drop_invalid_header_fields: true,
                deletion_protection: self.config.profile().deletion_protection,
                idle_timeout_seconds: 60,
                internet,
                tags: Tags::new(),
            },
        );
        let targets = self.target_group(network);
        let forward = Action::Forward { target_group_arn: targets.arn() };
        let https = self.listener("https", &balancer, 443, Some(certificate), forward);
        self.listener("http", &balancer, 80, None, Action::RedirectHttps { port: 443 });
        let host = if public && own_name { balancer.dns_name() } else { host.as_str().into() };
        Ingress { balancer, targets, https, host }
    }

    fn certificate(&mut self, host: &str) -> Out<String> {
        let certificate =
            Certificate { domain_name: host.to_owned(), validity_days: CERTIFICATE_DAYS, tags: Tags::new() };
        self.stack.add("certificate", certificate).arn()
    }

    /// Most of a target group cannot change in place, and while a listener uses it its name stays taken: so the name
    /// changes with what cannot change.
    fn target_group(&mut self, network: &Network) -> Node<TargetGroup> {
        let service = &self.config.service;
        let port = i32::from(service.port);
        let protocol = if service.tls { "HTTPS" } else { "HTTP" };
        let digest = Sha256::digest(format!("{port}/{protocol}/HTTP1/{}", self.config.network.cidr));
        let suffix: String = digest.iter().take(3).map(|byte| format!("{byte:02x}")).collect();
        self.stack.add(
            "target-group",
            TargetGroup {
                name: self.name(&format!("tg-{suffix}")),
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

    fn listener(
        &mut self,
        thing: &str,
        balancer: &Node<LoadBalancer>,
        port: i32,
        certificate_arn: Option<Out<String>>,
        action: Action,
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
