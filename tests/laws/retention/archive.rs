//! Rules over a whole archive: holds of every shape, exact scopes, reasons, simulations, and the
//! way from a frozen list through the door of destruction.

use std::path::Path;
use std::sync::Arc;

use chrono_tz::Tz;
use wordkeep::app::{Appliance, Session};
use wordkeep::archive::{
    Archive, Batch, EraseContext, Fate, Incoming, KeepReason, NoBackups, Packed, SLICE_ITEMS,
};
use wordkeep::audit::EntryActor;
use wordkeep::domain::{
    App, BatchNo, Blocker, ConversationKind, ConversationNo, FreezeNo, FreezeReason, GRACE_DAYS,
    Hold, HoldId, HoldNo, HoldScope, Kind, LabelId, LabelNo, LabelTarget, Level, Lock, MatterNo,
    MessageNo, Now, PolicyAction, PolicyId, PolicyRef, PolicyVersion, Precision, Presence, Reason,
    Scope, Timestamp, UserNo, Verdict, ZoneSource,
};
use wordkeep::query::Purpose;
use wordkeep::retention::{
    self, Book, Draft, HoldWords, Matcher, PolicyWords, Present, Recheck, RetentionError,
    ScopeContext, approved, keep, locks_to_record, may_approve, simulate, survey, why,
};
use wordkeep::search::NameIndex;
use wordkeep::store::{
    ActKind, DispositionActRow, FreezeRow, HoldRow, LabelRow, MessageRow, PolicyVersionRow,
    StoreError,
};

use super::house::{Place, count, import, ios_export, log_in, plain_chat};
use super::world::{MANY, at, hold, policy, present};

const NOW: &str = "2030-03-01";

struct Office {
    dir: tempfile::TempDir,
    appliance: Appliance,
    root: Session,
    next_id: std::cell::Cell<u128>,
}

impl Office {
    fn new() -> Office {
        let dir = tempfile::tempdir().unwrap();
        let appliance = Place::new(dir.path()).create();
        let root = log_in(&appliance, "root");
        Office {
            dir,
            appliance,
            root,
            next_id: std::cell::Cell::new(1),
        }
    }

    /// An office with one chat of so many messages by Ana Reis, Bo Lund and Cy Park.
    fn with_chat(messages: usize) -> Office {
        let office = Office::new();
        office.take("Law", &plain_chat("law", messages));
        office
    }

    fn take(&self, title: &str, chat: &str) {
        let folder = self.dir.path().join(title);
        std::fs::create_dir_all(&folder).unwrap();
        self.take_from(&folder, title, chat);
    }

    fn take_from(&self, folder: &Path, title: &str, chat: &str) {
        let export = ios_export(folder, title, chat, &[]);
        import(&self.appliance, &self.root, &export).unwrap();
    }

    fn archive(&self) -> &Archive {
        self.appliance.archive()
    }

    /// Calls with the names of everybody.
    fn named<T>(&self, act: impl FnOnce(&dyn wordkeep::query::Directory) -> T) -> T {
        let names = NameIndex::new(Arc::new(self.archive().directory().unwrap()));
        let everything = Scope::everything();
        act(&names.within(self.archive(), &everything, None))
    }

    fn id(&self) -> u128 {
        self.next_id.set(self.next_id.get() + 1);
        self.next_id.get()
    }

    fn scope(&self, text: &str, purpose: Purpose) -> retention::Scope {
        let context = ScopeContext {
            purpose,
            zone: Tz::UTC,
            now: at(NOW),
            accepted: &[],
        };
        self.named(|names| retention::Scope::read(text, names, &context).unwrap())
    }

    fn policy(&self, action: PolicyAction, period: &str, scope: &str) -> PolicyVersion {
        self.enable(policy(0, action, period), scope)
    }

    fn enable(&self, version: PolicyVersion, scope: &str) -> PolicyVersion {
        let scope = self.scope(scope, Purpose::PolicyScope);
        let words = PolicyWords {
            name: "Test".to_owned(),
            scope: scope.canonical,
            ..PolicyWords::default()
        };
        let archive = self.archive();
        archive
            .write(present(NOW).now, |tx| {
                let no = tx.insert_policy(PolicyId(self.id()), at(NOW))?;
                let mut version = PolicyVersion {
                    id: PolicyRef { no, version: 0 },
                    ..version
                };
                version.id = tx.insert_policy_version(&PolicyVersionRow {
                    version,
                    approved_by: None,
                    text_no: archive.seal_texts(tx, &words.texts())?,
                })?;
                Ok(version)
            })
            .unwrap()
    }

