//! How the notices of a hold stand: who was sent what, who answered, who has to be reminded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::super::{AppError, Appliance, Result, Session};
use crate::audit::Action;
use crate::crypto::hex;
use crate::domain::{
    CustodianId, HoldId, NoticeActKind, NoticeId, NoticeKind, NoticeLanguage, NoticeTextNo, Right,
    Timestamp,
};
use crate::store::{CustodianRow, NoticeActRow, NoticeRow, Rows};

/// How a notice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeStanding {
    /// It tells a release and waits for nothing.
    Sent,
    /// It waits for an answer.
    Pending,
    /// It waits for longer than it should.
    Overdue,
    /// It was confirmed.
    Acknowledged,
    /// It was called back.
    Withdrawn,
    /// The hold is released: no answer is needed any more.
    Ended,
}

impl NoticeStanding {
    /// The name in lists and reports.
    pub const fn name(self) -> &'static str {
        match self {
            NoticeStanding::Sent => "sent",
            NoticeStanding::Pending => "pending",
            NoticeStanding::Overdue => "overdue",
            NoticeStanding::Acknowledged => "acknowledged",
            NoticeStanding::Withdrawn => "withdrawn",
            NoticeStanding::Ended => "ended",
        }
    }
}

/// Something that became of a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeAct {
    /// What.
    pub kind: NoticeActKind,
    /// When.
    pub at: Timestamp,
    /// Login of who did it; `None`: the custodian, or the house itself.
    pub by: Option<String>,
    /// A reason; may be empty.
    pub reason: String,
}

/// Words as they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentText {
    /// Which one of the hold, its kind and language.
    pub version: u32,
    /// Version of the template.
    pub template: u32,
    /// In which language.
    pub language: NoticeLanguage,
    /// Digest of language, subject and body, in hexadecimal digits.
    pub hash: String,
    /// Subject.
    pub subject: String,
    /// Body.
    pub body: String,
    /// What must be kept.
    pub keep: String,
    /// Whom to ask.
    pub contact: String,
}

/// A notice as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeLine {
    /// Its public id.
    pub id: NoticeId,
    /// A hold, or its release.
    pub kind: NoticeKind,
    /// The words.
    pub text: Arc<SentText>,
    /// When it was issued.
    pub issued: Timestamp,
    /// Login of who issued it.
    pub issued_by: String,
    /// Days without an answer after which somebody has to remind.
    pub remind_days: u16,
    /// How it stands.
    pub standing: NoticeStanding,
    /// Until when its link opens it.
    pub link_ends: Option<Timestamp>,
    /// What became of it, in order.
    pub acts: Vec<NoticeAct>,
}

impl NoticeLine {
    /// How it was confirmed.
    pub fn answer(&self) -> Option<&NoticeAct> {
        self.acts.iter().find(|act| is_answer(act.kind))
    }

    /// The last of one kind.
    pub fn last(&self, kind: NoticeActKind) -> Option<&NoticeAct> {
        self.acts.iter().rfind(|act| act.kind == kind)
    }

    /// Whether the manager is to be told next.
    pub fn is_for_manager(&self) -> bool {
        let due = self.acts.iter().rfind(|act| {
            matches!(
                act.kind,
                NoticeActKind::ReminderDue | NoticeActKind::EscalationDue
            )
        });
        due.is_some_and(|act| act.kind == NoticeActKind::EscalationDue)
    }
}

/// A custodian with what they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustodianLine {
    /// The public id.
    pub id: CustodianId,
    /// The hold.
    pub hold: HoldId,
    /// What people call them.
    pub name: String,
    /// Address for letters; may be empty.
    pub address: String,
    /// Seat or handle; may be empty.
    pub seat: String,
    /// Who is told when they do not answer; may be empty.
    pub manager: String,
    /// Address of the manager; may be empty.
    pub manager_address: String,
    /// In which language they are written to.
    pub language: NoticeLanguage,
    /// Known to counsel alone.
    pub silent: bool,
    /// When they were named.
    pub added: Timestamp,
    /// What they were sent, oldest first.
    pub notices: Vec<NoticeLine>,
}

impl CustodianLine {
    /// The notice that counts: the newest of the hold that was not called back.
    pub fn current(&self) -> Option<&NoticeLine> {
        self.notices.iter().rfind(|notice| {
            notice.kind == NoticeKind::Hold && notice.standing != NoticeStanding::Withdrawn
        })
    }
}

