//! Reads the markers in a body: media left out or attached, deleted, edited, places, polls.
//! Tags only; the body stays as written.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::domain::{Kind, Presence};
use crate::ingest::calendar::civil_days;
use crate::ingest::message::ParsedAttachment;

use crate::ingest::printed::is_mark;

/// What a body turned out to be.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// The kind.
    pub kind: Kind,
    /// Facts the markers tell.
    pub presence: Presence,
    /// The file it carries or names.
    pub attachment: Option<ParsedAttachment<'a>>,
}

/// Names of the files that came along, to the ordinals of their entries.
pub type Media = BTreeMap<String, u32>;

/// Placeholders of media the export left out, and what they were.
const OMITTED: &[(&str, Presence)] = &[
    ("<Media omitted>", Presence::ATTACHMENT),
    ("<Medien ausgeschlossen>", Presence::ATTACHMENT),
    ("<Medien weggelassen>", Presence::ATTACHMENT),
    ("<Medien ausgelassen>", Presence::ATTACHMENT),
    ("<Mídia oculta>", Presence::ATTACHMENT),
    ("<Multimedia omitido>", Presence::ATTACHMENT),
    ("<Archivo omitido>", Presence::ATTACHMENT),
    ("<Médias omis>", Presence::ATTACHMENT),
    ("<Media omessi>", Presence::ATTACHMENT),
    ("<رسانه حذف شد>", Presence::ATTACHMENT),
    ("<省略影音内容>", Presence::ATTACHMENT),
    ("<已省略多媒體檔案>", Presence::ATTACHMENT),
    ("<Без медиафайлов>", Presence::ATTACHMENT),
    ("<Video message omitted>", Presence::VIDEO),
    ("image omitted", Presence::IMAGE),
    ("video omitted", Presence::VIDEO),
    ("audio omitted", Presence::AUDIO),
    ("GIF omitted", Presence::IMAGE),
    ("sticker omitted", Presence::IMAGE),
    ("video note omitted", Presence::VIDEO),
    ("video message omitted", Presence::VIDEO),
    ("Contact card omitted", Presence::CONTACT),
    ("Bild weggelassen", Presence::IMAGE),
    ("Video weggelassen", Presence::VIDEO),
    ("Audio weggelassen", Presence::AUDIO),
    ("Sticker weggelassen", Presence::IMAGE),
    ("Kontaktkarte weggelassen", Presence::CONTACT),
    ("Dokument weggelassen", Presence::FILE),
    ("圖片已略去", Presence::IMAGE),
    ("影片已略去", Presence::VIDEO),
    ("音訊已略去", Presence::AUDIO),
    ("貼圖已略去", Presence::IMAGE),
];

/// Placeholders of messages deleted before the export.
const DELETED: &[&str] = &[
    "This message was deleted",
    "This message was deleted.",
    "You deleted this message",
    "You deleted this message.",
    "Diese Nachricht wurde gelöscht.",
    "Diese Nachricht wurde gelöscht",
    "Du hast diese Nachricht gelöscht.",
    "Du hast diese Nachricht gelöscht",
];

/// The suffix of an edited message.
const EDITED: &str = "<This message was edited>";

/// Words in round brackets behind the name of an attached file (Android).
const ATTACHED: &[&str] = &[
    "file attached",
    "Datei angehängt",
    "archivo adjunto",
    "arquivo anexado",
    "fichier joint",
    "file allegato",
    "bestand bijgevoegd",
    "ファイル添付",
    "附件",
];

/// Longest body that is compared with the placeholders; bytes.
const PLACEHOLDER_BYTES_MAX: usize = 96;

/// Reads the markers of one body. `generated` says that the platform marked it as its own.
pub fn read<'a>(body: &'a str, media: &Media) -> Reading<'a> {
    let mut reading = Reading {
        kind: Kind::Text,
        presence: Presence::default(),
        attachment: None,
    };
    let mut text = body.trim_start_matches(is_mark);
    if let Some(before) = text.trim_end().strip_suffix(EDITED) {
        reading.presence = reading.presence.with(Presence::EDITED);
        text = before.trim_end_matches(|letter| letter == ' ' || is_mark(letter));
    }
    if text.len() <= PLACEHOLDER_BYTES_MAX && placeholder(text, &mut reading) {
        return reading;
    }
    if let Some(attachment) = attached(text, media) {
        let kinds = presence_of_name(&attachment.name);
        let bare = text.lines().nth(1).is_none();
        reading.kind = match (bare, kinds.has(Presence::CONTACT)) {
            (true, true) => Kind::Contact,
            (true, false) => Kind::Media,
            _ => Kind::Text,
        };
        reading.presence = reading.presence.with(Presence::ATTACHMENT).with(kinds);
        reading.attachment = Some(attachment);
        return reading;
    }
    place_or_poll(text, &mut reading);
    reading
}

