//! A compressed file as a source: gzip and Zstandard, read forward and begun again to go back.
//!
//! Format facts: RFC 1952 (gzip), RFC 8878 (Zstandard). Nothing is unpacked to a disk and no more than one
//! window of the stream is held in memory.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;

use super::budget::{Budget, RATIO_FREE_BYTES};
use super::source::{Shared, Source};
use crate::domain::Timestamp;

/// Largest window a Zstandard stream may ask for, as a power of two: its levels up to 19 stay below.
const WINDOW_LOG_MAX: u32 = 23;
/// Streams of one container that are open at once: each has a window in memory.
const STREAMS_MAX: usize = 8;
/// Bytes passed over at a time.
const CHUNK_BYTES: usize = 64 * 1024;

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstandard,
}

impl Codec {
    /// The codec of a stream that begins like this.
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1F, 0x8B, 0x08, ..] => Some(Codec::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Codec::Zstandard),
            _ => None,
        }
    }

    /// What the file is called without what its packing added.
    pub fn unpacked_name(self, name: &str) -> String {
        let (short, suffix) = match self {
            Codec::Gzip => ("tgz", "gz"),
            Codec::Zstandard => ("tzst", "zst"),
        };
        match name.rsplit_once('.') {
            Some((stem, last)) if last.eq_ignore_ascii_case(suffix) => stem.to_owned(),
            Some((stem, last)) if last.eq_ignore_ascii_case(short) => format!("{stem}.tar"),
            _ => name.to_owned(),
        }
    }
}

/// The packed bytes, from the first on.
struct Packed<'a> {
    source: Shared<'a>,
    at: u64,
}

impl Read for Packed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(self.at, buffer)?;
        self.at += count as u64;
        Ok(count)
    }
}

type Stream<'a> = Box<dyn Read + 'a>;

/// A stream under way: whose it is, and how far it was read.
struct Running<'a> {
    of: u64,
    stream: Stream<'a>,
    at: u64,
}

/// The streams of a container that are under way, the least used first. Each has a window in memory.
#[derive(Clone, Default)]
pub struct Streams<'a> {
    running: Rc<RefCell<Vec<Running<'a>>>>,
    /// How many files were opened.
    next: Rc<RefCell<u64>>,
}

impl<'a> Streams<'a> {
    fn number(&self) -> u64 {
        let mut next = self.next.borrow_mut();
        *next += 1;
        *next
    }

    /// Takes the stream of a file away, while it is read.
    fn take(&self, of: u64) -> Option<Running<'a>> {
        let mut running = self.running.borrow_mut();
        let at = running.iter().position(|one| one.of == of)?;
        Some(running.remove(at))
    }

    /// Keeps a stream to go on with; the least used goes where there are too many.
    fn keep(&self, one: Running<'a>) {
        let mut running = self.running.borrow_mut();
        running.push(one);
        if running.len() > STREAMS_MAX {
            running.remove(0);
        }
    }
}

/// What a compressed file holds.
pub struct Inflated<'a> {
    name: String,
    packed: Shared<'a>,
    codec: Codec,
    length: u64,
    streams: Streams<'a>,
    number: u64,
}

/// What is found out about a stream by reading it once.
pub struct Measured<'a> {
    /// The source over what could be read.
    pub source: Inflated<'a>,
    /// Its length in bytes.
    pub length: u64,
    /// Why not everything could be read.
    pub remark: Option<String>,
}

impl<'a> Inflated<'a> {
    /// Reads a stream of `packed_bytes` once to its end. A stream that breaks off is as long as what came
    /// before; `left` are the bytes that may still be expanded.
    ///
    /// # Errors
    /// Why it is refused as a whole: it expands too far, or nothing of it can be read.
    pub fn measure(
        packed: Shared<'a>,
        codec: Codec,
        packed_bytes: u64,
        budget: &Budget,
        left: u64,
        streams: &Streams<'a>,
    ) -> Result<Measured<'a>, String> {
        let mut source = Self {
            name: codec.unpacked_name(packed.name()),
            packed,
            codec,
            length: u64::MAX,
            streams: streams.clone(),
            number: streams.number(),
        };
        let ratio_max = RATIO_FREE_BYTES.max(packed_bytes.saturating_mul(budget.ratio));
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut length = 0;
        let mut remark = None;
        loop {
            match source.read_at(length, &mut chunk) {
                Ok(0) => break,
                Ok(count) => length += count as u64,
                Err(error) if length == 0 => return Err(format!("it cannot be unpacked: {error}")),
                Err(error) => {
                    remark = Some(format!(
                        "it breaks off behind {length} unpacked bytes ({error}); what came before is read"
                    ));
                    break;
                }
            }
            if length > ratio_max {
                return Err(format!(
                    "it expands to more than {} times its size, which no chat does",
                    budget.ratio
                ));
            }
            if length > left {
                return Err(format!(
                    "the container expands to more than {} bytes; raise the limit or import its parts one by one",
                    budget.expanded_bytes
                ));
            }
        }
        source.length = length;
        source.streams.take(source.number);
        Ok(Measured {
            source,
            length,
            remark,
        })
    }

    fn begin(&self) -> io::Result<Stream<'a>> {
        let packed = Packed {
            source: self.packed.clone(),
            at: 0,
        };
        Ok(match self.codec {
            Codec::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Codec::Zstandard => {
                let mut decoder = zstd::Decoder::new(packed)?;
                decoder.window_log_max(WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
        })
    }

    /// The stream at an offset, or as far as it goes; going back begins it again.
    fn at(&mut self, offset: u64) -> io::Result<Running<'a>> {
        let before = self.streams.take(self.number);
        let mut running = match before.filter(|one| one.at <= offset) {
            Some(one) => one,
            None => Running {
                of: self.number,
                stream: self.begin()?,
                at: 0,
            },
        };
        let wanted = offset - running.at;
        running.at += io::copy(&mut (&mut running.stream).take(wanted), &mut io::sink())?;
        Ok(running)
    }
}

