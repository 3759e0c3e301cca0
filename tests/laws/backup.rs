//! The laws of backups: what comes back is what was, what was destroyed stays so, and nobody opens
//! a backup without its escrow.
#![expect(
    clippy::unwrap_used,
    reason = "the steps of a test may fail like the test"
)]

#[path = "../support/house.rs"]
mod house;
#[path = "../support/schema.rs"]
mod schema;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use memchr::memmem;
use wordkeep::app::{
    Appliance, BackupReceipt, BackupRequest, ConversationRequest, NewSecret, RestoreOrder,
    RestoreReceipt, SearchRequest, Session, VerifyRequest, Witnesses, drill_backup, restore_backup,
    verify_backup,
};
use wordkeep::archive::{
    Approval, ApprovalRule, Approved, Archive, ArchiveError, EraseContext, Judge, JudgeError,
    Judged, Judgement, KeepReason, Milestones, Plan, PlanItem, SLICE_ITEMS,
};
use wordkeep::audit::{Action, Draft, EntryActor, Verdict};
use wordkeep::crypto::{RecoveryKey, StretchCost, hex};
use wordkeep::domain::{BatchNo, MessageId, MessageNo, Now, Timestamp, UserNo};
use wordkeep::retention::REQUEST;
use wordkeep::store::{DispositionItemRow, DispositionRow, DispositionState, KeyKind, KeyPurpose};

use schema::Schema;

use house::{Place, copy_tree, count, files_below, import, ios_export, log_in, plain_chat, secret};

/// Messages of the chat every house begins with.
const MESSAGES: usize = 240;

/// A house with messages of five years, attachments, a recovery key and a backup.
struct House {
    _dir: tempfile::TempDir,
    place: Place,
    appliance: Appliance,
    recovery: RecoveryKey,
}

impl House {
    fn new() -> House {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(&dir.path().join("first"));
        let appliance = place.create();
        let root = log_in(&appliance, "root");
        let exports = dir.path().join("exports");
        std::fs::create_dir_all(&exports).unwrap();
        let chat = format!(
            "{}[14/02/2024, 10:00:00] Bo Lund: \u{200e}<attached: 00000001-plan.txt>\n",
            plain_chat("alpha", MESSAGES)
        );
        let media: &[(&str, &[u8])] = &[("00000001-plan.txt", b"the plan of the harbour")];
        import(
            &appliance,
            &root,
            &ios_export(&exports, "Harbour", &chat, media),
        )
        .unwrap();
        let (recovery, _) = appliance.create_recovery_key(&root).unwrap();
        appliance.test_recovery_key(&root, &recovery).unwrap();
        House {
            place,
            appliance,
            recovery,
            _dir: dir,
        }
    }

    /// The same house, opened again, dying at a point when it comes there.
    fn reopened(self, dies_at: Option<&'static str>) -> House {
        let House {
            _dir,
            place,
            appliance,
            recovery,
        } = self;
        drop(appliance);
        let milestones = dies_at.map(|point| Arc::new(StopAt(point)) as Arc<dyn Milestones>);
        let appliance = place.open_watched(Witnesses {
            milestones,
            ..Witnesses::default()
        });
        House {
            appliance: appliance.unwrap(),
            place,
            recovery,
            _dir,
        }
    }

    fn root(&self) -> PathBuf {
        self.place.root.parent().unwrap().to_owned()
    }

    fn target(&self) -> PathBuf {
        self.root().join("target")
    }

    fn session(&self, login: &str) -> Session {
        log_in(&self.appliance, login)
    }

    fn back_up(&self) -> BackupReceipt {
        let request = BackupRequest {
            target: self.target(),
            escrow_targets: vec![self.root().join("second target")],
        };
        self.appliance
            .create_backup(&self.session("root"), &request, &mut |_, _, _| ())
            .unwrap()
    }

