//! The use-case "show one message": every version, where each was found, what it carries, what is said
//! about it.

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use chrono_tz::Tz;

use super::search::zone;
use super::{AppError, Appliance, Carried, Result, Session};
use crate::app::import::ImportReport;
use crate::archive::{OpenedMessage, OpenedVersion, Reader};
use crate::audit::Action;
use crate::domain::{
    App, Attachment, ConversationId, EntryNo, ImportId, ImportNo, Kind, LabelTarget, MessageId,
    Precision, Presence, Right, Timestamp, ZoneSource,
};
use crate::ingest::raw::{Fields, Templates, rebuild};
use crate::ingest::without_credentials;

/// Longest source line that is shown, in bytes.
const RAW_BYTES_MAX: u64 = 64 << 10;

/// Where a version was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The import that brought it, where that is kept.
    pub import: Option<ImportId>,
    /// Name of the imported file, as it was called.
    pub file: Option<String>,
    /// Which entry of a container, from 0.
    pub entry: u32,
    /// First byte in that entry.
    pub first_byte: u64,
    /// Length in bytes.
    pub bytes: u64,
    /// The platform's own id.
    pub source_id: Option<String>,
    /// The source line itself, where it can be put together again from what is kept.
    pub raw: Option<String>,
}

/// One wording of a message.
#[derive(Clone, Debug)]
pub struct ShownVersion {
    /// Its words.
    pub body: String,
    /// Where it was found.
    pub source: Source,
    /// Local time as the source wrote it, where it wrote one.
    pub written: Option<NaiveDateTime>,
    /// How sharply the source knew the time.
    pub precision: Precision,
    /// Where the zone came from.
    pub zone_source: ZoneSource,
    /// Files it carries or names.
    pub attachments: Vec<Attachment>,
}

/// One message with everything known about it.
#[derive(Clone, Debug)]
pub struct MessageStory {
    /// Its public id.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The title of that.
    pub title: String,
    /// Its platform.
    pub app: App,
    /// Who wrote it; `None` for notices of the platform.
    pub sender: Option<String>,
    /// When.
    pub sent: Timestamp,
    /// The zone of the workspace.
    pub zone: Tz,
    /// What sort of message.
    pub kind: Kind,
    /// Yes/no facts.
    pub presence: Presence,
    /// Every wording, oldest first.
    pub versions: Vec<ShownVersion>,
    /// Where it was found again, unchanged.
    pub seen_again: Vec<Source>,
    /// The message it answers, where that is here and may be seen.
    pub reply_to: Option<MessageId>,
    /// The labels it carries: its own, and that of its conversation.
    pub labels: Vec<Carried>,
    /// The audit entry, durable before this was handed out.
    pub audit: EntryNo,
}

impl Appliance {
    /// One message with its versions and sources. The entry is durable before it is handed out.
    ///
    /// # Errors
    /// For who may not read; what is outside the scope is not found.
    pub fn message(&self, session: &Session, id: MessageId) -> Result<MessageStory> {
        self.require(session, Right::ReadContent, Action::ContentView)?;
        let not_found = || AppError::NotFound(id.to_string());
        let scope = self.scope(session)?;
        let no = self.archive.message_of_id(id)?.ok_or_else(not_found)?;
        let mut reader = self.archive.reader()?;
        let row = reader.rows().message(no)?.ok_or_else(not_found)?;
        let conversation = reader.conversation(row.conversation)?;
        if !scope.allows(row.conversation, conversation.account) || !scope.shows(row.no) {
            return Err(not_found());
        }
        let answered = match row.reply_to.filter(|no| scope.shows(*no)) {
            Some(no) => reader.message(no)?,
            None => None,
        };
        let answered = answered.filter(|other| other.row.conversation == row.conversation);
        let message = reader.open(row)?;
        let names = self.names()?;
        let directory = names.directory();
        let sender = message.row.sender.and_then(|no| directory.handles.get(&no));
        let sender = sender.map(|entry| entry.label.clone());
        let titled = directory.conversations.get(&message.row.conversation);
        let title = titled.map(|(_, title)| title.clone()).unwrap_or_default();
        let teller = Teller {
            sender: sender.as_deref(),
            sent: message.row.sent,
        };
        let versions = self.versions(&mut reader, &message, &teller)?;
        let mut seen_again = Vec::new();
        for (import, content) in reader.rows().observations(no)? {
            let sighting = reader.sighting(content)?;
            seen_again.push(teller.source(&mut reader, &sighting, Some(import))?);
        }
        let own = LabelTarget::Message(message.row.no);
        let mut labels = self.carried_on(reader.rows(), own, true)?;
        let around = LabelTarget::Conversation(message.row.conversation);
        labels.extend(self.carried_on(reader.rows(), around, false)?);
        drop(reader);
        let now = self.clock.now();
        let draft = self.draft(session, Action::ContentView).object(id);
        let draft = draft.count("shown", 1);
        let audit = self.change(now, |tx| Ok(self.log(tx, now, draft, None)?.seq))?;
        Ok(MessageStory {
            id,
            conversation: conversation.id,
            title,
            app: message.app,
            sender,
            sent: message.row.sent,
            zone: zone(&self.zone_name())?,
            kind: message.row.kind,
            presence: message.row.presence,
            versions,
            seen_again,
            reply_to: answered.map(|other| other.id),
            labels,
            audit,
        })
    }

