//! Scopes of policies and holds: queries that are accepted only when they are clear, and kept in
//! the form in which names are ids and dates absolute.

use chrono_tz::Tz;

use super::error::{Result, RetentionError};
use crate::domain::Timestamp;
use crate::query::ast::{Expr, ExprKind, Query};
use crate::query::{
    Code, Directory, Node, ParseContext, Predicate, Problem, Purpose, ResolveContext, Resolved,
    Severity, parse, print, resolve,
};

/// What has to be at hand to evaluate a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    /// Nothing: it is everything.
    Nothing,
    /// The row of the message and of its conversation.
    Row,
    /// The opened words of the message.
    Words,
    /// Other messages of its conversation.
    Neighbours,
}

/// A scope, ready to be evaluated.
#[derive(Clone, Debug)]
pub struct Scope {
    /// The form that is kept: fully parenthesised, names as ids, dates absolute.
    pub canonical: String,
    /// The query itself.
    pub resolved: Resolved,
    /// What has to be at hand.
    pub needs: Needs,
}

/// What is asked of a new scope.
#[derive(Clone, Copy, Debug)]
pub struct ScopeContext<'a> {
    /// [`Purpose::HoldScope`] or [`Purpose::PolicyScope`]: both are strict.
    pub purpose: Purpose,
    /// Zone of its dates where it names none.
    pub zone: Tz,
    /// The present, for months without a year.
    pub now: Timestamp,
    /// Warnings the person accepted after reading them.
    pub accepted: &'a [Code],
}

impl Scope {
    /// Reads a new scope. Names are asked of `names`, which must know everybody: a scope is not
    /// narrowed by what its author may see.
    ///
    /// # Errors
    /// `ScopeRefused` with errors and with every warning that was not accepted;
    /// `ScopeUnanswerable` when nothing records what it asks.
    pub fn read(text: &str, names: &dyn Directory, context: &ScopeContext<'_>) -> Result<Scope> {
        let (zone, now) = (context.zone, context.now);
        let parsed = parse(
            text,
            &ParseContext {
                zone,
                now,
                strict: true,
                purpose: context.purpose,
            },
        );
        let refused = |problems: Vec<Problem>| RetentionError::ScopeRefused {
            text: text.to_owned(),
            problems,
        };
        let blocking: Vec<Problem> = parsed.blocking(context.accepted).cloned().collect();
        let Some(query) = parsed.ast.as_ref().filter(|_| blocking.is_empty()) else {
            return Err(refused(blocking));
        };
        let resolved = resolve(query, names, &ResolveContext { zone, now });
        let blocking: Vec<Problem> = resolved
            .problems
            .iter()
            .filter(|problem| {
                // A name that nobody has would make a scope that silently protects nothing.
                problem.code == Code::W03
                    || problem.severity() == Severity::Warning
                        && !context.accepted.contains(&problem.code)
            })
            .cloned()
            .collect();
        if !blocking.is_empty() {
            return Err(refused(blocking));
        }
        Scope::of(resolved)
    }

    /// Reads a scope that was accepted and kept. `what` names its owner in errors. A name that is
    /// no longer there is an error where `strict` (holds) and matches nothing elsewhere.
    ///
    /// # Errors
    /// `ScopeBroken` when it does not read as it did.
    pub fn stored(
        text: &str,
        names: &dyn Directory,
        context: &ScopeContext<'_>,
        what: &str,
        strict: bool,
    ) -> Result<Scope> {
        let (zone, now) = (context.zone, context.now);
        let broken = |reason: String| RetentionError::ScopeBroken {
            what: what.to_owned(),
            reason,
        };
        let parsed = parse(
            text,
            &ParseContext {
                zone,
                now,
                strict: false,
                purpose: context.purpose,
            },
        );
        let Some(query) = parsed.ast else {
            let first = parsed.problems.into_iter().next();
            return Err(broken(first.map_or_else(String::new, |one| one.message)));
        };
        let resolved = resolve(&query, names, &ResolveContext { zone, now });
        let unknown = resolved
            .problems
            .iter()
            .find(|problem| strict && problem.code == Code::W03);
        if let Some(problem) = unknown {
            return Err(broken(problem.message.clone()));
        }
        Scope::of(resolved)
    }

