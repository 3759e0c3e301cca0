//! `messages.csv`: the messages as a table, for spreadsheets and load files.

use std::io::{self, Write};

use chrono::DateTime;
use chrono_tz::Tz;

use super::record::{ReactionOf, Record, Version};
use crate::crypto::{Digest, hex};
use crate::ingest::{BYTE_ORDER_MARK, write_row};

/// The columns, in order.
const HEADINGS: [&str; 28] = [
    "id",
    "conversation_id",
    "conversation",
    "app",
    "kind",
    "hit",
    "sent_utc",
    "sent_local",
    "sent_as_in_source",
    "time_doubts",
    "sender",
    "sender_handle",
    "person_id",
    "text",
    "earlier_texts",
    "facts",
    "attachments",
    "files",
    "reply_to",
    "thread",
    "edited_utc",
    "reactions",
    "mentions",
    "import_id",
    "source_file",
    "source_bytes",
    "seat",
    "holder",
];

/// Writes what stands in front of the rows.
pub(super) fn write_head(to: &mut dyn Write) -> io::Result<()> {
    to.write_all(BYTE_ORDER_MARK)?;
    write_row(to, HEADINGS.into_iter().chain(["record_digest"]))
}

/// Writes one message; times in `zone`.
pub(super) fn write(
    to: &mut dyn Write,
    record: &Record,
    digest: &Digest,
    zone: Tz,
) -> io::Result<()> {
    let latest = record.latest();
    let source = record.versions.first().map(|version| &version.source);
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    let earlier = record.versions.len().saturating_sub(1);
    let earlier: Vec<&str> = record.versions[..earlier]
        .iter()
        .map(|version| version.body.as_str())
        .collect();
    let attachments: Vec<&str> = latest
        .iter()
        .flat_map(|version| &version.attachments)
        .map(|attachment| attachment.name.as_str())
        .collect();
    let files: Vec<&str> = record.files.iter().map(|file| file.file.as_str()).collect();
    let sender = record.sender.as_ref();
    let span = source.map(|source| {
        let end = source.first_byte + source.bytes;
        format!("entry {}: {}-{end}", source.entry, source.first_byte)
    });
    let cells = [
        record.id.clone(),
        record.conversation.id.clone(),
        record.conversation.title.clone(),
        record.app.clone(),
        record.kind.clone(),
        record.hit.to_string(),
        record.sent.instant.clone(),
        in_zone(&record.sent.instant, zone, "%Y-%m-%d %H:%M:%S %:z"),
        text(record.sent.local.as_ref()),
        record.sent.doubts.join(" "),
        text(sender.map(|sender| &sender.name)),
        text(sender.and_then(|sender| sender.handle.as_ref())),
        text(sender.map(|sender| &sender.person)),
        text(latest.map(|version| &version.body)),
        earlier.join("\n----\n"),
        record.facts.join(" "),
        attachments.join("\n"),
        files.join("\n"),
        text(record.reply_to.as_ref()),
        text(latest.and_then(|version| version.thread.as_ref())),
        text(latest.and_then(|version| version.edited.as_ref())),
        latest.map(reacted).unwrap_or_default(),
        latest
            .map(|version| version.mentions.join("\n"))
            .unwrap_or_default(),
        text(source.and_then(|source| source.import.as_ref())),
        text(source.and_then(|source| source.file.as_ref())),
        span.unwrap_or_default(),
        text(record.seat.as_ref()),
        text(record.holder.as_ref()),
        hex(digest),
    ];
    write_row(to, cells.iter().map(String::as_str))
}

/// What people answered to a version, a sign a line: how many, and who as far as is known.
fn reacted(version: &Version) -> String {
    let lines = version.reactions.iter().map(ReactionOf::line);
    lines.collect::<Vec<_>>().join("\n")
}

/// An instant of a record in a zone.
pub(super) fn in_zone(instant: &str, zone: Tz, format: &str) -> String {
    DateTime::parse_from_rfc3339(instant)
        .map(|instant| instant.with_timezone(&zone).format(format).to_string())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::record;
    use super::*;

    #[test]
    fn r8_a_row_has_a_cell_for_every_heading_and_runs_nothing() {
        let mut bytes = Vec::new();
        write_head(&mut bytes).unwrap();
        let record = record("=1+1", "@title");
        write(&mut bytes, &record, &[0; 32], chrono_tz::Europe::Lisbon).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let rows: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
        let cells = |row: &str| row.split("\",\"").count();
        assert_eq!(cells(rows[0]), HEADINGS.len() + 1);
        assert_eq!(cells(rows[1]), HEADINGS.len() + 1);
        assert!(rows[1].contains("\"'=1+1\"") && rows[1].contains("\"'@title\""));
        assert!(rows[1].contains("\"'=17\"") && rows[1].contains("\"'=Ana\""));
        assert!(rows[1].contains("\"2024-02-11 10:44:00 +00:00\""));
    }
}
