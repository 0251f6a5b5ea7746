//! A state document in a local file.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use futures_util::future::LocalBoxFuture;

use super::{StateError, Store};

/// Keeps the document in one file, replaced atomically.
#[derive(Debug, Clone)]
pub struct LocalStore {
    path: PathBuf,
}

impl LocalStore {
    /// The document at `path`; its directory is made when it is first saved.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        LocalStore { path: path.into() }
    }

    fn write(&self, text: &str) -> std::io::Result<()> {
        let directory = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        // The rename itself lives in the directory.
        File::open(directory)?.sync_all()
    }

    fn io(&self, error: std::io::Error) -> StateError {
        StateError::Io { place: self.place(), error }
    }
}

impl Store for LocalStore {
    fn load(&self) -> LocalBoxFuture<'_, Result<Option<String>, StateError>> {
        Box::pin(async {
            match fs::read_to_string(&self.path) {
                Ok(text) => Ok(Some(text)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(self.io(error)),
            }
        })
    }

    fn save<'a>(&'a self, text: &'a str) -> LocalBoxFuture<'a, Result<(), StateError>> {
        Box::pin(async { self.write(text).map_err(|error| self.io(error)) })
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_saved_document_is_read_back_and_leaves_no_other_file() {
        let directory = tempfile::tempdir().unwrap();
        let store = LocalStore::new(directory.path().join("deep/state.json"));
        assert_eq!(store.load().await.unwrap(), None);
        store.save("one").await.unwrap();
        store.save("two").await.unwrap();
        assert_eq!(store.load().await.unwrap().as_deref(), Some("two"));
        assert_eq!(fs::read_dir(directory.path().join("deep")).unwrap().count(), 1);
    }
}
