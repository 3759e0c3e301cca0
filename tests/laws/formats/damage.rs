//! Fixtures that were cut off and flipped: read to the end without a panic, every byte accounted for.

use super::told::{Input, told};

/// Places at which a larger file is cut or flipped.
const PLACES: usize = 60;

/// The places of a file that are tried: all of a small one.
fn places(length: usize) -> Vec<usize> {
    let step = (length / PLACES).max(1);
    (0..length).step_by(step).collect()
}

/// Each file cut off.
pub fn cuts(input: &Input) {
    for file in 0..input.files.len() {
        for at in places(input.files[file].1.len()) {
            let mut cut = input.clone();
            cut.files[file].1.truncate(at);
            told(&cut);
        }
    }
}

/// Each file with one byte of another value.
pub fn flips(input: &Input) {
    for file in 0..input.files.len() {
        for (nth, at) in places(input.files[file].1.len()).into_iter().enumerate() {
            let mut flipped = input.clone();
            flipped.files[file].1[at] ^= [1, 0x20, 0x80, 0xff][nth % 4];
            told(&flipped);
        }
    }
}
