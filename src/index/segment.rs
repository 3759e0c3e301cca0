//! A plan run on one segment.

use std::cell::RefCell;

use chrono::{DateTime, Datelike, Timelike};
use tantivy::columnar::Column;
use tantivy::postings::{SegmentPostings, TermInfo};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, InvertedIndexReader, SegmentReader};

use super::docset::{
    AllDocs, Docs, Filtered, ListDocSet, NoDocs, PostingDocs, all_of, any_of, without,
};
use super::document::currency_number;
use super::error::Result;
use super::expand::{Expansions, Found, find};
use super::facts::{FactKey, day_of, first_day_of, month_of};
use super::fuzzy::FuzzyWords;
use super::plan::{ColumnTest, Plan};
use super::schema::{AMOUNT, CURRENCY, Fields, SENT, SIZE};
use super::span;
use super::terms::END_KEY;
use crate::domain::Timestamp;
use crate::query::ast::TextField;
use crate::query::{TermPattern, TimeRange};

/// One segment and what a query gathers while it runs over segments.
pub(super) struct View<'a> {
    pub reader: &'a SegmentReader,
    pub fields: &'a Fields,
    pub expansions: &'a RefCell<Expansions>,
    pub fuzzy: &'a FuzzyWords<'a>,
    /// First and last time in it.
    pub times: (i64, i64),
}

/// The set to search and what may still take places from it.
struct Conjunction {
    sets: Vec<Docs>,
    barred: Vec<Docs>,
}

