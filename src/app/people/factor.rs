//! Second factors: offered, confirmed, asked for, removed.

use super::super::{AppError, Appliance, Result};
use super::Session;
use super::sign_in::CodeVerdict;
use crate::archive::ArchiveError;
use crate::audit::{Action, Appended};
use crate::auth::{self, AuthError};
use crate::crypto::TotpSecret;
use crate::domain::Now;
use crate::store::{Rows, SecondFactorRow, UserRow, WriteTx};

/// Who issues the codes, as the program of the person shows it.
const ISSUER: &str = "Wordkeep";

/// What an authenticator program is told. Debug output hides it.
pub struct TotpOffer {
    /// The secret as people type it.
    pub secret_base32: String,
    /// The same as a link for the program (`otpauth:`), usually shown as a picture.
    pub uri: String,
}

impl std::fmt::Debug for TotpOffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpOffer(***)")
    }
}

impl Appliance {
    /// Offers the person a second factor; nothing is asked for before they confirm it.
    ///
    /// # Errors
    /// [`AppError::Conflict`] when they have one in use.
    pub fn begin_totp(&self, session: &Session) -> Result<TotpOffer> {
        self.require_own(session, &Action::FactorAdd)?;
        let now = self.clock.now();
        let user = session.actor.no;
        let secret = TotpSecret::random(&*self.entropy);
        let text = secret.base32();
        let login = self.change(now, |tx| {
            if let Some(elder) = tx.second_factor(user)? {
                if elder.in_use {
                    return Err(AppError::Conflict(
                        "a second factor is in use already: remove it first".to_owned(),
                    ));
                }
                tx.delete_second_factor(user)?;
            }
            let secret_no = self.archive.seal_texts(tx, &[text.as_str()])?;
            tx.put_second_factor(&SecondFactorRow {
                user,
                secret_no,
                in_use: false,
                last_step: 0,
                wrong: 0,
                wrong_since: 0,
            })?;
            let row = tx.user(user)?.ok_or(AuthError::Session)?;
            Ok(row.login)
        })?;
        // A login has no character but "@" that means something in a link.
        let login = login.replace('@', "%40");
        let uri = format!(
            "otpauth://totp/{ISSUER}:{login}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits=6&period=30",
            text.as_str()
        );
        Ok(TotpOffer {
            secret_base32: text.as_str().to_owned(),
            uri,
        })
    }

    /// Takes the offered second factor into use, when the code proves that the person has it. The
    /// recovery codes are shown once; each stands in for one code.
    ///
    /// # Errors
    /// [`AuthError::Code`] when the code is wrong; [`AppError::Conflict`] when nothing was offered.
    pub fn confirm_totp(&self, session: &Session, code: &str) -> Result<(Vec<String>, Appended)> {
        self.require_own(session, &Action::FactorAdd)?;
        let (now, user) = (self.clock.now(), session.actor.no);
        self.change(now, |tx| {
            let offered = tx.second_factor(user)?.filter(|row| !row.in_use);
            let row = offered.ok_or_else(|| {
                AppError::Conflict("no second factor was offered: begin again".to_owned())
            })?;
            let secret = self.totp_secret(tx, &row)?;
            let codes = auth::confirm_factor(tx, row, &secret, code, now, &*self.entropy)?
                .ok_or(AuthError::Code)?;
            let draft = self
                .draft(session, Action::FactorAdd)
                .object(session.actor.id);
            Ok((codes, self.log(tx, now, draft, None)?))
        })
    }

    /// Takes the second factor away from the person who has it, against a code of it.
    ///
    /// # Errors
    /// [`AuthError::Code`] when the code is wrong; [`AppError::Conflict`] when there is none.
    pub fn remove_totp(&self, session: &Session, code: &str) -> Result<Appended> {
        self.require_own(session, &Action::FactorRemove)?;
        let (now, user) = (self.clock.now(), session.actor.no);
        let removed = self.change(now, |tx| {
            let row = tx.user(user)?.ok_or(AuthError::Session)?;
            match self.check_code(tx, &row, Some(code), now)? {
                CodeVerdict::None => Err(AppError::Conflict(
                    "there is no second factor to remove".to_owned(),
                )),
                CodeVerdict::Needed | CodeVerdict::Wrong => Ok(Err(row.login)),
                CodeVerdict::Right => {
                    tx.delete_second_factor(user)?;
                    let draft = self
                        .draft(session, Action::FactorRemove)
                        .object(session.actor.id);
                    Ok(Ok(self.log(tx, now, draft, None)?))
                }
            }
        })?;
        let id = session.actor.id;
        removed.map_err(|login| self.refused_login(now, &login, Some(id), AuthError::Code))
    }

    /// Recovery codes the person has left; `None` without a second factor.
    pub fn recovery_codes_left(&self, session: &Session) -> Result<Option<u32>> {
        let rows = self.archive.store().read()?;
        let user = session.actor.no;
        match rows.second_factor(user)?.is_some_and(|row| row.in_use) {
            true => Ok(Some(rows.recovery_codes(user)?)),
            false => Ok(None),
        }
    }

    /// Checks and uses up the code of a user, if they have a second factor. The caller commits
    /// whatever this says: wrong codes are counted.
    pub(super) fn check_code(
        &self,
        tx: &WriteTx<'_>,
        user: &UserRow,
        code: Option<&str>,
        now: Now,
    ) -> Result<CodeVerdict> {
        let Some(row) = tx.second_factor(user.no)?.filter(|row| row.in_use) else {
            return Ok(CodeVerdict::None);
        };
        let Some(code) = code else {
            return Ok(CodeVerdict::Needed);
        };
        let secret = self.totp_secret(tx, &row)?;
        match auth::take_code(tx, row, &secret, code, now)? {
            true => Ok(CodeVerdict::Right),
            false => Ok(CodeVerdict::Wrong),
        }
    }

    fn totp_secret(&self, rows: &Rows, row: &SecondFactorRow) -> Result<TotpSecret> {
        let texts = self.archive.open_texts(rows, row.secret_no)?;
        let secret = texts.first().and_then(|text| TotpSecret::from_base32(text));
        Ok(secret.ok_or(ArchiveError::Malformed("secret of a second factor"))?)
    }
}
