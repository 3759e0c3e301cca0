//! Query text to tokens. Every byte of the text belongs to a token or to the blanks between; the
//! lexer reports what only it can see (quotes, foreign constructs, unknown fields) and goes on.

use super::ast::{Anchor, Comparison, Pattern, PhraseItem, Piece, Pieces};
use super::fields::{Field, ValueKind};
use super::problem::{Code, Problem, REPAIRED_PROBLEMS_MAX, Span};
use super::token::{
    AtomKind, RawAtom, RawPhrase, RawProximity, RawUnit, RawValue, RawWord, Suffix, Token,
    TokenKind, push_literal,
};

/// Tokens of a query with what was wrong on the way.
pub(super) fn lex(query: &str) -> (Vec<Token>, Vec<Problem>) {
    let mut lexer = Lexer {
        query,
        at: 0,
        tokens: Vec::new(),
        problems: Vec::new(),
    };
    while lexer.token() {}
    (lexer.tokens, lexer.problems)
}

/// Reads one atom that fills the whole text: a word of a group seen as value of its field.
pub(super) fn lex_values(field: Field, text: &str, offset: usize) -> (RawValue, Vec<Problem>) {
    let mut lexer = Lexer {
        query: text,
        at: 0,
        tokens: Vec::new(),
        problems: Vec::new(),
    };
    let mut value = lexer.value(field);
    shift(&mut value, offset);
    (value, lexer.problems)
}

fn shift(value: &mut RawValue, offset: usize) {
    let moved = |span: &mut Span| *span = Span::new(span.start + offset, span.end + offset);
    match value {
        RawValue::Atoms { atoms, .. } => {
            for atom in atoms {
                moved(&mut atom.span);
                match &mut atom.kind {
                    AtomKind::Word(word) => moved(&mut word.suffix_span),
                    AtomKind::Phrase(phrase) => moved(&mut phrase.slop_span),
                }
            }
        }
        RawValue::Regex(_, span) => moved(span),
        RawValue::Missing | RawValue::Group => {}
    }
}

struct Lexer<'a> {
    query: &'a str,
    at: usize,
    tokens: Vec<Token>,
    problems: Vec<Problem>,
}

/// Quotes that open or close a phrase besides `"`: “ ” „ « » 「 」 and the full-width form.
const FOREIGN_QUOTES: &[char] = &['“', '”', '„', '«', '»', '「', '」', '＂'];
/// Schemes whose colon is text, besides any name followed by `//`.
const SCHEMES: &[&str] = &[
    "http", "https", "ftp", "mailto", "tel", "sms", "geo", "file", "ws", "wss",
];
/// Functions of KQL that are never read as words when a parenthesis follows at once.
const KQL_FUNCTIONS: &[&str] = &["XRANK", "ALL", "ANY", "NONE", "WORDS"];
/// The reach of `NEAR` without a number (Keyword Query Language, default of NEAR).
const NEAR_WORDS: u32 = 8;

pub(super) fn is_quote(letter: char) -> bool {
    letter == '"' || FOREIGN_QUOTES.contains(&letter)
}

fn ends_run(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '(' | ')') || is_quote(letter)
}

