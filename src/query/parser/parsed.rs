//! What is asked of the parser and what it answers.

use chrono_tz::Tz;

use super::reader::Parser;
use super::{repair, values};
use crate::domain::Timestamp;
use crate::query::ast::Query;
use crate::query::lexer::lex;
use crate::query::problem::{Code, Problem, REPAIRED_PROBLEMS_MAX, Severity, Span};

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
    for place in 0..parsed.problems.len() {
        let mut suggestions = std::mem::take(&mut parsed.problems[place].suggestions);
        if place >= REPAIRED_PROBLEMS_MAX {
            continue;
        }
        let code = parsed.problems[place].code;
        let known = counts(&parsed.problems, code);
        suggestions.retain(|suggestion| {
            let repaired = parse_once(&suggestion.apply(query), context);
            counts(&repaired.problems, code) < known
        });
        parsed.problems[place].suggestions = suggestions;
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
    let mut parser = Parser::new(query, context, zone, tokens, problems);
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
