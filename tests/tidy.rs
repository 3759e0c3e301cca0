//! Holds the house to its plan: floors, rooms, doors, sizes, names. The tables are in
//! `tidy/plan.rs`, the rules in `tidy/rules.rs`, and `tidy/planted.rs` shows that each rule fails
//! on a planted breach.

#[path = "tidy/plan.rs"]
mod plan;
#[path = "tidy/planted.rs"]
mod planted;
#[path = "tidy/rules.rs"]
mod rules;
#[path = "tidy/source.rs"]
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use rules::{Breach, HOUSE_RULES, Rule, TEST_RULES};
use source::Source;

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(directory: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = match fs::read_dir(directory) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => Vec::new(),
    };
    entries.sort();
    entries
}

fn files_under(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in names_in(path) {
            files_under(&entry, found);
        }
    } else if path.is_file() {
        found.push(path.to_owned());
    }
}

/// Path from the top and text of every readable text file under the named entries of the top.
fn texts(entries: &[&str]) -> Vec<(String, String)> {
    let mut files = Vec::new();
    for entry in entries {
        files_under(&top().join(entry), &mut files);
    }
    let texts = files.into_iter().filter_map(|file| {
        let path = file
            .strip_prefix(top())
            .ok()?
            .to_string_lossy()
            .into_owned();
        // Fixtures that are not UTF-8 are nobody's prose.
        Some((path, fs::read_to_string(&file).ok()?))
    });
    texts.collect()
}

fn rust_under(entry: &str) -> Vec<Source> {
    let texts: Vec<(String, String)> = texts(&[entry])
        .into_iter()
        .filter(|(path, _)| path.ends_with(".rs"))
        .collect();
    let test_files: Vec<String> = texts
        .iter()
        .flat_map(|(path, text)| files_of_test_modules(&Source::new(path, text, false)))
        .collect();
    texts
        .iter()
        .map(|(path, text)| {
            let only_tests = test_files.iter().any(|file| path.starts_with(file));
            Source::new(path, text, only_tests)
        })
        .collect()
}

/// Where the modules declared as `#[cfg(test)] mod name;` live: `dir/name.rs` or `dir/name/`.
fn files_of_test_modules(source: &Source) -> Vec<String> {
    let folder = match source.stem() {
        "mod" | "lib" | "main" => source
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder),
        _ => source.path.trim_end_matches(".rs"),
    };
    let modules = source.test_modules().into_iter();
    modules
        .flat_map(|name| [format!("{folder}/{name}.rs"), format!("{folder}/{name}/")])
        .collect()
}

fn breaches(sources: &[Source], rules: &[Rule]) -> Vec<Breach> {
    sources
        .iter()
        .flat_map(|source| rules.iter().flat_map(move |rule| rule(source)))
        .collect()
}

#[track_caller]
fn assert_tidy(breaches: &[Breach]) {
    let lines: Vec<String> = breaches.iter().map(Breach::to_string).collect();
    assert!(
        lines.is_empty(),
        "the house is out of order:\n{}",
        lines.join("\n")
    );
}

#[test]
fn every_file_of_the_house_keeps_the_rules() {
    let sources = rust_under("src");
    assert!(sources.len() > 3, "the walk over `src` found no files");
    assert_tidy(&breaches(&sources, HOUSE_RULES));
}

#[test]
fn every_file_of_the_tests_keeps_the_rules() {
    let sources = rust_under("tests");
    assert!(sources.len() > 3, "the walk over `tests` found no files");
    assert_tidy(&breaches(&sources, TEST_RULES));
}

#[test]
fn the_floor_plan_in_lib_agrees_with_the_table() {
    let lib = fs::read_to_string(top().join("src/lib.rs")).unwrap();
    let rooms: Vec<String> = names_in(&top().join("src"))
        .into_iter()
        .filter(|path| path.join("mod.rs").is_file())
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert!(!rooms.is_empty());
    assert_tidy(&rules::floor_plan(&lib, &rooms));
}

#[test]
fn every_dependency_has_a_room() {
    let manifest = fs::read_to_string(top().join("Cargo.toml")).unwrap();
    assert_tidy(&rules::dependencies(&manifest));
}

#[test]
fn the_top_level_holds_only_what_the_design_names() {
    let names: Vec<String> = names_in(top())
        .into_iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    assert!(names.iter().any(|name| name == "Cargo.toml"));
    assert_tidy(&rules::top_level(&names));
}

#[test]
fn no_file_names_a_path_of_one_machine() {
    let entries = [
        "src",
        "schema",
        "tests",
        "packaging",
        "README.md",
        "Cargo.toml",
        ".ci",
        ".cargo",
        ".gitignore",
        ".gitattributes",
    ];
    let texts = texts(&entries);
    let found: Vec<Breach> = texts
        .iter()
        .flat_map(|(path, text)| rules::foreign_words(path, text))
        .collect();
    assert_tidy(&found);
}
