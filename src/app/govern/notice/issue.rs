//! Issuing: whoever has not got the newest words of a hold gets them, and everybody hears of its end.

use std::collections::BTreeMap;

use super::super::super::{AppError, Appliance, Result, Session};
use super::super::words;
use super::custodian::custodian_of;
use super::report::answer_of;
use super::template::digest;
use crate::audit::{Action, Appended};
use crate::crypto::hex;
use crate::domain::{
    CustodianId, HoldId, NoticeActKind, NoticeId, NoticeKind, NoticeLanguage, NoticeNo,
    NoticeTextNo, Now, Right,
};
use crate::store::{CustodianRow, HoldRow, NoticeActRow, NoticeRow, NoticeTextRow, Rows, WriteTx};

/// Days without an answer after which somebody has to remind, unless told otherwise.
pub const REMIND_DAYS: u16 = 7;
/// Most of them.
pub const REMIND_DAYS_MAX: u16 = 365;

/// What is to be sent, and to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeOrder {
    /// The hold.
    pub hold: HoldId,
    /// To whom; empty: to everybody named with the hold who is not silent.
    pub custodians: Vec<CustodianId>,
    /// What must be kept, in words that custodians understand.
    pub keep: String,
    /// Whom to ask.
    pub contact: String,
    /// Days without an answer after which somebody has to remind.
    pub remind_days: u16,
}

/// What was sent.
#[derive(Clone, Debug)]
pub struct NoticesIssued {
    /// New notices, in the order of the custodians.
    pub issued: Vec<NoticeId>,
    /// Custodians who had these words already.
    pub current: usize,
    /// Custodians who are silent and were sent nothing.
    pub silent: usize,
    /// The last entry, when something was sent.
    pub audit: Option<Appended>,
}

/// Words of one language that are being sent.
#[derive(Clone, Copy)]
struct Sent {
    no: NoticeTextNo,
    version: u32,
    hash: [u8; 32],
}

/// What the words of a hold are merged from.
struct Merging<'a> {
    hold: &'a HoldRow,
    kind: NoticeKind,
    keep: &'a str,
    contact: &'a str,
    now: Now,
}

impl Appliance {
    /// Sends the newest words to custodians who have not got them. An elder notice that nobody answered
    /// is called back.
    ///
    /// # Errors
    /// For anybody but a lawyer; when the hold is released, a custodian is not of it, or somebody who is
    /// silent is named.
    pub fn issue_notices(&self, session: &Session, order: &NoticeOrder) -> Result<NoticesIssued> {
        self.require(session, Right::PlaceHolds, Action::NoticeIssue)?;
        let keep = words::reason(&order.keep).map_err(|_| {
            AppError::Usage("say what must be kept, in at most 2000 characters".to_owned())
        })?;
        let contact = words::name("the contact", &order.contact)?;
        if !(1..=REMIND_DAYS_MAX).contains(&order.remind_days) {
            return Err(AppError::Usage(format!(
                "a reminder is due after 1 to {REMIND_DAYS_MAX} days"
            )));
        }
        let now = self.clock.now();
        let issued = self.change(now, |tx| {
            let hold = self.shown_hold(tx, session, order.hold)?;
            if hold.hold.release.is_some() {
                return Err(AppError::Conflict(format!(
                    "hold {} is released",
                    order.hold
                )));
            }
            let merging = Merging {
                hold: &hold,
                kind: NoticeKind::Hold,
                keep,
                contact,
                now,
            };
            let everybody = tx.custodians(hold.hold.no)?;
            let chosen = chosen(tx, &hold, everybody, &order.custodians)?;
            let mut texts = BTreeMap::new();
            let mut done = NoticesIssued {
                issued: Vec::new(),
                current: 0,
                silent: 0,
                audit: None,
            };
            for custodian in &chosen {
                if custodian.silent {
                    done.silent += 1;
                    continue;
                }
                let sent = self.text_for(tx, &merging, custodian.language, &mut texts)?;
                if self.has_text(tx, session, custodian, sent.no, now)? {
                    done.current += 1;
                    continue;
                }
                let (id, entry) =
                    self.insert_notice(tx, session, &merging, custodian, sent, order.remind_days)?;
                done.issued.push(id);
                done.audit = Some(entry);
            }
            Ok(done)
        })?;
        self.sign_log()?;
        Ok(issued)
    }

