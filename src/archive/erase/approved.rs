//! Approval as a type: a value of `Approved` exists only when enough other people said yes in time.

use std::collections::BTreeSet;

use super::plan::{Plan, PlanError};
use crate::domain::{Now, Timestamp, UserNo};

/// Most people a rule may ask for.
pub const APPROVALS_MAX: u8 = 5;

/// One person's yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Who.
    pub by: UserNo,
    /// When, in compliance time.
    pub at: Timestamp,
}

/// What makes a plan approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalRule {
    /// How many different people must have approved, at most [`APPROVALS_MAX`]. 0 only where every
    /// policy behind the plan opted in to automatic disposition.
    pub needed: u8,
    /// Who asked for the disposition: never counts.
    pub requester: UserNo,
    /// People who may not approve this plan: authors of its policies on locked classes.
    pub barred: Vec<UserNo>,
    /// When eligibility was computed, in compliance time: earlier approvals do not count.
    pub computed: Timestamp,
    /// How long after the last approval the plan can be recalled, in microseconds of compliance
    /// time.
    pub recall_micros: i64,
}

/// Why a plan is not approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// The list itself is not well-formed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The rule asks for more people than there can be, or has a window that ends before it begins.
    #[error("the rule of approval is not sound: 0 to {APPROVALS_MAX} people, a window from 0 on")]
    Rule,
    /// Somebody approved who may not.
    #[error("user {0} asked for the disposition or wrote its policy, and may not approve it")]
    Barred(UserNo),
    /// An approval is older than what it approves.
    #[error("the approval of user {0} is older than the plan: approve it again")]
    Early(UserNo),
    /// An approval lies ahead of compliance time.
    #[error("the approval of user {0} lies in the future: check the clock")]
    Ahead(UserNo),
    /// Too few different people.
    #[error("{given} of {needed} needed approvals by different people")]
    Few {
        /// Different people who approved.
        given: u8,
        /// How many are needed.
        needed: u8,
    },
    /// The recall window is still open.
    #[error("the recall window is open until {} (compliance time, microseconds)", .0.0)]
    Recall(Timestamp),
}

/// Something that was approved. The only way to make one is [`Approved::new`], which only the room
/// `retention` may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved<P> {
    approved: P,
    approvers: Vec<UserNo>,
    since: Timestamp,
}

impl Approved<Plan> {
    /// Checks the approvals of a plan against its rule: enough different people, none of them the
    /// requester or barred, none before eligibility was computed, the recall window over. A clock
    /// that stands still gives list and approval one instant: their order is that of the log.
    ///
    /// An approval that may not count is an error and not just left out: it shows that somebody
    /// did what they must not, or that the caller mixed up plans.
    ///
    /// # Errors
    /// The first rule that is not met.
    pub fn new(
        plan: Plan,
        approvals: &[Approval],
        rule: &ApprovalRule,
        now: Now,
    ) -> Result<Self, NotApproved> {
        plan.check()?;
        if rule.needed > APPROVALS_MAX || rule.recall_micros < 0 {
            return Err(NotApproved::Rule);
        }
        let mut approvers = BTreeSet::new();
        // Without approvals the window runs from the moment eligibility was computed.
        let mut since = rule.computed;
        for approval in approvals {
            let by = approval.by;
            if by == rule.requester || rule.barred.contains(&by) {
                return Err(NotApproved::Barred(by));
            }
            if approval.at < rule.computed {
                return Err(NotApproved::Early(by));
            }
            if approval.at > now.compliance {
                return Err(NotApproved::Ahead(by));
            }
            approvers.insert(by);
            since = since.max(approval.at);
        }
        let given = u8::try_from(approvers.len()).unwrap_or(u8::MAX);
        if given < rule.needed {
            let needed = rule.needed;
            return Err(NotApproved::Few { given, needed });
        }
        let over = Timestamp(since.0.saturating_add(rule.recall_micros));
        if now.compliance < over {
            return Err(NotApproved::Recall(over));
        }
        Ok(Self {
            approved: plan,
            approvers: approvers.into_iter().collect(),
            since,
        })
    }
}

impl<P> Approved<P> {
    /// What was approved.
    pub fn get(&self) -> &P {
        &self.approved
    }

    /// Who approved, each once.
    pub fn approvers(&self) -> &[UserNo] {
        &self.approvers
    }

