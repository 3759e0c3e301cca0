//! Tiles: how a log's hashes and entries are cut into files (c2sp.org/tlog-tiles).
//!
//! ```text
//! tile/<L>/<N>[.p/<W>]         hashes of the nodes of level 8 L, from index 256 N on, W of them
//! tile/entries/<N>[.p/<W>]     entries from number 256 N on, each behind its length as be16
//! ```
//! `N` is written in groups of three digits, all but the last with an `x`: 1234067 is
//! `x001/x234/067`. A tile of less than 256 is partial and says how wide it is; it is never changed,
//! only followed by a wider one. Tiles of complete nodes only: the ragged right side is computed.

use std::collections::BTreeMap;
use std::fmt;

use super::error::{Error, Result};
use super::hash::{DIGEST_LEN, Digest};
use super::merkle::{NodeSource, perfect_root};

/// Hashes, or entries, of a full tile.
pub const TILE_WIDTH: u16 = 256;
/// Levels of nodes that one level of tiles spans.
pub const TILE_HEIGHT: u8 = 8;
/// Longest entry in bytes that a bundle can hold.
pub const ENTRY_LEN_MAX: usize = u16::MAX as usize;
/// Highest level of tiles that a size of 64 bits can reach.
pub const TILE_LEVEL_MAX: u8 = 7;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TileKind {
    /// Hashes of the nodes of level `8 * level`.
    Hashes {
        /// The level of the tile, 0 for leaf hashes.
        level: u8,
    },
    /// The entries themselves.
    Entries,
}

/// Which tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// What it holds.
    pub kind: TileKind,
    /// Position among the tiles of its kind and level.
    pub index: u64,
    /// Hashes or entries in it, 1 to 256.
    pub width: u16,
}

impl TileId {
    /// Reads a path as [`fmt::Display`] writes it; any other spelling is refused, so that no file
    /// has two names.
    pub fn parse(path: &str) -> Option<Self> {
        let rest = path.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let kind = match level {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes {
                level: level
                    .parse()
                    .ok()
                    .filter(|level| *level <= TILE_LEVEL_MAX)?,
            },
        };
        let digits: String = number
            .split('/')
            .map(|group| group.trim_start_matches('x'))
            .collect();
        let index = digits.parse().ok()?;
        let id = Self { kind, index, width };
        ((1..=TILE_WIDTH).contains(&width) && id.to_string() == path).then_some(id)
    }

    /// The tiles a log of `size` entries consists of, in the order they are read: entries, then
    /// hashes level by level; the last of each may be partial.
    pub fn all(size: u64) -> Vec<TileId> {
        TileId::grown(0, size)
    }

    /// The tiles to be written when a log grows from `old` to `new` entries.
    pub fn grown(old: u64, new: u64) -> Vec<TileId> {
        let hashes = (0..=TILE_LEVEL_MAX).map(|level| TileKind::Hashes { level });
        let mut ids = Vec::new();
        for kind in std::iter::once(TileKind::Entries).chain(hashes) {
            let (had, has) = (items_of(kind, old), items_of(kind, new));
            let width = u64::from(TILE_WIDTH);
            if had == has {
                continue;
            }
            ids.extend((had / width..has.div_ceil(width)).map(|index| TileId {
                kind,
                index,
                // At most 256 by the minimum.
                width: (has - index * width).min(width) as u16,
            }));
        }
        ids
    }

    /// The partial hash tiles of a log of `size` entries: its right edge, at most one a level.
    pub fn partial(size: u64) -> Vec<TileId> {
        (0..=TILE_LEVEL_MAX)
            .map(|level| (TileKind::Hashes { level }, size >> (TILE_HEIGHT * level)))
            .filter(|(_, items)| items % u64::from(TILE_WIDTH) > 0)
            .map(|(kind, items)| TileId {
                kind,
                index: items / u64::from(TILE_WIDTH),
                // Below 256 by the remainder.
                width: (items % u64::from(TILE_WIDTH)) as u16,
            })
            .collect()
    }

    /// Number of the first hash or entry in it.
    pub fn first(&self) -> u64 {
        self.index * u64::from(TILE_WIDTH)
    }