    fn order<'a>(&'a self, from: &'a Path, escrow: &'a Path) -> RestoreOrder<'a> {
        RestoreOrder {
            from,
            escrow,
            recovery: &self.recovery,
        }
    }

    fn restore_to(&self, name: &str, from: &Path) -> (Place, RestoreReceipt) {
        let place = Place::new(&self.root().join(name));
        let secret = secret();
        let new = NewSecret {
            secret: &secret,
            label: "first",
            cost: StretchCost::LOGIN,
        };
        let escrow = Archive::escrow_path(&self.root().join("second target"));
        let order = self.order(from, &escrow);
        let receipt = restore_backup(place.settings(), &order, &new, &mut |_, _, _| ()).unwrap();
        (place, receipt)
    }

    /// Destroys the keys of the content of a month, as a purge does, through the seam of the store.
    fn destroy_month(&self, month: i32) -> u64 {
        let store = self.appliance.archive().store();
        let tx = store.write().unwrap();
        let mut gone = 0;
        for row in tx.data_keys().unwrap() {
            if row.purpose.kind == KeyKind::Bucket && row.purpose.bucket_month == Some(month) {
                tx.delete_data_key(row.id).unwrap();
                gone += 1;
            }
        }
        tx.commit().unwrap();
        gone
    }
}

/// Everything a lawyer finds and reads, as texts.
fn told(appliance: &Appliance, session: &Session) -> Vec<String> {
    let mut told = Vec::new();
    for query in [
        "shipment",
        "alphaword7",
        "\"order is agreed\"",
        "from:Bo",
        "2021",
        "alphaword*",
    ] {
        let mut request = SearchRequest::new(query);
        request.limit = 500;
        let answer = appliance.search(session, &request).unwrap().answer;
        told.push(format!("{query}: {}", answer.total));
        let mut hits: Vec<String> = answer.hits.iter().map(|hit| format!("{hit:?}")).collect();
        hits.sort();
        told.extend(hits);
    }
    for conversation in appliance.conversations(session).unwrap() {
        told.push(format!("{conversation:?}"));
        let request = ConversationRequest {
            id: conversation.id,
            around: None,
            since: None,
            until: None,
            limit: 400,
            zone: None,
        };
        let slice = appliance.conversation(session, &request).unwrap();
        told.extend(slice.messages.iter().map(|message| format!("{message:?}")));
    }
    told
}

fn verify_all(appliance: &Appliance) {
    let request = VerifyRequest {
        sample: 16,
        ..VerifyRequest::default()
    };
    let session = log_in(appliance, "rec");
    let report = appliance
        .verify(&session, &request, &mut |_, _, _| ())
        .unwrap();
    assert!(
        matches!(report.log.verdict, Verdict::Sound | Verdict::Unanchored),
        "{}",
        report.to_json()
    );
    assert!(report.record.unwrap().problems().is_empty());
}

#[test]
fn t18_what_is_restored_is_what_was() {
    let house = House::new();
    let backup = house.back_up();
    let before = told(&house.appliance, &house.session("law"));
    assert!(before.len() > MESSAGES);
    let (place, receipt) = house.restore_to("restored", &backup.made.path);
    assert_eq!(receipt.messages, MESSAGES as u64 + 1);
    assert_eq!((receipt.disposed, receipt.packs), (0, 0));
    let restored = place.open().unwrap();
    assert_eq!(told(&restored, &log_in(&restored, "law")), before);
    let plain = restored
        .archive()
        .attachment_bytes(last_message(&restored), 0);
    assert_eq!(plain.unwrap().unwrap(), b"the plan of the harbour");
    verify_all(&restored);
    verify_all(&house.appliance);
    // The new life has its own keys: none of the old secrets' wraps were copied.
    assert!(
        restored.archive().keyring().generation()
            > house.appliance.archive().keyring().generation()
    );
    // And goes on: what is imported then is found, and backed up again.
    let mark = restored.archive().restored().unwrap().unwrap();
    assert!(!mark.confirmed && mark.backup == backup.id);
    assert_eq!(
        restored.backups(&log_in(&restored, "root")).unwrap().len(),
        1
    );
    let more = ios_export(&place.root, "More", &plain_chat("beta", 60), &[]);
    import(&restored, &log_in(&restored, "root"), &more).unwrap();
    assert_eq!(count(&restored, &log_in(&restored, "law"), "betaword*"), 60);
    restored.close().unwrap();
    drop(restored);
    let again = place.open().unwrap();
    assert!(
        again.confirm_restore(&log_in(&again, "root")).is_err(),
        "not the administrator"
    );
    again.confirm_restore(&log_in(&again, "rec")).unwrap();
    assert!(again.archive().restored().unwrap().unwrap().confirmed);
    verify_all(&again);
}

