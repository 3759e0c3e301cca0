//! Answers: by the link, from whoever holds it, or written down by a lawyer.

use super::super::super::{AppError, Appliance, Result, Session};
use super::super::words;
use super::report::answer_of;
use crate::audit::{Action, Appended, AuthStrength, Draft, EntryActor, Outcome};
use crate::auth::{AuthError, open_notice_link};
use crate::crypto::hex;
use crate::domain::{CustodianId, NoticeActKind, NoticeId, NoticeLanguage, Now, Right, Timestamp};
use crate::store::{NoticeRow, Rows, WriteTx};

/// How a notice stands for whoever opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeState {
    /// It waits for an answer.
    Waits,
    /// It was confirmed then.
    Confirmed(Timestamp),
    /// The hold is released: no answer is needed.
    Ended,
}

/// A notice as its custodian sees it, and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeShown {
    /// In which language.
    pub language: NoticeLanguage,
    /// To whom it was sent.
    pub name: String,
    /// Subject.
    pub subject: String,
    /// What it says.
    pub body: String,
    /// Which text it is.
    pub version: u32,
    /// Digest of the text.
    pub hash: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// How it stands.
    pub state: NoticeState,
}

/// A notice that a link opened.
struct Opened {
    notice: NoticeRow,
    custodian: CustodianId,
    shown: NoticeShown,
}

impl Appliance {
    /// Opens a notice by the token of its link.
    ///
    /// # Errors
    /// [`AuthError::Link`], whatever is wrong with the token. It is logged.
    pub fn open_notice(&self, token: &str) -> Result<NoticeShown> {
        self.refuse_in_quarantine(Right::PlaceHolds)?;
        let now = self.clock.now();
        self.by_link(Action::NoticeOpen, now, |tx| {
            let opened = self.opened(tx, token, now)?;
            let draft = self.for_custodian(Action::NoticeOpen, &opened);
            self.log(tx, now, draft, None)?;
            Ok(opened.shown)
        })
    }

    /// Confirms a notice by the token of its link. Once more is no error and leaves no second answer.
    ///
    /// # Errors
    /// As [`Appliance::open_notice`]; when the hold is released.
    pub fn confirm_notice(&self, token: &str) -> Result<NoticeShown> {
        self.refuse_in_quarantine(Right::PlaceHolds)?;
        let now = self.clock.now();
        let shown = self.by_link(Action::NoticeAcknowledge, now, |tx| {
            let opened = self.opened(tx, token, now)?;
            if opened.shown.state != NoticeState::Waits {
                return Ok(opened.shown);
            }
            self.act(
                tx,
                opened.notice.no,
                NoticeActKind::Acknowledged,
                None,
                None,
                now,
            )?;
            let draft = self
                .for_custodian(Action::NoticeAcknowledge, &opened)
                .object(opened.custodian)
                .word("text", &opened.shown.hash);
            self.log(tx, now, draft, None)?;
            Ok(NoticeShown {
                state: NoticeState::Confirmed(now.compliance),
                ..opened.shown
            })
        })?;
        self.sign_log()?;
        Ok(shown)
    }

    /// Writes down that a custodian confirmed a notice otherwise: on paper, say. Their link is dead then.
    ///
    /// # Errors
    /// For anybody but a lawyer; when it is confirmed or called back, or the reason is missing.
    pub fn confirm_notice_for(
        &self,
        session: &Session,
        id: NoticeId,
        reason: &str,
    ) -> Result<Appended> {
        self.require(session, Right::PlaceHolds, Action::NoticeAcknowledgeFor)?;
        let reason = words::reason(reason)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let notice = self.waiting_notice(tx, session, id)?;
            let custodian = tx.custodian(notice.custodian)?;
            let custodian = custodian.ok_or_else(|| AppError::NotFound(id.to_string()))?;
            let text = tx.notice_text(notice.text)?;
            let text = text.ok_or_else(|| AppError::NotFound(id.to_string()))?;
            let text_no = self.archive.seal_texts(tx, &[reason])?;
            let kind = NoticeActKind::AcknowledgedFor;
            self.act(tx, notice.no, kind, Some(session), Some(text_no), now)?;
            tx.delete_notice_link(notice.no)?;
            let mut draft = self
                .draft(session, Action::NoticeAcknowledgeFor)
                .object(id)
                .object(custodian.id)
                .word("text", hex(&text.hash));
            draft.on_behalf = Some(custodian.id.to_string());
            self.log(tx, now, draft, Some(reason.as_bytes()))
        })
    }

    /// Does something by a link; what is wrong with it is logged before it is told.
    fn by_link<T>(
        &self,
        action: Action,
        now: Now,
        act: impl FnOnce(&WriteTx<'_>) -> Result<T>,
    ) -> Result<T> {
        let done = self.change(now, act);
        if let Err(AppError::Auth(AuthError::Link)) = &done {
            self.change(now, |tx| {
                let draft = Draft::new(host(), action, self.request()).result(Outcome::Refused);
                self.log(tx, now, draft, None)
            })?;
        }
        done
    }

    fn opened(&self, rows: &Rows, token: &str, now: Now) -> Result<Opened> {
        let unknown = || AppError::from(AuthError::Link);
        let no = open_notice_link(rows, token, now)?;
        let notice = rows.notice(no)?.ok_or_else(unknown)?;
        let custodian = rows.custodian(notice.custodian)?.ok_or_else(unknown)?;
        let hold = rows.hold(custodian.hold)?.ok_or_else(unknown)?;
        let acts = rows.notice_acts(no)?;
        // Whoever was called back, or made silent, has no link; to be sure it is asked again.
        if custodian.silent || acts.iter().any(|act| act.kind == NoticeActKind::Withdrawn) {
            return Err(unknown());
        }
        let [name] = self.words(rows, custodian.text_no)?;
        let text = self.sent_text(rows, notice.text)?;
        let state = match answer_of(&acts) {
            Some(act) => NoticeState::Confirmed(act.at),
            None if hold.hold.release.is_some() => NoticeState::Ended,
            None => NoticeState::Waits,
        };
        Ok(Opened {
            custodian: custodian.id,
            shown: NoticeShown {
                language: text.language,
                name,
                subject: text.subject,
                body: text.body,
                version: text.version,
                hash: text.hash,
                issued: notice.issued,
                state,
            },
            notice,
        })
    }

    fn for_custodian(&self, action: Action, opened: &Opened) -> Draft {
        let mut draft = Draft::new(host(), action, self.request()).object(opened.notice.id);
        draft.on_behalf = Some(opened.custodian.to_string());
        draft
    }
}

/// Who holds a link is nobody we know: the entry says for whom they answered.
fn host() -> EntryActor {
    let mut actor = EntryActor::system();
    actor.auth_strength = AuthStrength::Token;
    actor
}
