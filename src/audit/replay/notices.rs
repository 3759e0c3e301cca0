//! Notices of holds as the log tells them: sent to people who were named with the hold and are not
//! silent, answered once, in the words that were sent.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::action::Action;
use super::super::entry::{Draft, Entry};

/// Somebody named with a hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Custodian {
    hold: String,
    silent: bool,
}

/// A notice that was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Notice {
    custodian: String,
    /// Digest of its words.
    text: String,
    answered: bool,
    withdrawn: bool,
    released: bool,
}

/// Everything that was sent so far.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Notices {
    holds: BTreeSet<String>,
    released: BTreeSet<String>,
    custodians: BTreeMap<String, Custodian>,
    notices: BTreeMap<String, Notice>,
    /// After a restore more is known to the record than to its log: what is not known is not judged.
    restored: bool,
}

impl Notices {
    /// Follows an act and says what it breaks.
    pub(super) fn take(&mut self, entry: &Entry, wrong: &mut Vec<String>) {
        let draft = &entry.draft;
        match draft.action {
            Action::BackupRestore => self.restored = true,
            Action::HoldPlace | Action::HoldCarry => {
                self.holds.insert(object(draft, 0));
            }
            Action::HoldRelease => {
                self.released.insert(object(draft, 0));
            }
            Action::CustodianAdd => self.name(draft, wrong),
            Action::CustodianChange => self.correct(draft, wrong),
            Action::NoticeIssue => self.issue(draft, false, wrong),
            Action::NoticeRelease => self.issue(draft, true, wrong),
            Action::NoticeOpen | Action::NoticeLetter => {
                self.open(draft, wrong);
            }
            Action::NoticeDue | Action::NoticeRemind | Action::NoticeEscalate => {
                if let Some(notice) = self.open(draft, wrong)
                    && notice.answered
                {
                    wrong.push(format!("{} was answered before", object(draft, 0)));
                }
            }
            Action::NoticeAcknowledge | Action::NoticeAcknowledgeFor => self.answer(draft, wrong),
            Action::NoticeWithdraw => {
                if let Some(notice) = self.open(draft, wrong) {
                    notice.withdrawn = true;
                }
            }
            _ => {}
        }
    }

    fn name(&mut self, draft: &Draft, wrong: &mut Vec<String>) {
        let (id, hold) = (object(draft, 0), object(draft, 1));
        if !self.restored && !self.holds.contains(&hold) {
            wrong.push(format!(
                "{id} is named with hold {hold}, which was never placed"
            ));
        }
        let silent = draft.number("silent") == Some(1);
        if self
            .custodians
            .insert(id.clone(), Custodian { hold, silent })
            .is_some()
        {
            wrong.push(format!("{id} is named twice"));
        }
    }

    fn correct(&mut self, draft: &Draft, wrong: &mut Vec<String>) {
        let id = object(draft, 0);
        match self.custodians.get_mut(&id) {
            Some(known) => known.silent = draft.number("silent") == Some(1),
            None if self.restored => {}
            None => wrong.push(format!("{id} was never named with a hold")),
        }
    }

    fn issue(&mut self, draft: &Draft, release: bool, wrong: &mut Vec<String>) {
        let (id, custodian, hold) = (object(draft, 0), object(draft, 1), object(draft, 2));
        match self.custodians.get(&custodian) {
            Some(known) if known.silent => {
                wrong.push(format!("{id} is sent to {custodian}, who is silent"));
            }
            Some(known) if known.hold != hold => {
                wrong.push(format!("{custodian} is not named with hold {hold}"));
            }
            Some(_) => {}
            None if self.restored => {}
            None => wrong.push(format!("{id} is sent to {custodian}, who was never named")),
        }
        if !self.restored && self.released.contains(&hold) != release {
            wrong.push(match release {
                true => format!("{id} tells the release of hold {hold}, which stands"),
                false => format!("{id} is a notice of hold {hold}, which is released"),
            });
        }
        let notice = Notice {
            custodian,
            text: draft.fact_word("text").unwrap_or_default().to_owned(),
            answered: false,
            withdrawn: false,
            released: release,
        };
        if self.notices.insert(id.clone(), notice).is_some() {
            wrong.push(format!("{id} is issued twice"));
        }
    }

    /// A notice that was issued and not called back.
    fn open(&mut self, draft: &Draft, wrong: &mut Vec<String>) -> Option<&mut Notice> {
        let id = object(draft, 0);
        match self.notices.get_mut(&id) {
            None if self.restored => None,
            None => {
                wrong.push(format!("{id} was never issued"));
                None
            }
            Some(notice) => {
                if notice.withdrawn {
                    wrong.push(format!("{id} was called back before"));
                }
                Some(notice)
            }
        }
    }

    fn answer(&mut self, draft: &Draft, wrong: &mut Vec<String>) {
        let id = object(draft, 0);
        let Some(notice) = self.open(draft, wrong) else {
            return;
        };
        let mut say = |is_wrong: bool, what: &str| {
            if is_wrong {
                wrong.push(format!("{id} {what}"));
            }
        };
        say(notice.answered, "is answered twice");
        say(notice.released, "tells a release, which nobody answers");
        say(
            draft.fact_word("text") != Some(&notice.text),
            "is answered in other words than those that were sent",
        );
        let on_behalf = draft.on_behalf.as_ref().unwrap_or(&notice.custodian);
        say(
            object(draft, 1) != notice.custodian || *on_behalf != notice.custodian,
            "is answered for somebody it was not sent to",
        );
        notice.answered = true;
    }
}

fn object(draft: &Draft, place: usize) -> String {
    draft.objects.get(place).cloned().unwrap_or_default()
}
