//! Holds what the record keeps of destructions against what the log tells of them: lists, roots,
//! holds and certificates, item by item.

use std::collections::{BTreeMap, BTreeSet};

use super::{Appliance, Result, verify_certificate};
use crate::archive::{Plan, PlanItem};
use crate::audit::Disposal;
use crate::crypto::{hex, sha256};
use crate::domain::{BatchNo, ConversationNo, HoldScope, MessageNo, Timestamp};
use crate::retention::remaining;
use crate::store::{EraseBatchRow, EraseFate, EraseItemRow, HoldRow, Rows};

/// A hold that names what it protects without any words: no text is needed to ask it.
struct Naming {
    row: HoldRow,
    items: BTreeSet<MessageNo>,
    conversations: BTreeSet<ConversationNo>,
}

impl Naming {
    fn all(rows: &Rows) -> Result<Vec<Naming>> {
        let known = rows.conversations()?;
        let mut all = Vec::new();
        for row in rows.holds()? {
            let mut naming = Naming {
                row,
                items: BTreeSet::new(),
                conversations: BTreeSet::new(),
            };
            match row.hold.scope {
                HoldScope::Ids => naming.items.extend(rows.hold_items(row.hold.no)?),
                HoldScope::Conversation(no) => naming.conversations.extend([no]),
                HoldScope::Account(account) => {
                    let of = known.iter().filter(|row| row.account == Some(account));
                    naming.conversations.extend(of.map(|row| row.no));
                }
                HoldScope::Query | HoldScope::Custodian(_) => continue,
            }
            all.push(naming);
        }
        Ok(all)
    }

    /// Whether it named the message when that was destroyed. One that was placed in that very
    /// microsecond may have come later.
    fn names(&self, no: MessageNo, conversation: ConversationNo, at: Timestamp) -> bool {
        let hold = &self.row.hold;
        (self.items.contains(&no) || self.conversations.contains(&conversation))
            && hold.from < at
            && hold.protects_at(at)
    }
}

impl Appliance {
    /// What does not hold between record and log, in words.
    pub(super) fn check_disposals(&self, told: &[Disposal]) -> Result<Vec<String>> {
        let rows = self.archive.store().read()?;
        let told: BTreeMap<&str, &Disposal> =
            told.iter().map(|one| (one.batch.as_str(), one)).collect();
        let naming = Naming::all(&rows)?;
        let mut problems = Vec::new();
        let mut kept = BTreeSet::new();
        for batch in rows.erase_batches()? {
            let name = format!("batch-{}", batch.batch);
            match told.get(name.as_str()) {
                Some(disposal) => self.check_batch(&rows, &batch, disposal, &mut problems)?,
                None => problems.push(format!("{name}: the log knows nothing of it")),
            }
            check_holds(&rows, &batch, &naming, &mut problems)?;
            kept.insert(name);
        }
        for name in told.keys().filter(|name| !kept.contains(**name)) {
            problems.push(format!(
                "{name}: the log tells of it, and the record does not"
            ));
        }
        Ok(problems)
    }

    fn check_batch(
        &self,
        rows: &Rows,
        batch: &EraseBatchRow,
        disposal: &Disposal,
        problems: &mut Vec<String>,
    ) -> Result<()> {
        let mut wrong = |what: &str| problems.push(format!("{}: {what}", disposal.batch));
        let items = rows.erase_items(batch.batch)?;
        let decided: Vec<PlanItem> = items
            .iter()
            .map(|item| PlanItem {
                no: item.no,
                revision: item.revision,
            })
            .collect();
        if hex(&root_of(batch.batch, decided.clone())) != disposal.approved_root {
            wrong("its messages are not those that were approved");
        }
        let erased = items.iter().filter(|item| is_erased(item)).count() as u64;
        if erased != disposal.erased {
            wrong(&format!(
                "{erased} messages are recorded as destroyed, the log tells of {}",
                disposal.erased
            ));
        }
        let list = BatchNo(batch.batch);
        if rows.disposition(list)?.is_none() {
            wrong("it was never on a list");
            return Ok(());
        }
        let plan_item = |item: &crate::store::DispositionItemRow| PlanItem {
            no: item.message,
            revision: item.revision,
        };
        let listed = rows.disposition_items(list)?;
        let left = remaining(&listed, &rows.disposition_acts(list)?);
        let whole = listed.iter().map(plan_item).collect();
        if hex(&root_of(batch.batch, whole)) != disposal.planned_root {
            wrong("its list is not the one that was previewed");
        }
        let left: Vec<PlanItem> = left.iter().map(plan_item).collect();
        if left != decided {
            wrong("other messages were decided than were left on the list");
        }
        if let (Some(digest), Some(document)) =
            (&disposal.certificate, self.certificate_bytes(rows, list)?)
        {
            if hex(&sha256(&document)) != *digest {
                wrong("its certificate is not the one in the log");
            }
            if let Err(error) = verify_certificate(&document, self.archive.log_verifier()) {
                wrong(&format!("its certificate: {error}"));
            }
        }
        Ok(())
    }
}

/// No hold that names messages or conversations one by one protected what is gone.
fn check_holds(
    rows: &Rows,
    batch: &EraseBatchRow,
    naming: &[Naming],
    problems: &mut Vec<String>,
) -> Result<()> {
    if naming.is_empty() {
        return Ok(());
    }
    for item in rows.erase_items(batch.batch)? {
        let EraseFate::Erased {
            conversation,
            keyed_id,
            ..
        } = item.fate
        else {
            continue;
        };
        let tombstone = rows.tombstone(&keyed_id)?;
        let own = tombstone.filter(|tombstone| tombstone.batch == batch.batch);
        let Some(at) = own.map(|tombstone| tombstone.disposed).or(batch.decided) else {
            continue;
        };
        let named = naming
            .iter()
            .find(|one| one.names(item.no, conversation, at));
        if let Some(naming) = named {
            problems.push(format!(
                "batch-{}: message {} is destroyed, and hold {} named it then",
                batch.batch, item.no, naming.row.id
            ));
        }
    }
    Ok(())
}

fn is_erased(item: &EraseItemRow) -> bool {
    matches!(item.fate, EraseFate::Erased { .. })
}

fn root_of(batch: u64, items: Vec<PlanItem>) -> crate::crypto::Digest {
    Plan {
        batch,
        hold_epoch: 0,
        items,
    }
    .root()
}
