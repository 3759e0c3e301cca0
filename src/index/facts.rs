//! What is known of a message beside its words, as keys of the field `fact`.
//!
//! One letter names the kind of fact, the value follows; numbers big-endian, so that ranges of
//! days and months are ranges of keys.

use crate::domain::{
    AccountNo, App, ConversationKind, ConversationNo, HandleNo, ImportNo, Kind, MessageNo,
    Presence, Timestamp,
};
use crate::query::Record;
use crate::query::analysis::{Analysis, TermKind, analyse};

/// Bytes of a key before its value.
const TAG_LEN: usize = 1;

/// The kinds of fact, by the letter that begins the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tag {
    Account = b'a',
    Conversation = b'c',
    Day = b'd',
    Extension = b'e',
    Import = b'i',
    Kind = b'k',
    Month = b'm',
    Mention = b'n',
    App = b'p',
    Presence = b'q',
    Reaction = b'r',
    Sender = b's',
    Shape = b't',
    Thread = b'h',
    Url = b'u',
    Mime = b'x',
    Emoji = b'y',
}

/// A key of the field `fact`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FactKey(pub Vec<u8>);

fn key(tag: Tag, value: &[u8]) -> FactKey {
    let mut bytes = Vec::with_capacity(TAG_LEN + value.len());
    bytes.push(tag as u8);
    bytes.extend_from_slice(value);
    FactKey(bytes)
}

/// Signed numbers sort as unsigned ones with the sign flipped.
fn ordered(value: i32) -> [u8; 4] {
    ((value as u32) ^ 0x8000_0000).to_be_bytes()
}

/// The day of an instant: whole days since the epoch, UTC.
pub(super) fn day_of(at: Timestamp) -> i32 {
    at.0.div_euclid(Timestamp::MICROS_PER_DAY) as i32
}

/// The month of an instant: months since the year 0, UTC.
pub(super) fn month_of(at: Timestamp) -> i32 {
    let (year, month, _) = at.civil_utc();
    year * 12 + i32::from(month) - 1
}