impl<'a> Lexer<'a> {
    fn rest(&self) -> &'a str {
        self.query.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn skip_blanks(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    fn push(&mut self, start: usize, kind: TokenKind) {
        let span = Span::new(start, self.at);
        self.tokens.push(Token { kind, span });
    }

    /// Reads one token; `false` at the end.
    fn token(&mut self) -> bool {
        self.skip_blanks();
        let start = self.at;
        let Some(first) = self.peek() else {
            return false;
        };
        match first {
            '(' => {
                self.at += 1;
                self.push(start, TokenKind::Open);
            }
            ')' => {
                self.at += 1;
                self.push(start, TokenKind::Close);
                self.scope();
            }
            quote if is_quote(quote) => {
                let phrase = self.phrase();
                self.push(start, TokenKind::Phrase(phrase));
            }
            '-' if self.negates() => {
                self.at += 1;
                self.push(start, TokenKind::Minus);
            }
            '/' => match self.regex() {
                Some(pattern) => self.push(start, TokenKind::Regex(pattern)),
                None => self.word_token(),
            },
            '{' => match self.anchor() {
                Some(anchor) => self.push(start, TokenKind::Anchor(anchor)),
                None => self.word_token(),
            },
            _ => self.run(),
        }
        true
    }

    /// `-` negates before anything but a blank, a closing parenthesis and the end.
    fn negates(&self) -> bool {
        self.rest()
            .chars()
            .nth(1)
            .is_some_and(|next| !next.is_whitespace() && next != ')')
    }

    fn scope(&mut self) {
        let start = self.at;
        let Some(rest) = self.rest().strip_prefix('@') else {
            return;
        };
        let name: String = rest.chars().take_while(|c| c.is_alphanumeric()).collect();
        if name.is_empty() {
            return;
        }
        self.at += 1 + name.len();
        let mut duration = None;
        let inside = self
            .rest()
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'));
        if let Some((inside, _)) = inside
            && inside.len() <= SCOPE_ARGUMENT_MAX
            && inside.chars().all(|c| c.is_alphanumeric() || c == ' ')
        {
            duration = Some(inside.trim().to_owned());
            self.at += inside.len() + 2;
        }
        self.push(start, TokenKind::Scope { name, duration });
    }

    fn anchor(&mut self) -> Option<Anchor> {
        for (text, anchor) in [("{start}", Anchor::Start), ("{end}", Anchor::End)] {
            let ahead = self.rest().get(..text.len());
            if ahead.is_some_and(|ahead| ahead.eq_ignore_ascii_case(text)) {
                self.at += text.len();
                return Some(anchor);
            }
        }
        None
    }

    /// A token that begins with an ordinary character: operator, field or word.
    fn run(&mut self) {
        let start = self.at;
        let rest = self.rest();
        let len = rest.find(ends_run).unwrap_or(rest.len());
        let run = rest.get(..len).unwrap_or(rest);
        if self.negated_proximity(run) {
            return;
        }
        let plain = match run {
            "AND" => Some(TokenKind::And),
            "OR" => Some(TokenKind::Or),
            "NOT" => Some(TokenKind::Not),
            _ => proximity(run).map(TokenKind::Proximity),
        };
        if let Some(kind) = plain {
            self.at += len;
            return self.push(start, kind);
        }
        if self.near(run) || self.field() {
            return;
        }
        self.foreign(run);
        self.word_token();
    }

    /// `NEAR`, `NEAR/5`, `NEAR(5)`, `NEAR(n=5)`; `ONEAR` is refused with its native form.
    fn near(&mut self, run: &str) -> bool {
        let start = self.at;
        let (name, ordered) = match run {
            _ if run == "NEAR" || run.starts_with("NEAR/") => ("NEAR", false),
            _ if run == "ONEAR" || run.starts_with("ONEAR/") => ("ONEAR", true),
            _ => return false,
        };
        let mut count = NEAR_WORDS;
        let mut len = run.len();
        if let Some(digits) = run
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('/'))
        {
            let Some(number) = number(digits) else {
                return false;
            };
            count = number;
        } else if let Some((inside, _)) = self
            .rest()
            .get(len..)
            .and_then(|rest| rest.strip_prefix('('))
            .and_then(|rest| rest.split_once(')'))
        {
            let digits = inside.trim();
            let digits = digits.strip_prefix("n=").unwrap_or(digits);
            if let Some(number) = number(digits) {
                count = number;
                len += inside.len() + 2;
            }
        }
        self.at += len;
        if ordered {
            let span = Span::new(start, self.at);
            self.problems.push(
                Problem::new(
                    Code::Q023,
                    span,
                    "\"ONEAR\" belongs to another syntax (KQL)",
                )
                .suggest("ordered proximity", span, format!("pre/{count}")),
            );
        }
        self.push(
            start,
            TokenKind::Proximity(RawProximity {
                ordered,
                negated: false,
                count,
                unit: RawUnit::Words,
            }),
        );
        true
    }

