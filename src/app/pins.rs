//! What this computer remembers of a log, outside the data directory: whose it is, how far it was.

use std::path::{Path, PathBuf};

use super::files::{read_text, replace_secret};
use super::{AppError, Result};
use crate::crypto::{Checkpoint, NoteVerifier, hex, sha256};

/// Longest file of a pin, in bytes.
const PIN_BYTES_MAX: u64 = 4_096;

/// One remembered log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Name and public key of the log.
    pub key: NoteVerifier,
    /// The newest checkpoint that was seen and held.
    pub checkpoint: Checkpoint,
}

/// The directory of remembered logs.
#[derive(Clone, Debug)]
pub struct PinBoard {
    directory: PathBuf,
    /// Tells the logs of a restored data directory and of its original apart: they have one name.
    incarnation: Option<[u8; 16]>,
}

impl PinBoard {
    /// The board in this directory, which need not exist.
    pub fn new(directory: &Path) -> Self {
        Self {
            directory: directory.to_owned(),
            incarnation: None,
        }
    }

    /// The board of one life of a data directory that came from a backup.
    pub fn of_incarnation(self, incarnation: [u8; 16]) -> Self {
        Self {
            incarnation: Some(incarnation),
            ..self
        }
    }

    fn path(&self, origin: &str) -> PathBuf {
        let life = self.incarnation.as_ref().map_or(&[][..], |life| &life[..]);
        let name = sha256(&[origin.as_bytes(), life].concat());
        self.directory.join(hex(&name[..16]))
    }

    /// What is remembered of a log; `None` when it was never seen.
    pub fn read(&self, origin: &str) -> Result<Option<Pin>> {
        let path = self.path(origin);
        if !path.exists() {
            return Ok(None);
        }
        let text = read_text(&path, PIN_BYTES_MAX)?;
        let broken = || {
            AppError::Integrity(format!(
                "{}: what was remembered of the log is damaged; compare with an anchor, then \
                 remove the file",
                path.display()
            ))
        };
        let (key, checkpoint) = text.split_once('\n').ok_or_else(broken)?;
        let pin = Pin {
            key: NoteVerifier::from_vkey(key).map_err(|_| broken())?,
            checkpoint: Checkpoint::parse(checkpoint).map_err(|_| broken())?,
        };
        match pin.key.name == origin && pin.checkpoint.origin == origin {
            true => Ok(Some(pin)),
            false => Err(broken()),
        }
    }

    /// Remembers a log, unless a later state of it is remembered already.
    pub fn remember(&self, pin: &Pin) -> Result<()> {
        let origin = &pin.key.name;
        if let Some(known) = self.read(origin)?
            && known.checkpoint.size >= pin.checkpoint.size
        {
            return Ok(());
        }
        let text = format!("{}\n{}", pin.key.to_vkey(), pin.checkpoint.to_text());
        replace_secret(&self.path(origin), text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{Key, SigningKey};

    fn pin(size: u64) -> Pin {
        let key = SigningKey::from_key(&Key::from_bytes([1; 32]));
        Pin {
            key: NoteVerifier::new("a/b", key.verifying_key()).unwrap(),
            checkpoint: Checkpoint {
                origin: "a/b".to_owned(),
                size,
                root: [size as u8; 32],
            },
        }
    }

    #[test]
    fn t11_the_newest_state_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        let board = PinBoard::new(&dir.path().join("pins"));
        assert_eq!(board.read("a/b").unwrap(), None);
        board.remember(&pin(5)).unwrap();
        board.remember(&pin(3)).unwrap();
        assert_eq!(board.read("a/b").unwrap(), Some(pin(5)));
        board.remember(&pin(9)).unwrap();
        assert_eq!(board.read("a/b").unwrap(), Some(pin(9)));
        assert_eq!(board.read("a/c").unwrap(), None);
    }
}
