//! The laws of the purge on a small archive: what goes, what stays, what a crash leaves.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use super::testing::*;
use super::*;
use crate::archive::{ArchiveError, Fate};
use crate::audit::{Action, Draft, Entry, EntryActor, Fact, LogEnd};
use crate::domain::{EntryNo, MessageNo, Now};
use crate::store::{EraseState, StoreError, WriteTx};

mod late;
mod left;

/// 15 January and 15 March 2021.
const JANUARY: i64 = 1_610_668_800;
const MARCH: i64 = 1_615_766_400;

fn without(all: &BTreeMap<MessageNo, String>, gone: &[MessageNo]) -> BTreeMap<MessageNo, String> {
    let mut left = all.clone();
    left.retain(|no, _| !gone.contains(no));
    left
}

/// What the log says of one kind of act, oldest first.
fn logged(house: &House, action: Action) -> Vec<Draft> {
    let rows = house.archive().store().read().unwrap();
    let end = LogEnd::read(&rows).unwrap().edge.size();
    let entries = rows.audit_entries(EntryNo(0), EntryNo(end)).unwrap();
    let drafts = entries
        .iter()
        .map(|row| Entry::parse(&row.entry).unwrap().draft);
    drafts.filter(|draft| draft.action == action).collect()
}

fn count(draft: &Draft, name: &str) -> i64 {
    match draft.facts.get(name) {
        Some(Fact::Number(number)) => *number,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn d5_erased_messages_are_gone_and_survivors_are_whole() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let january = house.say(chat, JANUARY, &bodies("jan", 20));
    let march = house.say(chat, MARCH, &bodies("mar", 20));
    let before = house.words();
    let gone: Vec<MessageNo> = [&january[3..9], &march[..1]].concat();
    let keys = house.bucket_keys();
    let erased = house.erase(1, &gone).unwrap();
    assert_eq!(erased.erased.len(), 7);
    assert!(erased.dropped.is_empty() && erased.residue.is_clean());
    assert!(erased.residue.sampled >= 14, "{:?}", erased.residue);
    assert_eq!(house.words(), without(&before, &gone));
    assert_eq!(house.bucket_keys(), keys);
    assert!(house.found("jan4word").is_empty());
    assert_eq!(house.found("janall").len(), 14);
    assert_eq!(
        house.archive().index().word_frequency("jan4word").unwrap(),
        0
    );
    let rows = house.archive().store().read().unwrap();
    let row = rows.conversation(chat.no).unwrap().unwrap();
    assert_eq!(row.messages, 33);
    assert_eq!(row.span.unwrap().first.seconds(), JANUARY);
    assert!(erased.generation_after >= erased.generation_before + 2);
    assert!(erased.keys_destroyed.len() >= 3, "two buckets, a segment");
    drop(rows);
    let checked = house.archive().erased(1).unwrap();
    assert_eq!(checked, erased);
    // Both months fit into one slice.
    assert_eq!(logged(&house, Action::EraseSlice).len(), 1);
    house.reopen(None);
    assert_eq!(house.words(), without(&before, &gone));
    let content = house.archive().verify_content(&mut |_, _| ()).unwrap();
    assert_eq!(content.broken, Vec::<String>::new());
    let index = house
        .archive()
        .verify_index(100, NOW, &mut |_, _| ())
        .unwrap();
    assert!(index.is_sound(), "{index:?}");
}

#[test]
fn d5_the_span_of_a_conversation_is_that_of_what_is_left() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let january = house.say(chat, JANUARY, &bodies("jan", 3));
    house.say(chat, MARCH, &bodies("mar", 2));
    house.erase(1, &january).unwrap();
    let rows = house.archive().store().read().unwrap();
    let row = rows.conversation(chat.no).unwrap().unwrap();
    assert_eq!(row.span.unwrap().first.seconds(), MARCH);
    assert_eq!(row.span.unwrap().last.seconds(), MARCH + 60);
    assert_eq!(row.messages, 2);
}

