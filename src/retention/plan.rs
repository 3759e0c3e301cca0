//! From what is due to a frozen list, and from the frozen list to an approved plan.

use std::collections::BTreeSet;

use super::book::Book;
use super::error::{Result, RetentionError};
use super::facts::Present;
use super::request::{ItemOutcome, REQUEST, item_outcome};
use super::rules::Rules;
use crate::archive::{Approval, ApprovalRule, Approved, Plan, PlanItem};
use crate::domain::{
    BatchNo, Disposition, Lock, MessageNo, Now, PolicyRef, Timestamp, UserNo, Verdict,
};
use crate::store::{
    ActKind, DispositionActRow, DispositionItemRow, DispositionRow, DispositionState, Epochs,
    MessageRow,
};

/// How long an approved list can be called back, in microseconds, unless it says otherwise: 7 days.
pub const RECALL_MICROS: i64 = 7 * Timestamp::MICROS_PER_DAY;
/// Share of the live records that may go in one day without a further approval, in percent.
pub const DAY_PERCENT_MAX: u64 = 1;

/// What a list is measured by: how much of all that lives may go in one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayShare {
    /// Records there are.
    pub live: u64,
    /// Records on the other lists of the last twenty-four hours.
    pub listed: u64,
}

/// A list under way: eligible messages, ascending, each once.
#[derive(Clone, Debug)]
pub struct Draft {
    items: Vec<DispositionItemRow>,
    reviewers: u8,
}

impl Default for Draft {
    fn default() -> Self {
        Draft::new()
    }
}

impl Draft {
    /// An empty list.
    pub fn new() -> Draft {
        Draft {
            items: Vec::new(),
            reviewers: 0,
        }
    }

    /// Adds a message if its verdict lets it go; says whether it did. Hand messages in by number.
    pub fn add(&mut self, row: &MessageRow, verdict: &Verdict) -> bool {
        let Some(policy) = verdict.winner.filter(|_| verdict.eligible) else {
            return false;
        };
        if self.items.last().is_some_and(|last| last.message >= row.no) {
            return false;
        }
        if let Disposition::Reviewed(count) = verdict.disposition {
            // The strictest policy on the list decides for all of it.
            self.reviewers = self.reviewers.max(count.max(1));
        }
        self.items.push(DispositionItemRow {
            message: row.no,
            revision: row.version,
            policy,
            t0: verdict.t0,
            delete_from: verdict.delete_from,
            retain_until: verdict.retain_until,
            due: verdict.due,
        });
        true
    }

    /// Adds a message whose erasure a person asked for, if nothing stands in the way; says whether
    /// it did. One reviewer at least looks at such a list.
    pub fn add_request(&mut self, row: &MessageRow, verdict: &Verdict, present: &Present) -> bool {
        let listed = self.items.last().is_some_and(|last| last.message >= row.no);
        if listed || item_outcome(verdict, present) != ItemOutcome::Erase {
            return false;
        }
        self.reviewers = self.reviewers.max(1);
        self.items.push(DispositionItemRow {
            message: row.no,
            revision: row.version,
            policy: REQUEST,
            t0: present.now.compliance,
            delete_from: present.now.compliance,
            retain_until: verdict.retain_until,
            due: present.now.compliance,
        });
        true
    }

    /// The messages so far.
    pub fn items(&self) -> &[DispositionItemRow] {
        &self.items
    }

    /// Freezes the list. More than one percent of the live records on the lists of one day asks for
    /// one approver more. `text_no` is the content number of the preview.
    pub fn freeze(
        self,
        now: Now,
        requested_by: UserNo,
        epochs: Epochs,
        share: DayShare,
        text_no: u64,
    ) -> (DispositionRow, Vec<DispositionItemRow>) {
        let count = self.items.len() as u64;
        let of_day = count.saturating_add(share.listed).saturating_mul(100);
        let many = of_day > share.live.saturating_mul(DAY_PERCENT_MAX);
        let more = u8::from(many);
        let row = DispositionRow {
            batch: BatchNo(0),
            state: DispositionState::InReview,
            computed: now.compliance,
            requested_by,
            epochs,
            reviewers: self
                .reviewers
                .saturating_add(more)
                .min(crate::archive::APPROVALS_MAX),
            recall_micros: RECALL_MICROS,
            items: count,
            root: plan_of(BatchNo(1), epochs, &self.items).root(),
            text_no,
        };
        (row, self.items)
    }
}

fn plan_of(batch: BatchNo, epochs: Epochs, items: &[DispositionItemRow]) -> Plan {
    Plan {
        batch: batch.0,
        hold_epoch: epochs.hold,
        items: items
            .iter()
            .map(|item| PlanItem {
                no: item.message,
                revision: item.revision,
            })
            .collect(),
    }
}