    fn hold(&self, scope: HoldScope, query: &str, items: &[MessageNo], context: u16) -> HoldNo {
        let query = match query {
            "" => String::new(),
            text => self.scope(text, Purpose::HoldScope).canonical,
        };
        self.hold_as_written(scope, query, items, context)
    }

    fn hold_as_written(
        &self,
        scope: HoldScope,
        query: String,
        items: &[MessageNo],
        keep_context: u16,
    ) -> HoldNo {
        let words = HoldWords {
            query,
            ..HoldWords::default()
        };
        let archive = self.archive();
        archive
            .write(present(NOW).now, |tx| {
                let no = tx.insert_hold(&HoldRow {
                    id: HoldId(self.id()),
                    hold: Hold {
                        matter: MatterNo(1),
                        scope,
                        from: at("2026-01-01"),
                        grace_days: GRACE_DAYS,
                        keep_context,
                        ..hold(0)
                    },
                    release_requested: None,
                    text_no: archive.seal_texts(tx, &words.texts())?,
                    release_text_no: None,
                })?;
                for item in items {
                    tx.insert_hold_item(no, *item)?;
                }
                Ok(no)
            })
            .unwrap()
    }

    fn book(&self) -> Book {
        let rows = self.archive().store().read().unwrap();
        self.named(|names| Book::load(self.archive(), &rows, names).unwrap())
    }

    /// Every message with its verdict on a day when everything is in order.
    fn verdicts(&self, day: &str) -> Vec<(MessageRow, Verdict)> {
        let mut all = Vec::new();
        let book = self.book();
        survey(self.archive(), &[&book], &present(day), |looked| {
            all.push((looked.row.clone(), looked.verdicts[0]));
            Ok(())
        })
        .unwrap();
        all
    }

    fn held(&self) -> Vec<(MessageNo, bool)> {
        self.verdicts(NOW)
            .into_iter()
            .map(|(row, verdict)| (row.no, verdict.held_by.is_some()))
            .collect()
    }

    /// The messages in whose words a word stands.
    fn having(&self, word: &str) -> Vec<MessageNo> {
        let mut rows = Vec::new();
        let mut reader = self.archive().reader().unwrap();
        let end = MessageNo(reader.rows().last_message().unwrap().0 + 1);
        reader
            .rows()
            .each_message(MessageNo(0), end, |row| {
                rows.push(row);
                Ok::<(), StoreError>(())
            })
            .unwrap();
        rows.into_iter()
            .map(|row| reader.open(row).unwrap())
            .filter(|opened| {
                let mut bodies = opened.versions.iter().map(|version| &version.body);
                bodies.any(|body| body.split_whitespace().any(|one| one == word))
            })
            .map(|opened| opened.row.no)
            .collect()
    }
}

#[test]
fn shared_record_held() {
    let office = Office::with_chat(30);
    office.take("Two", "[13/01/2020, 10:00:00] Dee Ost: nothing to see\n");
    office.policy(PolicyAction::Delete, "P1Y", "*");
    assert!(office.verdicts(NOW).iter().all(|(_, v)| v.eligible));
    let directory = office.archive().directory().unwrap();
    let ana = directory.handles.values().find(|h| h.label == "Ana Reis");
    let hold = office.hold(HoldScope::Custodian(ana.unwrap().person), "", &[], 0);
    // All of the chat of three is hers too; the other chat is not.
    let verdicts = office.verdicts(NOW);
    assert_eq!(verdicts.len(), 31);
    for (row, verdict) in &verdicts {
        let shared = row.conversation == ConversationNo(1);
        let expected = shared.then_some(Blocker::Held(hold));
        assert_eq!(verdict.blocker, expected, "{}", row.no);
    }
}

