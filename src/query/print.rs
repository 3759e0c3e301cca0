//! The canonical form: one spelling for each tree, fully parenthesised, which reads back as the
//! same tree.

use super::ast::{
    Amount, Anchor, Distance, Expr, ExprKind, FieldTest, Pattern, Phrase, PhraseItem, Piece,
    Pieces, Proximity, Query, Unit, Value, Values, Word, WordForm,
};
use super::fields::Field;
use super::lexer::{is_quote, reads_as_operator};
use super::parser::{SIZE_UNITS, weekday_name};

/// The canonical text of a query. Print [`Resolved::canonical`](super::Resolved) for the form with
/// ids, and [`Resolved::absolute`](super::Resolved) for the resolved form.
pub fn print(query: &Query) -> String {
    let mut directives = String::new();
    if let Some(zone) = query.zone {
        directives.push_str(&format!(" AND tz:{}", zone.name()));
    }
    if query.accent_strict {
        directives.push_str(" AND accent:strict");
    }
    if query.strict {
        directives.push_str(" AND strict:true");
    }
    let mut out = String::new();
    match (&query.root.kind, directives.is_empty()) {
        (ExprKind::Or(_) | ExprKind::Proximity(_), false) => child(&query.root, &mut out),
        _ => expr(&query.root, &mut out),
    }
    out + &directives
}

/// The canonical text of one expression.
pub(super) fn print_expr(node: &Expr) -> String {
    let mut out = String::new();
    expr(node, &mut out);
    out
}

fn expr(node: &Expr, out: &mut String) {
    match &node.kind {
        ExprKind::Everything => out.push('*'),
        ExprKind::And(parts) => joined(parts, " AND ", out),
        ExprKind::Or(parts) => joined(parts, " OR ", out),
        ExprKind::Not(inner) => {
            out.push_str("NOT ");
            child(inner, out);
        }
        ExprKind::Word(word) => out.push_str(&word_text(word, &[])),
        ExprKind::Phrase(phrase) => phrase_text(phrase, out),
        ExprKind::TermRegex(pattern) => regex(pattern, out),
        ExprKind::Anchor(Anchor::Start) => out.push_str("{start}"),
        ExprKind::Anchor(Anchor::End) => out.push_str("{end}"),
        ExprKind::Proximity(near) => proximity(near, out),
        ExprKind::Scoped(inner, unit) => {
            out.push('(');
            expr(inner, out);
            out.push(')');
            out.push_str(&scope(*unit));
        }
        ExprKind::InText(field, inner) => {
            out.push_str(field.field().name());
            out.push(':');
            match &inner.kind {
                ExprKind::Word(word) => out.push_str(&word_text(word, &[','])),
                ExprKind::Phrase(phrase) => phrase_text(phrase, out),
                ExprKind::Everything => out.push('*'),
                _ => {
                    out.push('(');
                    expr(inner, out);
                    out.push(')');
                }
            }
        }
        ExprKind::TextRegex(field, pattern) => {
            out.push_str(field.field().name());
            out.push(':');
            regex(pattern, out);
        }
        ExprKind::Field(test) => field_test(test, out),
    }
}

fn joined(parts: &[Expr], operator: &str, out: &mut String) {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            out.push_str(operator);
        }
        child(part, out);
    }
}

/// An expression below another one: in parentheses when it holds an operator of its own.
fn child(node: &Expr, out: &mut String) {
    let wrap = matches!(
        node.kind,
        ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Proximity(_)
    );
    if wrap {
        out.push('(');
    }
    expr(node, out);
    if wrap {
        out.push(')');
    }
}

fn proximity(near: &Proximity, out: &mut String) {
    let operand = |node: &Expr, out: &mut String| {
        let negation = matches!(node.kind, ExprKind::Not(_));
        if negation {
            out.push('(');
        }
        child(node, out);
        if negation {
            out.push(')');
        }
    };
    operand(&near.left, out);
    out.push(' ');
    if near.negated {
        out.push_str("not ");
    }
    out.push_str(if near.ordered { "pre/" } else { "w/" });
    out.push_str(&distance(near.distance));
    out.push(' ');
    operand(&near.right, out);
}

fn distance(distance: Distance) -> String {
    match distance {
        Distance::Words(count) => count.to_string(),
        Distance::Messages(count) => format!("{count}msg"),
        Distance::Time(lapse) => lapse.print(),
    }
}

/// The scope as typed after a closing parenthesis.
fn scope(unit: Unit) -> String {
    match unit {
        Unit::Message => "@message".to_owned(),
        Unit::Thread => "@thread".to_owned(),
        Unit::Window(lapse) => format!("@window({})", lapse.print()),
        Unit::Day => "@day".to_owned(),
        Unit::Conversation => "@conversation".to_owned(),
    }
}

fn regex(pattern: &Pattern, out: &mut String) {
    out.push('/');
    out.push_str(&pattern.source);
    out.push('/');
    if pattern.ignore_case {
        out.push('i');
    }
}

