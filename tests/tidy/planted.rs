//! The test of the test: every rule fails on a breach planted here, and passes on its lawful twin.

use crate::rules::{self, Breach, Rule};
use crate::source::Source;

fn check(rule: Rule, path: &str, text: &str) -> Vec<Breach> {
    rule(&Source::new(path, text, false))
}

#[track_caller]
fn fails(rule: Rule, path: &str, text: &str) {
    let found = check(rule, path, text);
    assert!(!found.is_empty(), "the planted breach went unseen:\n{text}");
}

#[track_caller]
fn passes(rule: Rule, path: &str, text: &str) {
    assert_eq!(check(rule, path, text), [], "{text}");
}

#[test]
fn tidy_fails_when_a_floor_is_broken() {
    for text in [
        "use crate::archive::Archive;",
        "use crate::query;",
        "use crate::{crypto, archive::Archive};",
        "use crate::{domain::{Note, Now}, query::parse};",
        "fn f() { crate::index::open(); }",
        "use ::wordkeep::app::run;",
        "use wordkeep::{cli};",
        "use super::super::store::Store;",
        "use crate::*;",
        "use crate::{self as house};",
        "use crate as house;",
        "#[cfg(test)]\nmod tests {\n    use crate::store::Store;\n}",
    ] {
        fails(rules::floors, "src/crypto/key.rs", text);
    }
    fails(rules::floors, "src/crypto/mod.rs", "use super::index::Hit;");
    fails(rules::floors, "src/attic/mod.rs", "use crate::domain::Now;");
}

#[test]
fn lower_floors_and_the_own_room_are_open() {
    for text in [
        "use crate::domain::{Now, Note};",
        "use crate::{crypto::Key, domain};",
        "use crate::store::Row;",
        "use super::Row;",
        "use super::super::super_row::index;",
        "//! [`crate::app`] opens it.\n// use crate::app;\nconst A: &str = \"crate::app\";",
        "const A: &str = r#\"a \" crate::app \"#; /* crate::app /* nested */ crate::cli */",
        "fn f<'a>(x: &'a str) -> char { '\"' } // crate::app \"",
    ] {
        passes(rules::floors, "src/store/row/mod.rs", text);
    }
    passes(
        rules::floors,
        "src/main.rs",
        "fn main() { wordkeep::cli::run() }",
    );
    passes(rules::floors, "src/lib.rs", "pub use crate::app::App;");
}

#[test]
fn tidy_fails_when_a_heavy_crate_leaves_its_room() {
    for text in [
        "use rusqlite::Connection;",
        "use rusqlite as sql;",
        "use ::rusqlite::Connection;",
        "use {rusqlite, std::fmt};",
        "use {std::{io, fmt}, rusqlite};",
        "extern crate rusqlite;",
        "fn f() -> rusqlite::Result<()> { Ok(()) }",
        "fn f() -> Result<(), ::tantivy::TantivyError> { Ok(()) }",
        "use aes_gcm::Aes256Gcm;",
    ] {
        fails(rules::heavy_crates, "src/archive/mod.rs", text);
    }
    for text in [
        "use rusqlite::Connection;",
        "mod zip { } fn f(csv: u8) { self::tar::open(); g(csv, zip) }",
    ] {
        passes(rules::heavy_crates, "src/store/mod.rs", text);
    }
}

#[test]
fn tidy_fails_when_a_low_room_reads_the_clock() {
    for text in [
        "fn f() { let t = std::time::SystemTime::now(); }",
        "fn f() { let t = Instant :: now(); }",
        "use std::time::SystemTime as Clock;",
        "fn f() { chrono::Utc::now(); }",
        "fn f() { chrono::Local::now(); }",
        "fn f(t: Instant) { t.elapsed(); }",
        "const SQL: &str = \"insert into a values (CURRENT_TIMESTAMP)\";",
        "const SQL: &str = \"select strftime('%s', 'now')\";",
    ] {
        fails(rules::doors, "src/archive/write.rs", text);
    }
    fails(
        rules::doors,
        "src/http/page.rs",
        "fn f() { SystemTime::now(); }",
    );
    passes(
        rules::doors,
        "src/app/clock.rs",
        "fn f() { SystemTime::now(); }",
    );
    let in_test = "#[cfg(test)]\nmod tests { fn f() { Instant::now(); } }";
    passes(rules::doors, "src/archive/write.rs", in_test);
}

#[test]
fn tidy_fails_when_a_low_room_draws_chance() {
    for text in [
        "fn f() { getrandom::fill(&mut [0]); }",
        "use rand::Rng;",
        "fn f() { OsRng.fill(); }",
        "const DEVICE: &str = \"/dev/urandom\";",
        "const SQL: &str = \"select randomblob(16)\";",
    ] {
        fails(rules::doors, "src/crypto/key.rs", text);
    }
    let lawful = "fn f(entropy: &dyn Entropy) { Key::random(entropy); }";
    passes(rules::doors, "src/crypto/key.rs", lawful);
}

