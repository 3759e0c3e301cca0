//! Grants: which conversations somebody sees.

use super::super::{AppError, Appliance, Result};
use super::Session;
use crate::audit::{Action, Appended};
use crate::auth::user_named;
use crate::domain::{AccountNo, ConversationId, ConversationNo, Right};
use crate::store::{GrantKind, Rows};

/// One thing that was granted, or walled off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grant {
    /// Every conversation that is not walled off.
    Everything,
    /// One conversation.
    Conversation(ConversationId),
    /// All conversations of an account of the company.
    Account(AccountNo),
    /// A wall: this conversation is not seen, whatever else is granted.
    Denied(ConversationId),
}

impl Grant {
    /// The grant in words, as lists and the log's payload have it.
    pub fn text(&self) -> String {
        match self {
            Grant::Everything => "everything".to_owned(),
            Grant::Conversation(id) => format!("conversation {id}"),
            Grant::Account(no) => format!("account {no}"),
            Grant::Denied(id) => format!("denied {id}"),
        }
    }
}

impl Appliance {
    /// What a user was granted.
    pub fn grants_of(&self, session: &Session, login: &str) -> Result<Vec<Grant>> {
        self.require(session, Right::ManageUsers, Action::UserGrant)?;
        let rows = self.archive.store().read()?;
        let user = user_named(&rows, login)?;
        let mut grants = Vec::new();
        for (kind, object) in rows.grants(user.no)? {
            let conversation = || -> Result<Option<ConversationId>> {
                Ok(rows.conversation(ConversationNo(object))?.map(|row| row.id))
            };
            grants.extend(match kind {
                GrantKind::Everything => Some(Grant::Everything),
                GrantKind::Account => Some(Grant::Account(AccountNo(object))),
                GrantKind::Conversation => conversation()?.map(Grant::Conversation),
                GrantKind::Denied => conversation()?.map(Grant::Denied),
            });
        }
        Ok(grants)
    }

    /// Puts grants in the place of all that a user was granted. It counts from the next request on.
    ///
    /// # Errors
    /// [`AppError::Usage`] when the user's role reads no message: a grant would promise what is never
    /// kept. [`AppError::NotFound`] for a conversation that is not there.
    pub fn set_grants(&self, session: &Session, login: &str, grants: &[Grant]) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserGrant)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let user = user_named(tx, login)?;
            if !grants.is_empty() && !user.role.may(Right::ReadContent) {
                return Err(AppError::Usage(format!(
                    "the role {} reads no message, so nothing can be granted to \"{login}\"",
                    user.role.name()
                )));
            }
            tx.delete_grants(user.no)?;
            for grant in grants {
                let (kind, object) = row_of(tx, grant)?;
                tx.insert_grant(user.no, kind, object)?;
            }
            let count = |kind| {
                let kept = tx.grants(user.no);
                kept.map(|kept| kept.iter().filter(|(of, _)| *of == kind).count() as u64)
            };
            let draft = self
                .draft(session, Action::UserGrant)
                .object(user.id)
                .count("everything", count(GrantKind::Everything)?)
                .count("conversations", count(GrantKind::Conversation)?)
                .count("accounts", count(GrantKind::Account)?)
                .count("denied", count(GrantKind::Denied)?);
            let texts: Vec<String> = grants.iter().map(Grant::text).collect();
            self.log(tx, now, draft, Some(texts.join("\n").as_bytes()))
        })
    }
}

fn row_of(rows: &Rows, grant: &Grant) -> Result<(GrantKind, u32)> {
    let conversation = |id: ConversationId| -> Result<u32> {
        let row = rows.conversation_by_id(id)?;
        Ok(row.ok_or_else(|| AppError::NotFound(id.to_string()))?.no.0)
    };
    Ok(match *grant {
        Grant::Everything => (GrantKind::Everything, 0),
        Grant::Account(no) => (GrantKind::Account, no.0),
        Grant::Conversation(id) => (GrantKind::Conversation, conversation(id)?),
        Grant::Denied(id) => (GrantKind::Denied, conversation(id)?),
    })
}
