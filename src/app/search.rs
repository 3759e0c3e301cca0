//! The use-cases "search" and "check a query": read back, answered exactly, logged before shown.

use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;

use super::clock::Stopwatch;
use super::snapshot::{self, Picture};
use super::{AppError, Appliance, Result, Session};
use crate::audit::Action;
use crate::crypto::{Key, hex, sha256_of};
use crate::domain::{EntryNo, Right, Scope, Timestamp};
use crate::query::{
    Code, ENGLISH, NoFacts, ParseContext, Parsed, Problem, Purpose, ResolveContext, Resolved,
    Severity, parse, print, read_as, resolve,
};
use crate::search::{
    Answer, BUDGET_DEFAULT, Budget, ClauseCount, Cursor, Facet, FacetField, NameIndex, Order, Page,
    Search, SearchError, Step,
};

/// A search as asked for.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// The query as typed.
    pub text: String,
    /// Zone of dates; `None` is that of the workspace.
    pub zone: Option<String>,
    /// Hits on a page.
    pub limit: usize,
    /// Order of the hits.
    pub order: Order,
    /// Messages shown before and after each hit.
    pub context_lines: u32,
    /// Fields counted beside the hits.
    pub facets: Vec<FacetField>,
    /// Whether warnings block.
    pub strict: bool,
    /// Warnings accepted by code, such as `W03`.
    pub accept: Vec<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Only count.
    pub count_only: bool,
    /// Spread the hits over time in such steps.
    pub histogram: Option<Step>,
    /// Time allowed; `None` is five seconds.
    pub budget: Option<Duration>,
}

impl SearchRequest {
    /// A first page of fifty, newest first.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            zone: None,
            limit: 50,
            order: Order::Newest,
            context_lines: 0,
            facets: Vec::new(),
            strict: false,
            accept: Vec::new(),
            cursor: None,
            count_only: false,
            histogram: None,
            budget: None,
        }
    }
}

/// Hits over time: a date as a query would say it, and how many.
pub type Histogram = Vec<(String, u64)>;

/// How a query was read.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The query as typed.
    pub text: String,
    /// What it means, as a sentence.
    pub read_as: String,
    /// Canonical form: fully parenthesised, names as ids.
    pub canonical: String,
    /// Canonical form with relative dates absolute.
    pub resolved: String,
    /// Notes and warnings.
    pub problems: Vec<Problem>,
    /// The zone of its dates.
    pub zone: Tz,
}

/// What a search found.
#[derive(Clone, Debug)]
pub struct SearchAnswer {
    /// How the query was read.
    pub reading: Reading,
    /// Hits, exact total, watermark.
    pub answer: Answer,
    /// Counts by field.
    pub facets: Vec<Facet>,
    /// Counts over time, eldest first; empty where that was not asked.
    pub histogram: Histogram,
    /// What each clause finds alone, when the whole finds nothing.
    pub zero: Vec<ClauseCount>,
    /// Matches that are left out because a request for erasure restricted them; told to those who
    /// may see them, else 0.
    pub withheld: u64,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The state all pages are cut from, by name; told to those who see everything.
    pub snapshot: Option<String>,
    /// The audit entry, durable before this was handed out.
    pub audit: EntryNo,
    /// Time the search took, without the audit entry.
    pub took: Duration,
}

