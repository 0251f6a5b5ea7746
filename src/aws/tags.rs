//! Tags between our maps and each service's own type, and the filters that find what is ours.

use aws_sdk_ec2::types::{Filter, ResourceType, Tag, TagSpecification};

use crate::resource::{Owner, TAG_ENV, TAG_NODE, TAG_STACK, Tags};

/// Tags as AWS reports them, without AWS's own.
pub fn read<K: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (K, V)>) -> Tags {
    pairs
        .into_iter()
        .map(|(key, value)| (key.into(), value.into()))
        .filter(|(key, _)| !key.starts_with("aws:"))
        .collect()
}

/// What turns `live` into `want`: the tags to set, and the keys to remove.
pub fn changes(want: &Tags, live: &Tags) -> (Tags, Vec<String>) {
    let set = want
        .iter()
        .filter(|(key, value)| live.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let remove = live.keys().filter(|key| !want.contains_key(*key)).cloned().collect();
    (set, remove)
}

/// The tags that an object gets where its service sets all of them at once: those it has by `now`, with what turns `live`
/// into `want` done to them. Tags of others, which are in neither, stay.
pub fn changed(now: &Tags, want: &Tags, live: &Tags) -> Tags {
    let (set, remove) = changes(want, live);
    let mut all = now.clone();
    all.retain(|key, _| !remove.contains(key));
    all.extend(set);
    all
}

/// What the tags begin with that name the stacks which share an object.
pub(super) const USER: &str = "tapctl:user:";
/// Whose it is that tapctl made an object which stacks share.
pub const MADE_HERE: (&str, &str) = ("ManagedBy", "tapctl");

/// The tag by which a stack says that it uses an object which stacks share.
pub fn user(owner: &Owner) -> String {
    format!("{USER}{}:{}:{}", owner.stack, owner.env, owner.region)
}

/// The same as it was written before it told the region.
fn former_user(owner: &Owner) -> String {
    format!("{USER}{}:{}", owner.stack, owner.env)
}

/// The tags by which a stack may have said that it uses an object.
pub fn users(owner: &Owner) -> [String; 2] {
    [user(owner), former_user(owner)]
}

/// EC2's tags as a map.
pub fn from_ec2(tags: &[Tag]) -> Tags {
    read(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

/// A map as EC2's tags.
pub fn to_ec2(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

/// The tags of an EC2 create call.
pub fn ec2_spec(kind: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder().resource_type(kind).set_tags(Some(to_ec2(tags))).build()
}

/// The filters that find every EC2 object of this stack and environment.
pub fn ec2_filters(owner: &Owner) -> Vec<Filter> {
    [(TAG_STACK, &owner.stack), (TAG_ENV, &owner.env)]
        .into_iter()
        .map(|(key, value)| Filter::builder().name(format!("tag:{key}")).values(value).build())
        .collect()
}

/// Whether these tags name this node of this stack and environment.
pub fn names_node(owner: &Owner, tags: &Tags) -> bool {
    tags.get(TAG_NODE) == Some(&owner.node) && owner.owns(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_aws_itself_are_not_ours_to_see() {
        assert_eq!(read([("aws:cloudformation:stack", "x"), ("Name", "y")]).len(), 1);
    }

    #[test]
    fn where_all_are_set_at_once_those_of_others_stay() {
        let now = read([("a", "1"), ("theirs", "x"), ("old", "1")]);
        let live = read([("a", "1"), ("old", "1")]);
        let want = read([("a", "2"), ("b", "1")]);
        assert_eq!(changed(&now, &want, &live), read([("a", "2"), ("b", "1"), ("theirs", "x")]));
    }

    #[test]
    fn changes_set_what_differs_and_remove_what_is_too_much() {
        let want = read([("a", "1"), ("b", "2")]);
        let live = read([("b", "3"), ("c", "4")]);
        let (set, remove) = changes(&want, &live);
        assert_eq!(set, want);
        assert_eq!(remove, ["c"]);
    }
}
