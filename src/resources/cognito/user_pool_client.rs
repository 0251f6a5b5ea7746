//! A client of a user pool: a program that gets tokens. It has no tags; its pool is ours, and its name in that pool finds
//! it. AWS makes its secret, which is read by whoever may call DescribeUserPoolClient, and never here.

use std::collections::BTreeSet;

use aws_sdk_cognitoidentityprovider::types::{
    ExplicitAuthFlowsType, OAuthFlowType, PreventUserExistenceErrorTypes, TimeUnitsType, TokenValidityUnitsType,
    UserPoolClientType,
};

use super::{check_name, check_scope, halves};
use crate::resources::prelude::*;
use crate::resources::values::{check_range, known, outs, text};

/// A program that gets tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserPoolClient {
    /// The pool.
    pub user_pool_id: Out<String>,
    /// Its name, by which it is found: no two clients of the pool may share it.
    pub name: String,
    /// Whether it has a secret, as `client_credentials` demands.
    pub generate_secret: bool,
    /// How it gets tokens: `client_credentials` alone, or `code` and `implicit`.
    pub allowed_flows: BTreeSet<String>,
    /// What its tokens may be good for, as `identifier/scope`.
    pub allowed_scopes: BTreeSet<Out<String>>,
    /// For how long an access token is good, in minutes, 5-1440.
    pub access_token_minutes: i32,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UserPoolClientOutputs {
    /// Its id, which is its user name at the token address.
    pub client_id: String,
}

impl Node<UserPoolClient> {
    /// Its id, which is its user name at the token address.
    pub fn client_id(&self) -> Out<String> {
        self.out("client_id")
    }
}

impl Resource for UserPoolClient {
    type Cloud = Aws;
    type Outputs = UserPoolClientOutputs;
    const KIND: &'static str = "cognito.user_pool_client";
    const PARENT: Option<&'static str> = Some("cognito.user_pool");
    const IMMUTABLE: &'static [&'static str] = &["user_pool_id", "name", "generate_secret"];
    const PRECIOUS: Option<&'static str> = Some("the client id and secret");
    const WAIT: Wait = Wait::seconds(3, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_name(&self.name, 128)?;
        check_range("access_token_minutes", self.access_token_minutes, 5, 1440)?;
        for scope in self.allowed_scopes.iter().filter_map(Out::known) {
            check_scope("allowed_scopes", scope, 256, "")?;
        }
        let flows: Vec<&str> = self.allowed_flows.iter().map(String::as_str).collect();
        match flows.as_slice() {
            ["client_credentials"] if !self.generate_secret => {
                Err("allowed_flows has client_credentials, which needs generate_secret".to_owned())
            }
            [] if !self.allowed_scopes.is_empty() => {
                Err("allowed_scopes is not empty, but allowed_flows is".to_owned())
            }
            [_, ..] if self.allowed_scopes.is_empty() => {
                Err("allowed_scopes is empty, but allowed_flows is not".into())
            }
            [] | ["client_credentials" | "code" | "implicit"] | ["code", "implicit"] => Ok(()),
            _ => Err(format!(
                "allowed_flows is {}; AWS allows client_credentials alone, or code and implicit",
                flows.join(", ")
            )),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = match (id, self.user_pool_id.known()) {
            (Some(id), _) => described(cx, id).await?.into_iter().collect(),
            (None, Some(pool)) => self.named(cx, pool).await?,
            (None, None) => return Ok(None),
        };
        found.sort_by_key(|client| client.creation_date);
        let mut found = found.into_iter();
        let Some(client) = found.next() else { return Ok(None) };
        let outputs = UserPoolClientOutputs { client_id: text(client.client_id()) };
        let mut observed = Observed::ready(id_of(&client), live(&client), outputs);
        observed.duplicates = found.map(|client| id_of(&client)).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .cognito
            .create_user_pool_client()
            .user_pool_id(self.user_pool_id.get()?)
            .client_name(&self.name)
            .generate_secret(self.generate_secret)
            .allowed_o_auth_flows_user_pool_client(!self.allowed_flows.is_empty())
            .set_allowed_o_auth_flows(Some(self.flows()))
            .set_allowed_o_auth_scopes(Some(known(&self.allowed_scopes)?))
            .access_token_validity(self.access_token_minutes)
            .token_validity_units(in_minutes(None))
            // What else AWS would allow by itself is for people who sign in with a password.
            .explicit_auth_flows(ExplicitAuthFlowsType::AllowRefreshTokenAuth)
            .prevent_user_existence_errors(PreventUserExistenceErrorTypes::Enabled)
            .enable_token_revocation(true)
            .send()
            .await?;
        made.user_pool_client.map(|client| id_of(&client)).always("user pool client")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, _: &Diff) -> Result<()> {
        let (pool, client) = halves(&observed.id)?;
        let Some(live) = described(cx, &observed.id).await? else { return Ok(()) };
        cx.cognito
            .update_user_pool_client()
            .user_pool_id(pool)
            .client_id(client)
            .client_name(&self.name)
            .allowed_o_auth_flows_user_pool_client(!self.allowed_flows.is_empty())
            .set_allowed_o_auth_flows(Some(self.flows()))
            .set_allowed_o_auth_scopes(Some(known(&self.allowed_scopes)?))
            .access_token_validity(self.access_token_minutes)
            .token_validity_units(in_minutes(live.token_validity_units.as_ref()))
            .set_id_token_validity(live.id_token_validity)
            .refresh_token_validity(live.refresh_token_validity)
            .set_read_attributes(live.read_attributes)
            .set_write_attributes(live.write_attributes)
            .set_explicit_auth_flows(live.explicit_auth_flows)
            .set_supported_identity_providers(live.supported_identity_providers)
            .set_callback_urls(live.callback_urls)
            .set_logout_urls(live.logout_urls)
            .set_default_redirect_uri(live.default_redirect_uri)
            .set_analytics_configuration(live.analytics_configuration)
            .set_prevent_user_existence_errors(live.prevent_user_existence_errors)
            .set_enable_token_revocation(live.enable_token_revocation)
            .set_auth_session_validity(live.auth_session_validity)
            .set_refresh_token_rotation(live.refresh_token_rotation)
            .send()
            .await?;
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (pool, client) = halves(&observed.id)?;
        cx.cognito.delete_user_pool_client().user_pool_id(pool).client_id(client).send().await.if_present()?;
        Ok(())
    }
}

