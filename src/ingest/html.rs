//! Pages of HTML as records: a tolerant scanner of tags that knows where every byte stands.
//!
//! There is no document type, no script, nothing is fetched. Character references are the predefined
//! and numeric ones and the common names; others stay as written. Elements that are not closed end
//! with the element around them.

use std::borrow::Cow;
use std::io::Read;

use super::error::Result;

/// Bytes asked from the source at a time.
const CHUNK_BYTES: usize = 64 * 1024;
/// A longer tag is none: its bracket is a letter.
const TAG_BYTES_MAX: usize = 256 * 1024;
/// So many bytes are looked through for the end of a tag or a comment: what begins in the first
/// half of them and does not end is too long.
const WINDOW_BYTES: usize = 2 * TAG_BYTES_MAX;
/// A longer record is left out. Messages have some kilobytes; what is read takes many times its
/// bytes in memory.
const RECORD_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Elements nested deeper are taken as if they stood beside each other.
const DEPTH_MAX: usize = 256;
/// Elements that hold nothing and are never closed.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Elements whose inside is no markup.
const RAW_TEXT: [&str; 2] = ["script", "style"];
/// Character references by name.
const NAMED: [(&str, char); 26] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{A0}'),
    ("shy", '\u{AD}'),
    ("copy", '©'),
    ("reg", '®'),
    ("trade", '™'),
    ("deg", '°'),
    ("middot", '·'),
    ("bull", '•'),
    ("hellip", '…'),
    ("ndash", '–'),
    ("mdash", '—'),
    ("lsquo", '‘'),
    ("rsquo", '’'),
    ("sbquo", '‚'),
    ("ldquo", '“'),
    ("rdquo", '”'),
    ("bdquo", '„'),
    ("laquo", '«'),
    ("raquo", '»'),
    ("euro", '€'),
    ("times", '×'),
];
/// Longest character reference; bytes between its marks.
const REFERENCE_BYTES_MAX: usize = 12;

/// A tag that opens an element.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    /// Its name, lower case.
    pub name: String,
    /// Its attributes, names lower case, references resolved.
    pub attributes: Vec<(String, String)>,
}

impl Tag {
    /// The value of an attribute.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether it is of a class.
    pub fn is(&self, class: &str) -> bool {
        let classes = self.attribute("class").unwrap_or_default();
        classes.split_ascii_whitespace().any(|known| known == class)
    }
}

/// A piece of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Open(Tag, bool),
    Close(String),
    Text,
    /// A comment, a declaration.
    Other,
}

/// The token at the start of some bytes and its length; `None` when more bytes are needed.
fn token(bytes: &[u8], ended: bool, raw: Option<&str>) -> Option<(Token, usize)> {
    if let Some(name) = raw {
        return raw_text(bytes, ended, name);
    }
    if bytes.first() != Some(&b'<') {
        let end = memchr::memchr(b'<', bytes).unwrap_or(bytes.len());
        return (end > 0).then_some((Token::Text, end));
    }
    let whole = ended || bytes.len() >= WINDOW_BYTES;
    let bytes = &bytes[..bytes.len().min(WINDOW_BYTES)];
    // A bracket that opens nothing is a letter, with what follows it.
    let letter = || {
        let end = memchr::memchr(b'<', &bytes[1..]).map_or(bytes.len(), |at| at + 1);
        (Token::Text, end)
    };
    // Where nothing ends, nothing begins either: all of it is passed over at once.
    let passed = || match memchr::memchr(b'<', &bytes[TAG_BYTES_MAX.min(bytes.len())..]) {
        Some(at) => TAG_BYTES_MAX + at,
        None => bytes.len(),
    };
    if memchr::memchr(b'>', bytes).is_none() {
        return whole.then(|| (Token::Text, passed()));
    }
    match bytes.get(1) {
        None => whole.then(letter),
        Some(b'!' | b'?') => {
            let (behind, mark): (usize, &[u8]) = match bytes.starts_with(b"<!--") {
                true => (4, b"-->"),
                false => (2, b">"),
            };
            if bytes.len() < 4 && !whole {
                return None;
            }
            match memchr::memmem::find(&bytes[behind.min(bytes.len())..], mark) {
                Some(at) => Some((Token::Other, behind + at + mark.len())),
                // A comment that does not end goes on.
                None => whole.then(|| (Token::Other, passed())),
            }
        }
        Some(b'/') => match memchr::memchr(b'>', bytes) {
            Some(end) => {
                let name = String::from_utf8_lossy(&bytes[2..end]);
                let name = name.trim().to_ascii_lowercase();
                Some((Token::Close(name), end + 1))
            }
            None => whole.then(letter),
        },
        Some(first) if first.is_ascii_alphabetic() => match tag_end(bytes) {
            Some(end) => Some((opening(&bytes[1..end]), end + 1)),
            None => whole.then(letter),
        },
        Some(_) => Some(letter()),
    }
}