/// Who may not approve a list: whoever wrote a version on a locked class that stands behind an item
/// of it. (Who asked for it never may.)
pub fn barred(rules: &Rules, items: &[DispositionItemRow]) -> Vec<UserNo> {
    let behind: BTreeSet<PolicyRef> = items.iter().map(|item| item.policy).collect();
    let authors: BTreeSet<UserNo> = rules
        .terms()
        .iter()
        .map(|term| &term.version)
        .filter(|version| version.lock != Lock::None && behind.contains(&version.id))
        .map(|version| version.author)
        .collect();
    authors.into_iter().collect()
}

/// Whether somebody may approve a list.
///
/// # Errors
/// `Refused` with the reason: who asked for it, who wrote a locked policy behind it, and who
/// approved already may not.
pub fn may_approve(
    row: &DispositionRow,
    barred: &[UserNo],
    acts: &[DispositionActRow],
    by: UserNo,
) -> Result<()> {
    let refused = |why: &str| Err(RetentionError::Refused(why.to_owned()));
    if row.state != DispositionState::InReview {
        return refused("this list is not in review");
    }
    if by == row.requested_by {
        return refused("who asked for a disposition cannot approve it: ask somebody else");
    }
    if barred.contains(&by) {
        return refused("who wrote a locked policy cannot approve what it lets go: ask another");
    }
    let again = |act: &DispositionActRow| act.kind == ActKind::Approved && act.by == by;
    if acts.iter().any(again) {
        return refused("you approved this list already: somebody else has to");
    }
    Ok(())
}

/// Makes the approved plan of a frozen list: what reviewers took off is left out, the approvals are
/// checked, and the recall window has to be over. The only way to a destruction.
///
/// # Errors
/// `NotApproved` with the first rule that is not met; `Refused` when the list was cancelled or
/// everything was taken off.
pub fn approved(
    book: &Book,
    row: &DispositionRow,
    items: &[DispositionItemRow],
    acts: &[DispositionActRow],
    now: Now,
) -> Result<Approved<Plan>> {
    approved_under(book.rules(), row, items, acts, now)
}

/// As [`approved`], under plain rules.
///
/// # Errors
/// As [`approved`].
pub fn approved_under(
    rules: &Rules,
    row: &DispositionRow,
    items: &[DispositionItemRow],
    acts: &[DispositionActRow],
    now: Now,
) -> Result<Approved<Plan>> {
    let cancelled = acts.iter().any(|act| act.kind == ActKind::Cancelled);
    let done = matches!(
        row.state,
        DispositionState::Cancelled | DispositionState::Certified
    );
    if cancelled || done {
        return Err(RetentionError::Refused(format!(
            "list {} is closed: make a new one",
            row.batch
        )));
    }
    let left = remaining(items, acts);
    if plan_of(row.batch, row.epochs, items).root() != row.root {
        return Err(RetentionError::Malformed("a frozen list"));
    }
    let approvals: Vec<Approval> = acts
        .iter()
        .filter(|act| act.kind == ActKind::Approved)
        .map(|act| Approval {
            by: act.by,
            at: act.at,
        })
        .collect();
    let rule = ApprovalRule {
        needed: row.reviewers,
        requester: row.requested_by,
        barred: barred(rules, items),
        computed: row.computed,
        recall_micros: row.recall_micros,
    };
    let plan = plan_of(row.batch, row.epochs, &left);
    Ok(Approved::new(plan, &approvals, &rule, now)?)
}

/// Whether a list may go beside what went within the last twenty-four hours: together more than one
/// percent of what lives needs one approval more than its policies ask for. (A list that is that
/// large by itself was given it when it was frozen; several small ones meet here.)
///
/// # Errors
/// `Refused`, saying what to do.
pub fn within_day_share(
    rules: &Rules,
    left: &[DispositionItemRow],
    acts: &[DispositionActRow],
    share: DayShare,
) -> Result<()> {
    let of_day = share.listed.saturating_add(left.len() as u64);
    if of_day.saturating_mul(100) <= share.live.saturating_mul(DAY_PERCENT_MAX) {
        return Ok(());
    }
    let behind: BTreeSet<PolicyRef> = left.iter().map(|item| item.policy).collect();
    let mut asked = u8::from(behind.contains(&REQUEST));
    for term in rules.terms() {
        if let (true, Disposition::Reviewed(count)) =
            (behind.contains(&term.version.id), term.version.disposition)
        {
            asked = asked.max(count);
        }
    }
    let given = acts.iter().filter(|act| act.kind == ActKind::Approved);
    match given.count() > usize::from(asked) {
        true => Ok(()),
        false => Err(RetentionError::Refused(format!(
            "with what went within the last day this is more than {DAY_PERCENT_MAX} percent of the \
             archive, which needs one approval more: run it a day later, or call it off and put all \
             of it on one list"
        ))),
    }
}

/// The items that reviewers left on a list.
pub fn remaining(
    items: &[DispositionItemRow],
    acts: &[DispositionActRow],
) -> Vec<DispositionItemRow> {
    let off: BTreeSet<MessageNo> = acts
        .iter()
        .filter(|act| matches!(act.kind, ActKind::Excluded | ActKind::Extended))
        .filter_map(|act| act.message)
        .collect();
    items
        .iter()
        .filter(|item| !off.contains(&item.message))
        .copied()
        .collect()
}
