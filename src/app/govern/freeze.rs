//! The use-cases of purge freezes: one person stops all destruction, two let it go on.

use super::super::{AppError, Appliance, Result, Session};
use super::words;
use crate::audit::{Action, Appended, Draft, EntryActor};
use crate::domain::{FreezeNo, FreezeReason, Now, Right, Timestamp, UserNo};
use crate::store::{FreezeRow, Rows, WriteTx};

/// A freeze as listed.
#[derive(Clone, Debug)]
pub struct FreezeLine {
    /// Its number.
    pub no: FreezeNo,
    /// Why.
    pub reason: FreezeReason,
    /// The same in words, where somebody gave them.
    pub words: String,
    /// Since when.
    pub since: Timestamp,
    /// Whether somebody already asked to lift it.
    pub lift_requested: bool,
    /// When it was lifted.
    pub lifted: Option<Timestamp>,
    /// Login of who set it; `None` when the house itself did.
    pub set_by: Option<String>,
    /// Login of who asked to lift it, and whether that is whoever looks.
    pub lift_asked_by: Option<(String, bool)>,
}

impl Appliance {
    /// Stops all destruction, at once.
    ///
    /// # Errors
    /// For who may not freeze; when the reason is missing.
    pub fn freeze(&self, session: &Session, reason: &str) -> Result<(FreezeNo, Appended)> {
        self.require(session, Right::Freeze, Action::FreezeSet)?;
        let reason = words::reason(reason)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let text_no = self.archive.seal_texts(tx, &[reason])?;
            let no = tx.insert_freeze(&FreezeRow {
                no: FreezeNo(0),
                reason: FreezeReason::Legal,
                since: now.compliance,
                set_by: Some(session.actor.no),
                text_no: Some(text_no),
                lift_requested_by: None,
                lifted: None,
            })?;
            let draft = self
                .draft(session, Action::FreezeSet)
                .word("freeze", no)
                .word("why", FreezeReason::Legal.name());
            Ok((no, self.log(tx, now, draft, Some(reason.as_bytes()))?))
        })
    }

    /// Stops all destruction for a reason the house found itself, in its words.
    pub(in crate::app) fn freeze_by_itself(
        &self,
        tx: &WriteTx<'_>,
        now: Now,
        reason: FreezeReason,
        why: &str,
    ) -> Result<()> {
        let text_no = self.archive.seal_texts(tx, &[why])?;
        let no = tx.insert_freeze(&FreezeRow {
            no: FreezeNo(0),
            reason,
            since: now.compliance,
            set_by: None,
            text_no: Some(text_no),
            lift_requested_by: None,
            lifted: None,
        })?;
        let draft = Draft::new(EntryActor::system(), Action::FreezeSet, self.request())
            .word("freeze", no)
            .word("why", reason.name());
        self.log(tx, now, draft, None).map(drop)
    }

    /// Asks to lift a freeze, or, when somebody else asked already, lifts it: `true`.
    ///
    /// # Errors
    /// For who may not freeze; when it does not stand, or the same person asks twice.
    pub fn lift_freeze(
        &self,
        session: &Session,
        no: FreezeNo,
        reason: &str,
    ) -> Result<(bool, Appended)> {
        self.require(session, Right::Freeze, Action::FreezeLift)?;
        let reason = words::reason(reason)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let standing = tx.freezes()?.into_iter().find(|row| row.no == no);
            let Some(row) = standing.filter(|row| row.lifted.is_none()) else {
                return Err(AppError::NotFound(format!("a standing freeze {no}")));
            };
            let (done, action) = match row.lift_requested_by {
                None => {
                    tx.request_lift(no, session.actor.no)?;
                    (false, Action::FreezeLiftRequest)
                }
                Some(first) if first == session.actor.no => {
                    return Err(AppError::Blocked(format!(
                        "you asked to lift freeze {no} already; another lawyer or records officer \
                         must agree"
                    )));
                }
                Some(_) => {
                    tx.lift_freeze(no, now.compliance, session.actor.no)?;
                    (true, Action::FreezeLift)
                }
            };
            let draft = self.draft(session, action).word("freeze", no);
            Ok((done, self.log(tx, now, draft, Some(reason.as_bytes()))?))
        })
    }

    /// Every freeze there ever was.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn freezes(&self, session: &Session) -> Result<Vec<FreezeLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let mut lines = Vec::new();
        for row in rows.freezes()? {
            let [words] = match row.text_no {
                Some(no) => self.words(&rows, no)?,
                None => [String::new()],
            };
            lines.push(FreezeLine {
                no: row.no,
                reason: row.reason,
                words,
                since: row.since,
                lift_requested: row.lift_requested_by.is_some(),
                lifted: row.lifted.map(|(at, _)| at),
                set_by: self.login_if(&rows, row.set_by)?,
                lift_asked_by: self
                    .login_if(&rows, row.lift_requested_by)?
                    .map(|login| (login, row.lift_requested_by == Some(session.actor.no))),
            });
        }
        drop(rows);
        self.log_rules_read(session, "freezes", lines.len())?;
        Ok(lines)
    }
    /// Every freeze that stands, as [`Appliance::freezes`].
    ///
    /// # Errors
    /// As [`Appliance::freezes`].
    pub fn standing_freezes(&self, session: &Session) -> Result<Vec<FreezeLine>> {
        let mut lines = self.freezes(session)?;
        lines.retain(|line| line.lifted.is_none());
        Ok(lines)
    }

    fn login_if(&self, rows: &Rows, no: Option<UserNo>) -> Result<Option<String>> {
        no.map(|no| self.login_of(rows, no)).transpose()
    }
}
