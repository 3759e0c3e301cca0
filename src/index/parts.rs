//! The parts of the index: one engine index for each calendar year (UTC), sealed in its own
//! directory.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use tantivy::index::SegmentId;
use tantivy::store::Compressor;
use tantivy::tokenizer::TokenizerManager;
use tantivy::{IndexReader, IndexSettings, ReloadPolicy, Searcher, SegmentReader};

use super::cache::{Cache, CacheUse};
use super::columns::{Columns, KeptColumns};
use super::directory::{SealedDirectory, Surroundings};
use super::error::{Error, Result};
use super::fuzzy::FuzzyTables;
use super::keys::{KeyId, SegmentKeys};
use super::meta::{Anchor, Freshness};
use super::numbers::NumberQuery;
use super::schema::{self, Fields, SENT};
use super::terms::{PackedTokenizer, TOKENIZER};
use crate::crypto::{Entropy, Hasher};
use crate::domain::{MessageNo, StoreId, Timestamp};

/// The first year with a part of its own; what claims to be older shares one.
const FIRST_YEAR: i32 = 2000;
/// How far ahead of the present a time may lie and still get the part of its year.
const AHEAD_MAX: i64 = 366 * Timestamp::MICROS_PER_DAY;
/// Decrypted bytes kept by default.
pub const CACHE_BYTES_DEFAULT: usize = 128 << 20;
/// Memory of all writers together by default, in bytes. A quarter of it holds the messages between
/// two commits of an import, so that few small segments have to be joined.
pub const ARENA_BYTES_DEFAULT: usize = 200_000_000;

/// A part, oldest first in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PartName {
    /// Everything before the year 2000.
    Before,
    /// One calendar year, UTC.
    Year(i32),
    /// More than a year ahead when it came in: a wrong clock must not mint parts.
    Later,
}

impl PartName {
    /// The part of a message sent at an instant that comes in now.
    pub fn of(sent: Timestamp, now: Timestamp) -> PartName {
        let (year, _, _) = sent.civil_utc();
        if year < FIRST_YEAR {
            PartName::Before
        } else if sent.0.saturating_sub(now.0) > AHEAD_MAX {
            PartName::Later
        } else {
            PartName::Year(year)
        }
    }

    /// Every part a message of that instant may have come to, whenever it came in.
    pub fn possible(sent: Timestamp) -> Vec<PartName> {
        match sent.civil_utc() {
            (year, _, _) if year < FIRST_YEAR => vec![PartName::Before],
            (year, _, _) => vec![PartName::Year(year), PartName::Later],
        }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PartName::Before => f.write_str("before-2000"),
            PartName::Year(year) => write!(f, "{year}"),
            PartName::Later => f.write_str("later"),
        }
    }
}

/// The text is not the name of a part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a part of the index")]
pub struct NotAPart(String);

impl FromStr for PartName {
    type Err = NotAPart;

    fn from_str(text: &str) -> std::result::Result<PartName, NotAPart> {
        match text {
            "before-2000" => Ok(PartName::Before),
            "later" => Ok(PartName::Later),
            _ => text
                .parse()
                .ok()
                .filter(|year| (FIRST_YEAR..=9999).contains(year))
                .map(PartName::Year)
                .ok_or_else(|| NotAPart(text.to_owned())),
        }
    }
}

/// How an index is set up.
#[derive(Clone, Copy, Debug)]
pub struct IndexConfig {
    /// Names the index in every key derivation.
    pub store: StoreId,
    /// Most bytes of decrypted index kept in memory.
    pub cache_bytes: usize,
    /// Memory of all writers together.
    pub arena_bytes: usize,
    /// Leave files unsealed: the benchmark's control.
    #[cfg(feature = "plain-control")]
    pub plain: bool,
}

impl IndexConfig {
    /// The defaults for a store.
    pub const fn new(store: StoreId) -> IndexConfig {
        IndexConfig {
            store,
            cache_bytes: CACHE_BYTES_DEFAULT,
            arena_bytes: ARENA_BYTES_DEFAULT,
            #[cfg(feature = "plain-control")]
            plain: false,
        }
    }
}

/// What opening found.
pub struct Opened {
    /// The index over all parts that are sound.
    pub index: Index,
    /// Parts one commit ahead of the store: replay the outbox.
    pub ahead: Vec<PartName>,
    /// Parts that were not opened, and why. Drop and rebuild those whose error says so.
    pub refused: Vec<(PartName, Error)>,
    /// Keys of segments that a crash left without use; destroy them.
    pub orphans: Vec<KeyId>,
}

/// The whole index. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Index {
    pub(super) shared: Arc<Shared>,
    /// The parts as they were when it was pinned; `None` reads them as they are.
    pinned: Option<Pictures>,
}

