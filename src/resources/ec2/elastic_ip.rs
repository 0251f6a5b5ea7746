//! A public address. It has neither name nor token, so it is found by its tags; for a minute or two after its NAT gateway
//! is gone AWS refuses to release it, as if it were somebody else's.

use aws_sdk_ec2::types::{Address, DomainType, Filter, ResourceType, Tag};

use super::{Described, blockers, find, retag};
use crate::resources::prelude::*;

/// A public address that is ours until released.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ElasticIp {
    /// Tags.
    pub tags: Tags,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ElasticIpOutputs {
    /// The allocation's id.
    pub allocation_id: String,
    /// The address itself.
    pub public_ip: String,
}

impl Node<ElasticIp> {
    /// The allocation's id.
    pub fn allocation_id(&self) -> Out<String> {
        self.out("allocation_id")
    }

    /// The address itself.
    pub fn public_ip(&self) -> Out<String> {
        self.out("public_ip")
    }
}

impl Described for Address {
    const ID_FILTER: &'static str = "allocation-id";

    fn id(&self) -> &str {
        self.allocation_id().unwrap_or_default()
    }

    fn tags(&self) -> &[Tag] {
        self.tags()
    }

    async fn describe(cx: &Cx<'_>, filters: Vec<Filter>) -> Result<Vec<Self>> {
        Ok(cx.ec2.describe_addresses().set_filters(Some(filters)).send().await?.addresses.unwrap_or_default())
    }
}

impl Resource for ElasticIp {
    type Cloud = Aws;
    type Outputs = ElasticIpOutputs;
    const KIND: &'static str = "ec2.elastic_ip";
    const TWINS: bool = true;
    const PRECIOUS: Option<&'static str> = Some("the address");
    const WAIT: Wait = Wait::seconds(5, 300, 900);

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let mut found = find::<Address>(cx, id).await?.into_iter();
        let Some(address) = found.next() else { return Ok(None) };
        let live = ElasticIp { tags: tags::from_ec2(address.tags()) };
        let outputs = ElasticIpOutputs {
            allocation_id: address.id().to_owned(),
            public_ip: address.public_ip().unwrap_or_default().to_owned(),
        };
        let mut observed = Observed::ready(address.id(), live, outputs);
        observed.duplicates = found.map(|address| address.id().to_owned()).collect();
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let tags = tags::ec2_spec(ResourceType::ElasticIp, &self.tags);
        let made = cx.ec2.allocate_address().domain(DomainType::Vpc).tag_specifications(tags).send().await?;
        made.allocation_id.always("allocation id")
    }

    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, diff: &Diff) -> Result<()> {
        if diff.has("tags") {
            retag(cx, &observed.id, &self.tags, &observed.live.tags).await?;
        }
        Ok(())
    }

    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        cx.ec2.release_address().allocation_id(&observed.id).send().await.if_present()?;
        Ok(())
    }

    async fn blockers(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<Vec<Holder>> {
        blockers::holders_of_address::<Address>(cx, &observed.id).await
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        super::list::<Address>(cx).await
    }
}
