//! The rules of the house, each a pure function from one file to the breaches it holds.

use crate::plan::{
    DOORS, EMPTY_NAMES, FILE_LINES_MAX, FLOORS, FOREIGN_WORDS, HEAVY_CRATES, LIGHT_CRATES,
    MOD_LINES_MAX, ROOF, TOP_LEVEL, UNFINISHED,
};
use crate::source::{Kind, Source, Token, find, tokens};

/// One place where the house is out of order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The file, from the top of the repository.
    pub path: String,
    /// The line, counted from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong and what to do.
    pub what: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// A rule over one file of Rust.
pub type Rule = fn(&Source) -> Vec<Breach>;

/// The rules for files under `src`.
pub const HOUSE_RULES: &[Rule] = &[
    opens_with_a_sentence,
    floors,
    heavy_crates,
    doors,
    sizes,
    empty_names,
    unfinished,
    global_state,
    unwraps,
    silenced_lints,
    dodged_tests,
];

/// The rules for files under `tests`.
pub const TEST_RULES: &[Rule] = &[
    opens_with_a_sentence,
    empty_names,
    silenced_lints,
    dodged_tests,
];

fn breach(source: &Source, line: usize, what: impl Into<String>) -> Breach {
    Breach {
        path: source.path.clone(),
        line,
        what: what.into(),
    }
}

fn floor_of(room: &str) -> Option<u8> {
    let known = FLOORS.iter().find(|(name, _)| *name == room);
    known
        .map(|(_, floor)| *floor)
        .or((room == "main").then_some(ROOF))
}

/// Every file opens with a sentence about itself.
pub fn opens_with_a_sentence(source: &Source) -> Vec<Breach> {
    let first = source.text.lines().next().unwrap_or_default();
    match first.strip_prefix("//! ") {
        Some(sentence) if sentence.trim().len() > 3 => Vec::new(),
        _ => vec![breach(
            source,
            1,
            "the file does not open with `//! ` and a sentence about itself",
        )],
    }
}

/// A room imports only rooms on strictly lower floors.
pub fn floors(source: &Source) -> Vec<Breach> {
    let Some(room) = source.room() else {
        return Vec::new();
    };
    let Some(floor) = floor_of(room) else {
        return vec![breach(source, 0, format!("room `{room}` has no floor"))];
    };
    let mut found = Vec::new();
    for (name, line) in imported_rooms(source) {
        if name == room {
            continue;
        }
        match floor_of(&name) {
            Some(below) if below < floor => {}
            Some(other) => found.push(breach(
                source,
                line,
                format!("`{room}` (floor {floor}) imports `{name}` (floor {other}): take what it gives as an argument"),
            )),
            None => found.push(breach(
                source,
                line,
                format!("`{name}` is no room: name the room after `crate::`"),
            )),
        }
    }
    found
}

/// Names that follow the root of the crate in any path: `crate::x`, `wordkeep::{x, y}`,
/// `super::super::x` from a file that is only one module deep. A root that is renamed or globbed
/// yields the word that stands there, which is no room.
fn imported_rooms(source: &Source) -> Vec<(String, usize)> {
    let code = &source.code;
    let mut found = Vec::new();
    for place in 0..code.len() {
        let word = &code[place];
        if word.kind != Kind::Word {
            continue;
        }
        let follows = |text: &str| code.get(place + 1).is_some_and(|token| token.text == text);
        match word.text.as_str() {
            "crate" | "wordkeep" if follows("::") => first_names(code, place + 2, &mut found),
            "crate" if follows("as") => found.push(("as".to_owned(), word.line)),
            "wordkeep" if follows("as") => found.push(("as".to_owned(), word.line)),
            "super" if place == 0 || code[place - 1].text != "::" => {
                climbed_names(source, place, &mut found);
            }
            _ => {}
        }
    }
    found
}

/// The names right behind the root: one word, or every first word of a group.
fn first_names(code: &[Token], start: usize, found: &mut Vec<(String, usize)>) {
    let Some(first) = code.get(start) else {
        return;
    };
    if first.text != "{" {
        found.push((first.text.clone(), first.line));
        return;
    }
    let mut depth = 1;
    let mut expect_name = true;
    for token in &code[start + 1..] {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            "," if depth == 1 => {
                expect_name = true;
                continue;
            }
            name if depth == 1 && expect_name => found.push((name.to_owned(), token.line)),
            _ => {}
        }
        expect_name = false;
        if depth == 0 {
            return;
        }
    }
}

