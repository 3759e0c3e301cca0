//! Tokens to tree. The parser reports every error, not the first, and never fails: what it cannot
//! read is left out of the tree, and a tree with errors is not handed on.

mod fields;
mod group;
mod operands;
mod repair;
mod values;
mod words;

pub(crate) use values::{SIZE_UNITS, weekday_name};
pub(crate) use words::compile_text_regex;

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use super::ast::{Expr, ExprKind, Query};
use super::dates::local;
use super::fields::Field;
use super::lexer::lex;
use super::problem::{Code, Problem, REPAIRED_PROBLEMS_MAX, Severity, Span};
use super::token::Token;
use crate::domain::Timestamp;

/// Longest query, in characters.
pub const QUERY_CHARS_MAX: usize = 4_096;
/// Deepest nesting of parentheses, negations and proximity chains.
pub const NESTING_MAX: usize = 64;
/// Most words, phrases, regexes and fields of one query.
pub const LEAVES_MAX: usize = 1_024;

/// What the query is for: holds and policies allow less, and all but a search are strict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A search by hand, a saved search, an alert.
    Search,
    /// A row of a search-term report, or an export.
    Report,
    /// The scope of a legal hold.
    HoldScope,
    /// The scope of a retention policy.
    PolicyScope,
}

/// What the text alone does not say.
#[derive(Clone, Copy, Debug)]
pub struct ParseContext {
    /// The display zone, where the query states none.
    pub zone: Tz,
    /// The present: relative dates and months without year count from it.
    pub now: Timestamp,
    /// Strict mode on request.
    pub strict: bool,
    /// What the query is for.
    pub purpose: Purpose,
}

/// What came of a text.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The tree; `None` exactly when there is an error.
    pub ast: Option<Query>,
    /// Everything worth saying, in the order of the text.
    pub problems: Vec<Problem>,
    /// Whether warnings block (by purpose, request or `strict:true`).
    pub strict: bool,
}

impl Parsed {
    /// The problems that keep the query from running: errors, and in strict mode every warning
    /// that was not accepted or cannot be.
    pub fn blocking<'a>(&'a self, accepted: &'a [Code]) -> impl Iterator<Item = &'a Problem> {
        self.problems
            .iter()
            .filter(move |problem| match problem.severity() {
                Severity::Error => true,
                Severity::Warning => {
                    let waived = problem.code.may_be_accepted() && accepted.contains(&problem.code);
                    self.strict && !waived
                }
                Severity::Note => false,
            })
    }
}

/// Reads a query. Total: every text gives a tree or at least one error.
pub fn parse(query: &str, context: &ParseContext) -> Parsed {
    let mut parsed = parse_once(query, context);
    let counts = |problems: &[Problem], code| problems.iter().filter(|p| p.code == code).count();
    let before: Vec<Problem> = parsed.problems.clone();
    for (place, problem) in parsed.problems.iter_mut().enumerate() {
        let code = problem.code;
        let known = counts(&before, code);
        problem.suggestions.retain(|suggestion| {
            place < REPAIRED_PROBLEMS_MAX
                && counts(
                    &parse_once(&suggestion.apply(query), context).problems,
                    code,
                ) < known
        });
    }
    parsed
}

fn parse_once(query: &str, context: &ParseContext) -> Parsed {
    let strict = context.strict || context.purpose != Purpose::Search;
    let chars = query.chars().count();
    if chars > QUERY_CHARS_MAX {
        let message = format!("the query has {chars} characters; {QUERY_CHARS_MAX} are allowed");
        let start = query
            .char_indices()
            .nth(QUERY_CHARS_MAX)
            .map_or(0, |(at, _)| at);
        let problem = Problem::new(Code::Q002, Span::new(start, query.len()), message);
        return Parsed {
            ast: None,
            problems: vec![problem],
            strict,
        };
    }
    let (tokens, mut problems) = lex(query);
    let tokens = repair::repair(query, tokens, &mut problems);
    let zone = values::stated_zone(&tokens).unwrap_or(context.zone);
    let mut parser = Parser {
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
    };
    let ast = parser.whole();
    let mut problems = parser.problems;
    problems.sort_by_key(|problem| (problem.span, problem.code));
    problems.dedup();
    let failed = problems
        .iter()
        .any(|problem| problem.severity() == Severity::Error);
    if !failed && ast.is_none() {
        problems.push(Problem::new(
            Code::Q001,
            Span::new(0, query.len()),
            "the query is empty",
        ));
    }
    Parsed {
        strict: strict || ast.as_ref().is_some_and(|ast| ast.strict),
        ast: ast.filter(|_| !failed),
        problems,
    }
}

/// Around what the parser stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// The query itself.
    Query,
    /// The parentheses of a text field.
    Text,
    /// The parentheses of another field: words are its values.
    Field(Field),
}

#[derive(Default)]
struct Directives {
    zone: Option<Tz>,
    accent: Option<bool>,
    strict: Option<bool>,
}

/// What a place of the grammar gave.
enum Operand {
    Expr(Expr),
    /// A directive: no operand, but fine at the top level.
    Directive(Span),
    /// Reported already.
    Broken,
}

struct Parser<'a> {
    query: &'a str,
    context: &'a ParseContext,
    /// The present in the zone of the query.
    now: NaiveDateTime,
    tokens: Vec<Token>,
    at: usize,
    problems: Vec<Problem>,
    depth: usize,
    leaves: usize,
    inside: Inside,
    directives: Directives,
    uses_zone: bool,
}

impl Parser<'_> {
    fn whole(&mut self) -> Option<Query> {
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

    fn report(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn text(&self, span: Span) -> &str {
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
