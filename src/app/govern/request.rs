//! The use-cases of requests for erasure: record, look through, decide, and go on by themselves.
//!
//! Each message of a request stands in one of four ways. What nothing keeps goes with the next list
//! of disposition; what a hold or a duty keeps is restricted - hidden from ordinary search - and
//! comes up again by itself; what a person refuses stays as it was; what is gone is erased. The
//! moments at which it comes up: recording, planning, running, showing, opening.

use std::collections::BTreeSet;

use super::super::check::{Finding, Standing, finding};
use super::super::{AppError, Appliance, Result, Session};
use super::sight::Narrow;
use super::words;
use crate::audit::{Action, Appended, Draft, EntryActor};
use crate::domain::{
    Ground, HandleNo, MessageId, MessageNo, PersonNo, RequestId, RequestNo, RequestOutcome, Right,
    Scope, Timestamp,
};
use crate::retention::{ANSWER_DAYS, ItemOutcome, REVIEW_DAYS, item_outcomes};
use crate::store::{RequestItemRow, RequestRow, Rows};

/// Most messages of one request.
pub const REQUEST_ITEMS_MAX: usize = 1_000_000;
/// Message numbers read in one stable picture.
const PAGE_NUMBERS: u64 = 65_536;

/// A request as it came in.
#[derive(Clone, Debug, Default)]
pub struct NewRequest {
    /// The people it names, each by name, handle or id: whatever they wrote is on it.
    pub people: Vec<String>,
    /// Further messages it is about.
    pub messages: Vec<MessageId>,
    /// When the person asked; `None` is now.
    pub received: Option<Timestamp>,
    /// Reference of the letter; may be empty.
    pub reference: String,
    /// What they asked for, in words.
    pub reason: String,
}

/// How many messages of a request stand in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// They go with the next list.
    pub due: u64,
    /// They are gone.
    pub erased: u64,
    /// They are hidden and stay for now.
    pub restricted: u64,
    /// They stay as they were.
    pub refused: u64,
}

impl RequestCounts {
    fn of(items: &[RequestItemRow]) -> RequestCounts {
        let of = |outcome| items.iter().filter(|item| item.outcome == outcome).count() as u64;
        RequestCounts {
            due: of(RequestOutcome::Due),
            erased: of(RequestOutcome::Erased),
            restricted: of(RequestOutcome::Restricted),
            refused: of(RequestOutcome::Refused),
        }
    }
}

/// A request as listed.
#[derive(Clone, Debug)]
pub struct RequestLine {
    /// Its public id.
    pub id: RequestId,
    /// Who asked, as the archive names them.
    pub who: String,
    /// Reference of the letter.
    pub reference: String,
    /// When the person asked.
    pub received: Timestamp,
    /// Until when they have to be answered.
    pub answer_by: Timestamp,
    /// How its messages stand.
    pub counts: RequestCounts,
    /// The next instant at which something of it is looked at again.
    pub review: Option<Timestamp>,
}

/// One message of a request as shown.
#[derive(Clone, Debug)]
pub struct RequestItem {
    /// Its public id; `None` once it is gone.
    pub message: Option<MessageId>,
    /// What became of it.
    pub outcome: RequestOutcome,
    /// On which ground it stays.
    pub ground: Option<Ground>,
    /// When it is looked at again.
    pub review: Option<Timestamp>,
    /// Since when it stands so.
    pub decided: Timestamp,
    /// Why, where a person decided.
    pub reason: String,
}

/// What a person decides on messages of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestAct {
    /// They stay as they were.
    Refuse(Ground),
    /// They stay and are hidden.
    Restrict(Ground),
    /// The rules decide again.
    Resume,
}

