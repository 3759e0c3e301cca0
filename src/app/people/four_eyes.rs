//! Log-ins before four eyes: who is marked, who waits, who lets them in.

use super::super::{AppError, Appliance, Result};
use super::Session;
use crate::audit::{Action, Appended, EntryActor, Outcome};
use crate::auth::{
    self, AuthError, SessionKey, end_access, four_eyes_of, let_in, may_confirm, still_entered,
    user_named, waited_too_long,
};
use crate::crypto::{Digest, hex};
use crate::domain::{Now, Right, Role, Timestamp};
use crate::store::{FourEyesOf, FourEyesRow, Rows, SessionWatchRow, UserRow};

/// Bytes of a session's hash that a wait is named by, on both screens.
const NAMED_BYTES: usize = 4;

/// Whose log-ins a mark is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Marked {
    /// Those of one user, by login.
    User(String),
    /// Those of everybody in a role.
    Role(Role),
}

/// A mark as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkLine {
    /// Whose log-ins.
    pub of: Marked,
    /// Login of who has to confirm; `None`: any administrator.
    pub second: Option<String>,
    /// Since when.
    pub since: Timestamp,
}

/// A log-in that waits for a second person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingLine {
    /// What both screens show: the two compare it.
    pub code: String,
    /// Who waits.
    pub login: String,
    /// In which role.
    pub role: Role,
    /// Until when.
    pub until: Timestamp,
}

/// How it stands with a log-in that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// It waits.
    For(WaitingLine),
    /// It was let in.
    In,
    /// It was refused, or waited too long.
    Over,
}

impl Appliance {
    /// Marks the log-ins of a user or a role, or takes the mark away. Whatever they are signed in with
    /// ends, tokens too.
    ///
    /// # Errors
    /// For anybody but an administrator; when nobody would be left who can confirm; when the second
    /// person is the marked one or unknown.
    pub fn mark_four_eyes(
        &self,
        session: &Session,
        of: &Marked,
        second: Option<&str>,
    ) -> Result<Appended> {
        self.set_four_eyes(session, of, Some(second))
    }

    /// Takes a mark away.
    ///
    /// # Errors
    /// For anybody but an administrator; when there is none.
    pub fn unmark_four_eyes(&self, session: &Session, of: &Marked) -> Result<Appended> {
        self.set_four_eyes(session, of, None)
    }

