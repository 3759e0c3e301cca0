//! Running a query over all parts: exact totals, the first hits in order, candidates.

use std::cell::RefCell;
use std::cmp::Reverse;

use tantivy::fastfield::AliveBitSet;
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, SegmentReader};

use super::docset::Docs;
use super::error::{Error, Result};
use super::expand::Expansions;
use super::fuzzy::FuzzyWords;
use super::parts::{Index, Part};
use super::plan::{Compiled, Plan, compile, within};
use super::schema::{CONVERSATION, NO, SENDER, SENT};
use super::score::{Scorers, Statistics};
use super::segment::View;
use super::top::Top;
use crate::domain::{ConversationNo, HandleNo, MessageNo, Scope, Timestamp};
use crate::query::Resolved;

/// Blocks of places between two questions whether time is up (64 places each).
const BLOCKS_PER_CHECK: u32 = 256;

/// The order of hits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Newest first.
    Newest,
    /// Oldest first.
    Oldest,
    /// Best score first.
    Best,
}

/// One message that matches.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The message.
    pub no: MessageNo,
    /// When it was sent.
    pub sent: Timestamp,
    /// Its sequence in the source.
    pub order: u64,
    /// How well it matches; 0 unless [`Order::Best`] was asked.
    pub score: f32,
}

/// Where a page ended: the next page begins after this hit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cursor {
    /// The message.
    pub no: MessageNo,
    /// When it was sent.
    pub sent: Timestamp,
    /// Its score.
    pub score: f32,
}

impl From<Hit> for Cursor {
    fn from(hit: Hit) -> Cursor {
        Cursor {
            no: hit.no,
            sent: hit.sent,
            score: hit.score,
        }
    }
}

/// What a page of hits is asked with.
#[derive(Clone, Copy)]
pub struct Page<'a> {
    /// The order.
    pub order: Order,
    /// The last hit of the page before, if any.
    pub after: Option<Cursor>,
    /// Most hits of the page.
    pub limit: usize,
    /// Asked now and then; `true` ends the query with [`Error::Budget`].
    pub stop: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl Page<'_> {
    /// The first page in an order, without a limit of time.
    pub const fn first(order: Order, limit: usize) -> Page<'static> {
        Page {
            order,
            after: None,
            limit,
            stop: None,
        }
    }
}

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The page.
    pub hits: Vec<Hit>,
    /// How many messages match in all.
    pub total: u64,
    /// Whether hits and total are exact. If not, they are candidates: the evaluator decides
    /// (see [`Index::candidates`]).
    pub verified: bool,
    /// What wildcards, fuzzy words, stems and expressions stood for inside the scope.
    pub expansions: Vec<(String, Vec<String>)>,
    /// What it took.
    pub cost: Cost,
}

/// What a query took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Segments looked at.
    pub segments: u32,
    /// Places that came out of the sets, deleted ones included.
    pub places: u64,
}

impl Index {
    /// One page of hits and the exact total, inside a scope.
    ///
    /// # Errors
    /// A damaged file by name, too many expansions, or the end of the caller's patience.
    pub fn search(&self, query: &Resolved, scope: &Scope, page: Page<'_>) -> Result<Answer> {
        let scope = within(scope, self.hidden().as_deref());
        let compiled = compile(&query.root, &scope);
        let run = Run::new(self, &compiled, scope, page.stop);
        run.answer(page)
    }

    /// How many messages match, and whether that is exact.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn count(&self, query: &Resolved, scope: &Scope) -> Result<(u64, bool)> {
        let answer = self.search(query, scope, Page::first(Order::Newest, 0))?;
        Ok((answer.total, answer.verified))
    }

    /// Every message that may match, newest first: a superset of the hits, never less. The flag
    /// says whether it is exactly the hits.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn candidates(&self, query: &Resolved, scope: &Scope) -> Result<(Vec<MessageNo>, bool)> {
        let answer = self.search(query, scope, Page::first(Order::Newest, usize::MAX))?;
        let numbers = answer.hits.iter().map(|hit| hit.no).collect();
        Ok((numbers, answer.verified))
    }
}

