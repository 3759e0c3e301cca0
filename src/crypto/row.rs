//! Sealing of rows: one cipher per bucket key and run, and the text that binds a row to its place.

use std::sync::Arc;

use crate::domain::{StoreId, TenantNo};

use super::aead::{Cipher, Nonce};
use super::error::{Error, Result};
use super::key::{Entropy, Key, random_bytes};
use super::observer::SealObserver;

/// Longest name of a table in bytes.
pub const TABLE_NAME_LEN_MAX: usize = 64;
/// Label under which row keys are derived from a bucket key.
const CONTENT_LABEL: &[u8] = b"wordkeep/v1/content";
/// Label before the table's name in the bound text.
const TABLE_LABEL: &[u8] = b"wordkeep/v1/";

/// 32 random bytes that are new at every start of the process, after every rolled-back transaction
/// that sealed anything, after every restore and after a jump of the clock: they make a row key
/// that has met no nonce yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RunSalt(pub [u8; 32]);

impl RunSalt {
    /// A fresh salt.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(random_bytes(entropy))
    }
}

/// The place a sealed row belongs to. Number, version and part make the nonce; all of it is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RowPlace {
    /// The row's number from the one sequence that feeds nonces; never handed out twice.
    pub no: u64,
    /// Version of the row's content, from 0.
    pub version: u16,
    /// Part of the version, from 0.
    pub part: u16,
    /// The erase bucket, as one number (see [`bucket_tag`]).
    pub bucket: u64,
    /// Row id of the data key that seals it.
    pub data_key: u64,
    /// Row id of the run whose salt was used.
    pub run: u64,
}

/// An erase bucket as one number: month as `year * 12 + month - 1` (or the kind of an entity
/// bucket) in the upper half, shard in the lower.
pub const fn bucket_tag(month: u32, shard: u32) -> u64 {
    (month as u64) << 32 | shard as u64
}

/// Seals and opens the rows of one bucket key in one run.
///
/// Key = HKDF-SHA256(bucket key, salt = run salt, info = `wordkeep/v1/content`).
#[derive(Clone, Debug)]
pub struct RowCipher(Cipher);

impl RowCipher {
    /// Derives the row key; costs about a microsecond, so keep it per (data key, run).
    pub fn derive(bucket_key: &Key, salt: &RunSalt) -> Self {
        Self(Cipher::new(&bucket_key.derive(&salt.0, &[CONTENT_LABEL])))
    }

    /// Like [`RowCipher::derive`], reporting every seal to the observer, if there is one.
    pub fn watched(
        bucket_key: &Key,
        salt: &RunSalt,
        observer: Option<&Arc<dyn SealObserver>>,
    ) -> Self {
        let key = bucket_key.derive(&salt.0, &[CONTENT_LABEL]);
        Self(Cipher::watched(&key, observer))
    }

    /// Appends the sealed row (`plain.len() + 16` bytes) to `out`.
    pub fn seal(
        &self,
        aad: &mut RowAad,
        place: &RowPlace,
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.0.seal(&place.nonce(), aad.bind(place), plain, out)
    }

    /// Appends the plaintext to `out`; on failure ([`Error::Integrity`]) `out` is as it was.
    pub fn open(
        &self,
        aad: &mut RowAad,
        place: &RowPlace,
        sealed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.0.open(&place.nonce(), aad.bind(place), sealed, out)
    }

    /// Seals into a buffer of exactly `plain.len() + 16` bytes, without allocation.
    pub fn seal_into(
        &self,
        aad: &mut RowAad,
        place: &RowPlace,
        plain: &[u8],
        out: &mut [u8],
    ) -> Result<()> {
        self.0
            .seal_into(&place.nonce(), aad.bind(place), plain, out)
    }

    /// Opens into a buffer of exactly `sealed.len() - 16` bytes, without allocation.
    pub fn open_into(
        &self,
        aad: &mut RowAad,
        place: &RowPlace,
        sealed: &[u8],
        out: &mut [u8],
    ) -> Result<()> {
        self.0
            .open_into(&place.nonce(), aad.bind(place), sealed, out)
    }
}

