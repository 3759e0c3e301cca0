//! The packed part: the short parts of one version as one string of bytes before sealing.
//!
//! ```text
//! byte 0        format, 1
//! varint        flags (bit per optional field, in the order below)
//! text          body
//! [zigzag]      local time minus effective time, seconds
//! byte          precision in the upper, zone source in the lower four bits
//! [text]        message id of the source     [text] id of the message it answers
//! [varint]      entry of the container       varint x2  first byte and length of the raw span
//! bytes         raw form (room `ingest` rebuilds the span from it)
//! [attachments] count, then for each: name, state, ...
//! [extras]      byte (bit per part, in this order), [text] id of the thread, [zigzag] time of the edit,
//!               [count, then for each reaction: value, count, names], [count, then handle numbers]
//! ```
//! Lengths and numbers are LEB128 varints; text is UTF-8 behind its length. Unknown formats fail.

use super::ArchiveError;
use super::error::Result;
use super::wire::{Input, put_bytes, put_number};
use crate::domain::{
    Attachment, AttachmentState, Extras, HandleNo, Precision, Reaction, Timestamp, ZoneSource,
};

const FORMAT: u8 = 1;
/// Attachments of one message that are kept, at most.
pub const ATTACHMENTS_MAX: usize = 1_024;

const HAS_LOCAL: u64 = 1;
const HAS_SOURCE_ID: u64 = 1 << 1;
const HAS_REPLY_TO: u64 = 1 << 2;
const HAS_ENTRY: u64 = 1 << 3;
const HAS_ATTACHMENTS: u64 = 1 << 4;
const HAS_EXTRAS: u64 = 1 << 5;

const EXTRA_THREAD: u8 = 1;
const EXTRA_EDITED: u8 = 1 << 1;
const EXTRA_REACTIONS: u8 = 1 << 2;
const EXTRA_MENTIONS: u8 = 1 << 3;

/// Reactions, names under a reaction and mentions of one message that are kept, at most each.
pub const EXTRAS_MAX: usize = 1_024;

/// What a version holds besides the columns of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packed<'a> {
    /// The words, as written.
    pub body: &'a str,
    /// Local time minus effective time in whole seconds, where the source had a local time.
    pub local_offset: Option<i64>,
    /// How sharply the source knew the time.
    pub precision: Precision,
    /// Where the zone came from.
    pub zone_source: ZoneSource,
    /// The platform's id.
    pub source_id: Option<&'a str>,
    /// The platform's id of the message it answers.
    pub reply_to: Option<&'a str>,
    /// Ordinal of the entry in the container.
    pub entry: u32,
    /// First byte and length of the raw span in that entry.
    pub span: (u64, u64),
    /// The raw span in a compact form.
    pub raw_form: &'a [u8],
    /// Files it carries or names.
    pub attachments: Vec<Attachment>,
    /// What else its source tells.
    pub extras: Extras,
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

impl<'a> Packed<'a> {
    /// Appends the packed bytes and returns where in `out` the body stands.
    pub fn write(&self, out: &mut Vec<u8>) -> std::ops::Range<usize> {
        out.push(FORMAT);
        let flag = |on: bool, bit: u64| if on { bit } else { 0 };
        put_number(
            out,
            flag(self.local_offset.is_some(), HAS_LOCAL)
                | flag(self.source_id.is_some(), HAS_SOURCE_ID)
                | flag(self.reply_to.is_some(), HAS_REPLY_TO)
                | flag(self.entry != 0, HAS_ENTRY)
                | flag(!self.attachments.is_empty(), HAS_ATTACHMENTS)
                | flag(!self.extras.is_empty(), HAS_EXTRAS),
        );
        put_bytes(out, self.body.as_bytes());
        let body = out.len() - self.body.len()..out.len();
        if let Some(offset) = self.local_offset {
            put_number(out, zigzag(offset));
        }
        out.push(precision_number(self.precision) << 4 | self.zone_source as u8);
        for text in [self.source_id, self.reply_to].into_iter().flatten() {
            put_bytes(out, text.as_bytes());
        }
        if self.entry != 0 {
            put_number(out, u64::from(self.entry));
        }
        put_number(out, self.span.0);
        put_number(out, self.span.1);
        put_bytes(out, self.raw_form);
        if !self.attachments.is_empty() {
            put_attachments(out, &self.attachments);
        }
        if !self.extras.is_empty() {
            put_extras(out, &self.extras);
        }
        body
    }

