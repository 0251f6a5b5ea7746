//! A user pool: who may get tokens. It has no unique name, so it is found by its tags among those of its name; and it
//! asks for a second factor only once it has been told which.

use aws_sdk_cognitoidentityprovider::types::{
    AdminCreateUserConfigType, DeletionProtectionType, PasswordPolicyType, SoftwareTokenMfaConfigType,
    UserPoolDescriptionType, UserPoolMfaType, UserPoolPolicyType, UserPoolType,
};

use super::check_name;
use crate::resources::prelude::*;
use crate::resources::values::{check_range, text};

/// A directory of users and clients, and who signs their tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserPool {
    /// Its name, 1-128 letters, digits, spaces and `_+=,.@-`.
    pub name: String,
    /// Whether AWS refuses to delete it.
    pub deletion_protection: bool,
    /// Whether users need an authenticator app: `OFF`, `OPTIONAL` or `ON`. `None`: AWS decides.
    pub mfa: Option<String>,
    /// What a password must be like.
    pub password_policy: PasswordPolicy,
    /// Whether only administrators may add users, who else sign up by themselves.
    pub admin_create_user_only: bool,
    /// Tags.
    pub tags: Tags,
}

/// What a password must be like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasswordPolicy {
    /// Its least length, 6-99.
    pub minimum_length: i32,
    /// Whether it needs a letter in upper case.
    pub uppercase: bool,
    /// Whether it needs a letter in lower case.
    pub lowercase: bool,
    /// Whether it needs a digit.
    pub numbers: bool,
    /// Whether it needs a character that is no letter and no digit.
    pub symbols: bool,
    /// Days for which an administrator's first password is good, 1-365.
    pub temporary_password_days: i32,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserPoolOutputs {
    /// Its id, as `us-east-1_AbC123`.
    pub user_pool_id: String,
    /// Its ARN.
    pub arn: String,
    /// Who issues its tokens: the address under which its keys are published.
    pub issuer: String,
}

impl Node<UserPool> {
    /// Its id.
    pub fn user_pool_id(&self) -> Out<String> {
        self.out("user_pool_id")
    }

    /// Its ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }

    /// Who issues its tokens: the address under which its keys are published.
    pub fn issuer(&self) -> Out<String> {
        self.out("issuer")
    }
}

impl Resource for UserPool {
    type Cloud = Aws;
    type Outputs = UserPoolOutputs;
    const KIND: &'static str = "cognito.user_pool";
    const STATEFUL: bool = true;
    const WAY_BACK: WayBack = WayBack::Otherwise("AWS has no backups of a user pool");
    const WAIT: Wait = Wait::seconds(3, 120, 300);

