//! What is to be destroyed: a frozen list of messages, each in the version that was judged.

use crate::crypto::{Digest, Edge, leaf_hash};
use crate::domain::MessageNo;

/// Most messages of one plan.
pub const PLAN_ITEMS_MAX: usize = 10_000_000;

/// One message of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlanItem {
    /// The message.
    pub no: MessageNo,
    /// Number of the latest version when the plan was made. A message that gained another since
    /// then drops out.
    pub revision: u16,
}

impl PlanItem {
    /// The digest of the item in the tree of its plan: SHA-256 over `0x00`, number as be64,
    /// revision as be16 (the leaf hash of RFC 6962 section 2.1).
    pub fn digest(self) -> Digest {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.no.0.to_be_bytes());
        bytes[8..].copy_from_slice(&self.revision.to_be_bytes());
        leaf_hash(&bytes)
    }
}

/// Why a list is no plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The list is empty.
    #[error("a plan without items destroys nothing: leave it out")]
    Empty,
    /// The list is longer than [`PLAN_ITEMS_MAX`].
    #[error("a plan has at most {PLAN_ITEMS_MAX} items: make several batches")]
    TooLong,
    /// The items are not in ascending order, or one stands twice.
    #[error("the items of a plan ascend by number and stand once; message {0} does not")]
    Order(MessageNo),
    /// Numbers of batches begin at 1.
    #[error("batch 0 does not exist: batches are numbered from 1")]
    Batch,
}

/// A frozen list of what is to be destroyed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Number of the batch, from 1; given once by whoever plans, and kept in the record.
    pub batch: u64,
    /// State of the holds when the plan was made; handed to the judge.
    pub hold_epoch: u64,
    /// The messages, ascending by number, each once.
    pub items: Vec<PlanItem>,
}

impl Plan {
    /// Whether the list is well-formed: batch from 1, at least one item, ascending, each once.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), PlanError> {
        if self.batch == 0 {
            return Err(PlanError::Batch);
        }
        if self.items.is_empty() {
            return Err(PlanError::Empty);
        }
        if self.items.len() > PLAN_ITEMS_MAX {
            return Err(PlanError::TooLong);
        }
        let wrong = self.items.windows(2).find(|pair| pair[0].no >= pair[1].no);
        wrong.map_or(Ok(()), |pair| Err(PlanError::Order(pair[1].no)))
    }

    /// The root of the RFC 6962 tree over the digests of the items, in their order: what
    /// approvers approve, and what a certificate names.
    pub fn root(&self) -> Digest {
        let mut tree = Edge::new();
        for item in &self.items {
            tree.append(item.digest(), |_| ());
        }
        tree.root()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::{empty_root, node_hash};

    fn plan(items: &[(u64, u16)]) -> Plan {
        Plan {
            batch: 1,
            hold_epoch: 0,
            items: items
                .iter()
                .map(|(no, revision)| PlanItem {
                    no: MessageNo(*no),
                    revision: *revision,
                })
                .collect(),
        }
    }

    #[test]
    fn the_root_is_the_tree_over_the_items() {
        let two = plan(&[(1, 0), (2, 3)]);
        let (first, second) = (two.items[0].digest(), two.items[1].digest());
        assert_eq!(two.root(), node_hash(&first, &second));
        assert_eq!(
            first,
            crate::crypto::sha256(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0])
        );
        assert_eq!(plan(&[]).root(), empty_root());
        assert_ne!(plan(&[(1, 0)]).root(), plan(&[(1, 1)]).root());
    }

    #[test]
    fn a_plan_has_a_longest_list() {
        let item = PlanItem {
            no: MessageNo(1),
            revision: 0,
        };
        let of = |len| {
            let items = vec![item; len];
            Plan { items, ..plan(&[]) }
        };
        let twice = Err(PlanError::Order(MessageNo(1)));
        assert_eq!(of(10_000_000).check(), twice);
        assert_eq!(of(10_000_001).check(), Err(PlanError::TooLong));
        assert_eq!(of(10_000_002).check(), Err(PlanError::TooLong));
    }

    #[test]
    fn a_list_in_disorder_is_no_plan() {
        assert_eq!(plan(&[(1, 0), (2, 0)]).check(), Ok(()));
        assert_eq!(plan(&[]).check(), Err(PlanError::Empty));
        let wrong = Err(PlanError::Order(MessageNo(2)));
        assert_eq!(plan(&[(2, 0), (2, 1)]).check(), wrong);
        assert_eq!(plan(&[(1, 0), (3, 0), (2, 0)]).check(), wrong);
        let none = Plan {
            batch: 0,
            ..plan(&[(1, 0)])
        };
        assert_eq!(none.check(), Err(PlanError::Batch));
    }
}