/// The first day of a month counted like [`month_of`] (days-from-civil of Howard Hinnant,
/// "chrono-compatible low-level date algorithms").
pub(super) fn first_day_of(month: i32) -> i32 {
    let (year, month) = (month.div_euclid(12), month.rem_euclid(12) + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

impl FactKey {
    pub fn account(no: AccountNo) -> FactKey {
        key(Tag::Account, &no.0.to_be_bytes())
    }

    pub fn conversation(no: ConversationNo) -> FactKey {
        key(Tag::Conversation, &no.0.to_be_bytes())
    }

    pub fn sender(no: HandleNo) -> FactKey {
        key(Tag::Sender, &no.0.to_be_bytes())
    }

    pub fn mention(no: HandleNo) -> FactKey {
        key(Tag::Mention, &no.0.to_be_bytes())
    }

    pub fn import(no: ImportNo) -> FactKey {
        key(Tag::Import, &no.0.to_be_bytes())
    }

    pub fn thread(no: MessageNo) -> FactKey {
        key(Tag::Thread, &no.0.to_be_bytes())
    }

    pub fn app(app: App) -> FactKey {
        key(Tag::App, &[app as u8])
    }

    pub fn kind(kind: Kind) -> FactKey {
        key(Tag::Kind, &[kind as u8])
    }

    pub fn shape(kind: ConversationKind) -> FactKey {
        key(Tag::Shape, &[kind as u8])
    }

    /// One bit of the presence flags, by its number.
    pub fn presence_bit(bit: u8) -> FactKey {
        key(Tag::Presence, &[bit])
    }

    pub fn day(day: i32) -> FactKey {
        key(Tag::Day, &ordered(day))
    }

    pub fn month(month: i32) -> FactKey {
        key(Tag::Month, &ordered(month))
    }

    pub fn text(tag: Tag, value: &str) -> FactKey {
        key(tag, value.as_bytes())
    }

    /// A text version holds an emoji.
    pub fn emoji() -> FactKey {
        key(Tag::Emoji, &[])
    }

    /// The first key of a kind and the first behind it.
    pub fn all_of(tag: Tag) -> (FactKey, FactKey) {
        (FactKey(vec![tag as u8]), FactKey(vec![tag as u8 + 1]))
    }

    /// Folded and exact form of a text fact.
    pub fn text_value(bytes: &[u8]) -> Option<(&str, &str)> {
        let text = std::str::from_utf8(bytes.get(TAG_LEN..)?).ok()?;
        Some(text.split_once('\0').unwrap_or((text, text)))
    }
}

/// The numbers of the bits set.
pub(super) fn bits_of(presence: Presence) -> impl Iterator<Item = u8> {
    (0..32u8).filter(move |bit| presence.0 >> bit & 1 == 1)
}

/// The flags of a record: what the source said, and what its kind says.
pub(super) fn presence_of(record: &Record<'_>) -> Presence {
    if record.kind.is_system() {
        record.presence.with(Presence::SYSTEM)
    } else {
        record.presence
    }
}

/// Packs the facts of records, with reused buffers.
#[derive(Default)]
pub(super) struct FactPacker {
    out: Vec<u8>,
    scratch: Analysis,
}

impl FactPacker {
    /// The facts of a record as (length, key) after one another.
    pub fn pack<'a>(
        &mut self,
        record: &Record<'_>,
        has_emoji: bool,
        urls: impl Iterator<Item = &'a str>,
    ) -> &[u8] {
        self.out.clear();
        self.put(&FactKey::conversation(record.conversation));
        for key in [
            record.account.map(FactKey::account),
            record.sender.map(FactKey::sender),
            record.thread.map(FactKey::thread),
            has_emoji.then(FactKey::emoji),
        ] {
            key.iter().for_each(|key| self.put(key));
        }
        self.put(&FactKey::app(record.app));
        self.put(&FactKey::kind(record.kind));
        self.put(&FactKey::shape(record.conversation_kind));
        self.put(&FactKey::import(record.import));
        self.put(&FactKey::day(day_of(record.sent)));
        self.put(&FactKey::month(month_of(record.sent)));
        for bit in bits_of(presence_of(record)) {
            self.put(&FactKey::presence_bit(bit));
        }
        for mention in record.mentions {
            self.put(&FactKey::mention(*mention));
        }
        for attachment in record.attachments {
            self.put(&FactKey::text(
                Tag::Extension,
                &attachment.ext.to_lowercase(),
            ));
            self.put(&FactKey::text(Tag::Mime, &attachment.mime.to_lowercase()));
        }
        for reaction in record.reactions {
            self.put_terms(Tag::Reaction, reaction, |_| true);
        }
        for url in urls {
            self.put_terms(Tag::Url, url, |kind| {
                matches!(kind, TermKind::Whole | TermKind::Alias | TermKind::Wider)
            });
        }
        &self.out
    }

    fn put(&mut self, key: &FactKey) {
        // The engine indexes a key twice where it comes twice; a list holds it once all the same.
        let length = (key.0.len() as u32).to_be_bytes();
        self.out.extend_from_slice(&length);
        self.out.extend_from_slice(&key.0);
    }

    /// The terms of a short text: folded form, and behind a NUL the exact form where it differs.
    fn put_terms(&mut self, tag: Tag, text: &str, keep: impl Fn(TermKind) -> bool) {
        let mut analysis = std::mem::take(&mut self.scratch);
        analyse(text, &mut analysis);
        for term in analysis.terms().filter(|term| keep(term.kind)) {
            let mut value = term.folded.to_owned();
            if term.exact != term.folded {
                value.push('\0');
                value.push_str(term.exact);
            }
            self.put(&FactKey::text(tag, &value));
        }
        self.scratch = analysis;
    }
}

/// Bytes of a length before a packed key.
pub(super) const LENGTH_BYTES: usize = 4;

/// The keys of a packed list.
pub(super) fn unpack(mut packed: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = packed.split_first_chunk::<LENGTH_BYTES>()?;
        let (key, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        packed = rest;
        Some(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_sort_by_time() {
        let instants = [
            Timestamp(i64::MIN / 4),
            Timestamp(-1),
            Timestamp(0),
            Timestamp(1_700_000_000_000_000),
        ];
        assert!(instants.is_sorted_by_key(|at| FactKey::day(day_of(*at))));
        assert!(instants.is_sorted_by_key(|at| FactKey::month(month_of(*at))));
        assert_eq!(month_of(Timestamp(0)), 1970 * 12);
    }

    #[test]
    fn a_month_begins_where_the_one_before_ends() {
        for day in -800_000..800_000 {
            let at = |day| Timestamp(i64::from(day) * Timestamp::MICROS_PER_DAY);
            let month = month_of(at(day));
            let (_, _, day_of_month) = at(day).civil_utc();
            assert_eq!(first_day_of(month), day - i32::from(day_of_month) + 1);
        }
    }

    #[test]
    fn the_keys_of_a_kind_lie_between_its_bounds() {
        let (from, until) = FactKey::all_of(Tag::Sender);
        for no in [0, 7, u32::MAX] {
            let key = FactKey::sender(HandleNo(no));
            assert!(from <= key && key < until);
        }
        assert!(FactKey::shape(ConversationKind::Direct) >= until);
    }
}
