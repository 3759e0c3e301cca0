//! Which rules somebody is shown who reads messages, and not all of them.
//!
//! A matter, a hold, a policy, a request or a list is shown when whoever asks made it, or when nothing of
//! it lies outside of what they see: neither its messages, nor names and words that it is written with.
//! What follows a query or a person reaches over the whole archive, and may at any time touch what is
//! hidden: only who wrote it sees it. Counts are of what they see. What is not shown is answered like what
//! is not there. Who reads no messages (the auditor), and who sees everything, is shown all rules.

use super::super::{AppError, Appliance, Result, Session};
use crate::auth;
use crate::domain::{
    Actor, ConversationId, ConversationNo, HoldScope, MatterNo, MessageNo, PolicyNo, Right, Scope,
    UserNo,
};
use crate::query::ast::{Expr, ExprKind, Value, Values};
use crate::query::{Field, ParseContext, Purpose, parse};
use crate::retention::PolicyWords;
use crate::store::{DispositionItemRow, EraseFate, HoldRow, MatterRow, RequestRow, Rows};

/// What somebody sees who does not see everything.
pub(in crate::app) struct Narrow {
    scope: Scope,
    own: UserNo,
}

impl Appliance {
    /// The sight by which the rules are shown; `None` to whoever is shown all of them. The grants of the
    /// person count, also where the token of a program reads no messages.
    pub(in crate::app) fn narrow(&self, rows: &Rows, session: &Session) -> Result<Option<Narrow>> {
        if !session.actor.role.may(Right::ReadContent) {
            return Ok(None);
        }
        let person = Actor {
            scopes: None,
            ..session.actor.clone()
        };
        let scope = auth::scope_of(rows, &person)?;
        if scope.sees_all() {
            return Ok(None);
        }
        Ok(Some(Narrow {
            scope: self.names()?.spell_out(&scope),
            own: session.actor.no,
        }))
    }

    /// Refuses whoever sees a part what can only be done or counted over the whole archive.
    pub(in crate::app) fn whole_archive(&self, session: &Session) -> Result<()> {
        match self.narrow(&*self.archive.store().read()?, session)? {
            None => Ok(()),
            Some(_) => Err(AppError::Blocked(
                "this goes over the whole archive, and you see a part of it; somebody who sees \
                 everything can do it"
                    .to_owned(),
            )),
        }
    }

