//! What joins the messages of one conversation: proximity of messages, and groups over a thread, a
//! session, a day or the whole conversation.

use std::collections::{BTreeMap, HashMap};

use super::texts::Texts;
use super::{HitSpan, Neighbours, Run, Wide};
use crate::domain::{ConversationNo, MessageNo, Timestamp};
use crate::query::ast::Unit;
use crate::query::dates::local;
use crate::query::facts::Facts;
use crate::query::record::Record;
use crate::query::resolved::{GroupScope, MessageProximity, Node, Reach};

/// The hits of one conversation with their pieces.
pub(super) type Hits = HashMap<MessageNo, Vec<HitSpan>>;

/// A message that matches one operand.
struct Side {
    no: MessageNo,
    /// Place in conversation order.
    place: usize,
    /// Messages up to and including this one, notices of the platform left out.
    rank: u32,
    sent: Timestamp,
    spans: Vec<HitSpan>,
}

/// The hits of a proximity of messages.
pub(super) fn proximity(
    near: &MessageProximity,
    conversation: ConversationNo,
    neighbours: &dyn Neighbours,
    facts: &dyn Facts,
) -> Hits {
    let (mut left, mut right): (Vec<Side>, Vec<Side>) = (Vec::new(), Vec::new());
    let (mut place, mut rank) = (0, 0);
    let mut texts = Texts::default();
    neighbours.visit(conversation, &mut |record| {
        rank += u32::from(record.counts());
        texts.begin();
        for (node, side) in [(&near.left, &mut left), (&near.right, &mut right)] {
            if let Some(spans) = run(node, record, &mut texts, neighbours, facts) {
                side.push(Side {
                    no: record.no,
                    place,
                    rank,
                    sent: record.sent,
                    spans,
                });
            }
        }
        place += 1;
    });
    let mut hits = Hits::new();
    for a in &left {
        let partner = any_in_range(near, a, &right, Direction::Forward);
        if partner != near.negated {
            hits.entry(a.no).or_default().extend_from_slice(&a.spans);
        }
    }
    if !near.negated {
        for b in &right {
            if any_in_range(near, b, &left, Direction::Backward) {
                hits.entry(b.no).or_default().extend_from_slice(&b.spans);
            }
        }
    }
    hits
}

/// From which operand the range is looked at; matters for ordered proximity only.
#[derive(Clone, Copy, PartialEq)]
enum Direction {
    Forward,
    Backward,
}

/// Whether one of the others is in range. Both rank and time rise with the place, so the others in
/// range are neighbours of each other.
fn any_in_range(
    near: &MessageProximity,
    one: &Side,
    others: &[Side],
    direction: Direction,
) -> bool {
    let distance = |other: &Side| match near.reach {
        Reach::Messages(_) => i64::from(one.rank.abs_diff(other.rank)),
        Reach::Micros(_) => one.sent.0.saturating_sub(other.sent.0).saturating_abs(),
    };
    let reach = match near.reach {
        Reach::Messages(count) => i64::from(count),
        Reach::Micros(micros) => micros,
    };
    let split = others.partition_point(|other| other.place < one.place);
    let (before, at_or_after) = others.split_at(split);
    let same = at_or_after
        .first()
        .is_some_and(|other| other.place == one.place);
    let after = at_or_after.get(usize::from(same));
    let near_before = before.last().is_some_and(|other| distance(other) <= reach);
    let near_after = after.is_some_and(|other| distance(other) <= reach);
    match (near.ordered, direction) {
        (false, _) => same || near_before || near_after,
        (true, Direction::Forward) => near_after,
        (true, Direction::Backward) => near_before,
    }
}

fn run(
    node: &Node,
    record: &Record<'_>,
    texts: &mut Texts,
    neighbours: &dyn Neighbours,
    facts: &dyn Facts,
) -> Option<Vec<HitSpan>> {
    let mut spans = Vec::new();
    let mut wide = Wide::default();
    let mut run = Run {
        record,
        neighbours,
        facts,
        texts,
        wide: &mut wide,
    };
    run.node(node, Some(&mut spans)).then_some(spans)
}

/// One leaf of a group.
struct Leaf<'n> {
    node: &'n Node,
    /// Under an even number of negations: it makes hits.
    positive: bool,
}

/// What one message says to the leaves of a group.
struct Voice {
    no: MessageNo,
    unit: u64,
    /// Pieces of the positive leaves that are true; `None` when none is.
    spans: Option<Vec<HitSpan>>,
}

