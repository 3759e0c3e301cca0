//! Was it in this run? A membership proof, or the two neighbours between which it would stand, each
//! with its proof: enough for somebody who has the root of a certificate and not its list.

use serde::{Deserialize, Serialize};

use super::certificate::{Certificate, identity};
use crate::crypto::{
    Digest, MemoryTree, from_hex, hex, inclusion_proof, leaf_hash, verify_inclusion,
};

/// An item of a run, proved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proved {
    /// Its keyed identity.
    pub id: String,
    /// Its place among the items, counted from 0.
    pub index: u64,
    /// Siblings from the leaf to the root, in hex.
    pub path: Vec<String>,
}

/// The answer for one keyed identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Number of the certificate.
    pub certificate: u64,
    /// The keyed identity that was asked for.
    pub id: String,
    /// Whether it was destroyed in this run.
    pub destroyed: bool,
    /// How many items the run has.
    pub items: u64,
    /// The root over their identities, as the certificate says it.
    pub items_root: String,
    /// The item itself, where it was destroyed.
    pub item: Option<Proved>,
    /// The item before it in the order of ids, where it was not; none at the beginning.
    pub before: Option<Proved>,
    /// The item after it; none at the end.
    pub after: Option<Proved>,
}

impl Certificate {
    /// Answers whether an item was in this run.
    ///
    /// # Errors
    /// In words, when the identity or an item is not one.
    pub fn answer(&self, id: &str) -> Result<Answer, String> {
        identity(id)?;
        let mut tree = MemoryTree::new();
        for one in self.identities()? {
            tree.push(leaf_hash(&one));
        }
        let proved = |index: usize| -> Result<Proved, String> {
            let path = inclusion_proof(&tree, index as u64, tree.size());
            let path = path.map_err(|error| error.to_string())?;
            Ok(Proved {
                id: self.items[index].id.clone(),
                index: index as u64,
                path: path.iter().map(|hash| hex(hash)).collect(),
            })
        };
        let place = self.items.binary_search_by(|item| item.id.as_str().cmp(id));
        let (item, before, after) = match place {
            Ok(at) => (Some(proved(at)?), None, None),
            Err(at) => {
                let before = at.checked_sub(1).map(proved).transpose()?;
                let after = (at < self.items.len()).then(|| proved(at)).transpose()?;
                (None, before, after)
            }
        };
        Ok(Answer {
            certificate: self.number,
            id: id.to_owned(),
            destroyed: item.is_some(),
            items: tree.size(),
            items_root: hex(&tree.root()),
            item,
            before,
            after,
        })
    }
}

impl Answer {
    /// Whether the answer follows from the root over the items of the run and their number, as its
    /// certificate and its entry in the log say them.
    ///
    /// # Errors
    /// In words, what does not follow.
    pub fn check(&self, items_root: &str, items: u64) -> Result<(), String> {
        identity(&self.id)?;
        let wrong = |what: &str| Err(what.to_owned());
        if self.items_root != items_root || self.items != items {
            return wrong("the answer is about another run");
        }
        for proved in [&self.item, &self.before, &self.after]
            .into_iter()
            .flatten()
        {
            self.check_path(proved)?;
        }
        match (&self.item, &self.before, &self.after) {
            (Some(item), None, None) if self.destroyed && item.id == self.id => Ok(()),
            (None, before, after) if !self.destroyed => {
                let first = after.as_ref().map_or(self.items, |after| after.index);
                let next = before.as_ref().map_or(0, |before| before.index + 1);
                if first != next {
                    return wrong("the neighbours do not stand next to each other");
                }
                let is_between = before.as_ref().is_none_or(|one| one.id < self.id)
                    && after.as_ref().is_none_or(|one| self.id < one.id);
                match is_between {
                    true => Ok(()),
                    false => wrong("it does not stand between its neighbours"),
                }
            }
            _ => wrong("the answer is neither yes nor no"),
        }
    }

    fn check_path(&self, proved: &Proved) -> Result<(), String> {
        let digest = |text: &String| -> Option<Digest> { from_hex(text)?.try_into().ok() };
        let path: Option<Vec<Digest>> = proved.path.iter().map(digest).collect();
        let root = digest(&self.items_root);
        let (Some(path), Some(root)) = (path, root) else {
            return Err("a hash is not 32 bytes in hex".to_owned());
        };
        let leaf = leaf_hash(&identity(&proved.id)?);
        verify_inclusion(&leaf, proved.index, self.items, &path, &root)
            .map_err(|_| format!("item {} is not in the tree of the run", proved.id))
    }
}
