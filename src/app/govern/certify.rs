//! The certificate of a disposition: made when the purge is done, kept sealed, given out.

use std::collections::BTreeMap;

use super::super::{AppError, Appliance, Result, Session};
use super::dispose::{batch_of, object_of};
use super::policy::newest_of;
use crate::archive::{EraseContext, Erased};
use crate::audit::{Action, StatementKind};
use crate::crypto::{hex, sha256};
use crate::domain::{BatchNo, EntryNo, Lock, MessageId, PolicyRef, Right, Timestamp};
use crate::retention::{
    Answer, Approver, Authority, BatchFacts, CERTIFICATE_SCHEMA, Certificate, ClockFacts,
    Exception, Item, LogFacts, Method, PolicyWords, REQUEST, Verification, keep,
};
use crate::store::{ActKind, DispositionItemRow, DispositionRow, DispositionState, Rows};

/// What remains elsewhere after every purge, as long as nothing better is known.
const COPIES: [&str; 3] = [
    "exports made before are outside of control",
    "backups and snapshots of the whole directory made before hold ids and times of these messages",
    "snapshots that include the directory of keys keep the destroyed keys alive",
];

impl Appliance {
    /// P8: makes the certificate of a finished purge and keeps it sealed.
    pub(super) fn certify(
        &self,
        session: &Session,
        row: &DispositionRow,
        erased: &Erased,
        context: &EraseContext<'_>,
    ) -> Result<()> {
        let rows = self.archive.store().read()?;
        if rows.fact(&fact_of(row.batch))?.is_some() {
            return Ok(());
        }
        let batches = rows.erase_batches()?;
        let known = batches.iter().find(|one| one.batch == row.batch.0);
        let number = match known.and_then(|one| one.certificate) {
            Some(number) => number,
            None => rows.last_certificate()? + 1,
        };
        drop(rows);
        let outcome = self.archive.certified(row.batch.0, number, context)?;
        let proof = self.proof_of(outcome)?;
        let rows = self.archive.store().read()?;
        let mut certificate = self.certificate_of(&rows, row, erased, number, proof)?;
        drop(rows);
        let signed = |error: serde_json::Error| AppError::Integrity(error.to_string());
        let unsigned = certificate.unsigned().map_err(signed)?;
        let signature = self
            .archive
            .sign_statement(StatementKind::Certificate, &unsigned);
        certificate.signature = Some(hex(&signature));
        let document = certificate.to_bytes().map_err(signed)?;
        let text = String::from_utf8_lossy(&document).into_owned();
        let now = self.clock.now();
        self.change(now, |tx| {
            let text_no = self.archive.seal_texts(tx, &[&text])?;
            tx.put_fact(&fact_of(row.batch), &text_no.to_be_bytes())?;
            tx.move_disposition(row.batch, row.state, DispositionState::Certified)?;
            let draft = self
                .draft(session, Action::CertificateMake)
                .object(object_of(row.batch))
                .count("certificate", number)
                .word("digest", hex(&sha256(&document)));
            self.log(tx, now, draft, None).map(drop)
        })?;
        self.sign_log().map(drop)
    }

