//! Purge freezes: why nothing is destroyed for now.

/// Why purging is frozen. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FreezeReason {
    /// Somebody in legal said stop.
    Legal = 0,
    /// Stored bytes contradict themselves.
    Integrity = 1,
    /// The data directory may be an older copy.
    RollbackSuspected = 2,
    /// The clock cannot be trusted.
    ClockDoubt = 3,
    /// Restored from a backup, and nobody confirmed it yet.
    Restored = 4,
    /// The search index lags behind the record.
    IndexLag = 5,
}

impl FreezeReason {
    /// Every reason, in the order of its number.
    pub const ALL: [FreezeReason; 6] = [
        FreezeReason::Legal,
        FreezeReason::Integrity,
        FreezeReason::RollbackSuspected,
        FreezeReason::ClockDoubt,
        FreezeReason::Restored,
        FreezeReason::IndexLag,
    ];

    /// The name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            FreezeReason::Legal => "legal",
            FreezeReason::Integrity => "integrity",
            FreezeReason::RollbackSuspected => "rollback_suspected",
            FreezeReason::ClockDoubt => "clock_doubt",
            FreezeReason::Restored => "restored",
            FreezeReason::IndexLag => "index_lag",
        }
    }

    /// The reason of a stored number.
    pub fn from_number(number: u8) -> Option<FreezeReason> {
        FreezeReason::ALL.get(usize::from(number)).copied()
    }
}
