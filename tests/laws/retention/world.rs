//! A small world of rules and records, whose scopes are sets of tags.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use wordkeep::domain::{
    ConversationNo, Disposition, Event, EventKey, EventNo, GRACE_DAYS, Hold, HoldNo, HoldScope,
    LabelNo, LabelSpan, Level, Lock, MatterNo, MessageNo, Now, PolicyAction, PolicyNo, PolicyRef,
    PolicyState, PolicyVersion, Reason, Release, SourceTrust, Timestamp, Trigger, UserNo, Verdict,
};
use wordkeep::retention::{DayShare, Facts, Present, Rules, ScopeRef, explain, verdict};

/// The tag that every record has.
pub const ALL: u8 = 1;

/// An instant in UTC: `2024-02-29` or `2024-02-29 13:00`.
pub fn at(text: &str) -> Timestamp {
    in_zone(text, Tz::UTC)
}

/// An instant by the clocks of a zone.
pub fn in_zone(text: &str, zone: Tz) -> Timestamp {
    let full = if text.len() > 10 {
        text.to_owned()
    } else {
        format!("{text} 00:00")
    };
    let local = NaiveDateTime::parse_from_str(&full, "%Y-%m-%d %H:%M").unwrap();
    Timestamp(
        zone.from_local_datetime(&local)
            .single()
            .unwrap()
            .timestamp_micros(),
    )
}

/// One record with the tags that scopes ask for.
#[derive(Clone, Debug)]
pub struct Rec {
    pub no: u64,
    pub sent: Timestamp,
    pub ingested: Timestamp,
    pub trust: SourceTrust,
    pub last_activity: Timestamp,
    pub labels: Vec<LabelSpan>,
    pub locked_until: Timestamp,
    pub extended_until: Timestamp,
    pub tags: u8,
}

impl Rec {
    /// A record sent and taken in at once.
    pub fn new(no: u64, sent: &str) -> Rec {
        Rec {
            no,
            sent: at(sent),
            ingested: at(sent),
            trust: SourceTrust::ServerExport,
            last_activity: at(sent),
            labels: Vec::new(),
            locked_until: Timestamp::ALWAYS,
            extended_until: Timestamp::ALWAYS,
            tags: ALL,
        }
    }

    pub fn labelled(mut self, label: u32, from: &str) -> Rec {
        self.labels.push(LabelSpan {
            label: LabelNo(label),
            from: at(from),
            until: Timestamp::NEVER,
            own: true,
        });
        self
    }

    pub fn facts(&self) -> Facts<'_> {
        Facts {
            no: MessageNo(self.no),
            conversation: ConversationNo(1),
            account: None,
            sent: self.sent,
            ingested: self.ingested,
            trust: self.trust,
            last_activity: self.last_activity,
            labels: &self.labels,
            locked_until: self.locked_until,
            extended_until: self.extended_until,
        }
    }
}

/// Rules whose scopes are tags: a scope matches a record that has one of its tags.
#[derive(Clone, Debug, Default)]
pub struct World {
    pub versions: Vec<PolicyVersion>,
    pub scopes: BTreeMap<PolicyRef, u8>,
    pub holds: Vec<Hold>,
    pub hold_scopes: BTreeMap<HoldNo, u8>,
    pub events: Vec<Event>,
}

/// A policy to be changed by struct update.
pub fn policy(no: u32, action: PolicyAction, period: &str) -> PolicyVersion {
    PolicyVersion {
        id: PolicyRef {
            no: PolicyNo(no),
            version: 1,
        },
        state: PolicyState::Enabled,
        action,
        period: period.parse().unwrap(),
        zone: Tz::UTC,
        trigger: Trigger::Sent,
        level: Level::Organisation,
        lock: Lock::None,
        disposition: Disposition::Reviewed(2),
        valid_from: Timestamp::ALWAYS,
        created: Timestamp::ALWAYS,
        author: UserNo(1),
    }
}

/// A hold that protects from the beginning.
pub fn hold(no: u32) -> Hold {
    Hold {
        no: HoldNo(no),
        matter: MatterNo(1),
        scope: HoldScope::Query,
        from: Timestamp::ALWAYS,
        placed_by: UserNo(1),
        release: None,
        grace_days: GRACE_DAYS,
        keep_context: 0,
    }
}

/// The release of a hold by two people.
pub fn release(at: Timestamp) -> Option<Release> {
    Some(Release {
        at,
        requested_by: UserNo(1),
        approved_by: UserNo(2),
    })
}

/// A moment at which everything is in order.
/// So many records that a list of a test is no large part of them.
pub const MANY: DayShare = DayShare {
    live: 1_000_000,
    listed: 0,
};

pub fn present(text: &str) -> Present {
    Present::as_of(at(text))
}

/// A moment with different clocks.
pub fn two_clocks(compliance: Timestamp, wall: Timestamp) -> Present {
    Present {
        now: Now { compliance, wall },
        ..Present::as_of(compliance)
    }
}

/// The key of an event by a number.
pub fn key(number: u8) -> EventKey {
    EventKey([number; 16])
}

impl World {
    /// A world of policies that concern everything.
    pub fn of(policies: &[PolicyVersion]) -> World {
        let mut world = World::default();
        for version in policies {
            world.add(*version, ALL);
        }
        world
    }

    pub fn add(&mut self, version: PolicyVersion, tags: u8) {
        self.scopes.insert(version.id, tags);
        self.versions.push(version);
    }

    pub fn place(&mut self, hold: Hold, tags: u8) {
        self.hold_scopes.insert(hold.no, tags);
        self.holds.push(hold);
    }

    pub fn happened(&mut self, number: u8, text: &str, corrects: Option<u32>) {
        self.events.push(Event {
            no: EventNo(self.events.len() as u32 + 1),
            key: key(number),
            at: at(text),
            recorded: at(text),
            by: UserNo(1),
            corrects: corrects.map(EventNo),
        });
    }

    pub fn rules(&self) -> Rules {
        Rules::new(&self.versions, &self.holds, &self.events)
    }

    fn matches(&self, rules: &Rules, scope: ScopeRef, rec: &Rec) -> bool {
        let tags = match scope {
            ScopeRef::Term(place) => self.scopes[&rules.terms()[place].version.id],
            ScopeRef::Hold(place) => self.hold_scopes[&rules.holds()[place].no],
        };
        tags & rec.tags != 0
    }

    pub fn verdict(&self, rec: &Rec, present: &Present) -> Verdict {
        let rules = self.rules();
        let mut matches = |scope| self.matches(&rules, scope, rec);
        verdict(&rules, &rec.facts(), present, &mut matches)
    }

    pub fn why(&self, rec: &Rec, present: &Present) -> (Verdict, Vec<Reason>) {
        let rules = self.rules();
        let mut matches = |scope| self.matches(&rules, scope, rec);
        explain(&rules, &rec.facts(), present, &mut matches)
    }

    /// Whether a record may go on a day when everything is in order.
    pub fn goes(&self, rec: &Rec, day: &str) -> bool {
        self.verdict(rec, &present(day)).eligible
    }
}
