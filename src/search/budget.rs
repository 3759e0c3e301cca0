//! How long a search may take. There is no clock here: the caller says how much time has gone.

use std::time::Duration;

/// The time a search may take by default.
pub const BUDGET_DEFAULT: Duration = Duration::from_secs(5);

/// A budget of time.
#[derive(Clone, Copy)]
pub struct Budget<'a> {
    /// The time allowed.
    pub allowed: Duration,
    /// Tells how much of it has gone.
    pub spent: &'a (dyn Fn() -> Duration + Sync),
}

impl Budget<'_> {
    /// A budget that never ends, for reports and checks that run in the background.
    pub const fn endless() -> Budget<'static> {
        Budget {
            allowed: Duration::MAX,
            spent: &|| Duration::ZERO,
        }
    }

    /// Whether the time is over.
    pub fn is_over(&self) -> bool {
        (self.spent)() > self.allowed
    }
}