/// A decision on a request.
#[derive(Clone, Debug)]
pub struct RequestDecision {
    /// What is decided.
    pub act: RequestAct,
    /// On which messages; empty: on all that are not gone.
    pub messages: Vec<MessageId>,
    /// When to look again; `None` is half a year on.
    pub review: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

impl Appliance {
    /// Records a request with everything its people wrote, and says at once how each message
    /// stands. Nothing is destroyed.
    ///
    /// # Errors
    /// For who may not handle requests; when nobody of that name is known, nothing of theirs is
    /// there, or it was received in the future.
    pub fn add_request(
        &self,
        session: &Session,
        new: &NewRequest,
    ) -> Result<(RequestLine, Appended)> {
        self.require(session, Right::HandleRequests, Action::ErasureAdd)?;
        let reason = words::reason(&new.reason)?;
        let reference = match new.reference.trim() {
            "" => "",
            given => words::name("the reference", given)?,
        };
        let now = self.clock.now();
        let received = new.received.unwrap_or(now.wall);
        if received > now.wall.max(now.compliance) {
            return Err(AppError::Usage(
                "a request cannot have been received in the future".to_owned(),
            ));
        }
        let rows = self.archive.store().read()?;
        let narrow = self.narrow(&rows, session)?;
        for id in &new.messages {
            self.shown_number(&rows, narrow.as_ref(), *id)?;
        }
        let (people, who) = self.people_of(narrow.as_ref(), &new.people)?;
        let messages = self.messages_of(&people, &new.messages)?;
        let (book, present) = (self.book(&rows)?, self.present(&rows)?);
        drop(rows);
        let found = item_outcomes(&self.archive, &book, &present, &messages)?;
        let items: Vec<RequestItemRow> = messages
            .iter()
            .zip(&found)
            .map(|(no, outcome)| standing(*no, *outcome, now.compliance))
            .collect();
        let counts = RequestCounts::of(&items);
        let id = RequestId(self.new_id());
        let audit = self.change(now, |tx| {
            let text_no = self.archive.seal_texts(tx, &[&who, reference, reason])?;
            let row = RequestRow {
                no: RequestNo(0),
                id,
                received,
                recorded: now.compliance,
                recorded_by: session.actor.no,
                answer_by: received.plus_days(ANSWER_DAYS),
                text_no,
            };
            let no = tx.insert_request(&row, &people)?;
            for item in &items {
                tx.put_request_item(no, item)?;
            }
            let draft = self.draft(session, Action::ErasureAdd).object(id);
            let draft = counted(draft, counts).count("items", items.len() as u64);
            let payload = format!("{who}\n{reference}\n{reason}");
            self.log(tx, now, draft, Some(payload.as_bytes()))
        })?;
        let rows = self.archive.store().read()?;
        let row = request_of(&rows, id)?;
        let narrow = self.narrow(&rows, session)?;
        Ok((self.request_line(&rows, narrow.as_ref(), &row)?.0, audit))
    }

    /// Every request there ever was.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn requests(&self, session: &Session) -> Result<Vec<RequestLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        self.advance_requests()?;
        let rows = self.archive.store().read()?;
        let mut lines = Vec::new();
        let narrow = self.narrow(&rows, session)?;
        for row in rows.requests()? {
            if self.shows_request(&rows, narrow.as_ref(), &row)? {
                lines.push(self.request_line(&rows, narrow.as_ref(), &row)?.0);
            }
        }
        drop(rows);
        self.log_rules_read(session, "requests", lines.len())?;
        Ok(lines)
    }

