//! An API key. AWS makes its value, which is never read here; its name is not unique, so it is found by its tags.

use aws_sdk_apigateway::types::ApiKey as GatewayApiKey;

use crate::resources::prelude::*;

use super::{Listed, arn, find, replace, retag};

/// What a caller shows, so that a usage plan can count and limit its calls. It is not a proof of who calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKey {
    /// Its name.
    pub name: String,
    /// Whose key it is.
    pub description: String,
    /// Whether callers may use it.
    pub enabled: bool,
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ApiKeyOutputs {
    /// The key's id, which is not its value.
    pub api_key_id: String,
}

impl Node<ApiKey> {
    /// The key's id, which is not its value.
    pub fn api_key_id(&self) -> Out<String> {
        self.out("api_key_id")
    }
}

impl Listed for GatewayApiKey {
    const KEY: &'static str = "apigateway.api-keys";

    fn id(&self) -> &str {
        self.id().unwrap_or_default()
    }

    fn tags(&self) -> Tags {
        tags::read(self.tags.clone().unwrap_or_default())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Self>> {
        let pages = cx.apigateway.get_api_keys().include_values(false).limit(500).into_paginator().items().send();
        let mut keys: Vec<Self> = pages.collect::<Result<_, _>>().await?;
        keys.sort_by_key(|key| key.created_date);
        Ok(keys)
    }

    async fn get(cx: &Cx<'_>, id: &str) -> Result<Option<Self>> {
        let key = cx.apigateway.get_api_key().api_key(id).include_value(false).send().await.if_present()?;
        Ok(key.map(|key| {
            GatewayApiKey::builder()
                .set_id(key.id)
                .set_name(key.name)
                .set_description(key.description)
                .enabled(key.enabled)
                .set_tags(key.tags)
                .build()
        }))
    }
}

impl Resource for ApiKey {
    type Cloud = Aws;
    type Outputs = ApiKeyOutputs;
    const KIND: &'static str = "apigateway.api_key";
    const TWINS: bool = true;
    const PRECIOUS: Option<&'static str> = Some("the key");
    const WAIT: Wait = Wait::seconds(3, 60, 120);

    fn check(&self) -> std::result::Result<(), String> {
        if self.name.is_empty() { Err("name is empty; AWS wants a name".into()) } else { Ok(()) }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<GatewayApiKey>(cx, id).await?.into_iter();
        let Some(key) = found.next() else { return Ok(None) };
        let live = ApiKey {
            tags: Listed::tags(&key),
            name: key.name.unwrap_or_default(),
            description: key.description.unwrap_or_default(),
            enabled: key.enabled,
        };
        let id = key.id.always("API key id")?;
        let mut observed = Observed::ready(id.clone(), live, ApiKeyOutputs { api_key_id: id });
        observed.duplicates = found.filter_map(|key| key.id).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx
            .apigateway
            .create_api_key()
            .name(&self.name)
            .description(&self.description)
            .enabled(self.enabled)
            .set_tags(Some(self.tags.clone().into_iter().collect()))
            .send()
            .await?;
        made.id.always("API key id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        let id = &observed.id;
        let mut patches = Vec::new();
        if diff.has("name") {
            patches.push(replace("/name", &self.name));
        }
        if diff.has("description") {
            patches.push(replace("/description", &self.description));
        }
        if diff.has("enabled") {
            patches.push(replace("/enabled", self.enabled));
        }
        if !patches.is_empty() {
            cx.apigateway.update_api_key().api_key(id).set_patch_operations(Some(patches)).send().await?;
        }
        if diff.has("tags") {
            retag(cx, &arn(cx, &format!("/apikeys/{id}")), &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.apigateway.delete_api_key().api_key(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<GatewayApiKey>(cx).await
    }
}