/// Rooms reached by climbing with `super` above the own room.
fn climbed_names(source: &Source, place: usize, found: &mut Vec<(String, usize)>) {
    let code = &source.code;
    let mut climbs = 0;
    let mut here = place;
    while code.get(here).is_some_and(|token| token.text == "super") {
        climbs += 1;
        here += 2;
    }
    let inside = source.path.trim_start_matches("src/");
    let depth = inside.matches('/').count() + usize::from(source.stem() != "mod");
    if climbs < depth {
        return;
    }
    // An inline module deepens the path, so only the name of a room counts here.
    let mut names = Vec::new();
    first_names(code, here, &mut names);
    names.retain(|(name, _)| floor_of(name).is_some());
    found.append(&mut names);
}

/// A heavy crate is spoken to in its own room only.
pub fn heavy_crates(source: &Source) -> Vec<Breach> {
    let Some(room) = source.room() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (name, rooms) in HEAVY_CRATES {
        if rooms.contains(&room) {
            continue;
        }
        let word = name.replace('-', "_");
        for place in find(&source.code, &word) {
            if is_crate_path(&source.code, place) {
                found.push(breach(
                    source,
                    source.code[place].line,
                    format!(
                        "crate `{name}` belongs to {}, not to `{room}`",
                        rooms.join(", ")
                    ),
                ));
            }
        }
    }
    found
}

/// Whether the word is the first of a path: `x::y`, `::x::y`, `use x`, `use {x, y}`.
fn is_crate_path(code: &[Token], place: usize) -> bool {
    let before = |steps: usize| {
        place
            .checked_sub(steps)
            .and_then(|at| code.get(at))
            .map_or("", |token| token.text.as_str())
    };
    const BEFORE_A_ROOT: [&str; 8] = ["use", "as", "dyn", "impl", "for", "mut", "return", "in"];
    let is_name = |text: &str| {
        text.starts_with(|first: char| first.is_alphanumeric()) && !BEFORE_A_ROOT.contains(&text)
    };
    if before(1) == "::" && is_name(before(2)) {
        return false;
    }
    let after = code.get(place + 1).map_or("", |token| token.text.as_str());
    let imported = matches!(before(1), "use" | "crate")
        || (before(1) == "::" && before(2) == "use")
        || (matches!(before(1), "{" | ",") && opens_a_use_group(code, place));
    after == "::" || (imported && matches!(after, ";" | "as" | "," | "}"))
}

/// Whether the word stands in the outermost group of `use {..}`.
fn opens_a_use_group(code: &[Token], place: usize) -> bool {
    let mut depth = 0;
    for at in (0..place).rev() {
        match code[at].text.as_str() {
            "}" => depth += 1,
            "{" if depth > 0 => depth -= 1,
            "{" => return at > 0 && code[at - 1].text == "use",
            ";" => return false,
            _ => {}
        }
    }
    false
}

/// A dangerous act is done in the rooms with the door only.
pub fn doors(source: &Source) -> Vec<Breach> {
    let Some(room) = source.room() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for door in DOORS.iter().filter(|door| !door.rooms.contains(&room)) {
        let by_code = door.code.iter().flat_map(|code| source.product(code));
        let by_literal = (0..source.code.len()).filter(|place| {
            let token = &source.code[*place];
            let text = token.text.to_lowercase();
            token.kind == Kind::Literal
                && source.is_product(*place)
                && door.literals.iter().any(|piece| text.contains(piece))
        });
        for place in by_code.chain(by_literal) {
            let line = source.code[place].line;
            let what = format!("`{room}` {}: {}", door.what, door.instead);
            found.push(breach(source, line, what));
        }
    }
    found
}

/// Files stay short, and `mod.rs` shorter.
pub fn sizes(source: &Source) -> Vec<Breach> {
    let limit = match source.stem() {
        "mod" => MOD_LINES_MAX,
        _ => FILE_LINES_MAX,
    };
    let lines = source.product_lines();
    if lines <= limit {
        return Vec::new();
    }
    let what = format!("{lines} lines of product code, at most {limit}: split it by nouns");
    vec![breach(source, 0, what)]
}

