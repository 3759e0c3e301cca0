//! Clauses: which one costs, and how much each finds when the whole finds nothing.

use super::error::Result;
use super::execute::Search;
use crate::domain::Timestamp;
use crate::query::ast::{Distance, Expr, ExprKind, Query, Unit};
use crate::query::{ResolveContext, Span, print, resolve};

/// Most clauses counted for one query.
pub const CLAUSES_MAX: usize = 32;

/// What one clause finds alone, inside the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseCount {
    /// The clause in canonical form.
    pub text: String,
    /// Where it stands in the query as typed.
    pub span: Span,
    /// How many messages match it alone; `None` when that would take longer than the budget.
    pub count: Option<u64>,
}

impl Search<'_> {
    /// What each clause of the query finds alone: the table under an answer without hits. Clauses
    /// are the parts of the outermost `AND` or `OR`, the first [`CLAUSES_MAX`] of them.
    ///
    /// # Errors
    /// As [`Search::page`], time apart: a clause that takes too long has no count.
    pub fn clauses(&self) -> Result<Vec<ClauseCount>> {
        let query = &self.resolved.absolute;
        let parts = match &query.root.kind {
            ExprKind::And(parts) | ExprKind::Or(parts) => parts.as_slice(),
            _ => std::slice::from_ref(&query.root),
        };
        parts
            .iter()
            .take(CLAUSES_MAX)
            .map(|part| self.clause(part))
            .collect()
    }

    fn clause(&self, part: &Expr) -> Result<ClauseCount> {
        let alone = Query {
            root: part.clone(),
            ..self.resolved.absolute.clone()
        };
        // Every date is absolute by now, so that the present does not matter.
        let context = ResolveContext {
            zone: self.resolved.zone,
            now: Timestamp::default(),
        };
        let resolved = resolve(&alone, self.names, &context);
        let search = Search {
            resolved: &resolved,
            ..*self
        };
        let count = match search.count() {
            Ok(count) => Some(count),
            Err(error) if error.is_about_cost() => None,
            Err(error) => return Err(error),
        };
        Ok(ClauseCount {
            text: text_of(part),
            span: part.span,
            count,
        })
    }
}

/// The clause without its directives.
fn text_of(part: &Expr) -> String {
    print(&Query {
        root: part.clone(),
        zone: None,
        accent_strict: false,
        strict: false,
    })
}

/// The clause that makes a query open messages, in canonical form; the whole query when no single
/// one does.
pub(super) fn costly(query: &Query) -> String {
    let mut found: Option<(u8, &Expr)> = None;
    visit(&query.root, &mut found);
    match found {
        Some((_, clause)) => text_of(clause),
        None => text_of(&query.root),
    }
}

/// How much a clause costs beside its neighbours; 0 for what the index answers.
fn weight(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Scoped(_, unit) if *unit != Unit::Message => 3,
        ExprKind::Proximity(near) if !matches!(near.distance, Distance::Words(_)) => 2,
        ExprKind::TextRegex(..) => 1,
        _ => 0,
    }
}

fn visit<'a>(expr: &'a Expr, found: &mut Option<(u8, &'a Expr)>) {
    let weight = weight(expr);
    if weight > found.map_or(0, |(most, _)| most) {
        *found = Some((weight, expr));
    }
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            for part in parts {
                visit(part, found);
            }
        }
        ExprKind::Not(inner) | ExprKind::Scoped(inner, _) | ExprKind::InText(_, inner) => {
            visit(inner, found);
        }
        ExprKind::Proximity(near) => {
            visit(&near.left, found);
            visit(&near.right, found);
        }
        _ => {}
    }
}
