//! The use-case "where does this message stand among the hits of a search in its conversation": the way
//! from hit to hit, and what matched in the messages on the page.

use super::search::refused;
use super::{AppError, Appliance, Result, SearchRequest, Session};
use crate::archive::Reader;
use crate::audit::Action;
use crate::domain::{
    ConversationId, ConversationNo, EntryNo, MessageId, MessageNo, Scope, SearchId, Timestamp,
};
use crate::query::{NoFacts, Purpose};
use crate::search::{BUDGET_DEFAULT, Budget, Marks, Search, SortKey};

/// Most messages of one page whose matches are marked.
const MARKED_MAX: usize = 1_000;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct WalkRequest {
    /// The search somebody came from; their own.
    pub search: SearchId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The message that stands in the middle.
    pub at: Option<MessageId>,
    /// Time of the first message on the page.
    pub first: Timestamp,
    /// Time of the last message on the page.
    pub last: Timestamp,
}

/// The hits of one search in one conversation.
#[derive(Clone, Debug)]
pub struct Walk {
    /// The query as typed.
    pub text: String,
    /// How it is read.
    pub read_as: String,
    /// Hits in the conversation; exact.
    pub total: u64,
    /// Which of them the message is, from 1, earliest first; `None` when it is no hit.
    pub place: Option<u64>,
    /// The nearest hit before it.
    pub before: Option<MessageId>,
    /// The nearest hit after it; without a message the first.
    pub after: Option<MessageId>,
    /// What matched in the messages on the page.
    pub marks: Vec<Marks>,
    /// The audit entry, durable before this was handed out.
    pub audit: EntryNo,
}

impl Appliance {
    /// Finds the hits of a kept search in a conversation. The query is read inside the whole scope of
    /// the session, then asked of the conversation alone.
    ///
    /// # Errors
    /// For who may not read; when search or conversation are not theirs to see; as a search.
    pub fn walk(&self, session: &Session, request: &WalkRequest) -> Result<Walk> {
        let kept = self.kept_search(session, request.search)?;
        let scope = self.scope(session)?;
        let names = self.names()?;
        let asked = SearchRequest::new(kept.text);
        let (resolved, reading) = self.understand(&asked, Purpose::Search, &names, &scope)?;
        let alone = self.alone(&scope, request.conversation)?;
        let scoped = names.within(&self.archive, &alone, None);
        let watch = super::Stopwatch::start();
        let spent = || watch.elapsed();
        let search = Search {
            archive: &self.archive,
            picture: None,
            names: &scoped,
            facts: &NoFacts,
            resolved: &resolved,
            budget: Budget {
                allowed: BUDGET_DEFAULT,
                spent: &spent,
            },
        };
        let (keys, total) = search.keys(usize::MAX - 1).map_err(refused)?;
        let keys = keys.unwrap_or_default();
        let mut reader = self.archive.reader()?;
        let found = self.step(&mut reader, &keys, request.at)?;
        drop(reader);
        let on_page = keys
            .iter()
            .filter(|key| request.first <= key.sent && key.sent <= request.last);
        let on_page: Vec<MessageNo> = on_page.map(|key| key.no).take(MARKED_MAX).collect();
        let marks = search.marks(&on_page).map_err(refused)?;
        let now = self.clock.now();
        let draft = self
            .draft(session, Action::ContentSearch)
            .object(request.conversation)
            .count("hits", total)
            .count("shown", marks.len() as u64);
        let payload = format!("{}\n{}", reading.text, reading.resolved);
        let audit = self.change(now, |tx| {
            Ok(self.log(tx, now, draft, Some(payload.as_bytes()))?.seq)
        })?;
        Ok(Walk {
            text: reading.text,
            read_as: reading.read_as,
            total,
            place: found.place,
            before: found.before,
            after: found.after,
            marks,
            audit,
        })
    }

    /// The scope narrowed to one conversation that it shows.
    pub(super) fn alone(&self, scope: &Scope, id: ConversationId) -> Result<Scope> {
        let row = self.archive.store().read()?.conversation_by_id(id)?;
        let row = row
            .filter(|row| scope.allows(row.no, row.account))
            .ok_or_else(|| AppError::NotFound(id.to_string()))?;
        Ok(narrowed(scope, row.no))
    }

    fn step(
        &self,
        reader: &mut Reader<'_>,
        keys: &[SortKey],
        at: Option<MessageId>,
    ) -> Result<Step> {
        let no = match at {
            Some(id) => self.archive.message_of_id(id)?,
            None => None,
        };
        let row = match no {
            Some(no) => reader.rows().message(no)?,
            None => None,
        };
        let Some(row) = row else {
            return Ok(Step {
                place: None,
                before: None,
                after: id_of(reader, keys.first())?,
            });
        };
        let here = (row.sent, row.no);
        let first_after = keys.partition_point(|key| (key.sent, key.no) <= here);
        let is_hit = first_after > 0 && keys[first_after - 1].no == row.no;
        let hits_before = first_after - usize::from(is_hit);
        Ok(Step {
            place: is_hit.then_some(first_after as u64),
            before: id_of(reader, keys[..hits_before].last())?,
            after: id_of(reader, keys.get(first_after))?,
        })
    }
}

/// One message among the hits.
struct Step {
    place: Option<u64>,
    before: Option<MessageId>,
    after: Option<MessageId>,
}

fn narrowed(scope: &Scope, conversation: ConversationNo) -> Scope {
    Scope {
        everything: false,
        conversations: [conversation].into(),
        accounts: Default::default(),
        ..scope.clone()
    }
}

fn id_of(reader: &mut Reader<'_>, key: Option<&SortKey>) -> Result<Option<MessageId>> {
    let Some(key) = key else {
        return Ok(None);
    };
    Ok(reader.message(key.no)?.map(|message| message.id))
}