#[test]
fn h4_what_the_judge_keeps_stays_and_is_told() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 6));
    let before = house.words();
    let bench = Bench {
        held: [(numbers[2], 4)].into(),
        ..Bench::default()
    };
    let plan = approved(1, &house.items(&numbers));
    let erased = house.archive().erase(&plan, &bench, &context()).unwrap();
    let held = KeepReason {
        code: HELD,
        object: 4,
    };
    assert_eq!(erased.dropped, [(numbers[2], held)]);
    assert_eq!(erased.erased.len(), 5);
    assert_eq!(
        house.words(),
        [(numbers[2], before[&numbers[2]].clone())].into()
    );
    assert_eq!(house.found("janall"), [numbers[2]].into());
    let seen = bench.seen.borrow();
    assert_eq!(seen.len(), 6);
    assert!(seen.iter().all(|(no, body)| before[no] == *body));
    house.archive().verify_content(&mut |_, _| ()).unwrap();
    // The log says as much of the batch, of its decision and of its outcome.
    house.archive().certified(1, 3, &context()).unwrap();
    let [intent] = &logged(&house, Action::EraseIntent)[..] else {
        panic!("one batch begins once");
    };
    assert_eq!((count(intent, "items"), count(intent, "approvals")), (6, 1));
    let [slice] = &logged(&house, Action::EraseSlice)[..] else {
        panic!("one month is one slice");
    };
    assert_eq!((count(slice, "erased"), count(slice, "dropped")), (5, 1));
    let [outcome] = &logged(&house, Action::EraseOutcome)[..] else {
        panic!("one certificate");
    };
    assert_eq!(
        (count(outcome, "erased"), count(outcome, "dropped")),
        (5, 1)
    );
    assert_eq!(count(outcome, "certificate"), 3);
}

#[test]
fn d4_what_changed_or_is_gone_drops_out() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 4));
    let mut items = house.items(&numbers);
    house.tell(chat, JANUARY, &["other words".to_owned()], |_| {
        Fate::Revised(numbers[0])
    });
    items.push(PlanItem {
        no: MessageNo(900_000),
        revision: 0,
    });
    let plan = approved(1, &items);
    let erased = house
        .archive()
        .erase(&plan, &Bench::default(), &context())
        .unwrap();
    let dropped = [
        (numbers[0], KeepReason::CHANGED),
        (MessageNo(900_000), KeepReason::GONE),
    ];
    assert_eq!(erased.dropped, dropped);
    assert_eq!(
        house.words(),
        [(numbers[0], "other words".to_owned())].into()
    );
    let again = house.erase(2, &numbers[1..2]).unwrap();
    let elder = KeepReason {
        object: 1,
        ..KeepReason::GONE
    };
    assert_eq!(again.dropped, [(numbers[1], elder)]);
}

#[test]
fn d5_every_version_and_sighting_goes_with_its_message() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 2));
    house.tell(chat, JANUARY, &["secondwording".to_owned()], |_| {
        Fate::Revised(numbers[0])
    });
    // A sighting whose source knew the time otherwise lies in another month's bucket.
    house.tell(chat, MARCH, &["jan0word".to_owned()], |_| {
        Fate::Known(numbers[0])
    });
    house.say(chat, MARCH, &bodies("mar", 2));
    let before = house.words();
    let contents = || {
        let rows = house.archive().store().read().unwrap();
        let last = rows.last_content().unwrap();
        (1..=last)
            .map(|no| rows.contents(no).unwrap().len())
            .sum::<usize>()
    };
    let rows = contents();
    house.erase(1, &numbers[..1]).unwrap();
    assert_eq!(contents(), rows - 3);
    assert_eq!(house.words(), without(&before, &numbers[..1]));
    assert!(house.found("secondwording").is_empty());
    let verdict = house.archive().verify_content(&mut |_, _| ()).unwrap();
    assert_eq!(verdict.broken, Vec::<String>::new());
}

#[test]
fn shared_attachment() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let first = house.send_file(chat, JANUARY, b"the offer itself");
    let second = house.send_file(chat, JANUARY + 600, b"the offer itself");
    let other_month = house.send_file(chat, MARCH, b"the offer itself");
    let blobs = house.root().join("blobs");
    assert_eq!(files_below(&blobs).len(), 2);
    let bytes = |house: &House, no| house.archive().attachment_bytes(no, 0).unwrap();
    let erased = house.erase(1, &[first]).unwrap();
    assert_eq!((erased.erased.len(), erased.blobs), (1, 0));
    assert_eq!(bytes(&house, second).unwrap(), b"the offer itself");
    let erased = house.erase(2, &[second]).unwrap();
    assert_eq!(erased.dropped, []);
    assert_eq!((erased.blobs, erased.bytes), (1, 16));
    assert_eq!(files_below(&blobs).len(), 1);
    assert_eq!(bytes(&house, other_month).unwrap(), b"the offer itself");
    // The same bytes come again under another name: the old one may still be on its way out.
    let again = house.send_file(chat, JANUARY + 1_200, b"the offer itself");
    assert_eq!(bytes(&house, again).unwrap(), b"the offer itself");
    assert_eq!(files_below(&blobs).len(), 2);
}

