//! A fixture of every problem the language itself raises: query, place, message, repairs.
//!
//! Format of `problems.txt`, blocks between blank lines:
//! `use: search|hold` (optional), `query: …`, then one `CODE start..end message` per problem, each
//! followed by `  -> repaired query` lines.

use wordkeep::query::{Code, ParseContext, Problem, Purpose, parse, render_carets, resolve};

use crate::corpus_gen::corpus;
use crate::{CONTEXT, RESOLVE};

const FIXTURE: &str = include_str!("../fixtures/query/problems.txt");

/// Codes raised by other rooms, which count hits, expand terms or translate.
const ELSEWHERE: &[Code] = &[
    Code::N05,
    Code::N09,
    Code::N10,
    Code::N12,
    Code::N13,
    Code::W10,
    Code::Q019,
    Code::Q021,
];

fn problems(query: &str, purpose: Purpose) -> Vec<Problem> {
    let context = ParseContext { purpose, ..CONTEXT };
    let parsed = parse(query, &context);
    let mut problems = parsed.problems;
    if let Some(ast) = &parsed.ast {
        problems.extend(resolve(ast, &corpus(1, 10), &RESOLVE).problems);
    }
    problems
}

/// A block of the fixture as the language answers today.
fn render(query: &str, purpose: Purpose) -> String {
    let mut out = String::new();
    if purpose == Purpose::HoldScope {
        out.push_str("use: hold\n");
    }
    out.push_str(&format!("query: {query}\n"));
    for problem in problems(query, purpose) {
        let (span, code) = (problem.span.utf16(query), problem.code);
        out.push_str(&format!(
            "{code} {}..{} {}\n",
            span.start, span.end, problem.message
        ));
        for suggestion in &problem.suggestions {
            out.push_str(&format!("  -> {}\n", suggestion.apply(query)));
        }
    }
    out
}

fn blocks() -> impl Iterator<Item = (&'static str, String, Purpose)> {
    FIXTURE
        .split("\n\n")
        .filter(|block| !block.trim().is_empty())
        .map(|block| {
            let (purpose, rest) = match block.trim_start().strip_prefix("use: hold\n") {
                Some(rest) => (Purpose::HoldScope, rest),
                None => (Purpose::Search, block.trim_start()),
            };
            let query = rest
                .lines()
                .next()
                .and_then(|line| line.strip_prefix("query: "));
            (block.trim(), query.unwrap_or_default().to_owned(), purpose)
        })
}

#[test]
fn every_problem_is_told_as_in_the_fixture() {
    for (block, query, purpose) in blocks() {
        assert_eq!(render(&query, purpose).trim(), block, "query: {query}");
    }
}

#[test]
fn every_code_of_the_language_has_a_fixture() {
    for code in Code::ALL.iter().filter(|code| !ELSEWHERE.contains(code)) {
        let found = FIXTURE
            .lines()
            .any(|line| line.starts_with(&format!("{code} ")));
        assert!(found, "no fixture of {code}");
    }
}

#[test]
fn every_repair_removes_its_problem() {
    for (_, query, purpose) in blocks() {
        let before = problems(&query, purpose);
        let count = |problems: &[Problem], code| problems.iter().filter(|p| p.code == code).count();
        for problem in &before {
            for suggestion in &problem.suggestions {
                let after = problems(&suggestion.apply(&query), purpose);
                let fewer = count(&after, problem.code) < count(&before, problem.code);
                assert!(fewer, "{query}: {suggestion:?}");
            }
        }
    }
}

#[test]
fn carets_stand_as_the_experience_page_shows_them() {
    let query = "(discount AND refund) w/10 invoice";
    let parsed = parse(query, &CONTEXT);
    assert_eq!(
        render_carets(query, &parsed.problems),
        "error[Q012]: proximity needs a word, phrase or OR group on both sides
  | (discount AND refund) w/10 invoice
  | ^^^^^^^^^^^^^^^^^^^^^
  = help: write  (discount w/10 invoice) AND (refund w/10 invoice),  or  w/10msg  for \"within 10 messages\"
"
    );
}

#[test]
fn the_fixture_holds_every_query_once() {
    let mut seen = std::collections::BTreeSet::new();
    for (_, query, purpose) in blocks() {
        assert!(
            seen.insert((query.clone(), purpose == Purpose::HoldScope)),
            "{query} stands twice"
        );
    }
    assert!(seen.len() >= 60);
}
