//! Users: added, changed, ended, listed.

use super::super::{AppError, Appliance, Result};
use super::Session;
use crate::audit::{Action, Appended};
use crate::auth::{self, LoginCost, NewUser};
use crate::domain::{ConversationId, Right, Role};
use crate::store::{GrantKind, UserRow, WriteTx};

impl Appliance {
    /// Adds a user. Lawyers and records officers see everything unless `conversations` narrows it;
    /// managers see what is named.
    pub fn add_user(
        &self,
        session: &Session,
        login: &str,
        role: Role,
        password: &str,
        conversations: &[ConversationId],
    ) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserAdd)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let mut grants = Vec::new();
            for id in conversations {
                let row = tx
                    .conversation_by_id(*id)?
                    .ok_or_else(|| AppError::NotFound(id.to_string()))?;
                grants.push((GrantKind::Conversation, row.no.0));
            }
            if grants.is_empty() {
                grants.extend_from_slice(starting_grants(role));
            }
            let user = auth::create_user(
                tx,
                &NewUser {
                    login,
                    role,
                    password,
                    grants: &grants,
                },
                LoginCost::default(),
                &*self.entropy,
                now.compliance,
            )?;
            let draft = self
                .draft(session, Action::UserAdd)
                .object(user.id)
                .word("role", role.name());
            self.log(tx, now, draft, Some(login.as_bytes()))
        })
    }

    /// Gives a user another role. To see everything goes with the role that has it; what was granted one by
    /// one stays.
    pub fn set_role(&self, session: &Session, login: &str, role: Role) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserRole)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = auth::set_role(tx, login, role)?;
            regrant(tx, &user)?;
            let draft = self
                .draft(session, Action::UserRole)
                .object(user.id)
                .word("role", role.name());
            self.log(tx, now, draft, None)
        })
    }

    /// Ends a user's access.
    pub fn disable_user(&self, session: &Session, login: &str) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserDisable)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = auth::disable_user(tx, login)?;
            self.log(
                tx,
                now,
                self.draft(session, Action::UserDisable).object(user.id),
                None,
            )
        })
    }

    /// Lets a user sign in again, with the password they had.
    pub fn enable_user(&self, session: &Session, login: &str) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserEnable)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = auth::enable_user(tx, login)?;
            let draft = self.draft(session, Action::UserEnable).object(user.id);
            self.log(tx, now, draft, None)
        })
    }

    /// Every user, for those who manage them.
    pub fn users(&self, session: &Session) -> Result<Vec<UserRow>> {
        self.require(session, Right::ManageUsers, Action::UserAdd)?;
        Ok(self.archive.store().read()?.users()?)
    }
}

/// What somebody of a role sees on the first day, as when an administrator adds them.
pub(super) fn starting_grants(role: Role) -> &'static [(GrantKind, u32)] {
    match role {
        Role::Lawyer | Role::RecordsOfficer => &[(GrantKind::Everything, 0)],
        _ => &[],
    }
}

/// What somebody sees in another role: everything or nothing goes with the role, what was granted one by
/// one and every wall stays.
pub(super) fn regrant(tx: &WriteTx<'_>, user: &UserRow) -> Result<()> {
    let kept = tx.grants(user.no)?;
    let kept = kept
        .into_iter()
        .filter(|(kind, _)| *kind != GrantKind::Everything);
    let kept: Vec<(GrantKind, u32)> = kept.collect();
    tx.delete_grants(user.no)?;
    let narrowed = kept.iter().any(|(kind, _)| *kind != GrantKind::Denied);
    let first = if narrowed {
        &[]
    } else {
        starting_grants(user.role)
    };
    for (kind, object) in first.iter().chain(&kept) {
        tx.insert_grant(user.no, *kind, *object)?;
    }
    Ok(())
}
