//! Signing in, proving it again, signing out; links that sign in once.

use super::super::{AppError, Appliance, Result};
use super::{SignIn, WebSession};
use crate::audit::{Action, AuthStrength, Draft, EntryActor, Outcome};
use crate::auth::{
    self, AuthError, LinkToken, SessionKey, begin_session, check_own_password, find_session,
    make_link, prove_session, refuse_watched, strength_of, take_link, watch_session,
};
use crate::domain::{Now, UserId};
use crate::store::{UserRow, WriteTx};

/// Characters of a refused login that are kept: whoever is not known cannot fill the log.
const TYPED_CHARS_MAX: usize = 128;

impl Appliance {
    /// Signs a browser in. Unknown logins and wrong passwords answer alike and take alike; refusals
    /// are logged.
    ///
    /// # Errors
    /// [`AuthError::Refused`]; [`AuthError::Code`] when the password is right and the code is wrong.
    pub fn sign_in(&self, login: &str, password: &str, code: Option<&str>) -> Result<SignIn> {
        let recognised = {
            let rows = self.archive.store().read()?;
            let known = auth::log_in(&rows, login, password, &*self.entropy);
            self.by_password(&rows, known)
        };
        let now = self.clock.now();
        let user = match recognised {
            Ok(user) => user,
            Err(error) => return Err(self.refused_login(now, login, None, error)),
        };
        let code = code.map(str::trim).filter(|code| !code.is_empty());
        let done = self.change(now, |tx| {
            if !is_unchanged(tx, &user)? {
                return Err(AuthError::Refused.into());
            }
            let strength = match self.check_code(tx, &user, code, now)? {
                CodeVerdict::Needed => return Ok(Ok(SignIn::CodeNeeded)),
                CodeVerdict::Wrong => return Ok(Err(AuthError::Code)),
                CodeVerdict::None => AuthStrength::Password,
                CodeVerdict::Right => AuthStrength::SecondFactor,
            };
            Ok(Ok(self.begin(tx, &user, strength, now)?))
        })?;
        done.map_err(|error| self.refused_login(now, login, Some(user.id), error))
    }

    /// Takes the password of somebody who is signed in again, with the code where they have a second
    /// factor: for ten minutes dangerous acts do not ask.
    ///
    /// # Errors
    /// As [`Appliance::sign_in`], and [`AuthError::CodeMissing`] when the code is missing.
    pub fn step_up(
        &self,
        key: &SessionKey,
        password: &str,
        code: Option<&str>,
    ) -> Result<WebSession> {
        let (now, hash) = (self.clock.now(), key.hash());
        let (user, checked) = {
            let rows = self.archive.store().read()?;
            let found = find_session(&rows, &hash, now)?;
            if strength_of(&found.row) == AuthStrength::Provider {
                return Err(AuthError::ProviderProof.into());
            }
            let known = check_own_password(&found.user, password);
            let known = known.map(|()| found.user.clone());
            (found.user, self.by_password(&rows, known))
        };
        if let Err(error) = checked {
            return Err(self.refused_login(now, &user.login, Some(user.id), error));
        }
        let code = code.map(str::trim).filter(|code| !code.is_empty());
        let done = self.change(now, |tx| {
            if !is_unchanged(tx, &user)? {
                return Err(AuthError::Session.into());
            }
            let strength = match self.check_code(tx, &user, code, now)? {
                CodeVerdict::Needed => return Err(AuthError::CodeMissing.into()),
                CodeVerdict::Wrong => return Ok(Err(AuthError::Code)),
                CodeVerdict::None => AuthStrength::Password,
                CodeVerdict::Right => AuthStrength::SecondFactor,
            };
            prove_session(tx, &hash, strength, now)?;
            let web = self.web_in(tx, &hash, now)?;
            let draft = self.draft(&web.session, Action::LoginProve).object(user.id);
            self.log(tx, now, draft, None)?;
            Ok(Ok(web))
        })?;
        done.map_err(|error| self.refused_login(now, &user.login, Some(user.id), error))
    }

