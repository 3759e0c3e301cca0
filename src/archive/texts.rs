//! Free words of the house itself: names of policies and holds, queries, reasons. Sealed like names.

use super::entity::{pack_texts, read_texts};
use super::error::Result;
use super::sealer::{Opener, Sealer, entity_bucket};
use super::{Archive, ArchiveError};
use crate::store::{ContentKey, Rows, WriteTx};

impl Archive {
    /// Seals texts inside the caller's transaction (one of [`Archive::write`]) and gives their
    /// content number. One transaction seals at most sixty-four of them, payloads of the audit log
    /// included.
    pub fn seal_texts(&self, tx: &WriteTx<'_>, texts: &[&str]) -> Result<u64> {
        let no = self.ready_number()?;
        let bucket = entity_bucket((no % u64::from(self.shards())) as u16);
        let plain = pack_texts(texts);
        Sealer::new(&self.keyring)?.put(tx, ContentKey::first(no), &bucket, &plain)?;
        Ok(no)
    }

    /// Opens what [`Archive::seal_texts`] sealed, in any transaction.
    pub fn open_texts(&self, rows: &Rows, content_no: u64) -> Result<Vec<String>> {
        let sealed = rows
            .content(ContentKey::first(content_no))?
            .ok_or_else(|| ArchiveError::Disposed(format!("content {content_no}")))?;
        let mut plain = Vec::new();
        Opener::new(&self.keyring)?.open(rows, &sealed, &mut plain)?;
        read_texts(&plain)
    }
}
