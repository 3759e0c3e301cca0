//! The walk from the tree to the resolved tree.

use chrono::NaiveDateTime;
use chrono_tz::Tz;

use crate::domain::Timestamp;
use crate::query::ast::{
    DateSpec, Distance, Expr, ExprKind, FieldTest, Proximity, Query, StemLanguage, TextField, Unit,
    Value, Values, WordForm,
};
use crate::query::dates::local;
use crate::query::directory::Directory;
use crate::query::fields::Field;
use crate::query::parser::compile_text_regex;
use crate::query::problem::{Code, Problem, Span};
use crate::query::resolved::{
    GroupScope, MessageProximity, NameReading, Node, Predicate, Reach, Resolved, TextRegex,
};

/// What the query does not say itself.
#[derive(Clone, Copy, Debug)]
pub struct ResolveContext {
    /// The display zone, for queries without one.
    pub zone: Tz,
    /// The present; the same as at parsing.
    pub now: Timestamp,
}

/// Resolves a query against the names inside the scope of the asker. Names that match nothing are
/// reported as W03 and match no message; names that match several people as W02 and mean all.
pub fn resolve(query: &Query, directory: &dyn Directory, context: &ResolveContext) -> Resolved {
    let zone = query.zone.unwrap_or(context.zone);
    let mut resolver = Resolver {
        directory,
        zone,
        now: local(context.now, zone),
        strict: query.accent_strict,
        language: stated_language(&query.root).unwrap_or_else(|| directory.language()),
        in_group: false,
        names: Vec::new(),
        problems: Vec::new(),
    };
    let mut canonical = query.clone();
    let root = resolver.node(&mut canonical.root, TextField::Text);
    let mut absolute = canonical.clone();
    make_absolute(&mut absolute.root, resolver.now);
    Resolved {
        root,
        canonical,
        absolute,
        zone,
        names: resolver.names,
        problems: resolver.problems,
    }
}

pub(super) struct Resolver<'a> {
    pub(super) directory: &'a dyn Directory,
    pub(super) zone: Tz,
    pub(super) now: NaiveDateTime,
    pub(super) strict: bool,
    pub(super) language: StemLanguage,
    pub(super) in_group: bool,
    pub(super) names: Vec<NameReading>,
    pub(super) problems: Vec<Problem>,
}

impl Resolver<'_> {
    /// The node of an expression; ids and stem languages are written into the expression.
    pub(super) fn node(&mut self, expr: &mut Expr, field: TextField) -> Node {
        let span = expr.span;
        match &mut expr.kind {
            ExprKind::Everything if field == TextField::Text => Node::Everything,
            ExprKind::Everything => Node::Fact(Predicate::AnyText(field)),
            ExprKind::And(parts) => Node::And(
                parts
                    .iter_mut()
                    .map(|part| self.node(part, field))
                    .collect(),
            ),
            ExprKind::Or(parts) => Node::Or(
                parts
                    .iter_mut()
                    .map(|part| self.node(part, field))
                    .collect(),
            ),
            ExprKind::Not(inner) => Node::Not(Box::new(self.node(inner, field))),
            ExprKind::Word(_)
            | ExprKind::Phrase(_)
            | ExprKind::TermRegex(_)
            | ExprKind::Anchor(_) => self.text_leaf(expr, field),
            ExprKind::Proximity(near) if near.distance.joins_messages() => {
                self.message_proximity(near, field)
            }
            ExprKind::Proximity(_) => self.text_leaf(expr, field),
            ExprKind::Scoped(inner, unit) => self.scoped(inner, *unit, field),
            ExprKind::InText(inside, inner) if matches!(inner.kind, ExprKind::Everything) => {
                Node::Fact(Predicate::AnyText(*inside))
            }
            ExprKind::InText(inside, inner) => {
                let inside = *inside;
                self.node(inner, inside)
            }
            ExprKind::TextRegex(field, pattern) => match compile_text_regex(pattern) {
                Ok(regex) => Node::TextRegex(TextRegex {
                    field: *field,
                    regex,
                }),
                // The parser lets only valid expressions through; a tree built by hand may not be.
                Err(_) => Node::Nothing,
            },
            ExprKind::Field(test) => self.field(test, span),
        }
    }

    fn message_proximity(&mut self, near: &mut Proximity, field: TextField) -> Node {
        let reach = match near.distance {
            Distance::Messages(count) | Distance::Words(count) => Reach::Messages(count),
            Distance::Time(lapse) => Reach::Micros(lapse.micros()),
        };
        Node::MessageProximity(Box::new(MessageProximity {
            left: self.node(&mut near.left, field),
            right: self.node(&mut near.right, field),
            ordered: near.ordered,
            negated: near.negated,
            reach,
        }))
    }

    fn scoped(&mut self, inner: &mut Expr, unit: Unit, field: TextField) -> Node {
        if unit == Unit::Message {
            let inner = self.node(inner, field);
            return match self.in_group {
                true => Node::Whole(Box::new(inner)),
                false => inner,
            };
        }
        let outer = std::mem::replace(&mut self.in_group, true);
        let body = self.node(inner, field);
        self.in_group = outer;
        Node::Group(Box::new(GroupScope {
            body,
            unit,
            zone: self.zone,
        }))
    }

    pub(super) fn report(&mut self, code: Code, span: Span, message: String) {
        self.problems.push(Problem::new(code, span, message));
    }
}

