//! Acts on the real archive, and what the archive says of itself afterwards.

use std::collections::{BTreeMap, BTreeSet};

use wordkeep::app::import::{ImportRequest, SilentProgress};
use wordkeep::app::{
    Appliance, BackupRequest, HoldTarget, LabelOn, NewEvent, NewHold, NewPolicy, SearchRequest,
    Session,
};

use wordkeep::domain::{
    BatchNo, ConversationNo, EntryNo, EventNo, FreezeNo, HandleNo, LabelTarget, Lock, MatterId,
    MessageId, MessageNo, Period, PolicyAction, PolicyId, PolicyState, Timestamp,
};
use wordkeep::store::{ActKind, DispositionState, EraseFate, EraseState, Rows};

use crate::act::{Act, LABELS, Review, Row, WRITERS};
use crate::host::Site;
use crate::house::secret;
use crate::world::{Key, NEVER, On, Record, Stage, Target, Trigger, Version, World};

const MAPPING: &str = r#"{"conversation": "c", "sender": "s", "handle": "h", "body": "b", "ts": "t",
    "ts_format": "unix", "id": "i", "app": {"constant": "other"}}"#;

/// Kinds of events, by the number of their key.
const EVENTS: [&str; 2] = ["contract_end", "case_closed"];

/// What is known of the numbers behind the names of a world.
#[derive(Clone, Default)]
pub struct Known {
    pub ids: BTreeMap<u64, MessageId>,
    pub chats: BTreeMap<u8, ConversationNo>,
    pub writers: BTreeMap<HandleNo, u8>,
    pub matter: Option<MatterId>,
}

impl Known {
    fn id(&self, no: u64) -> MessageId {
        self.ids.get(&no).copied().unwrap_or(MessageId(0))
    }
}

type Outcome = Result<[u64; 4], String>;

fn told<T>(result: Result<T, wordkeep::app::AppError>) -> Result<T, String> {
    result.map_err(|error| format!("{error:?}"))
}

/// One act on the archive of a site.
pub struct Deed<'a> {
    pub site: &'a Site,
    pub known: &'a Known,
}