impl View<'_> {
    pub fn max_doc(&self) -> DocId {
        self.reader.max_doc()
    }

    fn everything(&self) -> Docs {
        Box::new(AllDocs::new(self.max_doc()))
    }

    /// The places of a plan, deleted ones included. `lead` is the cost of the set that drives the
    /// search around it.
    pub fn docs(&self, plan: &Plan, lead: Option<u64>) -> Result<Docs> {
        Ok(match plan {
            Plan::Everything => self.everything(),
            Plan::Nothing => Box::new(NoDocs),
            Plan::And(plans) => self.all(plans, lead)?,
            Plan::Or(plans) => {
                let members = plans
                    .iter()
                    .map(|plan| self.docs(plan, lead))
                    .collect::<Result<Vec<_>>>()?;
                any_of(members, self.max_doc(), lead)
            }
            Plan::Not(plan) => without(self.everything(), vec![self.docs(plan, None)?]),
            Plan::Words(field, patterns) => self.words(*field, patterns, lead)?,
            Plan::Span(field, span) => span::docs(self, *field, span, lead)?,
            Plan::AnyText(field) => self.marked(*field)?,
            Plan::Facts(keys) => self.facts(keys, lead)?,
            Plan::FactRange(from, until) => self.fact_range(from, until, lead, |_| true)?,
            Plan::FactText(tag, patterns) => {
                let (from, until) = FactKey::all_of(*tag);
                self.fact_range(&from, &until, lead, |key| text_matches(key, patterns))?
            }
            Plan::Sent(range) => self.sent(range, lead)?,
            Plan::Numbers(numbers) => Box::new(ListDocSet::new(numbers.docs(self.reader)?)),
            Plan::Column(test) => self.column(test, self.everything())?,
        })
    }

    /// Cheap sets first, so that what needs positions or columns is asked about few places.
    fn all(&self, plans: &[Plan], lead: Option<u64>) -> Result<Docs> {
        let mut flat = Vec::new();
        flatten(plans, &mut flat);
        let mut parts = Conjunction {
            sets: Vec::new(),
            barred: Vec::new(),
        };
        let mut lead = lead;
        let (mut late, mut tests) = (Vec::new(), Vec::new());
        for plan in flat {
            match plan {
                Plan::Everything => {}
                Plan::Not(_) | Plan::Or(_) | Plan::Span(..) => late.push(plan),
                Plan::Column(test) => tests.push(test),
                plan => {
                    let docs = self.docs(plan, lead)?;
                    lead = Some(lead.map_or(docs.cost(), |lead| lead.min(docs.cost())));
                    parts.sets.push(docs);
                }
            }
        }
        for plan in late {
            match plan {
                Plan::Not(plan) => parts.barred.push(self.docs(plan, lead)?),
                plan => parts.sets.push(self.docs(plan, lead)?),
            }
        }
        let set = match parts.sets.len() {
            0 => self.everything(),
            _ => all_of(parts.sets),
        };
        let mut docs = without(set, parts.barred);
        for test in tests {
            docs = self.column(test, docs)?;
        }
        Ok(docs)
    }

    /// The lists of keys, joined.
    pub fn words(
        &self,
        field: TextField,
        patterns: &[TermPattern],
        lead: Option<u64>,
    ) -> Result<Docs> {
        let found = self.find(field, patterns)?;
        let mut lists: Vec<Docs> = Vec::with_capacity(found.keys.len());
        for key in &found.keys {
            lists.push(list(&found.inverted, &key.info).map_err(tantivy::TantivyError::from)?);
        }
        Ok(any_of(lists, self.max_doc(), lead))
    }

    /// How many places a plan has, where the dictionary alone tells.
    pub fn count(&self, plan: &Plan) -> Result<Option<u64>> {
        Ok(match plan {
            Plan::Everything => Some(self.max_doc().into()),
            Plan::Nothing => Some(0),
            Plan::Words(field, patterns) => match &*self.find(*field, patterns)?.keys {
                [] => Some(0),
                [key] => Some(key.info.doc_freq.into()),
                _ => None,
            },
            Plan::Sent(range) => {
                let (least, most) = self.times;
                covers(range, least, most).map(|all| match all {
                    true => self.max_doc().into(),
                    false => 0,
                })
            }
            _ => None,
        })
    }

    /// The keys of patterns in this segment; counts what words they stand for.
    pub fn find(&self, field: TextField, patterns: &[TermPattern]) -> Result<Found> {
        find(self, self.fields.of(field), patterns)
    }

    /// The list behind every key of patterns, with the positions its occurrences cover.
    pub fn places(
        &self,
        field: TextField,
        patterns: &[TermPattern],
    ) -> Result<Vec<(SegmentPostings, u32)>> {
        let found = self.find(field, patterns)?;
        let option = IndexRecordOption::WithFreqsAndPositions;
        let mut lists = Vec::with_capacity(found.keys.len());
        for key in &found.keys {
            let list = found
                .inverted
                .read_postings_from_terminfo(&key.info, option)
                .map_err(tantivy::TantivyError::from)?;
            lists.push((list, key.span));
        }
        Ok(lists)
    }

    /// The marks behind the texts of a field, with positions.
    pub fn marks(&self, field: TextField) -> Result<Option<SegmentPostings>> {
        let inverted = self.reader.inverted_index(self.fields.of(field))?;
        let read = || -> std::io::Result<Option<SegmentPostings>> {
            let option = IndexRecordOption::WithFreqsAndPositions;
            let info = inverted.terms().get(END_KEY)?;
            info.map(|info| inverted.read_postings_from_terminfo(&info, option))
                .transpose()
        };
        Ok(read().map_err(tantivy::TantivyError::from)?)
    }

    /// Messages with words in a field: every text ends in a mark.
    pub fn marked(&self, field: TextField) -> Result<Docs> {
        let inverted = self.reader.inverted_index(self.fields.of(field))?;
        let info = inverted
            .terms()
            .get(END_KEY)
            .map_err(tantivy::TantivyError::from)?;
        let Some(info) = info else {
            return Ok(Box::new(NoDocs));
        };
        Ok(list(&inverted, &info).map_err(tantivy::TantivyError::from)?)
    }

    fn facts(&self, keys: &[FactKey], lead: Option<u64>) -> Result<Docs> {
        let inverted = self.reader.inverted_index(self.fields.fact)?;
        let mut lists: Vec<Docs> = Vec::new();
        for key in keys {
            let read = || -> std::io::Result<Option<Docs>> {
                let info = inverted.terms().get(&key.0)?;
                info.map(|info| list(&inverted, &info)).transpose()
            };
            lists.extend(read().map_err(tantivy::TantivyError::from)?);
        }
        Ok(any_of(lists, self.max_doc(), lead))
    }

    fn fact_range(
        &self,
        from: &FactKey,
        until: &FactKey,
        lead: Option<u64>,
        keep: impl Fn(&[u8]) -> bool,
    ) -> Result<Docs> {
        let inverted = self.reader.inverted_index(self.fields.fact)?;
        let lists = || -> std::io::Result<Vec<Docs>> {
            let mut lists: Vec<Docs> = Vec::new();
            let range = inverted.terms().range().ge(&from.0).lt(&until.0);
            let mut stream = range.into_stream()?;
            while stream.advance() {
                if keep(stream.key()) {
                    lists.push(list(&inverted, stream.value())?);
                }
            }
            Ok(lists)
        };
        let lists = lists().map_err(tantivy::TantivyError::from)?;
        Ok(any_of(lists, self.max_doc(), lead))
    }

    /// Whole months and days by their keys, the ragged ends by the column.
    fn sent(&self, range: &TimeRange, lead: Option<u64>) -> Result<Docs> {
        let (least, most) = self.times;
        match covers(range, least, most) {
            Some(true) => return Ok(self.everything()),
            Some(false) => return Ok(Box::new(NoDocs)),
            None => {}
        }
        let since = range.since.map_or(i64::MIN, |at| at.0);
        let until = range.until.map_or(i64::MAX, |at| at.0);
        let (since, until) = (since.max(least), until.min(most.saturating_add(1)));
        let first = day_of(Timestamp(
            since.saturating_add(Timestamp::MICROS_PER_DAY - 1),
        ));
        let end = day_of(Timestamp(until));
        let mut lists = Vec::new();
        let mut ragged = Vec::new();
        if day_start(first) != since || first > end {
            ragged.push(FactKey::day(day_of(Timestamp(since))));
        }
        if day_start(end) != until && first <= end {
            ragged.push(FactKey::day(end));
        }
        let edges = self.facts(&ragged, lead)?;
        let column = self.reader.fast_fields().i64(SENT)?;
        lists.push(Box::new(Filtered::new(edges, move |doc| {
            column
                .first(doc)
                .is_some_and(|sent| (since..until).contains(&sent))
        })) as Docs);
        for (from, until) in day_ranges(first, end) {
            lists.push(self.fact_range(&from, &until, lead, |_| true)?);
        }
        Ok(any_of(lists, self.max_doc(), lead))
    }

    fn column(&self, test: &ColumnTest, docs: Docs) -> Result<Docs> {
        let fast = self.reader.fast_fields();
        Ok(match test {
            ColumnTest::TimeOfDay { zone, from, until } => {
                let (zone, from, until, sent) = (*zone, *from, *until, fast.i64(SENT)?);
                Box::new(Filtered::new(docs, move |doc| {
                    local(&sent, doc, zone).is_some_and(|at| {
                        let minute = (at.hour() * 60 + at.minute()) as u16;
                        in_minutes(minute, from, until)
                    })
                }))
            }
            ColumnTest::Weekday { zone, days } => {
                let (zone, days, sent) = (*zone, *days, fast.i64(SENT)?);
                Box::new(Filtered::new(docs, move |doc| {
                    local(&sent, doc, zone)
                        .is_some_and(|at| days >> at.weekday().num_days_from_monday() & 1 == 1)
                }))
            }
            ColumnTest::Size(least, most) => {
                let Some(column) = fast.column_opt::<u64>(SIZE)? else {
                    return Ok(Box::new(NoDocs));
                };
                let range = *least..=*most;
                Box::new(Filtered::new(docs, move |doc| {
                    column.values_for_doc(doc).any(|size| range.contains(&size))
                }))
            }
            ColumnTest::Amount(_) | ColumnTest::Currency(_) => self.money(test, docs)?,
        })
    }

    fn money(&self, test: &ColumnTest, docs: Docs) -> Result<Docs> {
        let fast = self.reader.fast_fields();
        let (Some(amounts), Some(currencies)) = (
            fast.column_opt::<i64>(AMOUNT)?,
            fast.column_opt::<u64>(CURRENCY)?,
        ) else {
            return Ok(Box::new(NoDocs));
        };
        Ok(match test {
            ColumnTest::Amount(range) => {
                let range = *range;
                let wanted = range.currency.map(|code| currency_number(Some(code)));
                Box::new(Filtered::new(docs, move |doc| {
                    let values = amounts.values_for_doc(doc);
                    values
                        .zip(currencies.values_for_doc(doc))
                        .any(|(value, code)| {
                            (range.least..=range.most).contains(&value)
                                && wanted.is_none_or(|wanted| wanted == code)
                        })
                }))
            }
            ColumnTest::Currency(set) => {
                let set: Vec<u64> = set
                    .iter()
                    .map(|code| currency_number(Some(*code)))
                    .collect();
                Box::new(Filtered::new(docs, move |doc| {
                    currencies
                        .values_for_doc(doc)
                        .any(|code| code != 0 && (set.is_empty() || set.contains(&code)))
                }))
            }
            _ => docs,
        })
    }
}

