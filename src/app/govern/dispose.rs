//! The use-cases of disposition: put what is due on a list, review it, destroy what is left, certify.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::super::{AppError, Appliance, Result, Session};
use super::words;
use crate::archive::{Approved, EraseContext, Erased, Plan, SLICE_ITEMS};
use crate::audit::{Action, Appended, EntryActor, OBJECTS_MAX, Outcome};
use crate::crypto::hex;
use crate::domain::{
    App, BatchNo, Blocker, HoldNo, MessageId, Now, Right, Scope as Sight, Timestamp,
};
use crate::retention::clock::Quality;
use crate::retention::{
    Book, DayShare, Draft, Present, Recheck, approved, barred, grounds_of, may_approve, remaining,
    survey, within_day_share,
};
use crate::store::{
    ActKind, DispositionActRow, DispositionItemRow, DispositionRow, DispositionState, HoldRow,
    MessageFloor, Rows,
};

/// Messages shown as samples of a list.
const SAMPLES_MAX: usize = 25;

/// A list of what is due, as it stands.
#[derive(Clone, Debug)]
pub struct BatchLine {
    /// Its number.
    pub batch: BatchNo,
    /// How it stands.
    pub state: DispositionState,
    /// When it was put together.
    pub computed: Timestamp,
    /// Messages that are still on it.
    pub items: u64,
    /// Messages that reviewers took off.
    pub taken_off: u64,
    /// Approvals so far, and how many it needs.
    pub approvals: (u8, u8),
    /// First instant at which it can be run; `None` while approvals are missing.
    pub runs_from: Option<Timestamp>,
}

/// A list that was put together.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its number.
    pub batch: BatchNo,
    /// Messages on it.
    pub items: u64,
    /// Distinct approvers it needs.
    pub reviewers: u8,
    /// Messages by app.
    pub by_app: BTreeMap<App, u64>,
    /// Messages that are due and held all the same.
    pub held: u64,
    /// Messages on it because a person asked for their erasure.
    pub requested: u64,
    /// Up to twenty-five of its messages.
    pub samples: Vec<MessageId>,
    /// The audit entry.
    pub audit: Appended,
}

/// An act of review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Review {
    /// Approve the whole list.
    Approve,
    /// Take a message off.
    Exclude(MessageId),
    /// Take a message off and keep it until then.
    Extend(MessageId, Timestamp),
    /// Call the list off.
    Cancel,
}

/// A list that can be run.
struct ReadyList {
    row: DispositionRow,
    items: Vec<DispositionItemRow>,
    /// Messages that are left on it.
    left: u64,
    plan: Approved<Plan>,
}

impl Appliance {
    /// Puts everything that is due now on a list for review. Nothing is destroyed.
    ///
    /// # Errors
    /// For anybody but a records officer; `Blocked` when nothing is due.
    pub fn plan_disposition(&self, session: &Session) -> Result<Planned> {
        self.require(session, Right::RequestDisposition, Action::DispositionPlan)?;
        self.advance_requests()?;
        self.whole_archive(session)?;
        let now = self.clock.now();
        let Due {
            book,
            list,
            live,
            requested,
            held,
            by_app,
        } = self.gather(now)?;
        let rows = self.archive.store().read()?;
        let behind = list.items().iter().map(|item| &item.policy);
        let behind = grounds_of(&rows, now, behind)?.policies;
        let (named, samples) = self.named(&rows, list.items())?;
        drop(rows);
        let preview = format!("{live} live, {held} due and held, {by_app:?}");
        self.change(now, |tx| {
            let text_no = self.archive.seal_texts(tx, &[&preview])?;
            let share = DayShare {
                live,
                listed: listed_within_a_day(tx, now)?,
            };
            let (row, items) =
                list.clone()
                    .freeze(now, session.actor.no, book.epochs(), share, text_no);
            let batch = tx.insert_disposition(&row, &items)?;
            let draft = self
                .draft(session, Action::DispositionPlan)
                .object(object_of(batch))
                .objects(&named)
                .policies(&behind)
                .count("items", row.items)
                .count("held", held)
                .count("recall", u64::try_from(row.recall_micros).unwrap_or(0))
                .count("requested", requested)
                .count("reviewers", u64::from(row.reviewers))
                .word("root", hex(&row.root));
            Ok(Planned {
                batch,
                items: row.items,
                reviewers: row.reviewers,
                by_app: by_app.clone(),
                held,
                requested,
                samples: samples.clone(),
                audit: self.log(tx, now, draft, None)?,
            })
        })
    }

