//! The grammar from `or` down to one operand.

use super::{Inside, NESTING_MAX, Operand, Parser};
use crate::query::ast::{Distance, Expr, ExprKind, Lapse, LapseUnit, Proximity, Unit};
use crate::query::dates::read_lapse;
use crate::query::print::print_expr;
use crate::query::problem::{Code, Problem, Span, WRITE};
use crate::query::token::{RawProximity, RawUnit, TokenKind};

/// Largest distance in words.
const WORDS_MAX: u32 = 250;
/// Largest distance in messages.
const MESSAGES_MAX: u32 = 1_000;
/// Largest distance in time: 31 days.
const TIME_MAX_MINUTES: u32 = 31 * 24 * 60;
/// The silence that splits sessions where none is stated.
const WINDOW: Lapse = Lapse {
    count: 4,
    unit: LapseUnit::Hour,
};

impl Parser<'_> {
    pub(super) fn or(&mut self) -> Operand {
        let start = self.at;
        let mut branches = Vec::new();
        let mut mixed = false;
        let mut directives = Vec::new();
        let mut count = 0;
        loop {
            count += 1;
            match self.and(&mut directives) {
                Some((expr, is_group)) => {
                    mixed |= is_group;
                    branches.push(expr);
                }
                None if count > 1 || self.at_or() => self.lone_directive(&directives),
                None => {}
            }
            if !self.at_or() {
                break;
            }
            self.at += 1;
        }
        let span = self.span_since(start);
        if branches.len() < 2 {
            return match (branches.pop(), directives.last()) {
                (Some(expr), _) => Operand::Expr(expr),
                (None, Some(span)) => Operand::Directive(*span),
                (None, None) => Operand::Broken,
            };
        }
        if mixed {
            self.warn_mixed(&branches, span, &directives);
        }
        Operand::Expr(Expr {
            kind: ExprKind::Or(branches),
            span,
        })
    }

    fn at_or(&self) -> bool {
        self.peek().is_some_and(|token| token.kind == TokenKind::Or)
    }

    fn lone_directive(&mut self, directives: &[Span]) {
        if let Some(span) = directives.last() {
            self.report(Problem::new(
                Code::Q026,
                *span,
                "a directive holds for the whole query and cannot be one side of OR",
            ));
        }
    }

    fn span_since(&self, start: usize) -> Span {
        let first = self
            .tokens
            .get(start)
            .map_or(Span::default(), |token| token.span);
        let last = self
            .at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        last.map_or(first, |last| first.to(last.span))
    }

    /// W01: both readings, one click each.
    fn warn_mixed(&mut self, branches: &[Expr], span: Span, directives: &[Span]) {
        let mut suffix = String::new();
        for directive in directives {
            suffix.push_str(" AND ");
            suffix.push_str(self.text(*directive).trim());
        }
        let whole = |expr: Expr| {
            let text = print_expr(&expr);
            match (&expr.kind, suffix.is_empty()) {
                (ExprKind::Or(_), false) => format!("({text}){suffix}"),
                _ => format!("{text}{suffix}"),
            }
        };
        let as_read = whole(ExprKind::Or(branches.to_vec()).into());
        let other = whole(or_first(branches));
        self.report(
            Problem::new(
                Code::W01,
                span,
                "AND and OR are mixed without parentheses; AND was read as binding tighter",
            )
            .suggest("AND first, as read", span, as_read)
            .suggest("OR first", span, other),
        );
    }

    /// A sequence of operands joined by AND or blank; whether it has at least two.
    fn and(&mut self, directives: &mut Vec<Span>) -> Option<(Expr, bool)> {
        let start = self.at;
        let mut parts: Vec<Expr> = Vec::new();
        let mut blank: Option<Span> = None;
        let mut explicit = true;
        loop {
            match self.peek().map(|token| &token.kind) {
                None | Some(TokenKind::Close | TokenKind::Or) => break,
                Some(TokenKind::And) => {
                    self.at += 1;
                    explicit = true;
                    continue;
                }
                _ => {}
            }
            let before = self.at;
            let operand = self.prox();
            if self.at == before {
                // Nothing was read: a token that cannot begin an operand is passed over.
                self.at += 1;
            }
            match operand {
                Operand::Expr(expr) => {
                    if !explicit && !parts.is_empty() {
                        blank = Some(blank.unwrap_or(expr.span).to(expr.span));
                    }
                    parts.push(expr);
                }
                Operand::Directive(span) => directives.push(span),
                Operand::Broken => {}
            }
            explicit = false;
        }
        if let (Some(_), Inside::Field(field)) = (blank, self.inside) {
            self.blank_in_field(field, &parts);
        }
        let span = self.span_since(start);
        match parts.len() {
            0 => None,
            1 => parts.pop().map(|expr| (expr, false)),
            _ => Some((
                Expr {
                    kind: ExprKind::And(parts),
                    span,
                },
                true,
            )),
        }
    }

    fn prox(&mut self) -> Operand {
        let mut left = self.unary();
        let mut chain = 0;
        while let Some(token) = self.peek() {
            let TokenKind::Proximity(raw) = token.kind else {
                break;
            };
            let operator = token.span;
            self.at += 1;
            chain += 1;
            let right = self.unary();
            left = match (left, right) {
                (Operand::Expr(left), Operand::Expr(right)) if chain <= NESTING_MAX => {
                    self.proximity(left, raw, operator, right, chain)
                }
                (Operand::Directive(span), _) | (_, Operand::Directive(span)) => {
                    self.report(Problem::new(
                        Code::Q014,
                        span,
                        "a directive cannot be an operand of proximity",
                    ));
                    Operand::Broken
                }
                (Operand::Expr(_), Operand::Expr(right)) => {
                    self.too_deep(right.span);
                    Operand::Broken
                }
                _ => Operand::Broken,
            };
        }
        left
    }

    fn proximity(
        &mut self,
        left: Expr,
        raw: RawProximity,
        operator: Span,
        right: Expr,
        chain: usize,
    ) -> Operand {
        let span = left.span.to(right.span);
        let Some(distance) = self.distance(raw, operator, &left, &right) else {
            return Operand::Broken;
        };
        let expr = self.join(left, raw, distance, right, span, operator);
        if let (2.., Operand::Expr(expr)) = (chain, &expr) {
            let text = print_expr(expr);
            self.report(
                Problem::new(
                    Code::W04,
                    span,
                    "chained proximity is read from left to right",
                )
                .suggest("as read", span, text),
            );
        }
        expr
    }

    fn join(
        &mut self,
        left: Expr,
        raw: RawProximity,
        distance: Distance,
        right: Expr,
        span: Span,
        operator: Span,
    ) -> Operand {
        // Two operands in one text field are one expression of that field.
        let field = match (&left.kind, &right.kind) {
            (ExprKind::InText(a, _), ExprKind::InText(b, _)) if a == b => Some(*a),
            _ => None,
        };
        let joins_messages = distance.joins_messages();
        let (left, right) = match field {
            Some(_) if !joins_messages => (inner(left), inner(right)),
            _ => (left, right),
        };
        let proximity = Proximity {
            left: Box::new(left),
            right: Box::new(right),
            ordered: raw.ordered,
            negated: raw.negated,
            distance,
        };
        if !self.check_operands(&proximity, span, operator) {
            return Operand::Broken;
        }
        let near = Expr {
            kind: ExprKind::Proximity(proximity),
            span,
        };
        Operand::Expr(match field {
            Some(field) if !joins_messages => Expr {
                kind: ExprKind::InText(field, Box::new(near)),
                span,
            },
            _ => near,
        })
    }

    fn distance(
        &mut self,
        raw: RawProximity,
        span: Span,
        left: &Expr,
        right: &Expr,
    ) -> Option<Distance> {
        let lapse = |unit| Lapse {
            count: raw.count,
            unit,
        };
        let (distance, most, letters) = match raw.unit {
            RawUnit::Words => (Distance::Words(raw.count), WORDS_MAX, ""),
            RawUnit::Messages => (Distance::Messages(raw.count), MESSAGES_MAX, "msg"),
            RawUnit::Minutes => (
                Distance::Time(lapse(LapseUnit::Minute)),
                TIME_MAX_MINUTES,
                "min",
            ),
            RawUnit::Hours => (
                Distance::Time(lapse(LapseUnit::Hour)),
                TIME_MAX_MINUTES / 60,
                "h",
            ),
            RawUnit::Days => (
                Distance::Time(lapse(LapseUnit::Day)),
                TIME_MAX_MINUTES / 1_440,
                "d",
            ),
        };
        if (1..=most).contains(&raw.count) {
            return Some(distance);
        }
        let operator = match (raw.negated, raw.ordered) {
            (false, false) => "w/",
            (false, true) => "pre/",
            (true, false) => "not w/",
            (true, true) => "not pre/",
        };
        let nearest = raw.count.clamp(1, most);
        let both: Expr = ExprKind::And(vec![left.clone(), right.clone()]).into();
        let scope = if raw.count == 0 { "@message" } else { "@day" };
        let mut problem = Problem::new(
            Code::Q011,
            span,
            format!("a distance goes from 1 to {most}{letters}"),
        )
        .suggest(
            "the nearest allowed",
            span,
            format!("{operator}{nearest}{letters}"),
        );
        if !raw.negated && self.inside == Inside::Query {
            let whole = left.span.to(right.span);
            let label = if raw.count == 0 {
                "in one message"
            } else {
                "on one day"
            };
            problem = problem.suggest(label, whole, format!("({}){scope}", print_expr(&both)));
        }
        self.report(problem);
        None
    }

    fn too_deep(&mut self, span: Span) {
        if self
            .problems
            .iter()
            .all(|problem| problem.code != Code::Q003)
        {
            let message = format!("the query is nested deeper than {NESTING_MAX}");
            self.report(Problem::new(Code::Q003, span, message));
        }
    }

    fn unary(&mut self) -> Operand {
        let mut negations: Vec<Span> = Vec::new();
        while let Some(token) = self.peek()
            && matches!(token.kind, TokenKind::Not | TokenKind::Minus)
        {
            negations.push(token.span);
            self.at += 1;
        }
        if self.depth + negations.len() > NESTING_MAX {
            let span = negations.first().copied().unwrap_or_default();
            self.too_deep(span);
            negations.clear();
        }
        let operand = self.primary();
        match operand {
            Operand::Directive(span) if !negations.is_empty() => {
                self.report(Problem::new(
                    Code::Q026,
                    span,
                    "a directive cannot be negated",
                ));
                Operand::Broken
            }
            Operand::Expr(expr) => {
                let negate = |inner: Expr, operator: Span| Expr {
                    span: operator.to(inner.span),
                    kind: ExprKind::Not(Box::new(inner)),
                };
                Operand::Expr(negations.into_iter().rev().fold(expr, negate))
            }
            other => other,
        }
    }

    fn primary(&mut self) -> Operand {
        let Some(token) = self.next() else {
            return Operand::Broken;
        };
        let span = token.span;
        if let Inside::Field(field) = self.inside
            && matches!(
                token.kind,
                TokenKind::Word(_)
                    | TokenKind::Phrase(_)
                    | TokenKind::Regex(_)
                    | TokenKind::Anchor(_)
            )
        {
            self.leaves += 1;
            return self.value_in_group(field, span);
        }
        let kind = match token.kind {
            TokenKind::Open => return self.group(span),
            TokenKind::Field(field, value) => {
                self.leaves += 1;
                return self.field(field, value, span);
            }
            TokenKind::Word(word) => self.word(&word, span),
            TokenKind::Phrase(phrase) => self.phrase(&phrase, span),
            TokenKind::Regex(pattern) => self.term_regex(pattern, span),
            TokenKind::Anchor(anchor) => Some(ExprKind::Anchor(anchor)),
            // A scope after something that is no group: words in their own right.
            TokenKind::Scope { .. } => return Operand::Broken,
            TokenKind::Close
            | TokenKind::And
            | TokenKind::Or
            | TokenKind::Not
            | TokenKind::Minus
            | TokenKind::Proximity(_) => {
                self.at -= 1;
                return Operand::Broken;
            }
        };
        self.leaves += 1;
        match kind {
            Some(kind) => Operand::Expr(Expr { kind, span }),
            None => Operand::Broken,
        }
    }

    /// A group after its opening parenthesis, up to its scope.
    pub(super) fn group(&mut self, open: Span) -> Operand {
        if self.depth >= NESTING_MAX {
            self.too_deep(open);
            self.skip_group();
            return Operand::Broken;
        }
        self.depth += 1;
        let start = self.at;
        let inner = self.or();
        self.depth -= 1;
        let mut span = open.to(self.span_since(start));
        if let Some(close) = self.peek()
            && close.kind == TokenKind::Close
        {
            span = span.to(close.span);
            self.at += 1;
        }
        let scope = match self.peek().map(|token| (token.kind.clone(), token.span)) {
            Some((TokenKind::Scope { name, duration }, at)) => {
                self.at += 1;
                Some((self.unit(&name, duration.as_deref(), at), at))
            }
            _ => None,
        };
        match (inner, scope) {
            (Operand::Expr(inner), None) => Operand::Expr(Expr {
                kind: inner.kind,
                span,
            }),
            (Operand::Expr(inner), Some((Some(unit), at))) => {
                self.scoped(inner, unit, span.to(at), at)
            }
            (Operand::Directive(directive), None) => Operand::Directive(directive),
            _ => Operand::Broken,
        }
    }

    fn skip_group(&mut self) {
        let mut open = 1;
        while let Some(token) = self.next() {
            match token.kind {
                TokenKind::Open => open += 1,
                TokenKind::Close => open -= 1,
                _ => {}
            }
            if open == 0 {
                break;
            }
        }
    }

    fn unit(&mut self, name: &str, duration: Option<&str>, span: Span) -> Option<Unit> {
        let unit = match name.to_ascii_lowercase().as_str() {
            "message" => Unit::Message,
            "thread" => Unit::Thread,
            "day" => Unit::Day,
            "conversation" => Unit::Conversation,
            "window" => Unit::Window(WINDOW),
            _ => {
                let message = format!(
                    "\"@{name}\" is no scope; use @message, @thread, @window(4h), @day or @conversation"
                );
                self.report(Problem::new(Code::Q008, span, message).suggest("@day", span, "@day"));
                return None;
            }
        };
        let Some(duration) = duration else {
            return Some(unit);
        };
        let lapse = read_lapse(duration).filter(|lapse| {
            let minutes = lapse.micros() / LapseUnit::Minute.one().micros();
            (1..=i64::from(TIME_MAX_MINUTES)).contains(&minutes)
                && matches!(
                    lapse.unit,
                    LapseUnit::Minute | LapseUnit::Hour | LapseUnit::Day
                )
        });
        match (unit, lapse) {
            (Unit::Window(_), Some(lapse)) => Some(Unit::Window(lapse)),
            (Unit::Window(_), None) => {
                self.report(
                    Problem::new(
                        Code::Q011,
                        span,
                        "the silence of @window is a time such as 30min, 4h or 2d, at most 31d",
                    )
                    .suggest("four hours", span, "@window(4h)"),
                );
                None
            }
            _ => {
                self.report(
                    Problem::new(Code::Q008, span, format!("@{name} takes no duration")).suggest(
                        "without it",
                        span,
                        format!("@{name}"),
                    ),
                );
                None
            }
        }
    }

    fn scoped(&mut self, inner: Expr, unit: Unit, span: Span, scope: Span) -> Operand {
        match self.inside {
            Inside::Query => {}
            Inside::Text | Inside::Field(_) => {
                self.report(
                    Problem::new(
                        Code::Q016,
                        scope,
                        "a scope cannot stand inside the parentheses of a field",
                    )
                    .suggest("drop it", scope, ""),
                );
                return Operand::Broken;
            }
        }
        if !self.check_scope(&inner, span, scope) {
            return Operand::Broken;
        }
        self.uses_zone |= unit == Unit::Day;
        Operand::Expr(Expr {
            kind: ExprKind::Scoped(Box::new(inner), unit),
            span,
        })
    }

    /// Q008: blank-separated values, with both fixes.
    fn blank_in_field(&mut self, field: crate::query::fields::Field, parts: &[Expr]) {
        let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
            return;
        };
        let span = first.span.to(last.span);
        let words: Vec<String> = parts
            .iter()
            .map(|part| self.text(part.span).to_owned())
            .collect();
        let joined = words.join(" ").replace(['"', '\\'], "");
        let name = field.name();
        self.report(
            Problem::new(
                Code::Q008,
                span,
                format!(
                    "several values of {name}: need OR between them, or quotes around one name"
                ),
            )
            .suggest(WRITE, span, format!("\"{joined}\""))
            .suggest(WRITE, span, words.join(" OR ")),
        );
    }
}

