//! Writing the audit log inside the caller's transaction, with its payload sealed by year.

use std::sync::PoisonError;

use super::error::Result;
use super::{Archive, ArchiveError};
use crate::audit::{
    Appended, Beginning, Draft, InclusionProof, LogSink, Payload, PayloadKey, StatementKind,
    VKEY_FILE, append,
};
use crate::crypto::{Checkpoint, NoteVerifier, RowCipher, SIGNATURE_LEN, open_checkpoint};
use crate::domain::{EntryNo, Now, Timestamp};
use crate::store::{AuditEntryRow, KeyKind, KeyPurpose, Rows, StoreError, WriteTx};

/// Numbers kept ready before a transaction begins, for payloads sealed inside it.
pub(super) const NUMBERS_READY: u64 = 64;

fn year_of(now: Timestamp) -> u32 {
    now.civil_utc().0.max(0) as u32
}

impl Archive {
    /// Appends an entry in the caller's transaction; `payload` (query text, reason, before and
    /// after) is sealed under the key of the year.
    pub fn log(
        &self,
        tx: &WriteTx<'_>,
        now: Now,
        draft: Draft,
        payload: Option<&[u8]>,
    ) -> Result<Appended> {
        let entropy = self.keyring.entropy();
        let payload = match payload {
            None => Payload::none(&**entropy),
            Some(bytes) => {
                let year = year_of(now.compliance);
                let key = self.payload_key(tx, year)?;
                key.seal(self.ready_number()?, bytes, &**entropy)
                    .map_err(audit_failed)?
            }
        };
        append(tx, &now, draft, payload).map_err(audit_failed)
    }

    fn payload_key(&self, tx: &WriteTx<'_>, year: u32) -> Result<PayloadKey> {
        let purpose = KeyPurpose::object(KeyKind::AuditPayload, year.to_string());
        let bucket = self.keyring.sealing(tx, &purpose)?;
        Ok(PayloadKey {
            id: bucket.data_key,
            year,
            run: bucket.run,
            cipher: RowCipher::clone(&bucket.cipher),
            store: self.keyring.store_id(),
        })
    }

    /// A number reserved before the transaction began.
    pub(super) fn ready_number(&self) -> Result<u64> {
        let mut reserved = self
            .reserved()
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let number = reserved.as_mut().and_then(Iterator::next);
        Ok(number.ok_or(StoreError::Limit(
            "numbers reserved for payloads of one transaction",
        ))?)
    }

    /// Opens the payload of an entry; `None` when it has none or its year was pruned.
    pub fn payload(
        &self,
        rows: &Rows,
        row: &AuditEntryRow,
        commit: &crate::crypto::Digest,
    ) -> Result<Option<Vec<u8>>> {
        let Some((key, kept)) = &row.payload else {
            return Ok(None);
        };
        let run = crate::audit::kept_run(kept)
            .ok_or(ArchiveError::Malformed("the payload of an audit entry"))?;
        let Some(key_row) = rows.data_key(*key)? else {
            return Ok(None);
        };
        let year = key_row
            .purpose
            .object
            .as_deref()
            .and_then(|year| year.parse().ok());
        let bucket = self.keyring.opening(rows, *key, run)?;
        let opener = PayloadKey {
            id: *key,
            year: year.ok_or(ArchiveError::Malformed("the year of a payload key"))?,
            run,
            cipher: RowCipher::clone(&bucket.cipher),
            store: self.keyring.store_id(),
        };
        opener.open(kept, commit).map(Some).map_err(audit_failed)
    }
}

impl Archive {
    /// Name and public key of the log: what a verifier pins.
    pub fn log_verifier(&self) -> &NoteVerifier {
        self.signer.verifier()
    }

    /// Signs the state of the log if it grew and publishes tiles and checkpoint under `log/`.
    /// Refuses to sign what contradicts an earlier checkpoint. Gives the newest checkpoint there is.
    pub fn sign_log(&self, now: Now) -> Result<Option<Checkpoint>> {
        let _alone = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let directory = self.store.directory();
        let signed = self.write(now, |tx| {
            crate::audit::sign(tx, &directory, &self.signer).map_err(audit_failed)
        })?;
        self.reached("sign.committed");
        if let Some(signed) = &signed {
            let vkey = format!("{}\n", self.log_verifier().to_vkey());
            let known = directory.read_log_file(VKEY_FILE)?;
            if known.as_deref() != Some(vkey.as_bytes()) {
                directory.write_log_file(VKEY_FILE, vkey.as_bytes())?;
            }
            signed.publish(&mut &*directory).map_err(audit_failed)?;
            return Ok(Some(signed.checkpoint.clone()));
        }
        let last = self.store.read()?.last_audit_checkpoint()?;
        last.map(|(_, note)| open_checkpoint(note.as_bytes(), self.log_verifier()))
            .transpose()
            .map_err(|error| ArchiveError::Audit(error.to_string()))
    }

    /// Whether record and published log tell one story; the error says which is older.
    pub fn check_log(&self) -> Result<()> {
        let rows = self.store.read()?;
        crate::audit::check(&rows, &self.store.directory(), &self.signer).map_err(audit_failed)
    }

    /// Signs a document with the key of the log, as what it is.
    pub fn sign_statement(&self, kind: StatementKind, document: &[u8]) -> [u8; SIGNATURE_LEN] {
        self.signer.sign_statement(kind, document)
    }

    /// An entry as it was hashed, and the proof that it is in the log as published last. Sign the
    /// log first: what was appended since is not proved.
    pub fn prove_entry(&self, seq: EntryNo) -> Result<(Vec<u8>, InclusionProof)> {
        // A checkpoint that is being published must not change under the proof.
        let _alone = self.signing.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = self.store.read()?;
        let row = rows.audit_entries(seq, EntryNo(seq.0 + 1))?.pop();
        let row = match (row, Beginning::kept(&rows).map_err(audit_failed)?) {
            (Some(row), _) => row,
            (None, Some(beginning)) if seq.0 < beginning.size() => {
                let what = format!("audit entry {seq}, which was pruned,");
                return Err(StoreError::NotFound(what).into());
            }
            (None, _) => return Err(StoreError::NotFound(format!("audit entry {seq}")).into()),
        };
        drop(rows);
        let directory = self.store.directory();
        let proof = InclusionProof::make(&directory, seq, self.log_verifier());
        Ok((row.entry, proof.map_err(audit_failed)?))
    }

    /// Number of the first entry that was not pruned.
    pub fn log_begins(&self, rows: &Rows) -> Result<u64> {
        let kept = Beginning::kept(rows).map_err(audit_failed)?;
        Ok(kept.map_or(0, |beginning| beginning.size()))
    }

    /// Writes the log up to its last checkpoint as C2SP tiles.
    pub fn export_log(&self, out: &mut dyn LogSink) -> Result<Checkpoint> {
        let rows = self.store.read()?;
        crate::audit::export(&rows, &self.store.directory(), self.log_verifier(), out)
            .map_err(audit_failed)
    }
}

pub(super) fn audit_failed(error: crate::audit::AuditError) -> ArchiveError {
    ArchiveError::Audit(error.to_string())
}
