//! Where a page of hits ended, as a text that only this store can make.
//!
//! ```text
//! base64url( 1 | order | score | sent | message number | through ) . base64url( MAC )
//! ```
//! Numbers are big-endian. The MAC (HMAC-SHA256, first 16 bytes) also covers what the cursor is
//! bound to - resolved query, scope - without carrying it, so that a cursor of another search, or
//! of another asker, is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::error::{Result, SearchError};
use super::order::{Order, SortKey};
use crate::crypto::{Key, equal, hmac_sha256};
use crate::domain::{MessageNo, Timestamp};

const FORMAT: u8 = 1;
/// Bytes of the MAC that are kept.
const MAC_LEN: usize = 16;
const LABEL: &[u8] = b"wordkeep/v1/cursor";

/// The last hit of a page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cursor {
    /// The order of the pages.
    pub order: Order,
    /// The key of the last hit.
    pub key: SortKey,
    /// Sequence number through which the answer was complete.
    pub through: u64,
}

impl Cursor {
    /// The cursor as text. `bound` says what it belongs to.
    pub fn seal(&self, key: &Key, bound: &[u8]) -> String {
        let mut bytes = Vec::new();
        bytes.push(FORMAT);
        bytes.push(self.order as u8);
        bytes.extend_from_slice(&self.key.score.to_bits().to_be_bytes());
        bytes.extend_from_slice(&self.key.sent.0.to_be_bytes());
        bytes.extend_from_slice(&self.key.no.0.to_be_bytes());
        bytes.extend_from_slice(&self.through.to_be_bytes());
        let mac = mac(key, &bytes, bound);
        format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(&bytes),
            URL_SAFE_NO_PAD.encode(mac)
        )
    }

    /// Reads a cursor that `seal` made with the same key and binding.
    ///
    /// # Errors
    /// [`SearchError::ForeignCursor`] for anything else, always the same.
    pub fn open(text: &str, key: &Key, bound: &[u8]) -> Result<Cursor> {
        let foreign = || SearchError::ForeignCursor;
        let (body, tag) = text.split_once('.').ok_or_else(foreign)?;
        let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|_| foreign())?;
        let tag = URL_SAFE_NO_PAD.decode(tag).map_err(|_| foreign())?;
        if !equal(&tag, &mac(key, &bytes, bound)) {
            return Err(foreign());
        }
        read(&bytes).ok_or_else(foreign)
    }
}

fn mac(key: &Key, bytes: &[u8], bound: &[u8]) -> [u8; MAC_LEN] {
    let length = (bytes.len() as u64).to_be_bytes();
    let digest = hmac_sha256(key.expose(), &[LABEL, &length, bytes, bound]);
    let mut short = [0; MAC_LEN];
    short.copy_from_slice(&digest[..MAC_LEN]);
    short
}

fn read(bytes: &[u8]) -> Option<Cursor> {
    let (head, rest) = bytes.split_first_chunk::<2>()?;
    let (score, rest) = rest.split_first_chunk::<4>()?;
    let (words, end) = rest.as_chunks::<8>();
    let &[sent, no, through] = words else {
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
        through: u64::from_be_bytes(through),
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
            through: 13,
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
                through,
            };
            let text = cursor.seal(&key(1), b"query");
            prop_assert_eq!(Cursor::open(&text, &key(1), b"query").unwrap(), cursor);
        }

        #[test]
        fn s10_an_altered_cursor_is_refused(place in any::<prop::sample::Index>(), letter in 0u8..64) {
            let text = cursor().seal(&key(1), b"query");
            let mut altered = text.clone().into_bytes();
            let place = place.index(altered.len());
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
