//! Tokens: log-ins of the command line.

use super::super::{Appliance, Result};
use super::Session;
use super::sign_in::{CodeVerdict, is_unchanged};
use crate::audit::{Action, AuthStrength};
use crate::auth::{self, AuthError, Token, actor_of, find_token};

impl Appliance {
    /// Recognises the owner of a token.
    pub fn session_of_token(&self, token: &Token) -> Result<Session> {
        let now = self.clock.now();
        let found = find_token(&*self.archive.store().read()?, token, now)?;
        if found.is_due {
            self.change(now, |tx| {
                Ok(tx.touch_token(&found.row.hash, now.compliance)?)
            })?;
        }
        Ok(Session {
            actor: found.actor,
            strength: AuthStrength::Token,
            restricted: false,
            login: found.row.api.map(|api| api.id.to_string()),
            by: found.row.hash,
        })
    }

    /// Logs in and issues a token for `days`. Refused log-ins are logged too.
    pub fn log_in(&self, login: &str, password: &str, days: u32) -> Result<(Session, Token)> {
        self.log_in_with(login, password, None, days)
    }

    /// Like [`Appliance::log_in`], with the code of a second factor.
    ///
    /// # Errors
    /// [`AuthError::CodeMissing`] when the user has one and gave no code, [`AuthError::Code`] when it is
    /// wrong or used.
    pub fn log_in_with(
        &self,
        login: &str,
        password: &str,
        code: Option<&str>,
        days: u32,
    ) -> Result<(Session, Token)> {
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
        let done = self.change(now, |tx| {
            if !is_unchanged(tx, &user)? {
                return Err(AuthError::Refused.into());
            }
            let strength = match self.check_code(tx, &user, code, now)? {
                CodeVerdict::Needed => return Err(AuthError::CodeMissing.into()),
                CodeVerdict::Wrong => return Ok(Err(AuthError::Code)),
                CodeVerdict::None => AuthStrength::Password,
                CodeVerdict::Right => AuthStrength::SecondFactor,
            };
            // A token would let them in without the second person from then on.
            if let Err(AuthError::FourEyes) = auth::refuse_watched(tx, &user) {
                return Ok(Err(AuthError::FourEyes));
            }
            let token = auth::issue_token(tx, user.no, now, days, &*self.entropy)?;
            let session = Session {
                actor: actor_of(&user),
                strength,
                restricted: false,
                login: None,
                by: token.hash(),
            };
            self.log(tx, now, self.draft(&session, Action::Login), None)?;
            Ok(Ok((session, token)))
        })?;
        done.map_err(|error| self.refused_login(now, login, Some(user.id), error))
    }
}
