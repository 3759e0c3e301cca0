//! One list of disposition with what reviewers look at: items with their reasons, acts, certificate.

use std::collections::BTreeMap;

use super::super::certificate::verify_certificate;
use super::super::{AppError, Appliance, Result, Session};
use super::dispose::{BatchLine, line_of};
use super::spread::policy_name;
use crate::audit::Action;
use crate::domain::{
    App, BatchNo, ConversationId, MessageId, PolicyId, PolicyRef, Right, Timestamp,
};
use crate::retention::{Book, Certificate, REQUEST, barred, may_approve, remaining};
use crate::store::{ActKind, DispositionActRow, DispositionItemRow, Rows};

/// A list, looked through.
#[derive(Clone, Debug)]
pub struct BatchStory {
    /// As listed.
    pub line: BatchLine,
    /// Login of who asked for it.
    pub requested_by: String,
    /// Length of its recall window, in microseconds.
    pub recall_micros: i64,
    /// Messages on it by the rule that lets them go, most first.
    pub by_rule: Vec<(RuleName, u64)>,
    /// Messages on it by the calendar year (UTC) in which they became due.
    pub by_due_year: BTreeMap<i32, u64>,
    /// Some of its messages, in their order.
    pub items: Vec<ListedItem>,
    /// Place of the first of them, from 0.
    pub first: usize,
    /// What reviewers did, in the order of doing.
    pub acts: Vec<ReviewLine>,
    /// Why whoever looks may not approve it; `None` when they may, as far as the list goes.
    pub may_not_approve: Option<String>,
    /// Whether its destruction has begun: then only running it ends it.
    pub has_begun: bool,
    /// Whether there is a certificate.
    pub has_certificate: bool,
}

/// What lets a message go.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleName {
    /// A version of a policy, with its name.
    Policy {
        /// Its public id.
        id: PolicyId,
        /// What people call it.
        name: String,
        /// Which version.
        version: u32,
    },
    /// A person's request for erasure.
    Request,
}

/// A message on a list.
#[derive(Clone, Debug)]
pub struct ListedItem {
    /// Its public id; `None` once it is gone.
    pub message: Option<MessageId>,
    /// Where it stands.
    pub conversation: Option<(ConversationId, App)>,
    /// When it was sent.
    pub sent: Option<Timestamp>,
    /// What lets it go.
    pub rule: RuleName,
    /// When the period of that rule began.
    pub begun: Timestamp,
    /// Since when it is due.
    pub due: Timestamp,
}

/// What a reviewer did.
#[derive(Clone, Debug)]
pub struct ReviewLine {
    /// What.
    pub kind: ActKind,
    /// Login of who did it.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// The message it is about; `None` = the list, or a message that is gone.
    pub message: Option<MessageId>,
    /// The new date of an extension.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
}

/// A certificate that was read and verified.
#[derive(Clone, Debug)]
pub struct CertificateStory {
    /// What it says.
    pub certificate: Certificate,
    /// What does not hold; `None` when everything does.
    pub broken: Option<String>,
    /// Logins of who asked for the run and of who approved it, where they still work here, by the
    /// ids that the certificate names.
    pub people: BTreeMap<String, String>,
}

