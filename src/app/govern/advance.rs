//! The use-case "advance the clock": time that passed while nobody saw it, said by two people.
//!
//! Compliance time is late, never early: what is said can bring it to the wall clock and no further,
//! and what passes between the two voices is added by the clock itself.

use super::super::{AppError, Appliance, Result, Session};
use super::words;
use crate::audit::{Action, Appended};
use crate::domain::{Now, Right, Timestamp};
use crate::retention::clock::{Quality, attest, credit_left};
use crate::store::ClockClaimRow;

/// A claim of time as listed.
#[derive(Clone, Debug)]
pub struct ClaimLine {
    /// Its number.
    pub no: u32,
    /// The instant that is said to have come.
    pub proven: Timestamp,
    /// The evidence in words.
    pub evidence: String,
    /// When it was said.
    pub claimed: Timestamp,
    /// When a second person agreed.
    pub agreed: Option<Timestamp>,
}

/// How the clock stands.
#[derive(Clone, Debug)]
pub struct ClockStanding {
    /// Compliance time and wall clock.
    pub now: Now,
    /// How near they are.
    pub quality: Quality,
    /// Microseconds that may still be taken over without evidence.
    pub credit_left: i64,
    /// Every claim there ever was.
    pub claims: Vec<ClaimLine>,
}

impl Appliance {
    /// How the clock stands.
    ///
    /// # Errors
    /// For who may not see the rules.
    pub fn clock_standing(&self, session: &Session) -> Result<ClockStanding> {
        self.require(session, Right::ReadRules, Action::RulesRead)?;
        let rows = self.archive.store().read()?;
        let mut claims = Vec::new();
        for row in rows.clock_claims()? {
            let [evidence] = self.words(&rows, row.text_no)?;
            claims.push(ClaimLine {
                no: row.no,
                proven: row.proven,
                evidence,
                claimed: row.claimed,
                agreed: row.agreed.map(|(at, _)| at),
            });
        }
        drop(rows);
        self.log_rules_read(session, "clock", claims.len())?;
        let row = self.clock.row();
        Ok(ClockStanding {
            now: self.clock.now(),
            quality: self.clock_quality(),
            credit_left: credit_left(&row),
            claims,
        })
    }

    /// Says that an instant has come, with the evidence. Nothing moves before somebody else agrees.
    ///
    /// # Errors
    /// For who may not; `Usage` when the instant lies ahead of the wall clock or compliance time is
    /// there already.
    pub fn claim_time(
        &self,
        session: &Session,
        proven: Timestamp,
        evidence: &str,
    ) -> Result<(u32, Appended)> {
        self.require(session, Right::AdvanceClock, Action::ClockAdvanceRequest)?;
        let evidence = words::reason(evidence)?;
        let now = self.clock.now();
        check(proven, now)?;
        self.change(now, |tx| {
            let text_no = self.archive.seal_texts(tx, &[evidence])?;
            let no = tx.insert_clock_claim(&ClockClaimRow {
                no: 0,
                proven,
                claimed: now.compliance,
                claimed_by: session.actor.no,
                agreed: None,
                text_no,
            })?;
            let draft = self
                .draft(session, Action::ClockAdvanceRequest)
                .word("claim", no)
                .word("proven", proven.seconds());
            Ok((no, self.log(tx, now, draft, Some(evidence.as_bytes()))?))
        })
    }

    /// Agrees to a claim of somebody else: compliance time goes on to what was said and to what has
    /// passed since. A freeze for doubt of the clock stands until two people lift it.
    ///
    /// # Errors
    /// As [`Appliance::claim_time`]; `Blocked` for the one who made the claim.
    pub fn agree_time(
        &self,
        session: &Session,
        no: u32,
        reason: &str,
    ) -> Result<(Timestamp, Appended)> {
        self.require(session, Right::AdvanceClock, Action::ClockAdvance)?;
        let reason = words::reason(reason)?;
        let now = self.clock.now();
        let (proven, entry) = self.change(now, |tx| {
            let claims = tx.clock_claims()?;
            let open = claims
                .iter()
                .find(|row| row.no == no && row.agreed.is_none());
            let row = open.ok_or_else(|| AppError::NotFound(format!("an open claim {no}")))?;
            if row.claimed_by == session.actor.no {
                return Err(AppError::Blocked(format!(
                    "claim {no} is yours: another lawyer or records officer must agree"
                )));
            }
            let passed = now.compliance.0.saturating_sub(row.claimed.0).max(0);
            let proven = Timestamp(row.proven.0.saturating_add(passed)).min(now.wall);
            check(proven, now)?;
            tx.agree_clock_claim(no, now.compliance, session.actor.no)?;
            tx.put_clock(&attest(&self.clock.row(), proven))?;
            let first = self.user_id(tx, row.claimed_by)?;
            let draft = self
                .draft(session, Action::ClockAdvance)
                .word("claim", no)
                .word("proven", proven.seconds())
                .word("requested_by", first);
            let entry = self.log(tx, now, draft, Some(reason.as_bytes()))?;
            // The log must know of the time that the row now tells: else the row is not believed.
            let after = Now {
                compliance: proven.max(now.compliance),
                ..now
            };
            self.beat(tx, after, None)?;
            Ok((proven, entry))
        })?;
        self.clock.attest(proven);
        self.sign_log()?;
        Ok((self.clock.now().compliance, entry))
    }
}

fn check(proven: Timestamp, now: Now) -> Result<()> {
    if proven > now.wall {
        return Err(AppError::Usage(
            "an instant ahead of the wall clock cannot have come: set the clock of the host first"
                .to_owned(),
        ));
    }
    if proven <= now.compliance {
        return Err(AppError::Usage(
            "compliance time is there already: nothing has to be advanced".to_owned(),
        ));
    }
    Ok(())
}