fn last_message(appliance: &Appliance) -> MessageNo {
    appliance
        .archive()
        .store()
        .read()
        .unwrap()
        .last_message()
        .unwrap()
}

#[test]
fn t2_a_thief_with_backup_and_passphrase_opens_nothing() {
    let house = House::new();
    let backup = house.back_up();
    house.appliance.close().unwrap();
    // The backup as a data directory.
    let thief = Place::new(&house.root().join("thief"));
    copy_tree(&backup.made.path, &thief.data());
    assert!(thief.open().is_err());
    // With today's key files and today's secret beside it.
    let keys = house.place.data().join("keys");
    copy_tree(&keys, &thief.data().join("keys"));
    std::fs::rename(
        thief.data().join("record.db"),
        thief.data().join("wordkeep.db"),
    )
    .unwrap();
    let error = thief.open().err().unwrap().to_string();
    assert!(error.contains("does not open with these keys"), "{error}");
    // With the escrow and another recovery key.
    let (other, _) = house
        .appliance
        .create_recovery_key(&house.session("root"))
        .unwrap();
    let escrow = Archive::escrow_path(&house.target());
    let order = RestoreOrder {
        from: &backup.made.path,
        escrow: &escrow,
        recovery: &other,
    };
    let scratch = house.root().join("scratch");
    let error = drill_backup(&order, &scratch, 0, &mut |_, _, _| ())
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("sealed to the recovery key"),
        "{error}"
    );
    // No key of the record is in the files, neither plain nor as it is wrapped there.
    let rows = house.appliance.archive().store().read().unwrap();
    let keys: Vec<Vec<u8>> = rows
        .data_keys()
        .unwrap()
        .into_iter()
        .map(|row| row.wrapped)
        .collect();
    for path in files_below(&house.target()) {
        let bytes = std::fs::read(&path).unwrap();
        for key in &keys {
            assert!(memmem::find(&bytes, key).is_none(), "{}", path.display());
        }
    }
}

#[test]
fn t2_no_canary_in_the_files_of_a_backup() {
    let house = House::new();
    house.back_up();
    let mut needles: Vec<Vec<u8>> = Vec::new();
    for word in [
        "alphaword",
        "shipment",
        "Harbour",
        "Ana Reis",
        "plan.txt",
        "second target",
        "rec\0law",
    ] {
        needles.push(word.as_bytes().to_vec());
        needles.push(word.to_uppercase().into_bytes());
        needles.push(word.encode_utf16().flat_map(u16::to_le_bytes).collect());
        let encoded = STANDARD.encode(word);
        needles.push(encoded.as_bytes()[..encoded.len() - 4].to_vec());
    }
    needles.retain(|needle| needle.len() >= 8);
    assert!(needles.len() >= 16);
    let mut files = 0;
    for path in files_below(&house.target()) {
        files += 1;
        let bytes = std::fs::read(&path).unwrap();
        for needle in &needles {
            let text = String::from_utf8_lossy(needle);
            assert!(
                memmem::find(&bytes, needle).is_none(),
                "{} {text}",
                path.display()
            );
        }
    }
    assert!(files > 5);
}

