//! What the caller says about a message that its record does not carry.

use super::record::Record;
use super::resolved::FactTest;

/// The workspace's answers: tags, holds, reviews, promises, clients, and facts of the source that
/// are not part of [`Record`]. The caller implements it over the store.
pub trait Facts {
    /// Whether the message passes the test. A caller without the value answers `false`.
    fn holds(&self, record: &Record<'_>, test: &FactTest) -> bool;
}

/// A caller without workspace: every field has no value.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFacts;

impl Facts for NoFacts {
    fn holds(&self, _record: &Record<'_>, _test: &FactTest) -> bool {
        false
    }
}
