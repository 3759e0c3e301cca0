//! What the token of a program may do: less than its owner, said by name.

use std::fmt;
use std::str::FromStr;

use super::{Right, Role};

/// One thing a token may do. The number is stored and never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ApiScope {
    /// Search, with snippets and counts.
    SearchRead = 0,
    /// Read conversations and attachments.
    ConversationRead = 1,
    /// Bring exports in.
    ImportWrite = 2,
    /// Give messages out of the house.
    ExportCreate = 3,
    /// See holds, policies and the verdict on a record.
    PolicyRead = 4,
    /// Write and simulate policies, put labels on records, record events.
    PolicyWrite = 5,
    /// Open matters, place holds, ask for their release or agree to it.
    HoldWrite = 6,
    /// Ask for destruction, review it, handle requests for erasure, freeze.
    DispositionWrite = 7,
    /// Add, change and end users.
    UserWrite = 8,
    /// Read the audit log.
    AuditRead = 9,
    /// Run the verifier, see how the house stands.
    SystemRead = 10,
    /// Bring users from a directory (SCIM), change and end those it brought.
    DirectorySync = 11,
}

/// A text that names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no scope; there are: {all}", all = all_names())]
pub struct ApiScopeError(pub String);

fn all_names() -> String {
    ApiScope::ALL.map(ApiScope::name).join(", ")
}

impl ApiScope {
    /// Every scope, in the order of its number.
    pub const ALL: [ApiScope; 12] = [
        ApiScope::SearchRead,
        ApiScope::ConversationRead,
        ApiScope::ImportWrite,
        ApiScope::ExportCreate,
        ApiScope::PolicyRead,
        ApiScope::PolicyWrite,
        ApiScope::HoldWrite,
        ApiScope::DispositionWrite,
        ApiScope::UserWrite,
        ApiScope::AuditRead,
        ApiScope::SystemRead,
        ApiScope::DirectorySync,
    ];

    /// The name in requests and commands.
    pub const fn name(self) -> &'static str {
        match self {
            ApiScope::SearchRead => "search:read",
            ApiScope::ConversationRead => "conversation:read",
            ApiScope::ImportWrite => "import:write",
            ApiScope::ExportCreate => "export:create",
            ApiScope::PolicyRead => "policy:read",
            ApiScope::PolicyWrite => "policy:write",
            ApiScope::HoldWrite => "hold:write",
            ApiScope::DispositionWrite => "disposition:write",
            ApiScope::UserWrite => "user:write",
            ApiScope::AuditRead => "audit:read",
            ApiScope::SystemRead => "system:read",
            ApiScope::DirectorySync => "directory:sync",
        }
    }

    /// The rights it carries, where the owner has them. Keys, the clock, restored copies, the index
    /// and what a request for erasure restricted are for people: no scope carries them.
    pub const fn rights(self) -> &'static [Right] {
        match self {
            ApiScope::SearchRead | ApiScope::ConversationRead => &[Right::ReadContent],
            ApiScope::ImportWrite => &[Right::Import],
            ApiScope::ExportCreate => &[Right::Export],
            ApiScope::PolicyRead => &[Right::ReadRules],
            ApiScope::PolicyWrite => &[Right::WriteRules, Right::MarkRecords],
            ApiScope::HoldWrite => &[Right::PlaceHolds, Right::ReleaseHolds],
            ApiScope::DispositionWrite => &[
                Right::RequestDisposition,
                Right::ReviewDisposition,
                Right::HandleRequests,
                Right::Freeze,
            ],
            ApiScope::UserWrite => &[Right::ManageUsers],
            ApiScope::AuditRead => &[Right::ReadAudit],
            ApiScope::SystemRead => &[Right::Verify],
            ApiScope::DirectorySync => &[Right::SyncDirectory],
        }
    }

    /// Whether somebody of this role has anything to give to it.
    pub fn fits(self, role: Role) -> bool {
        self.rights().iter().any(|right| role.may(*right))
    }

    const fn bit(self) -> u32 {
        1 << self as u8
    }
}

impl fmt::Display for ApiScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ApiScope {
    type Err = ApiScopeError;
    fn from_str(text: &str) -> Result<Self, ApiScopeError> {
        ApiScope::ALL
            .into_iter()
            .find(|scope| scope.name() == text)
            .ok_or_else(|| ApiScopeError(text.to_owned()))
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ApiScopes(u32);

impl ApiScopes {
    /// The set as bits, one for each number.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set of these bits; those of a newer program are left out.
    pub fn from_bits(bits: u32) -> Self {
        ApiScope::ALL
            .into_iter()
            .filter(|scope| bits & scope.bit() != 0)
            .collect()
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a scope is in the set.
    pub const fn has(self, scope: ApiScope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether any of them carries the right.
    pub fn carry(self, right: Right) -> bool {
        self.iter().any(|scope| scope.rights().contains(&right))
    }

    /// Whether any of them has to do with what was written: without one of these nothing is visible,
    /// not even by its name.
    pub const fn see_content(self) -> bool {
        self.has(ApiScope::SearchRead)
            || self.has(ApiScope::ConversationRead)
            || self.has(ApiScope::ExportCreate)
            || self.has(ApiScope::PolicyWrite)
            || self.has(ApiScope::HoldWrite)
            || self.has(ApiScope::DispositionWrite)
    }

    /// The scopes, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = ApiScope> {
        ApiScope::ALL
            .into_iter()
            .filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<ApiScope> for ApiScopes {
    fn from_iter<I: IntoIterator<Item = ApiScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_bits_read_back() {
        for scope in ApiScope::ALL {
            assert_eq!(scope.name().parse(), Ok(scope));
            assert!(
                Role::ALL.into_iter().any(|role| scope.fits(role)),
                "{scope}"
            );
        }
        let all: ApiScopes = ApiScope::ALL.into_iter().collect();
        assert_eq!(ApiScopes::from_bits(u32::MAX), all);
        let error = "keys:write".parse::<ApiScope>().unwrap_err().to_string();
        assert!(error.contains("search:read"), "{error}");
    }

    #[test]
    fn what_is_for_people_is_in_no_scope() {
        let all = ApiScopes::from_bits(u32::MAX);
        for right in [
            Right::ManageKeys,
            Right::ConfirmRestore,
            Right::AdvanceClock,
            Right::ReadRestricted,
            Right::MaintainIndex,
        ] {
            assert!(!all.carry(right), "{right:?}");
        }
        assert!(all.carry(Right::Export));
        assert!(!ApiScopes::default().carry(Right::Export));
    }
}
