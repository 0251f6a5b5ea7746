//! The one small trait behind which local files and other stores look the same.

use futures_util::future::BoxFuture;

use super::StateError;

/// What a store keeps of one stack in one environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item {
    /// The state document.
    Document,
    /// The document as it stood before the last run that changed it.
    Backup,
    /// The backup before that one.
    OlderBackup,
    /// Who may write.
    Lock,
}

/// Which content an item had: an entity tag, a digest, whatever the store tells contents apart by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(pub String);

/// An item's content as it was read.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The content.
    pub bytes: Vec<u8>,
    /// Which content this is.
    pub version: Version,
}

impl Kept {
    /// The content as text; `place` is named in errors.
    ///
    /// # Errors
    /// [`StateError::Damaged`] where it is not UTF-8.
    pub fn text(&self, place: &str) -> Result<&str, StateError> {
        std::str::from_utf8(&self.bytes).map_err(|error| StateError::damaged(place, error))
    }
}

/// A place where a stack's state is kept: a few items, each read and replaced whole.
///
/// All that keeps writers apart is that [`write`](Self::write) compares and replaces in one step, which local files do
/// under an advisory lock and S3 does with `If-Match` and `If-None-Match`. Nothing needs two items to change at once.
pub trait Store: Send + Sync {
    /// An item's content, if there is one.
    fn read(&self, item: Item) -> BoxFuture<'_, Result<Option<Kept>, StateError>>;

    /// Replaces the item, if it still has the content that was `expected`; `None` expects that there is no item.
    /// Returns the new content's version, or `None` where the item was found to have another content and was left
    /// alone. Once this returns the new content survives a crash; until then the old one stands whole.
    fn write<'a>(
        &'a self,
        item: Item,
        bytes: &'a [u8],
        expected: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Option<Version>, StateError>>;

    /// Takes an item away, if it still has the content that was `expected`; `false` where it has another, or is gone.
    fn remove<'a>(&'a self, item: Item, expected: &'a Version) -> BoxFuture<'a, Result<bool, StateError>>;

    /// Clears away what killed writers left half-done. Called by who has just taken the lock.
    fn tidy(&self) -> BoxFuture<'_, Result<(), StateError>>;

    /// What to call an item in messages.
    fn place(&self, item: Item) -> String;
}
