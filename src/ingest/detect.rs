//! Finds out by content which entry is of which format.

use super::container::{Container, Entry};
use super::error::{IngestError, Result};
use super::format::{Claim, Format};
use super::table::Jsonl;
use super::whatsapp::WhatsApp;

/// Bytes of an entry that are looked at.
pub const HEAD_BYTES: usize = 64 * 1024;
/// Entries whose content is looked at; the rest of a larger container are attachments.
const LOOKED_AT_MAX: usize = 10_000;

/// The formats, in the order in which they are asked.
pub(super) const FORMATS: &[&dyn Format] = &[&WhatsApp, &Jsonl];

/// An entry that a format claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The entry.
    pub entry: u32,
    /// Names of the formats that claim it equally well; more than one must be asked about.
    pub formats: Vec<&'static str>,
}

/// What a container holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Detection {
    /// Entries to be read as chats, in order of ordinals.
    pub chats: Vec<Found>,
    /// Entries no format claims: attachments, or nothing we know.
    pub others: Vec<u32>,
}

/// Looks at every entry of a container.
///
/// # Errors
/// What the medium reports. Entries that cannot be read are `others`.
pub fn detect(container: &mut Container<'_>) -> Result<Detection> {
    let mut detection = Detection::default();
    let entries: Vec<Entry> = container.entries().to_vec();
    for entry in &entries {
        let is_parent = entries
            .iter()
            .skip(entry.ordinal as usize + 1)
            .take(1)
            .any(|next| next.parent == Some(entry.ordinal));
        let looked_at =
            (entry.ordinal as usize) < LOOKED_AT_MAX && !is_parent && entry.refused.is_none();
        let formats = match looked_at {
            true => claims(container, entry)?,
            false => Vec::new(),
        };
        match formats.is_empty() {
            true => detection.others.push(entry.ordinal),
            false => detection.chats.push(Found {
                entry: entry.ordinal,
                formats,
            }),
        }
    }
    Ok(detection)
}

/// The formats with the best claim to an entry.
fn claims(container: &mut Container<'_>, entry: &Entry) -> Result<Vec<&'static str>> {
    let head = match container.head(entry.ordinal, HEAD_BYTES) {
        Ok(head) => head,
        Err(IngestError::Source(error)) => return Err(IngestError::Source(error)),
        Err(_) => return Ok(Vec::new()),
    };
    // Pictures, sound and documents are no chats, whatever bytes they hold.
    if infer::get(&head).is_some_and(|kind| kind.matcher_type() != infer::MatcherType::Text) {
        return Ok(Vec::new());
    }
    let claims: Vec<(&'static str, Claim)> = FORMATS
        .iter()
        .map(|format| (format.name(), format.claim(entry, &head)))
        .collect();
    let sure = claims
        .iter()
        .any(|(_, claim)| matches!(claim, Claim::Yes(_)));
    Ok(claims
        .into_iter()
        .filter(|(_, claim)| match claim {
            Claim::Yes(_) => true,
            Claim::Maybe => !sure,
            Claim::No => false,
        })
        .map(|(name, _)| name)
        .collect())
}

/// The type of a file by its first bytes, such as `image/jpeg`; what has no magic bytes is text or
/// unknown and says `application/octet-stream`.
pub fn mime_of(head: &[u8]) -> &'static str {
    infer::get(head).map_or("application/octet-stream", |kind| kind.mime_type())
}

/// The format of a name.
pub(super) fn format(name: &str) -> Option<&'static dyn Format> {
    FORMATS.iter().copied().find(|format| format.name() == name)
}
