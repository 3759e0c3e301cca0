//! From hits to records: rows looked up, put in the order of their conversations, checked against
//! the scope once more, opened a few at a time, with the messages around them where asked.

use std::collections::{BTreeMap, HashMap};

use super::packing::Measure;
use super::record::{
    AttachmentOf, Conversation, FileOf, Origin, ReactionOf, Record, Sender, Sent, Version,
    conversation_kind_name, facts, instant,
};
use super::request::EXPORT_FILES_MAX;
use crate::app::import::ImportReport;
use crate::app::{AppError, Appliance, Result};
use crate::archive::{OpenedMessage, OpenedVersion, Reader};
use crate::domain::{ConversationNo, HandleNo, ImportNo, MessageNo, Scope, Timestamp};
use crate::search::{NameIndex, SortKey};
use crate::store::{ImportRow, MessageRow};

/// Hits read in one stable picture of the record: a reader must not live long.
const HITS_PER_READER: usize = 512;
/// Most letters of a file's extension that are kept.
const EXTENSION_BYTES_MAX: usize = 8;

/// Where a message stands: conversation, then the order inside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub conversation: ConversationNo,
    pub sent: Timestamp,
    pub order: u64,
    pub no: MessageNo,
}

impl Place {
    fn of(row: &MessageRow) -> Place {
        Place {
            conversation: row.conversation,
            sent: row.sent,
            order: row.order,
            no: row.no,
        }
    }
}

/// What is told of an import beside each of its messages.
#[derive(Clone)]
struct Imported {
    id: String,
    file: Option<String>,
    began: Timestamp,
}

/// Makes records of hits.
pub(super) struct Gather<'a> {
    pub appliance: &'a Appliance,
    pub scope: &'a Scope,
    pub names: &'a NameIndex,
    /// Messages taken along on each side of a hit.
    pub context: u32,
    imports: HashMap<ImportNo, Imported>,
    /// Attachments whose bytes go into the bundle: file name to message and ordinal.
    pub attachments: BTreeMap<String, (MessageNo, u32)>,
}

impl<'a> Gather<'a> {
    /// For a scope and its names.
    pub fn new(
        appliance: &'a Appliance,
        scope: &'a Scope,
        names: &'a NameIndex,
        context: u32,
    ) -> Self {
        Self {
            appliance,
            scope,
            names,
            context,
            imports: HashMap::new(),
            attachments: BTreeMap::new(),
        }
    }

    /// The hits in the order of their conversations. What is gone since the search is left out.
    pub fn places(&self, keys: &[SortKey]) -> Result<Vec<Place>> {
        let mut places = Vec::with_capacity(keys.len());
        for some in keys.chunks(HITS_PER_READER) {
            let mut reader = self.appliance.archive.reader()?;
            for key in some {
                if let Some(row) = reader.rows().message(key.no)? {
                    self.check_scope(&mut reader, &row)?;
                    places.push(Place::of(&row));
                }
            }
        }
        places.sort_unstable();
        Ok(places)
    }

    /// Hands every record to `visit`, in order, each once; context that is a hit is a hit.
    pub fn each(
        &mut self,
        hits: &[Place],
        visit: &mut dyn FnMut(Record) -> Result<()>,
    ) -> Result<()> {
        let mut last: Option<Place> = None;
        for some in hits.chunks(HITS_PER_READER) {
            let mut reader = self.appliance.archive.reader()?;
            for hit in some {
                for row in self.around(&reader, *hit)? {
                    let place = Place::of(&row);
                    if last.is_some_and(|last| place <= last) {
                        continue;
                    }
                    last = Some(place);
                    let is_hit = hits.binary_search(&place).is_ok();
                    let record = self.record(&mut reader, row, is_hit)?;
                    visit(record)?;
                }
            }
        }
        Ok(())
    }

