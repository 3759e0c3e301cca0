//! A resolved query as sets of places: compiled once, run on every segment.

use std::collections::BTreeSet;

use super::facts::{FactKey, Tag, bits_of};
use super::numbers::NumberQuery;
use crate::domain::{Presence, Scope};
use crate::query::ast::TextField;
use crate::query::{
    AmountRange, MessageProximity, Node, PatternKind, Predicate, Slot, SpanQuery, TermPattern,
    TextLeaf, TimeRange,
};

/// A set of messages.
#[derive(Clone, Debug)]
pub(super) enum Plan {
    Everything,
    Nothing,
    And(Vec<Plan>),
    Or(Vec<Plan>),
    Not(Box<Plan>),
    /// Any of the words, anywhere in a field.
    Words(TextField, Vec<TermPattern>),
    /// Words at places.
    Span(TextField, SpanQuery),
    /// At least one word in the field.
    AnyText(TextField),
    /// Any of the facts.
    Facts(Vec<FactKey>),
    /// Any fact from one key to before another.
    FactRange(FactKey, FactKey),
    /// A fact whose text matches any of the patterns.
    FactText(Tag, Vec<TermPattern>),
    Sent(TimeRange),
    /// Messages by number.
    Numbers(NumberQuery),
    /// A test of columns.
    Column(ColumnTest),
}

/// What only columns tell.
#[derive(Clone, Debug)]
pub(super) enum ColumnTest {
    TimeOfDay {
        zone: chrono_tz::Tz,
        from: u16,
        until: u16,
    },
    Weekday {
        zone: chrono_tz::Tz,
        days: u8,
    },
    Size(u64, u64),
    Amount(AmountRange),
    Currency(BTreeSet<[u8; 3]>),
}

/// A compiled query.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    pub plan: Plan,
    /// Whether the plan is the query itself; otherwise it holds every hit and more.
    pub exact: bool,
    /// What counts for the score.
    pub scored: Vec<TextLeaf>,
}

impl Compiled {
    /// The clause that a long search most likely spends its time on, as a person would name it.
    pub fn heaviest(&self) -> String {
        heaviest(&self.plan).1.to_owned()
    }
}

/// Weight and name of the heaviest clause: the sorts of clause by what one of them usually costs.
fn heaviest(plan: &Plan) -> (u32, &'static str) {
    match plan {
        Plan::And(plans) | Plan::Or(plans) => plans
            .iter()
            .map(heaviest)
            .max()
            .unwrap_or((0, "an empty group")),
        Plan::Not(plan) => heaviest(plan),
        Plan::Words(_, patterns) if patterns.iter().any(|pattern| !is_word(pattern)) => {
            (5, "a wildcard, fuzzy word, stem or expression")
        }
        Plan::Span(..) => (6, "a phrase or proximity"),
        Plan::Column(_) => (4, "a test of time of day, weekday, size or amount"),
        Plan::Words(..) => (3, "a word"),
        Plan::AnyText(_) | Plan::Everything => (2, "a clause that most messages match"),
        Plan::Sent(_) => (1, "a range of dates"),
        _ => (1, "a field"),
    }
}

fn is_word(pattern: &TermPattern) -> bool {
    matches!(pattern.kind(), PatternKind::Literal { .. })
}

/// Which side an approximation may err on: over a negation it turns round.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Every hit and perhaps more.
    Above,
    /// Perhaps not every hit, but nothing else.
    Below,
}

impl Side {
    fn turned(self) -> Side {
        match self {
            Side::Above => Side::Below,
            Side::Below => Side::Above,
        }
    }
}

struct Compiler {
    exact: bool,
}

/// Compiles a query inside a scope (see [`within`]).
pub(super) fn compile(root: &Node, scope: &Plan) -> Compiled {
    let mut compiler = Compiler { exact: true };
    let query = compiler.node(root, Side::Above);
    let mut scored = Vec::new();
    positive_texts(root, true, &mut scored);
    Compiled {
        plan: match scope {
            Plan::Everything => query,
            scope => Plan::And(vec![query, scope.clone()]),
        },
        exact: compiler.exact,
        scored,
    }
}

/// The messages of a scope, without those that are hidden.
pub(super) fn within(scope: &Scope, hidden: Option<&NumberQuery>) -> Plan {
    match hidden {
        None => allowed(scope),
        Some(hidden) => {
            let shown = Plan::Not(Box::new(Plan::Numbers(hidden.clone())));
            Plan::And(vec![allowed(scope), shown])
        }
    }
}