/// How the notices of one hold stand.
#[derive(Clone, Debug)]
pub struct NoticeReport {
    /// The hold.
    pub hold: HoldId,
    /// What it is called.
    pub hold_name: String,
    /// What its matter is called.
    pub matter: String,
    /// Whether it is released.
    pub released: bool,
    /// Everybody named with it, in the order in which they were named.
    pub custodians: Vec<CustodianLine>,
    /// When the report was made.
    pub at: Timestamp,
}

impl NoticeReport {
    /// Custodians whose newest notice stands so.
    pub fn count(&self, standing: NoticeStanding) -> u64 {
        let current = self.custodians.iter().filter_map(CustodianLine::current);
        current.filter(|notice| notice.standing == standing).count() as u64
    }

    /// The newest words of the hold, as far as something was sent.
    pub fn last_text(&self) -> Option<&SentText> {
        let notices = self.custodians.iter().flat_map(|line| &line.notices);
        let holds = notices.filter(|notice| notice.kind == NoticeKind::Hold);
        holds
            .max_by_key(|notice| notice.issued)
            .map(|notice| &*notice.text)
    }
}

/// A notice somebody has to do something about.
#[derive(Clone, Debug)]
pub struct OverdueLine {
    /// What the hold is called.
    pub hold_name: String,
    /// The custodian, with this notice among the others.
    pub custodian: CustodianLine,
    /// The notice.
    pub notice: NoticeLine,
}

const fn is_answer(kind: NoticeActKind) -> bool {
    matches!(
        kind,
        NoticeActKind::Acknowledged | NoticeActKind::AcknowledgedFor
    )
}

/// The act that answered a notice.
pub(super) fn answer_of(acts: &[NoticeActRow]) -> Option<&NoticeActRow> {
    acts.iter().find(|act| is_answer(act.kind))
}

/// Whether time ran out, and nobody did anything about it since.
pub(super) fn is_due(acts: &[NoticeActRow]) -> bool {
    let last = acts
        .iter()
        .rev()
        .find(|act| !matches!(act.kind, NoticeActKind::Letter));
    last.is_some_and(|act| {
        matches!(
            act.kind,
            NoticeActKind::ReminderDue | NoticeActKind::EscalationDue
        )
    })
}

fn standing(row: &NoticeRow, acts: &[NoticeActRow], released: bool) -> NoticeStanding {
    let has = |kind| acts.iter().any(|act| act.kind == kind);
    if has(NoticeActKind::Withdrawn) {
        NoticeStanding::Withdrawn
    } else if row.kind == NoticeKind::Release {
        NoticeStanding::Sent
    } else if answer_of(acts).is_some() {
        NoticeStanding::Acknowledged
    } else if released {
        NoticeStanding::Ended
    } else if is_due(acts) {
        NoticeStanding::Overdue
    } else {
        NoticeStanding::Pending
    }
}

/// Words that were opened already.
type Texts = BTreeMap<NoticeTextNo, Arc<SentText>>;

