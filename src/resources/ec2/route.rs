//! One route of a route table. AWS has no id for it, so table and destination joined are its id; a route whose target
//! died stays behind as a blackhole, which reads here as having no target, so that it is repaired.

use aws_sdk_ec2::types::{Route as Ec2Route, RouteOrigin, RouteState, RouteTable as Ec2RouteTable};
use ipnet::Ipv4Net;

use super::{check_network, find, network, pair};
use crate::resources::prelude::*;

/// Where packets for one destination go. Exactly one target is set.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Route {
    /// The table it stands in.
    pub route_table_id: Out<String>,
    /// The packets it is for.
    pub destination: Ipv4Net,
    /// The target, if it is an internet gateway.
    pub internet_gateway_id: Option<Out<String>>,
    /// The target, if it is a NAT gateway.
    pub nat_gateway_id: Option<Out<String>>,
    /// Witness that the internet gateway is attached: AWS refuses a route to one that is not.
    pub internet: Option<Out<String>>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteOutputs {
    /// The table it stands in.
    pub route_table_id: String,
}

impl Node<Route> {
    /// The table, as witness that the route is in it.
    pub fn routed_table_id(&self) -> Out<String> {
        self.out("route_table_id")
    }
}

impl Resource for Route {
    type Cloud = Aws;
    type Outputs = RouteOutputs;
    const KIND: &'static str = "ec2.route";
    const PARENT: Option<&'static str> = Some("ec2.route_table");
    const IMMUTABLE: &'static [&'static str] = &["route_table_id", "destination"];
    const SERVES: bool = true;
    const WITNESSES: &'static [&'static str] = &["internet"];
    const FORETOLD: &'static [&'static str] = &["route_table_id"];
    const WAIT: Wait = Wait::seconds(3, 300, 300);

    fn check(&self) -> std::result::Result<(), String> {
        match (&self.internet_gateway_id, &self.nat_gateway_id) {
            (Some(_), Some(_)) => return Err("internet_gateway_id and nat_gateway_id are both set; one must be".into()),
            (None, None) => return Err("neither internet_gateway_id nor nat_gateway_id is set; one must be".into()),
            (Some(_), None) if self.internet.is_none() => {
                return Err("internet is missing; a route to an internet gateway needs it attached first".into());
            }
            _ => {}
        }
        check_network("destination", self.destination)
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let own = self.destination.to_string();
        let (table_id, destination) = match (id, self.route_table_id.known()) {
            (Some(id), _) => pair(id)?,
            (None, Some(table)) => (table.as_str(), own.as_str()),
            (None, None) => return Ok(None),
        };
        let tables = find::<Ec2RouteTable>(cx, Some(table_id)).await?;
        let ours = |route: &&Ec2Route| is_made(route) && route.destination_cidr_block() == Some(destination);
        let Some(route) = tables.iter().flat_map(|table| table.routes()).find(ours) else { return Ok(None) };
        let alive = route.state() != Some(&RouteState::Blackhole);
        let live = Route {
            route_table_id: table_id.into(),
            destination: network(route.destination_cidr_block())?,
            internet_gateway_id: route.gateway_id().filter(|id| alive && id.starts_with("igw-")).map(Out::from),
            nat_gateway_id: route.nat_gateway_id().filter(|_| alive).map(Out::from),
            internet: self.internet.clone(),
        };
        let outputs = RouteOutputs { route_table_id: table_id.to_owned() };
        Ok(Some(Observed::ready(format!("{table_id}|{destination}"), live, outputs)))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let table = self.route_table_id.get()?;
        cx.ec2
            .create_route()
            .route_table_id(table)
            .destination_cidr_block(self.destination.to_string())
            .set_gateway_id(target(&self.internet_gateway_id)?)
            .set_nat_gateway_id(target(&self.nat_gateway_id)?)
            .send()
            .await?;
        Ok(format!("{table}|{}", self.destination))
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has_any(&["internet_gateway_id", "nat_gateway_id"]) {
            let (table, destination) = pair(&observed.id)?;
            cx.ec2
                .replace_route()
                .route_table_id(table)
                .destination_cidr_block(destination)
                .set_gateway_id(target(&self.internet_gateway_id)?)
                .set_nat_gateway_id(target(&self.nat_gateway_id)?)
                .send()
                .await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        let (table, destination) = pair(&observed.id)?;
        cx.ec2.delete_route().route_table_id(table).destination_cidr_block(destination).send().await.if_present()?;
        Ok(())
    }
}

/// Routes inside the VPC and propagated ones are AWS's own.
fn is_made(route: &Ec2Route) -> bool {
    route.origin() == Some(&RouteOrigin::CreateRoute)
}

fn target(out: &Option<Out<String>>) -> Result<Option<String>> {
    out.as_ref().map(|out| out.get().cloned()).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_has_one_target_and_a_witness_where_it_needs_one() {
        let route = |igw: Option<&str>, nat: Option<&str>, internet: Option<&str>| Route {
            route_table_id: "rtb-1".into(),
            destination: "0.0.0.0/0".parse().unwrap(),
            internet_gateway_id: igw.map(Out::from),
            nat_gateway_id: nat.map(Out::from),
            internet: internet.map(Out::from),
        };
        assert!(route(Some("igw-1"), None, Some("vpc-1")).check().is_ok());
        assert!(route(None, Some("nat-1"), None).check().is_ok());
        assert!(route(Some("igw-1"), None, None).check().is_err());
        assert!(route(Some("igw-1"), Some("nat-1"), Some("vpc-1")).check().is_err());
        assert!(route(None, None, None).check().is_err());
    }
}
