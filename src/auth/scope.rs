//! From role and grants to what may be seen and done.

use std::sync::Arc;

use super::{AuthError, Result};
use crate::audit::Action;
use crate::domain::{AccountNo, Actor, ApiScope, ApiScopes, ConversationNo, Right, Scope};
use crate::store::{GrantKind, Rows};

/// Checks that the actor's role carries the right to an act, and the token too, where a program acts.
pub fn require(actor: &Actor, right: Right, action: &Action) -> Result<()> {
    if !actor.role.may(right) {
        return Err(AuthError::Forbidden {
            role: actor.role.name(),
            needs: right,
        });
    }
    let Some(scopes) = actor.scopes else {
        return Ok(());
    };
    // To search and to read conversations is one right of people and two scopes of programs.
    let carried = match action {
        Action::ContentSearch => scopes.has(ApiScope::SearchRead),
        Action::ContentView => scopes.has(ApiScope::ConversationRead),
        _ => true,
    };
    match carried && actor.may(right) {
        true => Ok(()),
        false => Err(AuthError::Scope {
            needs: scope_for(right, action),
        }),
    }
}

/// The scope of tokens that lets a program do it.
fn scope_for(right: Right, action: &Action) -> Option<ApiScope> {
    if *action == Action::ContentView {
        return Some(ApiScope::ConversationRead);
    }
    let carries = |scope: &ApiScope| scope.rights().contains(&right);
    ApiScope::ALL.into_iter().find(carries)
}

/// Checks that a person acts and not a program: their own password, second factor and tokens are
/// changed by nobody else.
pub fn require_person(actor: &Actor) -> Result<()> {
    match actor.scopes {
        None => Ok(()),
        Some(_) => Err(AuthError::Scope { needs: None }),
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
    let sees = actor.scopes.is_none_or(ApiScopes::see_content);
    if !sees || !actor.role.may(Right::ReadContent) {
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
