//! Dispositions as the log tells them: list, review, destruction, certificate. Nothing goes that was
//! not on the list, and nobody approves his own request.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::action::Action;
use super::super::entry::{Draft, Entry};
use super::policies::Policies;
use super::{WAIT_MICROS, told};
use crate::domain::Timestamp;

/// A destruction as its entries tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposal {
    /// The batch, as entries name it.
    pub batch: String,
    /// Root over the list as it was frozen, in hex.
    pub planned_root: String,
    /// Root over what was approved of it, in hex.
    pub approved_root: String,
    /// Messages that were approved.
    pub items: u64,
    /// Messages that were destroyed.
    pub erased: u64,
    /// SHA-256 of the certificate, in hex, once there is one.
    pub certificate: Option<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Batch {
    requester: String,
    #[serde(with = "told::instant")]
    planned: Timestamp,
    items: u64,
    root: String,
    reviewers: u64,
    recall: i64,
    /// The messages, where the entry lists them.
    listed: BTreeSet<String>,
    policies: Vec<String>,
    #[serde(with = "told::instants")]
    approvers: BTreeMap<String, Timestamp>,
    taken_off: BTreeSet<String>,
    cancelled: bool,
    intent: Option<(u64, String)>,
    erased: u64,
    dropped: u64,
    outcome: Option<u64>,
    certificate: Option<String>,
}

/// Every list so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Disposals {
    known: BTreeMap<String, Batch>,
    /// Number of the last certificate.
    certificates: u64,
}

impl Disposals {
    /// Follows an act and says what it breaks.
    pub(super) fn take(&mut self, entry: &Entry, policies: &Policies, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let follow = match draft.action {
            Action::DispositionReview => Batch::review,
            Action::DispositionCancel => Batch::cancel,
            Action::EraseIntent => Batch::intent,
            Action::EraseSlice => Batch::slice,
            Action::EraseOutcome => Batch::outcome,
            Action::CertificateMake => Batch::certificate,
            Action::DispositionPlan => return self.plan(entry, wrong),
            Action::BackupRestore => {
                // Those made after the backup are out in the world, and not in this log.
                let taken = draft.number("certificates").unwrap_or(0);
                self.certificates = self.certificates.max(taken);
                return;
            }
            _ => return,
        };
        let id = draft.objects.first().cloned().unwrap_or_default();
        let Some(batch) = self.known.get_mut(&id) else {
            wrong.push(format!("{id} was never put on a list"));
            return;
        };
        follow(batch, entry, policies, wrong);
        if draft.action == Action::EraseOutcome {
            self.number(draft, wrong);
        }
    }

    /// The destructions that were begun, in the order of their names.
    pub(super) fn disposals(&self) -> Vec<Disposal> {
        let begun = |(id, batch): (&String, &Batch)| {
            let (items, root) = batch.intent.clone()?;
            Some(Disposal {
                batch: id.clone(),
                planned_root: batch.root.clone(),
                approved_root: root,
                items,
                erased: batch.erased,
                certificate: batch.certificate.clone(),
            })
        };
        self.known.iter().filter_map(begun).collect()
    }

    fn plan(&mut self, entry: &Entry, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let id = draft.objects.first().cloned().unwrap_or_default();
        let facts = (
            draft.number("items"),
            draft.number("reviewers"),
            draft.number("recall"),
            draft.fact_word("root"),
        );
        let (Some(items), Some(reviewers), Some(recall), Some(root)) = facts else {
            wrong.push(format!("the list {id} without its facts"));
            return;
        };
        let batch = Batch {
            requester: draft.actor.id.clone(),
            planned: entry.t_c,
            items,
            root: root.to_owned(),
            reviewers,
            recall: i64::try_from(recall).unwrap_or(i64::MAX),
            listed: draft.objects.iter().skip(1).cloned().collect(),
            policies: draft.policy_versions.clone(),
            ..Batch::default()
        };
        if self.known.insert(id.clone(), batch).is_some() {
            wrong.push(format!("the list {id} is made twice"));
        }
    }

    /// Certificates are numbered without gaps, but for those that a restore skips.
    fn number(&mut self, draft: &Draft, wrong: &mut Vec<String>) {
        let number = draft.number("certificate").unwrap_or(0);
        let expected = self.certificates + 1;
        if number != expected {
            wrong.push(format!(
                "certificate {number} follows {}",
                self.certificates
            ));
        }
        self.certificates = number.max(expected);
    }
}

