//! A file of Rust cut into words, marks, texts and comments, with the parts that only tests see
//! marked. Just enough of the language for the rules, and never fooled by a comment or a text.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An identifier, a keyword or a number.
    Word,
    /// Punctuation: one character, or `::`.
    Mark,
    /// A text, byte or character literal, with its quotes.
    Literal,
    /// A comment, with its slashes.
    Comment,
}

/// One token with its place.
#[derive(Clone, Debug)]
pub struct Token {
    /// The characters as written.
    pub text: String,
    /// What it is.
    pub kind: Kind,
    /// The line it starts on, counted from 1.
    pub line: usize,
}

/// A file under the rules.
pub struct Source {
    /// From the top of the repository, with slashes.
    pub path: String,
    /// The whole text.
    pub text: String,
    /// Code without comments.
    pub code: Vec<Token>,
    /// The comments.
    pub comments: Vec<Token>,
    /// Which of `code` only tests see.
    tests: Vec<Range<usize>>,
    /// Whether the whole file is a test module.
    only_tests: bool,
}

impl Source {
    /// Cuts a file. `only_tests` says that its parent declares it under `#[cfg(test)]`.
    pub fn new(path: &str, text: &str, only_tests: bool) -> Source {
        let (comments, code): (Vec<Token>, Vec<Token>) = tokens(text)
            .into_iter()
            .partition(|token| token.kind == Kind::Comment);
        let only_tests = only_tests || find(&code, "#![cfg(test)]").next().is_some();
        let tests = test_items(&code);
        Source {
            path: path.to_owned(),
            text: text.to_owned(),
            code,
            comments,
            tests,
            only_tests,
        }
    }

    /// The room the file lives in: the first directory under `src`, or `main` for the binary;
    /// `None` for `src/lib.rs` and everything outside `src`.
    pub fn room(&self) -> Option<&str> {
        let inside = self.path.strip_prefix("src/")?;
        match inside.split_once('/') {
            Some((room, _)) => Some(room),
            None => inside.strip_suffix(".rs").filter(|stem| *stem != "lib"),
        }
    }

    /// The last part of the path without `.rs`.
    pub fn stem(&self) -> &str {
        let name = self
            .path
            .rsplit_once('/')
            .map_or(&*self.path, |(_, name)| name);
        name.strip_suffix(".rs").unwrap_or(name)
    }

    /// Whether the token at this place of `code` belongs to the product.
    pub fn is_product(&self, place: usize) -> bool {
        !self.only_tests && !self.tests.iter().any(|range| range.contains(&place))
    }

    /// Places in product code where the pattern starts.
    pub fn product(&self, pattern: &str) -> Vec<usize> {
        find(&self.code, pattern)
            .filter(|place| self.is_product(*place))
            .collect()
    }

    /// Lines that are not inside a test item.
    pub fn product_lines(&self) -> usize {
        if self.only_tests {
            return 0;
        }
        let tested: usize = self
            .tests
            .iter()
            .map(|range| self.code[range.end - 1].line - self.code[range.start].line + 1)
            .sum();
        self.text.lines().count() - tested
    }

    /// The modules declared as `#[cfg(test)] mod name;`.
    pub fn test_modules(&self) -> Vec<String> {
        self.tests
            .iter()
            .filter_map(|range| {
                let item = &self.code[range.clone()];
                let at = item.iter().position(|token| token.text == "mod")?;
                (item.get(at + 2)?.text == ";").then(|| item[at + 1].text.clone())
            })
            .collect()
    }
}

/// Places where the tokens of `pattern` stand in a row.
pub fn find<'a>(code: &'a [Token], pattern: &str) -> impl Iterator<Item = usize> + 'a {
    let wanted: Vec<String> = tokens(pattern)
        .into_iter()
        .map(|token| token.text)
        .collect();
    let length = wanted.len().max(1);
    (0..(code.len() + 1).saturating_sub(length)).filter(move |start| {
        code[*start..*start + length]
            .iter()
            .zip(&wanted)
            .all(|(token, text)| token.kind != Kind::Literal && token.text == *text)
    })
}

