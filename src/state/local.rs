//! A state in local files: `x.json`, its backups `x.json.backup` and `x.json.backup2`, and `x.lock`.
//!
//! Every write goes to a temporary file first, which is synced and then renamed over the old one. Writers on one host
//! compare and rename while they hold an advisory lock on `.x.guard`, which they take away again; where a shared directory
//! passes such locks on, as NFS does, this holds between hosts too. Where it does not, two writers that compare within the
//! same millisecond may both go on, and the loser's document is lost: the other's next save then finds a stranger's and
//! stops.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use sha2::{Digest, Sha256};

use super::{Item, Kept, StateError, Store, Version};

/// How long another writer is given to compare and rename, and how often we look.
const GUARDED: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(5);

/// How the names of temporary files end.
const TEMPORARY: &str = ".tmp";

/// Keeps a state in files of one directory.
#[derive(Debug, Clone)]
pub struct LocalStore {
    document: PathBuf,
}

impl LocalStore {
    /// The document at `path`, as `state/x.json`; its directory is made when something is first written.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        LocalStore { document: path.into() }
    }

    fn path(&self, item: Item) -> PathBuf {
        match item {
            Item::Document => self.document.clone(),
            Item::Backup => self.document.with_extension("json.backup"),
            Item::OlderBackup => self.document.with_extension("json.backup2"),
            Item::Lock => self.document.with_extension("lock"),
        }
    }

    fn directory(&self) -> &Path {
        match self.document.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// What the names of all our hidden files begin with.
    fn hidden(&self) -> String {
        format!(".{}.", self.document.file_stem().unwrap_or_default().to_string_lossy())
    }

    /// Keeps other writers from comparing and renaming until it is dropped.
    async fn guard(&self) -> io::Result<Guard> {
        let path = self.directory().join(format!("{}guard", self.hidden()));
        let deadline = tokio::time::Instant::now() + GUARDED;
        loop {
            if let Some(guard) = Guard::take(&path)? {
                return Ok(guard);
            }
            if tokio::time::Instant::now() >= deadline {
                let text = format!(
                    "another process has been about to write for {} s: is one suspended? (`fuser {}` names it)",
                    GUARDED.as_secs(),
                    path.display()
                );
                return Err(io::Error::new(ErrorKind::TimedOut, text));
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn replace(&self, item: Item, bytes: &[u8], expected: Option<&Version>) -> io::Result<Option<Version>> {
        fs::create_dir_all(self.directory())?;
        let mut replacement = Replacement::make(self, item)?;
        replacement.write(bytes)?;
        replacement.sync()?;
        let guard = self.guard().await?;
        if read(&self.path(item))?.map(|kept| kept.version).as_ref() != expected {
            return Ok(None);
        }
        replacement.rename()?;
        drop(guard);
        replacement.sync_directory()?;
        Ok(Some(version(bytes)))
    }

    async fn take_away(&self, item: Item, expected: &Version) -> io::Result<bool> {
        let _guard = self.guard().await?;
        if read(&self.path(item))?.map(|kept| kept.version).as_ref() != Some(expected) {
            return Ok(false);
        }
        fs::remove_file(self.path(item))?;
        File::open(self.directory())?.sync_all()?;
        Ok(true)
    }

    async fn remove_temporary(&self) -> io::Result<()> {
        let _guard = self.guard().await?;
        for entry in fs::read_dir(self.directory())? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&self.hidden()) && name.ends_with(TEMPORARY) {
                gone(fs::remove_file(entry.path()))?;
            }
        }
        Ok(())
    }

    fn io(&self, item: Item) -> impl FnOnce(io::Error) -> StateError {
        let place = self.place(item);
        move |error| StateError::Io { place, error }
    }
}

/// The advisory lock on a file that is there only while somebody holds it.
struct Guard {
    file: File,
    path: PathBuf,
}

impl Guard {
    /// `None` where another holds it, or has taken the file away meanwhile: a lock on what has no name keeps nobody out.
    fn take(path: &Path) -> io::Result<Option<Guard>> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let guard = Guard { file, path: path.to_owned() };
        Ok(if guard.has_its_name()? { Some(guard) } else { None })
    }

    /// Whether the file is the one that others find under its name.
    fn has_its_name(&self) -> io::Result<bool> {
        let ours = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(found) => Ok((found.dev(), found.ino()) == (ours.dev(), ours.ino())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Its file goes while it is still locked. Where this fails, the next writer uses it and tries again.
        if self.has_its_name().unwrap_or_default() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

fn version(bytes: &[u8]) -> Version {
    Version(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What is renamed into its place would part a link from the file it leads to, which others go on with.
fn refuse_link(path: &Path) -> io::Result<()> {
    match fs::read_link(path) {
        Ok(to) => Err(io::Error::other(format!("it is a link to {}; its whole directory may be one", to.display()))),
        Err(_) => Ok(()),
    }
}

fn read(path: &Path) -> io::Result<Option<Kept>> {
    refuse_link(path)?;
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Kept { version: version(&bytes), bytes })),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file on its way to replace another, step by step. Whoever is killed between two steps leaves the old file or the
/// new one, whole, and at most a temporary one beside it.
struct Replacement {
    file: File,
    temporary: PathBuf,
    target: PathBuf,
    renamed: bool,
}

impl Replacement {
    fn make(store: &LocalStore, item: Item) -> io::Result<Self> {
        let name = format!("{}{}{TEMPORARY}", store.hidden(), uuid::Uuid::new_v4());
        let temporary = store.directory().join(name);
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        Ok(Replacement { file, temporary, target: store.path(item), renamed: false })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn rename(&mut self) -> io::Result<()> {
        fs::rename(&self.temporary, &self.target)?;
        self.renamed = true;
        Ok(())
    }

    /// The rename itself lives in the directory.
    fn sync_directory(&self) -> io::Result<()> {
        File::open(self.target.parent().unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.renamed {
            // Where this fails, the next run tidies up.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

impl Store for LocalStore {
    fn read(&self, item: Item) -> BoxFuture<'_, Result<Option<Kept>, StateError>> {
        Box::pin(async move { read(&self.path(item)).map_err(self.io(item)) })
    }

    fn write<'a>(
        &'a self,
        item: Item,
        bytes: &'a [u8],
        expected: Option<&'a Version>,
    ) -> BoxFuture<'a, Result<Option<Version>, StateError>> {
        Box::pin(async move { self.replace(item, bytes, expected).await.map_err(self.io(item)) })
    }

    fn remove<'a>(&'a self, item: Item, expected: &'a Version) -> BoxFuture<'a, Result<bool, StateError>> {
        Box::pin(async move { self.take_away(item, expected).await.map_err(self.io(item)) })
    }

    fn tidy(&self) -> BoxFuture<'_, Result<(), StateError>> {
        Box::pin(async move { self.remove_temporary().await.map_err(self.io(Item::Document)) })
    }

    fn place(&self, item: Item) -> String {
        self.path(item).display().to_string()
    }
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