#[test]
fn dynamic_hold_catches_new() {
    let office = Office::with_chat(30);
    office.policy(PolicyAction::Delete, "P1Y", "*");
    let hold = office.hold(HoldScope::Query, "zebra OR lawword7", &[], 0);
    let held = |office: &Office| -> Vec<MessageNo> {
        let all = office.held();
        all.into_iter()
            .filter(|(_, held)| *held)
            .map(|(no, _)| no)
            .collect()
    };
    assert_eq!(held(&office), office.having("lawword7"));
    // Old talk comes in later: held from its first instant, in a conversation that is new.
    office.take("Zoo", "[13/01/2011, 10:00:00] Dee Ost: zebra crossing\n");
    let zebra = office.having("zebra");
    assert_eq!((zebra.len(), held(&office).len()), (1, 2));
    assert!(held(&office).contains(&zebra[0]));
    let book = office.book();
    let answer = why(office.archive(), &book, &present(NOW), zebra[0]).unwrap();
    let (verdict, reasons) = answer.unwrap();
    assert_eq!(verdict.held_by, Some(hold));
    assert!(reasons.contains(&Reason::Held {
        hold,
        matter: MatterNo(1),
        until: Timestamp::NEVER,
    }));
}

/// Adds a version to a message.
fn revise(office: &Office, row: &MessageRow, body: &str) {
    let archive = office.archive();
    let mut batch = Batch::new(row.import);
    let incoming = Incoming {
        fate: Fate::Revised(row.no),
        conversation: row.conversation,
        shard: archive
            .reader()
            .unwrap()
            .conversation(row.conversation)
            .unwrap()
            .shard,
        sender: row.sender,
        sent: row.sent,
        order: row.order,
        app: App::WhatsApp,
        conversation_kind: ConversationKind::Group,
        kind: Kind::Text,
        presence: Presence::default(),
    };
    let words = Packed {
        body,
        local_offset: None,
        precision: Precision::Second,
        zone_source: ZoneSource::Default,
        source_id: None,
        reply_to: None,
        entry: 0,
        span: (0, 0),
        raw_form: &[],
        attachments: Vec::new(),
        extras: wordkeep::domain::Extras::default(),
    };
    batch.push(incoming, &words, std::iter::empty());
    archive
        .admit(batch, present(NOW).now, |_, _| Ok(()))
        .unwrap();
}

#[test]
fn static_hold_follows_edits() {
    let office = Office::with_chat(10);
    office.policy(PolicyAction::Delete, "P1Y", "*");
    let no = office.having("lawword3")[0];
    let other = office.having("lawword4")[0];
    office.hold(HoldScope::Ids, "", &[no], 0);
    office.hold(HoldScope::Query, "changed", &[], 0);
    let row = |no| {
        office
            .archive()
            .reader()
            .unwrap()
            .rows()
            .message(no)
            .unwrap()
            .unwrap()
    };
    for no in [no, other] {
        revise(&office, &row(no), "the words were changed");
        assert_eq!(row(no).version, 1);
    }
    // The list goes on protecting the new version; the query finds the words of the new version.
    let held: Vec<MessageNo> = office
        .verdicts(NOW)
        .into_iter()
        .filter(|(_, verdict)| verdict.held_by.is_some())
        .map(|(row, _)| row.no)
        .collect();
    assert_eq!(held, [no, other]);
}

#[test]
fn h9_context_is_held_with_what_it_surrounds() {
    let office = Office::with_chat(40);
    let no = office.having("lawword20")[0].0;
    office.hold(HoldScope::Query, "lawword20", &[], 3);
    let held: Vec<u64> = office
        .held()
        .into_iter()
        .filter(|(_, held)| *held)
        .map(|(no, _)| no.0)
        .collect();
    assert_eq!(held, (no - 3..=no + 3).collect::<Vec<u64>>());
}

#[test]
fn h9_a_hold_whose_scope_no_longer_reads_stops_everything() {
    let office = Office::with_chat(5);
    office.policy(PolicyAction::Delete, "P1Y", "*");
    office.hold_as_written(
        HoldScope::Query,
        "from:per_00000000000000000000000007".to_owned(),
        &[],
        0,
    );
    let book = office.book();
    let asked = survey(office.archive(), &[&book], &present(NOW), |_| Ok(()));
    assert!(matches!(asked, Err(RetentionError::ScopeBroken { .. })));
    // Nobody's past is in its way: before it was placed it protected nothing.
    let before = survey(office.archive(), &[&book], &present("2025-01-01"), |_| {
        Ok(())
    });
    assert!(before.is_ok());
}

