//! An export as asked for, and what is told of it.

use std::path::PathBuf;

use super::manifest::Manifest;
use super::target;
use crate::app::search::{Reading, SearchRequest};
use crate::app::{AppError, Result};
use crate::audit::WORD_BYTES_MAX;
use crate::domain::{EntryNo, ExportId, MessageId};
use crate::search::CONTEXT_LINES_MAX;

/// Most hits of one export; their places are held in memory, 40 bytes each.
pub const EXPORT_HITS_MAX: usize = 2_000_000;
/// Most files of attachments of one export: each is a line of the manifest.
pub const EXPORT_FILES_MAX: usize = 200_000;
/// Longest reason, in bytes.
pub const REASON_BYTES_MAX: usize = 2_000;

/// An export as asked for.
#[derive(Clone, Debug, Default)]
pub struct ExportRequest {
    /// The query as typed; it is read strictly.
    pub query: String,
    /// Zone of its dates and of the times shown; `None` is that of the workspace.
    pub zone: Option<String>,
    /// Warnings accepted by code, such as `W03`.
    pub accept: Vec<String>,
    /// Why; required.
    pub reason: String,
    /// The matter, as one word.
    pub matter: Option<String>,
    /// Messages taken along before and after each hit, up to 50.
    pub context: u32,
    /// Of the hits only these; all of them where it is empty.
    pub chosen: Vec<MessageId>,
    /// The new file.
    pub out: PathBuf,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct ExportReceipt {
    /// Its id.
    pub id: ExportId,
    /// How the query was read.
    pub reading: Reading,
    /// The manifest, as signed.
    pub manifest: Manifest,
    /// The file.
    pub path: PathBuf,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of the whole file, in hex.
    pub sha256: String,
    /// The entry of the outcome.
    pub audit: EntryNo,
}

impl ExportRequest {
    /// Checks what can be checked before anything is read.
    pub(super) fn check(&self) -> Result<()> {
        if self.reason.trim().is_empty() {
            return Err(AppError::Usage(
                "an export needs a reason: who asked for it and what for".to_owned(),
            ));
        }
        if self.reason.len() > REASON_BYTES_MAX {
            return Err(AppError::Usage(format!(
                "the reason is longer than {REASON_BYTES_MAX} bytes; keep the rest in the matter"
            )));
        }
        let is_word = |word: &String| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:/@+=-".contains(&byte);
            (1..=WORD_BYTES_MAX).contains(&word.len()) && word.bytes().all(allowed)
        };
        if self.matter.as_ref().is_some_and(|matter| !is_word(matter)) {
            return Err(AppError::Usage(
                "a matter is one word of letters, digits and _.:/@+=-, such as NW-1".to_owned(),
            ));
        }
        if self.context > CONTEXT_LINES_MAX {
            return Err(AppError::Usage(format!(
                "at most {CONTEXT_LINES_MAX} messages of context on each side"
            )));
        }
        Ok(())
    }

    /// Checks that the name of the new file is free.
    pub(super) fn check_out(&self) -> Result<()> {
        match self.out.symlink_metadata().is_ok() {
            true => Err(target::taken(&self.out)),
            false => Ok(()),
        }
    }

    /// The query as a search would ask it.
    pub(super) fn to_search(&self) -> SearchRequest {
        SearchRequest {
            zone: self.zone.clone(),
            strict: true,
            accept: self.accept.clone(),
            ..SearchRequest::new(self.query.clone())
        }
    }
}