/// Whether the body is one of the known placeholders; sets what it stands for.
fn placeholder<'a>(text: &'a str, reading: &mut Reading<'a>) -> bool {
    if DELETED.contains(&text) {
        reading.kind = Kind::Deleted;
        reading.presence = reading.presence.with(Presence::DELETED);
        return true;
    }
    let named = text.strip_suffix(" document omitted");
    let known = OMITTED.iter().find(|(words, _)| *words == text);
    let (kinds, name) = match (known, named) {
        (Some((_, kinds)), _) => (*kinds, ""),
        (None, Some(before)) => (
            Presence::FILE,
            before.split(" \u{2022} ").next().unwrap_or(before),
        ),
        (None, None) => return false,
    };
    reading.kind = if kinds == Presence::CONTACT {
        Kind::Contact
    } else {
        Kind::Media
    };
    reading.presence = reading.presence.with(kinds).with(Presence::ATTACHMENT);
    reading.attachment = Some(ParsedAttachment {
        name: Cow::Borrowed(name),
        entry: None,
    });
    true
}

/// The file a body attaches: by known words, or by shape when the file came along or its name is
/// one the app makes.
fn attached<'a>(text: &'a str, media: &Media) -> Option<ParsedAttachment<'a>> {
    let first_line = text.lines().next()?.trim_end_matches(is_mark);
    let (name, known_words) = match first_line.as_bytes().last()? {
        b')' => {
            let (name, words) = first_line.rsplit_once(" (")?;
            (name, ATTACHED.contains(&words.strip_suffix(')')?))
        }
        b'>' => in_angles(first_line, media)?,
        _ => return None,
    };
    let name = name.trim_matches(is_mark);
    let entry = media.get(name).copied();
    let sure = entry.is_some() || known_words && name.contains('.') || media_days(name).is_some();
    sure.then_some(ParsedAttachment {
        name: Cow::Borrowed(name),
        entry,
    })
}

/// The name in `<attached: NAME>`, `<NAME eklendi>` or `NAME <attached>`, and whether the words
/// around it are known ones.
fn in_angles<'a>(line: &'a str, media: &Media) -> Option<(&'a str, bool)> {
    if let Some(name) = line.strip_suffix(" <attached>") {
        return Some((name, true));
    }
    let inside = line.strip_suffix('>')?.strip_prefix('<')?;
    if let Some((word, name)) = inside.split_once(": ") {
        let known = matches!(word, "attached" | "Anhang" | "附件" | "已附加");
        return Some((name, known));
    }
    let (name, _) = inside.rsplit_once(' ')?;
    (media.contains_key(name) || media_days(name).is_some()).then_some((name, true))
}

fn place_or_poll(text: &str, reading: &mut Reading<'_>) {
    let is_place = |rest: &str| {
        let rest = rest.trim_start();
        rest.starts_with("https://maps.google.com/")
            || rest.starts_with("https://www.google.com/maps")
    };
    let place = text
        .strip_prefix("location: ")
        .or_else(|| text.strip_prefix("Location: "));
    if place.is_some_and(is_place) || text.starts_with("live location shared") {
        reading.kind = Kind::Location;
        reading.presence = reading.presence.with(Presence::LOCATION);
    } else if text.starts_with("POLL:") && text.contains("OPTION:") {
        reading.kind = Kind::Poll;
        reading.presence = reading.presence.with(Presence::POLL);
    }
}

/// What sort of file a name tells by its extension.
pub fn presence_of_name(name: &str) -> Presence {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "png" | "gif" | "webp" | "heic" => Presence::IMAGE,
        "mp4" | "3gp" | "mov" | "mkv" | "avi" => Presence::VIDEO,
        "opus" => Presence::AUDIO.with(Presence::VOICE),
        "mp3" | "m4a" | "aac" | "ogg" | "amr" | "wav" => Presence::AUDIO,
        "vcf" => Presence::CONTACT,
        "" => Presence::default(),
        _ => Presence::FILE,
    }
}

