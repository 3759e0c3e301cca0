//! The syntax tree: a query as typed, names and relative dates still unresolved.
//!
//! Nodes compare by what they say, never by where they stand: two spellings of one query are equal.

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use super::fields::Field;
use super::problem::Span;

/// A whole query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// What a hit has to match.
    pub root: Expr,
    /// The zone of dates and times: as stated by `tz:`, else filled in by the parser when the
    /// query uses dates, times or `@day`.
    pub zone: Option<Tz>,
    /// `accent:strict`: compare exact forms only.
    pub accent_strict: bool,
    /// `strict:true`: warnings block.
    pub strict: bool,
}

/// One node with its place in the text.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it says.
    pub kind: ExprKind,
    /// Where it stands; empty in trees that were not parsed.
    pub span: Span,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Expr) -> bool {
        self.kind == other.kind
    }
}

impl Eq for Expr {}

impl From<ExprKind> for Expr {
    fn from(kind: ExprKind) -> Expr {
        Expr {
            kind,
            span: Span::default(),
        }
    }
}

/// The sorts of node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExprKind {
    /// `*`: every message.
    Everything,
    /// All of them, at least two.
    And(Vec<Expr>),
    /// Any of them, at least two.
    Or(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A word, wildcard, fuzzy word or stem.
    Word(Word),
    /// Words in quotes.
    Phrase(Phrase),
    /// `/re/` over terms.
    TermRegex(Pattern),
    /// `{start}` or `{end}`, an operand of word proximity.
    Anchor(Anchor),
    /// `a w/5 b` and its kin.
    Proximity(Proximity),
    /// `(…)@day` and its kin.
    Scoped(Box<Expr>, Unit),
    /// `text:`, `filename:`, `attachment:` around words.
    InText(TextField, Box<Expr>),
    /// `text:/re/` over the stored text with blanks and punctuation.
    TextRegex(TextField, Pattern),
    /// Every other field.
    Field(FieldTest),
}

/// A word of a query as pieces, so that an escaped `\*` stays a letter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Pieces(pub Vec<Piece>);

/// One piece of a word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Piece {
    /// Characters that stand for themselves.
    Literal(String),
    /// `*`: any run of characters, also none.
    AnyRun,
    /// `?`: exactly one character.
    AnyOne,
}

impl Pieces {
    /// A word without wildcards.
    pub fn literal(text: impl Into<String>) -> Pieces {
        Pieces(vec![Piece::Literal(text.into())])
    }

    /// Whether there is a wildcard in it.
    pub fn has_wildcard(&self) -> bool {
        self.0
            .iter()
            .any(|piece| !matches!(piece, Piece::Literal(_)))
    }

    /// Whether it is `*` alone.
    pub fn is_star(&self) -> bool {
        self.0 == [Piece::AnyRun]
    }

    /// The characters, wildcards as typed.
    pub fn text(&self) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.as_str(),
                Piece::AnyRun => "*",
                Piece::AnyOne => "?",
            })
            .collect()
    }
}

/// A word outside quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its characters.
    pub pieces: Pieces,
    /// How it is compared.
    pub form: WordForm,
}

/// How a word is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordForm {
    /// As it stands; wildcards count.
    Plain,
    /// `~1`, `~2`: up to that many edits.
    Fuzzy(u8),
    /// `^stem`: same Snowball stem. `None` until resolved from `lang:` or the workspace.
    Stem(Option<StemLanguage>),
}

/// Words in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// The words in order.
    pub items: Vec<PhraseItem>,
    /// `~n`: any order inside a window of phrase length + n positions.
    pub slop: Option<u32>,
}

/// One word of a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhraseItem {
    /// A word, perhaps with wildcards.
    Word(Pieces),
    /// `*` alone: exactly one word, whatever it is.
    AnyWord,
}

/// A regular expression in Rust `regex` syntax, already found valid.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// The text between the slashes.
    pub source: String,
    /// `i`: ignore case (term regexes always do).
    pub ignore_case: bool,
}

/// The edges of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// The position before the first word.
    Start,
    /// The position after the last word.
    End,
}

/// Two operands at a distance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proximity {
    /// The operand in front of the operator.
    pub left: Box<Expr>,
    /// The operand after it.
    pub right: Box<Expr>,
    /// `pre/`: left before right.
    pub ordered: bool,
    /// `not w/`: left without right near.
    pub negated: bool,
    /// How near.
    pub distance: Distance,
}

/// A distance of proximity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Distance {
    /// Word positions in one text, 1..=250.
    Words(u32),
    /// Messages of the conversation, 1..=1,000.
    Messages(u32),
    /// Time between the messages, up to 31 days.
    Time(Lapse),
}

impl Distance {
    /// Whether it joins messages rather than words.
    pub const fn joins_messages(self) -> bool {
        !matches!(self, Distance::Words(_))
    }
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Lapse {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: LapseUnit,
}

/// Units of time; the letters of `older_than:` and `@window(…)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LapseUnit {
    /// `min`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `m`: a calendar month; only in dates.
    Month,
    /// `y`: a calendar year; only in dates.
    Year,
}

