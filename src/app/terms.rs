//! The use-case "search-term report": how much each of many terms finds, and what only it finds.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

use super::clock::Stopwatch;
use super::search::refused;
use super::{AppError, Appliance, Heed, Result, SearchRequest, Session};
use crate::archive::Watermark;
use crate::audit::Action;
use crate::domain::{ConversationNo, EntryNo, HandleNo, MessageNo, PersonNo, Right, Scope};
use crate::query::{NoFacts, Problem, Purpose};
use crate::search::{Budget, NameIndex, Search};

/// Most terms of one report.
pub const TERMS_MAX: usize = 1_000;
/// Longest list of terms, in bytes: it stands in the log.
const LIST_BYTES_MAX: usize = 512 << 10;
/// Time one term may take: nobody waits in front of a screen for the whole.
const TERM_BUDGET: std::time::Duration = std::time::Duration::from_secs(120);
/// No term, and more than one, among the terms that found a message.
const NONE: u16 = 0;
const SEVERAL: u16 = u16::MAX;

/// One term of a report.
#[derive(Clone, Debug, Default)]
pub struct TermLine {
    /// As typed.
    pub text: String,
    /// What it means, as a sentence; empty where it was not counted.
    pub read_as: String,
    /// Notes and warnings; where it was not counted, what is wrong.
    pub problems: Vec<Problem>,
    /// Why it was not counted, in words.
    pub refused: Option<String>,
    /// Messages that match; exact.
    pub messages: u64,
    /// Those of them that no other term of the report finds.
    pub unique: u64,
    /// Conversations they stand in.
    pub conversations: u64,
    /// Days of conversations they stand on: a conversation on a day, in the zone of the query.
    pub conversation_days: u64,
    /// Messages by who wrote them, most first; notices of the platform are left out.
    pub by_person: Vec<(String, u64)>,
}

/// A report.
#[derive(Clone, Debug)]
pub struct TermReport {
    /// The terms, in the order they were given.
    pub lines: Vec<TermLine>,
    /// Messages that at least one term finds.
    pub messages: u64,
    /// Conversations they stand in.
    pub conversations: u64,
    /// How far the index had read.
    pub watermark: Watermark,
    /// The entry of the log, durable before this was handed out.
    pub audit: EntryNo,
    /// Time it took.
    pub took: std::time::Duration,
}

/// Which terms found what, over a whole report.
struct Tally {
    /// By number of the message: the one term that found it, from 1.
    owners: Vec<u16>,
    conversations: BTreeSet<ConversationNo>,
}

impl Tally {
    fn mark(&mut self, no: MessageNo, term: u16) {
        let place = no.0 as usize;
        if place >= self.owners.len() {
            self.owners.resize(place + 1, NONE);
        }
        self.owners[place] = match self.owners[place] {
            NONE => term,
            _ => SEVERAL,
        };
    }

    fn unique(&self, terms: usize) -> Vec<u64> {
        let mut counts = vec![0; terms];
        for owner in &self.owners {
            if *owner != NONE && *owner != SEVERAL && usize::from(*owner) <= terms {
                counts[usize::from(*owner) - 1] += 1;
            }
        }
        counts
    }
}

impl Appliance {
    /// Counts what each term finds inside the session's scope. A term that is not clear is told and not
    /// counted; the others are. The entry with the terms is durable before the report is handed out.
    ///
    /// # Errors
    /// For who may not read; when there are no terms, or too many; when `heed` says stop.
    pub fn term_report(
        &self,
        session: &Session,
        terms: &[String],
        heed: &mut Heed<'_>,
    ) -> Result<TermReport> {
        self.require(session, Right::ReadContent, Action::ContentSearch)?;
        let watch = Stopwatch::start();
        check(terms)?;
        let scope = self.scope(session)?;
        let names = self.names()?;
        let mut watermark = self.archive.watermark()?;
        if !scope.sees_all() {
            watermark = watermark.without_figures();
        }
        let mut tally = Tally {
            owners: Vec::new(),
            conversations: BTreeSet::new(),
        };
        let mut lines = Vec::with_capacity(terms.len());
        for (place, text) in terms.iter().enumerate() {
            if !heed("terms counted", place as u64, terms.len() as u64) {
                return Err(AppError::Interrupted("No report was made.".to_owned()));
            }
            let line = self.counted(text, place as u16 + 1, (&names, &scope), &mut tally);
            lines.push(match line {
                Ok(line) => line,
                Err(error) => not_counted(text, error)?,
            });
        }
        for (line, unique) in lines.iter_mut().zip(tally.unique(terms.len())) {
            line.unique = unique;
        }
        let messages = tally.owners.iter().filter(|owner| **owner != NONE).count() as u64;
        let now = self.clock.now();
        let draft = self
            .draft(session, Action::ContentSearch)
            .word("what", "terms")
            .count("terms", terms.len() as u64)
            .count("hits", messages)
            .count("shown", 0);
        let payload = terms.join("\n");
        let audit = self.change(now, |tx| {
            Ok(self.log(tx, now, draft, Some(payload.as_bytes()))?.seq)
        })?;
        Ok(TermReport {
            lines,
            messages,
            conversations: tally.conversations.len() as u64,
            watermark,
            audit,
            took: watch.elapsed(),
        })
    }