/// The date in a media name the app made, as days since 1970-01-01: `IMG-20240102-WA0001.jpg`
/// (Android) or `00000012-PHOTO-2024-01-02-10-11-12.jpg` (iOS).
pub fn media_days(name: &str) -> Option<i64> {
    let mut parts = name.split('-');
    let kind = parts.next()?;
    let numbers = |text: &str, length: usize| -> Option<u16> {
        let fits = text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| text.parse().ok()).flatten()
    };
    if matches!(kind, "IMG" | "VID" | "PTT" | "AUD" | "DOC" | "STK") {
        let date = parts
            .next()
            .filter(|date| date.len() == 8 && date.is_ascii())?;
        let serial = parts.next()?.strip_prefix("WA")?;
        let (digits, _) = serial.split_once('.')?;
        if digits.len() < 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let year = i32::from(numbers(&date[..4], 4)?);
        return civil_days(year, numbers(&date[4..6], 2)?, numbers(&date[6..], 2)?);
    }
    if kind.len() != 8 || !kind.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    parts.next()?;
    let year = i32::from(numbers(parts.next()?, 4)?);
    let days = civil_days(year, numbers(parts.next()?, 2)?, numbers(parts.next()?, 2)?);
    let clock = [
        parts.next()?,
        parts.next()?,
        parts.next()?.split_once('.')?.0,
    ];
    let is_clock = clock.iter().all(|part| numbers(part, 2).is_some());
    days.filter(|_| is_clock && parts.next().is_none())
}

/// The date of a media name in a line, if the line attaches one.
pub fn media_days_of_line(line: &[u8]) -> Option<i64> {
    if !matches!(line.last(), Some(b')' | b'>')) {
        return None;
    }
    let text = std::str::from_utf8(line).ok()?;
    text.split(|letter: char| letter == ' ' || letter == '<' || letter == '>' || is_mark(letter))
        .find_map(media_days)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, kind: Kind, presence: Presence, name: Option<&str>) {
        let media = Media::from([("Quarter plan.pdf".to_owned(), 3)]);
        let reading = read(body, &media);
        assert_eq!(reading.kind, kind, "{body}");
        assert!(reading.presence.has(presence), "{body}");
        assert_eq!(
            reading.attachment.as_ref().map(|file| &*file.name),
            name,
            "{body}"
        );
    }

    #[test]
    fn markers_of_both_platforms_are_read() {
        check(
            "<Media omitted>",
            Kind::Media,
            Presence::ATTACHMENT,
            Some(""),
        );
        check(
            "\u{200E}image omitted",
            Kind::Media,
            Presence::IMAGE,
            Some(""),
        );
        check(
            "\u{200E}plan.pdf \u{2022} 3 pages document omitted",
            Kind::Media,
            Presence::FILE,
            Some("plan.pdf"),
        );
        check(
            "IMG-20240102-WA0001.jpg (file attached)\nlook",
            Kind::Text,
            Presence::IMAGE,
            Some("IMG-20240102-WA0001.jpg"),
        );
        check(
            "\u{200E}<attached: 00000012-PHOTO-2024-01-02-10-11-12.jpg>",
            Kind::Media,
            Presence::IMAGE,
            Some("00000012-PHOTO-2024-01-02-10-11-12.jpg"),
        );
        check(
            "Quarter plan.pdf (bijlage van iets)",
            Kind::Media,
            Presence::FILE,
            Some("Quarter plan.pdf"),
        );
        check(
            "<Quarter plan.pdf eklendi>",
            Kind::Media,
            Presence::FILE,
            Some("Quarter plan.pdf"),
        );
        check(
            "\u{200E}This message was deleted.",
            Kind::Deleted,
            Presence::DELETED,
            None,
        );
        check(
            "hello \u{200E}<This message was edited>",
            Kind::Text,
            Presence::EDITED,
            None,
        );
        check(
            "location: https://maps.google.com/?q=1,2",
            Kind::Location,
            Presence::LOCATION,
            None,
        );
        check(
            "Ana.vcf (file attached)",
            Kind::Contact,
            Presence::CONTACT,
            Some("Ana.vcf"),
        );
    }

    #[test]
    fn ordinary_words_are_text() {
        for body in [
            "",
            "null",
            "see you (maybe)",
            "a <b>",
            "other.pdf (which one)",
            "(",
            ">",
            "<>",
            "< >",
        ] {
            check(body, Kind::Text, Presence::default(), None);
        }
    }
}
