//! Floor 7: the composition root. Every use-case: authorise, audit, act.
//!
//! Purpose: opens the product in the right order, reads clock, randomness and configuration, and
//! joins rooms of one floor into use-cases that every surface calls.
//!
//! Invariants:
//! - The only room that reads the wall clock, the system's randomness and the environment.
//! - A change and its audit entry share one transaction; content is shown only after its entry is
//!   durable.
//! - A refusal for lack of right is logged before it is told.
//!
//! Must not know: how anything is printed or served.

mod anchors;
mod appliance;
mod asked;
mod audit;
mod backup;
mod backup_check;
mod certificate;
mod check;
mod clock;
mod conversation;
mod demo;
mod digest;
mod disposed;
mod entropy;
mod error;
pub mod export;
mod figures;
mod files;
mod govern;
pub mod import;
mod index;
mod job;
mod keys;
mod log_out;
mod marks;
mod message;
mod narrow;
mod people;
mod pins;
mod prune;
mod quarantine;
mod replay;
mod restore;
pub mod sample;
mod search;
mod settings;
mod snapshot;
mod suggest;
mod terms;
mod upload;
mod verify;
mod walk;
mod workspace;

pub use anchors::anchors_in;
pub use appliance::{Appliance, NewAppliance, Witnesses};
pub use asked::{KeptSearch, QUERY_CHARS_MAX};
pub use audit::{LOG_LINES_MAX, LOG_SCAN_MAX, LogLine, LogPage, LogRequest};
pub use backup::{BackupLine, BackupReceipt, BackupRequest, parse_recovery_key};
pub use backup_check::{BackupReport, verify_backup};
pub use certificate::{CertificateReport, verify_certificate, verify_certificate_file};
pub use check::{Finding, Standing, check_host};
pub use clock::{Clock, HostClock, Stopwatch, SystemClock};
pub use conversation::{
    Answered, ConversationFigures, ConversationLine, ConversationRequest, ConversationSlice,
    SLICE_MESSAGES_MAX, ShownMessage,
};
pub use demo::{DemoEvent, DemoRequest, Staged, run_demo, stage_demo};
pub use digest::{AccessLine, DIGEST_ENTRIES_MAX, LogDigest};
pub use entropy::SystemEntropy;
pub use error::{AppError, Result};
pub use figures::SystemFigures;
pub use files::{read_bytes, read_text, replace_secret, write_secret};
pub use govern::{
    About, Asked, BatchLine, BatchStory, CUSTODIANS_MAX, Carried, CertificateStory, ClaimLine,
    ClockStanding, Consequences, CustodianLine, DueNow, DueSoon, ESCALATE_AFTER, EventLine,
    FreezeLine, Heed, HoldExtent, HoldLine, HoldStanding, HoldTarget, LABELLED_MAX, LabelLine,
    LabelMany, LabelOn, LastSimulation, Letter, LetterFor, ListedItem, MatterLine, NewCustodian,
    NewEvent, NewHold, NewPolicy, NewRequest, NoticeAct, NoticeLine, NoticeOrder, NoticeReport,
    NoticeShown, NoticeStanding, NoticeState, NoticeTemplate, NoticesIssued, OverdueLine,
    PREVIEW_DAYS, Placed, Planned, PolicyChanged, PolicyLine, PolicyStory, REMIND_DAYS,
    REMIND_DAYS_MAX, Released, RequestAct, RequestCounts, RequestDecision, RequestItem,
    RequestLine, Review, ReviewLine, RuleName, SentText, Sentence, Simulated, Spread,
    TEXT_CHARS_MAX, VersionLine, Why,
};
pub use index::IndexFigures;
pub use job::{JOB_END_BYTES_MAX, KeptJob};
pub use keys::KeyStatus;
pub use message::{MessageStory, ShownVersion, Source};
pub use people::{
    API_TOKENS_MAX, ApiTokenLine, DIRECTORY_PEOPLE_MAX, DirectoryLine, DirectoryPerson, Grant,
    MarkLine, Marked, NewApiToken, NewProvider, ProviderCheck, ProviderLine, ReceivedClaims,
    SSO_CALLBACK, Session, SignIn, SsoArrival, SsoAsk, SsoDeparture, SsoOffer, SyncChange,
    SyncReport, TotpOffer, Waiting, WaitingLine, WebSession, read_directory,
};
pub use prune::{PruneRequest, limit_of};
pub use replay::{ActKey, KeptAnswer, KnownAct};
pub use restore::{
    DrillReport, NewSecret, RestoreOrder, RestoreReceipt, WeeklyDrill, drill_backup, restore_backup,
};
pub use search::{Histogram, Reading, SearchAnswer, SearchRequest};
pub use settings::{Given, Settings};
pub use suggest::{SUGGESTIONS_MAX, Suggestion};
pub use terms::{TERMS_MAX, TermLine, TermReport, terms_of_table};
pub use upload::{UPLOAD_BYTES_MAX, Upload, Uploaded};
pub use verify::{RecordVerdict, VerifyReport, VerifyRequest, verify_log};
pub use walk::{Walk, WalkRequest};
pub use workspace::{SAMPLE_READER, Workspace};