#[test]
fn h6_a_simulation_counts_what_a_search_counts() {
    let office = Office::with_chat(300);
    let officer = log_in(&office.appliance, "rec");
    let in_force = office.book();
    let mut tried = office.book();
    let scope = office.scope("from:\"Ana Reis\"", Purpose::PolicyScope);
    tried.try_policy(policy(7, PolicyAction::Delete, "P8Y"), scope, at(NOW));
    let rows = office.archive().store().read().unwrap();
    let found = simulate(office.archive(), &rows, &in_force, &tried, at(NOW)).unwrap();
    let due = count(
        &office.appliance,
        &officer,
        "from:\"Ana Reis\" before:2022-03-01",
    );
    assert!(due > 20 && due < 300);
    assert_eq!((found.records, found.eligible, found.more), (300, due, due));
    assert_eq!((found.fewer, found.eligible_now), (0, 0));
    let all = count(&office.appliance, &officer, "from:\"Ana Reis\"");
    assert_eq!(found.blocked.not_due, all - due);
    assert_eq!(found.blocked.nothing_deletes, 300 - all);
    assert_eq!(found.by_app.values().sum::<u64>(), due);
    assert_eq!(
        found.by_custodian.values().copied().collect::<Vec<_>>(),
        [due]
    );
    let by_year: u64 = found.by_year.values().sum();
    let first = count(&office.appliance, &officer, "from:\"Ana Reis\" date:2019");
    assert_eq!((by_year, found.by_year[&2019]), (due, first));
    assert_eq!(
        found.samples.len(),
        retention::SAMPLES_MAX.min(due as usize)
    );
    let again = simulate(office.archive(), &rows, &in_force, &tried, at(NOW)).unwrap();
    assert_eq!(found, again);
    // The other way round the same policy lets fewer go.
    let back = simulate(office.archive(), &rows, &tried, &in_force, at(NOW)).unwrap();
    assert_eq!((back.fewer, back.eligible), (due, 0));
}

#[test]
fn h5_labels_of_a_conversation_and_of_a_message() {
    let office = Office::with_chat(6);
    let archive = office.archive();
    let label = archive
        .write(present(NOW).now, |tx| {
            Ok(tx.insert_label(&LabelRow {
                no: LabelNo(0),
                id: LabelId(3),
                text_no: archive.seal_texts(tx, &["Contract", ""])?,
                created: at("2027-01-01"),
                created_by: UserNo(1),
            })?)
        })
        .unwrap();
    office.enable(
        PolicyVersion {
            level: Level::Label(label),
            ..policy(0, PolicyAction::Delete, "P1Y")
        },
        "*",
    );
    let first = office.verdicts(NOW)[0].0.no;
    let put = |target, label| {
        let tx = archive.store().write().unwrap();
        tx.apply_label(label, target, at("2027-01-01"), UserNo(1))
            .unwrap();
        tx.commit().unwrap();
    };
    assert!(office.verdicts(NOW).iter().all(|(_, v)| !v.eligible));
    put(LabelTarget::Conversation(ConversationNo(1)), label);
    assert!(office.verdicts(NOW).iter().all(|(_, v)| v.eligible));
    // Its own label goes before that of the conversation.
    put(LabelTarget::Message(first), LabelNo(99));
    for (row, verdict) in office.verdicts(NOW) {
        assert_eq!(verdict.eligible, row.no != first);
    }
}

/// Freezes everything that is due, has it approved by two people, and hands it to the door.
struct Disposal {
    batch: BatchNo,
    now: Now,
}

impl Disposal {
    fn freeze(office: &Office, day: &str) -> Disposal {
        let mut draft = Draft::new();
        for (row, verdict) in office.verdicts(day) {
            draft.add(&row, &verdict);
        }
        Disposal::of(office, day, draft)
    }

    fn of(office: &Office, day: &str, draft: Draft) -> Disposal {
        let now = present(day).now;
        let book = office.book();
        let (row, items) = draft.freeze(now, UserNo(1), book.epochs(), MANY, 0);
        let tx = office.archive().store().write().unwrap();
        let batch = tx.insert_disposition(&row, &items).unwrap();
        tx.commit().unwrap();
        Disposal { batch, now }
    }

    fn approve(&self, office: &Office, by: u32) {
        let tx = office.archive().store().write().unwrap();
        let row = tx.disposition(self.batch).unwrap().unwrap();
        let acts = tx.disposition_acts(self.batch).unwrap();
        may_approve(&row, &[], &acts, UserNo(by)).unwrap();
        let act = DispositionActRow {
            kind: ActKind::Approved,
            by: UserNo(by),
            at: Timestamp(self.now.compliance.0 + 1),
            message: None,
            until: None,
            text_no: None,
        };
        tx.insert_disposition_act(self.batch, &act).unwrap();
        tx.commit().unwrap();
    }

