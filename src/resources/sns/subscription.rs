//! A subscription to an SNS topic. It has no name and no tags; topic, protocol and endpoint are its key. One that people
//! have to confirm has no ARN until they do, and until then no call removes it.

use aws_sdk_sns::types::Subscription as SnsSubscription;

use crate::resources::prelude::*;
use crate::resources::values::{check_one_of, check_text};

/// What AWS knows to deliver to.
const PROTOCOLS: [&str; 9] =
    ["application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"];
/// Those that somebody at the other end has to confirm.
const CONFIRMED_BY_HAND: [&str; 4] = ["email", "email-json", "http", "https"];
/// In place of the ARN, until it is confirmed.
const PENDING: &str = "PendingConfirmation";
/// In place of the ARN, for a while after it ended.
const DELETED: &str = "Deleted";

/// Somebody who gets a topic's messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Subscription {
    /// The topic.
    pub topic_arn: Out<String>,
    /// How messages are delivered, as `email`.
    pub protocol: String,
    /// Where to.
    pub endpoint: String,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SubscriptionOutputs {
    /// `confirmed`, or `pending confirmation` while whoever has the endpoint has not answered.
    pub status: String,
}

impl Node<Subscription> {
    /// `confirmed`, or `pending confirmation` while whoever has the endpoint has not answered.
    pub fn status(&self) -> Out<String> {
        self.out("status")
    }
}

impl Resource for Subscription {
    type Cloud = Aws;
    type Outputs = SubscriptionOutputs;
    const KIND: &'static str = "sns.subscription";
    const IMMUTABLE: &'static [&'static str] = &["topic_arn", "protocol", "endpoint"];
    /// There is one of a kind however often it is asked for, and no use in waiting for a pending one to vanish.
    const SHARED: bool = true;
    const WAIT: Wait = Wait::seconds(2, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_one_of("protocol", &self.protocol, &PROTOCOLS)?;
        check_text("endpoint", &self.endpoint, 1, 2048, |c| !c.is_whitespace())?;
        let starts = |start| self.endpoint.starts_with(start);
        let fits = match self.protocol.as_str() {
            "email" | "email-json" => {
                self.endpoint.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
            }
            "http" => starts("http://"),
            "https" => starts("https://"),
            "sms" => starts("+"),
            _ => starts("arn:"),
        };
        match fits {
            true => Ok(()),
            false => Err(format!("endpoint is {:?}, which is none for the protocol {}", self.endpoint, self.protocol)),
        }
    }

    fn remains(&self) -> Option<String> {
        let by_hand = CONFIRMED_BY_HAND.contains(&self.protocol.as_str());
        by_hand.then(|| "if nobody has confirmed it, AWS drops it with its topic, or two days after it was made".into())
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let id = match id {
            Some(id) => id.to_owned(),
            None => format!("{}|{}|{}", self.topic_arn.get()?, self.protocol, self.endpoint),
        };
        let Some((topic, protocol, endpoint)) = parts(&id) else {
            return Err(Fault::invalid(format!("{id:?} is not topic, protocol and endpoint joined by bars")));
        };
        let Some(arn) = find(cx, topic, protocol, endpoint).await? else { return Ok(None) };
        let live =
            Subscription { topic_arn: topic.into(), protocol: protocol.to_owned(), endpoint: endpoint.to_owned() };
        let status = if arn == PENDING { "pending confirmation" } else { "confirmed" };
        let outputs = SubscriptionOutputs { status: status.to_owned() };
        Ok(Some(Observed::ready(&id, live, outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let topic = self.topic_arn.get()?;
        cx.sns.subscribe().topic_arn(topic).protocol(&self.protocol).endpoint(&self.endpoint).send().await?;
        Ok(format!("{topic}|{}|{}", self.protocol, self.endpoint))
    }

    /// Nothing can be changed in place.
    async fn update(&self, _: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let Some((topic, protocol, endpoint)) = parts(&observed.id) else { return Ok(()) };
        match find(cx, topic, protocol, endpoint).await? {
            Some(arn) if arn != PENDING => drop(cx.sns.unsubscribe().subscription_arn(arn).send().await.if_present()?),
            _ => {}
        }
        Ok(())
    }
}

/// Topic, protocol and endpoint. Neither ARNs nor protocols have bars.
fn parts(id: &str) -> Option<(&str, &str, &str)> {
    let (topic, rest) = id.split_once('|')?;
    let (protocol, endpoint) = rest.split_once('|')?;
    Some((topic, protocol, endpoint))
}

/// The subscription's ARN, or what AWS writes in its place.
async fn find(cx: &Cx<'_>, topic: &str, protocol: &str, endpoint: &str) -> Result<Option<String>> {
    let all = cx.pass.shared(&format!("sns.subscriptions {topic}"), || subscriptions_of(cx, topic)).await?;
    let found = all.iter().filter(|one| one.protocol() == Some(protocol) && one.endpoint() == Some(endpoint));
    let mut arns = found.filter_map(SnsSubscription::subscription_arn).filter(|arn| *arn != DELETED);
    Ok(arns.next().map(str::to_owned))
}

/// None where the topic is gone.
async fn subscriptions_of(cx: &Cx<'_>, topic: &str) -> Result<Vec<SnsSubscription>> {
    let pages = cx.sns.list_subscriptions_by_topic().topic_arn(topic).into_paginator().items().send();
    Ok(pages.collect::<Result<Vec<_>, _>>().await.if_present()?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_must_fit_their_protocol() {
        let check = |protocol: &str, endpoint: &str| {
            let topic_arn = "arn:aws:sns:us-east-1:1:t".into();
            Subscription { topic_arn, protocol: protocol.into(), endpoint: endpoint.into() }.check()
        };
        assert_eq!(check("email", "security@example.edu"), Ok(()));
        assert_eq!(check("https", "https://example.edu/alarms"), Ok(()));
        assert_eq!(check("sqs", "arn:aws:sqs:us-east-1:1:q"), Ok(()));
        for (protocol, endpoint) in [
            ("email", "security"),
            ("email", "@example.edu"),
            ("email", "a b@example.edu"),
            ("https", "http://example.edu"),
            ("lambda", "f"),
            ("fax", "1"),
            ("email", ""),
        ] {
            assert!(check(protocol, endpoint).is_err(), "{protocol} {endpoint}");
        }
    }

    #[test]
    fn only_what_people_must_confirm_may_remain() {
        let topic_arn = || "arn:aws:sns:us-east-1:1:t".into();
        let mail = Subscription { topic_arn: topic_arn(), protocol: "email".into(), endpoint: "a@b.edu".into() };
        assert!(mail.remains().is_some());
        assert_eq!(Subscription { topic_arn: topic_arn(), protocol: "sqs".into(), ..mail }.remains(), None);
    }
}
