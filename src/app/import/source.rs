//! A source on disk: a file, an archive or a folder, and the media inside it.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{AppError, ImportRequest, Result};
use crate::app::files::{FileSource, files_below};
use crate::app::{Appliance, Uploaded};
use crate::archive::AdmittedAttachment;
use crate::crypto::Hasher;
use crate::domain::{AttachmentState, Timestamp};
use crate::ingest::{Budget, Container, Found, IngestError, Source};

/// Bytes read at a time while hashing.
const CHUNK_BYTES: usize = 1 << 20;
/// Bytes looked at to tell the type of a media file.
const MAGIC_BYTES: usize = 8_192;

/// An opened source.
pub(super) struct Opened {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) modified: Option<Timestamp>,
    pub(super) container: Container<'static>,
    origin: Origin,
}

/// Where the bytes are.
enum Origin {
    /// On disk: a file or a folder.
    Path(PathBuf),
    /// Staged.
    Uploaded(Uploaded),
}

/// What is known of the media of a container, by entry.
#[derive(Default)]
pub(super) struct Media {
    states: HashMap<u32, AttachmentState>,
}

impl Media {
    /// The state of the attachment whose bytes are in an entry.
    pub(super) fn state(&self, entry: u32) -> AttachmentState {
        self.states
            .get(&entry)
            .cloned()
            .unwrap_or_else(|| AttachmentState::Failed("its entry was not read".to_owned()))
    }
}

impl Opened {
    /// Opens what is to be imported.
    pub(super) fn open(request: &ImportRequest) -> Result<Opened> {
        let Some(uploaded) = &request.uploaded else {
            return Self::open_path(&request.path);
        };
        let source = uploaded.source();
        let (bytes, modified) = (source.bytes(), source.modified());
        Ok(Opened {
            name: uploaded.name.clone(),
            bytes,
            modified,
            container: Container::open(vec![Box::new(source)], Budget::default())?,
            origin: Origin::Uploaded(uploaded.clone()),
        })
    }

    fn open_path(path: &Path) -> Result<Opened> {
        let files = if path.is_dir() {
            files_below(path)?
        } else {
            vec![path.to_owned()]
        };
        if files.is_empty() {
            return Err(AppError::Usage(format!(
                "{}: the folder is empty",
                path.display()
            )));
        }
        let mut sources: Vec<Box<dyn Source>> = Vec::new();
        let (mut bytes, mut modified) = (0, None);
        for file in &files {
            let source = match path.is_dir() {
                true => FileSource::open_in(path, file)?,
                false => FileSource::open(file)?,
            };
            bytes += source.len().unwrap_or(0);
            modified = modified.max(source.modified());
            sources.push(Box::new(source));
        }
        let container = Container::open(sources, Budget::default())?;
        let name = path
            .file_name()
            .unwrap_or(path.as_os_str())
            .to_string_lossy()
            .into_owned();
        Ok(Opened {
            name,
            bytes,
            modified,
            container,
            origin: Origin::Path(path.to_owned()),
        })
    }

    /// SHA-256 of the file; of a folder, over the names and digests of its files in order.
    pub(super) fn digest(&self) -> Result<[u8; 32]> {
        let path = match &self.origin {
            Origin::Uploaded(uploaded) => return uploaded.digest(),
            Origin::Path(path) if !path.is_dir() => return hash_file(path),
            Origin::Path(path) => path,
        };
        let mut folder = Hasher::new();
        for file in files_below(path)? {
            let name = file.strip_prefix(path).unwrap_or(&file).to_string_lossy();
            folder.update(&(name.len() as u64).to_be_bytes());
            folder.update(name.as_bytes());
            folder.update(&hash_file(&file)?);
        }
        Ok(folder.finish())
    }

    /// Reads every entry that is no chat once: length, SHA-256, type by magic bytes.
    pub(super) fn hash_media(&mut self, chats: &[Found]) -> Result<Media> {
        let mut media = Media::default();
        let parts = chats.iter().flat_map(|chat| chat.parts.iter().copied());
        let read: HashSet<u32> = parts.chain(chats.iter().map(|chat| chat.entry)).collect();
        let entries: Vec<(u32, bool)> = self
            .container
            .entries()
            .iter()
            .map(|entry| (entry.ordinal, entry.refused.is_some()))
            .collect();
        for (entry, refused) in entries {
            if refused || read.contains(&entry) {
                continue;
            }
            let state = match self.container.read(entry, |bytes| Ok(hash_entry(bytes)?)) {
                Ok(state) => state,
                Err(IngestError::Source(error)) => {
                    AttachmentState::Failed(format!("unreadable: {error}"))
                }
                Err(error) => AttachmentState::Failed(error.to_string()),
            };
            media.states.insert(entry, state);
        }
        Ok(media)
    }

    /// Seals the bytes of attachments under the buckets of their messages.
    pub(super) fn seal_media(
        &mut self,
        appliance: &Appliance,
        attachments: &[AdmittedAttachment],
        media: &Media,
    ) -> Result<()> {
        // In the order of the source: what is packed as one stream is read once through.
        let mut attachments: Vec<&AdmittedAttachment> = attachments.iter().collect();
        attachments.sort_by_key(|attachment| attachment.entry);
        for attachment in attachments {
            let AttachmentState::Present { sha256, .. } = media.state(attachment.entry) else {
                continue;
            };
            let now = appliance.clock.now();
            let sealed = self.container.read(attachment.entry, |bytes| {
                Ok(appliance
                    .archive
                    .seal_attachment(now, attachment, &sha256, bytes))
            })?;
            sealed?;
        }
        Ok(())
    }
}

fn hash_file(path: &Path) -> Result<[u8; 32]> {
    let mut file = std::fs::File::open(path).map_err(|error| AppError::file(path, &error))?;
    let mut hasher = Hasher::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        match file
            .read(&mut chunk)
            .map_err(|error| AppError::file(path, &error))?
        {
            0 => return Ok(hasher.finish()),
            count => hasher.update(&chunk[..count]),
        }
    }
}

fn hash_entry(bytes: &mut dyn Read) -> std::io::Result<AttachmentState> {
    let mut hasher = Hasher::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut head = Vec::new();
    let mut size = 0u64;
    loop {
        let count = bytes.read(&mut chunk)?;
        if count == 0 {
            break;
        }
        let wanted = MAGIC_BYTES.saturating_sub(head.len()).min(count);
        head.extend_from_slice(&chunk[..wanted]);
        hasher.update(&chunk[..count]);
        size += count as u64;
    }
    let mime = crate::ingest::mime_of(&head).to_owned();
    Ok(AttachmentState::Present {
        size,
        sha256: hasher.finish(),
        mime,
    })
}