#[test]
fn d5_names_and_titles_go_with_the_last_message() {
    let mut house = House::new();
    let (deals, lunch) = (house.chat("deals"), house.chat("lunch"));
    let numbers = house.say(deals, JANUARY, &bodies("jan", 3));
    house.say(lunch, JANUARY, &bodies("lun", 3));
    let directory = house.archive().directory().unwrap();
    assert_eq!(directory.conversations[&deals.no].1, "deals");
    house.erase(1, &numbers[..2]).unwrap();
    let directory = house.archive().directory().unwrap();
    assert_eq!(directory.conversations[&deals.no].1, "deals");
    assert_eq!(directory.handles[&deals.sender].label, "author of deals");
    let erased = house.erase(2, &numbers[2..]).unwrap();
    assert_eq!(erased.erased.len(), 1);
    let directory = house.archive().directory().unwrap();
    assert_eq!(directory.conversations[&deals.no].1, "");
    assert_eq!(directory.handles[&deals.sender].label, "");
    assert_eq!(directory.conversations[&lunch.no].1, "lunch");
    assert_eq!(directory.handles[&lunch.sender].label, "author of lunch");
    // Who writes elsewhere too keeps the name when a chat loses its title.
    let supper = house.chat("supper");
    let guest = Chat {
        sender: lunch.sender,
        ..supper
    };
    let said = house.tell_joined(guest, JANUARY, &bodies("sup", 2));
    let all: Vec<MessageNo> = said.batch.items.iter().map(|item| item.no).collect();
    house.erase(3, &all).unwrap();
    let directory = house.archive().directory().unwrap();
    assert_eq!(directory.conversations[&supper.no].1, "");
    assert_eq!(directory.handles[&lunch.sender].label, "author of lunch");
    let verdict = house.archive().verify_content(&mut |_, _| ()).unwrap();
    assert_eq!(verdict.broken, Vec::<String>::new());
}

#[test]
fn d6_a_judge_that_refuses_leaves_everything() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 3));
    let before = house.words();
    let bench = Bench {
        refuses: Some("purging is frozen".to_owned()),
        ..Bench::default()
    };
    let plan = approved(1, &house.items(&numbers));
    let refused = house.archive().erase(&plan, &bench, &context());
    assert!(matches!(refused, Err(ArchiveError::PurgeRefused(_))));
    assert_eq!(house.words(), before);
    assert_eq!(house.found("janall").len(), 3);
    let other = house.erase(2, &numbers);
    assert!(matches!(other, Err(ArchiveError::PurgeUnfinished(1))));
    let closed = house.archive().close_erasure(1, &context()).unwrap();
    assert!(closed.erased.is_empty());
    assert_eq!(closed.dropped.len(), 3);
    assert_eq!(house.words(), before);
    assert_eq!(house.bucket_keys(), 1);
    assert_eq!(house.erase(2, &numbers).unwrap().erased.len(), 3);
}

#[test]
fn disk_full_in_reseal() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 600));
    let before = house.words();
    let store = house.archive().store();
    // Re-sealing in place needs little room; the new rows of the batch need some.
    store.limit_size(Some(store.pages().unwrap())).unwrap();
    let plan = approved(1, &house.items(&numbers[..300]));
    let full = house.archive().erase(&plan, &Bench::default(), &context());
    assert!(
        matches!(full, Err(ArchiveError::Store(StoreError::Full))),
        "{full:?}"
    );
    assert_eq!(house.words(), before);
    store.limit_size(None).unwrap();
    let erased = house
        .archive()
        .erase(&plan, &Bench::default(), &context())
        .unwrap();
    assert_eq!(erased.erased.len(), 300);
    assert_eq!(house.words(), without(&before, &numbers[..300]));
}