/// Items under `#[cfg(test)]`, attribute included.
fn test_items(code: &[Token]) -> Vec<Range<usize>> {
    let attribute = tokens("#[cfg(test)]").len();
    let mut items: Vec<Range<usize>> = Vec::new();
    for start in find(code, "#[cfg(test)]") {
        if items.last().is_some_and(|item| item.contains(&start)) {
            continue;
        }
        items.push(start..end_of_item(code, start + attribute));
    }
    items
}

/// The place after the item that starts here: behind its semicolon or its closing brace.
fn end_of_item(code: &[Token], start: usize) -> usize {
    let mut depth = 0_usize;
    for (place, token) in code.iter().enumerate().skip(start) {
        match (token.kind, token.text.as_str()) {
            (Kind::Mark, "{" | "(" | "[") => depth += 1,
            (Kind::Mark, "}" | ")" | "]") if depth == 0 => return place,
            (Kind::Mark, "}") if depth == 1 => return place + 1,
            (Kind::Mark, "}" | ")" | "]") => depth -= 1,
            (Kind::Mark, ";" | ",") if depth == 0 => return place + 1,
            _ => {}
        }
    }
    code.len()
}

/// Cuts a text into tokens. Unclosed literals and comments reach to the end.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (kind, length) = next(rest, first);
        let (token, after) = rest.split_at(length);
        if let Some(kind) = kind {
            let text = token.to_owned();
            found.push(Token { text, kind, line });
        }
        line += token.matches('\n').count();
        rest = after;
    }
    found
}

/// Kind and length in bytes of the token that starts here; no kind for white space.
fn next(rest: &str, first: char) -> (Option<Kind>, usize) {
    if first.is_whitespace() {
        return (None, first.len_utf8());
    }
    if rest.starts_with("//") {
        let length = rest.find('\n').unwrap_or(rest.len());
        return (Some(Kind::Comment), length);
    }
    if rest.starts_with("/*") {
        return (Some(Kind::Comment), block_comment(rest));
    }
    if let Some(length) = literal(rest) {
        return (Some(Kind::Literal), length);
    }
    if first.is_alphanumeric() || first == '_' {
        let length = rest
            .find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))
            .unwrap_or(rest.len());
        return (Some(Kind::Word), length);
    }
    if rest.starts_with("::") {
        return (Some(Kind::Mark), 2);
    }
    (Some(Kind::Mark), first.len_utf8())
}

/// Length of a block comment; they nest.
fn block_comment(rest: &str) -> usize {
    let mut depth = 0_usize;
    let mut place = 0;
    while place < rest.len() {
        let here = &rest.as_bytes()[place..];
        if here.starts_with(b"/*") {
            depth += 1;
            place += 2;
        } else if here.starts_with(b"*/") {
            depth -= 1;
            place += 2;
            if depth == 0 {
                return place;
            }
        } else {
            place += 1;
        }
    }
    rest.len()
}

/// Length of the literal that starts here, if one does.
fn literal(rest: &str) -> Option<usize> {
    let quote = rest.find(|letter: char| !matches!(letter, 'b' | 'c' | 'r' | '#'))?;
    let prefix = &rest[..quote];
    let raw = prefix.trim_end_matches('#');
    let hashes = prefix.len() - raw.len();
    if rest.as_bytes()[quote] == b'"' {
        return match raw {
            "r" | "br" | "cr" => {
                let close = format!("\"{}", "#".repeat(hashes));
                let body = &rest[quote + 1..];
                let end = body.find(&close).map_or(body.len(), |at| at + close.len());
                Some(quote + 1 + end)
            }
            "" | "b" | "c" if hashes == 0 => Some(quote + closing(&rest[quote..], '"')),
            _ => None,
        };
    }
    if rest.as_bytes()[quote] != b'\'' || !matches!(prefix, "" | "b") {
        return None;
    }
    // A quote is a character when one character, escaped or not, stands before the next quote;
    // else it starts a lifetime.
    let mut inside = rest[quote + 1..].chars();
    let first = inside.next()?;
    (first == '\\' || inside.next() == Some('\'')).then(|| quote + closing(&rest[quote..], '\''))
}

/// Length up to and with the closing quote, escapes skipped.
fn closing(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (place, letter) in rest.char_indices().skip(1) {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if letter == quote => return place + letter.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}
