//! Running a query: index where it decides, evaluator where it does not, rows for what is shown.

use super::budget::Budget;
use super::cursor::{Cursor, Snapshot};
use super::error::{Result, SearchError};
use super::hit::{Hit, Line, Place, pieces, versions_matched};
use super::judge::Judge;
use super::names::ScopedNames;
use super::order::{Order, SortKey};
use crate::archive::{Archive, ArchiveError, OpenedMessage, Reader, Watermark};
use crate::domain::{ImportNo, MessageNo, Scope};
use crate::index;
use crate::query::{ENGLISH, Facts, HitSpan, Node, Predicate, Problem, Resolved, print, read_as};
use crate::store::MessageRow;

/// Most messages that are opened to decide one query.
pub const OPENED_MAX: u64 = 2_000_000;
/// Messages judged between two questions whether time is up.
const MESSAGES_PER_CHECK: usize = 64;
/// Most context lines on either side of a hit.
pub const CONTEXT_LINES_MAX: u32 = 50;
/// Most hits of one page.
pub const PAGE_HITS_MAX: usize = 1_000;

/// A query on its way: what it asks, inside what, over which archive.
#[derive(Clone, Copy)]
pub struct Search<'a> {
    /// Where.
    pub archive: &'a Archive,
    /// The index as it was when the first page was asked; `None` is the index as it is.
    pub picture: Option<&'a index::Index>,
    /// The asker's picture of the names, and with it their scope.
    pub names: &'a ScopedNames<'a>,
    /// The workspace's answers.
    pub facts: &'a dyn Facts,
    /// What.
    pub resolved: &'a Resolved,
    /// How long it may take.
    pub budget: Budget<'a>,
}

/// Which hits to show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Page {
    /// Their order.
    pub order: Order,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// How many at most, up to [`PAGE_HITS_MAX`].
    pub limit: usize,
    /// Messages shown before and after each, up to [`CONTEXT_LINES_MAX`].
    pub context_lines: u32,
    /// What the mark of the next page says it is cut from.
    pub snapshot: Snapshot,
}

impl Default for Page {
    fn default() -> Self {
        Page {
            order: Order::Newest,
            after: None,
            limit: 50,
            context_lines: 0,
            snapshot: Snapshot::default(),
        }
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The page.
    pub hits: Vec<Hit>,
    /// How many messages match in all; exact.
    pub total: u64,
    /// How the query was read, as one sentence.
    pub read_as: String,
    /// The query in canonical form, names as ids.
    pub canonical: String,
    /// The same with relative dates absolute.
    pub absolute: String,
    /// What is worth saying beside the answer and was not known before it ran (N09, N10, N12), to
    /// be shown with the notes of parser and resolver; told with the first page only.
    pub notes: Vec<Problem>,
    /// How far the index has read: the answer is complete through that sequence number.
    pub watermark: Watermark,
    /// What it took.
    pub cost: Cost,
    /// Where the next page begins; `None` behind the last hit.
    pub next: Option<Cursor>,
}

/// What a search took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Cost {
    /// Segments of the index looked at.
    pub segments: u32,
    /// Places that came out of the index.
    pub places: u64,
    /// Messages opened to decide whether they match.
    pub opened: u64,
}

/// Every place that matches, in order, before anything is shown.
pub(super) struct Found {
    pub keys: Vec<SortKey>,
    pub total: u64,
    pub expansions: Vec<(String, Vec<String>)>,
    pub cost: Cost,
}

impl<'a> Search<'a> {
    /// The index that is asked.
    pub(super) fn index(&self) -> index::Index {
        match self.picture {
            Some(picture) => picture.clone(),
            None => self.archive.index(),
        }
    }

    /// One page of hits and the exact total.
    ///
    /// # Errors
    /// When index or record fail, time is up, or the query would open too many messages.
    pub fn page(&self, page: &Page) -> Result<Answer> {
        let watermark = self.archive.watermark()?;
        let limit = page.limit.min(PAGE_HITS_MAX);
        let after = page.after.map(|cursor| cursor.key);
        // One more than the page, to know whether there is a next one.
        let mut found = self.find(page.order, after, limit.saturating_add(1))?;
        let more = found.keys.len() > limit;
        found.keys.truncate(limit);
        let next = found.keys.last().filter(|_| more).map(|key| Cursor {
            order: page.order,
            key: *key,
            snapshot: page.snapshot,
        });
        let hits = self.show(&found.keys, page.context_lines.min(CONTEXT_LINES_MAX))?;
        Ok(Answer {
            hits,
            total: found.total,
            read_as: read_as(self.resolved, &ENGLISH),
            canonical: print(&self.resolved.canonical),
            absolute: print(&self.resolved.absolute),
            notes: match page.after {
                None => self.notes(&found.expansions)?,
                Some(_) => Vec::new(),
            },
            watermark,
            cost: found.cost,
            next,
        })
    }