impl RowPlace {
    /// The nonce of the place.
    pub fn nonce(&self) -> Nonce {
        Nonce::row(self.no, self.version, self.part)
    }
}

/// Widths in bytes of the fields that change from row to row, in their order: number, version,
/// part, bucket, data key, run.
const TAIL_WIDTHS: [u32; 6] = [8, 2, 2, 8, 8, 8];

/// The text bound to a row: `wordkeep/v1/<table>`, store id, tenant, row number, version, part,
/// bucket, data key, run; each field behind its length as u32 little-endian, numbers big-endian.
///
/// The head is written once, so binding a row writes 36 bytes and allocates nothing.
#[derive(Clone, Debug)]
pub struct RowAad {
    text: Vec<u8>,
    tail: usize,
}

impl RowAad {
    /// The head for a table of a store. Fails for a name beyond [`TABLE_NAME_LEN_MAX`].
    pub fn new(table: &str, store: StoreId, tenant: TenantNo) -> Result<Self> {
        if table.len() > TABLE_NAME_LEN_MAX {
            return Err(Error::Limit("a table name has at most 64 bytes"));
        }
        let mut text = Vec::with_capacity(192);
        let label_len = TABLE_LABEL.len() + table.len();
        text.extend_from_slice(&(label_len as u32).to_le_bytes());
        text.extend_from_slice(TABLE_LABEL);
        text.extend_from_slice(table.as_bytes());
        text.extend_from_slice(&16u32.to_le_bytes());
        text.extend_from_slice(&store.0.to_be_bytes());
        text.extend_from_slice(&4u32.to_le_bytes());
        text.extend_from_slice(&tenant.0.to_be_bytes());
        let tail = text.len();
        for width in TAIL_WIDTHS {
            text.extend_from_slice(&width.to_le_bytes());
            text.resize(text.len() + width as usize, 0);
        }
        Ok(Self { text, tail })
    }