    fn counted(
        &self,
        text: &str,
        term: u16,
        (names, scope): (&NameIndex, &Scope),
        tally: &mut Tally,
    ) -> Result<TermLine> {
        let request = SearchRequest::new(text);
        let (resolved, reading) = self.understand(&request, Purpose::Search, names, scope)?;
        let (watch, scoped) = (Stopwatch::start(), names.within(&self.archive, scope, None));
        let spent = || watch.elapsed();
        let search = Search {
            archive: &self.archive,
            picture: None,
            names: &scoped,
            facts: &NoFacts,
            resolved: &resolved,
            budget: Budget {
                allowed: TERM_BUDGET,
                spent: &spent,
            },
        };
        let mut found = Vec::new();
        search
            .each_place(&mut |place| found.push(place))
            .map_err(refused)?;
        let mut days = BTreeSet::new();
        let mut conversations = BTreeSet::new();
        let mut senders: BTreeMap<HandleNo, u64> = BTreeMap::new();
        for place in &found {
            tally.mark(place.no, term);
            let utc = DateTime::from_timestamp_micros(place.sent.0).unwrap_or_default();
            let day = utc.with_timezone(&reading.zone).date_naive();
            days.insert((place.conversation, day));
            conversations.insert(place.conversation);
            if let Some(sender) = place.sender {
                *senders.entry(sender).or_default() += 1;
            }
        }
        tally.conversations.extend(&conversations);
        let handles = &names.directory().handles;
        let mut people: BTreeMap<PersonNo, u64> = BTreeMap::new();
        for (handle, count) in senders {
            if let Some(entry) = handles.get(&handle) {
                *people.entry(entry.person).or_default() += count;
            }
        }
        Ok(TermLine {
            text: text.to_owned(),
            read_as: reading.read_as,
            problems: reading.problems,
            messages: found.len() as u64,
            conversations: conversations.len() as u64,
            conversation_days: days.len() as u64,
            by_person: self.person_labels(&people)?,
            ..TermLine::default()
        })
    }
}

/// A term that could not be counted, with the reason; what is no matter of the term goes on.
fn not_counted(text: &str, error: AppError) -> Result<TermLine> {
    let line = TermLine {
        text: text.to_owned(),
        ..TermLine::default()
    };
    match error {
        AppError::Query { problems, .. } => Ok(TermLine {
            refused: Some(match problems.first() {
                Some(problem) => format!("{} {}", problem.code.name(), problem.message),
                None => "it says nothing".to_owned(),
            }),
            problems,
            ..line
        }),
        AppError::Budget(why) => Ok(TermLine {
            refused: Some(why),
            ..line
        }),
        other => Err(other),
    }
}

fn check(terms: &[String]) -> Result<()> {
    let bytes: usize = terms.iter().map(|term| term.len() + 1).sum();
    if terms.is_empty() || terms.len() > TERMS_MAX || bytes > LIST_BYTES_MAX {
        return Err(AppError::Usage(format!(
            "a report has 1 to {TERMS_MAX} terms, one a line, at most {} KiB in all",
            LIST_BYTES_MAX >> 10
        )));
    }
    Ok(())
}

/// The terms of a table: the first cell of every row (RFC 4180), without empty ones and without a
/// heading `term`, `terms` or `query`.
pub fn terms_of_table(table: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut letters = table.trim_start_matches('\u{feff}').chars().peekable();
    while letters.peek().is_some() {
        let (mut cell, mut is_first, mut is_quoted) = (String::new(), true, false);
        let mut begins = true;
        while let Some(letter) = letters.next() {
            match letter {
                '"' if is_quoted && letters.peek() == Some(&'"') => {
                    letters.next();
                    if is_first {
                        cell.push('"');
                    }
                }
                '"' if is_quoted => is_quoted = false,
                '"' if begins => is_quoted = true,
                ',' | ';' if !is_quoted => is_first = false,
                '\r' if !is_quoted => {}
                '\n' if !is_quoted => break,
                other if is_first => cell.push(if other == '\n' { ' ' } else { other }),
                _ => {}
            }
            begins = matches!(letter, ',' | ';') && !is_quoted;
        }
        terms.push(cell.trim().to_owned());
    }
    let is_heading =
        |term: &String| ["term", "terms", "query"].contains(&term.to_ascii_lowercase().as_str());
    if terms.first().is_some_and(is_heading) {
        terms.remove(0);
    }
    terms.retain(|term| !term.is_empty());
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s9_the_first_cell_of_every_row_is_a_term() {
        let table = "\u{feff}Term,Who\r\ndiscount,Ana\r\n\"\"\"delivery date\"\"\",x\n\
                     \"a, b\";\"y\n z\"\n\n  rebate  \nfrom:\"Rui Melo\"";
        assert_eq!(
            terms_of_table(table),
            [
                "discount",
                "\"delivery date\"",
                "a, b",
                "rebate",
                "from:\"Rui Melo\""
            ]
        );
        assert!(terms_of_table("").is_empty());
        assert_eq!(terms_of_table("query\n"), Vec::<String>::new());
    }

    #[test]
    fn s9_what_two_terms_find_is_unique_to_neither() {
        let mut tally = Tally {
            owners: Vec::new(),
            conversations: BTreeSet::new(),
        };
        for (no, term) in [(5, 1), (6, 1), (6, 2), (9, 2), (6, 1)] {
            tally.mark(MessageNo(no), term);
        }
        assert_eq!(tally.unique(3), [1, 1, 0]);
    }
}
