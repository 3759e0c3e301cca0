//! A field and what follows its colon: text, a group, a list, a range, a comparison, a directive.

use super::{Inside, Operand, Parser};
use crate::query::ast::{Comparison, Expr, ExprKind, FieldTest, TextField, Value, Values};
use crate::query::fields::{Class, Field, ValueKind};
use crate::query::lexer::lex_values;
use crate::query::problem::{Code, Problem, Span, WRITE};
use crate::query::token::{AtomKind, RawAtom, RawValue};

impl Parser<'_> {
    pub(super) fn field(&mut self, field: Field, value: RawValue, span: Span) -> Operand {
        if let Inside::Text | Inside::Field(_) = self.inside {
            let message = "a field cannot stand inside the parentheses of another field";
            self.report(Problem::new(Code::Q008, span, message));
            if value == RawValue::Group {
                self.pass_group();
            }
            return Operand::Broken;
        }
        if let RawValue::Missing = value {
            let message = format!("{}: needs a value: {}", field.name(), expectation(field));
            self.report(Problem::new(Code::Q008, span, message).suggest(
                "search the name as a word",
                span,
                format!("\"{}\"", field.name()),
            ));
            return Operand::Broken;
        }
        if field.kind() == ValueKind::Directive {
            return self.directive(field, &value, span);
        }
        let kind = match TextField::from_field(field) {
            Some(text) => self.text_field(text, value, span),
            None => self.fact_field(field, value, span),
        };
        let end = self
            .at
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last));
        let span = end.map_or(span, |last| span.to(last.span));
        match kind {
            Some(kind) => {
                self.note_field(&kind, span);
                Operand::Expr(Expr { kind, span })
            }
            None => Operand::Broken,
        }
    }

    /// Reads over a group that has no meaning here.
    fn pass_group(&mut self) {
        if let Some(open) = self.next() {
            let _ = self.group(open.span);
        }
    }

    fn group_inside(&mut self, inside: Inside) -> Option<Expr> {
        let open = self.next()?;
        let outer = std::mem::replace(&mut self.inside, inside);
        let inner = self.group(open.span);
        self.inside = outer;
        match inner {
            Operand::Expr(expr) => Some(expr),
            _ => None,
        }
    }

    fn text_field(&mut self, field: TextField, value: RawValue, span: Span) -> Option<ExprKind> {
        let inner = match value {
            RawValue::Regex(pattern, at) => return self.text_regex(field, pattern, at),
            RawValue::Group => self.group_inside(Inside::Text)?,
            RawValue::Atoms { atoms, .. } => {
                let mut parts = Vec::with_capacity(atoms.len());
                for atom in &atoms {
                    let kind = match &atom.kind {
                        AtomKind::Word(word) => self.word(word, atom.span)?,
                        AtomKind::Phrase(phrase) => self.phrase(phrase, atom.span)?,
                    };
                    parts.push(Expr {
                        kind,
                        span: atom.span,
                    });
                }
                if parts.len() > 1 {
                    self.leaves += parts.len() - 1;
                    Expr {
                        kind: ExprKind::Or(parts),
                        span,
                    }
                } else {
                    parts.pop()?
                }
            }
            RawValue::Missing => return None,
        };
        Some(ExprKind::InText(field, Box::new(inner)))
    }

    fn fact_field(&mut self, field: Field, value: RawValue, span: Span) -> Option<ExprKind> {
        match value {
            RawValue::Regex(_, at) => {
                let message = format!(
                    "{}: takes no regular expression: {}",
                    field.name(),
                    expectation(field)
                );
                self.report(Problem::new(Code::Q008, at, message));
                None
            }
            RawValue::Group => {
                let expr = self.group_inside(Inside::Field(field))?;
                Some(merge(field, expr).kind)
            }
            RawValue::Atoms {
                comparison,
                atoms,
                range,
            } => {
                let values = self.values(field, comparison, &atoms, range, span)?;
                Some(ExprKind::Field(FieldTest { field, values }))
            }
            RawValue::Missing => None,
        }
    }

    /// A word inside the parentheses of a field: read as its value.
    pub(super) fn value_in_group(&mut self, field: Field, span: Span) -> Operand {
        let (value, problems) = lex_values(field, self.text(span), span.start);
        // The lexer has reported the text of this token before.
        drop(problems);
        let kind = match value {
            RawValue::Atoms {
                comparison,
                atoms,
                range,
            } => self
                .values(field, comparison, &atoms, range, span)
                .map(|values| ExprKind::Field(FieldTest { field, values })),
            _ => {
                let message = format!("not a value of {}: {}", field.name(), expectation(field));
                self.report(Problem::new(Code::Q008, span, message));
                None
            }
        };
        match kind {
            Some(kind) => Operand::Expr(Expr { kind, span }),
            None => Operand::Broken,
        }
    }

    fn values(
        &mut self,
        field: Field,
        comparison: Option<Comparison>,
        atoms: &[RawAtom],
        range: bool,
        span: Span,
    ) -> Option<Values> {
        if comparison.is_none() && !range && atoms.iter().any(|atom| atom.pieces().is_star()) {
            return Some(Values::Any);
        }
        self.leaves += atoms.len().saturating_sub(1);
        let mut values = Vec::with_capacity(atoms.len());
        for atom in atoms {
            values.push(self.value(field, atom)?);
        }
        self.uses_zone |= field.needs_zone();
        let whole = atoms.first().map_or(span, |first| {
            atoms
                .last()
                .map_or(first.span, |last| first.span.to(last.span))
        });
        match (comparison, range) {
            (_, true) => self.range(field, values, whole),
            (None | Some(Comparison::Equal), false) => self.one_of(field, values, whole),
            (Some(comparison), false) => self.comparison(field, comparison, values, whole),
        }
    }

    fn comparison(
        &mut self,
        field: Field,
        comparison: Comparison,
        mut values: Vec<Value>,
        span: Span,
    ) -> Option<Values> {
        let ordered = matches!(
            field.kind(),
            ValueKind::Size | ValueKind::Amount | ValueKind::DateRange
        );
        if !ordered || values.len() != 1 {
            let name = field.name();
            let message = if ordered {
                format!("{name}: compares with one value, not with a list")
            } else {
                format!("{name}: cannot be compared: {}", expectation(field))
            };
            self.report(Problem::new(Code::Q008, span, message));
            return None;
        }
        values.pop().map(|value| Values::Compare(comparison, value))
    }

    fn one_of(&mut self, field: Field, values: Vec<Value>, span: Span) -> Option<Values> {
        if field.kind() == ValueKind::TimeOfDay {
            let message = "time: takes a range of times of day, such as 18:00..08:00";
            self.report(Problem::new(Code::Q008, span, message));
            return None;
        }
        let single =
            matches!(field.kind(), ValueKind::Date | ValueKind::Duration) && field != Field::On;
        if single && values.len() > 1 {
            let message = format!("{}: takes one value", field.name());
            self.report(Problem::new(Code::Q008, span, message));
            return None;
        }
        Some(Values::OneOf(values))
    }

    fn range(&mut self, field: Field, values: Vec<Value>, span: Span) -> Option<Values> {
        let text = self.text(span).to_owned();
        let kind = field.kind();
        let [from, to] = <[Value; 2]>::try_from(values).ok()?;
        if let (ValueKind::Weekday, Value::Weekday(from), Value::Weekday(to)) = (kind, &from, &to) {
            let days = (0..=(to + 7 - from) % 7).map(|day| Value::Weekday((from + day) % 7));
            return Some(Values::OneOf(days.collect()));
        }
        let reversed = match (&from, &to) {
            (Value::Size(from), Value::Size(to)) => from > to,
            (Value::Amount(from), Value::Amount(to)) => from.millis > to.millis,
            (Value::Date(from), Value::Date(to)) if kind == ValueKind::DateRange => {
                from.edges(self.now).0 >= to.edges(self.now).1
            }
            (Value::Date(_), Value::Date(_)) => {
                let message = format!("{}: takes one date; a range belongs to date:", field.name());
                let problem = Problem::new(Code::Q008, span, message);
                self.report(problem);
                return None;
            }
            (Value::Minute(from), Value::Minute(to)) => from == to,
            _ => {
                let message = format!("{}: takes no range: {}", field.name(), expectation(field));
                self.report(Problem::new(Code::Q008, span, message));
                return None;
            }
        };
        if reversed {
            let message = match kind {
                ValueKind::TimeOfDay => "this range of times is empty",
                _ => "this range ends before it begins",
            };
            let mut problem = Problem::new(Code::Q027, span, message);
            if let Some((from, to)) = text.split_once("..") {
                problem = problem.suggest("the other way round", span, format!("{to}..{from}"));
            }
            self.report(problem);
            return None;
        }
        if let (Value::Amount(mut from), Value::Amount(mut to)) = (from.clone(), to.clone()) {
            // One currency behind the range holds for both ends.
            from.currency = from.currency.or(to.currency);
            to.currency = to.currency.or(from.currency);
            if from.currency != to.currency {
                self.report(Problem::new(
                    Code::Q008,
                    span,
                    "both ends of the range need one currency",
                ));
                return None;
            }
            return Some(Values::Range(Value::Amount(from), Value::Amount(to)));
        }
        Some(Values::Range(from, to))
    }

    fn note_field(&mut self, kind: &ExprKind, span: Span) {
        let ExprKind::Field(test) = kind else {
            return;
        };
        let values: &[Value] = match &test.values {
            Values::OneOf(values) => values,
            _ => &[],
        };
        let job = test.field.class() == Class::Job
            || values.iter().any(|value| match value {
                Value::Choice(choice) => test.field.class_of(choice) == Class::Job,
                _ => false,
            });
        if job {
            let message = format!(
                "{}: is answered by a job; the answer says how far it has read",
                test.field.name()
            );
            self.report(Problem::new(Code::N14, span, message));
        }
    }

    fn directive(&mut self, field: Field, value: &RawValue, span: Span) -> Operand {
        if self.depth > 0 {
            let message = format!(
                "{}: holds for the whole query and stands outside parentheses",
                field.name()
            );
            self.report(Problem::new(Code::Q026, span, message));
            return Operand::Broken;
        }
        let atom = match value {
            RawValue::Atoms {
                comparison: None,
                atoms,
                range: false,
            } if atoms.len() == 1 => atoms.first(),
            _ => None,
        };
        let text = atom.map(|atom| atom.pieces().text()).unwrap_or_default();
        let at = atom.map_or(span, |atom| atom.span);
        let known = match field {
            Field::Tz => self.directives.zone.is_some(),
            Field::Accent => self.directives.accent.is_some(),
            _ => self.directives.strict.is_some(),
        };
        if known {
            let message = format!("{}: stands in this query already", field.name());
            self.report(Problem::new(Code::Q026, span, message).suggest("drop it", span, ""));
            return Operand::Broken;
        }
        match (field, text.to_ascii_lowercase().as_str()) {
            (Field::Tz, _) => match super::values::read_zone(&text) {
                Some(zone) => self.directives.zone = Some(zone),
                None => self.report(super::values::zone_problem(&text, at)),
            },
            (Field::Accent, "strict") => self.directives.accent = Some(true),
            (Field::Strict, "true" | "on") => self.directives.strict = Some(true),
            (Field::Strict, "false" | "off") => self.directives.strict = Some(false),
            _ => {
                let (allowed, text) = match field {
                    Field::Accent => ("strict", "strict"),
                    _ => ("true or false", "true"),
                };
                let message = format!("{}: is {allowed}", field.name());
                self.report(Problem::new(Code::Q008, at, message).suggest(WRITE, at, text));
            }
        }
        if value == &RawValue::Group {
            self.pass_group();
        }
        Operand::Directive(span)
    }
}