    fn of(resolved: Resolved) -> Result<Scope> {
        if let Some(field) = unanswerable(&resolved.root) {
            return Err(RetentionError::ScopeUnanswerable(field.to_owned()));
        }
        Ok(Scope {
            canonical: print(&resolved.absolute),
            needs: needs(&resolved.root),
            resolved,
        })
    }

    /// The scope of everything.
    ///
    /// # Errors
    /// None that can happen; the language reads its own `*`.
    pub fn everything() -> Result<Scope> {
        let context = ScopeContext {
            purpose: Purpose::PolicyScope,
            zone: Tz::UTC,
            now: Timestamp(0),
            accepted: &[],
        };
        Scope::read("*", &crate::query::NoDirectory, &context)
    }

    /// Whether everything in the scope `elder` surely is in this one too: it is the same, or it is
    /// everything, or it is the elder one OR more.
    pub fn surely_covers(&self, elder: &Scope) -> bool {
        let (new, old) = (&self.resolved.absolute, &elder.resolved.absolute);
        let same_reading = new.zone == old.zone && new.accent_strict == old.accent_strict;
        matches!(new.root.kind, ExprKind::Everything)
            || same_reading && (new.root == old.root || has_part(new, &old.root))
    }

    /// Whether both say the same.
    pub fn is_same(&self, other: &Scope) -> bool {
        self.canonical == other.canonical
    }

    /// Whether no fact that may change later decides: neither words (a later version may add
    /// some), nor flags of editing and deletion, nor neighbours. Only such scopes need no record
    /// of what they once matched.
    pub fn is_fixed(&self) -> bool {
        fixed(&self.resolved.root)
    }
}

/// Whether the root is an OR that has a part, or all alternatives of it.
fn has_part(query: &Query, part: &Expr) -> bool {
    let ExprKind::Or(parts) = &query.root.kind else {
        return false;
    };
    match &part.kind {
        ExprKind::Or(elder) => elder.iter().all(|one| parts.contains(one)),
        _ => parts.contains(part),
    }
}

/// The first field whose answers nobody records.
fn unanswerable(node: &Node) -> Option<&'static str> {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().find_map(unanswerable),
        Node::Not(inner) | Node::Whole(inner) => unanswerable(inner),
        Node::MessageProximity(near) => unanswerable(&near.left).or(unanswerable(&near.right)),
        Node::Group(group) => unanswerable(&group.body),
        Node::Fact(Predicate::Workspace(test)) => Some(test.field.name()),
        _ => None,
    }
}

fn needs(node: &Node) -> Needs {
    match node {
        Node::Everything => Needs::Nothing,
        Node::Nothing => Needs::Row,
        Node::And(parts) | Node::Or(parts) => parts.iter().map(needs).max().unwrap_or(Needs::Row),
        Node::Not(inner) | Node::Whole(inner) => needs(inner).max(Needs::Row),
        Node::Text(_) | Node::TextRegex(_) => Needs::Words,
        Node::MessageProximity(_) | Node::Group(_) => Needs::Neighbours,
        Node::Fact(predicate) if of_row(predicate) => Needs::Row,
        Node::Fact(_) => Needs::Words,
    }
}

/// Whether the row of the message and of its conversation answer it.
fn of_row(predicate: &Predicate) -> bool {
    is_immutable(predicate) || matches!(predicate, Predicate::Presence(_) | Predicate::Original)
}

