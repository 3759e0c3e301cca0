//! Finds out by content which entry is of which format.

use std::collections::{BTreeMap, BTreeSet};

use super::container::{Container, Entry};
use super::discord::Discord;
use super::error::{IngestError, Result};
use super::format::{Claim, Format};
use super::google_voice::GoogleVoice;
use super::googlechat::GoogleChat;
use super::kakao::KakaoTalk;
use super::line_chat::LineChat;
use super::matrix::Matrix;
use super::mattermost::Mattermost;
use super::messenger::Messenger;
use super::rocketchat::RocketChat;
use super::rsmf::Rsmf;
use super::signal_text::SignalText;
use super::slack::Slack;
use super::table::{Csv, Jsonl};
use super::teams::Teams;
use super::telegram::Telegram;
use super::telegram_page::TelegramPage;
use super::viber::Viber;
use super::wechat::WeChat;
use super::whatsapp::WhatsApp;
use super::zoom::Zoom;

/// Bytes of an entry that are looked at.
pub const HEAD_BYTES: usize = 64 * 1024;
/// Entries whose content is looked at whatever they are called; behind them, those alone that are called as
/// chats are.
const LOOKED_AT_MAX: usize = 10_000;
/// A claim that recognised less than this share, one part in so many, of what another did is of pasted words.
const PASTED_SHARE: u32 = 10;
/// How files with chats end, in lower case.
const CHAT_ENDINGS: [&str; 8] = ["csv", "htm", "html", "json", "jsonl", "md", "ndjson", "txt"];

/// The formats, in the order in which they are asked.
pub(super) const FORMATS: &[&dyn Format] = &[
    &WhatsApp,
    &Telegram,
    &Slack,
    &Discord,
    &Messenger,
    &Matrix,
    &Teams,
    &GoogleChat,
    &Mattermost,
    &RocketChat,
    &Rsmf,
    &TelegramPage,
    &GoogleVoice,
    &LineChat,
    &KakaoTalk,
    &SignalText,
    &Zoom,
    &Viber,
    &WeChat,
    &Jsonl,
    &Csv,
];

/// An entry that a format claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The entry.
    pub entry: u32,
    /// Entries that are read with it: neither chats nor attachments of their own.
    pub parts: Vec<u32>,
    /// Names of the formats that claim it equally well; more than one must be asked about.
    pub formats: Vec<&'static str>,
    /// Whether the content is beyond doubt. Otherwise it only could be of the format: a table, a
    /// log that resembles an old chat.
    pub sure: bool,
}

impl Found {
    /// Entries that are beyond doubt of one format: `parts` without the first of them.
    pub(super) fn gathered(format: &'static str, entry: u32, parts: Vec<u32>) -> Found {
        Found {
            entry,
            parts: parts.into_iter().filter(|part| *part != entry).collect(),
            formats: vec![format],
            sure: true,
        }
    }

    /// Whether an entry is read here.
    pub fn holds(&self, entry: u32) -> bool {
        self.entry == entry || self.parts.contains(&entry)
    }
}

/// What a container holds.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Detection {
    /// Entries to be read as chats, in order of ordinals.
    pub chats: Vec<Found>,
    /// Entries no format claims: attachments, or nothing we know.
    pub others: Vec<u32>,
    /// How many of `others` were not looked at, because there are too many entries and their names are not
    /// those of chats.
    pub unseen: u64,
}

impl Detection {
    /// Takes tables that lie beside chats of platforms for files: what people send each other is no chat of
    /// its own, and nobody can say in a mapping what it is. Gives those that were taken, by their entries.
    pub fn lay_tables_aside(&mut self) -> Vec<u32> {
        let is_table = |found: &Found| {
            let mut formats = found.formats.iter().filter_map(|name| format(name));
            formats.all(|format| format.is_generic())
        };
        if !self
            .chats
            .iter()
            .any(|found| found.sure && !is_table(found))
        {
            return Vec::new();
        }
        let tables = self.chats.iter().filter(|found| is_table(found));
        let tables: Vec<u32> = tables.map(|found| found.entry).collect();
        self.chats.retain(|found| !is_table(found));
        self.others.extend(&tables);
        self.others.sort_unstable();
        tables
    }
}

/// An entry with the claims on it.
struct Claimed {
    found: Found,
    /// How much of the head was recognised.
    weight: u32,
}