impl Deed<'_> {
    fn app(&self) -> &Appliance {
        self.site.app()
    }

    fn rows(&self) -> Result<wordkeep::store::ReadTx<'_>, String> {
        let rows = self.app().archive().store().read();
        rows.map_err(|error| error.to_string())
    }

    fn who(&self, no: u8) -> &Session {
        &self.site.people[usize::from(no)]
    }

    /// Does it; what an import counted, or the refusal.
    pub fn perform(&self, act: &Act) -> Outcome {
        let app = self.app();
        let (root, law) = (self.who(0), self.who(1));
        let none = |done: Result<(), String>| done.map(|()| [0; 4]);
        match act {
            Act::Import(rows) => self.import(rows),
            Act::Place(target, around) => none(self.place(target, *around)),
            Act::Release(no, who) => {
                let holds = self.rows()?.holds().map_err(|error| error.to_string())?;
                none(told(app.release_hold(self.who(*who), holds[*no].id, "settled")).map(drop))
            }
            Act::Label(label, on) => {
                let name = LABELS[*label as usize - 1];
                none(told(app.apply_label(law, name, self.on(*on)?)).map(drop))
            }
            Act::Unlabel(on) => {
                none(told(app.remove_label(law, self.on(*on)?, "a mistake")).map(drop))
            }
            Act::Happen(event) => {
                let new = NewEvent {
                    kind: EVENTS[usize::from(event.key)],
                    key: "nordwind",
                    at: Timestamp(event.at),
                    reason: "told by the client",
                    corrects: event.corrects.map(|no| EventNo(no as u32 + 1)),
                };
                none(told(app.record_event(law, &new)).map(drop))
            }
            Act::Policy(version, who) => none(self.policy(version, *who)),
            Act::End(no, who) => {
                let id = self.policy_id(*no)?.unwrap_or(PolicyId(0));
                none(told(app.disable_policy(self.who(*who), id, "no longer needed")).map(drop))
            }
            Act::Plan(who) => none(told(app.plan_disposition(self.who(*who))).map(drop)),
            Act::Review(list, who, review) => {
                let batch = BatchNo(*list as u64 + 1);
                let review = self.review(review);
                let done = app.review_disposition(self.who(*who), batch, review, "looked at it");
                none(told(done).map(drop))
            }
            Act::Run(list, who) => {
                let batch = BatchNo(*list as u64 + 1);
                none(told(app.run_disposition(self.who(*who), batch)).map(drop))
            }
            Act::Freeze => none(told(app.freeze(law, "litigation expected")).map(drop)),
            Act::Lift(no, who) => {
                let no = FreezeNo(*no as u32 + 1);
                none(told(app.lift_freeze(self.who(*who), no, "counsel agreed")).map(drop))
            }
            Act::Rotate => none(told(app.rotate_keys(root, &secret())).map(drop)),
            Act::Rebuild => none(told(app.rebuild_index(root, &mut |_, _| ())).map(drop)),
            Act::Search(word) => {
                let answer = told(app.search(law, &patient(word)))?.answer;
                Ok([
                    answer.total,
                    u64::from(answer.watermark.is_complete()),
                    0,
                    0,
                ])
            }
            Act::Backup => {
                let request = BackupRequest {
                    target: self.site.root.join("target"),
                    escrow_targets: Vec::new(),
                };
                none(told(app.create_backup(root, &request, &mut |_, _, _| ())).map(drop))
            }
            _ => Ok([0; 4]),
        }
    }

    fn review(&self, review: &Review) -> wordkeep::app::Review {
        match review {
            Review::Approve => wordkeep::app::Review::Approve,
            Review::Cancel => wordkeep::app::Review::Cancel,
            Review::Exclude(no) => wordkeep::app::Review::Exclude(self.known.id(*no)),
            Review::Extend(no, until) => {
                wordkeep::app::Review::Extend(self.known.id(*no), Timestamp(*until))
            }
        }
    }

    fn import(&self, rows: &[Row]) -> Outcome {
        if rows.is_empty() {
            return Ok([0; 4]);
        }
        let mut text = String::new();
        for row in rows {
            let (chat, id) = row.key;
            text.push_str(&format!(
                "{{\"c\":\"chat{chat}\",\"s\":\"{}\",\"h\":\"+4912345670{}\",\"b\":\"{}\",\"t\":{},\"i\":\"{chat}-{id}\"}}\n",
                WRITERS[usize::from(row.sender)],
                row.sender,
                row.body,
                row.sent / 1_000_000
            ));
        }
        let path = self.site.root.join("chat.jsonl");
        let mapping = self.site.root.join("mapping.json");
        std::fs::write(&path, text).unwrap();
        std::fs::write(&mapping, MAPPING).unwrap();
        let request = ImportRequest {
            path,
            mapping: Some(mapping),
            ..ImportRequest::default()
        };
        let counts = told(self.app().import(self.who(0), &request, &SilentProgress))?.counts;
        assert_eq!(counts.rejected, 0, "{counts:?}");
        Ok([counts.fresh, counts.known, counts.revised, counts.disposed])
    }

    fn on(&self, on: On) -> Result<LabelOn, String> {
        Ok(match on {
            On::Message(no) => LabelOn::Message(self.known.id(no)),
            On::Chat(chat) => LabelOn::Conversation(self.conversation(chat)?),
        })
    }

    fn conversation(&self, chat: u8) -> Result<wordkeep::domain::ConversationId, String> {
        let rows = self.rows()?;
        let no = self
            .known
            .chats
            .get(&chat)
            .copied()
            .unwrap_or(ConversationNo(u32::MAX));
        let row = rows.conversation(no).map_err(|error| error.to_string())?;
        Ok(row.map_or(wordkeep::domain::ConversationId(0), |row| row.id))
    }

    pub fn place(&self, target: &Target, around: usize) -> Result<(), String> {
        let target = match target {
            Target::Ids(ids) => {
                HoldTarget::Messages(ids.iter().map(|no| self.known.id(*no)).collect())
            }
            Target::Word(word) => HoldTarget::Query(word.clone()),
            Target::Chat(chat) => HoldTarget::Conversation(self.conversation(*chat)?),
            Target::Person(who) => HoldTarget::Custodian(WRITERS[usize::from(*who)].to_owned()),
        };
        let new = NewHold {
            matter: self.known.matter.unwrap(),
            name: "claim".to_owned(),
            target,
            reason: "letter of 3 March".to_owned(),
            grace_days: None,
            keep_context: around as u16,
            zone: None,
            accept: Vec::new(),
        };
        told(self.app().place_hold(self.who(1), &new)).map(drop)
    }

    fn policy_id(&self, no: u32) -> Result<Option<PolicyId>, String> {
        let policies = self.rows()?.policies().map_err(|error| error.to_string())?;
        let known = policies.into_iter().find(|(known, _)| known.0 == no);
        Ok(known.map(|(_, id)| id))
    }

    fn policy(&self, version: &Version, who: u8) -> Result<(), String> {
        let new = NewPolicy {
            of: self.policy_id(version.policy)?,
            name: format!("rule {}", version.policy),
            scope: version.word.clone().unwrap_or_else(|| "*".to_owned()),
            action: match (version.retains, version.deletes) {
                (true, true) => PolicyAction::RetainThenDelete,
                (true, false) => PolicyAction::Retain,
                _ => PolicyAction::Delete,
            },
            period: Period::days(version.days as u32),
            zone: None,
            trigger: match version.trigger {
                Trigger::Sent => "sent".to_owned(),
                Trigger::Ingested => "ingested".to_owned(),
                Trigger::LastActivity => "last_activity".to_owned(),
                Trigger::Label => "label_applied".to_owned(),
                Trigger::Event(key) => format!("{}(nordwind)", EVENTS[usize::from(key)]),
            },
            label: version
                .label
                .map(|label| LABELS[label as usize - 1].to_owned()),
            organisation: version.level == 1,
            lock: version
                .lock
                .map_or(Lock::None, |until| Lock::Compliance(Timestamp(until))),
            reviewers: None,
            citation: "Art. 5".to_owned(),
            reason: "decided by the board".to_owned(),
            accept: Vec::new(),
        };
        let (id, _, _) = told(self.app().write_policy(self.who(version.author), &new))?;
        told(
            self.app()
                .simulate_policy(self.who(version.author), id, None),
        )?;
        told(self.app().enable_policy(self.who(who), id, "decided")).map(drop)
    }
}

