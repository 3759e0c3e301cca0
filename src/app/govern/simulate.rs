//! The use-cases "simulate a policy" and "why is this message still here".

use std::time::Duration;

use super::super::clock::Stopwatch;
use super::super::{AppError, Appliance, Result, Session};
use super::policy::{newest_of, policy_of};
use crate::audit::{Action, Appended};
use crate::domain::{
    ConversationId, HoldId, HoldNo, LabelId, LabelNo, MessageId, PolicyId, PolicyNo, PolicyRef,
    Reason, Right, Scope as Sight, Timestamp, Verdict,
};
use crate::retention::{Book, PolicyWords, Present, Simulation, simulate_watched, why};
use crate::store::{Rows, SimulationRow};

/// Hears what a long act does and how far it is (0 of 0 when nobody knows), and says whether to go on.
pub type Heed<'a> = dyn FnMut(&'static str, u64, u64) -> bool + 'a;

/// A simulation that was run.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// The policy.
    pub policy: PolicyId,
    /// The version that was tried.
    pub version: PolicyRef,
    /// What it found.
    pub found: Simulation,
    /// Public ids of the samples.
    pub samples: Vec<MessageId>,
    /// What is due by who wrote it, by name, most first.
    pub by_person: Vec<(String, u64)>,
    /// Time it took.
    pub took: Duration,
    /// The audit entry.
    pub audit: Appended,
}

/// What is due by the rules in force.
#[derive(Clone, Debug)]
pub struct DueNow {
    /// The counts; the rules that are tried are those in force.
    pub found: Simulation,
    /// Messages that are due, by the policy that lets them go.
    pub by_policy: Vec<(PolicyId, String, u64)>,
    /// Time it took.
    pub took: Duration,
}

/// Why a message is still here.
#[derive(Clone, Debug)]
pub struct Why {
    /// The message.
    pub message: MessageId,
    /// The conversation it stands in.
    pub conversation: ConversationId,
    /// What the rules say.
    pub verdict: Verdict,
    /// Every reason, in the order of the rules.
    pub reasons: Vec<Reason>,
    /// The instant it was asked for.
    pub at: Timestamp,
    /// Ids and names of the policies in the reasons.
    pub policies: Vec<(PolicyNo, PolicyId, String)>,
    /// Ids and names of the holds in the reasons.
    pub holds: Vec<(HoldNo, HoldId, String)>,
    /// Ids and names of the labels in the reasons.
    pub labels: Vec<(LabelNo, LabelId, String)>,
}

impl Appliance {
    /// Tries the newest version of a policy over the whole archive, as of an instant (`None` = now),
    /// beside the rules in force. Nothing is destroyed.
    ///
    /// # Errors
    /// For anybody but a records officer; when there is no such policy.
    pub fn simulate_policy(
        &self,
        session: &Session,
        id: PolicyId,
        as_of: Option<Timestamp>,
    ) -> Result<Simulated> {
        self.simulate_policy_watched(session, id, as_of, &mut |_, _, _| true)
    }

    /// The same for somebody who waits: `heed` is told what is done and how far it is, and says
    /// whether to go on.
    ///
    /// # Errors
    /// As [`Appliance::simulate_policy`]; [`AppError::Interrupted`] when it says no.
    pub fn simulate_policy_watched(
        &self,
        session: &Session,
        id: PolicyId,
        as_of: Option<Timestamp>,
        heed: &mut Heed<'_>,
    ) -> Result<Simulated> {
        self.require(session, Right::WriteRules, Action::SimulationRun)?;
        self.whole_archive(session)?;
        let watch = Stopwatch::start();
        let now = self.clock.now();
        let as_of = as_of.unwrap_or(now.compliance);
        let rows = self.archive.store().read()?;
        let row = newest_of(&rows, policy_of(&rows, id)?)?;
        let (in_force, mut tried) = (self.book(&rows)?, self.book(&rows)?);
        let words = PolicyWords::from_texts(self.archive.open_texts(&rows, row.text_no)?)?;
        let scope = self.stored_scope(&words.scope, row.version.zone)?;
        tried.try_policy(row.version, scope, Timestamp::ALWAYS);
        let of = in_force.last_message().0;
        let mut go_on = |done| heed("messages judged", done, of);
        let books = (&in_force, &tried);
        let found = simulate_watched(&self.archive, &rows, books, as_of, &|_| true, &mut go_on)?;
        let mut samples = Vec::new();
        for no in &found.samples {
            samples.extend(self.public_id(&rows, *no)?);
        }
        let epochs = in_force.epochs();
        drop(rows);
        let audit = self.change(now, |tx| {
            let report = format!("{found:?}");
            let text_no = self.archive.seal_texts(tx, &[&report])?;
            tx.insert_simulation(&SimulationRow {
                policy: row.version.id,
                epochs,
                ran: now.compliance,
                ran_by: session.actor.no,
                as_of,
                records: found.records,
                eligible: found.eligible,
                text_no,
            })?;
            let draft = self
                .draft(session, Action::SimulationRun)
                .object(id)
                .count("version", u64::from(row.version.id.version))
                .count("records", found.records)
                .count("eligible", found.eligible);
            self.log(tx, now, draft, None)
        })?;
        let by_person = self.person_labels(&found.by_custodian)?;
        Ok(Simulated {
            by_person,
            policy: id,
            version: row.version.id,
            found,
            samples,
            took: watch.elapsed(),
            audit,
        })
    }

