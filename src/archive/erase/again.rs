//! Disposed messages that come again: recognised by their tombstones and left out, unless wanted.

use std::collections::{BTreeMap, BTreeSet};

use super::super::batch::{Batch, Fate, Item};
use super::super::error::Result;
use super::super::settle::with_item;
use super::super::{Archive, ArchiveError, Packed};
use super::identity::{Canonical, anywhere};
use crate::domain::{App, ConversationNo, HandleNo, MessageId, MessageNo, Timestamp};
use crate::query::Record;
use crate::store::{EraseFate, TombstoneKind, WriteTx};

/// Common messages from which on a chat is taken for a conversation that was disposed of; a chat of
/// fewer must have all its messages in common.
const COMMON_MIN: usize = 3;

/// What is left of a disposed message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disposed {
    /// Its number.
    pub no: MessageNo,
    /// The batch that destroyed it.
    pub batch: u64,
    /// When that batch first decided, in compliance time.
    pub at: Option<Timestamp>,
    /// Number of the certificate, once there is one.
    pub certificate: Option<u64>,
}

impl Archive {
    /// What is left of a message that was disposed of; `None` when none of that number was.
    pub fn disposed(&self, no: MessageNo) -> Result<Option<Disposed>> {
        let rows = self.store.read()?;
        let Some((batch, _)) = rows.erased_item(no)? else {
            return Ok(None);
        };
        let row = self.batch_row(&rows, batch)?;
        Ok(Some(Disposed {
            no,
            batch,
            at: row.decided,
            certificate: row.certificate,
        }))
    }

    /// The same by public id: an id that never was one of this archive is not found.
    pub fn disposed_of_id(&self, id: MessageId) -> Result<Option<Disposed>> {
        let no = MessageNo((id.0 & ((1 << 48) - 1)) as u64);
        let rows = self.store.read()?;
        let Some((_, item)) = rows.erased_item(no)? else {
            return Ok(None);
        };
        let crate::store::EraseFate::Erased { import, .. } = item.fate else {
            return Ok(None);
        };
        let began = self.import_began(&rows, import)?;
        drop(rows);
        match self.message_id(no, began) == id {
            true => self.disposed(no),
            false => Ok(None),
        }
    }

    /// The keyed identity of a message by its public id, as a certificate names it, and the batch
    /// that destroyed it; of a live message, the identity it would have. `None` when there never was
    /// one of this id.
    pub fn keyed_identity(&self, id: MessageId) -> Result<Option<([u8; 32], Option<u64>)>> {
        if let Some(disposed) = self.disposed_of_id(id)? {
            let found = self.store.read()?.erased_item(disposed.no)?;
            return Ok(found.and_then(|(batch, item)| match item.fate {
                EraseFate::Erased { keyed_id, .. } => Some((keyed_id, Some(batch))),
                _ => None,
            }));
        }
        let Some(no) = self.message_of_id(id)? else {
            return Ok(None);
        };
        let mut reader = self.reader()?;
        let Some(message) = reader.message(no)? else {
            return Ok(None);
        };
        let conversation = reader.conversation(message.row.conversation)?;
        let author = match message.row.sender {
            Some(sender) => reader.rows().handle(sender)?.map(|row| row.lookup),
            None => None,
        };
        let first = message.versions.first();
        let first = first.ok_or(ArchiveError::Malformed("a message without a version"))?;
        let canonical = Canonical {
            app: conversation.app,
            conversation: &conversation.lookup,
            author: author.as_deref().unwrap_or_default(),
            sent: message.row.sent,
            body: &first.body,
            source_id: first.source_id.as_deref(),
        };
        Ok(Some((canonical.identity(self.tombstone_key()), None)))
    }

    /// Whether anything was ever disposed of.
    pub fn has_disposed(&self) -> Result<bool> {
        Ok(self.store.read()?.has_tombstones()?)
    }

    /// The keyed identity of words said by somebody of that label, in whatever conversation: for
    /// [`Archive::disposed_conversation`].
    pub fn identity_anywhere(
        &self,
        app: App,
        sent: Timestamp,
        label: &str,
        body: &str,
    ) -> [u8; 32] {
        anywhere(self.tombstone_key(), app, sent, label, body)
    }