    fn erase(
        &self,
        office: &Office,
        day: &str,
    ) -> Result<wordkeep::archive::Erased, RetentionError> {
        let now = present(day).now;
        let book = office.book();
        let rows = office.archive().store().read()?;
        let row = rows.disposition(self.batch)?.unwrap();
        let items = rows.disposition_items(self.batch)?;
        let acts = rows.disposition_acts(self.batch)?;
        drop(rows);
        let plan = approved(&book, &row, &items, &acts, now)?;
        let context = EraseContext {
            actor: EntryActor::system(),
            request: "test".to_owned(),
            now: &|| now,
            backups: &NoBackups,
            slice_items: SLICE_ITEMS,
        };
        office.named(|names| {
            let judge = Recheck::new(office.archive(), names, true, &items);
            Ok(office.archive().erase(&plan, &judge, &context)?)
        })
    }
}

#[test]
fn d1_what_changed_after_approval_stays_and_the_rest_goes() {
    let office = Office::with_chat(60);
    let officer = log_in(&office.appliance, "rec");
    office.policy(PolicyAction::Delete, "P5Y", "before:2022-01-01");
    let disposal = Disposal::freeze(&office, NOW);
    let listed = count(&office.appliance, &officer, "before:2022-01-01");
    disposal.approve(&office, 2);
    assert!(matches!(
        disposal.erase(&office, "2030-04-01"),
        Err(RetentionError::NotApproved(_))
    ));
    disposal.approve(&office, 3);
    assert!(disposal.erase(&office, "2030-03-07").is_err());
    let no = office.having("lawword3")[0];
    let hold = office.hold(HoldScope::Query, "lawword3", &[], 0);
    let erased = disposal.erase(&office, "2030-04-01").unwrap();
    let reason = KeepReason {
        code: keep::HELD,
        object: u64::from(hold.0),
    };
    assert_eq!(erased.dropped, [(no, reason)]);
    assert_eq!(erased.erased.len() as u64, listed - 1);
    assert!(erased.residue.is_clean());
    assert_eq!(count(&office.appliance, &officer, "before:2022-01-01"), 1);
    assert_eq!(count(&office.appliance, &officer, "lawword3"), 1);
    assert_eq!(count(&office.appliance, &officer, "*"), 60 - listed + 1);
}

#[test]
fn d1_a_freeze_or_a_doubtful_clock_stops_the_whole_list() {
    let office = Office::with_chat(12);
    office.policy(PolicyAction::Delete, "P1Y", "*");
    let disposal = Disposal::freeze(&office, NOW);
    disposal.approve(&office, 2);
    disposal.approve(&office, 3);
    let tx = office.archive().store().write().unwrap();
    let freeze = FreezeRow {
        no: FreezeNo(0),
        reason: FreezeReason::Legal,
        since: at(NOW),
        set_by: Some(UserNo(4)),
        text_no: None,
        lift_requested_by: None,
        lifted: None,
    };
    let no = tx.insert_freeze(&freeze).unwrap();
    tx.commit().unwrap();
    assert!(disposal.erase(&office, "2030-04-01").is_err());
    assert_eq!(office.verdicts(NOW).len(), 12);
    let tx = office.archive().store().write().unwrap();
    tx.request_lift(no, UserNo(4)).unwrap();
    tx.lift_freeze(no, at(NOW), UserNo(5)).unwrap();
    tx.commit().unwrap();
    // Another version of the policy than the approved one lets nothing of the list go.
    let erased = disposal.erase(&office, "2030-04-01").unwrap();
    assert_eq!((erased.erased.len(), erased.dropped.len()), (12, 0));
}

#[test]
fn d1_another_version_than_the_approved_one_lets_nothing_go() {
    let office = Office::with_chat(8);
    let version = office.policy(PolicyAction::Delete, "P1Y", "*");
    let disposal = Disposal::freeze(&office, NOW);
    disposal.approve(&office, 2);
    disposal.approve(&office, 3);
    let archive = office.archive();
    archive
        .write(present(NOW).now, |tx| {
            let row = tx.policy_version(version.id)?.unwrap();
            tx.insert_policy_version(&row)?;
            Ok(())
        })
        .unwrap();
    let erased = disposal.erase(&office, "2030-04-01").unwrap();
    let codes: Vec<u16> = erased
        .dropped
        .iter()
        .map(|(_, reason)| reason.code)
        .collect();
    assert_eq!(codes, [keep::OTHER_POLICY; 8]);
}

