//! No text makes the parser slow: the longest queries of the worst shapes, each read at once.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use wordkeep::query::parse;

/// What the longest query may take, the best of a few readings: twenty times what the processor
/// needs for the parentheses. A step that moves all tokens for each takes a hundred times as much.
const MAX: Duration = Duration::from_millis(100);
/// The first readings fill the caches.
const READINGS: usize = 5;
/// Letters of the longest query.
const LETTERS: usize = 4_096;

/// What this thread has worked: other work on the machine does not count.
fn processor_time() -> Duration {
    let spent = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec as u64, spent.tv_nsec as u32)
}

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
                let began = processor_time();
                let parsed = parse(&text, &crate::CONTEXT);
                assert!(parsed.ast.is_some() || !parsed.problems.is_empty());
                processor_time().saturating_sub(began)
            })
            .min();
        println!("{piece:14} {best:?}");
        assert!(best < Some(MAX), "{piece:?} repeated took {best:?}");
    }
}