impl Appliance {
    /// Answers a query inside the session's scope. The entry with the query's text is durable
    /// before the answer is handed out.
    pub fn search(&self, session: &Session, request: &SearchRequest) -> Result<SearchAnswer> {
        self.require(session, Right::ReadContent, Action::ContentSearch)?;
        let watch = Stopwatch::start();
        let scope = self.scope(session)?;
        let key = self.archive.derived_key("cursor");
        let bound = self.bound(request, session);
        let (picture, after) = self.picture_asked(request, &scope, &key, &bound)?;
        let asked = after.map_or(self.clock.now().wall, |cursor| cursor.snapshot.asked);
        let names = &picture.names;
        let (resolved, reading) =
            self.understand_at(request, Purpose::Search, names, &scope, asked)?;
        let spent = || watch.elapsed();
        let allowed = request.budget.unwrap_or(BUDGET_DEFAULT);
        let scoped = names.within(&self.archive, &scope, None);
        let search = Search {
            archive: &self.archive,
            picture: Some(&picture.index),
            names: &scoped,
            facts: &NoFacts,
            resolved: &resolved,
            budget: Budget {
                allowed,
                spent: &spent,
            },
        };
        let limit = if request.count_only { 0 } else { request.limit };
        let page = Page {
            order: request.order,
            after,
            limit,
            context_lines: request.context_lines,
            snapshot: picture.snapshot(&scope, asked),
        };
        let mut answer = search.page(&page).map_err(refused)?;
        answer.watermark = picture.told(&scope);
        if answer.next.is_some() {
            self.keep_picture(&picture);
        }
        let facets = match request.facets.is_empty() {
            true => Vec::new(),
            false => search.facets(&request.facets).map_err(refused)?,
        };
        let histogram = match request.histogram {
            None => Vec::new(),
            Some(step) => search.histogram(step).map_err(refused)?,
        };
        let zero = match answer.total {
            0 => search.clauses().map_err(refused)?,
            _ => Vec::new(),
        };
        let withheld = match session.actor.may(Right::ReadRestricted) {
            true => self.withheld_matches(&search, names, &scope, answer.total)?,
            false => 0,
        };
        let took = watch.elapsed();
        let audit = self.log_search(session, &reading, &answer)?;
        let next = answer.next.as_ref().map(|cursor| cursor.seal(&key, &bound));
        Ok(SearchAnswer {
            reading,
            answer,
            facets,
            histogram,
            zero,
            withheld,
            next,
            snapshot: picture.name(&scope),
            audit,
            took,
        })
    }

    /// The state a page is cut from, and where the page before ended.
    fn picture_asked(
        &self,
        request: &SearchRequest,
        scope: &Scope,
        key: &Key,
        bound: &[u8],
    ) -> Result<(Picture, Option<Cursor>)> {
        let current = self.picture()?;
        let Some(text) = &request.cursor else {
            return Ok((current, None));
        };
        let cursor = Cursor::open(text, key, bound).map_err(refused)?;
        if cursor.order != request.order {
            return Err(refused(SearchError::ForeignCursor));
        }
        let names = Arc::clone(&current.names);
        match self.picture_of(&cursor, scope, current) {
            Some(picture) => Ok((picture, Some(cursor))),
            None => {
                let (_, reading) = self.understand(request, Purpose::Search, &names, scope)?;
                Err(snapshot::expired(reading.canonical))
            }
        }
    }

    /// What a page mark belongs to: the query as typed, its zone, and the asker.
    fn bound(&self, request: &SearchRequest, session: &Session) -> Vec<u8> {
        let zone = request.zone.clone().unwrap_or_else(|| self.zone_name());
        let mut bound = session.actor.id.0.to_be_bytes().to_vec();
        bound.extend_from_slice(zone.as_bytes());
        bound.push(b'\n');
        bound.extend_from_slice(request.text.as_bytes());
        bound
    }

    /// How many more match when what is withheld is counted too.
    fn withheld_matches(
        &self,
        search: &Search<'_>,
        names: &NameIndex,
        scope: &Scope,
        shown: u64,
    ) -> Result<u64> {
        if scope.withheld.is_empty() {
            return Ok(0);
        }
        let open = Scope {
            withheld: Arc::default(),
            ..scope.clone()
        };
        let names = names.within(&self.archive, &open, None);
        let search = Search {
            names: &names,
            ..*search
        };
        Ok(search.count().map_err(refused)?.saturating_sub(shown))
    }

    /// Says how a query is read, without running it. Names are resolved inside the scope of a
    /// session that may read, else not at all.
    pub fn check_query(&self, session: &Session, request: &SearchRequest) -> Result<Reading> {
        let scope = self.scope(session)?;
        let names = self.names()?;
        self.understand(request, Purpose::Search, &names, &scope)
            .map(|(_, reading)| reading)
    }

    pub(super) fn understand(
        &self,
        request: &SearchRequest,
        purpose: Purpose,
        names: &NameIndex,
        scope: &Scope,
    ) -> Result<(Resolved, Reading)> {
        self.understand_at(request, purpose, names, scope, self.clock.now().wall)
    }