    /// The bytes of a hash tile, from the complete nodes of the log.
    ///
    /// Fails with [`Error::MissingNode`] when a node is missing; asks nothing for entry tiles.
    pub fn hashes(&self, source: &dyn NodeSource) -> Result<Vec<u8>> {
        let TileKind::Hashes { level } = self.kind else {
            return Ok(Vec::new());
        };
        let mut bytes = Vec::with_capacity(usize::from(self.width) * DIGEST_LEN);
        for index in self.first()..self.first() + u64::from(self.width) {
            bytes.extend_from_slice(&source.node(level * TILE_HEIGHT, index)?);
        }
        Ok(bytes)
    }
}

/// Hashes or entries of a kind that a log of `size` entries has.
const fn items_of(kind: TileKind, size: u64) -> u64 {
    match kind {
        TileKind::Entries => size,
        TileKind::Hashes { level } => size >> (TILE_HEIGHT * level),
    }
}

impl fmt::Display for TileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Hashes { level } => write!(f, "tile/{level}/")?,
        }
        f.write_str(&number_path(self.index))?;
        match self.width {
            TILE_WIDTH => Ok(()),
            width => write!(f, ".p/{width}"),
        }
    }
}

/// A number as a path in groups of three digits, all but the last behind an `x`: 1234067 is
/// `x001/x234/067`. No directory holds more than two thousand names.
pub fn number_path(number: u64) -> String {
    let mut groups = vec![format!("{:03}", number % 1000)];
    let mut rest = number / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    groups.join("/")
}

