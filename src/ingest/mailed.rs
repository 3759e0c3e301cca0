//! The parts of a mail that carries an archive: an `.rsmf` file is one.
//!
//! Format facts: RFC 5322 (headers), RFC 2045 (parts and their encodings), and the header `X-RSMF-Version`
//! that every RSMF file has (github.com/relativitydev/rsmf-validator-samples).

use mail_parser::{MessageParser, MimeHeaders};

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

/// The parts that are files, by name and with their encodings undone; `None` when the mail cannot be read.
pub fn files(mail: &[u8]) -> Option<Vec<(String, Vec<u8>)>> {
    let message = MessageParser::default().parse(mail)?;
    let files = message.attachments().map(|part| {
        let name = part.attachment_name().unwrap_or("(no name)").to_owned();
        (name, part.contents().to_vec())
    });
    Some(files.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: a <a@example.org>\r\nX-RSMF-Version: 2.0.0\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"x\"\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nhi\r\n\
--x\r\nContent-Type: application/octet-stream; name=rsmf.zip\r\nContent-Transfer-Encoding: base64\r\n\
Content-Disposition: attachment; filename=rsmf.zip\r\n\r\nUEsDBA==\r\n--x--\r\n";

    #[test]
    fn the_zip_inside_is_found() {
        assert!(is_rsmf(MAIL));
        let files = files(MAIL).unwrap();
        let wanted = ("rsmf.zip".to_owned(), b"PK\x03\x04".to_vec());
        assert_eq!(files, [wanted]);
        for cut in 0..MAIL.len() {
            let _ = super::files(&MAIL[..cut]);
        }
    }

    #[test]
    fn a_mail_of_another_kind_is_none() {
        assert!(!is_rsmf(b"From: a\r\n\r\nX-RSMF-Version: 2.0.0\r\n"));
        assert!(!is_rsmf(b""));
    }
}
