//! The drill after a restore: what was restored really opens.

use super::super::error::Result;
use super::super::sealer::Opener;
use super::super::{Archive, ArchiveError};
use super::manifest::signed_document;
use crate::audit::StatementKind;
use crate::domain::MessageNo;

/// Every row is opened.
pub const SAMPLE_ALL: u64 = 0;
/// Numbers of the sequence read in one stable picture.
const PAGE_NUMBERS: u64 = 8_192;
/// Things named in a verdict; the rest is counted.
const NAMED_MAX: usize = 20;

/// What opening the rows of a restored record found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DrillVerdict {
    /// Sealed rows in the record.
    pub rows: u64,
    /// Rows that were opened.
    pub opened: u64,
    /// Messages that were opened with all their versions.
    pub messages: u64,
    /// Attachments that were opened.
    pub attachments: u64,
    /// What did not open, at most twenty.
    pub broken: Vec<String>,
    /// How much did not open.
    pub broken_count: u64,
}

impl DrillVerdict {
    fn note(&mut self, what: String) {
        self.broken_count += 1;
        if self.broken.len() < NAMED_MAX {
            self.broken.push(what);
        }
    }
}

impl Archive {
    /// The report of a trial restore, in canonical form and signed by the log.
    pub fn sign_restore_report(&self, report: &serde_json::Value) -> Result<Vec<u8>> {
        signed_document(report, StatementKind::RestoreReport, &self.signer)
    }

    /// Opens the sealed rows of the whole record, or about `sample` of them spread evenly
    /// ([`SAMPLE_ALL`]: all), and the messages and attachments they belong to.
    pub fn drill(
        &self,
        sample: u64,
        progress: &mut dyn FnMut(&'static str, u64, u64),
    ) -> Result<DrillVerdict> {
        let mut verdict = DrillVerdict::default();
        let (total, last) = {
            let rows = self.store.read()?;
            (rows.content_count()?, rows.last_content()?)
        };
        let every = total.checked_div(sample).map_or(1, |every| every.max(1));
        let mut first = 0;
        while first <= last {
            let end = first + PAGE_NUMBERS;
            self.drill_page(first, end, every, &mut verdict)?;
            first = end;
            progress("opened", verdict.rows, total);
        }
        Ok(verdict)
    }

    fn drill_page(
        &self,
        first: u64,
        end: u64,
        every: u64,
        verdict: &mut DrillVerdict,
    ) -> Result<()> {
        let mut reader = self.reader()?;
        let mut opener = Opener::new(&self.keyring)?;
        let (mut plain, mut chosen) = (Vec::new(), Vec::new());
        reader.rows().each_content(first, end, |row| {
            verdict.rows += 1;
            if !verdict.rows.is_multiple_of(every) {
                return Ok(());
            }
            plain.clear();
            verdict.opened += 1;
            if let Err(error) = opener.open(reader.rows(), &row, &mut plain) {
                verdict.note(error.to_string());
            } else if chosen.last() != Some(&row.key.no) {
                chosen.push(row.key.no);
            }
            Ok::<_, ArchiveError>(())
        })?;
        for no in chosen {
            match reader.message(MessageNo(no)) {
                Ok(None) => {}
                Ok(Some(_)) => {
                    verdict.messages += 1;
                    self.drill_attachments(MessageNo(no), verdict)?;
                }
                Err(error) => verdict.note(format!("message {no}: {error}")),
            }
        }
        Ok(())
    }

    fn drill_attachments(&self, no: MessageNo, verdict: &mut DrillVerdict) -> Result<()> {
        for (ordinal, blob) in self.store.read()?.attachments(no)? {
            if blob.is_none() {
                continue;
            }
            verdict.attachments += 1;
            if let Err(error) = self.attachment_bytes(no, ordinal) {
                verdict.note(format!("attachment {ordinal} of message {no}: {error}"));
            }
        }
        Ok(())
    }
}