/// The unit a group has to hold in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unit {
    /// One message.
    Message,
    /// The thread, or the closure of replies.
    Thread,
    /// A session: a longer silence splits.
    Window(Lapse),
    /// Conversation and calendar day in the query's zone.
    Day,
    /// The whole conversation.
    Conversation,
}

/// Where words are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextField {
    /// The versions of the text; the default.
    Text,
    /// Names of attachments.
    Filename,
    /// Text extracted from attachments.
    Attachment,
}

impl TextField {
    /// The field of the same name.
    pub const fn field(self) -> Field {
        match self {
            TextField::Text => Field::Text,
            TextField::Filename => Field::Filename,
            TextField::Attachment => Field::Attachment,
        }
    }

    /// The text field of a field, if it is one.
    pub const fn from_field(field: Field) -> Option<TextField> {
        match field {
            Field::Text => Some(TextField::Text),
            Field::Filename => Some(TextField::Filename),
            Field::Attachment => Some(TextField::Attachment),
            _ => None,
        }
    }
}

/// A test of a field that is not free text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTest {
    /// The field.
    pub field: Field,
    /// What its value has to be.
    pub values: Values,
}

/// What the value of a field has to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// `field:*`: there is one.
    Any,
    /// One of these; at least one.
    OneOf(Vec<Value>),
    /// On that side of it.
    Compare(Comparison, Value),
    /// From the first to the second.
    Range(Value, Value),
}

/// Sides of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
}

impl Comparison {
    /// The sign as typed.
    pub const fn sign(self) -> &'static str {
        match self {
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Equal => "=",
        }
    }
}

/// One value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A name or id, also codes with wildcards (`ext:`, `mime:`, `url:`).
    Name(Pieces),
    /// One of the fixed list of the field, lower case.
    Choice(String),
    /// A date.
    Date(DateSpec),
    /// A length of time.
    Lapse(Lapse),
    /// Minutes after midnight, 0..=1,440.
    Minute(u16),
    /// A day of the week, 0 = Monday.
    Weekday(u8),
    /// Bytes.
    Size(u64),
    /// Money.
    Amount(Amount),
    /// ISO 4217 code, upper case.
    Currency([u8; 3]),
    /// An emoji as typed, or `:name:`.
    Emoji(String),
}

/// An amount of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Amount {
    /// Thousandths of the unit.
    pub millis: i64,
    /// ISO 4217 code; `None` = any currency.
    pub currency: Option<[u8; 3]>,
}

/// A date as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DateSpec {
    /// A whole year.
    Year(i32),
    /// A whole month, 1..=12.
    Month(i32, u32),
    /// A day.
    Day(NaiveDate),
    /// A minute.
    Minute(NaiveDateTime),
    /// Today.
    Today,
    /// Yesterday.
    Yesterday,
    /// `-7d`: the day that long ago.
    Ago(Lapse),
}

impl DateSpec {
    /// Whether it moves with the day it is asked on.
    pub const fn is_relative(self) -> bool {
        matches!(
            self,
            DateSpec::Today | DateSpec::Yesterday | DateSpec::Ago(_)
        )
    }
}

macro_rules! stem_languages {
    ($($variant:ident $code:literal $name:literal;)*) => {
        /// Languages with a Snowball stemmer.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names of the languages say all there is to say")]
        pub enum StemLanguage {$($variant,)*}

        impl StemLanguage {
            /// Every language, by code.
            pub const ALL: &'static [StemLanguage] = &[$(StemLanguage::$variant,)*];

            /// ISO 639-1 code.
            pub const fn code(self) -> &'static str {
                match self {$(StemLanguage::$variant => $code,)*}
            }

            /// English name.
            pub const fn name(self) -> &'static str {
                match self {$(StemLanguage::$variant => $name,)*}
            }

            /// The language of an ISO 639-1 code, case-blind; regions (`pt-BR`) are ignored.
            pub fn from_code(code: &str) -> Option<StemLanguage> {
                let base = code.split(['-', '_']).next().unwrap_or(code);
                Self::ALL.iter().copied().find(|language| language.code().eq_ignore_ascii_case(base))
            }

            /// The stemmer of the language.
            pub const fn algorithm(self) -> rust_stemmers::Algorithm {
                match self {$(StemLanguage::$variant => rust_stemmers::Algorithm::$variant,)*}
            }
        }
    };
}

stem_languages! {
    Arabic "ar" "Arabic";
    Danish "da" "Danish";
    German "de" "German";
    Greek "el" "Greek";
    English "en" "English";
    Spanish "es" "Spanish";
    Finnish "fi" "Finnish";
    French "fr" "French";
    Hungarian "hu" "Hungarian";
    Italian "it" "Italian";
    Dutch "nl" "Dutch";
    Norwegian "no" "Norwegian";
    Portuguese "pt" "Portuguese";
    Romanian "ro" "Romanian";
    Russian "ru" "Russian";
    Swedish "sv" "Swedish";
    Tamil "ta" "Tamil";
    Turkish "tr" "Turkish";
}
