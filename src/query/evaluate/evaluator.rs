//! One query against one message after the other.

use std::collections::HashMap;
use std::ops::Range;

use super::texts::Texts;
use super::{conversation, places, predicate, texts};
use crate::domain::{ConversationNo, MessageNo};
use crate::query::ast::TextField;
use crate::query::facts::Facts;
use crate::query::record::Record;
use crate::query::resolved::{GroupScope, MessageProximity, Node, Resolved, TextLeaf, TextRegex};

/// The other messages of a conversation, read only by message proximity and group scopes.
pub trait Neighbours {
    /// Calls `visit` for every record of the conversation inside the scope, in conversation order
    /// ([`Record::conversation_key`]).
    fn visit(&self, conversation: ConversationNo, visit: &mut dyn FnMut(&Record<'_>));
}

/// A caller that has no conversation at hand: message proximity and group scopes see nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNeighbours;

impl Neighbours for NoNeighbours {
    fn visit(&self, _conversation: ConversationNo, _visit: &mut dyn FnMut(&Record<'_>)) {}
}

/// One text of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TextPlace {
    /// A version of the text, oldest = 0.
    Version(u32),
    /// A file name.
    Filename(u32),
    /// An extracted text.
    Extracted(u32),
}

impl TextPlace {
    fn new(field: TextField, index: usize) -> TextPlace {
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        match field {
            TextField::Text => TextPlace::Version(index),
            TextField::Filename => TextPlace::Filename(index),
            TextField::Attachment => TextPlace::Extracted(index),
        }
    }
}

/// A piece of a text that made the message a hit.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HitSpan {
    /// Which text.
    pub place: TextPlace,
    /// Where in it, in bytes on character boundaries.
    pub bytes: Range<u32>,
}

/// Where a hit matched: in the order of the texts, each piece once. Empty when only facts decided.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Spans(pub Vec<HitSpan>);

/// Evaluates a query against one message; `None` when it is no hit. For many messages keep an
/// [`Evaluator`].
pub fn evaluate(
    resolved: &Resolved,
    record: &Record<'_>,
    neighbours: &dyn Neighbours,
    facts: &dyn Facts,
) -> Option<Spans> {
    Evaluator::new(resolved).evaluate(record, neighbours, facts)
}

/// A query at work. Keeps buffers from message to message, and what it found out about the last
/// conversation: use one evaluator for one snapshot, and hand messages in conversation by
/// conversation where the query joins messages.
pub struct Evaluator<'q> {
    root: &'q Node,
    texts: Texts,
    wide: Wide<'q>,
}

impl<'q> Evaluator<'q> {
    /// An evaluator of the query.
    pub fn new(resolved: &'q Resolved) -> Evaluator<'q> {
        Evaluator::of_node(&resolved.root)
    }

    /// An evaluator of one node, for callers that verify parts of a query.
    pub fn of_node(root: &'q Node) -> Evaluator<'q> {
        Evaluator {
            root,
            texts: Texts::default(),
            wide: Wide::default(),
        }
    }

    /// Where the message matches; `None` when it is no hit.
    pub fn evaluate(
        &mut self,
        record: &Record<'_>,
        neighbours: &dyn Neighbours,
        facts: &dyn Facts,
    ) -> Option<Spans> {
        let mut spans = Vec::new();
        self.run(record, neighbours, facts, Some(&mut spans))
            .then(|| Spans::new(spans))
    }

    /// Whether the message is a hit; cheaper than [`Evaluator::evaluate`].
    pub fn matches(
        &mut self,
        record: &Record<'_>,
        neighbours: &dyn Neighbours,
        facts: &dyn Facts,
    ) -> bool {
        self.run(record, neighbours, facts, None)
    }

    fn run(
        &mut self,
        record: &Record<'_>,
        neighbours: &dyn Neighbours,
        facts: &dyn Facts,
        spans: Option<&mut Vec<HitSpan>>,
    ) -> bool {
        self.wide.enter(record.conversation);
        self.texts.begin();
        let mut run = Run {
            record,
            neighbours,
            facts,
            texts: &mut self.texts,
            wide: &mut self.wide,
        };
        run.node(self.root, spans)
    }
}

impl Spans {
    fn new(mut spans: Vec<HitSpan>) -> Spans {
        spans.retain(|span| !span.bytes.is_empty());
        spans.sort_unstable_by_key(|span| (span.place, span.bytes.start, span.bytes.end));
        spans.dedup();
        Spans(spans)
    }
}

/// The hits of the nodes that join messages, in the conversation at hand. Nodes are known by their
/// address, which stands still as long as the query is borrowed.
#[derive(Default)]
pub(super) struct Wide<'q> {
    conversation: Option<ConversationNo>,
    hits: HashMap<usize, HashMap<MessageNo, Vec<HitSpan>>>,
    borrowed: std::marker::PhantomData<&'q Node>,
}

impl Wide<'_> {
    fn enter(&mut self, conversation: ConversationNo) {
        if self.conversation != Some(conversation) {
            self.conversation = Some(conversation);
            self.hits.clear();
        }
    }
}

/// One message under one query.
pub(super) struct Run<'r, 'q, 't> {
    pub(super) record: &'r Record<'t>,
    pub(super) neighbours: &'r dyn Neighbours,
    pub(super) facts: &'r dyn Facts,
    pub(super) texts: &'r mut Texts,
    pub(super) wide: &'r mut Wide<'q>,
}

