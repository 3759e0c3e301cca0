//! Every format reads its fixtures as somebody once looked at, accounts for every byte, and takes any
//! damage without losing its head.
//!
//! `tests/fixtures/formats/FORMAT/` holds inputs: a file, or a folder that is handed in whole. Beside
//! an input NAME stand `NAME.expected`, what was read, reviewed by eye, and where it needs answers
//! `NAME.answers`. `FORMATS=overwrite cargo test --release --test formats` writes what is missing or
//! differs: look at the difference before it is kept.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test fails its test by panicking"
)]

mod damage;
mod hostile;
mod printed;
mod records;
mod told;

use std::fs;
use std::path::{Path, PathBuf};

use told::{Input, told};

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats")
}

/// Everything in a folder, in order.
fn within(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The inputs of every format.
fn inputs() -> Vec<Input> {
    let formats = within(&home()).into_iter().filter(|path| path.is_dir());
    let files = formats.flat_map(|format| within(&format));
    let is_input = |path: &PathBuf| {
        let kind = path.extension().and_then(|kind| kind.to_str());
        !matches!(kind, Some("expected" | "answers"))
    };
    files
        .filter(is_input)
        .map(|path| Input::read(&path))
        .collect()
}

#[test]
fn c3_every_fixture_is_read_as_it_was_reviewed() {
    let overwrite = std::env::var_os("FORMATS").is_some_and(|word| word == "overwrite");
    let mut differ = Vec::new();
    let inputs = inputs();
    assert!(inputs.len() > 4);
    for input in inputs {
        let read = told(&input);
        let mut name = input.path.clone().into_os_string();
        name.push(".expected");
        let expected = fs::read_to_string(&name).unwrap_or_default();
        if read == expected {
            continue;
        }
        if overwrite {
            fs::write(&name, &read).unwrap();
        }
        let at = read
            .lines()
            .zip(expected.lines())
            .position(|(read, expected)| read != expected);
        differ.push(format!(
            "{}, line {:?}:\n{read}",
            input.path.display(),
            at.map(|at| at + 1)
        ));
    }
    assert!(overwrite || differ.is_empty(), "{}", differ.join("\n"));
}

/// The smallest inputs are cut everywhere, the others at some places.
#[test]
fn c3_damage_is_noted_and_the_good_part_is_kept() {
    for input in inputs() {
        damage::cuts(&input);
        damage::flips(&input);
    }
}
