//! One value of a field: dates, sizes, amounts, choices, names.

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::Parser;
use super::fields::expectation;
use crate::query::analysis::{analyse_query_word, fold};
use crate::query::ast::{Amount, Pieces, Value};
use crate::query::dates::{DateError, read_date, read_lapse};
use crate::query::fields::{Field, ValueKind};
use crate::query::problem::{Code, Problem, Span};
use crate::query::token::{AtomKind, RawAtom, RawValue, Suffix, Token, TokenKind};

/// How many choices and zones an error offers as repairs.
const OFFERS_MAX: usize = 3;
/// Weekdays in English, Monday first; the first three letters count.
const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
/// Signs of currencies with their ISO 4217 codes; `$` and `¥` alone could be several.
const CURRENCY_SIGNS: &[(&str, &[u8; 3])] = &[
    ("€", b"EUR"),
    ("£", b"GBP"),
    ("₹", b"INR"),
    ("₽", b"RUB"),
    ("₩", b"KRW"),
    ("₺", b"TRY"),
    ("₴", b"UAH"),
    ("₪", b"ILS"),
    ("฿", b"THB"),
    ("₫", b"VND"),
    ("₦", b"NGN"),
    ("r$", b"BRL"),
    ("us$", b"USD"),
];

impl Parser<'_> {
    pub(super) fn value(&mut self, field: Field, atom: &RawAtom) -> Option<Value> {
        let span = atom.span;
        if let AtomKind::Word(word) = &atom.kind
            && word.suffix != Suffix::None
        {
            let message = format!(
                "{}: takes no ~ or ^stem: {}",
                field.name(),
                expectation(field)
            );
            self.report(Problem::new(Code::Q008, span, message).suggest(
                "drop it",
                word.suffix_span,
                "",
            ));
            return None;
        }
        let pieces = atom.pieces().single_spaced();
        let text = pieces.text();
        let text = text.as_str();
        if text.is_empty() {
            let message = format!(
                "a value of {} is missing: {}",
                field.name(),
                expectation(field)
            );
            self.report(Problem::new(Code::Q008, span, message));
            return None;
        }
        let value = match field.kind() {
            ValueKind::Date | ValueKind::DateRange => return self.date(text, span),
            ValueKind::Choice(choices) => return self.choice(field, choices, text, span),
            ValueKind::Person | ValueKind::Name | ValueKind::Code => {
                return self.name(field, pieces, span);
            }
            ValueKind::Duration => {
                let lapse = read_lapse(text);
                if let Some(then) = lapse.and_then(|lapse| lapse.before(self.now)) {
                    let message = format!("today this is {}", then.print());
                    self.report(Problem::new(Code::N08, span, message));
                }
                lapse.map(Value::Lapse)
            }
            ValueKind::TimeOfDay => read_minute(text).map(Value::Minute),
            ValueKind::Weekday => read_weekday(text).map(Value::Weekday),
            ValueKind::Size => read_size(text).map(Value::Size),
            ValueKind::Amount => return self.amount(text, span),
            ValueKind::Currency => read_currency(text).map(Value::Currency),
            ValueKind::Emoji => {
                (!analyse_query_word(text).is_empty()).then(|| Value::Emoji(text.to_owned()))
            }
            ValueKind::Text | ValueKind::Directive => None,
        };
        if value.is_none() {
            let code = match field.kind() {
                ValueKind::TimeOfDay => Code::Q010,
                _ => Code::Q008,
            };
            let message = format!(
                "\"{text}\" is no value of {}: {}",
                field.name(),
                expectation(field)
            );
            self.report(Problem::new(code, span, message));
        }
        value
    }

    fn name(&mut self, field: Field, pieces: Pieces, span: Span) -> Option<Value> {
        if !fold(&pieces.text()).chars().any(char::is_alphanumeric) {
            let message = format!("\"{}\" has no searchable character", pieces.text());
            self.report(Problem::new(Code::Q017, span, message));
            return None;
        }
        let _ = field;
        Some(Value::Name(pieces))
    }

    fn choice(
        &mut self,
        field: Field,
        choices: &'static [&'static str],
        text: &str,
        span: Span,
    ) -> Option<Value> {
        let lower = text.to_lowercase();
        if choices.contains(&lower.as_str()) {
            return Some(Value::Choice(lower));
        }
        let name = field.name();
        let message = format!("\"{text}\" is no value of {name}: {}", expectation(field));
        let mut problem = Problem::new(Code::Q008, span, message);
        let letters: String = lower.chars().take(2).collect();
        for choice in choices
            .iter()
            .filter(|choice| choice.starts_with(&letters))
            .take(OFFERS_MAX)
        {
            problem = problem.suggest(format!("{name}:{choice}"), span, *choice);
        }
        self.report(problem);
        None
    }

    fn date(&mut self, text: &str, span: Span) -> Option<Value> {
        let today = self.now.date();
        let iso = |date: &NaiveDate| date.format("%Y-%m-%d").to_string();
        let long = |date: &NaiveDate| date.format("%-d %B %Y").to_string();
        let problem = match read_date(text, today) {
            Ok(reading) => {
                let spec = reading.spec;
                if reading.year_supplied {
                    let text = spec.print();
                    let message = format!("a month without a year is the latest one begun: {text}");
                    self.report(
                        Problem::new(Code::W05, span, message).suggest("as read", span, text),
                    );
                }
                if spec.is_relative() {
                    let absolute = spec.absolute(self.now).print();
                    self.report(Problem::new(
                        Code::N08,
                        span,
                        format!("today this is {absolute}"),
                    ));
                }
                return Some(Value::Date(spec));
            }
            Err(DateError::Ambiguous(readings)) => {
                let message = "this date can be read in several ways and is never guessed";
                readings
                    .iter()
                    .fold(Problem::new(Code::Q009, span, message), |problem, date| {
                        problem.suggest(long(date), span, iso(date))
                    })
            }
            Err(DateError::Respell(date)) => Problem::new(
                Code::Q010,
                span,
                "dates are written with hyphens",
            )
            .suggest(long(&date), span, iso(&date)),
            Err(DateError::Invalid) => {
                let message = format!("\"{text}\" is no date: write {}", expectation(Field::On));
                Problem::new(Code::Q010, span, message)
            }
        };
        self.report(problem);
        None
    }

    fn amount(&mut self, text: &str, span: Span) -> Option<Value> {
        match read_amount(text) {
            Ok(amount) => Some(Value::Amount(amount)),
            Err(choices) => {
                let message = format!(
                    "\"{text}\" is no clear amount: {}",
                    expectation(Field::Amount)
                );
                let mut problem = Problem::new(Code::Q008, span, message);
                for choice in choices {
                    problem =
                        problem.suggest(format!("the amount {choice}"), span, choice.as_str());
                }
                self.report(problem);
                None
            }
        }
    }
}

