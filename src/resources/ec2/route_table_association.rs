//! Which route table a subnet uses. AWS gives it a new id whenever the table is changed, and a subnet has at most one, so
//! the subnet's id is its id.

use aws_sdk_ec2::types::{
    RouteTable as Ec2RouteTable, RouteTableAssociation as Association, RouteTableAssociationStateCode as State,
};

use super::{Described, filter, ours};
use crate::resources::prelude::*;

/// That a subnet uses a route table instead of the VPC's main one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTableAssociation {
    /// The table.
    pub route_table_id: Out<String>,
    /// The subnet.
    pub subnet_id: Out<String>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteTableAssociationOutputs {
    /// The subnet.
    pub subnet_id: String,
    /// AWS's id for it now.
    pub association_id: String,
}

impl Node<RouteTableAssociation> {
    /// The subnet, as witness that it has its routes.
    pub fn routed_subnet_id(&self) -> Out<String> {
        self.out("subnet_id")
    }
}

impl Resource for RouteTableAssociation {
    type Cloud = Aws;
    type Outputs = RouteTableAssociationOutputs;
    const KIND: &'static str = "ec2.route_table_association";
    const PARENT: Option<&'static str> = Some("ec2.route_table");
    const IMMUTABLE: &'static [&'static str] = &["subnet_id"];
    const SERVES: bool = true;
    const FORETOLD: &'static [&'static str] = &["subnet_id"];
    const WAIT: Wait = Wait::seconds(3, 300, 300);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(subnet) = id.or(self.subnet_id.known().map(String::as_str)) else { return Ok(None) };
        let Some(association) = association_of(cx, subnet).await? else { return Ok(None) };
        let live = RouteTableAssociation {
            route_table_id: association.route_table_id().unwrap_or_default().into(),
            subnet_id: subnet.into(),
        };
        let outputs = RouteTableAssociationOutputs {
            subnet_id: subnet.to_owned(),
            association_id: association.route_table_association_id().always("association id")?.to_owned(),
        };
        Ok(Some(Observed::ready(subnet, live, outputs).in_phase(phase(&association))))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let subnet = self.subnet_id.get()?;
        cx.ec2.associate_route_table().route_table_id(self.route_table_id.get()?).subnet_id(subnet).send().await?;
        Ok(subnet.clone())
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("route_table_id") {
            cx.ec2
                .replace_route_table_association()
                .association_id(&observed.outputs.association_id)
                .route_table_id(self.route_table_id.get()?)
                .send()
                .await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let association = &observed.outputs.association_id;
        cx.ec2.disassociate_route_table().association_id(association).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let tables = super::list::<Ec2RouteTable>(cx).await?;
        let mut found = Vec::new();
        for table in ours::<Ec2RouteTable>(cx).await?.iter() {
            let Some(of) = tables.iter().find(|of| of.id == table.id()) else { continue };
            let subnets = table.associations().iter().filter_map(|association| association.subnet_id());
            found.extend(subnets.map(|subnet| Found::new(format!("{}-association", of.node), subnet)));
        }
        Ok(found)
    }
}

/// The subnet's explicit association: in a table of ours, read once for all, else in anybody's.
async fn association_of(cx: &Cx<'_>, subnet: &str) -> Result<Option<Association>> {
    if let Some(association) = serving(&ours::<Ec2RouteTable>(cx).await?, subnet) {
        return Ok(Some(association));
    }
    let all = Ec2RouteTable::describe(cx, vec![filter("association.subnet-id", subnet)]).await?;
    Ok(serving(&all, subnet))
}

fn serving(tables: &[Ec2RouteTable], subnet: &str) -> Option<Association> {
    let serves = |association: &&Association| {
        association.subnet_id() == Some(subnet) && state(association) != Some(&State::Disassociated)
    };
    tables.iter().flat_map(|table| table.associations()).find(serves).cloned()
}

fn state(association: &Association) -> Option<&State> {
    association.association_state().and_then(|state| state.state())
}

fn phase(association: &Association) -> Phase {
    match state(association) {
        // Where AWS leaves the state out, the association is in effect.
        Some(State::Associated) | None => Phase::Ready,
        Some(State::Disassociating) => Phase::Deleting,
        Some(State::Failed) => Phase::Failed(
            association
                .association_state()
                .and_then(|state| state.status_message())
                .unwrap_or("the association failed")
                .to_owned(),
        ),
        Some(state) => Phase::Pending(state.as_str().to_owned()),
    }
}
