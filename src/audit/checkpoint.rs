//! Checkpoints: the log's state signed, and hashes and signatures written outside the database.

use std::collections::BTreeMap;

use crate::crypto;
use crate::crypto::{
    Checkpoint, DIGEST_LEN, Digest, Edge, NodeSource, NoteVerifier, SigningKey, TILE_HEIGHT,
    TILE_WIDTH, TileId, TileKind, TileNodes, leaf_hash, open_checkpoint, perfect_root, push_entry,
    sign_checkpoint,
};
use crate::domain::{EntryNo, StoreId};
use crate::store::{Rows, WriteTx};

use super::beginning::{BEGINNING_FILE, Beginning, check_beginning};
use super::error::{AuditError, Result};
use super::files::{CHECKPOINT_FILE, HISTORY_SPAN, LogFiles, LogSink, hash_tiles, history_name};
use super::log::LogEnd;

/// Entries read at a time.
const PAGE: u64 = 1024;

/// The key that signs checkpoints, with the name of the log.
pub struct LogSigner {
    key: SigningKey,
    verifier: NoteVerifier,
}

impl LogSigner {
    /// The signer of a store's log. The origin is `organisation/store-id`; the organisation must
    /// have neither white space nor a plus.
    pub fn new(organisation: &str, store: StoreId, key: SigningKey) -> Result<Self> {
        let origin = format!("{organisation}/{store}");
        let verifier = NoteVerifier::new(&origin, key.verifying_key())?;
        Ok(Self { key, verifier })
    }

    /// What a verifier pins: name and public key.
    pub const fn verifier(&self) -> &NoteVerifier {
        &self.verifier
    }

    /// The secret half, for the statements of this room.
    pub(super) const fn key(&self) -> &SigningKey {
        &self.key
    }
}

/// A checkpoint signed in a transaction, with the files that are due after its commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Tiles first, elder checkpoints, the newest checkpoint last: a reader never finds a
    /// checkpoint whose tiles are missing.
    writes: Vec<(String, Vec<u8>)>,
    /// Partial tiles that wider ones replaced.
    removals: Vec<String>,
}

impl Signed {
    /// Writes the files. Call it after the commit; if it fails, or the process dies before, the
    /// next checkpoint writes them again.
    pub fn publish(&self, files: &mut dyn LogSink) -> Result<()> {
        for (name, bytes) in &self.writes {
            files.write(name, bytes)?;
        }
        for name in &self.removals {
            files.remove(name)?;
        }
        Ok(())
    }
}

/// Signs the state of the log if it grew since the last checkpoint or the files lag behind;
/// `None` when there is nothing to do.
///
/// Refuses with [`AuditError::Broken`] to sign what is inconsistent with an earlier checkpoint or
/// with the kept edge: the entries are hashed again from the last published state on.
pub fn sign(tx: &WriteTx<'_>, files: &dyn LogFiles, signer: &LogSigner) -> Result<Option<Signed>> {
    let end = LogEnd::read(tx)?.edge;
    let last = tx.last_audit_checkpoint()?;
    let published = read_published(tx, files, signer)?;
    let last_size = last.as_ref().map_or(0, |(size, _)| *size);
    if end.size() == 0 || (end.size() == last_size && end.size() == published.size) {
        return Ok(None);
    }
    let grown = grow(tx, published, end.size(), last.as_ref(), signer)?;
    if grown.edge != end {
        return Err(broken("the entries do not hash to the kept edge"));
    }
    let checkpoint = Checkpoint {
        origin: signer.verifier.name.clone(),
        size: end.size(),
        root: end.root(),
    };
    let note = match last {
        Some((size, note)) if size == end.size() => note,
        _ => {
            let note = sign_checkpoint(&checkpoint, &signer.key)?;
            tx.insert_audit_checkpoint(end.size(), &note)?;
            note
        }
    };
    let mut writes = tile_writes(&grown, end.size())?;
    writes.extend(history_writes(tx, grown.from, end.size())?);
    writes.push((CHECKPOINT_FILE.to_owned(), note.into_bytes()));
    let kept = TileId::partial(end.size());
    let removals = TileId::partial(grown.from)
        .into_iter()
        .filter(|id| !kept.contains(id))
        .map(|id| id.to_string())
        .collect();
    Ok(Some(Signed {
        checkpoint,
        writes,
        removals,
    }))
}