    /// One request with its messages, by number.
    ///
    /// # Errors
    /// For who may not see the rules; when there is no such request.
    pub fn show_request(
        &self,
        session: &Session,
        id: RequestId,
    ) -> Result<(RequestLine, Vec<RequestItem>)> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        self.advance_requests()?;
        let rows = self.archive.store().read()?;
        let narrow = self.narrow(&rows, session)?;
        let row = self.shown_request(&rows, narrow.as_ref(), id)?;
        let (line, items) = self.request_line(&rows, narrow.as_ref(), &row)?;
        let mut shown = Vec::with_capacity(items.len());
        for item in items {
            let [reason] = match item.text_no {
                Some(no) => self.words(&rows, no)?,
                None => [String::new()],
            };
            shown.push(RequestItem {
                message: self.public_id(&rows, item.message)?,
                outcome: item.outcome,
                ground: item.ground,
                review: item.review,
                decided: item.decided,
                reason,
            });
        }
        drop(rows);
        self.log_rules_read(session, "request", 1)?;
        Ok((line, shown))
    }

    /// Decides on messages of a request in the place of the rules, or gives them back to the rules.
    ///
    /// # Errors
    /// For who may not handle requests; when there is no such request or message on it, or the day
    /// to look again is past.
    pub fn decide_request(
        &self,
        session: &Session,
        id: RequestId,
        decision: &RequestDecision,
    ) -> Result<(RequestLine, Appended)> {
        self.require(session, Right::HandleRequests, Action::ErasureDecide)?;
        let reason = words::reason(&decision.reason)?;
        let now = self.clock.now();
        let default_review = now.compliance.plus_days(REVIEW_DAYS);
        let review = decision.review.unwrap_or(default_review);
        if review <= now.compliance {
            return Err(AppError::Usage(
                "the day to look again must lie ahead".to_owned(),
            ));
        }
        let mut wanted = BTreeSet::new();
        let rows = self.archive.store().read()?;
        let narrow = self.narrow(&rows, session)?;
        for id in &decision.messages {
            wanted.insert(self.shown_number(&rows, narrow.as_ref(), *id)?);
        }
        drop(rows);
        let audit = self.change(now, |tx| {
            let row = self.shown_request(tx, narrow.as_ref(), id)?;
            let mut items = self.items_shown(tx, narrow.as_ref(), &row)?;
            let on_it: BTreeSet<MessageNo> = items.iter().map(|item| item.message).collect();
            if let Some(no) = wanted.iter().find(|no| !on_it.contains(no)) {
                let message = self.public_id(tx, *no)?;
                let name = message.map_or_else(|| no.to_string(), |id| id.to_string());
                return Err(AppError::NotFound(format!("{name} on request {id}")));
            }
            items.retain(|item| {
                let named = wanted.is_empty() || wanted.contains(&item.message);
                named && item.outcome != RequestOutcome::Erased
            });
            let text_no = self.archive.seal_texts(tx, &[reason])?;
            for item in &items {
                let (outcome, ground, by) = match decision.act {
                    RequestAct::Refuse(ground) => (
                        RequestOutcome::Refused,
                        Some(ground),
                        Some(session.actor.no),
                    ),
                    RequestAct::Restrict(ground) => (
                        RequestOutcome::Restricted,
                        Some(ground),
                        Some(session.actor.no),
                    ),
                    // The rules say in a moment how it stands.
                    RequestAct::Resume => (RequestOutcome::Due, None, None),
                };
                let decided = RequestItemRow {
                    message: item.message,
                    outcome,
                    ground,
                    review: ground.map(|_| review),
                    decided: now.compliance,
                    decided_by: by,
                    text_no: Some(text_no),
                };
                tx.put_request_item(row.no, &decided)?;
            }
            let draft = self
                .draft(session, Action::ErasureDecide)
                .object(id)
                .word("act", name_of(decision.act))
                .count("items", items.len() as u64);
            self.log(tx, now, draft, Some(reason.as_bytes()))
        })?;
        self.advance_requests()?;
        let rows = self.archive.store().read()?;
        let row = request_of(&rows, id)?;
        let narrow = self.narrow(&rows, session)?;
        Ok((self.request_line(&rows, narrow.as_ref(), &row)?.0, audit))
    }

    /// How near the requests are to their day; nothing where nobody ever asked.
    pub(in crate::app) fn check_requests(&self) -> Result<Option<Finding>> {
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let (mut open, mut late, mut asked) = (0u64, 0u64, false);
        for row in rows.requests()? {
            asked = true;
            let counts = RequestCounts::of(&rows.request_items(row.no)?);
            open += u64::from(counts.due > 0);
            late += u64::from(counts.due > 0 && row.answer_by < now.wall);
        }
        if !asked {
            return Ok(None);
        }
        Ok(Some(match (open, late) {
            (0, _) => finding("requests", Standing::Good, "nothing waits to be erased"),
            (_, 0) => finding(
                "requests",
                Standing::Good,
                format!("{open} with messages to be erased: wordkeep dispose plan"),
            ),
            _ => finding(
                "requests",
                Standing::Bad,
                format!("{late} are past the day of their answer and not erased yet"),
            ),
        }))
    }

    /// Asks the rules again about everything that requests still have open: what no hold and no
    /// duty keeps any more goes with the next list, what is gone is ticked off.
    pub(in crate::app) fn advance_requests(&self) -> Result<()> {
        if self.quarantine().is_some() {
            return Ok(());
        }
        let rows = self.archive.store().read()?;
        let mut open = Vec::new();
        for row in rows.requests()? {
            let mut items = rows.request_items(row.no)?;
            items.retain(|item| item.outcome.hides());
            if !items.is_empty() {
                open.push((row, items));
            }
        }
        if open.is_empty() {
            return Ok(());
        }
        let (book, present) = (self.book(&rows)?, self.present(&rows)?);
        drop(rows);
        let now = self.clock.now();
        for (row, items) in open {
            let messages: Vec<MessageNo> = items.iter().map(|item| item.message).collect();
            let found = item_outcomes(&self.archive, &book, &present, &messages)?;
            let moved: Vec<(RequestItemRow, RequestItemRow)> = items
                .iter()
                .zip(found)
                .filter_map(|(item, outcome)| {
                    let next = next(item, outcome, now.compliance)?;
                    Some((*item, next))
                })
                .collect();
            self.move_items(&row, &moved)?;
        }
        Ok(())
    }

    /// Writes how items stand now, where nobody decided on them in the meantime.
    fn move_items(
        &self,
        row: &RequestRow,
        moved: &[(RequestItemRow, RequestItemRow)],
    ) -> Result<()> {
        if moved.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        self.change(now, |tx| {
            let present: BTreeSet<MessageNo> = tx
                .request_items(row.no)?
                .iter()
                .filter(|item| moved.iter().any(|(before, _)| before == *item))
                .map(|item| item.message)
                .collect();
            let mut written = Vec::with_capacity(moved.len());
            for (_, after) in moved {
                if present.contains(&after.message) {
                    tx.put_request_item(row.no, after)?;
                    written.push(*after);
                }
            }
            if written.is_empty() {
                return Ok(());
            }
            let house = EntryActor::system();
            let draft = Draft::new(house, Action::ErasureProgress, self.request()).object(row.id);
            let draft = counted(draft, RequestCounts::of(&written));
            self.log(tx, now, draft, None).map(drop)
        })
    }

    fn shows_request(
        &self,
        rows: &Rows,
        narrow: Option<&Narrow>,
        row: &RequestRow,
    ) -> Result<bool> {
        let Some(narrow) = narrow else {
            return Ok(true);
        };
        let [who] = self.words(rows, row.text_no)?;
        narrow.shows_request(rows, row, &who)
    }

    /// The request of an id, where it is shown.
    fn shown_request(
        &self,
        rows: &Rows,
        narrow: Option<&Narrow>,
        id: RequestId,
    ) -> Result<RequestRow> {
        let row = request_of(rows, id)?;
        match self.shows_request(rows, narrow, &row)? {
            true => Ok(row),
            false => Err(AppError::NotFound(id.to_string())),
        }
    }

    /// The messages of a request that whoever asks sees.
    fn items_shown(
        &self,
        rows: &Rows,
        narrow: Option<&Narrow>,
        row: &RequestRow,
    ) -> Result<Vec<RequestItemRow>> {
        let items = rows.request_items(row.no)?;
        let Some(narrow) = narrow else {
            return Ok(items);
        };
        let mut shown = Vec::new();
        for item in items {
            if narrow.sees_message(rows, item.message)? {
                shown.push(item);
            }
        }
        Ok(shown)
    }

    /// The number of a message that whoever asks sees.
    fn shown_number(
        &self,
        rows: &Rows,
        narrow: Option<&Narrow>,
        id: MessageId,
    ) -> Result<MessageNo> {
        let not_found = || AppError::NotFound(id.to_string());
        let no = self.archive.message_of_id(id)?.ok_or_else(not_found)?;
        match narrow {
            Some(narrow) if !narrow.sees_message(rows, no)? => Err(not_found()),
            _ => Ok(no),
        }
    }

    fn people_of(
        &self,
        narrow: Option<&Narrow>,
        names: &[String],
    ) -> Result<(Vec<PersonNo>, String)> {
        let everybody = narrow.map_or_else(Scope::everything, Narrow::scope);
        let mut people = Vec::new();
        let mut labels = Vec::new();
        for name in names {
            let (no, label) = self.person_named(&everybody, name)?;
            if !people.contains(&no) {
                people.push(no);
                labels.push(label);
            }
        }
        Ok((people, labels.join(", ")))
    }

    /// Every message the people wrote, and those named, by number.
    fn messages_of(&self, people: &[PersonNo], named: &[MessageId]) -> Result<Vec<MessageNo>> {
        let mut found = BTreeSet::new();
        for id in named {
            let no = self.archive.message_of_id(*id)?;
            found.insert(no.ok_or_else(|| AppError::NotFound(id.to_string()))?);
        }
        let names = self.names()?;
        let handles: BTreeSet<HandleNo> = names
            .directory()
            .handles
            .values()
            .filter(|entry| people.contains(&entry.person))
            .map(|entry| entry.no)
            .collect();
        let end = self.archive.store().read()?.last_message()?.0 + 1;
        for begin in (0..end).step_by(PAGE_NUMBERS as usize) {
            if handles.is_empty() {
                break;
            }
            let rows = self.archive.store().read()?;
            let (first, last) = (MessageNo(begin), MessageNo(begin + PAGE_NUMBERS));
            rows.each_message(first, last, |row| {
                if row.sender.is_some_and(|sender| handles.contains(&sender)) {
                    found.insert(row.no);
                }
                Ok::<_, AppError>(())
            })?;
        }
        match found.len() {
            0 => Err(AppError::NotFound("a message of this person".to_owned())),
            1..=REQUEST_ITEMS_MAX => Ok(found.into_iter().collect()),
            many => Err(AppError::Usage(format!(
                "{many} messages, and one request holds at most {REQUEST_ITEMS_MAX}"
            ))),
        }
    }

    fn request_line(
        &self,
        rows: &Rows,
        narrow: Option<&Narrow>,
        row: &RequestRow,
    ) -> Result<(RequestLine, Vec<RequestItemRow>)> {
        let [who, reference] = self.words(rows, row.text_no)?;
        let items = self.items_shown(rows, narrow, row)?;
        let line = RequestLine {
            id: row.id,
            who,
            reference,
            received: row.received,
            answer_by: row.answer_by,
            counts: RequestCounts::of(&items),
            review: items.iter().filter_map(|item| item.review).min(),
        };
        Ok((line, items))
    }
}

