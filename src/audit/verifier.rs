//! The verifier: does the log hold, from its files alone or with its entries?
//!
//! It uses SHA-256 and Ed25519 only, needs no key, no configuration and no network, and trusts no
//! identity from the data: name, public key and earlier checkpoints are given by the caller, who
//! pinned them before (CVE-2022-39199 is what happens otherwise).
//!
//! One pass over the leaves compares the tree with everything that was ever said about it: every
//! checkpoint and every anchor is the root at its size, so every pair of them is consistent.

mod pages;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::thread;

use crate::crypto::{
    Checkpoint, DIGEST_LEN, Digest, Edge, NoteVerifier, TILE_WIDTH, TileId, TileKind,
    open_checkpoint, perfect_root, read_entries,
};
use crate::store::Rows;

use super::beginning::{BEGINNING_FILE, Beginning, pruning};
use super::error::{AuditError, Result};
use super::files::{CHECKPOINT_FILE, HISTORY_SPAN, LogFiles, hash_tiles, history_name};
use super::log::LogEnd;
use super::replay::Replay;
use super::report::{PROBLEMS_MAX, Problem, Report, Verdict};
use pages::{ENTRY_LEN_BYTES, Page, Parsed, ParsedPage, Read, stored_page};

/// Entries read at a time; also those of a full tile.
const PAGE: u64 = TILE_WIDTH as u64;

/// Pages that are parsed together: 4,096 entries, few enough to stay near the cores.
const STRIDE_PAGES: usize = 16;

/// Strides that are parsed at a time at most, whatever the number of cores: reading does not keep
/// more of them busy, and each holds some megabytes.
const STRIDES_AHEAD: usize = 8;

/// What the caller knows from before: whose log it is and what it once was.
#[derive(Clone, Debug, Default)]
pub struct Pins {
    /// Keys of this log, the newest first; elder ones after rotations. All carry the same name.
    pub keys: Vec<NoteVerifier>,
    /// Checkpoints somebody kept elsewhere: printed, mailed, inside an export or a certificate.
    pub anchors: Vec<Checkpoint>,
}

/// Verifies a log from its files: `log/` of a data directory, or an exported bundle. Entries are
/// checked when the files hold them.
pub fn verify_files(files: &dyn LogFiles, pins: &Pins) -> Report {
    Verifier::new(files, pins).run(|verifier, size| {
        // Any of them is enough: whoever removes the first must not turn the others off.
        let held = |name: &str| matches!(verifier.files.read(name), Ok(Some(_)));
        let of_entries = TileId::all(size)
            .into_iter()
            .filter(|id| id.kind == TileKind::Entries);
        (held(BEGINNING_FILE) || of_entries.into_iter().any(|id| held(&id.to_string())))
            .then_some(Entries::Files)
    })
}

/// Verifies the log of an opened store: its files, and every entry against its leaf.
pub fn verify_store(rows: &Rows, files: &dyn LogFiles, pins: &Pins) -> Report {
    Verifier::new(files, pins).run(|_, _| Some(Entries::Rows(rows)))
}

/// Where entries come from.
#[derive(Clone, Copy)]
enum Entries<'a> {
    Files,
    Rows(&'a Rows),
}

/// Where the log ends.
#[derive(Clone, Copy)]
struct Ends {
    /// By the newest checkpoint.
    size: u64,
    /// By the entries of the store, which may be ahead of it.
    end: u64,
}

impl Ends {
    fn last(self) -> u64 {
        self.size.max(self.end)
    }
}

struct Verifier<'a> {
    files: &'a dyn LogFiles,
    pins: &'a Pins,
    /// Roots that were signed or pinned, by size; with where they were said.
    claims: BTreeMap<u64, Vec<(Digest, String)>>,
    problems: Vec<Problem>,
    problem_count: u64,
    /// How many of the problems are only that something could not be read.
    unread_count: u64,
    checkpoints: u64,
    entries: u64,
    /// Entries that were pruned, with the digest of what stands in their stead.
    pruned: Option<(u64, String)>,
    /// The last pruning that an entry tells of.
    told: Option<(u64, String)>,
    edge: Edge,
    replay: Replay,
}

