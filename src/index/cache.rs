//! The cache of decrypted bytes: whole ranges as the engine asked for them, and single pages.
//!
//! The engine reads whole columns on every query, which is free on a memory map. A cache that
//! copied pages together on every read would pay for it each time, so ranges that cross a page
//! border are kept as they were asked for, and handed out again without a copy.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tantivy::directory::OwnedBytes;
use zeroize::Zeroize;

/// Locks per cache: more than the searches that run at once on a small server.
const SHARDS: usize = 16;
/// The part of the budget that belongs to ranges, in quarters; the rest belongs to pages.
const RANGE_QUARTERS: usize = 3;
/// What one entry costs beside its bytes, in bytes (map slot, list links, lent form, counts).
const ENTRY_OVERHEAD_BYTES: usize = 160;
/// No entry, end of a list.
const NONE: u32 = u32::MAX;

/// One file for the life of its handle; never reused, so a stale entry is never found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FileId(pub u64);

/// A decrypted buffer, shared with the queries that read it.
pub type Buffer = Arc<[u8]>;

#[derive(Clone, Copy, PartialEq, Eq)]
struct Place {
    file: FileId,
    start: u64,
    end: u64,
}

impl Place {
    /// Fibonacci hashing: neighbours in a file fall far apart. Nobody outside chooses places, so a
    /// hash that withstands chosen keys would cost every read for nothing.
    const fn mixed(self) -> u64 {
        (self.file.0.wrapping_mul(0xD6E8_FEB8_6659_FD93) ^ self.start ^ self.end.rotate_left(20))
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

impl std::hash::Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.mixed());
    }
}

/// Takes the mixed number as it is.
#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, mixed: u64) {
        // The table takes its slot from the low bits and its tag from the high ones.
        self.0 = mixed ^ mixed >> 32;
    }
}

/// A buffer of the cache and the form in which it is lent, made once.
struct Held {
    bytes: Buffer,
    lent: OwnedBytes,
}

impl Held {
    fn new(bytes: &Buffer) -> Held {
        Held {
            bytes: Arc::clone(bytes),
            lent: OwnedBytes::new(Arc::clone(bytes)),
        }
    }
}

/// Decrypted ranges and pages under one budget, shared by all parts of the index.
pub struct Cache {
    ranges: Pool,
    pages: Pool,
    next_file: AtomicU64,
}

/// What the cache holds and how often it answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CacheUse {
    /// Bytes held, overhead included.
    pub bytes: usize,
    /// Most bytes it may hold.
    pub budget_bytes: usize,
    /// Reads answered from memory.
    pub hits: u64,
    /// Reads that went to the disk.
    pub misses: u64,
}

impl Cache {
    /// A cache of at most `budget_bytes`, three quarters of it for ranges.
    pub fn new(budget_bytes: usize) -> Cache {
        let ranges = budget_bytes / 4 * RANGE_QUARTERS;
        Cache {
            ranges: Pool::new(ranges),
            pages: Pool::new(budget_bytes - ranges),
            next_file: AtomicU64::new(0),
        }
    }

    /// A fresh identity for a file that is being opened.
    pub fn new_file(&self) -> FileId {
        FileId(self.next_file.fetch_add(1, Ordering::Relaxed))
    }

    /// The bytes `start..end` of a file, if they were asked for exactly so before.
    pub fn range(&self, file: FileId, start: u64, end: u64) -> Option<OwnedBytes> {
        self.ranges.get(Place { file, start, end })
    }

    /// Keeps a range that crosses a page border.
    pub fn keep_range(&self, file: FileId, start: u64, end: u64, bytes: &Buffer) {
        self.ranges.put(Place { file, start, end }, bytes);
    }

    /// A decrypted page of a file.
    pub fn page(&self, file: FileId, page: u64) -> Option<OwnedBytes> {
        self.pages.get(Place {
            file,
            start: page,
            end: 0,
        })
    }

    /// Keeps a decrypted page.
    pub fn keep_page(&self, file: FileId, page: u64, bytes: &Buffer) {
        let place = Place {
            file,
            start: page,
            end: 0,
        };
        self.pages.put(place, bytes);
    }

    /// Drops and wipes everything of one file; buffers still lent to a query are freed by it.
    pub fn forget(&self, file: FileId) {
        self.ranges.forget(file);
        self.pages.forget(file);
    }

