//! The use-cases behind keys of acts that are done once: take a key, keep the answer, answer again.
//!
//! What is kept is sealed like content and outlives the process. Nothing here decides who may act: the
//! use-case behind the key does.

use super::{Appliance, Result, Session};
use crate::crypto::Digest;
use crate::domain::{Now, Timestamp};
use crate::store::{ReplayRow, ReplayStage, WriteTx};

/// How long an answer is kept, in microseconds: a day.
const KEPT_MICROS: i64 = Timestamp::MICROS_PER_DAY;
/// Most answers of one person that are kept; the eldest are forgotten first.
const OWN_MAX: u32 = 100_000;
/// Most keys that are forgotten when one is taken.
const FORGOTTEN_AT_ONCE: u32 = 200;

/// A key that a program gave to an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActKey {
    /// Whose it is: a token, or a person with all their windows.
    pub asker: String,
    /// The key.
    pub key: String,
}

/// An answer as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// The status of HTTP.
    pub status: u16,
    /// Names and values of headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownAct {
    /// Nothing: it is this request's now. Whoever got this must end it.
    Fresh,
    /// It was done: this was the answer.
    Done(KeptAnswer),
    /// It is being done.
    Running,
    /// It was taken up, and there is no answer: the process ended first, or it held a secret.
    Lost,
    /// It was used for something else.
    Other,
}

impl Appliance {
    /// What is known of a key. A fresh one is taken, in one transaction.
    ///
    /// # Errors
    /// When the record cannot be read or written.
    pub fn take_act(&self, session: &Session, act: &ActKey, what: &Digest) -> Result<KnownAct> {
        let (lookup, what) = (
            self.lookup_of(act),
            self.archive.lookup("replay-what", &[what]),
        );
        let now = self.clock.now();
        self.change(now, |tx| {
            self.forget_acts(tx, session, now)?;
            let Some(row) = tx.replay(&lookup)? else {
                tx.insert_replay(&ReplayRow {
                    owner: session.actor.no,
                    lookup: lookup.clone(),
                    what: what.to_vec(),
                    began: now.compliance,
                    stage: ReplayStage::UnderWay,
                    text_no: None,
                })?;
                return Ok(KnownAct::Fresh);
            };
            if row.what != what {
                return Ok(KnownAct::Other);
            }
            match (row.stage, row.text_no) {
                (ReplayStage::UnderWay, _) => Ok(KnownAct::Running),
                (ReplayStage::Done, Some(no)) => {
                    let texts = self.archive.open_texts(tx, no)?;
                    Ok(unpacked(texts).map_or(KnownAct::Lost, KnownAct::Done))
                }
                (ReplayStage::Done, None) | (ReplayStage::CutOff, _) => Ok(KnownAct::Lost),
            }
        })
    }

    /// Keeps that it was done; without an answer, that there is none to give again.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn act_done(&self, act: &ActKey, answer: Option<&KeptAnswer>) -> Result<()> {
        let lookup = self.lookup_of(act);
        self.change(self.clock.now(), |tx| {
            let text_no = match answer {
                None => None,
                Some(answer) => {
                    let texts = packed(answer);
                    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
                    Some(self.archive.seal_texts(tx, &texts)?)
                }
            };
            Ok(tx.end_replay(&lookup, text_no)?)
        })
    }

    /// Frees a key: nothing was done.
    ///
    /// # Errors
    /// When the record cannot be written.
    pub fn act_refused(&self, act: &ActKey) -> Result<()> {
        let lookup = self.lookup_of(act);
        self.change(self.clock.now(), |tx| match tx.replay(&lookup)? {
            Some(row) => Ok(tx.delete_replay(&row)?),
            None => Ok(()),
        })
    }

    /// Marks what was under way when a process died.
    pub(super) fn cut_acts_off(&self) -> Result<()> {
        self.change(self.clock.now(), |tx| Ok(tx.cut_replays_off()?))
    }

    fn lookup_of(&self, act: &ActKey) -> Vec<u8> {
        let parts = [act.asker.as_bytes(), act.key.as_bytes()];
        self.archive.lookup("replay", &parts).to_vec()
    }

    fn forget_acts(&self, tx: &WriteTx<'_>, session: &Session, now: Now) -> Result<()> {
        let before = Timestamp(now.compliance.0.saturating_sub(KEPT_MICROS));
        let mut old = tx.replays_before(before, FORGOTTEN_AT_ONCE)?;
        old.extend(tx.replays_beyond(session.actor.no, OWN_MAX, FORGOTTEN_AT_ONCE)?);
        for row in &old {
            tx.delete_replay(row)?;
        }
        Ok(())
    }
}

/// Status, body, then names and values of headers in turn.
fn packed(answer: &KeptAnswer) -> Vec<String> {
    let mut texts = vec![answer.status.to_string(), answer.body.clone()];
    for (name, value) in &answer.headers {
        texts.extend([name.clone(), value.clone()]);
    }
    texts
}

fn unpacked(texts: Vec<String>) -> Option<KeptAnswer> {
    let mut texts = texts.into_iter();
    let status = texts.next()?.parse().ok()?;
    let body = texts.next()?;
    let mut headers = Vec::new();
    while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
        headers.push((name, value));
    }
    Some(KeptAnswer {
        status,
        headers,
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_reads_back() {
        let answer = KeptAnswer {
            status: 201,
            headers: vec![("etag".to_owned(), "\"1\"".to_owned())],
            body: "{\"id\":1}\n".to_owned(),
        };
        assert_eq!(unpacked(packed(&answer)), Some(answer));
        assert_eq!(unpacked(vec!["x".to_owned()]), None);
    }
}