impl LapseUnit {
    const fn one(self) -> Lapse {
        Lapse {
            count: 1,
            unit: self,
        }
    }
}

fn inner(expr: Expr) -> Expr {
    match expr.kind {
        ExprKind::InText(_, inner) => Expr {
            kind: inner.kind,
            span: expr.span,
        },
        _ => expr,
    }
}

/// The reading of mixed branches in which OR binds tighter: `a b OR c d` is `a (b OR c) d`.
fn or_first(branches: &[Expr]) -> Expr {
    let mut groups: Vec<Vec<Expr>> = vec![Vec::new()];
    for branch in branches {
        let parts = match &branch.kind {
            ExprKind::And(parts) => parts.clone(),
            _ => vec![branch.clone()],
        };
        for (place, part) in parts.into_iter().enumerate() {
            if place > 0 {
                groups.push(Vec::new());
            }
            if let Some(group) = groups.last_mut() {
                group.push(part);
            }
        }
    }
    let mut parts: Vec<Expr> = groups
        .into_iter()
        .filter_map(|mut group| match group.len() {
            0 | 1 => group.pop(),
            _ => Some(ExprKind::Or(group).into()),
        })
        .collect();
    match parts.len() {
        1 => parts.pop().unwrap_or(ExprKind::Everything.into()),
        _ => ExprKind::And(parts).into(),
    }
}