    /// What is held now.
    pub fn usage(&self) -> CacheUse {
        let (ranges, pages) = (&self.ranges, &self.pages);
        CacheUse {
            bytes: ranges.held() + pages.held(),
            budget_bytes: ranges.budget + pages.budget,
            hits: ranges.hits.load(Ordering::Relaxed) + pages.hits.load(Ordering::Relaxed),
            misses: ranges.misses.load(Ordering::Relaxed) + pages.misses.load(Ordering::Relaxed),
        }
    }
}

/// Least-recently-used entries under one weight, split over shards that lock apart.
struct Pool {
    shards: Vec<Mutex<Shard>>,
    weight: AtomicUsize,
    budget: usize,
    hits: AtomicU64,
    misses: AtomicU64,
}

#[derive(Default)]
struct Shard {
    places: HashMap<Place, u32, BuildHasherDefault<Mixed>>,
    entries: Vec<Entry>,
    free: Vec<u32>,
    /// Ends of the use order: `newest` was touched last.
    newest: u32,
    oldest: u32,
}

struct Entry {
    place: Place,
    held: Option<Held>,
    newer: u32,
    older: u32,
}

/// A lock is never held across code that can panic halfway through a change of the lists.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wipe(held: Held) {
    let Held { mut bytes, lent } = held;
    drop(lent);
    if let Some(last) = Arc::get_mut(&mut bytes) {
        last.zeroize();
    }
}

fn weight_of(bytes: &Buffer) -> usize {
    bytes.len() + ENTRY_OVERHEAD_BYTES
}

