//! What survives a purge: counted, handed to the kept backups, and joined by what comes in late.

use super::super::testing::*;
use super::super::*;
use crate::archive::{ArchiveError, Fate};
use crate::domain::MessageNo;
use crate::store::DataKeyId;

use super::JANUARY;

/// A shelf of kept backups that notes what it is given, or cannot be reached.
#[derive(Default)]
struct Shelf {
    fails: bool,
    given: std::cell::RefCell<Vec<(u64, u64)>>,
}

impl KeptBackups for Shelf {
    fn keep(&self, survivors: &Survivors<'_>) -> crate::archive::Result<()> {
        if self.fails {
            return Err(ArchiveError::PurgeRefused("no backup disk".to_owned()));
        }
        let under = |key: &DataKeyId| survivors.rows.content_count_under(*key).unwrap();
        let rows = survivors.keys.iter().map(under).sum();
        self.given.borrow_mut().push((survivors.batch, rows));
        Ok(())
    }
}

#[test]
fn d9_kept_backups_get_the_survivors_before_anything_is_destroyed() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 6));
    let before = house.words();
    let plan = approved(1, &house.items(&numbers[..4]));
    let on = |shelf: &Shelf, bench: &Bench| {
        let context = EraseContext {
            backups: shelf,
            ..context()
        };
        house.archive().erase(&plan, bench, &context)
    };
    let away = Shelf {
        fails: true,
        ..Shelf::default()
    };
    let refused = on(&away, &Bench::default());
    assert!(matches!(refused, Err(ArchiveError::PurgeRefused(_))));
    assert_eq!(house.words(), before);
    // One drops out of the plan in the decision: it is handed over after it.
    let bench = Bench {
        held: [(numbers[0], 4)].into(),
        ..Bench::default()
    };
    let shelf = Shelf::default();
    assert_eq!(on(&shelf, &bench).unwrap().erased.len(), 3);
    assert_eq!(*shelf.given.borrow(), [(1, 2), (1, 3)]);
    let shelf = Shelf::default();
    let context = EraseContext {
        backups: &shelf,
        ..context()
    };
    let plan = approved(2, &house.items(&numbers[4..5]));
    let erased = house.archive().erase(&plan, &Bench::default(), &context);
    assert_eq!(erased.unwrap().erased.len(), 1);
    assert_eq!(*shelf.given.borrow(), [(2, 2)]);
}

/// Brings a batch in when the survivors have been moved and nothing is decided yet.
struct Late<'a> {
    house: &'a House,
    batch: std::cell::RefCell<Option<crate::archive::Batch>>,
    asked: std::cell::Cell<u32>,
}

impl KeptBackups for Late<'_> {
    fn keep(&self, _: &Survivors<'_>) -> crate::archive::Result<()> {
        self.asked.set(self.asked.get() + 1);
        if let Some(batch) = self.batch.take() {
            self.house.admit(batch);
        }
        Ok(())
    }
}

#[test]
fn d4_what_comes_in_while_survivors_move_stays_with_what_it_belongs_to() {
    for late in [
        Fate::Known(MessageNo(0)),
        Fate::Revised(MessageNo(0)),
        Fate::New,
    ] {
        let mut house = House::new();
        let chat = house.chat("deals");
        let numbers = house.say(chat, JANUARY, &bodies("jan", 4));
        let fate = |_| match late {
            Fate::Known(_) => Fate::Known(numbers[1]),
            Fate::Revised(_) => Fate::Revised(numbers[1]),
            fate => fate,
        };
        let batch = house.told(chat, JANUARY, &["came late".to_owned()], fate);
        let shelf = Late {
            house: &house,
            batch: Some(batch).into(),
            asked: 0.into(),
        };
        let plan = approved(1, &house.items(&numbers[..3]));
        let context = EraseContext {
            backups: &shelf,
            ..context()
        };
        let erased = house.archive().erase(&plan, &Bench::default(), &context);
        let stays = match late {
            Fate::New => vec![],
            _ => vec![(numbers[1], KeepReason::CHANGED)],
        };
        assert_eq!(erased.unwrap().dropped, stays);
        // What drops out moves in the decision, and is handed over after it.
        let times = if late == Fate::New { 1 } else { 2 };
        assert_eq!(shelf.asked.get(), times, "{late:?}");
        let words = house.words();
        assert!(words.contains_key(&numbers[3]) && !words.contains_key(&numbers[0]));
        assert_eq!(words.contains_key(&numbers[1]), late != Fate::New);
        assert_eq!(words.len(), 2);
        let verdict = house.archive().verify_content(&mut |_, _| ()).unwrap();
        assert_eq!(verdict.broken, Vec::<String>::new());
    }
}

#[test]
fn d2_survivors_are_counted_before_a_key_may_die() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 9));
    let archive = house.archive();
    let rows = archive.store().read().unwrap();
    let slices = slice::cut(&rows, &house.items(&numbers[..2]), 100).unwrap();
    drop(rows);
    let mut touched = archive.reseal(&slices[0], &context()).unwrap();
    assert_eq!((touched.survivors, touched.doomed), (7, 2));
    let mut read_back = |survivors, doomed| {
        (touched.survivors, touched.doomed) = (survivors, doomed);
        archive.read_back(1, &touched, &context())
    };
    read_back(7, 2).unwrap();
    for (survivors, doomed) in [(8, 2), (7, 3), (9, 4)] {
        let refused = read_back(survivors, doomed);
        assert!(matches!(refused, Err(ArchiveError::Integrity(_))));
    }
    // More than were counted may have come in meanwhile.
    read_back(6, 1).unwrap();
}
