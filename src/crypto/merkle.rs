//! The Merkle tree of RFC 6962: appending, roots, proofs and their verification.
//!
//! ```text
//! leaf(e)    = SHA-256(0x00 + e)
//! node(l, r) = SHA-256(0x01 + l + r)
//! root of n leaves: node(root of the first k, root of the rest), k the largest power of two < n
//! ```
//! A *complete node* (level, index) covers the leaves `index << level` to `(index + 1) << level`; it
//! never changes once its leaves are there. There is no other kind of stored node and no padding:
//! the ragged right side is computed from complete ones (no hybrid tail; CVE-2022-36111).

use super::error::{Error, Result};
use super::hash::{DIGEST_LEN, Digest, equal, sha256, sha256_of};

/// Hashes of a proof at most: one for each bit of a size, and one.
pub const PROOF_LEN_MAX: usize = 65;

/// SHA-256(0x00 + entry).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    sha256_of(&[&[0], entry])
}

/// SHA-256(0x01 + left + right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    let mut input = [1; 1 + 2 * DIGEST_LEN];
    input[1..=DIGEST_LEN].copy_from_slice(left);
    input[1 + DIGEST_LEN..].copy_from_slice(right);
    sha256(&input)
}

/// The root of a tree without leaves: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    sha256(b"")
}

/// The root over the hashes of a whole subtree, a power of two of them; of any other number the
/// root as RFC 6962 splits it.
pub fn perfect_root(hashes: &[Digest]) -> Digest {
    match hashes {
        [] => empty_root(),
        [hash] => *hash,
        _ => {
            let (left, right) = hashes.split_at(left_size(hashes.len() as u64) as usize);
            node_hash(&perfect_root(left), &perfect_root(right))
        }
    }
}

/// A complete node as it comes into being.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeNode {
    /// Height above the leaves, which have 0.
    pub level: u8,
    /// Position within the level, counted from 0.
    pub index: u64,
    /// The hash.
    pub hash: Digest,
}

/// The right edge of a tree: what appending and the root need, and no more (at most 64 hashes).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Edge {
    size: u64,
    /// Roots of the perfect subtrees, largest and leftmost first; one for each set bit of `size`.
    peaks: Vec<Digest>,
}

impl Edge {
    /// The edge of an empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree of `size` leaves, read from its complete nodes.
    pub fn load(source: &dyn NodeSource, size: u64) -> Result<Self> {
        let peaks = perfect_parts(0, size)
            .map(|(level, index)| source.node(level, index))
            .collect::<Result<_>>()?;
        Ok(Self { size, peaks })
    }

    /// Number of leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf and hands every node that becomes complete to `take`, the leaf first.
    pub fn append(&mut self, leaf: Digest, mut take: impl FnMut(TreeNode)) {
        let mut node = TreeNode {
            level: 0,
            index: self.size,
            hash: leaf,
        };
        take(node);
        while node.index & 1 == 1 {
            // An odd index means a finished left sibling, which is the last peak.
            let Some(left) = self.peaks.pop() else { break };
            node = TreeNode {
                level: node.level + 1,
                index: node.index >> 1,
                hash: node_hash(&left, &node.hash),
            };
            take(node);
        }
        self.peaks.push(node.hash);
        self.size += 1;
    }

    /// Roots of the perfect subtrees, largest and leftmost first: with the size they are the edge.
    pub fn peaks(&self) -> &[Digest] {
        &self.peaks
    }

    /// The edge of a size and its peaks; `None` when their number does not fit the size.
    pub fn from_peaks(size: u64, peaks: Vec<Digest>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// The root of the tree so far.
    pub fn root(&self) -> Digest {
        join_peaks(&self.peaks).unwrap_or_else(empty_root)
    }
}

/// Joins subtree roots from the right; `None` when there are none.
fn join_peaks(peaks: &[Digest]) -> Option<Digest> {
    let (last, rest) = peaks.split_last()?;
    let joined = rest
        .iter()
        .rev()
        .fold(*last, |right, left| node_hash(left, &right));
    Some(joined)
}

/// The complete nodes that cover the leaves `start..end`, left to right, largest first from an
/// aligned start.
fn perfect_parts(start: u64, end: u64) -> impl Iterator<Item = (u8, u64)> {
    let mut at = start;
    std::iter::from_fn(move || {
        let rest = end.checked_sub(at).filter(|rest| *rest > 0)?;
        let level = at.trailing_zeros().min(rest.ilog2());
        let part = (level as u8, at >> level);
        at += 1 << level;
        Some(part)
    })
}

/// Where complete nodes come from: a table, tiles, memory.
pub trait NodeSource {
    /// The hash of a complete node; [`Error::MissingNode`] when the source has not got it.
    fn node(&self, level: u8, index: u64) -> Result<Digest>;
}

/// A tree held in memory with all its nodes, for verifiers and tests: about 64 bytes a leaf.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    levels: Vec<Vec<Digest>>,
    edge: Edge,
}