#[test]
fn h9_a_hold_wants_back_what_was_disposed_of() {
    let office = Office::with_chat(6);
    let hold = office.hold(HoldScope::Query, "lawword2", &[], 0);
    let book = office.book();
    let mut matcher = Matcher::new(&book, office.archive());
    let mut reader = office.archive().reader().unwrap();
    let mut wants = |word: &str, day: &str| {
        let opened = reader.message(office.having(word)[0]).unwrap().unwrap();
        opened.with_record(|record| matcher.wants(record, at(day)).unwrap())
    };
    assert!(wants("lawword2", NOW) && !wants("lawword3", NOW));
    assert!(
        !wants("lawword2", "2025-01-01"),
        "{hold} was not placed yet"
    );
}

#[test]
fn a_message_whose_import_still_runs_is_as_young_as_can_be() {
    let office = Office::with_chat(3);
    office.policy(PolicyAction::Delete, "P1Y", "*");
    let tx = office.archive().store().write().unwrap();
    let mut row = tx.imports().unwrap().remove(0);
    row.ended = None;
    tx.update_import(&row).unwrap();
    tx.commit().unwrap();
    for (_, verdict) in office.verdicts(NOW) {
        assert_eq!(verdict.floor, at("2030-03-31"));
    }
    let missing = why(
        office.archive(),
        &office.book(),
        &Present::as_of(at(NOW)),
        MessageNo(77),
    );
    assert_eq!(missing.unwrap(), None);
}

#[test]
fn h7_locks_of_changing_scopes_are_recorded_with_the_record() {
    let office = Office::with_chat(10);
    office.enable(
        PolicyVersion {
            lock: Lock::Compliance(at("2090-01-01")),
            valid_from: at("2026-01-01"),
            ..policy(0, PolicyAction::Retain, "P9Y")
        },
        "lawword3 OR (lawword4 AND NOT is:edited)",
    );
    let no = office.having("lawword4")[0];
    let locked = |office: &Office| {
        let all = office.verdicts(NOW);
        all.into_iter()
            .find(|(row, _)| row.no == no)
            .unwrap()
            .1
            .locked_until
    };
    let promised = locked(&office);
    let found = locks_to_record(office.archive(), &office.book(), &present(NOW)).unwrap();
    assert_eq!(found.len(), 2);
    let tx = office.archive().store().write().unwrap();
    for (no, floor) in found {
        tx.raise_floor(no, floor).unwrap();
    }
    tx.commit().unwrap();
    let row = office
        .archive()
        .reader()
        .unwrap()
        .rows()
        .message(no)
        .unwrap()
        .unwrap();
    revise(&office, &row, "lawword4 edited");
    assert_eq!(locked(&office), promised);
    assert!(promised > at(NOW));
    let left = locks_to_record(office.archive(), &office.book(), &present(NOW)).unwrap();
    assert_eq!(left, []);
}

#[test]
fn d6_a_request_takes_what_nothing_keeps() {
    let office = Office::with_chat(20);
    office.policy(PolicyAction::Retain, "P9Y", "lawword3");
    office.hold(HoldScope::Query, "lawword4", &[], 0);
    let day = present(NOW);
    let mut draft = Draft::new();
    for (row, verdict) in office.verdicts(NOW) {
        draft.add_request(&row, &verdict, &day);
    }
    // The duty to keep has ended where the message is old enough.
    let kept = [office.having("lawword3")[0], office.having("lawword4")[0]];
    let listed: Vec<MessageNo> = draft.items().iter().map(|item| item.message).collect();
    let duty = office.verdicts(NOW)[3].1.retain_until > at(NOW);
    assert_eq!(listed.contains(&kept[0]), !duty);
    assert!(!listed.contains(&kept[1]));
    let disposal = Disposal::of(&office, NOW, draft);
    disposal.approve(&office, 2);
    let late = office.hold(HoldScope::Query, "lawword9", &[], 0);
    let erased = disposal.erase(&office, "2030-04-01").unwrap();
    let reason = KeepReason {
        code: keep::HELD,
        object: u64::from(late.0),
    };
    assert_eq!(erased.dropped, [(office.having("lawword9")[0], reason)]);
    assert_eq!(erased.erased.len(), listed.len() - 1);
}