    /// Tells everybody who was sent a notice that the hold is released, in the transaction of the
    /// release.
    pub(in crate::app::govern) fn tell_release(
        &self,
        tx: &WriteTx<'_>,
        session: &Session,
        hold: &HoldRow,
        now: Now,
    ) -> Result<u64> {
        let last = tx
            .notice_texts(hold.hold.no)?
            .into_iter()
            .rfind(|text| text.kind == NoticeKind::Hold);
        let Some(last) = last else {
            return Ok(0);
        };
        let [_, _, keep, contact] = self.words(tx, last.text_no)?;
        let merging = Merging {
            hold,
            kind: NoticeKind::Release,
            keep: &keep,
            contact: &contact,
            now,
        };
        let mut texts = BTreeMap::new();
        let mut told = 0;
        for custodian in tx.custodians(hold.hold.no)? {
            let mut was_told = false;
            for notice in tx.notices(custodian.no)? {
                let acts = tx.notice_acts(notice.no)?;
                was_told |= !acts.iter().any(|act| act.kind == NoticeActKind::Withdrawn);
            }
            if custodian.silent || !was_told {
                continue;
            }
            let sent = self.text_for(tx, &merging, custodian.language, &mut texts)?;
            self.insert_notice(tx, session, &merging, &custodian, sent, REMIND_DAYS)?;
            told += 1;
        }
        Ok(told)
    }

    /// The words in a language: those there are, or a new version where they say something else.
    fn text_for(
        &self,
        tx: &WriteTx<'_>,
        merging: &Merging<'_>,
        language: NoticeLanguage,
        made: &mut BTreeMap<NoticeLanguage, Sent>,
    ) -> Result<Sent> {
        if let Some(sent) = made.get(&language) {
            return Ok(*sent);
        }
        let (hold, kind) = (merging.hold, merging.kind);
        let template = self.notice_template(tx, kind, language)?;
        let (matter, name) = self.names_of_hold(tx, hold)?;
        let (subject, body) = template.merged(&[
            ("matter", &matter),
            ("hold", &name),
            ("keep", merging.keep),
            ("contact", merging.contact),
        ]);
        let hash = digest(language, &subject, &body);
        let last = tx
            .notice_texts(hold.hold.no)?
            .into_iter()
            .rfind(|text| text.kind == kind && text.language == language);
        let sent = match last {
            Some(last) if last.hash == hash => Sent {
                no: last.no,
                version: last.version,
                hash,
            },
            last => {
                let version = last.map_or(0, |last| last.version) + 1;
                let texts = [&*subject, &body, merging.keep, merging.contact];
                let text_no = self.archive.seal_texts(tx, &texts)?;
                let no = tx.insert_notice_text(&NoticeTextRow {
                    no: NoticeTextNo(0),
                    hold: hold.hold.no,
                    kind,
                    language,
                    version,
                    template: template.version,
                    hash,
                    created: merging.now.compliance,
                    text_no,
                })?;
                Sent { no, version, hash }
            }
        };
        made.insert(language, sent);
        Ok(sent)
    }

    /// Whether a custodian has these words. Elder ones that wait for an answer are called back.
    fn has_text(
        &self,
        tx: &WriteTx<'_>,
        session: &Session,
        custodian: &CustodianRow,
        text: NoticeTextNo,
        now: Now,
    ) -> Result<bool> {
        for notice in tx.notices(custodian.no)? {
            let acts = tx.notice_acts(notice.no)?;
            let is_withdrawn = acts.iter().any(|act| act.kind == NoticeActKind::Withdrawn);
            if notice.kind != NoticeKind::Hold || is_withdrawn {
                continue;
            }
            if notice.text == text {
                return Ok(true);
            }
            if answer_of(&acts).is_none() {
                let mut draft = self
                    .draft(session, Action::NoticeWithdraw)
                    .object(notice.id);
                draft.reason_code = Some("superseded".to_owned());
                self.act(
                    tx,
                    notice.no,
                    NoticeActKind::Withdrawn,
                    Some(session),
                    None,
                    now,
                )?;
                tx.delete_notice_link(notice.no)?;
                self.log(tx, now, draft, None)?;
            }
        }
        Ok(false)
    }

    fn insert_notice(
        &self,
        tx: &WriteTx<'_>,
        session: &Session,
        merging: &Merging<'_>,
        custodian: &CustodianRow,
        sent: Sent,
        remind_days: u16,
    ) -> Result<(NoticeId, Appended)> {
        let id = NoticeId(self.new_id());
        tx.insert_notice(&NoticeRow {
            no: NoticeNo(0),
            id,
            custodian: custodian.no,
            kind: merging.kind,
            text: sent.no,
            remind_days,
            issued: merging.now.compliance,
            issued_by: session.actor.no,
        })?;
        let action = match merging.kind {
            NoticeKind::Release => Action::NoticeRelease,
            _ => Action::NoticeIssue,
        };
        let draft = self
            .draft(session, action)
            .object(id)
            .object(custodian.id)
            .object(merging.hold.id)
            .word("language", custodian.language.tag())
            .count("version", u64::from(sent.version))
            .word("text", hex(&sent.hash));
        let entry = self.log(tx, merging.now, draft, None)?;
        Ok((id, entry))
    }