    /// Signs a browser out. A session that is over already is no error.
    pub fn sign_out(&self, key: &SessionKey) -> Result<()> {
        let (now, hash) = (self.clock.now(), key.hash());
        self.change(now, |tx| {
            if let Ok(web) = self.web_in(tx, &hash, now) {
                self.log(tx, now, self.draft(&web.session, Action::Logout), None)?;
            }
            Ok(tx.delete_web_session(&hash)?)
        })
    }

    /// Makes a link that signs a user in once, within fifteen minutes: for demonstrations.
    pub fn sign_in_link(&self, login: &str) -> Result<LinkToken> {
        let now = self.clock.now();
        self.change(now, |tx| {
            let (user, link) = make_link(tx, login, now, &*self.entropy)?;
            refuse_watched(tx, &user)?;
            let draft = Draft::new(EntryActor::system(), Action::LoginLink, self.request());
            self.log(tx, now, draft.object(user.id), None)?;
            Ok(link)
        })
    }

    /// Signs in by a link, which is used up.
    ///
    /// # Errors
    /// [`AuthError::Link`] when it is wrong, used or expired; which, is not said.
    pub fn open_link(&self, token: &str) -> Result<(SessionKey, WebSession)> {
        let now = self.clock.now();
        let opened = self.change(now, |tx| match take_link(tx, token, now) {
            Ok(user) => match self.begin(tx, &user, AuthStrength::Token, now)? {
                SignIn::In(key, web) => Ok(Ok((key, web))),
                _ => Err(AuthError::FourEyes.into()),
            },
            Err(AuthError::Store(error)) => Err(error.into()),
            Err(refused) => Ok(Err(refused)),
        })?;
        opened.map_err(|error| self.refused_login(now, "", None, error))
    }

    /// Begins a session and logs it; where only a second person opens it, it waits.
    pub(super) fn begin(
        &self,
        tx: &WriteTx<'_>,
        user: &UserRow,
        strength: AuthStrength,
        now: Now,
    ) -> Result<SignIn> {
        let key = begin_session(tx, user.no, strength, now, &*self.entropy)?;
        if watch_session(tx, user, &key.hash(), now)? {
            self.log_wait(tx, user, strength, now)?;
            return Ok(SignIn::Waits(key));
        }
        let web = self.web_in(tx, &key.hash(), now)?;
        self.log(tx, now, self.draft(&web.session, Action::Login), None)?;
        Ok(SignIn::In(key, web))
    }

    /// Logs that somebody was not let in, and gives the error to tell them. The login as typed stands
    /// in the payload; the user is named only where the password was right.
    pub(super) fn refused_login(
        &self,
        now: Now,
        login: &str,
        user: Option<UserId>,
        error: AuthError,
    ) -> AppError {
        let logged = self.change(now, |tx| {
            let mut actor = EntryActor::system();
            actor.auth_strength = AuthStrength::Host;
            let mut draft =
                Draft::new(actor, Action::Login, self.request()).result(Outcome::Refused);
            if matches!(error, AuthError::ProviderOnly) {
                draft.reason_code = Some("sso-only".to_owned());
            }
            if let Some(user) = user {
                draft = draft.object(user);
            }
            let typed: String = login.chars().take(TYPED_CHARS_MAX).collect();
            let payload = (!typed.is_empty()).then_some(typed.as_bytes());
            self.log(tx, now, draft, payload)
        });
        match logged {
            Ok(_) => error.into(),
            Err(failed) => failed,
        }
    }
}

/// What became of a second factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeVerdict {
    /// The user has none.
    None,
    /// The user has one and gave no code.
    Needed,
    /// The code is right and is used up.
    Right,
    /// It is wrong or was used.
    Wrong,
}

/// Whether a user is still what was read before the transaction.
pub(super) fn is_unchanged(tx: &WriteTx<'_>, user: &UserRow) -> Result<bool> {
    Ok(tx.user(user.no)?.as_ref() == Some(user))
}
