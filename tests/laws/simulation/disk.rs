//! What a loss of power takes besides the process: writes that were not synced are gone or torn.
//!
//! At a point of a protocol the archive has synced what it must; whatever was on its way a moment
//! earlier, or would be a moment later, may stand there in any state. That is: the place of the
//! keyhold that the record does not use, the tail of the write-ahead log behind its last commit,
//! the shared memory of the log, and files that have no name yet.

use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use wordkeep::crypto::PLACE_LEN;

use crate::chance::Chance;
use crate::house::files_below;

/// Points before the commit that makes the newer keyhold the one in use.
const NEWER_IS_FREE: [&str; 5] = [
    "erase.hold_written",
    "erase.judged",
    "erase.index_written",
    "rotate.written",
    "rotate.rewrapped",
];
/// Points right after it: the elder keyhold is being overwritten.
const ELDER_IS_FREE: [&str; 3] = ["erase.decided", "erase.index_settled", "rotate.committed"];
/// Bytes that reach the disk together.
const SECTOR: usize = 512;
/// Most bytes of a commit that never came to its end.
const TAIL_MAX: usize = 40_000;

fn noise(chance: &mut Chance, length: usize) -> Vec<u8> {
    (0..length).map(|_| chance.next() as u8).collect()
}

pub fn write_at(path: &Path, at: u64, bytes: &[u8]) {
    let mut file = OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(at)).unwrap();
    file.write_all(bytes).unwrap();
}

/// Tears the place of the keyhold that nothing hangs on; some sectors are new, some old, some noise.
fn tear_keyhold(path: &Path, died_at: &str, chance: &mut Chance) -> bool {
    let file = std::fs::read(path).unwrap();
    let generation = |place: usize| {
        let at = place * PLACE_LEN;
        let bytes = file.get(at + 8..at + 16)?.try_into().ok()?;
        Some(u64::from_be_bytes(bytes))
    };
    let (Some(first), Some(second)) = (generation(0), generation(1)) else {
        return false;
    };
    let newer = usize::from(second > first);
    let free = match (
        NEWER_IS_FREE.contains(&died_at),
        ELDER_IS_FREE.contains(&died_at),
    ) {
        _ if first == second => return false,
        (true, _) => newer,
        (_, true) => 1 - newer,
        _ => return false,
    };
    let mut place = file[free * PLACE_LEN..(free + 1) * PLACE_LEN].to_vec();
    for sector in place.chunks_mut(SECTOR) {
        match chance.below(3) {
            0 => {}
            1 => sector.fill(0),
            _ => sector.copy_from_slice(&noise(chance, SECTOR)),
        }
    }
    write_at(path, (free * PLACE_LEN) as u64, &place);
    true
}

/// Copies the files as they stand. Threads that join segments of the index may still be at work: a
/// file that goes meanwhile is left out, as in a crash a moment later.
pub fn picture(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        match path.is_dir() {
            true => picture(&path, &copy),
            false => drop(std::fs::copy(path, copy)),
        }
    }
}

/// Loses what a loss of power at a point may lose. Gives how many files it touched.
pub fn lose(data: &Path, died_at: &str, chance: &mut Chance) -> u64 {
    let mut lost = u64::from(tear_keyhold(&data.join("keys/keyhold"), died_at, chance));
    let log = data.join("wordkeep.db-wal");
    if log.exists() && chance.once_in(2) {
        let end = std::fs::metadata(&log).unwrap().len();
        let length = chance.below(TAIL_MAX);
        write_at(&log, end, &noise(chance, length));
        lost += 1;
    }
    let shared = data.join("wordkeep.db-shm");
    if shared.exists() && chance.once_in(2) {
        std::fs::remove_file(&shared).unwrap();
        lost += 1;
    }
    for path in files_below(data) {
        let nameless = path
            .extension()
            .is_some_and(|end| end == "new" || end == "part");
        if nameless {
            let length = std::fs::metadata(&path).unwrap().len() as usize;
            let kept = chance.below(length + 1) as u64;
            OpenOptions::new()
                .write(true)
                .open(&path)
                .unwrap()
                .set_len(kept)
                .unwrap();
            lost += 1;
        }
    }
    lost
}