    /// The hit with the messages around it, in order; nothing when it is gone.
    fn around(&self, reader: &Reader<'_>, hit: Place) -> Result<Vec<MessageRow>> {
        let Some(row) = reader.rows().message(hit.no)? else {
            return Ok(Vec::new());
        };
        if self.context == 0 {
            return Ok(vec![row]);
        }
        let mut rows = reader.rows().messages_before(&row, self.context)?;
        rows.reverse();
        let after = reader.rows().messages_after(&row, self.context)?;
        rows.push(row);
        rows.extend(after);
        rows.retain(|row| self.scope.shows(row.no));
        Ok(rows)
    }

    /// The second check of the scope, on the row itself.
    fn check_scope(&self, reader: &mut Reader<'_>, row: &MessageRow) -> Result<()> {
        let account = reader.conversation(row.conversation)?.account;
        match self.scope.allows(row.conversation, account) && self.scope.shows(row.no) {
            true => Ok(()),
            false => Err(AppError::Integrity(
                "the search index names a message outside the scope".to_owned(),
            )),
        }
    }

    fn record(&mut self, reader: &mut Reader<'_>, row: MessageRow, hit: bool) -> Result<Record> {
        self.check_scope(reader, &row)?;
        let message = reader.open(row)?;
        let row = &message.row;
        let source = self.imported(reader, row.import)?;
        let handles = &self.names.directory().handles;
        let label = |no: &HandleNo| Some(handles.get(no)?.label.clone());
        let versions = (0..)
            .zip(&message.versions)
            .map(|(no, version)| Version {
                attachments: version.attachments.iter().map(AttachmentOf::of).collect(),
                body: version.body.clone(),
                edited: version.extras.edited.map(instant),
                mentions: version.extras.mentions.iter().filter_map(label).collect(),
                no,
                reactions: version
                    .extras
                    .reactions
                    .iter()
                    .map(ReactionOf::of)
                    .collect(),
                // Which import brought a later wording is not kept beside it.
                source: origin(version, (no == 0).then_some(&source)),
                thread: version.extras.thread.clone(),
            })
            .collect();
        Ok(Record {
            app: message.app.name().to_owned(),
            conversation: self.conversation(&message),
            facts: facts(row.presence),
            files: self.files(reader, &message)?,
            hit,
            holder: None,
            id: message.id.to_string(),
            kind: row.kind.name().to_owned(),
            reply_to: self.reply_to(reader, row)?,
            seat: None,
            seen_again: self.seen_again(reader, row.no)?,
            sender: self.sender(row),
            sent: Sent::of(row.sent, row.presence, message.versions.first()),
            versions,
        })
    }

    fn conversation(&self, message: &OpenedMessage) -> Conversation {
        let known = self
            .names
            .directory()
            .conversations
            .get(&message.row.conversation);
        Conversation {
            id: known.map(|(row, _)| row.id.to_string()).unwrap_or_default(),
            kind: conversation_kind_name(message.conversation_kind).to_owned(),
            title: known.map(|(_, title)| title.clone()).unwrap_or_default(),
        }
    }

    fn sender(&self, row: &MessageRow) -> Option<Sender> {
        let entry = self.names.directory().handles.get(&row.sender?)?;
        Some(Sender {
            handle: (!entry.handle.is_empty()).then(|| entry.handle.clone()),
            name: entry.label.clone(),
            person: entry.person_id.to_string(),
        })
    }

    /// The id of the message it answers, where that is in the same conversation.
    fn reply_to(&mut self, reader: &mut Reader<'_>, row: &MessageRow) -> Result<Option<String>> {
        let Some(no) = row.reply_to else {
            return Ok(None);
        };
        let answered = reader.rows().message(no)?;
        let Some(answered) = answered.filter(|other| other.conversation == row.conversation) else {
            return Ok(None);
        };
        let began = self.imported(reader, answered.import)?.began;
        let id = self.appliance.archive.message_id(no, began);
        Ok(Some(id.to_string()))
    }