    fn versions(
        &self,
        reader: &mut Reader<'_>,
        message: &OpenedMessage,
        teller: &Teller<'_>,
    ) -> Result<Vec<ShownVersion>> {
        let utc = DateTime::from_timestamp_micros(message.row.sent.0).unwrap_or_default();
        let mut shown = Vec::with_capacity(message.versions.len());
        for (ordinal, version) in message.versions.iter().enumerate() {
            // Which import brought a later wording is not kept beside it.
            let import = (ordinal == 0).then_some(message.row.import);
            let offset = version.local_offset.and_then(TimeDelta::try_seconds);
            shown.push(ShownVersion {
                body: version.body.clone(),
                source: teller.source(reader, version, import)?,
                written: offset.and_then(|offset| utc.naive_utc().checked_add_signed(offset)),
                precision: version.precision,
                zone_source: version.zone_source,
                attachments: version.attachments.clone(),
            });
        }
        Ok(shown)
    }
}

/// What is the same for every place of a message.
struct Teller<'a> {
    sender: Option<&'a str>,
    sent: Timestamp,
}

impl Teller<'_> {
    fn source(
        &self,
        reader: &mut Reader<'_>,
        version: &OpenedVersion,
        import: Option<ImportNo>,
    ) -> Result<Source> {
        let row = match import {
            Some(no) => reader.rows().import(no)?,
            None => None,
        };
        let report = match row.as_ref().and_then(|row| row.report_no) {
            Some(no) => reader
                .texts(no)?
                .first()
                .and_then(|text| serde_json::from_str(text).ok()),
            None => None,
        };
        let report: Option<ImportReport> = report;
        Ok(Source {
            import: row.map(|row| row.id),
            raw: self.raw(version, report.as_ref()),
            file: report.map(|report| report.name),
            entry: version.entry,
            first_byte: version.span.0,
            bytes: version.span.1,
            source_id: version.source_id.clone(),
        })
    }

    /// The line as the source wrote it, without the credentials it may carry; `None` where what is kept
    /// does not give just as many bytes.
    fn raw(&self, version: &OpenedVersion, report: Option<&ImportReport>) -> Option<String> {
        if version.span.1 > RAW_BYTES_MAX {
            return None;
        }
        let templates = report.and_then(|report| match report.templates.as_slice() {
            [(_, hex)] => Templates::from_bytes(&crate::crypto::from_hex(hex)?).ok(),
            _ => None,
        });
        let fields = Fields {
            body: &version.body,
            sender: self.sender,
            conversation: "",
            source_id: version.source_id.as_deref(),
            reply_to: version.reply_to.as_deref(),
            sent: Some(self.sent),
        };
        let mut raw = Vec::new();
        rebuild(
            &version.raw_form,
            &fields,
            &templates.unwrap_or_default(),
            &mut raw,
        )
        .ok()?;
        let whole = raw.len() as u64 == version.span.1;
        let raw = String::from_utf8(raw).ok().filter(|_| whole)?;
        Some(without_credentials(&raw).into_owned())
    }
}
