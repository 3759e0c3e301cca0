//! Sentences of *Read as*: one `query => sentence` per line of the fixture.

use wordkeep::query::{ENGLISH, parse, read_as, resolve};

use crate::corpus_gen::corpus;
use crate::{CONTEXT, RESOLVE};

const FIXTURE: &str = include_str!("../fixtures/query/read_as.txt");

fn sentence(query: &str) -> String {
    let parsed = parse(query, &CONTEXT);
    match &parsed.ast {
        Some(ast) => read_as(&resolve(ast, &corpus(3, 400), &RESOLVE), &ENGLISH),
        None => format!("{:?}", parsed.problems),
    }
}

#[test]
fn s1_queries_are_read_back_in_plain_sentences() {
    let mut count = 0;
    for line in FIXTURE.lines().filter(|line| !line.is_empty()) {
        let (query, expected) = line
            .split_once(" => ")
            .expect("a line is `query => sentence`");
        assert_eq!(sentence(query), expected, "{query}");
        count += 1;
    }
    assert!(count >= 100, "only {count} sentences");
}
