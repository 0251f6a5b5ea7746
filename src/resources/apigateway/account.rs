//! API Gateway's settings for the whole account in one region: the role it writes logs with. Every stack shares it, so
//! a role that someone else set and that API Gateway can still take on stays, any other counts as none, and the last stack
//! that uses ours clears the setting.

use crate::resources::iam::shared_role::{leave, stay_away};
use crate::resources::prelude::*;

use super::replace;

/// Whom the role must trust.
const API_GATEWAY: &str = "apigateway.amazonaws.com";
/// What API Gateway makes when it is given a role, to see whether it can write. It is the account's, whoever else had it made.
const WELCOME: &str = "/aws/apigateway/welcome";

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

    fn remains(&self) -> Option<String> {
        Some(format!("the log group {WELCOME}, which API Gateway made for the account with a line or two in it"))
    }

    /// Somebody else's living role serves this stack as well, and taking over would leave two with a difference that they
    /// pass back and forth.
    async fn observe(&self, cx: &Cx<'_>, _: Option<&str>) -> Result<Option<Observed<Self>>> {
        // There is none where API Gateway has never been used (cloud-custodian/cloud-custodian#2033); the first update makes it.
        let Some(account) = cx.apigateway.get_account().send().await.if_present()? else { return Ok(None) };
        let Some(role) = account.cloudwatch_role_arn.filter(|arn| !arn.is_empty()) else { return Ok(None) };
        let found = cx.iam.get_role().role_name(name_of(&role)).send().await.if_present()?;
        let trust = found.and_then(|found| found.role).and_then(|found| found.assume_role_policy_document);
        let observed = Observed::ready("account", self.clone(), AccountOutputs { cloudwatch_role_arn: role });
        Ok(trust.is_some_and(|trust| trust.contains(API_GATEWAY)).then_some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        set_role(cx, self.cloudwatch_role_arn.get()?).await?;
        Ok("account".to_owned())
    }

    async fn update(&self, cx: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        set_role(cx, self.cloudwatch_role_arn.get()?).await
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let set = &observed.outputs.cloudwatch_role_arn;
        let ours = self.cloudwatch_role_arn.known() == Some(set);
        if ours && leave(cx, name_of(set)).await? {
            set_role(cx, "").await?;
            stay_away(cx, name_of(set)).await?;
        }
        Ok(())
    }
}

async fn set_role(cx: &Cx<'_>, arn: &str) -> Result<()> {
    let set = cx.apigateway.update_account().patch_operations(replace("/cloudwatchRoleArn", arn)).send().await;
    let denied = |fault: Fault| match fault.message.contains("required permissions") {
        true => fault.with_advice(format!(
            "run the command again; if it stays, see whether a policy of the organization denies logs:CreateLogGroup \
             without tags: API Gateway makes {WELCOME} with this role"
        )),
        false => fault,
    };
    set.map(drop).map_err(|error| denied(error.into()))
}

/// The role that API Gateway writes its logs with, whoever has set it. `None`: nobody has.
///
/// # Errors
/// Where AWS does not tell.
pub async fn role(aws: &Aws) -> Result<Option<String>> {
    let account = aws.apigateway.get_account().send().await.if_present()?;
    Ok(account.and_then(|account| account.cloudwatch_role_arn).filter(|arn| !arn.is_empty()))
}

fn name_of(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