#[test]
fn every_changed_byte_of_a_backup_is_told() {
    let house = House::new();
    let backup = house.back_up();
    let pins = house.root().join("pins");
    let verdict = |at: &Path| {
        let request = VerifyRequest::default();
        let report = verify_backup(at, &pins, &request, &mut |_, _, _| ()).unwrap();
        (report.verdict(), report.problems())
    };
    let (first, problems) = verdict(&backup.made.path);
    assert_eq!(first, Verdict::Unanchored, "{problems:?}");
    assert_eq!(verdict(&backup.made.path).0, Verdict::Sound, "seen before");
    // The log goes on after a backup; the backup stays sound for whoever follows the log.
    let live = house.place.settings().pins();
    house.appliance.close().unwrap();
    let request = VerifyRequest::default();
    let report = verify_backup(&backup.made.path, &live, &request, &mut |_, _, _| ()).unwrap();
    assert_eq!(report.verdict(), Verdict::Sound, "{:?}", report.problems());
    // A copy: blobs and tiles are hard links into the data directory.
    let copy = house.root().join("copy");
    copy_tree(&backup.made.path, &copy);
    let mut changed = 0;
    for path in files_below(&copy) {
        let whole = std::fs::read(&path).unwrap();
        let step = (whole.len() / 24).max(1);
        for at in (0..whole.len()).step_by(step).chain([whole.len() - 1]) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(&path, &bytes).unwrap();
            let (verdict, problems) = verdict(&copy);
            assert!(
                matches!(verdict, Verdict::Broken | Verdict::Unreadable),
                "{} byte {at}: {problems:?}",
                path.display()
            );
            changed += 1;
        }
        std::fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        assert_ne!(verdict(&copy).0, Verdict::Sound, "{} cut", path.display());
        std::fs::remove_file(&path).unwrap();
        assert_ne!(verdict(&copy).0, Verdict::Sound, "{} gone", path.display());
        std::fs::write(&path, &whole).unwrap();
    }
    assert!(changed > 100, "{changed}");
    assert_eq!(verdict(&copy).0, Verdict::Sound);
    std::fs::write(copy.join("blobs/extra"), b"x").unwrap();
    assert_eq!(verdict(&copy).0, Verdict::Broken, "nobody put it there");
    assert_eq!(
        verdict(&house.root().join("nowhere")).0,
        Verdict::Unreadable
    );
}

/// Stops the thread of the test at a point of the protocol, as a kill would.
struct StopAt(&'static str);

impl Milestones for StopAt {
    fn reached(&self, name: &'static str) {
        assert_ne!(name, self.0, "killed here on purpose");
    }
}

#[test]
fn a_killed_backup_leaves_none_that_looks_whole() {
    for point in [
        "backup.begun",
        "backup.copied",
        "backup.written",
        "backup.named",
        "escrow.written",
    ] {
        let house = House::new();
        house.appliance.close().unwrap();
        let killed = house.reopened(Some(point));
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| killed.back_up()));
        assert!(ended.is_err(), "{point} was never reached");
        let house = killed.reopened(None);
        // No draft is left, and what has a name is whole.
        let whole: Vec<PathBuf> = std::fs::read_dir(house.target())
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_dir())
            .collect();
        for path in &whole {
            assert!(
                path.join("manifest.json").exists(),
                "{point}: {}",
                path.display()
            );
        }
        let kept = house.appliance.archive().kept_backups().unwrap();
        assert_eq!(
            kept.len(),
            usize::from(point == "escrow.written"),
            "{point}"
        );
        // The next backup works as if nothing had been.
        let backup = house.back_up();
        let (place, _) = house.restore_to("restored", &backup.made.path);
        verify_all(&place.open().unwrap());
        verify_all(&house.appliance);
    }
}

#[test]
fn t3_destroyed_keys_stay_destroyed_in_an_elder_backup() {
    let house = House::new();
    let law = house.session("law");
    let backup = house.back_up();
    let month = 2021 * 12 + 2;
    let doomed = count(&house.appliance, &law, "date:2021-03");
    let all = count(&house.appliance, &law, "shipment");
    assert!(doomed > 0 && doomed < all);
    let mut doomed_ids = Vec::new();
    let mut request = SearchRequest::new("date:2021-03");
    request.limit = 500;
    for hit in house.appliance.search(&law, &request).unwrap().answer.hits {
        doomed_ids.push(hit.line.id);
    }
    assert!(house.destroy_month(month) > 0);
    house
        .appliance
        .replace_escrow(&house.session("root"))
        .unwrap();
    let (place, receipt) = house.restore_to("restored", &backup.made.path);
    assert_eq!(receipt.disposed, doomed);
    let restored = place.open().unwrap();
    let law = log_in(&restored, "law");
    assert_eq!(count(&restored, &law, "shipment"), all - doomed);
    assert_eq!(count(&restored, &law, "date:2021-03"), 0);
    for id in doomed_ids {
        let answer = restored.archive().message_of_id(id);
        assert!(
            matches!(answer, Err(ArchiveError::Disposed(_))),
            "{answer:?}"
        );
    }
    let purpose = |row: &KeyPurpose| row.kind == KeyKind::Bucket && row.bucket_month == Some(month);
    let keys = restored
        .archive()
        .store()
        .read()
        .unwrap()
        .data_keys()
        .unwrap();
    assert!(
        !keys.iter().any(|row| purpose(&row.purpose)),
        "the key is absent"
    );
    // Everything else is there, to the last row.
    let verdict = restored.archive().drill(0, &mut |_, _, _| ()).unwrap();
    assert_eq!(verdict.broken, Vec::<String>::new());
    assert_eq!(verdict.messages, MESSAGES as u64 + 1 - doomed);
    verify_all(&restored);
}

