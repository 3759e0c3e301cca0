//! Sealed streams: long bytes in pages that open one by one, in any order.
//!
//! ```text
//! file   = header (72 B) page*            every page but the last is full
//! header = "WKS1" kind(u8) 0 0 0 salt(32 B) commitment(32 B)
//! key || commitment = HKDF-SHA256(file key, salt, "wordkeep/v1/stream" + kind + name), 64 B
//! page n = AES-256-GCM(key, nonce = be88(n) + last(u8), aad) with its tag of 16 B
//! aad    = SHA-256(header) + be64(n) + last(u8), and on the last page + be64(total plain length)
//! ```
//! The last page holds 1 to `page_size` bytes; it is empty only in an empty stream. So the length
//! of the file fixes the number of pages and the plain length, and the last flag proves both. The
//! page size is not in the header: it belongs to the kind of file, and a wrong one opens nothing.
//! The commitment is checked before the first page, because GCM alone does not bind to one key.

mod reader;
mod writer;

use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;

use super::aead::{Cipher, Nonce, TAG_LEN};
use super::error::{Error, Result};
use super::hash::{Digest, equal, sha256};
use super::key::{Entropy, Key, random_bytes};
use super::observer::SealObserver;

pub use reader::StreamReader;
pub use writer::StreamWriter;

/// Bytes of the header.
pub const HEADER_LEN: usize = 72;
/// Plain bytes of a page of an index file (measured best in spec: 4 and 64 KiB lose on first touch).
pub const INDEX_PAGE_LEN: usize = 16 * 1024;
/// Plain bytes of a page of a blob, spool, upload or export.
pub const BLOB_PAGE_LEN: usize = 64 * 1024;
/// Largest page in bytes, so that a reader's buffer is bounded.
pub const PAGE_LEN_MAX: usize = 1024 * 1024;
/// Pages of one stream: the counter stops here.
pub const PAGE_COUNT_MAX: u64 = 1 << 32;

const MAGIC: &[u8; 4] = b"WKS1";
const LABEL: &[u8] = b"wordkeep/v1/stream";
/// Header hash, page number, last flag.
const AAD_LEN: usize = 32 + 8 + 1;
/// The same and the total length.
const LAST_AAD_LEN: usize = AAD_LEN + 8;

/// What a stream is for. The number is in the header and in the key's derivation: a stream of one
/// kind never opens as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum StreamKind {
    /// Bytes of an attachment.
    Blob = 1,
    /// A write-once file of the search index.
    Index = 2,
    /// A rewritten file of the search index, such as `meta.json`.
    IndexMeta = 3,
    /// A segment of a capture spool.
    Spool = 4,
    /// An upload in flight or another temporary file.
    Staging = 5,
    /// An original export file, kept until its import is verified.
    Original = 6,
    /// An export at rest.
    Export = 7,
    /// A part of a backup.
    Backup = 8,
}

/// The cipher of one stream and the commitment to its key.
pub struct StreamKey {
    cipher: Cipher,
    commitment: Digest,
}

impl StreamKey {
    /// Derives both from a file or segment key, the header's salt, kind and name. The name is not
    /// stored: it is what the reader expects to open (path, blob id, generation).
    pub fn derive(key: &Key, salt: &[u8; 32], kind: StreamKind, name: &str) -> Self {
        Self::watched(key, salt, kind, name, None)
    }

    fn watched(
        key: &Key,
        salt: &[u8; 32],
        kind: StreamKind,
        name: &str,
        observer: Option<&Arc<dyn SealObserver>>,
    ) -> Self {
        let info: [&[u8]; 3] = [LABEL, &[kind as u8], name.as_bytes()];
        let (key, commitment) = key.derive_committed(salt, &info);
        Self {
            cipher: Cipher::watched(&key, observer),
            commitment,
        }
    }
}

/// The 72 bytes in front of the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamHeader {
    /// Kind as the number in the file.
    pub kind: u8,
    /// Random, new for every stream ever written.
    pub salt: [u8; 32],
    /// What proves that a key is the right one.
    pub commitment: Digest,
}

