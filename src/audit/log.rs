//! Appending to the log inside the caller's transaction.

use crate::crypto::{DIGEST_LEN, Digest, Edge, leaf_hash};
use crate::domain::{EntryNo, Now, Timestamp};
use crate::store::{AuditEntryRow, Rows, WriteTx};

use super::entry::{Draft, Entry};
use super::error::{AuditError, Result};
use super::payload::Payload;

/// An entry that will be durable when the transaction commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Its place: the audit id people are shown.
    pub seq: EntryNo,
    /// The hash of its leaf.
    pub leaf: Digest,
}

/// The end of the log: what appending needs.
///
/// Kept in one row as `t_c be64` and the peaks of the tree, so that a rolled-back transaction takes
/// its entries and its edge back together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEnd {
    /// The right edge of the tree.
    pub edge: Edge,
    /// Compliance time of the last entry.
    pub t_c: Timestamp,
}

impl LogEnd {
    /// Reads the end as this transaction sees it.
    pub fn read(rows: &Rows) -> Result<Self> {
        match rows.audit_edge()? {
            None => Ok(Self {
                edge: Edge::new(),
                t_c: Timestamp(i64::MIN),
            }),
            Some((size, bytes)) => Self::decode(size, &bytes)
                .ok_or_else(|| AuditError::Broken("the stored edge does not fit its size".into())),
        }
    }

    fn decode(size: u64, bytes: &[u8]) -> Option<Self> {
        let (t_c, peaks) = bytes.split_first_chunk::<8>()?;
        let (peaks, odd) = peaks.as_chunks::<DIGEST_LEN>();
        let edge = odd
            .is_empty()
            .then(|| Edge::from_peaks(size, peaks.to_vec()))??;
        Some(Self {
            edge,
            t_c: Timestamp(i64::from_be_bytes(*t_c)),
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.t_c.0.to_be_bytes().to_vec();
        bytes.extend(self.edge.peaks().iter().flatten());
        bytes
    }
}

/// Appends an entry inside the caller's transaction: it becomes durable together with the change it
/// tells of, or before the bytes it allows leave.
///
/// Compliance time never goes back: an entry of an earlier `now` takes the time of the entry in
/// front of it. The payload must be one of this entry alone.
pub fn append(tx: &WriteTx<'_>, now: &Now, draft: Draft, payload: Payload) -> Result<Appended> {
    let mut end = LogEnd::read(tx)?;
    let entry = Entry {
        seq: EntryNo(end.edge.size()),
        t_c: now.compliance.max(end.t_c),
        wall: now.wall,
        payload_commit: payload.commit,
        draft,
    };
    let bytes = entry.to_bytes()?;
    let leaf = leaf_hash(&bytes);
    end.edge.append(leaf, |_| ());
    end.t_c = entry.t_c;
    tx.insert_audit_entry(&AuditEntryRow {
        seq: entry.seq,
        entry: bytes,
        payload: payload.kept,
    })?;
    tx.put_audit_edge(end.edge.size(), &end.encode())?;
    Ok(Appended {
        seq: entry.seq,
        leaf,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Scratch, draft, now};
    use super::*;
    use crate::audit::Action;
    use crate::crypto::{MemoryTree, SeededEntropy};

    #[test]
    fn a2_the_edge_is_the_tree_over_the_entries() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let entropy = SeededEntropy::new(1);
        let mut tree = MemoryTree::new();
        for at in 0..20 {
            let tx = store.write().expect("writes");
            let appended = append(&tx, &now(at), draft(Action::Login), Payload::none(&entropy))
                .expect("appends");
            assert_eq!(appended.seq, EntryNo(at as u64));
            tree.push(appended.leaf);
            assert_eq!(LogEnd::read(&tx).expect("reads").edge.root(), tree.root());
            tx.commit().expect("commits");
        }
        let rows = store.read().expect("reads");
        let kept = rows.audit_entries(EntryNo(0), EntryNo(99)).expect("reads");
        assert_eq!(kept.len(), 20);
        for (at, row) in kept.iter().enumerate() {
            let entry = Entry::parse(&row.entry).expect("canonical");
            assert_eq!(entry.seq, EntryNo(at as u64));
        }
    }

    #[test]
    fn a8_a_rolled_back_change_takes_its_entry_back() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let entropy = SeededEntropy::new(1);
        let add = |commit: bool| {
            let tx = store.write().expect("writes");
            let seq = append(&tx, &now(1), draft(Action::Login), Payload::none(&entropy))
                .expect("appends")
                .seq;
            if commit {
                tx.commit().expect("commits");
            }
            seq
        };
        assert_eq!(add(true), EntryNo(0));
        assert_eq!(add(false), EntryNo(1));
        assert_eq!(add(true), EntryNo(1));
        let end = LogEnd::read(&store.read().expect("reads")).expect("reads");
        assert_eq!(end.edge.size(), 2);
    }

    #[test]
    fn compliance_time_never_goes_back() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let entropy = SeededEntropy::new(1);
        for at in [5, 3, 9] {
            let tx = store.write().expect("writes");
            append(&tx, &now(at), draft(Action::Login), Payload::none(&entropy)).expect("appends");
            tx.commit().expect("commits");
        }
        let rows = store.read().expect("reads");
        let times: Vec<i64> = rows
            .audit_entries(EntryNo(0), EntryNo(9))
            .expect("reads")
            .iter()
            .map(|row| Entry::parse(&row.entry).expect("canonical").t_c.0)
            .collect();
        assert_eq!(times, [5, 5, 9]);
    }

    #[test]
    fn a_refused_entry_leaves_the_log_as_it_was() {
        let scratch = Scratch::new();
        let store = scratch.open();
        let tx = store.write().expect("writes");
        let bad = draft(Action::Login).object("two words");
        let payload = Payload::none(&SeededEntropy::new(1));
        assert!(matches!(
            append(&tx, &now(1), bad, payload),
            Err(AuditError::Entry(_))
        ));
        assert_eq!(LogEnd::read(&tx).expect("reads").edge.size(), 0);
    }
}