/// Lets everything go.
struct Nobody;

impl Judge for Nobody {
    fn begin(&self, _: &wordkeep::store::Rows, _: u64, _: Now) -> Result<(), JudgeError> {
        Ok(())
    }

    fn judge(&self, _: &Judged<'_>) -> Result<Judgement, JudgeError> {
        Ok(Judgement::Erase)
    }
}

/// Keeps messages of an even number, which the plan names all the same.
struct EvenStay;

impl Judge for EvenStay {
    fn begin(&self, _: &wordkeep::store::Rows, _: u64, _: Now) -> Result<(), JudgeError> {
        Ok(())
    }

    fn judge(&self, judged: &Judged<'_>) -> Result<Judgement, JudgeError> {
        Ok(match judged.row.no.0.is_multiple_of(2) {
            true => Judgement::Keep(KeepReason::CHANGED),
            false => Judgement::Erase,
        })
    }
}

fn purge(appliance: &Appliance, batch: u64, doomed: &[MessageId]) -> Result<(), ArchiveError> {
    purge_by(appliance, batch, doomed, &Nobody)
}

fn purge_by(
    appliance: &Appliance,
    batch: u64,
    doomed: &[MessageId],
    judge: &dyn Judge,
) -> Result<(), ArchiveError> {
    let archive = appliance.archive();
    let mut items: Vec<PlanItem> = doomed
        .iter()
        .map(|id| PlanItem {
            no: archive.message_of_id(*id).unwrap().unwrap(),
            revision: 0,
        })
        .collect();
    items.sort_by_key(|item| item.no);
    let plan = Plan {
        batch,
        hold_epoch: 0,
        items,
    };
    let officer = actor(appliance, "rec");
    list(appliance, &plan, &officer);
    let rule = ApprovalRule {
        needed: 1,
        requester: UserNo(1),
        barred: Vec::new(),
        computed: Timestamp(0),
        recall_micros: 0,
    };
    let approval = Approval {
        by: UserNo(2),
        at: Timestamp(1),
    };
    let approved = Approved::new(plan, &[approval], &rule, appliance.now()).unwrap();
    let now = || appliance.now();
    let context = EraseContext {
        actor: officer,
        request: "law".to_owned(),
        now: &now,
        backups: archive,
        slice_items: SLICE_ITEMS,
    };
    archive.erase(&approved, judge, &context).map(drop)
}

fn actor(appliance: &Appliance, login: &str) -> EntryActor {
    let session = log_in(appliance, login);
    EntryActor {
        id: session.actor.id.to_string(),
        role: Some(session.actor.role),
        login: None,
        auth_strength: session.strength,
    }
}