    /// Where every hit stands, earliest first, with the exact total. `None` in place of the keys
    /// when there are more than `most`.
    ///
    /// # Errors
    /// As [`Search::page`].
    pub fn keys(&self, most: usize) -> Result<(Option<Vec<SortKey>>, u64)> {
        let found = self.find(Order::Oldest, None, most.saturating_add(1))?;
        let few = found.keys.len() <= most;
        Ok((few.then_some(found.keys), found.total))
    }

    /// How many messages match.
    ///
    /// # Errors
    /// As [`Search::page`].
    pub fn count(&self) -> Result<u64> {
        Ok(self.find(Order::Newest, None, 0)?.total)
    }

    /// The keys of the hits behind `after`, at most `limit`, and the total.
    pub(super) fn find(&self, order: Order, after: Option<SortKey>, limit: usize) -> Result<Found> {
        self.refuse_closed_parts()?;
        let answer = self.ask_index(order, after, limit)?;
        if answer.verified {
            return Ok(Found {
                keys: answer.hits.iter().map(|hit| SortKey::from(*hit)).collect(),
                total: answer.total,
                expansions: answer.expansions,
                cost: cost_of(&answer.cost),
            });
        }
        if answer.total > OPENED_MAX {
            return Err(SearchError::NotSelective {
                clause: self.costly_clause(),
                candidates: answer.total,
                most: OPENED_MAX,
            });
        }
        self.verified(
            self.ask_index(order, None, usize::MAX)?,
            order,
            after,
            limit,
        )
    }

    pub(super) fn refuse_closed_parts(&self) -> Result<()> {
        match self.archive.refused_parts().first() {
            None => Ok(()),
            Some((part, reason)) => Err(SearchError::ClosedPart {
                part: part.to_string(),
                reason: reason.clone(),
            }),
        }
    }

    fn ask_index(
        &self,
        order: Order,
        after: Option<SortKey>,
        limit: usize,
    ) -> Result<index::Answer> {
        let budget = self.budget;
        let stop = move || budget.is_over();
        let page = index::Page {
            order: order.into(),
            after: after.map(index::Cursor::from),
            limit,
            stop: Some(&stop),
        };
        let scope = self.names.spelled_scope();
        match self.index().search(self.resolved, &scope, page) {
            Err(index::Error::Budget { clause }) => Err(SearchError::Budget {
                clause,
                allowed: self.budget.allowed,
            }),
            answer => Ok(answer?),
        }
    }

    /// Opens every candidate and keeps those that match.
    fn verified(
        &self,
        candidates: index::Answer,
        order: Order,
        after: Option<SortKey>,
        limit: usize,
    ) -> Result<Found> {
        let mut keys: Vec<SortKey> = candidates.hits.iter().map(|hit| (*hit).into()).collect();
        let mut cost = cost_of(&candidates.cost);
        cost.opened = keys.len() as u64;
        self.keep_matching(&mut keys)?;
        let total = keys.len() as u64;
        keys.retain(|key| after.is_none_or(|after| after.compare(key, order).is_lt()));
        keys.truncate(limit);
        Ok(Found {
            keys,
            total,
            expansions: candidates.expansions,
            cost,
        })
    }

    /// Keeps the keys of messages that match, in their order.
    fn keep_matching(&self, keys: &mut Vec<SortKey>) -> Result<()> {
        let mut judge = Judge::new(self)?;
        let mut reader = self.archive.reader()?;
        let turns = self.judging_order(&judge, &mut reader, keys)?;
        let mut keep = vec![false; keys.len()];
        for (count, turn) in turns.into_iter().enumerate() {
            if count % MESSAGES_PER_CHECK == 0 && self.budget.is_over() {
                return Err(self.over_budget());
            }
            keep[turn] = match self.open(&mut reader, keys[turn].no)? {
                Some(message) => judge.matches(&message)?,
                None => false,
            };
        }
        let mut keep = keep.into_iter();
        keys.retain(|_| keep.next().unwrap_or(false));
        Ok(())
    }

    /// The places of the keys, conversation by conversation where the query joins messages.
    fn judging_order(
        &self,
        judge: &Judge<'_>,
        reader: &mut Reader<'_>,
        keys: &[SortKey],
    ) -> Result<Vec<usize>> {
        let mut turns: Vec<usize> = (0..keys.len()).collect();
        if judge.joins_messages() {
            let mut conversations = Vec::with_capacity(keys.len());
            for key in keys {
                let row = reader.rows().message(key.no)?;
                conversations.push(row.map(|row| row.conversation));
            }
            turns.sort_by_key(|turn| conversations[*turn]);
        }
        Ok(turns)
    }

    pub(super) fn over_budget(&self) -> SearchError {
        SearchError::Budget {
            clause: self.costly_clause(),
            allowed: self.budget.allowed,
        }
    }

