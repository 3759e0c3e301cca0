//! The purge from its intent to its facts: P0, the slices, and what follows the last of them.

use std::sync::PoisonError;

use super::super::error::Result;
use super::super::{Archive, ArchiveError};
use super::approved::Approved;
use super::decide::Court;
use super::facts::{Erased, ErasedItem, Residue};
use super::judge::{Judge, KeepReason};
use super::kept::KeptBackups;
use super::plan::{Plan, PlanItem};
use super::residue::Samples;
use super::slice::{Slice, cut};
use crate::audit::{Action, Draft, EntryActor};
use crate::crypto::hex;
use crate::domain::{ConversationNo, Now};
use crate::store::{EraseBatchRow, EraseFate, EraseItemRow, EraseState, Rows, StoreError, WriteTx};

/// Items after which a slice is full, as a rule: a deciding transaction of well under a second.
pub const SLICE_ITEMS: usize = 10_000;

/// What a purge needs of its surroundings.
#[derive(Clone)]
pub struct EraseContext<'a> {
    /// Who acts, for the audit log.
    pub actor: EntryActor,
    /// Ties the entries of the purge together.
    pub request: String,
    /// The present, asked anew for every transaction: a purge may take long.
    pub now: &'a dyn Fn() -> Now,
    /// The backups that are still kept.
    pub backups: &'a dyn KeptBackups,
    /// Items after which a slice is full; it ends with the bucket it stands in. [`SLICE_ITEMS`]
    /// unless a test wants many slices.
    pub slice_items: usize,
}

/// The batch as an object of the audit log.
pub(super) fn object_of(batch: u64) -> String {
    format!("batch-{batch}")
}

impl Archive {
    /// Destroys what was approved: P0 to P7 of the purge protocol. The batch then awaits its
    /// certificate ([`Archive::certified`]). Called again with the same plan after a failure or a
    /// crash it goes on where it stopped, and gives the facts of the whole batch.
    ///
    /// Keep imports and rebuilds of the index away meanwhile, and hold no read transaction in the
    /// calling thread. Searches go on and see nothing of what is decided.
    ///
    /// # Errors
    /// `PurgeRefused` when the judge refuses: the slice stays whole and readable. `PurgeUnfinished`
    /// when another batch is. Anything else: what was decided is finished on the next open or call,
    /// the rest is live.
    pub fn erase(
        &self,
        approved: &Approved<Plan>,
        judge: &dyn Judge,
        context: &EraseContext<'_>,
    ) -> Result<Erased> {
        let _alone = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = approved.get();
        self.give_survivors(context)?;
        self.intend(approved, context)?;
        let court = Court {
            batch: plan.batch,
            hold_epoch: plan.hold_epoch,
            judge,
        };
        let mut samples = Samples::new(plan.items.len());
        for slice in self.slices(plan.batch, context.slice_items)? {
            self.slice(&slice, &court, &mut samples, context)?;
        }
        self.forget_names(&court, &mut samples, context)?;
        self.advance(plan.batch, EraseState::Decided, context)?;
        self.finish(plan.batch, &samples, context)
    }

    /// P0: the batch is durable before anything of it happens. A batch that is there already must
    /// be the same.
    fn intend(&self, approved: &Approved<Plan>, context: &EraseContext<'_>) -> Result<()> {
        let plan = approved.get();
        let root = plan.root();
        let now = (context.now)();
        let generation = self.keyring.generation();
        self.write(now, |tx| {
            let batches = tx.erase_batches()?;
            if let Some(row) = batches.iter().find(|row| row.batch == plan.batch) {
                return match row.root == root {
                    true => Ok(()),
                    false => Err(ArchiveError::PurgeRefused(format!(
                        "batch {} was begun with another list of messages",
                        plan.batch
                    ))),
                };
            }
            let open = batches.iter().find(|row| row.state < EraseState::Checked);
            if let Some(row) = open {
                return Err(ArchiveError::PurgeUnfinished(row.batch));
            }
            let row = EraseBatchRow {
                batch: plan.batch,
                root,
                hold_epoch: plan.hold_epoch,
                items: plan.items.len() as u64,
                state: EraseState::Intended,
                begun: now.compliance,
                decided: None,
                generation_before: generation,
                generation_after: generation,
                sampled: 0,
                key_absent: false,
                index_absent: false,
                scan_hits: 0,
                certificate: None,
            };
            let items = plan.items.iter().map(|item| (item.no, item.revision));
            tx.insert_erase_batch(&row, items)?;
            let draft = self
                .draft_of(Action::EraseIntent, plan.batch, context)
                .count("items", row.items)
                .count("approvals", approved.approvers().len() as u64)
                .word("ids_root", hex(&root));
            self.log(tx, now, draft, None).map(drop)
        })?;
        self.reached("erase.intended");
        Ok(())
    }

    pub(super) fn draft_of(&self, action: Action, batch: u64, context: &EraseContext<'_>) -> Draft {
        Draft::new(context.actor.clone(), action, context.request.clone()).object(object_of(batch))
    }

