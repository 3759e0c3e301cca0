//! The verifier: does the log hold, from its files alone or with its entries?
//!
//! It uses SHA-256 and Ed25519 only, needs no key, no configuration and no network, and trusts no
//! identity from the data: name, public key and earlier checkpoints are given by the caller, who
//! pinned them before (CVE-2022-39199 is what happens otherwise).
//!
//! One pass over the leaves compares the tree with everything that was ever said about it: every
//! checkpoint and every anchor is the root at its size, so every pair of them is consistent.

use std::collections::BTreeMap;
use std::num::NonZero;

use crate::crypto::{
    Checkpoint, DIGEST_LEN, Digest, Edge, NoteVerifier, TILE_WIDTH, TileId, TileKind, leaf_hash,
    open_checkpoint, perfect_root, read_entries,
};
use crate::domain::EntryNo;
use crate::store::Rows;

use super::entry::Entry;
use super::error::{AuditError, Result};
use super::files::{CHECKPOINT_FILE, HISTORY_SPAN, LogFiles, hash_tiles, history_name};
use super::log::LogEnd;
use super::replay::Replay;
use super::report::{PROBLEMS_MAX, Problem, Report, Verdict};

/// Entries read at a time; also those of a full tile.
const PAGE: u64 = TILE_WIDTH as u64;

/// Pages that are parsed together: 4,096 entries, few enough to stay near the cores.
const STRIDE_PAGES: usize = 16;

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
        let held = |id: &TileId| matches!(verifier.files.read(&id.to_string()), Ok(Some(_)));
        TileId::all(size)
            .iter()
            .filter(|id| id.kind == TileKind::Entries)
            .any(held)
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
            edge: Edge::new(),
            replay: Replay::new(),
        }
    }

    fn run(mut self, source: impl FnOnce(&Self, u64) -> Option<Entries<'a>>) -> Report {
        let size = self.read_checkpoints();
        if let Some(size) = size {
            let source = source(&self, size);
            let leaves = self.read_tiles(size);
            let end = self.end_of_rows(source, size);
            self.walk(&leaves, source, size, end);
        }
        self.report()
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
    fn walk(
        &mut self,
        leaves: &BTreeMap<u64, Vec<Digest>>,
        source: Option<Entries<'_>>,
        size: u64,
        end: u64,
    ) {
        self.compare_claims();
        let mut start = 0;
        while start < size.max(end) {
            for entries in self.stride(source, start, size, end) {
                let tile = leaves.get(&(start / PAGE)).map_or(&[][..], Vec::as_slice);
                let count = tile.len().max(entries.as_ref().map_or(0, Vec::len));
                for at in 0..count {
                    let index = start + at as u64;
                    let entry = entries.as_ref().and_then(|entries| entries.get(at));
                    let Some(leaf) = self.leaf(index, entry, tile.get(at)) else {
                        return;
                    };
                    self.edge.append(leaf, |_| ());
                    self.compare_claims();
                }
                // What is missing was named already; nothing behind a hole can be proved.
                if (count as u64) < PAGE.min(size.max(end) - start) {
                    return;
                }
                start += PAGE;
            }
        }
    }

    /// The pages from `start` on, read one after the other and then parsed by all cores; it ends
    /// with the first page that is not full, since nothing behind a hole is looked at.
    fn stride(
        &mut self,
        source: Option<Entries<'_>>,
        start: u64,
        size: u64,
        end: u64,
    ) -> Vec<Option<Vec<Parsed>>> {
        let mut pages = Vec::new();
        let mut from = start;
        while from < size.max(end) && pages.len() < STRIDE_PAGES {
            let page = source.and_then(|source| self.page(source, from, size, end));
            let is_full = page.as_ref().is_some_and(|page| page.len() as u64 == PAGE);
            pages.push(page);
            if !is_full {
                break;
            }
            from += PAGE;
        }
        let entries: Vec<&[u8]> = pages.iter().flatten().flat_map(Page::entries).collect();
        let mut parsed = parse_all(&entries).into_iter();
        pages
            .iter()
            .map(|page| {
                let page = page.as_ref()?;
                Some(parsed.by_ref().take(page.len()).collect())
            })
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
            Ok(entry) => self.replay.take(entry),
            Err(what) => self.problem(None, Some(index), format!("the entry is malformed: {what}")),
        }
        Some(tile.copied().unwrap_or(entry.leaf))
    }

    /// A page of entries; a hole or a malformed file is named and ends the entries there.
    fn page(&mut self, source: Entries<'_>, start: u64, size: u64, end: u64) -> Option<Page> {
        let (read, wanted) = match source {
            Entries::Files => {
                let wanted = PAGE.min(size.saturating_sub(start));
                (self.bundle(start, wanted as u16), wanted)
            }
            Entries::Rows(rows) => {
                let wanted = PAGE.min(end.saturating_sub(start));
                (stored_page(rows, start, wanted), wanted)
            }
        };
        match read {
            Ok(entries) => {
                if (entries.len() as u64) < wanted {
                    let hole = start + entries.len() as u64;
                    self.problem(None, Some(hole), "an entry is missing");
                }
                Some(entries)
            }
            Err(error) => {
                if matches!(error, AuditError::Unreadable(_) | AuditError::Store(_)) {
                    self.unread_count += 1;
                }
                self.problem(None, Some(start), error.to_string());
                None
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
            problems: self.problems,
            problem_count: self.problem_count,
            open_intents: self.replay.open_intents().iter().map(|seq| seq.0).collect(),
            conservation: (self.entries > 0).then(|| self.replay.conservation()),
            disposals: self.replay.disposals(),
        }
    }
}