/// A live message as it was opened.
pub struct Seen {
    pub key: Key,
    pub versions: Vec<String>,
    pub writer: Option<HandleNo>,
}

/// Every live message of an archive by number.
pub type Live = BTreeMap<u64, Seen>;

/// Opens every live message of an archive.
pub fn live(app: &Appliance, known: &mut Known) -> Result<Live, String> {
    let mut reader = app.archive().reader().map_err(|error| error.to_string())?;
    let last = reader.rows().last_message().unwrap();
    let mut numbers = Vec::new();
    let seen = |row: wordkeep::store::MessageRow| -> Result<(), wordkeep::store::StoreError> {
        numbers.push(row.no);
        Ok(())
    };
    reader
        .rows()
        .each_message(MessageNo(0), MessageNo(last.0 + 1), seen)
        .unwrap();
    let mut live = BTreeMap::new();
    for no in numbers {
        let message = reader
            .message(no)
            .map_err(|error| format!("message {no}: {error}"))?;
        let message = message.ok_or_else(|| format!("message {no} has a row and no content"))?;
        let id = message.versions[0].source_id.clone().unwrap_or_default();
        let (chat, id) = id
            .split_once('-')
            .ok_or_else(|| format!("message {no} has no id"))?;
        let key = (chat.parse().unwrap(), id.parse().unwrap());
        known.ids.insert(no.0, message.id);
        known.chats.insert(key.0, message.row.conversation);
        let bodies = message.versions.iter().map(|version| version.body.clone());
        let seen = Seen {
            key,
            versions: bodies.collect(),
            writer: message.row.sender,
        };
        live.insert(no.0, seen);
    }
    Ok(live)
}