impl<'a> Verifier<'a> {
    fn new(files: &'a dyn LogFiles, pins: &'a Pins) -> Self {
        Self {
            files,
            pins,
            claims: BTreeMap::new(),
            problems: Vec::new(),
            problem_count: 0,
            unread_count: 0,
            checkpoints: 0,
            entries: 0,
            pruned: None,
            told: None,
            edge: Edge::new(),
            replay: Replay::new(),
        }
    }

    fn run(mut self, source: impl FnOnce(&Self, u64) -> Option<Entries<'a>>) -> Report {
        let size = self.read_checkpoints();
        if let Some(size) = size {
            let source = source(&self, size);
            self.take_up(source);
            let leaves = self.read_tiles(size);
            let end = self.end_of_rows(source, size);
            self.walk(&leaves, source, size, end);
            self.check_pruning(source);
        }
        self.report()
    }

    /// Takes up the story where the entries begin, when the first were pruned.
    fn take_up(&mut self, source: Option<Entries<'_>>) {
        let kept = match source {
            None => return,
            Some(Entries::Rows(rows)) => Beginning::kept(rows),
            Some(Entries::Files) => match self.read_if_there(BEGINNING_FILE) {
                Some(Some(document)) => Beginning::parse(document).map(Some),
                _ => return,
            },
        };
        match kept {
            Ok(None) => {}
            Ok(Some(beginning)) => {
                let said = (beginning.edge().root(), BEGINNING_FILE.to_owned());
                self.claims.entry(beginning.size()).or_default().push(said);
                self.pruned = Some((beginning.size(), beginning.digest()));
                self.replay = beginning.into_story();
            }
            Err(error) => {
                let file = Some(BEGINNING_FILE.to_owned());
                self.problem(file, Some(0), error.to_string());
            }
        }
    }

    /// What was pruned is what the last entry about it says, and something says it.
    fn check_pruning(&mut self, source: Option<Entries<'_>>) {
        if source.is_none() || self.pruned == self.told {
            return;
        }
        let what = match (&self.pruned, &self.told) {
            (Some((size, _)), None) => {
                format!(
                    "the first {size} entries are gone, and no entry says that they were pruned"
                )
            }
            (None, Some((size, _))) => {
                format!(
                    "an entry says that the first {size} were pruned, and nothing stands for them"
                )
            }
            _ => "what stands for the pruned entries is not what the log says of them".to_owned(),
        };
        self.problem(Some(BEGINNING_FILE.to_owned()), Some(0), what);
    }

    fn problem(&mut self, file: Option<String>, index: Option<u64>, what: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < PROBLEMS_MAX {
            let what = what.into();
            self.problems.push(Problem { file, index, what });
        }
    }

    /// Reads a file that must be there; whether it is missing or cannot be read is noted.
    fn read(&mut self, name: &str, index: Option<u64>) -> Option<Vec<u8>> {
        let bytes = self.read_if_there(name)?;
        if bytes.is_none() {
            self.problem(Some(name.to_owned()), index, "it is missing");
        }
        bytes
    }

