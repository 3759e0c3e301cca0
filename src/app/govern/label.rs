//! The use-cases of labels: make them, put them on records, take them off.

use super::super::{AppError, Appliance, Result, SearchRequest, Session};
use super::words;
use crate::audit::{Action, Appended};
use crate::domain::{
    ConversationId, LabelId, LabelNo, LabelTarget, MessageId, MessageNo, Right, Scope, Timestamp,
};
use crate::query::Purpose;
use crate::store::{LabelRow, Rows};

/// A label as listed.
#[derive(Clone, Debug)]
pub struct LabelLine {
    /// Its public id.
    pub id: LabelId,
    /// What people call it.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// Messages that carry it as their own now.
    pub messages: u64,
    /// Conversations that carry it now.
    pub conversations: u64,
}

/// A label that records carry now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    /// Which.
    pub id: LabelId,
    /// What people call it.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
    /// Their own; else it comes from the conversation.
    pub own: bool,
}

/// What a label is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelOn {
    /// One message.
    Message(MessageId),
    /// A conversation: its messages that carry no label of their own.
    Conversation(ConversationId),
}

/// Most messages that are labelled at once.
pub const LABELLED_MAX: usize = 100_000;

/// Messages that a label is put on together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelMany {
    /// These.
    Messages(Vec<MessageId>),
    /// What a query finds now.
    Found(String),
}

impl Appliance {
    /// Makes a label.
    ///
    /// # Errors
    /// For who may not mark records; when the name is missing or taken.
    pub fn create_label(&self, session: &Session, name: &str) -> Result<(LabelId, Appended)> {
        self.require(session, Right::MarkRecords, Action::LabelCreate)?;
        let name = words::name("the name of the label", name)?;
        let now = self.clock.now();
        let id = LabelId(self.new_id());
        let appended = self.change(now, |tx| {
            if let Some(row) = self.label_named(tx, name)? {
                return Err(AppError::Conflict(format!(
                    "there is a label with this name: {}",
                    row.id
                )));
            }
            let text_no = self.archive.seal_texts(tx, &[name])?;
            tx.insert_label(&LabelRow {
                no: LabelNo(0),
                id,
                text_no,
                created: now.compliance,
                created_by: session.actor.no,
            })?;
            let draft = self.draft(session, Action::LabelCreate).object(id);
            self.log(tx, now, draft, Some(name.as_bytes()))
        })?;
        Ok((id, appended))
    }

