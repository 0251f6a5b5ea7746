//! The host under which a user pool gives out tokens. Its name is unique in the region, over all accounts, and the pool
//! cannot go before it.

use aws_sdk_cognitoidentityprovider::types::DomainStatusType;

use super::user_pool::{UserPool, described};
use crate::resources::prelude::*;

/// What AWS keeps for itself.
const RESERVED: [&str; 3] = ["aws", "amazon", "cognito"];

/// A domain of AWS's with a prefix of our choice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserPoolDomain {
    /// The pool.
    pub user_pool_id: Out<String>,
    /// The prefix, 1-63 letters in lower case, digits and inner hyphens.
    pub domain: String,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserPoolDomainOutputs {
    /// The prefix.
    pub domain: String,
    /// Where clients ask for tokens.
    pub token_url: String,
}

impl Node<UserPoolDomain> {
    /// The prefix, known once it exists.
    pub fn domain(&self) -> Out<String> {
        self.out("domain")
    }

    /// Where clients ask for tokens.
    pub fn token_url(&self) -> Out<String> {
        self.out("token_url")
    }
}

impl Resource for UserPoolDomain {
    type Cloud = Aws;
    type Outputs = UserPoolDomainOutputs;
    const KIND: &'static str = "cognito.user_pool_domain";
    const NAMED: bool = true;
    const PARENT: Option<&'static str> = Some("cognito.user_pool");
    const IMMUTABLE: &'static [&'static str] = &["user_pool_id", "domain"];
    const SERVES: bool = true;
    const PRECIOUS: Option<&'static str> = Some("the domain name");
    const FORETOLD: &'static [&'static str] = &["domain", "token_url"];
    const WAIT: Wait = Wait::seconds(5, 600, 600);

    fn check(&self) -> std::result::Result<(), String> {
        let letters = self.domain.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let edges = !self.domain.starts_with('-') && !self.domain.ends_with('-');
        if !letters || !edges || !(1..=63).contains(&self.domain.len()) {
            return Err(format!(
                "domain is {:?}; AWS allows 1-63 lower-case letters, digits and inner hyphens",
                self.domain
            ));
        }
        match RESERVED.iter().find(|word| self.domain.contains(*word)) {
            Some(word) => Err(format!("domain is {:?}; AWS allows no {word:?} in it", self.domain)),
            None => Ok(()),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let domain = id.unwrap_or(&self.domain);
        let answer = cx.cognito.describe_user_pool_domain().domain(domain).send().await.if_present()?;
        // Of a domain that does not exist AWS gives an empty description.
        let found = answer.and_then(|answer| answer.domain_description);
        let Some((pool, found)) = found.and_then(|found| Some((found.user_pool_id.clone()?, found))) else {
            return Ok(None);
        };
        let phase = match found.status() {
            None | Some(DomainStatusType::Active) => Phase::Ready,
            Some(DomainStatusType::Deleting) => Phase::Deleting,
            Some(DomainStatusType::Failed) => Phase::Failed("FAILED".to_owned()),
            Some(status) => Phase::Pending(status.as_str().to_owned()),
        };
        let outputs = UserPoolDomainOutputs {
            domain: domain.to_owned(),
            token_url: token_url(domain, &cx.partition, &cx.region),
        };
        let foreign = (self.user_pool_id.known() != Some(&pool)).then(|| format!("it is the user pool {pool}'s"));
        let live = UserPoolDomain { user_pool_id: pool.into(), domain: domain.to_owned() };
        let observed = Observed::ready(domain, live, outputs).in_phase(phase);
        Ok(Some(Observed { foreign, ..observed }))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let ask = cx.cognito.create_user_pool_domain().user_pool_id(self.user_pool_id.get()?);
        ask.domain(&self.domain).send().await?;
        Ok(self.domain.clone())
    }

    async fn update(&self, _: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        if observed.phase == Phase::Deleting {
            return Ok(());
        }
        let pool = observed.live.user_pool_id.get()?;
        cx.cognito.delete_user_pool_domain().user_pool_id(pool).domain(&observed.id).send().await.if_present()?;
        Ok(())
    }

    /// A pool with a domain is not deleted.
    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for of in UserPool::list(cx).await? {
            let domain = described(cx, &of.id).await?.and_then(|pool| pool.domain);
            found.extend(domain.map(|domain| Found::new(format!("{}-domain", of.node), domain)));
        }
        Ok(found)
    }
}

/// Where tokens are asked for. AWS GovCloud (US) user guide, "Amazon Cognito": only hosts for FIPS answer there.
fn token_url(domain: &str, partition: &str, region: &str) -> String {
    let host = if partition == "aws-us-gov" { "auth-fips" } else { "auth" };
    format!("https://{domain}.{host}.{region}.amazoncognito.com/oauth2/token")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_asked_for_where_the_partition_answers() {
        let url = |partition, region| token_url("records", partition, region);
        assert_eq!(url("aws", "us-east-1"), "https://records.auth.us-east-1.amazoncognito.com/oauth2/token");
        let gov = "https://records.auth-fips.us-gov-west-1.amazoncognito.com/oauth2/token";
        assert_eq!(url("aws-us-gov", "us-gov-west-1"), gov);
    }
}