    /// Reads a file that may be missing; the outer `None` says that it could not be read, which is
    /// noted, and makes the verdict "unreadable" unless something is broken besides.
    fn read_if_there(&mut self, name: &str) -> Option<Option<Vec<u8>>> {
        match self.files.read(name) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                self.unread_count += 1;
                self.problem(Some(name.to_owned()), None, error.to_string());
                None
            }
        }
    }

    /// Checks the signature of a note under any pinned key and keeps its claim.
    fn claim(&mut self, note: &[u8], place: &str) -> Option<Checkpoint> {
        let opened = self
            .pins
            .keys
            .iter()
            .find_map(|key| open_checkpoint(note, key).ok());
        match opened {
            Some(checkpoint) => {
                self.checkpoints += 1;
                let said = (checkpoint.root, place.to_owned());
                self.claims.entry(checkpoint.size).or_default().push(said);
                Some(checkpoint)
            }
            None => {
                let what = "a checkpoint that no pinned key of this log signed";
                self.problem(Some(place.to_owned()), None, what);
                None
            }
        }
    }

    /// The newest checkpoint, the elder ones and the anchors; gives the size to be proved.
    fn read_checkpoints(&mut self) -> Option<u64> {
        for anchor in &self.pins.anchors {
            let said = (anchor.root, "a pinned anchor".to_owned());
            self.claims.entry(anchor.size).or_default().push(said);
        }
        let Some(note) = self.read_if_there(CHECKPOINT_FILE)? else {
            self.unread_count += 1;
            let what = "there is no checkpoint: not a log, or its newest state was removed";
            self.problem(Some(CHECKPOINT_FILE.to_owned()), None, what);
            return None;
        };
        let newest = self.claim(&note, CHECKPOINT_FILE)?;
        for n in 0..=newest.size / HISTORY_SPAN {
            let name = history_name(n);
            let Some(Some(bytes)) = self.read_if_there(&name) else {
                continue;
            };
            self.read_history(&name, &bytes, n);
        }
        let beyond: Vec<(u64, String)> = self
            .claims
            .range(newest.size + 1..)
            .flat_map(|(size, said)| said.iter().map(|(_, place)| (*size, place.clone())))
            .collect();
        for (size, place) in beyond {
            let what = format!(
                "the log has {} entries, and {place} saw {size}: it was cut",
                newest.size
            );
            self.problem(None, Some(newest.size), what);
        }
        Some(newest.size)
    }

    fn read_history(&mut self, name: &str, bytes: &[u8], n: u64) {
        let mut rest = bytes;
        let mut before = None;
        while let Some((len, after)) = rest.split_first_chunk::<2>() {
            let len = usize::from(u16::from_be_bytes(*len));
            let Some((note, after)) = after.split_at_checked(len) else {
                break;
            };
            rest = after;
            let Some(checkpoint) = self.claim(note, name) else {
                continue;
            };
            let in_span = checkpoint.size / HISTORY_SPAN == n;
            if !in_span || before.is_some_and(|before| before >= checkpoint.size) {
                self.problem(Some(name.to_owned()), None, "checkpoints out of order");
            }
            before = Some(checkpoint.size);
        }
        if !rest.is_empty() {
            self.problem(Some(name.to_owned()), None, "it ends inside a checkpoint");
        }
    }

    /// Reads every hash tile, compares each with its entry in the level above, gives the leaves.
    /// A tile that is missing or has the wrong length leaves its leaves out.
    fn read_tiles(&mut self, size: u64) -> BTreeMap<u64, Vec<Digest>> {
        let mut leaves = BTreeMap::new();
        let mut below: BTreeMap<u64, Digest> = BTreeMap::new();
        let mut here: BTreeMap<u64, Digest> = BTreeMap::new();
        let mut level_now = 0;
        for id in hash_tiles(size) {
            let TileKind::Hashes { level } = id.kind else {
                continue;
            };
            if level != level_now {
                below = std::mem::take(&mut here);
                level_now = level;
            }
            let Some(hashes) = self.read_tile(id, level) else {
                continue;
            };
            for (hash, index) in hashes.iter().zip(id.first()..) {
                if level > 0 && below.get(&index).is_some_and(|root| root != hash) {
                    let what = format!("hash {index} does not follow from the tile below it");
                    let first = index << (8 * u32::from(level));
                    self.problem(Some(id.to_string()), Some(first), what);
                }
            }
            if id.width == TILE_WIDTH {
                here.insert(id.index, perfect_root(&hashes));
            }
            if level == 0 {
                leaves.insert(id.index, hashes);
            }
        }
        leaves
    }

    fn read_tile(&mut self, id: TileId, level: u8) -> Option<Vec<Digest>> {
        let name = id.to_string();
        let first = id.first() << (8 * u32::from(level));
        let bytes = self.read(&name, Some(first))?;
        let (hashes, odd) = bytes.as_chunks::<DIGEST_LEN>();
        if !odd.is_empty() || hashes.len() != usize::from(id.width) {
            self.problem(Some(name), Some(first), "a tile has the wrong length");
            return None;
        }
        Some(hashes.to_vec())
    }

    /// Where the entries of the store end: they may be ahead of the last checkpoint.
    fn end_of_rows(&mut self, source: Option<Entries<'_>>, size: u64) -> u64 {
        let Some(Entries::Rows(rows)) = source else {
            return size;
        };
        if let Ok(Some((_, note))) = rows.last_audit_checkpoint() {
            self.claim(note.as_bytes(), "the last checkpoint in the store");
        }
        match LogEnd::read(rows) {
            Ok(end) => {
                let said = (end.edge.root(), "the kept edge".to_owned());
                self.claims.entry(end.edge.size()).or_default().push(said);
                if end.edge.size() < size {
                    let what = format!(
                        "the store has {} entries, the checkpoint {size}",
                        end.edge.size()
                    );
                    self.problem(None, Some(end.edge.size()), what);
                }
                end.edge.size()
            }
            Err(error) => {
                self.problem(None, None, error.to_string());
                size
            }
        }
    }

    /// One pass over the leaves: entries against leaves, the tree against every claim.
    ///
    /// This thread reads ahead and judges in order; other threads hash and parse what was read.
    fn walk(
        &mut self,
        leaves: &BTreeMap<u64, Vec<Digest>>,
        source: Option<Entries<'_>>,
        size: u64,
        end: u64,
    ) {
        self.compare_claims();
        let ends = Ends { size, end };
        let ahead = thread::available_parallelism().map_or(1, NonZero::get);
        let (mut start, mut next) = (0, 0);
        thread::scope(|scope| {
            let mut parsing = VecDeque::new();
            loop {
                while next < ends.last() && parsing.len() < ahead.min(STRIDES_AHEAD) {
                    let stride = self.stride(source, next, ends);
                    next += PAGE * stride.len() as u64;
                    parsing.push_back(scope.spawn(move || {
                        let pages = stride.into_iter().map(Read::parse);
                        pages.collect::<Vec<_>>()
                    }));
                }
                let Some(stride) = parsing.pop_front() else {
                    return;
                };
                let stride = stride.join().unwrap_or_else(|panic| resume_unwind(panic));
                for page in stride {
                    let tile = leaves.get(&(start / PAGE)).map_or(&[][..], Vec::as_slice);
                    // What is missing was named already; nothing behind a hole can be proved.
                    if self.judge(page, tile, start) < PAGE.min(ends.last() - start) {
                        return;
                    }
                    start += PAGE;
                }
            }
        });
    }

    /// Judges a page in its turn; gives how many leaves it has, by its entries or by its tile.
    fn judge(&mut self, page: ParsedPage, tile: &[Digest], start: u64) -> u64 {
        if let Some(trouble) = page.trouble {
            self.unread_count += u64::from(trouble.unread);
            self.problem(None, Some(trouble.index), trouble.what);
        }
        let entries = page.entries.unwrap_or_default();
        let count = tile.len().max(entries.len());
        for (at, index) in (0..count).zip(start..) {
            let Some(leaf) = self.leaf(index, entries.get(at), tile.get(at)) else {
                return at as u64;
            };
            self.edge.append(leaf, |_| ());
            self.compare_claims();
        }
        count as u64
    }

    /// The pages from `start` on, as they were read.
    fn stride(&self, source: Option<Entries<'_>>, start: u64, ends: Ends) -> Vec<Read> {
        (start..ends.last())
            .step_by(PAGE as usize)
            .take(STRIDE_PAGES)
            .map(|from| source.map_or(Read::NOTHING, |source| self.page(source, from, ends)))
            .collect()
    }

    /// The leaf of an index from its entry and its tile; they must agree, and the entry is read.
    fn leaf(
        &mut self,
        index: u64,
        entry: Option<&Parsed>,
        tile: Option<&Digest>,
    ) -> Option<Digest> {
        let Some(entry) = entry else {
            return tile.copied();
        };
        self.entries += 1;
        if tile.is_some_and(|tile| *tile != entry.leaf) {
            let what = "the entry is not the one that was hashed";
            self.problem(None, Some(index), what);
        }
        match &entry.entry {
            Ok(entry) => {
                self.told = pruning(entry).or_else(|| self.told.take());
                self.replay.take(entry);
            }
            Err(what) => self.problem(None, Some(index), format!("the entry is malformed: {what}")),
        }
        Some(tile.copied().unwrap_or(entry.leaf))
    }

    /// A page of entries, up to the first hole.
    fn page(&self, source: Entries<'_>, start: u64, ends: Ends) -> Read {
        // Whole pages are pruned: a page is a tile of entries.
        if self.pruned.as_ref().is_some_and(|(size, _)| start < *size) {
            return Read::NOTHING;
        }
        match source {
            Entries::Files => {
                let wanted = PAGE.min(ends.size.saturating_sub(start));
                Read::new(self.bundle(start, wanted as u16), start, wanted)
            }
            Entries::Rows(rows) => {
                let wanted = PAGE.min(ends.end.saturating_sub(start));
                Read::new(stored_page(rows, start, wanted), start, wanted)
            }
        }
    }

    fn bundle(&self, start: u64, width: u16) -> Result<Page> {
        let id = TileId {
            kind: TileKind::Entries,
            index: start / PAGE,
            width,
        };
        let bytes = self
            .files
            .read(&id.to_string())?
            .ok_or_else(|| AuditError::Broken(format!("{id} is missing")))?;
        let entries = read_entries(&bytes, width)
            .map_err(|_| AuditError::Broken(format!("{id} is cut or longer")))?;
        let lengths = entries.iter().map(|entry| entry.len()).collect();
        Ok(Page {
            bytes,
            lengths,
            before: ENTRY_LEN_BYTES,
        })
    }

    /// Compares the tree so far with everything that was said about its size.
    fn compare_claims(&mut self) {
        let size = self.edge.size();
        let Some(said) = self.claims.remove(&size) else {
            return;
        };
        let root = self.edge.root();
        for (claimed, place) in said {
            if claimed != root {
                let what =
                    format!("the first {size} entries do not give the root that {place} says");
                self.problem(Some(place), None, what);
            }
        }
    }

    fn report(mut self) -> Report {
        for violation in self.replay.violations().to_vec() {
            self.problem(None, Some(violation.seq.0), violation.what);
        }
        // A claim that was never reached stands behind a hole, or beyond the end.
        let unreached = !self.claims.is_empty();
        if unreached && self.problem_count == 0 {
            self.problem(None, None, "the log ends before a checkpoint says so");
        }
        let proved_broken = self.problem_count > self.unread_count;
        let verdict = match (proved_broken, self.unread_count, self.pins.anchors.len()) {
            (true, ..) => Verdict::Broken,
            (false, 1.., _) => Verdict::Unreadable,
            (false, 0, 0) => Verdict::Unanchored,
            (false, 0, _) => Verdict::Sound,
        };
        Report {
            verdict,
            size: self.edge.size(),
            root: (self.edge.size() > 0).then(|| self.edge.root()),
            checkpoints: self.checkpoints,
            anchors: self.pins.anchors.len() as u64,
            entries: self.entries,
            pruned: self.pruned.map_or(0, |(size, _)| size),
            problems: self.problems,
            problem_count: self.problem_count,
            open_intents: self.replay.open_intents().iter().map(|seq| seq.0).collect(),
            conservation: (self.entries > 0).then(|| self.replay.conservation()),
            disposals: self.replay.disposals(),
        }
    }
}