    /// The certificate of a list, as it was made.
    ///
    /// # Errors
    /// For who may not see the rules; when the list has none.
    pub fn certificate(&self, session: &Session, batch: BatchNo) -> Result<Vec<u8>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let none = || AppError::NotFound(format!("a certificate of list {batch}"));
        if self.shown_list(&rows, session, batch).is_err() {
            return Err(none());
        }
        let document = self.certificate_bytes(&rows, batch)?;
        let document = document.ok_or_else(none)?;
        drop(rows);
        self.log_rules_read(session, "certificate", 1)?;
        Ok(document)
    }

    /// The kept certificate of a list; `None` when it has none.
    pub(in crate::app) fn certificate_bytes(
        &self,
        rows: &Rows,
        batch: BatchNo,
    ) -> Result<Option<Vec<u8>>> {
        let kept = rows.fact(&fact_of(batch))?;
        let Some(no) = kept.and_then(|bytes| <[u8; 8]>::try_from(bytes).ok()) else {
            return Ok(None);
        };
        let [text] = self.words(rows, u64::from_be_bytes(no))?;
        Ok(Some(text.into_bytes()))
    }

    /// Whether a message was destroyed in a run, and what proves it: `None` as the list asks for the
    /// run that destroyed it. The keyed identity it is asked by can be looked for in any certificate.
    ///
    /// # Errors
    /// For who may not see the rules; `NotFound` when there never was such a message, when it is live
    /// and no list is named, or when the list has no certificate.
    pub fn was_destroyed(
        &self,
        session: &Session,
        id: MessageId,
        list: Option<BatchNo>,
    ) -> Result<(BatchNo, Answer)> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let found = self.archive.keyed_identity(id)?;
        let (identity, destroyed_by) = found.ok_or_else(|| AppError::NotFound(id.to_string()))?;
        let list = list.or(destroyed_by.map(BatchNo)).ok_or_else(|| {
            AppError::NotFound(format!("a run that destroyed {id}: it is live, so it"))
        })?;
        let document = self.certificate(session, list)?;
        let certificate = Certificate::read(&document).map_err(AppError::Integrity)?;
        let answer = certificate
            .answer(&hex(&identity))
            .map_err(AppError::Integrity)?;
        Ok((list, answer))
    }

    /// The entry of the outcome and the proof that it is in the log.
    fn proof_of(&self, outcome: EntryNo) -> Result<LogFacts> {
        let (entry, proof) = self.archive.prove_entry(outcome)?;
        Ok(LogFacts {
            checkpoint: proof.note,
            entry: String::from_utf8_lossy(&entry).into_owned(),
            index: outcome.0,
            key: self.archive.log_verifier().to_vkey(),
            path: proof.path.iter().map(|hash| hex(hash)).collect(),
        })
    }

    fn certificate_of(
        &self,
        rows: &Rows,
        row: &DispositionRow,
        erased: &Erased,
        number: u64,
        log: LogFacts,
    ) -> Result<Certificate> {
        let (_, listed, acts) = batch_of(rows, row.batch)?;
        let (items, by_policy) = self.items_of(&listed, erased)?;
        let mut approvals = Vec::new();
        for act in acts.iter().filter(|act| act.kind == ActKind::Approved) {
            approvals.push(Approver {
                at: act.at.0,
                by: self.user_id(rows, act.by)?,
            });
        }
        let now = self.clock.now();
        Ok(Certificate {
            approvals,
            authority: self.authority(rows, &by_policy)?,
            batch: BatchFacts {
                computed: row.computed.0,
                decided: erased.decided.map(|at| at.0),
                erased: erased.erased.len() as u64,
                items_root: hex(&erased.items_root()),
                number: row.batch.0,
                recall: row.recall_micros,
                requested_by: self.user_id(rows, row.requested_by)?,
                root: hex(&erased.root),
            },
            clock: ClockFacts {
                compliance: now.compliance.0,
                quality: self.clock_quality().name().to_owned(),
                wall: now.wall.0,
            },
            copies: COPIES.map(str::to_owned).to_vec(),
            exceptions: self.exceptions_of(rows, erased)?,
            items,
            log,
            method: Method {
                assurance: "overwrite".to_owned(),
                blob_bytes: erased.bytes,
                blobs: erased.blobs,
                generation_after: erased.generation_after,
                generation_before: erased.generation_before,
                keys_destroyed: erased.keys_destroyed.clone(),
                name: "cryptographic erase, AES-256-GCM, keys destroyed".to_owned(),
            },
            number,
            origin: self.archive.log_verifier().name.clone(),
            schema: CERTIFICATE_SCHEMA.to_owned(),
            signature: None,
            verification: Verification {
                index_absent: erased.residue.index_absent,
                key_absent: erased.residue.key_absent,
                sampled: erased.residue.sampled,
                scan_hits: erased.residue.scan_hits,
            },
        })
    }

    fn items_of(
        &self,
        listed: &[DispositionItemRow],
        erased: &Erased,
    ) -> Result<(Vec<Item>, BTreeMap<PolicyRef, u64>)> {
        let listed: BTreeMap<_, _> = listed.iter().map(|item| (item.message, item)).collect();
        let mut by_policy: BTreeMap<PolicyRef, u64> = BTreeMap::new();
        let mut items = Vec::with_capacity(erased.erased.len());
        for item in &erased.erased {
            let Some(listed) = listed.get(&item.no) else {
                return Err(AppError::Integrity(format!(
                    "message {} was destroyed and was on no list",
                    item.no
                )));
            };
            *by_policy.entry(listed.policy).or_default() += 1;
            let conversation = item.conversation.0.to_be_bytes();
            items.push(Item {
                conversation: hex(&self.archive.lookup("pseudonym", &[&conversation])),
                delete_from: listed.delete_from.0,
                due: listed.due.0,
                id: hex(&item.keyed_id),
                retain_until: Some(listed.retain_until)
                    .filter(|until| *until > Timestamp::ALWAYS)
                    .map(|until| until.0),
                sent: item.sent.0,
                t0: listed.t0.0,
            });
        }
        items.sort_by(|a, b| (&a.id, a.sent).cmp(&(&b.id, b.sent)));
        Ok((items, by_policy))
    }

    fn exceptions_of(&self, rows: &Rows, erased: &Erased) -> Result<Vec<Exception>> {
        let mut exceptions = Vec::new();
        for (no, reason) in &erased.dropped {
            let id = self.public_id(rows, *no)?;
            exceptions.push(Exception {
                message: id.map_or_else(|| format!("no {no}"), |id| id.to_string()),
                reason: keep::name(reason.code).to_owned(),
            });
        }
        Ok(exceptions)
    }

    fn authority(
        &self,
        rows: &Rows,
        by_policy: &BTreeMap<PolicyRef, u64>,
    ) -> Result<Vec<Authority>> {
        let known = rows.policies()?;
        let mut lines = Vec::new();
        for (policy, items) in by_policy {
            if *policy == REQUEST {
                lines.push(Authority {
                    citation: "GDPR art. 17: the person asked for erasure".to_owned(),
                    items: *items,
                    lock: Lock::None.name().to_owned(),
                    period: "none".to_owned(),
                    policy: "request".to_owned(),
                    trigger: "request".to_owned(),
                    version: 0,
                });
                continue;
            }
            let row = match rows.policy_version(*policy)? {
                Some(row) => row,
                None => newest_of(rows, policy.no)?,
            };
            let words = PolicyWords::from_texts(self.archive.open_texts(rows, row.text_no)?)?;
            let id = known.iter().find(|(no, _)| *no == policy.no);
            lines.push(Authority {
                citation: words.citation,
                items: *items,
                lock: row.version.lock.name().to_owned(),
                period: row.version.period.to_string(),
                policy: id.map_or_else(String::new, |(_, id)| id.to_string()),
                trigger: row.version.trigger.name().to_owned(),
                version: policy.version,
            });
        }
        Ok(lines)
    }
}

fn fact_of(batch: BatchNo) -> String {
    format!("certificate-{batch}")
}
