//! Search over a small real archive: names, pages, context, facets, and what stays hidden.

#[path = "support/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use world::World;
use wordkeep::archive::{Directory, HandleEntry};
use wordkeep::domain::{
    App, ConversationKind, ConversationNo, HandleNo, PersonId, PersonNo, Scope,
};
use wordkeep::query::ast::{Piece, Pieces};
use wordkeep::query::{Directory as _, NamePattern};
use wordkeep::search::NameIndex;

fn asked(text: &str) -> NamePattern {
    NamePattern::new(&Pieces::literal(text))
}

fn only(conversations: &[ConversationNo]) -> Scope {
    Scope {
        conversations: conversations.iter().copied().collect(),
        ..Scope::default()
    }
}

struct Office {
    world: World,
    deals: ConversationNo,
    private: ConversationNo,
    ana: HandleNo,
    rui: HandleNo,
    eve: HandleNo,
}

fn office() -> Office {
    let mut world = World::new(1);
    let deals = world.conversation("Acme deals", App::WhatsApp, ConversationKind::Group);
    let private = world.conversation("Board", App::Telegram, ConversationKind::Group);
    let ana = world.handle("Ana Sousa", Some("+351 912 345 678"), App::WhatsApp);
    let rui = world.handle("Rui Melo", Some("@rui"), App::WhatsApp);
    let eve = world.handle("Eve Ana", None, App::Telegram);
    world.say(deals, ana, 1_700_000_000, "we promise a discount");
    world.say(deals, rui, 1_700_000_060, "thank you");
    world.say(private, eve, 1_700_000_000, "no discount for anybody");
    world.say(private, rui, 1_700_000_120, "understood");
    world.commit();
    Office {
        world,
        deals,
        private,
        ana,
        rui,
        eve,
    }
}

#[test]
fn s14_names_outside_the_scope_do_not_exist() {
    let office = office();
    let directory = Arc::new(office.world.archive.directory().unwrap());
    let index = NameIndex::new(directory);
    let everything = Scope::everything();
    let deals = only(&[office.deals]);
    let all = index.within(&office.world.archive, &everything, None);
    let some = index.within(&office.world.archive, &deals, None);
    assert_eq!(all.people(&asked("ana")).len(), 2);
    let seen = some.people(&asked("ana"));
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].handles, BTreeSet::from([office.ana]));
    assert_eq!(some.people(&asked("eve")), []);
    let eve = &all.people(&asked("eve"))[0];
    assert_eq!(some.people(&asked(&eve.id)), []);
    assert_eq!(all.people(&asked(&eve.id.to_lowercase())).len(), 1);
    assert_eq!(some.conversations(&asked("board")), []);
    assert_eq!(all.conversations(&asked("board")).len(), 1);
    let board = all.conversations(&asked("board"))[0].id.clone();
    assert_eq!(all.conversations(&asked(&board))[0].no, office.private);
    assert_eq!(some.conversations(&asked(&board)), []);
    assert_eq!(
        some.conversations_with(&BTreeSet::from([office.rui, office.eve])),
        BTreeSet::from([office.deals])
    );
}

#[test]
fn s14_the_scope_of_an_account_and_a_wall_are_kept() {
    let office = office();
    let directory = Arc::new(office.world.archive.directory().unwrap());
    let index = NameIndex::new(directory);
    let mut walled = Scope::everything();
    walled.denied.insert(office.private);
    let names = index.within(&office.world.archive, &walled, None);
    assert_eq!(names.people(&asked("eve")), []);
    assert_eq!(names.people(&asked("rui")).len(), 1);
    let nothing = Scope::nothing();
    let names = index.within(&office.world.archive, &nothing, None);
    assert_eq!(names.people(&asked("rui")), []);
    assert_eq!(names.people(&NamePattern::new(&Pieces(vec![Piece::AnyRun]))), []);
}

#[test]
fn s14_a_message_and_an_import_outside_the_scope_do_not_exist() {
    let mut office = office();
    let later = office.world.begin_import();
    office.world.say(office.private, office.eve, 1_700_000_300, "later");
    office.world.commit();
    let messages = office.world.messages();
    let of = |body: &str| {
        let found = messages.iter().find(|m| m.latest().unwrap().body == body);
        found.unwrap()
    };
    let directory = Arc::new(office.world.archive.directory().unwrap());
    let index = NameIndex::new(directory);
    let (everything, deals) = (Scope::everything(), only(&[office.deals]));
    let all = index.within(&office.world.archive, &everything, None);
    let some = index.within(&office.world.archive, &deals, None);
    let hidden = of("later").id.to_string();
    assert_eq!(all.message(&hidden), Some(of("later").row.no));
    assert_eq!(some.message(&hidden), None);
    let shown = of("thank you").id.to_string();
    assert_eq!(some.message(&shown), Some(of("thank you").row.no));
    let imports = office.world.archive.store().read().unwrap().imports().unwrap();
    for import in imports {
        let asked = asked(&import.id.to_string());
        assert_eq!(all.imports(&asked).len(), 1);
        assert_eq!(some.imports(&asked).len(), usize::from(import.no != later));
    }
}

#[test]
fn s14_names_are_found_by_word_handle_phone_and_wildcard() {
    let office = office();
    let directory = Arc::new(office.world.archive.directory().unwrap());
    let index = NameIndex::new(directory);
    let everything = Scope::everything();
    let names = index.within(&office.world.archive, &everything, None);
    for (text, handle) in [
        ("sousa ANA", office.ana),
        ("00351912345678", office.ana),
        ("+351 912-345-678", office.ana),
        ("rui", office.rui),
        ("@RUI", office.rui),
        ("Melo", office.rui),
    ] {
        let found = names.people(&asked(text));
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].handles, BTreeSet::from([handle]), "{text}");
    }
    let wild = Pieces(vec![Piece::Literal("sou".into()), Piece::AnyRun]);
    assert_eq!(names.people(&NamePattern::new(&wild)).len(), 1);
    assert_eq!(names.people(&asked("sou")), []);
}

#[test]
fn s6_a_name_among_thirty_thousand_is_found_in_ten_milliseconds() {
    let office = office();
    let mut directory = Directory::default();
    for no in 0..30_000u32 {
        let entry = HandleEntry {
            no: HandleNo(no),
            app: App::WhatsApp,
            person: PersonNo(no),
            person_id: PersonId(u128::from(no)),
            label: format!("Ána Somebody{} Família{}", no, no % 700),
            handle: format!("+351 9{no:08}"),
        };
        directory.handles.insert(HandleNo(no), entry);
        let conversation = ConversationNo(no % 9_000);
        directory.participants.entry(conversation).or_default().push(HandleNo(no));
    }
    let index = NameIndex::new(Arc::new(directory));
    let everything = Scope::everything();
    let names = index.within(&office.world.archive, &everything, None);
    for (text, found) in [
        ("familia13 ana", 43),
        ("somebody777", 1),
        ("00351900000042", 1),
        ("nobody", 0),
    ] {
        let began = Instant::now();
        assert_eq!(names.people(&asked(text)).len(), found, "{text}");
        let took = began.elapsed();
        assert!(took.as_millis() < 10, "{text}: {took:?}");
    }
}
