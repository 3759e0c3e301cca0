//! What every reader of a foreign format can do.

use super::answers::{Answers, Outcome};
use super::container::{Container, Entry};
use super::detect::Found;
use super::error::Result;
use super::message::Sink;

/// How sure a format is that an entry is its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// Not this format.
    No,
    /// It could be.
    Maybe,
    /// It is; the number tells how much of it was recognised in the head.
    Yes(u32),
}

/// A foreign format. One file per format stands behind this.
pub trait Format: Sync {
    /// The name in reports: lower case, no blanks.
    fn name(&self) -> &'static str;

    /// Whether an entry that begins with `head` is of this format. Looks at content; the name may
    /// break ties.
    fn claim(&self, entry: &Entry, head: &[u8]) -> Claim;

    /// The chats of this format that are made of several entries, such as a list of channels and a file
    /// for each day. Asked before single entries are looked at; what it gives is not asked about again.
    ///
    /// # Errors
    /// What the medium reports. An entry that cannot be read belongs to nothing.
    fn gather(&self, container: &mut Container<'_>) -> Result<Vec<Found>> {
        let _ = container;
        Ok(Vec::new())
    }

    /// Whether it reads what anybody may have written, by a mapping: a platform's own format goes first.
    fn is_generic(&self) -> bool {
        false
    }

    /// Whether its messages may refer to each other by their ids (answers, edits, threads).
    fn refers(&self, answers: &Answers) -> bool {
        let _ = answers;
        true
    }

    /// Whether its chats say by themselves which conversation they are, so that another export of
    /// the same one is found by its key. Else it is found by what was said in it.
    fn has_keys(&self) -> bool {
        true
    }

    /// Reads the entry `main`, and what was gathered with it: hands every message to the sink, or asks, or refuses.
    ///
    /// # Errors
    /// [`super::IngestError`] when the medium fails, the sink stops or a limit is reached.
    fn import(
        &self,
        container: &mut Container<'_>,
        main: u32,
        answers: &Answers,
        sink: &mut dyn Sink,
    ) -> Result<Outcome>;
}