/// Gives the messages of a world the numbers the archive gave them, and learns who writes by which
/// number.
pub fn number(world: &mut World, live: &Live, known: &mut Known) {
    let fresh = world.live.split_off(&crate::deeds::UNNUMBERED);
    for (stand_in, record) in fresh {
        let is_new = |no: &u64| !world.live.contains_key(no) && !world.gone.contains_key(no);
        let taken = live
            .iter()
            .find(|(no, seen)| seen.key == record.key && is_new(no));
        world
            .live
            .insert(taken.map_or(stand_in, |(no, _)| *no), record);
    }
    for (no, record) in &world.live {
        if let Some(handle) = live.get(no).and_then(|seen| seen.writer) {
            known.writers.insert(handle, record.sender);
        }
    }
}

/// The world as lines, to be compared with what the archive says. Freezes that the archive set by
/// itself are taken over first.
pub fn lines_of(world: &World) -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    for (no, Record { key, versions, .. }) in &world.live {
        lines.insert(format!("live {no} {key:?} {versions:?}"));
    }
    lines.extend(world.gone.keys().map(|no| format!("gone {no}")));
    for (no, hold) in world.holds.iter().enumerate() {
        let (from, asked, released) = (hold.from, hold.asked.map(|who| who + 1), hold.released);
        lines.insert(format!("hold {} {from} {asked:?} {released:?}", no + 1));
    }
    for version in &world.versions {
        let state = match (version.draft, version.enabled) {
            (true, _) => PolicyState::Draft,
            (_, true) => PolicyState::Enabled,
            _ => PolicyState::Disabled,
        };
        let Version {
            policy,
            version,
            from,
            days,
            author,
            ..
        } = version;
        lines.insert(format!(
            "policy {policy} {version} {state:?} {from} P{days}D {}",
            author + 1
        ));
    }
    lines.insert(format!("events {}", world.events.len()));
    for span in &world.spans {
        let until = (span.until != NEVER).then_some(span.until);
        lines.insert(format!(
            "label {} {:?} {} {until:?}",
            span.label, span.on, span.from
        ));
    }
    for (no, list) in world.lists.iter().enumerate() {
        let (stage, begun, decided) = (list.stage, list.begun, list.decided);
        let items: Vec<u64> = list.items.keys().copied().collect();
        let (off, given) = (list.off.len(), list.approvals.len());
        let checked = list.checked;
        lines.insert(format!(
            "list {} {stage:?} {items:?} {off} {given}/{} {begun} {decided} {checked}",
            no + 1,
            list.needed
        ));
    }
    for freeze in &world.freezes {
        let asked = freeze.asked.map(|who| who + 1);
        lines.insert(format!("freeze {} {asked:?} {}", freeze.no, freeze.lifted));
    }
    for (chat, who) in &world.members {
        lines.insert(format!("member {chat} {who}"));
    }
    lines.insert(format!("backups {}", world.backups.len()));
    lines.insert(format!("running {}", world.running));
    lines
}

/// A search that may wait: a walk may be the least that its computer has to do.
pub fn patient(word: &str) -> SearchRequest {
    let mut request = SearchRequest::new(word);
    request.budget = Some(std::time::Duration::from_secs(600));
    request
}