    /// Puts a label on records; it takes the place of the one they carry.
    ///
    /// # Errors
    /// For who may not mark records or may not see them; when there is no such label.
    pub fn apply_label(&self, session: &Session, label: &str, on: LabelOn) -> Result<Appended> {
        self.require(session, Right::MarkRecords, Action::LabelApply)?;
        let scope = self.scope(session)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let row = self.label_of(tx, label)?;
            let target = self.target_of(tx, &scope, on)?;
            tx.apply_label(row.no, target, now.compliance, session.actor.no)?;
            let draft = self
                .draft(session, Action::LabelApply)
                .object(row.id)
                .object(on);
            self.log(tx, now, draft, None)
        })
    }

    /// Puts a label on many messages at once, all or none of them; it takes the place of those they
    /// carry. Gives how many they are.
    ///
    /// # Errors
    /// As [`Appliance::apply_label`]; when there are none, or more than [`LABELLED_MAX`].
    pub fn apply_label_to_many(
        &self,
        session: &Session,
        label: &str,
        on: &LabelMany,
    ) -> Result<(u64, Appended)> {
        self.require(session, Right::MarkRecords, Action::LabelApply)?;
        let scope = self.scope(session)?;
        let numbers = self.numbers_of(&scope, on)?;
        let now = self.clock.now();
        let appended = self.change(now, |tx| {
            let row = self.label_of(tx, label)?;
            let mut named = Vec::with_capacity(numbers.len());
            for no in &numbers {
                // What was destroyed since it was found carries nothing.
                if let Some(id) = self.public_id(tx, *no)? {
                    let target = LabelTarget::Message(*no);
                    tx.apply_label(row.no, target, now.compliance, session.actor.no)?;
                    named.push(id);
                }
            }
            let draft = self
                .draft(session, Action::LabelApply)
                .object(row.id)
                .count("messages", named.len() as u64)
                .objects(&named);
            self.log(tx, now, draft, None)
        })?;
        Ok((numbers.len() as u64, appended))
    }

    fn numbers_of(&self, scope: &Scope, on: &LabelMany) -> Result<Vec<MessageNo>> {
        let mut numbers = match on {
            LabelMany::Messages(ids) => {
                let rows = self.archive.store().read()?;
                let mut numbers = Vec::with_capacity(ids.len());
                for id in ids {
                    let row = self.visible_message(&rows, scope, *id)?;
                    let row = row.ok_or_else(|| AppError::NotFound(id.to_string()))?;
                    numbers.push(row.no);
                }
                numbers
            }
            LabelMany::Found(query) => {
                let (names, request) = (self.names()?, SearchRequest::new(query.clone()));
                let (resolved, _) = self.understand(&request, Purpose::Search, &names, scope)?;
                let (found, total) = self.found_up_to(&resolved, scope, LABELLED_MAX)?;
                let found = found.ok_or_else(|| {
                    AppError::Usage(format!(
                        "{total} messages match, and at most {LABELLED_MAX} are labelled at once: \
                         narrow the query, or label whole conversations"
                    ))
                })?;
                found.into_iter().collect()
            }
        };
        numbers.sort_unstable();
        numbers.dedup();
        match numbers.is_empty() {
            true => Err(AppError::Usage("there is no message to label".to_owned())),
            false => Ok(numbers),
        }
    }

    /// Takes the label off records. What a compliance lock earned under it stays.
    ///
    /// # Errors
    /// As [`Appliance::apply_label`]; when they carry none.
    pub fn remove_label(&self, session: &Session, on: LabelOn, reason: &str) -> Result<Appended> {
        self.require(session, Right::MarkRecords, Action::LabelRemove)?;
        let reason = words::reason(reason)?;
        let scope = self.scope(session)?;
        let now = self.clock.now();
        self.change(now, |tx| {
            let target = self.target_of(tx, &scope, on)?;
            let spans = tx.label_spans_of(target)?;
            if !spans.iter().any(|span| span.ended.is_none()) {
                return Err(AppError::NotFound(format!("a label on {on}")));
            }
            tx.end_label(target, now.compliance, session.actor.no)?;
            let draft = self.draft(session, Action::LabelRemove).object(on);
            self.log(tx, now, draft, Some(reason.as_bytes()))
        })
    }

    /// Every label with how much carries it.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn labels(&self, session: &Session) -> Result<Vec<LabelLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let spans = rows.label_spans()?;
        let mut lines = Vec::new();
        for row in rows.labels()? {
            let [name] = self.words(&rows, row.text_no)?;
            let on = || {
                spans
                    .iter()
                    .filter(|span| span.label == row.no && span.ended.is_none())
            };
            let messages = on().filter(|span| matches!(span.target, LabelTarget::Message(_)));
            let messages = messages.count() as u64;
            lines.push(LabelLine {
                id: row.id,
                name,
                created: row.created,
                messages,
                conversations: on().count() as u64 - messages,
            });
        }
        drop(rows);
        self.log_rules_read(session, "labels", lines.len())?;
        Ok(lines)
    }

    /// The labels that records carry now: their own, and for a message that of its conversation.
    ///
    /// # Errors
    /// For who may not see the rules; when the records are not within their sight.
    pub fn labels_on(&self, session: &Session, on: LabelOn) -> Result<Vec<Carried>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let scope = self.scope(session)?;
        let rows = self.archive.store().read()?;
        let target = self.target_of(&rows, &scope, on)?;
        let mut carried = self.carried_on(&rows, target, true)?;
        if let LabelTarget::Message(no) = target
            && let Some(row) = rows.message(no)?
        {
            let around = LabelTarget::Conversation(row.conversation);
            carried.extend(self.carried_on(&rows, around, false)?);
        }
        drop(rows);
        self.log_rules_read(session, "labels", carried.len())?;
        Ok(carried)
    }

    /// The label that is on a target now, with its name.
    pub(in crate::app) fn carried_on(
        &self,
        rows: &Rows,
        target: LabelTarget,
        own: bool,
    ) -> Result<Vec<Carried>> {
        let known = rows.labels()?;
        let mut carried = Vec::new();
        for span in rows.label_spans_of(target)? {
            let label = known.iter().find(|row| row.no == span.label);
            let (Some(row), None) = (label, span.ended) else {
                continue;
            };
            let [name] = self.words(rows, row.text_no)?;
            carried.push(Carried {
                id: row.id,
                name,
                since: span.applied,
                own,
            });
        }
        Ok(carried)
    }

    /// The label of an id or a name.
    pub(super) fn label_of(&self, rows: &Rows, text: &str) -> Result<LabelRow> {
        let by_id = match text.parse::<LabelId>() {
            Ok(id) => rows.labels()?.into_iter().find(|row| row.id == id),
            Err(_) => self.label_named(rows, text.trim())?,
        };
        by_id.ok_or_else(|| AppError::NotFound(format!("label {text}")))
    }

    fn label_named(&self, rows: &Rows, name: &str) -> Result<Option<LabelRow>> {
        for row in rows.labels()? {
            let [known] = self.words(rows, row.text_no)?;
            if known.eq_ignore_ascii_case(name) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    fn target_of(&self, rows: &Rows, scope: &Scope, on: LabelOn) -> Result<LabelTarget> {
        match on {
            LabelOn::Conversation(id) => {
                let row = rows.conversation_by_id(id)?;
                row.filter(|row| scope.allows(row.no, row.account))
                    .map(|row| LabelTarget::Conversation(row.no))
            }
            LabelOn::Message(id) => self
                .visible_message(rows, scope, id)?
                .map(|row| LabelTarget::Message(row.no)),
        }
        .ok_or_else(|| AppError::NotFound(on.to_string()))
    }
}

impl std::fmt::Display for LabelOn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LabelOn::Message(id) => id.fmt(f),
            LabelOn::Conversation(id) => id.fmt(f),
        }
    }
}
