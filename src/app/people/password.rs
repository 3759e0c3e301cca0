//! Passwords: changed by their owner, reset by an administrator, or from the host in an emergency.

use super::super::govern::words;
use super::super::{AppError, Appliance, Result};
use super::Session;
use crate::audit::{Action, Appended, AuthStrength, Draft, EntryActor, Outcome};
use crate::auth::{
    self, AuthError, LoginCost, NewUser, check_own_password, set_password, user_named,
};
use crate::domain::{Right, Role};

impl Appliance {
    /// Gives the person another password. Every other log-in, link and token of theirs ends; the one
    /// they asked with stays.
    ///
    /// # Errors
    /// [`AuthError::OldPassword`] when the old password is wrong.
    pub fn change_password(&self, session: &Session, old: &str, new: &str) -> Result<Appended> {
        self.require_own(session, &Action::UserPassword)?;
        let now = self.clock.now();
        let no = session.actor.no;
        let known = self.archive.store().read()?.user(no)?;
        let mut user = known.ok_or(AuthError::Session)?;
        let draft = self
            .draft(session, Action::UserPassword)
            .object(user.id)
            .word("way", "own");
        if let Err(error) = check_own_password(&user, old) {
            let refused = draft.result(Outcome::Refused);
            self.change(now, |tx| self.log(tx, now, refused, None))?;
            return Err(match error {
                AuthError::Refused => AuthError::OldPassword.into(),
                other => other.into(),
            });
        }
        self.change(now, |tx| {
            if tx.user(no)?.as_ref() != Some(&user) {
                return Err(AuthError::Refused.into());
            }
            set_password(tx, &mut user, new, Some(&session.by), &*self.entropy)?;
            self.log(tx, now, draft, None)
        })
    }

    /// Gives somebody else another password, which ends everything they are signed in with. Their
    /// second factor stays: see [`Appliance::reset_totp`].
    pub fn reset_password(&self, session: &Session, login: &str, new: &str) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserPassword)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let mut user = user_named(tx, login)?;
            if user.no == session.actor.no {
                return Err(AppError::Usage(
                    "change your own password with the old one".to_owned(),
                ));
            }
            set_password(tx, &mut user, new, None, &*self.entropy)?;
            let draft = self
                .draft(session, Action::UserPassword)
                .object(user.id)
                .word("way", "reset");
            self.log(tx, now, draft, None)
        })
    }

    /// Takes the second factor from somebody else, who lost device and recovery codes.
    pub fn reset_totp(&self, session: &Session, login: &str) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::FactorRemove)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = user_named(tx, login)?;
            if user.no == session.actor.no {
                return Err(AppError::Usage(
                    "remove your own second factor with a code of it".to_owned(),
                ));
            }
            if tx.second_factor(user.no)?.is_none() {
                return Err(AppError::Conflict(format!(
                    "\"{login}\" has no second factor"
                )));
            }
            tx.delete_second_factor(user.no)?;
            let draft = self.draft(session, Action::FactorRemove).object(user.id);
            self.log(tx, now, draft, None)
        })
    }

    /// Makes an administrator from the host, when nobody can sign in who may. Whoever can open the
    /// data may do it; the log says so.
    pub fn break_glass_create(
        &self,
        login: &str,
        password: &str,
        reason: &str,
    ) -> Result<Appended> {
        let reason = words::reason(reason)?;
        self.refuse_in_quarantine(Right::ManageUsers)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let new = NewUser {
                login,
                role: Role::Administrator,
                password,
                grants: &[],
            };
            let cost = LoginCost::default();
            let who = auth::create_user(tx, &new, cost, &*self.entropy, now.compliance)?;
            self.make_emergency(tx, who.no, now)?;
            let draft = self
                .host_draft(Action::UserAdd)
                .object(who.id)
                .word("role", Role::Administrator.name());
            self.log(tx, now, draft, Some(reason.as_bytes()))
        })
    }

    /// Gives an administrator another password from the host and takes their second factor away. Only
    /// administrators, who read no message: nobody becomes a reader by having the host.
    pub fn break_glass_reset(&self, login: &str, password: &str, reason: &str) -> Result<Appended> {
        let reason = words::reason(reason)?;
        self.refuse_in_quarantine(Right::ManageUsers)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let mut user = user_named(tx, login)?;
            if user.role != Role::Administrator {
                return Err(AppError::Blocked(format!(
                    "\"{login}\" is no administrator: an administrator resets their password with: \
                     wordkeep user reset-password"
                )));
            }
            set_password(tx, &mut user, password, None, &*self.entropy)?;
            tx.delete_second_factor(user.no)?;
            self.make_emergency(tx, user.no, now)?;
            let draft = self.host_draft(Action::UserPassword).object(user.id);
            self.log(tx, now, draft, Some(reason.as_bytes()))
        })
    }

    fn host_draft(&self, action: Action) -> Draft {
        let mut actor = EntryActor::system();
        actor.auth_strength = AuthStrength::Host;
        Draft::new(actor, action, self.request()).word("way", "break-glass")
    }

    /// Checks that a person changes what is their own, and that anything may be changed.
    pub(super) fn require_own(&self, session: &Session, action: &Action) -> Result<()> {
        self.require_person(session, action)?;
        self.refuse_in_quarantine(Right::ManageUsers)
    }

    /// Checks that a person acts. A program that tries is refused, and the refusal is logged before it
    /// is told.
    pub(in crate::app) fn require_person(&self, session: &Session, action: &Action) -> Result<()> {
        let Err(refused) = auth::require_person(&session.actor) else {
            return Ok(());
        };
        let now = self.clock.now();
        self.change(now, |tx| {
            let draft = self.draft(session, action.clone());
            self.log(tx, now, draft.result(Outcome::Refused), None)
        })?;
        Err(refused.into())
    }
}
