//! Proofs about a published log: that an entry is in it, that one state continues another.

use std::cell::RefCell;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::crypto::{
    self, Checkpoint, Digest, NodeSource, NoteVerifier, PROOF_LEN_MAX, TILE_HEIGHT, TILE_WIDTH,
    TileId, TileKind, TileNodes, consistency_proof, inclusion_proof, leaf_hash, open_checkpoint,
    verify_consistency, verify_inclusion,
};
use crate::domain::EntryNo;

use super::error::{AuditError, Result};
use super::files::LogFiles;

/// Complete nodes of a log of known size, read from its tiles as they are asked for.
pub struct PublishedNodes<'f> {
    files: &'f dyn LogFiles,
    size: u64,
    nodes: RefCell<TileNodes>,
}

impl<'f> PublishedNodes<'f> {
    /// The nodes of the published log of `size` entries.
    pub fn new(files: &'f dyn LogFiles, size: u64) -> Self {
        Self {
            files,
            size,
            nodes: RefCell::new(TileNodes::new()),
        }
    }

    /// The tile that holds a node, as wide as the log's size makes it.
    fn tile_of(&self, level: u8, index: u64) -> Option<TileId> {
        let (tile_level, above) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let items = self.size.checked_shr(u32::from(tile_level * TILE_HEIGHT))?;
        let width = u64::from(TILE_WIDTH);
        let tile = index.checked_mul(1 << above)? / width;
        let held = items.saturating_sub(tile * width).min(width);
        (held > 0).then_some(TileId {
            kind: TileKind::Hashes { level: tile_level },
            index: tile,
            width: held as u16,
        })
    }
}

impl NodeSource for PublishedNodes<'_> {
    fn node(&self, level: u8, index: u64) -> crypto::Result<Digest> {
        let known = self.nodes.borrow().node(level, index);
        if known.is_ok() {
            return known;
        }
        let missing = crypto::Error::MissingNode { level, index };
        let id = self.tile_of(level, index).ok_or(missing.clone())?;
        match self.files.read(&id.to_string()) {
            Ok(Some(bytes)) => self.nodes.borrow_mut().insert(id, &bytes)?,
            _ => return Err(missing),
        }
        self.nodes.borrow().node(level, index)
    }
}

/// That an entry stands in a signed log: position, path and checkpoint. Goes into exports and
/// certificates; verifies offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof {
    /// The entry's place.
    pub seq: EntryNo,
    /// Siblings from the leaf to the root.
    pub path: Vec<Digest>,
    /// The signed checkpoint it leads to.
    pub note: String,
}

const PROOF_HEADER: &str = "c2sp.org/tlog-proof@v1";

impl InclusionProof {
    /// The proof of entry `seq` under the newest published checkpoint.
    pub fn make(files: &dyn LogFiles, seq: EntryNo, signer: &NoteVerifier) -> Result<Self> {
        let note = files
            .read(super::files::CHECKPOINT_FILE)?
            .ok_or_else(|| AuditError::Unreadable("the log has no checkpoint yet".to_owned()))?;
        let checkpoint = open_checkpoint(&note, signer)?;
        let nodes = PublishedNodes::new(files, checkpoint.size);
        let path = inclusion_proof(&nodes, seq.0, checkpoint.size)?;
        let note = String::from_utf8(note)
            .map_err(|_| AuditError::Broken("the checkpoint is not text".to_owned()))?;
        Ok(Self { seq, path, note })
    }

    /// Checks that this very entry is the one at the proved place of a log signed by the pinned
    /// key; gives the checkpoint.
    pub fn verify(&self, entry: &[u8], pinned: &NoteVerifier) -> Result<Checkpoint> {
        let checkpoint = open_checkpoint(self.note.as_bytes(), pinned)?;
        let leaf = leaf_hash(entry);
        verify_inclusion(
            &leaf,
            self.seq.0,
            checkpoint.size,
            &self.path,
            &checkpoint.root,
        )?;
        Ok(checkpoint)
    }

