//! Writing the audit log inside the caller's transaction, with its payload sealed by year.

use std::sync::PoisonError;

use super::error::Result;
use super::{Archive, ArchiveError};
use crate::audit::{Appended, Draft, Payload, PayloadKey, append};
use crate::crypto::RowCipher;
use crate::domain::{Now, Timestamp};
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
    fn ready_number(&self) -> Result<u64> {
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

fn audit_failed(error: crate::audit::AuditError) -> ArchiveError {
    ArchiveError::Audit(error.to_string())
}
