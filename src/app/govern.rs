//! The use-cases of what must stay and what may go: matters, holds, labels, events, freezes.

mod advance;
mod certify;
mod dispose;
mod event;
mod freeze;
mod hold;
mod label;
mod listing;
mod lock;
mod matter;
mod notice;
mod policy;
mod release;
mod request;
mod restricted;
mod sight;
mod simulate;
mod spread;
mod story;
mod time;
mod why;
pub(super) mod words;

pub use advance::{ClaimLine, ClockStanding};
pub use dispose::{BatchLine, Planned, Review};
pub use event::{EventLine, NewEvent};
pub use freeze::FreezeLine;
pub use hold::{HoldExtent, HoldLine, HoldStanding, HoldTarget, NewHold, Placed};
pub use label::{Carried, LABELLED_MAX, LabelLine, LabelMany, LabelOn};
pub use listing::{BatchStory, CertificateStory, ListedItem, ReviewLine, RuleName};
pub use matter::MatterLine;
pub use notice::{
    CUSTODIANS_MAX, CustodianLine, ESCALATE_AFTER, Letter, LetterFor, NewCustodian, NoticeAct,
    NoticeLine, NoticeOrder, NoticeReport, NoticeShown, NoticeStanding, NoticeState,
    NoticeTemplate, NoticesIssued, OverdueLine, REMIND_DAYS, REMIND_DAYS_MAX, SentText,
    TEXT_CHARS_MAX,
};
pub use policy::{LastSimulation, NewPolicy, PolicyChanged, PolicyLine};
pub use release::{Asked, Consequences, Released};
pub use request::{
    NewRequest, RequestAct, RequestCounts, RequestDecision, RequestItem, RequestLine,
};
pub use simulate::{DueNow, Heed, Simulated, Why};
pub use spread::{DueSoon, PREVIEW_DAYS, Spread};
pub use story::{PolicyStory, VersionLine};
pub use why::{About, Sentence};