    /// Reads packed bytes. Fails on anything `write` does not make.
    pub fn read(bytes: &'a [u8]) -> Result<Packed<'a>> {
        let mut input = Input { rest: bytes };
        if input.byte()? != FORMAT {
            return Err(ArchiveError::Malformed("the format of a version"));
        }
        let flags = input.number()?;
        let body = input.text()?;
        let local_offset = match flags & HAS_LOCAL {
            0 => None,
            _ => Some(unzigzag(input.number()?)),
        };
        let sharpness = input.byte()?;
        let optional =
            |bit: u64, input: &mut Input<'a>| (flags & bit != 0).then(|| input.text()).transpose();
        let source_id = optional(HAS_SOURCE_ID, &mut input)?;
        let reply_to = optional(HAS_REPLY_TO, &mut input)?;
        let entry = if flags & HAS_ENTRY == 0 {
            0
        } else {
            input.number()? as u32
        };
        let span = (input.number()?, input.number()?);
        let raw_form = input.bytes()?;
        let attachments = if flags & HAS_ATTACHMENTS == 0 {
            Vec::new()
        } else {
            read_attachments(&mut input)?
        };
        let extras = match flags & HAS_EXTRAS {
            0 => Extras::default(),
            _ => read_extras(&mut input)?,
        };
        if !input.rest.is_empty() {
            return Err(ArchiveError::Malformed("the end of a version"));
        }
        Ok(Packed {
            body,
            local_offset,
            precision: precision_of(sharpness >> 4)?,
            zone_source: zone_source_of(sharpness & 15)?,
            source_id,
            reply_to,
            entry,
            span,
            raw_form,
            attachments,
            extras,
        })
    }
}

fn precision_number(precision: Precision) -> u8 {
    match precision {
        Precision::None => 0,
        Precision::Day => 1,
        Precision::Minute => 2,
        Precision::Second => 3,
        Precision::Milli => 4,
        Precision::Micro => 5,
    }
}

fn precision_of(number: u8) -> Result<Precision> {
    use Precision::*;
    [None, Day, Minute, Second, Milli, Micro]
        .get(usize::from(number))
        .copied()
        .ok_or(ArchiveError::Malformed("the precision of a time"))
}

fn zone_source_of(number: u8) -> Result<ZoneSource> {
    use ZoneSource::*;
    [Record, File, Operator, Inferred, Default]
        .get(usize::from(number))
        .copied()
        .ok_or(ArchiveError::Malformed("the zone source of a time"))
}

fn put_attachments(out: &mut Vec<u8>, attachments: &[Attachment]) {
    let kept = &attachments[..attachments.len().min(ATTACHMENTS_MAX)];
    put_number(out, kept.len() as u64);
    for attachment in kept {
        put_bytes(out, attachment.name.as_bytes());
        match &attachment.state {
            AttachmentState::Present { size, sha256, mime } => {
                out.push(0);
                put_number(out, *size);
                out.extend_from_slice(sha256);
                put_bytes(out, mime.as_bytes());
            }
            AttachmentState::NotExported => out.push(1),
            AttachmentState::Unreferenced => out.push(2),
            AttachmentState::Failed(reason) => {
                out.push(3);
                put_bytes(out, reason.as_bytes());
            }
        }
    }
}

fn put_extras(out: &mut Vec<u8>, extras: &Extras) {
    let flag = |on: bool, bit: u8| if on { bit } else { 0 };
    out.push(
        flag(extras.thread.is_some(), EXTRA_THREAD)
            | flag(extras.edited.is_some(), EXTRA_EDITED)
            | flag(!extras.reactions.is_empty(), EXTRA_REACTIONS)
            | flag(!extras.mentions.is_empty(), EXTRA_MENTIONS),
    );
    if let Some(thread) = &extras.thread {
        put_bytes(out, thread.as_bytes());
    }
    if let Some(edited) = extras.edited {
        put_number(out, zigzag(edited.0));
    }
    if !extras.reactions.is_empty() {
        let kept = &extras.reactions[..extras.reactions.len().min(EXTRAS_MAX)];
        put_number(out, kept.len() as u64);
        for reaction in kept {
            put_bytes(out, reaction.value.as_bytes());
            put_number(out, u64::from(reaction.count));
            let by = &reaction.by[..reaction.by.len().min(EXTRAS_MAX)];
            put_number(out, by.len() as u64);
            by.iter().for_each(|name| put_bytes(out, name.as_bytes()));
        }
    }
    if !extras.mentions.is_empty() {
        let kept = &extras.mentions[..extras.mentions.len().min(EXTRAS_MAX)];
        put_number(out, kept.len() as u64);
        kept.iter().for_each(|no| put_number(out, u64::from(no.0)));
    }
}

fn read_extras(input: &mut Input<'_>) -> Result<Extras> {
    let parts = input.byte()?;
    let mut extras = Extras::default();
    if parts & EXTRA_THREAD != 0 {
        extras.thread = Some(input.text()?.to_owned());
    }
    if parts & EXTRA_EDITED != 0 {
        extras.edited = Some(Timestamp(unzigzag(input.number()?)));
    }
    if parts & EXTRA_REACTIONS != 0 {
        extras.reactions = read_list(input, |input| {
            Ok(Reaction {
                value: input.text()?.to_owned(),
                count: read_small(input)?,
                by: read_list(input, |input| Ok(input.text()?.to_owned()))?,
            })
        })?;
    }
    if parts & EXTRA_MENTIONS != 0 {
        extras.mentions = read_list(input, |input| Ok(HandleNo(read_small(input)?)))?;
    }
    Ok(extras)
}

fn read_small(input: &mut Input<'_>) -> Result<u32> {
    let number = input.number()?;
    u32::try_from(number).map_err(|_| ArchiveError::Malformed("a number of a version"))
}

fn read_list<T>(
    input: &mut Input<'_>,
    read: impl Fn(&mut Input<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = input.number()? as usize;
    if count > EXTRAS_MAX {
        return Err(ArchiveError::Malformed("the extras of a version"));
    }
    (0..count).map(|_| read(input)).collect()
}

fn read_attachments(input: &mut Input<'_>) -> Result<Vec<Attachment>> {
    let count = input.number()? as usize;
    if count > ATTACHMENTS_MAX {
        return Err(ArchiveError::Malformed("the attachments of a version"));
    }
    (0..count).map(|_| read_attachment(input)).collect()
}

fn read_attachment(input: &mut Input<'_>) -> Result<Attachment> {
    let name = input.text()?.to_owned();
    let state = match input.byte()? {
        0 => {
            let size = input.number()?;
            let mut sha256 = [0; 32];
            sha256.copy_from_slice(input.take(32)?);
            AttachmentState::Present {
                size,
                sha256,
                mime: input.text()?.to_owned(),
            }
        }
        1 => AttachmentState::NotExported,
        2 => AttachmentState::Unreferenced,
        3 => AttachmentState::Failed(input.text()?.to_owned()),
        _ => return Err(ArchiveError::Malformed("an attachment's state")),
    };
    Ok(Attachment { name, state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attachment() -> impl Strategy<Value = Attachment> {
        let state = prop_oneof![
            (any::<u64>(), any::<[u8; 32]>(), "[a-z/]{0,12}")
                .prop_map(|(size, sha256, mime)| AttachmentState::Present { size, sha256, mime }),
            Just(AttachmentState::NotExported),
            Just(AttachmentState::Unreferenced),
            ".{0,9}".prop_map(AttachmentState::Failed),
        ];
        (".{0,20}", state).prop_map(|(name, state)| Attachment { name, state })
    }

    prop_compose! {
        fn extras()(
            thread in proptest::option::of(".{0,9}"),
            edited in proptest::option::of(any::<i64>()),
            reactions in proptest::collection::vec(
                (".{0,4}", any::<u32>(), proptest::collection::vec(".{0,6}", 0..3)), 0..3),
            mentions in proptest::collection::vec(any::<u32>(), 0..3),
        ) -> Extras {
            let reaction = |(value, count, by)| Reaction { value, count, by };
            Extras {
                thread,
                edited: edited.map(Timestamp),
                reactions: reactions.into_iter().map(reaction).collect(),
                mentions: mentions.into_iter().map(HandleNo).collect(),
            }
        }
    }

    proptest! {
        #[test]
        fn what_is_packed_reads_back(
            body in ".{0,200}",
            local_offset in proptest::option::of(any::<i64>()),
            ids in (proptest::option::of(".{0,9}"), proptest::option::of(".{0,9}")),
            span in any::<(u64, u64)>(),
            entry in any::<u32>(),
            raw_form in proptest::collection::vec(any::<u8>(), 0..40),
            attachments in proptest::collection::vec(attachment(), 0..4),
            extras in extras(),
        ) {
            let packed = Packed {
                body: &body, local_offset, precision: Precision::Minute,
                zone_source: ZoneSource::Operator, source_id: ids.0.as_deref(),
                reply_to: ids.1.as_deref(), entry, span, raw_form: &raw_form, attachments, extras,
            };
            let mut bytes = vec![9];
            let at = packed.write(&mut bytes);
            prop_assert_eq!(&bytes[at], body.as_bytes());
            prop_assert_eq!(Packed::read(&bytes[1..]).unwrap(), packed);
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Packed::read(&bytes);
        }
    }
}
