//! The evaluator over opened messages, with the conversations around them.
//!
//! Hand messages in conversation by conversation where the query joins messages
//! ([`Judge::joins_messages`]): the evaluator reads a conversation once for all of its messages.

use std::cell::{Cell, RefCell};

use super::error::{Result, SearchError};
use super::execute::Search;
use super::names::ScopedNames;
use crate::archive::{ArchiveError, OpenedMessage, Reader};
use crate::domain::ConversationNo;
use crate::query::{Evaluator, HitSpan, Neighbours, Node, Record};
use crate::store::MessageRow;

/// Messages of a conversation that are open at a time.
const WINDOW_MESSAGES: u32 = 256;

/// One query judging messages of one stable picture.
pub(super) struct Judge<'a> {
    search: Search<'a>,
    evaluator: Evaluator<'a>,
    around: Around<'a>,
}

impl<'a> Judge<'a> {
    /// Begins to judge.
    pub fn new(search: &Search<'a>) -> Result<Judge<'a>> {
        Ok(Judge {
            search: *search,
            evaluator: Evaluator::new(search.resolved),
            around: Around {
                search: *search,
                reader: RefCell::new(search.archive.reader()?),
                failed: Cell::new(None),
            },
        })
    }

    /// Whether the query looks at other messages of the conversation.
    pub fn joins_messages(&self) -> bool {
        joins(&self.search.resolved.root)
    }

    /// Whether the message is a hit.
    ///
    /// # Errors
    /// When its conversation cannot be read, or time is up.
    pub fn matches(&mut self, message: &OpenedMessage) -> Result<bool> {
        let Judge {
            search,
            evaluator,
            around,
        } = self;
        let hit = message.with_record(|record| evaluator.matches(record, around, search.facts));
        around.failed.take().map_or(Ok(hit), Err)
    }

    /// Where the message matches; `None` when it is no hit.
    ///
    /// # Errors
    /// As [`Judge::matches`].
    pub fn spans(&mut self, message: &OpenedMessage) -> Result<Option<Vec<HitSpan>>> {
        let Judge {
            search,
            evaluator,
            around,
        } = self;
        let spans = message.with_record(|record| evaluator.evaluate(record, around, search.facts));
        match around.failed.take() {
            Some(error) => Err(error),
            None => Ok(spans.map(|spans| spans.0)),
        }
    }

    /// Hands every message of a visible conversation to `act`, in conversation order.
    ///
    /// # Errors
    /// As [`Judge::matches`], and what `act` says.
    pub fn each_of(
        &mut self,
        conversation: ConversationNo,
        mut act: impl FnMut(&mut Judge<'a>, &OpenedMessage) -> Result<()>,
    ) -> Result<()> {
        let mut last = MessageRow::before_all(conversation);
        while let Some(window) = self.around.window(&mut last)? {
            for message in &window {
                act(self, message)?;
            }
        }
        Ok(())
    }
}

/// Whether a node looks at other messages of the conversation.
fn joins(node: &Node) -> bool {
    match node {
        Node::And(parts) | Node::Or(parts) => parts.iter().any(joins),
        Node::Not(inner) | Node::Whole(inner) => joins(inner),
        Node::MessageProximity(_) | Node::Group(_) => true,
        _ => false,
    }
}

/// The conversations of the record, a window at a time.
struct Around<'a> {
    search: Search<'a>,
    reader: RefCell<Reader<'a>>,
    /// The evaluator knows no errors; they wait here until it returns.
    failed: Cell<Option<SearchError>>,
}

impl Around<'_> {
    /// The next window behind a row, opened; `behind` moves to its end. What is withheld is not
    /// there for anybody.
    fn window(&self, behind: &mut MessageRow) -> Result<Option<Vec<OpenedMessage>>> {
        if self.search.budget.is_over() {
            return Err(self.search.over_budget());
        }
        let mut reader = self
            .reader
            .try_borrow_mut()
            .map_err(|_| ArchiveError::Malformed("a conversation inside a conversation"))?;
        let rows = reader.rows().messages_after(behind, WINDOW_MESSAGES)?;
        match rows.last() {
            Some(last) => behind.clone_from(last),
            None => return Ok(None),
        }
        let scope = self.search.names.scope();
        let shown = rows.into_iter().filter(|row| scope.shows(row.no));
        let opened = shown.map(|row| Ok(reader.open(row)?));
        opened.collect::<Result<_>>().map(Some)
    }

    fn is_visible(&self, names: &ScopedNames<'_>, no: ConversationNo) -> Result<bool> {
        let mut reader = self
            .reader
            .try_borrow_mut()
            .map_err(|_| ArchiveError::Malformed("a conversation inside a conversation"))?;
        let account = reader.conversation(no)?.account;
        Ok(names.scope().allows(no, account))
    }

    fn try_visit(
        &self,
        conversation: ConversationNo,
        visit: &mut dyn FnMut(&Record<'_>),
    ) -> Result<()> {
        if !self.is_visible(self.search.names, conversation)? {
            return Ok(());
        }
        let mut last = MessageRow::before_all(conversation);
        while let Some(window) = self.window(&mut last)? {
            for message in &window {
                message.with_record(&mut *visit);
            }
        }
        Ok(())
    }
}

impl Neighbours for Around<'_> {
    fn visit(&self, conversation: ConversationNo, visit: &mut dyn FnMut(&Record<'_>)) {
        if let Err(error) = self.try_visit(conversation, visit) {
            self.failed.set(Some(error));
        }
    }
}
