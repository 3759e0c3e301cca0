//! One record of a JSON document: read strictly, and mended where a platform writes what is not JSON.

use std::borrow::Cow;

use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What was wrong with a record that could be read all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Bytes that are not UTF-8, lone halves of surrogate pairs: they became U+FFFD.
    pub letters: bool,
    /// Control bytes inside strings, as they are or as `\xHH` (Telegram Desktop).
    pub controls: bool,
    /// A member stands twice; the last one counts.
    pub doubled: bool,
}

impl Fault {
    /// In words, for a note; `None` when nothing was wrong. Control bytes alone are the platform's way.
    pub fn told(&self) -> Option<&'static str> {
        match (self.letters, self.doubled) {
            (true, _) => Some("letters of this record cannot be read; they became U+FFFD"),
            (_, true) => Some("a member stands twice in this record; the last one was taken"),
            _ => None,
        }
    }
}

/// A text or a number, as the text it is written as: ids that are the one or the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Text(pub String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match Value::deserialize(from)? {
            Value::String(text) => Ok(Text(text)),
            Value::Number(number) => Ok(Text(number.to_string())),
            Value::Bool(bool) => Ok(Text(bool.to_string())),
            _ => Err(D::Error::custom("neither a text nor a number")),
        }
    }
}

/// Reads a record.
///
/// # Errors
/// In words, why it cannot be read even when mended.
pub fn read_record<T: DeserializeOwned>(raw: &[u8]) -> Result<(T, Fault), String> {
    let strict = match serde_json::from_slice(raw) {
        Ok(record) => return Ok((record, Fault::default())),
        Err(error) => error,
    };
    let (mended, mut fault) = mend(raw);
    if let Ok(record) = serde_json::from_slice(&mended) {
        return Ok((record, fault));
    }
    // A tree takes a member that stands twice, and its last value.
    let tree: Value = serde_json::from_slice(&mended).map_err(|_| strict.to_string())?;
    let record = serde_json::from_value(tree).map_err(|error| error.to_string())?;
    fault.doubled = true;
    Ok((record, fault))
}

/// The record as JSON, as far as that can be.
fn mend(raw: &[u8]) -> (Vec<u8>, Fault) {
    let text = String::from_utf8_lossy(raw);
    let mut fault = Fault {
        letters: matches!(text, Cow::Owned(_)),
        ..Fault::default()
    };
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let (mut at, mut in_string) = (0, false);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                at = escape(bytes, at, &mut out, &mut fault);
                continue;
            }
            0..=0x1f if in_string => {
                fault.controls = true;
                out.extend_from_slice(format!("\\u{byte:04x}").as_bytes());
                at += 1;
                continue;
            }
            _ => {}
        }
        out.push(*byte);
        at += 1;
    }
    (out, fault)
}

/// Copies the escape that begins at `at`; gives the place behind it.
fn escape(bytes: &[u8], at: usize, out: &mut Vec<u8>, fault: &mut Fault) -> usize {
    let hex = |from: usize, count: usize| {
        let digits = bytes.get(from..from + count)?;
        let digits = std::str::from_utf8(digits).ok()?;
        let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u32::from_str_radix(digits, 16).ok().filter(|_| plain)
    };
    match bytes.get(at + 1) {
        Some(b'x') if hex(at + 2, 2).is_some() => {
            fault.controls = true;
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&bytes[at + 2..at + 4]);
            at + 4
        }
        Some(b'u') => match hex(at + 2, 4) {
            Some(0xD800..=0xDBFF)
                if bytes.get(at + 6..at + 8) == Some(b"\\u")
                    && matches!(hex(at + 8, 4), Some(0xDC00..=0xDFFF)) =>
            {
                out.extend_from_slice(&bytes[at..at + 12]);
                at + 12
            }
            Some(0xD800..=0xDFFF) => {
                fault.letters = true;
                out.extend_from_slice(b"\\ufffd");
                at + 6
            }
            _ => {
                out.extend_from_slice(b"\\u");
                at + 2
            }
        },
        Some(byte) => {
            out.extend_from_slice(&[b'\\', *byte]);
            at + 2
        }
        None => {
            out.push(b'\\');
            at + 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Row {
        id: Text,
        text: String,
    }

    fn read(raw: &[u8]) -> Result<(Row, Fault), String> {
        read_record(raw)
    }

    #[test]
    fn what_platforms_write_instead_of_json_is_read() {
        let (row, fault) = read(br#"{"id":7,"text":"a\x01b\\x02"}"#).expect("mended");
        assert_eq!(
            (row.text.as_str(), row.id.0.as_str()),
            ("a\u{1}b\\x02", "7")
        );
        assert_eq!((fault.controls, fault.told()), (true, None));
        let (row, fault) = read(b"{\"id\":\"7\",\"text\":\"a\x02\xffb\"}").expect("mended");
        assert_eq!(row.text, "a\u{2}\u{fffd}b");
        assert!(fault.letters && fault.controls);
        let (row, fault) = read(br#"{"id":1,"text":"\ud83d!\ud83d\ude00"}"#).expect("mended");
        assert_eq!(
            (row.text.as_str(), fault.letters),
            ("\u{fffd}!\u{1f600}", true)
        );
        let (row, fault) = read(br#"{"id":1,"text":"a","text":"b"}"#).expect("the last counts");
        assert_eq!((row.text.as_str(), fault.doubled), ("b", true));
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        for raw in [
            &b"{"[..],
            b"",
            b"[1,2]",
            br#"{"id":1}"#,
            br#"{"id":[],"text":""}"#,
        ] {
            assert!(read(raw).is_err());
        }
        let deep = [&b"{\"id\":1,\"text\":\"\",\"x\":"[..], &[b'['; 300]].concat();
        assert!(read(&deep).is_err());
    }
}
