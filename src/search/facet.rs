//! Facets: how the hits of a query spread over platforms, people, conversations and years.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Datelike};

use super::error::Result;
use super::execute::{Search, outside_scope};
use super::order::Order;
use crate::archive::Reader;
use crate::domain::{App, ConversationNo, HandleNo, PersonId};
use crate::index::{self, Placed};

/// Rows counted between two questions whether time is up.
const ROWS_PER_CHECK: usize = 1_024;

/// What hits are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FacetField {
    /// The platform.
    App,
    /// The person who wrote it; all their identities are one.
    From,
    /// The conversation.
    Conversation,
    /// The calendar year in the zone of the query.
    Year,
    /// The calendar month in the zone of the query, as `2024-03`.
    Month,
}

impl FacetField {
    /// Every facet, in the order of the page.
    pub const ALL: [FacetField; 5] = [
        FacetField::App,
        FacetField::From,
        FacetField::Conversation,
        FacetField::Year,
        FacetField::Month,
    ];

    /// The name in commands and answers.
    pub const fn name(self) -> &'static str {
        match self {
            FacetField::App => "app",
            FacetField::From => "from",
            FacetField::Conversation => "conversation",
            FacetField::Year => "year",
            FacetField::Month => "month",
        }
    }

    /// The facet of a name, case-blind.
    pub fn from_name(name: &str) -> Option<FacetField> {
        FacetField::ALL
            .into_iter()
            .find(|field| field.name().eq_ignore_ascii_case(name))
    }
}

/// The hits spread over one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The field.
    pub field: FacetField,
    /// Its values, most hits first, all of them; every hit is in one. A hit without a value (a
    /// notice without author) stands under the empty id.
    pub values: Vec<FacetValue>,
}

/// One value of a facet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FacetValue {
    /// What a query would say: a platform, `per_…`, `cnv_…`, a year, a month.
    pub id: String,
    /// How people call it.
    pub label: String,
    /// Hits; exact.
    pub count: u64,
}

#[derive(Default)]
struct Counts {
    apps: HashMap<App, u64>,
    senders: HashMap<Option<HandleNo>, u64>,
    conversations: HashMap<ConversationNo, u64>,
    years: HashMap<i32, u64>,
    months: HashMap<(i32, u32), u64>,
}

impl Search<'_> {
    /// How the hits spread over each of the fields, in the order asked.
    ///
    /// # Errors
    /// As [`Search::page`].
    pub fn facets(&self, fields: &[FacetField]) -> Result<Vec<Facet>> {
        let mut counts = Counts::default();
        let mut reader = self.archive.reader()?;
        if !self.spread_of_index(&mut reader, &mut counts)? {
            self.spread_of_record(&mut reader, &mut counts)?;
        }
        fields
            .iter()
            .map(|field| Ok(self.facet(*field, &counts)))
            .collect()
    }

    /// Counts what the index tells by itself; `false` when it cannot.
    fn spread_of_index(&self, reader: &mut Reader<'_>, counts: &mut Counts) -> Result<bool> {
        self.refuse_closed_parts()?;
        let budget = self.budget;
        let stop = move || budget.is_over();
        let scope = self.names.spelled_scope();
        let restricted = self.names.scope();
        let mut outside = false;
        let index = self.archive.index();
        let told = index.each(self.resolved, &scope, Some(&stop), &mut |placed| {
            outside |= !restricted.shows(placed.no);
            self.add(counts, placed);
        });
        if let Err(index::Error::Budget { .. }) = told {
            return Err(self.over_budget());
        }
        if !told? {
            return Ok(false);
        }
        let conversations: Vec<ConversationNo> = counts.conversations.keys().copied().collect();
        for no in conversations {
            let row = reader.conversation(no)?;
            outside |= !restricted.allows(no, row.account);
            let hits = counts.conversations.get(&no).copied().unwrap_or_default();
            *counts.apps.entry(row.app).or_default() += hits;
        }
        match outside {
            false => Ok(true),
            true => Err(outside_scope()),
        }
    }

    /// Counts what only the record can tell: every candidate is opened.
    fn spread_of_record(&self, reader: &mut Reader<'_>, counts: &mut Counts) -> Result<()> {
        let mut found = self.find(Order::Oldest, None, usize::MAX)?.keys;
        // By number, the record is read from front to back.
        found.sort_unstable_by_key(|key| key.no);
        for (turn, key) in found.iter().enumerate() {
            if turn % ROWS_PER_CHECK == 0 && self.budget.is_over() {
                return Err(self.over_budget());
            }
            let Some(row) = reader.rows().message(key.no)? else {
                continue;
            };
            self.check_scope(reader, &row)?;
            let app = reader.conversation(row.conversation)?.app;
            *counts.apps.entry(app).or_default() += 1;
            let placed = Placed {
                no: row.no,
                conversation: row.conversation,
                sender: row.sender,
                sent: row.sent,
            };
            self.add(counts, placed);
        }
        Ok(())
    }

    fn add(&self, counts: &mut Counts, row: Placed) {
        *counts.conversations.entry(row.conversation).or_default() += 1;
        let utc = DateTime::from_timestamp_micros(row.sent.0).unwrap_or_default();
        let local = utc.with_timezone(&self.resolved.zone);
        *counts.years.entry(local.year()).or_default() += 1;
        let month = (local.year(), local.month());
        *counts.months.entry(month).or_default() += 1;
        *counts.senders.entry(row.sender).or_default() += 1;
    }

    /// Handles of one person are one value.
    fn people(&self, senders: &HashMap<Option<HandleNo>, u64>) -> Vec<FacetValue> {
        let mut people: HashMap<Option<PersonId>, FacetValue> = HashMap::new();
        let mut senders: Vec<_> = senders.iter().collect();
        senders.sort_unstable();
        for (sender, count) in senders {
            let entry = sender.and_then(|handle| self.names.sender(handle));
            let id = entry.map(|entry| entry.person_id);
            let person = people.entry(id).or_insert_with(|| FacetValue {
                id: id.map(|id| id.to_string()).unwrap_or_default(),
                label: entry.map_or_else(String::new, |entry| self.names.person_label(entry)),
                count: 0,
            });
            person.count += count;
        }
        people.into_values().collect()
    }

    fn facet(&self, field: FacetField, counts: &Counts) -> Facet {
        let mut values: Vec<FacetValue> = match field {
            FacetField::App => each(&counts.apps, |app| (app.name().to_owned(), String::new())),
            FacetField::Year => each(&counts.years, |year| (year.to_string(), String::new())),
            FacetField::Month => each(&counts.months, |(year, month)| {
                (format!("{year:04}-{month:02}"), String::new())
            }),
            FacetField::Conversation => each(&counts.conversations, |no| {
                (
                    self.names.conversation_id(*no),
                    self.names.title(*no).unwrap_or_default().to_owned(),
                )
            }),
            FacetField::From => self.people(&counts.senders),
        };
        values.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.id.cmp(&b.id)));
        Facet { field, values }
    }
}

fn each<K: Eq + Hash>(
    counts: &HashMap<K, u64>,
    name: impl Fn(&K) -> (String, String),
) -> Vec<FacetValue> {
    counts
        .iter()
        .map(|(key, count)| {
            let (id, label) = name(key);
            FacetValue {
                label: if label.is_empty() { id.clone() } else { label },
                id,
                count: *count,
            }
        })
        .collect()
}