    /// Calls a notice back: its link is dead when this returns.
    ///
    /// # Errors
    /// For anybody but a lawyer; when it was answered or called back already.
    pub fn withdraw_notice(
        &self,
        session: &Session,
        id: NoticeId,
        reason: &str,
    ) -> Result<Appended> {
        self.require(session, Right::PlaceHolds, Action::NoticeWithdraw)?;
        let reason = words::reason(reason)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let notice = self.waiting_notice(tx, session, id)?;
            let text_no = self.archive.seal_texts(tx, &[reason])?;
            self.act(
                tx,
                notice.no,
                NoticeActKind::Withdrawn,
                Some(session),
                Some(text_no),
                now,
            )?;
            tx.delete_notice_link(notice.no)?;
            let draft = self.draft(session, Action::NoticeWithdraw).object(id);
            self.log(tx, now, draft, Some(reason.as_bytes()))
        })
    }

    /// Writes down what became of a notice.
    pub(super) fn act(
        &self,
        tx: &WriteTx<'_>,
        notice: NoticeNo,
        kind: NoticeActKind,
        by: Option<&Session>,
        text_no: Option<u64>,
        now: Now,
    ) -> Result<()> {
        Ok(tx.insert_notice_act(&NoticeActRow {
            notice,
            kind,
            at: now.compliance,
            by: by.map(|session| session.actor.no),
            text_no,
        })?)
    }

    /// The notice of an id, where its hold is shown.
    pub(super) fn shown_notice(
        &self,
        rows: &Rows,
        session: &Session,
        id: NoticeId,
    ) -> Result<NoticeRow> {
        let unknown = || AppError::NotFound(id.to_string());
        let notice = rows.notice_of_id(id)?.ok_or_else(unknown)?;
        let custodian = rows.custodian(notice.custodian)?.ok_or_else(unknown)?;
        match self.sees_custodian(rows, session, &custodian) {
            Ok(()) => Ok(notice),
            Err(AppError::NotFound(_)) => Err(unknown()),
            Err(error) => Err(error),
        }
    }

    /// A notice of a hold that was neither answered nor called back.
    pub(super) fn waiting_notice(
        &self,
        rows: &Rows,
        session: &Session,
        id: NoticeId,
    ) -> Result<NoticeRow> {
        let notice = self.shown_notice(rows, session, id)?;
        still_waiting(rows, notice)
    }

    /// What the matter of a hold and the hold are called.
    pub(super) fn names_of_hold(&self, rows: &Rows, hold: &HoldRow) -> Result<(String, String)> {
        let [name] = self.words(rows, hold.text_no)?;
        let matter = rows
            .matters()?
            .into_iter()
            .find(|row| row.no == hold.hold.matter);
        let [matter] = match matter {
            Some(matter) => self.words(rows, matter.text_no)?,
            None => [String::new()],
        };
        Ok((matter, name))
    }
}

/// The notice, unless it tells a release or was answered or called back.
pub(super) fn still_waiting(rows: &Rows, notice: NoticeRow) -> Result<NoticeRow> {
    let (id, acts) = (notice.id, rows.notice_acts(notice.no)?);
    if notice.kind != NoticeKind::Hold {
        return Err(AppError::Conflict(format!(
            "{id} tells a release: nobody answers it"
        )));
    }
    if acts.iter().any(|act| act.kind == NoticeActKind::Withdrawn) {
        return Err(AppError::Conflict(format!("{id} was called back")));
    }
    match answer_of(&acts) {
        Some(_) => Err(AppError::Conflict(format!("{id} is confirmed already"))),
        None => Ok(notice),
    }
}

/// Those who are asked for; all when nobody is named.
fn chosen(
    rows: &Rows,
    hold: &HoldRow,
    everybody: Vec<CustodianRow>,
    named: &[CustodianId],
) -> Result<Vec<CustodianRow>> {
    if everybody.is_empty() {
        return Err(AppError::Usage(
            "nobody is named with this hold yet".to_owned(),
        ));
    }
    if named.is_empty() {
        return Ok(everybody);
    }
    let mut chosen = Vec::with_capacity(named.len());
    for id in named {
        let row = custodian_of(rows, *id)?;
        if row.hold != hold.hold.no {
            return Err(AppError::NotFound(id.to_string()));
        }
        if row.silent {
            return Err(AppError::Conflict(format!(
                "{id} is silent: they are known to counsel alone and are sent nothing"
            )));
        }
        chosen.push(row);
    }
    Ok(chosen)
}