    /// Whether a policy is shown. All its versions are words of somebody.
    pub(super) fn shows_policy(
        &self,
        rows: &Rows,
        narrow: Option<&Narrow>,
        no: PolicyNo,
    ) -> Result<bool> {
        let Some(narrow) = narrow else {
            return Ok(true);
        };
        let versions = rows.policy_versions()?.into_iter();
        let versions: Vec<_> = versions.filter(|row| row.version.id.no == no).collect();
        if versions.iter().any(|row| row.version.author == narrow.own) {
            return Ok(true);
        }
        for row in versions {
            let words = PolicyWords::from_texts(self.archive.open_texts(rows, row.text_no)?)?;
            let context = ParseContext {
                zone: row.version.zone,
                now: self.clock.now().wall,
                strict: false,
                purpose: Purpose::Search,
            };
            let read = parse(&words.scope, &context).ast;
            let mut conversations = Vec::new();
            if !read.is_some_and(|query| names_nothing(&query.root, &mut conversations)) {
                return Ok(false);
            }
            for id in conversations {
                let known = rows.conversation_by_id(id)?;
                if !known.is_some_and(|row| narrow.sees(row.no)) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

impl Narrow {
    /// What is inside.
    pub(super) fn scope(&self) -> Scope {
        self.scope.clone()
    }

    /// Whether a conversation is inside.
    pub(in crate::app) fn sees(&self, no: ConversationNo) -> bool {
        self.scope.allows(no, None)
    }

    /// Whether a message is inside; of one that is gone, whether its conversation was.
    pub(super) fn sees_message(&self, rows: &Rows, no: MessageNo) -> Result<bool> {
        if let Some(row) = rows.message(no)? {
            return Ok(self.sees(row.conversation));
        }
        Ok(match rows.erased_item(no)? {
            Some((_, item)) => match item.fate {
                EraseFate::Erased { conversation, .. } => self.sees(conversation),
                _ => false,
            },
            None => false,
        })
    }

    /// Whether a hold is shown.
    pub(super) fn shows_hold(&self, rows: &Rows, row: &HoldRow) -> Result<bool> {
        if row.hold.placed_by == self.own {
            return Ok(true);
        }
        Ok(match row.hold.scope {
            HoldScope::Conversation(no) => self.sees(no),
            HoldScope::Ids => {
                for item in rows.hold_items(row.hold.no)? {
                    if !self.sees_message(rows, item)? {
                        return Ok(false);
                    }
                }
                true
            }
            HoldScope::Query | HoldScope::Custodian(_) | HoldScope::Account(_) => false,
        })
    }

    /// Whether a matter is shown: their own, and one that a hold they see belongs to.
    pub(super) fn shows_matter(&self, rows: &Rows, row: &MatterRow) -> Result<bool> {
        Ok(row.opened_by == self.own || self.has_hold(rows, row.no)?)
    }

    fn has_hold(&self, rows: &Rows, matter: MatterNo) -> Result<bool> {
        for hold in rows.holds()? {
            if hold.hold.matter == matter && self.shows_hold(rows, &hold)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a request is shown. `who` are the people it names.
    pub(super) fn shows_request(&self, rows: &Rows, row: &RequestRow, who: &str) -> Result<bool> {
        if row.recorded_by == self.own {
            return Ok(true);
        }
        if !who.is_empty() {
            return Ok(false);
        }
        for item in rows.request_items(row.no)? {
            if !self.sees_message(rows, item.message)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a list of what is due is shown: when every message that was put on it is inside.
    pub(super) fn shows_list(&self, rows: &Rows, items: &[DispositionItemRow]) -> Result<bool> {
        for item in items {
            if !self.sees_message(rows, item.message)? {
                return Ok(false);
            }
        }
        Ok(!items.is_empty())
    }
}

/// Whether a scope is written without a person and without words of anybody: platforms, times, shapes, and
/// conversations by id, which are handed out.
fn names_nothing(expr: &Expr, conversations: &mut Vec<ConversationId>) -> bool {
    match &expr.kind {
        ExprKind::Everything => true,
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            parts.iter().all(|part| names_nothing(part, conversations))
        }
        ExprKind::Not(part) => names_nothing(part, conversations),
        ExprKind::Field(test) => match test.field {
            Field::App
            | Field::Type
            | Field::On
            | Field::Before
            | Field::After
            | Field::Since
            | Field::Until
            | Field::Date
            | Field::Has
            | Field::Is => true,
            Field::Conv => ids_of(&test.values).is_some_and(|ids| {
                conversations.extend(ids);
                true
            }),
            _ => false,
        },
        _ => false,
    }
}

/// The conversations a field names by id; `None` when it says anything else.
fn ids_of(values: &Values) -> Option<Vec<ConversationId>> {
    let Values::OneOf(values) = values else {
        return None;
    };
    let id = |value: &Value| match value {
        Value::Name(pieces) if !pieces.has_wildcard() => pieces.text().parse().ok(),
        _ => None,
    };
    values.iter().map(id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn named(scope: &str) -> Option<usize> {
        let context = ParseContext {
            zone: chrono_tz::Tz::UTC,
            now: Timestamp::from_seconds(1_700_000_000),
            strict: false,
            purpose: Purpose::Search,
        };
        let query = parse(scope, &context).ast.unwrap();
        let mut conversations = Vec::new();
        names_nothing(&query.root, &mut conversations).then_some(conversations.len())
    }

    #[test]
    fn m2_a_scope_with_names_or_words_is_told_from_one_without() {
        let id = "cnv_0123456789ABCDEFGHJKMNPQRS";
        assert_eq!(named("*"), Some(0));
        assert_eq!(named("app:whatsapp AND NOT date:2023"), Some(0));
        assert_eq!(named(&format!("conv:{id} AND has:attachment")), Some(1));
        for scope in [
            "Nordwind",
            "from:Ana",
            "in:Board",
            "app:whatsapp OR \"big deal\"",
            "/a.c/",
        ] {
            assert_eq!(named(scope), None, "{scope}");
        }
    }
}
