//! Claims about the time as the log tells them: compliance time goes on by the word of two people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::action::Action;
use super::super::entry::Entry;

/// Claims that nobody agreed to yet, with who made them.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Claims {
    open: BTreeMap<String, String>,
    /// A restore may bring claims that are in no entry.
    restored: bool,
}

impl Claims {
    /// Follows an act and says what it breaks.
    pub(super) fn take(&mut self, entry: &Entry, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let claim = || draft.fact_word("claim").unwrap_or_default().to_owned();
        match draft.action {
            Action::ClockAdvanceRequest => {
                self.open.insert(claim(), draft.actor.id.clone());
            }
            Action::ClockAdvance => match self.open.remove(&claim()) {
                Some(by) if by == draft.actor.id => {
                    wrong.push(format!("one person alone, {by}, advanced the clock"));
                }
                None if !self.restored => {
                    wrong.push("nobody claimed before that the time has come".to_owned());
                }
                _ => {}
            },
            Action::BackupRestore => self.restored = true,
            _ => {}
        }
    }
}
