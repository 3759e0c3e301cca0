//! Amounts of money in a text: value and currency, in both conventions of separators.
//!
//! An amount has a currency beside it (sign, ISO 4217 code or name), or a magnitude glued to it
//! (`5k`), or grouped thousands (`1,200`, `1.200,50`). `$` alone is the US dollar, as by far most
//! often; `¥` and `kr` belong to several currencies and name none.

use super::compound::{Atom, NUMBER_GROUPS_MAX};
use super::number::{Shape, shape};
use super::scripts::{is_currency_sign, is_latin_letter};

/// One amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amount {
    /// The value in thousandths of the currency's unit, rounded half up.
    pub value_millis: i64,
    /// The ISO 4217 code; `None` when the text names none or an ambiguous one.
    pub currency: Option<[u8; 3]>,
}

type Code = [u8; 3];

/// ISO codes read in any case, three letters each.
const CODES: &str = "AEDARSAUDBGNBRLCADCHFCLPCNYCOPCZKDKKEGPEURGBPHKDHUFIDRILSINRJPYKESKRWKWDMXNMYRNGNNOKNZDPHP\
PKRPLNQARRONRUBSARSEKSGDTHBTWDUAHUSDUYUVNDXAFXOFZARBTCETH";

/// ISO codes that are words in lower case.
const CODES_UPPER: &str = "ALLAMDAOAAZNBAMBDTBHDBOBBWPCRCCUPCVEDOPDZDGELGHSGTQHNLISKJMDJODKZTLAKLBPLKRMADMDLMKDMMKMOP\
MURMZNNADNIONPROMRPABPENPYGRSDRWFSOSTNDTRYTTDTZSUGXUZSXCDZMW";

/// Signs that name one currency.
const SIGNS: [(char, &Code); 19] = [
    ('€', b"EUR"),
    ('£', b"GBP"),
    ('$', b"USD"),
    ('₹', b"INR"),
    ('₽', b"RUB"),
    ('₩', b"KRW"),
    ('₫', b"VND"),
    ('₺', b"TRY"),
    ('₴', b"UAH"),
    ('₪', b"ILS"),
    ('₦', b"NGN"),
    ('₱', b"PHP"),
    ('฿', b"THB"),
    ('₡', b"CRC"),
    ('₲', b"PYG"),
    ('₵', b"GHS"),
    ('₸', b"KZT"),
    ('₼', b"AZN"),
    ('₾', b"GEL"),
];

/// What letters before `$` make of it.
const DOLLARS: [(&str, &Code); 14] = [
    ("US", b"USD"),
    ("R", b"BRL"),
    ("A", b"AUD"),
    ("AU", b"AUD"),
    ("C", b"CAD"),
    ("CA", b"CAD"),
    ("NZ", b"NZD"),
    ("HK", b"HKD"),
    ("S", b"SGD"),
    ("SG", b"SGD"),
    ("NT", b"TWD"),
    ("MX", b"MXN"),
    ("AR", b"ARS"),
    ("CL", b"CLP"),
];

/// Names of currencies, folded; an empty code is an amount of no known currency.
const NAMES: [(&str, &[u8]); 31] = [
    ("euro", b"EUR"),
    ("euros", b"EUR"),
    ("dollar", b"USD"),
    ("dollars", b"USD"),
    ("bucks", b"USD"),
    ("dolares", b"USD"),
    ("pound", b"GBP"),
    ("pounds", b"GBP"),
    ("quid", b"GBP"),
    ("libras", b"GBP"),
    ("reais", b"BRL"),
    ("yen", b"JPY"),
    ("yuan", b"CNY"),
    ("rmb", b"CNY"),
    ("rupee", b"INR"),
    ("rupees", b"INR"),
    ("rs", b"INR"),
    ("rm", b"MYR"),
    ("baht", b"THB"),
    ("zl", b"PLN"),
    ("zloty", b"PLN"),
    ("kc", b"CZK"),
    ("francs", b"CHF"),
    ("kr", b""),
    ("rubles", b"RUB"),
    ("rub", b"RUB"),
    ("peso", b""),
    ("pesos", b""),
    ("cedis", b"GHS"),
    ("shekels", b"ILS"),
    ("rand", b"ZAR"),
];

