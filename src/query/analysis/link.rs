//! Links: without scheme, host, host and path; then every word of it.

use super::scan::Scan;
use super::scripts::{Role, role};
use super::term::TermKind;

/// The longest scheme, in bytes; also bounds how much a lone word before `://` may be.
const SCHEME_BYTES_MAX: usize = 20;

/// Where the pieces of a link stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Link {
    /// Behind the scheme; the start of the link when it has none.
    pub body: usize,
    pub host: (usize, usize),
    pub path_end: usize,
    pub end: usize,
}

/// The link whose first word, scheme or `www`, is `start..word_end`.
pub(super) fn link_at(text: &str, start: usize, word_end: usize) -> Option<Link> {
    let bytes = text.as_bytes();
    let word = &bytes[start..word_end];
    let has_scheme = bytes[word_end..].starts_with(b"://")
        && word.len() <= SCHEME_BYTES_MAX
        && word[0].is_ascii_alphabetic();
    let is_www = word.eq_ignore_ascii_case(b"www") && bytes.get(word_end) == Some(&b'.');
    let body = match (has_scheme, is_www) {
        (true, _) => word_end + 3,
        (false, true) => start,
        (false, false) => return None,
    };
    // Checked before the end is looked for, so that failing costs nothing.
    let begins = |at: usize| {
        let c = text[at..].chars().next();
        c.is_some_and(|c| matches!(role(c), Role::Word | Role::Unspaced) || c == '[')
    };
    if !begins(body) || (is_www && !begins(body + 4)) {
        return None;
    }
    let end = link_end(text, body);
    let rest = &bytes[body..end];
    let find = |set: &[u8]| {
        rest.iter()
            .position(|b| set.contains(b))
            .unwrap_or(rest.len())
    };
    let (authority, path_end) = (find(b"/?#"), find(b"?#"));
    let user = rest[..authority].iter().rposition(|b| *b == b'@');
    let host_start = user.map_or(0, |at| at + 1);
    let host_start = if begins(body + host_start) {
        host_start
    } else {
        0
    };
    // The colons of an address in brackets are no port.
    let bracket = rest[host_start..authority].iter().rposition(|b| *b == b']');
    let port_from = host_start + bracket.unwrap_or(0);
    let port = rest[port_from..authority].iter().position(|b| *b == b':');
    let host_end = port.map_or(authority, |at| port_from + at);
    Some(Link {
        body,
        host: (body + host_start, body + host_end),
        path_end: body + path_end,
        end,
    })
}

/// Where the link ends: before a blank, a bracket or quote that cannot be in one, the words of a
/// script without spaces glued to its host, and the punctuation of the sentence around it.
fn link_end(text: &str, body: usize) -> usize {
    let mut end = text.len();
    let mut in_host = true;
    for (at, c) in text[body..].char_indices() {
        let stops = match c {
            '/' | '?' | '#' => {
                in_host = false;
                false
            }
            '<' | '>' | '"' | '{' | '}' | '|' | '\\' | '^' | '`' => true,
            _ if c.is_ascii() => c <= ' ' || c == '\x7F',
            _ => match role(c) {
                Role::Other => true,
                Role::Unspaced => in_host,
                Role::Word | Role::Mark | Role::Ignorable => false,
            },
        };
        if stops {
            end = body + at;
            break;
        }
    }
    trimmed(text.as_bytes(), body, end)
}

/// Without the punctuation at the end that belongs to the sentence.
fn trimmed(bytes: &[u8], body: usize, mut end: usize) -> usize {
    let count = |byte: u8| bytes[body..end].iter().filter(|b| **b == byte).count();
    let (mut round, mut square) = (
        count(b')').saturating_sub(count(b'(')),
        count(b']').saturating_sub(count(b'[')),
    );
    while end > body {
        match bytes[end - 1] {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' | b'~' => {}
            b')' if round > 0 => round -= 1,
            b']' if square > 0 => square -= 1,
            _ => break,
        }
        end -= 1;
    }
    end
}

impl Scan<'_, '_> {
    /// Writes the link that begins with the word `start..word_end`, if one does.
    pub fn link(&mut self, start: usize, word_end: usize) -> Option<usize> {
        let link = link_at(self.text, start, word_end)?;
        let mut unit = self.open();
        let whole = (link.body, self.without_slash(link.body, link.end));
        let host = link.host;
        let host_and_path = (
            host.0,
            self.without_slash(host.0, link.path_end.max(host.1)),
        );
        let bare = match self.bytes.get(host.0..host.0 + 4) {
            Some(www) if www.eq_ignore_ascii_case(b"www.") => (host.0 + 4, host.1),
            _ => host,
        };
        let names = [whole, host_and_path, host, bare];
        for (i, name) in names.into_iter().enumerate() {
            if name.0 >= name.1 || names[..i].contains(&name) {
                continue;
            }
            let kind = if i == 0 {
                TermKind::Whole
            } else {
                TermKind::Wider
            };
            if let Some(forms) = self.compose(name.0, name.1) {
                self.whole(&mut unit, forms, name, kind);
            }
        }
        self.parts(start, link.end);
        self.close(unit);
        Some(link.end)
    }

    /// `acme.example/` is `acme.example`.
    fn without_slash(&self, start: usize, end: usize) -> usize {
        if end > start && self.bytes[end - 1] == b'/' {
            end - 1
        } else {
            end
        }
    }
}
