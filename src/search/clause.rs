//! Clauses: which one costs, and how much each finds when the whole finds nothing.

use super::error::Result;
use super::execute::Search;
use crate::domain::Timestamp;
use crate::index;
use crate::query::ast::{Distance, Expr, ExprKind, Pieces, Query, Unit, Word, WordForm};
use crate::query::{ResolveContext, Resolved, Span, print, resolve};

/// Most clauses counted for one query.
pub const CLAUSES_MAX: usize = 32;

/// Most other spellings offered for one word.
pub const SPELLINGS_MAX: usize = 5;
/// Other spellings that are counted before the best are chosen.
const SPELLINGS_COUNTED_MAX: usize = 24;
/// Shortest word for which other spellings are looked for, in characters.
const SPELLED_CHARACTERS_MIN: usize = 4;

/// What one clause finds alone, inside the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClauseCount {
    /// The clause in canonical form.
    pub text: String,
    /// Where it stands in the query as typed.
    pub span: Span,
    /// How many messages match it alone; `None` when that would take longer than the budget.
    pub count: Option<u64>,
    /// Words one edit away that do occur inside the scope, most hits first, when the clause is a
    /// word that does not.
    pub spellings: Vec<(String, u64)>,
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
        let count = self.count_of(part.clone())?;
        let spellings = match (count, &part.kind) {
            (Some(0), ExprKind::Word(word)) => self.spellings(word)?,
            _ => Vec::new(),
        };
        Ok(ClauseCount {
            text: text_of(part),
            span: part.span,
            count,
            spellings,
        })
    }

    /// Words of the scope one edit away.
    fn spellings(&self, word: &Word) -> Result<Vec<(String, u64)>> {
        let plain = word.form == WordForm::Plain && !word.pieces.has_wildcard();
        if !plain || word.pieces.text().chars().count() < SPELLED_CHARACTERS_MIN {
            return Ok(Vec::new());
        }
        let near = Word {
            form: WordForm::Fuzzy(1),
            ..word.clone()
        };
        let resolved = self.alone(ExprKind::Word(near).into());
        let scope = self.names.spelled_scope();
        let page = index::Page::first(index::Order::Newest, 0);
        let found = match self.index().search(&resolved, &scope, page) {
            Err(index::Error::TooManyExpansions { .. }) => return Ok(Vec::new()),
            found => found?,
        };
        let words = found.expansions.into_iter().flat_map(|(_, words)| words);
        let mut spellings = Vec::new();
        for word in words.take(SPELLINGS_COUNTED_MAX) {
            let spelled = Word {
                pieces: Pieces::literal(word.clone()),
                form: WordForm::Plain,
            };
            match self.count_of(ExprKind::Word(spelled).into())? {
                Some(count) if count > 0 => spellings.push((word, count)),
                _ => {}
            }
        }
        spellings.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        spellings.truncate(SPELLINGS_MAX);
        Ok(spellings)
    }

    /// What an expression finds alone; `None` when that asks too much.
    fn count_of(&self, root: Expr) -> Result<Option<u64>> {
        let resolved = self.alone(root);
        let search = Search {
            resolved: &resolved,
            ..*self
        };
        match search.count() {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.is_about_cost() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// An expression as a query of its own, with the directives of the whole.
    fn alone(&self, root: Expr) -> Resolved {
        let query = Query {
            root,
            ..self.resolved.absolute.clone()
        };
        // Every date is absolute by now, so that the present does not matter.
        let context = ResolveContext {
            zone: self.resolved.zone,
            now: Timestamp::default(),
        };
        resolve(&query, self.names, &context)
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