    fn check(&self) -> std::result::Result<(), String> {
        check_name(&self.name, 128)?;
        check_range("password_policy.minimum_length", self.password_policy.minimum_length, 6, 99)?;
        let days = self.password_policy.temporary_password_days;
        check_range("password_policy.temporary_password_days", days, 1, 365)?;
        match self.mfa.as_deref() {
            None | Some("OFF" | "OPTIONAL" | "ON") => Ok(()),
            Some(mfa) => Err(format!("mfa is {mfa:?}; AWS allows OFF, OPTIONAL, ON")),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = match id {
            Some(id) => described(cx, id).await?.into_iter().collect(),
            None => self.ours(cx).await?,
        };
        found.sort_by_key(|pool| pool.creation_date);
        let mut found = found.into_iter();
        let Some(pool) = found.next() else { return Ok(None) };
        let id = pool.id.clone().always("user pool id")?;
        let outputs = UserPoolOutputs {
            user_pool_id: id.clone(),
            arn: text(pool.arn()),
            issuer: format!("https://cognito-idp.{}.amazonaws.com/{id}", cx.region),
        };
        let mut observed = Observed::ready(id, live(&pool), outputs);
        observed.duplicates = found.filter_map(|pool| pool.id).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .cognito
            .create_user_pool()
            .pool_name(&self.name)
            .policies(self.policies(None))
            .deletion_protection(protection(self.deletion_protection))
            .admin_create_user_config(self.admin(None))
            .set_user_pool_tags(Some(self.tags.clone().into_iter().collect()))
            .send()
            .await?;
        made.user_pool.and_then(|pool| pool.id).always("user pool id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has_any(&["name", "deletion_protection", "password_policy", "admin_create_user_only"]) {
            self.overwrite(cx, observed, self.deletion_protection).await?;
        }
        if let Some(mfa) = self.mfa.as_deref().filter(|_| diff.has("mfa")) {
            let app = SoftwareTokenMfaConfigType::builder().enabled(mfa != "OFF").build();
            let ask = cx.cognito.set_user_pool_mfa_config().user_pool_id(&observed.id);
            ask.mfa_configuration(UserPoolMfaType::from(mfa)).software_token_mfa_configuration(app).send().await?;
        }
        if diff.has("tags") {
            retag(cx, &observed.outputs.arn, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        // What others have protected stays so; whoever deletes a node of ours has been asked by then.
        if self.deletion_protection && observed.live.deletion_protection {
            self.overwrite(cx, observed, false).await?;
        }
        cx.cognito.delete_user_pool().user_pool_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        index::list(cx, "cognito-idp", "userpool/", index::by_rest).await
    }
}

impl UserPool {
    /// The pools of this name that carry this node's tags: their list has no tags.
    async fn ours(&self, cx: &Cx<'_>) -> Result<Vec<UserPoolType>> {
        let all = cx.pass.shared("cognito.user-pools", || listed(cx)).await?;
        let mut found = Vec::new();
        for pool in all.iter().filter(|pool| pool.name() == Some(&self.name)) {
            let pool = described(cx, pool.id().unwrap_or_default()).await?;
            found.extend(pool.filter(|pool| cx.owner.owns(&tags_of(pool))));
        }
        Ok(found)
    }

    fn policies(&self, live: Option<&UserPoolPolicyType>) -> UserPoolPolicyType {
        let want = &self.password_policy;
        let history = live.and_then(|live| live.password_policy()).and_then(|live| live.password_history_size());
        let password = PasswordPolicyType::builder()
            .minimum_length(want.minimum_length)
            .require_uppercase(want.uppercase)
            .require_lowercase(want.lowercase)
            .require_numbers(want.numbers)
            .require_symbols(want.symbols)
            .temporary_password_validity_days(want.temporary_password_days)
            .set_password_history_size(history)
            .build();
        let sign_in = live.and_then(|live| live.sign_in_policy().cloned());
        UserPoolPolicyType::builder().password_policy(password).set_sign_in_policy(sign_in).build()
    }

    fn admin(&self, live: Option<&AdminCreateUserConfigType>) -> AdminCreateUserConfigType {
        AdminCreateUserConfigType::builder()
            .allow_admin_create_user_only(self.admin_create_user_only)
            .set_invite_message_template(live.and_then(|live| live.invite_message_template().cloned()))
            .build()
    }

    /// Writes the pool whole: what is not ours to set, as it is now.
    async fn overwrite(&self, cx: &Cx<'_>, observed: &Observed<Self>, protected: bool) -> Result<()> {
        let id = &observed.id;
        let Some(live) = described(cx, id).await? else { return Ok(()) };
        let tags = tags::changed(&tags_of(&live), &self.tags, &observed.live.tags);
        cx.cognito
            .update_user_pool()
            .user_pool_id(id)
            .pool_name(&self.name)
            .policies(self.policies(live.policies()))
            .deletion_protection(protection(protected))
            .admin_create_user_config(self.admin(live.admin_create_user_config()))
            .set_user_pool_tags(Some(tags.into_iter().collect()))
            .set_mfa_configuration(live.mfa_configuration)
            .set_lambda_config(live.lambda_config)
            .set_auto_verified_attributes(live.auto_verified_attributes)
            .set_verification_message_template(live.verification_message_template)
            .set_sms_authentication_message(live.sms_authentication_message)
            .set_user_attribute_update_settings(live.user_attribute_update_settings)
            .set_device_configuration(live.device_configuration)
            .set_email_configuration(live.email_configuration)
            .set_sms_configuration(live.sms_configuration)
            .set_user_pool_add_ons(live.user_pool_add_ons)
            .set_account_recovery_setting(live.account_recovery_setting)
            .set_user_pool_tier(live.user_pool_tier)
            .set_key_configuration(live.key_configuration)
            .set_issuer_configuration(live.issuer_configuration)
            .send()
            .await?;
        Ok(())
    }
}

fn protection(on: bool) -> DeletionProtectionType {
    if on { DeletionProtectionType::Active } else { DeletionProtectionType::Inactive }
}

fn live(pool: &UserPoolType) -> UserPool {
    let password = pool.policies().and_then(|policies| policies.password_policy());
    UserPool {
        name: text(pool.name()),
        deletion_protection: pool.deletion_protection() == Some(&DeletionProtectionType::Active),
        mfa: Some(pool.mfa_configuration().map_or("OFF", UserPoolMfaType::as_str).to_owned()),
        password_policy: PasswordPolicy {
            minimum_length: password.and_then(|password| password.minimum_length()).unwrap_or_default(),
            uppercase: password.is_some_and(|password| password.require_uppercase),
            lowercase: password.is_some_and(|password| password.require_lowercase),
            numbers: password.is_some_and(|password| password.require_numbers),
            symbols: password.is_some_and(|password| password.require_symbols),
            temporary_password_days: password.map_or(0, |password| password.temporary_password_validity_days),
        },
        admin_create_user_only: pool.admin_create_user_config().is_some_and(|admin| admin.allow_admin_create_user_only),
        tags: tags_of(pool),
    }
}

fn tags_of(pool: &UserPoolType) -> Tags {
    tags::read(pool.user_pool_tags().cloned().unwrap_or_default())
}

async fn listed(cx: &Cx<'_>) -> Result<Vec<UserPoolDescriptionType>> {
    let pages = cx.cognito.list_user_pools().max_results(60).into_paginator().items().send();
    Ok(pages.collect::<Result<_, _>>().await?)
}

/// The pool of this id.
pub(super) async fn described(cx: &Cx<'_>, id: &str) -> Result<Option<UserPoolType>> {
    let answer = cx.cognito.describe_user_pool().user_pool_id(id).send().await.if_present()?;
    Ok(answer.and_then(|answer| answer.user_pool))
}

async fn retag(cx: &Cx<'_>, arn: &str, want: &Tags, live: &Tags) -> Result<()> {
    let (set, remove) = tags::changes(want, live);
    if !remove.is_empty() {
        cx.cognito.untag_resource().resource_arn(arn).set_tag_keys(Some(remove)).send().await?;
    }
    if !set.is_empty() {
        cx.cognito.tag_resource().resource_arn(arn).set_tags(Some(set.into_iter().collect())).send().await?;
    }
    Ok(())
}