/// Looks at every entry of a container.
///
/// # Errors
/// What the medium reports. Entries that cannot be read are `others`.
pub fn detect(container: &mut Container<'_>) -> Result<Detection> {
    let entries: Vec<Entry> = container.entries().to_vec();
    let archives: BTreeSet<u32> = entries.iter().filter_map(|entry| entry.parent).collect();
    let mut chats: Vec<Found> = Vec::new();
    let mut taken = BTreeSet::new();
    for format in FORMATS {
        for found in format.gather(container)? {
            // What one format took no other takes.
            if !found
                .parts
                .iter()
                .chain([&found.entry])
                .any(|one| taken.contains(one))
            {
                taken.extend(found.parts.iter().copied().chain([found.entry]));
                chats.push(found);
            }
        }
    }
    let mut claimed = Vec::new();
    let (mut seen, mut unseen) = (0, 0);
    for entry in &entries {
        let open = !taken.contains(&entry.ordinal) && !archives.contains(&entry.ordinal);
        if entry.refused.is_some() || !open {
            continue;
        }
        if seen >= LOOKED_AT_MAX && !is_called_as_chats_are(entry) {
            unseen += 1;
            continue;
        }
        seen += 1;
        claimed.extend(claims(container, entry)?);
    }
    one_chat_an_archive(&entries, &mut claimed);
    chats.extend(claimed.into_iter().map(|claimed| claimed.found));
    // What names its conversations goes first: another form of the same chat is known by it.
    chats.sort_by_key(|found| (!super::import::has_keys(found), found.entry));
    taken.extend(chats.iter().map(|found| found.entry));
    let others = (0..entries.len() as u32)
        .filter(|ordinal| !taken.contains(ordinal))
        .collect();
    Ok(Detection {
        chats,
        others,
        unseen,
    })
}

fn is_called_as_chats_are(entry: &Entry) -> bool {
    let ending = entry.file_name().rsplit('.').next().unwrap_or_default();
    CHAT_ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
}

/// A folder of an archive holds one WhatsApp chat; texts that somebody sent in it are attachments. The chat is
/// `_chat.txt`, else the shortest name that says so, else the text with most headers.
fn one_chat_an_archive(entries: &[Entry], claimed: &mut Vec<Claimed>) {
    let is_whatsapp = |claimed: &Claimed| claimed.found.formats == [WhatsApp.name()];
    let place = |claimed: &Claimed| {
        let entry = &entries[claimed.found.entry as usize];
        let folder = entry.name.len() - entry.file_name().len();
        Some((entry.parent?, &entry.name[..folder]))
    };
    let rank = |claimed: &Claimed| {
        let name = entries[claimed.found.entry as usize].file_name();
        let lower = name.to_ascii_lowercase();
        let named =
            (lower.contains("chat") || lower.contains("whatsapp")) && lower.ends_with(".txt");
        let length = if named { name.len() } else { 0 };
        (
            name != "_chat.txt",
            !named,
            length,
            u32::MAX - claimed.weight,
        )
    };
    let mut best: BTreeMap<(u32, &str), _> = BTreeMap::new();
    for chat in claimed.iter().filter(|chat| is_whatsapp(chat)) {
        let Some(place) = place(chat) else {
            continue;
        };
        let candidate = (rank(chat), chat.found.entry);
        best.entry(place)
            .and_modify(|known| *known = candidate.min(*known))
            .or_insert(candidate);
    }
    claimed.retain(|chat| {
        let chosen = place(chat).and_then(|place| best.get(&place));
        chosen.is_none_or(|(_, entry)| !is_whatsapp(chat) || *entry == chat.found.entry)
    });
}

/// The formats with the best claim to an entry.
fn claims(container: &mut Container<'_>, entry: &Entry) -> Result<Option<Claimed>> {
    let head = match container.head(entry.ordinal, HEAD_BYTES) {
        Ok(head) => head,
        Err(IngestError::Source(error)) if entry.parent.is_none() => {
            return Err(IngestError::Source(error));
        }
        Err(_) => return Ok(None),
    };
    // Pictures, sound and documents are no chats, whatever bytes they hold.
    if infer::get(&head).is_some_and(|kind| kind.matcher_type() != infer::MatcherType::Text) {
        return Ok(None);
    }
    let claims = FORMATS
        .iter()
        .map(|format| (format.name(), format.claim(entry, &head)));
    let mut claims: Vec<(&'static str, Claim)> = claims.collect();
    // A platform knows its own better than a reader of any table.
    let named = |name: &str| format(name).is_some_and(|format| !format.is_generic());
    if claims
        .iter()
        .any(|(name, claim)| named(name) && matches!(claim, Claim::Yes(_)))
    {
        claims.retain(|(name, _)| named(name));
    }
    // Words that somebody pasted look like the heads of another form, and are few.
    let weight = |claim: &Claim| match claim {
        Claim::Yes(weight) => *weight,
        _ => 0,
    };
    let most = claims.iter().map(|(_, claim)| weight(claim)).max();
    let most = most.unwrap_or(0);
    claims.retain(|(_, claim)| weight(claim) == 0 || weight(claim) * PASTED_SHARE >= most);
    let sure = claims
        .iter()
        .any(|(_, claim)| matches!(claim, Claim::Yes(_)));
    let holds = |claim: &Claim| match claim {
        Claim::Yes(_) => true,
        Claim::Maybe => !sure,
        Claim::No => false,
    };
    let formats: Vec<&'static str> = claims
        .iter()
        .filter(|(_, claim)| holds(claim))
        .map(|(name, _)| *name)
        .collect();
    let weight = claims.iter().map(|(_, claim)| match claim {
        Claim::Yes(weight) => *weight,
        _ => 0,
    });
    let weight = weight.max().unwrap_or(0);
    Ok((!formats.is_empty()).then_some(Claimed {
        found: Found {
            entry: entry.ordinal,
            parts: Vec::new(),
            formats,
            sure,
        },
        weight,
    }))
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
