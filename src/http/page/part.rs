//! Small parts that many pages show alike: times, numbers, notes, words that people wrote.

use std::ops::Range;

use chrono::{DateTime, NaiveDateTime};
use chrono_tz::Tz;
use maud::{Markup, html};

use crate::domain::{App, EntryNo, Reaction, Timestamp};

/// A number with thin groups of three: 1 043 406 is read faster.
pub(in crate::http) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// "1 message", "2 messages".
pub(in crate::http) fn count(value: u64, one: &str, many: &str) -> String {
    let noun = if value == 1 { one } else { many };
    format!("{} {noun}", number(value))
}

/// An instant in a zone; the machine-readable form and UTC are in the element.
pub(in crate::http) fn time(at: Timestamp, zone: Tz, shape: &str) -> Markup {
    let utc = DateTime::from_timestamp_micros(at.0).unwrap_or_default();
    let local = utc.with_timezone(&zone);
    html! {
        time datetime=(utc.format("%Y-%m-%dT%H:%M:%SZ")) title=(utc.format("%Y-%m-%d %H:%M:%S UTC")) {
            (local.format(shape))
        }
    }
}

/// Day and minute.
pub(in crate::http) const MINUTE: &str = "%-d %b %Y, %H:%M";
/// The day alone.
pub(in crate::http) const DAY: &str = "%-d %b %Y";

/// A local time that was computed already.
pub(in crate::http) fn local(at: NaiveDateTime, utc: Timestamp, shape: &str) -> Markup {
    let instant = DateTime::from_timestamp_micros(utc.0).unwrap_or_default();
    html! {
        time datetime=(instant.format("%Y-%m-%dT%H:%M:%SZ"))
            title=(instant.format("%Y-%m-%d %H:%M:%S UTC")) { (at.format(shape)) }
    }
}

/// Words that people wrote: in their own direction, and nothing in them is processed.
pub(in crate::http) fn words(text: &str) -> Markup {
    html! { span.words dir="auto" hx-disable { (text) } }
}

/// The same with what matched in them; the places are in order and do not overlap.
pub(in crate::http) fn marked(text: &str, places: &[Range<usize>]) -> Markup {
    let mut pieces: Vec<(&str, bool)> = Vec::with_capacity(2 * places.len() + 1);
    let mut end = 0;
    for place in places {
        pieces.push((text.get(end..place.start).unwrap_or_default(), false));
        pieces.push((text.get(place.clone()).unwrap_or_default(), true));
        end = place.end;
    }
    pieces.push((text.get(end..).unwrap_or_default(), false));
    html! {
        span.words dir="auto" hx-disable {
            @for (piece, hit) in pieces { @if hit { mark { (piece) } } @else { (piece) } }
        }
    }
}

/// A name that people gave.
pub(in crate::http) fn name(text: &str) -> Markup {
    html! { bdi hx-disable { (text) } }
}

/// Signs that people answered with, each with how many gave it and who, as far as the source tells.
pub(in crate::http) fn reactions(reactions: &[Reaction]) -> Markup {
    html! {
        @if !reactions.is_empty() {
            p.file {
                @for reaction in reactions {
                    span.chip {
                        (name(&reaction.value)) " " (number(u64::from(reaction.count)))
                        @if !reaction.by.is_empty() { " · " (name(&reaction.by.join(", "))) }
                    } " "
                }
            }
        }
    }
}

/// A platform as people write it.
pub(in crate::http) fn app(app: App) -> &'static str {
    match app {
        App::WhatsApp => "WhatsApp",
        App::Telegram => "Telegram",
        App::Slack => "Slack",
        App::Teams => "Teams",
        App::Line => "LINE",
        App::Matrix => "Matrix",
        App::Discord => "Discord",
        App::Messenger => "Messenger",
        App::Instagram => "Instagram",
        App::Signal => "Signal",
        App::IMessage => "iMessage",
        App::GoogleChat => "Google Chat",
        App::GoogleVoice => "Google Voice",
        App::KakaoTalk => "KakaoTalk",
        App::WeChat => "WeChat",
        App::Viber => "Viber",
        App::Zoom => "Zoom",
        App::Mattermost => "Mattermost",
        App::RocketChat => "Rocket.Chat",
        App::Mail => "Mail",
        App::Irc => "IRC",
        App::Sms => "SMS",
        App::Other => "Other",
    }
}

/// The entry of the log that an act left.
pub(in crate::http) fn entry(no: EntryNo) -> Markup {
    html! { span.entry title="Number of the entry in the audit log" { "audit #" (no.0) } }
}

/// Something that was done, with its entry.
pub(in crate::http) fn done(text: &str, no: EntryNo) -> Markup {
    html! { p.notice.good role="status" { (text) " " (entry(no)) } }
}

/// Nothing is here yet: what it means and what to do.
pub(in crate::http) fn empty(title: &str, text: &str, way: Option<(&str, &str)>) -> Markup {
    html! {
        div.empty {
            h2 { (title) }
            p { (text) }
            @if let Some((label, path)) = way { a.button href=(path) { (label) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x1_words_of_people_are_escaped_and_left_alone() {
        let shown = words("<img src=x onerror=alert(1)> \u{202e}").into_string();
        assert!(shown.contains("&lt;img") && shown.contains("hx-disable"));
        assert!(shown.contains("dir=\"auto\""));
    }

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1_043_406), "1,043,406");
        assert_eq!(count(1, "message", "messages"), "1 message");
    }
}
