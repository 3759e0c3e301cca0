//! Generated queries: every construct of the language, words taken from the corpus.
#![allow(dead_code, reason = "no test program uses all of it")]

use crate::chance::Chance;
use crate::talk::WORDS;

/// Operands of word proximity nest this deep at most.
const DEPTH_MAX: usize = 4;

/// A query as text. Most parse; what does not is a query of nobody and is skipped by the law.
pub fn question(chance: &mut Chance) -> String {
    let mut text = expression(chance, 0, true);
    if chance.once_in(12) {
        text = format!("({text}) accent:strict");
    }
    if chance.once_in(9) {
        let zone = *chance.one(&["Europe/Lisbon", "Asia/Tokyo", "America/New_York", "UTC"]);
        text = format!("({text}) tz:{zone}");
    }
    text
}

/// Booleans over leaves; `wide` allows what joins messages.
fn expression(chance: &mut Chance, depth: usize, wide: bool) -> String {
    if depth >= DEPTH_MAX {
        return leaf(chance);
    }
    let next = depth + 1;
    match chance.below(if wide { 14 } else { 10 }) {
        0..4 => leaf(chance),
        9 => format!(
            "({} AND {})",
            expression(chance, next, wide),
            expression(chance, next, wide)
        ),
        4 | 5 => format!(
            "({} OR {})",
            expression(chance, next, wide),
            expression(chance, next, wide)
        ),
        6 => format!(
            "({} -({}))",
            expression(chance, next, wide),
            expression(chance, next, wide)
        ),
        7 => format!("NOT ({})", expression(chance, next, wide)),
        8 => near(chance),
        10 | 11 => message_near(chance, next),
        _ => group(chance, next),
    }
}

fn message_near(chance: &mut Chance, depth: usize) -> String {
    let left = expression(chance, depth + 1, false);
    let right = expression(chance, depth + 1, false);
    let operator = *chance.one(&["w/", "pre/", "not w/", "not pre/"]);
    let reach = match chance.below(4) {
        0 => format!("{}min", 1 + chance.below(90)),
        1 => format!("{}h", 1 + chance.below(30)),
        _ => format!("{}msg", 1 + chance.below(6)),
    };
    format!("(({left}) {operator}{reach} ({right}))")
}

fn group(chance: &mut Chance, depth: usize) -> String {
    let body = expression(chance, depth + 1, false);
    let unit = *chance.one(&[
        "@day",
        "@conversation",
        "@thread",
        "@window",
        "@window(30min)",
        "@message",
    ]);
    format!("({body}){unit}")
}

fn near(chance: &mut Chance) -> String {
    let operator = *chance.one(&["w/", "pre/", "not w/", "not pre/"]);
    let distance = 1 + chance.below(6);
    let chain = chance.once_in(4) && !operator.starts_with("not");
    let left = match chain {
        true => format!(
            "({} w/{} {})",
            operand(chance),
            1 + chance.below(5),
            operand(chance)
        ),
        false => operand(chance),
    };
    let (left, right) = match chance.below(10) {
        0 => ("{start}".to_owned(), operand(chance)),
        1 => (left, "{end}".to_owned()),
        _ => (left, operand(chance)),
    };
    let near = format!("{left} {operator}{distance} {right}");
    match chance.below(8) {
        0 => format!("filename:({near})"),
        _ => format!("({near})"),
    }
}

/// What word proximity takes.
fn operand(chance: &mut Chance) -> String {
    match chance.below(8) {
        0 => phrase(chance),
        1 => format!("({} OR {})", operand_word(chance), operand_word(chance)),
        2 => wildcard(chance),
        3 => fuzzy(chance),
        4 => stem(chance),
        _ => operand_word(chance),
    }
}

fn operand_word(chance: &mut Chance) -> String {
    let word = *chance.skewed(WORDS);
    quoted_where_needed(word, chance)
}

fn leaf(chance: &mut Chance) -> String {
    match chance.below(20) {
        0..5 => operand_word(chance),
        5 | 6 => phrase(chance),
        7 => wildcard(chance),
        8 => fuzzy(chance),
        9 => stem(chance),
        10 => term_regex(chance),
        11 => text_regex(chance),
        12 => inside(chance),
        _ => field(chance),
    }
}

/// A word of the corpus as a word of a query, sometimes in quotes, always where it has to be.
fn quoted_where_needed(word: &str, chance: &mut Chance) -> String {
    let plain = word
        .chars()
        .all(|letter| letter.is_alphanumeric() || "-'./_@#%,€+".contains(letter))
        && !word.starts_with(['-', '/', '+'])
        && !matches!(word, "and" | "or" | "not" | "…");
    if plain && !chance.once_in(5) {
        word.to_owned()
    } else {
        format!("\"{word}\"")
    }
}

fn phrase(chance: &mut Chance) -> String {
    let mut items = Vec::new();
    for _ in 0..1 + chance.below(3) {
        let item = match chance.below(9) {
            0 => "*".to_owned(),
            1 => wildcard(chance),
            _ => (*chance.skewed(WORDS)).to_owned(),
        };
        items.push(item.replace('"', ""));
    }
    let slop = match chance.below(4) {
        0 => format!("~{}", 1 + chance.below(4)),
        _ => String::new(),
    };
    format!("\"{}\"{slop}", items.join(" "))
}

fn letters(chance: &mut Chance) -> Vec<char> {
    let words: Vec<&&str> = WORDS
        .iter()
        .filter(|word| word.chars().all(char::is_alphabetic))
        .collect();
    chance.one(&words).chars().collect()
}