/// The list of a plan and its approval by a lawyer, in record and log; once.
fn list(appliance: &Appliance, plan: &Plan, officer: &EntryActor) {
    let archive = appliance.archive();
    let rows = archive.store().read().unwrap();
    if rows.disposition(BatchNo(plan.batch)).unwrap().is_some() {
        return;
    }
    let epochs = rows.epochs().unwrap();
    drop(rows);
    let lawyer = actor(appliance, "law");
    let now = appliance.now();
    let row = DispositionRow {
        batch: BatchNo(0),
        state: DispositionState::Approved,
        computed: now.compliance,
        requested_by: UserNo(1),
        epochs,
        reviewers: 1,
        recall_micros: 0,
        items: plan.items.len() as u64,
        root: plan.root(),
        text_no: 0,
    };
    let items: Vec<DispositionItemRow> = plan
        .items
        .iter()
        .map(|item| DispositionItemRow {
            message: item.no,
            revision: item.revision,
            policy: REQUEST,
            t0: now.compliance,
            delete_from: now.compliance,
            retain_until: Timestamp::ALWAYS,
            due: now.compliance,
        })
        .collect();
    let planned = Draft::new(officer.clone(), Action::DispositionPlan, "law")
        .object(format!("batch-{}", plan.batch))
        .count("items", row.items)
        .count("reviewers", 1)
        .count("recall", 0)
        .word("root", hex(&row.root));
    let approved = Draft::new(lawyer, Action::DispositionReview, "law")
        .object(format!("batch-{}", plan.batch))
        .word("act", "approve");
    archive
        .write(now, |tx| {
            assert_eq!(tx.insert_disposition(&row, &items)?.0, plan.batch);
            archive.log(tx, now, planned, None)?;
            archive.log(tx, now, approved, None)
        })
        .unwrap();
}

fn ids(appliance: &Appliance, query: &str) -> Vec<MessageId> {
    let mut request = SearchRequest::new(query);
    request.limit = 500;
    let answer = appliance
        .search(&log_in(appliance, "law"), &request)
        .unwrap()
        .answer;
    answer.hits.iter().map(|hit| hit.line.id).collect()
}

/// The packs are part of what is verified, and none may be missing.
fn check_packs(house: &House, first: &BackupReceipt) {
    let pins = house.root().join("pins");
    let verify = || {
        let request = VerifyRequest::default();
        verify_backup(&first.made.path, &pins, &request, &mut |_, _, _| ()).unwrap()
    };
    assert_eq!(verify().problems(), Vec::<String>::new());
    let list = std::fs::read_to_string(first.made.path.join("packs.json")).unwrap();
    let schema = Schema::parse(include_str!("../../schema/json/survivor-packs.json"));
    assert_eq!(
        schema.problems(&serde_json::from_str(&list).unwrap()),
        Vec::<String>::new()
    );
    let pack = first.made.path.join("packs/000001.pack");
    let whole = std::fs::read(&pack).unwrap();
    for at in [0, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        std::fs::write(&pack, bytes).unwrap();
        assert_eq!(verify().verdict(), Verdict::Broken, "byte {at}");
    }
    std::fs::remove_file(&pack).unwrap();
    std::fs::remove_file(first.made.path.join("packs.json")).unwrap();
    for path in files_below(&first.made.path.join("packs")) {
        std::fs::remove_file(path).unwrap();
    }
    let escrow = Archive::escrow_path(&house.target());
    let order = house.order(&first.made.path, &escrow);
    let scratch = house.root().join("scratch");
    let error = drill_backup(&order, &scratch, 0, &mut |_, _, _| ())
        .err()
        .unwrap();
    assert!(error.to_string().contains("survivor pack"), "{error}");
}

fn is_frozen(appliance: &Appliance) -> bool {
    let rows = appliance.archive().store().read().unwrap();
    rows.standing_freeze().unwrap().is_some()
}

