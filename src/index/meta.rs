//! The list of segments of a part (`meta.json`), its generation, and the anchor that dates it.
//!
//! ```text
//! file = "WKM1" generation(be64) revision(be64) sealed stream (kind IndexMeta, key index_meta)
//! ```
//! Generation and revision are bound by the name of the stream. A commit raises the generation;
//! a merge in the background rewrites the list without a new commit and raises the revision.

use super::error::{Error, FileFailure, Result, shown};
use crate::crypto::{Entropy, Key, StreamKind, open_whole, seal_whole, sha256};

const MAGIC: &[u8; 4] = b"WKM1";
const PREFIX_LEN: usize = 20;

/// What the caller records in the store transaction that settles a commit, and gives back at the
/// next open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Number of the commit, from 1 (the empty part).
    pub generation: u64,
    /// Rewrites of the list since that commit.
    pub revision: u64,
    /// SHA-256 of the sealed list.
    pub hash: [u8; 32],
}

/// How a part on disk relates to the anchor the store holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Just as the store says; merges may have run since.
    Settled,
    /// One commit ahead: a crash fell between the two. Replay the outbox.
    OneCommitAhead,
}

/// Where the list stands now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct MetaState {
    pub generation: u64,
    pub revision: u64,
    pub opstamp: u64,
    pub hash: [u8; 32],
}

#[derive(serde::Deserialize)]
struct Stamped {
    opstamp: u64,
}

impl MetaState {
    pub fn anchor(&self) -> Anchor {
        Anchor {
            generation: self.generation,
            revision: self.revision,
            hash: self.hash,
        }
    }

    /// The place of the next rewrite: the engine stamps every commit anew and merges not at all.
    pub fn next(&self, json: &[u8]) -> std::io::Result<MetaState> {
        let stamped: Stamped = serde_json::from_slice(json).map_err(std::io::Error::other)?;
        let commit = self.generation == 0 || stamped.opstamp != self.opstamp;
        Ok(MetaState {
            generation: self.generation + u64::from(commit),
            revision: if commit { 0 } else { self.revision + 1 },
            opstamp: stamped.opstamp,
            hash: [0; 32],
        })
    }

    /// Compares with the anchor of the store.
    ///
    /// # Errors
    /// When the part is older, more than one commit newer, or another one.
    pub fn against(&self, part: &str, anchor: Option<&Anchor>) -> Result<Freshness> {
        // Without an anchor nothing but the empty part and its first commit can be there.
        let expected = anchor.map_or(1, |anchor| anchor.generation);
        let revision = anchor.map_or(0, |anchor| anchor.revision);
        let found = self.generation;
        let part = part.to_owned();
        if (found, self.revision) < (expected, revision) {
            return Err(Error::OlderThanAnchor {
                part,
                found,
                expected,
            });
        }
        if found == expected + 1 {
            return Ok(Freshness::OneCommitAhead);
        }
        if found > expected {
            return Err(Error::NewerThanAnchor {
                part,
                found,
                expected,
            });
        }
        match anchor {
            Some(anchor) if anchor.revision == self.revision && anchor.hash != self.hash => {
                Err(Error::ForeignList { part })
            }
            _ => Ok(Freshness::Settled),
        }
    }
}

fn stream_name(index_id: &str, part: &str, generation: u64, revision: u64) -> String {
    format!("wordkeep/v1/index/{index_id}/{part}/meta.json#{generation}.{revision}")
}

/// The whole file of a list, and its state with the hash filled in.
pub(super) fn seal(
    json: &[u8],
    mut state: MetaState,
    key: &Key,
    (index_id, part): (&str, &str),
    entropy: &dyn Entropy,
) -> std::io::Result<(Vec<u8>, MetaState)> {
    let name = stream_name(index_id, part, state.generation, state.revision);
    let sealed = seal_whole(json, key, StreamKind::IndexMeta, &name, entropy)?;
    let mut file = Vec::with_capacity(PREFIX_LEN + sealed.len());
    file.extend_from_slice(MAGIC);
    file.extend_from_slice(&state.generation.to_be_bytes());
    file.extend_from_slice(&state.revision.to_be_bytes());
    file.extend_from_slice(&sealed);
    state.hash = sha256(&file);
    Ok((file, state))
}