/// `from:(ana OR bo)` as one test with a list; other shapes stay as they are.
fn merge(field: Field, expr: Expr) -> Expr {
    let span = expr.span;
    let kind = match expr.kind {
        ExprKind::Or(parts) => {
            let parts: Vec<Expr> = parts.into_iter().map(|part| merge(field, part)).collect();
            let lists: Option<Vec<Vec<Value>>> = parts
                .iter()
                .map(|part| match &part.kind {
                    ExprKind::Field(FieldTest {
                        values: Values::OneOf(values),
                        ..
                    }) => Some(values.clone()),
                    _ => None,
                })
                .collect();
            match lists {
                Some(lists) => ExprKind::Field(FieldTest {
                    field,
                    values: Values::OneOf(lists.concat()),
                }),
                None => ExprKind::Or(parts),
            }
        }
        ExprKind::And(parts) => {
            ExprKind::And(parts.into_iter().map(|part| merge(field, part)).collect())
        }
        ExprKind::Not(inner) => ExprKind::Not(Box::new(merge(field, *inner))),
        other => other,
    };
    Expr { kind, span }
}

/// What the values of a field look like, for messages.
pub(super) fn expectation(field: Field) -> String {
    match field.kind() {
        ValueKind::Text => "words, a phrase or a group".to_owned(),
        ValueKind::Person => {
            "a name, number, address or id, such as \"Ana Sousa\" or me".to_owned()
        }
        ValueKind::Name => "a name or id".to_owned(),
        ValueKind::Choice(choices) => format!("one of {}", choices.join(" ")),
        ValueKind::Date | ValueKind::DateRange => {
            "a date such as 2024, 2024-03, 2024-03-05, 2024-03-05T14:30, today or -7d".to_owned()
        }
        ValueKind::Duration => "a length of time such as 12h, 90d, 2w, 6m or 1y".to_owned(),
        ValueKind::TimeOfDay => "a range of times of day such as 18:00..08:00".to_owned(),
        ValueKind::Weekday => "days: mon tue wed thu fri sat sun".to_owned(),
        ValueKind::Size => "a size such as 500kb, 5mb or 2gib".to_owned(),
        ValueKind::Amount => "an amount such as 1000, 99.50 or 800eur".to_owned(),
        ValueKind::Currency => "a currency such as eur or usd".to_owned(),
        ValueKind::Code => "a code, wildcards allowed".to_owned(),
        ValueKind::Emoji => "an emoji or its :name:".to_owned(),
        ValueKind::Directive => "a setting of the whole query".to_owned(),
    }
}
