//! The resolved tree: what evaluator and index both consume. Names are sets of numbers, dates are
//! instants, words are patterns over terms; nothing in it depends on who asks or when.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::ast::{Comparison, Query, TextField, Unit};
use super::fields::Field;
use super::matcher::TermPattern;
use super::problem::Problem;
use crate::domain::{
    App, ConversationKind, ConversationNo, HandleNo, ImportNo, MessageNo, Presence, Timestamp,
};

/// A query ready to run.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// What a hit has to match.
    pub root: Node,
    /// The query with names replaced by ids: print it for the canonical form.
    pub canonical: Query,
    /// The same with relative dates absolute: print it for the resolved form.
    pub absolute: Query,
    /// The zone of days, times of day and weekdays.
    pub zone: Tz,
    /// What the names meant, in order of appearance.
    pub names: Vec<NameReading>,
    /// Notes and warnings found while resolving (W02, W03, N08, N14), besides those of the parser.
    pub problems: Vec<Problem>,
}

/// What one name of the query meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameReading {
    /// The field it stood in.
    pub field: Field,
    /// Id as the canonical form prints it.
    pub id: String,
    /// How people call it.
    pub label: String,
    /// How many identities (handles) it stands for; 0 where that has no meaning.
    pub identities: usize,
}

/// Booleans over leaves. `And` and `Or` may have any number of children, also none.
#[derive(Clone, Debug)]
pub enum Node {
    /// Every message.
    Everything,
    /// No message.
    Nothing,
    /// All of them.
    And(Vec<Node>),
    /// Any of them.
    Or(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// Words in one text field, true if true in at least one of its texts (a version, a file
    /// name, an extracted text).
    Text(TextLeaf),
    /// A regular expression over the stored text.
    TextRegex(TextRegex),
    /// A fact of the record.
    Fact(Predicate),
    /// Two places of one conversation.
    MessageProximity(Box<MessageProximity>),
    /// A group over a unit wider than a message. (`@message` groups are plain nodes, except inside
    /// another group, where they are [`Node::Whole`].)
    Group(Box<GroupScope>),
    /// `(…)@message` inside a wider group: one leaf, evaluated on one message.
    Whole(Box<Node>),
}

/// Words in one text field.
#[derive(Clone, Debug)]
pub struct TextLeaf {
    /// Where.
    pub field: TextField,
    /// What.
    pub span: SpanQuery,
}

/// Places in one text. An occurrence is a closed interval of word positions.
#[derive(Clone, Debug)]
pub enum SpanQuery {
    /// One term that matches any of the alternatives; the occurrence covers the term's positions.
    Term(Vec<TermPattern>),
    /// Slots one after the other, at least one.
    Phrase(Vec<Slot>),
    /// `"a b"~n`: an occurrence of every word, none overlapping another, in any order, all inside
    /// a window of `positions`. The occurrence runs from the first to the last of them.
    Window {
        /// The words, each a [`SpanQuery::Term`] or [`SpanQuery::Phrase`]; at least one.
        words: Vec<SpanQuery>,
        /// Length of the window: positions of the phrase plus slop.
        positions: u32,
    },
    /// Any of these.
    Or(Vec<SpanQuery>),
    /// The position before the first word (-1, as long as the text has positions 0..n).
    Start,
    /// The position after the last word (n).
    End,
    /// Two operands at a distance.
    Near(Box<Near>),
}

/// Word proximity. Without negation the occurrence runs from the first to the last position of
/// both; negated it is the occurrence of `left`.
#[derive(Clone, Debug)]
pub struct Near {
    /// The first operand.
    pub left: SpanQuery,
    /// The second operand.
    pub right: SpanQuery,
    /// Left has to end before right begins.
    pub ordered: bool,
    /// Left without any right in range.
    pub negated: bool,
    /// Largest distance in positions, 1..=250.
    pub distance: u32,
}

/// One word of a phrase. The next slot begins at the end of the matched term (its position plus its
/// span) minus `overlap`.
#[derive(Clone, Debug)]
pub enum Slot {
    /// A term that matches any of the alternatives.
    Term {
        /// The alternatives.
        any: Vec<TermPattern>,
        /// Positions it shares with the next slot: 1 between the pairs of a run of a script
        /// without spaces, else 0.
        overlap: u32,
    },
    /// Exactly one position, whatever stands there.
    AnyWord,
}

/// A regular expression over the stored text.
#[derive(Clone, Debug)]
pub struct TextRegex {
    /// Where.
    pub field: TextField,
    /// The compiled expression.
    pub regex: regex::Regex,
}

/// A test of the record that needs no position.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// The sender is one of these.
    Sender(BTreeSet<HandleNo>),
    /// There is a sender.
    AnySender,
    /// One of these is mentioned.
    Mention(BTreeSet<HandleNo>),
    /// The conversation is one of these.
    Conversation(BTreeSet<ConversationNo>),
    /// Sent in the half-open range of instants.
    Sent(TimeRange),
    /// Local time of day in a half-open range of minutes that may wrap midnight.
    TimeOfDay {
        /// The zone of "local".
        zone: Tz,
        /// First minute after midnight, 0..=1,439.
        from: u16,
        /// One past the last minute; equal to `from` means the whole day.
        until: u16,
    },
    /// Local day of the week: bit 0 = Monday.
    Weekday {
        /// The zone of "local".
        zone: Tz,
        /// The days.
        days: u8,
    },
    /// The platform is one of these.
    App(BTreeSet<App>),
    /// The shape of the conversation is one of these.
    ConversationKind(BTreeSet<ConversationKind>),
    /// At least one of these bits is set.
    Presence(Presence),
    /// Neither edited nor deleted.
    Original,
    /// The import is one of these.
    Import(BTreeSet<ImportNo>),
    /// The thread is one of these (the first message belongs to its own thread).
    Thread(BTreeSet<MessageNo>),
    /// There is a thread.
    AnyThread,
    /// An attachment whose extension (lower case) matches any of the patterns.
    Extension(Vec<TermPattern>),
    /// An attachment whose type matches any of the patterns.
    Mime(Vec<TermPattern>),
    /// An attachment of a size in the closed range of bytes.
    Size(u64, u64),
    /// A text version with an amount in the closed range.
    Amount(AmountRange),
    /// A text version with an amount in one of these currencies; empty = in any stated one.
    Currency(BTreeSet<[u8; 3]>),
    /// A web address in a text version, one of whose whole terms or aliases matches.
    Url(Vec<TermPattern>),
    /// A reaction whose folded form matches any of the patterns.
    Reaction(Vec<TermPattern>),
    /// An emoji in a text version.
    AnyEmoji,
    /// At least one searchable word in the field.
    AnyText(TextField),
    /// Answered by the caller's [`Facts`](super::Facts).
    Workspace(FactTest),
}

