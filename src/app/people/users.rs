//! Users: added, changed, ended, listed.

use super::super::{AppError, Appliance, Result};
use super::Session;
use crate::audit::{Action, Appended};
use crate::auth::{self, LoginCost, NewUser};
use crate::domain::{ConversationId, Right, Role};
use crate::store::{GrantKind, UserRow};

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
            let sees_all = matches!(role, Role::Lawyer | Role::RecordsOfficer);
            if grants.is_empty() && sees_all {
                grants.push((GrantKind::Everything, 0));
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

    /// Gives a user another role.
    pub fn set_role(&self, session: &Session, login: &str, role: Role) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserRole)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = auth::set_role(tx, login, role)?;
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