/// Every part with the state that searches see, oldest first.
pub(super) type Pictures = Arc<[(Arc<Part>, Searcher)]>;

pub(super) struct Shared {
    root: PathBuf,
    around: Surroundings,
    pub config: IndexConfig,
    pub fields: Fields,
    pub fuzzy: FuzzyTables,
    columns: Arc<KeptColumns>,
    parts: RwLock<BTreeMap<PartName, Arc<Part>>>,
    /// Messages no query sees, although they may still be in the files.
    hidden: RwLock<Option<Arc<NumberQuery>>>,
}

/// One part, open.
pub(super) struct Part {
    pub name: PartName,
    pub directory: SealedDirectory,
    pub engine: tantivy::Index,
    reader: IndexReader,
    /// First and last time of the segments that were asked for them.
    times: RwLock<HashMap<SegmentId, (i64, i64)>>,
    columns: Arc<KeptColumns>,
}

impl Index {
    /// Takes messages out of the sight of every query that begins after this, at once and without a
    /// commit: their records are gone, and their words leave the files later
    /// ([`Writer::remove`](super::Writer::remove)). Replaces what was hidden before.
    pub fn hide(&self, messages: impl Iterator<Item = MessageNo>) {
        let query = NumberQuery::new(messages);
        let mut hidden = self
            .shared
            .hidden
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *hidden = (!query.is_empty()).then(|| Arc::new(query));
    }

    /// Hides more messages, as [`Index::hide`]; those hidden before stay so.
    pub fn hide_more(&self, messages: impl Iterator<Item = MessageNo>) {
        match self.hidden() {
            None => self.hide(messages),
            Some(before) => self.hide(before.numbers().chain(messages)),
        }
    }

    /// What [`Index::hide`] hid.
    pub(super) fn hidden(&self) -> Option<Arc<NumberQuery>> {
        self.shared
            .hidden
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Opens all parts below `root`, creating the directory if there is none.
    ///
    /// `anchors` are those of the store; a part without anchor must be new.
    ///
    /// # Errors
    /// When the directory itself cannot be read. Trouble of single parts is in the result.
    pub fn open(
        root: &Path,
        keys: Arc<dyn SegmentKeys>,
        entropy: Arc<dyn Entropy>,
        config: IndexConfig,
        anchors: &BTreeMap<PartName, Anchor>,
    ) -> Result<Opened> {
        fs::create_dir_all(root).map_err(|error| Error::io("directory", error))?;
        let (_, fields) = schema::build();
        let index = Index {
            shared: Arc::new(Shared {
                root: root.to_owned(),
                around: Surroundings {
                    index_id: config.store.to_string().into(),
                    keys,
                    entropy,
                    cache: Arc::new(Cache::new(config.cache_bytes)),
                    #[cfg(feature = "plain-control")]
                    plain: config.plain,
                },
                config,
                fields,
                fuzzy: FuzzyTables::default(),
                columns: Arc::default(),
                parts: RwLock::default(),
                hidden: RwLock::default(),
            }),
            pinned: None,
        };
        let (mut ahead, mut refused, mut orphans) = (Vec::new(), Vec::new(), Vec::new());
        let on_disk = index.shared.on_disk()?;
        let names: BTreeSet<PartName> = on_disk.iter().chain(anchors.keys()).copied().collect();
        for name in names {
            match index.shared.open_known(name, anchors.get(&name)) {
                Ok((part, freshness)) => {
                    if freshness == Freshness::OneCommitAhead {
                        ahead.push(name);
                    }
                    orphans.extend(part.directory.take_retired());
                    index.shared.insert(part);
                }
                Err(error) => refused.push((name, error)),
            }
        }
        Ok(Opened {
            index,
            ahead,
            refused,
            orphans,
        })
    }

    /// The index as it is now: searches of what this gives see no later commit and no merge. What is
    /// hidden stays hidden from them too. While it lives, the files it reads stay open.
    pub fn pinned(&self) -> Index {
        Index {
            shared: Arc::clone(&self.shared),
            pinned: Some(self.pictures()),
        }
    }

    /// The first half of a hash over the segments that searches see: equal where they see the same.
    pub fn fingerprint(&self) -> [u8; 16] {
        let mut hasher = Hasher::new();
        for (part, searcher) in self.pictures().iter() {
            hasher.update(part.name.to_string().as_bytes());
            for reader in searcher.segment_readers() {
                hasher.update(reader.segment_id().uuid_string().as_bytes());
                let deletes = reader.delete_opstamp().unwrap_or(0);
                hasher.update(&deletes.to_be_bytes());
            }
            hasher.update(b"/");
        }
        let digest = hasher.finish();
        std::array::from_fn(|place| digest[place])
    }

    /// The state of every part that searches of this see.
    pub(super) fn pictures(&self) -> Pictures {
        match &self.pinned {
            Some(pinned) => Arc::clone(pinned),
            None => self
                .shared
                .all()
                .into_iter()
                .map(|part| {
                    let searcher = part.searcher();
                    (part, searcher)
                })
                .collect(),
        }
    }

    /// The parts that exist, oldest first.
    pub fn parts(&self) -> Vec<PartName> {
        self.shared.all().iter().map(|part| part.name).collect()
    }

    /// The anchor of a part now; `None` when there is no such part.
    pub fn anchor(&self, name: PartName) -> Option<Anchor> {
        Some(self.shared.get(name)?.directory.list().anchor())
    }

    /// Every segment of every open part and the key it took.
    pub fn segment_keys(&self) -> Vec<(String, KeyId)> {
        self.shared
            .all()
            .iter()
            .flat_map(|part| part.directory.segment_keys())
            .collect()
    }

    /// Opens every page of every file: what a search would find only when it comes by.
    ///
    /// # Errors
    /// The first file that is not what was written, by name.
    pub fn prove_files(&self) -> Result<()> {
        for part in self.shared.all() {
            // What a write that failed left behind belongs to nobody; the next commit removes it.
            let living = part.living_files()?;
            part.directory.prove_all(&living)?;
        }
        Ok(())
    }

    /// How full the cache is.
    pub fn cache_use(&self) -> CacheUse {
        self.shared.around.cache.usage()
    }

    /// Removes what is left of a part whose files cannot even be read; their keys are told as
    /// unused at the next open.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn discard_part(&self, name: PartName) -> Result<()> {
        self.shared.remove(name);
        let root = self.shared.root_of(name);
        match fs::remove_dir_all(&root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io(name.to_string(), error))
            }
            _ => Ok(()),
        }
    }

    /// Drops a part with all its files, before a rebuild or when everything in it expired. Close
    /// its writer first. Gives the keys to destroy.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub fn drop_part(&self, name: PartName) -> Result<Vec<KeyId>> {
        self.shared.remove(name);
        let root = self.shared.root.join(name.to_string());
        let keys = match SealedDirectory::keys_below(&root, &name.to_string()) {
            Ok(keys) => keys,
            Err(_) if !root.exists() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        fs::remove_dir_all(&root).map_err(|error| Error::io(name.to_string(), error))?;
        Ok(keys)
    }
}

