//! Section 4 of the trust page in sets and loops: what the whole engine is compared with after
//! every act.

use crate::world::{
    ALWAYS, DAY, Hold, Moment, NEVER, On, Record, Said, Span, Target, Trigger, Version, World,
};

impl World {
    pub fn has(record: &Record, word: &str) -> bool {
        let said = |body: &String| body.split(' ').any(|known| known == word);
        record.versions.iter().any(said)
    }

    /// Whether a target names a record; `no` is `None` for one that is not there (any more).
    pub fn aims_at(&self, target: &Target, no: Option<u64>, record: &Record) -> bool {
        match target {
            Target::Ids(ids) => no.is_some_and(|no| ids.contains(&no)),
            Target::Word(word) => Self::has(record, word),
            Target::Chat(chat) => record.key.0 == *chat,
            Target::Person(who) => {
                record.sender == *who || self.members.contains(&(record.key.0, *who))
            }
        }
    }

    fn protects(hold: &Hold, now: i64) -> bool {
        hold.from <= now && hold.released.is_none_or(|at| now < at + hold.grace * DAY)
    }

    /// Whether an open hold wants a message that was disposed of and comes again.
    pub fn wants(&self, record: &Record, now: i64) -> bool {
        let mut holds = self.holds.iter().filter(|hold| Self::protects(hold, now));
        holds.any(|hold| self.aims_at(&hold.target, None, record))
    }

    pub fn held(&self, no: u64, now: i64) -> bool {
        let record = &self.live[&no];
        let mut chat: Vec<u64> = self.live.keys().copied().collect();
        chat.retain(|other| self.live[other].key.0 == record.key.0);
        chat.sort_by_key(|other| (self.live[other].sent, *other));
        let place = chat.iter().position(|other| *other == no).unwrap_or(0);
        self.holds.iter().any(|hold| {
            let near = place.saturating_sub(hold.around)..chat.len().min(place + hold.around + 1);
            let mut near = chat[near].iter();
            Self::protects(hold, now)
                && near.any(|other| self.aims_at(&hold.target, Some(*other), &self.live[other]))
        })
    }

    fn ended(&self, version: &Version) -> i64 {
        let later = self.versions.iter().filter(|later| {
            !later.draft && later.policy == version.policy && later.version > version.version
        });
        later.map(|later| later.from).min().unwrap_or(NEVER)
    }

    fn spans_of(&self, no: u64) -> Vec<(bool, Span)> {
        let chat = On::Chat(self.live[&no].key.0);
        let mut spans = Vec::new();
        for span in &self.spans {
            if span.on == On::Message(no) || span.on == chat {
                spans.push((span.on != chat, *span));
            }
        }
        spans
    }

    /// The label that counts and since when: one of its own before that of the chat.
    fn label(&self, no: u64, now: i64) -> Option<(u32, i64)> {
        let mut spans = self.spans_of(no);
        spans.retain(|(_, span)| span.from <= now && now < span.until);
        let last = spans
            .into_iter()
            .max_by_key(|(own, span)| (*own, span.from));
        last.map(|(_, span)| (span.label, span.from))
    }

    /// Since when the labels count that a record showed at some instant of the closed interval.
    fn shown(&self, no: u64, label: Option<u32>, from: i64, until: i64) -> Vec<i64> {
        let spans = self.spans_of(no);
        let mut instants = vec![from];
        for (_, span) in &spans {
            instants.extend([span.from, span.until]);
        }
        instants.retain(|at| from <= *at && *at <= until);
        let mut shown = Vec::new();
        for at in instants {
            let hidden = spans
                .iter()
                .any(|(own, span)| *own && span.from < at && at < span.until);
            for (own, span) in &spans {
                let inside = span.from <= at && at <= span.until && (*own || !hidden);
                if inside && label.is_none_or(|label| label == span.label) {
                    shown.push(span.from);
                }
            }
        }
        shown
    }

    fn event(&self, key: u8, with_corrected: bool) -> Option<i64> {
        let corrected = |no| self.events.iter().any(|event| event.corrects == Some(no));
        let events = self.events.iter().enumerate();
        let counting =
            events.filter(|(no, event)| event.key == key && (with_corrected || !corrected(*no)));
        counting.map(|(_, event)| event.at).max()
    }

    fn begun(&self, version: &Version, record: &Record) -> i64 {
        let chat = self
            .live
            .values()
            .filter(|other| other.key.0 == record.key.0);
        match version.trigger {
            Trigger::Ingested => record.ingested,
            Trigger::LastActivity => chat.map(|other| other.sent).max().unwrap_or(record.sent),
            _ if version.lock.is_some() || record.sent > record.ingested + DAY => record.ingested,
            _ => record.sent,
        }
    }

    pub fn say(&self, no: u64, moment: &Moment) -> Said {
        let now = moment.now;
        // While an import runs its messages are as young as can be.
        let record = &Record {
            ingested: self.live[&no].ingested.min(now),
            ..self.live[&no].clone()
        };
        let carried = self.label(no, now);
        let (mut retain, mut locked) = (vec![ALWAYS, record.extended], vec![record.locked]);
        let mut deletes = Vec::new();
        let about = |version: &&Version| {
            let word = version.word.as_ref();
            version.enabled && !version.draft && word.is_none_or(|word| Self::has(record, word))
        };
        for version in self.versions.iter().filter(about) {
            let end = self.ended(version);
            let end_of = |t0: i64| (t0.div_euclid(DAY) + version.days + 1) * DAY;
            let labelled = version.label.is_none() || version.label == carried.map(|one| one.0);
            if version.from <= now && now < end && labelled {
                let until = match version.trigger {
                    Trigger::Label => carried.map(|(_, from)| from),
                    Trigger::Event(key) => self.event(key, false),
                    _ => Some(self.begun(version, record)),
                };
                let until = until.map_or(NEVER, end_of);
                if version.retains {
                    retain.push(until);
                }
                if version.deletes {
                    let rank = 3 - version.level;
                    deletes.push((rank, until, (version.policy, version.version)));
                }
            }
            let keeps = version.lock.is_some() && version.retains;
            let shown = self.shown(
                no,
                version.label,
                version.from.max(record.ingested),
                end.min(now),
            );
            let missed = version.label.is_some() && shown.is_empty();
            if !keeps || version.from > now.min(end) || record.ingested > end || missed {
                continue;
            }
            let t0 = match version.trigger {
                Trigger::Label => shown.into_iter().max(),
                Trigger::Event(key) => self.event(key, true),
                _ => Some(self.begun(version, record)),
            };
            locked.extend(t0.map(end_of));
            retain.push(t0.map_or(NEVER, end_of));
        }
        let locked_until = locked.into_iter().max().unwrap_or(ALWAYS);
        let retain_until = retain.into_iter().max().unwrap_or(ALWAYS).max(locked_until);
        let winner = deletes.into_iter().min();
        let delete_from = winner.map_or(NEVER, |(_, from, _)| from);
        let floor = record.ingested + 30 * DAY;
        let ripe = |at: i64| at != NEVER && at <= now && at <= moment.wall;
        let held = self.held(no, now);
        let due = [retain_until, delete_from, floor].into_iter().all(ripe);
        Said {
            held,
            retain_until,
            locked_until,
            delete_from,
            floor,
            eligible: due && !held && !moment.stopped,
            winner: winner.map(|(_, _, policy)| policy),
        }
    }
}
