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
    fn changes_set_what_differs_and_remove_what_is_too_much() {
        let want = read([("a", "1"), ("b", "2")]);
        let live = read([("b", "3"), ("c", "4")]);
        let (set, remove) = changes(&want, &live);
        assert_eq!(set, want);
        assert_eq!(remove, ["c"]);
    }
}
