//! Facets: how the hits of a query spread over platforms, people, conversations and years.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use chrono::{DateTime, Datelike, NaiveDate};

use super::error::Result;
use super::execute::Search;
use crate::domain::{App, ConversationNo, HandleNo, PersonId, Timestamp};
use crate::index::Placed;

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

/// How wide a bar of a histogram is, in the calendar of the query's zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A day.
    Day,
    /// A month.
    Month,
    /// A year.
    Year,
}

impl Step {
    /// The step of a name: day, month, year.
    pub fn from_name(name: &str) -> Option<Step> {
        match name {
            "day" => Some(Step::Day),
            "month" => Some(Step::Month),
            "year" => Some(Step::Year),
            _ => None,
        }
    }

    /// What `date:` of a query would say.
    const fn shape(self) -> &'static str {
        match self {
            Step::Day => "%Y-%m-%d",
            Step::Month => "%Y-%m",
            Step::Year => "%Y",
        }
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
        let mut reader = self.archive.reader()?;
        let mut counts = Counts::default();
        self.each_hit(&mut reader, &mut |placed| self.add(&mut counts, placed))?;
        for (no, hits) in &counts.conversations {
            let app = reader.conversation(*no)?.app;
            *counts.apps.entry(app).or_default() += hits;
        }
        fields
            .iter()
            .map(|field| Ok(self.facet(*field, &counts)))
            .collect()
    }

    /// How the hits spread over time: each step that has any, as `date:` of a query would say it, eldest
    /// first; every hit is in one.
    ///
    /// # Errors
    /// As [`Search::page`].
    pub fn histogram(&self, step: Step) -> Result<Vec<(String, u64)>> {
        let mut days: BTreeMap<NaiveDate, u64> = BTreeMap::new();
        self.each_hit(&mut self.archive.reader()?, &mut |placed| {
            *days.entry(self.day(placed.sent)).or_default() += 1;
        })?;
        let mut bars: BTreeMap<String, u64> = BTreeMap::new();
        for (day, hits) in days {
            *bars
                .entry(day.format(step.shape()).to_string())
                .or_default() += hits;
        }
        Ok(bars.into_iter().collect())
    }

    /// The day in the zone of the query.
    fn day(&self, sent: Timestamp) -> NaiveDate {
        let utc = DateTime::from_timestamp_micros(sent.0).unwrap_or_default();
        utc.with_timezone(&self.resolved.zone).date_naive()
    }

    fn add(&self, counts: &mut Counts, hit: Placed) {
        *counts.conversations.entry(hit.conversation).or_default() += 1;
        *counts.senders.entry(hit.sender).or_default() += 1;
        let day = self.day(hit.sent);
        *counts.years.entry(day.year()).or_default() += 1;
        *counts.months.entry((day.year(), day.month())).or_default() += 1;
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
        // Equal counts stand by name: ids say nothing to people.
        values.sort_by(|a, b| {
            let by_name = || a.label.cmp(&b.label).then_with(|| a.id.cmp(&b.id));
            b.count.cmp(&a.count).then_with(by_name)
        });
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
