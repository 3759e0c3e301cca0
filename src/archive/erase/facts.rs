//! What a purge did: everything a certificate says, and nothing of what was destroyed.

use super::judge::KeepReason;
use crate::crypto::{Digest, Edge, leaf_hash};
use crate::domain::{ConversationNo, MessageNo, Timestamp};

/// A message that was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErasedItem {
    /// Its number; it is never given again.
    pub no: MessageNo,
    /// Its identity under the tombstone key: recognises the same message again, tells nothing.
    pub keyed_id: [u8; 32],
    /// The conversation it stood in.
    pub conversation: ConversationNo,
    /// Its effective time.
    pub sent: Timestamp,
}

/// What the check after the purge found. Everything but `sampled` must be as named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Residue {
    /// Items and words that were looked for.
    pub sampled: u64,
    /// Every destroyed key row is absent, and no row names one.
    pub key_absent: bool,
    /// No segment of the index counts a word found only in what was destroyed, and none still
    /// holds a deleted message.
    pub index_absent: bool,
    /// Files of the data directory in which a sampled word stands readable.
    pub scan_hits: u64,
}

impl Residue {
    /// Whether nothing was left.
    pub const fn is_clean(&self) -> bool {
        self.key_absent && self.index_absent && self.scan_hits == 0
    }
}

/// What a purge did. The same facts come again however often they are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// The batch.
    pub batch: u64,
    /// The root of the plan that was approved.
    pub root: Digest,
    /// What was destroyed, ascending by number.
    pub erased: Vec<ErasedItem>,
    /// What stayed, and why; ascending by number.
    pub dropped: Vec<(MessageNo, KeepReason)>,
    /// Numbers of the destroyed key rows, ascending: buckets and segments of the index.
    pub keys_destroyed: Vec<u64>,
    /// Generation of the keyhold before the first slice.
    pub generation_before: u64,
    /// Generation of the keyhold after the last step.
    pub generation_after: u64,
    /// Attachment files removed.
    pub blobs: u64,
    /// Plain bytes of those files.
    pub bytes: u64,
    /// Compliance time of the first decision; `None` when nothing was destroyed.
    pub decided: Option<Timestamp>,
    /// What the check found.
    pub residue: Residue,
}

/// The root of the RFC 6962 tree over keyed identities in ascending order: with it a certificate
/// tells what was in a run and what was not.
pub fn identities_root(identities: impl IntoIterator<Item = [u8; 32]>) -> Digest {
    let mut sorted: Vec<[u8; 32]> = identities.into_iter().collect();
    sorted.sort_unstable();
    let mut tree = Edge::new();
    for identity in sorted {
        tree.append(leaf_hash(&identity), |_| ());
    }
    tree.root()
}

impl Erased {
    /// [`identities_root`] of what was destroyed.
    pub fn items_root(&self) -> Digest {
        identities_root(self.erased.iter().map(|item| item.keyed_id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d5_one_thing_that_is_left_is_a_residue() {
        let clean = Residue {
            key_absent: true,
            index_absent: true,
            scan_hits: 0,
            ..Residue::default()
        };
        assert!(clean.is_clean());
        for (key_absent, index_absent, scan_hits) in
            [(false, true, 0), (true, false, 0), (true, true, 1)]
        {
            let left = Residue {
                key_absent,
                index_absent,
                scan_hits,
                ..clean
            };
            assert!(!left.is_clean(), "{left:?}");
        }
    }

    #[test]
    fn d4_the_root_is_over_the_identities_whatever_their_order() {
        let (one, two) = ([1; 32], [2; 32]);
        let mut tree = Edge::new();
        for identity in [one, two] {
            tree.append(leaf_hash(&identity), |_| ());
        }
        assert_eq!(identities_root([two, one]), tree.root());
        assert_ne!(identities_root([one]), tree.root());
        assert_ne!(identities_root([]), tree.root());
    }
}
