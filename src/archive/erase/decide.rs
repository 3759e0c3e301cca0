//! P3: the deciding transaction. Before its commit everything is live, after it the purge only
//! rolls forward.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::Result;
use super::super::keyring::Former;
use super::super::read::open_versions_of;
use super::super::sealer::Opener;
use super::super::{Archive, ArchiveError, OpenedMessage, OpenedVersion};
use super::identity::{Canonical, anywhere};
use super::judge::{Judge, JudgeError, Judged, Judgement, KeepReason};
use super::plan::PlanItem;
use super::reseal::Touched;
use super::residue::Samples;
use super::run::EraseContext;
use super::slice::Slice;
use crate::audit::{Action, Draft};
use crate::crypto::Key;
use crate::domain::{ConversationNo, HandleNo, ImportNo, MessageId, MessageNo, Now, Timestamp};
use crate::store::{
    ContentRow, ConversationRow, DataKeyId, EraseFate, EraseItemRow, HandleRow, KeyKind,
    KeyPurpose, MessageRow, TombstoneKind, TombstoneRow, WriteTx,
};

/// Who may be asked and about which plan.
pub(super) struct Court<'a> {
    pub(super) batch: u64,
    pub(super) hold_epoch: u64,
    pub(super) judge: &'a dyn Judge,
}

/// What a slice came to.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) erased: u64,
    pub(super) dropped: u64,
}

impl Archive {
    /// P3a and P3b. After it the rows of the slice are gone and every key is wrapped under the next
    /// keyhold; what remains is to overwrite the elder (P4).
    pub(super) fn decide_slice(
        &self,
        slice: &Slice,
        touched: &Touched,
        court: &Court<'_>,
        samples: &mut Samples,
        context: &EraseContext<'_>,
    ) -> Result<()> {
        let next = self.write_next_hold(self.keyring.root())?;
        self.reached("erase.hold_written");
        let mut former: Option<Former> = None;
        let done = self.write((context.now)(), |tx| {
            // Asked when the turn has come: a hold that was placed while this waited counts.
            let now = (context.now)();
            let mut decision = Decision::new(self, tx, court, now)?;
            court
                .judge
                .begin(tx, court.hold_epoch, now)
                .map_err(refused)?;
            decision.messages(slice, touched, samples)?;
            decision.names(slice)?;
            self.kill_keys(tx, court.batch, touched)?;
            decision.kill_originals()?;
            let erased = std::mem::take(&mut decision.erased);
            let outcome = decision.end(erased.len() as u64)?;
            let (rotated, elder) = self.keyring.rewrap_in(tx, next.hold.clone())?;
            former = Some(elder);
            let grounds = court.judge.grounds();
            let draft = self
                .draft_of(Action::EraseSlice, court.batch, context)
                .objects(erased.iter().map(|(_, id)| id))
                .holds(grounds.holds)
                .policies(grounds.policies)
                .count("erased", outcome.erased)
                .count("dropped", outcome.dropped)
                .count("generation", rotated.generation);
            self.record_slice(tx, court.batch, draft, rotated.generation, now)?;
            self.index().hide_more(erased.into_iter().map(|(no, _)| no));
            self.reached("erase.judged");
            Ok(())
        });
        if let Err(error) = done {
            if let Some(former) = former {
                self.keyring.take_back(former);
            }
            self.hide_erased(&*self.store.read()?)?;
            return Err(error);
        }
        self.reached("erase.decided");
        self.retire_hold(&next)?;
        self.reached("erase.retired");
        Ok(())
    }

    /// Destroys the old keys of the touched buckets, once nothing lies under them any more.
    fn kill_keys(&self, tx: &WriteTx<'_>, batch: u64, touched: &Touched) -> Result<()> {
        for (id, purpose) in &touched.old {
            self.move_rest(tx, batch, *id, purpose)?;
            for blob in tx.blobs_under(*id)? {
                // Nothing carries it: `move_rest` took those that something does.
                tx.insert_erase_blob(batch, &blob.name, blob.bytes)?;
                tx.delete_blob(blob.no)?;
            }
            if tx.content_count_under(*id)? != 0 || !tx.blobs_under(*id)?.is_empty() {
                return Err(ArchiveError::Integrity(format!(
                    "something still lies under data key {}, which was to die: it",
                    id.0
                )));
            }
            // Readers of an elder picture may still ask for it until they end.
            self.keyring.keep_opened(tx, *id)?;
            tx.delete_data_key(*id)?;
            tx.insert_erase_key(batch, *id)?;
        }
        Ok(())
    }

    fn record_slice(
        &self,
        tx: &WriteTx<'_>,
        batch: u64,
        draft: Draft,
        generation: u64,
        now: Now,
    ) -> Result<()> {
        let mut row = self.batch_row(tx, batch)?;
        row.decided = row.decided.or(Some(now.compliance));
        row.generation_after = generation;
        tx.update_erase_batch(&row)?;
        self.log(tx, now, draft, None).map(drop)
    }

