//! Retention policies: what is kept how long, from when on, and who may change that.

use chrono_tz::Tz;

use super::{EventKey, LabelNo, Period, PolicyNo, Timestamp, UserNo};

/// Most stages of review before a destruction.
pub const STAGES_MAX: u8 = 5;

/// What a policy does with the records it applies to. The number is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum PolicyAction {
    /// Keep for the period; afterwards nothing.
    Retain = 0,
    /// May go after the period, unless something keeps it.
    Delete = 1,
    /// Keep for the period, then it may go.
    RetainThenDelete = 2,
}

impl PolicyAction {
    /// Every action, in the order of its number.
    pub const ALL: [PolicyAction; 3] = [
        PolicyAction::Retain,
        PolicyAction::Delete,
        PolicyAction::RetainThenDelete,
    ];

    /// Whether it keeps.
    pub const fn retains(self) -> bool {
        matches!(self, PolicyAction::Retain | PolicyAction::RetainThenDelete)
    }

    /// Whether it lets go.
    pub const fn deletes(self) -> bool {
        matches!(self, PolicyAction::Delete | PolicyAction::RetainThenDelete)
    }

    /// The name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            PolicyAction::Retain => "retain",
            PolicyAction::Delete => "delete",
            PolicyAction::RetainThenDelete => "retain_then_delete",
        }
    }

    /// The action of a name, case-blind; `-` stands for `_`.
    pub fn from_name(name: &str) -> Option<PolicyAction> {
        let name = name.replace('-', "_");
        PolicyAction::ALL
            .into_iter()
            .find(|action| action.name().eq_ignore_ascii_case(&name))
    }

    /// The action of a stored number.
    pub fn from_number(number: u8) -> Option<PolicyAction> {
        PolicyAction::ALL.get(usize::from(number)).copied()
    }
}

/// What starts the period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// The claimed time of the first version.
    Sent,
    /// The time it was taken in.
    Ingested,
    /// The last message of its conversation.
    LastActivity,
    /// The time its label was applied.
    LabelApplied,
    /// An event of this type and key; as long as it is unknown, the period does not begin.
    Event(EventKey),
}

impl Trigger {
    /// The name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Trigger::Sent => "sent",
            Trigger::Ingested => "ingested",
            Trigger::LastActivity => "last_activity",
            Trigger::LabelApplied => "label_applied",
            Trigger::Event(_) => "event",
        }
    }
}

/// How near to the record a policy stands. Among policies that let go, the nearest decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The default of the organisation.
    Organisation,
    /// A part of the archive, by its scope.
    Scoped,
    /// The records that carry this label (and match the scope).
    Label(LabelNo),
}

impl Level {
    /// 1 organisation, 2 scoped, 3 label: the larger wins. The number is stored.
    pub const fn rank(self) -> u8 {
        match self {
            Level::Organisation => 1,
            Level::Scoped => 2,
            Level::Label(_) => 3,
        }
    }

    /// The name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Organisation => "organisation",
            Level::Scoped => "scoped",
            Level::Label(_) => "label",
        }
    }

    /// The label, where there is one.
    pub const fn label(self) -> Option<LabelNo> {
        match self {
            Level::Label(label) => Some(label),
            _ => None,
        }
    }
}

/// How hard a policy is to weaken, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lock {
    /// Two people and seven days, as every weakening.
    None,
    /// Two people with a reason, noted on the certificate.
    Governance(Timestamp),
    /// Nobody. What it kept once, it keeps.
    Compliance(Timestamp),
}

impl Lock {
    /// The name in commands and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Lock::None => "none",
            Lock::Governance(_) => "governance",
            Lock::Compliance(_) => "compliance",
        }
    }

    /// When it opens; `ALWAYS` without a lock.
    pub const fn until(self) -> Timestamp {
        match self {
            Lock::None => Timestamp::ALWAYS,
            Lock::Governance(until) | Lock::Compliance(until) => until,
        }
    }

    /// 0 none, 1 governance, 2 compliance: the larger is harder. The number is stored.
    pub const fn rank(self) -> u8 {
        match self {
            Lock::None => 0,
            Lock::Governance(_) => 1,
            Lock::Compliance(_) => 2,
        }
    }

    /// Whether it is shut at an instant.
    pub fn is_shut(self, at: Timestamp) -> bool {
        self != Lock::None && at < self.until()
    }
}

/// Whether people look at what is due before it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// So many distinct approvers, 1..=`STAGES_MAX`.
    Reviewed(u8),
    /// Nobody; only policies that say so.
    Auto,
}

/// Whether a version counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PolicyState {
    /// Written down, never in force; it replaces nothing.
    Draft = 0,
    /// In force from its time on.
    Enabled = 1,
    /// Ends the policy from its time on.
    Disabled = 2,
}

impl PolicyState {
    /// The state of a stored number.
    pub const fn from_number(number: u8) -> Option<PolicyState> {
        match number {
            0 => Some(PolicyState::Draft),
            1 => Some(PolicyState::Enabled),
            2 => Some(PolicyState::Disabled),
            _ => None,
        }
    }

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            PolicyState::Draft => "draft",
            PolicyState::Enabled => "enabled",
            PolicyState::Disabled => "disabled",
        }
    }
}

/// A version of a policy by its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyRef {
    /// The policy.
    pub no: PolicyNo,
    /// Its version, from 1.
    pub version: u32,
}

/// One version of a policy, without its words (name, scope, citation, reason). Never edited: a
/// change is the next version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyVersion {
    /// Policy and version.
    pub id: PolicyRef,
    /// Whether it counts.
    pub state: PolicyState,
    /// What it does.
    pub action: PolicyAction,
    /// How long.
    pub period: Period,
    /// In whose calendar.
    pub zone: Tz,
    /// From when on.
    pub trigger: Trigger,
    /// How near.
    pub level: Level,
    /// How hard to weaken.
    pub lock: Lock,
    /// Who looks at what is due.
    pub disposition: Disposition,
    /// Compliance time from which it replaces the versions before it.
    pub valid_from: Timestamp,
    /// When it was written.
    pub created: Timestamp,
    /// Who wrote it.
    pub author: UserNo,
}

/// How far a source is trusted with its own times. The number is stored, the larger is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum SourceTrust {
    /// A file that a person exported and handed in.
    PersonFile = 0,
    /// An export made by the server of the platform.
    ServerExport = 1,
    /// A live feed with signed events.
    Live = 2,
}