fn counted(draft: Draft, counts: RequestCounts) -> Draft {
    draft
        .count("due", counts.due)
        .count("erased", counts.erased)
        .count("restricted", counts.restricted)
}

fn request_of(rows: &Rows, id: RequestId) -> Result<RequestRow> {
    let found = rows.requests()?.into_iter().find(|row| row.id == id);
    found.ok_or_else(|| AppError::NotFound(id.to_string()))
}

const fn name_of(act: RequestAct) -> &'static str {
    match act {
        RequestAct::Refuse(_) => "refuse",
        RequestAct::Restrict(_) => "restrict",
        RequestAct::Resume => "resume",
    }
}

/// How a message stands by the rules.
const fn standing(
    message: MessageNo,
    outcome: Option<ItemOutcome>,
    at: Timestamp,
) -> RequestItemRow {
    let (outcome, ground, review) = match outcome {
        None => (RequestOutcome::Erased, None, None),
        // Destruction that stands still keeps nothing: it goes when it goes on.
        Some(ItemOutcome::Erase | ItemOutcome::Wait) => (RequestOutcome::Due, None, None),
        Some(ItemOutcome::Restrict { ground, review }) => {
            (RequestOutcome::Restricted, Some(ground), Some(review))
        }
    };
    RequestItemRow {
        message,
        outcome,
        ground,
        review,
        decided: at,
        decided_by: None,
        text_no: None,
    }
}

