//! The use-cases of matters: open, list, close.

use super::super::{AppError, Appliance, Result, Session};
use super::sight::Narrow;
use super::words;
use crate::audit::{Action, Appended};
use crate::domain::{MatterId, MatterNo, Right, Timestamp};
use crate::store::{MatterRow, Rows};

/// A matter as listed.
#[derive(Clone, Debug)]
pub struct MatterLine {
    /// Its public id.
    pub id: MatterId,
    /// What people call it.
    pub name: String,
    /// The reference of the case, such as a docket number; may be empty.
    pub reference: String,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// Holds of it that protect now, grace included.
    pub holds: u64,
}

impl Appliance {
    /// Opens a matter: the case or inquiry that holds belong to.
    ///
    /// # Errors
    /// For anybody but a lawyer; when the name is missing or another open matter has it.
    pub fn open_matter(
        &self,
        session: &Session,
        name: &str,
        reference: &str,
    ) -> Result<(MatterId, Appended)> {
        self.require(session, Right::PlaceHolds, Action::MatterOpen)?;
        let name = words::name("the name of the matter", name)?;
        let reference = match reference.trim() {
            "" => "",
            given => words::name("the reference", given)?,
        };
        let now = self.clock.now();
        let id = MatterId(self.new_id());
        let appended = self.change(now, |tx| {
            for known in tx.matters()?.iter().filter(|row| row.closed.is_none()) {
                let [taken] = self.words(tx, known.text_no)?;
                if taken == name {
                    return Err(AppError::Conflict(format!(
                        "there is an open matter with this name: {}",
                        known.id
                    )));
                }
            }
            let text_no = self.archive.seal_texts(tx, &[name, reference])?;
            tx.insert_matter(&MatterRow {
                no: MatterNo(0),
                id,
                text_no,
                opened: now.compliance,
                opened_by: session.actor.no,
                closed: None,
            })?;
            let draft = self.draft(session, Action::MatterOpen).object(id);
            self.log(tx, now, draft, Some(name.as_bytes()))
        })?;
        Ok((id, appended))
    }

    /// Closes a matter. Its holds must be released first: closing releases nothing.
    ///
    /// # Errors
    /// For anybody but a lawyer; when a hold of it still protects.
    pub fn close_matter(&self, session: &Session, id: MatterId, reason: &str) -> Result<Appended> {
        self.require(session, Right::PlaceHolds, Action::MatterClose)?;
        let reason = words::reason(reason)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let narrow = self.narrow(tx, session)?;
            let row = shown_matter(tx, narrow.as_ref(), id)?;
            let mut standing = tx.holds()?;
            standing
                .retain(|hold| hold.hold.matter == row.no && hold.hold.protects_at(now.compliance));
            if let (Some(narrow), Some(hold)) = (&narrow, standing.first())
                && !narrow.shows_hold(tx, hold)?
            {
                return Err(AppError::Blocked(
                    "a hold of this matter still protects; two people can release it first"
                        .to_owned(),
                ));
            }
            if let Some(hold) = standing.first() {
                return Err(AppError::Held {
                    text: format!(
                        "hold {} of this matter still protects; two people can release it first",
                        hold.id
                    ),
                    holds: standing.iter().map(|hold| hold.id).collect(),
                });
            }
            tx.close_matter(row.no, now.compliance)?;
            let draft = self.draft(session, Action::MatterClose).object(id);
            self.log(tx, now, draft, Some(reason.as_bytes()))
        })
    }

    /// Every matter there ever was, in the order of opening.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn matters(&self, session: &Session) -> Result<Vec<MatterLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let mut holds = rows.holds()?;
        let narrow = self.narrow(&rows, session)?;
        if let Some(narrow) = &narrow {
            let mut shown = Vec::new();
            for hold in holds {
                if narrow.shows_hold(&rows, &hold)? {
                    shown.push(hold);
                }
            }
            holds = shown;
        }
        let mut lines = Vec::new();
        for row in rows.matters()? {
            if let Some(narrow) = &narrow
                && !narrow.shows_matter(&rows, &row)?
            {
                continue;
            }
            let [name, reference] = self.words(&rows, row.text_no)?;
            let standing = holds
                .iter()
                .filter(|hold| hold.hold.matter == row.no && hold.hold.protects_at(now.compliance));
            lines.push(MatterLine {
                id: row.id,
                name,
                reference,
                opened: row.opened,
                closed: row.closed,
                holds: standing.count() as u64,
            });
        }
        drop(rows);
        self.log_rules_read(session, "matters", lines.len())?;
        Ok(lines)
    }

    /// The entry of a look at the rules.
    pub(super) fn log_rules_read(&self, session: &Session, what: &str, lines: usize) -> Result<()> {
        let now = self.clock.now();
        let draft = self
            .draft(session, Action::RulesRead)
            .word("what", what)
            .count("lines", lines as u64);
        self.change(now, |tx| self.log(tx, now, draft, None))?;
        Ok(())
    }
}

/// The matter of an id, where it is shown.
pub(super) fn shown_matter(
    rows: &Rows,
    narrow: Option<&Narrow>,
    id: MatterId,
) -> Result<MatterRow> {
    let row = matter_of(rows, id)?;
    match narrow {
        Some(narrow) if !narrow.shows_matter(rows, &row)? => {
            Err(AppError::NotFound(id.to_string()))
        }
        _ => Ok(row),
    }
}

/// The matter of an id.
fn matter_of(rows: &Rows, id: MatterId) -> Result<MatterRow> {
    let found = rows.matters()?.into_iter().find(|row| row.id == id);
    found.ok_or_else(|| AppError::NotFound(id.to_string()))
}