    /// Everything that is due.
    fn gather(&self, now: Now) -> Result<Due> {
        let rows = self.archive.store().read()?;
        let (book, present) = (self.book(&rows)?, self.present(&rows)?);
        let (asked_for, holds) = (rows.request_due()?, rows.holds()?);
        drop(rows);
        let mut list = Draft::new();
        let (mut live, mut requested) = (0u64, 0u64);
        let mut held = Protected::default();
        let mut by_app: BTreeMap<App, u64> = BTreeMap::new();
        survey(&self.archive, &[&book], &present, |looked| {
            live += 1;
            if let Some(verdict) = looked.verdicts.first() {
                let is_due = verdict.due <= now.compliance;
                if let (true, Some(Blocker::Held(hold))) = (is_due, verdict.blocker) {
                    held.messages += 1;
                    held.by.insert(hold);
                }
                let added = match asked_for.contains(&looked.row.no) {
                    true => list.add_request(looked.row, verdict, &present),
                    false => list.add(looked.row, verdict),
                };
                requested += u64::from(added && asked_for.contains(&looked.row.no));
                if added {
                    *by_app.entry(looked.conversation.app).or_default() += 1;
                }
            }
            Ok(())
        })?;
        if list.items().is_empty() {
            return Err(nothing_listed(&present, &held, &holds));
        }
        Ok(Due {
            book,
            list,
            live,
            requested,
            held: held.messages,
            by_app,
        })
    }

    /// Reviews a list: approves it, takes messages off, or calls it off.
    ///
    /// # Errors
    /// For who may not review; `Blocked` when the same person asked for it, approved already, or
    /// wrote a locked policy behind it; `NotFound` when there is no such list or message on it.
    pub fn review_disposition(
        &self,
        session: &Session,
        batch: BatchNo,
        review: Review,
        reason: &str,
    ) -> Result<(BatchLine, Appended)> {
        self.require(session, Right::ReviewDisposition, Action::DispositionReview)?;
        let reason = words::reason(reason)?;
        let now = self.clock.now();
        let book = self.book(&*self.archive.store().read()?)?;
        let audit = self.change(now, |tx| {
            let (row, items, acts) = self.shown_list(tx, session, batch)?;
            // Once its destruction has begun, only running it again ends a list.
            let begun = tx.erase_batch(batch.0)?.is_some();
            if begun && row.state != DispositionState::Certified {
                return Err(AppError::Conflict(format!(
                    "the destruction of list {batch} has begun: run it again to finish it"
                )));
            }
            let mut act = DispositionActRow {
                kind: ActKind::Approved,
                by: session.actor.no,
                at: now.compliance,
                message: None,
                until: None,
                text_no: Some(self.archive.seal_texts(tx, &[reason])?),
            };
            let mut to = None;
            match review {
                Review::Approve => {
                    let barred = barred(book.rules(), &items);
                    may_approve(&row, &barred, &acts, session.actor.no)?;
                    if approvals(&acts) + 1 >= row.reviewers {
                        to = Some(DispositionState::Approved);
                    }
                }
                Review::Exclude(id) => {
                    act.kind = ActKind::Excluded;
                    act.message = Some(self.listed(&row, &items, &acts, id)?);
                }
                Review::Extend(id, until) => {
                    let no = self.listed(&row, &items, &acts, id)?;
                    act.kind = ActKind::Extended;
                    (act.message, act.until) = (Some(no), Some(until));
                    let floor = MessageFloor {
                        locked_until: Timestamp::ALWAYS,
                        extended_until: until,
                    };
                    tx.raise_floor(no, floor)?;
                }
                Review::Cancel => {
                    act.kind = ActKind::Cancelled;
                    to = Some(DispositionState::Cancelled);
                    open_list(&row)?;
                }
            }
            tx.insert_disposition_act(batch, &act)?;
            if let Some(to) = to {
                tx.move_disposition(batch, row.state, to)?;
            }
            let action = match review {
                Review::Cancel => Action::DispositionCancel,
                _ => Action::DispositionReview,
            };
            let mut draft = self.draft(session, action).object(object_of(batch));
            draft = draft.word("act", name_of(act.kind));
            if let Review::Exclude(id) | Review::Extend(id, _) = review {
                draft = draft.word("message", id);
            }
            self.log(tx, now, draft, Some(reason.as_bytes()))
        })?;
        let rows = self.archive.store().read()?;
        let (row, items, acts) = batch_of(&rows, batch)?;
        Ok((line_of(&row, &items, &acts), audit))
    }

