//! What the check after a purge must find: words, files, messages, keys.

use super::super::testing::*;
use super::super::*;
use crate::archive::{Archive, ArchiveError};
use crate::domain::Timestamp;
use crate::store::{EraseFate, EraseItemRow, WriteTx};

use super::JANUARY;
use residue::Samples;

/// Three of four messages destroyed, the last held; and a word of the first to look for.
struct Purged {
    house: House,
    chat: Chat,
    held: crate::domain::MessageNo,
    samples: Samples,
}

const CLEAN: Residue = Residue {
    sampled: 4,
    key_absent: true,
    index_absent: true,
    scan_hits: 0,
};

impl Purged {
    fn new() -> Purged {
        let mut house = House::new();
        let chat = house.chat("deals");
        let numbers = house.say(chat, JANUARY, &bodies("jan", 4));
        let mut samples = Samples::new(4);
        let mut reader = house.archive().reader().unwrap();
        samples.see(&reader.message(numbers[0]).unwrap().unwrap());
        drop(reader);
        let bench = Bench {
            held: [(numbers[3], 4)].into(),
            ..Bench::default()
        };
        let plan = approved(1, &house.items(&numbers));
        house.archive().erase(&plan, &bench, &context()).unwrap();
        Purged {
            house,
            chat,
            held: numbers[3],
            samples,
        }
    }

    fn archive(&self) -> &Archive {
        self.house.archive()
    }

    /// What the check finds; it passes exactly when that is clean.
    fn look(&self) -> Residue {
        let archive = self.archive();
        match archive.check_residue(1, &self.samples, &context()) {
            Ok(()) => {
                let found = archive.erased(1).unwrap().residue;
                assert!(found.is_clean());
                found
            }
            Err(ArchiveError::Residue { batch: 1, found }) => {
                assert!(!found.is_clean());
                found
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// Says of the held message what became of it.
    fn claim(&self, fate: EraseFate) {
        let item = EraseItemRow {
            no: self.held,
            revision: 0,
            fate,
        };
        let set = |tx: &WriteTx<'_>| Ok(tx.set_erase_fate(1, &item)?);
        self.archive().write(NOW, set).unwrap();
    }
}

#[test]
fn d7_a_word_that_stands_readable_is_found() {
    let purged = Purged::new();
    assert_eq!(purged.look(), CLEAN);
    let spool = purged.house.root().join("spool");
    std::fs::create_dir_all(&spool).unwrap();
    std::fs::write(spool.join("stray"), "they said jan0word once").unwrap();
    let readable = Residue {
        scan_hits: 1,
        ..CLEAN
    };
    assert_eq!(purged.look(), readable);
    std::fs::remove_file(spool.join("stray")).unwrap();
    assert_eq!(purged.look(), CLEAN);
}

#[test]
fn d7_a_message_that_lives_is_found() {
    let purged = Purged::new();
    // The message that was held, as if the purge had claimed it too.
    purged.claim(EraseFate::Erased {
        conversation: purged.chat.no,
        sent: Timestamp::from_seconds(JANUARY + 180),
        import: purged.house.import,
        keyed_id: [1; 32],
    });
    let alive = Residue {
        sampled: 5,
        key_absent: false,
        index_absent: false,
        scan_hits: 0,
    };
    assert_eq!(purged.look(), alive);
    purged.claim(EraseFate::Dropped(HELD, 4));
    assert_eq!(purged.look(), CLEAN);
}

#[test]
fn d7_a_key_that_opens_and_rows_under_a_dead_one_are_found() {
    let purged = Purged::new();
    let archive = purged.archive();
    let key = {
        let rows = archive.store().read().unwrap();
        rows.content_places(purged.held.0).unwrap()[0].1
    };
    let mark = |tx: &WriteTx<'_>| Ok(tx.insert_erase_key(1, key)?);
    archive.write(NOW, mark).unwrap();
    let opens = Residue {
        key_absent: false,
        ..CLEAN
    };
    assert_eq!(purged.look(), opens);
    let kill = |tx: &WriteTx<'_>| Ok(tx.delete_data_key(key)?);
    archive.write(NOW, kill).unwrap();
    assert_eq!(purged.look(), opens);
}

#[test]
fn d7_the_words_to_look_for_are_spread_over_the_batch() {
    let mut house = House::new();
    let chat = house.chat("deals");
    let numbers = house.say(chat, JANUARY, &bodies("jan", 70));
    let mut reader = house.archive().reader().unwrap();
    let mut sampled = |items: usize, seen: usize| {
        let mut samples = Samples::new(items);
        for no in &numbers[..seen] {
            samples.see(&reader.message(*no).unwrap().unwrap());
        }
        samples.words.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(
        sampled(192, 10),
        ["jan0word", "jan3word", "jan6word", "jan9word"]
    );
    assert_eq!(sampled(70, 70).len(), 64);
}