impl Source for Inflated<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn len(&self) -> Option<u64> {
        Some(self.length)
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let room = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let buffer = match buffer.len() {
            wanted if wanted > room => &mut buffer[..room],
            _ => buffer,
        };
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut running = self.at(offset)?;
        if running.at < offset {
            return Ok(0);
        }
        let count = running.stream.read(buffer)?;
        running.at += count as u64;
        self.streams.keep(running);
        Ok(count)
    }

    fn modified(&self) -> Option<Timestamp> {
        self.packed.modified()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::ingest::source::MemorySource;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn measured(codec: Codec, packed: &[u8], budget: Budget) -> Result<Measured<'static>, String> {
        let source = Shared::new(Box::new(MemorySource::new("a.gz", packed)));
        let length = packed.len() as u64;
        let streams = Streams::default();
        Inflated::measure(
            source,
            codec,
            length,
            &budget,
            budget.expanded_bytes,
            &streams,
        )
    }

    #[test]
    fn a_stream_is_read_at_any_offset() {
        let text: Vec<u8> = (0..300_000u32)
            .flat_map(|n| (n % 7_919).to_le_bytes())
            .collect();
        let zstd = zstd::encode_all(text.as_slice(), 1).unwrap();
        for (codec, packed) in [(Codec::Gzip, gzip(&text)), (Codec::Zstandard, zstd)] {
            assert_eq!(Codec::of(&packed), Some(codec));
            let mut found = measured(codec, &packed, Budget::default()).unwrap();
            assert_eq!((found.length, found.remark), (text.len() as u64, None));
            for offset in [900_000usize, 10, 11, 1_199_990, 0] {
                let mut bytes = [0; 10];
                let mut filled = 0;
                while filled < 10 {
                    let at = (offset + filled) as u64;
                    filled += found.source.read_at(at, &mut bytes[filled..]).unwrap();
                }
                assert_eq!(bytes, text[offset..offset + 10]);
            }
            let end = found.length;
            assert_eq!(found.source.read_at(end, &mut [0; 4]).unwrap(), 0);
        }
    }

    #[test]
    fn a_stream_that_breaks_off_keeps_what_came() {
        let text: Vec<u8> = (0..100_000u32)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        let packed = gzip(&text);
        let found = measured(Codec::Gzip, &packed[..packed.len() / 2], Budget::default()).unwrap();
        assert!(found.length > 100_000 && found.remark.is_some());
        assert!(measured(Codec::Gzip, b"\x1F\x8B\x08nothing", Budget::default()).is_err());
    }

    #[test]
    fn a_bomb_is_refused() {
        let packed = gzip(&vec![0; 64 * 1024 * 1024]);
        assert!(measured(Codec::Gzip, &packed, Budget::default()).is_err());
        let budget = Budget {
            expanded_bytes: 1_000,
            ..Budget::default()
        };
        assert!(measured(Codec::Gzip, &gzip(&[7; 2_000]), budget).is_err());
    }

    #[test]
    fn names_lose_what_packing_added() {
        assert_eq!(Codec::Gzip.unpacked_name("a.tar.gz"), "a.tar");
        assert_eq!(Codec::Gzip.unpacked_name("a.TGZ"), "a.tar");
        assert_eq!(Codec::Zstandard.unpacked_name("chat.json.zst"), "chat.json");
        assert_eq!(Codec::Gzip.unpacked_name("chat"), "chat");
    }
}