#[test]
fn d8_the_certificate_is_awaited_and_taken_once() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 3));
    let first = house.erase(1, &numbers[..1]).unwrap();
    assert_eq!(house.erase(1, &numbers[..1]).unwrap(), first);
    let archive = house.archive();
    let state = || {
        let rows = archive.store().read().unwrap();
        rows.erase_batch(1).unwrap().unwrap().state
    };
    assert_eq!(state(), EraseState::Checked);
    let entry = archive.certified(1, 9, &context()).unwrap();
    assert_eq!(state(), EraseState::Certified);
    let next = house.erase(2, &numbers[1..2]).unwrap();
    assert_eq!(next.erased.len(), 1);
    let later = archive.certified(2, 10, &context()).unwrap();
    assert!(later > entry);
    // Asked again, each certificate finds its own place in the log.
    assert_eq!(archive.certified(1, 9, &context()).unwrap(), entry);
    assert_eq!(archive.certified(2, 10, &context()).unwrap(), later);
    assert!(archive.certified(1, 10, &context()).is_err());
    // The whole batch again is no change.
    let again = house.erase(1, &numbers[..1]);
    assert_eq!(again.unwrap().erased.len(), 1);
    let other = approved(1, &house.items(&numbers[2..]));
    let other = archive.erase(&other, &Bench::default(), &context());
    assert!(matches!(other, Err(ArchiveError::PurgeRefused(_))));
}

#[test]
fn a7_what_was_typed_goes_with_its_year_and_no_other() {
    let house = House::new();
    let archive = house.archive();
    let year = |seconds| {
        let at = crate::domain::Timestamp::from_seconds(seconds);
        Now {
            compliance: at,
            wall: at,
        }
    };
    let (in_2024, in_2025) = (NOW, year(1_740_000_000));
    let say = |now: Now, words: &[u8]| {
        let entry = |tx: &WriteTx<'_>| {
            let draft = Draft::new(EntryActor::system(), Action::EraseIntent, "test");
            Ok(archive.log(tx, now, draft, Some(words))?.seq)
        };
        archive.write(now, entry).unwrap()
    };
    let (elder, recent) = (say(in_2024, b"typed then"), say(in_2025, b"typed now"));
    let typed = |seq: EntryNo| {
        let rows = archive.store().read().unwrap();
        let row = &rows.audit_entries(seq, EntryNo(seq.0 + 1)).unwrap()[0];
        let commit = Entry::parse(&row.entry).unwrap().payload_commit;
        archive.payload(&rows, row, &commit).unwrap()
    };
    assert_eq!(typed(elder).as_deref(), Some(&b"typed then"[..]));
    for running in [2025, 2026] {
        let refused = archive.prune_payloads(in_2025, running, |_, _| Ok(()));
        assert!(matches!(refused, Err(ArchiveError::PurgeRefused(_))));
    }
    let failed = archive.prune_payloads(in_2025, 2024, |_, _| {
        Err(ArchiveError::PurgeRefused("no".to_owned()))
    });
    assert!(failed.is_err());
    assert_eq!(typed(elder).as_deref(), Some(&b"typed then"[..]));
    let pruned = archive
        .prune_payloads(in_2025, 2024, |_, _| Ok(()))
        .unwrap();
    assert_eq!((pruned.year, pruned.keys), (2024, 1));
    assert_eq!(typed(elder), None);
    assert_eq!(typed(recent).as_deref(), Some(&b"typed now"[..]));
    let again = archive.prune_payloads(in_2025, 2024, |_, _| Ok(()));
    assert!(matches!(again, Err(ArchiveError::PurgeRefused(_))));
}

#[test]
fn reimport_after_purge() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let said = bodies("jan", 6);
    let numbers = house.say(chat, JANUARY, &said);
    house.erase(1, &numbers[..4]).unwrap();
    house.begin_import();
    // As the alignment sees it: what is here is known, what was disposed of looks new.
    let fate = |at: usize| match at {
        4.. => Fate::Known(numbers[at]),
        _ => Fate::New,
    };
    let again = house.tell(chat, JANUARY, &said, fate);
    assert_eq!(again.counts.disposed, 4);
    assert_eq!((again.counts.fresh, again.counts.known), (0, 2));
    assert_eq!(house.words().len(), 2);
    // Other words at that time, and the same words at another, are new.
    let other = house.say(chat, JANUARY, &["something else".to_owned()]);
    let later = house.say(chat, MARCH, &said[..1]);
    assert_eq!(house.words().len(), 4);
    assert_ne!(other, later);
    house.reopen(None);
    let again = house.tell(chat, JANUARY, &said[..4], |_| Fate::New);
    assert_eq!(again.counts.disposed, 4);
}

