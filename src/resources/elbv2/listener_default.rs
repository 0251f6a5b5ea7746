//! What a listener answers to what no rule takes, where that must wait: a rule needs the listener, so the listener is there
//! first, and to close it before those who are to get in have another way would shut them out.

use std::collections::BTreeSet;

use aws_sdk_elasticloadbalancingv2::types::{Action as ElbAction, ActionTypeEnum};

use super::listener::{UNDECIDED, balancer_of, fixed, listeners};
use crate::resources::prelude::*;

/// A listener's answer to what no rule takes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListenerDefault {
    /// The listener. Its own spec leaves its action open.
    pub listener_arn: Out<String>,
    /// The status it answers: `403`. Of a listener that does something else, AWS's word for that.
    pub answer: String,
    /// Witnesses that those who are to get in have another way.
    #[serde(default)]
    pub after: BTreeSet<Out<String>>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListenerDefaultOutputs {
    /// The listener's ARN.
    pub listener_arn: String,
}

impl Resource for ListenerDefault {
    type Cloud = Aws;
    type Outputs = ListenerDefaultOutputs;
    const KIND: &'static str = "elbv2.listener_default";
    const PARENT: Option<&'static str> = Some("elbv2.listener");
    const IMMUTABLE: &'static [&'static str] = &["listener_arn"];
    const WITNESSES: &'static [&'static str] = &["after"];
    const CLOSES: bool = true;
    const WAIT: Wait = Wait::seconds(3, 120, 120);

    /// Fixed answers are 2XX, 4XX or 5XX; the one that stands for none cannot be asked for.
    fn check(&self) -> std::result::Result<(), String> {
        let status = self.answer.parse::<u16>().is_ok_and(|status| (400..=599).contains(&status));
        match status && self.answer != UNDECIDED {
            true => Ok(()),
            false => Err(format!("answer is {:?}; allowed are 400 to 599, but for {UNDECIDED}", self.answer)),
        }
    }

    /// Without an id, only what has been closed is found: what a listener did before is no refusal of ours.
    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(arn) = id.or(self.listener_arn.known().map(String::as_str)) else { return Ok(None) };
        let balancer = balancer_of(arn).always("load balancer in the listener's ARN")?;
        let all = listeners(cx, &balancer).await?;
        let Some((listener, _)) = all.iter().find(|(listener, _)| listener.listener_arn() == Some(arn)) else {
            return Ok(None);
        };
        let answer = answer(listener.default_actions());
        if answer == UNDECIDED || (id.is_none() && answer != self.answer) {
            return Ok(None);
        }
        let live = ListenerDefault { listener_arn: arn.into(), answer, after: self.after.clone() };
        Ok(Some(Observed::ready(arn, live, ListenerDefaultOutputs { listener_arn: arn.to_owned() })))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let arn = self.listener_arn.get()?;
        cx.elbv2.modify_listener().listener_arn(arn).default_actions(fixed(&self.answer)).send().await?;
        Ok(arn.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("answer") {
            cx.elbv2.modify_listener().listener_arn(&observed.id).default_actions(fixed(&self.answer)).send().await?;
        }
        Ok(())
    }

    /// A listener always answers something; nobody is let in by this either.
    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let ask = cx.elbv2.modify_listener().listener_arn(&observed.id).default_actions(fixed(UNDECIDED));
        ask.send().await.if_present()?;
        Ok(())
    }
}

/// The status of a fixed answer, or else AWS's word for what is done.
fn answer(actions: &[ElbAction]) -> String {
    let [action] = actions else { return "several actions".to_owned() };
    let status = action.fixed_response_config().and_then(|fixed| fixed.status_code());
    match (action.r#type(), status) {
        (Some(ActionTypeEnum::FixedResponse), Some(status)) => status.to_owned(),
        (kind, _) => kind.map_or("unknown", ActionTypeEnum::as_str).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_answer_reads_back_and_anything_else_is_told() {
        assert_eq!(answer(&[fixed("403")]), "403");
        let forward = ElbAction::builder().r#type(ActionTypeEnum::Forward).target_group_arn("arn:targets").build();
        assert_eq!(answer(std::slice::from_ref(&forward)), "forward");
        assert_eq!(answer(&[forward, fixed("403")]), "several actions");
        let check = |text: &str| {
            ListenerDefault { listener_arn: "a".into(), answer: text.into(), after: BTreeSet::new() }.check()
        };
        assert_eq!(check("403"), Ok(()));
        assert!(check("503").is_err() && check("forward").is_err() && check("200").is_err());
    }
}
