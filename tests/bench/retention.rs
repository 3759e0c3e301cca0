//! How long the rules take over a million messages: `cargo bench --bench retention`.
//!
//! The scopes measured ask no words, so the rows alone are written: numbers, times and edges.
#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be set up must fail"
)]

#[path = "../support/house.rs"]
mod house;

use std::sync::Arc;
use std::time::Instant;

use wordkeep::app::Appliance;
use wordkeep::domain::{
    App, ConversationId, ConversationKind, ConversationNo, Disposition, GRACE_DAYS, HandleNo, Hold,
    HoldId, HoldNo, HoldScope, ImportId, ImportNo, Kind, Level, Lock, MatterNo, MessageNo, Now,
    Period, PersonId, PersonNo, PolicyAction, PolicyNo, PolicyRef, PolicyState, PolicyVersion,
    Presence, Scope, Timestamp, Trigger, UserNo,
};
use wordkeep::query::Purpose;
use wordkeep::retention::{self, Book, HoldWords, Present, ScopeContext, simulate, survey};
use wordkeep::search::NameIndex;
use wordkeep::store::{
    ConversationRow, HandleRow, HoldRow, ImportCounts, ImportRow, ImportState, MessageRow, WriteTx,
};

const CONVERSATIONS: u32 = 5_000;
const HANDLES: u32 = 2_000;
/// 1 January 2016, in days since 1970, and ten years of messages.
const BEGIN: i64 = 16_801;
const DAYS: i64 = 3_650;

fn messages() -> u64 {
    let told = std::env::var("WORDKEEP_MESSAGES").ok();
    told.and_then(|text| text.parse().ok()).unwrap_or(1_000_000)
}

fn fill(appliance: &Appliance, count: u64, now: Timestamp) {
    let archive = appliance.archive();
    let at = Now {
        compliance: now,
        wall: now,
    };
    let title = archive.write(at, |tx| archive.seal_texts(tx, &["A chat"]));
    let title_no = title.unwrap();
    let tx = archive.store().write().unwrap();
    let import = ImportRow {
        no: ImportNo(0),
        id: ImportId(1),
        actor: UserNo(1),
        began: Timestamp(0),
        ended: Some(now),
        state: ImportState::Done,
        source_lookup: vec![1; 16],
        source_bytes: 1,
        report_no: None,
        counts: ImportCounts::default(),
    };
    let no = tx.insert_import(&import).unwrap();
    tx.update_import(&ImportRow { no, ..import }).unwrap();
    fill_handles(&tx, title_no);
    for number in 1..=CONVERSATIONS {
        tx.insert_conversation(&ConversationRow {
            no: ConversationNo(number),
            id: ConversationId(number.into()),
            app: [App::WhatsApp, App::Slack][number as usize % 2],
            kind: ConversationKind::Group,
            account: None,
            lookup: number.to_be_bytes().repeat(4),
            shard: 0,
            title_no,
            span: None,
            messages: 0,
        })
        .unwrap();
        for handle in 0..3 {
            let handle = HandleNo((number * 3 + handle) % HANDLES + 1);
            tx.insert_participant(ConversationNo(number), handle)
                .unwrap();
        }
    }
    for number in 1..=count {
        let conversation = (number * 2_654_435_761 % u64::from(CONVERSATIONS)) as u32 + 1;
        let micros = Timestamp::MICROS_PER_DAY * DAYS / count as i64 * number as i64;
        tx.insert_message(&MessageRow {
            no: MessageNo(number),
            conversation: ConversationNo(conversation),
            sender: Some(HandleNo(conversation * 3 % HANDLES + 1)),
            import: no,
            sent: Timestamp(BEGIN * Timestamp::MICROS_PER_DAY + micros),
            order: number,
            kind: Kind::Text,
            presence: Presence::default(),
            version: 0,
            reply_to: None,
        })
        .unwrap();
    }
    tx.commit().unwrap();
}

fn fill_handles(tx: &WriteTx<'_>, name_no: u64) {
    for number in 1..=HANDLES {
        tx.insert_person(PersonNo(number), PersonId(number.into()))
            .unwrap();
        tx.insert_handle(&HandleRow {
            no: HandleNo(number),
            app: App::WhatsApp,
            person: PersonNo(number),
            lookup: number.to_be_bytes().repeat(4),
            name_no,
        })
        .unwrap();
    }
}

