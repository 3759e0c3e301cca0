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

#[cfg(test)]
mod tests {
    use super::super::certificate::tests::{certificate, id};
    use super::*;

    const ITEMS: [u8; 4] = [3, 5, 9, 200];

    fn asked(last: u8) -> (Answer, String) {
        let run = certificate(&ITEMS);
        let answer = run.answer(&id(last)).expect("it is an identity");
        (answer, run.batch.items_root)
    }

    #[test]
    fn d4_every_identity_gets_an_answer_that_follows_from_the_root() {
        for last in 0..=255 {
            let (answer, root) = asked(last);
            assert_eq!(answer.destroyed, ITEMS.contains(&last), "{last}");
            assert_eq!(answer.check(&root, 4), Ok(()), "{last}");
            assert!(answer.check(&root, 5).is_err(), "{last}");
            assert!(answer.check(&id(1), 4).is_err(), "{last}");
        }
        let empty = certificate(&[]);
        let answer = empty.answer(&id(1)).expect("it is an identity");
        assert_eq!(answer.check(&empty.batch.items_root, 0), Ok(()));
    }

    fn refused(last: u8, change: impl FnOnce(&mut Answer)) -> String {
        let (mut answer, root) = asked(last);
        change(&mut answer);
        answer.check(&root, 4).expect_err("it does not follow")
    }

    #[test]
    fn d4_an_answer_that_was_changed_does_not_follow() {
        let neither = "neither yes nor no";
        assert!(refused(5, |yes| yes.destroyed = false).contains(neither));
        assert!(refused(5, |yes| yes.id = id(9)).contains(neither));
        assert!(refused(5, |yes| yes.item = None).contains(neither));
        assert!(refused(5, |yes| yes.before.clone_from(&yes.item)).contains(neither));
        assert!(refused(6, |no| no.destroyed = true).contains(neither));
        assert!(refused(5, |yes| yes.id = "no id".to_owned()).contains("keyed identity"));
        // The one in between is left out, or one end is.
        let (far, _) = asked(10);
        assert!(refused(4, |no| no.after = far.after).contains("next to each other"));
        assert!(refused(6, |no| no.before = None).contains("next to each other"));
        assert!(refused(6, |no| no.after = None).contains("next to each other"));
        // The neighbours of another, and the neighbour itself.
        let outside = "between its neighbours";
        for last in [2, 3, 5, 9, 10] {
            assert!(
                refused(4, |no| no.id = id(last)).contains(outside) == (last != 4),
                "{last}"
            );
        }
    }

    #[test]
    fn d4_a_path_that_leads_elsewhere_is_no_proof() {
        let changed =
            |change: &dyn Fn(&mut Proved)| refused(5, |yes| yes.item.iter_mut().for_each(change));
        assert!(changed(&|item| item.index = 2).contains("not in the tree"));
        assert!(changed(&|item| item.path.swap(0, 1)).contains("not in the tree"));
        assert!(changed(&|item| item.path[0] = "zz".to_owned()).contains("32 bytes"));
        assert!(changed(&|item| item.path[0].truncate(62)).contains("32 bytes"));
        let other = |no: &mut Answer| no.before.iter_mut().for_each(|one| one.id = id(4));
        assert!(refused(6, other).contains("not in the tree"));
    }
}