/// Where found pieces go, where the caller wants them.
pub(super) type Found<'s> = Option<&'s mut Vec<HitSpan>>;

impl Run<'_, '_, '_> {
    /// Whether the node is true; pieces are added only when it is.
    pub(super) fn node(&mut self, node: &Node, mut spans: Found<'_>) -> bool {
        match node {
            Node::Everything => true,
            Node::Nothing => false,
            Node::And(parts) => {
                let before = spans.as_ref().map_or(0, |spans| spans.len());
                let all = parts
                    .iter()
                    .all(|part| self.node(part, spans.as_deref_mut()));
                if let (false, Some(spans)) = (all, spans) {
                    spans.truncate(before);
                }
                all
            }
            Node::Or(parts) if spans.is_none() => parts.iter().any(|part| self.node(part, None)),
            Node::Or(parts) => parts.iter().fold(false, |any, part| {
                self.node(part, spans.as_deref_mut()) | any
            }),
            Node::Not(inner) => !self.node(inner, None),
            Node::Whole(inner) => self.node(inner, spans),
            Node::Text(leaf) => self.text(leaf, spans),
            Node::TextRegex(leaf) => self.text_regex(leaf, spans),
            Node::Fact(predicate) => {
                predicate::holds(predicate, self.record, self.texts, self.facts)
            }
            Node::MessageProximity(near) => self.wide(node, Joined::Proximity(near), spans),
            Node::Group(group) => self.wide(node, Joined::Group(group), spans),
        }
    }

    fn text(&mut self, leaf: &TextLeaf, mut spans: Found<'_>) -> bool {
        let mut any = false;
        for index in 0..texts::of(self.record, leaf.field).len() {
            let analysis = self.texts.analysis(self.record, leaf.field, index);
            let Some(spans) = spans.as_deref_mut() else {
                if places::exists(&leaf.span, analysis) {
                    return true;
                }
                continue;
            };
            let place = TextPlace::new(leaf.field, index);
            let found = places::occurrences(&leaf.span, analysis);
            any |= !found.is_empty();
            for bytes in found.into_iter().flat_map(|occurrence| occurrence.bytes) {
                spans.push(HitSpan { place, bytes });
            }
        }
        any
    }

    fn text_regex(&mut self, leaf: &TextRegex, mut spans: Found<'_>) -> bool {
        let mut any = false;
        for (index, text) in texts::of(self.record, leaf.field).iter().enumerate() {
            let Some(spans) = spans.as_deref_mut() else {
                if leaf.regex.is_match(text) {
                    return true;
                }
                continue;
            };
            let place = TextPlace::new(leaf.field, index);
            for found in leaf.regex.find_iter(text) {
                any = true;
                let at = |byte: usize| u32::try_from(byte).unwrap_or(u32::MAX);
                let bytes = at(found.start())..at(found.end());
                spans.push(HitSpan { place, bytes });
            }
        }
        any
    }

    fn wide(&mut self, node: &Node, joined: Joined<'_>, spans: Found<'_>) -> bool {
        let key = std::ptr::from_ref(node).addr();
        if !self.wide.hits.contains_key(&key) {
            let conversation = self.record.conversation;
            let hits = match joined {
                Joined::Proximity(near) => {
                    conversation::proximity(near, conversation, self.neighbours, self.facts)
                }
                Joined::Group(group) => {
                    conversation::group(group, conversation, self.neighbours, self.facts)
                }
            };
            self.wide.hits.insert(key, hits);
        }
        let hit = self
            .wide
            .hits
            .get(&key)
            .and_then(|hits| hits.get(&self.record.no));
        if let (Some(hit), Some(spans)) = (hit, spans) {
            spans.extend_from_slice(hit);
        }
        hit.is_some()
    }
}

/// A node that joins messages.
enum Joined<'n> {
    Proximity(&'n MessageProximity),
    Group(&'n GroupScope),
}
