//! Admission: a batch becomes sealed rows, index work and an audit entry in one transaction.

use std::collections::BTreeMap;

use super::batch::{Batch, Fate, Incoming, Item, Targets};
use super::entity::{pack_note, pack_texts};
use super::error::Result;
use super::read::{OpenedVersion, open_versions};
use super::sealer::{Opener, Sealer, bucket_of, entity_bucket};
use super::{Archive, Packed, parts, vault};
use crate::domain::{
    ConversationId, ConversationNo, MessageNo, Now, PersonId, PersonNo, Presence, Timestamp,
};
use crate::query::Record;
use crate::store::{
    ContentKey, ConversationRow, ConversationSpan, HandleRow, ImportCounts, MessageRow,
    NumberRange, StoreError, WriteTx,
};

/// A batch that is durable, ready to be shown to the index.
#[derive(Debug)]
pub struct Admitted {
    pub(super) batch: Batch,
    /// The outbox rows of the batch: part, last sequence number.
    pub(super) queued: Vec<(i32, u64)>,
    /// What the batch came to.
    pub counts: ImportCounts,
}

/// An attachment of an admitted message whose bytes are in the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdmittedAttachment {
    /// The message.
    pub message: MessageNo,
    /// Its place among the attachments of the message.
    pub ordinal: u32,
    /// The entry of the container that holds the bytes.
    pub entry: u32,
    /// Time of the message: it decides the erase bucket.
    pub sent: Timestamp,
    /// Shard of the conversation.
    pub shard: u16,
}

impl Admitted {
    /// The attachments of new messages whose bytes are in the container.
    pub fn attachments(&self) -> impl Iterator<Item = AdmittedAttachment> + '_ {
        self.batch.items.iter().flat_map(|item| {
            item.entries
                .iter()
                .enumerate()
                .filter_map(|(ordinal, entry)| {
                    Some(AdmittedAttachment {
                        message: item.no,
                        ordinal: ordinal as u32,
                        entry: (*entry)?,
                        sent: item.incoming.sent,
                        shard: item.incoming.shard,
                    })
                })
        })
    }
}