/// How an open item stands now; `None` when it stands as before.
fn next(
    item: &RequestItemRow,
    outcome: Option<ItemOutcome>,
    at: Timestamp,
) -> Option<RequestItemRow> {
    let now = standing(item.message, outcome, at);
    let ahead = item.review.is_some_and(|review| at < review);
    if item.decided_by.is_some() && ahead && now.outcome != RequestOutcome::Erased {
        return None;
    }
    let same = (item.outcome, item.ground) == (now.outcome, now.ground);
    // The half year after which a hold is looked at again does not begin anew at every look.
    let moves = item.review != now.review && now.ground == Some(Ground::LegalObligation);
    (!same || (item.review.is_some() && !ahead) || moves).then_some(now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{HoldNo, UserNo};

    const NO: MessageNo = MessageNo(1);

    fn restricted(ground: Ground, review: i64) -> Option<ItemOutcome> {
        Some(ItemOutcome::Restrict {
            ground,
            review: Timestamp(review),
        })
    }

    #[test]
    fn an_item_moves_when_its_ground_does() {
        let claims = Ground::LegalClaims(Some(HoldNo(3)));
        let item = standing(NO, restricted(claims, 100), Timestamp(1));
        assert_eq!(next(&item, restricted(claims, 150), Timestamp(50)), None);
        let again = next(&item, restricted(claims, 200), Timestamp(100)).unwrap();
        assert_eq!(again.review, Some(Timestamp(200)));
        let free = next(&item, Some(ItemOutcome::Erase), Timestamp(50)).unwrap();
        assert_eq!(free.outcome, RequestOutcome::Due);
        let duty = Ground::LegalObligation;
        let kept = next(&item, restricted(duty, 80), Timestamp(50)).unwrap();
        assert_eq!(kept.ground, Some(duty));
        let longer = next(&kept, restricted(duty, 90), Timestamp(51)).unwrap();
        assert_eq!(longer.review, Some(Timestamp(90)));
        assert_eq!(next(&kept, restricted(duty, 80), Timestamp(51)), None);
        let gone = next(&item, None, Timestamp(50)).unwrap();
        assert_eq!((gone.outcome, gone.review), (RequestOutcome::Erased, None));
    }

    #[test]
    fn what_a_person_restricted_waits_for_its_day() {
        let mut item = standing(NO, restricted(Ground::LegalClaims(None), 100), Timestamp(1));
        item.decided_by = Some(UserNo(9));
        assert_eq!(next(&item, Some(ItemOutcome::Erase), Timestamp(50)), None);
        assert!(next(&item, None, Timestamp(50)).is_some());
        let free = next(&item, Some(ItemOutcome::Erase), Timestamp(100)).unwrap();
        assert_eq!(free.outcome, RequestOutcome::Due);
    }
}