    /// Every list there ever was.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn dispositions(&self, session: &Session) -> Result<Vec<BatchLine>> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let mut lines = Vec::new();
        let narrow = self.narrow(&rows, session)?;
        for row in rows.dispositions()? {
            let (row, items, acts) = batch_of(&rows, row.batch)?;
            if let Some(narrow) = &narrow
                && !narrow.shows_list(&rows, &items)?
            {
                continue;
            }
            lines.push(line_of(&row, &items, &acts));
        }
        drop(rows);
        self.log_rules_read(session, "dispositions", lines.len())?;
        Ok(lines)
    }

    /// Destroys what is left on an approved list, once its recall window is over. Holds, locks and
    /// clocks are asked once more inside the transaction that decides; what changed drops out.
    ///
    /// # Errors
    /// For anybody but a records officer; `Blocked` with what stands in the way. Whatever was begun
    /// is finished by the same call, or on the next open.
    pub fn run_disposition(&self, session: &Session, batch: BatchNo) -> Result<Erased> {
        self.run_disposition_told(session, batch, &|_, _| ())
    }

    /// The same, and tells how many of how many messages were decided.
    ///
    /// # Errors
    /// As [`Appliance::run_disposition`].
    pub fn run_disposition_told(
        &self,
        session: &Session,
        batch: BatchNo,
        told: &dyn Fn(u64, u64),
    ) -> Result<Erased> {
        self.require(session, Right::RequestDisposition, Action::EraseIntent)?;
        let _alone = self
            .importing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        self.record_locks()?;
        let ready = self.ready_list(session, batch)?;
        let (row, items, left, plan) = (ready.row, ready.items, ready.left, ready.plan);
        let names = self.names()?;
        let everything = Sight::everything();
        let scoped = names.within(&self.archive, &everything, None);
        let trusted = self.clock_quality() != Quality::Gap;
        // Asked whenever a slice is to be decided.
        let slices = Cell::new(0);
        let doubt = || {
            let done = (slices.get() * SLICE_ITEMS as u64).min(left);
            slices.set(slices.get() + 1);
            told(done, left);
            self.clock_in_doubt()
        };
        let judge = Recheck::new(&self.archive, &scoped, trusted, &items).doubting(&doubt);
        let clock = || self.clock.now();
        let actor = EntryActor {
            id: session.actor.id.to_string(),
            role: Some(session.actor.role),
            login: session.login.clone(),
            auth_strength: session.strength,
        };
        let context = EraseContext {
            actor,
            request: self.request(),
            now: &clock,
            backups: &self.archive,
            slice_items: SLICE_ITEMS,
        };
        self.forget_pictures();
        let erased = match self.archive.erase(&plan, &judge, &context) {
            Ok(erased) => erased,
            Err(error) => {
                self.forget_pictures();
                // A clock that jumped meanwhile freezes from here on.
                self.keep_clock()?;
                return Err(error.into());
            }
        };
        self.forget_pictures();
        // Names of people and chats may have gone with their last message.
        self.names_changed();
        self.escrow_after_purge()?;
        self.certify(session, &row, &erased, &context)?;
        self.advance_requests()?;
        Ok(erased)
    }

    /// Whether a list would be run now, as far as it can be said before anything is destroyed.
    ///
    /// # Errors
    /// As [`Appliance::run_disposition`].
    pub fn check_disposition(&self, session: &Session, batch: BatchNo) -> Result<()> {
        self.require(session, Right::RequestDisposition, Action::EraseIntent)?;
        self.ready_list(session, batch).map(drop)
    }

    /// An approved list whose window is over; a refusal is logged.
    fn ready_list(&self, session: &Session, batch: BatchNo) -> Result<ReadyList> {
        let now = self.clock.now();
        let rows = self.archive.store().read()?;
        let (row, items, acts) = self.shown_list(&rows, session, batch)?;
        let frozen = rows.standing_freeze()?;
        let book = self.book(&rows)?;
        let share = went_within_a_day(&rows, batch, now)?;
        drop(rows);
        if let Some(freeze) = frozen {
            self.refuse_run(session, batch)?;
            return Err(AppError::Blocked(format!(
                "purging is frozen ({}, freeze {}): two people can lift it",
                freeze.reason.name(),
                freeze.no
            )));
        }
        let left = remaining(&items, &acts);
        let plan = approved(&book, &row, &items, &acts, now).and_then(|plan| match share {
            Some(share) => within_day_share(book.rules(), &left, &acts, share).map(|()| plan),
            None => Ok(plan),
        });
        match plan {
            Ok(plan) => Ok(ReadyList {
                left: left.len() as u64,
                row,
                items,
                plan,
            }),
            Err(error) => {
                self.refuse_run(session, batch)?;
                Err(error.into())
            }
        }
    }

    /// Public ids of a list that is short enough to be told whole, and samples of it.
    fn named(
        &self,
        rows: &Rows,
        items: &[DispositionItemRow],
    ) -> Result<(Vec<MessageId>, Vec<MessageId>)> {
        let (mut named, mut samples) = (Vec::new(), Vec::new());
        if items.len() < OBJECTS_MAX {
            for item in items {
                named.extend(self.public_id(rows, item.message)?);
            }
        }
        let step = items.len().div_ceil(SAMPLES_MAX).max(1);
        for item in items.iter().step_by(step) {
            samples.extend(self.public_id(rows, item.message)?);
        }
        Ok((named, samples))
    }

    fn refuse_run(&self, session: &Session, batch: BatchNo) -> Result<()> {
        let now = self.clock.now();
        self.change(now, |tx| {
            let draft = self
                .draft(session, Action::EraseIntent)
                .object(object_of(batch))
                .result(Outcome::Refused);
            self.log(tx, now, draft, None).map(drop)
        })
    }

    /// A list with its messages and acts, where it is shown.
    pub(super) fn shown_list(
        &self,
        rows: &Rows,
        session: &Session,
        batch: BatchNo,
    ) -> Result<Batch> {
        let list = batch_of(rows, batch)?;
        match self.narrow(rows, session)? {
            Some(narrow) if !narrow.shows_list(rows, &list.1)? => {
                Err(AppError::NotFound(format!("list {batch}")))
            }
            _ => Ok(list),
        }
    }

    fn listed(
        &self,
        row: &DispositionRow,
        items: &[DispositionItemRow],
        acts: &[DispositionActRow],
        id: MessageId,
    ) -> Result<crate::domain::MessageNo> {
        open_list(row)?;
        let no = self.archive.message_of_id(id)?;
        let left = remaining(items, acts);
        no.filter(|no| left.iter().any(|item| item.message == *no))
            .ok_or_else(|| AppError::NotFound(format!("{id} on list {}", row.batch)))
    }
}

