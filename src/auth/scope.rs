//! From role and grants to what may be seen and done.

use std::sync::Arc;

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

/// What the actor sees by ordinary means, from the grants as they are now: what a request for
/// erasure restricted is withheld.
pub fn scope_of(rows: &Rows, actor: &Actor) -> Result<Scope> {
    let mut scope = scope_with_restricted(rows, actor)?;
    scope.withheld = Arc::new(rows.withheld()?);
    Ok(scope)
}

/// What the actor may see, restricted messages too: only after asking for
/// [`Right::ReadRestricted`].
pub fn scope_with_restricted(rows: &Rows, actor: &Actor) -> Result<Scope> {
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