fn named<T>(appliance: &Appliance, act: impl FnOnce(&dyn wordkeep::query::Directory) -> T) -> T {
    let names = NameIndex::new(Arc::new(appliance.archive().directory().unwrap()));
    let everything = Scope::everything();
    act(&names.within(appliance.archive(), &everything, None))
}

fn scope(appliance: &Appliance, text: &str, purpose: Purpose, now: Timestamp) -> retention::Scope {
    let context = ScopeContext {
        purpose,
        zone: chrono_tz::Tz::UTC,
        now,
        accepted: &[],
    };
    named(appliance, |names| {
        retention::Scope::read(text, names, &context).unwrap()
    })
}

fn book(appliance: &Appliance) -> Book {
    let rows = appliance.archive().store().read().unwrap();
    named(appliance, |names| {
        Book::load(appliance.archive(), &rows, names).unwrap()
    })
}

fn timed<T>(what: &str, act: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let value = act();
    println!("{what:<60} {:>9.3} s", began.elapsed().as_secs_f64());
    value
}

fn main() {
    let dir = tempfile::tempdir().unwrap();
    let appliance = house::Place::new(dir.path()).create();
    let now = Timestamp((BEGIN + DAYS) * Timestamp::MICROS_PER_DAY);
    let count = messages();
    timed(&format!("write {count} rows"), || {
        fill(&appliance, count, now);
    });
    let version = PolicyVersion {
        id: PolicyRef {
            no: PolicyNo(1),
            version: 1,
        },
        state: PolicyState::Enabled,
        action: PolicyAction::RetainThenDelete,
        period: Period::years(5),
        zone: chrono_tz::Tz::Europe__Berlin,
        trigger: Trigger::Sent,
        level: Level::Scoped,
        lock: Lock::None,
        disposition: Disposition::Reviewed(2),
        valid_from: Timestamp(0),
        created: Timestamp(0),
        author: UserNo(1),
    };
    let in_force = timed("load the rules", || book(&appliance));
    // A month and a day after everything was taken in.
    let as_of = now.plus_days(31);
    for text in ["*", "app:slack", "app:slack AND NOT before:2018-01-01"] {
        let mut tried = book(&appliance);
        let scope = scope(&appliance, text, Purpose::PolicyScope, now);
        tried.try_policy(version, scope, Timestamp(0));
        let rows = appliance.archive().store().read().unwrap();
        let found = timed(&format!("simulate a policy over {text}"), || {
            simulate(appliance.archive(), &rows, &in_force, &tried, as_of).unwrap()
        });
        println!("{:>60} of {} due", found.eligible, found.records);
    }
    place_hold(&appliance, now, count);
}

fn place_hold(appliance: &Appliance, now: Timestamp, count: u64) {
    let archive = appliance.archive();
    let at = Now {
        compliance: now,
        wall: now,
    };
    timed("place a query hold, from its text to its commit", || {
        let words = HoldWords {
            query: scope(appliance, "app:slack", Purpose::HoldScope, now).canonical,
            ..HoldWords::default()
        };
        let placed = archive.write(at, |tx| {
            let text_no = archive.seal_texts(tx, &words.texts())?;
            Ok(tx.insert_hold(&HoldRow {
                id: HoldId(1),
                hold: Hold {
                    no: HoldNo(0),
                    matter: MatterNo(1),
                    scope: HoldScope::Query,
                    from: now,
                    placed_by: UserNo(1),
                    release: None,
                    grace_days: GRACE_DAYS,
                    keep_context: 0,
                },
                release_requested: None,
                text_no,
                release_text_no: None,
            })?)
        });
        placed.unwrap();
    });
    let book = book(appliance);
    let mut held = 0;
    timed("count exactly what it holds", || {
        survey(archive, &[&book], &Present::as_of(now), |looked| {
            held += u64::from(looked.verdicts[0].held_by.is_some());
            Ok(())
        })
        .unwrap();
    });
    println!("{held:>60} of {count} held");
}
