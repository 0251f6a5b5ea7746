//! Another token for a cache. ElastiCache takes the old one and the new one after a change of the strategy ROTATE, and only
//! the new one after SET, which it allows only then: user guide, "Authenticating with the AUTH command"; API reference,
//! ModifyReplicationGroup, `AuthTokenUpdateStrategy`. So nobody is ever locked out: the new token is drawn into the secret's
//! `AWSPENDING` version, given to the cache, made the current one, read by those who use it, and then the only one.
//!
//! No answer of AWS says which token a cache has, and to give it the new one once more would take the old one away. What it
//! does tell is when its token was last changed: that moment stands in a label of the version before each of the two changes.
//! Where it is another by now, the change was made, though its answer may be lost.

use aws_sdk_elasticache::types::{AuthTokenUpdateStrategyType as Strategy, ReplicationGroup as CacheGroup};

use super::NOT_IN_AUTH_TOKENS;
use crate::resources::named::Named;
use crate::resources::prelude::*;
use crate::resources::secretsmanager::stages::{CURRENT, PENDING, Stages};
use crate::resources::secretsmanager::{new_text, value_at};

/// Labels: when the token was last changed before it was to be changed by ROTATE, and by SET.
const TO_ROTATE: &str = "tapctl-rotates-token-of-";
const TO_SET: &str = "tapctl-sets-token-of-";

/// What a turn finds to do.
#[derive(Debug, PartialEq, Eq)]
enum Todo<'a> {
    /// A new token is to be drawn.
    Draw,
    /// This version's token is to be given to the cache.
    Give(&'a str),
    /// That is done.
    Done,
}

/// Gives the cache a new token beside the one it has, or again the one that is pending.
pub(super) async fn begin(cx: &Cx<'_>, group: &str, secret: &str) -> Result<()> {
    let (stages, since) = (Stages::of(cx, secret).await?, last_change(cx, group).await?);
    match to_rotate(&stages, &since) {
        Todo::Done => return Ok(()),
        Todo::Give(_) => {}
        Todo::Draw => draw(cx, secret, &since).await?,
    }
    change(cx, group, value_at(cx, secret, PENDING).await?, Strategy::Rotate).await
}

/// Makes the token that the cache takes by now the one that everybody reads.
pub(super) async fn settle(cx: &Cx<'_>, secret: &str) -> Result<()> {
    let stages = Stages::of(cx, secret).await?;
    match ours(&stages) {
        Some(version) if stages.with(CURRENT) != Some(version) => stages.give(cx, CURRENT, version).await,
        _ => Ok(()),
    }
}

/// Makes the token that everybody has read by now the only one, and forgets how that came about.
pub(super) async fn retire(cx: &Cx<'_>, group: &str, secret: &str) -> Result<()> {
    let (stages, since) = (Stages::of(cx, secret).await?, last_change(cx, group).await?);
    let Some(version) = ours(&stages).filter(|version| stages.with(CURRENT) == Some(*version)) else { return Ok(()) };
    let known = stages.after(version, TO_SET);
    let label = format!("{TO_SET}{}", known.unwrap_or(&since));
    if known.is_none() {
        stages.give(cx, &label, version).await?;
    }
    if known.is_none_or(|known| known == since) {
        change(cx, group, value_at(cx, secret, CURRENT).await?, Strategy::Set).await?;
    }
    // Without the first of these the version is no longer taken for one on its way.
    let begun = stages.after(version, TO_ROTATE).map(|since| format!("{TO_ROTATE}{since}"));
    for label in begun.iter().chain([&label, &PENDING.to_owned()]) {
        stages.take(cx, label, version).await?;
    }
    Ok(())
}

/// The version that was drawn here and is on its way.
fn ours(stages: &Stages) -> Option<&str> {
    stages.with(PENDING).filter(|version| stages.after(version, TO_ROTATE).is_some())
}

/// What is to be done before the cache takes both tokens, its token being of `since`.
fn to_rotate<'a>(stages: &'a Stages, since: &str) -> Todo<'a> {
    match ours(stages) {
        None => Todo::Draw,
        Some(version) if stages.with(CURRENT) == Some(version) => Todo::Done,
        Some(version) if stages.after(version, TO_ROTATE) == Some(since) => Todo::Give(version),
        Some(_) => Todo::Done,
    }
}

/// When the cache's token was last changed, in nanoseconds since 1970.
async fn last_change(cx: &Cx<'_>, group: &str) -> Result<String> {
    let found = CacheGroup::describe(cx, Some(group)).await?.pop().always("replication group")?;
    Ok(found.auth_token_last_modified_date().map_or(0, aws_sdk_elasticache::primitives::DateTime::as_nanos).to_string())
}

/// As long as the one before.
async fn draw(cx: &Cx<'_>, secret: &str, since: &str) -> Result<()> {
    let length = value_at(cx, secret, CURRENT).await?.chars().count();
    let token = new_text(cx, length, NOT_IN_AUTH_TOKENS).await?;
    let ask = cx.secrets.put_secret_value().secret_id(secret).secret_string(token);
    ask.version_stages(PENDING).version_stages(format!("{TO_ROTATE}{since}")).send().await?;
    Ok(())
}

async fn change(cx: &Cx<'_>, group: &str, token: String, strategy: Strategy) -> Result<()> {
    let ask = cx.elasticache.modify_replication_group().replication_group_id(group).apply_immediately(true);
    ask.auth_token(token).auth_token_update_strategy(strategy).send().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(since: &str) -> String {
        format!("{TO_ROTATE}{since}")
    }

    #[test]
    fn a_token_is_given_once_however_often_it_is_begun() {
        let (drawn, of) = (begun("5"), |all: &[(&str, &[&str])]| Stages::told(all));
        let none = of(&[("a", &[CURRENT])]);
        assert_eq!(to_rotate(&none, "5"), Todo::Draw);
        let pending = of(&[("a", &[CURRENT]), ("b", &[PENDING, &drawn])]);
        assert_eq!(to_rotate(&pending, "5"), Todo::Give("b"), "the cache has not taken it");
        assert_eq!(to_rotate(&pending, "6"), Todo::Done, "it has, and its answer was lost");
        let settled = of(&[("a", &["AWSPREVIOUS"]), ("b", &[CURRENT, PENDING, &drawn])]);
        assert_eq!(to_rotate(&settled, "6"), Todo::Done);
        let ended = of(&[("a", &["AWSPREVIOUS"]), ("b", &[CURRENT])]);
        assert_eq!(to_rotate(&ended, "7"), Todo::Draw);
    }

    #[test]
    fn what_others_have_drawn_is_not_taken_for_ours() {
        let theirs = Stages::told(&[("a", &[CURRENT]), ("b", &[PENDING])]);
        assert_eq!((ours(&theirs), to_rotate(&theirs, "5")), (None, Todo::Draw));
    }
}
