//! Settling: what is durable becomes visible in the index, then leaves the outbox.
//!
//! Order of the two commits (they cannot be one): the index commits, then one store transaction
//! writes the anchor and removes the outbox rows. A crash between them is replayed on open; that is
//! harmless, because a document replaces its elder by message number.

use std::collections::{BTreeMap, HashSet};
use std::sync::PoisonError;

use super::admit::Admitted;
use super::batch::{Batch, Fate, Item};
use super::error::Result;
use super::open::index_failed;
use super::read::{values_of, with_attachments};
use super::words::Analyses;
use super::{Archive, ArchiveError, Packed, parts};
use crate::domain::{Extras, MessageNo, Now};
use crate::index::{Committed, KeyId, Novelty, Writer};
use crate::query::Record;
use crate::store::{AnchorRow, DataKeyId, OutboxRow};

/// Messages after which a part is committed while an import runs, unless configured otherwise.
pub(super) const COMMIT_MESSAGES: u64 = 100_000;
/// Bytes of text after which a part is committed while an import runs.
pub(super) const COMMIT_BYTES: u64 = 200 << 20;

/// How far the index has read: everything through `through` of `of` is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// Last sequence number whose work, and all before it, is visible.
    pub through: u64,
    /// Last sequence number there is.
    pub of: u64,
}

impl Watermark {
    /// The same without its figures, for who does not see everything: they would tell how much there is
    /// that is hidden. Whether something waits is left.
    #[must_use]
    pub const fn without_figures(self) -> Watermark {
        Watermark {
            through: 0,
            of: if self.is_complete() { 0 } else { 1 },
        }
    }

    /// Whether nothing is waiting.
    pub const fn is_complete(self) -> bool {
        self.through == self.of
    }
}

impl Archive {
    /// How far the index has read.
    pub fn watermark(&self) -> Result<Watermark> {
        let rows = self.store.read()?;
        let of = rows.outbox_last_seq()?;
        let through = rows.outbox()?.first().map_or(of, |row| row.seq - 1);
        Ok(Watermark { through, of })
    }

    /// The one settler. Opening a second while one lives fails when it writes the same part.
    pub fn settler(&self) -> Settler<'_> {
        Settler {
            archive: self,
            writer: self.index().writer(),
            analyses: Analyses::default(),
            added: BTreeMap::new(),
            assigned: HashSet::new(),
            messages: 0,
            bytes: 0,
        }
    }

    /// A settler failed: what it was shown waits in the outbox for [`Archive::replay_outbox`]. No
    /// other settler may begin before, or it would settle what it was never shown.
    pub fn left_unsettled(&self) {
        let mut unsettled = self
            .unsettled
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *unsettled = true;
    }

    /// Replays what a crash, or a settler that failed, left in the outbox. Gives the number of
    /// messages replayed.
    pub fn replay_outbox(&self, now: Now) -> Result<u64> {
        let mut unsettled = self
            .unsettled
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !*unsettled {
            return Ok(0);
        }
        let mut settler = self.settler();
        let replayed = settler.replay(now)?;
        settler.finish(now)?;
        *unsettled = false;
        Ok(replayed)
    }
}

/// Shows durable messages to the index and settles what became visible.
pub struct Settler<'a> {
    archive: &'a Archive,
    writer: Writer,
    analyses: Analyses,
    /// Part -> last outbox sequence number all of whose messages were added.
    added: BTreeMap<i32, u64>,
    assigned: HashSet<KeyId>,
    messages: u64,
    bytes: u64,
}

