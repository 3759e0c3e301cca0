//! The certificate of a disposition: made when the purge is done, kept sealed, given out, verified.

use std::collections::BTreeMap;

use super::super::{AppError, Appliance, Result, Session};
use super::dispose::{batch_of, object_of};
use super::policy::newest_of;
use crate::archive::{EraseContext, Erased};
use crate::audit::{Action, LogEnd, StatementKind, verify_statement};
use crate::crypto::{NoteVerifier, from_hex, hex, sha256};
use crate::domain::{BatchNo, Lock, PolicyRef, Right};
use crate::retention::{
    Approver, Authority, BatchFacts, CERTIFICATE_SCHEMA, Certificate, ClockFacts, Exception, Item,
    LogFacts, Method, PolicyWords, REQUEST, Verification, keep,
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
        let last = batches.iter().filter_map(|one| one.certificate).max();
        let number = known
            .and_then(|one| one.certificate)
            .unwrap_or(last.unwrap_or(0) + 1);
        drop(rows);
        self.archive.certified(row.batch.0, number, context)?;
        let rows = self.archive.store().read()?;
        let mut certificate = self.certificate_of(&rows, row, erased, number)?;
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
        let kept = rows.fact(&fact_of(batch))?;
        let no = kept
            .and_then(|bytes| <[u8; 8]>::try_from(bytes).ok())
            .ok_or_else(|| AppError::NotFound(format!("a certificate of list {batch}")))?;
        let [text] = self.words(&rows, u64::from_be_bytes(no))?;
        drop(rows);
        self.log_rules_read(session, "certificate", 1)?;
        Ok(text.into_bytes())
    }

    fn certificate_of(
        &self,
        rows: &Rows,
        row: &DispositionRow,
        erased: &Erased,
        number: u64,
    ) -> Result<Certificate> {
        let (_, listed, acts) = batch_of(rows, row.batch)?;
        let (items, by_policy) = self.items_of(&listed, erased);
        let mut approvals = Vec::new();
        for act in acts.iter().filter(|act| act.kind == ActKind::Approved) {
            approvals.push(Approver {
                at: act.at.0,
                by: self.user_id(rows, act.by)?,
            });
        }
        let end = LogEnd::read(rows).map_err(|error| AppError::Integrity(error.to_string()))?;
        let now = self.clock.now();
        Ok(Certificate {
            approvals,
            authority: self.authority(rows, &by_policy)?,
            batch: BatchFacts {
                computed: row.computed.0,
                erased: erased.erased.len() as u64,
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
            log: LogFacts {
                entries: end.edge.size(),
                root: hex(&end.edge.root()),
            },
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
    ) -> (Vec<Item>, BTreeMap<PolicyRef, u64>) {
        let due: BTreeMap<_, _> = listed.iter().map(|item| (item.message, item)).collect();
        let mut by_policy: BTreeMap<PolicyRef, u64> = BTreeMap::new();
        let mut items = Vec::with_capacity(erased.erased.len());
        for item in &erased.erased {
            let listed = due.get(&item.no);
            if let Some(listed) = listed {
                *by_policy.entry(listed.policy).or_default() += 1;
            }
            let conversation = item.conversation.0.to_be_bytes();
            items.push(Item {
                id: hex(&item.keyed_id),
                conversation: hex(&self.archive.lookup("pseudonym", &[&conversation])),
                due: listed.map_or(0, |listed| listed.due.0),
                sent: item.sent.0,
            });
        }
        items.sort();
        (items, by_policy)
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

/// Verifies a certificate against the key of a log: nothing else is needed.
///
/// # Errors
/// `Integrity` with what is wrong: the form, or the signature.
pub fn verify_certificate(document: &[u8], key: &NoteVerifier) -> Result<Certificate> {
    let certificate = Certificate::read(document).map_err(AppError::Integrity)?;
    let signature = certificate.signature.as_deref().and_then(from_hex);
    let signature =
        signature.ok_or_else(|| AppError::Integrity("the certificate is not signed".to_owned()))?;
    let unsigned = certificate
        .unsigned()
        .map_err(|error| AppError::Integrity(error.to_string()))?;
    verify_statement(StatementKind::Certificate, &unsigned, &signature, key)
        .map_err(|error| AppError::Integrity(error.to_string()))?;
    Ok(certificate)
}

fn fact_of(batch: BatchNo) -> String {
    format!("certificate-{batch}")
}
