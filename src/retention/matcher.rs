//! Scopes at work: each asked exactly, over the row where that is enough, else over opened words.

use std::cell::{Cell, OnceCell, RefCell, RefMut};

use super::book::{Book, Protected};
use super::error::{Result, RetentionError};
use super::rules::ScopeRef;
use super::scope::Needs;
use crate::archive::{Archive, ArchiveError, OpenedMessage, Reader};
use crate::domain::{ConversationNo, MessageNo, Timestamp};
use crate::query::{Evaluator, Neighbours, NoFacts, Record};
use crate::store::MessageRow;

/// Messages of a conversation that are open at a time.
const WINDOW_MESSAGES: u32 = 256;

/// A message whose words may be opened when a scope asks for them.
pub struct Subject<'s> {
    row: &'s MessageRow,
    given: Option<&'s Record<'s>>,
    opened: OnceCell<OpenedMessage>,
}

impl<'s> Subject<'s> {
    /// A message by its row; its words are opened when they are asked for.
    pub fn of(row: &'s MessageRow) -> Subject<'s> {
        Subject {
            row,
            given: None,
            opened: OnceCell::new(),
        }
    }

    /// A message whose words are open already.
    pub fn with_record(row: &'s MessageRow, record: &'s Record<'s>) -> Subject<'s> {
        Subject {
            row,
            given: Some(record),
            opened: OnceCell::new(),
        }
    }
}

/// Answers for the scopes of a book, over one stable picture of the archive.
pub struct Matcher<'a> {
    book: &'a Book,
    terms: Vec<Option<Evaluator<'a>>>,
    holds: Vec<Option<Evaluator<'a>>>,
    around: Around<'a>,
}

impl<'a> Matcher<'a> {
    /// Begins to match. Nothing is read before a scope asks for words or neighbours; the picture
    /// then stands still.
    pub fn new(book: &'a Book, archive: &'a Archive) -> Matcher<'a> {
        let evaluator = |scope: ScopeRef| {
            let scope = book.query_of(scope)?;
            (scope.needs != Needs::Nothing).then(|| Evaluator::new(&scope.resolved))
        };
        let rules = book.rules();
        Matcher {
            book,
            terms: (0..rules.terms().len())
                .map(|place| evaluator(ScopeRef::Term(place)))
                .collect(),
            holds: (0..rules.holds().len())
                .map(|place| evaluator(ScopeRef::Hold(place)))
                .collect(),
            around: Around {
                archive,
                reader: RefCell::new(None),
                failed: Cell::new(None),
            },
        }
    }

    /// Whether a scope matches a message. What could not be read answers `true` for holds and
    /// `false` for policies, and is told by [`Matcher::check`]: ask it before the answer is used.
    pub fn matches(&mut self, scope: ScopeRef, subject: &Subject<'_>) -> bool {
        let found = match scope {
            ScopeRef::Term(_) => self.asked(scope, subject),
            ScopeRef::Hold(place) => self.is_protected(place, subject),
        };
        found.unwrap_or_else(|error| {
            self.around.failed.set(Some(error));
            matches!(scope, ScopeRef::Hold(_))
        })
    }

    /// The first failure since the last call: the verdicts since then do not count.
    ///
    /// # Errors
    /// That failure.
    pub fn check(&self) -> Result<()> {
        self.around.failed.take().map_or(Ok(()), Err)
    }

    /// Opens a message by number in the picture of this matcher; `None` when there is none.
    pub fn message(&self, no: MessageNo) -> Result<Option<MessageRow>> {
        Ok(self.around.reader()?.rows().message(no)?)
    }

