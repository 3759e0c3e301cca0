//! Files on their way in from a browser or a program: staged under seal, then imported.

use std::io;
use std::sync::Arc;

use super::{AppError, Appliance, Result, Session};
use crate::audit::Action;
use crate::crypto::{Digest, Hasher};
use crate::domain::{Right, Timestamp, UploadId};
use crate::ingest::Source;
use crate::store::{StagedFile, StagedReader, StagedWriter};

/// Longest file that is taken, in bytes.
pub const UPLOAD_BYTES_MAX: u64 = 16 << 30;
/// Longest name of a file, in characters.
const NAME_CHARS_MAX: usize = 200;
/// Bytes hashed at a time.
const CHUNK_BYTES: usize = 64 << 10;

/// A file that is being received, front to back.
pub struct Upload {
    name: String,
    modified: Option<Timestamp>,
    writer: StagedWriter,
    hasher: Hasher,
}

/// A file that was received whole. Its bytes go with the last value that knows it.
#[derive(Clone, Debug)]
pub struct Uploaded {
    /// The name it arrived under; never a path.
    pub name: String,
    /// SHA-256 of the bytes as they arrived.
    pub sha256: Digest,
    modified: Option<Timestamp>,
    file: Arc<StagedFile>,
}

impl Appliance {
    /// Begins to receive a file. `modified` is when its sender says it was last written.
    ///
    /// # Errors
    /// For who may not import; when the name is none.
    pub fn begin_upload(
        &self,
        session: &Session,
        name: &str,
        modified: Option<Timestamp>,
    ) -> Result<Upload> {
        self.require(session, Right::Import, Action::ImportIntent)?;
        let directory = self.archive.store().directory();
        Ok(Upload {
            name: plain_name(name)?,
            modified,
            writer: StagedWriter::begin(directory, &*self.entropy)?,
            hasher: Hasher::new(),
        })
    }

    /// An id for a file on its way in.
    pub fn mint_upload(&self) -> UploadId {
        UploadId(crate::archive::mint(&*self.entropy, self.clock.now().wall))
    }
}

/// The last part of what a browser calls a file.
fn plain_name(name: &str) -> Result<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last
        .chars()
        .filter(|letter| !letter.is_control())
        .take(NAME_CHARS_MAX)
        .collect();
    match plain.trim() {
        "" | "." | ".." => Err(AppError::Usage("the file has no name".to_owned())),
        trimmed => Ok(trimmed.to_owned()),
    }
}

impl Upload {
    /// The name it arrives under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes so far.
    pub const fn received(&self) -> u64 {
        self.writer.received()
    }

    /// Takes the next bytes.
    ///
    /// # Errors
    /// Beyond [`UPLOAD_BYTES_MAX`]; when the disk is full or fails. What was received is then lost.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<()> {
        if self.received() + bytes.len() as u64 > UPLOAD_BYTES_MAX {
            return Err(AppError::Usage(format!(
                "a file has at most {} GiB; import longer ones on the host, with wordkeep import",
                UPLOAD_BYTES_MAX >> 30
            )));
        }
        self.writer.append(bytes)?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Ends it: it can be imported now.
    ///
    /// # Errors
    /// When the file is empty, or the disk fails.
    pub fn finish(self) -> Result<Uploaded> {
        if self.received() == 0 {
            return Err(AppError::Usage(format!("{}: the file is empty", self.name)));
        }
        Ok(Uploaded {
            name: self.name,
            modified: self.modified,
            sha256: self.hasher.finish(),
            file: Arc::new(self.writer.finish()?),
        })
    }
}

impl Uploaded {
    /// Its length in bytes.
    pub fn bytes(&self) -> u64 {
        self.file.len()
    }

    /// The file as a source of an import.
    pub(super) fn source(&self) -> UploadedSource {
        UploadedSource {
            name: self.name.clone(),
            bytes: self.file.len(),
            modified: self.modified,
            reader: StagedReader::new(Arc::clone(&self.file)),
        }
    }

    /// SHA-256 of its bytes.
    pub(super) fn digest(&self) -> Result<[u8; 32]> {
        let mut reader = StagedReader::new(Arc::clone(&self.file));
        let mut hasher = Hasher::new();
        let (mut chunk, mut at) = (vec![0; CHUNK_BYTES], 0);
        loop {
            let count = reader
                .read_at(at, &mut chunk)
                .map_err(|error| AppError::Io(format!("{}: {error}", self.name)))?;
            if count == 0 {
                return Ok(hasher.finish());
            }
            hasher.update(&chunk[..count]);
            at += count as u64;
        }
    }
}

/// Reads an uploaded file for the readers of formats.
pub(super) struct UploadedSource {
    name: String,
    bytes: u64,
    modified: Option<Timestamp>,
    reader: StagedReader,
}

impl UploadedSource {
    /// Its length in bytes.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Source for UploadedSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        Some(self.bytes)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        // Readers take a short answer for the end of the file; here it may be the end of a page.
        let mut filled = 0;
        while filled < buffer.len() {
            match self
                .reader
                .read_at(offset + filled as u64, &mut buffer[filled..])?
            {
                0 => break,
                count => filled += count,
            }
        }
        Ok(filled)
    }

    fn modified(&self) -> Option<Timestamp> {
        self.modified
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        assert_eq!(plain_name("/etc/chat.txt").unwrap(), "chat.txt");
        assert_eq!(plain_name("C:\\fakepath\\chat.zip").unwrap(), "chat.zip");
        assert_eq!(plain_name(" a\u{0}b\n.txt ").unwrap(), "ab.txt");
        for name in ["", "/", "..", "x/.."] {
            assert!(plain_name(name).is_err(), "{name}");
        }
    }
}