/// Currencies of scripts without spaces.
const UNSPACED: [(&str, &[u8]); 8] = [
    ("元", b"CNY"),
    ("块", b"CNY"),
    ("圆", b"CNY"),
    ("円", b"JPY"),
    ("원", b"KRW"),
    ("บาท", b"THB"),
    ("圓", b""),
    ("块钱", b"CNY"),
];

/// Magnitudes that may stand a blank away, with what they multiply by.
const MAGNITUDES: [(&str, i64); 19] = [
    ("k", 1_000),
    ("thousand", 1_000),
    ("mil", 1_000),
    ("tsd", 1_000),
    ("mille", 1_000),
    ("mn", 1_000_000),
    ("mio", 1_000_000),
    ("million", 1_000_000),
    ("millions", 1_000_000),
    ("millones", 1_000_000),
    ("milhoes", 1_000_000),
    ("milhao", 1_000_000),
    ("millionen", 1_000_000),
    ("bn", 1_000_000_000),
    ("billion", 1_000_000_000),
    ("lakh", 100_000),
    ("lakhs", 100_000),
    ("crore", 10_000_000),
    ("crores", 10_000_000),
];

/// Magnitudes of Han numerals.
const HAN_MAGNITUDES: [(&str, i64); 6] = [
    ("千", 1_000),
    ("万", 10_000),
    ("萬", 10_000),
    ("만", 10_000),
    ("亿", 100_000_000),
    ("億", 100_000_000),
];

/// The longest word beside a number that is looked at, in bytes.
const WORD_BYTES_MAX: usize = 12;

/// What was found beside a number: a currency, known or not.
type Found = Option<Code>;

/// The amount whose first digit is at `at`, and where it ends.
pub(super) fn amount_at(text: &str, at: usize) -> Option<(Amount, usize)> {
    let before = currency_before(&text[..at]);
    let after_word = text[..at]
        .chars()
        .next_back()
        .is_some_and(char::is_alphanumeric);
    if before.is_none() && after_word {
        return None;
    }
    let grouped = number_at(text, at, Blanks::Group);
    // A blank groups digits only where a currency says that one number is meant.
    let with_blanks = grouped.filter(|n| n.has_blank).and_then(|number| {
        let (amount, end, named) = amount_of(text, number, before)?;
        named.then_some((amount, end))
    });
    with_blanks.or_else(|| {
        let alone = grouped.filter(|number| !number.has_blank);
        let number = alone.or_else(|| number_at(text, at, Blanks::Separate))?;
        amount_of(text, number, before).map(|(amount, end, _)| (amount, end))
    })
}

/// The amount of a number with what stands around it, its end, and whether a currency is named.
fn amount_of(text: &str, number: Number, before: Option<Found>) -> Option<(Amount, usize, bool)> {
    let rest = &text[number.end..];
    let (factor, magnitude_len) = magnitude(rest, before.is_some());
    let after = currency_after(&rest[magnitude_len..]);
    let glued = magnitude_len > 0 && !rest.starts_with(' ');
    let next = rest[magnitude_len..].chars().next();
    if before.is_none() && after.is_none() {
        // `1.200` may be a decimal, `10%` is a rate, `5k` is money or a distance: only the shapes
        // that leave no doubt count without a currency.
        let ends = !next.is_some_and(|c| c.is_alphanumeric() || c == '%');
        let thousands = number.is_plainly_grouped && magnitude_len == 0;
        if !ends || !(thousands || (glued && factor >= 1_000)) {
            return None;
        }
    }
    let (currency, currency_len) = match (before, after) {
        (Some(found), _) => (found, 0),
        (None, Some((found, len))) => (found, len),
        (None, None) => (None, 0),
    };
    let needs_currency = magnitude_len > 0 && !glued && before.is_none() && after.is_none();
    let value_millis = number.millis.checked_mul(factor)?;
    let amount = Amount {
        value_millis,
        currency,
    };
    let end = number.end + magnitude_len + currency_len;
    (!needs_currency).then_some((amount, end, before.is_some() || after.is_some()))
}