    fn understand_at(
        &self,
        request: &SearchRequest,
        purpose: Purpose,
        names: &NameIndex,
        scope: &Scope,
        now: Timestamp,
    ) -> Result<(Resolved, Reading)> {
        let zone = zone(request.zone.as_deref().unwrap_or(&self.zone_name()))?;
        let context = ParseContext {
            zone,
            now,
            strict: request.strict,
            purpose,
        };
        let parsed = parse(&request.text, &context);
        let accepted = accepted(&request.accept)?;
        let Some(query) = parsed.ast.as_ref().filter(|_| !blocks(&parsed, &accepted)) else {
            return Err(query_error(&request.text, parsed.problems));
        };
        let scoped = names.within(&self.archive, scope, None);
        let resolved = resolve(query, &scoped, &ResolveContext { zone, now });
        let mut problems = parsed.problems.clone();
        problems.extend(resolved.problems.iter().cloned());
        let late_warning = |problem: &Problem| {
            problem.severity() == Severity::Warning && !accepted.contains(&problem.code)
        };
        if parsed.strict && resolved.problems.iter().any(late_warning) {
            return Err(query_error(&request.text, problems));
        }
        let reading = Reading {
            text: request.text.clone(),
            read_as: read_as(&resolved, &ENGLISH),
            canonical: print(&resolved.canonical),
            resolved: print(&resolved.absolute),
            problems,
            zone: resolved.zone,
        };
        Ok((resolved, reading))
    }

    fn log_search(&self, session: &Session, reading: &Reading, answer: &Answer) -> Result<EntryNo> {
        let now = self.clock.now();
        let ids: Vec<u8> = answer
            .hits
            .iter()
            .flat_map(|hit| hit.line.id.0.to_be_bytes())
            .collect();
        let draft = self
            .draft(session, Action::ContentSearch)
            .count("hits", answer.total)
            .count("shown", answer.hits.len() as u64)
            .word("ids", hex(&sha256_of(&[&ids])));
        let payload = format!("{}\n{}", reading.text, reading.resolved);
        self.change(now, |tx| {
            Ok(self.log(tx, now, draft, Some(payload.as_bytes()))?.seq)
        })
    }

    /// The names of the archive with their look-ups, built once and kept until they change.
    pub(super) fn names(&self) -> Result<Arc<NameIndex>> {
        Ok(self.numbered_names()?.1)
    }

    /// The same with the number of acts after which they were opened.
    pub(super) fn numbered_names(&self) -> Result<(u64, Arc<NameIndex>)> {
        let rows = self.archive.store().read()?;
        // A purge takes names away, an import brings some: either makes the kept ones stale.
        let batches = rows.erase_batches()?;
        let purges: u64 = batches.iter().map(|row| row.generation_after).sum();
        let imports = rows.imports()?.len() as u64 + purges;
        drop(rows);
        if let Some(kept) = self.kept_names(imports) {
            return Ok((imports, kept));
        }
        let names = Arc::new(NameIndex::new(Arc::new(self.archive.directory()?)));
        self.keep_names(imports, &names);
        Ok((imports, names))
    }
}

/// The zone of an IANA name.
pub(super) fn zone(name: &str) -> Result<Tz> {
    name.parse().map_err(|_| {
        AppError::Usage(format!(
            "\"{name}\" is not a time zone; say one like Europe/Lisbon"
        ))
    })
}

fn accepted(codes: &[String]) -> Result<Vec<Code>> {
    codes
        .iter()
        .map(|code| {
            Code::ALL
                .iter()
                .copied()
                .find(|known| known.name().eq_ignore_ascii_case(code))
                .ok_or_else(|| AppError::Usage(format!("there is no warning {code}")))
        })
        .collect()
}

fn blocks(parsed: &Parsed, accepted: &[Code]) -> bool {
    parsed.blocking(accepted).next().is_some()
}

fn query_error(text: &str, problems: Vec<Problem>) -> AppError {
    AppError::Query {
        text: text.to_owned(),
        problems,
    }
}

pub(super) fn refused(error: SearchError) -> AppError {
    match error {
        SearchError::Archive(error) => error.into(),
        SearchError::ForeignCursor => AppError::Usage(error.to_string()),
        error if error.is_about_cost() => AppError::Budget(error.to_string()),
        error => AppError::Integrity(error.to_string()),
    }
}