    /// Takes every destroyed message out of the sight of searches.
    pub(in crate::archive) fn hide_erased(&self, rows: &crate::store::Rows) -> Result<()> {
        let hidden = rows.erased_but_indexed()?;
        self.index().hide(hidden.into_iter().map(|(no, _)| no));
        Ok(())
    }
}

pub(super) fn refused(error: JudgeError) -> ArchiveError {
    match error {
        JudgeError::Refused(why) => ArchiveError::PurgeRefused(why),
        JudgeError::Failed(why) => ArchiveError::PurgeRefused(format!("no verdict: {why}")),
    }
}

/// One deciding transaction under way.
struct Decision<'t, 's> {
    archive: &'t Archive,
    tx: &'t WriteTx<'s>,
    court: &'t Court<'t>,
    now: Now,
    tombstone: Key,
    opener: Opener<'t>,
    plain: Vec<u8>,
    conversations: BTreeMap<ConversationNo, ConversationRow>,
    handles: BTreeMap<HandleNo, (HandleRow, String)>,
    imports: BTreeMap<ImportNo, Timestamp>,
    removed: BTreeMap<ConversationNo, u64>,
    /// Imports whose source holds a destroyed message.
    sources: BTreeSet<ImportNo>,
    erased: Vec<(MessageNo, MessageId)>,
    dropped: u64,
}

/// An opened message that may go, and its sightings.
type Doom = (OpenedMessage, Vec<(ImportNo, u64)>);

impl<'t, 's> Decision<'t, 's> {
    fn new(
        archive: &'t Archive,
        tx: &'t WriteTx<'s>,
        court: &'t Court<'t>,
        now: Now,
    ) -> Result<Self> {
        Ok(Self {
            archive,
            tx,
            court,
            now,
            tombstone: archive.tombstone_key().clone(),
            opener: Opener::new(&archive.keyring)?,
            plain: Vec::new(),
            conversations: BTreeMap::new(),
            handles: BTreeMap::new(),
            imports: BTreeMap::new(),
            removed: BTreeMap::new(),
            sources: BTreeSet::new(),
            erased: Vec::new(),
            dropped: 0,
        })
    }

    fn messages(&mut self, slice: &Slice, touched: &Touched, samples: &mut Samples) -> Result<()> {
        for item in &slice.items {
            let fate = match self.verdict(item, touched)? {
                Ok((message, sightings)) => {
                    samples.see(&message);
                    self.erased.push((item.no, message.id));
                    self.destroy(&message, &sightings)?
                }
                Err(reason) => {
                    self.dropped += 1;
                    EraseFate::Dropped(reason.code, reason.object)
                }
            };
            let row = EraseItemRow {
                no: item.no,
                revision: item.revision,
                fate,
            };
            self.tx.set_erase_fate(self.court.batch, &row)?;
        }
        Ok(())
    }

    /// The opened message if it may go, or why it stays.
    fn verdict(
        &mut self,
        item: &PlanItem,
        touched: &Touched,
    ) -> Result<std::result::Result<Doom, KeepReason>> {
        let Some(row) = self.tx.message(item.no)? else {
            let elder = self.tx.erased_item(item.no)?.map_or(0, |(batch, _)| batch);
            return Ok(Err(KeepReason {
                object: elder,
                ..KeepReason::GONE
            }));
        };
        let contents = self.tx.contents(item.no.0)?;
        let sightings = self.tx.observations(item.no)?;
        let is_old = |key: &DataKeyId| touched.old.contains_key(key);
        let mut only_old = contents.iter().all(|one| is_old(&one.data_key));
        for (_, content_no) in &sightings {
            // One that came in since P1 lies under a key that stays.
            let places = self.tx.content_places(*content_no)?;
            only_old &= places.iter().all(|(_, key)| is_old(key));
        }
        if row.version != item.revision || !only_old {
            return Ok(Err(KeepReason::CHANGED));
        }
        let message = self.open(row, &contents)?;
        let conversation = self.conversation(message.row.conversation)?;
        let ingested = self.import_began(message.row.import)?;
        let judgement = message.with_record(|record| {
            self.court.judge.judge(&Judged {
                record,
                row: &message.row,
                conversation: &conversation,
                ingested,
                rows: self.tx,
                now: self.now,
            })
        });
        Ok(match judgement.map_err(refused)? {
            Judgement::Erase => Ok((message, sightings)),
            Judgement::Keep(reason) => Err(reason),
        })
    }

    fn open(&mut self, row: MessageRow, contents: &[ContentRow]) -> Result<OpenedMessage> {
        let conversation = self.conversation(row.conversation)?;
        let began = self.import_began(row.import)?;
        let (opener, plain) = (&mut self.opener, &mut self.plain);
        let versions = open_versions_of(self.tx, opener, plain, &row, contents)?;
        Ok(OpenedMessage {
            id: self.archive.message_id(row.no, began),
            row,
            app: conversation.app,
            conversation_kind: conversation.kind,
            versions,
        })
    }