fn engine_of(directory: &SealedDirectory) -> Result<tantivy::Index> {
    let (schema, _) = schema::build();
    let tokenizers = TokenizerManager::new();
    tokenizers.register(TOKENIZER, PackedTokenizer::default());
    // The engine resolves a tokenizer for every field, also for those without words.
    tokenizers.register("default", PackedTokenizer::default());
    let settings = IndexSettings {
        docstore_compression: Compressor::None,
        docstore_compress_dedicated_thread: false,
        ..IndexSettings::default()
    };
    let explained = |error| directory.explain(error);
    if directory.list().generation == 0 {
        return tantivy::Index::builder()
            .schema(schema)
            .settings(settings)
            .tokenizers(tokenizers)
            .open_or_create(directory.clone())
            .map_err(explained);
    }
    let mut engine = tantivy::Index::open(directory.clone()).map_err(explained)?;
    if engine.schema() != schema {
        return Err(Error::OtherFields {
            part: directory.part().to_owned(),
        });
    }
    engine.set_tokenizers(tokenizers);
    Ok(engine)
}

impl Part {
    fn open(name: PartName, directory: SealedDirectory, columns: Arc<KeptColumns>) -> Result<Part> {
        let engine = engine_of(&directory)?;
        let reader = engine
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .try_into()
            .map_err(|error| directory.explain(error))?;
        Ok(Part {
            name,
            directory,
            engine,
            reader,
            times: RwLock::default(),
            columns,
        })
    }

    /// Removes what a crash or a commit that failed left behind: the next commit needs some of the
    /// names again. Nothing may be writing.
    pub fn sweep(&self) -> Result<()> {
        self.directory.sweep(&self.living_files()?)
    }

    /// The files the list of segments names, some of which need not exist.
    fn living_files(&self) -> Result<HashSet<PathBuf>> {
        let metas = self.engine.load_metas();
        let metas = metas.map_err(|error| self.directory.explain(error))?;
        Ok(metas.list_segment_files())
    }

    /// The state searches see.
    pub fn searcher(&self) -> Searcher {
        self.reader.searcher()
    }