impl Settler<'_> {
    /// Adds the messages of a batch. They become visible with a commit, which this calls by itself
    /// every 100,000 messages (as configured) or 200 MB.
    pub fn show(&mut self, admitted: &Admitted, now: Now) -> Result<()> {
        let batch = &admitted.batch;
        let mut fresh = batch
            .items
            .iter()
            .filter(|item| item.incoming.fate == Fate::New)
            .peekable();
        while let Some(item) = fresh.next() {
            self.show_item(batch, item, now)?;
            let part = parts::number(item.incoming.sent, now.wall);
            let ends = fresh
                .peek()
                .is_none_or(|next| parts::number(next.incoming.sent, now.wall) != part);
            // Revisions of the part, if any, are replayed from the store below.
            if ends && !admitted.revised() {
                self.note_added(part, &admitted.queued);
            }
        }
        if admitted.revised() {
            let queued = self.archive.store.read()?.outbox()?;
            for row in queued.iter().filter(|row| row.replaces) {
                self.replay_row(row, now)?;
            }
            for (part, seq) in &admitted.queued {
                self.added
                    .insert(*part, *seq.max(self.added.get(part).unwrap_or(&0)));
            }
        }
        if self.messages >= self.archive.commit_messages || self.bytes >= COMMIT_BYTES {
            self.commit(now)?;
        }
        Ok(())
    }

    fn note_added(&mut self, part: i32, queued: &[(i32, u64)]) {
        let last = queued
            .iter()
            .filter(|(of, _)| *of == part)
            .map(|(_, seq)| *seq)
            .max();
        if let Some(seq) = last {
            self.added.insert(part, seq);
        }
    }

    fn show_item(&mut self, batch: &Batch, item: &Item, now: Now) -> Result<()> {
        with_item(batch, item, |record| self.add(record, Novelty::New, now))?
    }

    fn add(&mut self, record: &Record<'_>, novelty: Novelty, now: Now) -> Result<()> {
        let Settler {
            writer, analyses, ..
        } = self;
        let closed = analyses
            .words_of(record, |words| writer.add(record, words, novelty, now.wall))
            .map_err(index_failed)?;
        self.messages += 1;
        self.bytes += record
            .versions
            .iter()
            .map(|text| text.len() as u64)
            .sum::<u64>();
        closed
            .into_iter()
            .try_for_each(|committed| self.settle(committed, now))
    }

    /// Adds everything the outbox still names, part by part, reading the store.
    pub fn replay(&mut self, now: Now) -> Result<u64> {
        let mut rows = self.archive.store.read()?.outbox()?;
        rows.sort_by_key(|row| (row.part, row.seq));
        let before = self.messages;
        let mut replayed = 0;
        for row in &rows {
            self.replay_row(row, now)?;
            self.added.insert(row.part, row.seq);
            if self.messages >= self.archive.commit_messages || self.bytes >= COMMIT_BYTES {
                replayed += self.messages;
                self.commit(now)?;
            }
        }
        Ok(replayed + self.messages.saturating_sub(before))
    }

    fn replay_row(&mut self, row: &OutboxRow, now: Now) -> Result<()> {
        let mut reader = self.archive.reader()?;
        for no in row.first.0..=row.last.0 {
            let Some(message) = reader.message(MessageNo(no))? else {
                continue;
            };
            let sent = message.row.sent;
            message.with_record(|record| self.add(record, Novelty::Replaces(sent), now))?;
        }
        Ok(())
    }

    /// Makes everything added visible and settles it.
    pub fn commit(&mut self, now: Now) -> Result<()> {
        for committed in self.writer.commit_all().map_err(index_failed)? {
            self.settle(committed, now)?;
        }
        self.messages = 0;
        self.bytes = 0;
        self.archive.segment_keys.refill()
    }

    /// Commits and waits until no merge runs.
    pub fn finish(mut self, now: Now) -> Result<()> {
        self.commit(now)?;
        let Settler {
            archive,
            writer,
            added,
            assigned,
            ..
        } = self;
        for committed in writer.close().map_err(index_failed)? {
            let mut assigned = assigned.clone();
            archive.settle(&committed, &added, &mut assigned, now)?;
        }
        // Merges since the last commit changed the list of segments: anchor what is there now.
        archive.anchor_all(now)
    }

    fn settle(&mut self, committed: Committed, now: Now) -> Result<()> {
        self.archive
            .settle(&committed, &self.added, &mut self.assigned, now)
    }
}

impl Admitted {
    fn revised(&self) -> bool {
        self.counts.revised > 0
    }
}

impl Archive {
    /// The store transaction after an index commit: anchor, segment keys, outbox.
    fn settle(
        &self,
        committed: &Committed,
        added: &BTreeMap<i32, u64>,
        assigned: &mut HashSet<KeyId>,
        now: Now,
    ) -> Result<()> {
        self.reached("settle.index_committed");
        let part = parts::of_name(committed.part);
        let seq = added.get(&part).copied().unwrap_or(0);
        self.write(now, |tx| {
            for (segment, key) in &committed.keys {
                if assigned.insert(*key) {
                    let id = u32::try_from(key.0)
                        .map(DataKeyId)
                        .map_err(|_| ArchiveError::Malformed("the number of a segment key"))?;
                    tx.assign_data_key(id, &format!("{}/{segment}", committed.part))?;
                }
            }
            tx.put_anchor(&AnchorRow {
                part,
                generation: committed.anchor.generation,
                revision: committed.anchor.revision,
                meta_hash: committed.anchor.hash.to_vec(),
                settled_seq: seq,
            })?;
            tx.settle_outbox(part, seq)?;
            self.reached("settle.written");
            Ok(())
        })
        .inspect(|()| self.reached("settle.committed"))
    }

    pub(super) fn anchor_all(&self, now: Now) -> Result<()> {
        let known = super::open::anchors(&self.store)?;
        self.write(now, |tx| {
            for row in tx.anchors()? {
                let name = parts::name(row.part);
                let Some(anchor) = self.index().anchor(name) else {
                    continue;
                };
                if known.get(&name) == Some(&anchor) {
                    continue;
                }
                tx.put_anchor(&AnchorRow {
                    generation: anchor.generation,
                    revision: anchor.revision,
                    meta_hash: anchor.hash.to_vec(),
                    ..row
                })?;
            }
            Ok(())
        })
    }
}

/// Shows a message of a batch as the evaluator and the index see it.
pub(super) fn with_item<T>(
    batch: &Batch,
    item: &Item,
    see: impl FnOnce(&Record<'_>) -> T,
) -> Result<T> {
    let body = std::str::from_utf8(&batch.bytes[item.body.clone()])
        .map_err(|_| ArchiveError::Malformed("the body of a packed message"))?;
    let (attachments, extras) = match item.is_bare {
        true => (Vec::new(), Extras::default()),
        false => {
            let packed = Packed::read(&batch.bytes[item.packed.clone()])?;
            (packed.attachments, packed.extras)
        }
    };
    let reactions = values_of(&extras.reactions);
    let incoming = &item.incoming;
    let record = Record {
        no: item.no,
        conversation: incoming.conversation,
        account: None,
        sender: incoming.sender,
        sent: incoming.sent,
        order: incoming.order,
        app: incoming.app,
        kind: incoming.kind,
        conversation_kind: incoming.conversation_kind,
        presence: incoming.presence,
        import: batch.import,
        thread: None,
        reply_to: item.reply_to,
        versions: &[body],
        filenames: &[],
        extracted: &[],
        reactions: &reactions,
        mentions: &extras.mentions,
        attachments: &[],
    };
    Ok(match attachments.is_empty() {
        true => see(&record),
        false => with_attachments(&record, &attachments.iter().collect::<Vec<_>>(), see),
    })
}