/// Appends an entry behind its length to the bytes of a bundle.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<()> {
    let Ok(len) = u16::try_from(entry.len()) else {
        return Err(Error::Limit("an entry of a log has at most 65,535 bytes"));
    };
    bundle.extend_from_slice(&len.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

/// The entries of a bundle of known width; [`Error::Length`] when it is cut or longer.
pub fn read_entries(bundle: &[u8], width: u16) -> Result<Vec<&[u8]>> {
    let mut rest = bundle;
    let mut entries = Vec::with_capacity(usize::from(width));
    for _ in 0..width {
        let (len, after) = rest.split_first_chunk::<2>().ok_or(Error::Length)?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (entry, after) = after.split_at_checked(len).ok_or(Error::Length)?;
        entries.push(entry);
        rest = after;
    }
    match rest {
        [] => Ok(entries),
        _ => Err(Error::Length),
    }
}

/// Complete nodes read from hash tiles: those between two levels of tiles are computed.
#[derive(Clone, Debug, Default)]
pub struct TileNodes {
    tiles: BTreeMap<(u8, u64), Vec<Digest>>,
}

impl TileNodes {
    /// Without a tile.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the bytes of a hash tile; of two of one place the wider one stays. Fails with
    /// [`Error::Length`] when the length does not fit the width.
    pub fn insert(&mut self, id: TileId, bytes: &[u8]) -> Result<()> {
        let TileKind::Hashes { level } = id.kind else {
            return Err(Error::Length);
        };
        let (hashes, odd) = bytes.as_chunks::<DIGEST_LEN>();
        if !odd.is_empty() || hashes.len() != usize::from(id.width) {
            return Err(Error::Length);
        }
        let tile = self.tiles.entry((level, id.index)).or_default();
        if tile.len() < hashes.len() {
            *tile = hashes.to_vec();
        }
        Ok(())
    }
}

impl NodeSource for TileNodes {
    fn node(&self, level: u8, index: u64) -> Result<Digest> {
        let missing = Error::MissingNode { level, index };
        let (tile_level, above) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = index
            .checked_shl(u32::from(above))
            .filter(|first| first >> above == index)
            .ok_or(missing.clone())?;
        let width = u64::from(TILE_WIDTH);
        let within = (first % width) as usize;
        let row = self
            .tiles
            .get(&(tile_level, first / width))
            .and_then(|tile| tile.get(within..within + (1 << above)))
            .ok_or(missing)?;
        Ok(perfect_root(row))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::merkle::{MemoryTree, consistency_proof, leaf_hash, root_of};
    use proptest::prelude::*;

    fn tree(size: u64) -> MemoryTree {
        let mut tree = MemoryTree::new();
        (0..size).for_each(|at| tree.push(leaf_hash(&at.to_be_bytes())));
        tree
    }

    fn nodes(ids: &[TileId], tree: &MemoryTree) -> TileNodes {
        let mut nodes = TileNodes::new();
        for id in ids.iter().filter(|id| id.kind != TileKind::Entries) {
            nodes
                .insert(*id, &id.hashes(tree).expect("nodes"))
                .expect("fits");
        }
        nodes
    }

    #[test]
    fn paths_are_the_documented_ones() {
        let hashes = |level, index, width| TileId {
            kind: TileKind::Hashes { level },
            index,
            width,
        };
        for (id, path) in [
            (hashes(0, 1_234_067, 256), "tile/0/x001/x234/067"),
            (hashes(1, 0, 3), "tile/1/000.p/3"),
            (hashes(0, 1000, 256), "tile/0/x001/000"),
            (
                TileId {
                    kind: TileKind::Entries,
                    index: 999,
                    width: 255,
                },
                "tile/entries/999.p/255",
            ),
        ] {
            assert_eq!(id.to_string(), path);
            assert_eq!(TileId::parse(path), Some(id));
        }
    }

    #[test]
    fn other_spellings_of_a_path_are_refused() {
        for path in [
            "tile/0/67",
            "tile/0/0067",
            "tile/0/x067",
            "tile/0/x000/067",
            "tile/0/067.p/256",
            "tile/0/067.p/0",
            "tile/0/067.p/01",
            "tile/8/000",
            "tile/00/000",
            "tile/+0/000",
            "tile/0/../000",
            "entries/000",
            "tile/0/",
            "tile//000",
            "",
        ] {
            assert_eq!(TileId::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_bundle_that_is_cut_or_longer_is_refused() {
        let mut bundle = Vec::new();
        push_entry(&mut bundle, b"first").expect("short");
        push_entry(&mut bundle, b"").expect("short");
        assert_eq!(read_entries(&bundle, 2), Ok(vec![&b"first"[..], b""]));
        assert_eq!(read_entries(&bundle, 1), Err(Error::Length));
        assert_eq!(read_entries(&bundle, 3), Err(Error::Length));
        assert_eq!(read_entries(&bundle[..4], 1), Err(Error::Length));
        let long = vec![0; ENTRY_LEN_MAX + 1];
        assert!(matches!(
            push_entry(&mut bundle, &long),
            Err(Error::Limit(_))
        ));
    }

    #[test]
    fn a2_a_large_log_is_proved_from_its_tiles_alone() {
        let tree = tree(66_000);
        let nodes = nodes(&TileId::all(66_000), &tree);
        assert!(
            TileId::all(66_000)
                .iter()
                .any(|id| id.kind == TileKind::Hashes { level: 2 })
        );
        for size in [0, 1, 255, 256, 257, 65_535, 65_536, 65_537, 66_000] {
            assert_eq!(root_of(&nodes, size), root_of(&tree, size), "{size}");
            let proof = consistency_proof(&nodes, size, 66_000);
            assert_eq!(proof, consistency_proof(&tree, size, 66_000));
        }
    }

    #[test]
    fn a_tile_of_the_wrong_length_is_refused() {
        let id = TileId {
            kind: TileKind::Hashes { level: 0 },
            index: 0,
            width: 2,
        };
        for len in [0, 32, 63, 65, 96] {
            assert_eq!(
                TileNodes::new().insert(id, &vec![0; len]),
                Err(Error::Length)
            );
        }
    }

    proptest! {
        #[test]
        fn growth_writes_every_tile_of_the_new_size(
            steps in prop::collection::vec(0..700u64, 1..8),
        ) {
            let mut written = std::collections::BTreeSet::new();
            let mut size = 0;
            for step in steps {
                written.extend(TileId::grown(size, size + step));
                size += step;
            }
            for id in TileId::all(size) {
                prop_assert!(written.contains(&id), "{}", id);
            }
            let partial: Vec<TileId> = TileId::all(size)
                .into_iter()
                .filter(|id| id.kind != TileKind::Entries && id.width < TILE_WIDTH)
                .collect();
            prop_assert_eq!(TileId::partial(size), partial);
            let tree = tree(size);
            let nodes = nodes(&Vec::from_iter(written), &tree);
            prop_assert_eq!(root_of(&nodes, size), Ok(tree.root()));
        }

        #[test]
        fn every_path_reads_back(level in 0..=TILE_LEVEL_MAX, index: u64, width in 1..=TILE_WIDTH) {
            for kind in [TileKind::Entries, TileKind::Hashes { level }] {
                let id = TileId { kind, index, width };
                prop_assert_eq!(TileId::parse(&id.to_string()), Some(id));
            }
        }

        #[test]
        fn any_text_is_a_path_or_none(text in "(tile/)?[0-9x/.p]{0,20}") {
            if let Some(id) = TileId::parse(&text) {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}
