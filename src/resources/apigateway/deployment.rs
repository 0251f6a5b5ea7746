//! A deployment: an immutable snapshot of an API. Its description carries the node and the hash of what it froze, which
//! is how it is found again; one that a stage still serves cannot be deleted.

use aws_sdk_apigateway::types::Deployment as GatewayDeployment;

use crate::resources::prelude::*;

use super::halves;

/// A snapshot of a REST API.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deployment {
    /// The API.
    pub rest_api_id: Out<String>,
    /// The hash of the API's routes and settings ([`Node::hash`]): whenever they change, a new deployment follows.
    pub api_hash: Out<String>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DeploymentOutputs {
    /// The deployment's id within its API.
    pub deployment_id: String,
}

impl Node<Deployment> {
    /// The deployment's id within its API.
    pub fn deployment_id(&self) -> Out<String> {
        self.out("deployment_id")
    }
}

impl Resource for Deployment {
    type Cloud = Aws;
    type Outputs = DeploymentOutputs;
    const KIND: &'static str = "apigateway.deployment";
    const PARENT: Option<&'static str> = Some("apigateway.rest_api");
    const IMMUTABLE: &'static [&'static str] = &["rest_api_id", "api_hash"];
    const REPLACE: Replace = Replace::CreateFirst;
    const WAIT: Wait = Wait::seconds(3, 120, 300);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let (api, mut found) = match id {
            Some(id) => {
                let (api, deployment) = halves(id)?;
                (api, one(cx, api, deployment).await?)
            }
            None => match (self.rest_api_id.known(), self.api_hash.known()) {
                (Some(api), Some(hash)) => (api.as_str(), described(cx, api, &description(cx, hash)).await?),
                _ => return Ok(None),
            },
        };
        found.sort_by_key(|deployment| deployment.created_date);
        let mut found = found.into_iter();
        let Some(deployment) = found.next() else { return Ok(None) };
        let live = Deployment { rest_api_id: api.into(), api_hash: hash(deployment.description()).into() };
        let deployment_id = deployment.id.always("deployment id")?;
        let mut observed = Observed::ready(format!("{api}|{deployment_id}"), live, DeploymentOutputs { deployment_id });
        observed.duplicates = found.filter_map(|other| Some(format!("{api}|{}", other.id?))).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let api = self.rest_api_id.get()?;
        // With a stage name this call would make or overwrite that stage.
        let made = cx
            .apigateway
            .create_deployment()
            .rest_api_id(api)
            .description(description(cx, self.api_hash.get()?))
            .send()
            .await?;
        Ok(format!("{api}|{}", made.id.always("deployment id")?))
    }

    async fn update(&self, _: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (api, deployment) = halves(&observed.id)?;
        cx.apigateway.delete_deployment().rest_api_id(api).deployment_id(deployment).send().await.if_present()?;
        Ok(())
    }
}

fn description(cx: &Cx<'_>, hash: &str) -> String {
    format!("tapctl {} {hash}", cx.owner.node)
}

/// The hash in a description that [`description`] wrote; empty in any other.
fn hash(description: Option<&str>) -> &str {
    let words: Vec<_> = description.unwrap_or_default().split(' ').collect();
    match words[..] {
        ["tapctl", _, hash] => hash,
        _ => "",
    }
}

async fn one(cx: &Cx<'_>, api: &str, id: &str) -> Result<Vec<GatewayDeployment>> {
    let found = cx.apigateway.get_deployment().rest_api_id(api).deployment_id(id).send().await.if_present()?;
    let deployment = found.map(|found| {
        GatewayDeployment::builder()
            .set_id(found.id)
            .set_description(found.description)
            .set_created_date(found.created_date)
            .build()
    });
    Ok(deployment.into_iter().collect())
}

async fn described(cx: &Cx<'_>, api: &str, description: &str) -> Result<Vec<GatewayDeployment>> {
    let pages = cx.apigateway.get_deployments().rest_api_id(api).limit(500).into_paginator().items().send();
    let all: Option<Vec<GatewayDeployment>> = pages.collect::<Result<_, _>>().await.if_present()?;
    let mut all = all.unwrap_or_default();
    all.retain(|deployment| deployment.description() == Some(description));
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::hash;

    #[test]
    fn only_our_own_descriptions_tell_a_hash() {
        assert_eq!(hash(Some("tapctl api-deployment 0a1b")), "0a1b");
        assert_eq!(hash(Some("made by hand")), "");
        assert_eq!(hash(None), "");
    }
}
