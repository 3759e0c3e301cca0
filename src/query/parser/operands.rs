//! What may stand beside a proximity operator, inside a scope, and in holds and policies.

use super::{Inside, Parser, Purpose};
use crate::query::ast::{Distance, Expr, ExprKind, Proximity, Unit, Value, Values, WordForm};
use crate::query::fields::{Class, Field, ValueKind};
use crate::query::print::print_expr;
use crate::query::problem::{Code, Problem, Span, WRITE};
use crate::query::resolve::absolute_field;

impl Parser<'_> {
    /// Checks both operands; reports the first that is not allowed.
    pub(super) fn check_operands(&mut self, near: &Proximity, span: Span, operator: Span) -> bool {
        if near.distance.joins_messages() {
            return self.check_message_operands(near, span);
        }
        let both_near = is_near(&near.left) && is_near(&near.right);
        for operand in [&near.left, &near.right] {
            let problem = match fault(operand, both_near) {
                None => continue,
                Some(fault) => self.operand_problem(fault, operand, near, span, operator),
            };
            self.report(problem);
            return false;
        }
        true
    }

    fn operand_problem(
        &self,
        fault: Fault,
        operand: &Expr,
        near: &Proximity,
        span: Span,
        operator: Span,
    ) -> Problem {
        let over_messages = |problem: Problem| {
            let Distance::Words(count) = near.distance else {
                return problem;
            };
            if self.inside != Inside::Query {
                return problem;
            }
            let sign = sign(near);
            let plural = if count == 1 { "" } else { "s" };
            problem.suggest(
                format!("within {count} message{plural}"),
                operator,
                format!("{sign}{count}msg"),
            )
        };
        match fault {
            Fault::And => {
                let problem = Problem::new(
                    Code::Q012,
                    operand.span,
                    "proximity needs a word, phrase or OR group on both sides",
                );
                over_messages(problem.suggest(WRITE, span, print_expr(&distribute(near))))
            }
            Fault::Not => {
                let problem = Problem::new(
                    Code::Q013,
                    operand.span,
                    "proximity cannot have NOT on one side",
                );
                self.without_not(problem, near, span)
            }
            Fault::Field => {
                let message = "a field cannot be an operand of word proximity";
                let problem = Problem::new(Code::Q014, operand.span, message);
                let problem = match both_in_text(near) {
                    Some(inside) => problem.suggest(WRITE, span, print_expr(&inside)),
                    None => problem,
                };
                over_messages(problem.suggest(WRITE, span, both(near)))
            }
            Fault::Other(what) => over_messages(
                Problem::new(Code::Q014, operand.span, what).suggest(WRITE, span, both(near)),
            ),
        }
    }

    fn without_not(&self, problem: Problem, near: &Proximity, span: Span) -> Problem {
        let write = |left: &Expr, right: &Expr, negated: bool| {
            let near = Proximity {
                left: Box::new(left.clone()),
                right: Box::new(right.clone()),
                negated,
                ..near.clone()
            };
            ExprKind::Proximity(near)
        };
        match (&near.left.kind, &near.right.kind) {
            (ExprKind::Not(left), right) if !matches!(right, ExprKind::Not(_)) => {
                let inner = write(left, &near.right, near.negated).into();
                problem.suggest(
                    WRITE,
                    span,
                    print_expr(&ExprKind::Not(Box::new(inner)).into()),
                )
            }
            (left, ExprKind::Not(right)) if !matches!(left, ExprKind::Not(_)) => {
                let inner = write(&near.left, right, !near.negated).into();
                problem.suggest(WRITE, span, print_expr(&inner))
            }
            _ => problem.suggest(WRITE, span, both(near)),
        }
    }

    fn check_message_operands(&mut self, near: &Proximity, span: Span) -> bool {
        for operand in [&near.left, &near.right] {
            if let Some(at) = find(operand, &|expr| is_wide(expr)) {
                self.report(
                    Problem::new(
                        Code::Q015,
                        at.span,
                        "proximity of messages cannot hold another one, nor a scope wider than a message",
                    )
                    .suggest(WRITE, span, both(near)),
                );
                return false;
            }
        }
        true
    }

    /// Inside a scoped group only `(…)@message` may nest, and no message proximity.
    pub(super) fn check_scope(&mut self, inner: &Expr, span: Span, scope: Span) -> bool {
        let Some(at) = find(inner, &|expr| is_wide(expr)) else {
            return true;
        };
        let at = at.span;
        let message =
            "inside a scoped group only (…)@message may stand, and no proximity of messages";
        self.report(
            Problem::new(Code::Q016, at, message)
                .suggest("drop the outer scope", scope, "")
                .suggest(WRITE, span, print_expr(inner)),
        );
        false
    }

    /// Anchors stand beside word proximity only, alone or in an OR group.
    pub(super) fn check_anchors(&mut self, expr: &Expr, beside: bool) {
        match &expr.kind {
            ExprKind::Anchor(_) if !beside => self.report(Problem::new(
                Code::Q014,
                expr.span,
                "{start} and {end} stand beside w/n or pre/n, such as {start} w/3 hello",
            )),
            ExprKind::Proximity(near) => {
                let beside = !near.distance.joins_messages();
                self.check_anchors(&near.left, beside);
                self.check_anchors(&near.right, beside);
            }
            ExprKind::And(parts) => parts
                .iter()
                .for_each(|part| self.check_anchors(part, false)),
            ExprKind::Or(parts) => parts
                .iter()
                .for_each(|part| self.check_anchors(part, beside)),
            ExprKind::Not(inner) | ExprKind::InText(_, inner) | ExprKind::Scoped(inner, _) => {
                self.check_anchors(inner, false);
            }
            _ => {}
        }
    }

    /// What holds and policies do not allow, and what they are warned of.
    pub(super) fn check_purpose(&mut self, root: &Expr) {
        if !matches!(
            self.context.purpose,
            Purpose::HoldScope | Purpose::PolicyScope
        ) {
            return;
        }
        let mut changing: Option<Span> = None;
        let mut problems = Vec::new();
        walk(root, &mut |expr| match &expr.kind {
            ExprKind::Word(word) if matches!(word.form, WordForm::Fuzzy(_)) => {
                problems.push(Problem::new(
                    Code::Q024,
                    expr.span,
                    "fuzzy words are not allowed here: what they find depends on typing errors",
                ));
            }
            ExprKind::Field(test) => {
                if !allowed_in_scopes(test.field, &test.values) {
                    let name = test.field.name();
                    problems.push(Problem::new(
                        Code::Q024,
                        expr.span,
                        format!("{name}: is not allowed here: its answer is circular, derived or personal"),
                    ));
                }
                if is_relative(&test.values) {
                    let mut absolute = test.clone();
                    absolute_field(&mut absolute, self.now);
                    let text = print_expr(&ExprKind::Field(absolute).into());
                    let message =
                        "relative dates are not allowed here: they would move with the day";
                    let problem = Problem::new(Code::Q028, expr.span, message);
                    problems.push(problem.suggest("as of today", expr.span, text));
                }
            }
            ExprKind::Not(_) | ExprKind::Scoped(..) => changing = changing.or(Some(expr.span)),
            ExprKind::Proximity(near) if near.negated || near.distance.joins_messages() => {
                changing = changing.or(Some(expr.span));
            }
            _ => {}
        });
        self.problems.extend(problems);
        if let (Some(span), Purpose::HoldScope) = (changing, self.context.purpose) {
            self.report(Problem::new(
                Code::W11,
                span,
                "a later message or edit can change whether this matches",
            ));
        }
    }
}