/// No module is called after its being useful.
pub fn empty_names(source: &Source) -> Vec<Breach> {
    let parts = source.path.split('/');
    let names = parts.map(|part| part.trim_end_matches(".rs"));
    let in_path = names
        .filter(|name| EMPTY_NAMES.contains(name))
        .map(|name| (name, 0));
    let declared = find(&source.code, "mod").filter_map(|place| {
        let name = source.code.get(place + 1)?;
        let text = name.text.as_str();
        EMPTY_NAMES.contains(&text).then_some((text, name.line))
    });
    in_path
        .chain(declared)
        .map(|(name, line)| {
            let what = format!("`{name}` says nothing: a helper lives with the noun it serves");
            breach(source, line, what)
        })
        .collect()
}

/// Nothing is left half done.
pub fn unfinished(source: &Source) -> Vec<Breach> {
    let mut found = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        for mark in UNFINISHED.iter().filter(|mark| has_word(line, mark)) {
            let what = format!("`{mark}` is left: finish it or take it out");
            found.push(breach(source, number + 1, what));
        }
    }
    found
}

/// Whether the line holds the word, not as part of a longer one.
fn has_word(line: &str, word: &str) -> bool {
    let part_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(part_of_word) && !after.is_some_and(part_of_word)
    })
}

/// No state outlives its owner. Tables that are computed once are allowed when the comment above
/// says that they are read-only, and why they are not constants.
pub fn global_state(source: &Source) -> Vec<Breach> {
    let mut found = Vec::new();
    for pattern in ["static mut", "lazy_static", "thread_local", "once_cell"] {
        for place in source.product(pattern) {
            let what = format!("`{pattern}` is global state: pass the value down");
            found.push(breach(source, source.code[place].line, what));
        }
    }
    for place in source.product("static") {
        let is_lifetime = place > 0 && source.code[place - 1].text == "'";
        if is_lifetime {
            continue;
        }
        let kind = static_type(&source.code[place..]);
        let line = source.code[place].line;
        let changes = ["Mutex", "RwLock", "Cell", "Atomic", "Condvar"]
            .iter()
            .any(|name| kind.contains(name));
        let computed = kind.contains("OnceLock") || kind.contains("LazyLock");
        if changes || (computed && !is_called_read_only(source, line)) {
            found.push(breach(
                source,
                line,
                "a static that changes: pass the value down, or say `read-only` and the reason in the comment above",
            ));
        }
    }
    found
}

/// The words between the name of a static and its value.
fn static_type(code: &[Token]) -> String {
    code.iter()
        .take_while(|token| token.text != "=" && token.text != ";")
        .map(|token| token.text.as_str())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether the comment that ends right above the line says `read-only`.
fn is_called_read_only(source: &Source, line: usize) -> bool {
    let mut above = line - 1;
    while let Some(comment) = source.comments.iter().find(|token| token.line == above) {
        if comment.text.to_lowercase().contains("read-only") {
            return true;
        }
        above -= 1;
    }
    false
}

/// Product code proves that it cannot fail, or returns an error.
pub fn unwraps(source: &Source) -> Vec<Breach> {
    let mut found = Vec::new();
    for place in source.product(".unwrap()") {
        let what = "`unwrap` in product code: return an error";
        found.push(breach(source, source.code[place].line, what));
    }
    let proofs = source.product("expect(clippy::expect_used");
    for place in source.product(".expect(") {
        let proof = source.code.get(place + 3);
        let is_sentence = proof.is_some_and(|token| token.text.trim_matches('"').contains(' '));
        let is_announced = proofs.iter().any(|announced| *announced < place);
        if !(is_sentence && is_announced) && is_option_expect(source, place) {
            let what = "`expect` without a proof sentence under `#[expect(clippy::expect_used, reason = ..)]`";
            found.push(breach(source, source.code[place].line, what));
        }
    }
    found
}

/// Whether the argument is a text: a parser's own method `expect(token)` is something else.
fn is_option_expect(source: &Source, place: usize) -> bool {
    let argument = source.code.get(place + 3);
    argument.is_some_and(|token| token.kind == Kind::Literal && token.text.starts_with('"'))
}

/// A lint is silenced by `expect` with a reason. `allow`, with a reason too, is for `tests/support`
/// alone: it is compiled into several programs, and no expectation holds in all of them.
pub fn silenced_lints(source: &Source) -> Vec<Breach> {
    let mut found = Vec::new();
    let is_shared = source.path.starts_with("tests/support/");
    for pattern in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
        for place in find(&source.code, pattern) {
            let line = source.code[place].line;
            let attribute = source.code[place..]
                .iter()
                .take_while(|token| token.text != "]");
            let mut words = attribute.map(|token| token.text.as_str());
            if pattern.ends_with("allow(") && !is_shared {
                let what = "`allow` stays for ever: write `expect` with a reason";
                found.push(breach(source, line, what));
            } else if !words.any(|word| word == "reason") {
                found.push(breach(source, line, "a silenced lint without a `reason`"));
            }
        }
    }
    found
}

