//! One message: its words in every version with what changed, where each was found, the labels it
//! carries, and how to cite it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use chrono::DateTime;
use maud::{Markup, html};

use super::super::guard::Who;
use super::super::house::House;
use super::super::posted::Asked;
use super::super::refusal::Refusal;
use super::super::route::{Access, Route};
use super::form::Did;
use super::frame::{Frame, Section};
use super::{Page, labels, part, search};
use crate::app::{MessageStory, ShownVersion, Source};
use crate::crypto::{hex, sha256_of};
use crate::domain::{AttachmentState, MessageId, Precision, Right, ZoneSource};

/// Longest wording that is compared word by word with the one before, in words.
const COMPARED_WORDS_MAX: usize = 1_000;

pub(in crate::http) const ROUTES: &[Route] = &[Route::get(
    "/m/{id}",
    Access::With(Right::ReadContent),
    || get(show),
)];

async fn show(
    State(house): State<Arc<House>>,
    frame: Frame,
    who: Who,
    Path(id): Path<String>,
    Asked(did): Asked<Did>,
) -> Page {
    let id: MessageId = id.parse().map_err(|_| Refusal::not_found())?;
    let story = house
        .ask(move |appliance| appliance.message(&who.session, id))
        .await?;
    let frame = frame.at(Section::Conversations, "Message");
    let content = html! {
        h1 { "Message" }
        (did.notice(labels::DONE))
        (about(&story, &frame))
        h2 { @if story.versions.len() == 1 { "Words" } @else { "Versions" } }
        @for (ordinal, version) in story.versions.iter().enumerate().rev() {
            (worded(&story, ordinal, version))
        }
        @if !story.seen_again.is_empty() {
            h2 { "Found again, unchanged" }
            ul.rows { @for source in &story.seen_again { li { (place(source, &frame)) } } }
        }
        (cited(&story))
    };
    Ok(frame.page(&content))
}

fn about(story: &MessageStory, frame: &Frame) -> Markup {
    let way = format!("/c/{}?at={}#{}", story.conversation, story.id, story.id);
    html! {
        dl.facts {
            dt { "In" } dd { a href=(way) { (part::name(&story.title)) } " · " (part::app(story.app)) }
            dt { "From" }
            dd {
                @match &story.sender { Some(name) => (part::name(name)), None => "a notice of the platform" }
                (search::facts(&story.presence, story.versions.len() as u16))
            }
            dt { "Sent" }
            dd {
                (part::time(story.sent, story.zone, "%-d %b %Y, %H:%M:%S")) " " (story.zone.name())
                " · " (utc(story)) " UTC"
            }
            @if let Some(id) = story.reply_to {
                dt { "Answers" } dd { a href={ "/m/" (id) } { code { (id) } } }
            }
            dt { "Id" } dd { code { (story.id) } " · " (part::entry(story.audit)) }
            @if frame.may(Right::ReadRules) {
                dt { "Labels" }
                dd { (carried(story, frame)) }
            }
        }
        p.acts {
            @if frame.may(Right::ReadRules) { a.button href={ "/m/" (story.id) "/why" } { "Why is it here?" } " " }
            @if frame.may(Right::PlaceHolds) { a.button href={ "/matters?message=" (story.id) } { "Hold it" } " " }
            a.button href=(way) { "In its conversation" }
        }
    }
}

fn carried(story: &MessageStory, frame: &Frame) -> Markup {
    html! {
        @for label in &story.labels {
            span.chip { (part::name(&label.name)) @if !label.own { " of the conversation" } } " "
        }
        @if story.labels.is_empty() { "none " }
        @if frame.may(Right::MarkRecords) {
            a href={ "/labels/put?message=" (story.id) } { "change" }
        }
    }
}

fn utc(story: &MessageStory) -> String {
    let utc = DateTime::from_timestamp_micros(story.sent.0).unwrap_or_default();
    utc.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn worded(story: &MessageStory, ordinal: usize, version: &ShownVersion) -> Markup {
    let before = ordinal.checked_sub(1).and_then(|no| story.versions.get(no));
    html! {
        section.card {
            @if story.versions.len() > 1 {
                h3 {
                    "Version " (ordinal + 1)
                    @if ordinal + 1 == story.versions.len() { ", the latest" }
                    @else if ordinal == 0 { ", the first" }
                }
            }
            @if version.body.is_empty() { p.aside { "No words." } }
            @else { p.quoted { (part::words(&version.body)) } }
            @if let Some(changed) = before.and_then(|before| changes(&before.body, &version.body)) {
                details {
                    summary { "What changed" }
                    p.quoted { (changed) }
                }
            }
            @for file in &version.attachments {
                p { span.chip { "file " (part::name(&file.name)) } " " (kept(&file.state)) }
            }
            (part::reactions(&version.reactions))
            dl.facts {
                dt { "Source" } dd { (place_words(&version.source)) }
                @if let Some(written) = version.written {
                    dt { "Time as written" }
                    dd { (written.format("%Y-%m-%d %H:%M:%S")) ", " (precision(version.precision)) }
                }
                dt { "Zone" } dd { (zone_words(version.zone_source)) }
                @if let Some(edited) = version.edited {
                    dt { "Changed" } dd { (part::time(edited, story.zone, "%-d %b %Y, %H:%M:%S")) }
                }
                @if !version.mentions.is_empty() {
                    dt { "Mentions" }
                    dd { @for name in &version.mentions { span.chip { (part::name(name)) } " " } }
                }
            }
            (line(&version.source))
        }
    }
}

fn kept(state: &AttachmentState) -> Markup {
    html! {
        @match state {
            AttachmentState::Present { size, sha256, mime } => {
                (mime) ", " (part::number(*size)) " bytes, SHA-256 " code { (hex(sha256)) }
            }
            _ => "named here, not in the export",
        }
    }
}

fn place_words(source: &Source) -> Markup {
    let end = source.first_byte + source.bytes;
    html! {
        @match &source.file {
            Some(file) => (part::name(file)),
            None => "a later import",
        }
        ", bytes " (part::number(source.first_byte)) " to " (part::number(end))
        @if source.entry > 0 { " of entry " (source.entry + 1) }
        @if let Some(id) = &source.source_id { ", platform's id " (part::name(id)) }
    }
}

fn place(source: &Source, frame: &Frame) -> Markup {
    html! {
        (place_words(source))
        @if let Some(id) = source.import.filter(|_| frame.may(Right::Import)) {
            " · " a href={ "/imports/" (id) } { "its import" }
        }
    }
}

/// The source line, byte for byte; bidirectional controls and the like are made visible.
fn line(source: &Source) -> Markup {
    html! {
        @if let Some(raw) = &source.raw {
            details {
                summary { "Source line" }
                pre.block hx-disable dir="auto" tabindex="0" { (visible(raw)) }
            }
        }
    }
}

/// Text with its invisible characters as their numbers.
fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.trim_end_matches(['\r', '\n']).chars() {
        let hidden = letter.is_control() && letter != '\n' && letter != '\t';
        let directs = matches!(letter as u32,
            0x061C | 0x200B..=0x200F | 0x202A..=0x202E | 0x2066..=0x2069 | 0xFEFF);
        match hidden || directs {
            true => shown.push_str(&format!("⟨U+{:04X}⟩", letter as u32)),
            false => shown.push(letter),
        }
    }
    shown
}