/// Whether record and files tell one story, checked when a store is opened: the files are not ahead
/// of the record (an older copy was put back), the last checkpoint is ours and agrees, the entries
/// behind the published state hash to the kept edge. Costs no more than the next checkpoint would.
pub fn check(rows: &Rows, files: &dyn LogFiles, signer: &LogSigner) -> Result<()> {
    let end = LogEnd::read(rows)?.edge;
    let last = rows.last_audit_checkpoint()?;
    let published = read_published(rows, files, signer)?;
    check_beginning(rows)?;
    let grown = grow(rows, published, end.size(), last.as_ref(), signer)?;
    match grown.edge == end {
        true => Ok(()),
        false => Err(broken("the entries do not hash to the kept edge")),
    }
}

fn broken(what: &str) -> AuditError {
    AuditError::Broken(what.to_owned())
}

/// What the files hold already: nodes on the right edge and the edge itself.
#[derive(Default)]
struct Published {
    size: u64,
    edge: Edge,
    nodes: TileNodes,
    /// The files are not all there: those of the right edge are written even where nothing grew.
    lost: bool,
}

/// Reads the published state. Files that are missing or do not fit their own checkpoint count as
/// nothing published: they are derived and are written again from the entries, as far back as those
/// are there.
fn read_published(rows: &Rows, files: &dyn LogFiles, signer: &LogSigner) -> Result<Published> {
    let published = read_edge(files, signer)?;
    match Beginning::kept(rows)? {
        Some(beginning) if published.size < beginning.size() => pruned(files, &beginning),
        _ => Ok(published),
    }
}

/// The state at the end of what was pruned, from its whole tiles.
fn pruned(files: &dyn LogFiles, beginning: &Beginning) -> Result<Published> {
    let mut nodes = TileNodes::new();
    for id in TileId::partial(beginning.size()) {
        // Whole tiles of entries were pruned: what is left over begins a level above the leaves.
        let TileKind::Hashes { level: above @ 1.. } = id.kind else {
            continue;
        };
        let mut bytes = Vec::new();
        for index in id.first()..id.first() + u64::from(id.width) {
            let below = TileId {
                kind: TileKind::Hashes { level: above - 1 },
                index,
                width: TILE_WIDTH,
            };
            bytes.extend_from_slice(&perfect_root(&whole_tile(files, below)?));
        }
        nodes.insert(id, &bytes)?;
    }
    match Edge::load(&nodes, beginning.size()) {
        Ok(edge) if edge == *beginning.edge() => Ok(Published {
            size: beginning.size(),
            edge,
            nodes,
            lost: true,
        }),
        _ => Err(broken("its hashes are not those of what was pruned")),
    }
}

fn whole_tile(files: &dyn LogFiles, id: TileId) -> Result<Vec<Digest>> {
    let bytes = files.read(&id.to_string())?.unwrap_or_default();
    match bytes.as_chunks::<DIGEST_LEN>() {
        (hashes, []) if hashes.len() == usize::from(TILE_WIDTH) => Ok(hashes.to_vec()),
        _ => Err(AuditError::Broken(format!(
            "log/{id} is missing or cut, and its entries were pruned: put it back from a backup"
        ))),
    }
}

