//! How often one asker may ask: buckets that fill with time. What is over is told when to come again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Askers that are remembered at once; a full bucket is forgotten first.
const ASKERS_MAX: usize = 10_000;

struct Bucket {
    left: f64,
    seen: Instant,
}

/// Buckets of one size, one for each asker.
pub(super) struct Buckets<K> {
    size: f64,
    per_second: f64,
    askers: Mutex<HashMap<K, Bucket>>,
}

impl<K: Eq + Hash> Buckets<K> {
    /// `size` requests at once, and `per_minute` for good.
    pub(super) fn new(size: u32, per_minute: u32) -> Self {
        Self {
            size: f64::from(size),
            per_second: f64::from(per_minute) / 60.0,
            askers: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one; or says how long to wait.
    pub(super) fn take(&self, asker: K) -> Result<(), Duration> {
        self.take_at(asker, Instant::now())
    }

    fn take_at(&self, asker: K, now: Instant) -> Result<(), Duration> {
        let mut askers = self.askers.lock().unwrap_or_else(PoisonError::into_inner);
        if askers.len() >= ASKERS_MAX {
            let (size, rate) = (self.size, self.per_second);
            askers.retain(|_, bucket| filled(bucket, size, rate, now) < size);
            if askers.len() >= ASKERS_MAX {
                // More askers than anybody has: those who come first are served.
                return Err(Duration::from_secs(1));
            }
        }
        let bucket = askers.entry(asker).or_insert(Bucket {
            left: self.size,
            seen: now,
        });
        bucket.left = filled(bucket, self.size, self.per_second, now);
        bucket.seen = now;
        if bucket.left < 1.0 {
            return Err(Duration::from_secs_f64(
                (1.0 - bucket.left) / self.per_second,
            ));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

fn filled(bucket: &Bucket, size: f64, per_second: f64, now: Instant) -> f64 {
    let passed = now.saturating_duration_since(bucket.seen).as_secs_f64();
    (bucket.left + passed * per_second).min(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_fills_and_belongs_to_one() {
        let buckets = Buckets::new(2, 60);
        let start = Instant::now();
        assert!(buckets.take_at("a", start).is_ok());
        assert!(buckets.take_at("a", start).is_ok());
        let wait = buckets.take_at("a", start).unwrap_err();
        assert!(wait > Duration::from_millis(900) && wait <= Duration::from_secs(1));
        assert!(buckets.take_at("b", start).is_ok());
        assert!(buckets.take_at("a", start + Duration::from_secs(1)).is_ok());
        assert!(
            buckets
                .take_at("a", start + Duration::from_secs(1))
                .is_err()
        );
    }

    #[test]
    fn a_crowd_of_askers_takes_bounded_memory() {
        let buckets = Buckets::new(1, 1);
        let start = Instant::now();
        for asker in 0..3 * ASKERS_MAX {
            let _ = buckets.take_at(asker, start);
        }
        assert!(buckets.askers.lock().unwrap().len() <= ASKERS_MAX);
    }
}
