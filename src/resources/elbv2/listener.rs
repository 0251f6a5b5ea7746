//! A listener of an application load balancer, one a port. An HTTPS listener without a policy named would speak
//! TLS 1.0, so the policy is not left to AWS.

use std::collections::BTreeMap;
use std::rc::Rc;

use aws_sdk_elasticloadbalancingv2::types::{
    Action as ElbAction, ActionTypeEnum, Certificate, FixedResponseActionConfig, Listener as ElbListener, ProtocolEnum,
    RedirectActionConfig, RedirectActionStatusCodeEnum,
};
use serde_json::{Value, json};

use super::{check_ranges, retag, tags_of, to_elb};
use crate::resources::prelude::*;

/// What a listener answers of which nobody has decided yet what it does.
pub(super) const UNDECIDED: &str = "503";

/// What a load balancer does with what reaches one port.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Listener {
    /// The load balancer.
    pub load_balancer_arn: Out<String>,
    /// The port.
    pub port: i32,
    /// `HTTP` or `HTTPS`.
    pub protocol: String,
    /// The TLS policy of an HTTPS listener, as `ELBSecurityPolicy-TLS13-1-2-2021-06`. Left out for HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssl_policy: Option<String>,
    /// The certificate of an HTTPS listener. Left out for HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate_arn: Option<Out<String>>,
    /// What it does with a request that no rule takes. `None`: it begins by answering 503, and what it does then is for
    /// [`ListenerDefault`](super::ListenerDefault) to say.
    pub action: Option<Action>,
    /// Tags.
    pub tags: Tags,
}

/// What a listener does with a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum Action {
    /// Passes it on.
    Forward {
        /// The target group.
        target_group_arn: Out<String>,
    },
    /// Sends the client to the same place under HTTPS, for good (301).
    RedirectHttps {
        /// The port there.
        port: i32,
    },
    /// Something that only AWS reports, because somebody set it.
    Other {
        /// AWS's word for it.
        what: String,
    },
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListenerOutputs {
    /// The ARN.
    pub arn: String,
    /// The load balancer's ARN.
    pub load_balancer_arn: String,
}

impl Node<Listener> {
    /// The ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// The ARN of a load balancer that has a listener.
    pub fn load_balancer_arn(&self) -> Out<String> {
        self.out("load_balancer_arn")
    }
}