fn read_edge(files: &dyn LogFiles, signer: &LogSigner) -> Result<Published> {
    let Some(note) = files.read(CHECKPOINT_FILE)? else {
        return Ok(Published::default());
    };
    let Ok(checkpoint) = open_checkpoint(&note, &signer.verifier) else {
        return Ok(Published::default());
    };
    let mut nodes = TileNodes::new();
    // Only partial tiles are asked for again: full ones are never written twice.
    for id in TileId::partial(checkpoint.size) {
        let Some(bytes) = files.read(&id.to_string())? else {
            return Ok(Published::default());
        };
        if nodes.insert(id, &bytes).is_err() {
            return Ok(Published::default());
        }
    }
    Ok(match Edge::load(&nodes, checkpoint.size) {
        Ok(edge) if edge.root() == checkpoint.root => Published {
            size: checkpoint.size,
            edge,
            nodes,
            lost: false,
        },
        _ => Published::default(),
    })
}

/// The tree from the published state to the end of the log.
struct Grown {
    from: u64,
    edge: Edge,
    fresh: BTreeMap<(u8, u64), Digest>,
    nodes: TileNodes,
    lost: bool,
}

impl NodeSource for Grown {
    fn node(&self, level: u8, index: u64) -> crypto::Result<Digest> {
        match self.fresh.get(&(level, index)) {
            Some(hash) => Ok(*hash),
            None => self.nodes.node(level, index),
        }
    }
}

/// Hashes the entries behind the published state, comparing with the last checkpoint on the way.
fn grow(
    rows: &Rows,
    published: Published,
    end: u64,
    last: Option<&(u64, String)>,
    signer: &LogSigner,
) -> Result<Grown> {
    let last = last
        .map(|(_, note)| open_checkpoint(note.as_bytes(), &signer.verifier))
        .transpose()
        .map_err(|_| broken("the last checkpoint is not signed by this log's key"))?;
    // Files ahead of the record mean that the record was put back: never sign over that.
    if published.size > end || last.as_ref().is_some_and(|last| last.size > end) {
        return Err(broken(
            "it is shorter than a checkpoint says: an older copy was put back",
        ));
    }
    let mut grown = Grown {
        from: published.size,
        edge: published.edge,
        fresh: BTreeMap::new(),
        nodes: published.nodes,
        lost: published.lost,
    };
    let agrees = |edge: &Edge| match &last {
        Some(last) if last.size == edge.size() => last.root == edge.root(),
        _ => true,
    };
    if !agrees(&grown.edge) {
        return Err(broken(
            "the published checkpoint and the kept one are of two histories",
        ));
    }
    while grown.edge.size() < end {
        let start = grown.edge.size();
        let rows = rows.audit_entries(EntryNo(start), EntryNo((start + PAGE).min(end)))?;
        if rows.is_empty() {
            return Err(AuditError::Broken(format!("entry {start} is missing")));
        }
        for row in rows {
            if row.seq.0 != grown.edge.size() {
                return Err(AuditError::Broken(format!(
                    "entry {} is missing",
                    grown.edge.size()
                )));
            }
            let fresh = &mut grown.fresh;
            grown.edge.append(leaf_hash(&row.entry), |node| {
                if node.level % TILE_HEIGHT == 0 {
                    fresh.insert((node.level, node.index), node.hash);
                }
            });
            if !agrees(&grown.edge) {
                return Err(broken("its entries contradict the last checkpoint"));
            }
        }
    }
    Ok(grown)
}

fn tile_writes(grown: &Grown, end: u64) -> Result<Vec<(String, Vec<u8>)>> {
    let mut ids = TileId::grown(grown.from, end);
    if grown.lost {
        let edge = TileId::partial(end).into_iter();
        ids.extend(edge.filter(|id| !ids.contains(id)).collect::<Vec<_>>());
    }
    ids.into_iter()
        .filter(|id| id.kind != TileKind::Entries)
        .map(|id| Ok((id.to_string(), id.hashes(grown)?)))
        .collect()
}

