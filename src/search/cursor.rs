//! Where a page of hits ended, and in which snapshot, as a text that only this store can make and read.
//!
//! ```text
//! base64url( nonce | sealed( 2 | order | score | sent | message number | asked | through | of | picture | sight ) )
//! ```
//! Numbers are big-endian. Sealed (AES-256-GCM), because its figures count what the asker may not see.
//! The nonce is a keyed hash over what is sealed and what the cursor is bound to - query, asker - so that
//! no two texts share one; a cursor of another search, or of another asker, is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::{Result, SearchError};
use super::order::{Order, SortKey};
use crate::archive::Watermark;
use crate::crypto::{Cipher, Key, Nonce, hmac_sha256};
use crate::domain::{MessageNo, Timestamp};

const FORMAT: u8 = 2;
const LABEL: &[u8] = b"wordkeep/v1/cursor";
const NONCE_BYTES: usize = 12;

/// The state of index and sight that every page of one search is cut from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// When the first page was asked: what "today" means on all of them.
    pub asked: Timestamp,
    /// How far the index had read.
    pub watermark: Watermark,
    /// Fingerprint of the index and the names as they were.
    pub picture: [u8; 16],
    /// Fingerprint of what the asker might see.
    pub sight: [u8; 8],
}

impl Default for Snapshot {
    fn default() -> Self {
        Snapshot {
            asked: Timestamp::default(),
            watermark: Watermark { through: 0, of: 0 },
            picture: [0; 16],
            sight: [0; 8],
        }
    }
}

/// The last hit of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cursor {
    /// The order of the pages.
    pub order: Order,
    /// The key of the last hit.
    pub key: SortKey,
    /// What all pages are cut from.
    pub snapshot: Snapshot,
}

impl Cursor {
    /// The cursor as text. `bound` says what it belongs to.
    pub fn seal(&self, key: &Key, bound: &[u8]) -> String {
        let plain = self.plain();
        let digest = hmac_sha256(key.expose(), &[LABEL, b"/nonce", &plain, bound]);
        let nonce: [u8; NONCE_BYTES] = std::array::from_fn(|place| digest[place]);
        let mut bytes = nonce.to_vec();
        let sealed = cipher(key).seal(&Nonce::from_bytes(nonce), &aad(bound), &plain, &mut bytes);
        // A text that was not sealed opens nothing: whoever brings it begins again.
        match sealed {
            Ok(()) => URL_SAFE_NO_PAD.encode(&bytes),
            Err(_) => String::new(),
        }
    }

    /// Reads a cursor that `seal` made with the same key and binding.
    ///
    /// # Errors
    /// [`SearchError::ForeignCursor`] for anything else, always the same.
    pub fn open(text: &str, key: &Key, bound: &[u8]) -> Result<Cursor> {
        let foreign = || SearchError::ForeignCursor;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| foreign())?;
        let (nonce, sealed) = bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or_else(foreign)?;
        let mut plain = Vec::new();
        cipher(key)
            .open(&Nonce::from_bytes(*nonce), &aad(bound), sealed, &mut plain)
            .map_err(|_| foreign())?;
        read(&plain).ok_or_else(foreign)
    }

    fn plain(&self) -> Vec<u8> {
        let snapshot = &self.snapshot;
        let mut bytes = vec![FORMAT, self.order as u8];
        bytes.extend_from_slice(&self.key.score.to_bits().to_be_bytes());
        bytes.extend_from_slice(&self.key.sent.0.to_be_bytes());
        bytes.extend_from_slice(&self.key.no.0.to_be_bytes());
        bytes.extend_from_slice(&snapshot.asked.0.to_be_bytes());
        bytes.extend_from_slice(&snapshot.watermark.through.to_be_bytes());
        bytes.extend_from_slice(&snapshot.watermark.of.to_be_bytes());
        bytes.extend_from_slice(&snapshot.picture);
        bytes.extend_from_slice(&snapshot.sight);
        bytes
    }
}

fn cipher(key: &Key) -> Cipher {
    Cipher::new(&key.derive(&[], &[LABEL, b"/seal"]))
}

fn aad(bound: &[u8]) -> Vec<u8> {
    [LABEL, b"\n", bound].concat()
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let (score, rest) = rest.split_first_chunk::<4>()?;
    let (sight, rest) = rest
        .split_last_chunk::<8>()
        .map(|(rest, sight)| (sight, rest))?;
    let (picture, rest) = rest
        .split_last_chunk::<16>()
        .map(|(rest, picture)| (picture, rest))?;
    let (words, end) = rest.as_chunks::<8>();
    let &[sent, no, asked, through, of] = words else {
        return None;
    };
    if head[0] != FORMAT || !end.is_empty() {
        return None;
    }
    Some(Cursor {
        order: Order::from_number(head[1])?,
        key: SortKey {
            score: f32::from_bits(u32::from_be_bytes(*score)),
            sent: Timestamp(i64::from_be_bytes(sent)),
            no: MessageNo(u64::from_be_bytes(no)),
        },
        snapshot: Snapshot {
            asked: Timestamp(i64::from_be_bytes(asked)),
            watermark: Watermark {
                through: u64::from_be_bytes(through),
                of: u64::from_be_bytes(of),
            },
            picture: *picture,
            sight: *sight,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::SeededEntropy;
    use proptest::prelude::*;

    fn key(seed: u64) -> Key {
        Key::random(&SeededEntropy::new(seed))
    }

    fn cursor() -> Cursor {
        Cursor {
            order: Order::Newest,
            key: SortKey {
                score: 1.5,
                sent: Timestamp(-7),
                no: MessageNo(11),
            },
            snapshot: snapshot(13),
        }
    }

    fn snapshot(through: u64) -> Snapshot {
        Snapshot {
            asked: Timestamp(17),
            watermark: Watermark { through, of: 19 },
            picture: [23; 16],
            sight: [29; 8],
        }
    }

    proptest! {
        #[test]
        fn s10_a_cursor_reads_back(
            sent in any::<i64>(), no in any::<u64>(),
            through in any::<u64>(), score in -1e9f32..1e9, turn in 0u8..3,
        ) {
            let cursor = Cursor {
                order: Order::from_number(turn).unwrap(),
                key: SortKey { score, sent: Timestamp(sent), no: MessageNo(no) },
                snapshot: snapshot(through),
            };
            let text = cursor.seal(&key(1), b"query");
            prop_assert_eq!(Cursor::open(&text, &key(1), b"query").unwrap(), cursor);
        }

        #[test]
        fn s10_an_altered_cursor_is_refused(place in any::<prop::sample::Index>(), letter in 0u8..64) {
            let text = cursor().seal(&key(1), b"query");
            let mut altered = text.clone().into_bytes();
            let place = place.index(altered.len() - 1);
            altered[place] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                [usize::from(letter)];
            let altered = String::from_utf8(altered).unwrap();
            let opened = Cursor::open(&altered, &key(1), b"query");
            prop_assert!(altered == text || matches!(opened, Err(SearchError::ForeignCursor)));
        }
    }

    #[test]
    fn s10_a_cursor_of_another_search_or_store_is_refused() {
        let text = cursor().seal(&key(1), b"query");
        for (key, bound) in [(key(2), &b"query"[..]), (key(1), b"other")] {
            let opened = Cursor::open(&text, &key, bound);
            assert!(matches!(opened, Err(SearchError::ForeignCursor)));
        }
        for text in ["", ".", "AA", "AA.AA", "x.y.z"] {
            let opened = Cursor::open(text, &key(1), b"query");
            assert!(matches!(opened, Err(SearchError::ForeignCursor)));
        }
    }
}
