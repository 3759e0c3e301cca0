//! Identifiers that leave the house (128-bit, time-ordered, printed as prefixed ULIDs) and the
//! integer row numbers that stand for them inside.

use std::fmt;
use std::str::FromStr;

/// Crockford's base 32 alphabet, as the ULID text form uses it (ulid/spec README).
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// Characters of a 128-bit value in base 32.
const TEXT_LEN: usize = 26;

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The prefix before the underscore is another kind's, or missing.
    #[error("expected an id that starts with \"{expected}_\", got \"{got}\"")]
    Prefix {
        /// The prefix of the wanted kind, without underscore.
        expected: &'static str,
        /// The text as given.
        got: String,
    },
    /// The part after the underscore is not 26 base-32 characters of a 128-bit value.
    #[error("\"{0}\" is not a well-formed id (26 characters after the underscore)")]
    Form(String),
}

fn encode(value: u128) -> [u8; TEXT_LEN] {
    let mut text = [0u8; TEXT_LEN];
    for (place, slot) in text.iter_mut().enumerate() {
        let shift = 5 * (TEXT_LEN - 1 - place);
        *slot = ALPHABET[((value >> shift) & 31) as usize];
    }
    text
}

fn decode(text: &str) -> Option<u128> {
    let bytes = text.as_bytes();
    if bytes.len() != TEXT_LEN || bytes[0] > b'7' {
        return None;
    }
    bytes.iter().try_fold(0u128, |value, byte| {
        let upper = byte.to_ascii_uppercase();
        let digit = ALPHABET.iter().position(|letter| *letter == upper)?;
        Some(value << 5 | digit as u128)
    })
}

macro_rules! identifiers {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u128);

        impl $name {
            /// The prefix of the printed form, without the underscore.
            pub const PREFIX: &'static str = $prefix;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let text = encode(self.0);
                // The alphabet is ASCII, so the bytes are text.
                write!(f, "{}_{}", $prefix, std::str::from_utf8(&text).unwrap_or("?"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let Some(rest) = text.strip_prefix(concat!($prefix, "_")) else {
                    return Err(IdError::Prefix { expected: $prefix, got: text.to_owned() });
                };
                decode(rest).map(Self).ok_or_else(|| IdError::Form(text.to_owned()))
            }
        }
    )*};
}

identifiers! {
    /// A message, whatever its versions.
    MessageId = "msg";
    /// A conversation: a direct chat, a group, a channel.
    ConversationId = "cnv";
    /// A person, whatever their handles on the platforms.
    PersonId = "per";
    /// One run of an import.
    ImportId = "imp";
    /// Messages that left the house.
    ExportId = "exp";
    /// Somebody who may log in.
    UserId = "usr";
    /// One backup.
    BackupId = "bak";
    /// One data directory, for ever.
    StoreId = "sto";
    /// A retention policy, whatever its versions.
    PolicyId = "pol";
    /// A legal hold.
    HoldId = "hld";
    /// A matter: the case or inquiry that holds belong to.
    MatterId = "mat";
    /// A label that records may carry.
    LabelId = "lbl";
    /// A search that somebody asked.
    SearchId = "srch";
    /// A person's request that their data be erased.
    RequestId = "ers";
    /// The token of a program.
    TokenId = "tok";
    /// A long act under way, or its result.
    JobId = "job";
    /// A file on its way in.
    UploadId = "upl";
    /// Somebody named with a hold.
    CustodianId = "cus";
    /// A notice that was sent to one.
    NoticeId = "ntc";
}

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    )*};
}

numbers! {
    /// Row number of a message; from the sequence that also feeds nonces, so never reused.
    MessageNo(u64);
    /// Row number of a conversation.
    ConversationNo(u32);
    /// Row number of a handle: one sender identity on one platform, as a source names it.
    HandleNo(u32);
    /// Row number of a person, who has one or more handles.
    PersonNo(u32);
    /// Row number of a messaging account owned by the company.
    AccountNo(u32);
    /// Row number of an import.
    ImportNo(u32);
    /// Row number of a user.
    UserNo(u32);
    /// Row number of a tenant; 1 until there are more.
    TenantNo(u32);
    /// Position of an entry in the audit log, counted from 0.
    EntryNo(u64);
    /// Row number of a retention policy.
    PolicyNo(u32);
    /// Row number of a legal hold.
    HoldNo(u32);
    /// Row number of a matter.
    MatterNo(u32);
    /// Row number of a label.
    LabelNo(u32);
    /// Row number of a recorded event.
    EventNo(u32);
    /// Row number of a request for erasure.
    RequestNo(u32);
    /// Row number of a purge freeze.
    FreezeNo(u32);
    /// Row number of a custodian.
    CustodianNo(u32);
    /// Row number of the words of notices.
    NoticeTextNo(u32);
    /// Row number of a notice.
    NoticeNo(u32);
    /// Number of a disposition batch.
    BatchNo(u64);
}

impl TenantNo {
    /// The only tenant of a fresh data directory.
    pub const FIRST: TenantNo = TenantNo(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_prints_and_reads_back() {
        for value in [0, 1, u128::MAX, 0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF] {
            let id = MessageId(value);
            assert_eq!(id.to_string().parse::<MessageId>(), Ok(id));
        }
    }

    #[test]
    fn the_wrong_prefix_is_named() {
        let error = "cnv_00000000000000000000000000".parse::<MessageId>();
        assert!(matches!(
            error,
            Err(IdError::Prefix {
                expected: "msg",
                ..
            })
        ));
    }

    #[test]
    fn an_overlong_value_is_refused() {
        assert!(
            "msg_8ZZZZZZZZZZZZZZZZZZZZZZZZZ"
                .parse::<MessageId>()
                .is_err()
        );
    }

    #[test]
    fn printed_order_is_value_order() {
        assert!(MessageId(5).to_string() < MessageId(1 << 90).to_string());
    }
}