/// Opens the file of a list: its plain JSON and its state.
pub(super) fn open(
    file: &[u8],
    key: &Key,
    (index_id, part): (&str, &str),
) -> std::io::Result<(Vec<u8>, MetaState)> {
    let shown = shown(part, std::path::Path::new("meta.json"));
    let failure = |reason: &str| {
        FileFailure {
            file: shown.clone(),
            reason: reason.to_owned(),
        }
        .into_io()
    };
    let Some((prefix, sealed)) = file.split_first_chunk::<PREFIX_LEN>() else {
        return Err(failure("cut or extended: too short for a list of segments"));
    };
    if &prefix[..4] != MAGIC {
        return Err(failure("not a list of segments"));
    }
    let (mut generation, mut revision) = ([0; 8], [0; 8]);
    generation.copy_from_slice(&prefix[4..12]);
    revision.copy_from_slice(&prefix[12..]);
    let (generation, revision) = (u64::from_be_bytes(generation), u64::from_be_bytes(revision));
    let name = stream_name(index_id, part, generation, revision);
    let json = open_whole(sealed, key, StreamKind::IndexMeta, &name)
        .map_err(|error| FileFailure::of_sealing(&shown, &error))?;
    let stamped: Stamped =
        serde_json::from_slice(&json).map_err(|_| failure("not a list of segments"))?;
    let state = MetaState {
        generation,
        revision,
        opstamp: stamped.opstamp,
        hash: sha256(file),
    };
    Ok((json, state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;

    const PLACE: (&str, &str) = ("id", "2024");

    fn sealed(generation: u64, revision: u64) -> (Vec<u8>, MetaState) {
        let state = MetaState {
            generation,
            revision,
            opstamp: 7,
            hash: [0; 32],
        };
        let key = Key::from_bytes([1; 32]);
        let entropy = SeededEntropy::new(generation);
        seal(br#"{"opstamp":7}"#, state, &key, PLACE, &entropy).expect("seals in memory")
    }

    #[test]
    fn a_list_reads_back_with_its_generation() {
        let (file, state) = sealed(3, 1);
        let (json, read) = open(&file, &Key::from_bytes([1; 32]), PLACE).expect("opens");
        assert_eq!(json, br#"{"opstamp":7}"#);
        assert_eq!(read, state);
    }

    #[test]
    fn a_list_of_another_part_or_generation_names_the_file() {
        let (mut file, _) = sealed(3, 1);
        let key = Key::from_bytes([1; 32]);
        let error = open(&file, &key, ("id", "2023")).expect_err("another part");
        assert!(error.to_string().contains("2023/meta.json"), "{error}");
        file[11] = 4;
        let error = open(&file, &key, PLACE).expect_err("another generation");
        assert!(error.to_string().contains("2024/meta.json"), "{error}");
    }

    #[test]
    fn only_a_commit_raises_the_generation() {
        let state = MetaState::default();
        let created = state.next(br#"{"opstamp":0}"#).expect("json");
        assert_eq!((created.generation, created.revision), (1, 0));
        let commit = created.next(br#"{"opstamp":9}"#).expect("json");
        assert_eq!((commit.generation, commit.revision), (2, 0));
        let merge = commit.next(br#"{"opstamp":9}"#).expect("json");
        assert_eq!((merge.generation, merge.revision), (2, 1));
    }

    #[test]
    fn e3_an_index_older_than_its_anchor_is_refused_and_one_commit_newer_accepted() {
        let at = |generation, revision| sealed(generation, revision).1;
        let anchor = at(5, 1).anchor();
        let check = |state: MetaState| state.against("2024", Some(&anchor));
        assert!(matches!(
            check(at(4, 9)),
            Err(Error::OlderThanAnchor { .. })
        ));
        assert!(matches!(
            check(at(5, 0)),
            Err(Error::OlderThanAnchor { .. })
        ));
        assert!(matches!(check(at(5, 1)), Ok(Freshness::Settled)));
        assert!(matches!(check(at(5, 2)), Ok(Freshness::Settled)));
        assert!(matches!(check(at(6, 0)), Ok(Freshness::OneCommitAhead)));
        assert!(matches!(
            check(at(7, 0)),
            Err(Error::NewerThanAnchor { .. })
        ));
        let mut other = at(5, 1);
        other.hash[0] ^= 1;
        assert!(matches!(check(other), Err(Error::ForeignList { .. })));
    }
}