/// Every test runs, and no test hopes for a crash.
pub fn dodged_tests(source: &Source) -> Vec<Breach> {
    let mut found = Vec::new();
    for pattern in ["#[ignore", "#[should_panic"] {
        for place in find(&source.code, pattern) {
            let what = format!("`{pattern}]`: assert what happens today instead");
            found.push(breach(source, source.code[place].line, what));
        }
    }
    found
}

/// No path of somebody's machine, in any text file.
pub fn foreign_words(path: &str, text: &str) -> Vec<Breach> {
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for word in FOREIGN_WORDS.iter().filter(|word| line.contains(**word)) {
            found.push(Breach {
                path: path.to_owned(),
                line: number + 1,
                what: format!("`{word}` is a path of one machine"),
            });
        }
    }
    found
}

/// The top level holds what the design names.
pub fn top_level(names: &[String]) -> Vec<Breach> {
    names
        .iter()
        .filter(|name| !name.starts_with('.') && !TOP_LEVEL.contains(&name.as_str()))
        .map(|name| Breach {
            path: name.clone(),
            line: 0,
            what: "does not belong to the top level".to_owned(),
        })
        .collect()
}

/// The floor comments of `src/lib.rs` agree with the plan, and every directory is a listed room.
pub fn floor_plan(lib: &str, directories: &[String]) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut listed = Vec::new();
    let mut floor: Option<u8> = None;
    for (number, line) in lib.lines().enumerate() {
        let mut say = |what: String| {
            found.push(Breach {
                path: "src/lib.rs".to_owned(),
                line: number + 1,
                what,
            });
        };
        if let Some(text) = line.strip_prefix("// Floor ") {
            let digits = text.split(|letter: char| !letter.is_ascii_digit()).next();
            floor = digits.and_then(|digits| digits.parse().ok());
        }
        let code = tokens(line);
        let words: Vec<&str> = code.iter().map(|token| token.text.as_str()).collect();
        let room = match words.as_slice() {
            ["pub", "mod", room, ";", ..] => *room,
            ["mod", room, ..] => {
                say(format!(
                    "`{room}` is hidden: a room is `pub mod` under its floor"
                ));
                continue;
            }
            _ => continue,
        };
        listed.push(room.to_owned());
        if floor.is_none() || floor_of(room) != floor {
            say(format!(
                "`{room}` stands on floor {floor:?}, the plan says {:?}",
                floor_of(room)
            ));
        }
    }
    for directory in directories.iter().filter(|name| !listed.contains(name)) {
        found.push(Breach {
            path: format!("src/{directory}"),
            line: 0,
            what: "is no room of `src/lib.rs`".to_owned(),
        });
    }
    found
}

/// Every dependency has a room, or is known to be light.
pub fn dependencies(manifest: &str) -> Vec<Breach> {
    let mut found = Vec::new();
    let mut inside = false;
    for (number, line) in manifest.lines().enumerate() {
        if line.starts_with('[') {
            inside = line == "[dependencies]";
            continue;
        }
        let Some((name, _)) = line.split_once('=').filter(|_| inside) else {
            continue;
        };
        let name = name.trim();
        let is_heavy = HEAVY_CRATES.iter().any(|(heavy, _)| *heavy == name);
        if !name.starts_with('#') && !is_heavy && !LIGHT_CRATES.contains(&name) {
            found.push(Breach {
                path: "Cargo.toml".to_owned(),
                line: number + 1,
                what: format!("crate `{name}` has no room: add it to `tests/tidy/plan.rs`"),
            });
        }
    }
    found
}
