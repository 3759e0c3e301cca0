//! Facts of a record that need no position in a text.

use chrono::{Datelike, Timelike};

use super::texts::Texts;
use crate::domain::{MessageNo, Presence};
use crate::query::analysis::{TermKind, analyse};
use crate::query::ast::TextField;
use crate::query::dates::local;
use crate::query::facts::Facts;
use crate::query::matcher::TermPattern;
use crate::query::record::Record;
use crate::query::resolved::{AmountRange, Predicate};

/// Whether the record passes the test.
pub(super) fn holds(
    predicate: &Predicate,
    record: &Record<'_>,
    texts: &mut Texts,
    facts: &dyn Facts,
) -> bool {
    match predicate {
        Predicate::Sender(handles) => record
            .sender
            .is_some_and(|sender| handles.contains(&sender)),
        Predicate::AnySender => record.sender.is_some(),
        Predicate::Mention(handles) => record.mentions.iter().any(|one| handles.contains(one)),
        Predicate::Conversation(conversations) => conversations.contains(&record.conversation),
        Predicate::Sent(range) => range.contains(record.sent),
        Predicate::TimeOfDay { zone, from, until } => {
            let time = local(record.sent, *zone);
            let minute = time.hour() * 60 + time.minute();
            in_day(minute, (*from).into(), (*until).into())
        }
        Predicate::Weekday { zone, days } => {
            let day = local(record.sent, *zone).weekday().num_days_from_monday();
            days & (1 << day) != 0
        }
        Predicate::App(apps) => apps.contains(&record.app),
        Predicate::ConversationKind(kinds) => kinds.contains(&record.conversation_kind),
        Predicate::Presence(bits) => presence(record).0 & bits.0 != 0,
        Predicate::Original => presence(record).0 & (Presence::EDITED.0 | Presence::DELETED.0) == 0,
        Predicate::Import(imports) => imports.contains(&record.import),
        Predicate::Thread(threads) => {
            let inside = |no: MessageNo| threads.contains(&no);
            record.thread.is_some_and(inside) || inside(record.no)
        }
        Predicate::AnyThread => record.thread.is_some(),
        Predicate::Extension(patterns) => {
            record.attachments.iter().any(|one| code(patterns, one.ext))
        }
        Predicate::Mime(patterns) => record
            .attachments
            .iter()
            .any(|one| code(patterns, one.mime)),
        Predicate::Size(least, most) => record
            .attachments
            .iter()
            .any(|one| (*least..=*most).contains(&one.size)),
        Predicate::Amount(range) => amount(range, record, texts),
        Predicate::Currency(codes) => (0..record.versions.len()).any(|index| {
            let stated = texts
                .facts(record, index)
                .amounts
                .iter()
                .filter_map(|one| one.currency);
            stated
                .into_iter()
                .any(|code| codes.is_empty() || codes.contains(&code))
        }),
        Predicate::Url(patterns) => url(patterns, record, texts),
        Predicate::Reaction(patterns) => record
            .reactions
            .iter()
            .any(|reaction| term_of(patterns, reaction, texts)),
        Predicate::AnyEmoji => (0..record.versions.len()).any(|index| {
            let analysis = texts.analysis(record, TextField::Text, index);
            analysis.terms().any(|term| term.kind == TermKind::Emoji)
        }),
        Predicate::AnyText(field) => (0..super::texts::of(record, *field).len())
            .any(|index| !texts.analysis(record, *field, index).is_empty()),
        Predicate::Workspace(test) => facts.holds(record, test),
    }
}

/// The stored bits, and `SYSTEM` by kind where the source did not set it.
fn presence(record: &Record<'_>) -> Presence {
    match record.kind.is_system() {
        true => record.presence.with(Presence::SYSTEM),
        false => record.presence,
    }
}

/// Half-open and around midnight; equal ends mean the whole day.
fn in_day(minute: u32, from: u32, until: u32) -> bool {
    if from < until {
        (from..until).contains(&minute)
    } else {
        minute >= from || minute < until
    }
}

fn code(patterns: &[TermPattern], text: &str) -> bool {
    let lower = text.to_lowercase();
    !text.is_empty()
        && patterns
            .iter()
            .any(|pattern| pattern.matches(&lower, &lower))
}

fn amount(range: &AmountRange, record: &Record<'_>, texts: &mut Texts) -> bool {
    (0..record.versions.len()).any(|index| {
        texts.facts(record, index).amounts.iter().any(|one| {
            (range.least..=range.most).contains(&one.value_millis)
                && (range.currency.is_none() || range.currency == one.currency)
        })
    })
}

fn url(patterns: &[TermPattern], record: &Record<'_>, texts: &mut Texts) -> bool {
    (0..record.versions.len()).any(|index| {
        let urls = texts.facts(record, index).urls.clone();
        urls.iter().any(|url| {
            analyse(url, &mut texts.scratch);
            texts.scratch.terms().any(|term| {
                matches!(
                    term.kind,
                    TermKind::Whole | TermKind::Alias | TermKind::Wider
                ) && patterns
                    .iter()
                    .any(|one| one.matches(term.folded, term.exact))
            })
        })
    })
}

fn term_of(patterns: &[TermPattern], text: &str, texts: &mut Texts) -> bool {
    analyse(text, &mut texts.scratch);
    texts.scratch.terms().any(|term| {
        patterns
            .iter()
            .any(|one| one.matches(term.folded, term.exact))
    })
}
