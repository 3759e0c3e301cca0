//! From role and grants to what may be seen and done.

use super::{AuthError, Result};
use crate::domain::{AccountNo, Actor, ConversationNo, Right, Scope};
use crate::store::{GrantKind, Rows};

/// Checks that the actor's role carries a right.
pub fn require(actor: &Actor, right: Right) -> Result<()> {
    if actor.role.may(right) {
        Ok(())
    } else {
        Err(AuthError::Forbidden {
            role: actor.role.name(),
        })
    }
}

/// What the actor may see, from the grants as they are now.
pub fn scope_of(rows: &Rows, actor: &Actor) -> Result<Scope> {
    let mut scope = Scope::nothing();
    if !actor.role.may(Right::ReadContent) {
        return Ok(scope);
    }
    for (kind, object) in rows.grants(actor.no)? {
        match kind {
            GrantKind::Everything => scope.everything = true,
            GrantKind::Conversation => {
                scope.conversations.insert(ConversationNo(object));
            }
            GrantKind::Account => {
                scope.accounts.insert(AccountNo(object));
            }
            GrantKind::Denied => {
                scope.denied.insert(ConversationNo(object));
            }
        }
    }
    Ok(scope)
}