/// The inside of an element without markup, up to its end.
fn raw_text(bytes: &[u8], ended: bool, name: &str) -> Option<(Token, usize)> {
    let closes = |at: &usize| {
        let name_at = at + 2;
        bytes[*at..].starts_with(b"</")
            && bytes
                .get(name_at..name_at + name.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    };
    match memchr::memchr_iter(b'<', bytes).find(closes) {
        Some(0) => token(bytes, ended, None),
        Some(end) => Some((Token::Text, end)),
        None if ended => (!bytes.is_empty()).then_some((Token::Text, bytes.len())),
        // The end may lie half in these bytes.
        None => {
            let safe = bytes.len().saturating_sub(name.len() + 2);
            (safe > 0).then_some((Token::Text, safe))
        }
    }
}

/// Where a tag ends: at the first `>` outside of quotes.
fn tag_end(bytes: &[u8]) -> Option<usize> {
    let mut quote = None;
    let mut before = b' ';
    for (at, byte) in bytes.iter().enumerate() {
        match (quote, *byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') if before == b'=' => quote = Some(*byte),
            (None, b'>') => return Some(at),
            (None, _) => {}
        }
        if !byte.is_ascii_whitespace() {
            before = *byte;
        }
    }
    None
}

/// Reads the inside of a tag.
fn opening(inside: &[u8]) -> Token {
    let text = String::from_utf8_lossy(inside);
    let text = text.trim_end();
    let (text, closed) = match text.strip_suffix('/') {
        Some(text) => (text, true),
        None => (text, false),
    };
    let end = text
        .find(|letter: char| letter.is_ascii_whitespace() || letter == '/')
        .unwrap_or(text.len());
    let mut tag = Tag {
        name: text[..end].to_ascii_lowercase(),
        attributes: Vec::new(),
    };
    let mut rest = text[end..].trim_start();
    while !rest.is_empty() {
        let name_end = rest
            .find(|letter: char| letter.is_ascii_whitespace() || letter == '=')
            .unwrap_or(rest.len());
        let name = rest[..name_end].to_ascii_lowercase();
        rest = rest[name_end..].trim_start();
        let mut value = "";
        if let Some(behind) = rest.strip_prefix('=') {
            let behind = behind.trim_start();
            let quote = behind
                .chars()
                .next()
                .filter(|mark| matches!(mark, '"' | '\''));
            (value, rest) = match quote {
                Some(mark) => behind[1..].split_once(mark).unwrap_or((&behind[1..], "")),
                None => {
                    let end = behind
                        .find(|letter: char| letter.is_ascii_whitespace())
                        .unwrap_or(behind.len());
                    behind.split_at(end)
                }
            };
            rest = rest.trim_start();
        }
        if !name.is_empty() {
            tag.attributes.push((name, resolved(value).into_owned()));
        }
    }
    let empty = closed || VOID.contains(&tag.name.as_str());
    Token::Open(tag, empty)
}

/// A text with its character references resolved.
pub fn resolved(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut resolved = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest
            .bytes()
            .take(REFERENCE_BYTES_MAX)
            .position(|byte| byte == b';');
        let letter = end.and_then(|end| reference(&rest[1..end]));
        match (letter, end) {
            (Some(letter), Some(end)) => {
                resolved.push(letter);
                rest = &rest[end + 1..];
            }
            _ => {
                resolved.push('&');
                rest = &rest[1..];
            }
        }
    }
    resolved.push_str(rest);
    Cow::Owned(resolved)
}