    /// The proof as text (c2sp.org/tlog-proof): header, index, one hash a line, the note.
    pub fn to_text(&self) -> String {
        let mut text = format!("{PROOF_HEADER}\nindex {}\n", self.seq.0);
        for hash in &self.path {
            text += &BASE64.encode(hash);
            text.push('\n');
        }
        text.push('\n');
        text + &self.note
    }

    /// Reads what [`InclusionProof::to_text`] gave.
    pub fn parse(text: &str) -> Result<Self> {
        let malformed = || AuditError::Broken("the proof is malformed".to_owned());
        let (head, note) = text.split_once("\n\n").ok_or_else(malformed)?;
        let mut lines = head.split('\n');
        if lines.next() != Some(PROOF_HEADER) {
            return Err(malformed());
        }
        let seq = lines
            .next()
            .and_then(|line| line.strip_prefix("index ")?.parse().ok())
            .map(EntryNo)
            .ok_or_else(malformed)?;
        let path = lines
            .take(PROOF_LEN_MAX + 1)
            .map(|line| BASE64.decode(line).ok()?.try_into().ok())
            .collect::<Option<Vec<Digest>>>()
            .ok_or_else(malformed)?;
        Ok(Self {
            seq,
            path,
            note: note.to_owned(),
        })
    }
}

/// The proof that the published log of `new` entries continues the one of `old`.
pub fn prove_consistency(files: &dyn LogFiles, old: u64, new: u64) -> Result<Vec<Digest>> {
    Ok(consistency_proof(
        &PublishedNodes::new(files, new),
        old,
        new,
    )?)
}

/// Checks that `new` continues `old`: nothing before `old` was changed, removed or put in between.
pub fn check_consistency(old: &Checkpoint, new: &Checkpoint, proof: &[Digest]) -> Result<()> {
    Ok(verify_consistency(
        old.size, &old.root, new.size, &new.root, proof,
    )?)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Files, Scratch, checkpoint_now, fill, signer};
    use super::*;

    #[test]
    fn a5_every_entry_of_an_export_is_proved_offline() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let mut files = Files::new();
        fill(&store, 300);
        checkpoint_now(&store, &mut files);
        let rows = store.read().expect("reads");
        let entries = rows.audit_entries(EntryNo(0), EntryNo(300)).expect("reads");
        let (signer, pinned) = (signer(), signer().verifier().clone());
        for row in &entries {
            let proof = InclusionProof::make(&files, row.seq, signer.verifier()).expect("proves");
            let read = InclusionProof::parse(&proof.to_text()).expect("reads");
            assert_eq!(read, proof);
            assert_eq!(read.verify(&row.entry, &pinned).expect("holds").size, 300);
            let other = &entries[(row.seq.0 as usize + 1) % 300];
            assert!(read.verify(&other.entry, &pinned).is_err());
        }
        assert!(InclusionProof::make(&files, EntryNo(300), signer.verifier()).is_err());
    }

    #[test]
    fn a2_two_states_of_one_log_are_consistent_and_forks_are_not() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let mut files = Files::new();
        fill(&store, 77);
        let old = checkpoint_now(&store, &mut files);
        fill(&store, 200);
        let new = checkpoint_now(&store, &mut files);
        let proof = prove_consistency(&files, old.size, new.size).expect("proves");
        check_consistency(&old, &new, &proof).expect("holds");
        let forked = Checkpoint {
            root: [1; 32],
            ..old
        };
        assert!(check_consistency(&forked, &new, &proof).is_err());
    }

    #[test]
    fn malformed_proofs_are_refused() {
        for text in [
            "",
            "\n\n",
            "c2sp.org/tlog-proof@v1\nindex x\n\nnote",
            "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nnote",
        ] {
            assert!(InclusionProof::parse(text).is_err(), "{text:?}");
        }
    }
}
