//! What is worth saying beside an answer: expansions, hits in other fields, times that may be off.

use super::error::Result;
use super::execute::Search;
use crate::domain::{Presence, Timestamp};
use crate::query::ast::TextField;
use crate::query::{Code, Node, Predicate, Problem, Resolved, Span, TextLeaf, TimeRange};

/// Words of one expansion that are named in its note.
const WORDS_SHOWN_MAX: usize = 12;
/// How near to the edge of a date range an assumed time counts as doubtful.
const DOUBT: i64 = Timestamp::MICROS_PER_DAY;

impl Search<'_> {
    /// What the index and the record add to the notes of parser and resolver. Totals inside them are exact and of the scope; a note whose total
    /// the index cannot tell is left out.
    pub(super) fn notes(&self, expansions: &[(String, Vec<String>)]) -> Result<Vec<Problem>> {
        let mut notes: Vec<Problem> = expansions
            .iter()
            .map(|(asked, words)| expansion(asked, words))
            .collect();
        for (field, name) in [
            (TextField::Filename, "file names"),
            (TextField::Attachment, "attachments"),
        ] {
            // Asked of a field that has none of the words, the short question ends at the
            // dictionary; only then the long one, which walks the hits of the query, is worth it.
            if let Some(moved) = further(&self.resolved.root, field)
                && self.counted(moved.clone())?.is_some()
                && let Some(count) = self.counted(beside(moved, &self.resolved.root))?
            {
                let message = format!(
                    "{count} more with these words in {name}: add {}:(...) to include them",
                    field.field().name()
                );
                notes.push(Problem::new(Code::N10, Span::default(), message));
            }
        }
        if let Some(doubtful) = doubtful(&self.resolved.root)
            && let Some(count) = self.counted(doubtful)?
        {
            let message = format!(
                "{count} of them lie within 24 h of a date asked for and their zone is assumed: \
                 look at a day more on either side"
            );
            notes.push(Problem::new(Code::N12, Span::default(), message));
        }
        Ok(notes)
    }

    /// How many messages match the node, if that is more than none and the index knows it.
    fn counted(&self, root: Node) -> Result<Option<u64>> {
        let resolved = Resolved {
            root,
            ..self.resolved.clone()
        };
        let scope = self.names.spelled_scope();
        match self.index().count(&resolved, &scope) {
            Ok((count, true)) => Ok(Some(count).filter(|count| *count > 0)),
            Ok((_, false)) | Err(crate::index::Error::TooManyExpansions { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn expansion(asked: &str, words: &[String]) -> Problem {
    let shown = &words[..words.len().min(WORDS_SHOWN_MAX)];
    let rest = match words.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = match words.len() {
        0 => format!("\"{asked}\" stands for no word here"),
        1 => format!("\"{asked}\" stands for {}", shown.join(", ")),
        count => format!(
            "\"{asked}\" stands for {count} words: {}{rest}",
            shown.join(", ")
        ),
    };
    Problem::new(Code::N09, Span::default(), message)
}

/// What a node finds that another does not.
fn beside(node: Node, other: &Node) -> Node {
    Node::And(vec![node, Node::Not(Box::new(other.clone()))])
}

/// The query asked of another text field; `None` when it asks no words, or names that field itself,
/// or reaches over several messages.
fn further(root: &Node, field: TextField) -> Option<Node> {
    let mut fields = Vec::new();
    let moved = moved(root, field, &mut fields)?;
    let asks_text = fields.contains(&TextField::Text);
    let asks_other = fields.iter().any(|asked| *asked != TextField::Text);
    (asks_text && !asks_other).then_some(moved)
}

fn moved(node: &Node, field: TextField, fields: &mut Vec<TextField>) -> Option<Node> {
    let mut each = |parts: &[Node]| -> Option<Vec<Node>> {
        parts
            .iter()
            .map(|part| moved(part, field, fields))
            .collect()
    };
    Some(match node {
        Node::And(parts) => Node::And(each(parts)?),
        Node::Or(parts) => Node::Or(each(parts)?),
        // Words that must not stand there stay where they were asked for.
        Node::Not(inner) => Node::Not(inner.clone()),
        Node::Text(leaf) => {
            fields.push(leaf.field);
            Node::Text(TextLeaf {
                field,
                span: leaf.span.clone(),
            })
        }
        Node::Everything | Node::Nothing | Node::Fact(_) => node.clone(),
        _ => return None,
    })
}

/// The hits near the edge of a date range whose zone was assumed.
fn doubtful(root: &Node) -> Option<Node> {
    let mut edges = Vec::new();
    collect_edges(root, &mut edges);
    let near = |edge: Timestamp| {
        Node::Fact(Predicate::Sent(TimeRange {
            since: Some(Timestamp(edge.0.saturating_sub(DOUBT))),
            until: Some(Timestamp(edge.0.saturating_add(DOUBT))),
        }))
    };
    (!edges.is_empty()).then(|| {
        Node::And(vec![
            root.clone(),
            Node::Fact(Predicate::Presence(Presence::ZONE_ASSUMED)),
            Node::Or(edges.into_iter().map(near).collect()),
        ])
    })
}

fn collect_edges(node: &Node, edges: &mut Vec<Timestamp>) {
    match node {
        Node::And(parts) | Node::Or(parts) => {
            parts.iter().for_each(|part| collect_edges(part, edges));
        }
        Node::Not(inner) | Node::Whole(inner) => collect_edges(inner, edges),
        Node::Fact(Predicate::Sent(range)) => {
            edges.extend(range.since.into_iter().chain(range.until));
        }
        _ => {}
    }
}
