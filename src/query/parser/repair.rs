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
            problem = problem
                .suggest("close it at the end", Span::new(end, end), all)
                .suggest("drop it", token.span, "");
        }
        problems.push(problem);
    }
    for (count, place) in stray.iter().enumerate() {
        if let Some(token) = tokens.get(*place) {
            let problem = Problem::new(Code::Q006, token.span, "this parenthesis closes nothing");
            problems.push(match count < REPAIRED_PROBLEMS_MAX {
                true => problem.suggest("drop it", token.span, ""),
                false => problem,
            });
        }
    }
    remove(tokens, &stray);
    let last = Span::new(end, end);
    for _ in &open {
        tokens.push(Token {
            kind: TokenKind::Close,
            span: last,
        });
    }
}

/// Takes out the tokens at some places, in order, each with a scope right behind it.
fn remove(tokens: &mut Vec<Token>, places: &[usize]) {
    let mut places = places.iter().copied().peekable();
    let (mut place, mut behind_removed) = (0, false);
    tokens.retain(|token| {
        let scope = behind_removed && matches!(token.kind, TokenKind::Scope { .. });
        let listed = places.next_if_eq(&place).is_some();
        behind_removed = listed;
        place += 1;
        !listed && !scope
    });
}

/// Copies the tokens without the groups that hold nothing; a group that held only such groups goes
/// with them. One walk: what was copied last is what stands before.
fn remove_empty_groups(query: &str, tokens: &mut Vec<Token>, problems: &mut Vec<Problem>) {
    let mut found: Vec<Span> = Vec::new();
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = std::mem::take(tokens).into_iter().peekable();
    while let Some(token) = rest.next() {
        let opened = match kept.last() {
            Some(Token {
                kind: TokenKind::Open,
                span,
            }) if token.kind == TokenKind::Close => *span,
            _ => {
                kept.push(token);
                continue;
            }
        };
        kept.pop();
        let scope = rest.next_if(|next| matches!(next.kind, TokenKind::Scope { .. }));
        let end = scope.map_or(token.span.end, |scope| scope.span.end);
        if let Some(Token {
            kind: TokenKind::Field(_, value),
            ..
        }) = kept.last_mut()
        {
            *value = RawValue::Missing;
            continue;
        }
        let span = Span::new(opened.start, end.min(query.len()));
        // The groups within it are the last that were found.
        while found
            .pop_if(|inner| inner.start >= span.start && inner.end <= span.end)
            .is_some()
        {}
        found.push(span);
    }
    *tokens = kept;
    for (count, span) in found.into_iter().enumerate() {
        let problem = Problem::new(
            Code::Q007,
            span,
            "there is nothing between these parentheses",
        );
        problems.push(match count < REPAIRED_PROBLEMS_MAX {
            true => problem.suggest("drop them", span, ""),
            false => problem,
        });
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
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut run: Vec<Token> = Vec::new();
    let mut rest = std::mem::take(tokens).into_iter().peekable();
    while let Some(token) = rest.next() {
        if !is_operator(&token.kind) {
            kept.push(token);
            continue;
        }
        run.push(token);
        while let Some(next) = rest.next_if(|next| is_operator(&next.kind)) {
            run.push(next);
        }
        let has_left = kept
            .last()
            .is_some_and(|before| before.kind != TokenKind::Open);
        let has_right = rest
            .peek()
            .is_some_and(|after| after.kind != TokenKind::Close);
        let binary = |token: &Token| is_binary(&token.kind);
        let keep = usize::from(has_left && has_right && run.first().is_some_and(binary));
        let stray = match (has_right, run.iter().rposition(binary)) {
            (false, _) => 0..run.len(),
            (true, Some(last)) if last >= keep => keep..last + 1,
            (true, _) => 0..0,
        };
        if let (Some(first), Some(last)) =
            (run.get(stray.start), run.get(stray.end.wrapping_sub(1)))
            && !stray.is_empty()
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
        run.drain(stray);
        kept.append(&mut run);
    }
    *tokens = kept;
}