impl MemoryTree {
    /// An empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a leaf hash.
    pub fn push(&mut self, leaf: Digest) {
        let levels = &mut self.levels;
        self.edge.append(leaf, |node| {
            let level = usize::from(node.level);
            if levels.len() == level {
                levels.push(Vec::new());
            }
            levels[level].push(node.hash);
        });
    }

    /// Number of leaves.
    pub const fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root over all leaves.
    pub fn root(&self) -> Digest {
        self.edge.root()
    }
}

impl NodeSource for MemoryTree {
    fn node(&self, level: u8, index: u64) -> Result<Digest> {
        self.levels
            .get(usize::from(level))
            .and_then(|nodes| nodes.get(usize::try_from(index).ok()?))
            .copied()
            .ok_or(Error::MissingNode { level, index })
    }
}

/// The root over the first `size` leaves.
pub fn root_of(source: &dyn NodeSource, size: u64) -> Result<Digest> {
    Ok(Edge::load(source, size)?.root())
}

/// The hash over the leaves `start..end`, a range as RFC 6962 splits a tree into.
fn range_hash(source: &dyn NodeSource, start: u64, end: u64) -> Result<Digest> {
    let peaks = perfect_parts(start, end)
        .map(|(level, index)| source.node(level, index))
        .collect::<Result<Vec<_>>>()?;
    Ok(join_peaks(&peaks).unwrap_or_else(empty_root))
}