#[test]
fn reimport_after_purge_of_everything_and_a_hold_that_wants_some() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let said = bodies("jan", 5);
    let numbers = house.say(chat, JANUARY, &said);
    house.erase(1, &numbers).unwrap();
    let archive = house.archive();
    let anywhere = |at: usize, body: &str| {
        let sent = crate::domain::Timestamp::from_seconds(JANUARY + 60 * at as i64);
        archive.identity_anywhere(crate::domain::App::WhatsApp, sent, "author of deals", body)
    };
    let heard: Vec<[u8; 32]> = (0..5).map(|at| anywhere(at, &said[at])).collect();
    let found = archive.disposed_conversation(&heard).unwrap();
    assert_eq!(found, Some(chat.no));
    assert_eq!(archive.disposed_conversation(&heard[..1]).unwrap(), found);
    let strange: Vec<[u8; 32]> = (0..5).map(|at| anywhere(at, "never said")).collect();
    assert_eq!(archive.disposed_conversation(&strange).unwrap(), None);
    assert_eq!(archive.disposed_conversation(&[]).unwrap(), None);
    let mixed = [&strange[..], &heard[..2]].concat();
    assert_eq!(archive.disposed_conversation(&mixed).unwrap(), None);
    // Left out whole: neither title nor name comes back.
    let again = house.tell(chat, JANUARY, &said, |_| Fate::New);
    assert_eq!((again.counts.disposed, again.counts.fresh), (5, 0));
    assert!(house.archive().directory().unwrap().participants.is_empty());
    // A hold wants one of them.
    let mut wanted = Vec::new();
    let admitted = house.tell_wanted(chat, JANUARY, &said, &mut |record| {
        let wants = record.versions[0].starts_with("jan2");
        wanted.push(wants);
        Ok(wants)
    });
    assert_eq!(wanted, [false, false, true, false, false]);
    assert_eq!((admitted.counts.disposed, admitted.counts.fresh), (4, 1));
    let words = house.words();
    assert_eq!(words.values().collect::<Vec<_>>(), [&said[2]]);
    let no = *words.keys().next().unwrap();
    let rows = house.archive().store().read().unwrap();
    assert_eq!(rows.readmitted(no).unwrap(), Some(1));
    drop(rows);
    let directory = house.archive().directory().unwrap();
    assert_eq!(directory.conversations[&chat.no].1, "deals");
    assert_eq!(directory.handles[&chat.sender].label, "author of deals");
    assert_eq!(directory.participants[&chat.no], [chat.sender]);
    // It can be disposed of once more, and is then told of the later batch.
    house.erase(2, &[no]).unwrap();
    let disposed = house.archive().disposed(no).unwrap().unwrap();
    assert_eq!((disposed.batch, disposed.certificate), (2, None));
    assert_eq!(house.archive().disposed(MessageNo(1)).unwrap(), None);
}

#[test]
fn messages_with_ids_are_known_again_in_their_own_chat_only() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let named = house.say_with_id(chat, JANUARY, "see you", "id-1");
    house.erase(1, &[named]).unwrap();
    let archive = house.archive();
    let sent = crate::domain::Timestamp::from_seconds(JANUARY);
    let app = crate::domain::App::WhatsApp;
    let loose = archive.identity_anywhere(app, sent, "author of deals", "see you");
    assert_eq!(archive.disposed_conversation(&[loose]).unwrap(), None);
    let rows = archive.store().read().unwrap();
    assert!(rows.tombstone(&loose).unwrap().is_none());
}

