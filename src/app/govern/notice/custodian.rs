//! Custodians: people named with a hold.

use super::super::super::{AppError, Appliance, Result, Session};
use super::super::words;
use crate::audit::{Action, Appended};
use crate::domain::{CustodianId, CustodianNo, HoldId, NoticeLanguage, Right};
use crate::store::{CustodianRow, Rows, WriteTx};

/// Most custodians of one hold.
pub const CUSTODIANS_MAX: usize = 1_000;

/// Somebody to be named with a hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewCustodian {
    /// What people call them.
    pub name: String,
    /// In which language they are written to.
    pub language: NoticeLanguage,
    /// Address for letters; may be empty.
    pub address: String,
    /// Their seat or handle; may be empty.
    pub seat: String,
    /// Who is told when they do not answer; may be empty.
    pub manager: String,
    /// Address of the manager; may be empty.
    pub manager_address: String,
    /// Known to counsel alone: they are sent nothing.
    pub silent: bool,
}

impl NewCustodian {
    fn checked(&self) -> Result<[&str; 5]> {
        let free = |what, text: &'_ str| match text.trim() {
            "" => Ok(()),
            given => words::name(what, given).map(drop),
        };
        free("the address", &self.address)?;
        free("the seat", &self.seat)?;
        free("the manager", &self.manager)?;
        free("the address of the manager", &self.manager_address)?;
        for (what, address) in [
            ("the address", &self.address),
            ("the address of the manager", &self.manager_address),
        ] {
            if address.contains(['\r', '\n', '<', '>', ',', ';', '"']) {
                return Err(AppError::Usage(format!("{what} is not one e-mail address")));
            }
        }
        Ok([
            words::name("the name of the custodian", &self.name)?,
            self.address.trim(),
            self.seat.trim(),
            self.manager.trim(),
            self.manager_address.trim(),
        ])
    }
}

impl Appliance {
    /// Names somebody with a hold. They are sent nothing by this.
    ///
    /// # Errors
    /// For anybody but a lawyer; when the hold is released or unknown, a name is missing, somebody of
    /// this name is named already, or a limit is passed.
    pub fn add_custodian(
        &self,
        session: &Session,
        hold: HoldId,
        new: &NewCustodian,
    ) -> Result<(CustodianId, Appended)> {
        self.require(session, Right::PlaceHolds, Action::CustodianAdd)?;
        let texts = new.checked()?;
        let now = self.clock.now();
        let id = CustodianId(self.new_id());
        let entry = self.change(now, |tx| {
            let row = self.shown_hold(tx, session, hold)?;
            if row.hold.release.is_some() {
                return Err(AppError::Conflict(format!("hold {hold} is released")));
            }
            let known = tx.custodians(row.hold.no)?;
            if known.len() >= CUSTODIANS_MAX {
                return Err(AppError::Usage(format!(
                    "a hold has at most {CUSTODIANS_MAX} custodians"
                )));
            }
            self.refuse_twin(tx, &known, texts)?;
            let text_no = self.archive.seal_texts(tx, &texts)?;
            tx.insert_custodian(&CustodianRow {
                no: CustodianNo(0),
                id,
                hold: row.hold.no,
                language: new.language,
                silent: new.silent,
                added: now.compliance,
                added_by: session.actor.no,
                text_no,
            })?;
            self.log_custodian(tx, session, Action::CustodianAdd, id, hold, new)
        })?;
        Ok((id, entry))
    }

    /// Corrects what is known of a custodian.
    ///
    /// # Errors
    /// As [`Appliance::add_custodian`]; when somebody who was sent a notice is to be silent.
    pub fn change_custodian(
        &self,
        session: &Session,
        id: CustodianId,
        new: &NewCustodian,
    ) -> Result<Appended> {
        self.require(session, Right::PlaceHolds, Action::CustodianChange)?;
        let texts = new.checked()?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let mut row = self.shown_custodian(tx, session, id)?;
            let hold = tx.hold(row.hold)?;
            let hold = hold.ok_or_else(|| AppError::NotFound(id.to_string()))?.id;
            if new.silent && !tx.notices(row.no)?.is_empty() {
                return Err(AppError::Conflict(
                    "they were sent a notice: nobody can make that unseen".to_owned(),
                ));
            }
            let others: Vec<CustodianRow> = tx
                .custodians(row.hold)?
                .into_iter()
                .filter(|other| other.no != row.no)
                .collect();
            self.refuse_twin(tx, &others, texts)?;
            row.language = new.language;
            row.silent = new.silent;
            row.text_no = self.archive.seal_texts(tx, &texts)?;
            tx.update_custodian(&row)?;
            self.log_custodian(tx, session, Action::CustodianChange, id, hold, new)
        })
    }

    /// The custodian of an id, where their hold is shown.
    pub(super) fn shown_custodian(
        &self,
        rows: &Rows,
        session: &Session,
        id: CustodianId,
    ) -> Result<CustodianRow> {
        let row = custodian_of(rows, id)?;
        self.sees_custodian(rows, session, &row)?;
        Ok(row)
    }

    /// Refuses whoever is not shown the hold of a custodian, as if there were none.
    pub(super) fn sees_custodian(
        &self,
        rows: &Rows,
        session: &Session,
        row: &CustodianRow,
    ) -> Result<()> {
        let unknown = || AppError::NotFound(row.id.to_string());
        let hold = rows.hold(row.hold)?.ok_or_else(unknown)?;
        self.shown_hold(rows, session, hold.id)
            .map(drop)
            .map_err(|error| match error {
                AppError::NotFound(_) => unknown(),
                other => other,
            })
    }

    fn log_custodian(
        &self,
        tx: &WriteTx<'_>,
        session: &Session,
        action: Action,
        id: CustodianId,
        hold: HoldId,
        new: &NewCustodian,
    ) -> Result<Appended> {
        let draft = self
            .draft(session, action)
            .object(id)
            .object(hold)
            .word("language", new.language.tag())
            .count("silent", u64::from(new.silent));
        self.log(
            tx,
            self.clock.now(),
            draft,
            Some(new.name.trim().as_bytes()),
        )
    }

    fn refuse_twin(&self, rows: &Rows, known: &[CustodianRow], new: [&str; 5]) -> Result<()> {
        for row in known {
            let [name, address]: [String; 2] = self.words(rows, row.text_no)?;
            if name == new[0] && address == new[1] {
                return Err(AppError::Conflict(format!(
                    "somebody of this name and address is named with the hold: {}",
                    row.id
                )));
            }
        }
        Ok(())
    }
}

/// The custodian of an id.
pub(super) fn custodian_of(rows: &Rows, id: CustodianId) -> Result<CustodianRow> {
    let found = rows.custodian_of_id(id)?;
    found.ok_or_else(|| AppError::NotFound(id.to_string()))
}