/// The letter of a reference, without its marks.
fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|letter| *letter != '\0');
    }
    let known = NAMED.iter().find(|(known, _)| *known == name);
    known.map(|(_, letter)| *letter)
}

/// The elements that are open, by name.
#[derive(Debug, Default)]
struct Stack {
    names: Vec<String>,
    /// Elements that were too deep to be counted.
    over: usize,
}

impl Stack {
    /// Whether the element was put on the stack.
    fn open(&mut self, name: &str) -> bool {
        if self.names.len() >= DEPTH_MAX {
            self.over += 1;
            return false;
        }
        self.names.push(name.to_owned());
        true
    }

    /// How many elements a closing tag closes.
    fn close(&mut self, name: &str) -> usize {
        if self.over > 0 {
            self.over -= 1;
            return 0;
        }
        let Some(place) = self.names.iter().rposition(|known| known == name) else {
            return 0;
        };
        let closed = self.names.len() - place;
        self.names.truncate(place);
        closed
    }
}

/// A piece of a page, as records see it.
#[derive(Clone, Copy, Debug)]
pub enum Piece<'a> {
    /// An element that is a record, from its tag to its end.
    Record {
        /// Its bytes.
        raw: &'a [u8],
        /// Their offset.
        at: u64,
    },
    /// Bytes between records.
    Frame {
        /// The bytes.
        raw: &'a [u8],
        /// Their offset.
        at: u64,
    },
    /// A record that does not end, or is too long to be read.
    Broken {
        /// Its bytes, or the first of them.
        raw: &'a [u8],
        /// Their offset.
        at: u64,
        /// Why it was left out.
        reason: &'static str,
    },
}

/// Hands the elements that are records to `take`, and everything else as frames.
///
/// # Errors
/// What the source and `take` report.
pub fn each_record(
    bytes: &mut dyn Read,
    is_record: fn(&Tag) -> bool,
    take: &mut dyn FnMut(Piece<'_>) -> Result<()>,
) -> Result<()> {
    let mut cutter = Cutter {
        is_record,
        take,
        held: Vec::new(),
        at: 0,
        stack: None,
    };
    let mut buffer: Vec<u8> = Vec::new();
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut raw: Option<String> = None;
    let mut ended = false;
    loop {
        let mut start = 0;
        while let Some((token, length)) = token(&buffer[start..], ended, raw.as_deref()) {
            raw = match &token {
                Token::Open(tag, false) if RAW_TEXT.contains(&tag.name.as_str()) => {
                    Some(tag.name.clone())
                }
                Token::Text => raw,
                _ => None,
            };
            cutter.token(&token, &buffer[start..start + length])?;
            start += length;
        }
        buffer.drain(..start);
        if ended {
            return cutter.end(&buffer);
        }
        let count = loop {
            match bytes.read(&mut chunk) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        ended = count == 0;
        buffer.extend_from_slice(&chunk[..count]);
    }
}

/// Cuts a page into records and frames.
struct Cutter<'t> {
    is_record: fn(&Tag) -> bool,
    take: &'t mut dyn FnMut(Piece<'_>) -> Result<()>,
    /// The bytes of the piece so far.
    held: Vec<u8>,
    /// Their offset.
    at: u64,
    /// What is open within the record; `None` between records.
    stack: Option<Stack>,
}