/// A half-open range of instants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct TimeRange {
    /// First instant inside; `None` = from the beginning.
    pub since: Option<Timestamp>,
    /// First instant outside; `None` = to the end.
    pub until: Option<Timestamp>,
}

impl TimeRange {
    /// Whether the instant is inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| since <= at) && self.until.is_none_or(|until| at < until)
    }
}

/// A closed range of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AmountRange {
    /// Least, in thousandths.
    pub least: i64,
    /// Most, in thousandths.
    pub most: i64,
    /// ISO 4217 code; `None` = any currency, also none.
    pub currency: Option<[u8; 3]>,
}

/// A test that only the workspace can answer (classes G, M, J, P, and record facts that are not
/// part of [`Record`](super::Record)).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FactTest {
    /// The field.
    pub field: Field,
    /// What its value has to be.
    pub values: FactValues,
}

/// What the value of a workspace field has to be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FactValues {
    /// There is one.
    Any,
    /// One of these: ids of the directory, or the choices of the field.
    OneOf(BTreeSet<String>),
    /// A date in the half-open range of instants.
    Between(TimeRange),
}

/// Two places in one conversation.
#[derive(Clone, Debug)]
pub struct MessageProximity {
    /// The first operand.
    pub left: Node,
    /// The second operand.
    pub right: Node,
    /// Left in a strictly earlier message.
    pub ordered: bool,
    /// Left without any right in range; hits are the messages of left only.
    pub negated: bool,
    /// How far.
    pub reach: Reach,
}

/// How far message proximity reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Ranks of messages; notices of the platform are not counted.
    Messages(u32),
    /// Microseconds between the times of sending.
    Micros(i64),
}

/// A group that holds over a unit wider than one message.
#[derive(Clone, Debug)]
pub struct GroupScope {
    /// What the unit has to match.
    pub body: Node,
    /// The unit; never [`Unit::Message`].
    pub unit: Unit,
    /// The zone of `@day`.
    pub zone: Tz,
}

/// The half-open or closed bounds of a comparison on an ordered scale of integers:
/// `(least, most)`, both inside.
pub(super) fn bounds(comparison: Comparison, value: i64) -> (i64, i64) {
    match comparison {
        Comparison::Greater => (value.saturating_add(1), i64::MAX),
        Comparison::GreaterOrEqual => (value, i64::MAX),
        Comparison::Less => (i64::MIN, value.saturating_sub(1)),
        Comparison::LessOrEqual => (i64::MIN, value),
        Comparison::Equal => (value, value),
    }
}

/// Most messages a regular expression over stored text may read where nothing else narrows the
/// query (Q021); the caller that counts candidates refuses more.
pub const TEXT_REGEX_CANDIDATES_MAX: u64 = 2_000_000;

impl Resolved {
    /// Whether a regular expression over stored text runs without another clause that narrows the
    /// messages down: allowed only up to [`TEXT_REGEX_CANDIDATES_MAX`] candidates.
    pub fn has_unselective_text_regex(&self) -> bool {
        holds_text_regex(&self.root) && !is_selective(&self.root)
    }
}

fn holds_text_regex(node: &Node) -> bool {
    match node {
        Node::TextRegex(_) => true,
        Node::And(parts) | Node::Or(parts) => parts.iter().any(holds_text_regex),
        Node::Not(inner) | Node::Whole(inner) => holds_text_regex(inner),
        Node::MessageProximity(near) => {
            holds_text_regex(&near.left) || holds_text_regex(&near.right)
        }
        Node::Group(group) => holds_text_regex(&group.body),
        Node::Everything | Node::Nothing | Node::Text(_) | Node::Fact(_) => false,
    }
}

/// Whether an index can name the messages it may be true for.
fn is_selective(node: &Node) -> bool {
    match node {
        Node::Nothing | Node::Text(_) | Node::Fact(_) => true,
        Node::And(parts) => parts.iter().any(is_selective),
        Node::Or(parts) => parts.iter().all(is_selective),
        Node::Whole(inner) => is_selective(inner),
        Node::Everything
        | Node::Not(_)
        | Node::TextRegex(_)
        | Node::MessageProximity(_)
        | Node::Group(_) => false,
    }
}