impl Batch {
    fn review(&mut self, entry: &Entry, policies: &Policies, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let by = &draft.actor.id;
        if self.cancelled || self.intent.is_some() {
            wrong.push("a list is reviewed that is closed".to_owned());
        }
        if draft.fact_word("act") != Some("approve") {
            let message = draft.fact_word("message").unwrap_or_default();
            self.taken_off.insert(message.to_owned());
            return;
        }
        if *by == self.requester {
            wrong.push(format!("{by} approves what they asked for themselves"));
        }
        let mut authors = self
            .policies
            .iter()
            .filter_map(|name| policies.locked_author(name));
        if authors.any(|author| author == by) {
            wrong.push(format!("{by} approves by a locked policy of their own"));
        }
        if self.approvers.insert(by.clone(), entry.t_c).is_some() {
            wrong.push(format!("{by} approves twice, which is one person"));
        }
    }

    fn cancel(&mut self, _entry: &Entry, _policies: &Policies, _wrong: &mut Vec<String>) {
        self.cancelled = true;
    }

    /// What may be destroyed: a list with enough different approvers, less what was taken off.
    fn intent(&mut self, entry: &Entry, _policies: &Policies, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        if self.cancelled {
            wrong.push("a list is destroyed that was called off".to_owned());
        }
        if self.intent.is_some() {
            wrong.push("a list is destroyed twice".to_owned());
        }
        let given = self.approvers.len() as u64;
        if given < self.reviewers {
            wrong.push(format!(
                "a list is destroyed with {given} of {} approvals by different people",
                self.reviewers
            ));
        }
        if draft.number("approvals") != Some(given) {
            wrong.push(format!("approvals are claimed, and the log knows {given}"));
        }
        let last = self
            .approvers
            .values()
            .copied()
            .fold(self.planned, Timestamp::max);
        let over = last
            .0
            .saturating_add(self.recall)
            .saturating_sub(WAIT_MICROS);
        if entry.t_c.0 < over {
            wrong.push("a list is destroyed inside its recall window".to_owned());
        }
        let items = draft.number("items").unwrap_or(0);
        let root = draft.fact_word("ids_root").unwrap_or_default().to_owned();
        let left = self.items.saturating_sub(self.taken_off.len() as u64);
        if items != left {
            wrong.push(format!(
                "{items} messages are to be destroyed, and {left} were previewed and left on the list"
            ));
        }
        if self.taken_off.is_empty() && root != self.root {
            wrong.push("the messages to be destroyed are not those of the list".to_owned());
        }
        self.intent = Some((items, root));
    }

    fn slice(&mut self, entry: &Entry, _policies: &Policies, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let Some((items, _)) = self.intent.as_ref().filter(|_| self.outcome.is_none()) else {
            wrong.push("messages are destroyed without an intent before it".to_owned());
            return;
        };
        self.erased += draft.number("erased").unwrap_or(0);
        self.dropped += draft.number("dropped").unwrap_or(0);
        if self.erased + self.dropped > *items {
            wrong.push(format!(
                "{} messages are decided, and {items} were approved",
                self.erased + self.dropped
            ));
        }
        for id in draft.objects.iter().skip(1) {
            if !self.listed.is_empty() && !self.listed.contains(id) {
                wrong.push(format!("{id} is destroyed, and was not on the list"));
            }
            if self.taken_off.contains(id) {
                wrong.push(format!("{id} is destroyed, and was taken off the list"));
            }
        }
    }

    fn outcome(&mut self, entry: &Entry, _policies: &Policies, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        let (erased, dropped) = (draft.number("erased"), draft.number("dropped"));
        let items = self.intent.as_ref().map_or(0, |(items, _)| *items);
        if erased != Some(self.erased) || erased.zip(dropped).map(|(a, b)| a + b) != Some(items) {
            wrong.push(format!(
                "the outcome does not add up: {} messages were destroyed of {items}",
                self.erased
            ));
        }
        self.outcome = draft.number("certificate");
    }

    fn certificate(&mut self, entry: &Entry, _policies: &Policies, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        if self.outcome.is_none() || draft.number("certificate") != self.outcome {
            wrong.push("a certificate of another number than the outcome's".to_owned());
        }
        let digest = draft.fact_word("digest").map(str::to_owned);
        if self.certificate.is_some() && self.certificate != digest {
            wrong.push("a second certificate of one destruction".to_owned());
        }
        self.certificate = digest;
    }
}