    /// The conversation a chat without a key of its own continues, when what they have in common
    /// was disposed of: at least three messages, or all of fewer.
    pub fn disposed_conversation(&self, said: &[[u8; 32]]) -> Result<Option<ConversationNo>> {
        let rows = self.store.read()?;
        let mut common: BTreeMap<ConversationNo, usize> = BTreeMap::new();
        for identity in said {
            if let Some(row) = rows.tombstone(identity)?
                && row.kind == TombstoneKind::Anywhere
            {
                *common.entry(row.conversation).or_default() += 1;
            }
        }
        let best = common.into_iter().max_by_key(|(_, count)| *count);
        let enough = COMMON_MIN.min(said.len());
        Ok(best
            .filter(|(_, count)| enough > 0 && *count >= enough)
            .map(|(no, _)| no))
    }

    /// Takes out of a batch what was disposed of before, unless it is wanted. Gives how many.
    pub(in crate::archive) fn leave_out(
        &self,
        tx: &WriteTx<'_>,
        batch: &mut Batch,
        wanted: &mut dyn FnMut(&Record<'_>) -> Result<bool>,
    ) -> Result<u64> {
        let mut known = Lookups::of(batch);
        let mut items = std::mem::take(&mut batch.items);
        let before = items.len();
        let mut kept = Vec::with_capacity(before);
        let mut unsaid = BTreeSet::new();
        // Whether the message stays of which later words follow.
        let mut stays = true;
        for mut item in items.drain(..) {
            let disposed = match item.incoming.fate {
                Fate::New | Fate::Amends => self.tombstone_of(tx, &mut known, batch, &item)?,
                Fate::Later => (!stays).then_some(0),
                Fate::Known(no) | Fate::Revised(no) => match tx.message(no)? {
                    Some(_) => None,
                    // Destroyed since the batch was made.
                    None => Some(0),
                },
            };
            let begins = item.incoming.fate == Fate::New;
            let Some(disposed) = disposed else {
                stays |= begins;
                kept.push(item);
                continue;
            };
            let may = matches!(item.incoming.fate, Fate::New | Fate::Amends);
            let is_wanted = may && with_item(batch, &item, &mut *wanted)??;
            stays = (stays && !begins) || is_wanted;
            if is_wanted {
                item.readmits = Some(disposed);
                kept.push(item);
            } else {
                unsaid.extend(item.incoming.writer());
            }
        }
        for item in &kept {
            if let Some(writer) = item.incoming.writer() {
                unsaid.remove(&writer);
            }
        }
        // Who says nothing that is admitted does not take part by it.
        batch.participants.retain(|pair| !unsaid.contains(pair));
        let left_out = before - kept.len();
        batch.items = kept;
        Ok(left_out as u64)
    }

    fn tombstone_of(
        &self,
        tx: &WriteTx<'_>,
        known: &mut Lookups,
        batch: &Batch,
        item: &Item,
    ) -> Result<Option<u64>> {
        let words = Packed::read(&batch.bytes[item.packed.clone()])?;
        let canonical = Canonical {
            app: item.incoming.app,
            conversation: &known.conversation(tx, item.incoming.conversation)?,
            author: &known.author(tx, item.incoming.sender)?,
            sent: item.incoming.sent,
            body: words.body,
            source_id: words.source_id,
        };
        let row = tx.tombstone(&canonical.identity(self.tombstone_key()))?;
        Ok(row.map(|row| row.batch))
    }
}

/// Look-ups of the conversations and authors of a batch.
struct Lookups {
    conversations: BTreeMap<ConversationNo, Vec<u8>>,
    authors: BTreeMap<HandleNo, Vec<u8>>,
}

impl Lookups {
    fn of(batch: &Batch) -> Lookups {
        let conversations = batch.conversations.iter();
        let authors = batch.handles.iter();
        Lookups {
            conversations: conversations
                .map(|new| (new.no, new.lookup.to_vec()))
                .collect(),
            authors: authors.map(|new| (new.no, new.lookup.to_vec())).collect(),
        }
    }

    fn conversation(&mut self, tx: &WriteTx<'_>, no: ConversationNo) -> Result<Vec<u8>> {
        if let Some(lookup) = self.conversations.get(&no) {
            return Ok(lookup.clone());
        }
        let lookup = tx
            .conversation(no)?
            .map(|row| row.lookup)
            .unwrap_or_default();
        self.conversations.insert(no, lookup.clone());
        Ok(lookup)
    }

    fn author(&mut self, tx: &WriteTx<'_>, no: Option<HandleNo>) -> Result<Vec<u8>> {
        let Some(no) = no else {
            return Ok(Vec::new());
        };
        if let Some(lookup) = self.authors.get(&no) {
            return Ok(lookup.clone());
        }
        let lookup = tx.handle(no)?.map(|row| row.lookup).unwrap_or_default();
        self.authors.insert(no, lookup.clone());
        Ok(lookup)
    }
}