#[test]
fn t3_purged_stays_dead_and_survivors_live_in_every_elder_backup() {
    let house = House::new();
    let first = house.back_up();
    let marked = ids(&house.appliance, "date:2021");
    // Every second message of a year goes, the others lie in the same buckets.
    let (doomed, living): (Vec<_>, Vec<_>) = (0..).zip(marked).partition(|(n, _)| n % 2 == 0);
    let doomed: Vec<MessageId> = doomed.into_iter().map(|(_, id)| id).collect();
    assert!(doomed.len() > 10 && living.len() > 10);
    let half = doomed.len() / 2;
    purge(&house.appliance, 1, &doomed[..half]).unwrap();
    let second = house.back_up();
    // A backup out of reach stops the purge before anything is destroyed.
    let away = house.root().join("away");
    std::fs::rename(&first.made.path, &away).unwrap();
    let all = count(&house.appliance, &house.session("law"), "shipment");
    let refused = purge(&house.appliance, 2, &doomed[half..]);
    assert!(refused.is_err(), "{refused:?}");
    assert_eq!(
        count(&house.appliance, &house.session("law"), "shipment"),
        all
    );
    std::fs::rename(&away, &first.made.path).unwrap();
    purge(&house.appliance, 2, &doomed[half..]).unwrap();
    house
        .appliance
        .replace_escrow(&house.session("root"))
        .unwrap();
    verify_all(&house.appliance);
    let law = house.session("law");
    for (name, backup, gone) in [
        ("elder", &first, doomed.len()),
        ("younger", &second, doomed.len() - half),
    ] {
        let (place, receipt) = house.restore_to(name, &backup.made.path);
        assert_eq!(receipt.disposed, gone as u64, "{name}");
        assert!(receipt.packs >= 1, "{name}");
        let restored = place.open().unwrap();
        let told_there = told(&restored, &log_in(&restored, "law"));
        assert_eq!(told_there, told(&house.appliance, &law), "{name}");
        for id in &doomed[half..] {
            let answer = restored.archive().message_of_id(*id);
            assert!(
                matches!(answer, Err(ArchiveError::Disposed(_))),
                "{answer:?}"
            );
        }
        let verdict = restored.archive().drill(0, &mut |_, _, _| ()).unwrap();
        assert_eq!(verdict.broken, Vec::<String>::new(), "{name}");
        assert_eq!(verdict.opened, verdict.rows);
        verify_all(&restored);
        let rows = restored.archive().store().read().unwrap();
        // The certificates of both purges are out in the world: none gets their numbers again.
        assert_eq!(rows.last_certificate().unwrap(), 2, "{name}");
        drop(rows);
        assert!(
            is_frozen(&restored),
            "nothing is destroyed before somebody confirms"
        );
        restored.confirm_restore(&log_in(&restored, "rec")).unwrap();
        assert!(!is_frozen(&restored));
    }
    check_packs(&house, &first);
}

/// A purge of a plan of which the judge keeps a half, which dies at `point`.
fn half_kept_and_dead(point: &'static str) -> (House, BackupReceipt) {
    let house = House::new();
    let backup = house.back_up();
    let planned = ids(&house.appliance, "date:2021");
    let house = house.reopened(Some(point));
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        purge_by(&house.appliance, 1, &planned, &EvenStay)
    }));
    assert!(ended.is_err(), "{point} was never reached");
    (house, backup)
}

fn restored_tells_what_the_living_tells(house: &House, backup: &BackupReceipt, point: &str) {
    let root = house.session("root");
    house.appliance.replace_escrow(&root).unwrap();
    let (place, receipt) = house.restore_to("elder", &backup.made.path);
    let restored = place.open().unwrap();
    assert_eq!(
        told(&restored, &log_in(&restored, "law")),
        told(&house.appliance, &house.session("law")),
        "{point}"
    );
    assert!(receipt.packs >= 1, "{point}");
    verify_all(&restored);
}

#[test]
fn t3_what_dropped_out_as_the_purge_died_lives_in_every_elder_backup() {
    for point in ["erase.decided", "erase.retired", "erase.survivors_kept"] {
        let (house, backup) = half_kept_and_dead(point);
        let all = MESSAGES as u64 + 1;
        let house = house.reopened(None);
        let left = count(&house.appliance, &house.session("law"), "shipment");
        assert!(left < all, "{point}");
        restored_tells_what_the_living_tells(&house, &backup, point);
    }
}

fn close_purge(house: &House) -> Result<u64, ArchiveError> {
    let now = || house.appliance.now();
    let context = EraseContext {
        actor: actor(&house.appliance, "rec"),
        request: "law".to_owned(),
        now: &now,
        backups: house.appliance.archive(),
        slice_items: SLICE_ITEMS,
    };
    let erased = house.appliance.archive().close_erasure(1, &context)?;
    Ok(erased.erased.len() as u64)
}

#[test]
fn t3_what_a_closed_purge_gives_back_lives_in_every_elder_backup() {
    let (house, backup) = half_kept_and_dead("erase.hold_written");
    let house = house.reopened(None);
    assert_eq!(close_purge(&house).unwrap(), 0);
    restored_tells_what_the_living_tells(&house, &backup, "closed");
}

