//! How long acts ended: as a value, as it is written down, and as it is told after a restart.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::guard::Who;
use super::house::House;
use super::jobs::{JobLine, JobState};
use super::refusal::Refusal;
use crate::app::{JOB_END_BYTES_MAX, KeptJob};
use crate::domain::{EntryNo, JobId};

/// Problems of a long account that are kept when the whole is too long.
const PROBLEMS_KEPT: usize = 20;

/// How a result is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Done, with something to look at.
    Warning,
    /// Something is wrong.
    Bad,
}

impl Tone {
    /// The name for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Warning => "warning",
            Tone::Bad => "bad",
        }
    }
}

/// What a job came to.
#[derive(Clone, Debug, PartialEq)]
pub struct JobResult {
    /// How to take it.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// Figures by name.
    pub facts: Vec<(&'static str, String)>,
    /// What is not as it should be, in words.
    pub problems: Vec<String>,
    /// The page that shows it.
    pub page: Option<String>,
    /// Its entry in the log.
    pub audit: Option<EntryNo>,
    /// The same for programs: an object.
    pub details: Value,
}

impl JobResult {
    /// A sentence, and nothing else yet.
    pub fn new(tone: Tone, text: impl Into<String>) -> JobResult {
        JobResult {
            tone,
            text: text.into(),
            facts: Vec::new(),
            problems: Vec::new(),
            page: None,
            audit: None,
            details: Value::Null,
        }
    }

    /// The same with what programs are told.
    #[must_use]
    pub fn telling(mut self, details: &impl Serialize) -> JobResult {
        self.details = serde_json::to_value(details).unwrap_or_default();
        self
    }
}

/// What a job came to, as it is kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobEnd {
    /// How to take it.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// Figures by name.
    pub facts: Vec<(String, String)>,
    /// What is not as it should be, in words.
    pub problems: Vec<String>,
    /// The page that shows it.
    pub page: Option<String>,
    /// Number of its entry in the log.
    pub audit: Option<u64>,
    /// The same for programs.
    pub details: Value,
}

impl From<JobResult> for JobEnd {
    fn from(result: JobResult) -> JobEnd {
        let named = result.facts.into_iter();
        JobEnd {
            tone: result.tone,
            text: result.text,
            facts: named
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            problems: result.problems,
            page: result.page,
            audit: result.audit.map(|no| no.0),
            details: result.details,
        }
    }
}

/// An end as it is written down.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Told {
    Done(JobEnd),
    Refused {
        kind: String,
        status: u16,
        detail: String,
    },
    Stopped(String),
}

impl JobState {
    /// As it is written down once it is over.
    pub(super) fn told(&self) -> Option<String> {
        let told = match self {
            JobState::Waiting | JobState::Running { .. } | JobState::Interrupted => return None,
            JobState::Done(end) => Told::Done(end.clone()),
            JobState::Refused(refusal) => Told::Refused {
                kind: refusal.kind.to_owned(),
                status: refusal.status.as_u16(),
                detail: refusal.detail.clone(),
            },
            JobState::Stopped(saved) => Told::Stopped(saved.clone()),
        };
        let text = serde_json::to_string(&told).ok()?;
        match (text.len() <= JOB_END_BYTES_MAX, told) {
            (true, _) => Some(text),
            (false, Told::Done(end)) => serde_json::to_string(&Told::Done(shorter(end))).ok(),
            (false, _) => None,
        }
    }

    /// What was written down; what cannot be read is told as cut off.
    fn of(kept: &KeptJob) -> JobState {
        let told = kept.end.as_deref().map(serde_json::from_str::<Told>);
        match told {
            Some(Ok(Told::Done(end))) => JobState::Done(end),
            Some(Ok(Told::Stopped(saved))) => JobState::Stopped(saved),
            Some(Ok(Told::Refused {
                kind,
                status,
                detail,
            })) => JobState::Refused(Refusal::kept(&kind, status, detail)),
            Some(Err(_)) | None => JobState::Interrupted,
        }
    }
}

/// An account of an end without its details.
fn shorter(end: JobEnd) -> JobEnd {
    JobEnd {
        problems: end.problems.into_iter().take(PROBLEMS_KEPT).collect(),
        details: Value::Null,
        ..end
    }
}

impl House {
    /// The jobs of somebody, newest first, those of elder runs of the server included.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub(super) async fn jobs_of(&self, who: &Who) -> Result<Vec<JobLine>, Refusal> {
        let session = who.session.clone();
        let kept = self
            .ask(move |appliance| appliance.kept_jobs(&session))
            .await?;
        let mut lines = self.jobs.of(who.session.actor.no);
        let known: Vec<JobId> = lines.iter().map(|line| line.id).collect();
        let elder = kept.iter().filter(|job| !known.contains(&job.id));
        lines.extend(elder.map(elder_line));
        lines.sort_by_key(|line| std::cmp::Reverse(line.id));
        Ok(lines)
    }

    /// One job of somebody.
    ///
    /// # Errors
    /// Not found when it is not theirs or never was.
    pub(super) async fn job_of(&self, who: &Who, id: JobId) -> Result<JobLine, Refusal> {
        if let Some(line) = self.jobs.find(who.session.actor.no, id) {
            return Ok(line);
        }
        let lines = self.jobs_of(who).await?;
        let found = lines.into_iter().find(|line| line.id == id);
        found.ok_or_else(Refusal::not_found)
    }
}

fn elder_line(kept: &KeptJob) -> JobLine {
    JobLine {
        id: kept.id,
        title: Cow::Owned(kept.title.clone()),
        began: kept.began,
        ended: kept.ended,
        state: JobState::of(kept),
        stops: false,
        stopping: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn kept(end: Option<String>) -> KeptJob {
        KeptJob {
            id: JobId(1),
            title: "Import".to_owned(),
            began: Timestamp(0),
            ended: None,
            end,
            is_cut_off: false,
        }
    }

    #[test]
    fn x1_an_end_that_was_written_down_is_told_again() {
        let mut result = JobResult::new(Tone::Warning, "3 new");
        result.facts.push(("Messages", "3".to_owned()));
        let result = result.telling(&serde_json::json!({ "import": "imp_1" }));
        let ends = [
            JobState::Done(result.into()),
            JobState::Refused(Refusal::not_found()),
            JobState::Stopped("Nothing was lost.".to_owned()),
        ];
        for end in ends {
            assert_eq!(JobState::of(&kept(end.told())), end);
        }
        assert_eq!(JobState::of(&kept(None)), JobState::Interrupted);
        assert_eq!(JobState::Waiting.told(), None);
    }

    #[test]
    fn a_long_account_is_kept_without_its_details() {
        let mut result = JobResult::new(Tone::Bad, "much is wrong");
        result.problems = (0..10_000)
            .map(|no| format!("message {no} differs"))
            .collect();
        let told = JobState::Done(result.into()).told().unwrap();
        assert!(told.len() <= JOB_END_BYTES_MAX, "{}", told.len());
        let JobState::Done(end) = JobState::of(&kept(Some(told))) else {
            panic!("it was done");
        };
        assert_eq!(end.problems.len(), PROBLEMS_KEPT);
    }
}