    fn conversation(&mut self, no: ConversationNo) -> Result<ConversationRow> {
        if let Some(row) = self.conversations.get(&no) {
            return Ok(row.clone());
        }
        let row = self
            .tx
            .conversation(no)?
            .ok_or_else(|| crate::store::StoreError::NotFound(format!("conversation {no}")))?;
        self.conversations.insert(no, row.clone());
        Ok(row)
    }

    fn import_began(&mut self, no: ImportNo) -> Result<Timestamp> {
        if let Some(began) = self.imports.get(&no) {
            return Ok(*began);
        }
        let began = self.archive.import_began(self.tx, no)?;
        self.imports.insert(no, began);
        Ok(began)
    }

    /// Look-up and label of an author.
    fn author(&mut self, no: Option<HandleNo>) -> Result<(Vec<u8>, String)> {
        let Some(no) = no else {
            return Ok((Vec::new(), String::new()));
        };
        if let Some((row, label)) = self.handles.get(&no) {
            return Ok((row.lookup.clone(), label.clone()));
        }
        let Some(row) = self.tx.handle(no)? else {
            return Ok((Vec::new(), String::new()));
        };
        let label = self.archive.label_of(self.tx, &mut self.opener, &row)?;
        self.handles.insert(no, (row.clone(), label.clone()));
        Ok((row.lookup, label))
    }

    /// Deletes every row of a message and sets its tombstones.
    fn destroy(
        &mut self,
        message: &OpenedMessage,
        sightings: &[(ImportNo, u64)],
    ) -> Result<EraseFate> {
        let row = &message.row;
        let keyed_id = self.bury(message)?;
        self.sources.insert(row.import);
        for (import, content_no) in sightings {
            self.sources.insert(*import);
            self.tx.delete_content(*content_no)?;
        }
        if !sightings.is_empty() {
            self.tx.delete_observations(row.no)?;
        }
        self.tx.delete_content(row.no.0)?;
        self.tx.delete_message(row.no)?;
        *self.removed.entry(row.conversation).or_default() += 1;
        Ok(EraseFate::Erased {
            conversation: row.conversation,
            sent: row.sent,
            import: row.import,
            keyed_id,
        })
    }

    /// The tombstones of a message, one for each wording; gives the identity of the first.
    fn bury(&mut self, message: &OpenedMessage) -> Result<[u8; 32]> {
        let row = &message.row;
        let conversation = self.conversation(row.conversation)?;
        let (author, label) = self.author(row.sender)?;
        let mut seen: BTreeSet<[u8; 32]> = BTreeSet::new();
        let mut first = None;
        for version in &message.versions {
            let OpenedVersion {
                body, source_id, ..
            } = version;
            let canonical = Canonical {
                app: conversation.app,
                conversation: &conversation.lookup,
                author: &author,
                sent: row.sent,
                body,
                source_id: source_id.as_deref(),
            };
            let identity = canonical.identity(&self.tombstone);
            first = first.or(Some(identity));
            let loose = anywhere(&self.tombstone, conversation.app, row.sent, &label, body);
            // Chats whose messages have ids have a key of their own, by which they are found again.
            let needs_loose = source_id.is_none();
            for (kind, identity, wanted) in [
                (TombstoneKind::Message, identity, true),
                (TombstoneKind::Anywhere, loose, needs_loose),
            ] {
                if wanted && seen.insert(identity) {
                    self.tx.put_tombstone(&TombstoneRow {
                        identity,
                        kind,
                        conversation: row.conversation,
                        batch: self.court.batch,
                        disposed: self.now.compliance,
                    })?;
                }
            }
        }
        first.ok_or(ArchiveError::Malformed("a message without a version"))
    }

    /// Deletes titles and names that stand for nobody any more.
    fn names(&mut self, slice: &Slice) -> Result<()> {
        for (no, content_no) in &slice.titles {
            self.tx.delete_content(*content_no)?;
            self.tx.set_title(*no, 0)?;
        }
        for (no, content_no) in &slice.names {
            self.tx.delete_content(*content_no)?;
            self.tx.set_name(*no, 0)?;
        }
        Ok(())
    }

    /// The original of an import goes with the first message of it that is destroyed.
    fn kill_originals(&self) -> Result<()> {
        for import in &self.sources {
            let purpose = KeyPurpose::object(KeyKind::ImportOriginal, import.to_string());
            if let Some(row) = self.tx.current_data_key(&purpose)? {
                self.tx.delete_data_key(row.id)?;
                self.tx.insert_erase_key(self.court.batch, row.id)?;
            }
        }
        Ok(())
    }

    fn end(self, erased: u64) -> Result<Outcome> {
        for (conversation, removed) in &self.removed {
            self.tx.shrink_conversation(*conversation, *removed)?;
        }
        Ok(Outcome {
            erased,
            dropped: self.dropped,
        })
    }
}