/// The language of the only `lang:` clause, where it has a stemmer.
fn stated_language(root: &Expr) -> Option<StemLanguage> {
    let mut found = Vec::new();
    collect_languages(root, &mut found);
    match found.as_slice() {
        [code] => StemLanguage::from_code(code),
        _ => None,
    }
}

fn collect_languages(expr: &Expr, found: &mut Vec<String>) {
    match &expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            parts.iter().for_each(|part| collect_languages(part, found));
        }
        ExprKind::Not(inner) | ExprKind::Scoped(inner, _) | ExprKind::InText(_, inner) => {
            collect_languages(inner, found);
        }
        ExprKind::Proximity(near) => {
            collect_languages(&near.left, found);
            collect_languages(&near.right, found);
        }
        ExprKind::Field(FieldTest {
            field: Field::Lang,
            values: Values::OneOf(values),
        }) => found.extend(values.iter().filter_map(|value| match value {
            Value::Name(name) => Some(name.text()),
            _ => None,
        })),
        _ => {}
    }
}

/// Replaces relative dates by the days they mean.
fn make_absolute(expr: &mut Expr, now: NaiveDateTime) {
    match &mut expr.kind {
        ExprKind::And(parts) | ExprKind::Or(parts) => {
            parts.iter_mut().for_each(|part| make_absolute(part, now));
        }
        ExprKind::Not(inner) | ExprKind::Scoped(inner, _) | ExprKind::InText(_, inner) => {
            make_absolute(inner, now);
        }
        ExprKind::Proximity(near) => {
            make_absolute(&mut near.left, now);
            make_absolute(&mut near.right, now);
        }
        ExprKind::Field(test) => absolute_field(test, now),
        _ => {}
    }
}

/// One field without relative dates.
pub(in crate::query) fn absolute_field(test: &mut FieldTest, now: NaiveDateTime) {
    let before = |value: &Value| match value {
        Value::Lapse(lapse) => lapse.before(now).map(Value::Date),
        _ => None,
    };
    match (test.field, &mut test.values) {
        (Field::OlderThan | Field::NewerThan, Values::OneOf(values)) => {
            let Some(date) = values.first().and_then(before) else {
                return;
            };
            let older = test.field == Field::OlderThan;
            test.field = if older { Field::Before } else { Field::Since };
            test.values = Values::OneOf(vec![date]);
        }
        (_, Values::OneOf(values)) => values
            .iter_mut()
            .for_each(|value| absolute_value(value, now)),
        (_, Values::Compare(_, value)) => absolute_value(value, now),
        (_, Values::Range(from, to)) => {
            absolute_value(from, now);
            absolute_value(to, now);
        }
        (_, Values::Any) => {}
    }
}

fn absolute_value(value: &mut Value, now: NaiveDateTime) {
    if let Value::Date(spec) = value {
        let absolute: DateSpec = spec.absolute(now);
        *spec = absolute;
    }
}

/// Writes the language of a stem into the word.
pub(super) fn settle_stem(form: &mut WordForm, language: StemLanguage) {
    if let WordForm::Stem(stated @ None) = form {
        *stated = Some(language);
    }
}
