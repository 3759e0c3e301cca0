//! The sequence that feeds message numbers and nonces: blocks whose end is durable before use.

use std::sync::PoisonError;

use rusqlite::OptionalExtension;

use super::{Store, StoreError};

/// Numbers reserved at a time.
pub const NUMBER_BLOCK: u64 = 4_096;
/// Largest number: `ContentKey` keeps 43 bits for it.
const NUMBER_MAX: u64 = (1 << 43) - 1;
/// Name of the sequence in `number_sequence`.
const SEQUENCE: &str = "message";

/// A run of numbers that belongs to whoever holds it; dropping it unused wastes it, by design.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct NumberRange {
    next: u64,
    end: u64,
}

impl NumberRange {
    /// How many numbers are left.
    pub fn left(&self) -> u64 {
        self.end - self.next
    }

    /// Takes `count` numbers off the front; `None` when fewer are left.
    pub fn split(&mut self, count: u64) -> Option<NumberRange> {
        if self.left() < count {
            return None;
        }
        let taken = NumberRange {
            next: self.next,
            end: self.next + count,
        };
        self.next = taken.end;
        Some(taken)
    }
}

impl Iterator for NumberRange {
    type Item = u64;
    fn next(&mut self) -> Option<u64> {
        if self.next == self.end {
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }
}

/// What this process has reserved and not yet handed out.
pub(super) struct Numbers {
    next: u64,
    end: u64,
}

impl Numbers {
    pub(super) fn empty() -> Self {
        Self { next: 0, end: 0 }
    }
}

impl Store {
    /// Hands out `count` consecutive numbers, never before and never again. The high-water mark of
    /// what is handed out is durable when this returns. Must not be called while this thread holds
    /// a `WriteTx`: it writes in a transaction of its own.
    pub fn take_numbers(&self, count: u64) -> Result<NumberRange, StoreError> {
        let mut numbers = self
            .numbers()
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if numbers.end - numbers.next < count {
            let block = count.div_ceil(NUMBER_BLOCK) * NUMBER_BLOCK;
            let tx = self.write()?;
            let start: u64 = tx
                .connection()
                .prepare_cached("select high_water from number_sequence where name = ?1")?
                .query_row([SEQUENCE], |row| row.get(0))
                .optional()?
                .unwrap_or(1);
            let end = start + block;
            if end > NUMBER_MAX {
                return Err(StoreError::Limit("message numbers are used up"));
            }
            tx.connection()
                .prepare_cached(
                    "insert into number_sequence (name, high_water) values (?1, ?2)
                     on conflict (name) do update set high_water = excluded.high_water",
                )?
                .execute((SEQUENCE, end))?;
            tx.commit()?;
            // A rest too short for this request is wasted: ranges stay consecutive.
            *numbers = Numbers { next: start, end };
        }
        let range = NumberRange {
            next: numbers.next,
            end: numbers.next + count,
        };
        numbers.next = range.end;
        Ok(range)
    }
}

#[cfg(test)]
mod tests {
    use super::super::connection::tests::scratch;

    #[test]
    fn a_number_is_handed_out_once_even_after_rollback_and_reopening() {
        let scratch = scratch();
        let mut seen = std::collections::HashSet::new();
        for _ in 0..3 {
            let store = scratch.open();
            for count in [1, 10, 5_000, 3] {
                let range = store.take_numbers(count).unwrap();
                assert_eq!(range.left(), count);
                let _rolled_back = store.write().unwrap();
                for number in range {
                    assert!(number > 0 && seen.insert(number));
                }
            }
        }
    }
}
