//! The state of one reading, and what is checked about the whole query.

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use super::parsed::{LEAVES_MAX, ParseContext};
use crate::query::ast::{Expr, ExprKind, Query};
use crate::query::dates::local;
use crate::query::fields::Field;
use crate::query::problem::{Code, Problem, Severity, Span};
use crate::query::token::Token;

/// Around what the parser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    /// The query itself.
    Query,
    /// The parentheses of a text field.
    Text,
    /// The parentheses of another field: words are its values.
    Field(Field),
}

/// What the directives of the query say; each may stand once.
#[derive(Default)]
pub(super) struct Directives {
    pub(super) zone: Option<Tz>,
    pub(super) accent: Option<bool>,
    pub(super) strict: Option<bool>,
}

/// What a place of the grammar gave.
pub(super) enum Operand {
    Expr(Expr),
    /// A directive: no operand, but fine at the top level.
    Directive(Span),
    /// Reported already.
    Broken,
}

pub(super) struct Parser<'a> {
    pub(super) query: &'a str,
    pub(super) context: &'a ParseContext,
    /// The present in the zone of the query.
    pub(super) now: NaiveDateTime,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) problems: Vec<Problem>,
    pub(super) depth: usize,
    pub(super) leaves: usize,
    pub(super) inside: Inside,
    pub(super) directives: Directives,
    pub(super) uses_zone: bool,
}

impl<'a> Parser<'a> {
    pub(super) fn new(
        query: &'a str,
        context: &'a ParseContext,
        zone: Tz,
        tokens: Vec<Token>,
        problems: Vec<Problem>,
    ) -> Parser<'a> {
        Parser {
            query,
            context,
            now: local(context.now, zone),
            tokens,
            at: 0,
            problems,
            depth: 0,
            leaves: 0,
            inside: Inside::Query,
            directives: Directives::default(),
            uses_zone: false,
        }
    }
}

impl Parser<'_> {
    pub(super) fn whole(&mut self) -> Option<Query> {
        if self.tokens.is_empty() {
            self.report_empty(Span::new(0, self.query.len()), "the query is empty");
            return None;
        }
        let root = self.or();
        if self.leaves > LEAVES_MAX {
            let message = format!(
                "the query has {} parts; {LEAVES_MAX} are allowed",
                self.leaves
            );
            self.report(Problem::new(
                Code::Q002,
                Span::new(0, self.query.len()),
                message,
            ));
        }
        let root = match root {
            Operand::Expr(root) => root,
            Operand::Directive(span) => {
                self.report_empty(span, "the query says nothing but how to read it");
                return None;
            }
            Operand::Broken => return None,
        };
        self.check_anchors(&root, false);
        self.check_negative(&root);
        self.check_purpose(&root);
        let zone = self
            .directives
            .zone
            .or(self.uses_zone.then_some(self.context.zone));
        Some(Query {
            root,
            zone,
            accent_strict: self.directives.accent.unwrap_or(false),
            strict: self.directives.strict.unwrap_or(false),
        })
    }

    /// Q001, unless an error has emptied the query.
    fn report_empty(&mut self, span: Span, message: &str) {
        let failed = self
            .problems
            .iter()
            .any(|p| p.severity() == Severity::Error);
        if !failed {
            self.report(Problem::new(Code::Q001, span, message));
        }
    }

    pub(super) fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(super) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    pub(super) fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    pub(super) fn text(&self, span: Span) -> &str {
        self.query.get(span.start..span.end).unwrap_or("")
    }

    fn check_negative(&mut self, root: &Expr) {
        if is_negative(root) {
            let span = root.span;
            self.report(Problem::new(
                Code::N04,
                span,
                "this means everything except what it names; look at the count first",
            ));
        }
    }
}

/// Whether it only takes away.
fn is_negative(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Not(inner) => !is_negative(inner),
        ExprKind::And(parts) => parts.iter().all(is_negative),
        ExprKind::Or(parts) => parts.iter().any(is_negative),
        _ => false,
    }
}
