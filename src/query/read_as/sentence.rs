//! The sentence of a query, built from the phrases of one language.

use super::phrases::Phrases;
use crate::query::ast::{
    Anchor, Comparison, DateSpec, Distance, Expr, ExprKind, FieldTest, LapseUnit, Phrase,
    PhraseItem, Piece, Pieces, Proximity, TextField, Unit, Value, Values, Word, WordForm,
};
use crate::query::fields::{Field, ValueKind};
use crate::query::print::{amount_text, size};
use crate::query::resolved::{NameReading, Resolved};

/// The sentence of a query in the language of the phrases ([`ENGLISH`](super::ENGLISH), so far).
pub fn read_as(resolved: &Resolved, phrases: &Phrases) -> String {
    let reader = Reader {
        phrases,
        names: &resolved.names,
    };
    let query = &resolved.absolute;
    let parts: &[Expr] = match &query.root.kind {
        ExprKind::And(parts) => parts,
        _ => std::slice::from_ref(&query.root),
    };
    let (dates, rest): (Vec<&Expr>, Vec<&Expr>) = parts.iter().partition(|part| is_date(part));
    let mut out = reader.sentence(&rest);
    out.push_str(" · ");
    if dates.is_empty() {
        out.push_str(phrases.all_dates);
    } else {
        let dates: Vec<String> = dates
            .iter()
            .filter_map(|part| reader.date_tail(part))
            .collect();
        out.push_str(&dates.join(phrases.and));
    }
    out.push_str(" · ");
    out.push_str(resolved.zone.name());
    if query.accent_strict {
        out.push_str(" · ");
        out.push_str(phrases.accents);
    }
    out
}

fn is_date(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Field(test) => {
            matches!(
                test.field.kind(),
                ValueKind::Date | ValueKind::DateRange | ValueKind::Duration
            ) && !matches!(test.field, Field::Due | Field::Expires)
                && test.values != Values::Any
        }
        _ => false,
    }
}

/// Fills `{0}`, `{1}`, ... of a phrase.
fn fill(phrase: &str, values: &[&str]) -> String {
    let mut out = String::with_capacity(phrase.len());
    let mut rest = phrase;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let (index, tail) = after.split_once('}').unwrap_or((after, ""));
        let value = index
            .parse()
            .ok()
            .and_then(|index: usize| values.get(index));
        out.push_str(value.copied().unwrap_or(""));
        rest = tail;
    }
    out.push_str(rest);
    out
}

struct Reader<'a> {
    phrases: &'a Phrases,
    names: &'a [NameReading],
}

