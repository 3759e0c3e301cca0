//! Tokens of programs: shown once, kept as a hash, narrower than their owner, never for ever.

use super::super::govern::words;
use super::super::{AppError, Appliance, Result};
use super::Session;
use crate::audit::{Action, Appended};
use crate::auth::{self, AuthError, TOKEN_DAYS_MAX, Token, issue_api_token};
use crate::crypto::random_bytes;
use crate::domain::{ApiScope, ApiScopes, Timestamp, TokenId};
use crate::store::{ApiTokenPart, Rows, TokenRow};

/// Most tokens one person has.
pub const API_TOKENS_MAX: usize = 100;

/// A token as asked for.
#[derive(Clone, Debug)]
pub struct NewApiToken {
    /// What it is for, in the words of its owner.
    pub name: String,
    /// What it may do; each must fit the role of its owner.
    pub scopes: Vec<ApiScope>,
    /// Days until it ends, 1 to [`TOKEN_DAYS_MAX`].
    pub days: u32,
}

/// A token as its owner sees it: never the token itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiTokenLine {
    /// Its public id.
    pub id: TokenId,
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<ApiScope>,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// Last use, to the minute.
    pub last_used: Option<Timestamp>,
}

impl Appliance {
    /// Makes a token for a program of this person. It is in the answer and nowhere else.
    ///
    /// # Errors
    /// [`AuthError::ScopeTooWide`] for a scope to which the role has nothing to give;
    /// [`AuthError::Scope`] when a program asks.
    pub fn create_api_token(
        &self,
        session: &Session,
        new: &NewApiToken,
    ) -> Result<(Token, ApiTokenLine, Appended)> {
        self.require_own(session, &Action::TokenCreate)?;
        let name = words::name("the name of the token", &new.name)?;
        let scopes: ApiScopes = new.scopes.iter().copied().collect();
        check_new(new, scopes)?;
        let role = session.actor.role;
        if let Some(wide) = scopes.iter().find(|scope| !scope.fits(role)) {
            return Err(AuthError::ScopeTooWide {
                role: role.name(),
                scope: wide.name(),
            }
            .into());
        }
        let (now, owner) = (self.clock.now(), session.actor.no);
        self.change(now, |tx| {
            if let Some(user) = tx.user(owner)? {
                auth::refuse_watched(tx, &user)?;
            }
            if tx.api_tokens(owner)?.len() >= API_TOKENS_MAX {
                return Err(AppError::Conflict(format!(
                    "{API_TOKENS_MAX} tokens are the most; revoke one first"
                )));
            }
            let id = TokenId(u128::from_be_bytes(random_bytes(&*self.entropy)) >> 1);
            let part = ApiTokenPart {
                id,
                name_no: self.archive.seal_texts(tx, &[name])?,
                scopes: scopes.bits(),
            };
            let token = issue_api_token(tx, owner, now, new.days, part, &*self.entropy)?;
            let draft = self
                .draft(session, Action::TokenCreate)
                .object(id)
                .object(session.actor.id)
                .count("days", u64::from(new.days))
                .count("scopes", u64::from(scopes.bits()));
            let entry = self.log(tx, now, draft, Some(name.as_bytes()))?;
            let row = tx.token(&token.hash())?;
            let line = row.and_then(|row| self.line_of(tx, &row).transpose());
            let line = line.ok_or_else(|| AppError::NotFound(id.to_string()))??;
            Ok((token, line, entry))
        })
    }

    /// The tokens of this person's programs, eldest first; those that are over too.
    pub fn api_tokens(&self, session: &Session) -> Result<Vec<ApiTokenLine>> {
        let rows = self.archive.store().read()?;
        let mut lines = Vec::new();
        for row in rows.api_tokens(session.actor.no)? {
            lines.extend(self.line_of(&rows, &row)?);
        }
        Ok(lines)
    }

    /// Ends a token of this person's programs, at once.
    pub fn revoke_api_token(&self, session: &Session, id: TokenId) -> Result<Appended> {
        self.require_own(session, &Action::TokenRevoke)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let tokens = tx.api_tokens(session.actor.no)?;
            let row = tokens
                .iter()
                .find(|row| row.api.is_some_and(|api| api.id == id))
                .ok_or_else(|| AppError::NotFound(id.to_string()))?;
            tx.delete_token(row)?;
            let draft = self
                .draft(session, Action::TokenRevoke)
                .object(id)
                .object(session.actor.id);
            self.log(tx, now, draft, None)
        })
    }

    fn line_of(&self, rows: &Rows, row: &TokenRow) -> Result<Option<ApiTokenLine>> {
        let Some(api) = row.api else {
            return Ok(None);
        };
        let texts = self.archive.open_texts(rows, api.name_no)?;
        Ok(Some(ApiTokenLine {
            id: api.id,
            name: texts.into_iter().next().unwrap_or_default(),
            scopes: ApiScopes::from_bits(api.scopes).iter().collect(),
            created: row.created,
            expires: row.expires,
            last_used: row.used,
        }))
    }
}

fn check_new(new: &NewApiToken, scopes: ApiScopes) -> Result<()> {
    if scopes.is_empty() {
        return Err(AppError::Usage(
            "a token needs one scope at least, such as search:read".to_owned(),
        ));
    }
    match (1..=TOKEN_DAYS_MAX).contains(&new.days) {
        true => Ok(()),
        false => Err(AppError::Usage(format!(
            "a token lives 1 to {TOKEN_DAYS_MAX} days"
        ))),
    }
}
