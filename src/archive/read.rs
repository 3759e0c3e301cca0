//! Opening messages: rows joined with their unsealed words, inside one stable picture.

use std::collections::HashMap;

use super::entity::{read_note, read_texts};
use super::error::Result;
use super::packed::Packed;
use super::sealer::Opener;
use super::{Archive, ArchiveError};
use crate::domain::{
    App, Attachment, AttachmentState, ConversationKind, ConversationNo, Extras, ImportNo,
    MessageId, MessageNo, Note, Precision, Reaction, Timestamp, ZoneSource,
};
use crate::query::{AttachmentFact, Record};
use crate::store::{ContentKey, ContentRow, ConversationRow, MessageRow, ReadTx, Rows, StoreError};

/// One version of a message, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenedVersion {
    /// The words, as written.
    pub body: String,
    /// Local time minus effective time in whole seconds, where the source had a local time.
    pub local_offset: Option<i64>,
    /// How sharply the source knew the time.
    pub precision: Precision,
    /// Where the zone came from.
    pub zone_source: ZoneSource,
    /// The platform's id.
    pub source_id: Option<String>,
    /// The platform's id of the message it answers.
    pub reply_to: Option<String>,
    /// Ordinal of the entry in the container.
    pub entry: u32,
    /// First byte and length of the raw span in that entry.
    pub span: (u64, u64),
    /// The raw span in a compact form.
    pub raw_form: Vec<u8>,
    /// Files it carries or names.
    pub attachments: Vec<Attachment>,
    /// What else its source tells.
    pub extras: Extras,
}

/// A message with all its versions, opened.
#[derive(Clone, Debug)]
pub struct OpenedMessage {
    /// Its row.
    pub row: MessageRow,
    /// Its public id.
    pub id: MessageId,
    /// Its platform.
    pub app: App,
    /// Shape of its conversation.
    pub conversation_kind: ConversationKind,
    /// Every version, oldest first; never empty.
    pub versions: Vec<OpenedVersion>,
}

impl OpenedMessage {
    /// The latest version.
    pub fn latest(&self) -> Option<&OpenedVersion> {
        self.versions.last()
    }

    /// Shows the message as the evaluator and the index see it.
    pub fn with_record<T>(&self, see: impl FnOnce(&Record<'_>) -> T) -> T {
        let versions: Vec<&str> = self
            .versions
            .iter()
            .map(|version| version.body.as_str())
            .collect();
        let attachments: Vec<&Attachment> = self
            .versions
            .iter()
            .flat_map(|version| &version.attachments)
            .collect();
        // A platform takes reactions and mentions with the words they stand at.
        let none = Extras::default();
        let extras = self.latest().map_or(&none, |latest| &latest.extras);
        let reactions: Vec<&str> = values_of(&extras.reactions);
        let bare = Record {
            no: self.row.no,
            conversation: self.row.conversation,
            account: None,
            sender: self.row.sender,
            sent: self.row.sent,
            order: self.row.order,
            app: self.app,
            kind: self.row.kind,
            conversation_kind: self.conversation_kind,
            presence: self.row.presence,
            import: self.row.import,
            thread: None,
            reply_to: self.row.reply_to,
            versions: &versions,
            filenames: &[],
            extracted: &[],
            reactions: &reactions,
            mentions: &extras.mentions,
            attachments: &[],
        };
        with_attachments(&bare, &attachments, see)
    }
}

/// The signs of reactions.
pub(super) fn values_of(reactions: &[Reaction]) -> Vec<&str> {
    let values = reactions.iter().map(|reaction| reaction.value.as_str());
    values.collect()
}

/// Shows a record with its attachments: their names, and what else is asked of them.
pub(super) fn with_attachments<T>(
    record: &Record<'_>,
    attachments: &[&Attachment],
    see: impl FnOnce(&Record<'_>) -> T,
) -> T {
    let filenames: Vec<&str> = attachments
        .iter()
        .map(|attachment| attachment.name.as_str())
        .collect();
    let extensions: Vec<String> = filenames
        .iter()
        .map(|name| extension(name).to_lowercase())
        .collect();
    let facts: Vec<AttachmentFact<'_>> = attachments
        .iter()
        .zip(&extensions)
        .map(|(attachment, ext)| attachment_fact(attachment, ext))
        .collect();
    see(&Record {
        filenames: &filenames,
        attachments: &facts,
        ..*record
    })
}

/// The part of a file name after its last dot, empty when there is none.
fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn attachment_fact<'a>(attachment: &'a Attachment, ext: &'a str) -> AttachmentFact<'a> {
    match &attachment.state {
        AttachmentState::Present { size, mime, .. } => AttachmentFact {
            ext,
            mime,
            size: *size,
        },
        _ => AttachmentFact {
            ext,
            mime: "",
            size: 0,
        },
    }
}

/// Reads inside one stable picture of the record. Keep it short.
pub struct Reader<'a> {
    archive: &'a Archive,
    rows: ReadTx<'a>,
    opener: Opener<'a>,
    plain: Vec<u8>,
    conversations: HashMap<ConversationNo, ConversationRow>,
    imports: HashMap<ImportNo, Timestamp>,
}

impl Archive {
    /// Begins to read.
    pub fn reader(&self) -> Result<Reader<'_>> {
        Ok(Reader {
            archive: self,
            rows: self.store.read()?,
            opener: Opener::new(&self.keyring)?,
            plain: Vec::new(),
            conversations: HashMap::new(),
            imports: HashMap::new(),
        })
    }
}