impl Resource for Listener {
    type Cloud = Aws;
    type Outputs = ListenerOutputs;
    const KIND: &'static str = "elbv2.listener";
    const IMMUTABLE: &'static [&'static str] = &["load_balancer_arn"];
    const SERVES: bool = true;
    const FORETOLD: &'static [&'static str] = &["load_balancer_arn"];
    const WAIT: Wait = Wait::seconds(3, 300, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_ranges(&[("port", self.port, 1, 65535)])?;
        if matches!(self.action, Some(Action::Other { .. })) {
            return Err("action is other; allowed are forward and redirect-https".into());
        }
        let secured = (self.ssl_policy.is_some(), self.certificate_arn.is_some());
        match (self.protocol.as_str(), secured) {
            ("HTTPS", (true, true)) | ("HTTP", (false, false)) => Ok(()),
            ("HTTPS", _) => Err("protocol is HTTPS; it needs both ssl_policy and certificate_arn".into()),
            ("HTTP", _) => Err("protocol is HTTP; it takes neither ssl_policy nor certificate_arn".into()),
            (other, _) => Err(format!("protocol is {other:?}; an application load balancer allows HTTP, HTTPS")),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let balancer = match id {
            Some(arn) => Some(balancer_of(arn).always("load balancer in the listener's ARN")?),
            None => self.load_balancer_arn.known().cloned(),
        };
        let Some(balancer) = balancer else { return Ok(None) };
        let all = listeners(cx, &balancer).await?;
        let found = match id {
            Some(_) => all.iter().find(|(listener, _)| listener.listener_arn() == id),
            None => {
                let on_port = all.iter().find(|(listener, _)| listener.port() == Some(self.port));
                on_port.or_else(|| all.iter().find(|(_, tags)| cx.owner.owns(tags)))
            }
        };
        let Some((listener, tags)) = found else { return Ok(None) };
        let arn = listener.listener_arn().always("listener ARN")?;
        let outputs = ListenerOutputs { arn: arn.to_owned(), load_balancer_arn: balancer.clone() };
        Ok(Some(Observed::ready(arn, live(listener, balancer, tags), outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .elbv2
            .create_listener()
            .load_balancer_arn(self.load_balancer_arn.get()?)
            .port(self.port)
            .protocol(ProtocolEnum::from(self.protocol.as_str()))
            .set_ssl_policy(self.ssl_policy.clone())
            .set_certificates(self.certificates()?)
            .default_actions(self.action.as_ref().map_or_else(|| Ok(fixed(UNDECIDED)), Action::to_elb)?)
            .set_tags(Some(to_elb(&self.tags)))
            .send()
            .await?;
        made.listeners().first().and_then(|made| made.listener_arn().map(str::to_owned)).always("listener ARN")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let arn = &observed.id;
        if diff.has_any(&["port", "protocol", "ssl_policy", "certificate_arn", "action"]) {
            cx.elbv2
                .modify_listener()
                .listener_arn(arn)
                .port(self.port)
                .protocol(ProtocolEnum::from(self.protocol.as_str()))
                .set_ssl_policy(self.ssl_policy.clone())
                .set_certificates(self.certificates()?)
                .set_default_actions(self.action.as_ref().map(Action::to_elb).transpose()?.map(|action| vec![action]))
                .send()
                .await?;
        }
        if diff.has("tags") {
            retag(cx, arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.elbv2.delete_listener().listener_arn(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "elasticloadbalancing", "listener/", index::by_arn).await
    }

    fn careful() -> Value {
        json!({ "action": Action::Other { what: String::new() } })
    }
}

impl Listener {
    fn certificates(&self) -> Result<Option<Vec<Certificate>>> {
        let Some(arn) = &self.certificate_arn else { return Ok(None) };
        Ok(Some(vec![Certificate::builder().certificate_arn(arn.get()?).build()]))
    }
}

/// An answer of the load balancer's own.
pub(super) fn fixed(status: &str) -> ElbAction {
    let answer = FixedResponseActionConfig::builder().status_code(status).content_type("text/plain").build();
    ElbAction::builder().r#type(ActionTypeEnum::FixedResponse).fixed_response_config(answer).build()
}

impl Action {
    fn to_elb(&self) -> Result<ElbAction> {
        let action = match self {
            Action::Forward { target_group_arn } => {
                ElbAction::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group_arn.get()?)
            }
            Action::RedirectHttps { port } => {
                let redirect = RedirectActionConfig::builder()
                    .protocol("HTTPS")
                    .port(port.to_string())
                    .status_code(RedirectActionStatusCodeEnum::Http301);
                ElbAction::builder().r#type(ActionTypeEnum::Redirect).redirect_config(redirect.build())
            }
            Action::Other { what } => return Err(Fault::invalid(format!("{what} is no action to ask for"))),
        };
        Ok(action.build())
    }

    fn from_elb(actions: &[ElbAction]) -> Self {
        let other = |what: &str| Action::Other { what: what.to_owned() };
        let [action] = actions else { return other("several actions") };
        match (action.r#type(), action.redirect_config()) {
            (Some(ActionTypeEnum::Forward), _) => match action.target_group_arn() {
                Some(arn) => Action::Forward { target_group_arn: arn.into() },
                None => other("forward to several target groups"),
            },
            (Some(ActionTypeEnum::Redirect), Some(redirect)) => {
                https_port(redirect).map_or_else(|| other("redirect"), |port| Action::RedirectHttps { port })
            }
            (kind, _) => other(kind.map_or("unknown", |kind| kind.as_str())),
        }
    }
}

/// The port a redirect leads to, if HTTPS is all it changes.
fn https_port(redirect: &RedirectActionConfig) -> Option<i32> {
    let kept = |value: Option<&str>, default: &str| value.is_none_or(|value| value == default);
    let plain = redirect.protocol() == Some("HTTPS")
        && redirect.status_code() == Some(&RedirectActionStatusCodeEnum::Http301)
        && kept(redirect.host(), "#{host}")
        && kept(redirect.path(), "/#{path}")
        && kept(redirect.query(), "#{query}");
    redirect.port().filter(|_| plain)?.parse().ok()
}

fn live(listener: &ElbListener, balancer: String, tags: &Tags) -> Listener {
    let certificate = listener.certificates().first().and_then(|certificate| certificate.certificate_arn());
    Listener {
        load_balancer_arn: balancer.into(),
        port: listener.port().unwrap_or_default(),
        protocol: listener.protocol().map_or("", |protocol| protocol.as_str()).to_owned(),
        ssl_policy: listener.ssl_policy().filter(|policy| !policy.is_empty()).map(str::to_owned),
        certificate_arn: certificate.map(Out::from),
        action: Some(Action::from_elb(listener.default_actions())),
        tags: tags.clone(),
    }
}

/// A load balancer's listeners with their tags, read once for all listener nodes.
pub(super) async fn listeners(cx: &Cx<'_>, balancer: &str) -> Result<Rc<Vec<(ElbListener, Tags)>>> {
    cx.pass.shared(&format!("elbv2.listeners {balancer}"), || read(cx, balancer)).await
}

async fn read(cx: &Cx<'_>, balancer: &str) -> Result<Vec<(ElbListener, Tags)>> {
    let pages = cx.elbv2.describe_listeners().load_balancer_arn(balancer).into_paginator().items().send();
    let Some(found) = pages.collect::<Result<Vec<ElbListener>, _>>().await.if_present()? else { return Ok(Vec::new()) };
    let arns: Vec<String> = found.iter().filter_map(|listener| listener.listener_arn().map(str::to_owned)).collect();
    // Listeners go with their load balancer, which may happen between the calls.
    let Some(mut tags) = tags_of(cx, &arns).await.if_present()? else { return Ok(Vec::new()) };
    Ok(found.into_iter().map(|listener| with_tags(listener, &mut tags)).collect())
}

fn with_tags(listener: ElbListener, tags: &mut BTreeMap<String, Tags>) -> (ElbListener, Tags) {
    let tags = listener.listener_arn().and_then(|arn| tags.remove(arn)).unwrap_or_default();
    (listener, tags)
}

/// `…:listener/app/NAME/ID/LISTENER` → `…:loadbalancer/app/NAME/ID`.
pub(super) fn balancer_of(listener: &str) -> Option<String> {
    let (head, path) = listener.split_once(":listener/")?;
    let (path, _) = path.rsplit_once('/')?;
    Some(format!("{head}:loadbalancer/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_load_balancer_is_read_off_the_listener_arn() {
        let listener = "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/web/50dc/f2f7";
        let balancer = "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/web/50dc";
        assert_eq!(balancer_of(listener).as_deref(), Some(balancer));
    }

    #[test]
    fn a_redirect_survives_a_round_trip_and_a_strange_one_is_told() {
        let action = Action::RedirectHttps { port: 443 };
        assert_eq!(Action::from_elb(&[action.to_elb().unwrap()]), action);
        let redirect = RedirectActionConfig::builder().protocol("HTTPS").port("443").host("example.org");
        let redirect = redirect.status_code(RedirectActionStatusCodeEnum::Http301).build();
        let strange = ElbAction::builder().r#type(ActionTypeEnum::Redirect).redirect_config(redirect).build();
        assert_eq!(Action::from_elb(&[strange]), Action::Other { what: "redirect".into() });
    }

    #[test]
    fn a_forward_survives_json() {
        let action = Action::Forward { target_group_arn: Out::Ref("tg.arn".into()) };
        let json = serde_json::to_value(&action).unwrap();
        assert_eq!(serde_json::from_value::<Action>(json).unwrap(), action);
    }
}
