//! The orders of an answer and the key by which hits stand in them.

use std::cmp::Ordering;

use crate::domain::{MessageNo, Timestamp};

/// How hits are ordered. The number stands in cursors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Order {
    /// Latest first.
    #[default]
    Newest = 0,
    /// Earliest first.
    Oldest = 1,
    /// Best match first, the later number first among equals.
    Best = 2,
}

impl Order {
    /// The order of a number, as a cursor carries it.
    pub const fn from_number(number: u8) -> Option<Order> {
        match number {
            0 => Some(Order::Newest),
            1 => Some(Order::Oldest),
            2 => Some(Order::Best),
            _ => None,
        }
    }

    /// Every order.
    pub const ALL: [Order; 3] = [Order::Newest, Order::Oldest, Order::Best];

    /// The name in addresses and kept searches.
    pub const fn name(self) -> &'static str {
        match self {
            Order::Newest => "newest",
            Order::Oldest => "oldest",
            Order::Best => "best",
        }
    }

    /// The order of a name.
    pub fn from_name(name: &str) -> Option<Order> {
        Order::ALL.into_iter().find(|order| order.name() == name)
    }
}

impl From<Order> for crate::index::Order {
    fn from(order: Order) -> Self {
        match order {
            Order::Newest => crate::index::Order::Newest,
            Order::Oldest => crate::index::Order::Oldest,
            Order::Best => crate::index::Order::Best,
        }
    }
}

/// The place of a hit. No two messages share one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SortKey {
    /// How well it matches; 0 where that was not asked.
    pub score: f32,
    /// When it was sent.
    pub sent: Timestamp,
    /// Its number.
    pub no: MessageNo,
}

impl From<crate::index::Hit> for SortKey {
    fn from(hit: crate::index::Hit) -> Self {
        SortKey {
            score: hit.score,
            sent: hit.sent,
            no: hit.no,
        }
    }
}

impl From<SortKey> for crate::index::Cursor {
    fn from(key: SortKey) -> Self {
        crate::index::Cursor {
            no: key.no,
            sent: key.sent,
            score: key.score,
        }
    }
}

impl SortKey {
    /// Which of two hits stands first.
    pub fn compare(&self, other: &SortKey, order: Order) -> Ordering {
        let time = |key: &SortKey| (key.sent, key.no);
        match order {
            Order::Oldest => time(self).cmp(&time(other)),
            Order::Newest => time(other).cmp(&time(self)),
            Order::Best => other
                .score
                .total_cmp(&self.score)
                .then_with(|| other.no.cmp(&self.no)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(score: f32, sent: i64, no: u64) -> SortKey {
        SortKey {
            score,
            sent: Timestamp(sent),
            no: MessageNo(no),
        }
    }

    #[test]
    fn s10_equal_times_are_told_apart_by_number() {
        let keys = [key(0.0, 4, 9), key(0.0, 5, 3), key(0.0, 5, 4)];
        assert!(keys.is_sorted_by(|a, b| a.compare(b, Order::Oldest) == Ordering::Less));
        assert!(keys.is_sorted_by(|a, b| a.compare(b, Order::Newest) == Ordering::Greater));
    }

    #[test]
    fn s10_the_better_match_stands_first() {
        let (good, late) = (key(2.0, 1, 1), key(1.0, 9, 2));
        assert_eq!(good.compare(&late, Order::Best), Ordering::Less);
        assert_eq!(good.compare(&late, Order::Newest), Ordering::Greater);
    }
}