/// Whether a plain blank may group digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blanks {
    Group,
    Separate,
}

#[derive(Clone, Copy)]
struct Number {
    end: usize,
    millis: i64,
    /// Grouped thousands that cannot be read as decimals.
    is_plainly_grouped: bool,
    has_blank: bool,
}

/// The number at `at`.
fn number_at(text: &str, at: usize, blanks: Blanks) -> Option<Number> {
    let bytes = text.as_bytes();
    let mut atoms: Vec<Atom> = Vec::new();
    let mut has_blank = false;
    let mut start = at;
    loop {
        let len = bytes[start..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        let end = start + len;
        let next = text[end..].chars().next();
        let (joiner, width) = match next {
            Some('.') => (b'.', 1),
            Some(',') => (b',', 1),
            Some('\'' | '\u{2019}') => (b'\'', next.map_or(0, char::len_utf8)),
            Some('\u{A0}' | '\u{2009}' | '\u{202F}') => (b' ', next.map_or(0, char::len_utf8)),
            Some(' ') if blanks == Blanks::Group => (b' ', 1),
            _ => (0, 0),
        };
        let follows = &bytes[end + width..];
        let group = follows
            .iter()
            .take(4)
            .take_while(|b| b.is_ascii_digit())
            .count();
        let joins = match joiner {
            b'.' | b',' => group > 0,
            b'\'' | b' ' => group == 3,
            _ => false,
        };
        let joins = joins && atoms.len() + 1 < NUMBER_GROUPS_MAX;
        has_blank |= joins && next == Some(' ');
        atoms.push(Atom {
            start,
            end,
            digits: len,
            all_digits: true,
            rest: 0,
            leading_zero: bytes[start] == b'0',
            apostrophe: false,
            joiner: if joins { joiner } else { 0 },
        });
        if !joins {
            break;
        }
        start = end + width;
    }
    let shape = shape(&atoms)?;
    let single_dot = atoms.len() == 2 && atoms[0].joiner == b'.';
    Some(Number {
        end: atoms.last()?.end,
        millis: millis(text, &atoms, shape)?,
        is_plainly_grouped: shape != Shape::Plain && !single_dot,
        has_blank,
    })
}

/// The value of a number in thousandths; `None` when it is too large.
fn millis(text: &str, atoms: &[Atom], shape: Shape) -> Option<i64> {
    let decimals_at = match shape {
        Shape::Grouped => atoms.len(),
        Shape::GroupedDecimal => atoms.len() - 1,
        Shape::Plain => 1,
    };
    let digit = |byte: u8| i64::from(byte - b'0');
    let mut value: i64 = 0;
    for atom in &atoms[..decimals_at] {
        for byte in text[atom.start..atom.end].bytes() {
            value = value.checked_mul(10)?.checked_add(digit(byte))?;
        }
    }
    let decimals = atoms
        .get(decimals_at)
        .map_or("", |atom| &text[atom.start..atom.end]);
    let mut thousandths = 0;
    for place in 0..3 {
        let byte = decimals.as_bytes().get(place).copied().unwrap_or(b'0');
        thousandths = thousandths * 10 + digit(byte);
    }
    let rounds_up = decimals.as_bytes().get(3).is_some_and(|byte| *byte >= b'5');
    value
        .checked_mul(1_000)?
        .checked_add(thousandths + i64::from(rounds_up))
}

/// The factor behind a number and its length with the blank before it; 1 and 0 when none.
fn magnitude(rest: &str, has_currency: bool) -> (i64, usize) {
    for (name, factor) in HAN_MAGNITUDES {
        if rest.starts_with(name) {
            return (factor, name.len());
        }
    }
    let blank = usize::from(rest.starts_with(' '));
    let word = leading_letters(&rest[blank..]);
    let glued = blank == 0;
    let million = glued && (word == "M" || (word == "m" && has_currency));
    // Glued to the currency as well: `5keur`, `10kusd`.
    let kilo = glued && word.len() == 4 && word.starts_with(['k', 'K']);
    let factor = match entry(&MAGNITUDES, word) {
        _ if million => 1_000_000,
        Some(factor) => factor,
        None if kilo && code(&word[1..]).is_some() => return (1_000, 1),
        None => return (1, 0),
    };
    (factor, blank + word.len())
}

/// The currency before a number: a sign or a word, glued or one blank away.
fn currency_before(before: &str) -> Option<Found> {
    let near = before
        .strip_suffix([' ', '\u{A0}', '\u{202F}'])
        .unwrap_or(before);
    let last = near.chars().next_back()?;
    if is_currency_sign(last) {
        let letters = trailing_letters(&near[..near.len() - last.len_utf8()]);
        let dollars = DOLLARS.iter().find(|(name, _)| *name == letters);
        return Some(match dollars.filter(|_| last == '$') {
            Some((_, code)) => Some(**code),
            None => sign(last),
        });
    }
    // `Rs. 500`
    let near = near.strip_suffix('.').unwrap_or(near);
    let word = trailing_letters(near);
    let named = ["rs", "rm", "rmb"]
        .iter()
        .any(|name| name.eq_ignore_ascii_case(word));
    match code(word) {
        Some(found) => Some(Some(found)),
        None if named => name(word),
        None => None,
    }
}

/// The currency behind a number and the length up to its end.
fn currency_after(rest: &str) -> Option<(Found, usize)> {
    let near = rest
        .strip_prefix([' ', '\u{A0}', '\u{202F}'])
        .unwrap_or(rest);
    let skipped = rest.len() - near.len();
    let first = near.chars().next()?;
    if is_currency_sign(first) {
        let end = near.len() - first.len_utf8();
        // The sign belongs to the next number: `5 $10`.
        let next = near[near.len() - end..].chars().next();
        let is_next = skipped > 0 && next.is_some_and(|c| c.is_ascii_digit());
        return (!is_next).then_some((sign(first), skipped + first.len_utf8()));
    }
    if let Some((text, found)) = UNSPACED.iter().find(|(text, _)| near.starts_with(*text)) {
        return Some((code_of(found), skipped + text.len()));
    }
    let word = leading_letters(near);
    let found = code(word).map(Some).or_else(|| name(word))?;
    Some((found, skipped + word.len()))
}

fn sign(c: char) -> Found {
    SIGNS
        .iter()
        .find(|(sign, _)| *sign == c)
        .map(|(_, code)| **code)
}

fn name(word: &str) -> Option<Found> {
    entry(&NAMES, word).map(code_of)
}

fn code_of(bytes: &[u8]) -> Found {
    bytes.try_into().ok()
}

/// The ISO code that a word is.
fn code(word: &str) -> Option<Code> {
    let letters: Code = word.as_bytes().try_into().ok()?;
    let upper = letters.map(|byte| byte.to_ascii_uppercase());
    let listed = |codes: &str| codes.as_bytes().chunks_exact(3).any(|code| code == upper);
    let known = listed(CODES) || (letters == upper && listed(CODES_UPPER));
    known.then_some(upper)
}

/// The entry of a table whose folded name is `word`.
fn entry<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    if word.is_ascii() {
        let found = table
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word));
        return found.map(|(_, value)| *value);
    }
    let folded = super::fold(word);
    let found = table.iter().find(|(name, _)| *name == folded);
    found.map(|(_, value)| *value)
}

