//! No text makes the parser slow: the longest queries of the worst shapes, each read at once.

use std::time::{Duration, Instant};

use wordkeep::query::parse;

/// What the longest query may take, the best of a few readings: ten times what it takes on a quiet
/// machine. A step whose cost grows with the square of the length takes a hundred times as much.
const MAX: Duration = Duration::from_millis(50);
/// A busy machine may take longer now and then.
const READINGS: usize = 5;
/// Letters of the longest query.
const LETTERS: usize = 4_096;

#[test]
fn s12_the_longest_queries_of_the_worst_shapes_are_read_at_once() {
    for piece in [
        "(",
        ")",
        "()",
        "(()",
        "())",
        "x ",
        "(x",
        "x) ",
        "AND ",
        "x AND AND ",
        "NOT ",
        "x OR ( ",
        "\"",
        "body:( ",
        "x w/3 ",
        "-",
        "*",
        "a|",
        "x AND (y OR ",
        "date:",
        "/",
        ") a ",
    ] {
        let text: String = piece.chars().cycle().take(LETTERS).collect();
        let best = (0..READINGS)
            .map(|_| {
                let began = Instant::now();
                let parsed = parse(&text, &crate::CONTEXT);
                assert!(parsed.ast.is_some() || !parsed.problems.is_empty());
                began.elapsed()
            })
            .min();
        println!("{piece:14} {best:?}");
        assert!(best < Some(MAX), "{piece:?} repeated took {best:?}");
    }
}