fn read_minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| {
        let ok = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        ok.then(|| part.parse::<u16>().ok()).flatten()
    };
    let (hour, minute) = (two(hour)?, two(minute)?);
    let inside = hour < 24 && minute < 60 || hour == 24 && minute == 0;
    inside.then_some(hour * 60 + minute)
}

fn read_weekday(text: &str) -> Option<u8> {
    let lower = text.to_lowercase();
    let index = DAYS
        .iter()
        .position(|day| *day == lower || day.get(..3) == Some(lower.as_str()))?;
    u8::try_from(index).ok()
}

/// The short name of a weekday, 0 = Monday.
pub(crate) fn weekday_name(day: u8) -> &'static str {
    DAYS.get(usize::from(day))
        .and_then(|day| day.get(..3))
        .unwrap_or("mon")
}

/// Units of size with their bytes, longest first so that `mib` is not read as `b`.
pub(crate) const SIZE_UNITS: &[(&str, u64)] = &[
    ("gib", 1 << 30),
    ("mib", 1 << 20),
    ("kib", 1 << 10),
    ("gb", 1_000_000_000),
    ("mb", 1_000_000),
    ("kb", 1_000),
    ("b", 1),
    ("", 1),
];

fn read_size(text: &str) -> Option<u64> {
    let lower = text.to_lowercase();
    let (digits, unit) = SIZE_UNITS
        .iter()
        .find_map(|(letters, unit)| lower.strip_suffix(letters).map(|digits| (digits, *unit)))?;
    let millis = read_decimal(digits.trim())?;
    let bytes = u128::try_from(millis).ok()? * u128::from(unit) / 1_000;
    u64::try_from(bytes).ok()
}

