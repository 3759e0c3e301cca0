//! Looking at every message of the archive under the rules, and at one of them with all reasons.

use super::book::Book;
use super::error::Result;
use super::facts::Present;
use super::matcher::{Matcher, Subject};
use super::verdict::{explain, verdict};
use crate::archive::Archive;
use crate::domain::{LabelSpan, MessageNo, Reason, Verdict};
use crate::store::{ConversationRow, MessageRow};

/// Message numbers read in one stable picture: longer scans would keep the log from shrinking.
const PAGE_NUMBERS: u64 = 65_536;

/// One message with what the rules say about it.
pub struct Looked<'a> {
    /// Its row.
    pub row: &'a MessageRow,
    /// Its conversation.
    pub conversation: &'a ConversationRow,
    /// The verdict under each book, in the order of the books.
    pub verdicts: &'a [Verdict],
}

/// Shows every message, by number, with its verdict under each of the books (the rules in force,
/// and those to be compared with them). The first book names the messages there are. Words are
/// opened only where a scope asks for them.
///
/// # Errors
/// When a message cannot be read, a scope cannot be answered, or `visit` fails.
pub fn survey(
    archive: &Archive,
    books: &[&Book],
    present: &Present,
    mut visit: impl FnMut(&Looked<'_>) -> Result<()>,
) -> Result<()> {
    let Some(first) = books.first() else {
        return Ok(());
    };
    let end = first.last_message().0 + 1;
    let mut begin = 0;
    let mut labels: Vec<LabelSpan> = Vec::new();
    let mut verdicts = Vec::with_capacity(books.len());
    while begin < end {
        let page_end = end.min(begin + PAGE_NUMBERS);
        let rows = archive
            .store()
            .read()
            .map_err(crate::archive::ArchiveError::from)?;
        let mut matchers = Vec::with_capacity(books.len());
        for book in books {
            matchers.push(Matcher::new(book, archive));
        }
        rows.each_message(MessageNo(begin), MessageNo(page_end), |row| {
            let facts = first.facts(&row, present.now.compliance, &mut labels)?;
            let subject = Subject::of(&row);
            verdicts.clear();
            for (book, matcher) in books.iter().zip(&mut matchers) {
                let mut matches = |scope| matcher.matches(scope, &subject);
                verdicts.push(verdict(book.rules(), &facts, present, &mut matches));
                matcher.check()?;
            }
            visit(&Looked {
                row: &row,
                conversation: first.conversation(row.conversation)?,
                verdicts: &verdicts,
            })
        })?;
        begin = page_end;
    }
    Ok(())
}

/// Why a message is still here: the verdict and every reason; `None` when there is no such message.
///
/// # Errors
/// When it cannot be read or a scope cannot be answered.
pub fn why(
    archive: &Archive,
    book: &Book,
    present: &Present,
    no: MessageNo,
) -> Result<Option<(Verdict, Vec<Reason>)>> {
    let mut matcher = Matcher::new(book, archive);
    let Some(row) = matcher.message(no)? else {
        return Ok(None);
    };
    let mut labels = Vec::new();
    let facts = book.facts(&row, present.now.compliance, &mut labels)?;
    let subject = Subject::of(&row);
    let mut matches = |scope| matcher.matches(scope, &subject);
    let answer = explain(book.rules(), &facts, present, &mut matches);
    matcher.check()?;
    Ok(Some(answer))
}
