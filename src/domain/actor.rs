//! Who acts, in which role, and what they may see.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{AccountNo, ApiScopes, ConversationNo, MessageNo, UserId, UserNo};

/// The job titles of the house. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Role {
    /// Installs and runs the appliance; reads no message.
    Administrator = 0,
    /// Searches, holds, produces.
    Lawyer = 1,
    /// Sets policies, simulates, approves.
    RecordsOfficer = 2,
    /// Reads the conversations of the own clients.
    Manager = 3,
    /// Reads the log only.
    Auditor = 4,
}

/// One act of the house that a role may or may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// Read and search message content within the scope.
    ReadContent,
    /// Give messages out of the house.
    Export,
    /// Bring exports in.
    Import,
    /// Read the audit log.
    ReadAudit,
    /// Add, change and remove users.
    ManageUsers,
    /// Rotate keys, add and remove slots.
    ManageKeys,
    /// Rebuild and verify derived data.
    MaintainIndex,
    /// Run the verifier over everything.
    Verify,
    /// Confirm that a restored data directory is the one to go on with.
    ConfirmRestore,
    /// Open and close matters, place holds.
    PlaceHolds,
    /// Ask for the release of a hold, or agree to it.
    ReleaseHolds,
    /// See holds, policies and the verdict on a record.
    ReadRules,
    /// Write policies and simulate them.
    WriteRules,
    /// Put labels on records and record events.
    MarkRecords,
    /// Stop all destruction, or agree to let it go on.
    Freeze,
    /// Put together what is due and ask for its destruction.
    RequestDisposition,
    /// Review what is due: approve, exclude, extend.
    ReviewDisposition,
    /// Record a person's request for erasure and decide on its items.
    HandleRequests,
    /// Look at messages that such a request restricted.
    ReadRestricted,
    /// Say, with evidence, that time has passed while the computer was off.
    AdvanceClock,
    /// Bring users from a directory, change and end those it brought.
    SyncDirectory,
}

impl Right {
    /// Every right, in the order of this list.
    pub const ALL: [Right; 21] = [
        Right::ReadContent,
        Right::Export,
        Right::Import,
        Right::ReadAudit,
        Right::ManageUsers,
        Right::ManageKeys,
        Right::MaintainIndex,
        Right::Verify,
        Right::ConfirmRestore,
        Right::PlaceHolds,
        Right::ReleaseHolds,
        Right::ReadRules,
        Right::WriteRules,
        Right::MarkRecords,
        Right::Freeze,
        Right::RequestDisposition,
        Right::ReviewDisposition,
        Right::HandleRequests,
        Right::ReadRestricted,
        Right::AdvanceClock,
        Right::SyncDirectory,
    ];
}

impl Right {
    /// The name in refusals: lower case with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Right::ReadContent => "read-content",
            Right::Export => "export",
            Right::Import => "import",
            Right::ReadAudit => "read-audit",
            Right::ManageUsers => "manage-users",
            Right::ManageKeys => "manage-keys",
            Right::MaintainIndex => "maintain-index",
            Right::Verify => "verify",
            Right::ConfirmRestore => "confirm-restore",
            Right::PlaceHolds => "place-holds",
            Right::ReleaseHolds => "release-holds",
            Right::ReadRules => "read-rules",
            Right::WriteRules => "write-rules",
            Right::MarkRecords => "mark-records",
            Right::Freeze => "freeze",
            Right::RequestDisposition => "request-disposition",
            Right::ReviewDisposition => "review-disposition",
            Right::HandleRequests => "handle-requests",
            Right::ReadRestricted => "read-restricted",
            Right::AdvanceClock => "advance-clock",
            Right::SyncDirectory => "sync-directory",
        }
    }
}

impl Role {
    /// Every role, in the order of its number.
    pub const ALL: [Role; 5] = [
        Role::Administrator,
        Role::Lawyer,
        Role::RecordsOfficer,
        Role::Manager,
        Role::Auditor,
    ];

