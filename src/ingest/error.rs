//! Why an import could not run. What a person can mend by an answer is not an error: it leaves
//! as [`super::Outcome::Ask`] or [`super::Outcome::Refused`].

use super::budget::Exceeded;
use super::message::Stop;

/// Errors of this room, named by what the caller can do.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The medium failed; repeat the import when it reads again.
    #[error("the source could not be read: {0}; try again when it is readable")]
    Source(std::io::Error),
    /// The sink asked to stop; it knows why.
    #[error("the import was stopped by its receiver")]
    Stopped,
    /// There is no entry of this ordinal, or it was refused when the container was opened.
    #[error("entry {0} of the container is not readable; see the notes of the container")]
    Entry(u32),
    /// A limit of the container budget was reached; nothing more is read from it.
    #[error("{0}")]
    Budget(String),
}

impl IngestError {
    /// Whether it is the fault of one entry of an archive, such as a wrong checksum: the rest can be read.
    pub fn is_of_entry(&self) -> bool {
        matches!(self, Self::Source(_) | Self::Entry(_) | Self::Budget(_))
    }
}

impl From<std::io::Error> for IngestError {
    fn from(error: std::io::Error) -> Self {
        let exceeded = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Exceeded>())
            .map(ToString::to_string);
        exceeded.map_or(IngestError::Source(error), IngestError::Budget)
    }
}

impl From<Stop> for IngestError {
    fn from(_: Stop) -> Self {
        IngestError::Stopped
    }
}

/// The result of an operation of this room.
pub type Result<T> = std::result::Result<T, IngestError>;
