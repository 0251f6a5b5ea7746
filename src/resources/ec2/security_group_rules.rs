//! All rules of one security group. They are no object of their own: a tag on the group says that this node rules it, so
//! that even an empty set (a default group stripped of its rules) has a beginning and an end.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{IpPermission, SecurityGroup as Ec2SecurityGroup, Tag};

use super::rule::rules_of;
use super::{Described, Rule, TAG_RULES, filter, find, ours};
use crate::error::Class;
use crate::resource::Owner;
use crate::resources::prelude::*;

/// The complete set of rules of a group: whatever else is live is drift, AWS's own allow-all egress rule included.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroupRules {
    /// The group.
    pub group_id: Out<String>,
    /// What may come in.
    pub ingress: BTreeSet<Rule>,
    /// What may go out.
    pub egress: BTreeSet<Rule>,
}

/// What other nodes may refer to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecurityGroupRulesOutputs {
    /// The group.
    pub group_id: String,
}

impl Node<SecurityGroupRules> {
    /// The group, as witness that it has its rules.
    pub fn ruled_group_id(&self) -> Out<String> {
        self.out("group_id")
    }
}

impl Resource for SecurityGroupRules {
    type Cloud = Aws;
    type Outputs = SecurityGroupRulesOutputs;
    const KIND: &'static str = "ec2.security_group_rules";
    const PARENT: Option<&'static str> = Some("ec2.security_group");
    const IMMUTABLE: &'static [&'static str] = &["group_id"];
    const FORETOLD: &'static [&'static str] = &["group_id"];
    const WAIT: Wait = Wait::seconds(3, 300, 300);

    fn check(&self) -> std::result::Result<(), String> {
        for (field, rules) in [("ingress", &self.ingress), ("egress", &self.egress)] {
            for rule in rules {
                rule.check().map_err(|error| format!("{field}: {error}"))?;
                if rules.iter().filter(|other| other.same_traffic(rule)).count() > 1 {
                    return Err(format!("{field}: {rule:?} is there twice; AWS allows one description a rule"));
                }
            }
        }
        Ok(())
    }

    async fn observe(&self, cx: &Cx<'_>, id: Option<&str>) -> Result<Option<Observed<Self>>> {
        let Some(group_id) = id.or(self.group_id.known().map(String::as_str)) else { return Ok(None) };
        let found = find::<Ec2SecurityGroup>(cx, Some(group_id)).await?;
        let Some(group) = found.first() else { return Ok(None) };
        let Some(ruler) = tags::from_ec2(group.tags()).remove(TAG_RULES) else { return Ok(None) };
        let outputs = SecurityGroupRulesOutputs { group_id: group_id.to_owned() };
        let mut observed = Observed::ready(group_id, live(group)?, outputs);
        if id.is_none() && ruler != mark(cx.owner) {
            observed.foreign = Some(format!("its tag {TAG_RULES} says that {ruler} rules it"));
        }
        Ok(Some(observed))
    }

    async fn create(&self, cx: &Cx<'_>) -> Result<String> {
        let group_id = self.group_id.get()?;
        // Rules may be there already: left by a run that died here, or made by hand.
        let found = Ec2SecurityGroup::describe(cx, vec![filter(Ec2SecurityGroup::ID_FILTER, group_id)]).await?;
        let Some(group) = found.first() else {
            return Err(Fault::new(Class::NotYet, "InvalidGroup.NotFound", format!("{group_id} is not visible yet")));
        };
        self.let_through(cx, group_id, &live(group)?).await?;
        let mark = Tag::builder().key(TAG_RULES).value(mark(cx.owner)).build();
        cx.ec2.create_tags().resources(group_id).tags(mark).send().await?;
        Ok(group_id.clone())
    }

    /// Lets wanted traffic through before it stops unwanted traffic, so that nothing is cut off between the two.
    async fn update(&self, cx: &Cx<'_>, observed: &Observed<Self>, _: &Diff) -> Result<()> {
        self.let_through(cx, &observed.id, &observed.live).await?;
        for (way, want, live) in self.beside(&observed.live) {
            way.revoke(cx, &observed.id, &without(live, want)).await?;
        }
        Ok(())
    }

    /// Rules that are not of this spec stay: they go with the group.
    async fn delete(&self, cx: &Cx<'_>, observed: &Observed<Self>) -> Result<()> {
        for (way, want, live) in self.beside(&observed.live) {
            way.revoke(cx, &observed.id, &within(live, want)).await?;
        }
        let mark = Tag::builder().key(TAG_RULES).build();
        cx.ec2.delete_tags().resources(&observed.id).tags(mark).send().await.if_present()?;
        Ok(())
    }

    async fn list(cx: &Cx<'_>) -> Result<Vec<Found>> {
        let whose = mark(cx.owner);
        let found = |group: &Ec2SecurityGroup| {
            let tags = tags::from_ec2(group.tags());
            let node = tags.get(TAG_RULES)?.strip_prefix(&whose)?;
            cx.owner.owns_any(&tags).then(|| Found::new(node, group.id()))
        };
        Ok(ours::<Ec2SecurityGroup>(cx).await?.iter().filter_map(found).collect())
    }
}

