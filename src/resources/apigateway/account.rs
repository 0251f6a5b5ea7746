//! API Gateway's settings for the whole account in one region: the role it writes logs with. Every stack shares it, so
//! a role that someone else set and that still exists stays, and a role that went with its stack counts as none.

use crate::resource::{TAG_ENV, TAG_STACK};
use crate::resources::prelude::*;

use super::replace;

/// The account's settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Account {
    /// The role with which API Gateway writes to CloudWatch Logs, set where no other living role is.
    pub cloudwatch_role_arn: Out<String>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AccountOutputs {
    /// The role that is set, whosever it is.
    pub cloudwatch_role_arn: String,
}

impl Node<Account> {
    /// The role that is set, whosever it is: proof that stages may log.
    pub fn cloudwatch_role_arn(&self) -> Out<String> {
        self.out("cloudwatch_role_arn")
    }
}

impl Resource for Account {
    type Cloud = Aws;
    type Outputs = AccountOutputs;
    const KIND: &'static str = "apigateway.account";
    const SHARED: bool = true;
    const WAIT: Wait = Wait::seconds(5, 180, 60);

    /// A role of another stack serves this one as well, and taking over would leave that stack with a difference that
    /// the two then pass back and forth. So only a role of this stack, as one being replaced, is compared.
    async fn observe(&self, cx: &Cx<'_>, _: Option<&str>) -> Result<Option<Observed<Self>>> {
        let account = cx.apigateway.get_account().send().await?;
        let Some(role) = account.cloudwatch_role_arn.filter(|arn| !arn.is_empty()) else { return Ok(None) };
        let Some(role_tags) = role_tags(cx, &role).await? else { return Ok(None) };
        let ours = role_tags.get(TAG_STACK) == Some(&cx.owner.stack) && role_tags.get(TAG_ENV) == Some(&cx.owner.env);
        let live = if ours { Account { cloudwatch_role_arn: role.clone().into() } } else { self.clone() };
        Ok(Some(Observed::ready("account", live, AccountOutputs { cloudwatch_role_arn: role })))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        self.set_role(cx).await?;
        Ok("account".to_owned())
    }

    async fn update(&self, cx: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        self.set_role(cx).await
    }

    async fn delete(&self, _: &Cx<'_>, _: &Observed<Self>) -> Result<()> {
        Ok(())
    }
}

impl Account {
    async fn set_role(&self, cx: &Cx<'_>) -> Result<()> {
        let role = self.cloudwatch_role_arn.get()?;
        cx.apigateway.update_account().patch_operations(replace("/cloudwatchRoleArn", role)).send().await?;
        Ok(())
    }
}

/// The tags of the role, if it lives.
async fn role_tags(cx: &Cx<'_>, arn: &str) -> Result<Option<Tags>> {
    let name = arn.rsplit('/').next().unwrap_or(arn);
    let role = cx.iam.get_role().role_name(name).send().await.if_present()?.and_then(|answer| answer.role);
    Ok(role.map(|role| tags::read(role.tags().iter().map(|tag| (tag.key(), tag.value())))))
}