fn leading_letters(text: &str) -> &str {
    let end = text
        .char_indices()
        .take(WORD_BYTES_MAX + 1)
        .find(|(_, c)| !is_latin_letter(*c))
        .map_or(text.len(), |(at, _)| at);
    let word = &text[..end];
    if word.len() > WORD_BYTES_MAX {
        ""
    } else {
        word
    }
}

fn trailing_letters(text: &str) -> &str {
    let start = text
        .char_indices()
        .rev()
        .take(WORD_BYTES_MAX + 1)
        .take_while(|(_, c)| is_latin_letter(*c))
        .last()
        .map_or(text.len(), |(at, _)| at);
    let word = &text[start..];
    if word.len() > WORD_BYTES_MAX {
        ""
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts_of;

    #[track_caller]
    fn check(text: &str, expected: &[(i64, &str)]) {
        let found: Vec<(i64, String)> = facts_of(text)
            .amounts
            .into_iter()
            .map(|amount| {
                let code = amount.currency.map_or(String::new(), |code| {
                    String::from_utf8(code.to_vec()).unwrap()
                });
                (amount.value_millis, code)
            })
            .collect();
        let found: Vec<(i64, &str)> = found.iter().map(|(v, c)| (*v, c.as_str())).collect();
        assert_eq!(found, expected, "amounts of {text:?}");
    }

    #[test]
    fn both_conventions_of_separators_are_read() {
        check("€1.200,50", &[(1_200_500, "EUR")]);
        check("$1,200.50", &[(1_200_500, "USD")]);
        check("€1.200", &[(1_200_000, "EUR")]);
        check("€1.20", &[(1_200, "EUR")]);
        check("1,5 €", &[(1_500, "EUR")]);
        check("CHF 1'200", &[(1_200_000, "CHF")]);
        check("1 200,50 EUR", &[(1_200_500, "EUR")]);
        check("₹1,00,000", &[(100_000_000, "INR")]);
        check("€0.500", &[(500, "EUR")]);
        check("€0.0005", &[(1, "EUR")]);
    }

    #[test]
    fn signs_codes_and_names_give_the_currency() {
        check("R$ 50 or US$60", &[(50_000, "BRL"), (60_000, "USD")]);
        check("500eur, 300 USD", &[(500_000, "EUR"), (300_000, "USD")]);
        check("EUR 500; usd700", &[(500_000, "EUR"), (700_000, "USD")]);
        check("5 euros", &[(5_000, "EUR")]);
        check("3万元", &[(30_000_000, "CNY")]);
        check("5,000円", &[(5_000_000, "JPY")]);
        check("500บาท", &[(500_000, "THB")]);
        check("¥500", &[(500_000, "")]);
        check("100 kr", &[(100_000, "")]);
        check("Rs. 500", &[(500_000, "INR")]);
    }

    #[test]
    fn magnitudes_multiply() {
        check("$5k", &[(5_000_000, "USD")]);
        check("10k", &[(10_000_000, "")]);
        check("2.5M EUR", &[(2_500_000_000, "EUR")]);
        check("€3m", &[(3_000_000_000, "EUR")]);
        check("2 million dollars", &[(2_000_000_000, "USD")]);
        check("5keur", &[(5_000_000, "EUR")]);
    }

    #[test]
    fn numbers_that_are_no_money_are_left_alone() {
        for text in [
            "10%",
            "5 people",
            "5m away",
            "2 million users",
            "1.200",
            "v1,200x",
            "room 101",
            "give 5 all",
            "3 try again",
            "1.2.3",
        ] {
            check(text, &[]);
        }
        check("1,200 units", &[(1_200_000, "")]);
        check("99999999999999999999 EUR", &[]);
    }
}
