//! The threads of an import: the reader feeds the writer, the writer feeds the settler.
//!
//! Channels are short, so that memory stays flat: a slow disk slows the reader.

use std::sync::{Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::{AppError, Result};
use crate::app::{Appliance, Session};
use crate::archive::{Admitted, AdmittedAttachment, ArchiveError, Batch, Targets};
use crate::audit::Action;
use crate::query::Record;
use crate::retention::{Book, Matcher};
use crate::store::{ImportCounts, ImportRow};

/// Batches waiting between two threads.
const WAITING: usize = 2;

/// The end into which the reader puts batches; dropping it ends the import.
pub(super) struct Feed {
    sender: Sender<Batch>,
}

/// The holds in force while an import runs, read anew when they changed. Nothing is read as long as
/// nothing was ever destroyed: no hold can want it back then.
#[derive(Default)]
struct Holds {
    book: Option<Book>,
}

impl Holds {
    fn in_force(&mut self, appliance: &Appliance) -> Result<Option<&Book>> {
        if !appliance.archive.has_disposed()? {
            return Ok(None);
        }
        let rows = appliance.archive.store().read()?;
        let epoch = rows.epochs()?.hold;
        if self
            .book
            .as_ref()
            .is_none_or(|book| book.epochs().hold != epoch)
        {
            self.book = Some(appliance.book(&rows)?);
        }
        Ok(self.book.as_ref())
    }
}

impl Feed {
    /// Hands a batch over; `false` when the writer failed and takes no more.
    pub(super) fn send(&self, batch: Batch) -> bool {
        self.sender.send(batch).is_ok()
    }
}

/// What was written.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    /// Counts of the whole import so far.
    pub(super) counts: ImportCounts,
    /// Counts of this entry.
    pub(super) counts_here: ImportCounts,
    /// Attachments whose bytes are in the container.
    pub(super) attachments: Vec<AdmittedAttachment>,
}

/// The writing side of one entry.
pub(super) struct Pipeline<'a> {
    appliance: &'a Appliance,
    session: &'a Session,
    row: Option<ImportRow>,
    ended: Mutex<Result<Written>>,
}

impl<'a> Pipeline<'a> {
    pub(super) fn start(
        appliance: &'a Appliance,
        session: &'a Session,
        row: Option<ImportRow>,
    ) -> Self {
        let counts = row.as_ref().map(|row| row.counts).unwrap_or_default();
        let ended = Mutex::new(Ok(Written {
            counts,
            ..Written::default()
        }));
        Self {
            appliance,
            session,
            row,
            ended,
        }
    }

    /// Starts writer and settler. They end when the feed is dropped or one of them fails.
    pub(super) fn spawn<'scope, 'env>(&'env self, scope: &'scope Scope<'scope, 'env>) -> Feed {
        let (sender, batches) = bounded::<Batch>(WAITING);
        let (durable, settled) = bounded::<Admitted>(WAITING);
        let settler = scope.spawn(move || self.settle(&settled));
        scope.spawn(move || {
            let written = self.write(&batches, durable);
            let shown = join(settler);
            let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            *ended = written.and_then(|written| shown.map(|()| written));
        });
        Feed { sender }
    }

    fn write(&self, batches: &Receiver<Batch>, durable: Sender<Admitted>) -> Result<Written> {
        let mut written = Written::default();
        let Some(mut row) = self.row.clone() else {
            return Ok(written);
        };
        let mut holds = Holds::default();
        let mut targets = Targets::default();
        for batch in batches {
            let now = self.appliance.clock.now();
            // Before the transaction: what was destroyed and comes again stays out, unless a hold
            // wants it.
            let book = holds.in_force(self.appliance)?;
            let mut matcher = book.map(|book| Matcher::new(book, &self.appliance.archive));
            let mut wanted = |record: &Record<'_>| match &mut matcher {
                None => Ok(false),
                Some(matcher) => matcher
                    .wants(record, now.compliance)
                    .map_err(|error| ArchiveError::Integrity(error.to_string())),
            };
            let admitted = self.appliance.archive.admit_wanted(
                batch,
                now,
                &mut targets,
                &mut wanted,
                |tx, counts| {
                    add(&mut row.counts, counts);
                    tx.update_import(&row)?;
                    let draft = self
                        .appliance
                        .draft(self.session, Action::ImportBatch)
                        .object(row.id)
                        .count("count", counts.fresh + counts.known + counts.revised);
                    self.appliance.archive.log(tx, now, draft, None).map(drop)
                },
            )?;
            add(&mut written.counts_here, &admitted.counts);
            written.attachments.extend(admitted.attachments());
            if durable.send(admitted).is_err() {
                // The settler failed and says why; what was written stays and is replayed.
                break;
            }
        }
        written.counts = row.counts;
        Ok(written)
    }

    fn settle(&self, durable: &Receiver<Admitted>) -> Result<()> {
        let shown = self.show(durable);
        if shown.is_err() {
            self.appliance.archive.left_unsettled();
        }
        shown
    }

    fn show(&self, durable: &Receiver<Admitted>) -> Result<()> {
        let mut settler = self.appliance.archive.settler();
        for admitted in durable {
            settler.show(&admitted, self.appliance.clock.now())?;
        }
        Ok(settler.finish(self.appliance.clock.now())?)
    }

    /// What was written, or why it failed. Call after the scope of the threads ended.
    pub(super) fn finish(self) -> Result<Written> {
        self.ended
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(to: &mut ImportCounts, more: &ImportCounts) {
    to.fresh += more.fresh;
    to.known += more.known;
    to.revised += more.revised;
    to.rejected += more.rejected;
    to.notes += more.notes;
    to.disposed += more.disposed;
}

fn join(thread: ScopedJoinHandle<'_, Result<()>>) -> Result<()> {
    thread.join().unwrap_or_else(|_| {
        Err(AppError::Integrity(
            "the index writer stopped; run it again".to_owned(),
        ))
    })
}
