//! Before the grammar: balances parentheses, removes empty groups and misplaced operators, and
//! reports each, so that what is left always parses.

use crate::query::problem::{Code, Problem, REPAIRED_PROBLEMS_MAX, Span};
use crate::query::token::{RawValue, Token, TokenKind};

/// The tokens put in order, with what was wrong.
pub(super) fn repair(
    query: &str,
    mut tokens: Vec<Token>,
    problems: &mut Vec<Problem>,
) -> Vec<Token> {
    balance(query, &mut tokens, problems);
    remove_empty_groups(query, &mut tokens, problems);
    remove_stray_operators(&mut tokens, problems);
    tokens
}

fn balance(query: &str, tokens: &mut Vec<Token>, problems: &mut Vec<Problem>) {
    let mut open: Vec<usize> = Vec::new();
    let mut stray: Vec<usize> = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => open.push(place),
            TokenKind::Close if open.pop().is_none() => stray.push(place),
            _ => {}
        }
    }
    let end = query.len();
    let closers = ")".repeat(open.len());
    // A lone backslash at the end would take the parenthesis for a letter.
    let guard = if query.ends_with('\\') { "\\" } else { "" };
    for (count, place) in open.iter().enumerate() {
        let Some(token) = tokens.get(*place) else {
            continue;
        };
        let mut problem = Problem::new(Code::Q006, token.span, "this parenthesis is never closed");
        if count < REPAIRED_PROBLEMS_MAX {
            let all = format!("{guard}{closers}");
            problem = problem.suggest("close it at the end", Span::new(end, end), all);
        }
        problems.push(problem.suggest("drop it", token.span, ""));
    }
    for place in &stray {
        if let Some(token) = tokens.get(*place) {
            problems.push(
                Problem::new(Code::Q006, token.span, "this parenthesis closes nothing")
                    .suggest("drop it", token.span, ""),
            );
        }
    }
    for place in stray.into_iter().rev() {
        tokens.remove(place);
        if matches!(
            tokens.get(place),
            Some(Token {
                kind: TokenKind::Scope { .. },
                ..
            })
        ) {
            tokens.remove(place);
        }
    }
    let last = Span::new(end, end);
    for _ in &open {
        tokens.push(Token {
            kind: TokenKind::Close,
            span: last,
        });
    }
}

fn is(tokens: &[Token], place: usize, wanted: impl Fn(&TokenKind) -> bool) -> bool {
    tokens.get(place).is_some_and(|token| wanted(&token.kind))
}

/// Tokens from an `Open` to behind its empty group, if the group is empty.
fn empty_group(tokens: &[Token], open: usize) -> Option<usize> {
    let closes = |kind: &TokenKind| matches!(kind, TokenKind::Close);
    if !is(tokens, open, |kind| matches!(kind, TokenKind::Open)) || !is(tokens, open + 1, closes) {
        return None;
    }
    let scoped = is(tokens, open + 2, |kind| {
        matches!(kind, TokenKind::Scope { .. })
    });
    Some(open + 2 + usize::from(scoped))
}

fn remove_empty_groups(query: &str, tokens: &mut Vec<Token>, problems: &mut Vec<Problem>) {
    let mut place = 0;
    let mut found: Vec<Span> = Vec::new();
    while place < tokens.len() {
        let Some(after) = empty_group(tokens, place) else {
            place += 1;
            continue;
        };
        let start = tokens.get(place).map_or(0, |token| token.span.start);
        let end = tokens.get(after - 1).map_or(start, |token| token.span.end);
        tokens.drain(place..after);
        match place
            .checked_sub(1)
            .and_then(|before| tokens.get_mut(before))
        {
            Some(Token {
                kind: TokenKind::Field(_, value),
                ..
            }) => *value = RawValue::Missing,
            _ => {
                let span = Span::new(start, end.min(query.len()));
                found.retain(|inner| inner.start < span.start || inner.end > span.end);
                found.push(span);
                // The group around it may be empty now.
                place = place.saturating_sub(1);
            }
        }
    }
    for span in found {
        problems.push(
            Problem::new(
                Code::Q007,
                span,
                "there is nothing between these parentheses",
            )
            .suggest("drop them", span, ""),
        );
    }
}

fn is_binary(kind: &TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::And | TokenKind::Or | TokenKind::Proximity(_)
    )
}

fn is_operator(kind: &TokenKind) -> bool {
    is_binary(kind) || matches!(kind, TokenKind::Not | TokenKind::Minus)
}

/// A run of operators stands between two operands: at most one binary operator in front, then
/// negations. Everything else is dropped.
fn remove_stray_operators(tokens: &mut Vec<Token>, problems: &mut Vec<Problem>) {
    let mut place = 0;
    while place < tokens.len() {
        if !is(tokens, place, is_operator) {
            place += 1;
            continue;
        }
        let mut end = place;
        while is(tokens, end, is_operator) {
            end += 1;
        }
        let has_left = place > 0 && !is(tokens, place - 1, |kind| matches!(kind, TokenKind::Open));
        let has_right =
            end < tokens.len() && !is(tokens, end, |kind| matches!(kind, TokenKind::Close));
        let keep = usize::from(has_left && has_right && is(tokens, place, is_binary));
        let last_binary = (place..end).rev().find(|at| is(tokens, *at, is_binary));
        let stray = match (has_right, last_binary) {
            (false, _) => place..end,
            (true, Some(last)) if last >= place + keep => place + keep..last + 1,
            (true, _) => end..end,
        };
        if let (Some(first), Some(last)) = (
            tokens.get(stray.start),
            tokens.get(stray.end.wrapping_sub(1)),
        ) && !stray.is_empty()
        {
            let span = first.span.to(last.span);
            let message = if !has_right {
                "this operator has nothing after it"
            } else if !has_left {
                "this operator has nothing before it"
            } else {
                "this operator follows another one"
            };
            problems.push(Problem::new(Code::Q007, span, message).suggest("drop it", span, ""));
        }
        let removed = stray.len();
        tokens.drain(stray);
        place = (end - removed).max(place + usize::from(removed == 0));
    }
}