impl SecurityGroupRules {
    fn beside<'a>(&'a self, live: &'a Self) -> [(Way, &'a BTreeSet<Rule>, &'a BTreeSet<Rule>); 2] {
        [(Way::In, &self.ingress, &live.ingress), (Way::Out, &self.egress, &live.egress)]
    }

    async fn let_through(&self, cx: &Cx<'_>, group_id: &str, live: &Self) -> Result<()> {
        for (way, want, live) in self.beside(live) {
            way.authorize(cx, group_id, &without(want, live)).await?;
            let described: Vec<&Rule> = within(want, live).into_iter().filter(|rule| !live.contains(rule)).collect();
            way.describe(cx, group_id, &described).await?;
        }
        Ok(())
    }
}

/// Whose rules these are, as the tag says it.
fn mark(owner: &Owner) -> String {
    format!("{}/{}/{}", owner.stack, owner.env, owner.node)
}

fn live(group: &Ec2SecurityGroup) -> Result<SecurityGroupRules> {
    Ok(SecurityGroupRules {
        group_id: group.id().into(),
        ingress: rules_of(group.ip_permissions())?,
        egress: rules_of(group.ip_permissions_egress())?,
    })
}

/// Those of `rules` whose traffic `others` has too.
fn within<'a>(rules: &'a BTreeSet<Rule>, others: &BTreeSet<Rule>) -> Vec<&'a Rule> {
    rules.iter().filter(|rule| others.iter().any(|other| other.same_traffic(rule))).collect()
}

/// Those of `rules` whose traffic `others` has not.
fn without<'a>(rules: &'a BTreeSet<Rule>, others: &BTreeSet<Rule>) -> Vec<&'a Rule> {
    rules.iter().filter(|rule| !others.iter().any(|other| other.same_traffic(rule))).collect()
}

/// AWS has every rule operation twice.
#[derive(Clone, Copy)]
enum Way {
    In,
    Out,
}

impl Way {
    async fn authorize(self, cx: &Cx<'_>, group: &str, rules: &[&Rule]) -> Result<()> {
        let Some(permissions) = permissions(rules)? else { return Ok(()) };
        let ec2 = &cx.ec2;
        let done: Result<()> = match self {
            Way::In => {
                let call = ec2.authorize_security_group_ingress().group_id(group).set_ip_permissions(Some(permissions));
                call.send().await.map(drop).map_err(Fault::from)
            }
            Way::Out => {
                let call = ec2.authorize_security_group_egress().group_id(group).set_ip_permissions(Some(permissions));
                call.send().await.map(drop).map_err(Fault::from)
            }
        };
        match done {
            // An earlier call, whose answer was lost, has made them; the next look tells.
            Err(fault) if fault.class == Class::Exists => Ok(()),
            done => done,
        }
    }

    async fn revoke(self, cx: &Cx<'_>, group: &str, rules: &[&Rule]) -> Result<()> {
        let Some(permissions) = permissions(rules)? else { return Ok(()) };
        let ec2 = &cx.ec2;
        match self {
            Way::In => {
                let call = ec2.revoke_security_group_ingress().group_id(group).set_ip_permissions(Some(permissions));
                call.send().await.if_present()?;
            }
            Way::Out => {
                let call = ec2.revoke_security_group_egress().group_id(group).set_ip_permissions(Some(permissions));
                call.send().await.if_present()?;
            }
        }
        Ok(())
    }

    /// Writes new descriptions on rules that are there.
    async fn describe(self, cx: &Cx<'_>, group: &str, rules: &[&Rule]) -> Result<()> {
        let Some(permissions) = permissions(rules)? else { return Ok(()) };
        let (ec2, permissions) = (&cx.ec2, Some(permissions));
        match self {
            Way::In => {
                let call = ec2.update_security_group_rule_descriptions_ingress();
                call.group_id(group).set_ip_permissions(permissions).send().await?;
            }
            Way::Out => {
                let call = ec2.update_security_group_rule_descriptions_egress();
                call.group_id(group).set_ip_permissions(permissions).send().await?;
            }
        }
        Ok(())
    }
}

/// `None` for no rules: AWS refuses a call without any.
fn permissions(rules: &[&Rule]) -> Result<Option<Vec<IpPermission>>> {
    let permissions = rules.iter().map(|rule| rule.permission()).collect::<Result<Vec<_>>>()?;
    Ok(Some(permissions).filter(|permissions| !permissions.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::ec2::Peer;

    #[test]
    fn a_rule_that_differs_in_its_description_is_neither_missing_nor_unexpected() {
        let peer = || Peer::Cidr("10.0.0.0/16".parse().unwrap());
        let want = BTreeSet::from([Rule::tcp(443, peer(), "new"), Rule::tcp(80, peer(), "")]);
        let live = BTreeSet::from([Rule::tcp(443, peer(), "old"), Rule::any(peer(), "")]);
        assert_eq!(without(&want, &live), [&Rule::tcp(80, peer(), "")]);
        assert_eq!(without(&live, &want), [&Rule::any(peer(), "")]);
        assert_eq!(within(&want, &live), [&Rule::tcp(443, peer(), "new")]);
    }
}
