//! How the messages of a hold spread over platforms, years and people, and which of them would go.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Datelike};
use chrono_tz::Tz;

use super::super::{Appliance, Result};
use super::simulate::Heed;
use crate::domain::{App, ConversationNo, MessageNo, PersonNo, PolicyNo, Scope, Timestamp};
use crate::retention::{Book, Present, RECORDS_PER_WORD, RetentionError, survey};
use crate::search::NameIndex;
use crate::store::MessageRow;

/// Days a preview looks ahead for what would go without the hold.
pub const PREVIEW_DAYS: i64 = 90;

/// Exact counts of the same messages by three fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// By platform, most first.
    pub by_app: Vec<(App, u64)>,
    /// By calendar year of their time in the zone of the workspace, earliest first.
    pub by_year: Vec<(i32, u64)>,
    /// By who wrote them, most first; notices of the platform stand under the empty name.
    pub by_person: Vec<(String, u64)>,
}

/// What rules would let go although a hold is about to protect it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DueSoon {
    /// Messages that would be due within [`PREVIEW_DAYS`] and that no other hold protects.
    pub messages: u64,
    /// Names of the policies, with how many each would let go.
    pub by_policy: Vec<(String, u64)>,
}

/// The messages that are counted.
pub(super) enum Inside {
    /// These.
    Messages(HashSet<MessageNo>),
    /// All of these conversations.
    Conversations(HashSet<ConversationNo>),
}

impl Inside {
    fn has(&self, row: &MessageRow) -> bool {
        match self {
            Inside::Messages(numbers) => numbers.contains(&row.no),
            Inside::Conversations(numbers) => numbers.contains(&row.conversation),
        }
    }
}

#[derive(Default)]
struct Counts {
    apps: BTreeMap<App, u64>,
    years: BTreeMap<i32, u64>,
    people: BTreeMap<Option<PersonNo>, (String, u64)>,
}

impl Appliance {
    /// Counts them, over the whole archive.
    pub(super) fn spread(&self, inside: &Inside) -> Result<Spread> {
        let names = self.names()?;
        let zone: Tz = self.zone_name().parse().unwrap_or(Tz::UTC);
        let mut counts = Counts::default();
        let rows = self.archive.store().read()?;
        let apps: BTreeMap<ConversationNo, App> = rows
            .conversations()?
            .into_iter()
            .map(|row| (row.no, row.app))
            .collect();
        let mut add = |row: &MessageRow| {
            let app = apps.get(&row.conversation).copied();
            self.count_one(&mut counts, row, app, &names, zone);
        };
        match inside {
            Inside::Messages(numbers) => {
                // By number, the record is read from front to back.
                let mut numbers: Vec<MessageNo> = numbers.iter().copied().collect();
                numbers.sort_unstable();
                for no in numbers {
                    if let Some(row) = rows.message(no)? {
                        add(&row);
                    }
                }
            }
            Inside::Conversations(numbers) => {
                for no in numbers {
                    rows.each_message_of(*no, |row| {
                        add(&row);
                        Ok::<_, crate::app::AppError>(())
                    })?;
                }
            }
        }
        drop(rows);
        Ok(counts.finish())
    }

    fn count_one(
        &self,
        counts: &mut Counts,
        row: &MessageRow,
        app: Option<App>,
        names: &NameIndex,
        zone: Tz,
    ) {
        if let Some(app) = app {
            *counts.apps.entry(app).or_default() += 1;
        }
        let utc = DateTime::from_timestamp_micros(row.sent.0).unwrap_or_default();
        *counts
            .years
            .entry(utc.with_timezone(&zone).year())
            .or_default() += 1;
        let handles = &names.directory().handles;
        let sender = row.sender.and_then(|no| handles.get(&no));
        let person = counts
            .people
            .entry(sender.map(|entry| entry.person))
            .or_default();
        person.1 += 1;
        if let (true, Some(entry)) = (person.0.is_empty(), sender) {
            let everything = Scope::everything();
            let scoped = names.within(&self.archive, &everything, None);
            person.0 = scoped.person_label(entry);
        }
    }

    /// How a person is called, by number.
    pub(in crate::app) fn person_labels(
        &self,
        people: &BTreeMap<PersonNo, u64>,
    ) -> Result<Vec<(String, u64)>> {
        let names = self.names()?;
        let everything = Scope::everything();
        let scoped = names.within(&self.archive, &everything, None);
        let mut called: BTreeMap<PersonNo, String> = BTreeMap::new();
        for entry in names.directory().handles.values() {
            if people.contains_key(&entry.person) {
                called
                    .entry(entry.person)
                    .or_insert_with(|| scoped.person_label(entry));
            }
        }
        let named = people.iter().map(|(no, count)| {
            let name = called.remove(no).unwrap_or_else(|| format!("person {no}"));
            (name, *count)
        });
        let mut named: Vec<(String, u64)> = named.collect();
        named.sort_by(|one, next| next.1.cmp(&one.1).then_with(|| one.0.cmp(&next.0)));
        Ok(named)
    }

    /// What of them the rules in force would let go within the days a preview looks ahead.
    pub(super) fn due_soon(&self, inside: &Inside, heed: &mut Heed<'_>) -> Result<DueSoon> {
        let rows = self.archive.store().read()?;
        let book = self.book(&rows)?;
        let (mut looked_at, of) = (0_u64, book.last_message().0);
        drop(rows);
        let ahead: Timestamp = self.clock.now().compliance.plus_days(PREVIEW_DAYS);
        let mut found = DueSoon::default();
        let mut by_policy: BTreeMap<PolicyNo, u64> = BTreeMap::new();
        survey(&self.archive, &[&book], &Present::as_of(ahead), |looked| {
            if looked_at.is_multiple_of(RECORDS_PER_WORD)
                && !heed("looking at what would be due", looked_at, of)
            {
                return Err(RetentionError::Stopped);
            }
            looked_at += 1;
            let verdict = looked.verdicts.first();
            if let Some(verdict) = verdict.filter(|one| one.eligible && inside.has(looked.row)) {
                found.messages += 1;
                if let Some(winner) = verdict.winner {
                    *by_policy.entry(winner.no).or_default() += 1;
                }
            }
            Ok(())
        })?;
        found.by_policy = by_policy
            .into_iter()
            .map(|(no, count)| (policy_name(&book, no), count))
            .collect();
        Ok(found)
    }
}

/// What people call a policy of the book.
pub(super) fn policy_name(book: &Book, no: PolicyNo) -> String {
    let terms = book.rules().terms().iter();
    let mut versions = terms.map(|term| term.version.id).filter(|one| one.no == no);
    let words = versions.next().and_then(|one| book.policy_words(one));
    words.map_or_else(|| format!("policy {no}"), |words| words.name.clone())
}

impl Counts {
    fn finish(self) -> Spread {
        let mut spread = Spread {
            by_app: self.apps.into_iter().collect(),
            by_year: self.years.into_iter().collect(),
            by_person: self.people.into_values().collect(),
        };
        spread
            .by_app
            .sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        spread
            .by_person
            .sort_by(|one, next| next.1.cmp(&one.1).then_with(|| one.0.cmp(&next.0)));
        spread
    }
}