    fn costly_clause(&self) -> String {
        super::clause::costly(&self.resolved.absolute)
    }

    /// Opens a message of the scope; `None` when it is gone.
    pub(super) fn open(
        &self,
        reader: &mut Reader<'_>,
        no: MessageNo,
    ) -> Result<Option<OpenedMessage>> {
        let Some(row) = reader.rows().message(no)? else {
            return Ok(None);
        };
        self.check_scope(reader, &row)?;
        Ok(Some(reader.open(row)?))
    }

    /// The second check of the scope, on the row itself.
    pub(super) fn check_scope(&self, reader: &mut Reader<'_>, row: &MessageRow) -> Result<()> {
        let account = reader.conversation(row.conversation)?.account;
        let scope = self.names.scope();
        if scope.allows(row.conversation, account) && scope.shows(row.no) {
            return Ok(());
        }
        Err(outside_scope())
    }

    fn show(&self, keys: &[SortKey], context_lines: u32) -> Result<Vec<Hit>> {
        let mut judge = Judge::new(self)?;
        let mut reader = self.archive.reader()?;
        let mut hits: Vec<(usize, Hit)> = Vec::with_capacity(keys.len());
        for turn in self.judging_order(&judge, &mut reader, keys)? {
            let Some(message) = self.open(&mut reader, keys[turn].no)? else {
                continue;
            };
            // A message that gained a version since the index read it is shown without marks.
            let matched = judge.spans(&message)?.unwrap_or_default();
            let hit = self.hit(&mut reader, keys[turn], &message, matched, context_lines)?;
            hits.push((turn, hit));
        }
        hits.sort_by_key(|(turn, _)| *turn);
        Ok(hits.into_iter().map(|(_, hit)| hit).collect())
    }

    fn hit(
        &self,
        reader: &mut Reader<'_>,
        key: SortKey,
        message: &OpenedMessage,
        matched: Vec<HitSpan>,
        context_lines: u32,
    ) -> Result<Hit> {
        let before = reader.rows().messages_before(&message.row, context_lines)?;
        let after = reader.rows().messages_after(&message.row, context_lines)?;
        Ok(Hit {
            line: Line::of(message, self.names, self.resolved.zone),
            key,
            conversation: self.place(reader, message)?,
            pieces: pieces(message, &matched),
            versions_matched: versions_matched(&matched),
            versions: message.versions.len() as u16,
            matched,
            attachments: attachment_names(message),
            before: self.lines(reader, before.into_iter().rev())?,
            after: self.lines(reader, after.into_iter())?,
        })
    }

    fn place(&self, reader: &mut Reader<'_>, message: &OpenedMessage) -> Result<Place> {
        let row = reader.conversation(message.row.conversation)?;
        let title = match self.names.title(row.no) {
            Some(title) => title.to_owned(),
            // Created since the directory was read.
            None => reader
                .texts(row.title_no)?
                .into_iter()
                .next()
                .unwrap_or_default(),
        };
        Ok(Place {
            no: row.no,
            id: row.id,
            title,
        })
    }

    fn lines(
        &self,
        reader: &mut Reader<'_>,
        rows: impl Iterator<Item = MessageRow>,
    ) -> Result<Vec<Line>> {
        let shown = rows.filter(|row| self.names.scope().shows(row.no));
        shown
            .map(|row| {
                self.check_scope(reader, &row)?;
                let message = reader.open(row)?;
                Ok(Line::of(&message, self.names, self.resolved.zone))
            })
            .collect()
    }
}

fn attachment_names(message: &OpenedMessage) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for attachment in message
        .versions
        .iter()
        .flat_map(|version| &version.attachments)
    {
        if !names.contains(&attachment.name) {
            names.push(attachment.name.clone());
        }
    }
    names
}

fn cost_of(cost: &index::Cost) -> Cost {
    Cost {
        segments: cost.segments,
        places: cost.places,
        opened: 0,
    }
}

/// Whether any message of an import lies inside the scope.
pub(super) fn any_of_import(archive: &Archive, scope: &Scope, no: ImportNo) -> Result<bool> {
    let imports = [no].into_iter().collect();
    let resolved = Resolved {
        root: Node::Fact(Predicate::Import(imports)),
        canonical: everything(),
        absolute: everything(),
        zone: chrono_tz::Tz::UTC,
        names: Vec::new(),
        problems: Vec::new(),
    };
    let (count, _) = archive.index().count(&resolved, scope)?;
    Ok(count > 0)
}

fn everything() -> crate::query::ast::Query {
    crate::query::ast::Query {
        root: crate::query::ast::ExprKind::Everything.into(),
        zone: None,
        accent_strict: false,
        strict: false,
    }
}
/// The index named it inside and the record outside: one of the two is wrong, and nothing of it may be
/// shown.
pub(super) fn outside_scope() -> SearchError {
    ArchiveError::Integrity("the scope of a message in the search index".to_owned()).into()
}