    /// The name in commands and reports: lower case with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Role::Administrator => "administrator",
            Role::Lawyer => "lawyer",
            Role::RecordsOfficer => "records-officer",
            Role::Manager => "manager",
            Role::Auditor => "auditor",
        }
    }

    /// The role of a name, case-blind; `None` when there is none such.
    pub fn from_name(name: &str) -> Option<Role> {
        Role::ALL
            .into_iter()
            .find(|role| role.name().eq_ignore_ascii_case(name))
    }

    /// The role of a stored number; `None` for numbers of a newer program.
    pub fn from_number(number: u8) -> Option<Role> {
        Role::ALL.get(usize::from(number)).copied()
    }

    /// Whether the role carries the right: the matrix "who can do what".
    pub const fn may(self, right: Right) -> bool {
        match right {
            Right::ReadContent => {
                matches!(self, Role::Lawyer | Role::RecordsOfficer | Role::Manager)
            }
            Right::Export => matches!(self, Role::Lawyer | Role::RecordsOfficer),
            Right::Import => {
                matches!(
                    self,
                    Role::Administrator | Role::Lawyer | Role::RecordsOfficer
                )
            }
            Right::ReadAudit => matches!(self, Role::Auditor | Role::RecordsOfficer),
            Right::ManageUsers | Right::ManageKeys | Right::SyncDirectory => {
                matches!(self, Role::Administrator)
            }
            Right::ConfirmRestore => matches!(self, Role::RecordsOfficer),
            Right::MaintainIndex => matches!(self, Role::Administrator | Role::RecordsOfficer),
            Right::PlaceHolds => matches!(self, Role::Lawyer),
            Right::WriteRules | Right::RequestDisposition => matches!(self, Role::RecordsOfficer),
            Right::ReleaseHolds
            | Right::MarkRecords
            | Right::Freeze
            | Right::ReviewDisposition
            | Right::HandleRequests
            | Right::ReadRestricted
            | Right::AdvanceClock => {
                matches!(self, Role::Lawyer | Role::RecordsOfficer)
            }
            Right::ReadRules => {
                matches!(self, Role::Lawyer | Role::RecordsOfficer | Role::Auditor)
            }
            Right::Verify => {
                matches!(
                    self,
                    Role::Administrator | Role::RecordsOfficer | Role::Auditor
                )
            }
        }
    }
}

/// Somebody who was recognised: every use-case takes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The public id, as the audit log names the person.
    pub id: UserId,
    /// The row of the user.
    pub no: UserNo,
    /// The role in which they act.
    pub role: Role,
    /// What the token of a program leaves of the role; `None` for a person.
    pub scopes: Option<ApiScopes>,
}

impl Actor {
    /// Whether the role carries the right, and the token too, where a program acts.
    pub fn may(&self, right: Right) -> bool {
        self.role.may(right) && self.scopes.is_none_or(|scopes| scopes.carry(right))
    }
}

/// Which records an actor may see. Compiled into the index query and checked again on the row.
///
/// A record is inside when its conversation is not denied and either everything is allowed, or
/// its conversation or its account is named, and it is not withheld itself. The default allows
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scope {
    /// Allow everything that is not denied.
    pub everything: bool,
    /// Conversations allowed by name.
    pub conversations: BTreeSet<ConversationNo>,
    /// Accounts all of whose conversations are allowed.
    pub accounts: BTreeSet<AccountNo>,
    /// Conversations behind a wall; deny wins.
    pub denied: BTreeSet<ConversationNo>,
    /// Messages hidden from ordinary search because a person asked for their erasure.
    pub withheld: Arc<BTreeSet<MessageNo>>,
}

impl Scope {
    /// The scope that sees every record.
    pub fn everything() -> Scope {
        Scope {
            everything: true,
            ..Scope::default()
        }
    }

    /// The scope that sees none.
    pub fn nothing() -> Scope {
        Scope::default()
    }

    /// Whether no conversation is outside: whoever sees so learns nothing from a figure over the whole.
    pub fn sees_all(&self) -> bool {
        self.everything && self.denied.is_empty()
    }

    /// Whether a record of this conversation and account is inside.
    pub fn allows(&self, conversation: ConversationNo, account: Option<AccountNo>) -> bool {
        !self.denied.contains(&conversation)
            && (self.everything
                || self.conversations.contains(&conversation)
                || account.is_some_and(|account| self.accounts.contains(&account)))
    }

    /// Whether a record of a conversation that is allowed is shown: it is not withheld.
    pub fn shows(&self, message: MessageNo) -> bool {
        !self.withheld.contains(&message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_administrator_reads_no_message() {
        assert!(!Role::Administrator.may(Right::ReadContent));
        assert!(!Role::Auditor.may(Right::ReadContent));
    }

    #[test]
    fn who_gives_messages_out_may_read_them() {
        for role in Role::ALL {
            assert!(!role.may(Right::Export) || role.may(Right::ReadContent));
        }
        assert!(Role::Lawyer.may(Right::Export) && !Role::Manager.may(Right::Export));
    }

    #[test]
    fn the_list_of_rights_is_whole() {
        for (place, right) in Right::ALL.into_iter().enumerate() {
            assert_eq!(right as usize, place);
        }
        assert_eq!(Right::ALL.len(), Right::SyncDirectory as usize + 1);
    }

    #[test]
    fn deny_wins() {
        let mut scope = Scope::everything();
        scope.denied.insert(ConversationNo(7));
        assert!(!scope.allows(ConversationNo(7), None));
        assert!(scope.allows(ConversationNo(8), None));
    }
}