#[test]
fn who_says_nothing_that_is_admitted_takes_no_part() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let said = bodies("jan", 2);
    let numbers = house.say(chat, JANUARY, &said);
    house.erase(1, &numbers).unwrap();
    assert!(house.archive().directory().unwrap().participants.is_empty());
    let guest = house.guest(chat, MARCH, "somebody else goes on");
    let part = |house: &House| house.archive().directory().unwrap().participants;
    assert_eq!(part(&house)[&chat.no], [guest]);
    let again = house.tell_joined(chat, JANUARY, &said);
    assert_eq!((again.counts.disposed, again.counts.fresh), (2, 0));
    assert_eq!(part(&house)[&chat.no], [guest]);
    let fresh = house.tell_joined(chat, JANUARY, &bodies("feb", 1));
    assert_eq!((fresh.counts.disposed, fresh.counts.fresh), (0, 1));
    assert_eq!(part(&house)[&chat.no].len(), 2);
}

#[test]
fn a_disposed_message_is_told_from_one_that_never_was() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 2));
    let mut reader = house.archive().reader().unwrap();
    let id = reader.message(numbers[0]).unwrap().unwrap().id;
    drop(reader);
    assert_eq!(house.archive().disposed_of_id(id).unwrap(), None);
    assert!(!house.archive().has_disposed().unwrap());
    let (identity, batch) = house.archive().keyed_identity(id).unwrap().unwrap();
    assert_eq!(batch, None);
    let erased = house.erase(1, &numbers[..1]).unwrap();
    assert_eq!(erased.erased[0].keyed_id, identity);
    assert!(house.archive().has_disposed().unwrap());
    let known = house.archive().keyed_identity(id).unwrap();
    assert_eq!(known, Some((identity, Some(1))));
    house.archive().certified(1, 12, &context()).unwrap();
    assert_eq!(house.archive().message_of_id(id).unwrap(), None);
    let told = house.archive().disposed_of_id(id).unwrap().unwrap();
    assert_eq!((told.no, told.batch), (numbers[0], 1));
    assert_eq!(told.certificate, Some(12));
    assert_eq!(told.at, Some(NOW.compliance));
    let forged = crate::domain::MessageId(id.0 ^ 1 << 50);
    assert_eq!(house.archive().disposed_of_id(forged).unwrap(), None);
    assert_eq!(house.archive().keyed_identity(forged).unwrap(), None);
}

/// A house whose purge of eight months, a slice each, was cut off at `point` for the second time.
fn cut_off(point: &'static str) -> (House, BTreeMap<MessageNo, String>, Vec<MessageNo>) {
    let mut house = House::new();
    let chat = house.chat("deals");
    let mut gone = Vec::new();
    for month in 0..8 {
        let tag = format!("mon{month}");
        let said = house.say(chat, JANUARY + month * 31 * 86_400, &bodies(&tag, 6));
        gone.extend_from_slice(&said[..3]);
    }
    let before = house.words();
    let plan = approved(1, &house.items(&gone));
    house.reopen(Some(Fuse::at(point, 2)));
    let archive = house.archive();
    let small = EraseContext {
        slice_items: 3,
        ..context()
    };
    let crashed = std::panic::catch_unwind(AssertUnwindSafe(|| {
        archive.erase(&plan, &Bench::default(), &small).unwrap();
    }));
    assert!(crashed.is_err());
    house.reopen(None);
    (house, before, gone)
}

#[test]
fn d6_decided_slices_are_out_of_sight_before_anything_is_finished() {
    let (house, before, gone) = cut_off("erase.forgotten");
    // Nothing was resumed yet: their words are in the index still, and nobody finds them.
    let decided: Vec<MessageNo> = gone[..6].to_vec();
    let index = house.archive().index();
    assert_eq!(index.documents_of(decided.iter().copied()).unwrap(), 6);
    assert!(house.found("mon00word").is_empty() && house.found("mon0all").len() == 3);
    assert_eq!(house.found("mon2all").len(), 6);
    assert_eq!(house.found("agreed").len(), before.len() - 6);
    assert_eq!(house.words(), without(&before, &decided));
    let told = house.archive().resume_erasures(&context()).unwrap();
    assert_eq!(told[0].waiting, 18);
    let index = house.archive().index();
    assert_eq!(index.documents_of(decided.iter().copied()).unwrap(), 0);
    let rest = approved(1, &house.items(&gone));
    let erased = house
        .archive()
        .erase(&rest, &Bench::default(), &context())
        .unwrap();
    assert_eq!(erased.erased.len(), 24);
    assert_eq!(house.words(), without(&before, &gone));
}