/// Where a message that matches belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The message.
    pub no: MessageNo,
    /// Its conversation.
    pub conversation: ConversationNo,
    /// Who sent it; nobody in a notice.
    pub sender: Option<HandleNo>,
    /// When it was sent.
    pub sent: Timestamp,
}

impl Index {
    /// Hands out every message that matches, in no order, from the columns alone. Gives `false`, and
    /// hands out nothing, for a query whose hits only the evaluator can tell.
    ///
    /// # Errors
    /// As [`Index::search`].
    pub fn each(
        &self,
        query: &Resolved,
        scope: &Scope,
        stop: Option<&(dyn Fn() -> bool + Sync)>,
        visit: &mut dyn FnMut(Placed),
    ) -> Result<bool> {
        let scope = within(scope, self.hidden().as_deref());
        let compiled = compile(&query.root, &scope);
        if !compiled.exact {
            return Ok(false);
        }
        let run = Run::new(self, &compiled, scope, stop);
        for (part, searcher) in self.pictures().iter() {
            for reader in searcher.segment_readers() {
                let times = part.times(reader)?;
                let segment = Segment {
                    part,
                    reader,
                    times,
                };
                let visited = run.visit(&segment, visit);
                visited.map_err(|error| explained(part, error))?;
            }
            if let Some(error) = part.directory.take_failure() {
                return Err(error);
            }
        }
        Ok(true)
    }
}

/// One query under way.
struct Run<'a> {
    index: &'a Index,
    compiled: &'a Compiled,
    scope: Plan,
    expansions: RefCell<Expansions>,
    fuzzy: FuzzyWords<'a>,
    stop: Option<&'a (dyn Fn() -> bool + Sync)>,
}