/// The batch as an object of the audit log: the same as that of the purge.
pub(super) fn object_of(batch: BatchNo) -> String {
    format!("batch-{batch}")
}

/// What is due now.
struct Due {
    book: Book,
    list: Draft,
    /// Messages there are.
    live: u64,
    /// Of those listed, asked for by a request.
    requested: u64,
    /// Due, and held all the same.
    held: u64,
    by_app: BTreeMap<App, u64>,
}

/// What is due and protected.
#[derive(Default)]
struct Protected {
    messages: u64,
    by: BTreeSet<HoldNo>,
}

fn nothing_listed(present: &Present, held: &Protected, holds: &[HoldRow]) -> AppError {
    let messages = held.messages;
    let why = match (present.frozen, present.trusted, messages) {
        (Some(reason), _, _) => format!("purging is frozen ({})", reason.name()),
        (_, false, _) => "the clock is in doubt".to_owned(),
        (_, _, 0) => "no policy in force lets anything go yet".to_owned(),
        (_, _, _) => format!("{messages} messages are due, and holds protect all of them"),
    };
    let text = format!("nothing can be put on a list: {why}");
    let by = holds.iter().filter(|row| held.by.contains(&row.hold.no));
    match by.map(|row| row.id).collect::<Vec<_>>() {
        none if none.is_empty() => AppError::Blocked(text),
        holds => AppError::Held { text, holds },
    }
}