fn allowed(scope: &Scope) -> Plan {
    let conversations =
        |set: &BTreeSet<_>| Plan::Facts(set.iter().copied().map(FactKey::conversation).collect());
    let allowed = if scope.everything {
        Plan::Everything
    } else {
        let accounts = scope.accounts.iter().copied().map(FactKey::account);
        Plan::Or(vec![
            conversations(&scope.conversations),
            Plan::Facts(accounts.collect()),
        ])
    };
    let mut parts = vec![allowed];
    if !scope.denied.is_empty() {
        parts.push(Plan::Not(Box::new(conversations(&scope.denied))));
    }
    if !scope.withheld.is_empty() {
        let withheld = NumberQuery::new(scope.withheld.iter().copied());
        parts.push(Plan::Not(Box::new(Plan::Numbers(withheld))));
    }
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => Plan::And(parts),
    }
}

fn facts<T: Copy>(values: &BTreeSet<T>, key: impl Fn(T) -> FactKey) -> Plan {
    Plan::Facts(values.iter().map(|value| key(*value)).collect())
}

fn any_presence(presence: Presence) -> Plan {
    Plan::Facts(bits_of(presence).map(FactKey::presence_bit).collect())
}

fn any_of_kind(tag: Tag) -> Plan {
    let (from, until) = FactKey::all_of(tag);
    Plan::FactRange(from, until)
}

impl Compiler {
    /// The bound of something the index cannot tell.
    fn unknown(&mut self, side: Side) -> Plan {
        self.approximate(Plan::Everything, side)
    }

    /// A set that holds every hit and perhaps more.
    fn approximate(&mut self, above: Plan, side: Side) -> Plan {
        self.exact = false;
        match side {
            Side::Above => above,
            Side::Below => Plan::Nothing,
        }
    }

    fn nodes(&mut self, nodes: &[Node], side: Side) -> Vec<Plan> {
        nodes.iter().map(|node| self.node(node, side)).collect()
    }

    fn node(&mut self, node: &Node, side: Side) -> Plan {
        match node {
            Node::Everything => Plan::Everything,
            Node::Nothing => Plan::Nothing,
            Node::And(nodes) => Plan::And(self.nodes(nodes, side)),
            Node::Or(nodes) => Plan::Or(self.nodes(nodes, side)),
            Node::Not(node) => Plan::Not(Box::new(self.node(node, side.turned()))),
            Node::Text(leaf) if anchored_alone(&leaf.span) => self.unknown(side),
            Node::Text(leaf) => text(leaf),
            Node::TextRegex(regex) => self.approximate(Plan::AnyText(regex.field), side),
            Node::Fact(predicate) => self.predicate(predicate, side),
            Node::MessageProximity(near) => {
                let above = self.message_proximity(near);
                self.approximate(above, side)
            }
            Node::Group(group) => {
                let mut leaves = Vec::new();
                self.positive_leaves(&group.body, true, &mut leaves);
                self.approximate(Plan::Or(leaves), side)
            }
            Node::Whole(node) => self.node(node, side),
        }
    }

    fn message_proximity(&mut self, near: &MessageProximity) -> Plan {
        let left = self.node(&near.left, Side::Above);
        if near.negated {
            return left;
        }
        Plan::Or(vec![left, self.node(&near.right, Side::Above)])
    }

    /// Hits of a group are messages that match one of its positive leaves.
    fn positive_leaves(&mut self, node: &Node, positive: bool, leaves: &mut Vec<Plan>) {
        match node {
            Node::And(nodes) | Node::Or(nodes) => {
                for node in nodes {
                    self.positive_leaves(node, positive, leaves);
                }
            }
            Node::Not(node) => self.positive_leaves(node, !positive, leaves),
            leaf if positive => {
                let plan = self.node(leaf, Side::Above);
                leaves.push(plan);
            }
            _ => {}
        }
    }

    fn predicate(&mut self, predicate: &Predicate, side: Side) -> Plan {
        if let Some(plan) = record_fact(predicate).or_else(|| column(predicate)) {
            return plan;
        }
        self.unknown(side)
    }
}