    fn negated_proximity(&mut self, run: &str) -> bool {
        if !run.eq_ignore_ascii_case("not") {
            return false;
        }
        let start = self.at;
        let after = self.rest().get(run.len()..).unwrap_or("");
        let next = after.trim_start();
        let len = next.find(ends_run).unwrap_or(next.len());
        let Some(raw) = next.get(..len).and_then(proximity) else {
            return false;
        };
        self.at += run.len() + (after.len() - next.len()) + len;
        let negated = true;
        self.push(start, TokenKind::Proximity(RawProximity { negated, ..raw }));
        true
    }

    /// `name:` with its value, when the name is known; a report when it only looks like a field.
    fn field(&mut self) -> bool {
        let start = self.at;
        let Some((name, value)) = self.rest().split_once(':') else {
            return false;
        };
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphabetic() || c == '_' || c == '-' || c.is_ascii_digit())
            && name.starts_with(char::is_alphabetic);
        if !is_name {
            return false;
        }
        let name_end = start + name.len();
        if let Some(field) = Field::from_name(name) {
            self.at = name_end + 1;
            let value = self.value(field);
            self.push(start, TokenKind::Field(field, value));
            return true;
        }
        let is_text = SCHEMES
            .iter()
            .any(|scheme| scheme.eq_ignore_ascii_case(name))
            || value.is_empty()
            || value.starts_with("//")
            || value.starts_with(char::is_whitespace)
            || value.starts_with(')');
        if !is_text {
            self.unknown_field(name, Span::new(start, name_end));
        }
        false
    }

    fn unknown_field(&mut self, name: &str, span: Span) {
        let rest = self.rest();
        let end = rest.find(ends_run).unwrap_or(rest.len());
        let whole = Span::new(span.start, span.start + end);
        // Far down a broken query nobody reads suggestions, and looking them up takes time.
        let near = match self.problems.len() < REPAIRED_PROBLEMS_MAX {
            true => Field::nearest(name),
            false => Vec::new(),
        };
        let mut problem = Problem::new(Code::Q004, span, format!("there is no field \"{name}\""));
        for known in &near {
            problem = problem.suggest(format!("the field {known}"), span, *known);
        }
        let text = rest.get(..end).unwrap_or("");
        if rest
            .get(end..)
            .is_none_or(|after| !after.starts_with(is_quote))
            && !text.ends_with('\\')
        {
            let quoted = format!("\"{}\"", text.replace('\\', "\\\\"));
            problem = problem.suggest("search it as text", whole, quoted);
        }
        self.problems.push(problem);
    }

    fn foreign(&mut self, run: &str) {
        let span = Span::new(self.at, self.at + run.len());
        let group_follows = self
            .rest()
            .get(run.len()..)
            .is_some_and(|rest| rest.starts_with('('));
        let problem = match run.to_lowercase().as_str() {
            "xfirstword" => Some(("dtSearch", Some("{start}"))),
            "xlastword" => Some(("dtSearch", Some("{end}"))),
            _ if group_follows && KQL_FUNCTIONS.contains(&run) => Some(("KQL", None)),
            _ => None,
        };
        let Some((syntax, native)) = problem else {
            return;
        };
        let message = format!("\"{run}\" belongs to another syntax ({syntax})");
        let mut problem = Problem::new(Code::Q023, span, message);
        if let Some(native) = native {
            problem = problem.suggest("the native form", span, native);
        }
        self.problems.push(problem);
    }

    fn word_token(&mut self) {
        let start = self.at;
        let word = self.word(|_, _| false);
        self.push(start, TokenKind::Word(word));
    }

    /// Reads a word; `stop` sees what was read and the rest before each character.
    fn word(&mut self, stop: impl Fn(Option<char>, &str) -> bool) -> RawWord {
        let mut pieces = Pieces::default();
        let mut last = None;
        while let Some(letter) = self.peek() {
            if ends_run(letter) || stop(last, self.rest()) {
                break;
            }
            if let Some((suffix, len)) = suffix(self.rest(), &stop)
                && !pieces.0.is_empty()
            {
                let suffix_span = Span::new(self.at, self.at + len);
                self.at += len;
                return RawWord {
                    pieces,
                    suffix,
                    suffix_span,
                };
            }
            self.at += letter.len_utf8();
            match letter {
                '*' => pieces.0.push(Piece::AnyRun),
                '?' => pieces.0.push(Piece::AnyOne),
                '\\' => {
                    let escaped = self.peek();
                    self.at += escaped.map_or(0, char::len_utf8);
                    push_literal(&mut pieces, escaped.unwrap_or('\\'));
                }
                letter => push_literal(&mut pieces, letter),
            }
            last = Some(letter);
        }
        RawWord {
            pieces,
            suffix: Suffix::None,
            suffix_span: Span::new(self.at, self.at),
        }
    }

    fn phrase(&mut self) -> RawPhrase {
        let start = self.at;
        let opener = self.peek().unwrap_or('"');
        self.at += opener.len_utf8();
        let closes = |letter: char| {
            letter == opener && matches!(letter, '"' | '＂')
                || is_quote(letter) && !matches!(opener, '"' | '＂')
        };
        let inside = self.at;
        let mut items: Vec<Pieces> = vec![Pieces::default()];
        let mut closed = false;
        while let Some(letter) = self.peek() {
            self.at += letter.len_utf8();
            if closes(letter) {
                closed = true;
                break;
            }
            let Some(item) = items.last_mut() else { break };
            match letter {
                '\\' => {
                    let escaped = self.peek();
                    self.at += escaped.map_or(0, char::len_utf8);
                    push_literal(item, escaped.unwrap_or('\\'));
                }
                '*' => item.0.push(Piece::AnyRun),
                '?' => item.0.push(Piece::AnyOne),
                blank if blank.is_whitespace() => items.push(Pieces::default()),
                letter => push_literal(item, letter),
            }
        }
        if !closed {
            self.unbalanced_quote(start, inside);
        } else if opener != '"' {
            let span = Span::new(start, self.at);
            self.problems.push(Problem::new(
                Code::N03,
                span,
                "foreign quotes are read as \"",
            ));
        }
        let (slop, slop_span) = if closed {
            self.slop()
        } else {
            (None, Span::new(self.at, self.at))
        };
        let items = items
            .into_iter()
            .filter(|item| !item.0.is_empty())
            .map(|item| {
                if item.is_star() {
                    PhraseItem::AnyWord
                } else {
                    PhraseItem::Word(item)
                }
            })
            .collect();
        RawPhrase {
            items,
            slop,
            slop_span,
        }
    }

    fn slop(&mut self) -> (Option<String>, Span) {
        let start = self.at;
        let Some(rest) = self.rest().strip_prefix('~') else {
            return (None, Span::new(start, start));
        };
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        self.at += 1 + digits.len();
        (Some(digits), Span::new(start, self.at))
    }

    fn unbalanced_quote(&mut self, start: usize, inside: usize) {
        let opener = Span::new(start, inside);
        let rest = self.query.get(inside..).unwrap_or("");
        let word = rest.len() - rest.trim_start().len();
        let first = rest
            .trim_start()
            .find(|c: char| c.is_whitespace() || c == ')')
            .map(|len| inside + word + len);
        let end = self.query.trim_end().len().max(inside);
        let closer = |at: usize| {
            let before = self.query.get(start..at).unwrap_or("");
            let escape = if before.ends_with('\\') { "\\" } else { "" };
            format!("{before}{escape}\"")
        };
        let mut problem = Problem::new(Code::Q005, opener, "this quote is never closed");
        if !rest.trim().is_empty() {
            problem = problem.suggest("close it at the end", Span::new(start, end), closer(end));
        }
        if let Some(first) = first
            && first < end
        {
            problem = problem.suggest(
                "close it after the first word",
                Span::new(start, first),
                closer(first),
            );
        }
        problem = problem.suggest("drop it", opener, "");
        self.problems.push(problem);
    }

    /// A regex closes before a blank, `)` or the end; `None` when it never does.
    fn regex(&mut self) -> Option<Pattern> {
        let rest = self.rest().strip_prefix('/')?;
        let mut escaped = false;
        for (at, letter) in rest.char_indices() {
            if letter == '/' && !escaped {
                let after = rest.get(at + 1..).unwrap_or("");
                let ignore_case = after.starts_with('i');
                let next = after.get(usize::from(ignore_case)..).unwrap_or("");
                let closes = |text: &str| {
                    text.chars()
                        .next()
                        .is_none_or(|c| c.is_whitespace() || c == ')')
                };
                let (ends, ignore_case) = if ignore_case {
                    (closes(next), true)
                } else {
                    (closes(after), false)
                };
                if ends && at > 0 {
                    self.at += at + 2 + usize::from(ignore_case);
                    return Some(Pattern {
                        source: rest.get(..at)?.to_owned(),
                        ignore_case,
                    });
                }
            }
            escaped = letter == '\\' && !escaped;
        }
        None
    }

    /// What follows the colon of a field.
    fn value(&mut self, field: Field) -> RawValue {
        let colon = self.at;
        self.skip_blanks();
        if self.at > colon && self.peek().is_some_and(|c| c != ')') {
            let name = field.name();
            let span = Span::new(colon - 1, self.at);
            self.problems.push(
                Problem::new(
                    Code::N02,
                    span,
                    format!("read as the field {name} with this value"),
                )
                .suggest("without the blank", span, ":"),
            );
        }
        let start = self.at;
        match self.peek() {
            None | Some(')') => {
                self.at = colon;
                return RawValue::Missing;
            }
            Some('(') => return RawValue::Group,
            Some('/') => {
                if let Some(pattern) = self.regex() {
                    return RawValue::Regex(pattern, Span::new(start, self.at));
                }
            }
            _ => {}
        }
        self.atoms(field)
    }

    fn atoms(&mut self, field: Field) -> RawValue {
        let is_text = matches!(field.kind(), ValueKind::Text);
        let comparison = if is_text { None } else { self.comparison() };
        let mut atoms = Vec::new();
        let mut range = false;
        loop {
            let start = self.at;
            let kind = match self.peek() {
                Some(quote) if is_quote(quote) => AtomKind::Phrase(self.phrase()),
                _ => AtomKind::Word(self.word(|last, rest| stops_value(field, last, rest))),
            };
            atoms.push(RawAtom {
                kind,
                span: Span::new(start, self.at),
            });
            if !is_text && !range && atoms.len() == 1 && self.rest().starts_with("..") {
                range = true;
                self.at += 2;
            } else if !range && self.rest().starts_with(',') {
                self.at += 1;
            } else {
                break;
            }
        }
        RawValue::Atoms {
            comparison,
            atoms,
            range,
        }
    }

    fn comparison(&mut self) -> Option<Comparison> {
        let span = Span::new(self.at, self.at + 2);
        if self.rest().starts_with("<>") {
            self.problems.push(
                Problem::new(
                    Code::Q023,
                    span,
                    "\"<>\" belongs to another syntax (KQL); put - before the field instead",
                )
                .suggest("the same value without <>", span, ""),
            );
            self.at += 2;
            return None;
        }
        for (sign, comparison) in [
            (">=", Comparison::GreaterOrEqual),
            ("<=", Comparison::LessOrEqual),
            (">", Comparison::Greater),
            ("<", Comparison::Less),
            ("=", Comparison::Equal),
        ] {
            if self.rest().starts_with(sign) {
                self.at += sign.len();
                return Some(comparison);
            }
        }
        None
    }
}