    /// When the last of them did, in compliance time.
    pub fn since(&self) -> Timestamp {
        self.since
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::PlanItem;
    use super::*;
    use crate::domain::MessageNo;

    const ASKED: UserNo = UserNo(1);

    fn plan() -> Plan {
        let no = MessageNo(4);
        Plan {
            batch: 1,
            hold_epoch: 0,
            items: vec![PlanItem { no, revision: 0 }],
        }
    }

    fn rule(needed: u8) -> ApprovalRule {
        ApprovalRule {
            needed,
            requester: ASKED,
            barred: vec![UserNo(9)],
            computed: Timestamp(100),
            recall_micros: 50,
        }
    }

    fn tried(
        approvals: &[(u32, i64)],
        rule: &ApprovalRule,
        now: i64,
    ) -> Result<Approved<Plan>, NotApproved> {
        let approvals: Vec<Approval> = approvals
            .iter()
            .map(|(by, at)| Approval {
                by: UserNo(*by),
                at: Timestamp(*at),
            })
            .collect();
        let now = Now {
            compliance: Timestamp(now),
            wall: Timestamp(now),
        };
        Approved::new(plan(), &approvals, rule, now)
    }

    #[test]
    fn d3_two_different_people_after_the_plan_and_the_window_over() {
        let approved = tried(&[(2, 110), (3, 120)], &rule(2), 170).unwrap();
        assert_eq!(approved.approvers(), [UserNo(2), UserNo(3)]);
        assert_eq!(approved.since(), Timestamp(120));
        assert_eq!(approved.get(), &plan());
    }

    #[test]
    fn d3_one_person_twice_is_one_person() {
        let few = NotApproved::Few {
            given: 1,
            needed: 2,
        };
        assert_eq!(tried(&[(2, 110), (2, 120)], &rule(2), 900), Err(few));
    }

    #[test]
    fn d3_requester_and_barred_never_count() {
        let barred = |by| Err(NotApproved::Barred(UserNo(by)));
        assert_eq!(tried(&[(1, 110), (2, 110)], &rule(1), 900), barred(1));
        assert_eq!(tried(&[(2, 110), (9, 110)], &rule(1), 900), barred(9));
    }

    #[test]
    fn d3_an_approval_at_the_instant_of_the_list_counts() {
        assert!(tried(&[(2, 100)], &rule(1), 150).is_ok());
    }

    #[test]
    fn d3_times_are_strict() {
        let early = Err(NotApproved::Early(UserNo(2)));
        assert_eq!(tried(&[(2, 99)], &rule(1), 900), early);
        let ahead = Err(NotApproved::Ahead(UserNo(2)));
        assert_eq!(tried(&[(2, 901)], &rule(1), 900), ahead);
        let open = Err(NotApproved::Recall(Timestamp(151)));
        assert_eq!(tried(&[(2, 101)], &rule(1), 150), open);
        assert!(tried(&[(2, 101)], &rule(1), 151).is_ok());
    }

    #[test]
    fn d3_nobody_is_needed_only_where_the_rule_says_so_and_the_window_still_runs() {
        let open = Err(NotApproved::Recall(Timestamp(150)));
        assert_eq!(tried(&[], &rule(0), 149), open);
        assert!(tried(&[], &rule(0), 150).is_ok());
        let none = NotApproved::Few {
            given: 0,
            needed: 1,
        };
        assert_eq!(tried(&[], &rule(1), 900), Err(none));
    }

    #[test]
    fn an_unsound_rule_or_plan_is_refused() {
        assert_eq!(tried(&[], &rule(6), 900), Err(NotApproved::Rule));
        let endless = ApprovalRule {
            recall_micros: i64::MAX,
            ..rule(0)
        };
        let over = NotApproved::Recall(Timestamp(i64::MAX));
        assert_eq!(tried(&[], &endless, 900), Err(over));
        let backwards = ApprovalRule {
            recall_micros: -1,
            ..rule(0)
        };
        assert_eq!(tried(&[], &backwards, 900), Err(NotApproved::Rule));
        let now = Now {
            compliance: Timestamp(900),
            wall: Timestamp(900),
        };
        let empty = Plan {
            items: Vec::new(),
            ..plan()
        };
        let refused = Approved::new(empty, &[], &rule(0), now);
        assert_eq!(refused, Err(NotApproved::Plan(PlanError::Empty)));
    }
}