    /// Whether a hold that protects at an instant matches a message that is not admitted (any more):
    /// one that was disposed of and comes again. Its neighbours are not asked for it.
    ///
    /// # Errors
    /// When a scope cannot be answered.
    pub fn wants(&mut self, record: &Record<'_>, at: Timestamp) -> Result<bool> {
        let row = row_of(record);
        let subject = Subject::with_record(&row, record);
        let book = self.book;
        for (place, hold) in book.rules().holds().iter().enumerate() {
            let found = match book.protected_by(place) {
                _ if !hold.protects_at(at) => false,
                Some(Protected::Query(_)) => self.asked(ScopeRef::Hold(place), &subject)?,
                Some(Protected::Ids(_)) => false,
                _ => self.is_protected(place, &subject)?,
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_protected(&mut self, place: usize, subject: &Subject<'_>) -> Result<bool> {
        let book = self.book;
        match book.protected_by(place) {
            Some(Protected::Conversations(set, writers)) => {
                let row = subject.row;
                let wrote = row.sender.is_some_and(|sender| writers.contains(&sender));
                return Ok(wrote || set.contains(&row.conversation));
            }
            Some(Protected::Ids(set)) if set.contains(&subject.row.no) => return Ok(true),
            Some(Protected::Query(_)) if self.asked(ScopeRef::Hold(place), subject)? => {
                return Ok(true);
            }
            Some(Protected::Broken(reason)) => {
                return Err(RetentionError::ScopeBroken {
                    what: format!("hold {}", book.rules().holds()[place].no),
                    reason: reason.clone(),
                });
            }
            Some(Protected::Ids(_) | Protected::Query(_)) => {}
            // A hold without a scope cannot be; if it were, it would protect.
            None => return Ok(true),
        }
        let context = u32::from(book.rules().holds()[place].keep_context);
        if context == 0 {
            return Ok(false);
        }
        for row in self.around.near(subject.row, context)? {
            let found = match book.protected_by(place) {
                Some(Protected::Ids(set)) => set.contains(&row.no),
                _ => self.asked(ScopeRef::Hold(place), &Subject::of(&row))?,
            };
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Asks the query of a scope.
    fn asked(&mut self, scope: ScopeRef, subject: &Subject<'_>) -> Result<bool> {
        let Some(query) = self.book.query_of(scope) else {
            return Err(RetentionError::Malformed("a scope"));
        };
        let evaluator = match scope {
            ScopeRef::Term(place) => self.terms.get_mut(place),
            ScopeRef::Hold(place) => self.holds.get_mut(place),
        };
        let Some(Some(evaluator)) = evaluator else {
            return Ok(true);
        };
        let around = &self.around;
        let row = subject.row;
        let found = match subject.given {
            Some(record) => evaluator.matches(record, around, &NoFacts),
            None if query.needs == Needs::Row => {
                let conversation = self.book.conversation(row.conversation)?;
                evaluator.matches(&bare(row, conversation), around, &NoFacts)
            }
            None => {
                let opened = match subject.opened.get() {
                    Some(opened) => opened,
                    None => {
                        let opened = around.reader()?.open(row.clone())?;
                        subject.opened.get_or_init(|| opened)
                    }
                };
                opened.with_record(|record| evaluator.matches(record, around, &NoFacts))
            }
        };
        around.failed.take().map_or(Ok(found), Err)
    }
}

/// The row of a message that has none.
fn row_of(record: &Record<'_>) -> MessageRow {
    MessageRow {
        no: record.no,
        conversation: record.conversation,
        sender: record.sender,
        import: record.import,
        sent: record.sent,
        order: record.order,
        kind: record.kind,
        presence: record.presence,
        version: 0,
        reply_to: record.reply_to,
    }
}

/// A record without words, for scopes that ask none.
fn bare<'r>(row: &MessageRow, conversation: &crate::store::ConversationRow) -> Record<'r> {
    Record {
        no: row.no,
        conversation: row.conversation,
        account: conversation.account,
        sender: row.sender,
        sent: row.sent,
        order: row.order,
        app: conversation.app,
        kind: row.kind,
        conversation_kind: conversation.kind,
        presence: row.presence,
        import: row.import,
        thread: None,
        reply_to: row.reply_to,
        versions: &[],
        filenames: &[],
        extracted: &[],
        reactions: &[],
        mentions: &[],
        attachments: &[],
    }
}

/// The conversations of the archive, a window at a time.
struct Around<'a> {
    archive: &'a Archive,
    reader: RefCell<Option<Reader<'a>>>,
    /// The evaluator knows no errors; they wait here until it returns.
    failed: Cell<Option<RetentionError>>,
}

impl<'a> Around<'a> {
    fn reader(&self) -> Result<RefMut<'_, Reader<'a>>> {
        let mut reader = self
            .reader
            .try_borrow_mut()
            .map_err(|_| ArchiveError::Malformed("a conversation inside a conversation"))?;
        if reader.is_none() {
            *reader = Some(self.archive.reader()?);
        }
        RefMut::filter_map(reader, Option::as_mut)
            .map_err(|_| RetentionError::Malformed("a reader"))
    }

    /// The messages up to `count` places before and after one.
    fn near(&self, of: &MessageRow, count: u32) -> Result<Vec<MessageRow>> {
        let reader = self.reader()?;
        let mut near = reader.rows().messages_before(of, count)?;
        near.extend(reader.rows().messages_after(of, count)?);
        Ok(near)
    }

    fn window(&self, behind: &MessageRow) -> Result<Vec<OpenedMessage>> {
        let mut reader = self.reader()?;
        let rows = reader.rows().messages_after(behind, WINDOW_MESSAGES)?;
        rows.into_iter().map(|row| Ok(reader.open(row)?)).collect()
    }

    fn try_visit(
        &self,
        conversation: ConversationNo,
        visit: &mut dyn FnMut(&Record<'_>),
    ) -> Result<()> {
        let mut last = MessageRow::before_all(conversation);
        loop {
            let window = self.window(&last)?;
            for message in &window {
                message.with_record(&mut *visit);
            }
            match window.into_iter().next_back() {
                Some(message) => last = message.row,
                None => return Ok(()),
            }
        }
    }
}

impl Neighbours for Around<'_> {
    fn visit(&self, conversation: ConversationNo, visit: &mut dyn FnMut(&Record<'_>)) {
        if let Err(error) = self.try_visit(conversation, visit) {
            self.failed.set(Some(error));
        }
    }
}
