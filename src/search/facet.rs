//! Facets: how the hits of a query spread over platforms, people, conversations and years.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::{DateTime, Datelike};

use super::error::Result;
use super::execute::Search;
use super::order::Order;
use crate::domain::{App, ConversationNo, PersonId};
use crate::store::MessageRow;

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
    people: HashMap<Option<PersonId>, (String, u64)>,
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
        let mut found = self.find(Order::Oldest, None, usize::MAX)?.keys;
        // By number, the record is read from front to back.
        found.sort_unstable_by_key(|key| key.no);
        let mut reader = self.archive.reader()?;
        let mut counts = Counts::default();
        for (turn, key) in found.iter().enumerate() {
            if turn % ROWS_PER_CHECK == 0 && self.budget.is_over() {
                return Err(self.over_budget());
            }
            let Some(row) = reader.rows().message(key.no)? else {
                continue;
            };
            self.check_scope(&mut reader, &row)?;
            let app = reader.conversation(row.conversation)?.app;
            self.count_row(&mut counts, &row, app);
        }
        fields
            .iter()
            .map(|field| Ok(self.facet(*field, &counts)))
            .collect()
    }

    fn count_row(&self, counts: &mut Counts, row: &MessageRow, app: App) {
        *counts.apps.entry(app).or_default() += 1;
        *counts.conversations.entry(row.conversation).or_default() += 1;
        let utc = DateTime::from_timestamp_micros(row.sent.0).unwrap_or_default();
        let local = utc.with_timezone(&self.resolved.zone);
        *counts.years.entry(local.year()).or_default() += 1;
        let month = (local.year(), local.month());
        *counts.months.entry(month).or_default() += 1;
        let sender = row.sender.and_then(|handle| self.names.sender(handle));
        let person = counts
            .people
            .entry(sender.map(|entry| entry.person_id))
            .or_default();
        person.1 += 1;
        if let (true, Some(entry)) = (person.0.is_empty(), sender) {
            person.0 = self.names.person_label(entry);
        }
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
            FacetField::From => counts
                .people
                .iter()
                .map(|(id, (label, count))| FacetValue {
                    id: id.map(|id| id.to_string()).unwrap_or_default(),
                    label: label.clone(),
                    count: *count,
                })
                .collect(),
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
