//! Named points of the archive's protocols, so that a test can stop the process between two steps.

/// Hears of every named point that is reached; the product listens to none of them.
pub trait Milestones: Send + Sync {
    /// The archive stands between two steps of a protocol; the name is `protocol.step`.
    fn reached(&self, name: &'static str);
}

/// Nobody listens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Milestones for Unwatched {
    fn reached(&self, _name: &'static str) {}
}
