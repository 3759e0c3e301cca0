//! Notices of holds: who is named with one, what they are sent, and what becomes of it.
//!
//! Purpose: the use-cases of custodians, templates, notices, letters, reminders and answers.
//!
//! Invariants:
//! - A silent custodian is sent nothing.
//! - What is answered is the text that was sent: a notice names one text, and a text never changes.
//! - Whoever comes by a link sees one notice and nothing else.
//! - Every act is an entry of the log, in the transaction of the act; entries name digests, no words.
//!
//! Must not know: pages, addresses of ours, how a letter travels.

mod answer;
mod builtin;
mod chase;
mod custodian;
mod issue;
mod letter;
mod report;
mod template;

pub use answer::{NoticeShown, NoticeState};
pub use chase::ESCALATE_AFTER;
pub use custodian::{CUSTODIANS_MAX, NewCustodian};
pub use issue::{NoticeOrder, NoticesIssued, REMIND_DAYS, REMIND_DAYS_MAX};
pub use letter::{Letter, LetterFor};
pub use report::{
    CustodianLine, NoticeAct, NoticeLine, NoticeReport, NoticeStanding, OverdueLine, SentText,
};
pub use template::{NoticeTemplate, TEXT_CHARS_MAX};