impl<'a> Reader<'a> {
    /// The rows of this picture.
    pub fn rows(&self) -> &ReadTx<'a> {
        &self.rows
    }

    /// The conversation of a number.
    pub fn conversation(&mut self, no: ConversationNo) -> Result<ConversationRow> {
        if let Some(row) = self.conversations.get(&no) {
            return Ok(row.clone());
        }
        let row = self
            .rows
            .conversation(no)?
            .ok_or_else(|| StoreError::NotFound(format!("conversation {no}")))?;
        self.conversations.insert(no, row.clone());
        Ok(row)
    }

    /// Opens a message by number; `None` when there is none.
    pub fn message(&mut self, no: MessageNo) -> Result<Option<OpenedMessage>> {
        match self.rows.message(no)? {
            Some(row) => self.open(row).map(Some),
            None => Ok(None),
        }
    }

    /// Opens a message whose row is known.
    pub fn open(&mut self, row: MessageRow) -> Result<OpenedMessage> {
        let conversation = self.conversation(row.conversation)?;
        let versions = open_versions(&self.rows, &mut self.opener, &mut self.plain, &row)?;
        let id = self
            .archive
            .message_id(row.no, self.import_began(row.import)?);
        Ok(OpenedMessage {
            row,
            id,
            app: conversation.app,
            conversation_kind: conversation.kind,
            versions,
        })
    }

    fn import_began(&mut self, import: ImportNo) -> Result<Timestamp> {
        if let Some(began) = self.imports.get(&import) {
            return Ok(*began);
        }
        let began = self.archive.import_began(&self.rows, import)?;
        self.imports.insert(import, began);
        Ok(began)
    }

    /// Opens the texts of a sealed name or title; none where it was disposed of (number 0).
    pub fn texts(&mut self, content_no: u64) -> Result<Vec<String>> {
        if content_no == 0 {
            return Ok(Vec::new());
        }
        self.open_content(ContentKey::first(content_no))?;
        read_texts(&self.plain)
    }

    /// Opens a remark of an import.
    pub fn note(&mut self, content_no: u64) -> Result<Note> {
        self.open_content(ContentKey::first(content_no))?;
        read_note(&self.plain)
    }

    /// Opens a later sighting of a message.
    pub fn sighting(&mut self, content_no: u64) -> Result<OpenedVersion> {
        self.open_content(ContentKey::first(content_no))?;
        Ok(owned(Packed::read(&self.plain)?))
    }

    fn open_content(&mut self, key: ContentKey) -> Result<()> {
        let sealed = self
            .rows
            .content(key)?
            .ok_or_else(|| ArchiveError::Disposed(format!("content {}", key.no)))?;
        self.plain.clear();
        self.opener.open(&self.rows, &sealed, &mut self.plain)
    }

    /// Visits the packed words of every version of the messages with `first <= number < end`, in
    /// order of number and version. The visitor sees number, version and words.
    pub fn each_words(
        &mut self,
        first: MessageNo,
        end: MessageNo,
        mut visit: impl FnMut(MessageNo, u16, &Packed<'_>) -> Result<()>,
    ) -> Result<()> {
        let Self {
            rows,
            opener,
            plain,
            ..
        } = self;
        rows.each_content(first.0, end.0, |row| {
            if row.key.part != 0 {
                return Ok(());
            }
            plain.clear();
            opener.open(rows, &row, plain)?;
            visit(
                MessageNo(row.key.no),
                row.key.version,
                &Packed::read(plain)?,
            )
        })
    }
}

/// Opens every version of a message, oldest first, as the given transaction sees it.
pub(super) fn open_versions(
    rows: &Rows,
    opener: &mut Opener<'_>,
    plain: &mut Vec<u8>,
    row: &MessageRow,
) -> Result<Vec<OpenedVersion>> {
    let mut versions = Vec::with_capacity(usize::from(row.version) + 1);
    for version in 0..=row.version {
        let key = ContentKey {
            no: row.no.0,
            version,
            part: 0,
        };
        let sealed = rows.content(key)?.ok_or_else(|| missing(row, version))?;
        versions.push(open_version(rows, opener, plain, &sealed)?);
    }
    Ok(versions)
}

/// The same from the rows of the message's number.
pub(super) fn open_versions_of(
    rows: &Rows,
    opener: &mut Opener<'_>,
    plain: &mut Vec<u8>,
    row: &MessageRow,
    contents: &[ContentRow],
) -> Result<Vec<OpenedVersion>> {
    let mut versions = Vec::with_capacity(contents.len());
    for sealed in contents.iter().filter(|sealed| sealed.key.part == 0) {
        if sealed.key.version as usize != versions.len() {
            break;
        }
        versions.push(open_version(rows, opener, plain, sealed)?);
    }
    match versions.len() == usize::from(row.version) + 1 {
        true => Ok(versions),
        false => Err(missing(row, versions.len() as u16)),
    }
}

fn open_version(
    rows: &Rows,
    opener: &mut Opener<'_>,
    plain: &mut Vec<u8>,
    sealed: &ContentRow,
) -> Result<OpenedVersion> {
    plain.clear();
    opener.open(rows, sealed, plain)?;
    Ok(owned(Packed::read(plain)?))
}

fn missing(row: &MessageRow, version: u16) -> ArchiveError {
    ArchiveError::Integrity(format!("message {}: version {version} is missing", row.no))
}

fn owned(packed: Packed<'_>) -> OpenedVersion {
    OpenedVersion {
        body: packed.body.to_owned(),
        local_offset: packed.local_offset,
        precision: packed.precision,
        zone_source: packed.zone_source,
        source_id: packed.source_id.map(str::to_owned),
        reply_to: packed.reply_to.map(str::to_owned),
        entry: packed.entry,
        span: packed.span,
        raw_form: packed.raw_form.to_vec(),
        attachments: packed.attachments,
        extras: packed.extras,
    }
}
