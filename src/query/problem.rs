//! What is wrong, doubtful or worth saying about a query: codes, places, repairs, carets.

use std::fmt;

/// A piece of the query text in bytes, always on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The piece from `start` to before `end`.
    pub const fn new(start: usize, end: usize) -> Span {
        Span { start, end }
    }

    /// The smallest piece that covers both.
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }

    /// The same piece counted in UTF-16 units, as browsers count.
    #[must_use]
    pub fn utf16(self, query: &str) -> Span {
        let units = |at: usize| {
            query
                .char_indices()
                .take_while(|(start, _)| *start < at)
                .map(|(_, letter)| letter.len_utf16())
                .sum()
        };
        Span {
            start: units(self.start),
            end: units(self.end),
        }
    }
}

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Ran; shown beside the Read-as line.
    Note,
    /// Ran; blocks in strict mode.
    Warning,
    /// Did not run.
    Error,
}

impl Severity {
    /// The word in front of the code on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident $severity:ident;)*) => {
        /// The stable code of a problem; each has a help anchor of the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {$($(#[$doc])* $code,)*}

        impl Code {
            /// Every code, notes first, then warnings, then errors.
            pub const ALL: &'static [Code] = &[$(Code::$code,)*];

            /// The code as printed, such as `Q012`.
            pub const fn name(self) -> &'static str {
                match self {$(Code::$code => stringify!($code),)*}
            }

            /// How much a problem of this code matters.
            pub const fn severity(self) -> Severity {
                match self {$(Code::$code => Severity::$severity,)*}
            }
        }
    };
}

codes! {
    /// Lower-case `and`, `or`, `not` searched as words.
    N01 Note;
    /// Blank after the colon of a field accepted.
    N02 Note;
    /// Foreign quotes read as `"`.
    N03 Note;
    /// Only negatives: everything except ...
    N04 Note;
    /// Blank read as AND where dtSearch would read a phrase.
    N05 Note;
    /// `?` at the end of a word is a wildcard.
    N07 Note;
    /// Relative date resolved.
    N08 Note;
    /// Expansions of a wildcard, fuzzy word, stem or regex.
    N09 Note;
    /// Further hits in attachments or file names.
    N10 Note;
    /// Hits with an assumed zone near a date boundary.
    N12 Note;
    /// dtSearch noise word kept.
    N13 Note;
    /// A field computed by a job: detected through N of M.
    N14 Note;
    /// Wildcard that touches a script without spaces dropped.
    N15 Note;
    /// AND and OR mixed without parentheses.
    W01 Warning;
    /// A name matches several people.
    W02 Warning;
    /// No such person, chat, tag, matter, ... inside the scope.
    W03 Warning;
    /// Chained proximity read left to right.
    W04 Warning;
    /// Month without a year.
    W05 Warning;
    /// A translation is approximate.
    W10 Warning;
    /// A later message or edit can change what a hold matches.
    W11 Warning;
    /// Empty query.
    Q001 Error;
    /// Over a size limit.
    Q002 Error;
    /// Nested too deep.
    Q003 Error;
    /// Unknown field.
    Q004 Error;
    /// Unbalanced quote.
    Q005 Error;
    /// Unbalanced parenthesis.
    Q006 Error;
    /// Leading, trailing or double operator.
    Q007 Error;
    /// Value not valid for the field.
    Q008 Error;
    /// Ambiguous date.
    Q009 Error;
    /// Invalid date, time or zone.
    Q010 Error;
    /// Distance out of range.
    Q011 Error;
    /// `AND` group as operand of proximity.
    Q012 Error;
    /// `NOT` as operand of proximity.
    Q013 Error;
    /// Field, negated proximity or anchor where it cannot stand.
    Q014 Error;
    /// Message proximity or wider scope inside message proximity.
    Q015 Error;
    /// Wider scope or message proximity inside a scoped group.
    Q016 Error;
    /// A term without a searchable character.
    Q017 Error;
    /// Fuzzy word too short, or distance over 2.
    Q018 Error;
    /// Too many expansions.
    Q019 Error;
    /// Regex syntax or size.
    Q020 Error;
    /// Text regex without a selective clause.
    Q021 Error;
    /// Wildcard without a literal.
    Q022 Error;
    /// Construct of another syntax.
    Q023 Error;
    /// Field or construct not allowed in this use.
    Q024 Error;
    /// Directive repeated or inside parentheses.
    Q026 Error;
    /// Range reversed.
    Q027 Error;
    /// Relative date not allowed in this use.
    Q028 Error;
}

impl Code {
    /// The place of its explanation in the help pages.
    pub fn help(self) -> String {
        format!("/help/query#{}", self.name())
    }