impl StreamHeader {
    /// The header as bytes.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..4].copy_from_slice(MAGIC);
        bytes[4] = self.kind;
        bytes[8..40].copy_from_slice(&self.salt);
        bytes[40..].copy_from_slice(&self.commitment);
        bytes
    }

    /// Reads the header at the start of `bytes`; more may follow.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let Some(bytes) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(Error::Length);
        };
        let format = |found| Error::Format {
            expected: "a sealed stream",
            found,
        };
        if &bytes[..4] != MAGIC {
            return Err(format("the first four bytes are not WKS1"));
        }
        if bytes[5..8] != [0; 3] {
            return Err(format("reserved bytes are set: written by a newer program"));
        }
        let (mut salt, mut commitment) = ([0; 32], [0; 32]);
        salt.copy_from_slice(&bytes[8..40]);
        commitment.copy_from_slice(&bytes[40..]);
        Ok(Self {
            kind: bytes[4],
            salt,
            commitment,
        })
    }
}

/// How a file of a given length falls into pages. No key is needed; what it says is proved only
/// when the last page opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    page_len: u64,
    pages: u64,
    plain_len: u64,
}

impl Geometry {
    /// The geometry of a file of `file_len` bytes, header included.
    pub fn of_file(file_len: u64, page_len: usize) -> Result<Self> {
        let page_len = checked_page_len(page_len)? as u64;
        let tag = TAG_LEN as u64;
        let Some(body) = file_len.checked_sub(HEADER_LEN as u64) else {
            return Err(Error::Length);
        };
        let pages = body.div_ceil(page_len + tag);
        let plain_len = pages
            .checked_mul(tag)
            .and_then(|tags| body.checked_sub(tags));
        let (Some(plain_len), 1..=PAGE_COUNT_MAX) = (plain_len, pages) else {
            return Err(Error::Length);
        };
        // A last page without a byte exists in an empty stream alone.
        if pages > 1 && plain_len <= (pages - 1) * page_len {
            return Err(Error::Length);
        }
        Ok(Self {
            page_len,
            pages,
            plain_len,
        })
    }

    /// Number of pages, at least 1.
    pub const fn page_count(&self) -> u64 {
        self.pages
    }

    /// Length of the plaintext in bytes.
    pub const fn plain_len(&self) -> u64 {
        self.plain_len
    }

    /// Plain bytes of page `n`; 0 beyond the end.
    pub fn page_plain_len(&self, n: u64) -> usize {
        let start = n.saturating_mul(self.page_len);
        self.plain_len.saturating_sub(start).min(self.page_len) as usize
    }

    /// Where the sealed page `n` lies in the file; empty beyond the end.
    pub fn page_file_range(&self, n: u64) -> Range<u64> {
        if n >= self.pages {
            return 0..0;
        }
        let start = HEADER_LEN as u64 + n * (self.page_len + TAG_LEN as u64);
        start..start + (self.page_plain_len(n) + TAG_LEN) as u64
    }

    /// The pages that hold the plain bytes of `range`, for instance to read them in one go.
    pub fn pages_of(&self, range: Range<u64>) -> Range<u64> {
        if range.is_empty() {
            return 0..0;
        }
        range.start / self.page_len..range.end.div_ceil(self.page_len).min(self.pages)
    }
}

fn checked_page_len(page_len: usize) -> Result<usize> {
    match page_len {
        1..=PAGE_LEN_MAX => Ok(page_len),
        _ => Err(Error::Limit("a page has 1 byte to 1 MiB")),
    }
}

/// Length in bytes of the file that holds `plain_len` bytes.
pub const fn sealed_len(plain_len: u64, page_len: u64) -> u64 {
    let pages = if plain_len == 0 {
        1
    } else {
        plain_len.div_ceil(page_len)
    };
    HEADER_LEN as u64 + plain_len + pages * TAG_LEN as u64
}

/// The text bound to a page.
struct PageAad {
    text: [u8; LAST_AAD_LEN],
    len: usize,
}