fn allowed_in_scopes(field: Field, values: &Values) -> bool {
    if field == Field::Tag {
        return true;
    }
    let allowed = |class| matches!(class, Class::Record | Class::Directory);
    let me = |value: &Value| {
        matches!(field.kind(), ValueKind::Person)
            && matches!(value, Value::Name(name) if name.text().eq_ignore_ascii_case("me"))
    };
    match values {
        Values::OneOf(values) => values.iter().all(|value| {
            let class = match value {
                Value::Choice(choice) => field.class_of(choice),
                _ => field.class(),
            };
            allowed(class) && !me(value)
        }),
        _ => allowed(field.class()),
    }
}

fn is_relative(values: &Values) -> bool {
    let relative = |value: &Value| match value {
        Value::Date(spec) => spec.is_relative(),
        Value::Lapse(_) => true,
        _ => false,
    };
    match values {
        Values::Any => false,
        Values::OneOf(values) => values.iter().any(relative),
        Values::Compare(_, value) => relative(value),
        Values::Range(from, to) => relative(from) || relative(to),
    }
}

enum Fault {
    And,
    Not,
    Field,
    Other(&'static str),
}

/// Why an expression cannot be an operand of word proximity.
fn fault(operand: &Expr, both_near: bool) -> Option<Fault> {
    match &operand.kind {
        ExprKind::Word(_) | ExprKind::Phrase(_) | ExprKind::TermRegex(_) | ExprKind::Anchor(_) => {
            None
        }
        ExprKind::Or(parts) => parts.iter().find_map(|part| match &part.kind {
            ExprKind::Proximity(_) => Some(Fault::Other(
                "an OR group beside proximity cannot hold another proximity",
            )),
            _ => fault(part, false),
        }),
        ExprKind::And(_) => Some(Fault::And),
        ExprKind::Not(_) => Some(Fault::Not),
        ExprKind::Field(_) | ExprKind::InText(..) | ExprKind::TextRegex(..) => Some(Fault::Field),
        ExprKind::Proximity(near) if near.distance.joins_messages() => Some(Fault::Other(
            "a proximity of messages cannot be an operand of word proximity",
        )),
        ExprKind::Proximity(near) if near.negated => {
            Some(Fault::Other("a negated proximity cannot be an operand"))
        }
        ExprKind::Proximity(_) if both_near => Some(Fault::Other(
            "only one side of a proximity can be another proximity",
        )),
        ExprKind::Proximity(_) => None,
        ExprKind::Everything => Some(Fault::Other("* alone cannot be an operand of proximity")),
        ExprKind::Scoped(..) => Some(Fault::Other(
            "a scoped group cannot be an operand of word proximity",
        )),
    }
}

fn is_near(expr: &Expr) -> bool {
    matches!(&expr.kind, ExprKind::Proximity(near) if !near.distance.joins_messages())
}

/// Message proximity, or a scope wider than a message.
fn is_wide(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Proximity(near) => near.distance.joins_messages(),
        ExprKind::Scoped(_, unit) => *unit != Unit::Message,
        _ => false,
    }
}