#[test]
fn tidy_fails_when_files_are_opened_in_the_wrong_room() {
    for text in [
        "use std::fs;",
        "use std::{fs::File, io};",
        "fn f() { File::open(\"a\"); }",
        "use rustix::fs::openat;",
    ] {
        fails(rules::doors, "src/ingest/zip.rs", text);
        passes(rules::doors, "src/index/directory.rs", text);
    }
    passes(
        rules::doors,
        "src/ingest/zip.rs",
        "fn f() { Source::File; }",
    );
}

#[test]
fn tidy_fails_when_something_is_deleted_in_the_wrong_room() {
    for text in [
        "fn f() { std::fs::remove_file(\"a\"); }",
        "const SQL: &str = \"DELETE FROM message\";",
        "const SQL: &str = r\"drop table message\";",
    ] {
        fails(rules::doors, "src/archive/write.rs", text);
    }
    let sql = "const SQL: &str = \"delete from outbox\";";
    passes(rules::doors, "src/store/outbox.rs", sql);
    fails(
        rules::doors,
        "src/archive/erase.rs",
        "fn f() { Approved::new(plan); }",
    );
}

#[test]
fn tidy_fails_when_a_connection_or_a_process_is_opened_below() {
    fails(
        rules::doors,
        "src/audit/anchor.rs",
        "use std::net::TcpStream;",
    );
    fails(
        rules::doors,
        "src/ingest/mod.rs",
        "fn f() { Command::new(\"a\"); }",
    );
    fails(
        rules::doors,
        "src/auth/mod.rs",
        "fn f() { std::env::var(\"A\"); }",
    );
}

#[test]
fn tidy_fails_when_a_file_has_no_opening_sentence() {
    fails(rules::opens_with_a_sentence, "src/a/b.rs", "use x;");
    fails(rules::opens_with_a_sentence, "src/a/b.rs", "//!\nuse x;");
    fails(rules::opens_with_a_sentence, "src/a/b.rs", "// Line.\n");
    passes(
        rules::opens_with_a_sentence,
        "src/a/b.rs",
        "//! Rows of a table.\n",
    );
}

#[test]
fn tidy_fails_when_a_file_grows_too_long() {
    let long = "fn f() {}\n".repeat(801);
    fails(rules::sizes, "src/a/b.rs", &long);
    passes(rules::sizes, "src/a/b.rs", &long[10..]);
    fails(rules::sizes, "src/a/mod.rs", &"mod a;\n".repeat(121));
    let tests = "    fn t() {}\n".repeat(1000);
    let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{tests}}}\n");
    passes(rules::sizes, "src/a/b.rs", &tested);
    fails(rules::sizes, "src/a/b.rs", &format!("{tested}{long}"));
}

#[test]
fn tidy_fails_when_a_module_is_called_util() {
    fails(rules::empty_names, "src/store/util.rs", "");
    fails(rules::empty_names, "src/store/common/mod.rs", "");
    fails(rules::empty_names, "src/store/mod.rs", "mod helpers;");
    passes(rules::empty_names, "src/store/utility_bill.rs", "mod row;");
}

#[test]
fn tidy_fails_when_something_is_left_unfinished() {
    for mark in crate::plan::UNFINISHED {
        fails(rules::unfinished, "src/a/b.rs", &format!("// {mark} later"));
    }
    passes(rules::unfinished, "src/a/b.rs", "// my_todo!s, XXXL");
}

#[test]
fn tidy_fails_when_state_is_global() {
    for text in [
        "static mut COUNT: u8 = 0;",
        "lazy_static! { }",
        "thread_local! { }",
        "static COUNT: AtomicU64 = AtomicU64::new(0);",
        "static ROWS: Mutex<Vec<u8>> = Mutex::new(Vec::new());",
        "static TABLE: LazyLock<Regex> = LazyLock::new(f);",
        "/// A pattern.\nstatic TABLE: OnceLock<Regex> = OnceLock::new();",
        "/// Read-only: compiled once.\nstatic ROWS: RwLock<u8> = RwLock::new(0);",
    ] {
        fails(rules::global_state, "src/a/b.rs", text);
    }
    for text in [
        "/// Read-only; compiling it\n/// is slow.\nstatic TABLE: LazyLock<Regex> = LazyLock::new(f);",
        "static NAMES: [&str; 2] = [\"a\", \"b\"];",
        "fn f() -> &'static Mutex<u8> { x }",
    ] {
        passes(rules::global_state, "src/a/b.rs", text);
    }
}