impl Appliance {
    /// A list with up to `most` of its messages from place `first` on.
    ///
    /// # Errors
    /// For who may not see the rules; when there is no such list.
    pub fn disposition(
        &self,
        session: &Session,
        batch: BatchNo,
        first: usize,
        most: usize,
    ) -> Result<BatchStory> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let (row, items, acts) = self.shown_list(&rows, session, batch)?;
        let book = self.book(&rows)?;
        let left = remaining(&items, &acts);
        let ids: BTreeMap<_, _> = rows.policies()?.into_iter().collect();
        let name = |policy: PolicyRef| rule_name(&book, &ids, policy);
        let (by_rule, by_due_year) = counted(&left, &name);
        let mut listed = Vec::new();
        for item in left.iter().skip(first).take(most) {
            listed.push(self.listed_item(&rows, item, &name)?);
        }
        let mut lines = Vec::new();
        for act in &acts {
            lines.push(self.review_line(&rows, act)?);
        }
        let barred = barred(book.rules(), &items);
        let may = may_approve(&row, &barred, &acts, session.actor.no);
        let story = BatchStory {
            line: line_of(&row, &items, &acts),
            requested_by: self.login_of(&rows, row.requested_by)?,
            recall_micros: row.recall_micros,
            by_rule,
            by_due_year,
            items: listed,
            first,
            acts: lines,
            may_not_approve: may.err().map(|error| error.to_string()),
            has_begun: rows.erase_batch(batch.0)?.is_some(),
            has_certificate: self.certificate_bytes(&rows, batch)?.is_some(),
        };
        drop(rows);
        self.log_rules_read(session, "disposition", story.items.len())?;
        Ok(story)
    }

    /// The certificate of a list, read and verified with the key of this log.
    ///
    /// # Errors
    /// For who may not see the rules; when the list has none, or it cannot be read at all.
    pub fn certificate_story(&self, session: &Session, batch: BatchNo) -> Result<CertificateStory> {
        let document = self.certificate(session, batch)?;
        let broken = match verify_certificate(&document, self.archive.log_verifier()) {
            Ok(_) => None,
            Err(AppError::Integrity(what)) => Some(what),
            Err(other) => return Err(other),
        };
        let certificate = Certificate::read(&document).map_err(AppError::Integrity)?;
        let mut people = BTreeMap::new();
        for user in self.archive.store().read()?.users()? {
            people.insert(user.id.to_string(), user.login);
        }
        Ok(CertificateStory {
            certificate,
            broken,
            people,
        })
    }

    fn listed_item(
        &self,
        rows: &Rows,
        item: &DispositionItemRow,
        name: &dyn Fn(PolicyRef) -> RuleName,
    ) -> Result<ListedItem> {
        let row = rows.message(item.message)?;
        let conversation = match &row {
            Some(row) => rows.conversation(row.conversation)?,
            None => None,
        };
        Ok(ListedItem {
            message: self.public_id(rows, item.message)?,
            conversation: conversation.map(|row| (row.id, row.app)),
            sent: row.map(|row| row.sent),
            rule: name(item.policy),
            begun: item.t0,
            due: item.due,
        })
    }

    fn review_line(&self, rows: &Rows, act: &DispositionActRow) -> Result<ReviewLine> {
        let [reason] = match act.text_no {
            Some(no) => self.words(rows, no)?,
            None => [String::new()],
        };
        let message = match act.message {
            Some(no) => self.public_id(rows, no)?,
            None => None,
        };
        Ok(ReviewLine {
            kind: act.kind,
            by: self.login_of(rows, act.by)?,
            at: act.at,
            message,
            until: act.until,
            reason,
        })
    }
}

fn rule_name(
    book: &Book,
    ids: &BTreeMap<crate::domain::PolicyNo, PolicyId>,
    policy: PolicyRef,
) -> RuleName {
    match ids.get(&policy.no) {
        Some(id) if policy != REQUEST => RuleName::Policy {
            id: *id,
            name: book
                .policy_words(policy)
                .map_or_else(|| policy_name(book, policy.no), |words| words.name.clone()),
            version: policy.version,
        },
        _ => RuleName::Request,
    }
}

type Counted = (Vec<(RuleName, u64)>, BTreeMap<i32, u64>);

fn counted(items: &[DispositionItemRow], name: &dyn Fn(PolicyRef) -> RuleName) -> Counted {
    let mut by_policy: BTreeMap<PolicyRef, u64> = BTreeMap::new();
    let mut by_year: BTreeMap<i32, u64> = BTreeMap::new();
    for item in items {
        *by_policy.entry(item.policy).or_default() += 1;
        *by_year.entry(item.due.civil_utc().0).or_default() += 1;
    }
    let mut by_rule: Vec<(RuleName, u64)> = by_policy
        .into_iter()
        .map(|(policy, count)| (name(policy), count))
        .collect();
    by_rule.sort_by(|one, next| next.1.cmp(&one.1).then_with(|| one.0.cmp(&next.0)));
    (by_rule, by_year)
}