    fn set_four_eyes(
        &self,
        session: &Session,
        of: &Marked,
        second: Option<Option<&str>>,
    ) -> Result<Appended> {
        self.require(session, Right::ManageUsers, Action::UserFourEyes)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let (row_of, people) = match of {
                Marked::User(login) => {
                    let user = user_named(tx, login)?;
                    (FourEyesOf::User(user.no), vec![user])
                }
                Marked::Role(role) => {
                    let users = tx.users()?.into_iter();
                    let people = users.filter(|user| user.role == *role).collect();
                    (FourEyesOf::Role(*role), people)
                }
            };
            let draft = self.draft(session, Action::UserFourEyes);
            let mut draft = match (of, people.first()) {
                (Marked::User(_), Some(user)) => draft.object(user.id),
                (Marked::Role(role), _) => draft.word("role", role.name()),
                _ => draft,
            };
            match second {
                None => {
                    if !tx.delete_four_eyes(row_of)? {
                        return Err(AppError::NotFound("such a mark".to_owned()));
                    }
                    draft = draft.word("act", "remove");
                }
                Some(second) => {
                    let second = second.map(|login| user_named(tx, login)).transpose()?;
                    let own =
                        |user: &UserRow| second.as_ref().is_some_and(|other| other.no == user.no);
                    if matches!(of, Marked::User(_)) && people.iter().any(own) {
                        return Err(AppError::Usage(
                            "nobody confirms their own log-in: name somebody else".to_owned(),
                        ));
                    }
                    tx.put_four_eyes(&FourEyesRow {
                        of: row_of,
                        second: second.as_ref().map(|user| user.no),
                        since: now.compliance,
                        set_by: session.actor.no,
                    })?;
                    still_entered(tx)?;
                    // Who sets the mark goes on with what they set it by, and with nothing else.
                    for user in &people {
                        let own = (user.no == session.actor.no).then_some(&session.by);
                        end_access(tx, user.no, own)?;
                    }
                    draft = draft.word("act", "set");
                    if let Some(user) = &second {
                        draft = draft.word("second", user.id);
                    }
                }
            }
            self.log(tx, now, draft, None)
        })
    }

    /// Every mark.
    ///
    /// # Errors
    /// For anybody but an administrator.
    pub fn four_eyes_marks(&self, session: &Session) -> Result<Vec<MarkLine>> {
        self.require(session, Right::ManageUsers, Action::UserFourEyes)?;
        let rows = self.archive.store().read()?;
        let login = |no| -> Result<String> {
            Ok(rows
                .user(no)?
                .map_or_else(|| "unknown".to_owned(), |user| user.login))
        };
        let mut lines = Vec::new();
        for mark in rows.four_eyes()? {
            lines.push(MarkLine {
                of: match mark.of {
                    FourEyesOf::User(no) => Marked::User(login(no)?),
                    FourEyesOf::Role(role) => Marked::Role(role),
                },
                second: mark.second.map(login).transpose()?,
                since: mark.since,
            });
        }
        Ok(lines)
    }

    /// How it stands with a session that was begun and waits: for the browser that waits.
    pub fn waiting(&self, key: &SessionKey) -> Result<Waiting> {
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let hash = key.hash();
        if auth::find_session(&rows, &hash, now).is_ok() {
            return Ok(Waiting::In);
        }
        let watch = rows.session_watch(&hash)?;
        let watch = watch.filter(|watch| watch.confirmed_by.is_none());
        match watch.filter(|watch| !waited_too_long(watch, now)) {
            Some(watch) => match line_of(&rows, &watch)? {
                Some((line, _)) => Ok(Waiting::For(line)),
                None => Ok(Waiting::Over),
            },
            None => Ok(Waiting::Over),
        }
    }

    /// Log-ins that wait and that this person may let in.
    pub fn waiting_log_ins(&self, session: &Session) -> Result<Vec<WaitingLine>> {
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let mut lines = Vec::new();
        for (_, line, user) in waits(&rows, now)? {
            let mark = four_eyes_of(&rows, &user)?;
            if may_confirm(mark.as_ref(), &user, &session.actor) {
                lines.push(line);
            }
        }
        Ok(lines)
    }

    /// Lets a log-in in that waits, or refuses it. `code` is what both screens show.
    ///
    /// # Errors
    /// [`AuthError::Waiting`] when nothing waits under this code, it waited too long, or this person may
    /// not confirm it, their own above all. It is logged.
    pub fn confirm_log_in(&self, session: &Session, code: &str, lets_in: bool) -> Result<Appended> {
        self.refuse_in_quarantine(Right::ManageUsers)?;
        let now = self.clock.now();
        let action = match lets_in {
            true => Action::LoginConfirm,
            false => Action::LoginDeny,
        };
        let done = self.change(now, |tx| {
            let found = waits(tx, now)?
                .into_iter()
                .find(|(_, line, _)| line.code == code.trim());
            let Some((watch, _, user)) = found else {
                return Err(AuthError::Waiting.into());
            };
            let mark = four_eyes_of(tx, &user)?;
            if user.disabled || !may_confirm(mark.as_ref(), &user, &session.actor) {
                return Err(AuthError::Waiting.into());
            }
            let draft = self.draft(session, action.clone()).object(user.id);
            if !lets_in {
                tx.delete_session_watch(&watch.hash)?;
                return self.log(tx, now, draft, None);
            }
            let_in(tx, &watch, &session.actor, now)?;
            let entry = self.log(tx, now, draft, None)?;
            let web = self.web_in(tx, &watch.hash, now)?;
            let draft = self.draft(&web.session, Action::Login);
            let draft = draft.word("confirmed_by", session.actor.id);
            self.log(tx, now, draft, None)?;
            Ok(entry)
        });
        if let Err(AppError::Auth(AuthError::Waiting)) = &done {
            self.change(now, |tx| {
                let draft = self.draft(session, action.clone()).result(Outcome::Refused);
                self.log(tx, now, draft, None)
            })?;
        }
        done
    }

    /// Writes down that somebody was recognised and waits.
    pub(super) fn log_wait(
        &self,
        tx: &crate::store::WriteTx<'_>,
        user: &UserRow,
        strength: crate::audit::AuthStrength,
        now: Now,
    ) -> Result<()> {
        let mut actor = EntryActor::system();
        actor.auth_strength = strength;
        let draft = crate::audit::Draft::new(actor, Action::LoginWait, self.request());
        self.log(tx, now, draft.object(user.id), None).map(drop)
    }
}

/// What waits now, with who waits.
fn waits(rows: &Rows, now: Now) -> Result<Vec<(SessionWatchRow, WaitingLine, UserRow)>> {
    let mut found = Vec::new();
    for watch in rows.waiting_sessions()? {
        if waited_too_long(&watch, now) {
            continue;
        }
        if let Some((line, user)) = line_of(rows, &watch)? {
            found.push((watch, line, user));
        }
    }
    Ok(found)
}

fn line_of(rows: &Rows, watch: &SessionWatchRow) -> Result<Option<(WaitingLine, UserRow)>> {
    // A session that ended by itself is not let in any more.
    if rows.web_session(&watch.hash)?.is_none() {
        return Ok(None);
    }
    Ok(rows.user(watch.user)?.map(|user| {
        let line = WaitingLine {
            code: code_of(&watch.hash),
            login: user.login.clone(),
            role: user.role,
            until: watch.ends.wall,
        };
        (line, user)
    }))
}

/// The code of a wait: the beginning of a hash that says nothing about the key.
fn code_of(hash: &Digest) -> String {
    let code = hex(&hash[..NAMED_BYTES]);
    format!("{}-{}", &code[..NAMED_BYTES], &code[NAMED_BYTES..])
}