/// The hits of a group: the messages of the true units that match a positive leaf.
pub(super) fn group(
    group: &GroupScope,
    conversation: ConversationNo,
    neighbours: &dyn Neighbours,
    facts: &dyn Facts,
) -> Hits {
    let mut leaves = Vec::new();
    collect_leaves(&group.body, true, &mut leaves);
    let mut units = Units::new(group);
    let mut truths: BTreeMap<u64, Vec<bool>> = BTreeMap::new();
    let mut voices: Vec<Voice> = Vec::new();
    let mut texts = Texts::default();
    neighbours.visit(conversation, &mut |record| {
        let unit = units.of(record);
        let truth = truths
            .entry(unit)
            .or_insert_with(|| vec![false; leaves.len()]);
        texts.begin();
        let mut positive: Option<Vec<HitSpan>> = None;
        for (leaf, truth) in leaves.iter().zip(truth.iter_mut()) {
            let Some(spans) = run(leaf.node, record, &mut texts, neighbours, facts) else {
                continue;
            };
            *truth = true;
            if leaf.positive {
                positive.get_or_insert_default().extend(spans);
            }
        }
        voices.push(Voice {
            no: record.no,
            unit,
            spans: positive,
        });
    });
    let truths = units.join(truths);
    let true_units: HashMap<u64, bool> = truths
        .iter()
        .map(|(unit, truth)| (*unit, holds(&group.body, &mut truth.iter().copied())))
        .collect();
    voices
        .into_iter()
        .filter(|voice| true_units.get(&units.root(voice.unit)) == Some(&true))
        .filter_map(|voice| voice.spans.map(|spans| (voice.no, spans)))
        .collect()
}

fn collect_leaves<'n>(node: &'n Node, positive: bool, leaves: &mut Vec<Leaf<'n>>) {
    match node {
        Node::And(parts) | Node::Or(parts) => {
            parts
                .iter()
                .for_each(|part| collect_leaves(part, positive, leaves));
        }
        Node::Not(inner) => collect_leaves(inner, !positive, leaves),
        leaf => leaves.push(Leaf {
            node: leaf,
            positive,
        }),
    }
}

/// The booleans of a body over the truths of its leaves, taken in the order of the tree.
fn holds(node: &Node, truths: &mut dyn Iterator<Item = bool>) -> bool {
    match node {
        // No short cut: every leaf has to take its truth.
        Node::And(parts) => parts
            .iter()
            .fold(true, |all, part| holds(part, truths) & all),
        Node::Or(parts) => parts
            .iter()
            .fold(false, |any, part| holds(part, truths) | any),
        Node::Not(inner) => !holds(inner, truths),
        _ => truths.next().unwrap_or(false),
    }
}

/// Numbers the units of one conversation, message by message in order.
struct Units<'g> {
    group: &'g GroupScope,
    last_sent: Option<Timestamp>,
    session: u64,
    /// Replies and threads: each message number with one it belongs to.
    parents: HashMap<u64, u64>,
}

impl<'g> Units<'g> {
    fn new(group: &'g GroupScope) -> Units<'g> {
        Units {
            group,
            last_sent: None,
            session: 0,
            parents: HashMap::new(),
        }
    }

    fn of(&mut self, record: &Record<'_>) -> u64 {
        match self.group.unit {
            Unit::Message => record.no.0,
            Unit::Conversation => 0,
            Unit::Day => {
                let day = local(record.sent, self.group.zone).date();
                i64::from(chrono::Datelike::num_days_from_ce(&day)).cast_unsigned()
            }
            Unit::Window(lapse) => {
                let silence = self.last_sent.map_or(0, |last| record.sent.0 - last.0);
                self.session += u64::from(silence > lapse.micros());
                self.last_sent = Some(record.sent);
                self.session
            }
            Unit::Thread => {
                if let Some(other) = record.thread.or(record.reply_to) {
                    let (a, b) = (self.root(record.no.0), self.root(other.0));
                    if a != b {
                        self.parents.insert(a, b);
                    }
                }
                record.no.0
            }
        }
    }

    /// The unit a number belongs to, once all links are known.
    fn root(&self, mut unit: u64) -> u64 {
        while let Some(parent) = self.parents.get(&unit) {
            unit = *parent;
        }
        unit
    }

    fn join(&self, truths: BTreeMap<u64, Vec<bool>>) -> BTreeMap<u64, Vec<bool>> {
        let mut joined: BTreeMap<u64, Vec<bool>> = BTreeMap::new();
        for (unit, truth) in truths {
            let sum = joined
                .entry(self.root(unit))
                .or_insert_with(|| vec![false; truth.len()]);
            for (sum, one) in sum.iter_mut().zip(truth) {
                *sum |= one;
            }
        }
        joined
    }
}
