//! The laws of re-import through the whole product: never a loss, never a double.
#![expect(
    clippy::unwrap_used,
    reason = "a law whose world cannot be set up must fail"
)]

#[path = "../support/chance.rs"]
mod chance;
#[path = "../support/house.rs"]
mod house;
#[path = "linked.rs"]
mod linked;
#[path = "platforms.rs"]
mod platforms;
#[path = "printed_chats.rs"]
mod printed_chats;
#[path = "reimport.rs"]
mod reimport;
#[path = "slack.rs"]
mod slack;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use house::{Place, count, import, ios_export, log_in, plain_chat};
use wordkeep::app::import::{ImportRequest, Progress};
use wordkeep::app::{AppError, Appliance, Session};
use wordkeep::ingest::QuestionKind;
use wordkeep::store::ImportState;

struct Office {
    dir: tempfile::TempDir,
    appliance: Appliance,
    root: Session,
    officer: Session,
}

fn office() -> Office {
    let dir = tempfile::tempdir().unwrap();
    let appliance = Place::new(dir.path()).create();
    let root = log_in(&appliance, "root");
    let officer = log_in(&appliance, "rec");
    Office {
        dir,
        appliance,
        root,
        officer,
    }
}

impl Office {
    /// Exports some lines under a title and imports them: how many were new and how many known.
    fn take(&self, title: &str, lines: &[&str]) -> (u64, u64) {
        let folder = self.dir.path().join(title);
        std::fs::create_dir_all(&folder).unwrap();
        let export = exported(&folder, lines);
        let receipt = import(&self.appliance, &self.root, &export).unwrap();
        assert_eq!(receipt.counts.rejected, 0);
        (receipt.counts.fresh, receipt.counts.known)
    }

    fn all(&self) -> u64 {
        count(&self.appliance, &self.officer, "*")
    }
}

fn exported(folder: &Path, lines: &[&str]) -> PathBuf {
    let chat: String = lines.iter().map(|line| format!("{line}\n")).collect();
    ios_export(folder, "Law", &chat, &[])
}

#[test]
fn c6_the_same_chat_longer_shorter_and_with_a_hole_is_one_chat() {
    let office = office();
    let chat = plain_chat("law", 300);
    let lines: Vec<&str> = chat.lines().collect();
    assert_eq!(office.take("first", &lines[..200]), (200, 0));
    assert_eq!(office.take("longer", &lines), (100, 200));
    assert_eq!(office.take("shorter", &lines[50..150]), (0, 100));
    let holed: Vec<&str> = lines[..90].iter().chain(&lines[120..]).copied().collect();
    assert_eq!(office.take("holed", &holed), (0, 270));
    assert_eq!(office.all(), 300);
}

#[test]
fn c6_what_one_export_lacks_another_fills() {
    let office = office();
    let chat = plain_chat("law", 300);
    let lines: Vec<&str> = chat.lines().collect();
    let holed: Vec<&str> = lines[..90].iter().chain(&lines[120..]).copied().collect();
    assert_eq!(office.take("holed", &holed), (270, 0));
    assert_eq!(office.take("whole", &lines), (30, 270));
    assert_eq!(office.all(), 300);
}

#[test]
fn c6_true_repeats_stay_and_are_not_doubled() {
    let office = office();
    let chat = plain_chat("law", 60);
    let mut lines: Vec<&str> = chat.lines().collect();
    let ok = "[28/12/2023, 23:10:00] Ana Reis: ok";
    lines.extend([ok, ok, ok]);
    assert_eq!(office.take("first", &lines), (63, 0));
    lines.push("[29/12/2023, 08:00:00] Bo Lund: good morning");
    assert_eq!(office.take("again", &lines), (1, 63));
    assert_eq!(count(&office.appliance, &office.officer, "ok"), 3);
}

#[test]
fn c7_the_very_same_file_changes_nothing() {
    let office = office();
    let chat = plain_chat("law", 20);
    let lines: Vec<&str> = chat.lines().collect();
    let export = exported(office.dir.path(), &lines);
    let first = import(&office.appliance, &office.root, &export).unwrap();
    let again = import(&office.appliance, &office.root, &export).unwrap();
    assert_eq!(again.same_as, first.id);
    assert_eq!((again.counts.fresh, again.counts.known), (0, 20));
}

#[test]
fn c7_an_interrupted_import_of_few_messages_goes_on_in_its_own_conversation() {
    let office = office();
    let chat = plain_chat("law", 5);
    let lines: Vec<&str> = chat.lines().collect();
    let export = exported(office.dir.path(), &lines);
    let first = import(&office.appliance, &office.root, &export).unwrap();
    // As a killed process leaves it: the batch is durable, the import is not finished.
    let store = office.appliance.archive().store();
    let tx = store.write().unwrap();
    let mut row = tx.import_by_id(first.id.unwrap()).unwrap().unwrap();
    row.state = ImportState::Interrupted;
    tx.update_import(&row).unwrap();
    tx.commit().unwrap();
    let again = import(&office.appliance, &office.root, &export).unwrap();
    assert_eq!((again.counts.fresh, again.counts.known), (0, 5));
    assert_eq!(office.all(), 5);
}