    /// What of a batch is not decided yet, in slices.
    fn slices(&self, batch: u64, slice_items: usize) -> Result<Vec<Slice>> {
        let rows = self.store.read()?;
        let waiting: Vec<PlanItem> = rows
            .erase_items(batch)?
            .into_iter()
            .filter(|item| item.fate == EraseFate::Waiting)
            .map(|item| PlanItem {
                no: item.no,
                revision: item.revision,
            })
            .collect();
        cut(&rows, &waiting, slice_items)
    }

    /// P1 to P4 of one slice.
    fn slice(
        &self,
        slice: &Slice,
        court: &Court<'_>,
        samples: &mut Samples,
        context: &EraseContext<'_>,
    ) -> Result<()> {
        let touched = self.reseal(slice, context)?;
        self.read_back(court.batch, &touched, context)?;
        self.decide_slice(slice, &touched, court, samples, context)?;
        self.give_survivors(context)?;
        self.empty_log()?;
        // No picture is left in which anybody could ask for them.
        for id in touched.old.keys() {
            self.keyring.forget(*id);
        }
        self.reached("erase.forgotten");
        Ok(())
    }

    /// Titles and names die with the last message they stood for: a slice of their own.
    fn forget_names(
        &self,
        court: &Court<'_>,
        samples: &mut Samples,
        context: &EraseContext<'_>,
    ) -> Result<()> {
        let slice = self.write((context.now)(), |tx| self.nameless(tx, court.batch))?;
        if slice.titles.is_empty() && slice.names.is_empty() {
            return Ok(());
        }
        self.slice(&slice, court, samples, context)
    }

    /// Conversations that a batch emptied and handles that are left nowhere.
    fn nameless(&self, tx: &WriteTx<'_>, batch: u64) -> Result<Slice> {
        let mut slice = Slice::default();
        let mut seen: Option<ConversationNo> = None;
        let mut conversations: Vec<ConversationNo> = tx
            .erase_items(batch)?
            .iter()
            .filter_map(|item| match item.fate {
                EraseFate::Erased { conversation, .. } => Some(conversation),
                _ => None,
            })
            .collect();
        conversations.sort_unstable();
        for no in conversations {
            if seen.replace(no) == Some(no) {
                continue;
            }
            let Some(row) = tx.conversation(no)? else {
                continue;
            };
            if row.messages == 0 && row.title_no > 0 {
                tx.delete_participants(no)?;
                slice.titles.push((no, row.title_no));
            }
        }
        if !slice.titles.is_empty() {
            slice.names = tx.homeless_handles()?;
        }
        Ok(slice)
    }

    pub(super) fn batch_row(&self, rows: &Rows, batch: u64) -> Result<EraseBatchRow> {
        Ok(rows
            .erase_batch(batch)?
            .ok_or_else(|| StoreError::NotFound(format!("batch {batch}")))?)
    }

    /// Writes that a batch came as far as `state`, if it was not there yet.
    pub(super) fn advance(
        &self,
        batch: u64,
        state: EraseState,
        context: &EraseContext<'_>,
    ) -> Result<()> {
        self.write((context.now)(), |tx| {
            let mut row = self.batch_row(tx, batch)?;
            if row.state < state {
                row.state = state;
                tx.update_erase_batch(&row)?;
            }
            Ok(())
        })
    }

    /// The facts of a batch, as far as it came. `residue` counts only once it is checked.
    ///
    /// # Errors
    /// When there is no such batch.
    pub fn erased(&self, batch: u64) -> Result<Erased> {
        let rows = self.store.read()?;
        let row = self.batch_row(&rows, batch)?;
        let items = rows.erase_items(batch)?;
        let (blobs, bytes) = rows.erase_blob_totals(batch)?;
        Ok(Erased {
            batch,
            root: row.root,
            erased: items.iter().filter_map(erased_item).collect(),
            dropped: items.iter().filter_map(dropped_item).collect(),
            keys_destroyed: rows.erase_keys(batch)?,
            generation_before: row.generation_before,
            generation_after: row.generation_after,
            blobs,
            bytes,
            decided: row.decided,
            residue: Residue {
                sampled: row.sampled,
                key_absent: row.key_absent,
                index_absent: row.index_absent,
                scan_hits: row.scan_hits,
            },
        })
    }
}

fn erased_item(item: &EraseItemRow) -> Option<ErasedItem> {
    match item.fate {
        EraseFate::Erased {
            conversation,
            sent,
            keyed_id,
            ..
        } => Some(ErasedItem {
            no: item.no,
            keyed_id,
            conversation,
            sent,
        }),
        _ => None,
    }
}

fn dropped_item(item: &EraseItemRow) -> Option<(crate::domain::MessageNo, KeepReason)> {
    match item.fate {
        EraseFate::Dropped(code, object) => Some((item.no, KeepReason { code, object })),
        _ => None,
    }
}