fn precision(precision: Precision) -> &'static str {
    match precision {
        Precision::None => "no time of its own",
        Precision::Day => "to the day",
        Precision::Minute => "to the minute",
        Precision::Second => "to the second",
        _ => "below a second",
    }
}

fn zone_words(source: ZoneSource) -> &'static str {
    match source {
        ZoneSource::Record => "the record itself carries it",
        ZoneSource::File => "the file states it",
        ZoneSource::Operator => "stated by whoever imported it",
        ZoneSource::Inferred => "inferred by comparison with another source",
        ZoneSource::Default => "≈ assumed: nobody said, the zone of the workspace was taken",
    }
}

/// What a brief or a letter needs, in one piece.
fn cited(story: &MessageStory) -> Markup {
    let words = story.versions.last().map_or("", |version| &version.body);
    let digest = hex(&sha256_of(&[words.as_bytes()]));
    html! {
        section.card {
            h2 { "To cite it" }
            p.once hx-disable dir="auto" {
                (story.sender.as_deref().unwrap_or("notice of the platform")) ", " (utc(story)) ", "
                (story.title) " (" (part::app(story.app)) "), " (story.id) ", SHA-256 of the words " (digest)
            }
        }
    }
}

/// What changed between two wordings, word by word; `None` where they are too long to compare.
fn changes(before: &str, after: &str) -> Option<Markup> {
    let (old, new) = (pieces(before), pieces(after));
    if old.len() > COMPARED_WORDS_MAX || new.len() > COMPARED_WORDS_MAX {
        return None;
    }
    let steps = compared(&old, &new);
    Some(html! {
        span.words dir="auto" hx-disable {
            @for (change, piece) in steps {
                @match change {
                    Change::Same => (piece),
                    Change::Gone => del { (piece) },
                    Change::New => ins { (piece) },
                }
            }
        }
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Same,
    Gone,
    New,
}

/// Words with the blanks behind them.
fn pieces(text: &str) -> Vec<&str> {
    text.split_inclusive(char::is_whitespace).collect()
}

/// The shortest way from one list of words to the other that keeps the longest common part.
fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(Change, &'a str)> {
    let width = new.len() + 1;
    let mut common = vec![0_u16; (old.len() + 1) * width];
    for (i, one) in old.iter().enumerate().rev() {
        for (j, other) in new.iter().enumerate().rev() {
            common[i * width + j] = match one == other {
                true => common[(i + 1) * width + j + 1] + 1,
                false => common[(i + 1) * width + j].max(common[i * width + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut steps = Vec::with_capacity(old.len() + new.len());
    while i < old.len() || j < new.len() {
        let both = i < old.len() && j < new.len();
        if both && old[i] == new[j] {
            steps.push((Change::Same, old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == new.len()
            || (both && common[(i + 1) * width + j] >= common[i * width + j + 1])
        {
            steps.push((Change::Gone, old[i]));
            i += 1;
        } else {
            steps.push((Change::New, new[j]));
            j += 1;
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_what_changed_gives_both_wordings_back() {
        let cases = [
            ("I can give you 5 %", "I can give you 10 % if you sign"),
            ("", "new words"),
            ("gone", ""),
            ("a b a b", "b a b a"),
        ];
        for (before, after) in cases {
            let steps = compared(&pieces(before), &pieces(after));
            let of = |left_out| -> String {
                let kept = steps.iter().filter(|(change, _)| *change != left_out);
                kept.map(|(_, piece)| *piece).collect()
            };
            assert_eq!(of(Change::New), before);
            assert_eq!(of(Change::Gone), after);
        }
    }

    #[test]
    fn x1_hidden_characters_of_a_source_line_are_seen() {
        assert_eq!(visible("a\u{202e}b\0c\n"), "a⟨U+202E⟩b⟨U+0000⟩c");
    }
}
