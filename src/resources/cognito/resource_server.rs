//! A resource server: an API as its user pool knows it, with the scopes that a token can carry for it. Pool and
//! identifier together name it.

use std::collections::BTreeMap;

use aws_sdk_cognitoidentityprovider::types::ResourceServerScopeType;

use super::{check_name, check_scope, halves};
use crate::resources::prelude::*;
use crate::resources::values::text;

/// An API and its scopes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResourceServer {
    /// The pool.
    pub user_pool_id: Out<String>,
    /// What its scopes begin with; 1-256 printable characters.
    pub identifier: String,
    /// Its name for people.
    pub name: String,
    /// What a token can be good for, and what that means, at most 100.
    pub scopes: BTreeMap<String, String>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ResourceServerOutputs {
    /// What its scopes begin with.
    pub identifier: String,
}

impl Node<ResourceServer> {
    /// A scope as tokens and methods name it: `identifier/scope`.
    pub fn scope(&self, name: &str) -> Out<String> {
        Out::join([self.out("identifier"), format!("/{name}").into()])
    }
}

impl Resource for ResourceServer {
    type Cloud = Aws;
    type Outputs = ResourceServerOutputs;
    const KIND: &'static str = "cognito.resource_server";
    const PARENT: Option<&'static str> = Some("cognito.user_pool");
    const IMMUTABLE: &'static [&'static str] = &["user_pool_id", "identifier"];
    const FORETOLD: &'static [&'static str] = &["identifier"];
    const WAIT: Wait = Wait::seconds(3, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_scope("identifier", &self.identifier, 256, "")?;
        check_name(&self.name, 256)?;
        if self.scopes.len() > 100 {
            return Err(format!("scopes has {}; AWS allows 100", self.scopes.len()));
        }
        for (scope, meaning) in &self.scopes {
            check_scope("scopes", scope, 256, "/")?;
            if !(1..=256).contains(&meaning.len()) {
                return Err(format!("scopes.{scope} has {} characters; AWS allows 1-256", meaning.len()));
            }
        }
        Ok(())
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let natural = || Some(format!("{}|{}", self.user_pool_id.known()?, self.identifier));
        let Some(id) = id.map(str::to_owned).or_else(natural) else { return Ok(None) };
        let (pool, identifier) = halves(&id)?;
        let ask = cx.cognito.describe_resource_server().user_pool_id(pool).identifier(identifier);
        let Some(server) = ask.send().await.if_present()?.and_then(|answer| answer.resource_server) else {
            return Ok(None);
        };
        let scopes = server.scopes().iter();
        let live = ResourceServer {
            user_pool_id: pool.into(),
            identifier: identifier.to_owned(),
            name: text(server.name()),
            scopes: scopes.map(|scope| (scope.scope_name.clone(), scope.scope_description.clone())).collect(),
        };
        let outputs = ResourceServerOutputs { identifier: identifier.to_owned() };
        Ok(Some(Observed::ready(&id, live, outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let pool = self.user_pool_id.get()?;
        let ask = cx.cognito.create_resource_server().user_pool_id(pool).identifier(&self.identifier).name(&self.name);
        ask.set_scopes(Some(self.scopes()?)).send().await?;
        Ok(format!("{pool}|{}", self.identifier))
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, _: &Diff) -> Result<()> {
        let (pool, identifier) = halves(&observed.id)?;
        let ask = cx.cognito.update_resource_server().user_pool_id(pool).identifier(identifier).name(&self.name);
        ask.set_scopes(Some(self.scopes()?)).send().await?;
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (pool, identifier) = halves(&observed.id)?;
        cx.cognito.delete_resource_server().user_pool_id(pool).identifier(identifier).send().await.if_present()?;
        Ok(())
    }
}

impl ResourceServer {
    fn scopes(&self) -> Result<Vec<ResourceServerScopeType>> {
        let scope = |(name, meaning)| ResourceServerScopeType::builder().scope_name(name).scope_description(meaning);
        let scopes = self.scopes.iter().map(|each| scope(each).build());
        scopes.collect::<Result<_, _>>().map_err(|error| Fault::invalid(error.to_string()))
    }
}