impl Reader<'_> {
    fn sentence(&self, parts: &[&Expr]) -> String {
        let (words, facts): (Vec<&&Expr>, Vec<&&Expr>) =
            parts.iter().partition(|part| is_noun(part));
        let mut conditions: Vec<String> = facts
            .iter()
            .filter(|part| !matches!(part.kind, ExprKind::Everything))
            .map(|part| self.condition(part))
            .collect();
        if !words.is_empty() {
            let nouns: Vec<String> = words
                .iter()
                .map(|word| self.noun(word, words.len() > 1))
                .collect();
            conditions.push(fill(
                self.phrases.containing,
                &[&nouns.join(self.phrases.and)],
            ));
        }
        if conditions.is_empty() {
            return self.phrases.all_messages.to_owned();
        }
        fill(self.phrases.messages, &[&conditions.join(", ")])
    }

    /// What it says about a message, to stand behind "messages".
    fn condition(&self, expr: &Expr) -> String {
        let phrases = self.phrases;
        if is_noun(expr) {
            return fill(phrases.containing, &[&self.noun(expr, false)]);
        }
        match &expr.kind {
            ExprKind::And(parts) => self.joined(parts, phrases.and),
            ExprKind::Or(parts) => self.joined(parts, phrases.or),
            ExprKind::Not(inner) if is_noun(inner) => {
                let words = fill(phrases.containing, &[&self.noun(inner, true)]);
                fill(phrases.not, &[&words])
            }
            ExprKind::Not(inner) => fill(phrases.not, &[&self.nested(inner)]),
            ExprKind::Proximity(near) if near.distance.joins_messages() => self.message_near(near),
            ExprKind::Proximity(near) => self.near(near),
            ExprKind::Scoped(inner, unit) => self.scoped(inner, *unit),
            ExprKind::InText(field, inner) => self.in_text(*field, inner),
            ExprKind::TextRegex(field, pattern) => {
                let phrase = match field {
                    TextField::Text => phrases.text_regex,
                    TextField::Filename => phrases.filename_regex,
                    TextField::Attachment => phrases.attachment_regex,
                };
                let flag = if pattern.ignore_case { "i" } else { "" };
                fill(phrase, &[&format!("/{}/{flag}", pattern.source)])
            }
            ExprKind::Field(test) => self.field(test),
            ExprKind::Everything => phrases.any_value.to_owned(),
            ExprKind::Word(_)
            | ExprKind::Phrase(_)
            | ExprKind::TermRegex(_)
            | ExprKind::Anchor(_) => fill(phrases.containing, &[&self.noun(expr, false)]),
        }
    }

    fn joined(&self, parts: &[Expr], joiner: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.nested(part)).collect();
        parts.join(joiner)
    }

    /// A condition inside another one: in parentheses when it joins several.
    fn nested(&self, expr: &Expr) -> String {
        let text = self.condition(expr);
        let several = matches!(expr.kind, ExprKind::And(_) | ExprKind::Or(_)) && !is_noun(expr);
        if several { format!("({text})") } else { text }
    }

    /// Words as something a text contains.
    fn noun(&self, expr: &Expr, inside: bool) -> String {
        let phrases = self.phrases;
        let group = |parts: &[Expr], joiner: &str| {
            let parts: Vec<String> = parts.iter().map(|part| self.noun(part, true)).collect();
            let text = parts.join(joiner);
            if inside { format!("({text})") } else { text }
        };
        match &expr.kind {
            ExprKind::Word(word) => self.word(word),
            ExprKind::Phrase(phrase) => self.phrase(phrase),
            ExprKind::TermRegex(pattern) => {
                fill(phrases.regex, &[&format!("/{}/", pattern.source)])
            }
            ExprKind::Anchor(Anchor::Start) => phrases.start.to_owned(),
            ExprKind::Anchor(Anchor::End) => phrases.end.to_owned(),
            ExprKind::And(parts) => group(parts, phrases.and),
            ExprKind::Or(parts) => group(parts, phrases.or),
            ExprKind::Proximity(near) => format!("({})", self.near(near)),
            _ => self.nested(expr),
        }
    }

    fn word(&self, word: &Word) -> String {
        let phrases = self.phrases;
        let quoted = |text: &str| format!("\"{text}\"");
        let text = quoted(&word.pieces.text());
        match (&word.form, word.pieces.0.as_slice()) {
            (WordForm::Fuzzy(distance), _) => fill(phrases.fuzzy, &[&text, &distance.to_string()]),
            (WordForm::Stem(language), _) => {
                let language = language.map_or("", |language| language.name());
                fill(phrases.stem, &[&text, language])
            }
            (WordForm::Plain, [Piece::Literal(_)]) => text,
            (WordForm::Plain, [Piece::Literal(start), Piece::AnyRun]) => {
                fill(phrases.starting, &[&quoted(start)])
            }
            (WordForm::Plain, [Piece::AnyRun, Piece::Literal(end)]) => {
                fill(phrases.ending, &[&quoted(end)])
            }
            (WordForm::Plain, [Piece::AnyRun, Piece::Literal(inside), Piece::AnyRun]) => {
                fill(phrases.inside, &[&quoted(inside)])
            }
            (WordForm::Plain, _) => fill(phrases.like, &[&text]),
        }
    }

    fn phrase(&self, phrase: &Phrase) -> String {
        let items: Vec<String> = phrase
            .items
            .iter()
            .map(|item| match item {
                PhraseItem::AnyWord => "*".to_owned(),
                PhraseItem::Word(pieces) => pieces.text(),
            })
            .collect();
        let text = format!("\"{}\"", items.join(" "));
        match phrase.slop {
            None => text,
            Some(slop) => fill(self.phrases.slop, &[&text, &slop.to_string()]),
        }
    }

    fn near(&self, near: &Proximity) -> String {
        let phrases = self.phrases;
        let phrase = match (near.negated, near.ordered) {
            (false, false) => phrases.near,
            (false, true) => phrases.before,
            (true, false) => phrases.not_near,
            (true, true) => phrases.not_before,
        };
        let (left, right) = (self.noun(&near.left, false), self.noun(&near.right, false));
        fill(phrase, &[&left, &right, &self.distance(near.distance)])
    }

    fn message_near(&self, near: &Proximity) -> String {
        let phrases = self.phrases;
        let phrase = match (near.negated, near.ordered) {
            (false, false) => phrases.message_near,
            (false, true) => phrases.message_before,
            (true, false) => phrases.message_not_near,
            (true, true) => phrases.message_not_before,
        };
        let (left, right) = (self.nested(&near.left), self.nested(&near.right));
        fill(phrase, &[&left, &right, &self.distance(near.distance)])
    }

    fn distance(&self, distance: Distance) -> String {
        let phrases = self.phrases;
        let (forms, count) = match distance {
            Distance::Words(count) => ([phrases.distance_one, phrases.distance], count),
            Distance::Messages(count) => (phrases.messages_apart, count),
            Distance::Time(lapse) => match lapse.unit {
                LapseUnit::Minute => (phrases.minutes_apart, lapse.count),
                LapseUnit::Hour => (phrases.hours_apart, lapse.count),
                _ => (phrases.days_apart, lapse.count),
            },
        };
        let [one, several] = forms;
        let phrase = if count == 1 { one } else { several };
        let between = count.saturating_sub(1);
        fill(phrase, &[&count.to_string(), &between.to_string()])
    }

    fn scoped(&self, inner: &Expr, unit: Unit) -> String {
        let phrases = self.phrases;
        let (phrase, silence) = match unit {
            Unit::Message => (phrases.in_message, String::new()),
            Unit::Thread => (phrases.in_thread, String::new()),
            Unit::Window(lapse) => (phrases.in_window, self.distance(Distance::Time(lapse))),
            Unit::Day => (phrases.in_day, String::new()),
            Unit::Conversation => (phrases.in_conversation, String::new()),
        };
        fill(phrase, &[&self.nested(inner), &silence])
    }

    fn in_text(&self, field: TextField, inner: &Expr) -> String {
        let phrases = self.phrases;
        let (phrase, any) = match field {
            TextField::Text => (phrases.containing, phrases.any_text),
            TextField::Filename => (phrases.filename, phrases.any_filename),
            TextField::Attachment => (phrases.attachment, phrases.any_attachment),
        };
        match &inner.kind {
            ExprKind::Everything => any.to_owned(),
            _ if is_noun(inner) => fill(phrase, &[&self.noun(inner, false)]),
            _ => fill(phrase, &[&format!("({})", self.condition(inner))]),
        }
    }

    fn field(&self, test: &FieldTest) -> String {
        let phrases = self.phrases;
        let phrase = (phrases.field)(test.field);
        if let (Field::Time, Values::Range(from, to)) = (test.field, &test.values) {
            let (from, to) = (self.value(test.field, from), self.value(test.field, to));
            return fill(phrases.times, &[&from, &to]);
        }
        let text = match &test.values {
            Values::Any => return fill(phrases.any_field, &[test.field.name()]),
            _ if matches!(test.field.kind(), ValueKind::Date | ValueKind::DateRange) => {
                self.dates(test)
            }
            Values::OneOf(values) => {
                let values: Vec<String> = values
                    .iter()
                    .map(|value| self.value(test.field, value))
                    .collect();
                values.join(phrases.or)
            }
            Values::Compare(comparison, value) => {
                let phrase = match comparison {
                    Comparison::Greater => phrases.greater,
                    Comparison::GreaterOrEqual => phrases.greater_or_equal,
                    Comparison::Less => phrases.less,
                    Comparison::LessOrEqual => phrases.less_or_equal,
                    Comparison::Equal => phrases.equal,
                };
                fill(phrase, &[&self.value(test.field, value)])
            }
            Values::Range(from, to) => {
                let (from, to) = (self.value(test.field, from), self.value(test.field, to));
                fill(phrases.range, &[&from, &to])
            }
        };
        fill(phrase, &[&text])
    }

    fn date_tail(&self, expr: &Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Field(test) => Some(self.dates(test)),
            _ => None,
        }
    }

    fn dates(&self, test: &FieldTest) -> String {
        let phrases = self.phrases;
        let one = |value: &Value| self.value(test.field, value);
        match &test.values {
            Values::Any => phrases.any_value.to_owned(),
            Values::OneOf(values) => {
                let phrase = match test.field {
                    Field::Before | Field::OlderThan => phrases.date_before,
                    Field::After => phrases.date_after,
                    Field::Since | Field::NewerThan => phrases.date_since,
                    Field::Until => phrases.date_until,
                    _ if values.iter().all(is_period) => phrases.date_in,
                    _ => phrases.date_on,
                };
                let values: Vec<String> = values.iter().map(one).collect();
                fill(phrase, &[&values.join(phrases.or)])
            }
            Values::Compare(comparison, value) => {
                let phrase = match comparison {
                    Comparison::Greater => phrases.date_after,
                    Comparison::GreaterOrEqual => phrases.date_since,
                    Comparison::Less => phrases.date_before,
                    Comparison::LessOrEqual => phrases.date_until,
                    Comparison::Equal if is_period(value) => phrases.date_in,
                    Comparison::Equal => phrases.date_on,
                };
                fill(phrase, &[&one(value)])
            }
            Values::Range(from, to) => fill(phrases.date_range, &[&one(from), &one(to)]),
        }
    }

    fn value(&self, field: Field, value: &Value) -> String {
        match value {
            Value::Name(name) => self.name(field, name),
            Value::Choice(choice) => {
                let words = (self.phrases.choice)(field, choice);
                words.map_or_else(|| choice.clone(), str::to_owned)
            }
            Value::Weekday(day) => {
                let name = self.phrases.weekdays.get(usize::from(*day));
                name.copied().unwrap_or_default().to_owned()
            }
            Value::Size(bytes) => spaced(&size(*bytes)),
            Value::Amount(amount) => spaced(&amount_text(*amount)),
            Value::Currency(code) => String::from_utf8_lossy(code).into_owned(),
            Value::Emoji(text) => text.clone(),
            Value::Date(_) | Value::Lapse(_) | Value::Minute(_) => {
                crate::query::print::value(field, value)
            }
        }
    }

    fn name(&self, field: Field, name: &Pieces) -> String {
        let text = name.text();
        let quoted = format!("\"{text}\"");
        let known = self
            .names
            .iter()
            .find(|one| one.id == text && one.field == field);
        match known {
            Some(one) if one.identities > 1 => fill(
                self.phrases.identities,
                &[&one.label, &one.identities.to_string()],
            ),
            Some(one) => one.label.clone(),
            None if matches!(field.kind(), ValueKind::Person | ValueKind::Name) => {
                fill(self.phrases.unknown_name, &[&quoted])
            }
            None => quoted,
        }
    }
}

/// Whether it is a whole month or year.
fn is_period(value: &Value) -> bool {
    matches!(value, Value::Date(DateSpec::Year(_) | DateSpec::Month(..)))
}

/// `5mb` as `5 MB`.
fn spaced(text: &str) -> String {
    let split = text
        .find(|c: char| c.is_ascii_alphabetic())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    if unit.is_empty() {
        return number.to_owned();
    }
    let unit = unit.to_uppercase().replace("IB", "iB");
    format!("{number} {unit}")
}

/// Whether it is words alone, joined by AND or OR.
fn is_noun(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Word(_) | ExprKind::Phrase(_) | ExprKind::TermRegex(_) => true,
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().all(is_noun),
        _ => false,
    }
}