impl Cutter<'_> {
    fn token(&mut self, token: &Token, raw: &[u8]) -> Result<()> {
        if let Token::Open(tag, false) = token
            && (self.is_record)(tag)
        {
            // A record within a record: the one before was not closed.
            self.hand_out()?;
            let mut stack = Stack::default();
            stack.open(&tag.name);
            self.stack = Some(stack);
            self.held.extend_from_slice(raw);
            return Ok(());
        }
        self.held.extend_from_slice(raw);
        let ends = match (&mut self.stack, token) {
            (Some(stack), Token::Open(tag, false)) => {
                stack.open(&tag.name);
                false
            }
            (Some(stack), Token::Close(name)) => {
                stack.close(name);
                stack.names.is_empty()
            }
            (Some(_), _) => false,
            (None, _) => self.held.len() >= CHUNK_BYTES,
        };
        if self.held.len() > RECORD_BYTES_MAX && !ends && self.stack.take().is_some() {
            let reason =
                "this message is longer than 2 MiB; it was left out, this is how it begins";
            return self.broken(reason);
        }
        match ends {
            true => self.hand_out(),
            false => Ok(()),
        }
    }

    fn hand_out(&mut self) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let at = self.at;
        self.at += held.len() as u64;
        let piece = match self.stack.take() {
            Some(_) => Piece::Record { raw: &held, at },
            None if held.is_empty() => return Ok(()),
            None => Piece::Frame { raw: &held, at },
        };
        (self.take)(piece)
    }

    fn broken(&mut self, reason: &'static str) -> Result<()> {
        let held = std::mem::take(&mut self.held);
        let at = self.at;
        self.at += held.len() as u64;
        (self.take)(Piece::Broken {
            raw: &held,
            at,
            reason,
        })
    }

    fn end(&mut self, rest: &[u8]) -> Result<()> {
        self.held.extend_from_slice(rest);
        match self.stack.take() {
            Some(_) => self.broken("the file ends inside this message"),
            None => self.hand_out(),
        }
    }
}

/// An element with what it holds.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its tag; nameless for the whole.
    pub tag: Tag,
    /// What it holds, in order.
    pub inside: Vec<Inside>,
}

/// What an element holds.
#[derive(Clone, Debug)]
pub enum Inside {
    /// Another element.
    Node(Node),
    /// Text, references resolved.
    Text(String),
}

impl Node {
    /// Reads some bytes of a page; bytes that are no UTF-8 become U+FFFD.
    pub fn read(bytes: &[u8]) -> Node {
        let mut open = vec![Node::default()];
        let mut stack = Stack::default();
        let mut rest = bytes;
        let mut raw: Option<String> = None;
        while let Some((token, length)) = token(rest, true, raw.as_deref()) {
            match token {
                Token::Open(tag, empty) => {
                    let is_raw = !empty && RAW_TEXT.contains(&tag.name.as_str());
                    raw = is_raw.then(|| tag.name.clone());
                    let pushed = !empty && stack.open(&tag.name);
                    let node = Node {
                        tag,
                        inside: Vec::new(),
                    };
                    match (pushed, open.last_mut()) {
                        (true, _) => open.push(node),
                        (false, Some(top)) => top.inside.push(Inside::Node(node)),
                        (false, None) => {}
                    }
                }
                Token::Close(name) => {
                    raw = None;
                    for _ in 0..stack.close(&name) {
                        close(&mut open);
                    }
                }
                Token::Text => {
                    let text = String::from_utf8_lossy(&rest[..length]);
                    let text = resolved(&text).into_owned();
                    if let Some(top) = open.last_mut() {
                        top.inside.push(Inside::Text(text));
                    }
                }
                Token::Other => {}
            }
            rest = &rest[length..];
        }
        while open.len() > 1 {
            close(&mut open);
        }
        open.pop().unwrap_or_default()
    }

