//! Ground floor: the words of the business as plain values.
//!
//! Purpose: one definition of every noun that two rooms share - identifiers, times, messages,
//! people, rights - so that no room invents its own.
//!
//! Invariants:
//! - Values only: no IO, no clock, no randomness, no serde. Wire and file shapes are converted
//!   where they live.
//! - Identifiers and row numbers are newtypes; mixing them does not compile.
//!
//! Must not know: how anything is stored, sealed, indexed or shown.

mod actor;
mod api_scope;
mod event;
mod freeze;
mod hold;
mod id;
mod label;
mod message;
mod note;
mod notice;
mod period;
mod policy;
mod request;
mod time;
mod verdict;

pub use actor::{Actor, Right, Role, Scope};
pub use api_scope::{ApiScope, ApiScopeError, ApiScopes};
pub use event::{Event, EventKey};
pub use freeze::FreezeReason;
pub use hold::{GRACE_DAYS, GRACE_DAYS_MIN, Hold, HoldScope, Release};
pub use id::{
    AccountNo, BackupId, BatchNo, ConversationId, ConversationNo, CustodianId, CustodianNo,
    EntryNo, EventNo, ExportId, FreezeNo, HandleNo, HoldId, HoldNo, IdError, ImportId, ImportNo,
    JobId, LabelId, LabelNo, MatterId, MatterNo, MessageId, MessageNo, NoticeId, NoticeNo,
    NoticeTextNo, PersonId, PersonNo, PolicyId, PolicyNo, RequestId, RequestNo, SearchId, StoreId,
    TenantNo, TokenId, UploadId, UserId, UserNo,
};
pub use label::{LabelSpan, LabelTarget};
pub use message::{
    App, Attachment, AttachmentState, ConversationKind, Extras, IdScope, Kind, Presence, Reaction,
    ZoneSource,
};
pub use note::{Note, NoteKind};
pub use notice::{NoticeActKind, NoticeKind, NoticeLanguage};
pub use period::{PERIOD_YEARS_MAX, Period, PeriodError};
pub use policy::{
    Disposition, Level, Lock, PolicyAction, PolicyRef, PolicyState, PolicyVersion, STAGES_MAX,
    SourceTrust, Trigger,
};
pub use request::{Ground, RequestOutcome};
pub use time::{Now, Precision, Timestamp};
pub use verdict::{Blocker, Reason, Verdict};