impl Appliance {
    /// Everybody named with a hold, what they were sent and what became of it.
    ///
    /// # Errors
    /// For who may not see the rules; when there is no such hold.
    pub fn notice_report(&self, session: &Session, hold: HoldId) -> Result<NoticeReport> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let row = self.shown_hold(&rows, session, hold)?;
        let (matter, hold_name) = self.names_of_hold(&rows, &row)?;
        let mut texts = Texts::new();
        let mut custodians = Vec::new();
        for custodian in rows.custodians(row.hold.no)? {
            custodians.push(self.custodian_line(&rows, &custodian, &mut texts)?);
        }
        drop(rows);
        self.log_rules_read(session, "notices", custodians.len())?;
        Ok(NoticeReport {
            hold,
            hold_name,
            matter,
            released: row.hold.release.is_some(),
            custodians,
            at: self.clock.now().compliance,
        })
    }

    /// One custodian with what they were sent.
    ///
    /// # Errors
    /// For who may not see the rules; when there is none such.
    pub fn custodian(&self, session: &Session, id: CustodianId) -> Result<CustodianLine> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let row = self.shown_custodian(&rows, session, id)?;
        let line = self.custodian_line(&rows, &row, &mut Texts::new())?;
        drop(rows);
        self.log_rules_read(session, "custodian", 1)?;
        Ok(line)
    }

    /// The custodian of a notice.
    ///
    /// # Errors
    /// As [`Appliance::custodian`].
    pub fn custodian_of_notice(&self, session: &Session, id: NoticeId) -> Result<CustodianLine> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let notice = self.shown_notice(&rows, session, id)?;
        let row = rows.custodian(notice.custodian)?;
        let row = row.ok_or_else(|| AppError::NotFound(id.to_string()))?;
        let line = self.custodian_line(&rows, &row, &mut Texts::new())?;
        drop(rows);
        self.log_rules_read(session, "custodian", 1)?;
        Ok(line)
    }

    /// Notices that wait for an answer for longer than they should, over all holds, longest first.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn overdue_notices(&self, session: &Session) -> Result<Vec<OverdueLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let mut texts = Texts::new();
        let mut lines = Vec::new();
        for row in rows.unanswered_notices()? {
            if !is_due(&rows.notice_acts(row.no)?) {
                continue;
            }
            let Some(custodian) = rows.custodian(row.custodian)? else {
                continue;
            };
            let Some(hold) = rows.hold(custodian.hold)? else {
                continue;
            };
            match self.sees_custodian(&rows, session, &custodian) {
                Err(AppError::NotFound(_)) => continue,
                seen => seen?,
            }
            let custodian = self.custodian_line(&rows, &custodian, &mut texts)?;
            let notice = custodian
                .notices
                .iter()
                .find(|line| line.id == row.id)
                .cloned();
            let (_, hold_name) = self.names_of_hold(&rows, &hold)?;
            lines.extend(notice.map(|notice| OverdueLine {
                hold_name,
                custodian,
                notice,
            }));
        }
        drop(rows);
        lines.sort_by_key(|line| line.notice.issued);
        self.log_rules_read(session, "notices.overdue", lines.len())?;
        Ok(lines)
    }

    fn custodian_line(
        &self,
        rows: &Rows,
        row: &CustodianRow,
        texts: &mut Texts,
    ) -> Result<CustodianLine> {
        let [name, address, seat, manager, manager_address] = self.words(rows, row.text_no)?;
        let hold = rows.hold(row.hold)?;
        let hold = hold.ok_or_else(|| AppError::NotFound(row.id.to_string()))?;
        let mut notices = Vec::new();
        for notice in rows.notices(row.no)? {
            let released = hold.hold.release.is_some();
            notices.push(self.notice_line(rows, &notice, released, texts)?);
        }
        Ok(CustodianLine {
            id: row.id,
            hold: hold.id,
            name,
            address,
            seat,
            manager,
            manager_address,
            language: row.language,
            silent: row.silent,
            added: row.added,
            notices,
        })
    }

    fn notice_line(
        &self,
        rows: &Rows,
        row: &NoticeRow,
        released: bool,
        texts: &mut Texts,
    ) -> Result<NoticeLine> {
        let acts = rows.notice_acts(row.no)?;
        let standing = standing(row, &acts, released);
        let mut shown = Vec::with_capacity(acts.len());
        for act in acts {
            let [reason] = match act.text_no {
                Some(no) => self.words(rows, no)?,
                None => [String::new()],
            };
            shown.push(NoticeAct {
                kind: act.kind,
                at: act.at,
                by: act.by.map(|by| self.login_of(rows, by)).transpose()?,
                reason,
            });
        }
        let text = match texts.get(&row.text) {
            Some(text) => Arc::clone(text),
            None => {
                let text = Arc::new(self.sent_text(rows, row.text)?);
                texts.insert(row.text, Arc::clone(&text));
                text
            }
        };
        Ok(NoticeLine {
            id: row.id,
            kind: row.kind,
            text,
            issued: row.issued,
            issued_by: self.login_of(rows, row.issued_by)?,
            remind_days: row.remind_days,
            standing,
            link_ends: rows.notice_link_ends(row.no)?.map(|ends| ends.compliance),
            acts: shown,
        })
    }

    /// Words by number.
    pub(super) fn sent_text(&self, rows: &Rows, no: NoticeTextNo) -> Result<SentText> {
        let row = rows.notice_text(no)?;
        let row = row.ok_or_else(|| AppError::NotFound("the text of a notice".to_owned()))?;
        let [subject, body, keep, contact] = self.words(rows, row.text_no)?;
        Ok(SentText {
            version: row.version,
            template: row.template,
            language: row.language,
            hash: hex(&row.hash),
            subject,
            body,
            keep,
            contact,
        })
    }
}
