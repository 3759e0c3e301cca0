//! What was sealed, heard across processes: each seal is a line of bytes in a file of the house.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use wordkeep::crypto::{KeyFingerprint, NONCE_LEN, Nonce, SealObserver};

use crate::house::Place;

/// Fingerprint of the key, then the nonce.
const RECORD_LEN: usize = 16 + NONCE_LEN;

/// Writes down every seal before anything sealed can reach the disk, so that a killed process
/// leaves a whole account.
pub struct SealFile(Mutex<File>);

fn path(place: &Place) -> PathBuf {
    place.root.join("seals")
}

impl SealFile {
    /// Goes on with the account of a house.
    pub fn of(place: &Place) -> Arc<dyn SealObserver> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(path(place))
            .unwrap();
        Arc::new(SealFile(Mutex::new(file)))
    }
}

impl SealObserver for SealFile {
    fn sealed(&self, key: KeyFingerprint, nonce: Nonce) {
        let mut record = [0; RECORD_LEN];
        record[..16].copy_from_slice(&key.0);
        record[16..].copy_from_slice(nonce.as_bytes());
        self.0.lock().unwrap().write_all(&record).unwrap();
    }
}

/// How many seals the house has seen, in all its processes, and how many pairs came again.
pub fn seals_and_repeats(place: &Place) -> (usize, usize) {
    let bytes = std::fs::read(path(place)).unwrap();
    let seals = bytes.chunks_exact(RECORD_LEN);
    assert!(seals.remainder().is_empty());
    let count = seals.len();
    let apart: HashSet<&[u8]> = seals.collect();
    (count, count - apart.len())
}

#[test]
fn e2_the_account_of_seals_outlives_its_writer_and_finds_a_repetition() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path());
    let (key, nonce) = (KeyFingerprint([1; 16]), Nonce::row(1, 0, 0));
    SealFile::of(&place).sealed(key, nonce);
    SealFile::of(&place).sealed(key, Nonce::row(2, 0, 0));
    assert_eq!(seals_and_repeats(&place), (2, 0));
    SealFile::of(&place).sealed(key, nonce);
    assert_eq!(seals_and_repeats(&place), (3, 1));
}
