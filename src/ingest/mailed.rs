//! The parts of a mail that carries an archive: an `.rsmf` file is one.
//!
//! Format facts: RFC 5322 (headers), RFC 2045 (parts and their encodings), and the header `X-RSMF-Version`
//! that every RSMF file has (github.com/relativitydev/rsmf-validator-samples).

use std::io::{self, Read};

use mail_parser::{MessageParser, MimeHeaders};

use super::budget::NESTED_BYTES_MAX;
use super::source::{Cursor, Source};

/// Names every RSMF file.
const MARK: &str = "x-rsmf-version:";

/// Whether the bytes begin a mail that holds an RSMF archive.
pub fn is_rsmf(head: &[u8]) -> bool {
    let lines = head.split(|byte| *byte == b'\n').take_while(|line| {
        let blank = line.iter().all(u8::is_ascii_whitespace);
        !blank
    });
    lines
        .filter_map(|line| line.get(..MARK.len()))
        .any(|start| start.eq_ignore_ascii_case(MARK.as_bytes()))
}

/// A file of a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailed {
    /// Its name.
    pub name: String,
    /// Its length with its encoding undone.
    pub bytes: u64,
}

/// The parts that are files, in their order; the inner error says why the mail is refused.
///
/// # Errors
/// What the medium reports.
pub fn list(source: &mut dyn Source) -> io::Result<Result<Vec<Mailed>, String>> {
    let mail = whole(source)?;
    if mail.len() as u64 > NESTED_BYTES_MAX {
        return Ok(Err(format!(
            "the mail is larger than {NESTED_BYTES_MAX} bytes; import the archive inside it by itself"
        )));
    }
    let Some(message) = MessageParser::default().parse(&mail) else {
        let reason = "the mail cannot be read; ask for a complete copy";
        return Ok(Err(reason.to_owned()));
    };
    let files = message.attachments().map(|part| Mailed {
        name: part.attachment_name().unwrap_or("(no name)").to_owned(),
        bytes: part.contents().len() as u64,
    });
    Ok(Ok(files.collect()))
}

/// The bytes of the file of this number.
///
/// # Errors
/// What the medium reports, and when the mail has changed.
pub fn file(source: &mut dyn Source, number: usize) -> io::Result<Vec<u8>> {
    let mail = whole(source)?;
    let message = MessageParser::default().parse(&mail);
    let part = message
        .as_ref()
        .and_then(|message| message.attachments().nth(number));
    part.map(|part| part.contents().to_vec())
        .ok_or_else(|| io::Error::other("the mail has no such part any more"))
}

/// The mail, and a byte more where it is too large.
fn whole(source: &mut dyn Source) -> io::Result<Vec<u8>> {
    let mut mail = Vec::new();
    let bytes = Cursor::new(source)?;
    bytes.take(NESTED_BYTES_MAX + 1).read_to_end(&mut mail)?;
    Ok(mail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::source::MemorySource;

    const MAIL: &[u8] = b"From: a <a@example.org>\r\nX-RSMF-Version: 2.0.0\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n\
--x\r\nContent-Type: application/octet-stream; name=rsmf.zip\r\nContent-Transfer-Encoding: base64\r\n\
Content-Disposition: attachment; filename=rsmf.zip\r\n\r\nUEsDBA==\r\n--x--\r\n";

    #[test]
    fn the_zip_inside_is_found() {
        assert!(is_rsmf(MAIL));
        let mut mail = MemorySource::new("a.rsmf", MAIL);
        let wanted = Mailed {
            name: "rsmf.zip".to_owned(),
            bytes: 4,
        };
        assert_eq!(list(&mut mail).unwrap(), Ok(vec![wanted]));
        assert_eq!(file(&mut mail, 0).unwrap(), b"PK\x03\x04");
        assert!(file(&mut mail, 1).is_err());
        for cut in 0..MAIL.len() {
            let _ = list(&mut MemorySource::new("a.rsmf", &MAIL[..cut]));
        }
    }

    #[test]
    fn a_mail_of_another_kind_is_none() {
        assert!(!is_rsmf(b"From: a\r\n\r\nX-RSMF-Version: 2.0.0\r\n"));
        assert!(!is_rsmf(b""));
    }
}