impl PageAad {
    /// `total` is the plain length, given for the last page only.
    fn new(header_hash: &Digest, page: u64, total: Option<u64>) -> Self {
        let mut text = [0; LAST_AAD_LEN];
        text[..32].copy_from_slice(header_hash);
        text[32..40].copy_from_slice(&page.to_be_bytes());
        let mut len = AAD_LEN;
        if let Some(total) = total {
            text[40] = 1;
            text[AAD_LEN..].copy_from_slice(&total.to_be_bytes());
            len = LAST_AAD_LEN;
        }
        Self { text, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }
}

/// A small file sealed in one go: the bytes of a whole stream with index pages.
pub fn seal_whole(
    plain: &[u8],
    key: &Key,
    kind: StreamKind,
    name: &str,
    entropy: &dyn Entropy,
) -> io::Result<Vec<u8>> {
    let room = sealed_len(plain.len() as u64, INDEX_PAGE_LEN as u64) as usize;
    let inner = Vec::with_capacity(room);
    let mut writer = StreamWriter::new(inner, key, kind, name, INDEX_PAGE_LEN, entropy)?;
    writer.write_all(plain)?;
    writer.finish()
}

/// Opens what [`seal_whole`] made; every page is checked before anything is given.
pub fn open_whole(file: &[u8], key: &Key, kind: StreamKind, name: &str) -> Result<Vec<u8>> {
    let reader = StreamReader::open(file, file.len() as u64, key, kind, name, INDEX_PAGE_LEN)?;
    let mut plain = vec![0; reader.plain_len() as usize];
    reader.open_pages(0, &file[HEADER_LEN..], &mut plain)?;
    Ok(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::key::SeededEntropy;
    use proptest::prelude::*;

    const PAGE: usize = 16;

    fn key() -> Key {
        Key::from_bytes([2; 32])
    }

    fn sealed(plain: &[u8], seed: u64) -> Vec<u8> {
        let entropy = SeededEntropy::new(seed);
        let mut writer = StreamWriter::new(
            Vec::new(),
            &key(),
            StreamKind::Index,
            "a.idx",
            PAGE,
            &entropy,
        )
        .expect("writes to memory");
        writer.write_all(plain).expect("writes to memory");
        writer.finish().expect("writes to memory")
    }

    fn opened(file: &[u8]) -> Result<Vec<u8>> {
        let len = file.len() as u64;
        let reader = StreamReader::open(file, len, &key(), StreamKind::Index, "a.idx", PAGE)?;
        let mut plain = Vec::new();
        for page in 0..reader.page_count() {
            let range = reader.page_file_range(page);
            let mut out = [0; PAGE];
            let bytes = &file[range.start as usize..range.end as usize];
            let count = reader.open_page(page, bytes, &mut out)?;
            plain.extend_from_slice(&out[..count]);
        }
        assert_eq!(plain.len() as u64, reader.plain_len());
        Ok(plain)
    }

    fn text(len: usize) -> Vec<u8> {
        (0..len).map(|at| at as u8).collect()
    }

    #[test]
    fn page_borders_read_back() {
        for len in [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE, 5 * PAGE + 3] {
            let file = sealed(&text(len), 1);
            assert_eq!(file.len() as u64, sealed_len(len as u64, PAGE as u64));
            assert_eq!(opened(&file), Ok(text(len)), "{len} bytes");
        }
    }

    #[test]
    fn the_layout_is_the_documented_one() {
        let file = sealed(&text(PAGE + 2), 1);
        assert_eq!(&file[..8], b"WKS1\x02\0\0\0");
        let salt: [u8; 32] = file[8..40].try_into().expect("32 bytes");
        let info: [&[u8]; 3] = [b"wordkeep/v1/stream", &[2], b"a.idx"];
        let (page_key, commitment) = key().derive_committed(&salt, &info);
        assert_eq!(file[40..72], commitment);
        let mut aad = sha256(&file[..72]).to_vec();
        aad.extend_from_slice(&1u64.to_be_bytes());
        aad.push(1);
        aad.extend_from_slice(&(PAGE as u64 + 2).to_be_bytes());
        let mut last = Vec::new();
        let nonce = Nonce::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
        Cipher::new(&page_key)
            .seal(&nonce, &aad, &text(PAGE + 2)[PAGE..], &mut last)
            .expect("seals");
        assert_eq!(file[72 + PAGE + TAG_LEN..], last);
    }

    #[test]
    fn e2_wrong_commitment_is_refused_before_any_page() {
        let mut file = sealed(&text(40), 1);
        file[41] ^= 1;
        assert_eq!(opened(&file), Err(Error::WrongKey));
    }

    #[test]
    fn another_key_name_kind_or_page_length_opens_nothing() {
        let file = sealed(&text(40), 1);
        let open = |key: &Key, kind, name: &str| {
            StreamReader::open(&file, file.len() as u64, key, kind, name, PAGE).map(|_| ())
        };
        assert_eq!(open(&key(), StreamKind::Index, "a.idx"), Ok(()));
        let other = Key::from_bytes([3; 32]);
        assert_eq!(
            open(&other, StreamKind::Index, "a.idx"),
            Err(Error::WrongKey)
        );
        assert_eq!(
            open(&key(), StreamKind::Index, "b.idx"),
            Err(Error::WrongKey)
        );
        assert_eq!(
            open(&key(), StreamKind::Blob, "a.idx"),
            Err(Error::WrongKey)
        );
        let len = file.len() as u64;
        let reader = StreamReader::open(&file, len, &key(), StreamKind::Index, "a.idx", 30);
        let reader = reader.expect("the geometry alone allows it");
        let range = reader.page_file_range(0);
        let page = &file[range.start as usize..range.end as usize];
        let mut out = [0; 30];
        assert_eq!(reader.open_page(0, page, &mut out), Err(Error::Integrity));
        assert_eq!(out, [0; 30]);
    }

    #[test]
    fn foreign_and_newer_headers_are_named() {
        let mut file = sealed(b"x", 1);
        file[6] = 1;
        assert!(matches!(opened(&file), Err(Error::Format { .. })));
        file[0] = b'X';
        assert!(matches!(opened(&file), Err(Error::Format { .. })));
        assert_eq!(opened(&file[..71]), Err(Error::Length));
    }

    #[test]
    fn an_unfinished_stream_does_not_open() {
        let entropy = SeededEntropy::new(1);
        let mut file = Vec::new();
        let mut writer = StreamWriter::new(
            &mut file,
            &key(),
            StreamKind::Index,
            "a.idx",
            PAGE,
            &entropy,
        )
        .expect("writes to memory");
        writer.write_all(&text(3 * PAGE)).expect("writes to memory");
        drop(writer);
        assert_eq!(opened(&file), Err(Error::Integrity));
    }

    #[test]
    fn a_failed_write_ends_the_stream() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                match self.0.checked_sub(bytes.len()) {
                    Some(room) => {
                        self.0 = room;
                        Ok(bytes.len())
                    }
                    None => Err(io::Error::from(io::ErrorKind::StorageFull)),
                }
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let entropy = SeededEntropy::new(1);
        let room = Full(HEADER_LEN + PAGE + TAG_LEN);
        let mut writer = StreamWriter::new(room, &key(), StreamKind::Blob, "b", PAGE, &entropy)
            .expect("the header fits");
        let first = writer
            .write_all(&text(3 * PAGE))
            .expect_err("page 1 does not fit");
        assert_eq!(first.kind(), io::ErrorKind::StorageFull);
        writer.inner.0 = 1 << 20;
        assert!(writer.write_all(&text(3 * PAGE)).is_err());
        assert!(writer.finish().is_err());
    }

    #[test]
    fn a_page_number_beyond_the_end_is_refused() {
        let file = sealed(&text(40), 1);
        let len = file.len() as u64;
        let reader = StreamReader::open(&file, len, &key(), StreamKind::Index, "a.idx", PAGE)
            .expect("opens");
        assert_eq!(reader.page_file_range(3), 0..0);
        assert_eq!(
            reader.open_page(3, &[0; TAG_LEN], &mut [0; PAGE]),
            Err(Error::Length)
        );
        assert_eq!(
            reader.open_page(u64::MAX, &[0; TAG_LEN], &mut []),
            Err(Error::Length)
        );
        assert_eq!(reader.geometry().pages_of(15..17), 0..2);
        assert_eq!(reader.geometry().pages_of(16..16), 0..0);
        assert_eq!(reader.geometry().pages_of(39..40), 2..3);
    }

    #[test]
    fn impossible_lengths_are_refused() {
        for len in [0, 71, 72, 72 + 15, 72 + 32 + 1, 72 + 32 + 16, u64::MAX] {
            assert_eq!(Geometry::of_file(len, PAGE), Err(Error::Length), "{len}");
        }
        assert!(Geometry::of_file(100, 0).is_err());
        assert!(Geometry::of_file(100, PAGE_LEN_MAX + 1).is_err());
    }

    #[test]
    fn a_small_file_seals_whole() {
        let entropy = SeededEntropy::new(4);
        let plain = text(INDEX_PAGE_LEN + 5);
        let file = seal_whole(
            &plain,
            &key(),
            StreamKind::IndexMeta,
            "meta.json#7",
            &entropy,
        )
        .expect("writes to memory");
        let open = |name| open_whole(&file, &key(), StreamKind::IndexMeta, name);
        assert_eq!(open("meta.json#7"), Ok(plain));
        assert_eq!(open("meta.json#6"), Err(Error::WrongKey));
    }

    proptest! {
        #[test]
        fn any_pattern_of_writes_gives_the_same_file(
            cuts in prop::collection::vec(0..70usize, 0..12),
        ) {
            let plain = text(cuts.iter().sum());
            let entropy = SeededEntropy::new(1);
            let mut writer = StreamWriter::new(
                Vec::new(), &key(), StreamKind::Index, "a.idx", PAGE, &entropy,
            ).expect("writes to memory");
            let mut rest = &plain[..];
            for cut in cuts {
                writer.write_all(&rest[..cut]).expect("writes to memory");
                rest = &rest[cut..];
            }
            prop_assert_eq!(writer.plain_len(), plain.len() as u64);
            prop_assert_eq!(writer.finish().expect("writes to memory"), sealed(&plain, 1));
        }

        #[test]
        fn e2_flipped_bit_in_a_stream_is_found(
            len in 0..100usize,
            place: prop::sample::Index,
            bit in 0..8u32,
        ) {
            let mut file = sealed(&text(len), 1);
            let place = place.index(file.len());
            file[place] ^= 1 << bit;
            prop_assert!(opened(&file).is_err());
        }

        #[test]
        fn e2_truncated_stream_is_found(len in 0..100usize, cut: prop::sample::Index) {
            let file = sealed(&text(len), 1);
            prop_assert!(opened(&file[..cut.index(file.len())]).is_err());
        }

        #[test]
        fn e2_extended_stream_is_found(
            len in 0..100usize,
            more in prop::collection::vec(any::<u8>(), 1..60),
        ) {
            let mut file = sealed(&text(len), 1);
            file.extend(more);
            prop_assert!(opened(&file).is_err());
        }

        #[test]
        fn e2_swapped_or_exchanged_pages_are_found(
            left in 0..4usize,
            right in 0..4usize,
            foreign: bool,
        ) {
            let file = sealed(&text(5 * PAGE), 1);
            let source = if foreign { sealed(&text(5 * PAGE), 2) } else { file.clone() };
            prop_assume!(foreign || left != right);
            let span = |page: usize| {
                let start = HEADER_LEN + page * (PAGE + TAG_LEN);
                start..start + PAGE + TAG_LEN
            };
            let mut forged = file.clone();
            forged[span(left)].copy_from_slice(&source[span(right)]);
            prop_assert_eq!(opened(&forged), Err(Error::Integrity));
        }

        #[test]
        fn long_ranges_open_in_one_go(
            len in 0..200usize,
            first in 0..8u64,
            count in 1..8u64,
        ) {
            let file = sealed(&text(len), 1);
            let reader = StreamReader::open(
                &file, file.len() as u64, &key(), StreamKind::Index, "a.idx", PAGE,
            ).expect("opens");
            let first = first.min(reader.page_count() - 1);
            let last = (first + count).min(reader.page_count()) - 1;
            let bytes = reader.page_file_range(first).start as usize
                ..reader.page_file_range(last).end as usize;
            let start = first as usize * PAGE;
            let end = start + (first..=last).map(|page| reader.page_plain_len(page)).sum::<usize>();
            let mut out = vec![0; end - start];
            reader.open_pages(first, &file[bytes], &mut out).expect("opens");
            prop_assert_eq!(&out, &text(len)[start..end]);
        }
    }
}
