//! Freezes as the log tells them: while one stands nothing is destroyed, and two people lift it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::action::Action;
use super::super::entry::Entry;

/// Freezes that stand, with who asked to lift them; and whether a restore waits to be confirmed.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Freezes {
    standing: BTreeMap<String, Option<String>>,
    unconfirmed: bool,
}

impl Freezes {
    /// Follows an act and says what it breaks.
    pub(super) fn take(&mut self, entry: &Entry, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let freeze = || draft.fact_word("freeze").unwrap_or_default().to_owned();
        match draft.action {
            Action::FreezeSet => {
                self.standing.insert(freeze(), None);
            }
            Action::FreezeLiftRequest => {
                // One that came with a restore is in no entry.
                self.standing.insert(freeze(), Some(draft.actor.id.clone()));
            }
            Action::FreezeLift => match self.standing.remove(&freeze()) {
                Some(Some(asked)) if asked != draft.actor.id => {}
                Some(Some(asked)) => {
                    wrong.push(format!("one person alone, {asked}, lifted a freeze"));
                }
                _ => wrong.push("nobody asked before to lift the freeze".to_owned()),
            },
            // The freezes of a restored record are those of its escrow.
            Action::BackupRestore => {
                self.standing.clear();
                self.unconfirmed = true;
            }
            Action::PayloadPrune | Action::LogPrune => {
                if let Some(freeze) = self.standing.keys().next() {
                    wrong.push(format!("the log is pruned while freeze {freeze} stands"));
                }
            }
            Action::RestoreConfirm => self.unconfirmed = false,
            Action::EraseSlice if draft.number("erased") != Some(0) => {
                if let Some(freeze) = self.standing.keys().next() {
                    wrong.push(format!(
                        "messages are destroyed while freeze {freeze} stands"
                    ));
                }
                if self.unconfirmed {
                    let what = "messages are destroyed before the restore was confirmed";
                    wrong.push(what.to_owned());
                }
            }
            _ => {}
        }
    }
}