fn word_text(word: &Word, also_escaped: &[char]) -> String {
    let mut out = pieces_text(&word.pieces, |letter| {
        letter.is_whitespace()
            || is_quote(letter)
            || matches!(letter, '(' | ')' | '\\' | '*' | '?' | '~' | '^')
            || also_escaped.contains(&letter)
    });
    if reads_as_operator(&out) {
        out.insert(0, '\\');
    }
    match word.form {
        WordForm::Plain => {}
        WordForm::Fuzzy(distance) => out.push_str(&format!("~{distance}")),
        WordForm::Stem(None) => out.push_str("^stem"),
        WordForm::Stem(Some(language)) => out.push_str(&format!("^stem:{}", language.code())),
    }
    out
}

fn pieces_text(pieces: &Pieces, escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::new();
    for piece in &pieces.0 {
        match piece {
            Piece::AnyRun => out.push('*'),
            Piece::AnyOne => out.push('?'),
            Piece::Literal(text) => {
                for letter in text.chars() {
                    if escaped(letter) {
                        out.push('\\');
                    }
                    out.push(letter);
                }
            }
        }
    }
    out
}

fn in_quotes(letter: char) -> bool {
    matches!(letter, '"' | '\\' | '*' | '?')
}

fn phrase_text(phrase: &Phrase, out: &mut String) {
    out.push('"');
    for (place, item) in phrase.items.iter().enumerate() {
        if place > 0 {
            out.push(' ');
        }
        match item {
            PhraseItem::AnyWord => out.push('*'),
            PhraseItem::Word(pieces) => out.push_str(&pieces_text(pieces, |letter| {
                in_quotes(letter) || letter.is_whitespace()
            })),
        }
    }
    out.push('"');
    if let Some(slop) = phrase.slop {
        out.push_str(&format!("~{slop}"));
    }
}

fn field_test(test: &FieldTest, out: &mut String) {
    let field = test.field;
    out.push_str(field.name());
    out.push(':');
    match &test.values {
        Values::Any => out.push('*'),
        Values::OneOf(values) => {
            let values: Vec<String> = values.iter().map(|one| value(field, one)).collect();
            out.push_str(&values.join(","));
        }
        Values::Compare(comparison, one) => {
            out.push_str(comparison.sign());
            out.push_str(&value(field, one));
        }
        Values::Range(from, to) => {
            out.push_str(&value(field, from));
            out.push_str("..");
            out.push_str(&value(field, to));
        }
    }
}

/// One value as the canonical form spells it.
pub(super) fn value(field: Field, value: &Value) -> String {
    match value {
        Value::Name(pieces) => name(field, pieces),
        Value::Choice(choice) => choice.clone(),
        Value::Date(spec) => spec.print(),
        Value::Lapse(lapse) => lapse.print(),
        Value::Minute(minute) => format!("{:02}:{:02}", minute / 60, minute % 60),
        Value::Weekday(day) => weekday_name(*day).to_owned(),
        Value::Size(bytes) => size(*bytes),
        Value::Amount(amount) => amount_text(*amount),
        Value::Currency(code) => code_text(*code),
        Value::Emoji(text) => name(field, &Pieces::literal(text)),
    }
}

/// A name without quotes where it cannot be misread, else in quotes.
fn name(field: Field, pieces: &Pieces) -> String {
    let text = pieces.text();
    let starts_plain = text.chars().next().is_some_and(|first| {
        first.is_alphanumeric() || matches!(first, '@' | '+' | '*' | '?' | ':')
    });
    let plain = field != Field::Url
        && starts_plain
        && !text.contains("..")
        && pieces.0.iter().all(|piece| match piece {
            Piece::Literal(text) => text.chars().all(|letter| {
                letter.is_alphanumeric()
                    || matches!(letter, '_' | '.' | '@' | '-' | '+' | '/' | ':')
            }),
            _ => true,
        });
    if plain {
        return pieces_text(pieces, |_| false);
    }
    let text = pieces_text(pieces, in_quotes);
    format!("\"{text}\"")
}

/// Bytes in the largest unit that divides them.
pub(super) fn size(bytes: u64) -> String {
    let unit = SIZE_UNITS
        .iter()
        .filter(|(letters, unit)| {
            !letters.is_empty() && bytes.is_multiple_of(*unit) && bytes >= *unit
        })
        .max_by_key(|(_, unit)| *unit);
    match unit {
        Some((letters, unit)) => format!("{}{letters}", bytes / unit),
        None => format!("{bytes}b"),
    }
}

/// An amount with its currency behind it.
pub(super) fn amount_text(amount: Amount) -> String {
    let (whole, rest) = (amount.millis / 1_000, amount.millis % 1_000);
    let number = match rest {
        0 => whole.to_string(),
        rest => format!("{whole}.{:02}", rest / 10),
    };
    number + &amount.currency.map(code_text).unwrap_or_default()
}

fn code_text(code: [u8; 3]) -> String {
    code.iter()
        .map(|letter| char::from(letter.to_ascii_lowercase()))
        .collect()
}