#[test]
fn tidy_fails_when_product_code_unwraps() {
    fails(rules::unwraps, "src/a/b.rs", "fn f() { x.unwrap(); }");
    fails(
        rules::unwraps,
        "src/a/b.rs",
        "fn f() { x.expect(\"cannot fail\"); }",
    );
    let short = "#[expect(clippy::expect_used, reason = \"r\")]\nfn f() { x.expect(\"no\"); }";
    fails(rules::unwraps, "src/a/b.rs", short);
    for text in [
        "#[expect(clippy::expect_used, reason = \"r\")]\nfn f() { x.expect(\"three is below four\"); }",
        "fn f() { x.unwrap_or(0); self.expect(Token::Close); }",
        "#[cfg(test)]\nmod tests { fn f() { x.unwrap(); } }",
    ] {
        passes(rules::unwraps, "src/a/b.rs", text);
    }
    let behind = "#[cfg(test)]\nmod tests { fn f() {} }\nfn g() { x.unwrap(); }";
    fails(rules::unwraps, "src/a/b.rs", behind);
}

#[test]
fn tidy_fails_when_a_lint_is_silenced_without_reason() {
    fails(
        rules::silenced_lints,
        "src/a/b.rs",
        "#[allow(dead_code)]\nfn f() {}",
    );
    fails(rules::silenced_lints, "src/a/b.rs", "#![expect(dead_code)]");
    let reasoned = "#[expect(dead_code, reason = \"read by the debugger\")]\nfn f() {}";
    passes(rules::silenced_lints, "src/a/b.rs", reasoned);
    let shared = "#![allow(dead_code, reason = \"no program uses all of it\")]";
    passes(rules::silenced_lints, "tests/support/mod.rs", shared);
    fails(rules::silenced_lints, "tests/laws/mod.rs", shared);
    let silent = "#![allow(dead_code)]";
    fails(rules::silenced_lints, "tests/support/mod.rs", silent);
}

#[test]
fn tidy_fails_when_a_test_is_dodged() {
    fails(
        rules::dodged_tests,
        "src/a/b.rs",
        "#[test]\n#[ignore]\nfn f() {}",
    );
    fails(
        rules::dodged_tests,
        "src/a/b.rs",
        "#[ignore = \"slow\"]\nfn f() {}",
    );
    fails(
        rules::dodged_tests,
        "tests/a.rs",
        "#[should_panic(expected = \"a\")]\nfn f() {}",
    );
}

#[test]
fn tidy_fails_when_a_path_of_one_machine_is_named() {
    for word in crate::plan::FOREIGN_WORDS {
        assert_eq!(
            rules::foreign_words("README.md", &format!("see {word}a")).len(),
            1
        );
    }
    assert_eq!(rules::foreign_words("README.md", "cargo run"), []);
}

#[test]
fn tidy_fails_when_the_top_level_grows() {
    let names = |list: &[&str]| {
        list.iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        rules::top_level(&names(&["src", ".ci", "scripts"])).len(),
        1
    );
    assert_eq!(
        rules::top_level(&names(&["Cargo.toml", "README.md", ".git"])),
        []
    );
}

#[test]
fn tidy_fails_when_the_floor_plan_disagrees() {
    let directories = |list: &[&str]| {
        list.iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    let lawful = "// Floor 0\npub mod domain;\n\n// Floor 1: sealed bytes.\npub mod crypto;\npub mod query;\n";
    assert_eq!(
        rules::floor_plan(lawful, &directories(&["domain", "crypto"])),
        []
    );
    for wrong in [
        "pub mod domain;",
        "// Floor 1\npub mod domain;",
        "// Floor 3\npub mod attic;",
        "// Floor 0\nmod domain;",
    ] {
        assert_eq!(rules::floor_plan(wrong, &[]).len(), 1, "{wrong}");
    }
    assert_eq!(rules::floor_plan(lawful, &directories(&["attic"])).len(), 1);
}

#[test]
fn tidy_fails_when_a_dependency_has_no_room() {
    let manifest = "[package]\nname = \"a\"\n[dependencies]\n# Words.\nregex = \"1\"\nleft-pad = \"1\"\n[dev-dependencies]\ninsta = \"1\"\n";
    let found = rules::dependencies(manifest);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].line, 6);
}

#[test]
fn modules_for_tests_in_files_of_their_own_are_known() {
    let source = Source::new("src/a/mod.rs", "#[cfg(test)]\nmod laws;\nmod row;\n", false);
    assert_eq!(source.test_modules(), ["laws"]);
    let laws = Source::new("src/a/laws.rs", "fn f() { x.unwrap(); }", true);
    assert_eq!(rules::unwraps(&laws), []);
    assert_eq!(laws.product_lines(), 0);
}