    /// Why a message is still here: every policy, label, hold, lock, clock and date that has a say.
    ///
    /// # Errors
    /// For who may not see the rules or the message; when there is none such.
    pub fn why(&self, session: &Session, id: MessageId, at: Option<Timestamp>) -> Result<Why> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let scope = self.scope(session)?;
        let rows = self.archive.store().read()?;
        let row = self
            .visible_message(&rows, &scope, id)?
            .ok_or_else(|| AppError::NotFound(id.to_string()))?;
        let present = match at {
            Some(at) => Present::as_of(at),
            None => self.present(&rows)?,
        };
        let book = self.book(&rows)?;
        let (verdict, reasons) = why(&self.archive, &book, &present, row.no)?
            .ok_or_else(|| AppError::NotFound(id.to_string()))?;
        let conversation = rows
            .conversation(row.conversation)?
            .ok_or_else(|| AppError::NotFound(id.to_string()))?;
        let mut answer = Why {
            message: id,
            conversation: conversation.id,
            verdict,
            at: present.now.compliance,
            policies: Vec::new(),
            holds: Vec::new(),
            labels: Vec::new(),
            reasons,
        };
        self.name_the_rules(&rows, session, &mut answer)?;
        drop(rows);
        let now = self.clock.now();
        let draft = self
            .draft(session, Action::RulesRead)
            .object(id)
            .word("what", "why");
        self.change(now, |tx| self.log(tx, now, draft, None))?;
        Ok(answer)
    }

    fn name_the_rules(&self, rows: &Rows, session: &Session, answer: &mut Why) -> Result<()> {
        let narrow = self.narrow(rows, session)?;
        for (no, id) in rows.policies()? {
            if !self.shows_policy(rows, narrow.as_ref(), no)? {
                continue;
            }
            let [name] = self.words(rows, newest_of(rows, no)?.text_no)?;
            answer.policies.push((no, id, name));
        }
        for row in rows.holds()? {
            if let Some(narrow) = &narrow
                && !narrow.shows_hold(rows, &row)?
            {
                continue;
            }
            let [name] = self.words(rows, row.text_no)?;
            answer.holds.push((row.hold.no, row.id, name));
        }
        for row in rows.labels()? {
            let [name] = self.words(rows, row.text_no)?;
            answer.labels.push((row.no, row.id, name));
        }
        Ok(())
    }

    /// The rules of the record, read with the names of the whole archive.
    pub(in crate::app) fn book(&self, rows: &Rows) -> Result<Book> {
        let names = self.names()?;
        let everything = Sight::everything();
        let scoped = names.within(&self.archive, &everything, None);
        Ok(Book::load(&self.archive, rows, &scoped)?)
    }

    /// The public id of a message.
    pub(super) fn public_id(
        &self,
        rows: &Rows,
        no: crate::domain::MessageNo,
    ) -> Result<Option<MessageId>> {
        let Some(row) = rows.message(no)? else {
            return Ok(None);
        };
        let import = rows.import(row.import)?;
        Ok(import.map(|import| self.archive.message_id(no, import.began)))
    }
}