/// The disk of the index fails for a while and the process lives on: what was written down is found
/// again with the next import, and the import that failed comes to its end.
#[test]
fn c7_what_a_failing_index_missed_is_shown_by_the_next_import() {
    let office = office();
    let lines = |tag: &str| plain_chat(tag, 20);
    let export = |tag: &str| {
        let folder = office.dir.path().join(tag);
        std::fs::create_dir_all(&folder).unwrap();
        exported(&folder, &lines(tag).lines().collect::<Vec<_>>())
    };
    let (first, second) = (export("first"), export("second"));
    // Where the directories of the index should be made there are files.
    let index = office.dir.path().join("data/index");
    for year in 2019..=2023 {
        std::fs::write(index.join(year.to_string()), "").unwrap();
    }
    let failed = import(&office.appliance, &office.root, &first);
    assert!(failed.is_err(), "{failed:?}");
    assert_eq!(count(&office.appliance, &office.officer, "firstword7"), 0);
    for year in 2019..=2023 {
        std::fs::remove_file(index.join(year.to_string())).unwrap();
    }
    import(&office.appliance, &office.root, &second).unwrap();
    for word in ["firstword7", "secondword7"] {
        assert_eq!(count(&office.appliance, &office.officer, word), 1, "{word}");
    }
    let rows = office.appliance.archive().store().read().unwrap();
    assert_eq!(rows.running_imports().unwrap(), []);
}

#[test]
fn c6_a_chat_of_a_few_words_is_recognised_or_asked_for() {
    let office = office();
    let chat = [
        "[11/02/2024, 10:44:10] Ana Reis: ok?",
        "[11/02/2024, 10:45:20] Bo Lind: deal",
        "[25/02/2024, 09:12:30] Ana Reis: paid",
        "[26/02/2024, 09:12:30] Bo Lind: thanks",
    ];
    assert_eq!(office.take("short", &chat[..3]), (3, 0));
    assert_eq!(office.take("longer", &chat), (1, 3));
    // Half known by one author only: that is for a person to say.
    let folder = office.dir.path().join("wish");
    std::fs::create_dir_all(&folder).unwrap();
    let other = exported(&folder, &[chat[0], "[25/02/2024, 09:12:31] Cem Kaya: no"]);
    let asked = import(&office.appliance, &office.root, &other).unwrap_err();
    let AppError::Questions(questions) = asked else {
        panic!("{asked}");
    };
    let kinds: Vec<QuestionKind> = questions.iter().map(|question| question.kind).collect();
    assert_eq!(kinds, [QuestionKind::Continues]);
    assert_eq!(office.all(), 4);
}

/// Writes down how far an import says it is.
#[derive(Default)]
struct Heard {
    bytes: AtomicU64,
    places: Mutex<Vec<u64>>,
}

impl Progress for Heard {
    fn begins(&self, _name: &str, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    fn advances(&self, _messages: u64, _rejected: u64, bytes: u64) {
        self.places.lock().unwrap().push(bytes);
    }
}

impl Heard {
    /// Holds it to the shares of the source at which it was told something.
    fn assert_shares(self, shares: &[f64]) {
        let (bytes, places) = (self.bytes.into_inner(), self.places.into_inner().unwrap());
        assert_eq!(places.len(), shares.len(), "{places:?}");
        for (place, of) in places.iter().zip(shares) {
            let share = *place as f64 / bytes as f64;
            assert!(
                (share - of).abs() < 0.03,
                "{share} of {bytes} bytes, not {of}"
            );
        }
    }
}

#[test]
fn c1_progress_tells_how_much_of_the_source_was_read() {
    let office = office();
    let chat = plain_chat("law", 10_000);
    let lines: Vec<&str> = chat.lines().collect();
    let heard = Heard::default();
    let request = ImportRequest {
        path: exported(office.dir.path(), &lines),
        ..ImportRequest::default()
    };
    office
        .appliance
        .import(&office.root, &request, &heard)
        .unwrap();
    // Every 4,096 messages of 10,000, in lines of about the same length.
    heard.assert_shares(&[0.41, 0.82]);
}

#[test]
fn c7_a_question_about_one_chat_of_a_folder_merges_no_others() {
    let office = office();
    let folder = office.dir.path().join("both");
    std::fs::create_dir_all(&folder).unwrap();
    let first: String = (13..25)
        .map(|day| format!("{day}/01/2024, 10:00 - Ana: word{day} of the first chat\n"))
        .collect();
    let second: String = (1..12)
        .map(|day| format!("{day:02}/02/2024, 10:00 - Bo: other{day} words\n"))
        .collect();
    std::fs::write(folder.join("WhatsApp Chat with Ana.txt"), first).unwrap();
    std::fs::write(folder.join("WhatsApp Chat with Bo.txt"), second).unwrap();
    let asked = import(&office.appliance, &office.root, &folder);
    assert!(matches!(asked, Err(AppError::Questions(_))), "{asked:?}");
    let request = ImportRequest {
        path: folder.clone(),
        date_order: Some(wordkeep::ingest::DateOrder::DayFirst),
        ..ImportRequest::default()
    };
    let root = &office.root;
    let silent = &wordkeep::app::import::SilentProgress;
    office.appliance.import(root, &request, silent).unwrap();
    let mut chats = office.appliance.conversations(&office.officer).unwrap();
    chats.sort_by_key(|line| line.messages);
    let counts: Vec<u64> = chats.iter().map(|line| line.messages).collect();
    assert_eq!(counts, [11, 12]);
    // One conversation cannot be that of two chats.
    let one = ImportRequest {
        conversation: Some(chats[0].id),
        path: folder,
        ..request
    };
    std::fs::write(one.path.join("more.txt"), "x").unwrap();
    let refused = office.appliance.import(root, &one, silent);
    assert!(matches!(refused, Err(AppError::Usage(_))), "{refused:?}");
}
