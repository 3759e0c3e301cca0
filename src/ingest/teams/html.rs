//! The text of a body in HTML: tolerant, without a tree, without anything fetched.

/// Elements whose content is no text.
const SILENT: [&str; 4] = ["script", "style", "head", "template"];
/// Elements that stand on lines of their own.
const BLOCKS: [&str; 17] = [
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "table",
    "blockquote",
    "pre",
    "codeblock",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
];
/// A character reference is at most this long, without `&` and `;`; bytes.
const REFERENCE_BYTES_MAX: usize = 8;

/// The words of a text in HTML: blocks become lines, pictures and emoji the text that stands for them,
/// links their words and, where those do not show it, their address.
pub(super) fn text_of(html: &str) -> String {
    let mut writer = Writer::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        writer.text(&rest[..at]);
        rest = &rest[at..];
        let tag = match Tag::read(rest) {
            Ok(tag) => tag,
            // A bracket that opens nothing is a bracket; a tag that never ends is text.
            Err(length) => {
                writer.text(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
        };
        rest = &rest[tag.length..];
        if SILENT.contains(&tag.name.as_str()) && !tag.closes {
            rest = from_closing(rest, &tag.name);
            continue;
        }
        writer.tag(&tag);
    }
    writer.text(rest);
    writer.out.trim_matches(['\n', ' ']).to_owned()
}

/// The text from the tag on that closes `name`; empty where none does.
fn from_closing<'h>(html: &'h str, name: &str) -> &'h str {
    let mut rest = html;
    while let Some(at) = rest.find("</") {
        rest = &rest[at..];
        let own = rest.get(2..2 + name.len());
        if own.is_some_and(|own| own.eq_ignore_ascii_case(name)) {
            return rest;
        }
        rest = &rest[2..];
    }
    ""
}

/// A tag.
struct Tag<'h> {
    name: String,
    closes: bool,
    /// What stands behind its name.
    attributes: &'h str,
    /// Its bytes, with the brackets.
    length: usize,
}

impl<'h> Tag<'h> {
    /// Reads the tag at the beginning of a text, which is a bracket; where there is none, how many bytes
    /// are text.
    fn read(html: &'h str) -> Result<Tag<'h>, usize> {
        if let Some(comment) = html.strip_prefix("<!--") {
            let length = comment.find("-->").map_or(html.len(), |at| at + 7);
            return Ok(Tag {
                name: String::new(),
                closes: false,
                attributes: "",
                length,
            });
        }
        let inner = &html[1..];
        let (closes, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let begins = |first: char| first.is_ascii_alphabetic() || first == '!' || first == '?';
        if !inner.starts_with(begins) {
            return Err(1);
        }
        let mut quote = None;
        let end = inner
            .char_indices()
            .find(|(_, letter)| match (quote, letter) {
                (None, '>') => true,
                (None, '"' | '\'') => {
                    quote = Some(*letter);
                    false
                }
                (Some(open), letter) if open == *letter => {
                    quote = None;
                    false
                }
                _ => false,
            });
        let Some((end, _)) = end else {
            return Err(html.len());
        };
        let inside = &inner[..end];
        let split = inside.find(|letter: char| letter.is_whitespace() || letter == '/');
        let (name, attributes) = inside.split_at(split.unwrap_or(inside.len()));
        Ok(Tag {
            name: name.to_ascii_lowercase(),
            closes,
            attributes,
            length: html.len() - inner.len() + inside.len() + 1,
        })
    }

    /// The value of an attribute.
    fn attribute(&self, wanted: &str) -> Option<String> {
        let mut rest = self.attributes;
        while let Some(at) = rest.find('=') {
            let name = rest[..at].trim().trim_start_matches('/');
            let name = name.rsplit(char::is_whitespace).next().unwrap_or(name);
            let value = rest[at + 1..].trim_start();
            let (value, behind) = match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let inner = &value[1..];
                    inner.split_once(quote).unwrap_or((inner, ""))
                }
                _ => value.split_once(char::is_whitespace).unwrap_or((value, "")),
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(resolved(value));
            }
            rest = behind;
        }
        None
    }
}

