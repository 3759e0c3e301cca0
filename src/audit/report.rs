//! What the verifier found, for people and for programs.

use serde::Serialize;

use crate::crypto::{Digest, hex};

use super::replay::{Conservation, Disposal};

/// Problems that are listed; the rest is counted.
pub const PROBLEMS_MAX: usize = 100;

/// The verdict, as the exit code tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything holds, and an anchor from outside agrees.
    Sound,
    /// Everything holds within itself; nothing from outside was there to compare with, so a
    /// consistent older or other history would look the same.
    Unanchored,
    /// Something was changed, removed or done against the rules.
    Broken,
    /// The log could not be read far enough to say.
    Unreadable,
}

impl Verdict {
    /// The exit code of the command.
    pub const fn exit_code(self) -> u8 {
        match self {
            Verdict::Sound => 0,
            Verdict::Unanchored => 1,
            Verdict::Broken => 6,
            Verdict::Unreadable => 10,
        }
    }
}

/// One thing that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, where one can be named.
    pub file: Option<String>,
    /// The first entry it touches, where that is known.
    pub index: Option<u64>,
    /// What does not hold.
    pub what: String,
}

/// Everything the verifier says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The verdict.
    pub verdict: Verdict,
    /// Entries in the log.
    pub size: u64,
    /// Root over them, when it could be computed.
    pub root: Option<Digest>,
    /// Signed checkpoints that were checked.
    pub checkpoints: u64,
    /// Anchors from outside that were compared.
    pub anchors: u64,
    /// Entries whose text was checked; 0 when only hashes were there.
    pub entries: u64,
    /// Entries at the beginning that were lawfully pruned: of them the hashes were checked.
    pub pruned: u64,
    /// What does not hold, first places first; at most [`PROBLEMS_MAX`].
    pub problems: Vec<Problem>,
    /// How many problems there are in all.
    pub problem_count: u64,
    /// Intents without an outcome: running work, or cut off by a crash.
    pub open_intents: Vec<u64>,
    /// What the log says came in and was destroyed; present when entries were checked.
    pub conservation: Option<Conservation>,
    /// Every destruction that the entries tell of.
    pub disposals: Vec<Disposal>,
}

#[derive(Serialize)]
struct WireReport<'r> {
    verdict: Verdict,
    exit_code: u8,
    size: u64,
    root: Option<String>,
    checkpoints: u64,
    anchors: u64,
    entries: u64,
    pruned: u64,
    first_bad_index: Option<u64>,
    problem_count: u64,
    problems: &'r [Problem],
    open_intents: &'r [u64],
    imported: Option<u64>,
    disposed: Option<u64>,
    live: Option<u64>,
    destructions: usize,
}

impl Report {
    /// The first entry that a problem touches.
    pub fn first_bad_index(&self) -> Option<u64> {
        self.problems
            .iter()
            .filter_map(|problem| problem.index)
            .min()
    }

    /// The report as one JSON document.
    pub fn to_json(&self) -> String {
        let wire = WireReport {
            verdict: self.verdict,
            exit_code: self.verdict.exit_code(),
            size: self.size,
            root: self.root.map(|root| hex(&root)),
            checkpoints: self.checkpoints,
            anchors: self.anchors,
            entries: self.entries,
            pruned: self.pruned,
            first_bad_index: self.first_bad_index(),
            problem_count: self.problem_count,
            problems: &self.problems,
            open_intents: &self.open_intents,
            imported: self.conservation.map(|counts| counts.imported),
            disposed: self.conservation.map(|counts| counts.disposed),
            live: self.conservation.map(|counts| counts.live()),
            destructions: self.disposals.len(),
        };
        // Numbers, texts and lists always serialise; an empty document would be the only fallback.
        serde_json::to_string_pretty(&wire).unwrap_or_default()
    }
}
