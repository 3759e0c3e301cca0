//! Reading and printing: the parser is total, the printer's text reads back.

use proptest::prelude::*;
use wordkeep::query::{Code, Problem, QUERY_CHARS_MAX, Severity, parse, print};

use crate::CONTEXT;
use crate::query_gen::query;

/// What a reader must hold for any text.
fn check_total(text: &str) {
    let parsed = parse(text, &CONTEXT);
    let errors = parsed
        .problems
        .iter()
        .filter(|p| p.severity() == Severity::Error)
        .count();
    assert_eq!(
        parsed.ast.is_none(),
        errors > 0,
        "{text:?}: {:?}",
        parsed.problems
    );
    for problem in &parsed.problems {
        let span = problem.span;
        assert!(
            span.start <= span.end && text.get(span.start..span.end).is_some(),
            "{text:?} {problem:?}"
        );
        for suggestion in &problem.suggestions {
            let span = suggestion.span;
            assert!(
                text.get(span.start..span.end).is_some(),
                "{text:?} {problem:?}"
            );
            check_repair(text, problem, &suggestion.apply(text), &parsed.problems);
        }
    }
    if let Some(ast) = &parsed.ast {
        let printed = print(ast);
        // The canonical form may be longer than what may be typed.
        if printed.chars().count() > QUERY_CHARS_MAX {
            return;
        }
        let again = parse(&printed, &CONTEXT);
        assert_eq!(
            again.ast.as_ref(),
            Some(ast),
            "{text:?} printed {printed:?}: {:?}",
            again.problems
        );
    }
}

fn check_repair(text: &str, problem: &Problem, repaired: &str, before: &[Problem]) {
    let count = |problems: &[Problem]| {
        problems
            .iter()
            .filter(|one| one.code == problem.code)
            .count()
    };
    let after = parse(repaired, &CONTEXT).problems;
    assert!(
        count(&after) < count(before),
        "{text:?} repaired to {repaired:?}: {problem:?}"
    );
}

const NASTY: &[&str] = &[
    "",
    " ",
    "(",
    ")",
    "()",
    "(())",
    "((a)",
    "a))",
    "\"",
    "\"\"",
    "\"a",
    "“a” „b“ «c» 「d」 ＂e＂",
    "a AND",
    "AND",
    "OR OR",
    "a OR OR b",
    "NOT",
    "-",
    "--a",
    "- a",
    "(NOT)",
    "a w/5",
    "w/5",
    "a w/0 b",
    "a w/999 b",
    "a w/99999999999999999999 b",
    "a not w/5 b w/3 c",
    "NOT a w/5 b",
    "(a b) w/5 (c d)",
    "from:",
    "from: ana",
    "from:(",
    "from:()",
    "from:(ana bo)",
    "from:(ana AND bo)",
    "from:(in:x)",
    "text:(from:ana)",
    "foo:bar",
    "tz:",
    "tz:Mars/Base",
    "a tz:UTC tz:UTC",
    "(tz:UTC a)",
    "-tz:UTC",
    "tz:UTC",
    "a OR tz:UTC",
    "date:2024..2023",
    "on:05/03/2024",
    "on:2024-99-99",
    "on:march",
    "time:25:00..26:00",
    "time:18:00",
    "size:>5xb",
    "size:5mb..1mb",
    "amount:1.200",
    "amount:500..800eur",
    "amount:$5",
    "app:whatsap",
    "/(/",
    "/a/ /b",
    "text:/(/",
    "/a{999999999}/",
    "*",
    "**",
    "?",
    "*?",
    "a*",
    "*-*",
    "日本*",
    "日*本",
    "cat~",
    "discount~3",
    "discount~",
    "dis*~",
    "promise^stem:xx",
    "promise^stem",
    "日本語^stem",
    "{start}",
    "{start} a",
    "{start} w/3 a",
    "a w/5 {end}",
    "{START} pre/2 {END}",
    "(a b)@day",
    "(a)@week",
    "(a)@window(2h)",
    "(a)@window(99y)",
    "(a)@day(2h)",
    "((a)@day)@thread",
    "(a w/5msg b)@day",
    "(a w/5msg b) w/3msg c",
    "a w/5msg b w/5msg c",
    "\\",
    "a\\",
    "(a\\",
    "\"a\\",
    "\\*",
    "\\(a",
    "a\u{0}b",
    "\u{202e}a",
    "é́́",
    "👨‍👩‍👧‍👦",
    "ﷺ",
    "\u{feff}",
    "a\u{a0}b",
    "NEAR",
    "a NEAR b",
    "a NEAR(5) b",
    "a NEAR(x b",
    "a ONEAR(3) b",
    "XRANK(a)",
    "from:<>ana",
    "a b OR c",
    "a OR b c tz:UTC",
    "a AND (b OR c d)",
    "\"a b\"~",
    "\"a b\"~0",
    "\"* *\"",
    "\"*\"",
    "\"-\"",
    "url:https://x.example/a?b=1,2",
    "url:\"a,b\"",
    "text:1,200",
    "text:a,b,c",
    "from:\"a,b\",c",
    "from: \\ from:(ana AND bo)",
    "from:a\\ \\ b",
    "from:\\ ",
    "from:\\ *\\ ",
    "from:\\\u{3000}a\\\tb",
    "reaction:\\ a\\ \\ b",
    "in:\"a  b\"",
    "dow:sat..mon",
    "is:original,edited",
    "has:*",
    "-has:*",
    "mention:@ana",
    "from:+351 912",
    "strict:true a",
    "a accent:strict",
    "accent:loose a",
    "lang:pt",
    "older_than:90d",
    "newer_than:9999999d",
    "due:<2025-01-31",
    "promise:discount",
    "not w/5 a",
    "a not w/5 b",
    "a NOT w/5 b",
    "not a",
    "a w/5 not",
    "and or not",
    "a w/5 from:x",
    "attachment:a w/5 attachment:b",
    "attachment:(a w/5 b)",
    "attachment:a w/5 b",
    "a w/5 (b OR c)",
    "a w/5 (b w/3 c)",
    "(a w/2 b) w/5 (c w/3 d)",
    "xfirstword w/3 a",
    "email:x",
    "10:30",
    ":smile:",
    "http://x",
    "C:\\dir",
    "e-mail",
    "10-12",
    "a@b.example",
    "(((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))",
];