    /// The elements directly in it.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.inside.iter().filter_map(|inside| match inside {
            Inside::Node(node) => Some(node),
            Inside::Text(_) => None,
        })
    }

    /// The first element below it, in the order of the page, that `wanted` takes.
    pub fn find(&self, wanted: &dyn Fn(&Tag) -> bool) -> Option<&Node> {
        self.nodes().find_map(|node| match wanted(&node.tag) {
            true => Some(node),
            false => node.find(wanted),
        })
    }

    /// All such elements; none within another.
    pub fn all<'n>(&'n self, wanted: &dyn Fn(&Tag) -> bool, found: &mut Vec<&'n Node>) {
        for node in self.nodes() {
            match wanted(&node.tag) {
                true => found.push(node),
                false => node.all(wanted, found),
            }
        }
    }

    /// Its text as written, line breaks as line feeds.
    pub fn whole_text(&self) -> String {
        let mut text = String::new();
        self.put_text(&mut text);
        text
    }

    /// The same without the blanks around it.
    pub fn text(&self) -> String {
        self.whole_text()
            .trim_matches(|letter: char| letter.is_ascii_whitespace())
            .to_owned()
    }

    /// The text that stands directly in it.
    pub fn own_text(&self) -> String {
        let texts = self.inside.iter().filter_map(|inside| match inside {
            Inside::Text(text) => Some(text.as_str()),
            Inside::Node(_) => None,
        });
        let text: String = texts.collect();
        text.trim_matches(|letter: char| letter.is_ascii_whitespace())
            .to_owned()
    }

    /// Its text in one line.
    pub fn line(&self) -> String {
        let text = self.text();
        text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn put_text(&self, to: &mut String) {
        for inside in &self.inside {
            match inside {
                Inside::Text(text) => to.push_str(text),
                Inside::Node(node) if node.tag.name == "br" => to.push('\n'),
                Inside::Node(node) if RAW_TEXT.contains(&node.tag.name.as_str()) => {}
                Inside::Node(node) => node.put_text(to),
            }
        }
    }
}

/// Ends the innermost open element.
fn close(open: &mut Vec<Node>) {
    if let Some(node) = open.pop()
        && let Some(top) = open.last_mut()
    {
        top.inside.push(Inside::Node(node));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_record(tag: &Tag) -> bool {
        tag.is("m")
    }

    #[test]
    fn elements_attributes_and_references_are_read() {
        let page = b"<div class='a m' title=\"x > y &amp; z\" id=q>one<br>two &#8239;&#x1F600;&nope; <b>three</b></DIV>";
        let node = Node::read(page);
        let div = node.find(&|tag| tag.name == "div").unwrap();
        assert_eq!(div.tag.attribute("title"), Some("x > y & z"));
        assert_eq!(div.tag.attribute("id"), Some("q"));
        assert!(div.tag.is("m") && !div.tag.is("q"));
        assert_eq!(div.text(), "one\ntwo \u{202F}😀&nope; three");
    }

    #[test]
    fn what_is_not_closed_ends_with_what_is_around_it() {
        let node = Node::read(b"<div><span>a<i>b</div>c");
        assert_eq!(node.nodes().next().map(Node::text).as_deref(), Some("ab"));
        assert_eq!(node.text(), "abc");
    }

    #[test]
    fn scripts_are_no_text() {
        let node = Node::read(b"<script>if (a < b) '<div class=m>'</script><p>x</p>");
        assert_eq!(node.text(), "x");
    }

    #[test]
    fn brackets_that_nothing_ends_cost_no_time() {
        for piece in ["<a ", "<!-- >", "<", "</a ", "<a b='"] {
            let page = piece.repeat(2_000_000 / piece.len());
            let mut pieces = 0;
            each_record(&mut page.as_bytes(), is_record, &mut |_| {
                pieces += 1;
                Ok(())
            })
            .unwrap();
            assert!(pieces > 0 && Node::read(page.as_bytes()).inside.len() < 100);
        }
    }

    #[test]
    fn depth_is_bounded() {
        let page = "<div>".repeat(100_000) + "x";
        assert_eq!(Node::read(page.as_bytes()).text(), "x");
    }

    proptest! {
        #[test]
        fn pieces_put_together_are_the_page(parts in proptest::collection::vec(prop_oneof![
            Just("<div class=m>"), Just("</div>"), Just("<div>"), Just("<"), Just("x &amp; y"), Just("<br>"),
            Just("<!-- "), Just("-->"), Just("<script>"), Just("</script>"), Just("<a b='"), Just("'>"), Just(">"),
        ], 0..60)) {
            let page = parts.concat();
            let mut again = Vec::new();
            each_record(&mut page.as_bytes(), is_record, &mut |piece| {
                let (raw, at) = match piece {
                    Piece::Record { raw, at } | Piece::Frame { raw, at } | Piece::Broken { raw, at, .. } => (raw, at),
                };
                assert_eq!(at, again.len() as u64);
                again.extend_from_slice(raw);
                Ok(())
            }).unwrap();
            prop_assert_eq!(again, page.into_bytes());
        }
    }
}