/// A decimal number in thousandths; at most three decimals.
fn read_decimal(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(fraction) || fraction.len() > 3 {
        return None;
    }
    if text.ends_with('.') {
        return None;
    }
    let whole: i64 = whole.parse().ok()?;
    let thousandths: i64 = format!("{fraction:0<3}").parse().ok()?;
    whole.checked_mul(1_000)?.checked_add(thousandths)
}

/// Reads an amount; else the clear spellings it could be.
fn read_amount(text: &str) -> Result<Amount, Vec<String>> {
    let lower = text.to_lowercase();
    let starts = lower
        .find(|c: char| c.is_ascii_digit())
        .ok_or_else(Vec::new)?;
    let number_len = lower
        .get(starts..)
        .and_then(|rest| rest.find(|c: char| !c.is_ascii_digit() && c != '.'))
        .unwrap_or(lower.len() - starts);
    let digits = lower.get(starts..starts + number_len).unwrap_or("");
    let before = lower.get(..starts).unwrap_or("").trim();
    let after = lower.get(starts + number_len..).unwrap_or("").trim();
    let currency = match (before, after) {
        ("", "") => None,
        (sign, "") | ("", sign) => Some(read_currency(sign).ok_or_else(Vec::new)?),
        _ => return Err(Vec::new()),
    };
    let suffix = currency.map_or(String::new(), |code| {
        String::from_utf8_lossy(&code).to_lowercase()
    });
    if let Some((whole, fraction)) = digits.split_once('.')
        && fraction.len() == 3
        && !whole.is_empty()
    {
        // `1.200` is twelve hundred to some and one and a fifth to others.
        return Err(vec![
            format!("{whole}{fraction}{suffix}"),
            format!("{whole}.{}{suffix}", &fraction[..2]),
        ]);
    }
    let millis = read_decimal(digits).ok_or_else(Vec::new)?;
    Ok(Amount { millis, currency })
}

fn read_currency(text: &str) -> Option<[u8; 3]> {
    let lower = text.to_lowercase();
    if let Some((_, code)) = CURRENCY_SIGNS.iter().find(|(sign, _)| *sign == lower) {
        return Some(**code);
    }
    let code: [u8; 3] = text.to_ascii_uppercase().as_bytes().try_into().ok()?;
    code.iter().all(u8::is_ascii_uppercase).then_some(code)
}

/// The zone of a name of the time-zone database, case-blind.
pub(super) fn read_zone(text: &str) -> Option<Tz> {
    text.parse::<Tz>().ok().or_else(|| {
        chrono_tz::TZ_VARIANTS
            .iter()
            .find(|zone| zone.name().eq_ignore_ascii_case(text))
            .copied()
    })
}

pub(super) fn zone_problem(text: &str, span: Span) -> Problem {
    let message = format!("\"{text}\" is no time zone: write one such as Europe/Lisbon or UTC");
    let city = text
        .rsplit('/')
        .next()
        .unwrap_or(text)
        .to_lowercase()
        .replace(' ', "_");
    let near = chrono_tz::TZ_VARIANTS.iter().filter(|zone| {
        !city.is_empty() && zone.name().to_lowercase().rsplit('/').next() == Some(city.as_str())
    });
    near.take(OFFERS_MAX)
        .fold(Problem::new(Code::Q010, span, message), |problem, zone| {
            problem.suggest(format!("the zone {}", zone.name()), span, zone.name())
        })
}

/// The zone a query states, looked up before anything is parsed: months without year need it.
pub(super) fn stated_zone(tokens: &[Token]) -> Option<Tz> {
    tokens.iter().find_map(|token| match &token.kind {
        TokenKind::Field(Field::Tz, RawValue::Atoms { atoms, .. }) => atoms
            .first()
            .and_then(|atom| read_zone(&atom.pieces().text())),
        _ => None,
    })
}