    fn seen_again(&mut self, reader: &mut Reader<'_>, no: MessageNo) -> Result<Vec<Origin>> {
        let sightings = reader.rows().observations(no)?;
        let mut origins = Vec::with_capacity(sightings.len());
        for (import, content) in sightings {
            let imported = self.imported(reader, import)?;
            origins.push(origin(&reader.sighting(content)?, Some(&imported)));
        }
        Ok(origins)
    }

    fn imported(&mut self, reader: &mut Reader<'_>, no: ImportNo) -> Result<Imported> {
        if let Some(known) = self.imports.get(&no) {
            return Ok(known.clone());
        }
        let row = reader
            .rows()
            .import(no)?
            .ok_or_else(|| AppError::Integrity(format!("import {no} of a message is missing")))?;
        let known = Imported {
            id: row.id.to_string(),
            file: file_of(reader, &row)?,
            began: row.began,
        };
        self.imports.insert(no, known.clone());
        Ok(known)
    }

    /// The bytes that came along, each hashed as it is now.
    fn files(&mut self, reader: &Reader<'_>, message: &OpenedMessage) -> Result<Vec<FileOf>> {
        let no = message.row.no;
        let mut files = Vec::new();
        for (ordinal, blob) in reader.rows().attachments(no)? {
            if blob.is_none() {
                continue;
            }
            let mut measure = Measure::new();
            let archive = &self.appliance.archive;
            if archive
                .attachment_into(no, ordinal, &mut measure)?
                .is_none()
            {
                continue;
            }
            let size = measure.bytes;
            let sha256 = measure.finish();
            let file = self.file_name(message, ordinal, &sha256);
            if self.attachments.len() > EXPORT_FILES_MAX {
                return Err(AppError::Usage(format!(
                    "more than {EXPORT_FILES_MAX} files came with these messages; export year by \
                     year, for instance"
                )));
            }
            self.attachments
                .entry(file.clone())
                .or_insert((no, ordinal));
            files.push(FileOf {
                attachment: ordinal,
                file,
                sha256,
                size,
            });
        }
        Ok(files)
    }

    /// The name in the bundle: the hash, and the extension where it is a plain one.
    fn file_name(&self, message: &OpenedMessage, ordinal: u32, sha256: &str) -> String {
        let stem = format!("attachments/{sha256}");
        // The same bytes stand once, whatever they are called.
        let next = self.attachments.range(stem.clone()..).next();
        if let Some((known, _)) = next.filter(|(known, _)| known.starts_with(&stem)) {
            return known.clone();
        }
        let name = message
            .versions
            .iter()
            .rev()
            .find_map(|version| version.attachments.get(ordinal as usize))
            .map_or("", |attachment| attachment.name.as_str());
        match name.rsplit_once('.') {
            Some((_, extension)) if is_plain(extension) => {
                format!("{stem}.{}", extension.to_ascii_lowercase())
            }
            _ => stem,
        }
    }
}

fn is_plain(extension: &str) -> bool {
    (1..=EXTENSION_BYTES_MAX).contains(&extension.len())
        && extension
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric())
}

fn origin(version: &OpenedVersion, import: Option<&Imported>) -> Origin {
    Origin {
        bytes: version.span.1,
        entry: version.entry,
        file: import.and_then(|import| import.file.clone()),
        first_byte: version.span.0,
        import: import.map(|import| import.id.clone()),
        source_id: version.source_id.clone(),
    }
}

/// The name of the imported file, from the sealed report.
fn file_of(reader: &mut Reader<'_>, row: &ImportRow) -> Result<Option<String>> {
    let Some(report) = row.report_no else {
        return Ok(None);
    };
    let texts = reader.texts(report)?;
    let report: Option<ImportReport> = texts
        .first()
        .and_then(|text| serde_json::from_str(text).ok());
    Ok(report.map(|report| report.name))
}