impl UserPoolClient {
    /// The clients of this name; their list has no dates.
    async fn named(&self, cx: &Cx<'_>, pool: &str) -> Result<Vec<UserPoolClientType>> {
        let pages = cx.cognito.list_user_pool_clients().user_pool_id(pool).max_results(60).into_paginator().items();
        let all = pages.send().collect::<Result<Vec<_>, _>>().await.if_present()?.unwrap_or_default();
        let mut found = Vec::new();
        for client in all.iter().filter(|client| client.client_name() == Some(&self.name)) {
            found.extend(described(cx, &format!("{pool}|{}", client.client_id().unwrap_or_default())).await?);
        }
        Ok(found)
    }

    fn flows(&self) -> Vec<OAuthFlowType> {
        self.allowed_flows.iter().map(|flow| OAuthFlowType::from(flow.as_str())).collect()
    }
}

fn id_of(client: &UserPoolClientType) -> String {
    format!("{}|{}", client.user_pool_id().unwrap_or_default(), client.client_id().unwrap_or_default())
}

fn live(client: &UserPoolClientType) -> UserPoolClient {
    let usable = client.allowed_o_auth_flows_user_pool_client().unwrap_or_default();
    let flows = client.allowed_o_auth_flows().iter().filter(|_| usable);
    UserPoolClient {
        user_pool_id: text(client.user_pool_id()).into(),
        name: text(client.client_name()),
        generate_secret: client.client_secret().is_some(),
        allowed_flows: flows.map(|flow| flow.as_str().to_owned()).collect(),
        allowed_scopes: outs(client.allowed_o_auth_scopes().iter().map(String::as_str)),
        access_token_minutes: minutes(client),
    }
}

/// Without a unit AWS means hours.
fn minutes(client: &UserPoolClientType) -> i32 {
    let length = client.access_token_validity().unwrap_or(1);
    match client.token_validity_units().and_then(|units| units.access_token()) {
        Some(TimeUnitsType::Seconds) => length / 60,
        Some(TimeUnitsType::Minutes) => length,
        Some(TimeUnitsType::Days) => length.saturating_mul(24 * 60),
        _ => length.saturating_mul(60),
    }
}

fn in_minutes(live: Option<&TokenValidityUnitsType>) -> TokenValidityUnitsType {
    TokenValidityUnitsType::builder()
        .access_token(TimeUnitsType::Minutes)
        .set_id_token(live.and_then(|units| units.id_token().cloned()))
        .set_refresh_token(live.and_then(|units| units.refresh_token().cloned()))
        .build()
}

async fn described(cx: &Cx<'_>, id: &str) -> Result<Option<UserPoolClientType>> {
    let (pool, client) = halves(id)?;
    let ask = cx.cognito.describe_user_pool_client().user_pool_id(pool).client_id(client);
    Ok(ask.send().await.if_present()?.and_then(|answer| answer.user_pool_client))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(flows: &[&str], generate_secret: bool) -> UserPoolClient {
        UserPoolClient {
            user_pool_id: "us-east-1_a".into(),
            name: "campus".to_owned(),
            generate_secret,
            allowed_flows: flows.iter().map(|flow| (*flow).to_owned()).collect(),
            allowed_scopes: outs(["students/read"]),
            access_token_minutes: 60,
        }
    }

    #[test]
    fn flows_that_aws_takes_together_pass() {
        assert_eq!(client(&["client_credentials"], true).check(), Ok(()));
        assert_eq!(client(&["code", "implicit"], false).check(), Ok(()));
        for (flows, secret) in [
            (&["client_credentials"][..], false),
            (&["client_credentials", "code"], true),
            (&["magic"], true),
            (&[], true),
        ] {
            assert!(client(flows, secret).check().is_err(), "{flows:?}");
        }
    }

    #[test]
    fn a_lifetime_reads_in_minutes_whatever_its_unit() {
        let of = |length, unit| {
            let units = TokenValidityUnitsType::builder().set_access_token(unit).build();
            minutes(&UserPoolClientType::builder().access_token_validity(length).token_validity_units(units).build())
        };
        assert_eq!(of(2, None), 120);
        assert_eq!(of(600, Some(TimeUnitsType::Seconds)), 10);
        assert_eq!(of(1, Some(TimeUnitsType::Days)), 1440);
    }
}