/// Longest text between the parentheses of `@window(…)`, in bytes.
const SCOPE_ARGUMENT_MAX: usize = 16;

/// Where a word of a value ends before a blank: at a comma of a list or the dots of a range. In
/// text fields a comma between digits belongs to the number, and web addresses keep both.
fn stops_value(field: Field, last: Option<char>, rest: &str) -> bool {
    if matches!(field, Field::Url) {
        return false;
    }
    let is_text = matches!(field.kind(), ValueKind::Text);
    if rest.starts_with(',') {
        let next_is_digit = rest.chars().nth(1).is_some_and(|c| c.is_ascii_digit());
        let last_is_digit = last.is_some_and(|c| c.is_ascii_digit());
        return !(is_text && last_is_digit && next_is_digit);
    }
    !is_text && rest.starts_with("..")
}

fn suffix(rest: &str, stop: &impl Fn(Option<char>, &str) -> bool) -> Option<(Suffix, usize)> {
    let ends = |rest: &str| rest.chars().next().is_none_or(ends_run) || stop(None, rest);
    if let Some(after) = rest.strip_prefix('~') {
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        let end = after.get(digits.len()..)?;
        return ends(end).then(|| {
            let len = 1 + digits.len();
            (Suffix::Fuzzy(digits), len)
        });
    }
    let after = rest.strip_prefix("^stem")?;
    if ends(after) {
        return Some((Suffix::Stem(None), "^stem".len()));
    }
    let code: String = after
        .strip_prefix(':')?
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    let len = "^stem:".len() + code.len();
    ends(rest.get(len..)?).then_some((Suffix::Stem(Some(code)), len))
}

