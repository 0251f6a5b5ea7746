//! How stacks share an object that an account or a region has once.
//!
//! Each stack that uses it has a tag of its own on it, and the one that leaves last removes it. AWS removes without a
//! condition, so one stack could join while another, which has seen nobody but itself, is about to remove. Against that,
//! both say what they are about to do before they look:
//!
//! - Who joins puts its tag on, and looks then. While another is leaving it waits: the object is then gone, and is made
//!   anew, or stays.
//! - Who leaves marks its tag as leaving, and looks then. Where another stays, it takes the tag off; else it removes the
//!   object.
//!
//! Whichever is written second is seen by the one who wrote it.

use std::time::SystemTime;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::tags::{self, MADE_HERE, USER};
use crate::resource::{Owner, Tags};

/// The tag's value while a stack stays.
pub const STAYS: &str = "";
/// What the value begins with while a stack leaves; the time follows.
const LEAVES: &str = "leaving ";
/// How many seconds after its time a mark counts for nothing: no call that was begun then is still under way. Who put it
/// was killed, and its next run goes on.
const FORGOTTEN: i64 = 900;
/// How many tags AWS allows on one object; its own do not count.
pub const MOST_TAGS: usize = 50;

/// The value by which a stack says that it is about to leave.
pub fn leaves(now: SystemTime) -> String {
    let time = DateTime::from_secs(DateTime::from(now).secs()).fmt(Format::DateTime).unwrap_or_default();
    format!("{LEAVES}{time}")
}

/// Whether this stack has joined, and is not leaving.
pub fn has_joined(owner: &Owner, tags: &Tags) -> bool {
    // A mark is on the tag of today; one of before stays on until the object is left.
    let leaves = tags.get(&tags::user(owner)).is_some_and(|value| value.starts_with(LEAVES));
    !leaves && tags::users(owner).iter().any(|user| tags.contains_key(user))
}

/// What is waited for while another stack is leaving.
pub fn others_leave(owner: &Owner, tags: &Tags, now: SystemTime) -> Option<String> {
    let now = DateTime::from(now).secs();
    let leaving = |value: &String| {
        let time = DateTime::from_str(value.strip_prefix(LEAVES)?, Format::DateTime).ok()?;
        Some((now - time.secs()).abs() < FORGOTTEN)
    };
    let (who, _) = others(owner, tags).find(|(_, value)| leaving(value).unwrap_or_default())?;
    Some(format!("for {who}, which is leaving it (its tag {USER}{who} says so)"))
}

/// Whether tapctl made the object, and no stack but this one stays.
pub fn is_last(owner: &Owner, tags: &Tags) -> bool {
    let made_here = tags.get(MADE_HERE.0).map(String::as_str) == Some(MADE_HERE.1);
    made_here && others(owner, tags).all(|(_, value)| value.starts_with(LEAVES))
}

/// Why this stack's tag does not fit on the object, where that is so, with who uses it.
pub fn is_full(owner: &Owner, tags: &Tags) -> Option<String> {
    if tags.len() < MOST_TAGS || tags::users(owner).iter().any(|user| tags.contains_key(user)) {
        return None;
    }
    let users: Vec<&str> = others(owner, tags).map(|(who, _)| who).collect();
    Some(format!(
        "it has {} tags, AWS allows {MOST_TAGS}, and every stack that shares it needs one; {} share it: {}",
        tags.len(),
        users.len(),
        users.join(", ")
    ))
}

fn others<'a>(owner: &Owner, tags: &'a Tags) -> impl Iterator<Item = (&'a str, &'a String)> {
    let own = tags::users(owner);
    tags.iter()
        .filter(move |(key, _)| !own.contains(key))
        .filter_map(|(key, value)| Some((key.strip_prefix(USER)?, value)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn owner(env: &str) -> Owner {
        Owner {
            stack: "s".to_owned(),
            env: env.to_owned(),
            region: "us-east-1".to_owned(),
            node: "n".to_owned(),
            attempt: String::new(),
        }
    }

    /// The tags of what tapctl made, with those of these environments.
    fn shared(users: &[(&str, &str)]) -> Tags {
        let users = users.iter().map(|(env, value)| (tags::user(&owner(env)), (*value).to_owned()));
        users.chain([(MADE_HERE.0.to_owned(), MADE_HERE.1.to_owned())]).collect()
    }

    #[test]
    fn the_last_user_of_what_was_made_here_takes_it_along() {
        let leaving = leaves(SystemTime::now());
        assert!(!is_last(&owner("dev"), &shared(&[("dev", &leaving), ("qa", STAYS)])));
        assert!(is_last(&owner("dev"), &shared(&[("dev", &leaving)])));
        assert!(is_last(&owner("dev"), &shared(&[])));
        assert!(is_last(&owner("dev"), &shared(&[("dev", &leaving), ("qa", &leaving)])), "two may both be the last");
        let mut strangers = shared(&[("dev", &leaving)]);
        strangers.remove(MADE_HERE.0);
        assert!(!is_last(&owner("dev"), &strangers), "somebody else made it");
    }

    #[test]
    fn who_joins_waits_for_who_leaves_but_not_for_ever() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let leaving = leaves(now);
        assert_eq!(leaving, "leaving 2027-01-15T08:00:00Z");
        let tags = shared(&[("dev", &leaving), ("qa", STAYS)]);
        let text = others_leave(&owner("qa"), &tags, now).unwrap();
        assert!(text.starts_with("for s:dev") && text.contains("tapctl:user:s:dev"), "{text}");
        assert_eq!(others_leave(&owner("dev"), &tags, now), None, "nobody waits for itself");
        assert_eq!(others_leave(&owner("qa"), &tags, now + Duration::from_secs(900)), None);
        assert_eq!(others_leave(&owner("qa"), &shared(&[("dev", "leaving soon")]), now), None);
        assert!(
            has_joined(&owner("qa"), &tags) && !has_joined(&owner("dev"), &tags) && !has_joined(&owner("x"), &tags)
        );
    }

    #[test]
    fn an_object_that_is_full_says_who_fills_it() {
        let names: Vec<String> = (0..49).map(|number| format!("e{number}")).collect();
        let mut tags = shared(&names.iter().map(|name| (name.as_str(), STAYS)).collect::<Vec<_>>());
        let why = is_full(&owner("dev"), &tags).unwrap();
        assert!(
            why.starts_with("it has 50 tags, AWS allows 50,")
                && why.contains("49 share it: s:e0:us-east-1, s:e10:us-east-1"),
            "{why}"
        );
        assert_eq!(is_full(&owner("e7"), &tags), None, "it has its tag");
        tags.remove(&tags::user(&owner("e7")));
        assert_eq!(is_full(&owner("dev"), &tags), None);
    }
}