/// The places of one key.
fn list(inverted: &InvertedIndexReader, info: &TermInfo) -> std::io::Result<Docs> {
    let block = inverted.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?;
    Ok(Box::new(PostingDocs::new(block)))
}

/// Whether a range covers all times from `least` to `most`, or none of them; `None` when some.
fn covers(range: &TimeRange, least: i64, most: i64) -> Option<bool> {
    let since = range.since.map_or(i64::MIN, |at| at.0);
    let until = range.until.map_or(i64::MAX, |at| at.0);
    if since <= least && (most < until || range.until.is_none()) {
        Some(true)
    } else if since > most || until <= least {
        Some(false)
    } else {
        None
    }
}

fn flatten<'a>(plans: &'a [Plan], out: &mut Vec<&'a Plan>) {
    for plan in plans {
        match plan {
            Plan::And(plans) => flatten(plans, out),
            plan => out.push(plan),
        }
    }
}

fn day_start(day: i32) -> i64 {
    i64::from(day).saturating_mul(Timestamp::MICROS_PER_DAY)
}

/// Keys of the days `first..end`: whole months by month.
fn day_ranges(first: i32, end: i32) -> Vec<(FactKey, FactKey)> {
    if first >= end {
        return Vec::new();
    }
    let days = |from, until| (FactKey::day(from), FactKey::day(until));
    let month_at = |day| month_of(Timestamp(day_start(day)));
    let mut month = month_at(first);
    if first_day_of(month) < first {
        month += 1;
    }
    let last = month_at(end);
    if month >= last {
        return vec![days(first, end)];
    }
    vec![
        days(first, first_day_of(month)),
        (FactKey::month(month), FactKey::month(last)),
        days(first_day_of(last), end),
    ]
}

fn local(sent: &Column<i64>, doc: DocId, zone: chrono_tz::Tz) -> Option<DateTime<chrono_tz::Tz>> {
    let at = DateTime::from_timestamp_micros(sent.first(doc)?)?;
    Some(at.with_timezone(&zone))
}

/// Half-open and round midnight; equal ends mean the whole day.
fn in_minutes(minute: u16, from: u16, until: u16) -> bool {
    if from < until {
        (from..until).contains(&minute)
    } else {
        minute >= from || minute < until
    }
}

fn text_matches(key: &[u8], patterns: &[TermPattern]) -> bool {
    let Some((folded, exact)) = FactKey::text_value(key) else {
        return false;
    };
    !folded.is_empty()
        && patterns
            .iter()
            .any(|pattern| pattern.matches(folded, exact))
}
