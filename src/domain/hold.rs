//! Legal holds: what must not go, for which matter, since when, and who released it.

use super::{AccountNo, ConversationNo, HoldNo, MatterNo, PersonNo, Timestamp, UserNo};

/// Days a released hold still protects, unless it says otherwise.
pub const GRACE_DAYS: u16 = 30;
/// Fewest days a released hold still protects.
pub const GRACE_DAYS_MIN: u16 = 14;

/// What a hold protects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldScope {
    /// The messages of its list, in every version they ever get.
    Ids,
    /// What its query matches, also what comes later. The query is sealed text.
    Query,
    /// Every conversation the person writes in or is present in.
    Custodian(PersonNo),
    /// One conversation.
    Conversation(ConversationNo),
    /// Every conversation of an account of the company: all tenures of the seat.
    Account(AccountNo),
}

impl HoldScope {
    /// The number of the shape, as stored.
    pub const fn number(self) -> u8 {
        match self {
            HoldScope::Ids => 0,
            HoldScope::Query => 1,
            HoldScope::Custodian(_) => 2,
            HoldScope::Conversation(_) => 3,
            HoldScope::Account(_) => 4,
        }
    }

    /// The number of what it names, where it names something.
    pub const fn object(self) -> Option<u32> {
        match self {
            HoldScope::Ids | HoldScope::Query => None,
            HoldScope::Custodian(PersonNo(no))
            | HoldScope::Conversation(ConversationNo(no))
            | HoldScope::Account(AccountNo(no)) => Some(no),
        }
    }

    /// The scope of stored numbers; `None` for those of a newer program.
    pub fn from_numbers(number: u8, object: Option<u32>) -> Option<HoldScope> {
        match (number, object) {
            (0, _) => Some(HoldScope::Ids),
            (1, _) => Some(HoldScope::Query),
            (2, Some(no)) => Some(HoldScope::Custodian(PersonNo(no))),
            (3, Some(no)) => Some(HoldScope::Conversation(ConversationNo(no))),
            (4, Some(no)) => Some(HoldScope::Account(AccountNo(no))),
            _ => None,
        }
    }

    /// The name of the shape in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            HoldScope::Ids => "ids",
            HoldScope::Query => "query",
            HoldScope::Custodian(_) => "custodian",
            HoldScope::Conversation(_) => "conversation",
            HoldScope::Account(_) => "account",
        }
    }
}

/// The release of a hold: by two people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Release {
    /// When the second agreed (compliance time): the grace begins here.
    pub at: Timestamp,
    /// Who asked for it.
    pub requested_by: UserNo,
    /// Who agreed, somebody else.
    pub approved_by: UserNo,
}

/// One hold, without its words (name, query, reason). Rows of holds are never deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its number.
    pub no: HoldNo,
    /// The matter it belongs to.
    pub matter: MatterNo,
    /// What it protects.
    pub scope: HoldScope,
    /// Compliance time from which it protects; the time of placing.
    pub from: Timestamp,
    /// Who placed it.
    pub placed_by: UserNo,
    /// Its release, if it was released.
    pub release: Option<Release>,
    /// Days it still protects after its release, at least [`GRACE_DAYS_MIN`].
    pub grace_days: u16,
    /// So many messages before and after a message it protects are protected too.
    pub keep_context: u16,
}

impl Hold {
    /// First instant at which it no longer protects; `NEVER` while it is not released.
    pub fn ends(&self) -> Timestamp {
        self.release.map_or(Timestamp::NEVER, |release| {
            let days = self.grace_days.max(GRACE_DAYS_MIN);
            release.at.plus_days(i64::from(days))
        })
    }

    /// Whether it protects at an instant.
    pub fn protects_at(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.ends()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_released_hold_protects_through_its_grace_and_never_less_than_the_least() {
        let day = |day: i64| Timestamp(0).plus_days(day);
        let mut hold = Hold {
            no: HoldNo(1),
            matter: MatterNo(1),
            scope: HoldScope::Query,
            from: day(0),
            placed_by: UserNo(1),
            release: None,
            grace_days: GRACE_DAYS,
            keep_context: 0,
        };
        assert!(!hold.protects_at(day(-1)));
        assert!(hold.protects_at(day(0)) && hold.protects_at(day(100_000)));
        hold.release = Some(Release {
            at: day(10),
            requested_by: UserNo(1),
            approved_by: UserNo(2),
        });
        assert!(hold.protects_at(day(39)) && !hold.protects_at(day(40)));
        hold.grace_days = 1;
        assert!(hold.protects_at(day(23)) && !hold.protects_at(day(24)));
    }
}
