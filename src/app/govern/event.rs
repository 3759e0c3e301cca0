//! The use-cases of events: things that happened and start periods.

use super::super::{AppError, Appliance, Result, Session};
use super::words;
use crate::audit::{Action, Appended};
use crate::crypto::hex;
use crate::domain::{Event, EventKey, EventNo, Right, Timestamp};
use crate::store::EventRow;

/// An event as recorded.
#[derive(Clone, Copy, Debug)]
pub struct NewEvent<'a> {
    /// What happened, such as `employee_left`.
    pub kind: &'a str,
    /// To whom or what, such as `emp42`.
    pub key: &'a str,
    /// When.
    pub at: Timestamp,
    /// Why it is recorded.
    pub reason: &'a str,
    /// The event it corrects.
    pub corrects: Option<EventNo>,
}

/// An event as listed.
#[derive(Clone, Debug)]
pub struct EventLine {
    /// Its number.
    pub no: EventNo,
    /// What happened.
    pub kind: String,
    /// To whom or what.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// The event it corrects.
    pub corrects: Option<EventNo>,
    /// Why it was recorded.
    pub reason: String,
}

impl Appliance {
    /// Records an event. It counts from now on; a mistake is corrected by the next one.
    ///
    /// # Errors
    /// For who may not mark records; when a word is missing, or what it corrects is another event.
    pub fn record_event(
        &self,
        session: &Session,
        new: &NewEvent<'_>,
    ) -> Result<(EventNo, Appended)> {
        self.require(session, Right::MarkRecords, Action::EventRecord)?;
        let kind = words::name("the type of the event", new.kind)?;
        let key = words::name("the key of the event", new.key)?;
        let reason = words::reason(new.reason)?;
        let event_key = self.event_key(kind, key);
        let now = self.clock.now();
        self.change(now, |tx| {
            if let Some(no) = new.corrects {
                let known = tx.events()?.into_iter().find(|row| row.event.no == no);
                if known.is_none_or(|row| row.event.key != event_key) {
                    return Err(AppError::NotFound(format!(
                        "event {no} of this type and key"
                    )));
                }
            }
            let text_no = self.archive.seal_texts(tx, &[kind, key, reason])?;
            let event = Event {
                no: EventNo(0),
                key: event_key,
                at: new.at,
                recorded: now.compliance,
                by: session.actor.no,
                corrects: new.corrects,
            };
            let no = tx.insert_event(&EventRow { event, text_no })?;
            let draft = self
                .draft(session, Action::EventRecord)
                .word("event", no)
                .word("key", hex(&event_key.0));
            let payload = format!("{kind}\n{key}\n{reason}");
            Ok((no, self.log(tx, now, draft, Some(payload.as_bytes()))?))
        })
    }

    /// Every event, in the order of recording.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn events(&self, session: &Session) -> Result<Vec<EventLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let mut lines = Vec::new();
        for row in rows.events()? {
            let [kind, key, reason] = self.words(&rows, row.text_no)?;
            lines.push(EventLine {
                no: row.event.no,
                kind,
                key,
                at: row.event.at,
                recorded: row.event.recorded,
                corrects: row.event.corrects,
                reason,
            });
        }
        drop(rows);
        self.log_rules_read(session, "events", lines.len())?;
        Ok(lines)
    }

    /// The keyed hash of an event's type and key: case and blanks around them do not matter.
    pub(super) fn event_key(&self, kind: &str, key: &str) -> EventKey {
        let fold = |text: &str| text.trim().to_lowercase();
        let (kind, key) = (fold(kind), fold(key));
        EventKey(
            self.archive
                .lookup("event", &[kind.as_bytes(), key.as_bytes()]),
        )
    }
}