fn find<'e>(expr: &'e Expr, wanted: &dyn Fn(&Expr) -> bool) -> Option<&'e Expr> {
    if wanted(expr) {
        return Some(expr);
    }
    children(expr)
        .into_iter()
        .find_map(|child| find(child, wanted))
}

fn walk(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    for child in children(expr) {
        walk(child, visit);
    }
}

fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().collect(),
        ExprKind::Not(inner) | ExprKind::Scoped(inner, _) | ExprKind::InText(_, inner) => {
            vec![inner]
        }
        ExprKind::Proximity(near) => vec![&near.left, &near.right],
        _ => Vec::new(),
    }
}

fn sign(near: &Proximity) -> &'static str {
    match (near.negated, near.ordered) {
        (false, false) => "w/",
        (false, true) => "pre/",
        (true, false) => "not w/",
        (true, true) => "not pre/",
    }
}

fn both(near: &Proximity) -> String {
    let right = match near.negated {
        true => ExprKind::Not(near.right.clone()).into(),
        false => (*near.right).clone(),
    };
    print_expr(&ExprKind::And(vec![(*near.left).clone(), right]).into())
}

/// `attachment:a w/5 b` with both words in the attachment.
fn both_in_text(near: &Proximity) -> Option<Expr> {
    let (field, left, right) = match (&near.left.kind, &near.right.kind) {
        (ExprKind::InText(field, left), _) => (*field, left, &near.right),
        (_, ExprKind::InText(field, right)) => (*field, &near.left, right),
        _ => return None,
    };
    let inside = Proximity {
        left: left.clone(),
        right: right.clone(),
        ..near.clone()
    };
    let fits = fault(left, false).or(fault(right, false)).is_none();
    let inside = ExprKind::Proximity(inside).into();
    fits.then(|| ExprKind::InText(field, Box::new(inside)).into())
}

/// `(a AND b) w/5 c` as `(a w/5 c) AND (b w/5 c)`, also on both sides.
fn distribute(near: &Proximity) -> Expr {
    let sides = |expr: &Expr| match &expr.kind {
        ExprKind::And(parts) => parts.clone(),
        _ => vec![expr.clone()],
    };
    let mut pairs: Vec<Expr> = Vec::new();
    for left in sides(&near.left) {
        for right in sides(&near.right) {
            let pair = Proximity {
                left: Box::new(left.clone()),
                right: Box::new(right),
                ..near.clone()
            };
            pairs.push(ExprKind::Proximity(pair).into());
        }
    }
    match pairs.len() {
        1 => pairs.pop().unwrap_or(ExprKind::Everything.into()),
        _ => ExprKind::And(pairs).into(),
    }
}
