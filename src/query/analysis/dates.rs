//! Dates written with digits: is there one at this place? Which day it is, nobody guesses here.

use super::scripts::is_latin_letter;

/// Month names and abbreviations in English, Portuguese, Spanish, French, German, Italian and
/// Dutch, folded.
const MONTHS: [&str; 86] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "jan",
    "feb",
    "mar",
    "apr",
    "jun",
    "jul",
    "aug",
    "sep",
    "sept",
    "oct",
    "nov",
    "dec",
    "janeiro",
    "fevereiro",
    "marco",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
    "enero",
    "febrero",
    "marzo",
    "mayo",
    "junio",
    "julio",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
    "januar",
    "februar",
    "marz",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "gennaio",
    "febbraio",
    "aprile",
    "maggio",
    "giugno",
    "luglio",
    "settembre",
    "ottobre",
    "dicembre",
    "januari",
    "februari",
    "maart",
    "mei",
    "augustus",
    "fev",
    "abr",
    "ago",
    "set",
    "out",
    "dez",
    "okt",
];

/// The longest month name, in bytes as written with accents.
const MONTH_BYTES_MAX: usize = 12;

/// The end of the date that begins with the digit at `at`.
pub(super) fn date_at(text: &str, at: usize) -> Option<usize> {
    let rest = &text[at..];
    let (first, len) = digits(rest, 0)?;
    let found = numeric(rest, first, len)
        .or_else(|| ideographic(rest, first, len))
        .or_else(|| day_and_month(rest, first, len))
        .or_else(|| month_before(&text[..at], rest, first, len));
    found.map(|end| at + end)
}

/// The number at `from` and its length, when it has at most four digits.
fn digits(text: &str, from: usize) -> Option<(u32, usize)> {
    let rest = text.as_bytes().get(from..)?;
    let len = rest
        .iter()
        .take(5)
        .take_while(|b| b.is_ascii_digit())
        .count();
    if !(1..=4).contains(&len) {
        return None;
    }
    let value = rest[..len]
        .iter()
        .fold(0, |v, b| v * 10 + u32::from(b - b'0'));
    Some((value, len))
}

/// `2024-03-05`, `05/03/2024`, `5.3.24`: three numbers with one separator.
fn numeric(rest: &str, first: u32, len: usize) -> Option<usize> {
    let bytes = rest.as_bytes();
    let separator = *bytes.get(len).filter(|b| matches!(b, b'-' | b'/' | b'.'))?;
    let (second, second_len) = digits(rest, len + 1)?;
    let next = len + 1 + second_len;
    if bytes.get(next) != Some(&separator) {
        return None;
    }
    let (third, third_len) = digits(rest, next + 1)?;
    let end = next + 1 + third_len;
    let ends = match bytes.get(end) {
        Some(b'T' | b't') => true,
        // A fourth number makes it an address or a version.
        Some(b) if *b == separator => !bytes.get(end + 1).is_some_and(u8::is_ascii_digit),
        Some(b) => !b.is_ascii_alphanumeric(),
        None => true,
    };
    let day = |n: u32| (1..=31).contains(&n);
    let month = |n: u32| (1..=12).contains(&n);
    let year = |n: u32| (1000..=2999).contains(&n);
    let year_first = len == 4 && year(first) && month(second) && day(third) && third_len < 3;
    let year_last = len < 3
        && second_len < 3
        && (third_len == 2 || (third_len == 4 && year(third)))
        && ((day(first) && month(second)) || (month(first) && day(second)));
    (ends && (year_first || year_last)).then_some(end)
}

/// `2024年`, `3月5日`.
fn ideographic(rest: &str, first: u32, len: usize) -> Option<usize> {
    let after = &rest[len..];
    if len == 4 && (1000..=2999).contains(&first) && after.starts_with(['年', '년']) {
        return Some(len + '年'.len_utf8());
    }
    let month = after.strip_prefix(['月', '월'])?;
    let month = month.trim_start_matches(' ');
    let (day, day_len) = digits(month, 0)?;
    let fits = (1..=12).contains(&first) && (1..=31).contains(&day);
    let named = month[day_len..].starts_with(['日', '号', '號', '일']);
    let day_at = rest.len() - month.len() + day_len;
    (fits && named).then_some(day_at + '日'.len_utf8())
}

/// `5 March`, `5th of March`, `5 de março`.
fn day_and_month(rest: &str, day: u32, len: usize) -> Option<usize> {
    if !(1..=31).contains(&day) || len > 2 {
        return None;
    }
    let mut at = len;
    let skip = |at: usize, words: &[&str]| {
        let rest = &rest[at..];
        let found = words.iter().find(|word| rest.starts_with(**word));
        at + found.map_or(0, |word| word.len())
    };
    at = skip(at, &["st", "nd", "rd", "th", "º", "er", "."]);
    let glued = at;
    at = skip(at, &[" ", "-"]);
    if at == glued {
        return None;
    }
    at = skip(at, &["of ", "de ", "di "]);
    let word = leading_word(&rest[at..]);
    is_month(word).then_some(at + word.len())
}

/// `March 5`: the month stands before the digits.
fn month_before(before: &str, rest: &str, day: u32, len: usize) -> Option<usize> {
    let trimmed = before.strip_suffix(' ')?;
    let start = trimmed
        .char_indices()
        .rev()
        .take(MONTH_BYTES_MAX)
        .take_while(|(_, c)| is_latin_letter(*c))
        .last()?
        .0;
    let day_fits = (1..=31).contains(&day) && len < 3;
    let year_fits = (1900..=2199).contains(&day) && len == 4;
    let glued = rest.as_bytes().get(len).copied().unwrap_or(b' ');
    // `may 5%` and `march 5:30` are no dates.
    let ends = !matches!(glued, b'%' | b':' | b'0'..=b'9');
    ((day_fits || year_fits) && ends && is_month(&trimmed[start..])).then_some(len)
}

fn leading_word(text: &str) -> &str {
    let end = text
        .char_indices()
        .take(MONTH_BYTES_MAX + 1)
        .find(|(_, c)| !is_latin_letter(*c))
        .map_or(text.len(), |(at, _)| at);
    &text[..end]
}

fn is_month(word: &str) -> bool {
    (3..=MONTH_BYTES_MAX).contains(&word.len()) && {
        let folded = super::fold(word);
        MONTHS.contains(&folded.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_habits_are_seen_whole() {
        for text in [
            "2024-03-05",
            "05/03/2024",
            "5.3.24",
            "12/31/2024",
            "3月5日",
            "2024年",
            "5 March",
            "5th of March",
            "5 de março",
            "1er janvier",
            "12-dec",
        ] {
            assert_eq!(date_at(text, 0), Some(text.len()), "{text}");
        }
        assert_eq!(date_at("March 5, we", 6), Some(7));
        assert_eq!(date_at("March 2024", 6), Some(10));
    }

    #[test]
    fn other_numbers_are_no_dates() {
        for text in [
            "1.2.3",
            "192.168.1.10",
            "10/12",
            "99/99/2024",
            "2024-13-01",
            "12345-01-01",
            "5 people",
            "40 March",
            "5",
        ] {
            assert_eq!(date_at(text, 0), None, "{text}");
        }
    }
}