/// Messages on the lists of the last twenty-four hours that were not called off.
fn listed_within_a_day(rows: &Rows, now: Now) -> Result<u64> {
    let lists = rows.dispositions()?.into_iter();
    let recent = lists.filter(|row| {
        let open = row.state != DispositionState::Cancelled;
        open && now.compliance.0.saturating_sub(row.computed.0) < Timestamp::MICROS_PER_DAY
    });
    Ok(recent.map(|row| row.items).sum())
}

/// What the lists that were run within the last twenty-four hours took, beside all there is; `None`
/// for a list whose own destruction has begun: that only has to be finished.
fn went_within_a_day(rows: &Rows, batch: BatchNo, now: Now) -> Result<Option<DayShare>> {
    if rows.erase_batch(batch.0)?.is_some() {
        return Ok(None);
    }
    let runs = rows.erase_batches()?.into_iter();
    let recent = runs.filter(|run| {
        run.decided
            .is_some_and(|at| now.compliance.0.saturating_sub(at.0) < Timestamp::MICROS_PER_DAY)
    });
    let listed = recent.map(|run| run.items).sum();
    Ok(Some(DayShare {
        live: rows.message_count()?.saturating_add(listed),
        listed,
    }))
}

type Batch = (
    DispositionRow,
    Vec<DispositionItemRow>,
    Vec<DispositionActRow>,
);

pub(super) fn batch_of(rows: &Rows, batch: BatchNo) -> Result<Batch> {
    let row = rows
        .disposition(batch)?
        .ok_or_else(|| AppError::NotFound(format!("list {batch}")))?;
    Ok((
        row,
        rows.disposition_items(batch)?,
        rows.disposition_acts(batch)?,
    ))
}

fn open_list(row: &DispositionRow) -> Result<()> {
    match row.state {
        DispositionState::InReview | DispositionState::Approved => Ok(()),
        _ => Err(AppError::Conflict(format!("list {} is closed", row.batch))),
    }
}

fn approvals(acts: &[DispositionActRow]) -> u8 {
    let given = acts.iter().filter(|act| act.kind == ActKind::Approved);
    u8::try_from(given.count()).unwrap_or(u8::MAX)
}

const fn name_of(kind: ActKind) -> &'static str {
    match kind {
        ActKind::Approved => "approve",
        ActKind::Excluded => "exclude",
        ActKind::Extended => "extend",
        ActKind::Cancelled => "cancel",
    }
}

pub(super) fn line_of(
    row: &DispositionRow,
    items: &[DispositionItemRow],
    acts: &[DispositionActRow],
) -> BatchLine {
    let left = remaining(items, acts).len() as u64;
    let given = approvals(acts);
    let last = acts
        .iter()
        .filter(|act| act.kind == ActKind::Approved)
        .map(|act| act.at)
        .fold(row.computed, Timestamp::max);
    BatchLine {
        batch: row.batch,
        state: row.state,
        computed: row.computed,
        items: left,
        taken_off: row.items.saturating_sub(left),
        approvals: (given, row.reviewers),
        runs_from: (given >= row.reviewers)
            .then(|| Timestamp(last.0.saturating_add(row.recall_micros))),
    }
}
