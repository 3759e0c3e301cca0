//! A person's request that their data be erased, and what becomes of each message it is about.

use super::HoldNo;

/// Why something may not be erased although a person asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Art. 17(3)(b): a legal obligation to keep it.
    LegalObligation,
    /// Art. 17(3)(e): legal claims; the hold, where one says so.
    LegalClaims(Option<HoldNo>),
}

impl Ground {
    /// The article, as letters quote it.
    pub const fn article(self) -> &'static str {
        match self {
            Ground::LegalObligation => "17(3)(b)",
            Ground::LegalClaims(_) => "17(3)(e)",
        }
    }

    /// The number of the ground, as stored.
    pub const fn number(self) -> u8 {
        match self {
            Ground::LegalObligation => 1,
            Ground::LegalClaims(_) => 2,
        }
    }

    /// The hold it names.
    pub const fn hold(self) -> Option<HoldNo> {
        match self {
            Ground::LegalObligation => None,
            Ground::LegalClaims(hold) => hold,
        }
    }

    /// The ground of stored numbers; `None` where there is none.
    pub const fn from_numbers(number: u8, hold: Option<HoldNo>) -> Option<Ground> {
        match number {
            1 => Some(Ground::LegalObligation),
            2 => Some(Ground::LegalClaims(hold)),
            _ => None,
        }
    }
}

/// What became of one message of a request. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RequestOutcome {
    /// Nothing stands in the way: it goes with the next list of disposition, and is hidden until.
    Due = 0,
    /// It is gone.
    Erased = 1,
    /// It stays for now, hidden from ordinary search (art. 18), and comes up again by itself.
    Restricted = 2,
    /// It stays as it was; a person decided so.
    Refused = 3,
}

impl RequestOutcome {
    /// The outcome of a stored number; those of a newer program hide and destroy nothing.
    pub const fn from_number(number: u8) -> RequestOutcome {
        match number {
            0 => RequestOutcome::Due,
            1 => RequestOutcome::Erased,
            2 => RequestOutcome::Restricted,
            _ => RequestOutcome::Refused,
        }
    }

    /// The name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            RequestOutcome::Due => "due",
            RequestOutcome::Erased => "erased",
            RequestOutcome::Restricted => "restricted",
            RequestOutcome::Refused => "refused",
        }
    }

    /// Whether the message is hidden from ordinary search while it stands so.
    pub const fn hides(self) -> bool {
        matches!(self, RequestOutcome::Due | RequestOutcome::Restricted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_back() {
        for ground in [
            Ground::LegalObligation,
            Ground::LegalClaims(None),
            Ground::LegalClaims(Some(HoldNo(7))),
        ] {
            let read = Ground::from_numbers(ground.number(), ground.hold());
            assert_eq!(read, Some(ground));
        }
        assert_eq!(Ground::from_numbers(0, None), None);
        for number in 0..4 {
            assert_eq!(RequestOutcome::from_number(number) as u8, number);
        }
        assert!(!RequestOutcome::from_number(9).hides());
    }
}
