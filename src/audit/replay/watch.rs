//! Log-ins before four eyes as the log tells them: whoever is marked is let in by somebody else, each time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::action::Action;
use super::super::entry::Entry;
use crate::domain::Role;

/// Who is marked, and who was just let in.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Watch {
    users: BTreeSet<String>,
    /// By name.
    roles: BTreeSet<String>,
    /// Second persons, by who was let in and has not signed in yet.
    confirmed: BTreeMap<String, String>,
}

impl Watch {
    /// Follows an act and says what it breaks.
    pub(super) fn take(&mut self, entry: &Entry, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let (actor, object) = (&draft.actor, draft.objects.first().cloned());
        match draft.action {
            // Marks that came or went after the backup came with the escrow, not with the log.
            Action::BackupRestore => *self = Watch::default(),
            Action::UserFourEyes => {
                let sets = draft.fact_word("act") != Some("remove");
                let role = draft.fact_word("role").and_then(Role::from_name);
                match (role, object, sets) {
                    (Some(role), _, true) => _ = self.roles.insert(role.name().to_owned()),
                    (Some(role), _, false) => _ = self.roles.remove(role.name()),
                    (None, Some(user), true) => _ = self.users.insert(user),
                    (None, Some(user), false) => _ = self.users.remove(&user),
                    (None, None, _) => wrong.push("a mark of nobody".to_owned()),
                }
            }
            Action::LoginConfirm => {
                let user = object.unwrap_or_default();
                if user == actor.id {
                    wrong.push(format!("{user} let themselves in as the second person"));
                }
                self.confirmed.insert(user, actor.id.clone());
            }
            Action::Login => {
                let by = self.confirmed.remove(&actor.id);
                let is_marked = self.users.contains(&actor.id)
                    || actor
                        .role
                        .is_some_and(|role| self.roles.contains(role.name()));
                let told = draft.fact_word("confirmed_by");
                if (is_marked || told.is_some()) && (by.is_none() || told != by.as_deref()) {
                    wrong.push(format!(
                        "{} signed in, and no second person let them in",
                        actor.id
                    ));
                }
            }
            _ => {}
        }
    }
}