/// The files of elder checkpoints that gained one between two sizes.
fn history_writes(rows: &Rows, from: u64, end: u64) -> Result<Vec<(String, Vec<u8>)>> {
    let mut writes = Vec::new();
    for n in from / HISTORY_SPAN..=end / HISTORY_SPAN {
        let start = n * HISTORY_SPAN;
        let mut bytes = Vec::new();
        for (_, note) in rows.audit_checkpoints_between(start, start + HISTORY_SPAN)? {
            push_entry(&mut bytes, note.as_bytes())?;
        }
        if !bytes.is_empty() {
            writes.push((history_name(n), bytes));
        }
    }
    Ok(writes)
}

/// Writes the whole log up to its last checkpoint as C2SP tiles: entries, hashes, checkpoints. The
/// result verifies without key, configuration or network; it holds no payload. Of entries that were
/// pruned it holds the hashes, from `files`, and what stands in their stead.
pub fn export(
    rows: &Rows,
    files: &dyn LogFiles,
    signer: &NoteVerifier,
    out: &mut dyn LogSink,
) -> Result<Checkpoint> {
    let Some((_, note)) = rows.last_audit_checkpoint()? else {
        return Err(broken("it has no checkpoint yet: make one first"));
    };
    let checkpoint = open_checkpoint(note.as_bytes(), signer)?;
    let beginning = Beginning::kept(rows)?;
    let published = match &beginning {
        Some(beginning) => pruned(files, beginning)?,
        None => Published::default(),
    };
    let mut grown = Grown {
        from: published.size,
        edge: published.edge,
        fresh: BTreeMap::new(),
        nodes: published.nodes,
        lost: published.lost,
    };
    if let Some(beginning) = &beginning {
        for id in hash_tiles(beginning.size()).filter(|id| id.width == TILE_WIDTH) {
            out.write(&id.to_string(), whole_tile(files, id)?.as_flattened())?;
        }
        out.write(BEGINNING_FILE, beginning.document())?;
    }
    let from = grown.from;
    for id in TileId::all(checkpoint.size)
        .into_iter()
        .filter(|id| id.kind == TileKind::Entries && id.first() >= from)
    {
        let first = id.first();
        let entries = rows.audit_entries(EntryNo(first), EntryNo(first + u64::from(id.width)))?;
        let mut bundle = Vec::new();
        for row in &entries {
            push_entry(&mut bundle, &row.entry)?;
            let fresh = &mut grown.fresh;
            grown.edge.append(leaf_hash(&row.entry), |node| {
                if node.level % TILE_HEIGHT == 0 {
                    fresh.insert((node.level, node.index), node.hash);
                }
            });
        }
        out.write(&id.to_string(), &bundle)?;
    }
    if grown.edge.size() != checkpoint.size || grown.edge.root() != checkpoint.root {
        return Err(broken("its entries contradict the last checkpoint"));
    }
    for (name, bytes) in tile_writes(&grown, checkpoint.size)? {
        out.write(&name, &bytes)?;
    }
    for (name, bytes) in history_writes(rows, 0, checkpoint.size)? {
        out.write(&name, &bytes)?;
    }
    out.write(CHECKPOINT_FILE, note.as_bytes())?;
    Ok(checkpoint)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, Scratch, checkpoint_now, draft, fill, now, signer};
    use super::*;
    use crate::audit::{Action, Payload, append};
    use crate::crypto::SeededEntropy;

    #[test]
    fn a2_tiles_written_step_by_step_are_those_of_the_whole() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let mut files = Files::new();
        for step in [1, 3, 252, 1, 300, 40] {
            fill(&store, step);
            checkpoint_now(&store, &mut files);
        }
        let tx = store.write().expect("writes");
        assert_eq!(sign(&tx, &files, &signer()).expect("signs"), None);
        drop(tx);
        let mut whole = Files::new();
        let rows = store.read().expect("reads");
        let checkpoint = export(&rows, &files, signer().verifier(), &mut whole).expect("exports");
        assert_eq!(checkpoint.size, 597);
        whole.retain(|name, _| !name.starts_with("tile/entries/"));
        assert_eq!(files, whole);
    }

    #[test]
    fn lost_or_damaged_files_are_written_again() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let mut files = Files::new();
        fill(&store, 300);
        checkpoint_now(&store, &mut files);
        let sound = files.clone();
        files.clear();
        checkpoint_now(&store, &mut files);
        assert_eq!(files, sound);
        for name in sound
            .keys()
            .filter(|name| name.contains(".p/") || *name == "checkpoint")
        {
            let bytes = files.get_mut(name).expect("it is there");
            bytes[0] ^= 1;
            checkpoint_now(&store, &mut files);
            assert_eq!(files, sound, "{name}");
        }
    }

    #[test]
    fn a2_a_crash_before_publishing_loses_nothing() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let mut files = Files::new();
        fill(&store, 10);
        checkpoint_now(&store, &mut files);
        fill(&store, 10);
        let tx = store.write().expect("writes");
        let _unpublished = sign(&tx, &files, &signer())
            .expect("signs")
            .expect("it grew");
        tx.commit().expect("commits");
        fill(&store, 10);
        checkpoint_now(&store, &mut files);
        let mut whole = Files::new();
        export(
            &store.read().expect("reads"),
            &files,
            signer().verifier(),
            &mut whole,
        )
        .expect("exports");
        assert_eq!(files.get("checkpoints/000"), whole.get("checkpoints/000"));
        assert_eq!(files.get("tile/0/000.p/30"), whole.get("tile/0/000.p/30"));
    }

    #[test]
    fn a2_nothing_is_signed_over_another_history() {
        let (scratch, other) = (Scratch::new(), Scratch::new());
        let (store, foreign) = (scratch.open(), other.open());
        let mut files = Files::new();
        fill(&store, 20);
        checkpoint_now(&store, &mut files);
        // The record is put back: shorter than what its files say.
        fill(&foreign, 10);
        let tx = foreign.write().expect("writes");
        assert!(matches!(
            sign(&tx, &files, &signer()),
            Err(AuditError::Broken(_))
        ));
        drop(tx);
        // Or it is another history of enough entries that kept the old checkpoint.
        let tx = foreign.write().expect("writes");
        let payload = Payload::none(&SeededEntropy::new(10));
        append(&tx, &now(10), draft(Action::StoreClose), payload).expect("appends");
        tx.commit().expect("commits");
        fill(&foreign, 30);
        let tx = foreign.write().expect("writes");
        let (size, note) = store
            .read()
            .expect("reads")
            .last_audit_checkpoint()
            .expect("reads")
            .expect("one");
        tx.insert_audit_checkpoint(size, &note).expect("inserts");
        assert!(matches!(
            sign(&tx, &Files::new(), &signer()),
            Err(AuditError::Broken(_))
        ));
    }

    #[test]
    fn a2_a_record_that_was_put_back_is_noticed_on_opening() {
        let (scratch, older) = (Scratch::new(), Scratch::new());
        let (store, copy) = (scratch.open(), older.open());
        let mut files = Files::new();
        let rows = |store: &crate::store::Store, files: &Files| {
            check(&store.read().expect("reads"), files, &signer())
        };
        assert!(rows(&store, &files).is_ok());
        fill(&store, 10);
        fill(&copy, 10);
        assert!(rows(&store, &files).is_ok());
        fill(&store, 10);
        checkpoint_now(&store, &mut files);
        fill(&store, 10);
        assert!(rows(&store, &files).is_ok());
        assert!(matches!(rows(&copy, &files), Err(AuditError::Broken(_))));
    }

    #[test]
    fn an_organisation_that_breaks_a_note_is_refused() {
        let key = || SigningKey::from_key(&crate::crypto::Key::from_bytes([1; 32]));
        assert!(LogSigner::new("two words", StoreId(1), key()).is_err());
        assert!(LogSigner::new("a+b", StoreId(1), key()).is_err());
        assert!(LogSigner::new("example", StoreId(1), key()).is_ok());
    }
}
