//! The first hits of a page, gathered segment by segment.
//!
//! Places come in the order of the segment, which is mostly rising in time, so that on a page of
//! the newest nearly every place is better than all before it. They are gathered without order and
//! cut back to the page now and then, which costs the same whatever order they come in.

use std::cmp::Reverse;

use tantivy::{COLLECT_BLOCK_BUFFER_LEN, DocId};

use super::collect::{Hit, Order, Page};
use super::columns::Columns;
use super::score::Scorers;
use crate::domain::{MessageNo, Timestamp};

/// Fewest places gathered before they are cut back to the page.
const GATHERED_MIN: usize = 256;

/// Greater is earlier on the page: the key of the order, then the message.
type Rank = (i64, u64);

fn rank(order: Order, sent: i64, no: u64, score: f32) -> Rank {
    match order {
        Order::Newest => (sent, no),
        Order::Oldest => (!sent, !no),
        // Scores are not negative, so their bits sort like them.
        Order::Best => (score.to_bits().into(), no),
    }
}

/// A place of the segment under way that may get onto the page.
struct Place {
    rank: Rank,
    doc: DocId,
    score: f32,
}

/// The best so far.
pub(super) struct Top {
    order: Order,
    limit: usize,
    after: Option<Rank>,
    /// Rank of the last hit of a full page.
    floor: Option<Rank>,
    page: Vec<(Rank, Hit)>,
    fresh: Vec<Place>,
}

impl Top {
    /// An empty page.
    pub fn new(page: &Page<'_>) -> Top {
        Top {
            order: page.order,
            limit: page.limit,
            after: page
                .after
                .map(|after| rank(page.order, after.sent.0, after.no.0, after.score)),
            floor: None,
            page: Vec::new(),
            fresh: Vec::new(),
        }
    }

    /// The keys of a segment's messages: least and most.
    pub fn keys(&self, (first, last): (i64, i64)) -> (i64, i64) {
        match self.order {
            Order::Newest => (first, last),
            Order::Oldest => (!last, !first),
            Order::Best => (0, i64::MAX),
        }
    }

    /// Whether any message of a segment could still get onto the page.
    pub fn may_take(&self, times: (i64, i64)) -> bool {
        let (least, most) = self.keys(times);
        self.limit > 0
            && self.floor.is_none_or(|floor| most >= floor.0)
            && self.after.is_none_or(|after| least <= after.0)
    }

    fn takes(&self, rank: Rank) -> bool {
        self.floor.is_none_or(|floor| rank > floor) && self.after.is_none_or(|after| rank < after)
    }

    /// Looks at a block of places of the segment under way.
    pub fn take(&mut self, docs: &[DocId], columns: &Columns, scorers: Option<&mut Scorers>) {
        let mut keys = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut numbers = [0; COLLECT_BLOCK_BUFFER_LEN];
        let mut scores = [0.0; COLLECT_BLOCK_BUFFER_LEN];
        let (keys, numbers) = (&mut keys[..docs.len()], &mut numbers[..docs.len()]);
        if let Some(scorers) = scorers {
            for (doc, score) in docs.iter().zip(&mut scores) {
                *score = scorers.score(*doc);
            }
        } else {
            columns.sent.values.get_vals(docs, keys);
        }
        for (key, score) in keys.iter_mut().zip(&scores) {
            *key = rank(self.order, *key, 0, *score).0;
        }
        let least = self.floor.map_or(i64::MIN, |floor| floor.0);
        let most = self.after.map_or(i64::MAX, |after| after.0);
        // The number decides among equals only, so it is read only where a key may get on.
        if !keys.iter().any(|key| (least..=most).contains(key)) {
            return;
        }
        columns.no.values.get_vals(docs, numbers);
        for (at, doc) in docs.iter().enumerate() {
            let number = match self.order {
                Order::Oldest => !numbers[at],
                Order::Newest | Order::Best => numbers[at],
            };
            let rank = (keys[at], number);
            if self.takes(rank) {
                self.fresh.push(Place {
                    rank,
                    doc: *doc,
                    score: scores[at],
                });
            }
        }
        if self.fresh.len() >= self.limit.saturating_mul(2).max(GATHERED_MIN) {
            self.cut_back();
        }
    }

    /// Drops the places that are behind a whole page of others.
    fn cut_back(&mut self) {
        if self.fresh.len() < self.limit {
            return;
        }
        let last = self.limit - 1;
        self.fresh
            .select_nth_unstable_by(last, |a, b| b.rank.cmp(&a.rank));
        self.fresh.truncate(self.limit);
        self.floor = self.floor.max(self.fresh.last().map(|place| place.rank));
    }

    /// Ends a segment: what it gave goes onto the page.
    pub fn settle(&mut self, columns: &Columns) {
        self.cut_back();
        for place in self.fresh.drain(..) {
            let (key, number) = place.rank;
            let (sent, no) = match self.order {
                Order::Newest => (key, number),
                Order::Oldest => (!key, !number),
                Order::Best => (columns.sent.first(place.doc).unwrap_or_default(), number),
            };
            let hit = Hit {
                no: MessageNo(no),
                sent: Timestamp(sent),
                order: columns.order.first(place.doc).unwrap_or_default(),
                score: place.score,
            };
            self.page.push((place.rank, hit));
        }
        if self.page.len() >= self.limit {
            let last = self.limit - 1;
            self.page.select_nth_unstable_by(last, |a, b| b.0.cmp(&a.0));
            self.page.truncate(self.limit);
            self.floor = self.page.last().map(|(rank, _)| *rank);
        }
    }

    /// The page in order.
    pub fn into_hits(mut self) -> Vec<Hit> {
        self.page.sort_unstable_by_key(|(rank, _)| Reverse(*rank));
        self.page.into_iter().map(|(_, hit)| hit).collect()
    }
}