impl Pool {
    fn new(budget: usize) -> Pool {
        let shard = || {
            Mutex::new(Shard {
                newest: NONE,
                oldest: NONE,
                ..Shard::default()
            })
        };
        Pool {
            shards: std::iter::repeat_with(shard).take(SHARDS).collect(),
            weight: AtomicUsize::new(0),
            budget,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    fn held(&self) -> usize {
        self.weight.load(Ordering::Relaxed)
    }

    const fn shard_no(place: Place) -> usize {
        // Bits that the table in the shard does not use for slot or tag.
        (place.mixed() >> 48) as usize % SHARDS
    }

    fn get(&self, place: Place) -> Option<OwnedBytes> {
        let found = lock(&self.shards[Self::shard_no(place)]).get(&place);
        let counter = if found.is_some() {
            &self.hits
        } else {
            &self.misses
        };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn put(&self, place: Place, bytes: &Buffer) {
        let weight = weight_of(bytes);
        // One entry never pushes out more than half of everything else.
        if weight > self.budget / 2 {
            return;
        }
        let shard_no = Self::shard_no(place);
        if !lock(&self.shards[shard_no]).put(place, bytes) {
            return;
        }
        self.weight.fetch_add(weight, Ordering::Relaxed);
        let mut turn = shard_no;
        while self.held() > self.budget {
            turn = (turn + 1) % SHARDS;
            let evicted = lock(&self.shards[turn]).evict();
            match evicted {
                Some(held) => self.release(held),
                None if turn == shard_no => break,
                None => {}
            }
        }
    }

    fn release(&self, held: Held) {
        let weight = weight_of(&held.bytes);
        self.weight.fetch_sub(weight, Ordering::Relaxed);
        wipe(held);
    }

    fn forget(&self, file: FileId) {
        for shard in &self.shards {
            let gone = lock(shard).forget(file);
            for held in gone {
                self.release(held);
            }
        }
    }
}

impl Shard {
    fn get(&mut self, place: &Place) -> Option<OwnedBytes> {
        let slot = *self.places.get(place)?;
        let held = self.entries[slot as usize].held.as_ref()?;
        let bytes = held.lent.clone();
        if self.newest != slot {
            self.unlink(slot);
            self.link_newest(slot);
        }
        Some(bytes)
    }

    /// Whether the entry is new; two queries may have decrypted the same range at once.
    fn put(&mut self, place: Place, bytes: &Buffer) -> bool {
        if self.places.contains_key(&place) {
            return false;
        }
        let entry = Entry {
            place,
            held: Some(Held::new(bytes)),
            newer: NONE,
            older: NONE,
        };
        let slot = if let Some(slot) = self.free.pop() {
            self.entries[slot as usize] = entry;
            slot
        } else {
            self.entries.push(entry);
            (self.entries.len() - 1) as u32
        };
        self.places.insert(place, slot);
        self.link_newest(slot);
        true
    }

    fn evict(&mut self) -> Option<Held> {
        if self.oldest == NONE {
            return None;
        }
        self.remove(self.oldest)
    }

    fn forget(&mut self, file: FileId) -> Vec<Held> {
        let slots: Vec<u32> = self
            .places
            .iter()
            .filter(|(place, _)| place.file == file)
            .map(|(_, slot)| *slot)
            .collect();
        slots
            .into_iter()
            .filter_map(|slot| self.remove(slot))
            .collect()
    }

    fn remove(&mut self, slot: u32) -> Option<Held> {
        self.unlink(slot);
        self.free.push(slot);
        let entry = &mut self.entries[slot as usize];
        self.places.remove(&entry.place);
        entry.held.take()
    }

    fn unlink(&mut self, slot: u32) {
        let (newer, older) = {
            let entry = &self.entries[slot as usize];
            (entry.newer, entry.older)
        };
        match newer {
            NONE => self.newest = older,
            newer => self.entries[newer as usize].older = older,
        }
        match older {
            NONE => self.oldest = newer,
            older => self.entries[older as usize].newer = newer,
        }
    }

    fn link_newest(&mut self, slot: u32) {
        let before = self.newest;
        let entry = &mut self.entries[slot as usize];
        entry.newer = NONE;
        entry.older = before;
        match before {
            NONE => self.oldest = slot,
            before => self.entries[before as usize].newer = slot,
        }
        self.newest = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(size: usize) -> Buffer {
        std::iter::repeat_n(7u8, size).collect()
    }

    #[test]
    fn a_range_is_found_by_its_exact_ends_only() {
        let cache = Cache::new(1 << 20);
        let file = cache.new_file();
        cache.keep_range(file, 10, 30, &buffer(20));
        assert!(cache.range(file, 10, 30).is_some());
        assert!(cache.range(file, 10, 29).is_none());
        assert!(cache.range(cache.new_file(), 10, 30).is_none());
    }

    #[test]
    fn the_budget_is_never_exceeded_and_the_oldest_goes_first() {
        let cache = Cache::new(400_000);
        let file = cache.new_file();
        for page in 0..100 {
            cache.keep_page(file, page, &buffer(16_384));
            cache.keep_range(file, page, page + 5_000, &buffer(5_000));
            assert!(cache.usage().bytes <= 400_000);
        }
        assert!(cache.page(file, 99).is_some());
        assert!(cache.page(file, 0).is_none());
    }

    #[test]
    fn what_is_used_survives() {
        let pool = Pool::new(8 * (1_000 + ENTRY_OVERHEAD_BYTES) + 2_000);
        let mut shard = Shard {
            newest: NONE,
            oldest: NONE,
            ..Shard::default()
        };
        let place = |start| Place {
            file: FileId(1),
            start,
            end: 0,
        };
        for start in 0..4 {
            shard.put(place(start), &buffer(1_000));
        }
        assert!(shard.get(&place(0)).is_some());
        shard.evict();
        assert!(shard.get(&place(0)).is_some());
        assert!(shard.get(&place(1)).is_none());
        assert_eq!(pool.held(), 0);
    }

    #[test]
    fn forgetting_a_file_leaves_the_others() {
        let cache = Cache::new(1 << 20);
        let (gone, stays) = (cache.new_file(), cache.new_file());
        for page in 0..20 {
            cache.keep_page(gone, page, &buffer(100));
            cache.keep_page(stays, page, &buffer(100));
        }
        cache.forget(gone);
        assert!((0..20).all(|page| cache.page(gone, page).is_none()));
        assert!((0..20).all(|page| cache.page(stays, page).is_some()));
        assert_eq!(cache.usage().bytes, 20 * (100 + ENTRY_OVERHEAD_BYTES));
    }

    #[test]
    fn an_entry_larger_than_half_the_budget_is_not_kept() {
        let cache = Cache::new(40_000);
        let file = cache.new_file();
        cache.keep_range(file, 0, 20_000, &buffer(20_000));
        assert!(cache.range(file, 0, 20_000).is_none());
    }
}