#[test]
fn d6_a_batch_that_does_not_go_on_is_closed_with_what_it_decided() {
    let (house, before, gone) = cut_off("erase.resealed");
    house.archive().resume_erasures(&context()).unwrap();
    let erased = house.archive().close_erasure(1, &context()).unwrap();
    assert_eq!(erased.erased.len(), 3);
    assert_eq!(erased.dropped.len(), 21);
    let closed = |(_, why): &(MessageNo, KeepReason)| *why == KeepReason::CLOSED;
    assert!(erased.dropped.iter().all(closed));
    assert_eq!(house.words(), without(&before, &gone[..3]));
    assert_eq!(house.bucket_keys(), 8);
    let verdict = house.archive().verify_content(&mut |_, _| ()).unwrap();
    assert_eq!(verdict.broken, Vec::<String>::new());
    house.archive().certified(1, 1, &context()).unwrap();
    assert_eq!(house.erase(2, &gone[3..]).unwrap().erased.len(), 21);
}

/// Every named point of the protocol, in its order.
const POINTS: [&str; 20] = [
    "erase.intended",
    "erase.renewed",
    "erase.moved",
    "erase.resealed",
    "erase.read_back",
    "erase.hold_written",
    "erase.judged",
    "erase.decided",
    "erase.retired",
    "erase.forgotten",
    "erase.unindexed",
    "erase.index_written",
    "erase.index_settled",
    "erase.index_forgotten",
    "erase.unlinked",
    "erase.looked",
    "erase.checked",
    "erase.certified",
    "erase.moved",
    "erase.decided",
];

#[test]
fn d6_a_crash_at_any_point_leaves_each_message_whole_or_gone_and_can_go_on() {
    for (turn, point) in POINTS.into_iter().enumerate() {
        let mut house = House::new();
        let chat = house.chat("deals");
        let january = house.say(chat, JANUARY, &bodies("jan", 12));
        let march = house.say(chat, MARCH, &bodies("mar", 12));
        let file = house.send_file(chat, MARCH + 3_600, b"the offer itself");
        let before = house.words();
        let gone: Vec<MessageNo> = [&january[..5], &march[4..9], &[file]].concat();
        let plan = approved(1, &house.items(&gone));
        house.reopen(Some(Fuse::at(point, if turn < 18 { 1 } else { 2 })));
        let archive = house.archive();
        let crashed = std::panic::catch_unwind(AssertUnwindSafe(|| {
            archive.erase(&plan, &Bench::default(), &context()).unwrap();
            archive.certified(1, 1, &context()).unwrap();
        }));
        // One slice holds both months: its second decision is that of no names.
        let reached = crashed.is_err();
        assert!(reached || turn == 19, "{point} was never reached");
        house.reopen(None);
        let told = house.archive().resume_erasures(&context()).unwrap();
        let left = house.words();
        let all_live = left == before;
        let all_gone = left == without(&before, &gone);
        assert!(all_live || all_gone, "{point}: half");
        assert!(house.found("jan3word").is_empty() == all_gone, "{point}");
        let decided = (7..18).contains(&turn) || turn == 19;
        assert_eq!(all_gone, decided, "{point}");
        assert_eq!(
            told.iter().map(|one| one.batch).collect::<Vec<_>>(),
            {
                let unfinished = turn < 10 || turn == 18;
                if unfinished { vec![1] } else { vec![] }
            },
            "{point}"
        );
        let erased = house
            .archive()
            .erase(&plan, &Bench::default(), &context())
            .unwrap();
        assert_eq!(erased.erased.len(), gone.len(), "{point}");
        assert!(erased.residue.is_clean(), "{point}");
        assert_eq!(house.words(), without(&before, &gone), "{point}");
        assert!(
            files_below(&house.root().join("blobs")).is_empty(),
            "{point}"
        );
        let verdict = house.archive().verify_content(&mut |_, _| ()).unwrap();
        assert_eq!(verdict.broken, Vec::<String>::new(), "{point}");
        let index = house
            .archive()
            .verify_index(50, NOW, &mut |_, _| ())
            .unwrap();
        assert!(index.is_sound(), "{point}: {index:?}");
        house.archive().certified(1, 1, &context()).unwrap();
    }
}
