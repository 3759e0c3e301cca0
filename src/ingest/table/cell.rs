//! One value of a row, as JSON or as plain text.

use std::borrow::Cow;

/// A value of a row, borrowed from the row's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// Checked JSON text of any type.
    Json(&'a str),
    /// Text as it is.
    Text(&'a str),
}

/// Whether a lone surrogate was replaced while a string was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired(pub bool);

impl<'a> Cell<'a> {
    /// The value as text: strings unescaped, numbers and truth values as written; `None` for
    /// null. Of a list, the first element; objects as their JSON text.
    pub fn text(self, repaired: &mut Repaired) -> Option<Cow<'a, str>> {
        match self {
            Cell::Text(text) => Some(Cow::Borrowed(text)),
            Cell::Json(json) => match json.as_bytes().first()? {
                b'"' => Some(unescape(&json[1..json.len() - 1], repaired)),
                b'[' => {
                    let list: Vec<&serde_json::value::RawValue> =
                        serde_json::from_str(json).ok()?;
                    let first = list.first()?.get();
                    if first.starts_with('[') {
                        return Some(Cow::Borrowed(first));
                    }
                    Cell::Json(first).text(repaired)
                }
                b'n' => None,
                _ => Some(Cow::Borrowed(json)),
            },
        }
    }
}

/// The inside of a JSON string, which was checked before; lone surrogates become U+FFFD.
fn unescape<'a>(inside: &'a str, repaired: &mut Repaired) -> Cow<'a, str> {
    let Some(first) = memchr::memchr(b'\\', inside.as_bytes()) else {
        return Cow::Borrowed(inside);
    };
    let mut text = String::with_capacity(inside.len());
    text.push_str(&inside[..first]);
    let mut rest = &inside[first..];
    while let Some(escape) = rest.strip_prefix('\\') {
        let (letter, length) = read_escape(escape, repaired);
        text.push(letter);
        rest = &escape[length..];
        let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
        text.push_str(&rest[..plain]);
        rest = &rest[plain..];
    }
    Cow::Owned(text)
}

/// The letter of what follows a backslash, and how many bytes it took.
fn read_escape(escape: &str, repaired: &mut Repaired) -> (char, usize) {
    let unit = |text: &str| {
        let digits = text.strip_prefix('u')?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    match escape.bytes().next() {
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{C}', 1),
        Some(b'u') => {
            let Some(high) = unit(escape) else {
                return (char::REPLACEMENT_CHARACTER, 1);
            };
            let low = escape
                .get(5..)
                .and_then(|rest| unit(rest.strip_prefix('\\')?));
            let units = [high, low.unwrap_or(0)];
            match char::decode_utf16(units).next() {
                Some(Ok(letter)) if letter.len_utf16() == 2 => (letter, 11),
                Some(Ok(letter)) => (letter, 5),
                _ => {
                    repaired.0 = true;
                    (char::REPLACEMENT_CHARACTER, 5)
                }
            }
        }
        Some(byte) if byte.is_ascii() => (char::from(byte), 1),
        _ => (char::REPLACEMENT_CHARACTER, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Option<&str>) {
        let mut repaired = Repaired::default();
        assert_eq!(
            Cell::Json(json).text(&mut repaired).as_deref(),
            expected,
            "{json}"
        );
    }

    #[test]
    fn json_values_become_text() {
        check(r#""plain""#, Some("plain"));
        check(
            r#""a\n\"b\"\\ \u00e9 \ud83d\ude00 \/""#,
            Some("a\n\"b\"\\ é 😀 /"),
        );
        check(r#""\ud83d x \ude00""#, Some("\u{FFFD} x \u{FFFD}"));
        check("12.50", Some("12.50"));
        check("null", None);
        check(r#"["a","b"]"#, Some("a"));
        check("[]", None);
    }

    proptest::proptest! {
        #[test]
        fn strings_read_as_serde_reads_them(text in "\\PC{0,30}|[\u{0}-\u{90}\\\\\"]{0,30}") {
            let json = serde_json::to_string(&text).unwrap();
            check(&json, Some(&text));
        }
    }
}