/// Leaves of the left subtree of a tree of `size` >= 2 leaves.
const fn left_size(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The audit path of leaf `index` in the tree of the first `size` leaves (RFC 6962 section 2.1.1),
/// nearest sibling first. Fails with [`Error::Proof`] when the leaf is not in that tree.
pub fn inclusion_proof(source: &dyn NodeSource, index: u64, size: u64) -> Result<Vec<Digest>> {
    if index >= size {
        return Err(Error::Proof);
    }
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + left_size(end - start);
        if index < middle {
            proof.push(range_hash(source, middle, end)?);
            end = middle;
        } else {
            proof.push(range_hash(source, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of `old` leaves is a prefix of the tree of `new` leaves (RFC 6962
/// section 2.1.2). Empty when `old` is 0 or equals `new`; fails when it is larger.
pub fn consistency_proof(source: &dyn NodeSource, old: u64, new: u64) -> Result<Vec<Digest>> {
    if old > new {
        return Err(Error::Proof);
    }
    if old == 0 || old == new {
        return Ok(Vec::new());
    }
    let (mut start, mut end) = (0, new);
    let mut proof = Vec::new();
    while old != end {
        let middle = start + left_size(end - start);
        if old <= middle {
            proof.push(range_hash(source, middle, end)?);
            end = middle;
        } else {
            proof.push(range_hash(source, start, middle)?);
            start = middle;
        }
    }
    // The old root itself is known to the verifier when it is a whole subtree from the left.
    if start != 0 {
        proof.push(range_hash(source, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that `leaf` is leaf `index` of the tree of `size` leaves with this root (RFC 9162
/// section 2.1.3.2). Anything that does not lead there is [`Error::Proof`].
pub fn verify_inclusion(
    leaf: &Digest,
    index: u64,
    size: u64,
    proof: &[Digest],
    root: &Digest,
) -> Result<()> {
    if index >= size || proof.len() > PROOF_LEN_MAX {
        return Err(Error::Proof);
    }
    let (mut node, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return Err(Error::Proof);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    (last == 0 && equal(&hash, root))
        .then_some(())
        .ok_or(Error::Proof)
}

/// Checks that the tree of `old` leaves and `old_root` is a prefix of the tree of `new` leaves and
/// `new_root` (RFC 9162 section 2.1.4.2). The empty tree is a prefix of every tree.
pub fn verify_consistency(
    old: u64,
    old_root: &Digest,
    new: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> Result<()> {
    if old > new || proof.len() > PROOF_LEN_MAX {
        return Err(Error::Proof);
    }
    if old == new || old == 0 {
        let expected = if old == new { *new_root } else { empty_root() };
        let holds = proof.is_empty() && equal(old_root, &expected);
        return holds.then_some(()).ok_or(Error::Proof);
    }
    let (first, rest) = match proof.split_first() {
        _ if old.is_power_of_two() => (old_root, proof),
        Some((first, rest)) => (first, rest),
        None => return Err(Error::Proof),
    };
    let shift = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> shift, (new - 1) >> shift);
    let (mut from_old, mut from_new) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return Err(Error::Proof);
        }
        if node & 1 == 1 || node == last {
            from_old = node_hash(sibling, &from_old);
            from_new = node_hash(sibling, &from_new);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            from_new = node_hash(&from_new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    let holds = last == 0 && equal(&from_old, old_root) && equal(&from_new, new_root);
    holds.then_some(()).ok_or(Error::Proof)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::hash::{from_hex, hex};
    use proptest::prelude::*;

    /// RFC 6962 section 2.1 word for word.
    fn naive_root(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(naive_split(leaves.len()));
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    fn naive_split(len: usize) -> usize {
        let mut split = 1;
        while split * 2 < len {
            split *= 2;
        }
        split
    }

    /// RFC 6962 section 2.1.1 word for word.
    fn naive_path(index: usize, leaves: &[Digest]) -> Vec<Digest> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let split = naive_split(leaves.len());
        let (left, right) = leaves.split_at(split);
        let (mut path, other) = if index < split {
            (naive_path(index, left), naive_root(right))
        } else {
            (naive_path(index - split, right), naive_root(left))
        };
        path.push(other);
        path
    }

    /// RFC 6962 section 2.1.2 word for word.
    fn naive_consistency(old: usize, leaves: &[Digest], whole: bool) -> Vec<Digest> {
        if old == leaves.len() {
            return if whole {
                Vec::new()
            } else {
                vec![naive_root(leaves)]
            };
        }
        let split = naive_split(leaves.len());
        let (left, right) = leaves.split_at(split);
        let (mut proof, other) = if old <= split {
            (naive_consistency(old, left, whole), naive_root(right))
        } else {
            (
                naive_consistency(old - split, right, false),
                naive_root(left),
            )
        };
        proof.push(other);
        proof
    }

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count).map(|at| leaf_hash(&at.to_be_bytes())).collect()
    }

    fn tree(leaves: &[Digest]) -> MemoryTree {
        let mut tree = MemoryTree::new();
        leaves.iter().for_each(|leaf| tree.push(*leaf));
        tree
    }

    #[test]
    fn a2_certificate_transparency_roots() {
        // The reference tree of google/certificate-transparency (merkletree tests), 0 to 8 leaves.
        let entries = [
            "",
            "00",
            "10",
            "2021",
            "3031",
            "40414243",
            "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        let mut edge = Edge::new();
        assert_eq!(hex(&edge.root()), roots[0]);
        for (entry, root) in entries.iter().zip(&roots[1..]) {
            edge.append(leaf_hash(&from_hex(entry).expect("hex")), |_| ());
            assert_eq!(hex(&edge.root()), *root);
        }
    }

    #[test]
    fn a2_every_small_tree_agrees_with_the_definition() {
        let all = leaves(70);
        let tree = tree(&all);
        for size in 0..=all.len() {
            let root = naive_root(&all[..size]);
            assert_eq!(root_of(&tree, size as u64), Ok(root));
            for index in 0..size {
                let proof = inclusion_proof(&tree, index as u64, size as u64).expect("in the tree");
                assert_eq!(proof, naive_path(index, &all[..size]), "{index} of {size}");
                let checked =
                    verify_inclusion(&all[index], index as u64, size as u64, &proof, &root);
                assert_eq!(checked, Ok(()));
            }
            for old in 1..=size {
                let proof = consistency_proof(&tree, old as u64, size as u64).expect("a prefix");
                assert_eq!(
                    proof,
                    naive_consistency(old, &all[..size], true),
                    "{old} of {size}"
                );
                let old_root = naive_root(&all[..old]);
                let checked = verify_consistency(old as u64, &old_root, size as u64, &root, &proof);
                assert_eq!(checked, Ok(()));
            }
        }
    }

    #[test]
    fn an_edge_is_reloaded_from_complete_nodes() {
        let all = leaves(45);
        let tree = tree(&all);
        for size in 0..=45 {
            let mut edge = Edge::load(&tree, size).expect("nodes are there");
            assert_eq!(edge.size(), size);
            all[size as usize..]
                .iter()
                .for_each(|leaf| edge.append(*leaf, |_| ()));
            assert_eq!(edge.root(), tree.root());
        }
        let missing = Edge::load(&tree, 46);
        assert!(matches!(missing, Err(Error::MissingNode { .. })));
    }

    #[test]
    fn an_edge_is_reloaded_from_its_peaks_if_their_number_fits() {
        let tree = tree(&leaves(13));
        let edge = Edge::load(&tree, 13).expect("nodes are there");
        let again = Edge::from_peaks(13, edge.peaks().to_vec()).expect("three peaks");
        assert_eq!((again.size(), again.root()), (tree.size(), tree.root()));
        assert_eq!(tree.size(), 13);
        assert!(Edge::from_peaks(12, edge.peaks().to_vec()).is_none());
        assert!(Edge::from_peaks(15, edge.peaks().to_vec()).is_none());
    }

    /// A log of any length whose leaves are all the same: a node depends on its level alone.
    struct Uniform;

    impl NodeSource for Uniform {
        fn node(&self, level: u8, _: u64) -> Result<Digest> {
            Ok((0..level).fold(leaf_hash(b"the same"), |hash, _| node_hash(&hash, &hash)))
        }
    }

    #[test]
    fn a2_the_largest_trees_are_proved_too() {
        let new = u64::MAX;
        let new_root = root_of(&Uniform, new).expect("nodes are there");
        let leaf = leaf_hash(b"the same");
        for at in [0, 1, 1 << 63, new - 2, new - 1] {
            let proof = inclusion_proof(&Uniform, at, new).expect("in the tree");
            assert_eq!(verify_inclusion(&leaf, at, new, &proof, &new_root), Ok(()));
        }
        for old in [1, 3, 1 << 63, (1 << 63) + 1, new - 1] {
            let old_root = root_of(&Uniform, old).expect("nodes are there");
            let proof = consistency_proof(&Uniform, old, new).expect("a prefix");
            assert!(proof.len() <= PROOF_LEN_MAX, "{}", proof.len());
            let verdict = verify_consistency(old, &old_root, new, &new_root, &proof);
            assert_eq!(verdict, Ok(()), "of {old}");
        }
        let longest = consistency_proof(&Uniform, 3, new).expect("a prefix").len();
        assert_eq!(longest, PROOF_LEN_MAX);
    }

    #[test]
    fn proofs_outside_the_tree_are_refused() {
        let tree = tree(&leaves(5));
        assert_eq!(inclusion_proof(&tree, 5, 5), Err(Error::Proof));
        assert_eq!(inclusion_proof(&tree, 0, 0), Err(Error::Proof));
        assert_eq!(consistency_proof(&tree, 6, 5), Err(Error::Proof));
        let zero = [0; 32];
        assert_eq!(verify_inclusion(&zero, 0, 0, &[], &zero), Err(Error::Proof));
        assert_eq!(
            verify_consistency(2, &zero, 1, &zero, &[]),
            Err(Error::Proof)
        );
        assert_eq!(
            verify_consistency(0, &zero, 1, &zero, &[]),
            Err(Error::Proof)
        );
        assert_eq!(verify_consistency(0, &empty_root(), 1, &zero, &[]), Ok(()));
    }

    proptest! {
        #[test]
        fn a2_a_changed_inclusion_proof_leads_nowhere(
            size in 1..200usize,
            index: prop::sample::Index,
            other: prop::sample::Index,
            change in 0..5u8,
        ) {
            let all = leaves(size);
            let (tree, index) = (tree(&all), index.index(size));
            let other = other.index(size);
            let mut proof = inclusion_proof(&tree, index as u64, size as u64).expect("inside");
            let mut leaf = all[index];
            let mut claimed = index;
            match change {
                0 => leaf[0] ^= 1,
                1 => proof.push([0; 32]),
                2 if !proof.is_empty() => { proof.pop(); }
                3 if !proof.is_empty() => { let at = other % proof.len(); proof[at][31] ^= 1; }
                _ => { prop_assume!(other != index); claimed = other; }
            }
            let root = tree.root();
            let checked = verify_inclusion(&leaf, claimed as u64, size as u64, &proof, &root);
            prop_assert_eq!(checked, Err(Error::Proof));
        }

        #[test]
        fn a2_no_two_histories_are_consistent(
            old in 1..100usize,
            more in 0..100usize,
            at: prop::sample::Index,
        ) {
            // The second history differs in one leaf before the old size.
            let all = leaves(old + more);
            let mut forged = all.clone();
            forged[at.index(old)][0] ^= 1;
            let (old, new) = (old as u64, (old + more) as u64);
            let tree = tree(&forged);
            let proof = consistency_proof(&tree, old, new).expect("a prefix");
            let honest_root = naive_root(&all[..old as usize]);
            let checked = verify_consistency(old, &honest_root, new, &tree.root(), &proof);
            prop_assert_eq!(checked, Err(Error::Proof));
        }

        #[test]
        fn a2_random_proofs_are_refused(
            old in 0..50u64,
            new in 0..50u64,
            proof in prop::collection::vec(any::<[u8; 32]>(), 1..8),
        ) {
            let tree = tree(&leaves(50));
            let old_root = root_of(&tree, old).expect("inside");
            let new_root = root_of(&tree, new).expect("inside");
            prop_assert!(verify_consistency(old, &old_root, new, &new_root, &proof).is_err());
            prop_assert!(verify_inclusion(&leaves(1)[0], old, new, &proof, &new_root).is_err());
        }
    }
}