/// The operator of a whole token such as `w/5`, `PRE/10msg`.
fn proximity(run: &str) -> Option<RawProximity> {
    let lower = run.to_ascii_lowercase();
    let (ordered, rest) = match lower.strip_prefix("pre/") {
        Some(rest) => (true, rest),
        None => (false, lower.strip_prefix("w/")?),
    };
    let digits = rest.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match rest.get(digits.len()..)? {
        "" => RawUnit::Words,
        "msg" => RawUnit::Messages,
        "min" => RawUnit::Minutes,
        "h" => RawUnit::Hours,
        "d" => RawUnit::Days,
        _ => return None,
    };
    Some(RawProximity {
        ordered,
        negated: false,
        count: number(digits)?,
        unit,
    })
}

/// A number of digits alone, saturated.
pub(super) fn number(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}

/// Whether a word printed as it stands would be read as something else than a word.
pub(super) fn reads_as_operator(run: &str) -> bool {
    let near = run.starts_with("NEAR") || run.starts_with("ONEAR");
    matches!(run, "AND" | "OR" | "NOT")
        || near
        || run.eq_ignore_ascii_case("not")
        || matches!(run.to_lowercase().as_str(), "xfirstword" | "xlastword")
        || KQL_FUNCTIONS.contains(&run)
        || proximity(run).is_some()
        || run.starts_with(['-', '/', '{'])
        || run
            .split_once(':')
            .is_some_and(|(name, _)| name.starts_with(char::is_alphabetic))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(query: &str) -> Vec<String> {
        lex(query)
            .0
            .iter()
            .map(|token| {
                format!("{:?}", token.kind)
                    .chars()
                    .take_while(|c| c.is_alphanumeric())
                    .collect()
            })
            .collect()
    }

    #[test]
    fn operators_are_whole_tokens() {
        assert_eq!(kinds("a w/5 b"), ["Word", "Proximity", "Word"]);
        assert_eq!(kinds("a NOT W/5msg b"), ["Word", "Proximity", "Word"]);
        assert_eq!(kinds("w/out x/w/5"), ["Word", "Word"]);
        assert_eq!(
            kinds("a NEAR(n=5) b NEAR c"),
            ["Word", "Proximity", "Word", "Proximity", "Word"]
        );
        assert_eq!(
            kinds("and AND e-mail -e"),
            ["Word", "And", "Word", "Minus", "Word"]
        );
    }

    #[test]
    fn colons_make_fields_only_after_known_names() {
        assert_eq!(
            kinds("from:ana 10:30 :smile: http://x.example"),
            ["Field", "Word", "Word", "Word"]
        );
        assert_eq!(lex("foo:bar").1[0].code, Code::Q004);
        assert!(lex("https://x.example mailto:a@b.example").1.is_empty());
    }

    #[test]
    fn a_regex_closes_before_a_blank() {
        assert_eq!(kinds("/a\\/b c/ /usr/bin"), ["Regex", "Word"]);
        assert_eq!(kinds("text:/a b/i x"), ["Field", "Word"]);
    }
}