impl Archive {
    /// Seals a batch and makes it durable. `with` runs in the same transaction, after the rows and
    /// before the commit: the audit entry, the import's counts. Nothing is kept if it fails.
    pub fn admit(
        &self,
        batch: Batch,
        now: Now,
        with: impl FnOnce(&WriteTx<'_>, &ImportCounts) -> Result<()>,
    ) -> Result<Admitted> {
        let mut targets = Targets::default();
        self.admit_wanted(batch, now, &mut targets, &mut |_| Ok(false), with)
    }

    /// Like [`Archive::admit`], asking about messages that were disposed of and come again: those
    /// that `wanted` says yes to (a hold does) are admitted and flagged, the others are left out and
    /// counted. `wanted` sees each of them as the evaluator of queries does, its number still 0.
    ///
    /// Messages that refer to others by an id find them in `targets`, which the caller keeps from one
    /// batch of an import to the next.
    pub fn admit_wanted(
        &self,
        mut batch: Batch,
        now: Now,
        targets: &mut Targets,
        wanted: &mut dyn FnMut(&Record<'_>) -> Result<bool>,
        with: impl FnOnce(&WriteTx<'_>, &ImportCounts) -> Result<()>,
    ) -> Result<Admitted> {
        // Parts together, so that each part's new messages are one range of numbers.
        batch.items.sort_by_key(|item| part_of(item, now));
        let mut numbers = self.take_numbers(batch.numbers())?;
        self.write(now, |tx| {
            let mut writing = Writing {
                archive: self,
                tx,
                sealer: Sealer::new(&self.keyring)?,
                numbers: &mut numbers,
                now,
                counts: ImportCounts {
                    known: batch.repeats,
                    ..ImportCounts::default()
                },
                spans: BTreeMap::new(),
                targets,
            };
            if tx.has_tombstones()? {
                writing.counts.disposed = self.leave_out(tx, &mut batch, wanted)?;
                writing.names_again(&batch)?;
            }
            writing.names(&batch)?;
            writing.messages(&mut batch)?;
            writing.notes(&batch)?;
            writing.extend_conversations()?;
            let counts = writing.counts;
            let queued = queue(tx, &batch, now)?;
            with(tx, &counts)?;
            self.reached("admit.written");
            Ok((queued, counts))
        })
        .inspect(|_| self.reached("admit.committed"))
        .map(|(queued, counts)| Admitted {
            batch,
            queued,
            counts,
        })
    }
}

fn part_of(item: &Item, now: Now) -> i32 {
    parts::number(item.incoming.sent, now.wall)
}

struct Writing<'t, 's> {
    archive: &'t Archive,
    tx: &'t WriteTx<'s>,
    sealer: Sealer<'t>,
    numbers: &'t mut NumberRange,
    now: Now,
    counts: ImportCounts,
    spans: BTreeMap<ConversationNo, (ConversationSpan, u64)>,
    targets: &'t mut Targets,
}

impl Writing<'_, '_> {
    fn number(&mut self) -> Result<u64> {
        Ok(self
            .numbers
            .next()
            .ok_or(StoreError::Limit("numbers reserved for a batch"))?)
    }

    fn entity(&mut self, shard: u16, plain: &[u8]) -> Result<u64> {
        let no = self.number()?;
        self.sealer
            .put(self.tx, ContentKey::first(no), &entity_bucket(shard), plain)?;
        Ok(no)
    }

    fn names(&mut self, batch: &Batch) -> Result<()> {
        let entropy = self.archive.keyring.entropy().clone();
        for new in &batch.conversations {
            let title_no = self.entity(new.shard, &pack_texts(&[&new.title]))?;
            self.tx.insert_conversation(&ConversationRow {
                no: new.no,
                id: ConversationId(vault::mint(&*entropy, self.now.wall)),
                app: new.app,
                kind: new.kind,
                account: None,
                lookup: new.lookup.to_vec(),
                shard: new.shard,
                title_no,
                span: None,
                messages: 0,
            })?;
        }
        for new in &batch.handles {
            let shard = self.archive.shard_of(&new.lookup);
            let handle = new.handle.as_deref().unwrap_or("");
            let name_no = self.entity(shard, &pack_texts(&[&new.label, handle]))?;
            // Every handle starts with a person of its own; people are joined by evidence later.
            let person = PersonNo(new.no.0);
            self.tx
                .insert_person(person, PersonId(vault::mint(&*entropy, self.now.wall)))?;
            self.tx.insert_handle(&HandleRow {
                no: new.no,
                app: new.app,
                person,
                lookup: new.lookup.to_vec(),
                name_no,
            })?;
        }
        for (conversation, handle) in &batch.participants {
            // Whoever says nothing that is admitted is not made to take part again.
            let nameless = match self.tx.conversation(*conversation)? {
                Some(row) => row.title_no == 0,
                None => false,
            };
            if !nameless {
                self.tx.insert_participant(*conversation, *handle)?;
            }
        }
        Ok(())
    }

    /// Titles and names for what lost them, where a message is admitted again.
    fn names_again(&mut self, batch: &Batch) -> Result<()> {
        for item in &batch.items {
            let Incoming {
                conversation,
                sender,
                ..
            } = item.incoming;
            if let Some((shard, title)) = batch.titles.get(&conversation)
                && let Some(row) = self.tx.conversation(conversation)?
                && row.title_no == 0
            {
                let title_no = self.entity(*shard, &pack_texts(&[title]))?;
                self.tx.set_title(conversation, title_no)?;
            }
            let Some(sender) = sender else { continue };
            // The join of a message that is left out may have been left out with it.
            self.tx.insert_participant(conversation, sender)?;
            if let Some(name) = batch.names.get(&sender)
                && let Some(row) = self.tx.handle(sender)?
                && row.name_no == 0
            {
                let shard = self.archive.shard_of(&name.lookup);
                let handle = name.handle.as_deref().unwrap_or("");
                let name_no = self.entity(shard, &pack_texts(&[&name.label, handle]))?;
                self.tx.set_name(sender, name_no)?;
            }
        }
        Ok(())
    }

    fn messages(&mut self, batch: &mut Batch) -> Result<()> {
        self.targets.extend(batch.targets.drain(..));
        let mut in_front = None;
        for item in &mut batch.items {
            let plain = &batch.bytes[item.packed.clone()];
            let amends = item.incoming.fate == Fate::Amends;
            item.incoming.fate = self.settled_fate(item, in_front, plain)?;
            if let (true, Fate::Known(no) | Fate::Revised(no)) = (amends, item.incoming.fate)
                && let Some(row) = self.tx.message(no)?
            {
                // The words are of today, the message is of its own time.
                item.incoming.sent = row.sent;
            }
            let conversation = item.incoming.conversation;
            let answered = item.links.reply_to.map(|id| (conversation, id));
            item.reply_to = answered.and_then(|target| self.targets.get(&target).copied());
            match item.incoming.fate {
                Fate::Known(no) => {
                    item.no = no;
                    self.sighting(batch.import, item, plain)?;
                    self.counts.known += 1;
                }
                Fate::Revised(no) => {
                    item.no = no;
                    self.revise(item, plain)?;
                }
                // The other fates were settled.
                Fate::New | Fate::Later | Fate::Amends => {
                    item.no = MessageNo(self.number()?);
                    self.insert(batch.import, item, plain)?;
                }
            }
            in_front = Some(item.no);
            // Words whose message never came stand for it: what replaces them too finds them.
            if let Some(id) = item.links.id.or(item.links.amends) {
                self.targets.insert((conversation, id), item.no);
            }
        }
        Ok(())
    }

    /// What a message is, once it is known where those it refers to are.
    fn settled_fate(&self, item: &Item, in_front: Option<MessageNo>, plain: &[u8]) -> Result<Fate> {
        let amended = item.links.amends.and_then(|id| {
            let target = self.targets.get(&(item.incoming.conversation, id));
            target.copied()
        });
        match (item.incoming.fate, in_front, amended) {
            (Fate::Later, Some(no), _) => Ok(Fate::Revised(no)),
            (Fate::Amends, _, Some(no)) => {
                Ok(match self.is_told(no, item, &Packed::read(plain)?)? {
                    true => Fate::Known(no),
                    false => Fate::Revised(no),
                })
            }
            (Fate::Later | Fate::Amends, ..) => Ok(Fate::New),
            // A message that was deleted first and found whole later is revised once.
            (Fate::Revised(no), ..) if self.was_found_whole(no, &Packed::read(plain)?)? => {
                Ok(Fate::Known(no))
            }
            (fate, ..) => Ok(fate),
        }
    }

    /// Whether a deleted message has a version with these words already.
    fn was_found_whole(&self, no: MessageNo, words: &Packed<'_>) -> Result<bool> {
        let (row, versions) = self.versions(no)?;
        let same = |version: &OpenedVersion| version.body == words.body;
        Ok(row.presence.has(Presence::DELETED)
            && !words.body.is_empty()
            && versions.iter().any(same))
    }

    fn versions(&self, no: MessageNo) -> Result<(MessageRow, Vec<OpenedVersion>)> {
        let row = self
            .tx
            .message(no)?
            .ok_or_else(|| StoreError::NotFound(format!("message {no}")))?;
        let mut opener = Opener::new(&self.archive.keyring)?;
        let versions = open_versions(self.tx, &mut opener, &mut Vec::new(), &row)?;
        Ok((row, versions))
    }

    /// Whether a message has these words already: they are those of today, or were at that time. A deletion
    /// is told once.
    fn is_told(&self, no: MessageNo, item: &Item, words: &Packed<'_>) -> Result<bool> {
        let (row, versions) = self.versions(no)?;
        let deleted = Presence::DELETED;
        if item.incoming.presence.has(deleted) && !row.presence.has(deleted) {
            return Ok(false);
        }
        let edited = words.extras.edited;
        let was = |version: &OpenedVersion| edited.is_none() || version.extras.edited == edited;
        let today = versions.last().map(|version| version.body.as_str());
        Ok(today == Some(words.body)
            || (versions.iter()).any(|version| version.body == words.body && was(version)))
    }

    fn insert(&mut self, import: crate::domain::ImportNo, item: &Item, plain: &[u8]) -> Result<()> {
        let Incoming {
            conversation, sent, ..
        } = item.incoming;
        let bucket = bucket_of(sent, item.incoming.shard);
        self.sealer
            .put(self.tx, ContentKey::first(item.no.0), &bucket, plain)?;
        self.tx.insert_message(&MessageRow {
            no: item.no,
            conversation,
            sender: item.incoming.sender,
            import,
            sent,
            order: item.incoming.order,
            kind: item.incoming.kind,
            presence: item.incoming.presence,
            version: 0,
            reply_to: item.reply_to,
        })?;
        self.widen(conversation, sent, 1);
        self.counts.fresh += 1;
        if let Some(disposed) = item.readmits {
            self.tx.insert_readmitted(item.no, disposed)?;
        }
        Ok(())
    }

    fn widen(&mut self, conversation: ConversationNo, sent: Timestamp, added: u64) {
        let span = ConversationSpan {
            first: sent,
            last: sent,
        };
        let entry = self.spans.entry(conversation).or_insert((span, 0));
        entry.0.first = entry.0.first.min(sent);
        entry.0.last = entry.0.last.max(sent);
        entry.1 += added;
    }

    fn sighting(
        &mut self,
        import: crate::domain::ImportNo,
        item: &Item,
        plain: &[u8],
    ) -> Result<()> {
        // A sighting dies with the message it shows: it lies in the message's own bucket.
        let row = self
            .tx
            .message(item.no)?
            .ok_or_else(|| StoreError::NotFound(format!("message {}", item.no)))?;
        let bucket = bucket_of(row.sent, item.incoming.shard);
        let no = self.number()?;
        self.sealer
            .put(self.tx, ContentKey::first(no), &bucket, plain)?;
        self.tx.insert_observation(item.no, import, no)?;
        Ok(())
    }

    fn revise(&mut self, item: &Item, plain: &[u8]) -> Result<()> {
        let row = self
            .tx
            .message(item.no)?
            .ok_or_else(|| StoreError::NotFound(format!("message {}", item.no)))?;
        let version = row
            .version
            .checked_add(1)
            .ok_or(StoreError::Limit("versions of a message"))?;
        let bucket = bucket_of(row.sent, item.incoming.shard);
        let key = ContentKey {
            no: item.no.0,
            version,
            part: 0,
        };
        self.sealer.put(self.tx, key, &bucket, plain)?;
        let mut presence = row.presence.with(item.incoming.presence);
        if !item.incoming.presence.has(Presence::DELETED) {
            presence = presence.with(Presence::EDITED);
        }
        self.tx.revise_message(item.no, version, presence)?;
        self.counts.revised += 1;
        Ok(())
    }

    fn notes(&mut self, batch: &Batch) -> Result<()> {
        let first = self.tx.next_import_note(batch.import)?;
        for (ordinal, note) in (first..).zip(&batch.notes) {
            let shard = (ordinal % u64::from(self.archive.shards())) as u16;
            let no = self.entity(shard, &pack_note(note))?;
            self.tx
                .insert_import_note(batch.import, ordinal, note.kind, no)?;
            self.counts.notes += 1;
            if note.kind == crate::domain::NoteKind::Rejected {
                self.counts.rejected += 1;
            }
        }
        Ok(())
    }

    fn extend_conversations(&self) -> Result<()> {
        for (conversation, (span, added)) in &self.spans {
            self.tx.extend_conversation(*conversation, *span, *added)?;
        }
        Ok(())
    }
}

/// Queues index work: one range for each part's new messages, one row for each revised message.
fn queue(tx: &WriteTx<'_>, batch: &Batch, now: Now) -> Result<Vec<(i32, u64)>> {
    let mut ranges: BTreeMap<i32, (MessageNo, MessageNo)> = BTreeMap::new();
    let mut queued = Vec::new();
    for item in &batch.items {
        let part = part_of(item, now);
        match item.incoming.fate {
            Fate::New | Fate::Later | Fate::Amends => {
                let range = ranges.entry(part).or_insert((item.no, item.no));
                range.1 = item.no;
            }
            Fate::Revised(no) => queued.push((part, tx.insert_outbox(part, no, no, true)?)),
            Fate::Known(_) => {}
        }
    }
    for (part, (first, last)) in ranges {
        queued.push((part, tx.insert_outbox(part, first, last, false)?));
    }
    Ok(queued)
}