    /// Whether the warning may be accepted by code in strict mode instead of being rewritten.
    pub const fn may_be_accepted(self) -> bool {
        matches!(self.severity(), Severity::Warning)
            && !matches!(self, Code::W01 | Code::W04 | Code::W05)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A repair: replacing `span` by `text` removes the problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// What the repair does, in a few words.
    pub label: String,
    /// The piece of the query that goes.
    pub span: Span,
    /// What stands there instead.
    pub text: String,
}

impl Suggestion {
    /// The query with the repair applied. Spans outside the query are clipped.
    pub fn apply(&self, query: &str) -> String {
        let before = query.get(..self.span.start).unwrap_or(query);
        let after = query.get(self.span.end..).unwrap_or("");
        format!("{before}{}{after}", self.text)
    }
}

/// One problem of one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which.
    pub code: Code,
    /// What is wrong, in one lower-case sentence without final stop.
    pub message: String,
    /// Where, in bytes of the query; see [`Span::utf16`].
    pub span: Span,
    /// Repairs, best first; may be none.
    pub suggestions: Vec<Suggestion>,
}

impl Problem {
    /// A problem without repairs yet.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Problem {
        Problem {
            code,
            message: message.into(),
            span,
            suggestions: Vec::new(),
        }
    }

    /// The same problem with one more repair.
    #[must_use]
    pub fn suggest(
        mut self,
        label: impl Into<String>,
        span: Span,
        text: impl Into<String>,
    ) -> Problem {
        self.suggestions.push(Suggestion {
            label: label.into(),
            span,
            text: text.into(),
        });
        self
    }

    /// How much it matters.
    pub const fn severity(&self) -> Severity {
        self.code.severity()
    }
}

/// Columns of a tab in the caret lines: the tab is printed as one blank.
const TAB: char = ' ';

/// The problems as the command line shows them: a line with code and message, the query, carets
/// under the place, and one `help` line per repair. A query of several lines is shown as one.
pub fn render_carets(query: &str, problems: &[Problem]) -> String {
    let line: String = query
        .chars()
        .map(|letter| if letter.is_control() { TAB } else { letter })
        .collect();
    let mut out = String::new();
    for problem in problems {
        let before = columns(query.get(..problem.span.start).unwrap_or(query));
        let under = columns(
            query
                .get(problem.span.start..problem.span.end)
                .unwrap_or(""),
        )
        .max(1);
        out.push_str(&format!(
            "{}[{}]: {}\n  | {line}\n  | {}{}\n",
            problem.severity().name(),
            problem.code,
            problem.message,
            " ".repeat(before),
            "^".repeat(under),
        ));
        if !problem.suggestions.is_empty() {
            let helps: Vec<String> = problem.suggestions.iter().map(help_of).collect();
            out.push_str(&format!("  = help: {}\n", helps.join(",  or  ")));
        }
    }
    out
}

/// Problems of one query whose repairs are tried out; repairs of further problems are left out.
pub(super) const REPAIRED_PROBLEMS_MAX: usize = 8;
/// The label of a repair that rewrites a whole expression.
pub(super) const WRITE: &str = "write";

fn help_of(suggestion: &Suggestion) -> String {
    let Suggestion { label, text, .. } = suggestion;
    if text.trim().is_empty() {
        label.clone()
    } else if label == WRITE {
        format!("{WRITE}  {text}")
    } else {
        format!("{text}  for \"{label}\"")
    }
}

/// Columns a terminal gives the text: wide characters take two, marks none.
fn columns(text: &str) -> usize {
    text.chars()
        .map(|letter| {
            let wide = matches!(letter as u32,
                0x1100..=0x115F | 0x2E80..=0x303E | 0x3041..=0xA4CF | 0xAC00..=0xD7A3
                | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6
                | 0x1F300..=0x1FAFF | 0x20000..=0x3FFFD);
            let none = matches!(letter as u32,
                0x0300..=0x036F | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x2064
                | 0xFE00..=0xFE0F | 0xFEFF);
            if none {
                0
            } else if wide {
                2
            } else {
                1
            }
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_utf16_units() {
        let query = "é👍x";
        assert_eq!(Span::new(2, 6).utf16(query), Span::new(1, 3));
        assert_eq!(Span::new(6, 7).utf16(query), Span::new(3, 4));
    }

    #[test]
    fn carets_stand_under_the_place() {
        let query = "(discount AND refund) w/10 invoice";
        let problem = Problem::new(Code::Q012, Span::new(0, 21), "proximity needs a word")
            .suggest(WRITE, Span::new(0, 34), "(discount w/10 invoice)")
            .suggest("within 10 messages", Span::new(22, 26), "w/10msg");
        assert_eq!(
            render_carets(query, &[problem]),
            "error[Q012]: proximity needs a word
  | (discount AND refund) w/10 invoice
  | ^^^^^^^^^^^^^^^^^^^^^
  = help: write  (discount w/10 invoice),  or  w/10msg  for \"within 10 messages\"
"
        );
    }

    #[test]
    fn codes_tell_their_severity() {
        assert_eq!(Code::ALL.len(), 47);
        assert!(Code::W03.may_be_accepted());
        assert!(!Code::W01.may_be_accepted());
        assert!(!Code::Q001.may_be_accepted());
    }
}