/// What the archive says of itself, in the same lines.
pub fn lines(app: &Appliance, live: &Live, known: &Known) -> BTreeSet<String> {
    // Before the rows are held: two readers at once would be two connections.
    let backups = app.archive().kept_backups().unwrap().len();
    let rows = app.archive().store().read().unwrap();
    let running = rows.running_imports().unwrap().len();
    let mut lines = BTreeSet::from([format!("backups {backups}"), format!("running {running}")]);
    for (no, Seen { key, versions, .. }) in live {
        lines.insert(format!("live {no} {key:?} {versions:?}"));
    }
    for row in rows.holds().unwrap() {
        let asked = row.release_requested.map(|(_, by)| by.0);
        let released = row.hold.release.map(|release| release.at.0);
        lines.insert(format!(
            "hold {} {} {asked:?} {released:?}",
            row.hold.no.0, row.hold.from.0
        ));
    }
    for row in rows.policy_versions().unwrap() {
        let version = row.version;
        lines.insert(format!(
            "policy {} {} {:?} {} {} {}",
            version.id.no.0,
            version.id.version,
            version.state,
            version.valid_from.0,
            version.period,
            version.author.0
        ));
    }
    lines.insert(format!("events {}", rows.events().unwrap().len()));
    let chat_of = |no: ConversationNo| {
        known
            .chats
            .iter()
            .find(|(_, of)| **of == no)
            .map(|(chat, _)| *chat)
    };
    for span in rows.label_spans().unwrap() {
        let on = match span.target {
            LabelTarget::Message(no) => On::Message(no.0),
            LabelTarget::Conversation(no) => On::Chat(chat_of(no).unwrap_or(u8::MAX)),
        };
        let until = span.ended.map(|(at, _)| at.0);
        lines.insert(format!(
            "label {} {on:?} {} {until:?}",
            span.label.0, span.applied.0
        ));
    }
    for row in rows.freezes().unwrap() {
        let asked = row.lift_requested_by.map(|by| by.0);
        lines.insert(format!(
            "freeze {} {asked:?} {}",
            row.no.0,
            row.lifted.is_some()
        ));
    }
    for (chat, handle) in rows.participants().unwrap() {
        let chat = chat_of(chat).unwrap_or(u8::MAX);
        let who = known.writers.get(&handle).copied().unwrap_or(u8::MAX);
        lines.insert(format!("member {chat} {who}"));
    }
    lists(&rows, &mut lines);
    lines
}

fn lists(rows: &Rows, lines: &mut BTreeSet<String>) {
    for row in rows.dispositions().unwrap() {
        let stage = match row.state {
            DispositionState::InReview => Stage::Review,
            DispositionState::Approved | DispositionState::HandedOver => Stage::Approved,
            DispositionState::Cancelled => Stage::Cancelled,
            DispositionState::Certified => Stage::Done,
        };
        let items = rows.disposition_items(row.batch).unwrap();
        let items: Vec<u64> = items.iter().map(|item| item.message.0).collect();
        let acts = rows.disposition_acts(row.batch).unwrap();
        let count = |kinds: &[ActKind]| acts.iter().filter(|act| kinds.contains(&act.kind)).count();
        let off = count(&[ActKind::Excluded, ActKind::Extended]);
        let given = count(&[ActKind::Approved]);
        let batch = rows.erase_batch(row.batch.0).unwrap();
        let fates = rows.erase_items(row.batch.0).unwrap();
        let decided = batch.is_some() && fates.iter().all(|item| item.fate != EraseFate::Waiting);
        let checked = batch
            .as_ref()
            .is_some_and(|batch| batch.state >= EraseState::Checked);
        lines.insert(format!(
            "list {} {stage:?} {items:?} {off} {given}/{} {} {decided} {checked}",
            row.batch.0,
            row.reviewers,
            batch.is_some()
        ));
        for item in fates {
            if matches!(item.fate, EraseFate::Erased { .. }) {
                lines.insert(format!("gone {}", item.no.0));
            }
        }
    }
}

/// The entries of the log from one on, as names of acts with their results.
pub fn entries(app: &Appliance, from: u64) -> (u64, Vec<String>) {
    let rows = app.archive().store().read().unwrap();
    let size = rows.audit_edge().unwrap().map_or(0, |(size, _)| size);
    let rows = rows.audit_entries(EntryNo(from), EntryNo(size)).unwrap();
    let name = |row: &wordkeep::store::AuditEntryRow| {
        let entry = wordkeep::audit::Entry::parse(&row.entry).unwrap();
        format!("{} {:?}", entry.draft.action.name(), entry.draft.result)
    };
    (size, rows.iter().map(name).collect())
}