    /// The text of a place; valid until the next call.
    pub fn bind(&mut self, place: &RowPlace) -> &[u8] {
        // Offsets follow TAIL_WIDTHS, each field behind its 4-byte length.
        let tail = &mut self.text[self.tail..];
        tail[4..12].copy_from_slice(&place.no.to_be_bytes());
        tail[16..18].copy_from_slice(&place.version.to_be_bytes());
        tail[22..24].copy_from_slice(&place.part.to_be_bytes());
        tail[28..36].copy_from_slice(&place.bucket.to_be_bytes());
        tail[40..48].copy_from_slice(&place.data_key.to_be_bytes());
        tail[52..60].copy_from_slice(&place.run.to_be_bytes());
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PLACE: RowPlace = RowPlace {
        no: 77,
        version: 1,
        part: 0,
        bucket: bucket_tag(24_000, 5),
        data_key: 9,
        run: 3,
    };

    fn aad(table: &str, store: u128, tenant: u32) -> RowAad {
        RowAad::new(table, StoreId(store), TenantNo(tenant)).expect("a short name")
    }

    fn cipher() -> RowCipher {
        RowCipher::derive(&Key::from_bytes([5; 32]), &RunSalt([6; 32]))
    }

    #[test]
    fn a_bucket_is_its_month_above_its_shard() {
        assert_eq!(bucket_tag(24_000, 5), 0x0000_5dc0_0000_0005);
        assert_ne!(bucket_tag(0, 1), bucket_tag(1, 0));
    }

    /// The text as the specification words it, field by field.
    fn plainly(table: &str, store: u128, tenant: u32, place: &RowPlace) -> Vec<u8> {
        let fields = [
            format!("wordkeep/v1/{table}").into_bytes(),
            store.to_be_bytes().to_vec(),
            tenant.to_be_bytes().to_vec(),
            place.no.to_be_bytes().to_vec(),
            place.version.to_be_bytes().to_vec(),
            place.part.to_be_bytes().to_vec(),
            place.bucket.to_be_bytes().to_vec(),
            place.data_key.to_be_bytes().to_vec(),
            place.run.to_be_bytes().to_vec(),
        ];
        let mut text = Vec::new();
        for field in fields {
            text.extend_from_slice(&(field.len() as u32).to_le_bytes());
            text.extend_from_slice(&field);
        }
        text
    }

    #[test]
    fn the_bound_text_is_the_specified_one() {
        let mut quick = aad("content", 42, 1);
        assert_eq!(quick.bind(&PLACE), plainly("content", 42, 1, &PLACE));
        let other = RowPlace {
            no: 1,
            run: 4,
            ..PLACE
        };
        assert_eq!(quick.bind(&other), plainly("content", 42, 1, &other));
    }

    #[test]
    fn an_overlong_table_name_is_refused() {
        let name = "t".repeat(65);
        assert!(matches!(
            RowAad::new(&name, StoreId(1), TenantNo(1)),
            Err(Error::Limit(_))
        ));
    }

    #[test]
    fn a_row_opens_in_its_own_place_only() {
        let mut sealed = Vec::new();
        let text = b"the signed copy follows on Monday";
        cipher()
            .seal(&mut aad("content", 42, 1), &PLACE, text, &mut sealed)
            .expect("seals");
        let open = |mut aad: RowAad, place: RowPlace| {
            let mut out = Vec::new();
            cipher()
                .open(&mut aad, &place, &sealed, &mut out)
                .map(|()| out)
        };
        assert_eq!(open(aad("content", 42, 1), PLACE), Ok(text.to_vec()));
        for wrong in [
            aad("entity", 42, 1),
            aad("content", 43, 1),
            aad("content", 42, 2),
        ] {
            assert_eq!(open(wrong, PLACE), Err(Error::Integrity));
        }
        let moved = [
            RowPlace { no: 78, ..PLACE },
            RowPlace {
                version: 0,
                ..PLACE
            },
            RowPlace { part: 1, ..PLACE },
            RowPlace {
                bucket: bucket_tag(24_000, 6),
                ..PLACE
            },
            RowPlace {
                data_key: 8,
                ..PLACE
            },
            RowPlace { run: 4, ..PLACE },
        ];
        for place in moved {
            assert_eq!(open(aad("content", 42, 1), place), Err(Error::Integrity));
        }
    }

    #[test]
    fn another_run_or_bucket_key_does_not_open() {
        let mut sealed = Vec::new();
        let mut bound = aad("content", 42, 1);
        cipher()
            .seal(&mut bound, &PLACE, b"text", &mut sealed)
            .expect("seals");
        let others = [
            RowCipher::derive(&Key::from_bytes([5; 32]), &RunSalt([7; 32])),
            RowCipher::derive(&Key::from_bytes([4; 32]), &RunSalt([6; 32])),
        ];
        for other in others {
            let opened = other.open(&mut bound, &PLACE, &sealed, &mut Vec::new());
            assert_eq!(opened, Err(Error::Integrity));
        }
    }

    proptest! {
        #[test]
        fn e2_no_bit_of_a_row_can_change(
            text in prop::collection::vec(any::<u8>(), 0..200),
            at: prop::sample::Index,
            bit in 0..8u32,
        ) {
            let mut bound = aad("content", 42, 1);
            let mut sealed = vec![0; text.len() + 16];
            cipher().seal_into(&mut bound, &PLACE, &text, &mut sealed).expect("seals");
            let mut plain = vec![0; text.len()];
            cipher().open_into(&mut bound, &PLACE, &sealed, &mut plain).expect("opens");
            prop_assert_eq!(&plain, &text);
            let at = at.index(sealed.len());
            sealed[at] ^= 1 << bit;
            prop_assert_eq!(
                cipher().open(&mut bound, &PLACE, &sealed, &mut Vec::new()),
                Err(Error::Integrity)
            );
        }
    }
}
