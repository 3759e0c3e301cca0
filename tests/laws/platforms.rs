//! The fixtures of every platform through the whole product: read from a folder as from an archive, and
//! known when they come again.

use std::path::{Path, PathBuf};

use crate::house::{count, files_below, import, zipped};
use crate::office;

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/formats")
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Folders that are handed in whole and need no answer.
fn fixtures() -> Vec<PathBuf> {
    let formats = below(&home()).into_iter().filter(|path| path.is_dir());
    let inputs = formats.flat_map(|format| below(&format));
    let answered = |path: &PathBuf| path.with_extension("answers").exists();
    inputs
        .filter(|path| path.is_dir() && !answered(path))
        .collect()
}

/// The same as an archive, under another name.
fn archive(folder: &Path, into: &Path) -> PathBuf {
    let root = folder.parent().unwrap();
    let files = files_below(folder);
    let read = files.iter().map(|file| {
        let name = file.strip_prefix(root).unwrap().display().to_string();
        (name, std::fs::read(file).unwrap())
    });
    let read: Vec<(String, Vec<u8>)> = read.collect();
    let entries = read
        .iter()
        .map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    zipped(into, "again.zip", entries)
}

#[test]
fn c6_every_platform_is_read_from_a_folder_and_known_from_an_archive() {
    let office = office();
    let fixtures = fixtures();
    assert!(fixtures.len() >= 9, "{fixtures:?}");
    let mut all = 0;
    for folder in fixtures {
        let first = import(&office.appliance, &office.root, &folder).unwrap();
        assert!(first.counts.fresh > 0, "{folder:?}: {first:?}");
        all += first.counts.fresh;
        let again = archive(&folder, office.dir.path());
        let again = import(&office.appliance, &office.root, &again).unwrap();
        assert_eq!(again.counts.fresh, 0, "{folder:?}: {again:?}");
        assert_eq!(again.counts.rejected, first.counts.rejected, "{folder:?}");
        assert_eq!(again.summaries.len(), first.summaries.len(), "{folder:?}");
        assert_eq!(
            count(&office.appliance, &office.officer, "*"),
            all,
            "{folder:?}"
        );
    }
}
