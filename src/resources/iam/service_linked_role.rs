//! The role a service acts with in this account. There is one a service, shared by everything in the account.

use aws_sdk_iam::types::Role;

use super::check_name;
use crate::error::Class;
use crate::resources::prelude::*;

/// A service-linked role.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceLinkedRole {
    /// The service, as `ecs.amazonaws.com`.
    pub service_name: String,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceLinkedRoleOutputs {
    /// The service.
    pub service_name: String,
    /// The role's ARN.
    pub arn: String,
}

impl Node<ServiceLinkedRole> {
    /// The service: the witness that it has its role.
    pub fn service(&self) -> Out<String> {
        self.out("service_name")
    }

    /// The role's ARN.
    pub fn arn(&self) -> Out<String> {
        self.out("arn")
    }
}

impl Resource for ServiceLinkedRole {
    type Cloud = Aws;
    type Outputs = ServiceLinkedRoleOutputs;
    const KIND: &'static str = "iam.service_linked_role";
    const IMMUTABLE: &'static [&'static str] = &["service_name"];
    const FORETOLD: &'static [&'static str] = &["service_name", "arn"];
    const SHARED: bool = true;
    const WAIT: Wait = Wait::seconds(3, 120, 120);

    fn check(&self) -> std::result::Result<(), String> {
        check_name("service_name", &self.service_name, 128)?;
        match self.service_name.contains(".amazonaws.com") {
            true => Ok(()),
            false => Err(format!("service_name is {:?}; AWS's look like ecs.amazonaws.com", self.service_name)),
        }
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let service = id.unwrap_or(&self.service_name);
        let path = format!("/aws-service-role/{service}/");
        let all = cx.pass.shared("iam.service-linked-roles", || roles(cx, "/aws-service-role/")).await?;
        let mut found = all.iter().find(|role| role.path == path).cloned();
        if found.is_none() && id.is_some() {
            found = roles(cx, &path).await?.into_iter().next();
        }
        Ok(found.map(|role| {
            let service_name = service.to_owned();
            let live = ServiceLinkedRole { service_name: service_name.clone() };
            Observed::ready(service, live, ServiceLinkedRoleOutputs { service_name, arn: role.arn })
        }))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let made = cx.iam.create_service_linked_role().aws_service_name(&self.service_name).send().await;
        match made.map_err(Fault::from) {
            Err(fault) if !exists(&fault) => Err(fault),
            _ => Ok(self.service_name.clone()),
        }
    }

    async fn update(&self, _: &Cx<'_>, _: &Observed<Self>, _: &Diff) -> Result<()> {
        Ok(())
    }

    async fn delete(&self, _: &Cx<'_>, _: &Observed<Self>) -> Result<()> {
        // Other stacks and AWS's own consoles use it.
        Ok(())
    }
}

/// Services make their role themselves on first use, and may have been quicker. IAM calls that an invalid input.
fn exists(fault: &Fault) -> bool {
    fault.class == Class::Exists || fault.message.contains("has been taken")
}

async fn roles(cx: &Cx<'_>, path: &str) -> Result<Vec<Role>> {
    Ok(cx.iam.list_roles().path_prefix(path).into_paginator().items().send().try_collect().await?)
}