/// Whether the answer never changes once a message was admitted.
fn is_immutable(predicate: &Predicate) -> bool {
    matches!(
        predicate,
        Predicate::Sender(_)
            | Predicate::AnySender
            | Predicate::Conversation(_)
            | Predicate::Sent(_)
            | Predicate::TimeOfDay { .. }
            | Predicate::Weekday { .. }
            | Predicate::App(_)
            | Predicate::ConversationKind(_)
            | Predicate::Import(_)
    )
}

fn fixed(node: &Node) -> bool {
    match node {
        Node::Everything | Node::Nothing => true,
        Node::And(parts) | Node::Or(parts) => parts.iter().all(fixed),
        Node::Not(inner) | Node::Whole(inner) => fixed(inner),
        Node::Fact(predicate) => is_immutable(predicate),
        Node::Text(_) | Node::TextRegex(_) | Node::MessageProximity(_) | Node::Group(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::NoDirectory;

    fn context(purpose: Purpose) -> ScopeContext<'static> {
        ScopeContext {
            purpose,
            zone: Tz::UTC,
            now: Timestamp(0),
            accepted: &[],
        }
    }

    fn scope(text: &str) -> Result<Scope> {
        Scope::read(text, &NoDirectory, &context(Purpose::PolicyScope))
    }

    #[test]
    fn a_scope_says_what_it_needs() {
        for (text, needs) in [
            ("*", Needs::Nothing),
            ("app:whatsapp", Needs::Row),
            ("NOT before:2020-01-01 AND is:edited", Needs::Row),
            ("app:slack OR invoice", Needs::Words),
            ("(invoice refund)@conversation", Needs::Neighbours),
        ] {
            assert_eq!(scope(text).unwrap().needs, needs, "{text}");
        }
    }

    #[test]
    fn what_is_unclear_or_unanswerable_is_refused() {
        for text in [
            "",
            "(",
            "older_than:90d",
            "from:Nobody",
            "hold:x",
            "is:held",
        ] {
            assert!(
                matches!(scope(text), Err(RetentionError::ScopeRefused { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn the_kept_form_reads_back_as_itself() {
        let context = context(Purpose::PolicyScope);
        for text in [
            "*",
            "app:slack OR invoice",
            "since:2020-01-01 AND NOT app:line",
        ] {
            let read = scope(text).unwrap();
            let kept = Scope::stored(&read.canonical, &NoDirectory, &context, "x", true).unwrap();
            assert_eq!(kept.canonical, read.canonical);
        }
        let gone = Scope::stored("from:per_1", &NoDirectory, &context, "hold 3", true);
        assert!(matches!(gone, Err(RetentionError::ScopeBroken { .. })));
        assert!(Scope::stored("from:per_1", &NoDirectory, &context, "policy 3", false).is_ok());
    }

    #[test]
    fn covering_is_claimed_only_where_it_is_sure() {
        let covers = |new: &str, old: &str| scope(new).unwrap().surely_covers(&scope(old).unwrap());
        assert!(covers("*", "app:slack") && covers("app:slack", "app:slack"));
        assert!(covers("app:slack OR invoice", "invoice"));
        assert!(covers("a OR b OR c", "c OR a"));
        assert!(!covers("app:slack", "*") && !covers("app:slack AND x", "app:slack"));
        assert!(!covers("app:slack accent:strict OR invoice", "invoice"));
    }

    #[test]
    fn scopes_are_the_same_by_what_they_say() {
        let same = |one: &str, other: &str| scope(one).unwrap().is_same(&scope(other).unwrap());
        assert!(same("app:slack invoice", "(app:slack  AND invoice)"));
        assert!(!same("app:slack", "app:line") && !same("app:slack", "*"));
    }

    #[test]
    fn only_what_never_changes_is_fixed() {
        for (text, fixed) in [
            ("app:slack AND NOT before:2020-01-01", true),
            ("is:edited", false),
            ("invoice", false),
            ("*", true),
        ] {
            assert_eq!(scope(text).unwrap().is_fixed(), fixed, "{text}");
        }
    }
}