#[test]
fn t3_a_backup_out_of_reach_stays_owed_and_stops_the_purge() {
    let (house, backup) = half_kept_and_dead("erase.decided");
    let away = house.root().join("away");
    std::fs::rename(&backup.made.path, &away).unwrap();
    // Reading goes on without that disk; destroying does not.
    let house = house.reopened(None);
    let owed = |house: &House| {
        let rows = house.appliance.archive().store().read().unwrap();
        rows.owed_survivors().unwrap().len()
    };
    assert_eq!(owed(&house), 1);
    let refused = close_purge(&house);
    assert!(
        matches!(refused, Err(ArchiveError::Unreachable(_))),
        "{refused:?}"
    );
    std::fs::rename(&away, &backup.made.path).unwrap();
    assert!(close_purge(&house).unwrap() > 0);
    assert_eq!(owed(&house), 0);
    restored_tells_what_the_living_tells(&house, &backup, "back");
}

#[test]
fn d26_rules_newer_than_the_backup_are_in_force_before_the_first_read() {
    let house = House::new();
    let backup = house.back_up();
    let (law, root) = (house.session("law"), house.session("root"));
    house
        .appliance
        .freeze(&law, "the matter of the harbour is open")
        .unwrap();
    house.appliance.disable_user(&root, "aud").unwrap();
    house.appliance.replace_escrow(&root).unwrap();
    let (place, _) = house.restore_to("restored", &backup.made.path);
    let restored = place.open().unwrap();
    let rec = log_in(&restored, "rec");
    let freezes = restored.freezes(&rec).unwrap();
    assert_eq!(freezes.len(), 2, "{freezes:?}");
    assert_eq!(freezes[0].words, "the matter of the harbour is open");
    assert!(
        restored.log_in("aud", house::PASSWORD, 1).is_err(),
        "who left stays away"
    );
    verify_all(&restored);
    // One officer confirms the restore; the freeze of legal goes on.
    restored.confirm_restore(&rec).unwrap();
    assert!(is_frozen(&restored));
}

#[test]
fn the_documents_of_a_backup_keep_their_schemas() {
    let house = House::new();
    let backup = house.back_up();
    let manifest = std::fs::read_to_string(backup.made.path.join("manifest.json")).unwrap();
    let schema = Schema::parse(include_str!("../../schema/json/backup-manifest.json"));
    assert_eq!(
        schema.problems(&serde_json::from_str(&manifest).unwrap()),
        Vec::<String>::new()
    );
    let escrow = Archive::escrow_path(&house.target());
    let order = house.order(&backup.made.path, &escrow);
    let report = drill_backup(&order, &house.root().join("scratch"), 0, &mut |_, _, _| ()).unwrap();
    let schema = Schema::parse(include_str!("../../schema/json/restore-report.json"));
    assert_eq!(schema.problems(&report.to_json()), Vec::<String>::new());
    assert!(report.problems.is_empty() && report.verdict.opened == report.verdict.rows);
}

#[test]
fn an_escrow_older_than_the_backup_is_told_and_refused() {
    let house = House::new();
    let first = house.back_up();
    let kept = house.root().join("old escrow");
    std::fs::copy(Archive::escrow_path(&house.target()), &kept).unwrap();
    let second = house.back_up();
    let scratch = house.root().join("scratch");
    let drill = |from: &Path, sample| {
        drill_backup(
            &house.order(from, &kept),
            &scratch,
            sample,
            &mut |_, _, _| (),
        )
    };
    let report = drill(&first.made.path, 0).unwrap();
    assert_eq!(report.problems, Vec::<String>::new());
    assert_eq!(report.verdict.opened, report.verdict.rows);
    let sampled = drill(&first.made.path, 20).unwrap().verdict;
    assert!(
        sampled.opened >= 10 && sampled.opened < sampled.rows,
        "{sampled:?}"
    );
    let error = drill(&second.made.path, 0).err().unwrap().to_string();
    assert!(error.contains("does not know"), "{error}");
    assert_eq!(
        std::fs::read_dir(&scratch).unwrap().count(),
        0,
        "nothing stays behind"
    );
}