    /// Lets searches see the last commit. Handles of files that stay are reused.
    pub fn reload(&self) -> Result<()> {
        let before = self.searcher();
        self.reader
            .reload()
            .map_err(|error| self.directory.explain(error))?;
        let searcher = self.searcher();
        let living: BTreeSet<SegmentId> = searcher
            .segment_readers()
            .iter()
            .map(SegmentReader::segment_id)
            .collect();
        let mut gone: Vec<SegmentId> = before
            .segment_readers()
            .iter()
            .map(SegmentReader::segment_id)
            .collect();
        gone.retain(|segment| !living.contains(segment));
        self.columns.forget(&gone);
        self.times
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|segment, _| living.contains(segment));
        Ok(())
    }

    /// The columns of a segment by which hits are ordered.
    pub fn columns(&self, reader: &SegmentReader) -> Result<Arc<Columns>> {
        self.columns.of(reader)
    }

    /// First and last time in a segment, deleted messages included. Opening the column for it is
    /// the greater part of what a segment costs a search that takes no hit from it, so they are
    /// kept.
    pub fn times(&self, reader: &SegmentReader) -> Result<(i64, i64)> {
        let segment = reader.segment_id();
        let known = self.times.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = known.get(&segment) {
            return Ok(*times);
        }
        drop(known);
        let column = reader
            .fast_fields()
            .i64(SENT)
            .map_err(|error| self.directory.explain(error))?;
        let times = (column.min_value(), column.max_value());
        self.times
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(segment, times);
        Ok(times)
    }
}

impl Shared {
    fn on_disk(&self) -> Result<Vec<PartName>> {
        let failed = |error| Error::io("directory", error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if let Some(part) = name.to_str().and_then(|name| name.parse().ok()) {
                names.push(part);
            }
        }
        Ok(names)
    }

    /// Where the files of a part lie.
    pub fn root_of(&self, name: PartName) -> PathBuf {
        self.root.join(name.to_string())
    }

    fn directory(&self, name: PartName) -> Result<SealedDirectory> {
        let text = name.to_string();
        SealedDirectory::open(self.root.join(&text), text, self.around.clone())
    }

    fn open_known(&self, name: PartName, anchor: Option<&Anchor>) -> Result<(Part, Freshness)> {
        let directory = self.directory(name)?;
        let list = directory.list();
        if list.generation == 0 && anchor.is_some() {
            return Err(Error::MissingPart {
                part: name.to_string(),
            });
        }
        let freshness = match list.generation {
            0 => Freshness::Settled,
            _ => list.against(directory.part(), anchor)?,
        };
        let part = Part::open(name, directory, Arc::clone(&self.columns))?;
        part.sweep()?;
        Ok((part, freshness))
    }

    fn insert(&self, part: Part) -> Arc<Part> {
        let part = Arc::new(part);
        self.parts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part.name, Arc::clone(&part));
        part
    }

    fn remove(&self, name: PartName) {
        self.parts
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&name);
    }

    /// The open part of a name.
    pub fn get(&self, name: PartName) -> Option<Arc<Part>> {
        self.parts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&name)
            .cloned()
    }

    /// The part of a name, made if there is none.
    pub fn get_or_create(&self, name: PartName) -> Result<Arc<Part>> {
        if let Some(part) = self.get(name) {
            return Ok(part);
        }
        let part = Part::open(name, self.directory(name)?, Arc::clone(&self.columns))?;
        Ok(self.insert(part))
    }

    /// All parts, oldest first.
    pub fn all(&self) -> Vec<Arc<Part>> {
        self.parts
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// Destroys keys of segments that ordinary merges replaced; what fails is tried again later.
    pub fn drop_retired(&self, directory: &SealedDirectory) {
        let retired = directory.take_retired();
        if !retired.is_empty() && self.around.keys.drop_keys(&retired).is_err() {
            directory.put_back_retired(&retired);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_clocks_mint_no_parts() {
        let now = Timestamp::from_seconds(1_700_000_000);
        let part = |seconds| PartName::of(Timestamp::from_seconds(seconds), now);
        assert_eq!(part(0), PartName::Before);
        assert_eq!(part(946_684_799), PartName::Before);
        assert_eq!(part(946_684_800), PartName::Year(2000));
        assert_eq!(part(1_700_000_000), PartName::Year(2023));
        assert_eq!(part(1_720_000_000), PartName::Year(2024));
        assert_eq!(part(1_800_000_000), PartName::Later);
        assert_eq!(part(i64::MAX / 1_000_000), PartName::Later);
        assert_eq!(part(i64::MIN / 1_000_000), PartName::Before);
    }

    #[test]
    fn a_part_name_reads_back() {
        for name in [PartName::Before, PartName::Year(2024), PartName::Later] {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
        assert!("1999".parse::<PartName>().is_err());
        assert!("x".parse::<PartName>().is_err());
    }
}
