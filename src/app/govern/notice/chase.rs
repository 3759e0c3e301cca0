//! When nobody answers: time runs out, somebody reminds, the manager is told.

use super::super::super::{AppError, Appliance, Result, Session};
use super::issue::still_waiting;
use super::letter::{Letter, LetterFor};
use super::report::is_due;
use crate::audit::{Action, Appended, Draft, EntryActor};
use crate::domain::{NoticeActKind, NoticeId, NoticeNo, Now, Right, Timestamp};
use crate::store::{NoticeActRow, NoticeRow, Rows};

/// Reminders without an answer after which the manager is told.
pub const ESCALATE_AFTER: usize = 2;
/// Notices that are marked in one transaction.
const MARKED_AT_ONCE: usize = 200;

impl Appliance {
    /// Marks every notice that waits for longer than it should, once for each waiting. Called by
    /// [`Appliance::tend`].
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn mark_notices_due(&self) -> Result<u64> {
        let now = self.clock.now();
        let mut late = Vec::new();
        {
            let rows = self.archive.store().read()?;
            for row in rows.unanswered_notices()? {
                if self.next_step(&rows, &row, now)?.is_some() {
                    late.push(row.no);
                }
            }
        }
        for some in late.chunks(MARKED_AT_ONCE) {
            self.mark(some, now)?;
        }
        Ok(late.len() as u64)
    }

    fn mark(&self, notices: &[NoticeNo], now: Now) -> Result<()> {
        self.change(now, |tx| {
            for no in notices {
                let Some(row) = tx.notice(*no)? else {
                    continue;
                };
                // Somebody may have answered since it was looked for.
                if still_waiting(tx, row).is_err() {
                    continue;
                }
                let Some(kind) = self.next_step(tx, &row, now)? else {
                    continue;
                };
                self.act(tx, row.no, kind, None, None, now)?;
                let next = match kind {
                    NoticeActKind::EscalationDue => "escalation",
                    _ => "reminder",
                };
                let house = EntryActor::system();
                let draft = Draft::new(house, Action::NoticeDue, self.request())
                    .object(row.id)
                    .word("next", next);
                self.log(tx, now, draft, None)?;
            }
            Ok(())
        })
    }

    /// What somebody has to do about a notice now that was not said before.
    fn next_step(&self, rows: &Rows, row: &NoticeRow, now: Now) -> Result<Option<NoticeActKind>> {
        let acts = rows.notice_acts(row.no)?;
        if is_due(&acts) || now.compliance < due_at(row, &acts) {
            return Ok(None);
        }
        let count = |kind| acts.iter().filter(|act| act.kind == kind).count();
        let [_, _, _, manager] = match rows.custodian(row.custodian)? {
            Some(custodian) => self.words(rows, custodian.text_no)?,
            None => Default::default(),
        };
        let is_stubborn = count(NoticeActKind::Reminded) >= ESCALATE_AFTER;
        let to_manager = is_stubborn && count(NoticeActKind::Escalated) == 0 && !manager.is_empty();
        Ok(Some(match to_manager {
            true => NoticeActKind::EscalationDue,
            false => NoticeActKind::ReminderDue,
        }))
    }

    /// Reminds a custodian: a letter with a new link, and the waiting begins anew.
    ///
    /// # Errors
    /// For anybody but a lawyer; when the notice is answered or called back, or its hold released.
    pub fn remind_notice(&self, session: &Session, id: NoticeId) -> Result<(Letter, Appended)> {
        self.require(session, Right::PlaceHolds, Action::NoticeRemind)?;
        self.chase(session, id, LetterFor::Reminder)
    }

    /// Tells the manager of a custodian.
    ///
    /// # Errors
    /// As [`Appliance::remind_notice`], and when no manager is named.
    pub fn escalate_notice(&self, session: &Session, id: NoticeId) -> Result<(Letter, Appended)> {
        self.require(session, Right::PlaceHolds, Action::NoticeEscalate)?;
        self.chase(session, id, LetterFor::Escalation)
    }

    fn chase(
        &self,
        session: &Session,
        id: NoticeId,
        what: LetterFor,
    ) -> Result<(Letter, Appended)> {
        let now = self.clock.now();
        let done = self.change(now, |tx| {
            let notice = self.waiting_notice(tx, session, id)?;
            self.refuse_released(tx, &notice)?;
            let letter = self.write_letter(tx, &notice, what, now)?;
            let (kind, action) = match what {
                LetterFor::Escalation => (NoticeActKind::Escalated, Action::NoticeEscalate),
                _ => (NoticeActKind::Reminded, Action::NoticeRemind),
            };
            self.act(tx, notice.no, kind, Some(session), None, now)?;
            let draft = self.draft(session, action).object(id);
            let entry = self.log(tx, now, draft, None)?;
            Ok((letter, entry))
        })?;
        self.sign_log()?;
        Ok(done)
    }

    fn refuse_released(&self, rows: &Rows, notice: &NoticeRow) -> Result<()> {
        let custodian = rows.custodian(notice.custodian)?;
        let hold = match custodian {
            Some(custodian) => rows.hold(custodian.hold)?,
            None => None,
        };
        match hold.is_some_and(|hold| hold.hold.release.is_none()) {
            true => Ok(()),
            false => Err(AppError::Conflict(
                "the hold is released: nobody has to answer any more".to_owned(),
            )),
        }
    }
}

/// When a notice waits too long: so many days after it was sent, or after the last that was done.
fn due_at(row: &NoticeRow, acts: &[NoticeActRow]) -> Timestamp {
    let done = acts
        .iter()
        .filter(|act| matches!(act.kind, NoticeActKind::Reminded | NoticeActKind::Escalated));
    let last = done.map(|act| act.at).max();
    last.unwrap_or(row.issued)
        .plus_days(i64::from(row.remind_days))
}