/// Facts that are keys of the index.
fn record_fact(predicate: &Predicate) -> Option<Plan> {
    Some(match predicate {
        Predicate::Sender(set) => facts(set, FactKey::sender),
        Predicate::AnySender => any_of_kind(Tag::Sender),
        Predicate::Mention(set) => facts(set, FactKey::mention),
        Predicate::Conversation(set) => facts(set, FactKey::conversation),
        Predicate::Sent(range) => Plan::Sent(*range),
        Predicate::App(set) => facts(set, FactKey::app),
        Predicate::ConversationKind(set) => facts(set, FactKey::shape),
        Predicate::Presence(presence) => any_presence(*presence),
        Predicate::Original => {
            let touched = Presence::EDITED.with(Presence::DELETED);
            Plan::Not(Box::new(any_presence(touched)))
        }
        Predicate::Import(set) => facts(set, FactKey::import),
        // The first message of a thread belongs to it and need not name itself.
        Predicate::Thread(set) => Plan::Or(vec![
            facts(set, FactKey::thread),
            Plan::Numbers(NumberQuery::new(set.iter().copied())),
        ]),
        Predicate::AnyThread => any_of_kind(Tag::Thread),
        Predicate::Extension(patterns) => Plan::FactText(Tag::Extension, patterns.clone()),
        Predicate::Mime(patterns) => Plan::FactText(Tag::Mime, patterns.clone()),
        Predicate::Url(patterns) => Plan::FactText(Tag::Url, patterns.clone()),
        Predicate::Reaction(patterns) => Plan::FactText(Tag::Reaction, patterns.clone()),
        Predicate::AnyEmoji => Plan::Facts(vec![FactKey::emoji()]),
        Predicate::AnyText(field) => Plan::AnyText(*field),
        _ => return None,
    })
}

/// Facts that only columns tell.
fn column(predicate: &Predicate) -> Option<Plan> {
    Some(Plan::Column(match predicate {
        Predicate::TimeOfDay { zone, from, until } => ColumnTest::TimeOfDay {
            zone: *zone,
            from: *from,
            until: *until,
        },
        Predicate::Weekday { zone, days } => ColumnTest::Weekday {
            zone: *zone,
            days: *days,
        },
        Predicate::Size(least, most) => ColumnTest::Size(*least, *most),
        Predicate::Amount(range) => ColumnTest::Amount(*range),
        Predicate::Currency(set) => ColumnTest::Currency(set.clone()),
        _ => return None,
    }))
}

/// Whether nothing but the edges of a text could make it true: texts without words have edges too,
/// and leave no trace in the index.
fn anchored_alone(span: &SpanQuery) -> bool {
    match span {
        SpanQuery::Start | SpanQuery::End => true,
        SpanQuery::Term(_) | SpanQuery::Phrase(_) | SpanQuery::Window { .. } => false,
        SpanQuery::Or(spans) => spans.iter().any(anchored_alone),
        SpanQuery::Near(near) => {
            anchored_alone(&near.left) && (near.negated || anchored_alone(&near.right))
        }
    }
}

/// Words without places need no positions.
pub(super) fn text(leaf: &TextLeaf) -> Plan {
    match &leaf.span {
        SpanQuery::Term(patterns) => Plan::Words(leaf.field, patterns.clone()),
        SpanQuery::Or(spans) => Plan::Or(
            spans
                .iter()
                .map(|span| {
                    text(&TextLeaf {
                        field: leaf.field,
                        span: span.clone(),
                    })
                })
                .collect(),
        ),
        SpanQuery::Phrase(slots) if slots.len() == 1 => match &slots[0] {
            Slot::Term { any, .. } => Plan::Words(leaf.field, any.clone()),
            Slot::AnyWord => Plan::AnyText(leaf.field),
        },
        span => Plan::Span(leaf.field, span.clone()),
    }
}

/// The words that speak for a hit.
fn positive_texts(node: &Node, positive: bool, out: &mut Vec<TextLeaf>) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => {
            for node in nodes {
                positive_texts(node, positive, out);
            }
        }
        Node::Not(node) => positive_texts(node, !positive, out),
        Node::Text(leaf) if positive => out.push(leaf.clone()),
        Node::MessageProximity(near) => {
            positive_texts(&near.left, positive, out);
            positive_texts(&near.right, positive && !near.negated, out);
        }
        Node::Group(group) => positive_texts(&group.body, positive, out),
        Node::Whole(node) => positive_texts(node, positive, out),
        _ => {}
    }
}