fn wildcard(chance: &mut Chance) -> String {
    let letters = letters(chance);
    let cut = 1 + chance.below(letters.len());
    let head: String = letters[..cut].iter().collect();
    let tail: String = letters[cut - 1..].iter().collect();
    let hole = letters.iter().skip(1).collect::<String>();
    match chance.below(5) {
        0 | 1 => format!("{head}*"),
        2 => format!("*{tail}"),
        3 => format!("?{hole}x").replace('x', if chance.once_in(2) { "" } else { "*" }),
        _ => format!("{head}*{tail}"),
    }
}

fn fuzzy(chance: &mut Chance) -> String {
    let mut letters = letters(chance);
    if letters.len() >= 4 {
        let place = chance.below(letters.len() - 1);
        letters.swap(place, place + 1);
    }
    let word: String = letters.into_iter().collect();
    format!("{word}~{}", 1 + chance.below(2))
}

fn stem(chance: &mut Chance) -> String {
    let word = *chance.one(&[
        "promise",
        "promises",
        "signing",
        "signed",
        "discounts",
        "deals",
        "joão",
    ]);
    let language = *chance.one(&["", ":en", ":pt"]);
    format!("{word}^stem{language}")
}

fn term_regex(chance: &mut Chance) -> String {
    let pattern = *chance.one(&[
        "disc.*",
        "colou?r",
        "[0-9.,]+",
        "caf(e|é)",
        ".*ing",
        "inv-?.*",
        "p.+e[ds]?",
        "今.",
        "u.?s.?a.?",
    ]);
    format!("/{pattern}/")
}

fn text_regex(chance: &mut Chance) -> String {
    let pattern = *chance.one(&[
        "disc\\w+",
        "^we",
        "the (deal|price)",
        "[0-9]{3}",
        "\\.$",
        "今天",
        "DEAL",
        "é",
        "a\\nb|,\\s",
    ]);
    let field = *chance.one(&["text", "text", "filename"]);
    let flag = *chance.one(&["", "i"]);
    format!("{field}:/{pattern}/{flag}")
}

fn inside(chance: &mut Chance) -> String {
    let words = match chance.below(3) {
        0 => "*".to_owned(),
        1 => format!("({} OR {})", operand_word(chance), operand_word(chance)),
        _ => (*chance.one(&[
            "quote",
            "photo.jpg",
            "price",
            "ana",
            "\"ana price\"",
            "discount",
            "pdf",
        ]))
        .to_owned(),
    };
    format!(
        "{}:{words}",
        chance.one(&["filename", "text", "filename", "attachment"])
    )
}

#[expect(clippy::too_many_lines, reason = "one arm for each field: a table")]
fn field(chance: &mut Chance) -> String {
    let of = |chance: &mut Chance, field: &str, values: &[&str]| {
        let value = *chance.one(values);
        format!("{field}:{value}")
    };
    match chance.below(20) {
        0..3 => of(
            chance,
            "from",
            &[
                "ana",
                "rui",
                "\"Ana Sousa\"",
                "joao,rui",
                "*",
                "@rui",
                "nobody",
                "a*",
            ],
        ),
        3 => of(chance, "to", &["ana", "rui", "李雷"]),
        4 => of(chance, "with", &["ana", "rui", "\"João Ana\""]),
        5 => of(
            chance,
            "in",
            &["deals", "Ana", "board", "\"Acme deals\"", "cafe", "nowhere"],
        ),
        6 => of(chance, "app", &["whatsapp", "telegram,slack", "line"]),
        7 => of(chance, "type", &["dm", "group,channel", "broadcast"]),
        8 => of(
            chance,
            "on",
            &["2022-12-31", "2023", "2023-01", "2023-01-02"],
        ),
        9 => of(
            chance,
            "before",
            &["2023", "2023-01-01T12:00", "2022-12-31"],
        ),
        10 => of(
            chance,
            "since",
            &["2023-01-01", "2022-12-31T18:30", "2023-02"],
        ),
        11 => of(
            chance,
            "date",
            &["2022-12-31..2023-01-02", "2022..2022", "2023-01-01..2024"],
        ),
        12 => of(
            chance,
            "time",
            &["18:00..08:00", "09:00..12:30", "00:00..06:00"],
        ),
        13 => of(chance, "dow", &["sat,sun", "mon", "fri,mon,tue"]),
        14 => of(
            chance,
            "has",
            &[
                "attachment",
                "amount",
                "link",
                "image",
                "reaction",
                "reply",
                "phone",
                "email",
            ],
        ),
        15 => of(
            chance,
            "is",
            &[
                "edited",
                "deleted",
                "original",
                "forwarded",
                "reply",
                "system",
            ],
        ),
        16 => of(chance, "ext", &["pdf", "jpg", "j*", "xlsx,pdf", "*"]),
        17 => of(chance, "size", &[">1mb", "<10kb", "1kb..1mb", ">=0"]),
        18 => of(chance, "amount", &[">1000", "<600", "500..1300eur", ">0"]),
        _ => {
            let (field, values): (&str, &[&str]) = *chance.one(&[
                ("mime", &["image/*", "application/pdf"][..]),
                ("currency", &["eur", "usd", "*"]),
                ("emoji", &["👍", ":smile:", "*"]),
                ("url", &["acme.example", "*.example*", "*"]),
                ("reaction", &["👍", "*"]),
                ("mention", &["ana"]),
                ("thread", &["*"]),
            ]);
            of(chance, field, values)
        }
    }
}