impl<'a> Run<'a> {
    fn new(
        index: &'a Index,
        compiled: &'a Compiled,
        scope: Plan,
        stop: Option<&'a (dyn Fn() -> bool + Sync)>,
    ) -> Run<'a> {
        Run {
            index,
            compiled,
            expansions: RefCell::new(Expansions::new(scope.clone())),
            scope,
            fuzzy: FuzzyWords::new(&index.shared.fuzzy),
            stop,
        }
    }

    fn answer(self, page: Page<'_>) -> Result<Answer> {
        let parts = self.index.pictures();
        let mut top = Top::new(&page);
        let mut segments = Vec::new();
        for (part, searcher) in parts.iter() {
            for reader in searcher.segment_readers() {
                let times = part.times(reader)?;
                segments.push(Segment {
                    part,
                    reader,
                    times,
                });
            }
        }
        // Those that may fill the page best come first: the others are only counted then.
        segments.sort_by_key(|segment| Reverse(top.keys(segment.times).1));
        let statistics = match page.order {
            Order::Best => Some(self.statistics(&segments)?),
            _ => None,
        };
        let (mut total, mut cost) = (0, Cost::default());
        for segment in &segments {
            let counted = self
                .segment(segment, statistics.as_ref(), &mut top, &mut cost)
                .map_err(|error| explained(segment.part, error))?;
            total += counted;
        }
        for (part, _) in parts.iter() {
            if let Some(error) = part.directory.take_failure() {
                return Err(error);
            }
        }
        Ok(Answer {
            hits: top.into_hits(),
            total,
            verified: self.compiled.exact,
            expansions: self.expansions.into_inner().words(),
            cost,
        })
    }

    fn view<'b>(&'b self, segment: &Segment<'b>) -> View<'b> {
        View {
            reader: segment.reader,
            fields: &self.index.shared.fields,
            expansions: &self.expansions,
            fuzzy: &self.fuzzy,
            times: segment.times,
        }
    }

    /// Counts over living messages inside the scope, so that neither deleted nor walled-off ones
    /// show through the order of hits.
    fn statistics(&self, segments: &[Segment<'_>]) -> Result<Statistics> {
        let mut statistics = Statistics::new(self.compiled.scored.len());
        for segment in segments {
            let view = self.view(segment);
            let gathered = statistics.gather(&view, &self.compiled.scored, &self.scope);
            gathered.map_err(|error| explained(segment.part, error))?;
            self.check(0)?;
        }
        Ok(statistics)
    }

    fn check(&self, block: u32) -> Result<()> {
        let due = block.is_multiple_of(BLOCKS_PER_CHECK);
        if due && self.stop.is_some_and(|stop| stop()) {
            return Err(Error::Budget {
                clause: self.compiled.heaviest(),
            });
        }
        Ok(())
    }

    /// Takes the hits of one segment onto the page and counts them all.
    fn segment(
        &self,
        segment: &Segment<'_>,
        statistics: Option<&Statistics>,
        top: &mut Top,
        cost: &mut Cost,
    ) -> Result<u64> {
        self.check(0)?;
        cost.segments += 1;
        let (view, plan) = (self.view(segment), &self.compiled.plan);
        let alive = segment.reader.alive_bitset();
        if !top.may_take(segment.times) {
            if alive.is_none()
                && let Some(count) = view.count(plan)?
            {
                cost.places += count;
                return Ok(count);
            }
            return self.walk(alive, view.docs(plan, None)?, cost, |_| {});
        }
        let docs = view.docs(plan, None)?;
        let mut scorers = match statistics {
            Some(statistics) => Some(Scorers::open(&view, &self.compiled.scored, statistics)?),
            None => None,
        };
        let columns = segment.part.columns(segment.reader)?;
        let total = self.walk(alive, docs, cost, |docs| {
            if top.may_take(segment.times) {
                top.take(docs, &columns, scorers.as_mut());
            }
        })?;
        top.settle(&columns);
        Ok(total)
    }

    /// Hands out the messages of one segment that match.
    fn visit(&self, segment: &Segment<'_>, visit: &mut dyn FnMut(Placed)) -> Result<()> {
        self.check(0)?;
        let docs = self.view(segment).docs(&self.compiled.plan, None)?;
        let fast = segment.reader.fast_fields();
        let (no, sent) = (fast.u64(NO)?, fast.i64(SENT)?);
        let conversation = fast.u64(CONVERSATION)?;
        let sender = fast.column_opt::<u64>(SENDER)?;
        let placed = |doc: DocId| {
            Some(Placed {
                no: MessageNo(no.first(doc)?),
                conversation: ConversationNo(u32::try_from(conversation.first(doc)?).ok()?),
                sender: match sender.as_ref().and_then(|sender| sender.first(doc)) {
                    Some(sender) => Some(HandleNo(u32::try_from(sender).ok()?)),
                    None => None,
                },
                sent: Timestamp(sent.first(doc)?),
            })
        };
        let alive = segment.reader.alive_bitset();
        let mut lacking = false;
        self.walk(alive, docs, &mut Cost::default(), |docs| {
            for doc in docs {
                match placed(*doc) {
                    Some(placed) => visit(placed),
                    None => lacking = true,
                }
            }
        })?;
        match lacking {
            false => Ok(()),
            true => Err(Error::Damaged {
                file: format!("segment {}", segment.reader.segment_id().uuid_string()),
                reason: "a message without its place".to_owned(),
            }),
        }
    }

    /// Hands the living places of a set out in blocks, and counts them.
    fn walk(
        &self,
        alive: Option<&AliveBitSet>,
        mut docs: Docs,
        cost: &mut Cost,
        mut take: impl FnMut(&[DocId]),
    ) -> Result<u64> {
        let mut buffer = [0; COLLECT_BLOCK_BUFFER_LEN];
        let (mut total, mut block) = (0, 0);
        loop {
            let filled = docs.fill_buffer(&mut buffer);
            cost.places += filled as u64;
            let mut kept = filled;
            if let Some(alive) = alive {
                kept = 0;
                for place in 0..filled {
                    if alive.is_alive(buffer[place]) {
                        buffer[kept] = buffer[place];
                        kept += 1;
                    }
                }
            }
            total += kept as u64;
            if kept > 0 {
                take(&buffer[..kept]);
            }
            if filled < buffer.len() {
                return Ok(total);
            }
            block += 1;
            self.check(block)?;
        }
    }
}

/// One segment of the picture a query sees.
struct Segment<'a> {
    part: &'a Part,
    reader: &'a SegmentReader,
    /// First and last time in it.
    times: (i64, i64),
}

fn explained(part: &Part, error: Error) -> Error {
    match error {
        Error::Engine(error) => part.directory.explain(error),
        error => error,
    }
}
