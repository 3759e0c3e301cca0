//! Holds as the log tells them: which of them protect at a moment, whether a destruction was judged
//! by all of those, and that no release is the act of one person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::action::Action;
use super::super::entry::{Draft, Entry};
use super::{WAIT_MICROS, told};
use crate::crypto::{Edge, hex, leaf_hash};
use crate::domain::{GRACE_DAYS, GRACE_DAYS_MIN, Timestamp};

/// One hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Hold {
    /// First instant at which it no longer protects.
    #[serde(with = "told::instant")]
    ends: Timestamp,
    /// Who asked for its release.
    asked: Option<String>,
    /// Messages it names one by one, where the entry lists them.
    items: Vec<String>,
}

/// Every hold so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Holds {
    known: BTreeMap<String, Hold>,
    /// Entry of a restore: rules newer than the backup came with the escrow, not with the log.
    restored: Option<String>,
}

impl Holds {
    /// Follows an act and says what it breaks.
    pub(super) fn take(&mut self, entry: &Entry, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let id = || draft.objects.first().cloned().unwrap_or_default();
        match draft.action {
            Action::BackupRestore => self.restored = Some(draft.request_id.clone()),
            Action::HoldCarry => self.carry(id(), draft, wrong),
            Action::HoldPlace => {
                let id = id();
                let hold = Hold {
                    ends: Timestamp::NEVER,
                    asked: None,
                    items: draft.objects.iter().skip(1).cloned().collect(),
                };
                if self.known.insert(id.clone(), hold).is_some() {
                    wrong.push(format!("hold {id} is placed twice"));
                }
            }
            Action::HoldReleaseRequest => match self.known.get_mut(&id()) {
                Some(hold) => hold.asked = Some(draft.actor.id.clone()),
                None => wrong.push(format!("hold {} was never placed", id())),
            },
            Action::HoldRelease => self.release(&id(), entry, wrong),
            Action::EraseSlice => self.check_slice(entry, wrong),
            // What was done and typed may be evidence.
            Action::PayloadPrune | Action::LogPrune => {
                for (id, _) in self.open(entry.t_c) {
                    wrong.push(format!("the log is pruned while hold {id} is open"));
                }
            }
            _ => {}
        }
    }

    /// Those that protect at a moment.
    fn open(&self, at: Timestamp) -> impl Iterator<Item = (&String, &Hold)> {
        self.known.iter().filter(move |(_, hold)| at < hold.ends)
    }

    /// A restored record says how its holds stand; nothing else may.
    fn carry(&mut self, id: String, draft: &Draft, wrong: &mut Vec<String>) {
        if self.restored.as_ref() != Some(&draft.request_id) {
            wrong.push(format!("hold {id} is carried over without a restore"));
            return;
        }
        let items = self.known.remove(&id).map_or(Vec::new(), |hold| hold.items);
        let ends = draft.number("until").and_then(|at| at.try_into().ok());
        let hold = Hold {
            ends: ends.map_or(Timestamp::NEVER, Timestamp),
            asked: draft.fact_word("requested_by").map(str::to_owned),
            items,
        };
        self.known.insert(id, hold);
    }

    fn release(&mut self, id: &str, entry: &Entry, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let Some(hold) = self.known.get_mut(id) else {
            wrong.push(format!("hold {id} was never placed"));
            return;
        };
        match &hold.asked {
            None => wrong.push(format!("nobody asked before to release hold {id}")),
            Some(asked) if *asked == draft.actor.id => {
                wrong.push(format!("one person alone, {asked}, released hold {id}"));
            }
            Some(_) => {}
        }
        let days = draft.number("grace_days").unwrap_or(u64::from(GRACE_DAYS));
        let days = i64::try_from(days).unwrap_or(i64::MAX);
        let least = entry.t_c.plus_days(days.max(i64::from(GRACE_DAYS_MIN)));
        let told = draft.number("until").and_then(|at| at.try_into().ok());
        hold.ends = told.map_or(least, Timestamp);
        if hold.ends.0 < least.0.saturating_sub(WAIT_MICROS) {
            wrong.push(format!("hold {id} is released without its grace"));
            hold.ends = least;
        }
    }

    /// Every hold that is open at this moment is among those judged, and none names what goes.
    fn check_slice(&self, entry: &Entry, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        if draft.number("erased") == Some(0) {
            return;
        }
        let open = || self.open(entry.t_c);
        for (id, hold) in open() {
            let named = hold.items.iter().find(|item| draft.objects.contains(item));
            if let Some(item) = named {
                wrong.push(format!("{item} is destroyed, and hold {id} names it"));
            }
        }
        if let (Some(count), Some(root)) =
            (draft.number("holds_count"), draft.fact_word("holds_root"))
        {
            let mut tree = Edge::new();
            open().for_each(|(id, _)| tree.append(leaf_hash(id.as_bytes()), |_| ()));
            if tree.size() != count || hex(&tree.root()) != root {
                wrong.push("messages are destroyed by other holds than those open then".to_owned());
            }
            return;
        }
        for (id, _) in open() {
            if !draft.hold_versions.contains(id) {
                wrong.push(format!(
                    "messages are destroyed while hold {id} is open, and it was not judged"
                ));
            }
        }
    }
}
