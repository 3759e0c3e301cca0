//! What is asked of an import and what it answers.

use std::path::PathBuf;

use crate::app::{AppError, Result, Uploaded, read_text};
use crate::domain::{ConversationId, EntryNo, ImportId, Note, NoteKind, Timestamp, ZoneSource};
use crate::ingest::{Answers, DateOrder, Mapping, Summary, ZoneAnswer};
use crate::store::{ImportCounts, ImportRow};

/// Longest mapping file, in bytes.
const MAPPING_BYTES_MAX: u64 = 1 << 20;
/// Remarks kept in a receipt; the rest is in the record.
const REMARKS_MAX: usize = 100;

/// One import as asked for.
#[derive(Clone, Debug, Default)]
pub struct ImportRequest {
    /// File or folder; not looked at when a file was uploaded.
    pub path: PathBuf,
    /// The uploaded file that is to be imported.
    pub uploaded: Option<Uploaded>,
    /// IANA zone of local times.
    pub zone: Option<String>,
    /// When what the file holds began, where it prints no date: local microseconds as if UTC.
    pub start: Option<i64>,
    /// Order of day and month.
    pub date_order: Option<DateOrder>,
    /// Whether headers in a second style open messages.
    pub trust_headers: Option<bool>,
    /// Display name of the exporter.
    pub me: Option<String>,
    /// Mapping file of a table.
    pub mapping: Option<PathBuf>,
    /// The mapping itself (JSON), where it does not come as a file.
    pub mapping_text: Option<String>,
    /// Whether rows without a readable date are left out.
    pub import_rest: bool,
    /// Title for the conversation.
    pub title: Option<String>,
    /// The conversation it continues, when the operator knows.
    pub conversation: Option<ConversationId>,
    /// Start a conversation of its own where it is unclear whether one is continued.
    pub new_conversation: bool,
    /// Only say what would happen.
    pub dry_run: bool,
}

impl ImportRequest {
    pub(super) fn answers(&self, now: Timestamp, default_zone: &str) -> Result<Answers> {
        let mapping = match (&self.mapping, &self.mapping_text) {
            (None, None) => None,
            (Some(path), _) => {
                let text = read_text(path, MAPPING_BYTES_MAX)?;
                let mapping = Mapping::from_json(&text)
                    .map_err(|error| AppError::Usage(format!("{}: {error}", path.display())))?;
                Some(mapping)
            }
            (None, Some(text)) => Some(
                Mapping::from_json(text)
                    .map_err(|error| AppError::Usage(format!("the mapping: {error}")))?,
            ),
        };
        let zone = match &self.zone {
            Some(name) => ZoneAnswer {
                name: name.clone(),
                source: ZoneSource::Operator,
            },
            None => ZoneAnswer {
                name: default_zone.to_owned(),
                source: ZoneSource::Default,
            },
        };
        Ok(Answers {
            zone: Some(zone),
            date_order: self.date_order,
            trust_headers: self.trust_headers,
            me: self.me.clone(),
            mapping,
            import_rest: self.import_rest,
            conversation_title: self.title.clone(),
            start: self.start,
            now: Some(now),
        })
    }
}

/// Hears how an import goes; called from one thread, often.
pub trait Progress: Sync {
    /// A source of so many bytes is being read.
    fn begins(&self, name: &str, bytes: u64);
    /// So many messages and rejected places so far, at this byte of the source.
    fn advances(&self, messages: u64, rejected: u64, bytes: u64);
    /// Whether the person asked to stop.
    fn cancelled(&self) -> bool {
        false
    }
}

/// Hears nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct SilentProgress;

impl Progress for SilentProgress {
    fn begins(&self, _name: &str, _bytes: u64) {}
    fn advances(&self, _messages: u64, _rejected: u64, _bytes: u64) {}
}

/// What an import came to.
#[derive(Clone, Debug)]
pub struct ImportReceipt {
    /// Name of the source.
    pub name: String,
    /// SHA-256 of the source.
    pub sha256: [u8; 32],
    /// Its id; `None` after a dry run.
    pub id: Option<ImportId>,
    /// The counts.
    pub counts: ImportCounts,
    /// Whether the very same source was imported before: nothing was done.
    pub same_as: Option<ImportId>,
    /// What was found, entry by entry.
    pub summaries: Vec<(String, Summary)>,
    /// The first remarks.
    pub remarks: Vec<Note>,
    /// Media that messages name and the source left out.
    pub missing_media: u64,
    /// The audit entry of the outcome.
    pub audit: Option<EntryNo>,
}

impl ImportReceipt {
    pub(super) fn new(name: String, sha256: [u8; 32]) -> Self {
        Self {
            name,
            sha256,
            id: None,
            counts: ImportCounts::default(),
            same_as: None,
            summaries: Vec::new(),
            remarks: Vec::new(),
            missing_media: 0,
            audit: None,
        }
    }

    /// The receipt of a source that is already here: all it holds is known.
    pub(super) fn same(before: ImportRow, name: String) -> Self {
        let counts = ImportCounts {
            known: before.counts.fresh + before.counts.known + before.counts.revised,
            ..ImportCounts::default()
        };
        Self {
            counts,
            same_as: Some(before.id),
            ..Self::new(name, [0; 32])
        }
    }

    pub(super) fn add(&mut self, counts: ImportCounts) {
        self.counts.fresh += counts.fresh;
        self.counts.known += counts.known;
        self.counts.revised += counts.revised;
        self.counts.rejected += counts.rejected;
        self.counts.notes += counts.notes;
        self.counts.disposed += counts.disposed;
    }

    pub(super) fn remark(&mut self, note: Note) {
        if note.kind == NoteKind::MissingMedia {
            self.missing_media += 1;
        }
        if self.remarks.len() < REMARKS_MAX {
            self.remarks.push(note);
        }
    }
}