#[derive(Default)]
struct Writer {
    out: String,
    /// Blanks were met and not written yet.
    blank: bool,
    preformatted: usize,
    /// The address of the link that is open, and where its words begin. Links do not lie in links.
    link: Option<(String, usize)>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        let text = resolved(text);
        if self.preformatted > 0 {
            self.out += &text;
            return;
        }
        for letter in text.chars() {
            if letter.is_ascii_whitespace() {
                self.blank = true;
                continue;
            }
            self.gap();
            self.out.push(letter);
        }
    }

    /// Writes one blank for those that were met.
    fn gap(&mut self) {
        if std::mem::take(&mut self.blank) && !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push(' ');
        }
    }

    fn line(&mut self) {
        self.blank = false;
        if !self.out.is_empty() && !self.out.ends_with('\n') {
            self.out.push('\n');
        }
    }

    fn tag(&mut self, tag: &Tag<'_>) {
        let name = tag.name.as_str();
        match name {
            "br" => {
                self.blank = false;
                self.out.push('\n');
            }
            "emoji" | "img" if !tag.closes => {
                let alt = tag.attribute("alt").unwrap_or_default();
                if !alt.is_empty() {
                    self.gap();
                    self.out += &alt;
                }
            }
            "a" if !tag.closes => {
                self.gap();
                let address = tag.attribute("href").unwrap_or_default();
                self.link = Some((address, self.out.len()));
            }
            "a" => {
                let Some((address, from)) = self.link.take() else {
                    return;
                };
                let shown = self.out.get(from..).unwrap_or_default();
                if !address.is_empty() && !shown.contains(address.trim_end_matches('/')) {
                    self.out += &format!(" <{address}>");
                }
            }
            "td" | "th" if tag.closes => self.blank = true,
            _ if BLOCKS.contains(&name) => {
                self.line();
                if matches!(name, "pre" | "codeblock") {
                    self.preformatted = match tag.closes {
                        true => self.preformatted.saturating_sub(1),
                        false => self.preformatted + 1,
                    };
                }
            }
            _ => {}
        }
    }
}

/// A text with its character references resolved: the five of XML, the blank that does not break, and
/// numbers.
fn resolved(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out += &rest[..at];
        rest = &rest[at..];
        let end = rest
            .bytes()
            .take(REFERENCE_BYTES_MAX + 2)
            .position(|byte| byte == b';');
        let letter = end.and_then(|end| reference(rest.get(1..end)?));
        match (letter, end) {
            (Some(letter), Some(end)) => {
                out.push(letter);
                rest = &rest[end + 1..];
            }
            _ => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out + rest
}

fn reference(name: &str) -> Option<char> {
    let number = name.strip_prefix('#');
    let hex = number.and_then(|number| number.strip_prefix(['x', 'X']));
    match (name, hex, number) {
        ("amp", ..) => Some('&'),
        ("lt", ..) => Some('<'),
        ("gt", ..) => Some('>'),
        ("quot", ..) => Some('"'),
        ("apos", ..) => Some('\''),
        ("nbsp", ..) => Some('\u{a0}'),
        (_, Some(hex), _) => u32::from_str_radix(hex, 16).ok().and_then(char::from_u32),
        (_, None, Some(number)) => number.parse().ok().and_then(char::from_u32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn html_becomes_the_text_it_shows() {
        for (html, text) in [
            (
                "<div><p>one</p>\n<p>two&nbsp;&amp; &#x1F600;</p></div>",
                "one\ntwo\u{a0}& \u{1f600}",
            ),
            (
                "<at id=\"0\">Ana Reis</at> deal<br>by <b>Friday</b>",
                "Ana Reis deal\nby Friday",
            ),
            (
                "<emoji id=\"smile\" alt=\"🙂\" title=\"a > b\"></emoji>!",
                "🙂!",
            ),
            ("a < b <3 &unknown; & c", "a < b <3 &unknown; & c"),
            (
                "<a href=\"https://x.example/\">https://x.example</a>",
                "https://x.example",
            ),
            (
                "<a href='https://x.example/?a=1&amp;b=2'>here</a>",
                "here <https://x.example/?a=1&b=2>",
            ),
            ("<pre>  a\n   b</pre>c", "a\n   b\nc"),
            ("<script>x < 1</script>y<!-- <p> -->z", "yz"),
            ("<attachment id=\"1\"></attachment>", ""),
            ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
            ("open <p", "open <p"),
        ] {
            assert_eq!(text_of(html), text, "{html}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_lose_its_head(
            pieces in prop::collection::vec(prop::sample::select(vec![
                "<", ">", "</", "p", "a href=", "\"", "'", "&", ";", "#x", "é", " ", "<!--", "-->",
                "<pre>", "</a>", "<a href=\"x\">", "<script>", "\n", "amp",
            ]), 0..40),
        ) {
            let html = pieces.concat();
            let text = text_of(&html);
            prop_assert!(text.len() <= html.len() * 2 + 8);
        }
    }
}
