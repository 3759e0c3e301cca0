//! The files of a log as the room sees them: names and bytes, wherever they lie.

use std::collections::BTreeMap;

use crate::crypto::{TileId, TileKind, number_path};
use crate::store::DataDirectory;

use super::error::{AuditError, Result};

/// Name of the newest checkpoint.
pub const CHECKPOINT_FILE: &str = "checkpoint";
/// Name of the file that states name and public key of the log (a C2SP vkey and a line feed). It
/// introduces a log to somebody who never saw it; a verifier that knows better ignores it.
pub const VKEY_FILE: &str = "vkey";
/// Sizes that one file of elder checkpoints spans.
pub const HISTORY_SPAN: u64 = 1024;

/// Name of the file that holds every checkpoint of `n * 1024 <= size < (n + 1) * 1024`.
pub fn history_name(n: u64) -> String {
    format!("checkpoints/{}", number_path(n))
}

/// The hash tiles of a log of `size` entries.
pub fn hash_tiles(size: u64) -> impl Iterator<Item = TileId> {
    TileId::all(size)
        .into_iter()
        .filter(|id| id.kind != TileKind::Entries)
}

/// Files of a log, to be read: the data directory's `log/`, an exported bundle.
pub trait LogFiles {
    /// The bytes of a file, `None` when there is none. Names use `/` and never leave the log.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>>;
}

/// Files of a log, to be written too.
pub trait LogSink: LogFiles {
    /// Writes a file whole, durable when it returns.
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Removes a file that a wider one replaced; one that is gone already is no error.
    fn remove(&mut self, name: &str) -> Result<()>;
}

impl LogFiles for &DataDirectory {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.read_log_file(name)
            .map_err(|error| AuditError::Unreadable(error.to_string()))
    }
}

impl LogSink for &DataDirectory {
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        Ok(self.write_log_file(name, bytes)?)
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        Ok(self.remove_log_file(name)?)
    }
}

/// A log in memory: an unpacked bundle, or a test.
impl LogFiles for BTreeMap<String, Vec<u8>> {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.get(name).cloned())
    }
}

impl LogSink for BTreeMap<String, Vec<u8>> {
    fn write(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        self.insert(name.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        BTreeMap::remove(self, name);
        Ok(())
    }
}