/// An entry, hashed and read.
struct Parsed {
    leaf: Digest,
    entry: std::result::Result<Entry, String>,
}

impl Parsed {
    fn read(bytes: &[u8]) -> Parsed {
        Parsed {
            leaf: leaf_hash(bytes),
            entry: Entry::parse(bytes),
        }
    }
}

/// Hashes and reads entries, in their order, by all cores where there are many.
fn parse_all(entries: &[&[u8]]) -> Vec<Parsed> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = entries.len().div_ceil(cores).max(PAGE as usize);
    let read =
        |part: &[&[u8]]| -> Vec<Parsed> { part.iter().map(|entry| Parsed::read(entry)).collect() };
    let mut parts = entries.chunks(share);
    let own = parts.next().unwrap_or_default();
    std::thread::scope(|scope| {
        let others: Vec<_> = parts.map(|part| scope.spawn(move || read(part))).collect();
        let mut all = read(own);
        for other in others {
            match other.join() {
                Ok(mut part) => all.append(&mut part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    })
}

/// Stored entries from `start` on, up to the first hole.
fn stored_page(rows: &Rows, start: u64, wanted: u64) -> Result<Page> {
    let rows = rows.audit_entries(EntryNo(start), EntryNo(start + wanted))?;
    let mut page = Page::default();
    for (row, index) in rows.iter().zip(start..) {
        if row.seq.0 != index {
            break;
        }
        page.bytes.extend_from_slice(&row.entry);
        page.lengths.push(row.entry.len());
    }
    Ok(page)
}

/// Bytes of the length in front of an entry in a tile.
const ENTRY_LEN_BYTES: usize = 2;

/// Entries one after the other in one buffer, `before` bytes in front of each.
#[derive(Default)]
struct Page {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
    before: usize,
}

impl Page {
    fn len(&self) -> usize {
        self.lengths.len()
    }

    fn entries(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.bytes[..];
        self.lengths.iter().map_while(move |length| {
            let (entry, after) = rest.get(self.before..)?.split_at_checked(*length)?;
            rest = after;
            Some(entry)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::checkpoint::{export, sign};
    use super::super::testing::{Files, Scratch, checkpoint_now, draft, fill, now, signer};
    use super::*;
    use crate::audit::{Action, Payload, append};
    use crate::crypto::{Key, SeededEntropy, SigningKey, sign_checkpoint};
    use crate::store::Store;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn pins(anchors: &[Checkpoint]) -> Pins {
        Pins {
            keys: vec![signer().verifier().clone()],
            anchors: anchors.to_vec(),
        }
    }

    /// A log with checkpoints at 30, 260, 300 and 600, as exported, with the anchor of 260.
    fn exported() -> (Files, Checkpoint) {
        static LOG: LazyLock<(Files, Checkpoint)> = LazyLock::new(|| {
            let scratch = Scratch::new();
            let (_, anchor, exported) = grown(&scratch);
            (exported, anchor)
        });
        LOG.clone()
    }

    fn grown(scratch: &Scratch) -> (Store, Checkpoint, Files) {
        let store = scratch.open();
        let mut files = Files::new();
        let mut anchors = Vec::new();
        for step in [30, 230, 40, 300] {
            fill(&store, step);
            anchors.push(checkpoint_now(&store, &mut files));
        }
        let mut exported = Files::new();
        export(
            &store.read().expect("reads"),
            signer().verifier(),
            &mut exported,
        )
        .expect("exports");
        (store, anchors.remove(1), exported)
    }

    #[test]
    fn a2_a_sound_log_is_sound_and_says_when_it_is_unanchored() {
        let (files, anchor) = exported();
        let report = verify_files(&files, &pins(&[anchor]));
        assert_eq!(report.problems, []);
        assert_eq!(
            (report.verdict, report.verdict.exit_code()),
            (Verdict::Sound, 0)
        );
        assert_eq!(
            (report.size, report.entries, report.checkpoints),
            (600, 600, 5)
        );
        let report = verify_files(&files, &pins(&[]));
        assert_eq!(
            (report.verdict, report.verdict.exit_code()),
            (Verdict::Unanchored, 1)
        );
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).expect("JSON");
        assert_eq!(json["exit_code"], 1);
    }

    #[test]
    fn a2_hashes_alone_are_checked_too() {
        let (mut files, anchor) = exported();
        files.retain(|name, _| !name.starts_with("tile/entries/"));
        let report = verify_files(&files, &pins(&[anchor]));
        assert_eq!((report.verdict, report.entries), (Verdict::Sound, 0));
    }

    #[test]
    fn an_empty_directory_is_unreadable() {
        let report = verify_files(&Files::new(), &pins(&[]));
        assert_eq!(
            (report.verdict, report.verdict.exit_code()),
            (Verdict::Unreadable, 10)
        );
    }

    #[test]
    fn a2_no_identity_is_taken_from_the_data() {
        let (files, anchor) = exported();
        let stranger = SigningKey::from_key(&Key::from_bytes([5; 32]));
        let name = &signer().verifier().name.clone();
        let other = NoteVerifier::new(name, stranger.verifying_key()).expect("a fine name");
        let wrong = Pins {
            keys: vec![other],
            anchors: vec![anchor],
        };
        assert_eq!(verify_files(&files, &wrong).verdict, Verdict::Broken);
        assert_eq!(
            verify_files(&files, &Pins::default()).verdict,
            Verdict::Broken
        );
    }

    #[test]
    fn a2_every_cut_of_the_log_contradicts_a_later_anchor() {
        // The log is cut and signed again with the stolen key: only the anchor can tell.
        let scratch = Scratch::new();
        let store = scratch.open();
        fill(&store, 60);
        let anchor = checkpoint_now(&store, &mut Files::new());
        for kept in 1..60 {
            let cut = Scratch::new();
            let cut = cut.open();
            fill(&cut, kept);
            let mut files = Files::new();
            checkpoint_now(&cut, &mut files);
            let report = verify_files(&files, &pins(std::slice::from_ref(&anchor)));
            assert_eq!(report.verdict, Verdict::Broken, "{kept} kept");
            assert_eq!(report.first_bad_index(), Some(kept));
        }
    }

    #[test]
    fn a2_a_fork_signed_with_the_stolen_key_contradicts_the_anchor() {
        let (files, anchor) = exported();
        let fork = Checkpoint {
            root: [7; 32],
            ..anchor
        };
        assert_eq!(
            verify_files(&files, &pins(&[fork])).verdict,
            Verdict::Broken
        );
    }

    #[test]
    fn a2_a_forged_elder_checkpoint_is_found() {
        let (mut files, anchor) = exported();
        let key = SigningKey::from_key(&Key::from_bytes([4; 32]));
        let forged = Checkpoint {
            size: 40,
            root: [1; 32],
            ..anchor.clone()
        };
        let note = sign_checkpoint(&forged, &key).expect("signs");
        let mut bytes = files["checkpoints/000"].clone();
        crate::crypto::push_entry(&mut bytes, note.as_bytes()).expect("short");
        files.insert("checkpoints/000".to_owned(), bytes);
        let report = verify_files(&files, &pins(&[anchor]));
        assert_eq!(report.verdict, Verdict::Broken);
        assert!(
            report
                .problems
                .iter()
                .any(|problem| problem.what.contains("first 40 entries"))
        );
    }

    #[test]
    fn a2_the_store_is_verified_entry_by_entry() {
        let scratch = Scratch::new();
        let (store, anchor, mut files) = grown(&scratch);
        files.retain(|name, _| !name.starts_with("tile/entries/"));
        // Entries behind the last checkpoint are checked against the kept edge.
        fill(&store, 5);
        let rows = store.read().expect("reads");
        let report = verify_store(&rows, &files, &pins(&[anchor]));
        assert_eq!(report.problems, []);
        assert_eq!(
            (report.verdict, report.size, report.entries),
            (Verdict::Sound, 605, 605)
        );
    }

    #[test]
    fn a2_a_changed_entry_in_the_store_is_named() {
        let (one, other) = (Scratch::new(), Scratch::new());
        let (_, anchor, files) = grown(&one);
        // The same history but for one act: as if somebody had rewritten the database.
        let store = other.open();
        fill(&store, 299);
        let tx = store.write().expect("writes");
        let payload = Payload::none(&SeededEntropy::new(1));
        append(&tx, &now(299), draft(Action::StoreClose), payload).expect("appends");
        tx.commit().expect("commits");
        fill(&store, 300);
        let report = verify_store(&store.read().expect("reads"), &files, &pins(&[anchor]));
        assert_eq!(report.verdict, Verdict::Broken);
        assert_eq!(report.first_bad_index(), Some(299));
    }

    #[test]
    fn a2_a_rule_broken_in_the_past_is_found_under_sound_hashes() {
        let scratch = Scratch::new();
        let store = scratch.open();
        fill(&store, 3);
        let tx = store.write().expect("writes");
        let view = draft(Action::ContentView).object("msg_1");
        append(&tx, &now(9), view, Payload::none(&SeededEntropy::new(1))).expect("appends");
        tx.commit().expect("commits");
        let mut files = Files::new();
        let anchor = checkpoint_now(&store, &mut files);
        let report = verify_store(&store.read().expect("reads"), &files, &pins(&[anchor]));
        assert_eq!(
            (report.verdict, report.first_bad_index()),
            (Verdict::Broken, Some(3))
        );
    }

    #[test]
    fn a2_the_data_directory_is_verified_from_its_log_files() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let mut directory = store.directory();
        fill(&store, 300);
        for _ in 0..2 {
            fill(&store, 10);
            let tx = store.write().expect("writes");
            let signed = sign(&tx, &directory, &signer())
                .expect("signs")
                .expect("it grew");
            tx.commit().expect("commits");
            signed.publish(&mut directory).expect("writes");
        }
        let report = verify_files(&directory, &pins(&[]));
        assert_eq!(
            (report.verdict, report.size, report.checkpoints),
            (Verdict::Unanchored, 320, 3)
        );
        // The partial tile of 310 entries is gone: a wider one took its place.
        assert!(directory.read("tile/0/001.p/54").expect("reads").is_none());
        assert!(directory.read("tile/0/001.p/64").expect("reads").is_some());
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_called_broken() {
        struct Unreadable(Files);
        impl LogFiles for Unreadable {
            fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
                match name {
                    "tile/1/000.p/2" => Err(AuditError::Unreadable("the disk says no".to_owned())),
                    name => self.0.read(name),
                }
            }
        }
        let (files, anchor) = exported();
        let report = verify_files(&Unreadable(files), &pins(&[anchor]));
        assert_eq!(report.verdict, Verdict::Unreadable);
    }

    #[test]
    fn a2_every_single_byte_of_a_small_log_counts() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let mut files = Files::new();
        fill(&store, 5);
        let anchor = checkpoint_now(&store, &mut files);
        fill(&store, 4);
        checkpoint_now(&store, &mut files);
        let mut sound = Files::new();
        export(
            &store.read().expect("reads"),
            signer().verifier(),
            &mut sound,
        )
        .expect("exports");
        let pins = pins(&[anchor]);
        assert_eq!(verify_files(&sound, &pins).verdict, Verdict::Sound);
        for (name, bytes) in &sound {
            let mut files = sound.clone();
            for at in 0..bytes.len() {
                let mut forged = bytes.clone();
                forged[at] ^= 1 << (at % 8);
                files.insert(name.clone(), forged);
                let verdict = verify_files(&files, &pins).verdict;
                assert_eq!(verdict, Verdict::Broken, "{name} at {at}");
            }
        }
    }

    #[test]
    fn a2_a_removed_file_is_named() {
        let (sound, anchor) = exported();
        for name in sound.keys() {
            let mut files = sound.clone();
            files.remove(name);
            let report = verify_files(&files, &pins(std::slice::from_ref(&anchor)));
            // An elder checkpoint is covered by the newer ones.
            let lawful = name.starts_with("checkpoints/");
            assert_eq!(report.verdict == Verdict::Sound, lawful, "{name}");
            let named = |problem: &Problem| {
                problem.file.as_deref() == Some(name) || problem.what.contains(name.as_str())
            };
            assert!(lawful || report.problems.iter().any(named), "{name}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn a2_any_flipped_bit_in_any_file_is_found(
            file: prop::sample::Index,
            at: prop::sample::Index,
            bit in 0..8u32,
        ) {
            let (mut files, anchor) = exported();
            let name = file.get(&files.keys().cloned().collect::<Vec<_>>()).clone();
            let bytes = files.get_mut(&name).expect("it is there");
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            let report = verify_files(&files, &pins(&[anchor]));
            prop_assert!(matches!(report.verdict, Verdict::Broken | Verdict::Unreadable), "{name}");
        }

        #[test]
        fn a2_any_cut_file_and_any_swap_is_found(
            left: prop::sample::Index,
            right: prop::sample::Index,
            cut: prop::sample::Index,
            swap: bool,
        ) {
            let (mut files, anchor) = exported();
            let names: Vec<String> = files.keys().cloned().collect();
            let (left, right) = (left.get(&names), right.get(&names));
            if swap {
                prop_assume!(left != right && files[left] != files[right]);
                let bytes = files[left].clone();
                let other = files.insert(right.clone(), bytes).expect("it is there");
                files.insert(left.clone(), other);
            } else {
                let bytes = files.get_mut(left).expect("it is there");
                let cut = cut.index(bytes.len());
                // A history that loses whole checkpoints at its end stays lawful.
                prop_assume!(!left.starts_with("checkpoints/") || cut % 7 != 0);
                bytes.truncate(cut);
                let whole = read_entries_to_end(bytes);
                prop_assume!(!left.starts_with("checkpoints/") || !whole);
            }
            let report = verify_files(&files, &pins(&[anchor]));
            prop_assert!(matches!(report.verdict, Verdict::Broken | Verdict::Unreadable));
        }
    }

    fn read_entries_to_end(bytes: &[u8]) -> bool {
        (0..=8).any(|width| read_entries(bytes, width).is_ok())
    }
}