#[test]
fn any_text_gives_a_tree_or_an_error() {
    for text in NASTY {
        check_total(text);
    }
    let long = "a ".repeat(3_000);
    check_total(&long);
    check_total(&"a ".repeat(1_030));
    check_total(&"-".repeat(4_000));
    check_total(&"(".repeat(4_000));
    check_total(&"a w/1 ".repeat(600));
    check_total(&"\"a".repeat(1_000));
}

#[test]
fn limits_are_errors_of_their_own() {
    let codes = |text: &str| -> Vec<Code> {
        parse(text, &CONTEXT)
            .problems
            .iter()
            .map(|p| p.code)
            .collect()
    };
    assert_eq!(codes(&"a".repeat(4_097)), [Code::Q002]);
    assert!(codes(&"a ".repeat(1_025)).contains(&Code::Q002));
    assert!(!codes(&"a ".repeat(1_024)).contains(&Code::Q002));
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(codes(&nested(64)).is_empty());
    assert_eq!(codes(&nested(65)), [Code::Q003]);
}

#[test]
fn s1_a_generated_tree_prints_and_reads_back() {
    for seed in 0..4_000 {
        let tree = query(seed, 5);
        let text = print(&tree);
        let parsed = parse(&text, &CONTEXT);
        if text.chars().count() > 4_096 {
            continue;
        }
        assert_eq!(
            parsed.ast.as_ref(),
            Some(&tree),
            "seed {seed}: {text}\n{:?}",
            parsed.problems
        );
        assert_eq!(
            parsed.ast.as_ref().map(print),
            Some(text.clone()),
            "seed {seed}"
        );
        let warned = parsed
            .problems
            .iter()
            .any(|problem| problem.severity() == Severity::Warning);
        assert!(!warned, "seed {seed}: {text}: {:?}", parsed.problems);
    }
}

/// Random texts a test: `WORDKEEP_CASES` asks for a longer campaign (another seed comes with
/// `PROPTEST_RNG_SEED`).
fn cases() -> u32 {
    let asked = std::env::var("WORDKEEP_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(1_500)
}

/// Pieces of queries, good and bad, to be thrown together.
fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(NASTY).prop_map(str::to_owned),
        prop::sample::select(
            &[
                "a", "(", ")", "\"", "AND", "OR", "NOT", "-", "w/5", "pre/2msg", "from:", "\\",
                "/", "~2", "*"
            ][..]
        )
        .prop_map(str::to_owned),
        "\\PC{0,6}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn random_text_never_breaks_the_parser(text in "\\PC{0,60}") {
        check_total(&text);
    }

    #[test]
    fn random_queries_never_break_the_parser(parts in prop::collection::vec(fragment(), 0..8), glue in "[ ]?") {
        check_total(&parts.join(&glue));
    }

    #[test]
    fn random_control_characters_never_break_the_parser(text in prop::collection::vec(any::<char>(), 0..24)) {
        check_total(&text.into_iter().collect::<String>());
    }
}
