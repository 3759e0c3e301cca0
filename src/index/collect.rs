//! Running a query over all parts: exact totals, the first hits in order, candidates.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::columnar::Column;
use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId, SegmentReader};

use super::docset::Docs;
use super::error::{Error, Result};
use super::expand::Expansions;
use super::parts::{Index, Part};
use super::plan::{Compiled, Plan, compile, within};
use super::schema::{NO, ORDER, SENT};
use super::score::{Scorers, Statistics};
use super::segment::View;
use crate::domain::{MessageNo, Scope, Timestamp};
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

/// Greater is earlier on the page.
type Rank = (i64, u64);

fn rank(order: Order, sent: i64, no: u64, score: f32) -> Rank {
    match order {
        Order::Newest => (sent, no),
        Order::Oldest => (!sent, !no),
        // Scores are not negative, so their bits sort like them.
        Order::Best => (score.to_bits().into(), no),
    }
}

/// The best so far, worst on top.
struct Top {
    limit: usize,
    after: Option<Rank>,
    heap: BinaryHeap<Reverse<(Rank, u64)>>,
    hits: Vec<Hit>,
}

impl Top {
    /// Whether a rank would get onto the page.
    fn takes(&self, rank: Rank) -> bool {
        if self.limit == 0 || self.after.is_some_and(|after| rank >= after) {
            return false;
        }
        self.heap.len() < self.limit
            || self
                .heap
                .peek()
                .is_some_and(|Reverse((worst, _))| rank > *worst)
    }

    /// Whether anything of this key, whatever its number, might get onto the page.
    fn may_take(&self, key: i64) -> bool {
        let behind = self.after.is_some_and(|after| key > after.0);
        !behind && !self.is_above(key)
    }

    /// Whether the page is full of better keys.
    fn is_above(&self, key: i64) -> bool {
        self.limit == 0
            || self.heap.len() == self.limit
                && self
                    .heap
                    .peek()
                    .is_some_and(|Reverse((worst, _))| key < worst.0)
    }

    fn put(&mut self, rank: Rank, hit: Hit) {
        let slot = if self.heap.len() == self.limit {
            match self.heap.pop() {
                Some(Reverse((_, slot))) => slot as usize,
                None => return,
            }
        } else {
            self.hits.push(hit);
            self.hits.len() - 1
        };
        self.hits[slot] = hit;
        self.heap.push(Reverse((rank, slot as u64)));
    }

    fn into_hits(self) -> Vec<Hit> {
        let mut ranked: Vec<(Rank, u64)> = self.heap.into_iter().map(|entry| entry.0).collect();
        ranked.sort_unstable_by(|a, b| b.cmp(a));
        ranked
            .into_iter()
            .map(|(_, slot)| self.hits[slot as usize])
            .collect()
    }
}

