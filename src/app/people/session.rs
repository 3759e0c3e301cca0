//! Somebody recognised, in a browser or by a token.

use super::super::{Appliance, Result};
use crate::audit::AuthStrength;
use crate::auth::{
    AuthError, FoundSession, SessionKey, actor_of, find_session, strength_of, token_of_hash,
};
use crate::crypto::{Digest, hex, hmac_sha256};
use crate::domain::{Actor, Now};
use crate::store::Rows;

/// Bytes of a session's hash that entries of the log name it by.
const NAMED_BYTES: usize = 6;

/// Somebody recognised, with how surely.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who.
    pub actor: Actor,
    /// How they were recognised.
    pub strength: AuthStrength,
    /// Whether they asked to see what a request for erasure restricted; their role must carry the
    /// right, and their entries say it.
    pub restricted: bool,
    /// Which log-in, as entries name it; log-ins of the command line have no name.
    pub(in crate::app) login: Option<String>,
    /// Hash of what they were recognised by.
    pub(in crate::app) by: Digest,
}

/// A browser that is signed in.
#[derive(Clone, Debug)]
pub struct WebSession {
    /// Who, for every use-case.
    pub session: Session,
    /// Their log-in name.
    pub login: String,
    /// What every form of this session carries: nobody else can know it.
    pub csrf: String,
    /// Whether the password was given in the last ten minutes: dangerous acts ask for it.
    pub stepped_up: bool,
    /// Whether this person has a second factor, so that a code is asked with the password.
    pub second_factor: bool,
}

/// What became of an attempt to sign in.
#[derive(Debug)]
pub enum SignIn {
    /// Signed in: the key for the cookie, and the session.
    In(SessionKey, WebSession),
    /// The password is right; the code of the second factor is still to be given.
    CodeNeeded,
    /// Recognised: the session of this key opens when a second person confirms it.
    Waits(SessionKey),
}

impl Session {
    /// Which log-in this is, as entries of the log name it; those of the command line have no name.
    pub fn login_name(&self) -> Option<&str> {
        self.login.as_deref()
    }
}

impl Appliance {
    /// The session of a key, as its user stands now. It ends thirty minutes after the last request and
    /// twelve hours after it began.
    ///
    /// # Errors
    /// [`AuthError::Session`] when it is unknown or over, whatever ended it.
    pub fn web_session(&self, key: &SessionKey) -> Result<WebSession> {
        let now = self.clock.now();
        let hash = key.hash();
        let (found, web) = {
            let rows = self.archive.store().read()?;
            let found = find_session(&rows, &hash, now)?;
            let web = self.web_of(&rows, &found)?;
            (found, web)
        };
        if found.is_due {
            self.change(now, |tx| match tx.touch_web_session(&hash, now)? {
                true => Ok(()),
                false => Err(AuthError::Session.into()),
            })?;
        }
        Ok(web)
    }

    /// Whether somebody recognised earlier still is, with the same rights: what ended or changed since
    /// counts at once. Nothing is touched.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn still_stands(&self, session: &Session) -> Result<bool> {
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let actor = match session.strength {
            AuthStrength::Token => token_of_hash(&rows, &session.by, now).map(|found| found.actor),
            _ => find_session(&rows, &session.by, now).map(|found| actor_of(&found.user)),
        };
        match actor {
            Ok(actor) => Ok(actor == session.actor),
            Err(AuthError::Store(error)) => Err(error.into()),
            Err(_) => Ok(false),
        }
    }

    /// What pages are told of a session.
    pub(super) fn web_of(&self, rows: &Rows, found: &FoundSession) -> Result<WebSession> {
        let hash = &found.row.hash;
        let key = self.archive.derived_key("form-token");
        Ok(WebSession {
            session: Session {
                actor: actor_of(&found.user),
                strength: strength_of(&found.row),
                restricted: false,
                login: Some(format!("web:{}", hex(&hash[..NAMED_BYTES]))),
                by: *hash,
            },
            login: found.user.login.clone(),
            csrf: hex(&hmac_sha256(key.expose(), &[hash])),
            stepped_up: found.stepped_up,
            second_factor: rows
                .second_factor(found.user.no)?
                .is_some_and(|factor| factor.in_use),
        })
    }

    /// The session of a hash that was written in this transaction.
    pub(super) fn web_in(&self, rows: &Rows, hash: &Digest, now: Now) -> Result<WebSession> {
        self.web_of(rows, &find_session(rows, hash, now)?)
    }
}