/// One query under way.
struct Run<'a> {
    index: &'a Index,
    compiled: &'a Compiled,
    scope: Plan,
    expansions: RefCell<Expansions>,
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
            stop,
        }
    }

    fn answer(self, page: Page<'_>) -> Result<Answer> {
        let mut parts = self.index.shared.all();
        if page.order != Order::Oldest {
            parts.reverse();
        }
        let searchers: Vec<(Arc<Part>, tantivy::Searcher)> = parts
            .into_iter()
            .map(|part| {
                let searcher = part.searcher();
                (part, searcher)
            })
            .collect();
        let statistics = match page.order {
            Order::Best => Some(self.statistics(&searchers)?),
            _ => None,
        };
        let mut top = Top {
            limit: page.limit,
            after: page
                .after
                .map(|after| rank(page.order, after.sent.0, after.no.0, after.score)),
            heap: BinaryHeap::new(),
            hits: Vec::new(),
        };
        let (mut total, mut cost) = (0, Cost::default());
        for (part, searcher) in &searchers {
            for reader in searcher.segment_readers() {
                let counted = self
                    .segment(reader, page.order, statistics.as_ref(), &mut top, &mut cost)
                    .map_err(|error| explained(part, error))?;
                total += counted;
            }
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

    fn view<'b>(&'b self, reader: &'b SegmentReader) -> View<'b> {
        View {
            reader,
            fields: &self.index.shared.fields,
            expansions: &self.expansions,
        }
    }

    /// Counts over living messages inside the scope, so that neither deleted nor walled-off ones
    /// show through the order of hits.
    fn statistics(&self, searchers: &[(Arc<Part>, tantivy::Searcher)]) -> Result<Statistics> {
        let mut statistics = Statistics::new(self.compiled.scored.len());
        for (part, searcher) in searchers {
            for reader in searcher.segment_readers() {
                let view = self.view(reader);
                let gathered = statistics.gather(&view, &self.compiled.scored, &self.scope);
                gathered.map_err(|error| explained(part, error))?;
                self.check(0)?;
            }
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

    fn segment(
        &self,
        reader: &SegmentReader,
        order: Order,
        statistics: Option<&Statistics>,
        top: &mut Top,
        cost: &mut Cost,
    ) -> Result<u64> {
        self.check(0)?;
        cost.segments += 1;
        let view = self.view(reader);
        let docs = view.docs(&self.compiled.plan, None)?;
        let scorers = match statistics {
            Some(statistics) => Some(Scorers::open(&view, &self.compiled.scored, statistics)?),
            None => None,
        };
        let columns = Columns::open(reader)?;
        let mut taking = Taking {
            order,
            columns,
            scorers,
            top,
        };
        self.walk(reader, docs, &mut taking, cost)
    }

    fn walk(
        &self,
        reader: &SegmentReader,
        mut docs: Docs,
        taking: &mut Taking<'_>,
        cost: &mut Cost,
    ) -> Result<u64> {
        let alive = reader.alive_bitset();
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
            taking.take(&buffer[..kept])?;
            if filled < buffer.len() {
                return Ok(total);
            }
            block += 1;
            self.check(block)?;
        }
    }
}

fn explained(part: &Part, error: Error) -> Error {
    match error {
        Error::Engine(error) => part.directory.explain(error),
        error => error,
    }
}

struct Columns {
    no: Column<u64>,
    sent: Column<i64>,
    order: Column<u64>,
}

impl Columns {
    fn open(reader: &SegmentReader) -> Result<Columns> {
        let fast = reader.fast_fields();
        Ok(Columns {
            no: fast.u64(NO)?,
            sent: fast.i64(SENT)?,
            order: fast.u64(ORDER)?,
        })
    }
}

/// Takes places onto the page.
struct Taking<'a> {
    order: Order,
    columns: Columns,
    scorers: Option<Scorers>,
    top: &'a mut Top,
}

impl Taking<'_> {
    /// Whether any message of the segment could still get onto the page.
    fn hopeless(&self) -> bool {
        self.top.is_above(match self.order {
            Order::Newest => self.columns.sent.max_value(),
            Order::Oldest => !self.columns.sent.min_value(),
            Order::Best => i64::MAX,
        })
    }

    fn take(&mut self, docs: &[DocId]) -> Result<()> {
        if docs.is_empty() || self.hopeless() {
            return Ok(());
        }
        let mut times = [0; COLLECT_BLOCK_BUFFER_LEN];
        let times = &mut times[..docs.len()];
        self.columns.sent.values.get_vals(docs, times);
        for (doc, sent) in docs.iter().zip(times) {
            self.take_one(*doc, *sent);
        }
        Ok(())
    }

    fn take_one(&mut self, doc: DocId, sent: i64) {
        let score = match &mut self.scorers {
            Some(scorers) => scorers.score(doc),
            None => 0.0,
        };
        // The number decides among equals only, so it is read only for places that may get on.
        if !self.top.may_take(rank(self.order, sent, 0, score).0) {
            return;
        }
        let Some(no) = self.columns.no.first(doc) else {
            return;
        };
        let rank = rank(self.order, sent, no, score);
        if self.top.takes(rank) {
            let hit = Hit {
                no: MessageNo(no),
                sent: Timestamp(sent),
                order: self.columns.order.first(doc).unwrap_or_default(),
                score,
            };
            self.top.put(rank, hit);
        }
    }
}
